// Package social is the network itself: accounts, posts, audiences, follows,
// zones and peers, the rules that bind them, and the ports (Store, Outbox) that
// the edges implement.
//
// It starts every transaction. It knows no HTTP, no SQL and no ActivityPub:
// federation translates to and from the wire, storage keeps the rows, api and
// web show them.
//
//	post, err := service.Publish(ctx, social.Member(alice), social.Draft{Text: "Hello"})
package social

package web_test

import (
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// Conversations among named people have a page: for them alone, new until they are opened,
// saying when they leave the company, and put away until somebody writes again.
func TestConversationsPage(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		net := instancetest.New(t, 1, nil)
		in, ctx := net.Instances[0], t.Context()
		if err := in.Social.FinishSetUp(ctx); err != nil {
			t.Fatal(err)
		}
		alice, bob, carol := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(in, "carol")
		a, b, c := newVisitor(t, in, language).as(alice), newVisitor(t, in, language).as(bob), newVisitor(t, in, language).as(carol)
		a.get("/conversations", 200).says(a.pick("Nobody has written to you alone", "Noch hat niemand nur Ihnen geschrieben"))
		write := func(by social.Reader, text string) social.ID {
			t.Helper()
			v, err := in.Social.Publish(ctx, by, social.Draft{Text: text, Audience: "direct"})
			if err != nil {
				t.Fatal(err)
			}
			return v.Post.ID
		}
		id := write(alice, "@bob "+canary+" between us")
		a.get("/conversations", 200).says("bob", "between us", a.pick("!new", "!neu"))
		b.get("/conversations", 200).says("alice", b.pick("new", "neu"))
		c.get("/conversations", 200).says("!between us")
		b.get("/@alice/"+id.String(), 200)
		b.get("/conversations", 200).says("alice", "between us")
		if list, err := in.Social.Conversations(ctx, bob, social.Page{Limit: 5}); err != nil || len(list) != 1 || list[0].Unread {
			t.Errorf("it is new though it was opened: %v", err)
		} else {
			c.post("/conversations/"+list[0].ID.String()+"/away", 404)
			b.post("/conversations/"+list[0].ID.String()+"/away", 200).says(b.pick("Put away", "Weggelegt"), "!between us")
		}
		if _, err := in.Social.Publish(ctx, alice, social.Draft{Text: "@bob once more", Audience: "direct", InReplyTo: id}); err != nil {
			t.Fatal(err)
		}
		b.get("/conversations", 200).says("once more")
		newVisitor(t, in, language).get("/conversations", 200).says("!once more")
	}
}

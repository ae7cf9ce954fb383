package federation_test

import (
	"context"
	"testing"

	"parley/social"
)

// T8: whoever gets a direct post into a personal inbox without being named was sent a
// blind copy: they may read it, each of them, and nobody else.
func TestBlindCopiesReachTheInboxOwner(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	alice, bob, carol := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(in, "carol")
	create, note := r.create(1), r.note(1)
	delete(note, "to")
	delete(create, "to")
	create["object"] = note
	for _, inbox := range []string{alice.Account.InboxURI, bob.Account.InboxURI, in.Config.PublicURL + "/inbox"} {
		if got := r.sendJSON(inbox, create); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
	}
	for who, want := range map[*social.Reader]bool{&alice: true, &bob: true, &carol: false} {
		_, err := in.Social.PostByURI(ctx, *who, r.url("/notes/1"))
		if (err == nil) != want {
			t.Errorf("%s sees it: %v", who.Account.Username, err)
		}
		told, err := in.Social.Notifications(ctx, *who, social.Page{}, social.NotificationFilter{})
		if err != nil || (len(told) == 1) != want {
			t.Errorf("%s has %d notifications, %v", who.Account.Username, len(told), err)
		}
	}
	// It is the author's to send: another one's post is not opened that way.
	r.docs["/notes/1"] = note
	r.as("victim")
	stolen := map[string]any{"id": r.url("/creates/9"), "type": "Create", "actor": r.actor("victim"), "object": r.url("/notes/1")}
	if got := r.sendJSON(carol.Account.InboxURI, stolen); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	if _, err := in.Social.PostByURI(ctx, carol, r.url("/notes/1")); err == nil {
		t.Error("somebody else's delivery opened the post")
	}
}

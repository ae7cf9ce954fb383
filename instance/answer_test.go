package instance_test

import (
	"context"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// Who is answered is told so, also when the author took the name out of the text;
// here and on another server, once, and never of what is not for them to see.
func TestAnsweredWithoutAName(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	alice, bob, carol := net.Member(a, "alice"), net.Member(a, "bob"), net.Member(b, "carol")
	known, err := b.Social.FindHandle(ctx, carol, instancetest.Handle(a, alice))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Social.Follow(ctx, carol, known.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	first, err := a.Social.Publish(ctx, alice, social.Draft{Text: "who knows?", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	net.Settle()
	there, err := b.Social.PostByURI(ctx, carol, first.Post.URI)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(in *instance.Instance, r social.Reader, text, audience string, to social.ID) {
		t.Helper()
		if _, err := in.Social.Publish(ctx, r, social.Draft{Text: text, Audience: audience, InReplyTo: to}); err != nil {
			t.Fatal(err)
		}
	}
	answer(a, bob, "I do", "", first.Post.ID)
	answer(a, bob, "@alice I do, really", "", first.Post.ID)
	answer(a, bob, "only to myself", "direct", first.Post.ID)
	answer(a, alice, "to my own post", "", first.Post.ID)
	answer(b, carol, "so do I", "", there.Post.ID)
	net.Settle()
	told, err := a.Social.Notifications(ctx, alice, social.Page{}, social.NotificationFilter{Exclude: []social.NotificationKind{social.NotifyFollow}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, n := range told {
		if n.Notification.Kind != social.NotifyMention || n.Post == nil {
			t.Errorf("told of %s", n.Notification.Kind)
			continue
		}
		got[n.Post.Post.Content]++
	}
	if len(told) != 3 || got["<p>I do</p>"] != 1 || got["<p>so do I</p>"] != 1 {
		t.Errorf("told of %v", got)
	}
}

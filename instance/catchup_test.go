package instance_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// caughtUp lets an instance read the logs of others to their ends.
func caughtUp(t *testing.T, net *instancetest.Network, clock *instancetest.Clock, in *instance.Instance) {
	t.Helper()
	ctx := context.Background()
	if err := in.Federation.CatchUpNow(ctx, ""); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		net.Settle()
		due := 0
		if err := in.DB.View(ctx, func(tx social.Tx) error {
			peers, err := tx.Peers(ctx)
			for _, p := range peers {
				c, err := tx.CatchUp(ctx, p.Authority)
				if err != nil {
					return err
				}
				if c.DoneAt.IsZero() || len(c.Gaps) > 0 {
					due++
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if due == 0 {
			return
		}
		clock.Advance(15 * time.Second)
		if err := in.Federation.OrderCatchUps(ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the logs have no end")
}

// company lists what a member reads of a sister's author, newest first.
func company(t *testing.T, in *instance.Instance, r social.Reader, author string) (out []string) {
	t.Helper()
	a, err := in.Social.AccountByHandle(context.Background(), r, author)
	if err != nil {
		t.Fatal(err)
	}
	for page := (social.Page{Limit: 40}); ; {
		views, err := in.Social.AccountPosts(context.Background(), r, a.ID, page, social.PostFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range views {
			out = append(out, v.Post.Content)
			page.Max = v.Cursor
		}
		if len(views) < 40 {
			return out
		}
	}
}

// What was lost with the queue comes by the change log: a sister that was down for a
// month, and whose deliveries an administrator dropped, has every post once, in its
// last state, and is not flooded with notifications of long ago.
func TestCatchUpHealsADroppedQueue(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b := net.Instances[0], net.Instances[1]
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	found, err := b.Social.FindHandle(ctx, bob, instancetest.Handle(a, alice))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Social.Follow(ctx, bob, found.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	net.Stop(1)
	var want []string
	var posts []*social.PostView
	for day := range 30 {
		clock.Advance(24 * time.Hour)
		v, err := a.Social.Publish(ctx, alice, social.Draft{Text: fmt.Sprintf("day %d for %s", day, instancetest.Handle(net.Instances[1], bob)), Audience: "company"})
		if err != nil {
			t.Fatal(err)
		}
		posts = append(posts, v)
		net.Settle()
	}
	if _, err := a.Social.Edit(ctx, alice, posts[3].Post.ID, social.Draft{Text: "day 3, corrected"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Social.Delete(ctx, alice, posts[7].Post.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := a.DB.Drop(ctx, "deliver", b.Config.Domain); err != nil || n == 0 {
		t.Fatalf("%d dropped, %v", n, err)
	}
	clock.Advance(time.Hour)
	last, err := a.Social.Publish(ctx, alice, social.Draft{Text: "delivered as well", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	b = net.Restart(1)
	net.Settle()
	if got := company(t, b, bob, instancetest.Handle(a, alice)); len(got) > 1 {
		t.Fatalf("without catching up the sister has %q", got)
	}
	caughtUp(t, net, clock, b)
	for range 8 {
		clock.Advance(4 * time.Hour)
		net.Settle()
	}
	for _, v := range posts {
		now, err := a.Social.Post(ctx, alice, v.Post.ID)
		if social.KindOf(err) == social.NotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want = append([]string{now.Post.Content}, want...)
	}
	want = append([]string{last.Post.Content}, want...)
	if got := company(t, b, bob, instancetest.Handle(a, alice)); !slices.Equal(got, want) {
		t.Errorf("the sister has %q\nwant %q", got, want)
	}
	home, err := b.Social.Home(ctx, bob, social.Page{Limit: 40})
	if err != nil || len(home) != len(want) {
		t.Errorf("%d of %d posts stand in the home timeline, %v", len(home), len(want), err)
	}
	told, err := b.Social.Notifications(ctx, bob, social.Page{Limit: 80}, nil, nil)
	if err != nil || len(told) == 0 || len(told) > 8 {
		t.Errorf("%d notifications of 30 mentions, %v", len(told), err)
	}
}

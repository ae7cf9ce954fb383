package instance_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/social"
)

// A sister that is down for a month gets every post when it is back, in order and
// once; an edit and a deletion of that time count.
func TestSisterDownForAMonth(t *testing.T) {
	const days = 30
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
	var posts []*social.PostView
	var want []string
	for day := range days {
		clock.Advance(24 * time.Hour)
		v, err := a.Social.Publish(ctx, alice, social.Draft{Text: fmt.Sprintf("day %d", day), Audience: "company"})
		if err != nil {
			t.Fatal(err)
		}
		posts = append(posts, v)
		want = append(want, fmt.Sprintf("<p>day %d</p>", day))
		net.Settle()
	}
	if _, err := a.Social.Edit(ctx, alice, posts[3].Post.ID, social.Draft{Text: "day 3, corrected"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Social.Delete(ctx, alice, posts[7].Post.ID); err != nil {
		t.Fatal(err)
	}
	want[3] = "<p>day 3, corrected</p>"
	want = slices.Delete(want, 7, 8)

	b = net.Restart(1)
	for range 8 { // whatever is parked comes back within its longest wait
		clock.Advance(4 * time.Hour)
		net.Settle()
	}
	views, err := b.Social.Home(ctx, bob, social.Page{Limit: 40})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range slices.Backward(views) {
		got = append(got, v.Post.Content)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the sister has %d posts: %q", len(got), got)
	}
	if waiting, err := a.DB.Jobs(ctx, "deliver", "", 10); err != nil || len(waiting) != 0 {
		t.Errorf("still waiting: %v %v", waiting, err)
	}
}

// What somebody did and took back while a sister was down ends as it ended: the
// wire keeps an actor's order.
func TestLastWordCountsAfterAnOutage(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b := net.Instances[0], net.Instances[1]
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	bobAtA, err := a.Social.FindHandle(ctx, alice, instancetest.Handle(b, bob))
	if err != nil {
		t.Fatal(err)
	}
	net.Settle()
	net.Stop(1)
	for range 5 { // the last one is a follow
		if _, err := a.Social.Follow(ctx, alice, bobAtA.ID, social.FollowOptions{}); err != nil {
			t.Fatal(err)
		}
		net.Settle()
		if _, err := a.Social.Unfollow(ctx, alice, bobAtA.ID); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
	}
	if _, err := a.Social.Follow(ctx, alice, bobAtA.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	b = net.Restart(1)
	for range 4 {
		clock.Advance(4 * time.Hour)
		net.Settle()
	}
	followers, _, err := b.Social.Followers(ctx, bob, bob.Account.ID, social.Page{})
	if err != nil || len(followers) != 1 {
		t.Errorf("bob has %d followers, %v", len(followers), err)
	}
	rels, err := a.Social.Relationships(ctx, alice, []social.ID{bobAtA.ID})
	if err != nil || len(rels) != 1 || !rels[0].Following {
		t.Errorf("alice: %+v %v", rels, err)
	}
}

package storagetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// A group is found, and what stands in it comes to its members' timelines and goes
// again with their membership.
func groupsAndTheirPosts(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	here, there := Account(t, db, "here", ""), Account(t, db, "there", "b.test")
	page := social.Page{Limit: 5}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		for _, g := range []*social.Account{here, there} {
			g.Kind = social.KindGroup
			if err := first(tx.UpdateAccount(ctx, g), tx.PutFollow(ctx, &social.Follow{ID: social.NewID(now), FollowerID: alice.ID, TargetID: g.ID, State: social.FollowAccepted, CreatedAt: now})); err != nil {
				return err
			}
		}
		return nil
	}))
	before := Post(t, db, bob, func(p *social.Post) { p.GroupID, p.Via = here.ID, "a.test" })
	answer := Post(t, db, bob, func(p *social.Post) {
		p.GroupID, p.InReplyToID, p.InReplyToURI, p.ThreadID = here.ID, before.ID, before.URI, before.ID
	})
	Post(t, db, bob, nil)
	both(t, db, func(tx social.Tx) error { return tx.FillTimeline(ctx, alice.ID, here.ID, 5) }, func(tx social.Tx) error {
		locals, err := tx.LocalGroups(ctx, page)
		mine, err2 := tx.GroupsOf(ctx, alice.ID, 5)
		people, err3 := tx.LocalAccounts(ctx, "", page)
		members, _, err4 := tx.CountLocalAccounts(ctx)
		posts, err5 := tx.GroupPosts(ctx, here.ID, page)
		none, err6 := tx.GroupPosts(ctx, there.ID, page)
		line, err7 := tx.Timeline(ctx, alice.ID, page)
		if !slices.Equal(idsOf(locals), []social.ID{here.ID}) || !slices.Equal(idsOf(mine), []social.ID{here.ID, there.ID}) || len(people) != 1 || members != 1 {
			t.Errorf("here %v, of alice %v, %d people, %d members", idsOf(locals), idsOf(mine), len(people), members)
		}
		found, err8 := tx.FindGroups(ctx, "HE", 0, 5)
		others, err9 := tx.FindGroups(ctx, "th", 0, 5)
		skipped, err10 := tx.FindGroups(ctx, "", 1, 5)
		if !slices.Equal(idsOf(found), []social.ID{here.ID}) || len(others) != 0 || len(skipped) != 0 {
			t.Errorf("found %v, %v, %v", idsOf(found), idsOf(others), idsOf(skipped))
		}
		if len(posts) != 1 || posts[0].ID != before.ID || posts[0].Via != "a.test" || len(none) != 0 || len(line) != 2 {
			t.Errorf("%v in the group, %d in the other, %v in the timeline", posts, len(none), line)
		}
		return first(err, err2, err3, err4, err5, err6, err7, err8, err9, err10)
	})
	both(t, db, func(tx social.Tx) error {
		err := tx.ClearTimeline(ctx, alice.ID, here.ID)
		owners, err2 := tx.AddToTimelines(ctx, answer, nil, now)
		if !slices.Equal(owners, []social.ID{alice.ID}) {
			t.Errorf("came to %v", owners)
		}
		n := &social.Notification{AccountID: alice.ID, Kind: social.NotifyJoinRequest, FromID: here.ID, CreatedAt: now}
		return first(err, err2, tx.InsertNotification(ctx, n), tx.MarkRead(ctx, alice.ID, n.ID, now), tx.RenewNotification(ctx, n))
	}, func(tx social.Tx) error {
		line, err := tx.Timeline(ctx, alice.ID, page)
		unread, err2 := tx.CountUnread(ctx, alice.ID, social.NotificationFilter{}, 100)
		if len(line) != 1 || line[0].PostID != answer.ID || unread != 1 {
			t.Errorf("%v after leaving, %d unread", line, unread)
		}
		return first(err, err2)
	})
}

package storagetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// listsArePartsOfHome: a list shows what its people brought into its owner's home
// timeline, while the owner follows them.
func listsArePartsOfHome(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob, carol, dora := Account(t, db, "alice", ""), Account(t, db, "bob", ""), Account(t, db, "carol", "b.test"), Account(t, db, "dora", "")
	page := social.Page{Limit: 5}
	team, other := &social.List{OwnerID: alice.ID, Title: "Team"}, &social.List{OwnerID: bob.ID, Title: "Other"}
	posts := map[*social.Account]*social.Post{}
	for _, a := range []*social.Account{bob, carol, dora} {
		posts[a] = Post(t, db, a, nil)
	}
	both(t, db, func(tx social.Tx) error {
		for _, a := range []*social.Account{bob, carol} {
			f := &social.Follow{ID: social.NewID(now), FollowerID: alice.ID, TargetID: a.ID, State: social.FollowAccepted, CreatedAt: now}
			if err := first(tx.PutFollow(ctx, f), tx.FillTimeline(ctx, alice.ID, a.ID, 5)); err != nil {
				return err
			}
		}
		return first(tx.PutList(ctx, team), tx.PutList(ctx, other), tx.SetInList(ctx, team.ID, carol.ID, true), tx.SetInList(ctx, team.ID, carol.ID, true),
			tx.SetInList(ctx, team.ID, dora.ID, true), tx.SetInList(ctx, other.ID, carol.ID, true))
	}, func(tx social.Tx) error {
		lists, err := tx.ListsOf(ctx, alice.ID)
		with, err2 := tx.ListsWith(ctx, alice.ID, carol.ID)
		none, err3 := tx.ListsWith(ctx, alice.ID, bob.ID)
		people, cursors, err4 := tx.ListMembers(ctx, team.ID, page)
		line, err5 := tx.ListTimeline(ctx, team, page)
		one, err6 := tx.List(ctx, team.ID)
		if len(lists) != 1 || len(with) != 1 || len(none) != 0 || !slices.Equal(idsOf(people), []social.ID{carol.ID}) || len(cursors) != 1 {
			t.Errorf("%d lists, %d with carol, %d with bob, %v in it", len(lists), len(with), len(none), idsOf(people))
		}
		if len(line) != 1 || line[0].PostID != posts[carol].ID || one == nil || *one != *team {
			t.Errorf("%v in the timeline of %v", line, one)
		}
		return first(err, err2, err3, err4, err5, err6)
	})
	both(t, db, func(tx social.Tx) error {
		team.Replies, team.Exclusive = social.RepliesNone, true
		return tx.PutList(ctx, team)
	}, func(tx social.Tx) error {
		one, err := tx.List(ctx, team.ID)
		home, err2 := tx.Timeline(ctx, alice.ID, page)
		line, err3 := tx.ListTimeline(ctx, team, page)
		in, err4 := tx.AmongListed(ctx, team.ID, []social.ID{carol.ID, bob.ID, dora.ID})
		apart, err5 := tx.IsApart(ctx, alice.ID, carol.ID)
		unfollowed, err6 := tx.IsApart(ctx, alice.ID, dora.ID)
		others, err7 := tx.IsApart(ctx, bob.ID, carol.ID)
		if one == nil || *one != *team || len(home) != 1 || home[0].PostID != posts[bob].ID || len(line) != 1 {
			t.Errorf("%v, %v at home, %v in the list", one, home, line)
		}
		if !apart || unfollowed || others || !in[carol.ID] || in[bob.ID] || !in[dora.ID] {
			t.Errorf("apart: %v %v %v, in the list: %v", apart, unfollowed, others, in)
		}
		return first(err, err2, err3, err4, err5, err6, err7)
	})
	both(t, db, func(tx social.Tx) error {
		team.Title = "Crew"
		_, err := tx.DeleteFollow(ctx, alice.ID, carol.ID)
		return first(err, tx.PutList(ctx, team), tx.DeleteList(ctx, other.ID), tx.SetInList(ctx, team.ID, dora.ID, false))
	}, func(tx social.Tx) error {
		people, _, err := tx.ListMembers(ctx, team.ID, page)
		one, err2 := tx.List(ctx, team.ID)
		_, gone := tx.List(ctx, other.ID)
		if len(people) != 0 || one.Title != "Crew" || social.KindOf(gone) != social.NotFound {
			t.Errorf("%v still in %v, and of the other: %v", idsOf(people), one, gone)
		}
		return first(err, err2)
	})
}

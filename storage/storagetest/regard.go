package storagetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// regardsAreKept: notes, people and hashtags on a profile, and servers kept away belong to
// one account, and go with it.
func regardsAreKept(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob, carol, dora := Account(t, db, "alice", ""), Account(t, db, "bob", ""), Account(t, db, "carol", "b.test"), Account(t, db, "dora", "b.test")
	others, page := []social.ID{bob.ID, carol.ID, dora.ID}, social.Page{Limit: 5}
	both(t, db, func(tx social.Tx) error {
		for _, f := range []*social.Follow{{FollowerID: alice.ID, TargetID: carol.ID, State: social.FollowAccepted},
			{FollowerID: carol.ID, TargetID: alice.ID, State: social.FollowAccepted}, {FollowerID: dora.ID, TargetID: alice.ID, State: social.FollowPending},
			{FollowerID: bob.ID, TargetID: alice.ID, State: social.FollowAccepted}} {
			f.ID, f.CreatedAt = social.NewID(now), now
			if err := tx.PutFollow(ctx, f); err != nil {
				return err
			}
		}
		return first(tx.PutNote(ctx, alice.ID, bob.ID, "met in Bonn"), tx.PutNote(ctx, alice.ID, carol.ID, "x"), tx.PutNote(ctx, alice.ID, carol.ID, "y"),
			tx.PutNote(ctx, bob.ID, alice.ID, "bob's"), tx.PutNote(ctx, alice.ID, dora.ID, "z"), tx.PutNote(ctx, alice.ID, dora.ID, ""),
			tx.SetEndorsed(ctx, alice.ID, carol.ID, true), tx.SetEndorsed(ctx, alice.ID, carol.ID, true), tx.SetEndorsed(ctx, alice.ID, bob.ID, true),
			tx.SetEndorsed(ctx, alice.ID, dora.ID, true), tx.SetEndorsed(ctx, alice.ID, dora.ID, false))
	}, func(tx social.Tx) error {
		got, err := tx.Regards(ctx, alice.ID, others)
		none, err2 := tx.Regards(ctx, alice.ID, nil)
		people, cursors, err3 := tx.Endorsements(ctx, alice.ID, page)
		follows, err4 := tx.FollowersOf(ctx, alice.ID, "b.test", 5)
		if len(got) != 2 || len(none) != 0 || got[bob.ID] != (social.Regard{Note: "met in Bonn", Endorsed: true}) || got[carol.ID] != (social.Regard{Note: "y", Endorsed: true}) {
			t.Errorf("%v", got)
		}
		if !slices.Equal(idsOf(people), []social.ID{carol.ID}) || len(cursors) != 1 || len(follows) != 2 { // bob is not followed
			t.Errorf("%v recommended, %v follow from there", idsOf(people), follows)
		}
		return first(err, err2, err3, err4)
	})

	work := &social.FeaturedTag{AccountID: alice.ID, Tag: "work"}
	tagged := Post(t, db, alice, func(p *social.Post) { p.Tags = []string{"work", "bonn"} })
	Post(t, db, alice, func(p *social.Post) { p.Tags = []string{"work"} })
	Post(t, db, bob, func(p *social.Post) { p.Tags = []string{"bonn"} })
	both(t, db, func(tx social.Tx) error {
		changed, err := tx.SetDomainBlock(ctx, alice.ID, "b.test", true)
		again, err2 := tx.SetDomainBlock(ctx, alice.ID, "b.test", true)
		_, err3 := tx.SetDomainBlock(ctx, alice.ID, "c.test", true)
		_, err4 := tx.SetDomainBlock(ctx, alice.ID, "c.test", false)
		if !changed || again {
			t.Errorf("changed: %v, again: %v", changed, again)
		}
		return first(err, err2, err3, err4, tx.AddFeaturedTag(ctx, work))
	}, func(tx social.Tx) error {
		tags, err := tx.FeaturedTags(ctx, alice.ID)
		posts, err2 := tx.TaggedBy(ctx, alice.ID, []string{"bonn", "none"}, 5)
		used, err3 := tx.TagsOf(ctx, alice.ID, 100, 5)
		away, err4 := tx.DomainBlocks(ctx, alice.ID, page)
		blocked, err5 := tx.DomainsBlocked(ctx, alice.ID, []string{"b.test", "c.test"})
		of, err6 := tx.DomainsBlocked(ctx, bob.ID, []string{"b.test"})
		if len(tags) != 1 || *tags[0] != *work || len(posts) != 1 || posts[0].ID != tagged.ID || !slices.Equal(used, []string{"work", "bonn"}) {
			t.Errorf("%v on the profile, %v with one, %v used", tags, posts, used)
		}
		if len(away) != 1 || away[0].Domain != "b.test" || away[0].ID == 0 || len(blocked) != 1 || !blocked["b.test"] || len(of) != 0 {
			t.Errorf("%v kept away, %v among some, %v by bob", away, blocked, of)
		}
		return first(err, err2, err3, err4, err5, err6)
	})
	both(t, db, func(tx social.Tx) error {
		no, err := tx.DeleteFeaturedTag(ctx, bob.ID, work.ID)
		yes, err2 := tx.DeleteFeaturedTag(ctx, alice.ID, work.ID)
		if no || !yes {
			t.Errorf("somebody else's tag: %v, one's own: %v", no, yes)
		}
		return first(err, err2, tx.ForgetRegards(ctx, alice.ID))
	}, func(tx social.Tx) error {
		got, err := tx.Regards(ctx, alice.ID, others)
		away, err2 := tx.DomainBlocks(ctx, alice.ID, page)
		his, err3 := tx.Regards(ctx, bob.ID, []social.ID{alice.ID})
		if len(got) != 0 || len(away) != 0 || his[alice.ID].Note != "bob's" {
			t.Errorf("left: %v %v; bob's: %v", got, away, his)
		}
		return first(err, err2, err3)
	})
}

package storagetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// readingIsKept walks through what members keep about their reading.
func readingIsKept(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now().Truncate(time.Millisecond)
	alice, bob, carol := Account(t, db, "alice", ""), Account(t, db, "bob", ""), Account(t, db, "carol", "b.test")
	f := &social.Filter{AccountID: alice.ID, Title: "noise", Places: []social.FilterPlace{social.InHome}, Action: "hide", ExpiresAt: now.Add(time.Hour),
		Keywords: []social.FilterKeyword{{ID: 1, Keyword: "tea", WholeWord: true}}, Posts: []social.FilterPost{{ID: 2, PostID: 3}}}
	both(t, db, func(tx social.Tx) error {
		return first(tx.PutFilter(ctx, f), tx.PutFilter(ctx, &social.Filter{AccountID: bob.ID, Title: "his"}),
			tx.PutMarker(ctx, alice.ID, "home", 5, now), tx.PutMarker(ctx, alice.ID, "home", 9, now), tx.PutMarker(ctx, alice.ID, "notifications", 7, now),
			tx.FollowTag(ctx, alice.ID, "plan", true), tx.FollowTag(ctx, alice.ID, "plan", true), tx.FollowTag(ctx, alice.ID, "tea", true), tx.FollowTag(ctx, bob.ID, "tea", true), tx.FollowTag(ctx, bob.ID, "gone", true), tx.FollowTag(ctx, bob.ID, "gone", false))
	}, func(tx social.Tx) error {
		filters, err := tx.Filters(ctx, alice.ID)
		markers, err2 := tx.Markers(ctx, alice.ID)
		tags, cursors, err3 := tx.FollowedTags(ctx, alice.ID, social.Page{Limit: 5})
		older, _, err4 := tx.FollowedTags(ctx, alice.ID, social.Page{Limit: 5, Max: cursors[0]})
		fans, err5 := tx.TagFollowers(ctx, []string{"tea", "plan"})
		none, err6 := tx.TagFollowers(ctx, []string{"gone"})
		if err := first(err, err2, err3, err4, err5, err6); err != nil {
			return err
		}
		if len(filters) != 1 || filters[0].ID != f.ID || filters[0].Title != "noise" || !filters[0].ExpiresAt.Equal(f.ExpiresAt) || !slices.Equal(filters[0].Keywords, f.Keywords) || !slices.Equal(filters[0].Posts, f.Posts) || !slices.Equal(filters[0].Places, f.Places) || filters[0].Action != "hide" {
			t.Errorf("%+v", filters)
		}
		if len(markers) != 2 || markers[0].Timeline != "home" || markers[0].LastRead != 9 || markers[0].Version != 2 || !markers[0].UpdatedAt.Equal(now) || markers[1].Version != 1 {
			t.Errorf("%+v", markers)
		}
		if !slices.Equal(tags, []string{"tea", "plan"}) || !slices.Equal(older, []string{"plan"}) || len(fans) != 2 || len(none) != 0 {
			t.Errorf("tags %v, older %v, followers %v and %v", tags, older, fans, none)
		}
		return nil
	})
	f.Title = "less"
	must(t, db.Tx(ctx, func(tx social.Tx) error { return first(tx.PutFilter(ctx, f), tx.DeleteFilter(ctx, bob.ID, f.ID)) }))
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		if list, err := tx.Filters(ctx, alice.ID); err != nil || len(list) != 1 || list[0].Title != "less" {
			t.Errorf("somebody else's: %+v %v", list, err)
		}
		return tx.DeleteFilter(ctx, alice.ID, f.ID)
	}))

	direct := func(author *social.Account, thread social.ID, to ...*social.Account) *social.Post {
		return Post(t, db, author, func(p *social.Post) {
			p.Audience = social.Audience{Kind: social.AudienceDirect, Name: p.URI, Owner: "a.test"}
			if thread != 0 {
				p.ThreadID = thread
			}
			for _, a := range to {
				p.Mentions = append(p.Mentions, social.Mention{AccountID: a.ID, URI: a.URI})
			}
		})
	}
	one := direct(alice, 0, bob)
	two := direct(carol, 0, alice)
	answer := direct(bob, one.ThreadID, alice)
	direct(bob, 0, carol)
	Post(t, db, alice, nil)
	look := func(p social.Page) (items []social.ConversationItem) {
		t.Helper()
		must(t, db.View(ctx, func(tx social.Tx) (err error) {
			items, err = tx.Conversations(ctx, alice.ID, p)
			return err
		}))
		return items
	}
	want := []social.ConversationItem{{ThreadID: one.ThreadID, PostID: answer.ID}, {ThreadID: two.ThreadID, PostID: two.ID}}
	if got := look(social.Page{Limit: 5}); !slices.Equal(got, want) {
		t.Errorf("conversations %v, want %v", got, want)
	}
	if got := look(social.Page{Limit: 5, Max: answer.ID}); !slices.Equal(got, want[1:]) {
		t.Errorf("older ones %v", got)
	}
	both(t, db, func(tx social.Tx) error {
		return first(tx.SetConversation(ctx, alice.ID, one.ThreadID, answer.ID, 0), tx.SetConversation(ctx, alice.ID, one.ThreadID, 1, 0), tx.SetConversation(ctx, alice.ID, two.ThreadID, two.ID, two.ID))
	}, func(tx social.Tx) error {
		it, err := tx.Conversation(ctx, alice.ID, one.ThreadID)
		if err != nil || it.ReadTo != answer.ID || it.PostID != answer.ID {
			t.Errorf("read to %v %v", it, err)
		}
		if _, err := tx.Conversation(ctx, bob.ID, two.ThreadID); social.KindOf(err) != social.NotFound {
			t.Errorf("somebody else's: %v", err)
		}
		return nil
	})
	if got := look(social.Page{Limit: 5}); len(got) != 1 {
		t.Errorf("after putting one away %v", got)
	}
	direct(carol, two.ThreadID, alice)
	if got := look(social.Page{Limit: 5}); len(got) != 2 || got[0].ThreadID != two.ThreadID {
		t.Errorf("after another post in it %v", got)
	}
}

func mutedThreadsStayMuted(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	late := Post(t, db, bob, func(p *social.Post) { p.InReplyToURI = "https://b.test/later" })
	below := Post(t, db, bob, func(p *social.Post) { p.ThreadID = late.ThreadID })
	other := Post(t, db, bob, nil)
	muted := func(post *social.Post, thread social.ID, want bool) {
		t.Helper()
		must(t, db.View(ctx, func(tx social.Tx) error {
			is, err := tx.MutesThread(ctx, alice.ID, thread)
			others, err2 := tx.MutesThread(ctx, bob.ID, thread)
			marks, err3 := tx.Marks(ctx, alice.ID, []social.ID{post.ID, other.ID})
			if is != want || others || marks[post.ID].Muted != want || marks[other.ID].Muted {
				t.Errorf("muted is %v, by others %v, marked %+v", is, others, marks)
			}
			return first(err, err2, err3)
		}))
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return first(tx.SetConversation(ctx, alice.ID, late.ThreadID, below.ID, 0), tx.MuteThread(ctx, alice.ID, late.ThreadID, true))
	}))
	muted(below, late.ThreadID, true)
	// Its beginning arrives: what was muted is part of a longer thread now.
	parent := Post(t, db, bob, func(p *social.Post) { p.URI = "https://b.test/later" })
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.ResolveReplies(ctx, parent.URI, parent) }))
	muted(below, parent.ThreadID, true)
	muted(parent, parent.ThreadID, true)
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.ResolveReplies(ctx, parent.URI, parent) }))
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.MuteThread(ctx, alice.ID, parent.ThreadID, false) }))
	muted(below, parent.ThreadID, false)
}

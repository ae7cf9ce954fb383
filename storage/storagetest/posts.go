package storagetest

import (
	"context"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

func postsAreFoundAndEdited(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice := Account(t, db, "alice", "")
	p := Post(t, db, alice, nil)
	reply := Post(t, db, alice, func(r *social.Post) { r.InReplyToID, r.InReplyToURI, r.ThreadID = p.ID, p.URI, p.ID })
	quote := Post(t, db, alice, func(q *social.Post) { q.QuoteOfID, q.QuoteOfURI = p.ID, p.URI })
	later := Post(t, db, alice, nil)
	both(t, db, func(tx social.Tx) error {
		p.Content, p.EditedAt, p.Version, p.Raw = "<p>y</p>", now, 2, []byte(`{"content":"y","x":"kept"}`)
		return tx.UpdatePost(ctx, p)
	}, func(tx social.Tx) error {
		many, err := tx.Posts(ctx, []social.ID{p.ID, reply.ID, 1})
		one, err2 := tx.PostByURI(ctx, p.URI)
		uris, err3 := tx.PostsByURI(ctx, []string{p.URI, "https://none"})
		if err := first(err, err2, err3); err != nil {
			return err
		}
		if len(many) != 2 || one.Content != "<p>y</p>" || len(uris) != 1 {
			t.Errorf("%v %+v %v", many, one, uris)
		}
		if raw, err := tx.RawPost(ctx, p.ID); err != nil || string(raw) != string(p.Raw) {
			t.Errorf("the origin's bytes: %q %v", raw, err)
		}
		versions, err := tx.PostVersions(ctx, p.ID)
		replies, err2 := tx.Replies(ctx, p.ID, social.Page{Limit: 5})
		thread, err3 := tx.Thread(ctx, p.ID, 5)
		if len(versions) != 1 || versions[0].Content != "<p>x</p>" || len(replies) != 1 || replies[0].ID != reply.ID || len(thread) != 2 {
			t.Errorf("%v %v %v", versions, replies, thread)
		}
		return first(err, err2, err3)
	})
	both(t, db, func(tx social.Tx) error {
		later.QuoteOfID, later.Version = p.ID, 2 // what it quotes was known later
		_, err := tx.DeletePost(ctx, quote.ID, now)
		return first(err, tx.UpdatePost(ctx, later))
	}, func(tx social.Tx) error {
		quotes, err := tx.QuotesOf(ctx, p.ID, social.Page{Limit: 5})
		none, err2 := tx.QuotesOf(ctx, 0, social.Page{Limit: 5})
		if len(quotes) != 1 || quotes[0].ID != later.ID || len(none) != 0 {
			t.Errorf("%v quote the post, %v nothing", quotes, none)
		}
		return first(err, err2)
	})
}

func marksAndMedia(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	p := Post(t, db, alice, nil)
	boost := Post(t, db, bob, func(b *social.Post) { b.Kind, b.BoostOfID = social.PostBoost, p.ID })
	m := &social.Media{ID: social.NewID(now), AccountID: alice.ID, File: "1.png", Size: 3, CreatedAt: now.Add(-time.Hour)}
	spare := &social.Media{ID: social.NewID(now), AccountID: alice.ID, File: "2.png", CreatedAt: now.Add(-time.Hour)}
	page := social.Page{Limit: 5}
	both(t, db, func(tx social.Tx) error {
		_, err := tx.SetFavourite(ctx, bob.ID, p.ID, "https://b.test/l", true, now)
		_, err2 := tx.SetBookmark(ctx, bob.ID, p.ID, true, now)
		_, err3 := tx.SetPin(ctx, alice.ID, p.ID, true, now)
		if err := first(err, err2, err3, tx.InsertMedia(ctx, m), tx.InsertMedia(ctx, spare)); err != nil {
			return err
		}
		m.PostID = p.ID
		return first(tx.UpdateMedia(ctx, m), tx.Remember(ctx, alice.ID, "key", p.ID, now))
	}, func(tx social.Tx) error {
		marks, err := tx.Marks(ctx, bob.ID, []social.ID{p.ID})
		if marks[p.ID] != (social.Marks{Favourited: true, Boosted: true, Bookmarked: true}) {
			t.Errorf("%+v", marks)
		}
		account, post, err2 := tx.FavouriteByURI(ctx, "https://b.test/l")
		of, err3 := tx.BoostOf(ctx, bob.ID, p.ID)
		if err := first(err, err2, err3); err != nil {
			return err
		}
		if account != bob.ID || post != p.ID || of.ID != boost.ID {
			t.Errorf("liked by %s: %s, shared by %s", account, post, of.ID)
		}
		boosters, _, err := tx.BoostersOf(ctx, p.ID, page)
		likers, _, err2 := tx.FavouritersOf(ctx, p.ID, page)
		liked, _, err3 := tx.Favourites(ctx, bob.ID, page)
		kept, _, err4 := tx.Bookmarks(ctx, bob.ID, page, "")
		pinned, err5 := tx.PostsBy(ctx, alice.ID, page, social.PostFilter{Pinned: true})
		onTop, err10 := tx.PinnedBy(ctx, alice.ID, 9)
		if err10 != nil || len(onTop) != 1 || onTop[0].ID != p.ID {
			t.Errorf("on top: %v %v", onTop, err)
		}
		if len(boosters) != 1 || len(likers) != 1 || len(liked) != 1 || len(kept) != 1 || len(pinned) != 1 {
			t.Errorf("%v %v %v %v %v", boosters, likers, liked, kept, pinned)
		}
		got, err6 := tx.Media(ctx, m.ID)
		many, err7 := tx.MediaOf(ctx, []social.ID{m.ID, spare.ID})
		orphans, err8 := tx.OrphanMedia(ctx, now, 5)
		again, err9 := tx.Recall(ctx, alice.ID, "key", now.Add(-time.Minute))
		if err := first(err, err2, err3, err4, err5, err6, err7, err8, err9, err10); err != nil {
			return err
		}
		if got.PostID != p.ID || len(many) != 2 || len(orphans) != 1 || orphans[0].ID != spare.ID || again != p.ID {
			t.Errorf("%+v %v %v %s", got, many, orphans, again)
		}
		return nil
	})
	both(t, db, func(tx social.Tx) error { return tx.DeleteMedia(ctx, spare.ID) }, func(tx social.Tx) error {
		if _, err := tx.Media(ctx, spare.ID); social.KindOf(err) != social.NotFound {
			t.Errorf("a deleted file: %v", err)
		}
		return nil
	})
}

// What is kept with a bookmark is found by its folder, and goes with it; each reminder is
// taken once.
func bookmarksKeep(t *testing.T, db *storage.DB) {
	ctx, now, page := context.Background(), time.Now().Truncate(time.Millisecond), social.Page{Limit: 5}
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "")
	p, q := Post(t, db, alice, nil), Post(t, db, alice, nil)
	due := social.Kept{Folder: "cranes", Note: "grease", RemindAt: now.Add(-time.Minute)}
	both(t, db, func(tx social.Tx) error {
		for _, post := range []social.ID{p.ID, q.ID} {
			if _, err := tx.SetBookmark(ctx, bob.ID, post, true, now); err != nil {
				return err
			}
		}
		_, err := tx.SetFavourite(ctx, bob.ID, p.ID, "", true, now)
		return first(err, tx.SetKept(ctx, bob.ID, p.ID, due), tx.SetKept(ctx, bob.ID, q.ID, social.Kept{RemindAt: now.Add(time.Hour)}), tx.SetKept(ctx, alice.ID, p.ID, due))
	}, func(tx social.Tx) error {
		marks, err := tx.Marks(ctx, bob.ID, []social.ID{p.ID})
		if k := marks[p.ID].Kept; k.Folder != due.Folder || k.Note != due.Note || !k.RemindAt.Equal(due.RemindAt) || !marks[p.ID].Favourited {
			t.Errorf("%+v", marks)
		}
		in, _, err2 := tx.Bookmarks(ctx, bob.ID, page, "cranes")
		all, _, err3 := tx.Bookmarks(ctx, bob.ID, page, "")
		folders, err4 := tx.BookmarkFolders(ctx, bob.ID)
		none, err5 := tx.BookmarkFolders(ctx, alice.ID)
		if len(in) != 1 || in[0].ID != p.ID || len(all) != 2 || len(folders) != 1 || folders[0] != (social.Folder{Name: "cranes", Count: 1}) || len(none) != 0 {
			t.Errorf("%v of %v, folders %v and %v", in, all, folders, none)
		}
		return first(err, err2, err3, err4, err5)
	})
	both(t, db, func(tx social.Tx) error {
		taken, err := tx.TakeReminders(ctx, now, 5)
		if len(taken) != 1 || taken[0] != (social.Reminded{AccountID: bob.ID, PostID: p.ID}) {
			t.Errorf("reminders: %v", taken)
		}
		again, err2 := tx.TakeReminders(ctx, now, 5)
		moved, err3 := tx.RenameFolder(ctx, bob.ID, "cranes", "lifts")
		other, err4 := tx.RenameFolder(ctx, alice.ID, "lifts", "mine")
		if len(again) != 0 || moved != 1 || other != 0 {
			t.Errorf("again %v, moved %d and %d", again, moved, other)
		}
		_, err5 := tx.SetBookmark(ctx, bob.ID, q.ID, false, now)
		late, err6 := tx.TakeReminders(ctx, now.Add(2*time.Hour), 5)
		if len(late) != 0 {
			t.Errorf("what is no bookmark any more reminds: %v", late)
		}
		return first(err, err2, err3, err4, err5, err6)
	}, func(tx social.Tx) error {
		marks, err := tx.Marks(ctx, bob.ID, []social.ID{p.ID, q.ID})
		if k := marks[p.ID].Kept; k != (social.Kept{Folder: "lifts", Note: "grease"}) || marks[q.ID].Kept != (social.Kept{}) {
			t.Errorf("%+v", marks)
		}
		return err
	})
}

func pollsEnd(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	p := Post(t, db, alice, func(p *social.Post) {
		p.Kind = social.PostPoll
		p.Poll = &social.Poll{Options: []social.PollOption{{Title: "a"}, {Title: "b"}}, ExpiresAt: now.Add(-time.Minute)}
	})
	both(t, db, func(tx social.Tx) error { return tx.AddVotes(ctx, p.ID, bob.ID, []int{1}, now) }, func(tx social.Tx) error {
		votes, err := tx.Votes(ctx, bob.ID, []social.ID{p.ID})
		ending, err2 := tx.PollsEnding(ctx, now, 5)
		if len(votes[p.ID]) != 1 || votes[p.ID][0] != 1 || len(ending) != 1 {
			t.Errorf("%v %v", votes, ending)
		}
		return first(err, err2)
	})
	both(t, db, func(tx social.Tx) error {
		got, err := tx.Post(ctx, p.ID)
		if err != nil {
			return err
		}
		got.Poll.Options[0].Votes, got.Poll.Voters, got.Poll.ClosedAt = 5, 6, now
		return tx.SetPollCounts(ctx, got.Poll)
	}, func(tx social.Tx) error {
		got, err := tx.Post(ctx, p.ID)
		if err != nil {
			return err
		}
		ending, err := tx.PollsEnding(ctx, now, 5)
		if got.Poll.Options[0].Votes != 5 || got.Poll.Voters != 6 || len(ending) != 0 {
			t.Errorf("%+v %v", got.Poll, ending)
		}
		return err
	})
}

// aForgottenPostComesAgain: a remote post that was taken back leaves nothing, and what
// answered it hangs below it when it comes again.
func aForgottenPostComesAgain(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	bob := Account(t, db, "bob", "b.test")
	again := func() *social.Post {
		return Post(t, db, bob, func(p *social.Post) { p.URI, p.Kind = "https://b.test/1", social.PostNote })
	}
	first := again()
	reply := Post(t, db, bob, func(p *social.Post) {
		p.URI, p.InReplyToURI, p.InReplyToID = "https://b.test/2", first.URI, first.ID
	})
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.ForgetPost(ctx, first.ID) }))
	must(t, db.View(ctx, func(tx social.Tx) error { _, err := tx.Post(ctx, first.ID); return err })) // it lives: nothing is forgotten
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		if _, err := tx.DeletePost(ctx, first.ID, time.Now()); err != nil {
			return err
		}
		return tx.ForgetPost(ctx, first.ID)
	}))
	second := again()
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.ResolveReplies(ctx, second.URI, second) }))
	must(t, db.View(ctx, func(tx social.Tx) error {
		if _, err := tx.Post(ctx, first.ID); social.KindOf(err) != social.NotFound {
			t.Errorf("the forgotten one: %v", err)
		}
		p, err := tx.Post(ctx, reply.ID)
		if err == nil && p.InReplyToID != second.ID {
			t.Errorf("the reply hangs below %v, not %v", p.InReplyToID, second.ID)
		}
		return err
	}))
}

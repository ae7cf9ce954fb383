package storagetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"parley/queue"
	"parley/social"
	"parley/storage"
)

// unsentIsKept: drafts and what waits for its time, with the files kept for them and
// the jobs that send them.
func unsentIsKept(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now().UTC().Truncate(time.Millisecond)
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "")
	m := &social.Media{ID: social.NewID(now), AccountID: alice.ID, File: "1.png", CreatedAt: now.Add(-48 * time.Hour)}
	draft := &social.Unsent{AuthorID: alice.ID, State: social.UnsentDraft, UpdatedAt: now, Grant: "company", Reason: "why", Draft: social.Draft{Text: "häl\nf", Summary: "s", Audience: "direct",
		InReplyTo: 7, MediaIDs: []social.ID{m.ID}, Poll: &social.PollDraft{Options: []string{"a", "b"}, Multiple: true, ExpiresIn: time.Hour}}}
	today := &social.Unsent{AuthorID: alice.ID, State: social.UnsentScheduled, UpdatedAt: now, DueAt: now.Add(time.Hour), Audience: "company", Draft: social.Draft{Text: "1"}}
	later := &social.Unsent{AuthorID: alice.ID, State: social.UnsentScheduled, UpdatedAt: now, DueAt: now.Add(48 * time.Hour), Draft: social.Draft{Text: "2"}}
	his := &social.Unsent{AuthorID: bob.ID, State: social.UnsentScheduled, UpdatedAt: now, DueAt: now.Add(time.Hour), Draft: social.Draft{Text: "3", MediaIDs: []social.ID{m.ID}}}
	page := social.Page{Limit: 5}
	orphans := func(tx social.Tx) int {
		list, err := tx.OrphanMedia(ctx, now, 5)
		must(t, err)
		return len(list)
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.InsertMedia(ctx, m) }))
	both(t, db, func(tx social.Tx) error {
		if orphans(tx) != 1 {
			t.Error("an upload that nothing keeps is no orphan")
		}
		for _, u := range []*social.Unsent{draft, today, later, his} {
			if err := tx.PutUnsent(ctx, u); err != nil {
				return err
			}
		}
		return tx.AddJobs(ctx, []queue.Job{{Kind: "send", Ref: int64(today.ID), Target: "1", NextAt: today.DueAt}, {Kind: "send", Ref: int64(later.ID), Target: "1", NextAt: later.DueAt}})
	}, func(tx social.Tx) error {
		got, err := tx.Unsent(ctx, draft.ID)
		if !reflect.DeepEqual(got, draft) {
			t.Errorf("%+v is not %+v", got, draft)
		}
		drafts, err2 := tx.UnsentOf(ctx, alice.ID, social.UnsentDraft, page)
		waiting, err3 := tx.UnsentOf(ctx, alice.ID, social.UnsentScheduled, page)
		older, err4 := tx.UnsentOf(ctx, alice.ID, social.UnsentScheduled, social.Page{Limit: 5, Max: later.ID})
		if len(drafts) != 1 || len(waiting) != 2 || waiting[0].ID != later.ID || !waiting[1].DueAt.Equal(today.DueAt) || len(older) != 1 || older[0].ID != today.ID {
			t.Errorf("%v %v %v", drafts, waiting, older)
		}
		all, due, err5 := tx.CountUnsent(ctx, alice.ID, social.UnsentScheduled, today.DueAt, later.DueAt)
		if all != 2 || due != 1 {
			t.Errorf("%d scheduled, %d then", all, due)
		}
		overdue, err7 := tx.UnsentDue(ctx, today.DueAt)
		if len(overdue) != 2 || overdue[0].ID != today.ID || overdue[1].ID != his.ID {
			t.Errorf("due: %v", overdue)
		}
		none, _, err6 := tx.CountUnsent(ctx, bob.ID, social.UnsentDraft, time.Time{}, time.Time{})
		if none != 0 || orphans(tx) != 0 {
			t.Errorf("%d drafts of bob, %d orphans", none, orphans(tx))
		}
		return first(err, err2, err3, err4, err5, err6, err7)
	})
	claimed, err := db.Claim(ctx, "send", today.DueAt, now.Add(2*time.Hour), 5, 5, nil)
	must(t, err)
	both(t, db, func(tx social.Tx) error {
		draft.Draft.Text, draft.Draft.MediaIDs, draft.State = "whole", nil, social.UnsentHeld
		return first(tx.PutUnsent(ctx, draft), tx.DeleteUnsent(ctx, his.ID), tx.DropJobs(ctx, "send", int64(today.ID), ""), tx.DropJobs(ctx, "send", int64(later.ID), ""))
	}, func(tx social.Tx) error {
		got, err := tx.Unsent(ctx, draft.ID)
		if err == nil && (got.Draft.Text != "whole" || got.State != social.UnsentHeld || orphans(tx) != 1) {
			t.Errorf("%+v, %d orphans", got, orphans(tx))
		}
		if _, err := tx.Unsent(ctx, his.ID); social.KindOf(err) != social.NotFound {
			t.Errorf("a deleted one: %v", err)
		}
		return err
	})
	left, err := db.Jobs(ctx, "send", "", 5)
	must(t, err)
	if len(claimed) != 1 || len(left) != 1 || left[0].ID != claimed[0].ID {
		t.Errorf("claimed %v, left %v", claimed, left)
	}
	both(t, db, func(tx social.Tx) error { return tx.DeleteUnsentOf(ctx, alice.ID) }, func(tx social.Tx) error {
		n, _, err := tx.CountUnsent(ctx, alice.ID, social.UnsentScheduled, time.Time{}, time.Time{})
		if n != 0 {
			t.Errorf("%d are left of who left", n)
		}
		return err
	})
}

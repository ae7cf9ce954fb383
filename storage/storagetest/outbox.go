package storagetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/queue"
	"parley/social"
	"parley/storage"
)

func outboxReceiptsAndRefusals(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.UnixMilli(1795528707818).UTC()
	alice := Account(t, db, "alice", "")
	p := Post(t, db, alice, nil)
	a := &social.Activity{ID: 7, URI: "https://a.test/activities/7", Verb: social.VerbCreate, ActorID: alice.ID, PostID: p.ID, ObjectURI: p.URI, Body: []byte("{}"), CreatedAt: now}
	r := social.Receipt{ObjectURI: p.URI, PostID: p.ID, Peer: "b.test", Inbox: "https://b.test/inbox", How: social.ReceiptSent, At: now}
	f := social.Refusal{PostID: p.ID, Peer: "b.test", Inbox: r.Inbox, State: social.StateRefused, Reason: "answered 403", At: now}
	gone := f
	gone.Inbox = "https://c.test/inbox"
	both(t, db, func(tx social.Tx) error {
		return first(tx.InsertActivity(ctx, a), tx.PutReceipt(ctx, r), tx.PutRefusal(ctx, f), tx.PutRefusal(ctx, gone), tx.DropRefusal(ctx, p.ID, gone.Inbox))
	}, func(tx social.Tx) error {
		one, err := tx.Activity(ctx, 7)
		byURI, err2 := tx.ActivityByURI(ctx, a.URI)
		of, err3 := tx.ActivitiesOf(ctx, p.ID)
		if err := first(err, err2, err3); err != nil {
			return err
		}
		if one.URI != a.URI || byURI.ID != 7 || len(of) != 1 {
			t.Errorf("%+v %+v %v", one, byURI, of)
		}
		receipts, err := tx.Receipts(ctx, p.URI, "b.test")
		mine, err2 := tx.ReceiptsOfPost(ctx, p.ID)
		refusals, err3 := tx.RefusalsOf(ctx, p.ID)
		inboxes, err4 := tx.ReceiptInboxes(ctx, alice.ID)
		if err4 != nil || len(inboxes) != 1 || inboxes[0] != (social.InboxRef{Inbox: r.Inbox, Peer: "b.test"}) {
			t.Errorf("%v %v", inboxes, err4)
		}
		if len(receipts) != 1 || receipts[0] != r || len(mine) != 1 || len(refusals) != 1 || refusals[0] != f {
			t.Errorf("%v %v %v", receipts, mine, refusals)
		}
		return first(err, err2, err3)
	})
	both(t, db, func(tx social.Tx) error { _, err := tx.DeletePost(ctx, p.ID, now); return err }, func(tx social.Tx) error {
		receipts, err := tx.Receipts(ctx, p.URI, "")
		refusals, err2 := tx.RefusalsOf(ctx, p.ID)
		if len(receipts) != 1 || len(refusals) != 0 {
			t.Errorf("after the deletion: %v %v", receipts, refusals)
		}
		return first(err, err2)
	})
}

// An activity that was taken back comes again when it was signed later, and so does
// what took it back; an older request does not.
func takenBackComesAgain(t *testing.T, db *storage.DB) {
	ctx, at := context.Background(), time.UnixMilli(1795528707000).UTC()
	insert := func(uri string, second int, want bool) {
		t.Helper()
		must(t, db.Tx(ctx, func(tx social.Tx) error {
			in := &social.Inbound{URI: uri, Peer: "b.test", Actor: "bob", Body: []byte("{}"), ReceivedAt: at, SignedAt: at.Add(time.Duration(second) * time.Second)}
			fresh, err := tx.InsertInbound(ctx, in)
			if err != nil || fresh != want {
				t.Errorf("%s signed at %d: taken %v, want %v, %v", uri, second, fresh, want, err)
			}
			if !fresh {
				return err
			}
			kept, err := tx.Inbound(ctx, in.ID)
			if err != nil || !kept.SignedAt.Equal(in.SignedAt) {
				t.Errorf("%+v %v", kept, err)
			}
			return tx.FinishInbound(ctx, in.ID, "applied")
		}))
	}
	back := func(uri, actor, by string, second int, want bool) {
		t.Helper()
		must(t, db.Tx(ctx, func(tx social.Tx) error {
			had, err := tx.TakeBackInbound(ctx, uri, actor, by, at.Add(time.Duration(second)*time.Second))
			if had != want {
				t.Errorf("%s was there: %v", uri, had)
			}
			return err
		}))
	}
	back("follow", "bob", "undo", 0, false)
	insert("follow", 1, true)
	insert("follow", 2, false)
	insert("undo", 3, true)
	back("follow", "eve", "undo", 3, false)
	insert("follow", 4, false)
	back("follow", "bob", "undo", 3, true)
	insert("follow", 1, false)
	insert("follow", 3, false)
	insert("follow", 5, true)
	insert("follow", 6, false)
	insert("undo", 3, false)
	insert("undo", 7, true)
}

func seenIsForgotten(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	both(t, db, func(tx social.Tx) error {
		for _, key := range []string{"a", "b"} {
			if fresh, err := tx.Seen(ctx, key, now); err != nil || !fresh {
				t.Errorf("%s: %v %v", key, fresh, err)
			}
		}
		fresh, err := tx.Seen(ctx, "a", now)
		if fresh {
			t.Error("twice new")
		}
		_, err2 := tx.Seen(ctx, "old", now.Add(-time.Hour))
		return first(err, err2, tx.Unsee(ctx, "b"), tx.Forget(ctx, now.Add(-time.Minute)))
	}, func(tx social.Tx) error {
		for key, want := range map[string]bool{"a": true, "b": false, "old": false} {
			if was, err := tx.WasSeen(ctx, key); err != nil || was != want {
				t.Errorf("%s: %v %v", key, was, err)
			}
		}
		return nil
	})
}

// What an administrator and the runner do with the jobs of a host.
func hostsAreHeldHeardAndDropped(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice := Account(t, db, "alice", "")
	p := Post(t, db, alice, nil)
	add := func(ref int64) {
		t.Helper()
		must(t, db.Tx(ctx, func(tx social.Tx) error {
			return tx.AddJobs(ctx, []queue.Job{{Kind: "deliver", Host: "b.test", Ref: ref, Target: "in"}})
		}))
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return tx.InsertActivity(ctx, &social.Activity{ID: 1, URI: "u", Verb: social.VerbCreate, ActorID: alice.ID, PostID: p.ID, ObjectURI: p.URI, Body: []byte("{}")})
	}))
	soon := now.Add(time.Minute)
	claim := func(want int) []queue.Job {
		t.Helper()
		jobs, err := db.Claim(ctx, "deliver", soon, soon.Add(time.Minute), 9, 9, nil)
		if err != nil || len(jobs) != want {
			t.Errorf("%d claimed, want %d, %v", len(jobs), want, err)
		}
		return jobs
	}
	add(1)
	if n, err := db.Hold(ctx, "b.test", true, now); err != nil || n != 1 {
		t.Errorf("%d held, %v", n, err)
	}
	add(2)
	claim(0)
	h, err := db.Host(ctx, "b.test")
	hosts, err2 := db.Hosts(ctx)
	if h.HeldAt.IsZero() || h.Queued != 2 || len(hosts) != 1 || hosts[0].HeldAt.IsZero() {
		t.Errorf("%+v %+v %v %v", h, hosts, err, err2)
	}
	if n, err := db.Hold(ctx, "b.test", false, now); err != nil || n != 2 {
		t.Errorf("%d released, %v", n, err)
	}
	if next, err := db.NextDue(ctx, "deliver"); err != nil || next.IsZero() || next.After(soon) {
		t.Errorf("due at %s, %v", next, err)
	}
	jobs := claim(2)
	must(t, db.Release(ctx, []int64{jobs[0].ID}))
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.FreeJobs(ctx) }))
	claim(2)
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.FreeJobs(ctx) }))
	_, err = db.HostFailed(ctx, "b.test", now, now.Add(time.Hour), "down")
	must(t, err)
	claim(0)
	for _, want := range []bool{true, false} {
		if got, err := db.HostHeard(ctx, "b.test", now); err != nil || got != want {
			t.Errorf("heard %v, %v", got, err)
		}
	}
	of, err := db.JobsOf(ctx, "deliver", []int64{1})
	all, err2 := db.Jobs(ctx, "deliver", "b.test", 9)
	if len(of) != 1 || len(all) != 2 || err != nil || err2 != nil {
		t.Errorf("%v %v %v %v", of, all, err, err2)
	}
	if n, err := db.RetryNow(ctx, "", now); err != nil || n != 2 {
		t.Errorf("%d due, %v", n, err)
	}
	claim(2)
	if n, err := db.Drop(ctx, "deliver", "b.test"); err != nil || n != 2 {
		t.Errorf("%d dropped, %v", n, err)
	}
	must(t, db.View(ctx, func(tx social.Tx) error {
		refusals, err := tx.RefusalsOf(ctx, p.ID)
		if len(refusals) != 1 || refusals[0].State != social.StateDropped || refusals[0].Inbox != "in" {
			t.Errorf("%v", refusals)
		}
		return err
	}))
}

// What an administrator sees of jobs that fail, and does with one.
func failingJobsAreSeen(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return tx.AddJobs(ctx, []queue.Job{{Kind: "thread", Ref: 1, Target: "a"}, {Kind: "thread", Ref: 2, Target: "b"}, {Kind: "deliver", Host: "b.test", Ref: 3, Target: "in"}})
	}))
	for _, kind := range []string{"thread", "deliver"} {
		jobs, err := db.Claim(ctx, kind, now.Add(time.Minute), now.Add(2*time.Minute), 1, 1, nil)
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%v %v", jobs, err)
		}
		must(t, db.Retry(ctx, jobs[0], now.Add(time.Hour), "broken"))
	}
	kinds, err := db.Kinds(ctx)
	if err != nil || !slices.Equal(kinds, []queue.Kind{{Name: "deliver", Waiting: 1, Failing: 1}, {Name: "thread", Waiting: 2, Failing: 1}}) {
		t.Errorf("%+v %v", kinds, err)
	}
	failing, err := db.Failing(ctx, "deliver", 9)
	if err != nil || len(failing) != 1 || failing[0].Kind != "thread" || failing[0].LastError != "broken" || failing[0].Attempts != 1 {
		t.Fatalf("%+v %v", failing, err)
	}
	must(t, db.RetryJob(ctx, failing[0].ID, now.Add(time.Minute)))
	if j, err := db.Job(ctx, failing[0].ID); err != nil || j.NextAt.After(now.Add(time.Minute)) {
		t.Errorf("%+v %v", j, err)
	}
	claimed, err := db.Claim(ctx, "thread", now.Add(2*time.Minute), now.Add(time.Hour), 9, 9, nil)
	if err != nil || len(claimed) != 2 {
		t.Errorf("%v %v", claimed, err)
	}
	must(t, db.RetryJob(ctx, failing[0].ID, now.Add(3*time.Minute)))
	if j, err := db.Job(ctx, failing[0].ID); err != nil || j.NextAt.Before(now.Add(30*time.Minute)) {
		t.Errorf("a job that somebody works on became due: %+v %v", j, err)
	}
	if _, err := db.Job(ctx, 1); social.KindOf(err) != social.NotFound {
		t.Errorf("a job that never was: %v", err)
	}
}

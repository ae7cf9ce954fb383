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

// Jobs of one chain run one after the other, in the order they were written; other
// chains, kinds and targets do not wait for them.
func chainsKeepOrder(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	add := func(jobs ...queue.Job) {
		t.Helper()
		must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.AddJobs(ctx, jobs) }))
	}
	job := func(ref, chain int64, target string) queue.Job {
		return queue.Job{Kind: "deliver", Host: "b.test", Ref: ref, Target: target, Chain: chain}
	}
	claim := func() (jobs []queue.Job, refs []int64) {
		t.Helper()
		now := time.Now().Add(time.Second)
		jobs, err := db.Claim(ctx, "deliver", now, now.Add(time.Minute), 10, 10, nil)
		must(t, err)
		for _, j := range jobs {
			refs = append(refs, j.Ref)
		}
		slices.Sort(refs)
		return jobs, refs
	}
	add(job(1, 7, "in"), job(2, 7, "in"), job(3, 7, "in"), job(4, 7, "other"), job(5, 8, "in"), job(6, 0, "in"), job(7, 0, "in"))
	first, refs := claim()
	if !slices.Equal(refs, []int64{1, 4, 5, 6, 7}) {
		t.Fatalf("begun at once: %v", refs)
	}
	if _, again := claim(); again != nil {
		t.Errorf("begun while the first is in hand: %v", again)
	}
	var done []int64
	for _, j := range first {
		done = append(done, j.ID)
	}
	must(t, db.Finish(ctx, done))
	next, refs := claim()
	if !slices.Equal(refs, []int64{2}) {
		t.Fatalf("after the first: %v", refs)
	}
	// One that fails and fails lets the others pass, and comes back on its own.
	must(t, db.Retry(ctx, next[0], time.Now().Add(time.Hour), "answered 500"))
	if _, refs := claim(); refs != nil {
		t.Errorf("overtook at once: %v", refs)
	}
	must(t, db.LetPass(ctx, next[0].ID))
	last, refs := claim()
	if !slices.Equal(refs, []int64{3}) {
		t.Fatalf("after it let pass: %v", refs)
	}
	must(t, db.Finish(ctx, []int64{last[0].ID}))
	_, err := db.RetryNow(ctx, "", time.Now())
	must(t, err)
	if _, refs := claim(); !slices.Equal(refs, []int64{2}) {
		t.Errorf("came back: %v", refs)
	}
}

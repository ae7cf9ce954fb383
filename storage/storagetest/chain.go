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

// While a host is parked nothing of it is due: what a chain moves up waits as well,
// and people are told until when and why. When it works, all of it goes.
func chainsWaitForTheirHost(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	soon, parked := now.Add(time.Second), now.Add(time.Hour)
	var jobs []queue.Job
	for ref := range 6 {
		jobs = append(jobs, queue.Job{Kind: "deliver", Host: "b.test", Ref: int64(ref), Target: "in", Chain: int64(1 + ref%2)})
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.AddJobs(ctx, jobs) }))
	heads, err := db.Claim(ctx, "deliver", soon, soon.Add(time.Minute), 10, 10, nil)
	must(t, err)
	if len(heads) != 2 {
		t.Fatalf("%d begun", len(heads))
	}
	_, err = db.HostFailed(ctx, "b.test", now, parked, "no answer")
	must(t, err)
	must(t, db.Finish(ctx, []int64{heads[0].ID})) // it was faster than the failure
	must(t, db.LetPass(ctx, heads[1].ID))
	claim := func(when time.Time) int {
		t.Helper()
		got, err := db.Claim(ctx, "deliver", when, when.Add(time.Minute), 10, 10, nil)
		must(t, err)
		return len(got)
	}
	if n := claim(soon.Add(2 * time.Second)); n != 0 {
		t.Errorf("%d begun while the host is parked", n)
	}
	waiting, err := db.JobsOf(ctx, "deliver", []int64{2, 3, 4, 5})
	must(t, err)
	for _, j := range waiting {
		if j.NextAt.Before(parked.Truncate(time.Millisecond)) || j.LastError != "no answer" {
			t.Errorf("job %d is shown as due at %s: %q", j.Ref, j.NextAt, j.LastError)
		}
	}
	must(t, db.HostWorked(ctx, "b.test", soon))
	if n := claim(soon.Add(2 * time.Second)); len(waiting) != 4 || n < 2 {
		t.Errorf("%d waited, %d begun when the host was back", len(waiting), n)
	}
}

// What is added behind others while its host is parked goes as soon as they are gone, and
// not when the host would have been tried again.
func chainsBehindAParkedHost(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	parked, soon := now.Add(time.Hour), now.Add(time.Second)
	add := func(ref int64) {
		t.Helper()
		must(t, db.Tx(ctx, func(tx social.Tx) error {
			return tx.AddJobs(ctx, []queue.Job{{Kind: "deliver", Host: "p.test", Ref: ref, Target: "in", Chain: 9}})
		}))
	}
	claim := func() []queue.Job {
		t.Helper()
		got, err := db.Claim(ctx, "deliver", soon, soon.Add(time.Minute), 10, 10, nil)
		must(t, err)
		return got
	}
	add(1)
	_, err := db.HostFailed(ctx, "p.test", now, parked, "no answer")
	must(t, err)
	add(2)
	if n := len(claim()); n != 0 {
		t.Errorf("%d begun while the host is parked", n)
	}
	must(t, db.HostWorked(ctx, "p.test", soon))
	first := claim()
	if len(first) != 1 || first[0].Ref != 1 {
		t.Fatalf("begun: %+v", first)
	}
	must(t, db.Finish(ctx, []int64{first[0].ID}))
	if next := claim(); len(next) != 1 || next[0].Ref != 2 {
		t.Errorf("begun next: %+v", next)
	}
}

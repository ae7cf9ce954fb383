package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/queue"
	"parley/social"
	"parley/storage"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// bench is a queue in a real database, with a clock that stands still.
type bench struct {
	t   *testing.T
	db  *storage.DB
	dir string
	mu  sync.Mutex
	at  time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, at: time.UnixMilli(1795528707818).UTC(), dir: t.TempDir()}
	b.db = b.open()
	return b
}

// open opens the database once more, as a command beside a running server does.
func (b *bench) open() *storage.DB {
	b.t.Helper()
	db, err := storage.Open(context.Background(), storage.Options{URL: "sqlite:parley.db", DataDir: b.dir, Now: b.now, Log: quiet})
	b.must(err)
	b.t.Cleanup(func() { _ = db.Close() })
	return db
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

// add writes n jobs for each host.
func (b *bench) add(n int, hosts ...string) {
	b.t.Helper()
	var jobs []queue.Job
	for i := range n {
		for _, h := range hosts {
			jobs = append(jobs, queue.Job{Kind: "deliver", Host: h, Ref: int64(i), Target: "https://" + h + "/inbox"})
		}
	}
	b.must(b.db.Tx(context.Background(), func(tx social.Tx) error { return tx.AddJobs(context.Background(), jobs) }))
}

func (b *bench) runner(workers, perHost int, h queue.Handler) *queue.Runner {
	return queue.NewRunner(b.db, queue.Options{Kind: "deliver", Workers: workers, PerHost: perHost, Lease: time.Minute, Handler: h, Now: b.now, Log: quiet})
}

func (b *bench) waiting() []queue.Job {
	b.t.Helper()
	jobs, err := b.db.Jobs(context.Background(), "deliver", "", 10_000)
	b.must(err)
	return jobs
}

func TestBackoffGrowsToTwelveHours(t *testing.T) {
	for n := range 2000 {
		low, high := 15*time.Second, 18*time.Second
		if n >= 12 {
			low, high = 12*time.Hour, 12*time.Hour*6/5
		}
		if n == 0 || n >= 12 {
			if d := queue.Backoff(n); d < low || d > high {
				t.Fatalf("after %d attempts %s", n, d)
			}
		}
	}
}

// Each job runs once, never more than Workers at a time and PerHost of a host, even
// when the host is found to work again while jobs of it are in hand.
func TestEachJobRunsOnceWithinItsBounds(t *testing.T) {
	b := newBench(t)
	b.add(60, "a.test", "b.test", "c.test")
	ctx := context.Background()
	var mu sync.Mutex
	ran, busy := map[int64]int{}, map[string]int{}
	all, most, mostOfHost := 0, 0, 0
	r := b.runner(10, 4, func(ctx context.Context, j queue.Job) queue.Result {
		mu.Lock()
		ran[j.ID]++
		busy[j.Host]++
		all++
		most, mostOfHost = max(most, all), max(mostOfHost, busy[j.Host])
		mu.Unlock()
		// One of the host's jobs fails, another works.
		_, err := b.db.HostFailed(ctx, j.Host, b.now(), b.now().Add(12*time.Hour), "down")
		if err = errors.Join(err, b.db.HostWorked(ctx, j.Host, b.now())); err != nil {
			t.Error(err)
		}
		if _, err := b.db.RetryNow(ctx, "", b.now()); err != nil { // the administrator is impatient
			t.Error(err)
		}
		mu.Lock()
		busy[j.Host]--
		all--
		mu.Unlock()
		return queue.Result{}
	})
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	for len(b.waiting()) > 0 {
		time.Sleep(time.Millisecond) // the runner works; it tells nobody
	}
	stop()
	wg.Wait()
	for id, n := range ran {
		if n != 1 {
			t.Errorf("job %d ran %d times", id, n)
		}
	}
	if len(ran) != 180 || most > 10 || mostOfHost > 4 || len(b.waiting()) != 0 {
		t.Errorf("%d ran, %d at once, %d of one host, %d left", len(ran), most, mostOfHost, len(b.waiting()))
	}
}

// A host that is down costs one failure and few attempts however many jobs wait;
// when it is back all of them go, those that were tried too, and only what waits
// for itself does not.
func TestDownHostIsParkedAndComesBack(t *testing.T) {
	b := newBench(t)
	b.add(100, "a.test")
	ctx := context.Background()
	var down atomic.Bool
	var attempts, done atomic.Int64
	r := b.runner(32, 8, func(ctx context.Context, j queue.Job) queue.Result {
		attempts.Add(1)
		switch {
		case down.Load():
			return queue.Result{Verdict: queue.HostDown, Reason: "no answer"}
		case j.Ref == 99:
			return queue.Result{Verdict: queue.Later, After: 20 * time.Hour, Reason: "answered 500"}
		}
		if err := b.db.HostWorked(ctx, j.Host, b.now()); err != nil {
			t.Error(err)
		}
		done.Add(1)
		return queue.Result{}
	})
	down.Store(true)
	for range 14 { // for some days
		before := attempts.Load()
		r.Drain(ctx)
		if n := attempts.Load() - before; n == 0 || n > 8 {
			t.Fatalf("%d attempts at a silent host", n)
		}
		h, err := b.db.Host(ctx, "a.test")
		b.must(err)
		b.pass(h.NextTry.Sub(b.now()))
	}
	h, err := b.db.Host(ctx, "a.test")
	b.must(err)
	if h.Failures != 14 || h.Queued != 100 {
		t.Errorf("%d failures in 14 rounds, %d queued", h.Failures, h.Queued)
	}
	b.add(1, "b.test") // others do not wait
	down.Store(false)
	r.Drain(ctx)
	if done.Load() != 100 {
		t.Errorf("%d done at once when it was back", done.Load())
	}
	left := b.waiting()
	if len(left) != 1 || left[0].NextAt.Sub(b.now()) < 20*time.Hour {
		t.Errorf("left %+v", left)
	}
}

// A parked host that sends something is tried at once: once, until it takes
// something. When that fails it waits as long as before and longer.
func TestParkedHostThatSendsIsTriedOnce(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	heard := func(want bool) {
		t.Helper()
		if got, err := b.db.HostHeard(ctx, "a.test", b.now()); err != nil || got != want {
			t.Errorf("released %v: %v", got, err)
		}
	}
	var down atomic.Bool
	var attempts atomic.Int64
	r := b.runner(4, 4, func(ctx context.Context, j queue.Job) queue.Result {
		attempts.Add(1)
		if down.Load() {
			return queue.Result{Verdict: queue.HostDown, Reason: "no answer"}
		}
		b.must(b.db.HostWorked(ctx, j.Host, b.now()))
		return queue.Result{}
	})
	heard(false) // it is not parked
	b.add(1, "a.test")
	down.Store(true)
	for range 10 {
		r.Drain(ctx)
		h, err := b.db.Host(ctx, "a.test")
		b.must(err)
		b.pass(h.NextTry.Sub(b.now()))
	}
	r.Drain(ctx)
	b.pass(time.Minute)
	heard(true)
	heard(false)
	if r.Drain(ctx); attempts.Load() != 12 {
		t.Errorf("%d attempts", attempts.Load())
	}
	h, err := b.db.Host(ctx, "a.test")
	b.must(err)
	if wait := h.NextTry.Sub(b.now()); h.Failures != 12 || wait < 6*time.Hour {
		t.Errorf("after the failed attempt: %d failures, parked for %s", h.Failures, wait)
	}
	heard(false) // it sends and cannot receive
	if r.Drain(ctx); attempts.Load() != 12 {
		t.Errorf("%d attempts", attempts.Load())
	}
	down.Store(false)
	b.pass(13 * time.Hour)
	if r.Drain(ctx); attempts.Load() != 13 {
		t.Errorf("%d attempts", attempts.Load())
	}
	down.Store(true)
	b.add(2, "a.test")
	r.Drain(ctx)
	heard(true) // it is another time that it is down
}

// A worker whose lease ended does not disturb whoever has the job now.
func TestLateWorkerLeavesTheJobAlone(t *testing.T) {
	b := newBench(t)
	b.add(1, "a.test")
	ctx := context.Background()
	first, err := b.db.Claim(ctx, "deliver", b.now(), b.now().Add(time.Minute), 1, 1, nil)
	b.must(err)
	if again, err := b.db.Claim(ctx, "deliver", b.now(), b.now().Add(time.Minute), 1, 1, nil); err != nil || len(again) != 0 {
		t.Fatalf("claimed twice: %v %v", again, err)
	}
	b.pass(2 * time.Minute)
	second, err := b.db.Claim(ctx, "deliver", b.now(), b.now().Add(time.Minute), 1, 1, nil)
	b.must(err)
	if len(first) != 1 || len(second) != 1 {
		t.Fatalf("claimed %d and %d", len(first), len(second))
	}
	b.must(b.db.Retry(ctx, first[0], b.now(), "too late"))
	if j := b.waiting()[0]; !j.NextAt.Equal(second[0].NextAt) || j.Attempts != 0 {
		t.Errorf("the second lost its lease: %+v", j)
	}
	b.must(b.db.Retry(ctx, second[0], b.now().Add(time.Hour), "in time"))
	if j := b.waiting()[0]; j.Attempts != 1 || j.LastError != "in time" {
		t.Errorf("%+v", j)
	}
}

// A stop does not wait for a host that does not answer: its job is broken off, which
// is no attempt, and is due at once; what was not begun is due too.
func TestStopBreaksOffWhatHangs(t *testing.T) {
	b := newBench(t)
	b.add(2, "hung.test")
	began := make(chan bool, 2)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan bool)
	r := b.runner(2, 1, func(ctx context.Context, _ queue.Job) queue.Result {
		began <- true
		<-ctx.Done()
		return queue.Result{Verdict: queue.Later, Reason: "it was ended"}
	})
	go func() { r.Run(ctx); close(ended) }()
	<-began
	stop()
	<-ended
	for _, j := range b.waiting() {
		if j.Attempts != 0 || j.NextAt.After(b.now()) {
			t.Errorf("%+v", j)
		}
	}
}

func TestPanicAndRetryAfter(t *testing.T) {
	b := newBench(t)
	b.add(2, "a.test")
	r := b.runner(2, 2, func(_ context.Context, j queue.Job) queue.Result {
		if j.Ref == 0 {
			panic("poison")
		}
		return queue.Result{Verdict: queue.Later, After: 3 * time.Hour, Reason: "asked to wait"}
	})
	r.Drain(context.Background())
	for _, j := range b.waiting() {
		wait := j.NextAt.Sub(b.now())
		if j.Ref == 0 && (wait < 15*time.Second || wait > time.Minute) || j.Ref == 1 && wait != 3*time.Hour || j.Attempts != 1 {
			t.Errorf("job %d waits %s after %d attempts", j.Ref, wait, j.Attempts)
		}
	}
}

// fullDisk is the real store, whose removal of finished jobs fails for a while.
type fullDisk struct {
	*storage.DB
	full atomic.Bool
}

func (f *fullDisk) Finish(ctx context.Context, ids []int64) error {
	if f.full.Load() {
		return errors.New("disk full")
	}
	return f.DB.Finish(ctx, ids)
}

// While what was done cannot be recorded nothing new is begun: a crash would
// repeat all of it.
func TestNothingNewBeginsWhileDoneIsNotRecorded(t *testing.T) {
	b := newBench(t)
	b.add(50, "a.test", "b.test")
	store := &fullDisk{DB: b.db}
	store.full.Store(true)
	var ran atomic.Int64
	r := queue.NewRunner(store, queue.Options{Kind: "deliver", Workers: 4, PerHost: 4, Lease: time.Minute, Now: b.now, Log: quiet,
		Handler: func(context.Context, queue.Job) queue.Result { ran.Add(1); return queue.Result{} }})
	for range 3 {
		r.Drain(context.Background())
	}
	if ran.Load() > 4 {
		t.Errorf("%d ran", ran.Load())
	}
	store.full.Store(false)
	r.Drain(context.Background())
	if ran.Load() != 100 || len(b.waiting()) != 0 {
		t.Errorf("%d ran, %d left", ran.Load(), len(b.waiting()))
	}
}

// Jobs that another process writes, or makes due, are found without being woken.
func TestOtherProcessesAreSeen(t *testing.T) {
	b := newBench(t)
	b.add(1, "a.test")
	ctx, stop := context.WithCancel(context.Background())
	_, err := b.db.HostFailed(ctx, "a.test", b.now(), b.now().Add(time.Hour), "down")
	b.must(err)
	done := make(chan string, 2)
	r := b.runner(2, 2, func(_ context.Context, j queue.Job) queue.Result { done <- j.Host; return queue.Result{} })
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	command := b.open()
	n, err := command.RetryNow(ctx, "a.test", b.now())
	b.must(err)
	if host := <-done; host != "a.test" || n != 1 {
		t.Errorf("%s ran, %d made due", host, n)
	}
	b.must(command.Tx(ctx, func(tx social.Tx) error {
		return tx.AddJobs(ctx, []queue.Job{{Kind: "deliver", Host: "b.test", Ref: 7, Target: "x"}})
	}))
	if host := <-done; host != "b.test" {
		t.Errorf("%s ran", host)
	}
	stop()
	wg.Wait()
}

func TestHoldRetryAndDrop(t *testing.T) {
	b := newBench(t)
	b.add(3, "a.test", "b.test")
	ctx := context.Background()
	if n, err := b.db.Hold(ctx, "a.test", true, b.now()); err != nil || n != 3 {
		t.Fatalf("held %d: %v", n, err)
	}
	var mu sync.Mutex
	ran := map[string]int{}
	r := b.runner(4, 4, func(_ context.Context, j queue.Job) queue.Result {
		mu.Lock()
		defer mu.Unlock()
		ran[j.Host]++
		return queue.Result{}
	})
	r.Drain(ctx)
	if fmt.Sprint(ran) != "map[b.test:3]" {
		t.Errorf("ran %v", ran)
	}
	b.add(4, "a.test") // one more waits than did: what comes later is held too
	r.Drain(ctx)
	if h, err := b.db.Host(ctx, "a.test"); err != nil || h.Queued != 4 || h.HeldAt.IsZero() || ran["a.test"] != 0 {
		t.Errorf("held: %+v, ran %v, %v", h, ran, err)
	}
	if n, err := b.db.Hold(ctx, "a.test", false, b.now()); err != nil || n != 4 {
		t.Fatalf("released %d: %v", n, err)
	}
	if n, err := b.db.Drop(ctx, "deliver", "b.test"); err != nil || n != 0 {
		t.Errorf("dropped %d: %v", n, err)
	}
	r.Drain(ctx)
	if fmt.Sprint(ran) != "map[a.test:4 b.test:3]" {
		t.Errorf("ran %v", ran)
	}
	b.add(2, "a.test")
	if n, err := b.db.Drop(ctx, "deliver", "a.test"); err != nil || n != 2 || len(b.waiting()) != 0 {
		t.Errorf("dropped %d: %v", n, err)
	}
}

// Two runners on one database, as two nodes are, share the work.
func TestTwoRunnersShareTheWork(t *testing.T) {
	b := newBench(t)
	b.add(100, "a.test", "b.test")
	var mu sync.Mutex
	ran := map[int64]int{}
	h := func(_ context.Context, j queue.Job) queue.Result {
		mu.Lock()
		defer mu.Unlock()
		ran[j.ID]++
		return queue.Result{}
	}
	other := queue.NewRunner(b.open(), queue.Options{Kind: "deliver", Workers: 8, PerHost: 4, Lease: time.Minute, Handler: h, Now: b.now, Log: quiet})
	var wg sync.WaitGroup
	for _, r := range []*queue.Runner{b.runner(8, 4, h), other} {
		wg.Go(func() { r.Drain(context.Background()) })
	}
	wg.Wait()
	for id, n := range ran {
		if n != 1 {
			t.Errorf("job %d ran %d times", id, n)
		}
	}
	if len(ran) != 200 {
		t.Errorf("%d ran", len(ran))
	}
}

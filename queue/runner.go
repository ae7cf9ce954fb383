package queue

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// Verdict says what becomes of a job.
type Verdict int

const (
	Done     Verdict = iota // or not needed any more
	Later                   // this job again, after a while
	HostDown                // all jobs of its host wait
)

// Result of one attempt. After is how long to wait at least, when the other side said so.
type Result struct {
	Verdict Verdict
	After   time.Duration
	Reason  string
}

// Handler does one job. A panic counts as Later: a poisoned job never stops the queue.
type Handler func(ctx context.Context, j Job) Result

// Options of a Runner.
type Options struct {
	Kind    string
	Workers int
	PerHost int           // jobs of one host at the same time; no bound for jobs without a host
	Lease   time.Duration // longer than any attempt takes
	// Patience is after how many attempts a job that fails by itself no longer holds
	// up its chain. While its host is down nothing passes.
	Patience int
	Handler  Handler
	Now      func() time.Time
	Log      *slog.Logger
}

// Runner claims jobs of one kind and has them done.
type Runner struct {
	Options
	store Store
	wake  chan struct{}
	slots chan struct{}

	mu   sync.Mutex
	busy map[string]int // host -> jobs in hand
	done []int64
}

// NewRunner makes a Runner; Run starts it.
func NewRunner(store Store, o Options) *Runner {
	return &Runner{Options: o, store: store, wake: make(chan struct{}, 1), slots: make(chan struct{}, o.Workers), busy: map[string]int{}}
}

// Wake says that there may be work; it never blocks.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// pollEvery finds what other processes wrote or made due, e.g. a command.
const pollEvery = 400 * time.Millisecond

// stopPatience is how long a stop waits for what is in hand. Who runs this as a service
// gives it some 10 or 20 seconds to stop, and then kills it.
const stopPatience = 4 * time.Second

// Run works until the context ends, then waits a while for what is in hand. What was
// claimed and not begun, or not done by then, is due again at once.
func (r *Runner) Run(ctx context.Context) {
	work, breakOff := context.WithCancel(context.WithoutCancel(ctx))
	defer breakOff()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopPatience, breakOff) })()
	var wg sync.WaitGroup
	for ctx.Err() == nil {
		n := r.round(ctx, work, &wg)
		if n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-time.After(pollEvery):
		}
	}
	wg.Wait()
	r.flush(context.WithoutCancel(ctx))
}

// round claims one batch and hands it to free workers; it answers how many it
// claimed. What the free workers did is recorded before: so never more than
// Workers jobs are under a lease, and a crash repeats no more than those. Jobs are
// done under the context work, which ends later than ctx.
func (r *Runner) round(ctx, work context.Context, wg *sync.WaitGroup) int {
	free := r.free(ctx)
	if free == 0 || !r.flush(ctx) {
		return 0
	}
	now := r.Now()
	jobs, err := r.store.Claim(ctx, r.Kind, now, now.Add(r.Lease), free, r.share(), r.full())
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Error("jobs cannot be claimed", "kind", r.Kind, "error", err)
		}
		return 0
	}
	for i, j := range jobs {
		select {
		case r.slots <- struct{}{}:
		case <-ctx.Done():
			r.release(jobs[i:])
			return 0
		}
		r.take(j.Host, 1)
		wg.Add(1)
		go func() {
			defer wg.Done()
			r.attempt(work, j)
			r.take(j.Host, -1)
			<-r.slots
			r.Wake()
		}()
	}
	return len(jobs)
}

// free counts free workers, after one is. Claimed is only what can begin.
func (r *Runner) free(ctx context.Context) int {
	select {
	case r.slots <- struct{}{}:
		<-r.slots
		return max(1, r.Workers-len(r.slots))
	case <-ctx.Done():
		return 0
	}
}

func (r *Runner) release(jobs []Job) {
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	if err := r.store.Release(context.Background(), ids); err != nil {
		r.Log.Warn("jobs wait for their lease to end", "kind", r.Kind, "error", err)
	}
}

// share is how many jobs of a host one claim may bring: half of what it may have,
// so that it can be claimed for while the other half runs.
func (r *Runner) share() int { return max(1, r.PerHost/2) }

// full lists the hosts that have no room left for a share.
func (r *Runner) full() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for host, n := range r.busy {
		if host != "" && n+r.share() > r.PerHost {
			out = append(out, host)
		}
	}
	return out
}

func (r *Runner) take(host string, by int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[host] += by; r.busy[host] <= 0 {
		delete(r.busy, host)
	}
}

func (r *Runner) attempt(ctx context.Context, j Job) {
	res := r.guarded(ctx, j)
	if ctx.Err() != nil { // broken off: what it says is not about the job
		r.release([]Job{j})
		return
	}
	ctx = context.WithoutCancel(ctx) // what is known now is written, whatever happens
	var err error
	switch res.Verdict {
	case Done:
		r.mu.Lock()
		r.done = append(r.done, j.ID)
		r.mu.Unlock()
	case Later:
		err = r.store.Retry(ctx, j, r.Now().Add(max(Backoff(j.Attempts), res.After)), res.Reason)
		if err == nil && j.Chain != 0 && j.Attempts+1 >= r.Patience {
			err = r.store.LetPass(ctx, j.ID)
		}
	case HostDown:
		err = r.hostDown(ctx, j, res)
	}
	if err != nil {
		r.Log.Error("the result of a job was not written; it runs again after its lease", "kind", r.Kind, "job", j.ID, "error", err)
	}
}

func (r *Runner) hostDown(ctx context.Context, j Job, res Result) error {
	h, err := r.store.Host(ctx, j.Host)
	if err != nil {
		return err
	}
	now := r.Now()
	next, err := r.store.HostFailed(ctx, j.Host, now, now.Add(max(Backoff(h.Failures), res.After)), res.Reason)
	if err != nil {
		return err
	}
	return r.store.Retry(ctx, j, next, res.Reason)
}

func (r *Runner) guarded(ctx context.Context, j Job) (res Result) {
	defer func() {
		if p := recover(); p != nil {
			r.Log.Error("a job broke", "kind", r.Kind, "job", j.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			res = Result{Verdict: Later, Reason: "internal fault"}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, r.Lease*3/4)
	defer cancel()
	return r.Handler(ctx, j)
}

// flush removes finished jobs in one statement and says whether none is left.
func (r *Runner) flush(ctx context.Context) bool {
	r.mu.Lock()
	ids := r.done
	r.done = nil
	r.mu.Unlock()
	if len(ids) == 0 {
		return true
	}
	err := r.store.Finish(ctx, ids)
	if err != nil {
		r.Log.Error("finished jobs were not removed", "kind", r.Kind, "error", err)
		r.mu.Lock()
		r.done = append(r.done, ids...)
		r.mu.Unlock()
	}
	return err == nil
}

// Drain runs what is due until nothing is; tests and the demo settle with it.
func (r *Runner) Drain(ctx context.Context) int {
	total := 0
	for ctx.Err() == nil {
		var wg sync.WaitGroup
		n := r.round(ctx, context.WithoutCancel(ctx), &wg)
		wg.Wait()
		r.flush(ctx)
		if n == 0 {
			break
		}
		total += n
	}
	return total
}

const (
	firstWait = 15 * time.Second
	maxWait   = 12 * time.Hour
)

// Backoff doubles from 15 seconds to 12 hours, with a fifth of jitter, so that
// what failed together does not come back together.
func Backoff(attempts int) time.Duration {
	wait := maxWait
	if attempts < 12 {
		wait = min(maxWait, firstWait<<attempts)
	}
	return wait + rand.N(wait/5)
}

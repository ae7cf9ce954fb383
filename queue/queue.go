// Package queue keeps durable jobs: claimed under a lease, spread fairly over
// hosts, retried with backoff, parked while a host is down, and never lost.
//
// It does not know what a job means: a Handler does, and its Result says what
// becomes of the job. Rows are written by others inside their own transactions
// through Adder; so a job exists if and only if its cause was committed.
//
//	runner := queue.NewRunner(store, queue.Options{Kind: "deliver", Handler: deliver})
package queue

import (
	"context"
	"time"
)

// Job is one thing to do. NextAt is also the lease: a claimed job has it in the
// future, so a crash needs no rescuer.
type Job struct {
	ID     int64
	Kind   string // which runner takes it
	Host   string // the authority it concerns; "" for work that needs no other server
	Ref    int64  // what it is about, e.g. the activity's id
	Target string // where to, e.g. the inbox
	// Chain keeps order: of the jobs of one kind, chain and target only the oldest
	// runs; the next is due when it is done. Zero is for jobs that may overtake.
	Chain     int64
	Attempts  int // finished attempts
	NextAt    time.Time
	CreatedAt time.Time
	HeldAt    time.Time // zero unless an administrator holds it
	LastError string
}

// Adder writes jobs inside a transaction. A job with the same kind, ref and
// target as a waiting one is written once.
type Adder interface {
	// AddJobs writes jobs that are due at once or at their NextAt, those of a chain after
	// the older ones.
	AddJobs(ctx context.Context, jobs []Job) error
	// DropJobs removes the jobs of a kind about ref that nobody works on, those of one
	// target unless it is "".
	DropJobs(ctx context.Context, kind string, ref int64, target string) error
	// FreeJobs gives back what is claimed: the data come from a backup, and who had
	// claimed it there is gone.
	FreeJobs(ctx context.Context) error
}

// Host is the health of another server, kept while jobs or contacts need it.
type Host struct {
	Name      string
	Failures  int       // in a row
	NextTry   time.Time // parked until then; zero: not parked
	LastOK    time.Time
	LastError string
	HeldAt    time.Time // zero unless an administrator holds what goes there
	Queued    int       // jobs waiting
	OldestAt  time.Time // of the jobs waiting
}

// Kind is how many jobs of one kind wait.
type Kind struct {
	Name             string
	Waiting, Failing int // the failing ones are among those that wait
}

// Store is what the runner needs. Every method is its own transaction.
type Store interface {
	// Claim leases up to limit due jobs of a kind until lease, at most perHost of
	// each host (no bound for jobs without a host), none of a host that is parked or
	// in skip, the longest waiting first and hosts in turns. A claimed job has its
	// lease in NextAt, and nobody else gets it before.
	Claim(ctx context.Context, kind string, now, lease time.Time, limit, perHost int, skip []string) ([]Job, error)
	// Finish removes done or dropped jobs.
	Finish(ctx context.Context, ids []int64) error
	// Retry gives a claimed job back, due at next, with one attempt more. Nothing
	// happens when its lease has passed to somebody else.
	Retry(ctx context.Context, j Job, next time.Time, reason string) error
	// LetPass takes a job out of its chain, so that the next need not wait for it.
	LetPass(ctx context.Context, id int64) error
	// Release gives leased jobs back unchanged, due at once.
	Release(ctx context.Context, ids []int64) error
	// HostFailed parks a host until next, or longer if it was: none of its jobs is
	// due before the time it answers. It counts one failure for a parked host.
	HostFailed(ctx context.Context, host string, now, next time.Time, reason string) (parked time.Time, err error)
	// HostWorked clears failures and parking: what was parked is due at once. Jobs
	// that somebody works on, and jobs that wait longer for themselves, stay as they are.
	HostWorked(ctx context.Context, host string, now time.Time) error
	// HostHeard unparks a host that sent something, and is there again as it seems:
	// once, until a job of it is done. It says whether it did.
	HostHeard(ctx context.Context, host string, now time.Time) (bool, error)
	// Host tells the health of one host; the zero Host with its name if unknown.
	Host(ctx context.Context, host string) (Host, error)
	// NextDue is when the next job of a kind can run; zero if none waits.
	NextDue(ctx context.Context, kind string) (time.Time, error)
}

// Admin is what commands and the console need.
type Admin interface {
	// Hosts lists every host with waiting jobs or a failure.
	Hosts(ctx context.Context) ([]Host, error)
	// Jobs lists waiting jobs of a kind and host, at most limit.
	Jobs(ctx context.Context, kind, host string, limit int) ([]Job, error)
	// JobsOf lists the waiting jobs of a kind that are about one of the refs.
	JobsOf(ctx context.Context, kind string, refs []int64) ([]Job, error)
	// RetryNow makes jobs of a host ("" all) due at once and unparks it; it returns
	// how many. Jobs that somebody works on are left.
	RetryNow(ctx context.Context, host string, now time.Time) (int, error)
	// Hold keeps the jobs of a host back, also those that are added later, until it is
	// called with false; it returns how many wait.
	Hold(ctx context.Context, host string, held bool, now time.Time) (int, error)
	// Drop removes the jobs of a host.
	Drop(ctx context.Context, kind, host string) (int, error)
	// Kinds counts what waits, kind by kind.
	Kinds(ctx context.Context) ([]Kind, error)
	// Failing lists jobs that failed at least once, of all kinds but one, those that are
	// due next first.
	Failing(ctx context.Context, but string, limit int) ([]Job, error)
	// Job finds one job.
	Job(ctx context.Context, id int64) (Job, error)
	// RetryJob makes one job due at once, unless somebody works on it.
	RetryJob(ctx context.Context, id int64, now time.Time) error
}

package federation

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"parley/queue"
	"parley/social"
)

// inParts is what the incoming half keeps. Its maps are bounded.
type inParts struct {
	inbound   *queue.Runner
	backfills *queue.Runner
	flight    singleflight.Group
	bodies    chan struct{} // bounds bodies in memory
	failed    failures
	threads   failures
}

const (
	parallelBodies = 64
	failureLife    = 5 * time.Minute
	failureTable   = 10_000
)

func (in *inParts) init(s *Server) {
	in.bodies = make(chan struct{}, parallelBodies)
	in.failed = failures{life: failureLife, until: map[string]time.Time{}}
	in.threads = failures{life: 15 * time.Minute, until: map[string]time.Time{}}
	in.inbound = queue.NewRunner(s.Queue, queue.Options{Kind: "inbox", Workers: 8, PerHost: 8, Lease: leaseTime, Handler: s.process, Now: s.Now, Log: s.Log})
	in.backfills = queue.NewRunner(s.Queue, queue.Options{Kind: "backfill", Workers: 4, PerHost: 1, Lease: leaseTime, Handler: s.backfill, Now: s.Now, Log: s.Log})
}

// Runners are the workers of both halves; the instance runs them.
func (s *Server) Runners() []*queue.Runner {
	return []*queue.Runner{s.inbound, s.deliveries, s.backfills}
}

// failures remembers for a while what need not be tried again.
type failures struct {
	mu    sync.Mutex
	life  time.Duration
	until map[string]time.Time
}

// fresh says that a key was not noted within its life, and notes it.
func (f *failures) fresh(key string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Before(f.until[key]) {
		return false
	}
	if len(f.until) >= failureTable {
		clear(f.until)
	}
	f.until[key] = now.Add(f.life)
	return true
}

// known says that a key was noted.
func (f *failures) known(key string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.until[key])
}

// reader tells who asks for a document: nobody without a signature, a remote
// actor with a valid one.
func (s *Server) reader(r *http.Request) (social.Reader, error) {
	nobody := social.Nobody(s.Links.Home())
	if len(r.Header.Values("Signature")) == 0 {
		return nobody, nil
	}
	v, err := s.verify(r.Context(), r, nil, "")
	if err != nil {
		return nobody, err
	}
	return s.social.PeerReader(r.Context(), v.peer, v.account)
}

// instanceActor signs what this instance fetches in its own name.
func (s *Server) instanceActor(ctx context.Context) (a *social.Account, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		a, err = tx.AccountByURI(ctx, s.Links.InstanceActor())
		return err
	})
	return a, err
}

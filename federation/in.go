package federation

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"

	"parley/queue"
	"parley/social"
)

// inParts is what the incoming half keeps. Its maps are bounded.
type inParts struct {
	inbound   *queue.Runner
	backfills *queue.Runner
	lookups   *queue.Runner // of threads
	flight    singleflight.Group
	bodies    chan struct{} // bounds small bodies that are worked on
	large     chan struct{} // bounds large ones in memory
	failed    *failures
	down      *failures // servers and keys that did not answer a moment ago
	threads   *failures
	keyLooks  *allowance // fetches of unknown keys, by peer
	newcomers *allowance // new actors, by registrable domain
	answers   *allowance // answered requests, by who asks and for what
	reports   *allowance // by peer
	counts    *queue.Runner
	takebacks *queue.Runner // of what a peer had whose pairing ended
	pairs     *allowance    // tries of codes, by address
	catchUps  *queue.Runner
	passedOn  *allowance // unknown keys of proofs, by who passes them on
	logReads  *allowance // pages of the change log, by who reads
	digests   *allowance // by who asks
	unheard   *allowance // retractions of what was never here, by peer
	syncs     *allowance // comparisons of followers, by whose they are
	peerSyncs *allowance // the same by server
	syncing   *queue.Runner
	filesAt   *places // fetches of files that go on, by server
	refusals  *refusalRows
	fileless  *failures // files that could not be had a moment ago, and their servers
}

const (
	parallelBodies = 64
	largeBodies    = 8 // each with what its parsing takes
	failureLife    = 5 * time.Minute
	downLife       = 15 * time.Second
	threadEvery    = 15 * time.Minute
	keyLooksMinute = 120
	newcomersHour  = 500
	answersHour    = 10
	passedOnMinute = 60
	reportsHour    = 60
	// logReadsMinute pages of the change log are more than a reader of ours asks for.
	logReadsMinute = 900
	logReadsWindow = time.Minute
	// A digest reads all that there is.
	digestsHour   = 30
	digestsWindow = time.Hour
	unheardHour   = 2000
	// inboundWorkers mostly wait: for the writer, or for another server to answer.
	inboundWorkers = 32
	// A file is in memory while it is fetched, and a slow server must leave places to
	// the others.
	parallelFiles = 8
	filesEach     = 2
	filelessLife  = time.Minute
)

func (in *inParts) init(s *Server) {
	in.bodies, in.large = make(chan struct{}, parallelBodies), make(chan struct{}, largeBodies)
	in.failed, in.down, in.threads = newFailures(failureLife), newFailures(downLife), newFailures(threadEvery)
	in.keyLooks, in.newcomers = newAllowance(keyLooksMinute, time.Minute), newAllowance(newcomersHour, time.Hour)
	in.answers, in.reports = newAllowance(answersHour, time.Hour), newAllowance(reportsHour, time.Hour)
	in.counts = queue.NewRunner(s.Queue, queue.Options{Kind: social.CountsJob, Workers: 2, PerHost: 2, Lease: leaseTime, Handler: s.tellCounts, Now: s.Now, Log: s.Log})
	in.catchUps = queue.NewRunner(s.Queue, queue.Options{Kind: catchUpJob, Workers: catchUpWorkers, PerHost: 1, Lease: catchUpLease, Handler: s.catchUp, Now: s.Now, Log: s.Log})
	in.takebacks = queue.NewRunner(s.Queue, queue.Options{Kind: social.TakeBackJob, Workers: 1, PerHost: 1, Lease: leaseTime, Handler: s.takeBack, Now: s.Now, Log: s.Log})
	in.pairs = newAllowance(pairsMinute, time.Minute)
	in.filesAt, in.fileless = newPlaces(parallelFiles, filesEach), newFailures(filelessLife)
	in.refusals = newRefusalRows()
	in.syncs, in.peerSyncs = newAllowance(syncsHour, time.Hour), newAllowance(peerSyncsHour, time.Hour)
	in.syncing = queue.NewRunner(s.Queue, queue.Options{Kind: syncJob, Workers: 2, PerHost: 1, Lease: leaseTime, Handler: s.synchronize, Now: s.Now, Log: s.Log})
	in.passedOn = newAllowance(passedOnMinute, time.Minute)
	in.logReads = newAllowance(logReadsMinute, logReadsWindow)
	in.digests = newAllowance(digestsHour, digestsWindow)
	in.unheard = newAllowance(unheardHour, time.Hour)
	in.inbound = queue.NewRunner(s.Queue, queue.Options{Kind: "inbox", Workers: inboundWorkers, PerHost: inboundWorkers, Lease: leaseTime, Patience: 1, Handler: s.process, Now: s.Now, Log: s.Log})
	in.backfills = queue.NewRunner(s.Queue, queue.Options{Kind: "backfill", Workers: 4, PerHost: 1, Lease: leaseTime, Handler: s.backfill, Now: s.Now, Log: s.Log})
	in.lookups = queue.NewRunner(s.Queue, queue.Options{Kind: "thread", Workers: 4, PerHost: 4, Lease: leaseTime, Handler: s.lookUpThread, Now: s.Now, Log: s.Log})
}

// Runners are the workers of both halves; the instance runs them.
func (s *Server) Runners() []*queue.Runner {
	return []*queue.Runner{s.inbound, s.deliveries, s.backfills, s.lookups, s.counts, s.catchUps, s.syncing, s.takebacks}
}

// reader tells who asks for a document: nobody without a signature, a remote
// actor with a valid one.
func (s *Server) reader(r *http.Request) (social.Reader, error) {
	nobody := social.Nobody(s.Links.Home())
	if a := askingIn(r.Context()); a != nil {
		return s.pairedReader(r, a)
	}
	if len(r.Header.Values("Signature")) == 0 {
		return s.programReader(r)
	}
	v, err := s.verify(withBudget(r.Context(), keyFetches), r, nil, nil)
	if err != nil {
		peer := s.claimed(r, "")
		s.Log.Info("request refused", "peer", peer, "remote", r.RemoteAddr, "path", r.URL.Path, "reason", err.Error())
		s.auditRefusal(r, social.AuditFetch, s.Links.PublicURL+r.URL.RequestURI(), peer, err)
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

// tellCounts is the handler of jobs that tell a poll's counts.
func (s *Server) tellCounts(ctx context.Context, j queue.Job) queue.Result {
	if err := s.social.TellCounts(ctx, social.ID(j.Ref)); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	return queue.Result{Verdict: queue.Done}
}

// takeBack is the handler of jobs that take back what a peer had.
func (s *Server) takeBack(ctx context.Context, j queue.Job) queue.Result {
	if err := s.social.TakeBack(ctx, j.Target); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	return queue.Result{Verdict: queue.Done}
}

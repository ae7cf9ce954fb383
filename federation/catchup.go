package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"parley/activitypub"
	"parley/queue"
	"parley/social"
)

// This file reads the change logs of sisters and partners, so that what was missed
// arrives: after an outage, a restore, or a queue that an administrator emptied.

const (
	catchUpJob = "catchup"
	// catchUpWorkers bounds how many logs are read at once, however many are due.
	catchUpWorkers = 4
	catchUpLease   = 10 * time.Minute
	// runPages and runFetches bound one run; the rest comes with the next.
	runPages   = 100
	runFetches = 1000
	runTime    = 20 * time.Second // a stop of the instance waits no longer than that
	pageItems  = 200
	maxGaps    = 16
	// logPages is where a log is taken for one without an end.
	logPages = 20_000

	catchUpEvery  = time.Hour        // when nothing is left to read
	catchUpSoon   = 10 * time.Second // when something is
	catchUpWait   = time.Minute      // for other peers, after a restore
	catchUpNoLog  = 24 * time.Hour   // when there is no log
	catchUpMost   = 12 * time.Hour   // between attempts that fail
	beginAnewMost = 10 * time.Minute // between new beginnings of a log
	// itemTries is how often the reading stops at an item that fails for a reason that
	// may pass, before it goes on without.
	itemTries = 8
)

// OrderCatchUps makes a job for each log that is due.
func (s *Server) OrderCatchUps(ctx context.Context) error {
	return s.Store.Tx(ctx, func(tx social.Tx) error {
		peers, err := tx.DueCatchUps(ctx, s.Now(), 100)
		if err != nil || len(peers) == 0 {
			return err
		}
		jobs := make([]queue.Job, 0, len(peers))
		for _, p := range peers {
			jobs = append(jobs, queue.Job{Kind: catchUpJob, Target: p})
		}
		tx.AfterCommit(s.catchUps.Wake)
		return tx.AddJobs(ctx, jobs)
	})
}

// CatchUpNow reads the log of a peer, or of all with "", as soon as there is room: we
// were away, or they were.
func (s *Server) CatchUpNow(ctx context.Context, peer string) error {
	if err := s.Store.Tx(ctx, func(tx social.Tx) error { return tx.HastenCatchUps(ctx, peer, s.Now()) }); err != nil {
		return err
	}
	return s.OrderCatchUps(ctx)
}

// catchUp is the handler of these jobs. When it is due again stands with the log's
// state, so the job itself is always done.
func (s *Server) catchUp(ctx context.Context, j queue.Job) queue.Result {
	r := &logRun{Server: s, peer: j.Target, pages: runPages, seen: map[string]bool{}}
	ctx = withBudget(ctx, runFetches)
	if err := s.Store.View(ctx, func(tx social.Tx) (err error) { r.state, err = tx.CatchUp(ctx, j.Target); return err }); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	zone, err := s.social.Zone(ctx, j.Target)
	admitted := zone.Kind == social.ZoneCompany || zone.Kind == social.ZonePartner
	if r.zone = zone; err == nil && admitted {
		err = r.read(ctx)
	}
	if err := r.end(context.WithoutCancel(ctx), err); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	return queue.Result{Verdict: queue.Done}
}

// logRun is one run over the log of a peer.
type logRun struct {
	*Server
	peer  string
	zone  social.Zone
	state social.CatchUp
	rows  []social.AuditRow // of items, not written yet
	pages int               // that may still be read
	seen  map[string]bool   // pages of this run
	moved bool              // a page was taken
	waits bool              // for other peers, before it goes on with what is ours
	fresh int               // items that were news
}

// logDocument is a page as it came; its items are parsed one by one.
type logDocument struct {
	Epoch string            `json:"epoch"`
	Head  string            `json:"head"`
	Next  string            `json:"next"`
	Items []json.RawMessage `json:"orderedItems"`
}

var (
	errNoLog     = &social.Error{Kind: social.NotFound, Public: "it keeps no change log"}
	errLogLoops  = &social.Error{Kind: social.Invalid, Public: "its change log goes in circles"}
	errLogFlaps  = &social.Error{Kind: social.Invalid, Public: "its change log begins anew too often"}
	errLogEnds   = &social.Error{Kind: social.Invalid, Public: "its change log does not end"}
	errLogMore   = &social.Error{Kind: social.Unavailable, Public: "more is to be read"}
	errLogAbsurd = &social.Error{Kind: social.Invalid, Public: "its change log cannot be read"}
)

// read takes the newest first: what came since the last run, then what was left of
// earlier ones. The state is written after each page, so a run may end anywhere.
func (r *logRun) read(ctx context.Context) error {
	began := time.Now()
	actor, err := r.account(ctx, r.actorOf(r.peer))
	switch social.KindOf(err) {
	case social.NotFound, social.Invalid, social.Gone:
		return errNoLog
	}
	if err != nil {
		return err
	}
	if err := r.reclaim(ctx, actor); err != nil {
		return err
	}
	page, err := r.page(ctx, social.Gap{After: r.state.Top})
	if err != nil {
		return err
	}
	if page.Epoch != r.state.Epoch {
		if page, err = r.beginAnew(ctx, page); err != nil {
			return err
		}
	}
	if err := r.take(ctx, page); err != nil {
		return err
	}
	if rest, ok := r.rest(page, r.state.Top); ok {
		r.state.Gaps = merged(append([]social.Gap{rest}, r.state.Gaps...))
	}
	if page.Head != "" {
		r.state.Top = page.Head
	}
	for err = r.save(ctx); err == nil && len(r.state.Gaps) > 0 && r.pages > 0 && time.Since(began) < runTime; err = r.save(ctx) {
		if err = r.closeGap(ctx); err != nil {
			return err
		}
	}
	return err
}

// beginAnew forgets what was read of a log that begins another epoch: it may have been
// restored, or may tell us other things than before. What is here stays.
func (r *logRun) beginAnew(ctx context.Context, page *logDocument) (*logDocument, error) {
	had := r.state.Top
	if r.state.Epoch != "" && r.Now().Sub(r.state.StartedAt) < beginAnewMost {
		return nil, errLogFlaps
	}
	r.Log.Info("a change log is read from its start", "peer", r.peer, "epoch", page.Epoch, "before", r.state.Epoch)
	r.state.Epoch, r.state.StartedAt, r.state.Top, r.state.Gaps = page.Epoch, r.Now(), "", nil
	r.state.Pages, r.state.Items, r.state.Refused = 0, 0, 0
	if had == "" {
		return page, nil
	}
	return r.page(ctx, social.Gap{})
}

// closeGap reads one page of the newest gap.
func (r *logRun) closeGap(ctx context.Context) error {
	gap := r.state.Gaps[0]
	page, err := r.page(ctx, gap)
	if err != nil {
		return err
	}
	if page.Epoch != r.state.Epoch {
		return social.Errorf(social.Unavailable, "its change log began anew")
	}
	if err := r.take(ctx, page); err != nil {
		return err
	}
	rest, more := r.rest(page, gap.After)
	if more {
		r.state.Gaps[0] = rest
	} else {
		r.state.Gaps = r.state.Gaps[1:]
	}
	return nil
}

// page fetches a part of the log, from the peer itself.
func (r *logRun) page(ctx context.Context, gap social.Gap) (*logDocument, error) {
	address := r.actorOf(r.peer) + "/outbox?page=true&after=" + url.QueryEscape(gap.After)
	if gap.UpTo != "" {
		address += "&upto=" + url.QueryEscape(gap.UpTo)
	}
	return r.fetchPage(ctx, address)
}

// fetchPage gets a page of whatever the peer tells, once in a run.
func (r *logRun) fetchPage(ctx context.Context, address string) (*logDocument, error) {
	if r.seen[address] {
		return nil, errLogLoops
	}
	if r.state.Pages >= logPages {
		r.state.Gaps = nil
		return nil, errLogEnds
	}
	r.seen[address] = true
	r.pages--
	r.state.Pages++
	res, err := r.document(ctx, 0, address)
	switch {
	case social.KindOf(err) == social.NotFound:
		return nil, errNoLog
	case err != nil:
		return nil, err
	case !activitypub.SameAuthority(res.URL, address):
		return nil, errLogAbsurd
	}
	page := &logDocument{}
	if err := json.Unmarshal(res.Body, page); err != nil || len(page.Items) > pageItems || len(page.Epoch) > 100 || len(page.Head) > 200 {
		return nil, errLogAbsurd
	}
	if page.Epoch == "" {
		return nil, errNoLog
	}
	return page, nil
}

// rest is what a page leaves of its gap. Only the place below is taken from the
// address: where a log is, we know ourselves.
func (r *logRun) rest(page *logDocument, after string) (social.Gap, bool) {
	if page.Next == "" {
		return social.Gap{}, false
	}
	next, err := url.Parse(page.Next)
	if err != nil {
		return social.Gap{}, false
	}
	upTo := next.Query().Get("upto")
	return social.Gap{After: after, UpTo: upTo}, upTo != "" && len(upTo) <= 200
}

// merged keeps the list of gaps short: the two oldest become one, with what was read
// between them.
func merged(gaps []social.Gap) []social.Gap {
	if n := len(gaps); n > maxGaps {
		gaps[n-2] = social.Gap{After: gaps[n-1].After, UpTo: gaps[n-2].UpTo}
		gaps = gaps[:n-1]
	}
	return gaps
}

func (r *logRun) save(ctx context.Context) error {
	r.moved = true
	return r.write(ctx)
}

// write keeps the state, and what was decided about the items since.
func (r *logRun) write(ctx context.Context) error {
	err := r.Store.Tx(ctx, func(tx social.Tx) error {
		for _, row := range r.rows {
			if err := tx.AppendAudit(ctx, row); err != nil {
				return err
			}
		}
		return tx.PutCatchUp(ctx, r.state)
	})
	if err == nil {
		r.rows = nil
	}
	return err
}

// decided notes for the audit rows what became of an item. Refusals have a bound, as
// those of requests.
func (r *logRun) decided(e logEntry, refused error) {
	row := social.AuditRow{At: r.Now(), Kind: social.AuditReceive, Subject: e.in.URI, Peer: r.peer, Zone: r.zone.String(), Rule: "change log", Result: social.AuditAllowed}
	if p, ok := e.o.Embedded("proof"); ok {
		row.Key = p.Ref("verificationMethod")
	}
	if refused != nil {
		if !r.refusals.take(r.peer, r.zone, r.Now()) {
			return
		}
		row.Result, row.Cause = social.AuditRefused, publicCause(refused)
	}
	r.rows = append(r.rows, row)
}

// end notes how a run ended and when the next is due.
func (r *logRun) end(ctx context.Context, err error) error {
	c, now := &r.state, r.Now()
	if r.moved {
		c.Failures = 0
	}
	c.LastError = ""
	switch {
	case err == nil && r.waits:
		c.NextAt = now.Add(catchUpWait)
	case err == nil && len(c.Gaps) == 0:
		c.Pages = 0
		c.DoneAt, c.NextAt = now, now.Add(catchUpEvery-catchUpEvery/10+rand.N(catchUpEvery/5))
	case err == nil && r.fresh == 0: // nothing new in so many pages: there is no hurry
		c.NextAt = now.Add(catchUpEvery)
	case err == nil, errors.Is(err, errLogMore):
		c.NextAt = now.Add(catchUpSoon)
	case errors.Is(err, errNoLog): // or we stand in no zone there yet
		c.NextAt, c.LastError = now.Add(min(catchUpNoLog, 10*time.Minute<<min(c.Failures, 8))), err.Error()
		c.Failures++
	default:
		wait := min(catchUpMost, time.Minute<<min(c.Failures, 12))
		var said *social.Error
		if errors.As(err, &said) {
			wait = max(wait, said.RetryAfter)
		}
		if errors.Is(err, errLogFlaps) || errors.Is(err, errLogLoops) || errors.Is(err, errLogEnds) {
			wait = max(wait, catchUpEvery)
		}
		c.NextAt, c.LastError = now.Add(wait+rand.N(wait/5+time.Second)), clip(err.Error(), 300)
		c.Failures++
		r.Log.Info("a change log was not read to its end", "peer", r.peer, "reason", err)
	}
	return r.write(ctx)
}

// take applies the items of a page, the oldest first, so that what belongs together
// finds each other.
func (r *logRun) take(ctx context.Context, page *logDocument) error {
	items, err := r.open(ctx, page)
	if err != nil {
		return err
	}
	for i := len(items) - 1; i >= 0; i-- {
		err := r.takeOne(ctx, items[i])
		switch {
		case err == nil:
			r.state.Items++
			r.fresh++
			r.decided(items[i], nil)
		case transient(err) && r.state.Failures < itemTries:
			return fmt.Errorf("%s: %w", items[i].in.URI, err)
		default:
			r.state.Refused++
			r.decided(items[i], err)
			r.Log.Info("an item of a change log was not taken", "peer", r.peer, "item", clip(items[i].in.URI, 300), "reason", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

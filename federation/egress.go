package federation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/outbound"
	"parley/queue"
	"parley/social"
)

const (
	// leaseTime is longer than an attempt with all its tries.
	leaseTime = 2 * time.Minute
	// publicLife is how long a delivery to a peer of the zone public is tried;
	// sisters and partners are never given up.
	publicLife = 30 * 24 * time.Hour
)

// deliver is the handler of delivery jobs.
func (s *Server) deliver(ctx context.Context, j queue.Job) queue.Result {
	d, err := s.decide(ctx, j)
	if err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	if d.bond != nil && d.bond.parked() {
		return queue.Result{Verdict: queue.HostDown, Reason: parkedReason}
	}
	if d.refused != "" {
		s.Log.Info("delivery not sent", "peer", j.Host, "activity", j.Ref, "reason", d.refused)
		if err := s.Store.Tx(ctx, func(tx social.Tx) error { return s.giveUp(ctx, tx, j, d, social.StateDropped, d.refused) }); err != nil {
			return queue.Result{Verdict: queue.Later, Reason: err.Error()}
		}
		s.Meter.Delivered(zoneLabel(d.zone), "kept_back")
		return queue.Result{Verdict: queue.Done, Reason: d.refused}
	}
	if d.sync, err = s.followersAt(ctx, d.post, j.Host); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	result := s.egress(ctx, j, d)
	s.Meter.Delivered(zoneLabel(d.zone), outcome(result))
	return result
}

// zoneLabel is a zone as one of a few words: partners are not told apart.
func zoneLabel(z social.Zone) string { return cmp.Or(string(z.Kind), "unknown") }

// outcome is what came of an attempt, in a word for measurements.
func outcome(r queue.Result) string {
	switch {
	case r.Reason == "":
		return "sent"
	case r.Verdict == queue.Done:
		return "given_up"
	}
	return "failed"
}

// decision is what may leave, or why it may not.
type decision struct {
	refused  string
	rule     string // what decided
	activity *social.Activity
	peer     social.Peer
	zone     social.Zone
	bond     *bond // nil of a peer that is not paired
	post     *social.Post
	sync     string        // value of the header that compares followers; "" for none
	open     bool          // it goes unsealed all the same
	reader   social.Reader // the peer as a whole
}

// parkedReason is what administrators read of deliveries that wait.
const parkedReason = "parked: somebody else answered at its address; see parley peer list"

// decide asks again, at this moment, whether this inbox may have this activity:
// the peer's zone now, the post's audience now, the person's mention. A
// retraction may leave if and only if the peer has what it takes back, whatever
// its zone became.
func (s *Server) decide(ctx context.Context, j queue.Job) (d decision, err error) {
	err = s.Store.Tx(ctx, func(tx social.Tx) error {
		d = decision{}
		if d.activity, err = tx.Activity(ctx, social.ID(j.Ref)); err != nil {
			return err
		}
		if d.peer, err = tx.Peer(ctx, j.Host); err != nil {
			return err
		}
		if d.bond, err = s.bondIn(ctx, tx, j.Host); err != nil || d.bond != nil && d.bond.parked() {
			return err // what waits is judged when it can go
		}
		d.reader = s.social.ReaderAt(d.peer, nil)
		d.zone = d.reader.Zone
		if err := s.weigh(ctx, tx, j, &d); err != nil {
			return err
		}
		return s.auditSend(ctx, tx, j, &d)
	})
	return d, err
}

func (s *Server) weigh(ctx context.Context, tx social.Tx, j queue.Job, d *decision) error {
	switch {
	case d.activity.Retraction:
		d.rule = "retraction"
		return s.decideRetraction(ctx, tx, j, d)
	case d.activity.Verb == social.VerbUnpair && d.peer.Zone.Kind != social.ZoneBlocked:
		d.rule = "pairing" // that it ended may be told, whatever the zone became
		if d.peer.Pairing == social.PairingActive {
			d.refused = "the two are paired again"
		}
		return nil
	case d.zone.Kind == social.ZoneBlocked:
		d.rule, d.refused = "zone", "the peer's zone does not allow it"
		return nil
	case d.activity.Verb == social.VerbPeople:
		d.rule = "directory"
		return s.decidePeople(ctx, tx, j, d)
	case d.activity.Verb == social.VerbRoster:
		// Passed on by a new member, it is for those who have not heard of that one and
		// open nothing that it sealed. The keeper's proof is in it.
		r, err := s.social.Roster(ctx, tx)
		d.rule, d.open = "pairing", r == nil || r.Keeper != s.Links.Home()
		return err
	case d.activity.PostID == 0:
		d.rule = "account"
		return s.decideActor(ctx, tx, d)
	}
	return s.decidePost(ctx, tx, j, d)
}

func (s *Server) decideRetraction(ctx context.Context, tx social.Tx, j queue.Job, d *decision) error {
	receipts, err := tx.Receipts(ctx, d.activity.ObjectURI, j.Host)
	if err != nil {
		return err
	}
	if len(receipts) == 0 {
		d.refused = "the peer never had what this takes back"
		return nil
	}
	if d.activity.Verb != social.VerbNarrow && d.activity.Verb != social.VerbPass {
		return nil
	}
	p, err := tx.Post(ctx, d.activity.PostID)
	if err != nil || p.Deleted() {
		return err
	}
	// A suspension of the author ends, and says nothing about who may see the post.
	reader := d.reader
	reader.System = true
	keeps, err := s.social.VisibleTo(ctx, tx, reader, p)
	if keeps {
		d.refused = "the peer may have it, now or still"
	}
	return err
}

// decideActor keeps back what is about no post when its author was suspended, but for
// the news that they left.
func (s *Server) decideActor(ctx context.Context, tx social.Tx, d *decision) error {
	actor, err := tx.Account(ctx, d.activity.ActorID)
	if err == nil && !actor.SuspendedAt.IsZero() && actor.DeletedAt.IsZero() {
		d.refused = "its author is suspended"
	}
	if err != nil || d.refused != "" || actor.Kind != social.KindGroup || d.activity.Verb != social.VerbProfile && d.activity.Verb != social.VerbPin && d.activity.Verb != social.VerbUnpin {
		return err
	}
	shown, err := s.social.Shows(ctx, tx, d.reader, actor)
	if err == nil && !shown {
		d.refused = "the community does not reach the peer"
	}
	return err
}

func (s *Server) decidePost(ctx context.Context, tx social.Tx, j queue.Job, d *decision) error {
	p, err := tx.Post(ctx, d.activity.PostID)
	if err != nil {
		return err
	}
	d.rule = ruleOf(p)
	reader := d.reader
	if d.activity.Verb == social.VerbEdit || d.activity.Verb == social.VerbPollCount {
		// What it has from before it joined stays true.
		had, err := tx.HaveReceipts(ctx, j.Host, []string{p.URI})
		if err != nil {
			return err
		}
		if had[p.URI] {
			reader = reader.AsHad()
		}
	}
	ok, err := s.social.VisibleTo(ctx, tx, reader, p)
	if err != nil {
		return err
	}
	if ok && p.Audience.Kind == social.AudienceDirect {
		if ok, err = named(ctx, tx, p, j.Target); err != nil {
			return err
		}
	}
	if ok && d.activity.Verb == social.VerbPass {
		if ok, err = s.decidePass(ctx, tx, reader, d.activity); err != nil {
			return err
		}
	}
	if !ok {
		d.refused = "the audience does not include the peer"
		return nil
	}
	if p.EditedAt.After(d.activity.CreatedAt) {
		if err := s.renew(ctx, tx, d.activity, p); err != nil {
			return err
		}
	}
	d.post = p
	// Written before sending: if the answer is lost, a retraction must still follow.
	return tx.PutReceipt(ctx, social.Receipt{ObjectURI: d.activity.ObjectURI, PostID: p.ID, Peer: j.Host, Inbox: j.Target, How: social.ReceiptSent, At: s.Now()})
}

// renew gives a late activity the post's present state: others do not take an edit
// of an old post that they never had, so its creation has to bring it.
func (s *Server) renew(ctx context.Context, tx social.Tx, a *social.Activity, p *social.Post) error {
	if a.Verb == social.VerbPass {
		return s.renewPass(ctx, tx, a, p)
	}
	if a.Verb != social.VerbCreate && a.Verb != social.VerbEdit {
		return nil
	}
	author, err := tx.Account(ctx, p.AuthorID)
	if err != nil {
		return err
	}
	o, _, err := s.activity(ctx, tx, a.ID, social.Change{Verb: a.Verb, Actor: author, Post: p, At: a.CreatedAt})
	if err != nil {
		return err
	}
	a.Body, err = s.prove(ctx, tx, author.ID, o)
	return err
}

// named says that an inbox is the personal one of somebody the post names.
func named(ctx context.Context, tx social.Tx, p *social.Post, inbox string) (bool, error) {
	var ids []social.ID
	for _, m := range p.Mentions {
		ids = append(ids, m.AccountID)
	}
	people, err := tx.Accounts(ctx, ids)
	for _, a := range people {
		if a.InboxURI == inbox {
			return true, err
		}
	}
	return false, err
}

// egress sends to another server. It signs afresh in the dialect learnt for the peer
// and as the peer asks when that is refused; after an accepted request it never sends
// again. A paired peer is sent to in one way only.
func (s *Server) egress(ctx context.Context, j queue.Job, d decision) queue.Result {
	if d.bond != nil && !d.open {
		return s.egressSealed(ctx, j, d)
	}
	key, err := s.signingKey(ctx, d.activity.ActorID)
	if err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	tries := httpsig.NewTries(httpsig.ParseDialect(d.peer.Dialect))
	for {
		res, err := s.send(ctx, j.Target, d.activity.Body, func(r *http.Request) error {
			d.synchronize(r)
			return tries.Sign(r, d.activity.Body, key, s.Now())
		})
		if err != nil || !tries.Again(res.Status, res.Header) {
			return s.settle(ctx, j, d, s.judge(j, d, res, err), res, tries.Dialect())
		}
	}
}

// egressSealed sends what only the holder of the pinned keys can read. That it arrived
// is the word of these keys too: whoever takes it without them parks the peer.
func (s *Server) egressSealed(ctx context.Context, j queue.Job, d decision) queue.Result {
	u, err := url.Parse(j.Target)
	if err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	body, token, err := d.bond.seal(d.activity.Body, d.bond.to(seal.Delivery, target(u), nil))
	if err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	res, err := s.send(ctx, j.Target, body, func(r *http.Request) error {
		r.Header.Set("Content-Type", seal.MediaType)
		if err := d.synchronizeSealed(r, target(u)); err != nil {
			return err
		}
		_, err := d.bond.sign(r, body, "", s.Now())
		return err
	})
	result := s.judge(j, d, res, err)
	if err == nil && res.Status/100 == 2 && !token.Acknowledged(res.Body, d.activity.URI) {
		if result = (queue.Result{Verdict: queue.Later, Reason: "the acknowledgement broke off"}); !res.Cut {
			s.suspect(ctx, d.bond, fmt.Sprintf("a delivery was answered %d without the acknowledgement that needs the pinned keys", res.Status))
			result = queue.Result{Verdict: queue.HostDown, Reason: parkedReason}
		}
	}
	return s.settle(ctx, j, d, result, res, httpsig.RFC9421)
}

// send is the only code that POSTs to another server.
func (s *Server) send(ctx context.Context, address string, body []byte, sign func(*http.Request) error) (*outbound.Response, error) {
	return s.Client.Post(ctx, address, body, sign)
}

// settle notes what an attempt taught about the peer and says what becomes of the job.
func (s *Server) settle(ctx context.Context, j queue.Job, d decision, result queue.Result, res *outbound.Response, dialect httpsig.Dialect) queue.Result {
	if res != nil {
		s.clocks.note(j.Host, res, s.Now())
	}
	touch := social.PeerTouch{Authority: j.Host}
	arrived := result.Reason == ""
	if arrived {
		touch.OutAt, touch.Dialect = s.Now(), dialect.String()
		if err := s.Queue.HostWorked(ctx, j.Host, s.Now()); err != nil {
			s.Log.Warn("peer health not noted", "peer", j.Host, "error", err)
		}
	} else {
		touch.Error = result.Reason
		s.Log.Info("delivery failed", "peer", j.Host, "activity", j.Ref, "reason", result.Reason)
	}
	if arrived && d.activity.Verb != social.VerbEdit && !d.activity.Retraction && d.activity.Verb != social.VerbNewKeys && d.peer.LastError == "" && d.peer.Dialect == touch.Dialect && s.Now().Sub(d.peer.LastOutAt) < time.Minute {
		return result // nothing new: spare the write
	}
	if err := s.Store.Tx(ctx, func(tx social.Tx) error {
		if err := s.noteEnd(ctx, tx, j, d, res, result); err != nil {
			return err
		}
		return tx.TouchPeer(ctx, touch)
	}); err != nil {
		s.Log.Warn("the result of a delivery was not noted", "peer", j.Host, "error", err)
	}
	return result
}

// noteEnd keeps for the author what became of a delivery that has ended.
func (s *Server) noteEnd(ctx context.Context, tx social.Tx, j queue.Job, d decision, res *outbound.Response, result queue.Result) error {
	switch {
	case result.Verdict != queue.Done:
		return nil
	case result.Reason != "" && res != nil && res.Status >= 400 && res.Status < 500:
		return s.giveUp(ctx, tx, j, d, social.StateRefused, result.Reason)
	case result.Reason != "":
		return s.giveUp(ctx, tx, j, d, social.StateDropped, "given up: "+result.Reason)
	case d.activity.Verb == social.VerbNewKeys:
		return s.social.KeysTold(ctx, tx, j.Host)
	case d.activity.ObjectURI != "" && d.activity.Retraction:
		return tx.TakenBack(ctx, d.activity.ObjectURI, j.Host, s.Now())
	case d.activity.Verb == social.VerbEdit:
		return tx.DropRefusal(ctx, d.activity.PostID, j.Target) // it brought the whole post
	}
	return nil
}

// giveUp notes that a post did not arrive. What changes or takes back a post finds it
// there or not, and says nothing about that.
func (s *Server) giveUp(ctx context.Context, tx social.Tx, j queue.Job, d decision, state social.RefusalState, reason string) error {
	if d.activity.PostID == 0 || d.activity.Verb != social.VerbCreate && d.activity.Verb != social.VerbBoost && d.activity.Verb != social.VerbPass {
		return nil
	}
	return tx.PutRefusal(ctx, social.Refusal{PostID: d.activity.PostID, Peer: j.Host, Inbox: j.Target, State: state, Reason: reason, At: s.Now()})
}

// judge says what becomes of a delivery. One to a sister or partner is tried until
// it arrives, the peer says that the inbox is gone, or an administrator drops it;
// one to the public zone until publicLife is over or the peer says that it does not
// want it. A paired peer says so sealed or not at all: a bare status is anybody's.
func (s *Server) judge(j queue.Job, d decision, res *outbound.Response, err error) queue.Result {
	patient := d.bond != nil && d.bond.State != social.PairingLeft || d.zone.Kind == social.ZoneCompany || d.zone.Kind == social.ZonePartner
	giveUp := !patient && s.Now().Sub(j.CreatedAt) > publicLife
	if err != nil {
		return failed(err, giveUp)
	}
	reason := fmt.Sprintf("answered %d", res.Status)
	wait := retryAfter(res.Header, s.Now())
	switch {
	case res.Status >= 200 && res.Status < 300:
		return queue.Result{Verdict: queue.Done}
	case res.Status == http.StatusGone && d.bond == nil || giveUp:
		return queue.Result{Verdict: queue.Done, Reason: reason}
	case res.Status == http.StatusTooManyRequests || res.Status == http.StatusServiceUnavailable:
		return queue.Result{Verdict: queue.HostDown, After: wait, Reason: reason}
	case res.Status >= 500 || res.Status < 400 || res.Status == http.StatusUnauthorized || res.Status == http.StatusRequestTimeout || patient:
		return queue.Result{Verdict: queue.Later, After: wait, Reason: reason}
	}
	return queue.Result{Verdict: queue.Done, Reason: reason}
}

// failed is for a delivery without an answer. Of whatever kind the failure is, it
// is one of the host, and it passes: an address that we refuse may be the fault of
// a resolver or of our configuration, and be right tomorrow. Only what is not the
// client's error, such as of signing, concerns this delivery alone.
func failed(err error, giveUp bool) queue.Result {
	r := queue.Result{Verdict: queue.Later, Reason: err.Error()}
	var outside *outbound.Error
	switch {
	case giveUp:
		r.Verdict = queue.Done
	case errors.As(err, &outside):
		r.Verdict = queue.HostDown
	}
	return r
}

// retryAfter reads both forms of the header (RFC 9110 10.2.3), at most a day.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	wait := time.Duration(0)
	if n, err := strconv.Atoi(v); err == nil {
		wait = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		wait = t.Sub(now)
	}
	return max(0, min(wait, 24*time.Hour))
}

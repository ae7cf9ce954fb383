package federation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/queue"
	"parley/social"
)

// auditSend notes what egress decided about one attempt.
func (s *Server) auditSend(ctx context.Context, tx social.Tx, j queue.Job, d *decision) error {
	r := social.AuditRow{At: s.Now(), Kind: social.AuditSend, Subject: cmp.Or(d.activity.ObjectURI, d.activity.URI), Peer: j.Host, Zone: d.zone.String(), Rule: d.rule,
		Result: social.AuditAllowed, Cause: d.refused}
	if d.refused != "" {
		r.Result = social.AuditRefused
	}
	actor, err := tx.Account(ctx, d.activity.ActorID)
	if err != nil {
		return err
	}
	if r.Key = s.Links.MainKey(actor.URI); d.bond != nil {
		r.Key = d.bond.key.ID
	}
	return tx.AppendAudit(ctx, r)
}

// ruleOf names the audience, and the ceiling where there is one, that let a reader in
// or did not.
func ruleOf(p *social.Post) string {
	if p.Ceiling.IsZero() || p.Ceiling == p.Audience {
		return p.Audience.Label()
	}
	return p.Audience.Label() + " within " + p.Ceiling.Label()
}

// limitedRules names what let a reader have posts that are not for everybody; "" when
// there are none among them.
func limitedRules(posts []*social.Post) string {
	var rules []string
	for _, p := range posts {
		if p.Audience.Everybody() && (p.Ceiling.IsZero() || p.Ceiling.Everybody()) {
			continue
		}
		if rule := ruleOf(p); !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	return strings.Join(rules, ", ")
}

// auditFetch notes that a server is given what is not for everybody.
func (s *Server) auditFetch(tx social.Tx, r *http.Request, reader social.Reader, rules string) error {
	return tx.AppendAudit(r.Context(), social.AuditRow{At: s.Now(), Kind: social.AuditFetch, Subject: s.Links.PublicURL + r.URL.RequestURI(), Peer: reader.Peer,
		Zone: reader.Zone.String(), Rule: rules, Key: s.claimedKey(r), Result: social.AuditAllowed})
}

// AuditFile notes that a server got a file of a post that is not for everybody, or was
// refused one. Without the row the file is not given out.
func (s *Server) AuditFile(r *http.Request, reader social.Reader, post social.ID, refused error) error {
	if reader.Peer == "" {
		return nil
	}
	if refused != nil {
		s.auditRefusal(r, social.AuditFetch, s.Links.PublicURL+r.URL.RequestURI(), reader.Peer, refused)
		return nil
	}
	rules := ""
	err := s.Store.View(r.Context(), func(tx social.Tx) error {
		found, err := tx.Posts(r.Context(), []social.ID{post})
		if p := found[post]; p != nil {
			rules = limitedRules([]*social.Post{p})
		}
		return err
	})
	if err != nil || rules == "" {
		return err
	}
	return s.Store.Tx(r.Context(), func(tx social.Tx) error { return s.auditFetch(tx, r, reader, rules) })
}

// claimedKey is the key that a request names; whether it signed is for others to say.
func (s *Server) claimedKey(r *http.Request) string {
	sig, err := httpsig.Inspect(r, s.Links.PublicURL, s.Now())
	if err != nil {
		return ""
	}
	return sig.KeyID
}

const (
	refusalsHour    = 60  // rows of refusals of one server that we know
	strangersHour   = 300 // of all others together
	strangerOneHour = 20  // of one of them
)

// refusalRows bounds the rows that others can cause by what is refused: whoever asks
// without end fills no disk, and cannot keep out the rows about sisters and partners
// (T9). How many were left out is told with the next row.
type refusalRows struct {
	known, strangers, stranger *allowance
	left                       atomic.Int64
}

func newRefusalRows() *refusalRows {
	return &refusalRows{known: newAllowance(refusalsHour, time.Hour), strangers: newAllowance(strangersHour, time.Hour),
		stranger: newAllowance(strangerOneHour, time.Hour)}
}

// take says whether a row may be written.
func (b *refusalRows) take(peer string, z social.Zone, now time.Time) bool {
	switch z.Kind {
	case social.ZoneCompany, social.ZonePartner:
		if b.known.take(peer, now) {
			return true
		}
	default:
		if b.stranger.take(registrable(peer), now) && b.strangers.take("", now) {
			return true
		}
	}
	b.left.Add(1)
	return false
}

// auditRefusal notes that a request of another server was refused; what is due to the
// moment, and comes again, is no decision. The peer and key are what the request
// claims. A failure is only logged: the refusal stands.
func (s *Server) auditRefusal(r *http.Request, kind social.AuditKind, subject, peer string, err error) {
	if transient(err) {
		return
	}
	err = s.Store.Tx(r.Context(), func(tx social.Tx) error {
		known, e := tx.Peer(r.Context(), peer)
		if e != nil || !s.refusals.take(peer, known.Zone, s.Now()) {
			return e
		}
		cause := clip(publicCause(err), 200)
		if left := s.refusals.left.Swap(0); left > 0 {
			cause += fmt.Sprintf(" (%d more refusals before have no row)", left)
		}
		return tx.AppendAudit(r.Context(), social.AuditRow{At: s.Now(), Kind: kind, Subject: clip(subject, 300), Peer: clip(peer, 200), Zone: known.Zone.String(),
			Rule: "request", Key: clip(s.claimedKey(r), 300), Result: social.AuditRefused, Cause: cause})
	})
	if err != nil {
		s.Log.Warn("a refusal has no audit row", "peer", peer, "error", err)
	}
}

// auditReceive notes that an activity was taken, or after that that it was dropped.
func (s *Server) auditReceive(ctx context.Context, tx social.Tx, in *social.Inbound, key string, dropped error) error {
	zone, err := s.social.ZoneIn(ctx, tx, in.Peer)
	if err != nil {
		return err
	}
	r := social.AuditRow{At: s.Now(), Kind: social.AuditReceive, Subject: in.URI, Peer: in.Peer, Zone: zone.String(), Rule: "signature", Key: key,
		Result: social.AuditAllowed}
	if dropped != nil {
		r.Rule, r.Result, r.Cause = "content", social.AuditRefused, publicCause(dropped)
	}
	if home, err := activitypub.Authority(in.Actor); err == nil && home != in.Peer {
		r.By = in.Actor // whose word the peer passed on
	}
	return tx.AppendAudit(ctx, r)
}

// publicCause is an error as far as it holds nothing that somebody wrote.
func publicCause(err error) string {
	var known *social.Error
	if errors.As(err, &known) && known.Kind != social.Internal {
		return known.Public
	}
	return "a fault of this server"
}

package federation

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"parley/activitypub"
	"parley/social"
)

// This file tells sisters and partners the change log of this instance (DESIGN 5):
// what each object is now, newest first, as far as the reader may see it.

// Bounds of one page.
const (
	logItems = 50
	// logBytes is what an answer may have that is sealed without waiting for room;
	// itemMost what one item alone may have, so that it fits into a document.
	logBytes = 60 << 10
	itemMost = 700 << 10
	// logScan entries are looked at together, logScans times for one page: what a
	// reader may not see makes a page short, never slow.
	// quietAfter is when a place may be named where nothing was shown, so that it is
	// not looked through again each time: whoever asks may learn that something was
	// said on a day, not when and how much.
	quietAfter = 24 * time.Hour
	logScan    = 64
	logScans   = 16
)

// logReader is the server that reads the log as a whole: an instance actor of a
// sister or a partner asks for everybody there, as deliveries do. For all others there
// is no log.
func (s *Server) logReader(r social.Reader) (social.Reader, bool) {
	if r.Account == nil || r.Account.URI != s.actorOf(r.Peer) || r.Account.Kind != social.KindApplication {
		return r, false
	}
	whole := social.Reader{Peer: r.Peer, Zone: r.Zone, Home: r.Home, From: r.From}
	return whole, r.Zone.Kind == social.ZoneCompany || r.Zone.Kind == social.ZonePartner
}

// getChangeLog is the log, a page of it, or what else is said there to other
// instances. It is empty for everybody else.
func (s *Server) getChangeLog(tx social.Tx, q *query) (object, error) {
	uri := s.Links.InstanceActor() + "/outbox"
	o := object{"id": uri, "type": activitypub.OrderedCollection}
	r, ok := s.logReader(q.reader)
	if !ok {
		o["orderedItems"] = []any{}
		return o, nil
	}
	if !s.logReads.take(r.Peer, s.Now()) {
		return nil, &social.Error{Kind: social.Limited, Public: "too many requests for the change log; try again in a minute", RetryAfter: logReadsWindow}
	}
	switch asked := q.URL.Query(); {
	case asked.Has("digest"):
		return s.getDigest(tx, q, r)
	case asked.Has("of"):
		return s.heldPage(tx, q, r)
	case paged(q):
		return s.logPage(tx, q, r)
	}
	o["first"] = uri + "?page=true"
	return o, nil
}

// noteLoss begins a new epoch: a reader has read further than our log goes, so this
// instance was put back to an older state, by whatever means. Places cannot be made up.
func (s *Server) noteLoss(q *query) error {
	ctx := q.Context()
	err := s.Store.Tx(ctx, func(tx social.Tx) error {
		head, err := tx.LogHead(ctx)
		if err != nil || !head.Less(q.lost) {
			return err
		}
		if _, err := tx.NewLogEpoch(ctx); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, social.AuditRow{At: s.Now(), Kind: social.AuditReceive, Peer: q.reader.Peer, Rule: "change log", Result: "lost",
			Cause: "the peer has read further than the log goes: this instance was put back to an older state"})
	})
	if err != nil {
		return err
	}
	s.Log.Error("this instance was put back to an older state without parley restore; sisters are asked for what is missing", "peer", q.reader.Peer)
	return s.CatchUpNow(ctx, "")
}

// logEpoch names the epoch of the log for a reader. It changes with the log's own and
// when the reader was put into another zone: what may be seen since then lies below
// what was read before.
func (s *Server) logEpoch(ctx context.Context, tx social.Tx, r social.Reader) (string, error) {
	epoch, err := tx.LogEpoch(ctx)
	if err != nil {
		return "", err
	}
	p, err := tx.Peer(ctx, r.Peer)
	return fmt.Sprintf("%d.%d", epoch, p.ZonedAt.UnixMilli()), err
}

// logPage tells what lies above after and up to upto, newest first. It names the
// newest place shown, and where to go on below.
func (s *Server) logPage(tx social.Tx, q *query, r social.Reader) (object, error) {
	ctx := q.Context()
	head, err := tx.LogHead(ctx)
	if err != nil {
		return nil, err
	}
	epoch, err := s.logEpoch(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	after, _ := s.parsePlace(q.URL.Query().Get("after"))
	upTo, given := s.parsePlace(q.URL.Query().Get("upto"))
	if !given || head.Less(upTo) {
		upTo = head
	}
	if head.Less(after) {
		q.lost = after
	}
	p := &logPage{server: s, reader: r, after: after, next: upTo, items: []any{}}
	if err := p.fill(ctx, tx); err != nil {
		return nil, err
	}
	q.served, q.people, q.rule = append(q.served, p.served...), p.people, p.rule
	uri := s.Links.InstanceActor() + "/outbox"
	o := object{"id": s.Links.PublicURL + q.URL.RequestURI(), "type": activitypub.OrderedCollectionPage, "partOf": uri, "orderedItems": p.items, "epoch": epoch}
	if head := cmp.Or(p.newest, p.quiet); !head.IsZero() {
		o["head"] = s.placeText(head)
	}
	if !p.done {
		o["next"] = uri + "?page=true&after=" + s.placeText(after) + "&upto=" + s.placeText(p.next)
	}
	return o, nil
}

// logPage is a page in the making.
type logPage struct {
	server *Server
	reader social.Reader
	after  social.Place
	next   social.Place // where to go on
	done   bool         // nothing is left above after
	newest social.Place // of what is shown
	quiet  social.Place // the newest place of yesterday, where nothing is shown
	items  []any
	served []*social.Post
	people []string // entries of the directory
	rule   string   // "directory" where people are among the items
	bytes  int
}

func (p *logPage) fill(ctx context.Context, tx social.Tx) error {
	for range logScans {
		entries, err := tx.LogPage(ctx, p.reader.Peer, p.after, p.next, logScan)
		if err != nil {
			return err
		}
		known, err := p.server.learnEntries(ctx, tx, p.reader, entries)
		if err != nil {
			return err
		}
		for _, a := range entries {
			if full, err := p.add(ctx, tx, known, a); err != nil || full {
				return err
			}
		}
		if len(entries) < logScan {
			p.done = true
			return nil
		}
	}
	return nil
}

// add puts what an entry tells the reader on the page; true: the page is full
// without it.
func (p *logPage) add(ctx context.Context, tx social.Tx, known *logFacts, a *social.Activity) (full bool, err error) {
	at := social.Place{Epoch: a.Epoch, Seq: a.Seq}
	if p.next = at; p.quiet.IsZero() && p.server.Now().Sub(a.CreatedAt) > quietAfter {
		p.quiet = at
	}
	bodies, err := p.server.told(ctx, tx, known, a)
	if err != nil {
		return false, err
	}
	size := 0
	for _, b := range bodies {
		size += len(b)
	}
	switch {
	case size > itemMost:
		p.server.Log.Error("an entry of the change log is too large for a page", "activity", a.URI, "bytes", size)
	case size > 0 && len(p.items) > 0 && (p.bytes+size > logBytes || len(p.items)+len(bodies) > logItems):
		return true, nil
	case size > 0:
		p.put(known, a, bodies, size)
		if p.newest.IsZero() {
			p.newest = at
		}
	}
	p.next.Seq-- // the first entry of an epoch has the number 1
	return false, nil
}

func (p *logPage) put(known *logFacts, a *social.Activity, bodies []json.RawMessage, size int) {
	for _, b := range bodies {
		p.items = append(p.items, b)
	}
	p.bytes += size
	if a.Verb == social.VerbPeople {
		p.rule = "directory"
		if one := known.entries[a.About]; !known.told[a.About] && !known.see(one).Gone {
			p.people = append(p.people, a.About)
		}
	}
	if post := known.posts[a.PostID]; post != nil && known.standing[post.ID] == seen {
		p.served = append(p.served, post)
	}
}

// told is what an entry tells a reader, as it goes over the wire.
func (s *Server) told(ctx context.Context, tx social.Tx, f *logFacts, a *social.Activity) ([]json.RawMessage, error) {
	if a.Verb == social.VerbPass {
		return s.passItems(ctx, tx, f, a)
	}
	o, err := s.item(ctx, tx, f, a)
	if err != nil || o == nil {
		return nil, err
	}
	body, err := s.signed(ctx, tx, a, o)
	return []json.RawMessage{body}, err
}

// actorOf is the instance actor of a server like ours.
func (s *Server) actorOf(peer string) string {
	scheme, _, _ := strings.Cut(s.Links.PublicURL, "://")
	return social.Links{PublicURL: scheme + "://" + peer}.InstanceActor()
}

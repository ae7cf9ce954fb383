package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/outbound"
	"parley/social"
)

// budget bounds the fetches that one cause may lead to (C2).
type budget struct{ left int }

// Requests that one activity may cause, redirects counted: 32 in all, of which the
// look-up of its signer's key, the activity itself and the way up its thread have
// their parts.
const (
	keyFetches     = 6
	processFetches = 10
	parentFetches  = 16
	// readerFetches are for what a member asks for, threadFetches for a whole
	// thread that a member reads.
	readerFetches = 32
	threadFetches = 100
)

type budgetKey struct{}

// withBudget gives a context its budget, once.
func withBudget(ctx context.Context, requests int) context.Context {
	if ctx.Value(budgetKey{}) != nil {
		return ctx
	}
	return context.WithValue(ctx, budgetKey{}, &budget{left: requests})
}

func spend(ctx context.Context) error {
	b, _ := ctx.Value(budgetKey{}).(*budget)
	if b == nil {
		return nil
	}
	if b.left--; b.left < 0 {
		return social.Errorf(social.Limited, "too many look-ups for one activity")
	}
	return nil
}

// get fetches a document signed by an actor of ours, from an admitted peer only.
func (s *Server) get(ctx context.Context, as social.ID, address string) (object, string, error) {
	res, err := s.document(ctx, as, address)
	if err != nil {
		return nil, "", err
	}
	o, err := activitypub.Parse(res.Body)
	if err != nil {
		return nil, "", &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	return o, res.URL, nil
}

// document is get for what has to be read as it came.
func (s *Server) document(ctx context.Context, as social.ID, address string) (*outbound.Response, error) {
	peer, err := s.mayAsk(ctx, address)
	if err != nil {
		return nil, err
	}
	res, err := s.ask(ctx, outbound.Document, as, peer, address)
	if err != nil {
		return nil, s.unreached(peer, err)
	}
	if res.Status != http.StatusOK {
		kind := social.NotFound
		if res.Status >= 500 || res.Status == http.StatusTooManyRequests {
			kind = social.Unavailable
		}
		return nil, &social.Error{Kind: kind, Public: fmt.Sprintf("the server %s answered %d", peer, res.Status), RetryAfter: retryAfter(res.Header, s.Now())}
	}
	return res, nil
}

// voice is how a peer is asked: with the key of a member, or of the instance where as
// is zero, in the dialect learnt for the peer.
func (s *Server) voice(ctx context.Context, as social.ID, peer string) (httpsig.Key, httpsig.Dialect, error) {
	if as == 0 {
		a, err := s.instanceActor(ctx)
		if err != nil {
			return httpsig.Key{}, 0, err
		}
		as = a.ID
	}
	key, err := s.signingKey(ctx, as)
	if err != nil {
		return key, 0, err
	}
	known, err := s.dialect(ctx, peer)
	return key, known, err
}

// ask sends a GET signed for as, zero for the instance: in the dialect known for the
// peer, and as the peer asks when that is refused. A paired peer is asked by the
// instance, in one way only, and what it answers is opened.
func (s *Server) ask(ctx context.Context, p outbound.Purpose, as social.ID, peer, address string) (*outbound.Response, error) {
	key, known, err := s.voice(ctx, as, peer)
	if err != nil {
		return nil, err
	}
	tries := httpsig.NewTries(known)
	for {
		var h *hop
		res, err := s.Client.Get(ctx, p, address, func(r *http.Request) (err error) {
			if h, err = s.step(ctx, h, r, as); err != nil || h != nil {
				return err
			}
			return tries.Sign(r, nil, key, s.Now())
		})
		if h != nil {
			return s.opened(ctx, h, res, err)
		}
		if err != nil || !tries.Again(res.Status, res.Header) {
			if err == nil && res.Status == http.StatusOK && tries.Dialect() != known {
				s.learn(ctx, peer, tries.Dialect())
			}
			return res, err
		}
	}
}

// askOpenly gets what everybody is shown: unsigned, but from a paired peer as everything.
func (s *Server) askOpenly(ctx context.Context, p outbound.Purpose, address string) (*outbound.Response, error) {
	var h *hop
	res, err := s.Client.Get(ctx, p, address, func(r *http.Request) (err error) {
		h, err = s.step(ctx, h, r, 0)
		return err
	})
	if h != nil {
		return s.opened(ctx, h, res, err)
	}
	return res, err
}

// dialect is the one a peer took last.
func (s *Server) dialect(ctx context.Context, peer string) (httpsig.Dialect, error) {
	var p social.Peer
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		p, err = tx.Peer(ctx, peer)
		return err
	})
	return httpsig.ParseDialect(p.Dialect), err
}

func (s *Server) learn(ctx context.Context, peer string, d httpsig.Dialect) {
	touch := social.PeerTouch{Authority: peer, Dialect: d.String()}
	if err := s.Store.Tx(ctx, func(tx social.Tx) error { return tx.TouchPeer(ctx, touch) }); err != nil {
		s.Log.Warn("signature dialect not noted", "peer", peer, "error", err)
	}
}

// mayAsk refuses servers that are not admitted, and for a moment those that just
// did not answer: a silent one must not hold a worker for each activity about it.
func (s *Server) mayAsk(ctx context.Context, address string) (peer string, err error) {
	peer, err = activitypub.Authority(address)
	if err != nil || peer == s.Links.Home() {
		return "", social.Errorf(social.Invalid, "%.200q is not an address of another server", address)
	}
	zone, err := s.social.Zone(ctx, peer)
	switch {
	case err != nil:
		return "", err
	case zone.Kind == social.ZoneBlocked:
		return "", social.Errorf(social.Forbidden, "the server %s is not admitted here", peer)
	case s.down.known("host "+peer, s.Now()):
		return "", social.Errorf(social.Unavailable, "the server %s cannot be reached", peer)
	}
	return peer, nil
}

// unreached sorts the failures of a fetch: our own decisions are final, and the
// network may work later. A server that did not answer is let alone for a moment.
func (s *Server) unreached(peer string, err error) error {
	var ours *outbound.Error
	var decided *social.Error
	switch {
	case errors.As(err, &decided):
		return err
	case errors.As(err, &ours) && ours.Kind.Final():
		return &social.Error{Kind: social.Invalid, Public: "the server " + peer + " did not answer with a document that is accepted", Err: err}
	case !errors.Is(err, context.Canceled):
		s.down.fresh("host "+peer, s.Now())
	}
	return &social.Error{Kind: social.Unavailable, Public: "the server " + peer + " cannot be reached", Err: err}
}

// canonical says that an id names scheme and host in the one form (A8): two spellings
// would be two identities of one thing.
func canonical(id string) bool {
	u, err := url.Parse(id)
	if err != nil {
		return false
	}
	authority, err := activitypub.Authority(id)
	return err == nil && strings.HasPrefix(id, u.Scheme+"://"+authority) && u.Host == authority
}

// fetch gets an object under the id it has: what answers with another id is thrown
// away and fetched once under that one (A3).
func (s *Server) fetch(ctx context.Context, as social.ID, uri string) (object, error) {
	for range 2 {
		o, final, err := s.get(ctx, as, uri)
		if err != nil {
			return nil, err
		}
		if o.ID() == final && canonical(final) {
			return o, nil
		}
		if o.ID() == "" {
			break
		}
		uri = o.ID()
	}
	return nil, social.Errorf(social.Invalid, "the document does not have the id it was fetched by")
}

// account finds a remote actor, known or fetched.
func (s *Server) account(ctx context.Context, uri string) (a *social.Account, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		a, err = tx.AccountByURI(ctx, uri)
		return err
	})
	if err == nil || social.KindOf(err) != social.NotFound || s.Links.Owns(uri) {
		return a, err
	}
	a, err = s.fetchActor(ctx, uri)
	if err == nil && a.URI != uri {
		// Whoever redirects to another actor does not speak for it (A3).
		return nil, social.Errorf(social.Invalid, "the actor has another id than the one it was named by")
	}
	return a, err
}

// actorTime bounds the look-up of an actor: somebody's request may wait for it.
const actorTime = 5 * time.Second

// fetchActor fetches an actor and keeps it; the same one is fetched once at a time,
// for all who wait, so that one of them leaving does not fail the others.
func (s *Server) fetchActor(ctx context.Context, uri string) (*social.Account, error) {
	if err := ctx.Err(); err != nil { // nobody waits for it any more
		return nil, err
	}
	v, err, _ := s.flight.Do(uri, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actorTime)
		defer cancel()
		o, err := s.fetch(ctx, 0, uri)
		if err != nil {
			return nil, err
		}
		// A key may be a document of its own that names its owner.
		if owner := o.Ref("owner"); !o.IsActor() && owner != "" && activitypub.SameAuthority(owner, uri) {
			if o, err = s.fetch(ctx, 0, owner); err != nil {
				return nil, err
			}
		}
		return s.keepActor(ctx, o, "")
	})
	if err != nil {
		return nil, err
	}
	return v.(*social.Account), nil
}

// keepActor stores an actor document that came from its own server. host is the
// domain of its handle where both sides were heard about that, else "".
func (s *Server) keepActor(ctx context.Context, o object, host string) (*social.Account, error) {
	a, keys, err := s.readActor(o)
	if err != nil {
		return nil, err
	}
	var had *social.Account
	err = s.Store.View(ctx, func(tx social.Tx) (err error) {
		had, err = tx.AccountByURI(ctx, a.URI)
		return err
	})
	moved := a.MovedToURI
	a.MovedToURI = "" // its own word does not count before a Move was checked (T19)
	switch {
	case err == nil:
		a.Host = had.Host
		if moved == had.MovedToURI {
			a.MovedToURI = moved
		}
	case social.KindOf(err) != social.NotFound:
		return nil, err
	case !s.newcomers.take(registrable(a.Authority), s.Now()):
		return nil, social.Errorf(social.Unavailable, "too many new accounts of %s at once", registrable(a.Authority))
	default:
		if a.Host = host; host == "" {
			a.Host = s.handleHost(ctx, a, o)
		}
	}
	return s.social.PutRemoteAccount(ctx, a, keys)
}

// handleHost is the domain of the handle: the actor's authority, or another domain
// where both sides say so (FEP-2c59).
func (s *Server) handleHost(ctx context.Context, a *social.Account, o object) string {
	name, host, _, err := activitypub.ParseResource(o.Text("webfinger"))
	if err != nil || host == a.Authority || host == s.Links.Domain || !strings.EqualFold(name, a.Username) {
		return a.Authority
	}
	if uri, _, err := s.finger(ctx, name, host); err == nil && uri == a.URI {
		return host
	}
	return a.Authority
}

// finger asks a host for the actor behind a handle, and for the handle it has there.
func (s *Server) finger(ctx context.Context, name, host string) (uri, subject string, err error) {
	if host == s.Links.Domain {
		return "", "", social.NotFoundError()
	}
	scheme, _, _ := strings.Cut(s.Links.PublicURL, "://")
	address := scheme + "://" + host + "/.well-known/webfinger?resource=" + url.QueryEscape("acct:"+name+"@"+host)
	res, err := s.ask(ctx, outbound.WebFinger, 0, host, address) // signed: some are not for everybody
	if err != nil {
		return "", "", s.unreached(host, err)
	}
	if res.Status != http.StatusOK {
		return "", "", social.Errorf(social.NotFound, "nobody is called @%s@%s", name, host)
	}
	var doc struct {
		Subject string
		Links   []struct{ Rel, Type, Href string }
	}
	if err := json.Unmarshal(res.Body, &doc); err != nil {
		return "", "", social.Errorf(social.Invalid, "the server %s does not answer as expected", host)
	}
	for _, l := range doc.Links {
		if l.Rel == "self" && (strings.Contains(l.Type, "activity+json") || strings.Contains(l.Type, "ld+json")) {
			return l.Href, doc.Subject, nil
		}
	}
	return "", "", social.Errorf(social.NotFound, "nobody is called @%s@%s", name, host)
}

// FindAccount implements social.Remote.
func (s *Server) FindAccount(ctx context.Context, username, host string) (*social.Account, error) {
	ctx = withBudget(ctx, readerFetches)
	host, err := activitypub.HostPort(host)
	if err != nil || host == s.Links.Home() {
		return nil, social.NotFoundError()
	}
	zone, err := s.social.Zone(ctx, host)
	if err != nil {
		return nil, err
	}
	if zone.Kind == social.ZoneBlocked {
		return nil, social.Errorf(social.Forbidden, "the server %s is not admitted here; ask the administrator", host)
	}
	nobody := social.Errorf(social.NotFound, "nobody is called @%s@%s", username, host)
	uri, _, err := s.finger(ctx, username, host)
	if err != nil {
		return nil, err
	}
	if !activitypub.SameAuthority(uri, "https://"+host) && !activitypub.SameAuthority(uri, "http://"+host) {
		return s.findElsewhere(ctx, username, host, uri, nobody)
	}
	a, err := s.account(ctx, uri)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(a.Username, username) {
		return nil, nobody
	}
	return a, nil
}

// findElsewhere finds an actor whose server is not the domain of its handle: that
// server must call it by the same handle (T22).
func (s *Server) findElsewhere(ctx context.Context, username, host, uri string, nobody error) (*social.Account, error) {
	server, err := activitypub.Authority(uri)
	if err != nil {
		return nil, nobody
	}
	back, subject, err := s.finger(ctx, username, server)
	if err != nil {
		return nil, err
	}
	name, domain, _, err := activitypub.ParseResource(subject)
	if err != nil || back != uri || domain != host || !strings.EqualFold(name, username) {
		return nil, nobody
	}
	o, err := s.fetch(ctx, 0, uri)
	if err != nil {
		return nil, err
	}
	if o.ID() != uri || !strings.EqualFold(o.Text("preferredUsername"), username) {
		return nil, nobody
	}
	return s.keepActor(ctx, o, host)
}

// FindURL implements social.Remote.
func (s *Server) FindURL(ctx context.Context, address string) (*social.Account, *social.Post, error) {
	ctx = withBudget(ctx, readerFetches)
	o, err := s.fetch(ctx, 0, address)
	if err != nil {
		return nil, nil, err
	}
	if o.IsActor() {
		a, err := s.keepActor(ctx, o, "")
		return a, nil, err
	}
	p, err := s.keepPost(ctx, o, true)
	return nil, p, err
}

// stored finds a post that is known here.
func (s *Server) stored(ctx context.Context, uri string) (p *social.Post, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		p, err = tx.PostByURI(ctx, uri)
		return err
	})
	if err == nil && p.Deleted() {
		return p, social.NotFoundError()
	}
	return p, err
}

// object finds a post, known or fetched from its own server.
func (s *Server) object(ctx context.Context, as social.ID, uri string) (*social.Post, error) {
	p, err := s.stored(ctx, uri)
	if err == nil || p != nil || social.KindOf(err) != social.NotFound || s.Links.Owns(uri) {
		return p, err
	}
	o, err := s.fetch(ctx, as, uri)
	if err != nil {
		return nil, err
	}
	return s.keepPost(ctx, o, true)
}

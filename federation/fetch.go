package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/outbound"
	"parley/social"
)

// budget bounds the fetches that one cause may lead to (C2).
type budget struct{ left int }

const fetchBudget = 32

type budgetKey struct{}

// withBudget gives a context its budget, once.
func withBudget(ctx context.Context) context.Context {
	if ctx.Value(budgetKey{}) != nil {
		return ctx
	}
	return context.WithValue(ctx, budgetKey{}, &budget{left: fetchBudget})
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
	if err := spend(ctx); err != nil {
		return nil, "", err
	}
	peer, err := activitypub.Authority(address)
	if err != nil || peer == s.Links.Home() {
		return nil, "", social.Errorf(social.Invalid, "%.200q is not an address of another server", address)
	}
	zone, err := s.social.Zone(ctx, peer)
	if err != nil {
		return nil, "", err
	}
	if zone.Kind == social.ZoneBlocked {
		return nil, "", social.Errorf(social.Forbidden, "the server %s is not admitted here", peer)
	}
	if as == 0 {
		a, err := s.instanceActor(ctx)
		if err != nil {
			return nil, "", err
		}
		as = a.ID
	}
	key, err := s.signingKey(ctx, as)
	if err != nil {
		return nil, "", err
	}
	res, err := s.Client.Get(ctx, outbound.Document, address, func(r *http.Request) error {
		return httpsig.Sign(r, nil, key, httpsig.Cavage, s.Now())
	})
	if err != nil {
		return nil, "", &social.Error{Kind: social.Unavailable, Public: "the server " + peer + " cannot be reached", Err: err}
	}
	if res.Status != http.StatusOK {
		kind := social.NotFound
		if res.Status >= 500 || res.Status == http.StatusTooManyRequests {
			kind = social.Unavailable
		}
		return nil, "", &social.Error{Kind: kind, Public: fmt.Sprintf("the server %s answered %d", peer, res.Status)}
	}
	o, err := activitypub.Parse(res.Body)
	if err != nil {
		return nil, "", &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	return o, res.URL, nil
}

// fetch gets an object under the id it has: what answers with another id is thrown
// away and fetched once under that one (A3).
func (s *Server) fetch(ctx context.Context, as social.ID, uri string) (object, error) {
	for range 2 {
		o, final, err := s.get(ctx, as, uri)
		if err != nil {
			return nil, err
		}
		if o.ID() == uri && o.ID() == final || o.ID() == final {
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
	return s.fetchActor(ctx, uri)
}

// fetchActor fetches an actor and keeps it; the same one is fetched once at a time.
func (s *Server) fetchActor(ctx context.Context, uri string) (*social.Account, error) {
	v, err, _ := s.flight.Do(uri, func() (any, error) {
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
		return s.keepActor(ctx, o)
	})
	if err != nil {
		return nil, err
	}
	return v.(*social.Account), nil
}

// keepActor stores an actor document that came from its own server.
func (s *Server) keepActor(ctx context.Context, o object) (*social.Account, error) {
	a, keys, err := s.readActor(o)
	if err != nil {
		return nil, err
	}
	if a.Host, err = s.handleHost(ctx, a, o); err != nil {
		return nil, err
	}
	return s.social.PutRemoteAccount(ctx, a, keys)
}

// handleHost is the domain of the handle: the actor's authority, or another domain
// where both sides say so. A known actor keeps its own.
func (s *Server) handleHost(ctx context.Context, a *social.Account, o object) (string, error) {
	var had *social.Account
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		had, err = tx.AccountByURI(ctx, a.URI)
		return err
	})
	if err == nil {
		return had.Host, nil
	}
	if social.KindOf(err) != social.NotFound {
		return "", err
	}
	name, host, _, err := activitypub.ParseResource(o.Text("webfinger"))
	if err != nil || host == a.Authority || !strings.EqualFold(name, a.Username) {
		return a.Authority, nil
	}
	if uri, err := s.finger(ctx, name, host); err == nil && uri == a.URI && host != s.Links.Domain {
		return host, nil
	}
	return a.Authority, nil
}

// finger asks a host for the actor behind a handle.
func (s *Server) finger(ctx context.Context, name, host string) (string, error) {
	if err := spend(ctx); err != nil {
		return "", err
	}
	scheme, _, _ := strings.Cut(s.Links.PublicURL, "://")
	address := scheme + "://" + host + "/.well-known/webfinger?resource=" + url.QueryEscape("acct:"+name+"@"+host)
	res, err := s.Client.Get(ctx, outbound.WebFinger, address, nil)
	if err != nil {
		return "", &social.Error{Kind: social.Unavailable, Public: "the server " + host + " cannot be reached", Err: err}
	}
	if res.Status != http.StatusOK {
		return "", social.Errorf(social.NotFound, "nobody is called @%s@%s", name, host)
	}
	var doc struct {
		Links []struct{ Rel, Type, Href string }
	}
	if err := json.Unmarshal(res.Body, &doc); err != nil {
		return "", social.Errorf(social.Invalid, "the server %s does not answer as expected", host)
	}
	for _, l := range doc.Links {
		if l.Rel == "self" && (strings.Contains(l.Type, "activity+json") || strings.Contains(l.Type, "ld+json")) {
			return l.Href, nil
		}
	}
	return "", social.Errorf(social.NotFound, "nobody is called @%s@%s", name, host)
}

// FindAccount implements social.Remote.
func (s *Server) FindAccount(ctx context.Context, username, host string) (*social.Account, error) {
	ctx = withBudget(ctx)
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
	uri, err := s.finger(ctx, username, host)
	if err != nil {
		return nil, err
	}
	a, err := s.account(ctx, uri)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(a.Username, username) || a.Host != host && a.Authority != host {
		return nil, social.Errorf(social.NotFound, "nobody is called @%s@%s", username, host)
	}
	return a, nil
}

// FindURL implements social.Remote.
func (s *Server) FindURL(ctx context.Context, address string) (*social.Account, *social.Post, error) {
	ctx = withBudget(ctx)
	o, err := s.fetch(ctx, 0, address)
	if err != nil {
		return nil, nil, err
	}
	if o.IsActor() {
		a, err := s.keepActor(ctx, o)
		return a, nil, err
	}
	p, err := s.keepPost(ctx, o, true)
	return nil, p, err
}

// object finds a post, known or fetched from its own server.
func (s *Server) object(ctx context.Context, as social.ID, uri string) (p *social.Post, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		p, err = tx.PostByURI(ctx, uri)
		return err
	})
	if err == nil && p.Deleted() {
		return nil, social.NotFoundError()
	}
	if err == nil || social.KindOf(err) != social.NotFound || s.Links.Owns(uri) {
		return p, err
	}
	o, err := s.fetch(ctx, as, uri)
	if err != nil {
		return nil, err
	}
	return s.keepPost(ctx, o, true)
}

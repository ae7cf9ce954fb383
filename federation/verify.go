package federation

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/social"
)

// verified is who signed a request.
type verified struct {
	peer    string
	account *social.Account
}

const (
	keyFetchEvery = 5 * time.Minute
)

func unauthenticated(err error) error {
	return &social.Error{Kind: social.Unauthenticated, Public: err.Error()}
}

// verify checks a signature in the order that costs least: shape, digest, the
// peer's zone, and only then the key, from the cache or by at most one fetch. A
// POST must be signed by the activity's actor.
func (s *Server) verify(ctx context.Context, r *http.Request, body []byte, actor string) (*verified, error) {
	sig, err := httpsig.Inspect(r, s.Links.PublicURL, s.Now())
	if err != nil {
		return nil, unauthenticated(err)
	}
	if err := sig.VerifyBody(body); err != nil {
		return nil, unauthenticated(err)
	}
	peer, err := activitypub.Authority(sig.KeyID)
	if err != nil || peer == s.Links.Home() {
		return nil, unauthenticated(errors.New("the key is not of another server"))
	}
	if actor != "" && !activitypub.SameAuthority(actor, sig.KeyID) {
		return nil, unauthenticated(errors.New("the key is not of the activity's actor"))
	}
	if err := s.admit(ctx, peer, actor, r.URL.Path); err != nil {
		return nil, err
	}
	key, account, cached, err := s.key(ctx, sig.KeyID)
	if err != nil {
		return nil, err
	}
	if err = check(sig, key); err != nil && cached {
		// The actor may have a new key: look once, at most every five minutes (T15).
		if key, account, err = s.refetchKey(ctx, sig.KeyID); err == nil {
			err = check(sig, key)
		}
	}
	if err != nil {
		if social.KindOf(err) == social.Internal {
			err = unauthenticated(err)
		}
		return nil, err
	}
	if actor != "" && account.URI != actor {
		return nil, unauthenticated(errors.New("the key is not of the activity's actor"))
	}
	if !account.Active() {
		return nil, notAdmitted()
	}
	return &verified{peer: peer, account: account}, nil
}

func check(sig *httpsig.Signature, k social.Key) error {
	public, err := httpsig.ParsePublic(k.Public)
	if err != nil {
		return err
	}
	return sig.Verify(public)
}

// notAdmitted is the one answer for whoever may not exchange with us, for whatever
// reason.
func notAdmitted() error {
	return social.Errorf(social.Forbidden, "this server exchanges with known servers only; its administrator has to admit yours")
}

// comeLater is the answer when a key cannot be had now. Never a 4xx: others take
// that as final, and what they sent would be lost.
func comeLater(err error) error {
	return &social.Error{Kind: social.Unavailable, Public: "the key cannot be fetched at the moment; try again later", Err: err}
}

// admit refuses peers whose zone allows nothing; unknown ones become a request to
// connect. The answer is the same for blocked and for unknown.
func (s *Server) admit(ctx context.Context, peer, actor, wanted string) error {
	zone, err := s.social.Zone(ctx, peer)
	if err != nil {
		return err
	}
	if zone.Kind != social.ZoneBlocked {
		return nil
	}
	var stored social.Peer
	if err := s.Store.View(ctx, func(tx social.Tx) error { stored, err = tx.Peer(ctx, peer); return err }); err != nil {
		return err
	}
	if stored.Zone.Kind == social.ZoneUnknown && s.Mode == social.ModeAllowlist && s.failed.fresh("knock "+peer, s.Now()) {
		if err := s.social.Knock(ctx, social.ConnectRequest{Authority: peer, Actor: actor, Wanted: wanted, LastAt: s.Now()}); err != nil {
			return err
		}
	}
	return notAdmitted()
}

// key finds a public key: stored, or fetched once.
func (s *Server) key(ctx context.Context, uri string) (k social.Key, a *social.Account, cached bool, err error) {
	k, a, err = s.storedKey(ctx, uri)
	if err == nil || !errors.Is(err, social.ErrNotFound) {
		return k, a, true, err
	}
	peer, err := activitypub.Authority(uri)
	switch {
	case err != nil:
		return k, nil, false, unauthenticated(err)
	case s.failed.known("key "+uri, s.Now()):
		return k, nil, false, unauthenticated(errors.New("the key could not be read a moment ago"))
	case !s.keyLooks.take(peer, s.Now()):
		return k, nil, false, comeLater(errors.New("too many new keys of " + peer))
	}
	k, a, err = s.fetchKey(ctx, uri)
	return k, a, false, err
}

func (s *Server) storedKey(ctx context.Context, uri string) (k social.Key, a *social.Account, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		if k, err = tx.KeyByURI(ctx, uri); err != nil {
			return err
		}
		a, err = tx.Account(ctx, k.AccountID)
		return err
	})
	if err == nil && !a.DeletedAt.IsZero() {
		err = unauthenticated(errors.New("the key's owner is gone"))
	}
	return k, a, err
}

func (s *Server) refetchKey(ctx context.Context, uri string) (social.Key, *social.Account, error) {
	allowed := false
	err := s.Store.Tx(ctx, func(tx social.Tx) (err error) {
		allowed, err = tx.TakeFetchToken(ctx, "key "+uri, s.Now(), keyFetchEvery)
		return err
	})
	switch {
	case err != nil:
		return social.Key{}, nil, err
	case !allowed && s.failed.known("refetch "+uri, s.Now()):
		return social.Key{}, nil, comeLater(errors.New("the key may have changed and could not be looked up"))
	case !allowed:
		return social.Key{}, nil, unauthenticated(errors.New("the signature does not match the key"))
	}
	k, a, err := s.fetchKey(ctx, uri)
	if social.KindOf(err) == social.Unavailable {
		s.failed.fresh("refetch "+uri, s.Now())
	}
	return k, a, err
}

// fetchKey fetches the key's owner. A failure that may pass is a 503, so that the
// other side tries again.
func (s *Server) fetchKey(ctx context.Context, uri string) (social.Key, *social.Account, error) {
	owner, _, _ := strings.Cut(uri, "#")
	if s.down.known("key "+uri, s.Now()) {
		return social.Key{}, nil, comeLater(errors.New("it could not be fetched a moment ago"))
	}
	if _, err := s.fetchActor(ctx, owner); transient(err) {
		s.down.fresh("key "+uri, s.Now())
		return social.Key{}, nil, comeLater(err)
	} else if err != nil {
		s.failed.fresh("key "+uri, s.Now())
		return social.Key{}, nil, unauthenticated(err)
	}
	k, a, err := s.storedKey(ctx, uri)
	if errors.Is(err, social.ErrNotFound) {
		err = unauthenticated(errors.New("the actor does not publish this key"))
	}
	return k, a, err
}

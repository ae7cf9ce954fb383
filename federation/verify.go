package federation

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/social"
)

// verified is who signed a request, and whose word it is.
type verified struct {
	peer    string          // the server that sent it
	account *social.Account // the activity's actor; of a GET, who asks
	at      time.Time       // when the request was signed, by the signer's clock
	key     string          // that signed the request
	sync    string          // what the sender says of its followers here (FEP-8fcf); "" for nothing
}

// forwarded says that another server passed the actor's word on.
func (v *verified) forwarded() bool { return v.peer != v.account.Authority }

const (
	keyFetchEvery = 5 * time.Minute
)

func unauthenticated(err error) error {
	return &social.Error{Kind: social.Unauthenticated, Public: err.Error()}
}

// verify checks a signature in the order that costs least: shape, digest, the
// peer's zone, the shape of a proof, and only then the key, from the cache or by at
// most one fetch. A POST must be signed by the activity's actor, or bear a proof of
// that actor; a proof that is wrong is never overlooked. o is the activity, nil for
// a GET.
func (s *Server) verify(ctx context.Context, r *http.Request, body []byte, o object) (*verified, error) {
	sig, peer, err := s.inspect(r, body)
	if err != nil {
		return nil, unauthenticated(err)
	}
	actor := o.Ref("actor")
	if actor != "" && !activitypub.SameAuthority(actor, sig.KeyID) && !o.Has("proof") {
		return nil, unauthenticated(errors.New("the key is not of the activity's actor"))
	}
	sender := actor
	if !activitypub.SameAuthority(actor, sig.KeyID) {
		sender = "" // whose word it passes on says nothing about who wants to connect
	}
	if err := s.admit(ctx, peer, sender, s.wanted(o, r.URL.Path)); err != nil {
		return nil, err
	}
	if err := s.unpaired(ctx, peer); err != nil {
		return nil, err
	}
	var p *proof.Proof
	if o.Has("proof") {
		if p, err = s.claim(body, actor); err != nil {
			return nil, err
		}
	}
	if err := s.mayPassOn(ctx, sig.KeyID, actor, p); err != nil {
		return nil, err
	}
	account, err := s.signer(ctx, sig)
	if err != nil {
		return nil, err
	}
	if actor != "" {
		if account, err = s.speaker(ctx, account, actor, p); err != nil {
			return nil, err
		}
	}
	return &verified{peer: peer, account: account, at: sig.At, key: sig.KeyID}, nil
}

// unpaired refuses what is said in a paired peer's name and is not sealed: whatever
// keys its domain shows, they prove nothing.
func (s *Server) unpaired(ctx context.Context, peer string) error {
	b, err := s.bond(ctx, peer)
	if err == nil && b != nil {
		err = unauthenticated(errors.New("this server is paired: what it sends is sealed, and signed by the key of its instance that is pinned here"))
	}
	return err
}

// inspect checks a request without key and network.
func (s *Server) inspect(r *http.Request, body []byte) (*httpsig.Signature, string, error) {
	sig, err := httpsig.Inspect(r, s.Links.PublicURL, s.Now())
	if err != nil {
		return nil, "", err
	}
	if err := sig.VerifyBody(body); err != nil {
		return nil, "", err
	}
	peer, err := activitypub.Authority(sig.KeyID)
	if err != nil || peer == s.Links.Home() {
		return nil, "", errors.New("the key is not of another server")
	}
	return sig, peer, nil
}

// claimed is the server that a request says it comes from: the one of its key, else
// of its actor. Nothing of it is proved; it is for the log, where an administrator
// looks for the name of the other server.
func (s *Server) claimed(r *http.Request, actor string) string {
	if sig, err := httpsig.Inspect(r, s.Links.PublicURL, s.Now()); err == nil {
		actor = sig.KeyID
	}
	peer, err := activitypub.Authority(actor)
	if err != nil {
		return ""
	}
	return peer
}

// mayPassOn refuses to look further at the word of another server's actor without a
// proof, or of one whose server is not admitted (G1).
func (s *Server) mayPassOn(ctx context.Context, keyID, actor string, p *proof.Proof) error {
	if actor == "" || activitypub.SameAuthority(actor, keyID) {
		return nil
	}
	if p == nil {
		return unauthenticated(errors.New("the key is not of the activity's actor"))
	}
	authority, err := activitypub.Authority(actor)
	if err != nil {
		return unauthenticated(err)
	}
	zone, err := s.social.Zone(ctx, authority)
	if err == nil && zone.Kind == social.ZoneBlocked {
		err = notAdmitted()
	}
	return err
}

// signer finds who signed a request, and checks that.
func (s *Server) signer(ctx context.Context, sig *httpsig.Signature) (*social.Account, error) {
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
	if !account.Active() {
		return nil, notAdmitted()
	}
	return account, nil
}

// speaker is whose word an activity is: the actor that signed the request, or the
// one whose proof it bears. A proof of the signer's own that cannot be looked up
// leaves the signature to decide (FEP-8b32, verification).
func (s *Server) speaker(ctx context.Context, signer *social.Account, actor string, p *proof.Proof) (*social.Account, error) {
	own := signer.URI == actor
	switch {
	case own && p == nil:
		return signer, nil
	case p == nil || !own && !s.inTime(p):
		return nil, unauthenticated(errors.New("the key is not of the activity's actor"))
	}
	a, err := s.provenBy(ctx, p, actor, signer.Authority)
	if own && errors.Is(err, errNoKey) {
		return signer, nil
	}
	return a, err
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

// wanted is what a request is about: whom somebody wants to follow, else its path.
func (s *Server) wanted(o object, path string) string {
	if who := o.Ref("object"); o.Type() == activitypub.Follow && s.Links.Owns(who) {
		return who
	}
	return path
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

// takesBack says that an activity takes back what was sent, or tells that a pairing
// ended.
func takesBack(o object) bool {
	switch o.Type() {
	case activitypub.Delete, activitypub.Undo, activitypub.Leave:
		return true
	}
	return false
}

// mayGiveBack says that the pairing with a server has ended: what takes back is taken
// from it although its zone allows nothing any more, unless an administrator blocked it.
func (s *Server) mayGiveBack(ctx context.Context, peer string) bool {
	var p social.Peer
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		p, err = tx.Peer(ctx, peer)
		return err
	})
	return err == nil && p.Pairing == social.PairingLeft && p.Zone.Kind == social.ZoneUnknown
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
	_, err := s.fetchActor(ctx, owner)
	switch {
	case social.KindOf(err) == social.Limited:
		// Whoever asks has used up what they may cause: that says nothing about the key.
		return social.Key{}, nil, comeLater(err)
	case transient(err):
		s.down.fresh("key "+uri, s.Now())
		return social.Key{}, nil, comeLater(err)
	case err != nil:
		s.failed.fresh("key "+uri, s.Now())
		return social.Key{}, nil, unauthenticated(err)
	}
	k, a, err := s.storedKey(ctx, uri)
	if errors.Is(err, social.ErrNotFound) {
		err = unauthenticated(errors.New("the actor does not publish this key"))
	}
	return k, a, err
}

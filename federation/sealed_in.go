package federation

import (
	"context"
	"errors"
	"net/http"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/social"
)

// receiveSealed takes what a paired peer sealed for us. The request and the sealed part
// are both signed by its pinned key; nothing is opened before the first is checked.
func (s *Server) receiveSealed(r *http.Request, body []byte) (got received, status int, err error) {
	ctx := withBudget(r.Context(), keyFetches)
	sig, b, err := s.fromPaired(ctx, r, body)
	if err != nil {
		return got, 0, err
	}
	payload, token, err := seal.Open(body, b.from(seal.Delivery, s.asked(r), nil), b.open, b.senders, activitypub.MaxBytes)
	switch {
	case errors.Is(err, seal.ErrMalformed):
		return got, http.StatusBadRequest, err
	case err != nil:
		return got, 0, unauthenticated(err)
	}
	o, err := activitypub.Parse(payload)
	if err != nil {
		return got, http.StatusBadRequest, err
	}
	got.actor = o.Ref("actor")
	if err := s.shape(o, got.actor); err != nil {
		return got, http.StatusBadRequest, err
	}
	// What proves itself counts while the exchange is parked too: new keys are the very
	// reason why the old ones are not answered with any more.
	if taken, err := s.selfProven(r, o, payload); taken {
		if err != nil {
			return got, 0, err
		}
		if b.parked() {
			s.checks.hurry(b.Authority, s.Now())
		}
	} else if err := s.awake(b); err != nil {
		return got, 0, err
	} else if err := s.stillOpen(ctx, b, o); err != nil {
		return got, 0, err
	} else if !s.unknownLeaver(r, o, got.actor) {
		v, err := s.sealedSpeaker(ctx, b, sig, payload, o)
		if err == nil {
			v.sync = s.openedHeader(r, b)
			err = s.keep(r, o, payload, v)
		}
		if err != nil && !errors.Is(err, errLeft) {
			return got, 0, err
		}
	}
	got.ack = token.Acknowledge(o.ID())
	return got, 0, nil
}

// stillOpen refuses what comes from one whose pairing has ended and that has no other
// place here, but for what takes back.
func (s *Server) stillOpen(ctx context.Context, b *bond, o object) error {
	if b.State != social.PairingLeft || takesBack(o) {
		return nil
	}
	zone, err := s.social.Zone(ctx, b.Authority)
	if err == nil && zone.Kind == social.ZoneBlocked {
		err = notAdmitted()
	}
	return err
}

// fromPaired checks the signature of a paired peer's instance.
func (s *Server) fromPaired(ctx context.Context, r *http.Request, body []byte) (*httpsig.Signature, *bond, error) {
	sig, peer, err := s.inspect(r, body)
	if err != nil {
		return nil, nil, unauthenticated(err)
	}
	b, err := s.bond(ctx, peer)
	if err == nil && b != nil {
		if wrong := b.signed(sig); wrong != nil {
			err = unauthenticated(wrong)
		}
	}
	if err == nil && (b == nil || !b.parked() && (b.State != social.PairingLeft || !s.mayGiveBack(ctx, peer))) {
		err = s.admit(ctx, peer, "", r.URL.Path)
	}
	if err == nil && b == nil {
		err = unauthenticated(errors.New("this server is not paired with yours; nothing sealed can be opened"))
	}
	return sig, b, err
}

// binding says whether a request in a paired peer's name counts at this moment.
func (s *Server) binding(b *bond, sig *httpsig.Signature) error {
	if err := b.signed(sig); err != nil {
		return unauthenticated(err)
	}
	return s.awake(b)
}

// awake refuses for now what comes while the exchange is parked.
func (s *Server) awake(b *bond) error {
	if b.parked() {
		s.checks.hurry(b.Authority, s.Now()) // it is there; perhaps its address leads to it again
		return &social.Error{Kind: social.Unavailable, Public: "the exchange with this server is parked; try again later"}
	}
	return nil
}

// errLeft: the actor is gone here, and nothing of it has an effect any more.
var errLeft = errors.New("the actor has left")

// sealedSpeaker is whose word a sealed activity is: a person of the peer, for whom the
// peer's instance speaks, or somebody else whose proof it bears.
func (s *Server) sealedSpeaker(ctx context.Context, b *bond, sig *httpsig.Signature, payload []byte, o object) (*verified, error) {
	v, actor := &verified{peer: b.Authority, at: sig.At, key: sig.KeyID}, o.Ref("actor")
	if authority, err := activitypub.Authority(actor); err != nil || authority != b.Authority {
		p, err := s.claim(payload, actor)
		if err == nil {
			err = s.mayPassOn(ctx, sig.KeyID, actor, p)
		}
		if err == nil && !s.inTime(p) {
			err = unauthenticated(errors.New("the proof is too old"))
		}
		if err != nil {
			return nil, err
		}
		v.account, err = s.provenBy(ctx, p, actor, b.Authority)
		return v, err
	}
	a, err := s.pairedAccount(ctx, actor)
	if err == nil && !a.DeletedAt.IsZero() {
		err = errLeft
	}
	if err == nil && !a.Active() {
		err = notAdmitted()
	}
	v.account = a
	return v, err
}

// pairedAccount finds an account of a paired peer, known or fetched from there.
func (s *Server) pairedAccount(ctx context.Context, uri string) (*social.Account, error) {
	a, err := s.account(ctx, uri)
	switch {
	case err == nil:
		return a, nil
	case transient(err), social.KindOf(err) == social.Limited:
		return nil, comeLater(err)
	}
	return nil, unauthenticated(err)
}

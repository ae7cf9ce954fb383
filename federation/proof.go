package federation

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/social"
)

// proofLife is how long after it was made a proof speaks for what somebody else
// passes on. Ids of activities are remembered twice as long, so nothing that was
// here once comes back by it (T4).
const proofLife = 30 * 24 * time.Hour

// proofKey is the Ed25519 key of a member or of the instance.
func (s *Server) proofKey(ctx context.Context, tx social.Tx, account social.ID) (proof.Key, error) {
	if id, err := s.instanceID(ctx, tx); err != nil || id == account {
		if err != nil {
			return proof.Key{}, err
		}
		return s.instanceKey(ctx, tx)
	}
	k, err := s.keys.get(account, "ed25519", func() ([]social.Key, error) { return tx.KeysOf(ctx, account) })
	private, _ := k.Private.(ed25519.PrivateKey)
	return proof.Key{ID: k.ID, Private: private}, err
}

// prove writes an activity with its actor's proof, so that whoever passes it on is
// believed. A post inside carries one of its own: it is kept without its activity.
func (s *Server) prove(ctx context.Context, tx social.Tx, actor social.ID, o object) ([]byte, error) {
	key, err := s.proofKey(ctx, tx, actor)
	if err != nil {
		return nil, err
	}
	// What is a part of another document (a vote) bears none (FEP-8b32).
	if post, ok := o["object"].(object); ok && post.IsPost() && !strings.Contains(post.ID(), "#") {
		b, err := activitypub.Encode(post)
		if err != nil {
			return nil, err
		}
		if b, err = proof.Sign(b, key, s.Now()); err != nil {
			return nil, err
		}
		o["object"] = json.RawMessage(b)
	}
	body, err := activitypub.Marshal(o)
	if err != nil {
		return nil, err
	}
	return proof.Sign(body, key, s.Now())
}

// claim is the proof that a document carries in its owner's name: nil when there is
// none, or one of a kind that is not read here (FEP-8b32, verification).
func (s *Server) claim(document []byte, owner string) (*proof.Proof, error) {
	p, err := proof.Inspect(document, s.Now())
	if errors.Is(err, proof.ErrNone) || proof.Unusable(err) {
		return nil, nil
	}
	if err != nil {
		return nil, unauthenticated(err)
	}
	if u, err := url.Parse(p.VerificationMethod); err != nil || !strings.HasPrefix(u.Scheme, "http") {
		return nil, nil // a DID, which nobody here can look up
	}
	if !keyOf(p.VerificationMethod, owner) {
		return nil, unauthenticated(errors.New("the proof is not by the owner of the document"))
	}
	return p, nil
}

// errNoKey says that the key of a proof cannot be had.
var errNoKey = errors.New("the key of the proof cannot be looked up")

// provenBy checks a proof with its owner's key, known or fetched within the budget
// of whoever passed it on.
func (s *Server) provenBy(ctx context.Context, p *proof.Proof, owner, passer string) (*social.Account, error) {
	k, a, err := s.storedKey(ctx, p.VerificationMethod)
	cached, old := err == nil, false
	if cached {
		old, err = s.beforePairing(ctx, k, a)
	}
	if old || errors.Is(err, social.ErrNotFound) {
		if !s.passedOn.take(passer, s.Now()) {
			return nil, comeLater(errors.New("too many unknown keys passed on by " + passer))
		}
		if old {
			k, a, err = s.fetchKey(ctx, p.VerificationMethod)
		} else {
			k, a, _, err = s.key(ctx, p.VerificationMethod)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoKey, err)
	}
	if err = checkProof(p, k); err != nil && cached {
		if k, a, err = s.refetchKey(ctx, p.VerificationMethod); err == nil {
			err = checkProof(p, k)
		}
	}
	switch {
	case err != nil && social.KindOf(err) == social.Internal:
		return nil, unauthenticated(err)
	case err != nil:
		return nil, err
	case a.URI != owner:
		return nil, unauthenticated(errors.New("the proof is not by the owner of the document"))
	case !a.Active():
		return nil, notAdmitted()
	}
	return a, nil
}

// beforePairing says that the key of a paired peer's person was read when only its
// domain's word was to be had for it. Read again it comes sealed by the peer's instance.
func (s *Server) beforePairing(ctx context.Context, k social.Key, a *social.Account) (bool, error) {
	b, err := s.bond(ctx, a.Authority)
	return b != nil && k.FetchedAt.Before(b.Since), err
}

func checkProof(p *proof.Proof, k social.Key) error {
	public, err := httpsig.ParsePublic(k.Public)
	if err != nil {
		return err
	}
	return p.Verify(public)
}

// inTime says that a proof is young enough for what somebody else passes on.
func (s *Server) inTime(p *proof.Proof) bool {
	return !p.Created.IsZero() && s.Now().Sub(p.Created) < proofLife
}

// proven gives what an activity of somebody else embeds, when that bears a proof of
// its own author (DESIGN 4, a): the post, or the post in the Create that a group
// passes on whole (FEP-1b12). False: ask its server.
func (s *Server) proven(ctx context.Context, passer string, o object, body []byte) (object, bool) {
	e, ok := o.Embedded("object")
	raw := proof.Part(body, "object")
	if !ok || raw == nil {
		return nil, false
	}
	if e.Type() != activitypub.Create {
		return e, e.IsPost() && s.provenPart(ctx, passer, e, e.Ref("attributedTo"), raw)
	}
	post, ok := e.Embedded("object")
	actor := e.Ref("actor")
	if !ok || post.Ref("attributedTo") != actor || !activitypub.SameAuthority(post.ID(), actor) {
		return nil, false
	}
	return post, s.provenPart(ctx, passer, e, actor, raw)
}

func (s *Server) provenPart(ctx context.Context, passer string, e object, owner string, raw []byte) bool {
	authority, err := activitypub.Authority(owner)
	if err != nil || !e.Has("proof") || !activitypub.SameAuthority(e.ID(), owner) || s.Links.Owns(owner) {
		return false
	}
	if zone, err := s.social.Zone(ctx, authority); err != nil || zone.Kind == social.ZoneBlocked {
		return false
	}
	p, err := s.claim(raw, owner)
	if err != nil || p == nil || !s.inTime(p) {
		return false
	}
	_, err = s.provenBy(ctx, p, owner, passer)
	return err == nil
}

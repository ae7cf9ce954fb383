package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/social"
)

// keyChange says that an instance has new keys; it bears the proof of the former one.
type keyChange struct {
	Type        string    `json:"type"`
	Actor       string    `json:"actor"`
	SigningKey  string    `json:"signingKey"` // Multikey
	SealingKey  string    `json:"sealingKey"`
	Created     time.Time `json:"created"`
	FormerUntil time.Time `json:"formerUntil"` // when the former keys are dead
}

// keyChangeNow writes ours, signed by the key that others have pinned.
func (s *Server) keyChangeNow(ctx context.Context, tx social.Tx) ([]byte, error) {
	own, err := s.social.OwnTerms(ctx, tx)
	if err != nil {
		return nil, err
	}
	former, err := s.social.FormerKey(ctx, tx)
	if err != nil {
		return nil, err
	}
	private, err := httpsig.ParsePrivate(former.Private)
	if err != nil {
		return nil, err
	}
	ed, ok := private.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is no Ed25519 key", former.URI)
	}
	actor := s.Links.InstanceActor()
	b, err := json.Marshal(keyChange{Type: typeNewKeys, Actor: actor, SigningKey: httpsig.EncodeMultikey(own.SigningKey), SealingKey: httpsig.EncodeSealingKey(own.SealingKey),
		Created: s.Now().UTC(), FormerUntil: former.ExpiresAt.UTC()})
	if err != nil {
		return nil, err
	}
	return proof.Sign(b, proof.Key{ID: s.Links.EdKey(actor), Private: ed}, s.Now())
}

// takeKeys pins the new keys of a paired instance.
func (s *Server) takeKeys(ctx context.Context, b []byte, from string) error {
	var c keyChange
	if err := json.Unmarshal(b, &c); err != nil {
		return social.Errorf(social.Invalid, "this is no change of keys")
	}
	authority, err := activitypub.Authority(c.Actor)
	if err != nil || authority != from || c.Actor != s.Links.Of(authority).InstanceActor() {
		return social.Errorf(social.Invalid, "this is no change of keys of the instance that sent it")
	}
	signing, err := httpsig.DecodeSigningKey(c.SigningKey)
	if err != nil {
		return &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	sealing, err := httpsig.DecodeSealingKey(c.SealingKey)
	if err != nil {
		return &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	return s.Store.Tx(ctx, func(tx social.Tx) error {
		p, err := tx.Pairing(ctx, authority)
		if errors.Is(err, social.ErrNotFound) || err == nil && p.State == social.PairingLeft {
			return notAdmitted()
		}
		if err != nil {
			return err
		}
		if bytes.Equal(p.SigningKey, signing) && bytes.Equal(p.SealingKey, sealing) {
			return nil // it came again, or the roster was faster
		}
		// The present key alone: a former one that somebody found brings in no other.
		if err := s.provenByKey(b, c.Actor, p.SigningKey); err != nil {
			return &social.Error{Kind: social.Forbidden, Public: "the change of keys is not signed by the key that is pinned here", Err: err}
		}
		return s.social.ApplyKeys(ctx, tx, p, signing, sealing, c.FormerUntil)
	})
}

package social

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"time"
)

// formerSuffix ends the URI of a key of ours that was replaced.
const formerSuffix = "-former"

// RotateKeys gives the instance new keys to sign and to seal with. All who are paired
// are told in a statement that the former key signs; for KeyOverlap both are good, and
// each peer is spoken to with the one that it knows. It answers who is told.
func (s *Service) RotateKeys(ctx context.Context, by string) (told []string, err error) {
	keys, err := s.NewKeys()
	if err != nil {
		return nil, err
	}
	sealing, err := s.NewSealingKey()
	if err != nil {
		return nil, err
	}
	fresh := map[string]Key{s.Links.SealingKey(): sealing}
	for _, k := range keys {
		if k.Kind == "ed25519" {
			fresh[s.Links.EdKey(s.Links.InstanceActor())] = k
		}
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		told = nil
		before, err := s.OwnTerms(ctx, tx)
		if err != nil {
			return err
		}
		until := s.Now().Add(KeyOverlap)
		for uri, k := range fresh {
			if err := s.replaceKey(ctx, tx, uri, k, until); err != nil {
				return err
			}
		}
		own, err := s.OwnTerms(ctx, tx)
		if err != nil {
			return err
		}
		if err := s.auditPairing(ctx, tx, AuditRow{Rule: "keys", Key: base64.RawURLEncoding.EncodeToString(Fingerprint(own.SigningKey)), Result: "changed", By: by}); err != nil {
			return err
		}
		if told, err = s.tellKeys(ctx, tx, before); err != nil {
			return err
		}
		return s.renewOwnEntry(ctx, tx, before, own, until)
	})
	return told, err
}

// replaceKey puts a key of the instance in the place of another, which stays beside it
// for a while.
func (s *Service) replaceKey(ctx context.Context, tx Tx, uri string, k Key, until time.Time) error {
	if old, err := tx.KeyByURI(ctx, uri+formerSuffix); err == nil && s.Now().Before(old.ExpiresAt) {
		return adminErrorf(Conflict, "the keys were changed less than 7 days ago, and the former ones are good until %s; change them again after that", old.ExpiresAt.Format(time.RFC3339))
	}
	old, err := tx.KeyByURI(ctx, uri)
	if err != nil {
		return err
	}
	k.URI, k.AccountID = uri, old.AccountID
	old.URI, old.ExpiresAt = uri+formerSuffix, until
	if err := tx.PutKey(ctx, old); err != nil {
		return err
	}
	return tx.PutKey(ctx, k)
}

// tellKeys tells everybody who is paired.
func (s *Service) tellKeys(ctx context.Context, tx Tx, before Terms) (told []string, err error) {
	actor, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
	if err != nil {
		return nil, err
	}
	list, err := tx.Pairings(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if p.State == PairingLeft {
			continue
		}
		if len(p.OwnKey) == 0 {
			p.OwnKey = before.SigningKey
			if err := tx.PutPairing(ctx, p); err != nil {
				return nil, err
			}
		}
		if err := s.Outbox.Record(ctx, tx, Change{Verb: VerbNewKeys, Actor: actor, Peer: p.Authority, At: s.Now()}); err != nil {
			return nil, err
		}
		told = append(told, p.Authority)
	}
	return told, nil
}

// renewOwnEntry writes the keeper's new keys into the roster.
func (s *Service) renewOwnEntry(ctx context.Context, tx Tx, before, own Terms, until time.Time) error {
	r, err := s.Roster(ctx, tx)
	if err != nil || r == nil || r.Keeper != s.home {
		return err
	}
	for i := range r.Members {
		if m := &r.Members[i]; m.Authority == s.home {
			m.SigningKey, m.SealingKey, m.FormerKey, m.FormerUntil = own.SigningKey, own.SealingKey, before.SigningKey, until
		}
	}
	return s.publishRoster(ctx, tx, r)
}

// FormerKey is the instance's signing key before the last change, while it is good.
func (s *Service) FormerKey(ctx context.Context, tx Tx) (Key, error) {
	k, err := tx.KeyByURI(ctx, s.Links.EdKey(s.Links.InstanceActor())+formerSuffix)
	if err == nil && !s.Now().Before(k.ExpiresAt) {
		err = NotFoundError()
	}
	return k, err
}

// unheard says that a paired instance has not taken our present key yet: it was down.
func (s *Service) unheard(ctx context.Context, tx Tx) (bool, error) {
	own, err := s.OwnTerms(ctx, tx)
	if err != nil {
		return false, err
	}
	list, err := tx.Pairings(ctx)
	return slices.ContainsFunc(list, func(p Pairing) bool {
		return p.State != PairingLeft && len(p.OwnKey) > 0 && !slices.Equal(p.OwnKey, own.SigningKey)
	}), err
}

// longer is how much longer a former key stays good each time that somebody is found
// who knows no other.
const longer = 24 * time.Hour

// DropFormerKeys removes keys whose time is over: what was caught on the wire under them
// can be opened by nobody any more. While a paired instance has not heard of the change,
// and that may take a month, their time is not over: it would take us for somebody else.
func (s *Service) DropFormerKeys(ctx context.Context) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		unheard, err := s.unheard(ctx, tx)
		if err != nil {
			return err
		}
		for _, uri := range []string{s.Links.EdKey(s.Links.InstanceActor()), s.Links.SealingKey()} {
			k, err := tx.KeyByURI(ctx, uri+formerSuffix)
			if errors.Is(err, ErrNotFound) || err == nil && s.Now().Before(k.ExpiresAt.Add(-longer/2)) {
				continue
			}
			if err == nil && unheard {
				k.ExpiresAt = s.Now().Add(longer)
				err = tx.PutKey(ctx, k)
			}
			if err != nil {
				return err
			}
			if s.Now().Before(k.ExpiresAt) {
				continue
			}
			if err := tx.DeleteKey(ctx, k.URI); err != nil {
				return err
			}
		}
		return nil
	})
}

// KeysTold notes that a peer has pinned our present key.
func (s *Service) KeysTold(ctx context.Context, tx Tx, host string) error {
	p, on, err := pairedWith(ctx, tx, host)
	if err != nil || !on {
		return err
	}
	own, err := s.OwnTerms(ctx, tx)
	if err != nil {
		return err
	}
	p.OwnKey = own.SigningKey
	return tx.PutPairing(ctx, p)
}

// ApplyKeys takes the new keys of a paired instance, which its present key has signed.
// The keeper of the roster tells the others.
func (s *Service) ApplyKeys(ctx context.Context, tx Tx, p Pairing, signing, sealing []byte, until time.Time) error {
	if latest := s.Now().Add(KeyOverlap); until.After(latest) {
		until = latest
	}
	p.Pin(signing, sealing, until)
	if err := tx.PutPairing(ctx, p); err != nil {
		return err
	}
	if err := s.auditPairing(ctx, tx, AuditRow{Peer: p.Authority, Zone: p.Zone.String(), Rule: "keys",
		Key: base64.RawURLEncoding.EncodeToString(Fingerprint(signing)), Result: "changed"}); err != nil {
		return err
	}
	r, err := s.Roster(ctx, tx)
	if _, member := r.Member(p.Authority); err != nil || !member || r.Keeper != s.home {
		return err
	}
	own, err := s.OwnTerms(ctx, tx)
	if err != nil {
		return err
	}
	return s.keep(ctx, tx, own, p.Authority)
}

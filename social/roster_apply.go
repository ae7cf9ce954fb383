package social

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// ApplyRoster does what a roster says that its keeper signed: it pins new members, and
// ends with those who are gone.
func (s *Service) ApplyRoster(ctx context.Context, tx Tx, r *Roster) error {
	had, err := s.Roster(ctx, tx)
	if err != nil {
		return err
	}
	switch {
	case r.Keeper == s.home:
		return adminErrorf(Forbidden, "the roster of this instance is made here")
	case had != nil && had.Keeper != r.Keeper:
		return adminErrorf(Forbidden, "the roster that counts here is kept by %s, not %s", had.Keeper, r.Keeper)
	case had != nil && r.Number < had.Number:
		return adminErrorf(Gone, "the roster %d is older than the %d that is known here", r.Number, had.Number)
	case had != nil && r.Number == had.Number:
		return sameRoster(had, r)
	}
	me, in := r.Member(s.home)
	switch {
	case !in && had == nil:
		// One from before this instance joined may come from anybody; the keeper says
		// itself when it takes a member off.
		return adminErrorf(Forbidden, "the roster %d does not name this instance, which has joined by a code", r.Number)
	case !in:
		return s.outOfRoster(ctx, tx, r.Keeper, "the roster no longer names this instance")
	}
	if err := putRoster(ctx, tx, r); err != nil {
		return err
	}
	for _, m := range r.Members {
		if err := s.pin(ctx, tx, r, me, m); err != nil {
			return err
		}
	}
	list, err := tx.Pairings(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		if _, still := r.Member(p.Authority); p.Keeper == r.Keeper && !still {
			if err := s.end(ctx, tx, p, "no longer in the roster", "", false); err != nil {
				return err
			}
		}
	}
	if had != nil {
		return nil
	}
	// New here: others may not have heard yet, and the keeper may be down.
	actor, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
	if err != nil {
		return err
	}
	others := *r
	others.Members = slices.DeleteFunc(slices.Clone(r.Members), func(m RosterMember) bool { return m.Authority == r.Keeper })
	if len(others.Members) == 1 {
		return nil
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbRoster, Actor: actor, Roster: &others, At: s.Now()})
}

// sameRoster refuses a roster that has the number of the known one and other members:
// its keeper has lost what it said, or its key is somebody else's too.
func sameRoster(had, r *Roster) error {
	a, err := json.Marshal(had.Members)
	if err != nil {
		return err
	}
	b, err := json.Marshal(r.Members)
	if err == nil && !bytes.Equal(a, b) {
		err = adminErrorf(Conflict, "the roster %d of %s is known here with other members", r.Number, r.Keeper)
	}
	return err
}

// pin makes a member of the roster a sister, unless an administrator here decided
// otherwise about it. Each of the two has what the other wrote since both are members.
func (s *Service) pin(ctx context.Context, tx Tx, r *Roster, me, m RosterMember) error {
	if m.Authority == s.home || m.Authority == r.Keeper {
		return nil
	}
	vetoed, err := s.vetoes(ctx, tx)
	if err != nil {
		return err
	}
	peer, err := tx.Peer(ctx, m.Authority)
	if err != nil || slices.Contains(vetoed, m.Authority) || peer.Zone.Kind == ZoneBlocked || peer.Zone.Kind == ZonePartner {
		return err
	}
	p, err := tx.Pairing(ctx, m.Authority)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if p.State == PairingLeft && p.Cause == endedThere && p.Keeper == r.Keeper && !m.Since.After(p.EndedAt) {
		return nil // it vetoed this instance: a roster says nothing else of it, unless it joined anew
	}
	if p.State == PairingActive && p.Zone.Kind == ZoneCompany && slices.Equal(p.SigningKey, m.SigningKey) && slices.Equal(p.SealingKey, m.SealingKey) && p.Keeper == r.Keeper {
		return nil
	}
	if p.State == PairingLeft {
		p.SigningKey = nil
	}
	var former time.Time
	if s.Now().Before(m.FormerUntil) && slices.Equal(p.SigningKey, m.FormerKey) {
		former = m.FormerUntil
	}
	p.Pin(m.SigningKey, m.SealingKey, former)
	p.Authority, p.Zone, p.Name, p.Keeper, p.OwnKey = m.Authority, Zone{Kind: ZoneCompany}, m.Name, r.Keeper, me.SigningKey
	p.Invitation, p.ExpiresAt, p.EndedAt, p.Cause = "", time.Time{}, time.Time{}, ""
	p.DataClasses = dataClasses(p.Zone)
	if p.Since = m.Since; me.Since.After(m.Since) {
		p.Since = me.Since
	}
	return s.paired(ctx, tx, p, "")
}

// outOfRoster ends with all that this instance knows by a roster.
func (s *Service) outOfRoster(ctx context.Context, tx Tx, keeper, cause string) error {
	list, err := tx.Pairings(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Keeper == keeper {
			if err := s.end(ctx, tx, p, cause, "", false); err != nil {
				return err
			}
		}
	}
	return putRoster(ctx, tx, nil)
}

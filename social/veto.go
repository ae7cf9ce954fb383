package social

import (
	"context"
	"errors"
	"slices"
)

const vetoSetting = "roster.vetoes"

func (s *Service) vetoes(ctx context.Context, tx Tx) ([]string, error) {
	var list []string
	return list, getJSON(ctx, tx, vetoSetting, &list)
}

func (s *Service) putVeto(ctx context.Context, tx Tx, host string, on bool) error {
	list, err := s.vetoes(ctx, tx)
	if err != nil || slices.Contains(list, host) == on {
		return err
	}
	list = slices.DeleteFunc(list, func(h string) bool { return h == host })
	if on {
		list = append(list, host)
	}
	return putJSON(ctx, tx, vetoSetting, list)
}

// Veto keeps a member of the roster from being a sister here, now or when it joins.
func (s *Service) Veto(ctx context.Context, host, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		keeper, err := s.keeper(ctx, tx)
		switch {
		case err != nil:
			return err
		case host == s.home:
			return adminErrorf(Invalid, "%s is this instance itself", host)
		case keeper == s.home:
			return adminErrorf(Conflict, "this instance keeps the roster; to take %s off it: parley peer remove %s", host, host)
		case keeper == host:
			return adminErrorf(Conflict, "%s keeps the roster; to have nothing to do with it: parley peer leave", host)
		}
		if err := s.putVeto(ctx, tx, host, true); err != nil {
			return err
		}
		if err := s.auditPairing(ctx, tx, AuditRow{Peer: host, Rule: "veto", Result: "vetoed", By: by}); err != nil {
			return err
		}
		p, on, err := pairedWith(ctx, tx, host)
		if err != nil || !on || p.Zone.Kind != ZoneCompany {
			return err
		}
		return s.end(ctx, tx, p, "vetoed here", by, true)
	})
}

// Unveto lifts a veto; a member of the roster is a sister again. The other side does
// the same, where it has heard of the veto.
func (s *Service) Unveto(ctx context.Context, host, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.putVeto(ctx, tx, host, false); err != nil {
			return err
		}
		if err := s.auditPairing(ctx, tx, AuditRow{Peer: host, Rule: "veto", Result: "lifted", By: by}); err != nil {
			return err
		}
		p, err := tx.Pairing(ctx, host)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case p.Cause == endedThere:
			p.Cause = "the veto there was lifted"
			if err := tx.PutPairing(ctx, p); err != nil {
				return err
			}
		}
		r, err := s.Roster(ctx, tx)
		if err != nil {
			return err
		}
		m, in := r.Member(host)
		me, ok := r.Member(s.home)
		if !in || !ok {
			return nil
		}
		return s.pin(ctx, tx, r, me, m)
	})
}

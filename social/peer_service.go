package social

import (
	"context"
	"strings"
	"time"
)

// PeerReader is an actor of another instance, or with a nil actor the whole
// instance, with the zone that counts at this moment.
func (s *Service) PeerReader(ctx context.Context, peer string, actor *Account) (r Reader, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err := tx.Peer(ctx, peer)
		r = s.ReaderAt(p, actor)
		return err
	})
	return r, err
}

// ReaderAt is PeerReader for a peer that was just read, in the same transaction.
func (s *Service) ReaderAt(p Peer, actor *Account) Reader {
	r := Reader{Account: actor, Peer: p.Authority, Zone: p.effective(s.Mode, s.Now()), Home: s.home}
	if p.Pairing != "" {
		r.From = p.VisibleFrom
	}
	return r
}

// Zone is the zone of a peer that counts now.
func (s *Service) Zone(ctx context.Context, peer string) (z Zone, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		z, err = s.ZoneIn(ctx, tx, peer)
		return err
	})
	return z, err
}

// ZoneIn is Zone inside a transaction.
func (s *Service) ZoneIn(ctx context.Context, tx Tx, peer string) (Zone, error) {
	p, err := tx.Peer(ctx, peer)
	return p.effective(s.Mode, s.Now()), err
}

// SetZone puts a peer into a zone; every queued delivery obeys at its next attempt,
// and copies of a blocked server's files go. by is the member or the command that says
// so, and why.
func (s *Service) SetZone(ctx context.Context, host string, z Zone, reason, by string) error {
	if err := CheckReason(reason); err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error { return s.setZone(ctx, tx, host, z, reason, by) })
}

// CheckReason refuses an act for which nobody says why.
func CheckReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return Errorf(Invalid, "say why: whoever reads the record later wants to know")
	}
	return nil
}

// setZone is SetZone inside a transaction.
func (s *Service) setZone(ctx context.Context, tx Tx, host string, z Zone, reason, by string) error {
	if host == s.home {
		return Errorf(Invalid, "%s is this instance itself", host)
	}
	if on, err := s.unsettle(ctx, tx, host, z, reason, by); err != nil || on {
		return err
	}
	was, err := s.ZoneIn(ctx, tx, host)
	if err != nil {
		return err
	}
	if err := tx.SetZone(ctx, host, z, reason, s.Now()); err != nil {
		return err
	}
	if err := s.moveDirectory(ctx, tx, host, was); err != nil {
		return err
	}
	if err := s.takeBackLater(ctx, tx, host, was); err != nil {
		return err
	}
	if err := tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditZone, Peer: host, Zone: z.String(), Result: "set", Cause: reason, By: by}); err != nil || z.Kind != ZoneBlocked {
		return err
	}
	files, err := tx.DropBlockedMedia(ctx)
	tx.AfterCommit(func() { s.removeFiles(files) })
	return err
}

// Peers lists the known peers.
func (s *Service) Peers(ctx context.Context) (list []Peer, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Peers(ctx)
		return err
	})
	return list, err
}

// unsettle ends the pairing with a host that gets another zone; it says whether the
// host stands there already, by its pairing. Nobody becomes a sister by a word.
func (s *Service) unsettle(ctx context.Context, tx Tx, host string, z Zone, reason, by string) (there bool, err error) {
	p, on, err := pairedWith(ctx, tx, host)
	switch {
	case err != nil:
		return false, err
	case on && p.Zone == z && p.Holds(s.Now()):
		return true, nil
	case on && p.Zone == z && p.State == PairingParked:
		return false, adminErrorf(Conflict, "the pairing with %s is parked (%s). To join again by a new code, run here: parley peer invite %s", host, p.Cause, host)
	case on && p.Zone == z:
		return false, adminErrorf(Conflict, "the pairing with %s ran out at %s. To join again by a new code, run here: parley peer invite %s --zone %s", host, p.ExpiresAt.UTC().Format(time.RFC3339), host, z)
	case z.Kind == ZoneCompany:
		return false, adminErrorf(Conflict, "a company of the group joins by a code. Run here: parley peer invite %s. Then run there: parley peer accept CODE", host)
	case !on:
		return false, nil
	}
	if err := s.end(ctx, tx, p, reason, by, z.Kind != ZoneBlocked); err != nil {
		return false, err
	}
	if p.Keeper == "" || p.Keeper == host {
		return false, nil
	}
	if p.Keeper == s.home {
		return false, s.dropMember(ctx, tx, host)
	}
	return false, s.putVeto(ctx, tx, host, true) // else the next roster would bring it back
}

// RemovePeer forgets the decision about a peer: it is unknown again. With one that is
// paired that ends; the keeper of the roster takes a member off it. by is who says so.
func (s *Service) RemovePeer(ctx context.Context, host, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, on, err := pairedWith(ctx, tx, host)
		switch {
		case err != nil:
			return err
		case on && p.Keeper == host:
			return adminErrorf(Conflict, "%s keeps the roster of the company; to go out of it: parley peer leave", host)
		case on && p.Keeper != "" && p.Keeper != s.home:
			return adminErrorf(Conflict, "%s is in the roster that %s keeps, and only that one takes it off. To have nothing to do with it here: parley peer veto %s", host, p.Keeper, host)
		case on:
			if err := s.end(ctx, tx, p, "removed here", by, true); err != nil {
				return err
			}
			return s.dropMember(ctx, tx, host)
		}
		was, err := s.ZoneIn(ctx, tx, host)
		if err != nil {
			return err
		}
		if err := tx.RemovePeer(ctx, host); err != nil {
			return err
		}
		if err := s.moveDirectory(ctx, tx, host, was); err != nil {
			return err
		}
		if err := s.takeBackLater(ctx, tx, host, was); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditZone, Peer: host, Result: "removed", By: by})
	})
}

package social

import "context"

// PeerReader is an actor of another instance, or with a nil actor the whole
// instance, with the zone that counts at this moment.
func (s *Service) PeerReader(ctx context.Context, peer string, actor *Account) (r Reader, err error) {
	zone, err := s.Zone(ctx, peer)
	return Reader{Account: actor, Peer: peer, Zone: zone, Home: s.home}, err
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
	return s.Mode.Effective(p.Zone), err
}

// SetZone puts a peer into a zone; every queued delivery obeys at its next attempt,
// and copies of a blocked server's files go.
func (s *Service) SetZone(ctx context.Context, host string, z Zone, reason string) error {
	return s.Store.Tx(ctx, func(tx Tx) error { return s.setZone(ctx, tx, host, z, reason, "") })
}

// setZone is SetZone inside a transaction, by a member or "" for a command.
func (s *Service) setZone(ctx context.Context, tx Tx, host string, z Zone, reason, by string) error {
	if host == s.home {
		return Errorf(Invalid, "%s is this instance itself", host)
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

// RemovePeer forgets the decision about a peer: it is unknown again.
func (s *Service) RemovePeer(ctx context.Context, host string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
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
		return tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditZone, Peer: host, Result: "removed"})
	})
}

package social

import (
	"bytes"
	"context"
)

// Park stops all exchange with a paired peer at whose address somebody answers without
// the pinned keys. Nothing is lost: what is to be sent waits. It does nothing when the
// peer has got other keys meanwhile, or is not active.
func (s *Service) Park(ctx context.Context, p Pairing, cause string) error {
	return s.setParked(ctx, p, PairingActive, PairingParked, cause, "")
}

// Unpark goes on with the exchange: the holder of the pinned keys has answered. by is
// who ordered the check, "" nobody.
func (s *Service) Unpark(ctx context.Context, p Pairing, by string) error {
	return s.setParked(ctx, p, PairingParked, PairingActive, "", by)
}

func (s *Service) setParked(ctx context.Context, p Pairing, from, to PairingState, cause, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		now, err := tx.Pairing(ctx, p.Authority)
		if err != nil || now.State != from || !bytes.Equal(now.SigningKey, p.SigningKey) || !bytes.Equal(now.SealingKey, p.SealingKey) {
			return err
		}
		now.State, now.Cause = to, cause
		if err := tx.PutPairing(ctx, now); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			if to == PairingParked {
				s.Log.Error("a paired server is parked: somebody answers at its address without its keys", "peer", p.Authority, "cause", cause)
				return
			}
			s.Log.Info("a parked server answers with its keys again", "peer", p.Authority)
		})
		return tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditPairing, Peer: p.Authority, Zone: now.Zone.String(), Rule: "pinned keys",
			Result: string(to), Cause: cause, By: by})
	})
}

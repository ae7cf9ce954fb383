package storagetest

import (
	"context"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// pairingsAreKept: one for each authority, whole, those that ended too.
func pairingsAreKept(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	now := time.Now().Truncate(time.Millisecond)
	p := social.Pairing{Authority: "b.test", State: social.PairingActive, Zone: social.Zone{Kind: social.ZoneCompany}, Keeper: "a.test",
		SigningKey: []byte{1, 2}, SealingKey: []byte{3}, Since: now, ExpiresAt: now.Add(time.Hour)}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		if _, err := tx.Pairing(ctx, "b.test"); social.KindOf(err) != social.NotFound {
			t.Errorf("a pairing that never was: %v", err)
		}
		return tx.PutPairing(ctx, p)
	}))
	p.State, p.EndedAt = social.PairingLeft, now
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.PutPairing(ctx, p) }))
	must(t, db.View(ctx, func(tx social.Tx) error {
		got, err := tx.Pairing(ctx, "b.test")
		if err != nil {
			return err
		}
		if got.State != social.PairingLeft || got.Zone != p.Zone || got.Keeper != p.Keeper || string(got.SigningKey) != "\x01\x02" || !got.Since.Equal(now) {
			t.Errorf("kept %+v", got)
		}
		all, err := tx.Pairings(ctx)
		if len(all) != 1 {
			t.Errorf("%d pairings for one authority", len(all))
		}
		return err
	}))
}

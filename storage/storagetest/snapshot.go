package storagetest

import (
	"context"
	"testing"

	"parley/social"
	"parley/storage"
)

// snapshotKeepsAccounts reads the same accounts again within one snapshot, each in the
// ways a page does: what comes is as it was at its beginning, and the caller's own.
func snapshotKeepsAccounts(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	must(t, db.View(ctx, func(tx social.Tx) error {
		found, err := tx.Accounts(ctx, []social.ID{alice.ID})
		if err != nil {
			return err
		}
		found[alice.ID].DisplayName = "the caller's own word"
		renamed := *alice
		renamed.DisplayName = "Alice, renamed meanwhile"
		if err := db.Tx(ctx, func(tx social.Tx) error { return tx.UpdateAccount(ctx, &renamed) }); err != nil {
			return err
		}
		found, err = tx.Accounts(ctx, []social.ID{alice.ID, bob.ID, alice.ID, 1})
		one, err2 := tx.Account(ctx, alice.ID)
		other, err3 := tx.Account(ctx, bob.ID)
		if err := first(err, err2, err3); err != nil {
			return err
		}
		if len(found) != 2 || found[alice.ID].DisplayName != alice.DisplayName || found[bob.ID].URI != bob.URI || one.DisplayName != alice.DisplayName || one == found[alice.ID] || other.URI != bob.URI {
			t.Errorf("within one snapshot: %+v, %+v, %+v", found, one, other)
		}
		return nil
	}))
	must(t, db.View(ctx, func(tx social.Tx) error {
		if a, err := tx.Account(ctx, alice.ID); err != nil || a.DisplayName != "Alice, renamed meanwhile" {
			t.Errorf("the next snapshot reads %+v, %v", a, err)
		}
		return nil
	}))
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		a, err := tx.Account(ctx, alice.ID)
		if err != nil {
			return err
		}
		a.DisplayName = "Alice, in a transaction"
		err = tx.UpdateAccount(ctx, a)
		found, err2 := tx.Accounts(ctx, []social.ID{alice.ID})
		if err == nil && err2 == nil && found[alice.ID].DisplayName != a.DisplayName {
			t.Errorf("a transaction does not read what it wrote: %+v", found[alice.ID])
		}
		return first(err, err2)
	}))
}

package storagetest

import (
	"context"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// An activity is known by whichever inbox it came to, also when it is done.
func activityIsKnownByWhicheverInbox(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		in := &social.Inbound{URI: "https://b.test/1", InboxID: 7, Peer: "b.test", Body: []byte("{}"), ReceivedAt: time.Now()}
		if _, err := tx.InsertInbound(ctx, in); err != nil {
			return err
		}
		return tx.FinishInbound(ctx, in.ID, "applied")
	}))
	must(t, db.View(ctx, func(tx social.Tx) error {
		had, err := tx.WasInbound(ctx, "https://b.test/1")
		other, otherErr := tx.WasInbound(ctx, "https://b.test/2")
		if !had || other || otherErr != nil {
			t.Errorf("%v %v %v", had, other, otherErr)
		}
		return err
	}))
}

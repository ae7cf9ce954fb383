package storagetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/auth"
	"parley/social"
	"parley/storage"
)

// pushesEndWithTheirSession: a browser or an app is told as long as it is signed in.
func pushesEndWithTheirSession(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now().Truncate(time.Millisecond)
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "")
	session := &auth.Session{ID: social.NewID(now), AccountID: alice.ID, Hash: []byte("s"), CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(time.Hour)}
	token := &auth.Token{ID: social.NewID(now), AccountID: alice.ID, Hash: []byte("t"), App: "app", Scopes: "push", CreatedAt: now, LastUsedAt: now}
	must(t, first(db.InsertSession(ctx, session), db.InsertToken(ctx, token)))
	make := func(session, token social.ID, endpoint string) *social.PushSubscription {
		return &social.PushSubscription{ID: social.NewID(now), AccountID: alice.ID, SessionID: session, TokenID: token, Endpoint: endpoint, PublicKey: []byte{4, 1}, Secret: []byte{2},
			Kinds: []social.NotificationKind{social.NotifyMention, social.NotifyPoll}, Senders: social.PushAll, CreatedAt: now}
	}
	browser, app := make(session.ID, 0, "https://push.test/2"), make(0, token.ID, "https://push.test/3")
	both(t, db, func(tx social.Tx) error {
		return first(tx.PutPush(ctx, make(session.ID, 0, "https://push.test/1")), tx.PutPush(ctx, browser), tx.PutPush(ctx, app),
			tx.SetPush(ctx, app.ID, []social.NotificationKind{social.NotifyFollow}, social.PushFollowed))
	}, func(tx social.Tx) error {
		all, err := tx.Pushes(ctx, alice.ID, now)
		later, err2 := tx.Pushes(ctx, alice.ID, now.Add(2*time.Hour))
		none, err3 := tx.Pushes(ctx, bob.ID, now)
		one, err4 := tx.Push(ctx, browser.ID)
		of, err5 := tx.PushOf(ctx, 0, token.ID)
		if err := first(err, err2, err3, err4, err5); err != nil {
			return err
		}
		if len(all) != 2 || len(later) != 1 || later[0].ID != app.ID || len(none) != 0 {
			t.Errorf("%d now, %d after the session's end, %d of somebody else", len(all), len(later), len(none))
		}
		if one.Endpoint != browser.Endpoint || one.SessionID != session.ID || one.TokenID != 0 || !one.CreatedAt.Equal(now) || !slices.Equal(one.Kinds, browser.Kinds) || !slices.Equal(one.PublicKey, browser.PublicKey) || !slices.Equal(one.Secret, browser.Secret) {
			t.Errorf("%+v became %+v", browser, one)
		}
		if of.ID != app.ID || of.Senders != social.PushFollowed || !slices.Equal(of.Kinds, []social.NotificationKind{social.NotifyFollow}) {
			t.Errorf("of the token: %+v", of)
		}
		return nil
	})
	must(t, db.DeleteSession(ctx, session.ID))
	must(t, db.DeleteToken(ctx, alice.ID, token.ID))
	must(t, db.View(ctx, func(tx social.Tx) error {
		if left, err := tx.Pushes(ctx, alice.ID, now); err != nil || len(left) != 0 {
			t.Errorf("%d are left after signing out: %v", len(left), err)
		}
		if _, err := tx.PushOf(ctx, session.ID, 0); social.KindOf(err) != social.NotFound {
			t.Errorf("that of the session: %v", err)
		}
		return nil
	}))
	must(t, db.InsertToken(ctx, token))
	both(t, db, func(tx social.Tx) error { return first(tx.PutPush(ctx, app), tx.DeletePush(ctx, app.ID)) }, func(tx social.Tx) error {
		if _, err := tx.Push(ctx, app.ID); social.KindOf(err) != social.NotFound {
			t.Errorf("a deleted one: %v", err)
		}
		return nil
	})
}

package storagetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/auth"
	"parley/queue"
	"parley/social"
	"parley/storage"
)

// sixteen runs a change from 16 goroutines at once and counts how often it won. An
// error that is not a Conflict is one too many.
func sixteen(t *testing.T, change func(n int) (bool, error)) int64 {
	t.Helper()
	var won atomic.Int64
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			ok, err := change(n)
			if err != nil && social.KindOf(err) != social.Conflict && social.KindOf(err) != social.NotFound {
				t.Error(err)
			}
			if err == nil && ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	return won.Load()
}

// oneOfSixteenWins tries every change that may happen once.
func oneOfSixteenWins(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	subject := Post(t, db, alice, nil)
	must(t, db.InsertLink(ctx, auth.Link{Hash: []byte("h"), Purpose: "reset", AccountID: alice.ID, ExpiresAt: now.Add(time.Hour)}))
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return tx.AddJobs(ctx, []queue.Job{{Kind: "deliver", Host: "b.test", Ref: 1, Target: "x"}})
	}))
	in := func(change func(tx social.Tx) (bool, error)) func(int) (bool, error) {
		return func(int) (ok bool, err error) {
			err = db.Tx(ctx, func(tx social.Tx) (err error) { ok, err = change(tx); return err })
			return ok, err
		}
	}
	for name, change := range map[string]func(int) (bool, error){
		"block":     in(func(tx social.Tx) (bool, error) { return tx.SetBlock(ctx, alice.ID, bob.ID, true, now) }),
		"mute":      in(func(tx social.Tx) (bool, error) { return tx.SetMute(ctx, alice.ID, bob.ID, true, now) }),
		"favourite": in(func(tx social.Tx) (bool, error) { return tx.SetFavourite(ctx, bob.ID, subject.ID, "u", true, now) }),
		"bookmark":  in(func(tx social.Tx) (bool, error) { return tx.SetBookmark(ctx, alice.ID, subject.ID, true, now) }),
		"pin":       in(func(tx social.Tx) (bool, error) { return tx.SetPin(ctx, alice.ID, subject.ID, true, now) }),
		"seen":      in(func(tx social.Tx) (bool, error) { return tx.Seen(ctx, "k", now) }),
		"fetch":     in(func(tx social.Tx) (bool, error) { return tx.TakeFetchToken(ctx, "https://b.test/k", now, time.Minute) }),
		"inbound": in(func(tx social.Tx) (bool, error) {
			return tx.InsertInbound(ctx, &social.Inbound{URI: "https://b.test/1", Peer: "b.test", Body: []byte("{}"), ReceivedAt: now})
		}),
		// Read, then write: whoever finds nothing writes.
		"idempotency key": in(func(tx social.Tx) (bool, error) {
			had, err := tx.Recall(ctx, alice.ID, "key", now.Add(-time.Hour))
			if err != nil || had != 0 {
				return false, err
			}
			return true, tx.Remember(ctx, alice.ID, "key", subject.ID, now)
		}),
		"boost": in(func(tx social.Tx) (bool, error) {
			if _, err := tx.BoostOf(ctx, bob.ID, subject.ID); social.KindOf(err) != social.NotFound {
				return false, err
			}
			id := social.NewID(time.Now())
			return true, tx.InsertPost(ctx, &social.Post{ID: id, ThreadID: id, URI: "https://b.test/" + id.String(), AuthorID: bob.ID, Kind: social.PostBoost,
				BoostOfID: subject.ID, Version: 1, Audience: social.Audience{Kind: social.AudiencePublic}, PublishedAt: now, ArrivedAt: now})
		}),
		"link": func(int) (bool, error) { _, err := db.TakeLink(ctx, []byte("h"), now); return true, err },
		"name": func(n int) (bool, error) {
			return true, db.Tx(ctx, func(tx social.Tx) error {
				return tx.InsertAccount(ctx, &social.Account{ID: social.NewID(now), Username: "carol", URI: fmt.Sprint("https://a.test/", n), Kind: social.KindPerson, CreatedAt: now})
			})
		},
		"claim": func(int) (bool, error) {
			jobs, err := db.Claim(ctx, "deliver", time.Now().Add(time.Second), time.Now().Add(time.Hour), 4, 4, nil)
			return len(jobs) == 1, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if won := sixteen(t, change); won != 1 {
				t.Errorf("%d of 16 won", won)
			}
		})
	}
	must(t, db.View(ctx, func(tx social.Tx) error {
		p, err := tx.Post(ctx, subject.ID)
		if err == nil && (p.FavouritesCount != 1 || p.BoostsCount != 1) {
			t.Errorf("%d likes, %d shares", p.FavouritesCount, p.BoostsCount)
		}
		return err
	}))
}

// sixteenAddUp tries every change whose parts must all be there in the end.
func sixteenAddUp(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	won := sixteen(t, func(n int) (bool, error) {
		return true, db.Tx(ctx, func(tx social.Tx) error {
			v, err := tx.Setting(ctx, "count")
			if err != nil {
				return err
			}
			if err := tx.PutSetting(ctx, "count", v+"x"); err != nil {
				return err
			}
			if err := tx.Knock(ctx, social.ConnectRequest{Authority: "c.test", Actor: "https://c.test/u", LastAt: now}); err != nil {
				return err
			}
			if err := tx.PutReceipt(ctx, social.Receipt{ObjectURI: "o", Peer: "b.test", Inbox: "i", PostID: 1, How: social.ReceiptSent, At: now}); err != nil {
				return err
			}
			if err := tx.InsertNotification(ctx, &social.Notification{AccountID: alice.ID, Kind: social.NotifyFollow, FromID: bob.ID, CreatedAt: now}); err != nil {
				return err
			}
			if err := tx.PutFollow(ctx, &social.Follow{ID: social.NewID(now), FollowerID: alice.ID, TargetID: bob.ID, State: social.FollowAccepted, CreatedAt: now}); err != nil {
				return err
			}
			if n%2 == 0 { // half of them leave again
				_, err = tx.DeleteFollow(ctx, alice.ID, bob.ID)
			}
			return err
		})
	})
	must(t, db.View(ctx, func(tx social.Tx) error {
		v, err := tx.Setting(ctx, "count")
		must(t, err)
		knocks, err := tx.ConnectRequests(ctx)
		must(t, err)
		receipts, err := tx.Receipts(ctx, "o", "")
		must(t, err)
		told, err := tx.Notifications(ctx, alice.ID, social.Page{Limit: 40}, social.NotificationFilter{})
		must(t, err)
		b, err := tx.Account(ctx, bob.ID)
		must(t, err)
		follows, err := tx.FollowsTo(ctx, alice.ID, []social.ID{bob.ID})
		must(t, err)
		if won != 16 || len(v) != 16 || len(knocks) != 1 || knocks[0].Count != 16 || len(receipts) != 1 || len(told) != 1 || b.FollowersCount != len(follows) {
			t.Errorf("%d of 16 went well; counted %d, knocks %+v, %d receipts, %d told, %d followers of %d", won, len(v), knocks, len(receipts), len(told), b.FollowersCount, len(follows))
		}
		return nil
	}))
}

// access walks through what auth keeps.
func access(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.UnixMilli(1795528707818).UTC()
	alice := Account(t, db, "alice", "")
	must(t, db.SetPasswordHash(ctx, alice.ID, "one"))
	must(t, db.SetPasswordHash(ctx, alice.ID, "two"))
	if h, err := db.PasswordHash(ctx, alice.ID); err != nil || h != "two" {
		t.Errorf("password %q %v", h, err)
	}
	if h, err := db.PasswordHash(ctx, 1); err != nil || h != "" {
		t.Errorf("nobody's password %q %v", h, err)
	}
	tok := &auth.Token{ID: 7, AccountID: alice.ID, Hash: []byte("t"), App: "app", Scopes: "read", Bound: "company", CreatedAt: now, LastUsedAt: now}
	must(t, db.InsertToken(ctx, tok))
	must(t, db.TouchToken(ctx, 7, now.Add(time.Hour)))
	if got, err := db.TokenByHash(ctx, []byte("t")); err != nil || !got.LastUsedAt.Equal(now.Add(time.Hour)) || got.Bound != "company" || got.App != "app" {
		t.Errorf("token %+v %v", got, err)
	}
	must(t, db.InsertSession(ctx, &auth.Session{ID: 8, AccountID: alice.ID, Hash: []byte("s"), CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(time.Hour)}))
	must(t, db.TouchSession(ctx, 8, now.Add(time.Minute)))
	if got, err := db.SessionByHash(ctx, []byte("s")); err != nil || !got.LastUsedAt.Equal(now.Add(time.Minute)) {
		t.Errorf("session %+v %v", got, err)
	}
	// A later session clears away those that have ended.
	must(t, db.InsertSession(ctx, &auth.Session{ID: 9, AccountID: alice.ID, Hash: []byte("s2"), CreatedAt: now.Add(2 * time.Hour), ExpiresAt: now.Add(3 * time.Hour)}))
	if _, err := db.SessionByHash(ctx, []byte("s")); social.KindOf(err) != social.NotFound {
		t.Errorf("an ended session: %v", err)
	}
	must(t, db.DeleteSession(ctx, 9))
	for i := range 3 {
		must(t, db.InsertSession(ctx, &auth.Session{ID: social.ID(21 + i), AccountID: alice.ID, Hash: []byte{byte(i)}, CreatedAt: now, LastUsedAt: now.Add(time.Duration(i) * time.Minute), ExpiresAt: now.Add(time.Hour)}))
	}
	must(t, db.EndSessions(ctx, alice.ID, 22, 23))
	must(t, db.EndSessions(ctx, alice.ID+1, 0, 0)) // somebody else's
	if list, err := db.Sessions(ctx, alice.ID, now); err != nil || len(list) != 2 || list[0].ID != 23 || list[1].ID != 21 {
		t.Errorf("sessions: %+v %v", list, err)
	}
	must(t, db.EndSessions(ctx, alice.ID, 0, 23))
	if list, err := db.Sessions(ctx, alice.ID, now); err != nil || len(list) != 1 {
		t.Errorf("all others are ended: %+v %v", list, err)
	}
	if list, err := db.Sessions(ctx, alice.ID, now.Add(2*time.Hour)); err != nil || len(list) != 0 {
		t.Errorf("what has ended is no session: %+v %v", list, err)
	}
	link := auth.Link{Hash: []byte("l"), Purpose: "reset", AccountID: alice.ID, ExpiresAt: now.Add(time.Hour)}
	must(t, db.InsertLink(ctx, link))
	if _, err := db.Link(ctx, link.Hash, now.Add(2*time.Hour)); social.KindOf(err) != social.NotFound {
		t.Errorf("an expired link: %v", err)
	}
	if _, err := db.Link(ctx, link.Hash, now); err != nil {
		t.Error(err)
	}
	must(t, db.DeleteLinks(ctx, "reset", alice.ID))
	if _, err := db.TakeLink(ctx, link.Hash, now); social.KindOf(err) != social.NotFound {
		t.Errorf("a voided link: %v", err)
	}
	must(t, db.DeleteToken(ctx, 1, 7))
	if list, err := db.Tokens(ctx, alice.ID); err != nil || len(list) != 1 {
		t.Errorf("somebody else deleted a token: %v %v", list, err)
	}
	must(t, db.EndAccess(ctx, alice.ID))
	if list, err := db.Tokens(ctx, alice.ID); err != nil || len(list) != 0 {
		t.Errorf("left %v %v", list, err)
	}
}

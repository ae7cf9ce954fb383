package storage_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/social"
	"parley/storage"
)

// When the disk is full in the middle of a batch, SQLite may roll the whole
// transaction back by itself. What was acknowledged stays, what was not leaves
// nothing behind, and reads go on.
func TestFullDatabaseAcknowledgesNothingItLoses(t *testing.T) {
	db := open(t, "sqlite:parley.db", t.TempDir())
	ctx := context.Background()
	storage.LimitPages(t, db, 40)
	acked := fill(t, db, 0)
	check := func() {
		t.Helper()
		must(t, db.Integrity(ctx))
		must(t, db.View(ctx, func(tx social.Tx) error {
			for key, kept := range acked {
				for _, half := range []string{"a", "b"} {
					v, err := tx.Setting(ctx, key+half)
					if err != nil {
						return err
					}
					if (v != "") != kept {
						t.Errorf("%s%s: acknowledged %v, there %v", key, half, kept, v != "")
					}
				}
			}
			return nil
		}))
	}
	check()
	failed := 0
	for _, kept := range acked {
		if !kept {
			failed++
		}
	}
	if failed == 0 || failed == len(acked) {
		t.Fatalf("%d of %d failed: the limit was not met in the middle", failed, len(acked))
	}
	storage.LimitPages(t, db, 1<<30)
	for key, kept := range fill(t, db, 1000) {
		if !kept {
			t.Errorf("%s failed with space left", key)
		}
		acked[key] = true
	}
	check()
}

// fill writes pairs from 16 goroutines and tells which were acknowledged.
func fill(t *testing.T, db *storage.DB, from int) map[string]bool {
	t.Helper()
	ctx := context.Background()
	acked := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 20 {
				key := fmt.Sprintf("k%d-", from+g*20+i)
				err := db.Tx(ctx, func(tx social.Tx) error {
					if err := tx.PutSetting(ctx, key+"a", strings.Repeat("x", 500)); err != nil {
						return err
					}
					if err := tx.PutSetting(ctx, key+"b", strings.Repeat("x", 3000)); err != nil && i%2 == 0 {
						return err // every other one does not even look
					}
					return nil
				})
				if err != nil && social.KindOf(err) != social.Unavailable {
					t.Errorf("%s: %v", key, err)
				}
				mu.Lock()
				acked[key] = err == nil
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return acked
}

// A caller that goes away in the middle of its transaction takes nobody along: an
// interrupted statement would make SQLite roll the shared transaction back.
func TestLeavingCallersTakeNobodyAlong(t *testing.T) {
	db := open(t, "sqlite:parley.db", t.TempDir())
	var wg sync.WaitGroup
	var kept atomic.Int64
	for g := range 8 {
		wg.Go(func() {
			for i := range 10 {
				ctx, cancel := context.WithCancel(context.Background())
				err := db.Tx(ctx, func(tx social.Tx) error {
					cancel() // the browser was closed
					for n := range 5 {
						if err := tx.PutSetting(ctx, fmt.Sprintf("%d-%d-%d", g, i, n), "v"); err != nil {
							return err
						}
					}
					return nil
				})
				if err == nil {
					kept.Add(1)
				} else {
					t.Errorf("%d-%d: %v", g, i, err)
				}
			}
		})
	}
	wg.Wait()
	if kept.Load() != 80 {
		t.Errorf("%d of 80 were kept", kept.Load())
	}
}

// Whoever waits in line while the database is closed is told, and nobody hangs.
func TestClosingAnswersWhoeverWaits(t *testing.T) {
	db := open(t, "sqlite:parley.db", t.TempDir())
	ctx := context.Background()
	var wg sync.WaitGroup
	begun, hold := make(chan struct{}), make(chan struct{})
	var once sync.Once
	for g := range 32 {
		wg.Go(func() {
			err := db.Tx(ctx, func(tx social.Tx) error {
				once.Do(func() { close(begun); <-hold })
				return tx.PutSetting(ctx, fmt.Sprint(g), "v")
			})
			if err != nil && social.KindOf(err) != social.Unavailable {
				t.Error(err)
			}
		})
	}
	<-begun
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	close(hold)
	must(t, <-closed)
	wg.Wait()
	if err := db.Tx(ctx, func(social.Tx) error { return nil }); social.KindOf(err) != social.Unavailable {
		t.Errorf("after the end: %v", err)
	}
}

// One that waits in line and whose caller left is not begun.
func TestCancelledWhileQueuedIsNotBegun(t *testing.T) {
	db := open(t, "sqlite:parley.db", t.TempDir())
	begun, hold := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		must(t, db.Tx(context.Background(), func(social.Tx) error { close(begun); <-hold; return nil }))
	})
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	waiting := make(chan struct{})
	wg.Go(func() {
		close(waiting)
		if err := db.Tx(ctx, func(social.Tx) error { t.Error("it was begun"); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
	<-waiting
	cancel()
	close(hold)
	wg.Wait()
}

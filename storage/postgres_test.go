package storage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"parley/queue"
	"parley/social"
	"parley/storage"
)

// postgres opens an empty database twice, as two nodes do, and gives a way to cut
// all of their connections.
func postgres(t *testing.T) (one, two *storage.DB, cut func()) {
	t.Helper()
	base := os.Getenv("PARLEY_TEST_POSTGRES")
	if base == "" {
		t.Skip("PARLEY_TEST_POSTGRES is not set: run ./test/all")
	}
	url := freshPostgres(t, base)
	admin := storage.AdminPostgres(t, url)
	one, two = open(t, url, t.TempDir()), open(t, url, t.TempDir())
	return one, two, func() {
		t.Helper()
		if _, err := admin.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
	}
}

// A connection that is lost in the middle of a transaction, or while it is read,
// answers Unavailable and keeps nothing; the next one works.
func TestLostConnectionIsUnavailableAndRecovers(t *testing.T) {
	db, _, cut := postgres(t)
	ctx := context.Background()
	committed := false
	err := db.Tx(ctx, func(tx social.Tx) error {
		tx.AfterCommit(func() { committed = true })
		if err := tx.PutSetting(ctx, "before", "v"); err != nil {
			return err
		}
		cut()
		return tx.PutSetting(ctx, "after", "v")
	})
	if social.KindOf(err) != social.Unavailable || committed {
		t.Errorf("in the middle of a transaction: %v, committed %v", err, committed)
	}
	err = db.Tx(ctx, func(tx social.Tx) error {
		if err := tx.PutSetting(ctx, "before", "v"); err != nil {
			return err
		}
		cut()
		return nil
	})
	if social.KindOf(err) != social.Unavailable {
		t.Errorf("at the commit: %v", err)
	}
	err = db.View(ctx, func(tx social.Tx) error {
		cut()
		_, err := tx.Setting(ctx, "before")
		return err
	})
	if social.KindOf(err) != social.Unavailable {
		t.Errorf("in a view: %v", err)
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		v, err := tx.Setting(ctx, "before")
		if v != "" {
			t.Error("what was not acknowledged is there")
		}
		return errors.Join(err, tx.PutSetting(ctx, "again", "v"))
	}))
	cut() // every idle connection is dead: nobody notices
	must(t, db.View(ctx, func(tx social.Tx) error { _, err := tx.Setting(ctx, "again"); return err }))
}

// Two nodes on one database work side by side, and each job runs once. No job of a
// node is done before the other has begun one.
func TestTwoNodesClaimSideBySide(t *testing.T) {
	one, two, _ := postgres(t)
	ctx := context.Background()
	var jobs []queue.Job
	for i := range 300 {
		jobs = append(jobs, queue.Job{Kind: "deliver", Host: fmt.Sprintf("h%d.test", i%5), Ref: int64(i), Target: "x", Chain: int64(i % 40)})
	}
	must(t, one.Tx(ctx, func(tx social.Tx) error { return tx.AddJobs(ctx, jobs) }))
	var mu sync.Mutex
	ran := map[int64]int{}
	begun := []chan struct{}{make(chan struct{}), make(chan struct{})}
	var once [2]sync.Once
	var wg sync.WaitGroup
	for node, db := range []*storage.DB{one, two} {
		r := queue.NewRunner(db, queue.Options{Kind: "deliver", Workers: 8, PerHost: 4, Lease: time.Minute, Patience: 3, Now: time.Now, Log: quiet,
			Handler: func(ctx context.Context, j queue.Job) queue.Result {
				once[node].Do(func() { close(begun[node]) })
				select {
				case <-begun[1-node]:
				case <-ctx.Done():
					t.Errorf("node %d works alone", node)
				}
				mu.Lock()
				defer mu.Unlock()
				ran[j.ID]++
				return queue.Result{}
			}})
		wg.Go(func() {
			for left := 1; left > 0; { // the other node may have what is next in a chain
				r.Drain(ctx)
				waiting, err := db.Jobs(ctx, "deliver", "", 1)
				if err != nil {
					t.Error(err)
					return
				}
				left = len(waiting)
			}
		})
	}
	wg.Wait()
	for id, n := range ran {
		if n != 1 {
			t.Errorf("job %d ran %d times", id, n)
		}
	}
	if len(ran) != 300 {
		t.Errorf("%d ran", len(ran))
	}
}

// Whoever loses against others again and again is let through in the end.
func TestUnluckyTransactionsGoOn(t *testing.T) {
	db, _, _ := postgres(t)
	put := func(ctx context.Context, tx social.Tx, value string) error {
		return tx.PutSetting(ctx, "contested", value)
	}
	must(t, db.Tx(t.Context(), func(tx social.Tx) error { return put(t.Context(), tx, "first") }))
	const lost = 25
	tries := 0
	err := db.Tx(t.Context(), func(tx social.Tx) error {
		if _, err := tx.Setting(t.Context(), "contested"); err != nil {
			return err
		}
		if tries++; tries <= lost { // somebody else writes what was read, and wins
			if err := db.Tx(t.Context(), func(other social.Tx) error { return put(t.Context(), other, fmt.Sprint(tries)) }); err != nil {
				return err
			}
		}
		return put(t.Context(), tx, "last")
	})
	if err != nil || tries != lost+1 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

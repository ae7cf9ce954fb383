package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// TestMain upgrades a folder when the test starts itself as a child.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PARLEY_TEST_UPGRADE"); dir != "" {
		db, err := storage.Open(context.Background(), storage.Options{URL: "sqlite:parley.db", DataDir: dir, Now: time.Now, Log: quiet})
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// An upgrade that is killed at any moment goes on at the next start: every change of the
// schema is made once, no post is lost, and the database from before is kept whole, with
// which one goes back.
func TestKilledUpgradeGoesOn(t *testing.T) {
	old := filepath.Join(t.TempDir(), "parley.db")
	const posts = 300
	before := storage.OldSchema(t, old, 11, posts)
	kills := 0
	for round := range 15 {
		dir := t.TempDir()
		must(t, os.CopyFS(dir, os.DirFS(filepath.Dir(old))))
		for attempt := range 3 { // the last one is left alone
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), "PARLEY_TEST_UPGRADE="+dir)
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			if attempt < 2 {
				time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
				must(t, child.Process.Kill())
			}
			err := child.Wait()
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == -1 && attempt < 2 {
				kills++
			} else if err != nil {
				t.Fatalf("round %d, attempt %d: %v", round, attempt, err)
			}
		}
		whole(t, dir, posts)
		if got := storage.Schemas(t, filepath.Join(dir, "parley.db")); len(got) != storage.Changes(t) {
			t.Errorf("round %d: schema %v", round, got)
		}
		back := filepath.Join(dir, "parley.db.schema-11")
		if got := storage.Schemas(t, back); fmt.Sprint(got) != fmt.Sprint(before) {
			t.Errorf("round %d: the copy has schema %v, not %v", round, got, before)
		}
		for _, name := range []string{"parley.db-wal", "parley.db-shm"} { // as docs/operations.md goes back
			_ = os.Remove(filepath.Join(dir, name))
		}
		must(t, os.Rename(back, filepath.Join(dir, "parley.db")))
		whole(t, dir, posts)
	}
	if kills < 10 {
		t.Errorf("only %d upgrades were killed", kills)
	}
}

// An upgrade that fails in the middle leaves the schema as it was.
func TestUpgradeIsWholeOrNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "parley.db")
	before := storage.OldSchema(t, file, 11, 3)
	storage.Run(t, file, `CREATE TABLE marker (of_somebody_else INTEGER)`) // which a later change makes
	_, err := storage.Open(t.Context(), storage.Options{URL: "sqlite:parley.db", DataDir: dir, Now: time.Now, Log: quiet})
	if err == nil || !strings.Contains(err.Error(), "0015_reading") {
		t.Errorf("the change that fails is not named: %v", err)
	}
	if got := storage.Schemas(t, file); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("schema %v, not %v", got, before)
	}
	storage.Run(t, file, `DROP TABLE marker`)
	whole(t, dir, 3)
}

// whole opens the database in a folder and finds all its posts.
func whole(t *testing.T, dir string, posts int) {
	t.Helper()
	db := open(t, "sqlite:parley.db", dir)
	must(t, db.View(t.Context(), func(tx social.Tx) error {
		n, err := tx.CountPosts(t.Context(), 1, []social.AudienceKind{social.AudienceCompany})
		if n != posts {
			t.Errorf("%d of %d posts", n, posts)
		}
		return err
	}))
	must(t, db.Close())
}

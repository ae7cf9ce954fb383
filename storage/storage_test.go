package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/queue"
	"parley/social"
	"parley/storage"
	"parley/storage/storagetest"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func TestSuiteIsComplete(t *testing.T) { storagetest.Complete(t) }

func TestSQLite(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) *storage.DB { return open(t, "sqlite:parley.db", t.TempDir()) })
}

func TestPostgres(t *testing.T) {
	base := os.Getenv("PARLEY_TEST_POSTGRES")
	if base == "" {
		t.Skip("PARLEY_TEST_POSTGRES is not set: run ./test/all")
	}
	storagetest.Run(t, func(t *testing.T) *storage.DB { return open(t, freshPostgres(t, base), t.TempDir()) })
}

func open(t *testing.T, url, dir string) *storage.DB {
	t.Helper()
	db, err := storage.Open(context.Background(), storage.Options{URL: url, DataDir: dir, Now: time.Now, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

var databases atomic.Int64

func freshPostgres(t testing.TB, base string) string {
	t.Helper()
	admin := storage.AdminPostgres(t, base)
	name := fmt.Sprintf("parley_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Log(err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPanicInATransactionIsAnError(t *testing.T) {
	db := open(t, "sqlite:parley.db", t.TempDir())
	if err := db.Tx(context.Background(), func(social.Tx) error { panic("boom") }); err == nil {
		t.Error("no error")
	}
	must(t, db.Tx(context.Background(), func(tx social.Tx) error { return tx.PutSetting(context.Background(), "a", "b") }))
}

// Thousands of rows in one millisecond must not collide, nor may a collision
// swallow one.
func TestManyRowsAtOneMoment(t *testing.T) {
	moment := time.UnixMilli(1795528707818)
	db, err := storage.Open(context.Background(), storage.Options{URL: "sqlite:parley.db", DataDir: t.TempDir(), Now: func() time.Time { return moment }, Log: quiet})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	ctx := context.Background()
	bob := storagetest.Account(t, db, "bob", "b.test")
	var jobs []queue.Job
	for i := range 5000 {
		jobs = append(jobs, queue.Job{Kind: "deliver", Host: "b.test", Ref: int64(i), Target: "x"})
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.AddJobs(ctx, jobs) }))
	got, err := db.Jobs(ctx, "deliver", "", 10_000)
	must(t, err)
	first := storagetest.Post(t, db, bob, nil)
	second := storagetest.Post(t, db, bob, func(p *social.Post) { p.ID, p.ThreadID, p.URI = first.ID, first.ID, "https://b.test/second" })
	if len(got) != 5000 || second.ID == first.ID || second.ThreadID != second.ID {
		t.Errorf("%d jobs, ids %s and %s", len(got), first.ID, second.ID)
	}
}

func TestBackupWhileServingAndFolders(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	db := open(t, "sqlite:parley.db", dir)
	storagetest.Account(t, db, "alice", "")
	file := filepath.Join(t.TempDir(), "copy.db")
	must(t, db.BackupDatabase(context.Background(), file))
	must(t, storage.CheckPermissions(dir))
	other := open(t, "sqlite:"+file, "")
	must(t, other.Integrity(context.Background()))
	must(t, other.View(context.Background(), func(tx social.Tx) error {
		_, err := tx.AccountByName(context.Background(), "alice", "")
		return err
	}))
	must(t, os.Chmod(filepath.Join(dir, "parley.db"), 0o644))
	if err := storage.CheckPermissions(dir); err == nil {
		t.Error("a readable database passed")
	}
	unlock, err := storage.LockFolder(dir)
	must(t, err)
	if _, err := storage.LockFolder(dir); err == nil {
		t.Error("two on one folder")
	}
	unlock()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := open(t, "sqlite:parley.db", dir)
	storage.SetSchemaVersion(t, db, 999)
	if _, err := storage.Open(context.Background(), storage.Options{URL: "sqlite:parley.db", DataDir: dir, Now: time.Now, Log: quiet}); err == nil {
		t.Error("opened")
	}
}

// Changes of the schema that were made side by side arrive in any order: one that is
// missing is applied though a later one was.
func TestAMissingSchemaChangeIsApplied(t *testing.T) {
	dir := t.TempDir()
	db := open(t, "sqlite:parley.db", dir)
	storage.Forget(t, db, 2, "audit", "audit_waiting")
	db = open(t, "sqlite:parley.db", dir)
	if err := db.Tx(t.Context(), func(tx social.Tx) error {
		return tx.AppendAudit(t.Context(), social.AuditRow{At: time.Now(), Kind: social.AuditPolicy})
	}); err != nil {
		t.Error(err)
	}
}

// Who only looks changes no schema, and makes none where nothing is.
func TestLookingChangesNoSchema(t *testing.T) {
	dir := t.TempDir()
	o := storage.Options{URL: "sqlite:parley.db", DataDir: dir, Now: time.Now, Log: quiet}
	if _, _, err := storage.OpenAsIs(t.Context(), o); err == nil {
		t.Error("an empty file is a database of ours")
	}
	db := open(t, "sqlite:parley.db", dir)
	storage.Forget(t, db, 2, "audit", "audit_waiting")
	for range 2 {
		db, schema, err := storage.OpenAsIs(t.Context(), o)
		must(t, err)
		if len(schema.Missing) != 1 || schema.Missing[0] != 2 || schema.Copy != "" {
			t.Errorf("%+v", schema)
		}
		must(t, db.Integrity(t.Context()))
		must(t, db.Close())
	}
	storage.SetSchemaVersion(t, open(t, "sqlite:parley.db", dir), 999)
	var newer *storage.NewerSchema
	if _, _, err := storage.OpenAsIs(t.Context(), o); !errors.As(err, &newer) || newer.Have != 999 {
		t.Errorf("a newer one: %v", err)
	}
}

func BenchmarkGroupCommit(b *testing.B) {
	db, err := storage.Open(context.Background(), storage.Options{URL: "sqlite:parley.db", DataDir: b.TempDir(), Now: time.Now, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the benchmark is over
	ctx := context.Background()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := social.NewID(time.Now())
			if err := db.Tx(ctx, func(tx social.Tx) error {
				_, err := tx.Seen(ctx, id.String(), time.Now())
				return err
			}); err != nil {
				b.Error(err)
			}
		}
	})
}

// Root makes no files in the folder of somebody else, who could not read them then.
func TestRootLeavesTheFoldersOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	must(t, storage.PrepareFolder(dir))
	must(t, os.Chown(dir, 65534, 65534))
	if err := storage.PrepareFolder(dir); err == nil || !strings.Contains(err.Error(), "runuser --user nobody") {
		t.Errorf("%v", err)
	}
}

package instance_test

import (
	"archive/tar"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// archive writes a tar with these entries, in order: name, content.
func archive(t *testing.T, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: entries[i], Mode: 0o600, Size: int64(len(entries[i+1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, entries[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A backup goes where the configuration says that the database is, and over none.
func TestRestoreWithAnotherDatabaseName(t *testing.T) {
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: map[string]string{"storage.url": "sqlite:db/all.db"}})
	ctx, file := context.Background(), filepath.Join(t.TempDir(), "backup")
	if _, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice"}); err != nil {
		t.Fatal(err)
	}
	if err := in.Backup(ctx, file); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"sqlite:db/all.db", "sqlite:" + filepath.Join(t.TempDir(), "elsewhere.db")} {
		c := *in.Config
		c.DataDir, c.Storage.URL = filepath.Join(t.TempDir(), "data"), url
		if err := instance.Restore(ctx, &c, file); err != nil {
			t.Fatal(err)
		}
		again, err := instance.Open(ctx, &c, in.Social.Log, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Social.AccountByHandle(ctx, social.Nobody(again.Social.HomeAuthority()), "alice"); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		c.DataDir = filepath.Join(t.TempDir(), "data")
		if err := instance.Restore(ctx, &c, file); filepath.IsAbs(strings.TrimPrefix(url, "sqlite:")) && err == nil {
			t.Errorf("restored over %s", url)
		}
	}
}

// A foreign, cut off, damaged or hostile archive is refused with a reason, and
// nothing of it is left behind (T37).
func TestRestoreIsAllOrNothing(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { restoreIsAllOrNothing(t, "sqlite:parley.db") })
	t.Run("postgres", func(t *testing.T) { restoreIsAllOrNothing(t, instancetest.Postgres(t)(0)) })
}

func restoreIsAllOrNothing(t *testing.T, into string) {
	in := instancetest.Start(t, t.TempDir(), "")
	file := filepath.Join(t.TempDir(), "backup")
	if err := in.Backup(context.Background(), file); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the backup can be read by others: %v %v", st.Mode(), err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	entries := tar.NewReader(bytes.NewReader(whole))
	if first, err := entries.Next(); err != nil || first.Name != "parley.db" {
		t.Fatalf("the archive begins with %v: %v", first, err)
	}
	content, err := io.ReadAll(entries)
	if err != nil {
		t.Fatal(err)
	}
	database := string(content)
	damaged := bytes.Clone(whole)
	copy(damaged[512+4096*3:], bytes.Repeat([]byte{0xff}, 4096))
	bad := map[string][]byte{
		"empty": nil, "text": []byte("hello\n"), "foreign": archive(t, "etc/passwd", "x"),
		"cut in a file": whole[:len(whole)/2], "cut between files": whole[:len(whole)-3*512],
		"no database": archive(t, "end", ""), "not a database": archive(t, "parley.db", "hello", "end", ""),
		"damaged page": damaged, "database twice": archive(t, "parley.db", database, "parley.db", database, "end", ""),
	}
	for _, name := range []string{"media/../../evil", "../evil", "/tmp/evil", "media", "media/..", "media/a/b", "media/.ssh", "media/1.part.x"} {
		bad["name "+name] = archive(t, "parley.db", database, name, "x", "end", "")
	}
	bad["a newer schema"] = archive(t, "parley.db", changed(t, database, `INSERT INTO schema_version (version) VALUES (999)`), "end", "")
	if strings.HasPrefix(into, "postgres:") { // these come to light on the way in
		bad["a text that PostgreSQL cannot hold"] = archive(t, "parley.db", changed(t, database, `INSERT INTO seen (name, at) VALUES ('a' || char(0), 0)`), "media/1.png", "x", "end", "")
		bad["a missing table"] = archive(t, "parley.db", changed(t, database, `DROP TABLE link`), "end", "")
	}
	for what, b := range bad {
		dir := t.TempDir()
		c := *in.Config
		c.DataDir, c.Storage.URL = filepath.Join(dir, "data"), into
		name := filepath.Join(dir, "archive")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		err := instance.Restore(context.Background(), &c, name)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", what, err)
		}
		left, err := os.ReadDir(c.DataDir)
		if err != nil || len(left) != 0 {
			t.Errorf("%s left %v %v", what, left, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
			t.Errorf("%s wrote outside: %v %v", what, entries, err)
		}
		if n := tablesIn(t, into); n != 0 {
			t.Fatalf("%s left %d tables", what, n)
		}
	}
}

// changed is an SQLite database after a statement.
func changed(t *testing.T, database, statement string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "changed.db")
	if err := os.WriteFile(name, []byte(database), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tablesIn counts the tables of a PostgreSQL database; SQLite has none without its file.
func tablesIn(t *testing.T, url string) (n int) {
	t.Helper()
	if strings.HasPrefix(url, "sqlite:") {
		return 0
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	if err := db.QueryRow(`SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A folder keeps so many backups, and whatever else is in it; a backup that fails takes
// none away.
func TestBackupsOfAFolder(t *testing.T) {
	clock := instancetest.NewClock()
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: clock.Now})
	dir := t.TempDir()
	for _, name := range []string{"parley-monday.parley", "notes", "parley-20200101-000000.parley"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var made []string
	for range 4 {
		clock.Advance(24 * time.Hour)
		file, err := in.BackupInto(t.Context(), dir, 3)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, filepath.Base(file))
	}
	if _, err := in.BackupInto(t.Context(), dir, 1); !errors.Is(err, os.ErrExist) {
		t.Errorf("two at one moment: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	if want := append([]string{"notes"}, append(made[1:], "parley-monday.parley")...); err != nil || !slices.Equal(left, want) {
		t.Errorf("there are %q, not %q %v", left, want, err)
	}
	c := *in.Config
	c.DataDir = filepath.Join(t.TempDir(), "data")
	if err := instance.Restore(t.Context(), &c, filepath.Join(dir, made[3])); err != nil {
		t.Error(err)
	}
}

// A backup taken while people write is one moment: it opens, is whole, and has
// everything that was there before it began.
func TestBackupUnderLoad(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { backupUnderLoad(t, "sqlite:parley.db", "sqlite:parley.db") })
	t.Run("postgres", func(t *testing.T) {
		databases := instancetest.Postgres(t)
		backupUnderLoad(t, databases(0), databases(1))
	})
}

func backupUnderLoad(t *testing.T, from, to string) {
	in := instancetest.Start(t, t.TempDir(), from)
	ctx := context.Background()
	alice, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	me := social.Member(alice, in.Social.HomeAuthority())
	before, err := in.Social.Publish(ctx, me, social.Draft{Text: "before"})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := in.Social.Publish(ctx, me, social.Draft{Text: "meanwhile"}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	file := filepath.Join(t.TempDir(), "backup")
	err = in.Backup(ctx, file)
	close(stop)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	c := *in.Config
	c.DataDir, c.Storage.URL = filepath.Join(t.TempDir(), "data"), to
	if err := instance.Restore(ctx, &c, file); err != nil {
		t.Fatal(err)
	}
	again := openConfig(t, &c)
	if err := again.DB.Integrity(ctx); err != nil {
		t.Error(err)
	}
	if _, err := again.Social.Post(ctx, me, before.Post.ID); err != nil {
		t.Error(err)
	}
}

func openConfig(t *testing.T, c *config.Config) *instance.Instance {
	t.Helper()
	in, err := instance.Open(context.Background(), c, slog.New(slog.NewTextHandler(t.Output(), nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return in
}

// /readyz says 503 until the workers run; /healthz only that the process lives.
func TestReady(t *testing.T) {
	in := instancetest.Start(t, t.TempDir(), "")
	get := func(path string) int {
		r, err := http.NewRequest("GET", in.Config.PublicURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return do(t, r).StatusCode
	}
	if get("/healthz") != http.StatusOK || get("/readyz") != http.StatusServiceUnavailable {
		t.Errorf("without workers: healthz %d, readyz %d", get("/healthz"), get("/readyz"))
	}
	c := *in.Config
	c.DataDir, c.Listen = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0"
	running := openConfig(t, &c)
	addr, unlock, err := running.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- running.Run(ctx) }()
	r, err := http.NewRequest("GET", "http://"+addr.String()+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res := do(t, r); res.StatusCode != http.StatusOK {
		t.Errorf("with workers readyz answers %d", res.StatusCode)
	}
	stop()
	if err := <-done; err != nil && err != http.ErrServerClosed {
		t.Error(err)
	}
}

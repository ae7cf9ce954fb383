package storage_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/storage"
	"parley/storage/storagetest"
)

// everything is each table's rows in a PostgreSQL database, but for the schema's
// version: name, value and type of every column.
func everything(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	names, err := db.Query(`SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`)
	must(t, err)
	out := map[string][]string{}
	for names.Next() {
		var name string
		must(t, names.Scan(&name))
		out[name] = []string{}
	}
	must(t, names.Err())
	for name := range out {
		rows, err := db.Query(`SELECT * FROM "` + name + `"`)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			must(t, rows.Scan(into...))
			var row strings.Builder
			for i, v := range values {
				fmt.Fprintf(&row, "%s=%T %q ", columns[i], v, fmt.Sprint(v))
			}
			out[name] = append(out[name], row.String())
		}
		must(t, rows.Err())
		slices.Sort(out[name])
	}
	return out
}

func postgresForTest(t testing.TB) (url string, raw *sql.DB) {
	t.Helper()
	base := os.Getenv("PARLEY_TEST_POSTGRES")
	if base == "" {
		t.Skip("PARLEY_TEST_POSTGRES is not set: run ./test/all")
	}
	url = freshPostgres(t, base)
	return url, storage.AdminPostgres(t, url)
}

// What a PostgreSQL database holds comes back the same, over the SQLite file that a
// backup is.
func TestBackupOfPostgres(t *testing.T) {
	ctx := context.Background()
	url, raw := postgresForTest(t)
	db := open(t, url, t.TempDir())
	author := storagetest.Account(t, db, "alice", "")
	storagetest.Post(t, db, author, nil)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for i, body := range [][]byte{nil, {}, {0}, all, make([]byte, 3<<20)} {
		_, err := raw.Exec(`INSERT INTO inbound (id, uri, inbox_id, peer, actor, body, received_at, signed_at, result)
			VALUES ($1, $2, 0, '', 'NULL', $3, $4, $5, $6)`,
			i, fmt.Sprint(i), body, int64(-1<<63), int64(1<<63-1), "\"'\\ \t\n\r\x01 \\N \\. ü 😀 \u2028")
		must(t, err)
	}
	file := filepath.Join(t.TempDir(), "copy.db")
	must(t, db.BackupDatabase(ctx, file))
	must(t, storage.CheckFile(ctx, file))
	lite := open(t, "sqlite:"+file, "")
	must(t, lite.Integrity(ctx))
	must(t, lite.Close())

	other, rawOther := postgresForTest(t)
	must(t, storage.RestorePostgres(ctx, other, file))
	want, got := everything(t, raw), everything(t, rawOther)
	if len(want["inbound"]) != 5 || len(want["post"]) != 1 || len(want) != len(got) {
		t.Errorf("%d and %d tables, %d and %d rows", len(want), len(got), len(want["inbound"]), len(want["post"]))
	}
	for name, rows := range want {
		if !slices.Equal(rows, got[name]) {
			t.Errorf("%s:\n%.2000q\n%.2000q", name, rows, got[name])
		}
	}
	again := open(t, other, t.TempDir())
	storagetest.Account(t, again, "bob", "")

	if err := storage.RestorePostgres(ctx, other, file); err == nil || !strings.Contains(err.Error(), "createdb") {
		t.Errorf("restored over a database: %v", err)
	}
	if now := everything(t, rawOther); len(now["account"]) != 2 {
		t.Errorf("the refused restore left %d accounts", len(now["account"]))
	}
}

// Tables are read one after the other, and still all as of one moment.
func TestBackupOfPostgresIsOneMoment(t *testing.T) {
	url, raw := postgresForTest(t)
	db := open(t, url, t.TempDir())
	_, err := raw.Exec(`INSERT INTO setting (name, value) VALUES ('n', '0')`)
	must(t, err)
	_, err = raw.Exec(`INSERT INTO fetch_token (url, at) SELECT 'https://b.test/' || i, i FROM generate_series(1, 20000) i`)
	must(t, err)
	stop, began := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_, err := raw.Exec(`WITH n AS (UPDATE setting SET value = $1 WHERE name = 'n') INSERT INTO seen (name, at) VALUES ($1, 0)`, fmt.Sprint(i))
			if err != nil {
				t.Error(err)
			}
			if i == 1 {
				close(began)
			}
		}
	})
	<-began
	file := filepath.Join(t.TempDir(), "copy.db")
	err = db.BackupDatabase(context.Background(), file)
	close(stop)
	wg.Wait()
	must(t, err)
	lite, err := sql.Open("sqlite", "file:"+file)
	must(t, err)
	defer lite.Close() //nolint:errcheck // only read
	var counted, seen int
	must(t, lite.QueryRow(`SELECT (SELECT value FROM setting WHERE name = 'n'), (SELECT count(*) FROM seen)`).Scan(&counted, &seen))
	if counted == 0 || counted != seen {
		t.Errorf("%d written, %d in the other table", counted, seen)
	}
}

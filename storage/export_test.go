package storage

import (
	"database/sql"
	"fmt"
	"strconv"
	"testing"
	"time"
)

// AdminPostgres connects to the server that tests make databases on.
func AdminPostgres(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// SetSchemaVersion closes a database and pretends that a newer program wrote it.
func SetSchemaVersion(t *testing.T, db *DB, version int) {
	t.Helper()
	closeAndRun(t, db, `INSERT INTO schema_version (version) VALUES (`+strconv.Itoa(version)+`)`)
}

// Forget closes a database and takes a change of its schema back, which made these tables.
func Forget(t *testing.T, db *DB, version int, tables ...string) {
	t.Helper()
	query := `DELETE FROM schema_version WHERE version = ` + strconv.Itoa(version)
	for _, name := range tables {
		query += `; DROP TABLE ` + name
	}
	closeAndRun(t, db, query)
}

func closeAndRun(t *testing.T, db *DB, query string) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", "file:"+db.file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec(query); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
}

// Impatient lets writes wait for other processes for a moment only.
func Impatient(o Options) Options {
	o.busy = 20 * time.Millisecond
	return o
}

// LimitPages makes SQLite answer "full" beyond a number of pages more than there are.
func LimitPages(t *testing.T, db *DB, more int) {
	t.Helper()
	if err := db.run(t.Context(), func(tx *Tx) error {
		var pages int
		if err := tx.q.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
			return err
		}
		_, err := tx.q.ExecContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+more))
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// Spoil changes an SQLite database past the program.
func Spoil(t *testing.T, db *DB, statements string) {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+db.file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec(statements); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
}

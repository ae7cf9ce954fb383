package storage

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"
)

// AdminPostgres connects to the server that tests make databases on.
func AdminPostgres(t testing.TB, url string) *sql.DB {
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

// OldSchema makes an SQLite database as an older program left it, with an account and this
// many posts, and answers its schema.
func OldSchema(t *testing.T, file string, version, posts int) []int {
	t.Helper()
	d := dialect{sqlite: true}
	raw, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	files, err := d.migrations()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec(d.versions()); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if versionOf(name) <= version {
			if err := d.apply(t.Context(), raw, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	statements := []string{
		`INSERT INTO account (id, uri, name, host, authority, email, words, kind, inbox, data) VALUES (1, 'https://a.test/users/1', 'alice', '', 'a.test', '', '', 'person', '', '{}')`,
		fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO post (id, uri, author_id, kind, parent_id, parent_uri, thread_id, boost_of_id, audience_kind, audience_name, audience_owner, ceiling_kind, ceiling_name, ceiling_owner,
			  local, has_media, published_at, edited_at, arrived_at, version, data)
			SELECT i, 'https://a.test/posts/' || i, 1, '', 0, '', i, 0, 'company', '', 'a.test', '', '', '', 1, 0, i, 0, i, 1, '{"Content": "a post"}' FROM n`, posts)}
	for _, s := range statements {
		if _, err := raw.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	return Schemas(t, file)
}

// Schemas lists the changes of the schema that a database file has.
func Schemas(t *testing.T, file string) (have []int) {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := raw.Query(`SELECT version FROM schema_version ORDER BY version`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var v int
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		have = append(have, v)
	}
	if err := errors.Join(rows.Err(), rows.Close(), raw.Close()); err != nil {
		t.Fatal(err)
	}
	return have
}

// Changes counts the changes of the schema that this program makes.
func Changes(t *testing.T) int {
	t.Helper()
	files, err := dialect{sqlite: true}.migrations()
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func closeAndRun(t *testing.T, db *DB, query string) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	Run(t, db.file, query)
}

// Run changes a database file that nobody has open.
func Run(t *testing.T, file, query string) {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+file)
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

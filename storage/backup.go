package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// A backup of a database is always an SQLite file, whichever database it is of:
// both have the same tables, with integers, texts and bytes in them and nothing
// else. So it restores into either.

// BackupDatabase writes the database as of one moment to a new SQLite file, while
// others write.
func (db *DB) BackupDatabase(ctx context.Context, file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	write := db.copyPostgres
	if db.dialect.sqlite {
		write = db.vacuumInto
	}
	if err := write(ctx, file); err != nil {
		return db.translate(err)
	}
	return os.Chmod(file, 0o600)
}

func (db *DB) vacuumInto(ctx context.Context, file string) error {
	// A connection of its own: the writer goes on, and readers may write nothing.
	source, err := sql.Open("sqlite", "file:"+db.file+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	_, err = source.ExecContext(ctx, `VACUUM INTO $1`, file)
	return errors.Join(err, source.Close())
}

// copyPostgres reads all tables in one snapshot, row by row.
func (db *DB) copyPostgres(ctx context.Context, file string) (err error) {
	tables, err := listTables(ctx)
	if err != nil {
		return err
	}
	from, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return err
	}
	defer func() { _ = from.Rollback() }() // a snapshot has nothing to lose
	// A file that was not written to its end is thrown away, so nothing guards it.
	to, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	tx, err := to.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := (dialect{sqlite: true}).create(ctx, tx); err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.insert(ctx, from, tx); err != nil {
			return fmt.Errorf("copy table %s: %w", t.name, err)
		}
	}
	if _, err := tx.ExecContext(ctx, allWordsLater); err != nil {
		return err
	}
	return tx.Commit()
}

// table of the schema that this program makes.
type table struct {
	name    string
	columns []string
}

// listTables asks SQLite what the migrations make: every table but schema_version and
// the words of posts, which are written anew; those that others refer to first.
func listTables(ctx context.Context) (out []table, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	if err := (dialect{sqlite: true}).create(ctx, db); err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `
		SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name <> 'schema_version' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name NOT GLOB 'post_words*'
		ORDER BY t.rowid, c.cid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over; Err below tells what counts
	for rows.Next() {
		var name, column string
		if err := rows.Scan(&name, &column); err != nil {
			return nil, err
		}
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, table{name: name})
		}
		t := &out[len(out)-1]
		t.columns = append(t.columns, column)
	}
	return out, rows.Err()
}

func (t table) quoted() string { return `"` + strings.Join(t.columns, `", "`) + `"` }

// rowsOf are the rows of a table; it is a pgx.CopyFromSource.
type rowsOf struct {
	*sql.Rows
	values, into []any
}

func (t table) read(ctx context.Context, q querier) (*rowsOf, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+t.quoted()+` FROM "`+t.name+`"`)
	if err != nil {
		return nil, err
	}
	r := &rowsOf{Rows: rows, values: make([]any, len(t.columns)), into: make([]any, len(t.columns))}
	for i := range r.values {
		r.into[i] = &r.values[i]
	}
	return r, nil
}

// Values of a row: each nil, int64, string or []byte. They are good until the next row.
func (r *rowsOf) Values() ([]any, error) {
	if err := r.Scan(r.into...); err != nil {
		return nil, err
	}
	for i, v := range r.values {
		if b, ok := v.([]byte); ok && b == nil {
			r.values[i] = []byte{} // no bytes, which is not NULL
		}
	}
	return r.values, nil
}

// insert copies the rows of a table into SQLite.
func (t table) insert(ctx context.Context, from querier, to *sql.Tx) error {
	rows, err := t.read(ctx, from)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading is over; Err below tells what counts
	places := strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ")
	insert, err := to.PrepareContext(ctx, `INSERT INTO "`+t.name+`" (`+t.quoted()+`) VALUES (`+places+`)`)
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // the transaction tells what counts
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// RestorePostgres fills a PostgreSQL database, in which nothing of ours is yet, from
// a backup of either database; of an older schema too. All of it, or nothing.
func RestorePostgres(ctx context.Context, url, file string) (err error) {
	tables, err := listTables(ctx)
	if err != nil {
		return err
	}
	from, err := Open(ctx, Options{URL: "sqlite:" + file, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	conn, err := to.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the commit tells what counts
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := mustHaveNone(ctx, tx, tables); err != nil {
		return err
	}
	if err := (dialect{}).create(ctx, tx); err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.copyIn(ctx, from.read, conn); err != nil {
			return fmt.Errorf("copy table %s: %w", t.name, err)
		}
	}
	if _, err := tx.ExecContext(ctx, allWordsLater); err != nil {
		return err
	}
	return tx.Commit()
}

// CheckEmptyPostgres refuses a database that has tables of ours.
func CheckEmptyPostgres(ctx context.Context, url string) (err error) {
	tables, err := listTables(ctx)
	if err != nil {
		return err
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return mustHaveNone(ctx, db, tables)
}

func mustHaveNone(ctx context.Context, q querier, tables []table) error {
	names := []string{"schema_version"}
	for _, t := range tables {
		names = append(names, t.name)
	}
	var have int
	err := q.QueryRowContext(ctx, `
		SELECT count(*) FROM information_schema.tables
		WHERE table_schema = current_schema() AND table_name IN `+dialect{}.texts("$1"), jsonText(names)).Scan(&have)
	if err == nil && have > 0 {
		err = errors.New("the database of storage.url has tables of parley already: create an empty one (createdb) and name that in storage.url")
	}
	return err
}

// copyIn streams the rows of a table into PostgreSQL, in the transaction that is
// open on the connection.
func (t table) copyIn(ctx context.Context, from querier, to *sql.Conn) error {
	rows, err := t.read(ctx, from)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading is over; CopyFrom asks for its error
	return to.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, rows)
		return err
	})
}

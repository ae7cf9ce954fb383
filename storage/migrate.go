package storage

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed migration/*.sql
var migrations embed.FS

// migrate applies what is missing, all of it or nothing: changes that were made side by side
// may come in any order. A schema newer than this program is refused; before a change of
// existing data a copy is kept.
func (db *DB) migrate(ctx context.Context) error {
	if _, err := db.write.ExecContext(ctx, db.dialect.versions()); err != nil {
		return db.translate(err)
	}
	have, files, err := db.missing(ctx)
	if err != nil {
		return err
	}
	if have > 0 && len(files) > 0 && db.dialect.sqlite {
		if err := db.BackupDatabase(ctx, db.copyOf(have)); err != nil {
			return fmt.Errorf("copy the database before changing its schema: %w", err)
		}
	}
	return db.apply(ctx, files)
}

// copyOf is the file that keeps an SQLite database as it was before its schema changed.
func (db *DB) copyOf(schema int) string { return fmt.Sprintf("%s.schema-%d", db.file, schema) }

// missing tells the newest change of the schema that was applied, and the changes of this
// program that were not.
func (db *DB) missing(ctx context.Context) (newest int, files []string, err error) {
	if files, err = db.dialect.migrations(); err != nil {
		return 0, nil, err
	}
	have, err := db.schemas(ctx)
	if err != nil {
		return 0, nil, db.translate(err)
	}
	newest = slices.Max(append(have, 0))
	files = slices.DeleteFunc(files, func(file string) bool { return slices.Contains(have, versionOf(file)) })
	return newest, files, checkVersion(newest)
}

// Schema is how far the schema of a database is.
type Schema struct {
	Newest  int    // change that was applied
	Missing []int  // changes of this program that were not
	Copy    string // of the database before them, where one was kept
}

// OpenAsIs opens a database to look at it: its schema stays as it is, and while changes of
// it are missing, what needs them fails. A schema newer than this program is a *NewerSchema.
func OpenAsIs(ctx context.Context, o Options) (*DB, Schema, error) {
	db, err := connect(o)
	if err != nil {
		return nil, Schema{}, err
	}
	err = db.begun(ctx)
	var newest int
	var files []string
	if err == nil {
		newest, files, err = db.missing(ctx)
	}
	if err != nil {
		return nil, Schema{}, errors.Join(db.advise(err), db.closePools())
	}
	s := Schema{Newest: newest}
	for _, file := range files {
		s.Missing = append(s.Missing, versionOf(file))
	}
	if _, err := os.Stat(db.copyOf(newest)); err == nil && len(files) > 0 && db.dialect.sqlite {
		s.Copy = db.copyOf(newest)
	}
	db.startWriter()
	return db, s, nil
}

// ErrEmpty says that no instance ever used a database.
var ErrEmpty = errors.New("it is empty")

// begun wants a database that holds something.
func (db *DB) begun(ctx context.Context) error {
	query := `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_version'`
	if db.dialect.sqlite {
		query = `SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'`
	}
	var n int
	err := db.write.QueryRowContext(ctx, query).Scan(&n)
	if err == nil && n == 0 {
		err = ErrEmpty
	}
	return err
}

// schemas lists the changes that were applied.
func (db *DB) schemas(ctx context.Context) (have []int, err error) {
	rows, err := db.write.QueryContext(ctx, `SELECT version FROM schema_version ORDER BY version`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over; Err below tells what counts
	for rows.Next() {
		var v int
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		have = append(have, v)
	}
	return have, rows.Err()
}

// migrations are the changes of the schema in their order. A few have a text for each
// database.
func (d dialect) migrations() ([]string, error) {
	files, err := fs.Glob(migrations, "migration/*.sql")
	other := ".sqlite.sql"
	if d.sqlite {
		other = ".postgres.sql"
	}
	return slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, other) }), err
}

// versionOf is the number in the name of a migration.
func versionOf(file string) int {
	number, _, _ := strings.Cut(path.Base(file), "_")
	v, err := strconv.Atoi(number)
	if err != nil {
		panic("storage: a migration without a number: " + file) // a programming fault
	}
	return v
}

// NewerSchema says that a newer program wrote a database.
type NewerSchema struct{ Have, Known int }

// Error implements error.
func (e *NewerSchema) Error() string {
	return fmt.Sprintf("the database has schema %d, this program knows %d: use the newer parley that wrote it, or restore a backup", e.Have, e.Known)
}

// checkVersion refuses a schema that is newer than this program.
func checkVersion(have int) error {
	files, err := dialect{}.migrations()
	if err != nil {
		return err
	}
	if known := versionOf(files[len(files)-1]); have > known {
		return &NewerSchema{have, known}
	}
	return nil
}

func (d dialect) versions() string {
	return d.schema(`CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)`)
}

func (db *DB) apply(ctx context.Context, files []string) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for _, file := range files {
		if err := db.dialect.apply(ctx, tx, file); err != nil {
			return fmt.Errorf("schema change %s: %w", file, err)
		}
	}
	return tx.Commit()
}

func (d dialect) apply(ctx context.Context, q querier, file string) error {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	for _, statement := range statements(d.schema(string(text))) {
		if _, err := q.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%w in %s", err, strings.TrimSpace(statement))
		}
	}
	_, err = q.ExecContext(ctx, `INSERT INTO schema_version (version) VALUES ($1)`, versionOf(file))
	return err
}

// create makes the whole schema where nothing is.
func (d dialect) create(ctx context.Context, q querier) error {
	files, err := d.migrations()
	if err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, d.versions()); err != nil {
		return err
	}
	for _, file := range files {
		if err := d.apply(ctx, q, file); err != nil {
			return fmt.Errorf("schema change %s: %w", file, err)
		}
	}
	return nil
}

// statements splits a migration after its comments are gone; none of ours has a
// semicolon inside a string.
func statements(text string) []string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		code, _, _ := strings.Cut(line, "--")
		lines = append(lines, code)
	}
	var out []string
	for _, s := range strings.Split(strings.Join(lines, "\n"), ";") {
		if strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return out
}

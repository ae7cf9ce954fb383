package storage

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed migration/*.sql
var migrations embed.FS

// migrate applies what is new, each in a transaction of its own. A schema newer
// than this program is refused; before a change of existing data a copy is kept.
func (db *DB) migrate(ctx context.Context) error {
	files, err := migrationFiles()
	if err != nil {
		return err
	}
	if _, err := db.write.ExecContext(ctx, db.dialect.versions()); err != nil {
		return db.translate(err)
	}
	var have int
	if err := db.write.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&have); err != nil {
		return db.translate(err)
	}
	if err := checkVersion(have); err != nil {
		return err
	}
	if have > 0 && have < len(files) && db.dialect.sqlite {
		if err := db.BackupDatabase(ctx, fmt.Sprintf("%s.schema-%d", db.file, have)); err != nil {
			return fmt.Errorf("copy the database before changing its schema: %w", err)
		}
	}
	for i := have; i < len(files); i++ {
		if err := db.apply(ctx, files[i], i+1); err != nil {
			return fmt.Errorf("schema change %s: %w", files[i], err)
		}
	}
	return nil
}

// migrationFiles in their order; the first makes schema 1.
func migrationFiles() ([]string, error) { return fs.Glob(migrations, "migration/*.sql") }

// checkVersion refuses a schema that is newer than this program.
func checkVersion(have int) error {
	files, err := migrationFiles()
	if err == nil && have > len(files) {
		err = fmt.Errorf("the database has schema %d, this program knows %d: use the newer parley that wrote it, or restore a backup", have, len(files))
	}
	return err
}

func (d dialect) versions() string {
	return d.schema(`CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)`)
}

func (db *DB) apply(ctx context.Context, file string, version int) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := db.dialect.apply(ctx, tx, file, version); err != nil {
		return err
	}
	return tx.Commit()
}

func (d dialect) apply(ctx context.Context, q querier, file string, version int) error {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	for _, statement := range statements(d.schema(string(text))) {
		if _, err := q.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%w in %s", err, strings.TrimSpace(statement))
		}
	}
	_, err = q.ExecContext(ctx, `INSERT INTO schema_version (version) VALUES ($1)`, version)
	return err
}

// create makes the whole schema where nothing is.
func (d dialect) create(ctx context.Context, q querier) error {
	files, err := migrationFiles()
	if err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, d.versions()); err != nil {
		return err
	}
	for i, file := range files {
		if err := d.apply(ctx, q, file, i+1); err != nil {
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

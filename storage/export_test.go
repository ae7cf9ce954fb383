package storage

import (
	"context"
	"database/sql"
	"testing"
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

// SetSchemaVersion pretends that a newer program wrote the database.
func SetSchemaVersion(db *DB, version int) error {
	_, err := db.write.ExecContext(context.Background(), `INSERT INTO schema_version (version) VALUES ($1)`, version)
	if err == nil {
		err = db.Close()
	}
	return err
}

package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// PrepareFolder makes the data folder for its owner alone, and refuses one that
// others may read (T71).
func PrepareFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return CheckPermissions(dir)
}

// CheckPermissions refuses a data folder, or a file directly in it, that others
// than the owner may read.
func CheckPermissions(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if err := CheckOwner(dir); err != nil {
		return err
	}
	if Shared(st) {
		return fmt.Errorf("the data folder %s can be read by others: run chmod 700 %s", dir, dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		name := filepath.Join(dir, e.Name())
		if info.Mode().IsRegular() && Shared(info) {
			return fmt.Errorf("%s can be read by others: run chmod 600 %s", name, name)
		}
	}
	return nil
}

// Shared says whether others than the owner may read or write what this is about. On
// Windows it says no: who may is in a list that Go does not tell, and the bits that it
// shows are always those for everybody.
func Shared(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// LockFolder makes sure that one serve at a time works on a data folder (T75).
func LockFolder(dir string) (unlock func(), err error) {
	name := filepath.Join(dir, "parley.lock")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		who, _ := os.ReadFile(name) // the number only helps; without it the message still holds
		_ = f.Close()
		return nil, fmt.Errorf("another parley serve (process %s) works on %s: stop it first, or choose another --data", strings.TrimSpace(string(who)), dir)
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		if err != nil {
			_ = f.Close()
			return nil, err
		}
	}
	return func() { _ = f.Close() }, nil // closing frees the lock
}

// CheckFile opens an SQLite file, which is not in use, and checks it whole. One of a
// newer schema is refused.
func CheckFile(ctx context.Context, file string) (err error) {
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var version int
	if err := checkPages(ctx, db); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, `SELECT max(version) FROM schema_version`).Scan(&version); err != nil {
		return err
	}
	return checkVersion(version)
}

func checkPages(ctx context.Context, db *sql.DB) error {
	var answer string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&answer); err != nil {
		return fmt.Errorf("the database is damaged: %w; restore a backup", err)
	}
	if answer != "ok" {
		return fmt.Errorf("the database is damaged: %s; restore a backup", answer)
	}
	return nil
}

// Integrity checks the database and its references.
func (db *DB) Integrity(ctx context.Context) error {
	if !db.dialect.sqlite {
		return db.read.PingContext(ctx)
	}
	if err := checkPages(ctx, db.read); err != nil {
		return err
	}
	rows, err := db.read.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading is over; Err below tells what counts
	if rows.Next() {
		return errors.New("the database has rows that point nowhere; restore a backup")
	}
	return rows.Err()
}

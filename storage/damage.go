package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const restoreAdvice = "keep a copy of the folder, then restore a backup into an empty one: parley restore FILE --data DIR"

// advise says what is wrong with the database's file and what to do, where that is
// known; else it answers the error as it is.
func (db *DB) advise(err error) error {
	if err == nil || !db.dialect.sqlite {
		return err
	}
	code := 0
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		code = lite.Code() & 0xff
	}
	switch {
	case code == sqlite3.SQLITE_READONLY || code == sqlite3.SQLITE_CANTOPEN || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s cannot be written; let the user that runs parley write it and its folder, on a file system that is not read-only: %w", db.file, err)
	case code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("another program has locked %s (fuser %s shows which); end it and start again: %w", db.file, db.file, err)
	case code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s is damaged; %s: %w", db.file, restoreAdvice, err)
	}
	return err
}

// quickCheckBytes is how large a database may be to be looked through at each start:
// that takes about a second.
const quickCheckBytes = 128 << 20

// QuickCheck looks at every page of an SQLite database that is not too large for
// that, without comparing indexes with tables, and sees that it can be written.
func (db *DB) QuickCheck(ctx context.Context) error {
	if !db.dialect.sqlite {
		return db.read.PingContext(ctx)
	}
	st, err := os.Stat(db.file)
	if err != nil {
		return db.advise(err)
	}
	if st.Size() > quickCheckBytes {
		db.log.Info("the database is too large to be looked through at each start; parley doctor does that", "file", db.file)
	} else if err := db.checkQuickly(ctx); err != nil {
		return err
	}
	return db.advise(db.run(ctx, func(t *Tx) error {
		_, err := t.exec(ctx, `UPDATE setting SET value = value WHERE name = 'epoch'`)
		return err
	}))
}

func (db *DB) checkQuickly(ctx context.Context) error {
	var answer string
	if err := db.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&answer); err != nil {
		return db.advise(err)
	}
	if answer != "ok" {
		return fmt.Errorf("%s is damaged; %s: %.300s", db.file, restoreAdvice, answer)
	}
	return nil
}

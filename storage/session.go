package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"

	"parley/social"
)

// session is one connection to SQLite with the statements prepared on it: parsing
// and planning a statement costs more than running it. It serves one transaction at
// a time. (The driver for PostgreSQL keeps prepared statements by itself.)
type session struct {
	asked *atomic.Int64
	conn  *sql.Conn
	ready map[string]*sql.Stmt
}

// maxReady bounds the prepared statements of a session; our texts are fewer.
const maxReady = 256

func newSession(conn *sql.Conn, asked *atomic.Int64) *session {
	return &session{asked: asked, conn: conn, ready: map[string]*sql.Stmt{}}
}

// prepared gives the statement for a text. It outlives the call, so it is prepared
// without the caller's context.
func (s *session) prepared(query string) (*sql.Stmt, error) {
	s.asked.Add(1)
	if stmt := s.ready[query]; stmt != nil {
		return stmt, nil
	}
	if len(s.ready) >= maxReady {
		if err := s.forget(); err != nil {
			return nil, err
		}
	}
	stmt, err := s.conn.PrepareContext(context.Background(), query)
	if err == nil {
		s.ready[query] = stmt
	}
	return stmt, err
}

// Statements is how many statements were run so far on SQLite, transactions' own included:
// tests hold by it that a longer list asks no more often.
func (db *DB) Statements() int64 { return db.asked.Load() }

func (s *session) forget() error {
	var err error
	for _, stmt := range s.ready {
		err = errors.Join(err, stmt.Close())
	}
	clear(s.ready)
	return err
}

// ExecContext, QueryContext and QueryRowContext make a session a querier.
func (s *session) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepared(query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryContext is like ExecContext. The rows have to be closed before the same
// query is asked again.
func (s *session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepared(query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext is like QueryContext; what cannot be prepared fails once more, in
// the row that is answered.
func (s *session) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.prepared(query)
	if err != nil {
		return s.conn.QueryRowContext(ctx, query, args...)
	}
	return stmt.QueryRowContext(ctx, args...)
}

// close ends the connection: the pool closes one that is called bad.
func (s *session) close() error {
	err := s.forget()
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = s.conn.Close() // where that did not
	return err
}

// readers are the sessions that read at the same time: one more than cores gain
// nothing, and the writer needs its share.
const readers = 4

// borrow waits for a session to read with; giveBack has to follow.
func (db *DB) borrow(ctx context.Context) (*session, error) {
	select {
	case s, open := <-db.readers:
		switch {
		case !open:
			return nil, errStopping
		case s != nil:
			return s, nil
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	conn, err := db.read.Conn(ctx)
	if err != nil {
		db.readers <- nil
		return nil, err
	}
	return newSession(conn, &db.asked), nil
}

// giveBack ends what was read; a session that cannot end it is replaced.
func (db *DB) giveBack(s *session) {
	if _, err := s.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		db.log.Debug("a connection to the database is replaced", "error", err, "closing", s.close())
		s = nil
	}
	db.readers <- s
}

// closeReaders waits for what is being read.
func (db *DB) closeReaders() (err error) {
	for range cap(db.readers) {
		s, open := <-db.readers
		if !open {
			return nil // closed before
		}
		if s != nil {
			err = errors.Join(err, s.close())
		}
	}
	if db.readers != nil {
		close(db.readers)
	}
	return err
}

// snapshot runs fn on what is committed now, in SQLite.
func (db *DB) snapshot(ctx context.Context, fn func(tx social.Tx) error) error {
	s, err := db.borrow(ctx)
	if err != nil {
		return db.translate(err)
	}
	defer db.giveBack(s)
	if _, err := s.ExecContext(ctx, "BEGIN"); err != nil {
		return db.translate(err)
	}
	return fn(&Tx{db: db, q: s, read: map[social.ID]*social.Account{}})
}

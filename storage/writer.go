package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"

	"parley/social"
)

// unit is one transaction that waits for the writer.
type unit struct {
	ctx  context.Context
	fn   func(tx *Tx) error
	done chan error
}

// maxBatch bounds how many transactions share one commit, so that none waits
// long for the others' work.
const maxBatch = 64

// submit hands a transaction to the writer goroutine of SQLite.
func (db *DB) submit(ctx context.Context, fn func(tx *Tx) error) (err error) {
	u := &unit{ctx: ctx, fn: fn, done: make(chan error, 1)}
	defer func() {
		if recover() != nil { // the channel is closed
			err = &social.Error{Kind: social.Unavailable, Public: "the instance is stopping"}
		}
	}()
	select {
	case db.work <- u:
	case <-ctx.Done():
		return ctx.Err()
	}
	return <-u.done
}

// runWriter commits what waits in batches: one fsync serves all that came while
// the last one ran. Each transaction has a SAVEPOINT of its own, so one that
// fails takes nobody along; only a failed COMMIT fails its whole batch.
func (db *DB) runWriter() {
	defer close(db.stopped)
	ctx := context.Background()
	conn, err := db.write.Conn(ctx)
	for u := range db.work {
		batch := []*unit{u}
	gather:
		for len(batch) < maxBatch {
			select {
			case more, open := <-db.work:
				if !open {
					break gather
				}
				batch = append(batch, more)
			default:
				break gather
			}
		}
		if err != nil {
			conn, err = db.write.Conn(ctx)
		}
		if err != nil {
			finish(batch, make([]error, len(batch)), db.translate(err))
			continue
		}
		db.commit(ctx, conn, batch)
	}
	if conn != nil {
		_ = conn.Close() // the pool is closed next
	}
}

// commit runs a batch in one SQLite transaction.
func (db *DB) commit(ctx context.Context, conn *sql.Conn, batch []*unit) {
	results := make([]error, len(batch))
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		finish(batch, results, db.translate(err))
		return
	}
	var after []func()
	for i, u := range batch {
		t := &Tx{db: db, q: conn}
		if results[i] = db.runOne(ctx, conn, u, t); results[i] == nil {
			after = append(after, t.after...)
		}
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		_, _ = conn.ExecContext(ctx, "ROLLBACK") // SQLite may have rolled back itself
		finish(batch, results, db.translate(err))
		return
	}
	for _, f := range after {
		f()
	}
	finish(batch, results, nil)
}

// runOne runs a transaction inside its savepoint. The caller's context is not
// used for statements: cancelling one must not interrupt the shared connection.
func (db *DB) runOne(ctx context.Context, conn *sql.Conn, u *unit, t *Tx) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return db.translate(err)
	}
	err := guarded(u.fn, t)
	if err != nil {
		_, back := conn.ExecContext(ctx, "ROLLBACK TO one")
		err = errors.Join(err, back)
	}
	if _, release := conn.ExecContext(ctx, "RELEASE one"); release != nil {
		err = errors.Join(err, release)
	}
	return db.translate(err)
}

// guarded turns a panic into an error, so that the writer lives on.
func guarded(fn func(tx *Tx) error, t *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("transaction broke: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(t)
}

func finish(batch []*unit, results []error, all error) {
	for i, u := range batch {
		if results[i] == nil {
			results[i] = all
		}
		u.done <- results[i]
	}
}

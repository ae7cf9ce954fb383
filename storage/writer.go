package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"modernc.org/sqlite"

	"parley/social"
)

// unit is one transaction that waits for the writer.
type unit struct {
	ctx   context.Context
	fn    func(tx *Tx) error
	after []func() // of a transaction that went well
	done  chan error
}

// maxBatch bounds how many transactions share one commit, so that none waits
// long for the others' work.
const maxBatch = 64

// submit hands a transaction to the writer goroutine of SQLite and waits for its
// end, also when the context ends meanwhile: the caller learns what became of it.
func (db *DB) submit(ctx context.Context, fn func(tx *Tx) error) error {
	u := &unit{ctx: ctx, fn: fn, done: make(chan error, 1)}
	if err := db.enqueue(u); err != nil {
		return err
	}
	if err := <-u.done; err != nil {
		return err
	}
	for _, f := range u.after {
		f()
	}
	return nil
}

func (db *DB) enqueue(u *unit) error {
	db.closing.RLock()
	defer db.closing.RUnlock()
	if db.closed {
		return errStopping
	}
	select {
	case db.work <- u:
		return nil
	case <-u.ctx.Done():
		return u.ctx.Err()
	}
}

// writer owns the one connection that writes to SQLite.
type writer struct {
	db *DB
	on *session
	// lost says that SQLite rolled the shared transaction back by itself, as it may
	// on a full disk or a failed write. From then on each statement would commit alone.
	lost atomic.Bool
}

var errStopping = &social.Error{Kind: social.Unavailable, Public: "the instance is stopping"}

// errLost fails what a rollback by SQLite itself took along.
var errLost = &social.Error{Kind: social.Unavailable, Public: nothingStored, Err: errors.New("the database gave the transaction up")}

// runWriter commits what waits in batches: one fsync serves all that came while
// the last one ran. Each transaction has a SAVEPOINT of its own, so one that
// fails takes nobody along; only what fails the shared transaction, a COMMIT or a
// full disk, fails its whole batch.
func (db *DB) runWriter() {
	defer close(db.stopped)
	w := &writer{db: db}
	defer w.drop()
	for u := range db.work {
		w.commit(context.Background(), db.gather(u))
	}
}

// gather adds to a unit what waits behind it.
func (db *DB) gather(u *unit) []*unit {
	batch := []*unit{u}
	for len(batch) < maxBatch {
		select {
		case more, open := <-db.work:
			if !open {
				return batch
			}
			batch = append(batch, more)
		default:
			return batch
		}
	}
	return batch
}

// connect takes the connection, unless it is there.
func (w *writer) connect(ctx context.Context) error {
	if w.on != nil {
		return nil
	}
	conn, err := w.db.write.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(driver any) error {
		hooks, ok := driver.(sqlite.HookRegisterer)
		if !ok {
			return errors.New("the SQLite driver does not tell about rollbacks")
		}
		hooks.RegisterRollbackHook(func() { w.lost.Store(true) })
		return nil
	})
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	w.on = newSession(conn, &w.db.asked)
	return nil
}

// drop gives the connection up; the next batch takes a new one.
func (w *writer) drop() {
	if w.on != nil {
		_ = w.on.close()
		w.on = nil
	}
}

// commit runs a batch in one SQLite transaction.
func (w *writer) commit(ctx context.Context, batch []*unit) {
	results := make([]error, len(batch))
	if err := w.begin(ctx); err != nil {
		finish(batch, results, w.db.translate(err))
		return
	}
	for i, u := range batch {
		results[i] = w.runOne(ctx, u)
		if w.lost.Load() {
			w.drop()
			finish(batch, results, errLost)
			return
		}
	}
	if _, err := w.on.ExecContext(ctx, "COMMIT"); err != nil {
		w.drop() // which rolls back
		finish(batch, results, w.db.translate(err))
		return
	}
	finish(batch, results, nil)
}

func (w *writer) begin(ctx context.Context) error {
	if err := w.connect(ctx); err != nil {
		return err
	}
	if _, err := w.on.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		w.drop()
		return err
	}
	w.lost.Store(false)
	return nil
}

// runOne runs a transaction inside its savepoint. The caller's context is not
// used for statements: cancelling one must not interrupt the shared connection.
func (w *writer) runOne(ctx context.Context, u *unit) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if _, err := w.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return w.db.translate(err)
	}
	t := &Tx{db: w.db, q: w}
	err := guarded(u.fn, t)
	u.after = t.after
	if err != nil {
		_, back := w.ExecContext(ctx, "ROLLBACK TO one")
		err = errors.Join(err, back)
	}
	if _, release := w.ExecContext(ctx, "RELEASE one"); release != nil {
		err = errors.Join(err, release)
	}
	return w.db.translate(err)
}

// ExecContext, QueryContext and QueryRowContext are the querier of transactions:
// nothing runs after the shared transaction was lost, or it would commit alone.
func (w *writer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if w.lost.Load() {
		return nil, errLost
	}
	return w.on.ExecContext(context.WithoutCancel(ctx), query, args...)
}

// QueryContext is like ExecContext.
func (w *writer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if w.lost.Load() {
		return nil, errLost
	}
	return w.on.QueryContext(context.WithoutCancel(ctx), query, args...)
}

// QueryRowContext is like ExecContext; a row cannot carry an error of ours, so
// that of an ended context stands for it.
func (w *writer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = context.WithoutCancel(ctx)
	if w.lost.Load() {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		ctx = ended
	}
	return w.on.QueryRowContext(ctx, query, args...)
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

// finish tells each caller how its own ended; all is what happened to the batch.
func finish(batch []*unit, results []error, all error) {
	for i, u := range batch {
		if results[i] == nil {
			results[i] = all
		}
		u.done <- results[i]
	}
}

// Package storage keeps everything in SQLite or PostgreSQL, behind the ports that
// social, queue and auth declare. One hand-written SQL text serves both; what
// differs stands in dialect.go. It knows neither HTTP nor ActivityPub nor who
// calls it, and it decides nothing about who may see what.
package storage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"parley/auth"
	"parley/queue"
	"parley/social"
)

var (
	_ social.Store = (*DB)(nil)
	_ social.Tx    = (*Tx)(nil)
	_ queue.Store  = (*DB)(nil)
	_ queue.Admin  = (*DB)(nil)
	_ auth.Store   = (*DB)(nil)
)

// Options of a DB.
type Options struct {
	URL     string // sqlite:<file> or postgres://...
	DataDir string // where a relative file is
	// Committed hears how long a write took until it was durable; nil for nobody.
	Committed func(took time.Duration)
	Now       func() time.Time
	Log       *slog.Logger

	busy time.Duration // how long SQLite waits for other processes; lockWait if zero
}

// lockWait is how long a write waits for a command that writes beside serve.
const lockWait = 10 * time.Second

// DB is an open database.
type DB struct {
	dialect   dialect
	write     *sql.DB
	read      *sql.DB
	file      string // of SQLite
	now       func() time.Time
	log       *slog.Logger
	committed func(took time.Duration) // nil for nobody

	anchor   string // file with the end of the audit rows
	linking  sync.Mutex
	anchored bool // by LinkAudit: the file holds the end, or one before rows that wait

	packers packers
	last    atomic.Int64  // the newest id given here
	asked   atomic.Int64  // statements run on SQLite
	readers chan *session // of SQLite; nil stands for one not opened yet
	work    chan *unit    // to the writer goroutine of SQLite
	stopped chan struct{}
	closing sync.RWMutex
	closed  bool
}

// querier is what *sql.Conn and *sql.Tx have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Tx is one transaction; see social.Tx.
type Tx struct {
	db    *DB
	q     querier
	after []func()
	// read holds the accounts that a snapshot has read: a page asks for the same ones
	// several times, and they stay as they are. nil where they can change.
	read map[social.ID]*social.Account
}

// AfterCommit runs fn once the transaction is durable.
func (t *Tx) AfterCommit(fn func()) { t.after = append(t.after, fn) }

// Open opens a database and brings its schema up to date.
func Open(ctx context.Context, o Options) (*DB, error) {
	db, err := connect(o)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(db.advise(err), db.closePools())
	}
	db.startWriter()
	return db, nil
}

// connect opens a database whose schema was not looked at yet.
func connect(o Options) (*DB, error) {
	db := &DB{now: o.Now, log: o.Log, committed: o.Committed, stopped: make(chan struct{})}
	var err error
	if name, ok := strings.CutPrefix(o.URL, "sqlite:"); ok {
		if !filepath.IsAbs(name) {
			name = filepath.Join(o.DataDir, name)
		}
		db.anchor = name + AnchorSuffix
		err = db.openSQLite(name, cmp.Or(o.busy, lockWait))
	} else {
		db.anchor = filepath.Join(o.DataDir, "parley"+AnchorSuffix)
		err = db.openPostgres(o.URL)
	}
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", db.advise(err))
	}
	return db, nil
}

// startWriter begins to write; PostgreSQL has many writers.
func (db *DB) startWriter() {
	if db.dialect.sqlite {
		db.work = make(chan *unit, 256)
		go db.runWriter()
	}
}

func (db *DB) openSQLite(name string, busy time.Duration) (err error) {
	db.dialect, db.file = dialect{sqlite: true}, name
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600) // SQLite gives -wal and -shm the same mode
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	dsn := fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)", name, busy.Milliseconds()) +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=temp_store(memory)"
	if db.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return err
	}
	db.write.SetMaxOpenConns(1)
	if db.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)&_pragma=cache_size(-8000)"); err != nil {
		return err
	}
	db.read.SetMaxOpenConns(readers + 2) // two for checks and copies of the whole
	db.readers = make(chan *session, readers)
	for range readers {
		db.readers <- nil
	}
	return db.write.Ping()
}

func (db *DB) openPostgres(url string) (err error) {
	if db.write, err = sql.Open("pgx", url); err != nil {
		return err
	}
	db.write.SetMaxOpenConns(16)
	db.write.SetMaxIdleConns(8)
	db.read = db.write
	return db.write.Ping()
}

// Close waits for running transactions and closes the database.
func (db *DB) Close() error {
	if db.stopWriter() {
		<-db.stopped
	}
	return db.closePools()
}

// stopWriter lets the writer end after what it was handed; once.
func (db *DB) stopWriter() bool {
	db.closing.Lock()
	defer db.closing.Unlock()
	if db.closed || db.work == nil {
		return false
	}
	db.closed = true
	close(db.work)
	return true
}

func (db *DB) closePools() error {
	err := errors.Join(db.closeReaders(), db.write.Close())
	if db.read != db.write {
		err = errors.Join(err, db.read.Close())
	}
	return err
}

// View runs fn on a snapshot.
func (db *DB) View(ctx context.Context, fn func(tx social.Tx) error) error {
	if db.dialect.sqlite {
		return db.snapshot(ctx, fn)
	}
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return db.translate(err)
	}
	defer func() { _ = tx.Rollback() }() // a snapshot has nothing to lose
	return fn(&Tx{db: db, q: tx, read: map[social.ID]*social.Account{}})
}

// Tx runs fn in a transaction; see social.Store.
func (db *DB) Tx(ctx context.Context, fn func(tx social.Tx) error) error {
	return db.run(ctx, func(tx *Tx) error { return fn(tx) })
}

func (db *DB) run(ctx context.Context, fn func(tx *Tx) error) error {
	start := time.Now()
	do := db.serializable
	if db.dialect.sqlite {
		do = db.submit
	}
	err := do(ctx, fn)
	if err == nil && db.committed != nil {
		db.committed(time.Since(start))
	}
	return err
}

const (
	// serializablePatience is how long a transaction is repeated that others win over; by
	// number, a machine that is short of time would give up soonest.
	serializablePatience = 10 * time.Second
	// serializablePause bounds the pause before it is repeated, and is reached step by step.
	serializablePause = 20 // times 1 to 7 ms
)

// serializable runs fn on PostgreSQL and repeats it when another transaction won.
func (db *DB) serializable(ctx context.Context, fn func(tx *Tx) error) error {
	var err error
	began := time.Now()
	for try := 0; try == 0 || time.Since(began) < serializablePatience; try++ {
		if try > 0 {
			select {
			case <-time.After(time.Duration(min(try, serializablePause)) * time.Duration(1+rand.IntN(7)) * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		var t *Tx
		if t, err = db.attempt(ctx, fn); err == nil {
			for _, f := range t.after {
				f()
			}
			return nil
		}
		if !repeatable(err) {
			break
		}
	}
	return db.translate(err)
}

func (db *DB) attempt(ctx context.Context, fn func(tx *Tx) error) (*Tx, error) {
	tx, err := db.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return nil, err
	}
	t := &Tx{db: db, q: tx}
	if err := fn(t); err != nil {
		return nil, errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return t, tx.Commit()
}

// nextID is a time-ordered id that this process gives once: many rows can be
// written in one millisecond, more than 20 random bits keep apart.
func (db *DB) nextID() social.ID {
	for {
		last := db.last.Load()
		id := max(int64(social.NewID(db.now())), last+1)
		if db.last.CompareAndSwap(last, id) {
			return social.ID(id)
		}
	}
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

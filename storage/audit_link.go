package storage

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"parley/social"
)

// AnchorSuffix ends the name of the file that keeps the end of the audit rows: it
// stands beside an SQLite database, and in the data folder for PostgreSQL.
const AnchorSuffix = ".audit"

// linkBatch is how many rows one transaction links: others wait for the writer.
const linkBatch = 500

// chainEnd is the newest row of the chain, or one that was; the zero value is that
// of an empty chain.
type chainEnd struct {
	seq  int64
	hash []byte
}

// LinkAudit links all waiting rows into the chain, in their order, and then notes the
// end of the chain in a file beside the database. Where that file tells of a row that
// the database does not have, the file stays and the error says so; what waits is
// linked all the same.
func (db *DB) LinkAudit(ctx context.Context) error {
	db.linking.Lock()
	defer db.linking.Unlock()
	if db.anchored {
		var waiting bool
		err := db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM audit_waiting)`).Scan(&waiting)
		if err != nil || !waiting {
			return db.translate(err)
		}
	}
	_, err := db.readAnchor()
	lost := errors.Is(err, fs.ErrNotExist)
	var end chainEnd
	for more := true; more; lost = false {
		if err := db.linkAlone(ctx, func(t *Tx) error {
			end, more, err = t.link(ctx, lost)
			return err
		}); err != nil {
			return db.translate(err)
		}
	}
	err = db.advanceAnchor(ctx, end)
	db.anchored = err == nil
	return err
}

// linkAlone runs fn while nobody else links. On PostgreSQL that is not SERIALIZABLE:
// there whoever appends a row meanwhile would have to begin anew.
func (db *DB) linkAlone(ctx context.Context, fn func(t *Tx) error) error {
	if db.dialect.sqlite {
		return db.run(ctx, fn)
	}
	tx, err := db.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(7237)`); err != nil {
		return err
	}
	if err := fn(&Tx{db: db, q: tx}); err != nil {
		return err
	}
	return tx.Commit()
}

// link moves some waiting rows into the chain and says whether more may wait. lost
// says that rows are there and no end of them was kept: that is written down too.
func (t *Tx) link(ctx context.Context, lost bool) (end chainEnd, more bool, err error) {
	if end, err = t.chainEnd(ctx); err != nil {
		return end, false, err
	}
	if lost && end.seq > 0 {
		if err := t.AppendAudit(ctx, social.AuditRow{Kind: social.AuditChain, Result: "anchored",
			Cause: fmt.Sprintf("beside the database no end of these rows was kept; they go on after row %d", end.seq)}); err != nil {
			return end, false, err
		}
	}
	type waitingRow struct {
		id social.ID
		social.AuditRow
	}
	rows, err := list(ctx, t, func(s scanner) (r waitingRow, err error) {
		var when int64
		err = s.Scan(&r.id, &when, &r.Kind, &r.Subject, &r.Peer, &r.Zone, &r.Rule, &r.Key, &r.Result, &r.Cause, &r.By)
		r.At = at(when)
		return r, err
	}, `SELECT id, `+auditColumns+` FROM audit_waiting ORDER BY id LIMIT $1`, linkBatch)
	if err != nil {
		return end, false, err
	}
	for _, r := range rows {
		r.Seq = end.seq + 1
		end = chainEnd{r.Seq, r.Hash(end.hash)}
		if _, err := t.exec(ctx, `INSERT INTO audit (`+linkedColumns+`) SELECT CAST($2 AS BIGINT), `+auditColumns+`, $3 FROM audit_waiting WHERE id = $1`,
			r.id, end.seq, end.hash); err != nil {
			return end, false, err
		}
		if _, err := t.exec(ctx, `DELETE FROM audit_waiting WHERE id = $1`, r.id); err != nil {
			return end, false, err
		}
	}
	return end, len(rows) == linkBatch, nil
}

func (t *Tx) chainEnd(ctx context.Context) (end chainEnd, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&end.seq, &end.hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return end, err
}

// advanceAnchor notes a new end of the chain, unless the chain does not hold the end
// that was noted before.
func (db *DB) advanceAnchor(ctx context.Context, end chainEnd) error {
	kept, err := db.readAnchor()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		var hash []byte
		err := db.read.QueryRowContext(ctx, `SELECT hash FROM audit WHERE seq = $1`, kept.seq).Scan(&hash)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return db.translate(err)
		}
		if !bytes.Equal(hash, kept.hash) {
			return fmt.Errorf("the database has not the audit row %d that %s tells of: run parley audit verify", kept.seq, db.anchor)
		}
	}
	if end.seq <= kept.seq {
		return nil
	}
	return writeAnchor(db.anchor, end)
}

// readAnchor reads the end of the chain that was noted last; fs.ErrNotExist if none was.
func (db *DB) readAnchor() (end chainEnd, err error) {
	text, err := os.ReadFile(db.anchor)
	if err != nil {
		return end, err
	}
	seq, hash, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if end.seq, err = strconv.ParseInt(seq, 10, 64); err == nil {
		end.hash, err = hex.DecodeString(hash)
	}
	if err != nil || end.seq < 1 {
		err = fmt.Errorf("%s does not hold the end of the audit rows", db.anchor)
	}
	return end, err
}

// writeAnchor replaces the file as a whole.
func writeAnchor(file string, end chainEnd) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // a leftover is only disk space
		}
	}()
	_, err = fmt.Fprintf(f, "%d %x\n", end.seq, end.hash)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

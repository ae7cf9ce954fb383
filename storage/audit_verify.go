package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"parley/social"
)

// AuditReport is what VerifyAudit found.
type AuditReport struct {
	Rows    int64  `json:"rows"`    // of the chain that are good, from the first
	Waiting int64  `json:"waiting"` // not linked yet, so nothing guards them yet
	Hash    string `json:"hash"`    // of the last good row: noted elsewhere, it proves all rows up to there
	BadRow  int64  `json:"bad_row,omitempty"`
	Problem string `json:"problem,omitempty"` // "" when all is well
}

// VerifyAudit reads the whole chain and names the first row that was changed, moved,
// removed or put in, and rows that were cut off at the end. It compares the chain with
// the file beside the database and with what was noted elsewhere.
func (db *DB) VerifyAudit(ctx context.Context, noted ...social.AuditMark) (AuditReport, error) {
	kept, keptErr := db.readAnchor() // first: the chain may go on while it is read
	var report AuditReport
	if err := db.read.QueryRowContext(ctx, `SELECT count(*) FROM audit_waiting`).Scan(&report.Waiting); err != nil {
		return report, db.translate(err)
	}
	var last chainEnd
	if err := db.eachLinked(ctx, math.MinInt64, func(r linkedRow) (err error) {
		if !r.follows(last) {
			report.BadRow = min(last.seq+1, r.Seq)
			report.Problem, err = db.whatIsWrong(ctx, last, r)
			return cmp.Or(err, errStop)
		}
		last = chainEnd{r.Seq, r.hash}
		report.Rows, report.Hash = r.Seq, hex.EncodeToString(r.hash)
		if keptErr == nil && r.Seq == kept.seq && !bytes.Equal(r.hash, kept.hash) {
			report.Rows, report.Hash, report.BadRow = 0, "", r.Seq
			report.Problem = "it is not the row that " + db.anchor + " tells of: it was replaced, with rows before it or alone"
			return errStop
		}
		for _, m := range noted {
			if r.Seq == m.Row && !strings.EqualFold(report.Hash, m.Hash) {
				report.Rows, report.Hash, report.BadRow = 0, "", r.Seq
				report.Problem = "it is not the row whose hash was noted: it was replaced, with rows before it"
				return errStop
			}
		}
		return nil
	}); err != nil || report.Problem != "" {
		return report, err
	}
	if errors.Is(keptErr, fs.ErrNotExist) {
		_, keptErr = db.readAnchor() // the first rows may have come meanwhile
	}
	for _, m := range noted {
		kept.seq = max(kept.seq, m.Row)
	}
	report.Problem = db.endProblem(last, kept, keptErr)
	if report.Problem != "" {
		report.BadRow = last.seq + 1
	}
	return report, nil
}

// endProblem compares the end of a good chain with the one that was kept.
func (db *DB) endProblem(last, kept chainEnd, keptErr error) string {
	switch {
	case errors.Is(keptErr, fs.ErrNotExist) && last.seq == 0:
		return ""
	case errors.Is(keptErr, fs.ErrNotExist):
		return db.anchor + " is missing, so nobody can tell whether rows were cut off here"
	case keptErr != nil:
		return keptErr.Error()
	case kept.seq > last.seq:
		return fmt.Sprintf("it is missing: rows up to %d were cut off at the end, or an older copy of the database was put here", kept.seq)
	}
	return ""
}

// follows says that a row is the one after last, unchanged.
func (r linkedRow) follows(last chainEnd) bool {
	return r.Seq == last.seq+1 && bytes.Equal(r.Hash(last.hash), r.hash)
}

// errStop ends eachLinked early; it is no failure.
var errStop = errors.New("stop")

// whatIsWrong tells how the row after last is not the one that follows it.
func (db *DB) whatIsWrong(ctx context.Context, last chainEnd, found linkedRow) (string, error) {
	moved := int64(0)
	err := db.eachLinked(ctx, last.seq, func(r linkedRow) error {
		stands := r.Seq
		r.Seq = last.seq + 1
		if stands != r.Seq && r.follows(last) {
			moved = stands
			return errStop
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case moved != 0:
		return fmt.Sprintf("it was moved: it stands at %d now", moved), nil
	case found.Seq > last.seq+1:
		return "it is missing", nil
	case found.Seq <= last.seq:
		return "it was put in: the chain has no place for it", nil
	}
	return "it was changed, or another was put in its place", nil
}

// eachLinked calls fn with the rows of the chain after a place, in their order, until
// it answers an error.
func (db *DB) eachLinked(ctx context.Context, after int64, fn func(r linkedRow) error) error {
	for {
		var page []linkedRow
		if err := db.View(ctx, func(tx social.Tx) (err error) {
			page, err = list(ctx, tx.(*Tx), scanLinked, `SELECT `+linkedColumns+` FROM audit WHERE seq > $1 ORDER BY seq LIMIT 2000`, after)
			return err
		}); err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			switch err := fn(r); {
			case err == errStop:
				return nil
			case err != nil:
				return err
			}
			after = r.Seq
		}
	}
}

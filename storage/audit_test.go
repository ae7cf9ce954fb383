package storage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/social"
	"parley/storage"
)

// chain opens a database with n linked audit rows.
func chain(t *testing.T, n int) (db *storage.DB, dir string) {
	t.Helper()
	dir = t.TempDir()
	db = open(t, "sqlite:parley.db", dir)
	appendAudit(t, db, n)
	must(t, db.LinkAudit(context.Background()))
	return db, dir
}

func appendAudit(t *testing.T, db *storage.DB, n int) {
	t.Helper()
	for i := range n {
		must(t, db.Tx(context.Background(), func(tx social.Tx) error {
			return tx.AppendAudit(context.Background(), social.AuditRow{Kind: social.AuditSend, Subject: fmt.Sprintf("https://a.test/%d", i), Peer: "b.test", Result: social.AuditAllowed})
		}))
	}
}

// Whatever somebody does to the rows by way of the database is named, with the first
// row that it was done to; what was good before stays proved.
func TestVerifyNamesTheFirstBadAuditRow(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		spoil   string
		bad     int64
		problem string
	}{
		"a letter changed":              {`UPDATE audit SET peer = 'c.test' WHERE seq = 7`, 7, "changed"},
		"a time changed":                {`UPDATE audit SET at = at + 1 WHERE seq = 20`, 20, "changed"},
		"a hash changed":                {`UPDATE audit SET hash = zeroblob(32) WHERE seq = 3`, 3, "changed"},
		"a bit of a hash flipped":       {`UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 4) WHERE seq = 3`, 3, "changed"},
		"words moved between two texts": {`UPDATE audit SET zone = peer, peer = '' WHERE seq = 5`, 5, "changed"},
		"a row deleted":                 {`DELETE FROM audit WHERE seq = 9`, 9, "missing"},
		"the first row deleted":         {`DELETE FROM audit WHERE seq = 1`, 1, "missing"},
		"a gap closed":                  {`DELETE FROM audit WHERE seq = 9; UPDATE audit SET seq = -seq WHERE seq > 9; UPDATE audit SET seq = -seq - 1 WHERE seq < 0`, 9, "changed"},
		"neighbours swapped":            {`UPDATE audit SET seq = 99 WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = 99`, 6, "moved: it stands at 7"},
		"distant rows swapped":          {`UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 17; UPDATE audit SET seq = 17 WHERE seq = 99`, 2, "moved: it stands at 17"},
		"a row moved to the end":        {`UPDATE audit SET seq = 21 WHERE seq = 8`, 8, "moved: it stands at 21"},
		"a row put in":                  {`INSERT INTO audit SELECT 0, at, kind, subject, peer, zone, rule, key_id, result, cause, by_whom, hash FROM audit WHERE seq = 5`, 0, "put in"},
		"the tail cut":                  {`DELETE FROM audit WHERE seq > 12`, 13, "up to 20 were cut off"},
		"everything cut":                {`DELETE FROM audit`, 1, "up to 20 were cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := chain(t, 20)
			if report, err := db.VerifyAudit(ctx); err != nil || report.Problem != "" || report.Rows != 20 || len(report.Hash) != 64 {
				t.Fatalf("before: %+v %v", report, err)
			}
			storage.Spoil(t, db, c.spoil)
			report, err := db.VerifyAudit(ctx)
			if err != nil || report.BadRow != c.bad || !strings.Contains(report.Problem, c.problem) || report.Rows != max(c.bad-1, 0) {
				t.Errorf("%+v %v", report, err)
			}
		})
	}
}

// Rows that come after a cut do not cover it up: the end that was kept stays.
func TestLaterAuditRowsDoNotHideACut(t *testing.T) {
	ctx := context.Background()
	db, dir := chain(t, 20)
	kept, err := os.ReadFile(filepath.Join(dir, "parley.db.audit"))
	must(t, err)
	storage.Spoil(t, db, `DELETE FROM audit WHERE seq > 12`)
	appendAudit(t, db, 30)
	if err := db.LinkAudit(ctx); err == nil || !strings.Contains(err.Error(), "parley audit verify") {
		t.Errorf("linked: %v", err)
	}
	now, err := os.ReadFile(filepath.Join(dir, "parley.db.audit"))
	if err != nil || string(now) != string(kept) {
		t.Errorf("the end that was kept became %s %v", now, err)
	}
	if report, err := db.VerifyAudit(ctx); err != nil || report.BadRow != 20 || report.Rows != 0 || !strings.Contains(report.Problem, "replaced") {
		t.Errorf("%+v %v", report, err)
	}
}

// Without the file nobody can tell that the end is whole; the rows that follow say so.
func TestLostAnchorIsToldAndWrittenDown(t *testing.T) {
	ctx := context.Background()
	db, dir := chain(t, 5)
	must(t, db.Close())
	must(t, os.Remove(filepath.Join(dir, "parley.db.audit")))
	db = open(t, "sqlite:parley.db", dir)
	if report, err := db.VerifyAudit(ctx); err != nil || report.BadRow != 6 || report.Rows != 5 || !strings.Contains(report.Problem, "is missing") {
		t.Errorf("%+v %v", report, err)
	}
	must(t, db.LinkAudit(ctx))
	if report, err := db.VerifyAudit(ctx); err != nil || report.Problem != "" || report.Rows != 6 {
		t.Errorf("%+v %v", report, err)
	}
	must(t, db.View(ctx, func(tx social.Tx) error {
		rows, err := tx.Audit(ctx, social.Page{Limit: 1})
		if rows[0].Kind != social.AuditChain || !strings.Contains(rows[0].Cause, "after row 5") {
			t.Errorf("%+v", rows[0])
		}
		return err
	}))
	must(t, os.Chmod(dir, 0o700))
	must(t, storage.CheckPermissions(dir))
	must(t, os.WriteFile(filepath.Join(dir, "parley.db.audit"), nil, 0o600))
	if report, err := db.VerifyAudit(ctx); err != nil || report.BadRow != 7 || !strings.Contains(report.Problem, "does not hold") {
		t.Errorf("an empty file: %+v %v", report, err)
	}
}

// A decision that was committed and not linked is linked by whoever opens the
// database next.
func TestUnlinkedAuditRowsAreKept(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	db := open(t, "sqlite:parley.db", dir)
	appendAudit(t, db, 3)
	must(t, db.Close())
	db = open(t, "sqlite:parley.db", dir)
	if report, err := db.VerifyAudit(ctx); err != nil || report.Problem != "" || report.Waiting != 3 {
		t.Errorf("%+v %v", report, err)
	}
	must(t, db.LinkAudit(ctx))
	if report, err := db.VerifyAudit(ctx); err != nil || report.Problem != "" || report.Rows != 3 || report.Waiting != 0 {
		t.Errorf("%+v %v", report, err)
	}
}

package storagetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"parley/social"
	"parley/storage"
)

// Sixteen append while others link: each row stands in the chain once, in a chain
// without a gap.
func auditRowsFromSixteen(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	const each = 40
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range each {
				must(t, db.Tx(ctx, func(tx social.Tx) error {
					return tx.AppendAudit(ctx, social.AuditRow{Kind: social.AuditSend, Subject: fmt.Sprintf("https://a.test/%d/%d", i, j),
						Peer: "b.test", Zone: "company", Rule: "company", Key: "https://a.test/actor#main-key", Result: social.AuditAllowed, By: "alice"})
				}))
				if j%10 == 0 {
					must(t, db.LinkAudit(ctx))
				}
			}
		})
	}
	wg.Wait()
	must(t, db.LinkAudit(ctx))
	report, err := db.VerifyAudit(ctx)
	if err != nil || report.Problem != "" || report.Rows != 16*each || report.Waiting != 0 {
		t.Errorf("%+v: %v", report, err)
	}
	seen := map[string]bool{}
	must(t, db.View(ctx, func(tx social.Tx) error {
		rows, err := tx.Audit(ctx, social.Page{Limit: 1000})
		for i, r := range rows {
			if r.Seq != int64(16*each-i) || r.Peer != "b.test" || r.By != "alice" || r.At.IsZero() {
				t.Fatalf("row %d is %+v", i, r)
			}
			seen[r.Subject] = true
		}
		return err
	}))
	if len(seen) != 16*each {
		t.Errorf("%d different rows", len(seen))
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return first(tx.AppendAudit(ctx, social.AuditRow{Kind: social.AuditZone, Result: "set", By: "alice"}),
			tx.AppendAudit(ctx, social.AuditRow{Kind: social.AuditZone, Result: "set"}),
			tx.AppendAudit(ctx, social.AuditRow{Kind: social.AuditFetch, Result: social.AuditRefused}),
			tx.AppendAudit(ctx, social.AuditRow{Kind: social.AuditSend, Result: social.AuditRefused, Peer: "c.test"}))
	}))
	must(t, db.LinkAudit(ctx))
	must(t, db.View(ctx, func(tx social.Tx) error {
		acts, err := tx.Acts(ctx, social.Page{Limit: 9})
		if len(acts) != 1 || acts[0].By != "alice" || acts[0].Kind != social.AuditZone {
			t.Errorf("acts are %+v", acts)
		}
		must(t, err)
		refused, err := tx.RefusedSends(ctx, social.Page{Limit: 9})
		if len(refused) != 1 || refused[0].Peer != "c.test" {
			t.Errorf("not sent is %+v", refused)
		}
		return err
	}))
}

// What others call themselves cannot spoil the chain: texts are made storable and
// are cut, and the chain holds over what is stored.
func auditTextsAreCleaned(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return tx.AppendAudit(ctx, social.AuditRow{Kind: social.AuditReceive, Subject: "https://b.test/\x00a\xff", Peer: strings.Repeat("x", 5000),
			Cause: strings.Repeat("ü", 400) + "x"})
	}))
	must(t, db.LinkAudit(ctx))
	if report, err := db.VerifyAudit(ctx); err != nil || report.Problem != "" || report.Rows != 1 {
		t.Errorf("%+v: %v", report, err)
	}
	must(t, db.View(ctx, func(tx social.Tx) error {
		rows, err := tx.Audit(ctx, social.Page{Limit: 10})
		must(t, err)
		r := rows[0]
		if r.Subject != "https://b.test/a\uFFFD" || len(r.Peer) != 500 || r.Cause != strings.Repeat("ü", 250) {
			t.Errorf("%q %d %d", r.Subject, len(r.Peer), len(r.Cause))
		}
		return nil
	}))
}

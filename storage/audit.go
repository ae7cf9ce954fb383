package storage

import (
	"context"

	"parley/social"
)

const auditColumns = `at, kind, subject, peer, zone, rule, key_id, result, cause, by_whom`

// AppendAudit writes a decision, to be linked soon.
func (t *Tx) AppendAudit(ctx context.Context, r social.AuditRow) error {
	r = r.Clean()
	if r.At.IsZero() {
		r.At = t.db.now()
	}
	_, err := t.exec(ctx, `INSERT INTO audit_waiting (id, `+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		t.db.nextID(), ms(r.At), string(r.Kind), r.Subject, r.Peer, r.Zone, r.Rule, r.Key, r.Result, r.Cause, r.By)
	return err
}

// linkedRow is a row of the chain with its stored hash.
type linkedRow struct {
	social.AuditRow
	hash []byte
}

const linkedColumns = `seq, ` + auditColumns + `, hash`

func scanLinked(s scanner) (r linkedRow, err error) {
	var when int64
	err = s.Scan(&r.Seq, &when, &r.Kind, &r.Subject, &r.Peer, &r.Zone, &r.Rule, &r.Key, &r.Result, &r.Cause, &r.By, &r.hash)
	r.At = at(when)
	return r, err
}

// Audit lists linked rows, newest first.
func (t *Tx) Audit(ctx context.Context, p social.Page) ([]social.AuditRow, error) {
	return t.audit(ctx, "seq > 0", p)
}

// Acts lists what somebody did, newest first. The kinds are those of an index.
func (t *Tx) Acts(ctx context.Context, p social.Page) ([]social.AuditRow, error) {
	return t.audit(ctx, `kind IN ('member', 'policy', 'zone', 'pairing', 'queue') AND by_whom <> ''`, p)
}

// RefusedSends lists what was not sent, newest first. It has an index of its own too.
func (t *Tx) RefusedSends(ctx context.Context, p social.Page) ([]social.AuditRow, error) {
	return t.audit(ctx, `kind = 'send' AND result = 'refused'`, p)
}

func (t *Tx) audit(ctx context.Context, which string, p social.Page) ([]social.AuditRow, error) {
	clause, args, reversed := keyset("seq", p, nil)
	found, err := list(ctx, t, scanLinked, `SELECT `+linkedColumns+` FROM audit WHERE `+which+clause, args...)
	out := make([]social.AuditRow, len(found))
	for i, r := range found {
		out[i] = r.AuditRow
	}
	return turn(out, reversed), err
}

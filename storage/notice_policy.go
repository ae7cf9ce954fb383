package storage

import (
	"context"

	"parley/social"
)

// HeldFrom lists by whom something is held back for an account.
func (t *Tx) HeldFrom(ctx context.Context, account, from social.ID, p social.Page) ([]social.HeldFrom, error) {
	clause, args, rev := keyset("newest", p, []any{account, from})
	found, err := list(ctx, t, func(s scanner) (h social.HeldFrom, err error) {
		return h, s.Scan(&h.FromID, &h.Count, &h.First, &h.Newest, &h.PostID)
	}, `SELECT from_id, many, oldest, newest, coalesce((SELECT post_id FROM notification WHERE id = spoken), 0) FROM (
		  SELECT n.from_id, count(*) AS many, min(n.id) AS oldest, max(n.id) AS newest, max(CASE WHEN n.post_id <> 0 THEN n.id END) AS spoken
		  FROM notification n WHERE n.account_id = $1 AND n.held = 1 AND (n.from_id = $2 OR $2 = 0)`+by("n")+` GROUP BY n.from_id) counted WHERE true`+clause, args...)
	return turn(found, rev), err
}

// CountHeld counts by how many something is held back, and how much.
func (t *Tx) CountHeld(ctx context.Context, account social.ID) (requests, notifications int, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT count(DISTINCT n.from_id), count(*) FROM notification n WHERE n.account_id = $1 AND n.held = 1`+by("n"), account).Scan(&requests, &notifications)
	return requests, notifications, t.db.translate(err)
}

// AcceptHeld tells what is held back of some, who are heard from then on.
func (t *Tx) AcceptHeld(ctx context.Context, account social.ID, from []social.ID) (int64, error) {
	ids := jsonText(append([]social.ID{}, from...))
	which := ` WHERE account_id = $1 AND held = 1 AND from_id IN ` + t.db.dialect.ids("$2")
	if _, err := t.exec(ctx, `INSERT INTO notification_permit (account_id, from_id) SELECT DISTINCT account_id, from_id FROM notification`+which+` ON CONFLICT DO NOTHING`, account, ids); err != nil {
		return 0, err
	}
	return t.exec(ctx, `UPDATE notification SET held = 0`+which, account, ids)
}

// DropHeld removes what is held back of some.
func (t *Tx) DropHeld(ctx context.Context, account social.ID, from []social.ID) (int64, error) {
	return t.exec(ctx, `DELETE FROM notification WHERE account_id = $1 AND held = 1 AND from_id IN `+t.db.dialect.ids("$2"), account, jsonText(append([]social.ID{}, from...)))
}

// Heard says that somebody is heard whatever the policy says.
func (t *Tx) Heard(ctx context.Context, account, from social.ID) (heard bool, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT count(*) > 0 FROM notification_permit WHERE account_id = $1 AND from_id = $2`, account, from).Scan(&heard)
	return heard, t.db.translate(err)
}

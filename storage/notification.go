package storage

import (
	"context"
	"encoding/json"
	"time"

	"parley/social"
)

const notificationColumns = `id, account_id, kind, from_id, post_id, created_at, read_at`

func scanNotification(s scanner) (*social.Notification, error) {
	n := &social.Notification{}
	var created, read int64
	err := s.Scan(&n.ID, &n.AccountID, &n.Kind, &n.FromID, &n.PostID, &created, &read)
	n.CreatedAt, n.ReadAt = at(created), at(read)
	return n, err
}

// InsertNotification adds one; the same thing is told once.
func (t *Tx) InsertNotification(ctx context.Context, n *social.Notification) error {
	n.ID = t.db.nextID()
	_, err := t.exec(ctx, `INSERT INTO notification (id, account_id, kind, from_id, post_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account_id, kind, from_id, post_id) DO NOTHING`, n.ID, n.AccountID, string(n.Kind), n.FromID, n.PostID, ms(n.CreatedAt))
	return err
}

// RenewNotification adds one in place of the same one before.
func (t *Tx) RenewNotification(ctx context.Context, n *social.Notification) error {
	if _, err := t.exec(ctx, `DELETE FROM notification WHERE account_id = $1 AND kind = $2 AND from_id = $3 AND post_id = $4`,
		n.AccountID, string(n.Kind), n.FromID, n.PostID); err != nil {
		return err
	}
	return t.InsertNotification(ctx, n)
}

// Notifications lists an account's, newest first.
func (t *Tx) Notifications(ctx context.Context, account social.ID, p social.Page, kinds, exclude []social.NotificationKind) ([]*social.Notification, error) {
	where := `SELECT ` + notificationColumns + ` FROM notification WHERE account_id = $1`
	args := []any{account}
	if len(kinds) > 0 {
		args = append(args, jsonText(kinds))
		where += ` AND kind IN ` + t.db.dialect.texts("$"+itoa(len(args)))
	}
	if len(exclude) > 0 {
		args = append(args, jsonText(exclude))
		where += ` AND kind NOT IN ` + t.db.dialect.texts("$"+itoa(len(args)))
	}
	clause, args, rev := keyset("id", p, args)
	found, err := list(ctx, t, scanNotification, where+clause, args...)
	return turn(found, rev), err
}

// Notification finds one of an account's.
func (t *Tx) Notification(ctx context.Context, account, id social.ID) (*social.Notification, error) {
	return one(ctx, t, scanNotification, `SELECT `+notificationColumns+` FROM notification WHERE account_id = $1 AND id = $2`, account, id)
}

// CountUnread counts what an account has not read.
func (t *Tx) CountUnread(ctx context.Context, account social.ID) (n int, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT count(*) FROM notification WHERE account_id = $1 AND read_at = 0`, account).Scan(&n)
	return n, t.db.translate(err)
}

// MarkRead marks everything up to one as read.
func (t *Tx) MarkRead(ctx context.Context, account, upTo social.ID, when time.Time) error {
	_, err := t.exec(ctx, `UPDATE notification SET read_at = $3 WHERE account_id = $1 AND id <= $2 AND read_at = 0`, account, upTo, ms(when))
	return err
}

// DeleteNotification removes one, or all with id zero.
func (t *Tx) DeleteNotification(ctx context.Context, account, id social.ID) error {
	_, err := t.exec(ctx, `DELETE FROM notification WHERE account_id = $1 AND (id = $2 OR $2 = 0)`, account, id)
	return err
}

// InsertReport keeps a complaint.
func (t *Tx) InsertReport(ctx context.Context, r *social.Report) error {
	_, err := t.exec(ctx, `INSERT INTO report (id, data, closed_at) VALUES ($1, $2, 0)`, r.ID, jsonText(r))
	return err
}

// Reports lists complaints, newest first.
func (t *Tx) Reports(ctx context.Context, p social.Page) ([]*social.Report, error) {
	return t.reports(ctx, "true", p)
}

// OpenReports lists those that nobody dealt with yet.
func (t *Tx) OpenReports(ctx context.Context, p social.Page) ([]*social.Report, error) {
	return t.reports(ctx, "closed_at = 0", p)
}

// CountOpenReports counts them.
func (t *Tx) CountOpenReports(ctx context.Context) (n int, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT count(*) FROM report WHERE closed_at = 0`).Scan(&n)
	return n, t.db.translate(err)
}

func (t *Tx) reports(ctx context.Context, which string, p social.Page) ([]*social.Report, error) {
	clause, args, rev := keyset("id", p, nil)
	found, err := list(ctx, t, func(s scanner) (*social.Report, error) {
		var data string
		var closed int64
		if err := s.Scan(&data, &closed); err != nil {
			return nil, err
		}
		r := &social.Report{}
		err := json.Unmarshal([]byte(data), r)
		r.ClosedAt = at(closed)
		return r, err
	}, `SELECT data, closed_at FROM report WHERE `+which+clause, args...)
	return turn(found, rev), err
}

// CloseReport says when a complaint was dealt with.
func (t *Tx) CloseReport(ctx context.Context, id social.ID, when time.Time) error {
	_, err := t.exec(ctx, `UPDATE report SET closed_at = $2 WHERE id = $1 AND closed_at = 0`, id, ms(when))
	return err
}

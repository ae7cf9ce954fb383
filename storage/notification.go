package storage

import (
	"context"
	"encoding/json"
	"time"

	"parley/social"
)

const notificationColumns = `n.id, n.account_id, n.kind, n.from_id, n.post_id, n.created_at, n.read_at, n.held`

func scanNotification(s scanner) (*social.Notification, error) {
	n := &social.Notification{}
	var created, read, held int64
	err := s.Scan(&n.ID, &n.AccountID, &n.Kind, &n.FromID, &n.PostID, &created, &read, &held)
	n.CreatedAt, n.ReadAt, n.Held = at(created), at(read), held == 1
	return n, err
}

// InsertNotification adds one; the same thing is told once.
func (t *Tx) InsertNotification(ctx context.Context, n *social.Notification) error {
	n.ID = t.db.nextID()
	_, err := t.exec(ctx, `INSERT INTO notification (id, account_id, kind, from_id, post_id, created_at, held) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (account_id, kind, from_id, post_id) DO NOTHING`, n.ID, n.AccountID, string(n.Kind), n.FromID, n.PostID, ms(n.CreatedAt), bit(n.Held))
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

// gathering is the SQL of social.GatherSpan.
var gathering = social.GatherSpan.String()

// telling is the WHERE of a query for an account's notifications n, as it grows.
type telling struct {
	where string
	args  []any
	d     dialect
}

func (w *telling) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + itoa(len(w.args))
}

func (w *telling) kinds(kinds []social.NotificationKind) string {
	return w.d.texts(w.arg(jsonText(kinds)))
}

// which chooses those that a filter means, read or not, as single ones.
func (t *Tx) which(account social.ID, f social.NotificationFilter) *telling {
	w := &telling{args: []any{account}, d: t.db.dialect}
	w.where = `n.account_id = $1` + w.each("n", f)
	if len(f.Kinds) > 0 {
		w.where += ` AND n.kind IN ` + w.kinds(f.Kinds)
	}
	if len(f.Exclude) > 0 {
		w.where += ` AND n.kind NOT IN ` + w.kinds(f.Exclude)
	}
	const answers = `EXISTS (SELECT 1 FROM post p JOIN post q ON q.id = p.parent_id WHERE p.id = n.post_id AND q.author_id = $1)`
	switch f.Answers {
	case social.AnswersOnly:
		w.where += ` AND (n.kind <> 'mention' OR ` + answers + `)`
	case social.AnswersNot:
		w.where += ` AND NOT (n.kind = 'mention' AND ` + answers + `)`
	}
	if a := f.Alike; a != nil {
		w.where += ` AND n.id >= ` + w.arg(a.First) + ` AND n.id <= ` + w.arg(a.Last)
		if a.Kind != "" {
			w.where += ` AND n.kind = ` + w.arg(string(a.Kind)) + ` AND n.post_id = ` + w.arg(a.PostID)
		}
	}
	return w
}

// each is what a filter asks of every one of a group.
func (w *telling) each(row string, f social.NotificationFilter) (and string) {
	if !f.Held {
		and += ` AND ` + row + `.held = 0`
	}
	if f.FromID != 0 {
		and += ` AND ` + row + `.from_id = ` + w.arg(f.FromID)
	}
	return and
}

// by asks that whoever did it is still there.
func by(row string) string {
	return ` AND EXISTS (SELECT 1 FROM account a WHERE a.id = ` + row + `.from_id AND a.suspended_at = 0 AND a.deleted_at = 0)`
}

// listed chooses those that a list shows: of what is put together the newest.
func (t *Tx) listed(account social.ID, f social.NotificationFilter) *telling {
	w := t.which(account, f)
	w.where += by("n")
	if len(f.Together) > 0 {
		w.where += ` AND NOT (n.kind IN ` + w.kinds(f.Together) + ` AND EXISTS (SELECT 1 FROM notification m
		  WHERE m.account_id = $1 AND m.kind = n.kind AND m.post_id = n.post_id AND m.id > n.id AND m.id < (n.id / ` + gathering + ` + 1) * ` + gathering + w.each("m", f) + by("m") + `))`
	}
	return w
}

// Notifications lists an account's, newest first.
func (t *Tx) Notifications(ctx context.Context, account social.ID, p social.Page, f social.NotificationFilter) ([]*social.Notification, error) {
	w := t.listed(account, f)
	clause, args, rev := keyset("n.id", p, w.args)
	found, err := list(ctx, t, scanNotification, `SELECT `+notificationColumns+` FROM notification n WHERE `+w.where+clause, args...)
	return turn(found, rev), err
}

// GroupFacts says what stands together with each of the newest.
func (t *Tx) GroupFacts(ctx context.Context, account social.ID, newest []social.ID, f social.NotificationFilter, from social.ID, names int) (map[social.ID]social.GroupFacts, error) {
	w := &telling{args: []any{account, jsonText(newest), from, names}, d: t.db.dialect}
	type row struct {
		id, by, oldest social.ID
		count          int
	}
	rows, err := list(ctx, t, func(s scanner) (r row, err error) { return r, s.Scan(&r.id, &r.by, &r.count, &r.oldest) }, `
		SELECT id, from_id, many, oldest FROM (
		  SELECT n.id, m.from_id, count(*) OVER alike AS many, min(CASE WHEN m.id >= $3 THEN m.id END) OVER alike AS oldest,
		    row_number() OVER (PARTITION BY n.id ORDER BY m.id DESC) AS place
		  FROM notification n JOIN notification m ON m.account_id = $1 AND m.kind = n.kind AND m.post_id = n.post_id
		    AND m.id >= n.id / `+gathering+` * `+gathering+` AND m.id <= n.id
		  WHERE n.account_id = $1 AND n.id IN `+t.db.dialect.ids("$2")+w.each("m", f)+by("m")+`
		  WINDOW alike AS (PARTITION BY n.id)) counted
		WHERE place <= $4 ORDER BY id, place`, w.args...)
	out := map[social.ID]social.GroupFacts{}
	for _, r := range rows {
		g := out[r.id]
		g.Count, g.Oldest, g.From = r.count, r.oldest, append(g.From, r.by)
		out[r.id] = g
	}
	return out, err
}

// Notification finds one of an account's.
func (t *Tx) Notification(ctx context.Context, account, id social.ID) (*social.Notification, error) {
	return one(ctx, t, scanNotification, `SELECT `+notificationColumns+` FROM notification n WHERE n.account_id = $1 AND n.id = $2`, account, id)
}

// CountUnread counts what an account has not read.
func (t *Tx) CountUnread(ctx context.Context, account social.ID, f social.NotificationFilter, most int) (n int, err error) {
	w := t.listed(account, f)
	query := `SELECT count(*) FROM (SELECT 1 FROM notification n WHERE ` + w.where + ` AND n.read_at = 0 LIMIT ` + w.arg(most) + `) counted`
	err = t.q.QueryRowContext(ctx, query, w.args...).Scan(&n)
	return n, t.db.translate(err)
}

// MarkRead marks everything up to one as read.
func (t *Tx) MarkRead(ctx context.Context, account, upTo social.ID, when time.Time) error {
	_, err := t.exec(ctx, `UPDATE notification SET read_at = $3 WHERE account_id = $1 AND id <= $2 AND read_at = 0 AND held = 0`, account, upTo, ms(when))
	return err
}

// DeleteNotifications removes those that a filter means.
func (t *Tx) DeleteNotifications(ctx context.Context, account social.ID, f social.NotificationFilter) error {
	w := t.which(account, f)
	_, err := t.exec(ctx, `DELETE FROM notification AS n WHERE `+w.where, w.args...)
	return err
}

// InsertReport keeps a complaint.
func (t *Tx) InsertReport(ctx context.Context, r *social.Report) error {
	_, err := t.exec(ctx, `INSERT INTO report (id, data, closed_at) VALUES ($1, $2, 0)`, r.ID, jsonText(r))
	return err
}

// Report loads one.
func (t *Tx) Report(ctx context.Context, id social.ID) (*social.Report, error) {
	return one(ctx, t, scanReport, `SELECT data, closed_at FROM report WHERE id = $1`, id)
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
	found, err := list(ctx, t, scanReport, `SELECT data, closed_at FROM report WHERE `+which+clause, args...)
	return turn(found, rev), err
}

func scanReport(s scanner) (*social.Report, error) {
	var data string
	var closed int64
	if err := s.Scan(&data, &closed); err != nil {
		return nil, err
	}
	r := &social.Report{}
	err := json.Unmarshal([]byte(data), r)
	r.ClosedAt = at(closed)
	return r, err
}

// CloseReport says when a complaint was dealt with.
func (t *Tx) CloseReport(ctx context.Context, id social.ID, when time.Time) error {
	_, err := t.exec(ctx, `UPDATE report SET closed_at = $2 WHERE id = $1 AND closed_at = 0`, id, ms(when))
	return err
}

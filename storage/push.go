package storage

import (
	"context"
	"strings"
	"time"

	"parley/social"
)

const pushColumns = `p.id, p.account_id, coalesce(p.session_id, 0), coalesce(p.token_id, 0), p.endpoint, p.public_key, p.secret, p.kinds, p.senders, p.created_at`

func scanPush(s scanner) (*social.PushSubscription, error) {
	p := &social.PushSubscription{}
	var kinds string
	var created int64
	err := s.Scan(&p.ID, &p.AccountID, &p.SessionID, &p.TokenID, &p.Endpoint, &p.PublicKey, &p.Secret, &kinds, &p.Senders, &created)
	for k := range strings.FieldsSeq(kinds) {
		p.Kinds = append(p.Kinds, social.NotificationKind(k))
	}
	p.CreatedAt = at(created)
	return p, err
}

func kindsText(kinds []social.NotificationKind) string {
	var b strings.Builder
	for i, k := range kinds {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(k))
	}
	return b.String()
}

// PutPush inserts a subscription in the place of what its session or token has.
func (t *Tx) PutPush(ctx context.Context, p *social.PushSubscription) error {
	if _, err := t.exec(ctx, `DELETE FROM push WHERE session_id = $1 OR token_id = $2`, p.SessionID, p.TokenID); err != nil {
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO push (id, account_id, session_id, token_id, endpoint, public_key, secret, kinds, senders, created_at)
		VALUES ($1, $2, nullif(CAST($3 AS BIGINT), 0), nullif(CAST($4 AS BIGINT), 0), $5, $6, $7, $8, $9, $10)`,
		p.ID, p.AccountID, p.SessionID, p.TokenID, p.Endpoint, p.PublicKey, p.Secret, kindsText(p.Kinds), p.Senders, ms(p.CreatedAt))
	return err
}

// SetPush changes what is told to a subscription.
func (t *Tx) SetPush(ctx context.Context, id social.ID, kinds []social.NotificationKind, senders social.PushSenders) error {
	_, err := t.exec(ctx, `UPDATE push SET kinds = $2, senders = $3 WHERE id = $1`, id, kindsText(kinds), senders)
	return err
}

// Push finds a subscription.
func (t *Tx) Push(ctx context.Context, id social.ID) (*social.PushSubscription, error) {
	return one(ctx, t, scanPush, `SELECT `+pushColumns+` FROM push p WHERE p.id = $1`, id)
}

// PushOf finds that of a session or token; the other is zero.
func (t *Tx) PushOf(ctx context.Context, session, token social.ID) (*social.PushSubscription, error) {
	return one(ctx, t, scanPush, `SELECT `+pushColumns+` FROM push p WHERE p.session_id = $1 OR p.token_id = $2`, session, token)
}

// Pushes lists an account's subscriptions whose session has not ended.
func (t *Tx) Pushes(ctx context.Context, account social.ID, now time.Time) ([]*social.PushSubscription, error) {
	return list(ctx, t, scanPush, `SELECT `+pushColumns+` FROM push p LEFT JOIN session s ON s.id = p.session_id
		WHERE p.account_id = $1 AND (p.session_id IS NULL OR s.expires_at > $2) ORDER BY p.id`, account, ms(now))
}

// DeletePush removes a subscription.
func (t *Tx) DeletePush(ctx context.Context, id social.ID) error {
	_, err := t.exec(ctx, `DELETE FROM push WHERE id = $1`, id)
	return err
}

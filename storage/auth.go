package storage

import (
	"context"
	"database/sql"
	"time"

	"parley/auth"
	"parley/social"
)

// reading runs a look-up of one row in a snapshot of its own.
func reading[T any](ctx context.Context, db *DB, scan func(scanner) (T, error), query string, args ...any) (v T, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		v, err = one(ctx, tx.(*Tx), scan, query, args...)
		return err
	})
	return v, err
}

// PasswordHash of an account; "" when none is set.
func (db *DB) PasswordHash(ctx context.Context, account social.ID) (string, error) {
	return reading(ctx, db, func(s scanner) (string, error) {
		v, err := scanText(s)
		if err == sql.ErrNoRows {
			return "", nil
		}
		return v, err
	}, `SELECT hash FROM password WHERE account_id = $1`, account)
}

// SetPasswordHash replaces it.
func (db *DB) SetPasswordHash(ctx context.Context, account social.ID, hash string) error {
	_, err := db.change(ctx, `INSERT INTO password (account_id, hash) VALUES ($1, $2) ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash`, account, hash)
	return err
}

const tokenColumns = `id, account_id, app_id, hash, app, scopes, bound, created_at, last_used_at`

func scanToken(s scanner) (*auth.Token, error) {
	t := &auth.Token{}
	var created, used int64
	err := s.Scan(&t.ID, &t.AccountID, &t.AppID, &t.Hash, &t.App, &t.Scopes, &t.Bound, &created, &used)
	t.CreatedAt, t.LastUsedAt = at(created), at(used)
	return t, err
}

// InsertToken adds a token.
func (db *DB) InsertToken(ctx context.Context, t *auth.Token) error {
	_, err := db.change(ctx, `INSERT INTO token (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		t.ID, t.AccountID, t.AppID, t.Hash, t.App, t.Scopes, t.Bound, ms(t.CreatedAt), ms(t.LastUsedAt))
	return err
}

// InsertTokenOfCode adds a token while the code stands that it is exchanged for.
func (db *DB) InsertTokenOfCode(ctx context.Context, t *auth.Token) error {
	return db.run(ctx, func(tx *Tx) error {
		if _, err := one(ctx, tx, scanID, `SELECT token_id FROM oauth_code WHERE account_id = $1 AND token_id = $2`, t.AccountID, t.ID); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `INSERT INTO token (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			t.ID, t.AccountID, t.AppID, t.Hash, t.App, t.Scopes, t.Bound, ms(t.CreatedAt), ms(t.LastUsedAt))
		return err
	})
}

// TokenByHash finds a token.
func (db *DB) TokenByHash(ctx context.Context, hash []byte) (*auth.Token, error) {
	return reading(ctx, db, scanToken, `SELECT `+tokenColumns+` FROM token WHERE hash = $1`, hash)
}

// TouchToken notes its use.
func (db *DB) TouchToken(ctx context.Context, id social.ID, when time.Time) error {
	_, err := db.change(ctx, `UPDATE token SET last_used_at = $2 WHERE id = $1`, id, ms(when))
	return err
}

// Tokens lists an account's tokens.
func (db *DB) Tokens(ctx context.Context, account social.ID) (tokens []*auth.Token, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		tokens, err = list(ctx, tx.(*Tx), scanToken, `SELECT `+tokenColumns+` FROM token WHERE account_id = $1 ORDER BY id`, account)
		return err
	})
	return tokens, err
}

// DeleteToken removes one of an account's tokens.
func (db *DB) DeleteToken(ctx context.Context, account, id social.ID) error {
	_, err := db.change(ctx, `DELETE FROM token WHERE account_id = $1 AND id = $2`, account, id)
	return err
}

// InsertSession adds a session; ended ones go.
func (db *DB) InsertSession(ctx context.Context, s *auth.Session) error {
	if _, err := db.change(ctx, `DELETE FROM session WHERE expires_at < $1`, ms(s.CreatedAt)); err != nil {
		return err
	}
	_, err := db.change(ctx, `INSERT INTO session (id, account_id, hash, user_agent, created_at, last_used_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.ID, s.AccountID, s.Hash, s.UserAgent, ms(s.CreatedAt), ms(s.LastUsedAt), ms(s.ExpiresAt))
	return err
}

const sessionColumns = `id, account_id, hash, user_agent, created_at, last_used_at, expires_at`

func scanSession(s scanner) (*auth.Session, error) {
	v := &auth.Session{}
	var created, used, expires int64
	err := s.Scan(&v.ID, &v.AccountID, &v.Hash, &v.UserAgent, &created, &used, &expires)
	v.CreatedAt, v.LastUsedAt, v.ExpiresAt = at(created), at(used), at(expires)
	return v, err
}

// SessionByHash finds a session.
func (db *DB) SessionByHash(ctx context.Context, hash []byte) (*auth.Session, error) {
	return reading(ctx, db, scanSession, `SELECT `+sessionColumns+` FROM session WHERE hash = $1`, hash)
}

// TouchSession notes its use.
func (db *DB) TouchSession(ctx context.Context, id social.ID, when time.Time) error {
	_, err := db.change(ctx, `UPDATE session SET last_used_at = $2 WHERE id = $1`, id, ms(when))
	return err
}

// DeleteSession ends a session.
func (db *DB) DeleteSession(ctx context.Context, id social.ID) error {
	_, err := db.change(ctx, `DELETE FROM session WHERE id = $1`, id)
	return err
}

// EndAccess removes everything an account can sign in with but its password.
func (db *DB) EndAccess(ctx context.Context, account social.ID) error {
	return db.run(ctx, func(t *Tx) error {
		for _, table := range []string{"token", "oauth_code", "session", "link"} {
			if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE account_id = $1`, account); err != nil {
				return err
			}
		}
		return nil
	})
}

// InsertLink adds a one-time link.
func (db *DB) InsertLink(ctx context.Context, l auth.Link) error {
	_, err := db.change(ctx, `INSERT INTO link (hash, purpose, account_id, expires_at) VALUES ($1, $2, $3, $4)`, l.Hash, l.Purpose, l.AccountID, ms(l.ExpiresAt))
	return err
}

func scanLink(s scanner) (auth.Link, error) {
	var l auth.Link
	var expires int64
	err := s.Scan(&l.Hash, &l.Purpose, &l.AccountID, &expires)
	l.ExpiresAt = at(expires)
	return l, err
}

// Link looks at a one-time link.
func (db *DB) Link(ctx context.Context, hash []byte, now time.Time) (auth.Link, error) {
	return reading(ctx, db, scanLink, `SELECT hash, purpose, account_id, expires_at FROM link WHERE hash = $1 AND expires_at > $2`, hash, ms(now))
}

// TakeLink uses a one-time link up.
func (db *DB) TakeLink(ctx context.Context, hash []byte, now time.Time) (l auth.Link, err error) {
	err = db.run(ctx, func(t *Tx) error {
		l, err = one(ctx, t, scanLink, `DELETE FROM link WHERE hash = $1 AND expires_at > $2 RETURNING hash, purpose, account_id, expires_at`, hash, ms(now))
		return err
	})
	return l, err
}

// DeleteLinks voids links of a purpose.
func (db *DB) DeleteLinks(ctx context.Context, purpose string, account social.ID) error {
	_, err := db.change(ctx, `DELETE FROM link WHERE purpose = $1 AND account_id = $2`, purpose, account)
	return err
}

// Sessions lists those of an account that have not ended, the one used last first.
func (db *DB) Sessions(ctx context.Context, account social.ID, now time.Time) (sessions []*auth.Session, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		sessions, err = list(ctx, tx.(*Tx), scanSession, `SELECT `+sessionColumns+` FROM session WHERE account_id = $1 AND expires_at > $2 ORDER BY last_used_at DESC, id DESC`, account, ms(now))
		return err
	})
	return sessions, err
}

// EndSessions ends one session of an account, or with id zero all but one.
func (db *DB) EndSessions(ctx context.Context, account, id, kept social.ID) error {
	_, err := db.change(ctx, `DELETE FROM session WHERE account_id = $1 AND id <> $3 AND (id = $2 OR $2 = 0)`, account, id, kept)
	return err
}

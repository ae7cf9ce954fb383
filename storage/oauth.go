package storage

import (
	"context"
	"strings"
	"time"

	"parley/auth"
	"parley/social"
)

const appColumns = `id, client_id, secret_hash, name, website, redirect_uris, scopes, pkce, created_at`

func scanApp(s scanner) (*auth.App, error) {
	a := &auth.App{}
	var uris string
	var pkce, created int64
	err := s.Scan(&a.ID, &a.ClientID, &a.SecretHash, &a.Name, &a.Website, &uris, &a.Scopes, &pkce, &created)
	a.RedirectURIs, a.PKCE, a.CreatedAt = strings.Split(uris, "\n"), pkce == 1, at(created)
	return a, err
}

// InsertApp adds an app.
func (db *DB) InsertApp(ctx context.Context, a *auth.App) error {
	_, err := db.change(ctx, `INSERT INTO app (`+appColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.ID, a.ClientID, a.SecretHash, a.Name, a.Website, strings.Join(a.RedirectURIs, "\n"), a.Scopes, bit(a.PKCE), ms(a.CreatedAt))
	return err
}

// App finds an app.
func (db *DB) App(ctx context.Context, id social.ID) (*auth.App, error) {
	return reading(ctx, db, scanApp, `SELECT `+appColumns+` FROM app WHERE id = $1`, id)
}

// AppByClientID finds an app by what it calls itself.
func (db *DB) AppByClientID(ctx context.Context, id string) (*auth.App, error) {
	return reading(ctx, db, scanApp, `SELECT `+appColumns+` FROM app WHERE client_id = $1`, id)
}

// SetAppPKCE notes that an app has used PKCE.
func (db *DB) SetAppPKCE(ctx context.Context, id social.ID) error {
	_, err := db.change(ctx, `UPDATE app SET pkce = 1 WHERE id = $1`, id)
	return err
}

// usedCodes is how long a used code is known, so that a thief who comes late is noticed.
const usedCodes = 24 * time.Hour

const codeColumns = `hash, app_id, account_id, redirect_uri, scopes, bound, challenge, expires_at, token_id`

func scanCode(s scanner) (*auth.Code, error) {
	c := &auth.Code{}
	var expires int64
	err := s.Scan(&c.Hash, &c.AppID, &c.AccountID, &c.RedirectURI, &c.Scopes, &c.Bound, &c.Challenge, &expires, &c.TokenID)
	c.ExpiresAt = at(expires)
	return c, err
}

// InsertCode adds a code; old ones go.
func (db *DB) InsertCode(ctx context.Context, c *auth.Code) error {
	return db.run(ctx, func(t *Tx) error {
		if _, err := t.exec(ctx, `DELETE FROM oauth_code WHERE expires_at < $1`, ms(c.ExpiresAt.Add(-usedCodes))); err != nil {
			return err
		}
		_, err := t.exec(ctx, `INSERT INTO oauth_code (`+codeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			c.Hash, c.AppID, c.AccountID, c.RedirectURI, c.Scopes, c.Bound, c.Challenge, ms(c.ExpiresAt), c.TokenID)
		return err
	})
}

// TakeCode notes the token for which a code is exchanged, once.
func (db *DB) TakeCode(ctx context.Context, hash []byte, token social.ID, now time.Time) (c *auth.Code, err error) {
	err = db.run(ctx, func(t *Tx) error {
		if c, err = one(ctx, t, scanCode, `SELECT `+codeColumns+` FROM oauth_code WHERE hash = $1`, hash); err != nil || c.TokenID != 0 {
			return err
		}
		if !c.ExpiresAt.After(now) {
			return social.NotFoundError()
		}
		_, err := t.exec(ctx, `UPDATE oauth_code SET token_id = $2 WHERE hash = $1`, hash, token)
		return err
	})
	return c, err
}

// appTokens is how long tokens of apps without a user are kept.
const appTokens = 60 * 24 * time.Hour

func scanAppToken(s scanner) (*auth.Token, error) {
	t := &auth.Token{}
	var created int64
	err := s.Scan(&t.Hash, &t.AppID, &t.App, &t.Scopes, &created)
	t.CreatedAt = at(created)
	return t, err
}

// InsertAppToken keeps the token of an app without a user; old ones go.
func (db *DB) InsertAppToken(ctx context.Context, token *auth.Token) error {
	return db.run(ctx, func(t *Tx) error {
		if _, err := t.exec(ctx, `DELETE FROM app_token WHERE created_at < $1`, ms(token.CreatedAt.Add(-appTokens))); err != nil {
			return err
		}
		_, err := t.exec(ctx, `INSERT INTO app_token (hash, app_id, scopes, created_at) VALUES ($1, $2, $3, $4)`, token.Hash, token.AppID, token.Scopes, ms(token.CreatedAt))
		return err
	})
}

// AppToken finds the token of an app without a user that was made since a time.
func (db *DB) AppToken(ctx context.Context, hash []byte, since time.Time) (*auth.Token, error) {
	return reading(ctx, db, scanAppToken, `SELECT t.hash, t.app_id, a.name, t.scopes, t.created_at FROM app_token t JOIN app a ON a.id = t.app_id
		WHERE t.hash = $1 AND t.created_at > $2`, hash, ms(since))
}

// DeleteAppsToken ends a token of an app, with a user or without.
func (db *DB) DeleteAppsToken(ctx context.Context, app social.ID, hash []byte) error {
	return db.run(ctx, func(t *Tx) error {
		if _, err := t.exec(ctx, `DELETE FROM token WHERE app_id = $1 AND hash = $2`, app, hash); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM app_token WHERE app_id = $1 AND hash = $2`, app, hash)
		return err
	})
}

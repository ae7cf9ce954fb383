package auth

import (
	"context"
	"time"

	"parley/social"
)

// Token lets an app or program act for a member. Only a hash of it is kept.
type Token struct {
	ID         social.ID
	AccountID  social.ID // zero for one of an app without a user
	AppID      social.ID // that registered for it; zero for one that was made here
	Hash       []byte    // SHA-256 of the token
	App        string    // name shown to the member
	Scopes     string    // space separated: read write follow push
	Bound      string    // how far it may publish: social.Reader.Grant
	CreatedAt  time.Time
	LastUsedAt time.Time
}

// Session is a browser that signed in. Only a hash of its cookie is kept.
type Session struct {
	ID         social.ID
	AccountID  social.ID
	Hash       []byte
	UserAgent  string
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time
}

// Link is a one-time link: for the first setup or for a new password.
type Link struct {
	Hash      []byte
	Purpose   string    // "setup" or "reset"
	AccountID social.ID // zero for setup
	ExpiresAt time.Time
}

// Store keeps what proves who somebody is. Each method is its own transaction.
// Look-ups answer a social.NotFound error when there is nothing.
type Store interface {
	PasswordHash(ctx context.Context, account social.ID) (string, error) // "" when none is set
	SetPasswordHash(ctx context.Context, account social.ID, hash string) error

	InsertToken(ctx context.Context, t *Token) error
	// InsertTokenOfCode is InsertToken while the code stands that it is exchanged for.
	InsertTokenOfCode(ctx context.Context, t *Token) error
	TokenByHash(ctx context.Context, hash []byte) (*Token, error)
	TouchToken(ctx context.Context, id social.ID, at time.Time) error
	Tokens(ctx context.Context, account social.ID) ([]*Token, error)
	DeleteToken(ctx context.Context, account, id social.ID) error

	InsertApp(ctx context.Context, a *App) error
	App(ctx context.Context, id social.ID) (*App, error)
	AppByClientID(ctx context.Context, id string) (*App, error)
	SetAppPKCE(ctx context.Context, id social.ID) error
	InsertCode(ctx context.Context, c *Code) error
	// TakeCode notes the token for which a code is exchanged, once. The answer has the
	// token of before: zero the first time.
	TakeCode(ctx context.Context, hash []byte, token social.ID, now time.Time) (*Code, error)
	// InsertAppToken keeps the token of an app without a user; old ones go.
	InsertAppToken(ctx context.Context, t *Token) error
	// AppToken finds one that was made since a time.
	AppToken(ctx context.Context, hash []byte, since time.Time) (*Token, error)
	// DeleteAppsToken ends a token of an app, with a user or without.
	DeleteAppsToken(ctx context.Context, app social.ID, hash []byte) error

	InsertSession(ctx context.Context, s *Session) error
	SessionByHash(ctx context.Context, hash []byte) (*Session, error)
	TouchSession(ctx context.Context, id social.ID, at time.Time) error
	DeleteSession(ctx context.Context, id social.ID) error
	// Sessions lists those of an account that have not ended, the one used last first.
	Sessions(ctx context.Context, account social.ID, now time.Time) ([]*Session, error)
	// EndSessions ends one of an account, or with id zero all but kept.
	EndSessions(ctx context.Context, account, id, kept social.ID) error

	// EndAccess removes all tokens, codes, sessions and links of an account.
	EndAccess(ctx context.Context, account social.ID) error

	InsertLink(ctx context.Context, l Link) error
	// Link looks without using it up; TakeLink removes it: it works once.
	Link(ctx context.Context, hash []byte, now time.Time) (Link, error)
	TakeLink(ctx context.Context, hash []byte, now time.Time) (Link, error)
	DeleteLinks(ctx context.Context, purpose string, account social.ID) error
}

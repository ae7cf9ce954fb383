// Package auth proves who somebody is: passwords, sessions, tokens and one-time
// links. It knows no pages and no JSON shapes.
//
// Secrets are shown once and kept only as hashes, so a stolen database signs
// nobody in.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"parley/social"
)

const (
	sessionLife = 30 * 24 * time.Hour
	// touchEvery bounds how often use is written down.
	touchEvery = 10 * time.Minute
	// SetupLife is how long the link for the first administrator works.
	SetupLife = 24 * time.Hour
	// ResetLife is how long a link for a new password works.
	ResetLife = 2 * time.Hour
	// InvitationLife is how long the first link of a member works, where it is sent by mail.
	InvitationLife = 7 * 24 * time.Hour
)

// Service signs people and programs in.
type Service struct {
	// Address finds the caller of a sign-in in the context; nil: only names are counted.
	Address func(ctx context.Context) netip.Addr

	store    Store
	accounts Accounts
	now      func() time.Time
	log      *slog.Logger
	hashing  chan struct{} // bounds parallel password hashes: each takes 19 MiB
	throttle *throttle     // of wrong passwords
	forgot   *throttle     // of passwords that somebody says are forgotten
}

// Accounts finds members: the transactions of social.Store.
type Accounts interface {
	Tx(ctx context.Context, fn func(tx social.Tx) error) error
	View(ctx context.Context, fn func(tx social.Tx) error) error
}

// New makes a Service.
func New(store Store, accounts Accounts, now func() time.Time, log *slog.Logger) *Service {
	return &Service{store: store, accounts: accounts, now: now, log: log, hashing: make(chan struct{}, 2), throttle: newThrottle(now, failsOfName, failsOfAddress), forgot: newThrottle(now, forgotOfName, forgotOfAddress)}
}

// secret makes 256 random bits and their hash.
func secret() (text string, hash []byte) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	text = base64.RawURLEncoding.EncodeToString(b[:])
	return text, hashSecret(text)
}

func hashSecret(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// knownScopes are what an app may ask for.
var knownScopes = []string{"read", "write", "follow", "push", "profile", "admin:read", "admin:write"}

// Scopes are all that an app can ask for, but for the finer ones within.
func Scopes() []string { return slices.Clone(knownScopes) }

// NewToken is what a token made here may do.
type NewToken struct {
	App    string // name shown to the member
	Scopes string
	Bound  string // how far it may publish: social.Reader.Grant
}

// CreateToken makes a token for a program. The text is shown once.
func (s *Service) CreateToken(ctx context.Context, account social.ID, n NewToken) (string, error) {
	scopes, err := cleanScopes(n.Scopes)
	if err != nil {
		return "", err
	}
	text, hash := secret()
	return text, s.store.InsertToken(ctx, &Token{ID: social.NewID(s.now()), AccountID: account, Hash: hash, App: n.App,
		Scopes: scopes, Bound: n.Bound, CreatedAt: s.now(), LastUsedAt: s.now()})
}

// Tokens lists the programs that may act for an account.
func (s *Service) Tokens(ctx context.Context, account social.ID) ([]*Token, error) {
	return s.store.Tokens(ctx, account)
}

// Revoke ends one token of an account; nothing happens to those of others.
func (s *Service) Revoke(ctx context.Context, account, token social.ID) error {
	return s.store.DeleteToken(ctx, account, token)
}

// Bearer finds the member and the token behind a bearer token. The member is nil for the
// token of an app without a user.
func (s *Service) Bearer(ctx context.Context, text string) (*social.Account, *Token, error) {
	const invalid = "The access token is invalid"
	hash := hashSecret(text)
	t, err := s.store.TokenByHash(ctx, hash)
	if errors.Is(err, social.ErrNotFound) {
		t, err = s.store.AppToken(ctx, hash, s.now().Add(-appTokenLife))
		return nil, t, unauthenticated(err, invalid)
	}
	if err != nil {
		return nil, nil, err
	}
	if t.AppID != 0 && s.now().Sub(t.LastUsedAt) > idleLife {
		if err := s.store.DeleteToken(ctx, t.AccountID, t.ID); err != nil {
			return nil, nil, err
		}
		return nil, nil, social.Errorf(social.Unauthenticated, "this app was not used for long; connect it again")
	}
	a, err := s.activeMember(ctx, t.AccountID)
	if err != nil {
		return nil, nil, err
	}
	if s.now().Sub(t.LastUsedAt) > touchEvery {
		if err := s.store.TouchToken(ctx, t.ID, s.now()); err != nil {
			s.log.Warn("token use not noted", "error", err)
		}
	}
	return a, t, nil
}

// Allows says that a token covers a scope such as "write:statuses".
func (t *Token) Allows(scope string) bool { return covers(t.Scopes, scope) }

func (s *Service) activeMember(ctx context.Context, id social.ID) (*social.Account, error) {
	var a *social.Account
	err := s.accounts.View(ctx, func(tx social.Tx) (err error) {
		a, err = tx.Account(ctx, id)
		return err
	})
	if err != nil {
		return nil, unauthenticated(err, "this account is gone")
	}
	if err := a.MayAct(social.Unauthenticated); err != nil {
		return nil, err
	}
	return a, nil
}

// unauthenticated turns "no such row" into a refusal and leaves real faults.
func unauthenticated(err error, public string) error {
	if errors.Is(err, social.ErrNotFound) {
		return &social.Error{Kind: social.Unauthenticated, Public: public}
	}
	return err
}

// SignIn checks a name (or mail address) and password and begins a session. The
// answer and its time do not tell a wrong name from a wrong password. After too
// many wrong ones it is Limited.
func (s *Service) SignIn(ctx context.Context, name, password, userAgent string) (string, *social.Account, error) {
	undo, err := s.throttle.take(folded(name), s.caller(ctx))
	if err != nil {
		return "", nil, err
	}
	wrong := social.Errorf(social.Unauthenticated, "the name or the password is wrong")
	a, err := s.find(ctx, name)
	if err != nil && !errors.Is(err, social.ErrNotFound) {
		return "", nil, err
	}
	stored := ""
	if a != nil {
		if stored, err = s.store.PasswordHash(ctx, a.ID); err != nil {
			return "", nil, err
		}
	}
	ok, err := s.checkPassword(ctx, stored, password)
	if err != nil {
		return "", nil, err
	}
	if !ok || a == nil || !a.Active() {
		return "", nil, wrong
	}
	undo()
	text, err := s.Begin(ctx, a.ID, userAgent)
	if err != nil {
		return "", nil, err
	}
	// A new password ends all sessions: one that began meanwhile with the old
	// password must not outlive it.
	now, err := s.store.PasswordHash(ctx, a.ID)
	if err == nil && now == stored {
		return text, a, nil
	}
	if ended := s.SignOut(ctx, text); err == nil {
		err = ended
	}
	if err != nil {
		return "", nil, err
	}
	return "", nil, wrong
}

// caller is the address that a sign-in comes from; of IPv6 the line.
func (s *Service) caller(ctx context.Context) netip.Addr {
	if s.Address == nil {
		return netip.Addr{}
	}
	a := s.Address(ctx)
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}

func (s *Service) find(ctx context.Context, name string) (a *social.Account, err error) {
	name = strings.TrimSpace(name)
	err = s.accounts.View(ctx, func(tx social.Tx) error {
		if strings.Contains(strings.TrimPrefix(name, "@"), "@") {
			a, err = tx.AccountByEmail(ctx, name)
		} else {
			a, err = tx.AccountByName(ctx, strings.TrimPrefix(name, "@"), "")
		}
		return err
	})
	return a, err
}

// Begin starts a session for a member who has proved who they are; the text goes
// into the cookie.
func (s *Service) Begin(ctx context.Context, account social.ID, userAgent string) (string, error) {
	text, hash := secret()
	if len(userAgent) > 200 {
		userAgent = userAgent[:200]
	}
	now := s.now()
	return text, s.store.InsertSession(ctx, &Session{ID: social.NewID(now), AccountID: account, Hash: hash,
		UserAgent: strings.ToValidUTF8(userAgent, ""), CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(sessionLife)})
}

// Session finds the member behind a cookie.
func (s *Service) Session(ctx context.Context, text string) (*social.Account, *Session, error) {
	sess, err := s.store.SessionByHash(ctx, hashSecret(text))
	if err != nil {
		return nil, nil, unauthenticated(err, "sign in first")
	}
	if s.now().After(sess.ExpiresAt) {
		return nil, nil, social.Errorf(social.Unauthenticated, "the session has ended; sign in again")
	}
	a, err := s.activeMember(ctx, sess.AccountID)
	if err != nil {
		return nil, nil, err
	}
	if s.now().Sub(sess.LastUsedAt) > touchEvery {
		if err := s.store.TouchSession(ctx, sess.ID, s.now()); err != nil {
			s.log.Warn("session use not noted", "error", err)
		}
	}
	return a, sess, nil
}

// SignOut ends a session.
func (s *Service) SignOut(ctx context.Context, text string) error {
	sess, err := s.store.SessionByHash(ctx, hashSecret(text))
	if errors.Is(err, social.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.store.DeleteSession(ctx, sess.ID)
}

// EndAccess signs an account out everywhere: tokens, sessions and links are dead. by is
// who says so.
func (s *Service) EndAccess(ctx context.Context, account social.ID, by string) error {
	if err := s.Audit(ctx, account, "signed out", by); err != nil {
		return err
	}
	return s.store.EndAccess(ctx, account)
}

// Audit writes down what somebody is about to do with a member's access: nothing is
// done without its row.
func (s *Service) Audit(ctx context.Context, account social.ID, result, by string) error {
	return s.accounts.Tx(ctx, func(tx social.Tx) error {
		a, err := tx.Account(ctx, account)
		if err != nil {
			return err
		}
		return tx.AppendAudit(ctx, social.AuditRow{At: s.now(), Kind: social.AuditMember, Subject: "@" + a.Username, Result: result, By: by})
	})
}

// SetupLink makes the one-time secret for the first administrator; an older one
// is void.
func (s *Service) SetupLink(ctx context.Context) (string, time.Time, error) {
	return s.link(ctx, "setup", 0, SetupLife)
}

// ResetLink makes a one-time secret with which a member sets a new password; by is who
// hands it over.
func (s *Service) ResetLink(ctx context.Context, account social.ID, by string) (string, time.Time, error) {
	if err := s.Audit(ctx, account, "given a link", by); err != nil {
		return "", time.Time{}, err
	}
	return s.link(ctx, "reset", account, ResetLife)
}

// MailedLink is ResetLink for a mail. It voids no other: anybody can ask for it in a
// member's name, and a mail may come twice. The first password that is chosen voids all.
func (s *Service) MailedLink(ctx context.Context, account social.ID, life time.Duration) (string, time.Time, error) {
	if err := s.Audit(ctx, account, "given a link", "mail"); err != nil {
		return "", time.Time{}, err
	}
	return s.addLink(ctx, "reset", account, life)
}

// Forgot finds the member who forgot their password by name or mail address; 0 for nobody,
// which the caller tells nobody. After too many it is Limited.
func (s *Service) Forgot(ctx context.Context, name string) (social.ID, error) {
	if _, err := s.forgot.take(folded(name), s.caller(ctx)); err != nil {
		return 0, err
	}
	a, err := s.find(ctx, name)
	if errors.Is(err, social.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return a.ID, nil
}

// longestName is in bytes; nobody's name or mail address is longer.
const longestName = 320

// folded is a name as attempts with it are counted. What is too long for one counts by its
// beginning: the table of attempts holds it.
func folded(name string) string {
	name = strings.Trim(strings.TrimSpace(name), "@")
	return strings.ToLower(strings.Clone(name[:min(len(name), longestName)]))
}

func (s *Service) link(ctx context.Context, purpose string, account social.ID, life time.Duration) (string, time.Time, error) {
	if err := s.store.DeleteLinks(ctx, purpose, account); err != nil {
		return "", time.Time{}, err
	}
	return s.addLink(ctx, purpose, account, life)
}

func (s *Service) addLink(ctx context.Context, purpose string, account social.ID, life time.Duration) (string, time.Time, error) {
	text, hash := secret()
	expires := s.now().Add(life)
	return text, expires, s.store.InsertLink(ctx, Link{Hash: hash, Purpose: purpose, AccountID: account, ExpiresAt: expires})
}

// CheckLink says whether a one-time secret still works, without using it up.
func (s *Service) CheckLink(ctx context.Context, purpose, text string) (Link, error) {
	return s.checked(purpose)(s.store.Link(ctx, hashSecret(text), s.now()))
}

// TakeLink uses a one-time secret up.
func (s *Service) TakeLink(ctx context.Context, purpose, text string) (Link, error) {
	return s.checked(purpose)(s.store.TakeLink(ctx, hashSecret(text), s.now()))
}

func (s *Service) checked(purpose string) func(Link, error) (Link, error) {
	return func(l Link, err error) (Link, error) {
		if errors.Is(err, social.ErrNotFound) || err == nil && l.Purpose != purpose {
			return Link{}, social.Errorf(social.NotFound, "this link was used or has expired; ask for a new one")
		}
		return l, err
	}
}

package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"parley/social"
)

// App is a program that registered itself. Its user lets it act by a Token.
type App struct {
	ID           social.ID
	ClientID     string
	SecretHash   []byte
	Name         string
	Website      string
	RedirectURIs []string
	Scopes       string // the most that it may ask for
	PKCE         bool   // it has used it once: without it it gets nothing more (T32)
	CreatedAt    time.Time
}

// Code is what a browser carries from the consent to the app, which exchanges it for a
// token once.
type Code struct {
	Hash        []byte
	AppID       social.ID
	AccountID   social.ID
	RedirectURI string
	Scopes      string
	Bound       string
	Challenge   string // S256, base64url; "" without PKCE
	ExpiresAt   time.Time
	TokenID     social.ID // for which it was exchanged; zero before
}

const (
	codeLife = 10 * time.Minute
	// OutOfBand is the redirect URI of apps to which their user carries the code by hand.
	OutOfBand = "urn:ietf:wg:oauth:2.0:oob"
	// idleLife is how long the token of an app works that is not used.
	idleLife = 30 * 24 * time.Hour
	// appTokenLife is how long the token of an app without a user works.
	appTokenLife = 30 * 24 * time.Hour

	maxAppName, maxRedirects, maxRedirect = 60, 10, 2000
)

// OAuthError is a refusal with its name in RFC 6749 5.2 and 4.1.2.1.
type OAuthError struct {
	Code        string
	Description string
	// Redirect says that the app is known, and where it wants to hear of it.
	Redirect bool
}

// Error implements error.
func (e *OAuthError) Error() string { return e.Code + ": " + e.Description }

func oauthError(code, format string, args ...any) *OAuthError {
	return &OAuthError{Code: code, Description: fmt.Sprintf(format, args...)}
}

// NewApp is what a program says of itself.
type NewApp struct {
	Name, Website string
	RedirectURIs  []string
	Scopes        string // "" means read
}

// Register makes an app and its secret, which is shown once (RFC 7591 in the form of the
// Mastodon API).
func (s *Service) Register(ctx context.Context, n NewApp) (*App, string, error) {
	n.Name = strings.Join(strings.Fields(n.Name), " ")
	if n.Name == "" || len([]rune(n.Name)) > maxAppName {
		return nil, "", social.Errorf(social.Invalid, "an app needs a name (client_name) of at most %d characters", maxAppName)
	}
	if len(n.RedirectURIs) == 0 || len(n.RedirectURIs) > maxRedirects {
		return nil, "", social.Errorf(social.Invalid, "an app needs redirect_uris, at most %d of them", maxRedirects)
	}
	for _, uri := range n.RedirectURIs {
		if !redirectable(uri) {
			return nil, "", social.Errorf(social.Invalid, "%.100q cannot be a redirect URI: use https, http on this machine, a scheme of the app's own, or %s", uri, OutOfBand)
		}
	}
	if u, err := url.Parse(n.Website); n.Website != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(n.Website) > maxRedirect) {
		return nil, "", social.Errorf(social.Invalid, "the website of an app is a web address")
	}
	if n.Scopes == "" {
		n.Scopes = "read"
	}
	scopes, err := cleanScopes(n.Scopes)
	if err != nil {
		return nil, "", err
	}
	id, _ := secret()
	text, hash := secret()
	a := &App{ID: social.NewID(s.now()), ClientID: id, SecretHash: hash, Name: n.Name, Website: n.Website, RedirectURIs: n.RedirectURIs, Scopes: scopes, CreatedAt: s.now()}
	return a, text, s.store.InsertApp(ctx, a)
}

var schemeForm = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// redirectable says that a code may be sent there: over TLS, to a program on the person's
// own machine, or to the program that has a scheme to itself (RFC 8252 7). What a browser
// runs or reads as a page is none (T31).
func redirectable(uri string) bool {
	if uri == OutOfBand {
		return true
	}
	u, err := url.Parse(uri)
	if err != nil || len(uri) > maxRedirect || u.Fragment != "" || u.User != nil || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r == 0x7f }) || !schemeForm.MatchString(u.Scheme) {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Host != ""
	case "http":
		return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
	case "about", "blob", "chrome", "data", "file", "filesystem", "ftp", "intent", "javascript", "mailto", "resource", "sms", "tel", "urn", "vbscript", "view-source", "ws", "wss":
		return false
	}
	return true
}

// cleanScopes refuses what is no scope.
func cleanScopes(scopes string) (string, error) {
	fields := strings.Fields(scopes)
	if len(fields) == 0 || len(fields) > 100 {
		return "", social.Errorf(social.Invalid, "a token needs scopes; use some of %s", strings.Join(knownScopes, ", "))
	}
	for _, f := range fields {
		if !slices.ContainsFunc(knownScopes, func(k string) bool { return f == k || strings.HasPrefix(f, k+":") && len(f) <= 60 }) {
			return "", social.Errorf(social.Invalid, "unknown scope %.60q; use some of %s", f, strings.Join(knownScopes, ", "))
		}
	}
	return strings.Join(slices.Compact(fields), " "), nil
}

// covers says that scopes hold a scope such as "write:statuses".
func covers(have, scope string) bool {
	base, _, _ := strings.Cut(scope, ":")
	fields := strings.Fields(have)
	return slices.Contains(fields, base) || slices.Contains(fields, scope) ||
		strings.HasPrefix(scope, "admin:") && slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(scope, f+":") }) ||
		slices.Contains(fields, "follow") && slices.Contains([]string{"write:follows", "read:follows", "write:blocks", "write:mutes"}, scope)
}

// Authorization is what an app asks its user for.
type Authorization struct {
	App         *App
	RedirectURI string
	Scopes      string
	State       string
	Challenge   string
}

// ReadAuthorization checks what an app asks for (RFC 6749 4.1.1). As long as app and
// redirect URI are not certain, nothing may be sent there.
func (s *Service) ReadAuthorization(ctx context.Context, q url.Values) (*Authorization, error) {
	app, err := s.store.AppByClientID(ctx, q.Get("client_id"))
	if social.KindOf(err) == social.NotFound {
		return nil, oauthError("invalid_client", "this app is not registered here")
	}
	if err != nil {
		return nil, err
	}
	a := &Authorization{App: app, RedirectURI: q.Get("redirect_uri"), State: q.Get("state"), Scopes: q.Get("scope"), Challenge: q.Get("code_challenge")}
	if !slices.Contains(app.RedirectURIs, a.RedirectURI) {
		return nil, oauthError("invalid_request", "the redirect URI is none of those that the app registered")
	}
	if err := a.check(q); err != nil {
		err.Redirect = true
		return a, err
	}
	return a, nil
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`) // RFC 7636 4.2: a SHA-256

func (a *Authorization) check(q url.Values) *OAuthError {
	if q.Get("response_type") != "code" {
		return oauthError("unsupported_response_type", "only response_type=code is answered")
	}
	if a.Scopes == "" {
		a.Scopes = "read"
	}
	scopes, err := cleanScopes(a.Scopes)
	if err != nil {
		return oauthError("invalid_scope", "%s", err)
	}
	for f := range strings.FieldsSeq(scopes) {
		if !covers(a.App.Scopes, f) {
			return oauthError("invalid_scope", "the app did not register for %s", f)
		}
	}
	a.Scopes = scopes
	method := q.Get("code_challenge_method")
	switch {
	case a.Challenge == "" && method == "" && !a.App.PKCE:
		return nil
	case a.Challenge == "":
		return oauthError("invalid_request", "this app uses PKCE: send a code_challenge")
	case method != "S256" || !challengeForm.MatchString(a.Challenge):
		return oauthError("invalid_request", "send a code_challenge with code_challenge_method S256")
	}
	return nil
}

// Allow makes the code that a user's consent gives to the app. bound is how far the app
// may publish: social.Reader.Grant.
func (s *Service) Allow(ctx context.Context, a *Authorization, account social.ID, bound string) (string, error) {
	text, hash := secret()
	if a.Challenge != "" && !a.App.PKCE {
		if err := s.store.SetAppPKCE(ctx, a.App.ID); err != nil {
			return "", err
		}
	}
	return text, s.store.InsertCode(ctx, &Code{Hash: hash, AppID: a.App.ID, AccountID: account, RedirectURI: a.RedirectURI, Scopes: a.Scopes, Bound: bound,
		Challenge: a.Challenge, ExpiresAt: s.now().Add(codeLife)})
}

// Exchange is what an app sends for a token (RFC 6749 4.1.3, 4.4.2).
type Exchange struct {
	GrantType              string
	ClientID, ClientSecret string
	Code, RedirectURI      string
	Verifier               string
	Scopes                 string
}

// Exchange gives a token for a code, or to the app itself. The text is shown once.
func (s *Service) Exchange(ctx context.Context, x Exchange) (text string, t *Token, err error) {
	app, err := s.client(ctx, x.ClientID, x.ClientSecret)
	if err != nil {
		return "", nil, err
	}
	switch x.GrantType {
	case "authorization_code":
		return s.exchangeCode(ctx, app, x)
	case "client_credentials":
		if x.ClientSecret == "" {
			return "", nil, oauthError("invalid_client", "send the client_secret")
		}
		return s.appToken(ctx, app, x.Scopes)
	}
	return "", nil, oauthError("unsupported_grant_type", "use authorization_code or client_credentials")
}

// client finds an app. A secret that is sent has to be right; whether one is needed
// depends on what is asked for.
func (s *Service) client(ctx context.Context, id, sent string) (*App, error) {
	app, err := s.store.AppByClientID(ctx, id)
	if social.KindOf(err) == social.NotFound || err == nil && sent != "" && subtle.ConstantTimeCompare(hashSecret(sent), app.SecretHash) != 1 {
		return nil, oauthError("invalid_client", "no app with this client_id and client_secret is registered here")
	}
	return app, err
}

func (s *Service) exchangeCode(ctx context.Context, app *App, x Exchange) (string, *Token, error) {
	refused := oauthError("invalid_grant", "this code was used, has expired, or is not for this app and redirect_uri; let your user consent again")
	text, hash := secret()
	t := &Token{ID: social.NewID(s.now()), Hash: hash, AppID: app.ID, App: app.Name, CreatedAt: s.now(), LastUsedAt: s.now()}
	c, err := s.store.TakeCode(ctx, hashSecret(x.Code), t.ID, s.now())
	if social.KindOf(err) == social.NotFound {
		return "", nil, refused
	}
	if err != nil {
		return "", nil, err
	}
	if c.TokenID != 0 { // it is shown a second time: whoever has its token may have stolen it (RFC 6749 10.5)
		if err := s.store.DeleteToken(ctx, c.AccountID, c.TokenID); err != nil {
			return "", nil, err
		}
		return "", nil, refused
	}
	if c.AppID != app.ID || c.RedirectURI != x.RedirectURI {
		return "", nil, refused
	}
	if c.Challenge == "" && x.ClientSecret == "" {
		return "", nil, oauthError("invalid_client", "send the client_secret, or use PKCE")
	}
	if c.Challenge != "" {
		sum := sha256.Sum256([]byte(x.Verifier))
		if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(c.Challenge)) != 1 {
			return "", nil, oauthError("invalid_grant", "the code_verifier does not fit the code_challenge")
		}
	}
	if _, err := s.activeMember(ctx, c.AccountID); err != nil {
		return "", nil, refused
	}
	t.AccountID, t.Scopes, t.Bound = c.AccountID, c.Scopes, c.Bound
	if err := s.store.InsertTokenOfCode(ctx, t); social.KindOf(err) == social.NotFound {
		return "", nil, refused // its user was signed out everywhere meanwhile
	} else if err != nil {
		return "", nil, err
	}
	return text, t, nil
}

func (s *Service) appToken(ctx context.Context, app *App, scopes string) (string, *Token, error) {
	if scopes == "" {
		scopes = "read"
	}
	for f := range strings.FieldsSeq(scopes) {
		if !covers(app.Scopes, f) {
			return "", nil, oauthError("invalid_scope", "the app did not register for %.60s", f)
		}
	}
	text, hash := secret()
	t := &Token{Hash: hash, AppID: app.ID, App: app.Name, Scopes: strings.Join(strings.Fields(scopes), " "), CreatedAt: s.now()}
	return text, t, s.store.InsertAppToken(ctx, t)
}

// RevokeText ends a token that its app sends (RFC 7009). One that is not the app's, or
// none, changes nothing.
func (s *Service) RevokeText(ctx context.Context, id, clientSecret, token string) error {
	app, err := s.client(ctx, id, clientSecret)
	if err == nil && clientSecret == "" {
		err = oauthError("unauthorized_client", "send client_id and client_secret of the app whose token it is")
	}
	if err != nil {
		return err
	}
	return s.store.DeleteAppsToken(ctx, app.ID, hashSecret(token))
}

// App is that of a token; nil for one that no app registered for.
func (s *Service) App(ctx context.Context, t *Token) (*App, error) {
	if t.AppID == 0 {
		return nil, nil
	}
	return s.store.App(ctx, t.AppID)
}

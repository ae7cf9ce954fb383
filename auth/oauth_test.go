package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/auth"
	"parley/social"
)

const (
	callback = "https://app.test/callback"
	verifier = "0123456789012345678901234567890123456789abc"
)

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// app registers one, and answers it with its secret.
func (d *desk) app(redirects ...string) (*auth.App, string) {
	d.Helper()
	if len(redirects) == 0 {
		redirects = []string{callback, auth.OutOfBand}
	}
	a, secret, err := d.Register(d.Context(), auth.NewApp{Name: "An app", RedirectURIs: redirects, Scopes: "read write:statuses push"})
	d.ok(err)
	return a, secret
}

func query(a *auth.App, pairs ...string) url.Values {
	q := url.Values{"response_type": {"code"}, "client_id": {a.ClientID}, "redirect_uri": {callback}, "scope": {"read write:statuses"}, "state": {"s"}}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q
}

// code is what the consent of alice gives.
func (d *desk) code(a *auth.App, pairs ...string) string {
	d.Helper()
	asked, err := d.ReadAuthorization(d.Context(), query(a, pairs...))
	d.ok(err)
	text, err := d.Allow(d.Context(), asked, d.alice.ID, "company")
	d.ok(err)
	return text
}

func exchange(a *auth.App, secret, code string) auth.Exchange {
	return auth.Exchange{GrantType: "authorization_code", ClientID: a.ClientID, ClientSecret: secret, Code: code, RedirectURI: callback}
}

// refused demands a refusal by its name.
func (d *desk) refused(err error, code string) {
	d.Helper()
	var e *auth.OAuthError
	if !errors.As(err, &e) || e.Code != code {
		d.Errorf("%v, want %s", err, code)
	}
}

// T31: a code is sent to nowhere but where an app of its own can be.
func TestRedirectURIs(t *testing.T) {
	d := open(t)
	for uri, want := range map[string]bool{
		callback: true, auth.OutOfBand: true, "https://app.test": true, "http://localhost:4000/x?y=z": true, "http://127.0.0.1/x": true, "http://[::1]:80/": true,
		"icecubesapp://": true, "org.app-auth://callback": true,
		"http://app.test/": false, "javascript:alert(1)": false, "JavaScript:alert(1)": false, "data:text/html,x": false, "file:///etc/passwd": false, "": false, "/here": false,
		"https://": false, "https://app.test/#part": false, "https://user@app.test/": false, "https://app.test/\nx": false, "intent://x": false, "urn:x": false, "vbscript:x": false, "blob:https://x": false,
		"https://app.test/" + strings.Repeat("x", 2000): false,
	} {
		_, _, err := d.Register(t.Context(), auth.NewApp{Name: "x", RedirectURIs: []string{uri}})
		if (err == nil) != want {
			t.Errorf("%.60q: %v", uri, err)
		}
	}
	for _, wrong := range []auth.NewApp{{}, {Name: "x"}, {Name: " ", RedirectURIs: []string{callback}}, {Name: strings.Repeat("x", 61), RedirectURIs: []string{callback}},
		{Name: "x", RedirectURIs: make([]string, 11)}, {Name: "x", RedirectURIs: []string{callback}, Scopes: "everything"}, {Name: "x", RedirectURIs: []string{callback}, Website: "javascript:x"}} {
		_, _, err := d.Register(t.Context(), wrong)
		d.kind(err, social.Invalid)
	}
	a, _ := d.app()
	for _, near := range []string{callback + "/", callback + "?x", "https://app.test/", "HTTPS://app.test/callback", ""} {
		asked, err := d.ReadAuthorization(t.Context(), query(a, "redirect_uri", near))
		d.refused(err, "invalid_request")
		if asked != nil {
			t.Errorf("%s may be redirected to", near)
		}
	}
	_, err := d.ReadAuthorization(t.Context(), query(a, "client_id", "none"))
	d.refused(err, "invalid_client")
}

// A code is for one app, one address and one time; shown again, it ends what it gave.
func TestCodes(t *testing.T) {
	d := open(t)
	a, secret := d.app()
	other, otherSecret := d.app()
	ctx := t.Context()
	for _, pairs := range [][]string{{"response_type", "token"}, {"response_type", ""}} {
		asked, err := d.ReadAuthorization(ctx, query(a, pairs...))
		d.refused(err, "unsupported_response_type")
		if asked == nil {
			t.Error("the app cannot be told")
		}
	}
	for _, scope := range []string{"write", "follow", "admin:read", "read nonsense"} {
		_, err := d.ReadAuthorization(ctx, query(a, "scope", scope))
		d.refused(err, "invalid_scope")
	}
	code := d.code(a)
	text, token, err := d.Exchange(ctx, exchange(a, secret, code))
	d.ok(err)
	if token.Scopes != "read write:statuses" || token.Bound != "company" {
		t.Errorf("%+v", token)
	}
	who, kept, err := d.Bearer(ctx, text)
	if err != nil || who.ID != d.alice.ID || kept.App != "An app" || !kept.Allows("write:statuses") || kept.Allows("write:media") {
		t.Fatalf("%v %+v %v", who, kept, err)
	}
	_, _, err = d.Exchange(ctx, exchange(a, secret, code))
	d.refused(err, "invalid_grant")
	_, _, err = d.Bearer(ctx, text)
	d.kind(err, social.Unauthenticated)

	for what, x := range map[string]auth.Exchange{
		"another app":         exchange(other, otherSecret, d.code(a)),
		"another address":     {GrantType: "authorization_code", ClientID: a.ClientID, ClientSecret: secret, Code: d.code(a), RedirectURI: auth.OutOfBand},
		"no such code":        exchange(a, secret, "none"),
		"an unneeded address": {GrantType: "authorization_code", ClientID: a.ClientID, ClientSecret: secret, Code: d.code(a)},
	} {
		_, _, err := d.Exchange(ctx, x)
		d.refused(err, "invalid_grant")
		if t.Failed() {
			t.Fatal(what)
		}
	}
	_, _, err = d.Exchange(ctx, exchange(a, "wrong", d.code(a)))
	d.refused(err, "invalid_client")
	_, _, err = d.Exchange(ctx, exchange(a, "", d.code(a)))
	d.refused(err, "invalid_client")
	_, _, err = d.Exchange(ctx, auth.Exchange{GrantType: "password", ClientID: a.ClientID, ClientSecret: secret})
	d.refused(err, "unsupported_grant_type")

	late := d.code(a)
	d.at = d.at.Add(10*time.Minute + time.Second)
	_, _, err = d.Exchange(ctx, exchange(a, secret, late))
	d.refused(err, "invalid_grant")

	// H1: who is signed out everywhere is so with the codes that are under way.
	away := d.code(a)
	d.ok(d.EndAccess(ctx, d.alice.ID, ""))
	_, _, err = d.Exchange(ctx, exchange(a, secret, away))
	d.refused(err, "invalid_grant")
	away = d.code(a)
	d.ok(d.in.Social.Suspend(ctx, d.alice.ID, true, ""))
	_, _, err = d.Exchange(ctx, exchange(a, secret, away))
	d.refused(err, "invalid_grant")
}

// Of many who show a code at once, one at most keeps a token.
func TestACodeIsExchangedOnce(t *testing.T) {
	d := open(t)
	a, secret := d.app()
	code := d.code(a)
	var wg sync.WaitGroup
	texts := make([]string, 8)
	for i := range texts {
		wg.Go(func() { texts[i], _, _ = d.Exchange(t.Context(), exchange(a, secret, code)) })
	}
	wg.Wait()
	given := 0
	for _, text := range texts {
		if text != "" {
			given++
		}
	}
	if given > 1 {
		t.Errorf("%d tokens for one code", given)
	}
}

// T32: PKCE is S256, takes the place of a secret, and is for ever once it was used.
func TestPKCE(t *testing.T) {
	d := open(t)
	a, secret := d.app()
	ctx := t.Context()
	for _, pairs := range [][]string{{"code_challenge", verifier, "code_challenge_method", "plain"}, {"code_challenge", challenge()}, {"code_challenge", "short", "code_challenge_method", "S256"}, {"code_challenge_method", "S256"}} {
		_, err := d.ReadAuthorization(ctx, query(a, pairs...))
		d.refused(err, "invalid_request")
	}
	d.ok(func() error { _, err := d.ReadAuthorization(ctx, query(a)); return err }())
	pkce := []string{"code_challenge", challenge(), "code_challenge_method", "S256"}
	x := exchange(a, "", d.code(a, pkce...))
	x.Verifier = verifier
	text, _, err := d.Exchange(ctx, x)
	d.ok(err)
	_, _, err = d.Bearer(ctx, text)
	d.ok(err)
	for _, wrong := range []string{"", challenge(), verifier + "d"} {
		x := exchange(a, secret, d.code(a, pkce...))
		x.Verifier = wrong
		_, _, err := d.Exchange(ctx, x)
		d.refused(err, "invalid_grant")
	}
	_, err = d.ReadAuthorization(ctx, query(a))
	d.refused(err, "invalid_request")
}

// An app by itself has a token of nobody; a token that is not used ends, and so does one
// that its app sends back.
func TestTokensOfApps(t *testing.T) {
	d := open(t)
	a, secret := d.app()
	other, otherSecret := d.app()
	ctx := t.Context()
	own, token, err := d.Exchange(ctx, auth.Exchange{GrantType: "client_credentials", ClientID: a.ClientID, ClientSecret: secret})
	d.ok(err)
	if who, kept, err := d.Bearer(ctx, own); err != nil || who != nil || kept.AppID != a.ID || kept.Scopes != "read" || token.AccountID != 0 {
		t.Errorf("%v %+v %v", who, kept, err)
	}
	if app, err := d.App(ctx, token); err != nil || app.Name != "An app" || len(app.RedirectURIs) != 2 {
		t.Errorf("%+v %v", app, err)
	}
	_, _, err = d.Exchange(ctx, auth.Exchange{GrantType: "client_credentials", ClientID: a.ClientID, ClientSecret: secret, Scopes: "write"})
	d.refused(err, "invalid_scope")
	_, _, err = d.Exchange(ctx, auth.Exchange{GrantType: "client_credentials", ClientID: a.ClientID})
	d.refused(err, "invalid_client")

	member, _, err := d.Exchange(ctx, exchange(a, secret, d.code(a)))
	d.ok(err)
	d.ok(d.RevokeText(ctx, other.ClientID, otherSecret, member))
	if _, _, err := d.Bearer(ctx, member); err != nil {
		t.Errorf("another app ended the token: %v", err)
	}
	d.refused(d.RevokeText(ctx, a.ClientID, "", member), "unauthorized_client")
	d.refused(d.RevokeText(ctx, a.ClientID, "wrong", member), "invalid_client")
	d.ok(d.RevokeText(ctx, a.ClientID, secret, member))
	d.ok(d.RevokeText(ctx, a.ClientID, secret, own))
	for _, text := range []string{member, own} {
		_, _, err := d.Bearer(ctx, text)
		d.kind(err, social.Unauthenticated)
	}

	used, _, err := d.Exchange(ctx, exchange(a, secret, d.code(a)))
	d.ok(err)
	made, err := d.CreateToken(ctx, d.alice.ID, auth.NewToken{App: "a script", Scopes: "read"})
	d.ok(err)
	app, _, err := d.Exchange(ctx, auth.Exchange{GrantType: "client_credentials", ClientID: a.ClientID, ClientSecret: secret})
	d.ok(err)
	d.at = d.at.Add(29 * 24 * time.Hour)
	_, _, err = d.Bearer(ctx, used)
	d.ok(err)
	d.at = d.at.Add(29 * 24 * time.Hour)
	_, _, err = d.Bearer(ctx, used)
	d.ok(err)
	_, _, err = d.Bearer(ctx, app)
	d.kind(err, social.Unauthenticated)
	d.at = d.at.Add(31 * 24 * time.Hour)
	_, _, err = d.Bearer(ctx, used)
	d.kind(err, social.Unauthenticated)
	_, _, err = d.Bearer(ctx, made)
	d.ok(err)
}

package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/web"
)

// client is an app on the web as its server sees it.
type client struct {
	*testing.T
	*httptest.Server
	in         *instance.Instance
	id, secret string
	answers    chan url.Values // what browsers bring back
}

func newClient(t *testing.T, in *instance.Instance) *client {
	t.Helper()
	c := &client{T: t, in: in, answers: make(chan url.Values, 10)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			c.answers <- r.URL.Query()
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>App</title><main>back in the app</main>"))
	}))
	t.Cleanup(c.Close)
	var app struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	c.call("/api/v1/apps", 200, &app, "client_name", "Reader <b>", "website", "https://reader.test/x", "redirect_uris", c.URL+"/callback\n"+auth.OutOfBand, "scopes", "read write follow push")
	c.id, c.secret = app.ID, app.Secret
	return c
}

func (c *client) call(path string, status int, into any, pairs ...string) {
	c.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, err := http.PostForm(c.in.Config.PublicURL+path, form)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode != status {
		c.Fatalf("%s: %d, want %d: %v %v", path, res.StatusCode, status, err, into)
	}
}

// ask is the address to which the app sends its user.
func (c *client) ask(pairs ...string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {c.id}, "redirect_uri": {c.URL + "/callback"}, "scope": {"read write"}, "state": {"a&b"}}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "/oauth/authorize?" + q.Encode()
}

// token exchanges a code.
func (c *client) token(code, redirect string) string {
	c.Helper()
	var t struct {
		Token string `json:"access_token"`
		Kind  string `json:"token_type"`
		Scope string `json:"scope"`
	}
	c.call("/oauth/token", 200, &t, "grant_type", "authorization_code", "client_id", c.id, "client_secret", c.secret, "code", code, "redirect_uri", redirect)
	if t.Kind != "Bearer" || t.Scope != "read write" || t.Token == "" {
		c.Errorf("%+v", t)
	}
	return t.Token
}

// publishes posts by a token and says for whom it became.
func (c *client) publishes(token, visibility string) string {
	c.Helper()
	q, err := http.NewRequest(http.MethodPost, c.in.Config.PublicURL+"/api/v1/statuses", strings.NewReader(url.Values{"status": {"by an app"}, "visibility": {visibility}}.Encode()))
	if err != nil {
		c.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	var s struct {
		Parley struct{ Audience string }
	}
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil || res.StatusCode != http.StatusOK {
		c.Fatal(res.StatusCode, err)
	}
	return s.Parley.Audience
}

// A member lets an app in by the real page in a real browser: signs in on the way, reads
// who asks for what, chooses how far it may publish, and is sent back with a code; or
// refuses; or carries the code by hand; and ends it all again.
func TestConsent(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := context.Background()
	net.Member(in, "alice")
	net.Member(in, "bob")
	for _, name := range []string{"alice", "bob"} {
		if err := in.Auth.SetPassword(ctx, newVisitor(t, in, "en").account(name).ID, "correct horse battery"); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, in)
	b := window(t, chromium, in.Config.PublicURL, true)
	signIn := func(name, button string) {
		t.Helper()
		b.fill("name", name, "password", "correct horse battery")
		b.press("//main", button)
	}
	answer := func() url.Values {
		t.Helper()
		b.says("back in the app")
		return <-c.answers
	}

	b.open(c.ask("lang", "de"))
	b.says("Passwort")
	signIn("alice", "Anmelden")
	b.says("Let an app in?", "“Reader <b>” would like to act in your name, alice.", "names reader.test as its website", "Your answer goes to "+strings.TrimPrefix(c.URL, "http://"), "read all that you can read here", "in the whole company")
	b.press("//main", "Let it in")
	got := answer()
	if got.Get("state") != "a&b" || got.Get("error") != "" {
		t.Errorf("%v", got)
	}
	token := c.token(got.Get("code"), c.URL+"/callback")
	if reach := c.publishes(token, "public"); reach != "company" {
		t.Errorf("the app published for %s", reach)
	}

	b.open(c.ask())
	b.press("//main", "Refuse")
	if got := answer(); got.Get("error") != "access_denied" || got.Get("state") != "a&b" || got.Has("code") {
		t.Errorf("%v", got)
	}

	b.open(c.ask())
	b.fill("reach", "also outside the company, as far as you may")
	b.press("//main", "Let it in")
	wide := c.token(answer().Get("code"), c.URL+"/callback")
	if reach := c.publishes(wide, "public"); reach != "public" {
		t.Errorf("the app published for %s", reach)
	}
	b.open(c.ask())
	b.fill("reach", "only on our own server")
	b.press("//main", "Let it in")
	narrow := c.token(answer().Get("code"), c.URL+"/callback")
	if reach := c.publishes(narrow, "public"); reach != "instance" {
		t.Errorf("the app published for %s", reach)
	}

	// By hand.
	b.open(c.ask("redirect_uri", auth.OutOfBand))
	b.press("//main", "Let it in")
	b.says("Copy this code")
	c.token(b.ask(`document.getElementById("app-code").value`), auth.OutOfBand)

	// The apps are listed, and end at once.
	b.open("/settings/apps")
	b.says("Reader <b>", "publishes at most: in the whole company")
	b.do("say what disconnecting means", chromedp.Click(chromedp.CSS("main article summary")))
	b.says("What was written with it stays.")
	b.press("//main//details", "Disconnect now")
	b.says("Disconnected")

	// Somebody else at the same browser; and an app that wants the password again.
	b.open(c.ask("force_login", "true"))
	b.says("Password")
	signIn("bob", "Sign in")
	b.says("act in your name, bob")
	if n := len(c.answers); n != 0 {
		t.Errorf("%d answers without a word", n)
	}
}

// What an app asks wrongly is told to it where that is safe, and to its user otherwise,
// who is never sent to an address that the app did not register (T31).
func TestConsentRefusals(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice := net.Member(in, "alice")
	if err := in.Social.FinishSetUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, in)
	cookie, err := in.Auth.Begin(context.Background(), alice.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	visit := func(method, address string, body url.Values, origin string) *http.Response {
		t.Helper()
		q, err := http.NewRequest(method, in.Config.PublicURL+address, strings.NewReader(body.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Accept", "text/html")
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("Origin", origin)
		q.AddCookie(&http.Cookie{Name: web.CookieName(in.Config.Domain), Value: cookie})
		res, err := http.DefaultTransport.RoundTrip(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	for _, foreign := range []string{"https://evil.test/", c.URL + "/callback2", "javascript:alert(1)", "", "//evil.test"} {
		for _, method := range []string{"GET", "POST"} {
			u, err := url.Parse(c.ask("redirect_uri", foreign))
			if err != nil {
				t.Fatal(err)
			}
			body := url.Values{}
			address := u.String()
			if method == "POST" {
				body, address = u.Query(), u.Path
				body.Set("do", "allow")
			}
			if res := visit(method, address, body, in.Config.PublicURL); res.StatusCode != 422 || res.Header.Get("Location") != "" {
				t.Errorf("%s with %q: %d to %s", method, foreign, res.StatusCode, res.Header.Get("Location"))
			}
		}
	}
	for param, want := range map[string]string{"response_type=token": "unsupported_response_type", "scope=admin:write": "invalid_scope", "code_challenge=x": "invalid_request"} {
		name, value, _ := strings.Cut(param, "=")
		res := visit("GET", c.ask(name, value), nil, "")
		to, err := url.Parse(res.Header.Get("Location"))
		if err != nil || res.StatusCode != 303 || !strings.HasPrefix(to.String(), c.URL+"/callback?") || to.Query().Get("error") != want || to.Query().Get("state") != "a&b" {
			t.Errorf("%s: %d %s", param, res.StatusCode, to)
		}
	}
	if err := in.Social.SetPolicy(context.Background(), "test", map[string]string{"apps.pkce": "yes"}); err != nil {
		t.Fatal(err)
	}
	if to := visit("GET", c.ask(), nil, "").Header.Get("Location"); !strings.Contains(to, "error=invalid_request") {
		t.Errorf("without PKCE where it is wanted: %s", to)
	}
	if res := visit("GET", c.ask("code_challenge", strings.Repeat("a", 43), "code_challenge_method", "S256"), nil, ""); res.StatusCode != 200 {
		t.Errorf("with PKCE: %d", res.StatusCode)
	}
	if err := in.Social.SetPolicy(context.Background(), "test", map[string]string{"apps.pkce": ""}); err != nil {
		t.Fatal(err)
	}
	// T33: no other page can say yes in a member's name.
	u, _ := url.Parse(c.ask())
	body := u.Query()
	body.Set("do", "allow")
	if res := visit("POST", u.Path, body, "https://evil.test"); res.StatusCode != 403 {
		t.Errorf("a yes from elsewhere: %d", res.StatusCode)
	}
	// Only the way back to this app is open to the page's form (clients.md, rule 8).
	if policy := visit("GET", c.ask(), nil, "").Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' "+c.URL+";") {
		t.Error(policy)
	}
	if policy := visit("GET", "/", nil, "").Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self';") {
		t.Error(policy)
	}
	if res := visit("GET", "/oauth/authorize/"+strings.TrimPrefix(c.ask(), "/oauth/authorize"), nil, ""); res.StatusCode != 200 {
		t.Errorf("with a slash, as toot asks: %d", res.StatusCode)
	}
	if res := visit("GET", c.ask(), nil, ""); res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("other pages may read the consent page")
	}
}

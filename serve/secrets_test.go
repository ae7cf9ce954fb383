package serve_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"parley/auth"
	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// Nothing that lets somebody in, and nothing that was said to few, stands in the
// log, not even at its finest level (T70).
func TestLogHoldsNoSecrets(t *testing.T) {
	log := &logged{}
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	ctx := t.Context()
	a, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice", Email: "canary-mail@mail.test"})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	must(in.Auth.SetPassword(ctx, a.ID, "canary-password-right"))
	setup, _, err := in.Auth.SetupLink(ctx)
	must(err)
	jar, err := cookiejar.New(nil)
	must(err)
	browser := &http.Client{Jar: jar}
	base := in.Config.PublicURL
	send := func(method, path, token string, form url.Values) string {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(form.Encode()))
		must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := browser.Do(r)
		must(err)
		defer res.Body.Close() //nolint:errcheck // only read
		b, err := io.ReadAll(res.Body)
		must(err)
		return string(b)
	}
	send("POST", "/sign-in", "", url.Values{"name": {"alice"}, "password": {"canary-password-wrong"}})
	send("POST", "/sign-in", "", url.Values{"name": {"alice"}, "password": {"canary-password-right"}})
	home, err := url.Parse(base)
	must(err)
	secrets := []string{"canary", setup}
	for _, c := range jar.Cookies(home) {
		if c.Name == web.CookieName(in.Config.Domain) {
			secrets = append(secrets, c.Value)
		}
	}
	if len(secrets) != 3 {
		t.Fatal("no session")
	}
	send("GET", "/setup?code="+setup, "", nil)
	send("GET", "/setup?code=canary-code", "", nil)
	send("POST", "/posts", "", url.Values{"text": {"canary-page"}, "audience": {"direct"}})
	token, err := in.Auth.CreateToken(ctx, a.ID, auth.NewToken{App: "app", Scopes: "read write"})
	must(err)
	secrets = append(secrets, token)
	send("POST", "/api/v1/statuses", token, url.Values{"status": {"canary-text @nobody@nowhere.invalid"}, "audience": {"company"}})
	send("POST", "/api/v1/statuses", token, url.Values{"status": {"canary-text"}, "audience": {"canary-audience"}})
	send("GET", "/api/v1/timelines/home", "canary-token", nil)
	send("GET", "/api/v1/timelines/home?access_token=canary-token", "", nil)
	send("GET", "/api/v2/search?resolve=true&q=canary-words", token, nil)
	send("GET", "/media/1/original?for=canary-ticket", "", nil)
	reset, _, err := in.Auth.ResetLink(ctx, a.ID, "test")
	must(err)
	secrets = append(secrets, reset)
	send("GET", "/reset?code="+reset, "", nil)
	send("POST", "/reset", "", url.Values{"code": {reset}, "password": {"canary-password-new"}})
	in.Settle(ctx)
	if n := strings.Count(log.String(), "msg=request"); n < 10 {
		t.Fatalf("only %d requests in the log", n)
	}
	for _, line := range strings.Split(log.String(), "\n") {
		for _, secret := range secrets {
			if strings.Contains(line, secret) {
				t.Errorf("%.20s... stands in %s", secret, line)
			}
		}
	}
}

// The session's cookie is out of reach of scripts and of other sites, and forms
// that other sites send are refused (T33).
func TestCookiesAndForeignForms(t *testing.T) {
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: map[string]string{"domain": "a.test", "public_url": "https://a.test"}})
	a, err := in.Social.CreateAccount(t.Context(), social.NewAccount{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Auth.SetPassword(t.Context(), a.ID, "a long password"); err != nil {
		t.Fatal(err)
	}
	send := func(path string, form url.Values, header map[string]string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+in.Config.Listen+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "a.test"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for k, v := range header {
			r.Header.Set(k, v)
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	sign := url.Values{"name": {"alice"}, "password": {"a long password"}}
	res := send("/sign-in", sign, map[string]string{"Sec-Fetch-Site": "same-origin"})
	var session *http.Cookie
	for _, c := range res.Cookies() {
		if c.Name == web.CookieName("a.test") {
			session = c
		}
	}
	if session == nil || !session.HttpOnly || !session.Secure || session.SameSite != http.SameSiteLaxMode || session.Domain != "" || session.Path != "/" || session.MaxAge != 30*24*3600 {
		t.Fatalf("%d %v", res.StatusCode, session)
	}
	if web.CookieName("a.test") == web.CookieName("a.test:8081") {
		t.Error("two instances on one host share a cookie")
	}
	cookie := session.Name + "=" + session.Value
	for name, header := range map[string]map[string]string{
		"another site": {"Sec-Fetch-Site": "cross-site"}, "another name of the site": {"Sec-Fetch-Site": "same-site"},
		"another origin": {"Origin": "https://evil.test"}, "no origin": {"Origin": "null"}, "another port": {"Origin": "https://a.test:444"},
	} {
		header["Cookie"] = cookie
		for path, form := range map[string]url.Values{"/posts": {"text": {"forged"}, "audience": {"public"}}, "/sign-out": nil, "/sign-in": sign, "/language": {"language": {"de"}}} {
			if got := send(path, form, header).StatusCode; got != http.StatusForbidden {
				t.Errorf("%s from %s: %d", path, name, got)
			}
		}
	}
	views, err := in.Social.AccountPosts(t.Context(), social.Member(a, in.Social.HomeAuthority()), a.ID, social.Page{}, social.PostFilter{})
	if err != nil || len(views) != 0 {
		t.Errorf("%d forged posts, %v", len(views), err)
	}
	if got := send("/posts", url.Values{"text": {"own"}, "audience": {"company"}}, map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}).StatusCode; got != http.StatusSeeOther {
		t.Errorf("an own form: %d", got)
	}
	if got := send("/sign-out", nil, map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}).StatusCode; got != http.StatusSeeOther {
		t.Errorf("sign out: %d", got)
	}
	if _, _, err := in.Auth.Session(t.Context(), session.Value); social.KindOf(err) != social.Unauthenticated {
		t.Errorf("the session outlives its end: %v", err)
	}
}

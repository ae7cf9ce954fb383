package serve_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

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

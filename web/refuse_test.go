package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
)

// What ends before a page runs is a page too for people, in their language, and
// the plain error for programs: a form from elsewhere, a panic, the limit.
func TestRefusalsArePages(t *testing.T) {
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{
		Config: map[string]string{"trusted_proxies": "127.0.0.1", "limits.requests_per_5m": "6"},
		Prepare: func(in *instance.Instance) {
			in.Server.Router.HandleFunc("/break", func(http.ResponseWriter, *http.Request) { panic("secret state") })
		}})
	ask := func(method, path, accept, language string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, in.Config.PublicURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]string{"Accept": accept, "Accept-Language": language, "Sec-Fetch-Site": "cross-site", "X-Forwarded-For": "192.0.2." + map[string]string{"de": "1", "en": "2"}[language]} {
			r.Header.Set(k, v)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // only read
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(b)
	}
	for _, language := range []string{"de", "en"} {
		for _, one := range []struct {
			method, path string
			status       int
			says         map[string]string
		}{
			{"POST", "/posts", 403, map[string]string{"de": "kam von einer anderen Seite", "en": "was sent from another site"}},
			{"GET", "/break", 500, map[string]string{"de": "Hier ist etwas schiefgegangen", "en": "Something went wrong here"}},
			{"GET", "/find", 429, map[string]string{"de": "Zu viele Anfragen", "en": "Too many requests"}},
		} {
			for one.status == 429 { // until the limit is reached
				if res, _ := ask("GET", "/healthz", "", language); res.StatusCode == 429 {
					break
				}
			}
			res, body := ask(one.method, one.path, "text/html,application/xhtml+xml", language)
			if res.StatusCode != one.status || strings.Contains(body, "secret") {
				t.Errorf("%s: %d %s", one.path, res.StatusCode, body)
			}
			d := &doc{T: t, name: one.path + " (" + language + ")", raw: body}
			d.bare = true
			d.check(language, res.Header)
			d.says(one.says[language])
			if one.status == 429 && res.Header.Get("Retry-After") == "" {
				t.Error("nobody says how long to wait")
			}
			res, body = ask(one.method, one.path, "application/json", language)
			if res.StatusCode != one.status && res.StatusCode != 429 || !strings.Contains(res.Header.Get("Content-Type"), "json") || strings.Contains(body, "<") {
				t.Errorf("%s for a program: %d %s", one.path, res.StatusCode, body)
			}
		}
	}
}

// A method that an address does not take: people read why in their language, programs read
// JSON, and both are told what it takes.
func TestWrongMethodsAreExplained(t *testing.T) {
	in := instancetest.Start(t, t.TempDir(), "")
	for _, one := range []struct{ method, path, allow, en, de string }{
		{"GET", "/posts", "POST", "address of a form", "Adresse eines Formulars"},
		{"POST", "/about", "GET, HEAD", "cannot be used that way", "lässt sich diese Seite nicht benutzen"},
		{"DELETE", "/@alice", "GET, HEAD", "cannot be used that way", "lässt sich diese Seite nicht benutzen"},
		{"PUT", "/public.atom", "GET, HEAD", "cannot be used that way", "lässt sich diese Seite nicht benutzen"},
		{"POST", "/settings/data/posts.json", "GET, HEAD", "cannot be used that way", "lässt sich diese Seite nicht benutzen"},
	} {
		for language, says := range map[string]string{"en": one.en, "de": one.de} {
			v := newVisitor(t, in, language)
			v.do(one.method, one.path, nil, "", 405).says(says)
		}
		for _, accept := range []string{"text/html", "application/json"} {
			r, err := http.NewRequest(one.method, in.Config.PublicURL+one.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", accept)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if kind := res.Header.Get("Content-Type"); res.StatusCode != 405 || res.Header.Get("Allow") != one.allow || !strings.HasPrefix(kind, accept) {
				t.Errorf("%s %s as %s: %d, takes %q, is %s", one.method, one.path, accept, res.StatusCode, res.Header.Get("Allow"), kind)
			}
		}
	}
	for path, says := range map[string]string{"/@nobody.atom": "nicht für Sie", "/@nobody.rss": "nicht für Sie"} {
		newVisitor(t, in, "de").get(path, 404).says(says)
	}
}

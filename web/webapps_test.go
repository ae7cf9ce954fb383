package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// webApp is the site of a web app, another origin than the instance that it calls. Its
// pages run one of testdata/webapps in the browser.
type webApp struct {
	*testing.T
	*httptest.Server
	in   *instance.Instance
	name string
	ben  social.Reader // answers posts that are written with the app
	elk  app           // what Elk's own server keeps
}

// app is what an app gets when it registers.
type app struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
	Vapid  string `json:"vapid_key"`
}

func newWebApp(t *testing.T, in *instance.Instance, name string, ben social.Reader) *webApp {
	a := &webApp{T: t, in: in, name: name, ben: ben}
	site := http.NewServeMux()
	site.Handle("GET /webapps/", http.FileServer(http.Dir("testdata")))
	site.HandleFunc("POST /colleague", a.answer)
	site.HandleFunc("POST /api/", a.elkLogin)
	site.HandleFunc("GET /api/", a.elkReturn)
	site.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `<!doctype html><html data-server="%s"><title>App</title><main></main><script type="module" src="/webapps/%s.mjs"></script>`, html.EscapeString(in.Config.PublicURL), name)
	})
	a.Server = httptest.NewServer(site)
	t.Cleanup(a.Close)
	return a
}

// answer lets ben reply to a post, by the pages' way.
func (a *webApp) answer(w http.ResponseWriter, r *http.Request) {
	to, err := social.ParseID(r.URL.Query().Get("to"))
	if err == nil {
		_, err = a.in.Social.Publish(r.Context(), a.ben, social.Draft{Text: "@alice it has arrived", InReplyTo: to})
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// elkRedirect is where the browser comes back to Elk's server: an address within a path.
func (a *webApp) elkRedirect() string {
	return a.URL + "/api/" + strings.TrimPrefix(a.in.Config.PublicURL, "http://") + "/oauth/" + url.QueryEscape(a.URL)
}

// post is a call of Elk's server.
func (a *webApp) post(path string, body map[string]string, into any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	q, err := http.NewRequest(http.MethodPost, a.in.Config.PublicURL+path, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Accept", "application/json")
	q.Header.Set("User-Agent", "Elk/1.0.0")
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close() //nolint:errcheck // only read
	return res.StatusCode, json.NewDecoder(res.Body).Decode(into)
}

// elkLogin answers where the member is asked. What Elk kept of this server is no longer
// known there: it is told so, and registers anew.
func (a *webApp) elkLogin(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Lang string }
	err := json.NewDecoder(r.Body).Decode(&asked)
	var refused struct{ Error string }
	status, stale := 0, a.elkExchange("long gone")
	stale["client_id"], stale["client_secret"] = "forgotten", "forgotten"
	if err == nil {
		status, err = a.post("/oauth/token", stale, &refused)
	}
	if err == nil && (status != http.StatusUnauthorized || refused.Error != "invalid_client") {
		err = fmt.Errorf("an unknown app gets %d %s", status, refused.Error)
	}
	if err == nil {
		status, err = a.post("/api/v1/apps", map[string]string{"client_name": "Elk", "website": "https://elk.zone", "redirect_uris": a.elkRedirect(), "scopes": "read write follow push"}, &a.elk)
	}
	if err != nil || status != http.StatusOK || a.elk.ID == "" || a.elk.Secret == "" || a.elk.Vapid == "" {
		http.Error(w, fmt.Sprintf("Elk registers: %d %+v %v", status, a.elk, err), http.StatusBadGateway)
		return
	}
	q := url.Values{"client_id": {a.elk.ID}, "force_login": {"false"}, "scope": {"read write follow push"}, "response_type": {"code"}, "lang": {asked.Lang}, "redirect_uri": {a.elkRedirect()}}
	_, _ = io.WriteString(w, a.in.Config.PublicURL+"/oauth/authorize?"+q.Encode())
}

func (a *webApp) elkExchange(code string) map[string]string {
	return map[string]string{"client_id": a.elk.ID, "client_secret": a.elk.Secret, "redirect_uri": a.elkRedirect(), "grant_type": "authorization_code", "code": code, "scope": "read write follow push"}
}

// elkReturn exchanges the code that the browser brings, if it came back to the very address.
func (a *webApp) elkReturn(w http.ResponseWriter, r *http.Request) {
	var granted struct {
		Token string `json:"access_token"`
	}
	if at := a.URL + r.URL.EscapedPath(); at != a.elkRedirect() {
		http.Error(w, "the browser came back to "+at, http.StatusNotFound)
		return
	}
	status, err := a.post("/oauth/token", a.elkExchange(r.URL.Query().Get("code")), &granted)
	if err != nil || status != http.StatusOK || granted.Token == "" {
		http.Error(w, fmt.Sprintf("Elk gets no token: %d %v", status, err), http.StatusBadGateway)
		return
	}
	http.Redirect(w, r, "/signin/callback?"+url.Values{"server": {a.in.Config.Domain}, "token": {granted.Token}, "vapid_key": {a.elk.Vapid}}.Encode(), http.StatusFound)
}

// The first sessions of three web apps, call for call as their sources make them, each on a
// page of its own origin in a real browser: sign in by the consent page, read home, write,
// like, see a reply come in. None of them is published as a package; docs/api.md says
// what was looked for.
func TestWebApps(t *testing.T) {
	chromium := startChromium(t)
	wire := &instancetest.Wire{}
	net := instancetest.NewWith(t, 1, instancetest.Options{Wire: wire})
	in, ctx := net.Instances[0], context.Background()
	work(t, net.Instances)
	alice, ben := net.Member(in, "alice"), net.Member(in, "ben")
	if err := in.Auth.SetPassword(ctx, alice.Account.ID, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Follow(ctx, alice, ben.Account.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	for i := range 45 { // more than the longest page that an app asks for
		if _, err := in.Social.Publish(ctx, ben, social.Draft{Text: fmt.Sprintf("number %d, see https://example.org/ #work", i), Audience: "public"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.Social.ChangeFilter(ctx, alice, 0, func(f *social.Filter) error {
		f.Title, f.Places, f.Keywords = "sevens", []social.FilterPlace{social.InHome}, []social.FilterKeyword{{Keyword: "number 7", WholeWord: true}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	b := window(t, chromium, in.Config.PublicURL, true)
	for i, name := range []string{"phanpy", "elk", "pinafore"} {
		start := time.Now()
		a := newWebApp(t, in, name, ben)
		b.open(a.URL + "/")
		if i == 0 {
			b.appears("Password")
			b.fill("name", "alice", "password", "correct horse battery")
			b.press("//main", "Sign in")
		}
		b.appears("Let an app in?")
		if name == "phanpy" {
			b.fill("reach", "also outside the company, as far as you may")
		}
		b.press("//main", "Let it in")
		b.appears("The replay")
		b.says("The replay is done.")
		preflights, echoed := a.seen(wire)
		if preflights == 0 {
			t.Errorf("%s: the browser asked nothing beforehand: it was no page of another origin", name)
		}
		if !echoed {
			t.Errorf("%s: no WebSocket with its subprotocol", name)
		}
		t.Logf("%s: %v, %d preflights", name, time.Since(start).Round(time.Millisecond), preflights)
	}
}

// seen tells how often the app's browser asked beforehand, and whether its WebSocket stood.
func (a *webApp) seen(wire *instancetest.Wire) (preflights int, echoed bool) {
	for _, e := range wire.All() {
		if e.Header.Get("Origin") != a.URL {
			continue
		}
		if e.Method == http.MethodOptions {
			preflights++
		}
		if p := e.Header.Get("Sec-WebSocket-Protocol"); p != "" && e.Answered.Get("Sec-WebSocket-Protocol") == p {
			echoed = true
		}
	}
	return preflights, echoed
}

package logs_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// traffic is what happens in a house, well and badly. Whatever nobody but its owner may have
// is in secrets, by what it is, or holds the word canary.
type traffic struct {
	*house
	secrets map[string]string
}

func newTraffic(t *testing.T, form func(*instancetest.Log) *slog.Logger) *traffic {
	t.Helper()
	h := &traffic{newHouse(t, form, postgres(t, "canary-database")), map[string]string{}}
	for _, p := range []*person{h.alice, h.bob, h.wanda} {
		h.keys(p)
	}
	return h
}

// keys takes down the person's token and keys, and those of their server.
func (h *traffic) keys(p *person) {
	h.Helper()
	actor, err := p.in().Social.InstanceActor(h.Context())
	h.must(err)
	h.secrets["token of "+p.handle()] = p.token
	h.must(p.in().DB.View(h.Context(), func(tx social.Tx) error {
		for _, id := range []social.ID{actor.ID, p.reader.Account.ID} {
			keys, err := tx.KeysOf(h.Context(), id)
			if err != nil {
				return err
			}
			for _, k := range keys {
				h.secrets["private key "+k.URI] = strings.Split(string(k.Private), "\n")[1]
			}
		}
		push, err := tx.Setting(h.Context(), "push_key")
		h.secrets["push key of "+p.in().Config.Domain] = push
		return err
	}))
}

// browser is one without or with a session.
type browser struct {
	*traffic
	in     *instance.Instance
	client *http.Client
}

func (h *traffic) browser(in *instance.Instance) *browser {
	jar, err := cookiejar.New(nil)
	h.must(err)
	return &browser{h, in, &http.Client{Jar: jar}}
}

// do sends a form, in the address of a GET, and answers where it leads or what it shows.
func (b *browser) do(method, path string, want int, fields ...string) string {
	b.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	body := form.Encode()
	if method == "GET" && body != "" {
		path, body = path+"?"+body, ""
	}
	q := b.request(method, b.in.Config.PublicURL+path, []byte(body))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Accept", "text/html")
	if want == http.StatusInternalServerError {
		q.Header.Set("X-Break", "yes")
	}
	a := b.send(b.client, q)
	if a.status != want {
		b.Fatalf("%s %s: %d, not %d: %.600s", method, path, a.status, want, a.body)
	}
	return a.header.Get("Location") + string(a.body)
}

// session takes down the cookie.
func (b *browser) session(name string) {
	b.Helper()
	home, err := url.Parse(b.in.Config.PublicURL)
	b.must(err)
	for _, c := range b.client.Jar.Cookies(home) {
		if c.Name == web.CookieName(b.in.Config.Domain) {
			b.secrets["session "+name] = c.Value
			return
		}
	}
	b.Fatal("no session")
}

// signIn is everything about passwords and links, right and wrong.
func (h *traffic) signIn() *browser {
	h.Helper()
	a := h.alice
	h.must(a.in().Auth.SetPassword(h.Context(), a.reader.Account.ID, "canary-password-first"))
	setup, _, err := a.in().Auth.SetupLink(h.Context())
	h.must(err)
	h.secrets["setup link"] = setup
	b := h.browser(a.in())
	b.do("GET", "/setup", 200, "code", setup)
	b.do("GET", "/setup", 404, "code", "canary-link")
	b.do("POST", "/setup", 422, "code", setup, "organisation", "North", "name", "root", "password", "canary")
	b.do("POST", "/setup", 303, "code", setup, "organisation", "North", "name", "root", "password", "canary-password-root")
	b.session("root")
	b.do("POST", "/admin/people", 303, "name", "carol", "email", "canary@mail.test", "role", "member")
	b.do("POST", "/admin/people", 422, "name", "no name", "email", "canary@mail.test", "role", "member")
	b.do("POST", "/admin/servers/accept", 422, "code", "parley1.canary", "same", "yes")
	b.do("POST", "/admin/servers/accept", 422, "code", h.usedCode(), "same", "yes")
	b.do("POST", "/sign-out", 303)

	b.do("POST", "/sign-in", 401, "name", "alice", "password", "canary-password-wrong")
	b.do("POST", "/sign-in", 401, "name", "canary-password-as-name", "password", "x")
	b.do("POST", "/sign-in", 303, "name", "alice", "password", "canary-password-first")
	b.session("by password")
	reset, _, err := a.in().Auth.ResetLink(h.Context(), a.reader.Account.ID, "test")
	h.must(err)
	h.secrets["reset link"] = reset
	b.do("GET", "/reset", 200, "code", reset)
	b.do("POST", "/reset", 422, "code", reset, "password", "canary")
	b.do("POST", "/reset", 303, "code", reset, "password", "canary-password-second")
	b.do("POST", "/reset", 404, "code", reset, "password", "canary-password-third")
	b.do("POST", "/sign-in", 303, "name", "alice", "password", "canary-password-second")
	b.session("after the link")
	a.newToken() // the reset ended the former
	h.secrets["second token"] = a.token
	return b
}

// usedCode is by which a and b are sisters no more than before: it names another server.
func (h *traffic) usedCode() string {
	h.Helper()
	code, err := h.alice.in().Social.Invite(h.Context(), social.InviteRequest{Host: "elsewhere.example"})
	h.must(err)
	h.secrets["pairing code"] = code.String()
	h.secrets["pairing secret"] = base64.RawURLEncoding.EncodeToString(code.Secret)
	_, err = h.bob.in().Social.Accept(h.Context(), code.String(), social.Zone{}, nil, "test")
	if err == nil {
		h.Fatal("a code for another server was taken")
	}
	return code.String()
}

// apps is everything about OAuth, right and wrong.
func (h *traffic) apps(b *browser) {
	h.Helper()
	const back = "http://127.0.0.1:9/back"
	var app struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	h.alice.call("POST", "/api/v1/apps", map[string]string{"client_name": "app", "redirect_uris": back, "scopes": "read write push"}).into(&app)
	ask := []string{"response_type", "code", "client_id", app.ID, "redirect_uri", back, "scope", "read write push", "state", "canary-state"}
	b.do("GET", "/oauth/authorize", 200, ask...)
	to, err := url.Parse(strings.Split(b.do("POST", "/oauth/authorize", 303, append(ask, "do", "allow", "reach", "company")...), "<")[0])
	h.must(err)
	code := to.Query().Get("code")
	take := func(code, secret string, want int) []byte {
		h.Helper()
		a := h.alice.call("POST", "/oauth/token", map[string]string{"grant_type": "authorization_code", "code": code, "client_id": app.ID, "client_secret": secret, "redirect_uri": back})
		if a.status != want {
			h.Fatalf("%d %s", a.status, a.body)
		}
		return a.body
	}
	var token struct {
		Text string `json:"access_token"`
	}
	h.secrets["client secret"], h.secrets["authorization code"] = app.Secret, code
	take("canary-code", app.Secret, 400)
	take(code, "canary-client-secret", 401)
	h.must(json.Unmarshal(take(code, app.Secret, 200), &token))
	take(code, app.Secret, 400)
	h.secrets["token by code"] = token.Text
	for name, s := range h.secrets {
		if len(s) < 20 {
			h.Fatalf("%s: %q", name, s)
		}
	}
	b.do("GET", "/api/v1/timelines/home", 401, "access_token", "canary-token")
	b.do("GET", "/media/1/original", 404, "for", "canary-ticket")
	if a := h.alice.call("POST", "/oauth/revoke", map[string]string{"token": "canary-token", "client_id": app.ID, "client_secret": app.Secret}); a.status != 200 {
		h.Fatal(a.status)
	}
}

// notices is a subscription whose address and secret nobody else may have, with a push
// service that takes, refuses and ends it.
func (h *traffic) notices() {
	h.Helper()
	at := instancetest.NewPushService(h.T)
	var made struct {
		Endpoint string `json:"endpoint"`
	}
	subscribe := func(endpoint string) answer {
		return h.alice.call("POST", "/api/v1/push/subscription", map[string]any{"subscription": map[string]any{"endpoint": endpoint, "standard": true, "keys": map[string]string{
			"p256dh": base64.RawURLEncoding.EncodeToString(at.PublicKey()), "auth": base64.RawURLEncoding.EncodeToString(at.Secret)}}, "data": map[string]any{"alerts": map[string]bool{"mention": true}}})
	}
	h.secrets["push secret"] = base64.RawURLEncoding.EncodeToString(at.Secret)
	if a := subscribe("gopher://canary-push.example/x"); a.status < 400 {
		h.Fatal(a.status)
	}
	for _, status := range []int{http.StatusCreated, http.StatusInternalServerError, http.StatusForbidden, http.StatusGone} {
		subscribe(at.URL + "/canary-endpoint").into(&made)
		at.Answers(status, "")
		h.bob.says(social.Draft{Text: "canary " + h.alice.handle(), Audience: "direct"})
		h.net.Settle()
	}
	if n := len(at.All()); n < 4 {
		h.Errorf("only %d notices", n)
	}
	subscribe("http://127.0.0.1:9/canary-endpoint").into(&made) // nobody listens
	h.bob.says(social.Draft{Text: "canary " + h.alice.handle(), Audience: "direct"})
	h.net.Settle()
}

// mail invites somebody whose address nobody else may have, by a server that first refuses
// and says it back.
func (h *traffic) mail() {
	h.Helper()
	in := h.alice.in()
	a, err := in.Social.CreateAccount(h.Context(), social.NewAccount{Username: "mo", Email: "canary-mo@mail.test"})
	h.must(err)
	for _, refusal := range []error{errors.New("nobody is canary-mo@mail.test here"), nil} {
		h.post.Refuse(refusal)
		h.must(in.Social.OrderMail(h.Context(), a.ID, social.MailReset))
		h.net.Settle()
		h.must(in.DB.Tx(h.Context(), func(tx social.Tx) error { return tx.DropJobs(h.Context(), social.MailJob, int64(a.ID), "") }))
	}
	all := h.post.All()
	if len(all) == 0 {
		h.Fatal("no mail")
	}
	_, code, _ := strings.Cut(all[len(all)-1].Body, "/reset?code=")
	h.secrets["link in a mail"], _, _ = strings.Cut(strings.ReplaceAll(strings.TrimPrefix(code, "3D"), "=\r\n", ""), "\r\n")
	if len(h.secrets["link in a mail"]) < 40 {
		h.Errorf("no link in %s", all[len(all)-1].Body)
	}
}

// writes is what people write for few, by pages and apps, and what they look for.
func (h *traffic) writes(b *browser) {
	h.Helper()
	p := h.alice
	var made struct {
		ID string `json:"id"`
	}
	p.call("POST", "/api/parley/v1/groups", map[string]string{"name": "quiet", "join": "closed", "widest": "company", "purpose": "canary purpose"}).into(&made)
	for _, audience := range []string{"direct", "followers", "instance", "company", "group:quiet"} {
		form := &bytes.Buffer{}
		m := multipart.NewWriter(form)
		f, err := m.CreateFormFile("file", "canary-name.txt")
		h.must(err)
		_, err = io.WriteString(f, "canary bytes")
		h.must(err)
		h.must(m.WriteField("description", "canary description"))
		h.must(m.Close())
		q := h.request("POST", p.in().Config.PublicURL+"/api/v2/media", form.Bytes())
		q.Header.Set("Content-Type", m.FormDataContentType())
		q.Header.Set("Authorization", "Bearer "+p.token)
		h.send(&http.Client{}, q).into(&made)
		text := "canary " + h.bob.handle() + " " + h.wanda.handle() + " @nobody@canary.invalid"
		p.call("POST", "/api/v1/statuses", map[string]any{"status": text, "spoiler_text": "canary", "audience": audience, "media_ids": []string{made.ID}}).into(&made)
		b.do("POST", "/posts", 303, "text", "canary draft "+h.bob.handle(), "audience", audience, "do", "save", "summary", "canary")
	}
	if a := p.call("POST", "/api/v1/statuses", map[string]string{"status": "canary", "audience": "canary-audience"}); a.status != 422 {
		h.Fatal(a.status)
	}
	for _, words := range []string{"canary words", "@canary@nowhere.invalid", "https://127.0.0.1:9/canary-path", "gopher://nowhere.example/canary", "http://user:canary@nowhere.example/", "http://169.254.1.1/canary?canary",
		"http://127.0.0.1:9/canary-path", "from:canary", "since:canary", "http://x_y./canary", "http://nowhere.invalid:99999/canary"} {
		b.do("GET", "/find", 200, "q", words)
		p.call("GET", "/api/v2/search?resolve=true&q="+url.QueryEscape(words), nil)
		p.call("GET", "/api/v1/accounts/lookup?acct="+url.QueryEscape(words), nil)
	}
	bob, err := p.in().Social.FindHandle(h.Context(), p.reader, strings.TrimPrefix(h.bob.handle(), "@"))
	h.must(err)
	b.do("POST", "/accounts/"+bob.ID.String()+"/report", 303, "comment", "canary complaint", "forward", "yes")
	h.net.Settle()
}

// troubles is what goes wrong between servers: who is down, who refuses, who sends what
// cannot be taken.
func (h *traffic) troubles() {
	h.Helper()
	h.echo.Store(true)
	h.alice.says(social.Draft{Text: "canary " + h.wanda.handle(), Audience: "direct"})
	h.net.Settle()
	h.echo.Store(false)
	h.net.Stop(1)
	h.alice.says(social.Draft{Text: "canary", Audience: "company"})
	h.net.Settle()
	h.net.Restart(1)
	h.bob.says(social.Draft{Text: "canary", Audience: "company"})
	h.net.Settle()
	origin := h.wanda.reader.Account.URI
	for _, body := range []string{
		`{"type":"Create","canary`, `{"type":"canary","actor":"` + origin + `"}`, `{"content":"canary","CONTENT":"canary","type":"Create"}`, `["canary"]`, "canary",
		`{"type":"Create","id":"canary:1","actor":"` + origin + `","object":"canary"}`,
		`{"type":"Create","id":"` + origin + `/x/1","actor":"` + origin + `","object":{"type":"Note","id":"` + origin + `/statuses/1","attributedTo":"` + origin + `","to":"` + h.bob.reader.Account.URI + `","content":"canary","published":"canary"}}`,
		`{"type":"Create","id":"` + origin + `/x/2","actor":"` + origin + `","object":{"type":"Note","id":"https://nowhere.example/canary","attributedTo":"` + origin + `","to":"` + h.bob.reader.Account.URI + `","content":"canary"}}`,
	} {
		for _, change := range []func(*http.Request){nil, func(q *http.Request) { q.Header.Set("Digest", "SHA-256=AAAA") }} {
			for _, to := range []string{h.bob.in().Config.PublicURL + "/inbox", h.bob.reader.Account.InboxURI} {
				h.wanda.signed(to, body, change)
			}
		}
	}
	h.net.Settle()
}

// breaks takes tables away from under the program, and lets handlers panic.
func (h *traffic) breaks(b *browser) {
	h.Helper()
	b.do("POST", "/posts", 500, "text", "canary", "audience", "direct")
	b.do("GET", "/find", 500, "q", "canary")
	for _, p := range []*person{h.alice, h.bob} {
		driver, source := "sqlite", filepath.Join(p.in().Config.DataDir, "parley.db")
		if strings.HasPrefix(p.in().Config.Storage.URL, "postgres") {
			driver, source = "pgx", p.in().Config.Storage.URL
		}
		db, err := sql.Open(driver, source)
		h.must(err)
		for _, table := range []string{"mention", "session", "job"} {
			_, err := db.Exec("ALTER TABLE " + table + " RENAME TO " + table + "_gone")
			h.must(err)
		}
		h.must(db.Close())
		if a := p.call("POST", "/api/v1/statuses", map[string]string{"status": "canary " + h.wanda.handle(), "audience": "direct"}); a.status != 500 {
			h.Errorf("without its tables %s answers %d", p.handle(), a.status)
		}
		p.call("GET", "/api/v2/search?q=canary", nil)
		p.in().Settle(h.Context())
	}
}

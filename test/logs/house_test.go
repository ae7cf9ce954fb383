// Package logs_test reads what instances log: that nothing secret and nothing that was
// said to few stands there, and that the lines which the documents name are written as
// they say.
package logs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// house is two sisters, a with alice and b with bob, and a stranger with wanda who follows
// alice. Their logs are one.
type house struct {
	*testing.T
	net               *instancetest.Network
	log               *instancetest.Log
	post              *instancetest.MailServer
	alice, bob, wanda *person
	echo              atomic.Bool // the stranger refuses deliveries and says them back
}

// person is a member with an app, and with the key by which their server speaks for them.
type person struct {
	*house
	number int // of the instance
	reader social.Reader
	token  string
	key    httpsig.Key
}

// newHouse logs everything to a log, in a form. database is for the second sister.
func newHouse(t *testing.T, form func(*instancetest.Log) *slog.Logger, database string) *house {
	t.Helper()
	h := &house{T: t, log: &instancetest.Log{}, post: instancetest.NewMailServer(t, "127.0.0.1:0", nil, false)}
	keys := h.post.Config()
	keys["federation.mode"] = "open"
	h.net = instancetest.NewWith(t, 3, instancetest.Options{Apart: true, Log: form(h.log), Config: keys,
		Prepare: func(in *instance.Instance) { in.Server.Router.Use(h.faults) },
		Database: func(i int) string {
			if i == 1 {
				return database
			}
			return ""
		}})
	h.net.Pair(h.net.Instances[0], h.net.Instances[1])
	h.net.Settle()
	h.alice, h.bob, h.wanda = h.person(0, "alice"), h.person(1, "bob"), h.person(2, "wanda")
	for _, p := range []*person{h.bob, h.wanda} {
		a, err := p.in().Social.FindHandle(t.Context(), p.reader, strings.TrimPrefix(h.alice.handle(), "@"))
		h.must(err)
		_, err = p.in().Social.Follow(t.Context(), p.reader, a.ID, social.FollowOptions{})
		h.must(err)
	}
	h.net.Settle()
	return h
}

// faults are what no request can cause in a program without them: a handler that breaks
// with a form in its hands, and a server that says back what it was sent.
func (h *house) faults(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Break") != "":
			words := strings.Fields(r.FormValue("text") + r.Header.Get("Cookie"))
			_ = words[len(words)]
		case h.echo.Load() && r.Host == h.wanda.in().Config.Domain && strings.HasSuffix(r.URL.Path, "/inbox"):
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.Copy(w, r.Body)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (h *house) person(number int, name string) *person {
	h.Helper()
	p := &person{house: h, number: number, reader: h.net.Member(h.net.Instances[number], name)}
	p.newToken()
	h.must(p.in().DB.View(h.Context(), func(tx social.Tx) error {
		keys, err := tx.KeysOf(h.Context(), p.reader.Account.ID)
		for _, k := range keys {
			if k.Kind == "rsa" && err == nil {
				p.key.ID = k.URI
				p.key.Private, err = httpsig.ParsePrivate(k.Private)
			}
		}
		return err
	}))
	return p
}

func (p *person) newToken() {
	p.Helper()
	var err error
	p.token, err = p.in().Auth.CreateToken(p.Context(), p.reader.Account.ID, auth.NewToken{App: "test", Scopes: "read write push"})
	p.must(err)
}

// in is the person's instance as it runs now.
func (p *person) in() *instance.Instance { return p.net.Instances[p.number] }

func (p *person) handle() string { return instancetest.Handle(p.in(), p.reader) }

func (p *person) says(d social.Draft) {
	p.Helper()
	_, err := p.in().Social.Publish(context.Background(), p.reader, d)
	p.must(err)
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// answer is what a request brought.
type answer struct {
	t      *house
	status int
	header http.Header
	body   []byte
}

// into reads the JSON of an answer that has to be one.
func (a answer) into(v any) {
	a.t.Helper()
	if a.status != http.StatusOK {
		a.t.Fatalf("answered %d: %s", a.status, a.body)
	}
	a.t.must(json.Unmarshal(a.body, v))
}

func (h *house) request(method, address string, body []byte) *http.Request {
	h.Helper()
	q, err := http.NewRequestWithContext(h.Context(), method, address, bytes.NewReader(body))
	h.must(err)
	return q
}

// stay follows no redirect: where one leads is told too.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (h *house) send(c *http.Client, q *http.Request) answer {
	h.Helper()
	c.CheckRedirect = stay
	res, err := c.Do(q)
	h.must(err)
	defer res.Body.Close() //nolint:errcheck // it is read
	body, err := io.ReadAll(res.Body)
	h.must(err)
	return answer{h, res.StatusCode, res.Header, body}
}

// call is the person's app asking its own server.
func (p *person) call(method, path string, in any) answer {
	p.Helper()
	var body []byte
	if in != nil {
		var err error
		body, err = json.Marshal(in)
		p.must(err)
	}
	q := p.request(method, p.in().Config.PublicURL+path, body)
	if in != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	q.Header.Set("Authorization", "Bearer "+p.token)
	return p.send(&http.Client{}, q)
}

// signed is the person's server sending something to an address, with changes made to it
// after it was signed.
func (p *person) signed(address, body string, change func(*http.Request)) answer {
	p.Helper()
	q := p.request("POST", address, []byte(body))
	q.Header.Set("Content-Type", "application/activity+json")
	p.must(httpsig.Sign(q, []byte(body), p.key, httpsig.Cavage, time.Now()))
	if change != nil {
		change(q)
	}
	return p.send(&http.Client{}, q)
}

// fetch is the person's server asking for a document.
func (p *person) fetch(address string) answer {
	p.Helper()
	q := p.request("GET", address, nil)
	q.Header.Set("Accept", "application/activity+json")
	p.must(httpsig.Sign(q, nil, p.key, httpsig.Cavage, time.Now()))
	return p.send(&http.Client{}, q)
}

// postgres is an address of a new database with a password in it, "" where there is no
// PostgreSQL. The server for tests lets everybody in, whatever the password is.
func postgres(t *testing.T, password string) string {
	t.Helper()
	if os.Getenv("PARLEY_TEST_POSTGRES") == "" {
		return ""
	}
	u, err := url.Parse(instancetest.Postgres(t)(1))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String()
}

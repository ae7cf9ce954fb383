// Package leak_test proves that what is written for few reaches no others: not on the
// wire, not by any address that can be asked for, not by any mistake of one guard.
// docs/leaks.md says what is proved and how to run it again.
package leak_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// site is one instance of the test, by the name that the test gives it.
type site struct {
	t      testing.TB
	name   string
	in     *instance.Instance
	people map[string]*person
	street street // of all sites of the test; nil for one alone
	lock   sync.Mutex
	held   locks
}

// person is a member with an app, and with the key by which their server speaks for them.
type person struct {
	*site
	reader social.Reader
	token  string
	key    httpsig.Key
}

func newSite(t testing.TB, net *instancetest.Network, i int, name string, people ...string) *site {
	t.Helper()
	s := &site{t: t, name: name, in: net.Instances[i], people: map[string]*person{}}
	for _, p := range people {
		s.join(net, p)
	}
	return s
}

// join makes a member.
func (s *site) join(net *instancetest.Network, name string) *person {
	s.t.Helper()
	p := &person{site: s, reader: net.Member(s.in, name)}
	var err error
	if p.token, err = s.in.Auth.CreateToken(context.Background(), p.reader.Account.ID, auth.NewToken{App: "test", Scopes: "read write follow"}); err != nil {
		s.t.Fatal(err)
	}
	p.key = s.keyOf(p.reader.Account.ID)
	s.people[name] = p
	return p
}

// speaker is the instance as such, which signs what it fetches for everybody.
func (s *site) speaker() *person {
	s.t.Helper()
	a, err := s.in.Social.InstanceActor(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return &person{site: s, key: s.keyOf(a.ID)}
}

func (s *site) keyOf(account social.ID) (key httpsig.Key) {
	s.t.Helper()
	err := s.in.DB.View(context.Background(), func(tx social.Tx) error {
		keys, err := tx.KeysOf(context.Background(), account)
		for _, k := range keys {
			if k.Kind == "rsa" && err == nil {
				key.ID = k.URI
				key.Private, err = httpsig.ParsePrivate(k.Private)
			}
		}
		return err
	})
	if err != nil || key.Private == nil {
		s.t.Fatalf("no key: %v", err)
	}
	return key
}

func (s *site) host() string { return s.in.Config.Domain }

// answer is what a request brought.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("answered %d: %s", a.status, a.body)
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

// client of readers outside; it follows no redirect, since where one leads is told too.
func client() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func send(t testing.TB, q *http.Request, agent string) answer {
	t.Helper()
	q.Header.Set("User-Agent", agent)
	res, err := client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it is read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, body}
}

func request(t testing.TB, method, address string, body []byte) *http.Request {
	t.Helper()
	q, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// call is the person's app asking its own server.
func (p *person) call(method, path string, in any) answer {
	p.t.Helper()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			p.t.Fatal(err)
		}
	}
	address := path
	if strings.HasPrefix(path, "/") {
		address = p.in.Config.PublicURL + path
	}
	q := request(p.t, method, address, body)
	if in != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	q.Header.Set("Authorization", "Bearer "+p.token)
	return send(p.t, q, p.name+"'s member")
}

// fetch is the person's server asking another one in their name.
func (p *person) fetch(address string) answer {
	p.t.Helper()
	q := request(p.t, "GET", address, nil)
	q.Header.Set("Accept", "application/activity+json")
	open, err := p.signFor(q, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	a := send(p.t, q, p.host())
	if open != nil && a.header.Get("Content-Type") == seal.MediaType {
		a.body = open(a.body)
	}
	return a
}

// crawl asks without saying who it is, for a document or for a page.
func crawl(t testing.TB, address, accept string) answer {
	t.Helper()
	q := request(t, "GET", address, nil)
	q.Header.Set("Accept", accept)
	return send(t, q, "crawler")
}

const (
	documents = "application/activity+json"
	pages     = "text/html"
)

// follow lets somebody follow a member elsewhere.
func (p *person) follow(net *instancetest.Network, other *person) {
	p.t.Helper()
	ctx := context.Background()
	a, err := p.in.Social.FindHandle(ctx, p.reader, strings.TrimPrefix(instancetest.Handle(other.in, other.reader), "@"))
	if err == nil {
		_, err = p.in.Social.Follow(ctx, p.reader, a.ID, social.FollowOptions{})
	}
	if err != nil {
		p.t.Fatal(fmt.Errorf("%s at %s follows: %w", p.reader.Account.Username, p.name, err))
	}
	net.Settle()
}

package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// world is one instance with the people that the tests need.
type world struct {
	*testing.T
	in               *instance.Instance
	alice, bob, nobs *client // nobs is signed out
	setUp            sync.Once
}

func start(t *testing.T) *world {
	t.Helper()
	return people(t, instancetest.Start(t, t.TempDir(), ""))
}

func people(t *testing.T, in *instance.Instance) *world {
	t.Helper()
	w := &world{T: t, in: in}
	w.alice, w.bob, w.nobs = w.member("alice"), w.member("bob"), &client{t: t, in: in}
	return w
}

// client is somebody's app, or nobody's.
type client struct {
	t     *testing.T
	in    *instance.Instance
	id    string
	who   social.Reader
	token string
}

const all = "read write follow push profile admin:read admin:write"

// member makes a person with an app that may publish.
func (w *world) member(name string) *client {
	w.Helper()
	a, err := w.in.Social.CreateAccount(context.Background(), social.NewAccount{Username: name, DisplayName: name, Language: "de"})
	if err != nil {
		w.Fatal(err)
	}
	c := &client{t: w.T, in: w.in, id: a.ID.String(), who: social.Member(a, w.in.Social.HomeAuthority())}
	return c.app(all, true)
}

// app is another app of the same person.
func (c *client) app(scopes string, mayPublish bool) *client {
	c.t.Helper()
	bound := ""
	if !mayPublish {
		bound = "company"
	}
	token, err := c.in.Auth.CreateToken(context.Background(), c.who.Account.ID, auth.NewToken{App: "test", Scopes: scopes, Bound: bound})
	if err != nil {
		c.t.Fatal(err)
	}
	other := *c
	other.token = token
	return &other
}

// again is an app of somebody who was made before.
func (w *world) again(name string) *client {
	w.Helper()
	a, err := w.in.Social.AccountByHandle(context.Background(), w.alice.who, name)
	if err != nil {
		w.Fatal(err)
	}
	c := &client{t: w.T, in: w.in, id: a.ID.String(), who: social.Member(a, w.in.Social.HomeAuthority())}
	return c.app(all, true)
}

// answer is what came back.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   []byte
}

// form, files and JSON are the three ways in which apps write.
type form = url.Values

type files struct {
	fields form
	name   string // of the file's field
	file   string
	data   []byte
}

func (c *client) request(method, path string, body any) *http.Request {
	c.t.Helper()
	var in io.Reader
	kind := ""
	switch b := body.(type) {
	case nil:
	case form:
		in, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	case files:
		var buf bytes.Buffer
		m := multipart.NewWriter(&buf)
		for k, values := range b.fields {
			for _, v := range values {
				_ = m.WriteField(k, v)
			}
		}
		if b.name != "" {
			part, err := m.CreateFormFile(b.name, b.file)
			if err != nil {
				c.t.Fatal(err)
			}
			_, _ = part.Write(b.data)
		}
		_ = m.Close()
		in, kind = &buf, m.FormDataContentType()
	case string:
		in, kind = strings.NewReader(b), "application/json"
	default:
		text, err := json.Marshal(b)
		if err != nil {
			c.t.Fatal(err)
		}
		in, kind = bytes.NewReader(text), "application/json"
	}
	if strings.HasPrefix(path, "/") {
		path = c.in.Config.PublicURL + path
	}
	r, err := http.NewRequest(method, path, in)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r
}

func (c *client) send(r *http.Request) *answer {
	c.t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()                                                      //nolint:errcheck // only read
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") { // it has no end
		return &answer{t: c.t, what: r.Method + " " + r.URL.RequestURI(), status: res.StatusCode, header: res.Header}
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := promised().kept(r.Method, r.URL, res.StatusCode, res.Header, body); err != nil {
		c.t.Error(err)
	}
	return &answer{t: c.t, what: r.Method + " " + r.URL.RequestURI(), status: res.StatusCode, header: res.Header, body: body}
}

func (c *client) do(method, path string, body any) *answer {
	c.t.Helper()
	return c.send(c.request(method, path, body))
}

func (c *client) get(path string) *answer            { c.t.Helper(); return c.do("GET", path, nil) }
func (c *client) post(path string, body any) *answer { c.t.Helper(); return c.do("POST", path, body) }

// is demands a status.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: %d %s, want %d", a.what, a.status, a.body, status)
	}
	return a
}

type object = map[string]any

// ok reads one object.
func (a *answer) ok() object {
	a.t.Helper()
	var v object
	a.is(http.StatusOK).into(&v)
	return v
}

// list reads a list of objects.
func (a *answer) list() []object {
	a.t.Helper()
	var v []object
	a.is(http.StatusOK).into(&v)
	return v
}

func (a *answer) into(v any) {
	a.t.Helper()
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		a.t.Fatalf("%s: %v in %.300s", a.what, err, a.body)
	}
}

// refused demands an error of a status and answers its text.
func (a *answer) refused(status int) string {
	a.t.Helper()
	var v struct{ Error string }
	a.is(status).into(&v)
	if v.Error == "" {
		a.t.Errorf("%s: no error text in %s", a.what, a.body)
	}
	return v.Error
}

// links reads the Link header.
func (a *answer) links() map[string]string {
	out := map[string]string{}
	for _, part := range strings.Split(a.header.Get("Link"), ", ") {
		if to, rel, ok := strings.Cut(part, ">; rel="); ok {
			out[strings.Trim(rel, `"`)] = strings.TrimPrefix(to, "<")
		}
	}
	return out
}

// at walks into an object: "account.id", "media_attachments.0.url".
func at(v any, path string) any {
	for _, key := range strings.Split(path, ".") {
		switch in := v.(type) {
		case object:
			v = in[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func text(v any, path string) string { return fmt.Sprint(at(v, path)) }

// write publishes and answers the id.
func (c *client) write(status, audience string, more ...string) string {
	c.t.Helper()
	f := form{"status": {status}, "audience": {audience}}
	for i := 0; i+1 < len(more); i += 2 {
		f.Add(more[i], more[i+1])
	}
	return text(c.post("/api/v1/statuses", f).ok(), "id")
}

func ids(list []object) []string {
	var out []string
	for _, v := range list {
		out = append(out, text(v, "id"))
	}
	return out
}

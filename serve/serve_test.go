package serve_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/serve"
	"parley/social"
)

// server is a running one.
type server struct {
	*testing.T
	*serve.Server
	addr string
	log  *instancetest.Log
	stop func() error
}

func run(t *testing.T, o serve.Options, routes func(s *server)) *server {
	t.Helper()
	s := &server{T: t, log: &instancetest.Log{}}
	o.Listen, o.Now, o.Log = "127.0.0.1:0", time.Now, s.log.Text()
	var err error
	if s.Server, err = serve.New(o); err != nil {
		t.Fatal(err)
	}
	routes(s)
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	s.addr = addr.String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Server.Run(ctx) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = s.stop() })
	return s
}

func (s *server) get(path string) (*http.Response, string) {
	s.Helper()
	res, err := http.DefaultTransport.RoundTrip(httptest.NewRequest("GET", "http://"+s.addr+path, nil).WithContext(s.Context()))
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res, string(b)
}

// Each kind of error has its status and its text; a fault of ours has neither a
// cause nor a detail for the caller, and its cause is in the log.
func TestErrorMapping(t *testing.T) {
	const secret = "dial tcp 10.1.2.3:5432: password is hunter2"
	cause := errors.New(secret)
	cases := []struct {
		err    error
		status int
		public string
		wait   string
	}{
		{social.Errorf(social.Invalid, "too long"), 422, "too long", ""},
		{social.Errorf(social.Unauthenticated, "sign in"), 401, "sign in", ""},
		{social.Errorf(social.Forbidden, "not you"), 403, "not you", ""},
		{social.NotFoundError(), 404, "not found", ""},
		{social.Errorf(social.Conflict, "taken"), 409, "taken", ""},
		{social.Errorf(social.Gone, "deleted"), 410, "deleted", ""},
		{social.Errorf(social.TooLarge, "too big"), 413, "too big", ""},
		{&social.Error{Kind: social.Limited, Public: "slowly", RetryAfter: 1500 * time.Millisecond}, 429, "slowly", "2"},
		{social.Errorf(social.Unavailable, "full"), 503, "full", "30"},
		{&social.Error{Kind: social.Unavailable, Public: "full", RetryAfter: time.Minute, Err: cause}, 503, "full", "60"},
		{fmt.Errorf("doing this: %w", &social.Error{Kind: social.Invalid, Public: "no", Err: cause}), 422, "no", ""},
		{&social.Error{Kind: social.Internal, Public: secret, Err: cause}, 500, "something went wrong here; try again, and tell the administrator if it stays", ""},
		{cause, 500, "something went wrong here; try again, and tell the administrator if it stays", ""},
		{sql.ErrConnDone, 500, "something went wrong here; try again, and tell the administrator if it stays", ""},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), 503, "something went wrong here; try again, and tell the administrator if it stays", "30"},
	}
	for _, prefix := range []string{"/api/v1/x", "/oauth/token", "/users/1"} {
		for _, c := range cases {
			var log instancetest.Log
			w := httptest.NewRecorder()
			serve.Error(w, httptest.NewRequest("GET", prefix, nil), log.Text(), c.err)
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			public, kind := body["error"], "application/json; charset=utf-8"
			if prefix == "/users/1" {
				public, kind = body["detail"], "application/problem+json"
			}
			if w.Code != c.status || public != c.public || w.Header().Get("Retry-After") != c.wait || w.Header().Get("Content-Type") != kind || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%v at %s: %d %v %v", c.err, prefix, w.Code, w.Header(), body)
			}
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("%v is told", c.err)
			}
			if faulty := c.status >= 500; faulty != strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("%v: logged %q", c.err, log.String())
			}
		}
	}
}

func TestMiddleware(t *testing.T) {
	s := run(t, serve.Options{}, func(s *server) {
		s.Router.HandleFunc("/api/panic", func(http.ResponseWriter, *http.Request) { panic("secret state") })
		s.Router.HandleFunc("/api/late", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "begun"); panic("late") })
		s.Router.HandleFunc("/id", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, serve.RequestID(r.Context())) })
	})
	res, body := s.get("/api/panic")
	if res.StatusCode != 500 || strings.Contains(body, "secret") || !strings.Contains(body, `"error"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if !strings.Contains(s.log.String(), "secret state") || !strings.Contains(s.log.String(), "serve_test.go") {
		t.Error("the log does not say what broke and where")
	}
	late, err := http.Get("http://" + s.addr + "/api/late")
	if err == nil {
		_, err = io.ReadAll(late.Body)
		_ = late.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looks like a whole one")
	}
	res, first := s.get("/id")
	if first == "" || res.Header.Get("X-Request-Id") != first || !strings.Contains(s.log.String(), "request="+first) {
		t.Errorf("request %q, header %q", first, res.Header.Get("X-Request-Id"))
	}
	if _, second := s.get("/id"); second == first {
		t.Error("two requests have one id")
	}
	for _, path := range []string{"/id", "/none", "/api/panic"} {
		h, _ := s.get(path)
		if h.Header.Get("X-Content-Type-Options") != "nosniff" || h.Header.Get("Referrer-Policy") != "same-origin" || h.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %v", path, h.Header)
		}
	}
}

// Who never ends a request is cut off, and holds up nobody (T12).
func TestSlowRequestsAreCut(t *testing.T) {
	got := make(chan error, 10)
	s := run(t, serve.Options{HeaderTime: 200 * time.Millisecond, BodyTime: 400 * time.Millisecond}, func(s *server) {
		s.Router.HandleFunc("/read", func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			got <- err
		})
		s.Router.HandleFunc("/quick", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })
	})
	dial := func(text string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		return c
	}
	var held []net.Conn
	for _, begun := range []string{"", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"} {
		for range 20 {
			held = append(held, dial(begun))
		}
	}
	for _, c := range held { // ends when the server closes, not before
		if _, err := io.ReadAll(c); err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
			t.Fatal(err)
		}
	}
	dial("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
	if err := <-got; err == nil {
		t.Error("a body that never ends was read to its end")
	}
	// A file may take longer than a form.
	c := dial("POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 6\r\n\r\nabc")
	select {
	case err := <-got:
		t.Errorf("an upload was cut like a form: %v", err)
	case <-time.After(800 * time.Millisecond):
	}
	if _, err := io.WriteString(c, "def"); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("upload: %v", err)
	}
	if _, body := s.get("/quick"); body != "here" {
		t.Errorf("%q", body)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	s := run(t, serve.Options{}, func(*server) {})
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // only read
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n")
	for range 100 { // the server may close before all is sent
		_, _ = io.WriteString(c, "X-Filler: "+strings.Repeat("x", 1000)+"\r\n")
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil && res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d", res.StatusCode)
	}
}

// What was begun is answered, what comes after is not.
func TestGracefulStop(t *testing.T) {
	begun, goOn := make(chan bool), make(chan bool)
	s := run(t, serve.Options{}, func(s *server) {
		s.Router.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
			begun <- true
			<-goOn
			_, _ = io.WriteString(w, "whole")
		})
	})
	answer := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + s.addr + "/long")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close() //nolint:errcheck // only read
		b, _ := io.ReadAll(res.Body)
		answer <- string(b)
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	for { // until it takes no more
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			break
		}
		_ = c.Close()
		time.Sleep(time.Millisecond)
	}
	close(goOn)
	if got := <-answer; got != "whole" {
		t.Errorf("%q", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// Only what trusted proxies wrote counts (T38).
func TestClientAddress(t *testing.T) {
	for _, c := range []struct {
		remote, forwarded, want string
		proxies                 []string
	}{
		{"192.0.2.1:9", "", "192.0.2.1", nil},
		{"192.0.2.1:9", "198.51.100.7", "192.0.2.1", nil},
		{"127.0.0.1:9", "198.51.100.7", "127.0.0.1", nil},
		{"127.0.0.1:9", "198.51.100.7", "198.51.100.7", []string{"127.0.0.1"}},
		{"127.0.0.1:9", "127.0.0.1, 198.51.100.7", "198.51.100.7", []string{"127.0.0.1"}},
		{"10.0.0.2:9", "6.6.6.6, 198.51.100.7, 10.0.0.3", "198.51.100.7", []string{"10.0.0.0/8"}},
		{"10.0.0.2:9", "198.51.100.7, junk", "10.0.0.2", []string{"10.0.0.0/8"}},
		{"10.0.0.2:9", "", "10.0.0.2", []string{"10.0.0.0/8"}},
		{"[::ffff:10.0.0.2]:9", "198.51.100.7", "198.51.100.7", []string{"10.0.0.0/8"}},
		{"[fe80::1%eth0]:9", "", "fe80::1", nil},
		{"@", "198.51.100.7", "invalid IP", []string{"10.0.0.0/8"}},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		got, err := serve.ClientAddress(r, c.proxies...)
		if err != nil || got.String() != c.want {
			t.Errorf("%s behind %q: %v %v, want %s", c.remote, c.forwarded, got, err, c.want)
		}
	}
	if _, err := serve.New(serve.Options{TrustedProxies: []string{"our proxy"}, Now: time.Now, Log: slog.Default()}); err == nil || !strings.Contains(err.Error(), "our proxy") {
		t.Errorf("%v", err)
	}
}

func TestLimiter(t *testing.T) {
	now := time.Now()
	l := serve.NewLimiter[int](3, func() time.Time { return now })
	for i := range 3 {
		if left, err := l.Take(1); err != nil || left.Remaining != 2-i || left.Limit != 3 {
			t.Errorf("%+v %v", left, err)
		}
	}
	left, err := l.Take(1)
	var e *social.Error
	if !errors.As(err, &e) || e.Kind != social.Limited || e.RetryAfter != 5*time.Minute || left.Remaining != 0 {
		t.Errorf("%+v %v", left, err)
	}
	if _, err := l.Take(2); err != nil {
		t.Errorf("another key: %v", err)
	}
	now = now.Add(5 * time.Minute)
	if _, err := l.Take(1); err != nil {
		t.Errorf("a new window: %v", err)
	}
	if left, err := serve.NewLimiter[int](0, nil).Take(1); err != nil || left.Limit != 0 {
		t.Errorf("no limit: %+v %v", left, err)
	}
}

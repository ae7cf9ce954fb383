package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// redirects serves them: /to?at=URL, with the status of &status=.
func (o *outside) redirects() {
	o.mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusFound
		_, _ = fmt.Sscan(r.URL.Query().Get("status"), &status)
		if at := r.URL.Query().Get("at"); at != "" {
			w.Header().Set("Location", at)
		}
		w.WriteHeader(status)
	})
}

// B2: three hops and no more, each checked, signed and asked for like the first.
func TestRedirectsAreBounded(t *testing.T) {
	o := newOutside(t)
	for i := range 6 {
		o.mux.Handle(fmt.Sprintf("/%d", i), http.RedirectHandler(fmt.Sprintf("/%d", i-1), []int{301, 302, 303, 307, 308, 302}[i]))
	}
	var accept []string
	o.mux.HandleFunc("/-1", func(w http.ResponseWriter, r *http.Request) {
		accept = r.Header.Values("Accept")
		w.Header().Set("Content-Type", "application/activity+json")
		_, _ = w.Write([]byte("{}"))
	})
	c := o.client(t, nil)
	for start, want := range map[int]int{0: 2, 1: 3, 2: 4, 3: 4, 4: 4, 5: 4} {
		var signed []string
		res, err := c.Get(t.Context(), Document, fmt.Sprintf("https://example.com/%d", start), func(r *http.Request) error {
			signed = append(signed, r.URL.Path)
			return nil
		})
		if good := start <= 2; good && (err != nil || res.URL != "https://example.com/-1") || !good && !failedAs(err, Redirect) {
			t.Errorf("%d hops: %v %v", start+1, res, err)
		}
		if n := len(o.requests()); n != want || len(signed) != want {
			t.Errorf("%d hops: %d requests, signed %v", start+1, n, signed)
		}
	}
	if len(accept) != 1 || !strings.HasPrefix(accept[0], "application/activity+json") {
		t.Errorf("the last hop was asked for %q", accept)
	}
}

// B2: hops that are refused before anything is sent to them.
func TestHopsAreChecked(t *testing.T) {
	o := newOutside(t)
	o.redirects()
	c := o.client(t, nil)
	self := "https://example.com/to?at="
	for at, kind := range map[string]Kind{
		"http://example.com/ok": Refused, "http://127.0.0.1/": Refused, "ftp://example.com/": Refused, "javascript:alert(1)": Refused,
		"https://u:p@example.com/ok": Refused, "https://example.com:22/": Refused, "//169.254.169.254/": Refused, "": Redirect, "https://exa mple/": Redirect,
		"%zz": Redirect,
	} {
		if _, err := c.Get(t.Context(), Document, self+url.QueryEscape(at), nil); !failedAs(err, kind) {
			t.Errorf("to %q: %v", at, err)
		}
		if n := len(o.requests()); n != 1 {
			t.Errorf("to %q: %d requests", at, n)
		}
	}
	if s := o.strays(); len(s) != 0 {
		t.Errorf("opened %v", s)
	}
}

// B2: the same address again, however it is spelled, is not asked twice.
func TestRedirectToItselfIsRefused(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	for i, at := range []string{"https://example.com/0", "https://EXAMPLE.com/1", "https://example.com:443/2", "HTTPS://example.com/3#again", "/4", "",
		"//example.com/6", "https://ｅｘａｍｐｌｅ.com/7"} {
		path := fmt.Sprintf("/%d", i)
		o.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", at)
			w.WriteHeader(http.StatusFound)
		})
		if _, err := c.Get(t.Context(), Document, "https://example.com"+path, nil); !failedAs(err, Redirect) {
			t.Errorf("%q: %v", at, err)
		}
		if n := len(o.requests()); n != 1 {
			t.Errorf("%q: %d requests", at, n)
		}
	}
	o.mux.Handle("/a", http.RedirectHandler("/b", http.StatusFound))
	o.mux.Handle("/b", http.RedirectHandler("/a", http.StatusFound))
	if _, err := c.Get(t.Context(), Document, "https://example.com/a", nil); !failedAs(err, Redirect) || len(o.requests()) != 2 {
		t.Errorf("round and round: %v", err)
	}
}

// Whoever signs can refuse a hop; his error arrives as it is and nothing is sent.
func TestSignerRefusesAHop(t *testing.T) {
	o := newOutside(t)
	o.redirects()
	blocked := errors.New("blocked here")
	_, err := o.client(t, nil).Get(t.Context(), Document, "https://example.com/to?at=/ok", func(r *http.Request) error {
		if r.URL.Path == "/ok" {
			return blocked
		}
		return nil
	})
	if err != blocked || !slices.Equal(o.requests(), []string{"GET /to?at=/ok"}) {
		t.Errorf("%v", err)
	}
}

// T20: any 3xx is the answer to a delivery. The body goes nowhere else, neither to
// another host nor to another path, and not as a GET.
func TestDeliveryFollowsNoRedirect(t *testing.T) {
	o := newOutside(t)
	o.redirects()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	c := o.client(t, nil)
	for status := 300; status <= 399; status++ {
		for _, at := range []string{"/ok", "https://example.com/ok", "https://other.example.com/inbox", other.URL, "%zz", ""} {
			address := fmt.Sprintf("https://example.com/to?status=%d&at=%s", status, url.QueryEscape(at))
			res, err := c.Post(t.Context(), address, []byte("{}"), nil)
			if err != nil || res.Status != status {
				t.Errorf("%d to %q: %v %v", status, at, res, err)
			}
			if asked := o.requests(); len(asked) != 1 || !strings.HasPrefix(asked[0], "POST /to") {
				t.Errorf("%d to %q: asked %v", status, at, asked)
			}
		}
	}
	if s := o.strays(); elsewhere.Load() != 0 || len(s) != 0 {
		t.Errorf("%d requests went on, opened %v", elsewhere.Load(), s)
	}
}

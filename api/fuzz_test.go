package api

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/social"
)

var linked = regexp.MustCompile(`^<([^<>"\s]+)>; rel="(next|prev)"$`)

// FuzzCursor: whatever a client asks for is a page within bounds, and the links to
// the pages beside it lead where they say.
func FuzzCursor(f *testing.F) {
	for _, q := range []string{"max_id=115000000000000000&limit=5", "min_id=7&since_id=07", "limit=-1&max_id=-5", "limit=99999999999999999999&max_id=%31", "max_id=1&max_id=2;x", "limit=0x10&id[]=1&id[]=x"} {
		f.Add(q, "/api/v1/timelines/tag/gr%C3%BC%C3%9Fe", int64(9), int64(3))
	}
	f.Add("a=b", "/api/v1/timelines/tag/%3E%22;%20rel=next", int64(2), int64(1))
	a := New(Options{Links: social.Links{PublicURL: "https://a.test", Domain: "a.test"}})
	f.Fuzz(func(t *testing.T, query, path string, first, last int64) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "?#") || first <= 0 || last <= 0 {
			return
		}
		c := asked(u, query)
		p := c.page()
		if clamped := p.Clamp(20, 40); p.Max < 0 || p.Min < 0 || p.Since < 0 || clamped.Limit < 1 || clamped.Limit > 40 {
			t.Errorf("%q asks for %+v", query, clamped)
		}
		if ids, err := c.ids("id"); err == nil && len(ids) > 100 || err != nil && social.KindOf(err) != social.Invalid {
			t.Errorf("%q lists %d ids: %v", query, len(ids), err)
		}
		a.link(c, social.ID(first), social.ID(last), true)
		links := strings.Split(c.w.Header().Get("Link"), ", ")
		if len(links) != 2 {
			t.Fatalf("%q: %q", path, links)
		}
		for _, link := range links {
			assertLink(t, u, p, link, social.ID(first), social.ID(last))
		}
	})
}

func asked(u *url.URL, query string) *call {
	r := httptest.NewRequest("GET", "/", nil)
	at := *u
	at.RawQuery = query
	r.URL = &at
	return &call{Request: r, w: httptest.NewRecorder(), in: r.URL.Query()}
}

func assertLink(t *testing.T, u *url.URL, p social.Page, link string, first, last social.ID) {
	t.Helper()
	m := linked.FindStringSubmatch(link)
	if m == nil {
		t.Fatalf("no link: %q", link)
	}
	to, err := url.Parse(m[1])
	if err != nil || to.Host != "a.test" || to.Path != u.Path {
		t.Fatalf("%q leads from %q to %q: %v", link, u.Path, m[1], err)
	}
	want := social.Page{Limit: p.Limit, Max: last}
	if m[2] == "prev" {
		want = social.Page{Limit: p.Limit, Min: first}
	}
	if got := asked(to, to.RawQuery).page(); got != want {
		t.Errorf("%q asks for %+v, want %+v", link, got, want)
	}
}

// FuzzBody: a JSON body means what the same form means, or is refused.
func FuzzBody(f *testing.F) {
	for _, s := range []string{`{"status":"x","poll":{"options":["a","b"],"expires_in":60},"sensitive":true}`, `{"a":[[1]],"b":null,"c":1e400}`, `[]`, `null`, `{"a":{"b":{"c":["d"]}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/api/v1/statuses", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		c := &call{Request: r, w: httptest.NewRecorder()}
		if err := c.read(); err != nil {
			if social.KindOf(err) != social.Invalid {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		again, err := url.ParseQuery(c.in.Encode())
		if err != nil || again.Encode() != c.in.Encode() {
			t.Errorf("%q reads as %v, then as %v: %v", body, c.in, again, err)
		}
		c.page()
	})
}

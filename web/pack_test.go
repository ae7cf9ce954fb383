package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Pages travel packed, but not where another site made the browser ask: there the length of
// the answer would tell what it holds (BREACH).
func TestPagesArePacked(t *testing.T) {
	v, thread := busy(t)
	ask := func(site, accept, path string) (packed bool, length int, text string) {
		t.Helper()
		r, err := http.NewRequest("GET", v.in.Config.PublicURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", accept)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		res, err := v.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s %s: Vary is %q", site, path, res.Header.Values("Vary"))
		}
		if res.Header.Get("Content-Encoding") == "" {
			return false, len(b), string(b)
		}
		z, err := gzip.NewReader(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		return true, len(b), string(plain)
	}
	_, whole, _ := ask("none", "identity", thread)
	for _, one := range []struct {
		site, accept string
		packed       bool
	}{
		{"none", "gzip, br", true}, {"same-origin", "gzip", true},
		{"none", "", false}, {"none", "br;q=1, gzip;q=0", false},
		{"cross-site", "gzip", false}, {"same-site", "gzip", false}, {"", "gzip", false},
	} {
		packed, length, text := ask(one.site, one.accept, thread)
		if packed != one.packed || packed && length > whole/4 || !strings.Contains(text, "Answer 19") || !strings.HasSuffix(strings.TrimSpace(text), "</html>") {
			t.Errorf("asked from %q taking %q: packed %v, %d of %d bytes", one.site, one.accept, packed, length, whole)
		}
	}
	v.client.Jar = nil // nobody is signed in: nothing in the answer is for one person
	if packed, _, _ := ask("", "gzip", "/sign-in"); !packed {
		t.Error("what holds nobody's secrets was not packed")
	}
}

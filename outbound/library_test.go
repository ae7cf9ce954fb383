package outbound

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A library's client reaches one server, through the same guards, and follows nothing.
func TestLibraryReachesOneServer(t *testing.T) {
	o := newOutside(t)
	o.redirects()
	o.mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 3<<20))
	})
	c := o.client(t, nil).Library("https://example.com/dir")
	res, err := c.Get("https://example.com/to?status=302&at=https://other.example/")
	if err != nil || res.StatusCode != 302 {
		t.Errorf("%v %v", res, err)
	}
	if n := len(o.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
	if res, err = c.Get("https://example.com/long"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(res.Body); err != nil || len(b) != libraryBytes {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	o.requests() // the two above
	for _, at := range []string{"https://other.example/", "http://example.com/", "https://example.com:444/"} {
		if _, err := c.Get(at); !failedAs(err, Refused) {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, inner := range []string{"https://169.254.169.254/", "https://127.0.0.1/", "https://localhost/", "::"} {
		if _, err := o.client(t, nil).Library(inner).Get(inner); err == nil {
			t.Errorf("%s was reached", inner)
		}
	}
	if n := len(o.requests()); n != 0 {
		t.Errorf("%d requests that nobody may see", n)
	}
}

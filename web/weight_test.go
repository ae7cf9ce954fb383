package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// What a page costs on the wire with all that it loads, but for photos.
func TestPagesAreLight(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice := net.Member(in, "alice")
	if err := in.Social.FinishSetUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		text := fmt.Sprintf("%d: %s", i, strings.Repeat("a text as people write it, ", 10))
		if _, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: text, Audience: "company"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, one := range []struct {
		v    *visitor
		path string
		most int
	}{{newVisitor(t, in, "de"), "/sign-in", 30 << 10}, {newVisitor(t, in, "de").as(alice), "/", 100 << 10}} {
		d := one.v.get(one.path, 200)
		html := one.v.weigh(one.path)
		all, requests := html, 1
		for _, n := range d.elements {
			address := attr(n, "src")
			if n.Data == "link" {
				address = attr(n, "href")
			}
			if n.Data == "script" {
				t.Errorf("%s: a script", one.path)
			}
			if address != "" && !strings.HasPrefix(address, "/media/") {
				size := one.v.weigh(address)
				if strings.HasSuffix(address, ".css") && (size > 15<<10 || size < 1000) {
					t.Errorf("%s: %d bytes", address, size)
				}
				all, requests = all+size, requests+1
			}
		}
		t.Logf("%s: %d bytes of HTML, %d in %d requests", one.path, html, all, requests)
		if all > one.most || requests > 12 || requests < 2 {
			t.Errorf("%s weighs %d bytes in %d requests, at most %d and 12", one.path, all, requests, one.most)
		}
		if one.path == "/" && strings.Count(d.raw, "<article") != 20 {
			t.Errorf("%d posts on the page", strings.Count(d.raw, "<article"))
		}
	}
}

// weigh counts an answer's bytes as they come over the line, compressed or not.
func (v *visitor) weigh(path string) int {
	v.Helper()
	req, err := http.NewRequest("GET", v.in.Config.PublicURL+path, nil)
	if err != nil {
		v.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip") // so that the client does not unpack it
	req.Header.Set("Accept", "text/html")
	res, err := v.client.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		v.Fatal(path, res.StatusCode, err)
	}
	return int(n)
}

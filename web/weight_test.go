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
		v             *visitor
		path          string
		most, scripts int
	}{{newVisitor(t, in, "de"), "/sign-in", 30 << 10, 5 << 10}, {newVisitor(t, in, "de").as(alice), "/", 100 << 10, 40 << 10}} {
		d := one.v.get(one.path, 200)
		html := one.v.weigh(one.path)
		all, requests, scripts := html, 1, 0
		for _, address := range d.loads() {
			size := one.v.weigh(address)
			if strings.HasSuffix(address, ".css") && (size > 15<<10 || size < 1000) {
				t.Errorf("%s: %d bytes", address, size)
			}
			if strings.HasSuffix(address, ".js") {
				scripts += size
			}
			all, requests = all+size, requests+1
		}
		if scripts > one.scripts {
			t.Errorf("%s: %d bytes of scripts, at most %d", one.path, scripts, one.scripts)
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

// loads lists what a browser fetches for a page, but for photos: each once.
func (d *doc) loads() (list []string) {
	d.Helper()
	seen := map[string]bool{}
	add := func(address string) {
		address, _, _ = strings.Cut(address, "#")
		if address == "" || seen[address] || strings.HasPrefix(address, "/media/") {
			return
		}
		seen[address] = true
		list = append(list, address)
	}
	for _, n := range d.elements {
		switch {
		case n.Data == "link" && attr(n, "rel") != "apple-touch-icon" && attr(n, "rel") != "alternate" && attr(n, "rel") != "canonical":
			add(attr(n, "href"))
		case n.Data == "use":
			add(attr(n, "href"))
		default:
			add(attr(n, "src"))
		}
	}
	return list
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
	req.Header.Set("Sec-Fetch-Site", "same-origin") // as browsers say it
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

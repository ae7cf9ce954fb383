package outbound

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// answer serves a body under a path.
func (o *outside) answer(path string, header map[string]string, status int, body []byte) {
	o.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range header {
			w.Header()[k] = strings.Split(v, "|")
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A4: what is served as anything but a document is none, whatever it holds.
func TestOnlyDocumentsAreDocuments(t *testing.T) {
	const as = `"https://www.w3.org/ns/activitystreams"`
	o := newOutside(t)
	c := o.client(t, nil)
	for kind, want := range map[string]string{ // what a fetch for the purposes accepts it: d, w
		"application/activity+json":                                                 "d",
		"Application/Activity+JSON; charset=utf-8":                                  "d",
		"application/ld+json; profile=" + as:                                        "d",
		"application/ld+json;charset=utf-8;profile=" + as:                           "d",
		`application/ld+json; profile="https://example.com/p ` + as[1:]:             "d",
		"application/jrd+json":                                                      "w",
		"application/json":                                                          "w",
		"application/json; charset=utf-8":                                           "w",
		"application/ld+json":                                                       "",
		`application/ld+json; profile="https://www.w3.org/ns/activitystreams.evil"`: "",
		`application/ld+json; profile="https://evil/?` + as[1:]:                     "",
		"application/activity+json, text/html":                                      "",
		"application/activity+json|text/html":                                       "", // two headers
		"application/activity+json|application/activity+json":                       "",
		"application/activity+jsonx":                                                "",
		"text/html":                                                                 "",
		"text/html; x=application/activity+json":                                    "",
		"text/plain":                                                                "",
		"image/png":                                                                 "",
		"image/svg+xml":                                                             "",
		"multipart/form-data":                                                       "",
		"application/octet-stream":                                                  "",
		"application/xml":                                                           "",
		"*/*":                                                                       "",
		";":                                                                         "",
		"":                                                                          "",
	} {
		path := "/" + strings.NewReplacer("/", "-", " ", "_", "?", "!", "*", "x", ";", ",", "\"", "'", "|", "I").Replace(kind) + "x"
		o.answer(path, map[string]string{"Content-Type": kind}, http.StatusOK, []byte("{}"))
		for p, name := range map[Purpose]string{Document: "d", WebFinger: "w"} {
			res, err := c.Get(t.Context(), p, "https://example.com"+path, nil)
			if good := want == name; good && (err != nil || string(res.Body) != "{}") || !good && !failedAs(err, BadType) {
				t.Errorf("%q for %s: %v %v", kind, name, res, err)
			}
		}
	}
}

// A4: a file of a post is a picture or a document; nothing that a browser would run,
// and no document of ActivityPub.
func TestOnlyFilesAreFiles(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	for i, kind := range append(slices.Clone(files()), "text/plain; charset=utf-8", "Image/PNG") {
		path := fmt.Sprintf("/good%d", i)
		o.answer(path, map[string]string{"Content-Type": kind}, http.StatusOK, []byte("x"))
		if _, err := c.Get(t.Context(), Media, "https://example.com"+path, nil); err != nil {
			t.Errorf("%q: %v", kind, err)
		}
	}
	for i, kind := range []string{"", "text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml", "text/css", "text/javascript",
		"application/javascript", "application/json", "application/activity+json", "application/ld+json", "application/octet-stream", "multipart/x-mixed-replace",
		"image/*", "image/png, text/html", "image/png|text/html", "video/mp4", "audio/mpeg"} {
		path := fmt.Sprintf("/bad%d", i)
		o.answer(path, map[string]string{"Content-Type": kind}, http.StatusOK, []byte("x"))
		if _, err := c.Get(t.Context(), Media, "https://example.com"+path, nil); !failedAs(err, BadType) {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

// A file is where its post says: no redirect is followed, not even on the same server.
func TestFilesAreNotRedirected(t *testing.T) {
	o := newOutside(t)
	o.redirects()
	c := o.client(t, nil)
	for _, to := range []string{"https://example.com/ok", "/ok", "https://127.0.0.1/ok"} {
		if _, err := c.Get(t.Context(), Media, "https://example.com/to?at="+url.QueryEscape(to), nil); !failedAs(err, Redirect) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if n := len(o.requests()); n != 3 || len(o.strays()) != 0 {
		t.Errorf("%d requests, opened %v", n, o.strays())
	}
}

// C1: the cap counts decoded bytes and the last allowed one still fits.
func TestSizesAreCapped(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	kinds := map[Purpose]string{Document: "application/activity+json", WebFinger: "application/jrd+json", Media: "image/png"}
	for p, kind := range kinds {
		most := int(p.rules().bytes)
		for _, size := range []int{0, most, most + 1, min(3*most, most+4<<20)} {
			body := bytes.Repeat([]byte{' '}, size)
			packed := zipped(t, body)
			for encoding, wire := range map[string][]byte{"": body, "gzip": packed, "X-GZIP": packed} {
				path := strings.ReplaceAll("/"+kind+encoding+strings.Repeat("x", size%97), "/", "-")
				header := map[string]string{"Content-Type": kind}
				if encoding != "" {
					header["Content-Encoding"] = encoding
				}
				o.answer("/"+path, header, http.StatusOK, wire)
				res, err := c.Get(t.Context(), p, "https://example.com/"+path, nil)
				if good := size <= most; good && (err != nil || len(res.Body) != size) || !good && !failedAs(err, TooLarge) {
					t.Errorf("%s %q %d bytes: %v", kind, encoding, size, err)
				}
			}
		}
	}
}

// C1: 100 MiB of zeros in 99 KiB, members without end that hold nothing, and what
// is not gzip although it says so.
func TestBombsAreRefused(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	good := zipped(t, []byte("{}"))
	broken := bytes.Clone(good)
	broken[len(broken)-8] ^= 1 // the checksum
	for path, one := range map[string]struct {
		encoding string
		body     []byte
		kind     Kind
	}{
		"/bomb":     {"gzip", zipped(t, make([]byte, 100<<20)), TooLarge},
		"/members":  {"gzip", bytes.Repeat(zipped(t, nil), 100_000), TooLarge},
		"/text":     {"gzip", []byte(strings.Repeat("not gzip", 10)), BadType},
		"/checksum": {"gzip", broken, BadType},
		"/br":       {"br", good, BadType},
		"/deflate":  {"deflate", good, BadType},
		"/zstd":     {"zstd", good, BadType},
		"/twice":    {"gzip, gzip", zipped(t, good), BadType},
		"/two":      {"gzip|gzip", zipped(t, good), BadType},
		"/cut":      {"gzip", good[:len(good)-4], Unreachable},
	} {
		o.answer(path, map[string]string{"Content-Type": "application/activity+json", "Content-Encoding": one.encoding}, http.StatusOK, one.body)
		if _, err := c.Get(t.Context(), Document, "https://example.com"+path, nil); !failedAs(err, one.kind) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The status of a delivery or of a failed fetch counts, whatever is wrong with the
// rest of the answer.
func TestStatusCountsWhateverTheBody(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	for path, one := range map[string]struct {
		encoding string
		body     []byte
		read     int
	}{
		"/large": {"", make([]byte, 5<<20), glanceBytes},
		"/bomb":  {"gzip", zipped(t, make([]byte, 5<<20)), glanceBytes},
		"/br":    {"br", []byte("x"), 0},
		"/text":  {"gzip", []byte(strings.Repeat("not gzip", 10)), 0},
		"/short": {"gzip", zipped(t, []byte("because")), 7},
	} {
		for _, status := range []int{200, 202, 404, 410, 500} {
			path := fmt.Sprint(path, status)
			o.answer(path, map[string]string{"Content-Type": "text/html", "Content-Encoding": one.encoding}, status, one.body)
			res, err := c.Post(t.Context(), "https://example.com"+path, nil, nil)
			if err != nil || res.Status != status || len(res.Body) != one.read {
				t.Errorf("delivery to %s: %v", path, err)
			}
			if status == http.StatusOK {
				continue // here the body of a document is what counts
			}
			res, err = c.Get(t.Context(), Document, "https://example.com"+path, nil)
			if err != nil || res.Status != status || len(res.Body) != one.read {
				t.Errorf("fetch of %s: %v", path, err)
			}
		}
	}
	o.answer("/none", map[string]string{"Content-Encoding": "gzip"}, http.StatusNoContent, nil)
	if res, err := c.Post(t.Context(), "https://example.com/none", nil, nil); err != nil || res.Status != http.StatusNoContent {
		t.Errorf("%v %v", res, err)
	}
}

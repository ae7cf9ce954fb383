package outbound

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// Purpose of a request decides its bounds.
type Purpose int

const (
	Document  Purpose = iota // an ActivityStreams document: 1 MiB, its media types only (A4)
	WebFinger                // a JRD (RFC 7033): 256 KiB
	Deliver                  // POST to an inbox
	Media                    // a file of a post: 40 MiB, pictures and documents only, never by a redirect
)

// sealedType is an answer that a paired instance closed for us, of whatever kind
// inside; what is in there has its kind checked by whoever opens it. It is longer by
// less than sealedMore.
const (
	sealedType = "application/vnd.parley.sealed"
	sealedMore = 1 << 10
)

// activityStreams is the profile that makes application/ld+json an ActivityStreams
// document (AS2 8.1).
const activityStreams = "https://www.w3.org/ns/activitystreams"

// glanceBytes is how much of an answer is read whose status alone counts.
const glanceBytes = 64 << 10

// rules of a GET's purpose. application/ld+json always needs the profile.
type rules struct {
	bytes  int64
	accept string
	types  []string
}

func (p Purpose) rules() rules {
	switch p {
	case Document:
		return rules{1 << 20, `application/activity+json, application/ld+json; profile="` + activityStreams + `"`,
			[]string{"application/activity+json", "application/ld+json"}}
	case WebFinger:
		return rules{256 << 10, "application/jrd+json, application/json", []string{"application/jrd+json", "application/json"}}
	case Media:
		return rules{40 << 20, strings.Join(files(), ", "), files()}
	}
	return rules{} // nothing is asked for and nothing accepted
}

// most is how long an answer may be.
func (r rules) most(h http.Header) int64 {
	if h.Get("Content-Type") == sealedType {
		return r.bytes + sealedMore
	}
	return r.bytes
}

// files are the media types that a post's file may have: pictures that every browser
// shows without running anything, and documents that are only ever downloaded (A4).
func files() []string {
	return []string{"image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf", "application/zip", "text/plain",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation",
		"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.oasis.opendocument.presentation"}
}

// typed passes a 200 only if it is what it was asked to be.
func (c *Client) typed(p Purpose, res *Response) (*Response, error) {
	if res.Status != http.StatusOK {
		return res, nil
	}
	values := res.Header.Values("Content-Type")
	if len(values) == 1 {
		kind, params, err := mime.ParseMediaType(values[0])
		if err == nil && (kind == sealedType || slices.Contains(p.rules().types, kind)) &&
			(kind != "application/ld+json" || slices.Contains(strings.Fields(params["profile"]), activityStreams)) {
			return res, nil
		}
	}
	return nil, c.failed(BadType, "%.200s answers %.100q, not the kind of document asked for", res.URL, values)
}

// whole reads a body that must end within most decoded bytes.
func (c *Client) whole(res *http.Response, most int64) ([]byte, error) {
	host := res.Request.URL.Host
	raw := bounded(res, most)
	r, ok := decoded(res, raw)
	if !ok {
		return nil, c.failed(BadType, "%s encodes its answer as %.100q", host, res.Header.Values("Content-Encoding"))
	}
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case int64(len(body)) > most || raw.N <= 0:
		return nil, c.failed(TooLarge, "the answer of %s is larger than %d bytes", host, most)
	case notGzip(err):
		return nil, c.failed(BadType, "the answer of %s is not gzip as it says", host)
	case err != nil:
		return nil, unreachable(fmt.Errorf("read the answer of %s: %w", host, err))
	}
	return body, nil
}

// glance reads what can be had of an answer whose status alone counts: it only
// explains, so nothing wrong with it turns an accepted delivery into a failed one
// or a missing document into a server that does not answer. cut says that it broke off.
func (c *Client) glance(res *http.Response) (body []byte, cut bool) {
	r, ok := decoded(res, bounded(res, glanceBytes))
	if !ok {
		return nil, false
	}
	body, err := io.ReadAll(io.LimitReader(r, glanceBytes))
	if err != nil {
		c.o.Log.Debug("an answer broke off", "peer", res.Request.URL.Host, "error", err)
	}
	return body, err != nil && !notGzip(err)
}

// bounded bounds what is read from the wire as well: a stream of empty gzip members
// decodes to nothing for ever. gzip makes the worst of bodies larger by less than
// the 64 KiB it gets.
func bounded(res *http.Response, most int64) *io.LimitedReader {
	return &io.LimitedReader{R: res.Body, N: most + 64<<10}
}

// decoded undoes gzip; no other encoding was asked for and none is ok.
func decoded(res *http.Response, raw io.Reader) (io.Reader, bool) {
	switch strings.ToLower(strings.Join(res.Header.Values("Content-Encoding"), ",")) {
	case "", "identity":
		return raw, true
	case "gzip", "x-gzip":
		return &gunzip{raw: raw}, true
	}
	return nil, false
}

func notGzip(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt)
}

// gunzip reads the header with the first byte asked for, so that an empty body,
// as of a 204, is no error.
type gunzip struct {
	raw io.Reader
	z   *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.raw)
		if err != nil {
			return 0, err
		}
		g.z = z
	}
	return g.z.Read(p)
}

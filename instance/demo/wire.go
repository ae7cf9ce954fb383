package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	wireRows = 100
	wireBody = 256 << 10
)

// wire remembers the deliveries that a server was sent, newest last.
type wire struct {
	mu   sync.Mutex
	rows []wireRow
}

// wireRow is one delivery as it came over the line.
type wireRow struct {
	At    time.Time
	From  string // the server that signed it
	Bytes int
	What  string // type and text, or that it is sealed
}

var (
	signer = regexp.MustCompile(`keyid="https?://([^/"]+)`)
	tags   = regexp.MustCompile(`<[^>]*>`)
)

// watch notes deliveries on their way to the inbox.
func (w *wire) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/inbox") {
			next.ServeHTTP(rw, r)
			return
		}
		var seen bytes.Buffer
		count := &counter{to: &seen}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, count), r.Body}
		next.ServeHTTP(rw, r)
		row := wireRow{At: time.Now(), Bytes: count.n, What: what(r.Header.Get("Content-Type"), seen.Bytes())}
		if m := signer.FindStringSubmatch(strings.ToLower(r.Header.Get("Signature-Input") + r.Header.Get("Signature"))); m != nil {
			row.From = m[1]
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.rows = append(w.rows, row); len(w.rows) > wireRows {
			w.rows = w.rows[1:]
		}
	})
}

// since lists what came after a moment.
func (w *wire) since(t time.Time) []wireRow {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []wireRow
	for _, r := range w.rows {
		if r.At.After(t) {
			out = append(out, r)
		}
	}
	return out
}

// counter counts all bytes and keeps the first.
type counter struct {
	to *bytes.Buffer
	n  int
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += len(b)
	if room := wireBody - c.to.Len(); room > 0 {
		c.to.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}

// what says in one line what a delivery holds.
func what(contentType string, body []byte) string {
	if strings.Contains(contentType, "sealed") {
		return "sealed"
	}
	var o struct {
		Type   string
		Object json.RawMessage
	}
	if json.Unmarshal(body, &o) != nil {
		return "?"
	}
	var inner struct{ Content string }
	_ = json.Unmarshal(o.Object, &inner) // an object may be a mere address
	text := []rune(strings.TrimSpace(tags.ReplaceAllString(inner.Content, " ")))
	if len(text) > 60 {
		text = append(text[:60], '…')
	}
	return strings.TrimSpace(o.Type + " " + string(text))
}

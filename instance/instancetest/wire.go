package instancetest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"parley/activitypub"
)

// Exchange is one request with its answer, as they were on the wire. Who asked is told
// by the User-Agent: an instance names its address there, whoever else reads in a test
// puts a name of its own.
type Exchange struct {
	From, To string // authority of an instance, or a name
	Method   string
	Target   string // path and query
	Header   http.Header
	Sent     []byte // the request's body: To has it
	Status   int
	Answered http.Header
	Answer   []byte // the response's body: From has it
}

// Request is all that the one who was asked got.
func (e *Exchange) Request() []byte { return whole(e.Method+" "+e.Target, e.Header, e.Sent) }

// Response is all that the one who asked got.
func (e *Exchange) Response() []byte { return whole(fmt.Sprint(e.Status), e.Answered, e.Answer) }

func whole(line string, h http.Header, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString(line + "\r\n")
	_ = h.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// Wire records every byte that passes between instances and those who read them.
type Wire struct {
	// Open opens what is sealed, where the test has the keys; nil leaves it as it passed.
	Open func(*Exchange)
	// Look is called with each exchange once it is over; nil keeps them all for Seen.
	Look func(*Exchange)

	mu   sync.Mutex
	kept []*Exchange
}

// Seen is everything that a receiver was sent or fetched, in order.
func (w *Wire) Seen(receiver string) []byte {
	var out []byte
	for _, e := range w.All() {
		if e.To == receiver {
			out = append(out, e.Request()...)
		}
		if e.From == receiver {
			out = append(out, e.Response()...)
		}
	}
	return out
}

// All lists what was recorded, in the order in which it ended.
func (w *Wire) All() []*Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.kept)
}

// Around records what passes a handler; the authority is that of its server.
func (w *Wire) Around(authority string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			e := &Exchange{From: agent(r), To: authority, Method: r.Method, Target: r.RequestURI, Header: r.Header.Clone()}
			body := &tee{ReadCloser: r.Body}
			r.Body = body
			t := &tap{ResponseWriter: rw}
			defer func() {
				e.Sent, e.Status, e.Answered, e.Answer = body.read.Bytes(), t.status, rw.Header().Clone(), t.body.Bytes()
				w.take(e)
			}()
			next.ServeHTTP(t, r)
		})
	}
}

func (w *Wire) take(e *Exchange) {
	if w.Open != nil {
		w.Open(e)
	}
	if w.Look != nil {
		w.Look(e)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = append(w.kept, e)
}

// agent names who asks: "Parley/1.0 (https://a.test)" is a.test.
func agent(r *http.Request) string {
	if _, address, ok := strings.Cut(r.UserAgent(), " ("); ok && strings.HasPrefix(r.UserAgent(), "Parley/") {
		if authority, err := activitypub.Authority(strings.TrimSuffix(address, ")")); err == nil {
			return authority
		}
	}
	return r.UserAgent()
}

// tee keeps what is read of a body; what nobody reads, nobody has.
type tee struct {
	io.ReadCloser
	read bytes.Buffer
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.read.Write(p[:n])
	return n, err
}

// tap keeps what is written of an answer.
type tap struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (t *tap) WriteHeader(status int) {
	if t.status == 0 {
		t.status = status
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *tap) Write(p []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	t.body.Write(p)
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (t *tap) Unwrap() http.ResponseWriter { return t.ResponseWriter }

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/auth"
	"parley/instance"
	"parley/social"
)

// stopTime is what a stop may take, whatever goes on.
const stopTime = 10 * time.Second

// hung is a fan-out to many hosts of which one takes every connection and, while it
// hangs, answers nobody.
type hung struct {
	fanOut
	hangs atomic.Bool
	asked chan bool // once it was

	mu   sync.Mutex
	host string
}

// ServeHTTP lets the first host that is asked hang.
func (h *hung) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	if h.host == "" {
		h.host = r.Host
		close(h.asked)
	}
	hangs := h.host == r.Host && h.hangs.Load()
	h.mu.Unlock()
	if hangs {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server hears of the end of the connection
		<-r.Context().Done()
		return
	}
	h.fanOut.ServeHTTP(w, r)
}

// busy is what goes on at a server when it is told to stop.
type busy struct {
	c     *child
	token string
	over  atomic.Bool // errors count no longer
	wg    sync.WaitGroup
	mu    sync.Mutex
	acked []string
}

func (b *busy) do(method, path, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequest(method, b.c.url()+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Content-Type", kind)
	return http.DefaultClient.Do(r)
}

// again does something until it is over.
func (b *busy) again(once func() error) {
	b.wg.Go(func() {
		for !b.over.Load() {
			if err := once(); err != nil && !b.over.Load() {
				b.c.t.Error(err)
				return
			}
		}
	})
}

func (b *busy) write() error {
	res, err := b.do("POST", "/api/v1/statuses", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"status": {"said in time"}}.Encode()))
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // only read
	var said struct{ URI string }
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d: %w", res.StatusCode, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acked = append(b.acked, said.URI)
	return nil
}

func (b *busy) read() error {
	res, err := b.do("GET", "/api/v1/timelines/home", "", nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}

// listen opens a stream, and answers when it runs.
func (b *busy) listen() {
	b.c.t.Helper()
	res, err := b.do("GET", "/api/v1/streaming/user", "", nil)
	if err != nil || res.StatusCode != http.StatusOK {
		b.c.t.Fatalf("%v %v", res, err)
	}
	b.wg.Go(func() {
		_, _ = io.Copy(io.Discard, res.Body) // it ends with the server, somehow
		_ = res.Body.Close()
	})
}

// upload sends a file whose end comes when it is told so, and answers when the server
// reads it.
func (b *busy) upload() (end func()) {
	from, to := io.Pipe()
	form := multipart.NewWriter(to)
	b.wg.Go(func() {
		if res, err := b.do("POST", "/api/v2/media", form.FormDataContentType(), from); err == nil {
			_ = res.Body.Close()
		}
		_ = from.Close() // whoever writes on is told
	})
	file, err := form.CreateFormFile("file", "endless.png")
	for range 32 { // more than lies about on the way
		if err == nil {
			_, err = file.Write(make([]byte, 256<<10))
		}
	}
	if err != nil {
		b.c.t.Error(err)
	}
	return func() { _ = to.Close() }
}

// Told to stop in the middle of everything, with a stream, an upload without an end and
// a peer that does not answer, the server ends in time and with 0. What it took is
// there, and what was not delivered goes on at the next start, once.
func TestStopUnderLoad(t *testing.T) {
	const hosts, followers = 20, 10
	h := &hung{fanOut: fanOut{got: map[string]map[string]int{}}, asked: make(chan bool)}
	h.hangs.Store(true)
	c := newChild(t)
	b := &busy{c: c}
	c.open(func(in *instance.Instance) {
		publishTo(t, in, h, hosts, followers)
		bob, err := in.Social.CreateAccount(t.Context(), social.NewAccount{Username: "bob"})
		if err != nil {
			t.Fatal(err)
		}
		if b.token, err = in.Auth.CreateToken(t.Context(), bob.ID, auth.NewToken{Scopes: "read write", App: "test"}); err != nil {
			t.Fatal(err)
		}
	})
	c.start()
	b.listen()
	endUpload := b.upload()
	defer endUpload()
	for range 3 {
		b.again(b.write)
		b.again(b.read)
	}
	<-h.asked
	c.wait("some deliveries and posts", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return h.inboxes() >= hosts && len(b.acked) >= 10
	})
	began := time.Now()
	b.over.Store(true)
	if err := c.end(syscall.SIGTERM); err != nil {
		t.Errorf("it ended with %v", err)
	}
	took := time.Since(began)
	if took > stopTime {
		t.Errorf("the stop took %s", took)
	}
	endUpload()
	b.wg.Wait()

	h.hangs.Store(false)
	c.start()
	c.wait("all inboxes to be served", func() bool { return h.inboxes() == hosts*followers })
	if err := c.end(syscall.SIGTERM); err != nil {
		t.Errorf("it ended with %v", err)
	}
	for inbox := range h.got {
		if n := h.times(inbox); n != 1 {
			t.Errorf("%s was served %d times", inbox, n)
		}
	}
	c.open(func(in *instance.Instance) {
		if err := in.DB.View(context.Background(), func(tx social.Tx) error {
			found, err := tx.PostsByURI(context.Background(), b.acked)
			if len(found) != len(b.acked) {
				t.Errorf("%d of %d posts are there", len(found), len(b.acked))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("stopped within %s; %d posts were taken", took.Round(time.Millisecond), len(b.acked))
}

package outbound

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowly answers requests on a connection with what write sends. Time is that of a
// bubble: it passes at once while everybody waits, so that bounds of half a minute
// are measured exactly and the speed of the machine decides nothing.
func slowly(t *testing.T, sent *atomic.Int64, write func(c io.Writer) error) *Client {
	t.Helper()
	c, err := New(Options{PlainHTTP: true, AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer there.Close() //nolint:errcheck // a pipe
				r := bufio.NewReader(there)
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, req.Body); err != nil || write(counter{there, sent}) != nil {
						return
					}
				}
			}()
			return here, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		time.Sleep(2 * time.Hour) // until the peer notices
	})
	return c
}

type counter struct {
	io.Writer
	n *atomic.Int64
}

func (c counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(int64(n))
	return n, err
}

const (
	okHead    = "HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\n"
	plainHead = okHead + "\r\n"
	chunkHead = okHead + "Transfer-Encoding: chunked\r\n\r\n"
	zipHead   = okHead + "Content-Encoding: gzip\r\n\r\n"
)

// endless sends head and then the same again and again.
func endless(head, again string, every time.Duration) func(io.Writer) error {
	return func(c io.Writer) error {
		_, err := io.WriteString(c, head)
		for err == nil {
			time.Sleep(every)
			_, err = io.WriteString(c, again)
		}
		return err
	}
}

// C1: peers that drip are cut by the time of the whole request, not by that of an
// operation, which each of them keeps.
func TestSlowPeersAreCut(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"silence":             endless("", "", time.Hour),
		"1 byte/s of header":  endless("HTTP/1.1 200 OK\r\nX: ", "x", time.Second),
		"1 header/s":          endless("HTTP/1.1 200 OK\r\n", "X: y\r\n", time.Second),
		"1 early hint/s":      endless("", "HTTP/1.1 103 Early Hints\r\n\r\n", 8*time.Second),
		"1 byte/s of body":    endless(plainHead, "x", time.Second),
		"1 chunk/s":           endless(chunkHead, "1\r\nx\r\n", time.Second),
		"1 byte/s of a chunk": endless(chunkHead+"ffff\r\n", "x", time.Second),
		"1 byte/s of length":  endless(okHead+"Content-Length: 1000\r\n\r\n", "x", time.Second),
		"gzip, 1 byte/s":      endless(zipHead+"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "\x00\x00\x00\xff\xff", time.Second),
		"redirects of 9 s":    redirecting(9 * time.Second),
	} {
		synctest.Test(t, func(t *testing.T) {
			var sent atomic.Int64
			c := slowly(t, &sent, write)
			begin := time.Now()
			_, err := c.Get(t.Context(), Document, "http://127.0.0.1/a", nil)
			if took := time.Since(begin); !failedAs(err, Timeout) || took != totalTime {
				t.Errorf("%s: %v after %v", name, err, took)
			}
		})
	}
}

// redirecting leads to ever another path after a while, four times.
func redirecting(after time.Duration) func(io.Writer) error {
	path := "/b"
	return func(c io.Writer) error {
		time.Sleep(after)
		path += "a"
		_, err := io.WriteString(c, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "+path+"\r\n\r\n")
		return err
	}
}

// C1: peers that never end are cut by size, at once and with little read.
func TestEndlessAnswersAreCut(t *testing.T) {
	kib := strings.Repeat("x", 1024)
	for name, one := range map[string]struct {
		write func(io.Writer) error
		kind  Kind
		most  int64
	}{
		"one header":  {endless("HTTP/1.1 200 OK\r\nX: ", kib, 0), Unreachable, maxHeaderBytes},
		"headers":     {endless("HTTP/1.1 200 OK\r\n", "X: y\r\n", 0), Unreachable, maxHeaderBytes},
		"status line": {endless("HTTP/1.1 200 ", kib, 0), Unreachable, maxHeaderBytes},
		"early hints": {endless("", "HTTP/1.1 103 Early Hints\r\nX: "+kib+"\r\n\r\n", 0), Unreachable, maxHeaderBytes},
		"body":        {endless(plainHead, kib, 0), TooLarge, 1<<20 + 64<<10},
		"chunks":      {endless(chunkHead, "400\r\n"+kib+"\r\n", 0), TooLarge, 1<<20 + 64<<10},
		"tiny chunks": {endless(chunkHead, "1\r\nx\r\n", 0), TooLarge, 6 << 20}, // six bytes on the wire for one
		"extensions":  {endless(chunkHead, "1;"+kib+"\r\nx\r\n", 0), Unreachable, 1<<20 + 64<<10},
		"members":     {endless(zipHead, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", 0), TooLarge, 1<<20 + 64<<10},
	} {
		synctest.Test(t, func(t *testing.T) {
			var sent atomic.Int64
			c := slowly(t, &sent, one.write)
			begin := time.Now()
			_, err := c.Get(t.Context(), Document, "http://127.0.0.1/", nil)
			if took := time.Since(begin); !failedAs(err, one.kind) || took != 0 {
				t.Errorf("%s: %v after %v", name, err, took)
			}
			if n := sent.Load(); n > one.most+8<<10 { // the transport's buffers
				t.Errorf("%s: %d bytes were read", name, n)
			}
		})
	}
}

// C1: once the status of a delivery is known the rest has two seconds, and what it
// is does not matter.
func TestDeliveryWaitsForNoBody(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"silence":  endless("HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\n", "", time.Hour),
		"1 byte/s": endless("HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n", "x", time.Second),
	} {
		synctest.Test(t, func(t *testing.T) {
			var sent atomic.Int64
			c := slowly(t, &sent, write)
			begin := time.Now()
			res, err := c.Post(t.Context(), "http://127.0.0.1/inbox", []byte("{}"), nil)
			if took := time.Since(begin); err != nil || res.Status != http.StatusAccepted || took != answerTime {
				t.Errorf("%s: %v %v after %v", name, res, err, took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		c := slowly(t, &sent, endless("", "", time.Hour))
		begin := time.Now()
		_, err := c.Post(t.Context(), "http://127.0.0.1/inbox", []byte("{}"), nil)
		if took := time.Since(begin); !failedAs(err, Timeout) || took != totalTime {
			t.Errorf("no answer: %v after %v", err, took)
		}
	})
}

// C1: looking up, connecting and shaking hands have five seconds.
func TestConnectingIsBounded(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	public := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{publicAddress, netip.MustParseAddr("93.184.215.15"), netip.MustParseAddr("93.184.215.16")}, nil
	}
	var dialed []time.Time
	for name, o := range map[string]Options{
		"resolver":           {Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) { return nil, hang(ctx) }},
		"resolver for proxy": {Proxy: "http://proxy.example:3128", Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) { return nil, hang(ctx) }},
		"dial": {Resolve: public, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			dialed = append(dialed, time.Now())
			return nil, hang(ctx)
		}},
		"dial to proxy": {Resolve: public, Proxy: "http://proxy.example:3128", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, hang(ctx) }},
		"handshake":     {Resolve: public, Dial: func(context.Context, string, string) (net.Conn, error) { here, _ := net.Pipe(); return here, nil }},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			begin := time.Now()
			_, err = c.Get(t.Context(), Document, "https://example.com/", nil)
			if took := time.Since(begin); !failedAs(err, Timeout) || took != connectTime {
				t.Errorf("%s: %v after %v", name, err, took)
			}
		})
	}
	if len(dialed) != 3 || dialed[2].Sub(dialed[0]) != 2*connectTime/3 {
		t.Errorf("a silent address leaves no time for the next: %v", dialed)
	}
}

// A host with many addresses costs a bounded number of attempts.
func TestFewAddressesAreTried(t *testing.T) {
	n := 0
	c, err := New(Options{
		Resolve: func(context.Context, string) (out []netip.Addr, _ error) {
			for i := range 200 {
				out = append(out, netip.AddrFrom4([4]byte{93, 184, 215, byte(i)}))
			}
			return out, nil
		},
		Dial: func(context.Context, string, string) (net.Conn, error) { n++; return nil, errors.New("refused") }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), Document, "https://example.com/", nil); !failedAs(err, Unreachable) || n != maxAddresses {
		t.Errorf("%v after %d attempts", err, n)
	}
}

// The caller's own bound is the shorter one.
func TestCallerShortensTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		c := slowly(t, &sent, endless(plainHead, "x", time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := c.Get(ctx, Document, "http://127.0.0.1/", nil); !failedAs(err, Timeout) || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

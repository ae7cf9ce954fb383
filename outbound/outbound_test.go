package outbound

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	o := Options{UserAgent: "test", PlainHTTP: true, AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// failedAs says that a request failed with one of the kinds.
func failedAs(err error, kinds ...Kind) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(kinds, e.Kind)
}

func wasRefused(err error) bool { return failedAs(err, Refused) }

// G5: addresses that no request may reach unless the configuration admits their
// network, by name and as literals.
func TestInnerAddressesAreRefused(t *testing.T) {
	addresses := []string{"0.0.0.0", "0.0.0.1", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.1.2.3", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
		"255.255.255.255", "168.63.129.16", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
		"100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1"}
	for _, a := range addresses {
		addr := netip.MustParseAddr(a)
		c := client(t, func(o *Options) {
			o.AllowedNetworks = nil
			o.PlainHTTP = false
			o.Resolve = func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{addr}, nil }
		})
		host := a
		if addr.Is6() {
			host = "[" + a + "]"
		}
		for _, target := range []string{"https://" + host + "/", "https://rebound.test/"} {
			if _, err := c.Get(context.Background(), Document, target, nil); !wasRefused(err) {
				t.Errorf("%s with %s: %v", target, a, err)
			}
			if _, err := c.Post(context.Background(), target, nil, nil); !wasRefused(err) {
				t.Errorf("POST %s with %s: %v", target, a, err)
			}
		}
	}
	open := client(t, func(o *Options) { o.AllowedNetworks, o.PlainHTTP = nil, false })
	for _, port := range []uint16{22, 25, 6379, 8080} {
		if err := open.allowed(netip.AddrPortFrom(netip.MustParseAddr("93.184.215.14"), port)); !wasRefused(err) {
			t.Errorf("port %d: %v", port, err)
		}
	}
	if err := open.allowed(netip.MustParseAddrPort("93.184.215.14:443")); err != nil {
		t.Error(err)
	}
}

func TestSchemesAndSecretsAreRefused(t *testing.T) {
	c := client(t, func(o *Options) { o.PlainHTTP = false })
	for _, target := range []string{"http://127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "https://u:p@127.0.0.1/", "https://", "::"} {
		if _, err := c.Get(context.Background(), Document, target, nil); !wasRefused(err) {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// T20: a redirected delivery is an answer, never a second request.
func TestDeliveryFollowsNoRedirect(t *testing.T) {
	var hits atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(other.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv := httptest.NewServer(http.RedirectHandler(other.URL, status))
		t.Cleanup(srv.Close)
		res, err := client(t, nil).Post(context.Background(), srv.URL, []byte("{}"), nil)
		if err != nil || res.Status != status {
			t.Errorf("%d: %v %v", status, res, err)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests went on", hits.Load())
	}
}

func TestFetchRedirectsAreBoundedAndSignedAfresh(t *testing.T) {
	var signed atomic.Int64
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	for i := range 6 {
		mux.Handle(fmt.Sprintf("/%d", i), http.RedirectHandler(fmt.Sprintf("/%d", i+1), http.StatusFound))
	}
	mux.Handle("/self", http.RedirectHandler("/self", http.StatusFound))
	mux.Handle("/in", http.RedirectHandler("https://169.254.169.254/", http.StatusFound))
	mux.HandleFunc("/6", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/activity+json")
		_, _ = w.Write([]byte("{}"))
	})
	c := client(t, nil)
	sign := func(*http.Request) error { signed.Add(1); return nil }
	if res, err := c.Get(context.Background(), Document, srv.URL+"/3", sign); err != nil || signed.Load() != 4 || res.URL != srv.URL+"/6" {
		t.Errorf("%v, signed %d", err, signed.Load())
	}
	for _, path := range []string{"/1", "/self", "/in"} {
		if _, err := c.Get(context.Background(), Document, srv.URL+path, sign); !failedAs(err, Redirect, Refused) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A4, C1: types that are not documents, bombs and slow bodies.
func TestAnswersAreBounded(t *testing.T) {
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	answer := func(path, kind string, write func(w http.ResponseWriter)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			write(w)
		})
	}
	empty := func(w http.ResponseWriter) { _, _ = w.Write([]byte("{}")) }
	answer("/json", "application/json", empty)
	answer("/html", "text/html", empty)
	answer("/ld", "application/ld+json", empty)
	answer("/image", "image/png", empty)
	answer("/large", "application/activity+json", func(w http.ResponseWriter) { _, _ = w.Write(make([]byte, 1<<20+1)) })
	answer("/bomb", "application/activity+json", func(w http.ResponseWriter) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for range 64 {
			_, _ = z.Write(make([]byte, 1<<20))
		}
		_ = z.Close()
	})
	answer("/brotli", "application/activity+json", func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "br"); empty(w) })
	c := client(t, nil)
	for _, path := range []string{"/json", "/html", "/ld", "/image", "/large", "/bomb", "/brotli"} {
		if _, err := c.Get(context.Background(), Document, srv.URL+path, nil); !failedAs(err, BadType, TooLarge) {
			t.Errorf("%s: %v", path, err)
		}
	}
	answer("/good", `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`, empty)
	if _, err := c.Get(context.Background(), Document, srv.URL+"/good", nil); err != nil {
		t.Error(err)
	}
	release := make(chan struct{})
	answer("/slow", "application/activity+json", func(w http.ResponseWriter) {
		_, _ = w.Write([]byte("{"))
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Get(ctx, Document, srv.URL+"/slow", nil)
	close(release)
	if !failedAs(err, Timeout) {
		t.Errorf("slow: %v", err)
	}
}

// T21: with a proxy the target is looked up and checked before the proxy is asked.
func TestProxyIsNoWayRound(t *testing.T) {
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(502) }))
	t.Cleanup(proxy.Close)
	c := client(t, func(o *Options) {
		o.Proxy, o.AllowedNetworks, o.PlainHTTP = proxy.URL, nil, false
		o.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(map[bool]string{true: "169.254.169.254", false: "93.184.215.14"}[strings.HasPrefix(host, "inner")])}, nil
		}
	})
	if _, err := c.Get(context.Background(), Document, "https://inner.test/", nil); !wasRefused(err) || asked.Load() != 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	if _, err := c.Get(context.Background(), Document, "https://outer.test/", nil); err == nil || asked.Load() != 1 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

package outbound

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// BenchmarkDelivery is a POST over a connection that is kept, the work of a fan-out
// but for the signature.
func BenchmarkDelivery(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	b.Cleanup(srv.Close)
	c, err := New(Options{PlainHTTP: true, AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	body := make([]byte, 2048)
	b.ReportAllocs()
	for b.Loop() {
		if res, err := c.Post(b.Context(), srv.URL+"/inbox", body, nil); err != nil || res.Status != http.StatusAccepted {
			b.Fatal(res, err)
		}
	}
}

// BenchmarkAddress is what the guard of an address costs before each request.
func BenchmarkAddress(b *testing.B) {
	c, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.target(b.Context(), "https://social.example.org/users/123456789/inbox"); err != nil {
			b.Fatal(err)
		}
	}
}

package outbound

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAlive(t *testing.T) {
	status := http.StatusOK
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
	})
	plain, secret := httptest.NewServer(answer), httptest.NewTLSServer(answer)
	defer secret.Close()
	address := strings.TrimPrefix(plain.URL, "http://")
	_, port, _ := strings.Cut(address, ":")
	for _, c := range []struct {
		listen, name string
	}{{address, ""}, {":" + port, ""}, {"0.0.0.0:" + port, ""}, {"[::]:" + port, ""}, {strings.TrimPrefix(secret.URL, "https://"), "example.com"}} {
		if err := Alive(t.Context(), c.listen, c.name); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	for _, status = range []int{http.StatusServiceUnavailable, http.StatusFound} {
		if Alive(t.Context(), address, "") == nil {
			t.Errorf("%d is taken for life", status)
		}
	}
	plain.Close()
	if err := Alive(t.Context(), address, ""); err == nil || !strings.Contains(err.Error(), address) {
		t.Error(err)
	}
	if Alive(t.Context(), "8080", "") == nil {
		t.Error("an address without a port is asked")
	}
}

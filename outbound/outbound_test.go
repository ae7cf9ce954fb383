package outbound

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// publicAddress is what names of the outside world resolve to.
var publicAddress = netip.MustParseAddr("93.184.215.14")

// outside is the public network as a client sees it: a fake resolver, a recorded
// dial hook, and behind them one real server that speaks https as example.com. No
// packet leaves this machine.
type outside struct {
	server  *httptest.Server
	mux     *http.ServeMux
	resolve func(host string) []netip.Addr // nil: every name has publicAddress

	mu    sync.Mutex
	dials []string // addresses that connections were opened to
	asked []string // what the server was asked, as "POST /path"
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	o := &outside{mux: http.NewServeMux()}
	o.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.asked = append(o.asked, r.Method+" "+r.URL.RequestURI())
		o.mu.Unlock()
		o.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(o.server.Close)
	o.mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/activity+json")
		_, _ = w.Write([]byte("{}"))
	})
	return o
}

// client is one of an instance on the public network.
func (o *outside) client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	opts := Options{UserAgent: "test", CAFile: ca, Dial: o.dial, Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.resolve != nil {
			return o.resolve(host), nil
		}
		return []netip.Addr{publicAddress}, nil
	}}
	if change != nil {
		change(&opts)
	}
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// dial records the address and connects to the real server if it is the public one.
func (o *outside) dial(ctx context.Context, network, address string) (net.Conn, error) {
	o.mu.Lock()
	o.dials = append(o.dials, address)
	o.mu.Unlock()
	if address != publicAddress.String()+":443" {
		return nil, errors.New("nobody is there")
	}
	return (&net.Dialer{}).DialContext(ctx, network, o.server.Listener.Addr().String())
}

// strays are the dials to anywhere but the public server, since the last call.
func (o *outside) strays() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := slices.DeleteFunc(o.dials, func(a string) bool { return a == publicAddress.String()+":443" })
	o.dials = nil
	return out
}

// requests are what the server was asked since the last call.
func (o *outside) requests() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.asked
	o.asked = nil
	return out
}

// failedAs says that a request failed with one of the kinds.
func failedAs(err error, kinds ...Kind) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(kinds, e.Kind)
}

func wasRefused(err error) bool { return failedAs(err, Refused) }

// B1: whatever is not https to a named server on a port of the web is refused
// before anything is looked up or opened.
func TestSchemesSecretsAndPortsAreRefused(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	for _, address := range []string{"http://example.com/ok", "HTTP://example.com/ok", "ftp://example.com/", "gopher://example.com/", "file:///etc/passwd",
		"data:application/activity+json,{}", "https:example.com", "//example.com/ok", "/ok", "", "::", "https://", "https:///ok", "https://:443/ok",
		"https://u:p@example.com/ok", "https://u@example.com/ok", "https://example.com:0/", "https://example.com:65536/", "https://example.com:-1/",
		"https://example.com:x/", "https://example.com:+443/", "https://example.com /", "https://exam\nple.com/", "https://example.com\\@127.0.0.1/"} {
		if _, err := c.Get(t.Context(), Document, address, nil); !wasRefused(err) {
			t.Errorf("GET %q: %v", address, err)
		}
		if _, err := c.Post(t.Context(), address, nil, nil); !wasRefused(err) {
			t.Errorf("POST %q: %v", address, err)
		}
	}
	if len(o.dials) != 0 {
		t.Errorf("opened %v", o.dials)
	}
	for _, port := range []string{"22", "25", "6379", "8080", "8443"} {
		if _, err := c.Get(t.Context(), Document, "https://example.com:"+port+"/ok", nil); !wasRefused(err) {
			t.Errorf("port %s: %v", port, err)
		}
	}
	if s := o.strays(); len(s) != 0 {
		t.Errorf("opened %v", s)
	}
}

// A8: spellings of one server become one, in what is sent and in what is answered.
func TestHostsHaveOneForm(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	var host string
	sign := func(r *http.Request) error { host = r.URL.Host; return nil }
	for _, address := range []string{"https://example.com/ok", "https://EXAMPLE.com/ok", "HTTPS://example.COM:443/ok", "https://ｅｘａｍｐｌｅ.com/ok",
		"https://example。com/ok", "https://example.com/ok#fragment", "https://example.com:0443/ok"} {
		res, err := c.Get(t.Context(), Document, address, sign)
		if err != nil || res.URL != "https://example.com/ok" || host != "example.com" {
			t.Errorf("%s: %v %v, signed for %s", address, res, err, host)
		}
	}
	u, err := c.target(t.Context(), "https://Bücher.example/x")
	if err != nil || u.Host != "xn--bcher-kva.example" {
		t.Errorf("%v %v", u, err)
	}
	for _, host := range []string{"example.com.", "example.com..", "example..com", ".example.com", ".", "xn--example-", "xn--example", "a.xn--a", "xn--",
		"exa_mple.com", "exa mple.com", "example.com%2e", "example.com%00", "xn--bcher-kva\u200d.example", strings.Repeat("a", 64) + ".example",
		strings.Repeat("a.", 127) + "example"} {
		if _, err := c.Get(t.Context(), Document, "https://"+host+"/ok", nil); !wasRefused(err) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// An instance on loopback speaks plain http, and only with loopback.
func TestPlainHTTPStaysOnLoopback(t *testing.T) {
	o := newOutside(t)
	plain := func(networks ...string) *Client {
		return o.client(t, func(opts *Options) {
			opts.PlainHTTP = true
			for _, n := range networks {
				opts.AllowedNetworks = append(opts.AllowedNetworks, netip.MustParsePrefix(n))
			}
		})
	}
	for _, address := range []string{"http://93.184.215.14/", "http://example.com/", "http://10.0.0.1/", "http://[::1]/", "https://127.0.0.1/"} {
		if _, err := plain("127.0.0.0/8", "10.0.0.0/8").Get(t.Context(), Document, address, nil); !wasRefused(err) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := plain().Get(t.Context(), Document, "http://127.0.0.1:1/", nil); !wasRefused(err) || len(o.dials) != 0 {
		t.Errorf("%v, opened %v", err, o.dials)
	}
	if _, err := plain("127.0.0.0/8").Get(t.Context(), Document, "http://127.0.0.1:1/", nil); !failedAs(err, Unreachable) || len(o.dials) != 1 {
		t.Errorf("%v, opened %v", err, o.dials)
	}
}

// An intranet that the configuration admits is reached on any port, and nothing else is.
func TestAllowedNetworksAreReached(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, func(opts *Options) {
		opts.AllowedNetworks = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}
	})
	for _, address := range []string{"https://10.1.2.3/", "https://10.1.2.3:8443/", "https://[fd00:1::5]:9000/"} {
		if _, err := c.Get(t.Context(), Document, address, nil); !failedAs(err, Unreachable) || len(o.strays()) != 1 {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"https://10.2.0.1/", "https://[fd00:2::5]/", "https://[::ffff:10.1.2.3]/", "https://[fd00:1::5%25eth0]/", "https://localhost/"} {
		if _, err := c.Get(t.Context(), Document, address, nil); !wasRefused(err) || len(o.strays()) != 0 {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// The default dialer looks once more, at the socket's own address.
func TestSocketIsCheckedToo(t *testing.T) {
	l := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(l.Close)
	c, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.o.Dial(t.Context(), "tcp", l.Listener.Addr().String()); !failedAs(err, Refused) {
		t.Errorf("%v", err)
	}
}

// Only certificates of the system and of federation.ca_file count.
func TestCertificatesAreChecked(t *testing.T) {
	o := newOutside(t)
	if _, err := o.client(t, nil).Get(t.Context(), Document, "https://example.com/ok", nil); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]*Client{
		"https://example.com/ok":  o.client(t, func(opts *Options) { opts.CAFile = "" }),
		"https://another.test/ok": o.client(t, nil),
	} {
		if _, err := c.Get(t.Context(), Document, name, nil); !failedAs(err, Unreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMistakesInTheConfigurationAreNamed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]Options{
		"federation.ca_file holds no certificate": {CAFile: empty},
		"federation.ca_file: ":                    {CAFile: filepath.Join(t.TempDir(), "none")},
		"federation.proxy: ":                      {Proxy: "socks5://proxy.example:1080"},
		"federation.proxy: write it like":         {Proxy: "proxy.example:3128"},
	} {
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

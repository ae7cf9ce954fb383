// Package outbound is the one HTTP client through which everything leaves: it
// guards methods, redirects, addresses, sizes, types and time. It does not know
// what a request means, who may be spoken to, or how a request is signed.
//
//	res, err := client.Get(ctx, outbound.Document, "https://peer.example/users/1", sign)
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"

	"code.dny.dev/ssrf"
)

// Bounds of time: a request as a whole, not one of its operations, has totalTime;
// callers shorten it by their context.
const (
	connectTime = 5 * time.Second
	totalTime   = 30 * time.Second
	// answerTime is what the body of an answer may take whose status alone counts:
	// of a delivery, and of a fetch that failed.
	answerTime = 2 * time.Second
)

const (
	maxHops        = 3 // redirects of a GET
	maxHeaderBytes = 64 << 10
)

// Options of a Client.
type Options struct {
	// AllowedNetworks are private networks that may be reached, on any port.
	AllowedNetworks []netip.Prefix
	// PlainHTTP is for an instance whose own origin is http: it speaks http and
	// nothing else, with loopback addresses within AllowedNetworks and nobody else.
	PlainHTTP bool
	// CAFile holds further certificate authorities, PEM.
	CAFile string
	// Proxy is the http or https URL of a forward proxy; the environment's is never
	// used. The proxy looks names up once more: that it refuses inner addresses too
	// is up to whoever runs it.
	Proxy     string
	UserAgent string
	// Resolve replaces the system's resolver: a host name to addresses.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial replaces the opening of a connection: to an address ("ip:port") that
	// passed every check, or to the proxy. Tests map and count connections with it.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Log  *slog.Logger // nil logs nothing
}

// Client is the guarded client; it is safe for use by many goroutines.
type Client struct {
	o     Options
	guard *ssrf.Guardian
	// A transport and no http.Client: nothing below Get knows how to follow a redirect.
	transport *http.Transport
}

// New makes a Client. Its errors name the configuration key that is wrong.
func New(o Options) (*Client, error) {
	c := &Client{o: o, guard: ssrf.New()}
	c.fillDefaults()
	t := &http.Transport{
		DialContext:            c.dial,
		TLSHandshakeTimeout:    connectTime,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    4,
		MaxConnsPerHost:        16, // a slow host holds no more sockets than this
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // the cap counts decoded bytes, so we decode ourselves
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: connectTime},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if o.CAFile != "" {
		pool, err := Authorities(o.CAFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = pool
	}
	if o.Proxy != "" {
		u, err := url.Parse(o.Proxy)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("federation.proxy: write it like http://proxy.example.org:3128")
		}
		t.Proxy = http.ProxyURL(u)
		t.DialContext = c.dialProxy
	}
	c.transport = t
	return c, nil
}

func (c *Client) fillDefaults() {
	if c.o.Log == nil {
		c.o.Log = slog.New(slog.DiscardHandler)
	}
	if c.o.Resolve == nil {
		c.o.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.o.Dial == nil {
		d := &net.Dialer{}
		if c.o.Proxy == "" {
			d.Control = c.control
		}
		c.o.Dial = d.DialContext
	}
}

// Authorities are the system's and those of a file, PEM.
func Authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("federation.ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("federation.ca_file holds no certificate")
	}
	return pool, nil
}

// Close frees idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Response is an answer within bounds.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // of a 200 to a Get the whole, else the beginning, as far as it could be read
	Cut    bool   // the body broke off: what it would have said is not known
	URL    string // where it came from in the end, with the host in its one form
}

// Get fetches with at most three redirects, of which Media follows none. Every hop is checked like the first
// and sign, which may be nil, is called afresh for it; an error of sign ends the
// request and is returned as it is, so that a caller can refuse a hop. An answer
// of any status but a redirect is returned; with 200 its type fits the purpose (A4).
// All other errors are of type *Error.
func (c *Client) Get(ctx context.Context, p Purpose, address string, sign func(*http.Request) error) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	seen := map[string]bool{}
	for {
		req, err := c.request(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		if len(seen) > maxHops || seen[req.URL.String()] {
			return nil, c.failed(Redirect, "%s redirects without an end", req.URL.Host)
		}
		seen[req.URL.String()] = true
		req.Header.Set("Accept", p.rules().accept)
		res, err := c.send(req, p, sign)
		if err != nil {
			return nil, err
		}
		if res.Status < 300 || res.Status > 399 || res.Status == http.StatusNotModified {
			return c.typed(p, res)
		}
		if p == Media {
			return nil, c.failed(Redirect, "%s redirects, and a file is where its post says", req.URL.Host)
		}
		next, err := req.URL.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			return nil, c.failed(Redirect, "%s redirects to nowhere", req.URL.Host)
		}
		address = next.String()
	}
}

// Post sends an activity once and never follows a redirect: a 3xx is an answer
// like any other (T20). It returns an error only when no status was received.
func (c *Client) Post(ctx context.Context, address string, body []byte, sign func(*http.Request) error) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	req, err := c.request(ctx, http.MethodPost, address, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/activity+json")
	return c.send(req, Deliver, sign)
}

// request is for a checked address and has all headers but those of the purpose.
func (c *Client) request(ctx context.Context, method, address string, body []byte) (*http.Request, error) {
	u, err := c.target(ctx, address)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, c.failed(Refused, "what was given for %.200q is not an address", u.Host)
	}
	req.Header.Set("User-Agent", c.o.UserAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	return req, nil
}

func (c *Client) send(req *http.Request, p Purpose, sign func(*http.Request) error) (*Response, error) {
	if sign != nil {
		if err := sign(req); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	res, err := c.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, unreachable(fmt.Errorf("%s %s: %w", req.Method, req.URL.Host, err))
	}
	defer res.Body.Close() //nolint:errcheck // everything needed is read
	out := &Response{Status: res.StatusCode, Header: res.Header, URL: req.URL.String()}
	if p == Deliver || res.StatusCode != http.StatusOK {
		defer time.AfterFunc(answerTime, cancel).Stop()
		out.Body, out.Cut = c.glance(res)
		return out, nil
	}
	if out.Body, err = c.whole(res, p.rules().most(res.Header)); err != nil {
		return nil, err
	}
	return out, nil
}

// Package outbound is the one HTTP client through which everything leaves: it
// guards methods, redirects, addresses, sizes and time. It does not know what a
// request means.
package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// Purpose of a request decides its bounds.
type Purpose int

const (
	Document  Purpose = iota // an ActivityStreams document: 1 MiB, its media types only (A4)
	WebFinger                // JRD: 256 KiB
	Deliver                  // POST to an inbox; 64 KiB of the answer are read
)

const (
	connectTime = 5 * time.Second
	totalTime   = 30 * time.Second
	maxHops     = 3
)

// Kind of failure.
type Kind int

const (
	Refused     Kind = iota // by us: address, scheme, type, size, redirect
	Unreachable             // the other side did not answer in time
)

// Error of a request that got no usable answer.
type Error struct {
	Kind Kind
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

func refused(format string, args ...any) error { return &Error{Refused, fmt.Errorf(format, args...)} }

// Options of a Client.
type Options struct {
	AllowedNetworks []netip.Prefix // private networks that may be reached, on any port
	PlainHTTP       bool           // http to loopback addresses within AllowedNetworks
	CAFile          string
	Proxy           string
	UserAgent       string
	// Resolve replaces the system's resolver: a host name to addresses.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Log     *slog.Logger
}

// Client is the guarded client.
type Client struct {
	o     Options
	http  *http.Client
	guard *ssrf.Guardian
}

// New makes a Client.
func New(o Options) (*Client, error) {
	c := &Client{o: o, guard: ssrf.New(ssrf.WithAnyPort())}
	if o.Resolve == nil {
		c.o.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	t := &http.Transport{
		DialContext:            c.dial,
		TLSHandshakeTimeout:    connectTime,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    4,
		MaxConnsPerHost:        16,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // the cap counts decoded bytes, so we decode ourselves
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
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
		t.TLSClientConfig.RootCAs = pool
	}
	if o.Proxy != "" {
		u, err := url.Parse(o.Proxy)
		if err != nil || u.Host == "" {
			return nil, errors.New("federation.proxy: write it like http://proxy.example.org:3128")
		}
		t.Proxy = http.ProxyURL(u)
		t.DialContext = (&net.Dialer{Timeout: connectTime}).DialContext // to the proxy; targets are checked before (T21)
	}
	c.http = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// Close frees idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Response is a whole answer within bounds.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	URL    string // where it came from in the end
}

// Get fetches with at most three redirects, each checked and signed like the first.
func (c *Client) Get(ctx context.Context, p Purpose, address string, sign func(*http.Request) error) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	for hop := 0; ; hop++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, refused("%.200q is not an address", address)
		}
		req.Header.Set("Accept", map[Purpose]string{
			Document:  `application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"`,
			WebFinger: "application/jrd+json, application/json"}[p])
		res, err := c.send(req, p, sign)
		if err != nil {
			return nil, err
		}
		if res.Status < 300 || res.Status > 399 || res.Status == http.StatusNotModified {
			return res, c.checkType(p, res)
		}
		next, err := req.URL.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" || hop >= maxHops || next.String() == address {
			return nil, refused("%s redirects without an end", req.URL.Host)
		}
		address = next.String()
	}
}

// Post sends once and never follows a redirect: a 3xx is an answer like any other (T20).
func (c *Client) Post(ctx context.Context, address string, body []byte, sign func(*http.Request) error) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, refused("%.200q is not an address", address)
	}
	req.Header.Set("Content-Type", "application/activity+json")
	return c.send(req, Deliver, sign)
}

func (c *Client) send(req *http.Request, p Purpose, sign func(*http.Request) error) (*Response, error) {
	if err := c.check(req.Context(), req.URL); err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.o.UserAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	if sign != nil {
		if err := sign(req); err != nil {
			return nil, err
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		var ours *Error
		if errors.As(err, &ours) {
			return nil, ours
		}
		return nil, &Error{Unreachable, err}
	}
	defer res.Body.Close() //nolint:errcheck // everything needed is read
	body, err := read(res, map[Purpose]int64{Document: 1 << 20, WebFinger: 256 << 10, Deliver: 64 << 10}[p], p == Deliver)
	if err != nil {
		return nil, err
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: body, URL: req.URL.String()}, nil
}

// read takes at most most decoded bytes; of a delivery's answer the rest is dropped.
func read(res *http.Response, most int64, drop bool) ([]byte, error) {
	r := io.Reader(res.Body)
	switch enc := res.Header.Get("Content-Encoding"); {
	case strings.EqualFold(enc, "gzip"):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, refused("the answer is not gzip as it says")
		}
		r = z
	case enc != "" && !strings.EqualFold(enc, "identity"):
		return nil, refused("the answer is encoded as %.20q", enc)
	}
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, &Error{Unreachable, err}
	}
	if int64(len(body)) > most {
		if !drop {
			return nil, refused("the answer is larger than %d bytes", most)
		}
		body = body[:most]
	}
	return body, nil
}

// checkType accepts documents only as what they claim to be (A4).
func (c *Client) checkType(p Purpose, res *Response) error {
	if res.Status != http.StatusOK {
		return nil
	}
	kind, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	ok := err == nil
	switch p {
	case Document:
		ok = ok && (kind == "application/activity+json" ||
			kind == "application/ld+json" && strings.Contains(params["profile"], "https://www.w3.org/ns/activitystreams"))
	case WebFinger:
		ok = ok && (kind == "application/jrd+json" || kind == "application/json")
	}
	if !ok {
		return refused("the answer is %.100q, not the document asked for", res.Header.Get("Content-Type"))
	}
	return nil
}

// check refuses an address before anything is sent.
func (c *Client) check(ctx context.Context, u *url.URL) error {
	if u.User != nil || u.Hostname() == "" {
		return refused("the address %.200q is not accepted", u.Redacted())
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && c.o.PlainHTTP) {
		return refused("only https is accepted, not %.200q", u.Redacted())
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	if c.o.Proxy != "" || u.Scheme == "http" {
		addrs, err := c.resolve(ctx, u.Hostname())
		if err != nil {
			return err
		}
		for _, a := range addrs {
			if err := c.allowed(a, port); err != nil {
				return err
			}
			if u.Scheme == "http" && !a.IsLoopback() {
				return refused("plain http goes to loopback only, not to %s", u.Host)
			}
		}
	}
	return nil
}

func (c *Client) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := c.o.Resolve(ctx, host)
	if err != nil || len(addrs) == 0 {
		return nil, &Error{Unreachable, fmt.Errorf("look up %s: %w", host, err)}
	}
	return addrs, nil
}

// dial resolves once and connects to an address it has checked, so that a second
// answer of the resolver cannot slip in between.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := c.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	d := &net.Dialer{Timeout: connectTime, Control: c.control}
	var last error
	for _, a := range addrs {
		if last = c.allowed(a, port); last != nil {
			continue
		}
		conn, err := d.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// control looks once more at the socket's own address.
func (c *Client) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return refused("%s is not an address", address)
	}
	return c.allowed(ap.Addr(), fmt.Sprint(ap.Port()))
}

// hidden addresses that the guard's tables let through.
var hidden = []netip.Prefix{
	netip.MustParsePrefix("168.63.129.16/32"), // the host of a cloud machine
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("fec0::/10"),
}

// allowed decides on one address: public ones on the ports of the web, others
// only where the configuration admits their network.
func (c *Client) allowed(a netip.Addr, port string) error {
	plain := a.Unmap()
	for _, p := range c.o.AllowedNetworks {
		if p.Contains(plain) && a.Zone() == "" {
			return nil
		}
	}
	network := "tcp4"
	if a.Is6() {
		network = "tcp6"
	}
	err := c.guard.Safe(network, net.JoinHostPort(a.String(), port), nil)
	if err == nil && (a.Is4In6() || a.Zone() != "") {
		err = errors.New("a special form")
	}
	for _, p := range hidden {
		if err == nil && p.Contains(a) {
			err = errors.New("a special network")
		}
	}
	if err == nil && port != "443" && port != "80" {
		err = errors.New("not a port of the web")
	}
	if err != nil {
		return refused("the address %s port %s may not be reached (federation.allowed_networks)", a, port)
	}
	return nil
}

package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/idna"
)

// maxAddresses of one host are tried.
const maxAddresses = 8

// target reads an address and refuses what needs no connection to be refused. The
// answer's host is in its one form: lower-case A-label or IP literal (A8). A refusal names
// no more of the address than the host: a path can be a secret.
func (c *Client) target(ctx context.Context, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.User != nil {
		return nil, c.failed(Refused, "what was given is not an address that may be fetched")
	}
	want := "https"
	if c.o.PlainHTTP {
		want = "http"
	}
	if u.Scheme != want {
		return nil, c.failed(Refused, "only %s is spoken, not %.20q with %.200q", want, u.Scheme, u.Host)
	}
	host, literal, ok := canonicalHost(u.Hostname())
	if !ok {
		return nil, c.failed(Refused, "%.200q is not the name of a server", u.Hostname())
	}
	port, ok := portOf(u)
	if !ok {
		return nil, c.failed(Refused, "%.200q has no port that exists", u.Host)
	}
	if err := c.allowedHost(ctx, host, literal, port); err != nil {
		return nil, err
	}
	u.Fragment, u.RawFragment = "", ""
	u.Host = joinHost(host, port, u.Scheme)
	return u, nil
}

// allowedHost decides on a host as far as that is possible without a connection.
// Names are otherwise looked up when a connection is opened, and only then.
func (c *Client) allowedHost(ctx context.Context, host string, literal netip.Addr, port uint16) error {
	switch {
	case literal.IsValid():
		return c.allowed(netip.AddrPortFrom(literal, port))
	case (host == "localhost" || strings.HasSuffix(host, ".localhost")) && !c.admitsLoopback():
		return c.failed(Refused, "%s is this machine itself", host) // RFC 6761 6.3
	case c.o.Proxy != "":
		return c.allowedThroughProxy(ctx, host, port)
	}
	return nil
}

// canonicalHost gives a host its one form. A name that ends in a number is an IPv4
// address in decimal, octal, hex or short form to some resolvers and a name to
// others (WHATWG URL "ends in a number"): only the four-part form is an address,
// the rest is refused, and so are trailing dots.
func canonicalHost(host string) (name string, literal netip.Addr, ok bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.String(), a, true
	}
	name, err := idna.Lookup.ToASCII(host)
	if err != nil || len(name) > 253 {
		return "", literal, false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return "", literal, false
		}
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if strings.HasPrefix(last, "0x") || strings.Trim(last, "0123456789") == "" {
		return "", literal, false
	}
	return name, literal, true
}

func portOf(u *url.URL) (uint16, bool) {
	switch {
	case u.Port() != "":
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		return uint16(n), err == nil
	case u.Scheme == "http":
		return 80, true
	}
	return 443, true
}

// joinHost leaves the scheme's own port out: with it the same server would have
// two spellings.
func joinHost(host string, port uint16, scheme string) string {
	switch {
	case port != map[string]uint16{"http": 80, "https": 443}[scheme]:
		return net.JoinHostPort(host, strconv.Itoa(int(port)))
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

func (c *Client) admitsLoopback() bool {
	for _, p := range c.o.AllowedNetworks {
		if p.Addr().IsLoopback() {
			return true
		}
	}
	return false
}

// allowedThroughProxy looks a name up and wants all its addresses to be allowed:
// the dial guard sees only the proxy, and which address that takes is not ours to
// choose. A name that only the proxy can look up is not reached (T21).
func (c *Client) allowedThroughProxy(ctx context.Context, host string, port uint16) error {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	addrs, err := c.resolve(ctx, host)
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if err := c.allowed(netip.AddrPortFrom(a, port)); err != nil {
			return err
		}
	}
	return nil
}

// resolve answers the addresses of a host. The system's resolver gives IPv4
// addresses as IPv4-mapped IPv6 ones; here they are IPv4.
func (c *Client) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	found, err := c.o.Resolve(ctx, host)
	if err == nil && len(found) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, unreachable(fmt.Errorf("look up %s: %w", host, err))
	}
	addrs := make([]netip.Addr, len(found))
	for i, a := range found {
		addrs[i] = a.Unmap()
	}
	return addrs, nil
}

// dial resolves once and connects to an address it has checked, so that a second
// answer of the resolver cannot slip in between. Lookup and all attempts together
// have connectTime.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, err
	}
	addrs, err := c.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	good, refusal := c.choose(addrs, uint16(port))
	if len(good) == 0 {
		return nil, refusal
	}
	for i, a := range good {
		var conn net.Conn
		if conn, err = c.dialShare(ctx, network, a, len(good)-i); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// choose keeps the allowed addresses; with none it says why not.
func (c *Client) choose(addrs []netip.Addr, port uint16) (good []netip.AddrPort, refusal error) {
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		ap := netip.AddrPortFrom(a, port)
		if err := c.allowed(ap); err != nil {
			refusal = err
			continue
		}
		good = append(good, ap)
	}
	return good, refusal
}

// dialShare gives an attempt its share of the time left, so that one silent
// address leaves time for the next.
func (c *Client) dialShare(ctx context.Context, network string, to netip.AddrPort, left int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(left))
		defer cancel()
	}
	return c.o.Dial(ctx, network, to.String())
}

// dialProxy opens a connection to the proxy; the targets were checked before (T21).
func (c *Client) dialProxy(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	return c.o.Dial(ctx, network, address)
}

// control looks once more, at the socket's own address.
func (c *Client) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return c.failed(Refused, "%s is not an address", address)
	}
	return c.allowed(ap)
}

// allowed decides on one address: those of AllowedNetworks on any port, public
// ones on the ports of the web.
func (c *Client) allowed(ap netip.AddrPort) error {
	a, inside := ap.Addr(), false
	for _, p := range c.o.AllowedNetworks {
		inside = inside || p.Contains(a) // never true for an address with a zone
	}
	if c.o.PlainHTTP {
		if inside && a.IsLoopback() {
			return nil
		}
		return c.failed(Refused, "plain http goes to loopback addresses in federation.allowed_networks only, not to %s", ap)
	}
	if inside || c.guard.SafeAddrPort(ap) == nil && a != azureHost() {
		return nil
	}
	return c.failed(Refused, "the address %s may not be reached (federation.allowed_networks)", ap)
}

// azureHost is the host of a cloud machine, which answers its guest alone. It is
// in nobody's list of special networks, so the guard lets it pass.
func azureHost() netip.Addr { return netip.AddrFrom4([4]byte{168, 63, 129, 16}) }

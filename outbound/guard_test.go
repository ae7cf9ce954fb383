package outbound

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// innerAddresses are those that no request may reach unless the configuration
// admits their network.
func innerAddresses() []string {
	return []string{
		// this network, loopback, private, shared, link local
		"0.0.0.0", "0.0.0.1", "0.1.2.3", "0.255.255.255", "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "127.255.255.255",
		"10.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.0", "172.16.0.1", "172.31.255.255", "192.168.0.0", "192.168.0.1", "192.168.255.255",
		"100.64.0.0", "100.64.0.1", "100.100.100.200", "100.127.255.255", "169.254.0.0", "169.254.169.254", "169.254.170.2", "169.254.255.255",
		// protocol assignments, documentation, benchmarks, AS112, AMT, 6to4 relays
		"192.0.0.0", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.0.192", "192.0.2.0", "192.0.2.1", "192.0.2.255", "198.51.100.1", "203.0.113.1",
		"198.18.0.0", "198.18.0.1", "198.19.255.255", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.88.99.2", "192.175.48.1",
		// multicast, reserved, broadcast, the host of a cloud machine
		"224.0.0.0", "224.0.0.1", "224.0.0.251", "232.1.1.1", "239.255.255.250", "239.255.255.255", "240.0.0.0", "240.0.0.1", "255.255.255.254",
		"255.255.255.255", "168.63.129.16",
		// unspecified, loopback, IPv4-mapped, -compatible and -translated
		"::", "::1", "::2", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::ffff:93.184.215.14", "::ffff:7f00:1",
		"::127.0.0.1", "::10.0.0.1", "::169.254.169.254", "::93.184.215.14", "::7f00:1", "::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1",
		// NAT64, discard-only, 6to4, Teredo, ORCHID, benchmarks, other assignments
		"64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::93.184.215.14", "64:ff9b:1::1", "64:ff9b:1:ffff::127.0.0.1",
		"100::", "100::1", "100:0:0:1::1", "2002::1", "2002:7f00:1::1", "2002:a00:1::1", "2002:c0a8:1::1", "2002:a9fe:a9fe::", "2002:5db8:d70e::1",
		"2001::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1",
		"2001:20::1", "2001:30::1", "2001:1ff::1",
		// documentation, AS112, SRv6, ULA, link and site local, multicast, unassigned
		"2001:db8::", "2001:db8::1", "3fff::1", "3fff:fff::1", "2620:4f:8000::1", "5f00::1", "fc00::", "fc00::1", "fd00:ec2::254", "fd12:3456::1",
		"fdff:ffff::1", "fe80::", "fe80::1", "fe80::a9fe:a9fe", "febf::1", "fec0::1", "feff::1", "ff00::1", "ff01::1", "ff02::1", "ff02::fb", "ff05::2",
		"ff0e::1", "200::1", "400::1", "1000::1", "4000::1", "8000::1", "e000::1", "f000::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	}
}

// disguises are hosts that some resolver, proxy or library reads as an inner
// address, whatever ours says.
func disguises() []string {
	return []string{
		// decimal, octal, hex, short and mixed IPv4
		"2130706433", "3232235521", "2852039166", "0", "00", "1", "017700000001", "0177.0.0.1", "0177.0.0.01", "127.0.0.01", "127.000.000.001", "010.0.0.1",
		"0x7f000001", "0X7F000001", "0x7f.0.0.1", "0x7f.0x0.0x0.0x1", "127.0.0.0x1", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0x", "127.0.0.0x", "127.1",
		"127.0.1", "10.1", "192.168.1", "169.254.43518", "127.0.0.1.1", "256.256.256.256", "127.0.0.256", "4294967296", "1.1.1.1.1", "a.127", "a.0x7f",
		// other digits and dots that IDNA maps, percent encoding
		"１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "²130706433", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "127.0.0.1%00",
		// trailing dots, this machine by name
		"127.0.0.1.", "10.0.0.1.", "2130706433.", "169.254.169.254.", "localhost", "LOCALHOST", "LocalHost", "localhost.", "ｌｏｃａｌｈｏｓｔ", "ⓛocalhost",
		"a.localhost", "A.LOCALHOST", "localhost.localhost", "a.localhost.", "metadata.google.internal.",
		// zones and broken literals
		"[::1%25lo]", "[fe80::1%25eth0]", "[fe80::1%251]", "[2606:4700::1%25eth0]", "[::ffff:127.0.0.1%25lo]", "[::1", "::1", "[127.0.0.1]", "[::1].",
		"[]", "[::1]a", "[0:0:0:0:0:0:0:1", "[v1.127.0.0.1]",
	}
}

// forms are both, as hosts of an address.
func forms() (hosts []string) {
	for _, a := range innerAddresses() {
		if netip.MustParseAddr(a).Is6() {
			a = "[" + a + "]"
		}
		hosts = append(hosts, a)
	}
	return append(hosts, disguises()...)
}

// tryAll sends every kind of request and wants a refusal of each and no connection
// anywhere but to the public server.
func tryAll(t *testing.T, o *outside, c *Client, address string) {
	t.Helper()
	_, err := c.Get(t.Context(), Document, address, nil)
	if !wasRefused(err) {
		t.Errorf("document %s: %v", address, err)
	}
	if _, err = c.Get(t.Context(), WebFinger, address, nil); !wasRefused(err) {
		t.Errorf("webfinger %s: %v", address, err)
	}
	if _, err = c.Get(t.Context(), Media, address, nil); !wasRefused(err) {
		t.Errorf("file %s: %v", address, err)
	}
	if s := o.strays(); len(s) != 0 {
		t.Errorf("%s: opened %v", address, s)
	}
}

func tryPost(t *testing.T, o *outside, c *Client, address string) {
	t.Helper()
	if _, err := c.Post(t.Context(), address, []byte("{}"), nil); !wasRefused(err) {
		t.Errorf("delivery %s: %v", address, err)
	}
	if s := o.strays(); len(s) != 0 {
		t.Errorf("%s: opened %v", address, s)
	}
}

// B1, G5: every form written into an address. The resolver answers a public address
// to every name, so that nothing but the form can be the reason.
func TestInnerAddressesAreRefused(t *testing.T) {
	hosts := forms()
	if len(hosts) < 120 {
		t.Fatalf("%d forms", len(hosts))
	}
	o := newOutside(t)
	c := o.client(t, nil)
	for _, host := range hosts {
		tryAll(t, o, c, "https://"+host+"/")
		tryPost(t, o, c, "https://"+host+"/inbox")
		tryAll(t, o, c, "https://"+host+":443/")
		tryAll(t, o, c, "https://"+host+":6379/")
	}
	if len(o.requests()) != 0 {
		t.Error("the public server was asked")
	}
}

// B1, G5: every form as the target of a redirect.
func TestRedirectsToInnerAddressesAreRefused(t *testing.T) {
	o := newOutside(t)
	o.redirects()
	c := o.client(t, nil)
	hosts := forms()
	for _, host := range hosts {
		from := "https://example.com/to?at=" + url.QueryEscape("https://"+host+"/ok")
		for _, p := range []Purpose{Document, WebFinger} {
			// What cannot be parsed at all is a redirect to nowhere.
			if _, err := c.Get(t.Context(), p, from, nil); !failedAs(err, Refused, Redirect) {
				t.Errorf("%s: %v", host, err)
			}
		}
		if res, err := c.Post(t.Context(), from, []byte("{}"), nil); err != nil || res.Status != http.StatusFound {
			t.Errorf("%s: %v %v", host, res, err)
		}
		if s := o.strays(); len(s) != 0 {
			t.Errorf("%s: opened %v", host, s)
		}
	}
	if n := len(o.requests()); n != 3*len(hosts) {
		t.Errorf("%d requests for %d forms", n, len(hosts))
	}
}

// B1, G5: a resolver that answers an inner address: at once, after a public one,
// or beside one.
func TestRebindingReachesNothing(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	var answers [][]netip.Addr
	o.resolve = func(string) []netip.Addr {
		next := answers[0]
		answers = append(answers[1:], next)
		return next
	}
	for _, text := range innerAddresses() {
		inner := netip.MustParseAddr(text)
		if inner.Is4In6() && inner.Unmap() == publicAddress {
			continue // resolvers spell IPv4 answers like this
		}
		answers = [][]netip.Addr{{inner}}
		tryAll(t, o, c, "https://rebound.test/")
		tryPost(t, o, c, "https://rebound.test/inbox")
		c.Close() // nothing is kept, so the name is looked up again
		answers = [][]netip.Addr{{publicAddress}, {inner}}
		if _, err := c.Get(t.Context(), Document, "https://example.com/ok", nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		c.Close()
		if _, err := c.Get(t.Context(), Document, "https://example.com/ok", nil); !wasRefused(err) {
			t.Errorf("%s the second time: %v", text, err)
		}

		answers = [][]netip.Addr{{inner, publicAddress}, {netip.MustParseAddr("93.184.215.99"), inner}}
		if _, err := c.Get(t.Context(), Document, "https://example.com/ok", nil); err != nil {
			t.Errorf("%s beside a good one: %v", text, err)
		}
		c.Close()
		// The good address does not answer; the inner one is no second choice.
		if _, err := c.Post(t.Context(), "https://example.com/ok", nil, nil); !failedAs(err, Unreachable) {
			t.Errorf("%s beside a dead one: %v", text, err)
		}
		for _, s := range o.strays() {
			if s != "93.184.215.99:443" {
				t.Errorf("%s: opened %s", text, s)
			}
		}
	}
}

// The system's resolver spells IPv4 addresses as mapped ones; in an answer, unlike
// in an address, that is no disguise.
func TestMappedAnswersAreIPv4(t *testing.T) {
	o := newOutside(t)
	c := o.client(t, nil)
	for answer, good := range map[string]bool{"::ffff:93.184.215.14": true, "::ffff:10.0.0.1": false, "::ffff:168.63.129.16": false} {
		o.resolve = func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(answer)} }
		c.Close()
		if _, err := c.Get(t.Context(), Document, "https://example.com/ok", nil); good && err != nil || !good && !wasRefused(err) {
			t.Errorf("%s: %v", answer, err)
		}
	}
	if s := o.strays(); len(s) != 0 {
		t.Errorf("opened %v", s)
	}
}

// tunnel is a forward proxy. It connects to the public server, whatever it is asked
// for, and answers what it was asked for so far.
func tunnel(t *testing.T, o *outside) (address string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var targets []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		targets = append(targets, r.Method+" "+r.Host)
		mu.Unlock()
		out, err := net.Dial("tcp", o.server.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		in, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(out, buffered); _ = out.Close() }()
		go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(targets)
		return slices.Compact(targets)
	}
}

// B1, G5, T21: with a proxy the dialer sees only the proxy's address, so the target
// is looked up and checked before the proxy hears of it.
func TestProxyIsNoWayRound(t *testing.T) {
	o := newOutside(t)
	o.redirects()
	proxy, asked := tunnel(t, o)
	// The proxy is on loopback, where no target may be.
	c := o.client(t, func(opts *Options) { opts.Proxy, opts.Dial = proxy, nil })
	if _, err := c.Get(t.Context(), Document, "https://example.com/ok", nil); err != nil || len(asked()) != 1 {
		t.Fatalf("%v, the proxy was asked for %v", err, asked())
	}
	hosts := forms()
	for _, host := range hosts {
		tryAll(t, o, c, "https://"+host+"/")
		tryPost(t, o, c, "https://"+host+"/inbox")
		from := "https://example.com/to?at=" + url.QueryEscape("https://"+host+"/ok")
		if _, err := c.Get(t.Context(), Document, from, nil); !failedAs(err, Refused, Redirect) {
			t.Errorf("redirect to %s: %v", host, err)
		}
	}
	var answer []netip.Addr
	o.resolve = func(host string) []netip.Addr {
		if host == "example.com" {
			return []netip.Addr{publicAddress}
		}
		return answer
	}
	for _, text := range innerAddresses() {
		inner := netip.MustParseAddr(text)
		if inner.Is4In6() && inner.Unmap() == publicAddress {
			continue
		}
		for _, answer = range [][]netip.Addr{{inner}, {publicAddress, inner}, {inner, publicAddress}} {
			tryAll(t, o, c, "https://rebound.test/")
			tryPost(t, o, c, "https://rebound.test/inbox")
		}
	}
	answer = nil
	if _, err := c.Get(t.Context(), Document, "https://unknown.test/", nil); !failedAs(err, Unreachable) {
		t.Errorf("a name that only the proxy may know: %v", err)
	}
	if got := asked(); !slices.Equal(got, []string{"CONNECT example.com:443"}) {
		t.Errorf("the proxy was asked for %v", got)
	}
}

// T21: a proxy named by the environment is not used: it would be a way round. The
// environment is read once in a process, so only the field can be looked at.
func TestEnvironmentSetsNoProxy(t *testing.T) {
	if newOutside(t).client(t, nil).transport.Proxy != nil {
		t.Error("the transport asks somebody for a proxy")
	}
}

package instance

import (
	"fmt"
	"net/netip"
	"time"

	"parley/config"
	"parley/serve"
)

// renewBefore is how long before its end a certificate should have been renewed. For one
// that is made for a few weeks or days it is a third of that time.
const renewBefore = 14 * 24 * time.Hour

// checkCertificate looks at the certificate files as a start of serve does, and at how
// long they still count. Without files there is nothing to look at: a proxy or ACME
// renews, and the check of the domain tells whether others accept it.
func checkCertificate(c *config.Config, now time.Time) (out []Finding) {
	if c.TLS.Cert == "" {
		return nil
	}
	cert, bad := serve.LoadCertificate(c.TLS.Cert, c.TLS.Key, c.Host(), now)
	for _, b := range bad {
		out = append(out, problem("certificate", b.Remedy, "%s", b.Problem))
	}
	if cert == nil {
		return out
	}
	until := cert.Leaf.NotAfter
	if early := min(renewBefore, until.Sub(cert.Leaf.NotBefore)/3); !now.After(until) && until.Sub(now) < early {
		out = append(out, problem("certificate", "renew it, and look why that did not happen by itself; the new files count without a restart",
			"the certificate %s ends on %s", c.TLS.Cert, until.UTC().Format("2006-01-02 15:04 MST")))
	}
	if len(out) == 0 {
		out = append(out, Finding{Check: "certificate", State: StateOK, Text: "until " + until.UTC().Format(time.DateOnly)})
	}
	return out
}

// leastPrefix is the shortest that a network of one's own has: fc00::/7, or 10.0.0.0/8.
const leastPrefix = 7

// checkProxies wants proxies that can be named: whoever is trusted may say of any request
// that it came from anywhere, and goes past the limits of an address (T38).
func checkProxies(c *config.Config) (out []Finding) {
	const remedy = "name in trusted_proxies only the addresses of your own proxies, such as 127.0.0.1, and restart parley serve"
	for _, s := range c.TrustedProxies {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			if _, err := netip.ParseAddr(s); err != nil {
				out = append(out, problem("proxies", remedy, "trusted_proxies: %q is neither an address nor a network", s))
			}
			continue
		}
		if p.Bits() < leastPrefix {
			out = append(out, problem("proxies", remedy, "trusted_proxies trusts %s: anybody there can claim to be any address", p))
		}
	}
	if len(out) == 0 && len(c.TrustedProxies) > 0 {
		out = append(out, Finding{Check: "proxies", State: StateOK, Text: fmt.Sprintf("%d trusted", len(c.TrustedProxies))})
	}
	return out
}

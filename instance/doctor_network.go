package instance

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"parley/config"
	"parley/outbound"
	"parley/social"
)

// checkDomain asks the own domain what any other server asks it: who speaks for the
// instance, by WebFinger, and that actor's document.
func checkDomain(ctx context.Context, c *config.Config, log *slog.Logger) []Finding {
	if c.Trial() || plainHTTP(c) {
		return []Finding{{"domain", StateNote, "the domain is loopback: no other server can reach this instance",
			"for real use stop serve and give it a name: parley domain set HOST"}}
	}
	client, err := newClient(c, log)
	if err != nil {
		return []Finding{problem("domain", "correct the configuration", "%v", err)}
	}
	defer client.Close()
	links := social.Links{PublicURL: c.PublicURL, Domain: c.Domain}
	finger := "https://" + c.Domain + "/.well-known/webfinger?resource=" + url.QueryEscape(links.InstanceActor())
	first, reached := checkAnswer(ctx, c, client, outbound.WebFinger, finger, links.InstanceActor())
	if !reached && c.PublicURL == "https://"+c.Domain {
		return []Finding{first} // nor is anything else there
	}
	second, _ := checkAnswer(ctx, c, client, outbound.Document, links.InstanceActor(), links.InstanceActor())
	if first == second {
		return []Finding{first}
	}
	return []Finding{first, second}
}

// checkAnswer wants an answer that names the instance's own actor. reached is false if
// nobody answered, or nobody who may be asked.
func checkAnswer(ctx context.Context, c *config.Config, client *outbound.Client, p outbound.Purpose, address, actor string) (f Finding, reached bool) {
	path, _, _ := strings.Cut(address, "?")
	res, err := client.Get(ctx, p, address, nil)
	if err != nil {
		failed := &outbound.Error{Kind: outbound.Unreachable, Err: err}
		_ = errors.As(err, &failed) // it always is one
		reached = failed.Kind != outbound.Refused && failed.Kind.Final()
		return problem("domain", unreachedRemedy(c, failed, path), "%s cannot be reached from here: %v", path, err), reached
	}
	return checkDocument(c, path, res, actor), true
}

func checkDocument(c *config.Config, path string, res *outbound.Response, actor string) Finding {
	switch {
	case res.Status >= 500:
		return problem("domain", "start parley serve, and let the web server in front pass requests to "+c.Listen, "%s answers %d", path, res.Status)
	case res.Status != http.StatusOK:
		return problem("domain", passOn(c), "%s answers %d", path, res.Status)
	}
	var doc struct {
		ID    string
		Links []struct{ Rel, Href string }
	}
	if err := json.Unmarshal(res.Body, &doc); err != nil {
		return problem("domain", passOn(c), "%s does not answer as this instance does: %v", path, err)
	}
	for _, l := range doc.Links {
		if l.Rel == "self" {
			doc.ID = l.Href
		}
	}
	if doc.ID != actor {
		return problem("domain", passOn(c), "%s is answered by another instance, %.200s", path, doc.ID)
	}
	return Finding{Check: "domain", State: StateOK}
}

// passOn is what a web server in front must do.
func passOn(c *config.Config) string {
	return "let the web server of " + c.Domain + " pass every path, /.well-known too, with its Host and Accept headers to " + c.Listen
}

// unreachedRemedy says what to do where no answer of ours came from an address.
func unreachedRemedy(c *config.Config, failed *outbound.Error, address string) string {
	if u, err := url.Parse(address); err == nil {
		if remedy := certificateRemedy(failed, u.Hostname()); remedy != "" {
			return remedy
		}
	}
	var unknown *net.DNSError
	switch {
	case failed.Kind == outbound.Refused:
		return "if the domain is of an inner network, add that to federation.allowed_networks; else let its name lead to the public address, in /etc/hosts too"
	case errors.As(failed, &unknown):
		return "have the name " + unknown.Name + " entered in the DNS, with the address at which others reach this machine, and see that this machine asks a resolver that knows it"
	case errors.Is(failed, syscall.ECONNREFUSED):
		return "start parley serve, or the web server in front of it; if both run, let the name lead to the machine that they are on"
	case failed.Kind == outbound.Unreachable, failed.Kind == outbound.Timeout:
		return "check in this order: the name in the DNS, port 443 in the firewall, the certificate (federation.ca_file for a company CA), and that parley serve runs"
	}
	return passOn(c)
}

// certificateRemedy says what to do about the certificate of a server of that name; "" where
// that is not what is wrong.
func certificateRemedy(err error, name string) string {
	var other x509.HostnameError
	var invalid x509.CertificateInvalidError
	var stranger x509.UnknownAuthorityError
	switch {
	case errors.As(err, &other):
		return "have a certificate made for " + name + ", and let the server at that address use it"
	case errors.As(err, &invalid):
		return "renew the certificate of " + name + ", and look why that did not happen by itself; if it is good, the clock of this machine is wrong"
	case errors.As(err, &stranger):
		return "let " + name + " send its certificate with the whole chain; if a company CA made it, name that in federation.ca_file"
	}
	return ""
}

// shared is what providers use between themselves and their customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// checkMetrics wants the metrics to be out of reach for the world.
func checkMetrics(c *config.Config) []Finding {
	const remedy = "name a loopback or inner address in metrics.listen, such as 127.0.0.1:9090, and restart parley serve"
	if c.Metrics.Listen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Metrics.Listen)
	if err != nil {
		return nil // Load has checked it
	}
	networks, err := c.Networks()
	if err != nil {
		return nil // so here
	}
	a, err := netip.ParseAddr(host)
	inner := host == "localhost" || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || shared.Contains(a)
	for _, n := range networks {
		inner = inner || n.Contains(a)
	}
	switch {
	case inner:
		return []Finding{{Check: "metrics", State: StateOK, Text: c.Metrics.Listen}}
	case host == "" || a.IsUnspecified():
		return []Finding{problem("metrics", remedy, "metrics.listen is %s: on every address of this machine, so whoever reaches one reads the metrics", c.Metrics.Listen)}
	case err != nil:
		return []Finding{{"metrics", StateNote, fmt.Sprintf("metrics.listen is %s: where that name leads is not looked at", c.Metrics.Listen), remedy}}
	}
	return []Finding{problem("metrics", remedy, "metrics.listen is %s: that is no inner address, so whoever reaches it reads the metrics", c.Metrics.Listen)}
}

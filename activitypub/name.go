package activitypub

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Authority is the one form in which servers are compared: the lower-case A-label
// or IP address of an http(s) URL, with the port unless it is the scheme's own
// (A8). User names, trailing dots and percent signs are refused.
func Authority(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Opaque != "" {
		return "", fmt.Errorf("%.100q is not an http address", raw)
	}
	port := u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	host, err := Host(u.Hostname())
	if err != nil {
		return "", err
	}
	if port != "" {
		host += ":" + port
	}
	return host, nil
}

// Host checks a host name and gives its one form.
func Host(name string) (string, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		if a.Is6() {
			return "[" + a.WithZone("").String() + "]", nil
		}
		return a.String(), nil
	}
	ascii, err := idna.Lookup.ToASCII(strings.ToLower(name))
	if err != nil || ascii == "" || len(ascii) > 253 || strings.HasSuffix(ascii, ".") || strings.ContainsAny(ascii, "%_/@ ") {
		return "", fmt.Errorf("%.100q is not a host name", name)
	}
	for _, label := range strings.Split(ascii, ".") {
		if label == "" || strings.HasPrefix(label, "xn--") && !roundTrips(label) {
			return "", fmt.Errorf("%.100q is not a host name", name)
		}
	}
	if last := ascii[strings.LastIndexByte(ascii, '.')+1:]; strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return "", fmt.Errorf("%.100q is an address in disguise", name)
	}
	return ascii, nil
}

// roundTrips refuses labels that pretend to be encoded but hold only ASCII
// (CVE-2026-39821).
func roundTrips(label string) bool {
	u, err := idna.Lookup.ToUnicode(label)
	if err != nil || strings.Trim(u, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
		return false
	}
	back, err := idna.Lookup.ToASCII(u)
	return err == nil && back == label
}

// HostPort is Host for "name" or "name:port".
func HostPort(s string) (string, error) {
	if strings.ContainsAny(s, "/?#@\\") {
		return "", fmt.Errorf("%.100q is not a host", s) // more than a host: another handle for the same one
	}
	return Authority("https://" + s)
}

// SameAuthority says that two addresses belong to one server.
func SameAuthority(a, b string) bool {
	x, err := Authority(a)
	if err != nil {
		return false
	}
	y, err := Authority(b)
	return err == nil && x == y
}

// ParseResource reads the resource of a WebFinger query (RFC 7033 4.1): an acct:
// or a URL. For acct it answers name and host in their one form.
func ParseResource(s string) (name, host, uri string, err error) {
	if len(s) > MaxURI || !utf8.ValidString(s) {
		return "", "", "", fmt.Errorf("the resource is too long, or not UTF-8")
	}
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		_, err = Authority(s)
		return "", "", s, err
	}
	acct := strings.TrimPrefix(strings.TrimPrefix(s, "acct:"), "@")
	name, host, ok := strings.Cut(acct, "@")
	if !ok || name == "" || len(name) > 200 || strings.ContainsAny(name, " /?#%\"<>\\") || strings.ContainsFunc(name, func(r rune) bool { return r < 0x21 }) {
		return "", "", "", fmt.Errorf("%.100q is not a handle", s)
	}
	host, err = HostPort(host)
	return name, host, "", err
}

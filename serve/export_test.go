package serve

import (
	"net/http"
	"net/netip"
)

// ClientAddress reads who asks behind the proxies named.
func ClientAddress(r *http.Request, proxies ...string) (netip.Addr, error) {
	list, err := parseProxies(proxies)
	return clientAddress(r, list), err
}

package outbound

import (
	"io"
	"net/http"
	"net/url"
)

// libraryBytes is how long an answer to a library may be.
const libraryBytes = 1 << 20

// Library is for a library that insists on an http.Client, such as that of ACME: it
// passes the same guards, reaches the server of the address alone and follows no
// redirect. An answer breaks off after 1 MiB.
func (c *Client) Library(address string) *http.Client {
	u, err := url.Parse(address)
	if err != nil {
		u = &url.URL{} // nobody can be reached
	}
	return &http.Client{Timeout: totalTime, Transport: &library{c, u.Host},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type library struct {
	client *Client
	host   string
}

// RoundTrip implements http.RoundTripper.
func (l *library) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != l.host || l.host == "" {
		return nil, l.client.failed(Refused, "%.200q is not %.200q, the only server to ask here", r.URL.Host, l.host)
	}
	u, err := l.client.target(r.Context(), r.URL.String())
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.URL = u
	res, err := l.client.transport.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	res.Body = &short{io.LimitReader(res.Body, libraryBytes), res.Body}
	return res, nil
}

// short is the beginning of a body.
type short struct {
	io.Reader
	io.Closer
}

package outbound

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// aliveTime is for an answer from this machine.
const aliveTime = 4 * time.Second

// Alive asks the server that listens here, at an address as in the configuration, whether
// it lives: by https under a name, without one by http. It is for whoever watches a container that holds nothing but this program.
func Alive(ctx context.Context, listen, name string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // it listens on every address; a name may stand in no file here
	}
	scheme := map[bool]string{true: "http://", false: "https://"}[name == ""]
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	// The certificate is for the domain and not for this address. Nothing secret is asked.
	t := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: name}, DisableKeepAlives: true}
	c := &http.Client{Timeout: aliveTime, Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	if err != nil {
		return fmt.Errorf("parley serve does not answer on %s: %w", listen, err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	_, _ = io.CopyN(io.Discard, res.Body, 1<<10)
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("what listens on %s answers %s", listen, res.Status)
	}
	return nil
}

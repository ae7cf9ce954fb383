package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
)

// starts are such as fail: what they say goes to the log of whatever started them.
func (h *traffic) starts() {
	h.Helper()
	for _, address := range []string{"postgres://parley:canary@127.0.0.1:1/parley?connect_timeout=2", "postgres://parley:canary@127.0.0.1:port/parley", "postgres://parley:canary pass@127.0.0.1/%zz", "postgresql://parley:canary@127.0.0.1/x?sslmode=unknown"} {
		c, err := config.Load("/dev/null", map[string]string{"storage.url": address, "data_dir": h.TempDir(), "federation.proxy": "http://user:canary@127.0.0.1:9"}, nil)
		if err == nil {
			var in *instance.Instance
			if in, err = instance.Open(context.Background(), c, h.log.Text(), time.Now); err == nil {
				h.must(in.Close())
				h.Fatal("it started")
			}
			fmt.Fprintln(h.log, c.Effective())
		}
		fmt.Fprintln(h.log, err)
	}
}

// Nothing that lets somebody in, and nothing that was said to few, stands in the log, not
// at its finest level and in neither of its forms, whatever goes wrong (T70).
func TestLogsHoldNoSecrets(t *testing.T) {
	for format, to := range map[string]func(*instancetest.Log) *slog.Logger{"text": (*instancetest.Log).Text, "json": (*instancetest.Log).JSON} {
		t.Run(format, func(t *testing.T) {
			h := newTraffic(t, to)
			b := h.signIn()
			h.apps(b)
			h.notices()
			h.mail()
			h.writes(b)
			h.troubles()
			h.breaks(b)
			h.starts()
			for _, expected := range []string{"request broke", "request failed", "delivery failed", "delivery refused", "outgoing request stopped", "pairing refused", "a push service refuses", "a push subscription ends", "jobs cannot be claimed"} {
				if len(h.log.With(expected)) == 0 {
					t.Errorf("nothing went wrong so that %q is logged", expected)
				}
			}
			h.search()
		})
	}
}

// around finds a word that must not be there, with what stands around it.
var around = regexp.MustCompile(`(?i).{0,200}canary.{0,80}`)

func (h *traffic) search() {
	h.Helper()
	text := h.log.String()
	if n := strings.Count(text, "\n"); n < 300 {
		h.Errorf("only %d lines", n)
	}
	for line := range strings.Lines(text) {
		if found := around.FindString(line); found != "" {
			h.Errorf("logged: %s", found)
		}
		for name, secret := range h.secrets {
			if strings.Contains(line, secret) {
				h.Errorf("%s stands in %.300s", name, line)
			}
		}
	}
}

// Package instancetest runs several instances in one process, over real HTTP on
// loopback, for tests, the demo and benchmarks. It knows no flags.
package instancetest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/instance"
	"parley/social"
)

// Network is a set of instances that can reach each other.
type Network struct {
	T         testing.TB
	Instances []*instance.Instance
}

// New starts n instances, each in the zone company of the others. database says
// where the i-th keeps its rows; nil means SQLite.
func New(t testing.TB, n int, database func(i int) string) *Network {
	t.Helper()
	net := &Network{T: t}
	for i := range n {
		url := ""
		if database != nil {
			url = database(i)
		}
		net.Instances = append(net.Instances, Start(t, t.TempDir(), url))
	}
	for _, a := range net.Instances {
		for _, b := range net.Instances {
			if a != b {
				net.Zone(a, b, social.Zone{Kind: social.ZoneCompany})
			}
		}
	}
	return net
}

// Start opens one instance on a free port and serves it; its workers run only
// when the test settles.
func Start(t testing.TB, dir, database string) *instance.Instance {
	t.Helper()
	port := FreePort(t)
	flags := map[string]string{"domain": fmt.Sprintf("127.0.0.1:%d", port), "listen": fmt.Sprintf("127.0.0.1:%d", port),
		"data_dir": filepath.Join(dir, "data"), "federation.allowed_networks": "127.0.0.0/8"}
	if database != "" {
		flags["storage.url"] = database
	}
	c, err := config.Load("/dev/null", flags, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := instance.Open(context.Background(), c, slog.New(slog.NewTextHandler(t.Output(), nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	_, unlock, err := in.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !strings.Contains(err.Error(), "closed") {
			t.Error(err)
		}
		unlock()
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

// FreePort finds a port that nobody uses at this moment.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its number was wanted
	return l.Addr().(*net.TCPAddr).Port
}

// Zone puts b into a zone at a.
func (n *Network) Zone(a, b *instance.Instance, z social.Zone) {
	n.T.Helper()
	if err := a.Social.SetZone(context.Background(), b.Config.Domain, z, "test"); err != nil {
		n.T.Fatal(err)
	}
}

// Member creates a person and answers as whom it reads and writes.
func (n *Network) Member(in *instance.Instance, name string) social.Reader {
	n.T.Helper()
	a, err := in.Social.CreateAccount(context.Background(), social.NewAccount{Username: name, DisplayName: name})
	if err != nil {
		n.T.Fatal(err)
	}
	return social.Member(a, in.Social.HomeAuthority())
}

// Settle does all work of all instances until none is left.
func (n *Network) Settle() {
	n.T.Helper()
	for range 100 {
		did := 0
		for _, in := range n.Instances {
			did += in.Settle(context.Background())
		}
		if did == 0 {
			return
		}
	}
	n.T.Fatal("the network does not come to rest")
}

// Handle is how others find a member.
func Handle(in *instance.Instance, r social.Reader) string {
	return "@" + r.Account.Username + "@" + in.Config.Domain
}

// Package instancetest runs several instances in one process, over real HTTP on
// loopback, for tests, the demo and benchmarks. It knows no flags.
//
//	net := instancetest.New(t, 2, nil)
//	alice := net.Member(net.Instances[0], "alice")
//	... // alice does something
//	net.Settle() // all queues are empty now
package instancetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"syscall"
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
	nodes     []*node
}

// Options of instances; the zero value is SQLite and real time.
type Options struct {
	// Database says where the i-th instance keeps its rows; nil or "" means SQLite.
	Database func(i int) string
	// Now is the clock of all; nil means the real one.
	Now func() time.Time
	// Config holds further keys of the configuration, as flags give them.
	Config map[string]string
	// Log takes what the instances log; nil means the test's output.
	Log *slog.Logger
	// Wire records what the instances are sent and answer; nil records nothing.
	Wire *Wire
	// Apart leaves the instances strangers to each other.
	Apart bool
	// Prepare runs before an instance answers its first request.
	Prepare func(*instance.Instance)
}

// New starts n instances, each in the zone company of the others. database says
// where the i-th keeps its rows; nil means SQLite.
func New(t testing.TB, n int, database func(i int) string) *Network {
	t.Helper()
	return NewWith(t, n, Options{Database: database})
}

// NewWith is New with all options.
func NewWith(t testing.TB, n int, o Options) *Network {
	t.Helper()
	net := &Network{T: t}
	for i := range n {
		at := newNode(t, t.TempDir(), i, o)
		at.open(t)
		net.nodes, net.Instances = append(net.nodes, at), append(net.Instances, at.in)
	}
	if n > 1 && !o.Apart && net.Instances[0].Config.Federation.Mode != string(social.ModeOff) {
		for _, b := range net.Instances[1:] {
			net.Pair(net.Instances[0], b)
		}
		net.Settle()
	}
	return net
}

// Start opens one instance on a free port and serves it; its workers run only
// when the test settles.
func Start(t testing.TB, dir, database string) *instance.Instance {
	t.Helper()
	return StartWith(t, dir, Options{Database: func(int) string { return database }})
}

// StartWith is Start with more to choose.
func StartWith(t testing.TB, dir string, o Options) *instance.Instance {
	t.Helper()
	at := newNode(t, dir, 0, o)
	at.open(t)
	return at.in
}

// Stop ends the i-th instance: nobody answers on its port any more.
func (n *Network) Stop(i int) {
	n.T.Helper()
	n.nodes[i].close(n.T)
}

// Restart opens the i-th instance again, on its old data and port, and answers it.
func (n *Network) Restart(i int) *instance.Instance {
	n.T.Helper()
	n.nodes[i].open(n.T)
	n.Instances[i] = n.nodes[i].in
	return n.Instances[i]
}

// Restore opens the i-th instance from a backup as the command does, at its old
// address, in place of what it is. It is stopped if it runs; url is a database for it,
// "" for SQLite.
func (n *Network) Restore(i int, file, url string) *instance.Instance {
	n.T.Helper()
	in := n.PutBack(i, file, url)
	if _, err := in.Social.Restored(context.Background()); err != nil {
		n.T.Fatal(err)
	}
	return in
}

// PutBack is Restore without a word to anybody, as when a whole machine is put back.
func (n *Network) PutBack(i int, file, url string) *instance.Instance {
	n.T.Helper()
	n.nodes[i].close(n.T)
	c := *n.nodes[i].config
	c.DataDir = filepath.Join(n.T.TempDir(), "data")
	if url != "" {
		c.Storage.URL = url
	}
	n.nodes[i].config = &c
	if err := instance.Restore(context.Background(), &c, file); err != nil {
		n.T.Fatal(err)
	}
	return n.Restart(i)
}

// node is one instance with what is needed to open it again.
type node struct {
	config *config.Config
	now    func() time.Time
	log    *slog.Logger
	ready  func(*instance.Instance)
	wire   *Wire
	in     *instance.Instance
	unlock func()
	stop   context.CancelFunc
	done   chan error
}

func newNode(t testing.TB, dir string, i int, o Options) *node {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	flags := map[string]string{"domain": address, "listen": address,
		"data_dir": filepath.Join(dir, "data"), "federation.allowed_networks": "127.0.0.0/8"}
	if o.Database != nil {
		if url := o.Database(i); url != "" {
			flags["storage.url"] = url
		}
	}
	maps.Copy(flags, o.Config)
	c, err := config.Load("/dev/null", flags, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := &node{config: c, now: o.Now, log: o.Log, ready: o.Prepare, wire: o.Wire}
	if at.now == nil {
		at.now = time.Now
	}
	if at.log == nil {
		at.log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	t.Cleanup(func() { at.close(t) })
	return at
}

func (at *node) open(t testing.TB) {
	t.Helper()
	in, err := instance.OpenWith(context.Background(), at.config, at.log, at.now, GenerateRSA)
	if err != nil {
		t.Fatal(err)
	}
	if at.ready != nil {
		at.ready(in)
	}
	if at.wire != nil {
		in.Server.Around = at.wire.Around(at.config.Domain)
	}
	if _, at.unlock, err = in.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	at.in, at.stop, at.done = in, stop, make(chan error, 1)
	go func() { at.done <- in.Server.Run(ctx) }()
}

func (at *node) close(t testing.TB) {
	t.Helper()
	if at.in == nil {
		return
	}
	at.stop()
	if err := <-at.done; err != nil && !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
	at.unlock()
	if err := at.in.Close(); err != nil {
		t.Error(err)
	}
	at.in = nil
}

// FreePort finds a port that nobody uses at this moment. It is below those that
// systems give to whoever asks for any (32768 and up on Linux, 49152 elsewhere), so
// that no connection takes it while a test has its server stopped.
func FreePort(t testing.TB) int {
	t.Helper()
	for {
		port := 10000 + rand.N(32768-10000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		l.Close() //nolint:errcheck // only its number was wanted
		return port
	}
}

// Pair makes two instances sisters, as their administrators do it: whoever keeps the
// roster invites, and what stood between them is lifted first. Where they are sisters
// already, nothing happens.
func (n *Network) Pair(a, b *instance.Instance) {
	n.T.Helper()
	n.must(n.TryPair(a, b))
}

// TryPair is Pair where one of the two may be bound otherwise, which its error says.
func (n *Network) TryPair(a, b *instance.Instance) error {
	n.T.Helper()
	ctx := context.Background()
	toB, keeperOfA := n.pairing(a, b)
	toA, keeperOfB := n.pairing(b, a)
	home := b.Social.HomeAuthority()
	switch {
	case toA.State == social.PairingActive && toB.State == social.PairingActive && toA.Zone.Kind == social.ZoneCompany:
		return nil
	case keeperOfA != "" && keeperOfA == keeperOfB && keeperOfA != home && keeperOfA != a.Social.HomeAuthority():
		return errors.Join(a.Social.Unveto(ctx, home, "test"), b.Social.Unveto(ctx, a.Social.HomeAuthority(), "test"))
	case keeperOfB == home || keeperOfA == home:
		a, b = b, a
	}
	for _, one := range []struct {
		in     *instance.Instance
		keeper string
	}{{a, n.keeper(a)}, {b, n.keeper(b)}} {
		if one.keeper != "" && one.keeper != a.Social.HomeAuthority() { // of another group
			n.depart(one.in)
		}
	}
	n.lift(a, b)
	n.lift(b, a)
	code, err := a.Social.Invite(ctx, social.InviteRequest{Host: b.Social.HomeAuthority()})
	if err != nil {
		return err
	}
	_, err = b.Social.Accept(ctx, code.String(), social.Zone{}, nil, "test")
	return err
}

func (n *Network) must(err error) {
	n.T.Helper()
	if err != nil {
		n.T.Fatal(err)
	}
}

// pairing is what a holds of b, and who keeps the roster that a is in.
func (n *Network) pairing(a, b *instance.Instance) (p social.Pairing, keeper string) {
	n.T.Helper()
	list, err := a.Social.Pairings(context.Background())
	n.must(err)
	for _, one := range list {
		if one.Authority == b.Social.HomeAuthority() {
			p = one
		}
		if one.State != social.PairingLeft && one.Keeper != "" {
			keeper = one.Keeper
		}
	}
	n.must(a.DB.View(context.Background(), func(tx social.Tx) error {
		r, err := a.Social.Roster(context.Background(), tx)
		if r != nil {
			keeper = r.Keeper
		}
		return err
	}))
	return p, keeper
}

func (n *Network) keeper(in *instance.Instance) string {
	n.T.Helper()
	_, keeper := n.pairing(in, in)
	return keeper
}

// depart takes an instance out of its roster; one that keeps it takes all others off.
func (n *Network) depart(in *instance.Instance) {
	n.T.Helper()
	ctx := context.Background()
	if n.keeper(in) == in.Social.HomeAuthority() {
		list, err := in.Social.Pairings(ctx)
		n.must(err)
		for _, p := range list {
			if p.State != social.PairingLeft && p.Keeper == in.Social.HomeAuthority() {
				n.must(in.Social.RemovePeer(ctx, p.Authority, "test"))
			}
		}
	}
	_, err := in.Social.Leave(ctx, "test")
	n.must(err)
}

// lift takes back what a decided about b, where that is neither a sister nor open.
func (n *Network) lift(a, b *instance.Instance) {
	n.T.Helper()
	peers, err := a.Social.PeerViews(context.Background())
	n.must(err)
	for _, p := range peers {
		if p.Authority == b.Social.HomeAuthority() && (p.Zone.Kind == social.ZonePartner || p.Zone.Kind == social.ZoneBlocked) {
			n.must(a.Social.RemovePeer(context.Background(), p.Authority, "test"))
		}
	}
}

// Zone puts b into a zone at a; company makes them sisters on both sides.
func (n *Network) Zone(a, b *instance.Instance, z social.Zone) {
	n.T.Helper()
	if z.Kind == social.ZoneCompany {
		n.Pair(a, b)
		return
	}
	if err := a.Social.SetZone(context.Background(), b.Config.Domain, z, "test", "test"); err != nil {
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

// Settle does all work of all instances that are up until none is left.
func (n *Network) Settle() {
	n.T.Helper()
	for range 100 {
		did := 0
		for i, in := range n.Instances {
			if i >= len(n.nodes) || n.nodes[i].in != nil { // a test may bring instances of its own
				did += in.Settle(context.Background())
			}
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

package instance_test

import (
	"bufio"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/activitypub/seal"
	"parley/instance"
	"parley/social"
)

// vault is what many sisters have in common: keys, and what they know of the sender.
type vault struct {
	home    string
	own     []*ecdh.PrivateKey
	senders []ed25519.PublicKey
	got     atomic.Int64
	spent   atomic.Int64 // ns of computing in opening
}

// BenchmarkSealedFanOut sends posts to 200 sisters, sealed and signed with Ed25519, and
// checks their acknowledgements: the counterpart of BenchmarkFanOut. What the sisters
// compute to open them is not counted.
func BenchmarkSealedFanOut(b *testing.B) {
	const hosts = 200
	in := startQuiet(b)
	v := sistersOf(b, in)
	urls := make([]string, hosts)
	for i := range urls {
		urls[i] = v.sister(b)
	}
	alice := followed(b, in, "alice", fansOn(b, in, urls))
	v.pairs(b, in, urls)
	posts := (b.N + hosts - 1) / hosts
	start := cpu()
	b.ResetTimer()
	for i := range posts {
		if _, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: fmt.Sprint("post ", i), Audience: "public"}); err != nil {
			b.Fatal(err)
		}
	}
	stop := work(in)
	for v.got.Load() < int64(posts*hosts) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	stop()
	used := cpu() - start - time.Duration(v.spent.Load())
	b.ReportMetric(float64(used.Microseconds())/1000/float64(posts*hosts), "cpu-ms/op")
}

func sistersOf(b *testing.B, in *instance.Instance) *vault {
	b.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	v := &vault{home: in.Social.HomeAuthority(), own: []*ecdh.PrivateKey{key}}
	if err := in.DB.View(context.Background(), func(tx social.Tx) error {
		k, err := tx.KeyByURI(context.Background(), in.Config.PublicURL+"/actor#ed25519")
		if err != nil {
			return err
		}
		raw, err := k.Raw()
		v.senders = []ed25519.PublicKey{raw}
		return err
	}); err != nil {
		b.Fatal(err)
	}
	return v
}

// pairs pins the key of all sisters.
func (v *vault) pairs(b *testing.B, in *instance.Instance, urls []string) {
	b.Helper()
	ctx := context.Background()
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		for _, u := range urls {
			if err := tx.PutPairing(ctx, social.Pairing{Authority: strings.TrimPrefix(u, "http://"), State: social.PairingActive, Zone: social.Zone{Kind: social.ZoneCompany},
				Since: time.Now().Add(-time.Hour), SigningKey: v.senders[0], SealingKey: v.own[0].PublicKey().Bytes()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// sister is a host that opens and acknowledges every delivery.
func (v *vault) sister(b *testing.B) (url string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	authority := l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go v.take(b, c, authority)
		}
	}()
	return "http://" + authority
}

func (v *vault) take(b *testing.B, c net.Conn, authority string) {
	defer c.Close() //nolint:errcheck // nothing is lost
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		ack, err := v.open(body, authority, r.RequestURI)
		if err != nil {
			b.Error(err)
			return
		}
		if _, err := fmt.Fprintf(c, "HTTP/1.1 202 Accepted\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", seal.AckType, len(ack), ack); err != nil {
			return
		}
		v.got.Add(1)
	}
}

// open opens a body and counts what that costs on a thread of its own.
func (v *vault) open(body []byte, authority, path string) ([]byte, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := thread()
	defer func() { v.spent.Add(int64(thread() - start)) }()
	about := seal.About{From: v.home, To: authority, Purpose: seal.Delivery, Target: "http://" + authority + path}
	payload, token, err := seal.Open(body, about, v.own, v.senders, 1<<20)
	if err != nil {
		return nil, err
	}
	var o struct{ ID string }
	if err := json.Unmarshal(payload, &o); err != nil {
		return nil, err
	}
	return token.Acknowledge(o.ID), nil
}

// rusageThread is RUSAGE_THREAD of Linux.
const rusageThread = 1

func thread() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

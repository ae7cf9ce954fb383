package instance_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// world is a network with names, of addresses that are public, and one authority that
// gives certificates to whoever holds a name: a forward proxy on loopback leads to who
// that is at the moment, so no packet leaves this machine.
type world struct {
	t     *testing.T
	proxy string
	file  string // certificate of the authority
	ca    *x509.Certificate
	key   *ecdsa.PrivateKey

	mu   sync.Mutex
	at   map[string]string     // name -> where it leads
	open map[string][]net.Conn // connections there
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	ok(t, err)
	w := &world{t: t, file: filepath.Join(t.TempDir(), "ca.pem"), ca: ca, key: key, at: map[string]string{}, open: map[string][]net.Conn{}}
	ok(t, os.WriteFile(w.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	proxy := httptest.NewServer(http.HandlerFunc(w.lead))
	t.Cleanup(proxy.Close)
	w.proxy = proxy.URL
	return w
}

// certify makes a key and a certificate for a name, as PEM.
func (w *world) certify(name string) (cert, key []byte) {
	w.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(w.t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(name)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, w.ca, private.Public(), w.key)
	ok(w.t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	ok(w.t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

func (w *world) lead(rw http.ResponseWriter, r *http.Request) {
	name := strings.TrimSuffix(r.Host, ":443")
	w.mu.Lock()
	out, err := net.Dial("tcp", w.at[name])
	if err == nil {
		w.open[name] = append(w.open[name], out)
	}
	w.mu.Unlock()
	if err != nil || r.Method != http.MethodConnect {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	in, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		w.t.Error(err)
		return
	}
	_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(out, buffered); _ = out.Close() }()
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
}

// points lets a name lead somewhere from now on.
func (w *world) points(name, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open[name] {
		_ = c.Close() // may have ended by itself
	}
	w.at[name], w.open[name] = address, nil
}

// company starts an instance that serves https under a name.
func (w *world) company(name string) *instance.Instance {
	w.t.Helper()
	dir := w.t.TempDir()
	cert, key := w.certify(name)
	ok(w.t, os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o600))
	ok(w.t, os.WriteFile(filepath.Join(dir, "key.pem"), key, 0o600))
	address := fmt.Sprintf("127.0.0.1:%d", instancetest.FreePort(w.t))
	conf, err := config.Load("/dev/null", map[string]string{"domain": name, "listen": address, "data_dir": filepath.Join(dir, "data"),
		"tls.cert": filepath.Join(dir, "cert.pem"), "tls.key": filepath.Join(dir, "key.pem"), "federation.ca_file": w.file, "federation.proxy": w.proxy}, nil)
	ok(w.t, err)
	in, err := instance.Open(w.t.Context(), conf, slog.New(slog.NewTextHandler(w.t.Output(), nil)), time.Now)
	ok(w.t, err)
	_, unlock, err := in.Listen()
	ok(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Server.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		<-done
		unlock()
		if err := in.Close(); err != nil {
			w.t.Error(err)
		}
	})
	w.points(name, address)
	return in
}

// thief serves a name with a certificate of its own that is as good as the true one, and
// keeps what it gets.
func (w *world) thief(name string) (got func() []byte) {
	w.t.Helper()
	cert, key := w.certify(name)
	pair, err := tls.X509KeyPair(cert, key)
	ok(w.t, err)
	var mu sync.Mutex
	var all bytes.Buffer
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&all, "%s %s\n", r.Method, r.RequestURI)
		_ = r.Header.Write(&all)
		_, _ = io.Copy(&all, r.Body)
		rw.WriteHeader(http.StatusAccepted)
	}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	srv.StartTLS()
	w.t.Cleanup(srv.Close)
	w.points(name, srv.Listener.Addr().String())
	return func() []byte {
		mu.Lock()
		defer mu.Unlock()
		return bytes.Clone(all.Bytes())
	}
}

// Whoever takes over a sister's name, and gets a certificate for it that everybody
// accepts, has nothing by that: he is sent what he cannot read, his word that it arrived
// counts for nothing, and with the name back at its owner everything arrives.
func TestAValidCertificateIsNotEnough(t *testing.T) {
	w := newWorld(t)
	const hq, plant = "93.184.215.14", "93.184.215.15"
	a, b := w.company(hq), w.company(plant)
	ctx := t.Context()
	code, err := a.Social.Invite(ctx, social.InviteRequest{Host: plant})
	ok(t, err)
	_, err = b.Social.Accept(ctx, code.String(), social.Zone{}, nil, "test")
	ok(t, err)
	settle := func() {
		for a.Settle(ctx)+b.Settle(ctx) > 0 {
		}
	}
	settle()
	alice, err := a.Social.CreateAccount(ctx, social.NewAccount{Username: "alice"})
	ok(t, err)
	carol, err := b.Social.CreateAccount(ctx, social.NewAccount{Username: "carol"})
	ok(t, err)
	address := w.at[plant]
	got := w.thief(plant)
	say := func(text string) {
		_, err := a.Social.Publish(ctx, social.Member(alice, hq), social.Draft{Text: text, Audience: "company"})
		ok(t, err)
		settle()
	}
	state := func() (p social.Pairing) {
		ok(t, a.DB.View(ctx, func(tx social.Tx) (err error) { p, err = tx.Pairing(ctx, plant); return err }))
		return p
	}
	say("canary one")
	say("canary two")
	if p := state(); p.State != social.PairingParked {
		t.Errorf("the sister is %s", p.State)
	}
	if all := got(); !bytes.Contains(all, []byte("POST /inbox")) || bytes.Contains(all, []byte("canary")) || bytes.Contains(all, []byte("alice")) {
		t.Errorf("the thief got %q", all)
	}
	if was, err := a.Federation.Unpark(ctx, plant, "test"); err == nil || was {
		t.Errorf("the thief proved to be the sister: %v", err)
	}
	w.points(plant, address)
	if was, err := a.Federation.Unpark(ctx, plant, "test"); err != nil || !was {
		t.Errorf("the sister is not known again: %v", err)
	}
	settle()
	views, err := b.Social.Company(ctx, social.Member(carol, plant), social.Page{Limit: 40})
	if err != nil || len(views) != 2 || state().State != social.PairingActive {
		t.Errorf("%d posts arrived, the sister is %s: %v", len(views), state().State, err)
	}
}

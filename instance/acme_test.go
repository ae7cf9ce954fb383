package instance_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
)

const acmeName = "social.example.org"

// acmeServer is pebble, the test server of Let's Encrypt, with a resolver to which every
// name is this machine.
type acmeServer struct {
	*testing.T
	directory, manage string
	trust             string         // file with the certificate that it shows
	conf              *config.Config // of the instance that was certified last
	stop              func()
}

// startACME starts one that looks for its proofs at these ports.
func startACME(t *testing.T, tlsPort, plainPort int) *acmeServer {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "pebble")
	build := exec.Command("go", "build", "-o", program, "github.com/letsencrypt/pebble/v2/cmd/pebble")
	build.Dir = filepath.Join("..", "test", "acme")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("PARLEY_TEST_PEERS") != "" {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Skipf("the ACME server cannot be built: %v\n%s", err, out)
	}
	w := newWorld(t)
	a := &acmeServer{T: t, trust: w.file, directory: fmt.Sprintf("https://127.0.0.1:%d/dir", instancetest.FreePort(t)), manage: fmt.Sprintf("127.0.0.1:%d", instancetest.FreePort(t))}
	cert, key := w.certify("127.0.0.1")
	ok(t, os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "key.pem"), key, 0o600))
	settings, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": strings.TrimSuffix(strings.TrimPrefix(a.directory, "https://"), "/dir"), "managementListenAddress": a.manage,
		"certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"), "tlsPort": tlsPort, "httpPort": plainPort,
		"retryAfter": map[string]int{"authz": 1, "order": 1}, "profiles": map[string]any{"default": map[string]any{"description": "the usual", "validityPeriod": 7776000}}}})
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(dir, "pebble.json"), settings, 0o600))
	pebble := exec.Command(program, "-config", filepath.Join(dir, "pebble.json"), "-dnsserver", resolver(t))
	pebble.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	pebble.Stdout, pebble.Stderr = t.Output(), t.Output()
	ok(t, pebble.Start())
	a.stop = func() { _ = pebble.Process.Kill(); _ = pebble.Wait() }
	t.Cleanup(a.stop)
	a.await(a.manage)
	return a
}

// await waits until somebody listens there.
func (a *acmeServer) await(address string) {
	a.Helper()
	for a.Context().Err() == nil {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// roots trust what the server gives out.
func (a *acmeServer) roots() *x509.CertPool {
	a.Helper()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := c.Get("https://" + a.manage + "/roots/0")
	ok(a.T, err)
	defer res.Body.Close() //nolint:errcheck // read whole
	pem, err := io.ReadAll(res.Body)
	ok(a.T, err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		a.Fatalf("no root in %q", pem)
	}
	return pool
}

// resolver answers every question about a name with 127.0.0.1, over TCP as pebble asks.
func resolver(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go resolve(c)
		}
	}()
	return l.Addr().String()
}

func resolve(c net.Conn) {
	defer c.Close() //nolint:errcheck // answered or not
	for {
		var n [2]byte
		if _, err := io.ReadFull(c, n[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint16(n[:]))
		var m dnsmessage.Message
		if _, err := io.ReadFull(c, b); err != nil || m.Unpack(b) != nil {
			return
		}
		m.Response = true
		for _, q := range m.Questions {
			if q.Type == dnsmessage.TypeA {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
					Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}})
			}
		}
		b, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
			return
		}
	}
}

// certified starts an instance that gets its certificate by ACME.
func (a *acmeServer) certified(dir string, port, plain int) (said *instancetest.Log, stop func()) {
	a.Helper()
	set := map[string]string{"domain": acmeName, "listen": fmt.Sprintf("127.0.0.1:%d", port), "data_dir": dir, "federation.ca_file": a.trust,
		"federation.allowed_networks": "127.0.0.0/8", "tls.acme_email": "it@example.org", "tls.acme_directory": a.directory}
	if plain != 0 {
		set["tls.http_listen"] = fmt.Sprintf("127.0.0.1:%d", plain)
	}
	conf, err := config.Load("/dev/null", set, nil)
	ok(a.T, err)
	a.conf, said = conf, &instancetest.Log{}
	in, err := instance.Open(a.Context(), conf, said.Text(), time.Now)
	ok(a.T, err)
	_, unlock, err := in.Listen()
	ok(a.T, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Server.Run(ctx) }()
	return said, func() {
		cancel()
		ok(a.T, <-done)
		unlock()
		ok(a.T, in.Close())
	}
}

// handshake is a browser's with a name; its error is what a person would see.
func handshake(port int, name string, roots *x509.CertPool) (*x509.Certificate, error) {
	c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{RootCAs: roots, ServerName: name})
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // it was looked at
	return c.ConnectionState().PeerCertificates[0], nil
}

// A certificate comes by itself, with the proof on the port of https or of http, for the
// own name alone; it is kept for its owner alone and serves on without the ACME server.
func TestCertificateByACME(t *testing.T) {
	for _, way := range []string{"https", "http"} {
		t.Run(way, func(t *testing.T) {
			port, plain := instancetest.FreePort(t), 0
			looks := port
			if way == "http" {
				plain, looks = instancetest.FreePort(t), instancetest.FreePort(t) // nobody answers on the port for https
			}
			a := startACME(t, looks, max(plain, 1))
			roots, dir := a.roots(), filepath.Join(t.TempDir(), "data")
			said, stop := a.certified(dir, port, plain)
			cert, err := handshake(port, acmeName, roots)
			if err != nil {
				t.Fatalf("%v, said %s", err, said)
			}
			if err := instance.Alive(t.Context(), a.conf); err != nil {
				t.Errorf("the own question whether it lives: %v", err)
			}
			if _, err := handshake(port, "other.example.org", roots); err == nil {
				t.Error("a certificate was had for a name of others")
			}
			stop()
			ok(t, filepath.WalkDir(filepath.Join(dir, "acme"), func(name string, e fs.DirEntry, err error) error {
				ok(t, err)
				if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s: %v %v", name, info.Mode(), err)
				}
				return nil
			}))
			a.stop()
			said, stop = a.certified(dir, port, plain)
			defer stop()
			again, err := handshake(port, acmeName, roots)
			if err != nil || !again.Equal(cert) {
				t.Errorf("after a restart: %v %v, said %s", again, err, said)
			}
		})
	}
}

// Without an answer from the ACME server the instance runs, and says once what to do.
func TestNoAnswerByACME(t *testing.T) {
	a := &acmeServer{T: t, trust: newWorld(t).file, directory: fmt.Sprintf("https://127.0.0.1:%d/dir", instancetest.FreePort(t))}
	port := instancetest.FreePort(t)
	said, stop := a.certified(filepath.Join(t.TempDir(), "data"), port, 0)
	defer stop()
	for range 3 {
		if _, err := handshake(port, acmeName, nil); err == nil {
			t.Fatal("a certificate from nowhere")
		}
	}
	if n := strings.Count(said.String(), "tls.acme_directory"); n != 1 {
		t.Errorf("said %d times: %s", n, said)
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/instance/instancetest"
)

// trust is a certificate authority of the test and one certificate of it for
// everything on 127.0.0.1. Paths are of PEM files.
type trust struct {
	ca, cert, key string
	client        *http.Client
}

func newTrust(t *testing.T) *trust {
	t.Helper()
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	caKey, ca := certificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	key, leaf := certificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca, caKey)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &trust{ca: file("ca.pem", "CERTIFICATE", ca.Raw), cert: file("cert.pem", "CERTIFICATE", leaf.Raw), key: file("key.pem", "PRIVATE KEY", private),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: time.Minute}}
}

// certificate makes a key and a certificate for it; without a parent it signs itself.
func certificate(t *testing.T, c, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parent == nil {
		parent, signer = c, key
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, made
}

// served is a real parley serve over https in a process of its own, and its
// administrator's command line.
type served struct {
	t      *testing.T
	trust  *trust
	host   string
	config string
	data   string // folder

	cmd *exec.Cmd         // nil while it does not run
	log *instancetest.Log // what it said since it was started last
}

// serveTLS starts an instance whose configuration is a file, as an administrator
// writes it.
func serveTLS(t *testing.T, trust *trust) *served {
	t.Helper()
	return serveOver(t, trust, "sqlite:parley.db")
}

// serveOver is serveTLS over another database, as storage.url names it.
func serveOver(t *testing.T, trust *trust, storage string) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{t: t, trust: trust, host: fmt.Sprintf("127.0.0.1:%d", instancetest.FreePort(t)), config: filepath.Join(dir, "parley.yaml"), data: filepath.Join(dir, "data")}
	s.configure(storage)
	s.start()
	t.Cleanup(func() {
		if s.cmd != nil {
			if err := s.end(os.Interrupt); err != nil {
				t.Errorf("parley serve: %v", err)
			}
		}
		if t.Failed() {
			t.Logf("parley serve said:\n%s", s.log)
		}
	})
	return s
}

// configure writes the configuration as an administrator does.
func (s *served) configure(storage string) {
	s.t.Helper()
	conf := fmt.Sprintf("domain: %s\npublic_url: https://%s\nlisten: %s\ndata_dir: %s\nstorage: {url: %q}\ntls: {cert: %s, key: %s}\n"+
		"federation: {allowed_networks: [127.0.0.0/8], ca_file: %s}\n", s.host, s.host, s.host, s.data, storage, s.trust.cert, s.trust.key, s.trust.ca)
	if err := os.WriteFile(s.config, []byte(conf), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start starts the process and waits until it answers.
func (s *served) start() {
	s.t.Helper()
	s.log = &instancetest.Log{}
	s.cmd = s.command("serve")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "parley serve answers", func() bool {
		res, err := s.trust.client.Get(s.url() + "/healthz")
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil
	})
}

// end sends the process a signal and answers how it ended.
func (s *served) end(signal os.Signal) error {
	_ = s.cmd.Process.Signal(signal) // it may be dead already
	err := s.cmd.Wait()
	s.cmd = nil
	return err
}

func (s *served) url() string { return "https://" + s.host }

func (s *served) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append(args, "--config", s.config)...)
	cmd.Env = append(os.Environ(), asCommand()...)
	return cmd
}

// run runs a command of parley on the data that is being served.
func (s *served) run(args ...string) string {
	s.t.Helper()
	cmd := s.command(args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("parley %s: %v\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return strings.TrimSpace(string(out))
}

// joinedBy makes another instance a sister, by the two commands that it takes.
func (s *served) joinedBy(other *served) {
	s.t.Helper()
	lines := strings.Split(s.run("peer", "invite", other.host), "\n")
	other.run("peer", "accept", lines[len(lines)-1])
}

// member creates a person and answers a token of theirs.
func (s *served) member(name string) string {
	s.t.Helper()
	s.run("account", "create", name, "--display-name", strings.ToUpper(name[:1])+name[1:])
	return s.run("token", "create", name)
}

// eventually waits until something becomes true in other processes.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("it never came true that %s", what)
		case <-time.After(25 * time.Millisecond): // others work; there is nothing to wait on
		}
	}
}

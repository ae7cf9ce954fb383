package serve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/serve"
)

// files are those of a certificate, as an administrator has them.
type files struct {
	*testing.T
	cert, key string
	serial    int64
}

func newFiles(t *testing.T) *files {
	dir := t.TempDir()
	f := &files{T: t, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	f.make("social.example.org", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	return f
}

// make writes a new certificate with its key.
func (f *files) make(name string, from, to time.Time) {
	f.Helper()
	f.serial++
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.must(err)
	c := &x509.Certificate{SerialNumber: big.NewInt(f.serial), NotBefore: from, NotAfter: to, DNSNames: []string{name}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	f.must(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	f.must(err)
	f.must(os.WriteFile(f.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	f.must(os.WriteFile(f.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

func (f *files) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *files) tls() serve.TLS {
	return serve.TLS{Origin: "https://social.example.org", Name: "social.example.org", Cert: f.cert, Key: f.key}
}

// serves serves https with a clock that the test moves.
func (f *files) serves(o serve.TLS, now func() time.Time) (addr string, said *instancetest.Log, err error) {
	f.Helper()
	said = &instancetest.Log{}
	s, err := serve.New(serve.Options{Listen: "127.0.0.1:0", TLS: o, Now: now, Log: said.Text()})
	f.must(err)
	s.Router.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })
	a, err := s.Listen()
	if err != nil {
		return "", said, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	f.Cleanup(func() { cancel(); f.must(<-done) })
	return a.String(), said, nil
}

// shown is the serial number of the certificate that a listener shows.
func shown(t *testing.T, addr string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: "social.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // it was looked at
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// A renewed certificate counts without a restart; half of one, or none, does not end https.
func TestCertificateIsReadAgain(t *testing.T) {
	f := newFiles(t)
	var mu sync.Mutex
	now := time.Now()
	later := func() { mu.Lock(); now = now.Add(time.Minute); mu.Unlock() }
	addr, said, err := f.serves(f.tls(), func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	f.must(err)
	if got := shown(t, addr); got != 1 {
		t.Fatalf("certificate %d", got)
	}
	f.make("social.example.org", time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour))
	later()
	if got := shown(t, addr); got != 2 {
		t.Errorf("a renewed certificate does not count: %d", got)
	}
	whole, err := os.ReadFile(f.key)
	f.must(err)
	for what, broken := range map[string]func(){
		"the files are away":       func() { f.must(os.Remove(f.key)) },
		"the key is not all there": func() { f.must(os.WriteFile(f.key, whole[:40], 0o600)) },
		"everybody may read":       func() { f.must(os.WriteFile(f.key, whole, 0o600)); f.must(os.Chmod(f.key, 0o604)) },
	} {
		broken()
		later()
		if got := shown(t, addr); got != 2 {
			t.Errorf("%s: certificate %d", what, got)
		}
		if !strings.Contains(said.String(), "the one before") {
			t.Errorf("%s: nobody was told: %s", what, said)
		}
	}
	f.must(os.Remove(f.key))
	f.make("social.example.org", time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour))
	later()
	if got := shown(t, addr); got != 3 {
		t.Errorf("files that came back whole do not count: %d", got)
	}
}

// What cannot be served with ends the start; what others will refuse is said.
func TestCertificateThatIsWrong(t *testing.T) {
	hour := time.Hour
	for name, one := range map[string]struct {
		spoil     func(f *files)
		ends      bool // the start
		says, and string
	}{
		"no certificate": {func(f *files) { f.must(os.Remove(f.cert)) }, true, "cert.pem", "tls.cert"},
		"no key":         {func(f *files) { f.must(os.Remove(f.key)) }, true, "key.pem", "tls.key"},
		"the key of another": {func(f *files) {
			cert, err := os.ReadFile(f.cert)
			f.must(err)
			f.make("social.example.org", time.Now(), time.Now().Add(hour))
			f.must(os.WriteFile(f.cert, cert, 0o600))
		}, true, "does not match", "the key it was made with"},
		"a key for everybody": {func(f *files) { f.must(os.Chmod(f.key, 0o644)) }, true, "0644", "chmod o= "},
		"not PEM":             {func(f *files) { f.must(os.WriteFile(f.cert, []byte("hello"), 0o600)) }, true, "PEM", "tls.cert"},
		"another name":        {func(f *files) { f.make("other.example.org", time.Now(), time.Now().Add(hour)) }, false, "other.example.org", "social.example.org"},
		"ended":               {func(f *files) { f.make("social.example.org", time.Now().Add(-2*hour), time.Now().Add(-hour)) }, false, "ended on", "renew it"},
		"not begun":           {func(f *files) { f.make("social.example.org", time.Now().Add(hour), time.Now().Add(2*hour)) }, false, "begins on", "clock"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFiles(t)
			one.spoil(f)
			_, said, err := f.serves(f.tls(), time.Now)
			text := said.String()
			if err != nil {
				text = err.Error()
			}
			if (err != nil) != one.ends || !strings.Contains(text, one.says) || !strings.Contains(text, one.and) {
				t.Errorf("%v, said %s", err, said)
			}
		})
	}
}

// Plain http leads to https at the server's own name, whatever the request names, and
// takes nothing that was to be written.
func TestPlainHTTPLeadsOn(t *testing.T) {
	f := newFiles(t)
	o := f.tls()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	f.must(err)
	o.Plain = l.Addr().String()
	f.must(l.Close())
	_, _, err = f.serves(o, time.Now)
	f.must(err)
	for _, one := range []struct {
		method, path, to string
		status           int
	}{
		{"GET", "/@ann?x=1", "https://social.example.org/@ann?x=1", 301},
		{"HEAD", "/", "https://social.example.org/", 301},
		{"GET", "//evil.example/x", "https://social.example.org/evil.example/x", 301},
		{"POST", "/sign-in", "", 400},
	} {
		r, err := http.NewRequestWithContext(t.Context(), one.method, "http://"+o.Plain+one.path, nil)
		f.must(err)
		r.Host = "evil.example"
		res, err := http.DefaultTransport.RoundTrip(r)
		f.must(err)
		f.must(res.Body.Close())
		if res.StatusCode != one.status || res.Header.Get("Location") != one.to {
			t.Errorf("%s %s: %d %s", one.method, one.path, res.StatusCode, res.Header.Get("Location"))
		}
	}
}

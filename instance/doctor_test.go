package instance_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/storage"
)

// patient is a real instance with a public address, served over https. The world
// is a forward proxy on loopback that leads to it, or to whatever a test puts in
// its place, so that no packet leaves this machine.
type patient struct {
	t    *testing.T
	conf *config.Config
	in   *instance.Instance
	cert string
	stop func()

	around func(http.Handler) http.Handler // what stands before its server; nil for nothing

	mu   sync.Mutex
	host string // where the proxy leads
}

const patientDomain = "93.184.215.14"

func newPatient(t *testing.T) *patient {
	t.Helper()
	dir := t.TempDir()
	p := &patient{t: t, cert: filepath.Join(dir, "cert.pem"), host: fmt.Sprintf("127.0.0.1:%d", instancetest.FreePort(t))}
	key := filepath.Join(dir, "key.pem")
	writeCertificate(t, p.cert, key)
	proxy := httptest.NewServer(http.HandlerFunc(p.lead))
	t.Cleanup(proxy.Close)
	conf, err := config.Load("/dev/null", map[string]string{"domain": patientDomain, "listen": p.host, "data_dir": filepath.Join(dir, "data"),
		"tls.cert": p.cert, "tls.key": key, "federation.ca_file": p.cert, "federation.proxy": proxy.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.conf = conf
	p.serve()
	return p
}

// serve begins the instance, and stop ends it.
func (p *patient) serve() {
	p.t.Helper()
	in, err := instance.OpenWith(p.t.Context(), p.conf, p.log(), time.Now, instancetest.GenerateRSA)
	ok(p.t, err)
	in.Server.Around = p.around
	_, unlock, err := in.Listen()
	ok(p.t, err)
	p.in = in
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Server.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		unlock()
		if err := in.Close(); err != nil {
			p.t.Error(err)
		}
	})
	p.t.Cleanup(p.stop)
}

func (p *patient) log() *slog.Logger { return slog.New(slog.NewTextHandler(p.t.Output(), nil)) }

// lead is the proxy.
func (p *patient) lead(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	host := p.host
	p.mu.Unlock()
	out, err := net.Dial("tcp", host)
	if err != nil || r.Method != http.MethodConnect || r.Host != patientDomain+":443" {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	in, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.t.Error(err)
		return
	}
	_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(out, buffered); _ = out.Close() }()
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
}

// behind puts another server in the place of the instance.
func (p *patient) behind(answer http.HandlerFunc) {
	p.t.Helper()
	pair, err := tls.LoadX509KeyPair(p.conf.TLS.Cert, p.conf.TLS.Key)
	if err != nil {
		p.t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(answer)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	srv.StartTLS()
	p.t.Cleanup(srv.Close)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host = srv.Listener.Addr().String()
}

// examine wants exactly these problems, each given as "check: part of text: part of remedy".
func (p *patient) examine(now func() time.Time, want ...string) {
	p.t.Helper()
	p.wants(instance.Diagnose(p.t.Context(), p.conf, p.log(), now), want...)
}

func (p *patient) wants(found []instance.Finding, want ...string) {
	p.t.Helper()
	var got []string
	for _, f := range found {
		if !slices.ContainsFunc(instance.Checks(), func(c [2]string) bool { return c[0] == f.Check }) {
			p.t.Errorf("nothing is told of the check %s", f.Check)
		}
		if f.State != instance.StateProblem {
			continue
		}
		if f.Text == "" || f.Remedy == "" {
			p.t.Errorf("%+v does not help", f)
		}
		got = append(got, f.Check+": "+f.Text+": "+f.Remedy)
	}
	for i, g := range got {
		ok := i < len(want)
		for _, part := range strings.Split(want[min(i, len(want)-1)], ": ") {
			ok = ok && strings.Contains(g, part)
		}
		if !ok {
			p.t.Errorf("found %q", g)
		}
	}
	if len(got) != len(want) {
		p.t.Errorf("found %d problems, not %d: %q", len(got), len(want), got)
	}
}

// writeCertificate makes one for the patient that counted and will count for years, whatever
// the time is that a test looks at it.
func writeCertificate(t *testing.T, cert, key string) {
	t.Helper()
	writeCertificateFor(t, cert, key, patientDomain, time.Now().AddDate(-40, 0, 0), time.Now().AddDate(10, 0, 0))
}

// writeCertificateFor makes one for an address or a name, such as *.parley.test.
func writeCertificateFor(t *testing.T, cert, key, name string, from, until time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true}
	if ip := net.ParseIP(name); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDoctorFindsAHealthyInstanceHealthy(t *testing.T) {
	p := newPatient(t)
	found := instance.Diagnose(t.Context(), p.conf, p.log(), time.Now)
	var checks []string
	for _, f := range found {
		if f.Check == "disk" && f.State == instance.StateNote {
			f.State = instance.StateOK // the machine of the test may be short of room
		}
		checks = append(checks, f.Check+" "+string(f.State))
	}
	if got := strings.Join(checks, ", "); got != "permissions ok, database ok, schema ok, disk ok, audit ok, identity ok, backup note, clock ok, certificate ok, domain ok" || instance.Failed(found) != 0 {
		t.Errorf("%s: %+v", got, found)
	}
}

// The own domain is asked what another server asks it; each way it can fail has a remedy.
func TestDoctorAsksTheOwnDomain(t *testing.T) {
	p := newPatient(t)
	both := func(text, remedy string) []string {
		return []string{"domain: webfinger: " + text + ": " + remedy, "domain: /actor: " + text + ": " + remedy}
	}
	p.behind(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Welcome to a web server")) })
	p.examine(time.Now, both("not the kind of document", "pass every path")...)
	p.behind(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	p.examine(time.Now, both("answers 404", "/.well-known too")...)
	p.behind(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	p.examine(time.Now, both("answers 502", "start parley serve")...)
	p.behind(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) })
	p.examine(time.Now, both("redirects without an end", "pass every path")...)
	p.behind(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/activity+json")
		if strings.Contains(r.URL.Path, "webfinger") {
			w.Header().Set("Content-Type", "application/jrd+json")
		}
		_, _ = w.Write([]byte(`{"id": "https://other.example/actor", "links": [{"rel": "self", "href": "https://other.example/actor"}]}`))
	})
	p.examine(time.Now, both("another instance, https://other.example/actor", "pass every path")...)
	p.mu.Lock()
	p.host = "127.0.0.1:1" // nobody is there
	p.mu.Unlock()
	p.examine(time.Now, "domain: webfinger: cannot be reached: port 443 in the firewall")
}

func TestDoctorChecksTheCertificate(t *testing.T) {
	p := newPatient(t)
	p.conf.Federation.CAFile = ""
	p.examine(time.Now, "domain: certificate: federation.ca_file")
	p.conf.Federation.CAFile = p.cert + ".none"
	p.examine(time.Now, "domain: federation.ca_file: correct the configuration")
}

// Data that belongs to another name, which in addition is an inner one.
func TestDoctorComparesTheIdentity(t *testing.T) {
	p := newPatient(t)
	p.conf.Domain, p.conf.PublicURL = "10.0.0.5", "https://10.0.0.5"
	p.examine(time.Now, "identity: this data belongs to: set domain", "certificate: is for other names: have one made for 10.0.0.5", "domain: 10.0.0.5: federation.allowed_networks")
}

// T71: the folder and every file in it are for their owner alone. The remedy heals.
func TestDoctorChecksPermissions(t *testing.T) {
	p := newPatient(t)
	dir := p.conf.DataDir
	file := filepath.Join(dir, "media", "1.png")
	ok(t, os.WriteFile(file, nil, 0o600))
	for name, mode := range map[string]os.FileMode{dir: 0o750, filepath.Join(dir, "parley.db"): 0o644, file: 0o602} {
		ok(t, os.Chmod(name, mode))
	}
	p.examine(time.Now, "permissions: (0750): chmod 700 "+dir, "permissions: (0602): chmod 600 "+file, "permissions: (0644): chmod 600 "+dir+"/parley.db")
	for name, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "parley.db"): 0o600, file: 0o600} {
		ok(t, os.Chmod(name, mode))
	}
	p.examine(time.Now)
	want := []string{}
	for i := range 30 {
		name := filepath.Join(dir, "media", fmt.Sprint(i))
		ok(t, os.WriteFile(name, nil, 0o600))
		ok(t, os.Chmod(name, 0o604))
		if i < 10 {
			want = append(want, "permissions: (0604): chmod 600 ")
		}
	}
	p.examine(time.Now, append(want, "permissions: 20 more: chmod -R go= "+dir)...)
}

// The clock is held against what was written here.
func TestDoctorChecksTheClock(t *testing.T) {
	p := newPatient(t)
	at := func(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }
	p.examine(at(-30 * time.Second)) // another node's clock may differ a little
	p.examine(at(300*24*time.Hour), "backup: no backup was ever made: parley backup FILE")
	p.examine(at(-2*time.Hour), "clock: something was written here at: timedatectl")
	p.examine(at(-30*365*24*time.Hour), "clock: something was written here at: timedatectl")
	p.examine(at(2*365*24*time.Hour), "backup", "clock: nothing was written here since: timedatectl")
}

// A paired server that does not answer with its own keys is named, with what to do.
func TestDoctorNamesParkedServers(t *testing.T) {
	p := newPatient(t)
	p.stop()
	db, err := storage.Open(t.Context(), storage.Options{URL: p.conf.Storage.URL, DataDir: p.conf.DataDir, Now: time.Now, Log: p.log()})
	ok(t, err)
	for _, state := range []social.PairingState{social.PairingLeft, social.PairingParked} {
		ok(t, db.Tx(t.Context(), func(tx social.Tx) error {
			return tx.PutPairing(t.Context(), social.Pairing{Authority: string(state) + ".example", State: state, Cause: "answered 202 without a proof"})
		}))
	}
	ok(t, db.Close())
	var found []instance.Finding
	for _, f := range instance.Diagnose(t.Context(), p.conf, p.log(), time.Now) {
		if f.Check == "paired" {
			found = append(found, f)
		}
	}
	if len(found) != 1 || found[0].State != instance.StateProblem || !strings.Contains(found[0].Text, "parked.example is parked") || !strings.Contains(found[0].Remedy, "parley peer unpark parked.example") {
		t.Errorf("%+v", found)
	}
}

// damagePage overwrites a page of a table that nothing reads before the check of the whole.
func damagePage(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	ok(t, err)
	var page int64
	ok(t, db.QueryRow(`SELECT rootpage FROM sqlite_master WHERE name = 'marker'`).Scan(&page))
	ok(t, db.Close())
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	ok(t, err)
	_, err = f.WriteAt([]byte(strings.Repeat("damage ", 4096/7)), (page-1)*4096)
	ok(t, err)
	ok(t, f.Close())
}

// A damaged database hides no other problem.
func TestDoctorReportsEveryProblem(t *testing.T) {
	p := newPatient(t)
	p.stop()
	name := filepath.Join(p.conf.DataDir, "parley.db")
	damagePage(t, name)
	ok(t, os.Chmod(p.conf.DataDir, 0o711))
	early := func() time.Time { return time.Unix(0, 0) }
	found := instance.Diagnose(t.Context(), p.conf, p.log(), early)
	problems := map[string]int{}
	for _, f := range found {
		if f.State == instance.StateProblem {
			problems[f.Check]++
		}
	}
	if problems["permissions"] != 1 || problems["database"] != 1 || problems["clock"] != 1 || problems["domain"] != 1 {
		t.Errorf("%v: %+v", problems, found)
	}

	ok(t, os.Chmod(p.conf.DataDir, 0o700))
	ok(t, os.WriteFile(name, []byte(strings.Repeat("no database ", 1000)), 0o600))
	p.examine(time.Now, "database: file is not a database: restore a backup", "domain")
	ok(t, os.Remove(name))
	p.examine(time.Now, "database: there is no database: parley serve", "domain")
	if _, err := os.Stat(name); err == nil {
		t.Error("the doctor began a database")
	}
	p.conf.DataDir += "-of-another"
	p.examine(time.Now, "permissions: there is no data: --data")
	if _, err := os.Stat(p.conf.DataDir); err == nil {
		t.Error("the doctor made a folder")
	}
}

func TestDoctorNotesATrial(t *testing.T) {
	in := instancetest.Start(t, t.TempDir(), "")
	found := instance.Diagnose(t.Context(), in.Config, slog.New(slog.DiscardHandler), time.Now)
	last := found[len(found)-1]
	if instance.Failed(found) != 0 || last.Check != "domain" || last.State != instance.StateNote || !strings.Contains(last.Text, "loopback") {
		t.Errorf("%+v", found)
	}
}

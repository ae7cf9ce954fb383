//go:build unix

package instance_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// town is a small net on loopback: a resolver that this process asks instead of the
// machine's, one certificate for everybody in it, and instances that reach each other by
// their names.
type town struct {
	t         *testing.T
	cert, key string

	mu    sync.Mutex
	names map[string]string // IPv4 addresses
}

func newTown(t *testing.T) *town {
	t.Helper()
	dir := t.TempDir()
	w := &town{t: t, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), names: map[string]string{}}
	writeCertificateFor(t, w.cert, w.key, "*.parley.test", time.Now().AddDate(-40, 0, 0), time.Now().AddDate(10, 0, 0))
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	ok(t, err)
	done := make(chan struct{})
	go func() { defer close(done); w.resolve(conn) }()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = conn.Close()
		<-done
	})
	return w
}

// resolve answers questions for A records (RFC 1035) until the connection is closed.
func (w *town) resolve(conn net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		w.mu.Lock()
		address, known := w.names[strings.TrimSuffix(q.Name.String(), ".")]
		w.mu.Unlock()
		m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
		m.Additionals = nil
		if !known {
			m.RCode = dnsmessage.RCodeNameError
		} else if q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1},
				Body: &dnsmessage.AResource{A: [4]byte(net.ParseIP(address).To4())}}}
		}
		if b, err := m.Pack(); err == nil {
			_, _ = conn.WriteTo(b, from) // who asked asks again
		}
	}
}

// leads enters a name in the DNS; "" takes it out.
func (w *town) leads(name, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.names[name] = address; address == "" {
		delete(w.names, name)
	}
}

// resident is an instance of a town, with a configuration in a file.
type resident struct {
	*patient
	w          *town
	name, file string
	ahead      time.Duration // of its clock, in what it answers
}

// begin sets up an instance that has a backup already, and serves it.
func (w *town) begin(name string) *resident {
	w.t.Helper()
	dir := w.t.TempDir()
	w.leads(name, "127.0.0.1")
	r := &resident{patient: &patient{t: w.t, cert: w.cert, host: fmt.Sprintf("127.0.0.1:%d", instancetest.FreePort(w.t))}, w: w, name: name, file: filepath.Join(dir, "parley.yaml")}
	_, port, _ := net.SplitHostPort(r.host)
	ok(w.t, os.WriteFile(r.file, []byte(fmt.Sprintf("domain: %s:%s\nlisten: %s\ndata_dir: %s\ntls: {cert: %s, key: %s}\nfederation: {allowed_networks: [127.0.0.0/8], ca_file: %s}\n",
		name, port, r.host, filepath.Join(dir, "data"), w.cert, w.key, w.cert)), 0o600))
	var err error
	r.conf, err = config.Load(r.file, nil, nil)
	ok(w.t, err)
	r.around = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
			rw.Header().Set("Date", time.Now().Add(r.ahead).UTC().Format(http.TimeFormat))
			next.ServeHTTP(rw, q)
		})
	}
	r.serve()
	ok(w.t, r.in.Backup(w.t.Context(), filepath.Join(dir, "backup")))
	return r
}

// configure changes the configuration's file, or adds to it; the doctor reads it.
func (r *resident) configure(from, to string) {
	r.t.Helper()
	b, err := os.ReadFile(r.file)
	ok(r.t, err)
	text := string(b) + to
	if from != "" {
		text = strings.Replace(string(b), from, to, 1)
	}
	ok(r.t, os.WriteFile(r.file, []byte(text), 0o600))
}

// sister is another instance of the town, paired with this one.
func (r *resident) sister(name string) *resident {
	r.t.Helper()
	s := r.w.begin(name)
	accept(r.t, s.in, invite(r.t, r.in, s.in, social.Zone{Kind: social.ZoneCompany}), social.Zone{Kind: social.ZoneCompany})
	return s
}

// sql changes the database behind the back of the instance.
func (r *resident) sql(statement string, args ...any) {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+r.database()+"?_pragma=busy_timeout(10000)")
	ok(r.t, err)
	res, err := db.Exec(statement, args...)
	ok(r.t, err)
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		r.t.Fatalf("%s changed %d rows: %v", statement, n, err)
	}
	ok(r.t, db.Close())
}

func (r *resident) database() string { return filepath.Join(r.conf.DataDir, "parley.db") }

// replace puts another server in the place of the instance, with a certificate of its own.
func (r *resident) replace(name string, from, until time.Duration, answer http.HandlerFunc) {
	r.t.Helper()
	r.stop()
	cert, key := filepath.Join(r.t.TempDir(), "cert.pem"), filepath.Join(r.t.TempDir(), "key.pem")
	writeCertificateFor(r.t, cert, key, name, time.Now().Add(from), time.Now().Add(until))
	both, err := os.ReadFile(cert)
	ok(r.t, err)
	good, err := os.ReadFile(r.w.cert)
	ok(r.t, err)
	ok(r.t, os.WriteFile(cert+".all", append(both, good...), 0o600))
	r.configure("ca_file: "+r.w.cert, "ca_file: "+cert+".all")
	l, err := net.Listen("tcp", r.host)
	ok(r.t, err)
	srv := &http.Server{Handler: answer}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.ServeTLS(l, cert, key) }()
	r.t.Cleanup(func() { _ = srv.Close(); <-done })
}

// diagnose is what parley doctor does.
func (r *resident) diagnose(now func() time.Time) []instance.Finding {
	r.t.Helper()
	c, err := config.Load(r.file, nil, nil)
	var bad *config.Error
	if errors.As(err, &bad) {
		return []instance.Finding{instance.Misconfigured(bad)}
	}
	ok(r.t, err)
	return instance.Diagnose(r.t.Context(), c, r.log(), now)
}

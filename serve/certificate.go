package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// TLS says how https is served without a proxy: by certificate files or by ACME
// (RFC 8555). The zero TLS serves plain http.
type TLS struct {
	Origin    string // of every address, such as https://social.example.org
	Name      string // of the host in Origin; a certificate has to be for it
	Cert, Key string // files, PEM; read again when they change
	ACME      *ACME  // instead of files
	// Plain is a second address to listen on, such as ":80", where plain http is sent
	// on to Origin and an ACME server may look for its proof. Empty: nobody listens.
	Plain string
}

// ACME is where certificates come from by themselves.
type ACME struct {
	Server *acme.Client // what asks for them, by the guarded client (RFC 8555)
	Email  string       // whom it writes to about certificates
	Folder string       // where the account's key and the certificates are kept
	Names  []string     // for which a certificate is asked for, and for no others
}

// CertificateError names what is wrong with a certificate and what to do.
type CertificateError struct {
	Problem, Remedy string
	Fatal           bool // nothing can be served with it
}

// Error implements error.
func (e *CertificateError) Error() string { return e.Problem + ": " + e.Remedy }

// LoadCertificate reads a certificate and its key, and says all that is wrong with them
// for a server of that name: without a certificate first what is fatal. A certificate
// that others will refuse, since it ended or is for another name, is no fatal problem:
// whoever looks after the server needs it most then.
func LoadCertificate(certFile, keyFile, name string, now time.Time) (*tls.Certificate, []*CertificateError) {
	fatal := func(remedy, problem string, args ...any) (*tls.Certificate, []*CertificateError) {
		return nil, []*CertificateError{{fmt.Sprintf(problem, args...), remedy, true}}
	}
	info, err := os.Stat(keyFile)
	if err != nil {
		return fatal("name the right file in tls.key and let the user that runs parley serve read it", "the key of the certificate cannot be read: %v", err)
	}
	// On Windows the bits say nothing; its lists of who may read are not looked at.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
		return fatal("chmod o= "+keyFile, "everybody on this machine may read the key %s (%04o)", keyFile, info.Mode().Perm())
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return fatal("name a certificate with its chain in tls.cert and the key it was made with in tls.key, both PEM and readable", "%s and %s cannot be used: %v", certFile, keyFile, err)
	}
	var bad []*CertificateError
	if err := cert.Leaf.VerifyHostname(name); err != nil {
		bad = append(bad, &CertificateError{Problem: fmt.Sprintf("the certificate %s is for other names: %v", certFile, err),
			Remedy: "have one made for " + name + ", or set public_url to a name it is for before others know this server"})
	}
	const renew = "renew it; the new files count as soon as they are there, without a restart"
	switch {
	case now.After(cert.Leaf.NotAfter):
		bad = append(bad, &CertificateError{Problem: fmt.Sprintf("the certificate %s ended on %s", certFile, cert.Leaf.NotAfter.Format(time.DateOnly)), Remedy: renew})
	case now.Before(cert.Leaf.NotBefore):
		bad = append(bad, &CertificateError{Problem: fmt.Sprintf("the certificate %s begins on %s", certFile, cert.Leaf.NotBefore.Format(time.DateTime)),
			Remedy: "set the clock of this machine, or wait"})
	}
	return &cert, bad
}

// lookEvery is how often files are looked at for a renewed certificate.
const lookEvery = 2 * time.Second

// pair is a certificate from files.
type pair struct {
	TLS
	now func() time.Time
	log *slog.Logger

	mu     sync.Mutex
	looked time.Time
	seen   string // size and time of the files that cert was read from
	said   string // last complaint, so that it is not repeated each time
	cert   *tls.Certificate
}

// certificate is the newest that can be used. New files that cannot be are left for the
// old certificate: one file may be there before the other.
func (p *pair) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); p.cert == nil || now.Sub(p.looked) >= lookEvery || now.Before(p.looked) {
		p.looked = now
		if err := p.read(); err != nil {
			return nil, err
		}
	}
	return p.cert, nil
}

func (p *pair) read() error {
	seen := stamp(p.Cert) + stamp(p.Key)
	if p.cert != nil && seen == p.seen {
		return nil
	}
	cert, bad := LoadCertificate(p.Cert, p.Key, p.Name, p.now())
	if cert == nil && p.cert == nil {
		return bad[0]
	}
	var text strings.Builder
	for _, b := range bad {
		text.WriteString(b.Error())
	}
	if text.String() != p.said {
		for _, b := range bad {
			p.log.Error("certificate: "+b.Problem, "do", b.Remedy, "serving", map[bool]string{true: "the one before", false: "it all the same"}[b.Fatal])
		}
		p.said = text.String()
	}
	if cert == nil {
		return nil
	}
	p.log.Info("certificate read", "file", p.Cert, "until", cert.Leaf.NotAfter)
	p.cert, p.seen = cert, seen
	return nil
}

// stamp differs when a file does.
func stamp(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return "-"
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano(), ";")
}

// manager gets certificates by ACME.
type manager struct {
	*autocert.Manager
	names []string
	now   func() time.Time
	log   *slog.Logger

	mu   sync.Mutex
	said time.Time // when it was last said that there is none
}

// sayEvery is how often it is said that no certificate could be had; autocert asks the
// server once a minute at most.
const sayEvery = time.Minute

func newManager(a *ACME, now func() time.Time, log *slog.Logger) *manager {
	return &manager{names: a.Names, now: now, log: log, Manager: &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Email:      a.Email,
		Cache:      autocert.DirCache(a.Folder),
		HostPolicy: autocert.HostWhitelist(a.Names...),
		Client:     a.Server,
	}}
}

// certificate is autocert's; why there is none for a name of ours is said.
func (m *manager) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := m.GetCertificate(hello)
	proof := slices.Contains(hello.SupportedProtos, acme.ALPNProto)
	if proof || !slices.Contains(m.names, strings.ToLower(hello.ServerName)) {
		return cert, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.now(); err != nil && now.Sub(m.said) >= sayEvery {
		m.said = now
		m.log.Error("no certificate could be had by ACME; it is tried again when somebody asks", "name", hello.ServerName, "error", err,
			"do", "let the ACME server reach this name on port 443, or on port 80 with tls.http_listen; look at tls.acme_directory")
	}
	return cert, err
}

// begin asks for the certificates before anybody waits for them.
func (m *manager) begin(ctx context.Context) {
	for _, name := range m.names {
		// A client of today: it takes an ECDSA key.
		hello := &tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
		if cert, err := m.certificate(hello); err == nil && ctx.Err() == nil {
			m.log.Info("certificate ready", "name", name, "until", cert.Leaf.NotAfter)
		}
	}
}

// secure sets up https as the options say; it fails when nothing could be served.
func (s *Server) secure() error {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	switch {
	case s.TLS.ACME != nil:
		s.acme = newManager(s.TLS.ACME, s.Now, s.Log)
		config.GetCertificate = s.acme.certificate
		config.NextProtos = append(config.NextProtos, acme.ALPNProto)
	case s.TLS.Cert != "":
		p := &pair{TLS: s.TLS, now: s.Now, log: s.Log}
		if _, err := p.certificate(nil); err != nil {
			return err
		}
		config.GetCertificate = p.certificate
	default:
		return nil
	}
	s.http.TLSConfig = config
	return s.listenPlain()
}

// listenPlain opens the address at which plain http is sent on.
func (s *Server) listenPlain() error {
	if s.TLS.Plain == "" {
		return nil
	}
	l, err := net.Listen("tcp", s.TLS.Plain)
	if err != nil {
		return fmt.Errorf("tls.http_listen: %w", err)
	}
	var handler http.Handler = sendOn(s.TLS.Origin)
	if s.acme != nil {
		handler = withoutPort(s.acme.HTTPHandler(handler))
	}
	s.plainListener = l
	s.plain = &http.Server{Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second,
		MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
	return nil
}

// withoutPort lets autocert know a name also where a forwarded port stands behind it.
func withoutPort(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			r.Host = host
		}
		next.ServeHTTP(w, r)
	})
}

// sendOn answers plain http: pages are where https is, and what would be written came
// unprotected and is not taken. The host that a request names counts for nothing.
func sendOn(origin string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "This server speaks https: "+origin, http.StatusBadRequest)
			return
		}
		to := origin + "/" + strings.TrimLeft(r.URL.EscapedPath(), "/")
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusMovedPermanently)
		_, _ = io.WriteString(w, to+"\n")
	}
}

// runPlain serves what listenPlain opened, until close.
func (s *Server) runPlain() (end func()) {
	if s.plain == nil {
		return func() {}
	}
	go func() {
		if err := s.plain.Serve(s.plainListener); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("plain http is not sent on any more", "error", err)
		}
	}()
	return func() { _ = s.plain.Close() }
}

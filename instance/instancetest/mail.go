package instancetest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/mail"
	"strconv"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// MailServer takes mail on loopback and keeps it.
type MailServer struct {
	Port int

	mu       sync.Mutex
	taken    []Mail
	user     string // who may send, with which password; "" for everybody
	password string
	refuses  error
}

// Mail is one that was taken.
type Mail struct {
	From    string
	To      []string
	Header  mail.Header
	Body    string // as it was sent, before any decoding
	Secured bool   // it came by TLS
}

// NewMailServer starts one at an address such as 127.0.0.1:0. With a certificate it offers
// STARTTLS, or speaks TLS from the beginning if atOnce.
func NewMailServer(t testing.TB, address string, cert *tls.Certificate, atOnce bool) *MailServer {
	t.Helper()
	m := &MailServer{}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{server: m, conn: c}, nil }))
	s.Domain, s.AllowInsecureAuth = "mail.test", cert == nil
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	m.Port = l.Addr().(*net.TCPAddr).Port
	if cert != nil {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}
		if atOnce {
			l = tls.NewListener(l, s.TLSConfig)
		}
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
		<-served
	})
	return m
}

// Config holds the keys with which an instance sends by it.
func (m *MailServer) Config() map[string]string {
	c := map[string]string{"smtp.host": "127.0.0.1", "smtp.port": strconv.Itoa(m.Port), "smtp.from": "parley@mail.test"}
	if m.user != "" {
		c["smtp.user"], c["smtp.password"] = m.user, m.password
	}
	return c
}

// Want lets only this user send.
func (m *MailServer) Want(user, password string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.user, m.password = user, password
}

// Refuse answers this to every recipient; nil takes mail again.
func (m *MailServer) Refuse(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuses = err
}

// All lists what was taken.
func (m *MailServer) All() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail{}, m.taken...)
}

// mailSession is one connection.
type mailSession struct {
	server *MailServer
	conn   *smtp.Conn
	known  bool
	mail   Mail
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		if user != s.server.user || password != s.server.password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.user != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	_, secured := s.conn.TLSConnectionState()
	s.mail = Mail{From: from, Secured: secured}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.mail.To = append(s.mail.To, to)
	return s.server.refuses
}

func (s *mailSession) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.mail.Header, s.mail.Body = m.Header, string(body)
	s.server.taken = append(s.server.taken, s.mail)
	return nil
}

func (s *mailSession) Reset() { s.mail = Mail{} }

func (s *mailSession) Logout() error { return nil }

// Package serve is the HTTP ground that all edges stand on: the listener, the
// middleware every request passes, request limits, and the one mapping of
// social.Error to statuses and bodies.
//
// It does not know which routes exist: api, web and federation mount theirs.
package serve

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/gorilla/mux"
)

const (
	// uploadTime is for sending a file over a slow line.
	uploadTime = 5 * time.Minute
	// stopPatience is how long a stop waits for requests that were begun. Who runs this
	// as a service gives it some 10 or 20 seconds to stop, and then kills it.
	stopPatience = 5 * time.Second
)

// Options of a Server.
type Options struct {
	Listen         string
	TLS            TLS
	TrustedProxies []string
	RequestsPer5m  int           // of one address; loopback is not limited
	HeaderTime     time.Duration // for a request's head; zero means 10 s
	BodyTime       time.Duration // for head and body, but for uploads; zero means 30 s
	// Refuse answers what ends before any route: a limit, a panic. Nil means Error.
	Refuse func(w http.ResponseWriter, r *http.Request, err error)
	// Around stands before everything else and sees each request and its answer whole,
	// as they are on the wire; set before Listen, nil for nothing.
	Around func(http.Handler) http.Handler
	// Answered hears of each request when it has ended; nil for nobody.
	Answered func(r *http.Request, status int, took time.Duration)
	Now      func() time.Time
	Log      *slog.Logger
}

// Server listens and serves.
type Server struct {
	Options
	Router   *mux.Router
	listener net.Listener
	http     *http.Server

	acme          *manager // nil without ACME
	plain         *http.Server
	plainListener net.Listener
}

// New makes a Server with an empty router.
func New(o Options) (*Server, error) {
	proxies, err := parseProxies(o.TrustedProxies)
	if err != nil {
		return nil, err
	}
	s := &Server{Options: o, Router: mux.NewRouter()}
	s.Router.UseEncodedPath()
	s.Router.SkipClean(true)
	refuse := func(w http.ResponseWriter, r *http.Request, err error) {
		if s.Refuse != nil {
			s.Refuse(w, r, err)
			return
		}
		Error(w, r, o.Log, err)
	}
	handler := Middleware(s.Router, proxies, NewLimiter[netip.Addr](o.RequestsPer5m, o.Now), refuse, o.Log)
	s.http = &http.Server{
		Handler:           answered(handler, o.Answered),
		ReadHeaderTimeout: cmp.Or(o.HeaderTime, 10*time.Second),
		ReadTimeout:       cmp.Or(o.BodyTime, 30*time.Second), // T12; the middleware gives uploads more
		WriteTimeout:      uploadTime + time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// OnStop runs a function when the server begins to stop: for requests that would
// never end by themselves.
func (s *Server) OnStop(f func()) { s.http.RegisterOnShutdown(f) }

// Listen opens the port, so that a taken one, or a certificate that cannot be used, is
// known before anything else starts.
func (s *Server) Listen() (net.Addr, error) {
	l, err := net.Listen("tcp", s.Options.Listen)
	if err != nil {
		return nil, err
	}
	if err := s.secure(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.listener = l
	if s.Around != nil {
		s.http.Handler = s.Around(s.http.Handler)
	}
	return l.Addr(), nil
}

// Run serves until the context ends, then lets running requests finish for a while.
func (s *Server) Run(ctx context.Context) error {
	defer s.runPlain()()
	if s.acme != nil {
		go s.acme.begin(ctx)
	}
	failed := make(chan error, 1)
	go func() {
		if s.http.TLSConfig != nil {
			failed <- s.http.ServeTLS(s.listener, "", "")
		} else {
			failed <- s.http.Serve(s.listener)
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := s.http.Shutdown(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return s.http.Close()
}

// Package serve is the HTTP ground that all edges stand on: the listener, the
// middleware every request passes, request limits, and the one mapping of
// social.Error to statuses and bodies.
//
// It does not know which routes exist: api, web and federation mount theirs.
package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/mux"
)

// Options of a Server.
type Options struct {
	Listen         string
	TLSCert        string // with TLSKey: https without a proxy
	TLSKey         string
	TrustedProxies []string
	RequestsPer5m  int // of one address; loopback is not limited
	Now            func() time.Time
	Log            *slog.Logger
}

// Server listens and serves.
type Server struct {
	Options
	Router   *mux.Router
	listener net.Listener
	http     *http.Server
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
	limiter := newLimiter(o.RequestsPer5m, o.Now)
	handler := Middleware(s.Router, proxies, limiter, o.Log)
	s.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute, // an upload over a slow line; the inbox sets its own
		WriteTimeout:      3 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Handler is the whole chain, for tests that bring their own listener.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// Listen opens the port, so that a taken one is known before anything else starts.
func (s *Server) Listen() (net.Addr, error) {
	l, err := net.Listen("tcp", s.Options.Listen)
	if err != nil {
		return nil, err
	}
	s.listener = l
	return l.Addr(), nil
}

// Run serves until the context ends, then lets running requests finish.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() {
		if s.TLSCert != "" {
			failed <- s.http.ServeTLS(s.listener, s.TLSCert, s.TLSKey)
		} else {
			failed <- s.http.Serve(s.listener)
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.http.Shutdown(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return s.http.Close()
}

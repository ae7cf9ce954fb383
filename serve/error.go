package serve

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/social"
)

// errLimited asks a caller to wait.
func errLimited(wait time.Duration) *social.Error {
	return &social.Error{Kind: social.Limited, Public: "too many requests; wait a little and try again", RetryAfter: wait}
}

// Status maps what a caller can do about an error to HTTP.
func Status(err error) int {
	switch social.KindOf(err) {
	case social.Invalid:
		return http.StatusUnprocessableEntity
	case social.Unauthenticated:
		return http.StatusUnauthorized
	case social.Forbidden:
		return http.StatusForbidden
	case social.NotFound:
		return http.StatusNotFound
	case social.Conflict:
		return http.StatusConflict
	case social.Gone:
		return http.StatusGone
	case social.Limited:
		return http.StatusTooManyRequests
	case social.TooLarge:
		return http.StatusRequestEntityTooLarge
	case social.Unavailable:
		return http.StatusServiceUnavailable
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable // not a fault: the caller left, or we had no time for it
	}
	return http.StatusInternalServerError
}

// Public is the text for people; a fault of ours says nothing about its cause.
func Public(err error) string {
	var e *social.Error
	if errors.As(err, &e) && e.Kind != social.Internal && e.Public != "" {
		return e.Public
	}
	return "something went wrong here; try again, and tell the administrator if it stays"
}

// Prepare logs faults of ours and sets what every error answer carries.
func Prepare(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) int {
	status := Status(err)
	switch {
	case r.Context().Err() != nil: // nobody waits for the answer
		log.Debug("request left", "request", RequestID(r.Context()), "method", r.Method, "path", r.URL.Path, "error", err)
	case status >= 500:
		log.Error("request failed", "request", RequestID(r.Context()), "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if wait := retryAfter(err, status); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	w.Header().Set("Cache-Control", "no-store")
	return status
}

// retryAfter is how long to wait before the same request makes sense again.
func retryAfter(err error, status int) time.Duration {
	var e *social.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	if status == http.StatusServiceUnavailable {
		return 30 * time.Second
	}
	return 0
}

// MethodNotAllowed answers 405 and names the methods that are there (RFC 9110 15.5.6).
func MethodNotAllowed(w http.ResponseWriter, allowed []string) {
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	w.Header().Set("Cache-Control", "no-store")
	JSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "this address takes " + strings.Join(allowed, ", ")})
}

// Error answers with Mastodon's JSON below /api and /oauth, with problem+json
// elsewhere. Pages for people are made by web.
func Error(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	status := Prepare(w, r, log, err)
	if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/oauth/") {
		JSON(w, status, map[string]string{"error": Public(err)})
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": Public(err)})
}

// Browser says that a person reads the answer: the request takes a page and is not
// one of the programs' addresses.
func Browser(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/api/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// JSON writes a value as the answer.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the connection may be gone; nobody is left to tell
}

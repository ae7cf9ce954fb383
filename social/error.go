package social

import (
	"errors"
	"fmt"
	"time"
)

// Kind sorts errors by what the caller can do about them; package serve alone
// turns kinds into HTTP statuses.
type Kind int

const (
	// Internal is a fault of ours; its text is never shown.
	Internal Kind = iota
	// Invalid input: the caller must change it.
	Invalid
	// Unauthenticated: who is asking must be known first.
	Unauthenticated
	// Forbidden: known, and not allowed. Never used where it would tell the
	// hidden from the missing.
	Forbidden
	// NotFound: missing or hidden, on purpose the same.
	NotFound
	// Conflict with the present state.
	Conflict
	// Gone: deleted, said only to readers of the last audience.
	Gone
	// Limited: too many or too often; try again later.
	Limited
	// TooLarge: the caller must send less at once.
	TooLarge
	// Unavailable: a dependency is down or full; try again later.
	Unavailable
)

// Error carries a text for people (Public) and a private cause (Err) for the log.
type Error struct {
	// RetryAfter says when to try again, for Limited and Unavailable; zero: unknown.
	RetryAfter time.Duration

	Kind   Kind
	Public string
	Err    error
	// Field names the setting that is wrong, where many are given at once.
	Field string
	// Format and Args made Public, when Errorf did: a translation starts from them.
	Format string
	Args   []any
}

// Error is for the log: it holds the cause, which Public never does.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Public + ": " + e.Err.Error()
	}
	return e.Public
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrNotFound) true for every NotFound error.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Public == "" && t.Err == nil && t.Kind == e.Kind
}

// ErrNotFound and ErrConflict match every error of their kind with errors.Is.
var (
	ErrNotFound = &Error{Kind: NotFound}
	ErrConflict = &Error{Kind: Conflict}
)

// Errorf makes an Error whose Public text helps the person go on.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Public: fmt.Sprintf(format, args...), Format: format, Args: args}
}

// NotFoundError is the one answer for missing and for hidden.
func NotFoundError() *Error { return &Error{Kind: NotFound, Public: "not found"} }

// KindOf tells the kind of any error; foreign errors are Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

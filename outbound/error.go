package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Kind of failure.
type Kind int

const (
	Refused     Kind = iota // by us, before anything was sent: address, scheme, host or port
	Unreachable             // no connection, or it broke
	Timeout                 // the time for the request was over
	TooLarge                // the answer is larger than its purpose allows
	BadType                 // the answer is of another type or encoding than was asked for
	Redirect                // too many, to itself, or to nowhere
)

// String names the kind in log lines.
func (k Kind) String() string {
	return [...]string{"refused", "unreachable", "timeout", "too large", "bad type", "redirect"}[k]
}

// Final says that the failure is a decision of ours about what the other side is
// or sent, so that asking again is no use; all others are the network's.
func (k Kind) Final() bool { return k != Unreachable && k != Timeout }

// Error of a request that got no usable answer. Its text names the peer and holds
// no secret.
type Error struct {
	Kind Kind
	Err  error
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// failed makes an error of our own decision and logs it.
func (c *Client) failed(k Kind, format string, args ...any) error {
	err := &Error{k, fmt.Errorf(format, args...)}
	c.o.Log.Info("outgoing request stopped", "kind", k.String(), "reason", err.Error())
	return err
}

// unreachable sorts what the transport answers; what the dialer refused stays so.
func unreachable(err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var n net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout() {
		return &Error{Timeout, err}
	}
	return &Error{Unreachable, err}
}

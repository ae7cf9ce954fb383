package instancetest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// Log keeps what is logged, or what a program writes, while others read it. The zero
// value is ready.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is everything so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// With lists the lines that hold all parts.
func (l *Log) With(parts ...string) (found []string) {
	for line := range strings.Lines(l.String()) {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(line, p)
		}
		if all {
			found = append(found, line)
		}
	}
	return found
}

// everything is for handlers that leave no level out.
var everything = &slog.HandlerOptions{Level: slog.LevelDebug}

// Text logs into it as log.format text and log.level debug do.
func (l *Log) Text() *slog.Logger { return slog.New(slog.NewTextHandler(l, everything)) }

// JSON logs into it as log.format json and log.level debug do.
func (l *Log) JSON() *slog.Logger { return slog.New(slog.NewJSONHandler(l, everything)) }

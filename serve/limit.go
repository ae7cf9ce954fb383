package serve

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limiter counts what each key does in windows of five minutes. Its memory is
// bounded: when full, the windows begin anew. The nil Limiter lets everything pass.
type Limiter[K comparable] struct {
	most  int
	now   func() time.Time
	mu    sync.Mutex
	start time.Time
	seen  map[K]int
}

const (
	limitWindow = 5 * time.Minute
	limitTable  = 100_000
)

// NewLimiter allows most requests of a key in a window; zero means no limit.
func NewLimiter[K comparable](most int, now func() time.Time) *Limiter[K] {
	if most <= 0 {
		return nil
	}
	return &Limiter[K]{most: most, now: now, seen: map[K]int{}}
}

// Allowance is what a key has left in its window.
type Allowance struct {
	Limit, Remaining int
	Reset            time.Time
}

// Take counts one request. The error is of kind Limited and says when to come back.
func (l *Limiter[K]) Take(key K) (Allowance, error) {
	if l == nil {
		return Allowance{}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.start) >= limitWindow || len(l.seen) >= limitTable {
		l.start, l.seen = now, map[K]int{}
	}
	l.seen[key]++
	a := Allowance{Limit: l.most, Remaining: max(0, l.most-l.seen[key]), Reset: l.start.Add(limitWindow)}
	if l.seen[key] > l.most {
		return a, errLimited(a.Reset.Sub(now))
	}
	return a, nil
}

// Show writes the X-RateLimit headers of the Mastodon API.
func (a Allowance) Show(h http.Header) {
	if a.Limit == 0 {
		return
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(a.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(a.Remaining))
	h.Set("X-RateLimit-Reset", a.Reset.UTC().Format("2006-01-02T15:04:05.000Z"))
}

package federation

import (
	"net"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// failures remembers for a while what need not be tried again. When the table is
// full it begins anew: bounded memory counts more than one fetch too many (C4).
type failures struct {
	mu    sync.Mutex
	life  time.Duration
	until map[string]time.Time
}

const failureTable = 10_000

func newFailures(life time.Duration) *failures {
	return &failures{life: life, until: map[string]time.Time{}}
}

// fresh says that a key was not noted within its life, and notes it.
func (f *failures) fresh(key string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Before(f.until[key]) {
		return false
	}
	if len(f.until) >= failureTable {
		clear(f.until)
	}
	f.until[key] = now.Add(f.life)
	return true
}

// known says that a key was noted.
func (f *failures) known(key string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.until[key])
}

// allowance lets a key do something so many times in a window; bounded like failures.
type allowance struct {
	mu     sync.Mutex
	most   int
	window time.Duration
	start  time.Time
	taken  map[string]int
}

func newAllowance(most int, window time.Duration) *allowance {
	return &allowance{most: most, window: window, taken: map[string]int{}}
}

// take uses up one, and says whether there was one.
func (a *allowance) take(key string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Sub(a.start) >= a.window || len(a.taken) >= failureTable {
		a.start = now
		clear(a.taken)
	}
	a.taken[key]++
	return a.taken[key] <= a.most
}

// registrable is the domain that somebody bought: one owner of a wildcard name
// counts as one, however many hosts it answers for (C2).
func registrable(authority string) string {
	host := authority
	if h, _, err := net.SplitHostPort(authority); err == nil {
		host = h
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return authority // an IP address or a local name, where the port tells servers apart
}

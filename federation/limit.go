package federation

import (
	"context"
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

// forget takes a note back.
func (f *failures) forget(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.until, key)
}

// places bounds what goes on at once, in all and for each key; what finds no place
// waits for one.
type places struct {
	mu   sync.Mutex
	all  chan struct{}
	each int
	by   map[string]*place
}

// place is those of one key, kept while somebody has one or waits.
type place struct {
	taken chan struct{}
	users int
}

func newPlaces(all, each int) *places {
	return &places{all: make(chan struct{}, all), each: each, by: map[string]*place{}}
}

// take waits for a place and answers how to leave it; the error is the context's.
func (p *places) take(ctx context.Context, key string) (leave func(), err error) {
	p.mu.Lock()
	one := p.by[key]
	if one == nil {
		one = &place{taken: make(chan struct{}, p.each)}
		p.by[key] = one
	}
	one.users++
	p.mu.Unlock()
	if err := enter(ctx, one.taken); err != nil {
		p.forget(key, one)
		return nil, err
	}
	if err := enter(ctx, p.all); err != nil {
		<-one.taken
		p.forget(key, one)
		return nil, err
	}
	return func() {
		<-p.all
		<-one.taken
		p.forget(key, one)
	}, nil
}

func enter(ctx context.Context, taken chan struct{}) error {
	select {
	case taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *places) forget(key string, one *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(p.by, key)
	}
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

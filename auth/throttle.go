package auth

import (
	"net/netip"
	"sync"
	"time"

	"parley/social"
)

// Wrong passwords in one window: of one name, so that nobody guesses it from many
// places; of one address, so that nobody tries many names from it. Colleagues
// behind one proxy share an address, so that bound is wide.
const (
	failWindow     = 15 * time.Minute
	failsOfName    = 10
	failsOfAddress = 100
	failTable      = 100_000
)

// Forgotten passwords in one window: each may write somebody a mail.
const (
	forgotOfName    = 3
	forgotOfAddress = 30
)

// throttle counts attempts. Its memory is bounded: when full, it begins anew.
type throttle struct {
	now               func() time.Time
	ofName, ofAddress int // at most, in a window
	mu                sync.Mutex
	start             time.Time
	fails             map[any]int // by folded name (string) and by address
}

func newThrottle(now func() time.Time, ofName, ofAddress int) *throttle {
	return &throttle{now: now, ofName: ofName, ofAddress: ofAddress, fails: map[any]int{}}
}

// take counts an attempt before it is checked, so that many at once are counted
// too; undo takes it back when the password was right.
func (t *throttle) take(name string, addr netip.Addr) (undo func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if now.Sub(t.start) >= failWindow || len(t.fails) >= failTable {
		t.start, t.fails = now, map[any]int{}
	}
	known := addr.IsValid() && !addr.IsLoopback() // behind an unnamed proxy all are loopback
	if t.fails[name] >= t.ofName || known && t.fails[addr] >= t.ofAddress {
		return nil, &social.Error{Kind: social.Limited, Public: "too many attempts; wait a quarter of an hour and try again",
			RetryAfter: t.start.Add(failWindow).Sub(now)}
	}
	t.fails[name]++
	if known {
		t.fails[addr]++
	}
	return func() { t.forgive(name, addr, known) }, nil
}

// forgive forgets the wrong passwords of a name that was proved, and this attempt
// of the address.
func (t *throttle) forgive(name string, addr netip.Addr, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.fails, name)
	if known && t.fails[addr] > 0 {
		t.fails[addr]--
	}
}

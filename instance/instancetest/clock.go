package instancetest

import (
	"sync"
	"time"
)

// Clock is time that moves only when a test moves it. Instances that share one
// live through a month of outage in a moment.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at the present, since peers outside the test have the real time.
func NewClock() *Clock { return &Clock{now: time.Now().UTC().Truncate(time.Millisecond)} }

// Now is the present of all who share the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

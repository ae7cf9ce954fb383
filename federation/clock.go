package federation

import (
	"maps"
	"net/http"
	"sync"
	"time"

	"parley/outbound"
)

// wrongClock is by how much a clock is wrong that somebody should look after: what is
// signed by it is soon refused.
const wrongClock = time.Minute

// clocks are those of other servers that go wrong, by the Date of their answers. They
// are forgotten when this instance ends; the next answer tells it again.
type clocks struct {
	mu    sync.Mutex
	ahead map[string]time.Duration
}

// note reads the clock of a server off its answer, and tells how far it is ahead.
func (c *clocks) note(peer string, res *outbound.Response, now time.Time) time.Duration {
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ahead := date.Sub(now.Truncate(time.Second))
	switch {
	case ahead.Abs() < wrongClock:
		delete(c.ahead, peer)
	case len(c.ahead) < failureTable:
		if c.ahead == nil {
			c.ahead = map[string]time.Duration{}
		}
		c.ahead[peer] = ahead
	}
	return ahead
}

// Clocks tells of servers whose clock goes wrong how far it is ahead.
func (s *Server) Clocks() map[string]time.Duration {
	s.clocks.mu.Lock()
	defer s.clocks.mu.Unlock()
	return maps.Clone(s.clocks.ahead)
}

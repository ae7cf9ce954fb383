package demo

import (
	"context"
	"sync/atomic"
	"time"
)

// clock is that of all places. While a demo is made it stands some days behind and is put
// forward from line to line, so that what was said does not look said at once; then it is
// the real one.
type clock struct{ behind atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) }

// put sets the clock to a moment that is past, or to now; it never goes back.
func (c *clock) put(t time.Time) {
	if t.After(c.Now()) {
		c.behind.Store(max(0, int64(time.Since(t))))
	}
}

// setBack starts a new demo in the past.
func (c *clock) setBack(to time.Time) { c.behind.Store(int64(time.Since(to))) }

// moment is a time of day some days ago.
func moment(days int, timeOfDay string) (time.Time, error) {
	at, err := time.Parse("15:04", timeOfDay)
	y, m, d := time.Now().AddDate(0, 0, -days).Date()
	return time.Date(y, m, d, at.Hour(), at.Minute(), 0, 0, time.Local), err
}

// passTo puts the clock forward once all that was said has arrived: what is signed at one
// time and read at another would be refused.
func (d *Demo) passTo(ctx context.Context, to time.Time) error {
	err := d.await(ctx, "everything arrives", func() bool {
		for _, p := range d.places {
			kinds, err := p.in.DB.Kinds(ctx)
			if err != nil {
				return false
			}
			for _, k := range kinds {
				if k.Waiting > 0 && (k.Name == "deliver" || k.Name == "inbox") {
					return false
				}
			}
		}
		return true
	})
	d.clock.put(to)
	return err
}

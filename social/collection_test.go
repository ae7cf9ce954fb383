package social

import (
	"testing"
	"time"
)

// A cursor that goes on after a hidden post does not name it and skips nothing.
func TestBlur(t *testing.T) {
	for range 100 {
		id := NewID(time.Now())
		up, down := blur(id, true), blur(id, false)
		if up >= FirstID(id.Time()) || down <= id || up.Time().Before(id.Time().Add(-time.Millisecond)) || down != FirstID(id.Time().Add(time.Millisecond)) {
			t.Fatalf("%d: %d and %d", id, up, down)
		}
	}
}

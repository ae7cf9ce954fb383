package instancetest

import "testing"

// Many is how many of its things a test shall do that is about their number: all of them,
// but few where the race detector makes each several times as slow. The same code runs for
// each, so the first ones race as much as the last. ./test/all finds the tests that call this,
// each in its own body, and runs them once more without the detector.
func Many(t testing.TB, all, few int) int {
	t.Helper()
	if !raceDetector {
		return all
	}
	t.Logf("%d of %d, for the race detector", few, all)
	return few
}

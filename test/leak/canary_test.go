package leak_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"parley/instance/instancetest"
)

// regressions are seeds that once found a leak, with what it was.
var regressions = []struct {
	seed uint64
	mode string
	was  string
}{
	{1045, "open", "a sister that parted and joined again read in the log what was taken back from it"},
}

// worldSteps is how much happens in one world before the next one begins.
const worldSteps = 1000

// T60: whatever happens, by chance and in any order, no outsider is sent or can fetch
// one byte of what is not for them. PARLEY_CANARY_OPS says how much happens,
// PARLEY_CANARY_SEED where chance begins: a report names the seed of its world.
func TestNothingReachesWhomItIsNotFor(t *testing.T) {
	ops := number0(t, "PARLEY_CANARY_OPS", instancetest.Many(t, 5000, 2000))
	first := uint64(number0(t, "PARLEY_CANARY_SEED", 1))
	if testing.Short() {
		ops = min(ops, worldSteps)
	}
	// What a regression says is what is sent: races show in the worlds below as well.
	for _, one := range regressions[:instancetest.Many(t, len(regressions), 0)] {
		t.Run("regression "+one.was, func(t *testing.T) { run(t, one.mode, one.seed, worldSteps) })
	}
	for seed := first; ops > 0; seed++ {
		mode := []string{"allowlist", "open"}[seed%2]
		t.Run(mode+" seed "+strconv.FormatUint(seed, 10), func(t *testing.T) { run(t, mode, seed, min(ops, worldSteps)) })
		ops -= worldSteps
	}
}

func number0(t *testing.T, name string, usual int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return usual
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// run plays one world to its end.
func run(t *testing.T, mode string, seed uint64, steps int) {
	d := play(t, mode, seed)
	list := acts()
	for range steps {
		d.step(list)
		if d.failed() {
			break
		}
	}
	if d.down != nil {
		d.back()
	}
	d.settle()
	d.failed()
	if d.seen < steps/4 {
		t.Errorf("only %d canaries were found where they may be: the world is too quiet to prove anything", d.seen)
	}
	t.Logf("%d canaries, %d found where they may be, %v", d.made, d.seen, d.done)
}

// failed tells what reached whom it must not, with what led to it.
func (d *driver) failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, bad := range d.bad {
		d.Errorf("%s\n  %s", bad, strings.Join(d.about(bad, 25), "\n  "))
	}
	bad := len(d.bad) > 0
	d.bad = nil
	return bad
}

package instance_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/social"
)

// Thirty companies: the last joins with two commands, and every two are sisters. It
// takes thirty servers, so it runs when PARLEY_TEST_COMPANIES says how many.
func TestThirtyCompanies(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("PARLEY_TEST_COMPANIES"))
	if err != nil {
		t.Skip("PARLEY_TEST_COMPANIES is not set: run ./test/all")
	}
	net := companies(t, n-1)
	last := instancetest.Start(t, t.TempDir(), "")
	net.Instances = append(net.Instances, last)
	start := time.Now()
	accept(t, last, invite(t, net.Instances[0], last, companyZone), social.Zone{})
	joined := time.Since(start)
	net.Settle()
	t.Logf("the two commands took %s, until all had heard %s", joined, time.Since(start))
	sisters(t, net.Instances, net.Instances...)
	alice := net.Member(last, "alice")
	p := says(t, last, alice, "hello to all", "company")
	net.Settle()
	for i, in := range net.Instances[:n-1] {
		if !has(t, in, net.Member(in, fmt.Sprintf("reader%d", i)), p.URI) {
			t.Errorf("%d does not hear the last", i)
		}
	}
}

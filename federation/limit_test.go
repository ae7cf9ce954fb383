package federation

import (
	"fmt"
	"testing"
	"time"
)

// C4: what others can make us remember is bounded, and forgotten in time.
func TestTablesAreBounded(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f, a := newFailures(time.Minute), newAllowance(2, time.Minute)
	for n := range 100_000 {
		f.fresh(fmt.Sprint(n), now)
		a.take(fmt.Sprint(n), now)
	}
	if len(f.until) > failureTable || len(a.taken) > failureTable {
		t.Errorf("%d and %d entries", len(f.until), len(a.taken))
	}
	f.fresh("x", now)
	if !f.known("x", now.Add(59*time.Second)) || f.known("x", now.Add(time.Minute)) {
		t.Error("a failure is known for one minute")
	}
	a = newAllowance(2, time.Minute)
	for n, want := range []bool{true, true, false} {
		if a.take("x", now) != want {
			t.Errorf("take %d: want %v", n, want)
		}
	}
	if !a.take("y", now) || !a.take("x", now.Add(time.Minute)) {
		t.Error("each key has its own, and a new window begins")
	}
}

// C2: a wildcard domain counts as one.
func TestRegistrable(t *testing.T) {
	for in, want := range map[string]string{"a1.troll.example.com": "example.com", "a2.troll.example.com:8443": "example.com",
		"x.co.uk": "x.co.uk", "me.github.io": "me.github.io", "127.0.0.1:8080": "127.0.0.1:8080", "[::1]:80": "[::1]:80"} {
		if got := registrable(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestKeyOf(t *testing.T) {
	actor := "https://a.test/users/bob"
	for key, want := range map[string]bool{actor + "#main-key": true, actor + "/main-key": true, actor + "?k=1": true, actor: true,
		"https://a.test/users/bobby#main-key": false, "https://a.test/users/alice#main-key": false, "https://b.test/users/bob#main-key": false} {
		if keyOf(key, actor) != want {
			t.Errorf("%s: want %v", key, want)
		}
	}
}

func TestCanonical(t *testing.T) {
	for id, want := range map[string]bool{"https://a.test/1": true, "https://a.test:8443/1": true, "http://127.0.0.1:81/1": true,
		"https://A.test/1": false, "HTTPS://a.test/1": false, "https://a.test:443/1": false, "https://a.test./1": false,
		"https://me@a.test/1": false, "https://m\u00fcller.test/1": false, "acct:bob@a.test": false, "": false} {
		if canonical(id) != want {
			t.Errorf("%s: want %v", id, want)
		}
	}
}

package social

import (
	"strings"
	"testing"
	"time"
)

// FuzzID: an id has exactly one spelling, and ids sort by time in it.
func FuzzID(f *testing.F) {
	for _, s := range []string{"1", "0", "-1", "+1", "007", "9223372036854775807", "9223372036854775808", "1e3", " 1", "1_0", "٣", "115000000000000000", ""} {
		f.Add(s, int64(1_700_000_000_000))
	}
	f.Fuzz(func(t *testing.T, s string, ms int64) {
		id, err := ParseID(s)
		switch {
		case err != nil && (id != 0 || KindOf(err) != NotFound):
			t.Errorf("%q: %d, %v", s, id, err)
		case err == nil && (id <= 0 || id.String() != s):
			t.Errorf("%q reads as %s", s, id)
		}
		if ms <= 0 || ms >= 1<<43-1 {
			return // 43 bits reach to the year 2248
		}
		at := time.UnixMilli(ms)
		id = NewID(at)
		if back, err := ParseID(id.String()); err != nil || back != id || !id.Time().Equal(at) {
			t.Errorf("%d: %s, %s, %v", ms, id, back, err)
		}
		if first, next := FirstID(at), FirstID(at.Add(time.Millisecond)); first > id || next <= id {
			t.Errorf("%s is not between %s and %s", id, first, next)
		}
	})
}

// FuzzLinks: addresses that are not exactly ours name nobody here.
func FuzzLinks(f *testing.F) {
	l := Links{PublicURL: "https://a.test", Domain: "a.test"}
	for _, s := range []string{l.Account(5), l.Post(5, 6), "https://a.test/users/05", "https://a.test/users/5/statuses/6/activity", "https://a.test.evil.test/users/5",
		"https://A.test/users/5", "https://a.test/users/5?x", "https://a.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if id, ok := l.ParseAccount(uri); ok && l.Account(id) != uri {
			t.Errorf("%q names the account %s", uri, id)
		}
		if author, post, ok := l.ParsePost(uri); ok && l.Post(author, post) != uri {
			t.Errorf("%q names the post %s of %s", uri, post, author)
		}
		if l.Owns(uri) && uri != l.PublicURL && !strings.HasPrefix(uri, "https://a.test/") {
			t.Errorf("%q is not ours", uri)
		}
	})
}

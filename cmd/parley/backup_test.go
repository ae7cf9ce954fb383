package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-mastodon"

	"parley/instance/instancetest"
)

// staff are the people of one served instance, who write on and on. The first of them
// follows everybody of the other.
type staff struct {
	*served
	people []*person
	theirs []mastodon.ID // of the other staff, as they are called here

	stopped atomic.Bool // errors count no longer: the server is gone, or they are told to end
	wg      sync.WaitGroup
	mu      sync.Mutex
	acked   []string // URIs of the posts that the server took
}

func newStaff(t *testing.T, in *served, names ...string) *staff {
	s := &staff{served: in}
	for _, n := range names {
		s.people = append(s.people, join(in, n))
	}
	t.Cleanup(s.halt)
	return s
}

// meet has the first of one staff follow all of the other.
func (s *staff) meet(other *staff) {
	s.t.Helper()
	reader := &side{person: s.people[0], in: s.served}
	for _, p := range other.people {
		reader.finds(&side{person: p, in: other.served})
		s.theirs = append(s.theirs, reader.other.ID)
	}
}

// write has all of them write, each now and then as people do, until halt.
func (s *staff) write() {
	s.stopped.Store(false)
	for _, p := range s.people {
		s.wg.Go(func() {
			for i := 0; !s.stopped.Load(); i++ {
				said, err := p.PostStatus(s.t.Context(), &mastodon.Toot{Status: fmt.Sprintf("thought %d of %s", i, p.Username),
					Visibility: []string{mastodon.VisibilityPublic, mastodon.VisibilityFollowersOnly}[i%2]})
				switch {
				case err == nil:
					s.mu.Lock()
					s.acked = append(s.acked, said.URI)
					s.mu.Unlock()
				case !s.stopped.Load():
					s.t.Error(err)
					return
				}
				time.Sleep(50 * time.Millisecond) // the next thought
			}
		})
	}
}

func (s *staff) halt() {
	s.stopped.Store(true)
	s.wg.Wait()
}

// wrote lists what the server took so far.
func (s *staff) wrote() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acked)
}

// more waits until so many further posts were taken.
func (s *staff) more(n int) {
	s.t.Helper()
	until := len(s.wrote()) + n
	eventually(s.t, s.host+" takes more posts", func() bool { return s.t.Failed() || len(s.wrote()) >= until })
}

// own and others are the posts that stand on the server, of its people as each sees
// their own and of the other's as the reader sees them; in a list each has to stand once.
func (s *staff) own() map[string]bool {
	s.t.Helper()
	all := map[string]bool{}
	for _, p := range s.people {
		maps.Copy(all, s.of(p, p.ID))
	}
	return all
}

func (s *staff) others() map[string]bool {
	s.t.Helper()
	all := map[string]bool{}
	for _, id := range s.theirs {
		maps.Copy(all, s.of(s.people[0], id))
	}
	return all
}

// of lists what a reader sees of an author.
func (s *staff) of(reader *person, author mastodon.ID) map[string]bool {
	s.t.Helper()
	return s.listed(func(p *mastodon.Pagination) ([]*mastodon.Status, error) {
		return reader.GetAccountStatuses(s.t.Context(), author, p)
	})
}

// listed reads a list to its end.
func (s *staff) listed(page func(p *mastodon.Pagination) ([]*mastodon.Status, error)) map[string]bool {
	s.t.Helper()
	seen := map[string]bool{}
	for p := (&mastodon.Pagination{Limit: 40}); ; {
		list := ok[[]*mastodon.Status](s.t)(page(p))
		for _, one := range list {
			if seen[one.URI] {
				s.t.Errorf("%s is there twice", one.URI)
			}
			seen[one.URI] = true
		}
		if len(list) == 0 || p.MaxID == "" {
			return seen
		}
		p = &mastodon.Pagination{Limit: 40, MaxID: p.MaxID}
	}
}

// home is what stands in the reader's home timeline.
func (s *staff) home() map[string]bool {
	s.t.Helper()
	return s.listed(func(p *mastodon.Pagination) ([]*mastodon.Status, error) {
		return s.people[0].GetTimelineHome(s.t.Context(), p)
	})
}

// lacks lists what a set has not.
func lacks(set map[string]bool, want []string) (out []string) {
	for _, one := range want {
		if !set[one] {
			out = append(out, one)
		}
	}
	return out
}

func names(set map[string]bool) []string { return slices.Collect(maps.Keys(set)) }

// agree waits until each holds of the other what it should.
func agree(a, b *staff) {
	a.t.Helper()
	for _, one := range []struct{ here, there *staff }{{a, b}, {b, a}} {
		eventually(a.t, one.here.host+" holds of "+one.there.host+" what it should", func() bool {
			out, err := one.here.command("peer", "digest", one.there.host, "--json").Output()
			return err == nil && strings.Contains(string(out), `"equal":"true"`)
		})
	}
}

// A backup that was taken while people wrote on both sides, restored where nothing was,
// catches up with the sister: nothing that the backup or the sister holds is lost, and
// nothing is there twice.
func TestBackupUnderLoadComesBack(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { backupUnderLoadComesBack(t, "sqlite:parley.db", "sqlite:parley.db") })
	t.Run("postgres", func(t *testing.T) {
		databases := instancetest.Postgres(t)
		backupUnderLoadComesBack(t, databases(0), databases(1))
	})
}

func backupUnderLoadComesBack(t *testing.T, from, to string) {
	trust := newTrust(t)
	a := newStaff(t, serveOver(t, trust, from), "alice", "ann", "abel")
	b := newStaff(t, serveTLS(t, trust), "bob", "ben", "bea")
	a.joinedBy(b.served)
	a.meet(b)
	b.meet(a)

	a.write()
	b.write()
	a.more(50)
	b.more(50)
	file := filepath.Join(t.TempDir(), "parley.backup")
	before := a.wrote()
	a.run("backup", file)
	saved := a.wrote()
	a.more(50)
	b.more(50)
	eventually(t, "something written after the backup has left", func() bool { return len(lacks(b.others(), a.wrote()[len(saved):])) < len(a.wrote())-len(saved) })

	// The machine of one burns down; people of the other write on.
	a.stopped.Store(true)
	_ = a.end(syscall.SIGKILL) // it says that it was killed
	a.halt()
	if err := os.RemoveAll(a.data); err != nil {
		t.Fatal(err)
	}
	b.more(50)
	ever, sister := a.wrote(), names(b.others())
	a.configure(to)
	a.run("restore", file)
	a.start()
	b.more(50)
	b.halt()

	eventually(t, "what the sister wrote is here", func() bool { return len(lacks(a.home(), b.wrote())) == 0 })
	eventually(t, "what the sister gives back is here", func() bool { return len(lacks(a.own(), sister)) == 0 })
	if lost := lacks(a.own(), before); len(lost) != 0 {
		t.Errorf("%d posts from before the backup are lost: %q", len(lost), lost)
	}
	// What is new gets a name of its own, and reaches the other.
	for _, one := range []struct{ from, to *staff }{{a, b}, {b, a}} {
		p := one.from.people[1].post(mastodon.Toot{Status: "after the restore"})
		if slices.Contains(ever, p.URI) {
			t.Errorf("%s is the name of another post", p.URI)
		}
		eventually(t, "what is new arrives", func() bool { return one.to.home()[p.URI] })
	}
	eventually(t, "the sister has what was restored", func() bool { return len(lacks(b.home(), names(a.own()))) == 0 })
	agree(a, b)
	t.Logf("%d posts were taken, %d of them before the backup; the sister had %d when the machine was lost; %d never left it after the backup, and are lost",
		len(ever), len(before), len(sister), len(lacks(a.own(), ever)))
}

package federation_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// clock is a time that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// ballot is an instance with an open poll, and a server whose people vote.
type ballot struct {
	*testing.T
	in    *instance.Instance
	net   *instancetest.Network
	r     *remote
	sent  *deliveries
	clock *clock
	alice social.Reader
	poll  *social.Post
	n     int
}

func newBallot(t *testing.T, audience string, multiple bool) *ballot {
	t.Helper()
	c := &clock{}
	b := &ballot{T: t, clock: c, r: newRemote(t)}
	b.r.now = c.now
	b.in = instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: c.now})
	b.net = &instancetest.Network{T: t, Instances: []*instance.Instance{b.in}}
	if err := b.in.Social.SetZone(context.Background(), b.r.host(), social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	for n := range 8 {
		name := fmt.Sprintf("voter%d", n)
		b.r.docs["/users/"+name] = b.r.person(name)
	}
	b.sent = b.r.deliveries()
	b.alice = b.net.Member(b.in, "alice")
	b.poll = publish(t, b.in, b.alice, social.Draft{Text: "when?", Audience: audience,
		Poll: &social.PollDraft{Options: []string{"Mon", "Tue", "Wed"}, Multiple: multiple, ExpiresIn: time.Hour}})
	return b
}

// vote sends a vote of somebody.
func (b *ballot) vote(name string, options ...string) {
	b.Helper()
	b.n++
	var votes []any
	for _, o := range options {
		votes = append(votes, map[string]any{"id": b.r.url(fmt.Sprintf("/votes/%d/%s", b.n, o)), "type": "Note", "name": o,
			"attributedTo": b.r.actor(name), "inReplyTo": b.poll.URI, "to": b.alice.Account.URI})
	}
	b.r.as(name)
	activity := map[string]any{"id": b.r.url(fmt.Sprintf("/creates/vote/%d", b.n)), "type": "Create", "actor": b.r.actor(name), "object": votes, "to": b.alice.Account.URI}
	if got := b.r.sendJSON(b.in.Config.PublicURL+"/inbox", activity); got != 202 {
		b.Fatalf("answered %d", got)
	}
	b.net.Settle()
}

func (b *ballot) counts(want string) {
	b.Helper()
	v, err := b.in.Social.PostByURI(context.Background(), b.alice, b.poll.URI)
	if err != nil {
		b.Fatal(err)
	}
	if got := fmt.Sprint(v.Post.Poll.Counts(), v.Post.Poll.Voters); got != want {
		b.Errorf("counts %s, want %s", got, want)
	}
}

// T16: one vote each, before the end, for what is on the list, by those who may see
// the poll.
func TestPollStuffing(t *testing.T) {
	b := newBallot(t, "public", false)
	b.vote("voter1", "Mon")
	b.vote("voter1", "Mon")
	b.vote("voter1", "Tue")
	b.vote("voter2", "Tue", "Wed")
	b.vote("voter3", "Sun")
	b.counts("[1 1 0] 2")
	b.r.as("voter4") // in the name of somebody else
	stolen := map[string]any{"id": b.r.url("/votes/x"), "type": "Note", "name": "Wed", "attributedTo": b.r.actor("voter5"), "inReplyTo": b.poll.URI}
	b.r.sendJSON(b.in.Config.PublicURL+"/inbox", map[string]any{"id": b.r.url("/creates/x"), "type": "Create", "actor": b.r.actor("voter4"), "object": stolen})
	b.net.Settle()
	b.counts("[1 1 0] 2")
	b.clock.forward(59*time.Minute + 30*time.Second)
	b.vote("voter6", "Wed")
	b.counts("[1 1 1] 3")
	b.clock.forward(time.Minute)
	b.vote("voter7", "Wed")
	b.counts("[1 1 1] 3")
}

// T16: with several answers allowed, each counts once for each voter.
func TestPollStuffingWithSeveralAnswers(t *testing.T) {
	b := newBallot(t, "public", true)
	b.vote("voter1", "Mon", "Tue", "Mon")
	b.vote("voter1", "Tue", "Wed")
	b.counts("[1 1 1] 1")
}

// T16: whoever cannot see a poll has no vote in it.
func TestVoteByNonAudience(t *testing.T) {
	b := newBallot(t, "company", false)
	b.vote("voter1", "Mon")
	b.counts("[0 0 0] 0")
}

// T16: what a poll's owner announces is never less than nothing, of the same options
// and its own.
func TestPollCountsOfOthers(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	question := func(author string, votes ...int) map[string]any {
		q := r.note(1)
		var options []any
		for i, n := range votes {
			options = append(options, map[string]any{"type": "Note", "name": fmt.Sprint("option ", i), "replies": map[string]any{"type": "Collection", "totalItems": n}})
		}
		q["type"], q["attributedTo"], q["oneOf"], q["votersCount"] = "Question", r.actor(author), options, votes[0]
		return q
	}
	create := r.create(1)
	create["object"] = question("mallory", 1, 2)
	if r.sendJSON(inbox, create) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	for n, one := range []struct {
		by   string
		poll map[string]any
		want string
	}{
		{"mallory", question("mallory", 3, 4), "[3 4] 3"},
		{"mallory", question("mallory", -5, 4), "[0 4] 0"},
		{"mallory", question("mallory", 1, 2, 3), "[0 4] 0"},
		{"victim", question("victim", 9, 9), "[0 4] 0"},
		{"victim", question("mallory", 9, 9), "[0 4] 0"},
	} {
		r.as(one.by)
		if got := r.sendJSON(inbox, map[string]any{"id": r.url(fmt.Sprintf("/u/%d", n)), "type": "Update", "actor": r.actor(one.by), "object": one.poll}); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
		v, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/1"))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(v.Post.Poll.Counts(), v.Post.Poll.Voters); got != one.want {
			t.Errorf("%d: %s, want %s", n, got, one.want)
		}
	}
}

// Counts that come before their poll bring it.
func TestPollCountsBeforeThePoll(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	q := r.note(1)
	q["type"], q["oneOf"] = "Question", []any{map[string]any{"type": "Note", "name": "yes"}, map[string]any{"type": "Note", "name": "no"}}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/u/1"), "type": "Update", "actor": r.actor("mallory"), "object": q}); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	if !known(t, in, r.url("/notes/1")) {
		t.Error("the poll is not there")
	}
}

// A vote in somebody else's poll is theirs to count: it makes us fetch nothing.
func TestVoteElsewhereFetchesNothing(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	vote := map[string]any{"id": r.url("/votes/1"), "type": "Note", "name": "Mon", "attributedTo": r.actor("mallory"), "inReplyTo": other.url("/notes/1")}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/c/1"), "type": "Create", "actor": r.actor("mallory"), "object": vote}); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	if n := other.fetches.Load(); n != 0 {
		t.Errorf("%d fetches", n)
	}
}

// Counts go out once for the votes of three minutes, not once for each vote, and
// none is forgotten; the last ones go when the poll ends.
func TestPollCountsAreTold(t *testing.T) {
	b := newBallot(t, "public", false)
	fetch(t, b.r, "GET", b.poll.URI)
	b.r.as("mallory")
	if b.r.sendJSON(b.in.Config.PublicURL+"/inbox", map[string]any{"id": b.r.url("/f/1"), "type": "Follow", "actor": b.r.actor("mallory"), "object": b.alice.Account.URI}) != 202 {
		t.Fatal("setting up")
	}
	b.net.Settle()
	for n := range 5 {
		b.vote(fmt.Sprintf("voter%d", n), "Mon")
	}
	if n := len(b.sent.of("Update")); n > 1 { // the third minute may have ended meanwhile
		t.Errorf("%d updates for 5 votes", n)
	}
	b.clock.forward(3 * time.Minute)
	b.net.Settle()
	told := len(b.sent.of("Update"))
	if told == 0 || told > 2 {
		t.Errorf("%d updates after three minutes", told)
	}
	last := func() string {
		list := b.sent.of("Update")
		o := list[len(list)-1]["object"].(map[string]any)
		return fmt.Sprint(o["votersCount"], o["closed"] != nil)
	}
	if got := last(); got != "5 false" {
		t.Errorf("told %s", got)
	}
	b.vote("voter6", "Tue")
	b.clock.forward(time.Hour)
	if _, err := b.in.Social.ClosePolls(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.net.Settle()
	if got := last(); got != "6 true" || len(b.sent.of("Update")) != told+1 {
		t.Errorf("at the end: %s, %d updates", got, len(b.sent.of("Update")))
	}
}

package federation_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// turns is one member of another server who changes their mind about a member here.
type turns struct {
	t      *testing.T
	in     *instance.Instance
	r      *remote
	net    *instancetest.Network
	member social.Reader
	post   *social.Post
	clock  *clock
}

func newTurns(t *testing.T) *turns {
	c := &clock{}
	in, r, net := admitted(t, social.ZonePublic)
	r.now = c.now
	s := &turns{t: t, in: in, r: r, net: net, member: net.Member(in, "alice"), clock: c}
	s.post = publish(t, in, s.member, social.Draft{Text: "hi", Audience: "public"})
	return s
}

// say sends an activity and has it done; each is signed later than the one before.
func (s *turns) say(activity map[string]any) {
	s.t.Helper()
	s.clock.forward(2 * time.Second)
	activity["actor"] = s.r.actor("mallory")
	if got := s.r.sendJSON(s.in.Config.PublicURL+"/inbox", activity); got != 202 {
		s.t.Fatalf("answered %d", got)
	}
	s.net.Settle()
}

func (s *turns) follow() map[string]any {
	return map[string]any{"id": s.r.url("/follows/mallory/alice"), "type": "Follow", "actor": s.r.actor("mallory"), "object": s.member.Account.URI}
}

func (s *turns) undo(activity map[string]any) map[string]any {
	return map[string]any{"id": activity["id"].(string) + "/undo", "type": "Undo", "object": activity}
}

// state is the follow of the member: "" if there is none.
func (s *turns) state() (state social.FollowState) {
	s.t.Helper()
	mallory := accountOf(s.t, s.in, s.r.actor("mallory"))
	if err := s.in.DB.View(context.Background(), func(tx social.Tx) error {
		f, err := tx.Follow(context.Background(), mallory.ID, s.member.Account.ID)
		if err == nil {
			state = f.State
		}
		if social.KindOf(err) == social.NotFound {
			err = nil
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return state
}

func (s *turns) wantState(when string, want social.FollowState) {
	s.t.Helper()
	if got := s.state(); got != want {
		s.t.Fatalf("%s: the follow is %q, want %q", when, got, want)
	}
}

// Servers send side by side and try again what failed: what was taken back before it
// came has no effect, by whichever inbox it comes; what another took back has.
func TestUndoBeforeWhatItTakesBack(t *testing.T) {
	s := newTurns(t)
	like := map[string]any{"id": s.r.url("/likes/1"), "type": "Like", "object": s.post.URI}
	boost := map[string]any{"id": s.r.url("/boosts/1"), "type": "Announce", "object": s.post.URI, "to": "as:Public"}
	block := map[string]any{"id": s.r.url("/blocks/1"), "type": "Block", "object": s.member.Account.URI}
	named := map[string]any{"id": s.r.url("/likes/2"), "type": "Like", "object": s.post.URI}
	for _, a := range []map[string]any{like, boost, block, s.follow()} {
		s.say(s.undo(a))
		s.say(a)
	}
	s.say(map[string]any{"id": s.r.url("/undo/2"), "type": "Undo", "object": named["id"]}) // by its id alone
	s.say(named)
	mallory := accountOf(t, s.in, s.r.actor("mallory"))
	if err := s.in.DB.View(context.Background(), func(tx social.Tx) error {
		p, err := tx.Post(context.Background(), s.post.ID)
		if err != nil {
			return err
		}
		if p.FavouritesCount != 0 || p.BoostsCount != 0 {
			t.Errorf("%d likes, %d shares", p.FavouritesCount, p.BoostsCount)
		}
		blocks, err := tx.Blocks(context.Background(), mallory.ID, []social.ID{s.member.Account.ID})
		if blocks[s.member.Account.ID].Blocking {
			t.Error("blocked")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.wantState("undone before it came", "")
	// Nobody takes back what another does, on the same server or elsewhere.
	s.r.as("victim")
	theirs := map[string]any{"id": s.r.url("/likes/3"), "type": "Like", "object": s.post.URI}
	if got := s.r.sendJSON(s.in.Config.PublicURL+"/inbox", map[string]any{"id": s.r.url("/undo/3"), "type": "Undo", "actor": s.r.actor("victim"), "object": theirs["id"]}); got != 202 {
		t.Fatalf("answered %d", got)
	}
	s.net.Settle()
	s.r.as("mallory")
	s.say(theirs)
	if p := postOf(t, s.in, s.post.URI); p.FavouritesCount != 1 {
		t.Errorf("%d likes: another's Undo took one back", p.FavouritesCount)
	}
}

// Some servers make the id of a Follow of the two people: it comes again under the
// same id, and so does the Undo of it.
func TestFollowAgainUnderTheSameId(t *testing.T) {
	s := newTurns(t)
	for range 3 {
		s.say(s.follow())
		s.wantState("followed", social.FollowAccepted)
		s.say(s.follow()) // a repetition of what is done
		s.say(s.undo(s.follow()))
		s.wantState("unfollowed", "")
	}
	s.say(s.follow())
	mallory := accountOf(t, s.in, s.r.actor("mallory"))
	if _, err := s.in.Social.RemoveFollower(context.Background(), s.member, mallory.ID); err != nil {
		t.Fatal(err)
	}
	s.wantState("removed", "")
	s.say(s.follow())
	s.wantState("asked again after the removal", social.FollowAccepted)
}

// An Undo that came first, then the Follow: after the next Undo it counts again.
func TestFollowAfterACrossedUndo(t *testing.T) {
	s := newTurns(t)
	s.say(s.undo(s.follow()))
	s.say(s.follow())
	s.wantState("undone before it came", "")
	again := s.undo(s.follow())
	again["id"] = s.r.url("/undo/again")
	s.say(again)
	s.say(s.follow())
	s.wantState("after the second", social.FollowAccepted)
}

// T4: whoever kept the request of a Follow, and of the Undo of it, changes nothing by
// sending them again, within the time for which signatures count.
func TestReplayedFollowHasNoEffectAfterItsUndo(t *testing.T) {
	for _, dialect := range []httpsig.Dialect{httpsig.Cavage, httpsig.RFC9421} {
		t.Run(dialect.String(), func(t *testing.T) {
			s := newTurns(t)
			inbox := s.in.Config.PublicURL + "/inbox"
			record := func(activity map[string]any) func() {
				activity["actor"] = s.r.actor("mallory")
				body := mustJSON(t, activity)
				var kept http.Header
				s.clock.forward(2 * time.Second)
				if got := s.r.send(inbox, body, dialect, func(q *http.Request) { kept = q.Header.Clone() }); got != 202 {
					t.Fatalf("answered %d", got)
				}
				s.net.Settle()
				return func() {
					t.Helper()
					q, err := http.NewRequest("POST", inbox, bytes.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					q.Header = kept
					res, err := http.DefaultClient.Do(q)
					if err != nil {
						t.Fatal(err)
					}
					if err := res.Body.Close(); err != nil || res.StatusCode != 202 {
						t.Fatalf("answered %d, %v", res.StatusCode, err)
					}
					s.net.Settle()
				}
			}
			follow := record(s.follow())
			undo := record(s.undo(s.follow()))
			follow()
			s.wantState("the Follow replayed", "")
			record(s.follow())
			s.wantState("followed again", social.FollowAccepted)
			undo()
			s.wantState("the Undo replayed", social.FollowAccepted)
			record(s.undo(s.follow()))
			follow()
			s.wantState("the first Follow replayed", "")
		})
	}
}

// A proved Follow that others pass on counts once, whatever was taken back since.
func TestForwardedFollowHasNoEffectAfterItsUndo(t *testing.T) {
	s := newTurns(t)
	key := s.r.proves("mallory")
	other := second(t, s.in, social.ZonePublic)
	s.say(s.follow())
	s.say(s.undo(s.follow()))
	s.clock.forward(2 * time.Second)
	other.now = s.clock.now
	if got := other.send(s.in.Config.PublicURL+"/inbox", proven(t, s.follow(), key, time.Now()), httpsig.Cavage, nil); got != 202 {
		t.Fatalf("answered %d", got)
	}
	s.net.Settle()
	s.wantState("passed on", "")
}

package notify_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// stand is an instance with two members, one of whom has a browser that is told.
type stand struct {
	*testing.T
	net        *instancetest.Network
	in         *instance.Instance
	alice, bob social.Reader
	clock      *instancetest.Clock
	session    *auth.Session
}

func newStand(t *testing.T) *stand {
	t.Helper()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now})
	s := &stand{T: t, net: net, in: net.Instances[0], clock: clock}
	s.alice, s.bob = net.Member(s.in, "alice"), net.Member(s.in, "bob")
	s.session = s.signIn(s.alice)
	return s
}

func (s *stand) signIn(r social.Reader) *auth.Session {
	s.Helper()
	text, err := s.in.Auth.Begin(s.Context(), r.Account.ID, "test")
	if err != nil {
		s.Fatal(err)
	}
	_, session, err := s.in.Auth.Session(s.Context(), text)
	if err != nil {
		s.Fatal(err)
	}
	return session
}

func (s *stand) subscribe(at *instancetest.PushService, r social.Reader, session social.ID, senders social.PushSenders, greet bool) *social.PushSubscription {
	s.Helper()
	p := &social.PushSubscription{SessionID: session, Endpoint: at.URL + "/x", PublicKey: at.PublicKey(), Secret: at.Secret, Kinds: social.PushKinds(), Senders: senders}
	if err := s.in.Social.SubscribePush(s.Context(), r, p, greet); err != nil {
		s.Fatal(err)
	}
	return p
}

// names has bob write to alice.
func (s *stand) names(text, audience string) *social.PostView {
	s.Helper()
	v, err := s.in.Social.Publish(s.Context(), s.bob, social.Draft{Text: text + " @alice", Audience: audience})
	if err != nil {
		s.Fatal(err)
	}
	return v
}

func (s *stand) jobs() int {
	s.Helper()
	jobs, err := s.in.DB.Jobs(s.Context(), social.PushJob, "", 100)
	if err != nil {
		s.Fatal(err)
	}
	return len(jobs)
}

func (s *stand) wants(at *instancetest.PushService, what string, want ...string) {
	s.Helper()
	s.net.Settle()
	if got := at.Heard(); fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("%s: told %q, want %q", what, got, want)
	}
}

// T60: a push says in general words what happened, encrypted for the browser alone, in
// its member's language; and no word of a post and no name is in it.
func TestPushSaysNothingOfPosts(t *testing.T) {
	s, at := newStand(t), instancetest.NewPushService(t)
	s.subscribe(at, s.alice, s.session.ID, social.PushAll, true)
	s.wants(at, "the greeting", "parley.greeting: You will hear here when something concerns you.")
	german := "de"
	if _, err := s.in.Social.UpdateProfile(t.Context(), s.alice, social.ProfileChange{Language: &german}); err != nil {
		t.Fatal(err)
	}
	s.names("canaryword", "company")
	s.net.Settle()
	all := at.All()
	for _, m := range all {
		for _, word := range []string{"canaryword", "bob", "alice"} {
			if strings.Contains(m.JSON, word) {
				t.Errorf("%q is in %s", word, m.JSON)
			}
		}
		if strings.Contains(string(m.Raw), "Jemand") || strings.Contains(string(m.Raw), "mention") {
			t.Error("a message is not encrypted")
		}
	}
	if len(all) != 2 || all[1].Fields["preferred_locale"] != "de" || fmt.Sprint(all[1].Fields["notification_id"]) == "0" {
		t.Fatalf("%+v", all)
	}
	s.wants(at, "a mention", "mention: Jemand hat Ihnen geschrieben.")
	if all[0].Sender != all[1].Sender || !strings.Contains(fmt.Sprint(all[0].Claims["sub"]), s.in.Config.PublicURL) || all[1].Urgency != "high" {
		t.Errorf("%+v", all)
	}
	if _, err := s.in.Social.Favourite(t.Context(), s.alice, s.names("once more", "company").Post.ID, true); err != nil {
		t.Fatal(err)
	}
	s.wants(at, "the next", "mention: Jemand hat Ihnen geschrieben.")
	s.net.Stop(0)
	s.in = s.net.Restart(0)
	s.names("after a restart", "direct")
	s.wants(at, "after a restart", "mention: Jemand hat Ihnen geschrieben.")
	if now := at.All(); now[len(now)-1].Sender != all[0].Sender {
		t.Error("the server has another key after a restart")
	}
}

// What a push tells is decided when it is sent: by then the post may be for others, be
// read or be old, and the member may have signed out.
func TestPushAsksAgain(t *testing.T) {
	s, at := newStand(t), instancetest.NewPushService(t)
	s.subscribe(at, s.alice, s.session.ID, social.PushAll, false)
	gone := s.names("gone", "company")
	if _, err := s.in.Social.Delete(t.Context(), s.bob, gone.Post.ID); err != nil {
		t.Fatal(err)
	}
	s.wants(at, "a post that is deleted")
	narrowed := s.names("narrowed", "public")
	if _, err := s.in.Social.Edit(t.Context(), s.bob, narrowed.Post.ID, social.Draft{Text: "for few", Audience: "followers"}); err != nil {
		t.Fatal(err)
	}
	s.wants(at, "a post that is for others now")
	s.names("read", "company")
	list, err := s.in.Social.Notifications(t.Context(), s.alice, social.Page{Limit: 1}, social.NotificationFilter{})
	if err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	if err := s.in.Social.MarkRead(t.Context(), s.alice, list[0].Notification.ID); err != nil {
		t.Fatal(err)
	}
	s.wants(at, "what is read already")
	s.names("old", "company")
	s.clock.Advance(social.PushFor + time.Minute)
	s.wants(at, "what is old")
	s.names("still", "company")
	s.wants(at, "what still stands", "mention: Somebody wrote to you.")

	s.names("signed out", "company")
	if err := s.in.Auth.EndSessions(t.Context(), s.alice.Account.ID, s.session.ID, 0); err != nil {
		t.Fatal(err)
	}
	s.wants(at, "who signed out")
	s.names("later", "company")
	if n := s.jobs(); n != 0 {
		t.Errorf("%d jobs for who signed out", n)
	}
	s.subscribe(at, s.alice, s.signIn(s.alice).ID, social.PushAll, false)
	s.clock.Advance(30*24*time.Hour - time.Hour)
	s.names("ended", "company")
	if n := s.jobs(); n != 1 {
		t.Errorf("%d jobs an hour before the session ends", n)
	}
	s.clock.Advance(2 * time.Hour)
	s.wants(at, "whose session is over")

	s.subscribe(at, s.alice, s.signIn(s.alice).ID, social.PushAll, false)
	s.names("suspended", "company")
	if err := s.in.DB.Tx(t.Context(), func(tx social.Tx) error {
		a, err := tx.Account(t.Context(), s.alice.Account.ID)
		if err != nil {
			return err
		}
		a.SuspendedAt = s.clock.Now()
		return tx.UpdateAccount(t.Context(), a)
	}); err != nil {
		t.Fatal(err)
	}
	s.wants(at, "who is suspended")
}

// A subscription tells of what it was asked to.
func TestPushTellsWhatIsWanted(t *testing.T) {
	s, at := newStand(t), instancetest.NewPushService(t)
	p := s.subscribe(at, s.alice, s.session.ID, social.PushFollowed, false)
	s.names("from a stranger", "company")
	s.wants(at, "somebody who is not followed")
	if _, err := s.in.Social.Follow(t.Context(), s.alice, s.bob.Account.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	s.net.Settle()
	at.Heard()
	s.names("from a friend", "company")
	s.wants(at, "somebody who is followed", "mention: Somebody wrote to you.")
	change := func(senders social.PushSenders, kinds ...social.NotificationKind) {
		t.Helper()
		if _, err := s.in.Social.ChangePush(t.Context(), s.alice, s.session.ID, 0, kinds, senders); err != nil {
			t.Fatal(err)
		}
	}
	change(social.PushFollower, social.NotifyMention)
	s.names("from no follower", "company")
	s.wants(at, "somebody who does not follow")
	change(social.PushAll, social.NotifyFollow)
	s.names("not wanted", "company")
	if _, err := s.in.Social.Follow(t.Context(), s.bob, s.alice.Account.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	s.wants(at, "only follows", "follow: Somebody follows you now.")
	change(social.PushNone, social.NotifyMention)
	s.names("nobody", "company")
	s.wants(at, "nobody's")

	if _, err := s.in.Social.ChangePush(t.Context(), s.bob, s.session.ID, 0, nil, social.PushAll); social.KindOf(err) != social.NotFound {
		t.Errorf("somebody else changes it: %v", err)
	}
	if err := s.in.Social.EndPush(t.Context(), s.bob, s.session.ID, 0); err != nil {
		t.Fatal(err)
	}
	if got, err := s.in.Social.PushSubscription(t.Context(), s.alice, s.session.ID, 0); err != nil || got.ID != p.ID {
		t.Errorf("somebody else ended it: %v %v", got, err)
	}
}

// A push service that is down or busy is asked again; one that does not know the
// browser any more ends the subscription; and none is reached where it may not be (T40).
func TestPushServices(t *testing.T) {
	s, at := newStand(t), instancetest.NewPushService(t)
	s.subscribe(at, s.alice, s.session.ID, social.PushAll, false)
	at.Answers(http.StatusTooManyRequests, "120")
	s.names("busy", "company")
	s.wants(at, "a busy service")
	before := len(at.All())
	s.clock.Advance(time.Minute)
	s.net.Settle()
	if n := len(at.All()); n != before {
		t.Errorf("it is tried %d times before the time it named", n-before)
	}
	at.Answers(http.StatusCreated, "")
	s.clock.Advance(2 * time.Minute)
	s.wants(at, "not busy any more", "mention: Somebody wrote to you.")

	at.Answers(http.StatusBadRequest, "")
	s.names("refused", "company")
	s.wants(at, "a service that refuses")
	if n := s.jobs(); n != 0 {
		t.Errorf("%d jobs after a refusal", n)
	}
	at.Answers(http.StatusGone, "")
	s.names("unknown", "company")
	s.wants(at, "a service that does not know the browser")
	if _, err := s.in.Social.PushSubscription(t.Context(), s.alice, s.session.ID, 0); social.KindOf(err) != social.NotFound {
		t.Errorf("the subscription stays: %v", err)
	}

	at.Answers(http.StatusCreated, "")
	s.subscribe(at, s.alice, s.session.ID, social.PushAll, false)
	address := at.Listener.Addr().String()
	at.Close()
	s.names("down", "company")
	s.net.Settle()
	if host, err := s.in.DB.Host(t.Context(), address); err != nil || host.Failures == 0 || s.jobs() != 1 {
		t.Errorf("a service that is down: %+v %v, %d jobs", host, err, s.jobs())
	}

	for _, p := range []*social.PushSubscription{
		{Endpoint: "http://user@" + address}, {Endpoint: "ftp://" + address}, {Endpoint: "https://" + address}, {Endpoint: "x"}, {Endpoint: ""},
		{Endpoint: "http://" + address + "/" + strings.Repeat("x", 2000)},
		{Endpoint: at.URL, PublicKey: []byte{4, 1, 2}}, {Endpoint: at.URL, PublicKey: make([]byte, 65), Secret: at.Secret}, {Endpoint: at.URL, Secret: []byte("short")},
	} {
		p.SessionID = s.session.ID
		if p.PublicKey == nil {
			p.PublicKey = at.PublicKey()
		}
		if p.Secret == nil {
			p.Secret = at.Secret
		}
		if err := s.in.Social.SubscribePush(context.Background(), s.alice, p, false); social.KindOf(err) != social.Invalid {
			t.Errorf("%.80s with a key of %d: %v", p.Endpoint, len(p.PublicKey), err)
		}
	}
	inner := &social.PushSubscription{SessionID: s.session.ID, Endpoint: "http://10.0.0.1/x", PublicKey: at.PublicKey(), Secret: at.Secret, Kinds: social.PushKinds(), Senders: social.PushAll}
	if err := s.in.Social.SubscribePush(context.Background(), s.alice, inner, true); err != nil {
		t.Fatal(err)
	}
	s.net.Settle()
	if _, err := s.in.Social.PushSubscription(t.Context(), s.alice, s.session.ID, 0); social.KindOf(err) != social.NotFound {
		t.Errorf("an inner address is kept: %v", err)
	}
}

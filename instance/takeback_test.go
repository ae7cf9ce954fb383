package instance_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// What was taken back from one company that parted and joined again is alive for all
// others: a restore of its author's instance learns nothing else from it.
func TestWhatWasTakenBackIsNotDeleted(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	a, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob, carol := net.Member(a, "alice"), net.Member(b, "bob"), net.Member(c, "carol")
	old := says(t, a, alice, "old and precious", "company")
	net.Settle()
	clock.Advance(time.Hour)
	s.ok(a.Social.RemovePeer(ctx, b.Config.Domain, "test"))
	net.Settle()
	if has(t, b, bob, old.URI) {
		t.Error("who parted still has it")
	}
	clock.Advance(time.Hour)
	if _, err := b.Social.Leave(ctx, "test"); social.KindOf(err) == social.Internal {
		t.Fatal(err)
	}
	accept(t, b, invite(t, a, b, companyZone), social.Zone{})
	net.Settle()
	for i := range net.Instances {
		clock.Advance(11 * time.Minute)
		caughtUp(t, net, clock, net.Instances[i])
	}
	file := filepath.Join(t.TempDir(), "parley.tar")
	s.ok(a.Backup(ctx, file))
	clock.Advance(time.Hour)
	a = net.Restore(0, file, "")
	for range 2 {
		clock.Advance(2 * time.Hour)
		for i := range net.Instances {
			caughtUp(t, net, clock, net.Instances[i])
		}
	}
	if !has(t, a, alice, old.URI) || !has(t, c, carol, old.URI) {
		t.Errorf("after a restore the post is here: %v, at the third company: %v", has(t, a, alice, old.URI), has(t, c, carol, old.URI))
	}
}

// What was taken back comes again when its author's administrator opens the history,
// and both sides hold the same then.
func TestWhatWasTakenBackComesAgain(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b := net.Instances[0], net.Instances[1]
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	old := says(t, a, alice, "old and precious", "company")
	net.Settle()
	clock.Advance(time.Hour)
	s.ok(a.Social.RemovePeer(ctx, b.Config.Domain, "test"))
	net.Settle()
	clock.Advance(time.Hour)
	accept(t, b, invite(t, a, b, companyZone), social.Zone{})
	net.Settle()
	clock.Advance(11 * time.Minute)
	caughtUp(t, net, clock, b)
	if has(t, b, bob, old.URI) {
		t.Error("it came before anybody decided so")
	}
	s.ok(a.Social.SetHistory(ctx, b.Config.Domain, time.UnixMilli(1), "test"))
	clock.Advance(time.Hour)
	caughtUp(t, net, clock, b)
	if !has(t, b, bob, old.URI) {
		t.Error("the history was opened, and the old post does not come")
	}
	if diff, err := b.Federation.Compare(ctx, a.Config.Domain); err != nil || !diff.Equal() {
		t.Errorf("%+v %v", diff, err)
	}
}

var acme, muster = social.Zone{Kind: social.ZonePartner, Name: "acme"}, social.Zone{Kind: social.ZonePartner, Name: "muster"}

// partners are two instances of two companies that are not paired; bob follows alice.
func partners(t *testing.T, clock *instancetest.Clock) (s *scene, alice, bob social.Reader) {
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now, Apart: true})
	s = &scene{T: t, net: net, ctx: t.Context(), a: net.Instances[0], b: net.Instances[1]}
	s.ok(s.a.Social.SetZone(s.ctx, s.b.Config.Domain, acme, "test", "test"))
	s.ok(s.b.Social.SetZone(s.ctx, s.a.Config.Domain, muster, "test", "test"))
	alice, bob = net.Member(s.a, "alice"), net.Member(s.b, "bob")
	found, err := s.b.Social.FindHandle(s.ctx, bob, instancetest.Handle(s.a, alice))
	s.ok(err)
	_, err = s.b.Social.Follow(s.ctx, bob, found.ID, social.FollowOptions{})
	s.ok(err)
	net.Settle()
	return s, alice, bob
}

// A server from which a post was taken back keeps no proof that the post is gone, as it
// does of one that was deleted.
func TestTakingBackProvesNoDeletion(t *testing.T) {
	clock := instancetest.NewClock()
	s, alice, bob := partners(t, clock)
	inside, outside := says(t, s.a, alice, "for acme", "partner:acme"), says(t, s.a, alice, "for all", "public")
	s.net.Settle()
	clock.Advance(time.Hour)
	s.ok(s.a.Social.SetZone(s.ctx, s.b.Config.Domain, social.Zone{Kind: social.ZonePublic}, "test", "test"))
	s.net.Settle()
	_, err := s.a.Social.Delete(s.ctx, alice, outside.ID)
	s.ok(err)
	s.net.Settle()
	if has(t, s.b, bob, inside.URI) || has(t, s.b, bob, outside.URI) {
		t.Error("a partner of yesterday still has it")
	}
	s.ok(s.b.DB.View(s.ctx, func(tx social.Tx) error {
		kept, err := tx.Retractions(s.ctx, s.a.Config.Domain, "", 10)
		if len(kept) != 1 || kept[0].ObjectURI != outside.URI {
			t.Errorf("kept as proof: %+v", kept)
		}
		return err
	}))
}

// A partner that exchanged before it was paired keeps what it had.
func TestPairingTakesNothingBack(t *testing.T) {
	clock := instancetest.NewClock()
	s, alice, bob := partners(t, clock)
	net, a, b := s.net, s.a, s.b
	p := says(t, a, alice, "for acme", "partner:acme")
	net.Settle()
	clock.Advance(time.Hour)
	accept(t, b, invite(t, a, b, acme), muster)
	net.Settle()
	clock.Advance(11 * time.Minute)
	caughtUp(t, net, clock, b)
	caughtUp(t, net, clock, a)
	if !has(t, b, bob, p.URI) {
		t.Error("pairing a partner took back what it had")
	}
}

// What others wrote in our threads and groups, and we handed on to a sister, is taken
// back from it when it becomes a stranger, and comes again with its zone. Nobody else
// loses it.
func TestWhatWasHandedOnIsTakenBack(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 4, instancetest.Options{Apart: true, Now: clock.Now})
	s := &communities{&scene{T: t, net: net, ctx: t.Context(), a: net.Instances[0], b: net.Instances[1], c: net.Instances[2]}}
	p := net.Instances[3]
	net.Pair(s.a, s.b)
	net.Pair(s.a, s.c)
	net.Settle()
	net.Zone(s.a, p, acme) // b and c do not know the partner
	net.Zone(p, s.a, muster)
	alice, bob, carol, paul := net.Member(s.a, "alice"), net.Member(s.b, "bob"), net.Member(s.c, "carol"), net.Member(p, "paul")
	s.meet(s.b, bob, s.a, alice)
	s.meet(s.c, carol, s.a, alice)
	s.meet(p, paul, s.a, alice)
	s.group(s.a, alice, social.NewGroup{Name: "tooling", Widest: "partner:acme"})
	label := "group:tooling@" + s.a.Config.Domain
	for in, r := range map[*instance.Instance]social.Reader{s.b: bob, s.c: carol, p: paul} {
		s.join(in, r, s.a, "tooling")
	}
	root := s.post(s.a, alice, social.Draft{Text: "shall we?", Audience: "partner:acme"})
	net.Settle()
	own := s.post(s.b, bob, social.Draft{Text: "we would", InReplyTo: s.there(s.b, bob, root.Post.URI).Post.ID})
	handed := []string{
		s.post(p, paul, social.Draft{Text: "p says yes", InReplyTo: s.there(p, paul, root.Post.URI).Post.ID}).Post.URI,
		s.post(s.c, carol, social.Draft{Text: "c says yes", InReplyTo: s.there(s.c, carol, root.Post.URI).Post.ID}).Post.URI,
		s.post(p, paul, social.Draft{Text: "p in the group", Audience: label}).Post.URI,
		s.post(s.c, carol, social.Draft{Text: "c in the group", Audience: label}).Post.URI,
	}
	net.Settle()
	for _, uri := range handed {
		s.there(s.b, bob, uri)
	}
	clock.Advance(time.Hour)
	s.ok(s.a.Social.SetZone(s.ctx, s.b.Config.Domain, social.Zone{Kind: social.ZonePublic}, "test", "test"))
	net.Settle()
	gone := func(want bool) {
		t.Helper()
		for _, uri := range handed {
			if has(t, s.b, bob, uri) == want || !has(t, s.c, carol, uri) || !has(t, s.a, alice, uri) {
				t.Errorf("%s: at b %v, at c %v, at a %v", uri, has(t, s.b, bob, uri), has(t, s.c, carol, uri), has(t, s.a, alice, uri))
			}
		}
	}
	gone(true)
	if !has(t, s.b, bob, own.Post.URI) {
		t.Error("a member of b lost a reply of his own")
	}
	report, err := s.a.Social.PeerReport(s.ctx, s.b.Config.Domain)
	s.ok(err)
	if report.Confirmed < len(handed) || report.UnconfirmedCount != 0 {
		t.Errorf("%+v", report)
	}
	catchUp := func(in *instance.Instance) { // from those it knows
		t.Helper()
		for range 3 {
			s.ok(in.Federation.CatchUpNow(s.ctx, ""))
			net.Settle()
		}
	}
	// Others who come to know the log later are told of it as of any post.
	clock.Advance(11 * time.Minute)
	catchUp(s.c)
	gone(true)

	clock.Advance(time.Hour)
	accept(t, s.b, invite(t, s.a, s.b, companyZone), social.Zone{})
	s.ok(s.a.Social.SetHistory(s.ctx, s.b.Config.Domain, time.UnixMilli(1), "test"))
	net.Settle()
	clock.Advance(11 * time.Minute)
	s.join(s.b, bob, s.a, "tooling")
	catchUp(s.b)
	gone(false)
}

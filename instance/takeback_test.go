package instance_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

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
	s.ok(a.Social.RemovePeer(ctx, b.Config.Domain))
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
	s.ok(a.Social.RemovePeer(ctx, b.Config.Domain))
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

// A partner that exchanged before it was paired keeps what it had.
func TestPairingTakesNothingBack(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now, Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	s := &scene{T: t, net: net, ctx: ctx}
	acme, muster := social.Zone{Kind: social.ZonePartner, Name: "acme"}, social.Zone{Kind: social.ZonePartner, Name: "muster"}
	s.ok(a.Social.SetZone(ctx, b.Config.Domain, acme, "test"))
	s.ok(b.Social.SetZone(ctx, a.Config.Domain, muster, "test"))
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	found, err := b.Social.FindHandle(ctx, bob, instancetest.Handle(a, alice))
	s.ok(err)
	_, err = b.Social.Follow(ctx, bob, found.ID, social.FollowOptions{})
	s.ok(err)
	net.Settle()
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

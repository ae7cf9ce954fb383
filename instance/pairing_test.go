package instance_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

var companyZone = social.Zone{Kind: social.ZoneCompany}

// outsiders are n instances, none of which knows another.
func outsiders(t *testing.T, n int) *instancetest.Network {
	t.Helper()
	net := &instancetest.Network{T: t}
	for range n {
		net.Instances = append(net.Instances, instancetest.Start(t, t.TempDir(), ""))
	}
	return net
}

// companies joins n instances to one roster, which the first keeps.
func companies(t *testing.T, n int) *instancetest.Network {
	t.Helper()
	return instancetest.New(t, n, nil)
}

func zoneAt(t *testing.T, in, other *instance.Instance) social.ZoneKind {
	t.Helper()
	z, err := in.Social.Zone(context.Background(), other.Social.HomeAuthority())
	if err != nil {
		t.Fatal(err)
	}
	return z.Kind
}

// sisters checks that every two of some instances are sisters, and nobody else is.
func sisters(t *testing.T, all []*instance.Instance, want ...*instance.Instance) {
	t.Helper()
	for i, a := range all {
		for j, b := range all {
			if a == b {
				continue
			}
			are := slices.Contains(want, a) && slices.Contains(want, b)
			if got := zoneAt(t, a, b); (got == social.ZoneCompany) != are {
				t.Errorf("for %d, %d stands in %q", i, j, got)
			}
		}
	}
}

func invite(t *testing.T, a, b *instance.Instance, z social.Zone) string {
	t.Helper()
	code, err := a.Social.Invite(context.Background(), social.InviteRequest{Host: b.Social.HomeAuthority(), Zone: z})
	if err != nil {
		t.Fatal(err)
	}
	return code.String()
}

func accept(t *testing.T, in *instance.Instance, code string, z social.Zone) {
	t.Helper()
	if _, err := in.Social.Accept(context.Background(), code, z, nil, "test"); err != nil {
		t.Fatal(err)
	}
}

func rosterOf(t *testing.T, in *instance.Instance) (r *social.Roster) {
	t.Helper()
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		r, err = in.Social.Roster(context.Background(), tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return r
}

// says publishes a post.
func says(t *testing.T, in *instance.Instance, who social.Reader, text, audience string) *social.Post {
	t.Helper()
	p, err := in.Social.Publish(context.Background(), who, social.Draft{Text: text, Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	return p.Post
}

// has says whether an instance holds a post of another one that can be seen there.
func has(t *testing.T, in *instance.Instance, who social.Reader, uri string) bool {
	t.Helper()
	_, err := in.Social.PostByURI(context.Background(), who, uri)
	if err != nil && social.KindOf(err) != social.NotFound && social.KindOf(err) != social.Gone && social.KindOf(err) != social.Forbidden {
		t.Fatal(err)
	}
	return err == nil
}

// Three companies join, and the fourth takes two commands: one where the roster is
// kept, one at home. On the others nobody does anything.
func TestTheFourthCompanyJoinsWithTwoCommands(t *testing.T) {
	net := companies(t, 3)
	fourth := instancetest.Start(t, t.TempDir(), "")
	all := append(slices.Clone(net.Instances), fourth)
	net.Instances = all
	sisters(t, all, all[:3]...)
	accept(t, fourth, invite(t, all[0], fourth, companyZone), social.Zone{})
	net.Settle()
	sisters(t, all, all...)
	for i, in := range all {
		r := rosterOf(t, in)
		if r == nil || len(r.Members) != 4 || r.Keeper != all[0].Social.HomeAuthority() {
			t.Errorf("%d knows %+v", i, r)
		}
	}
	// Everybody hears the new one, followed or not, and the new one everybody.
	dora, carol := net.Member(fourth, "dora"), net.Member(all[2], "carol")
	fromDora, fromCarol := says(t, fourth, dora, "hello from the new ones", "company"), says(t, all[2], carol, "welcome", "company")
	net.Settle()
	if !has(t, all[2], carol, fromDora.URI) || !has(t, fourth, dora, fromCarol.URI) {
		t.Error("the new company is not one of them")
	}
	// Only the keeper invites.
	_, err := all[1].Social.Invite(context.Background(), social.InviteRequest{Host: "e.test"})
	if err == nil || !strings.Contains(err.Error(), all[0].Social.HomeAuthority()) {
		t.Errorf("a member invites: %v", err)
	}
}

// The keeper may be down: its sisters go on, and somebody who has joined just before
// brings them the news itself.
func TestTheKeeperMayBeDown(t *testing.T) {
	net := companies(t, 3)
	keeper, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	fourth := instancetest.Start(t, t.TempDir(), "")
	accept(t, fourth, invite(t, keeper, fourth, companyZone), social.Zone{})
	net.Stop(0)
	rest := []*instance.Instance{b, c, fourth}
	if zoneAt(t, b, fourth) == social.ZoneCompany {
		t.Fatal("the news was there before anybody could bring it")
	}
	settle := func() {
		for range 20 {
			n := 0
			for _, in := range rest {
				n += in.Settle(context.Background())
			}
			if n == 0 {
				return
			}
		}
		t.Fatal("no rest")
	}
	settle()
	sisters(t, rest, rest...)
	bob, dora := net.Member(b, "bob"), net.Member(fourth, "dora")
	p, q := says(t, b, bob, "who is there?", "company"), says(t, fourth, dora, "we are", "company")
	settle()
	if !has(t, fourth, dora, p.URI) || !has(t, b, bob, q.URI) {
		t.Error("without the keeper nothing goes")
	}
}

// A member may veto another: the two have nothing to do with each other any more, the
// rest does not notice, and no later roster undoes it. Lifted on both sides, it is over.
func TestAMemberVetoesAnother(t *testing.T) {
	ctx := context.Background()
	net := companies(t, 3)
	keeper, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	bob, carol := net.Member(b, "bob"), net.Member(c, "carol")
	before := says(t, b, bob, "before the veto", "company")
	net.Settle()
	if !has(t, c, carol, before.URI) {
		t.Fatal("setting up")
	}
	if err := b.Social.Veto(ctx, c.Social.HomeAuthority(), "test"); err != nil {
		t.Fatal(err)
	}
	after := says(t, b, bob, "after the veto", "company")
	net.Settle()
	if zoneAt(t, b, c) == social.ZoneCompany || zoneAt(t, c, b) == social.ZoneCompany || zoneAt(t, keeper, b) != social.ZoneCompany || zoneAt(t, c, keeper) != social.ZoneCompany {
		t.Error("the veto ends the wrong thing")
	}
	if has(t, c, carol, after.URI) || has(t, c, carol, before.URI) {
		t.Error("what was written is still there, or came after")
	}
	fourth := instancetest.Start(t, t.TempDir(), "")
	net.Instances = append(net.Instances, fourth)
	accept(t, fourth, invite(t, keeper, fourth, companyZone), social.Zone{})
	net.Settle()
	if zoneAt(t, b, c) == social.ZoneCompany || zoneAt(t, b, fourth) != social.ZoneCompany {
		t.Error("the next roster undid the veto, or was not heard")
	}
	for _, one := range [][2]*instance.Instance{{b, c}, {c, b}} {
		if err := one[0].Social.Unveto(ctx, one[1].Social.HomeAuthority(), "test"); err != nil {
			t.Fatal(err)
		}
	}
	sisters(t, net.Instances, net.Instances...)
	again := says(t, b, bob, "after all", "company")
	net.Settle()
	if !has(t, c, carol, again.URI) {
		t.Error("the veto is lifted, and nothing comes")
	}
}

// A member that leaves takes back what it had said, gets back nothing, and the report
// on each side says what is confirmed and what is not.
func TestAMemberLeaves(t *testing.T) {
	ctx := context.Background()
	net := companies(t, 3)
	keeper, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	alice, bob, carol := net.Member(keeper, "alice"), net.Member(b, "bob"), net.Member(c, "carol")
	var theirs, ours []*social.Post
	for i := range 3 {
		theirs = append(theirs, says(t, b, bob, fmt.Sprintf("of the one that leaves %d", i), "company"))
		ours = append(ours, says(t, keeper, alice, fmt.Sprintf("of the ones that stay %d", i), "company"))
	}
	net.Settle()
	if !has(t, c, carol, theirs[2].URI) || !has(t, b, bob, ours[2].URI) {
		t.Fatal("setting up")
	}
	left, err := b.Social.Leave(ctx, "test")
	if err != nil || len(left) != 2 {
		t.Fatalf("left %v: %v", left, err)
	}
	net.Settle()
	sisters(t, net.Instances, keeper, c)
	if r := rosterOf(t, c); len(r.Members) != 2 || rosterOf(t, b) != nil {
		t.Errorf("the roster is %+v, and that of the one that left %+v", r, rosterOf(t, b))
	}
	for i := range 3 {
		if has(t, c, carol, theirs[i].URI) || has(t, keeper, alice, theirs[i].URI) {
			t.Errorf("post %d of the one that left is still here", i)
		}
		if has(t, b, bob, ours[i].URI) {
			t.Errorf("post %d is still there", i)
		}
	}
	report, err := keeper.Social.PeerReport(ctx, b.Social.HomeAuthority())
	if err != nil || report.Had != 3 || report.Confirmed != 3 || report.UnconfirmedCount != 0 || report.Pairing != social.PairingLeft || report.EndedAt.IsZero() {
		t.Errorf("%+v %v", report, err)
	}
	// It can join again; what was said in between was not for it.
	between := says(t, keeper, alice, "while it was away", "company")
	net.Settle()
	accept(t, b, invite(t, keeper, b, companyZone), social.Zone{})
	net.Settle()
	sisters(t, net.Instances, net.Instances...)
	if _, _, err := b.Federation.FindURL(ctx, between.URI); err == nil {
		t.Error("it has what was said while it was away")
	}
}

// The keeper takes a member off: nobody else has to do anything, and what cannot be
// confirmed because it is down is named in the report.
func TestTheKeeperTakesAMemberOff(t *testing.T) {
	ctx := context.Background()
	net := companies(t, 3)
	keeper, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	carol := net.Member(c, "carol")
	p := says(t, c, carol, "for all of us", "company")
	net.Settle()
	net.Stop(1)
	if err := keeper.Social.RemovePeer(ctx, b.Social.HomeAuthority(), "test"); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if zoneAt(t, c, b) == social.ZoneCompany || zoneAt(t, c, keeper) != social.ZoneCompany {
		t.Error("the other member did not hear of it")
	}
	report, err := c.Social.PeerReport(ctx, b.Social.HomeAuthority())
	if err != nil || report.Had != 1 || report.Confirmed != 0 || !slices.Equal(report.Unconfirmed, []string{p.URI}) {
		t.Errorf("%+v %v", report, err)
	}
	if err := c.Social.RemovePeer(ctx, keeper.Social.HomeAuthority(), "test"); err == nil {
		t.Error("a member took the keeper off")
	}
	// The keeper goes when nobody is left, and may join others then.
	if _, err := keeper.Social.Leave(ctx, "test"); err == nil || !strings.Contains(err.Error(), "parley peer remove") {
		t.Errorf("the keeper leaves the others behind: %v", err)
	}
	if err := keeper.Social.RemovePeer(ctx, c.Social.HomeAuthority(), "test"); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if _, err := keeper.Social.Leave(ctx, "test"); err != nil {
		t.Fatal(err)
	}
	accept(t, keeper, invite(t, c, keeper, companyZone), social.Zone{})
	sisters(t, []*instance.Instance{keeper, c}, keeper, c)
}

// What was written before a company joined is not for it, until somebody decides so;
// an edit of what it has still comes.
func TestHistoryIsADecision(t *testing.T) {
	ctx := context.Background()
	net := outsiders(t, 2)
	a, b := net.Instances[0], net.Instances[1]
	alice := net.Member(a, "alice")
	old := says(t, a, alice, "before", "company")
	accept(t, b, invite(t, a, b, companyZone), social.Zone{})
	net.Settle()
	if _, _, err := b.Federation.FindURL(ctx, old.URI); err == nil {
		t.Fatal("the new sister has what is older")
	}
	if err := a.Social.SetHistory(ctx, b.Social.HomeAuthority(), time.UnixMilli(1), "test"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Federation.FindURL(ctx, old.URI); err != nil {
		t.Fatalf("it was decided that it may: %v", err)
	}
	if err := a.Social.SetHistory(ctx, b.Social.HomeAuthority(), time.Now(), "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Social.Edit(ctx, alice, old.ID, social.Draft{Text: "before, corrected"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	bob := net.Member(b, "bob")
	v, err := b.Social.PostByURI(ctx, bob, old.URI)
	if err != nil || !strings.Contains(v.Post.Content, "corrected") {
		t.Errorf("what it has stays as it was: %v", err)
	}
}

// Demoted, expired or removed: the very next attempt of what waits obeys, and what had
// arrived is taken back.
func TestTheNextAttemptObeys(t *testing.T) {
	waiting := 200 // PARLEY_TEST_WAITING=10000 is what the issue asks for
	if n, err := strconv.Atoi(os.Getenv("PARLEY_TEST_WAITING")); err == nil {
		waiting = n
	}
	for name, end := range map[string]func(a *instance.Instance, host string, clock *instancetest.Clock) error{
		"demoted": func(a *instance.Instance, host string, _ *instancetest.Clock) error {
			return a.Social.SetZone(context.Background(), host, social.Zone{Kind: social.ZonePublic}, "test", "test")
		},
		"blocked": func(a *instance.Instance, host string, _ *instancetest.Clock) error {
			return a.Social.SetZone(context.Background(), host, social.Zone{Kind: social.ZoneBlocked}, "test", "test")
		},
		"removed": func(a *instance.Instance, host string, _ *instancetest.Clock) error {
			return a.Social.RemovePeer(context.Background(), host, "test")
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := instancetest.NewClock()
			net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
			a, b := net.Instances[0], net.Instances[1]
			alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
			arrived := says(t, a, alice, "arrived", "company")
			net.Settle()
			net.Stop(1)
			var queued []*social.Post
			for i := range waiting {
				queued = append(queued, says(t, a, alice, fmt.Sprintf("waits %d", i), "company"))
			}
			net.Settle()
			if err := end(a, b.Social.HomeAuthority(), clock); err != nil {
				t.Fatal(err)
			}
			b = net.Restart(1)
			clock.Advance(24 * time.Hour)
			net.Settle()
			for _, p := range queued {
				if has(t, b, bob, p.URI) {
					t.Fatal("what had waited left afterwards")
				}
			}
			if has(t, b, bob, arrived.URI) {
				t.Error("what had arrived was not taken back")
			}
			report, err := a.Social.PeerReport(context.Background(), b.Social.HomeAuthority())
			if err != nil || report.Had < 1 || report.Had > 2 || report.Confirmed != report.Had { // one was on its way
				t.Errorf("%+v %v", report, err)
			}
		})
	}
}

// Nobody becomes a sister by a word, a host has one zone, and codes fail clearly.
func TestCodesFailClearly(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := &instancetest.Network{T: t}
	for range 3 {
		net.Instances = append(net.Instances, instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: clock.Now}))
	}
	a, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	host := b.Social.HomeAuthority()
	refuses := func(what string, err error, words ...string) {
		t.Helper()
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, which does not say %q", what, err, w)
			}
		}
	}
	refuses("by a word", a.Social.SetZone(ctx, host, companyZone, "test", "test"), "parley peer invite", "parley peer accept")
	_, err := a.Social.Invite(ctx, social.InviteRequest{Host: a.Social.HomeAuthority()})
	refuses("oneself", err, "itself")
	code := invite(t, a, b, companyZone)
	_, err = a.Social.Accept(ctx, code, social.Zone{}, nil, "test")
	refuses("one's own code", err, "was made here")
	_, err = c.Social.Accept(ctx, code, social.Zone{}, nil, "test")
	refuses("somebody else's code", err, "for another server")
	_, err = b.Social.Accept(ctx, code[:len(code)-5], social.Zone{}, nil, "test")
	refuses("half a code", err, "copy it whole")
	_, err = b.Social.Accept(ctx, code, social.Zone{Kind: social.ZonePartner, Name: "x"}, nil, "test")
	refuses("another zone", err, "company")
	clock.Advance(8 * 24 * time.Hour)
	_, err = b.Social.Accept(ctx, code, social.Zone{}, nil, "test")
	refuses("an old code", err, "ran out")
	if err := a.Social.SetZone(ctx, host, social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	_, err = a.Social.Invite(ctx, social.InviteRequest{Host: host})
	refuses("two zones", err, "partner:acme", "parley peer remove")
	if err := a.Social.SetZone(ctx, host, social.Zone{Kind: social.ZoneBlocked}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	_, err = a.Social.Invite(ctx, social.InviteRequest{Host: host})
	refuses("blocked", err, "blocked")
	if err := a.Social.RemovePeer(ctx, host, "test"); err != nil {
		t.Fatal(err)
	}
	// Blocked after the code was made: it counts when it is answered.
	code = invite(t, a, b, companyZone)
	if err := a.Social.SetZone(ctx, host, social.Zone{Kind: social.ZoneBlocked}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	_, err = b.Social.Accept(ctx, code, social.Zone{}, nil, "test")
	refuses("blocked since", err, "refused the code")
	sisters(t, net.Instances)
	// Who is in one roster joins no other.
	if err := a.Social.RemovePeer(ctx, host, "test"); err != nil {
		t.Fatal(err)
	}
	accept(t, b, invite(t, a, b, companyZone), social.Zone{})
	_, err = b.Social.Accept(ctx, invite(t, c, b, companyZone), social.Zone{}, nil, "test")
	refuses("two rosters", err, a.Social.HomeAuthority(), "parley peer leave")
}

// A row that says "company" makes nobody a sister, as one from a time before pairing:
// neither side gives or takes anything by it.
func TestAWordAloneMakesNoSister(t *testing.T) {
	ctx := context.Background()
	net := outsiders(t, 2)
	a, b := net.Instances[0], net.Instances[1]
	for _, one := range [][2]*instance.Instance{{a, b}, {b, a}} {
		if err := one[0].DB.Tx(ctx, func(tx social.Tx) error {
			return tx.SetZone(ctx, one[1].Social.HomeAuthority(), companyZone, "by hand", time.Now())
		}); err != nil {
			t.Fatal(err)
		}
	}
	sisters(t, net.Instances)
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	p := says(t, a, alice, "for the company", "company")
	net.Settle()
	if _, _, err := b.Federation.FindURL(ctx, p.URI); err == nil || has(t, b, bob, p.URI) {
		t.Error("who is not paired has it")
	}
}

// Partners are paired one to one: each calls the other what it likes, each sends what
// is meant for it, and an agreed end ends it.
func TestPartnersArePairedUntilTheEnd(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := &instancetest.Network{T: t}
	for range 2 {
		net.Instances = append(net.Instances, instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: clock.Now}))
	}
	a, b := net.Instances[0], net.Instances[1]
	code, err := a.Social.Invite(ctx, social.InviteRequest{Host: b.Social.HomeAuthority(), Zone: social.Zone{Kind: social.ZonePartner, Name: "acme"}, Until: clock.Now().Add(30 * 24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	accept(t, b, code.String(), social.Zone{Kind: social.ZonePartner, Name: "muster"})
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	p, inside := says(t, a, alice, "for you", "partner:acme"), says(t, a, alice, "for us", "company")
	net.Settle()
	if !has(t, b, bob, p.URI) || has(t, b, bob, inside.URI) {
		t.Error("the partner has not what is meant for it, or more")
	}
	clock.Advance(31 * 24 * time.Hour)
	late := says(t, a, alice, "too late", "partner:acme")
	net.Settle()
	if has(t, b, bob, late.URI) || zoneAt(t, a, b) != social.ZoneBlocked || zoneAt(t, b, a) != social.ZoneBlocked {
		t.Error("it goes on after its end")
	}
}

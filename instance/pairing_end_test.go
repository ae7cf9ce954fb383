package instance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

func TestADemotedPartnerThatIsNotPairedGivesBackWhatItHad(t *testing.T) {
	ctx := context.Background()
	wire := &instancetest.Wire{}
	net := instancetest.NewWith(t, 2, instancetest.Options{Wire: wire, Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	s := &scene{T: t, net: net, ctx: ctx}
	s.ok(a.Social.SetZone(ctx, b.Config.Domain, social.Zone{Kind: social.ZonePartner, Name: "acme"}, "t", "test"))
	s.ok(b.Social.SetZone(ctx, a.Config.Domain, social.Zone{Kind: social.ZonePartner, Name: "muster"}, "t", "test"))
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	found, err := b.Social.FindHandle(ctx, bob, instancetest.Handle(a, alice))
	s.ok(err)
	_, err = b.Social.Follow(ctx, bob, found.ID, social.FollowOptions{})
	s.ok(err)
	net.Settle()
	p := says(t, a, alice, "for acme", "partner:acme")
	net.Settle()
	if !has(t, b, bob, p.URI) {
		t.Fatal("setting up")
	}
	s.ok(a.Social.SetZone(ctx, b.Config.Domain, social.Zone{Kind: social.ZonePublic}, "t", "test"))
	net.Settle()
	if has(t, b, bob, p.URI) {
		t.Error("a partner that is not paired was demoted, and keeps what it had: no retraction left")
	}
}

func TestAPairingThatRanOutIsTakenBackAndItsZoneIsNoWord(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := &instancetest.Network{T: t}
	for range 2 {
		net.Instances = append(net.Instances, instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: clock.Now}))
	}
	a, b := net.Instances[0], net.Instances[1]
	code, err := a.Social.Invite(ctx, social.InviteRequest{Host: b.Config.Domain, Zone: social.Zone{Kind: social.ZonePartner, Name: "acme"}, Until: clock.Now().Add(30 * 24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	accept(t, b, code.String(), social.Zone{Kind: social.ZonePartner, Name: "muster"})
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	p := says(t, a, alice, "for you", "partner:acme")
	net.Settle()
	if !has(t, b, bob, p.URI) {
		t.Fatal("setting up")
	}
	clock.Advance(31 * 24 * time.Hour)
	if err := a.Social.SetZone(ctx, b.Config.Domain, social.Zone{Kind: social.ZonePartner, Name: "acme"}, "again", "test"); social.KindOf(err) != social.Conflict {
		t.Errorf("the zone of a pairing that ran out was set without effect: %v", err)
	}
	for _, in := range net.Instances {
		if err := in.Social.EndExpired(ctx); err != nil {
			t.Fatal(err)
		}
	}
	net.Settle()
	if has(t, b, bob, p.URI) {
		t.Error("after the agreed end nothing is taken back")
	}
}

func TestMembersHearARestoredKeeper(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	keeper, b := net.Instances[0], net.Instances[1]
	file := t.TempDir() + "/parley.tar"
	if err := keeper.Backup(ctx, file); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	fourth := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: clock.Now})
	net.Instances = append(net.Instances, fourth)
	accept(t, fourth, invite(t, keeper, fourth, companyZone), social.Zone{})
	net.Settle()
	clock.Advance(time.Hour)
	keeper = net.Restore(0, file, "")
	net.Settle()
	fifth := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: clock.Now})
	net.Instances = append(net.Instances, fifth)
	accept(t, fifth, invite(t, keeper, fifth, companyZone), social.Zone{})
	net.Settle()
	if zoneAt(t, b, fifth) != social.ZoneCompany {
		t.Error("b never hears of the fifth company")
	}
}

func TestAnOldRosterEndsNoNewMembership(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	keeper, b := net.Instances[0], net.Instances[1]
	old := rosterOf(t, b).Document
	// c is sold
	if err := keeper.Social.RemovePeer(ctx, net.Instances[2].Config.Domain, "test"); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	d := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: clock.Now})
	net.Instances = append(net.Instances, d)
	accept(t, d, invite(t, keeper, d, companyZone), social.Zone{})
	// the roster that d fetched is lost (keeper crashed right after the answer)
	if err := d.DB.Tx(ctx, func(tx social.Tx) error { return tx.PutSetting(ctx, "roster", "") }); err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(map[string]any{"type": "Update", "actor": keeper.Social.Links.InstanceActor(), "object": json.RawMessage(old)})
	r, _ := http.NewRequest("POST", d.Config.PublicURL+"/inbox", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/activity+json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if zoneAt(t, d, keeper) != social.ZoneCompany {
		t.Error("an old roster, posted by anybody without a signature, ended the pairing with the keeper")
	}
}

func TestAVetoedMemberStaysOneAtTheNextRoster(t *testing.T) {
	ctx := context.Background()
	net := companies(t, 3)
	keeper, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	if err := b.Social.Veto(ctx, c.Social.HomeAuthority(), "test"); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	fourth := instancetest.Start(t, t.TempDir(), "")
	net.Instances = append(net.Instances, fourth)
	accept(t, fourth, invite(t, keeper, fourth, companyZone), social.Zone{})
	net.Settle()
	if zoneAt(t, c, b) == social.ZoneCompany {
		t.Error("the vetoed one takes the other for a sister again")
	}
	for _, pair := range [][2]*instance.Instance{{b, c}, {c, b}} {
		if err := pair[0].Social.Unveto(ctx, pair[1].Social.HomeAuthority(), "test"); err != nil {
			t.Fatal(err)
		}
	}
	net.Settle()
	if zoneAt(t, c, b) != social.ZoneCompany || zoneAt(t, b, c) != social.ZoneCompany {
		t.Error("both lifted the veto, and are no sisters")
	}
}

func TestARosterOfOneNumberHasOneContent(t *testing.T) {
	b := companies(t, 3).Instances[1]
	for _, change := range []bool{false, true} {
		r := rosterOf(t, b)
		if change {
			r.Members = r.Members[:2]
		}
		err := b.DB.Tx(context.Background(), func(tx social.Tx) error { return b.Social.ApplyRoster(context.Background(), tx, r) })
		if refused := social.KindOf(err) == social.Conflict; refused != change || err != nil && !change {
			t.Errorf("other members: %v; the known number was answered with: %v", change, err)
		}
	}
}

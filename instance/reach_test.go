package instance_test

import (
	"context"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// A partner is not told the address of people whom it never knew and may not know; one
// who is hidden since is gone for whoever knew them.
func TestHiddenPeopleAreGoneForWhoKnewThem(t *testing.T) {
	ctx := context.Background()
	net := instancetest.NewWith(t, 3, instancetest.Options{Apart: true})
	a, b, late := net.Instances[0], net.Instances[1], net.Instances[2]
	s := &scene{T: t, net: net, ctx: ctx}
	muster := social.Zone{Kind: social.ZonePartner, Name: "muster"}
	accept(t, b, invite(t, a, b, social.Zone{Kind: social.ZonePartner, Name: "acme"}), muster)
	net.Settle()
	alice := s.named(a, "alice", "Alice")
	net.Settle()
	s.change(a, alice, social.PersonChange{Shown: map[social.PersonField]social.Reach{social.FieldName: social.ReachCompany}})
	net.Settle()
	accept(t, late, invite(t, a, late, social.Zone{Kind: social.ZonePartner, Name: "globex"}), muster)
	net.Settle()
	for in, want := range map[string]bool{b.Config.Domain: true, late.Config.Domain: false} {
		at := b
		if in == late.Config.Domain {
			at = late
		}
		found := false
		s.ok(at.DB.View(ctx, func(tx social.Tx) error {
			people, err := tx.PeopleOf(ctx, a.Config.Domain, 0, 100)
			for _, p := range people {
				if p.URI == alice.Account.URI {
					found = true
					if !p.Gone || p.Name != "" {
						t.Errorf("%s knows %+v", in, p)
					}
				}
			}
			return err
		}))
		if found != want {
			t.Errorf("%s was told of her: %v", in, found)
		}
	}
}

// A community that was narrowed tells those it no longer reaches nothing more.
func TestANarrowedCommunityIsSilent(t *testing.T) {
	ctx := context.Background()
	net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	s := &communities{&scene{T: t, net: net, ctx: ctx, a: a, b: b}}
	accept(t, b, invite(t, a, b, social.Zone{Kind: social.ZonePartner, Name: "acme"}), social.Zone{Kind: social.ZonePartner, Name: "muster"})
	net.Settle()
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	g := s.group(a, alice, social.NewGroup{Name: "tooling", Widest: "partner:acme", Purpose: "with acme"})
	there := s.join(b, bob, a, "tooling")
	for _, change := range []social.GroupChange{{Widest: ptr("company")}, {Purpose: ptr("how we get rid of acme")}} {
		if _, err := a.Social.UpdateGroup(ctx, alice, g.Account.ID, change); err != nil {
			t.Fatal(err)
		}
		net.Settle()
	}
	if v, err := b.Social.Group(ctx, bob, there); err == nil && strings.Contains(v.Account.Note, "get rid") {
		t.Errorf("the partner reads %q", v.Account.Note)
	}
}

// A pairing that was agreed for the directory alone lets no post through.
func TestAPairingWithoutPosts(t *testing.T) {
	ctx := context.Background()
	net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	code, err := a.Social.Invite(ctx, social.InviteRequest{Host: b.Config.Domain, Zone: social.Zone{Kind: social.ZonePartner, Name: "acme"}, DataClasses: []string{"directory.name"}})
	if err != nil {
		t.Fatal(err)
	}
	accept(t, b, code.String(), social.Zone{Kind: social.ZonePartner, Name: "muster"})
	net.Settle()
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	p := says(t, a, alice, "a post", "partner:acme")
	net.Settle()
	if has(t, b, bob, p.URI) {
		t.Error("the pairing names directory.name alone, and posts flow")
	}
}

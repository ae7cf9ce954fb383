package instance_test

import (
	"context"
	"strings"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// company lists the texts of the company timeline, newest first.
func (s *scene) company(in *instance.Instance, r social.Reader) string {
	s.Helper()
	views, err := in.Social.Company(s.ctx, r, social.Page{})
	s.ok(err)
	var out []string
	for _, v := range views {
		out = append(out, in.Social.Text.ToPlain(v.Post.Content))
	}
	return strings.Join(out, " | ")
}

// The company timeline has what every sister wrote for the company, followed or not,
// and nothing that was for others; what is a partner's company is not ours.
func TestCompanyTimelineIsOfAllSisters(t *testing.T) {
	net := instancetest.New(t, 3, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], net.Instances[2]}
	alice, bob, carol := net.Member(s.a, "alice"), net.Member(s.b, "bob"), net.Member(s.c, "carol")
	for _, one := range []struct {
		at *instance.Instance
		by social.Reader
	}{{s.a, alice}, {s.b, bob}, {s.c, carol}} {
		for _, who := range []struct {
			in *instance.Instance
			r  social.Reader
		}{{s.a, alice}, {s.b, bob}, {s.c, carol}} {
			if who.in != one.at {
				_, err := one.at.Social.FindHandle(s.ctx, one.by, instancetest.Handle(who.in, who.r))
				s.ok(err)
			}
		}
	}
	s.post(s.a, alice, social.Draft{Text: "a to all", Audience: "company"})
	s.post(s.b, bob, social.Draft{Text: "b to all", Audience: "company"})
	s.post(s.b, bob, social.Draft{Text: "b inside", Audience: "instance"})
	s.post(s.b, bob, social.Draft{Text: "b public", Audience: "public"})
	s.post(s.c, carol, social.Draft{Text: "c to all", Audience: "company"})
	net.Settle()
	for _, who := range []struct {
		in *instance.Instance
		r  social.Reader
	}{{s.a, alice}, {s.b, bob}, {s.c, carol}} {
		if got := s.company(who.in, who.r); got != "c to all | b to all | a to all" {
			t.Errorf("%s sees %q", who.r.Account.Username, got)
		}
	}
	net.Zone(s.a, s.c, social.Zone{Kind: social.ZonePartner, Name: "acme"})
	if got := s.company(s.a, alice); got != "b to all | a to all" {
		t.Errorf("after c became a partner: %q", got)
	}
	if _, err := s.a.Social.Company(s.ctx, social.Nobody(s.a.Config.Domain), social.Page{}); social.KindOf(err) != social.Unauthenticated {
		t.Errorf("a visitor: %v", err)
	}
}

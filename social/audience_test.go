package social

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const home = "a.test"

var at2026 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The table of the core promise: who is admitted to which audience.
func TestAdmits(t *testing.T) {
	member := Member(&Account{ID: 1}, home)
	remote := func(kind ZoneKind, name string) Reader {
		return Reader{Account: &Account{ID: 2, Host: "b.test", Authority: "b.test"}, Peer: "b.test", Zone: Zone{kind, name}, Home: home}
	}
	readers := map[string]Reader{"nobody": Nobody(home), "member": member, "sister": remote(ZoneCompany, ""), "acme": remote(ZonePartner, "acme"),
		"other partner": remote(ZonePartner, "other"), "outside": remote(ZonePublic, ""), "blocked": remote(ZoneBlocked, "")}
	ours := func(kind AudienceKind, name string) Audience { return Audience{kind, name, home} }
	for _, one := range []struct {
		audience Audience
		facts    Facts
		admitted string
	}{
		{ours(AudiencePublic, ""), Facts{}, "nobody, member, sister, acme, other partner, outside"},
		{ours(AudienceUnlisted, ""), Facts{}, "nobody, member, sister, acme, other partner, outside"},
		{ours(AudienceInstance, ""), Facts{}, "member"},
		{ours(AudienceInstance, ""), Facts{Mentioned: true, Follows: true}, "member"},
		{ours(AudienceCompany, ""), Facts{}, "member, sister"},
		{ours(AudienceCompany, ""), Facts{Mentioned: true, Follows: true}, "member, sister"},
		{ours(AudiencePartner, "acme"), Facts{}, "member, sister, acme"},
		{ours(AudienceFollowers, "x"), Facts{}, ""},
		{ours(AudienceFollowers, "x"), Facts{Follows: true}, "member, sister, acme, other partner, outside"},
		{ours(AudienceFollowers, "x"), Facts{Mentioned: true}, "member, sister, acme, other partner, outside"},
		{ours(AudienceDirect, "x"), Facts{Follows: true}, ""},
		{ours(AudienceDirect, "x"), Facts{Mentioned: true}, "member, sister, acme, other partner, outside"},
		{ours(AudienceGroup, "x"), Facts{Follows: true, Mentioned: true}, ""},
		{Audience{AudienceCompany, "", "c.test"}, Facts{}, "member"},
		{Audience{AudienceCompany, "", "b.test"}, Facts{}, "member"},
		{Audience{AudienceKind("unheard of"), "", home}, Facts{Follows: true, Mentioned: true, Author: true}, ""},
	} {
		for name, r := range readers {
			want := slices.Contains(strings.Split(one.admitted, ", "), name)
			if got := one.audience.Admits(r, one.facts); got != want {
				t.Errorf("%s %+v: %s admitted %v, want %v", one.audience.Label(), one.facts, name, got, want)
			}
		}
	}
}

// The instance that owns an audience gets what is written for its members.
func TestOwnerOfAThreadGetsReplies(t *testing.T) {
	owner := Reader{Peer: "b.test", Zone: Zone{Kind: ZonePublic}, Home: home}
	a := Audience{AudienceFollowers, "https://b.test/u", "b.test"}
	if !a.Admits(owner, Facts{}) {
		t.Error("the owner's instance is left out")
	}
	owner.Account = &Account{ID: 9, Host: "b.test"}
	if a.Admits(owner, Facts{}) {
		t.Error("any person there may read it")
	}
}

// Both the audience and the ceiling must admit a reader.
func TestCeilingBounds(t *testing.T) {
	p := &Post{Audience: Audience{AudiencePublic, "", home}, Ceiling: Audience{AudienceCompany, "", home}}
	if p.MaySee(Nobody(home), Facts{}, Facts{}) || !p.MaySee(Member(&Account{ID: 1}, home), Facts{}, Facts{}) {
		t.Error("the ceiling does not bound")
	}
}

func TestClamping(t *testing.T) {
	company, followers := Audience{AudienceCompany, "", "b.test"}, Audience{AudienceFollowers, "https://b.test/u", "b.test"}
	for _, one := range []struct {
		wanted, ceiling, got Audience
		clamped              bool
	}{
		{Audience{AudiencePublic, "", home}, Audience{}, Audience{AudiencePublic, "", home}, false},
		{Audience{AudiencePublic, "", home}, company, company, true},
		{Audience{AudienceCompany, "", home}, company, company, false},
		{Audience{AudienceInstance, "", home}, company, Audience{AudienceInstance, "", home}, false},
		{Audience{AudienceFollowers, "", home}, followers, followers, false},
		{Audience{AudienceCompany, "", home}, followers, followers, true},
		{Audience{AudienceDirect, "", home}, company, Audience{AudienceDirect, "", home}, false},
		{Audience{AudiencePublic, "", home}, Audience{AudienceDirect, "p", "b.test"}, Audience{AudienceDirect, "p", "b.test"}, true},
	} {
		got, clamped := one.wanted.within(one.ceiling)
		if got != one.got || clamped != one.clamped {
			t.Errorf("%v within %v: %v %v", one.wanted, one.ceiling, got, clamped)
		}
	}
}

func TestIDsKeepTimeAndLength(t *testing.T) {
	for range 1000 {
		id := NewID(FirstID(at2026).Time())
		if len(id.String()) != 19 || !id.Time().Equal(at2026) {
			t.Fatal(id)
		}
	}
	for _, s := range []string{"", "0", "-1", "+1", "x", "99999999999999999999"} {
		if _, err := ParseID(s); KindOf(err) != NotFound {
			t.Errorf("%q: %v", s, err)
		}
	}
}

package federation_test

import (
	"testing"

	"parley/social"
)

// Nobody vouches for an instance that is paired with us, not even a sister, whatever
// the audience: it speaks by its own keys.
func TestNobodyVouchesForAPairedInstance(t *testing.T) {
	for _, zone := range []social.ZoneKind{social.ZonePublic, social.ZoneCompany} {
		t.Run(string(zone), func(t *testing.T) { vouchesForPaired(t, zone) })
	}
}

func vouchesForPaired(t *testing.T, zone social.ZoneKind) {
	in, r, net := admitted(t, zone)
	alice := net.Member(in, "alice")
	uri := r.community(t, in, net, alice, "main")
	partner := newRemote(t)
	partner.pairs(in, social.Zone{Kind: social.ZonePartner, Name: "acme"})
	r.announces(t, in, net, "main", "forged1", partner.said("forged1", partner.into("forged1", uri, public)))
	r.announces(t, in, net, "main", "forged2", partner.said("forged2", partner.into("forged2", uri)))
	for _, path := range []string{"/notes/forged1", "/notes/forged2"} {
		if p := view(in, alice, partner.url(path)); p != nil {
			t.Errorf("%s stands via %s for %s", path, p.Via, p.Audience.Label())
		}
	}
}

// What its own server says is not there, nobody vouches for.
func TestNobodyVouchesAgainstTheOrigin(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	alice := net.Member(in, "alice")
	uri := r.community(t, in, net, alice, "main")
	other := second(t, in, social.ZonePublic)
	r.announces(t, in, net, "main", "forged1", other.said("forged1", other.into("forged1", uri, public)))
	if p := view(in, alice, other.url("/notes/forged1")); p != nil {
		t.Errorf("it stands via %s for %s", p.Via, p.Audience.Label())
	}
	if other.fetches.Load() == 0 {
		t.Error("its own server was never asked")
	}
}

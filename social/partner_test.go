package social

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What people read for a partner zone.
func TestPartnerHasAName(t *testing.T) {
	o := Organisation{Partners: map[string]string{"nord": "Nord & Söhne"}}
	for zone, want := range map[string]string{"acme": "ACME", "a": "A", "3m": "3M", "contoso": "Contoso", "blue-sea": "Blue Sea",
		"north-sea-lines": "North Sea Lines", "nord": "Nord & Söhne"} {
		if got := o.Partner(zone); got != want {
			t.Errorf("%s is shown as %q, want %q", zone, got, want)
		}
	}
}

// The choice of who sees a post stands in the same order each time.
func TestPartnersAreChosenInOrder(t *testing.T) {
	s := &Service{home: home}
	s.Mode, s.Now = ModeAllowlist, time.Now
	var peers []Peer
	for _, name := range []string{"zeta", "acme", "mid", "beta", "kappa", "omega"} {
		peers = append(peers, Peer{Authority: name + ".test", Zone: Zone{ZonePartner, name}})
	}
	want := "direct followers instance company partner:acme partner:beta partner:kappa partner:mid partner:omega partner:zeta unlisted public"
	for range 20 {
		slices.Reverse(peers)
		var got []string
		for _, c := range s.fitting(&Account{}, peers, nil, nil, nil, Audience{Kind: AudienceCompany, Owner: home}) {
			got = append(got, c.Label)
		}
		if strings.Join(got, " ") != want {
			t.Fatal(got)
		}
	}
}

// The choice says how many people it reaches, and where servers tell nothing of theirs,
// that there are more.
func TestChoicesAreCounted(t *testing.T) {
	s := &Service{home: home}
	s.Mode, s.Now = ModeAllowlist, time.Now
	peers := []Peer{{Authority: "b.test", Zone: Zone{ZoneCompany, ""}, Pairing: PairingActive}, {Authority: "acme.test", Zone: Zone{ZonePartner, "acme"}}}
	me := &Account{FollowersCount: 3}
	for _, c := range s.fitting(me, peers, map[string]int{"": 10, "b.test": 30, "other.test": 5}, nil, nil, Audience{Kind: AudienceCompany, Owner: home}) {
		want := map[string]Choice{"followers": {People: 3}, "instance": {People: 10}, "company": {People: 40, Peers: 1}, "partner:acme": {People: 40, Peers: 2, Least: true}, "unlisted": {Peers: 1}, "public": {Peers: 1}}[c.Label]
		if c.People != want.People || c.Peers != want.Peers || c.Least != want.Least {
			t.Errorf("%s: %+v", c.Label, c)
		}
	}
}

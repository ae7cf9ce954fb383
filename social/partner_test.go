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
		for _, c := range s.fitting(peers, nil, nil, Audience{Kind: AudienceCompany, Owner: home}) {
			got = append(got, c.Label)
		}
		if strings.Join(got, " ") != want {
			t.Fatal(got)
		}
	}
}

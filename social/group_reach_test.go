package social

import "testing"

// How far a community goes is decided by who may join it, whom it lets in and whose server
// it is on; whichever goes farthest counts.
func TestHowFarACommunityGoes(t *testing.T) {
	for _, one := range []struct {
		join   JoinRule
		widest AudienceKind
		zone   ZoneKind
		want   AudienceKind
	}{
		{JoinOpen, AudienceCompany, ZoneCompany, AudienceGroup},
		{JoinOpen, AudienceInstance, ZoneCompany, AudienceGroup},
		{JoinOpen, AudiencePublic, ZoneCompany, AudiencePublic},
		{JoinRequest, AudiencePublic, ZoneCompany, AudiencePartner},
		{JoinClosed, AudiencePartner, ZoneCompany, AudiencePartner},
		{JoinClosed, AudienceCompany, ZonePartner, AudiencePartner},
		{JoinOpen, AudiencePublic, ZonePartner, AudiencePublic},
		{JoinClosed, AudienceInstance, ZonePublic, AudiencePublic},
		{JoinClosed, "", ZoneBlocked, AudiencePublic},
	} {
		g := &Group{Join: one.join, Widest: Audience{Kind: one.widest}}
		if got := g.Reach(one.zone); got != one.want {
			t.Errorf("%v: %s", one, got)
		}
	}
}

package social

import (
	"context"
	"slices"
	"strings"
)

// JoinRule says how somebody becomes a member of a group.
type JoinRule string

const (
	JoinOpen    JoinRule = "open"    // whoever asks is a member
	JoinRequest JoinRule = "request" // owner and moderators decide
	JoinClosed  JoinRule = "closed"  // only whom owner and moderators add
)

// ParseJoinRule reads "open", "request" or "closed"; "" is open.
func ParseJoinRule(s string) (JoinRule, error) {
	switch j := JoinRule(s); j {
	case "":
		return JoinOpen, nil
	case JoinOpen, JoinRequest, JoinClosed:
		return j, nil
	}
	return "", Errorf(Invalid, "unknown join rule %.40q; use open, request or closed", s)
}

// Group is what an account of KindGroup has beside a person's: who runs it, who may
// join, and how far it reaches. Its purpose is the account's note; its members are the
// accepted followers. Of groups elsewhere Join and Widest alone are known, as far as
// their server says so.
type Group struct {
	OwnerID    ID       `json:"owner"`
	Moderators []ID     `json:"moderators,omitempty"`
	Invited    []ID     `json:"invited,omitempty"` // members at once when they ask
	Join       JoinRule `json:"join"`
	// Widest is what a member's server must be admitted to: instance, company,
	// partner:<name> or public, owned here. The zero value admits nobody.
	Widest Audience `json:"widest"`
}

// Everybody says that what members write into the group is public.
func (g *Group) Everybody() bool {
	return g != nil && g.Join == JoinOpen && g.Widest.Kind == AudiencePublic
}

// Reach says how far goes what is written in a community whose server is of that zone to
// us: it can be public, or reach people who are not of the company as far as a partner does,
// or stays with the company's people (AudienceGroup).
func (g *Group) Reach(zone ZoneKind) AudienceKind {
	switch {
	case g.Everybody(), zone != ZoneCompany && zone != ZonePartner:
		return AudiencePublic
	case zone == ZonePartner, g.Widest.Kind == AudiencePartner, g.Widest.Kind == AudiencePublic:
		return AudiencePartner
	}
	return AudienceGroup
}

// Runs says that an account is the owner or a moderator.
func (g *Group) Runs(id ID) bool {
	return g != nil && id != 0 && (id == g.OwnerID || slices.Contains(g.Moderators, id))
}

// Narrows says that a group may be changed to reach as far as a circle and no farther.
func (g *Group) Narrows(to Audience) bool { return to.narrows(g.Widest) }

// parseWidest reads how far a group may reach; "" is the whole company.
func (s *Service) parseWidest(label string) (Audience, error) {
	if label == "" {
		label = string(AudienceCompany)
	}
	a, err := ParseAudience(label, s.home)
	switch a.Kind {
	case AudienceInstance, AudienceCompany, AudiencePartner, AudiencePublic:
		return a, err
	}
	return Audience{}, Errorf(Invalid, "unknown widest zone %.40q; use instance, company, partner:<name> or public", label)
}

// groupPrefix begins the label of a group's audience; its handle follows.
const groupPrefix = "group:"

// groupLabel is how people and apps write an audience that means this group.
func (a *Account) groupLabel() string { return groupPrefix + a.Acct() }

// validGroupName says that a text can be a group's handle: a name, here or elsewhere.
func validGroupName(s string) bool {
	name, host, elsewhere := strings.Cut(s, "@")
	return usernamePattern.MatchString(strings.ToLower(name)) && (!elsewhere || host != "" && len(host) <= 260 && !strings.ContainsAny(host, "@/ "))
}

// groupAudience is that of the posts in a group.
func (a *Account) groupAudience() Audience {
	if a.Group.Everybody() {
		return Audience{Kind: AudiencePublic, Owner: a.Authority}
	}
	return Audience{Kind: AudienceGroup, Name: a.URI, Owner: a.Authority}
}

// learnMembers finds of which groups the reader is a member at this moment; for a
// whole peer, somebody there. The server of a member must still be within the widest
// zone of a group of ours; whom a group elsewhere admits, its own server decides.
func (s *Service) learnMembers(ctx context.Context, tx Tx, r Reader, uris []string, t *factTable) error {
	groups, err := tx.AccountsByURI(ctx, uris)
	if err != nil {
		return err
	}
	allowed := true
	if r.Peer != "" {
		policy, err := s.policyIn(ctx, tx)
		if err != nil {
			return err
		}
		allowed = policy.group(r.Zone)
	}
	var ids []ID
	for uri, g := range groups {
		if !g.Active() || g.Kind != KindGroup || !r.Local() && !(allowed && s.reaches(g, r)) {
			delete(groups, uri)
			continue
		}
		ids = append(ids, g.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	if r.Account == nil || r.Account.Kind == KindApplication {
		for uri, g := range groups {
			if t.members[uri], err = tx.PeerFollows(ctx, r.Peer, g.ID); err != nil {
				return err
			}
		}
		return nil
	}
	follows, err := tx.FollowsTo(ctx, r.Account.ID, ids)
	for uri, g := range groups {
		f := follows[g.ID]
		t.members[uri] = f != nil && f.State == FollowAccepted
	}
	return err
}

// Shows says whether an account is shown to a reader.
func (s *Service) Shows(ctx context.Context, tx Tx, r Reader, a *Account) (bool, error) {
	err := s.shows(ctx, tx, r, a)
	return err == nil, ignoreNotFound(err)
}

// shows adds to mayShow that a group is known to whom it is for: to all where servers
// outside of the company may join, else to who is within its widest zone. A closed one
// is known to its members, to those invited and their servers, and to administrators.
func (s *Service) shows(ctx context.Context, tx Tx, r Reader, a *Account) error {
	err := s.mayShow(r, a)
	if err != nil || r.System || !a.Local() || a.Group == nil || a.Group.Findable() || a.Group.Join != JoinClosed && s.reaches(a, r) {
		return err
	}
	if runs, _ := runs(r, a); runs || slices.Contains(a.Group.Invited, r.AccountID()) {
		return nil
	}
	if r.Peer != "" {
		invited, err := tx.Accounts(ctx, a.Group.Invited)
		if err != nil {
			return err
		}
		for _, i := range invited {
			if i.Authority == r.Peer {
				return nil
			}
		}
		r.Account = nil // somebody there who is a member
	}
	ok, err := s.MemberOf(ctx, tx, r, a)
	if err == nil && !ok {
		err = NotFoundError()
	}
	return err
}

// Findable says that a group's handle may be looked up by a server that does not say
// who it is: where others than sisters are to join.
func (g *Group) Findable() bool {
	return g != nil && g.Join != JoinClosed && (g.Widest.Kind == AudiencePublic || g.Widest.Kind == AudiencePartner)
}

// reaches says that a reader's server is within the widest zone of a group of ours.
func (s *Service) reaches(g *Account, r Reader) bool {
	return g.Local() && g.Group != nil && g.Group.Widest.Admits(r, Facts{})
}

// admits adds to reaches that the policy lets groups reach a reader's server.
func (s *Service) admits(ctx context.Context, tx Tx, g *Account, r Reader) (bool, error) {
	if !s.reaches(g, r) || r.Peer == "" {
		return s.reaches(g, r), nil
	}
	policy, err := s.policyIn(ctx, tx)
	return err == nil && policy.group(r.Zone), err
}

// MemberOf says that the reader is a member of a group now.
func (s *Service) MemberOf(ctx context.Context, tx Tx, r Reader, g *Account) (bool, error) {
	t := &factTable{members: map[string]bool{}}
	err := s.learnMembers(ctx, tx, r, []string{g.URI}, t)
	return t.members[g.URI], err
}

// inGroup finds the group that a draft's label names; a group whose member the author
// is not is one that is not there.
func (s *Service) inGroup(ctx context.Context, tx Tx, me *Account, handle string) (*Account, error) {
	none := Errorf(Invalid, "there is no group %q", clip(handle, 100))
	if !validGroupName(handle) {
		return nil, none
	}
	name, host := s.splitHandle(handle)
	g, err := tx.AccountByName(ctx, name, host)
	if KindOf(err) == NotFound {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	if ok, err := s.MemberOf(ctx, tx, Member(me, s.home), g); err != nil || !ok {
		if err == nil {
			err = none
		}
		return nil, err
	}
	return g, nil
}

// joinedGroups are those that a member can write in.
func (s *Service) joinedGroups(ctx context.Context, tx Tx, me *Account) ([]*Account, error) {
	known, err := tx.GroupsOf(ctx, me.ID, maxPage)
	if err != nil {
		return nil, err
	}
	uris := make([]string, len(known))
	for i, g := range known {
		uris[i] = g.URI
	}
	t := &factTable{members: map[string]bool{}}
	err = s.learnMembers(ctx, tx, Member(me, s.home), uris, t)
	return slices.DeleteFunc(known, func(g *Account) bool { return !t.members[g.URI] }), err
}

// choose decides who sees a draft, and in which group it stands: by its label, or that
// of what it answers. It says whether it had to narrow what the author wanted.
func (s *Service) choose(ctx context.Context, tx Tx, r Reader, d Draft, parent *Post) (a Audience, group ID, clamped bool, err error) {
	if r.only() != nil && d.Audience == "" && d.Visibility == "" && parent == nil {
		d.Audience = r.GrantDefault()
	}
	if a, group, clamped, err = s.chosen(ctx, tx, r, d, parent); err == nil {
		err = s.withinGrant(ctx, tx, r, a, group)
	}
	return a, group, clamped, err
}

func (s *Service) chosen(ctx context.Context, tx Tx, r Reader, d Draft, parent *Post) (a Audience, group ID, clamped bool, err error) {
	policy, err := s.policyIn(ctx, tx)
	if err != nil {
		return a, 0, false, err
	}
	handle, named := strings.CutPrefix(d.Audience, groupPrefix)
	if named {
		g, err := s.inGroup(ctx, tx, r.Account, handle)
		if err != nil {
			return a, 0, false, err
		}
		if a = g.groupAudience(); a.Everybody() {
			d.Audience, d.Visibility = string(a.Kind), ""
			if wide, _, err := s.chooseAudience(policy, r, d, nil); err != nil || wide.Kind != a.Kind {
				if err == nil {
					err = Errorf(Forbidden, "what you write in this community is public, which you may not choose here; write it to a narrower circle")
				}
				return a, 0, false, err
			}
		}
		if parent == nil {
			return a, g.ID, false, nil
		}
		if parent.GroupID != g.ID {
			return a, 0, false, Errorf(Invalid, "this thread does not belong to the community; write a post of its own there")
		}
		d.Audience = ""
	}
	a, clamped, err = s.chooseAudience(policy, r, d, parent)
	if parent != nil && (a == parent.Audience || a.Everybody() && parent.Audience.Everybody()) {
		group = parent.GroupID
	}
	return a, group, clamped, err
}

package instance_test

import (
	"context"
	"slices"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// communities is a scene with groups.
type communities struct {
	*scene
}

func (s *communities) group(in *instance.Instance, owner social.Reader, n social.NewGroup) *social.GroupView {
	s.Helper()
	g, err := in.Social.CreateGroup(s.ctx, owner, n)
	s.ok(err)
	return g
}

func (s *communities) want(what string, err error, k social.Kind) {
	s.Helper()
	if err == nil || social.KindOf(err) != k {
		s.Errorf("%s: %v, want kind %d", what, err, k)
	}
}

// timeline lists the plain texts of a group, newest first; "-" when it is missing.
func (s *communities) timeline(in *instance.Instance, r social.Reader, id social.ID) (out []string) {
	s.Helper()
	views, err := in.Social.GroupPosts(s.ctx, r, id, social.Page{})
	if err != nil && social.KindOf(err) == social.NotFound {
		return []string{"-"}
	}
	s.ok(err)
	for _, v := range views {
		out = append(out, in.Social.Text.ToPlain(v.Post.Content))
	}
	return out
}

func newCommunities(t *testing.T, n int, database func(int) string) *communities {
	net := instancetest.New(t, n, database)
	s := &scene{T: t, net: net, ctx: context.Background(), a: net.Instances[0]}
	if n > 1 {
		s.b = net.Instances[1]
	}
	if n > 2 {
		s.c = net.Instances[2]
	}
	return &communities{s}
}

func TestMembersAloneSeeWhatStandsInAGroup(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { membersAlone(t, nil) })
	t.Run("postgres", func(t *testing.T) { membersAlone(t, instancetest.Postgres(t)) })
}

func membersAlone(t *testing.T, database func(int) string) {
	s := newCommunities(t, 1, database)
	alice, bob, carol := s.net.Member(s.a, "alice"), s.net.Member(s.a, "bob"), s.net.Member(s.a, "carol")
	g := s.group(s.a, alice, social.NewGroup{Name: "tooling", Purpose: "Tools *we* build"})
	if !g.Member || !g.Owns || g.Account.FollowersCount != 0 && g.Account.FollowersCount != 1 || g.Account.Note == "" {
		t.Errorf("%+v", g)
	}
	p := s.post(s.a, alice, social.Draft{Text: "hello tools", Audience: "group:tooling"})
	if p.AudienceLabel() != "group:tooling" || p.Post.Audience.Visibility() != "private" {
		t.Errorf("%s %s", p.AudienceLabel(), p.Post.Audience.Visibility())
	}
	if got := s.timeline(s.a, bob, g.Account.ID); !slices.Equal(got, []string{"-"}) {
		t.Errorf("who is no member sees %v", got)
	}
	_, err := s.a.Social.Post(s.ctx, bob, p.Post.ID)
	s.want("a post to who is no member", err, social.NotFound)
	_, err = s.a.Social.Publish(s.ctx, bob, social.Draft{Text: "me too", Audience: "group:tooling"})
	s.want("writing without membership", err, social.Invalid)

	joined, err := s.a.Social.Join(s.ctx, bob, g.Account.ID, true)
	s.ok(err)
	if !joined.Member || joined.Runs || s.home(s.a, bob) != "hello tools" {
		t.Errorf("%+v, home %q", joined, s.home(s.a, bob))
	}
	reply := s.post(s.a, bob, social.Draft{Text: "answer", InReplyTo: p.Post.ID, Audience: "company"})
	if reply.AudienceLabel() != "group:tooling" || !reply.Clamped {
		t.Errorf("a reply goes to %s", reply.AudienceLabel())
	}
	if got := s.timeline(s.a, bob, g.Account.ID); !slices.Equal(got, []string{"hello tools"}) {
		t.Errorf("bob sees %v", got)
	}
	_, err = s.a.Social.Boost(s.ctx, bob, p.Post.ID, true)
	s.want("sharing it", err, social.Invalid)
	choices, err := s.a.Social.Audiences(s.ctx, bob, 0)
	s.ok(err)
	if !slices.ContainsFunc(choices, func(c social.Choice) bool { return c.Label == "group:tooling" }) {
		t.Errorf("bob cannot choose the group: %v", choices)
	}
	// An edit that names the group again changes nothing, and out of it an edit leads to fewer only.
	if v, err := s.a.Social.Edit(s.ctx, bob, reply.Post.ID, social.Draft{Text: "better answer", Audience: "group:tooling"}); err != nil || v.AudienceLabel() != "group:tooling" {
		t.Errorf("%v %v", v, err)
	}
	_, err = s.a.Social.Edit(s.ctx, bob, reply.Post.ID, social.Draft{Text: "better answer", Audience: "company"})
	s.want("widening", err, social.Invalid)

	if _, err := s.a.Social.Join(s.ctx, bob, g.Account.ID, false); err != nil || s.home(s.a, bob) != "better answer" {
		t.Errorf("%v, home after leaving: %q", err, s.home(s.a, bob))
	}
	// In which groups somebody is, nobody else learns.
	_, err = s.a.Social.Join(s.ctx, carol, g.Account.ID, true)
	s.ok(err)
	if list, _, err := s.a.Social.Following(s.ctx, bob, carol.Account.ID, social.Page{}); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	if list, _, err := s.a.Social.Following(s.ctx, carol, carol.Account.ID, social.Page{}); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

func TestOwnerAndModeratorsRunAGroup(t *testing.T) {
	s := newCommunities(t, 1, nil)
	alice, bob, carol, dora := s.net.Member(s.a, "alice"), s.net.Member(s.a, "bob"), s.net.Member(s.a, "carol"), s.net.Member(s.a, "dora")
	social1 := s.a.Social
	g := s.group(s.a, alice, social.NewGroup{Name: "board", Join: "request"}).Account.ID
	for _, who := range []social.Reader{bob, carol} {
		v, err := social1.Join(s.ctx, who, g, true)
		s.ok(err)
		if v.Member || !v.Asked {
			t.Errorf("asking gave %+v", v)
		}
	}
	notes, err := social1.Notifications(s.ctx, alice, social.Page{}, social.NotificationFilter{})
	s.ok(err)
	if len(notes) != 1 || notes[0].Notification.Kind != social.NotifyJoinRequest || notes[0].From.ID != g {
		t.Errorf("the owner is told %v", notes)
	}
	_, _, err = social1.GroupRequests(s.ctx, bob, g, social.Page{})
	s.want("requests to a stranger", err, social.NotFound)
	s.want("approving oneself", social1.AnswerJoin(s.ctx, bob, g, bob.Account.ID, true), social.NotFound)
	s.ok(social1.AnswerJoin(s.ctx, alice, g, bob.Account.ID, true))
	s.ok(social1.AnswerJoin(s.ctx, alice, g, carol.Account.ID, false))
	if v, err := social1.Group(s.ctx, carol, g); err != nil || v.Member || v.Asked {
		t.Errorf("%+v %v", v, err)
	}
	s.want("a member adding", social1.AddMember(s.ctx, bob, g, dora.Account.ID), social.NotFound)
	s.ok(social1.SetModerator(s.ctx, alice, g, bob.Account.ID, true))
	s.ok(social1.AddMember(s.ctx, bob, g, dora.Account.ID))
	purpose, join, wide, narrow := "new purpose", "closed", "public", "instance"
	_, err = social1.UpdateGroup(s.ctx, bob, g, social.GroupChange{Purpose: &purpose})
	s.ok(err)
	_, err = social1.UpdateGroup(s.ctx, bob, g, social.GroupChange{Join: &join})
	s.want("a moderator changing the join rule", err, social.Forbidden)
	_, err = social1.UpdateGroup(s.ctx, alice, g, social.GroupChange{Widest: &wide})
	s.want("widening a group", err, social.Invalid)
	v, err := social1.UpdateGroup(s.ctx, alice, g, social.GroupChange{Join: &join, Widest: &narrow})
	s.ok(err)
	if v.Account.Group.Widest.Kind != social.AudienceInstance || v.Account.NoteSource != purpose {
		t.Errorf("%+v", v.Account.Group)
	}
	// Closed, it is missing to everybody else, and joined by nobody.
	_, err = social1.Group(s.ctx, carol, g)
	s.want("a closed group", err, social.NotFound)
	_, err = social1.Follow(s.ctx, carol, g, social.FollowOptions{})
	s.want("following a closed group", err, social.NotFound)
	if found, err := social1.Search(s.ctx, carol, "board", social.SearchOptions{}); err != nil || len(found.Accounts) != 0 {
		t.Errorf("%v %v", found.Accounts, err)
	}
	s.want("removing the owner", social1.RemoveMember(s.ctx, bob, g, alice.Account.ID), social.Forbidden)
	s.ok(social1.RemoveMember(s.ctx, bob, g, dora.Account.ID))
	if got := s.timeline(s.a, dora, g); !slices.Equal(got, []string{"-"}) {
		t.Errorf("who was removed sees %v", got)
	}
	// The owner leaves the company: the first moderator owns it now.
	s.ok(social1.DeleteAccount(s.ctx, alice.Account.ID, "", "test"))
	if v, err = social1.Group(s.ctx, bob, g); err != nil || !v.Owns || len(v.Moderators) != 0 {
		t.Errorf("%+v %v", v, err)
	}
	s.want("closing it as somebody else", social1.DeleteGroup(s.ctx, dora, g), social.NotFound)
	s.post(s.a, bob, social.Draft{Text: "last words", Audience: "group:board"})
	s.ok(social1.DeleteGroup(s.ctx, bob, g))
	_, err = social1.Group(s.ctx, bob, g)
	s.want("a group that was closed", err, social.NotFound)
	_, err = social1.CreateGroup(s.ctx, bob, social.NewGroup{Name: "board"})
	s.want("its name", err, social.Conflict)
}

// A community reaches no farther than the policy and the role of its maker.
func TestPolicyBoundsCommunities(t *testing.T) {
	s := newCommunities(t, 1, nil)
	alice := s.net.Member(s.a, "alice")
	found := func(name, widest string) error {
		_, err := s.a.Social.CreateGroup(s.ctx, alice, social.NewGroup{Name: name, Widest: widest})
		return err
	}
	s.ok(found("one", "public"))
	setPolicy(t, s.a, map[string]string{"audience.widest.member": "company"})
	s.want("beyond the role", found("two", "partner:acme"), social.Forbidden)
	s.ok(found("two", "company"))
	setPolicy(t, s.a, map[string]string{"audience.widest.member": "", "groups.widest": "instance"})
	s.want("beyond what groups may reach", found("three", "company"), social.Forbidden)
	s.ok(found("three", "instance"))
}

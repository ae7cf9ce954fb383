package instance_test

import (
	"slices"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// find looks a handle up from another instance.
func (s *communities) find(in *instance.Instance, r social.Reader, handle string) *social.Account {
	s.Helper()
	a, err := in.Social.FindHandle(s.ctx, r, handle)
	s.ok(err)
	return a
}

// join asks for membership in a group of another instance, and lets everything arrive.
func (s *communities) join(in *instance.Instance, r social.Reader, home *instance.Instance, name string) social.ID {
	s.Helper()
	g := s.find(in, r, "@"+name+"@"+home.Config.Domain)
	_, err := in.Social.Join(s.ctx, r, g.ID, true)
	s.ok(err)
	s.net.Settle()
	return g.ID
}

func (s *communities) same(what string, got, want []string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestAGroupSpansSisters(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { groupSpansSisters(t, nil) })
	t.Run("postgres", func(t *testing.T) { groupSpansSisters(t, instancetest.Postgres(t)) })
}

func groupSpansSisters(t *testing.T, database func(int) string) {
	s := newCommunities(t, 3, database)
	alice, bob, carol, dora := s.net.Member(s.a, "alice"), s.net.Member(s.b, "bob"), s.net.Member(s.c, "carol"), s.net.Member(s.c, "dora")
	ga := s.group(s.a, alice, social.NewGroup{Name: "tooling"}).Account.ID
	s.post(s.a, alice, social.Draft{Text: "before", Audience: "group:tooling"})
	gb, gc := s.join(s.b, bob, s.a, "tooling"), s.join(s.c, carol, s.a, "tooling")
	s.same("what stood there, at b", s.timeline(s.b, bob, gb), []string{"before"})

	label := "group:tooling@" + s.a.Config.Domain
	root := s.post(s.b, bob, social.Draft{Text: "from b", Audience: label})
	s.net.Settle()
	for name, got := range map[string][]string{"a": s.timeline(s.a, alice, ga), "b": s.timeline(s.b, bob, gb), "c": s.timeline(s.c, carol, gc)} {
		s.same("at "+name, got, []string{"from b", "before"})
	}
	if got := s.home(s.c, carol); got != "from b | before" {
		t.Errorf("carol's home: %q", got)
	}
	at := s.there(s.c, carol, root.Post.URI)
	if at.Post.Via != "" || at.AudienceLabel() != label || at.Author.Acct() != "bob@"+s.b.Config.Domain {
		t.Errorf("via %q, %s, by %s", at.Post.Via, at.AudienceLabel(), at.Author.Acct())
	}
	_, err := s.c.Social.PostByURI(s.ctx, dora, root.Post.URI)
	s.want("to who is no member", err, social.NotFound)

	// A reply reaches everybody by the group's own server.
	reply := s.post(s.c, carol, social.Draft{Text: "reply of c", InReplyTo: at.Post.ID})
	s.net.Settle()
	for name, r := range map[string]social.Reader{"a": alice, "b": bob} {
		in := map[string]*instance.Instance{"a": s.a, "b": s.b}[name]
		got := s.there(in, r, reply.Post.URI)
		if got.Post.ThreadID != s.there(in, r, root.Post.URI).Post.ID || got.AudienceLabel() != map[string]string{"a": "group:tooling", "b": label}[name] {
			t.Errorf("at %s the reply stands in %s", name, got.AudienceLabel())
		}
	}
	// So do an edit and a deletion.
	_, err = s.b.Social.Edit(s.ctx, bob, root.Post.ID, social.Draft{Text: "from b, again"})
	s.ok(err)
	s.net.Settle()
	s.same("edited, at c", s.timeline(s.c, carol, gc), []string{"from b, again", "before"})
	_, err = s.c.Social.Delete(s.ctx, carol, reply.Post.ID)
	s.ok(err)
	s.net.Settle()
	_, err = s.b.Social.PostByURI(s.ctx, bob, reply.Post.URI)
	s.want("a deleted reply at b", err, social.NotFound)

	// Bob is removed: he reads and writes there no more, and a deletion still comes.
	s.ok(s.a.Social.RemoveMember(s.ctx, alice, ga, s.find(s.a, alice, instancetest.Handle(s.b, bob)).ID))
	s.net.Settle()
	s.same("at b after the removal", s.timeline(s.b, bob, gb), []string{"-"})
	_, err = s.b.Social.Publish(s.ctx, bob, social.Draft{Text: "still here", Audience: label})
	s.want("writing after the removal", err, social.Invalid)
	s.post(s.a, alice, social.Draft{Text: "without b", Audience: "group:tooling"})
	s.net.Settle()
	s.same("at c", s.timeline(s.c, carol, gc), []string{"without b", "from b, again", "before"})
}

// A reply goes to the owner of a thread that is not public, who hands it on: each side
// sees the same posts, as far as it may.
func TestTheOwnerOfAThreadHandsRepliesOn(t *testing.T) {
	net := instancetest.NewWith(t, 4, instancetest.Options{Apart: true})
	s := &communities{&scene{T: t, net: net, ctx: t.Context(), a: net.Instances[0], b: net.Instances[1], c: net.Instances[2]}}
	p := net.Instances[3]
	net.Pair(s.a, s.b)
	net.Pair(s.a, s.c)
	net.Settle()
	net.Zone(s.a, p, social.Zone{Kind: social.ZonePartner, Name: "acme"}) // b and c do not know the partner
	s.net.Zone(p, s.a, social.Zone{Kind: social.ZonePartner, Name: "muster"})
	alice, bob, carol, paul := s.net.Member(s.a, "alice"), s.net.Member(s.b, "bob"), s.net.Member(s.c, "carol"), s.net.Member(p, "paul")
	s.meet(s.b, bob, s.a, alice)
	s.meet(s.c, carol, s.a, alice)
	s.meet(s.a, alice, p, paul)
	s.meet(p, paul, s.a, alice)
	root := s.post(s.a, alice, social.Draft{Text: "shall we?", Audience: "partner:acme"})
	inside := s.post(s.a, alice, social.Draft{Text: "among us", Audience: "company"})
	s.net.Settle()

	fromB := s.post(s.b, bob, social.Draft{Text: "b says yes", InReplyTo: s.there(s.b, bob, root.Post.URI).Post.ID})
	fromP := s.post(p, paul, social.Draft{Text: "p says yes", InReplyTo: s.there(p, paul, root.Post.URI).Post.ID})
	quiet := s.post(s.b, bob, social.Draft{Text: "b whispers", InReplyTo: s.there(s.b, bob, inside.Post.URI).Post.ID})
	s.net.Settle()
	for name, in := range map[string]*instance.Instance{"a": s.a, "b": s.b, "c": s.c, "p": p} {
		r := map[string]social.Reader{"a": alice, "b": bob, "c": carol, "p": paul}[name]
		top := s.there(in, r, root.Post.URI)
		for _, uri := range []string{fromB.Post.URI, fromP.Post.URI} {
			if name == "p" && uri == fromB.Post.URI {
				_, err := in.Social.PostByURI(s.ctx, r, uri)
				s.want("a post that a partner alone vouches for", err, social.NotFound)
				continue
			}
			v, err := in.Social.PostByURI(s.ctx, r, uri)
			if err != nil || v.Post.ThreadID != top.Post.ThreadID {
				t.Errorf("%s at %s: %v", uri, name, err)
				continue
			}
			// Of the partner's server the sisters have only the owner's word.
			vouched := uri == fromP.Post.URI && (name == "b" || name == "c")
			if (v.Post.Via == s.a.Config.Domain) != vouched {
				t.Errorf("%s at %s came via %q", uri, name, v.Post.Via)
			}
		}
	}
	s.there(s.c, carol, quiet.Post.URI)
	_, err := p.Social.PostByURI(s.ctx, paul, quiet.Post.URI)
	s.want("a word among sisters at the partner", err, social.NotFound)

	_, err = p.Social.Delete(s.ctx, paul, fromP.Post.ID)
	s.ok(err)
	s.net.Settle()
	for _, in := range []*instance.Instance{s.a, s.b, s.c} {
		r := map[*instance.Instance]social.Reader{s.a: alice, s.b: bob, s.c: carol}[in]
		_, err := in.Social.PostByURI(s.ctx, r, fromP.Post.URI)
		s.want("a deleted reply", err, social.NotFound)
	}
}

// meet makes r follow somebody of another instance.
func (s *communities) meet(in *instance.Instance, r social.Reader, there *instance.Instance, who social.Reader) {
	s.Helper()
	a := s.find(in, r, instancetest.Handle(there, who))
	_, err := in.Social.Follow(s.ctx, r, a.ID, social.FollowOptions{})
	s.ok(err)
	s.net.Settle()
}

// What was said in a group and in a thread while a sister was down, and nobody kept for
// it, stands in the log of whoever handed it on: each post once, in its last state.
func TestALogTellsWhatWasHandedOn(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	s := &communities{&scene{T: t, net: net, ctx: t.Context(), a: net.Instances[0], b: net.Instances[1], c: net.Instances[2]}}
	alice, bob, carol := net.Member(s.a, "alice"), net.Member(s.b, "bob"), net.Member(s.c, "carol")
	s.group(s.a, alice, social.NewGroup{Name: "tooling"})
	s.join(s.b, bob, s.a, "tooling")
	gc := s.join(s.c, carol, s.a, "tooling")
	s.meet(s.b, bob, s.a, alice)
	s.meet(s.c, carol, s.a, alice)
	label := "group:tooling@" + s.a.Config.Domain
	kept := s.post(s.b, bob, social.Draft{Text: "kept", Audience: label})
	clock.Advance(time.Second) // posts of one moment have no order
	gone := s.post(s.b, bob, social.Draft{Text: "gone", Audience: label})
	root := s.post(s.a, alice, social.Draft{Text: "to all sisters", Audience: "company"})
	net.Settle()
	s.same("before", s.timeline(s.c, carol, gc), []string{"gone", "kept"})

	net.Stop(2)
	clock.Advance(24 * time.Hour)
	s.post(s.b, bob, social.Draft{Text: "missed", Audience: label})
	reply := s.post(s.b, bob, social.Draft{Text: "missed reply", InReplyTo: s.there(s.b, bob, root.Post.URI).Post.ID})
	_, err := s.b.Social.Edit(s.ctx, bob, kept.Post.ID, social.Draft{Text: "kept, and better"})
	s.ok(err)
	_, err = s.b.Social.Delete(s.ctx, bob, gone.Post.ID)
	s.ok(err)
	net.Settle()
	for _, in := range []*instance.Instance{s.a, s.b} {
		_, err := in.DB.Drop(s.ctx, "deliver", s.c.Config.Domain)
		s.ok(err)
	}
	clock.Advance(time.Hour)
	s.c = net.Restart(2)
	net.Settle()
	caughtUp(t, net, clock, s.c)
	s.same("after", s.timeline(s.c, carol, gc), []string{"missed", "kept, and better"})
	s.there(s.c, carol, reply.Post.URI)
}

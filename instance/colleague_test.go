package instance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

func TestFollowAColleague(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { followAColleague(t, nil) })
	t.Run("postgres", func(t *testing.T) { followAColleague(t, instancetest.Postgres(t)) })
}

// Alice finds a colleague of a sister in the directory, whom nobody here follows,
// follows him, and has his last 20 posts; she, somebody there and a partner answer in
// one thread, which is the same on each side as far as each may see.
func followAColleague(t *testing.T, database func(int) string) {
	net := instancetest.New(t, 3, database)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], net.Instances[2]}
	for _, ours := range []*instance.Instance{s.a, s.b} {
		net.Zone(ours, s.c, social.Zone{Kind: social.ZonePartner, Name: "acme"})
		net.Zone(s.c, ours, social.Zone{Kind: social.ZonePartner, Name: "muster"})
	}
	alice, bob, eva, carol := s.named(s.a, "alice", "Alice"), s.named(s.b, "bob", "Bob Müller"), s.named(s.b, "eva", "Eva"), s.named(s.c, "carol", "Carol")
	for i := range 25 {
		audience := "company"
		if i%2 == 0 {
			audience = "public"
		}
		s.post(s.b, bob, social.Draft{Text: fmt.Sprintf("old %d", i), Audience: audience})
	}
	net.Settle()

	entries, err := s.a.Social.Directory(s.ctx, alice, social.DirectoryQuery{Text: "mueller"})
	s.ok(err)
	if len(entries) != 1 || entries[0].URI != bob.Account.URI {
		t.Fatalf("not found: %+v", entries)
	}
	id, rel, err := s.a.Social.FollowPerson(s.ctx, alice, entries[0].URI)
	s.ok(err)
	if !rel.Requested && !rel.Following {
		t.Errorf("not asked: %+v", rel)
	}
	net.Settle()
	home := strings.Split(s.home(s.a, alice), " | ")
	if len(home) != 20 || home[0] != "old 24" || home[19] != "old 5" {
		t.Errorf("%d posts: %v", len(home), home)
	}
	if again, err := s.a.Social.Directory(s.ctx, alice, social.DirectoryQuery{Text: "mueller"}); err != nil || again[0].AccountID != id {
		t.Errorf("not the account that is known now: %+v %v", again, err)
	}

	// The partner has met Bob, and so hears of what is for it.
	met, err := s.c.Social.FindHandle(s.ctx, carol, instancetest.Handle(s.b, bob))
	s.ok(err)
	_, err = s.c.Social.Follow(s.ctx, carol, met.ID, social.FollowOptions{})
	s.ok(err)
	net.Settle()
	root := s.post(s.b, bob, social.Draft{Text: "with the partner", Audience: "partner:acme"})
	net.Settle()
	s.post(s.a, alice, social.Draft{Text: "from a", InReplyTo: s.there(s.a, alice, root.Post.URI).Post.ID})
	s.post(s.b, eva, social.Draft{Text: "from b", InReplyTo: root.Post.ID})
	s.post(s.c, carol, social.Draft{Text: "from c", InReplyTo: s.there(s.c, carol, root.Post.URI).Post.ID})
	inside := s.post(s.b, eva, social.Draft{Text: "among us", InReplyTo: root.Post.ID, Audience: "instance"})
	net.Settle()
	thread := func(in *instance.Instance, r social.Reader) (uris []string) {
		t.Helper()
		_, below, err := in.Social.Thread(s.ctx, r, s.there(in, r, root.Post.URI).Post.ID)
		s.ok(err)
		for _, v := range below {
			uris = append(uris, v.Post.URI+" "+in.Social.Text.ToPlain(v.Post.Content))
		}
		slices.Sort(uris)
		return uris
	}
	at := map[string][]string{"a": thread(s.a, alice), "b": thread(s.b, bob), "c": thread(s.c, carol)}
	ours := slices.DeleteFunc(slices.Clone(at["b"]), func(v string) bool { return strings.HasPrefix(v, inside.Post.URI+" ") })
	if len(ours) != 3 || len(at["b"]) != 4 || !slices.Equal(at["a"], ours) || !slices.Equal(at["c"], ours) {
		t.Errorf("the thread\nat a: %v\nat b: %v\nat c: %v", at["a"], at["b"], at["c"])
	}
}

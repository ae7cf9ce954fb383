package instance_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

func TestThreeInstances(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { threeInstances(t, nil) })
	t.Run("postgres", func(t *testing.T) { threeInstances(t, instancetest.Postgres(t)) })
}

type scene struct {
	*testing.T
	net     *instancetest.Network
	ctx     context.Context
	a, b, c *instance.Instance
}

// home lists the plain texts of somebody's home timeline, newest first.
func (s *scene) home(in *instance.Instance, r social.Reader) string {
	s.Helper()
	views, err := in.Social.Home(s.ctx, r, social.Page{})
	if err != nil {
		s.Fatal(err)
	}
	var out []string
	for _, v := range views {
		if v.Boost != nil {
			v = v.Boost
		}
		out = append(out, in.Social.Text.ToPlain(v.Post.Content))
	}
	return strings.Join(out, " | ")
}

func (s *scene) post(in *instance.Instance, r social.Reader, d social.Draft) *social.PostView {
	s.Helper()
	v, err := in.Social.Publish(s.ctx, r, d)
	if err != nil {
		s.Fatal(err)
	}
	return v
}

// there finds a post of another instance.
func (s *scene) there(in *instance.Instance, r social.Reader, uri string) *social.PostView {
	s.Helper()
	v, err := in.Social.PostByURI(s.ctx, r, uri)
	if err != nil {
		s.Fatalf("%s is not there: %v", uri, err)
	}
	return v
}

func (s *scene) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func threeInstances(t *testing.T, database func(int) string) {
	net := instancetest.New(t, 3, database)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], net.Instances[2]}
	ctx := s.ctx
	alice, bob, carol := net.Member(s.a, "alice"), net.Member(s.b, "bob"), net.Member(s.c, "carol")

	// Bob wrote before anybody followed him.
	s.post(s.b, bob, social.Draft{Text: "old public", Audience: "public"})
	s.post(s.b, bob, social.Draft{Text: "old for followers", Audience: "followers"})
	s.post(s.b, bob, social.Draft{Text: "old for me alone", Audience: "direct"})
	s.post(s.b, bob, social.Draft{Text: "inside b", Audience: "instance"})
	net.Settle()

	// Alice finds and follows him, and gets his old posts by backfill.
	found, err := s.a.Social.FindHandle(ctx, alice, instancetest.Handle(s.b, bob))
	s.ok(err)
	rel, err := s.a.Social.Follow(ctx, alice, found.ID, social.FollowOptions{})
	s.ok(err)
	if !rel.Requested {
		t.Error("not requested")
	}
	net.Settle()
	if got := s.home(s.a, alice); got != "old for followers | old public" {
		t.Errorf("after backfill: %q", got)
	}

	// New posts arrive; a post inside b does not.
	first := s.post(s.b, bob, social.Draft{Text: "hello #team", Audience: "public"})
	s.post(s.b, bob, social.Draft{Text: "inside again", Audience: "instance"})
	poll := s.post(s.b, bob, social.Draft{Text: "when?", Audience: "company", Poll: &social.PollDraft{Options: []string{"Mon", "Tue"}, ExpiresIn: time.Hour}})
	net.Settle()
	if got := s.home(s.a, alice); !strings.Contains(got, "when?") || !strings.Contains(got, "hello #team") || strings.Contains(got, "inside") {
		t.Errorf("new posts: %q", got)
	}
	// Reply, like, share and vote cross over.
	at := s.there(s.a, alice, first.Post.URI)
	reply := s.post(s.a, alice, social.Draft{Text: instancetest.Handle(s.b, bob) + " welcome", InReplyTo: at.Post.ID})
	_, err = s.a.Social.Favourite(ctx, alice, at.Post.ID, true)
	s.ok(err)
	_, err = s.a.Social.Boost(ctx, alice, at.Post.ID, true)
	s.ok(err)
	_, err = s.a.Social.Vote(ctx, alice, s.there(s.a, alice, poll.Post.URI).Post.ID, []int{1})
	s.ok(err)
	net.Settle()
	got := s.there(s.b, bob, first.Post.URI)
	if got.Post.FavouritesCount != 1 || got.Post.BoostsCount != 1 || got.Post.RepliesCount != 1 {
		t.Errorf("likes %d shares %d replies %d", got.Post.FavouritesCount, got.Post.BoostsCount, got.Post.RepliesCount)
	}
	if p := s.there(s.b, bob, poll.Post.URI).Post.Poll; p.Options[1].Votes != 1 || p.Voters != 1 {
		t.Errorf("poll at its owner: %+v", p)
	}
	if p := s.there(s.a, alice, poll.Post.URI).Post.Poll; p.Options[1].Votes != 1 {
		t.Errorf("poll at the voter: %+v", p)
	}
	list, err := s.b.Social.Notifications(ctx, bob, social.Page{}, social.NotificationFilter{})
	s.ok(err)
	kinds := map[social.NotificationKind]int{}
	for _, n := range list {
		kinds[n.Notification.Kind]++
	}
	if kinds[social.NotifyFollow] != 1 || kinds[social.NotifyMention] != 1 || kinds[social.NotifyFavourite] != 1 || kinds[social.NotifyReblog] != 1 {
		t.Errorf("notifications %v", kinds)
	}

	// The other way: Bob follows back, sees a share of Carol's, an edit, a delete.
	foundAlice, err := s.b.Social.FindHandle(ctx, bob, instancetest.Handle(s.a, alice))
	s.ok(err)
	_, err = s.b.Social.Follow(ctx, bob, foundAlice.ID, social.FollowOptions{})
	s.ok(err)
	net.Settle()
	fromCarol := s.post(s.c, carol, social.Draft{Text: "from c", Audience: "public"})
	res, err := s.a.Social.Search(ctx, alice, fromCarol.Post.URI, social.SearchOptions{Resolve: true})
	s.ok(err)
	if len(res.Posts) != 1 {
		t.Fatal("carol's post was not resolved")
	}
	_, err = s.a.Social.Boost(ctx, alice, res.Posts[0].Post.ID, true)
	s.ok(err)
	net.Settle()
	if got := s.home(s.b, bob); !strings.Contains(got, "from c") {
		t.Errorf("bob's home: %q", got)
	}
	_, err = s.a.Social.Edit(ctx, alice, reply.Post.ID, social.Draft{Text: instancetest.Handle(s.b, bob) + " welcome back"})
	s.ok(err)
	net.Settle()
	if v := s.there(s.b, bob, reply.Post.URI); !strings.Contains(v.Post.Content, "welcome back") || v.Post.EditedAt.IsZero() {
		t.Errorf("edit: %q", v.Post.Content)
	}
	_, err = s.a.Social.Favourite(ctx, alice, at.Post.ID, false)
	s.ok(err)
	_, err = s.a.Social.Boost(ctx, alice, at.Post.ID, false)
	s.ok(err)
	_, err = s.a.Social.Delete(ctx, alice, reply.Post.ID)
	s.ok(err)
	net.Settle()
	if _, err := s.b.Social.PostByURI(ctx, bob, reply.Post.URI); social.KindOf(err) != social.NotFound {
		t.Errorf("after delete: %v", err)
	}
	got = s.there(s.b, bob, first.Post.URI)
	if got.Post.FavouritesCount != 0 || got.Post.BoostsCount != 0 || got.Post.RepliesCount != 0 {
		t.Errorf("after undo: likes %d shares %d replies %d", got.Post.FavouritesCount, got.Post.BoostsCount, got.Post.RepliesCount)
	}
	states, err := s.b.Social.Deliveries(ctx, bob, first.Post.ID)
	s.ok(err)
	if len(states) != 1 || states[0].State != "delivered" || states[0].Peer != s.a.Config.Domain {
		t.Errorf("deliveries %+v", states)
	}
}

// A zone that is taken away while deliveries wait lets none of them out, and what
// the peer already has is taken back all the same.
func TestZoneIsAskedAtTheLastMoment(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	found, err := b.Social.FindHandle(ctx, bob, instancetest.Handle(a, alice))
	s.ok(err)
	_, err = b.Social.Follow(ctx, bob, found.ID, social.FollowOptions{})
	s.ok(err)
	net.Settle()
	sent := s.post(a, alice, social.Draft{Text: "for the company", Audience: "company"})
	net.Settle()
	s.there(b, bob, sent.Post.URI)

	waiting := s.post(a, alice, social.Draft{Text: "canary", Audience: "company"})
	net.Zone(a, b, social.Zone{Kind: social.ZonePublic})
	net.Settle()
	if _, err := b.Social.PostByURI(ctx, bob, waiting.Post.URI); social.KindOf(err) != social.NotFound {
		t.Errorf("a company post reached a public peer: %v", err)
	}
	_, err = a.Social.Delete(ctx, alice, waiting.Post.ID)
	s.ok(err)
	_, err = a.Social.Delete(ctx, alice, sent.Post.ID)
	s.ok(err)
	net.Settle()
	if _, err := b.Social.PostByURI(ctx, bob, sent.Post.URI); social.KindOf(err) != social.NotFound {
		t.Errorf("the retraction did not arrive: %v", err)
	}
}

// Another domain would break every handle: refused, with the reason.
func TestChangedDomainIsRefused(t *testing.T) {
	dir := t.TempDir()
	in := instancetest.Start(t, dir, "")
	c := *in.Config
	c.Domain, c.PublicURL = "social.example", "https://social.example"
	if other, err := instance.Open(context.Background(), &c, in.Social.Log, time.Now); err == nil {
		_ = other.Close()
		t.Error("opened")
	} else if !strings.Contains(err.Error(), "handle") {
		t.Error(err)
	}
}

// A backup made while serving, restored elsewhere, into either database, whichever
// it is of: peers accept the keys, posts and files are there.
func TestBackupAndRestore(t *testing.T) {
	sqlite := func(testing.TB) func(int) string { return func(int) string { return "sqlite:parley.db" } }
	for name, kind := range map[string][2]func(testing.TB) func(int) string{
		"sqlite": {sqlite, sqlite}, "postgres": {instancetest.Postgres, instancetest.Postgres},
		"sqlite to postgres": {sqlite, instancetest.Postgres}, "postgres to sqlite": {instancetest.Postgres, sqlite},
	} {
		t.Run(name, func(t *testing.T) { backupAndRestore(t, kind[0](t), kind[1](t)(2)) })
	}
}

func backupAndRestore(t *testing.T, from func(i int) string, to string) {
	net := instancetest.New(t, 2, from)
	a, b := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	found, err := b.Social.FindHandle(ctx, bob, instancetest.Handle(a, alice))
	s.ok(err)
	_, err = b.Social.Follow(ctx, bob, found.ID, social.FollowOptions{})
	s.ok(err)
	m, err := a.Social.Upload(ctx, alice, social.Upload{Body: strings.NewReader("minutes of the meeting"), Name: "minutes.txt"})
	s.ok(err)
	before := s.post(a, alice, social.Draft{Text: "before", Audience: "public", MediaIDs: []social.ID{m.ID}})
	net.Settle()
	file := t.TempDir() + "/parley.tar"
	if at, err := a.LastBackup(ctx); err != nil || !at.IsZero() {
		t.Errorf("a backup of %s: %v", at, err)
	}
	s.ok(a.Backup(ctx, file))
	at, err := a.LastBackup(ctx)
	if err != nil || time.Since(at).Abs() > time.Hour {
		t.Errorf("the last backup is of %s: %v", at, err)
	}
	if err := a.Backup(ctx, file); err == nil {
		t.Error("overwrote a backup")
	}

	c := *a.Config
	c.DataDir, c.Listen, c.Storage.URL = t.TempDir()+"/data", "127.0.0.1:0", to
	s.ok(instance.Restore(context.Background(), &c, file))
	if err := instance.Restore(context.Background(), &c, file); err == nil {
		t.Error("restored over data")
	}
	if elsewhere := c; strings.HasPrefix(to, "postgres:") {
		elsewhere.DataDir = t.TempDir() + "/data"
		if err := instance.Restore(ctx, &elsewhere, file); err == nil || !strings.Contains(err.Error(), "storage.url") {
			t.Errorf("restored over a database: %v", err)
		}
	}
	again, err := instance.Open(ctx, &c, a.Social.Log, time.Now)
	s.ok(err)
	t.Cleanup(func() { _ = again.Close() })
	epoch, err := again.Social.Restored(ctx)
	s.ok(err)
	if epoch <= 1 {
		t.Errorf("epoch %d", epoch)
	}
	f, _, err := again.Social.OpenMedia(ctx, alice, m.ID, false)
	s.ok(err)
	s.ok(f.Close())
	s.there(again, alice, before.Post.URI)
	after := s.post(again, alice, social.Draft{Text: "after", Audience: "public"})
	again.Settle(ctx)
	b.Settle(ctx)
	s.there(b, bob, after.Post.URI)
}

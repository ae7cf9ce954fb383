package instance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// caughtUp lets an instance read the logs of all others to their ends.
func caughtUp(t *testing.T, net *instancetest.Network, clock *instancetest.Clock, in *instance.Instance) {
	t.Helper()
	ctx := context.Background()
	began := clock.Now()
	if err := in.Federation.CatchUpNow(ctx, ""); err != nil {
		t.Fatal(err)
	}
	for range 400 {
		net.Settle()
		done := true
		if err := in.DB.View(ctx, func(tx social.Tx) error {
			for _, other := range net.Instances {
				c, err := tx.CatchUp(ctx, other.Config.Domain)
				if err != nil {
					return err
				}
				done = done && (other == in || !c.DoneAt.Before(began) && len(c.Gaps) == 0)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
		clock.Advance(15 * time.Second)
		if err := in.Federation.OrderCatchUps(ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the logs have no end")
}

// company lists what a member reads of a sister's author, newest first.
func company(t *testing.T, in *instance.Instance, r social.Reader, author string) (out []string) {
	t.Helper()
	a, err := in.Social.AccountByHandle(context.Background(), r, author)
	if err != nil {
		t.Fatal(err)
	}
	for page := (social.Page{Limit: 40}); ; {
		views, err := in.Social.AccountPosts(context.Background(), r, a.ID, page, social.PostFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range views {
			out = append(out, v.Post.Content)
			page.Max = v.Cursor
		}
		if len(views) < 40 {
			return out
		}
	}
}

// A sister that was down for a month reads the change log: it has every post once, in
// its last state, whether the deliveries still come or an administrator dropped them,
// and nobody is flooded with notifications of long ago.
func TestCatchUpAfterAMonth(t *testing.T) {
	t.Run("the queue was dropped", func(t *testing.T) { catchUpAfterAMonth(t, true) })
	t.Run("all is queued still", func(t *testing.T) { catchUpAfterAMonth(t, false) })
}

func catchUpAfterAMonth(t *testing.T, drop bool) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b := net.Instances[0], net.Instances[1]
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	found, err := b.Social.FindHandle(ctx, bob, instancetest.Handle(a, alice))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Social.Follow(ctx, bob, found.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	net.Stop(1)
	var want []string
	var posts []*social.PostView
	for day := range 30 {
		clock.Advance(24 * time.Hour)
		v, err := a.Social.Publish(ctx, alice, social.Draft{Text: fmt.Sprintf("day %d for %s", day, instancetest.Handle(net.Instances[1], bob)), Audience: "company"})
		if err != nil {
			t.Fatal(err)
		}
		posts = append(posts, v)
		net.Settle()
	}
	if _, err := a.Social.Edit(ctx, alice, posts[3].Post.ID, social.Draft{Text: "day 3, corrected"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Social.Delete(ctx, alice, posts[7].Post.ID); err != nil {
		t.Fatal(err)
	}
	if drop {
		if n, err := a.DB.Drop(ctx, "deliver", b.Config.Domain); err != nil || n == 0 {
			t.Fatalf("%d dropped, %v", n, err)
		}
	}
	clock.Advance(time.Hour)
	last, err := a.Social.Publish(ctx, alice, social.Draft{Text: "delivered as well", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	b = net.Restart(1)
	if net.Settle(); drop {
		if got := company(t, b, bob, instancetest.Handle(a, alice)); len(got) > 1 {
			t.Fatalf("without catching up the sister has %q", got)
		}
	}
	caughtUp(t, net, clock, b)
	for range 8 {
		clock.Advance(4 * time.Hour)
		net.Settle()
	}
	for _, v := range posts {
		now, err := a.Social.Post(ctx, alice, v.Post.ID)
		if social.KindOf(err) == social.NotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want = append([]string{now.Post.Content}, want...)
	}
	want = append([]string{last.Post.Content}, want...)
	if got := company(t, b, bob, instancetest.Handle(a, alice)); !slices.Equal(got, want) {
		t.Errorf("the sister has %q\nwant %q", got, want)
	}
	home, err := b.Social.Home(ctx, bob, social.Page{Limit: 40})
	if err != nil || len(home) != len(want) {
		t.Errorf("%d of %d posts stand in the home timeline, %v", len(home), len(want), err)
	}
	told, err := b.Social.Notifications(ctx, bob, social.Page{Limit: 80}, social.NotificationFilter{})
	if err != nil || len(told) == 0 || len(told) > 8 {
		t.Errorf("%d notifications of 30 mentions, %v", len(told), err)
	}
}

// sameSet fails unless one instance holds of the other exactly what it may see.
func sameSet(t *testing.T, in, of *instance.Instance) {
	t.Helper()
	c, err := in.Federation.Compare(context.Background(), of.Config.Domain)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Equal() || c.There != c.Here || c.GoneThere != c.GoneHere || c.There == 0 {
		t.Errorf("%s holds of %s: %+v", in.Config.Domain, of.Config.Domain, c)
	}
}

// A sister that was restored from yesterday's backup gets back what it wrote since,
// under the old addresses, and what was written for it; what was deleted since stays
// deleted. Then all hold the same set, and nothing is there twice.
func TestRestoredSisterConverges(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { restoredSisterConverges(t, func(int) string { return "sqlite:parley.db" }) })
	t.Run("postgres", func(t *testing.T) { restoredSisterConverges(t, instancetest.Postgres(t)) })
}

func restoredSisterConverges(t *testing.T, database func(int) string) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now, Database: database})
	a, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob, carol := net.Member(a, "alice"), net.Member(b, "bob"), net.Member(c, "carol")
	for _, in := range net.Instances { // sisters know each other's inboxes once they have met
		s.ok(in.Federation.CatchUpNow(ctx, ""))
	}
	found, err := b.Social.FindHandle(ctx, bob, instancetest.Handle(a, alice))
	s.ok(err)
	_, err = b.Social.Follow(ctx, bob, found.ID, social.FollowOptions{})
	s.ok(err)
	net.Settle()
	post := func(in *instance.Instance, me social.Reader, text, audience string) *social.Post {
		t.Helper()
		clock.Advance(time.Minute)
		return s.post(in, me, social.Draft{Text: text, Audience: audience}).Post
	}
	kept := post(a, alice, "kept", "company")
	edited := post(a, alice, "before the edit", "company")
	deleted := post(a, alice, "deleted tomorrow", "company")
	narrowed := post(a, alice, "narrowed tomorrow", "public")
	post(b, bob, "of bob", "company")
	net.Settle()
	for _, in := range net.Instances {
		caughtUp(t, net, clock, in)
	}
	file := t.TempDir() + "/parley.tar"
	s.ok(a.Backup(ctx, file))

	clock.Advance(20 * time.Hour)
	lost := post(a, alice, "**lost** for @bob@"+b.Config.Domain, "company")
	public := post(a, alice, "lost and public", "public")
	direct := post(a, alice, "for you alone @bob@"+b.Config.Domain, "direct")
	brief := post(a, alice, "deleted on the same day", "company")
	reply := s.post(b, bob, social.Draft{Text: "an answer", InReplyTo: find(t, net, b, bob, lost.URI)}).Post
	_, err = a.Social.Boost(ctx, alice, narrowed.ID, true)
	s.ok(err)
	poll := s.post(a, alice, social.Draft{Text: "when", Audience: "company", Poll: &social.PollDraft{Options: []string{"now", "later"}, ExpiresIn: time.Hour}}).Post
	_, err = a.Social.Edit(ctx, alice, edited.ID, social.Draft{Text: "after the edit"})
	s.ok(err)
	net.Settle()
	clock.Advance(time.Minute)
	for _, id := range []social.ID{deleted.ID, brief.ID} {
		_, err := a.Social.Delete(ctx, alice, id)
		s.ok(err)
	}
	_, err = a.Social.Edit(ctx, alice, narrowed.ID, social.Draft{Text: "narrowed", Audience: "company"})
	s.ok(err)
	answer := post(c, carol, "of carol", "company")
	net.Settle()

	a = net.Restore(0, file, map[bool]string{true: database(3)}[database(0) != database(1) || database(0) != "sqlite:parley.db"])
	after := post(a, alice, "after the restore", "company")
	for range 2 { // the second time changes nothing
		clock.Advance(11 * time.Minute)
		for i := range net.Instances {
			caughtUp(t, net, clock, net.Instances[i])
		}
	}
	for uri, want := range map[string]string{kept.URI: "kept", edited.URI: "after the edit", narrowed.URI: "narrowed", lost.URI: "<strong>lost</strong>",
		public.URI: "lost and public", direct.URI: "for you alone", after.URI: "after the restore", reply.URI: "an answer", answer.URI: "of carol", poll.URI: "when"} {
		v := s.there(a, alice, uri)
		if !strings.Contains(v.Post.Content, want) {
			t.Errorf("%s says %s, want %s", uri, v.Post.Content, want)
		}
	}
	back := s.there(a, alice, lost.URI).Post
	if !back.Local || back.ID != lost.ID || back.AuthorID != alice.Account.ID || back.Audience != lost.Audience || !back.PublishedAt.Equal(lost.PublishedAt) {
		t.Errorf("it came back as %+v\nwas %+v", back, lost)
	}
	if r := s.there(a, alice, reply.URI).Post; r.InReplyToID != lost.ID {
		t.Error("the answer hangs nowhere")
	}
	if p := s.there(a, alice, poll.URI).Post.Poll; p == nil || len(p.Options) != 2 {
		t.Errorf("the poll came back as %+v", p)
	}
	for _, uri := range []string{deleted.URI, brief.URI} {
		for i, me := range []social.Reader{alice, bob, carol} {
			if _, err := net.Instances[i].Social.PostByURI(ctx, me, uri); social.KindOf(err) != social.NotFound {
				t.Errorf("what was deleted is on %d: %v", i, err)
			}
		}
	}
	for i, in := range net.Instances {
		for j, of := range net.Instances {
			if i != j {
				sameSet(t, in, of)
			}
		}
	}
	if n := len(company(t, a, alice, "alice")); n != 9 {
		t.Errorf("alice has %d posts: %q", n, company(t, a, alice, "alice"))
	}
}

// find is the id under which an instance knows a post.
func find(t *testing.T, net *instancetest.Network, in *instance.Instance, r social.Reader, uri string) social.ID {
	t.Helper()
	net.Settle()
	v, err := in.Social.PostByURI(context.Background(), r, uri)
	if err != nil {
		t.Fatal(err)
	}
	return v.Post.ID
}

// A machine that was put back to yesterday's state tells nobody. The first sister that
// has read further than its log goes lets it know, and everything comes back.
func TestPutBackInstanceFindsOut(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b := net.Instances[0], net.Instances[1]
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	caughtUp(t, net, clock, b)
	s.post(a, alice, social.Draft{Text: "before", Audience: "company"})
	file := t.TempDir() + "/parley.tar"
	s.ok(a.Backup(ctx, file))
	lost := s.post(a, alice, social.Draft{Text: "after", Audience: "company"}).Post
	clock.Advance(2 * time.Hour)
	caughtUp(t, net, clock, b)
	s.there(b, bob, lost.URI)
	a = net.PutBack(0, file, "")
	if _, err := a.Social.PostByURI(ctx, alice, lost.URI); social.KindOf(err) != social.NotFound {
		t.Fatal(err)
	}
	for range 3 {
		clock.Advance(2 * time.Hour)
		caughtUp(t, net, clock, b)
	}
	s.there(a, alice, lost.URI)
	sameSet(t, b, a)
}

// A post that was narrowed after the backup is no deleted one, though a partner was told
// that it is gone.
func TestNarrowedPostSurvivesTheRestore(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	a, sister, partner := net.Instances[0], net.Instances[1], net.Instances[2]
	for _, in := range []*instance.Instance{sister, a} {
		net.Zone(in, partner, social.Zone{Kind: social.ZonePartner, Name: "acme"})
		net.Zone(partner, in, social.Zone{Kind: social.ZonePartner, Name: "muster"})
	}
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob, eve := net.Member(a, "alice"), net.Member(sister, "bob"), net.Member(partner, "eve")
	p := s.post(a, alice, social.Draft{Text: "for acme", Audience: "partner:acme"}).Post
	inner := s.post(a, alice, social.Draft{Text: "for us", Audience: "company"}).Post
	for _, in := range net.Instances {
		caughtUp(t, net, clock, in)
	}
	s.there(partner, eve, p.URI)
	if n := len(company(t, partner, eve, instancetest.Handle(a, alice))); n != 1 {
		t.Errorf("the partner sees %d posts", n)
	}
	sameSet(t, partner, a)
	sameSet(t, sister, a)
	file := t.TempDir() + "/parley.tar"
	s.ok(a.Backup(ctx, file))
	clock.Advance(time.Hour)
	_, err := a.Social.Edit(ctx, alice, p.ID, social.Draft{Text: "for us alone", Audience: "company"})
	s.ok(err)
	net.Settle()
	if _, err := partner.Social.PostByURI(ctx, eve, p.URI); social.KindOf(err) != social.NotFound {
		t.Fatalf("the partner still has it: %v", err)
	}
	a = net.Restore(0, file, "")
	// The partner is asked first, and long before the sister.
	net.Stop(1)
	for range 10 {
		s.ok(a.Federation.CatchUpNow(ctx, partner.Config.Domain))
		net.Settle()
		clock.Advance(time.Minute)
	}
	s.there(a, alice, p.URI)
	sister = net.Restart(1)
	for range 3 {
		clock.Advance(11 * time.Minute)
		for i := range net.Instances {
			caughtUp(t, net, clock, net.Instances[i])
		}
	}
	for uri, want := range map[string]string{p.URI: "for us alone", inner.URI: "for us"} {
		for i, me := range []social.Reader{alice, bob} {
			if v := s.there(net.Instances[i], me, uri); !strings.Contains(v.Post.Content, want) {
				t.Errorf("%d: %s", i, v.Post.Content)
			}
		}
	}
	sameSet(t, sister, a)
	c, err := partner.Federation.Compare(ctx, a.Config.Domain)
	if err != nil || !c.Equal() || c.Here != 0 || c.GoneHere != 0 {
		t.Errorf("%+v %v", c, err)
	}
}

// What others said in a thread of ours belongs to us: a sister that missed it hears it
// from us, as it is now, and counts it as the author's for nobody else to tell.
func TestCatchUpBringsWholeThreads(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	a, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob, carol := net.Member(a, "alice"), net.Member(b, "bob"), net.Member(c, "carol")
	for _, in := range net.Instances {
		caughtUp(t, net, clock, in)
	}
	root := s.post(a, alice, social.Draft{Text: "what do you think?", Audience: "company"}).Post
	at := find(t, net, c, carol, root.URI)
	net.Stop(1)
	reply := s.post(c, carol, social.Draft{Text: "not much", InReplyTo: at}).Post
	gone := s.post(c, carol, social.Draft{Text: "never mind", InReplyTo: at}).Post
	net.Settle()
	clock.Advance(time.Minute)
	_, err := c.Social.Edit(ctx, carol, reply.ID, social.Draft{Text: "a lot"})
	s.ok(err)
	_, err = c.Social.Delete(ctx, carol, gone.ID)
	s.ok(err)
	net.Settle()
	for _, in := range []*instance.Instance{a, c} {
		if _, err := in.DB.Drop(ctx, "deliver", b.Config.Domain); err != nil {
			t.Fatal(err)
		}
	}
	b = net.Restart(1)
	if _, err := b.Social.PostByURI(ctx, bob, reply.URI); social.KindOf(err) != social.NotFound {
		t.Fatalf("it arrived otherwise: %v", err)
	}
	clock.Advance(time.Hour)
	caughtUp(t, net, clock, b)
	if v := s.there(b, bob, reply.URI); !strings.Contains(v.Post.Content, "a lot") || v.Post.ThreadID != find(t, net, b, bob, root.URI) {
		t.Errorf("%+v", v.Post)
	}
	if _, err := b.Social.PostByURI(ctx, bob, gone.URI); social.KindOf(err) != social.NotFound {
		t.Errorf("what was taken back is there: %v", err)
	}
	for i, in := range net.Instances {
		for j, of := range net.Instances {
			if i != j && j == 0 {
				sameSet(t, in, of)
			} else if i != j {
				if d, err := in.Federation.Compare(ctx, of.Config.Domain); err != nil || !d.Equal() {
					t.Errorf("%d holds of %d: %+v %v", i, j, d, err)
				}
			}
		}
	}
}

// What was written in a community since the backup stands there again, for its members
// alone, and a member elsewhere who missed it reads it too.
func TestCommunitiesSurviveOutageAndRestore(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	s := &communities{&scene{T: t, net: net, ctx: context.Background()}}
	a, b := net.Instances[0], net.Instances[1]
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	g := s.group(a, alice, social.NewGroup{Name: "tooling", Widest: "company"})
	there, err := b.Social.FindHandle(s.ctx, bob, "@tooling@"+a.Config.Domain)
	s.ok(err)
	_, err = b.Social.Join(s.ctx, bob, there.ID, true)
	s.ok(err)
	net.Settle()
	caughtUp(t, net, clock, b)
	file := t.TempDir() + "/parley.tar"
	s.ok(a.Backup(s.ctx, file))
	lost := s.post(a, alice, social.Draft{Text: "a new lathe", Audience: "group:tooling"}).Post
	net.Stop(1)
	missed := s.post(a, alice, social.Draft{Text: "and a saw", Audience: "group:tooling"}).Post
	net.Settle()
	if _, err := a.DB.Drop(s.ctx, "deliver", b.Config.Domain); err != nil {
		t.Fatal(err)
	}
	b = net.Restart(1)
	clock.Advance(time.Hour)
	caughtUp(t, net, clock, b)
	if got := s.timeline(b, bob, there.ID); len(got) != 2 {
		t.Fatalf("the member elsewhere reads %q", got)
	}
	a = net.Restore(0, file, "")
	for range 2 {
		clock.Advance(time.Hour)
		caughtUp(t, net, clock, a)
		caughtUp(t, net, clock, b)
	}
	for _, p := range []*social.Post{lost, missed} {
		back := s.there(a, alice, p.URI)
		if back.Post.GroupID != g.Account.ID || back.Post.Audience != p.Audience || back.AudienceLabel() != "group:tooling" {
			t.Errorf("it came back as %+v", back.Post)
		}
	}
	dora := net.Member(a, "dora")
	if _, err := a.Social.PostByURI(s.ctx, dora, lost.URI); social.KindOf(err) != social.NotFound {
		t.Errorf("who is no member reads it: %v", err)
	}
	sameSet(t, b, a)
}

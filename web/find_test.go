package web_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// next is where a list goes on, by the label of the link.
func (d *doc) next(label string) string {
	d.Helper()
	m := regexp.MustCompile(`href="([^"]+)" rel="next">` + label).FindStringSubmatch(d.raw)
	if len(m) != 2 {
		d.Fatalf("%s: nothing leads to %q", d.name, label)
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// The search is narrowed by kind and by where something is from, typed or chosen, and goes
// on after 20 people and 5 communities; a hidden one is not even counted.
func TestSearchIsNarrowedByKindAndPlace(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		net := instancetest.NewWith(t, 3, instancetest.Options{})
		in, sister, acme := net.Instances[0], net.Instances[1], net.Instances[2]
		ctx := t.Context()
		if err := in.Social.FinishSetUp(ctx); err != nil {
			t.Fatal(err)
		}
		net.Zone(in, acme, social.Zone{Kind: social.ZonePublic})
		net.Zone(acme, in, social.Zone{Kind: social.ZonePublic})
		alice, nora, zoe := net.Member(in, "alice"), net.Member(sister, "nora"), net.Member(acme, "zoe")
		v := newVisitor(t, in, language).as(alice)
		for _, far := range []struct {
			at  int
			who social.Reader
		}{{1, nora}, {2, zoe}} {
			other := net.Instances[far.at]
			v.get("/find?q="+url.QueryEscape(instancetest.Handle(other, far.who)), 200).says(far.who.Account.Username)
			a, err := in.Social.FindHandle(ctx, alice, instancetest.Handle(other, far.who))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := in.Social.Follow(ctx, alice, a.ID, social.FollowOptions{}); err != nil {
				t.Fatal(err)
			}
			net.Settle()
			if _, err := other.Social.Publish(ctx, far.who, social.Draft{Text: "lagerhaus by " + far.who.Account.Username + " #lager" + far.who.Account.Username, Audience: "public"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := in.Social.Publish(ctx, alice, social.Draft{Text: "lagerhaus by alice #lageralice", Audience: "company"}); err != nil {
			t.Fatal(err)
		}
		net.Settle()
		by := func(query string, names ...string) {
			t.Helper()
			d := v.get("/find?"+query, 200)
			for _, name := range []string{"alice", "nora", "zoe"} {
				want := false
				for _, n := range names {
					want = want || n == name
				}
				if got := strings.Contains(d.text, "lagerhaus by "+name); got != want {
					t.Errorf("%s: what %s wrote is shown: %v", d.name, name, got)
				}
			}
		}
		here, there, outside := in.Config.Domain, sister.Config.Domain, acme.Config.Domain
		by("q=lagerhaus", "alice", "nora", "zoe")
		by("q=lagerhaus&kind=posts", "alice", "nora", "zoe")
		by("q=lagerhaus&kind=people")
		by("q=lagerhaus&at=here", "alice")
		by("q=lagerhaus&at="+here, "alice")
		by("q=lagerhaus&at=group", "alice", "nora")
		by("q=lagerhaus&at=outside", "zoe")
		by("q=lagerhaus&at="+outside, "zoe")
		by("q=lagerhaus&at=none.test")
		by("q="+url.QueryEscape("lagerhaus BEI:gruppe"), "alice", "nora")
		by("q="+url.QueryEscape("at:"+there+" lagerhaus"), "nora")
		by("q=" + url.QueryEscape("at:partner:none lagerhaus"))
		by("q=lagerhaus&from=alice&at=outside")
		v.get("/find?q=nora", 200).says("@nora@" + there)
		v.get("/find?q=nora&at=here", 200).says(v.pick("Nothing found", "Nichts gefunden"))
		v.get("/find?q=nora&at=group&kind=people", 200).says("@nora@" + there)
		v.get("/find?at=outside&kind=people", 200).says("@zoe@"+outside, "!@nora@")
		v.get("/find?kind=topics", 200).says("#lageralice", "#lagernora", "#lagerzoe")
		v.get("/find?kind=topics&q=lager&at=outside", 200).says("#lagerzoe", "!#lageralice", "!#lagernora")
		v.get("/find?kind=topics&q=lager&from=zoe", 200).says(v.pick("Nothing found", "Nichts gefunden"))
		if d := v.get("/find?kind=groups&at="+there+"&q=x", 200); !strings.Contains(d.raw, `<option value="groups" selected>`) || !strings.Contains(d.raw, `<option value="`+there+`" selected>`) {
			t.Error("what was chosen is forgotten")
		}
		v.get("/find?kind=nonsense&q=nora&skip=-3", 200).says("@nora@")

		for i := range 23 {
			net.Member(in, fmt.Sprintf("staff%02d", i))
		}
		away := net.Member(in, "bob")
		for i := range 7 {
			join, owner := "open", alice
			if i == 3 {
				join, owner = "closed", away
			}
			if _, err := in.Social.CreateGroup(ctx, owner, social.NewGroup{Name: fmt.Sprintf("guild%d", i), Widest: "company", Join: join}); err != nil {
				t.Fatal(err)
			}
		}
		more := v.get("/find?q=staff", 200).says("@staff00@", "!@staff21@").next(v.pick("More people", "Weitere Leute"))
		last := v.get(more, 200).says("@staff22@", "!@staff00@", "!@staff19@")
		if strings.Contains(last.raw, `rel="next"`) {
			t.Error("the list does not end")
		}
		first := v.get("/find?q=guild", 200).says("guild0", "!guild3", "!guild6")
		v.get(first.next(v.pick("More communities", "Weitere Communitys")), 200).says("guild6", "!guild0", "!guild3")
	}
}

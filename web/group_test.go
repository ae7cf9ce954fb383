package web_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// A community that is open to everybody leaves the company, and is chosen, said and asked
// like it: never remembered, by the colour of what goes out, and once more before it goes.
func TestOpenCommunitiesLeaveTheCompany(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice := net.Member(in, "alice")
	v := newVisitor(t, in, "en").as(alice)
	paths := map[string]string{}
	for _, g := range []social.NewGroup{{Name: "town", Widest: "public"}, {Name: "guests", Widest: "public", Join: "request"}, {Name: "suppliers", Widest: "partner:acme"}, {Name: "tools"}} {
		made, err := in.Social.CreateGroup(ctx, alice, g)
		if err != nil {
			t.Fatal(err)
		}
		paths[g.Name] = "/groups/" + made.Account.ID.String()
	}
	for name, want := range map[string][2]string{"town": {"outside", "Everybody can read it, outside the company too: town is open to all."}, "guests": {"partner", "it can leave the company"},
		"suppliers": {"partner", "it can leave the company"}, "tools": {"inside", "The members of tools read it"}} {
		d := v.get(paths[name], 200).says(want[1])
		if !strings.Contains(d.raw, `class="means `+want[0]+`" data-choice="group:`+name+`"`) {
			t.Errorf("%s does not look %s", name, want[0])
		}
	}
	asked := v.post("/posts", 422, "text", "for the town", "audience", "group:town").says("outside the company too")
	if !strings.Contains(asked.raw, `name="outside" value="yes"`) {
		t.Error("there is no button that publishes outside")
	}
	v.post("/posts", 200, "text", "for the tools", "audience", "group:tools")
	remembered := func() string {
		return regexp.MustCompile(`<option value="([^"]+)" selected`).FindStringSubmatch(v.get("/", 200).raw)[1]
	}
	if now := remembered(); now != "group:tools" {
		t.Errorf("%s is chosen, not what was last", now)
	}
	v.post("/posts", 200, "text", "for the town", "audience", "group:town", "outside", "yes")
	v.post("/posts", 200, "text", "for suppliers", "audience", "group:suppliers")
	if now := remembered(); now != "company" {
		t.Errorf("%s is chosen, though it leaves the company", now)
	}
	v.get(paths["suppliers"], 200).says("Community suppliers, with people outside")
}

// Communities in every state, in both languages.
func TestCommunityPages(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) { communityPages(t, language) })
	}
}

func communityPages(t *testing.T, language string) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	if err := in.Social.FinishSetUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	a, b, nobody := newVisitor(t, in, language).as(alice), newVisitor(t, in, language).as(bob), newVisitor(t, in, language)
	a.get("/groups", 200).says(a.pick("There is no community yet", "Es gibt noch keine Community"))
	a.get("/groups/new", 200)
	a.post("/groups", 422, "name", "Ä b", "display_name", "Tools", "purpose", canary).wrong("name", "display_name", "Tools", "purpose", canary)
	d := a.post("/groups", 200, "name", "tools", "display_name", "Tools "+canary, "purpose", canary, "join", "request", "widest", "company")
	path := d.at.Path
	d.says("@tools@", a.pick("On request", "Auf Anfrage"), a.pick("Run by", "Geleitet von"))
	a.post("/posts", 200, "text", "inside words", "audience", "group:tools")
	a.get(path, 200).says("inside words", a.pick("Community Tools", "Community Tools"))

	inside := a.postOf(alice, "inside words")
	a.get(path, 200).says(a.pick("Pin", "Anheften"), a.pick("!Pinned", "!Angeheftet"))
	a.post("/posts/"+inside+"/pin-group", 200, "next", path).says(a.pick("Pinned", "Angeheftet"), "inside words")
	b.get("/groups", 200).says("@tools@", b.pick("1 member", "1 Mitglied"), b.pick("You can ask to join", "Sie können anfragen"))
	b.get("/groups?q=TOO", 200).says("@tools@")
	b.get("/groups?q=maps", 200).says("!@tools@")
	b.get("/find?q=too", 200).says("Tools", b.pick("Communities", "Communitys"))
	nobody.get(path, 404)
	b.get(path, 200).says("!inside words", b.pick("!Pinned", "!Angeheftet"), b.pick("Only members read", "Nur Mitglieder lesen"), b.pick("Ask to join", "Beitritt anfragen"))
	b.get(path+"/members", 404)
	b.get(path+"/edit", 404)
	nobody.get(path, 404)
	b.post(path+"/join", 200).says(b.pick("You asked to join", "Sie haben angefragt"), b.pick("Withdraw", "zurück"))
	a.get("/notifications", 200).says(a.pick("has somebody who wants to join", "hat eine Beitrittsanfrage"))
	a.get(path, 200).says(a.pick("1 asks to join", "1 möchte beitreten"))
	a.get(path+"/members", 200).says("bob", a.pick("Take in", "Aufnehmen"))
	b.post(path+"/members/"+bob.Account.ID.String()+"/approve", 404)
	a.post(path+"/members/"+bob.Account.ID.String()+"/approve", 200).says("bob", a.pick("Remove", "Entfernen"), a.pick("!Take in", "!Aufnehmen"))
	b.get(path, 200).says("inside words", b.pick("You are a member", "Sie sind Mitglied"), b.pick("Pinned", "Angeheftet"))
	b.post("/posts/"+inside+"/unpin-group", 404)
	b.post("/posts", 200, "text", "on my own", "audience", "instance")
	mine := b.postOf(bob, "on my own")
	b.post("/posts/"+mine+"/pin-group", 422)
	b.post("/posts/"+mine+"/pin", 200, "next", "/@bob").says(b.pick("Pinned", "Angeheftet"))
	b.post("/posts/"+inside+"/pin", 422)
	b.post("/posts/"+mine+"/unpin", 200, "next", "/@bob").says(b.pick("!Pinned", "!Angeheftet"))
	b.get(path+"/members", 200).says("alice", b.pick("Our own company", "Unsere eigene Firma"), b.pick("!Remove", "!Entfernen"))
	a.get("/@tools", 200).says(a.pick("Change the community", "Community ändern"))
	a.post(path+"/edit", 200, "purpose", "other words", "join", "closed").says("other words", a.pick("By invitation only", "Nur auf Einladung"))
	a.post(path+"/members/"+bob.Account.ID.String()+"/remove", 200)
	b.get(path, 404)
	c := newVisitor(t, in, language).as(net.Member(in, "carol"))
	c.get(path, 404)
	c.get("/groups", 200).says("!@tools@")
	c.get("/find?q=too", 200).says("!Tools", c.pick("Nothing found", "Nichts gefunden"))
	c.get("/groups?q=too", 200).says("!@tools@", c.pick("No community has that name", "Keine Community heißt so"))
	if v, err := in.Social.GroupByName(context.Background(), alice, "tools"); err != nil || v.Account.Group.Join != social.JoinClosed {
		t.Errorf("%+v %v", v, err)
	}
	a.post(path+"/leave", 200)
}

// The list goes by the number of members, and its parts neither repeat nor miss one;
// what the reader may not know of is not even counted.
func TestGroupsByMembers(t *testing.T) {
	ctx := context.Background()
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	for i := range 25 {
		join := "open"
		if i == 7 {
			join = "closed"
		}
		g, err := in.Social.CreateGroup(ctx, alice, social.NewGroup{Name: "group" + string(rune('a'+i)), Join: join})
		if err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			if _, err := in.Social.Join(ctx, bob, g.Account.ID, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	var names []string
	seen := map[string]bool{}
	for _, skip := range []int{0, 10, 20} {
		views, more, err := in.Social.FindGroups(ctx, bob, "", skip, 10)
		if err != nil || more != (skip < 20) {
			t.Fatalf("more is %v from %d on, %v", more, skip, err)
		}
		for _, v := range views {
			names = append(names, v.Account.Username)
			seen[v.Account.Username] = true
		}
	}
	if len(names) != 24 || len(seen) != 24 || names[0] != "groupd" || seen["grouph"] {
		t.Errorf("%d, %v", len(seen), names)
	}
}

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
	if now := remembered(); now != "company" {
		t.Errorf("%s is chosen: an app that names no readers would write into the community", now)
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
	a.post(path+"/members/"+bob.Account.ID.String()+"/approve", 200).says("bob", a.pick("Remove", "Entfernen"), a.pick("!Want to join", "!Möchten beitreten"))
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

// Owner and moderators run a community from its pages, each as far as it is theirs, with
// what is wrong at its field; for all others the pages are not there.
func TestCommunitiesAreRunFromTheirPages(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) { runCommunity(t, language) })
	}
}

func runCommunity(t *testing.T, language string) {
	ctx := t.Context()
	net := instancetest.New(t, 2, nil)
	in, other := net.Instances[0], net.Instances[1]
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice, bob, carol, dora := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(in, "carol"), net.Member(other, "dora")
	a, b, c, d := newVisitor(t, in, language).as(alice), newVisitor(t, in, language).as(bob), newVisitor(t, in, language).as(carol), newVisitor(t, other, language).as(dora)
	path := a.post("/groups", 200, "name", "board", "display_name", "Board", "purpose", "plans", "join", "closed", "widest", "public").at.Path
	member := func(r social.Reader, act string) string {
		return path + "/members/" + r.Account.ID.String() + "/" + act
	}
	pages := []string{path + "/members", path + "/edit", path + "/hand-over", path + "/close"}
	absent := func(v *visitor, paths ...string) {
		t.Helper()
		for _, one := range paths {
			v.get(one, 404)
		}
		for _, one := range append(paths, member(carol, "moderate"), member(carol, "unmoderate"), member(carol, "remove"), member(carol, "approve")) {
			v.post(one, 404, "who", "carol", "to", "carol", "sure", "board", "purpose", "mine")
		}
	}

	// Whoever is here is a member at once.
	absent(b, pages...)
	a.post(path+"/members", 422, "who", "nobody").wrong("who", "who", "nobody").says(a.pick("Nobody called nobody is known", "Niemand heißt nobody"))
	a.post(path+"/members", 422, "who", "board").wrong("who", "who", "board")
	a.post(path+"/members", 422, "who", "@x@stranger.test").wrong("who").says("stranger.test")
	a.post(path+"/members", 200, "who", "bob").says("@bob", a.pick("one more member", "Ein Mitglied ist dazugekommen"), a.pick("!Invited", "!Eingeladen"))
	a.post(path+"/members", 200, "who", "@carol")
	b.get(path, 200).says(b.pick("You are a member", "Sie sind Mitglied"), b.pick("Leave now", "Jetzt verlassen"), b.pick("have to be taken in again", "wieder aufgenommen werden"))
	b.get(path+"/members", 200).says("carol", b.pick("!Take somebody in", "!Jemanden aufnehmen"), b.pick("!Make a moderator", "!In die Moderation nehmen"), b.pick("!Hand over", "!Abgeben"))
	absent(b, pages[1:]...)
	b.post(path+"/members", 404, "who", "bob")

	// Whoever is elsewhere is invited.
	theirs := instancetest.Handle(other, dora)
	a.post(path+"/members", 200, "who", theirs).says(theirs, a.pick("The invitation stands", "Die Einladung steht"), a.pick("Tell them the address: @board@", "Sagen Sie die Adresse weiter: @board@"))
	known, err := in.Social.FindHandle(ctx, alice, theirs)
	if err != nil {
		t.Fatal(err)
	}
	a.post(path+"/members/"+known.ID.String()+"/remove", 200).says("!" + theirs)
	a.post(path+"/members", 200, "who", theirs)
	there, err := other.Social.FindHandle(ctx, dora, "@board@"+in.Config.Domain)
	if err != nil {
		t.Fatal(err)
	}
	d.post("/groups/"+there.ID.String()+"/join", 200)
	net.Settle()
	a.get(path+"/members", 200).says(theirs, a.pick("4 members", "4 Mitglieder"), a.pick("!Invited", "!Eingeladen"))
	a.post(path+"/members", 200, "who", theirs).says(a.pick("one more member", "Ein Mitglied ist dazugekommen"))
	d.get("/groups/"+there.ID.String(), 200).says(d.pick("Leave now", "Jetzt verlassen"))

	// Moderators take in, remove and say what it is for; the rest is the owner's.
	a.post(member(bob, "moderate"), 200).says(a.pick("moderator", "Moderation"), a.pick("No longer a moderator", "Aus der Moderation nehmen"))
	a.post(path+"/members/"+known.ID.String()+"/moderate", 422)
	b.get(path+"/members", 200).says(b.pick("Remove now", "Jetzt entfernen"), b.pick("!Make a moderator", "!In die Moderation nehmen"), b.pick("!Hand over", "!Abgeben"), b.pick("!Close the community", "!Community schließen"))
	b.get(path+"/edit", 200).says(b.pick("!Name, as others see it", "!Name, wie andere ihn sehen"))
	for _, one := range pages[2:] {
		b.get(one, 404)
		b.post(one, 404, "to", "bob", "sure", "board")
	}
	b.post(member(carol, "moderate"), 404)
	b.post(member(bob, "unmoderate"), 404)
	b.post(member(alice, "remove"), 403)
	b.post(member(carol, "remove"), 200)
	c.get(path, 404)
	absent(c, pages...)
	b.post(path+"/members", 200, "who", "carol")
	b.post(path+"/edit", 200, "purpose", "other plans").says("other plans", "Board")
	a.post(member(bob, "unmoderate"), 200).says(a.pick("!No longer a moderator", "!Aus der Moderation nehmen"))
	b.get(path+"/edit", 404)

	// The name is changed, and how far it goes is narrowed for good.
	values := func(d *doc) (out string) {
		for _, n := range d.elements {
			if n.Data == "option" && attr(n.Parent, "name") == "widest" {
				out += " " + attr(n, "value")
				if has(n, "selected") {
					out += "!"
				}
			}
		}
		return out
	}
	if got := values(a.get(path+"/edit", 200)); got != " public! company instance" {
		t.Errorf("of a public community one can choose%s", got)
	}
	a.post(path+"/edit", 422, "display_name", "Plans", "purpose", strings.Repeat("x", 3000), "join", "closed", "widest", "company").wrong("purpose", "display_name", "Plans", "widest", "company")
	a.post(path+"/edit", 200, "display_name", "Plans "+canary, "purpose", "plans", "join", "closed", "widest", "company").says("Plans ", a.pick("For: Whole company", "Für: Ganze Firma"))
	if got := values(a.get(path+"/edit", 200)); got != " company! instance" {
		t.Errorf("of one for the company one can choose%s", got)
	}
	a.post(path+"/edit", 422, "display_name", "Plans", "purpose", "plans", "join", "closed", "widest", "public").wrong("widest", "display_name", "Plans")

	// Somebody else owns it.
	a.get(path+"/hand-over?to=bob", 200).says(a.pick("Only the new owner can give it back", "Zurückgeben kann sie nur"))
	a.post(path+"/hand-over", 422, "to", "nobody").wrong("to", "to", "nobody")
	a.post(path+"/hand-over", 422, "to", theirs).wrong("to", "to", theirs).says(a.pick("Only people of this server", "nur, wer zu diesem Server gehört"))
	a.post(path+"/hand-over", 200, "to", "bob").says(a.pick("is handed over", "ist abgegeben"), a.pick("You are a member", "Sie sind Mitglied"))
	absent(a, pages[1:]...)
	b.get(path, 200).says(b.pick("You can hand it over or close it yourself instead", "stattdessen selbst abgeben oder schließen"))

	// It is closed after its name was typed.
	b.get(path+"/close", 200).says("@board@", b.pick("is never given again", "wird nie wieder vergeben"))
	b.post(path+"/close", 422, "sure", "plans").wrong("sure", "sure", "plans")
	b.get(path, 200)
	b.post(path+"/close", 200, "sure", "@board").says(b.pick("The community is closed", "Die Community ist geschlossen"), "!@board@")
	for _, v := range []*visitor{a, b, c} {
		v.get(path, 404)
	}
}

// An administrator sees to a community without being its member, and reads nothing in it.
func TestAdministratorsSeeToCommunities(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	alice := net.Member(in, "alice")
	rita, _ := administratorOf(t, net, 0, "en")
	g, err := in.Social.CreateGroup(ctx, alice, social.NewGroup{Name: "board", Join: "closed"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Publish(ctx, alice, social.Draft{Text: "for members", Audience: "group:board"}); err != nil {
		t.Fatal(err)
	}
	net.Member(in, "bob")
	path := "/groups/" + g.Account.ID.String()
	rita.get(path, 200).says("!for members", "Change the community")
	rita.get(path+"/members", 200).says("Only members see who belongs to it", "Take somebody in")
	rita.post(path+"/hand-over", 200, "to", "bob").says("is handed over", "Run by bob")
	rita.post(path+"/close", 200, "sure", "board").says("The community is closed")
}

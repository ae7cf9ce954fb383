package web_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// Topics are followed from their page, and listed.
func TestTopicsPage(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		net := instancetest.New(t, 1, nil)
		in, ctx := net.Instances[0], t.Context()
		if err := in.Social.FinishSetUp(ctx); err != nil {
			t.Fatal(err)
		}
		alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
		v := newVisitor(t, in, language).as(alice)
		v.get("/tags", 200).says(v.pick("You follow no topic", "Sie folgen noch keinem Thema"))
		d := v.get("/tags?q=%23Grüße", 200)
		if d.at.Path != "/tags/grüße" {
			t.Errorf("it leads to %s", d.at)
		}
		d.says(v.pick("Follow this topic", "Diesem Thema folgen"))
		v.post("/tags/grüße/follow", 200).says(v.pick("Follow no more", "Nicht mehr folgen"))
		if _, err := in.Social.Publish(ctx, bob, social.Draft{Text: "many #Grüße", Audience: "company"}); err != nil {
			t.Fatal(err)
		}
		v.get("/", 200).says("many #Grüße")
		v.get("/topics", 200).says("#grüße", v.pick("1 post", "1 Beitrag"), v.pick("Unfollow", "Nicht mehr folgen"))
		v.get("/tags", 200).says("#grüße")
		v.post("/tags/grüße/unfollow", 200, "next", "/tags").says(v.pick("You follow no topic", "Sie folgen noch keinem Thema"))
		v.get("/tags/grüße", 200).says("many #Grüße")
		newVisitor(t, in, language).get("/tags/grüße", 200).says(v.pick("!Follow this topic", "!Diesem Thema folgen"))
	}
}

// The page of all topics counts what its reader may see and nothing else; it goes on after
// a page, with the followed ones first.
func TestAllTopics(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		net := instancetest.New(t, 1, nil)
		in, ctx := net.Instances[0], t.Context()
		if err := in.Social.FinishSetUp(ctx); err != nil {
			t.Fatal(err)
		}
		alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
		write := func(text, audience string) *social.PostView {
			t.Helper()
			v, err := in.Social.Publish(ctx, alice, social.Draft{Text: text, Audience: audience})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		b := newVisitor(t, in, language).as(bob)
		b.get("/topics", 200).says(b.pick("There is no topic yet", "Es gibt noch kein Thema"))
		write("#plan one", "company")
		write("#plan #Plan two", "instance")
		write("#plan for followers #secretplan", "followers")
		write("#plan nobody named #secretplan", "direct")
		gone := write("#over and gone", "company")
		if _, err := in.Social.Delete(ctx, alice, gone.Post.ID); err != nil {
			t.Fatal(err)
		}
		b.get("/topics", 200).says("#plan "+b.pick("2 posts", "2 Beiträge"), "!secretplan", "!#over")
		b.get("/topics?q=secret", 200).says(b.pick("No topic is called that", "Kein Thema heißt so"))
		a := newVisitor(t, in, language).as(alice)
		a.get("/topics", 200).says("#plan "+a.pick("4 posts", "4 Beiträge"), "#secretplan "+a.pick("2 posts", "2 Beiträge"))
		a.get("/topics?q=%23SECRET", 200).says("#secretplan", "!#plan")
		if _, err := in.Social.Block(ctx, bob, alice.Account.ID, true); err != nil {
			t.Fatal(err)
		}
		b.get("/topics", 200).says(b.pick("There is no topic yet", "Es gibt noch kein Thema"))
		newVisitor(t, in, language).get("/topics", 200).says("!#topic", a.pick("Password", "Passwort"))

		var text strings.Builder
		for i := range 45 {
			fmt.Fprintf(&text, "#topic%02d ", i)
		}
		write(text.String(), "company")
		a.post("/tags/topic44/follow", 200)
		first := a.get("/topics", 200).says("#topic44", "#topic20", "!#topic43")
		if at, before := strings.Index(first.text, "#topic44"), strings.Index(first.text, "#plan"); at > before {
			t.Error("what is followed does not stand first")
		}
		next := regexp.MustCompile(`href="(/topics\?q=&amp;skip=40)" rel="next"`).FindStringSubmatch(first.raw)
		if len(next) != 2 {
			t.Fatal("the list does not go on")
		}
		a.get(strings.ReplaceAll(next[1], "&amp;", "&"), 200).says("#topic43", "!#topic20", "!#plan")
		a.get("/topics?skip=x", 200).says("#plan")
		a.get("/topics?skip=99999999", 200).says(a.pick("There is no topic yet", "Es gibt noch kein Thema"))
	}
}

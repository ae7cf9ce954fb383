package web_test

import (
	"context"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

func TestLists(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) { peopleLists(t, net, language) })
	}
}

// A list is made, filled, read, renamed and deleted, and nobody else knows of it.
func peopleLists(t *testing.T, net *instancetest.Network, language string) {
	ctx := context.Background()
	in := net.Instances[0]
	alice, bob, carol := net.Member(in, "alice-"+language), net.Member(in, "bob-"+language), net.Member(in, "carol-"+language)
	for _, who := range []social.Reader{bob, carol} {
		if _, err := in.Social.Follow(ctx, alice, who.Account.ID, social.FollowOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Social.Publish(ctx, who, social.Draft{Text: "from " + who.Account.Username, Audience: "instance"}); err != nil {
			t.Fatal(err)
		}
	}
	v, other := newVisitor(t, in, language).as(alice), newVisitor(t, in, language).as(bob)
	v.get("/lists", 200).says(v.pick("No list yet", "Noch keine Liste"))
	v.post("/lists", 422, "title", " ").wrong("title")
	d := v.post("/lists", 200, "title", "Team "+canary)
	d.says(v.pick("Nobody yet", "Noch niemand"), bob.Account.Username, v.pick("Add people you follow", "Leute aufnehmen"))
	edit := d.at.Path
	path := strings.TrimSuffix(edit, "/edit")
	v.get(path, 200).says(v.pick("Nothing here yet", "Noch nichts hier"))
	v.post(path+"/add", 422, "who", "nobody").wrong("who", "who", "nobody").says(v.pick("Nobody has that name", "So heißt hier niemand"))
	v.post(path+"/add", 422, "who", alice.Account.Username).wrong("who").says(v.pick("Only people whom you follow", "nur Leute stehen"))
	v.post(path+"/add", 200, "id", bob.Account.ID.String()).says(v.pick("Take out", "Herausnehmen"))
	v.get(path, 200).says("from "+bob.Account.Username, "!from "+carol.Account.Username)
	v.post(path+"/add", 200, "who", carol.Account.Username)
	v.get(path, 200).says("from " + carol.Account.Username)
	v.post(path+"/remove", 200, "id", bob.Account.ID.String())
	v.get(path, 200).says("!from " + bob.Account.Username)
	v.post(path+"/rename", 422, "title", " ").wrong("title")
	v.post(path+"/rename", 200, "title", "Crew")
	v.get("/lists", 200).says("Crew")
	v.get("/", 200).says("from " + carol.Account.Username)
	d = v.post(path+"/rename", 200, "title", "Crew", "replies", "none", "exclusive", "yes")
	d.says(v.pick("Show their posts only here", "Ihre Beiträge nur hier zeigen"), v.pick("None", "Keine"))
	if l, err := in.Social.Lists(ctx, alice); err != nil || l[0].Replies != social.RepliesNone || !l[0].Exclusive || !strings.Contains(d.raw, `value="none" selected`) || !strings.Contains(d.raw, "checked") {
		t.Errorf("%+v %v", l[0], err)
	}
	v.get("/", 200).says("!from " + carol.Account.Username)
	v.get(path, 200).says("from " + carol.Account.Username)
	v.post(path+"/rename", 422, "title", "Crew", "replies", "all")
	v.post(path+"/rename", 200, "title", "Crew", "replies", "list")
	v.get("/", 200).says("from " + carol.Account.Username)
	profile := "/@" + bob.Account.Username
	v.get(profile, 200).says("Crew")
	if d := v.post(path+"/add", 200, "id", bob.Account.ID.String(), "next", profile); d.at.Path != profile || !strings.Contains(d.raw, path+"/remove") {
		t.Error("somebody is not put into a list from the profile")
	}
	v.get(path, 200).says("from " + bob.Account.Username)
	v.post(path+"/remove", 200, "id", bob.Account.ID.String(), "next", profile).says("Crew")
	v.get(path, 200).says("!from " + bob.Account.Username)
	other.get("/@"+carol.Account.Username, 200).says("!Crew")
	other.get(path, 404)
	other.get(edit, 404)
	other.post(path+"/rename", 404, "title", "Mine")
	other.get("/lists", 200).says("!Crew")
	v.post(path+"/delete", 200).says(v.pick("The list is deleted", "Die Liste ist gelöscht"))
	v.get(path, 404)
}

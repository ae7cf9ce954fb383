package web_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

func TestFirstSteps(t *testing.T) {
	ctx := context.Background()
	net := instancetest.New(t, 2, nil)
	in, other := net.Instances[0], net.Instances[1]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(in.Social.FinishSetUp(ctx))
	department, manager := "Sales", "boss"
	colleague := func(name string, c social.PersonChange) social.Reader {
		t.Helper()
		r := net.Member(in, name)
		_, err := in.Social.UpdatePerson(ctx, r, c)
		must(err)
		return r
	}
	boss := colleague("boss", social.PersonChange{})
	colleague("cora", social.PersonChange{Department: &department})
	colleague("dirk", social.PersonChange{Skills: []string{"Excel"}})
	blocking := colleague("evil", social.PersonChange{Department: &department})
	far := net.Member(other, "zoe")
	_, err := other.Social.UpdatePerson(ctx, far, social.PersonChange{Department: &department})
	must(err)
	net.Settle()
	group, err := in.Social.CreateGroup(ctx, boss, social.NewGroup{Name: "lunch", DisplayName: "Lunch", Join: "open"})
	must(err)
	_, err = in.Social.CreateGroup(ctx, boss, social.NewGroup{Name: "secret", DisplayName: "Secret circle", Join: "closed"})
	must(err)
	anna, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "anna", Language: "en"})
	must(err)
	_, err = in.Social.UpdatePerson(ctx, social.Member(anna, in.Config.Domain), social.PersonChange{Department: &department, Manager: &manager})
	must(err)
	_, err = in.Social.Block(ctx, blocking, anna.ID, true)
	must(err)
	must(in.Auth.SetPassword(ctx, anna.ID, "a long password"))

	v := newVisitor(t, in, "en")
	d := v.post("/sign-in", 200, "name", "anna", "password", "a long password")
	if d.at.Path != "/welcome" {
		t.Fatalf("the first sign-in leads to %s", d.at)
	}
	d.says("Welcome, anna", "A picture of you")
	v.get("/", 200).says("Your first steps", "!(done)")

	send := func(name string, data []byte) *doc {
		t.Helper()
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		must(m.WriteField("step", "picture"))
		if name != "" {
			f, err := m.CreateFormFile("file", name)
			must(err)
			_, _ = f.Write(data) // into memory
		}
		must(m.Close())
		return v.do("POST", "/welcome", io.Reader(&b), m.FormDataContentType(), map[bool]int{true: 200, false: 422}[data != nil && name == "me.png"])
	}
	send("", nil).wrong("file")
	send("me.txt", []byte("no picture")).wrong("file")
	send("me.png", picture(t)).says("Three things you know well", "(done)")
	v.post("/welcome", 200, "step", "skills", "skills", "Excel, first aid, Polish").says("Follow five colleagues")

	people := v.get("/welcome?step=people", 200).says("boss", "Your manager", "Your department", "Also knows: Excel", "zoe", "!evil")
	if i, j := strings.Index(people.text, "Your manager"), strings.Index(people.text, "Also knows"); i > j {
		t.Errorf("the manager does not stand first: %s", people.text)
	}
	if back := v.post("/directory/follow", 200, "uri", boss.Account.URI, "next", "/welcome?step=people"); back.at.Path != "/welcome" {
		t.Errorf("following leads to %s", back.at)
	}
	v.get("/welcome?step=people", 200).says("!Your manager")
	v.get("/welcome?step=groups", 200).says("Lunch", "1 member", "!Secret circle")
	if back := v.post("/groups/"+group.Account.ID.String()+"/join", 200, "next", "/welcome?step=groups"); back.at.Path != "/welcome" {
		t.Errorf("joining leads to %s", back.at)
	}
	v.get("/welcome?step=groups", 200).says("There is no community to join now")
	v.get("/welcome?step=post", 200).says("Say hello", "Who sees this?")
	v.get("/", 200).says("Your first steps")
	v.post("/welcome", 200, "step", "done").says("!Your first steps")
	v.post("/sign-out", 200)
	if d := v.post("/sign-in", 200, "name", "anna", "password", "a long password"); d.at.Path != "/" {
		t.Errorf("a later sign-in leads to %s", d.at)
	}
}

// Who sets a server up is shown what is left to do there, and nobody else.
func TestFirstStepsOfAServer(t *testing.T) {
	ctx := context.Background()
	in := instancetest.Start(t, t.TempDir(), "")
	v := newVisitor(t, in, "en")
	code, _, err := in.Auth.SetupLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	home := v.post("/setup", 200, "code", code, "organisation", "Müller", "name", "alice", "password", "long enough")
	home.says("Get this server going", "Your first steps", "Name and description")
	before := v.get("/admin/start", 200).says("Invite colleagues", "Connect companies")
	v.post("/admin/start", 422, "organisation", " ", "description", "kept").wrong("organisation", "description", "kept")
	v.post("/admin/start", 200, "organisation", "Müller", "group", "Muster", "description", "For logistics").says("For logistics")
	if had, has := strings.Count(before.text, "(done)"), strings.Count(v.get("/admin/start", 200).text, "(done)"); has != had+2 {
		t.Errorf("%d marks before the name was given, %d after: it stands in the list and at the step", had, has)
	}
	bob, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	b := newVisitor(t, in, "en").as(social.Member(bob, in.Config.Domain))
	b.get("/admin/start", 404)
	b.post("/admin/start", 404, "organisation", "Mine")
	b.get("/", 200).says("!Get this server going")
	v.post("/admin/start", 200, "step", "done").says("!Get this server going", "Your first steps")
}

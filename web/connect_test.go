package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/social"
)

// An administrator sees who wants to connect, whom they wanted and how often, admits
// one as a partner and blocks another, by a plain form. For all others there is no
// such page.
func TestServersThatWantToConnect(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) { serversThatWant(t, language) })
	}
}

func serversThatWant(t *testing.T, language string) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	alice := net.Member(in, "alice")
	a, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "root", Role: social.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	root := newVisitor(t, in, language).as(social.Member(a, in.Social.HomeAuthority()))
	root.get("/admin/requests", 200).says(root.pick("No server is waiting", "Kein Server wartet"))
	for i, r := range []social.ConnectRequest{
		{Authority: "good.test", Actor: "https://good.test/users/bob", Wanted: alice.Account.URI},
		{Authority: "good.test", Actor: "https://good.test/users/eve", Wanted: "/inbox"},
		{Authority: "evil.test", Actor: "https://evil.test/" + canary, Wanted: canary},
	} {
		r.LastAt = in.Social.Now().Add(time.Duration(i) * time.Second) // the newest stands first
		if err := in.Social.Knock(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	root.get("/", 200).says(root.pick("2 servers are waiting", "2 Server warten"))
	page := root.get("/admin/requests", 200).says("good.test", "https://good.test/users/bob", "@alice", root.pick("2 tries", "2 Versuche"), "evil.test")
	if strings.Contains(page.raw, "<canary") {
		t.Error("a name breaks out")
	}

	member := newVisitor(t, in, language).as(alice)
	hidden, missing := member.get("/admin/requests", 404), member.get("/admin/nothing1", 404)
	if strings.ReplaceAll(hidden.raw, "/admin/requests", "/admin/nothing1") != missing.raw {
		t.Errorf("a member learns of the page:\n%s\n%s", hidden.raw, missing.raw)
	}
	member.post("/admin/requests", 404, "host", "good.test", "level", "public", "do", "admit")
	nobody := newVisitor(t, in, language)
	if d := nobody.get("/admin/requests", 200).says("!good.test"); d.at.Path != "/sign-in" {
		t.Errorf("who is signed out is sent to %s", d.at)
	}
	nobody.post("/admin/requests", 401, "host", "good.test", "level", "public", "do", "admit")
	zone := func(host string) string {
		t.Helper()
		z, err := in.Social.Zone(ctx, host)
		if err != nil {
			t.Fatal(err)
		}
		return z.String()
	}
	if z := zone("good.test"); z != "blocked" {
		t.Errorf("somebody else admitted it: %s", z)
	}

	root.post("/admin/requests", 422, "host", "good.test", "level", "partner", "partner", "No Good!", "do", "admit").
		wrong("partner", "partner", "no good!", "level", "partner")
	root.post("/admin/requests", 422, "host", "good.test", "level", "everything", "do", "admit")
	root.post("/admin/requests", 404, "host", "other.test", "level", "public", "do", "admit")
	root.post("/admin/requests", 200, "host", "good.test", "level", "partner", "partner", "ACME", "do", "admit").
		says(root.pick("The server is admitted", "Der Server ist zugelassen"), "evil.test", "!good.test")
	root.post("/admin/requests", 200, "host", "evil.test", "level", "public", "do", "block").
		says(root.pick("The server is blocked", "Der Server ist gesperrt"), root.pick("No server is waiting", "Kein Server wartet"))
	if good, evil := zone("good.test"), zone("evil.test"); good != "partner:acme" || evil != "blocked" {
		t.Errorf("good %s, evil %s", good, evil)
	}
	if err := in.DB.LinkAudit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		rows, err := tx.Acts(ctx, social.Page{Limit: 10})
		if len(rows) != 2 || rows[0].By != "root" || rows[0].Zone != "blocked" || rows[1].Peer != "good.test" || rows[1].Zone != "partner:acme" {
			t.Errorf("%+v", rows)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

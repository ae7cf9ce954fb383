package web_test

import (
	"context"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// A member names another account, moves to one that names this, with the password, and
// takes it back; mistakes are told where they were made.
func TestMovingByPages(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	alice, next := net.Member(a, "alice"), net.Member(b, "alice2")
	ctx := context.Background()
	if err := a.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.Auth.SetPassword(ctx, alice.Account.ID, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	fresh := instancetest.Handle(b, next)
	for _, language := range []string{"en", "de"} {
		v := newVisitor(t, a, language).as(alice)
		if _, err := a.Social.UpdateProfile(ctx, alice, social.ProfileChange{Language: &language}); err != nil {
			t.Fatal(err)
		}
		v.get("/settings/move", 200).says(v.pick("Move from here to another account", "Von hier zu einem anderen Konto umziehen"))
		v.post("/settings/move", 422, "do", "alias", "alias", "@nobody@"+b.Config.Domain).says("@nobody@" + b.Config.Domain)
		v.post("/settings/move", 422, "do", "alias", "alias", "@alice").says(v.pick("account that you are using", "das Sie gerade benutzen"))
		v.post("/settings/move", 422, "do", "move", "target", fresh, "password", "wrong").says(v.pick("not your present password", "nicht Ihr jetziges Passwort"))
		v.post("/settings/move", 422, "do", "move", "target", fresh, "password", "correct horse battery").says(v.pick("does not name this one", "nennt dieses noch nicht"))
	}
	v := newVisitor(t, a, "de").as(alice)
	v.post("/settings/move", 200, "do", "alias", "alias", fresh).says("alice2", "Nicht mehr meines")
	if err := b.Social.SetAlias(ctx, next, instancetest.Handle(a, alice), true); err != nil {
		t.Fatal(err)
	}
	v.post("/settings/move", 200, "do", "move", "target", fresh, "password", "correct horse battery").says("Sie sind umgezogen", "alice2")
	v.get("/@alice", 200).says("Dieses Konto ist umgezogen zu", next.Account.URI)
	v.post("/settings/move", 200, "do", "stay").says("sagt nicht mehr")
	v.post("/settings/move", 200, "do", "forget", "uri", next.Account.URI)
}

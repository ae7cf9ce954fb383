package api_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"parley/social"
)

// admin makes an administrator with an app that may do everything.
func (w *world) admin(name string) *client {
	w.Helper()
	a, err := w.in.Social.CreateAccount(context.Background(), social.NewAccount{Username: name, Role: social.RoleAdmin})
	if err != nil {
		w.Fatal(err)
	}
	c := &client{t: w.T, in: w.in, id: a.ID.String(), who: social.Member(a, w.in.Social.HomeAuthority())}
	return c.app(all, true)
}

// An administrator reads and changes the policy; what is not understood says what is.
func TestAdminsSetThePolicy(t *testing.T) {
	w := start(t)
	root := w.admin("root")
	value := func(list []object, key string) (string, bool) {
		i := slices.IndexFunc(list, func(e object) bool { return text(e, "key") == key })
		return text(list[i], "value"), list[i]["set"] == true
	}
	if v, set := value(root.get("/api/parley/v1/admin/policy").list(), "audience.default"); v != "company" || set {
		t.Errorf("%s %v", v, set)
	}
	changed := root.do("PATCH", "/api/parley/v1/admin/policy", object{"audience.default": "instance", "followers.public": "no"}).list()
	if v, set := value(changed, "audience.default"); v != "instance" || !set {
		t.Errorf("%s %v", v, set)
	}
	if v, set := value(root.do("PATCH", "/api/parley/v1/admin/policy", form{"audience.default": {""}}).list(), "audience.default"); v != "company" || set {
		t.Errorf("taken back: %s %v", v, set)
	}
	if got := root.do("PATCH", "/api/parley/v1/admin/policy", object{"audience.widest.member": "everywhere"}); got.status != 422 || !strings.Contains(string(got.body), "instance, company, partner or public") {
		t.Errorf("%d %s", got.status, got.body)
	}
	missing, hidden := w.bob.get("/api/parley/v1/admin/nothing"), w.bob.get("/api/parley/v1/admin/policy")
	if missing.status != hidden.status || string(missing.body) != string(hidden.body) {
		t.Errorf("bob learns of it: %d %s, %d %s", missing.status, missing.body, hidden.status, hidden.body)
	}
}

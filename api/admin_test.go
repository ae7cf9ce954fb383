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

// An administrator sees who wants to connect and decides, once.
func TestAdminsAnswerRequestsToConnect(t *testing.T) {
	w := start(t)
	root := w.admin("root")
	for _, host := range []string{"good.test", "evil.test:8443"} {
		if err := w.in.Social.Knock(t.Context(), social.ConnectRequest{Authority: host, Actor: "https://" + host + "/users/eve", Wanted: "/users/" + w.alice.id + "/inbox", LastAt: w.in.Social.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	const base = "/api/parley/v1/admin/requests"
	waiting := root.get(base).list()
	if len(waiting) != 2 || text(waiting[0], "wanted") != "@alice" || text(waiting[0], "count") != "1" || text(waiting[0], "since") == "" {
		t.Errorf("%+v", waiting)
	}
	w.bob.post(base+"/good.test/admit", object{"zone": "public"}).refused(404)
	root.post(base+"/good.test/admit", object{"zone": "everything"}).refused(422)
	root.post(base+"/nobody.test/admit", object{"zone": "public"}).refused(404)
	root.post(base+"/good.test/admit", object{"zone": "partner:acme"}).ok()
	root.post(base+"/evil.test:8443/block", nil).ok()
	root.post(base+"/good.test/admit", object{"zone": "public"}).refused(404)
	for host, want := range map[string]string{"good.test": "partner:acme", "evil.test:8443": "blocked"} {
		z, err := w.in.Social.Zone(t.Context(), host)
		if err != nil || z.String() != want {
			t.Errorf("%s is %s %v", host, z, err)
		}
	}
	if left := root.get(base).list(); len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

// An administrator pairs two servers from here: the code of one, accepted by the other;
// then sees the other's keys, ends it and reads the report.
func TestAdminsPairServers(t *testing.T) {
	w, other := start(t), start(t)
	root, there := w.admin("root"), other.admin("root")
	host, home := other.in.Social.HomeAuthority(), w.in.Social.HomeAuthority()
	const base = "/api/parley/v1/admin/peers"
	w.bob.post(base+"/"+host+"/invite", nil).refused(404)
	root.post(base+"/"+host+"/invite", object{"zone": "public"}).refused(422)
	root.post(base+"/not..a..host/invite", nil).refused(422)
	root.post(base+"/"+host+"/zone", object{"zone": "company"}).refused(409)
	code := text(root.post(base+"/"+host+"/invite", object{"expires_in": 3600}).ok(), "code")
	there.post(base+"/accept", object{"code": code[:20]}).refused(422)
	if got := there.post(base+"/accept", object{"code": code}).ok(); text(got, "host") != home || text(got, "zone") != "company" || text(got, "keeper") != home {
		t.Errorf("%+v", got)
	}
	list := root.get(base).list()
	mine, theirs := list[0], there.get(base).list()[0]
	if len(list) != 1 || text(mine, "zone_that_counts") != "company" || text(mine, "pairing") != "active" || text(mine, "trust") != "pinned keys" ||
		text(mine, "their_fingerprint") != text(theirs, "own_fingerprint") || text(mine, "own_fingerprint") != text(theirs, "their_fingerprint") {
		t.Errorf("%+v %+v", mine, theirs)
	}
	root.post(base+"/"+host+"/veto", nil).refused(409)
	there.post(base+"/"+home+"/history", object{"from": "yesterday"}).refused(422)
	there.post(base+"/"+home+"/history", object{"from": "2026-01-01T00:00:00Z"}).ok()
	root.post(base+"/"+host+"/remove", nil).ok()
	if report := root.get(base + "/" + host + "/report").ok(); text(report, "pairing") != "left" || text(report, "zone") != "blocked" {
		t.Errorf("%+v", report)
	}
}

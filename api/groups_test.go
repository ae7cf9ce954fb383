package api_test

import (
	"testing"
)

// A group is made, joined on request, written in and read by an app; to apps that know
// nothing of groups it is an account with group: true.
func TestAGroupByTheAPI(t *testing.T) {
	w := start(t)
	const groups = "/api/parley/v1/groups"
	g := w.alice.post(groups, object{"name": "tooling", "display_name": "Tooling", "purpose": "What *we* build", "join": "request"}).ok()
	id := text(g, "id")
	one := groups + "/" + id
	if g["audience"] != "group:tooling" || g["owns"] != true || g["member"] != true || g["widest"] != "company" || g["purpose"] != "What *we* build" {
		t.Errorf("%v", g)
	}
	if a := w.bob.get("/api/v1/accounts/" + id).ok(); a["group"] != true || a["locked"] != true {
		t.Errorf("%v", a)
	}
	status := w.alice.post("/api/v1/statuses", object{"status": "inside", "audience": "group:tooling"}).ok()
	parley, _ := status["parley"].(object)
	if status["visibility"] != "private" || parley["audience"] != "group:tooling" || parley["group"] != id || parley["via"] != nil {
		t.Errorf("%v %v", status["visibility"], parley)
	}
	hidden := text(status, "id")
	w.bob.get(one + "/timeline").is(404)
	w.bob.get(one + "/members").is(404)
	w.bob.get("/api/v1/statuses/" + hidden).is(404)
	if asked := w.bob.post(one+"/join", nil).ok(); asked["requested"] != true || asked["member"] != false {
		t.Errorf("%v", asked)
	}
	w.bob.get(one + "/requests").is(404)
	w.bob.post(one+"/approve", object{"account_id": w.bob.id}).is(404)
	if waiting := w.alice.get(one + "/requests").list(); len(waiting) != 1 || waiting[0]["id"] != w.bob.id {
		t.Errorf("%v", waiting)
	}
	if told := w.alice.get("/api/v1/notifications").list(); len(told) != 1 || told[0]["type"] != "parley.group_request" {
		t.Errorf("%v", told)
	}
	w.alice.post(one+"/approve", object{"account_id": w.bob.id}).ok()
	if list := w.bob.get(one + "/timeline").list(); len(list) != 1 || list[0]["id"] != hidden {
		t.Errorf("%v", list)
	}
	if list := w.bob.get("/api/v1/accounts/" + id + "/statuses").list(); len(list) != 1 {
		t.Errorf("%v", list)
	}
	if list := w.bob.get(one + "/members").list(); len(list) != 2 {
		t.Errorf("%v", list)
	}
	w.alice.post(one+"/moderators", object{"account_id": w.bob.id}).ok()
	w.bob.do("PATCH", one, object{"purpose": "new"}).ok()
	w.bob.do("PATCH", one, object{"join": "open"}).is(403)
	w.bob.do("DELETE", one, nil).is(403)
	w.alice.post(one+"/owner", object{"account_id": w.bob.id}).ok()
	w.bob.post(one+"/remove", object{"account_id": w.alice.id}).ok()
	w.alice.get(one + "/timeline").is(404)
	w.bob.do("DELETE", one, nil).ok()
	w.bob.get(one).is(404)
	if list := w.bob.get(groups).list(); len(list) != 0 {
		t.Errorf("%v", list)
	}
}

package api_test

import "testing"

// A list shows what its people wrote, as far as its owner may see it, and to nobody else.
func listsShowTheirPeople(t *testing.T) {
	w := start(t)
	carol := w.member("carol")
	for _, who := range []string{w.bob.id, carol.id} {
		w.alice.post("/api/v1/accounts/"+who+"/follow", nil).ok()
	}
	w.alice.post("/api/v1/lists", object{"title": " "}).is(422)
	made := w.alice.post("/api/v1/lists", object{"title": "Team"}).ok()
	id := text(made, "id")
	path := "/api/v1/lists/" + id
	if text(made, "title") != "Team" || text(made, "replies_policy") != "list" || made["exclusive"] != false {
		t.Errorf("%v", made)
	}
	w.alice.post(path+"/accounts", object{"account_ids": []string{w.alice.id}}).is(422) // one does not follow oneself
	w.alice.post(path+"/accounts", object{"account_ids": []string{w.bob.id}}).ok()
	said := w.bob.write("in the list", "company")
	w.bob.write("for somebody else", "direct")
	carol.write("not in the list", "company")
	timeline := "/api/v1/timelines/list/" + id
	if list := w.alice.get(timeline).list(); len(list) != 1 || text(list[0], "id") != said {
		t.Errorf("%v", list)
	}
	if list := w.alice.get(path + "/accounts").list(); len(list) != 1 || text(list[0], "id") != w.bob.id {
		t.Errorf("%v", list)
	}
	if list := w.alice.get("/api/v1/accounts/" + w.bob.id + "/lists").list(); len(list) != 1 || text(list[0], "id") != id {
		t.Errorf("%v", list)
	}
	if v := w.alice.do("PUT", path, object{"title": "Crew"}).ok(); text(v, "title") != "Crew" || text(w.alice.get("/api/v1/lists").list()[0], "title") != "Crew" {
		t.Errorf("%v", v)
	}
	for _, of := range []string{path, path + "/accounts", timeline} {
		w.bob.get(of).is(404)
	}
	w.bob.do("PUT", path, object{"title": "Mine"}).is(404)
	w.bob.do("DELETE", path, nil).is(404)
	w.alice.do("DELETE", path+"/accounts?account_ids[]="+w.bob.id, nil).ok()
	if list := w.alice.get(timeline).list(); len(list) != 0 {
		t.Errorf("%v", list)
	}
	w.alice.do("DELETE", path, nil).ok()
	w.alice.get(path).is(404)
}

package api_test

import (
	"slices"
	"testing"
)

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

// A list shows the answers that its owner chose, and an exclusive one keeps its people out
// of the home timeline: as lists and as streams.
func TestListsChooseWhatTheyShow(t *testing.T) {
	w := start(t)
	carol, dora := w.member("carol"), w.member("dora")
	for _, c := range []*client{w.bob, carol, dora} {
		w.alice.post("/api/v1/accounts/"+c.id+"/follow", nil).ok()
	}
	w.alice.post("/api/v1/lists", object{"title": "Team", "replies_policy": "all"}).is(422)
	id := text(w.alice.post("/api/v1/lists", object{"title": "Team"}).ok(), "id")
	path, line := "/api/v1/lists/"+id, "/api/v1/timelines/list/"+id
	w.alice.post(path+"/accounts", object{"account_ids": []string{w.bob.id, carol.id}}).ok()
	home, list := w.alice.watch("/api/v1/streaming/user"), w.alice.watch("/api/v1/streaming/list?list="+id)

	answer := func(c *client, to, what string) string {
		return text(c.post("/api/v1/statuses", object{"status": what, "in_reply_to_id": to, "audience": "company"}).ok(), "id")
	}
	mine := w.alice.write("mine", "company")
	outside, inside := dora.write("outside", "company"), carol.write("inside", "company")
	toOutside, toInside := answer(w.bob, outside, "to outside"), answer(w.bob, inside, "to inside")
	again, toMe := answer(w.bob, toInside, "again"), answer(w.bob, mine, "to me")
	same := func(of <-chan event, last string, want ...string) {
		t.Helper()
		if got := until(t, of, last); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	same(home, "to me", "update mine", "update outside", "update inside", "update to outside", "update to inside", "update again")
	same(list, "to me", "update inside", "update to inside", "update again")
	for policy, want := range map[string][]string{
		"list":     {toMe, again, toInside, inside},
		"followed": {toMe, again, toInside, toOutside, inside},
		"none":     {toMe, again, inside},
	} {
		if v := w.alice.do("PUT", path, object{"replies_policy": policy}).ok(); text(v, "replies_policy") != policy || text(v, "title") != "Team" {
			t.Errorf("%v", v)
		}
		if got := ids(w.alice.get(line).list()); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", policy, got, want)
		}
	}
	w.alice.do("PUT", path, object{"replies_policy": "some"}).is(422)
	w.alice.do("PUT", path, object{"replies_policy": "none"}).ok()
	before := ids(w.alice.get("/api/v1/timelines/home").list())

	if v := w.alice.do("PUT", path, object{"exclusive": true}).ok(); v["exclusive"] != true || text(v, "replies_policy") != "none" || w.alice.get(path).ok()["exclusive"] != true {
		t.Errorf("%v", v)
	}
	if got := ids(w.alice.get("/api/v1/timelines/home").list()); !slices.Equal(got, []string{outside, mine}) {
		t.Errorf("beside an exclusive list: %v", got)
	}
	if got := ids(w.alice.get(line).list()); !slices.Equal(got, []string{toMe, again, inside}) {
		t.Errorf("in an exclusive list: %v", got)
	}
	answer(w.bob, inside, "unseen")
	w.bob.write("apart", "company")
	dora.write("end", "company")
	carol.write("end", "company")
	same(home, "end", "notification mention")
	same(list, "end", "update apart")

	// Without the list all is back.
	w.alice.do("DELETE", path, nil).ok()
	if got := ids(w.alice.get("/api/v1/timelines/home").list()); !slices.Equal(got[len(got)-len(before):], before) {
		t.Errorf("%v, had %v", got, before)
	}
}

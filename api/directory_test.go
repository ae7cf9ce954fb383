package api_test

import (
	"fmt"
	"testing"
)

// A member describes themselves, and is found by it; what others sent is found as they
// sent it, and nobody else finds anything.
func TestDirectory(t *testing.T) {
	w := start(t)
	own := w.alice.do("PATCH", "/api/parley/v1/profile", object{"department": "Einkauf", "title": "Leiterin", "skills": []string{"SAP", "Köln<b>"},
		"languages": []string{"de", "tr"}, "location": "Köln", "pronouns": "sie", "manager": "bob", "shown": object{"skills": "company"}}).ok()
	if own["department"] != "Einkauf" || own["manager"] != w.bob.who.Account.URI || fmt.Sprint(own["skills"]) != "[SAP Köln<b>]" {
		t.Errorf("%v", own)
	}
	if shown := own["shown"].(object); shown["skills"] != "company" || shown["name"] != "partners" || shown["location"] != "instance" {
		t.Errorf("%v", shown)
	}
	for _, q := range []string{"koeln", "alic", "EINK", "sap+leit", "alice"} {
		list := w.bob.get("/api/parley/v1/directory?q=" + q).list()
		if len(list) != 1 {
			t.Fatalf("%q finds %v", q, list)
		}
		e := list[0]
		if e["name"] != "alice" || e["title"] != "Leiterin" || e["zone"] != "instance" || e["instance"] != w.in.Config.Domain || e["stale"] != false || e["confirmed"] != true || e["account_id"] != w.alice.id {
			t.Errorf("%v", e)
		}
		managers := e["managers"].([]any)
		if len(managers) != 1 || managers[0].(object)["acct"] != "bob" {
			t.Errorf("%v", managers)
		}
	}
	for query, want := range map[string]int{"q=nobody": 0, "q=!": 0, "": 2, "limit=1": 1, "limit=1&offset=1": 1, "offset=2": 0, "offset=-1": 0, "offset=99999": 0} {
		if list := w.bob.get("/api/parley/v1/directory?" + query).list(); len(list) != want {
			t.Errorf("%q finds %v", query, list)
		}
	}
	kept := w.alice.do("PATCH", "/api/parley/v1/profile", form{"title": {""}, "skills[]": {""}}).ok()
	if kept["title"] != nil || len(kept["skills"].([]any)) != 0 || kept["department"] != "Einkauf" {
		t.Errorf("%v", kept)
	}
	for _, wrong := range []object{{"manager": "nobody"}, {"manager": "alice"}, {"shown": object{"skills": "everybody"}}, {"shown": object{"salary": "company"}}} {
		w.alice.do("PATCH", "/api/parley/v1/profile", wrong).refused(422)
	}
	w.nobs.get("/api/parley/v1/directory?q=alice").refused(401)
}

package api_test

import (
	"fmt"
	"testing"
	"time"

	"parley/instance/instancetest"
)

// A filter marks what it holds for its owner alone, by words and by posts, and hides it
// where that was asked for; whatever client shows it.
func filtersMarkAndHide(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now})
	w := people(t, net.Instances[0])
	w.alice.post("/api/v1/accounts/"+w.bob.id+"/follow", nil).ok()
	made := w.alice.post("/api/v2/filters", object{"title": "Hot drinks", "context": []string{"home", "thread"}, "filter_action": "warn",
		"keywords_attributes": []object{{"keyword": "tea", "whole_word": true}, {"keyword": "coff", "whole_word": false}}}).ok()
	id := text(made, "id")
	posts := map[string]string{}
	for _, said := range []string{"green TEA!", "a team", "Coffee to go", "water"} {
		posts[said] = w.bob.write(said, "company")
	}
	mine := w.alice.write("my tea", "company")
	marks := func(c *client, path string) (all map[string]string) {
		t.Helper()
		all = map[string]string{}
		for _, s := range c.get(path).list() {
			for _, m := range s["filtered"].([]any) {
				all[text(s, "id")] += fmt.Sprint(at(m.(map[string]any), "filter.title"), m.(map[string]any)["keyword_matches"], m.(map[string]any)["status_matches"])
			}
			if all[text(s, "id")] == "" {
				all[text(s, "id")] = "-"
			}
		}
		return all
	}
	same := func(what string, got, want map[string]string) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n%v, want\n%v", what, got, want)
		}
	}
	want := map[string]string{posts["green TEA!"]: "Hot drinks[tea] []", posts["a team"]: "-", posts["Coffee to go"]: "Hot drinks[coff] []", posts["water"]: "-", mine: "-"}
	same("at home", marks(w.alice, "/api/v1/timelines/home"), want)
	if got := marks(w.bob, "/api/v1/timelines/home"); len(got) != 4 || got[posts["green TEA!"]] != "-" {
		t.Errorf("bob sees alice's filters: %v", got)
	}

	w.alice.do("PUT", "/api/v2/filters/"+id, object{"filter_action": "hide"}).ok()
	same("hidden at home", marks(w.alice, "/api/v1/timelines/home"), map[string]string{posts["a team"]: "-", posts["water"]: "-", mine: "-"})
	if got := marks(w.alice, "/api/v1/timelines/public"); len(got) != 5 {
		t.Errorf("hidden where it was not asked for: %v", got)
	}
	if s := w.alice.get("/api/v1/statuses/" + posts["green TEA!"]).ok(); len(s["filtered"].([]any)) != 1 {
		t.Errorf("asked for by its id: %v", s["filtered"])
	}
	word := text(w.alice.get("/api/v2/filters/" + id + "/keywords").list()[0], "id")
	w.alice.do("PUT", "/api/v2/filters/keywords/"+word, object{"keyword": "water", "whole_word": true}).ok()
	if k := w.alice.get("/api/v2/filters/keywords/" + word).ok(); k["keyword"] != "water" {
		t.Errorf("%v", k)
	}
	w.alice.do("DELETE", "/api/v2/filters/keywords/"+word, nil).ok()
	added := w.alice.post("/api/v2/filters/"+id+"/statuses", object{"status_id": posts["a team"]}).ok()
	w.alice.post("/api/v2/filters/"+id+"/keywords", object{"keyword": "green", "whole_word": "true"}).ok()
	same("by post and by another word", marks(w.alice, "/api/v1/timelines/home"), map[string]string{posts["water"]: "-", mine: "-"})
	if one := w.alice.get("/api/v2/filters/statuses/" + text(added, "id")).ok(); one["status_id"] != posts["a team"] {
		t.Errorf("%v", one)
	}
	w.alice.do("DELETE", "/api/v2/filters/statuses/"+text(added, "id"), nil).ok()
	w.alice.do("PUT", "/api/v2/filters/"+id, object{"expires_in": 60}).ok()
	clock.Advance(2 * time.Minute)
	if got := marks(w.alice, "/api/v1/timelines/home"); len(got) != 5 {
		t.Errorf("after its end: %v", got)
	}
	for _, path := range []string{"/api/v2/filters/" + id, "/api/v2/filters/" + id + "/keywords"} {
		w.bob.get(path).is(404)
	}
	secret := w.bob.write("for bob alone", "direct")
	for _, wrong := range []object{{}, {"title": "x"}, {"title": "x", "context": []string{"nowhere"}}, {"title": "x", "context": []string{"home"}, "filter_action": "burn"}, {"title": "x", "context": []string{"home"}, "expires_in": "soon"},
		{"title": "x", "context": []string{"home"}, "keywords_attributes": []object{{"keyword": " "}}}} {
		w.alice.post("/api/v2/filters", wrong).is(422)
	}
	w.alice.post("/api/v2/filters/"+id+"/statuses", object{"status_id": secret}).is(404)
	if list := w.alice.get("/api/v2/filters").list(); len(list) != 1 || len(list[0]["keywords"].([]any)) != 2 || len(list[0]["statuses"].([]any)) != 0 {
		t.Errorf("%v", list)
	}
	w.alice.do("DELETE", "/api/v2/filters/"+id, nil).ok()
	if list := w.alice.get("/api/v2/filters").list(); len(list) != 0 {
		t.Errorf("%v", list)
	}
}

// Apps before Mastodon 4.0 see the words of filters one by one, and change no more than
// these.
func TestFiltersOfOlderApps(t *testing.T) {
	w := start(t)
	made := w.alice.post("/api/v1/filters", object{"phrase": "tea", "context": []string{"home", "public"}, "irreversible": false, "whole_word": true, "expires_in": ""}).ok()
	id := text(made, "id")
	if made["phrase"] != "tea" || made["whole_word"] != true || made["irreversible"] != false || made["expires_at"] != nil || fmt.Sprint(made["context"]) != "[home public]" {
		t.Errorf("made %v", made)
	}
	changed := w.alice.do("PUT", "/api/v1/filters/"+id, object{"phrase": "green tea", "context": []string{"home"}, "irreversible": true, "whole_word": false, "expires_in": 3600}).ok()
	if changed["phrase"] != "green tea" || changed["irreversible"] != true || changed["expires_at"] == nil || fmt.Sprint(changed["context"]) != "[home]" || changed["whole_word"] != false {
		t.Errorf("changed %v", changed)
	}
	if same := w.alice.get("/api/v1/filters/" + id).ok(); fmt.Sprint(same) != fmt.Sprint(changed) {
		t.Errorf("%v, want %v", same, changed)
	}
	if all := w.bob.get("/api/v1/filters").list(); len(all) != 0 {
		t.Errorf("bob has alice's filters: %v", all)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		if got := w.bob.do(method, "/api/v1/filters/"+id, nil); got.status != 404 {
			t.Errorf("bob's %s: %d", method, got.status)
		}
	}

	// Newer apps see the same filter, and may put more into it.
	whole := w.alice.get("/api/v2/filters").list()[0]
	if whole["title"] != "green tea" || whole["filter_action"] != "hide" || len(whole["keywords"].([]any)) != 1 {
		t.Errorf("the same filter is %v", whole)
	}
	more := text(w.alice.post("/api/v2/filters/"+text(whole, "id")+"/keywords", object{"keyword": "coffee"}).ok(), "id")
	if got := w.alice.do("PUT", "/api/v1/filters/"+id, object{"irreversible": false}); got.status != 422 {
		t.Errorf("a phrase changes what holds for another: %d", got.status)
	}
	if got := w.alice.do("PUT", "/api/v1/filters/"+id, object{"phrase": "black tea", "irreversible": true, "context": []string{"home"}}).ok(); got["phrase"] != "black tea" {
		t.Errorf("a phrase by itself: %v", got)
	}
	w.alice.do("DELETE", "/api/v1/filters/"+id, nil).ok()
	if left := w.alice.get("/api/v1/filters").list(); len(left) != 1 || text(left[0], "id") != more {
		t.Errorf("left are %v", left)
	}
	w.alice.do("DELETE", "/api/v1/filters/"+more, nil).ok()
	if left := w.alice.get("/api/v2/filters").list(); len(left) != 0 {
		t.Errorf("an empty filter is left: %v", left)
	}
}

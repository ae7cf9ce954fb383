package api_test

import (
	"slices"
	"testing"
	"time"

	"parley/instance/instancetest"
)

func tomorrow() string { return time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339) }

// A status is scheduled, moved, taken back, and at last published as it was written.
func TestScheduledStatuses(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now})
	w := people(t, net.Instances[0])
	const path = "/api/v1/scheduled_statuses"
	in := func(d time.Duration) string { return clock.Now().Add(d).Format("2006-01-02T15:04:05.000Z") }
	parent := w.bob.write("what do you think?", "company")
	media := text(w.alice.post("/api/v2/media", files{name: "file", file: "a.txt", data: []byte("hello")}).ok(), "id")
	first := w.alice.post("/api/v1/statuses", object{"status": "later", "spoiler_text": "careful", "language": "en", "visibility": "private", "in_reply_to_id": parent,
		"media_ids": []string{media}, "scheduled_at": in(time.Hour)}).ok()
	id := text(first, "id")
	for _, v := range []object{first, w.alice.get(path + "/" + id).ok(), w.alice.get(path).list()[0]} {
		if v["scheduled_at"] != in(time.Hour) || text(v, "params.text") != "later" || text(v, "params.spoiler_text") != "careful" || text(v, "params.language") != "en" ||
			text(v, "params.visibility") != "private" || text(v, "params.in_reply_to_id") != parent || text(v, "parley.audience") != "company" ||
			len(v["media_attachments"].([]any)) != 1 || !slices.Equal(v["params"].(object)["media_ids"].([]any), []any{media}) {
			t.Errorf("%v", v)
		}
	}
	poll := w.alice.post("/api/v1/statuses", form{"status": {"tea?"}, "audience": {"direct"}, "poll[options][]": {"yes", "no"}, "poll[expires_in]": {"3600"}, "scheduled_at": {in(2 * time.Hour)}}).ok()
	if p := poll["params"].(object)["poll"].(object); text(p, "expires_in") != "3600" || len(p["options"].([]any)) != 2 || text(poll, "params.visibility") != "direct" {
		t.Errorf("%v", poll)
	}
	page := w.alice.get(path + "?limit=1")
	if list := page.list(); len(list) != 1 || text(list[0], "id") != text(poll, "id") || page.header.Get("Link") == "" {
		t.Errorf("%v %v", list, page.header)
	}
	if list := w.alice.get(path + "?max_id=" + text(poll, "id")).list(); len(list) != 1 || text(list[0], "id") != id {
		t.Errorf("%v", list)
	}

	// With the same key it is written once.
	send := func() string {
		r := w.alice.request("POST", "/api/v1/statuses", object{"status": "once", "scheduled_at": in(3 * time.Hour)})
		r.Header.Set("Idempotency-Key", "k")
		return text(w.alice.send(r).ok(), "id")
	}
	if one, two := send(), send(); one != two || len(w.alice.get(path).list()) != 3 {
		t.Errorf("%s and %s", one, two)
	} else {
		w.alice.do("DELETE", path+"/"+one, nil).is(200)
		w.alice.get(path + "/" + one).is(404)
	}
	for _, at := range []string{in(4 * time.Minute), in(-time.Hour), "soon", "0000-01-01T00:00:00Z"} {
		w.alice.post("/api/v1/statuses", object{"status": "too soon", "scheduled_at": at}).is(422)
		w.alice.do("PUT", path+"/"+id, object{"scheduled_at": at}).is(422)
	}
	w.alice.do("PUT", path+"/"+id, object{}).is(422)

	if v := w.alice.do("PUT", path+"/"+id, object{"scheduled_at": in(6 * time.Hour)}).ok(); v["scheduled_at"] != in(6*time.Hour) || text(v, "params.text") != "later" {
		t.Errorf("%v", v)
	}
	clock.Advance(time.Hour)
	net.Settle()
	if len(w.alice.get(path).list()) != 2 || len(w.bob.get("/api/v1/statuses/" + parent + "/context").ok()["descendants"].([]any)) != 0 {
		t.Error("it was published at the old time")
	}
	clock.Advance(5 * time.Hour)
	net.Settle()
	below := w.bob.get("/api/v1/statuses/" + parent + "/context").ok()["descendants"].([]any)
	if len(w.alice.get(path).list()) != 0 || len(below) != 1 {
		t.Fatalf("when it was due: %v", below)
	}
	got := below[0].(object)
	if text(got, "content") == "" || got["spoiler_text"] != "careful" || got["language"] != "en" || text(got, "parley.audience") != "company" || got["created_at"] != in(0) ||
		text(got["media_attachments"].([]any)[0].(object), "id") != media {
		t.Errorf("%v", got)
	}
}

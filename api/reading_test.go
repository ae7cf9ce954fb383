package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// Direct posts stand in conversations: the newest of each, read or not, with the people in
// it; put away until somebody writes again.
func TestConversations(t *testing.T) {
	w := start(t)
	carol := w.member("carol")
	first := w.bob.write("hello @alice", "direct")
	w.alice.post("/api/v1/statuses", object{"status": "@bob hi", "visibility": "direct", "in_reply_to_id": first}).ok()
	w.bob.post("/api/v1/statuses", object{"status": "@alice how are you?", "visibility": "direct", "in_reply_to_id": first}).ok()
	carol.write("lunch? @alice @bob", "direct")
	w.alice.write("not direct @bob", "company")
	list := w.alice.get("/api/v1/conversations").list()
	if len(list) != 2 || list[0]["unread"] != true || len(list[0]["accounts"].([]any)) != 2 || !strings.Contains(text(list[1], "last_status.content"), "how are you") || len(list[1]["accounts"].([]any)) != 1 {
		t.Fatalf("%v", list)
	}
	if got := w.bob.get("/api/v1/conversations").list(); len(got) != 2 || got[1]["unread"] != false {
		t.Errorf("bob wrote last: %v", got)
	}
	if got := carol.get("/api/v1/conversations").list(); len(got) != 1 {
		t.Errorf("carol is in one: %v", got)
	}
	page := w.alice.get("/api/v1/conversations?limit=1")
	if len(page.list()) != 1 || !strings.Contains(page.header.Get("Link"), `rel="next"`) {
		t.Errorf("%v", page.header)
	}
	path := "/api/v1/conversations/" + text(list[0], "id")
	if read := w.alice.post(path+"/read", nil).ok(); read["unread"] != false {
		t.Errorf("%v", read)
	}
	carol.do("DELETE", "/api/v1/conversations/"+text(list[1], "id"), nil).is(404)
	w.alice.do("DELETE", path, nil).ok()
	if got := w.alice.get("/api/v1/conversations").list(); len(got) != 1 {
		t.Errorf("put away: %v", got)
	}
	carol.post("/api/v1/statuses", object{"status": "@alice @bob still there?", "visibility": "direct", "in_reply_to_id": text(list[0], "last_status.id")}).ok()
	if got := w.alice.get("/api/v1/conversations").list(); len(got) != 2 || got[0]["unread"] != true {
		t.Errorf("written again: %v", got)
	}
}

// Markers are the same in every app, and those of notifications are what the pages count.
func TestMarkers(t *testing.T) {
	w := start(t)
	w.bob.write("hello @alice", "company")
	told := w.alice.get("/api/v1/notifications").list()
	id := text(told[0], "id")
	set := w.alice.post("/api/v1/markers", object{"notifications": object{"last_read_id": id}, "home": object{"last_read_id": "5"}}).ok()
	if text(set, "notifications.last_read_id") != id || fmt.Sprint(at(set, "home.version")) != "1" {
		t.Errorf("%v", set)
	}
	if n := w.alice.get("/api/v1/notifications/unread_count").ok()["count"]; fmt.Sprint(n) != "0" {
		t.Errorf("%v are unread", n)
	}
	w.alice.app(all, true).post("/api/v1/markers", form{"home[last_read_id]": {"7"}}).ok()
	got := w.alice.get("/api/v1/markers?timeline[]=home").ok()
	if text(got, "home.last_read_id") != "7" || fmt.Sprint(at(got, "home.version")) != "2" || got["notifications"] != nil {
		t.Errorf("%v", got)
	}
	w.alice.post("/api/v1/markers", form{"public[last_read_id]": {"7"}}).is(422)
	w.alice.post("/api/v1/markers", form{"home[last_read_id]": {"x"}}).is(422)
	if p := w.alice.get("/api/v1/preferences").ok(); p["posting:default:visibility"] != "public" || p["posting:default:language"] != "de" {
		t.Errorf("%v", p)
	}
}

// A tag that is followed brings its posts home, as far as one may see them.
func TestFollowedTags(t *testing.T) {
	w := start(t)
	if tag := w.alice.post("/api/v1/tags/Plan/follow", nil).ok(); tag["name"] != "plan" || tag["following"] != true {
		t.Errorf("%v", tag)
	}
	w.bob.write("the #plan", "company")
	w.bob.write("for my followers #plan", "followers")
	w.bob.write("no tag", "company")
	got := w.alice.get("/api/v1/timelines/home").list()
	if len(got) != 1 || !strings.Contains(text(got[0], "content"), "the ") {
		t.Errorf("%v", got)
	}
	if list := w.alice.get("/api/v1/followed_tags").list(); len(list) != 1 || list[0]["name"] != "plan" {
		t.Errorf("%v", list)
	}
	if tag := w.nobs.get("/api/v1/tags/plan").ok(); tag["following"] != false || len(tag["history"].([]any)) != 0 {
		t.Errorf("%v", tag)
	}
	w.alice.post("/api/v1/tags/plan/unfollow", nil).ok()
	w.bob.write("another #plan", "company")
	if got := w.alice.get("/api/v1/timelines/home").list(); len(got) != 1 {
		t.Errorf("after leaving the tag: %v", got)
	}
}

// Lists by ids hold what one may see of them, in their order; who is kept away is listed.
func TestByIDs(t *testing.T) {
	w := start(t)
	open, secret := w.alice.write("open", "company"), w.alice.write("secret", "direct")
	if got := w.bob.get("/api/v1/statuses?id[]=" + secret + "&id[]=" + open + "&id[]=1").list(); len(got) != 1 || text(got[0], "id") != open {
		t.Errorf("%v", got)
	}
	if got := w.bob.get("/api/v1/accounts?id[]=" + w.alice.id + "&id[]=1").list(); len(got) != 1 || text(got[0], "id") != w.alice.id {
		t.Errorf("%v", got)
	}
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/mute", nil).ok()
	if got := w.bob.get("/api/v1/mutes").list(); len(got) != 1 || text(got[0], "id") != w.alice.id {
		t.Errorf("%v", got)
	}
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/block", nil).ok()
	if got := w.bob.get("/api/v1/blocks").list(); len(got) != 1 || text(got[0], "id") != w.alice.id {
		t.Errorf("%v", got)
	}
	w.bob.get("/api/v1/accounts?id[]=x").is(422)
}

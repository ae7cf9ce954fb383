package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/instance/instancetest"
)

// follow pages to one side and answers all ids in the order of the list.
func (c *client) walk(path, rel string) (all []string, pages int) {
	c.t.Helper()
	for path != "" {
		a := c.get(path)
		list := ids(a.list())
		if rel == "prev" {
			all = append(list, all...)
		} else {
			all = append(all, list...)
		}
		if pages++; pages > 60 {
			c.t.Fatalf("%s never ends", path)
		}
		path = a.links()[rel]
	}
	return all, pages
}

// A list of 120 posts, a third of them hidden from the reader, is paged without gap
// or duplicate, in both directions, and ends where it ends.
func timelinesArePagedWithoutGapOrDuplicate(t *testing.T) {
	w := start(t)
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	var want []string
	for i := range 120 {
		audience := "company"
		if i%3 == 0 {
			audience = "direct" // to nobody: bob sees none of them in alice's list
		}
		id := w.alice.write(fmt.Sprint("post ", i), audience)
		if audience == "company" {
			want = append([]string{id}, want...)
		}
	}
	lists := []string{"/api/v1/timelines/home", "/api/v1/timelines/public", "/api/parley/v1/timelines/company", "/api/v1/accounts/" + w.alice.id + "/statuses"}
	for _, list := range lists {
		for _, limit := range []int{1, 7, 16, 20, 40, 80, 1000} {
			if limit == 1 && list != lists[0] {
				continue
			}
			path := fmt.Sprint(list, "?limit=", limit)
			size := min(limit, 40)
			steps := (80 + size - 1) / size
			if limit == 1 {
				path, steps = list+"?limit=2", 40
			}
			got, pages := w.bob.walk(path, "next")
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %d posts, want %d: %v", path, len(got), len(want), got)
			}
			if pages != steps { // 80 is a multiple of 16, 20 and 40: no empty page at the end
				t.Errorf("%s: %d pages, want %d", path, pages, steps)
			}
		}
		up, _ := w.bob.walk(list+"?limit=7&min_id=0", "prev")
		if !slices.Equal(up, want) {
			t.Errorf("%s upwards: %d posts, want %d", list, len(up), len(want))
		}
	}
	since := w.bob.get(fmt.Sprintf("/api/v1/timelines/public?since_id=%s&limit=5", want[9]))
	if got := ids(since.list()); !slices.Equal(got, want[:5]) {
		t.Errorf("since_id takes the newest: %v", got)
	}
	if got, _ := w.bob.walk(fmt.Sprintf("/api/v1/timelines/public?since_id=%s&max_id=%s", want[9], want[0]), "none"); !slices.Equal(got, want[1:9]) {
		t.Errorf("between: %v", got)
	}
	above := w.bob.get(fmt.Sprintf("/api/v1/timelines/public?min_id=%s&limit=5", want[9]))
	if got := ids(above.list()); !slices.Equal(got, want[4:9]) {
		t.Errorf("min_id takes the oldest above: %v", got)
	}
	if above.links()["next"] == "" {
		t.Error("there are older posts below a page read upwards")
	}
	if w.bob.get("/api/v1/timelines/public?limit=40&min_id=1").links()["next"] != "" {
		t.Error("nothing is older than the oldest page")
	}
}

// Many apps page by the ids of the posts that they show, not by the links; the order in which
// posts came is another than that of their ids.
func TestHomeIsPagedByItsPosts(t *testing.T) {
	clock := instancetest.NewClock() // stands still: within a millisecond ids are in no order
	w := people(t, instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now}).Instances[0])
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	list := text(w.bob.post("/api/v1/lists", object{"title": "Team"}).ok(), "id")
	w.bob.post("/api/v1/lists/"+list+"/accounts", object{"account_ids": []string{w.alice.id}}).ok()
	carol := w.member("carol")
	for i := range 30 {
		id := carol.write(fmt.Sprint("post ", i), "company")
		if i%2 == 0 {
			id = w.alice.write(fmt.Sprint("post ", i), "company")
		}
		if i%3 == 0 {
			w.alice.post("/api/v1/statuses/"+id+"/reblog", nil).ok()
		}
	}
	for _, line := range []string{"/api/v1/timelines/home", "/api/v1/timelines/list/" + list} {
		want := ids(w.bob.get(line + "?limit=40").list())
		if len(want) < 20 {
			t.Fatalf("%s: %d posts", line, len(want))
		}
		if got := ids(w.bob.get(line + "?since_id=" + want[0]).list()); len(got) != 0 {
			t.Errorf("%s: newer than the newest is %v", line, got)
		}
		var got []string
		for bound := ""; ; bound = "&max_id=" + got[len(got)-1] {
			part := ids(w.bob.get(line + "?limit=7" + bound).list())
			if len(part) == 0 {
				break
			}
			got = append(got, part...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s downwards: %v, want %v", line, got, want)
		}
		if got := ids(w.bob.get(line + "?limit=5&min_id=" + want[9]).list()); !slices.Equal(got, want[4:9]) {
			t.Errorf("%s above the tenth: %v, want %v", line, got, want[4:9])
		}
	}
}

// Long stretches of hidden posts end no list too early.
func TestHiddenStretchesEndNoList(t *testing.T) {
	w := start(t)
	first := w.alice.write("first", "company")
	for i := range 60 {
		w.alice.write(fmt.Sprint("hidden ", i), "direct")
	}
	last := w.alice.write("last", "company")
	path := "/api/v1/accounts/" + w.alice.id + "/statuses?limit=1"
	a := w.bob.get(path)
	if got := ids(a.list()); !slices.Equal(got, []string{last}) {
		t.Fatalf("%v", got)
	}
	got, _ := w.bob.walk(path, "next")
	if !slices.Equal(got, []string{last, first}) {
		t.Errorf("downwards: %v", got)
	}
	up, _ := w.bob.walk(path+"&min_id="+first, "prev")
	if len(up) == 0 || up[0] != last {
		t.Errorf("upwards: %v", up)
	}
}

// Everything else that is a list has the same links.
func otherListsArePaged(t *testing.T) {
	w := start(t)
	var followers, posts []string
	for i := range 5 {
		c := w.member(fmt.Sprint("person", i))
		c.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
		w.bob.post("/api/v1/accounts/"+c.id+"/follow", nil).ok()
		id := w.alice.write(fmt.Sprint("number ", i), "company")
		w.bob.post("/api/v1/statuses/"+id+"/favourite", nil).ok()
		w.bob.post("/api/v1/statuses/"+id+"/bookmark", nil).ok()
		posts = append([]string{id}, posts...)
		followers = append([]string{c.id}, followers...)
	}
	for _, id := range followers {
		w.asked(id).post("/api/v1/statuses/"+posts[0]+"/favourite", nil).ok()
		w.asked(id).post("/api/v1/statuses/"+posts[0]+"/reblog", nil).ok()
	}
	for path, n := range map[string]int{
		"/api/v1/accounts/" + w.alice.id + "/followers": 5, "/api/v1/accounts/" + w.bob.id + "/following": 5,
		"/api/v1/bookmarks": 5, "/api/v1/favourites": 5,
		"/api/v1/statuses/" + posts[0] + "/favourited_by": 6, "/api/v1/statuses/" + posts[0] + "/reblogged_by": 5,
	} {
		got, pages := w.bob.walk(path+"?limit=2", "next")
		if len(got) != n || pages != (n+1)/2 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != n {
			t.Errorf("%s: %d in %d pages: %v", path, len(got), pages, got)
		}
		if up, _ := w.bob.walk(path+"?limit=2&min_id=0", "prev"); !slices.Equal(up, got) {
			t.Errorf("%s upwards: %v, want %v", path, up, got)
		}
	}
	notes, pages := w.alice.walk("/api/v1/notifications?limit=5", "next")
	if len(notes) != 20 || pages != 4 { // 5 follows, 5 + 5 likes, 5 shares
		t.Errorf("%d notifications in %d pages", len(notes), pages)
	}
	if n := text(w.alice.get("/api/v1/notifications/unread_count").ok(), "count"); n != "20" {
		t.Errorf("%s unread", n)
	}
	likes, _ := w.alice.walk("/api/v1/notifications?limit=3&types[]=favourite", "next")
	rest, _ := w.alice.walk("/api/v1/notifications?limit=3&exclude_types[]=favourite&exclude_types[]=reblog", "next")
	if len(likes) != 10 || len(rest) != 5 {
		t.Errorf("%d likes, %d others", len(likes), len(rest))
	}
}

// asked finds the app of a person by id.
func (w *world) asked(id string) *client {
	w.Helper()
	for i := range 5 {
		name := fmt.Sprint("person", i)
		if v := w.nobs.get("/api/v1/accounts/lookup?acct=" + name).ok(); v["id"] == id {
			return w.again(name)
		}
	}
	w.Fatalf("nobody is %s", id)
	return nil
}

// The link of a tag with letters beyond ASCII leads to the same list.
func TestTagTimelineLinks(t *testing.T) {
	w := start(t)
	var want []string
	for i := range 3 {
		want = append([]string{w.alice.write(fmt.Sprint("Schöne #Grüße ", i), "company")}, want...)
	}
	a := w.bob.get("/api/v1/timelines/tag/gr%C3%BC%C3%9Fe?limit=2")
	if got := ids(a.list()); !slices.Equal(got, want[:2]) {
		t.Fatalf("%v, want %v", got, want[:2])
	}
	if next := a.links()["next"]; !strings.Contains(next, "/gr%C3%BC%C3%9Fe?") {
		t.Errorf("%s", next)
	}
	if got, _ := w.bob.walk("/api/v1/timelines/tag/gr%C3%BC%C3%9Fe?limit=2", "next"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

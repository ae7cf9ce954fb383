package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// A longer list asks the database no more often (no N+1): home with posts, shares, quotes,
// answers, files and polls, a filter that meets some of them, and the other lists of posts.
func TestLongerListsAskNoMoreOften(t *testing.T) {
	w := start(t)
	w.alice.post("/api/v1/accounts/"+w.bob.id+"/follow", nil).ok()
	w.alice.post("/api/v2/filters", object{"title": "some", "context": []string{"home"}, "keywords_attributes": []object{{"keyword": "post"}}}).ok()
	for i := range 8 {
		first := w.bob.write(fmt.Sprintf("post %d #many", i), "company")
		w.bob.write("an answer", "company", "in_reply_to_id", first)
		w.bob.write("a quote", "company", "quoted_status_id", first)
		w.bob.post("/api/v1/statuses", object{"status": "a poll", "audience": "company", "poll": object{"options": []string{"a", "b"}, "expires_in": 3600}}).ok()
		w.bob.post("/api/v1/statuses", object{"status": "a file", "audience": "company", "media_ids": []string{w.bob.picture()}}).ok()
		w.alice.post("/api/v1/statuses/"+first+"/favourite", nil).ok()
		w.alice.post("/api/v1/statuses/"+first+"/bookmark", nil).ok()
		own := w.alice.write("my own @bob", "company")
		w.bob.post("/api/v1/statuses/"+own+"/favourite", nil).ok()
		w.bob.post("/api/v1/statuses/"+own+"/reblog", nil).ok()
	}
	for _, path := range []string{"/api/v1/timelines/home", "/api/v1/timelines/public", "/api/v1/timelines/tag/many", "/api/v1/notifications", "/api/v2/notifications", "/api/v1/favourites", "/api/v1/bookmarks",
		"/api/v1/accounts/" + w.bob.id + "/statuses"} {
		asks := func(limit int) (int64, int) {
			t.Helper()
			address := fmt.Sprintf("%s?limit=%d", path, limit)
			w.alice.get(address) // statements are prepared, the token's use is noted
			before := w.in.DB.Statements()
			got := w.alice.get(address)
			asked := w.in.DB.Statements() - before
			if strings.HasPrefix(path, "/api/v2/") {
				told, _ := got.groups()
				return asked, len(told)
			}
			return asked, len(got.list())
		}
		few, short := asks(4)
		many, long := asks(40)
		if long < 2*short || short == 0 {
			t.Fatalf("%s: %d and %d items", path, short, long)
		}
		if many > few {
			t.Errorf("%s: %d statements for %d items, %d for %d", path, few, short, many, long)
		}
		t.Logf("%s: %d statements for %d items, %d for %d", path, few, short, many, long)
	}
}

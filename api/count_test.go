package api_test

import (
	"fmt"
	"testing"
)

// A number tells nobody of posts that are not for him (T60, counts).
func TestCountsDoNotBetrayPosts(t *testing.T) {
	w := start(t)
	count := func(c *client) any {
		t.Helper()
		return c.get("/api/v1/accounts/" + w.alice.id).ok()["statuses_count"]
	}
	w.alice.write("to @bob", "direct")
	w.alice.write("for followers", "followers")
	if bob, anon := count(w.bob), count(w.nobs); fmt.Sprintf("%v %v", bob, anon) != "0 0" {
		t.Errorf("bob counts %v posts that he may not see, a visitor %v", bob, anon)
	}
	id := w.alice.write("for everybody", "public")
	w.alice.write("for the company", "company")
	if bob := count(w.bob); fmt.Sprint(bob) != "2" {
		t.Errorf("bob counts %v", bob)
	}
	account := w.nobs.get("/api/v1/accounts/" + w.alice.id).ok()
	if fmt.Sprint(account["statuses_count"]) != "0" || account["last_status_at"] != nil {
		t.Errorf("a visitor learns %v %v", account["statuses_count"], account["last_status_at"])
	}
	w.alice.do("PUT", "/api/v1/statuses/"+id, object{"status": "for followers now", "audience": "followers"}).is(200)
	if bob := count(w.bob); fmt.Sprint(bob) != "1" {
		t.Errorf("after an edit that narrows bob counts %v", bob)
	}
	w.alice.do("DELETE", "/api/v1/statuses/"+id, nil).is(200)
	if bob := count(w.bob); fmt.Sprint(bob) != "1" {
		t.Errorf("after its deletion bob counts %v", bob)
	}
}

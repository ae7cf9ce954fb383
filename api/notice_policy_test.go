package api_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	verdict = oneOf("accept", "filter", "drop")
	summary = shape{"pending_requests_count": count, "pending_notifications_count": count}
	policy  = shape{"for_not_following": verdict, "for_not_followers": verdict, "for_new_accounts": verdict, "for_private_mentions": verdict, "for_limited_accounts": verdict,
		"summary": summary.check}
	policyV1 = shape{"filter_not_following": flag, "filter_not_followers": flag, "filter_new_accounts": flag, "filter_private_mentions": flag, "summary": summary.check}
	request  = shape{"id": id, "created_at": date, "updated_at": date, "account": account.check, "notifications_count": str, "last_status": or(status)}
)

// toldOf are who did what alice is told, the newest first.
func (w *world) toldOf(query string) (all []string) {
	w.Helper()
	for _, n := range w.alice.get("/api/v1/notifications" + query).demand(listOf(notification)).([]any) {
		all = append(all, text(n, "account.username")+" "+text(n, "type"))
	}
	return all
}

// The strictest rule that applies decides, and at first there is none.
func TestThePolicyDecidesWhatIsTold(t *testing.T) {
	w, clock, all := atWork(t)
	friend, fan, stranger := all[0], all[1], all[2]
	w.alice.post("/api/v1/accounts/"+friend.id+"/follow", nil).ok()
	fan.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	first := w.alice.get("/api/v2/notifications/policy").demand(policy.check).(object)
	for name := range policy {
		if name != "summary" && first[name] != "accept" {
			t.Errorf("%s is %v at first", name, first[name])
		}
	}
	names := map[string]*client{"friend": friend, "fan": fan, "stranger": stranger}
	asked := w.alice.write("@colleague2 a question", "direct")
	for _, c := range []struct {
		name string
		set  object
		old  bool // all accounts are older than a month
		told []string
	}{
		{"nothing is set", object{}, false, []string{"friend", "fan", "stranger"}},
		{"whom I do not follow", object{"for_not_following": "filter"}, false, []string{"friend"}},
		{"who does not follow me", object{"for_not_followers": "drop"}, false, []string{"fan"}},
		{"new accounts", object{"for_new_accounts": "filter"}, false, nil},
		{"new accounts, a month later", object{"for_new_accounts": "filter"}, true, []string{"friend", "fan", "stranger"}},
		{"nobody is limited", object{"for_limited_accounts": "drop"}, false, []string{"friend", "fan", "stranger"}},
		{"what is written unasked is only for mentions to a few", object{"for_private_mentions": "drop"}, false, []string{"friend", "fan", "stranger"}},
	} {
		if c.old {
			clock.Advance(31 * 24 * time.Hour) // for all that follows
		}
		set := object{"for_not_following": "accept", "for_not_followers": "accept", "for_new_accounts": "accept", "for_private_mentions": "accept", "for_limited_accounts": "accept"}
		for k, v := range c.set {
			set[k] = v
		}
		w.alice.do("PATCH", "/api/v2/notifications/policy", set).demand(policy.check)
		w.alice.post("/api/v1/notifications/clear", nil).ok()
		post := w.alice.write(c.name, "company")
		for name, who := range names {
			who.post("/api/v1/statuses/"+post+"/favourite", nil).ok()
			told := slices.Contains(w.toldOf(""), text(who.get("/api/v1/accounts/verify_credentials").ok(), "username")+" favourite")
			if told != slices.Contains(c.told, name) {
				t.Errorf("%s: of %s alice is told: %v", c.name, name, told)
			}
		}
	}
	// What is written to a few, unasked; an answer to what alice asked is none.
	w.alice.do("PATCH", "/api/v2/notifications/policy", object{"for_private_mentions": "drop", "for_limited_accounts": "accept"}).ok()
	w.alice.post("/api/v1/notifications/clear", nil).ok()
	friend.write("@alice psst", "direct")
	fan.write("@alice psst", "direct")
	open := w.alice.write("for all", "company")
	fan.write("@alice psst", "direct", "in_reply_to_id", open)
	stranger.write("@alice an answer", "direct", "in_reply_to_id", asked)
	stranger.write("@alice aloud", "company")
	if got, want := w.toldOf(""), []string{"colleague2 mention", "colleague2 mention", "colleague0 mention"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	w.alice.do("PATCH", "/api/v2/notifications/policy", object{"for_not_following": "perhaps"}).refused(422)
	// As older apps have it.
	w.alice.do("PATCH", "/api/v2/notifications/policy", object{"for_not_followers": "drop", "for_private_mentions": "filter"}).ok()
	for _, method := range []string{"PUT", "PATCH"} {
		v := w.alice.do(method, "/api/v1/notifications/policy", object{"filter_not_following": true, "filter_not_followers": true, "filter_private_mentions": false}).demand(policyV1.check).(object)
		if v["filter_not_following"] != true || v["filter_not_followers"] != true || v["filter_private_mentions"] != false || v["filter_new_accounts"] != false {
			t.Errorf("%v", v)
		}
	}
	w.alice.get("/api/v1/notifications/policy").demand(policyV1.check)
	if v := w.alice.get("/api/v2/notifications/policy").ok(); v["for_not_following"] != "filter" || v["for_not_followers"] != "drop" || v["for_private_mentions"] != "accept" {
		t.Errorf("%v", v)
	}
}

// What is held back is in no list, count or stream, until its member answers.
func TestRequestsAreAnswered(t *testing.T) {
	w, _, all := atWork(t)
	w.alice.do("PATCH", "/api/v2/notifications/policy", object{"for_not_following": "filter"}).ok()
	post := w.alice.write("of mine", "company")
	streamed := w.alice.watch("/api/v1/streaming/user/notification")
	for _, c := range all[:3] {
		c.write("hello @alice", "company")
		c.post("/api/v1/statuses/"+post+"/favourite", nil).ok()
	}
	quiet := func(want int) {
		t.Helper()
		told, _ := w.alice.get("/api/v2/notifications").groups()
		n, groups := text(w.alice.get("/api/v1/notifications/unread_count").ok(), "count"), text(w.alice.get("/api/v2/notifications/unread_count").ok(), "count")
		if got := w.toldOf(""); len(got) != want || want == 0 && (len(told) != 0 || n != "0" || groups != "0") {
			t.Errorf("%v, %v, %s unread in %s groups", got, told, n, groups)
		}
	}
	quiet(0)
	if got := w.toldOf("?include_filtered=true"); len(got) != 6 {
		t.Errorf("%v", got)
	}
	if told, _ := w.alice.get("/api/v2/notifications?include_filtered=true&types[]=favourite").groups(); !slices.Equal(told, []string{"favourite 3"}) {
		t.Errorf("%v", told)
	}
	if s := w.alice.get("/api/v2/notifications/policy").ok(); text(s, "summary.pending_requests_count") != "3" || text(s, "summary.pending_notifications_count") != "6" {
		t.Errorf("%v", s)
	}
	const requests = "/api/v1/notifications/requests"
	who, pages := w.alice.walk(requests+"?limit=2", "next")
	up, _ := w.alice.walk(requests+"?limit=2&min_id=0", "prev")
	if want := []string{all[2].id, all[1].id, all[0].id}; !slices.Equal(who, want) || pages != 2 || !slices.Equal(up, want) {
		t.Errorf("%v on %d pages, %v upwards", who, pages, up)
	}
	w.alice.get(requests).demand(listOf(request.check))
	one := w.alice.get(requests + "/" + all[0].id).demand(request.check)
	if text(one, "notifications_count") != "2" || text(one, "last_status.id") != post {
		t.Errorf("%v", one)
	}
	w.bob.get(requests + "/" + all[0].id).refused(404)
	w.bob.post(requests+"/"+all[0].id+"/accept", nil).refused(404)
	w.bob.post(requests+"/accept", object{"id": []string{all[0].id}}).ok()
	quiet(0)
	w.alice.post("/api/v1/notifications/clear", nil).ok() // puts away what was told, no request

	w.alice.post(requests+"/"+all[0].id+"/accept", nil).ok()
	w.alice.post(requests+"/"+all[0].id+"/accept", nil).refused(404)
	w.alice.post(requests+"/"+all[1].id+"/dismiss", nil).ok()
	w.alice.post(requests+"/"+all[1].id+"/dismiss", nil).refused(404)
	w.alice.get(requests + "/" + all[1].id).refused(404)
	if v := w.alice.get(requests + "/merged").ok(); v["merged"] != true {
		t.Errorf("%v", v)
	}
	quiet(2)
	// Who was accepted is heard from now on, who was put away asks again.
	all[0].write("@alice again", "company")
	all[1].write("@alice again", "company")
	quiet(3)
	w.alice.post(requests+"/dismiss", object{"id": []string{all[1].id, w.bob.id}}).ok()
	w.alice.post(requests+"/accept", object{"id": []string{all[2].id, w.bob.id}}).ok()
	if left := w.alice.get(requests).list(); len(left) != 0 {
		t.Errorf("%v", left)
	}
	quiet(5)
	if e := <-streamed; e.name != "notification" || !strings.Contains(e.data, "again") || !strings.Contains(e.data, all[0].id) {
		t.Errorf("the first that is heard of: %v", e)
	}
	// Whom one blocks asks for nothing.
	all[1].write("@alice once more", "company")
	if left := w.alice.get(requests).list(); len(left) != 1 {
		t.Errorf("%v", left)
	}
	w.alice.post("/api/v1/accounts/"+all[1].id+"/block", nil).ok()
	if left := w.alice.get(requests).list(); len(left) != 0 {
		t.Errorf("blocked, and still there: %v", left)
	}
}

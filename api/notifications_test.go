package api_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/instance/instancetest"
)

// atWork is alice's world early on a day, with five colleagues, and its clock.
func atWork(t *testing.T) (*world, *instancetest.Clock, []*client) {
	t.Helper()
	clock := instancetest.NewClock()
	clock.Advance(clock.Now().Truncate(24 * time.Hour).Add(32 * time.Hour).Sub(clock.Now()))
	w := people(t, instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now}).Instances[0])
	var all []*client
	for i := range 5 {
		all = append(all, w.member(fmt.Sprint("colleague", i)))
	}
	return w, clock, all
}

var group = shape{"group_key": str, "notifications_count": count, "type": str, "most_recent_notification_id": count, "page_min_id": id, "page_max_id": id,
	"latest_page_notification_at": date, "sample_account_ids": listOf(id), "status_id": or(id)}

var grouped = shape{"accounts": listOf(account.check), "statuses": listOf(status), "notification_groups": listOf(group.check)}

// groups reads a page and says of each group its kind and how many are in it.
func (a *answer) groups() (told []string, page object) {
	a.t.Helper()
	page = a.demand(grouped.check).(object)
	for _, g := range page["notification_groups"].([]any) {
		told = append(told, fmt.Sprint(text(g, "type"), " ", text(g, "notifications_count")))
	}
	return told, page
}

// What many did with one post in a day is one group, and everything else stands alone.
func TestNotificationsAreGrouped(t *testing.T) {
	w, clock, all := atWork(t)
	post, other := w.alice.write("of mine", "company"), w.alice.write("another", "company")
	for i, c := range all {
		if i == 3 {
			clock.Advance(24 * time.Hour)
		}
		clock.Advance(time.Minute)
		c.post("/api/v1/statuses/"+post+"/favourite", nil).ok()
		c.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
		if i == 0 {
			c.post("/api/v1/statuses/"+other+"/favourite", nil).ok()
			c.write("hello @alice", "company")
		}
	}
	want := []string{"follow 2", "favourite 2", "follow 3", "favourite 3", "mention 1", "favourite 1"}
	told, page := w.alice.get("/api/v2/notifications").groups()
	if !slices.Equal(told, want) {
		t.Fatalf("%v", told)
	}
	if n := len(page["accounts"].([]any)); n != 5 || len(page["statuses"].([]any)) != 3 || page["partial_accounts"] != nil {
		t.Errorf("%d people, %v", n, page["statuses"])
	}
	first := at(page, "notification_groups.3")
	if !slices.Equal(first.(object)["sample_account_ids"].([]any), []any{all[2].id, all[1].id, all[0].id}) || text(first, "status_id") != post {
		t.Errorf("the newest first: %v", first)
	}
	// Version 1 names the same groups, of what has not been put together.
	keys := map[string]int{}
	for _, n := range w.alice.get("/api/v1/notifications?limit=80").list() {
		keys[text(n, "group_key")]++
	}
	for _, g := range page["notification_groups"].([]any) {
		if fmt.Sprint(keys[text(g, "group_key")]) != text(g, "notifications_count") {
			t.Errorf("%v in a group of %v", keys, g)
		}
	}

	// Each group stands on one page, where its newest notification does.
	for _, size := range []int{1, 2, 4} {
		var down, up []string
		for path := fmt.Sprintf("/api/v2/notifications?limit=%d", size); path != ""; {
			a := w.alice.get(path)
			part, page := a.groups()
			for _, g := range page["notification_groups"].([]any) {
				last := at(page, fmt.Sprintf("notification_groups.%d.page_max_id", len(part)-1)).(string)
				if text(g, "page_min_id") < last || text(g, "page_max_id") < text(g, "page_min_id") {
					t.Errorf("beyond the page that ends with %s: %v", last, g)
				}
			}
			down, path = append(down, part...), a.links()["next"]
		}
		for path := fmt.Sprintf("/api/v2/notifications?limit=%d&min_id=0", size); path != ""; {
			a := w.alice.get(path)
			part, _ := a.groups()
			up, path = append(part, up...), a.links()["prev"]
		}
		if !slices.Equal(down, want) || !slices.Equal(up, want) {
			t.Errorf("by %d: %v, %v", size, down, up)
		}
	}
	since := text(at(page, "notification_groups.2"), "page_max_id")
	for path, want := range map[string][]string{
		"?types[]=favourite": {"favourite 2", "favourite 3", "favourite 1"},
		"?exclude_types[]=favourite&exclude_types[]=mention":    {"follow 2", "follow 3"},
		"?account_id=" + all[0].id:                              {"mention 1", "favourite 1", "follow 1", "favourite 1"},
		"?grouped_types[]=follow&types[]=favourite&limit=3":     {"favourite 1", "favourite 1", "favourite 1"},
		"?grouped_types[]=follow&exclude_types[]=favourite":     {"follow 2", "follow 3", "mention 1"},
		"?since_id=" + since:                                    {"follow 2", "favourite 2"},
		"?max_id=" + since + "&grouped_types[]=nothing&limit=3": {"favourite 1", "follow 1", "favourite 1"},
	} {
		if told, _ := w.alice.get("/api/v2/notifications" + path).groups(); !slices.Equal(told, want) {
			t.Errorf("%s: %v", path, told)
		}
	}
	_, page = w.alice.get("/api/v2/notifications?expand_accounts=partial_avatars").groups()
	short := shape{"id": id, "acct": str, "url": address, "avatar": address, "avatar_static": address, "locked": flag, "bot": flag}
	if wrong := listOf(short.check)(page["partial_accounts"]); wrong != "" || len(page["accounts"].([]any)) != 3 || len(page["partial_accounts"].([]any)) != 2 {
		t.Errorf("%s: %v", wrong, page["partial_accounts"])
	}
}

// A group is read, counted and put away by its key; nobody else's can be.
func TestAGroupHasAKey(t *testing.T) {
	w, clock, all := atWork(t)
	post := w.alice.write("of mine", "company")
	all[0].write("hello @alice", "company")
	for _, c := range all {
		clock.Advance(time.Minute)
		c.post("/api/v1/statuses/"+post+"/favourite", nil).ok()
	}
	unread := func(path string) string { return text(w.alice.get(path).ok(), "count") }
	if one, two, few := unread("/api/v1/notifications/unread_count"), unread("/api/v2/notifications/unread_count"), unread("/api/v1/notifications/unread_count?limit=4"); one != "6" || two != "2" || few != "4" {
		t.Errorf("%s, %s in groups, %s at most", one, two, few)
	}
	if n := unread("/api/v2/notifications/unread_count?types[]=favourite&grouped_types[]=follow"); n != "5" {
		t.Errorf("%s likes one by one", n)
	}
	_, page := w.alice.get("/api/v2/notifications").groups()
	likes, said := text(page, "notification_groups.0.group_key"), text(page, "notification_groups.1.group_key")
	for key, want := range map[string]string{likes: "favourite 5", said: "mention 1"} {
		told, _ := w.alice.get("/api/v2/notifications/" + key).groups()
		if !slices.Equal(told, []string{want}) {
			t.Errorf("%s: %v", key, told)
		}
		w.bob.get("/api/v2/notifications/" + key).refused(404)
		w.bob.get("/api/v2/notifications/" + key + "/accounts").refused(404)
		w.bob.post("/api/v2/notifications/"+key+"/dismiss", nil).ok()
	}
	who, pages := w.alice.walk("/api/v2/notifications/"+likes+"/accounts?limit=2", "next")
	if len(who) != 5 || pages != 3 || who[0] != all[4].id || who[4] != all[0].id {
		t.Errorf("%v on %d pages", who, pages)
	}
	// Who left did nothing any more.
	if err := w.in.Social.Suspend(t.Context(), all[4].who.Account.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	if told, page := w.alice.get("/api/v2/notifications").groups(); !slices.Equal(told, []string{"favourite 4", "mention 1"}) || text(page, "accounts.0.id") != all[3].id {
		t.Errorf("%v by %v", told, page["accounts"])
	}
	for _, key := range []string{"nonsense", "favourite", "favourite-" + post, likes + "0", "mention-" + post + "-1", "ungrouped-01", "ungrouped--1", "favourite-1-9223372036854775807", "follow-0--1"} {
		w.alice.get("/api/v2/notifications/" + key).refused(404)
		w.alice.post("/api/v2/notifications/"+key+"/dismiss", nil).refused(404)
	}
	w.alice.post("/api/v2/notifications/"+likes+"/dismiss", nil).ok()
	w.alice.get("/api/v2/notifications/" + likes).refused(404)
	if told, _ := w.alice.get("/api/v2/notifications").groups(); !slices.Equal(told, []string{"mention 1"}) {
		t.Errorf("left: %v", told)
	}
}

// What speaks of a post that the reader may not see any more is in no group.
func TestGroupsTellNothingHidden(t *testing.T) {
	w, _, all := atWork(t)
	all[0].write("@alice for you", "company")
	all[1].write("@alice and for you", "company")
	w.alice.post("/api/v1/accounts/"+all[0].id+"/block", nil).ok()
	told, page := w.alice.get("/api/v2/notifications").groups()
	if !slices.Equal(told, []string{"mention 1"}) || len(page["statuses"].([]any)) != 1 || len(page["accounts"].([]any)) != 1 {
		t.Errorf("%v: %v", told, page)
	}
}

// Of a muted conversation nothing more is told, wherever in it something happens.
func TestMutedConversationsAreQuiet(t *testing.T) {
	w := start(t)
	post := w.alice.write("of mine", "company")
	answer := w.bob.write("@alice indeed", "company", "in_reply_to_id", post)
	other := w.alice.write("another", "company")
	for _, s := range []string{answer, post} { // twice is once
		if v := w.alice.post("/api/v1/statuses/"+s+"/mute", nil).demand(status).(object); v["muted"] != true || text(v, "id") != s {
			t.Errorf("%v", v)
		}
	}
	happen := func() {
		t.Helper()
		w.bob.write("@alice more", "company", "in_reply_to_id", answer)
		for _, act := range []string{"favourite", "reblog"} {
			w.bob.post("/api/v1/statuses/"+post+"/"+act, nil).ok()
			w.bob.post("/api/v1/statuses/"+other+"/"+act, nil).ok()
		}
	}
	happen()
	told := func() (all []string) {
		for _, n := range w.alice.get("/api/v1/notifications").list() {
			all = append(all, text(n, "type")+" "+text(n, "status.id"))
		}
		return all
	}
	if got, want := told(), []string{"reblog " + other, "favourite " + other, "mention " + answer}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	muted := map[string]bool{}
	for _, s := range w.alice.get("/api/v1/accounts/" + w.alice.id + "/statuses").list() {
		muted[text(s, "id")] = s["muted"] == true
	}
	if !muted[post] || muted[other] {
		t.Errorf("%v", muted)
	}
	for _, s := range w.bob.get("/api/v1/statuses/" + post + "/context").ok()["descendants"].([]any) {
		if s.(object)["muted"] != false {
			t.Errorf("muted for everybody: %v", s)
		}
	}
	if v := w.alice.post("/api/v1/statuses/"+answer+"/unmute", nil).ok(); v["muted"] != false {
		t.Errorf("%v", v)
	}
	w.bob.write("@alice are you there?", "company", "in_reply_to_id", post)
	if got := told(); len(got) != 4 {
		t.Errorf("%v", got)
	}
}

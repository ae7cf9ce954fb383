package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"parley/instance/instancetest"
)

func TestProfileIsChanged(t *testing.T) {
	w := start(t)
	v := w.alice.do("PATCH", "/api/v1/accounts/update_credentials", files{name: "avatar", file: "me.png", data: picture(t, 50, 50), fields: form{
		"display_name": {"Alice <b>"}, "note": {"I *build* things"}, "locked": {"true"}, "bot": {"false"}, "discoverable": {"false"},
		"fields_attributes[0][name]": {"Site"}, "fields_attributes[0][value]": {"https://a.test"}, "fields_attributes[1][name]": {""}, "fields_attributes[1][value]": {""},
		"fields_attributes[2][name]": {"Unit"}, "fields_attributes[2][value]": {"Sales"}, "source[privacy]": {"private"}, "source[language]": {"en"}}}).demand(own.check)
	if text(v, "display_name") != "Alice <b>" || !strings.Contains(text(v, "note"), "<em>build</em>") || at(v, "locked") != true || at(v, "discoverable") != false ||
		text(v, "source.note") != "I *build* things" || text(v, "source.privacy") != "private" || text(v, "source.language") != "en" ||
		text(v, "fields.0.name") != "Site" || !strings.Contains(text(v, "fields.0.value"), `href="https://a.test"`) || text(v, "source.fields.0.value") != "https://a.test" || text(v, "fields.1.value") != "<p>Sales</p>" {
		t.Errorf("%v", v)
	}
	avatar := text(v, "avatar")
	if w.nobs.get(avatar).is(200).header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("avatar %s", avatar)
	}
	// What is not sent stays; JSON means the same.
	v = w.alice.do("PATCH", "/api/v1/accounts/update_credentials", object{"note": "new"}).demand(own.check)
	if text(v, "display_name") != "Alice <b>" || text(v, "avatar") != avatar || text(v, "fields.0.name") != "Site" || text(v, "source.note") != "new" {
		t.Errorf("%v", v)
	}
	v = w.alice.do("PATCH", "/api/v1/accounts/update_credentials", object{"fields_attributes": []object{{"name": "A", "value": "1"}, {"name": "B", "value": "2"}}}).demand(own.check)
	if text(v, "fields.0.name")+text(v, "fields.1.name")+text(v, "source.fields.1.value") != "AB2" {
		t.Errorf("%v", at(v, "fields"))
	}
	if got := w.bob.get("/api/v1/accounts/" + w.alice.id).ok(); got["source"] != nil || text(got, "fields.0.name") != "A" {
		t.Errorf("%v", got)
	}
	// The default that a plain app sets reaches no further than that app.
	w.alice.app(all, false).do("PATCH", "/api/v1/accounts/update_credentials", form{"source[privacy]": {"public"}}).ok()
	if v := w.alice.post("/api/v1/statuses", form{"status": {"by default"}}).ok(); text(v, "parley.audience") != "company" {
		t.Errorf("%v", v["parley"])
	}
	for name, bad := range map[string]any{
		"many fields": form{"fields_attributes[0][name]": {"1"}, "fields_attributes[1][name]": {"2"}, "fields_attributes[2][name]": {"3"}, "fields_attributes[3][name]": {"4"}, "fields_attributes[4][name]": {"5"}, "fields_attributes[5][name]": {"6"}, "fields_attributes[6][name]": {"7"}},
		"long note":   form{"note": {strings.Repeat("x", 2000)}}, "privacy": form{"source[privacy]": {"all"}},
		"avatar": files{name: "avatar", file: "a.txt", data: []byte("no picture")},
	} {
		if a := w.alice.do("PATCH", "/api/v1/accounts/update_credentials", bad); a.refused(422) == "" {
			t.Error(name)
		}
	}
}

// A member hides whom they follow and who follows them: others see numbers only.
func TestHideCollections(t *testing.T) {
	w := start(t)
	carol := w.member("carol")
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	path := "/api/v1/accounts/" + w.alice.id + "/followers"
	seen := func(by *client, want int) {
		t.Helper()
		if got := by.get(path).list(); len(got) != want {
			t.Errorf("%d followers are named, want %d", len(got), want)
		}
	}
	seen(carol, 1)
	if v := w.alice.do("PATCH", "/api/v1/accounts/update_credentials", form{"hide_collections": {"true"}}).ok(); text(v, "source.hide_collections") != "true" || text(v, "followers_count") != "1" {
		t.Errorf("%v", v)
	}
	seen(carol, 0)
	seen(w.alice, 1)
	w.alice.do("PATCH", "/api/v1/accounts/update_credentials", form{"note": {"x"}}).ok() // what is not sent stays
	seen(carol, 0)
	w.alice.do("PATCH", "/api/v1/accounts/update_credentials", object{"hide_collections": false}).ok()
	seen(carol, 1)
}

func TestFollowRequests(t *testing.T) {
	w := start(t)
	w.alice.do("PATCH", "/api/v1/accounts/update_credentials", form{"locked": {"true"}}).ok()
	carol := w.member("carol")
	for _, c := range []*client{w.bob, carol} {
		if r := c.post("/api/v1/accounts/"+w.alice.id+"/follow", form{"reblogs": {"false"}, "notify": {"true"}}).ok(); r["requested"] != true || r["following"] != false || r["showing_reblogs"] != false || r["notifying"] != true {
			t.Errorf("%v", r)
		}
	}
	if got := ids(w.alice.get("/api/v1/follow_requests").list()); !slices.Equal(got, []string{carol.id, w.bob.id}) {
		t.Errorf("%v", got)
	}
	if v := w.alice.get("/api/v1/accounts/verify_credentials").ok(); text(v, "source.follow_requests_count") != "2" {
		t.Errorf("%v", v["source"])
	}
	if r := w.alice.post("/api/v1/follow_requests/"+w.bob.id+"/authorize", nil).ok(); r["followed_by"] != true || r["requested_by"] != false {
		t.Errorf("%v", r)
	}
	w.alice.post("/api/v1/follow_requests/"+carol.id+"/reject", nil).ok()
	w.alice.post("/api/v1/follow_requests/"+carol.id+"/authorize", nil).refused(404)
	if got := w.alice.get("/api/v1/follow_requests").list(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	list := w.bob.get("/api/v1/accounts/relationships?id[]=" + w.alice.id + "&id[]=" + carol.id + "&id[]=" + w.alice.id).list()
	if len(list) != 2 || list[0]["following"] != true || list[1]["following"] != false {
		t.Errorf("%v", list)
	}
	if r := w.bob.post("/api/v1/accounts/"+w.alice.id+"/unfollow", nil).ok(); r["following"] != false {
		t.Errorf("%v", r)
	}
	w.bob.post("/api/v1/accounts/"+w.bob.id+"/follow", nil).refused(422)
	w.alice.post("/api/v1/accounts/"+w.bob.id+"/block", nil).ok()
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).refused(403)
}

// A profile's list is narrowed as asked, and pinned posts are found.
func TestPostsOfAnAccount(t *testing.T) {
	w := start(t)
	plain := w.alice.write("plain #work", "company")
	reply := w.alice.write("reply", "company", "in_reply_to_id", plain)
	file := text(w.alice.post("/api/v2/media", files{name: "file", file: "g.png", data: picture(t, 8, 8)}).ok(), "id")
	media := text(w.alice.post("/api/v1/statuses", form{"audience": {"company"}, "media_ids[]": {file}}).ok(), "id")
	boost := text(w.alice.post("/api/v1/statuses/"+w.bob.write("of bob", "company")+"/reblog", nil).ok(), "id")
	w.alice.post("/api/v1/statuses/"+reply+"/pin", nil).ok()
	for query, want := range map[string][]string{
		"": {boost, media, reply, plain}, "exclude_replies=true": {boost, media, plain}, "exclude_reblogs=true": {media, reply, plain}, "only_media=true": {media},
		"pinned=true": {reply}, "tagged=Work": {plain}, "exclude_replies=true&exclude_reblogs=1": {media, plain}, "limit=1&max_id=" + reply: {plain},
	} {
		if got := ids(w.bob.get("/api/v1/accounts/" + w.alice.id + "/statuses?" + query).list()); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	w.bob.post("/api/v1/statuses/"+reply+"/pin", nil).refused(422)
	w.alice.post("/api/v1/statuses/"+reply+"/unpin", nil).ok()
	if got := w.bob.get("/api/v1/accounts/" + w.alice.id + "/statuses?pinned=true").list(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestNotificationsAreDismissed(t *testing.T) {
	w := start(t)
	w.bob.write("@alice one", "company")
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	list := w.alice.get("/api/v1/notifications").list()
	if len(list) != 2 || list[0]["type"] != "follow" || list[1]["type"] != "mention" {
		t.Fatalf("%v", list)
	}
	w.alice.post("/api/v1/notifications/"+text(list[0], "id")+"/dismiss", nil).ok()
	w.alice.get("/api/v1/notifications/" + text(list[0], "id")).refused(404)
	if n := text(w.alice.get("/api/v1/notifications/unread_count").ok(), "count"); n != "1" {
		t.Errorf("%s unread", n)
	}
	w.alice.post("/api/v1/notifications/clear", nil).ok()
	if got := w.alice.get("/api/v1/notifications").list(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestSearch(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	w, there := people(t, net.Instances[0]), people(t, net.Instances[1])
	post := w.alice.write("#Werkstatt today", "company")
	far := there.bob.post("/api/v1/statuses", form{"status": {"from afar"}, "audience": {"public"}}).ok()
	search := func(c *client, q, more string) object {
		t.Helper()
		return c.get("/api/v2/search?q=" + url.QueryEscape(q) + more).ok()
	}
	handle := "@bob@" + there.in.Config.Domain
	if v := search(w.alice, handle, ""); len(at(v, "accounts").([]any)) != 0 {
		t.Errorf("found without asking: %v", v)
	}
	if v := search(w.nobs, handle, "&resolve=true"); len(at(v, "accounts").([]any)) != 0 {
		t.Errorf("somebody signed out made us ask: %v", v)
	}
	if v := search(w.alice, handle, "&resolve=true"); text(v, "accounts.0.acct") != handle[1:] {
		t.Errorf("%v", v)
	}
	if v := search(w.alice, handle, "&resolve=true&offset=1"); len(at(v, "accounts").([]any)) != 0 {
		t.Errorf("the second page repeats the first: %v", v)
	}
	if v := search(w.alice, text(far, "uri"), "&resolve=true"); text(v, "statuses.0.content") != "<p>from afar</p>" {
		t.Errorf("%v", v)
	}
	// The addresses of our own pages, as people copy them.
	if v := search(w.bob, w.in.Config.PublicURL+"/@alice/"+post, ""); text(v, "statuses.0.id") != post {
		t.Errorf("%v", v)
	}
	if v := search(w.bob, w.in.Config.PublicURL+"/@alice", ""); text(v, "accounts.0.id") != w.alice.id {
		t.Errorf("%v", v)
	}
	if v := search(w.nobs, w.in.Config.PublicURL+"/@alice/"+post, ""); len(at(v, "statuses").([]any)) != 0 {
		t.Errorf("hidden post found: %v", v)
	}
	if v := search(w.bob, "#werkstatt", ""); text(v, "hashtags.0.name") != "werkstatt" {
		t.Errorf("%v", v)
	}
	all := search(w.alice, "b", "&type=accounts&limit=1")
	rest := search(w.alice, "b", "&type=accounts&limit=1&offset=1")
	if text(all, "accounts.0.id") != w.bob.id || text(rest, "accounts.0.acct") != handle[1:] {
		t.Errorf("%v %v", all, rest)
	}
	for _, q := range []string{"@nobody@" + there.in.Config.Domain, there.in.Config.PublicURL + "/nothing", "http://127.0.0.1:1/x", "@x@127.0.0.1:1"} {
		if v := search(w.alice, q, "&resolve=true"); len(at(v, "accounts").([]any))+len(at(v, "statuses").([]any)) != 0 {
			t.Errorf("%s: %v", q, v)
		}
	}
	if got := w.alice.get("/api/v1/accounts/search?q=bob&resolve=true").list(); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// The author sees where a post has arrived.
func TestDeliveries(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	w, there := people(t, net.Instances[0]), people(t, net.Instances[1])
	net.Settle()
	far := text(w.alice.get("/api/v2/search?resolve=true&q=@bob@"+there.in.Config.Domain).ok(), "accounts.0.id")
	w.alice.post("/api/v1/accounts/"+far+"/follow", nil).ok()
	net.Settle()
	post := w.alice.write("to the sisters", "company")
	path := "/api/parley/v1/statuses/" + post + "/deliveries"
	if list := w.alice.get(path).list(); len(list) != 1 || list[0]["state"] != "waiting" || list[0]["peer"] != there.in.Config.Domain {
		t.Errorf("%v", list)
	}
	net.Settle()
	if list := w.alice.get(path).list(); len(list) != 1 || list[0]["state"] != "delivered" || list[0]["at"] == nil {
		t.Errorf("%v", list)
	}
	if list := w.bob.get("/api/parley/v1/audiences?in_reply_to_id=" + post).list(); len(list) == 0 {
		t.Error("no audience for a reply")
	} else {
		for _, c := range list {
			if c["audience"] == "public" {
				t.Error("a company thread offers Public")
			}
		}
	}
}

// A number betrays nobody: what the reader of a post may not see is not counted there.
func TestHiddenRepliesAreNotCounted(t *testing.T) {
	w := start(t)
	for said, counted := range map[string]map[string]bool{
		"public":  {"public": true, "unlisted": true, "company": false, "followers": false, "direct": false},
		"company": {"company": true, "instance": false, "direct": false},
	} {
		for audience, want := range counted {
			parent := w.alice.write("hello", said)
			reply := w.bob.write("@alice hello", audience, "in_reply_to_id", parent)
			count := func() string { return text(w.alice.get("/api/v1/statuses/"+parent).ok(), "replies_count") }
			if got := count(); (got == "1") != want {
				t.Errorf("%s reply to a %s post: %s replies", audience, said, got)
			}
			if said == "public" && audience == "public" {
				w.bob.do("PUT", "/api/v1/statuses/"+reply, form{"status": {"@alice hello"}, "audience": {"company"}}).ok()
				if got := count(); got != "0" {
					t.Errorf("narrowed, it still counts: %s", got)
				}
			}
			w.bob.do("DELETE", "/api/v1/statuses/"+reply, nil).ok()
			if got := count(); got != "0" {
				t.Errorf("%s reply to a %s post, deleted: %s replies", audience, said, got)
			}
		}
	}
}

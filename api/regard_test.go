package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"parley/instance/instancetest"
)

// What a member notes about somebody is theirs alone, and whom they recommend is shown to
// members while they follow them.
func TestNotesAndEndorsements(t *testing.T) {
	w := start(t)
	carol := w.member("carol")
	rel := func(c *client, of string) object {
		t.Helper()
		return c.get("/api/v1/accounts/relationships?id[]=" + of).list()[0]
	}
	bob, noted := "/api/v1/accounts/"+w.bob.id, "met in Bonn <b>"
	if v := w.alice.post(bob+"/note", object{"comment": noted}).ok(); text(v, "note") != noted || text(rel(w.alice, w.bob.id), "note") != noted {
		t.Errorf("%v", v)
	}
	both := w.alice.get("/api/v1/accounts/relationships?id[]=" + carol.id + "&id[]=" + w.bob.id).list()
	if text(both[0], "note") != "" || text(both[1], "note") != noted || text(rel(carol, w.bob.id), "note") != "" || text(rel(w.bob, w.alice.id), "note") != "" {
		t.Errorf("%v", both)
	}
	w.alice.post(bob+"/note", object{"comment": strings.Repeat("ä", 2001)}).refused(422)
	w.alice.post("/api/v1/accounts/"+w.alice.id+"/note", object{"comment": "me"}).refused(422)
	if v := w.alice.post(bob+"/note", form{"comment": {""}}).ok(); text(v, "note") != "" {
		t.Errorf("%v", v)
	}

	w.alice.post(bob+"/endorse", nil).refused(422) // not followed
	for _, c := range []*client{w.bob, carol} {
		w.alice.post("/api/v1/accounts/"+c.id+"/follow", nil).ok()
	}
	if v := w.alice.post(bob+"/pin", nil).ok(); v["endorsed"] != true || rel(w.alice, w.bob.id)["endorsed"] != true {
		t.Errorf("%v", v)
	}
	w.alice.post("/api/v1/accounts/"+carol.id+"/endorse", nil).ok()
	shown := func(c *client, path string, want ...string) {
		t.Helper()
		if got := ids(c.get(path).list()); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	of := "/api/v1/accounts/" + w.alice.id + "/endorsements"
	shown(w.alice, "/api/v1/endorsements", carol.id, w.bob.id)
	shown(w.bob, of, carol.id, w.bob.id)
	shown(w.bob, of+"?limit=1", carol.id)
	shown(w.bob, "/api/v1/endorsements")
	shown(w.nobs, of)
	w.alice.post("/api/v1/accounts/"+carol.id+"/unendorse", nil).ok()
	shown(w.bob, of, w.bob.id)
	w.alice.post(bob+"/unfollow", nil).ok()
	shown(w.bob, of)
	if rel(w.alice, w.bob.id)["endorsed"] != false {
		t.Error("somebody who is not followed is recommended")
	}
}

// Whoever is removed from the followers follows no more, here and elsewhere.
func TestFollowersAreRemoved(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	w, there := people(t, net.Instances[0]), people(t, net.Instances[1])
	here := text(there.bob.get("/api/v2/search?resolve=true&q=@alice@"+w.in.Config.Domain).ok(), "accounts.0.id")
	there.bob.post("/api/v1/accounts/"+here+"/follow", nil).ok()
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	net.Settle()
	followers := w.alice.get("/api/v1/accounts/" + w.alice.id + "/followers").list()
	if len(followers) != 2 || there.bob.get("/api/v1/accounts/relationships?id[]=" + here).list()[0]["following"] != true {
		t.Fatalf("%v", followers)
	}
	for _, f := range followers {
		if v := w.alice.post("/api/v1/accounts/"+text(f, "id")+"/remove_from_followers", nil).ok(); v["followed_by"] != false {
			t.Errorf("%v", v)
		}
	}
	net.Settle()
	if v := there.bob.get("/api/v1/accounts/relationships?id[]=" + here).list()[0]; v["following"] != false || v["requested"] != false {
		t.Errorf("%v", v)
	}
	if left := w.alice.get("/api/v1/accounts/" + w.alice.id + "/followers").list(); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

// A profile shows hashtags with how many of the posts each reader may see.
func TestFeaturedTags(t *testing.T) {
	w := start(t)
	tag := func(name string) object { return w.alice.post("/api/v1/featured_tags", object{"name": name}).ok() }
	w.alice.write("one #Werkstatt", "public")
	w.alice.write("two #werkstatt #Bonn", "company")
	w.alice.write("@bob three #werkstatt", "direct")
	w.bob.write("not hers #werkstatt", "public")
	if got := w.alice.get("/api/v1/featured_tags/suggestions").list(); len(got) != 2 || text(got[0], "name") != "werkstatt" {
		t.Errorf("%v", got)
	}
	made := tag("#Werkstatt")
	if text(made, "name") != "werkstatt" || text(made, "statuses_count") != "3" || text(made, "url") != w.in.Config.PublicURL+"/tags/werkstatt" || len(text(made, "last_status_at")) != 10 {
		t.Errorf("%v", made)
	}
	if again := tag("werkstatt"); text(again, "id") != text(made, "id") {
		t.Errorf("twice: %v", again)
	}
	unused := tag("unused")
	if at(unused, "last_status_at") != nil || text(unused, "statuses_count") != "0" {
		t.Errorf("%v", unused)
	}
	of := "/api/v1/accounts/" + w.alice.id + "/featured_tags"
	for who, want := range map[*client]string{w.alice: "3", w.bob: "3", w.member("carol"): "2", w.nobs: "1"} {
		if got := who.get(of).list(); len(got) != 2 || text(got[0], "statuses_count") != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	if got := w.alice.get("/api/v1/featured_tags/suggestions").list(); len(got) != 1 || text(got[0], "name") != "bonn" {
		t.Errorf("%v", got)
	}
	w.alice.post("/api/v1/featured_tags", object{"name": "#"}).refused(422)
	w.bob.do("DELETE", "/api/v1/featured_tags/"+text(made, "id"), nil).is(404)
	w.alice.do("DELETE", "/api/v1/featured_tags/"+text(made, "id"), nil).ok()
	if got := w.alice.get("/api/v1/featured_tags").list(); len(got) != 1 {
		t.Errorf("%v", got)
	}
	for i := range 9 {
		tag(fmt.Sprint("tag", i))
	}
	w.alice.post("/api/v1/featured_tags", object{"name": "more"}).refused(422)
}

// A member who wants to see nothing of a server sees nothing of it, in lists, search,
// notifications and streams; nobody else misses anything.
func TestDomainBlocks(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	w, there := people(t, net.Instances[0]), people(t, net.Instances[1])
	domain := there.in.Config.Domain
	far := text(w.alice.get("/api/v2/search?resolve=true&q=@bob@"+domain).ok(), "accounts.0.id")
	here := text(there.bob.get("/api/v2/search?resolve=true&q=@alice@"+w.in.Config.Domain).ok(), "accounts.0.id")
	w.alice.post("/api/v1/accounts/"+far+"/follow", nil).ok()
	there.bob.post("/api/v1/accounts/"+here+"/follow", nil).ok()
	net.Settle()
	there.bob.write("before @alice@"+w.in.Config.Domain, "company")
	net.Settle()
	find := func(c *client, q string) object { return c.get("/api/v2/search?q=" + url.QueryEscape(q)).ok() }
	sees := func(c *client) string {
		t.Helper()
		people := 0
		for _, a := range at(find(c, "bob"), "accounts").([]any) {
			if text(a, "acct") == "bob@"+domain {
				people++
			}
		}
		return fmt.Sprint(len(c.get("/api/v1/timelines/home").list()), len(c.get("/api/parley/v1/timelines/company").list()), len(c.get("/api/v1/notifications").list()),
			len(at(find(c, "before"), "statuses").([]any)), people)
	}
	if got := sees(w.alice); got != "1 1 2 1 1" {
		t.Fatalf("%s", got)
	}
	for _, bad := range []string{"", "no host", w.in.Config.Domain} {
		w.alice.post("/api/v1/domain_blocks", form{"domain": {bad}}).refused(422)
	}
	home, theirs := w.alice.watch("/api/v1/streaming/user"), w.bob.watch("/api/parley/v1/streaming/company")
	w.alice.post("/api/v1/domain_blocks", form{"domain": {strings.ToUpper(domain)}}).ok()
	if got := sees(w.alice); got != "0 0 0 0 0" {
		t.Errorf("%s", got)
	}
	if got := sees(w.bob); got != "0 1 0 1 1" {
		t.Errorf("somebody else: %s", got)
	}
	var list []string
	w.alice.get("/api/v1/domain_blocks").into(&list)
	rel := w.alice.get("/api/v1/accounts/relationships?id[]=" + far).list()[0]
	if !slices.Equal(list, []string{domain}) || rel["domain_blocking"] != true || rel["following"] != true || rel["followed_by"] != false {
		t.Errorf("%v %v", list, rel)
	}
	net.Settle()
	if v := there.bob.get("/api/v1/accounts/relationships?id[]=" + here).list()[0]; v["following"] != false {
		t.Errorf("still follows: %v", v)
	}
	there.bob.post("/api/v1/accounts/"+here+"/follow", nil).ok()
	there.bob.write("during @alice@"+w.in.Config.Domain, "company")
	net.Settle()
	if v := there.bob.get("/api/v1/accounts/relationships?id[]=" + here).list()[0]; v["following"] != false || v["requested"] != false {
		t.Errorf("follows again: %v", v)
	}
	w.alice.write("end", "company")
	if got := until(t, home, "end"); len(got) != 0 {
		t.Errorf("streamed: %v", got)
	}
	if got := until(t, theirs, "end"); len(got) != 1 {
		t.Errorf("somebody else: %v", got)
	}
	w.alice.do("DELETE", "/api/v1/domain_blocks?domain="+domain, nil).ok()
	if got := sees(w.alice); got != "3 3 2 1 1" {
		t.Errorf("afterwards: %s", got)
	}
	if left := w.alice.get("/api/v1/domain_blocks").list(); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

// Whoever waits to be heard, from a server that a member does not want to see, waits
// out of sight, and is there again when it may be seen again.
func TestDomainBlocksHideWhoAsks(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	w, there := people(t, net.Instances[0]), people(t, net.Instances[1])
	w.alice.do("PATCH", "/api/v2/notifications/policy", object{"for_not_following": "filter"}).ok()
	there.bob.get("/api/v2/search?resolve=true&q=@alice@" + w.in.Config.Domain).ok()
	there.bob.write("a question @alice@"+w.in.Config.Domain, "company")
	net.Settle()
	asking := func() int { return len(w.alice.get("/api/v1/notifications/requests").list()) }
	before := asking()
	w.alice.post("/api/v1/domain_blocks", form{"domain": {there.in.Config.Domain}}).ok()
	during := asking()
	w.alice.do("DELETE", "/api/v1/domain_blocks?domain="+there.in.Config.Domain, nil).ok()
	if after := asking(); before != 1 || during != 0 || after != 1 {
		t.Errorf("%d ask before, %d during, %d after", before, during, after)
	}
}

// What quotes a post is listed as far as its reader may see it.
func TestQuotes(t *testing.T) {
	w := start(t)
	said := w.alice.write("said", "public")
	open := w.bob.write("look", "public", "quoted_status_id", said)
	inside := w.bob.write("look here", "company", "quoted_status_id", said)
	w.bob.write("@carol look", "direct", "quoted_status_id", said)
	path := "/api/v1/statuses/" + said + "/quotes"
	for c, want := range map[*client][]string{w.nobs: {open}, w.alice: {inside, open}} {
		got := c.get(path).list()
		if !slices.Equal(ids(got), want) || text(got[0], "quote.quoted_status.id") != said {
			t.Errorf("%v, want %v", ids(got), want)
		}
	}
	if got := ids(w.alice.get(path + "?limit=1&max_id=" + inside).list()); !slices.Equal(got, []string{open}) {
		t.Errorf("%v", got)
	}
	w.bob.do("DELETE", "/api/v1/statuses/"+open, nil).ok()
	if got := w.nobs.get(path).list(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestPicturesAreTakenAway(t *testing.T) {
	w := start(t)
	none := w.alice.get("/api/v1/accounts/verify_credentials").ok()
	for _, name := range []string{"avatar", "header"} {
		if v := w.alice.do("PATCH", "/api/v1/accounts/update_credentials", files{name: name, file: "me.png", data: picture(t, 50, 50)}).ok(); text(v, name) == text(none, name) {
			t.Errorf("%v", v)
		}
		if v := w.alice.do("DELETE", "/api/v1/profile/"+name, nil).demand(own.check); text(v, name) != text(none, name) {
			t.Errorf("%v", v)
		}
	}
}

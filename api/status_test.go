package api_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/auth"
	"parley/social"
)

// The three forms of a body mean the same.
func TestFormsOfABody(t *testing.T) {
	w := start(t)
	parent := w.alice.write("parent", "company")
	fields := form{"status": {"hello"}, "spoiler_text": {"careful"}, "sensitive": {"true"}, "language": {"en"}, "audience": {"company"}, "in_reply_to_id": {parent}}
	bodies := map[string]any{"form": fields, "multipart": files{fields: fields},
		"json": object{"status": "hello", "spoiler_text": "careful", "sensitive": true, "language": "en", "audience": "company", "in_reply_to_id": parent}}
	for kind, body := range bodies {
		v := w.alice.post("/api/v1/statuses", body).ok()
		if text(v, "content") != "<p>hello</p>" || v["spoiler_text"] != "careful" || v["sensitive"] != true || v["language"] != "en" ||
			v["in_reply_to_id"] != parent || v["in_reply_to_account_id"] != w.alice.id || text(v, "parley.audience") != "company" || v["visibility"] != "private" {
			t.Errorf("%s: %v", kind, v)
		}
		path := "/api/v1/statuses/" + text(v, "id")
		edited := map[string]any{"form": form{"status": {"better"}}, "multipart": files{fields: form{"status": {"better"}}}, "json": object{"status": "better"}}[kind]
		e := w.alice.do("PUT", path, edited).ok()
		if text(e, "content") != "<p>better</p>" || e["edited_at"] == nil {
			t.Errorf("%s edited: %v", kind, e)
		}
	}
	// An id may come as a JSON number; it has more digits than a float keeps.
	v := w.alice.post("/api/v1/statuses", `{"status":"number","in_reply_to_id":`+parent+`}`).ok()
	if v["in_reply_to_id"] != parent {
		t.Errorf("reply to %v, want %s", v["in_reply_to_id"], parent)
	}
}

func TestAStatusLives(t *testing.T) {
	w := start(t)
	id := w.alice.write("first words", "company")
	path := "/api/v1/statuses/" + id
	if v := w.bob.get(path).ok(); v["favourited"] != false || v["muted"] != false {
		t.Errorf("%v", v)
	}
	for _, c := range []struct{ act, undo, mark, count string }{
		{"favourite", "unfavourite", "favourited", "favourites_count"}, {"bookmark", "unbookmark", "bookmarked", ""}, {"reblog", "unreblog", "reblogged", "reblogs_count"},
	} {
		for range 2 { // doing it again changes nothing
			w.bob.post(path+"/"+c.act, nil).ok()
		}
		v := w.bob.get(path).ok()
		if v[c.mark] != true || c.count != "" && text(v, c.count) != "1" {
			t.Errorf("%s: %v %v", c.act, v[c.mark], v[c.count])
		}
		if v := w.alice.get(path).ok(); v[c.mark] != false {
			t.Errorf("%s is seen by somebody else as their own", c.act)
		}
		for range 2 {
			w.bob.post(path+"/"+c.undo, nil).ok()
		}
		if v := w.bob.get(path).ok(); v[c.mark] != false || c.count != "" && text(v, c.count) != "0" {
			t.Errorf("%s: %v %v", c.undo, v[c.mark], v[c.count])
		}
	}
	boost := w.bob.post(path+"/reblog", nil).ok()
	if text(boost, "reblog.id") != id || text(boost, "account.id") != w.bob.id {
		t.Errorf("boost %v", boost)
	}
	reply := text(w.bob.post("/api/v1/statuses", form{"status": {"@alice yes"}, "in_reply_to_id": {id}}).ok(), "id")
	thread := w.alice.get("/api/v1/statuses/" + reply + "/context").ok()
	if text(thread, "ancestors.0.id") != id || len(at(thread, "descendants").([]any)) != 0 {
		t.Errorf("%v", thread)
	}
	if text(w.alice.get(path+"/context").ok(), "descendants.0.id") != reply {
		t.Error("the reply is not below")
	}

	w.alice.do("PUT", path, form{"status": {"second words"}, "spoiler_text": {"cw"}}).ok()
	if src := w.alice.get(path + "/source").ok(); src["text"] != "second words" || src["spoiler_text"] != "cw" || src["id"] != id {
		t.Errorf("%v", src)
	}
	w.bob.get(path + "/source").refused(404)
	versions := w.bob.get(path + "/history").list()
	if len(versions) != 2 || text(versions[0], "content") != "<p>first words</p>" || text(versions[1], "content") != "<p>second words</p>" || text(versions[1], "account.id") != w.alice.id {
		t.Errorf("%v", versions)
	}

	w.bob.do("DELETE", path, nil).refused(404)
	w.bob.do("PUT", path, form{"status": {"mine now"}}).refused(404)
	gone := w.alice.do("DELETE", path, nil).ok()
	if gone["text"] != "second words" {
		t.Errorf("%v", gone)
	}
	w.alice.get(path).refused(404)
	w.alice.do("DELETE", path, nil).refused(404)
}

func oneKeyMakesOnePost(t *testing.T) {
	w := start(t)
	var wg sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		wg.Go(func() {
			r := w.alice.request("POST", "/api/v1/statuses", form{"status": {"once"}, "audience": {"company"}})
			r.Header.Set("Idempotency-Key", "key-1")
			got[i] = text(w.alice.send(r).ok(), "id")
		})
	}
	wg.Wait()
	if len(slices.Compact(slices.Sorted(slices.Values(got)))) != 1 {
		t.Errorf("one key made several posts: %v", got)
	}
	r := w.bob.request("POST", "/api/v1/statuses", form{"status": {"other"}})
	r.Header.Set("Idempotency-Key", "key-1")
	if text(w.bob.send(r).ok(), "id") == got[0] {
		t.Error("the key of somebody else")
	}
}

// What an app says becomes what its user granted it, and it is told so.
func audiencesOfAnApp(t *testing.T) {
	w := start(t)
	plain, open := w.alice.app(all, false), w.alice
	for _, c := range []struct {
		app        *client
		field      string
		said, want string
		visibility string
		narrowed   bool
	}{
		{plain, "visibility", "public", "company", "private", true},
		{plain, "visibility", "unlisted", "company", "private", true},
		{plain, "visibility", "private", "followers", "private", false},
		{plain, "visibility", "direct", "direct", "direct", false},
		{plain, "audience", "public", "company", "private", true},
		{plain, "audience", "unlisted", "company", "private", true},
		{plain, "audience", "partner:acme", "company", "private", true},
		{plain, "audience", "company", "company", "private", false},
		{plain, "audience", "instance", "instance", "private", false},
		{plain, "audience", "", "company", "private", false},
		{open, "visibility", "public", "public", "public", false},
		{open, "visibility", "unlisted", "unlisted", "unlisted", false},
		{open, "audience", "public", "public", "public", false},
		{open, "audience", "partner:acme", "partner:acme", "private", false},
		{open, "audience", "", "company", "private", false},
	} {
		v := c.app.post("/api/v1/statuses", form{"status": {"hello"}, c.field: {c.said}}).ok()
		if text(v, "parley.audience") != c.want || v["visibility"] != c.visibility || at(v, "parley.narrowed") != c.narrowed {
			t.Errorf("%s=%s: %v, visibility %v", c.field, c.said, v["parley"], v["visibility"])
		}
	}
	for _, bad := range []form{{"visibility": {"everyone"}}, {"audience": {"galaxy"}}, {"audience": {"group:none"}}} {
		bad["status"] = []string{"hello"}
		open.post("/api/v1/statuses", bad).refused(422)
	}
	// A reply to a public post says nothing more to the world than the app may.
	world := open.write("to the world", "public")
	for _, f := range []form{{}, {"visibility": {"public"}}, {"audience": {"public"}}} {
		f["status"], f["in_reply_to_id"] = []string{"reply"}, []string{world}
		if v := plain.post("/api/v1/statuses", f).ok(); text(v, "parley.audience") != "company" || at(v, "parley.narrowed") != true {
			t.Errorf("%v: %v", f, v["parley"])
		}
	}
	if v := plain.post("/api/v1/statuses/"+world+"/reblog", nil).ok(); text(v, "parley.audience") != "company" || at(v, "parley.narrowed") != true {
		t.Errorf("a share by the app: %v", v["parley"])
	}
	// Nor does it change what is said there: it may take that in, though.
	for _, said := range []string{"public", "unlisted", "partner:acme"} {
		path := "/api/v1/statuses/" + open.write("my own words", said)
		plain.do("PUT", path, form{"status": {"words of the app"}}).refused(403)
		if v := open.get(path).ok(); text(v, "content") != "<p>my own words</p>" || v["edited_at"] != nil {
			t.Errorf("%s: %v", said, v)
		}
		if v := plain.do("PUT", path, form{"status": {"words of the app"}, "audience": {"company"}}).ok(); text(v, "parley.audience") != "company" {
			t.Errorf("%s: %v", said, v["parley"])
		}
	}
	// In a narrower thread a wider choice is clamped, and an edit never widens.
	inside := open.write("inside", "instance")
	v := open.post("/api/v1/statuses", form{"status": {"reply"}, "visibility": {"public"}, "in_reply_to_id": {inside}}).ok()
	if text(v, "parley.audience") != "instance" || at(v, "parley.narrowed") != true {
		t.Errorf("%v", v["parley"])
	}
	open.do("PUT", "/api/v1/statuses/"+inside, form{"status": {"inside"}, "audience": {"public"}}).refused(422)
	if v := open.do("PUT", "/api/v1/statuses/"+world, form{"status": {"to us"}, "audience": {"company"}}).ok(); text(v, "parley.audience") != "company" {
		t.Errorf("%v", v["parley"])
	}
	// "private" in reply to a post that is not public means the parent's readers.
	if v := plain.post("/api/v1/statuses", form{"status": {"reply"}, "visibility": {"private"}, "in_reply_to_id": {inside}}).ok(); text(v, "parley.audience") != "instance" {
		t.Errorf("%v", v["parley"])
	}
}

func TestPolls(t *testing.T) {
	w := start(t)
	v := w.alice.post("/api/v1/statuses", object{"status": "lunch?", "audience": "company", "poll": object{"options": []string{"soup", "salad"}, "expires_in": 3600, "multiple": true}}).ok()
	path := "/api/v1/polls/" + text(v, "poll.id")
	if text(v, "poll.options.1.title") != "salad" || at(v, "poll.voted") != true || at(v, "poll.expired") != false {
		t.Errorf("%v", v["poll"])
	}
	if p := w.bob.get(path).ok(); p["voted"] != false || text(p, "votes_count") != "0" {
		t.Errorf("%v", p)
	}
	p := w.bob.post(path+"/votes", object{"choices": []int{0, 1}}).ok()
	if p["voted"] != true || text(p, "votes_count") != "2" || text(p, "voters_count") != "1" || fmt.Sprint(p["own_votes"]) != "[0 1]" {
		t.Errorf("%v", p)
	}
	w.bob.post(path+"/votes", form{"choices[]": {"1"}}).refused(422)
	w.alice.post(path+"/votes", form{"choices[]": {"1"}}).refused(422)
	for _, bad := range []string{"2", "-1", "x", "99999999999999999999"} {
		w.member("voter"+fmt.Sprint(len(bad))+strings.Trim(bad, "-")[:1]).post(path+"/votes", form{"choices[]": {bad}}).refused(422)
	}
	w.nobs.post(path+"/votes", form{"choices[]": {"1"}}).refused(401)
	note := w.alice.write("no poll", "company")
	w.bob.get("/api/v1/polls/" + note).refused(404)
	for _, bad := range []object{{"options": []string{"one"}, "expires_in": 3600}, {"options": []string{"a", "a"}, "expires_in": 3600},
		{"options": []string{"a", "b"}, "expires_in": 1}, {"options": []string{"a", "b"}}, {"options": []string{"a", "b"}, "expires_in": 1e12}} {
		w.alice.post("/api/v1/statuses", object{"status": "?", "poll": bad}).refused(422)
	}
}

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func filesAreKept(t *testing.T) {
	w := start(t)
	m := w.alice.post("/api/v2/media", files{fields: form{"description": {"a grey field"}, "focus": {"0.5,-0.25"}}, name: "file", file: "g.png", data: picture(t, 60, 30)}).ok()
	if m["type"] != "image" || m["description"] != "a grey field" || text(m, "meta.original.width") != "60" || text(m, "meta.focus.y") != "-0.25" || m["blurhash"] == nil {
		t.Fatalf("%v", m)
	}
	id := text(m, "id")
	if v := w.alice.get("/api/v1/media/" + id).ok(); v["url"] == nil {
		t.Errorf("%v", v)
	}
	if v := w.alice.do("PUT", "/api/v1/media/"+id, form{"description": {"grey"}}).ok(); v["description"] != "grey" || text(v, "meta.focus.x") != "0.5" {
		t.Errorf("%v", v)
	}
	w.bob.get("/api/v1/media/" + id).refused(404)
	w.bob.post("/api/v1/statuses", form{"status": {"theirs"}, "media_ids[]": {id}}).refused(422)
	v := w.alice.post("/api/v1/statuses", form{"audience": {"company"}, "media_ids[]": {id, id}}).ok()
	if len(at(v, "media_attachments").([]any)) != 1 || text(v, "media_attachments.0.description") != "grey" {
		t.Errorf("%v", v["media_attachments"])
	}
	w.alice.post("/api/v1/statuses", form{"status": {"again"}, "media_ids[]": {id}}).refused(422)
	e := w.alice.do("PUT", "/api/v1/statuses/"+text(v, "id"), object{"status": "x", "media_ids": []string{id},
		"media_attributes": []object{{"id": id, "description": "greyer"}}}).ok()
	if text(e, "media_attachments.0.description") != "greyer" {
		t.Errorf("%v", e["media_attachments"])
	}

	pdf := w.alice.post("/api/v1/media", files{name: "file", file: "Plan \"1\".pdf", data: []byte("%PDF-1.7 plan")}).ok()
	doc := w.alice.post("/api/v1/statuses", form{"status": {"the plan"}, "audience": {"company"}, "media_ids[]": {text(pdf, "id")}}).ok()
	if pdf["type"] != "unknown" || !strings.Contains(text(doc, "content"), `Plan &#34;1&#34;.pdf</a>`) {
		t.Errorf("a file that apps do not show needs its link in the text: %v %v", pdf["type"], doc["content"])
	}
	for name, data := range map[string][]byte{"page.html": []byte("<!DOCTYPE html><script>alert(1)</script>"), "tool.exe": append([]byte("MZ\x90\x00"), make([]byte, 64)...), "empty.txt": {}} {
		a := w.alice.post("/api/v2/media", files{name: "file", file: name, data: data})
		if name == "empty.txt" {
			if a.status >= 500 {
				t.Errorf("%s: %d", name, a.status)
			}
			continue
		}
		a.refused(422)
	}
	w.alice.post("/api/v2/media", files{fields: form{"description": {"no file"}}}).refused(422)
	w.alice.post("/api/v2/media", form{"file": {"no"}}).refused(422)
	w.alice.post("/api/v2/media", files{name: "file", file: "big.txt", data: bytes.Repeat([]byte("a"), int(w.in.Social.Limits.UploadBytes)+1)}).refused(413)
	w.alice.post("/api/v2/media", files{name: "file", file: "huge.txt", data: bytes.Repeat([]byte("a"), int(w.in.Social.Limits.UploadBytes)+2<<20)}).refused(413)
}

// A file of a post for the company opens for its readers' apps, and for nobody else
// (T35); who loses the right to read it cannot open it any more.
func TestMediaAddressesAreBoundToTheReader(t *testing.T) {
	w := start(t)
	m := w.alice.post("/api/v2/media", files{name: "file", file: "g.png", data: picture(t, 60, 30)}).ok()
	for _, key := range []string{"url", "preview_url"} {
		w.nobs.get(text(m, key)).is(200) // her own app opens what she just sent: the address says who
	}
	v := w.alice.post("/api/v1/statuses", form{"status": {"grey"}, "audience": {"company"}, "media_ids[]": {text(m, "id")}}).ok()
	path := "/api/v1/statuses/" + text(v, "id")
	url := text(w.bob.get(path).ok(), "media_attachments.0.url")
	a := w.nobs.get(url).is(200)
	if a.header.Get("Content-Type") != "image/jpeg" || a.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%v", a.header)
	}
	plain, ticket, _ := strings.Cut(url, "?for=")
	other := text(w.alice.post("/api/v2/media", files{name: "file", file: "h.png", data: picture(t, 9, 9)}).ok(), "id")
	mark := ticket[:len(ticket)-1]
	for _, forged := range []string{plain, plain + "?for=", plain + "?for=x", plain + "?for=" + mark, plain + "?for=" + strings.Replace(ticket, w.bob.id, w.alice.id, 1),
		strings.Replace(url, text(m, "id"), other, 1), plain + "?for=..", plain + "?for=%00"} {
		if got := w.nobs.get(forged); got.status != 404 {
			t.Errorf("%s: %d", forged, got.status)
		}
	}
	w.alice.post("/api/v1/accounts/"+w.bob.id+"/block", nil).ok()
	w.nobs.get(url).is(404)
	w.alice.post("/api/v1/accounts/"+w.bob.id+"/unblock", nil).ok()
	w.nobs.get(url).is(200)
	if err := w.in.Social.Suspend(t.Context(), w.bob.who.Account.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	w.nobs.get(url).is(404)

	open := w.alice.post("/api/v1/statuses", form{"status": {"open"}, "audience": {"public"}, "media_ids[]": {other}}).ok()
	if url := text(open, "media_attachments.0.url"); strings.Contains(url, "?") {
		t.Errorf("everybody may see it, the address needs no more: %s", url)
	} else {
		w.nobs.get(url).is(200)
	}
	w.alice.do("DELETE", "/api/v1/statuses/"+text(open, "id"), nil).ok()
	w.nobs.get(text(open, "media_attachments.0.url")).is(404)
}

func otherSitesMayCall(t *testing.T) {
	w := start(t)
	a := w.nobs.do("HEAD", "/api/v2/instance", nil).is(200)
	if len(a.body) != 0 || a.header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%v %s", a.header, a.body)
	}
	w.alice.do("HEAD", "/api/v1/timelines/home", nil).is(200)
	for _, path := range []string{"/api/v1/statuses", "/api/v1/timelines/home", "/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/.well-known/webfinger", "/nodeinfo/2.1"} {
		r := w.nobs.request("OPTIONS", path, nil)
		r.Header.Set("Origin", "https://app.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		h := w.nobs.send(r).is(204).header
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, h)
		}
		for _, name := range []string{"Authorization", "Content-Type", "Idempotency-Key"} {
			if !strings.Contains(h.Get("Access-Control-Allow-Headers"), name) {
				t.Errorf("%s: other sites may not send %s", path, name)
			}
		}
		for _, name := range []string{"Link", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-Id"} {
			if !strings.Contains(h.Get("Access-Control-Expose-Headers"), name) {
				t.Errorf("%s: other sites may not read %s", path, name)
			}
		}
	}
	for _, path := range []string{"/.well-known/webfinger?resource=acct:alice@" + w.in.Config.Domain, "/.well-known/host-meta", "/.well-known/nodeinfo", "/nodeinfo/2.1", "/nodeinfo/2.0", "/.well-known/none"} {
		if h := w.nobs.get(path).header; h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: no CORS", path)
		}
	}
	if h := w.alice.get("/api/v1/timelines/home").header; !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Link") || h.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", h)
	}
	if w.nobs.get("/").header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a page for people is open to other sites")
	}
}

// A token for a script can be bound to a few audiences: it publishes for no other, however
// it asks, and for the first when it says nothing.
func TestTokensForAFewAudiences(t *testing.T) {
	w := start(t)
	group, err := w.in.Social.CreateGroup(t.Context(), w.alice.who, social.NewGroup{Name: "ops", Join: "closed"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := w.in.Auth.CreateToken(t.Context(), w.alice.who.Account.ID, auth.NewToken{App: "bot", Scopes: "read write", Bound: social.GrantOnly("group:ops", "instance")})
	if err != nil {
		t.Fatal(err)
	}
	bot := *w.alice
	bot.token = token
	v := bot.post("/api/v1/statuses", form{"status": {"to the group"}}).ok()
	if text(v, "parley.group") != group.Account.ID.String() && !strings.Contains(text(v, "parley.audience"), "group") {
		t.Errorf("%v", v["parley"])
	}
	for _, said := range []form{{"audience": {"group:ops"}}, {"audience": {"instance"}}, {"in_reply_to_id": {text(v, "id")}}} {
		said["status"] = []string{"hello"}
		bot.post("/api/v1/statuses", said).ok()
	}
	wide, inside := w.alice.write("mine", "company"), w.bob.write("his", "company")
	for _, said := range []form{{"audience": {"company"}}, {"audience": {"direct"}}, {"visibility": {"public"}}, {"visibility": {"private"}}, {"visibility": {"direct"}}, {"in_reply_to_id": {inside}}} {
		said["status"] = []string{"hello"}
		bot.post("/api/v1/statuses", said).refused(403)
	}
	bot.post("/api/v1/statuses/"+inside+"/reblog", nil).refused(403)
	bot.do("PUT", "/api/v1/statuses/"+wide, form{"status": {"changed"}}).refused(403)
}

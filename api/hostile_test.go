package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/api"
	"parley/instance/instancetest"
)

// nasty is what no parameter should hold.
var nasty = []string{"", "0", "-1", "1e9", "9223372036854775807", "9223372036854775808", "0x10", "٣", "NaN", "\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80",
	"' OR 1=1 --", "%", "_", "../../etc/passwd", "<script>alert(1)</script>", "\u202e\u200b", "{}", "[]", "null", strings.Repeat("ä", 20_000), "@", "@@", "#", "http://", "https://[::1", "https://nowhere.invalid/x", "a@nowhere.invalid"}

// named are the parameters that any route reads.
var named = []string{"status", "spoiler_text", "language", "audience", "visibility", "in_reply_to_id", "quoted_status_id", "media_ids[]", "poll[options][]", "poll[expires_in]",
	"poll[multiple]", "limit", "max_id", "min_id", "since_id", "offset", "id[]", "q", "type", "resolve", "acct", "types[]", "exclude_types[]", "choices[]", "account_id", "status_ids[]",
	"comment", "description", "focus", "display_name", "note", "locked", "fields_attributes[0][name]", "fields_attributes[0][value]", "source[privacy]", "source[language]",
	"media_attributes[][id]", "tagged", "reblogs", "local", "only_media", "pinned", "scheduled_at"}

// Whatever a caller sends, the answer is JSON and never a fault of ours; what a
// database cannot keep is refused or taken out.
func TestHostileParameters(t *testing.T) {
	run := func(t *testing.T, database string) {
		w := people(t, instancetest.Start(t, t.TempDir(), database))
		post := w.alice.write("hello #work", "company")
		tenths := instancetest.Many(t, 10, 1)
		for k, r := range api.Routes() {
			method, template, _ := strings.Cut(r.Route, " ")
			if template == "/api/v1/streaming/health" {
				continue // its answer is no JSON, and reads nothing
			}
			for i, bad := range nasty {
				if (i+k)%10 >= tenths {
					continue
				}
				if database != "" && (i+k)%3 != 0 {
					continue // the second database gets each text too, on every third route
				}
				path := strings.NewReplacer("{id}", post, "{tag}", url.PathEscape(bad[:min(len(bad), 2000)])).Replace(pattern.ReplaceAllString(template, "}"))
				if i%3 == 0 && strings.Contains(template, "{id}") {
					path = strings.ReplaceAll(pattern.ReplaceAllString(template, "}"), "{id}", url.PathEscape(bad[:min(len(bad), 2000)]))
				}
				if strings.Contains(path, "/accounts/"+post) {
					path = strings.ReplaceAll(path, post, w.bob.id)
				}
				f := form{}
				for n, name := range named {
					if len(bad) < 10_000 || (n+k)%12 == 0 { // all of them at once would be refused for their size alone
						f.Set(name, bad)
					}
				}
				short := form{}
				for _, name := range named {
					short.Set(name, bad[:min(len(bad), 100)]) // what is longer net/http refuses itself
				}
				requests := []*http.Request{w.alice.request(method, path+"?"+short.Encode(), nil)}
				if method != "GET" {
					deep, err := json.Marshal(object{"status": bad, "poll": object{"options": []string{bad, bad + "x"}, "expires_in": bad}, "media_ids": []string{bad}, "a": object{bad: bad}, bad: bad})
					if err != nil {
						t.Fatal(err)
					}
					fit := form{"status": {"text " + bad}, "comment": {bad}, "account_id": {w.bob.id}, "display_name": {bad}, "note": {bad}, "spoiler_text": {bad}, "description": {bad}, "poll[options][]": {bad, "x"}, "poll[expires_in]": {"300"}}
					requests = append(requests, w.alice.request(method, path, f), w.alice.request(method, path, files{fields: f, name: "file", file: bad, data: []byte(bad)}),
						w.alice.request(method, path, string(deep)))
					if strings.Contains("/api/v1/statuses /api/v1/statuses/{id} /api/v1/reports /api/v1/accounts/update_credentials", template) {
						requests = append(requests, w.alice.request(method, path, fit)) // all but one fits
					}
				}
				for _, req := range requests {
					w.sane(w.alice.send(req))
				}
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "") })
	t.Run("postgres", func(t *testing.T) {
		run(t, instancetest.Postgres(t)(0))
	})
}

// sane demands JSON and no fault of ours.
func (w *world) sane(a *answer) {
	w.Helper()
	if a.status == http.StatusOK && strings.Contains(a.what, "/streaming/") && a.header.Get("Content-Type") == "text/event-stream" {
		return // an open stream has said nothing yet
	}
	if strings.Contains(a.what, "/streaming/health?") && string(a.body) == "OK" {
		return // as Mastodon says it
	}
	if a.status >= 500 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") || !json.Valid(a.body) {
		w.Errorf("%.200s: %d %s %.300s", a.what, a.status, a.header.Get("Content-Type"), a.body)
	}
	if a.status >= 400 && leak.Match(a.body) {
		w.Errorf("%.200s: tells too much: %s", a.what, a.body)
	}
	if len(a.body) > 2000 && a.status >= 400 {
		w.Errorf("%.200s: an error of %d bytes", a.what, len(a.body))
	}
}

// leak is what an error text never says.
var leak = regexp.MustCompile(`(?i)sql|sqlite|postgres|pgx|constraint|goroutine|\.go:|/tmp/|json: |strconv|invalid character|multipart: |unexpected EOF|runtime error|0x[0-9a-f]{6}`)

func TestBrokenBodies(t *testing.T) {
	w := start(t)
	send := func(kind, body string) *answer {
		r := w.alice.request("POST", "/api/v1/statuses", nil)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		a := w.alice.send(r)
		w.sane(a)
		return a
	}
	const js, multi = "application/json", "multipart/form-data; boundary=x"
	for _, c := range []struct {
		kind, body string
		status     int
	}{
		{js, `{`, 422}, {js, `[]`, 422}, {js, `"x"`, 422}, {js, `{"status":"a"} x`, 422}, {js, "", 422}, {js, `{"status":null}`, 422},
		{js, strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), 422}, {js, `{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}", 422},
		{js, `{"a":[` + strings.Repeat(`"x",`, 5000) + `"x"]}`, 422}, {js, `{"status":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
		{js, `{"status":"a\u0000b","audience":"company"}`, 200}, {js, "{\"status\":\"a\xffb\",\"audience\":\"company\"}", 200},
		{"application/x-www-form-urlencoded", "status=%zz", 422}, {"application/x-www-form-urlencoded", "status=a;b", 422}, {"application/x-www-form-urlencoded", "status=" + strings.Repeat("x", 2<<20), 413},
		{multi, "", 422}, {multi, "--x\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nhello", 422}, {"multipart/form-data", "--x--", 422},
		{multi, "--x\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n" + strings.Repeat("x", 2<<20) + "\r\n--x--\r\n", 413},
		{multi, strings.Repeat("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n", 3000) + "--x--\r\n", 422},
		{"text/plain", "status=hello", 422}, {"", "status=hello", 422},
	} {
		if a := send(c.kind, c.body); a.status != c.status {
			t.Errorf("%s %.60s: %d %s, want %d", c.kind, c.body, a.status, a.body, c.status)
		}
	}
	for _, s := range w.alice.get("/api/v1/accounts/" + w.alice.id + "/statuses").list() {
		if c := text(s, "content"); c != "<p>ab</p>" {
			t.Errorf("kept %q", c)
		}
		if src := text(w.alice.get("/api/v1/statuses/"+text(s, "id")+"/source").ok(), "text"); strings.Contains(src, "\x00") || !strings.HasPrefix(src, "a") {
			t.Errorf("the source keeps %q", src)
		}
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	w := start(t)
	for _, path := range []string{"/api/", "/api/v1", "/api/v1/none", "/api/v3/instance", "/api/v1/statuses/1/none", "/api/v1/accounts/x", "/api/v1/annual_reports",
		"/oauth/none", "/nodeinfo/2.0", "/.well-known/none"} {
		for _, method := range []string{"GET", "POST"} {
			r := w.alice.request(method, path, nil)
			r.Header.Set("Accept", "text/html") // apps' web views ask so: still no page
			a := w.alice.send(r)
			if a.status != 404 || !strings.Contains(a.header.Get("Content-Type"), "json") || !json.Valid(a.body) {
				t.Errorf("%s %s: %d %s %.100s", method, path, a.status, a.header.Get("Content-Type"), a.body)
			}
		}
	}
	seen := map[string][]string{}
	for _, r := range api.Routes() {
		method, path, _ := strings.Cut(r.Route, " ")
		seen[path] = append(seen[path], method)
	}
	for path, methods := range seen {
		at := strings.NewReplacer("{id}", w.alice.id, "{tag}", "work").Replace(pattern.ReplaceAllString(path, "}"))
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"} {
			if slices.Contains(methods, method) || method == "GET" && strings.Contains(at, "/clear") {
				continue
			}
			a := w.alice.do(method, at, nil)
			if a.refused(405); !strings.Contains(a.header.Get("Allow"), methods[0]) {
				t.Errorf("%s %s allows %q", method, at, a.header.Get("Allow"))
			}
		}
	}
}

// An error of each kind has its status and tells nothing about us.
func errorsSayWhatIsWrong(t *testing.T) {
	w := start(t)
	w.nobs.get("/api/v1/timelines/home").refused(401)
	w.nobs.post("/api/v1/statuses", form{"status": {"x"}}).refused(401)
	w.alice.app("read", true).post("/api/v1/statuses", form{"status": {"x"}}).refused(403)
	w.alice.get("/api/v1/statuses/1").refused(404)
	w.alice.post("/api/v1/statuses", form{}).refused(422)
	w.alice.post("/api/v1/statuses", form{"status": {"earlier"}, "scheduled_at": {"2020-01-01T00:00:00Z"}}).refused(422)
	lower := w.alice.request("GET", "/api/v1/timelines/home", nil)
	lower.Header.Set("Authorization", "bearer "+w.alice.token)
	w.alice.send(lower).is(200)
	for _, header := range []string{"Bearer", "Bearer ", "Bearer x y", "Basic YTpi", w.alice.token, "Bearer " + strings.Repeat("x", 10000)} {
		r := w.nobs.request("GET", "/api/v1/timelines/home", nil)
		r.Header.Set("Authorization", header)
		w.nobs.send(r).refused(401)
	}
	// A session's cookie is no right here: nothing that a browser sends by itself is.
	if err := w.in.Auth.SetPassword(t.Context(), w.bob.who.Account.ID, "a long password"); err != nil {
		t.Fatal(err)
	}
	session, _, err := w.in.Auth.SignIn(t.Context(), "bob", "a long password", "")
	if err != nil {
		t.Fatal(err)
	}
	r := w.nobs.request("POST", "/api/v1/statuses", form{"status": {"forged"}})
	for _, c := range w.nobs.send(w.nobs.request("GET", "/sign-in", nil)).header["Set-Cookie"] {
		t.Log(c)
	}
	r.Header.Set("Cookie", "parley="+session)
	w.nobs.send(r).refused(401)
}

// Callers from outside see what they have left, and are stopped there: each account
// over all its addresses, each address over all accounts. Whom a proxy that is not
// trusted names does not count (T38).
func callersSeeWhatTheyHaveLeft(t *testing.T) {
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: map[string]string{"limits.requests_per_5m": "5", "trusted_proxies": "127.0.0.1/32"}})
	w := people(t, in)
	from := func(c *client, address string) *answer {
		r := c.request("GET", "/api/v1/timelines/home", nil)
		r.Header.Set("X-Forwarded-For", address)
		return c.send(r)
	}
	for i := range 5 {
		a := from(w.alice, fmt.Sprintf("192.0.2.%d", i)).is(200)
		if h := a.header; h.Get("X-RateLimit-Limit") != "5" || h.Get("X-RateLimit-Remaining") != fmt.Sprint(4-i) || date(h.Get("X-RateLimit-Reset")) != "" {
			t.Errorf("%v", h)
		}
	}
	a := from(w.alice, "192.0.2.99")
	a.refused(429)
	if a.header.Get("Retry-After") == "" || a.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("%v", a.header)
	}
	from(w.bob, "192.0.2.99").is(200)
	for i := range 5 {
		// The right end is what our proxy saw; what stands before it anybody can claim.
		from(w.nobs, fmt.Sprintf("198.51.100.%d, 192.0.2.200", i)).is(401)
	}
	from(w.bob, "203.0.113.9, 192.0.2.200").refused(429)
	for i := range 7 {
		from(w.nobs, fmt.Sprintf("2001:db8:1:2::%d", i)) // one line has a /64
	}
	from(w.nobs, "2001:db8:1:2::ffff").refused(429)
	w.alice.get("/api/v1/timelines/home").is(200) // loopback is not limited
}

// Many uploads of hostile files harm nobody (T36).
func TestHostileFiles(t *testing.T) {
	w := start(t)
	gif := append([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"), "<script>alert(document.domain)</script>"...)
	v := w.alice.post("/api/v2/media", files{name: "file", file: "x.html", data: gif}).ok()
	a := w.nobs.get(text(v, "url")).is(200)
	if bytes.Contains(a.body, []byte("script")) || a.header.Get("Content-Type") == "image/gif" && bytes.Equal(a.body, gif) {
		t.Error("a picture is kept as it came")
	}
	for name, data := range map[string][]byte{
		"actor.json": []byte(`{"@context":"https://www.w3.org/ns/activitystreams","type":"Person","id":"https://victim.example/users/1"}`),
		"p.pdf":      []byte("%PDF-1.7\n<script>alert(1)</script>"), "z.zip": []byte("PK\x03\x04<html><script>"), "notes.txt": []byte("just <b>text</b>"),
	} {
		a := w.alice.post("/api/v2/media", files{name: "file", file: name, data: data})
		if a.status == 422 {
			continue
		}
		h := w.nobs.get(text(a.ok(), "url")).is(200).header
		kind := h.Get("Content-Type")
		if !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
			strings.Contains(kind, "html") || strings.Contains(kind, "activity") || strings.Contains(kind, "json") {
			t.Errorf("%s is served as %v", name, h)
		}
	}
	for name, data := range bombs() {
		w.alice.post("/api/v2/media", files{name: "file", file: name, data: data}).refused(422)
	}
	for _, name := range []string{"../../etc/passwd", "a\r\nSet-Cookie: x=1.txt", "\x00.txt", strings.Repeat("n", 5000) + ".txt", "”„.txt"} {
		a := w.alice.post("/api/v2/media", files{name: "file", file: name, data: []byte("text of a file")})
		w.sane(a)
		if a.status == 200 {
			if h := w.nobs.get(text(a.ok(), "url")).is(200).header; h.Get("Set-Cookie") != "" || strings.Contains(h.Get("Content-Disposition"), "/") {
				t.Errorf("%q: %v", name, h)
			}
		}
	}
}

// bombs claim to be huge, or break off.
func bombs() map[string][]byte {
	png := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\x00\x00\x00")
	return map[string][]byte{
		"huge.png":    png,
		"broken.png":  []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10"),
		"huge.gif":    []byte("GIF89a\xff\xff\xff\xff\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02D\x01\x00;"),
		"broken.jpg":  []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x11\x00"),
		"broken.webp": []byte("RIFF\xff\xff\xff\x7fWEBPVP8 \xff\xff\xff\x7f"),
	}
}

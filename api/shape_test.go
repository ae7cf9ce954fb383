package api_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// check says what is wrong with a value; "" is nothing.
type check func(v any) string

// shape is what Tusky, Mastodon for Android and IceCubes need of an object: a field
// of the wrong kind loses them the post, or the page (clients.md, section 2).
type shape map[string]check

func (s shape) check(v any) string {
	o, ok := v.(object)
	if !ok {
		return fmt.Sprintf("is no object but %T", v)
	}
	for name, want := range s {
		field, there := o[name]
		if !there {
			return name + " is missing"
		}
		if wrong := want(field); wrong != "" {
			return name + " " + wrong
		}
	}
	return ""
}

func str(v any) string {
	if _, ok := v.(string); !ok {
		return fmt.Sprintf("is %v, not a text", v)
	}
	return ""
}

func flag(v any) string {
	if _, ok := v.(bool); !ok {
		return fmt.Sprintf("is %v, not a boolean", v)
	}
	return ""
}

func count(v any) string {
	n, ok := v.(json.Number)
	if i, err := strconv.Atoi(string(n)); !ok || err != nil || i < 0 {
		return fmt.Sprintf("is %v, not a count", v)
	}
	return ""
}

func matching(what string, pattern *regexp.Regexp) check {
	return func(v any) string {
		if s, ok := v.(string); !ok || !pattern.MatchString(s) {
			return fmt.Sprintf("is %v, not %s", v, what)
		}
		return ""
	}
}

// id has one length for ever, since apps compare the length first (rule 3).
var id = matching("an id", regexp.MustCompile(`^[1-9][0-9]{18}$`))

var date = matching("a date", regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`))

var day = matching("a day", regexp.MustCompile(`^\d{4}-\d\d-\d\d$`))

func address(v any) string {
	s, _ := v.(string)
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Sprintf("is %v, not an address", v)
	}
	return ""
}

func or(a check) check {
	return func(v any) string {
		if v == nil {
			return ""
		}
		return a(v)
	}
}

func oneOf(words ...string) check {
	return func(v any) string {
		if s, ok := v.(string); !ok || !slices.Contains(words, s) {
			return fmt.Sprintf("is %v, not one of %v", v, words)
		}
		return ""
	}
}

func listOf(of check) check {
	return func(v any) string {
		list, ok := v.([]any)
		if !ok {
			return fmt.Sprintf("is %v, not a list", v)
		}
		for i, e := range list {
			if wrong := of(e); wrong != "" {
				return fmt.Sprint(i, ": ", wrong)
			}
		}
		return ""
	}
}

var (
	visibility = oneOf("public", "unlisted", "private", "direct")
	emojis     = listOf(shape{"shortcode": str, "url": address, "static_url": address, "visible_in_picker": flag}.check)
	field      = shape{"name": str, "value": str, "verified_at": or(date)}
	account    = shape{"id": id, "username": str, "acct": str, "display_name": str, "note": str, "url": address, "avatar": address, "avatar_static": address,
		"header": address, "header_static": address, "locked": flag, "bot": flag, "created_at": date, "last_status_at": or(day), "followers_count": count,
		"following_count": count, "statuses_count": count, "fields": listOf(field.check), "emojis": emojis}
	own = with(account, shape{"source": shape{"privacy": visibility, "sensitive": flag, "language": or(str), "note": str, "fields": listOf(field.check), "follow_requests_count": count}.check,
		"role": shape{"id": str, "name": str}.check})
	attachment = shape{"id": id, "type": oneOf("image", "gifv", "video", "audio", "unknown"), "url": address, "preview_url": or(address), "remote_url": or(address),
		"description": or(str), "blurhash": or(str), "meta": shape{}.check}
	poll = shape{"id": id, "expires_at": or(date), "expired": flag, "multiple": flag, "votes_count": count, "voters_count": or(count), "voted": flag,
		"own_votes": listOf(count), "options": listOf(shape{"title": str, "votes_count": count}.check), "emojis": emojis}
	mention = shape{"id": id, "username": str, "acct": str, "url": address}
	tag     = shape{"name": str, "url": address}
	version = shape{"content": str, "spoiler_text": str, "sensitive": flag, "created_at": date, "account": account.check, "media_attachments": listOf(attachment.check), "emojis": emojis}
	rel     = shape{"id": id, "following": flag, "showing_reblogs": flag, "notifying": flag, "followed_by": flag, "blocking": flag, "blocked_by": flag, "muting": flag,
		"muting_notifications": flag, "requested": flag, "domain_blocking": flag, "endorsed": flag, "note": str}
	conf = shape{"statuses": shape{"max_characters": count, "max_media_attachments": count, "characters_reserved_per_url": count}.check,
		"media_attachments": shape{"supported_mime_types": listOf(str), "image_size_limit": count, "image_matrix_limit": count, "video_size_limit": count, "video_matrix_limit": count}.check,
		"polls":             shape{"max_options": count, "max_characters_per_option": count, "min_expiration": count, "max_expiration": count}.check}
	// A version that every parser reads, of which IceCubes takes the first three
	// characters as a number (rule 1).
	versionText = matching("a version", regexp.MustCompile(`^[1-9]\.[0-9]\.[0-9]+\+parley\.[0-9]+\.[0-9]+\.[0-9]+$`))
	instanceV1  = shape{"uri": str, "title": str, "short_description": str, "description": str, "email": str, "version": versionText, "stats": shape{"user_count": count, "status_count": count, "domain_count": count}.check,
		"languages": listOf(str), "registrations": flag, "thumbnail": or(address), "urls": shape{}.check, "configuration": conf.check, "rules": listOf(str), "contact_account": or(account.check)}
	instanceV2 = shape{"domain": str, "title": str, "description": str, "version": versionText, "languages": listOf(str), "usage": shape{}.check, "thumbnail": shape{"url": address}.check,
		"configuration": conf.check, "registrations": shape{"enabled": flag, "approval_required": flag}.check, "contact": shape{"email": str, "account": or(account.check)}.check, "rules": listOf(str)}
)

func with(a, b shape) shape {
	out := shape{}
	for _, s := range []shape{a, b} {
		for k, v := range s {
			out[k] = v
		}
	}
	return out
}

// status holds another status, so it cannot be a variable.
func status(v any) string {
	return shape{"id": id, "uri": address, "url": address, "created_at": date, "edited_at": or(date), "account": account.check, "content": str, "spoiler_text": str,
		"visibility": visibility, "sensitive": flag, "language": or(str), "media_attachments": listOf(attachment.check), "mentions": listOf(mention.check),
		"tags": listOf(tag.check), "emojis": emojis, "in_reply_to_id": or(id), "in_reply_to_account_id": or(id), "reblog": or(status), "poll": or(poll.check),
		"card": or(shape{}.check), "replies_count": count, "reblogs_count": count, "favourites_count": count, "favourited": flag, "reblogged": flag,
		"bookmarked": flag, "muted": flag, "pinned": flag, "filtered": listOf(shape{}.check),
		"parley": shape{"audience": str, "owner": str, "narrowed": flag}.check}.check(v)
}

func notification(v any) string {
	kind := text(v, "type")
	needs := shape{"id": id, "type": oneOf("mention", "favourite", "reblog", "follow", "follow_request", "poll", "update", "status", "admin.report"),
		"created_at": date, "account": account.check, "group_key": str, "status": or(status)}
	if kind == "mention" || kind == "favourite" || kind == "reblog" || kind == "poll" {
		needs["status"] = status
	}
	return needs.check(v)
}

// demand checks an answer and fails with what is wrong.
func (a *answer) demand(c check) any {
	a.t.Helper()
	var v any
	a.is(200).into(&v)
	if wrong := c(v); wrong != "" {
		a.t.Errorf("%s: %s in %.600s", a.what, wrong, a.body)
	}
	return v
}

// Everything that two instances have to show, in each of its kinds, is what apps
// can decode.
func TestShapes(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	w, there := people(t, net.Instances[0]), people(t, net.Instances[1])
	reply := aLittleOfEverything(w, there, net)
	statuses := listOf(status)

	for _, c := range []*client{w.alice, w.bob, w.nobs} {
		for _, path := range []string{"/api/v1/timelines/public", "/api/v1/timelines/tag/work", "/api/v1/accounts/" + w.alice.id + "/statuses", "/api/v1/accounts/" + w.alice.id + "/statuses?pinned=true"} {
			c.get(path + "?limit=40").demand(statuses)
		}
	}
	all := 0
	for _, path := range []string{"/api/v1/timelines/home", "/api/v1/timelines/public?remote=true", "/api/v1/bookmarks", "/api/v1/favourites"} {
		list := w.alice.get(path).demand(statuses).([]any)
		all += len(list)
		for _, s := range list {
			own := "/api/v1/statuses/" + text(s, "id")
			w.alice.get(own).demand(status)
			w.alice.get(own + "/context").demand(shape{"ancestors": statuses, "descendants": statuses}.check)
			w.alice.get(own + "/history").demand(listOf(version.check))
			w.alice.get(own + "/favourited_by").demand(listOf(account.check))
			w.alice.get(own + "/reblogged_by").demand(listOf(account.check))
			if at(s, "poll") != nil {
				w.alice.get("/api/v1/polls/" + text(s, "poll.id")).demand(poll.check)
			}
		}
	}
	if all < 12 {
		t.Errorf("only %d posts were there to look at", all)
	}
	thread := w.alice.get("/api/v1/statuses/" + reply + "/context").ok()
	if len(at(thread, "ancestors").([]any)) == 0 {
		t.Error("no thread to look at")
	}
	notes := w.alice.get("/api/v1/notifications?limit=80").demand(listOf(notification)).([]any)
	seen := map[string]bool{}
	for _, n := range notes {
		seen[text(n, "type")] = true
		w.alice.get("/api/v1/notifications/" + text(n, "id")).demand(notification)
	}
	for _, kind := range []string{"mention", "favourite", "reblog", "follow", "follow_request", "poll"} {
		if !seen[kind] {
			t.Errorf("no notification of kind %s to look at", kind)
		}
	}
	w.alice.get("/api/v2/notifications?limit=80").demand(grouped.check)
	w.alice.get("/api/v1/accounts/verify_credentials").demand(own.check)
	found := w.alice.get("/api/v2/search?resolve=true&q=" + url.QueryEscape("bob@"+there.in.Config.Domain)).demand(shape{"accounts": listOf(account.check), "statuses": statuses, "hashtags": listOf(tag.check)}.check)
	bob := text(found, "accounts.0.id")
	w.alice.get("/api/v1/accounts/" + bob).demand(account.check)
	w.alice.get("/api/v1/accounts/lookup?acct=bob@" + there.in.Config.Domain).demand(account.check)
	w.alice.get("/api/v1/accounts/relationships?id[]=" + bob + "&id[]=" + w.bob.id).demand(listOf(rel.check))
	w.alice.get("/api/v1/accounts/" + w.alice.id + "/followers").demand(listOf(account.check))
	w.alice.get("/api/v1/accounts/" + w.alice.id + "/following").demand(listOf(account.check))
	w.alice.get("/api/v1/accounts/search?q=b").demand(listOf(account.check))
	w.alice.get("/api/v1/follow_requests").demand(listOf(account.check))
	for _, c := range []*client{w.alice, w.nobs} {
		c.get("/api/v1/instance").demand(instanceV1.check)
		c.get("/api/v2/instance").demand(instanceV2.check)
	}
	w.alice.get("/api/v1/custom_emojis").demand(emojis)
}

// aLittleOfEverything makes each kind of post, account and notification.
func aLittleOfEverything(w, there *world, net *instancetest.Network) (reply string) {
	w.Helper()
	ctx := context.Background()
	must := func(err error) {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
	}
	must(w.in.Social.SetOrganisation(ctx, social.Organisation{Name: "Müller Logistik", Contact: "alice"}, "test"))
	w.alice.do("PATCH", "/api/v1/accounts/update_credentials", object{"display_name": "Alice", "note": "hello", "fields_attributes": []object{{"name": "Site", "value": "https://a.test"}}}).ok()
	far := text(w.alice.get("/api/v2/search?resolve=true&q="+url.QueryEscape("@bob@"+there.in.Config.Domain)).ok(), "accounts.0.id")
	w.alice.post("/api/v1/accounts/"+far+"/follow", nil).ok()
	w.alice.post("/api/v1/accounts/"+w.bob.id+"/follow", nil).ok()
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	net.Settle()

	picture := text(there.bob.post("/api/v2/media", files{name: "file", file: "g.png", data: picture(w.T, 40, 20)}).ok(), "id")
	pdf := text(there.bob.post("/api/v2/media", files{name: "file", file: "p.pdf", data: []byte("%PDF-1.7")}).ok(), "id")
	there.bob.post("/api/v1/statuses", form{"status": {"look #work"}, "audience": {"public"}, "media_ids[]": {picture, pdf}, "spoiler_text": {"cw"}}).ok()
	there.bob.post("/api/v1/statuses", object{"status": "lunch?", "audience": "company", "poll": object{"options": []string{"soup", "salad"}, "expires_in": 300}}).ok()
	there.bob.write("@alice@"+w.in.Config.Domain+" hi, @nobody@nowhere.invalid", "company")
	net.Settle()

	mine := w.alice.write("of mine #work", "public")
	w.alice.post("/api/v1/statuses/"+mine+"/pin", nil).ok()
	w.bob.post("/api/v1/statuses/"+mine+"/favourite", nil).ok()
	w.bob.post("/api/v1/statuses/"+mine+"/reblog", nil).ok()
	reply = w.bob.write("@alice indeed", "company", "in_reply_to_id", mine)
	quote := w.bob.write("see this", "company", "quoted_status_id", mine)
	upload := text(w.alice.post("/api/v2/media", files{name: "file", file: "g.png", data: []byte("plain")}).demand(attachment.check), "id")
	w.alice.post("/api/v1/statuses", form{"audience": {"direct"}, "media_ids[]": {upload}}).demand(status)
	w.alice.do("PUT", "/api/v1/statuses/"+mine, form{"status": {"of mine, better #work"}}).demand(status)
	for _, s := range w.alice.get("/api/v1/timelines/home").list() {
		for _, act := range []string{"favourite", "bookmark"} {
			w.alice.post("/api/v1/statuses/"+text(s, "id")+"/"+act, nil).demand(status)
		}
	}
	w.alice.post("/api/v1/statuses/"+quote+"/reblog", nil).demand(status)

	ended := text(w.alice.post("/api/v1/statuses", object{"status": "over?", "audience": "company", "poll": object{"options": []string{"a", "b"}, "expires_in": 300}}).ok(), "poll.id")
	must(closePoll(ctx, w.in, ended))
	w.alice.do("PATCH", "/api/v1/accounts/update_credentials", form{"locked": {"true"}}).ok()
	w.member("shy").post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	net.Settle()
	return reply
}

// closePoll moves a poll's end into the past and lets the housekeeping find it.
func closePoll(ctx context.Context, in *instance.Instance, poll string) error {
	id, err := social.ParseID(poll)
	if err != nil {
		return err
	}
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		p, err := tx.Post(ctx, id)
		if err != nil {
			return err
		}
		p.Poll.ExpiresAt = time.Now().Add(-time.Minute)
		return tx.SetPollCounts(ctx, p.Poll)
	}); err != nil {
		return err
	}
	_, err = in.Social.ClosePolls(ctx)
	return err
}

// promises call what apps ask for from a number on.
var promises = map[int]func(*testing.T){
	1: func(t *testing.T) { // with 4.3: grouped notifications have a policy
		w := start(t)
		w.alice.get("/api/v2/notifications/policy").demand(policy.check)
		w.alice.get("/api/v1/notifications/policy").demand(policyV1.check)
		w.alice.do("PATCH", "/api/v2/notifications/policy", object{"for_not_following": "filter"}).demand(policy.check)
		w.bob.write("hello @alice", "company")
		if list := w.alice.get("/api/v1/notifications/requests").demand(listOf(request.check)).([]any); len(list) != 1 {
			t.Errorf("%v", list)
		}
		w.alice.post("/api/v1/notifications/requests/"+w.bob.id+"/accept", nil).ok()
	},
	2: func(t *testing.T) { // grouped notifications
		w := start(t)
		w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
		_, page := w.alice.get("/api/v2/notifications").groups()
		key := text(page, "notification_groups.0.group_key")
		if n := text(w.alice.get("/api/v2/notifications/unread_count").ok(), "count"); n != "1" {
			t.Errorf("%s unread", n)
		}
		w.alice.get("/api/v2/notifications/" + key).demand(grouped.check)
		w.alice.get("/api/v2/notifications/" + key + "/accounts").demand(listOf(account.check))
		w.alice.post("/api/v2/notifications/"+key+"/dismiss", nil).ok()
	},
	3: tokensWithoutPKCEAndWith,
	4: appsSubscribeToPush, // encrypted by the standard, RFC 8291
	5: func(t *testing.T) { // filters that blur
		w := start(t)
		w.alice.post("/api/v2/filters", object{"title": "t", "context": []string{"public"}, "filter_action": "blur", "keywords_attributes": []object{{"keyword": "spoiler"}}}).ok()
		w.bob.write("a spoiler", "company")
		if s := w.alice.get("/api/v1/timelines/public").list()[0]; text(s, "filtered.0.filter.filter_action") != "blur" {
			t.Errorf("%v", s["filtered"])
		}
	},
	6: func(t *testing.T) { // people on a profile
		w := start(t)
		w.alice.post("/api/v1/accounts/"+w.bob.id+"/follow", nil).ok()
		if r := w.alice.post("/api/v1/accounts/"+w.bob.id+"/endorse", nil).ok(); r["endorsed"] != true {
			t.Errorf("%v", r)
		}
		if list := w.bob.get("/api/v1/accounts/" + w.alice.id + "/endorsements").demand(listOf(account.check)).([]any); len(list) != 1 {
			t.Errorf("%v", list)
		}
		w.alice.post("/api/v1/accounts/"+w.bob.id+"/unendorse", nil).ok()
	},
}

// What the version promises is there, and nothing more is promised (rule 2).
func versionPromisesWhatIsThere(t *testing.T) {
	w := start(t)
	v2 := w.nobs.get("/api/v2/instance").ok()
	if v := text(v2, "version"); !strings.HasPrefix(v, "4.3.") {
		t.Errorf("%s: the calls of 4.3 are what is tried here", v)
	}
	if n := text(v2, "api_versions.mastodon"); n != strconv.Itoa(len(promises)) {
		t.Errorf("the number is %s, and what %d promise is tried", n, len(promises))
	}
	for n := 1; n <= len(promises); n++ {
		promises[n](t)
	}
	quoted := w.alice.write("quoted", "company")
	w.alice.post("/api/v1/statuses/"+quoted+"/quotes/"+quoted+"/revoke", nil).refused(404) // 7: who adds it raises the number
}

// The limits that are told are those that hold: what reaches one is taken, what goes
// beyond is refused (rule 19).
func limitsToldAreThoseThatHold(t *testing.T) {
	w := start(t)
	told := at(w.nobs.get("/api/v2/instance").ok(), "configuration")
	if older := at(w.nobs.get("/api/v1/instance").ok(), "configuration"); text(older, "statuses") != text(told, "statuses") || text(older, "polls") != text(told, "polls") || text(older, "media_attachments") != text(told, "media_attachments") {
		t.Errorf("older apps are told %v, not %v", older, told)
	}
	limit := func(name string) int {
		t.Helper()
		n, err := strconv.Atoi(text(told, name))
		if err != nil || n <= 0 {
			t.Fatalf("%s is %v", name, at(told, name))
		}
		return n
	}
	post := func(status int, v object) {
		t.Helper()
		v["audience"] = "company"
		w.alice.post("/api/v1/statuses", v).is(status)
	}
	most := limit("statuses.max_characters")
	post(200, object{"status": strings.Repeat("ä", most)})
	post(422, object{"status": strings.Repeat("ä", most+1)})
	link := "https://example.com/" + strings.Repeat("x", 200)
	most -= limit("statuses.characters_reserved_per_url")
	post(200, object{"status": strings.Repeat("ä", most-1) + " " + link})
	post(422, object{"status": strings.Repeat("ä", most) + " " + link})

	var files []string
	for range limit("statuses.max_media_attachments") + 1 {
		files = append(files, w.alice.picture())
	}
	post(422, object{"status": "x", "media_ids": files})
	post(200, object{"status": "x", "media_ids": files[1:]})

	options := func(n, length int) (all []string) {
		for i := range n {
			all = append(all, strconv.Itoa(i)+strings.Repeat("x", length-1))
		}
		return all
	}
	n, long := limit("polls.max_options"), limit("polls.max_characters_per_option")
	short, late := limit("polls.min_expiration"), limit("polls.max_expiration")
	for _, c := range []struct{ status, options, length, expires int }{
		{200, n, 2, short}, {422, n + 1, 2, short}, {200, 2, long, late}, {422, 2, long + 1, short}, {422, 2, 2, short - 1}, {422, 2, 2, late + 1},
	} {
		post(c.status, object{"status": "?", "poll": object{"options": options(c.options, c.length), "expires_in": c.expires}})
	}

	if size := limit("media_attachments.image_size_limit"); size != int(w.in.Social.Limits.UploadBytes) { // which filesAreKept reaches
		t.Errorf("files of %d bytes are promised, %d taken", size, w.in.Social.Limits.UploadBytes)
	}
	file := "/api/v1/media/" + w.alice.picture()
	words := limit("media_attachments.description_limit")
	if m := w.alice.do("PUT", file, form{"description": {strings.Repeat("ä", words+1)}}).ok(); m["description"] != strings.Repeat("ä", words) {
		t.Errorf("of %d characters that describe a file %d are kept", words+1, len([]rune(text(m, "description"))))
	}
}

// Every kind of file that is told is taken, and served again as that kind; what is taken
// is told.
func fileKindsToldAreTaken(t *testing.T) {
	w := start(t)
	samples := samples(t)
	told := at(w.nobs.get("/api/v2/instance").ok(), "configuration.media_attachments.supported_mime_types").([]any)
	for _, kind := range told {
		sample, ok := samples[fmt.Sprint(kind)]
		if !ok {
			t.Errorf("%s is told, and no file of it tried", kind)
			continue
		}
		delete(samples, fmt.Sprint(kind))
		// Its name says nothing: what counts is what is in it.
		m := w.alice.post("/api/v2/media", files{name: "file", file: "file", data: sample}).ok()
		want, shown := "unknown", fmt.Sprint(kind)
		if strings.HasPrefix(shown, "image/") {
			want = "image"
		}
		got, _, err := mime.ParseMediaType(w.nobs.get(text(m, "url")).is(200).header.Get("Content-Type"))
		fits := got == shown || want == "image" && strings.HasPrefix(got, "image/") // pictures are drawn anew
		if err != nil || m["type"] != want || !fits {
			t.Errorf("%s is kept as %v, and served as %s", kind, m["type"], got)
		}
		w.alice.post("/api/v1/statuses", object{"status": "see", "audience": "company", "media_ids": []string{text(m, "id")}}).ok()
	}
	for kind := range samples {
		t.Errorf("%s is taken, but not told", kind)
	}
}

// samples are small files of each kind that is taken.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	out := map[string][]byte{
		"image/png": picture(t, 4, 4), "text/plain": []byte("plain words"),
		"application/pdf": []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"),
	}
	grey := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.White})
	var jpg, moving bytes.Buffer
	must(jpeg.Encode(&jpg, grey, nil))
	must(gif.Encode(&moving, grey, nil))
	out["image/jpeg"], out["image/gif"] = jpg.Bytes(), moving.Bytes()
	webp, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==") // one point, lossless
	must(err)
	out["image/webp"] = webp
	zipped := func(parts ...string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i := 0; i < len(parts); i += 2 {
			part, err := z.CreateHeader(&zip.FileHeader{Name: parts[i], Method: zip.Store})
			must(err)
			_, err = part.Write([]byte(parts[i+1]))
			must(err)
		}
		must(z.Close())
		return b.Bytes()
	}
	out["application/zip"] = zipped("a.txt", "words")
	for folder, kind := range map[string]string{"word/document.xml": "wordprocessingml.document", "xl/workbook.xml": "spreadsheetml.sheet", "ppt/presentation.xml": "presentationml.presentation"} {
		out["application/vnd.openxmlformats-officedocument."+kind] = zipped("[Content_Types].xml", "<Types/>", folder, "<x/>")
	}
	for _, kind := range []string{"text", "spreadsheet", "presentation"} {
		name := "application/vnd.oasis.opendocument." + kind
		out[name] = zipped("mimetype", name, "content.xml", "<x/>") // first and not packed (ODF 1.3, part 2, 3.3)
	}
	return out
}

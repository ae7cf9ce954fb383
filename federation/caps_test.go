package federation_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"parley/activitypub"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// full are activities of every type with every property that anybody here reads;
// posts of the kinds that are read differently.
func (r *remote) full(alice social.Reader, own string) []map[string]any {
	actor, other := r.actor("mallory"), alice.Account.URI
	follow := map[string]any{"id": r.url("/follows/1"), "type": "Follow", "actor": actor, "object": other}
	out := []map[string]any{
		{"type": "Follow", "object": other}, {"type": "Accept", "object": follow}, {"type": "Reject", "object": follow},
		{"type": "Undo", "object": follow}, {"type": "Undo", "object": map[string]any{"id": r.url("/likes/1"), "type": "Like", "actor": actor, "object": own}},
		{"type": "Like", "object": own, "content": ":x:", "_misskey_reaction": ":x:", "tag": []any{r.emoji()}},
		{"type": "EmojiReact", "object": own, "content": "x", "tag": []any{r.emoji()}},
		{"type": "Announce", "object": own, "published": "2026-01-02T03:04:05Z"},
		{"type": "Add", "object": r.url("/notes/1"), "target": actor + "/featured"}, {"type": "Remove", "object": r.url("/notes/1"), "target": actor + "/featured"},
		{"type": "Block", "object": other}, {"type": "Flag", "object": []any{other, own}, "content": "a report"},
		{"type": "Move", "object": actor, "target": r.actor("victim")},
		{"type": "QuoteRequest", "object": own, "instrument": r.url("/notes/1")}, {"type": "Join", "object": own}, {"type": "Leave", "object": own},
		{"type": "Delete", "object": map[string]any{"id": r.url("/notes/none"), "type": "Tombstone", "formerType": "Note", "deleted": "2026-01-02T03:04:05Z"}},
		{"type": "Update", "object": r.fullPerson()},
	}
	for _, kind := range []string{"Note", "Article", "Question", "Event", "Video"} {
		out = append(out, map[string]any{"type": "Create", "object": r.fullPost(kind, own)})
	}
	out = append(out, map[string]any{"type": "Update", "object": r.fullPost("Question", own)})
	for _, a := range out {
		a["@context"], a["actor"] = []any{"https://www.w3.org/ns/activitystreams", map[string]any{"x": "as:x"}}, actor
		a["to"], a["cc"] = []any{activitypub.Public}, []any{actor + "/followers", other}
	}
	return out
}

func (r *remote) emoji() map[string]any {
	return map[string]any{"id": r.url("/emoji/x"), "type": "Emoji", "name": ":x:", "updated": "2026-01-02T03:04:05Z",
		"icon": map[string]any{"type": "Image", "mediaType": "image/png", "url": r.url("/x.png")}}
}

func (r *remote) fullPerson() map[string]any {
	p := r.person("mallory")
	maps.Copy(p, map[string]any{"name": "Mallory", "summary": "<p>hi</p>", "url": []any{map[string]any{"type": "Link", "href": r.url("/@mallory"), "mediaType": "text/html"}},
		"following": r.actor("mallory") + "/following", "featured": r.actor("mallory") + "/featured", "alsoKnownAs": []any{r.actor("old")}, "movedTo": r.actor("new"),
		"endpoints": map[string]any{"sharedInbox": r.url("/inbox")}, "published": "2026-01-02T03:04:05Z", "discoverable": true,
		"icon": map[string]any{"type": "Image", "mediaType": "image/png", "url": r.url("/a.png")}, "image": map[string]any{"type": "Image", "url": []any{r.url("/h.png")}},
		"attachment": []any{map[string]any{"type": "PropertyValue", "name": "Web", "value": "<a href=\"https://b.test\">b</a>"}}, "tag": []any{r.emoji()},
		"assertionMethod": []any{map[string]any{"id": r.actor("mallory") + "#ed", "type": "Multikey", "controller": r.actor("mallory"), "publicKeyMultibase": "z6Mk"}}})
	return p
}

func (r *remote) fullPost(kind, own string) map[string]any {
	option := func(name string) any {
		return map[string]any{"type": "Note", "name": name, "replies": map[string]any{"type": "Collection", "totalItems": 1}}
	}
	p := r.note(1)
	maps.Copy(p, map[string]any{"type": kind, "name": "A title", "summary": "a summary", "summaryMap": map[string]any{"en": "a summary"},
		"contentMap": map[string]any{"en": "hi"}, "url": []any{map[string]any{"type": "Link", "href": r.url("/v.mp4"), "mediaType": "video/mp4"}},
		"inReplyTo": own, "context": r.url("/contexts/1"), "conversation": "tag:x", "updated": "2026-01-03T03:04:05Z", "mediaType": "text/html",
		"quote": own, "quoteUri": own, "quoteUrl": own, "_misskey_quote": own, "startTime": "2026-01-02T03:04:05Z", "endTime": "2027-01-02T03:04:05Z", "votersCount": 2,
		"cc": []any{r.actor("mallory") + "/followers"}, "bto": []any{own}, "bcc": []any{own}, "audience": []any{r.actor("group")},
		"attachment": []any{map[string]any{"type": "Document", "mediaType": "image/png", "url": r.url("/i.png"), "name": "alt", "blurhash": "UBL", "width": 1}},
		"tag": []any{r.emoji(), map[string]any{"type": "Hashtag", "href": r.url("/tags/x"), "name": "#x"}, map[string]any{"type": "Mention", "href": r.actor("victim"), "name": "@victim"},
			map[string]any{"type": "Link", "href": own, "rel": []any{"https://misskey-hub.net/ns#_misskey_quote"}, "mediaType": "application/activity+json", "name": "RE"}},
		"source": map[string]any{"content": "hi", "mediaType": "text/markdown"}})
	if kind == "Question" {
		p["oneOf"] = []any{option("a"), option("b")}
	}
	return p
}

// Ten times the largest bound of each kind of value, as far as a body can hold it.
const (
	longText = 900 << 10
	longName = 100_000
	longList = 2500
)

// grown calls back once for each string, list and object of a document, grown
// beyond every bound; what grew is named.
func grown(doc any, name string, every bool, with func(name string)) {
	switch v := doc.(type) {
	case map[string]any:
		for key, value := range v {
			at := name + "." + key
			put := func(value any) { v[key] = value }
			switch value := value.(type) {
			case string:
				forms := map[string]any{"long": value + strings.Repeat("x", longName)}
				if every {
					maps.Copy(forms, map[string]any{"many": repeated(value), "zero": value + "\x00", "object": map[string]any{"id": value, "x": value}})
				}
				if every && (key == "content" || key == "summary" || key == "name" || key == "value") {
					forms["huge"] = value + strings.Repeat("<b>ä", longText/5)
				}
				for what, bigger := range forms {
					put(bigger)
					with(at + " " + what)
				}
			case []any:
				if len(value) > 0 {
					put(repeated(value[0]))
					with(at + " many")
				}
			case map[string]any:
				put(wide(value))
				with(at + " wide")
			case int, float64:
				for _, n := range []any{-1, 1e300, "1"} {
					put(n)
					with(fmt.Sprintf("%s %v", at, n))
				}
			}
			put(value)
			if key != "@context" {
				grown(value, at, every, with)
			}
		}
	case []any:
		for i, value := range v {
			if s, ok := value.(string); ok {
				v[i] = s + strings.Repeat("x", longName)
				with(fmt.Sprintf("%s[%d] long", name, i))
				v[i] = value
			}
			grown(value, fmt.Sprintf("%s[%d]", name, i), every, with)
		}
	}
}

func repeated(v any) []any {
	out := make([]any, longList)
	for i := range out {
		if out[i] = v; i > 0 {
			if s, ok := v.(string); ok {
				out[i] = fmt.Sprintf("%s%d", s, i)
			}
		}
	}
	b, _ := json.Marshal(out[:10])
	return out[:min(len(out), 10*800_000/len(b))]
}

func wide(o map[string]any) map[string]any {
	out := maps.Clone(o)
	for i := range longList {
		out[fmt.Sprintf("k%d", i)] = "v"
	}
	out["!"+strings.Repeat("k", longName)] = "v" // the first of a language map
	return out
}

// C3: ten times the bound in each place of each accepted type is stored cut short,
// or refused; nothing breaks, nothing is tried again and again.
func TestC3EveryFieldIsBounded(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	own, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: "mine", Audience: "public"})
	if err != nil {
		t.Fatal(err)
	}
	sent, eighths := 0, instancetest.Many(t, 8, 1)
	for _, doc := range r.full(alice, own.Post.URI) {
		kind := doc["type"].(string)
		o, _ := doc["object"].(map[string]any)
		// One kind of post in every form stands for the others.
		every := kind != "Create" && kind != "Update" || o["type"] == "Note" || o["type"] == "Person"
		grown(doc, kind, every, func(name string) {
			sent++
			if sent%8 >= eighths {
				return
			}
			r.sendGrown(in, doc, kind, name, sent)
			if sent%50 == 0 {
				net.Settle()
			}
		})
	}
	net.Settle()
	t.Logf("%d documents", sent)
	assertNothingBroke(t, in)
	assertStoredBounds(t, in)
	assertShown(t, in, alice)
}

// sendGrown gives a document ids of its own, unless they are what grew.
func (r *remote) sendGrown(in *instance.Instance, doc map[string]any, kind, name string, n int) {
	r.t.Helper()
	doc = maps.Clone(doc)
	if !strings.Contains(name, kind+".id ") {
		doc["id"] = r.url(fmt.Sprintf("/a/%d", n))
	}
	if o, ok := doc["object"].(map[string]any); ok && kind == "Create" && !strings.Contains(name, "object.id ") {
		o = maps.Clone(o)
		o["id"] = r.url(fmt.Sprintf("/notes/%d", n))
		doc["object"] = o
	}
	b, err := json.Marshal(doc)
	if err != nil {
		r.t.Fatal(err)
	}
	switch got := r.do(in.Config.PublicURL+"/inbox", "application/activity+json", b).StatusCode; got {
	case 202, 400, 401, 403, 413:
	default:
		r.t.Errorf("%s: answered %d", name, got)
	}
}

func rows(t *testing.T, in *instance.Instance, query string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(in.Config.DataDir, "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing was written
	found, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close() //nolint:errcheck // Err says whether all were read
	var out []string
	for found.Next() {
		var s string
		if err := found.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func assertNothingBroke(t *testing.T, in *instance.Instance) {
	t.Helper()
	for _, result := range rows(t, in, `SELECT DISTINCT result FROM inbound WHERE result LIKE '%fault%' OR result LIKE '%SQLITE%' OR result LIKE '%constraint%'`) {
		t.Errorf("an activity ended with %.300q", result)
	}
	for _, job := range rows(t, in, `SELECT kind || ' ' || substr(target, 1, 100) || ' ' || attempts || ' ' || substr(last_error, 1, 200) FROM job WHERE kind = 'inbox'`) {
		t.Errorf("still to do: %s", job)
	}
}

// assertStoredBounds looks at each string and list of all that was stored.
func assertStoredBounds(t *testing.T, in *instance.Instance) {
	t.Helper()
	for _, table := range []string{"account", "post"} {
		for _, row := range rows(t, in, `SELECT data FROM `+table) {
			var v any
			if err := json.Unmarshal([]byte(row), &v); err != nil {
				t.Fatal(err)
			}
			assertSmall(t, table, v)
		}
	}
}

func assertSmall(t *testing.T, name string, v any) {
	t.Helper()
	most := 2500 // an address, with what it takes to write it
	for suffix, n := range map[string]int{"content": 4 << 20, "note": 200_000, "value": 20_000, "description": 8000, "title": 2100, "summary": 4100} {
		if strings.HasSuffix(name, "."+suffix) {
			most = n
		}
	}
	switch v := v.(type) {
	case string:
		if len(v) > most {
			t.Errorf("%s holds %d bytes: %.80q", name, len(v), v)
		}
	case []any:
		if len(v) > 200 {
			t.Errorf("%s holds %d entries", name, len(v))
		}
		for _, entry := range v {
			assertSmall(t, name, entry)
		}
	case map[string]any:
		for key, value := range v {
			assertSmall(t, name+"."+key, value)
		}
	}
}

// assertShown reads all that came in as a client and another server do.
func assertShown(t *testing.T, in *instance.Instance, alice social.Reader) {
	t.Helper()
	for page := (social.Page{Limit: 40}); ; {
		views, err := in.Social.Public(context.Background(), alice, page, false, false, social.PostFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range views {
			get(t, in, "/api/v1/statuses/"+v.Post.ID.String())
			page.Max = v.Cursor
		}
		if len(views) == 0 {
			return
		}
	}
}

func get(t *testing.T, in *instance.Instance, path string) {
	t.Helper()
	res, err := http.Get(in.Config.PublicURL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode >= 500 {
		t.Errorf("%s: %d %v", path, res.StatusCode, err)
	}
}

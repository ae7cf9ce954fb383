package activitypub

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite our own golden files, never a peer's fixture")

func TestRefusals(t *testing.T) {
	for name, doc := range map[string]string{
		"duplicate key":    `{"type":"Create","type":"Undo"}`,
		"case variant":     `{"type":"Create","TYPE":"Undo"}`,
		"alias duplicate":  `{"type":"Create","@type":"Undo"}`,
		"nested duplicate": `{"object":{"id":"a","ID":"b"}}`,
		"graph":            `{"@graph":[{"id":"x"}]}`,
		"included":         `{"id":"x","@included":[]}`,
		"reverse":          `{"object":{"@reverse":{}}}`,
		"deep":             strings.Repeat(`{"object":`, 70) + `{}` + strings.Repeat(`}`, 70),
		"tokens":           `{"to":[` + strings.Repeat(`1,`, 21_000) + `1]}`,
		"list":             `[1,2]`,
		"trailing":         `{} {}`,
		"cut off":          `{"type":"Create"`,
		"not utf-8":        "{\"a\":\"\xff\"}",
		"too large":        `{"a":"` + strings.Repeat("x", MaxBytes) + `"}`,
		"empty":            ``,
	} {
		_, err := Parse([]byte(doc))
		var refused *ParseError
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestToleranceInForm(t *testing.T) {
	o, err := Parse([]byte(`{"@context":"https://www.w3.org/ns/activitystreams","@id":"https://b.test/1","type":["as:Note","x:Y"],
		"to":"as:Public","cc":["Public",{"id":"https://b.test/f"}],"attributedTo":[{"type":"Person","id":"https://b.test/u"}],
		"contentMap":{"de":"<p>Hallo</p>"},"tag":{"type":"Mention","href":"https://a.test/u"},"published":"2026-01-02T03:04:05.123+02:00","null":null}`))
	if err != nil {
		t.Fatal(err)
	}
	text, lang := o.Language("content")
	if o.ID() != "https://b.test/1" || o.Type() != Note || o.Ref("attributedTo") != "https://b.test/u" || text != "<p>Hallo</p>" || lang != "de" {
		t.Errorf("%+v %q %q", o, text, lang)
	}
	if to := strings.Join(o.Addressed(), " "); to != Public+" "+Public+" https://b.test/f" {
		t.Error(to)
	}
	if len(o.Objects("tag")) != 1 || o.Objects("tag")[0].Type() != Mention || o.Time("published").Hour() != 1 {
		t.Error("tag or date")
	}
}

func TestCaps(t *testing.T) {
	o, err := Parse([]byte(`{"tag":[` + strings.Repeat(`"x",`, 500) + `"x"],"id":"https://` + strings.Repeat("a", 3000) + `"}`))
	if err != nil || len(o.Objects("tag")) != 150 || o.ID() != "" {
		t.Errorf("%v %d %q", err, len(o.Objects("tag")), o.ID())
	}
}

// PostgreSQL keeps no zero bytes: nothing that is looked up may hold one.
func TestZeroBytesAreDropped(t *testing.T) {
	o, err := Parse([]byte(`{"id":"https://b.test/\u0000x","object":["a\u0000"],"contentMap":{"de":"\u0000b"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := o.Language("content"); o.ID() != "https://b.test/x" || o.Ref("object") != "a" || text != "b" {
		t.Errorf("%q", o)
	}
}

// What other servers send is read the same way for ever, and unknown properties
// survive being parsed and written again.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".golden.json") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		o, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got, err := json.MarshalIndent(summary(o), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(file, ".json") + ".golden.json"
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(want) != string(got)+"\n" {
			t.Errorf("%s reads as\n%s\nwant\n%s %v", file, got, want, err)
		}
		again, err := Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) < MaxBytes {
			back, err := Parse(again)
			if err != nil {
				t.Errorf("%s: written form: %v", file, err)
			}
			for key := range o {
				if !back.Has(key) {
					t.Errorf("%s: %s got lost", file, key)
				}
			}
		}
	}
}

func summary(o Object) map[string]any {
	text, lang := o.Language("content")
	m := map[string]any{"id": o.ID(), "type": o.Type(), "actor": o.Ref("actor"), "object": o.Ref("object"), "addressed": o.Addressed(),
		"content": text, "language": lang, "author": o.Ref("attributedTo"), "published": o.Time("published"), "inReplyTo": o.Ref("inReplyTo")}
	var tags []string
	for _, t := range o.Objects("tag") {
		tags = append(tags, t.Type()+" "+t.Text("name"))
	}
	m["tags"] = tags
	if inner, ok := o.Embedded("object"); ok {
		m["embedded"] = summary(inner)
	}
	if o.IsActor() {
		keys := []string{}
		for _, k := range o.Objects("publicKey") {
			keys = append(keys, k.ID())
		}
		m["inbox"], m["keys"], m["name"] = o.Ref("inbox"), keys, o.Text("preferredUsername")
	}
	for _, key := range []string{"url", "quote", "quoteUri", "_misskey_quote", "quoteAuthorization", "target", "result", "instrument", "movedTo", "alsoKnownAs",
		"featured", "interactingObject", "interactionTarget", "orderedItems", "next", "preview", "context"} {
		if refs := o.Refs(key); len(refs) > 0 {
			m[key] = refs
		}
	}
	for _, key := range []string{"attachment", "oneOf", "anyOf"} {
		var texts []string
		for _, e := range o.Objects(key) {
			texts = append(texts, strings.TrimSpace(strings.Join([]string{e.Type(), e.Text("mediaType"), e.Text("name"), e.Ref("url"), e.Text("href")}, " ")))
		}
		if texts != nil {
			m[key] = texts
		}
	}
	for _, key := range []string{"endTime", "closed", "startTime", "updated"} {
		if at := o.Time(key); !at.IsZero() {
			m[key] = at
		}
	}
	for _, key := range []string{"summary", "name"} {
		if text, language := o.Language(key); text != "" && key != "name" || language != "" {
			m[key+" of the post"] = strings.TrimSpace(language + " " + text)
		}
	}
	for k, v := range m {
		if v == "" || v == nil {
			delete(m, k)
		}
	}
	return m
}

// The vocabulary that this package promises, each type sorted as what it is.
func TestVocabulary(t *testing.T) {
	for kind, types := range map[string]string{
		"actor":    "Person Service Group Organization Application",
		"post":     "Note Article Page Question Event Image Document Audio Video",
		"activity": "Create Update Delete Follow Accept Reject Undo Like EmojiReact Announce Add Remove Block Flag Move QuoteRequest Join Leave",
		"":         "Tombstone Mention Hashtag Emoji PropertyValue Collection OrderedCollection CollectionPage OrderedCollectionPage Unheard",
	} {
		for _, name := range strings.Fields(types) {
			for _, written := range []any{name, "as:" + name, []any{"x:Other", name}} {
				b, err := json.Marshal(map[string]any{"@type": written})
				if err != nil {
					t.Fatal(err)
				}
				o, err := Parse(b)
				if err != nil {
					t.Fatal(err)
				}
				got := map[bool]string{o.IsActor(): "actor", o.IsPost(): "post", o.IsActivity(): "activity"}[true]
				if got != kind || kind != "" && o.Type() != name {
					t.Errorf("%v is %q of the kind %q, want %q", written, o.Type(), got, kind)
				}
			}
		}
	}
}

func TestAuthority(t *testing.T) {
	for in, want := range map[string]string{
		"https://VICTIM.example/x":      "victim.example",
		"https://victim.example:443":    "victim.example",
		"https://victim.example:8443/":  "victim.example:8443",
		"http://127.0.0.1:80/":          "127.0.0.1",
		"https://münchen.example":       "xn--mnchen-3ya.example",
		"https://victim.example./":      "",
		"https://u:p@victim.example/":   "",
		"https://victim%2eexample/":     "",
		"https://xn--victim-.example/":  "",
		"ftp://victim.example":          "",
		"https://0x7f.1/":               "",
		"https://2130706433/":           "",
		"https://":                      "",
		"https://a..b/":                 "",
		"javascript:alert(1)":           "",
		"https://[::1]:8443/":           "[::1]:8443",
		"https://xn--80ak6aa92e.com/aa": "xn--80ak6aa92e.com",
	} {
		got, err := Authority(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q %v, want %q", in, got, err, want)
		}
	}
}

func TestParseResource(t *testing.T) {
	for in, want := range map[string]string{
		"acct:bob@B.test": "bob b.test", "@bob@b.test:8080": "bob b.test:8080", "acct:bob": "", "acct:@b.test": "", "acct:a b@c.test": "",
		"acct:bob@b.test@c.test": "", "acct:bob@b.test.": "",
	} {
		name, host, _, err := ParseResource(in)
		got := strings.TrimSpace(name + " " + host)
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	doc, err := os.ReadFile("testdata/mastodon/create_note.json")
	if err != nil {
		b.Fatal(err)
	}
	for name, doc := range map[string][]byte{
		"note":    doc,
		"objects": []byte(`{"x":[` + strings.Repeat("{},", MaxTokens/2-10) + `1]}`),
		"keys":    []byte(`{"x":{` + keys(MaxTokens/2-10, 90) + `}}`),
		"text":    []byte(`{"x":"` + strings.Repeat("x", MaxBytes-20) + `"}`),
		"escapes": []byte(`{"x":"` + strings.Repeat(`\n`, MaxBytes/2-20) + `"}`),
		"refused": []byte(`{"x":[` + strings.Repeat("{},", MaxBytes/3-20) + `1]}`),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, err := Parse(doc); (err != nil) != (name == "refused") {
					b.Fatal(err)
				}
			}
		})
	}
}

func keys(n, length int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%0*d":1,`, length, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

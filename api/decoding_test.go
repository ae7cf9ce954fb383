package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// decoder is what an app needs of what it decodes: testdata/decoding has a schema for each
// shape that it asks for.
type decoder struct {
	app      string
	document object
	compiler *jsonschema.Compiler
}

// decoders are the apps that are strictest, each in its own way.
func decoders(t *testing.T) (all []*decoder) {
	t.Helper()
	for _, app := range []string{"tusky", "android", "icecubes"} {
		b, err := os.ReadFile(filepath.Join("testdata", "decoding", app+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(app, err)
		}
		d := &decoder{app, v.(object), jsonschema.NewCompiler()}
		d.compiler.AssertFormat()
		if err := d.compiler.AddResource(app+".json", v); err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// asks says whether the app asks for things of a shape at all.
func (d *decoder) asks(shape string) bool { return at(d.document["$defs"], shape) != nil }

// decode says why the app would not read something; nil if it would.
func (d *decoder) decode(shape string, v any) error {
	s, err := d.compiler.Compile(d.app + ".json#/$defs/" + shape)
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// elements are the things of a shape that were told, in lists or alone.
func elements(all []told, shape string) (list []any) {
	for _, one := range all {
		if one.shape != shape {
			continue
		}
		if of, is := one.value.([]any); is {
			list = append(list, of...)
		} else {
			list = append(list, one.value)
		}
	}
	return list
}

// What an instance that has everything tells is what Tusky, Mastodon for Android and
// IceCubes can decode; and what is damaged as servers damage it, each of them refuses: else
// the schemas would prove nothing.
func TestAppsDecodeWhatTheyAreTold(t *testing.T) {
	all := gather(t)
	var shapes []string
	for _, one := range all {
		if !slices.Contains(shapes, one.shape) {
			shapes = append(shapes, one.shape)
		}
	}
	for _, d := range decoders(t) {
		t.Run(d.app, func(t *testing.T) {
			for _, shape := range shapes {
				if !d.asks(shape) {
					if !slices.Contains(unasked[d.app], shape) {
						t.Errorf("no schema for %s", shape)
					}
					continue
				}
				list := elements(all, shape)
				if len(list) == 0 && shape != "emoji" { // which there are none of
					t.Errorf("no %s to look at", shape)
				}
				for _, v := range list {
					if err := d.decode(shape, v); err != nil {
						t.Errorf("%s: %v", shape, err)
					}
				}
			}
			tried := map[string]bool{}
			for _, c := range damages {
				if c.apps != "" && !strings.Contains(c.apps, d.app) || !d.asks(c.shape) {
					continue
				}
				tried[c.shape] = true
				v := damaged(elements(all, c.shape), c.path, c.value)
				if v == nil {
					t.Errorf("no %s with %s to damage", c.shape, c.path)
				} else if d.decode(c.shape, v) == nil {
					t.Errorf("%s with %s = %v is read", c.shape, c.path, c.value)
				}
			}
			for _, shape := range shapes {
				if d.asks(shape) && !tried[shape] && shape != "emoji" {
					t.Errorf("%s is never damaged", shape)
				}
			}
		})
	}
}

// unasked are the shapes that an app has no use for.
var unasked = map[string][]string{"tusky": {"preferences"}, "android": {"conversation", "scheduled"}, "icecubes": {"source", "scheduled"}}

// damages are what servers got wrong, or could: null where something must be, a word that
// nobody knows, a number for an id, a date that is none.
var damages = []struct {
	shape, path string
	value       any
	apps        string // all, if empty
}{
	{"status", "id", json.Number("116000000000000001"), ""}, {"status", "id", nil, ""}, {"status", "id", "01JD7Q3ZK8", "tusky icecubes"},
	{"status", "visibility", "company", ""}, {"status", "visibility", nil, ""}, {"status", "reblog.visibility", "company", ""},
	{"status", "account", nil, ""}, {"status", "account.id", json.Number("1"), ""}, {"status", "account.acct", nil, ""}, {"status", "account.avatar", nil, ""},
	{"status", "account.header", nil, "android icecubes"}, {"status", "account.avatar", "missing.png", "icecubes"}, {"status", "account.fields", nil, "icecubes"},
	{"status", "content", nil, "tusky icecubes"}, {"status", "uri", nil, "android"}, {"status", "spoiler_text", nil, ""}, {"status", "emojis", nil, ""}, {"status", "mentions", nil, ""},
	{"status", "tags", nil, "android icecubes"}, {"status", "tags.0.name", nil, ""}, {"status", "mentions.0.url", nil, ""}, {"status", "mentions.0.id", json.Number("1"), ""},
	{"status", "media_attachments", nil, ""}, {"status", "media_attachments.0.type", "pdf", ""}, {"status", "media_attachments.0.url", nil, "tusky android"}, {"status", "media_attachments.0.meta.original.width", "40", ""},
	{"status", "created_at", nil, ""}, {"status", "created_at", "yesterday", ""}, {"status", "created_at", "2026-11-24T10:00:00Z", "icecubes"}, {"status", "created_at", json.Number("1764000000"), ""},
	{"status", "replies_count", nil, "tusky icecubes"}, {"status", "sensitive", nil, "tusky icecubes"}, {"status", "favourited", "yes", ""},
	{"status", "filtered.0.filter", nil, ""}, {"status", "filtered.0.filter.filter_action", "burn", "tusky icecubes"}, {"status", "poll.options", nil, ""}, {"status", "quote.state", "good", "android"},
	{"context", "ancestors", nil, ""}, {"context", "descendants.0.visibility", "company", ""},
	{"poll", "options", nil, ""}, {"poll", "own_votes", nil, "tusky android"}, {"poll", "id", json.Number("1"), ""}, {"poll", "options.0.title", nil, ""}, {"poll", "expires_at", "soon", ""},
	{"edit", "created_at", nil, ""}, {"edit", "emojis", nil, ""}, {"edit", "content", nil, "tusky icecubes"}, {"edit", "account", nil, "tusky android"},
	{"source", "text", nil, ""}, {"source", "id", json.Number("1"), ""},
	{"media", "type", "pdf", ""}, {"media", "type", nil, ""}, {"media", "url", nil, "tusky android"}, {"media", "id", json.Number("1"), ""},
	{"notification", "type", "applause", ""}, {"notification", "account", nil, ""}, {"notification", "id", json.Number("1"), ""}, {"notification", "created_at", nil, "android icecubes"}, {"notification", "status.visibility", "company", ""},
	{"account", "id", json.Number("1"), ""}, {"account", "note", nil, ""}, {"account", "url", nil, "tusky android"}, {"account", "avatar", nil, ""}, {"account", "header", nil, ""}, {"account", "created_at", nil, ""},
	{"account", "fields.0.value", nil, ""}, {"account", "emojis", nil, "tusky icecubes"}, {"account", "bot", nil, "icecubes"},
	{"own", "source", nil, ""}, {"own", "source.privacy", "company", ""}, {"own", "source.note", nil, "android icecubes"}, {"own", "source.fields", nil, ""},
	{"relationship", "id", nil, ""}, {"relationship", "id", json.Number("1"), ""}, {"relationship", "following", nil, "tusky"}, {"relationship", "following", "yes", ""},
	{"list", "id", json.Number("1"), ""}, {"list", "title", nil, ""}, {"list", "replies_policy", "all", "android icecubes"},
	{"filter", "id", json.Number("1"), ""}, {"filter", "filter_action", "burn", ""}, {"filter", "context.0", "everywhere", ""}, {"filter", "context", nil, ""}, {"filter", "keywords.0.keyword", nil, ""}, {"filter", "expires_at", "soon", ""},
	{"conversation", "accounts", nil, ""}, {"conversation", "unread", nil, ""}, {"conversation", "last_status.visibility", "company", ""},
	{"search", "accounts.0.id", json.Number("1"), ""}, {"search", "statuses", nil, "tusky icecubes"}, {"search", "statuses.0.visibility", "company", ""}, {"search", "hashtags.0.name", nil, ""},
	{"scheduled", "params", nil, ""}, {"scheduled", "params.visibility", "company", ""}, {"scheduled", "scheduled_at", "soon", ""}, {"scheduled", "media_attachments", nil, ""},
	{"markers", "home.last_read_id", json.Number("1"), ""}, {"markers", "home.updated_at", nil, ""}, {"markers", "notifications.version", nil, ""},
	{"preferences", "posting:default:visibility", "company", ""}, {"preferences", "reading:expand:media", "some", ""},
	{"tag", "name", nil, ""}, {"tag", "url", nil, ""}, {"tag", "following", "yes", ""},
	{"instance_v1", "version", nil, ""}, {"instance_v1", "uri", nil, "tusky android"}, {"instance_v1", "email", nil, "android icecubes"}, {"instance_v1", "configuration.statuses.max_characters", "many", ""},
	{"instance_v2", "domain", nil, ""}, {"instance_v2", "version", nil, ""}, {"instance_v2", "version", "Parley 4.2", "icecubes"}, {"instance_v2", "registrations", nil, "android icecubes"}, {"instance_v2", "contact", nil, "icecubes"},
	{"instance_v2", "configuration.statuses.max_characters", "many", ""}, {"instance_v2", "configuration.accounts.max_featured_tags", nil, "tusky"},
}

// damaged is a copy of the first thing that has something at a path, with another value
// there; nil if none has.
func damaged(list []any, path string, value any) any {
	for _, v := range list {
		if at(v, path) == nil {
			continue
		}
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			panic(err)
		}
		in, last := whole, path
		if dot := strings.LastIndex(path, "."); dot > 0 {
			in, last = at(whole, path[:dot]), path[dot+1:]
		}
		switch in := in.(type) {
		case object:
			in[last] = value
		case []any:
			i, err := strconv.Atoi(last)
			if err != nil {
				panic(fmt.Sprint(path, " names no element"))
			}
			in[i] = value
		}
		return whole
	}
	return nil
}

// Package activitypub is the vocabulary: ActivityStreams objects parsed tolerantly
// and within bounds, one exact form out, and the documents of WebFinger,
// host-meta and NodeInfo. It knows neither databases nor our policies.
//
//	note, err := activitypub.Parse(body)
//	note.Ref("attributedTo"), note.Text("content"), note.Refs("to")
package activitypub

import (
	"strings"
	"time"
)

// Object is anything of ActivityStreams: an actor, a post, an activity, a
// collection. It keeps every property it came with, so unknown ones survive a
// store-and-forward; the accessors take each in any form that servers send.
type Object map[string]any

// Public is the collection of everybody (AS2 vocabulary 5.6).
const Public = "https://www.w3.org/ns/activitystreams#Public"

// Types that this package knows by name.
const (
	Person, Service, Group, Organization, Application = "Person", "Service", "Group", "Organization", "Application"

	Note, Article, Page, Question, Event  = "Note", "Article", "Page", "Question", "Event"
	Image, Document, Audio, Video         = "Image", "Document", "Audio", "Video"
	Tombstone, Mention, Hashtag, Emoji    = "Tombstone", "Mention", "Hashtag", "Emoji"
	PropertyValue                         = "PropertyValue"
	DirectoryEntry                        = "DirectoryEntry" // ours: a person of a directory
	Collection, OrderedCollection         = "Collection", "OrderedCollection"
	CollectionPage, OrderedCollectionPage = "CollectionPage", "OrderedCollectionPage"

	Create, Update, Delete, Follow, Accept, Reject = "Create", "Update", "Delete", "Follow", "Accept", "Reject"
	Undo, Like, EmojiReact, Announce, Add, Remove  = "Undo", "Like", "EmojiReact", "Announce", "Add", "Remove"
	Block, Flag, Move, QuoteRequest, Join, Leave   = "Block", "Flag", "Move", "QuoteRequest", "Join", "Leave"
)

var (
	actorTypes    = set(Person, Service, Group, Organization, Application)
	postTypes     = set(Note, Article, Page, Question, Event, Image, Document, Audio, Video)
	activityTypes = set(Create, Update, Delete, Follow, Accept, Reject, Undo, Like, EmojiReact, Announce, Add, Remove,
		Block, Flag, Move, QuoteRequest, Join, Leave)
)

func set(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[n] = true
	}
	return out
}

// IsActor, IsPost and IsActivity sort objects by their type.
func (o Object) IsActor() bool { return actorTypes[o.Type()] }

// IsPost says that the object is something people read.
func (o Object) IsPost() bool { return postTypes[o.Type()] }

// IsActivity says that the object is something an actor does.
func (o Object) IsActivity() bool { return activityTypes[o.Type()] }

// ID is the object's URI, "" when it has none.
func (o Object) ID() string { return text(o["id"]) }

// Type is the first type that this package knows, else the first.
func (o Object) Type() string {
	types := o.Strings("type")
	for _, t := range types {
		if actorTypes[t] || postTypes[t] || activityTypes[t] {
			return t
		}
	}
	if len(types) > 0 {
		return types[0]
	}
	return ""
}

// Has says that a property is there and not null.
func (o Object) Has(key string) bool { return o[key] != nil }

// Text is a property as text: a string, or the first of several.
func (o Object) Text(key string) string { return text(o[key]) }

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			return text(v[0])
		}
	}
	return ""
}

// Strings lists a property that is one or many strings.
func (o Object) Strings(key string) []string {
	var out []string
	for _, v := range many(o[key]) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func many(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// Ref is the URI a property points to: itself, or the id (of links: the href) of
// an embedded object.
func (o Object) Ref(key string) string {
	refs := o.Refs(key)
	if len(refs) == 0 {
		return ""
	}
	return refs[0]
}

// Refs lists the URIs a property points to.
func (o Object) Refs(key string) []string {
	var out []string
	for _, v := range many(o[key]) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case Object:
			if id := v.ID(); id != "" {
				out = append(out, id)
			} else if href := v.Text("href"); href != "" {
				out = append(out, href)
			}
		}
	}
	return out
}

// Embedded is the object a property holds; false when it is absent or only a URI.
func (o Object) Embedded(key string) (Object, bool) {
	for _, v := range many(o[key]) {
		if e, ok := v.(Object); ok {
			return e, true
		}
	}
	return nil, false
}

// Objects lists what a property holds; bare URIs become objects with only an id.
func (o Object) Objects(key string) []Object {
	var out []Object
	for _, v := range many(o[key]) {
		switch v := v.(type) {
		case Object:
			out = append(out, v)
		case string:
			out = append(out, Object{"id": v})
		}
	}
	return out
}

// Bool is true only for a true.
func (o Object) Bool(key string) bool { b, _ := o[key].(bool); return b }

// Int is a whole number, zero when it is none or beyond 2^53.
func (o Object) Int(key string) int {
	f, _ := o[key].(float64)
	if f != f || f > 1<<53 || f < -(1<<53) {
		return 0
	}
	return int(f)
}

// Time is a date; zero when there is none that can be read.
func (o Object) Time(key string) time.Time {
	s := o.Text(key)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1970 && t.Year() < 10000 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Language picks the text and language of a property and its map: the plain
// property where there is one, else the map's only or alphabetically first entry.
func (o Object) Language(key string) (text, language string) {
	text = o.Text(key)
	texts, _ := o[key+"Map"].(Object)
	for lang, v := range texts {
		s, ok := v.(string)
		switch {
		case !ok:
		case text != "" && s == text, text == "" && (language == "" || lang < language):
			language = lang
		}
	}
	if text == "" && language != "" {
		text = texts.Text(language)
	}
	return text, language
}

// Addressed lists everybody in to, cc, bto, bcc and audience, Public in its one form.
func (o Object) Addressed() []string {
	var out []string
	for _, key := range []string{"to", "cc", "bto", "bcc", "audience"} {
		out = append(out, o.Recipients(key)...)
	}
	return out
}

// Recipients lists one addressing property, Public in its one form.
func (o Object) Recipients(key string) []string {
	refs := o.Refs(key)
	for i, r := range refs {
		if r == "as:Public" || r == "Public" {
			refs[i] = Public
		}
	}
	return refs
}

// OwnTypes strips the prefix that some servers write before type names.
func ownType(s string) string { return strings.TrimPrefix(s, "as:") }

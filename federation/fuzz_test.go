package federation_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/activitypub"
	"parley/federation"
	"parley/instance/instancetest"
	"parley/social"
)

// FuzzObject: whatever a document holds, what federation keeps of it is bounded,
// safe to show, and never for more people than it was addressed to.
func FuzzObject(f *testing.F) {
	files, err := filepath.Glob("../activitypub/testdata/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no fixtures", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if strings.HasSuffix(file, ".golden.json") {
			continue
		}
		f.Add(b)
		if o, err := activitypub.Parse(b); err == nil {
			if e, ok := o.Embedded("object"); ok {
				if b, err = activitypub.Marshal(e); err == nil {
					f.Add(b)
				}
			}
		}
	}
	in := instancetest.New(f, 1, nil).Instances[0]
	s := in.Federation
	author := &social.Account{Kind: social.KindPerson, Username: "mallory", Authority: "peer.test", URI: "https://peer.test/u", FollowersURI: "https://peer.test/u/followers"}
	if err := in.Social.SetZone(context.Background(), author.Authority, social.Zone{Kind: social.ZonePartner, Name: "x"}, "test", "test"); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := activitypub.Parse(b)
		if err != nil {
			return
		}
		if s.Shape(o) == nil && (!o.IsActivity() || o.Ref("actor") == "") {
			t.Error("shapeless")
		}
		assertActor(t, s, o)
		for _, post := range append([]activitypub.Object{o}, o.Objects("object")...) {
			assertPost(t, s, author, post)
		}
	})
}

func assertActor(t *testing.T, s *federation.Server, o activitypub.Object) {
	t.Helper()
	a, keys, err := s.ReadActor(o)
	if err != nil {
		return
	}
	if authority, err := activitypub.Authority(a.URI); err != nil || authority != a.Authority || !o.IsActor() {
		t.Errorf("%q is of %q", a.URI, a.Authority)
	}
	for _, uri := range []string{a.InboxURI, a.OutboxURI, a.FollowersURI, a.FollowingURI, a.FeaturedURI, a.SharedInboxURI} {
		if uri != "" && !activitypub.SameAuthority(uri, a.URI) {
			t.Errorf("%q of %q is on another server", uri, a.URI)
		}
	}
	for _, address := range []string{a.URL, a.AvatarURL, a.HeaderURL} {
		assertWeb(t, address)
	}
	for _, k := range keys {
		if !strings.HasPrefix(k.URI, a.URI) {
			t.Errorf("the key %q is not of %q", k.URI, a.URI)
		}
	}
	assertEmojis(t, a.Emojis)
	assertText(t, a.DisplayName, 200)
	assertText(t, a.Username, 200)
	if len(a.Fields) > 20 || len(a.AlsoKnownAs) > 50 || len(keys) > 20 {
		t.Errorf("%d fields, %d aliases, %d keys", len(a.Fields), len(a.AlsoKnownAs), len(keys))
	}
}

func assertPost(t *testing.T, s *federation.Server, author *social.Account, o activitypub.Object) {
	t.Helper()
	ctx := context.Background()
	if _, err := activitypub.Authority(o.ID()); err != nil {
		return // refused before: a post has an address of its author's server
	}
	p, err := s.ReadPost(ctx, author, o)
	if err != nil {
		t.Errorf("not read: %v", err)
		return
	}
	assertWeb(t, p.URL)
	assertEmojis(t, p.Emojis)
	assertText(t, p.Title, 500)
	assertText(t, p.Summary, 1000)
	assertText(t, p.Language, 35)
	if len(p.Tags) > federation.MaxTags || len(p.Mentions) > 2*federation.MaxTags || len(p.Attachments) > federation.MaxAttachments {
		t.Errorf("%d tags, %d mentions, %d attachments", len(p.Tags), len(p.Mentions), len(p.Attachments))
	}
	for _, tag := range p.Tags {
		assertText(t, tag, 200)
	}
	for _, a := range p.Attachments {
		assertWeb(t, a.URL)
		assertText(t, a.Description, 1500)
		if a.Width < 0 || a.Height < 0 || len(a.Blurhash) > 100 || len(a.MediaType) > 100 {
			t.Errorf("%+v", a)
		}
	}
	if p.Poll != nil {
		if len(p.Poll.Options) > federation.MaxOptions || p.Poll.Voters < 0 {
			t.Errorf("%+v", p.Poll)
		}
		for _, option := range p.Poll.Options {
			assertText(t, option.Title, 500)
			if option.Votes < 0 {
				t.Errorf("%+v", option)
			}
		}
	}
	assertAudience(t, author, o, p.Audience)
	raw, err := federation.Raw(o)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := activitypub.Parse(raw); err == nil && (kept.Has("bto") || kept.Has("bcc")) {
		t.Error("a blind copy was kept")
	}
}

// assertAudience: nothing is wider than the addressing says.
func assertAudience(t *testing.T, author *social.Account, o activitypub.Object, a social.Audience) {
	t.Helper()
	addressed := strings.Join(append(o.Recipients("to"), o.Recipients("cc")...), " ") + " "
	want := map[social.AudienceKind]string{social.AudiencePublic: activitypub.Public + " ", social.AudienceUnlisted: activitypub.Public + " ",
		social.AudienceFollowers: author.FollowersURI + " ", social.AudienceCompany: "/audiences/company ", social.AudiencePartner: "/audiences/partner/"}[a.Kind]
	if !strings.Contains(addressed, want) {
		t.Errorf("%s for what is addressed to %q", a.Kind, addressed)
	}
	if a.Kind == social.AudienceCompany {
		t.Errorf("a partner wrote for the company: %q", addressed)
	}
}

func assertWeb(t *testing.T, address string) {
	t.Helper()
	if address == "" {
		return
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(address) > activitypub.MaxURI {
		t.Errorf("%.100q is not an address for people", address)
	}
}

func assertText(t *testing.T, s string, most int) {
	t.Helper()
	if n := utf8.RuneCountInString(s); n > most || !utf8.ValidString(s) || strings.ContainsAny(s, "\n\u202e\u2066") {
		t.Errorf("%.100q has %d characters, at most %d", s, n, most)
	}
}

func assertEmojis(t *testing.T, list []social.Emoji) {
	t.Helper()
	if len(list) > federation.MaxTags {
		t.Errorf("%d emojis", len(list))
	}
	for _, e := range list {
		assertWeb(t, e.URL)
		if e.Shortcode == "" || len(e.Shortcode) > 64 || strings.ContainsAny(e.Shortcode, ":<>\" ") {
			t.Errorf("%+v", e)
		}
	}
}

// FuzzCursor: a page's bound is one of ours or none.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"page=true&max_id=115000000000000000", "max_id=-1", "max_id=007", "max_id=%31&max_id=2", "max_id=1;x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/users/1/outbox", bytes.NewReader(nil))
		r.URL.RawQuery = query
		id := federation.Cursor(r, "max_id")
		if id < 0 || id > 0 && r.URL.Query().Get("max_id") != id.String() {
			t.Errorf("%q gives %s", query, id)
		}
	})
}

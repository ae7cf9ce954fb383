package web_test

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// A feed holds what everybody may see, whoever asks; it is well-formed whatever
// people write (T60: RSS/Atom).
func TestAFeedHoldsOnlyWhatEverybodyMaySee(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice := net.Member(in, "alice")
	for _, audience := range []string{"direct", "followers", "instance", "company", "partner:acme"} {
		if _, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: "secret for " + audience, Audience: audience}); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"plain", canary + " & \x0b ]]>", strings.Repeat("ä", 200)} {
		if _, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: text, Audience: "public"}); err != nil {
			t.Fatal(err)
		}
	}
	signedIn := newVisitor(t, in, "en").as(alice)
	for name, client := range map[string]*http.Client{"signed out": http.DefaultClient, "the author": signedIn.client} {
		res, err := client.Get(in.Config.PublicURL + "/@alice.atom")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close() // only read
		var f struct {
			Entries []struct {
				ID    string `xml:"id"`
				Title string `xml:"title"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal(body, &f); err != nil {
			t.Fatalf("%s: %v in %s", name, err, body)
		}
		if len(f.Entries) != 3 || f.Entries[2].Title != "plain" || !strings.HasPrefix(f.Entries[2].ID, in.Config.PublicURL+"/users/") {
			t.Errorf("%s: %+v", name, f.Entries)
		}
		if n := len([]rune(f.Entries[0].Title)); n != 81 {
			t.Errorf("a title of %d characters", n)
		}
		if strings.Contains(string(body), "secret") || res.Header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
			t.Errorf("%s: %v\n%s", name, res.Header, body)
		}
	}
	res, err := http.Get(in.Config.PublicURL + "/@alice.rss")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	var r struct {
		Titles []string `xml:"channel>item>title"`
		Links  []string `xml:"channel>item>link"`
	}
	if err := xml.NewDecoder(res.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	if len(r.Titles) != 3 || r.Titles[2] != "plain" || !strings.HasPrefix(r.Links[2], in.Config.PublicURL+"/@alice/") || res.Header.Get("Content-Type") != "application/rss+xml; charset=utf-8" {
		t.Errorf("as RSS: %v %+v", res.Header, r)
	}
	if page := newVisitor(t, in, "en").get("/@alice", 200); !strings.Contains(page.raw, `href="`+in.Config.PublicURL+`/@alice.atom"`) {
		t.Error("a profile does not name its feed")
	}
	newVisitor(t, in, "en").get("/@nobody.atom", 404)
	if err := in.Social.Suspend(context.Background(), alice.Account.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	newVisitor(t, in, "en").get("/@alice.atom", 404)
	newVisitor(t, in, "en").get("/@alice.rss", 404)
}

// Feeds of all posts and of a topic hold what is public, announced on their pages, and say
// that nothing changed until something did: an edit and a deletion too.
func TestFeedsOfAllAndOfATopic(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice := net.Member(in, "alice")
	posts := map[string]social.ID{}
	for _, audience := range []string{"direct", "followers", "instance", "company", "unlisted", "public"} {
		v, err := in.Social.Publish(ctx, alice, social.Draft{Text: "the " + strings.Replace(audience, "unlisted", "quiet", 1) + " one #plan", Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		posts[audience] = v.Post.ID
	}
	other, err := in.Social.Publish(ctx, alice, social.Draft{Text: "another thing", Audience: "public"})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, header ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest("GET", in.Config.PublicURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // only read
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	feeds := []string{"/public.atom", "/public.rss", "/tags/plan.atom", "/tags/Plan.rss", "/@alice.atom", "/@alice.rss"}
	tags := map[string]string{}
	for _, path := range feeds {
		res, body := get(path)
		if err := xml.Unmarshal([]byte(body), new(struct{})); err != nil || res.StatusCode != 200 {
			t.Errorf("%s: %d, %v", path, res.StatusCode, err)
		}
		for _, hidden := range []string{"the direct", "the followers", "the instance", "the company"} {
			if strings.Contains(body, hidden) {
				t.Errorf("%s tells of %s", path, hidden)
			}
		}
		all, mine := strings.HasPrefix(path, "/public"), strings.HasPrefix(path, "/@")
		if !strings.Contains(body, "the public one") || strings.Contains(body, "the quiet one") != mine || strings.Contains(body, "another thing") != (all || mine) {
			t.Errorf("%s: %s", path, body)
		}
		// Caches give one copy to readers of every language.
		if _, german := get(path, "Accept-Language", "de"); german != body {
			t.Errorf("%s: in German it says %s", path, german)
		}
		tag := res.Header.Get("ETag")
		if again, body := get(path, "If-None-Match", tag); again.StatusCode != 304 || body != "" || tag == "" || res.Header.Get("Last-Modified") == "" || !strings.HasPrefix(res.Header.Get("Cache-Control"), "public") {
			t.Errorf("%s: unchanged it answers %d, first %v", path, again.StatusCode, res.Header)
		}
		tags[path] = tag
	}
	if _, err := in.Social.Edit(ctx, alice, posts["public"], social.Draft{Text: "edited #plan"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range feeds {
		res, body := get(path, "If-None-Match", tags[path])
		if res.StatusCode != 200 || !strings.Contains(body, "edited") {
			t.Errorf("%s: after an edit %d", path, res.StatusCode)
		}
		tags[path] = res.Header.Get("ETag")
	}
	if _, err := in.Social.Delete(ctx, alice, posts["public"]); err != nil {
		t.Fatal(err)
	}
	for _, path := range feeds {
		if res, body := get(path, "If-None-Match", tags[path], "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"); res.StatusCode != 200 || strings.Contains(body, "edited") {
			t.Errorf("%s: after a deletion %d", path, res.StatusCode)
		}
	}
	if _, err := in.Social.Delete(ctx, alice, other.Post.ID); err != nil {
		t.Fatal(err)
	}
	one, _ := get("/tags/plan.atom")
	none, _ := get("/tags/nothing.atom")
	if one.Header.Get("ETag") != none.Header.Get("ETag") || none.StatusCode != 200 {
		t.Error("a feed tells that a topic is used in what is hidden")
	}
	v := newVisitor(t, in, "en")
	for page, feed := range map[string]string{"/public": "/public", "/tags/plan": "/tags/plan", "/@alice": "/@alice"} {
		raw := v.get(page, 200).raw
		for _, want := range []string{`type="application/atom+xml" href="` + in.Config.PublicURL + feed + `.atom"`, `type="application/rss+xml" href="` + in.Config.PublicURL + feed + `.rss"`} {
			if !strings.Contains(raw, want) {
				t.Errorf("%s does not announce %s", page, want)
			}
		}
		if og := strings.Contains(raw, `property="og:title"`); og != (page != "/public") {
			t.Errorf("%s has a preview: %v", page, og)
		}
	}
}

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

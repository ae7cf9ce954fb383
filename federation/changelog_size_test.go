package federation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// fill writes n posts of a member straight into the database, with their entries in the
// change log, each with so many bytes of text.
func fill(t testing.TB, in *instance.Instance, author *social.Account, n, size int, now time.Time) {
	t.Helper()
	ctx := context.Background()
	for at := 0; at < n; at += 500 {
		if err := in.DB.Tx(ctx, func(tx social.Tx) error {
			for i := at; i < min(n, at+500); i++ {
				id := social.FirstID(now.Add(time.Duration(i) * time.Millisecond))
				p := &social.Post{ID: id, URI: in.Social.Links.Post(author.ID, id), AuthorID: author.ID, Kind: social.PostNote, ThreadID: id, Local: true, Version: 1,
					Content: fmt.Sprintf("<p>%d %s</p>", i, strings.Repeat("x", size)), Audience: social.Audience{Kind: social.AudienceCompany, Owner: in.Social.HomeAuthority()}, PublishedAt: now, ArrivedAt: now}
				if err := tx.InsertPost(ctx, p); err != nil {
					return err
				}
				if err := tx.InsertActivity(ctx, &social.Activity{ID: id, URI: p.URI + "/activity", Verb: social.VerbCreate, ActorID: author.ID, PostID: id, ObjectURI: p.URI,
					About: p.URI, Audience: p.Audience, Body: []byte("{}"), CreatedAt: now}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// T12: however long the log and however large the posts, a page is bounded in items and
// bytes, and all together tell each post once.
func TestPagesOfALongLogAreBounded(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	r.speaks()
	alice := net.Member(in, "alice")
	posts := instancetest.Many(t, 10_000, 1_000)
	fill(t, in, alice.Account, posts, 10, time.Now())
	for range 12 { // an author who has a lot to say
		publish(t, in, alice, social.Draft{Text: strings.Repeat("word ", 900), Audience: "company"})
	}
	items, pages, largest := map[string]bool{}, 0, 0
	for next := in.Config.PublicURL + "/actor/outbox?page=true"; next != ""; pages++ {
		a := fetch(t, r, "GET", next)
		list, _ := a.doc["orderedItems"].([]any)
		for _, v := range list {
			if item := v.(map[string]any); item["type"] == "Create" {
				items[item["id"].(string)] = true
			}
		}
		if len(list) > 50 || len(a.body) > 64<<10 || a.status != 200 {
			t.Fatalf("page %d: status %d, %d items in %d bytes", pages, a.status, len(list), len(a.body))
		}
		largest = max(largest, len(a.body))
		next, _ = a.doc["next"].(string)
	}
	if len(items) != posts+12 || pages > posts/25 {
		t.Errorf("%d posts on %d pages", len(items), pages)
	}
	t.Logf("%d pages, the largest %d bytes", pages, largest)
}

// What a reader may not see is not looked through for ever: it gets a place of yesterday,
// and none of today.
func TestHiddenEntriesAreLookedThroughOnce(t *testing.T) {
	in, r, net := admitted(t, social.ZonePartner)
	r.speaks()
	alice := net.Member(in, "alice")
	address := in.Config.PublicURL + "/actor/outbox?page=true&after="
	fill(t, in, alice.Account, 100, 10, time.Now())
	if a := fetch(t, r, "GET", address); a.status != 200 || a.doc["head"] != nil || a.doc["next"] != nil {
		t.Errorf("what is said today shows: %s", a.body)
	}
	other := net.Member(in, "other")
	fill(t, in, other.Account, 100, 10, time.Now().Add(-48*time.Hour))
	a := fetch(t, r, "GET", address)
	head, _ := a.doc["head"].(string)
	if items, _ := a.doc["orderedItems"].([]any); len(items) != 0 || head == "" {
		t.Fatalf("%s", a.body)
	}
	if a = fetch(t, r, "GET", address+head); a.doc["head"] != nil {
		t.Errorf("looked through again: %s", a.body)
	}
}

// BenchmarkChangeLogPage is a full page of 50 posts for a sister that has them already,
// out of a log of 5,000: audience asked, translated, proved, over HTTP.
func BenchmarkChangeLogPage(b *testing.B) {
	in, r, net := admitted(b, social.ZoneCompany)
	r.speaks()
	fill(b, in, net.Member(in, "alice").Account, 5000, 200, time.Now())
	address := in.Config.PublicURL + "/actor/outbox?page=true"
	size := len(fetch(b, r, "GET", address).body)
	b.ReportAllocs()
	b.SetBytes(int64(size))
	for b.Loop() {
		if a := fetch(b, r, "GET", address); a.status != 200 {
			b.Fatal(a.body)
		}
	}
}

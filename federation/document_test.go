package federation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"parley/social"
)

// A server that fetched a post has it: its deletion goes there, and its edits.
func TestWhatWasFetchedIsTakenBack(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	stranger := second(t, in, social.ZonePublic)
	got, other := r.deliveries(), stranger.deliveries()
	alice := net.Member(in, "alice")
	ctx := context.Background()
	p := publish(t, in, alice, social.Draft{Text: "fetched", Audience: "public"})
	listed := publish(t, in, alice, social.Draft{Text: "in the outbox", Audience: "public"})
	hidden := publish(t, in, alice, social.Draft{Text: "hidden", Audience: "company"})
	if a := fetch(t, r, "GET", p.URI); a.status != 200 {
		t.Fatal(a.body)
	}
	fetch(t, r, "GET", hidden.URI)
	fetch(t, r, "GET", alice.Account.OutboxURI+"?page=true")
	if _, err := in.Social.Edit(ctx, alice, p.ID, social.Draft{Text: "fetched, and edited"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []social.ID{p.ID, listed.ID, hidden.ID} {
		if _, err := in.Social.Delete(ctx, alice, id); err != nil {
			t.Fatal(err)
		}
	}
	net.Settle()
	var gone []string
	for _, d := range got.of("Delete") {
		gone = append(gone, d["object"].(map[string]any)["id"].(string))
	}
	if all := strings.Join(gone, " "); len(gone) != 2 || !strings.Contains(all, p.URI) || !strings.Contains(all, listed.URI) {
		t.Errorf("deletions sent: %v", gone)
	}
	if n := len(other.of("Delete")); n != 0 {
		t.Errorf("%d deletions to a server that had nothing", n)
	}
}

// An edit reaches a server that fetched the post and whose people follow nobody here.
func TestEditReachesWhoeverFetched(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	got := r.deliveries()
	alice := net.Member(in, "alice")
	p := publish(t, in, alice, social.Draft{Text: "first", Audience: "public"})
	fetch(t, r, "GET", p.URI)
	if _, err := in.Social.Edit(context.Background(), alice, p.ID, social.Draft{Text: "second"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if list := got.of("Update"); len(list) != 1 || !strings.Contains(fmt.Sprint(list[0]["object"]), "second") {
		t.Errorf("%v", list)
	}
}

// 410 and a Tombstone are for readers of the last audience; for all others the post
// never was.
func TestTombstonesAreForReadersOfTheLastAudience(t *testing.T) {
	in, world, net := admitted(t, social.ZonePublic)
	partner := second(t, in, social.ZonePartner)
	alice := net.Member(in, "alice")
	for _, one := range []struct {
		audience string
		status   map[*remote]int
	}{
		{"public", map[*remote]int{nil: 410, world: 410, partner: 410}},
		{"partner:acme", map[*remote]int{nil: 404, world: 404, partner: 410}},
		{"instance", map[*remote]int{nil: 404, world: 404, partner: 404}},
		{"direct", map[*remote]int{nil: 404, world: 404, partner: 404}},
	} {
		p := publish(t, in, alice, social.Draft{Text: "canary", Audience: one.audience})
		if _, err := in.Social.Delete(context.Background(), alice, p.ID); err != nil {
			t.Fatal(err)
		}
		for who, want := range one.status {
			a := fetch(t, who, "GET", p.URI)
			if a.status != want || (want == 410) != (a.doc["type"] == "Tombstone") || strings.Contains(a.body, "canary") {
				t.Errorf("%s: %d %s", one.audience, a.status, a.body)
			}
			if want == 404 && strings.Contains(a.body, p.ID.String()) {
				t.Errorf("%s: the id is echoed: %s", one.audience, a.body)
			}
		}
	}
	if partner.sendJSON(in.Config.PublicURL+"/inbox", partner.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	named := publish(t, in, alice, social.Draft{Text: "@mallory@" + partner.host() + " canary", Audience: "direct"})
	if _, err := in.Social.Delete(context.Background(), alice, named.ID); err != nil {
		t.Fatal(err)
	}
	for as, want := range map[string]int{"mallory": 410, "victim": 404} {
		partner.as(as)
		if a := fetch(t, partner, "GET", named.URI); a.status != want || strings.Contains(a.body, "canary") || strings.Contains(a.body, partner.host()) {
			t.Errorf("what named mallory, read by %s: %d %s", as, a.status, a.body)
		}
	}
	for _, kept := range rows(t, in, "SELECT data FROM post WHERE id = "+named.ID.String()) {
		if strings.Contains(kept, "canary") || strings.Contains(kept, partner.host()+"/") {
			t.Errorf("kept of it: %s", kept)
		}
	}
	if err := in.Social.DeleteAccount(context.Background(), alice.Account.ID, "", "test"); err != nil {
		t.Fatal(err)
	}
	if a := fetch(t, world, "GET", alice.Account.URI); a.status != 410 || a.doc["type"] != "Tombstone" {
		t.Errorf("a member who left: %d %s", a.status, a.body)
	}
}

// A name leads to the address that never changes.
func TestNamesRedirect(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice, eve := net.Member(in, "alice"), net.Member(in, "eve")
	if err := in.Social.Suspend(context.Background(), eve.Account.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	if a := fetch(t, r, "GET", in.Config.PublicURL+"/users/Alice"); a.status != 302 || a.header.Get("Location") != alice.Account.URI {
		t.Errorf("%d %s", a.status, a.header.Get("Location"))
	}
	for _, name := range []string{"eve", "nobody"} {
		if a := fetch(t, r, "GET", in.Config.PublicURL+"/users/"+name); a.status != 404 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

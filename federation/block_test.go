package federation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"parley/social"
)

// G1: nothing of a blocked server gets in by a detour: not shared, answered, quoted,
// named, embedded, pinned or listed by a server that is admitted.
func TestBlockedServerGetsInByNoDetour(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	blocked := second(t, in, social.ZoneBlocked)
	alice := net.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	blocked.docs["/notes/1"] = blocked.note(1)
	if got := blocked.sendJSON(inbox, blocked.create(1)); got != 403 {
		t.Errorf("the shared inbox answers %d", got)
	}
	if got := blocked.sendJSON(alice.Account.InboxURI, blocked.create(1)); got != 403 {
		t.Errorf("a personal inbox answers %d", got)
	}
	for _, address := range []string{alice.Account.URI, in.Config.PublicURL + "/users/1"} {
		if a := fetch(t, blocked, "GET", address); a.status != 403 {
			t.Errorf("%s answers %d", address, a.status)
		}
	}
	theirs, note := blocked.url("/notes/1"), func(n int, key string, value any) map[string]any {
		note := r.note(n)
		note[key] = value
		create := r.create(n)
		create["object"] = note
		return create
	}
	relay := r.person("relay")
	relay["type"] = "Application"
	r.docs["/users/relay"] = relay
	lists := r.note(4)
	lists["replies"] = map[string]any{"type": "Collection", "items": []any{theirs, blocked.note(1)}}
	r.docs["/notes/4"] = lists
	for name, activity := range map[string]map[string]any{
		"Announce":            {"type": "Announce", "object": theirs},
		"Announce, embedded":  {"type": "Announce", "object": blocked.note(1)},
		"Announce of Create":  {"type": "Announce", "object": blocked.create(1)},
		"relay":               {"type": "Announce", "object": theirs, "actor": r.actor("relay")},
		"embedded object":     {"type": "Create", "object": blocked.note(1)},
		"object by address":   {"type": "Create", "object": theirs},
		"Update":              {"type": "Update", "object": blocked.note(1)},
		"Like":                {"type": "Like", "object": theirs},
		"Add":                 {"type": "Add", "object": theirs, "target": r.actor("mallory") + "/featured"},
		"Move":                {"type": "Move", "object": r.actor("mallory"), "target": blocked.actor("victim")},
		"parent of a reply":   note(1, "inReplyTo", theirs),
		"quote":               note(2, "quote", theirs),
		"mention":             note(3, "tag", []any{map[string]any{"type": "Mention", "href": blocked.actor("victim"), "name": "@victim"}}),
		"replies and context": note(4, "context", theirs),
		"author":              note(5, "attributedTo", blocked.actor("mallory")),
	} {
		r.n++
		by := "mallory"
		if activity["actor"] == r.actor("relay") {
			by = "relay"
		}
		r.as(by)
		activity["id"], activity["actor"] = r.url(fmt.Sprintf("/detours/%d", r.n)), r.actor(by)
		if got := r.sendJSON(inbox, activity); got != 202 {
			t.Errorf("%s: answered %d", name, got)
		}
		net.Settle()
		if known(t, in, theirs) || blocked.fetches.Load() != 0 {
			t.Fatalf("%s: known %v, %d requests", name, known(t, in, theirs), blocked.fetches.Load())
		}
	}
	if v, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/4")); err == nil {
		if _, _, err := in.Social.Thread(context.Background(), alice, v.Post.ID); err != nil {
			t.Fatal(err)
		}
		net.Settle()
	}
	if known(t, in, theirs) || blocked.fetches.Load() != 0 {
		t.Errorf("by reading a thread: known %v, %d requests", known(t, in, theirs), blocked.fetches.Load())
	}
	if to := accountOf(t, in, r.actor("mallory")).MovedToURI; to != "" {
		t.Errorf("moved to %s", to)
	}
}

// G1: what came before the block is hidden with it, wherever it would be shown, and
// comes back with the server.
func TestBlockHidesWhatCameBefore(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	inbox := in.Config.PublicURL + "/inbox"
	if r.sendJSON(inbox, r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	mallory := accountOf(t, in, r.actor("mallory"))
	if _, err := in.Social.Follow(ctx, alice, mallory.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	f := follow(t, in, alice.Account.ID, mallory.ID)
	if r.sendJSON(inbox, map[string]any{"id": r.url("/a"), "type": "Accept", "actor": r.actor("mallory"), "object": f.URI}) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	first, err := in.Social.PostByURI(ctx, bob, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Boost(ctx, bob, first.Post.ID, true); err != nil {
		t.Fatal(err)
	}
	quote := publish(t, in, bob, social.Draft{Text: "look", Audience: "public", QuoteOf: first.Post.ID})
	reply := r.create(2)
	note := r.note(2)
	note["inReplyTo"], note["content"] = quote.URI, "canary"
	note["tag"] = []any{map[string]any{"type": "Mention", "href": bob.Account.URI, "name": "@bob"}}
	note["cc"] = bob.Account.URI
	reply["object"] = note
	if r.sendJSON(inbox, reply) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	shown := func() string {
		t.Helper()
		var out []string
		add := func(where string, views []*social.PostView, err error) {
			if err != nil && social.KindOf(err) != social.NotFound {
				t.Fatal(err)
			}
			for _, v := range views {
				for ; v != nil; v = v.Boost {
					if !v.Post.Local || v.Quote != nil {
						out = append(out, where)
						break
					}
				}
			}
		}
		home, err := in.Social.Home(ctx, alice, social.Page{})
		add("home", home, err)
		public, err := in.Social.Public(ctx, alice, social.Page{}, false, false, social.PostFilter{})
		add("public", public, err)
		_, below, err := in.Social.Thread(ctx, bob, quote.ID)
		add("thread", below, err)
		quoted, err := in.Social.Post(ctx, bob, quote.ID)
		add("quote", []*social.PostView{quoted}, err)
		theirs, err := in.Social.AccountPosts(ctx, bob, mallory.ID, social.Page{}, social.PostFilter{})
		add("profile", theirs, err)
		shared, err := in.Social.AccountPosts(ctx, alice, bob.Account.ID, social.Page{}, social.PostFilter{})
		add("share", shared, err)
		list, err := in.Social.Notifications(ctx, bob, social.Page{}, social.NotificationFilter{})
		for _, n := range list {
			add("notification", []*social.PostView{n.Post}, err)
		}
		return strings.Join(out, " ")
	}
	before := shown()
	for _, where := range []string{"home", "public", "thread", "quote", "profile", "share", "notification"} {
		if !strings.Contains(before, where) {
			t.Errorf("%s shows nothing before the block: %s", where, before)
		}
	}
	zone := func(z social.ZoneKind) {
		if err := in.Social.SetZone(ctx, r.host(), social.Zone{Kind: z}, "test", "test"); err != nil {
			t.Fatal(err)
		}
	}
	zone(social.ZoneBlocked)
	if got := shown(); got != "" {
		t.Errorf("after the block: %s", got)
	}
	zone(social.ZonePublic)
	if got := shown(); got != before {
		t.Errorf("after it was lifted: %s, before: %s", got, before)
	}
}

// G1: a block covers the domains below, and no others.
func TestBlockCoversSubdomains(t *testing.T) {
	in, _, _ := admitted(t, social.ZonePublic)
	ctx := context.Background()
	if err := in.Social.SetZone(ctx, "bad.example", social.Zone{Kind: social.ZoneBlocked}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	hosts := []string{"bad.example", "a.bad.example", "a.b.bad.example", "bad.example:8443", "a.bad.example:8443", "notbad.example", "example", "bad.example.org"}
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		blocked, err := tx.BlockedAmong(ctx, hosts)
		for i, h := range hosts {
			if blocked[h] != (i < 5) {
				t.Errorf("%s: blocked %v", h, blocked[h])
			}
			peer, err := tx.Peer(ctx, h)
			if err != nil || (peer.Zone.Kind == social.ZoneBlocked) != (i < 5) {
				t.Errorf("%s: zone %q, %v", h, peer.Zone.Kind, err)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

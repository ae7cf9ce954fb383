package federation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"parley/social"
)

// A report goes out in the name of the instance: the accused's server does not learn
// who complained.
func TestReportsDoNotNameTheReporter(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	sent := r.deliveries()
	alice := net.Member(in, "alice")
	if r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	bad, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Report(context.Background(), alice, bad.Author.ID, []social.ID{bad.Post.ID}, "this is spam", true); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	flags := sent.of("Flag")
	if len(flags) != 1 {
		t.Fatalf("%d reports", len(flags))
	}
	all := fmt.Sprint(flags[0])
	if flags[0]["actor"] != in.Config.PublicURL+"/actor" || strings.Contains(all, "alice") || strings.Contains(all, alice.Account.ID.String()) ||
		!strings.Contains(all, "this is spam") || !strings.Contains(all, r.url("/notes/1")) {
		t.Errorf("%s", all)
	}
}

// A report of another server's instance actor reaches the staff, with the posts it is
// about; a flood of them does not.
func TestReportsOfOthers(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	alice := net.Member(in, "alice")
	staff, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "mod", Role: social.RoleModerator})
	if err != nil {
		t.Fatal(err)
	}
	p := publish(t, in, alice, social.Draft{Text: "bad", Audience: "public"})
	instance := r.person("instance")
	instance["type"] = "Application"
	r.docs["/users/instance"] = instance
	r.as("instance")
	for n := range 70 {
		flag := map[string]any{"id": r.url(fmt.Sprintf("/flags/%d", n)), "type": "Flag", "actor": r.actor("instance"),
			"object": []any{alice.Account.URI, p.URI, "https://else.example/1"}, "content": strings.Repeat("x", 9000)}
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", flag); got != 202 {
			t.Fatalf("answered %d", got)
		}
	}
	net.Settle()
	var reports []*social.Report
	if err := in.DB.View(ctx, func(tx social.Tx) (err error) {
		reports, err = tx.Reports(ctx, social.Page{Limit: 200})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(reports) != 60 {
		t.Fatalf("%d reports", len(reports))
	}
	first := reports[0]
	if first.FromPeer != r.host() || first.FromID != 0 || first.TargetID != alice.Account.ID || len(first.PostIDs) != 1 || first.PostIDs[0] != p.ID || len(first.Comment) > 5000 {
		t.Errorf("%+v", first)
	}
	told, err := in.Social.Notifications(ctx, social.Member(staff, in.Social.HomeAuthority()), social.Page{}, social.NotificationFilter{})
	if err != nil || len(told) != 1 {
		t.Errorf("the staff has %d notifications, %v", len(told), err)
	}
}

// The deletion of actors that nobody knows is taken without a request and without a
// row; so is that of posts that come later: they do not come any more.
func TestDeletionsOfTheUnknown(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	for n := range 50 {
		user := fmt.Sprintf("gone%d", n)
		r.as(user)
		if got := r.sendJSON(inbox, map[string]any{"id": r.actor(user) + "#delete", "type": "Delete", "actor": r.actor(user), "object": r.actor(user)}); got != 202 {
			t.Fatalf("answered %d", got)
		}
	}
	if did := in.Settle(context.Background()); did != 0 || r.fetches.Load() != 0 {
		t.Errorf("%d jobs, %d requests", did, r.fetches.Load())
	}
	r.as("mallory")
	for _, activity := range []map[string]any{
		{"id": r.url("/d/1"), "type": "Delete", "actor": r.actor("mallory"), "object": r.url("/notes/1")},
		r.create(1),
		{"id": r.url("/u/1"), "type": "Update", "actor": r.actor("mallory"), "object": r.note(1)},
		{"id": r.url("/a/1"), "type": "Announce", "actor": r.actor("mallory"), "object": r.url("/notes/1")},
	} {
		r.docs["/notes/1"] = r.note(1)
		if got := r.sendJSON(inbox, activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
	}
	if known(t, in, r.url("/notes/1")) {
		t.Error("a post came after its deletion")
	}
}

// An edit that comes before its post brings it, and the post that comes after does not
// undo the edit. An edit of something old and unknown brings nothing.
func TestEditBeforeThePost(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	edited := r.note(1)
	edited["content"], edited["updated"] = "second", edited["published"]
	old := r.note(2)
	old["published"], old["updated"] = "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"
	for _, activity := range []map[string]any{
		{"id": r.url("/u/1"), "type": "Update", "actor": r.actor("mallory"), "object": edited},
		r.create(1),
		{"id": r.url("/u/2"), "type": "Update", "actor": r.actor("mallory"), "object": old},
	} {
		if got := r.sendJSON(inbox, activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
	}
	v, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/1"))
	if err != nil || !strings.Contains(v.Post.Content, "second") {
		t.Errorf("%v", err)
	}
	if known(t, in, r.url("/notes/2")) {
		t.Error("an old post came by its edit")
	}
}

// Emoji reactions, in each of their forms, are likes: one of each person.
func TestReactionsAreLikes(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	p := publish(t, in, alice, social.Draft{Text: "hello", Audience: "public"})
	inbox := in.Config.PublicURL + "/inbox"
	say := func(by string, activity map[string]any) {
		t.Helper()
		r.n++
		r.as(by)
		activity["id"], activity["actor"] = r.url(fmt.Sprintf("/reactions/%d", r.n)), r.actor(by)
		if got := r.sendJSON(inbox, activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
	}
	likes := func(want int) {
		t.Helper()
		v, err := in.Social.Post(context.Background(), alice, p.ID)
		if err != nil || v.Post.FavouritesCount != want {
			t.Errorf("%d likes, want %d, %v", v.Post.FavouritesCount, want, err)
		}
	}
	react := map[string]any{"type": "EmojiReact", "object": p.URI, "content": "🎉"}
	say("mallory", react)
	likes(1)
	say("mallory", map[string]any{"type": "Like", "object": p.URI, "_misskey_reaction": ":blob:", "content": ":blob:"})
	likes(1)
	say("victim", map[string]any{"type": "Like", "object": p.URI})
	likes(2)
	say("victim", map[string]any{"type": "Undo", "object": react})
	likes(2)
	say("mallory", map[string]any{"type": "Undo", "object": react})
	likes(1)
}

// A block of another server's actor ends both follows and hides the two from each
// other; ours is told to the other side.
func TestBlocksCross(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	sent := r.deliveries()
	alice := net.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	say := func(activity map[string]any) {
		t.Helper()
		r.n++
		activity["id"], activity["actor"] = r.url(fmt.Sprintf("/blocks/%d", r.n)), r.actor("mallory")
		if got := r.sendJSON(inbox, activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
	}
	say(map[string]any{"type": "Follow", "object": alice.Account.URI})
	mallory := accountOf(t, in, r.actor("mallory"))
	p := publish(t, in, alice, social.Draft{Text: "for followers", Audience: "followers"})
	if a := fetch(t, r, "GET", p.URI); a.status != 200 {
		t.Fatalf("a follower gets %d", a.status)
	}
	block := map[string]any{"type": "Block", "object": alice.Account.URI}
	say(block)
	if follow(t, in, mallory.ID, alice.Account.ID) != nil {
		t.Error("still follows")
	}
	if a := fetch(t, r, "GET", p.URI); a.status != 404 {
		t.Errorf("after the block: %d", a.status)
	}
	say(map[string]any{"type": "Undo", "object": block})
	if _, err := in.Social.Block(ctx, alice, mallory.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Block(ctx, alice, mallory.ID, false); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if len(sent.of("Block")) != 1 || len(sent.of("Undo")) != 1 {
		t.Errorf("told %v %v", sent.of("Block"), sent.of("Undo"))
	}
}

// An activity that was sent can be read at its address by whom it was for.
func TestActivitiesCanBeRead(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	sent := r.deliveries()
	alice := net.Member(in, "alice")
	say := map[string]any{"id": r.url("/f/1"), "type": "Follow", "actor": r.actor("mallory"), "object": alice.Account.URI}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", say); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	p := publish(t, in, alice, social.Draft{Text: "first", Audience: "public"})
	if _, err := in.Social.Edit(context.Background(), alice, p.ID, social.Draft{Text: "second"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	accept, create, update := sent.of("Accept")[0]["id"].(string), sent.of("Create")[0]["id"].(string), sent.of("Update")[0]["id"].(string)
	if create != p.URI+"/activity" {
		t.Errorf("a Create has the id %s", create)
	}
	for address, want := range map[string]int{accept: 404, create: 200, update: 200} {
		if a := fetch(t, nil, "GET", address); a.status != want {
			t.Errorf("nobody reads %s: %d", address, a.status)
		}
		a := fetch(t, r, "GET", address)
		if a.status != 200 || a.doc["id"] != address {
			t.Errorf("%s: %d %s", address, a.status, a.body)
		}
	}
	r.as("victim")
	if a := fetch(t, r, "GET", accept); a.status != 404 {
		t.Errorf("a third one reads what was between two: %d", a.status)
	}
}

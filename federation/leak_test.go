package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/instance"
	"parley/social"
)

// This file attacks the bounds of threads and posts: what was said to few must not
// reach more because something else came, changed or went.

// arrive delivers an activity and lets nothing wait.
func (r *remote) arrive(t *testing.T, net interface{ Settle() }, inbox string, activity map[string]any) {
	t.Helper()
	if got := r.sendJSON(inbox, activity); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
}

// said wraps a note in its Create.
func (r *remote) said(id string, note map[string]any) map[string]any {
	return map[string]any{"id": r.url("/creates/" + id), "type": "Create", "actor": note["attributedTo"], "object": note, "to": note["to"]}
}

// it: a reply keeps the bound that it was written under.
func TestLateParentWidensNothing(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	alice, bob := followedBy(t, in, r, net), net.Member(in, "bob")
	root := r.note(0)
	middle := r.note(1)
	middle["inReplyTo"] = root["id"]
	r.arrive(t, net, inbox, r.said("1", middle))
	v, err := in.Social.PostByURI(t.Context(), alice, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	inside := publish(t, in, bob, social.Draft{Text: "among us", Audience: "company", InReplyTo: v.Post.ID})
	canary := publish(t, in, alice, social.Draft{Text: "canary", Audience: "followers", InReplyTo: inside.ID})
	if got := fetch(t, r, "GET", canary.URI); got.status != 404 {
		t.Fatalf("a follower from outside is answered %d", got.status)
	}
	r.arrive(t, net, inbox, r.said("0", root))
	if got := fetch(t, r, "GET", canary.URI); got.status != 404 {
		t.Errorf("a follower from outside is answered %d after the thread's root came: %s", got.status, got.body)
	}
	seen, err := in.Social.Post(t.Context(), bob, inside.ID)
	if err != nil || seen.Post.ThreadID == v.Post.ID {
		t.Errorf("the thread did not grow together: %v", err)
	}
}

// for ever, and never be changed again.
func TestNarrowingEditTakesThePostBack(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	got := r.deliveries()
	partner := second(t, in, social.ZonePartner)
	kept := partner.deliveries()
	alice := followedBy(t, in, r, net)
	partner.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": partner.url("/follows/1"), "type": "Follow",
		"actor": partner.actor("mallory"), "object": alice.Account.URI})
	p := publish(t, in, alice, social.Draft{Text: "canary", Audience: "public"})
	net.Settle()
	if len(got.of("Create")) != 1 || len(kept.of("Create")) != 1 {
		t.Fatal("the post did not arrive")
	}
	if _, err := in.Social.Edit(t.Context(), alice, p.ID, social.Draft{Text: "sparrow", Audience: "partner:acme"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if n, m := len(kept.of("Delete")), len(kept.of("Update")); n != 0 || m != 1 {
		t.Errorf("a partner, which may still have it, got %d deletions and %d updates", n, m)
	}
	if n := len(got.of("Update")); n != 0 {
		t.Errorf("%d updates went out", n)
	}
	gone := got.of("Delete")
	if len(gone) != 1 {
		t.Fatalf("%d deletions went out", len(gone))
	}
	if b, _ := json.Marshal(gone[0]); strings.Contains(string(b), "sparrow") || !strings.Contains(string(b), p.URI) {
		t.Errorf("%s", b)
	}
}

// on opens it for nobody.
func TestPassedOnDirectPostIsOpenedForNobody(t *testing.T) {
	in, origin, net := admitted(t, social.ZonePublic)
	passer := second(t, in, social.ZonePublic)
	key := origin.proves("mallory")
	alice, carol := net.Member(in, "alice"), net.Member(in, "carol")
	note := origin.note(1)
	note["to"] = []any{alice.Account.URI}
	body := proven(t, origin.said("1", note), key, time.Now())
	if got := passer.send(carol.Account.InboxURI, body, httpsig.Cavage, nil); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	if _, err := in.Social.PostByURI(t.Context(), alice, origin.url("/notes/1")); err != nil {
		t.Errorf("whom it is for does not see it: %v", err)
	}
	if _, err := in.Social.PostByURI(t.Context(), carol, origin.url("/notes/1")); err == nil {
		t.Error("whoever passed it on let somebody else read it")
	}
}

// An update that does not say when it was made cannot undo a dated one.
func TestUndatedUpdateRollsNothingBack(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	inbox, alice := in.Config.PublicURL+"/inbox", net.Member(in, "alice")
	r.arrive(t, net, inbox, r.create(1))
	update := func(n int, content, updated string) map[string]any {
		note := r.note(1)
		note["content"] = content
		if updated != "" {
			note["updated"] = updated
		}
		return map[string]any{"id": r.url(fmt.Sprintf("/updates/%d", n)), "type": "Update", "actor": r.actor("mallory"), "object": note}
	}
	for n, one := range []struct{ content, updated, want string }{
		{"undated", "", "undated"}, // some servers never say when
		{"dated", time.Now().UTC().Format(time.RFC3339), "dated"},
		{"undated again", "", "dated"},
	} {
		r.arrive(t, net, inbox, update(n, one.content, one.updated))
		v, err := in.Social.PostByURI(t.Context(), alice, r.url("/notes/1"))
		if err != nil || v.Post.Content != one.want && v.Post.Content != "<p>"+one.want+"</p>" {
			t.Errorf("after %q: %v %q", one.content, err, v.Post.Content)
		}
	}
}

// Nobody outside speaks to an audience of ours where no thread of ours has it.
func TestStrangersDoNotSpeakToOurAudiences(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	inbox, alice, bob := in.Config.PublicURL+"/inbox", net.Member(in, "alice"), net.Member(in, "bob")
	open := publish(t, in, alice, social.Draft{Text: "hello", Audience: "public"})
	for n, to := range []string{in.Config.PublicURL + "/audiences/company", in.Config.PublicURL + "/audiences/partner/acme", alice.Account.FollowersURI} {
		for m, parent := range []string{open.URI, in.Config.PublicURL + "/users/1/statuses/2"} {
			id := 10*n + m
			note := r.note(id)
			note["to"], note["inReplyTo"] = to, parent
			r.arrive(t, net, inbox, r.said(fmt.Sprint(id), note))
			if v, err := in.Social.PostByURI(t.Context(), bob, r.url(fmt.Sprintf("/notes/%d", id))); err == nil {
				t.Errorf("to %s in reply to %s: a post of a stranger says %q", to, parent, v.Post.Audience.Label())
			}
		}
		// Nor by an edit of what everybody could read.
		id := 10*n + 9
		note := r.note(id)
		note["inReplyTo"] = open.URI
		r.arrive(t, net, inbox, r.said(fmt.Sprint(id), note))
		note["to"], note["updated"] = to, time.Now().UTC().Format(time.RFC3339)
		r.arrive(t, net, inbox, map[string]any{"id": r.url(fmt.Sprintf("/updates/%d", id)), "type": "Update", "actor": r.actor("mallory"), "object": note})
		if v, err := in.Social.PostByURI(t.Context(), bob, r.url(fmt.Sprintf("/notes/%d", id))); err == nil && v.Post.Audience.Kind != social.AudiencePublic {
			t.Errorf("edited to %s: a post of a stranger says %q", to, v.Post.Audience.Label())
		}
	}
}

// A share without an id is known by nothing, and keeps no other one out.
func TestSharesWithoutId(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	alice := net.Member(in, "alice")
	p := publish(t, in, alice, social.Draft{Text: "hello", Audience: "public"})
	for _, by := range []*remote{r, other} {
		by.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"type": "Announce", "actor": by.actor("mallory"), "object": p.URI,
			"to": "https://www.w3.org/ns/activitystreams#Public"})
	}
	v, err := in.Social.Post(t.Context(), alice, p.ID)
	if err != nil || v.Post.BoostsCount != 2 && v.Post.BoostsCount != 0 {
		t.Errorf("%v, counted %d of two alike", err, v.Post.BoostsCount)
	}
}

// A server whose only follower is gone has no claim on posts for followers any more.
func TestGoneFollowerTakesTheServerAlong(t *testing.T) {
	for name, leave := range map[string]func(*instance.Instance, *remote) error{
		"deleted": func(in *instance.Instance, r *remote) error {
			if got := r.sendJSON(in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/deletes/1"), "type": "Delete",
				"actor": r.actor("mallory"), "object": r.actor("mallory")}); got != 202 {
				return fmt.Errorf("answered %d", got)
			}
			return nil
		},
		"suspended here": func(in *instance.Instance, r *remote) error {
			return in.Social.Suspend(context.Background(), accountOf(t, in, r.actor("mallory")).ID, true, "test")
		},
	} {
		t.Run(name, func(t *testing.T) {
			in, r, net := admitted(t, social.ZonePublic)
			got := r.deliveries()
			alice := followedBy(t, in, r, net)
			p := publish(t, in, alice, social.Draft{Text: "canary", Audience: "followers"})
			net.Settle()
			if len(got.of("Create")) != 1 {
				t.Fatal("the post did not arrive")
			}
			if err := leave(in, r); err != nil {
				t.Fatal(err)
			}
			net.Settle()
			if _, err := in.Social.Edit(t.Context(), alice, p.ID, social.Draft{Text: "sparrow"}); err != nil {
				t.Fatal(err)
			}
			net.Settle()
			publish(t, in, alice, social.Draft{Text: "another", Audience: "followers"})
			net.Settle()
			if n, m := len(got.of("Create")), len(got.of("Update")); n != 1 || m != 0 {
				t.Errorf("%d posts and %d edits went to a server where nobody follows", n, m)
			}
		})
	}
}

// Whoever makes us run out of look-ups has not made another server's key unreadable.
func TestBudgetOfOneIsNoFailureOfAnother(t *testing.T) {
	in, victim, _ := admitted(t, social.ZonePublic)
	mallory := second(t, in, social.ZonePublic)
	key := mallory.url("/users/m2/key")
	doc := mallory.person("m2")
	doc["publicKey"] = map[string]any{"id": key, "owner": mallory.actor("m2"), "publicKeyPem": string(mallory.public)}
	mallory.docs["/users/m2"] = doc
	mallory.docs["/k1"] = map[string]any{"id": mallory.url("/k2"), "type": "Key"}
	mallory.docs["/k3"] = map[string]any{"id": mallory.url("/k3"), "type": "Key", "owner": mallory.actor("m2")}
	mallory.redirect("/users/m2/key", "/k1")
	mallory.redirect("/k2", "/k3")
	refused := false
	mallory.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path != "/users/m2" || refused {
			return false
		}
		refused = true
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	mallory.key.ID = key
	claim := mallory.proves("other") // only for a key to sign with; what it is called is a lie
	claim.ID = victim.actor("mallory") + "#main-key"
	inbox := in.Config.PublicURL + "/inbox"
	if got := mallory.send(inbox, proven(t, victim.create(1), claim, time.Now()), httpsig.Cavage, nil); got == 202 {
		t.Fatalf("answered %d", got)
	}
	if n := victim.fetches.Load(); n != 0 {
		t.Fatalf("%d fetches at the victim: the attack did not use up what it may", n)
	}
	if got := victim.sendJSON(inbox, victim.create(1)); got != 202 {
		t.Errorf("the victim is answered %d", got)
	}
}

// What a member did just before being suspended does not leave any more.
func TestSuspendedMemberSendsNothing(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	got := r.deliveries()
	alice := followedBy(t, in, r, net)
	r.arrive(t, net, in.Config.PublicURL+"/inbox", r.create(1))
	v, err := in.Social.PostByURI(t.Context(), alice, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	name := "canary"
	if _, err := in.Social.Favourite(t.Context(), alice, v.Post.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.UpdateProfile(t.Context(), alice, social.ProfileChange{DisplayName: &name}); err != nil {
		t.Fatal(err)
	}
	publish(t, in, alice, social.Draft{Text: "canary", Audience: "public"})
	if err := in.Social.Suspend(t.Context(), alice.Account.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	for _, kind := range []string{"Like", "Update", "Create"} {
		if n := len(got.of(kind)); n != 0 {
			t.Errorf("%d %s of a suspended member went out", n, kind)
		}
	}
	if err := in.Social.DeleteAccount(t.Context(), alice.Account.ID, "", "test"); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if n := len(got.of("Delete")); n != 1 {
		t.Errorf("%d deletions of their account went out", n)
	}
}

// T4: one report is one, by however many inboxes it comes.
func TestReportCountsOnce(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	flag := map[string]any{"id": r.url("/flags/1"), "type": "Flag", "actor": r.actor("mallory"), "object": []any{alice.Account.URI}, "content": "rude"}
	for _, inbox := range []string{in.Config.PublicURL + "/inbox", alice.Account.InboxURI} {
		r.arrive(t, net, inbox, flag)
	}
	if got := rows(t, in, `SELECT count(*) FROM report`); got[0] != "1" {
		t.Errorf("%s reports", got[0])
	}
}

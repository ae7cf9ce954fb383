package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/activitypub/httpsig"
	"parley/instance/instancetest"
	"parley/social"
)

// fingers answers WebFinger: a resource to its subject and actor.
func (r *remote) fingers(answers map[string][2]string) {
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		a, ok := answers[q.URL.Query().Get("resource")]
		if q.URL.Path != "/.well-known/webfinger" || !ok {
			return false
		}
		w.Header().Set("Content-Type", "application/jrd+json")
		_ = json.NewEncoder(w).Encode(map[string]any{"subject": a[0], "links": []any{
			map[string]any{"rel": "self", "type": "application/activity+json", "href": a[1]}}})
		return true
	})
}

// T22: a handle may live on another domain than its actor, if both say so.
func TestHandleOfAnotherDomain(t *testing.T) {
	for name, one := range map[string]struct {
		says  func(brand, server *remote) string // what the actor's server calls it
		means string                             // whom it means by that
		found bool
	}{
		"both agree":               {func(brand, _ *remote) string { return "acct:mallory@" + brand.host() }, "mallory", true},
		"its server knows nothing": {func(_, server *remote) string { return "acct:mallory@" + server.host() }, "mallory", false},
		"another name":             {func(brand, _ *remote) string { return "acct:victim@" + brand.host() }, "mallory", false},
		"somebody else":            {func(brand, _ *remote) string { return "acct:mallory@" + brand.host() }, "victim", false},
	} {
		t.Run(name, func(t *testing.T) {
			in, brand, _ := admitted(t, social.ZonePublic)
			server := second(t, in, social.ZonePublic)
			acct := "acct:mallory@" + brand.host()
			brand.fingers(map[string][2]string{acct: {acct, server.actor("mallory")}})
			server.fingers(map[string][2]string{"acct:mallory@" + server.host(): {one.says(brand, server), server.actor(one.means)}})
			a, err := in.Federation.FindAccount(context.Background(), "mallory", brand.host())
			switch {
			case !one.found && err == nil:
				t.Errorf("found %s", a.URI)
			case one.found && (err != nil || a.URI != server.actor("mallory") || a.Host != brand.host()):
				t.Errorf("%v %+v", err, a)
			}
		})
	}
}

// T15: a new key is looked up once; a peer that signs wrongly again and again
// causes no fetch each time, and the old key is dead.
func TestKeyRotationIsLookedUpOnce(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	if r.sendJSON(inbox, r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	old := r.key
	public, private, err := instancetest.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	if r.key.Private, err = httpsig.ParsePrivate(private); err != nil {
		t.Fatal(err)
	}
	r.public = public
	r.docs["/users/mallory"] = r.person("mallory")
	if got := r.sendJSON(inbox, r.create(2)); got != 202 {
		t.Errorf("the new key is answered %d", got)
	}
	before := r.fetches.Load()
	r.key = old
	for n := range 5 {
		if got := r.sendJSON(inbox, r.create(10+n)); got != 401 {
			t.Errorf("the old key is answered %d", got)
		}
	}
	if n := r.fetches.Load() - before; n != 0 {
		t.Errorf("%d fetches for wrong signatures", n)
	}
}

// T13, C2: a chain of answers without end is followed for a while only.
func TestEndlessThreadIsBounded(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		var n int
		if _, err := fmt.Sscanf(q.URL.Path, "/notes/%d", &n); err != nil {
			return false
		}
		note := r.note(n)
		note["inReplyTo"] = r.url(fmt.Sprintf("/notes/%d", n+1))
		r.fetches.Add(1)
		w.Header().Set("Content-Type", "application/activity+json")
		_ = json.NewEncoder(w).Encode(note)
		return true
	})
	create := r.create(1)
	note := r.note(1)
	note["inReplyTo"] = r.url("/notes/2")
	create["object"] = note
	if r.sendJSON(in.Config.PublicURL+"/inbox", create) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	if !known(t, in, r.url("/notes/3")) {
		t.Error("the answered posts were not fetched")
	}
	if n := r.fetches.Load(); n > 32 {
		t.Errorf("%d fetches", n)
	}
}

// A backfill brings the newest posts over several pages, and only the author's own.
func TestBackfillReadsPages(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	alice := net.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	create := func(n int) any {
		c := r.create(n)
		return c
	}
	stolen := r.note(99)
	stolen["attributedTo"] = r.actor("victim")
	box := r.actor("mallory") + "/outbox"
	r.docs["/users/mallory/outbox"] = map[string]any{"id": box, "type": "OrderedCollection", "first": r.url("/page1")}
	r.docs["/page1"] = map[string]any{"id": r.url("/page1"), "type": "OrderedCollectionPage", "orderedItems": []any{create(11), stolen}, "next": r.url("/page2")}
	r.docs["/page2"] = map[string]any{"id": r.url("/page2"), "type": "OrderedCollectionPage", "orderedItems": []any{create(12)}}
	if r.sendJSON(inbox, r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	if _, err := in.Social.Follow(ctx, alice, accountOf(t, in, r.actor("mallory")).ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	accept := map[string]any{"id": r.url("/a/1"), "type": "Accept", "actor": r.actor("mallory"),
		"object": map[string]any{"type": "Follow", "actor": alice.Account.URI, "object": r.actor("mallory")}}
	if r.sendJSON(inbox, accept) != 202 {
		t.Fatal("the acceptance was refused")
	}
	net.Settle()
	for n, want := range map[int]bool{11: true, 12: true, 99: false} {
		if known(t, in, r.url(fmt.Sprintf("/notes/%d", n))) != want {
			t.Errorf("post %d: want %v", n, want)
		}
	}
	home, err := in.Social.Home(ctx, alice, social.Page{Limit: 20})
	if err != nil || len(home) != 3 {
		t.Errorf("%v, %d posts at home", err, len(home))
	}
	before := r.fetches.Load()
	accept["id"] = r.url("/a/2")
	if r.sendJSON(inbox, accept) != 202 {
		t.Fatal("the acceptance was refused")
	}
	net.Settle()
	if n := r.fetches.Load() - before; n != 0 {
		t.Errorf("accepting again made %d fetches", n)
	}
}

// A8: another spelling is not another identity.
func TestIdsAreSpelledInOneForm(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	odd := strings.Replace(r.url("/notes/1"), "http://", "HTTP://", 1)
	create := r.create(1)
	note := r.note(1)
	note["id"] = odd
	create["object"] = note
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", create); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	if known(t, in, odd) {
		t.Error("taken under a second spelling")
	}
}

package federation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/instance"
	"parley/social"
)

// special answers some paths of a remote by hand, before its documents.
func (r *remote) special(answer func(w http.ResponseWriter, q *http.Request) bool) {
	handler := &r.server.Config.Handler
	if r.inner != nil {
		handler = &r.inner
	}
	documents := *handler
	*handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if !answer(w, q) {
			documents.ServeHTTP(w, q)
		}
	})
}

func (r *remote) redirect(path, to string) {
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path == path {
			http.Redirect(w, q, to, http.StatusFound)
		}
		return q.URL.Path == path
	})
}

// as signs as another actor of the remote, with the same key pair.
func (r *remote) as(name string) { r.key.ID = r.actor(name) + "#main-key" }

func second(t *testing.T, in *instance.Instance, z social.ZoneKind) *remote {
	t.Helper()
	r := newRemote(t)
	r.stands(in, z)
	return r
}

func accountOf(t *testing.T, in *instance.Instance, uri string) *social.Account {
	t.Helper()
	var a *social.Account
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		a, err = tx.AccountByURI(context.Background(), uri)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

func follow(t *testing.T, in *instance.Instance, follower, target social.ID) *social.Follow {
	t.Helper()
	var f *social.Follow
	err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		f, err = tx.Follow(context.Background(), follower, target)
		return err
	})
	if err != nil && social.KindOf(err) != social.NotFound {
		t.Fatal(err)
	}
	return f
}

// A3: an author that redirects to another server's actor is not that actor.
func TestRedirectedAuthorIsNotBelieved(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	good := second(t, in, social.ZonePublic)
	r.redirect("/users/alias", good.actor("victim"))
	note := r.note(1)
	note["attributedTo"] = r.actor("alias")
	r.docs["/notes/1"] = note
	create := r.create(1)
	create["object"] = note
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", create); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	if known(t, in, r.url("/notes/1")) {
		t.Error("the post was taken in the name of another server's actor")
	}
}

// T2: an actor cannot claim the key id of another one of its server.
func TestKeyIdsAreNotTakenOver(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	mallory := r.person("mallory")
	mallory["publicKey"] = []any{mallory["publicKey"],
		map[string]any{"id": r.actor("victim") + "#main-key", "owner": r.actor("mallory"), "publicKeyPem": string(r.public)}}
	r.docs["/users/mallory"] = mallory
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)); got != 202 {
		t.Fatalf("answered %d", got)
	}
	r.as("victim")
	create := r.create(2)
	create["actor"] = r.actor("victim")
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", create); got != 202 {
		t.Errorf("the rightful owner of the key is answered %d", got)
	}
}

// G1: a redirect does not lead to a server that is blocked here.
func TestRedirectDoesNotReachBlockedServer(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	blocked := second(t, in, social.ZoneBlocked)
	blocked.docs["/notes/9"] = blocked.note(9)
	r.redirect("/notes/9", blocked.url("/notes/9"))
	announce := map[string]any{"id": r.url("/a/1"), "type": "Announce", "actor": r.actor("mallory"), "object": r.url("/notes/9")}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", announce); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	if n := blocked.fetches.Load(); n != 0 || known(t, in, blocked.url("/notes/9")) {
		t.Errorf("%d requests to a blocked server", n)
	}
}

// A key that cannot be fetched now is a reason to come back, never a final no.
func TestUnreachableKeyIsTriedLater(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	r.special(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	body, err := json.Marshal(r.create(1))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		res := r.do(in.Config.PublicURL+"/inbox", "application/activity+json", body)
		if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
			t.Errorf("answered %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
		}
	}
	net.Settle()
	if known(t, in, r.url("/notes/1")) {
		t.Error("taken without a key")
	}
}

// do is send with the whole answer.
func (r *remote) do(to, kind string, body []byte) *http.Response {
	r.t.Helper()
	if c := r.closedTo(to); c != nil {
		return c.post(to, body, nil)
	}
	q, err := http.NewRequest("POST", to, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Content-Type", kind)
	if err := httpsig.Sign(q, body, r.key, httpsig.Cavage, time.Now()); err != nil {
		r.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		r.t.Fatal(err)
	}
	return res
}

func TestInboxTakesActivitiesOnly(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	body, err := json.Marshal(r.create(1))
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]int{
		"text/plain": 415, "": 415, "application/x-www-form-urlencoded": 415, "application/json": 202,
		`application/ld+json; profile="https://www.w3.org/ns/activitystreams"`: 202, "application/activity+json; charset=utf-8": 202,
	} {
		got := r.do(in.Config.PublicURL+"/inbox", kind, body).StatusCode
		if got != want {
			t.Errorf("%q: answered %d, want %d", kind, got, want)
		}
	}
}

// T14: only the rejection of a follow ends a follow.
func TestRejectingSomethingElseKeepsTheFollow(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	alice := net.Member(in, "alice")
	if r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	mallory := accountOf(t, in, r.actor("mallory"))
	if _, err := in.Social.Follow(ctx, alice, mallory.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	quote := map[string]any{"type": "QuoteRequest", "id": in.Config.PublicURL + "/activities/1", "actor": alice.Account.URI, "object": r.url("/notes/1")}
	for i, activity := range []map[string]any{
		{"type": "Accept", "object": map[string]any{"type": "Follow", "actor": alice.Account.URI, "object": r.actor("mallory")}},
		{"type": "Reject", "object": quote},
		{"type": "Accept", "object": quote},
	} {
		activity["id"], activity["actor"] = r.url("/a/"+string(rune('1'+i))), r.actor("mallory")
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
		if f := follow(t, in, alice.Account.ID, mallory.ID); f == nil || f.State != social.FollowAccepted {
			t.Errorf("after %v: %+v", activity["type"], f)
		}
	}
}

// Activities without an id are told apart by what they say.
func TestActivitiesWithoutIdAreNotMixedUp(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	f := map[string]any{"type": "Follow", "actor": r.actor("mallory"), "object": alice.Account.URI, "published": "2026-01-01T00:00:00Z"}
	again := map[string]any{"type": "Follow", "actor": r.actor("mallory"), "object": alice.Account.URI, "published": "2026-01-02T00:00:00Z"}
	for i, activity := range []map[string]any{f, {"type": "Undo", "actor": r.actor("mallory"), "object": f}, again} {
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
		mallory := accountOf(t, in, r.actor("mallory"))
		if there := follow(t, in, mallory.ID, alice.Account.ID) != nil; there != (i != 1) {
			t.Errorf("step %d: follows %v", i, there)
		}
	}
}

// An Undo may name the follow by its id alone.
func TestUndoOfFollowByItsId(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	id := r.url("/follows/1")
	if r.sendJSON(inbox, map[string]any{"id": id, "type": "Follow", "actor": r.actor("mallory"), "object": alice.Account.URI}) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	mallory := accountOf(t, in, r.actor("mallory"))
	undo := func(name string) {
		r.as(name)
		if got := r.sendJSON(inbox, map[string]any{"id": r.url("/undo/" + name), "type": "Undo", "actor": r.actor(name), "object": id}); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
	}
	undo("victim")
	if follow(t, in, mallory.ID, alice.Account.ID) == nil {
		t.Error("somebody else undid the follow")
	}
	undo("mallory")
	if follow(t, in, mallory.ID, alice.Account.ID) != nil {
		t.Error("the follow is still there")
	}
}

// T19: a profile that says it moved is not believed without the Move's check.
func TestMovedToNeedsTheMutualCheck(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	mallory := r.person("mallory")
	mallory["movedTo"] = r.actor("victim")
	r.docs["/users/mallory"] = mallory
	inbox := in.Config.PublicURL + "/inbox"
	if r.sendJSON(inbox, r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	if to := accountOf(t, in, r.actor("mallory")).MovedToURI; to != "" {
		t.Errorf("moved to %s by its own word", to)
	}
	victim := r.person("victim")
	victim["alsoKnownAs"] = []string{r.actor("mallory")}
	r.docs["/users/victim"] = victim
	move := map[string]any{"id": r.url("/a/1"), "type": "Move", "actor": r.actor("mallory"), "object": r.actor("mallory"), "target": r.actor("victim")}
	if r.sendJSON(inbox, move) != 202 {
		t.Fatal("the move was refused")
	}
	net.Settle()
	update := map[string]any{"id": r.url("/a/2"), "type": "Update", "actor": r.actor("mallory"), "object": mallory}
	if r.sendJSON(inbox, update) != 202 {
		t.Fatal("the update was refused")
	}
	net.Settle()
	if to := accountOf(t, in, r.actor("mallory")).MovedToURI; to != r.actor("victim") {
		t.Errorf("after a checked move: moved to %q", to)
	}
}

// T8: bto and bcc reach whom they name and are never kept.
func TestBlindCopiesAreNotKept(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	create := r.create(1)
	note := r.note(1)
	delete(note, "to")
	note["to"], note["bto"], note["bcc"] = bob.Account.URI, alice.Account.URI, alice.Account.URI
	create["object"] = note
	if r.sendJSON(in.Config.PublicURL+"/inbox", create) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	v, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	raw := string(rawOf(t, in, v.Post.ID))
	if strings.Contains(raw, `"bto"`) || strings.Contains(raw, `"bcc"`) || v.Post.Audience.Kind != social.AudienceDirect {
		t.Errorf("%v %s", v.Post.Audience, raw)
	}
}

// G1: what waits when its server is blocked, or its author suspended, is dropped.
func TestBlockCountsForWhatWaits(t *testing.T) {
	for name, stop := range map[string]func(in *instance.Instance, r *remote) error{
		"blocked": func(in *instance.Instance, r *remote) error {
			return in.Social.SetZone(context.Background(), r.host(), social.Zone{Kind: social.ZoneBlocked}, "test", "test")
		},
		"suspended": func(in *instance.Instance, r *remote) error {
			return in.Social.Suspend(context.Background(), accountOf(t, in, r.actor("mallory")).ID, true, "test")
		},
	} {
		in, r, net := admitted(t, social.ZonePublic)
		if r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)) != 202 {
			t.Fatal("setting up")
		}
		if err := stop(in, r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		net.Settle()
		if known(t, in, r.url("/notes/1")) {
			t.Errorf("%s: taken all the same", name)
		}
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", r.create(2)); got != 403 {
			t.Errorf("%s: a new one is answered %d", name, got)
		}
	}
}

// C2: liking what is unknown here fetches nothing.
func TestLikeOfUnknownPostFetchesNothing(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	like := map[string]any{"id": r.url("/a/1"), "type": "Like", "actor": r.actor("mallory"), "object": other.url("/notes/1")}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", like); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	if n := other.fetches.Load(); n != 0 {
		t.Errorf("%d fetches", n)
	}
}

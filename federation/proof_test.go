package federation_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// proves gives an actor of the remote an Ed25519 key that it publishes.
func (r *remote) proves(name string) proof.Key {
	r.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	doc := r.person(name)
	doc["preferredUsername"] = strings.ReplaceAll(name, "/", "_")
	id := r.actor(name) + "#ed25519"
	doc["assertionMethod"] = []any{map[string]any{"id": id, "type": "Multikey", "controller": r.actor(name),
		"publicKeyMultibase": httpsig.EncodeMultikey(public)}}
	r.docs["/users/"+name] = doc
	return proof.Key{ID: id, Private: private}
}

func proven(t *testing.T, v any, key proof.Key, created time.Time) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = proof.Sign(b, key, created); err != nil {
		t.Fatal(err)
	}
	return b
}

// edited changes members of a document's proof; the signature stays.
func edited(t *testing.T, body []byte, change func(doc, proof map[string]any)) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	change(doc, doc["proof"].(map[string]any))
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func takenIn(t *testing.T, in *instance.Instance, uri string) (was bool) {
	t.Helper()
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		was, err = tx.WasInbound(context.Background(), uri)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return was
}

// The word of an actor that another server passes on counts if, and only if, it
// bears a valid proof of that actor (A6, FEP-8b32).
func TestForwardedActivityNeedsProof(t *testing.T) {
	in, origin, net := admitted(t, social.ZonePublic)
	passer := second(t, in, social.ZonePublic)
	below := origin.proves("mallory/x")
	key, other, passers := origin.proves("mallory"), origin.proves("victim"), passer.proves("mallory")
	inbox := in.Config.PublicURL + "/inbox"
	now := time.Now()
	plain, err := json.Marshal(origin.create(1))
	if err != nil {
		t.Fatal(err)
	}
	good := proven(t, origin.create(1), key, now)
	for name, one := range map[string]struct {
		body  []byte
		fetch bool
	}{
		"no proof":                 {plain, false},
		"an old one":               {proven(t, origin.create(1), key, now.Add(-31*24*time.Hour)), false},
		"one without a time":       {edited(t, good, func(_, p map[string]any) { delete(p, "created") }), false},
		"one that ran out":         {edited(t, good, func(_, p map[string]any) { p["expires"] = "2020-01-01T00:00:00Z" }), false},
		"of the future":            {proven(t, origin.create(1), key, now.Add(2*time.Hour)), false},
		"another suite":            {edited(t, good, func(_, p map[string]any) { p["cryptosuite"] = "x" }), false},
		"another purpose":          {edited(t, good, func(_, p map[string]any) { p["proofPurpose"] = "authentication" }), false},
		"by whoever passes it on":  {proven(t, origin.create(1), passers, now), false},
		"by one below it":          {proven(t, origin.create(1), below, now), true},
		"by a neighbour":           {proven(t, origin.create(1), other, now), false},
		"under a neighbour's name": {proven(t, origin.create(1), proof.Key{ID: key.ID, Private: other.Private}, now), true},
		"one word changed":         {[]byte(strings.Replace(string(good), `"hi"`, `"ha"`, 1)), true},
		"one byte of it changed":   {[]byte(strings.Replace(string(good), `"proofValue":"z`, `"proofValue":"z2`, 1)), true},
	} {
		before := origin.fetches.Load()
		if got := passer.send(inbox, one.body, httpsig.Cavage, nil); got != 401 {
			t.Errorf("%s: answered %d", name, got)
		}
		if fetched := origin.fetches.Load() > before; fetched && !one.fetch {
			t.Errorf("%s: its actor was fetched", name)
		}
	}
	net.Settle()
	if takenIn(t, in, origin.url("/creates/1")) || known(t, in, origin.url("/notes/1")) {
		t.Fatal("taken without proof")
	}
	before := origin.fetches.Load()
	for _, d := range []httpsig.Dialect{httpsig.Cavage, httpsig.RFC9421} {
		if got := passer.send(inbox, good, d, nil); got != 202 {
			t.Errorf("%s: answered %d", d, got)
		}
	}
	net.Settle()
	if !known(t, in, origin.url("/notes/1")) {
		t.Error("what is proved did not arrive")
	}
	if n := origin.fetches.Load() - before; n > 1 {
		t.Errorf("%d fetches at the origin, of its actor's key at most one is needed", n)
	}
}

// The same holds between two actors of one server.
func TestNeighboursNeedProofToo(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	key := r.proves("mallory")
	r.as("victim")
	inbox := in.Config.PublicURL + "/inbox"
	old := proven(t, r.create(1), key, time.Now().Add(-31*24*time.Hour))
	if got := r.send(inbox, old, httpsig.Cavage, nil); got != 401 {
		t.Errorf("an old proof: answered %d", got)
	}
	if got := r.sendJSON(inbox, r.create(2)); got != 401 {
		t.Errorf("no proof: answered %d", got)
	}
	if got := r.send(inbox, proven(t, r.create(3), key, time.Now()), httpsig.Cavage, nil); got != 202 {
		t.Errorf("a valid proof: answered %d", got)
	}
	net.Settle()
	if known(t, in, r.url("/notes/1")) || known(t, in, r.url("/notes/2")) || !known(t, in, r.url("/notes/3")) {
		t.Error("taken or left out wrongly")
	}
}

// A server that is not admitted does not get in through one that is (G1).
func TestForwardedFromBlockedServer(t *testing.T) {
	in, origin, _ := admitted(t, social.ZoneBlocked)
	passer := second(t, in, social.ZonePublic)
	body := proven(t, origin.create(1), origin.proves("mallory"), time.Now())
	if got := passer.send(in.Config.PublicURL+"/inbox", body, httpsig.Cavage, nil); got != 403 {
		t.Errorf("answered %d", got)
	}
	if origin.fetches.Load()+passer.fetches.Load() != 0 {
		t.Error("fetched for a blocked server")
	}
	waiting, err := in.Social.ConnectRequests(context.Background())
	if err != nil || len(waiting) != 0 {
		t.Errorf("%v: somebody else knocked for it: %+v", err, waiting)
	}
}

// T4: passed on again, an activity has no effect, by whichever inbox it comes.
func TestForwardedReplayHasNoEffect(t *testing.T) {
	in, origin, net := admitted(t, social.ZonePublic)
	passer := second(t, in, social.ZonePublic)
	alice := net.Member(in, "alice")
	key := origin.proves("mallory")
	follows := map[string]any{"id": origin.url("/follows/1"), "type": "Follow", "actor": origin.actor("mallory"), "object": alice.Account.URI}
	body := proven(t, follows, key, time.Now())
	if got := origin.send(alice.Account.InboxURI, body, httpsig.Cavage, nil); got != 202 {
		t.Fatal(got)
	}
	net.Settle()
	undo := map[string]any{"id": origin.url("/undo/1"), "type": "Undo", "actor": origin.actor("mallory"), "object": follows}
	if got := origin.sendJSON(alice.Account.InboxURI, undo); got != 202 {
		t.Fatal(got)
	}
	net.Settle()
	if got := passer.send(in.Config.PublicURL+"/inbox", body, httpsig.Cavage, nil); got != 202 {
		t.Fatal(got)
	}
	net.Settle()
	if follow(t, in, accountOf(t, in, origin.actor("mallory")).ID, alice.Account.ID) != nil {
		t.Error("a follow came back that was taken back")
	}
}

// A profile that is passed on may be of yesterday: its keys are asked for at home.
func TestForwardedProfileBringsNoKeys(t *testing.T) {
	in, origin, net := admitted(t, social.ZonePublic)
	passer := second(t, in, social.ZonePublic)
	key := origin.proves("mallory")
	stale := origin.person("mallory")
	stale["name"], stale["publicKey"] = "of yesterday", map[string]any{"id": origin.actor("mallory") + "#old", "owner": origin.actor("mallory"), "publicKeyPem": string(passer.public)}
	update := map[string]any{"id": origin.url("/u/1"), "type": "Update", "actor": origin.actor("mallory"), "object": stale}
	if got := passer.send(in.Config.PublicURL+"/inbox", proven(t, update, key, time.Now()), httpsig.Cavage, nil); got != 202 {
		t.Fatal(got)
	}
	net.Settle()
	if a := accountOf(t, in, origin.actor("mallory")); a.DisplayName == "of yesterday" {
		t.Error("an old profile was taken over")
	}
}

// A proof that is wrong is held against an activity that is signed well; one that is
// not understood here is not (FEP-8b32, verification).
func TestProofOfOwnActivity(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	key, neighbour := r.proves("mallory"), r.proves("victim")
	inbox := in.Config.PublicURL + "/inbox"
	_, lost, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	n := 0
	for name, one := range map[string]struct {
		make func(c map[string]any) []byte
		want int
	}{
		"valid": {func(c map[string]any) []byte { return proven(t, c, key, now) }, 202},
		"changed after": {func(c map[string]any) []byte {
			return edited(t, proven(t, c, key, now), func(d, _ map[string]any) { d["summary"] = "x" })
		}, 401},
		"by a neighbour": {func(c map[string]any) []byte { return proven(t, c, neighbour, now) }, 401},
		"another key": {func(c map[string]any) []byte {
			return proven(t, c, proof.Key{ID: key.ID, Private: neighbour.Private}, now)
		}, 401},
		"an RSA key": {func(c map[string]any) []byte {
			return proven(t, c, proof.Key{ID: r.actor("mallory") + "#main-key", Private: key.Private}, now)
		}, 401},
		"of the future": {func(c map[string]any) []byte { return proven(t, c, key, now.Add(2*time.Hour)) }, 401},
		"a key never had": {func(c map[string]any) []byte {
			return proven(t, c, proof.Key{ID: r.actor("mallory") + "#lost", Private: lost}, now)
		}, 202},
		"a DID": {func(c map[string]any) []byte {
			return proven(t, c, proof.Key{ID: "did:key:z6Mk#z6Mk", Private: lost}, now)
		}, 202},
		"another suite": {func(c map[string]any) []byte {
			return edited(t, proven(t, c, key, now), func(_, p map[string]any) { p["cryptosuite"] = "mldsa44-jcs-2024" })
		}, 202},
		"a linked data signature beside it": {func(c map[string]any) []byte {
			return edited(t, proven(t, c, key, now), func(d, _ map[string]any) { d["signature"] = map[string]any{"type": "RsaSignature2017"} })
		}, 202},
	} {
		n++
		body := one.make(r.create(n))
		if got := r.send(inbox, body, httpsig.Cavage, nil); got != one.want {
			t.Errorf("%s: answered %d, want %d", name, got, one.want)
		}
		net.Settle()
		if got := known(t, in, r.url(fmt.Sprintf("/notes/%d", n))); got != (one.want == 202) {
			t.Errorf("%s: taken %v", name, got)
		}
	}
}

// DESIGN 4 (a): what somebody else embeds is taken with its author's own proof, as
// it is kept, without asking its server; everything else is asked for there.
func TestEmbeddedObjectWithProof(t *testing.T) {
	in, origin, net := admitted(t, social.ZonePublic)
	passer := second(t, in, social.ZonePublic)
	key := origin.proves("mallory")
	inbox := in.Config.PublicURL + "/inbox"
	now := time.Now()
	note := func(n int) json.RawMessage { return proven(t, origin.note(n), key, now) }
	forged := func(b []byte) json.RawMessage { return []byte(strings.Replace(string(b), `"hi"`, `"forged"`, 1)) }
	whole := func(n int) json.RawMessage { return proven(t, origin.create(n), key, now) }
	for n := range 20 {
		origin.docs[fmt.Sprintf("/notes/%d", n)] = origin.note(n)
	}
	for n, one := range []struct {
		name, kind string
		object     json.RawMessage
		asked      bool
	}{
		{"a post in a share", "Announce", note(0), false},
		{"a post in a Create of somebody else", "Create", note(1), false},
		{"a Create in a share (FEP-1b12)", "Announce", whole(2), false},
		{"a post in a share, changed", "Announce", forged(note(3)), true},
		{"a Create in a share, changed", "Announce", forged(whole(4)), true},
		{"a post in a Create, changed", "Create", forged(note(5)), true},
		{"without a proof", "Announce", mustJSON(t, origin.note(6)), true},
		{"with an old proof", "Announce", proven(t, origin.note(7), key, now.Add(-31*24*time.Hour)), true},
	} {
		body := mustJSON(t, map[string]any{"id": passer.url(fmt.Sprintf("/a/%d", n)), "type": one.kind, "actor": passer.actor("mallory"),
			"object": one.object, "to": "https://www.w3.org/ns/activitystreams#Public"})
		asked := false
		origin.special(func(_ http.ResponseWriter, q *http.Request) bool {
			asked = asked || strings.HasPrefix(q.URL.Path, "/notes/")
			return false
		})
		if got := passer.send(inbox, body, httpsig.Cavage, nil); got != 202 {
			t.Fatalf("%s: answered %d", one.name, got)
		}
		net.Settle()
		if asked != one.asked {
			t.Errorf("%s: its server was asked: %v", one.name, asked)
		}
		p := postOf(t, in, origin.url(fmt.Sprintf("/notes/%d", n)))
		if p == nil || strings.Contains(p.Content, "forged") {
			t.Errorf("%s: %+v", one.name, p)
			continue
		}
		if n < 2 {
			raw := rawOf(t, in, p.ID)
			kept, err := proof.Inspect(raw, now)
			if err != nil || kept.Verify(key.Private.Public()) != nil {
				t.Errorf("%s: what is kept is not what was proved: %v %s", one.name, err, raw)
			}
		}
	}
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func postOf(t *testing.T, in *instance.Instance, uri string) (p *social.Post) {
	t.Helper()
	err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		p, err = tx.PostByURI(context.Background(), uri)
		return err
	})
	if err != nil && social.KindOf(err) != social.NotFound {
		t.Fatal(err)
	}
	return p
}

// rawOf is what an instance keeps of a post as it came.
func rawOf(t *testing.T, in *instance.Instance, id social.ID) (raw []byte) {
	t.Helper()
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		raw, err = tx.RawPost(context.Background(), id)
		return err
	}); err != nil || len(raw) == 0 {
		t.Fatal(err, "nothing is kept")
	}
	return raw
}

// posts records what arrives at a remote's inboxes and answers it.
func (r *remote) posts(status int) func() [][]byte {
	var mu sync.Mutex
	var got [][]byte
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.Method != http.MethodPost {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		var body json.RawMessage
		_ = json.NewDecoder(q.Body).Decode(&body)
		got = append(got, body)
		w.WriteHeader(status)
		return true
	})
	return func() [][]byte {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

// befriend lets mallory of a remote follow a member.
func befriend(t *testing.T, net *instancetest.Network, in *instance.Instance, r *remote, member social.Reader) {
	t.Helper()
	f := map[string]any{"id": r.url("/follows/" + member.Account.Username), "type": "Follow", "actor": r.actor("mallory"), "object": member.Account.URI}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", f); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
}

// Everything that leaves bears its actor's proof, and the post in it its author's.
func TestEverythingThatLeavesIsProved(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	arrived := r.posts(202)
	alice := net.Member(in, "alice")
	befriend(t, net, in, r, alice)
	mallory := accountOf(t, in, r.actor("mallory"))
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		net.Settle()
	}
	v, err := in.Social.Publish(ctx, alice, social.Draft{Text: strings.Repeat("Grüße an alle. ", 300), Audience: "public"})
	do(err)
	_, err = in.Social.Edit(ctx, alice, v.Post.ID, social.Draft{Text: "Kürzer."})
	do(err)
	_, err = in.Social.Follow(ctx, alice, mallory.ID, social.FollowOptions{})
	do(err)
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)); got != 202 {
		t.Fatal(got)
	}
	net.Settle()
	theirs := postOf(t, in, r.url("/notes/1"))
	_, err = in.Social.Favourite(ctx, alice, theirs.ID, true)
	do(err)
	_, err = in.Social.Boost(ctx, alice, theirs.ID, true)
	do(err)
	_, err = in.Social.Delete(ctx, alice, v.Post.ID)
	do(err)

	key := edKey(t, in, alice.Account.ID)
	kinds := map[string]bool{}
	for _, body := range arrived() {
		var a struct {
			Type, Actor string
			Object      struct {
				Type  string
				Proof any
			}
		}
		_ = json.Unmarshal(body, &a) // an object may be a bare URI
		kinds[a.Type] = true
		p, err := proof.Inspect(body, time.Now())
		if err != nil || p.Verify(key) != nil || p.VerificationMethod != alice.Account.URI+"#ed25519" || a.Actor != alice.Account.URI {
			t.Errorf("%s: %v", a.Type, err)
		}
		if a.Type == "Create" || a.Type == "Update" {
			inner, err := proof.Inspect(proof.Part(body, "object"), time.Now())
			if err != nil || inner.Verify(key) != nil {
				t.Errorf("the post in %s: %v", a.Type, err)
			}
		}
		if len(body) > 64<<10 {
			t.Errorf("%s: %d bytes, more than some servers take", a.Type, len(body))
		}
		t.Logf("%s: %d bytes", a.Type, len(body))
	}
	for _, kind := range []string{"Accept", "Create", "Update", "Follow", "Like", "Announce", "Delete"} {
		if !kinds[kind] {
			t.Errorf("no %s arrived", kind)
		}
	}
}

func edKey(t *testing.T, in *instance.Instance, account social.ID) any {
	t.Helper()
	var keys []social.Key
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		keys, err = tx.KeysOf(context.Background(), account)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Kind == "ed25519" {
			public, err := httpsig.ParsePublic(k.Public)
			if err != nil {
				t.Fatal(err)
			}
			return public
		}
	}
	t.Fatal("no Ed25519 key")
	return nil
}

package federation_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// refused sends a body, tampered with, and wants 401 without a trace.
func refused(t *testing.T, in *instance.Instance, r *remote, name string, body []byte, d httpsig.Dialect, change func(*http.Request)) {
	t.Helper()
	var a struct{ ID string }
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatal(err)
	}
	if got := r.send(in.Config.PublicURL+"/inbox", body, d, change); got != 401 {
		t.Errorf("%s, %s: answered %d", name, d, got)
	}
	if takenIn(t, in, a.ID) {
		t.Errorf("%s, %s: left a row", name, d)
	}
}

// A1 and T1: whoever signs is not believed as another, on its server or elsewhere,
// and nobody is asked about the one it claims to be.
func TestA1T1SignerIsTheActor(t *testing.T) {
	in, evil, net := admitted(t, social.ZonePublic)
	victim := second(t, in, social.ZonePublic)
	claim := func(actor string) []byte {
		c := evil.create(1)
		c["actor"] = actor
		if !strings.HasPrefix(actor, evil.url("")) {
			c["id"] = victim.url("/creates/1")
		}
		return mustJSON(t, c)
	}
	for _, d := range []httpsig.Dialect{httpsig.Cavage, httpsig.RFC9421} {
		refused(t, in, evil, "another server's actor", claim(victim.actor("victim")), d, nil)
		refused(t, in, evil, "its neighbour", claim(evil.actor("victim")), d, nil)
	}
	if n := victim.fetches.Load(); n != 0 {
		t.Errorf("the victim was fetched %d times", n)
	}
	net.Settle()
	if known(t, in, evil.url("/notes/1")) {
		t.Error("taken")
	}
}

// A2 and T3: what must be signed is signed, and the digest is that of the body. No
// key is asked for before. The whole table is in httpsig.
func TestA2T3WhatMustBeSigned(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	body := mustJSON(t, r.create(1))
	without := func(header, part string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set(header, strings.Replace(q.Header.Get(header), part, "", 1)) }
	}
	set := func(header, value string) func(*http.Request) {
		return func(q *http.Request) { q.Header.Set(header, value) }
	}
	other := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, change := range map[string]func(*http.Request){
		"no digest signed": without("Signature", " digest"), "no date signed": without("Signature", " date"),
		"no host signed": without("Signature", " host"), "no target signed": without("Signature", "(request-target) "),
		"nothing signed": without("Signature", "(request-target) host date digest content-type"),
		"duplicate keyId": func(q *http.Request) {
			q.Header.Set("Signature", q.Header.Get("Signature")+`,keyId="https://c.test/k"`)
		},
		"two signatures": func(q *http.Request) { q.Header.Add("Signature", q.Header.Get("Signature")) },
		"unknown algorithm": func(q *http.Request) {
			q.Header.Set("Signature", strings.Replace(q.Header.Get("Signature"), "rsa-sha256", "rsa-md5", 1))
		},
		"no digest": func(q *http.Request) { q.Header.Del("Digest") }, "digest of another body": set("Digest", "SHA-256="+other),
		"digest in SHA-1": set("Digest", "SHA=2jmj7l5rSw0yVb/vlWAYkK/YBwk="), "no signature": func(q *http.Request) { q.Header.Del("Signature") },
	} {
		refused(t, in, r, name, body, httpsig.Cavage, change)
	}
	for name, change := range map[string]func(*http.Request){
		"no digest signed": without("Signature-Input", ` "content-digest"`), "no method signed": without("Signature-Input", `"@method" `),
		"no target signed": without("Signature-Input", `"@target-uri" `), "no time": without("Signature-Input", ";created"),
		"no key": without("Signature-Input", "keyid"), "no digest": func(q *http.Request) { q.Header.Del("Content-Digest") },
		"digest of another body": set("Content-Digest", "sha-256=:"+other+":"),
		"two signatures":         func(q *http.Request) { q.Header.Add("Signature-Input", `sig2=("@method");created=1`) },
	} {
		refused(t, in, r, name, body, httpsig.RFC9421, change)
	}
	if n := r.fetches.Load(); n != 0 {
		t.Errorf("%d fetches for what cannot be valid", n)
	}
}

// A 401 says how we want to be spoken to.
func TestRefusalAsksForSignature(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	r.docs["/users/mallory"] = map[string]any{} // no key to be had
	for _, d := range []httpsig.Dialect{httpsig.Cavage, httpsig.RFC9421} {
		q, err := http.NewRequest("POST", in.Config.PublicURL+"/inbox", strings.NewReader(string(mustJSON(t, r.create(1)))))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/activity+json")
		if err := httpsig.Sign(q, mustJSON(t, r.create(1)), r.key, d, time.Now()); err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if w, ok := httpsig.ReadWish(res.Header); res.StatusCode != 401 || !ok || len(w.Components) != 4 {
			t.Errorf("%s: %d %v", d, res.StatusCode, res.Header)
		}
	}
}

// T2: a key speaks for its owner alone, and only if the owner publishes it as its own.
func TestT2KeysOfOthersDoNotCount(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	mallory := r.person("mallory")
	mallory["publicKey"] = []any{
		map[string]any{"id": r.actor("mallory") + "#foreign", "owner": r.actor("victim"), "publicKeyPem": string(r.public)},
		map[string]any{"id": r.actor("mallory") + "#broken", "owner": r.actor("mallory"), "publicKeyPem": "secret"}}
	r.docs["/users/mallory"] = mallory
	for _, id := range []string{r.actor("mallory") + "#foreign", r.actor("mallory") + "#broken", r.actor("mallory") + "#absent",
		r.actor("victim") + "#main-key", "acct:mallory@" + r.host(), in.Config.PublicURL + "/actor#main-key"} {
		r.key.ID = id
		refused(t, in, r, id, mustJSON(t, r.create(1)), httpsig.Cavage, nil)
		refused(t, in, r, id, mustJSON(t, r.create(1)), httpsig.RFC9421, nil)
	}
}

// T4: outside the window refused, inside it without a second effect.
func TestT4Replay(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	body := mustJSON(t, map[string]any{"id": r.url("/follows/1"), "type": "Follow", "actor": r.actor("mallory"), "object": alice.Account.URI})
	for _, d := range []httpsig.Dialect{httpsig.Cavage, httpsig.RFC9421} {
		for _, off := range []time.Duration{-61 * time.Minute, 61 * time.Minute} {
			refused(t, in, r, off.String(), body, d, func(q *http.Request) {
				q.Header.Del("Digest")
				if err := httpsig.Sign(q, body, r.key, d, time.Now().Add(off)); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
	for range 3 {
		if got := r.send(inbox, body, httpsig.Cavage, nil); got != 202 {
			t.Errorf("answered %d", got)
		}
		net.Settle()
	}
	kinds, err := in.Social.Notifications(context.Background(), alice, social.Page{}, social.NotificationFilter{})
	if err != nil || len(kinds) != 1 {
		t.Errorf("%v: %d notifications of one follow", err, len(kinds))
	}
}

// T15: a new key counts after one look, the old one is dead, and wrong signatures
// do not make us look again and again.
func TestT15KeyRotation(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	if got := r.sendJSON(inbox, r.create(1)); got != 202 {
		t.Fatalf("answered %d", got)
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
	before := r.fetches.Load()
	if got := r.sendJSON(inbox, r.create(2)); got != 202 {
		t.Errorf("the new key: answered %d", got)
	}
	if n := r.fetches.Load() - before; n != 1 {
		t.Errorf("%d looks for the new key", n)
	}
	r.key = old
	for range 5 {
		refused(t, in, r, "the old key", mustJSON(t, r.create(3)), httpsig.Cavage, nil)
	}
	if n := r.fetches.Load() - before; n != 1 {
		t.Errorf("%d looks within five minutes", n)
	}
}

// inbox of a peer that speaks one dialect only, or asks for more.
type picky struct {
	mu    sync.Mutex
	seen  []string
	takes func(q *http.Request) bool
	says  string // Accept-Signature of a refusal
	no    int
}

func (p *picky) answer(w http.ResponseWriter, q *http.Request) bool {
	signed := q.Header.Get("Signature") != ""
	if !signed {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	how := "cavage"
	if input := q.Header.Get("Signature-Input"); strings.Contains(input, `nonce="n1"`) {
		how = "nonce"
	} else if input != "" {
		how = "rfc9421"
	}
	p.seen = append(p.seen, q.Method+" "+how)
	if !p.takes(q) {
		if p.says != "" {
			w.Header().Set("Accept-Signature", p.says)
		}
		w.WriteHeader(p.no)
		return true
	}
	if q.Method == http.MethodPost {
		w.WriteHeader(http.StatusAccepted)
		return true
	}
	return false
}

func (p *picky) took() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := strings.Join(p.seen, ", ")
	p.seen = nil
	return s
}

// The dialect of a peer is learnt, for deliveries and fetches, with at most three
// tries, and nothing is sent again once it was accepted.
func TestDialectIsLearnt(t *testing.T) {
	only := func(how string) func(q *http.Request) bool {
		return func(q *http.Request) bool {
			input := q.Header.Get("Signature-Input")
			return map[string]bool{"cavage": input == "", "rfc9421": input != "", "nonce": strings.Contains(input, `nonce="n1"`), "none": false}[how]
		}
	}
	const asks = `sig1=("@method" "@target-uri");created;keyid`
	for name, one := range map[string]struct {
		peer                *picky
		first, second, gets string
	}{
		"the older only":       {&picky{takes: only("cavage"), no: 401}, "POST cavage", "POST cavage", "GET cavage"},
		"the newer only":       {&picky{takes: only("rfc9421"), no: 401}, "POST cavage, POST rfc9421", "POST rfc9421", "GET rfc9421"},
		"the newer, as a 400":  {&picky{takes: only("rfc9421"), no: 400}, "POST cavage, POST rfc9421", "POST rfc9421", "GET rfc9421"},
		"the newer, asked for": {&picky{takes: only("rfc9421"), no: 401, says: asks}, "POST cavage, POST rfc9421", "POST rfc9421", "GET rfc9421"},
		"a nonce each time":    {&picky{takes: only("nonce"), no: 401, says: asks + `;nonce="n1"`}, "POST cavage, POST nonce", "POST rfc9421, POST nonce", "GET rfc9421, GET nonce"},
		"neither":              {&picky{takes: only("none"), no: 401}, "POST cavage, POST rfc9421", "", "GET cavage, GET rfc9421"},
		"a refusal for good":   {&picky{takes: only("none"), no: 403, says: asks}, "POST cavage", "POST cavage", "GET cavage"},
	} {
		t.Run(name, func(t *testing.T) {
			in, r, net := admitted(t, social.ZonePublic)
			alice := net.Member(in, "alice")
			peer := one.peer
			takes := peer.takes
			peer.takes = func(*http.Request) bool { return true } // while setting up
			r.special(peer.answer)
			befriendQuietly(t, net, in, r, alice)
			peer.mu.Lock()
			peer.takes = takes
			peer.mu.Unlock()
			peer.took()
			for i, want := range []string{one.first, one.second} {
				if _, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: "hi", Audience: "public"}); err != nil {
					t.Fatal(err)
				}
				net.Settle()
				if got := peer.took(); want != "" && got != want {
					t.Errorf("post %d: %s, want %s", i+1, got, want)
				}
			}
			if _, _, err := in.Federation.FindURL(context.Background(), r.url("/nothing/here")); err == nil {
				t.Error("found nothing")
			}
			if got := peer.took(); got != one.gets {
				t.Errorf("fetch: %s, want %s", got, one.gets)
			}
		})
	}
}

// befriendQuietly is befriend with the answer to the follow delivered.
func befriendQuietly(t *testing.T, net *instancetest.Network, in *instance.Instance, r *remote, member social.Reader) {
	t.Helper()
	befriend(t, net, in, r, member)
	if follow(t, in, accountOf(t, in, r.actor("mallory")).ID, member.Account.ID) == nil {
		t.Fatal("setting up")
	}
}

// A fetch teaches the dialect too.
func TestFetchTeachesDialect(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	r.docs["/notes/1"] = r.note(1)
	peer := &picky{takes: func(q *http.Request) bool { return q.Header.Get("Signature-Input") != "" }, no: 401}
	r.special(peer.answer)
	for i, want := range []string{"GET cavage, GET rfc9421, GET rfc9421", "GET rfc9421"} {
		if i == 1 {
			r.docs["/notes/2"] = r.note(2)
		}
		if _, _, err := in.Federation.FindURL(context.Background(), r.url("/notes/"+string(rune('1'+i)))); err != nil {
			t.Fatal(err)
		}
		if got := peer.took(); got != want {
			t.Errorf("fetch %d: %s, want %s", i+1, got, want)
		}
	}
}

// T20: a redirected delivery is a failure, and nothing goes where it points.
func TestT20RedirectedDeliveryFails(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		in, r, net := admitted(t, social.ZonePublic)
		elsewhere := second(t, in, social.ZonePublic)
		alice := net.Member(in, "alice")
		befriend(t, net, in, r, alice)
		r.special(func(w http.ResponseWriter, q *http.Request) bool {
			if q.Method != http.MethodPost {
				return false
			}
			w.Header().Set("Location", elsewhere.url("/inbox"))
			w.WriteHeader(status)
			return true
		})
		v, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: "hi", Audience: "public"})
		if err != nil {
			t.Fatal(err)
		}
		net.Settle()
		if n := elsewhere.fetches.Load(); n != 0 {
			t.Errorf("%d: %d requests where it points", status, n)
		}
		var peer social.Peer
		if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
			peer, err = tx.Peer(context.Background(), r.host())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		states, err := in.Social.Deliveries(context.Background(), alice, v.Post.ID)
		if err != nil || len(states) != 1 || states[0].State == "delivered" {
			t.Errorf("%d: counted as delivered: %v %+v", status, err, states)
		}
		if !strings.Contains(peer.LastError, "answered 3") {
			t.Errorf("%d: the peer's health says %q", status, peer.LastError)
		}
	}
}

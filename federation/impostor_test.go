package federation_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/queue"
	"parley/social"
)

// impostor answers at the address of a sister, with a certificate that everybody
// believes and keys of its own. It keeps every byte that it gets.
type impostor struct {
	t      *testing.T
	origin string
	public []byte // its RSA key
	rsa    httpsig.Key
	ed     httpsig.Key
	server *http.Server
	// answer, when set, is how it answers what is POSTed; else it says 202.
	answer func(w http.ResponseWriter, r *http.Request)
	// get, when set, is how it answers GETs; else with documents of its own.
	get func(w http.ResponseWriter, r *http.Request)

	mu    sync.Mutex
	bytes bytes.Buffer
	sent  []*sealedPost
}

// sealedPost is a delivery that somebody took who should not have it.
type sealedPost struct {
	path   string
	header http.Header
	body   []byte
}

// takeOver stops an instance and puts an impostor into its place.
func takeOver(t *testing.T, network *instancetest.Network, i int) *impostor {
	t.Helper()
	m := &impostor{t: t, origin: network.Instances[i].Config.PublicURL}
	network.Stop(i)
	pub, priv, err := instancetest.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	m.public = pub
	if m.rsa.Private, err = httpsig.ParsePrivate(priv); err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m.ed = httpsig.Key{ID: m.origin + "/actor#ed25519", Private: ed}
	l, err := net.Listen("tcp", strings.TrimPrefix(m.origin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	m.server = &http.Server{Handler: m, ReadHeaderTimeout: time.Minute}
	go func() { _ = m.server.Serve(l) }()
	t.Cleanup(m.leave)
	return m
}

// leave gives the address back.
func (m *impostor) leave() { _ = m.server.Close() }

// ServeHTTP implements http.Handler.
func (m *impostor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	fmt.Fprintf(&m.bytes, "%s %s\n", r.Method, r.RequestURI)
	_ = r.Header.Write(&m.bytes)
	m.bytes.Write(body)
	if r.Method == http.MethodPost {
		m.sent = append(m.sent, &sealedPost{r.URL.Path, r.Header.Clone(), body})
	}
	answer, get := m.answer, m.get
	m.mu.Unlock()
	switch {
	case r.Method == http.MethodPost && answer != nil:
		answer(w, r)
	case r.Method == http.MethodPost:
		w.WriteHeader(http.StatusAccepted)
	case get != nil:
		get(w, r)
	default:
		m.document(w, r)
	}
}

// document is of whatever is asked for: an actor with the impostor's keys, or a post.
func (m *impostor) document(w http.ResponseWriter, r *http.Request) {
	id := m.origin + r.URL.Path
	w.Header().Set("Content-Type", "application/activity+json")
	switch {
	case r.URL.Path == "/.well-known/webfinger":
		w.Header().Set("Content-Type", "application/jrd+json")
		_ = json.NewEncoder(w).Encode(map[string]any{"subject": r.URL.Query().Get("resource"),
			"links": []any{map[string]any{"rel": "self", "type": "application/activity+json", "href": m.origin + "/users/1"}}})
	case strings.Contains(r.URL.Path, "/statuses/"):
		_ = json.NewEncoder(w).Encode(m.note(id))
	default:
		_ = json.NewEncoder(w).Encode(m.person(id))
	}
}

func (m *impostor) person(id string) map[string]any {
	return map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Person", "preferredUsername": "dora", "name": "forged",
		"inbox": id + "/inbox", "outbox": id + "/outbox", "followers": id + "/followers",
		"publicKey":       map[string]any{"id": id + "#main-key", "owner": id, "publicKeyPem": string(m.public)},
		"assertionMethod": []any{map[string]any{"id": id + "#ed25519", "type": "Multikey", "controller": id, "publicKeyMultibase": httpsig.EncodeMultikey(m.ed.Private.Public().(ed25519.PublicKey))}}}
}

func (m *impostor) note(id string) map[string]any {
	author, _, _ := strings.Cut(id, "/statuses/")
	return map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Note", "attributedTo": author, "content": "forged",
		"to": "https://www.w3.org/ns/activitystreams#Public", "published": time.Now().UTC().Format(time.RFC3339)}
}

// seen is every byte it got.
func (m *impostor) seen() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.bytes.Bytes())
}

// taken are the deliveries it got.
func (m *impostor) taken() []*sealedPost {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]*sealedPost(nil), m.sent...)
}

// post sends a body in somebody's name and answers the status.
func (m *impostor) post(to string, body []byte, kind string, sign func(*http.Request) error) int {
	m.t.Helper()
	r, err := http.NewRequest(http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if err := sign(r); err != nil {
		m.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// pairingOf is what an instance holds of another.
func pairingOf(t testing.TB, in *instance.Instance, peer string) (p social.Pairing) {
	t.Helper()
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		p, err = tx.Pairing(context.Background(), peer)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

// waiting are the deliveries that wait for a peer.
func waiting(t *testing.T, in *instance.Instance, peer string) []queue.Job {
	t.Helper()
	jobs, err := in.DB.Jobs(context.Background(), "deliver", peer, 100)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// companyTexts counts what stands in the company timeline.
func companyTexts(t *testing.T, in *instance.Instance, r social.Reader) map[string]int {
	t.Helper()
	views, err := in.Social.Company(context.Background(), r, social.Page{Limit: 80})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, v := range views {
		out[v.Post.Content]++
	}
	return out
}

// Whoever answers for a sister's domain with other keys reads nothing, cannot make us
// believe that a delivery arrived, and is reported; when the true sister is back,
// everything arrives, once.
func TestAnImpostorGetsNothing(t *testing.T) {
	clock := instancetest.NewClock()
	network, _ := sisters(t, instancetest.Options{Now: clock.Now})
	a, b := network.Instances[0], network.Instances[1]
	ctx, peer := context.Background(), b.Config.Domain
	alice, carol := network.Member(a, "alice"), network.Member(b, "carol")
	acquaint(t, network, a, alice, instancetest.Handle(b, carol))
	acquaint(t, network, b, carol, instancetest.Handle(a, alice))
	m := takeOver(t, network, 1)
	publish(t, a, alice, social.Draft{Text: "canary one", Audience: "company"})
	publish(t, a, alice, social.Draft{Text: "canary two " + instancetest.Handle(b, carol), Audience: "direct"})
	network.Settle()
	if n := len(m.taken()); n == 0 {
		t.Fatal("the impostor was sent nothing")
	}
	if p := pairingOf(t, a, peer); p.State != social.PairingParked || !strings.Contains(p.Cause, "202") {
		t.Errorf("the peer is %s: %q", p.State, p.Cause)
	}
	reported := audited(t, a, ofKind(social.AuditPairing, "parked"))
	if len(reported) != 1 || reported[0].Peer != peer {
		t.Errorf("reported %+v", reported)
	}
	if n := len(waiting(t, a, peer)); n != 2 {
		t.Errorf("%d deliveries wait", n)
	}
	had := len(m.seen())
	publish(t, a, alice, social.Draft{Text: "canary three", Audience: "company"})
	for range 20 { // whatever is tried in the meantime
		clock.Advance(time.Hour)
		network.Settle()
	}
	if _, err := a.Social.FindHandle(ctx, alice, "@dora@"+peer); err == nil {
		t.Error("the impostor's people are found")
	}
	if more := m.seen()[had:]; len(more) != 0 {
		t.Errorf("a parked peer was sent %q", more)
	}
	if err := a.Federation.Recheck(ctx); err != nil {
		t.Fatal(err)
	}
	if p := pairingOf(t, a, peer); p.State != social.PairingParked {
		t.Error("the impostor's answer ended the parking")
	}
	if all := m.seen(); bytes.Contains(all, []byte("canary")) || bytes.Contains(all, []byte("alice")) {
		t.Errorf("the impostor read %s", all)
	}
	m.leave()
	b = network.Restart(1)
	clock.Advance(2 * time.Hour)
	if err := a.Federation.Recheck(ctx); err != nil {
		t.Fatal(err)
	}
	network.Settle()
	if p := pairingOf(t, a, peer); p.State != social.PairingActive || p.Cause != "" {
		t.Errorf("the true sister is %s: %q", p.State, p.Cause)
	}
	if back := audited(t, a, func(r social.AuditRow) bool { return r.Rule == "pinned keys" && r.Result == "active" }); len(back) != 1 {
		t.Errorf("reported %+v", back)
	}
	if got := companyTexts(t, b, carol); len(got) != 2 || got["<p>canary one</p>"] != 1 || got["<p>canary three</p>"] != 1 {
		t.Errorf("arrived: %v", got)
	}
	told, err := b.Social.Notifications(ctx, carol, social.Page{}, social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyMention}})
	if err != nil || len(told) != 1 || len(waiting(t, a, peer)) != 0 {
		t.Errorf("%d mentions, %d wait: %v", len(told), len(waiting(t, a, peer)), err)
	}
}

// What somebody says in a sister's name without her pinned key has no effect, whatever
// keys her domain shows: not signed anew, not sealed, not as a document.
func TestAnImpostorCannotSpeak(t *testing.T) {
	network, _ := sisters(t, instancetest.Options{})
	a, b := network.Instances[0], network.Instances[1]
	ctx, peer, inbox := context.Background(), b.Config.Domain, a.Config.PublicURL+"/inbox"
	alice, carol := network.Member(a, "alice"), network.Member(b, "carol")
	acquaint(t, network, a, alice, instancetest.Handle(b, carol))
	said := publish(t, b, carol, social.Draft{Text: "what carol said", Audience: "company"})
	hidden := publish(t, a, alice, social.Draft{Text: "canary", Audience: "company"})
	network.Settle()
	before := accountOf(t, a, carol.Account.URI)
	pinned := pairingOf(t, a, peer)
	m := takeOver(t, network, 1)
	create := func(n int) map[string]any {
		note := m.note(fmt.Sprintf("%s/statuses/%d", carol.Account.URI, n))
		return map[string]any{"id": fmt.Sprintf("%s/activities/%d", m.origin, n), "type": "Create", "actor": carol.Account.URI, "object": note, "to": note["to"]}
	}
	speeches := []map[string]any{create(1),
		{"id": m.origin + "/activities/2", "type": "Delete", "actor": carol.Account.URI, "object": said.URI},
		{"id": m.origin + "/activities/3", "type": "Delete", "actor": carol.Account.URI, "object": carol.Account.URI},
		{"id": m.origin + "/activities/4", "type": "Update", "actor": carol.Account.URI, "object": m.person(carol.Account.URI)},
		{"id": m.origin + "/activities/5", "type": "Create", "actor": m.origin + "/actor", "object": m.note(m.origin + "/actor/statuses/5")},
	}
	sealing := sealingKey(t, a)
	for _, speech := range speeches {
		body := mustJSON(t, speech)
		about := seal.About{From: peer, To: a.Config.Domain, Purpose: seal.Delivery, Target: inbox}
		sealed, _, err := seal.Seal(body, about, m.ed.Private.(ed25519.PrivateKey), sealing)
		if err != nil {
			t.Fatal(err)
		}
		for name, try := range map[string]func() int{
			"by a person's new key": func() int {
				key := m.rsa
				key.ID = carol.Account.URI + "#main-key"
				return m.post(inbox, body, "application/activity+json", func(r *http.Request) error { return httpsig.Sign(r, body, key, httpsig.Cavage, time.Now()) })
			},
			"by an instance's new key": func() int {
				return m.post(inbox, body, "application/activity+json", func(r *http.Request) error { return httpsig.Sign(r, body, m.ed, httpsig.RFC9421, time.Now()) })
			},
			"sealed, by an instance's new key": func() int {
				return m.post(inbox, sealed, seal.MediaType, func(r *http.Request) error { return httpsig.Sign(r, sealed, m.ed, httpsig.RFC9421, time.Now()) })
			},
			"sealed, by a person's new key": func() int {
				key := m.rsa
				key.ID = carol.Account.URI + "#main-key"
				return m.post(inbox, sealed, seal.MediaType, func(r *http.Request) error { return httpsig.Sign(r, sealed, key, httpsig.Cavage, time.Now()) })
			},
		} {
			if got := try(); got != http.StatusUnauthorized {
				t.Errorf("%s %s: answered %d", speech["type"], name, got)
			}
		}
	}
	network.Settle()
	// To another server, which may have whatever it is asked for.
	accomplice := second(t, a, social.ZonePublic)
	accomplice.docs["/users/1"] = m.person(m.origin + "/users/1")
	m.get = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, accomplice.url("/users/1"), http.StatusFound)
	}
	if found, err := a.Social.Search(ctx, alice, m.origin+"/users/1", social.SearchOptions{Resolve: true}); err == nil && len(found.Accounts) > 0 || accomplice.fetches.Load() != 0 {
		t.Errorf("followed to another server: %+v, %v", found, err)
	}
	m.get = nil
	// Documents of its own, for what is not known here yet and what is.
	for _, handle := range []string{"@dora@" + peer, m.origin + "/users/1", m.origin + "/users/1/statuses/7", carol.Account.URI, said.URI} {
		found, err := a.Social.Search(ctx, alice, handle, social.SearchOptions{Resolve: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found.Accounts {
			if f.DisplayName == "forged" {
				t.Errorf("%s: the forged profile is shown", handle)
			}
		}
	}
	if after := accountOf(t, a, carol.Account.URI); after.DisplayName != before.DisplayName || !after.Active() {
		t.Errorf("carol became %+v", after)
	}
	if p, err := a.Social.PostByURI(ctx, alice, said.URI); err != nil || p.Post.Content != "<p>what carol said</p>" {
		t.Errorf("what carol said is gone: %v", err)
	}
	for _, uri := range []string{carol.Account.URI + "/statuses/1", m.origin + "/actor/statuses/5", m.origin + "/users/1/statuses/7"} {
		if known(t, a, uri) {
			t.Errorf("%s is believed", uri)
		}
	}
	for _, as := range []func(*http.Request) error{
		func(r *http.Request) error { return httpsig.Sign(r, nil, m.ed, httpsig.RFC9421, time.Now()) },
		func(r *http.Request) error {
			key := m.rsa
			key.ID = carol.Account.URI + "#main-key"
			return httpsig.Sign(r, nil, key, httpsig.Cavage, time.Now())
		},
	} {
		r, err := http.NewRequest(http.MethodGet, hidden.URI, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "application/activity+json")
		if err := as(r); err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized || bytes.Contains(body, []byte("canary")) {
			t.Errorf("answered %d: %s", res.StatusCode, body)
		}
	}
	if p := pairingOf(t, a, peer); !bytes.Equal(p.SigningKey, pinned.SigningKey) || !bytes.Equal(p.SealingKey, pinned.SealingKey) {
		t.Error("the pinned keys changed")
	}
	if p := pairingOf(t, a, peer); p.State != social.PairingParked {
		t.Errorf("a peer that answers with other keys is %s", p.State)
	}
	if bytes.Contains(m.seen(), []byte("canary")) {
		t.Error("the impostor read something")
	}
}

// sealingKey is the raw key that an instance publishes to seal to.
func sealingKey(t testing.TB, in *instance.Instance) (raw []byte) {
	t.Helper()
	if err := in.DB.View(context.Background(), func(tx social.Tx) error {
		k, err := tx.KeyByURI(context.Background(), in.Config.PublicURL+"/actor#sealing")
		if err != nil {
			return err
		}
		raw, err = k.Raw()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return raw
}

// However the other side refuses what is sealed, nothing is said in clear, and nothing
// is given up: a bare status is anybody's.
func TestNothingGoesBackToClear(t *testing.T) {
	clock := instancetest.NewClock()
	network, _ := sisters(t, instancetest.Options{Now: clock.Now})
	a, b := network.Instances[0], network.Instances[1]
	peer := b.Config.Domain
	alice, carol := network.Member(a, "alice"), network.Member(b, "carol")
	acquaint(t, network, b, carol, instancetest.Handle(a, alice))
	m := takeOver(t, network, 1)
	publish(t, a, alice, social.Draft{Text: "canary", Audience: "company"})
	for _, status := range []int{400, 401, 403, 404, 410, 415, 500, 503, 301} {
		m.mu.Lock()
		m.answer = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Accept-Signature", `sig1=("@method" "@target-uri" "content-digest");created;keyid;alg="rsa-v1_5-sha256"`)
			w.Header().Set("Accept", "application/activity+json")
			w.Header().Set("Location", m.origin+"/elsewhere")
			http.Error(w, "I do not understand what is sealed", status)
		}
		m.mu.Unlock()
		had := len(m.taken())
		clock.Advance(24 * time.Hour)
		network.Settle()
		if n := len(m.taken()) - had; n != 1 {
			t.Errorf("%d: sent %d times", status, n)
		}
		if p := pairingOf(t, a, peer); p.State != social.PairingActive || len(waiting(t, a, peer)) != 1 {
			t.Errorf("%d: the peer is %s, %d deliveries wait", status, p.State, len(waiting(t, a, peer)))
		}
	}
	for _, s := range m.taken() {
		if s.header.Get("Content-Type") != seal.MediaType || !strings.Contains(s.header.Get("Signature-Input"), `alg="ed25519"`) {
			t.Errorf("sent as %v", s.header)
		}
	}
	if bytes.Contains(m.seen(), []byte("canary")) {
		t.Error("something was said in clear")
	}
	// A body that breaks off is no proof of anything either.
	m.mu.Lock()
	m.answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "33")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte("x"))
	}
	m.mu.Unlock()
	clock.Advance(24 * time.Hour)
	network.Settle()
	if p := pairingOf(t, a, peer); p.State != social.PairingActive || len(waiting(t, a, peer)) != 1 {
		t.Errorf("after half an answer the peer is %s, %d deliveries wait", p.State, len(waiting(t, a, peer)))
	}
	m.leave()
	b = network.Restart(1)
	clock.Advance(24 * time.Hour)
	network.Settle()
	if got := companyTexts(t, b, carol); got["<p>canary</p>"] != 1 {
		t.Errorf("arrived: %v", got)
	}
}

// A sealed delivery that somebody caught is good for nothing: not again, not at
// another inbox, not at another server, not in another's name.
func TestCaughtDeliveriesAreWorthless(t *testing.T) {
	wire := &instancetest.Wire{}
	network := instancetest.NewWith(t, 3, instancetest.Options{Wire: wire})
	a, b, c := network.Instances[0], network.Instances[1], network.Instances[2]
	pair(t, a, b)
	pair(t, b, c)
	pair(t, a, c)
	alice, carol := network.Member(a, "alice"), network.Member(b, "carol")
	acquaint(t, network, b, carol, instancetest.Handle(a, alice))
	m := takeOver(t, network, 1)
	m.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	publish(t, a, alice, social.Draft{Text: "canary", Audience: "company"})
	network.Settle()
	caught := m.taken()
	if len(caught) != 1 {
		t.Fatalf("caught %d", len(caught))
	}
	m.leave()
	b = network.Restart(1)
	again := func(to string) int {
		return m.post(to, caught[0].body, seal.MediaType, func(r *http.Request) error {
			r.Header = caught[0].header.Clone()
			return nil
		})
	}
	// With the request's own signature: it names its address.
	for _, to := range []string{b.Config.PublicURL + "/actor/inbox", b.Config.PublicURL + fmt.Sprintf("/users/%s/inbox", carol.Account.ID), c.Config.PublicURL + "/inbox"} {
		if got := again(to); got != http.StatusUnauthorized {
			t.Errorf("%s answered %d", to, got)
		}
	}
	// Signed anew by a sister that is in on it, to whom or from whom it never was.
	for _, try := range []struct {
		by *instance.Instance
		to string
	}{{c, b.Config.PublicURL + "/inbox"}, {c, a.Config.PublicURL + "/inbox"}, {b, a.Config.PublicURL + "/inbox"}, {b, c.Config.PublicURL + "/inbox"}, {a, c.Config.PublicURL + "/inbox"}} {
		key := instanceKey(t, try.by)
		got := m.post(try.to, caught[0].body, seal.MediaType, func(r *http.Request) error {
			return httpsig.Sign(r, caught[0].body, key, httpsig.RFC9421, time.Now())
		})
		if got != http.StatusUnauthorized {
			t.Errorf("%s signed it for %s: answered %d", try.by.Config.Domain, try.to, got)
		}
	}
	// Cut, longer, or of another version, signed by the true sender.
	for name, body := range map[string][]byte{"cut": caught[0].body[:100], "longer": append(bytes.Clone(caught[0].body), 0),
		"another version": append([]byte{2}, caught[0].body[1:]...), "empty": {}} {
		got := m.post(b.Config.PublicURL+"/inbox", body, seal.MediaType, func(r *http.Request) error {
			return httpsig.Sign(r, body, instanceKey(t, a), httpsig.RFC9421, time.Now())
		})
		if got != http.StatusUnauthorized && got != http.StatusBadRequest {
			t.Errorf("%s: answered %d", name, got)
		}
	}
	network.Settle()
	// Replayed as it was it is taken, as the one delivery that it is.
	for range 3 {
		if got := again(b.Config.PublicURL + "/inbox"); got != http.StatusAccepted {
			t.Errorf("answered %d", got)
		}
	}
	network.Settle()
	if got := companyTexts(t, b, carol); got["<p>canary</p>"] != 1 {
		t.Errorf("arrived: %v", got)
	}
}

// instanceKey signs for an instance.
func instanceKey(t testing.TB, in *instance.Instance) httpsig.Key {
	t.Helper()
	id := in.Config.PublicURL + "/actor#ed25519"
	var k social.Key
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		k, err = tx.KeyByURI(context.Background(), id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	private, err := httpsig.ParsePrivate(k.Private)
	if err != nil {
		t.Fatal(err)
	}
	return httpsig.Key{ID: id, Private: private}
}

package federation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// remote is another server, written for tests: it serves actors and signs what it sends.
type remote struct {
	t       testing.TB
	server  *httptest.Server
	public  []byte
	key     httpsig.Key
	fetches atomic.Int64
	docs    map[string]any
	n       int              // activities made by helpers
	now     func() time.Time // by which it signs
	inner   http.Handler     // once it is paired: how it answers what was opened
	closed  map[string]*closed
}

func newRemote(t testing.TB) *remote {
	t.Helper()
	pub, priv, err := instancetest.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := httpsig.ParsePrivate(priv)
	if err != nil {
		t.Fatal(err)
	}
	r := &remote{t: t, public: pub, docs: map[string]any{}, now: time.Now}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.fetches.Add(1)
		doc, ok := r.docs[req.URL.Path]
		if !ok {
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Type", "application/activity+json")
		_ = json.NewEncoder(w).Encode(doc)
	}))
	t.Cleanup(r.server.Close)
	r.key = httpsig.Key{ID: r.actor("mallory") + "#main-key", Private: signer}
	for _, name := range []string{"mallory", "victim"} {
		r.docs["/users/"+name] = r.person(name)
	}
	return r
}

func (r *remote) url(path string) string   { return r.server.URL + path }
func (r *remote) actor(name string) string { return r.url("/users/" + name) }
func (r *remote) host() string             { return strings.TrimPrefix(r.server.URL, "http://") }

func (r *remote) person(name string) map[string]any {
	id := r.actor(name)
	return map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Person", "preferredUsername": name,
		"inbox": id + "/inbox", "outbox": id + "/outbox", "followers": id + "/followers", "featured": id + "/featured",
		"publicKey": map[string]any{"id": id + "#main-key", "owner": id, "publicKeyPem": string(r.public)}}
}

func (r *remote) note(n int) map[string]any {
	return map[string]any{"id": r.url(fmt.Sprintf("/notes/%d", n)), "type": "Note", "attributedTo": r.actor("mallory"), "content": "hi",
		"to": "https://www.w3.org/ns/activitystreams#Public", "published": time.Now().UTC().Format(time.RFC3339)}
}

func (r *remote) create(n int) map[string]any {
	return map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": r.url(fmt.Sprintf("/creates/%d", n)), "type": "Create",
		"actor": r.actor("mallory"), "object": r.note(n), "to": "https://www.w3.org/ns/activitystreams#Public"}
}

// send posts a body, signed, after change has tampered with the request.
func (r *remote) send(to string, body []byte, d httpsig.Dialect, change func(*http.Request)) int {
	r.t.Helper()
	if c := r.closedTo(to); c != nil {
		return c.post(to, body, change).StatusCode
	}
	req, err := http.NewRequest("POST", to, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/activity+json")
	if err := httpsig.Sign(req, body, r.key, d, r.now()); err != nil {
		r.t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only the status counts
	return res.StatusCode
}

func (r *remote) sendJSON(to string, v any) int { return r.sendWith(to, v, nil) }

// sendWith is sendJSON with a change of the request, which is not signed.
func (r *remote) sendWith(to string, v any, change func(*http.Request)) int {
	b, err := json.Marshal(v)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.send(to, b, httpsig.Cavage, change)
}

func admitted(t testing.TB, z social.ZoneKind) (*instance.Instance, *remote, *instancetest.Network) {
	t.Helper()
	net := instancetest.New(t, 1, nil)
	r := newRemote(t)
	in := net.Instances[0]
	if z != "" {
		r.stands(in, z)
	}
	return in, r, net
}

// stands puts the remote into a zone: a sister is paired for real, a partner is called
// acme and is none of Parley.
func (r *remote) stands(in *instance.Instance, z social.ZoneKind) {
	r.t.Helper()
	zone := social.Zone{Kind: z}
	switch z {
	case social.ZoneCompany:
		r.pairs(in, zone)
		return
	case social.ZonePartner:
		zone.Name = "acme"
	}
	if err := in.Social.SetZone(context.Background(), r.host(), zone, "test", "test"); err != nil {
		r.t.Fatal(err)
	}
}

func known(t *testing.T, in *instance.Instance, uri string) bool {
	t.Helper()
	err := in.DB.View(context.Background(), func(tx social.Tx) error {
		_, err := tx.PostByURI(context.Background(), uri)
		return err
	})
	if err != nil && social.KindOf(err) != social.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

func TestSignedActivityIsTakenInBothDialects(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	for n, d := range []httpsig.Dialect{httpsig.Cavage, httpsig.RFC9421} {
		b, _ := json.Marshal(r.create(n))
		if got := r.send(in.Config.PublicURL+"/inbox", b, d, nil); got != 202 {
			t.Errorf("%s: %d", d, got)
		}
		if got := r.send(in.Config.PublicURL+"/inbox", b, d, nil); got != 202 {
			t.Errorf("%s again: %d", d, got)
		}
		net.Settle()
		if !known(t, in, r.url(fmt.Sprintf("/notes/%d", n))) {
			t.Errorf("%s: not there", d)
		}
	}
	if got := r.fetches.Load(); got != 1 {
		t.Errorf("%d fetches for one actor", got)
	}
}

// A1, A2, T1-T11: refused, without a row, and without a fetch where none is needed.
func TestInboxRefuses(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	good, err := json.Marshal(r.create(7))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(m map[string]any)) []byte {
		m := r.create(7)
		change(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, one := range []struct {
		name   string
		body   []byte
		change func(*http.Request)
		status int
		fetch  bool
	}{
		{"no signature", good, func(q *http.Request) { q.Header.Del("Signature") }, 401, false},
		{"another body", good, func(q *http.Request) { q.Body = http.NoBody; q.ContentLength = 0 }, 400, false},
		{"digest of another body", good, func(q *http.Request) { q.Header.Set("Digest", "SHA-256=AAAA") }, 401, false},
		{"old date", good, func(q *http.Request) {
			q.Header.Set("Date", time.Now().Add(-2*time.Hour).UTC().Format(http.TimeFormat))
		}, 401, false},
		{"two signatures", good, func(q *http.Request) { q.Header.Add("Signature", q.Header.Get("Signature")) }, 401, false},
		{"gzip", good, func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }, 415, false},
		{"duplicate key", []byte(`{"type":"Create","TYPE":"Undo","actor":"` + r.actor("mallory") + `"}`), nil, 400, false},
		{"too large", []byte(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`), nil, 413, false},
		{"id on another host (T6)", with(func(m map[string]any) { m["id"] = "https://else.example/1" }), nil, 400, false},
		{"id on our host (T7)", with(func(m map[string]any) { m["id"] = in.Config.PublicURL + "/activities/1" }), nil, 400, false},
		{"our actor", with(func(m map[string]any) { m["actor"] = in.Config.PublicURL + "/actor" }), nil, 400, false},
		{"two actors", with(func(m map[string]any) { m["actor"] = []string{r.actor("mallory"), r.actor("victim")} }), nil, 400, false},
		{"not an activity", with(func(m map[string]any) { m["type"] = "Note" }), nil, 400, false},
		{"signer is not the actor (A1)", with(func(m map[string]any) { m["actor"] = r.actor("victim") }), nil, 401, true},
	} {
		before := r.fetches.Load()
		if got := r.send(inbox, one.body, httpsig.Cavage, one.change); got != one.status {
			t.Errorf("%s: answered %d, want %d", one.name, got, one.status)
		}
		if fetched := r.fetches.Load() > before; fetched && !one.fetch {
			t.Errorf("%s: fetched", one.name)
		}
	}
	net.Settle()
	if known(t, in, r.url("/notes/7")) {
		t.Error("something got through")
	}
}

// What we said is not heard when somebody passes it back, although it bears our proof.
func TestOwnWordsComeBackUnheard(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := followedBy(t, in, r, net)
	w := r.wire()
	publish(t, in, alice, social.Draft{Text: "hello", Audience: "public"})
	net.Settle()
	if len(w.of("Create", "Note")) != 1 {
		t.Fatalf("%d posts arrived", len(w.of("Create", "Note")))
	}
	w.mu.Lock()
	body := bytes.Clone(w.bytes.Bytes())
	w.mu.Unlock()
	if !bytes.Contains(body, []byte(`"proof"`)) {
		t.Fatal("it bears no proof")
	}
	if got := r.send(in.Config.PublicURL+"/inbox", body, httpsig.Cavage, nil); got != http.StatusBadRequest {
		t.Errorf("answered %d", got)
	}
}

// Unknown hosts are refused before any fetch, and listed once as wanting in.
func TestUnknownHostsAreRefusedAndListed(t *testing.T) {
	in, r, _ := admitted(t, "")
	for range 3 {
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)); got != 403 {
			t.Errorf("answered %d", got)
		}
	}
	waiting, err := in.Social.ConnectRequests(context.Background())
	if err != nil || len(waiting) != 1 || waiting[0].Authority != r.host() || r.fetches.Load() != 0 {
		t.Errorf("%v %+v, %d fetches", err, waiting, r.fetches.Load())
	}
}

// A5: nobody changes what is another's, and what is embedded from elsewhere is
// not believed.
func TestOnlyTheOwnerChangesAnything(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	alice := net.Member(in, "alice")
	own, err := in.Social.Publish(ctx, alice, social.Draft{Text: "mine", Audience: "public"})
	if err != nil {
		t.Fatal(err)
	}
	other := newRemote(t)
	if err := in.Social.SetZone(ctx, other.host(), social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	inbox := in.Config.PublicURL + "/inbox"
	if other.sendJSON(inbox, other.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	theirs := other.url("/notes/1")
	forged := other.note(1)
	forged["content"] = "forged"
	invented, unheard := other.note(2), other.note(3) // nothing stands at the first; the second is there to read
	other.docs["/notes/3"] = unheard
	n := 0
	for _, target := range []string{own.Post.URI, theirs} {
		for _, activity := range []map[string]any{
			{"type": "Delete", "object": target},
			{"type": "Delete", "object": map[string]any{"type": "Tombstone", "id": target}},
			{"type": "Update", "object": forged},
			{"type": "Update", "object": map[string]any{"id": target, "type": "Note", "attributedTo": r.actor("mallory"), "content": "forged"}},
			{"type": "Create", "object": forged},
			{"type": "Create", "object": invented},
			{"type": "Update", "object": unheard["id"]},
			{"type": "Announce", "object": forged},
			{"type": "Undo", "object": map[string]any{"type": "Like", "actor": other.actor("mallory"), "object": target}},
			{"type": "Add", "object": target, "target": other.actor("mallory") + "/featured"},
			{"type": "Move", "object": other.actor("mallory"), "target": r.actor("victim")},
			{"type": "Move", "object": r.actor("mallory"), "target": other.actor("victim")},
			{"type": "Accept", "object": map[string]any{"type": "Follow", "actor": alice.Account.URI, "object": r.actor("mallory")}},
		} {
			n++
			activity["id"], activity["actor"] = r.url(fmt.Sprintf("/a/%d", n)), r.actor("mallory")
			if got := r.sendJSON(inbox, activity); got != 202 && got != 400 {
				t.Errorf("%v answered %d", activity["type"], got)
			}
			net.Settle()
		}
	}
	for _, uri := range []string{own.Post.URI, theirs} {
		v, err := in.Social.PostByURI(ctx, alice, uri)
		if err != nil || strings.Contains(v.Post.Content, "forged") {
			t.Errorf("%s: %v", uri, err)
		}
	}
	for _, note := range []map[string]any{invented, unheard} {
		if known(t, in, note["id"].(string)) {
			t.Errorf("%s was taken from somebody else", note["id"])
		}
	}
	following, _, err := in.Social.Following(ctx, alice, alice.Account.ID, social.Page{})
	if err != nil || len(following) != 0 {
		t.Errorf("an acceptance of nothing made a follow: %v %v", following, err)
	}
}

// Hidden and missing answer alike, whoever asks.
func TestHiddenIsMissing(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice := net.Member(in, "alice")
	hidden, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: "canary", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	missing := social.NewID(time.Now()).String()
	for _, path := range []string{"/users/%s/statuses/{}", "/users/%s/statuses/{}/replies", "/contexts/{}", "/@alice/{}", "/api/v1/statuses/{}", "/api/v1/statuses/{}/context"} {
		if strings.Contains(path, "%s") {
			path = fmt.Sprintf(path, alice.Account.ID)
		}
		var answers [2]string
		for i, id := range []string{hidden.Post.ID.String(), missing} {
			req, err := http.NewRequest("GET", in.Config.PublicURL+strings.Replace(path, "{}", id, 1), nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept", "application/activity+json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var body bytes.Buffer
			_, _ = body.ReadFrom(res.Body)
			_ = res.Body.Close()
			res.Header.Del("Date")
			res.Header.Del("X-Request-Id")
			answers[i] = fmt.Sprint(res.StatusCode, res.Header, body.String())
			if strings.Contains(answers[i], "canary") || res.StatusCode != 404 {
				t.Errorf("%s: %s", path, answers[i])
			}
		}
		if answers[0] != answers[1] {
			t.Errorf("%s tells them apart:\n%s\n%s", path, answers[0], answers[1])
		}
	}
}

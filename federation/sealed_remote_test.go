package federation_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/instance"
	"parley/social"
)

// closed is how a remote speaks with an instance that it is paired with: what it sends
// is sealed, what it gets is opened, so that the rest of it can be as of any server.
type closed struct {
	r       *remote
	peer    string // authority of the instance
	sign    httpsig.Key
	own     []*ecdh.PrivateKey
	sealing []byte // of the instance
	senders []ed25519.PublicKey
}

// closes makes a remote speak with an instance as one that is paired, with the keys that
// the instance has pinned of it.
func (r *remote) closes(in *instance.Instance, sign ed25519.PrivateKey, sealing *ecdh.PrivateKey) {
	r.t.Helper()
	c := &closed{r: r, peer: in.Config.Domain, sign: httpsig.Key{ID: r.url("/actor#ed25519"), Private: sign}, own: []*ecdh.PrivateKey{sealing}, sealing: sealingKey(r.t, in)}
	c.senders = []ed25519.PublicKey{instanceKey(r.t, in).Private.Public().(ed25519.PublicKey)}
	if r.inner == nil {
		r.inner = r.server.Config.Handler
		r.server.Config.Handler = http.HandlerFunc(r.serveClosed)
		r.closed = map[string]*closed{}
	}
	r.closed[c.peer] = c
}

// closedTo is how an address is spoken to; nil as to any server.
func (r *remote) closedTo(address string) *closed {
	authority, err := activitypub.Authority(address)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.closed[authority]
}

// serveClosed opens what a paired instance sends and closes what it is answered.
func (r *remote) serveClosed(w http.ResponseWriter, q *http.Request) {
	sig, err := httpsig.Inspect(q, r.server.URL, r.now())
	if err != nil {
		r.inner.ServeHTTP(w, q)
		return
	}
	c := r.closedTo(sig.KeyID)
	if c == nil {
		r.inner.ServeHTTP(w, q)
		return
	}
	about := seal.About{From: c.peer, To: r.host(), Purpose: seal.Delivery, Target: r.url(q.RequestURI)}
	var token seal.Token
	var payload []byte
	if q.Method == http.MethodPost {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			r.t.Error(err)
		}
		if payload, token, err = seal.Open(body, about, c.own, c.senders, 1<<20); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(payload)), int64(len(payload))
		q.Header.Set("Content-Type", "application/activity+json")
	}
	rec := httptest.NewRecorder()
	r.inner.ServeHTTP(rec, q)
	answer, kind := rec.Body.Bytes(), rec.Header().Get("Content-Type")
	switch {
	case rec.Code >= 300:
	case q.Method == http.MethodPost:
		answer, kind = token.Acknowledge(idOf(r.t, payload)), seal.AckType
	default:
		about = seal.About{From: r.host(), To: c.peer, Purpose: seal.Answer, Target: r.url(q.RequestURI), Request: sig.Value()}
		if answer, _, err = seal.Seal(answer, about, c.sign.Private.(ed25519.PrivateKey), c.sealing); err != nil {
			r.t.Error(err)
		}
		kind = seal.MediaType
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(rec.Code)
	_, _ = w.Write(answer)
}

func idOf(t testing.TB, activity []byte) string {
	var o struct{ ID string }
	if err := json.Unmarshal(activity, &o); err != nil {
		t.Error(err)
	}
	return o.ID
}

// request is a POST as the paired instance takes it, and the token of its acknowledgement.
func (c *closed) request(to string, body []byte) (*http.Request, seal.Token) {
	c.r.t.Helper()
	about := seal.About{From: c.r.host(), To: c.peer, Purpose: seal.Delivery, Target: to}
	sealed, token, err := seal.Seal(body, about, c.sign.Private.(ed25519.PrivateKey), c.sealing)
	if err != nil {
		c.r.t.Fatal(err)
	}
	q, err := http.NewRequest(http.MethodPost, to, bytes.NewReader(sealed))
	if err != nil {
		c.r.t.Fatal(err)
	}
	q.Header.Set("Content-Type", seal.MediaType)
	if err := httpsig.Sign(q, sealed, c.sign, httpsig.RFC9421, c.r.now()); err != nil {
		c.r.t.Fatal(err)
	}
	return q, token
}

// post sends a body sealed and wants its acknowledgement with every 202.
func (c *closed) post(to string, body []byte, change func(*http.Request)) *http.Response {
	c.r.t.Helper()
	q, token := c.request(to, body)
	if change != nil {
		change(q)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		c.r.t.Fatal(err)
	}
	ack, err := io.ReadAll(res.Body)
	if err != nil {
		c.r.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode == http.StatusAccepted && (!token.Acknowledged(ack, idOf(c.r.t, body)) || res.Header.Get("Content-Type") != seal.AckType) {
		c.r.t.Errorf("a sealed delivery is acknowledged with %x", ack)
	}
	return res
}

// asks signs a GET for the actor of a key and answers how to open what comes.
func (c *closed) asks(q *http.Request, keyID string) func(body []byte) []byte {
	c.r.t.Helper()
	actor, _, _ := strings.Cut(keyID, "#")
	q.Header.Set("Parley-Actor", actor)
	signature, err := httpsig.SignAs(q, nil, c.sign, httpsig.Wish{Components: []string{"parley-actor"}}, c.r.now())
	if err != nil {
		c.r.t.Fatal(err)
	}
	return func(body []byte) []byte {
		about := seal.About{From: c.peer, To: c.r.host(), Purpose: seal.Answer, Target: q.URL.String(), Request: signature}
		payload, _, err := seal.Open(body, about, c.own, c.senders, len(body))
		if err != nil {
			c.r.t.Errorf("an answer cannot be opened: %v", err)
		}
		return payload
	}
}

// scriptedSister is a remote that is paired with an instance.
func scriptedSister(t *testing.T) (*instance.Instance, *remote, interface{ Settle() }) {
	t.Helper()
	in, r, network := admitted(t, social.ZoneCompany)
	return in, r, network
}

// What a sister says is taken sealed and signed by her instance, and in no other way:
// neither half of that is enough, nor a key of one of her people.
func TestASisterSpeaksSealedAndSigned(t *testing.T) {
	in, r, network := scriptedSister(t)
	inbox := in.Config.PublicURL + "/inbox"
	c := r.closedTo(inbox)
	person := r.key
	send := func(n int, kind string, sign func(q *http.Request, body []byte) error) int {
		t.Helper()
		body := mustJSON(t, r.create(n))
		if kind == seal.MediaType {
			q, _ := c.request(inbox, body)
			var err error
			if body, err = io.ReadAll(q.Body); err != nil {
				t.Fatal(err)
			}
		}
		q, err := http.NewRequest(http.MethodPost, inbox, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", kind)
		if err := sign(q, body); err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	by := func(key httpsig.Key, d httpsig.Dialect) func(*http.Request, []byte) error {
		return func(q *http.Request, body []byte) error { return httpsig.Sign(q, body, key, d, time.Now()) }
	}
	const clear = "application/activity+json"
	for n, try := range []struct {
		name, kind string
		sign       func(*http.Request, []byte) error
		want       int
	}{
		{"sealed, by the instance", seal.MediaType, by(c.sign, httpsig.RFC9421), 202},
		{"in clear, by the instance", clear, by(c.sign, httpsig.RFC9421), 401},
		{"in clear, by a person", clear, by(person, httpsig.Cavage), 401},
		{"sealed, by a person", seal.MediaType, by(person, httpsig.Cavage), 401},
		{"sealed, by a person in the newer dialect", seal.MediaType, by(person, httpsig.RFC9421), 401},
		{"sealed, by nobody", seal.MediaType, func(*http.Request, []byte) error { return nil }, 401},
		{"sealed inside, as something else", clear, func(q *http.Request, body []byte) error {
			q.Header.Set("Content-Type", seal.MediaType+"; charset=utf-8")
			return by(c.sign, httpsig.RFC9421)(q, body)
		}, 400},
	} {
		if got := send(n, try.kind, try.sign); got != try.want {
			t.Errorf("%s: answered %d", try.name, got)
		}
		network.Settle()
		if got := known(t, in, r.url("/notes/"+string(rune('0'+n)))); got != (try.want == 202) {
			t.Errorf("%s: known %v", try.name, got)
		}
	}
	// Her people stay hers: she does not speak for those of others.
	other := second(t, in, social.ZonePublic)
	create := other.create(9)
	if res := c.post(inbox, mustJSON(t, create), nil); res.StatusCode != 401 {
		t.Errorf("in the name of another server's actor: answered %d", res.StatusCode)
	}
}

// Who asks is the member whom the sister's instance names; it cannot be left out of the
// signature, nor be of another server.
func TestASisterAsksForHerPeople(t *testing.T) {
	in, r, network := scriptedSister(t)
	alice := network.(interface {
		Member(*instance.Instance, string) social.Reader
	}).Member(in, "alice")
	p := publish(t, in, alice, social.Draft{Text: "for the company", Audience: "company"})
	c := r.closedTo(p.URI)
	ask := func(header string, covered bool) int {
		t.Helper()
		q, err := http.NewRequest(http.MethodGet, p.URI, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Accept", "application/activity+json")
		w := httpsig.Wish{}
		if covered {
			w.Components = []string{"parley-actor"}
		}
		q.Header.Set("Parley-Actor", header)
		if _, err := httpsig.SignAs(q, nil, c.sign, w, time.Now()); err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for name, try := range map[string]struct {
		header  string
		covered bool
		want    int
	}{
		"a person of hers": {r.actor("mallory"), true, 200}, "not signed": {r.actor("mallory"), false, 401},
		"a person of ours": {alice.Account.URI, true, 401}, "nobody": {r.actor("nobody"), true, 401}, "no address": {"mallory", true, 401},
	} {
		if got := ask(try.header, try.covered); got != try.want {
			t.Errorf("%s: answered %d", name, got)
		}
	}
	if a := fetch(t, r, "GET", p.URI); a.status != 200 || a.doc["content"] != "<p>for the company</p>" || a.header.Get("Content-Type") != seal.MediaType {
		t.Errorf("answered %d %v", a.status, a.header)
	}
	missing := fetch(t, r, "GET", strings.TrimSuffix(p.URI, p.ID.String())+"1")
	hidden := fetch(t, r, "GET", publish(t, in, alice, social.Draft{Text: "ours", Audience: "instance"}).URI)
	if missing.status != 404 || hidden.status != 404 || missing.body != hidden.body || hidden.header.Get("Content-Type") != missing.header.Get("Content-Type") {
		t.Errorf("missing %d %q, hidden %d %q", missing.status, missing.body, hidden.status, hidden.body)
	}
}

// What was taken before a sister is parked has its effect; what she sends while she is
// parked is kept by her.
func TestParkingLosesNothingThatWasTaken(t *testing.T) {
	in, r, network := scriptedSister(t)
	inbox := in.Config.PublicURL + "/inbox"
	if got := r.sendJSON(inbox, r.create(1)); got != 202 {
		t.Fatalf("answered %d", got)
	}
	if err := in.Social.Park(t.Context(), pairingOf(t, in, r.host()), "a test"); err != nil {
		t.Fatal(err)
	}
	res := r.do(inbox, "", mustJSON(t, r.create(2)))
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("a parked sister is answered %d", res.StatusCode)
	}
	network.Settle()
	if !known(t, in, r.url("/notes/1")) || known(t, in, r.url("/notes/2")) {
		t.Errorf("taken before: %v, sent while parked: %v", known(t, in, r.url("/notes/1")), known(t, in, r.url("/notes/2")))
	}
}

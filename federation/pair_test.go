package federation_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/instance"
	"parley/social"
)

// joiner is the instance of a remote that answers codes: written for tests from what
// FEDERATION.md says, and able to do it wrongly.
type joiner struct {
	*remote
	key     ed25519.PrivateKey
	sealing *ecdh.PrivateKey
}

// joins gives the remote an instance actor with both keys.
func (r *remote) joins() *joiner {
	r.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	sealing, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	j := &joiner{remote: r, key: key, sealing: sealing}
	j.shows()
	return j
}

func (j *joiner) signing() []byte { return j.key.Public().(ed25519.PublicKey) }

// shows publishes the keys as they are now.
func (j *joiner) shows() {
	id := j.url("/actor")
	j.docs["/actor"] = map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Application", "preferredUsername": "instance",
		"inbox": id + "/inbox", "outbox": id + "/outbox", "endpoints": map[string]any{"sharedInbox": j.url("/inbox")},
		"publicKey":       map[string]any{"id": id + "#main-key", "owner": id, "publicKeyPem": string(j.public)},
		"assertionMethod": []any{map[string]any{"id": id + "#ed25519", "type": "Multikey", "controller": id, "publicKeyMultibase": httpsig.EncodeMultikey(j.signing())}},
		"keyAgreement":    []any{map[string]any{"id": id + "#sealing", "type": "Multikey", "controller": id, "publicKeyMultibase": httpsig.EncodeSealingKey(j.sealing.PublicKey().Bytes())}}}
}

// offer is what the remote posts for a code; change may spoil the statement.
func (j *joiner) offer(in *instance.Instance, c social.Code, change func(statement map[string]any)) []byte {
	j.t.Helper()
	id := sha256.Sum256(append([]byte("parley invitation 1"), c.Secret...))
	statement := map[string]any{"type": "PairingStatement", "actor": j.url("/actor"), "authority": j.host(), "to": c.Authority, "invitation": hex.EncodeToString(id[:8]),
		"name": "Remote", "zone": c.Zone.String(), "dataClasses": []string{"posts"}, "generator": map[string]any{"type": "Application", "implements": []any{}},
		"signingKey": httpsig.EncodeMultikey(j.signing()), "sealingKey": httpsig.EncodeSealingKey(j.sealing.PublicKey().Bytes()), "created": j.now().UTC()}
	if change != nil {
		change(statement)
	}
	signed, err := proof.Sign(mustJSON(j.t, statement), proof.Key{ID: j.url("/actor") + "#ed25519", Private: j.key}, j.now())
	if err != nil {
		j.t.Fatal(err)
	}
	secret := sha256.Sum256(append([]byte("parley pairing key 1"), c.Secret...))
	h := hmac.New(sha256.New, secret[:])
	signing, sealing := ownKeys(j.t, in)
	for _, part := range [][]byte{[]byte("parley pairing 1"), []byte("accept"), []byte(c.Authority), signing, sealing,
		[]byte(j.host()), j.signing(), j.sealing.PublicKey().Bytes()} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	return mustJSON(j.t, map[string]any{"invitation": statement["invitation"], "statement": json.RawMessage(signed), "mac": base64.StdEncoding.EncodeToString(h.Sum(nil))})
}

// ownKeys are the public keys of an instance, raw.
func ownKeys(t testing.TB, in *instance.Instance) (signing, sealing []byte) {
	t.Helper()
	if err := in.DB.View(context.Background(), func(tx social.Tx) error {
		own, err := in.Social.OwnTerms(context.Background(), tx)
		signing, sealing = own.SigningKey, own.SealingKey
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return signing, sealing
}

// offers posts an offer and answers what came back.
func (j *joiner) offers(in *instance.Instance, offer []byte) (int, string) {
	j.t.Helper()
	res, err := http.Post(in.Config.PublicURL+"/api/parley/v1/pair", "application/json", bytes.NewReader(offer))
	if err != nil {
		j.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read below
	b, err := io.ReadAll(res.Body)
	if err != nil {
		j.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// code invites the remote.
func (j *joiner) code(in *instance.Instance, z social.Zone) social.Code {
	j.t.Helper()
	c, err := in.Social.Invite(context.Background(), social.InviteRequest{Host: j.host(), Zone: z})
	if err != nil {
		j.t.Fatal(err)
	}
	return c
}

// pairs joins the remote to an instance by a code of it.
func (r *remote) pairs(in *instance.Instance, z social.Zone) *joiner {
	r.t.Helper()
	j := r.joins()
	if status, body := j.offers(in, j.offer(in, j.code(in, z), nil)); status != http.StatusOK {
		r.t.Fatalf("answered %d %s", status, body)
	}
	r.closes(in, j.key, j.sealing)
	return j
}

var company = social.Zone{Kind: social.ZoneCompany}

func zoneOf(t *testing.T, in *instance.Instance, host string) social.Zone {
	t.Helper()
	z, err := in.Social.Zone(context.Background(), host)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// Whatever is wrong with an answer to a code, the one who gives it learns only that it
// is not accepted; the code stays good for whom it is meant.
func TestWrongCodesAreRefusedAlike(t *testing.T) {
	in, r, _ := admitted(t, "")
	j, thief := r.joins(), newRemote(t).joins()
	good := j.code(in, company)
	other := good
	other.Secret = bytes.Repeat([]byte{7}, 16)
	stolen := r.joins() // the code, and nothing of the server
	j.shows()
	guessed := j.offer(in, good, nil)
	guessed = bytes.Replace(guessed, []byte(`"mac":"`), []byte(`"mac":"AAAA`), 1)
	first := ""
	for name, offer := range map[string][]byte{
		"another code": j.offer(in, other, nil),
		"with keys that its server does not show": stolen.offer(in, good, nil),
		"without the secret":                      guessed,
		"for another zone":                        j.offer(in, good, func(s map[string]any) { s["zone"] = "partner:acme" }),
		"for another instance":                    j.offer(in, good, func(s map[string]any) { s["to"] = "else.test" }),
		"of last year":                            j.offer(in, good, func(s map[string]any) { s["created"] = time.Now().AddDate(-1, 0, 0).UTC() }),
		"in another's name":                       thief.offer(in, good, func(s map[string]any) { s["authority"], s["actor"] = j.host(), j.url("/actor") }),
		"by whom it is not for":                   thief.offer(in, good, nil),
		"of itself":                               j.offer(in, good, func(s map[string]any) { s["authority"], s["actor"] = in.Config.Domain, in.Config.PublicURL+"/actor" }),
		"with a key not its own":                  j.offer(in, good, func(s map[string]any) { s["signingKey"] = httpsig.EncodeMultikey(thief.signing()) }),
		"with another sealing key":                j.offer(in, good, func(s map[string]any) { s["sealingKey"] = httpsig.EncodeSealingKey(thief.sealing.PublicKey().Bytes()) }),
		"in capitals (A8)":                        j.offer(in, good, func(s map[string]any) { s["authority"] = strings.ToUpper("LocalHost") }),
		"with a dot (A8)":                         j.offer(in, good, func(s map[string]any) { s["authority"] = "b.test." }),
		"of a name below (A8)":                    j.offer(in, good, func(s map[string]any) { s["authority"], s["actor"] = "sub."+j.host(), "http://sub."+j.host()+"/actor" }),
		"no proof":                                bytes.Replace(j.offer(in, good, nil), []byte(`"proof":`), []byte(`"prof":`), 1),
		"not JSON":                                []byte("hello"),
		"too long":                                j.offer(in, good, func(s map[string]any) { s["name"] = strings.Repeat("x", 20_000) }),
	} {
		status, body := j.offers(in, offer)
		if first == "" {
			first = body
		}
		if status != http.StatusForbidden || body != first {
			t.Errorf("%s: %d %s, others got %s", name, status, body, first)
		}
	}
	if z := zoneOf(t, in, j.host()); z.Kind != social.ZoneBlocked {
		t.Fatalf("stands in %s", z)
	}
	if status, body := j.offers(in, j.offer(in, good, nil)); status != http.StatusOK {
		t.Fatalf("the right answer: %d %s", status, body)
	}
	if z := zoneOf(t, in, j.host()); z != company {
		t.Errorf("stands in %s", z)
	}
	for _, host := range []string{"sub." + j.host(), thief.host()} {
		if z := zoneOf(t, in, host); z.Kind != social.ZoneBlocked {
			t.Errorf("%s stands in %s", host, z)
		}
	}
	// The same answer again, as when the first was lost; with other keys it is used.
	if status, _ := j.offers(in, j.offer(in, good, nil)); status != http.StatusOK {
		t.Errorf("asked again: %d", status)
	}
	again := r.joins()
	if status, body := again.offers(in, again.offer(in, good, nil)); status != http.StatusForbidden || body != first {
		t.Errorf("a used code: %d %s", status, body)
	}
}

// A newer code makes an older one void; a lost key is replaced by one, and only so.
func TestLostKeysTakeANewCode(t *testing.T) {
	in, r, _ := admitted(t, "")
	j := r.joins()
	old := j.code(in, company)
	if status, _ := j.offers(in, j.offer(in, j.code(in, company), nil)); status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	if status, _ := j.offers(in, j.offer(in, old, nil)); status != http.StatusForbidden {
		t.Errorf("an older code is answered %d", status)
	}
	before := pairingOf(t, in, j.host())
	fresh := r.joins()
	if status, body := fresh.offers(in, fresh.offer(in, fresh.code(in, company), nil)); status != http.StatusOK {
		t.Fatalf("answered %d %s", status, body)
	}
	p := pairingOf(t, in, j.host())
	if !bytes.Equal(p.SigningKey, fresh.signing()) || p.Speaks(j.signing(), time.Now()) || !p.Since.Equal(before.Since) {
		t.Errorf("%+v", p)
	}
}

// everything lets a sister have what was written before it joined.
func everything(t *testing.T, in *instance.Instance, host string) {
	t.Helper()
	if err := in.Social.SetHistory(context.Background(), host, time.UnixMilli(1), "test"); err != nil {
		t.Fatal(err)
	}
}

// rosterOf is a roster as somebody signs it, in the form of FEDERATION.md.
func (j *joiner) roster(number int, change func(r map[string]any), members ...map[string]any) []byte {
	j.t.Helper()
	me := map[string]any{"authority": j.host(), "name": "Remote", "signingKey": httpsig.EncodeMultikey(j.signing()),
		"sealingKey": httpsig.EncodeSealingKey(j.sealing.PublicKey().Bytes()), "since": j.now().UTC()}
	r := map[string]any{"type": "Roster", "id": j.url("/api/parley/v1/roster"), "actor": j.url("/actor"), "number": number, "published": j.now().UTC(),
		"members": append([]map[string]any{me}, members...)}
	if change != nil {
		change(r)
	}
	signed, err := proof.Sign(mustJSON(j.t, r), proof.Key{ID: j.url("/actor") + "#ed25519", Private: j.key}, j.now())
	if err != nil {
		j.t.Fatal(err)
	}
	return signed
}

// passes sends a roster in the name of any actor, unsealed and signed by nobody whom the
// other side knows.
func (r *remote) passes(in *instance.Instance, roster []byte) int {
	r.t.Helper()
	r.n++
	body := mustJSON(r.t, map[string]any{"id": r.url("/passed/" + hex.EncodeToString([]byte{byte(r.n)})), "type": "Update", "actor": r.actor("mallory"), "object": json.RawMessage(roster), "to": []string{}})
	res, err := http.Post(in.Config.PublicURL+"/inbox", "application/activity+json", bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only the status counts
	return res.StatusCode
}

// A roster counts by the keeper's proof alone, whoever brings it, and never backwards;
// what is refused is recorded, and pins nobody.
func TestOnlyTheKeepersRosterCounts(t *testing.T) {
	in, r, _ := admitted(t, "")
	keeper, other, stranger := r.joins(), newRemote(t).joins(), newRemote(t)
	entry := func(j *joiner) map[string]any {
		return map[string]any{"authority": j.host(), "name": "x", "signingKey": httpsig.EncodeMultikey(j.signing()),
			"sealingKey": httpsig.EncodeSealingKey(j.sealing.PublicKey().Bytes()), "since": time.Now().UTC()}
	}
	signing, sealing := ownKeys(t, in)
	self := map[string]any{"authority": in.Config.Domain, "name": "we", "signingKey": httpsig.EncodeMultikey(signing), "sealingKey": httpsig.EncodeSealingKey(sealing), "since": time.Now().UTC()}
	invites(t, in, keeper)
	if got := stranger.passes(in, keeper.roster(5, nil, self)); got != http.StatusAccepted {
		t.Fatalf("the first roster is answered %d", got)
	}
	bad := newRemote(t).joins()
	for name, roster := range map[string][]byte{
		"by another keeper": other.roster(9, nil, self, entry(bad)),
		"in the keeper's name": other.roster(9, func(r map[string]any) {
			r["id"], r["actor"] = keeper.url("/api/parley/v1/roster"), keeper.url("/actor")
		}, self, entry(bad)),
		"unsigned":                    bytes.Replace(keeper.roster(9, nil, self, entry(bad)), []byte(`"proof":`), []byte(`"prof":`), 1),
		"changed after it was signed": bytes.Replace(keeper.roster(9, nil, self, entry(bad)), []byte(`"name":"x"`), []byte(`"name":"y"`), 1),
		"with one company twice":      keeper.roster(9, nil, self, entry(bad), entry(bad)),
		"in capitals (A8)":            keeper.roster(9, nil, self, map[string]any{"authority": "B.test", "signingKey": self["signingKey"], "sealingKey": self["sealingKey"], "since": self["since"]}),
		"without the keeper":          keeper.roster(9, func(r map[string]any) { r["members"] = []any{self, entry(bad)} }),
		"without keys":                keeper.roster(9, nil, self, map[string]any{"authority": bad.host(), "since": self["since"]}),
		"with number 0":               keeper.roster(0, nil, self, entry(bad)),
	} {
		before := len(audited(t, in, ofKind(social.AuditPairing, social.AuditRefused)))
		if got := stranger.passes(in, roster); got < 400 || got >= 500 {
			t.Errorf("%s: answered %d", name, got)
		}
		if n := len(audited(t, in, ofKind(social.AuditPairing, social.AuditRefused))); n != before+1 {
			t.Errorf("%s: %d refusals recorded", name, n-before)
		}
		if z := zoneOf(t, in, bad.host()); z.Kind == social.ZoneCompany {
			t.Errorf("%s: pinned a company", name)
		}
	}
	// An older one is nothing new: whoever passed it on need not come again.
	if got := stranger.passes(in, keeper.roster(4, nil, self, entry(bad))); got != http.StatusAccepted || zoneOf(t, in, bad.host()).Kind == social.ZoneCompany {
		t.Errorf("an older roster is answered %d", got)
	}
	if got := stranger.passes(in, keeper.roster(6, nil, self, entry(other))); got != http.StatusAccepted || zoneOf(t, in, other.host()) != company {
		t.Errorf("the next roster is answered %d", got)
	}
	// Off the roster: nobody on it is a sister any more.
	if got := stranger.passes(in, keeper.roster(7, nil, entry(other))); got != http.StatusAccepted || zoneOf(t, in, other.host()) == company || zoneOf(t, in, keeper.host()) == company {
		t.Errorf("without us: %d", got)
	}
}

// invites lets an instance accept a code of the remote, which so keeps the roster.
func invites(t *testing.T, in *instance.Instance, j *joiner) {
	t.Helper()
	secret := bytes.Repeat([]byte{9}, 16)
	c := social.Code{Authority: j.host(), Zone: company, Fingerprint: social.Fingerprint(j.signing()), ExpiresAt: time.Now().Add(time.Hour), Secret: secret}
	j.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path != "/api/parley/v1/pair" {
			return false
		}
		signing, sealing := ownKeys(t, in)
		statement := map[string]any{"type": "PairingStatement", "actor": j.url("/actor"), "authority": j.host(), "to": in.Config.Domain, "invitation": c.InvitationID(),
			"name": "Remote", "zone": "company", "signingKey": httpsig.EncodeMultikey(j.signing()), "sealingKey": httpsig.EncodeSealingKey(j.sealing.PublicKey().Bytes()), "created": j.now().UTC()}
		signed, err := proof.Sign(mustJSON(t, statement), proof.Key{ID: j.url("/actor") + "#ed25519", Private: j.key}, j.now())
		if err != nil {
			t.Error(err)
		}
		h := hmac.New(sha256.New, c.MACKey())
		for _, part := range [][]byte{[]byte("parley pairing 1"), []byte("invite"), []byte(j.host()), j.signing(), j.sealing.PublicKey().Bytes(), []byte(in.Config.Domain), signing, sealing} {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
			h.Write(part)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"statement": json.RawMessage(signed), "mac": base64.StdEncoding.EncodeToString(h.Sum(nil))})
		return true
	})
	if _, err := in.Social.Accept(context.Background(), c.String(), social.Zone{}, nil, "test"); err != nil {
		t.Fatal(err)
	}
}

// The fingerprint in the code decides, not who answers for the domain (T60 of the other
// side): whoever shows other keys, or answers without knowing the code, is refused.
func TestAnAccepterChecksTheInviter(t *testing.T) {
	in, r, _ := admitted(t, "")
	j := r.joins()
	c := social.Code{Authority: j.host(), Zone: company, Fingerprint: social.Fingerprint(j.signing()), ExpiresAt: time.Now().Add(time.Hour), Secret: bytes.Repeat([]byte{3}, 16)}
	_, taken, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	honest := j.key
	j.key = taken // somebody took the domain over
	j.shows()
	if _, err := in.Social.Accept(context.Background(), c.String(), social.Zone{}, nil, "test"); err == nil || !strings.Contains(err.Error(), "somebody else answers") {
		t.Errorf("other keys: %v", err)
	}
	j.key = honest
	j.shows()
	j.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path == "/api/parley/v1/pair" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"statement": {"type": "PairingStatement"}, "mac": "AAAA"}`)
		}
		return q.URL.Path == "/api/parley/v1/pair"
	})
	if _, err := in.Social.Accept(context.Background(), c.String(), social.Zone{}, nil, "test"); err == nil || !strings.Contains(err.Error(), "not accepted") {
		t.Errorf("without the code: %v", err)
	}
	if z := zoneOf(t, in, j.host()); z.Kind != social.ZoneBlocked {
		t.Errorf("stands in %s", z)
	}
}

// New keys of a paired instance are pinned when, and only when, the key that is pinned
// has signed them: a former one that somebody found, or the new one itself, do not do.
func TestNewKeysAreSignedByThePresentOne(t *testing.T) {
	in, r, _ := admitted(t, "")
	j := r.pairs(in, company)
	change := func(by, to ed25519.PrivateKey) []byte {
		signed, err := proof.Sign(mustJSON(t, map[string]any{"type": "KeyChange", "actor": j.url("/actor"), "signingKey": httpsig.EncodeMultikey(to.Public().(ed25519.PublicKey)),
			"sealingKey": httpsig.EncodeSealingKey(j.sealing.PublicKey().Bytes()), "created": j.now().UTC(), "formerUntil": j.now().Add(100 * 24 * time.Hour).UTC()}),
			proof.Key{ID: j.url("/actor") + "#ed25519", Private: by}, j.now())
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	fresh := func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first, second, thief := j.key, fresh(), fresh()
	pinned := func() []byte { return pairingOf(t, in, j.host()).SigningKey }
	if got := r.updates(in, change(thief, thief)); got < 400 || !bytes.Equal(pinned(), j.signing()) {
		t.Fatalf("signed by itself: %d", got)
	}
	if got := r.updates(in, change(first, second)); got != http.StatusAccepted || !bytes.Equal(pinned(), second.Public().(ed25519.PublicKey)) {
		t.Fatalf("signed by the pinned key: %d", got)
	}
	p := pairingOf(t, in, j.host())
	if !p.Speaks(j.signing(), time.Now()) || p.FormerUntil.After(time.Now().Add(social.KeyOverlap)) {
		t.Errorf("the former key is good until %s", p.FormerUntil)
	}
	if got := r.updates(in, change(first, thief)); got < 400 || !bytes.Equal(pinned(), second.Public().(ed25519.PublicKey)) {
		t.Errorf("signed by the former key: %d", got)
	}
}

// updates passes a document of the remote's instance to the inbox, as the object of an update.
func (r *remote) updates(in *instance.Instance, document []byte) int {
	r.t.Helper()
	r.n++
	return r.sendJSON(in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/updates/" + hex.EncodeToString([]byte{byte(r.n)})), "type": "Update",
		"actor": r.url("/actor"), "object": json.RawMessage(document), "to": []string{}})
}

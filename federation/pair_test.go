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

// says posts an offer and answers what came back.
func (j *joiner) says(in *instance.Instance, offer []byte) (int, string) {
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
	if status, body := j.says(in, j.offer(in, j.code(in, z), nil)); status != http.StatusOK {
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
	first := ""
	for name, offer := range map[string][]byte{
		"another code":             j.offer(in, other, nil),
		"for another zone":         j.offer(in, good, func(s map[string]any) { s["zone"] = "partner:acme" }),
		"for another instance":     j.offer(in, good, func(s map[string]any) { s["to"] = "else.test" }),
		"of last year":             j.offer(in, good, func(s map[string]any) { s["created"] = time.Now().AddDate(-1, 0, 0).UTC() }),
		"in another's name":        thief.offer(in, good, func(s map[string]any) { s["authority"], s["actor"] = j.host(), j.url("/actor") }),
		"by whom it is not for":    thief.offer(in, good, nil),
		"of itself":                j.offer(in, good, func(s map[string]any) { s["authority"], s["actor"] = in.Config.Domain, in.Config.PublicURL+"/actor" }),
		"with a key not its own":   j.offer(in, good, func(s map[string]any) { s["signingKey"] = httpsig.EncodeMultikey(thief.signing()) }),
		"with another sealing key": j.offer(in, good, func(s map[string]any) { s["sealingKey"] = httpsig.EncodeSealingKey(thief.sealing.PublicKey().Bytes()) }),
		"in capitals (A8)":         j.offer(in, good, func(s map[string]any) { s["authority"] = strings.ToUpper("LocalHost") }),
		"with a dot (A8)":          j.offer(in, good, func(s map[string]any) { s["authority"] = "b.test." }),
		"of a name below (A8)":     j.offer(in, good, func(s map[string]any) { s["authority"], s["actor"] = "sub."+j.host(), "http://sub."+j.host()+"/actor" }),
		"no proof":                 bytes.Replace(j.offer(in, good, nil), []byte(`"proof":`), []byte(`"prof":`), 1),
		"not JSON":                 []byte("hello"),
		"too long":                 j.offer(in, good, func(s map[string]any) { s["name"] = strings.Repeat("x", 20_000) }),
	} {
		status, body := j.says(in, offer)
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
	if status, body := j.says(in, j.offer(in, good, nil)); status != http.StatusOK {
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
	if status, _ := j.says(in, j.offer(in, good, nil)); status != http.StatusOK {
		t.Errorf("asked again: %d", status)
	}
	again := r.joins()
	if status, body := again.says(in, again.offer(in, good, nil)); status != http.StatusForbidden || body != first {
		t.Errorf("a used code: %d %s", status, body)
	}
}

// A newer code makes an older one void; a lost key is replaced by one, and only so.
func TestLostKeysTakeANewCode(t *testing.T) {
	in, r, _ := admitted(t, "")
	j := r.joins()
	old := j.code(in, company)
	if status, _ := j.says(in, j.offer(in, j.code(in, company), nil)); status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	if status, _ := j.says(in, j.offer(in, old, nil)); status != http.StatusForbidden {
		t.Errorf("an older code is answered %d", status)
	}
	before := pairingOf(t, in, j.host())
	fresh := r.joins()
	if status, body := fresh.says(in, fresh.offer(in, fresh.code(in, company), nil)); status != http.StatusOK {
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

package proof

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/mr-tron/base58"

	"parley/activitypub/httpsig"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// vectorKey is the pair of the vectors of vc-di-eddsa and of FEP-8b32.
const (
	vectorPublic  = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
	vectorPrivate = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
)

func vectorKey(t *testing.T, id string) (Key, crypto.PublicKey) {
	t.Helper()
	seed, err := base58.Decode(vectorPrivate[1:])
	if err != nil || len(seed) != 2+ed25519.SeedSize {
		t.Fatal(err, len(seed))
	}
	pem, err := httpsig.DecodeMultikey(vectorPublic)
	if err != nil {
		t.Fatal(err)
	}
	public, err := httpsig.ParsePublic(pem)
	if err != nil {
		t.Fatal(err)
	}
	return Key{ID: id, Private: ed25519.NewKeyFromSeed(seed[2:])}, public
}

func check(document string, public crypto.PublicKey, at time.Time) error {
	p, err := Inspect([]byte(document), at)
	if err != nil {
		return err
	}
	return p.Verify(public)
}

// The vectors of W3C vc-di-eddsa (representation: eddsa-jcs-2022) and of FEP-8b32
// (fep-8b32.feature): what we make is what they hold, and what they hold verifies.
func TestVectors(t *testing.T) {
	for _, one := range []struct{ name, method, value, hash, document string }{
		{"vc-di-eddsa", "did:key:" + vectorPublic + "#" + vectorPublic,
			"z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX",
			"66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19",
			`{"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
			"id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33", "type": ["VerifiableCredential", "AlumniCredential"],
			"name": "Alumni Credential", "description": "A minimum viable example of an Alumni Credential.",
			"issuer": "https://vc.example/issuers/5678", "validFrom": "2023-01-01T00:00:00Z",
			"credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"}}`},
		{"fep-8b32", "https://server.example/users/alice#ed25519-key",
			"z42ffGu6AUKPCFcFPiabmUvnGLPJzC7e4DGWC52NUasSSH37UMa9c58tdgVszUcZfytxa4fQ5TYHaJENCxUDe9SdL", "",
			`{"@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"],
			"id": "https://server.example/activities/1", "type": "Create", "actor": "https://server.example/users/alice",
			"object": {"id": "https://server.example/objects/1", "type": "Note", "attributedTo": "https://server.example/users/alice",
			"content": "Hello world", "location": {"type": "Place", "longitude": -71.184902, "latitude": 25.273962}}}`},
	} {
		key, public := vectorKey(t, one.method)
		signed, err := Sign([]byte(one.document), key, time.Date(2023, 2, 24, 23, 36, 38, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Proof struct{ ProofValue string } `json:"proof"`
		}
		if err := json.Unmarshal(signed, &got); err != nil || got.Proof.ProofValue != one.value {
			t.Errorf("%s: %v\ngot  %s\nwant %s", one.name, err, got.Proof.ProofValue, one.value)
		}
		p, err := Inspect(signed, now)
		if err != nil {
			t.Fatalf("%s: %v", one.name, err)
		}
		if one.hash != "" && hex.EncodeToString(p.hash) != one.hash {
			t.Errorf("%s: hash %x", one.name, p.hash)
		}
		if err := p.Verify(public); err != nil || p.VerificationMethod != one.method {
			t.Errorf("%s: %v %s", one.name, err, p.VerificationMethod)
		}
	}
}

// The examples of RFC 8785: the string and number rules (3.2.2), the order by
// UTF-16 code units (3.2.3) and the numbers of appendix B.
func TestCanonicalForm(t *testing.T) {
	for _, one := range []struct{ in, want string }{
		{`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
		"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{`{"\u20ac": 5, "\r": 1, "\ufb33": 7, "1": 2, "\ud83d\ude00": 6, "\u0080": 3, "\u00f6": 4}`,
			"{\"\\r\":1,\"1\":2,\"\u0080\":3,\"ö\":4,\"€\":5,\"😀\":6,\"\ufb33\":7}"},
		{`{"a":{"z":[{"b":1,"a":"<>&\u2028"}],"":""}}`, "{\"a\":{\"\":\"\",\"z\":[{\"a\":\"<>&\u2028\",\"b\":1}]}}"},
	} {
		got, err := jcs.Transform([]byte(one.in))
		if err != nil || string(got) != one.want {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, one.want)
		}
	}
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0", 0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992", 0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332", 0x41b3de4355555554: "333333333.33333325", 0x41b3de4355555555: "333333333.3333333",
		0x41b3de4355555556: "333333333.3333334", 0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333", 0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		got, err := jcs.Transform([]byte(strconv.FormatFloat(math.Float64frombits(bits), 'g', 17, 64)))
		if err != nil || string(got) != want {
			t.Errorf("%016x: %v, got %s, want %s", bits, err, got, want)
		}
	}
	for _, bad := range []string{`NaN`, `Infinity`, `1e400`, `{"a":1,"a":1}`, `"\ud800"`, "\"\xff\"", `01`, `{"a":1}{}`} {
		if got, err := jcs.Transform([]byte(bad)); err == nil {
			t.Errorf("%s became %s", bad, got)
		}
	}
}

const document = `{"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/data-integrity/v1"],"id":"https://a.test/1","type":"Create",
"actor":"https://a.test/u","object":{"type":"Note","content":"Grüße <b>& more</b>","n":1.50,"nothing":null}}`

// signed is a document with a proof that change has tampered with.
func signed(t *testing.T, change func(doc, proof map[string]any)) string {
	t.Helper()
	key, _ := vectorKey(t, "https://a.test/u#ed25519")
	b, err := Sign([]byte(document), key, now)
	if err != nil {
		t.Fatal(err)
	}
	if change == nil {
		return string(b)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	change(doc, doc["proof"].(map[string]any))
	if b, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSignLeavesTheDocumentAsItIs(t *testing.T) {
	got := signed(t, nil)
	if !strings.HasPrefix(got, strings.TrimSuffix(document, "}")) {
		t.Errorf("changed: %s", got)
	}
	if _, err := Sign([]byte(got), Key{}, now); err == nil {
		t.Error("signed twice")
	}
	key, public := vectorKey(t, "https://a.test/u#ed25519")
	empty, err := Sign([]byte(" {} "), key, now)
	if err != nil || check(string(empty), public, now) != nil {
		t.Errorf("%s %v", empty, err)
	}
}

// One byte of the document or of the proof changed: refused.
func TestEveryByteCounts(t *testing.T) {
	_, public := vectorKey(t, "")
	good := signed(t, nil)
	if err := check(good, public, now); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := []byte(good)
		bad[i] ^= 1
		if check(string(bad), public, now) != nil {
			continue
		}
		// Only what is no part of the document at all may differ: space between its parts.
		if a, b := canonical(t, bad), canonical(t, []byte(good)); a != b {
			t.Errorf("byte %d (%q): passed", i, good[max(0, i-20):min(len(good), i+20)])
		}
	}
}

func canonical(t *testing.T, b []byte) string {
	t.Helper()
	out, err := jcs.Transform(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestRefusals(t *testing.T) {
	_, public := vectorKey(t, "")
	type edit = func(doc, proof map[string]any)
	set := func(name string, v any) edit { return func(_, p map[string]any) { p[name] = v } }
	for name, one := range map[string]struct {
		change   edit
		unusable bool
	}{
		"another cryptosuite":  {set("cryptosuite", "mldsa44-jcs-2024"), true},
		"another type":         {set("type", "Ed25519Signature2020"), true},
		"a chain":              {set("previousProof", "urn:1"), true},
		"run out":              {set("expires", "2026-03-01T11:59:59Z"), true},
		"nothing in it":        {func(d, _ map[string]any) { d["proof"] = []any{} }, true},
		"another purpose":      {set("proofPurpose", "authentication"), false},
		"no purpose":           {func(_, p map[string]any) { delete(p, "proofPurpose") }, false},
		"no key":               {func(_, p map[string]any) { delete(p, "verificationMethod") }, false},
		"an endless key":       {set("verificationMethod", "https://a.test/"+strings.Repeat("x", 2048)), false},
		"key is an object":     {set("verificationMethod", map[string]any{"id": "https://a.test/u#ed25519"}), false},
		"made in the future":   {set("created", "2026-03-01T13:00:01Z"), false},
		"created is no time":   {set("created", "yesterday"), false},
		"created is a number":  {set("created", 1), false},
		"expires is no time":   {set("expires", "2026"), false},
		"another expiry":       {set("expires", "2027-01-01T00:00:00Z"), false},
		"another time":         {set("created", "2026-03-01T11:59:59Z"), false},
		"a member more":        {set("nonce", "1"), false},
		"no value":             {func(_, p map[string]any) { delete(p, "proofValue") }, false},
		"value in base64":      {set("proofValue", "uAAAA"), false},
		"value too short":      {set("proofValue", "z3u2en"), false},
		"value too long":       {set("proofValue", "z"+strings.Repeat("2", 300)), false},
		"value is not base58":  {set("proofValue", "z0OIl"), false},
		"other contents":       {func(d, _ map[string]any) { d["actor"] = "https://a.test/v" }, false},
		"a member of the body": {func(d, _ map[string]any) { d["to"] = "as:Public" }, false},
		"context cut":          {func(d, _ map[string]any) { d["@context"] = "https://www.w3.org/ns/activitystreams" }, false},
		"context turned around": {func(d, _ map[string]any) {
			d["@context"] = []any{"https://w3id.org/security/data-integrity/v1", "https://www.w3.org/ns/activitystreams"}
		}, false},
		"context gone":  {func(d, _ map[string]any) { delete(d, "@context") }, false},
		"not an object": {func(d, _ map[string]any) { d["proof"] = "z" }, false},
		"too many":      {func(d, p map[string]any) { d["proof"] = []any{p, p, p, p, p, p, p, p, p} }, false},
		"too large":     {set("nonce", strings.Repeat("x", 16<<10)), false},
	} {
		err := check(signed(t, one.change), public, now)
		if err == nil || Unusable(err) != one.unusable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := check(document, public, now); !errors.Is(err, ErrNone) {
		t.Errorf("no proof: %v", err)
	}
	good := signed(t, nil)
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.PublicKey{"another key": other, "no key": nil, "a short key": ed25519.PublicKey("short")} {
		if check(good, key, now) == nil {
			t.Errorf("%s: passed", name)
		}
	}
	for name, bad := range map[string]string{
		"a name twice":            `{"id":"x",` + good[1:],
		"a name twice, deeper":    strings.Replace(good, `"n":1.50`, `"n":1.50,"n":1.50`, 1),
		"a name twice, in proof":  strings.Replace(good, `"created"`, `"created":"2026-03-01T12:00:00Z","created"`, 1),
		"two documents":           good + good,
		"cut off":                 good[:len(good)-1],
		"a list":                  "[" + good + "]",
		"larger than is accepted": `{"x":"` + strings.Repeat("x", MaxBytes) + `",` + good[1:],
	} {
		if err := check(bad, public, now); err == nil || errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is signed with the right key is refused all the same when it says the wrong
// thing.
func TestRefusalsOfGoodSignatures(t *testing.T) {
	key, public := vectorKey(t, "https://a.test/u#ed25519")
	forge := func(doc string, more string) string {
		proof := `{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","verificationMethod":"https://a.test/u#ed25519",` + more + `}`
		o, err := open([]byte(proof), MaxBytes)
		if err != nil {
			t.Fatal(err)
		}
		d, err := open([]byte(doc), 2*MaxBytes)
		if err != nil {
			t.Fatal(err)
		}
		hash, err := digest(o, d)
		if err != nil {
			t.Fatal(err)
		}
		value := "z" + base58.Encode(ed25519.Sign(key.Private, hash))
		return doc[:len(doc)-1] + `,"proof":` + proof[:len(proof)-1] + `,"proofValue":"` + value + `"}}`
	}
	const good = `"proofPurpose":"assertionMethod","created":"2026-03-01T12:00:00Z"`
	if err := check(forge(`{"a":1}`, good), public, now); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"another purpose":    forge(`{"a":1}`, `"proofPurpose":"authentication","created":"2026-03-01T12:00:00Z"`),
		"made in the future": forge(`{"a":1}`, `"proofPurpose":"assertionMethod","created":"2026-03-01T13:00:01Z"`),
		"run out":            forge(`{"a":1}`, good+`,"expires":"2026-03-01T11:00:00Z"`),
		"part of a chain":    forge(`{"a":1}`, good+`,"previousProof":"urn:1"`),
		"too large":          forge(`{"a":1}`, good+`,"nonce":"`+strings.Repeat("x", maxProof)+`"`),
		"too large as such":  forge(`{"a":"`+strings.Repeat("x", MaxBytes)+`"}`, good),
	} {
		if check(bad, public, now) == nil {
			t.Errorf("%s: passed", name)
		}
	}
}

func TestWhatStaysValid(t *testing.T) {
	_, public := vectorKey(t, "")
	later := now.Add(10 * 365 * 24 * time.Hour)
	for name, change := range map[string]func(doc, proof map[string]any){
		"order and spaces":        func(_, _ map[string]any) {},
		"a linked data signature": func(d, _ map[string]any) { d["signature"] = map[string]any{"type": "RsaSignature2017"} },
		"a further context":       func(d, _ map[string]any) { d["@context"] = append(d["@context"].([]any), "https://example.com/more") },
		"a proof of another kind": func(d, p map[string]any) { d["proof"] = []any{map[string]any{"type": "Other"}, p} },
	} {
		if err := check(signed(t, change), public, later); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := check(signed(t, nil), public, now.Add(-59*time.Minute)); err != nil {
		t.Errorf("a clock that is ahead: %v", err)
	}
}

// Parts of a document are documents too: what is embedded may carry its own proof.
func TestPart(t *testing.T) {
	_, public := vectorKey(t, "")
	whole := fmt.Sprintf(`{"type":"Announce","object": %s ,"list":[1]}`, signed(t, nil))
	if err := check(string(Part([]byte(whole), "object")), public, now); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`{"object":"https://a.test/1"}`, `{"object":[{}]}`, `{}`, `[]`, `{"object":{},"object":{}}`} {
		if got := Part([]byte(bad), "object"); got != nil {
			t.Errorf("%s: %s", bad, got)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte(document))
	f.Add([]byte(`{"proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod","verificationMethod":"x","proofValue":"z2"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Inspect(b, now)
		if err == nil && p.Verify(ed25519.PublicKey(bytes.Repeat([]byte{1}, 32))) == nil {
			t.Error("verified by accident")
		}
	})
}

func BenchmarkProof(b *testing.B) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	key := Key{"https://a.test/u#ed25519", private}
	long := []byte(strings.Replace(document, "Grüße", strings.Repeat("Grüße ", 300), 1))
	done, err := Sign(long, key, now)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			if _, err := Sign(long, key, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if err := check(string(done), private.Public(), now); err != nil {
				b.Fatal(err)
			}
		}
	})
}

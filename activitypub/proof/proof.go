// Package proof makes and verifies object integrity proofs (FEP-8b32): a
// signature inside a JSON document, so that it can be believed whoever passes it
// on. It speaks one cryptosuite, eddsa-jcs-2022 (W3C vc-di-eddsa 3.3), and knows
// neither who owns a document nor where keys come from: the caller finds the key
// that VerificationMethod names and asks whether its owner may say this.
//
//	p, err := proof.Inspect(body, now)       // shape, purpose, time: no key yet
//	key := ...                               // of p.VerificationMethod
//	err = p.Verify(key)
package proof

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/mr-tron/base58"
)

// Bounds of what is read.
const (
	// MaxBytes is the longest document that is signed or verified.
	MaxBytes = 1 << 20
	// MaxProofs is how many proofs a document may carry; one of them is looked at.
	MaxProofs = 8
	maxProof  = 16 << 10
	maxText   = 2048
)

// Skew is how far ahead of ours the clock of whoever made a proof may be.
const Skew = time.Hour

// What a proof of ours says, and the only thing that is read.
const (
	kind    = "DataIntegrityProof"
	suite   = "eddsa-jcs-2022"
	purpose = "assertionMethod"
)

// ErrNone says that a document carries no proof.
var ErrNone = errors.New("no proof")

// Error says why a proof counts for nothing; its text may be logged and sent.
type Error struct {
	Reason string
	// Unusable proofs are of a kind that is not read here, or have run out. They
	// are to be ignored, not held against the document (FEP-8b32, verification);
	// all others are wrong.
	Unusable bool
}

// Error implements error.
func (e *Error) Error() string { return "proof refused: " + e.Reason }

func refuse(format string, args ...any) error { return &Error{Reason: fmt.Sprintf(format, args...)} }

func unusable(format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...), Unusable: true}
}

// Unusable says that an error is about a proof to be ignored.
func Unusable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Unusable
}

// Key signs. ID is the URI at which others find the public part, a Multikey among
// the assertionMethod of its owner (FEP-521a).
type Key struct {
	ID      string
	Private ed25519.PrivateKey
}

// Proof is one that could be valid; nothing is proved before Verify.
type Proof struct {
	// VerificationMethod is the key's URI.
	VerificationMethod string
	Created            time.Time // zero when it is not told
	Expires            time.Time // zero: never
	hash               []byte
	value              []byte
}

// members of a document or proof, each as it stands.
type members map[string]json.RawMessage

// text is a member that is text, "" when it is none.
func (m members) text(name string) (s string) {
	if json.Unmarshal(m[name], &s) != nil {
		return ""
	}
	return s
}

// Inspect reads the proof of a document strictly, without key or network. The
// document is what was received, byte for byte. A linked data signature beside
// the proof was made after it and is left out (FEP-8b32, backward compatibility).
func Inspect(document []byte, now time.Time) (*Proof, error) {
	doc, err := open(document, MaxBytes)
	if err != nil {
		return nil, err
	}
	options, err := pick(doc["proof"])
	if err != nil {
		return nil, err
	}
	p := &Proof{VerificationMethod: options.text("verificationMethod")}
	if err := p.read(options, now); err != nil {
		return nil, err
	}
	delete(doc, "proof")
	delete(doc, "signature")
	if c, ok := options["@context"]; ok {
		if !startsWith(doc["@context"], c) {
			return nil, refuse("its @context is not the document's")
		}
		doc["@context"] = c
	}
	delete(options, "proofValue")
	p.hash, err = digest(options, doc)
	return p, err
}

// open reads the members of an object. A name that stands twice is refused: two
// readers could take it for two documents (A7). Further down the canonical form
// refuses the same.
func open(b []byte, most int) (members, error) {
	if len(b) > most {
		return nil, refuse("larger than %d bytes", most)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, refuse("not a JSON object")
	}
	m := members{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, refuse("not valid JSON")
		}
		if _, twice := m[name]; twice {
			return nil, refuse("%.40q stands twice", name)
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, refuse("not valid JSON")
		}
		m[name] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, refuse("not valid JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, refuse("more than one document")
	}
	return m, nil
}

// pick finds the proof to look at: the only one, or among several the first of
// our cryptosuite.
func pick(b json.RawMessage) (members, error) {
	if len(b) == 0 || string(b) == "null" {
		return nil, ErrNone
	}
	set := many(b)
	if len(set) > MaxProofs {
		return nil, refuse("more than %d of them", MaxProofs)
	}
	for _, one := range set {
		o, err := open(one, maxProof)
		if err != nil {
			return nil, err
		}
		if o.text("type") == kind && o.text("cryptosuite") == suite && o["previousProof"] == nil {
			return o, nil
		}
	}
	return nil, unusable("only %s with %s is read", kind, suite)
}

// read checks what a proof says of itself.
func (p *Proof) read(o members, now time.Time) (err error) {
	if o.text("proofPurpose") != purpose {
		return refuse("its purpose is not %s", purpose)
	}
	if p.VerificationMethod == "" || len(p.VerificationMethod) > maxText {
		return refuse("it names no key")
	}
	if p.Created, err = o.instant("created"); err != nil {
		return err
	}
	if p.Created.After(now.Add(Skew)) {
		return refuse("it was made in the future, at %s", p.Created.Format(time.RFC3339))
	}
	if p.Expires, err = o.instant("expires"); err != nil {
		return err
	}
	if !p.Expires.IsZero() && now.After(p.Expires) {
		return unusable("it ran out at %s", p.Expires.Format(time.RFC3339))
	}
	value := o.text("proofValue")
	if len(value) > 200 || len(value) < 2 || value[0] != 'z' {
		return refuse("its value is not base58")
	}
	if p.value, err = base58.Decode(value[1:]); err != nil || len(p.value) != ed25519.SignatureSize {
		return refuse("its value is not an Ed25519 signature")
	}
	return nil
}

// instant is a member that is a time; zero when it is not there.
func (m members) instant(name string) (time.Time, error) {
	if m[name] == nil {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, m.text(name))
	if err != nil {
		return t, refuse("%s is not a time", name)
	}
	return t, nil
}

// startsWith says that the context of a document begins with all of a proof's
// (vc-di-eddsa 3.3.2).
func startsWith(document, proof json.RawMessage) bool {
	have, want := many(document), many(proof)
	if len(have) < len(want) {
		return false
	}
	for i := range want {
		a, err := jcs.Transform(have[i])
		if err != nil {
			return false
		}
		b, err := jcs.Transform(want[i])
		if err != nil || !bytes.Equal(a, b) {
			return false
		}
	}
	return true
}

// many lists a member that is one or many.
func many(b json.RawMessage) (list []json.RawMessage) {
	if json.Unmarshal(b, &list) == nil {
		return list
	}
	if len(b) == 0 {
		return nil
	}
	return []json.RawMessage{b}
}

// digest is the hash of the proof's options and that of the document, in this
// order (vc-di-eddsa 3.3.4), both in canonical form (RFC 8785).
func digest(options, document members) ([]byte, error) {
	var out []byte
	for _, m := range []members{options, document} {
		b, err := jcs.Transform(m.bytes())
		if err != nil {
			return nil, refuse("the document has no canonical form")
		}
		sum := sha256.Sum256(b)
		out = append(out, sum[:]...)
	}
	return out, nil
}

// Verify checks the proof with the public part of the key it names.
func (p *Proof) Verify(public crypto.PublicKey) error {
	key, ok := public.(ed25519.PublicKey)
	if !ok || len(key) != ed25519.PublicKeySize {
		return refuse("the key is not an Ed25519 one")
	}
	if !ed25519.Verify(key, p.hash, p.value) {
		return refuse("it does not match the key")
	}
	return nil
}

// Sign gives a document with a proof; everything else stays as it is. The time is
// written in whole seconds, which all readers understand.
func Sign(document []byte, key Key, created time.Time) ([]byte, error) {
	doc, err := open(document, MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("make a proof: %w", err)
	}
	if doc["proof"] != nil || doc["signature"] != nil {
		return nil, errors.New("make a proof: the document is signed already")
	}
	o := members{}
	for name, text := range map[string]string{"type": kind, "cryptosuite": suite, "verificationMethod": key.ID,
		"proofPurpose": purpose, "created": created.UTC().Truncate(time.Second).Format(time.RFC3339)} {
		o[name] = quote(text)
	}
	if c, ok := doc["@context"]; ok {
		o["@context"] = c
	}
	hash, err := digest(o, doc)
	if err != nil {
		return nil, fmt.Errorf("make a proof: %w", err)
	}
	sig, err := key.Private.Sign(rand.Reader, hash, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("make a proof: %w", err)
	}
	o["proofValue"] = quote("z" + base58.Encode(sig))
	return attach(document, o)
}

// attach writes the proof as the last member.
func attach(document []byte, o members) ([]byte, error) {
	b, err := jcs.Transform(o.bytes())
	if err != nil {
		return nil, fmt.Errorf("make a proof: %w", err)
	}
	out := bytes.TrimSpace(document)
	out = bytes.TrimSpace(out[:len(out)-1])
	signed := make([]byte, 0, len(out)+len(b)+12)
	signed = append(signed, out...)
	if len(out) > 1 {
		signed = append(signed, ',')
	}
	return append(append(append(signed, `"proof":`...), b...), '}'), nil
}

// bytes writes the members in any order, each as it stands.
func (m members) bytes() []byte {
	out := []byte{'{'}
	for name, v := range m {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, quote(name)...), ':'), v...)
	}
	return append(out, '}')
}

func quote(s string) json.RawMessage {
	b, _ := json.Marshal(s) // text always encodes
	return b
}

// Part is the document that a member of another one holds, byte for byte; nil when
// there is none.
func Part(document []byte, name string) []byte {
	m, err := open(document, MaxBytes)
	if err != nil || len(m[name]) == 0 || m[name][0] != '{' {
		return nil
	}
	return m[name]
}

package federation

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/social"
)

// Types of the documents that paired instances exchange; each bears the proof of an
// instance (FEP-8b32).
const (
	typeStatement = "PairingStatement"
	typeRoster    = "Roster"
	typeNewKeys   = "KeyChange"
	typePairing   = "Pairing"
)

// statement is what one side of a pairing says of itself and of what it agrees to.
type statement struct {
	Type        string    `json:"type"`
	Actor       string    `json:"actor"`
	Authority   string    `json:"authority"`
	To          string    `json:"to"` // authority of the other side
	Invitation  string    `json:"invitation"`
	Name        string    `json:"name"`
	Zone        string    `json:"zone"`
	DataClasses []string  `json:"dataClasses"`
	Generator   generator `json:"generator"`
	SigningKey  string    `json:"signingKey"` // Multikey
	SealingKey  string    `json:"sealingKey"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires,omitzero"`
}

// generator tells what the software can do (FEP-844e).
type generator struct {
	Type       string       `json:"type"`
	Implements []capability `json:"implements"`
}

type capability struct {
	Href string `json:"href"`
	Name string `json:"name,omitempty"`
}

func capabilities() []capability {
	return []capability{{"https://datatracker.ietf.org/doc/html/rfc9421", "RFC 9421"}, {"https://datatracker.ietf.org/doc/html/rfc9180", "HPKE"},
		{"https://w3id.org/fep/8b32", "FEP-8b32"}, {"https://w3id.org/fep/844e", "FEP-844e"}}
}

// Bounds of what is read of another side's statement.
const (
	maxPairBody   = 16 << 10
	maxStatements = 32 // entries of each list
	statementAge  = 24 * time.Hour
)

// state writes and signs our statement.
func (s *Server) state(ctx context.Context, own social.Terms, to, invitation string) ([]byte, error) {
	b, err := json.Marshal(statement{Type: typeStatement, Actor: s.Links.InstanceActor(), Authority: own.Authority, To: to, Invitation: invitation,
		Name: own.Name, Zone: own.Zone.String(), DataClasses: own.DataClasses, Generator: generator{Type: activitypub.Application, Implements: capabilities()},
		SigningKey: httpsig.EncodeMultikey(own.SigningKey), SealingKey: httpsig.EncodeSealingKey(own.SealingKey), Created: own.Created.UTC(), Expires: own.Expires})
	if err != nil {
		return nil, err
	}
	var key proof.Key
	err = s.Store.View(ctx, func(tx social.Tx) (err error) {
		key, err = s.instanceKey(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return proof.Sign(b, key, s.Now())
}

// instanceKey is the Ed25519 key of the instance as it is now: a command may have
// changed it a moment ago.
func (s *Server) instanceKey(ctx context.Context, tx social.Tx) (proof.Key, error) {
	k, err := tx.KeyByURI(ctx, s.Links.EdKey(s.Links.InstanceActor()))
	if err != nil {
		return proof.Key{}, err
	}
	private, err := s.ring.parse(k.Private)
	if err != nil {
		return proof.Key{}, err
	}
	ed, ok := private.(ed25519.PrivateKey)
	if !ok {
		return proof.Key{}, fmt.Errorf("%s is no Ed25519 key", k.URI)
	}
	return proof.Key{ID: k.URI, Private: ed}, nil
}

// readStatement checks what the other side says: its form, that it is meant for us and
// for this code, and that the key in it made its proof. Whose key that is, others check.
func (s *Server) readStatement(b []byte, invitation string) (t social.Terms, err error) {
	var st statement
	if err := json.Unmarshal(b, &st); err != nil {
		return t, errors.New("the statement cannot be read")
	}
	authority, err := activitypub.HostPort(st.Authority)
	switch {
	case err != nil || authority != st.Authority:
		return t, errors.New("the statement names no server in its one form")
	case st.Type != typeStatement || st.To != s.Links.Home() || st.Invitation != invitation || st.Actor != s.Links.Of(authority).InstanceActor():
		return t, errors.New("the statement is not meant for this instance and code")
	case st.Created.Before(s.Now().Add(-statementAge)) || st.Created.After(s.Now().Add(proof.Skew)):
		return t, errors.New("the statement is not of today")
	case len(st.DataClasses) > maxStatements || len(st.Generator.Implements) > maxStatements:
		return t, errors.New("the statement is too long")
	}
	t = social.Terms{Authority: authority, Name: s.text().SanitizePlain(clip(st.Name, 500), 100), Created: st.Created, Expires: st.Expires}
	if t.Zone, err = social.ParseZone(st.Zone); err != nil {
		return t, err
	}
	for _, c := range st.DataClasses {
		t.DataClasses = append(t.DataClasses, s.text().SanitizePlain(clip(c, 100), 60))
	}
	for _, c := range st.Generator.Implements {
		t.Capabilities = append(t.Capabilities, s.text().SanitizePlain(clip(c.Href, 400), 200))
	}
	if t.SigningKey, err = httpsig.DecodeSigningKey(st.SigningKey); err != nil {
		return t, err
	}
	if t.SealingKey, err = httpsig.DecodeSealingKey(st.SealingKey); err != nil {
		return t, err
	}
	return t, s.provenByKey(b, st.Actor, t.SigningKey)
}

// provenByKey says that a document bears the proof of an actor by a key that is known,
// not looked up.
func (s *Server) provenByKey(document []byte, actor string, keys ...[]byte) error {
	p, err := proof.Inspect(document, s.Now())
	if err != nil {
		return err
	}
	if p.VerificationMethod != s.Links.EdKey(actor) {
		return errors.New("the proof is not by the instance")
	}
	for _, k := range keys {
		if len(k) == ed25519.PublicKeySize && p.Verify(ed25519.PublicKey(k)) == nil {
			return nil
		}
	}
	return errors.New("the proof is not by the key of the instance")
}

// side is one of the two of a pairing, as both HMACs name it.
type side struct {
	authority        string
	signing, sealing []byte
}

func sideOf(t social.Terms) side { return side{t.Authority, t.SigningKey, t.SealingKey} }

// pairingMAC shows that whoever speaks has the code, and binds it to the keys of both:
// role is "accept" or "invite".
func pairingMAC(key []byte, role string, inviter, accepter side) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range slices.Concat([][]byte{[]byte("parley pairing 1"), []byte(role)}, inviter.parts(), accepter.parts()) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part)))
		_, _ = h.Write(n[:]) // a hash takes everything
		_, _ = h.Write(part)
	}
	return h.Sum(nil)
}

func (s side) parts() [][]byte { return [][]byte{[]byte(s.authority), s.signing, s.sealing} }

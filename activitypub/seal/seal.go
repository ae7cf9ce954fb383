// Package seal closes what one instance sends another, so that only the holder of a
// pinned key can read it and only the holder of a pinned key can have written it,
// whoever answers on the wire. It knows no HTTP, no database and no policy; FEDERATION.md
// has the exact form for those who implement it.
//
//	about := seal.About{From: "a.example", To: "b.example", Purpose: seal.Delivery, Target: inbox}
//	sealed, token, err := seal.Seal(activity, about, signingKey, theirSealingKey)
//	... // POST sealed; the answer counts if token.Acknowledged(answer, activityID)
package seal

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// MediaType of a sealed body.
const MediaType = "application/vnd.parley.sealed"

// AckType is the media type of an acknowledgement.
const AckType = "application/vnd.parley.ack"

const (
	version   = 1
	encBytes  = 32 // the ephemeral X25519 key (RFC 9180 7.1, Npk)
	tagBytes  = 16 // of AES-128-GCM
	signature = ed25519.SignatureSize + tagBytes
	headBytes = 1 + encBytes + signature
)

// Overhead is how much longer a sealed body is than what it holds.
const Overhead = headBytes + tagBytes

// AckBytes is the length of an acknowledgement.
const AckBytes = 1 + sha256.Size

// Contexts of keys and signatures: what was made for one use is good for no other.
const (
	infoContext = "parley seal v1"
	signContext = "parley seal v1 signature"
	ackContext  = "parley seal v1 acknowledgement"
)

// Why a body was not opened.
var (
	// ErrMalformed: no body of this form and version.
	ErrMalformed = errors.New("this is not a sealed body of a form that is known here")
	// ErrNotForUs: sealed to another key, for another name, place, purpose or request, or changed.
	ErrNotForUs = errors.New("the sealed body is not for this server and this request")
	// ErrNotPinned: readable, and written by somebody whose key is not pinned here.
	ErrNotPinned = errors.New("the sealed body is not signed by the key that is pinned for its sender")
)

// Purpose of a sealed body.
type Purpose string

const (
	Delivery Purpose = "delivery" // an activity, POSTed to an inbox
	Answer   Purpose = "answer"   // to a signed GET
	Header   Purpose = "header"   // the value of a header of a delivery
)

// About is what a sealed body is bound to: with any other it does not open.
type About struct {
	From, To string  // authorities
	Purpose  Purpose //
	Target   string  // address of the inbox, or of the document that was asked for
	Request  []byte  // of an Answer: the bytes of the signature of the request
}

// info is About in one form: each part with its length before it, so that no two
// different ones are written alike.
func (a About) info() []byte {
	request := sha256.Sum256(a.Request)
	b := make([]byte, 0, 256)
	for _, part := range [][]byte{[]byte(infoContext), []byte(a.From), []byte(a.To), []byte(a.Purpose), []byte(a.Target), request[:]} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// signed is what the sender signs: the context, what the body is bound to, and its hash.
func signed(info, payload []byte) []byte {
	sum := sha256.Sum256(payload)
	return slices.Concat([]byte(signContext), info, sum[:])
}

func kem() hpke.KEM   { return hpke.DHKEM(ecdh.X25519()) }
func kdf() hpke.KDF   { return hpke.HKDFSHA256() }
func aead() hpke.AEAD { return hpke.AES128GCM() }

// Seal closes a payload for the holder of the X25519 key to, 32 bytes. The token is
// for recognising the acknowledgement of this very body.
func Seal(payload []byte, about About, key ed25519.PrivateKey, to []byte) ([]byte, Token, error) {
	public, err := kem().NewPublicKey(to)
	if err != nil {
		return nil, Token{}, fmt.Errorf("the other's sealing key: %w", err)
	}
	info := about.info()
	enc, sender, err := hpke.NewSender(public, kdf(), aead(), info)
	if err != nil {
		return nil, Token{}, err
	}
	token, err := newToken(sender)
	if err != nil {
		return nil, token, err
	}
	name, err := sender.Seal(nil, ed25519.Sign(key, signed(info, payload)))
	if err != nil {
		return nil, token, err
	}
	content, err := sender.Seal(nil, payload)
	return slices.Concat([]byte{version}, enc, name, content), token, err
}

// Open reads a sealed body with one of our keys and checks that one of the senders'
// pinned keys signed it. most bounds the payload, in bytes.
func Open(sealed []byte, about About, own []*ecdh.PrivateKey, senders []ed25519.PublicKey, most int) ([]byte, Token, error) {
	if len(sealed) < Overhead || len(sealed) > most+Overhead || sealed[0] != version {
		return nil, Token{}, ErrMalformed
	}
	info := about.info()
	for _, key := range own {
		payload, name, token, err := unwrap(sealed, info, key)
		if err != nil {
			continue // another of our keys may fit
		}
		message := signed(info, payload)
		for _, k := range senders {
			if len(k) == ed25519.PublicKeySize && ed25519.Verify(k, message, name) {
				return payload, token, nil
			}
		}
		return nil, Token{}, ErrNotPinned
	}
	return nil, Token{}, ErrNotForUs
}

func unwrap(sealed, info []byte, key *ecdh.PrivateKey) (payload, name []byte, t Token, err error) {
	private, err := hpke.NewDHKEMPrivateKey(key)
	if err != nil {
		return nil, nil, t, err
	}
	recipient, err := hpke.NewRecipient(sealed[1:1+encBytes], private, kdf(), aead(), info)
	if err != nil {
		return nil, nil, t, err
	}
	if t, err = newToken(recipient); err != nil {
		return nil, nil, t, err
	}
	if name, err = recipient.Open(nil, sealed[1+encBytes:headBytes]); err != nil {
		return nil, nil, t, err
	}
	payload, err = recipient.Open(nil, sealed[headBytes:])
	return payload, name, t, err
}

// Token is a secret that only the sender of one sealed body and whoever could open it
// have. With it the one proves to the other that it has the body.
type Token [sha256.Size]byte

type exporter interface {
	Export(context string, length int) ([]byte, error)
}

func newToken(e exporter) (t Token, err error) {
	b, err := e.Export(ackContext, len(t))
	copy(t[:], b)
	return t, err
}

// Acknowledge says that the activity which the body brought is durable here.
func (t Token) Acknowledge(activity string) []byte {
	mac := hmac.New(sha256.New, t[:])
	mac.Write([]byte(activity))
	return mac.Sum([]byte{version})
}

// Acknowledged says that an answer acknowledges the activity.
func (t Token) Acknowledged(answer []byte, activity string) bool {
	return hmac.Equal(answer, t.Acknowledge(activity))
}

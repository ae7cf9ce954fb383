// Package httpsig signs and verifies HTTP requests in the two dialects that
// servers speak: draft-cavage-12, with go-fed/httpsig as the primitive behind
// strict checks of our own, and RFC 9421. It knows no database, no policy and no
// HTTP client.
//
// Verifying has three steps, so that nothing is fetched for a request that cannot
// be valid: Inspect (shape, coverage, time), VerifyBody (digest), Verify (key).
package httpsig

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// Dialect of a signature.
type Dialect int

const (
	Cavage  Dialect = iota // draft-cavage-http-signatures-12
	RFC9421                // HTTP Message Signatures
)

// String is the word kept of a peer; ParseDialect reads it.
func (d Dialect) String() string {
	if d == RFC9421 {
		return "rfc9421"
	}
	return "cavage"
}

// ParseDialect reads what String wrote; unknown is Cavage, which all servers take.
func ParseDialect(s string) Dialect {
	if s == "rfc9421" {
		return RFC9421
	}
	return Cavage
}

// Window is how far a signature's time may be from ours, either way (T4).
const Window = time.Hour

// Error says why a signature was refused; its text may be logged and sent.
type Error struct{ Reason string }

// Error implements error.
func (e *Error) Error() string { return "signature refused: " + e.Reason }

func refuse(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Key signs. ID is the URI at which others find the public part.
type Key struct {
	ID      string
	Private crypto.Signer // *rsa.PrivateKey or ed25519.PrivateKey
}

// Sign adds a signature to a request; body is what will be sent. Sign afresh for
// each attempt: the time is part of it.
func Sign(req *http.Request, body []byte, key Key, d Dialect, now time.Time) error {
	return sign(req, body, key, d, Wish{}, now)
}

func sign(req *http.Request, body []byte, key Key, d Dialect, w Wish, now time.Time) error {
	req.Host = req.URL.Host
	if d == RFC9421 {
		_, err := sign9421(req, body, key, w, now)
		return err
	}
	return signCavage(req, body, key, now)
}

// SignAs signs in the dialect RFC 9421 over what a wish adds, and answers the bytes of
// the signature, by which both sides can name this very request.
func SignAs(req *http.Request, body []byte, key Key, w Wish, now time.Time) ([]byte, error) {
	req.Host = req.URL.Host
	return sign9421(req, body, key, w, now)
}

// Signature is one that could be valid; nothing is proved before VerifyBody and Verify.
type Signature struct {
	Dialect Dialect
	KeyID   string
	At      time.Time // when it was signed, by the signer's clock
	req     *http.Request
	alg     string
	base    string // RFC 9421
	value   []byte
	covered map[string]bool
	headers []string          // cavage: what is covered, in order
	params  map[string]string // cavage
}

// Covers says that a header or component is signed.
func (s *Signature) Covers(name string) bool { return s.covered[name] }

// Value is the bytes of the signature itself.
func (s *Signature) Value() []byte { return s.value }

// Inspect reads the signature of a request strictly, without key or network. The
// public origin stands in for what a proxy may have rewritten.
func Inspect(req *http.Request, origin string, now time.Time) (*Signature, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	if !sameHost(req.Host, u) {
		return nil, refuse("sent for the host %.100q, this is %s", req.Host, u.Host)
	}
	if len(req.Header.Values("Signature")) != 1 {
		return nil, refuse("exactly one Signature header is needed")
	}
	if len(req.Header.Values("Signature-Input")) > 0 {
		return inspect9421(req, origin, now)
	}
	return inspectCavage(req, now)
}

func sameHost(host string, u *url.URL) bool {
	port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return strings.EqualFold(strings.TrimSuffix(host, port), strings.TrimSuffix(u.Host, port))
}

func checkKeyID(id string) error {
	u, err := url.Parse(id)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(id) > 2048 {
		return refuse("keyId is not an http address")
	}
	return nil
}

func inWindow(t, now time.Time) error {
	if t.Before(now.Add(-Window)) || t.After(now.Add(Window)) {
		return refuse("the time %s is more than an hour from ours, %s", t.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// VerifyBody compares the signed digest with the bytes that were read (T3).
func (s *Signature) VerifyBody(body []byte) error {
	if s.req.Method != http.MethodPost {
		return nil
	}
	sum := sha256.Sum256(body)
	if s.Dialect == RFC9421 {
		d, err := httpsfv.UnmarshalDictionary(s.req.Header.Values("Content-Digest"))
		if err != nil {
			return refuse("Content-Digest cannot be read")
		}
		member, _ := d.Get("sha-256")
		if item, ok := member.(httpsfv.Item); ok {
			if v, ok := item.Value.([]byte); ok && bytes.Equal(v, sum[:]) {
				return nil
			}
		}
		return refuse("Content-Digest (sha-256) does not match the body")
	}
	values := s.req.Header.Values("Digest")
	if len(values) != 1 {
		return refuse("exactly one Digest header is needed")
	}
	found := 0
	for _, part := range strings.Split(values[0], ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(name, "SHA-256") {
			continue
		}
		found++
		if got, err := base64.StdEncoding.DecodeString(value); err != nil || !bytes.Equal(got, sum[:]) {
			return refuse("Digest (SHA-256) does not match the body")
		}
	}
	if found != 1 {
		return refuse("a Digest with SHA-256 is needed")
	}
	return nil
}

// Verify checks the signature with the key's public part. The key's type decides
// the algorithm, never the sender's word (T2).
func (s *Signature) Verify(public crypto.PublicKey) error {
	if k, ok := public.(*rsa.PublicKey); ok && (k.N.BitLen() < 2048 || k.N.BitLen() > 8192) {
		return refuse("RSA keys have 2048 to 8192 bits")
	}
	if s.Dialect == RFC9421 {
		return s.verify9421(public)
	}
	err := s.verifyCavage(public, requestURI(s.req))
	if path, _, query := strings.Cut(requestURI(s.req), "?"); err != nil && query {
		err = s.verifyCavage(public, path) // some servers sign the target without its query
	}
	return err
}

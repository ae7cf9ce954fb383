package social

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// codePrefix begins every code and names its version.
const codePrefix = "parley1."

// Code is what one administrator hands to the other, by any way that both trust: it
// says who invites, by a key that no certificate can stand in for, and lets the one
// who has it answer once.
type Code struct {
	Authority   string    // who invites
	Zone        Zone      // where the inviter puts whoever accepts
	Fingerprint []byte    // SHA-256 of the inviter's raw Ed25519 key
	ExpiresAt   time.Time // in whole seconds
	Secret      []byte    // 16 bytes
}

// codeText is a code as it is written.
type codeText struct {
	A string `json:"a"`
	Z string `json:"z"`
	F string `json:"f"`
	E int64  `json:"e"`
	S string `json:"s"`
}

// newCode makes a code with a new secret.
func newCode(authority string, z Zone, signingKey []byte, expires time.Time) (Code, error) {
	c := Code{Authority: authority, Zone: z, Fingerprint: Fingerprint(signingKey), ExpiresAt: expires.Truncate(time.Second), Secret: make([]byte, 16)}
	_, err := rand.Read(c.Secret)
	return c, err
}

// Fingerprint is the SHA-256 of a raw key, by which people compare it.
func Fingerprint(key []byte) []byte {
	sum := sha256.Sum256(key)
	return sum[:]
}

// ShownFingerprint is the fingerprint of the inviter's key as people compare it.
func (c Code) ShownFingerprint() string { return inGroups(c.Fingerprint) }

// String writes the code as ParseCode reads it.
func (c Code) String() string {
	b, _ := json.Marshal(codeText{A: c.Authority, Z: c.Zone.String(), F: base64.RawURLEncoding.EncodeToString(c.Fingerprint),
		E: c.ExpiresAt.Unix(), S: base64.RawURLEncoding.EncodeToString(c.Secret)}) // text and numbers always encode
	return codePrefix + base64.RawURLEncoding.EncodeToString(b)
}

// ParseCode reads a code. The authority in it is as it was written: whoever connects
// to it checks its form.
func ParseCode(s string) (Code, error) {
	bad := adminErrorf(Invalid, "this is not a code: it begins with %s and is one word of letters and digits; copy it whole", codePrefix)
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), codePrefix)
	if !ok || len(rest) > 2048 {
		return Code{}, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(rest)
	var t codeText
	if err != nil || json.Unmarshal(b, &t) != nil {
		return Code{}, bad
	}
	c := Code{Authority: t.A, ExpiresAt: time.Unix(t.E, 0).UTC()}
	c.Fingerprint, err = base64.RawURLEncoding.DecodeString(t.F)
	if err != nil || len(c.Fingerprint) != sha256.Size {
		return Code{}, bad
	}
	if c.Secret, err = base64.RawURLEncoding.DecodeString(t.S); err != nil || len(c.Secret) != 16 {
		return Code{}, bad
	}
	if c.Zone, err = ParseZone(t.Z); err != nil || c.Zone.Kind != ZoneCompany && c.Zone.Kind != ZonePartner {
		return Code{}, bad
	}
	return c, nil
}

// InvitationID names the invitation of a secret without telling it.
func (c Code) InvitationID() string {
	sum := sha256.Sum256(append([]byte("parley invitation 1"), c.Secret...))
	return hex.EncodeToString(sum[:8])
}

// MACKey is the key of both sides' HMAC. The inviter keeps it in place of the secret.
func (c Code) MACKey() []byte {
	sum := sha256.Sum256(append([]byte("parley pairing key 1"), c.Secret...))
	return sum[:]
}

// Invitation is what the inviter remembers of a code.
type Invitation struct {
	ID          string    `json:"id"`
	Authority   string    `json:"authority"` // who may accept
	Zone        Zone      `json:"zone"`
	DataClasses []string  `json:"data_classes,omitempty"`
	MACKey      []byte    `json:"mac_key"`
	ExpiresAt   time.Time `json:"expires_at"`
	Until       time.Time `json:"until,omitzero"` // when the pairing ends; zero: never
	By          string    `json:"by,omitempty"`
	UsedAt      time.Time `json:"used_at,omitzero"`
	UsedBy      []byte    `json:"used_by,omitempty"` // the accepter's signing and sealing key
}

// usable says that an invitation may be answered by an authority with its keys: once,
// and again for a short while with the same keys, in case the answer was lost.
func (i Invitation) usable(authority string, keys []byte, now time.Time) bool {
	if i.Authority != authority || !now.Before(i.ExpiresAt) {
		return false
	}
	return i.UsedAt.IsZero() || bytes.Equal(i.UsedBy, keys) && now.Before(i.UsedAt.Add(answerAgain))
}

// answerAgain is how long a lost answer can be asked for once more.
const answerAgain = time.Hour

package instancetest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// PushService is one that browsers and apps are told by, with one subscriber, who opens
// what arrives.
type PushService struct {
	*httptest.Server
	t      testing.TB
	key    *ecdh.PrivateKey
	Secret []byte // of the subscriber

	mu     sync.Mutex
	answer int
	after  string
	all    []PushMessage
	heard  int
}

// PushMessage is what arrived: sealed, and opened where the service took it.
type PushMessage struct {
	Raw     []byte
	Urgency string
	JSON    string         // what was sealed
	Fields  map[string]any // of it
	Sender  string         // its public key
	Claims  jwt.MapClaims  // of its signature
}

// NewPushService starts one that takes everything.
func NewPushService(t testing.TB) *PushService {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &PushService{t: t, key: key, Secret: []byte("0123456789abcdef"), answer: http.StatusCreated}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP is RFC 8030 5, 8291 and 8292 seen from the other side.
func (s *PushService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("TTL") != "86400" {
		s.t.Errorf("%s with %v: %v", r.Method, r.Header, err)
	}
	m := PushMessage{Raw: body, Urgency: r.Header.Get("Urgency")}
	if s.after != "" {
		w.Header().Set("Retry-After", s.after)
	}
	if s.answer == http.StatusCreated {
		m.JSON, m.Fields = s.open(body)
		m.Sender, m.Claims = s.vouched(r.Header.Get("Authorization"))
	}
	s.all = append(s.all, m)
	w.WriteHeader(s.answer)
}

// PublicKey is the subscriber's: P-256, uncompressed.
func (s *PushService) PublicKey() []byte { return s.key.PublicKey().Bytes() }

// open decrypts a message of one record (RFC 8188, RFC 8291 3.4).
func (s *PushService) open(body []byte) (string, map[string]any) {
	salt, size, idLength := body[:16], binary.BigEndian.Uint32(body[16:20]), int(body[20])
	sender, sealed := body[21:21+idLength], body[21+idLength:]
	if int(size) < len(sealed) {
		s.t.Errorf("%d bytes in a record of %d", len(sealed), size)
	}
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		s.t.Error(err)
		return "", nil
	}
	shared, err := s.key.ECDH(public)
	if err != nil {
		s.t.Error(err)
		return "", nil
	}
	derive := func(secret, salt []byte, info string, n int) []byte {
		out, err := hkdf.Key(sha256.New, secret, salt, info, n)
		if err != nil {
			s.t.Error(err)
		}
		return out
	}
	ikm := derive(shared, s.Secret, "WebPush: info\x00"+string(s.key.PublicKey().Bytes())+string(sender), 32)
	block, err := aes.NewCipher(derive(ikm, salt, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		s.t.Error(err)
		return "", nil
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		s.t.Error(err)
		return "", nil
	}
	plain, err := gcm.Open(nil, derive(ikm, salt, "Content-Encoding: nonce\x00", 12), sealed, nil)
	if err != nil {
		s.t.Errorf("the message does not open: %v", err)
		return "", nil
	}
	text := strings.TrimSuffix(strings.TrimRight(string(plain), "\x00"), "\x02")
	m := map[string]any{}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		s.t.Errorf("%v: %q", err, text)
	}
	return text, m
}

// vouched checks the sender's signature (RFC 8292 2, 3).
func (s *PushService) vouched(header string) (key string, claims jwt.MapClaims) {
	token := ""
	for part := range strings.SplitSeq(strings.TrimPrefix(header, "vapid "), ", ") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			token = value
		case "k":
			key = value
		}
	}
	claims = jwt.MapClaims{}
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err == nil {
		_, err = jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw) }, jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience(s.URL))
	}
	if err != nil {
		s.t.Errorf("the sender's signature: %v", err)
	}
	return key, claims
}

// Answers sets the status of answers from now on, with a Retry-After or "".
func (s *PushService) Answers(status int, after string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.after = status, after
}

// All is everything that arrived, also what was refused.
func (s *PushService) All() []PushMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]PushMessage{}, s.all...)
}

// Heard is what was taken since the last call, as "kind: body".
func (s *PushService) Heard() (texts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.heard < len(s.all); s.heard++ {
		if m := s.all[s.heard].Fields; m != nil {
			texts = append(texts, fmt.Sprintf("%s: %s", m["notification_type"], m["body"]))
		}
	}
	return texts
}

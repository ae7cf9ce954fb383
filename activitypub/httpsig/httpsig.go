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
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
	cavage "github.com/go-fed/httpsig"
	"github.com/mr-tron/base58"
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

func signCavage(req *http.Request, body []byte, key Key, now time.Time) error {
	private, ok := key.Private.(*rsa.PrivateKey)
	if !ok {
		return fmt.Errorf("cavage signatures are made with RSA keys, not %T", key.Private)
	}
	headers := []string{cavage.RequestTarget, "host", "date"}
	req.Header.Set("Host", req.URL.Host) // go-fed reads it here
	req.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	var content []byte
	if req.Method == http.MethodPost {
		headers = append(headers, "digest", "content-type")
		content = body
	}
	if req.Header.Get(Synchronization) != "" {
		headers = append(headers, strings.ToLower(Synchronization))
	}
	signer, _, err := cavage.NewSigner([]cavage.Algorithm{cavage.RSA_SHA256}, cavage.DigestSha256, headers, cavage.Signature, 0)
	if err != nil {
		return err
	}
	// go-fed signs URL.Path, decoded; what counts is the target as it is sent.
	sent, target := *req, *req.URL
	target.Path, target.RawQuery, _ = strings.Cut(req.URL.RequestURI(), "?")
	sent.URL = &target
	if err := signer.SignRequest(private, key.ID, &sent, content); err != nil {
		return err
	}
	// Older servers know the name of the algorithm only, not go-fed's "hs2019".
	req.Header.Set("Signature", strings.Replace(req.Header.Get("Signature"), `algorithm="hs2019"`, `algorithm="rsa-sha256"`, 1))
	req.Header.Del("Host")
	return nil
}

// Synchronization is the header that compares followers (FEP-8fcf): where it is sent, it
// is signed.
const Synchronization = "Collection-Synchronization"

// components of our RFC 9421 signatures: the profile that suits everyone.
func components(req *http.Request) []string {
	c := []string{"@method", "@target-uri", "@authority"}
	if req.URL.RawQuery != "" {
		c = append(c, "@query")
	}
	if req.Method == http.MethodPost {
		c = append(c, "content-type", "content-digest")
	}
	if req.Header.Get(Synchronization) != "" {
		c = append(c, strings.ToLower(Synchronization))
	}
	return c
}

func sign9421(req *http.Request, body []byte, key Key, w Wish, now time.Time) ([]byte, error) {
	req.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	if req.Method == http.MethodPost {
		sum := sha256.Sum256(body)
		req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
	}
	alg := "rsa-v1_5-sha256"
	if _, ok := key.Private.(ed25519.PrivateKey); ok {
		alg = "ed25519"
	}
	list := httpsfv.InnerList{Params: httpsfv.NewParams()}
	origin := req.URL.Scheme + "://" + req.URL.Host
	for _, c := range w.cover(req, origin) {
		list.Items = append(list.Items, httpsfv.NewItem(c))
	}
	list.Params.Add("created", now.Unix())
	list.Params.Add("keyid", key.ID)
	list.Params.Add("alg", alg)
	w.add(list.Params, now)
	params, err := httpsfv.Marshal(httpsfv.List{list})
	if err != nil {
		return nil, err
	}
	base, err := signatureBase(req, list, params, origin)
	if err != nil {
		return nil, err
	}
	var sig []byte
	if alg == "ed25519" {
		sig, err = key.Private.Sign(rand.Reader, []byte(base), crypto.Hash(0))
	} else {
		sum := sha256.Sum256([]byte(base))
		sig, err = key.Private.Sign(rand.Reader, sum[:], crypto.SHA256)
	}
	if err != nil {
		return nil, err
	}
	req.Header.Set("Signature-Input", w.label()+"="+params)
	req.Header.Set("Signature", w.label()+"=:"+base64.StdEncoding.EncodeToString(sig)+":")
	return sig, nil
}

// signatureBase is RFC 9421 2.5 for the components of a list.
func signatureBase(req *http.Request, list httpsfv.InnerList, params, origin string) (string, error) {
	var b strings.Builder
	for _, item := range list.Items {
		name, ok := item.Value.(string)
		if !ok || len(item.Params.Names()) > 0 {
			return "", refuse("a component has parameters")
		}
		value, err := componentValue(req, name, origin)
		if err != nil {
			return "", err
		}
		b.WriteString(strconv.Quote(name) + ": " + value + "\n")
	}
	return b.String() + `"@signature-params": ` + params, nil
}

func componentValue(req *http.Request, name, origin string) (string, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return "", err
	}
	switch name {
	case "@method":
		return req.Method, nil
	case "@target-uri":
		return strings.TrimSuffix(origin, "/") + requestURI(req), nil
	case "@authority":
		return strings.ToLower(u.Host), nil
	case "@scheme":
		return u.Scheme, nil
	case "@path":
		p, _, _ := strings.Cut(requestURI(req), "?")
		return p, nil
	case "@query":
		return "?" + req.URL.RawQuery, nil
	case "@request-target":
		return requestURI(req), nil
	case "host":
		return u.Host, nil
	}
	if strings.HasPrefix(name, "@") || name != strings.ToLower(name) {
		return "", refuse("the component %.40q is not known", name)
	}
	values := req.Header.Values(name)
	if len(values) == 0 {
		return "", refuse("the signed header %.40q is missing", name)
	}
	return joined(values), nil
}

func requestURI(req *http.Request) string {
	if req.RequestURI != "" && strings.HasPrefix(req.RequestURI, "/") {
		return req.RequestURI
	}
	return req.URL.RequestURI()
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

// inspectCavage parses the header by itself: go-fed takes the last of duplicate
// parameters, an absent list of headers and refuses legal spaces.
func inspectCavage(req *http.Request, now time.Time) (*Signature, error) {
	params, err := cavageParams(req.Header.Get("Signature"))
	if err != nil {
		return nil, err
	}
	s := &Signature{Dialect: Cavage, KeyID: params["keyid"], req: req, alg: params["algorithm"], params: params, covered: map[string]bool{}}
	if err := checkKeyID(s.KeyID); err != nil {
		return nil, err
	}
	switch s.alg {
	case "", "rsa-sha256", "hs2019":
	default:
		return nil, refuse("the algorithm %.40q is not accepted; use rsa-sha256", s.alg)
	}
	if s.value, err = base64.StdEncoding.DecodeString(params["signature"]); err != nil || len(s.value) == 0 {
		return nil, refuse("the signature is not base64")
	}
	for _, h := range strings.Fields(strings.ToLower(params["headers"])) {
		if s.covered[h] {
			return nil, refuse("the header %.40q is signed twice", h)
		}
		s.covered[h] = true
		s.headers = append(s.headers, h)
	}
	need := []string{"(request-target)", "host"}
	if req.Method == http.MethodPost {
		need = append(need, "digest")
	}
	for _, h := range need {
		if !s.covered[h] {
			return nil, refuse("%s must be signed", h)
		}
	}
	return s, s.cavageTime(now)
}

func (s *Signature) cavageTime(now time.Time) error {
	if !s.covered["date"] && !s.covered["(created)"] {
		return refuse("date or (created) must be signed")
	}
	if s.covered["date"] {
		t, err := http.ParseTime(s.req.Header.Get("Date"))
		if err != nil || len(s.req.Header.Values("Date")) != 1 {
			return refuse("the Date header cannot be read")
		}
		if err := inWindow(t, now); err != nil {
			return err
		}
		s.At = t
	}
	if s.covered["(created)"] {
		if s.alg == "rsa-sha256" {
			return refuse("(created) does not go with rsa-sha256")
		}
		n, err := strconv.ParseInt(s.params["created"], 10, 64)
		if err != nil {
			return refuse("created is not a number")
		}
		if err := inWindow(time.Unix(n, 0), now); err != nil {
			return err
		}
		s.At = time.Unix(n, 0)
	}
	return s.cavageExpiry(now)
}

func (s *Signature) cavageExpiry(now time.Time) error {
	v, told := s.params["expires"]
	if !told && s.covered["(expires)"] {
		return refuse("expires is signed and not given")
	}
	if !told {
		return nil
	}
	n, err := strconv.ParseFloat(v, 64) // a decimal number (cavage 2.1.5)
	if err != nil || !(n > 0 && n < 1<<40) || now.After(time.Unix(int64(n), 0).Add(Window)) {
		return refuse("the signature has expired")
	}
	return nil
}

// cavageParams reads name="value" pairs, commas and spaces inside quotes kept.
func cavageParams(header string) (map[string]string, error) {
	out := map[string]string{}
	rest := strings.TrimPrefix(strings.TrimSpace(header), "Signature ")
	for rest = strings.TrimSpace(rest); rest != ""; {
		name, after, ok := strings.Cut(rest, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" || len(out) > 20 {
			return nil, refuse("the Signature header cannot be read")
		}
		var value string
		if strings.HasPrefix(after, `"`) {
			value, after, ok = strings.Cut(after[1:], `"`)
			if !ok {
				return nil, refuse("a quote is not closed")
			}
		} else {
			end := strings.IndexByte(after, ',')
			if end < 0 {
				end = len(after)
			}
			value, after = strings.TrimSpace(after[:end]), after[end:]
		}
		if _, twice := out[name]; twice {
			return nil, refuse("%.40q stands twice in the Signature header", name)
		}
		out[name] = value
		after = strings.TrimSpace(after)
		if after != "" && after[0] != ',' {
			return nil, refuse("the Signature header cannot be read")
		}
		rest = strings.TrimSpace(strings.TrimPrefix(after, ","))
	}
	return out, nil
}

func inspect9421(req *http.Request, origin string, now time.Time) (*Signature, error) {
	inputs, err := httpsfv.UnmarshalDictionary(req.Header.Values("Signature-Input"))
	if err != nil || len(inputs.Names()) != 1 {
		return nil, refuse("Signature-Input must hold exactly one signature")
	}
	label := inputs.Names()[0]
	member, _ := inputs.Get(label)
	list, ok := member.(httpsfv.InnerList)
	if !ok {
		return nil, refuse("Signature-Input is not a list of components")
	}
	s := &Signature{Dialect: RFC9421, req: req, covered: map[string]bool{}}
	for _, item := range list.Items {
		name, _ := item.Value.(string)
		if s.covered[name] {
			return nil, refuse("the component %.40q stands twice", name)
		}
		s.covered[name] = true
	}
	if err := s.need9421(); err != nil {
		return nil, err
	}
	if err := s.params9421(list.Params, now); err != nil {
		return nil, err
	}
	if s.value, err = signatureValue(req, label); err != nil {
		return nil, err
	}
	params, err := httpsfv.Marshal(httpsfv.List{list})
	if err != nil {
		return nil, refuse("Signature-Input cannot be read")
	}
	s.base, err = signatureBase(req, list, params, origin)
	return s, err
}

func (s *Signature) need9421() error {
	c := s.covered
	target := c["@target-uri"] || c["@authority"] && (c["@request-target"] || c["@path"] && (c["@query"] || s.req.URL.RawQuery == ""))
	if !c["@method"] || !target {
		return refuse("@method and @target-uri must be signed")
	}
	if s.req.Method == http.MethodPost && !c["content-digest"] {
		return refuse("content-digest must be signed")
	}
	return nil
}

func (s *Signature) params9421(p *httpsfv.Params, now time.Time) error {
	get := func(name string) any { v, _ := p.Get(name); return v }
	s.KeyID, _ = get("keyid").(string)
	if err := checkKeyID(s.KeyID); err != nil {
		return err
	}
	s.alg, _ = get("alg").(string)
	switch s.alg {
	case "", "rsa-v1_5-sha256", "ed25519":
	default:
		return refuse("the algorithm %.40q is not accepted; use rsa-v1_5-sha256 or ed25519", s.alg)
	}
	created, ok := get("created").(int64)
	if !ok {
		return refuse("created must be given")
	}
	if err := inWindow(time.Unix(created, 0), now); err != nil {
		return err
	}
	s.At = time.Unix(created, 0)
	if v := get("expires"); v != nil {
		if expires, ok := v.(int64); !ok || now.After(time.Unix(expires, 0).Add(Window)) {
			return refuse("the signature has expired")
		}
	}
	return nil
}

func signatureValue(req *http.Request, label string) ([]byte, error) {
	values, err := httpsfv.UnmarshalDictionary(req.Header.Values("Signature"))
	if err != nil || len(values.Names()) != 1 {
		return nil, refuse("the Signature header must hold exactly one signature")
	}
	member, ok := values.Get(label)
	item, isItem := member.(httpsfv.Item)
	if !ok || !isItem {
		return nil, refuse("there is no signature %.40q", label)
	}
	value, ok := item.Value.([]byte)
	if !ok || len(value) == 0 {
		return nil, refuse("the signature is not a byte sequence")
	}
	return value, nil
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

func (s *Signature) verify9421(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		sum := sha256.Sum256([]byte(s.base))
		if s.alg != "ed25519" && rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], s.value) == nil {
			return nil
		}
	case ed25519.PublicKey:
		if s.alg != "rsa-v1_5-sha256" && ed25519.Verify(k, []byte(s.base), s.value) {
			return nil
		}
	}
	return refuse("it does not match the key")
}

// verifyCavage checks a signature over the string of cavage 2.3. go-fed cannot do
// that here: it compares created and expires with the machine's clock at 10
// seconds, and signs the decoded path where others sign what stands on the wire.
func (s *Signature) verifyCavage(public crypto.PublicKey, target string) error {
	base, err := s.cavageString(target)
	if err != nil {
		return err
	}
	switch k := public.(type) {
	case *rsa.PublicKey:
		sum := sha256.Sum256([]byte(base))
		if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], s.value) == nil {
			return nil
		}
	case ed25519.PublicKey:
		if s.alg != "rsa-sha256" && ed25519.Verify(k, []byte(base), s.value) {
			return nil
		}
	}
	return refuse("it does not match the key")
}

func (s *Signature) cavageString(target string) (string, error) {
	lines := make([]string, 0, len(s.headers))
	for _, name := range s.headers {
		value := ""
		switch name {
		case cavage.RequestTarget:
			value = strings.ToLower(s.req.Method) + " " + target
		case "(created)":
			value = s.params["created"]
		case "(expires)":
			value = s.params["expires"]
		case "host":
			value = s.req.Host
		default:
			values := s.req.Header.Values(name)
			if len(values) == 0 {
				return "", refuse("the signed header %.40q is missing", name)
			}
			value = joined(values)
		}
		lines = append(lines, name+": "+value)
	}
	return strings.Join(lines, "\n"), nil
}

// joined is a header as both dialects sign it: its values in order, outer spaces off.
func joined(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.TrimSpace(v)
	}
	return strings.Join(out, ", ")
}

// GenerateRSA and GenerateEd25519 make key pairs as PEM: PKIX public, PKCS#8 private.
func GenerateRSA() (public, private []byte, err error) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	return encode(&k.PublicKey, k)
}

// GenerateEd25519 makes an Ed25519 pair.
func GenerateEd25519() (public, private []byte, err error) {
	pub, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return encode(pub, k)
}

// GenerateX25519 makes an X25519 pair, for sealing and not for signing.
func GenerateX25519() (public, private []byte, err error) {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return encode(k.PublicKey(), k)
}

func encode(public crypto.PublicKey, private crypto.PrivateKey) ([]byte, []byte, error) {
	pub, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, nil, err
	}
	priv, err := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: priv}), err
}

// ParsePrivate reads a private key of ours.
func ParsePrivate(b []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	s, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%T does not sign", k)
	}
	return s, nil
}

// ParseX25519 reads a private key of ours that others seal to.
func ParseX25519(b []byte) (*ecdh.PrivateKey, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := k.(*ecdh.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%T is not for sealing", k)
	}
	return private, nil
}

// ParsePublic reads a public key as servers publish it: PKIX or PKCS#1 PEM.
func ParsePublic(b []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(b)
	if block == nil || len(b) > 16<<10 {
		return nil, refuse("the key is not PEM")
	}
	if block.Type == "RSA PUBLIC KEY" {
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, refuse("the key cannot be read")
	}
	switch k.(type) {
	case *rsa.PublicKey, ed25519.PublicKey:
		return k, nil
	}
	return nil, refuse("the key is neither RSA nor Ed25519")
}

// EncodeMultikey writes an Ed25519 key as FEP-521a publishes it.
func EncodeMultikey(public ed25519.PublicKey) string {
	return "z" + base58.Encode(append([]byte{0xed, 0x01}, public...))
}

// EncodeSealingKey writes a raw X25519 key as a Multikey.
func EncodeSealingKey(raw []byte) string {
	return "z" + base58.Encode(append([]byte{0xec, 0x01}, raw...))
}

// DecodeMultikey reads an Ed25519 key and gives it as PKIX PEM.
func DecodeMultikey(s string) ([]byte, error) {
	raw, err := decodeKey(s, 0xed)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(raw))
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}

// DecodeSigningKey and DecodeSealingKey read a Multikey and give its 32 bytes.
func DecodeSigningKey(s string) ([]byte, error) { return decodeKey(s, 0xed) }

// DecodeSealingKey is for X25519.
func DecodeSealingKey(s string) ([]byte, error) { return decodeKey(s, 0xec) }

// decodeKey reads a Multikey whose type has the code given (multicodec 0xed, 0xec).
func decodeKey(s string, code byte) ([]byte, error) {
	if len(s) > 200 || !strings.HasPrefix(s, "z") {
		return nil, refuse("the key is not a Multikey in base58")
	}
	b, err := base58.Decode(s[1:])
	if err != nil || len(b) != 2+32 || b[0] != code || b[1] != 0x01 {
		return nil, refuse("the key is not a Multikey of the kind that is wanted")
	}
	return b[2:], nil
}

package httpsig

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

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

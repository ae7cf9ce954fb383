package httpsig

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	cavage "github.com/go-fed/httpsig"
)

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

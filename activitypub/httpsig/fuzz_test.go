package httpsig

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"
)

// signed is a valid request of one dialect, whose signature the fuzzer moves about.
type signed struct {
	method, target, host, date, body string
	signature, digest                string
	public                           crypto.PublicKey
}

var quoted = regexp.MustCompile(`signature="([^"]+)"|sig1=:([^:]+):`)

func signedSeed(f *testing.F, d Dialect, k keys, method, body string) signed {
	f.Helper()
	r := request(f, method, k, d, body)
	m := quoted.FindStringSubmatch(r.Header.Get("Signature"))
	public, err := ParsePublic(k.public)
	if err != nil || m == nil {
		f.Fatal(err, r.Header)
	}
	sum := sha256.Sum256([]byte(body))
	return signed{method: method, target: "/inbox?x=1", host: "b.test", date: now.Format(http.TimeFormat), body: body,
		signature: m[1] + m[2], digest: base64.StdEncoding.EncodeToString(sum[:]), public: public}
}

// arrived is a request with the given parts, as net/http would hand it over; nil
// when it would not.
func arrived(method, target, host, body string, header map[string]string) *http.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil || !strings.HasPrefix(target, "/") || strings.ContainsAny(target, " \r\n") || !httpguts.ValidHeaderFieldName(method) || !httpguts.ValidHostHeader(host) {
		return nil
	}
	r := httptest.NewRequest("POST", "/", bytes.NewReader([]byte(body)))
	r.Method, r.URL, r.RequestURI, r.Host = method, u, target, host
	for name, value := range header {
		if !httpguts.ValidHeaderFieldValue(value) {
			return nil
		}
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

// accepted runs the three steps of a verification.
func accepted(r *http.Request, body string, public crypto.PublicKey) *Signature {
	s, err := Inspect(r, origin, now)
	if err != nil || s.VerifyBody([]byte(body)) != nil || s.Verify(public) != nil {
		return nil
	}
	return s
}

// assertSigned: whatever the header says, only what was signed passes.
func assertSigned(t *testing.T, s *Signature, r *http.Request, body string, all []signed) {
	t.Helper()
	if err := checkKeyID(s.KeyID); err != nil {
		t.Errorf("the key id %q", s.KeyID)
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	for _, one := range all {
		known, _, _ := strings.Cut(one.target, "?")
		if r.Method == one.method && path == known && (r.RequestURI == one.target || s.Dialect == Cavage) && strings.EqualFold(r.Host, one.host) &&
			(r.Method != http.MethodPost || body == one.body) {
			return
		}
	}
	t.Errorf("accepted %s %s for %s with %q", r.Method, r.RequestURI, r.Host, body)
}

func fill(template string, all []signed, body string) string {
	sum := sha256.Sum256([]byte(body))
	return strings.NewReplacer("{post}", all[0].signature, "{get}", all[1].signature, "{digest}", all[0].digest,
		"{own}", base64.StdEncoding.EncodeToString(sum[:]), "{now}", now.Format(http.TimeFormat), "{created}", strconv.FormatInt(now.Unix(), 10)).Replace(template)
}

// FuzzCavage: a signature that passes covers method, target, host, time and body.
func FuzzCavage(f *testing.F) {
	k := pair(f, GenerateRSA)
	all := []signed{signedSeed(f, Cavage, k, "POST", "{}"), signedSeed(f, Cavage, k, "GET", "")}
	const post = `keyId="https://a.test/u#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest content-type",signature="{post}"`
	const get = `keyId="https://a.test/u#main-key",algorithm="hs2019",headers="(request-target) host date",signature="{get}"`
	f.Add(post, "POST", "/inbox?x=1", "b.test", "{now}", "SHA-256={digest}", "{}")
	f.Add(get, "GET", "/inbox?x=1", "b.test", "{now}", "", "")
	f.Add(post, "POST", "/users/1/inbox", "b.test", "{now}", "SHA-256={own}", `{"a":1}`)
	f.Add(`Signature keyId="https://a.test/u", headers="(request-target) host (created) digest", created={created}, expires={created}, signature="{post}"`, "POST", "/inbox", "B.test:443", "", "sha-256={own},SHA=x", "{}")
	f.Add(`keyId="https://a.test/u",keyId="https://c.test/u",headers="date",signature="{post}"`, "PUT", "/%2e/inbox?", "c.test", "{now}", "SHA-256={digest}", "")
	if accepted(arrived("POST", "/inbox?x=1", "b.test", "{}", map[string]string{"Signature": fill(post, all, ""), "Date": all[0].date,
		"Digest": "SHA-256=" + all[0].digest, "Content-Type": "application/activity+json"}), "{}", all[0].public) == nil {
		f.Fatal("the honest request is refused")
	}
	f.Fuzz(func(t *testing.T, header, method, target, host, date, digest, body string) {
		r := arrived(method, target, host, body, map[string]string{"Signature": fill(header, all, body), "Date": fill(date, all, body),
			"Digest": fill(digest, all, body), "Content-Type": "application/activity+json"})
		if r == nil {
			return
		}
		s := accepted(r, body, all[0].public)
		if s == nil {
			return
		}
		need := []string{"(request-target)", "host"}
		if method == "POST" {
			need = append(need, "digest")
		}
		for _, name := range need {
			if !s.covered[name] {
				t.Errorf("passes without %s", name)
			}
		}
		if !s.covered["date"] && !s.covered["(created)"] {
			t.Error("passes without a time")
		}
		assertSigned(t, s, r, body, all)
	})
}

// FuzzRFC9421: the same for HTTP Message Signatures.
func FuzzRFC9421(f *testing.F) {
	k := pair(f, GenerateEd25519)
	all := []signed{signedSeed(f, RFC9421, k, "POST", "{}"), signedSeed(f, RFC9421, k, "GET", "")}
	const params = `;created={created};keyid="https://a.test/u#main-key";alg="ed25519"`
	const post = `sig1=("@method" "@target-uri" "@authority" "@query" "content-type" "content-digest")` + params
	const get = `sig1=("@method" "@target-uri" "@authority" "@query")` + params
	f.Add(post, "sig1=:{post}:", "POST", "/inbox?x=1", "b.test", "sha-256=:{digest}:", "{}")
	f.Add(get, "sig1=:{get}:", "GET", "/inbox?x=1", "b.test", "", "")
	f.Add(post, "sig1=:{post}:", "POST", "/inbox?x=2", "b.test", "sha-256=:{own}:, sha-512=:AAAA:", `{"a":1}`)
	f.Add(`a=("@path" "@method" "host" "content-digest" "@request-target" "@authority");expires=9;created={created};keyid="http://a.test/k"`, "a=:{get}:", "POST", "/inbox", "B.test", "sha-256=:{own}:", "")
	f.Add(`sig1=("@method";req "@target-uri" "date";sf);created=1.5;keyid=:AAAA:;tag="x"`, "sig1=:{post}:, sig2=:AA==:", "PUT", "/inbox?", "b.test:443", "sha-256=:{digest}:", "{}")
	if accepted(arrived("POST", "/inbox?x=1", "b.test", "{}", map[string]string{"Signature-Input": fill(post, all, ""), "Signature": fill("sig1=:{post}:", all, ""),
		"Content-Digest": fill("sha-256=:{digest}:", all, ""), "Content-Type": "application/activity+json"}), "{}", all[0].public) == nil {
		f.Fatal("the honest request is refused")
	}
	f.Fuzz(func(t *testing.T, input, value, method, target, host, digest, body string) {
		r := arrived(method, target, host, body, map[string]string{"Signature-Input": fill(input, all, body), "Signature": fill(value, all, body),
			"Content-Digest": fill(digest, all, body), "Content-Type": "application/activity+json", "Date": now.Format(http.TimeFormat)})
		if r == nil || len(r.Header.Values("Signature-Input")) == 0 {
			return
		}
		s := accepted(r, body, all[0].public)
		if s == nil {
			return
		}
		c := s.covered
		if !c["@method"] || !c["@target-uri"] && !c["@path"] && !c["@request-target"] || method == "POST" && !c["content-digest"] {
			t.Errorf("passes with only %v", c)
		}
		assertSigned(t, s, r, body, all)
	})
}

package httpsig

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const origin = "https://b.test"

type keys struct{ public, private []byte }

func pair(t testing.TB, make func() ([]byte, []byte, error)) keys {
	t.Helper()
	pub, priv, err := make()
	if err != nil {
		t.Fatal(err)
	}
	return keys{pub, priv}
}

// request is what arrives at b.test after a.test signed it.
func request(t testing.TB, method string, k keys, d Dialect, body string) *http.Request {
	t.Helper()
	out, err := http.NewRequest(method, origin+"/inbox?x=1", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	out.Header.Set("Content-Type", "application/activity+json")
	signer, err := ParsePrivate(k.private)
	if err != nil {
		t.Fatal(err)
	}
	if err := Sign(out, []byte(body), Key{"https://a.test/u#main-key", signer}, d, now); err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequest(method, "/inbox?x=1", nil)
	in.Host, in.Header = "b.test", out.Header.Clone()
	return in
}

func verify(t testing.TB, r *http.Request, k keys, body string, at time.Time) error {
	t.Helper()
	s, err := Inspect(r, origin, at)
	if err != nil {
		return err
	}
	if err := s.VerifyBody([]byte(body)); err != nil {
		return err
	}
	pub, err := ParsePublic(k.public)
	if err != nil {
		t.Fatal(err)
	}
	return s.Verify(pub)
}

func TestRoundTrips(t *testing.T) {
	rsa, ed := pair(t, GenerateRSA), pair(t, GenerateEd25519)
	for name, one := range map[string]struct {
		k keys
		d Dialect
	}{"cavage": {rsa, Cavage}, "rfc9421 rsa": {rsa, RFC9421}, "rfc9421 ed25519": {ed, RFC9421}} {
		for _, method := range []string{"GET", "POST"} {
			if err := verify(t, request(t, method, one.k, one.d, "{}"), one.k, "{}", now); err != nil {
				t.Errorf("%s %s: %v", name, method, err)
			}
		}
	}
}

// What is signed is the target as it stands on the wire: escaped, and never empty.
func TestTargetIsSignedAsItIsSent(t *testing.T) {
	k := pair(t, GenerateRSA)
	signer, err := ParsePrivate(k.private)
	if err != nil {
		t.Fatal(err)
	}
	for address, wire := range map[string]string{origin: "/", origin + "?a=b": "/?a=b", origin + "/a%2Fb%20c?x=%C3%BC": "/a%2Fb%20c?x=%C3%BC", origin + "/ü": "/%C3%BC"} {
		for _, d := range []Dialect{Cavage, RFC9421} {
			out, err := http.NewRequest("GET", address, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := Sign(out, nil, Key{"https://a.test/u#main-key", signer}, d, now); err != nil {
				t.Fatal(err)
			}
			in := httptest.NewRequest("GET", wire, nil)
			in.Host, in.Header = "b.test", out.Header
			if err := verify(t, in, k, "", now); err != nil {
				t.Errorf("%s %s: %v", d, address, err)
			}
		}
	}
}

// A2, T2, T3, T4: everything that must not pass.
func TestRefusals(t *testing.T) {
	k, other := pair(t, GenerateRSA), pair(t, GenerateRSA)
	edit := func(header, from, to string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(header, strings.Replace(r.Header.Get(header), from, to, 1)) }
	}
	both := map[string]func(*http.Request){
		"no signature":   func(r *http.Request) { r.Header.Del("Signature") },
		"two signatures": func(r *http.Request) { r.Header.Add("Signature", r.Header.Get("Signature")) },
		"other host":     func(r *http.Request) { r.Host = "c.test" },
		"other method":   func(r *http.Request) { r.Method = "PUT" },
		"other target":   func(r *http.Request) { r.RequestURI = "/users/1/inbox"; r.URL.Path = "/users/1/inbox" },
	}
	cavage := map[string]func(*http.Request){
		"no digest signed": edit("Signature", " digest", ""),
		"no date signed":   edit("Signature", " date", ""),
		"no host signed":   edit("Signature", " host", ""),
		"no target signed": edit("Signature", "(request-target) ", ""),
		"empty headers":    edit("Signature", `headers="(request-target) host date digest content-type"`, `headers=""`),
		"no headers":       edit("Signature", `headers="(request-target) host date digest content-type",`, ``),
		"duplicate keyId": func(r *http.Request) {
			r.Header.Set("Signature", r.Header.Get("Signature")+`,keyId="https://c.test/k"`)
		},
		"duplicate header":  edit("Signature", "host date", "host host date"),
		"unknown algorithm": edit("Signature", "rsa-sha256", "rsa-sha1"),
		"hmac":              edit("Signature", "rsa-sha256", "hmac-sha256"),
		"acct keyId":        edit("Signature", "https://a.test/u#main-key", "acct:a@a.test"),
		"broken base64":     edit("Signature", `signature="`, `signature="!`),
		"unclosed":          func(r *http.Request) { r.Header.Set("Signature", `keyId="https://a.test/u`) },
		"other date":        func(r *http.Request) { r.Header.Set("Date", now.Add(time.Minute).Format(http.TimeFormat)) },
		"two dates":         func(r *http.Request) { r.Header.Add("Date", r.Header.Get("Date")) },
		"missing digest":    func(r *http.Request) { r.Header.Del("Digest") },
		"two digests":       func(r *http.Request) { r.Header.Add("Digest", r.Header.Get("Digest")) },
		"sha-1 digest":      edit("Digest", "SHA-256", "SHA"),
		"other digest": func(r *http.Request) {
			r.Header.Set("Digest", "SHA-256="+base64.StdEncoding.EncodeToString(make([]byte, 32)))
		},
		"other content type": func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
	}
	rfc := map[string]func(*http.Request){
		"no method":         edit("Signature-Input", `"@method" `, ""),
		"no target":         edit("Signature-Input", `"@target-uri" `, ""),
		"no digest signed":  edit("Signature-Input", ` "content-digest"`, ""),
		"no created":        edit("Signature-Input", `;created=`, `;nonce=`),
		"component twice":   edit("Signature-Input", `"@method"`, `"@method" "@method"`),
		"unknown component": edit("Signature-Input", `"@method"`, `"@method" "@status"`),
		"component params":  edit("Signature-Input", `"@method"`, `"@method" "date";sf`),
		"unknown algorithm": edit("Signature-Input", "rsa-v1_5-sha256", "hmac-sha256"),
		"two signatures in one": func(r *http.Request) {
			r.Header.Set("Signature-Input", r.Header.Get("Signature-Input")+`, sig2=("@method");created=1`)
		},
		"label missing":  edit("Signature", "sig1", "sig2"),
		"no keyid":       edit("Signature-Input", "keyid", "kid"),
		"missing digest": func(r *http.Request) { r.Header.Del("Content-Digest") },
		"other digest": func(r *http.Request) {
			r.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(make([]byte, 32))+":")
		},
		"cannot be read": func(r *http.Request) { r.Header.Set("Signature-Input", "sig1=((") },
	}
	for d, cases := range map[Dialect]map[string]func(*http.Request){Cavage: cavage, RFC9421: rfc} {
		for name, change := range both {
			cases[name] = change
		}
		for name, change := range cases {
			r := request(t, "POST", k, d, "{}")
			change(r)
			if err := verify(t, r, k, "{}", now); err == nil {
				t.Errorf("%s: %s passed", d, name)
			}
		}
		r := request(t, "POST", k, d, "{}")
		if verify(t, r, k, `{"a":1}`, now) == nil || verify(t, r, other, "{}", now) == nil ||
			verify(t, r, k, "{}", now.Add(61*time.Minute)) == nil || verify(t, r, k, "{}", now.Add(-61*time.Minute)) == nil ||
			verify(t, r, pair(t, GenerateEd25519), "{}", now) == nil {
			t.Errorf("%s: another body, key or time passed", d)
		}
		if err := verify(t, r, k, "{}", now.Add(59*time.Minute)); err != nil {
			t.Errorf("%s: inside the window: %v", d, err)
		}
	}
}

func TestLegalSpellings(t *testing.T) {
	k := pair(t, GenerateRSA)
	for name, change := range map[string]func(*http.Request){
		"spaces": func(r *http.Request) {
			r.Header.Set("Signature", strings.ReplaceAll(r.Header.Get("Signature"), `",`, `", `))
		},
		"hs2019": func(r *http.Request) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "rsa-sha256", "hs2019", 1))
		},
		"host with port": func(r *http.Request) { r.Host = "B.test:443"; r.Header.Set("Signature", r.Header.Get("Signature")) },
		"algorithm missing": func(r *http.Request) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), `algorithm="rsa-sha256",`, "", 1))
		},
	} {
		r := request(t, "POST", k, Cavage, "{}")
		change(r)
		if _, err := Inspect(r, origin, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "host with port" {
			continue // what was signed is the host without it
		}
		if err := verify(t, r, k, "{}", now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMultikey(t *testing.T) {
	pub, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := DecodeMultikey(EncodeMultikey(pub))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParsePublic(pem)
	if err != nil || !pub.Equal(got) {
		t.Errorf("%v %v", got, err)
	}
}

func BenchmarkSign(b *testing.B) {
	for name, one := range map[string]struct {
		k keys
		d Dialect
	}{"cavage-rsa": {pair(b, GenerateRSA), Cavage}, "rfc9421-ed25519": {pair(b, GenerateEd25519), RFC9421}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				request(b, "POST", one.k, one.d, "{}")
			}
		})
	}
}

// The header that compares followers is signed where it is sent (FEP-8fcf).
func TestSynchronizationIsSigned(t *testing.T) {
	k := pair(t, GenerateRSA)
	signer, err := ParsePrivate(k.private)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Dialect{Cavage, RFC9421} {
		sent := httptest.NewRequest(http.MethodPost, origin+"/inbox", strings.NewReader("{}"))
		sent.Header.Set("Content-Type", "application/activity+json")
		sent.Header.Set(Synchronization, `digest="00"`)
		if err := Sign(sent, []byte("{}"), Key{"https://a.test/u#main-key", signer}, d, now); err != nil {
			t.Fatal(err)
		}
		arrived := httptest.NewRequest(http.MethodPost, "/inbox", nil)
		arrived.Host, arrived.Header = "b.test", sent.Header.Clone()
		if err := verify(t, arrived, k, "{}", now); err != nil {
			t.Errorf("%s: %v", d, err)
		}
		arrived.Header.Set(Synchronization, `digest="11"`)
		if err := verify(t, arrived, k, "{}", now); err == nil {
			t.Errorf("%s: changed, and good", d)
		}
	}
}

package httpsig

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
)

// The public keys of RFC 9421 B.1.2 and B.1.4, the secret of B.1.5.
const (
	keyPSS = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----`
	keyEd25519 = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
	keyShared  = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)

// appendixRequest is test-request of RFC 9421 B.2.
func appendixRequest() *http.Request {
	r := httptest.NewRequest("POST", "/foo?param=Value&Pet=dog", nil)
	r.Host = "example.com"
	for name, value := range map[string]string{"Date": "Tue, 20 Apr 2021 02:07:55 GMT", "Content-Type": "application/json", "Content-Length": "18",
		"Content-Digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"} {
		r.Header.Set(name, value)
	}
	return r
}

// RFC 9421 B.2.1 to B.2.6: the base strings are the published ones wherever our
// profile has the components, which the published signatures over them prove. B.2.2
// and B.2.4 sign what it has not, a query parameter and a response's status.
func TestRFC9421AppendixB(t *testing.T) {
	pss := func(base string, sig []byte) bool {
		k, err := ParsePublic([]byte(keyPSS))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum512([]byte(base))
		return rsa.VerifyPSS(k.(*rsa.PublicKey), crypto.SHA512, sum[:], sig, nil) == nil
	}
	shared := func(base string, sig []byte) bool {
		mac := hmac.New(sha256.New, decode(t, keyShared))
		mac.Write([]byte(base))
		return hmac.Equal(mac.Sum(nil), sig)
	}
	ed := func(base string, sig []byte) bool { return ed25519.Verify(decode(t, keyEd25519), []byte(base), sig) }
	for _, one := range []struct {
		name, params, signature string
		verify                  func(base string, sig []byte) bool // nil: not in our profile
	}{
		{"B.2.1 minimal", `();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"`,
			"d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==", pss},
		{"B.2.2 selective", `("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"`,
			"LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==", nil},
		{"B.2.3 full", `("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"`,
			"bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==", pss},
		{"B.2.4 response", `("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"`,
			"wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==", nil},
		{"B.2.5 HMAC", `("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
			"pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=", shared},
		{"B.2.6 Ed25519", `("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`,
			"wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==", ed},
	} {
		d, err := httpsfv.UnmarshalDictionary([]string{"sig=" + one.params})
		if err != nil {
			t.Fatal(err)
		}
		member, _ := d.Get("sig")
		r := appendixRequest()
		base, err := signatureBase(r, member.(httpsfv.InnerList), one.params, "https://example.com")
		if (err == nil) != (one.verify != nil) {
			t.Errorf("%s: %v", one.name, err)
		}
		if err == nil && !one.verify(base, decode(t, one.signature)) {
			t.Errorf("%s: the base differs:\n%s", one.name, base)
		}
		// None of them signs enough, with a key that could be looked up, for an inbox.
		r.Header.Set("Signature-Input", "sig="+one.params)
		r.Header.Set("Signature", "sig=:"+one.signature+":")
		if _, err := Inspect(r, "https://example.com", time.Unix(1618884473, 0)); err == nil {
			t.Errorf("%s: would do for an inbox", one.name)
		}
	}
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What we send is the profile that all servers known to us take.
func TestSentComponents(t *testing.T) {
	k := pair(t, GenerateRSA)
	for method, want := range map[string]string{
		"GET":  `sig1=("@method" "@target-uri" "@authority" "@query");created=1772366400;keyid="https://a.test/u#main-key";alg="rsa-v1_5-sha256"`,
		"POST": `sig1=("@method" "@target-uri" "@authority" "@query" "content-type" "content-digest");created=1772366400;keyid="https://a.test/u#main-key";alg="rsa-v1_5-sha256"`,
	} {
		if got := request(t, method, k, RFC9421, "{}").Header.Get("Signature-Input"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", method, got, want)
		}
	}
}

func TestTries(t *testing.T) {
	accept := func(v string) http.Header {
		h := http.Header{}
		if v != "" {
			h.Set("Accept-Signature", v)
		}
		return h
	}
	asks := AcceptSignature("POST")
	for name, one := range map[string]struct {
		first   Dialect
		answers []http.Header // to refusals with 401
		want    string
	}{
		"cavage, then the other":            {Cavage, []http.Header{accept(""), accept(""), accept("")}, "cavage rfc9421"},
		"the newer, then the other":         {RFC9421, []http.Header{accept(""), accept("")}, "rfc9421 cavage"},
		"as asked":                          {Cavage, []http.Header{accept(asks), accept(asks), accept(asks)}, "cavage rfc9421"},
		"asked for what was sent":           {RFC9421, []http.Header{accept(asks), accept(asks)}, "rfc9421 cavage"},
		"a nonce, then the other":           {RFC9421, []http.Header{accept(asks + `;nonce="n1"`), accept(asks + `;nonce="n2"`), accept("")}, "rfc9421 rfc9421+n1 cavage"},
		"cavage, then a nonce, and no more": {Cavage, []http.Header{accept(asks + `;nonce="n1"`), accept(asks + `;nonce="n2"`), accept("")}, "cavage rfc9421+n1"},
		"asked for what we have not":        {Cavage, []http.Header{accept(`s=("@method");alg="hmac-sha256"`), accept("")}, "cavage rfc9421"},
		"asked in noise":                    {RFC9421, []http.Header{accept(`((`), accept("")}, "rfc9421 cavage"},
	} {
		tries := NewTries(one.first)
		var got []string
		for _, h := range one.answers {
			step := tries.Dialect().String()
			if tries.wish.Nonce != "" {
				step += "+" + tries.wish.Nonce
			}
			got = append(got, step)
			if !tries.Again(http.StatusUnauthorized, h) {
				break
			}
		}
		if s := strings.Join(got, " "); s != one.want {
			t.Errorf("%s: %s, want %s", name, s, one.want)
		}
	}
	for _, status := range []int{200, 202, 204, 301, 307, 308, 403, 404, 410, 413, 429, 500, 503} {
		if NewTries(Cavage).Again(status, accept(asks)) {
			t.Errorf("%d: sent again", status)
		}
	}
}

// What is asked for and can be given is signed, and verifies.
func TestWishIsGranted(t *testing.T) {
	k := pair(t, GenerateRSA)
	signer, err := ParsePrivate(k.private)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("Accept-Signature", `other=("@method");keyid="x", mine=("@method" "@path" "date" "x-absent");created;expires;nonce="n";tag="activitypub"`)
	tries := NewTries(Cavage)
	if !tries.Again(http.StatusUnauthorized, h) {
		t.Fatal("not sent again")
	}
	out, err := http.NewRequest("POST", origin+"/inbox?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	out.Header.Set("Content-Type", "application/activity+json")
	if err := tries.Sign(out, []byte("{}"), Key{"https://a.test/u#main-key", signer}, now); err != nil {
		t.Fatal(err)
	}
	input := out.Header.Get("Signature-Input")
	for _, part := range []string{`mine=(`, `"@path"`, `"date"`, `"content-digest"`, `;nonce="n"`, `;tag="activitypub"`, `;expires=`} {
		if !strings.Contains(input, part) {
			t.Errorf("%s is not in %s", part, input)
		}
	}
	if strings.Contains(input, "x-absent") {
		t.Error("signed a header that is not there")
	}
	in := httptest.NewRequest("POST", "/inbox?x=1", nil)
	in.Host, in.Header = "b.test", out.Header
	if err := verify(t, in, k, "{}", now); err != nil {
		t.Error(err)
	}
}

func BenchmarkVerify(b *testing.B) {
	rsaPair, edPair := pair(b, GenerateRSA), pair(b, GenerateEd25519)
	for name, one := range map[string]struct {
		k keys
		d Dialect
	}{"cavage-rsa": {rsaPair, Cavage}, "rfc9421-rsa": {rsaPair, RFC9421}, "rfc9421-ed25519": {edPair, RFC9421}} {
		r := request(b, "POST", one.k, one.d, "{}")
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := verify(b, r, one.k, "{}", now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

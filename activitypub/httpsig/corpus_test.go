package httpsig

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// message is a signed request as some other server would write it: the corpus signs
// by itself, so that a fault of ours on both sides cannot hide.
type message struct {
	method, target, host, body string
	header                     http.Header
	covered                    []string
	params                     []param
	sign                       func(base string) []byte
	label                      string
	after                      func(r *http.Request) // tampers with the finished request
	unsent                     bool                  // no signature at all
}

type param struct{ name, value string } // the value as it is written

func (m *message) set(name, value string) {
	for i := range m.params {
		if m.params[i].name == name {
			m.params[i].value = value
			return
		}
	}
	m.params = append(m.params, param{name, value})
}

func (m *message) drop(name string) {
	var kept []param
	for _, p := range m.params {
		if p.name != name {
			kept = append(kept, p)
		}
	}
	m.params = kept
}

func (m *message) param(name string) string {
	for _, p := range m.params {
		if p.name == name {
			return strings.Trim(p.value, `"`)
		}
	}
	return ""
}

func (m *message) uncover(name string) {
	var kept []string
	for _, c := range m.covered {
		if c != name {
			kept = append(kept, c)
		}
	}
	m.covered = kept
}

func (m *message) value(name string) string {
	switch strings.ToLower(name) {
	case "(request-target)":
		return strings.ToLower(m.method) + " " + m.target
	case "(created)":
		return m.param("created")
	case "(expires)":
		return m.param("expires")
	case "host":
		return m.host
	case "@method":
		return m.method
	case "@target-uri":
		return "https://" + m.host + m.target
	case "@authority":
		return m.host
	case "@scheme":
		return "https"
	case "@request-target":
		return m.target
	case "@path":
		path, _, _ := strings.Cut(m.target, "?")
		return path
	case "@query":
		_, query, _ := strings.Cut(m.target, "?")
		return "?" + query
	}
	return strings.Join(m.header.Values(name), ", ")
}

func (m *message) request() *http.Request {
	r := httptest.NewRequest(m.method, m.target, nil)
	r.Host, r.Header = m.host, m.header.Clone()
	return r
}

func (m *message) cavage() *http.Request {
	r := m.request()
	if m.unsent {
		return r
	}
	var lines, written []string
	for _, name := range m.covered {
		lines = append(lines, strings.ToLower(name)+": "+m.value(name))
	}
	sig := base64.StdEncoding.EncodeToString(m.sign(strings.Join(lines, "\n")))
	for _, p := range m.params {
		p.value = strings.ReplaceAll(p.value, "{sig}", sig)
		p.value = strings.ReplaceAll(p.value, "{headers}", strings.Join(m.covered, " "))
		written = append(written, p.name+"="+p.value)
	}
	r.Header.Set("Signature", strings.Join(written, ","))
	if m.after != nil {
		m.after(r)
	}
	return r
}

func (m *message) rfc9421() *http.Request {
	r := m.request()
	if m.unsent {
		return r
	}
	var base, list []string
	for _, c := range m.covered {
		name, _, _ := strings.Cut(c, ";")
		id := strconv.Quote(name) + c[len(name):]
		list = append(list, id)
		base = append(base, id+": "+m.value(name))
	}
	input := "(" + strings.Join(list, " ") + ")"
	for _, p := range m.params {
		input += ";" + p.name + "=" + p.value
	}
	base = append(base, `"@signature-params": `+input)
	r.Header.Set("Signature-Input", m.label+"="+input)
	r.Header.Set("Signature", m.label+"=:"+base64.StdEncoding.EncodeToString(m.sign(strings.Join(base, "\n")))+":")
	if m.after != nil {
		m.after(r)
	}
	return r
}

// pairs are the keys of the corpus.
type pairs struct {
	rsa, otherRSA, small *rsa.PrivateKey
	ed, otherEd          ed25519.PrivateKey
}

func makePairs(t *testing.T) (p pairs) {
	t.Helper()
	var err error
	fail := func(e error) {
		if e != nil {
			t.Fatal(e)
		}
	}
	p.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	fail(err)
	p.otherRSA, err = rsa.GenerateKey(rand.Reader, 2048)
	fail(err)
	p.small, err = rsa.GenerateKey(rand.Reader, 1024)
	fail(err)
	_, p.ed, err = ed25519.GenerateKey(rand.Reader)
	fail(err)
	_, p.otherEd, err = ed25519.GenerateKey(rand.Reader)
	fail(err)
	return p
}

func signWith(key crypto.Signer) func(string) []byte {
	return func(base string) []byte {
		if k, ok := key.(ed25519.PrivateKey); ok {
			return ed25519.Sign(k, []byte(base))
		}
		sum := sha256.Sum256([]byte(base))
		sig, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
		if err != nil {
			panic(err)
		}
		return sig
	}
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// one is a case: what is changed before or after signing, and whether it passes.
type one struct {
	name   string
	change func(m *message)
	passes bool
	only   string // "GET", "POST", "rsa" or "ed25519": where it applies; "" everywhere
}

func after(change func(r *http.Request)) func(*message) {
	return func(m *message) { m.after = change }
}

func header(name, value string) func(*message) {
	return after(func(r *http.Request) { r.Header.Set(name, value) })
}

func moved(d time.Duration) func(*message) {
	return func(m *message) { m.header.Set("Date", now.Add(d).Format(http.TimeFormat)) }
}

func stamped(name string, d time.Duration) func(*message) {
	return func(m *message) { m.set(name, strconv.FormatInt(now.Add(d).Unix(), 10)) }
}

// asNew makes a cavage message tell its time by (created) instead of Date.
func asNew(m *message) {
	m.uncover("date")
	m.covered = append(m.covered, "(created)")
	m.set("algorithm", `"hs2019"`)
	m.set("created", strconv.FormatInt(now.Unix(), 10))
}

func both(a, b func(*message)) func(*message) { return func(m *message) { a(m); b(m) } }

// common cases hold for both dialects.
func common() []one {
	return []one{
		{"as it should be", func(*message) {}, true, ""},
		{"no signature", func(m *message) { m.unsent = true }, false, ""},
		{"Signature header gone", after(func(r *http.Request) { r.Header.Del("Signature") }), false, ""},
		{"Signature header twice", after(func(r *http.Request) { r.Header.Add("Signature", r.Header.Get("Signature")) }), false, ""},
		{"Signature header empty", header("Signature", ""), false, ""},
		{"Signature header is noise", header("Signature", "\x00\xff=,;\""), false, ""},
		{"another host", after(func(r *http.Request) { r.Host = "c.test" }), false, ""},
		{"no host", after(func(r *http.Request) { r.Host = "" }), false, ""},
		{"another method", after(func(r *http.Request) { r.Method = "DELETE" }), false, ""},
		{"another path", after(func(r *http.Request) { r.RequestURI = "/users/2/inbox?x=1" }), false, ""},
		{"another query", after(func(r *http.Request) { r.RequestURI = "/users/1/inbox?x=2"; r.URL.RawQuery = "x=2" }), false, ""},
		{"signed with another key of its kind", func(m *message) { m.sign = nil }, false, ""},
		{"body changed", func(m *message) { m.body += " " }, false, "POST"},
		{"body emptied", func(m *message) { m.body = "" }, false, "POST"},
	}
}

// keyIDs are what a keyId may not be, in either dialect.
func keyIDs(name string) []one {
	cases := []one{{name + " missing", func(m *message) { m.drop(name) }, false, ""}}
	for _, bad := range []string{"", "acct:alice@a.test", "main-key", "/users/1#main-key", "ftp://a.test/u#main-key", "urn:key:1",
		"javascript:alert(1)", "https://alice:secret@a.test/u#main-key", "https:///u#main-key", "https://a.test/" + strings.Repeat("u", 2048), "//a.test/u"} {
		cases = append(cases, one{fmt.Sprintf("%s is %.40q", name, bad), func(m *message) { m.set(name, strconv.Quote(bad)) }, false, ""})
	}
	return append(cases, one{name + " twice", func(m *message) { m.params = append(m.params, param{name, `"https://c.test/k"`}) }, false, ""},
		one{name + " is a number", func(m *message) { m.set(name, "1") }, false, ""})
}

func times(what string, at func(time.Duration) func(*message)) []one {
	var cases []one
	for _, d := range []time.Duration{-59 * time.Minute, -time.Minute, time.Minute, 59 * time.Minute} {
		cases = append(cases, one{fmt.Sprintf("%s %v off", what, d), at(d), true, ""})
	}
	for _, d := range []time.Duration{-10 * 365 * 24 * time.Hour, -24 * time.Hour, -61 * time.Minute, 61 * time.Minute, 24 * time.Hour} {
		cases = append(cases, one{fmt.Sprintf("%s %v off", what, d), at(d), false, ""})
	}
	return cases
}

func cavageCases(p pairs) []one {
	cases := append(common(), keyIDs("keyId")...)
	for _, part := range []string{"(request-target)", "host", "date"} {
		cases = append(cases, one{part + " not signed", func(m *message) { m.uncover(part) }, false, ""},
			one{part + " signed twice", func(m *message) { m.covered = append(m.covered, part) }, false, ""})
	}
	cases = append(cases, times("date", moved)...)
	cases = append(cases, times("(created)", func(d time.Duration) func(*message) { return both(asNew, stamped("created", d)) })...)
	for _, alg := range []string{"rsa-sha1", "rsa-sha512", "hmac-sha256", "ecdsa-sha256", "dsa-sha1", "none", "RSA-SHA256", "rsa-sha256 "} {
		cases = append(cases, one{"algorithm " + alg, func(m *message) { m.set("algorithm", strconv.Quote(alg)) }, false, ""})
	}
	secret := func(m *message) {
		m.sign = func(base string) []byte {
			mac := hmac.New(sha256.New, p.rsa.N.Bytes())
			mac.Write([]byte(base))
			return mac.Sum(nil)
		}
	}
	return append(cases,
		one{"algorithm hs2019", func(m *message) { m.set("algorithm", `"hs2019"`) }, true, ""},
		one{"algorithm not told", func(m *message) { m.drop("algorithm") }, true, ""},
		one{"algorithm rsa-sha256", func(m *message) { m.set("algorithm", `"rsa-sha256"`) }, true, "rsa"},
		one{"algorithm rsa-sha256 with another kind of key", func(m *message) { m.set("algorithm", `"rsa-sha256"`) }, false, "ed25519"},
		one{"algorithm twice", func(m *message) { m.params = append(m.params, param{"algorithm", `"hs2019"`}) }, false, ""},
		one{"a secret made of the public key (T2)", secret, false, "rsa"},
		one{"SHA-1 inside", func(m *message) {
			m.sign = func(base string) []byte {
				sum := sha1.Sum([]byte(base))
				sig, _ := rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA1, sum[:])
				return sig
			}
		}, false, "rsa"},
		one{"digest not signed", func(m *message) { m.uncover("digest") }, false, "POST"},
		one{"digest signed twice", func(m *message) { m.covered = append(m.covered, "digest") }, false, "POST"},
		one{"digest gone", after(func(r *http.Request) { r.Header.Del("Digest") }), false, "POST"},
		one{"digest of another body", header("Digest", "SHA-256="+digestOf("x")), false, "POST"},
		one{"digest twice", after(func(r *http.Request) { r.Header.Add("Digest", r.Header.Get("Digest")) }), false, "POST"},
		one{"digest in SHA-1 only", func(m *message) {
			sum := sha1.Sum([]byte(m.body))
			m.header.Set("Digest", "SHA="+base64.StdEncoding.EncodeToString(sum[:]))
		}, false, "POST"},
		one{"digest empty", func(m *message) { m.header.Set("Digest", "") }, false, "POST"},
		one{"digest without value", func(m *message) { m.header.Set("Digest", "SHA-256") }, false, "POST"},
		one{"two SHA-256 in one digest", func(m *message) { m.header.Set("Digest", "SHA-256="+digestOf("x")+",SHA-256="+digestOf(m.body)) }, false, "POST"},
		one{"the same SHA-256 twice", func(m *message) { m.header.Set("Digest", "SHA-256="+digestOf(m.body)+",SHA-256="+digestOf(m.body)) }, false, "POST"},
		one{"two dates, both signed", func(m *message) { m.header.Add("Date", now.Add(-48*time.Hour).Format(http.TimeFormat)) }, false, ""},
		one{"a further digest", func(m *message) { m.header.Set("Digest", "sha-256="+digestOf(m.body)+", SHA-512=AAAA") }, true, "POST"},
		one{"content-type changed", header("Content-Type", "text/plain"), false, "POST"},
		one{"date gone", after(func(r *http.Request) { r.Header.Del("Date") }), false, ""},
		one{"date changed", header("Date", now.Add(time.Second).Format(http.TimeFormat)), false, ""},
		one{"date twice", after(func(r *http.Request) { r.Header.Add("Date", r.Header.Get("Date")) }), false, ""},
		one{"date is no date", func(m *message) { m.header.Set("Date", "yesterday") }, false, ""},
		one{"(created) is no number", both(asNew, func(m *message) { m.set("created", "soon") }), false, ""},
		one{"(created) signed and not given", both(asNew, func(m *message) { m.drop("created") }), false, ""},
		one{"(created) given twice", both(asNew, func(m *message) { m.params = append(m.params, param{"created", "1"}) }), false, ""},
		one{"(created) with rsa-sha256", both(asNew, func(m *message) { m.set("algorithm", `"rsa-sha256"`) }), false, ""},
		one{"(expires) to come", both(asNew, func(m *message) { m.covered = append(m.covered, "(expires)"); stamped("expires", time.Minute)(m) }), true, ""},
		one{"(expires) long past", both(asNew, func(m *message) { m.covered = append(m.covered, "(expires)"); stamped("expires", -2*time.Hour)(m) }), false, ""},
		one{"(expires) signed and not given", both(asNew, func(m *message) { m.covered = append(m.covered, "(expires)") }), false, ""},
		one{"expires is no number", func(m *message) { m.set("expires", "NaN") }, false, ""},
		one{"expires past, unsigned", stamped("expires", -2*time.Hour), false, ""},
		one{"headers missing", func(m *message) { m.drop("headers") }, false, ""},
		one{"headers empty", func(m *message) { m.set("headers", `""`) }, false, ""},
		one{"headers twice", func(m *message) { m.params = append(m.params, param{"headers", `"date"`}) }, false, ""},
		one{"headers in capitals", func(m *message) { m.set("headers", strconv.Quote(strings.ToUpper(strings.Join(m.covered, " ")))) }, true, ""},
		one{"headers in another order", func(m *message) { m.set("headers", strconv.Quote("date host (request-target) digest content-type")) }, false, ""},
		one{"a signed header that is not there", func(m *message) { m.set("headers", `"{headers} x-more"`) }, false, ""},
		one{"a further signed header", func(m *message) {
			m.header.Set("X-More", " 1 ")
			m.covered = append(m.covered, "x-more")
			m.header.Set("X-More", "1")
		}, true, ""},
		one{"signature missing", func(m *message) { m.drop("signature") }, false, ""},
		one{"signature empty", func(m *message) { m.set("signature", `""`) }, false, ""},
		one{"signature twice", func(m *message) { m.params = append(m.params, param{"signature", `"{sig}"`}) }, false, ""},
		one{"signature cut", func(m *message) { m.set("signature", `"AAAA"`) }, false, ""},
		one{"signature is not base64", func(m *message) { m.set("signature", `"{sig}!"`) }, false, ""},
		one{"a quote not closed", after(func(r *http.Request) { r.Header.Set("Signature", strings.TrimSuffix(r.Header.Get("Signature"), `"`)) }), false, ""},
		one{"spaces between parameters", after(func(r *http.Request) {
			r.Header.Set("Signature", strings.ReplaceAll(r.Header.Get("Signature"), `,`, ` , `))
		}), true, ""},
		one{"a comma in the keyId", func(m *message) { m.set("keyId", `"https://a.test/u,1#main-key"`) }, true, ""},
		one{"an unknown parameter", func(m *message) { m.params = append(m.params, param{"opaque", `"x"`}) }, true, ""},
		one{"a hundred parameters", func(m *message) {
			for i := range 100 {
				m.params = append(m.params, param{fmt.Sprintf("p%d", i), `"x"`})
			}
		}, false, ""},
		one{"in Authorization only", after(func(r *http.Request) {
			r.Header.Set("Authorization", "Signature "+r.Header.Get("Signature"))
			r.Header.Del("Signature")
		}), false, ""},
		one{"another one in Authorization", header("Authorization", `Signature keyId="https://c.test/k",signature="AAAA"`), true, ""},
		one{"the target without its query", func(m *message) {
			full := m.target
			m.after = func(r *http.Request) { r.RequestURI = full; r.URL.RawQuery = "x=1" }
			m.target, _, _ = strings.Cut(full, "?")
		}, true, ""},
		one{"an escaped path", func(m *message) { m.target = "/users/a%2Fb%20c/inbox?x=%C3%BC" }, true, ""},
	)
}

func rfc9421Cases(p pairs) []one {
	cases := append(common(), keyIDs("keyid")...)
	for _, part := range []string{"@method", "@target-uri"} {
		cases = append(cases, one{part + " not signed", func(m *message) { m.uncover(part) }, false, ""})
	}
	for _, part := range []string{"@method", "@target-uri", "@authority"} {
		cases = append(cases, one{part + " signed twice", func(m *message) { m.covered = append(m.covered, part) }, false, ""})
	}
	for _, part := range []string{"@status", "@unknown", "Date", "x-absent", `date;sf`, `date;bs`, `@method;req`, `date;tr`, `@query-param;name="x"`, `date;key="a"`} {
		cases = append(cases, one{"component " + part, func(m *message) { m.covered = append(m.covered, part) }, false, ""})
	}
	cases = append(cases, times("created", func(d time.Duration) func(*message) { return stamped("created", d) })...)
	for _, alg := range []string{"rsa-pss-sha512", "hmac-sha256", "ecdsa-p256-sha256", "ecdsa-p384-sha384", "none", "rsa-sha256", "RSA-V1_5-SHA256"} {
		cases = append(cases, one{"alg " + alg, func(m *message) { m.set("alg", strconv.Quote(alg)) }, false, ""})
	}
	target := func(parts ...string) func(*message) {
		return func(m *message) {
			m.uncover("@target-uri")
			m.uncover("@authority")
			m.covered = append(m.covered, parts...)
		}
	}
	return append(cases,
		one{"alg not told", func(m *message) { m.drop("alg") }, true, ""},
		one{"alg of another kind of key", func(m *message) { m.set("alg", `"ed25519"`) }, false, "rsa"},
		one{"alg of another kind of key", func(m *message) { m.set("alg", `"rsa-v1_5-sha256"`) }, false, "ed25519"},
		one{"SHA-512 inside", func(m *message) {
			m.sign = func(base string) []byte {
				sum := sha512.Sum512([]byte(base))
				sig, _ := rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA512, sum[:])
				return sig
			}
		}, false, "rsa"},
		one{"@authority not signed", func(m *message) { m.uncover("@authority") }, true, ""},
		one{"target by authority, path and query", target("@authority", "@path", "@query"), true, ""},
		one{"target by authority and request target", target("@authority", "@request-target"), true, ""},
		one{"target without authority", target("@path", "@query"), false, ""},
		one{"target without query", target("@authority", "@path"), false, ""},
		one{"target without path", target("@authority", "@query"), false, ""},
		one{"scheme and date as well", func(m *message) { m.covered = append(m.covered, "@scheme", "date", "host") }, true, ""},
		one{"a signed date changed", func(m *message) {
			m.covered = append(m.covered, "date")
			m.after = func(r *http.Request) { r.Header.Set("Date", now.Add(time.Minute).Format(http.TimeFormat)) }
		}, false, ""},
		one{"nothing signed", func(m *message) { m.covered = nil }, false, ""},
		one{"created missing", func(m *message) { m.drop("created") }, false, ""},
		one{"created is text", func(m *message) { m.set("created", strconv.Quote(m.param("created"))) }, false, ""},
		one{"created is a fraction", func(m *message) { m.set("created", m.param("created")+".5") }, false, ""},
		one{"expires to come", stamped("expires", time.Minute), true, ""},
		one{"expires long past", stamped("expires", -2*time.Hour), false, ""},
		one{"expires is text", func(m *message) { m.set("expires", `"never"`) }, false, ""},
		one{"nonce and tag", func(m *message) { m.set("nonce", `"n"`); m.set("tag", `"activitypub"`) }, true, ""},
		one{"created changed", after(func(r *http.Request) {
			r.Header.Set("Signature-Input", strings.Replace(r.Header.Get("Signature-Input"), ";created=1", ";created=2", 1))
		}), false, ""},
		one{"another label", func(m *message) { m.label = "pyhäsig" }, false, ""},
		one{"a label of its own", func(m *message) { m.label = "my-sig_1" }, true, ""},
		one{"two labels", after(func(r *http.Request) {
			r.Header.Set("Signature-Input", r.Header.Get("Signature-Input")+`, sig2=("@method");created=1`)
		}), false, ""},
		one{"two labels, two signatures", after(func(r *http.Request) {
			r.Header.Add("Signature-Input", `sig2=("@method");created=1`)
			r.Header.Set("Signature", r.Header.Get("Signature")+", sig2=:AAAA:")
		}), false, ""},
		one{"labels that differ", after(func(r *http.Request) { r.Header.Set("Signature", "x"+r.Header.Get("Signature")) }), false, ""},
		one{"Signature-Input gone", after(func(r *http.Request) { r.Header.Del("Signature-Input") }), false, ""},
		one{"Signature-Input empty", header("Signature-Input", ""), false, ""},
		one{"Signature-Input cut", header("Signature-Input", "sig1=("), false, ""},
		one{"Signature-Input is text", header("Signature-Input", `sig1="@method"`), false, ""},
		one{"a component is a number", header("Signature-Input", `sig1=(1 2);created=1`), false, ""},
		one{"the signature is text", header("Signature", `sig1="AAAA"`), false, ""},
		one{"the signature is empty", header("Signature", "sig1=::"), false, ""},
		one{"the signature is cut", header("Signature", "sig1=:AAAA:"), false, ""},
		one{"content-digest not signed", func(m *message) { m.uncover("content-digest") }, false, "POST"},
		one{"content-digest signed twice", func(m *message) { m.covered = append(m.covered, "content-digest") }, false, "POST"},
		one{"content-digest gone", after(func(r *http.Request) { r.Header.Del("Content-Digest") }), false, "POST"},
		one{"content-digest of another body", header("Content-Digest", "sha-256=:"+digestOf("x")+":"), false, "POST"},
		one{"content-digest in SHA-512 only", func(m *message) {
			sum := sha512.Sum512([]byte(m.body))
			m.header.Set("Content-Digest", "sha-512=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
		}, false, "POST"},
		one{"content-digest as text", func(m *message) { m.header.Set("Content-Digest", `sha-256="`+digestOf(m.body)+`"`) }, false, "POST"},
		one{"content-digest cannot be read", func(m *message) { m.header.Set("Content-Digest", "sha-256=:") }, false, "POST"},
		one{"the older digest instead", func(m *message) {
			m.header.Set("Digest", "SHA-256="+digestOf(m.body))
			m.header.Del("Content-Digest")
		}, false, "POST"},
		one{"a further content-digest", func(m *message) {
			m.header.Set("Content-Digest", "sha-512=:AAAA:, sha-256=:"+digestOf(m.body)+":")
		}, true, "POST"},
		one{"content-type not signed", func(m *message) { m.uncover("content-type") }, true, "POST"},
		one{"content-type changed", header("Content-Type", "text/plain"), false, "POST"},
		one{"an escaped path", func(m *message) { m.target = "/users/a%2Fb%20c/inbox?x=%C3%BC" }, true, ""},
	)
}

// TestCorpus is A2, T2, T3 and T4 as a table: every needed part missing, doubled,
// wrong or stale, for both dialects, both methods and both kinds of key.
func TestCorpus(t *testing.T) {
	p := makePairs(t)
	cases := map[Dialect][]one{Cavage: cavageCases(p), RFC9421: rfc9421Cases(p)}
	total, passing := 0, 0
	for d, list := range cases {
		for _, method := range []string{"GET", "POST"} {
			for kind, key := range map[string]crypto.Signer{"rsa": p.rsa, "ed25519": p.ed} {
				for _, c := range list {
					if c.only != "" && c.only != method && c.only != kind {
						continue
					}
					total++
					if c.passes {
						passing++
					}
					m := base(d, method, key)
					c.change(m)
					if m.sign == nil {
						m.sign = signWith(map[string]crypto.Signer{"rsa": p.otherRSA, "ed25519": p.otherEd}[kind])
					}
					r := map[Dialect]func() *http.Request{Cavage: m.cavage, RFC9421: m.rfc9421}[d]()
					if err := inspectAndVerify(r, m.body, key.Public()); (err == nil) != c.passes {
						t.Errorf("%s %s %s, %s: %v, should pass: %v", d, method, kind, c.name, err, c.passes)
					}
				}
			}
		}
	}
	t.Logf("%d cases, %d of them pass", total, passing)
	if total < 500 || passing < 60 {
		t.Errorf("only %d cases, %d of them to pass", total, passing)
	}
}

func base(d Dialect, method string, key crypto.Signer) *message {
	m := &message{method: method, target: "/users/1/inbox?x=1", host: "b.test", label: "sig1", sign: signWith(key), header: http.Header{}}
	m.header.Set("Date", now.Format(http.TimeFormat))
	if method == "POST" {
		m.body = `{"type":"Create"}`
		m.header.Set("Content-Type", "application/activity+json")
	}
	_, ed := key.(ed25519.PrivateKey)
	if d == Cavage {
		m.covered = []string{"(request-target)", "host", "date"}
		if method == "POST" {
			m.covered = append(m.covered, "digest", "content-type")
			m.header.Set("Digest", "SHA-256="+digestOf(m.body))
		}
		m.params = []param{{"keyId", `"https://a.test/u#main-key"`}, {"algorithm", `"rsa-sha256"`}, {"headers", `"{headers}"`}, {"signature", `"{sig}"`}}
		if ed {
			m.set("algorithm", `"hs2019"`)
		}
		return m
	}
	m.covered = []string{"@method", "@target-uri", "@authority"}
	if method == "POST" {
		m.covered = append(m.covered, "content-type", "content-digest")
		m.header.Set("Content-Digest", "sha-256=:"+digestOf(m.body)+":")
	}
	m.params = []param{{"created", strconv.FormatInt(now.Unix(), 10)}, {"keyid", `"https://a.test/u#main-key"`}, {"alg", `"rsa-v1_5-sha256"`}}
	if ed {
		m.set("alg", `"ed25519"`)
	}
	return m
}

func inspectAndVerify(r *http.Request, body string, public crypto.PublicKey) error {
	s, err := Inspect(r, origin, now)
	if err != nil {
		return err
	}
	if err := s.VerifyBody([]byte(body)); err != nil {
		return err
	}
	return s.Verify(public)
}

// T2: the kind and size of a key are pinned, whatever the sender says.
func TestKeysAreOfTheRightKind(t *testing.T) {
	p := makePairs(t)
	for _, d := range []Dialect{Cavage, RFC9421} {
		for name, one := range map[string]struct {
			signs crypto.Signer
			with  crypto.PublicKey
		}{
			"a small RSA key":           {p.small, p.small.Public()},
			"an Ed25519 key for an RSA": {p.rsa, p.ed.Public()},
			"an RSA key for an Ed25519": {p.ed, p.rsa.Public()},
			"bytes as a secret":         {p.rsa, p.rsa.N.Bytes()},
			"none":                      {p.rsa, nil},
		} {
			m := base(d, "POST", one.signs)
			r := map[Dialect]func() *http.Request{Cavage: m.cavage, RFC9421: m.rfc9421}[d]()
			if inspectAndVerify(r, m.body, one.with) == nil {
				t.Errorf("%s: %s passed", d, name)
			}
		}
	}
	for name, bad := range map[string]string{"not PEM": "x", "a certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"empty": "", "too long": strings.Repeat("x", 20<<10)} {
		if k, err := ParsePublic([]byte(bad)); err == nil {
			t.Errorf("%s: %v", name, k)
		}
	}
	for _, bad := range []string{"", "z", "zz6Mk", "u7QEx", "z" + strings.Repeat("1", 300), EncodeMultikey(p.ed.Public().(ed25519.PublicKey))[1:], EncodeMultikey(bytes.Repeat([]byte{1}, 31))} {
		if k, err := DecodeMultikey(bad); err == nil {
			t.Errorf("%.20q: %s", bad, k)
		}
	}
}

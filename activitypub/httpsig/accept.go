package httpsig

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// AcceptSignature is what a 401 answer asks for (RFC 9421 5.1): a signature in the
// newer dialect over what we need to see.
func AcceptSignature(method string) string {
	components := `"@method" "@target-uri" "@authority"`
	if method == http.MethodPost {
		components += ` "content-digest"`
	}
	return "sig1=(" + components + ");created;keyid"
}

// Wish is what a server asks for in Accept-Signature. The zero Wish asks for
// nothing in particular.
type Wish struct {
	Label      string
	Components []string
	Nonce, Tag string
	Expires    bool
}

// maxWish bounds the components and the texts of a wish.
const maxWish = 256

// ReadWish reads an answer's Accept-Signature header; false when there is none or
// it asks for what we cannot give: another algorithm or key, a part of a component.
func ReadWish(h http.Header) (Wish, bool) {
	d, err := httpsfv.UnmarshalDictionary(h.Values("Accept-Signature"))
	if err != nil {
		return Wish{}, false
	}
	for _, label := range d.Names() {
		member, _ := d.Get(label)
		if list, ok := member.(httpsfv.InnerList); ok {
			if w, ok := readWish(label, list); ok {
				return w, true
			}
		}
	}
	return Wish{}, false
}

func readWish(label string, list httpsfv.InnerList) (Wish, bool) {
	w := Wish{Label: label}
	for _, item := range list.Items {
		name, ok := item.Value.(string)
		if !ok || len(item.Params.Names()) > 0 || len(w.Components) >= maxWish || name != strings.ToLower(name) {
			return w, false
		}
		w.Components = append(w.Components, name)
	}
	for _, name := range list.Params.Names() {
		v, _ := list.Params.Get(name)
		text, isText := v.(string)
		switch {
		case len(text) > maxWish:
			return w, false
		case name == "nonce" && isText:
			w.Nonce = text
		case name == "tag" && isText:
			w.Tag = text
		case name == "expires":
			w.Expires = true
		case name == "keyid" && isText, name == "alg" && text != "" && text != "rsa-v1_5-sha256":
			return w, false // of one key or algorithm only
		}
	}
	return w, true
}

// expiry is how long a signature is good that was asked to run out.
const expiry = 5 * time.Minute

// adds says that the wish goes beyond what is signed anyway.
func (w Wish) adds() bool {
	for _, c := range w.Components {
		if !slices.Contains([]string{"@method", "@target-uri", "@authority", "@query", "content-type", "content-digest"}, c) {
			return true
		}
	}
	return w.Nonce != "" || w.Tag != "" || w.Expires
}

// cover joins the components of a request with those asked for, as far as the
// request has them.
func (w Wish) cover(req *http.Request, origin string) []string {
	all := components(req)
	for _, c := range w.Components {
		if _, err := componentValue(req, c, origin); err == nil && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// label of the signature we send.
func (w Wish) label() string {
	if w.Label == "" {
		return "sig1"
	}
	return w.Label
}

// add writes the parameters asked for.
func (w Wish) add(p *httpsfv.Params, now time.Time) {
	if w.Expires {
		p.Add("expires", now.Add(expiry).Unix())
	}
	if w.Nonce != "" {
		p.Add("nonce", w.Nonce)
	}
	if w.Tag != "" {
		p.Add("tag", w.Tag)
	}
}

// Tries decides in which dialects one request is sent: first in the one that the
// server took before, after a refusal as it asks or in the other one, never twice
// alike and at most three times in all.
type Tries struct {
	dialect Dialect
	wish    Wish
	made    int
	sent    [2]bool // by dialect
}

// maxTries of one request.
const maxTries = 3

// NewTries begins with a dialect.
func NewTries(d Dialect) *Tries { return &Tries{dialect: d} }

// Dialect of the latest try.
func (t *Tries) Dialect() Dialect { return t.dialect }

// Sign signs the try that is due.
func (t *Tries) Sign(req *http.Request, body []byte, key Key, now time.Time) error {
	return sign(req, body, key, t.dialect, t.wish, now)
}

// Again says whether to send once more after an answer. Only a refusal of the
// signature is a reason (401, and 400 of those who know one dialect half):
// whatever else was answered may have had its effect.
func (t *Tries) Again(status int, h http.Header) bool {
	t.made++
	t.sent[t.dialect] = true
	if status != http.StatusUnauthorized && status != http.StatusBadRequest || t.made >= maxTries {
		return false
	}
	wish, asked := ReadWish(h)
	if asked && (!t.sent[RFC9421] || wish.adds() && !t.wish.adds()) {
		t.dialect, t.wish = RFC9421, wish
		return true
	}
	other := RFC9421 - t.dialect
	if t.sent[other] {
		return false
	}
	t.dialect, t.wish = other, Wish{}
	return true
}

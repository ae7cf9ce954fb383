package activitypub

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// A document carries the terms it uses and the prefixes of these, and no others.
func TestContextDefinesWhatIsUsed(t *testing.T) {
	const as, sec, proofs, multikey = "https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1",
		"https://w3id.org/security/data-integrity/v1", "https://w3id.org/security/multikey/v1"
	for name, one := range map[string]struct {
		in   string
		want string
	}{
		"plain":    {`{"type":"Like","@context":"https://x.test/theirs"}`, as + " " + proofs},
		"tag":      {`{"type":"Note","tag":[{"type":"Hashtag"}]}`, as + " " + proofs + " Hashtag"},
		"inside":   {`{"type":"Create","object":{"sensitive":false,"attachment":[{"focalPoint":[0,1]}]}}`, as + " " + proofs + " focalPoint sensitive toot"},
		"a person": {`{"type":"Person","publicKey":{},"assertionMethod":[{"type":"Multikey"}],"attachment":[{"type":"PropertyValue","value":"x"}]}`, as + " " + sec + " " + proofs + " " + multikey + " PropertyValue assertionMethod schema value"},
		"a quotation": {`{"interactionPolicy":{"canQuote":{"automaticApproval":[]}},"_misskey_quote":"x"}`,
			as + " " + proofs + " _misskey_quote automaticApproval canQuote gts interactionPolicy misskey"},
	} {
		o, err := Parse([]byte(one.in))
		if err != nil {
			t.Fatal(name, err)
		}
		b, err := Marshal(o)
		if err != nil {
			t.Fatal(name, err)
		}
		var doc struct {
			Context []any `json:"@context"`
		}
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatalf("%s: %v %s", name, err, b)
		}
		if got := names(doc.Context); got != one.want {
			t.Errorf("%s: defined %s, want %s", name, got, one.want)
		}
	}
}

// names lists the contexts and the terms in order.
func names(context []any) string {
	var urls, inline []string
	for _, c := range context {
		switch c := c.(type) {
		case string:
			urls = append(urls, c)
		case map[string]any:
			for term := range c {
				inline = append(inline, term)
			}
		}
	}
	slices.Sort(inline)
	return strings.Join(append(urls, inline...), " ")
}

// Each prefix that a term is written with is one that is known.
func TestTermsHaveKnownPrefixes(t *testing.T) {
	for _, one := range terms() {
		prefix, _, _ := strings.Cut(one.is, ":")
		known := slices.ContainsFunc(prefixes(), func(p term) bool { return p.name == prefix })
		if !known && prefix != "as" && prefix != "https" && prefix != "http" {
			t.Errorf("%s is %s", one.name, one.is)
		}
	}
}

package activitypub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of what is parsed (T9, T11, T17).
const (
	MaxBytes  = 1 << 20
	MaxDepth  = 64
	MaxTokens = 20_000
	// MaxList is how many entries of a list are kept.
	MaxList = 1000
	// MaxText is the longest string kept, in bytes; MaxURI the longest of those
	// that point somewhere.
	MaxText = 512 << 10
	MaxURI  = 2048
)

// caps of single lists: more entries are left out.
var caps = map[string]int{"tag": 150, "attachment": 50, "oneOf": 500, "anyOf": 500, "url": 50, "publicKey": 10,
	"assertionMethod": 10, "alsoKnownAs": 50, "type": 10}

// ParseError says why a document was refused; its text may be logged and sent.
type ParseError struct{ Reason string }

// Error implements error.
func (e *ParseError) Error() string { return "unreadable ActivityStreams document: " + e.Reason }

func refuse(format string, args ...any) error { return &ParseError{fmt.Sprintf(format, args...)} }

// Parse reads one JSON document. It refuses what two parsers could read
// differently: duplicate and case-variant keys (A7), and the JSON-LD keywords that
// rebuild the graph (A6).
func Parse(b []byte) (Object, error) {
	if len(b) > MaxBytes {
		return nil, refuse("larger than %d bytes", MaxBytes)
	}
	if !utf8.Valid(b) {
		return nil, refuse("not UTF-8")
	}
	p := &parser{dec: json.NewDecoder(bytes.NewReader(b))}
	v, err := p.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return nil, refuse("more than one document")
	}
	o, ok := v.(Object)
	if !ok {
		return nil, refuse("not an object")
	}
	return o, nil
}

type parser struct {
	dec    *json.Decoder
	tokens int
}

func (p *parser) token() (json.Token, error) {
	if p.tokens++; p.tokens > MaxTokens {
		return nil, refuse("more than %d tokens", MaxTokens)
	}
	t, err := p.dec.Token()
	if err != nil {
		return nil, refuse("not valid JSON")
	}
	return t, nil
}

func (p *parser) value(key string, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, refuse("nested deeper than %d", MaxDepth)
	}
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return p.object(key, depth)
		}
		return p.list(key, depth)
	case string:
		return clip(key, t), nil
	}
	return t, nil
}

// uriKeys hold addresses: longer than MaxURI they are nothing.
var uriKeys = set("id", "actor", "object", "target", "to", "cc", "bto", "bcc", "audience", "inReplyTo", "attributedTo", "href",
	"inbox", "outbox", "followers", "following", "featured", "sharedInbox", "owner", "controller", "url", "context", "first", "next", "last", "prev", "partOf",
	"quote", "quoteUri", "quoteUrl", "_misskey_quote", "instrument", "result", "replies", "movedTo", "alsoKnownAs", "publicKey", "assertionMethod")

// clip bounds a string. The zero byte, which no text needs, is nothing that every
// database keeps.
func clip(key, s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if uriKeys[key] && len(s) > MaxURI {
		return ""
	}
	if len(s) > MaxText {
		s = strings.ToValidUTF8(s[:MaxText], "")
	}
	if key == "type" {
		return ownType(s)
	}
	return s
}

func (p *parser) object(within string, depth int) (any, error) {
	o := Object{}
	seen := map[string]bool{}
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		if key, err = keyword(within, key); err != nil {
			return nil, err
		}
		folded := strings.ToLower(strings.ToUpper(key)) // as encoding/json compares: the long s is an s
		if seen[folded] && !strings.HasSuffix(within, "Map") && within != "@context" || seen[key] {
			return nil, refuse("the key %.40q stands twice", key)
		}
		seen[folded], seen[key] = true, true
		v, err := p.value(nested(within, key), depth+1)
		if err != nil {
			return nil, err
		}
		if v != nil {
			o[key] = v
		}
	}
	_, err := p.token() // the closing brace
	return o, err
}

// keyword gives the plain name for the aliases of JSON-LD, and refuses keywords
// that rebuild the graph or that only some readers would recognise.
func keyword(within, key string) (string, error) {
	if !strings.HasPrefix(key, "@") || within == "@context" {
		return key, nil
	}
	switch key {
	case "@id":
		return "id", nil
	case "@type":
		return "type", nil
	case "@graph", "@included", "@reverse":
		return "", refuse("%s is not accepted", key)
	}
	if key != strings.ToLower(key) {
		return "", refuse("%.40q is a keyword in capitals", key)
	}
	return key, nil
}

// nested keeps the name of the context while inside it, where terms may be
// anything.
func nested(within, key string) string {
	if within == "@context" {
		return within
	}
	return key
}

func (p *parser) list(key string, depth int) (any, error) {
	most := MaxList
	if n, ok := caps[key]; ok {
		most = n
	}
	out := []any{}
	for p.dec.More() {
		v, err := p.value(key, depth+1)
		if err != nil {
			return nil, err
		}
		if v != nil && len(out) < most {
			out = append(out, v)
		}
	}
	_, err := p.token() // the closing bracket
	return out, err
}

// Marshal writes an object in the one form we send: with a context that defines the
// terms it uses, keys in order, nothing escaped for HTML.
func Marshal(o Object) ([]byte, error) {
	bare := make(Object, len(o))
	for k, v := range o {
		if k != "@context" {
			bare[k] = v
		}
	}
	body, err := Encode(bare)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"@context":`), contextOf(body)...)
	if len(bare) > 0 {
		out = append(out, ',')
	}
	return append(out, body[1:]...), nil
}

// Encode writes an object as it is: what stands inside another one, or what its
// author signed.
func Encode(o Object) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(o); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

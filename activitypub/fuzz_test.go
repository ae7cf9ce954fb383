package activitypub

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzParse: what is accepted is JSON without two readings, within the bounds, and
// says the same after being written and read again.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no fixtures", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := Parse(b)
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatal("accepted what is not JSON")
		}
		if key := doubleKey(t, b); key != "" {
			t.Errorf("accepted %q twice in one object", key)
		}
		assertBounds(t, "", o, 0)
		assertAccessors(t, o)
		assertSameAgain(t, o)
	})
}

// doubleKey reads the document by other means and names a key that stands twice,
// or twice but for the case where it is a property's name.
func doubleKey(t *testing.T, b []byte) string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	var walk func(within string) string
	walk = func(within string) string {
		token, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		delim, open := token.(json.Delim)
		if !open {
			return ""
		}
		found, seen, inside := "", map[string]bool{}, within
		for dec.More() {
			if delim == '{' {
				token, err := dec.Token()
				if err != nil {
					t.Fatal(err)
				}
				key := token.(string)
				same := key
				if within != "@context" && !strings.HasSuffix(within, "Map") {
					same = folded(key)
				}
				if seen[same] {
					found = key
				}
				seen[same] = true
				inside = nested(within, key)
			}
			if inner := walk(inside); inner != "" {
				found = inner
			}
		}
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
		return found
	}
	return walk("")
}

// folded is the first of all spellings that differ only in case.
func folded(s string) string {
	return strings.Map(func(c rune) rune {
		least := c
		for r := unicode.SimpleFold(c); r != c; r = unicode.SimpleFold(r) {
			least = min(least, r)
		}
		return least
	}, s)
}

func assertBounds(t *testing.T, key string, v any, depth int) {
	t.Helper()
	if depth > MaxDepth {
		t.Fatalf("deeper than %d", MaxDepth)
	}
	switch v := v.(type) {
	case nil:
		t.Errorf("%q holds null", key)
	case string:
		if len(v) > MaxText || !utf8.ValidString(v) || strings.Contains(v, "\x00") || uriKeys[key] && len(v) > MaxURI || key == "type" && strings.HasPrefix(v, "as:") {
			t.Errorf("%q holds %.80q of %d bytes", key, v, len(v))
		}
	case []any:
		most := MaxList
		if n, ok := caps[key]; ok {
			most = n
		}
		if len(v) > most {
			t.Errorf("%q holds %d entries", key, len(v))
		}
		for _, entry := range v {
			assertBounds(t, key, entry, depth+1)
		}
	case Object:
		for k, value := range v {
			if (k == "@id" || k == "@type") && key != "@context" {
				t.Errorf("the alias %s was kept", k)
			}
			if (k == "@graph" || k == "@included" || k == "@reverse") && key != "@context" {
				t.Errorf("%s was accepted", k)
			}
			assertBounds(t, nested(key, k), value, depth+1)
		}
	}
}

// assertAccessors calls each for each property, as the users of a document do.
func assertAccessors(t *testing.T, o Object) {
	t.Helper()
	summary(o)
	for key := range o {
		if refs := o.Refs(key); len(refs) > 0 && refs[0] != o.Ref(key) || len(refs) == 0 && o.Ref(key) != "" {
			t.Errorf("%q: Ref %q is not the first of %q", key, o.Ref(key), refs)
		}
		for _, uri := range o.Recipients(key) {
			if uri == "as:Public" || uri == "Public" {
				t.Errorf("%q keeps a second spelling of Public", key)
			}
		}
		if at := o.Time(key); !at.IsZero() && (at.Year() < 1970 || at.Year() > 10000) {
			t.Errorf("%q: %v", key, at)
		}
		if n := o.Int(key); n > 1<<53 || n < -(1<<53) {
			t.Errorf("%q: %d", key, n)
		}
		if e, ok := o.Embedded(key); ok && len(o.Objects(key)) == 0 {
			t.Errorf("%q: %v is embedded and not listed", key, e)
		}
		if _, language := o.Language(key); language != "" && !o.Has(key+"Map") {
			t.Errorf("%q: language %q from nowhere", key, language)
		}
	}
	if o.IsPost() && o.IsActivity() || o.IsPost() && o.IsActor() || o.IsActor() && o.IsActivity() {
		t.Errorf("%q is two things at once", o.Type())
	}
}

func assertSameAgain(t *testing.T, o Object) {
	t.Helper()
	out, err := Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(out)
	if err != nil {
		// Our own context comes on top of what was within the bounds.
		if len(out) > MaxBytes || strings.Contains(err.Error(), "tokens") {
			return
		}
		t.Fatalf("written form: %v: %.300s", err, out)
	}
	want := Object{}
	for key, v := range o {
		if key != "@context" {
			want[key] = v
		}
	}
	delete(back, "@context")
	if !reflect.DeepEqual(want, back) {
		t.Errorf("reads as\n%v\nwas\n%v", back, want)
	}
}

// FuzzResource: a handle or address that is accepted has one form, and names the
// same again in it.
func FuzzResource(f *testing.F) {
	for _, s := range []string{"acct:bob@b.test", "@bob@B.test:8080", "https://b.test/@bob", "http://127.0.0.1:8080/users/1", "acct:bob@münchen.test",
		"acct:bob@[::1]:443", "acct:bob@xn--victim-.test", "acct:bob@b.test.", "acct:a%40b@c.test", "acct:\xffbob@b.test", "https://u:p@b.test/x", "acct:bob@0x7f.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, host, uri, err := ParseResource(s)
		if err != nil {
			return
		}
		if (name == "") != (host == "") || (name == "") == (uri == "") {
			t.Fatalf("%q is neither handle nor address: %q %q %q", s, name, host, uri)
		}
		if uri != "" {
			assertAuthority(t, uri)
			return
		}
		if strings.ContainsAny(name, "@/ \n\x00") || len(name) > 200 || !utf8.ValidString(name) {
			t.Errorf("%q: the name %q", s, name)
		}
		assertAuthority(t, "https://"+host+"/")
		again, at, _, err := ParseResource("acct:" + name + "@" + host)
		if err != nil || again != name || at != host {
			t.Errorf("%q names %q at %q, then %q at %q: %v", s, name, host, again, at, err)
		}
	})
}

// FuzzAuthority: each server has exactly one form.
func FuzzAuthority(f *testing.F) {
	for _, s := range []string{"https://VICTIM.example/x", "https://victim.example:443", "http://127.0.0.1:80/", "https://münchen.example", "https://[::1]:8443/",
		"https://[fe80::1%25eth0]/", "https://victim.example./", "https://u:p@victim.example/", "https://xn--80ak6aa92e.com", "https://2130706433/", "https://a.test:0080/"} {
		f.Add(s)
	}
	f.Fuzz(assertAuthority)
}

func assertAuthority(t *testing.T, raw string) {
	t.Helper()
	authority, err := Authority(raw)
	if err != nil {
		return
	}
	if authority != strings.ToLower(authority) || strings.ContainsAny(authority, "@/%\\ ?#") || strings.ContainsFunc(authority, func(r rune) bool { return r <= ' ' || r > '~' }) {
		t.Errorf("%q has the authority %q", raw, authority)
	}
	scheme, _, _ := strings.Cut(raw, ":")
	again, err := Authority(scheme + "://" + authority + "/")
	if err != nil || again != authority {
		t.Errorf("%q is not stable: %q, %q, %v", raw, authority, again, err)
	}
	if !SameAuthority(raw, scheme+"://"+authority) {
		t.Errorf("%q is not of %q", raw, authority)
	}
}

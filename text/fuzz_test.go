package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"
)

// FuzzSanitize: HTML of others comes out safe, balanced, and the same when it goes
// through again.
func FuzzSanitize(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	r := New()
	f.Fuzz(func(t *testing.T, in string) {
		out := r.Sanitize(in)
		assertSafe(t, in, out)
		if again := r.Sanitize(out); again != out {
			t.Errorf("%q is not stable:\n%q\n%q", in, out, again)
		}
		plain := r.ToPlain(out)
		if !utf8.ValidString(plain) || plain != strings.TrimSpace(plain) {
			t.Errorf("%q as text: %q", in, plain)
		}
		assertNoTricks(t, in, plain)
	})
}

// everyone is a network where each handle and tag leads somewhere.
var everyone = Links{
	Mention: func(handle string) (string, string, bool) { return "https://a.test/@" + handle, handle, true },
	Tag:     func(tag string) string { return "https://a.test/tags/" + tag },
}

// FuzzRender: what members type comes out safe; plain text loses no letter; tags
// and mentions have one form.
func FuzzRender(f *testing.F) {
	for _, s := range append([]string{"**x** @a@b.test #t <b>", "> a\n\n1. b\n\n```go\nx\n```", "[x](javascript:1) https://a.test/@x", "a  \nb ~~c~~ <https://x.test>",
		"@a.b-@c.test:80 ##x #ǅ #\u0130", "![x](https://a.test/x.png) <script>"}, hostile...) {
		f.Add(s)
	}
	r := New()
	f.Fuzz(func(t *testing.T, in string) {
		for _, format := range []Format{Plain, Markdown} {
			out := r.Render(in, format, everyone)
			assertSafe(t, in, out.HTML)
			if again := r.Sanitize(out.HTML); again != out.HTML {
				t.Errorf("%q is not stable:\n%q\n%q", in, out.HTML, again)
			}
			if format == Plain && utf8.ValidString(in) && len(in) < maxSource && letters(r.ToPlain(out.HTML)) != letters(in) {
				t.Errorf("%q lost something: %q", in, out.HTML)
			}
			for _, tag := range out.Tags {
				if tag == "" || r.FoldTag(tag) != tag || !strings.Contains(out.HTML, ">#<span>") {
					t.Errorf("%q gave the tag %q, folded %q", in, tag, r.FoldTag(tag))
				}
			}
		}
		for _, handle := range r.Mentions(in) {
			if again := r.Mentions("@" + handle); len(again) != 1 || again[0] != handle {
				t.Errorf("%q mentions %q, which mentions %q", in, handle, again)
			}
		}
		if n := r.Length(in); n < 0 || n > 23*len(in) {
			t.Errorf("%q has the length %d", in, n)
		}
	})
}

// letters is what of a text can be read.
func letters(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsPunct(c) {
			return c
		}
		return -1
	}, s)
}

// FuzzPlain: names are one line without tricks; a text that was escaped reads as
// it did before.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"Bob", " a\u202eb \u2066c\n", "a\u200db\ufe0f", "\u2028x\u0085y", "&#x202e;", "a\xffb", "\u0627\u0644\u0639"} {
		f.Add(s, 30)
	}
	r := New()
	f.Fuzz(func(t *testing.T, in string, most int) {
		if most < 0 || most > 10_000 {
			return
		}
		out := r.SanitizePlain(in, most)
		assertNoTricks(t, in, out)
		if !utf8.ValidString(out) || utf8.RuneCountInString(out) > most || strings.ContainsAny(out, "\n\r\t\u2028\u2029") || strings.TrimSpace(out) != out {
			t.Errorf("%q of at most %d became %q", in, most, out)
		}
		if again := r.SanitizePlain(out, most); again != out {
			t.Errorf("%q is not stable: %q, %q", in, out, again)
		}
		if plain := r.ToPlain("<p>" + nethtml.EscapeString(out) + "</p>"); plain != out {
			t.Errorf("%q reads as %q", out, plain)
		}
	})
}

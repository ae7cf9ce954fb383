package text

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"
)

// What may stand in HTML that we show, written down a second time, apart from the
// policy under test (facts of the client API: the list that apps expect).
var (
	allowedElements = words(`p br span a abbr del s pre blockquote code b strong u sub sup i em h1 h2 h3 h4 h5 h6 ul ol li ruby rt rp`)
	allowedClasses  = words(`mention hashtag ellipsis invisible u-url h-card quote-inline`)
	languageClass   = regexp.MustCompile(`^language-[A-Za-z0-9-]{1,30}$`)
	languageTag     = regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)
	classed         = words(`a span p code`)
)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// assertSafe fails unless out holds allowed elements, attributes, classes and
// addresses only, closes what it opens, and hides or turns nothing.
func assertSafe(t *testing.T, in, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("%.300q is not UTF-8: %.300q", in, out)
	}
	assertNoTricks(t, in, nethtml.UnescapeString(out))
	var open []string
	z := nethtml.NewTokenizer(strings.NewReader(out))
	for {
		kind := z.Next()
		token := z.Token()
		switch kind {
		case nethtml.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%.300q leaves %v open: %.300q", in, open, out)
			}
			return
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			assertElement(t, in, token)
			if token.Data != "br" {
				open = append(open, token.Data)
			}
		case nethtml.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Errorf("%.300q closes %s inside %v: %.300q", in, token.Data, open, out)
				return
			}
			open = open[:len(open)-1]
		case nethtml.TextToken:
		default:
			t.Errorf("%.300q gave a %s: %.300q", in, kind, out)
		}
	}
}

func assertElement(t *testing.T, in string, e nethtml.Token) {
	t.Helper()
	if !allowedElements[e.Data] {
		t.Errorf("%.300q gave element %s", in, e.Data)
	}
	seen := map[string]bool{}
	for _, a := range e.Attr {
		ok := !seen[a.Key] && a.Namespace == ""
		seen[a.Key] = true
		switch a.Key {
		case "class":
			ok = ok && classed[e.Data] && len(strings.Fields(a.Val)) > 0
			for _, class := range strings.Fields(a.Val) {
				ok = ok && (allowedClasses[class] || languageClass.MatchString(class))
			}
		case "lang":
			ok = ok && languageTag.MatchString(a.Val)
		case "rel":
			ok = ok && e.Data == "a" && a.Val == "nofollow noopener"
		case "href":
			ok = ok && e.Data == "a" && isWebAddress(a.Val)
		default:
			ok = false
		}
		if !ok {
			t.Errorf("%.300q gave attribute %s=%q of %s", in, a.Key, a.Val, e.Data)
		}
	}
	if e.Data == "a" && !seen["rel"] {
		t.Errorf("%.300q gave a link without rel", in)
	}
}

// isWebAddress reads an address as browsers do: they skip tabs and line ends and
// take a backslash for a slash.
func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.Opaque == "" &&
		(strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, "\\\t\r\n ")
}

// assertNoTricks fails on characters that turn the reading direction of what
// stands beside the text, or that nobody sees.
func assertNoTricks(t *testing.T, in, out string) {
	t.Helper()
	for _, c := range out {
		if unicode.Is(unicode.Cc, c) && c != '\n' && c != '\t' || unicode.Is(unicode.Bidi_Control, c) || c == 0x200B || c == 0x2060 || c == 0xFEFF {
			t.Errorf("%.300q kept the character %U", in, c)
			return
		}
	}
}

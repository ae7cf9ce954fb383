package text

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// policy is what of HTML is shown: the elements that Mastodon's clients know.
func policy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "span", "a", "abbr", "del", "s", "pre", "blockquote", "code", "b", "strong", "u", "sub", "sup",
		"i", "em", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "ruby", "rt", "rp")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("class").OnElements("a", "span", "p", "code") // values: see classes
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)).Globally()
	p.AllowURLSchemes("http", "https")
	p.AllowRelativeURLs(false)
	p.RequireParseableURLs(true)
	p.AllowNoAttrs().OnElements("span")
	return p
}

// classes are those that say what something is, not how it looks.
var classes = regexp.MustCompile(`^(?:mention|hashtag|ellipsis|invisible|u-url|h-card|quote-inline|language-[A-Za-z0-9-]{1,30})$`)

// Sanitize makes HTML from another server safe: known elements only, http links
// only, balanced, without direction tricks.
func (r *Renderer) Sanitize(s string) string {
	return r.settle(render(r.clean(cut(s))))
}

func cut(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxSource)], "")
}

// settle makes sure that browsers read what was written as it was meant. Where
// they would repair it, the repair is cleaned again; what never settles is text.
func (r *Renderer) settle(s string) string {
	for range 3 {
		read := render(parse(s))
		if read == s {
			return s
		}
		s = render(r.clean(read))
	}
	return html.EscapeString(strings.TrimSpace(textOf(parse(s))))
}

func parse(s string) *nethtml.Node {
	root := element(nethtml.Token{Data: "div", DataAtom: atom.Div})
	nodes, err := nethtml.ParseFragment(strings.NewReader(s), element(nethtml.Token{Data: "div", DataAtom: atom.Div}))
	if err != nil {
		return root
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return root
}

func render(root *nethtml.Node) string {
	var b strings.Builder
	for c := root.FirstChild; c != nil; c = c.NextSibling {
		if err := nethtml.Render(&b, c); err != nil {
			return html.EscapeString(textOf(root))
		}
	}
	return strings.TrimSpace(b.String())
}

// clean gives the tree of what the policy lets through.
func (r *Renderer) clean(s string) *nethtml.Node {
	g := &grower{root: element(nethtml.Token{Data: "div", DataAtom: atom.Div}), dropped: map[atom.Atom]int{}}
	z := nethtml.NewTokenizer(strings.NewReader(r.policy.Sanitize(s)))
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			return g.root
		case nethtml.TextToken:
			g.text(z.Token().Data)
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			g.start(z.Token())
		case nethtml.EndTagToken:
			g.end(z.Token().DataAtom)
		}
	}
}

// maxNesting bounds a tree: deeper elements are left out, their text is kept.
const maxNesting = 32

// grower builds a tree from tags as they come, closing what browsers would close.
// Their own way of repairing copies open elements into each new paragraph, so that
// a small text can become a huge one.
type grower struct {
	root    *nethtml.Node
	open    []*nethtml.Node
	dropped map[atom.Atom]int // start tags left out, whose end tags are too
}

func (g *grower) top() *nethtml.Node {
	if len(g.open) == 0 {
		return g.root
	}
	return g.open[len(g.open)-1]
}

func (g *grower) text(s string) {
	if n := g.top(); n.DataAtom == atom.Pre && n.FirstChild == nil {
		s = strings.TrimPrefix(s, "\n") // HTML 13.2.6.4.7
	}
	if s = stripControls(s); s != "" {
		g.top().AppendChild(&nethtml.Node{Type: nethtml.TextNode, Data: s})
	}
}

func (g *grower) start(t nethtml.Token) {
	n := element(t)
	if n.DataAtom == atom.Br {
		g.top().AppendChild(n)
		return
	}
	g.makeRoom(n.DataAtom)
	if len(g.open) >= maxNesting || n.DataAtom == atom.A && len(n.Attr) == 0 {
		g.dropped[n.DataAtom]++
		return
	}
	g.top().AppendChild(n)
	g.open = append(g.open, n)
}

// makeRoom closes what cannot hold an element (HTML 13.2.6.4.7).
func (g *grower) makeRoom(a atom.Atom) {
	switch a {
	case atom.A:
		g.closeTo(atom.A, 0)
	case atom.Li:
		g.closeTo(atom.Li, max(g.last(atom.Ul), g.last(atom.Ol))+1)
		g.closeTo(atom.P, 0)
	case atom.Rt, atom.Rp:
		from := g.last(atom.Ruby) + 1
		g.closeTo(atom.Rt, from)
		g.closeTo(atom.Rp, from)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		g.closeTo(atom.P, 0)
		for h := range headings {
			g.closeTo(h, 0)
		}
	case atom.P, atom.Blockquote, atom.Pre, atom.Ul, atom.Ol:
		g.closeTo(atom.P, 0)
	}
}

var headings = map[atom.Atom]bool{atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true}

// last is where the innermost open element of a kind stands, -1 if there is none.
func (g *grower) last(a atom.Atom) int {
	for i := len(g.open) - 1; i >= 0; i-- {
		if g.open[i].DataAtom == a {
			return i
		}
	}
	return -1
}

func (g *grower) closeTo(a atom.Atom, from int) {
	if i := g.last(a); i >= from {
		g.open = g.open[:i]
	}
}

func (g *grower) end(a atom.Atom) {
	if g.dropped[a] > 0 {
		g.dropped[a]--
		return
	}
	g.closeTo(a, 0)
}

// element makes a node with the attributes that may stay, in the order in which
// parsers give them.
func element(t nethtml.Token) *nethtml.Node {
	n := &nethtml.Node{Type: nethtml.ElementNode, Data: t.Data, DataAtom: t.DataAtom}
	has := map[string]string{}
	for _, a := range t.Attr {
		has[a.Key] = a.Val
	}
	if t.DataAtom == atom.A {
		if has["href"] = webAddress(has["href"]); has["href"] == "" {
			return n
		}
		has["rel"] = "nofollow noopener"
	}
	has["class"] = knownClasses(has["class"])
	for _, key := range []string{"class", "href", "lang", "rel"} {
		if has[key] != "" {
			n.Attr = append(n.Attr, nethtml.Attribute{Key: key, Val: has[key]})
		}
	}
	return n
}

func knownClasses(s string) string {
	var kept []string
	for _, class := range strings.Fields(s) {
		if classes.MatchString(class) {
			kept = append(kept, class)
		}
	}
	return strings.Join(kept, " ")
}

// webAddress takes only addresses that everybody reads alike, and gives their one
// form: with a host, and without a user name that could pass for one.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(s, "\\ \t\r\n") {
		return ""
	}
	return u.String()
}

// SanitizePlain makes a one-line text without direction or invisible tricks, at
// most max characters.
func (r *Renderer) SanitizePlain(s string, max int) string {
	s = strings.Join(strings.Fields(stripControls(strings.Map(func(c rune) rune {
		if c == '\n' || c == '\r' || c == '\t' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "")))), " ")
	if runes := []rune(s); len(runes) > max {
		s = strings.TrimSpace(string(runes[:max]))
	}
	return s
}

// stripControls removes control characters, bidirectional overrides and
// characters that nobody sees and that make a text look like another (T18). What
// joins emoji and letters stays.
func stripControls(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case unicode.Is(unicode.Cc, c), unicode.Is(unicode.Bidi_Control, c), unicode.Is(hidden, c):
			return -1
		}
		return c
	}, s)
}

// hidden are invisible characters without a use in posts: zero-width spaces,
// invisible operators, annotation marks, fillers, and the mark of broken input.
var hidden = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x115F, Hi: 0x1160, Stride: 1}, {Lo: 0x180E, Hi: 0x180E, Stride: 1}, {Lo: 0x200B, Hi: 0x200B, Stride: 1},
		{Lo: 0x2060, Hi: 0x2064, Stride: 1}, {Lo: 0x206A, Hi: 0x206F, Stride: 1}, {Lo: 0x3164, Hi: 0x3164, Stride: 1},
		{Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1}, {Lo: 0xFFA0, Hi: 0xFFA0, Stride: 1}, {Lo: 0xFFF9, Hi: 0xFFFD, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0xE0000, Hi: 0xE001F, Stride: 1}},
}

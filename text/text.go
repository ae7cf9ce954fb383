// Package text turns what people type or other servers send into safe HTML and
// back: Markdown in, sanitised HTML out, mentions, hashtags, plain text.
//
// It knows neither accounts nor storage: the caller says where a mention leads.
package text

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/unicode/norm"
)

// Bounds of what is rendered, in bytes. Some Markdown takes time with the square of
// its length, so what is longer is shown as it was typed.
const (
	maxSource   = 512 << 10
	maxMarkdown = 64 << 10
)

// Renderer holds the compiled policy; it is safe for use by many goroutines.
type Renderer struct {
	policy   *bluemonday.Policy
	markdown goldmark.Markdown
}

// New makes a Renderer.
func New() *Renderer {
	return &Renderer{policy: policy(), markdown: goldmark.New(
		goldmark.WithExtensions(extension.Strikethrough, extension.Linkify),
		goldmark.WithRendererOptions(gmhtml.WithHardWraps()),
	)}
}

// Format of a source.
type Format int

const (
	Plain    Format = iota // line breaks kept, nothing else means anything
	Markdown               // CommonMark without raw HTML
)

// Links say where mentions and hashtags lead.
type Links struct {
	// Mention answers for a handle as typed, without the leading @; ok false leaves it plain.
	Mention func(handle string) (href, display string, ok bool)
	Tag     func(tag string) string
}

// Rendered is safe HTML and the hashtags found in it, folded.
type Rendered struct {
	HTML string
	Tags []string
}

// Render makes safe HTML of what a member typed.
func (r *Renderer) Render(source string, f Format, l Links) Rendered {
	source = stripControls(cut(source))
	var out string
	if f == Markdown && len(source) <= maxMarkdown {
		var b bytes.Buffer
		if err := r.markdown.Convert([]byte(source), &b); err == nil {
			out = b.String()
		}
	}
	if out == "" {
		out = plainHTML(source)
	}
	root := r.clean(out)
	tags := linkNames(root, l)
	return Rendered{HTML: r.settle(render(root)), Tags: tags}
}

func plainHTML(source string) string {
	var b strings.Builder
	for _, para := range strings.Split(strings.TrimSpace(source), "\n\n") {
		b.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(para), "\n", "<br>") + "</p>")
	}
	return b.String()
}

var (
	// names finds @name, @name@host and #tag where a word begins.
	names    = regexp.MustCompile(`(^|[^\w@#/&.\-])(@[A-Za-z0-9_][A-Za-z0-9_.\-]*(?:@[\pL\pN][\pL\pN.\-]*(?::\d{1,5})?)?|#[\pL\pN_]*[\pL_][\pL\pN_]*)`)
	addressP = regexp.MustCompile(`https?://[^\s<>"]+`)
)

// linkNames turns handles and hashtags in text nodes into links.
func linkNames(root *nethtml.Node, l Links) []string {
	var tags []string
	seen := map[string]bool{}
	var walk func(n *nethtml.Node)
	walk = func(n *nethtml.Node) {
		if n.Type == nethtml.ElementNode && (n.DataAtom == atom.A || n.DataAtom == atom.Code || n.DataAtom == atom.Pre) {
			return
		}
		for c := n.FirstChild; c != nil; {
			next := c.NextSibling
			if c.Type == nethtml.TextNode {
				linkText(n, c, l, func(tag string) {
					if t := fold(tag); !seen[t] && len(tags) < 50 {
						seen[t] = true
						tags = append(tags, t)
					}
				})
			} else {
				walk(c)
			}
			c = next
		}
	}
	walk(root)
	return tags
}

func linkText(parent, node *nethtml.Node, l Links, tagged func(string)) {
	s := node.Data
	at := 0
	for _, m := range names.FindAllStringSubmatchIndex(s, -1) {
		word := strings.TrimRight(s[m[4]:m[5]], ".-")
		link := nameLink(word, l, tagged)
		if link == nil {
			continue
		}
		parent.InsertBefore(&nethtml.Node{Type: nethtml.TextNode, Data: s[at:m[4]]}, node)
		parent.InsertBefore(link, node)
		at = m[4] + len(word)
	}
	node.Data = s[at:]
}

func nameLink(word string, l Links, tagged func(string)) *nethtml.Node {
	if word[0] == '#' {
		tagged(word[1:])
		if l.Tag == nil {
			return nil
		}
		return anchor(l.Tag(fold(word[1:])), "mention hashtag", "#", word[1:])
	}
	if l.Mention == nil {
		return nil
	}
	href, display, ok := l.Mention(word[1:])
	if !ok {
		return nil
	}
	link := anchor(href, "u-url mention", "@", display)
	if link == nil {
		return nil
	}
	card := element(nethtml.Token{Data: "span", DataAtom: atom.Span, Attr: []nethtml.Attribute{{Key: "class", Val: "h-card"}}})
	card.AppendChild(link)
	return card
}

func anchor(href, class, sign, name string) *nethtml.Node {
	a := element(nethtml.Token{Data: "a", DataAtom: atom.A, Attr: []nethtml.Attribute{{Key: "href", Val: href}, {Key: "class", Val: class}}})
	if len(a.Attr) == 0 {
		return nil
	}
	inner := element(nethtml.Token{Data: "span", DataAtom: atom.Span})
	inner.AppendChild(&nethtml.Node{Type: nethtml.TextNode, Data: name})
	a.AppendChild(&nethtml.Node{Type: nethtml.TextNode, Data: sign})
	a.AppendChild(inner)
	return a
}

// Mentions lists the handles in a text as typed, without the leading @.
func (r *Renderer) Mentions(source string) []string {
	var out []string
	for _, m := range names.FindAllStringSubmatch(addressP.ReplaceAllString(source, " "), -1) {
		if m[2][0] == '@' {
			out = append(out, strings.TrimRight(m[2][1:], ".-"))
		}
		if len(out) == 50 {
			break
		}
	}
	return out
}

// FoldTag is the form in which hashtags are compared.
func (r *Renderer) FoldTag(tag string) string { return fold(strings.TrimPrefix(tag, "#")) }

func fold(tag string) string {
	if len(tag) > 200 {
		tag = strings.ToValidUTF8(tag[:200], "")
	}
	return strings.ToLower(norm.NFKC.String(tag))
}

// Length counts characters as the Mastodon API does: an address is 23, and of a
// handle only the name counts.
func (r *Renderer) Length(source string) int {
	s := addressP.ReplaceAllString(source, strings.Repeat("x", 23))
	s = handleHost.ReplaceAllString(s, "$1")
	return len([]rune(s))
}

var handleHost = regexp.MustCompile(`(@[A-Za-z0-9_][A-Za-z0-9_.\-]*)@[\pL\pN][\pL\pN.\-]*`)

// ToPlain gives the text of HTML, paragraphs and breaks as line ends.
func (r *Renderer) ToPlain(s string) string {
	var b strings.Builder
	var walk func(n *nethtml.Node)
	walk = func(n *nethtml.Node) {
		switch {
		case n.Type == nethtml.TextNode:
			b.WriteString(n.Data)
		case n.DataAtom == atom.Br:
			b.WriteString("\n")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
		switch n.DataAtom {
		case atom.P, atom.Li, atom.Blockquote, atom.Pre, atom.H1, atom.H2, atom.H3:
			b.WriteString("\n\n")
		}
	}
	walk(r.clean(s))
	return strings.TrimSpace(b.String())
}

func textOf(n *nethtml.Node) string {
	if n.Type == nethtml.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}

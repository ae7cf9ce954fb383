package text

import (
	"fmt"
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"
)

// corpus makes hostile strings out of a few seeds: each payload in each carrier
// and each disguise.
func corpus() []string {
	payloads := []string{
		`javascript:alert(1)`, `JaVaScRiPt:alert(1)`, `vbscript:x`, `data:text/html,<script>alert(1)</script>`, `data:text/html;base64,PHNjcmlwdD4=`,
		`//evil.test/x`, `\\evil.test/x`, `/\evil.test`, `https:/\evil.test`, `https:evil.test`, `http:///evil.test`, `file:///etc/passwd`, `blob:https://a.test/1`,
		`https://bank.test@evil.test/`, `https://bank.test:x@evil.test/`, `mailto:a@b.test`, `ftp://a.test`, `about:blank`, `#top`, `?x`, `x`, ``, `https://`, `https://?`,
		`view-source:https://a.test`, `feed:javascript:alert(1)`, `ms-word:ofe|u|https://evil.test/x`, "java\tscript:alert(1)", "java\nscript:alert(1)",
		"\x01javascript:alert(1)", " javascript:alert(1)", "javascript\u200b:alert(1)", "https://a.test\u202e/moc.elgoog", "https://a.test/\" onmouseover=\"alert(1)",
		"https://a.test/'onclick='alert(1)", "https://a.test/><script>alert(1)</script>", "https://ok.test/%0d%0aX:y", "https://[::1", "https://a.test:99999999/",
	}
	carriers := []string{`<a href="%s">x</a>`, `<a href='%s'>x</a>`, `<A HREF="%s" target=_top>x</A>`, `<p><a class="mention" href="%s"><span>x`}
	disguises := []func(string) string{
		func(s string) string { return s },
		func(s string) string { return numeric(s, "&#%d;") },
		func(s string) string { return numeric(s, "&#x%X") + ";" },
		func(s string) string {
			return strings.NewReplacer(":", "&colon;", "/", "&sol;", "\t", "&Tab;", "\n", "&NewLine;").Replace(s)
		},
	}
	var out []string
	for _, p := range payloads {
		for _, carrier := range carriers {
			for _, disguise := range disguises {
				out = append(out, fmt.Sprintf(carrier, disguise(p)))
			}
		}
	}
	out = append(out, elements()...)
	out = append(out, broken()...)
	return append(out, hostile...)
}

func numeric(s, form string) string {
	var b strings.Builder
	for _, c := range s {
		fmt.Fprintf(&b, form, c)
		if !strings.HasSuffix(form, ";") {
			b.WriteByte(';')
		}
	}
	return b.String()
}

// elements that must go, and attributes on elements that may stay.
func elements() []string {
	var out []string
	for _, name := range strings.Fields(`script style iframe object embed applet form input button textarea select option img image svg math video audio source track
		canvas base link meta title head body html frame frameset noframes noscript noembed template slot portal dialog details summary marquee blink bgsound
		keygen isindex plaintext xmp listing comment layer ilayer table tr td th caption col foreignObject animate set use desc mi mtext annotation-xml
		font center div section article header footer nav main aside figure picture map area label fieldset legend progress meter output datalist menu x-own o:p`) {
		out = append(out, "<"+name+` onload=alert(1) src="javascript:alert(1)">x</`+name+">", "<"+name+"/onload=alert(1)//>y", "</"+name+"><p>z", "<p><"+name+"><a href='https://a.test'>x",
			"<"+strings.ToUpper(name)+" >x", "<"+name+"\x00>x")
	}
	for _, attribute := range strings.Fields(`onclick onerror onload onmouseover onfocus ontoggle onanimationstart style id name title dir hidden tabindex contenteditable
		accesskey autofocus draggable is slot part itemscope data-x aria-label role xmlns xlink:href formaction srcdoc background poster ping download target type charset
		start reversed value cite datetime rel referrerpolicy`) {
		for _, element := range []string{"p", "a", "span", "blockquote", "code", "ol"} {
			out = append(out, "<"+element+" "+attribute+`="javascript:alert(1)" href="https://a.test">x</`+element+">")
		}
	}
	for _, class := range []string{"admin-banner", "mention admin", "mention\u00a0x", "language-", "language-<b>", "language-" + strings.Repeat("x", 40), "MENTION", "mention\nbanner", "btn", "u-url:hover"} {
		out = append(out, `<p class="`+class+`">x</p>`, `<a class="`+class+`" href="https://a.test">x</a>`, `<code class='`+class+`'>x</code>`, `<b class="mention">x</b>`)
	}
	return out
}

// broken is markup that readers repair, each in their own way.
func broken() []string {
	var out []string
	for _, a := range strings.Fields(`</p> </blockquote></div> <p><p> <a><a> <b><p></b></p> <ul><li><ul></li> <li> <ruby><rt><rp> <pre> <h1><h2> <code><pre></code> </br> <br/> <i/> <a/> </a> <b><i></b></i>`) {
		for _, b := range []string{"<b lang=en>x", "<a href=https://a.test>y", "</p></li></a>", "\n", "<!--", "<![CDATA[", "<?x", "&#x202e;", "&#8238;&#x2067;", "<p class=mention>", "\x00\u200b\ufeff", "<"} {
			out = append(out, a+b, b+a, a+b+a, "<blockquote>"+b+a)
		}
	}
	for _, s := range []string{"<b>", "<blockquote>", "<ul><li>", "<ruby><rt>", "<p><b>", "<a href=https://a.test><p>", "<span class=mention>", "</p>", "<b lang=a><i>", "<!--", "&", "<", "<a "} {
		out = append(out, strings.Repeat(s, 700), strings.Repeat(s, 700)+"x"+strings.Repeat("</b></p></a>", 700))
	}
	return out
}

// D1, D2: whatever comes in by any text path goes out as allowed markup only, and
// names are one line of visible text.
func TestCorpus(t *testing.T) {
	r := New()
	all := corpus()
	if len(all) < 500 {
		t.Fatalf("only %d strings", len(all))
	}
	for _, in := range all {
		out := r.Sanitize(in)
		assertSafe(t, in, out)
		if again := r.Sanitize(out); again != out {
			t.Errorf("%.300q is not stable:\n%.300q\n%.300q", in, out, again)
		}
		for _, format := range []Format{Plain, Markdown} {
			for _, source := range []string{in, "[x](" + in + ")", "@" + in + " #" + in, "> " + in, "`" + in} {
				assertSafe(t, source, r.Render(source, format, evil(in)).HTML)
			}
		}
		name := r.SanitizePlain(in, 200)
		assertNoTricks(t, in, name)
		assertNoTricks(t, in, r.ToPlain(in))
		if strings.Contains(name, "\n") {
			t.Errorf("%q has two lines: %q", in, name)
		}
	}
	t.Logf("%d strings", len(all))
}

// evil are links to whatever a remote profile claims.
func evil(s string) Links {
	return Links{Mention: func(string) (string, string, bool) { return s, s, true }, Tag: func(string) string { return s }}
}

// What is said beside a text is never reordered by it.
func TestTextsAreIsolated(t *testing.T) {
	r := New()
	for _, c := range []rune{0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0x200E, 0x200F, 0x061C} {
		for _, in := range []string{string(c) + "moc.knab", fmt.Sprintf("a&#%d;b", c), fmt.Sprintf("a&#x%x;b", c), "&lrm;&rlm;a", fmt.Sprintf("<p lang='a%cb'>x", c)} {
			assertNoTricks(t, in, nethtml.UnescapeString(r.Sanitize(in)))
			assertNoTricks(t, in, r.SanitizePlain(in, 100))
			assertNoTricks(t, in, r.ToPlain(in))
			for _, format := range []Format{Plain, Markdown} {
				out := r.Render(in, format, everyone).HTML
				assertNoTricks(t, in, out)
				if format == Markdown {
					assertNoTricks(t, in, nethtml.UnescapeString(out))
				}
			}
		}
	}
	// What joins letters and emoji is no trick.
	for _, in := range []string{"👩\u200d🔬", "می\u200cخواهم", "e\u0301", "שלום", "👍\ufe0f"} {
		if got := r.SanitizePlain(in, 100); got != in {
			t.Errorf("%q became %q", in, got)
		}
		if got := r.Sanitize("<p>" + in + "</p>"); got != "<p>"+in+"</p>" {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// Small texts stay small, deep ones keep their words, long ones end.
func TestNothingGrows(t *testing.T) {
	r := New()
	var styled strings.Builder
	for i := range 500 {
		fmt.Fprintf(&styled, "<b lang=a%d>", i)
	}
	for _, in := range []string{styled.String() + strings.Repeat("<p>x", 20_000), strings.Repeat("<a href=https://a.test><p>x", 20_000), strings.Repeat("<b><p>", 40_000),
		strings.Repeat("<ul><li><b>", 20_000), strings.Repeat("</i>", 100_000), strings.Repeat("<pre>\n", 30_000)} {
		out := r.Sanitize(in)
		if len(out) > 4*len(in) {
			t.Errorf("%.40q grew from %d to %d bytes", in, len(in), len(out))
		}
		assertSafe(t, in[:40], out)
	}
	if got := r.Sanitize(strings.Repeat("<blockquote>", 600) + "word" + strings.Repeat("</blockquote>", 600)); strings.Count(got, "<blockquote>") != maxNesting || !strings.Contains(got, "word") {
		t.Errorf("nesting: %.100q", got)
	}
	if got := r.Render(strings.Repeat("> ", 3000)+"word", Markdown, everyone).HTML; !strings.Contains(got, "word") {
		t.Errorf("deep Markdown: %.100q", got)
	}
}

// Markdown whose reading takes the square of its length is shown as it was typed.
func TestLongMarkdownIsPlain(t *testing.T) {
	r := New()
	for _, s := range []string{"![](", "a_b*", " > -", "[a](<", "<!--"} {
		in := strings.Repeat(s, maxMarkdown)
		if got := r.Render(in, Markdown, Links{}).HTML; r.ToPlain(got) != strings.TrimSpace(cut(in)) {
			t.Errorf("%q was read as Markdown: %.100q", s, got)
		}
	}
	if got := r.Render("*a* "+strings.Repeat("x", maxMarkdown-4), Markdown, Links{}).HTML; !strings.Contains(got, "<em>a</em>") {
		t.Errorf("just inside the bound: %.100q", got)
	}
}

// Known classes stay when they stand beside others.
func TestClasses(t *testing.T) {
	got := New().Sanitize(`<a class="u-url x mention" href="https://a.test/@b">b</a><code class="language-go hl">x</code><p class="x">y</p>`)
	want := `<a class="u-url mention" href="https://a.test/@b" rel="nofollow noopener">b</a><code class="language-go">x</code><p>y</p>`
	if got != want {
		t.Errorf("got %s", got)
	}
}

func BenchmarkRender(b *testing.B) {
	r := New()
	for name, source := range map[string]string{
		"short":   "Hello @bob@b.test, see https://x.test/ and #greetings **now**",
		"long":    strings.Repeat("Some *words* of @alice, a [link](https://x.test/) and #tag.\n\n", 80),
		"hostile": strings.Repeat("![](", 1250),
	} {
		for format, of := range map[string]Format{"plain": Plain, "markdown": Markdown} {
			b.Run(name+"/"+format, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					r.Render(source, of, everyone)
				}
			})
		}
	}
}

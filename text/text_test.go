package text

import (
	"strings"
	"testing"
)

var hostile = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<a href="javascript:alert(1)">x</a>`,
	`<a href="data:text/html,<script>1</script>">x</a>`, `<svg onload=alert(1)>`, `<p onclick=x>a</p>`,
	`</p></blockquote></div><div style="position:fixed">`, `<a href="//evil.test">x</a>`, `<p id="x" style="y">z</p>`,
	`<iframe src=//evil.test>`, `<p class="admin-banner">x</p>`, `<math><mi//xlink:href="data:x,<script>alert(4)</script>">`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<form action=/x><button>go</button></form>`,
	"<p>\u202eabc</p>", `<a href=" https://ok.test" target=_top>x</a>`, `<template><script>1</script></template>`,
	`<style>@import url(//evil.test)</style>`, `<base href=//evil.test>`, `<object data=x>`, `<embed src=x>`, `<a href="vbscript:x">a</a>`,
	`<details open ontoggle=alert(1)>`, `<video><source onerror=alert(1)>`, `<p><a href='ht&#x74;ps://ok.test/"onmouseover=x'>a</a>`,
	`<xmp><script>1</script></xmp>`, `<![CDATA[<script>1</script>]]>`, `<!--><script>1</script>-->`, `<a href="https://u:p@ok.test">x</a>`,
}

func TestSanitizeLeavesOnlyWhatIsAllowed(t *testing.T) {
	r := New()
	for _, in := range hostile {
		out := r.Sanitize(in)
		assertSafe(t, in, out)
		if again := r.Sanitize(out); again != out {
			t.Errorf("not stable for %q:\n %q\n %q", in, out, again)
		}
	}
}

func TestRenderLinksNames(t *testing.T) {
	r := New()
	got := r.Render("Hello @bob@b.test, see https://x.test/@no and #Grüße **now**", Markdown, Links{
		Mention: func(h string) (string, string, bool) { return "https://b.test/@bob", "bob", h == "bob@b.test" },
		Tag:     func(tag string) string { return "https://a.test/tags/" + tag },
	})
	for _, want := range []string{`<a class="u-url mention" href="https://b.test/@bob" rel="nofollow noopener">@<span>bob</span></a>`,
		`#<span>Grüße</span>`, `<strong>now</strong>`, `href="https://x.test/@no"`} {
		if !strings.Contains(got.HTML, want) {
			t.Errorf("missing %s in %s", want, got.HTML)
		}
	}
	if len(got.Tags) != 1 || got.Tags[0] != "grüße" {
		t.Errorf("tags %q", got.Tags)
	}
}

func TestMentionsAndLength(t *testing.T) {
	r := New()
	if got := strings.Join(r.Mentions("@alice hi @bob@b.test:8080. mail a@b.test https://x.test/@z"), " "); got != "alice bob@b.test:8080" {
		t.Errorf("mentions %q", got)
	}
	if n := r.Length("@bob@b.test https://a-very-long-address.test/with/a/path"); n != 4+1+23 {
		t.Errorf("length %d", n)
	}
}

func TestToPlain(t *testing.T) {
	if got := New().ToPlain("<p>a<br>b</p><p>c &amp; d</p>"); got != "a\nb\n\nc & d" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkSanitize(b *testing.B) {
	r := New()
	s := strings.Repeat(`<p>Some words <a href="https://x.test/">link</a></p>`, 20)
	for b.Loop() {
		r.Sanitize(s)
	}
}

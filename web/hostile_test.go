package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/instance/instancetest"
	"parley/social"
)

// hostile makes the texts that people with bad intent, broken programs and unusual
// languages write: what would run, what would load, what would move the page.
func hostile() (all []string) {
	const run, leak = "window.owned=1", "https://leak.test/"
	add := func(texts ...string) { all = append(all, texts...) }
	// Elements that run or load, after what could end the place where they stand.
	for _, before := range []string{"", `">`, `'>`, "</textarea>", "</title>", "</style>", "-->", "</script>", "</a></p>", "`>", "\x00<", "</option></select>", "<noscript><p title=\"</noscript>", "]]>"} {
		for _, element := range []string{
			"<script>" + run + "</script>", "<ScRiPt/x>" + run + "</sCrIpT >", "<script src=" + leak + "></script>", "<img src=x onerror=" + run + ">",
			"<img/src='x'\tonerror\n=" + run + ">", "<svg onload=" + run + ">", "<svg><script>" + run + "</script></svg>", `<iframe srcdoc="<script>parent.owned=1</script>"></iframe>`,
			"<iframe src=javascript:parent.owned=1></iframe>", "<body onload=" + run + ">", "<details open ontoggle=" + run + ">x</details>", "<input autofocus onfocus=" + run + ">",
			"<object data=" + leak + "></object>", "<embed src=" + leak + ">", "<link rel=stylesheet href=" + leak + ">", "<style>@import '" + leak + "';*{display:none}</style>",
			"<meta http-equiv=refresh content='0;url=" + leak + "'>", "<base href=" + leak + ">", "<form action=" + leak + "><button>go</button></form>", "<math><mtext></form><form><mglyph><style></math><img src onerror=" + run + ">",
			"<img src=" + leak + ">", "<img src=//leak.test/x srcset='" + leak + " 2x'>", "<video src=" + leak + " onerror=" + run + "></video>", "<div style='position:fixed;inset:0;background:url(" + leak + ")'>over</div>",
			"<marquee onstart=" + run + ">x</marquee>", "<template><script>" + run + "</script></template>", "<a href=javascript:" + run + " id=main>x</a>", "<p class='top ways' id=main>x</p>",
		} {
			add(before + element)
		}
	}
	// Addresses, as links, pictures and definitions.
	for _, address := range []string{"javascript:" + run, "JaVaScRiPt:" + run, "java\tscript:" + run, "&#106;avascript:" + run, "data:text/html,<script>" + run + "</script>", "vbscript:x", "file:///etc/passwd",
		"blob:x", "//leak.test", "\\\\leak.test", "http:\\\\leak.test", "https://user:pass@leak.test/", "https://[::1/", "https://лик.test/", "https://xn--80ak6aa92e.test/", "ftp://leak.test"} {
		add("["+address+"]("+address+")", "![x]("+address+")", "<"+address+">", address, "[x][y]\n\n[y]: "+address)
	}
	// Letters that hide, turn round or pile up.
	for _, r := range "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u180e\u2028\u2029\u0085\u3164\u115f\u034f\ufffc\ufff9\U000e0041" {
		add(strings.Repeat(string(r), 300), "before"+string(r)+"after", "@bob"+string(r)+" exe.gpj")
	}
	for r := rune(0); r < 32; r++ {
		add("a" + string(r) + "b")
	}
	// What takes room.
	for _, one := range []string{"W", "i", "﷽", "𒐫", "⸻", "👩‍👩‍👧‍👦", "🏳️‍🌈", "é", "Donaudampfschifffahrtsgesellschaftskapitän", "שלום", "مرحبا", "漢", "ꧪ", "_", "-", ".", "#tag", "@", "/", "\u00a0", "&nbsp;", "a\n", "# a\n", "> ", "- ", "`", "*", "[", "|a"} {
		add(strings.Repeat(one, 150), strings.Repeat(one, 12)+" "+strings.Repeat(one, 40))
	}
	for _, mark := range "\u0300\u0336\u0489\u20dd\u0e49\u0ec9\u1ac0\u0331" {
		add("Z"+strings.Repeat(string(mark), 200), strings.Repeat("a"+strings.Repeat(string(mark), 20), 20))
	}
	// What other languages would take for their own.
	add("%s%d%n%x", "%!s(MISSING)", "{{.}}", "{{template \"layout\" .}}", "{{printf \"%s\" .Me}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{% include x %}", "$(reboot)", "`reboot`", "'; DROP TABLE post; --", "\" OR 1=1", "../../etc/passwd",
		"a\r\nSet-Cookie: x=y\r\n\r\n<script>"+run+"</script>", "\xff\xfe\xc0\xaf", "\xed\xa0\x80", "&lt;script&gt;"+run+"&lt;/script&gt;", "&#60;script&#62;", "&amp;lt;b&amp;gt;", "\\u003cscript\\u003e", "NULL", "undefined", "[object Object]",
		"|a|b|\n|-|-|\n|"+strings.Repeat("wide", 50)+"|x|", "```\n"+strings.Repeat("code", 80)+"\n```", strings.Repeat("> ", 60)+"deep", strings.Repeat("  ", 40)+"- deep", strings.Repeat("1. ", 60)+"deep", "<!-- ", "<![CDATA[", "&", "<", "'\"`")
	return all
}

// Whatever anybody writes, in every field: in Chromium no script runs, no dialog opens,
// no request leaves, nothing is wider than a window of 320 px.
func TestHostileTexts(t *testing.T) {
	texts := hostile()
	if len(texts) < 500 {
		t.Fatalf("only %d texts", len(texts))
	}
	chromium := startChromium(t)
	net := instancetest.New(t, 2, nil)
	in := net.Instances[0]
	alice := net.Member(in, "alice")
	ctx := context.Background()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	fromPeers(t, net, alice, texts)
	own := fromMembers(t, net, alice, texts)

	b := window(t, chromium, in.Config.PublicURL, true)
	b.signedIn(newVisitor(t, in, "en"), "alice")
	w := watch(b)
	shown := 0
	for _, list := range []string{"/public", "/notifications", "/directory", "/groups"} {
		for path := list; path != ""; {
			seen := w.look(path)
			shown, path = shown+seen.Articles, seen.Next
		}
	}
	if shown < 3*len(texts) {
		t.Errorf("only %d entries were shown", shown)
	}
	for _, path := range own {
		w.look(path)
	}
	for i := 0; i < len(texts); i += 350 {
		text := strings.ToValidUTF8(texts[i], "")
		if err := in.Social.SetOrganisation(ctx, social.Organisation{Name: "x" + texts[i], Group: "y" + texts[i]}, "test"); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/find?q=", "/compose?text=", "/directory?q=", "/?done=", "/none?"} {
			w.look(path + url.QueryEscape(text))
		}
	}
	if len(w.left()) > 0 {
		t.Errorf("requests to others: %v", w.left())
	}
	t.Logf("%d texts, %d entries on pages", len(texts), shown)
}

// first cuts a text as the place for it does.
func first(s string, n int) string { return string([]rune(s)[:min(n, len([]rune(s)))]) }

// fromPeers writes each text into every field that another server fills.
func fromPeers(t *testing.T, net *instancetest.Network, alice social.Reader, texts []string) {
	t.Helper()
	ctx := context.Background()
	in, other := net.Instances[0], net.Instances[1]
	found, err := in.Social.FindHandle(ctx, alice, instancetest.Handle(other, net.Member(other, "mallory")))
	if err != nil {
		t.Fatal(err)
	}
	html, begin := in.Social.Text, time.Now().Add(-time.Hour)
	plain := func(i, n int) string { return first(strings.ToValidUTF8(texts[i%len(texts)], ""), n) }
	err = in.DB.Tx(ctx, func(tx social.Tx) error {
		for i, text := range texts {
			now := begin.Add(time.Duration(i) * time.Millisecond)
			a := *found
			a.ID, a.Username, a.URI = social.NewID(now), fmt.Sprintf("m%d", i), fmt.Sprintf("%s/%d", found.URI, i)
			a.DisplayName, a.Note = plain(i, 200), html.Sanitize(text)
			a.Fields = []social.Field{{Name: plain(i+1, 100), Value: html.Sanitize(texts[(i+1)%len(texts)])}}
			if err := tx.InsertAccount(ctx, &a); err != nil {
				return err
			}
			p := &social.Post{ID: social.NewID(now), AuthorID: a.ID, Kind: social.PostArticle, URI: a.URI + "/1", Title: plain(i+2, 200), Summary: plain(i+3, 500),
				Content: html.Sanitize(text), Audience: social.Audience{Kind: social.AudienceCompany, Owner: a.Authority}, PublishedAt: now, ArrivedAt: now, Version: 1,
				Attachments: []social.Attachment{{Kind: "unknown", URL: plain(i+4, 200), Name: plain(i+5, 200), Description: plain(i+6, 500)}},
				Poll:        &social.Poll{Options: []social.PollOption{{Title: plain(i+7, 100)}, {Title: plain(i+8, 100)}}}}
			if i%3 == 0 {
				p.Summary = "" // what stands behind a lid is not laid out
			}
			p.ThreadID, p.Poll.PostID = p.ID, p.ID
			if err := tx.InsertPost(ctx, p); err != nil {
				return err
			}
			if i%2 == 0 {
				err := tx.InsertNotification(ctx, &social.Notification{ID: social.NewID(now), AccountID: alice.Account.ID, Kind: social.NotifyMention, FromID: a.ID, PostID: p.ID, CreatedAt: now})
				if err != nil {
					return err
				}
			}
			err := tx.PutPerson(ctx, &social.Person{ID: social.NewID(now), URI: a.URI, Peer: a.Authority, Version: 1, SyncedAt: now, Username: a.Username, Host: a.Host, Name: "x" + plain(i, 200),
				Department: plain(i+1, 200), Title: plain(i+2, 200), Skills: []string{plain(i+3, 100)}, Languages: []string{plain(i+4, 100)}, Location: plain(i+5, 200), Pronouns: plain(i+6, 100)})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fromMembers writes each text into every field that members fill, and answers pages
// of their own.
func fromMembers(t *testing.T, net *instancetest.Network, alice social.Reader, texts []string) (pages []string) {
	t.Helper()
	ctx := context.Background()
	in := net.Instances[0]
	refused := map[string]int{}
	try := func(what string, err error) bool {
		if err != nil && social.KindOf(err) != social.Invalid && social.KindOf(err) != social.Limited {
			t.Fatalf("%s: %v", what, err)
		}
		if err != nil {
			refused[what]++
		}
		return err == nil
	}
	for i := 0; i < len(texts); i += 2 {
		text, next := texts[i], texts[(i+1)%len(texts)]
		d := social.Draft{Text: text + "\n\n" + next, Audience: "company", Summary: first(next, 200)}
		switch i % 3 {
		case 0:
			m, err := in.Social.Upload(ctx, alice, social.Upload{Name: next + ".txt", Description: first(next, 1000), Body: strings.NewReader("text")})
			if try("file", err) {
				d.Summary, d.MediaIDs = "", []social.ID{m.ID}
			}
		case 1:
			d.Summary, d.Poll = "", &social.PollDraft{Options: []string{"x" + first(next, 40), "y" + first(text, 40)}, ExpiresIn: time.Hour}
		}
		p, err := in.Social.Publish(ctx, alice, d)
		if try("post", err) && i%50 == 0 {
			at := "/posts/" + p.Post.ID.String()
			pages = append(pages, "/@alice/"+p.Post.ID.String(), at+"/edit", at+"/delete")
		}
		if i%10 == 0 {
			g, err := in.Social.CreateGroup(ctx, alice, social.NewGroup{Name: fmt.Sprintf("g%d", i), DisplayName: "x" + first(text, 60), Purpose: text})
			if try("group", err) && i%300 == 0 {
				at := "/groups/" + g.Account.ID.String()
				pages = append(pages, at, at+"/edit", at+"/members")
			}
		}
	}
	for i := 0; i < len(texts); i += 40 {
		d, err := in.Social.SaveDraft(ctx, alice, social.Draft{Text: "x" + texts[i], Audience: "company", Summary: first(texts[i+1], 200), Poll: &social.PollDraft{Options: []string{first(texts[i+2], 40)}}})
		if try("draft", err) && i%200 == 0 {
			pages = append(pages, "/drafts/"+d.ID.String())
		}
	}
	name, note := "x"+texts[3], strings.Join(texts[:12], "\n\n")
	_, err := in.Social.UpdateProfile(ctx, alice, social.ProfileChange{DisplayName: &name, Note: &note, Fields: []social.Field{{Name: "x" + texts[0], Value: texts[1]}}})
	try("profile", err)
	for what, n := range refused {
		if t.Logf("%s: %d refused", what, n); n > len(texts)/4 {
			t.Errorf("%s: %d of %d refused; they prove nothing", what, n, len(texts))
		}
	}
	return append(pages, "/drafts", "/@alice", "/settings", "/settings/directory")
}

// watcher notices what a page does that it must not.
type watcher struct {
	*browser
	mu   sync.Mutex
	away []string // requests to others, and dialogs
}

func watch(b *browser) *watcher {
	b.Helper()
	w := &watcher{browser: b}
	if _, err := chromedp.Call(b.ctx, network.SetBypassServiceWorker, network.SetBypassServiceWorkerParams{Bypass: true}); err != nil {
		b.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.Fatal(err)
	}
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.forbidden = []; addEventListener("securitypolicyviolation", e => forbidden.push(e.violatedDirective + " " + e.blockedURI))`})
	if err != nil {
		b.Fatal(err)
	}
	b.do("width", chromedp.EmulateViewport(320, 700))
	requests, dialogs := chromedp.Events(b.ctx, network.RequestWillBeSent), chromedp.Events(b.ctx, page.JavascriptDialogOpening)
	go func() {
		for e, err := range requests {
			if err != nil {
				return
			}
			if u, err := url.Parse(e.Request.URL); err != nil || (u.Scheme+"://"+u.Host != b.base && u.Scheme != "about" && u.Scheme != "data") { // the browser draws its own fields by data
				w.mu.Lock()
				w.away = append(w.away, e.Request.URL)
				w.mu.Unlock()
			}
		}
	}()
	go func() {
		for _, err := range dialogs {
			if err != nil {
				return
			}
			w.mu.Lock()
			w.away = append(w.away, "a dialog")
			w.mu.Unlock()
		}
	}()
	return w
}

func (w *watcher) left() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.away
}

// seen is what a page showed.
type seen struct {
	Articles int
	Next     string
}

// look opens a page and holds it against the rules.
func (w *watcher) look(path string) seen {
	w.Helper()
	w.open(path)
	var found struct {
		seen
		Status                          int
		Owned, Forbidden, Foreign, Wide string
	}
	err := json.Unmarshal([]byte(w.ask(`Promise.resolve().then(() => {
		document.querySelectorAll("details").forEach(d => d.open = true);
		const over = [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".quiet-text, .icon"));
		const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
		return JSON.stringify({
			Articles: document.querySelectorAll("main article, main .told").length,
			Next: document.querySelector("main .older a")?.getAttribute("href") ?? "",
			Status: performance.getEntriesByType("navigation")[0].responseStatus,
			Owned: String(window.owned ?? ""),
			Forbidden: forbidden.join(", "),
			Foreign: [...document.querySelectorAll('script:not([src^="/static/"]), iframe, object, embed, base, meta[http-equiv], style, marquee, math, svg:not(.icon), [style], main form:not([action^="/"]), main link, a[href^="javascript" i], a[href^="data" i], main #main')]
				.concat([...document.querySelectorAll("*")].filter(e => e.getAttributeNames().some(n => n.startsWith("on")))).map(e => e.outerHTML.slice(0, 200)).join("\n"),
			Wide: wide > 0 ? wide + " px: " + over.slice(-2).map(e => e.outerHTML.slice(0, 300)).join("\n") : "",
		});
	})`)), &found)
	if err != nil {
		w.Fatal(err)
	}
	if found.Status != http.StatusOK && !strings.HasPrefix(path, "/none") {
		w.Fatalf("%s: status %d\n%s", path, found.Status, w.html())
	}
	if found.Owned+found.Forbidden+found.Foreign != "" {
		w.Errorf("%s: ran %q, tried %q, holds %q", path, found.Owned, found.Forbidden, found.Foreign)
	}
	if found.Wide != "" {
		w.Errorf("%s is wider than the window by %s", path, found.Wide)
	}
	return found.seen
}

package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// cast is four servers that the journeys share: a headquarters with its sister, a
// partner of both, and a stranger whom both admit. Everybody follows Ann.
type cast struct {
	net     *instancetest.Network
	workers map[*instance.Instance]func() // ends them
	*testing.T
	chromium                      context.Context
	hq, sister, partner, stranger *instance.Instance
	ann, ada, ben, pia, stan      social.Reader
	annAt                         map[*instance.Instance]string // her handle, as it stands in addresses there
	password                      string
	pictureFile, documentFile     string
}

func TestJourneys(t *testing.T) {
	c := newCast(t)
	for _, j := range []struct {
		name string
		run  func(*cast)
	}{
		{"no leak", noLeak}, {"follow across", followAcross}, {"a thread with a partner", threadWithPartner}, {"taken back outside", takenBackOutside}, {"files in a closed group", filesInGroup},
		{"a phone", onPhone}, {"keyboard alone", byKeyboard}, {"shortcuts", byShortcuts}, {"language and theme", looks}, {"report and block", reportAndBlock}, {"a sister stands still", sisterStops}, {"a partner is lowered", partnerIsLowered},
	} {
		t.Run(j.name, func(t *testing.T) {
			start := time.Now()
			here := *c
			here.T = t
			j.run(&here)
			t.Logf("%v", time.Since(start).Round(time.Millisecond))
		})
	}
}

func newCast(t *testing.T) *cast {
	t.Helper()
	chromium := startChromium(t)
	net := instancetest.NewWith(t, 4, instancetest.Options{Apart: true})
	c := &cast{T: t, chromium: chromium, hq: net.Instances[0], sister: net.Instances[1], partner: net.Instances[2], stranger: net.Instances[3], net: net, workers: map[*instance.Instance]func(){}, password: "a long password of a person"}
	ctx := context.Background()
	for i, in := range net.Instances {
		c.must(in.Social.SetOrganisation(ctx, social.Organisation{Name: []string{"Muster Zentrale", "Muster Logistik", "ACME Parts", "Elsewhere"}[i], Group: []string{"Muster Group", "Muster Group", "", ""}[i]}, "test"))
		c.must(in.Social.FinishSetUp(ctx))
	}
	net.Pair(c.hq, c.sister)
	for _, ours := range []*instance.Instance{c.hq, c.sister} {
		code, err := ours.Social.Invite(ctx, social.InviteRequest{Host: c.partner.Social.HomeAuthority(), Zone: social.Zone{Kind: social.ZonePartner, Name: "acme"}, By: "test"})
		c.must(err)
		_, err = c.partner.Social.Accept(ctx, code.String(), social.Zone{Kind: social.ZonePartner, Name: "muster"}, nil, "test")
		c.must(err)
		net.Zone(ours, c.stranger, social.Zone{Kind: social.ZonePublic})
		net.Zone(c.stranger, ours, social.Zone{Kind: social.ZonePublic})
	}
	c.ann, c.ada, c.ben, c.pia, c.stan = net.Member(c.hq, "ann"), net.Member(c.hq, "ada"), net.Member(c.sister, "ben"), net.Member(c.partner, "pia"), net.Member(c.stranger, "stan")
	c.annAt = map[*instance.Instance]string{c.hq: "@ann", c.sister: instancetest.Handle(c.hq, c.ann), c.partner: instancetest.Handle(c.hq, c.ann), c.stranger: instancetest.Handle(c.hq, c.ann)}
	for _, r := range []struct {
		in *instance.Instance
		r  social.Reader
	}{{c.hq, c.ada}, {c.sister, c.ben}, {c.partner, c.pia}, {c.stranger, c.stan}} {
		ann, err := r.in.Social.FindHandle(ctx, r.r, instancetest.Handle(c.hq, c.ann))
		c.must(err)
		_, err = r.in.Social.Follow(ctx, r.r, ann.ID, social.FollowOptions{})
		c.must(err)
	}
	net.Settle()
	for _, in := range net.Instances {
		c.work(in)
	}
	dir := t.TempDir()
	c.pictureFile, c.documentFile = filepath.Join(dir, "plan.png"), filepath.Join(dir, "plan.pdf")
	c.must(os.WriteFile(c.pictureFile, picture(t), 0o600))
	c.must(os.WriteFile(c.documentFile, []byte(document), 0o600))
	return c
}

// document is a PDF of one empty page.
const document = "%PDF-1.4\n% what only some may read\n" +
	"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\n" +
	"trailer<</Root 1 0 R>>\n%%EOF\n"

// administrator of the headquarters.
func (c *cast) administrator(name string) social.Reader {
	c.Helper()
	a, err := c.hq.Social.CreateAccount(context.Background(), social.NewAccount{Username: name, Role: social.RoleAdmin})
	c.must(err)
	return social.Member(a, c.hq.Social.HomeAuthority())
}

// Ann reports what a stranger wrote; an administrator reads it with the post, blocks the
// stranger's server for a reason and closes the report. Ann sees the post no more, the
// sister goes on as before, and the record of decisions is whole.
func reportAndBlock(c *cast) {
	stan, ann := c.window(c.stranger, c.stan), c.window(c.hq, c.ann)
	c.net.Zone(c.sister, c.stranger, social.Zone{Kind: social.ZonePublic})
	stan.write("/compose", "public", instancetest.Handle(c.hq, c.ann)+" a word that hurts")
	ann.until("/notifications", "a word that hurts")
	known, err := c.hq.Social.FindHandle(context.Background(), c.ann, instancetest.Handle(c.stranger, c.stan))
	c.must(err)
	hurts, err := c.hq.Social.AccountPosts(context.Background(), c.ann, known.ID, social.Page{Limit: 1}, social.PostFilter{})
	c.must(err)
	ann.open("/accounts/" + known.ID.String() + "/report?post=" + hurts[0].Post.ID.String())
	ann.fill("comment", "this hurts")
	ann.press("//main", "Send the report")
	root := c.window(c.hq, c.administrator("rita"))
	root.open("/admin")
	root.press("//main", "Look after it")
	root.says("this hurts", "stan")
	root.do("unfold", chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("main details").forEach(d => d.open = true)`))
	root.press("//main", "Take it down")
	root.says("The post is taken down")
	ann.open("/notifications")
	if shown := ann.text(); strings.Contains(shown, "a word that hurts") {
		c.Errorf("what was taken down is still shown:\n%s", shown)
	}
	root.open("/admin/servers/" + c.stranger.Config.Domain)
	root.do("block", chromedp.SetValue(chromedp.CSS("main [name=level]"), "blocked"))
	root.fill("reason", "hurts people")
	root.press("//main", "Change what it is to us")
	root.says("Blocked", "hurts people")
	root.open("/admin/reports")
	root.press("//main", "Dealt with")
	root.says("The report is closed.")
	ann.until("/notifications", "the moderators have dealt with it")
	root.open("/admin/work")
	root.press("//main", "Check it")
	root.says("rows are whole", "Post taken down", "hurts people")
	ben := c.window(c.sister, c.ben)
	ben.write("/compose", "company", "ben goes on as before")
	ann.until("/company", "ben goes on as before")
}

// work runs the workers of one server until it is stopped or the test ends.
func (c *cast) work(in *instance.Instance) {
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, r := range in.Runners() {
		wg.Go(func() { r.Run(ctx) })
	}
	c.workers[in] = sync.OnceFunc(func() { stop(); wg.Wait() })
	c.Cleanup(c.workers[in])
}

func (c *cast) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// window opens one at a server, signed in as somebody unless nobody is named.
func (c *cast) window(in *instance.Instance, who social.Reader) *browser {
	c.Helper()
	b := window(c.T, c.chromium, in.Config.PublicURL, true)
	b.do("size", chromedp.EmulateViewport(1280, 900))
	if who.Account != nil {
		atOnce := 0
		_, err := in.Social.UpdateProfile(context.Background(), who, social.ProfileChange{UndoSeconds: &atOnce})
		c.must(err)
		text, err := in.Auth.Begin(context.Background(), who.Account.ID, "test")
		c.must(err)
		b.cookie(web.CookieName(in.Config.Domain), text)
	}
	return b
}

func (b *browser) cookie(name, value string) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: b.base}); err != nil {
		b.Fatal(err)
	}
}

// find is a post as its reader has it on the start page or
// on their own profile, once it is there.
func (c *cast) find(in *instance.Instance, who social.Reader, text string) *social.PostView {
	c.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		views, err := in.Social.Home(context.Background(), who, social.Page{Limit: 40})
		c.must(err)
		own, err := in.Social.AccountPosts(context.Background(), who, who.Account.ID, social.Page{Limit: 40}, social.PostFilter{})
		c.must(err)
		for _, v := range append(own, views...) {
			if v.Boost == nil && strings.Contains(v.Post.Content, text) {
				return v
			}
		}
	}
	c.Fatalf("%q never arrives", text)
	return nil
}

// fileOf is the address of a post's file at its author's server.
func fileOf(v *social.PostView) string {
	return fmt.Sprintf("/media/%s/original", v.Post.Attachments[0].MediaID)
}

const composing = `form[action="/posts"]`

// write fills the form of a page and publishes: a text for a circle, and files by their paths.
func (b *browser) write(path, audience, text string, files ...string) {
	b.Helper()
	b.open(path)
	field := chromedp.CSS(composing + ` [name=text]`)
	b.do("write", chromedp.Focus(field), chromedp.SendKeys(field, kb.End+text))
	if audience != "" {
		b.do("choose "+audience, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
			const form = document.querySelector(%q), value = %q;
			const option = [...form.querySelectorAll("[name=audience] option")].find(o => o.value == value);
			if (!option) return form.querySelector("input[name=audience][value=" + CSS.escape(value) + "]").click();
			option.selected = true;
			option.closest("select").dispatchEvent(new Event("change", {bubbles: true}));
		})()`, composing, audience)))
	}
	reach, asks := "", ""
	switch {
	case strings.HasPrefix(audience, "partner:"):
		reach, asks = "partner", "to:"+audience
	case audience == "public" || audience == "unlisted":
		reach, asks = "outside", "outside"
	}
	if reach != "" {
		b.waits("it is said that it leaves the company", fmt.Sprintf(`(e => e.checkVisibility() && getComputedStyle(e).borderColor != getComputedStyle(document.querySelector(".means:not(.partner, .outside)")).borderColor &&
			/leaves the company|outside the company/.test(e.innerText))(document.querySelector(%q))`, composing+" .means."+reach+":not([hidden])"))
	}
	if len(files) > 0 {
		b.do("attach", chromedp.SetUploadFiles(chromedp.CSS(composing+` input[type=file]`), files[:1]))
		b.waits("it is uploaded", fmt.Sprintf(`!!document.querySelector(%q)`, composing+" [name^=description-]"))
		b.do("describe", chromedp.SetValue(chromedp.CSS(composing+` [name^=description-]`), files[1]))
	}
	b.submit(composing)
	if asks != "" {
		yes := fmt.Sprintf("%s button[name=%q]", composing, asks)
		b.waits("it is asked once more", fmt.Sprintf(`document.readyState == "complete" && !!document.querySelector(%q) && /nobody can call it back/i.test(document.querySelector("main").innerText)`, yes))
		b.do("confirm", chromedp.Focus(chromedp.CSS(yes)), chromedp.SendKeys(chromedp.CSS(yes), kb.Enter))
	}
	b.taken(text)
}

// submit presses the button of a form, without looking what comes of it.
func (b *browser) submit(form string) {
	b.Helper()
	button := chromedp.CSS(form + ` button.main`)
	b.do("submit", chromedp.Focus(button), chromedp.SendKeys(button, kb.Enter))
}

// taken waits until what was written stands in the form no more.
func (b *browser) taken(text string) {
	b.Helper()
	b.waits("it is published", fmt.Sprintf(`document.readyState == "complete" && !document.querySelector(%q)?.value.includes(%q)`, composing+" [name=text]", text))
}

// waits until an expression is true on the page, or on the one that follows.
func (b *browser) waits(what, expression string) {
	b.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if b.is(expression) {
			return
		}
	}
	b.Fatalf("does not happen: %s\n%s", what, b.html())
}

// is asks the page; one that goes while it is asked does not answer.
func (b *browser) is(expression string) bool {
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
	defer cancel()
	yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
	return err == nil && yes
}

type answer struct {
	Status int
	Body   string
}

// asks gets addresses of the window's own server as its person.
func (b *browser) asks(addresses ...string) []answer {
	b.Helper()
	list, err := json.Marshal(addresses)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[[]answer](fmt.Sprintf(`Promise.all(%s.map(a => fetch(a).then(async r => ({Status: r.status, Body: await r.text()}))))`, list), chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatal(err)
	}
	return got
}

// One canary for each circle, written on the composer's page with a file: in every
// window exactly those are seen that are meant for it.
func noLeak(c *cast) {
	ann := c.window(c.hq, c.ann)
	circles := []string{"direct", "followers", "instance", "company", "partner:acme", "unlisted", "public"}
	word := func(circle string) string { return "canary" + strings.ReplaceAll(circle, ":", "") }
	posts := map[string]*social.PostView{}
	for _, circle := range circles {
		text := word(circle) + " sings"
		if circle == "direct" {
			text = instancetest.Handle(c.sister, c.ben) + " " + text
		}
		ann.write("/compose", circle, text, c.documentFile, "the song of "+word(circle))
		if posts[circle] = c.find(c.hq, c.ann, word(circle)); string(posts[circle].Post.Audience.Kind) != strings.Split(circle, ":")[0] {
			c.Fatalf("for %s the form published for %v", circle, posts[circle].Post.Audience)
		}
	}
	open := []string{"unlisted", "public"}
	for _, v := range []struct {
		name string
		in   *instance.Instance
		who  social.Reader
		sees []string
	}{
		{"a colleague", c.hq, c.ada, append([]string{"followers", "instance", "company", "partner:acme"}, open...)},
		{"the colleague at the sister", c.sister, c.ben, append([]string{"direct", "followers", "company", "partner:acme"}, open...)},
		{"the partner", c.partner, c.pia, append([]string{"followers", "partner:acme"}, open...)},
		{"the stranger", c.stranger, c.stan, append([]string{"followers"}, open...)},
		{"nobody", c.hq, social.Reader{}, open},
	} {
		b := c.window(v.in, v.who)
		b.open("/sign-in")
		want := map[string]bool{}
		for _, circle := range v.sees {
			want[circle] = true
		}
		seen := map[string]bool{}
		look := func(shown string) {
			for _, circle := range circles {
				if strings.Contains(shown, word(circle)+" sings") {
					seen[circle] = true
				}
			}
		}
		pages := []string{"/", "/public", "/company", "/here", "/find?q=canary", "/" + c.annAt[v.in]}
		for _, circle := range circles {
			pages = append(pages, "/find?q="+url.QueryEscape(word(circle)), "/find?q="+url.QueryEscape(posts[circle].Post.URI))
		}
		for deadline := time.Now().Add(30 * time.Second); ; {
			for _, a := range b.asks(pages...) {
				look(a.Body)
			}
			if maps.Equal(seen, want) || time.Now().After(deadline) {
				break
			}
		}
		for _, path := range pages[:6] {
			b.open(path)
			look(b.text())
		}
		if !maps.Equal(seen, want) {
			c.Errorf("%s sees %v, not %v", v.name, slices.Sorted(maps.Keys(seen)), v.sees)
		}
		c.addresses(b, v.name, v.in, posts, want)
	}
}

// addresses asks for the thread and the file of each post: at the author's server by
// where they stand, elsewhere by what the profile links to, and by the link that
// somebody passed on.
func (c *cast) addresses(b *browser, who string, in *instance.Instance, posts map[string]*social.PostView, want map[string]bool) {
	c.Helper()
	status := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}
	if in == c.hq {
		for circle, p := range posts {
			for i, a := range b.asks("/@ann/"+p.Post.ID.String(), fileOf(p)) {
				if a.Status != status[want[circle]] {
					c.Errorf("%s: %s of %s answers %d", who, []string{"the thread", "the file"}[i], circle, a.Status)
				}
			}
		}
		return
	}
	files, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("main .file a, main a.picture")].map(a => a.href)`))
	c.must(err)
	if len(files) < len(want)-1 { // a personal message does not stand on the profile
		c.Errorf("%s finds %d files of %d", who, len(files), len(want))
	}
	for i, a := range b.asks(files...) {
		if a.Status != http.StatusOK || a.Body != document {
			c.Errorf("%s: %s answers %d", who, files[i], a.Status)
		}
	}
	for circle, p := range posts {
		if circle != "public" && circle != "unlisted" {
			b.open(p.Post.URI)
			if shown := b.text(); strings.Contains(shown, "canary") {
				c.Errorf("%s: the link to %s shows %s", who, circle, shown)
			}
		}
	}
}

// Ann finds Ben in the directory, follows him, reads his last posts and sees the next.
func followAcross(c *cast) {
	ann, ben := c.window(c.hq, c.ann), c.window(c.sister, c.ben)
	ben.write("/compose", "company", "an older thought of ben")
	ann.until("/directory?q=ben", "@ben@")
	ann.open("/directory?q=nobody")
	ann.says("Nobody found")
	query := chromedp.CSS(`main [name=q]`)
	ann.do("type", chromedp.SendKeys(query, kb.End+strings.Repeat(kb.Backspace, 6)+"be"))
	ann.waits("who is sought appears while one types", `document.querySelector("main").innerText.includes("@ben@") && document.querySelector("[role=status]").textContent == "1 person" && location.search == "?q=be"`)
	ann.press(within("@ben@"), "Follow")
	start := time.Now()
	ann.until("/", "an older thought of ben")
	c.Logf("his last posts after %v", time.Since(start).Round(time.Millisecond))
	ann.open("/")
	start = time.Now()
	ben.write("/", "company", "a fresh thought of ben")
	ann.waits("his next post appears by itself", `document.querySelector("[role=feed]").innerText.includes("a fresh thought of ben")`)
	c.Logf("his next one after %v", time.Since(start).Round(time.Millisecond))
	_, err := c.hq.Social.IndexPosts(context.Background())
	c.must(err)
	ann.open("/find?q=" + url.QueryEscape("thoughts von:"+instancetest.Handle(c.sister, c.ben)))
	ann.says("a fresh thought of ben", "an older thought of ben")
	ann.open("/find?q=thoughts&from=ada")
	ann.says("Nothing found.")
	ann.open("/")
	ann.do("read further below", chromedp.Evaluate[chromedp.Void](`(() => { document.body.append(Object.assign(document.createElement("p"), {className: "tall"})); document.querySelector(".tall").style.height = "5000px"; scrollTo({top: 3000, behavior: "instant"}); })()`))
	ben.write("/", "company", "a late thought of ben")
	ann.waits("it is said that there are new posts", `!!document.querySelector("button.fresh")`)
	if ann.is(`document.body.innerText.includes("a late thought of ben")`) {
		c.Error("what is read moved")
	}
	ann.do("show them", chromedp.SendKeys(chromedp.CSS("button.fresh"), kb.Enter))
	ann.waits("they are shown", `document.querySelector("[role=feed] > article").innerText.includes("a late thought of ben")`)
	ben.open("/@ben")
	ben.press(within("a late thought of ben"), "Delete")
	ben.press("//main", "Delete for ever")
	ann.waits("a deleted post goes by itself", `!document.body.innerText.includes("a late thought of ben")`)

	root := "/@ben@" + c.sister.Config.Domain + "/" + c.find(c.hq, c.ann, "a fresh thought of ben").Post.ID.String()
	ann.open(root)
	fresh := c.find(c.sister, c.ben, "a fresh thought of ben")
	ben.write("/@ben/"+fresh.Post.ID.String(), "", "an answer of ben to himself")
	ann.waits("an answer appears by itself", `!!document.querySelector("[data-fresh] > article.depth-1") && document.body.innerText.includes("an answer of ben to himself")`)
	ann.open("/")
	ben.write("/@ben/"+fresh.Post.ID.String(), "", "another answer of ben")
	c.find(c.hq, c.ann, "another answer of ben")
	ann.open(root)
	ann.waits("what came since is marked", `(() => {
		const marked = [...document.querySelectorAll("article.post")].filter(a => a.querySelector(".facts .count"));
		return marked.length == 1 && marked[0].innerText.includes("another answer of ben") && document.querySelector("main > a.button").hash == "#" + marked[0].id;
	})()`)
}

// A chain of replies of three companies is one thread; nobody can choose a wider
// circle, an answer for fewer is missing where it may not be read, an edit is marked
// and a deletion crosses over.
func threadWithPartner(c *cast) {
	ann, ben, pia := c.window(c.hq, c.ann), c.window(c.sister, c.ben), c.window(c.partner, c.pia)
	ann.write("/compose", "partner:acme", "which week suits all of us?")
	reply := func(b *browser, in *instance.Instance, who social.Reader, to, audience, text string) {
		v := c.find(in, who, to)
		path := fmt.Sprintf("/@%s/%s", v.Author.Acct(), v.Post.ID)
		b.open(path)
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.value).join(" ")`, composing+" [name=audience] option, "+composing+" input[name=audience]")))
		c.must(err)
		for _, wide := range []string{"public", "unlisted"} {
			if slices.Contains(strings.Fields(got), wide) {
				c.Errorf("%s may answer %q for %s: %s", who.Account.Username, to, wide, got)
			}
		}
		b.write(path, audience, text)
	}
	reply(ben, c.sister, c.ben, "which week", "", "week nine suits ben")
	piaHas := c.find(c.partner, c.pia, "which week")
	pia.until("/@"+piaHas.Author.Acct()+"/"+piaHas.Post.ID.String(), "week nine suits ben")
	reply(pia, c.partner, c.pia, "which week", "", "week nine suits pia")
	reply(ben, c.sister, c.ben, "which week", "company", "only among us: pia is late")
	root := "/@ann/" + c.find(c.hq, c.ann, "which week").Post.ID.String()
	ann.until(root, "only among us")
	ann.until(root, "week nine suits pia")
	shown := ann.text()
	order := []int{strings.Index(shown, "which week suits"), strings.Index(shown, "week nine suits ben"), strings.Index(shown, "week nine suits pia")}
	if !slices.IsSorted(order) || order[0] < 0 {
		c.Errorf("the thread stands in the order %v:\n%s", order, shown)
	}
	ann.open("/compose")
	ann.do("choose the company", chromedp.SetValue(chromedp.CSS(composing+" [name=audience]"), "company"))
	ann.fill("text", "look "+instancetest.Handle(c.partner, c.pia))
	ann.submit(composing)
	ann.waits("it is said that pia will not see it", fmt.Sprintf(`!!document.querySelector(%q) && document.body.innerText.includes("will not see this post")`, composing+" button[name=named]"))
	pia.open("/@" + piaHas.Author.Acct() + "/" + piaHas.Post.ID.String())
	if shown := pia.text(); strings.Contains(shown, "only among us") || !strings.Contains(shown, "week nine suits ben") {
		c.Errorf("the partner reads\n%s", shown)
	}

	among := func(in *instance.Instance, who social.Reader, root social.ID, text string) string {
		_, below, err := in.Social.Thread(context.Background(), who, root)
		c.must(err)
		i := slices.IndexFunc(below, func(v *social.PostView) bool { return strings.Contains(v.Post.Content, text) })
		if i < 0 {
			c.Fatalf("%q is not in the thread", text)
		}
		return fmt.Sprintf("/@%s/%s", below[i].Author.Acct(), below[i].Post.ID)
	}
	question := c.find(c.hq, c.ann, "which week").Post.ID
	ann.write(among(c.hq, c.ann, question, "week nine suits ben"), "", "then nine it is")
	pia.until("/@"+piaHas.Author.Acct()+"/"+piaHas.Post.ID.String(), "then nine it is")
	ben.open("/@ben")
	ben.press(within("week nine suits ben"), "Edit")
	ben.fill("text", " best")
	ben.press("//main", "Save")
	ann.until(root, "week nine suits ben best")
	ann.says("edited")
	of := among(c.hq, c.ann, question, "week nine suits ben best")
	ann.open("/posts" + of[strings.LastIndexByte(of, '/'):] + "/history")
	ann.waits("the difference is shown", `document.querySelector("main ins")?.innerText.includes("best") && document.querySelector("main .changes").innerText.includes("week nine suits ben")`)
	ben.open("/@ben")
	ben.press(within("week nine suits ben best"), "Delete")
	ben.press("//main", "Delete for ever")
	for deadline := time.Now().Add(30 * time.Second); strings.Contains(ann.text(), "suits ben"); ann.open(root) {
		if time.Now().After(deadline) {
			c.Fatal("the deletion did not cross over")
		}
	}
	const gap = "What this answers is gone, or not for you."
	ann.says(gap, "then nine it is")
	there := "/@" + piaHas.Author.Acct() + "/" + piaHas.Post.ID.String()
	pia.until(there, gap)
	pia.says("then nine it is")
	if shown := pia.text(); strings.Contains(shown, "suits ben") {
		c.Errorf("the partner still reads\n%s", shown)
	}
}

// What everybody could read is edited and deleted: the stranger's server follows.
func takenBackOutside(c *cast) {
	c.net.Zone(c.hq, c.stranger, social.Zone{Kind: social.ZonePublic})
	ann, stan := c.window(c.hq, c.ann), c.window(c.stranger, c.stan)
	ann.write("/compose", "public", "the fair begins on Monday")
	stan.until("/", "the fair begins on Monday")
	ann.open("/@ann")
	ann.press(within("the fair begins"), "Edit")
	ann.do("another day", chromedp.SetValue(chromedp.CSS(`main [name=text]`), "the fair begins on Tuesday"))
	ann.press("//main", "Save")
	stan.until("/", "the fair begins on Tuesday")
	stan.open("/posts/" + c.find(c.stranger, c.stan, "begins on Tuesday").Post.ID.String() + "/history")
	stan.waits("the difference is shown", `document.querySelector("main del")?.innerText.includes("Monday") && document.querySelector("main ins")?.innerText.includes("Tuesday")`)
	ann.open("/@ann")
	ann.press(within("the fair begins on Tuesday"), "Delete")
	ann.press("//main", "Delete for ever")
	for deadline := time.Now().Add(30 * time.Second); strings.Contains(stan.text(), "the fair begins"); stan.open("/") {
		if time.Now().After(deadline) {
			c.Fatal("the deletion did not reach the stranger")
		}
	}
}

// A picture and a document in a group on request, with members on two servers: both
// open them, and the links lead nobody else anywhere.
func filesInGroup(c *cast) {
	ann, ben := c.window(c.hq, c.ann), c.window(c.sister, c.ben)
	ann.open("/groups/new")
	ann.fill("display_name", "The Plan", "name", "plan", "purpose", "What we plan")
	ann.do("on request", chromedp.SetValue(chromedp.CSS("main [name=join]"), "request"))
	ann.submit(`main form[action="/groups"]`)
	ann.waits("the group's page", `/^.groups.[0-9]+$/.test(location.pathname)`)
	group, err := chromedp.Run(ann.ctx, chromedp.Evaluate[string](`location.pathname`))
	c.must(err)
	there, err := c.sister.Social.FindHandle(context.Background(), c.ben, "@plan@"+c.hq.Config.Domain)
	c.must(err)
	theirs := "/groups/" + there.ID.String()
	ben.open(theirs)
	ben.submit(`main form[action$="/join"]`)
	ben.waits("he has asked", `!!document.querySelector("main form[action$='/leave']")`)
	ann.until(group+"/members", "ben")
	ann.submit(`main form[action$="/approve"]`)
	ben.until(theirs, "What we plan")
	ann.write(group, "", "the plan as a picture", c.pictureFile, "A grey square that stands for a plan")
	ann.write(group, "", "the plan as a document", c.documentFile, "The plan in words")
	ben.until(theirs, "the plan as a picture")
	ben.until(theirs, "the plan as a document")
	ben.waits("the picture is shown", `[...document.images].some(i => i.alt == "A grey square that stands for a plan" && (i.scrollIntoView(), i.complete && i.naturalWidth > 0))`)
	links, err := chromedp.Run(ben.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("main .file a, main a.picture")].map(a => a.href)`))
	c.must(err)
	if len(links) != 2 {
		c.Fatalf("Ben has the links %v", links)
	}
	for i, a := range ben.asks(links...) {
		if a.Status != http.StatusOK {
			c.Errorf("Ben opens %s: %d", links[i], a.Status)
		}
	}
	for _, text := range []string{"the plan as a picture", "the plan as a document"} {
		v := c.find(c.hq, c.ann, text)
		links = append(links, c.hq.Config.PublicURL+fileOf(v), v.Post.URI)
	}
	pia := c.window(c.partner, c.pia)
	for _, link := range links {
		response, err := chromedp.RunResponse(pia.ctx, chromedp.Navigate(link))
		c.must(err)
		if response.Status != http.StatusNotFound {
			c.Errorf("Pia opens %s: %d", link, response.Status)
		}
	}
}

// A phone of 320 px with touch, dark and German, with scripts and without: sign in,
// read, answer, search.
func onPhone(c *cast) {
	german, atOnce := "de", 0
	_, err := c.hq.Social.UpdateProfile(context.Background(), c.ada, social.ProfileChange{Language: &german, UndoSeconds: &atOnce})
	c.must(err)
	c.must(c.hq.Auth.SetPassword(context.Background(), c.ada.Account.ID, c.password))
	_, err = c.hq.Social.Publish(context.Background(), c.ann, social.Draft{Text: "who reads this on the train?", Audience: "company"})
	c.must(err)
	for _, script := range []bool{true, false} {
		b := window(c.T, c.chromium, c.hq.Config.PublicURL, script)
		b.do("a phone", chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile, chromedp.EmulateTouch))
		_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		c.must(err)
		b.cookie(web.CookieName(c.hq.Config.Domain)+"_language", german)
		fits := func(step string) {
			c.Helper()
			b.waits(step+" fits, is dark and German", `document.documentElement.lang == "de" && document.documentElement.scrollWidth <= innerWidth && innerWidth <= 320 &&
				getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).every(n => n < 80)`)
		}
		b.open("/sign-in")
		fits("the sign-in page")
		b.fill("name", "ada", "password", c.password)
		b.tap(`form[action="/sign-in"] button.main`)
		b.waits("signed in", `location.pathname == "/" && !!document.querySelector("nav.ways")`)
		fits("home")
		b.says("who reads this on the train?")
		start, button := chromedp.CSS(`form.composer [name=text]`), `document.querySelector("form.composer button.main").checkVisibility()`
		b.waits("posts come first", "!"+button)
		b.do("begin to write", chromedp.Focus(start))
		b.waits("one can choose who sees it", button)
		b.do("look away", chromedp.Blur(start))
		b.waits("nothing was written", "!"+button)
		b.do("write", chromedp.Focus(start), chromedp.SendKeys(start, "Halb"), chromedp.Blur(start))
		b.waits("what is written can be published", button)
		b.do("think again", chromedp.SendKeys(start, strings.Repeat(kb.Backspace, 4)))
		b.open("/@ann/" + c.find(c.hq, c.ann, "on the train").Post.ID.String())
		fits("the thread")
		text := fmt.Sprintf("Ich, mit Skript: %v", script)
		field := chromedp.CSS(composing + ` [name=text]`)
		b.do("write", chromedp.Focus(field), chromedp.SendKeys(field, kb.End+text))
		b.tap(composing + ` button.main`)
		b.taken(text)
		b.until("/@ann/"+c.find(c.hq, c.ann, "on the train").Post.ID.String(), text)
		fits("the answer")
		b.tap(`nav.ways a.tab[href="/find"]`)
		b.waits("the search page", `location.pathname == "/find"`)
		query := chromedp.CSS(`main [name=q]`)
		b.do("search", chromedp.Focus(query), chromedp.SendKeys(query, "ann"+kb.Enter))
		b.waits("Ann is found", `location.search.includes("ann") && !!document.querySelector("main a[href='/@ann']")`)
		fits("what was found")
	}
}

func (b *browser) tap(selector string) {
	b.Helper()
	b.do("tap "+selector, chromedp.WaitReady(chromedp.CSS(selector)), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).scrollIntoView({block: "center", behavior: "instant"})`, selector)), chromedp.Tap(chromedp.CSS(selector)))
}

// Keys alone, from the sign-in page to a published answer; each stop of the focus can
// be seen, and axe-core finds nothing at any step.
// Single keys go through a list, act on a post and lead to pages; none does in a field, nor
// when they are switched off.
func byShortcuts(c *cast) {
	for _, text := range []string{"the older one", "the newer one"} {
		_, err := c.sister.Social.Publish(context.Background(), c.ben, social.Draft{Text: text, Audience: "company"})
		c.must(err)
	}
	b := c.window(c.sister, c.ben)
	inspect := c.axe(b)
	tap := func(keys string, modifiers ...chromedp.KeyOption) {
		c.Helper()
		b.do("press "+keys, chromedp.KeyEvent(keys, modifiers...))
	}
	at := func(text string) string {
		return fmt.Sprintf(`!!document.activeElement.closest("article.post")?.innerText.includes(%q)`, text)
	}
	b.open("/")
	tap("j")
	b.waits("the first post has the focus", at("the newer one"))
	tap("j")
	b.waits("the next one has", at("the older one"))
	tap("k")
	b.waits("and the first again", at("the newer one"))
	tap("f")
	b.waits("it is liked", `!!document.activeElement.closest("article.post").querySelector("form[action$='/unlike'] button[aria-pressed=true]")`)
	tap("?")
	b.waits("the keys are shown", `!!document.querySelector("dialog[open] table kbd")`)
	inspect("the list of shortcuts")
	tap(kb.Escape)
	b.waits("they are gone", `!document.querySelector("dialog")`)
	tap("k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	b.waits("pages can be chosen", `document.activeElement.getAttribute("role") == "combobox"`)
	tap("book")
	b.waits("one is found", `document.querySelectorAll("#commands li").length == 2`)
	inspect("the command menu")
	tap(kb.Enter)
	b.waits("it is open", `location.pathname == "/bookmarks" && document.readyState == "complete"`)
	tap("gh")
	b.waits("home", `location.pathname == "/" && document.readyState == "complete"`)
	tap("j")
	b.waits("the first post has the focus", at("the newer one"))
	tap("o")
	b.waits("it is open", `/^.@ben.[0-9]+$/.test(location.pathname) && document.readyState == "complete"`)
	tap("/")
	b.waits("the search has the focus", `document.activeElement.id == "seek"`)
	tap("gn?")
	b.waits("what is typed stands in the field", `document.querySelector("#seek").value.endsWith("gn?") && !document.querySelector("dialog")`)
	b.do("switch them off", chromedp.Evaluate[chromedp.Void](`(() => { document.documentElement.dataset.keys = "off"; document.activeElement.blur(); })()`))
	tap("?gn")
	if !b.is(`!document.querySelector("dialog") && location.pathname != "/notifications"`) {
		c.Error("switched off, the keys do something")
	}
}

func byKeyboard(c *cast) {
	c.must(c.sister.Auth.SetPassword(context.Background(), c.ben.Account.ID, c.password))
	_, err := c.sister.Social.Publish(context.Background(), c.ben, social.Draft{Text: "who can answer without a mouse?", Audience: "company"})
	c.must(err)
	b := window(c.T, c.chromium, c.sister.Config.PublicURL, true)
	inspect := c.axe(b)
	b.open("/sign-in")
	inspect("sign-in")
	b.keys(`main [name=name]`, "ben")
	b.keys(`main [name=password]`, c.password+kb.Enter)
	b.waits("signed in", `location.pathname == "/" && !!document.querySelector("nav.ways")`)
	inspect("home")
	b.keys(`a.skip`, kb.Enter)
	b.keys(`article footer a[href*="/@"]`, kb.Enter)
	b.waits("the thread", `document.readyState == "complete" && /^.@[^/]+.[0-9]+$/.test(location.pathname)`)
	inspect("thread")
	b.keys(composing+` [name=text]`, "I can, and gladly")
	b.keys(composing+` button.main`, kb.Enter)
	b.waits("the answer", `[...document.querySelectorAll("article")].some(a => a.innerText.includes("I can, and gladly"))`)
	inspect("answer")
}

// keys moves the focus by the tabulator until it stands on what a CSS selector names,
// looks that each stop can be seen, and types there.
func (b *browser) keys(selector, text string) {
	b.Helper()
	at := fmt.Sprintf(`document.activeElement.matches(%q)`, selector)
	for range 150 {
		if b.is(at) {
			b.waits("the focus can be seen on "+selector, focusSeen)
			b.do("type", chromedp.KeyEvent(text))
			return
		}
		b.do("tab", chromedp.KeyEvent(kb.Tab))
		b.waits("the focus can be seen", focusSeen)
	}
	b.Fatalf("the tabulator never reaches %s", selector)
}

const focusSeen = `(() => {
	const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
	return e == document.body || box.width > 0 && box.bottom > 0 && box.top < innerHeight && (e.id == "main" ||
		style.outlineStyle != "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow != "none")
})()`

// axe is a look with axe-core at the page as it stands, where it is installed.
func (c *cast) axe(b *browser) func(step string) {
	peers := os.Getenv("PARLEY_TEST_PEERS")
	if peers == "" {
		return func(string) {}
	}
	script, err := os.ReadFile(filepath.Join(peers, "node_modules", "axe-core", "axe.min.js"))
	c.must(err)
	_, err = chromedp.Call(b.ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}) // ours forbids the script of the test too
	c.must(err)
	return func(step string) {
		c.Helper()
		b.do("load axe", chromedp.Evaluate[chromedp.Void](string(script)))
		ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
		defer cancel()
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200))))`, chromedp.EvalAwaitPromise))
		c.must(err)
		if len(found) > 0 {
			c.Errorf("%s: %s", step, strings.Join(found, "\n"))
		}
	}
}

// A choice of language and of theme holds from page to page.
func looks(c *cast) {
	ann := c.window(c.hq, c.ann)
	ann.open("/settings")
	choose := func(name, value, holds string) {
		c.Helper()
		target := chromedp.CSS(fmt.Sprintf(`button[name=%s][value=%s]`, name, value))
		ann.do("choose "+value, chromedp.Focus(target), chromedp.SendKeys(target, kb.Enter))
		ann.waits(value, holds)
		ann.open("/groups")
		ann.waits(value+" holds", holds)
	}
	choose("language", "de", `document.documentElement.lang == "de"`)
	choose("theme", "dark", `getComputedStyle(document.documentElement).colorScheme == "dark"`)
	choose("theme", "light", `getComputedStyle(document.documentElement).colorScheme == "light"`)
	choose("language", "en", `document.documentElement.lang == "en"`)
	ann.waits("the device says where it is", `document.cookie.includes("_device_zone=" + Intl.DateTimeFormat().resolvedOptions().timeZone)`)
}

// The sister stands still while Ann writes: Ann reads that it has not arrived there
// yet, the administrator sees the queue grow and the sister red, and once the sister runs
// again that all is done; nothing stands there twice.
func sisterStops(c *cast) {
	ann, pia := c.window(c.hq, c.ann), c.window(c.partner, c.pia)
	root := c.window(c.hq, c.administrator("rolf"))
	// waiting is what the page of work says about the sister.
	waiting := func() string {
		root.open("/admin/work")
		return root.ask(fmt.Sprintf(`document.querySelector("section[aria-label='%s'] .facts span")?.textContent ?? ""`, c.sister.Config.Domain))
	}
	red := func() bool {
		root.open("/admin")
		return root.is(`[...document.querySelectorAll(".figures .bad")].some(e => e.innerText.includes("Servers that do not answer") &&
			getComputedStyle(e).borderColor != getComputedStyle(document.querySelector(".figures .box:not(.bad)")).borderColor)`)
	}
	if said := waiting(); said != "" {
		c.Fatalf("before the sister stops: %s", said)
	}
	c.workers[c.sister]()
	c.net.Stop(1)
	ann.write("/compose", "partner:acme", "written while the sister slept")
	path := "/@ann/" + c.find(c.hq, c.ann, "sister slept").Post.ID.String()
	pia.until("/", "written while the sister slept")
	ann.until(path, "Delivered to 1 of 2")
	root.until("/admin", "Servers that do not answer 1")
	if !red() {
		c.Errorf("it is not shown red:\n%s", root.text())
	}
	if said := waiting(); said != "1 delivery waits" {
		c.Errorf("for the sister %q", said)
	}
	ann.write("/compose", "company", "and another while it slept")
	if said := waiting(); said != "2 deliveries wait" {
		c.Errorf("the queue grows to %q", said)
	}
	root.open("/admin")
	root.press("//main", "Look after it")
	root.says(c.sister.Config.Domain, "no answer")
	c.sister = c.net.Restart(1)
	c.work(c.sister)
	root.press(fmt.Sprintf("//section[@aria-label=%q]", c.sister.Config.Domain), "Try now")
	ann.until(path, "Delivered to 2 of 2")
	root.until("/admin", "Servers that do not answer 0")
	if red() {
		c.Errorf("it is shown red still:\n%s", root.text())
	}
	root.until("/admin/work", "Nothing waits, and every server answers.")
	ben := c.window(c.sister, c.ben)
	for _, text := range []string{"written while the sister slept", "and another while it slept"} {
		ben.until("/", text)
		if n := strings.Count(ben.text(), text); n != 1 {
			c.Errorf("%q stands there %d times", text, n)
		}
	}
}

// The administrator makes a partner an outsider while a post of Ann's waits for it: the
// post is refused, and the record of decisions says so.
func partnerIsLowered(c *cast) {
	ann, pia := c.window(c.hq, c.ann), c.window(c.partner, c.pia)
	root := c.window(c.hq, c.administrator("rosa"))
	host := c.partner.Config.Domain
	root.open("/admin/servers/" + host)
	root.do("hold back", chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("main details").forEach(d => d.open = true)`))
	root.fill("why", "we talk with them first")
	root.press("//main//details", "Hold back")
	root.until("/admin/work", "held since")
	ann.write("/compose", "partner:acme", "too late for the partner")
	post := c.find(c.hq, c.ann, "too late").Post
	root.until("/admin/servers/"+host, "1 delivery waits")
	root.do("lower it", chromedp.SetValue(chromedp.CSS("main [name=level]"), "public"))
	root.fill("reason", "the contract ended")
	root.press("//main", "Change what it is to us")
	root.says("Outside", "the contract ended")
	root.open("/admin/work")
	root.press(fmt.Sprintf("//section[@aria-label=%q]", host), "Let go")
	refused := func(r social.AuditRow) bool {
		return r.Kind == social.AuditSend && r.Peer == host && r.Subject == post.URI && r.Result == social.AuditRefused && r.Zone == "public"
	}
	for deadline := time.Now().Add(time.Minute); !slices.ContainsFunc(newRows(c.T, c.hq, 0), refused); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatalf("the record says nothing of it: %+v", newRows(c.T, c.hq, 0))
		}
	}
	root.until("/admin/work", "the contract ended")
	root.says(host)
	root.press("//main", "Check it")
	root.says("rows are whole")
	ann.open("/@ann/" + post.ID.String())
	ann.do("unfold", chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("main details").forEach(d => d.open = true)`))
	ann.says("Delivered to 1 of 2", "was given up")
	pia.open("/")
	if shown := pia.text(); strings.Contains(shown, "too late") || strings.Contains(shown, "while the sister slept") {
		c.Errorf("the partner still has\n%s", shown)
	}
}

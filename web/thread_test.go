package web_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// An author reads where a post has arrived, and where it has not yet; nobody else does.
func TestAnAuthorSeesWhereAPostArrived(t *testing.T) {
	net := instancetest.New(t, 3, nil)
	in, ctx := net.Instances[0], context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	net.Stop(2)
	v, err := in.Social.Publish(ctx, alice, social.Draft{Text: "hello group", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	net.Settle()
	path := "/@alice/" + v.Post.ID.String()
	newVisitor(t, in, "en").as(alice).get(path, 200).says("Delivered to 1 of 2", net.Instances[1].Config.Domain+": has it", net.Instances[2].Config.Domain+": not yet")
	if page := newVisitor(t, in, "en").as(bob).get(path, 200); strings.Contains(page.raw, "Delivered to") {
		t.Error("somebody else reads where a post has arrived")
	}
}

// What came later than it was written says so: after an outage. What was written before
// anybody here knew its author does not.
func TestALatePostSaysSo(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b, ctx := net.Instances[0], net.Instances[1], context.Background()
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	write := func(text string) {
		t.Helper()
		if _, err := a.Social.Publish(ctx, alice, social.Draft{Text: text, Audience: "company"}); err != nil {
			t.Fatal(err)
		}
	}
	catchUp := func() {
		t.Helper()
		clock.Advance(2 * time.Hour)
		if err := b.Federation.CatchUpNow(ctx, ""); err != nil {
			t.Fatal(err)
		}
		net.Settle()
	}
	page := "/" + instancetest.Handle(a, alice)
	write("before")
	catchUp()
	if d := newVisitor(t, b, "de").as(bob).get(page, 200).says("before"); strings.Contains(d.raw, "verspätet") {
		t.Error("a post of before says that it came late")
	}
	net.Stop(1)
	write("meanwhile")
	net.Settle()
	b = net.Restart(1)
	catchUp()
	newVisitor(t, b, "de").as(bob).get(page, 200).says("meanwhile", "verspätet angekommen")
	newVisitor(t, b, "en").as(bob).get(page, 200).says("meanwhile", "arrived late")
}

// In a long conversation what hangs deep below an answer is folded up; in a short one
// nothing is.
func TestLongBranchesAreFoldedUp(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	alice := net.Member(in, "alice")
	write := func(text string, to social.ID) social.ID {
		t.Helper()
		v, err := in.Social.Publish(ctx, alice, social.Draft{Text: text, Audience: "company", InReplyTo: to})
		if err != nil {
			t.Fatal(err)
		}
		return v.Post.ID
	}
	root := write("the question", 0)
	path := "/@alice/" + root.String()
	last := root
	for range 10 {
		last = write("deeper", last)
	}
	v := newVisitor(t, in, "en").as(alice)
	if page := v.get(path, 200); strings.Contains(page.raw, "more answers") {
		t.Error("a short conversation is folded up")
	}
	for range 9 {
		write("beside it", root)
	}
	page := v.get(path, 200).says("7 more answers")
	_, folded, _ := strings.Cut(page.raw, `<details class="fold">`)
	folded, after, _ := strings.Cut(folded, "</details>\n\n")
	if n, m := strings.Count(folded, "<p>deeper</p>"), strings.Count(after, "<p>beside it</p>"); n != 7 || m != 9 {
		t.Errorf("%d posts are folded up and %d stand behind", n, m)
	}
}

// Answers to what was deleted, or is not for the reader, stay in the thread, below what is
// there still, and say why they stand there.
func TestAnswersStayWhereOneIsGone(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	alice, bob, carl := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(in, "carl")
	answer := func(who social.Reader, to *social.PostView, text, audience string) *social.PostView {
		t.Helper()
		d := social.Draft{Text: text, Audience: audience}
		if to != nil {
			d.InReplyTo = to.Post.ID
		}
		v, err := in.Social.Publish(ctx, who, d)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	root := answer(alice, nil, "the question", "company")
	middle := answer(bob, root, "the answer of bob", "company")
	below := answer(alice, middle, "thanks for that", "company")
	last := answer(carl, below, "from me too", "company")
	hidden := answer(bob, root, "@alice for you alone", "direct")
	under := answer(alice, hidden, "@bob @carl come over", "direct")
	if _, err := in.Social.Delete(ctx, bob, middle.Post.ID); err != nil {
		t.Fatal(err)
	}
	const why = "What this answers is gone, or not for you."
	v := newVisitor(t, in, "en").as(carl)
	page := v.get("/@alice/"+root.Post.ID.String(), 200).says("the question", why, "thanks for that", "from me too", "come over", "!the answer of bob", "!for you alone")
	if n := strings.Count(page.text, why); n != 2 {
		t.Errorf("it is said %d times", n)
	}
	if !strings.Contains(page.raw, "post depth-1") || !strings.Contains(page.raw, "post depth-2") {
		t.Error("the answers do not stand below each other")
	}
	v.get("/@carl/"+last.Post.ID.String(), 200).says("the question", why, "thanks for that", "from me too")
	v.get("/@alice/"+under.Post.ID.String(), 200).says("the question", why, "come over")
	newVisitor(t, in, "de").as(alice).get("/@alice/"+root.Post.ID.String(), 200).says("Worauf das antwortet, ist nicht mehr da oder nicht für Sie.", "for you alone")
}

// What a post said before is there for whoever may see it, and for nobody else.
func TestEarlierVersions(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v, err := in.Social.Publish(ctx, alice, social.Draft{Text: "on Monday", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Edit(ctx, alice, v.Post.ID, social.Draft{Text: "on Tuesday & later", Summary: "plans"}); err != nil {
		t.Fatal(err)
	}
	path := "/posts/" + v.Post.ID.String() + "/history"
	reader := newVisitor(t, in, "en").as(bob)
	if page := reader.get("/@alice/"+v.Post.ID.String(), 200); !strings.Contains(page.raw, `href="`+path+`"`) {
		t.Error("an edited post does not lead to what it said before")
	}
	page := reader.get(path, 200).says("on Monday", "on Tuesday")
	if strings.Index(page.text, "on Tuesday") > strings.Index(page.text, "on Monday") {
		t.Error("the newest does not stand first")
	}
	page.says("removed: Monday", "added: Tuesday & later", "added: Content warning: plans", "The whole version")
	if !strings.Contains(page.raw, "<ins>") || !strings.Contains(page.raw, "Tuesday &amp; later") {
		t.Error(page.raw)
	}
	newVisitor(t, in, "de").as(alice).get(path, 200).says("entfernt: Monday", "hinzugefügt: Tuesday & later")
	hidden, err := in.Social.Publish(ctx, alice, social.Draft{Text: "to nobody", Audience: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	reader.get("/posts/"+hidden.Post.ID.String()+"/history", 404)
}

// A page stays light however long its conversation is: what does not stand on it is a link
// away, and a link to any post of it opens where that post stands.
func TestLongThreadsStayLight(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	alice := net.Member(in, "alice")
	for shape, to := range map[string]func(all []social.ID) social.ID{
		"flat":   func(all []social.ID) social.ID { return all[0] },
		"nested": func(all []social.ID) social.ID { return all[len(all)-1] },
		"both":   func(all []social.ID) social.ID { return all[len(all)/20*len(all)/20%len(all)] },
	} {
		t.Run(shape, func(t *testing.T) {
			var all []social.ID
			for i := range 201 {
				d := social.Draft{Text: fmt.Sprintf("%s no. %d.", shape, i), Audience: "company"}
				if i > 0 {
					d.InReplyTo = to(all)
				}
				v, err := in.Social.Publish(ctx, alice, d)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, v.Post.ID)
			}
			for _, v := range []*visitor{newVisitor(t, in, "en"), newVisitor(t, in, "de").as(alice)} {
				if v.language == "en" {
					v.as(net.Member(in, "bob"+shape))
				}
				light := func(path string) *doc {
					d := v.get(path, 200)
					if n := len(d.elements); n >= 1500 {
						t.Errorf("%s has %d elements", d.name, n)
					} else {
						t.Log(d.name, n)
					}
					return d
				}
				seen, ways := map[string]bool{}, []string{"/@alice/" + all[0].String()}
				for i := 0; i < len(ways); i++ { // every link to more answers, until there is none
					d := light(ways[i])
					here := map[string]bool{}
					for _, n := range d.elements {
						if n.Data == "article" {
							here[attr(n, "id")], seen[attr(n, "id")] = true, true
						}
					}
					for _, n := range d.elements {
						way, anchor, _ := strings.Cut(attr(n, "href"), "#")
						if !has(n, "data-posts") || anchor == "" {
							continue
						}
						for _, id := range strings.Fields(attr(n, "data-posts")) {
							if here["p"+id] {
								t.Errorf("%s: %s stands on the page and behind a link", d.name, id)
							}
						}
						if !slices.Contains(ways, way) {
							ways = append(ways, way)
						}
					}
				}
				if len(seen) != len(all) {
					t.Errorf("%d of %d posts can be reached over %d pages", len(seen), len(all), len(ways))
				}
				for _, i := range []int{1, 60, 100, 199, 200} {
					d := light("/@alice/"+all[i].String()).says(fmt.Sprintf("no. %d.", i), "no. 0.")
					if !strings.Contains(d.raw, `chosen" id="p`+all[i].String()) {
						t.Errorf("%s does not show its own post", d.name)
					}
				}
			}
		})
	}
}

// On the pages of a long conversation the keys, what arrives, and the marks of what is new
// work as on one page: what stands behind a link is not taken for read.
func TestLongThreadInABrowser(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	write := func(text string, to social.ID) social.ID {
		t.Helper()
		v, err := in.Social.Publish(ctx, alice, social.Draft{Text: text, Audience: "company", InReplyTo: to})
		if err != nil {
			t.Fatal(err)
		}
		return v.Post.ID
	}
	root := write("the question", 0)
	first := write("the first answer", root)
	for i := range 38 {
		write(fmt.Sprintf("answer %d.", i), root)
	}
	path := "/@alice/" + root.String()
	b := window(t, chromium, in.Config.PublicURL, true)
	text, err := in.Auth.Begin(ctx, bob.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.cookie(web.CookieName(in.Config.Domain), text)
	more := `document.querySelector("main p.fold a[data-posts]")`
	marked := `[...document.querySelectorAll("main .count")].filter(one => one.textContent == "new").map(one => one.parentElement.textContent)`
	b.open(path)
	b.waits("the rest is a link away", more+`?.textContent.startsWith("Show ")`)
	b.do("open it", chromedp.Evaluate[chromedp.Void](more+`.click()`))
	b.waits("the last answer", `document.readyState == "complete" && location.search.startsWith("?from=") && document.body.innerText.includes("answer 37.")`)
	write("a late answer", root)
	b.appears("a late answer")
	b.open("/company") // it is all read now
	last := write("a new answer", root)
	b.open(path)
	b.waits("the link to what is new is marked, and nothing else", marked+`.length == 1 && `+more+`.parentElement.textContent.startsWith("new")`)
	deep := write("deep below", first)
	b.appears("deep below")
	if !b.is(fmt.Sprintf(`document.getElementById("p%s").nextElementSibling.id == "p%s"`, first, deep)) {
		t.Error("a new answer does not stand below what it answers")
	}
	b.open("/company")
	b.open(path)
	b.waits("what was not looked at is still marked", marked+`.length == 1`)
	b.do("go to what is new", chromedp.Evaluate[chromedp.Void](`document.querySelector("main > a.button[href*='#p']").click()`))
	b.waits("it is marked there", fmt.Sprintf(`document.readyState == "complete" && location.search != "" && document.getElementById("p%s")?.textContent.includes("new")`, last))
	b.do("press j", chromedp.KeyEvent("j"))
	b.waits("a post has the focus", `!!document.activeElement.closest("article.post")`)
	b.open("/company")
	b.open(path)
	b.waits("nothing is marked any more", `document.readyState == "complete" && !!`+more+` && `+marked+`.length == 0`)
	b.open("/company")
	b.open(path + "#p" + last.String())
	b.waits("a place on another page opens that page", fmt.Sprintf(`!!document.getElementById("p%s") && location.search == "?from=%s"`, last, last))
}

package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// connection makes the window's one slow, by so many milliseconds for each request, or
// breaks it.
func (b *browser) connection(offline bool, latency float64) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.Fatal(err)
	}
	type conditions struct {
		Offline  bool    `json:"offline"`
		Latency  float64 `json:"latency"`
		Download float64 `json:"downloadThroughput"`
		Upload   float64 `json:"uploadThroughput"`
	}
	emulate := cdp.Command[conditions, struct{}]{Method: "Network.emulateNetworkConditions"}
	if _, err := chromedp.Call(b.ctx, emulate, conditions{offline, latency, -1, -1}); err != nil {
		b.Fatal(err)
	}
	b.waits("the page knows of its connection", fmt.Sprintf(`navigator.onLine == %t`, !offline)) // it is told apart from the command's answer
}

// run runs a script in the page.
func (b *browser) run(what, script string) {
	b.Helper()
	b.do(what, chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise))
}

// hurry makes the timers of the page run so many times faster.
func (b *browser) hurry(times int) {
	b.Helper()
	b.run("hurry", fmt.Sprintf(`for (const name of ["setTimeout", "setInterval"]) {
		const slow = window[name];
		window[name] = (act, ms) => slow(act, ms / %d);
	}`, times))
}

// paste puts a black square into the composer, as from the clipboard.
func (b *browser) paste() {
	b.Helper()
	b.run("paste", `(async () => {
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = 20;
		const blob = await new Promise(done => canvas.toBlob(done));
		const data = new DataTransfer();
		data.items.add(new File([blob], "pasted.png", {type: "image/png"}));
		document.querySelector("form.composer [name=text]").dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
	})()`)
}

// writing is a member with a browser, on an instance of their own. Their posts wait for
// so many seconds.
func writing(t *testing.T, undo int) (in *instance.Instance, alice social.Reader, b *browser) {
	t.Helper()
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in = net.Instances[0]
	alice = net.Member(in, "alice")
	if err := in.Social.FinishSetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.UpdateProfile(t.Context(), alice, social.ProfileChange{UndoSeconds: &undo}); err != nil {
		t.Fatal(err)
	}
	b = window(t, chromium, in.Config.PublicURL, true)
	b.signedIn(newVisitor(t, in, "en"), "alice")
	return in, alice, b
}

// unsent lists the drafts and what waits of a member's, and how many posts they published.
func unsent(t *testing.T, in *instance.Instance, who social.Reader) (drafts, held []string, published int) {
	t.Helper()
	ctx := context.Background()
	for _, one := range []struct {
		list *[]string
		read func(context.Context, social.Reader) ([]*social.UnsentView, error)
	}{{&drafts, in.Social.Drafts}, {&held, in.Social.Held}} {
		views, err := one.read(ctx, who)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range views {
			*one.list = append(*one.list, v.Draft.Text)
		}
	}
	own, err := in.Social.AccountPosts(ctx, who, who.Account.ID, social.Page{Limit: 40}, social.PostFilter{})
	if err != nil {
		t.Fatal(err)
	}
	return drafts, held, len(own)
}

// On a page whose list takes no new posts it is said that one was sent, and where it is.
func TestSentWhereNoListTakesIt(t *testing.T) {
	in, alice, b := writing(t, 0)
	ctx := t.Context()
	for _, d := range []social.Draft{{Text: "older", Audience: "company"}, {Text: "newer", Audience: "company"}} {
		if _, err := in.Social.Publish(ctx, alice, d); err != nil {
			t.Fatal(err)
		}
	}
	home, err := in.Social.Home(ctx, alice, social.Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	path := "/?older=" + home[0].Cursor.String()
	for _, undo := range []int{0, 30} {
		if _, err := in.Social.UpdateProfile(ctx, alice, social.ProfileChange{UndoSeconds: &undo}); err != nil {
			t.Fatal(err)
		}
		b.open(path)
		b.run("listen for errors", `window.wrong = []; addEventListener("error", (event) => wrong.push(event.message)); addEventListener("unhandledrejection", (event) => wrong.push(String(event.reason)))`)
		b.fill("text", "soup")
		b.publish()
		if undo > 0 {
			b.appears("Your post goes out in")
			now := chromedp.Search(`//*[contains(@class,"toast")]//button[normalize-space(.)="Send now"]`)
			b.do("send now", chromedp.Focus(now), chromedp.SendKeys(now, kb.Enter))
		}
		b.waits(path+": it is said that it was sent", `/^Published\. ?To the post$/.test(document.querySelector(".toast")?.innerText.replace(/\s+/g, " ").trim())`)
		b.run("the key for new posts", `document.activeElement.blur(); document.body.dispatchEvent(new KeyboardEvent("keydown", {key: ".", bubbles: true}))`)
		if got := b.ask(`Promise.resolve(wrong.join("; "))`); got != "" {
			t.Errorf("%s: %s", path, got)
		}
		b.press(`//*[contains(@class,"toast")]`, "To the post")
		b.says("soup", "Conversation")
	}
}

// What is sent from a page of its own goes on to where it goes on without a script, and
// the message is the same.
func TestComposerAloneGoesOn(t *testing.T) {
	in, alice, b := writing(t, 0)
	asked, err := in.Social.Publish(t.Context(), alice, social.Draft{Text: "which day?", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	save := func(d social.Draft) string {
		t.Helper()
		d.Audience = "company"
		v, err := in.Social.SaveDraft(t.Context(), alice, d)
		if err != nil {
			t.Fatal(err)
		}
		return "/drafts/" + v.ID.String()
	}
	later := time.Now().Add(48 * time.Hour)
	b.open("/compose")
	b.fill("text", "for later")
	b.run("when", fmt.Sprintf(`document.querySelector("[name=at]").value = %q`, later.Format("2006-01-02T15:04")))
	b.publish()
	b.appears("It will be sent at its time.")
	b.says("Scheduled", "for later")
	b.open(save(social.Draft{Text: "for later too", At: later}))
	b.publish()
	b.appears("It will be sent at its time.")
	b.open("/compose")
	b.fill("text", "for now")
	b.publish()
	b.appears("Published.")
	b.says("Home", "for now")
	answer := save(social.Draft{Text: "Monday suits", InReplyTo: asked.Post.ID})
	b.open(answer)
	b.publish()
	b.appears("Published.")
	b.says("Conversation", "which day?", "Monday suits")

	half := 30
	if _, err := in.Social.UpdateProfile(t.Context(), alice, social.ProfileChange{UndoSeconds: &half}); err != nil {
		t.Fatal(err)
	}
	b.open(save(social.Draft{Text: "Tuesday suits too", InReplyTo: asked.Post.ID}))
	b.publish()
	b.appears("Your post goes out in")
	b.says("Conversation", "which day?")
}

// A post waits for the files that are on their way to the server, and says so; one that
// does not arrive costs nothing of the text.
func TestPublishingWaitsForFiles(t *testing.T) {
	in, alice, b := writing(t, 0)
	b.open("/")
	b.fill("text", "look at this")
	b.connection(false, 1500)
	b.paste()
	b.waits("it is said that it is uploading", `document.querySelector("form.composer").innerText.includes("Uploading… pasted.png")`)
	b.publish()
	b.waits("the button is busy", `document.querySelector("form.composer button.main").ariaBusy == "true"`)
	b.waits("after a moment it shows that", `(({ content, fontSize }) => content == '"…"' && fontSize != "0px")(getComputedStyle(document.querySelector("form.composer button.main"), "::after"))`)
	b.connection(false, 0)
	b.appears("Send it without")
	b.waits("the picture is there", `!!document.querySelector("form.composer .kept img")`)
	if b.is(`document.body.innerText.includes("Uploading…")`) {
		t.Error("it says that it is uploading still")
	}
	if _, _, n := unsent(t, in, alice); n != 0 {
		t.Errorf("%d posts were published without their file", n)
	}
	b.run("describe", `document.querySelector(".kept [name^=description-]").value = "a black square"`)
	b.publish()
	b.waits("it is sent with its picture", `document.querySelector("[role=feed] article")?.innerText.includes("look at this") && !!document.querySelector("[role=feed] article img[alt='a black square']")`)

	b.fill("text", "and at this")
	b.connection(true, 0)
	b.paste()
	b.publish()
	b.appears("There is no connection. The file is uploaded as soon as there is one again")
	b.connection(false, 0)
	b.waits("the picture is there", `!!document.querySelector("form.composer .kept img")`)
	if got := b.ask(`document.querySelector("form.composer [name=text]").value`); got != "and at this" {
		t.Errorf("the text is %q", got)
	}
	if _, _, n := unsent(t, in, alice); n != 1 {
		t.Errorf("%d posts", n)
	}
}

// Whoever listens is told once that a post goes out, and how long that is; whoever looks
// sees the seconds, in good language.
func TestUndoIsAnnouncedOnce(t *testing.T) {
	in, alice, b := writing(t, 10)
	for _, one := range []struct{ language, first, last string }{
		{"en", "Your post goes out in ", "Your post goes out in 1 second."},
		{"de", "Ihr Beitrag geht in ", "Ihr Beitrag geht in 1 Sekunde hinaus."},
	} {
		if _, err := in.Social.UpdateProfile(t.Context(), alice, social.ProfileChange{Language: &one.language}); err != nil {
			t.Fatal(err)
		}
		b.open("/")
		b.hurry(20)
		b.run("listen", `window.heard = new Set(); window.seen = new Set();
			const plain = (all) => all.replace(/\s+/g, " ").trim();
			const listen = () => {
				const place = document.querySelector(".toast .held p");
				if (!place) return;
				seen.add(plain([...place.querySelectorAll("[aria-hidden=true]")].map((one) => one.textContent).join() || place.textContent));
				const told = place.cloneNode(true);
				told.querySelectorAll("[aria-hidden=true]").forEach((hidden) => hidden.remove());
				heard.add(plain(told.textContent));
			};
			new MutationObserver(listen).observe(document.body, {childList: true, subtree: true, characterData: true})`)
		b.run("write", `document.querySelector("form.composer [name=text]").value = "wait for it"`)
		b.submit("form.composer")
		b.waits("the last second is counted", fmt.Sprintf(`window.seen.has(%q)`, one.last))
		if got := b.ask(`[...heard].join("|")`); !strings.HasPrefix(got, one.first) || strings.Contains(got, "|") {
			t.Errorf("heard: %s", got)
		}
	}
}

// Saving again, or publishing, while a draft is on its way to the server makes no second one.
func TestDraftOnItsWay(t *testing.T) {
	in, alice, b := writing(t, 30)
	b.open("/")
	b.hurry(10)
	b.connection(false, 1000)
	b.fill("text", "one")
	time.Sleep(400 * time.Millisecond) // the first is on its way now
	b.fill("text", " two")
	time.Sleep(400 * time.Millisecond) // and the second would be
	b.waits("it is saved", `document.querySelector(".kept-note").textContent != ""`)
	b.waits("all of it", `document.querySelector(".kept-note").textContent != "" && document.querySelector("form.composer").dataset.typed.includes("one two")`)
	if drafts, _, _ := unsent(t, in, alice); len(drafts) != 1 || drafts[0] != "one two" {
		t.Errorf("drafts: %q", drafts)
	}
	b.run("forget", `sessionStorage.clear()`)
	b.open("/")
	b.hurry(10)
	b.fill("text", "three")
	time.Sleep(400 * time.Millisecond)
	b.publish()
	b.connection(false, 0)
	b.appears("Your post goes out in")
	drafts, held, _ := unsent(t, in, alice)
	if strings.Join(drafts, "|") != "one two" || strings.Join(held, "|") != "three" {
		t.Errorf("drafts: %q, held: %q", drafts, held)
	}
}

// What somebody wanted to publish without a connection is sent when there is one again,
// once, and they are told; what leaves the company is asked about, and what they went on
// writing waits for them.
func TestSentWhenTheConnectionIsBack(t *testing.T) {
	in, alice, b := writing(t, 30)
	field := chromedp.CSS("form.composer [name=text]")
	b.open("/")
	b.run("inside", `document.querySelector("[name=audience]").value = "instance"`)
	b.fill("text", "from the cellar")
	b.connection(true, 0)
	b.publish()
	b.appears("There is no connection. Your text is kept; it is sent as soon as there is one again.")
	b.connection(false, 0)
	b.appears("Your post goes out in")
	b.says("The connection is back")
	drafts, held, n := unsent(t, in, alice)
	if len(drafts) != 0 || len(held) != 1 || held[0] != "from the cellar" || n != 0 {
		t.Errorf("drafts %q, held %q, %d published", drafts, held, n)
	}

	// The answer is lost, not the post: it is not sent twice.
	b.run("lose the answers", `window.connected = fetch; window.fetch = async (...all) => { await connected(...all); throw new TypeError("lost"); }`)
	b.do("write", chromedp.Focus(field), chromedp.SendKeys(field, "said once"))
	b.publish()
	b.waits("it arrives", `document.querySelector(".toast").innerText.includes("There is no connection")`)
	b.run("find the connection", `window.fetch = connected; dispatchEvent(new Event("online"))`)
	b.waits("the form is empty", `document.querySelector("form.composer [name=text]").value == ""`)
	if _, held, _ := unsent(t, in, alice); len(held) != 2 || strings.Count(strings.Join(held, "|"), "said once") != 1 {
		t.Errorf("held: %q", held)
	}

	// Who goes on writing sends it themselves.
	b.connection(true, 0)
	b.do("write", chromedp.Focus(field), chromedp.SendKeys(field, "half a"))
	b.publish()
	b.appears("There is no connection. Your text is kept; it is sent")
	b.do("go on", chromedp.Focus(field), chromedp.SendKeys(field, kb.End+" thought"))
	b.connection(false, 0)
	time.Sleep(500 * time.Millisecond)
	if _, held, _ := unsent(t, in, alice); len(held) != 2 {
		t.Errorf("held: %q", held)
	}

	// What leaves the company is asked about first.
	b.run("outside", `document.querySelector("[name=audience]").value = "public"`)
	b.publish()
	outside := chromedp.CSS("form.composer button[name=outside]")
	b.waits("it is asked", `!!document.querySelector("form.composer button[name=outside]")`)
	b.connection(true, 0)
	b.do("confirm", chromedp.Focus(outside), chromedp.SendKeys(outside, kb.Enter))
	b.appears("There is no connection. Your text is kept; send it")
	b.connection(false, 0)
	b.appears("The connection is back. Your post is not sent yet.")
	time.Sleep(300 * time.Millisecond)
	if _, held, _ := unsent(t, in, alice); len(held) != 2 {
		t.Errorf("held: %q", held)
	}
	again := chromedp.Search(`//*[contains(@class,"toast")]//button`)
	b.do("say yes", chromedp.Focus(again), chromedp.SendKeys(again, kb.Enter))
	b.appears("Your post goes out in")
	if _, held, _ := unsent(t, in, alice); len(held) != 3 || !strings.Contains(strings.Join(held, "|"), "half a thought") {
		t.Errorf("held: %q", held)
	}
}

// What waits for an answer says so, and shows it when that takes longer than a moment.
func TestWaitingIsShown(t *testing.T) {
	in, alice, b := writing(t, 0)
	if _, err := in.Social.Publish(t.Context(), alice, social.Draft{Text: "good?", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	b.open("/directory")
	b.connection(false, 1000)
	b.fill("q", "nobody")
	b.waits("the list is busy", `[...document.querySelectorAll("[data-found]")].every((one) => one.ariaBusy == "true")`)
	b.waits("it is shown in a moment", `getComputedStyle(document.querySelector("[data-found]")).opacity < 1`)
	b.connection(false, 0)
	b.waits("the list is there", `[...document.querySelectorAll("[data-found]")].every((one) => one.ariaBusy == null && getComputedStyle(one).opacity == 1)`)
	b.open("/")
	b.connection(false, 1000)
	like := chromedp.CSS("form[action$='/like'] button")
	b.do("like", chromedp.Focus(like), chromedp.SendKeys(like, kb.Enter))
	b.waits("the button is busy", `document.querySelector("form[action$='like'] button").ariaBusy == "true"`)
	b.waits("there is an answer", `document.querySelector("form[action$='/unlike'] button")?.ariaBusy == null`)
}

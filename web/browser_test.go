package web_test

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// browser is a real one, with a profile of its own.
type browser struct {
	*testing.T
	ctx    context.Context
	base   string
	script bool
}

// startChromium starts the program that all windows of a test share.
func startChromium(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("chromium is not installed: run ./test/all")
	}
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"))
	ctx, end := chromedp.NewExecAllocator(context.Background(), o...)
	t.Cleanup(end)
	ctx, endBrowser := chromedp.NewContext(ctx)
	t.Cleanup(endBrowser)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return ctx
}

// window opens one that shares no cookies with others.
func window(t *testing.T, chromium context.Context, base string, script bool) *browser {
	t.Helper()
	ctx, end := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	b := &browser{t, ctx, base, script}
	b.do("start")
	if !script {
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx := b.ctx
	if what != "start" { // the first call's context bounds the window's life
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(b.ctx, time.Minute)
		defer cancel()
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("%s: %v\n%s", what, err, b.html())
	}
}

// html is for messages only.
func (b *browser) html() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		return err.Error()
	}
	return s
}

func (b *browser) open(path string) {
	b.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.base + path
	}
	b.do("open "+path, chromedp.Navigate(path))
}

// text is what stands on the page. While one page follows another there may be
// none for a moment, and a question to the one that goes may get no answer.
func (b *browser) text() string {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	for {
		ask, end := context.WithTimeout(ctx, 2*time.Second)
		s, err := chromedp.Run(ask, chromedp.Evaluate[string](`document.body.innerText`))
		end()
		if err == nil {
			return strings.Join(strings.Fields(s), " ")
		}
		select {
		case <-ctx.Done():
			b.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *browser) says(texts ...string) {
	b.Helper()
	shown := b.text()
	for _, want := range texts {
		if !strings.Contains(shown, want) {
			b.Fatalf("the page does not say %q:\n%s", want, shown)
		}
	}
}

// within finds a part of the page by a text that stands in it.
func within(text string) string {
	return fmt.Sprintf(`//article[contains(normalize-space(.), %q)]`, text)
}

// press presses a button or link by its label, in a part of the page, and waits
// for the page that follows. It does so by the keyboard: what moves on the page
// between aiming and clicking cannot make it miss.
func (b *browser) press(part, label string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	target := chromedp.Search(fmt.Sprintf(`(%s//*[self::button or self::a][starts-with(normalize-space(.), %q)])[1]`, part, label))
	if _, err := chromedp.RunResponse(ctx, chromedp.Focus(target), chromedp.SendKeys(target, kb.Enter)); err != nil {
		b.Fatalf("press %s: %v\n%s", label, err, b.html())
	}
}

// act presses a button that changes its part of the page: by a script without another
// page, and by a form with one. It waits until the page has what it changes, by a CSS
// selector.
func (b *browser) act(part, label, changed string) {
	b.Helper()
	if !b.script {
		b.press(part, label)
		return
	}
	target := chromedp.Search(fmt.Sprintf(`(%s//button[starts-with(normalize-space(.), %q)])[1]`, part, label))
	b.do("act "+label, chromedp.Focus(target), chromedp.SendKeys(target, kb.Enter), chromedp.WaitReady(chromedp.CSS(changed)))
}

// choose checks an answer by its label, by the keyboard too.
func (b *browser) choose(label string) {
	b.Helper()
	input := fmt.Sprintf(`//label[contains(., %q)]/input`, label)
	b.do("choose "+label, chromedp.SendKeys(chromedp.Search(input), " "))
	if checked, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](fmt.Sprintf(`document.evaluate(%q, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue.checked`, input))); err != nil || !checked {
		b.Fatalf("choose %s: %v, %v", label, checked, err)
	}
}

// publish presses the button of the composer: by a script without another page, and by a
// form with one.
func (b *browser) publish() {
	b.Helper()
	if !b.script {
		b.press("//main", "Publish")
		return
	}
	text, button := chromedp.CSS("form.composer textarea"), chromedp.CSS("form.composer button.main")
	b.do("publish", chromedp.Focus(text), chromedp.Focus(button), chromedp.SendKeys(button, kb.Enter)) // on a phone writing opens the rest
}

// appears waits until a text stands on the page.
func (b *browser) appears(text string) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(b.text(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("the page never says %q:\n%s", text, b.text())
		}
	}
}

func (b *browser) fill(pairs ...string) {
	b.Helper()
	for i := 0; i < len(pairs); i += 2 {
		field := chromedp.CSS(fmt.Sprintf("main [name=%q]", pairs[i]))
		b.do("fill "+pairs[i], chromedp.Focus(field), chromedp.SendKeys(field, kb.End+pairs[i+1]))
	}
}

// until opens a page again and again until it says a text: another server works.
func (b *browser) until(path, want string) {
	b.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		b.open(path)
		if strings.Contains(b.text(), want) {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s never says %q:\n%s", path, want, b.text())
		}
		time.Sleep(50 * time.Millisecond) // as a person would wait before reloading
	}
}

// work runs the workers of instances as parley serve does.
func work(t *testing.T, list []*instance.Instance) {
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, in := range list {
		for _, r := range in.Runners() {
			wg.Go(func() { r.Run(ctx) })
		}
	}
	t.Cleanup(func() { stop(); wg.Wait() })
}

// Two people on two servers, with a browser alone: from the setup link to an
// answer, a vote, an edit and a deletion that cross over.
func TestJourney(t *testing.T) {
	chromium := startChromium(t)
	for name, script := range map[string]bool{"without JavaScript": false, "with JavaScript": true} {
		t.Run(name, func(t *testing.T) { journey(t, chromium, script) })
	}
}

func journey(t *testing.T, chromium context.Context, script bool) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	work(t, net.Instances)
	ctx := context.Background()
	alice, bob := window(t, chromium, a.Config.PublicURL, script), window(t, chromium, b.Config.PublicURL, script)
	reader := net.Member(b, "bob")
	if _, err := b.Social.Publish(ctx, reader, social.Draft{Text: "an old post", Audience: "public"}); err != nil {
		t.Fatal(err)
	}
	atOnce := 0 // Alice sends by "Send now", Bob without a moment to think again
	if _, err := b.Social.UpdateProfile(ctx, reader, social.ProfileChange{UndoSeconds: &atOnce}); err != nil {
		t.Fatal(err)
	}
	setup, _, err := a.Auth.SetupLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	reset, _, err := b.Auth.ResetLink(ctx, reader.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}

	// Bob gets a password by his link and signs in.
	bob.open("/reset?code=" + reset)
	bob.fill("password", "bob's long password")
	bob.press("//main", "Save the password")
	bob.fill("name", "bob", "password", "bob's long password")
	bob.press("//main", "Sign in")
	bob.says("What would you like to share?")

	// The person's path: from the setup link to a reply on the other server.
	start := time.Now()
	alice.open("/setup?code=" + setup)
	alice.fill("organisation", "Muster Zentrale", "group", "Muster Group", "display_name", "Alice Adler", "name", "alice", "password", "alice's long password")
	alice.press("//main", "Set up")
	alice.says("All set")
	alice.do("begin to write", chromedp.Focus(chromedp.CSS("form.composer textarea")))
	alice.says("Whole Muster Group (2 companies)")
	alice.press("//nav", "Search")
	alice.fill("q", instancetest.Handle(b, reader))
	alice.press("//main", "Find")
	alice.press(within("bob@"), "Follow")
	alice.until("/find?q="+url.QueryEscape(instancetest.Handle(b, reader)), "You follow")
	alice.until("/", "an old post")
	bob.fill("text", "a new post, which day?")
	bob.do("more", chromedp.SendKeys(chromedp.CSS("form.composer summary"), kb.Enter))
	bob.fill("poll", "Monday\nTuesday")
	bob.publish()
	bob.appears("a new post")
	alice.until("/", "a new post")
	alice.press(within("a new post"), "Reply")
	alice.fill("text", "Tuesday suits me")
	alice.publish()
	alice.appears("Your post goes out in")
	alice.act("//*", "Send now", "article.post + article.post, [data-fresh] article:not([id]), article.depth-1")
	alice.appears("Tuesday suits me")
	t.Logf("from the setup link to the reply on the other server: %v", time.Since(start).Round(time.Millisecond))

	// Like, share, vote.
	alice.open("/")
	alice.act(within("a new post"), "Like", "form[action$='/unlike'] button[aria-pressed=true]")
	alice.act(within("a new post"), "Share", "form[action$='/unshare'] button[aria-pressed=true]")
	alice.choose("Tuesday")
	alice.act(within("a new post"), "Vote", "ul.poll")
	alice.says("your vote")

	// Bob is told, and sees the conversation.
	bob.until("/notifications", "Alice Adler answered you")
	bob.until("/notifications", "likes your post")
	bob.until("/notifications", "shared your post")
	bob.until("/notifications", "follows you now")
	bob.until("/", "1 person voted")
	bob.press(within("a new post"), "Reply")
	bob.says("Tuesday suits me", "Conversation")

	// Edits and deletions cross over.
	alice.open("/@alice")
	alice.press(within("Tuesday suits me"), "Edit")
	alice.fill("text", " best")
	alice.press("//main", "Save")
	bob.until("/notifications", "Tuesday suits me best")
	alice.open("/@alice")
	alice.press(within("Tuesday suits me best"), "Delete")
	alice.says("Delete this post?", "Tuesday suits me best")
	alice.press("//main", "Delete for ever")
	alice.says("The post is deleted.")
	deadline := time.Now().Add(time.Minute)
	for strings.Contains(bob.text(), "suits me best") {
		if time.Now().After(deadline) {
			t.Fatal("the deletion did not cross over")
		}
		bob.open("/notifications")
	}
	alice.open("/@bob@" + b.Config.Domain)
	alice.press("//section[contains(@class,'profile')]", "Unfollow")
	alice.says("Follow")
}

// What others wrote runs in no browser.
func TestHostileTextRunsNoScript(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 2, nil)
	in, other := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	alice, mallory := net.Member(in, "alice"), net.Member(other, "mallory")
	payloads := []string{
		`<script>document.title="owned"</script>`, `"><img src=x onerror='document.title="owned"'>`, `'><svg onload='document.title="owned"'>`,
		"[x](javascript:document.title='owned')", "<a href=\"javascript:document.title='owned'\">x</a>", `</textarea><script>document.title="owned"</script>`,
		`</title><script>document.title="owned"</script>`, `<iframe srcdoc="<script>parent.document.title='owned'</script>">`, `<math><mtext></form><form><mglyph><style></math><img src onerror=document.title="owned">`,
		`{{.}}<!--"--><details open ontoggle=document.title="owned">`,
	}
	hostile := strings.Join(payloads, "\n\n")
	name, note := payloads[1], hostile
	for in, r := range map[*instance.Instance]social.Reader{in: alice, other: mallory} {
		if _, err := in.Social.UpdateProfile(ctx, r, social.ProfileChange{DisplayName: &name, Note: &note, Fields: []social.Field{{Name: payloads[0], Value: payloads[1]}}}); err != nil {
			t.Fatal(err)
		}
		if err := in.Social.SetOrganisation(ctx, social.Organisation{Name: payloads[2], Group: payloads[1]}, "test"); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	found, err := in.Social.FindHandle(ctx, alice, instancetest.Handle(other, mallory))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Follow(ctx, alice, found.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	file, err := other.Social.Upload(ctx, mallory, social.Upload{Name: payloads[1] + ".txt", Description: payloads[2], Body: strings.NewReader("text")})
	if err != nil {
		t.Fatal(err)
	}
	pic, err := in.Social.Upload(ctx, alice, social.Upload{Name: payloads[1], Description: payloads[1], Body: strings.NewReader(string(picture(t)))})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []struct {
		in *instance.Instance
		r  social.Reader
		d  social.Draft
	}{
		{other, mallory, social.Draft{Text: instancetest.Handle(in, alice) + " " + hostile, Summary: payloads[1], Audience: "public", MediaIDs: []social.ID{file.ID}}},
		{other, mallory, social.Draft{Text: instancetest.Handle(in, alice) + " " + hostile, Audience: "company", Poll: &social.PollDraft{Options: []string{payloads[0], payloads[1]}, ExpiresIn: time.Hour}}},
		{in, alice, social.Draft{Text: hostile, Audience: "company", MediaIDs: []social.ID{pic.ID}}},
	} {
		if _, err := d.in.Social.Publish(ctx, d.r, d.d); err != nil {
			t.Fatal(err)
		}
	}
	net.Settle()

	b := window(t, chromium, in.Config.PublicURL, true)
	errs := make(chan string, 100)
	dialogs := chromedp.Events(b.ctx, page.JavascriptDialogOpening)
	go func() {
		for e, err := range dialogs {
			if err != nil {
				return
			}
			errs <- e.Message
		}
	}()
	reset, _, err := in.Auth.ResetLink(ctx, alice.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.open("/reset?code=" + reset)
	b.fill("password", "a long password")
	b.press("//main", "Save the password")
	b.fill("name", "alice", "password", "a long password")
	b.press("//main", "Sign in")
	own := newVisitor(t, in, "en").postOf(alice, "owned")
	shown := 0
	for _, path := range []string{"/", "/public", "/notifications", "/@alice", "/@mallory@" + other.Config.Domain, "/find?q=" + url.QueryEscape(payloads[1]), "/find?q=mallory",
		"/settings", "/posts/" + own + "/edit", "/posts/" + own + "/delete", "/@alice/" + own, "/?done=" + url.QueryEscape(payloads[1]), "/sign-in?next=" + url.QueryEscape(payloads[1]), "/" + url.PathEscape(payloads[1])} {
		b.open(path)
		title, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`[document.title, document.querySelectorAll('script:not([src^="/static/"]), [onerror], [onload], [ontoggle], iframe, svg:not(.icon), .content svg, math').length].join("|")`))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(title, "owned") || !strings.HasSuffix(title, "|0") {
			t.Errorf("%s: a script ran or stands there: %s", path, title)
		}
		shown += strings.Count(b.text(), "owned")
	}
	if shown < 50 {
		t.Errorf("the texts are shown only %d times: they prove nothing", shown)
	}
	select {
	case m := <-errs:
		t.Errorf("a dialog opened: %s", m)
	default:
	}
}

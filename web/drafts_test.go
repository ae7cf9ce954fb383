package web_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// What is written waits for a moment in which it can be taken back, is kept as a draft,
// or is sent at its time; all by forms.
func TestDraftsUndoAndTime(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now})
	in, ctx := net.Instances[0], t.Context()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v, other := newVisitor(t, in, "en").as(alice), newVisitor(t, in, "en").as(bob)
	half := 30
	if _, err := in.Social.UpdateProfile(ctx, alice, social.ProfileChange{UndoSeconds: &half}); err != nil {
		t.Fatal(err)
	}
	act := func(page *doc, what string) string {
		t.Helper()
		m := regexp.MustCompile(`action="(/drafts/[0-9]+/` + what + `)"`).FindStringSubmatch(page.raw)
		if m == nil {
			t.Fatalf("no form to %s:\n%s", what, page.text)
		}
		return m[1]
	}
	v.get("/drafts", 200).says("Nothing waits here")

	// A post waits, is taken back, and goes out once when it is sent again.
	page := v.post("/posts", 200, "text", "too fast", "audience", "company", "once", "1").says("Your post goes out in 30 seconds.", "!too fast")
	if again := v.post("/posts", 200, "text", "too fast", "audience", "company", "once", "1"); act(again, "undo") != act(page, "undo") {
		t.Error("the same form twice waits twice")
	}
	v.get("/drafts", 200).says("About to be sent", "too fast")
	other.post(act(page, "undo"), 410)
	page = v.post(act(page, "undo"), 200).says("Taken back. Nobody has seen it.").wrong("", "text", "too fast", "audience", "company")
	other.get("/company", 200).says("!too fast")
	draft := regexp.MustCompile(`name="draft" value="([0-9]+)"`).FindStringSubmatch(page.raw)[1]
	other.get("/drafts/"+draft, 404)
	page = v.post("/posts", 200, "text", "well considered", "audience", "company", "draft", draft, "once", "2")
	v.post(act(page, "send"), 200).says("Published.", "well considered")
	v.post(act(page, "undo"), 410).says("This post was sent or deleted already.")
	other.get("/company", 200).says("well considered")
	v.get("/drafts", 200).says("Nothing waits here")

	// A draft keeps all that was typed.
	v.post("/posts", 200, "text", "half a thought", "audience", "instance", "poll", "yes\r\nno", "open", "7", "multiple", "yes", "summary", "careful", "language", "fr", "do", "save").
		says("The draft is saved.", "half a thought")
	draft = regexp.MustCompile(`href="/drafts/([0-9]+)"`).FindStringSubmatch(v.get("/drafts", 200).raw)[1]
	v.get("/drafts/"+draft, 200).wrong("", "text", "half a thought", "audience", "instance", "poll", "yes\nno", "open", "7", "summary", "careful", "language", "fr")
	v.post("/drafts/"+draft+"/delete", 200).says("The draft is deleted.", "Nothing waits here")
	v.get("/drafts/"+draft, 404)

	// A post with a time waits for it; the time can be changed.
	at := func(d time.Duration) string { return clock.Now().Add(d).Format("2006-01-02T15:04") }
	v.post("/posts", 422, "text", "for tomorrow", "audience", "company", "at", at(time.Minute), "once", "3").wrong("at", "text", "for tomorrow").says("at least 5 minutes from now")
	v.post("/posts", 422, "text", "for tomorrow", "audience", "company", "at", "noon", "once", "3").wrong("at", "at", "noon")
	page = v.post("/posts", 200, "text", "for tomorrow", "audience", "company", "at", at(24*time.Hour), "once", "3").says("It will be sent at its time.", "Scheduled", "for tomorrow")
	page = v.post(act(page, "time"), 200, "at", at(48*time.Hour))
	if !strings.Contains(page.raw, `value="`+at(48*time.Hour)+`"`) {
		t.Errorf("the time is not changed:\n%s", page.raw)
	}
	v.post(act(page, "time"), 422, "at", at(0))
	v.post(act(page, "undo"), 200).wrong("", "text", "for tomorrow")
}

// Whoever wants more readers than a reply can have is told so on every way: while it
// waits, among the drafts, and by a script that shows it in the list.
func TestAuthorsAreToldOfNarrowing(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now})
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v := newVisitor(t, in, "en").as(alice)
	asked, err := in.Social.Publish(t.Context(), bob, social.Draft{Text: "only here", Audience: "instance"})
	if err != nil {
		t.Fatal(err)
	}
	told := "It goes to fewer people than you chose: Only " + in.Config.Domain
	write := func(text string, more ...string) []string {
		return append([]string{"text", text, "audience", "company", "reply_to", asked.Post.ID.String()}, more...)
	}
	part := func(pairs []string) string {
		v.Helper()
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.Config.PublicURL+"/posts", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Parley-Part", "1")
		res, err := v.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // read whole
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%d %v %s", res.StatusCode, err, b)
		}
		return string(b)
	}
	tomorrow := clock.Now().Add(24 * time.Hour).Format("2006-01-02T15:04")
	if got := part(write("at once")); !strings.Contains(got, "fewer people than you chose") {
		t.Error(got)
	}
	v.post("/posts", 200, write("tomorrow", "at", tomorrow)...).says(told)
	if got := part(write("tomorrow too", "at", tomorrow)); !strings.Contains(got, told) {
		t.Error(got)
	}
	half := 30
	if _, err := in.Social.UpdateProfile(t.Context(), alice, social.ProfileChange{UndoSeconds: &half}); err != nil {
		t.Fatal(err)
	}
	v.post("/posts", 200, write("in a moment")...).says(told)
	if got := part(write("in a moment too")); !strings.Contains(got, told) {
		t.Error(got)
	}
	v.post("/posts", 200, "text", "as chosen", "audience", "company").says("!" + told)
}

// Whoever is signed out while writing signs in and goes on with a draft that has all that
// was chosen; what was typed stands in no address. Other forms keep the words too.
func TestSignedOutWhileWriting(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := t.Context()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	if err := in.Auth.SetPassword(ctx, alice.Account.ID, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	asked, err := in.Social.Publish(ctx, bob, social.Draft{Text: "what do you think?", Audience: "instance"})
	if err != nil {
		t.Fatal(err)
	}
	german := "de"
	if _, err := in.Social.UpdateProfile(ctx, alice, social.ProfileChange{Language: &german}); err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, in, "de")
	long := strings.TrimSpace(strings.Repeat("ein langer Gedanke ", 300))
	page := v.post("/posts", 401, "text", long, "audience", "instance", "reply_to", asked.Post.ID.String(), "summary", "Vorsicht", "once", "1").says("Sie wurden abgemeldet", long)
	var fields []string
	for _, n := range page.elements {
		if n.Data == "input" && attr(n, "type") == "hidden" {
			fields = append(fields, attr(n, "name"), attr(n, "value"))
			if attr(n, "name") == "next" && strings.Contains(attr(n, "value"), "Gedanke") {
				t.Errorf("the text stands in an address: %s", attr(n, "value"))
			}
		}
	}
	again := v.post("/sign-in", 401, append(fields, "name", "alice", "password", "wrong wrong wrong")...).says(long)
	fields = nil
	for _, n := range again.elements {
		if n.Data == "input" && attr(n, "type") == "hidden" {
			fields = append(fields, attr(n, "name"), attr(n, "value"))
		}
	}
	v.post("/sign-in", 200, append(fields, "name", "alice", "password", "correct horse battery")...).says("Entwurf", long)
	drafts, err := in.Social.Drafts(ctx, alice)
	if err != nil || len(drafts) != 1 || drafts[0].Draft.Text != long || drafts[0].Draft.InReplyTo != asked.Post.ID || drafts[0].Draft.Audience != "instance" || drafts[0].Draft.Summary != "Vorsicht" {
		t.Fatalf("%+v %v", drafts, err)
	}
	newVisitor(t, in, "de").post("/groups", 401, "purpose", "ganz neue Worte").says("Sie wurden inzwischen abgemeldet", "ganz neue Worte")
}

// What cannot be published that far, or answers what is gone, comes back with every word.
func TestRefusedPostsKeepTheirText(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := t.Context()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	asked, err := in.Social.Publish(ctx, bob, social.Draft{Text: "what do you think?", Audience: "instance"})
	if err != nil {
		t.Fatal(err)
	}
	own, err := in.Social.Publish(ctx, alice, social.Draft{Text: "to the company", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, in, "en").as(alice)
	if err := in.Social.SetPolicy(ctx, "test", map[string]string{"audience.widest.member": "instance"}); err != nil {
		t.Fatal(err)
	}
	v.post("/posts", 422, "text", "quite a thought", "audience", "company", "once", "1").says("quite a thought", "Your role may not publish that far")
	v.post("/posts/"+own.Post.ID.String()+"/edit", 422, "text", "quite another thought").says("quite another thought")
	if _, err := in.Social.Delete(ctx, bob, asked.Post.ID); err != nil {
		t.Fatal(err)
	}
	d := v.post("/posts", 422, "text", "an answer to nothing", "audience", "instance", "reply_to", asked.Post.ID.String(), "once", "2").says("an answer to nothing", "not there any more")
	for _, n := range d.elements {
		if n.Data == "input" && attr(n, "name") == "reply_to" {
			t.Error("it still answers what is gone")
		}
	}
}

// In a browser with scripts: the text survives a lost connection and the end of the
// session, what was sent can be taken back on the spot, files come by paste, and the
// meaning of a choice is said while it is made.
func TestComposingLive(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice := net.Member(in, "alice")
	b := window(t, chromium, in.Config.PublicURL, true)
	signIn := func() {
		text, err := in.Auth.Begin(ctx, alice.Account.ID, "test")
		if err != nil {
			t.Fatal(err)
		}
		b.cookie(web.CookieName(in.Config.Domain), text)
	}
	signIn()
	drafts := func() (texts []string) {
		views, err := in.Social.Drafts(ctx, alice)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range views {
			texts = append(texts, v.Draft.Text)
		}
		return texts
	}
	b.open("/")
	b.do("choose", chromedp.Evaluate[chromedp.Void](`(() => { const s = document.querySelector("[name=audience]"); s.value = "instance"; s.dispatchEvent(new Event("change", {bubbles: true})); })()`))
	b.waits("it is said who will see it", `[...document.querySelectorAll(".means:not([hidden])")].map(p => p.dataset.choice).join() == "instance"`)

	// The server keeps what is typed; it is one draft, and gone when the post is sent.
	b.fill("text", "a thought in the making")
	b.waits("it is saved", `document.querySelector(".kept-note").textContent != ""`)
	b.fill("text", " of something")
	b.waits("it is saved again", `document.querySelector(".kept-note").textContent != ""`)
	if got := drafts(); len(got) != 1 || got[0] != "a thought in the making of something" {
		t.Errorf("drafts: %q", got)
	}

	// Without a connection nothing is lost; with it the post goes once.
	b.connection(true, 0)
	b.publish()
	b.appears("There is no connection. Your text is kept")
	b.connection(false, 0)
	b.appears("Your post goes out in")
	if got := drafts(); len(got) != 0 {
		t.Errorf("what is being sent is a draft too: %q", got)
	}

	// Undo brings the text back to where it was written.
	undo := chromedp.Search(`//*[contains(@class,"toast")]//button[normalize-space(.)="Undo"]`)
	b.do("undo", chromedp.Focus(undo), chromedp.SendKeys(undo, kb.Enter))
	b.waits("the text is back", `document.activeElement.name == "text" && document.activeElement.value == "a thought in the making of something"`)
	field := chromedp.CSS("form.composer [name=text]")
	b.do("send it by the keys", chromedp.Focus(field), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.appears("Your post goes out in")
	now := chromedp.Search(`//*[contains(@class,"toast")]//button[normalize-space(.)="Send now"]`)
	b.do("send now", chromedp.Focus(now), chromedp.SendKeys(now, kb.Enter))
	if !b.is(`document.querySelector("form.composer [name=audience]").value == "instance"`) {
		t.Error("the last choice is not kept")
	}
	b.waits("it stands in the list", `document.querySelector("[role=feed] article")?.innerText.includes("a thought in the making of something")`)
	if n := len(regexp.MustCompile("a thought in the making").FindAllString(b.text(), -1)); n != 1 {
		t.Errorf("it stands there %d times:\n%s", n, b.text())
	}

	// A picture is pasted and described; without a description it is asked for.
	b.paste()
	b.waits("the picture is there", `!!document.querySelector(".kept img")`)
	b.fill("text", "with a picture")
	b.publish()
	b.appears("Send it without")
	described := chromedp.CSS(".kept [name^=description-]")
	b.do("describe", chromedp.Focus(described), chromedp.SendKeys(described, "a black square"))

	// The session ends meanwhile: after signing in the text is there again.
	if err := in.Auth.EndAccess(ctx, alice.Account.ID, "test"); err != nil {
		t.Fatal(err)
	}
	b.publish()
	b.waits("it is said", `!!document.querySelector(".toast a[href^='/sign-in']")`)
	signIn()
	b.open("/")
	b.waits("the text is back", `document.querySelector("form.composer [name=text]").value == "with a picture"`)
}

// What somebody typed and did not send is for nobody else who signs in in the same tab.
func TestAnUnsentTextIsItsWritersAlone(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	net.Member(in, "alice")
	net.Member(in, "bob")
	if err := in.Social.FinishSetUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, in, "en")
	b := window(t, chromium, in.Config.PublicURL, true)
	b.signedIn(v, "alice")
	b.open("/")
	b.fill("text", "for nobody yet")
	b.open("/")
	if got := b.ask(`document.querySelector("[name=text]").value`); got != "for nobody yet" {
		t.Errorf("alice finds %q", got)
	}
	b.signedIn(v, "bob")
	b.open("/")
	if got := b.ask(`document.querySelector("[name=text]").value + Object.keys(sessionStorage).filter((key) => key.startsWith("parley-text")).length`); got != "0" {
		t.Errorf("bob finds %q", got)
	}
	b.signedIn(v, "alice")
	b.open("/")
	if got := b.ask(`document.querySelector("[name=text]").value`); got != "" {
		t.Errorf("it stayed in the tab: %q", got)
	}
}

// Whoever is signed out while changing a post, the profile or a community finds the form as
// it was typed after signing in, and nothing is saved before that was seen. Whose form it is
// not keeps the words.
func TestSignedOutWhileChanging(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	for _, r := range []social.Reader{alice, bob} {
		if err := in.Auth.SetPassword(ctx, r.Account.ID, "correct horse battery"); err != nil {
			t.Fatal(err)
		}
	}
	english := "en"
	for _, r := range []social.Reader{alice, bob} {
		if _, err := in.Social.UpdateProfile(ctx, r, social.ProfileChange{Language: &english}); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	post, err := in.Social.Publish(ctx, alice, social.Draft{Text: "as it was", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	signedIn := newVisitor(t, in, "en").as(alice)
	signedIn.post("/groups", 200, "name", "makers", "display_name", "Makers", "purpose", "as it was", "join", "open", "widest", "instance")
	g, err := in.Social.AccountByHandle(ctx, alice, "makers")
	if err != nil {
		t.Fatal(err)
	}
	hidden := func(page *doc) (pairs []string) {
		for _, n := range page.elements {
			if n.Data == "input" && attr(n, "type") == "hidden" && attr(n, "name") != "theme" {
				pairs = append(pairs, attr(n, "name"), attr(n, "value"))
			}
		}
		return pairs
	}
	for path, form := range map[string][]string{
		"/posts/" + post.Post.ID.String() + "/edit": {"text", "as it shall be", "summary", "mind the step", "audience", "instance"},
		"/groups/" + g.ID.String() + "/edit":        {"display_name", "The makers", "purpose", "as it shall be", "join", "request"},
		"/settings":                                 {"display_name", "Alice A.", "note", "as it shall be", "language", "en", "line-1", "Team", "says-1", "the makers"},
	} {
		v := newVisitor(t, in, "en")
		page := v.post(path, 401, form...).says("You were signed out", "as it shall be")
		page = v.post("/sign-in", 401, append(hidden(page), "name", "alice", "password", "wrong wrong wrong")...).says("as it shall be")
		back := hidden(page)
		v.post("/sign-in", 200, append(back, "name", "alice", "password", "correct horse battery")...).wrong("", form...).says("What you typed is back")
		if strings.Contains(signedIn.get(path, 200).raw, "shall be") {
			t.Errorf("%s is saved unseen", path)
		}
		if path != "/settings" {
			newVisitor(t, in, "en").post("/sign-in", 200, append(back, "name", "bob", "password", "correct horse battery")...).says("The draft is saved.", "as it shall be")
		}
	}
}

// A link that not all readers can follow is doubted once, in the words of who can; one to
// what the author may not see is not, so that nobody finds out what there is.
func TestLinksToNarrowerPostsAreDoubted(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	net.Pair(a, b)
	alice, bob, ben := net.Member(a, "alice"), net.Member(a, "bob"), net.Member(b, "ben")
	post := func(in *instance.Instance, who social.Reader, text, audience string) *social.PostView {
		t.Helper()
		p, err := in.Social.Publish(t.Context(), who, social.Draft{Text: text, Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	page := func(in *instance.Instance, p *social.PostView) string {
		return in.Social.Links.PostPage(p.Author.Username, p.Post.ID)
	}
	here, hidden, theirs := post(a, bob, "only here", "instance"), post(a, bob, "to nobody", "direct"), post(b, ben, "for the company", "company")
	net.Settle()
	v := newVisitor(t, a, "en").as(alice)
	doubted := "they will find nothing there"
	for _, link := range []string{page(a, here), here.Post.URI, "(" + page(a, here) + ")."} {
		v.post("/posts", 422, "text", "see "+link, "audience", "company").says("a post of bob", "Only "+a.Config.Domain, doubted)
	}
	v.post("/posts", 422, "text", "see "+page(b, theirs), "audience", "public", "outside", "yes").says("a post of ben", doubted)
	v.post("/posts", 200, "text", "see "+page(a, here), "audience", "company", "dead", "yes").says("Published.")
	for _, one := range [][2]string{{page(a, here), "instance"}, {page(b, theirs), "company"}, {page(b, theirs), "instance"}, {page(a, hidden), "company"}, {page(a, here) + "0", "company"},
		{"https://other.example/@x/1", "company"}} {
		v.post("/posts", 200, "text", "look at "+one[0], "audience", one[1]).says("Published.", "!"+doubted)
	}
	v.post("/posts", 200, "text", "for @bob: "+page(a, here), "audience", "direct").says("Published.", "!"+doubted)
	v.post("/posts", 422, "text", "for @ben@"+b.Config.Domain+": "+page(a, here), "audience", "direct").says(doubted)
	newVisitor(t, a, "de").as(bob).post("/posts", 422, "text", page(a, here), "audience", "company").says("sie finden dort nichts")
}

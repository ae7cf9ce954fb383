package web_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/queue"
	"parley/social"
	"parley/web"
)

// Every page in German, dark and narrow, and in English, light and wide; with
// PARLEY_AXE=all in both languages and six forms each: axe-core finds nothing against
// WCAG 2.2 A and AA, and nothing has to be scrolled sideways.
func TestAccessible(t *testing.T) {
	peers := os.Getenv("PARLEY_TEST_PEERS")
	if peers == "" {
		t.Skip("PARLEY_TEST_PEERS is not set: axe-core is not installed; run ./test/all")
	}
	script, err := os.ReadFile(filepath.Join(peers, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	chromium := startChromium(t)
	net := instancetest.NewWith(t, 2, instancetest.Options{Config: map[string]string{"smtp.host": "127.0.0.1", "smtp.from": "parley@mail.test"}})
	in := net.Instances[0]
	b := &auditor{browser: window(t, chromium, in.Config.PublicURL, true), axe: string(script), all: os.Getenv("PARLEY_AXE") != "", seen: map[string]int{}}
	if _, err := chromedp.Call(b.ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
		t.Fatal(err) // ours forbids the script of the test too
	}
	setup, _, err := in.Auth.SetupLink(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	b.both(func(string) { b.audit("/"); b.audit("/setup?code=" + setup); b.audit("/setup?code=used-up") })
	v, paths := furnish(t, net)
	reset, _, err := in.Auth.ResetLink(context.Background(), v.account("bob").ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.both(func(string) {
		for _, path := range []string{"/", "/sign-in", "/forgot", "/about", "/api/docs", "/offline", "/reset?code=" + reset, "/reset?code=used-up", "/@alice", "/none"} {
			b.audit(path)
		}
	})
	for _, who := range []string{"bob", "alice"} { // bob has nothing yet
		b.signIn(in, who)
		b.both(func(language string) {
			if _, err := in.Social.UpdateProfile(context.Background(), v.reader(who), social.ProfileChange{Language: &language}); err != nil {
				t.Fatal(err)
			}
			for _, path := range paths[who] {
				b.audit(path)
			}
			b.states(map[string]string{"bob": "@al", "alice": "@bo"}[who])
		})
	}
	code, err := net.Instances[1].Social.Invite(context.Background(), social.InviteRequest{Host: "third.test", Zone: social.Zone{Kind: social.ZonePartner, Name: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	b.open("/admin/servers") // alice is still signed in
	b.do("the code", chromedp.SetValue(chromedp.CSS("main [name=code]"), code.String()))
	b.press("//main", "Read the code")
	b.says("Fingerprint of theirs")
	b.look("/admin/servers?code")
	trial := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: map[string]string{"federation.allowed_networks": ""}})
	_, err = trial.Social.CreateAccount(context.Background(), social.NewAccount{Username: "alice", Role: social.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	b.base = trial.Config.PublicURL
	b.signIn(trial, "alice")
	b.both(func(string) { b.audit("/about/style") })
	b.table(t)
}

// states brings pages into what they are in only for a moment, and looks.
func (b *auditor) states(name string) {
	b.Helper()
	b.open("/")
	b.publish() // nothing was written
	b.waits("the composer says what is wrong", `!!document.querySelector("form.composer [aria-invalid]")`)
	b.look("/?faulty")
	b.open("/")
	b.do("ask for the keys", chromedp.KeyEvent("?"), chromedp.WaitVisible(chromedp.CSS("dialog[open] kbd")))
	b.look("/?keys")
	b.open("/")
	b.do("ask for the commands", chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.WaitVisible(chromedp.CSS("#commands li")))
	b.look("/?commands")
	text := chromedp.CSS("form.composer textarea[name=text]")
	b.open("/compose")
	b.do("begin a name", chromedp.Focus(text), chromedp.SendKeys(text, "hello "+name), chromedp.WaitVisible(chromedp.CSS("ul.names li")))
	b.look("/compose?names")
	b.open("/compose")
	b.do("choose the public", chromedp.SetValue(chromedp.CSS("form.composer [name=audience]"), "public"), chromedp.SendKeys(text, "for all"))
	b.publish()
	b.waits("it is asked once more", `document.readyState == "complete" && !!document.querySelector("form.composer button[name=outside]")`)
	b.look("/compose?outside")
	b.open("/")
	b.do("write", chromedp.SendKeys(text, "on its way"))
	b.publish()
	b.waits("it can be undone", `!!document.querySelector(".held")`)
	b.look("/?held")
}

// table compares what was looked at with docs/accessibility.md, and misses no page that
// web.go names.
func (b *auditor) table(t *testing.T) {
	t.Helper()
	source, err := os.ReadFile("web.go")
	if err != nil {
		t.Fatal(err)
	}
	rows, left := map[string]int{}, maps.Clone(b.seen)
	for _, m := range regexp.MustCompile(`\{get, "([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		name := regexp.MustCompile(`:[^{}]*\}`).ReplaceAllString(m[1], "}")
		pattern := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(strings.ReplaceAll(name, "{id}", "[0-9]+"), "[^/]+")
		fits := regexp.MustCompile("^" + pattern + "$")
		for path, looks := range left {
			if bare, _, _ := strings.Cut(path, "?"); fits.MatchString(bare) {
				rows[name] += looks
				delete(left, path)
			}
		}
		if rows[name] == 0 && !noPage[name] {
			t.Errorf("%s was not looked at", name)
		}
	}
	for _, looks := range left {
		rows["errors"] += looks
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		lines = append(lines, fmt.Sprintf("| `%s` | %d | 0 |\n", name, rows[name]*len(allForms)/len(b.forms())))
	}
	const file, head = "../docs/accessibility.md", "|---|---|---|\n"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(doc), head)
	old, after, _ := strings.Cut(rest, "\n\n")
	table := strings.Join(lines, "")
	switch {
	case old+"\n" == table:
	case *update && !t.Failed():
		if err := os.WriteFile(file, []byte(before+head+table+"\n"+after), 0o644); err != nil { //nolint:gosec // for everybody to read
			t.Fatal(err)
		}
	default:
		t.Errorf("%s does not tell what was looked at; go test -run TestAccessible ./web -update writes:\n%s", file, table)
	}
}

var update = flag.Bool("update", false, "write what the tests found into the documents")

// noPage lists what answers a program, or leads on to another page.
var noPage = map[string]bool{"/settings/data/{file}": true, "/live": true, "/compose/names": true, "/oauth/authorize/": true, "/manifest.webmanifest": true, "/public.atom": true, "/public.rss": true, "/tags/{tag}.atom": true, "/tags/{tag}.rss": true, "/@{name}.atom": true, "/@{name}.rss": true, "/users/{id}": true, "/users/{author}/statuses/{id}": true}

// auditor is a browser that looks at pages with axe-core.
type auditor struct {
	*browser
	axe  string
	all  bool           // each page in each form, not only in that of its language
	form form           // of the language; long German words are hardest on a phone
	seen map[string]int // by path: in how many forms
}

// form is a way to look at a page.
type form struct {
	scheme string
	width  int64
	text   string // size of the letters
	forced bool   // colours that the system chose
}

var (
	someForms = []form{{"dark", 320, "100%", false}, {"light", 1280, "100%", false}} // German and English
	allForms  = append(someForms, form{"light", 320, "100%", false}, form{"dark", 1280, "100%", false}, form{"light", 640, "200%", false}, form{"dark", 320, "100%", true})
)

// both runs a look in each language, for who is signed out by the cookie.
func (b *auditor) both(look func(language string)) {
	b.Helper()
	for i, language := range []string{"de", "en"} {
		b.form = someForms[i]
		b.cookie(web.CookieName(strings.TrimPrefix(b.base, "http://"))+"_language", language)
		look(language)
	}
}

func (b *auditor) signIn(in *instance.Instance, who string) {
	b.Helper()
	a, err := in.Social.AccountByHandle(context.Background(), social.Nobody(in.Config.Domain), who)
	if err != nil {
		b.Fatal(err)
	}
	text, err := in.Auth.Begin(context.Background(), a.ID, "test")
	if err != nil {
		b.Fatal(err)
	}
	b.cookie(web.CookieName(in.Config.Domain), text)
}

// audit opens a page and looks at it.
func (b *auditor) audit(path string) {
	b.Helper()
	b.open(path)
	b.look(path)
}

// forms are the ways to look at a page: that of the language, or all.
func (b *auditor) forms() []form {
	if b.all {
		return allForms
	}
	return []form{b.form}
}

// look looks at the page that is open in each form.
func (b *auditor) look(path string) {
	b.Helper()
	b.do("load axe", chromedp.Evaluate[chromedp.Void](b.axe+`;document.querySelectorAll("details").forEach(d => d.open = true)`))
	for _, form := range b.forms() {
		colours := map[bool]string{true: "active", false: "none"}[form.forced]
		_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: form.scheme}, {Name: "forced-colors", Value: colours}}})
		if err != nil {
			b.Fatal(err)
		}
		b.do("letters", chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.documentElement.style.fontSize = %q", form.text)))
		b.do("width", chromedp.EmulateViewport(form.width, 800))
		ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
		found, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then(r => {
			const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
			return r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + n.failureSummary)).concat(
				wide > 0 ? ["wider than the window by " + wide] : [], r.passes.length < 10 ? ["only " + r.passes.length + " rules looked"] : []).join("\n")
		})`, chromedp.EvalAwaitPromise))
		cancel()
		if err != nil {
			b.Fatalf("%s: %v", path, err)
		}
		if found != "" {
			b.Errorf("%s (%+v):\n%s", path, form, found)
		}
		b.seen[path]++
	}
}

// furnish fills an instance with all that a page can show.
func furnish(t *testing.T, net *instancetest.Network) (v *visitor, paths map[string][]string) {
	t.Helper()
	ctx := context.Background()
	in, other := net.Instances[0], net.Instances[1]
	v = newVisitor(t, in, "en")
	alice, bob, carol := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(other, "carol")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	note, locked := "What I do: **maps** and #plans, see https://example.org/a/very/long/address/that/does/not/fit/into/a/narrow/window/at/all", true
	_, err := in.Social.UpdateProfile(ctx, alice, social.ProfileChange{Note: &note, Locked: &locked, Fields: []social.Field{{Name: "Site", Value: "https://example.org"}}})
	must(err)
	must(in.Social.SetOrganisation(ctx, social.Organisation{Name: "Müller Logistik", Group: "Muster Group"}, "test"))
	must(in.Social.FinishSetUp(ctx))
	must(in.Social.SetZone(ctx, "acme.test", social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"))
	_, err = in.Hold(ctx, "acme.test", true, "they move house", "test")
	must(err)
	must(in.DB.Tx(ctx, func(tx social.Tx) error {
		return tx.AddJobs(ctx, []queue.Job{{Kind: "thread", Ref: 1, Target: "x", NextAt: time.Now().Add(24 * time.Hour)}})
	}))
	broken, err := in.DB.Claim(ctx, "thread", time.Now().Add(25*time.Hour), time.Now().Add(26*time.Hour), 1, 1, nil)
	must(err)
	must(in.DB.Retry(ctx, broken[0], time.Now().Add(24*time.Hour), "the server does not answer"))
	found, err := in.Social.FindHandle(ctx, alice, instancetest.Handle(other, carol))
	must(err)
	_, err = in.Social.Follow(ctx, alice, found.ID, social.FollowOptions{})
	must(err)
	theirs, err := other.Social.FindHandle(ctx, carol, instancetest.Handle(in, alice))
	must(err)
	_, err = other.Social.Follow(ctx, carol, theirs.ID, social.FollowOptions{})
	must(err)
	net.Settle()
	pic, err := in.Social.Upload(ctx, alice, social.Upload{Name: "a.png", Description: "a grey picture", Body: strings.NewReader(string(picture(t)))})
	must(err)
	draftPicture, err := in.Social.Upload(ctx, alice, social.Upload{Name: "draft.png", Body: strings.NewReader(string(picture(t)))})
	must(err)
	file, err := in.Social.Upload(ctx, alice, social.Upload{Name: "notes.txt", Body: strings.NewReader("some notes")})
	must(err)
	first := ""
	for _, d := range []social.Draft{
		{Text: "A plan with a [link](https://example.org), `code` and **weight** #plan\n\n- one\n- two\n\n> said\n\n```\nlines of code that are rather long and do not fit into a narrow window\n```", Audience: "company"},
		{Text: "with a picture", Audience: "instance", MediaIDs: []social.ID{pic.ID}}, {Text: "with a file", Audience: "followers", MediaIDs: []social.ID{file.ID}},
		{Text: "behind a lid", Summary: "Spoiler", Audience: "public"}, {Text: "quiet", Audience: "unlisted"}, {Text: "for the partner", Audience: "partner:acme"},
		{Text: "@bob only you", Audience: "direct"}, {Text: "when?", Audience: "company", Poll: &social.PollDraft{Options: []string{"Monday", "Tuesday"}, ExpiresIn: time.Hour}},
	} {
		p, err := in.Social.Publish(ctx, alice, d)
		must(err)
		if first == "" {
			first = p.Post.ID.String()
		}
	}
	asked, err := other.Social.Publish(ctx, carol, social.Draft{Text: instancetest.Handle(in, alice) + " which day?", Audience: "company",
		Poll: &social.PollDraft{Options: []string{"Monday", "Tuesday"}, ExpiresIn: time.Hour}})
	must(err)
	net.Settle()
	here, err := in.Social.PostByURI(ctx, alice, asked.Post.URI)
	must(err)
	_, err = in.Social.Favourite(ctx, alice, here.Post.ID, true)
	must(err)
	_, err = in.Social.Boost(ctx, alice, here.Post.ID, true)
	must(err)
	_, err = in.Social.Keep(ctx, alice, here.Post.ID, social.Kept{Folder: "Maps", Note: "ask again", RemindAt: time.Now().Add(time.Hour)})
	must(err)
	_, err = in.Social.Publish(ctx, alice, social.Draft{Text: "an answer", InReplyTo: here.Post.ID})
	must(err)
	net.Settle()
	group, err := in.Social.CreateGroup(ctx, alice, social.NewGroup{Name: "maps", DisplayName: "Maps", Purpose: "Everything about **maps**", Join: "request"})
	must(err)
	_, err = in.Social.Publish(ctx, alice, social.Draft{Text: "in the community", Audience: "group:maps"})
	must(err)
	_, err = in.Social.Join(ctx, bob, group.Account.ID, true)
	must(err)
	must(in.Social.AddMember(ctx, alice, group.Account.ID, found.ID)) // who is elsewhere is invited
	must(in.Social.AddMember(ctx, alice, group.Account.ID, net.Member(in, "dora").Account.ID))
	must(in.DB.Tx(ctx, func(tx social.Tx) error {
		a, err := tx.Account(ctx, alice.Account.ID)
		if err != nil {
			return err
		}
		a.Role = social.RoleAdmin
		return tx.UpdateAccount(ctx, a)
	}))
	kept, err := in.Social.SaveDraft(ctx, alice, social.Draft{Text: "half a thought", Audience: "company", MediaIDs: []social.ID{draftPicture.ID}})
	must(err)
	_, err = in.Social.Schedule(ctx, alice, social.Draft{Text: "for tomorrow", Audience: "company", At: time.Now().Add(24 * time.Hour)})
	must(err)
	_, err = in.Social.Hold(ctx, alice, social.Draft{Text: "about to go", Audience: "company"})
	must(err)
	app, _, err := in.Auth.Register(ctx, auth.NewApp{Name: "Reader", Website: "https://reader.test", RedirectURIs: []string{"https://reader.test/back"}, Scopes: "read write push"})
	must(err)
	consent := "/oauth/authorize?" + url.Values{"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": app.RedirectURIs, "scope": {app.Scopes}}.Encode()
	list, err := in.Social.CreateList(ctx, alice, social.ListChange{Title: new("Team")})
	must(err)
	must(in.Social.SetInList(ctx, alice, list.ID, []social.ID{found.ID}, true))
	filter, err := in.Social.ChangeFilter(ctx, alice, 0, func(f *social.Filter) error {
		f.Title, f.Places, f.Keywords = "Noise", []social.FilterPlace{social.InHome}, []social.FilterKeyword{{Keyword: "noise", WholeWord: true}}
		return nil
	})
	must(err)
	_, err = in.Social.Invite(ctx, social.InviteRequest{Host: "open.test", Zone: social.Zone{Kind: social.ZonePartner, Name: "acme"}, By: "alice"})
	must(err)
	at, of, who := "/accounts/"+alice.Account.ID.String(), "/groups/"+group.Account.ID.String(), "/"+instancetest.Handle(other, carol)
	return v, map[string][]string{
		"bob": {"/", "/welcome", "/welcome?step=skills", "/welcome?step=people", "/welcome?step=groups", "/welcome?step=post", "/drafts", "/groups", of, "/bookmarks", "/bookmarks?folder=none", "/notifications", "/conversations", "/tags", "/topics", "/follow-requests", "/tags/nothing", "/@bob", "/find?q=nobody", "/find?q=" + url.QueryEscape("@x@stranger.test")},
		"alice": {"/", "/public", "/company", "/here", "/menu", "/keys", "/compose", "/drafts", "/drafts/" + kept.ID.String(), "/groups", "/groups/new", of, of + "/edit", of + "/members", "/admin/requests", "/admin/start", "/admin", "/admin/servers", "/admin/servers/" + other.Config.Domain, "/admin/people", "/admin/people/" + bob.Account.ID.String() + "/leave", "/admin/reports", "/admin/settings", "/admin/work", "/admin/storage", "/tags/plan", "/directory", "/settings/directory", "/@alice", at + "/following", at + "/followers", "/accounts/" + bob.Account.ID.String() + "/report", "/@alice/" + first, who, who + "/" + here.Post.ID.String(), "/find", "/find?q=carol", "/find?q=" + url.QueryEscape(asked.Post.URI),
			"/about", "/api/docs", consent, "/groups?q=nothing", of + "/hand-over?to=bob", of + "/close", "/lists", "/lists/" + list.ID.String(), "/lists/" + list.ID.String() + "/edit",
			"/notifications", "/follow-requests", "/bookmarks", "/bookmarks/" + here.Post.ID.String(), "/settings", "/settings/hidden", "/settings/filters", "/settings/filters/" + filter.ID.String(), "/settings/heard", "/settings/apps", "/settings/reading", "/settings/notices", "/settings/move", "/settings/security", "/settings/data", "/directory/chart", "/posts/" + first + "/history", "/posts/" + first + "/edit", "/posts/" + first + "/delete", "/none", "/posts"},
	}
}

// reader is a member as a reader.
func (v *visitor) reader(name string) social.Reader {
	v.Helper()
	return social.Member(v.account(name), v.in.Config.Domain)
}

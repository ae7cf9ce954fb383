package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// canary would break out of a page that forgets to escape; its tag must never
// become an element.
const canary = `<canary-x onclick=boom()></canary-x>"'><img src=x onerror=boom()><script>boom()</script>`

// visitor is a browser without JavaScript.
type visitor struct {
	*testing.T
	in       *instance.Instance
	client   *http.Client
	language string
}

func newVisitor(t *testing.T, in *instance.Instance, language string) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, in, &http.Client{Jar: jar}, language}
}

// as signs a member in.
func (v *visitor) as(r social.Reader) *visitor {
	v.Helper()
	l, atOnce := v.language, 0
	if _, err := v.in.Social.UpdateProfile(context.Background(), r, social.ProfileChange{Language: &l, UndoSeconds: &atOnce}); err != nil {
		v.Fatal(err)
	}
	text, err := v.in.Auth.Begin(context.Background(), r.Account.ID, "test")
	if err != nil {
		v.Fatal(err)
	}
	u, err := url.Parse(v.in.Config.PublicURL)
	if err != nil {
		v.Fatal(err)
	}
	v.client.Jar.SetCookies(u, []*http.Cookie{{Name: web.CookieName(u.Host), Value: text}})
	return v
}

// do sends a request and checks the page that comes back.
func (v *visitor) do(method, path string, body io.Reader, contentType string, status int) *doc {
	v.Helper()
	req, err := http.NewRequest(method, v.in.Config.PublicURL+path, body)
	if err != nil {
		v.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", v.language)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := v.client.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.Fatal(err)
	}
	if res.StatusCode != status {
		v.Errorf("%s %s: status %d, want %d", method, path, res.StatusCode, status)
	}
	d := &doc{T: v.T, name: method + " " + path + " (" + v.language + ")", raw: string(b), at: res.Request.URL}
	d.check(v.language, res.Header)
	return d
}

func (v *visitor) get(path string, status int) *doc {
	v.Helper()
	return v.do("GET", path, nil, "", status)
}

// post sends a form; the redirect after it is followed.
func (v *visitor) post(path string, status int, pairs ...string) *doc {
	v.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.do("POST", path, strings.NewReader(form.Encode()), "application/x-www-form-urlencoded", status)
}

// upload sends the composer's form with a file.
func (v *visitor) upload(name string, data []byte, status int, pairs ...string) *doc {
	v.Helper()
	return v.sendFile("/posts", name, data, status, pairs...)
}

// sendFile sends a form with a file.
func (v *visitor) sendFile(path, name string, data []byte, status int, pairs ...string) *doc {
	v.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		_ = m.WriteField(pairs[i], pairs[i+1]) // into memory
	}
	f, err := m.CreateFormFile("file", name)
	if err != nil {
		v.Fatal(err)
	}
	_, _ = f.Write(data)
	_ = m.Close()
	return v.do("POST", path, &b, m.FormDataContentType(), status)
}

// doc is a page as a browser understands it.
type doc struct {
	*testing.T
	name, raw string
	bare      bool // has no navigation
	at        *url.URL
	root      *html.Node
	elements  []*html.Node
	text      string
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}

// check holds a page against the rules for all pages.
func (d *doc) check(language string, h http.Header) {
	d.Helper()
	var err error
	if d.root, err = html.Parse(strings.NewReader(d.raw)); err != nil {
		d.Fatal(err)
	}
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode {
			d.elements = append(d.elements, n)
		}
	}
	d.text = strings.Join(strings.Fields(textOf(d.root)), " ")
	policy := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "img-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			d.Errorf("%s: the policy lacks %s", d.name, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || !strings.Contains(policy, "script-src 'self';") {
		d.Errorf("%s: the policy allows %s", d.name, policy)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Cache-Control"), "no-store") {
		d.Errorf("%s: headers %v", d.name, h)
	}
	d.checkElements(language)
	d.checkLabels()
	if bad := codeWords.FindString(d.text); bad != "" && !strings.Contains(d.name, " /admin/") && !strings.Contains(d.name, " /api/docs ") {
		d.Errorf("%s says %q", d.name, bad)
	}
	for _, bad := range []string{"%!", "<no value>", "ZgotmplZ", "%d", "%s"} {
		if strings.Contains(d.raw, bad) {
			d.Errorf("%s: %s stands on the page", d.name, bad)
		}
	}
}

// codeWords are for code, for who writes programs, and for administrators.
var codeWords = regexp.MustCompile(`(?i)\b(audience|instance|instanz|sister|peer|zone|boost|favou?rite|reblog|unlisted|visibility)\b|partner:`)

func (d *doc) checkElements(language string) {
	d.Helper()
	count := map[string]int{}
	ids := map[string]bool{}
	for _, n := range d.elements {
		count[n.Data]++
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				d.Errorf("%s: the id %s stands twice", d.name, id)
			}
			ids[id] = true
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				d.Errorf("%s: <%s %s=%q>", d.name, n.Data, a.Key, a.Val)
			}
		}
		switch n.Data {
		case "script":
			if src := attr(n, "src"); !strings.HasPrefix(src, "/static/") || n.FirstChild != nil {
				d.Errorf("%s: a script from %q", d.name, src)
			}
		case "style", "iframe", "object", "canary-x":
			d.Errorf("%s: <%s>", d.name, n.Data)
		case "img":
			if src := attr(n, "src"); !strings.HasPrefix(src, "/") || strings.HasPrefix(src, "//") {
				d.Errorf("%s: a picture from %q", d.name, src)
			}
			if !has(n, "alt") {
				d.Errorf("%s: a picture without alt", d.name)
			}
		case "link", "use", "source", "video", "audio":
			to := attr(n, "href") + attr(n, "src")
			if own := strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//"); !own && attr(n, "rel") != "alternate" && attr(n, "rel") != "canonical" {
				d.Errorf("%s: <%s> loads %q", d.name, n.Data, to)
			}
		case "form":
			if a := attr(n, "action"); !strings.HasPrefix(a, "/") {
				d.Errorf("%s: a form for %q", d.name, a)
			}
		case "a":
			if strings.TrimSpace(textOf(n)) == "" && attr(n, "aria-label") == "" && !strings.Contains(render(n), "alt=") {
				d.Errorf("%s: a link without a name: %s", d.name, render(n))
			}
		case "button":
			if strings.TrimSpace(textOf(n)) == "" {
				d.Errorf("%s: a button without a name", d.name)
			}
		case "html":
			if attr(n, "lang") != language {
				d.Errorf("%s: lang is %q", d.name, attr(n, "lang"))
			}
		}
	}
	d.checkFeeds()
	if count["h1"] != 1 || count["main"] != 1 || count["title"] != 1 || count["header"] < 1 || count["nav"] < 1 && !d.bare {
		d.Errorf("%s: %d h1, %d main, %d title, %d header, %d nav", d.name, count["h1"], count["main"], count["title"], count["header"], count["nav"])
	}
	for _, n := range d.elements {
		for _, id := range strings.Fields(attr(n, "aria-describedby") + " " + attr(n, "aria-labelledby")) {
			if !ids[id] {
				d.Errorf("%s: nothing has the id %s", d.name, id)
			}
		}
	}
}

// checkFeeds wants posts in a feed to say which one of it they are.
func (d *doc) checkFeeds() {
	d.Helper()
	for _, n := range d.elements {
		if attr(n, "role") != "feed" {
			continue
		}
		place := 0
		for c := range n.ChildNodes() {
			if c.Data != "article" {
				continue
			}
			if place++; attr(c, "aria-posinset") != strconv.Itoa(place) || attr(c, "aria-setsize") == "" {
				d.Errorf("%s: post %d of a feed says it is number %q of %q", d.name, place, attr(c, "aria-posinset"), attr(c, "aria-setsize"))
			}
		}
	}
}

func render(n *html.Node) string {
	var b strings.Builder
	_ = html.Render(&b, n) // into memory
	return b.String()
}

// checkLabels wants a label at every field.
func (d *doc) checkLabels() {
	d.Helper()
	labelled := map[string]bool{}
	for _, n := range d.elements {
		if n.Data == "label" && attr(n, "for") != "" && strings.TrimSpace(textOf(n)) != "" {
			labelled[attr(n, "for")] = true
		}
	}
	for _, n := range d.elements {
		if n.Data != "input" && n.Data != "textarea" && n.Data != "select" || attr(n, "type") == "hidden" {
			continue
		}
		inside := false
		for p := n.Parent; p != nil; p = p.Parent {
			inside = inside || p.Data == "label"
		}
		if !inside && !labelled[attr(n, "id")] {
			d.Errorf("%s: no label for %s", d.name, render(n))
		}
	}
}

// says wants texts on the page; a text that begins with "!" must not be there.
func (d *doc) says(texts ...string) *doc {
	d.Helper()
	for _, want := range texts {
		unwanted, not := strings.CutPrefix(want, "!")
		if not && strings.Contains(d.text, unwanted) {
			d.Errorf("%s says %q", d.name, unwanted)
		}
		if !not && !strings.Contains(d.text, want) {
			d.Errorf("%s does not say %q:\n%s", d.name, want, d.text)
		}
	}
	return d
}

// wrong wants a field marked as mistaken, and what was typed still in another.
func (d *doc) wrong(field string, kept ...string) *doc {
	d.Helper()
	marked := ""
	typed := map[string]string{}
	for _, n := range d.elements {
		name := attr(n, "name")
		if attr(n, "aria-invalid") == "true" {
			marked = name
		}
		switch n.Data {
		case "textarea":
			typed[name] = textOf(n)
		case "input":
			typed[name] = attr(n, "value")
		case "option":
			if has(n, "selected") {
				typed[attr(n.Parent, "name")] = attr(n, "value")
			}
		}
	}
	if marked != field {
		d.Errorf("%s: marked is %q, want %q", d.name, marked, field)
	}
	for i := 0; i < len(kept); i += 2 {
		if typed[kept[i]] != kept[i+1] {
			d.Errorf("%s: %s holds %q, want %q", d.name, kept[i], typed[kept[i]], kept[i+1])
		}
	}
	return d
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pick chooses a text by language.
func (v *visitor) pick(en, de string) string {
	if v.language == "de" {
		return de
	}
	return en
}

func TestPagesInEveryState(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) { everyState(t, language) })
	}
}

func everyState(t *testing.T, language string) {
	net := instancetest.New(t, 2, nil)
	in, other := net.Instances[0], net.Instances[1]
	v := newVisitor(t, in, language)
	setupStates(v)

	ctx := context.Background()
	admin, err := in.Social.AccountByHandle(ctx, social.Nobody(in.Config.Domain), "alice")
	if err != nil {
		t.Fatal(err)
	}
	alice, bob, carol := social.Member(admin, in.Config.Domain), net.Member(in, "bob"), net.Member(other, "carol")
	signInStates(newVisitor(t, in, language), bob)
	emptyStates(newVisitor(t, in, language).as(bob), "bob")
	composerStates(newVisitor(t, in, language).as(bob))
	postStates(newVisitor(t, in, language).as(alice), net, alice, bob)
	peopleStates(newVisitor(t, in, language).as(alice), net, bob, carol)
	hostileStates(newVisitor(t, in, language).as(alice), net, bob, carol)
	faultStates(newVisitor(t, in, language).as(alice))
}

// A server on loopback that no network may reach says so; the demo's reach each other.
func TestTrialIsSaid(t *testing.T) {
	for networks, says := range map[string]string{"": "Trial: no other server can reach you", "127.0.0.0/8": "!Trial"} {
		in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: map[string]string{"federation.allowed_networks": networks}})
		newVisitor(t, in, "en").get("/", 200).says(says)
	}
}

func setupStates(v *visitor) {
	v.get("/", 200).says(v.pick("is not set up yet", "noch nicht eingerichtet"), "parley setup-link")
	v.get("/setup?code=nonsense", 404).says("parley setup-link")
	code, _, err := v.in.Auth.SetupLink(context.Background())
	if err != nil {
		v.Fatal(err)
	}
	v.get("/setup?code="+code, 200)
	typed := []string{"code", code, "organisation", "Müller " + canary, "group", "Muster-Gruppe", "name", "alice", "display_name", canary}
	v.post("/setup", 422, append([]string{"password", "short"}, typed...)...).wrong("password", "organisation", "Müller "+canary, "name", "alice", "password", "")
	v.post("/setup", 422, "code", code, "name", "alice", "password", "long enough").wrong("organisation")
	v.post("/setup", 422, "code", code, "organisation", "x", "password", "long enough").wrong("name")
	again := v.post("/setup", 422, "code", code, "organisation", "Müller", "name", "Ä b", "password", "long enough").wrong("name", "organisation", "Müller")
	fresh := regexp.MustCompile(`name="code" value="([^"]+)"`).FindStringSubmatch(again.raw)
	if len(fresh) != 2 || fresh[1] == code {
		v.Fatal("no new link after a refused name")
	}
	v.get("/setup?code="+code, 404)
	home := v.post("/setup", 200, "code", fresh[1], "organisation", "Müller "+canary, "group", "Muster-Gruppe", "name", "alice", "display_name", canary, "password", "long enough")
	home.says(v.pick("Whole Muster-Gruppe (2 companies)", "Ganze Muster-Gruppe (2 Firmen)"), v.pick("Only Müller ", "Nur Müller "), v.pick("Who sees this?", "Wer sieht das?"))
	if home.at.Query().Get("done") != "set_up" {
		v.Errorf("landed on %s", home.at)
	}
	v.get("/setup?code="+fresh[1], 404).says(v.pick("set up already", "schon eingerichtet"))
	v.post("/sign-out", 200).says(v.pick("You are signed out", "Sie sind abgemeldet"))
}

func signInStates(v *visitor, bob social.Reader) {
	v.get("/", 200).says(v.pick("No public posts", "Keine öffentlichen Beiträge"))
	v.get("/notifications", 200).says(v.pick("Name or mail address", "Name oder Mail-Adresse"))
	v.post("/sign-in", 401, "name", "bob", "password", "wrong password", "next", "/find").wrong("password", "name", "bob", "next", "/find")
	v.get("/reset?code=nonsense", 404).says("parley account reset-link")
	code, _, err := v.in.Auth.ResetLink(context.Background(), bob.Account.ID, "test")
	if err != nil {
		v.Fatal(err)
	}
	v.get("/reset?code="+code, 200)
	v.post("/reset", 422, "code", code, "password", "short").wrong("password")
	v.post("/reset", 200, "code", code, "password", "long enough").says(v.pick("The password is saved", "Das Passwort ist gespeichert"))
	v.post("/reset", 404, "code", code, "password", "long enough again")
	if d := v.post("/sign-in", 200, "name", "bob", "password", "long enough", "next", "/find"); d.at.Path != "/find" {
		v.Errorf("landed on %s", d.at)
	}
	v.get("/sign-in?next=//evil.test", 200)
	v.post("/sign-out", 200)
	if d := v.post("/sign-in", 200, "name", "bob", "password", "long enough", "next", "//evil.test/"); d.at.Host != v.in.Config.Domain {
		v.Errorf("landed on %s", d.at)
	}
}

// Signing in, and a new password, end the session that the browser had, whoever it
// was of: a cookie that is replaced works no more.
func TestSigningInEndsTheFormerSession(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	for _, who := range []social.Reader{alice, bob} {
		if err := in.Auth.SetPassword(ctx, who.Account.ID, "long enough"); err != nil {
			t.Fatal(err)
		}
	}
	u, err := url.Parse(in.Config.PublicURL)
	if err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, in, "en")
	cookie := func() string {
		for _, c := range v.client.Jar.Cookies(u) {
			if c.Name == web.CookieName(u.Host) {
				return c.Value
			}
		}
		return ""
	}
	works := func(text string, want bool) {
		t.Helper()
		if _, _, err := in.Auth.Session(ctx, text); (err == nil) != want {
			t.Errorf("the session: %v", err)
		}
	}
	v.as(alice)
	first := cookie()
	v.post("/sign-in", 401, "name", "bob", "password", "not this one")
	works(first, true)
	v.post("/sign-in", 200, "name", "bob", "password", "long enough")
	second := cookie()
	works(first, false)
	works(second, true)
	code, _, err := in.Auth.ResetLink(ctx, alice.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	v.post("/reset", 200, "code", code, "password", "long enough too")
	works(second, false)
}

func emptyStates(v *visitor, name string) {
	v.get("/", 200).says(v.pick("Nothing here yet", "Noch nichts hier"))
	v.get("/public", 200).says(v.pick("Nobody has written anything yet", "Noch hat niemand etwas geschrieben"))
	v.get("/directory?q=nobody", 200).says(v.pick("Nobody found", "Niemand gefunden"))
	v.get("/company", 200).says(v.pick("Whole Muster-Gruppe", "Ganze Muster-Gruppe"), v.pick("Nothing was written for the whole group yet", "noch niemand etwas geschrieben"))
	v.get("/bookmarks", 200).says(v.pick("Nothing bookmarked", "Nichts gemerkt"))
	v.get("/notifications", 200).says(v.pick("Nothing new", "Nichts Neues"))
	v.get("/follow-requests", 200).says(v.pick("Nobody is waiting", "Niemand wartet"))
	v.get("/tags/nothing", 200).says(v.pick("No posts with this hashtag", "Keine Beiträge mit diesem Schlagwort"))
	v.get("/@"+name, 200).says(v.pick("No posts that you may see", "Keine Beiträge, die Sie sehen dürfen"), v.pick("That is you", "Das sind Sie"))
	v.get("/find", 200)
	v.get("/find?q=nobody", 200).says(v.pick("Nothing found", "Nichts gefunden"))
	v.get("/nothing-here", 404).says(v.pick("There is nothing here", "Hier ist nichts"))
	v.get("/posts", 405).says(v.pick("address of a form", "Adresse eines Formulars"))
	v.get("/posts/1/edit", 404)
}

func composerStates(v *visitor) {
	v.post("/posts", 422, "text", " ", "audience", "instance", "summary", canary).wrong("text", "audience", "instance", "summary", canary)
	long := strings.Repeat("lang ", 1200)
	v.post("/posts", 422, "text", long, "audience", "company").wrong("text", "text", long)
	v.post("/posts", 422, "text", "poll", "audience", "company", "poll", "one\r\none").wrong("poll", "text", "poll", "poll", "one\none")
	v.post("/posts", 422, "text", "kept", "audience", "nonsense").wrong("audience", "text", "kept")
	v.upload("x.exe", []byte("MZ\x90\x00\x03\x00\x00\x00"), 422, "text", "with a program", "audience", "company").wrong("file", "text", "with a program")
	again := v.upload("pic.png", picture(v.T), 422, "text", long, "audience", "company", "description", "a grey picture").
		wrong("text").says("pic.png")
	kept := regexp.MustCompile(`name="media" value="([0-9]+)"`).FindStringSubmatch(again.raw)
	if len(kept) != 2 || !strings.Contains(again.raw, `value="a grey picture"`) {
		v.Fatal("the uploaded file is lost, or what it shows")
	}
	v.post("/posts", 422, "text", "nobody knows what it shows", "audience", "company", "media", kept[1], "once", "2").
		wrong("file", "text", "nobody knows what it shows").says(v.pick("Send it without", "Ohne Beschreibung senden"))
	d := v.post("/posts", 200, "text", "short now", "audience", "company", "media", kept[1], "description-"+kept[1], "a grey picture", "once", "1").
		says(v.pick("Published.", "Veröffentlicht."), "short now")
	if !strings.Contains(d.raw, `alt="a grey picture"`) || !strings.Contains(d.raw, `src="/media/`+kept[1]+`/small"`) {
		v.Error("the picture is not shown")
	}
	for n, audience := range []string{"public", "unlisted"} {
		text, once := fmt.Sprintf("for all, part %d", n), fmt.Sprint("outside", n)
		asked := v.post("/posts", 422, "text", text, "audience", audience, "once", once).
			wrong("audience", "text", text, "audience", audience).says(v.pick("outside the company too", "auch außerhalb der Firma"))
		if !strings.Contains(asked.raw, `name="outside" value="yes"`) {
			v.Error("there is no button that publishes outside")
		}
		if strings.Contains(v.get("/", 200).text, text) {
			v.Error("it is published before it was confirmed")
		}
		v.post("/posts", 200, "text", text, "audience", audience, "once", once, "outside", "yes").
			says(v.pick("Published.", "Veröffentlicht."), text)
	}
	if d := v.post("/posts", 200, "text", "short now", "audience", "company", "once", "1"); strings.Count(d.text, "short now") != 1 {
		v.Error("the same form made two posts")
	}
}

// Whoever opens a link to what is not for everybody can sign in and comes back to it; the
// page says the same of what there is and of what there is not.
func TestSignInLeadsBackToAHiddenPost(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	if err := in.Social.FinishSetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	alice := net.Member(in, "alice")
	made, err := in.Social.Publish(t.Context(), alice, social.Draft{Text: "inside", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	path := "/@alice/" + made.Post.ID.String()
	for _, language := range []string{"en", "de"} {
		v := newVisitor(t, in, language)
		hidden, missing := v.get(path, 404).says(v.pick("not for you", "nicht für Sie"), v.pick("you come back to it", "kommen Sie darauf zurück")), v.get("/@alice/7", 404)
		if hidden.raw != missing.raw {
			t.Error("hidden and missing differ")
		}
		r, err := http.NewRequest(http.MethodGet, in.Config.PublicURL+"/sign-in?back=yes", nil)
		if err != nil {
			t.Fatal(err)
		}
		for from, next := range map[string]string{in.Config.PublicURL + path: path, "https://evil.test/x": "", in.Config.PublicURL + "//evil.test": ""} {
			r.Header.Set("Referer", from)
			res, err := v.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(res.Body)
			if err := errors.Join(err, res.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), `name="next" value="`+next+`"`) {
				t.Errorf("from %s it does not lead to %q", from, next)
			}
		}
	}
	newVisitor(t, in, "en").as(alice).get("/@alice/7", 404).says("Search", "!sign in")
}

// postOf finds the id of the newest post that holds a text.
func (v *visitor) postOf(r social.Reader, text string) string {
	v.Helper()
	views, err := v.in.Social.AccountPosts(context.Background(), r, r.Account.ID, social.Page{Limit: 40}, social.PostFilter{})
	if err != nil {
		v.Fatal(err)
	}
	for _, one := range views {
		if strings.Contains(one.Post.Content, text) {
			return one.Post.ID.String()
		}
	}
	v.Fatalf("no post says %q", text)
	return ""
}

func postStates(v *visitor, net *instancetest.Network, alice, bob social.Reader) {
	ctx := context.Background()
	v.post("/posts", 200, "text", "first #plan", "audience", "company")
	id := v.postOf(alice, "first")
	v.get("/@alice/"+id, 200).says("first", v.pick("Whole Muster-Gruppe", "Ganze Muster-Gruppe"), v.pick("Reply to", "Antwort an"))
	v.get("/tags/plan", 200).says("first")
	v.get("/company", 200).says("first")
	v.get("/posts/"+id+"/edit", 200).wrong("", "text", "first #plan")
	v.post("/posts/"+id+"/edit", 422, "text", "", "audience", "instance", "language", "fr").wrong("text", "text", "", "audience", "instance", "language", "fr")
	v.post("/posts/"+id+"/edit", 422, "text", "wider", "audience", "public").wrong("audience", "text", "wider")
	v.post("/posts/"+id+"/edit", 200, "text", "second version", "summary", canary).says("second version", v.pick("edited", "bearbeitet"))
	v.post("/posts/"+id+"/edit", 200, "text", "second version", "summary", canary, "audience", "instance", "language", "fr").says("second version", v.pick("Only Müller ", "Nur Müller "))
	v.get("/posts/"+id+"/edit", 200).wrong("", "language", "fr").says(v.pick("!Who sees this?", "!Wer sieht das?"))
	for _, act := range []string{"like", "share", "bookmark", "unlike", "unshare", "unbookmark"} {
		v.post("/posts/"+id+"/"+act, 200, "next", "/@alice/"+id)
	}
	v.post("/posts/"+id+"/bookmark", 200)
	v.get("/bookmarks", 200).says("second version")
	// A reply that would reach more than what it answers is narrowed, and says so.
	v.post("/posts", 200, "text", "an answer", "audience", "public", "reply_to", id).says(v.pick("fewer people than you chose", "weniger Leute"), "an answer")
	v.post("/posts", 422, "text", "", "reply_to", id).wrong("text", "reply_to", id)
	asked, err := v.in.Social.Publish(ctx, bob, social.Draft{Text: "soon gone", Audience: "company"})
	if err != nil {
		v.Fatal(err)
	}
	answer, err := v.in.Social.Publish(ctx, bob, social.Draft{Text: "left alone", InReplyTo: asked.Post.ID})
	if err != nil {
		v.Fatal(err)
	}
	alone := v.pick("What this answers is gone", "Worauf das antwortet, ist nicht mehr da")
	v.get("/@bob/"+answer.Post.ID.String(), 200).says("soon gone", "!"+alone)
	if _, err := v.in.Social.Delete(ctx, bob, asked.Post.ID); err != nil {
		v.Fatal(err)
	}
	v.get("/@bob/"+answer.Post.ID.String(), 200).says("left alone", alone)
	poll, err := v.in.Social.Publish(ctx, bob, social.Draft{Text: "when?", Audience: "company", Poll: &social.PollDraft{Options: []string{"Mon " + canary, "Tue"}, ExpiresIn: time.Hour}})
	if err != nil {
		v.Fatal(err)
	}
	open := "/@bob/" + poll.Post.ID.String()
	v.get(open, 200).says("when?", v.pick("Open until", "Offen bis"), v.pick("0 people voted", "0 Personen haben abgestimmt"))
	v.post("/posts/"+poll.Post.ID.String()+"/vote", 422, "choice", "x")
	v.post("/posts/"+poll.Post.ID.String()+"/vote", 200, "choice", "0", "next", open).says(v.pick("your vote", "Ihre Stimme"), v.pick("1 vote", "1 Stimme"), v.pick("1 person voted", "1 Person hat abgestimmt"), "100 %")
	v.post("/posts/"+poll.Post.ID.String()+"/vote", 422, "choice", "0").says(v.pick("You have voted", "schon abgestimmt"))
	// Another's post cannot be edited or deleted, and is not even admitted to exist.
	v.get("/posts/"+poll.Post.ID.String()+"/edit", 404)
	v.post("/posts/"+poll.Post.ID.String()+"/delete", 404)
	v.get("/posts/"+id+"/delete", 200).says("second version")
	v.post("/posts/"+id+"/delete", 200).says(v.pick("The post is deleted", "Der Beitrag ist gelöscht"))
	v.get("/@alice/"+id, 404)
	for i := range 25 {
		if _, err := v.in.Social.Publish(ctx, alice, social.Draft{Text: fmt.Sprintf("number %d", i), Audience: "public"}); err != nil {
			v.Fatal(err)
		}
	}
	net.Settle()
	older := regexp.MustCompile(`href="(/\?older=[0-9]+)" rel="next"`).FindStringSubmatch(v.get("/", 200).says("number 24", "!number 4 ").raw)
	if len(older) != 2 {
		v.Fatal("no older posts")
	}
	v.get(older[1], 200).says("number 4", "!number 24")
	newVisitor(v.T, v.in, v.language).get("/", 200).says("number 24", "!when?")
}

// awayStates keeps somebody away and lets them come back, and tells the moderators.
func awayStates(v *visitor, net *instancetest.Network, bob social.Reader, handle string) {
	at := "/accounts/" + bob.Account.ID.String()
	v.get("/@bob", 200).says(v.pick("Our own company: Müller", "Unsere eigene Firma: Müller"), v.pick("Report to the moderators", "Der Moderation melden"))
	v.get("/settings/hidden", 200).says(v.pick("You have muted nobody", "Sie haben niemanden stummgeschaltet"), v.pick("You have blocked nobody", "Sie haben niemanden gesperrt"))
	v.post(at+"/mute", 200, "next", "/@bob").says(v.pick("You muted this person", "Von Ihnen stummgeschaltet"), v.pick("You can take that back", "jederzeit zurücknehmen"))
	v.get("/settings/hidden", 200).says("bob", v.pick("Stop muting", "Nicht mehr stummschalten"))
	v.post(at+"/unmute", 200, "next", "/@bob").says("!" + v.pick("You muted this person", "Von Ihnen stummgeschaltet"))
	v.post(at+"/block", 200, "next", "/@bob").says(v.pick("You blocked this person", "Von Ihnen gesperrt"), "!"+v.pick("Withdraw the request", "Anfrage zurückziehen"))
	v.get("/settings/hidden", 200).says("bob", v.pick("Stop blocking", "Nicht mehr sperren"))
	v.post(at+"/unblock", 200, "next", "/settings/hidden").says(v.pick("You have blocked nobody", "Sie haben niemanden gesperrt"))
	v.post(at+"/note", 200, "comment", "met in Bonn "+canary, "next", "/@bob").says("met in Bonn", v.pick("Only you can read it", "Nur Sie können sie lesen"), v.pick("Saved", "Gespeichert"))
	v.post(at+"/note", 422, "comment", strings.Repeat("x", social.NoteLength+1))
	newVisitor(v.T, v.in, v.language).as(bob).get("/@bob", 200).says("!met in Bonn")
	if _, err := v.in.Social.Follow(v.Context(), bob, v.account("alice").ID, social.FollowOptions{}); err != nil {
		v.Fatal(err)
	}
	if rel, err := v.in.Social.AnswerFollow(v.Context(), social.Member(v.account("alice"), v.in.Social.HomeAuthority()), bob.Account.ID, true); err != nil || !rel.FollowedBy {
		v.Fatal(rel, err)
	}
	v.get("/@bob", 200).says(v.pick("Remove from my followers", "Nicht mehr folgen lassen"))
	v.post(at+"/drop", 200, "next", "/@bob").says(v.pick("follows you no longer", "folgt Ihnen nicht mehr"), "!"+v.pick("Remove from my followers", "Nicht mehr folgen lassen"))
	v.post("/settings/hidden", 422, "domain", "no host").wrong("domain").says(v.pick("not the name of a server", "kein Name eines Servers"))
	v.post("/settings/hidden", 422, "domain", v.in.Config.Domain).wrong("domain").says(v.pick("That is this server", "Das ist dieser Server"))
	v.post("/settings/hidden", 200, "domain", " Quiet.Test ").says("quiet.test", v.pick("See it again", "Wieder sehen"))
	v.post("/settings/hidden", 200, "shown", "quiet.test").says("!quiet.test")
	v.get(at+"/report", 200).says(v.pick("Report bob", "bob melden"), "!"+v.pick("without your name", "ohne Ihren Namen"))
	v.post(at+"/report", 200, "comment", canary).says(v.pick("The moderators were told", "Die Moderation ist benachrichtigt"))
	v.get(at+"/followers", 200).says(v.pick("Who follows bob", "Wer bob folgt"), v.pick("nobody to show", "niemand zu zeigen"))
	v.get("/accounts/"+v.account("alice").ID.String()+"/following", 200)

	far := v.get("/"+handle, 200).says(v.pick("A company of our group: ", "Eine Firma unserer Gruppe: ") + net.Instances[1].Config.Domain)
	form := regexp.MustCompile(`/accounts/\d+/report`).FindString(far.raw)
	v.get(form, 200).says(v.pick("without your name", "ohne Ihren Namen"))
	v.post(form, 200, "comment", "spam", "forward", "yes")
	newVisitor(v.T, v.in, v.language).get("/@bob", 200).says("!"+v.pick("Our own company", "Unsere eigene Firma"), "!"+v.pick("Mute, block or report", "Stummschalten, sperren oder melden"))
}

// appStates disconnects an own app, and cannot touch that of somebody else.
// filterStates makes a filter with all that can be wrong in it, sees what it does, changes
// and deletes it.
func filterStates(v *visitor, other social.Reader) {
	v.get("/settings/filters", 200).says(v.pick("You filter nothing", "Sie filtern nichts"))
	all := func(pairs ...string) []string { return append([]string{"whole", "yes", "in_home", "yes"}, pairs...) }
	v.post("/settings/filters", 422, all("title", " ", "words", "kept")...).wrong("title", "words", "kept")
	v.post("/settings/filters", 422, all("title", "kept", "words", " \r\n ")...).wrong("words", "title", "kept")
	v.post("/settings/filters", 422, "title", "kept", "words", "one").wrong("in_home", "title", "kept", "words", "one")
	v.post("/settings/filters", 422, all("title", "kept", "words", "one", "lasts", "99")...).wrong("lasts", "title", "kept")
	v.post("/settings/filters", 422, all("title", "kept", "words", strings.Repeat("x", 300))...).wrong("words", "title", "kept")
	page := v.post("/settings/filters", 200, all("title", "Football "+canary, "words", "football\r\nfree kick", "lasts", "7")...).says("Football "+canary, "football, free kick")
	at := regexp.MustCompile(`href="(/settings/filters/[0-9]+)"`).FindStringSubmatch(page.raw)
	if len(at) != 2 {
		v.Fatalf("no way to the filter:\n%s", page.text)
	}
	for _, text := range []string{"a free kick for us", "freekicker"} {
		if _, err := v.in.Social.Publish(context.Background(), other, social.Draft{Text: text, Audience: "company"}); err != nil {
			v.Fatal(err)
		}
	}
	kick := v.postOf(other, "a free kick")
	talk := "/@" + other.Account.Username + "/" + kick
	v.get(talk, 200).says(v.pick("Hear nothing more of this conversation", "Von dieser Unterhaltung nichts mehr hören"))
	v.post("/posts/"+kick+"/mute-thread", 200, "next", talk).says(v.pick("You hear nothing more", "nichts mehr"), v.pick("Hear of this conversation again", "wieder hören"))
	v.post("/posts/"+kick+"/unmute-thread", 200, "next", talk).says(v.pick("You hear of this conversation again.", "Sie hören wieder von dieser Unterhaltung."))
	if home := v.get("/company", 200); strings.Contains(home.text, v.pick("Filtered:", "Gefiltert:")) {
		v.Error("it counts where it shall not")
	}
	v.get(at[1], 200).wrong("", "title", "Football "+canary, "words", "football\nfree kick", "lasts", "stays")
	v.post(at[1], 422, "title", "kept", "words", "one").wrong("in_home", "title", "kept")
	v.post(at[1], 200, "title", "Kicks", "words", "free kick\r\nother", "whole", "yes", "in_public", "yes", "lasts", "stays").says("Kicks", "free kick, other")
	home := v.get("/company", 200).says(v.pick("Filtered: Kicks. Show it all the same", "Gefiltert: Kicks. Trotzdem zeigen"), "a free kick for us")
	if strings.Count(home.text, v.pick("Filtered:", "Gefiltert:")) != 1 {
		v.Error("another post is filtered too")
	}
	v.post(at[1], 200, "title", "Kicks", "words", "free kick", "whole", "yes", "in_public", "yes", "does", "hide")
	v.get("/company", 200).says("!a free kick", "freekicker")
	newVisitor(v.T, v.in, v.language).as(other).get(at[1], 404)
	v.post(at[1], 200, "do", "delete").says(v.pick("The filter is deleted.", "Der Filter ist gelöscht."))
	v.get("/company", 200).says("a free kick")
	v.get(at[1], 404)
}

// heardStates holds somebody back, lets them be heard, and puts the next away.
func heardStates(v *visitor, other social.Reader) {
	v.get("/settings/heard", 200).says(v.pick("Nobody is held back", "Niemand wird zurückgehalten")).wrong("", "new", "", "unasked", "")
	v.post("/settings/heard", 200, "new", "filter", "unasked", "nonsense").says(v.pick("Saved.", "Gespeichert.")).wrong("", "new", "filter", "unasked", "")
	tell := func(text string) {
		v.Helper()
		if _, err := v.in.Social.Publish(context.Background(), other, social.Draft{Text: "@alice " + text, Audience: "company"}); err != nil {
			v.Fatal(err)
		}
	}
	id := other.Account.ID.String()
	tell("an unasked word")
	v.get("/notifications", 200).says("!an unasked word")
	v.get("/settings/heard", 200).says("an unasked word", v.pick("1 notification", "1 Mitteilung"))
	v.post("/settings/heard", 200, "do", "dismiss", "from", id).says(v.pick("Nobody is held back", "Niemand wird zurückgehalten"))
	v.get("/notifications", 200).says("!an unasked word")
	tell("another word")
	v.post("/settings/heard", 200, "do", "accept", "from", id).says(v.pick("Nobody is held back", "Niemand wird zurückgehalten"))
	v.get("/notifications", 200).says("another word")
	v.post("/settings/heard", 404, "do", "accept", "from", "nobody")
	v.post("/settings/heard", 200, "new", "")
}

func appStates(v *visitor, bob social.Reader) {
	ctx := context.Background()
	v.get("/settings/apps", 200).says(v.pick("No app acts in your name", "Keine App handelt in Ihrem Namen"))
	var tokens []string
	for _, owner := range []social.ID{v.account("alice").ID, bob.Account.ID} {
		token, err := v.in.Auth.CreateToken(ctx, owner, auth.NewToken{App: "Phone " + canary, Scopes: "read write", Bound: "company"})
		if err != nil {
			v.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	_, theirs, err := v.in.Auth.Bearer(ctx, tokens[1])
	if err != nil {
		v.Fatal(err)
	}
	own := v.get("/settings/apps", 200).says("Phone "+canary, v.pick("reads and writes", "liest und schreibt"))
	id := regexp.MustCompile(`name="app" value="(\d+)"`).FindStringSubmatch(own.raw)
	if len(id) != 2 || id[1] == theirs.ID.String() {
		v.Fatalf("the page names %v", id)
	}
	own.says(v.pick("What was written with it stays.", "Was mit ihr geschrieben wurde, bleibt."))
	v.post("/settings/apps", 200, "app", theirs.ID.String())
	if _, _, err := v.in.Auth.Bearer(ctx, tokens[1]); err != nil {
		v.Errorf("bob's app was disconnected by alice: %v", err)
	}
	v.post("/settings/apps", 200, "app", id[1]).says(v.pick("Disconnected", "Getrennt"), v.pick("No app acts", "Keine App handelt"))
	if _, _, err := v.in.Auth.Bearer(ctx, tokens[0]); social.KindOf(err) != social.Unauthenticated {
		v.Errorf("the app still acts: %v", err)
	}
}

func peopleStates(v *visitor, net *instancetest.Network, bob, carol social.Reader) {
	ctx := context.Background()
	other := net.Instances[1]
	v.get("/find?q=bob", 200).says("@bob@"+v.in.Config.Domain, v.pick("Follow", "Folgen"))
	locked := true
	if _, err := v.in.Social.UpdateProfile(ctx, bob, social.ProfileChange{Locked: &locked}); err != nil {
		v.Fatal(err)
	}
	v.post("/accounts/"+bob.Account.ID.String()+"/follow", 200, "next", "/@bob").says(v.pick("Withdraw the request", "Anfrage zurückziehen"))
	b := newVisitor(v.T, v.in, v.language).as(bob)
	b.get("/notifications", 200).says(v.pick("wants to follow you", "möchte Ihnen folgen"), v.pick("1 request to follow you", "1 Anfrage"), v.pick("new", "neu"))
	b.get("/follow-requests", 200).says(v.pick("Accept", "Annehmen"))
	b.post("/accounts/"+v.account("alice").ID.String()+"/accept", 200, "next", "/notifications").says("!" + v.pick("Accept", "Annehmen"))
	v.get("/@bob", 200).says(v.pick("You follow", "Sie folgen"), v.pick("Unfollow", "Nicht mehr folgen"))
	v.post("/accounts/"+bob.Account.ID.String()+"/unfollow", 200).says(v.pick("Follow", "Folgen"))

	handle := instancetest.Handle(other, carol)
	v.get("/find?q="+url.QueryEscape(handle), 200).says(handle)
	v.get("/"+handle, 200).says(v.pick("No posts known here yet", "noch keine Beiträge bekannt"))
	v.get("/find?q="+url.QueryEscape("@nobody@"+other.Config.Domain), 200).says(v.pick("Nothing found", "Nichts gefunden"))
	v.get("/find?q="+url.QueryEscape("@x@stranger.test"), 200).wrong("q", "q", "@x@stranger.test").says("stranger.test", v.pick("is not admitted here", "ist hier nicht zugelassen"))

	awayStates(v, net, bob, handle)
	filterStates(v, bob)
	heardStates(v, bob)
	appStates(v, bob)

	v.get("/directory?q=caro", 200).says("carol", "@carol@"+other.Config.Domain)
	v.post("/directory/follow", 200, "uri", carol.Account.URI, "next", "/directory?q=carol").says(v.pick("Asked; no answer yet", "Angefragt; noch keine Antwort"))
	net.Settle()
	v.get("/directory?q=carol", 200).says(v.pick("You follow", "Sie folgen"))
	v.post("/directory/follow", 404, "uri", "https://stranger.test/users/1")
	v.get("/settings/directory", 200).says(v.pick("Your entry", "Ihr Eintrag"))
	v.post("/settings/directory", 422, "title", "kept", "manager", "nobody").wrong("manager", "title", "kept", "manager", "nobody")
	v.post("/settings/directory", 200, "title", canary, "department", canary, "manager", "bob", "skills", canary+", welding", "shown_skills", "company", "location", canary).
		says(v.pick("Saved.", "Gespeichert."), "welding", v.pick("Reports to", "Vorgesetzt"), v.pick("That is you", "Das sind Sie"))

	v.get("/settings", 200)
	v.post("/settings", 422, "language", v.language, "note", strings.Repeat("x", 2000), "display_name", "kept").wrong("note", "display_name", "kept")
	v.post("/settings", 422, "language", v.language, "line-1", "Team", "says-1", " ").wrong("says-1", "line-1", "Team")
	v.post("/settings", 422, "language", v.language, "says-2", "kept").wrong("line-2", "says-2", "kept")
	v.post("/settings", 200, "language", v.language, "note", canary, "display_name", canary, "locked", "yes", "hide_network", "yes").says(v.pick("Saved.", "Gespeichert."))
	if a := v.account("alice"); !a.Locked || !a.HideNetwork {
		v.Error("not locked, or not hidden")
	}
	en, de := "en", "de"
	v.language, en = v.pick(de, en), v.language
	v.post("/language", 200, "language", v.language, "next", "/settings").says(v.pick("Settings", "Einstellungen"))
	v.language = en
	v.post("/language", 200, "language", v.language, "next", "/settings").says(v.pick("Settings", "Einstellungen"))
}

func (v *visitor) account(name string) *social.Account {
	v.Helper()
	a, err := v.in.Social.AccountByHandle(context.Background(), social.Nobody(v.in.Config.Domain), name)
	if err != nil {
		v.Fatal(err)
	}
	return a
}

// hostileStates shows what others could smuggle into names, titles and addresses.
func hostileStates(v *visitor, net *instancetest.Network, bob, carol social.Reader) {
	ctx := context.Background()
	remote, err := v.in.Social.FindHandle(ctx, bob, instancetest.Handle(net.Instances[1], carol))
	if err != nil {
		v.Fatal(err)
	}
	text := v.in.Social.Text
	now := time.Now()
	var id social.ID
	err = v.in.DB.Tx(ctx, func(tx social.Tx) error {
		remote.DisplayName, remote.Note = canary, text.Sanitize(canary)
		remote.Fields = []social.Field{{Name: canary, Value: text.Sanitize(canary)}}
		if err := tx.UpdateAccount(ctx, remote); err != nil {
			return err
		}
		p := &social.Post{ID: social.NewID(now), AuthorID: remote.ID, Kind: social.PostArticle, URI: remote.URI + "/hostile", Title: canary, Summary: canary,
			Content: text.Sanitize("hostile " + canary), Audience: social.Audience{Kind: social.AudienceCompany, Owner: remote.Authority}, PublishedAt: now, ArrivedAt: now, Version: 1,
			Attachments: []social.Attachment{{Kind: "image", URL: "javascript:boom()", Description: canary}, {Kind: "image", URL: "https://pictures.test/x.png", Description: canary},
				{Kind: "unknown", URL: "https://pictures.test/" + canary, Name: canary}},
			Poll: &social.Poll{Options: []social.PollOption{{Title: canary}, {Title: "b"}}}, RepliesMissing: 3}
		p.ThreadID, p.Poll.PostID = p.ID, p.ID
		id = p.ID
		if err := tx.InsertPost(ctx, p); err != nil {
			return err
		}
		return tx.InsertNotification(ctx, &social.Notification{ID: social.NewID(now), AccountID: v.account("alice").ID, Kind: social.NotifyMention, FromID: remote.ID, PostID: p.ID, CreatedAt: now})
	})
	if err != nil {
		v.Fatal(err)
	}
	for _, path := range []string{"/public", "/" + instancetest.Handle(net.Instances[1], carol), "/notifications", "/@alice", "/find?q=" + url.QueryEscape(canary), "/tags/" + url.PathEscape(canary)} {
		d := v.get(path, 200)
		if strings.Contains(d.raw, "<canary-x") {
			v.Errorf("%s: not escaped", path)
		}
	}
	v.get("/"+instancetest.Handle(net.Instances[1], carol)+"/"+id.String(), 200).
		says(v.pick("Not to be seen here: 3 more replies at ", "Hier nicht zu sehen: 3 weitere Antworten bei "))
	d := v.get("/public", 200).says("pictures.test")
	if strings.Contains(d.raw, "javascript:") || strings.Contains(d.raw, "/media/0/") {
		v.Error("a link runs a script, or another server's picture is shown as ours")
	}
	if strings.Contains(d.raw, `src="http`) || !strings.Contains(d.raw, `src="/media/remote/`) {
		v.Error("another server's picture is not shown through a copy")
	}
}

func faultStates(v *visitor) {
	req, err := http.NewRequest("POST", v.in.Config.PublicURL+"/posts", strings.NewReader("text=forged"))
	if err != nil {
		v.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := v.client.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 403 || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		v.Errorf("a program's form from another site: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	v.do("POST", "/settings", strings.NewReader("%zz"), "application/x-www-form-urlencoded", 422)
	// A program asking for what is not there gets no page.
	for _, path := range []string{"/api/v1/nothing", "/oauth/nothing"} {
		res, err := v.client.Get(v.in.Config.PublicURL + path)
		if err != nil {
			v.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 404 || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
			v.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
		}
	}
}

// The page of components is for trials: where a server works for others it is not there.
func TestComponentsAreShownInTrialsAlone(t *testing.T) {
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: map[string]string{"federation.allowed_networks": ""}})
	a, err := in.Social.CreateAccount(context.Background(), social.NewAccount{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	alice := social.Member(a, in.Social.HomeAuthority())
	newVisitor(t, in, "en").get("/about/style", 404)
	newVisitor(t, in, "en").as(alice).get("/about/style", 200).says("Your post goes out in 30 seconds.", "A hint says what is expected")
	net := instancetest.New(t, 1, nil)
	newVisitor(t, net.Instances[0], "en").as(net.Member(net.Instances[0], "alice")).get("/about/style", 404)
}

// Whoever changes a part of the pages finds it, and each of its looks, on the page of
// components.
func TestEveryComponentIsShown(t *testing.T) {
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: map[string]string{"federation.allowed_networks": ""}})
	a, err := in.Social.CreateAccount(context.Background(), social.NewAccount{Username: "alice", Role: social.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	page := newVisitor(t, in, "en").as(social.Member(a, in.Social.HomeAuthority())).get("/about/style", 200)

	// Which parts a page names, by itself and by those that it names.
	uses, parts := map[string][]string{}, []string{}
	files, err := filepath.Glob("template/part/*.html")
	if err != nil {
		t.Fatal(err)
	}
	define, use := regexp.MustCompile(`{{define "([a-z_]+)"`), regexp.MustCompile(`{{-? ?template "([a-z_]+)"`)
	for _, file := range append(files, "template/style.html") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range define.FindAllSubmatchIndex(source, -1) {
			name, body := string(source[at[2]:at[3]]), source[at[1]:]
			if next := define.FindIndex(body); next != nil {
				body = body[:next[0]]
			}
			for _, used := range use.FindAllSubmatch(body, -1) {
				uses[name] = append(uses[name], string(used[1]))
			}
			parts = append(parts, name)
		}
	}
	shown := map[string]bool{}
	var walk func(string)
	walk = func(name string) {
		if !shown[name] {
			shown[name] = true
			for _, used := range uses[name] {
				walk(used)
			}
		}
	}
	walk("layout")
	for _, name := range parts {
		if !shown[name] {
			t.Errorf("the part %q is not on the page of components", name)
		}
	}

	// Which classes the style sheets speak of, and the page has.
	has := map[string]bool{}
	for _, found := range regexp.MustCompile(`class="([^"]*)"`).FindAllStringSubmatch(page.raw, -1) {
		for _, class := range strings.Fields(found[1]) {
			has[strings.TrimRight(class, "-0123456789")] = true // as tint-3 and depth-1
		}
	}
	sheets, err := filepath.Glob("static/css/*.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sheets {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`[ ,(>+~a-z\n\])]\.([a-z][a-z-]*[a-z])`).FindAllStringSubmatch(string(source), -1) {
			if class := found[1]; !has[class] && !ofOnePage[class] {
				t.Errorf("%s: .%s is not on the page of components", file, class)
			}
		}
	}
}

// ofOnePage lists classes that belong to a page as a whole, need a file, stand in what
// others wrote, or are put by a script where it works.
var ofOnePage = map[string]bool{"brief": true, "chart": true, "profile": true, "staff": true, "picture": true, "invisible": true, "commands": true, "fresh": true, "toast": true}

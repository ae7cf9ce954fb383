package web_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// ask runs a script in the page and waits for its promise.
func (b *browser) ask(script string) string {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", script, err)
	}
	return s
}

// signedIn gives the browser a member's session.
func (b *browser) signedIn(v *visitor, name string) {
	b.Helper()
	text, err := v.in.Auth.Begin(context.Background(), v.account(name).ID, "test")
	if err != nil {
		b.Fatal(err)
	}
	_, err = chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: web.CookieName(v.in.Config.Domain), Value: text, URL: b.base})
	if err != nil {
		b.Fatal(err)
	}
}

// The browser keeps what a page looks like and nothing that anybody wrote; without a
// connection it says so in the person's language, and after signing out it has nothing.
func TestOffline(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := context.Background()
	alice := net.Member(in, "alice")
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	german := "de"
	if _, err := in.Social.UpdateProfile(ctx, alice, social.ProfileChange{Language: &german}); err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, in, "de")
	if _, err := in.Social.Publish(ctx, alice, social.Draft{Text: "quite-secret", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	b := window(t, chromium, in.Config.PublicURL, true)
	b.signedIn(v, "alice")
	b.open("/")
	b.ask(`navigator.serviceWorker.ready.then(() => new Promise(done => navigator.serviceWorker.controller ? done("") : navigator.serviceWorker.addEventListener("controllerchange", () => done(""))))`)
	for _, path := range []string{"/", "/company", "/here", "/@alice", "/manifest.webmanifest", "/"} {
		b.open(path)
	}
	b.says("quite-secret")
	kept := b.ask(`caches.keys().then(async names => {
		const all = [];
		for (const name of names) {
			const cache = await caches.open(name);
			for (const request of await cache.keys()) {
				const text = await (await cache.match(request)).text();
				all.push(new URL(request.url).pathname + (text.includes("quite-secret") || text.includes("@alice") ? " LEAKS" : ""));
			}
		}
		return all.join(" ");
	})`)
	if !strings.Contains(kept, "/offline") || !strings.Contains(kept, "/parley.css") || !strings.Contains(kept, "/parley.js") {
		t.Errorf("kept: %s", kept)
	}
	for _, address := range strings.Fields(kept) {
		if !strings.HasPrefix(address, "/static/") && address != "/offline" {
			t.Errorf("the browser keeps %s", address)
		}
	}
	net.Stop(0)
	b.open("/company")
	b.says("Keine Verbindung", "Noch einmal versuchen")
	if strings.Contains(b.text(), "quite-secret") {
		t.Error("a post is shown without a connection")
	}
	if color := b.ask(`getComputedStyle(document.querySelector("a.button.main")).borderRadius`); color == "0px" {
		t.Error("the page without a connection has no style")
	}
	net.Restart(0)
	b.press("//main", "Noch einmal versuchen")
	b.says("quite-secret")
	b.open("/menu")
	b.press("//main//form[@action='/sign-out']", "Abmelden")
	b.says("You are signed out") // in the language of the browser
	if left := b.ask(`Promise.all([caches.keys(), navigator.serviceWorker.getRegistrations()]).then(([c, r]) => c.length + " " + r.length + " " + localStorage.length)`); left != "0 0 0" {
		t.Errorf("caches, workers and entries after signing out: %s", left)
	}
}

// The pages can be put among the person's programs, and other programs share to them.
func TestInstallable(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice := net.Member(in, "alice")
	ctx := context.Background()
	if err := in.Social.SetOrganisation(ctx, social.Organisation{Name: "Müller Logistik", Group: "Muster Group"}, "test"); err != nil {
		t.Fatal(err)
	}
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, in, "de")
	d := v.get("/sign-in", 200)
	address := ""
	for _, n := range d.elements {
		if n.Data == "link" && attr(n, "rel") == "manifest" {
			address = attr(n, "href")
		}
	}
	res, err := v.client.Get(in.Config.PublicURL + address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	var m struct {
		Name, Lang string
		Start      string `json:"start_url"`
		Icons      []struct{ Src, Sizes, Type string }
		Share      struct {
			Action string
			Params map[string]string
		} `json:"share_target"`
	}
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil || m.Name != "Müller Logistik" || m.Start != "/" || res.Header.Get("Content-Type") != "application/manifest+json" {
		t.Fatalf("%+v %v %v", m, err, res.Header)
	}
	sizes := ""
	for _, icon := range m.Icons {
		res, err := v.client.Get(in.Config.PublicURL + icon.Src)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != icon.Type {
			t.Errorf("%s: %d %s", icon.Src, res.StatusCode, res.Header.Get("Content-Type"))
		}
		sizes += icon.Sizes + " "
	}
	if !regexp.MustCompile(`192x192 .*512x512`).MatchString(sizes) {
		t.Errorf("icons of %s", sizes)
	}
	shared := v.as(alice).get(m.Share.Action+"?"+m.Share.Params["title"]+"=A+find&"+m.Share.Params["url"]+"=https%3A%2F%2Fexample.org%2Fx", 200)
	for _, n := range shared.elements {
		if n.Data == "textarea" && attr(n, "name") == "text" {
			if got := strings.TrimSpace(textOf(n)); got != "A find\n\nhttps://example.org/x" {
				t.Errorf("the composer holds %q", got)
			}
			return
		}
	}
	t.Error("the composer did not open")
}

// A browser that is asked to tells of what happens while its member looks elsewhere: in
// general words and the member's language (journey 11). The push service is ours, since
// the browser's own is not to be reached: the browser hands its keys over as it would,
// and what our server sealed for them is opened and delivered to it.
func TestNoticesInABrowser(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	german := "de"
	if _, err := in.Social.UpdateProfile(ctx, alice, social.ProfileChange{Language: &german}); err != nil {
		t.Fatal(err)
	}
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	service := instancetest.NewPushService(t)
	b := window(t, chromium, in.Config.PublicURL, true)
	b.signedIn(newVisitor(t, in, "de"), "alice")
	registration := b.worker()
	b.open("/settings/notices")
	b.says("Sagen Sie mir, wenn")
	b.ask(`navigator.serviceWorker.ready.then(() => "")`)
	keys := fmt.Sprintf(`{endpoint: %q, keys: {p256dh: %q, auth: %q}}`, service.URL+"/phone", base64.RawURLEncoding.EncodeToString(service.PublicKey()), base64.RawURLEncoding.EncodeToString(service.Secret))
	b.ask(`PushManager.prototype.subscribe = async (o) => { if (o.applicationServerKey.length !== 87) throw o; return {toJSON: () => (` + keys + `)}; }; Notification.requestPermission = async () => "denied"; ""`)
	b.act("//main", "In diesem Browser einschalten", "div.toast p")
	b.says("Der Browser erlaubt es nicht")
	b.ask(`Notification.requestPermission = async () => "granted"; ""`)
	b.press("//main", "In diesem Browser einschalten")
	b.says("Hinweise sind eingeschaltet", "In diesem Browser sind Hinweise eingeschaltet.")
	net.Settle()
	if _, err := in.Social.Publish(ctx, bob, social.Draft{Text: "canaryword @alice", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	all := service.All()
	if len(all) != 2 {
		t.Fatalf("%d messages", len(all))
	}
	b.allowNotices()
	b.open("about:blank") // nobody looks at a page
	for _, m := range all {
		if _, err := chromedp.Call(b.ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{Origin: in.Config.PublicURL, RegistrationID: registration(), Data: m.JSON}); err != nil {
			t.Fatal(err)
		}
	}
	b.open("/settings/notices")
	shown := b.ask(`navigator.serviceWorker.ready.then(async (worker) => {
		for (;;) {
			const all = await worker.getNotifications();
			if (all.length === 2) return all.map((one) => one.title + ": " + one.body + " " + one.lang).sort().join("|");
			await new Promise((done) => setTimeout(done, 20));
		}
	})`)
	if shown != "Parley: Hier erfahren Sie künftig, wenn Sie etwas angeht. de|Parley: Jemand hat Ihnen geschrieben. de" {
		t.Errorf("the browser shows %s", shown)
	}

	b.open("/settings/notices")
	b.press("//main", "Ausschalten")
	b.says("ausgeschaltet", "In diesem Browser einschalten")
	if _, err := in.Social.Publish(ctx, bob, social.Draft{Text: "once more @alice", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if n := len(service.All()); n != 2 {
		t.Errorf("%d messages after switching off", n)
	}
}

// worker listens for the service worker's registration and answers where to ask for it.
func (b *browser) worker() func() serviceworker.RegistrationID {
	b.Helper()
	updates := chromedp.Events(b.ctx, serviceworker.WorkerRegistrationUpdated)
	found := make(chan serviceworker.RegistrationID, 1)
	go func() {
		for e, err := range updates {
			if err != nil {
				return
			}
			for _, r := range e.Registrations {
				select {
				case found <- r.RegistrationID:
				default:
				}
			}
		}
	}()
	if _, err := chromedp.Call(b.ctx, serviceworker.Enable, cdp.Empty{}); err != nil {
		b.Fatal(err)
	}
	return sync.OnceValue(func() serviceworker.RegistrationID {
		select {
		case id := <-found:
			return id
		case <-time.After(time.Minute):
			b.Fatal("there is no service worker")
		}
		return ""
	})
}

// allowNotices is the person's yes to the browser's question.
func (b *browser) allowNotices() {
	b.Helper()
	target, err := chromedp.Call(b.ctx, target.GetTargetInfo, target.GetTargetInfoParams{})
	if err == nil {
		_, err = chromedp.Call(b.ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{Permission: &cdpbrowser.PermissionDescriptor{Name: "notifications"},
			Setting: cdpbrowser.PermissionSettingGranted, Origin: b.base, BrowserContextID: target.TargetInfo.BrowserContextID})
	}
	if err != nil {
		b.Fatal(err)
	}
}

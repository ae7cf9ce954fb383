package web_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/instance/demo"
)

// Pictures of the main pages with the demo's people: light, dark, and on a phone.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("PARLEY_SCREENSHOTS")
	if dir == "" {
		t.Skip("PARLEY_SCREENSHOTS is not set; run make screenshots")
	}
	chromium := startChromium(t)
	err := demo.Run(t.Context(), demo.Options{Out: t.Output()}, func(ctx context.Context, d *demo.Demo) error {
		return photograph(t, chromium, d, dir)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func photograph(t *testing.T, chromium context.Context, d *demo.Demo, dir string) error {
	b := window(t, chromium, "", true)
	b.base = enter(b, d.URL(), "anna")
	b.open("/welcome")
	for range 2 { // the steps of the server and Anna's own do not stand above each picture of home
		b.open("/")
		b.press("//main", "Nicht mehr zeigen")
	}
	b.open("/")
	thread := b.ask(`document.querySelector("article.post:has(.facts a[href*='/@ben']) .facts a, article.post .facts a").getAttribute("href")`)
	b.open("/groups")
	group := b.ask(`document.querySelector("main a[href^='/groups/']:not([href$=new])")?.getAttribute("href") ?? "/groups"`)
	for _, look := range []struct {
		name, scheme  string
		width, height int64
	}{{"light", "light", 1280, 900}, {"dark", "dark", 1280, 900}, {"phone", "light", 390, 844}} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
			return err
		}
		b.do("size", chromedp.EmulateViewport(look.width, look.height))
		for name, path := range map[string]string{"home": "/", "company": "/company", "thread": thread, "profile": "/@anna", "directory": "/directory", "groups": "/groups", "group": group,
			"notifications": "/notifications", "compose": "/compose", "find": "/find?q=Lager", "settings": "/settings", "bookmarks": "/bookmarks", "admin": "/admin", "servers": "/admin/servers", "drafts": "/drafts", "chart": "/directory/chart", "welcome": "/welcome", "error": "/none", "offline": "/offline",
			"conversations": "/conversations", "topics": "/tags", "all-topics": "/topics", "about": "/about", "work": "/admin/work", "menu": "/menu", "people": "/admin/people", "members": group + "/members"} {
			b.open(path)
			quality := int64(75)
			shot, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality})
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name+"-"+look.name+".webp"), shot.Data, 0o644); err != nil { //nolint:gosec // for everybody to look at
				return err
			}
		}
	}
	return nil
}

// enter signs a window in at the demo's start page and answers where that leads.
func enter(b *browser, start, user string) string {
	b.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(start+"/open", url.Values{"at": {"0"}, "user": {user}})
	if err != nil {
		b.Fatal(err)
	}
	_ = res.Body.Close()
	base := strings.TrimSuffix(res.Header.Get("Location"), "/")
	for _, c := range res.Cookies() {
		if _, err := chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: base}); err != nil {
			b.Fatal(err)
		}
	}
	return base
}

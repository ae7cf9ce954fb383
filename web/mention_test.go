package web_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// A name is completed from the people whom the writer can see, by the keyboard; who left
// and who is blocked are not offered. A profile leads to a post for that person alone.
func TestNamesAreCompleted(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice, _, berta, bernd := net.Member(in, "alice"), net.Member(in, "ben"), net.Member(in, "berta"), net.Member(in, "bernd")
	if err := in.Social.Close(ctx, bernd.Account.ID, "", "test"); err != nil {
		t.Fatal(err)
	}
	name := "Berta <b>&amp;"
	if _, err := in.Social.UpdateProfile(ctx, berta, social.ProfileChange{DisplayName: &name}); err != nil {
		t.Fatal(err)
	}
	b := window(t, chromium, in.Config.PublicURL, true)
	text, err := in.Auth.Begin(ctx, alice.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.cookie(web.CookieName(in.Config.Domain), text)
	b.open("/compose")
	area := chromedp.CSS("form.composer textarea[name=text]")
	b.do("type", chromedp.Focus(area), chromedp.SendKeys(area, "who knows, @be"), chromedp.WaitReady(chromedp.CSS("ul.names li + li")))
	if n := b.ask(`String(document.querySelectorAll("ul.names li").length)`); n != "2" {
		t.Errorf("%s people are offered", n)
	}
	b.do("take the second", chromedp.SendKeys(area, kb.ArrowDown), chromedp.SendKeys(area, kb.Tab))
	if got := b.ask(`document.querySelector("form.composer textarea[name=text]").value`); got != "who knows, @berta " && got != "who knows, @ben " {
		t.Errorf("it says %q", got)
	}
	if !b.is(`!document.querySelector("ul.names")`) {
		t.Error("the list stays")
	}
	if !b.is(`document.activeElement === document.querySelector("form.composer textarea[name=text]")`) {
		t.Error("the focus left the text")
	}
	b.open("/@ben")
	b.press("//main", "Write to them alone")
	if !b.is(`document.querySelector("textarea[name=text]").value === "@ben " && document.querySelector("[name=audience]").value === "direct"`) {
		t.Error("it does not begin a post to ben alone")
	}
}

package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/instance/instancetest"
	"parley/social"
)

// The first day of a company and of a colleague, with a browser alone: whoever holds the
// setup link names the server, makes an account for Anna, joins with the sister and
// writes the first post; Anna comes by her link, takes her first steps, and Ben of the
// sister, who was suggested to her, reads her first post in the tab of the company.
func TestFirstDay(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	work(t, net.Instances)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(b.Social.SetOrganisation(ctx, social.Organisation{Name: "Muster Logistik", Group: "Muster Group"}, "test"))
	must(b.Social.FinishSetUp(ctx))
	c := &cast{T: t, chromium: chromium, hq: a, sister: b, net: net}
	bodo, err := b.Social.CreateAccount(ctx, social.NewAccount{Username: "bodo", Role: social.RoleAdmin})
	must(err)
	benIs := net.Member(b, "ben")
	department := "Fleet"
	_, err = b.Social.UpdatePerson(ctx, benIs, social.PersonChange{Department: &department})
	must(err)
	me := filepath.Join(t.TempDir(), "me.png")
	must(os.WriteFile(me, picture(t), 0o600))

	// publish fills the form of the page that is open, does not wait for a second thought
	// and ends at home.
	publish := func(b *browser, text string) {
		t.Helper()
		b.fill("text", text)
		b.publish()
		b.appears("Your post goes out in")
		b.until("/drafts", text)
		b.press("//main", "Send now")
		b.until("/", text)
	}

	// Five steps to a server with a name, people and its group of companies.
	start := time.Now()
	code, _, err := a.Auth.SetupLink(ctx)
	must(err)
	rita := window(t, chromium, a.Config.PublicURL, true)
	rita.open("/setup?code=" + code)
	rita.fill("organisation", "Muster Zentrale", "group", "Muster Group", "display_name", "Rita Rot", "name", "rita", "password", "a long password of rita")
	rita.press("//main", "Set up")
	rita.says("Get this server going", "Your first steps")
	done := func(steps int) {
		t.Helper()
		rita.open("/admin/start")
		if n := rita.ask(`String(document.querySelectorAll("ol.marks li.done").length)`); n != fmt.Sprint(steps) {
			t.Errorf("%s steps of the server are done, not %d:\n%s", n, steps, rita.text())
		}
	}
	done(1) // the address: the test's servers reach each other
	rita.fill("description", "For everybody who plans and drives.")
	rita.press("//main", "Save")
	done(2)
	rita.press("//main", "Invite colleagues")
	rita.fill("name", "anna", "display_name", "Anna Auer")
	rita.press("//main//form", "New member")
	link := rita.ask(`document.querySelector("main .notice pre").textContent`)
	done(3)
	rita.press("//main", "Connect companies")
	rita.fill("host", b.Config.Domain)
	rita.submit(`main form[action="/admin/servers/invite"]`)
	rita.waits("the code is shown", `!!document.querySelector("main .notice pre")`)
	pairing := rita.ask(`document.querySelector("main .notice pre").textContent`)
	root := c.window(b, social.Member(bodo, b.Config.Domain))
	root.open("/admin/servers")
	root.fill("code", pairing)
	root.press("//main", "Read the code")
	root.says("Fingerprint of theirs", a.Config.Domain)
	root.do("it is the same", chromedp.Evaluate[chromedp.Void](`document.querySelector("main [name=same]").click()`))
	root.submit(`main form[action="/admin/servers/accept"]`)
	root.appears("Both servers are paired.")
	rita.until("/admin/servers", "Muster Logistik")
	done(4)
	rita.open("/about")
	rita.says("Muster Zentrale", "For everybody who plans and drives.")
	rita.open("/compose")
	publish(rita, "Here we tell each other what we do.")
	if shown := rita.text(); strings.Contains(shown, "Get this server going") || !strings.Contains(shown, "Muster Zentrale") {
		t.Errorf("the server is not ready:\n%s", shown)
	}
	t.Logf("from the setup link to a server of the group: %v", time.Since(start).Round(time.Millisecond))
	for _, name := range []string{"Fleet", "Lunch"} {
		rita.open("/groups/new")
		rita.fill("display_name", name, "name", strings.ToLower(name), "purpose", "For all of us")
		rita.submit(`main form[action="/groups"]`)
		rita.waits("the group's page", `/^.groups.[0-9]+$/.test(location.pathname)`)
	}

	// Anna's first steps.
	account, err := a.Social.AccountByHandle(ctx, social.Nobody(a.Config.Domain), "anna")
	must(err)
	_, err = a.Social.UpdatePerson(ctx, social.Member(account, a.Config.Domain), social.PersonChange{Department: &department}) // the list of people says it
	must(err)
	start = time.Now()
	anna := window(t, chromium, a.Config.PublicURL, true)
	anna.open(link)
	anna.fill("password", "a long password of anna")
	anna.press("//main", "Save the password")
	anna.fill("name", "anna", "password", "a long password of anna")
	anna.press("//main", "Sign in")
	anna.says("Welcome, Anna Auer", "A picture of you")
	anna.do("choose a picture", chromedp.SetUploadFiles(chromedp.CSS(`main form[action="/welcome"] input[type=file]`), []string{me}))
	anna.press("//main//form[@action='/welcome']", "Save")
	anna.says("Three things you know well")
	anna.fill("skills", "Excel, first aid, Polish")
	anna.press("//main//form[@action='/welcome']", "Save")
	anna.says("Follow five colleagues")
	anna.until("/welcome?step=people", "Your department")
	anna.says("@ben@" + b.Config.Domain)
	anna.press(within("Your department"), "Follow")
	for _, name := range []string{"@bodo@", "@rita@"} {
		anna.says("Follow five colleagues")
		anna.press(within(name), "Follow")
	}
	anna.open("/welcome?step=people")
	anna.says("There is nobody to suggest now.")
	for _, name := range []string{"Fleet", "Lunch"} {
		anna.open("/welcome?step=groups")
		anna.press(within(name), "Join")
	}
	anna.says("There is no community to join now")
	anna.press("//main", "Next step")
	anna.says("Say hello")
	publish(anna, "I am Anna, new in the fleet, and I know Excel.")
	if shown := anna.text(); strings.Contains(shown, "Your first steps") {
		t.Errorf("steps are left to do:\n%s", shown)
	}
	ben := c.window(b, benIs)
	ben.until("/company", "I am Anna, new in the fleet")
	ben.says("Anna Auer")
	ben.until("/notifications", "Anna Auer follows you now")
	t.Logf("from her link to her post at the sister: %v", time.Since(start).Round(time.Millisecond))
}

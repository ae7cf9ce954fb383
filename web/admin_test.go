package web_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/queue"
	"parley/social"
)

// administratorOf is a signed-in one of an instance that is set up.
func administratorOf(t *testing.T, net *instancetest.Network, i int, language string) (*visitor, social.Reader) {
	t.Helper()
	in := net.Instances[i]
	a, err := in.Social.CreateAccount(context.Background(), social.NewAccount{Username: "root", DisplayName: "Rita Root", Role: social.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	r := social.Member(a, in.Social.HomeAuthority())
	return newVisitor(t, in, language).as(r), r
}

// invitation is the first that a page lists.
func invitation(t *testing.T, page *doc) string {
	t.Helper()
	m := regexp.MustCompile(`name="invitation" value="([0-9a-f]+)"`).FindStringSubmatch(page.raw)
	if m == nil {
		t.Fatalf("no invitation:\n%s", page.text)
	}
	return m[1]
}

// An open invitation says who made it and when it ends; taken back, which is asked
// first, its code is good for nothing, and one that was used is no longer open.
func TestAdministratorsTakeInvitationsBack(t *testing.T) {
	net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	rita, _ := administratorOf(t, net, 0, "en")
	bodo, _ := administratorOf(t, net, 1, "de")
	host := b.Config.Domain
	invite := func() string {
		page := rita.post("/admin/servers/invite", 200, "host", host, "level", "partner", "partner", "acme", "days", "1")
		return html.UnescapeString(regexp.MustCompile(`<pre>(.*?)</pre>`).FindStringSubmatch(page.raw)[1])
	}
	rita.get("/admin/servers", 200).says("!Open invitations")
	code := invite()
	page := rita.get("/admin/servers", 200).says("Open invitations", host, "invited by root", "until")
	if id := invitation(t, page); strings.Contains(page.raw, code) || strings.Contains(code, id) {
		t.Error("the list tells the code")
	}
	asked := rita.post("/admin/servers/revoke", 200, "invitation", invitation(t, page)).says("The code for "+host+" is no longer good", "Take it back now")
	rita.get("/admin/servers", 200).says("invited by root") // nothing was done yet
	rita.post("/admin/servers/revoke", 200, asked.filled()...).says("The invitation is taken back", "!invited by root")
	rita.post("/admin/servers/revoke", 404, asked.filled()...)
	rita.post("/admin/servers/revoke", 404, "invitation", "none")
	accept := func(code string, status int) *doc {
		return bodo.post("/admin/servers/accept", status, bodo.post("/admin/servers/accept", 200, "code", code).filled("same", "yes")...)
	}
	accept(code, 422).says("!gekoppelt")

	code = invite()
	used := invitation(t, rita.get("/admin/servers", 200))
	accept(code, 200).says("gekoppelt")
	rita.get("/admin/servers", 200).says("!Open invitations")
	rita.post("/admin/servers/revoke", 404, "invitation", used, "sure", "yes")
	if p, err := a.Social.Pairings(t.Context()); err != nil || len(p) != 1 || p[0].State != social.PairingActive {
		t.Errorf("paired: %+v, %v", p, err)
	}
}

// Two administrators pair their servers in the browser; each sees the same fingerprints,
// the other way round. One holds back what goes to the other, gives it up, makes it a
// partner, and parts.
func TestAdministratorsPairServers(t *testing.T) {
	net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	alice := net.Member(a, "alice")
	rita, _ := administratorOf(t, net, 0, "en")
	bodo, _ := administratorOf(t, net, 1, "de")
	there, here := "/admin/servers/"+b.Config.Domain, "/admin/servers/"+a.Config.Domain

	rita.get("/admin/servers", 200).says("No server is here yet")
	rita.post("/admin/servers/invite", 422, "host", "not a name!", "level", "company", "days", "7").wrong("host", "host", "not a name!")
	rita.post("/admin/servers/invite", 422, "host", "b.test", "level", "partner", "partner", "", "days", "7").wrong("partner", "host", "b.test")
	page := rita.post("/admin/servers/invite", 200, "host", b.Config.Domain, "level", "company", "days", "1").says("Code for "+b.Config.Domain, "shown only now")
	code := regexp.MustCompile(`(?s)<pre>(.*?)</pre>`).FindStringSubmatch(page.raw)
	if len(code) != 2 {
		t.Fatalf("no code:\n%s", page.text)
	}
	bodo.post("/admin/servers/accept", 422, "code", "nonsense").wrong("code", "code", "nonsense")
	asked := bodo.post("/admin/servers/accept", 200, "code", " "+html.UnescapeString(code[1])+" ").says(a.Config.Domain, "Server der Firma", "Verbinden Sie nur")
	bodo.post("/admin/servers/accept", 422, "code", html.UnescapeString(code[1]), "shown", "yes").wrong("same").says("Vergleichen Sie zuerst")
	bodo.get(here, 404) // nothing is agreed yet
	paired := bodo.post("/admin/servers/accept", 200, asked.filled("same", "yes")...).says("Beide Server sind gekoppelt", a.Config.Domain, "Server der Firma")
	net.Settle()
	prints := func(d *doc) []string {
		var out []string
		for _, m := range regexp.MustCompile(`class="print">([^<]+)<`).FindAllStringSubmatch(d.raw, -1) {
			out = append(out, m[1])
		}
		return out
	}
	ours, theirs := prints(rita.get(there, 200).says("paired", "Server of the company")), prints(paired)
	if len(ours) != 2 || len(theirs) != 2 || ours[0] != theirs[1] || ours[1] != theirs[0] {
		t.Errorf("fingerprints %v and %v", ours, theirs)
	}
	bodo.get("/admin/servers", 200).says(a.Config.Domain, "gekoppelt", "Die Liste führt", "Die anderen Server verlassen")
	rita.get("/admin/servers", 200).says("!Leave the other servers")
	bodo.post(here, 200, "do", "probe").says("Er antwortet", "seine Uhr geht richtig")
	rita.post("/admin/servers/none.test", 404, "do", "probe")

	// What waits is held, tried, given up only with another word.
	rita.post("/admin/work", 422, "host", b.Config.Domain, "do", "hold", "why", " ", "next", there).says("Say why", b.Config.Domain, "Change what it is to us")
	rita.post("/admin/work", 200, "host", b.Config.Domain, "do", "hold", "why", "they move house").says("Nothing goes there until you let it")
	if _, err := a.Social.Publish(t.Context(), alice, social.Draft{Text: "for the company", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	rita.get("/admin/work", 200).says(b.Config.Domain, "1 delivery waits", "held since")
	rita.get("/admin", 200).says("Deliveries waiting 1", "Servers held back 1", "Members 2")
	rita.post("/admin/work", 422, "host", b.Config.Domain, "do", "drop")
	rita.post("/admin/work", 200, "host", b.Config.Domain, "do", "release").says("goes now")
	net.Settle()
	rita.get("/admin/work", 200).says("!1 delivery waits")
	rita.post("/admin/work", 200, "do", "audit").says("rows are whole")
	rita.post("/admin/work", 404, "do", "everything")
	rita.get(there, 200).says("1 post went there")

	// Another level needs a reason in the form, and parting another word.
	rita.post(there, 422, "do", "level", "level", "partner", "partner", "acme").wrong("reason", "level", "partner", "partner", "acme")
	rita.post(there, 200, "do", "level", "level", "partner", "partner", "acme", "reason", "sold").says("Changed.", "Partner ACME", "sold")
	rita.post(there, 422, "do", "level", "level", "partner", "partner", "no good!", "reason", "x").wrong("partner", "partner", "no good!", "reason", "x")
	// Only what lets it have more asks once more: another partner's posts are more.
	rita.post(there, 200, "do", "level", "level", "public", "reason", "not that close")
	rita.post(there, 422, "do", "level", "level", "partner", "partner", "other", "reason", "merged").wrong("sure", "partner", "other", "reason", "merged")
	if z, err := a.Social.Zone(t.Context(), b.Config.Domain); err != nil || z.Kind != social.ZonePublic {
		t.Errorf("the level is %s: %v", z, err)
	}
	rita.post(there, 200, "do", "level", "level", "partner", "partner", "other", "reason", "merged", "sure", "yes").says("Partner Other", "merged")
	rita.post(there, 422, "do", "remove")
	rita.post(there, 200, "do", "remove", "sure", "yes").says("The server is unknown again")
	rita.get("/admin/servers/none.test", 404)
	bodo.get(here, 200)
}

// An administrator makes a member and hands over the link, gives roles, takes somebody
// out of view and back, and deals with reports; but does not shut themselves out.
func TestAdministratorsLookAfterPeople(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	rita, root := administratorOf(t, net, 0, "en")
	bob := net.Member(in, "bob")
	v := newVisitor(t, in, "en").as(bob)
	of := func(id social.ID, act string) string { return "/admin/people/" + id.String() + "/" + act }

	page := rita.post("/admin/people", 200, "name", "new.one", "display_name", "New One", "email", "new@one.test", "role", "communications").says("Link for New One", "works once")
	link := regexp.MustCompile(`/reset\?code=[^<\s]+`).FindString(page.raw)
	newVisitor(t, in, "en").get(html.UnescapeString(link), 200).says("Password")
	rita.post("/admin/people", 409, "name", "new.one", "role", "member").wrong("name", "name", "new.one")
	rita.get("/admin/people?q=one.test", 200).says("New One", "!@bob")

	rita.post(of(bob.Account.ID, "role"), 200, "role", "moderator", "next", "/admin/people?q=bob").says("has the role “Member” and gets the role “Moderator”", "can take posts down")
	if a, err := in.Social.Account(t.Context(), bob, bob.Account.ID); err != nil || a.Role != social.RoleMember {
		t.Errorf("the role is changed before that was confirmed: %v", err)
	}
	if page := rita.post(of(bob.Account.ID, "role"), 200, "role", "moderator", "sure", "yes", "next", "/admin/people?q=bob"); page.at.RequestURI() != "/admin/people?done=saved&q=bob" {
		t.Errorf("led to %s", page.at)
	}
	if a, err := in.Social.Account(t.Context(), bob, bob.Account.ID); err != nil || a.Role != social.RoleModerator {
		t.Errorf("the role is not changed: %v", err)
	}
	rita.post(of(bob.Account.ID, "role"), 422, "role", "emperor")
	rita.post(of(root.AccountID(), "role"), 422, "role", "member").says("Another administrator has to do that to you")
	rita.post(of(root.AccountID(), "suspend"), 422)
	v.get("/notifications", 200)
	if d := rita.post(of(bob.Account.ID, "suspend"), 200, "next", "/admin/people?q=bo").says("hidden for now", "!new.one"); d.at.Query().Get("q") != "bo" {
		t.Errorf("it leads to %s", d.at)
	}
	if res, err := v.client.Get(in.Config.PublicURL + "/notifications"); err != nil || !strings.HasPrefix(res.Request.URL.Path, "/sign-in") {
		t.Errorf("who was taken out of view is still signed in: %v", err)
	}
	rita.post(of(bob.Account.ID, "restore"), 200).says("!hidden for now")
	rita.post(of(bob.Account.ID, "link"), 200).says("Link for")
	rita.post(of(1, "suspend"), 404)
	rita.get(of(1, "leave"), 404)
	rita.get(of(root.AccountID(), "leave"), 422).says("Another administrator")

	alice := net.Member(in, "alice")
	bad, err := in.Social.Publish(t.Context(), bob, social.Draft{Text: "a bad word", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Report(t.Context(), alice, bob.Account.ID, []social.ID{bad.Post.ID}, canary, false); err != nil {
		t.Fatal(err)
	}
	rita.get("/admin", 200).says("Open reports 1")
	rita.get("/notifications", 200).says("reported something", "Go to the reports")
	page = rita.get("/admin/reports", 200).says("a bad word", "alice")
	closing := regexp.MustCompile(`/admin/reports/[0-9]+/close`).FindString(page.raw)
	rita.post(closing, 200).says("The report is closed", "1 report dealt with", "No report is open")
	newVisitor(t, in, "de").as(alice).get("/notifications", 200).says("die Moderation hat sich darum gekümmert")
	newVisitor(t, in, "en").get("/admin/reports", 200).says("Sign in", "!Open reports")
}

// What was written for a few is not shown to moderators because one of them reported it,
// yet they can take it down; a report names what its author may see, and no other post.
func TestReportsShowNoMoreThanTheirReader(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	alice, bob, carol := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(in, "carol")
	if err := in.Social.SetRole(ctx, carol.Account.ID, social.RoleModerator, "test"); err != nil {
		t.Fatal(err)
	}
	write := func(text, audience string) social.ID {
		t.Helper()
		v, err := in.Social.Publish(ctx, bob, social.Draft{Text: text, Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		return v.Post.ID
	}
	rude, other := write("@alice rude words", "direct"), write("@carol other words", "direct")
	report, err := in.Social.Report(ctx, alice, bob.Account.ID, []social.ID{rude, other, 7}, "rude", false)
	if err != nil || !slices.Equal(report.PostIDs, []social.ID{rude}) {
		t.Fatalf("%v %v", report, err)
	}
	if _, err := in.Social.Report(ctx, alice, bob.Account.ID, make([]social.ID, 51), "rude", false); social.KindOf(err) != social.Invalid {
		t.Errorf("51 posts: %v", err)
	}
	member, err := in.Social.Account(ctx, alice, carol.Account.ID)
	if err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, in, "en").as(social.Member(member, in.Social.HomeAuthority()))
	page := v.get("/admin/reports", 200).says("is not for you to read", "!rude words")
	if strings.Contains(page.raw, "/admin/people") {
		t.Error("a moderator is sent where only administrators may go")
	}
	down := func(post social.ID, status int, form ...string) {
		t.Helper()
		v.post("/admin/posts/"+post.String()+"/take-down", status, form...)
	}
	down(rude, 404)
	down(rude, 404, "report", "7")
	down(other, 200) // carol may read it
	down(rude, 200, "report", report.ID.String())
	if _, err := in.Social.Post(ctx, bob, rude); social.KindOf(err) != social.NotFound {
		t.Errorf("it is still there: %v", err)
	}
}

// Who leaves signs in no more. A closed account keeps its profile and posts in view, and
// can be opened again; a deleted one is gone for ever.
func TestAdministratorsLetPeopleLeave(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	rita, root := administratorOf(t, net, 0, "en")
	bob, alice := net.Member(in, "bob"), net.Member(in, "alice")
	v, reader := newVisitor(t, in, "en").as(bob), newVisitor(t, in, "de").as(alice)
	if _, err := in.Social.Publish(ctx, bob, social.Draft{Text: "how the press is set", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	press, err := in.Social.CreateGroup(ctx, bob, social.NewGroup{Name: "press", DisplayName: "Press"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Join(ctx, alice, press.Account.ID, true); err != nil {
		t.Fatal(err)
	}
	at := "/admin/people/" + bob.Account.ID.String()
	signedOut := func() {
		t.Helper()
		if res, err := v.client.Get(in.Config.PublicURL + "/notifications"); err != nil || !strings.HasPrefix(res.Request.URL.Path, "/sign-in") {
			t.Errorf("who left is still signed in: %v", err)
		}
	}
	v.get("/notifications", 200)

	rita.get(at+"/leave", 200).says("keep the posts")
	rita.post(at+"/leave", 422, "how", "close", "reason", " ").wrong("reason", "reason", " ")
	rita.post(at+"/leave", 200, "how", "close", "reason", "retires").says("Has left the company", "Let sign in again")
	signedOut()
	reader.get("/@bob", 200).says("Hat die Firma verlassen", "how the press is set")
	reader.get("/company", 200).says("how the press is set")
	reader.get("/directory", 200).says("!bob")
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		a, err := tx.Account(ctx, bob.Account.ID)
		if err != nil || a.MayAct(social.Forbidden) == nil {
			t.Errorf("who left may act: %v", err)
		}
		found, err := tx.SearchAccounts(ctx, social.AccountQuery{Prefix: "bob", Limit: 5})
		if len(found) != 0 {
			t.Error("who left is offered for mentions")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if g, err := in.Social.Group(ctx, root, press.Account.ID); err != nil || g.Owner == nil || g.Owner.ID != alice.Account.ID {
		t.Errorf("the community stayed with who left: %v", err)
	}
	if err := in.Social.Close(ctx, press.Account.ID, "", "test"); social.KindOf(err) != social.Invalid {
		t.Errorf("a community was closed: %v", err)
	}
	rita.post(at+"/reopen", 200).says("!Has left the company")
	reader.get("/directory", 200).says("bob")

	rita.post(at+"/leave", 422, "how", "delete", "reason", "asked for it", "sure", "bo").wrong("sure", "sure", "bo", "reason", "asked for it")
	rita.post(at+"/leave", 200, "how", "delete", "reason", "asked for it", "sure", "@bob").says("!@bob")
	reader.get("/@bob", 404)
	reader.get("/company", 200).says("!how the press is set")
	rita.get(at+"/leave", 404)
	rows := newRows(t, in, 0)
	for _, want := range [][2]string{{"closed", "retires"}, {"reopened", ""}, {"deleted", "asked for it"}} {
		if !slices.ContainsFunc(rows, func(r social.AuditRow) bool {
			return r.Result == want[0] && r.Cause == want[1] && r.Subject == "@bob" && r.By == "root"
		}) {
			t.Errorf("no row of %v", want)
		}
	}
}

// Whoever was here first is found among many, page by page; reports that wait for long
// are counted and shown.
func TestAdministratorsFindAmongMany(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	first := net.Member(in, "anton")
	for i := range 42 {
		net.Member(in, fmt.Sprintf("crew%02d", i))
	}
	rita, _ := administratorOf(t, net, 0, "en")
	rita.get("/admin/people", 200).says("@crew41", "!@anton")
	rita.get("/admin/people?q=NTO", 200).says("@anton", "!@crew41")
	page := rita.get("/admin/people?q=crew", 200).says("@crew41", "!@crew01")
	rita.get(html.UnescapeString(regexp.MustCompile(`/admin/people\?older[^"]+`).FindString(page.raw)), 200).says("@crew01", "!@crew41", "!@anton")

	if err := in.DB.Tx(t.Context(), func(tx social.Tx) error {
		for i := range 41 {
			at := in.Social.Now().Add(time.Duration(i-60) * time.Second)
			if err := tx.InsertReport(t.Context(), &social.Report{ID: social.NewID(at), FromPeer: "b.test", TargetID: first.Account.ID, Comment: fmt.Sprintf("complaint %02d", i), CreatedAt: at}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	rita.get("/admin", 200).says("Open reports 41")
	page = rita.get("/admin/reports", 200).says("41 reports are open", "complaint 40", "!complaint 00")
	rita.get(html.UnescapeString(regexp.MustCompile(`/admin/reports\?older[^"]+`).FindString(page.raw)), 200).says("complaint 00")
}

// Work that fails is seen with its reason, and tried or given up, but not where somebody
// counts on it.
func TestAdministratorsLookAfterWork(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	rita, _ := administratorOf(t, net, 0, "en")
	later := in.Social.Now().Add(time.Hour)
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		return tx.AddJobs(ctx, []queue.Job{{Kind: "thread", Ref: 1, Target: "x"}, {Kind: social.TakeBackJob, Ref: 2, Target: "b.test"}})
	}); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"thread", social.TakeBackJob} {
		jobs, err := in.DB.Claim(ctx, kind, later, later.Add(time.Minute), 9, 9, nil)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		if err := in.DB.Retry(ctx, jobs[0], later, "broken "+kind); err != nil {
			t.Fatal(err)
		}
	}
	failing, err := in.DB.Failing(ctx, "deliver", 9)
	if err != nil || len(failing) != 2 {
		t.Fatal(failing, err)
	}
	rita.get("/admin", 200).says("Other work that failed 2")
	rita.get("/admin/work", 200).says("Completing conversations", "broken thread", "Taking back what a server had", "1 try")
	for _, j := range failing {
		id := fmt.Sprint(j.ID)
		rita.post("/admin/work", 200, "do", "retry-job", "job", id).says("It is tried now")
		if got, err := in.DB.Job(ctx, j.ID); err != nil || !got.NextAt.Before(later) {
			t.Errorf("%+v %v", got, err)
		}
		if j.Kind == social.TakeBackJob {
			rita.post("/admin/work", 404, "do", "drop-job", "job", id)
			continue
		}
		rita.post("/admin/work", 200, "do", "drop-job", "job", id).says("It is given up", "!broken thread", "broken takeback")
		rita.post("/admin/work", 404, "do", "drop-job", "job", id)
	}
	var acts []string
	for _, r := range newRows(t, in, 0) {
		if r.Kind == social.AuditQueue && r.By == "root" {
			acts = append(acts, r.Result+" "+r.Cause)
		}
	}
	slices.Sort(acts)
	if want := []string{"dropped broken thread", "tried broken takeback", "tried broken thread"}; !slices.Equal(acts, want) {
		t.Errorf("the rows are %q", acts)
	}
}

// The overview knows the last backup and minds an old one; how much room the files take
// it finds out at most once a minute.
func TestOverviewKnowsBackupAndRoom(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now})
	in := net.Instances[0]
	rita, root := administratorOf(t, net, 0, "en")
	files := func() string {
		return regexp.MustCompile(`Files of members [0-9.]+ .B · [0-9]+ files?`).FindString(rita.get("/admin/storage", 200).text)
	}
	rita.get("/admin", 200).says("Last backup never Look after it", "Free on the disk")
	rita.get("/admin/storage", 200).says("parley backup /var/lib/parley/parley.backup", "never", "Copies of other servers' files 0.0 kB of 1.1 GB · 0 files")
	before := files()
	if _, err := in.Social.Upload(t.Context(), root, social.Upload{Name: "plan.txt", Body: strings.NewReader(strings.Repeat("words ", 400_000))}); err != nil {
		t.Fatal(err)
	}
	if now := files(); now != before || before != "Files of members 0.0 kB · 0 files" {
		t.Errorf("measured again: %q, then %q", before, now)
	}
	if err := in.Backup(t.Context(), filepath.Join(t.TempDir(), "backup")); err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * time.Minute)
	if now := files(); now != "Files of members 2.4 MB · 1 file" {
		t.Errorf("a minute later it takes %q", now)
	}
	minded := regexp.MustCompile(`(?s)class="box bad">\s*<dt>Last backup`)
	if page := rita.get("/admin", 200).says("!never"); minded.MatchString(page.raw) {
		t.Error("a fresh backup is minded")
	}
	clock.Advance(8 * 24 * time.Hour)
	if page := rita.get("/admin", 200); !minded.MatchString(page.raw) {
		t.Error("nobody minds a backup of last week")
	}
}

// Another server's clock is read off its answers.
func TestAdministratorsSeeWrongClocks(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, host := net.Instances[0], net.Instances[1].Config.Domain
	rita, root := administratorOf(t, net, 0, "en")
	rita.get("/admin", 200).says("!Servers whose clock is wrong")
	clock.Advance(time.Hour) // the Date of an answer is of the real one
	if _, err := a.Social.Publish(t.Context(), root, social.Draft{Text: "what is the time?", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	rita.get("/admin", 200).says("Servers whose clock is wrong 1")
	rita.get("/admin/servers?only=failing", 200).says(host, "its clock is 3,", "seconds behind")
	rita.post("/admin/servers/"+host, 200, "do", "probe").says("It answers", "but its clock is 3,", "seconds behind")
}

// filled are the fields of a page's forms as they stand there, some of them changed.
func (d *doc) filled(changes ...string) (pairs []string) {
	for _, n := range d.elements {
		name, value := attr(n, "name"), attr(n, "value")
		if name == "" || n.Data != "input" && n.Data != "textarea" && n.Data != "select" {
			continue
		}
		if n.Data == "textarea" && n.FirstChild != nil {
			value = n.FirstChild.Data
		}
		for o := range n.Descendants() {
			if has(o, "selected") {
				value = attr(o, "value")
			}
		}
		for i := 0; i < len(changes); i += 2 {
			if changes[i] == name {
				value = changes[i+1]
			}
		}
		pairs = append(pairs, name, value)
	}
	return pairs
}

// Rules are changed by name, one wrong value changes nothing, and only administrators
// see any of it.
func TestAdministratorsSetRules(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	rita, _ := administratorOf(t, net, 0, "de")
	bob := newVisitor(t, in, "en").as(net.Member(in, "bob"))
	page := rita.get("/admin/settings", 200).says("Wie weit ein Beitrag gehen darf: Mitglied")
	values := page.filled("organisation", "Müller", "group", "Muster Group", "description", "Alles", "contact", "@root", "rule.audience.widest.member", "company")
	rita.post("/admin/settings", 200, values...).says("Gespeichert.")
	policy, err := in.Social.Policy(t.Context())
	if err != nil || policy.Widest[social.RoleMember] != social.AudienceCompany {
		t.Errorf("%+v %v", policy, err)
	}
	if o, err := in.Social.Organisation(t.Context()); err != nil || o.Name != "Müller" || o.Contact != "root" || o.Description != "Alles" {
		t.Errorf("%+v %v", o, err)
	}
	for i := range values {
		if values[i] == "rule.fields.partner" {
			values[i+1] = "shoe size"
		}
	}
	for i := range values {
		if values[i] == "organisation" || values[i] == "rules" {
			values[i+1] = "Schmidt"
		}
	}
	rita.post("/admin/settings", 422, values...).wrong("rule.fields.partner", "rule.fields.partner", "shoe size", "organisation", "Schmidt")
	if o, err := in.Social.Organisation(t.Context()); err != nil || o.Name != "Müller" || o.Rules != "" {
		t.Errorf("half of it is saved: %+v %v", o, err)
	}
	rita.post("/admin/settings", 422, page.filled("organisation", " ")...).wrong("organisation")

	for _, path := range []string{"/admin", "/admin/servers", "/admin/servers/x.test", "/admin/people", "/admin/reports", "/admin/settings", "/admin/work"} {
		bob.get(path, http.StatusNotFound)
		if d := newVisitor(t, in, "en").get(path, 200); d.at.Path != "/sign-in" || d.at.Query().Get("next") != path {
			t.Errorf("who is signed out is sent from %s to %s", path, d.at)
		}
	}
}

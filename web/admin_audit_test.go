package web_test

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// newRows are the audit rows after a place in the chain, the oldest first.
func newRows(t *testing.T, in *instance.Instance, after int64) (rows []social.AuditRow) {
	t.Helper()
	if err := in.DB.LinkAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := in.DB.View(t.Context(), func(tx social.Tx) (err error) {
		rows, err = tx.Audit(t.Context(), social.Page{Limit: 1000})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(rows)
	return slices.DeleteFunc(rows, func(r social.AuditRow) bool { return r.Seq <= after })
}

// Whatever an administrator does in the browser leaves a row that names them.
func TestEveryActOfAdministratorsIsRecorded(t *testing.T) {
	net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	bob, alice := net.Member(a, "bob"), net.Member(a, "alice")
	rita, _ := administratorOf(t, net, 0, "en")
	bodo, _ := administratorOf(t, net, 1, "en")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := a.Social.Report(t.Context(), alice, bob.Account.ID, nil, "rude", false)
	must(err)
	reports, err := a.Social.Reports(t.Context(), social.Page{Limit: 1})
	must(err)
	must(a.Social.Knock(t.Context(), social.ConnectRequest{Authority: "good.test", Actor: "https://good.test/users/eve", Wanted: "/inbox", LastAt: a.Social.Now()}))
	host, there := b.Config.Domain, "/admin/servers/"+b.Config.Domain
	person := func(act string) string { return "/admin/people/" + bob.Account.ID.String() + "/" + act }
	const member, policy, zone, queued, pairing = social.AuditMember, social.AuditPolicy, social.AuditZone, social.AuditQueue, social.AuditPairing
	code := ""
	for _, act := range []struct {
		who     *visitor
		path    string
		form    func() []string
		kind    social.AuditKind
		result  string
		of      string // subject or peer; "" for any
		prepare func() error
	}{
		{rita, "/admin/people", of("name", "new.one", "role", "member"), member, "created", "", nil},
		{rita, "/admin/people", of("name", "new.two", "role", "member"), member, "given a link", "", nil},
		{rita, person("link"), of(), member, "given a link", "@bob", nil},
		{rita, person("role"), of("role", "moderator", "sure", "yes"), policy, "set", "@bob", nil},
		{rita, person("sign-out"), of(), member, "signed out", "@bob", nil},
		{rita, person("suspend"), of(), member, "suspended", "@bob", nil},
		{rita, person("suspend"), of(), member, "signed out", "@bob", nil},
		{rita, person("restore"), of(), member, "restored", "@bob", nil},
		{rita, person("leave"), of("how", "close", "reason", "retires"), member, "closed", "@bob", nil},
		{rita, person("leave"), of("how", "close", "reason", "retires"), member, "signed out", "@bob", nil},
		{rita, person("reopen"), of(), member, "reopened", "@bob", nil},
		{rita, "/admin/reports/" + reports[0].ID.String() + "/close", of(), policy, "closed", "", nil},
		{rita, "/admin/start", of("organisation", "Müller", "group", "Muster"), policy, "set", "organisation.name", nil},
		{rita, "/admin/settings", func() []string { return rita.get("/admin/settings", 200).filled("rules", "Be kind.") }, policy, "set", "organisation.rules", nil},
		{rita, "/admin/settings", func() []string { return rita.get("/admin/settings", 200).filled("rule.groups.widest", "company") }, policy, "set", "groups.widest", nil},
		{rita, "/admin/requests", of("host", "good.test", "level", "public", "do", "admit"), zone, "set", "good.test", nil},
		{rita, there, of("do", "level", "level", "public", "reason", "we met", "sure", "yes"), zone, "set", host, nil},
		{rita, there, of("do", "veto"), pairing, "vetoed", host, nil},
		{rita, there, of("do", "unveto"), pairing, "lifted", host, nil},
		{rita, "/admin/work", of("do", "hold", "host", host, "why", "they move"), queued, "held", host, nil},
		{rita, "/admin/work", of("do", "retry", "host", host), queued, "tried", host, nil},
		{rita, "/admin/work", of("do", "drop", "host", host, "sure", "yes"), queued, "dropped", host, nil},
		{rita, "/admin/work", of("do", "release", "host", host), queued, "released", host, nil},
		{rita, "/admin/servers/invite", of("host", host, "level", "company", "days", "7"), pairing, "invited", host, nil},
		{rita, "/admin/servers/revoke", func() []string {
			return []string{"invitation", invitation(t, rita.get("/admin/servers", 200)), "sure", "yes"}
		}, pairing, "revoked", host, nil},
		{rita, "/admin/servers/invite", of("host", host, "level", "company", "days", "7"), pairing, "invited", host, nil},
		{bodo, "/admin/servers/accept", func() []string { return []string{"code", code, "same", "yes"} }, pairing, "active", a.Config.Domain, nil},
		{rita, there, of("do", "history"), pairing, "opened", host, nil},
		{rita, there, of("do", "prove"), pairing, "active", host, func() error { return park(t, a, host) }},
		{bodo, "/admin/servers/leave", of("sure", "yes"), pairing, "left", a.Config.Domain, nil},
		{rita, there, of("do", "remove", "sure", "yes"), pairing, "left", host, nil},
		{rita, there, of("do", "level", "level", "blocked", "reason", "sold"), zone, "set", host, nil},
		{rita, there, of("do", "remove", "sure", "yes"), zone, "removed", host, nil},
	} {
		if act.prepare != nil {
			must(act.prepare())
		}
		rows := newRows(t, act.who.in, 0)
		page := act.who.post(act.path, 200, act.form()...)
		if found := regexp.MustCompile(`<pre>(parley1[^<]+)</pre>`).FindStringSubmatch(page.raw); found != nil {
			code = html.UnescapeString(found[1])
		}
		if !slices.ContainsFunc(newRows(t, act.who.in, rows[len(rows)-1].Seq), func(r social.AuditRow) bool {
			return r.Kind == act.kind && r.Result == act.result && r.By == "root" && (act.of == "" || act.of == r.Subject || act.of == r.Peer)
		}) {
			t.Errorf("%s by %s left no row %s %s of %q: %+v", act.path, act.form(), act.kind, act.result, act.of, newRows(t, act.who.in, rows[len(rows)-1].Seq))
		}
	}
	newRows(t, a, 0)
	page := rita.get("/admin/work", 200).says("Parted with a server · "+host, "Level of a server changed", "sold", "root", "Held back what goes to a server", "they move")
	older := regexp.MustCompile(`/admin/work\?older=[0-9]+`).FindString(page.raw)
	rita.get(older, 200).says("Member taken out of view · @bob", "Member made · @new.one")
	for _, r := range newRows(t, a, 0) { // also what followed from it: both sides of the pairing
		if r.Kind == pairing && r.Result == "active" && r.By != "root" {
			t.Errorf("nobody paired: %+v", r)
		}
	}
}

// of is a form that is known before.
func of(pairs ...string) func() []string { return func() []string { return pairs } }

// park stops the exchange with a paired server, as when somebody else answers there.
func park(t *testing.T, in *instance.Instance, host string) error {
	t.Helper()
	list, err := in.Social.Pairings(t.Context())
	for _, p := range list {
		if p.Authority == host {
			err = in.Social.Park(t.Context(), p, "other keys")
		}
	}
	return err
}

// What a rule kept from leaving stands on a page of its own, with its older rows.
func TestAdministratorsSeeWhatWasNotSent(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	rita, _ := administratorOf(t, net, 0, "en")
	rita.get("/admin/work?acts=refused", 200).says("No rule has kept anything back yet.")
	if err := in.DB.Tx(t.Context(), func(tx social.Tx) error {
		for i := range 21 {
			row := social.AuditRow{Kind: social.AuditSend, Subject: fmt.Sprintf("https://a.test/%d.", i), Peer: "partner.test", Result: social.AuditRefused, Cause: "it is outside"}
			if err := tx.AppendAudit(t.Context(), row); err != nil {
				return err
			}
		}
		return tx.AppendAudit(t.Context(), social.AuditRow{Kind: social.AuditSend, Subject: "https://a.test/gone.", Peer: "sister.test", Result: social.AuditAllowed})
	}); err != nil {
		t.Fatal(err)
	}
	if err := in.DB.LinkAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if acts := rita.get("/admin/work", 200); !strings.Contains(acts.raw, `href="/admin/work?acts=refused#audit"`) || strings.Contains(acts.text, "partner.test") {
		t.Errorf("among the acts stands\n%s", acts.text)
	}
	newest := rita.get("/admin/work?acts=refused", 200)
	newest.says("Not sent to a server", "partner.test", "it is outside", "https://a.test/20.")
	if strings.Contains(newest.text, "sister.test") || strings.Contains(newest.text, "https://a.test/0.") {
		t.Errorf("what was not sent is\n%s", newest.text)
	}
	older := regexp.MustCompile(`href="(/admin/work\?acts=refused[^"#]*older=[^"#]+)`).FindStringSubmatch(newest.raw)
	if older == nil {
		t.Fatalf("no older rows are offered in\n%s", newest.text)
	}
	rita.get(html.UnescapeString(older[1]), 200).says("https://a.test/0.")
}

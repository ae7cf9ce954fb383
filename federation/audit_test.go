package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// audited lists the audit rows that want chooses, oldest first, after the chain was
// found good.
func audited(t *testing.T, in *instance.Instance, want func(social.AuditRow) bool) (out []social.AuditRow) {
	t.Helper()
	ctx := context.Background()
	if err := in.DB.LinkAudit(ctx); err != nil {
		t.Fatal(err)
	}
	if report, err := in.DB.VerifyAudit(ctx); err != nil || report.Problem != "" {
		t.Fatalf("%+v %v", report, err)
	}
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		rows, err := tx.Audit(ctx, social.Page{Limit: 10_000})
		for _, r := range slices.Backward(rows) {
			if want(r) {
				out = append(out, r)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func ofKind(kind social.AuditKind, result string) func(social.AuditRow) bool {
	return func(r social.AuditRow) bool { return r.Kind == kind && r.Result == result }
}

// Each decision of egress is a row: what leaves and by which rule, what a zone that
// changed holds back, and the retraction that leaves all the same. None says a word
// of a post.
func TestEgressDecisionsAreAudited(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	found, err := b.Social.Search(ctx, bob, instancetest.Handle(a, alice), social.SearchOptions{Resolve: true})
	if err != nil || len(found.Accounts) != 1 {
		t.Fatalf("%+v %v", found, err)
	}
	if _, err := b.Social.Follow(ctx, bob, found.Accounts[0].ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	arrived := publish(t, a, alice, social.Draft{Text: "canary one", Audience: "company"})
	net.Settle()
	late := publish(t, a, alice, social.Draft{Text: "canary two", Audience: "company"})
	net.Zone(a, b, social.Zone{Kind: social.ZonePublic})
	net.Settle()

	about := func(p *social.Post, result string) []social.AuditRow {
		return audited(t, a, func(r social.AuditRow) bool {
			return r.Kind == social.AuditSend && r.Result == result && r.Subject == p.URI
		})
	}
	sent := about(arrived, social.AuditAllowed)
	if len(sent) != 2 || sent[0].Rule != "company" || sent[0].Zone != "company" || sent[0].Peer != b.Config.Domain ||
		sent[0].Key != a.Config.PublicURL+"/actor#ed25519" || sent[1].Rule != "retraction" || sent[1].Zone != "public" {
		t.Errorf("what was sent: %+v", sent)
	}
	held := about(late, social.AuditRefused)
	if len(held) != 1 || held[0].Rule != "company" || held[0].Zone != "public" || held[0].Cause == "" || len(about(late, social.AuditAllowed)) != 0 {
		t.Errorf("what was held back: %+v", held)
	}
	taken := audited(t, b, ofKind(social.AuditReceive, social.AuditAllowed))
	if !slices.ContainsFunc(taken, func(r social.AuditRow) bool {
		return strings.HasPrefix(r.Subject, arrived.URI) && r.Peer == a.Config.Domain && r.Key == a.Config.PublicURL+"/actor#ed25519"
	}) {
		t.Errorf("what came in there: %+v", taken)
	}
	for _, in := range net.Instances {
		all, err := json.Marshal(audited(t, in, func(social.AuditRow) bool { return true }))
		if err != nil || strings.Contains(string(all), "canary") {
			t.Errorf("the rows tell content: %s %v", all, err)
		}
	}
}

// A signed server that gets what is not for everybody, or asks for what is hidden
// from it or missing, is in a row; both of the latter alike. Public posts are not.
func TestFetchDecisionsAreAudited(t *testing.T) {
	in, r, net := admitted(t, social.ZonePartner)
	alice := net.Member(in, "alice")
	if err := in.Social.SetZone(t.Context(), r.host(), social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	shown := publish(t, in, alice, social.Draft{Text: "canary", Audience: "partner:acme"})
	open := publish(t, in, alice, social.Draft{Text: "canary", Audience: "public"})
	hidden := publish(t, in, alice, social.Draft{Text: "canary", Audience: "company"})
	missing := in.Config.PublicURL + "/users/" + alice.Account.ID.String() + "/statuses/123456789012345678"
	for _, p := range []string{shown.URI, shown.URI, open.URI, hidden.URI, missing} {
		fetch(t, r, http.MethodGet, p)
	}
	given := audited(t, in, ofKind(social.AuditFetch, social.AuditAllowed))
	if len(given) != 2 || given[0].Subject != shown.URI || given[0].Rule != "partner:acme" || given[0].Peer != r.host() || given[0].Key == "" {
		t.Errorf("given out: %+v", given)
	}
	refused := audited(t, in, ofKind(social.AuditFetch, social.AuditRefused))
	if len(refused) != 2 || refused[0].Subject != hidden.URI || refused[1].Subject != missing {
		t.Fatalf("refused: %+v", refused)
	}
	for _, row := range refused {
		row.Seq, row.At, row.Subject = 0, refused[0].At, refused[0].Subject
		if same := refused[0]; row.Cause != same.Cause || row.Rule != same.Rule || row.Zone != same.Zone {
			t.Errorf("hidden and missing differ: %+v %+v", row, same)
		}
	}
}

// A file of a limited post that a server gets or is refused is in a row as its post
// would be; one of a public post is in none.
func TestFilesAreAudited(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	if err := in.Social.SetZone(t.Context(), r.host(), social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	file := func(audience string) string {
		t.Helper()
		m, err := in.Social.Upload(t.Context(), alice, social.Upload{Name: "a.txt", Body: strings.NewReader("canary")})
		if err != nil {
			t.Fatal(err)
		}
		publish(t, in, alice, social.Draft{Text: "x", Audience: audience, MediaIDs: []social.ID{m.ID}})
		return in.Config.PublicURL + "/media/" + m.ID.String() + "/original"
	}
	shown, open, hidden := file("partner:acme"), file("public"), file("company")
	for address, want := range map[string]int{shown: 200, open: 200, hidden: 404} {
		if got := fetch(t, r, http.MethodGet, address); got.status != want {
			t.Errorf("%s: %d %s", address, got.status, got.body)
		}
	}
	given := audited(t, in, ofKind(social.AuditFetch, social.AuditAllowed))
	if len(given) != 1 || given[0].Subject != shown || given[0].Rule != "partner:acme" || given[0].Peer != r.host() {
		t.Errorf("given out: %+v", given)
	}
	if refused := audited(t, in, ofKind(social.AuditFetch, social.AuditRefused)); len(refused) != 1 || refused[0].Subject != hidden {
		t.Errorf("refused: %+v", refused)
	}
}

// What an admitted server sends and we drop is in a row, with the cause.
func TestDroppedActivitiesAreAudited(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	bad := map[string]any{"id": r.url("/adds/1"), "type": "Add", "actor": r.actor("mallory"), "object": r.url("/notes/1"), "target": in.Config.PublicURL + "/audiences/company"}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", bad); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	dropped := audited(t, in, ofKind(social.AuditReceive, social.AuditRefused))
	if len(dropped) != 1 || dropped[0].Subject != r.url("/adds/1") || dropped[0].Rule != "content" || !strings.Contains(dropped[0].Cause, "featured") {
		t.Errorf("%+v", dropped)
	}
}

// Strangers that are refused again and again fill few rows, and the next row tells
// how many have none; those of a partner are written all the same.
func TestRefusalsOfStrangersFillNoDisk(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now})
	in := net.Instances[0]
	inbox := in.Config.PublicURL + "/inbox"
	send := func(who string, n int) {
		t.Helper()
		for i := range n {
			body := fmt.Sprintf(`{"id":"http://%[1]s/a/%[2]d","type":"Like","actor":"http://%[1]s/users/eve","object":"http://%[1]s/n"}`, who, i)
			req, err := http.NewRequest("POST", inbox, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/activity+json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusUnauthorized {
				t.Fatalf("answered %d", res.StatusCode)
			}
		}
	}
	refused := func() []social.AuditRow { return audited(t, in, ofKind(social.AuditReceive, social.AuditRefused)) }
	send("evil.test", 50)
	if n := len(refused()); n != 20 {
		t.Errorf("%d rows of one stranger", n)
	}
	for i := range 400 {
		send(fmt.Sprintf("evil%d.test", i), 1)
	}
	if n := len(refused()); n != 300 {
		t.Errorf("%d rows of strangers", n)
	}
	if err := in.Social.SetZone(t.Context(), "acme.test", social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	send("acme.test", 1)
	rows := refused()
	if last := rows[len(rows)-1]; len(rows) != 301 || last.Peer != "acme.test" || !strings.Contains(last.Cause, "120 more refusals") {
		t.Errorf("%d rows, the last is %+v", len(rows), last)
	}
}

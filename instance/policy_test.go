package instance_test

import (
	"context"
	"slices"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

func setPolicy(t *testing.T, in *instance.Instance, values map[string]string) {
	t.Helper()
	if err := in.Social.SetPolicy(context.Background(), "", values); err != nil {
		t.Fatal(err)
	}
}

// A role publishes no farther than the policy lets it: who names more is refused, who
// says it by an app's words is clamped and told, and so are replies, quotes and
// boosts. An edit does not keep alive what was published before.
func TestRoleBoundsHowFarOnePublishes(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := context.Background()
	alice := net.Member(in, "alice")
	a, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "press", Role: social.RoleCommunications})
	if err != nil {
		t.Fatal(err)
	}
	press := social.Member(a, in.Social.HomeAuthority())
	if err := in.Social.SetZone(ctx, "p.test", social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	publish := func(who social.Reader, d social.Draft) (*social.PostView, error) {
		d.Text = "hello"
		return in.Social.Publish(ctx, who, d)
	}
	before, err := publish(alice, social.Draft{Audience: "public"})
	if err != nil {
		t.Fatalf("where no policy is set: %v", err)
	}
	setPolicy(t, in, map[string]string{"audience.widest.member": "company", "audience.default": "public"})

	news, err := publish(press, social.Draft{Audience: "public"})
	if err != nil || !news.Post.Audience.Everybody() {
		t.Fatalf("the press: %v", err)
	}
	for _, label := range []string{"public", "unlisted", "partner:acme"} {
		if _, err := publish(alice, social.Draft{Audience: label}); social.KindOf(err) != social.Forbidden {
			t.Errorf("alice for %s: %v", label, err)
		}
	}
	for name, d := range map[string]social.Draft{
		"an app's word":           {Visibility: "public"},
		"a quiet one":             {Visibility: "unlisted"},
		"a reply to what is open": {InReplyTo: news.Post.ID},
		"an app's reply":          {InReplyTo: news.Post.ID, Visibility: "public"},
		"an app's quote":          {QuoteOf: news.Post.ID, Visibility: "public"},
	} {
		v, err := publish(alice, d)
		if err != nil || v.Post.Audience != (social.Audience{Kind: social.AudienceCompany, Owner: in.Social.HomeAuthority()}) || !v.Clamped {
			t.Errorf("%s: %+v %v", name, v, err)
		}
	}
	if v, err := publish(alice, social.Draft{}); err != nil || v.Post.Audience.Kind != social.AudienceCompany || v.Clamped {
		t.Errorf("the default is what fits, without ado: %+v %v", v, err)
	}
	if v, err := publish(press, social.Draft{}); err != nil || v.Post.Audience.Kind != social.AudiencePublic {
		t.Errorf("the default of the press: %+v %v", v, err)
	}
	if v, err := in.Social.Boost(ctx, alice, news.Post.ID, true); err != nil || v.Post.Audience.Kind != social.AudienceCompany || !v.Clamped {
		t.Errorf("a boost: %+v %v", v, err)
	}
	choices, err := in.Social.Audiences(ctx, alice, 0)
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, c := range choices {
		labels = append(labels, c.Label)
		if c.Default != (c.Label == "company") {
			t.Errorf("%s: default %v", c.Label, c.Default)
		}
	}
	if want := []string{"direct", "followers", "instance", "company"}; !slices.Equal(labels, want) {
		t.Errorf("alice chooses from %v", labels)
	}
	if _, err := in.Social.Edit(ctx, alice, before.Post.ID, social.Draft{Text: "more"}); social.KindOf(err) != social.Forbidden {
		t.Errorf("an edit of what went farther: %v", err)
	}
	if v, err := in.Social.Edit(ctx, alice, before.Post.ID, social.Draft{Text: "more", Audience: "company"}); err != nil || v.Post.Audience.Kind != social.AudienceCompany {
		t.Errorf("an edit that narrows: %+v %v", v, err)
	}
	if err := in.Social.SetRole(ctx, alice.Account.ID, social.RoleCommunications, "test"); err != nil {
		t.Fatal(err)
	}
	speaker, err := in.Social.AccountByHandle(ctx, alice, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publish(social.Member(speaker, in.Social.HomeAuthority()), social.Draft{Audience: "public"}); err != nil {
		t.Errorf("alice, who speaks for the organisation now: %v", err)
	}
	if err := in.Social.SetRole(ctx, alice.Account.ID, "boss", "test"); social.KindOf(err) != social.Invalid {
		t.Errorf("a role that is not there: %v", err)
	}
	setPolicy(t, in, map[string]string{"audience.widest.member": "instance"})
	if v, err := publish(alice, social.Draft{Visibility: "public"}); err != nil || v.Post.Audience.Kind != social.AudienceInstance {
		t.Errorf("for this instance alone: %+v %v", v, err)
	}
	setPolicy(t, in, map[string]string{"audience.widest.member": ""})
	if v, err := publish(alice, social.Draft{Visibility: "public"}); err != nil || v.Post.Audience.Kind != social.AudiencePublic {
		t.Errorf("taken back: %+v %v", v, err)
	}
}

// Where the policy admits no followers from outside, a request is rejected and those
// from before get nothing more: not sent, not to be fetched. Sisters stay.
func TestPolicyKeepsFollowersOutside(t *testing.T) {
	net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
	a, b := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	alice, bob, carol := net.Member(a, "alice"), net.Member(b, "bob"), net.Member(b, "carol")
	net.Zone(a, b, social.Zone{Kind: social.ZonePublic})
	net.Zone(b, a, social.Zone{Kind: social.ZonePublic})
	follow := func(who social.Reader) social.ID {
		t.Helper()
		found, err := b.Social.Search(ctx, who, instancetest.Handle(a, alice), social.SearchOptions{Resolve: true})
		if err != nil || len(found.Accounts) != 1 {
			t.Fatalf("%+v %v", found, err)
		}
		if _, err := b.Social.Follow(ctx, who, found.Accounts[0].ID, social.FollowOptions{}); err != nil {
			t.Fatal(err)
		}
		net.Settle()
		return found.Accounts[0].ID
	}
	follows := func(who social.Reader, id social.ID) bool {
		t.Helper()
		rels, err := b.Social.Relationships(ctx, who, []social.ID{id})
		if err != nil || len(rels) != 1 {
			t.Fatalf("%+v %v", rels, err)
		}
		return rels[0].Following
	}
	sees := func() bool {
		t.Helper()
		v, err := a.Social.Publish(ctx, alice, social.Draft{Text: "for those who follow", Audience: "followers"})
		if err != nil {
			t.Fatal(err)
		}
		net.Settle()
		_, err = b.Social.PostByURI(ctx, bob, v.Post.URI)
		if err != nil && social.KindOf(err) != social.NotFound {
			t.Fatal(err)
		}
		return err == nil
	}
	id := follow(bob)
	if !follows(bob, id) || !sees() {
		t.Fatal("bob does not follow to begin with")
	}
	setPolicy(t, a, map[string]string{"followers.public": "no"})
	if sees() {
		t.Error("a follower outside got a post")
	}
	if follow(carol); follows(carol, id) {
		t.Error("carol follows from outside")
	}
	setPolicy(t, a, map[string]string{"followers.public": "yes", "audience.widest.member": "company"})
	if sees() {
		t.Error("a post went farther than its author may publish")
	}
	net.Zone(a, b, social.Zone{Kind: social.ZoneCompany})
	if !sees() {
		t.Error("a sister's follower gets nothing")
	}
	net.Zone(a, b, social.Zone{Kind: social.ZonePublic})
	net.Zone(b, a, social.Zone{Kind: social.ZonePublic})
	setPolicy(t, a, map[string]string{"audience.widest.member": ""})
	if !sees() {
		t.Error("taken back, bob gets nothing")
	}
	if follow(carol); !follows(carol, id) {
		t.Error("taken back, carol may not follow")
	}
}

// Each change of the policy is an audit row with what was before; one that is not
// understood changes nothing.
func TestPolicyChangesAreAudited(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := context.Background()
	for key, value := range map[string]string{"audience.defualt": "public", "audience.default": "direct", "audience.widest.member": "unlisted",
		"audience.widest.boss": "public", "followers.public": "maybe", "fields.company": "name,salary", "fields.public": "name"} {
		if err := in.Social.SetPolicy(ctx, "", map[string]string{"followers.partner": "no", key: value}); social.KindOf(err) != social.Invalid {
			t.Errorf("%s %s: %v", key, value, err)
		}
	}
	if err := in.Social.SetPolicy(ctx, "root", map[string]string{"fields.partner": "name, photo"}); err != nil {
		t.Fatal(err)
	}
	p, err := in.Social.Policy(ctx)
	acme := social.Zone{Kind: social.ZonePartner, Name: "acme"}
	if err != nil || !p.FollowPartner || !p.Shows(acme, "photo") || p.Shows(acme, "title") || p.Shows(social.Zone{Kind: social.ZonePublic}, "name") ||
		!p.Shows(social.Zone{Kind: social.ZoneCompany}, "department") || p.Shows(social.Zone{Kind: social.ZoneCompany}, "skills") {
		t.Errorf("%+v %v", p, err)
	}
	if err := in.DB.LinkAudit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		rows, err := tx.Acts(ctx, social.Page{Limit: 10})
		if len(rows) != 1 || rows[0].Kind != social.AuditPolicy || rows[0].Subject != "fields.partner" || rows[0].By != "root" ||
			rows[0].Cause != "name,department,title -> name,photo" {
			t.Errorf("%+v", rows)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

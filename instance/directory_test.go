package instance_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// found says who is found by a text: name, title, and where, each by name.
func (s *scene) found(in *instance.Instance, r social.Reader, q string) string {
	s.Helper()
	entries, err := in.Social.Directory(s.ctx, r, social.DirectoryQuery{Text: q, Limit: 40})
	s.ok(err)
	var out []string
	for _, e := range entries {
		who := e.Name
		if e.Title != "" {
			who += " (" + e.Title + ")"
		}
		for _, m := range e.Managers {
			who += " < " + m.Name
		}
		out = append(out, who)
	}
	return strings.Join(out, ", ")
}

// change sets fields of somebody's entry.
func (s *scene) change(in *instance.Instance, r social.Reader, c social.PersonChange) *social.Person {
	s.Helper()
	p, err := in.Social.UpdatePerson(s.ctx, r, c)
	s.ok(err)
	return p
}

func ptr[T any](v T) *T { return &v }

// named makes a member with a display name.
func (s *scene) named(in *instance.Instance, username, name string) social.Reader {
	s.Helper()
	a, err := in.Social.CreateAccount(s.ctx, social.NewAccount{Username: username, DisplayName: name})
	s.ok(err)
	return social.Member(a, in.Social.HomeAuthority())
}

func TestDirectoryIsExchanged(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { directoryIsExchanged(t, nil) })
	t.Run("postgres", func(t *testing.T) { directoryIsExchanged(t, instancetest.Postgres(t)) })
}

// Colleagues at sisters are found though nobody follows them, with their managers
// across the sisters; what was hidden, and who left, is gone there; nobody else has it.
func directoryIsExchanged(t *testing.T, database func(int) string) {
	net := instancetest.New(t, 3, database)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], net.Instances[2]}
	alice := s.named(s.a, "alice", "Alice Anders")
	bob, boss := s.named(s.b, "bob", "Bob Müller"), s.named(s.b, "boss", "Berta Boss")
	carol := s.named(s.c, "carol", "Carol Chefin")
	net.Settle()
	s.change(s.b, bob, social.PersonChange{Title: ptr("Fräser"), Department: ptr("Werk 2"), Manager: ptr("boss"), Skills: []string{"Drehen"}, Location: ptr("Köln")})
	s.change(s.b, boss, social.PersonChange{Manager: ptr("carol@" + s.c.Config.Domain)})
	net.Settle()
	for q, want := range map[string]string{
		"mueller": "Bob Müller (Fräser)", "MÜL bo": "Bob Müller (Fräser)", "fraser": "Bob Müller (Fräser)", "werk": "Bob Müller (Fräser)",
		"drehen": "", "koln": "", "nobody": "", "!": "", "a": "Alice Anders", "": "Alice Anders, Berta Boss, Bob Müller (Fräser), Carol Chefin",
	} {
		if got := s.found(s.a, alice, q); got != want {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
	if got := s.found(s.b, bob, "drehen"); got != "Bob Müller (Fräser) < Berta Boss < Carol Chefin" {
		t.Errorf("at home: %q", got)
	}

	// A change of the account flows too, and who left is gone.
	_, err := s.b.Social.UpdateProfile(s.ctx, bob, social.ProfileChange{DisplayName: ptr("Bob Neumann")})
	s.ok(err)
	s.change(s.b, bob, social.PersonChange{Shown: map[social.PersonField]social.Reach{social.FieldTitle: social.ReachInstance}})
	net.Settle()
	if got := s.found(s.a, alice, "bob"); got != "Bob Neumann" {
		t.Errorf("after a change: %q", got)
	}
	s.ok(s.b.Social.Suspend(s.ctx, bob.Account.ID, true, "test"))
	s.ok(s.c.Social.DeleteAccount(s.ctx, carol.Account.ID, "", "test"))
	net.Settle()
	if got := s.found(s.a, alice, ""); got != "Alice Anders, Berta Boss" {
		t.Errorf("after they left: %q", got)
	}
	s.ok(s.b.Social.Suspend(s.ctx, bob.Account.ID, false, "test"))
	net.Settle()
	if got := s.found(s.a, alice, "neumann"); got != "Bob Neumann" {
		t.Errorf("after he came back: %q", got)
	}
	s.change(s.b, bob, social.PersonChange{Shown: map[social.PersonField]social.Reach{social.FieldName: social.ReachInstance}})
	net.Settle()
	if got := s.found(s.a, alice, "neumann") + s.found(s.b, boss, "neumann"); got != "Bob Neumann (Fräser) < Berta Boss" {
		t.Errorf("hidden from other companies: %q", got)
	}
	for _, r := range []social.Reader{social.Nobody(s.a.Config.Domain), {Peer: s.b.Config.Domain, Zone: social.Zone{Kind: social.ZoneCompany}, Home: s.a.Config.Domain}} {
		if list, err := s.a.Social.Directory(s.ctx, r, social.DirectoryQuery{Text: "alice"}); social.KindOf(err) != social.Unauthenticated || len(list) > 0 {
			t.Errorf("%+v: %v %v", r, list, err)
		}
	}
}

// A field goes to sisters when both the company's policy and the person let it, and is
// gone there when either takes that back.
func TestFieldNeedsPolicyAndPerson(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], nil}
	alice, bob := s.named(s.a, "alice", "Alice"), s.named(s.b, "bob", "Bob")
	s.change(s.b, bob, social.PersonChange{Skills: []string{"Drehen"}, Title: ptr("Dreher")})
	policy := func(fields string) {
		t.Helper()
		s.ok(s.b.Social.SetPolicy(s.ctx, "", map[string]string{"fields.company": fields}))
	}
	person := func(reach social.Reach) {
		t.Helper()
		s.change(s.b, bob, social.PersonChange{Shown: map[social.PersonField]social.Reach{social.FieldSkills: reach}})
	}
	has := func(when string, want bool) {
		t.Helper()
		net.Settle()
		if got := s.found(s.a, alice, "drehen") == "Bob (Dreher)"; got != want {
			t.Errorf("%s: found %v", when, got)
		}
		if s.found(s.a, alice, "bob") != "Bob (Dreher)" {
			t.Errorf("%s: the rest is %q", when, s.found(s.a, alice, "bob"))
		}
	}
	has("neither", false)
	person(social.ReachCompany)
	has("the person alone", false)
	policy("name,title,skills")
	has("both", true)
	person(social.ReachInstance)
	has("the policy alone", false)
	person("partner:acme")
	has("both again", true)
	policy("name,title")
	has("the person alone again", false)
	policy("none")
	net.Settle()
	if got := s.found(s.a, alice, "bob"); got != "" {
		t.Errorf("a company that shows nobody: %q", got)
	}
}

// What waits while a field is hidden, or its company left, leaves without it.
func TestQueuedEntryLeavesWithoutWhatWasHidden(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], nil}
	alice, bob := s.named(s.a, "alice", "Alice"), s.named(s.b, "bob", "Bob")
	net.Settle()
	s.change(s.b, bob, social.PersonChange{Title: ptr("Secret title")})
	s.change(s.b, bob, social.PersonChange{Shown: map[social.PersonField]social.Reach{social.FieldTitle: social.ReachInstance}})
	before := 0
	net.Settle()
	s.ok(s.a.DB.View(s.ctx, func(tx social.Tx) error {
		rows, err := tx.PeopleOf(s.ctx, s.b.Config.Domain, 0, 9)
		for _, p := range rows {
			if before++; p.Title != "" || p.Name != "Bob" {
				t.Errorf("%+v", p)
			}
		}
		return err
	}))
	if before != 1 || s.found(s.a, alice, "secret") != "" {
		t.Errorf("%d entries", before)
	}
}

// Who leaves the zone leaves the directory at once, and is asked to forget.
func TestDirectoryFollowsTheZone(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], nil}
	alice, bob := s.named(s.a, "alice", "Alice"), s.named(s.b, "bob", "Bob")
	net.Settle()
	if got := s.found(s.a, alice, "bob") + s.found(s.b, bob, "alice"); got != "BobAlice" {
		t.Fatalf("before: %q", got)
	}
	for _, z := range []social.Zone{{Kind: social.ZonePublic}, {Kind: social.ZoneBlocked}, {Kind: social.ZonePartner, Name: "acme"}} {
		net.Zone(s.a, s.b, z)
		if got := s.found(s.a, alice, "bob"); got != "" && z.Kind != social.ZonePartner {
			t.Errorf("%s: still finds %q", z, got)
		}
		net.Settle()
		if got := s.found(s.b, bob, "alice"); got != "" {
			t.Errorf("%s: they still have %q", z, got)
		}
		net.Zone(s.a, s.b, social.Zone{Kind: social.ZoneCompany})
		net.Zone(s.b, s.a, social.Zone{Kind: social.ZonePublic}) // b sends its own anew
		net.Zone(s.b, s.a, social.Zone{Kind: social.ZoneCompany})
		net.Settle()
		if got := s.found(s.a, alice, "bob") + s.found(s.b, bob, "alice"); got != "BobAlice" {
			t.Fatalf("%s: after coming back: %q", z, got)
		}
	}
	s.ok(s.a.Social.RemovePeer(s.ctx, s.b.Config.Domain, "test"))
	if got := s.found(s.a, alice, "bob"); got != "" {
		t.Errorf("removed: still finds %q", got)
	}
}

// A chain of managers may lead round, into nowhere, and far up.
func TestChainOfManagersEnds(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], nil, nil}
	var people []social.Reader
	for i := range 15 {
		people = append(people, s.named(s.a, fmt.Sprintf("p%d", i), fmt.Sprintf("P%d", i)))
	}
	for i, p := range people {
		s.change(s.a, p, social.PersonChange{Manager: ptr(fmt.Sprintf("p%d", (i+1)%15))})
	}
	if got := s.found(s.a, people[0], "p0"); strings.Count(got, "<") != 10 {
		t.Errorf("far up: %q", got)
	}
	s.change(s.a, people[2], social.PersonChange{Manager: ptr("p0")})
	if got := s.found(s.a, people[0], "p1 "); !strings.HasPrefix(got, "P1 < P2 < P0,") {
		t.Errorf("round: %q", got)
	}
	s.ok(s.a.Social.Suspend(s.ctx, people[1].Account.ID, true, "test"))
	if got := s.found(s.a, people[0], "p0"); got != "P0" {
		t.Errorf("into nowhere: %q", got)
	}
	_, err := s.a.Social.UpdatePerson(s.ctx, people[0], social.PersonChange{Manager: ptr("p0")})
	if social.KindOf(err) != social.Invalid {
		t.Errorf("one's own manager: %v", err)
	}
}

// After an outage, of us or of them, entries are shown as unconfirmed until the change
// log was read: by then who left meanwhile is gone, also when the delivery is lost.
func TestEntriesAreUnconfirmedUntilCaughtUp(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], nil}
	alice, bob := s.named(s.a, "alice", "Alice"), s.named(s.b, "bob", "Bob")
	s.named(s.b, "eva", "Eva")
	unconfirmed := func(want string) {
		t.Helper()
		entries, err := s.a.Social.Directory(s.ctx, alice, social.DirectoryQuery{})
		s.ok(err)
		var out []string
		for _, e := range entries {
			who := e.Name
			if e.Unconfirmed {
				who += "?"
			}
			out = append(out, who)
		}
		if got := strings.Join(out, " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	net.Settle()
	unconfirmed("Alice Bob? Eva?") // told, and the log never read
	s.ok(s.a.Federation.CatchUpNow(s.ctx, ""))
	net.Settle()
	unconfirmed("Alice Bob Eva")

	net.Stop(0)
	s.ok(s.b.Social.Suspend(s.ctx, bob.Account.ID, true, "test"))
	net.Settle()
	_, err := s.b.DB.Drop(s.ctx, "deliver", s.a.Config.Domain)
	s.ok(err)
	s.a = net.Restart(0)
	s.ok(s.a.Federation.CatchUpNow(s.ctx, "")) // as Run does before the first page
	unconfirmed("Alice Bob? Eva?")
	net.Settle()
	unconfirmed("Alice Eva")
}

// A partner is told name, department and title, unless the pairing names other fields,
// and only of whom they are meant for; one that is not paired is told nothing.
func TestPartnerIsToldWhatThePairingNames(t *testing.T) {
	for classes, want := range map[string]string{
		"": "Bob Werk 2 Fräser", "posts,directory": "Bob Werk 2 Fräser Drehen", "posts,directory.name,directory.skills": "Bob Drehen", "posts": "",
	} {
		t.Run("data: "+classes, func(t *testing.T) {
			net := instancetest.New(t, 2, nil)
			s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], nil}
			s.ok(s.a.Social.RemovePeer(s.ctx, s.b.Config.Domain, "test"))
			net.Settle()
			s.ok(s.b.Social.RemovePeer(s.ctx, s.a.Config.Domain, "test"))
			net.Settle()
			s.ok(s.b.Social.SetPolicy(s.ctx, "", map[string]string{"fields.partner": "name,department,title,skills"}))
			alice, bob, eva := s.named(s.a, "alice", "Alice"), s.named(s.b, "bob", "Bob"), s.named(s.b, "eva", "Eva")
			s.change(s.b, bob, social.PersonChange{Department: ptr("Werk 2"), Title: ptr("Fräser"), Skills: []string{"Drehen"}, Location: ptr("Köln"),
				Shown: map[social.PersonField]social.Reach{social.FieldSkills: "partner:acme", social.FieldLocation: social.ReachPartners}})
			s.change(s.b, eva, social.PersonChange{Shown: map[social.PersonField]social.Reach{social.FieldName: social.ReachCompany}})
			partner := social.Zone{Kind: social.ZonePartner, Name: "acme"}
			s.ok(s.b.Social.SetZone(s.ctx, s.a.Config.Domain, partner, "test", "test")) // not paired yet
			net.Settle()
			if list, err := s.a.Social.Directory(s.ctx, alice, social.DirectoryQuery{}); err != nil || len(list) != 1 {
				t.Errorf("before the pairing: %v %v", list, err)
			}
			r := social.InviteRequest{Host: s.a.Config.Domain, Zone: partner}
			if classes != "" {
				r.DataClasses = strings.Split(classes, ",")
			}
			code, err := s.b.Social.Invite(s.ctx, r)
			s.ok(err)
			_, err = s.a.Social.Accept(s.ctx, code.String(), social.Zone{Kind: social.ZonePartner, Name: "muster"}, nil, "test")
			s.ok(err)
			net.Settle()
			entries, err := s.a.Social.Directory(s.ctx, alice, social.DirectoryQuery{})
			s.ok(err)
			got := ""
			for _, e := range entries {
				if e.Peer != "" {
					got += strings.Join(strings.Fields(strings.Join([]string{e.Name, e.Department, e.Title, strings.Join(e.Skills, " "), e.Location}, " ")), " ")
				}
			}
			if got != want {
				t.Errorf("the partner has %q, want %q", got, want)
			}
		})
	}
}

// A restored instance has older entries than its sisters: it gives all new versions and
// tells them anew, so that what it knows now counts.
func TestRestoredDirectoryIsToldAnew(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], nil}
	alice, bob := s.named(s.a, "alice", "Alice"), s.named(s.b, "bob", "Bob")
	net.Settle()
	future := s.b.Social.Now().UnixMilli() + 5 // a version that the backup does not know
	s.ok(s.a.DB.Tx(s.ctx, func(tx social.Tx) error {
		p, err := tx.Person(s.ctx, bob.Account.URI)
		if err != nil {
			return err
		}
		p.Title, p.Version = "after the backup", future
		return tx.PutPerson(s.ctx, p)
	}))
	s.ok(s.b.DB.Tx(s.ctx, func(tx social.Tx) error { _, err := tx.NewLogEpoch(s.ctx); return err })) // as restore does
	net.Stop(1)
	s.b = net.Restart(1)
	net.Settle()
	if got := s.found(s.a, alice, "bob"); got != "Bob" {
		t.Errorf("after the restore: %q", got)
	}
	s.ok(s.b.DB.View(s.ctx, func(tx social.Tx) error {
		p, err := tx.Person(s.ctx, bob.Account.URI)
		if err == nil && p.Version <= future {
			t.Errorf("version %d, the sister had %d", p.Version, future)
		}
		return err
	}))
}

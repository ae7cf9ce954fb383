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

// plan compares a list, and says in words what it would change.
func (s *scene) plan(in *instance.Instance, list string) (*social.ImportPlan, string) {
	s.Helper()
	p, err := in.Social.PlanImport(s.ctx, strings.NewReader(list))
	if err != nil {
		return nil, err.Error()
	}
	var out []string
	for _, c := range p.Changes {
		out = append(out, fmt.Sprintf("%d %s %s", c.Line, c.Kind, c.Username))
	}
	return p, strings.Join(out, ", ")
}

// list imports one, and demands what it changes.
func (s *scene) list(in *instance.Instance, list, want string) []social.ID {
	s.Helper()
	p, got := s.plan(in, list)
	if got != want {
		s.Fatalf("changes %q, want %q", got, want)
	}
	left, err := in.Social.ApplyImport(s.ctx, p, "test")
	s.ok(err)
	if _, got := s.plan(in, list); got != "" {
		s.Errorf("a second run changes %q", got)
	}
	return left
}

func TestListOfPeople(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { listOfPeople(t, nil) })
	t.Run("postgres", func(t *testing.T) { listOfPeople(t, instancetest.Postgres(t)) })
}

// A list makes members, changes them and lets them go; sisters hear of each.
func listOfPeople(t *testing.T, database func(int) string) {
	net := instancetest.New(t, 2, database)
	s := &scene{t, net, context.Background(), net.Instances[0], net.Instances[1], nil}
	alice, zoe := s.named(s.a, "alice", "Alice"), s.named(s.b, "zoe", "Zoe")
	net.Settle()
	const head = "\xef\xbb\xbfusername;name;title;manager;skills\r\n"
	s.list(s.b, head+"ben;Ben Müller;\"Fräser; Dreher\";eva;Drehen|Go\r\neva;Eva;Leiterin;alice@"+s.a.Config.Domain+";\r\ncem;Cem;Koch;;\r\n", "2 create ben, 3 create eva, 4 create cem")
	net.Settle()
	if got := s.found(s.a, alice, "ben"); got != "Ben Müller (Fräser; Dreher)" {
		t.Errorf("at the sister: %q", got)
	}
	if got := s.found(s.b, zoe, "go"); got != "Ben Müller (Fräser; Dreher) < Eva < Alice" {
		t.Errorf("at home: %q", got)
	}
	// Another separator, other columns, somebody who was there before, and one who left.
	s.list(s.b, "username,title,name\nben,Meister,Ben Müller\nzoe,Chefin,Zoe\neva,Leiterin,Eva\n", "0 leave cem, 2 update ben, 3 update zoe")
	net.Settle()
	if got := s.found(s.a, alice, ""); got != "Alice, Ben Müller (Meister), Eva (Leiterin), Zoe (Chefin)" {
		t.Errorf("at the sister: %q", got)
	}
	if got := s.found(s.b, zoe, "drehen"); !strings.HasPrefix(got, "Ben Müller") {
		t.Errorf("a column that is missing took something away: %q", got)
	}
	cem, err := s.b.Social.AccountByHandle(s.ctx, zoe, "cem")
	if err != nil || cem.MayAct(social.Forbidden) == nil {
		t.Errorf("who left may act, or took their posts along: %v %v", cem, err)
	}
	s.list(s.b, "username,title,name\nben,Meister,Ben Müller\nzoe,Chefin,Zoe\neva,Leiterin,Eva\ncem,Koch,Cem\n", "5 return cem")
	net.Settle()
	if got := s.found(s.a, alice, "cem"); got != "Cem (Koch)" {
		t.Errorf("who came back: %q", got)
	}
	// Whom an administrator closed stays so, whatever lists say of them later.
	s.ok(s.b.Social.Close(s.ctx, cem.ID, "retired", "test"))
	s.list(s.b, "username,title,name\nben,Meister,Ben Müller\nzoe,Chefin,Zoe\neva,Leiterin,Eva\n", "")
	if _, got := s.plan(s.b, "username,title,name\nben,Meister,Ben Müller\nzoe,Chefin,Zoe\neva,Leiterin,Eva\ncem,Koch,Cem\n"); got != "5 note cem" {
		t.Errorf("%q", got)
	}
	if cem, err = s.b.Social.AccountByHandle(s.ctx, zoe, "cem"); err != nil || cem.MayAct(social.Forbidden) == nil {
		t.Errorf("a list opened what an administrator closed: %v", err)
	}
	s.ok(s.b.Social.Reopen(s.ctx, cem.ID, "test"))
	// Whom an administrator suspended stays so, and whom no list names is left alone.
	s.ok(s.b.Social.Suspend(s.ctx, zoe.Account.ID, true, "test"))
	s.named(s.b, "guest", "Guest")
	if _, got := s.plan(s.b, "username,title\nben,Meister\nzoe,Chefin\neva,Leiterin\ncem,Koch\n"); got != "3 note zoe" {
		t.Errorf("%q", got)
	}
}

// Half a list looks like an exodus.
func TestListMayNotLetEverybodyGo(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], nil, nil}
	list := "username\n"
	for i := range 10 {
		list += fmt.Sprintf("p%d\n", i)
	}
	p, _ := s.plan(s.a, list)
	_, err := s.a.Social.ApplyImport(s.ctx, p, "test")
	s.ok(err)
	for n, ok := range map[int]bool{8: true, 7: false, 1: false} {
		p, _ := s.plan(s.a, strings.Join(strings.Split(list, "\n")[:n+1], "\n"))
		if err := p.MayLeave(-1); (err == nil) != ok {
			t.Errorf("%d of 10 stay: %v", n, err)
		}
		if err := p.MayLeave(10 - n); err != nil {
			t.Errorf("%d of 10 stay, allowed: %v", n, err)
		}
		if err := p.MayLeave(9 - n); err == nil {
			t.Errorf("%d of 10 stay, one too many", n)
		}
	}
}

// One mistake, and nothing is changed; each is named with its line.
func TestListWithMistakesChangesNothing(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], nil, nil}
	s.named(s.a, "alice", "Alice")
	gone := s.named(s.a, "gone", "Gone")
	s.ok(s.a.Social.DeleteAccount(s.ctx, gone.Account.ID, "", "test"))
	for list, want := range map[string]string{
		"":                                   "the list is empty",
		"username\n":                         "names nobody",
		"name\nBen\n":                        "needs the column username",
		"username,nick\nben,x\n":             `the column "nick" is not known`,
		"username,username\nben,x\n":         "twice",
		"username,name\nben\n":               "line 2 has more or fewer columns",
		"username\nben\n\"cem\n":             "cannot be read",
		"username\nben\nBEN\n":               "line 3: ben stands in line 2 already",
		"username\nÄ b\n":                    "line 2: the username",
		"username\nadmin\n":                  "line 2: the username admin is reserved",
		"username\ngone\n":                   "line 2: gone was deleted",
		"username,name\nben,M\xfcller\n":     "line 2: name is not UTF-8",
		"\xff\xfeu\x00s\x00":                 "UTF-16",
		"username,email\nben,x\n":            "line 2: \"x\" is no mail address",
		"username,email\nben,x@y\ncem,X@y\n": "line 3: the address x@y stands in line 2 already",
		"username,manager\nben,ben\n":        "line 2: ben cannot be their own manager",
		"username,title\nben," + strings.Repeat("x", 201) + "\n":    "line 2: title has 201 characters",
		"username,name\nben,x\n\nok,\"a\nb\"\nÄ,x\n? ,y\nfine,z\n":  "line 6: the username",
		"username\n" + strings.Repeat("Ä\n", 50):                    "line 21: the username \"ä\" does not fit: use 1 to 64 of a-z, 0-9, _, . and -, not beginning or ending with . or -\nand perhaps more",
		"username\n" + strings.Repeat("!\n", 1) + "good\nadmin\n":   "line 4: the username admin is reserved",
		"username,name\n" + strings.Repeat("same,x\n", 2) + "a,b\n": "line 3: same stands in line 2 already",
	} {
		if _, got := s.plan(s.a, list); !strings.Contains(got, want) {
			t.Errorf("%.60q: %q, want %q", list, got, want)
		}
	}
	list, err := s.a.Social.LocalAccounts(s.ctx, "", social.Page{})
	s.ok(err)
	if len(list) != 1 {
		t.Errorf("%d members", len(list))
	}
	if _, got := s.plan(s.a, "username,manager\nben,who@nowhere.test\n"); got != "2 note ben, 2 create ben" {
		t.Errorf("an unknown manager: %q", got)
	}
}

// A hundred thousand rows are read in bounded memory, and one more is refused.
func TestListIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("compares 100,000 rows")
	}
	if instancetest.Many(t, 1, 0) == 0 {
		t.Skip("100,000 rows are the bound, and fewer show nothing")
	}
	net := instancetest.New(t, 1, nil)
	s := &scene{t, net, context.Background(), net.Instances[0], nil, nil}
	var b strings.Builder
	b.WriteString("username,name,title\n")
	for i := range 100_000 {
		fmt.Fprintf(&b, "person%d,Person %d,Title %d\n", i, i, i)
	}
	p, _ := s.plan(s.a, b.String())
	if p == nil || len(p.Changes) != 100_000 {
		t.Fatal("not taken")
	}
	if _, got := s.plan(s.a, b.String()+"one,too,many\n"); !strings.Contains(got, "more than 100000 people") {
		t.Errorf("%q", got)
	}
}

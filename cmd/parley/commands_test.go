package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the pages for operators say about people and backups, and no other test does.
func TestDocumentedCommandsForPeople(t *testing.T) {
	s := newShell(t)
	s.run(0, "account", "create", "bob", "--display-name", "Bob", "--email", "bob@example.org")
	s.run(0, "account", "create", "press", "--role", "communications")
	out, _ := s.run(0, "account", "list", "--json")
	wants(t, out, `"display_name":"Bob"`, "communications")
	s.run(0, "account", "delete", "bob", "--reason", "asked for it")
	people := filepath.Join(s.dir, "people.csv")
	write := func(names ...string) {
		t.Helper()
		if err := os.WriteFile(people, []byte("username\n"+strings.Join(names, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("eva", "cem", "ida", "tom")
	s.run(0, "account", "import", "people.csv")
	write("eva")
	s.run(1, "account", "import", "people.csv")
	out, _ = s.run(0, "account", "import", "people.csv", "--allow-leavers", "40", "--json")
	wants(t, out, "tom")
	backups := filepath.Join(s.dir, "backups")
	if err := os.Mkdir(backups, 0o700); err != nil {
		t.Fatal(err)
	}
	s.run(0, "backup", backups, "--keep", "14")
	if files, err := filepath.Glob(filepath.Join(backups, "parley-*.parley")); err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
}

// The same about communities that are asked, and about other servers.
func TestDocumentedCommandsForServers(t *testing.T) {
	trust := newTrust(t)
	keeper, sister, partner := serveTLS(t, trust), serveTLS(t, trust), serveTLS(t, trust)
	keeper.run("account", "create", "alice")
	keeper.run("group", "create", "tooling", "--owner", "alice", "--purpose", "Tools", "--join", "request", "--widest", "company")
	group := regexp.MustCompile(`/users/(\d+)"`).FindStringSubmatch(keeper.run("group", "show", "tooling", "--json"))
	if group == nil {
		t.Fatal(keeper.run("group", "show", "tooling", "--json"))
	}
	for _, name := range []string{"carol", "dora"} {
		r, err := http.NewRequest("POST", keeper.url()+"/api/parley/v1/groups/"+group[1]+"/join", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+keeper.member(name))
		res, err := trust.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close() // the list below tells
	}
	wants(t, keeper.run("group", "requests", "tooling"), "carol", "dora")
	keeper.run("group", "approve", "tooling", "carol")
	keeper.run("group", "decline", "tooling", "dora")
	if members := keeper.run("group", "members", "tooling"); !strings.Contains(members, "carol") || strings.Contains(members, "dora") {
		t.Error(members)
	}

	keeper.joinedBy(sister)
	sisters(t, keeper, sister)
	keeper.run("peer", "history", sister.host, "--from", "2026-01-01")
	wants(t, keeper.run("peer", "show", sister.host, "--json"), `"history_from":"2026-01-01`)
	wants(t, keeper.run("peer", "unpark", sister.host), "is not parked")
	keeper.run("delivery", "retry", "--peer", sister.host)

	lines := strings.Split(keeper.run("peer", "invite", partner.host, "--zone", "partner:acme", "--until", "2127-12-31"), "\n")
	partner.run("peer", "accept", lines[len(lines)-1], "--zone", "partner:muster")
	eventually(t, "each is a partner of the other", func() bool {
		return strings.Contains(keeper.run("peer", "show", partner.host, "--json"), "partner:acme") && strings.Contains(partner.run("peer", "show", keeper.host, "--json"), "partner:muster")
	})
	wants(t, sister.run("peer", "leave", "--yes"), "left "+keeper.host)
}

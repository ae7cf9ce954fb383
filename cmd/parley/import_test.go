package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The differences come first; a dry run and a list with mistakes change nothing, and
// half a list needs a word more.
func TestImportShowsTheDifferencesFirst(t *testing.T) {
	s := newShell(t)
	write := func(list string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(s.dir, "people.csv"), []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	members := func(want string) {
		t.Helper()
		out, _ := s.run(0, "account", "list")
		wants(t, out, want)
	}
	write("username;name;title\nben;Ben Müller;Miller\neva;Eva;Head\n")
	out, errs := s.run(0, "account", "import", "people.csv", "--dry-run")
	wants(t, out, "create", "ben", `title: "" -> "Miller"`)
	wants(t, errs, "2 to create", "Nothing was changed")
	members("(none)")
	s.run(0, "account", "import", "people.csv")
	members("Ben Müller")
	out, errs = s.run(0, "account", "import", "people.csv", "--json")
	if out != "[]\n" {
		t.Errorf("a second run: %q", out)
	}
	wants(t, errs, "2 as they are")
	write("username;name\nben;Ben\nb!;x\n")
	_, errs = s.run(2, "account", "import", "people.csv")
	wants(t, errs, "nothing was changed", "line 3")
	members("Ben Müller")
	write("username;name\nnew;New\n")
	_, errs = s.run(1, "account", "import", "people.csv")
	wants(t, errs, "leaves out 2 of 2 people", "--allow-leavers 2")
	out, _ = s.run(0, "account", "import", "people.csv", "--allow-leavers", "2")
	wants(t, out, "leave", "eva")
	members("closed")
	s.run(1, "account", "import", "missing.csv")
}

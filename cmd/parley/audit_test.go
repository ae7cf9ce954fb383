package main

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// Each command that changes something for members or servers leaves a row that names it.
func TestCommandsAreRecorded(t *testing.T) {
	s := newShell(t)
	s.run(0, "account", "create", "ben")
	for _, command := range []string{"account role ben moderator", "account suspend ben", "account unsuspend ben", "account close ben --reason retired", "account reopen ben", "account reset-link ben", "token create ben",
		"policy set groups.widest company", "peer zone b.example partner:acme --name Acme", "peer invite c.example", "delivery hold --peer b.example", "delivery retry",
		"delivery drop --peer b.example", "delivery release --peer b.example", "peer remove b.example", "peer block evil.example", "account delete ben"} {
		s.run(0, strings.Fields(command)...)
	}
	out, _ := s.run(0, "audit", "list", "--json")
	for _, by := range []string{"account create", "account role", "account suspend", "account unsuspend", "account close", "account reopen", "account reset-link", "token create", "policy set", "peer zone", "peer invite",
		"delivery hold", "delivery retry", "delivery drop", "delivery release", "peer remove", "peer block", "account delete"} {
		wants(t, out, `"by":"parley `+by+`"`)
	}
	wants(t, out, `"cause":"retired"`)
	if strings.Contains(out, `"by":""`) {
		t.Errorf("somebody acted namelessly:\n%s", out)
	}
}

// What an administrator decides stands in the audit rows, which hold through backup
// and restore, and tell when somebody was at them.
func TestAuditOfDecisions(t *testing.T) {
	s := newShell(t)
	s.run(0, "peer", "zone", "b.example", "partner:acme")
	s.run(0, "peer", "block", "evil.example")
	s.run(0, "peer", "remove", "b.example")
	out, _ := s.run(0, "audit", "list", "--json")
	wants(t, out, `"kind":"zone"`, `"peer":"b.example"`, `"zone":"partner:acme"`, `"cause":"set by parley peer zone"`, `"result":"removed"`, `"zone":"blocked"`)
	out, _ = s.run(0, "audit", "verify")
	wants(t, out, "3 rows are good, 0 wait", "--noted 3:")
	noted := regexp.MustCompile(`3:[0-9a-f]{64}`).FindString(out)
	s.run(0, "audit", "verify", "--noted", noted)
	s.run(2, "audit", "verify", "--noted", "3:abc")
	_, errs := s.run(1, "audit", "verify", "--noted", "3:"+strings.Repeat("0", 64))
	wants(t, errs, "audit row 3: it is not the row whose hash was noted")
	_, errs = s.run(1, "audit", "verify", "--noted", "9:"+strings.Repeat("0", 64))
	wants(t, errs, "audit row 4: it is missing: rows up to 9 were cut off")

	backup := filepath.Join(t.TempDir(), "backup")
	s.run(0, "backup", backup)
	s.run(0, "peer", "block", "later.example")
	out, _ = s.run(0, "restore", "--data", "restored", backup)
	wants(t, out, "audit rows up to 4 are good; decisions after the backup are not in it")
	out, _ = s.run(0, "audit", "list", "--data", "restored")
	wants(t, out, "chain", "they go on after row 3")
	if strings.Contains(out, "later.example") {
		t.Errorf("from after the backup:\n%s", out)
	}

	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "parley-data", "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE audit SET peer = 'friend.example' WHERE seq = 2`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	out, errs = s.run(1, "audit", "verify", "--json")
	wants(t, out+errs, `"rows":1`, `"bad_row":2`, "audit row 2: it was changed")
	out, _ = s.run(1, "doctor")
	wants(t, out, "problem  audit         row 2: it was changed")
	s.run(2, "audit", "list", "--limit", "0")
}

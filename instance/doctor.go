package instance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"parley/config"
	"parley/social"
	"parley/storage"
)

// Finding is one thing that the doctor looked at. A problem says what to do.
type Finding struct {
	Check  string       `json:"check"` // one of Checks
	State  FindingState `json:"state"`
	Text   string       `json:"text,omitempty"`
	Remedy string       `json:"remedy,omitempty"`
}

// Checks names all that the doctor looks at, each with what it wants.
func Checks() [][2]string {
	return [][2]string{
		{"configuration", "keys that exist, with values that are possible"},
		{"permissions", "the data folder is there, and its owner's alone"},
		{"database", "it can be opened and is whole"},
		{"schema", "the database fits this version of the program"},
		{"disk", "room for data, files and the next backup"},
		{"audit", "no audit row was changed or removed"},
		{"identity", "the data belong to this domain"},
		{"backup", "the last one is not older than a week"},
		{"clock", "it fits what was written here and the clocks of the paired servers"},
		{"paired", "paired servers answer, with their own keys"},
		{"metrics", "only this machine or an inner network reaches them"},
		{"mail", "the mail server, if one is named, takes mail from here"},
		{"certificate", "its files can be used, for this name and long enough"},
		{"proxies", "only proxies that can be named are trusted"},
		{"domain", "it is in the DNS, can be reached with a valid certificate, and this instance answers"},
		{"restore", "with --restore-test alone: a backup can be restored, is whole and of this instance"},
	}
}

// FindingState is ok, note (nothing is wrong, but worth knowing) or problem.
type FindingState string

// The states of a finding; only a problem makes the doctor fail.
const (
	StateOK      FindingState = "ok"
	StateNote    FindingState = "note"
	StateProblem FindingState = "problem"
)

func problem(check, remedy, format string, args ...any) Finding {
	return Finding{check, StateProblem, fmt.Sprintf(format, args...), remedy}
}

// Diagnose looks at the data folder, the database, the clock, what others can reach and
// the paired servers, and reports everything it finds, not just the first. It works beside
// a running instance and on data that Open refuses, begins no data of its own and changes
// no schema.
func Diagnose(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time) []Finding {
	if _, err := os.Stat(c.DataDir); err != nil {
		return []Finding{problem("permissions", "name the right folder with --data or data_dir, or begin with: parley serve", "there is no data in %s: %v", c.DataDir, err)}
	}
	if err := storage.CheckOwner(c.DataDir); err != nil {
		return []Finding{problem("permissions", "run it as the owner, so that no file here becomes root's", "%v", err)}
	}
	db, upToDate, found := openData(ctx, c, log, now)
	if db != nil {
		defer func() { _ = db.Close() }() // only read from
	}
	out := append(checkPermissions(c.DataDir), found...)
	out = append(out, checkDisk(ctx, c, db)...)
	if upToDate { // else what these read may not be there
		out = append(out, checkAudit(ctx, db), checkIdentity(ctx, c, db), checkBackup(ctx, c, db, now()), checkClock(ctx, db, now()))
		out = append(out, checkPaired(ctx, c, db, log, now)...)
	}
	out = append(out, checkMetrics(c)...)
	out = append(out, checkMail(ctx, c)...)
	out = append(out, checkCertificate(c, now())...)
	out = append(out, checkProxies(c)...)
	return append(out, checkDomain(ctx, c, log)...)
}

// Misconfigured is what is found where the configuration cannot be read: then nothing
// else is looked at.
func Misconfigured(bad *config.Error) Finding {
	return problem("configuration", "correct that, or take it out: docs/operations.md and the README explain the keys, and parley config prints what is in effect", "%v", bad)
}

// Failed counts the problems.
func Failed(findings []Finding) (n int) {
	for _, f := range findings {
		if f.State == StateProblem {
			n++
		}
	}
	return n
}

// maxNamed files are named one by one.
const maxNamed = 10

// checkPermissions wants everything in the data folder to be its owner's alone (T71).
func checkPermissions(dir string) (out []Finding) {
	loose := 0
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return ifMissing(err)
		}
		st, err := os.Lstat(name)
		if err != nil {
			return ifMissing(err)
		}
		if !storage.Shared(st) || !st.IsDir() && !st.Mode().IsRegular() {
			return nil
		}
		if loose++; loose <= maxNamed {
			mode := map[bool]string{true: "700", false: "600"}[st.IsDir()]
			out = append(out, problem("permissions", "chmod "+mode+" "+name, "%s can be read or written by others (%04o)", name, st.Mode().Perm()))
		}
		return nil
	})
	if err != nil {
		out = append(out, problem("permissions", "run this as the user that runs parley serve", "the data folder cannot be looked through: %v", err))
	}
	if loose > maxNamed {
		out = append(out, problem("permissions", "chmod -R go= "+dir, "%d more files can be read or written by others", loose-maxNamed))
	}
	if len(out) == 0 {
		out = append(out, Finding{Check: "permissions", State: StateOK})
	}
	return out
}

// ifMissing forgives files that a running instance removed meanwhile.
func ifMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// openData opens the database as it is, without the rest of the instance, which refuses
// what is to be diagnosed, and looks whether it is whole. The database is nil if it cannot
// be opened; upToDate says that it has the schema of this program.
func openData(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time) (db *storage.DB, upToDate bool, out []Finding) {
	const restore = "stop parley serve and restore a backup into an empty folder, and with PostgreSQL an empty database: parley restore FILE --data DIR"
	if name, ok := databaseFile(c); ok {
		if _, err := os.Stat(name); err != nil {
			return nil, false, []Finding{problem("database", "check storage.url and data_dir, or begin with: parley serve", "there is no database: %v", err)}
		}
	}
	db, schema, err := storage.OpenAsIs(ctx, storage.Options{URL: c.Storage.URL, DataDir: c.DataDir, Now: now, Log: log})
	var newer *storage.NewerSchema
	switch {
	case errors.As(err, &newer):
		return nil, false, []Finding{problem("schema", "run the newer parley that wrote it; to stay with this one, "+restore, "%v", newer)}
	case errors.Is(err, storage.ErrEmpty):
		return nil, false, []Finding{problem("database", "check storage.url and data_dir; if they are right, "+restore+"; for a new instance begin with: parley serve", "nothing was begun in the database: %v", err)}
	case err != nil:
		return nil, false, []Finding{problem("database", "check storage.url; if it is right and the file is damaged, "+restore, "%v", err)}
	}
	out = []Finding{{Check: "database", State: StateOK}, checkSchema(schema)}
	if err := db.Integrity(ctx); err != nil {
		out[0] = problem("database", restore, "%v", err)
	}
	return db, len(schema.Missing) == 0, out
}

// checkSchema wants every change of the schema that this program knows to be made: until
// then it was not started, or its upgrade was interrupted.
func checkSchema(s storage.Schema) Finding {
	if len(s.Missing) == 0 {
		return Finding{Check: "schema", State: StateOK, Text: strconv.Itoa(s.Newest)}
	}
	text := fmt.Sprintf("the upgrade is not finished: the database has schema %d, and this program makes the changes %v too", s.Newest, s.Missing)
	if s.Copy != "" {
		text += ", was interrupted in that, and kept a copy of the database as " + s.Copy
	}
	return problem("schema", "start parley serve of this version, after ending an older one: it makes all of them or none, and names one that fails; then run parley doctor again", "%s", text)
}

// checkAudit wants the chain of audit rows to be whole.
func checkAudit(ctx context.Context, db *storage.DB) Finding {
	const remedy = "find out who could write the database or the file beside it; parley audit verify tells more, docs/operations.md what each answer means"
	report, err := db.VerifyAudit(ctx)
	switch {
	case err != nil:
		return problem("audit", remedy, "the audit rows cannot be read: %v", err)
	case report.Problem != "":
		return problem("audit", remedy, "row %d: %s", report.BadRow, report.Problem)
	}
	return Finding{Check: "audit", State: StateOK, Text: fmt.Sprintf("%d rows", report.Rows)}
}

// checkIdentity compares the configuration with what the data was begun with.
func checkIdentity(ctx context.Context, c *config.Config, db *storage.DB) Finding {
	err := db.View(ctx, func(tx social.Tx) error {
		for key, want := range identity(c) {
			have, err := tx.Setting(ctx, key)
			if err != nil {
				return err
			}
			if have != "" && have != want {
				return fmt.Errorf("this data belongs to %s %s, the configuration says %s", key, have, want)
			}
		}
		return nil
	})
	if err != nil {
		return problem("identity", "set domain and public_url back, or name the right folder with --data", "%v", err)
	}
	return Finding{Check: "identity", State: StateOK}
}

// moment is how a time is written.
const moment = "2006-01-02 15:04:05 MST"

// setClock is what to do about a wrong clock of this machine.
const setClock = "set the clock, for example with: timedatectl set-ntp true"

const (
	// clockSlack is how far the clocks of machines that share a database may differ.
	clockSlack = time.Minute
	// clockLeap is a time without any use of the instance that is hard to believe.
	clockLeap = 366 * 24 * time.Hour
)

// checkClock compares the clock with what was written here: signatures of a wrong
// one are refused by others, and ids take their order from it.
func checkClock(ctx context.Context, db *storage.DB, now time.Time) Finding {
	last, err := db.LastWritten(ctx)
	says := now.UTC().Format(moment)
	switch {
	case err != nil:
		return problem("clock", "see the database", "what was last written cannot be read: %v", err)
	case now.Before(last.Add(-clockSlack)):
		return problem("clock", setClock+"; if it is right now, it was ahead when that was written", "the clock says %s, but something was written here at %s", says, last.Format(moment))
	case !last.IsZero() && now.After(last.Add(clockLeap)):
		return problem("clock", setClock+"; if it is right, start parley serve and sign in once", "the clock says %s, but nothing was written here since %s", says, last.Format(moment))
	}
	return Finding{Check: "clock", State: StateOK, Text: says}
}

package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/config"
	"parley/outbound"
	"parley/social"
	"parley/storage"
)

// Finding is one thing that the doctor looked at. A problem says what to do.
type Finding struct {
	Check  string       `json:"check"` // permissions, database, audit, identity, clock, paired, certificate, proxies or domain
	State  FindingState `json:"state"`
	Text   string       `json:"text,omitempty"`
	Remedy string       `json:"remedy,omitempty"`
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

// Diagnose looks at the data folder, the database, the clock, the certificate files,
// the trusted proxies and the own domain, and reports everything it finds, not just
// the first. It works beside a running instance and on data that Open refuses, and
// begins no data of its own.
func Diagnose(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time) []Finding {
	if _, err := os.Stat(c.DataDir); err != nil {
		return []Finding{problem("permissions", "name the right folder with --data or data_dir, or begin with: parley serve", "there is no data in %s: %v", c.DataDir, err)}
	}
	if err := storage.CheckOwner(c.DataDir); err != nil {
		return []Finding{problem("permissions", "run it as the owner, so that no file here becomes root's", "%v", err)}
	}
	out := checkPermissions(c.DataDir)
	out = append(out, checkData(ctx, c, log, now)...)
	out = append(out, checkCertificate(c, now())...)
	out = append(out, checkProxies(c)...)
	return append(out, checkDomain(ctx, c, log)...)
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

// checkData looks into the database. It is opened without the rest of the instance,
// which refuses what is to be diagnosed.
func checkData(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time) []Finding {
	const restore = "stop parley serve and restore a backup into an empty folder, and with PostgreSQL an empty database: parley restore FILE --data DIR"
	if name, ok := strings.CutPrefix(c.Storage.URL, "sqlite:"); ok {
		if !filepath.IsAbs(name) {
			name = filepath.Join(c.DataDir, name)
		}
		if _, err := os.Stat(name); err != nil {
			return []Finding{problem("database", "check storage.url and data_dir, or begin with: parley serve", "there is no database: %v", err)}
		}
	}
	db, err := storage.Open(ctx, storage.Options{URL: c.Storage.URL, DataDir: c.DataDir, Now: now, Log: log})
	if err != nil {
		return []Finding{problem("database", "check storage.url; if it is right and the file is damaged, "+restore, "%v", err)}
	}
	defer func() { _ = db.Close() }() // only read from
	out := []Finding{{Check: "database", State: StateOK}}
	if err := db.Integrity(ctx); err != nil {
		out[0] = problem("database", restore, "%v", err)
	}
	out = append(out, checkAudit(ctx, db), checkIdentity(ctx, c, db), checkClock(ctx, db, now()))
	return append(out, checkPaired(ctx, db)...)
}

// checkAudit wants the chain of audit rows to be whole.
func checkAudit(ctx context.Context, db *storage.DB) Finding {
	const remedy = "find out who could write the database or the file beside it; parley audit verify tells more, docs/operating.md what each answer means"
	report, err := db.VerifyAudit(ctx)
	switch {
	case err != nil:
		return problem("audit", remedy, "the audit rows cannot be read: %v", err)
	case report.Problem != "":
		return problem("audit", remedy, "row %d: %s", report.BadRow, report.Problem)
	}
	return Finding{Check: "audit", State: StateOK, Text: fmt.Sprintf("%d rows", report.Rows)}
}

// checkPaired names the paired servers at whose address somebody else answers.
func checkPaired(ctx context.Context, db *storage.DB) (out []Finding) {
	_ = db.View(ctx, func(tx social.Tx) error { // a database that cannot be read is named already
		list, err := tx.Pairings(ctx)
		for _, p := range list {
			if p.State == social.PairingParked {
				out = append(out, problem("paired", "telephone its administrator; when its own keys answer again the exchange goes on by itself, or at once by: parley peer unpark "+p.Authority,
					"%s is parked, and what is for it waits: %s", p.Authority, p.Cause))
			}
		}
		return err
	})
	return out
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

const (
	// clockSlack is how far the clocks of machines that share a database may differ.
	clockSlack = time.Minute
	// clockLeap is a time without any use of the instance that is hard to believe.
	clockLeap = 366 * 24 * time.Hour
)

// checkClock compares the clock with what was written here: signatures of a wrong
// one are refused by others, and ids take their order from it.
func checkClock(ctx context.Context, db *storage.DB, now time.Time) Finding {
	const set = "set the clock, for example with: timedatectl set-ntp true"
	last, err := db.LastWritten(ctx)
	const form = "2006-01-02 15:04:05 MST"
	says := now.UTC().Format(form)
	switch {
	case err != nil:
		return problem("clock", "see the database", "what was last written cannot be read: %v", err)
	case now.Before(last.Add(-clockSlack)):
		return problem("clock", set+"; if it is right now, it was ahead when that was written", "the clock says %s, but something was written here at %s", says, last.Format(form))
	case !last.IsZero() && now.After(last.Add(clockLeap)):
		return problem("clock", set+"; if it is right, start parley serve and sign in once", "the clock says %s, but nothing was written here since %s", says, last.Format(form))
	}
	return Finding{Check: "clock", State: StateOK, Text: says}
}

// checkDomain asks the own domain what any other server asks it: who speaks for the
// instance, by WebFinger, and that actor's document.
func checkDomain(ctx context.Context, c *config.Config, log *slog.Logger) []Finding {
	if c.Trial() || plainHTTP(c) {
		return []Finding{{"domain", StateNote, "the domain is loopback: no other server can reach this instance",
			"for real use stop serve and give it a name: parley domain set HOST"}}
	}
	client, err := newClient(c, log)
	if err != nil {
		return []Finding{problem("domain", "correct the configuration", "%v", err)}
	}
	defer client.Close()
	links := social.Links{PublicURL: c.PublicURL, Domain: c.Domain}
	finger := "https://" + c.Domain + "/.well-known/webfinger?resource=" + url.QueryEscape(links.InstanceActor())
	out := []Finding{
		checkAnswer(ctx, c, client, outbound.WebFinger, finger, links.InstanceActor()),
		checkAnswer(ctx, c, client, outbound.Document, links.InstanceActor(), links.InstanceActor()),
	}
	if out[0] == out[1] {
		return out[:1]
	}
	return out
}

// checkAnswer wants an answer that names the instance's own actor.
func checkAnswer(ctx context.Context, c *config.Config, client *outbound.Client, p outbound.Purpose, address, actor string) Finding {
	path, _, _ := strings.Cut(address, "?")
	res, err := client.Get(ctx, p, address, nil)
	switch {
	case err != nil:
		return problem("domain", unreachedRemedy(c, err), "%s cannot be reached from here: %v", path, err)
	case res.Status >= 500:
		return problem("domain", "start parley serve, and let the web server in front pass requests to "+c.Listen, "%s answers %d", path, res.Status)
	case res.Status != http.StatusOK:
		return problem("domain", passOn(c), "%s answers %d", path, res.Status)
	}
	var doc struct {
		ID    string
		Links []struct{ Rel, Href string }
	}
	if err := json.Unmarshal(res.Body, &doc); err != nil {
		return problem("domain", passOn(c), "%s does not answer as this instance does: %v", path, err)
	}
	for _, l := range doc.Links {
		if l.Rel == "self" {
			doc.ID = l.Href
		}
	}
	if doc.ID != actor {
		return problem("domain", passOn(c), "%s is answered by another instance, %.200s", path, doc.ID)
	}
	return Finding{Check: "domain", State: StateOK}
}

// passOn is what a web server in front must do.
func passOn(c *config.Config) string {
	return "let the web server of " + c.Domain + " pass every path, /.well-known too, with its Host and Accept headers to " + c.Listen
}

func unreachedRemedy(c *config.Config, err error) string {
	var failed *outbound.Error
	if !errors.As(err, &failed) {
		return passOn(c)
	}
	switch failed.Kind {
	case outbound.Refused:
		return "if the domain is of an inner network, add that to federation.allowed_networks; else let its name lead to the public address, in /etc/hosts too"
	case outbound.Unreachable, outbound.Timeout:
		return "check in this order: the name in the DNS, port 443 in the firewall, the certificate (federation.ca_file for a company CA), and that parley serve runs"
	}
	return passOn(c)
}

//go:build unix

package instance_test

import (
	"archive/tar"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/storage"
)

// planted is a problem, planted for real in an instance that is served on loopback.
type planted struct {
	name  string
	plant func(r *resident)
	later time.Duration // after which the doctor comes
	want  []string      // "check: part of the text: part of the remedy", and nothing else
}

const week = 7 * 24 * time.Hour

func plantedInData() []planted {
	return []planted{
		{name: "nothing", plant: func(*resident) {}},
		{name: "nothing beside a sister", plant: func(r *resident) { r.sister("sister.parley.test") }},
		{name: "open folder", want: []string{"permissions: can be read or written by others (0755): chmod 700 "},
			plant: func(r *resident) { ok(r.t, os.Chmod(r.conf.DataDir, 0o755)) }},
		{name: "no database", want: []string{"database: there is no database: check storage.url and data_dir", "domain: connection refused: start parley serve"},
			plant: func(r *resident) { r.stop(); ok(r.t, os.Remove(r.database())) }},
		{name: "empty database", want: []string{"database: nothing was begun in the database: check storage.url and data_dir", "domain: connection refused: start parley serve"},
			plant: func(r *resident) { r.stop(); ok(r.t, os.WriteFile(r.database(), nil, 0o600)) }},
		{name: "damaged database", want: []string{"database: the database is damaged: parley restore FILE", "domain: connection refused: start parley serve"},
			plant: func(r *resident) { r.stop(); damagePage(r.t, r.database()) }},
		{name: "newer schema", want: []string{"schema: has schema 999, this program knows: run the newer parley"},
			plant: func(r *resident) { r.sql(`INSERT INTO schema_version (version) VALUES (999)`) }},
		{name: "upgrade not begun", want: []string{"schema: the upgrade is not finished: start parley serve of this version"},
			plant: func(r *resident) {
				r.sql(`DELETE FROM schema_version WHERE version = (SELECT max(version) FROM schema_version)`)
			}},
		{name: "interrupted upgrade", want: []string{"schema: was interrupted in that, and kept a copy of the database as: run parley doctor again"},
			plant: func(r *resident) {
				db, schema, err := storage.OpenAsIs(r.t.Context(), storage.Options{URL: r.conf.Storage.URL, DataDir: r.conf.DataDir, Now: time.Now, Log: r.log()})
				ok(r.t, err)
				ok(r.t, db.BackupDatabase(r.t.Context(), fmt.Sprintf("%s.schema-%d", r.database(), schema.Newest-1)))
				ok(r.t, db.Close())
				r.sql(`DELETE FROM schema_version WHERE version = $1`, schema.Newest)
			}},
		{name: "changed audit row", want: []string{"audit: row 1: it was changed: find out who could write the database"},
			plant: func(r *resident) {
				ok(r.t, r.in.Social.SetZone(r.t.Context(), "other.example", social.Zone{Kind: social.ZoneBlocked}, "spam", "test"))
				ok(r.t, r.in.DB.LinkAudit(r.t.Context()))
				r.sql(`UPDATE audit SET by_whom = 'somebody else' WHERE seq = 1`)
			}},
		{name: "data of another", want: []string{"identity: this data belongs to domain other.example: set domain and public_url back"},
			plant: func(r *resident) { r.sql(`UPDATE setting SET value = 'other.example' WHERE name = 'domain'`) }},
		{name: "no backup", later: week + time.Hour, want: []string{"backup: no backup was ever made: parley backup FILE, each day"},
			plant: func(r *resident) { r.sql(`DELETE FROM setting WHERE name = 'backup.last'`) }},
		{name: "old backup", later: week + time.Hour, want: []string{"backup: the last backup was made on: parley backup FILE, each day"}, plant: func(*resident) {}},
		{name: "no room for a backup", want: []string{"disk: and the next backup takes: remove old backups"},
			plant: func(r *resident) {
				var s unix.Statfs_t
				ok(r.t, unix.Statfs(r.conf.DataDir, &s))
				name := filepath.Join(r.conf.DataDir, "media", "1.png") // a hole, which takes no room here
				ok(r.t, os.WriteFile(name, nil, 0o600))
				ok(r.t, os.Truncate(name, int64(s.Bavail)*int64(s.Bsize)+16<<30))
			}},
		{name: "clock behind what was written", later: -2 * time.Hour, want: []string{"clock: something was written here at: timedatectl set-ntp true"}, plant: func(*resident) {}},
	}
}

func plantedInConfiguration() []planted {
	return []planted{
		{name: "unknown key", want: []string{"configuration: fedration.mode: unknown key: did you mean federation.mode?: correct that, or take it out"},
			plant: func(r *resident) { r.configure("", "fedration: {mode: open}\n") }},
		{name: "impossible value", want: []string{`configuration: profile: "club" is not possible: correct that, or take it out`},
			plant: func(r *resident) { r.configure("", "profile: club\n") }},
		{name: "metrics for the world", want: []string{"metrics: on every address of this machine: name a loopback or inner address"},
			plant: func(r *resident) { r.configure("", "metrics: {listen: \"0.0.0.0:9090\"}\n") }},
		{name: "metrics on a public address", want: []string{"metrics: no inner address: name a loopback or inner address"},
			plant: func(r *resident) { r.configure("", "metrics: {listen: \"[2001:db8::1]:9090\"}\n") }},
		{name: "metrics within", plant: func(r *resident) { r.configure("", "metrics: {listen: 10.1.2.3:9090}\n") }},
		{name: "wide proxies", want: []string{"proxies: trusts 0.0.0.0/0: only the addresses of your own proxies"},
			plant: func(r *resident) { r.configure("", "trusted_proxies: [0.0.0.0/0]\n") }},
		{name: "mail server away", want: []string{"mail: connection refused: check smtp.host and smtp.port"},
			plant: func(r *resident) {
				r.configure("", fmt.Sprintf("smtp: {host: 127.0.0.1, port: %d, from: parley@mail.test}\n", instancetest.FreePort(r.t)))
			}},
		{name: "mail server of somebody else", want: []string{"mail: certificate: name the server as its certificate does"},
			plant: func(r *resident) {
				pair, err := tls.X509KeyPair(newWorld(r.t).certify("127.0.0.1"))
				ok(r.t, err)
				server := instancetest.NewMailServer(r.t, "127.0.0.1:0", &pair, false)
				r.w.leads("mail.parley.test", "127.0.0.1")
				r.configure("", fmt.Sprintf("smtp: {host: mail.parley.test, port: %d, from: parley@mail.test}\n", server.Port))
			}},
		{name: "mail server refuses the password", want: []string{"mail: 535: correct smtp.user and smtp.password"},
			plant: func(r *resident) {
				pair, err := tls.LoadX509KeyPair(r.w.cert, r.w.key)
				ok(r.t, err)
				server := instancetest.NewMailServer(r.t, "127.0.0.1:0", &pair, false)
				server.Want("parley", "right")
				r.configure("", fmt.Sprintf("smtp: {host: %s, port: %d, from: parley@mail.test, user: parley, password: wrong}\n", r.name, server.Port))
			}},
		{name: "mail server takes mail", plant: func(r *resident) {
			r.configure("", fmt.Sprintf("smtp: {host: 127.0.0.1, port: %d, from: parley@mail.test}\n", instancetest.NewMailServer(r.t, "127.0.0.1:0", nil, false).Port))
		}},
		{name: "certificate ends soon", want: []string{"certificate: ends on: renew it"},
			plant: func(r *resident) {
				cert, key := filepath.Join(r.t.TempDir(), "cert.pem"), filepath.Join(r.t.TempDir(), "key.pem")
				writeCertificateFor(r.t, cert, key, r.name, time.Now().AddDate(0, -2, 0), time.Now().Add(week))
				r.configure("cert: "+r.w.cert, "cert: "+cert)
				r.configure("key: "+r.w.key, "key: "+key)
			}},
	}
}

func plantedInConnections() []planted {
	day := 24 * time.Hour
	return []planted{
		{name: "nobody listens", want: []string{"domain: connection refused: start parley serve"}, plant: func(r *resident) { r.stop() }},
		{name: "name not in the DNS", want: []string{"domain: no such host: have the name social.parley.test entered in the DNS"},
			plant: func(r *resident) { r.w.leads(r.name, "") }},
		{name: "name leads inside", want: []string{"domain: 10.9.8.7: federation.allowed_networks"}, plant: func(r *resident) { r.w.leads(r.name, "10.9.8.7") }},
		{name: "certificate for another name", want: []string{"domain: certificate is valid for other.example: have a certificate made for social.parley.test"},
			plant: func(r *resident) { r.replace("other.example", -day, day, http.NotFound) }},
		{name: "expired certificate", want: []string{"domain: certificate has expired: renew the certificate of social.parley.test"},
			plant: func(r *resident) { r.replace(r.name, -2*day, -day, http.NotFound) }},
		{name: "unknown authority", want: []string{"domain: unknown authority: federation.ca_file"}, plant: func(r *resident) { r.configure("ca_file: "+r.w.cert, "ca_file: \"\"") }},
		{name: "proxy without a server", want: []string{"domain: answers 502: start parley serve", "domain: answers 502: start parley serve"},
			plant: func(r *resident) {
				r.replace(r.name, -day, day, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
			}},
		{name: "parked sister", want: []string{"paired: sister.parley.test: is parked: parley peer unpark sister.parley.test"},
			plant: func(r *resident) {
				s := r.sister("sister.parley.test")
				ok(r.t, r.in.DB.Tx(r.t.Context(), func(tx social.Tx) error {
					p, err := tx.Pairing(r.t.Context(), s.conf.Domain)
					ok(r.t, err)
					p.State, p.Cause = social.PairingParked, "answered without the pinned keys"
					return tx.PutPairing(r.t.Context(), p)
				}))
			}},
		{name: "sister away", want: []string{"paired: sister.parley.test: does not answer: connection refused: telephone the administrator of sister.parley.test"},
			plant: func(r *resident) { r.sister("sister.parley.test").stop() }},
		{name: "sister's certificate", want: []string{"paired: sister.parley.test: certificate has expired: renew the certificate of sister.parley.test"},
			plant: func(r *resident) {
				r.sister("sister.parley.test").replace("sister.parley.test", -2*day, -day, http.NotFound)
			}},
		{name: "sister's clock", want: []string{"clock: the clock of sister.parley.test: 24h0m: ahead: telephone the administrator of sister.parley.test"},
			plant: func(r *resident) { r.sister("sister.parley.test").ahead = day }},
		{name: "refused for the clock", later: 25 * time.Hour, want: []string{"clock: the clock of sister.parley.test: behind: set-ntp true"},
			plant: func(r *resident) { r.sister("sister.parley.test") }},
		{name: "own clock", want: []string{"paired: third.parley.test: connection refused", "clock: of 2 paired servers agree that the one here is: behind: timedatectl set-ntp true"},
			plant: func(r *resident) {
				for _, name := range []string{"sister.parley.test", "second.parley.test"} {
					r.sister(name).ahead = day
				}
				r.sister("third.parley.test").stop()
			}},
	}
}

// Each problem is named with what to do about it, and nothing else is called one; who asks
// again hears the same, so the doctor has changed nothing.
func TestDoctorFindsWhatIsPlanted(t *testing.T) {
	all := append(append(plantedInData(), plantedInConfiguration()...), plantedInConnections()...)
	for _, one := range all {
		t.Run(one.name, func(t *testing.T) {
			r := newTown(t).begin("social.parley.test")
			one.plant(r)
			for range 2 {
				r.wants(r.diagnose(func() time.Time { return time.Now().Add(one.later) }), one.want...)
			}
		})
	}
}

// A backup is tried in a folder of its own, which is gone afterwards; what is of no use is
// named with what to do, and the instance is as it was.
func TestDoctorTriesABackup(t *testing.T) {
	r := newTown(t).begin("social.parley.test")
	alice, err := r.in.Social.CreateAccount(t.Context(), social.NewAccount{Username: "alice"})
	ok(t, err)
	for _, text := range []string{"one", "two"} {
		_, err := r.in.Social.Publish(t.Context(), social.Member(alice, r.conf.Domain), social.Draft{Text: text})
		ok(t, err)
	}
	ok(t, r.in.Social.SetZone(t.Context(), "other.example", social.Zone{Kind: social.ZoneBlocked}, "spam", "test"))
	ok(t, r.in.DB.LinkAudit(t.Context()))
	file := filepath.Join(t.TempDir(), "backup")
	ok(t, r.in.Backup(t.Context(), file))
	whole, err := os.ReadFile(file)
	ok(t, err)
	entries := tar.NewReader(bytes.NewReader(whole))
	_, err = entries.Next()
	ok(t, err)
	content, err := io.ReadAll(entries)
	ok(t, err)
	database := string(content)
	damaged := bytes.Clone(whole)
	copy(damaged[512+4096*3:], bytes.Repeat([]byte{0xff}, 4096))
	after := func(statement string) []byte {
		return archive(t, "parley.db", changed(t, database, statement), "end", "")
	}
	tmp, backups := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	before := snapshot(t, r.conf.DataDir)
	for name, one := range map[string]struct {
		content []byte
		want    string
	}{
		"good":         {whole, ""},
		"empty":        {[]byte{}, "restore: is not a whole backup of parley: make another with parley backup FILE"},
		"no archive":   {[]byte(strings.Repeat("hello\n", 1000)), "restore: is not a whole backup of parley: make another with parley backup FILE"},
		"of another":   {archive(t, "etc/passwd", "x"), `restore: it holds "etc/passwd": make another with parley backup FILE`},
		"truncated":    {whole[:len(whole)/2], "restore: is not a whole backup of parley: make another with parley backup FILE"},
		"end missing":  {whole[:len(whole)-3*512], "restore: its end is missing: make another with parley backup FILE"},
		"damaged":      {damaged, "restore: holds a database that cannot be used: make another with parley backup FILE"},
		"newer":        {after(`INSERT INTO schema_version (version) VALUES (999)`), "restore: has schema 999: with the newer parley that wrote it"},
		"rows changed": {after(`UPDATE audit SET by_whom = 'somebody else' WHERE seq = 1`), "restore: audit row 1: it was changed: find out who could write"},
		"another's":    {after(`UPDATE setting SET value = 'other.example' WHERE name = 'domain'`), "restore: other.example: this instance is: test the right file"},
		"points away":  {after(`DELETE FROM account WHERE name = 'alice'`), "restore: rows that point nowhere: make another with parley backup FILE"},
		"missing":      {nil, "restore: no such file: name a file that parley backup wrote"},
	} {
		t.Run(name, func(t *testing.T) {
			at := filepath.Join(backups, strings.ReplaceAll(name, " ", "-"))
			if one.content != nil {
				ok(t, os.WriteFile(at, one.content, 0o600))
			}
			found := instance.TryBackup(t.Context(), r.conf, at, r.log(), time.Now)
			p := &patient{t: t}
			if one.want == "" {
				p.wants(found)
				for _, part := range []string{at + " is of " + r.conf.Domain, time.Now().UTC().Format("written on 2006-"), "1 accounts, 2 posts, 0 files", "audit rows are good"} {
					if !strings.Contains(found[0].Text, part) {
						t.Errorf("%q is not in %q", part, found[0].Text)
					}
				}
			} else {
				p.wants(found, one.want)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
	t.Setenv("TMPDIR", filepath.Join(tmp, "none"))
	r.wants(instance.TryBackup(t.Context(), r.conf, file, r.log(), time.Now), "restore: there is no place to restore it into: let TMPDIR name a folder")
	if now := snapshot(t, r.conf.DataDir); now != before {
		t.Errorf("the instance was\n%s\nand is\n%s", before, now)
	}
}

// snapshot tells every file of a folder with its size and the time of its last change.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	ok(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			fmt.Fprintln(&out, name, info.Size(), info.ModTime())
		}
		return err
	}))
	return out.String()
}

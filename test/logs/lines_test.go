package logs_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// line is one that a document names. A message that ends with … goes on.
type line struct {
	level, message string
	fields         []string
}

var row = regexp.MustCompile("(?m)^\\| `(ERROR|WARN|INFO|DEBUG)` \\| `([^`]+)` \\| ([a-z, ]+) \\| ")

// documented reads the table of a page.
func documented(t *testing.T, page string) (lines []line) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		lines = append(lines, line{m[1], m[2], slices.Sorted(slices.Values(strings.Split(m[3], ", ")))})
	}
	if n := strings.Count(string(text), "\n| `ERROR` |") + strings.Count(string(text), "\n| `WARN` |") + strings.Count(string(text), "\n| `INFO` |") + strings.Count(string(text), "\n| `DEBUG` |"); n != len(lines) || n < 20 {
		t.Fatalf("%s: %d of %d rows are read", page, len(lines), n)
	}
	return lines
}

// written says whether the log has a line as the document says it, and what it has instead.
func (h *house) written(l line) (ok bool, instead string) {
	h.Helper()
	for text := range strings.Lines(h.log.String()) {
		var got map[string]any
		h.must(json.Unmarshal([]byte(text), &got))
		said := fmt.Sprint(got["msg"])
		if begin, open := strings.CutSuffix(l.message, "…"); said != l.message && (!open || !strings.HasPrefix(said, begin)) {
			continue
		}
		for _, common := range []string{"time", "msg"} {
			delete(got, common)
		}
		level := fmt.Sprint(got["level"])
		delete(got, "level")
		if _, named := got["instance"]; !named {
			return false, "no instance in " + text
		}
		delete(got, "instance")
		fields := slices.Sorted(maps.Keys(got))
		if level == l.level && slices.Equal(fields, l.fields) {
			return true, ""
		}
		instead = fmt.Sprint(level, fields)
	}
	return false, instead
}

// Every line of the documents is written by an instance as they say, when happens what it
// is about.
func TestDocumentedLinesAreWritten(t *testing.T) {
	lines := documented(t, "operations.md")
	if german := documented(t, "betrieb.md"); fmt.Sprint(german) != fmt.Sprint(lines) {
		t.Errorf("the pages name other lines:\n%v\n%v", lines, german)
	}
	h := newTraffic(t, (*instancetest.Log).JSON)
	b := h.signIn()
	h.notices()
	h.mail()
	h.writes(b)
	h.troubles()
	h.blocked()
	h.impostor()
	h.putBack()
	h.breaks(b)
	h.alone()
	h.expired()
	for _, l := range lines {
		if ok, instead := h.written(l); !ok {
			t.Errorf("nothing happened that wrote %s %q with %v; %s", l.level, l.message, l.fields, instead)
		}
	}
	if ok, _ := h.written(line{"INFO", "delivery failed", []string{"peer"}}); ok {
		t.Error("a line with other fields is taken for the documented one")
	}
}

// blocked is a server that is shut out while something waits for it.
func (h *traffic) blocked() {
	h.Helper()
	stranger := h.wanda.in().Config.Domain
	zone := func(kind social.ZoneKind) {
		h.must(h.alice.in().Social.SetZone(h.Context(), stranger, social.Zone{Kind: kind}, "test", "test"))
	}
	h.alice.says(social.Draft{Text: "for all who follow", Audience: "followers"})
	zone(social.ZoneBlocked)
	h.net.Settle()
	h.wanda.signed(h.alice.in().Config.PublicURL+"/inbox", `{"type":"Like"}`, nil)
	h.wanda.fetch(h.alice.reader.Account.URI)
	zone(social.ZonePublic)
}

// impostor answers in the place of a sister, until that is back.
func (h *traffic) impostor() {
	h.Helper()
	h.net.Stop(1)
	other := &http.Server{Addr: h.bob.in().Config.Listen, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })}
	ended := make(chan error, 1)
	go func() { ended <- other.ListenAndServe() }()
	for {
		if res, err := http.Get("http://" + other.Addr); err == nil {
			_ = res.Body.Close()
			break
		}
	}
	h.alice.says(social.Draft{Text: "for the sister alone", Audience: "company"})
	h.net.Settle()
	h.must(other.Close())
	<-ended
	h.net.Restart(1)
	if parked, err := h.alice.in().Federation.Unpark(h.Context(), h.bob.in().Config.Domain, "test"); err != nil || !parked {
		h.Errorf("parked %v, %v", parked, err)
	}
	h.net.Settle()
}

// putBack puts a sister back as a snapshot of its machine does.
func (h *traffic) putBack() {
	h.Helper()
	file := filepath.Join(h.TempDir(), "backup.tar")
	h.must(h.alice.in().Backup(h.Context(), file))
	h.alice.says(social.Draft{Text: "after the backup", Audience: "company"})
	h.net.Settle()
	h.must(h.bob.in().Federation.CatchUpNow(h.Context(), ""))
	h.net.Settle()
	h.net.PutBack(0, file, "")
	h.must(h.bob.in().Federation.CatchUpNow(h.Context(), ""))
	h.net.Settle()
}

// start opens an instance of its own that logs into the same log.
func (h *traffic) start(flags map[string]string) *instance.Instance {
	h.Helper()
	all := map[string]string{"domain": "lone.test", "listen": fmt.Sprintf("127.0.0.1:%d", instancetest.FreePort(h)), "data_dir": filepath.Join(h.TempDir(), "data"), "federation.allowed_networks": "127.0.0.0/8"}
	maps.Copy(all, flags)
	c, err := config.Load("/dev/null", all, nil)
	h.must(err)
	in, err := instance.OpenWith(h.Context(), c, h.log.JSON(), time.Now, instancetest.GenerateRSA)
	h.must(err)
	h.Cleanup(func() { _ = in.Close() }) // its database is broken
	return in
}

// until waits for a line: others work, and there is nothing else to wait on.
func (h *traffic) until(message string) {
	h.Helper()
	for deadline := time.Now().Add(time.Minute); len(h.log.With(message)) == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("%q is not logged", message)
		}
	}
}

// alone runs as the command does: it gets no certificate, cannot write the end of its
// audit rows, and its metrics cannot be read.
func (h *traffic) alone() {
	h.Helper()
	in := h.start(map[string]string{"metrics.listen": "127.0.0.1:0", "tls.acme_email": "it@lone.test", "tls.acme_directory": fmt.Sprintf("https://127.0.0.1:%d/dir", instancetest.FreePort(h))})
	_, unlock, err := in.Listen()
	h.must(err)
	defer unlock()
	anchor := filepath.Join(in.Config.DataDir, "parley.db.audit")
	h.must(os.RemoveAll(anchor))
	h.must(os.Mkdir(anchor, 0o700))
	h.must(in.Social.SetZone(h.Context(), "spam.example", social.Zone{Kind: social.ZoneBlocked}, "test", "test"))
	ctx, stop := context.WithCancel(h.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	if _, err := tls.Dial("tcp", in.Config.Listen, &tls.Config{ServerName: "lone.test", InsecureSkipVerify: true}); err == nil { //nolint:gosec // it has none
		h.Error("a certificate from nowhere")
	}
	h.until("the audit rows could not be linked; it is tried again each second")
	h.until("no certificate could be had by ACME")
	db, err := sql.Open("sqlite", filepath.Join(in.Config.DataDir, "parley.db"))
	h.must(err)
	_, err = db.Exec("ALTER TABLE peer RENAME TO peer_gone")
	h.must(err)
	h.must(db.Close())
	res, err := http.Get("http://" + in.Metrics.Address().String() + "/metrics")
	h.must(err)
	_ = res.Body.Close()
	h.until("the state for the metrics was not read")
	stop()
	h.must(<-done)
}

// expired is a certificate that ended yesterday.
func (h *traffic) expired() {
	h.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	h.must(err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour), DNSNames: []string{"lone.test"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	h.must(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	h.must(err)
	dir := h.TempDir()
	files := map[string]string{"tls.cert": filepath.Join(dir, "cert.pem"), "tls.key": filepath.Join(dir, "key.pem")}
	h.must(os.WriteFile(files["tls.cert"], pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	h.must(os.WriteFile(files["tls.key"], pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	in := h.start(files)
	_, unlock, err := in.Listen()
	h.must(err)
	unlock()
}

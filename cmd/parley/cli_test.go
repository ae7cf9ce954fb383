package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/instance/instancetest"
)

// shell runs the real command in a folder of its own, as a person would.
type shell struct {
	*testing.T
	dir, tmp string
	env      []string
}

func newShell(t *testing.T, env ...string) *shell {
	s := &shell{T: t, dir: t.TempDir(), tmp: t.TempDir()}
	s.env = append(append(asCommand(), "HOME="+t.TempDir(), "TMPDIR="+s.tmp, "PATH="+os.Getenv("PATH")), env...)
	return s
}

func (s *shell) command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Dir, c.Env = s.dir, s.env
	return c
}

// run wants an exit code and answers both outputs.
func (s *shell) run(code int, args ...string) (stdout, stderr string) {
	s.Helper()
	var out, errs bytes.Buffer
	c := s.command(args...)
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		s.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != code {
		s.Errorf("parley %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// serving starts a command that runs on, waits for a line, and ends it by SIGINT.
func (s *shell) serving(until string, args ...string) (first string, interrupt func() int) {
	s.Helper()
	c := s.command(args...)
	pipe, err := c.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	var errs bytes.Buffer
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		s.Fatal(err)
	}
	ended := false
	s.Cleanup(func() {
		if !ended {
			_ = c.Process.Kill() // the test failed before
			_ = c.Wait()
		}
	})
	lines := bufio.NewScanner(pipe)
	var seen strings.Builder
	for !strings.Contains(seen.String(), until) {
		if !lines.Scan() {
			s.Fatalf("parley %s ended before it said %q: %s%s", strings.Join(args, " "), until, seen.String(), errs.String())
		}
		seen.WriteString(lines.Text() + "\n")
	}
	return seen.String(), func() int {
		ended = true
		if err := c.Process.Signal(syscall.SIGINT); err != nil {
			s.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, pipe) // until it ends
		_ = c.Wait()
		return c.ProcessState.ExitCode()
	}
}

func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

func TestMistakesNameTheNearest(t *testing.T) {
	s := newShell(t)
	for _, one := range []struct {
		args string
		want []string
	}{
		{"srve", []string{`"srve"`, "parley serve"}},
		{"account lst", []string{`"lst"`, "parley account list"}},
		{"peer zonee x company", []string{"parley peer zone"}},
		{"serve --lisen :1", []string{"--lisen", "--listen"}},
		{"account list --jsn", []string{"--jsn", "--json"}},
		{"account create", []string{"account create NAME"}},
		{"delivery drop", []string{"--peer HOST"}},
		{"delivery hold", []string{"--peer HOST"}},
		{"delivery release", []string{"--peer HOST"}},
		{"peer zone b.example nonsense", []string{"company, partner:<name>, public or blocked"}},
		{"serve --config nowhere.yaml", []string{"--config", "nowhere.yaml"}},
		{"serve --listen 8080", []string{"listen", "127.0.0.1:8080"}},
		{"token create alice --scopes red", nil},
	} {
		code := 2
		if one.want == nil {
			code = 1 // there is nobody called so
		}
		_, errs := s.run(code, strings.Fields(one.args)...)
		wants(t, errs, one.want...)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "parley.yaml"), []byte("federation: {modus: open}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs := s.run(2, "config")
	wants(t, errs, "federation.modus", "federation.mode", "parley.yaml")
}

func TestEveryCommandHasHelp(t *testing.T) {
	s := newShell(t)
	for _, c := range []string{"", "serve", "demo", "account", "account create", "account list", "account show", "account suspend", "account unsuspend", "account close", "account reopen", "account delete",
		"account reset-link", "token", "token create", "token list", "token revoke", "peer", "peer list", "peer show", "peer digest", "peer catchup", "peer zone", "peer block", "peer remove", "peer requests",
		"peer invite", "peer accept", "peer veto", "peer unveto", "peer leave", "peer history", "peer report", "peer rotate-keys",
		"delivery", "delivery status", "delivery retry", "delivery drop", "delivery hold", "delivery release", "domain", "domain set", "setup-link", "backup", "restore", "doctor", "service", "service install", "service uninstall", "service unit", "config", "version"} {
		out, _ := s.run(0, append(strings.Fields(c), "--help")...)
		wants(t, out, "Usage:", "--config", "--data")
	}
	out, _ := s.run(0, "config")
	wants(t, out, "mode: allowlist", "public_url: http://localhost:8080")
	out, _ = s.run(0, "version")
	if !regexp.MustCompile(`^\d+\.\d+\.\d+\n$`).MatchString(out) {
		t.Error(out)
	}
}

// A script gets a token that can do no more than it needs; what there is is listed, and
// ends at once.
func TestTokensByCommand(t *testing.T) {
	s := newShell(t)
	s.run(0, "account", "create", "alice")
	s.run(0, "group", "create", "ops", "--owner", "alice")
	s.run(1, "token", "create", "alice", "--audience", "group:none")
	s.run(2, "token", "create", "alice", "--audience", "everybody")
	s.run(1, "token", "create", "alice", "--audience", "group:alice")
	text, _ := s.run(0, "token", "create", "alice", "--bot", "--app", "deployments", "--scopes", "write:statuses", "--audience", "group:ops,instance")
	if len(strings.Fields(text)) != 1 {
		t.Errorf("more than the token is printed: %q", text)
	}
	var rows []map[string]string
	list, _ := s.run(0, "token", "list", "alice", "--json")
	if err := json.Unmarshal([]byte(list), &rows); err != nil || len(rows) != 1 || rows[0]["app"] != "deployments" || rows[0]["scopes"] != "write:statuses" || rows[0]["bound"] != "only group:ops instance" || strings.Contains(list, strings.TrimSpace(text)) {
		t.Fatalf("%s: %v", list, err)
	}
	s.run(1, "token", "revoke", "alice", "1")
	s.run(0, "token", "revoke", "alice", rows[0]["id"])
	if list, _ := s.run(0, "token", "list", "alice", "--json"); strings.TrimSpace(list) != "[]" {
		t.Error(list)
	}
}

func TestMembersByCommand(t *testing.T) {
	s := newShell(t)
	out, _ := s.run(0, "account", "create", "bob", "--display-name", "Bob Ö", "--json")
	var made struct{ ID, Name, URI, Role string }
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Name != "bob" || made.Role != "member" || !strings.HasPrefix(made.URI, "http://localhost:8080/users/") {
		t.Error(out, err)
	}
	_, errs := s.run(1, "account", "create", "bob")
	wants(t, errs, "is taken")
	_, errs = s.run(2, "account", "create", "Ä")
	wants(t, errs, "does not fit")
	out, _ = s.run(0, "account", "show", "@bob", "--json")
	var shown map[string]string
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown["handle"] != "@bob@localhost:8080" || shown["display_name"] != "Bob Ö" {
		t.Error(out, err)
	}
	out, _ = s.run(0, "account", "show", "bob")
	wants(t, out, "@bob@localhost:8080")
	_, errs = s.run(1, "account", "show", "nobody")
	wants(t, errs, "nobody here is called nobody", "parley account list")
	for _, list := range []string{"account list", "peer list", "peer requests", "delivery status"} {
		out, _ := s.run(0, append(strings.Fields(list), "--json")...)
		var rows []map[string]string
		if err := json.Unmarshal([]byte(out), &rows); err != nil || rows == nil {
			t.Errorf("%s: %q %v", list, out, err)
		}
	}
	s.run(0, "peer", "zone", "b.example", "partner:acme")
	out, _ = s.run(0, "peer", "show", "b.example", "--json")
	wants(t, out, `"zone":"partner:acme"`)
	_, errs = s.run(1, "peer", "catchup", "c.example")
	wants(t, errs, "c.example", "no sister and no partner")
	out, _ = s.run(0, "peer", "catchup", "b.example")
	wants(t, out, "parley peer show b.example")
	_, errs = s.run(1, "peer", "digest", "b.example")
	wants(t, errs, "b.example", "cannot be reached")
	_, errs = s.run(1, "peer", "show", "c.example")
	wants(t, errs, "c.example", "parley peer list")
	s.run(0, "delivery", "retry")
	s.run(0, "delivery", "drop", "--peer", "b.example")
	_, errs = s.run(2, "delivery", "status", "--peer", "https://b.example/")
	wants(t, errs, "--peer", "is not a host")
	s.run(0, "delivery", "hold", "--peer", "B.example")
	if out, _ := s.run(0, "delivery", "status", "--peer", "b.example", "--json"); !strings.Contains(out, `"held":"2`) {
		t.Errorf("held: %s", out)
	}
	s.run(0, "delivery", "release", "--peer", "b.example")
	if out, _ := s.run(0, "delivery", "status", "--peer", "b.example", "--json"); strings.Contains(out, `"held":"2`) {
		t.Errorf("released: %s", out)
	}
	out, _ = s.run(0, "token", "create", "bob")
	if len(strings.Fields(out)) != 1 || len(out) < 30 {
		t.Errorf("the token does not stand alone: %q", out)
	}
	s.run(0, "doctor")
}

func TestCommunitiesByCommand(t *testing.T) {
	s := newShell(t)
	for _, name := range []string{"alice", "bob"} {
		s.run(0, "account", "create", name)
	}
	_, errs := s.run(2, "group", "create", "tools")
	wants(t, errs, "--owner")
	_, errs = s.run(2, "group", "create", "tools", "--owner", "alice", "--widest", "moon")
	wants(t, errs, "use instance, company")
	out, _ := s.run(0, "group", "create", "tools", "--owner", "alice", "--purpose", "What we build", "--join", "closed", "--json")
	wants(t, out, `"name":"tools"`)
	_, errs = s.run(1, "group", "create", "bob", "--owner", "alice")
	wants(t, errs, "is taken")
	_, errs = s.run(1, "group", "show", "bob")
	wants(t, errs, "parley group list")
	s.run(0, "group", "add", "tools", "bob")
	out, _ = s.run(0, "group", "members", "tools", "--json")
	wants(t, out, `"handle":"alice"`, `"role":"owner"`, `"handle":"bob"`)
	s.run(0, "group", "owner", "tools", "bob")
	_, errs = s.run(1, "group", "remove", "tools", "bob")
	wants(t, errs, "hands it on first")
	s.run(0, "group", "remove", "tools", "alice")
	out, _ = s.run(0, "group", "show", "tools", "--json")
	wants(t, out, `"owner":"bob"`, `"members":"1"`, `"join":"closed"`, `"widest":"company"`, "What we build")
	out, _ = s.run(0, "group", "list", "--json")
	wants(t, out, `"name":"tools"`, `"members":"1"`)
	if out, _ = s.run(0, "account", "list"); strings.Contains(out, "tools") {
		t.Errorf("a community is listed among people: %s", out)
	}
	s.run(0, "group", "delete", "tools")
	if out, _ = s.run(0, "group", "list", "--json"); strings.TrimSpace(out) != "[]" {
		t.Error(out)
	}
}

// A password that is refused leaves no member behind: the same command can be
// given again with a better one.
func TestPasswordFromStandardInput(t *testing.T) {
	s := newShell(t)
	create := func(password string) (int, string) {
		c := s.command("account", "create", "bob", "--password-stdin")
		c.Stdin = strings.NewReader(password)
		out, _ := c.CombinedOutput() // the exit code tells
		return c.ProcessState.ExitCode(), string(out)
	}
	for _, bad := range []string{"short\n", ""} {
		if code, out := create(bad); code == 0 || !strings.Contains(out, "password") {
			t.Errorf("%q: exit %d: %s", bad, code, out)
		}
	}
	if out, _ := s.run(0, "account", "list"); strings.Contains(out, "bob") {
		t.Errorf("a member is left behind: %s", out)
	}
	if code, out := create("a long password\n"); code != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
}

// One-time links stand alone on standard output; what to know stands beside.
func TestOneTimeLinks(t *testing.T) {
	port := instancetest.FreePort(t)
	// A terminal of a desktop has inherited that its starter wrote to the journal.
	s := newShell(t, fmt.Sprintf("PARLEY_DOMAIN=localhost:%d", port), fmt.Sprintf("PARLEY_LISTEN=127.0.0.1:%d", port), "JOURNAL_STREAM=9:12345")
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	first, errs := s.run(0, "setup-link")
	wants(t, errs, "works once, until", fmt.Sprintf("ssh -L %d:127.0.0.1:%d", port, port))
	if !regexp.MustCompile(fmt.Sprintf(`^http://localhost:%d/setup\?code=[\w-]{43}\n$`, port)).MatchString(first) {
		t.Errorf("%q", first)
	}
	said, interrupt := s.serving("/setup?code=", "serve")
	wants(t, said, "serves http://localhost:", "data in parley-data")
	link := regexp.MustCompile(`/setup\?code=\S+`).FindString(said)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	status := func(res *http.Response, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := status(client.Get(base + strings.TrimSpace(first[strings.Index(first, "/setup"):]))); got != 404 {
		t.Errorf("the older link still works: %d", got)
	}
	if got := status(client.Get(base + link)); got != 200 {
		t.Errorf("the link does not work: %d", got)
	}
	form := url.Values{"code": {strings.TrimPrefix(link, "/setup?code=")}, "organisation": {"Muster"}, "name": {"anna"}, "password": {"a long password"}}
	if got := status(client.PostForm(base+"/setup", form)); got != 200 {
		t.Errorf("setup: %d", got)
	}
	if got := status(client.Get(base + "/settings")); got != 200 {
		t.Errorf("not signed in: %d", got)
	}
	if got := status(client.Get(base + link)); got != 404 {
		t.Errorf("the used link works: %d", got)
	}
	_, errs = s.run(1, "setup-link")
	wants(t, errs, "set up already", "parley account reset-link NAME")

	// A second serve on the same data, and one on the same port, say what to do.
	_, errs = s.run(1, "serve", "--listen", "127.0.0.1:0")
	wants(t, errs, "another parley serve", "parley-data", "--data")
	_, errs = s.run(1, "serve", "--data", "other")
	wants(t, errs, fmt.Sprintf("127.0.0.1:%d", port), "something else listens there", "--listen")
	_, errs = s.run(1, "domain", "set", "social.example")
	wants(t, errs, "another parley serve", "stop it first")

	// Commands see and change the running server's data; the link works there.
	s.run(0, "account", "create", "bob")
	reset, errs := s.run(0, "account", "reset-link", "bob")
	wants(t, errs, "works once, until")
	code := strings.TrimSpace(reset[strings.Index(reset, "code=")+5:])
	if got := status(client.PostForm(base+"/reset", url.Values{"code": {code}, "password": {"bob's long password"}})); got != 200 {
		t.Errorf("reset: %d", got)
	}
	if got := status(client.Get(base + "/reset?code=" + code)); got != 404 {
		t.Errorf("the used link works: %d", got)
	}
	if got := interrupt(); got != 0 {
		t.Errorf("Ctrl-C ends with %d", got)
	}
}

// A trial gets its real name while nobody has met it, with all that was written.
func TestDomainSet(t *testing.T) {
	s := newShell(t)
	s.run(0, "account", "create", "bob")
	_, errs := s.run(1, "account", "list", "--data", "parley-data", "--config", s.write("social.yaml", "domain: social.example\n"))
	wants(t, errs, "localhost:8080", "social.example", "would break", "parley domain set HOST")
	_, errs = s.run(2, "domain", "set", "https://social.example")
	wants(t, errs, "domain")
	out, errs := s.run(0, "domain", "set", "social.example")
	wants(t, out, "social.example", "https://social.example")
	wants(t, errs, "domain: social.example", "parley.yaml")
	out, _ = s.run(0, "account", "show", "bob", "--config", "social.yaml", "--json")
	wants(t, out, `"handle":"@bob@social.example"`, `"uri":"https://social.example/users/`)
	s.run(1, "account", "show", "bob")
	s.run(0, "domain", "set", "localhost:8080", "--config", "social.yaml")
	out, _ = s.run(0, "account", "show", "bob", "--json")
	wants(t, out, `"uri":"http://localhost:8080/users/`)
}

func (s *shell) write(name, text string) string {
	s.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return name
}

// The demo names a taken port and takes another; Ctrl-C leaves nothing behind;
// --dir keeps the data and starts again; --check answers by its exit code.
func TestDemoCommand(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // only kept
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	s := newShell(t)
	said, interrupt := s.serving("Ctrl-C ends the demo", "demo", "--port", port)
	wants(t, said, "port "+port+" is taken", "Open http://127.0.0.1:", "nothing is left behind")
	res, err := http.Get(regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(said))
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	if got := interrupt(); got != 0 {
		t.Errorf("Ctrl-C ends with %d", got)
	}
	if left, err := os.ReadDir(s.tmp); err != nil || len(left) != 0 {
		t.Error("left behind:", left, err)
	}
	if left, err := os.ReadDir(s.dir); err != nil || len(left) != 0 {
		t.Error("left behind:", left, err)
	}
	out, _ := s.run(0, "demo", "--check", "--port", "0", "--dir", "kept")
	wants(t, out, "ok   Anna sees Ben's answer below it", "ok   Pia at the partner")
	out, _ = s.run(0, "demo", "--check", "--port", "0", "--dir", "kept")
	wants(t, out, "ok   Pia at the partner")
	// Another uses an address that the kept demo needs: named, and 1.
	address, err := os.ReadFile(filepath.Join(s.dir, "kept", "zentrale", "address"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", string(address))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only kept
	begin := time.Now()
	_, errs := s.run(1, "demo", "--check", "--port", "0", "--dir", "kept")
	wants(t, errs, string(address), "--dir")
	if time.Since(begin) > time.Minute {
		t.Error("it took a minute to say so")
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/instance"
)

// doctor runs the real command on the child's data.
func (c *child) doctor(flags ...string) (out string, code int) {
	c.t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"doctor", "--data", c.data}, flags...)...)
	cmd.Env = append(append(os.Environ(), asCommand()...), "PARLEY_DOMAIN="+strings.TrimPrefix(c.url(), "http://"))
	cmd.Dir = c.t.TempDir()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err, stderr.String())
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// The doctor says what is wrong and what to do, beside a running serve, for people
// and for programs, and exits 1 if anything is.
func TestDoctor(t *testing.T) {
	c := newChild(t)
	if out, code := c.doctor(); code != exitFailed || !strings.Contains(out, "begin with: parley serve") {
		t.Errorf("without data: %d %s", code, out)
	}
	c.start()
	out, code := c.doctor()
	if code != 0 || strings.Count(out, "ok ") < 6 || !strings.Contains(out, "note     domain") {
		t.Errorf("healthy: %d %s", code, out)
	}
	for _, name := range []string{c.data, filepath.Join(c.data, "parley.db")} {
		if err := os.Chmod(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	out, code = c.doctor()
	if code != exitFailed || !strings.Contains(out, "-> chmod 700 "+c.data) || !strings.Contains(out, "-> chmod 600 ") || !strings.Contains(out, "ok       database") {
		t.Errorf("open to others: %d %s", code, out)
	}
	out, code = c.doctor("--json")
	var found []instance.Finding
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != exitFailed || instance.Failed(found) != 2 {
		t.Errorf("as JSON: %v %d %s", err, code, out)
	}
	if _, code = c.doctor("--jsno"); code != exitUsage {
		t.Errorf("a wrong flag: %d", code)
	}
}

// A configuration that cannot be read is a problem as others are, with the nearest key; and
// a backup is tried by a flag of its own.
func TestDoctorForPrograms(t *testing.T) {
	s := newShell(t)
	s.run(0, "account", "create", "alice")
	s.run(0, "backup", "good")
	problems := func(code int, args ...string) (texts string) {
		t.Helper()
		out, _ := s.run(code, append([]string{"doctor", "--json"}, args...)...)
		var found []instance.Finding
		if err := json.Unmarshal([]byte(out), &found); err != nil || len(found) == 0 {
			t.Fatalf("%v: %s", err, out)
		}
		for _, f := range found {
			if f.State != instance.StateNote && (f.State == instance.StateProblem) != (code != 0) && len(found) == 1 {
				t.Errorf("%+v with the exit code %d", f, code)
			}
			texts += f.Check + " " + f.Text + " " + f.Remedy + "\n"
		}
		return texts
	}
	wants(t, problems(0), "backup the last backup was made on")
	wants(t, problems(0, "--restore-test", "good"), "restore good is of localhost:8080", "1 accounts, 0 posts, 0 files")
	whole, err := os.ReadFile(filepath.Join(s.dir, "good"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"half": whole[:len(whole)/2], "empty": nil} {
		if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
		wants(t, problems(1, "--restore-test", name), "restore "+name+" is not a whole backup", "make another with parley backup FILE")
	}
	if left, err := os.ReadDir(s.tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	s.run(exitUsage, "doctor", "--restore-test", "")
	if err := os.WriteFile(filepath.Join(s.dir, "parley.yaml"), []byte("limits: {post_lenght: 200}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, problems(1), "configuration limits.post_lenght: unknown key in parley.yaml; did you mean limits.post_length?", "correct that, or take it out")
}

// The help and the documents of both languages name what the doctor looks at, and nothing
// that it does not.
func TestWhatTheDoctorLooksAtIsDocumented(t *testing.T) {
	var want []string
	for _, check := range instance.Checks() {
		want = append(want, check[0])
	}
	help, _ := newShell(t).run(0, "doctor", "--help")
	for _, check := range instance.Checks() {
		wants(t, help, check[0]+strings.Repeat(" ", 15-len(check[0]))+check[1])
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|[^|]+\\|[^|]+\\|$")
	for file, head := range map[string]string{"operations.md": "## When something is wrong", "betrieb.md": "## Wenn etwas nicht stimmt"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", file))
		if err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(string(text), head)
		section, _, _ = strings.Cut(section, "\n## ")
		var got []string
		for _, m := range row.FindAllStringSubmatch(section, -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v, the doctor looks at %v", file, got, want)
		}
	}
}

// T74: serve does not begin on a damaged database: it says what is wrong and what to
// do, and ends with 1.
func TestServeRefusesADamagedDatabase(t *testing.T) {
	s := newShell(t)
	s.run(0, "account", "create", "alice")
	name := filepath.Join(s.dir, "parley-data", "parley.db")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[20*4096:], bytes.Repeat([]byte{0x5a}, 3000))
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs := s.run(1, "serve", "--listen", "127.0.0.1:0")
	wants(t, errs, "parley.db is damaged", "parley restore FILE")
}

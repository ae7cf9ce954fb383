package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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
	if code != 0 || strings.Count(out, "ok ") != 5 || !strings.Contains(out, "note     domain") {
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

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// documented finds commands in a text: lines of code that begin with parley or
// go run ./cmd/parley, and the same between backquotes.
func documented(text string) []string {
	var out []string
	line := regexp.MustCompile(`^\s*(?:runuser --user parley -- )?(?:parley|go run \./cmd/parley) (.+)$`)
	inline := regexp.MustCompile("`(?:parley|go run \\./cmd/parley) ([^`]+)`")
	fenced := false
	for _, l := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(l, "```")
		fenced = fenced != fence
		if m := line.FindStringSubmatch(l); m != nil && (fenced || strings.HasPrefix(l, "    ")) {
			out = append(out, m[1])
		}
		for _, m := range inline.FindAllStringSubmatch(l, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

// words splits a command line; double quotes hold a word together.
func words(line string) []string {
	var out []string
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		out = append(out, strings.Trim(w, `"`))
	}
	return out
}

// Every command that the documents name is there, with its flags and its number of
// arguments.
func TestDocumentedCommandsExist(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range documented(string(text)) {
			seen++
			if err := understood(words(line)); err != nil {
				t.Errorf("%s: parley %s: %v", filepath.Base(file), line, err)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d commands found", seen)
	}
}

// understood parses a command line without running it.
func understood(given []string) error {
	c, rest, err := newRoot().Find(given)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil && err != pflag.ErrHelp {
		return err
	}
	if c.HasSubCommands() && len(c.Flags().Args()) > 0 {
		return c.RunE(c, c.Flags().Args()) // tells the nearest name; runs nothing
	}
	if c.HasSubCommands() {
		return nil
	}
	return c.ValidateArgs(c.Flags().Args())
}

// The test above can fail.
func TestMistakenCommandsAreFound(t *testing.T) {
	for _, line := range []string{"peer zones a.test public", "peer zone a.test", "account create bob --nickname Bob", "sevre", "backup"} {
		if understood(words(line)) == nil {
			t.Errorf("parley %s is understood", line)
		}
	}
	if got := documented("text\n    parley serve\n```\nparley doctor --json\n```\nand `go run ./cmd/parley peer list`; parley is a word here\n"); len(got) != 3 {
		t.Error(got)
	}
}

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

// translated are the pages that are there in both languages.
var translated = map[string]string{
	"api.md": "schnittstelle.md", "deploy.md": "aufstellen.md", "deploy-containers.md": "aufstellen-container.md", "operations.md": "betrieb.md",
	"pairing-and-zones.md": "kopplung-und-zonen.md", "rollout.md": "einfuehren.md", "using.md": "benutzen.md", "who-sees-my-post.md": "wer-sieht-meinen-beitrag.md",
}

// outline is what two languages of a page have in common: its headings by their depth, its
// lists, tables and pieces of code, and its commands with their flags; names in examples are
// translated.
func outline(text string) (headings, commands []string) {
	for _, l := range regexp.MustCompile("(?m)^(#+ |\\| |```)").FindAllString(text, -1) {
		headings = append(headings, strings.TrimSpace(l))
	}
	for _, line := range documented(text) {
		c, rest, err := newRoot().Find(words(line))
		if err != nil {
			commands = append(commands, err.Error())
			continue
		}
		what := c.CommandPath()
		for _, w := range rest {
			if strings.HasPrefix(w, "-") {
				what += " " + w
			}
		}
		commands = append(commands, what)
	}
	return headings, commands
}

// Whoever reads German is told no less, and to do the same.
func TestBothLanguagesAreWhole(t *testing.T) {
	for english, german := range translated {
		var headings, commands [2][]string
		for i, page := range []string{english, german} {
			text, err := os.ReadFile("../../docs/" + page)
			if err != nil {
				t.Fatal(err)
			}
			headings[i], commands[i] = outline(string(text))
		}
		if got, want := strings.Join(headings[1], "\n"), strings.Join(headings[0], "\n"); got != want {
			t.Errorf("%s has other sections, tables or code than %s: %d to %d\n%v\n%v", german, english, len(headings[1]), len(headings[0]), headings[1], headings[0])
		}
		if got, want := strings.Join(commands[1], "\n"), strings.Join(commands[0], "\n"); got != want {
			t.Errorf("%s has other commands than %s:\n%s\n\n%s", german, english, got, want)
		}
	}
	if h, c := outline("# A\n\ntext\n## B\n\n```\nparley peer list --json\n```\n"); len(h) != 4 || len(c) != 1 || c[0] != "parley peer list --json" {
		t.Error(h, c)
	}
}

// anchor is how a heading is linked to.
func anchor(heading string) string {
	heading = strings.ToLower(strings.TrimLeft(heading, "# "))
	return strings.ReplaceAll(regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(heading, ""), " ", "-")
}

// A link within the documents leads to a file that is there, and to a section of it.
func TestDocumentedLinksLead(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	sections, texts := map[string]bool{}, map[string]string{}
	for _, file := range append(files, "../../README.md", "../../FEDERATION.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
		for _, h := range regexp.MustCompile(`(?m)^#+ .*$`).FindAllString(string(text), -1) {
			sections[file+"#"+anchor(h)] = true
		}
	}
	seen := 0
	for file, text := range texts {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`).FindAllStringSubmatch(text, -1) {
			to := file
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(file), m[1])
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %v", file, err)
			} else if m[2] != "" && !sections[to+m[2]] {
				t.Errorf("%s: %s has no section %s", file, to, m[2])
			}
			seen++
		}
	}
	if seen < 50 {
		t.Errorf("only %d links", seen)
	}
}

// The test of commands can fail.
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

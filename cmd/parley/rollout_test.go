package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fences are the pieces of code of a page that name what they are: "sh", or "csv FILE".
func fences(t *testing.T, page string) (kinds, texts []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```([a-z][^\n]*)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		kinds, texts = append(kinds, m[1]), append(texts, m[2])
	}
	return kinds, texts
}

// Who follows the page on introducing such a network, from its first line to its last, is
// served by every command, in both languages.
func TestRolloutCommandsRun(t *testing.T) {
	kinds, texts := fences(t, "rollout.md")
	if germanKinds, german := fences(t, "einfuehren.md"); !slices.Equal(kinds, germanKinds) || !slices.Equal(texts, german) {
		t.Errorf("einfuehren.md has other commands:\n%v\n%v", texts, german)
	}
	s := newShell(t, "PARLEY_DOMAIN=social.example.org")
	ran := 0
	for i, kind := range kinds {
		if file, ok := strings.CutPrefix(kind, "csv "); ok {
			if err := os.WriteFile(filepath.Join(s.dir, file), []byte(texts[i]), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for line := range strings.Lines(texts[i]) {
			given := words(strings.TrimSpace(line))
			if given[0] != "parley" {
				t.Fatalf("%q is no command of ours", line)
			}
			s.run(0, given[1:]...)
			ran++
		}
	}
	text, err := os.ReadFile("../../docs/rollout.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range regexp.MustCompile("`parley ([^`]+)`").FindAllStringSubmatch(string(text), -1) { // within sentences
		leaver := fmt.Sprintf("leaver%d", i)
		s.run(0, "account", "create", leaver)
		s.run(0, words(strings.NewReplacer("NAME", leaver, "HOST", "social.acme.example").Replace(m[1]))...)
		ran++
	}
	if ran < 20 {
		t.Errorf("only %d commands", ran)
	}
	out, _ := s.run(0, "account", "list")
	wants(t, out, "Ann Ahrens", "moderator", "communications")
	out, _ = s.run(0, "policy", "show")
	wants(t, out, "audience.default", "company", "followers.public")
}

package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// Every text of a page exists in both languages, and no text is left over.
func TestWordsAreComplete(t *testing.T) {
	used := map[string]bool{}
	err := fs.WalkDir(files, "template", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range regexp.MustCompile(`\{\{t \$?[a-z.]* ?"([a-z_.]+)"`).FindAllStringSubmatch(string(b), -1) {
			if _, ok := words[m[1]]; !ok {
				t.Errorf("%s asks for %q, which has no text", path, m[1])
			}
			used[m[1]] = true
		}
		return nil
	})
	if err != nil || len(used) < 30 {
		t.Fatal(err, len(used))
	}
	for k, w := range words {
		if w[0] == "" || w[1] == "" {
			t.Errorf("%s is empty in one language", k)
		}
		if strings.Count(w[0], "%s") != strings.Count(w[1], "%s") {
			t.Errorf("%s has other places to fill in", k)
		}
	}
}

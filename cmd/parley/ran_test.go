package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ranFile names the environment's word for the file in which commands note that they came
// to a good end.
const ranFile = "PARLEY_TEST_RAN"

// note says that a command came to a good end.
func note(given []string) {
	f, err := os.OpenFile(os.Getenv(ranFile), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return // its test is over
	}
	_, _ = f.WriteString(shape(given) + "\n") // the same
	_ = f.Close()
}

// shape is a command without its arguments: its path and its flags, by their names in order.
func shape(given []string) string {
	c, rest, err := newRoot().Find(given)
	if err != nil {
		return err.Error()
	}
	flags := map[string]bool{}
	for _, w := range rest {
		if name, _, _ := strings.Cut(w, "="); strings.HasPrefix(name, "--") && name != "--data" && name != "--config" {
			flags[name] = true
		}
	}
	return strings.Join(append([]string{c.CommandPath()}, slices.Sorted(maps.Keys(flags))...), " ")
}

// elsewhere are the commands that other packages run: test/deploy, as its pages say.
var elsewhere = []string{"parley service install", "parley service install --no-start", "parley service uninstall", "parley service unit", "parley health"}

// neverRan lists the commands of the documents that no test of this package brought to a
// good end, with at least their flags.
func neverRan(file string) (out []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return []string{err.Error()}
	}
	ran := slices.Compact(slices.Sorted(strings.SplitSeq(strings.TrimSpace(string(text)), "\n")))
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		return []string{err.Error()}
	}
	for _, page := range append(files, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			return []string{err.Error()}
		}
		for _, line := range documented(string(text)) {
			want := strings.Fields(shape(words(line)))
			if !slices.ContainsFunc(ran, func(one string) bool { return covers(strings.Fields(one), want) }) && !slices.Contains(elsewhere, strings.Join(want, " ")) {
				out = append(out, fmt.Sprintf("%s: parley %s", filepath.Base(page), line))
			}
		}
	}
	return out
}

// covers says that a command is the one that is wanted, with at least its flags.
func covers(ran, want []string) bool {
	for i, w := range want {
		flag := strings.HasPrefix(w, "--")
		if flag && !slices.Contains(ran, w) || !flag && (i >= len(ran) || ran[i] != w) {
			return false
		}
	}
	n := slices.IndexFunc(want, func(w string) bool { return strings.HasPrefix(w, "--") })
	if n < 0 {
		n = len(want)
	}
	return n == len(ran) || strings.HasPrefix(ran[n], "--")
}

package main

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// copySource copies what is built to another folder.
func copySource(t *testing.T, to string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); n == "node_modules" || n == "dist" || name == "test" || name == "docs" || strings.HasPrefix(n, ".") && name != "." {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A release is the same to the bit from another folder, needs no library of the system,
// and says what is in it.
func TestReleaseIsTheSameTwice(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	if err := release(root, first, targets[:1]); err != nil {
		if os.Getenv("PARLEY_TEST_PEERS") == "" && strings.Contains(err.Error(), "cyclonedx") {
			t.Skipf("the tool that lists what is in a binary cannot be built: %v", err)
		}
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	copySource(t, elsewhere)
	t.Setenv("GOFLAGS", "-buildvcs=true -v") // what the machine is set to makes no difference
	if err := release(elsewhere, second, targets[:1]); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 4 {
		t.Errorf("%d files", len(files))
	}
	for _, f := range files {
		a, errA := os.ReadFile(filepath.Join(first, f.Name()))
		b, errB := os.ReadFile(filepath.Join(second, f.Name()))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v %v", f.Name(), errA, errB)
		}
	}
	binary := filepath.Join(first, name(targets[0]))
	static(t, binary)
	listed(t, binary)
}

// static wants a binary that loads nothing.
func static(t *testing.T, binary string) {
	t.Helper()
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is linked dynamically: %v", p.Type)
		}
	}
}

// listed wants the list beside a binary to name exactly its modules.
func listed(t *testing.T, binary string) {
	t.Helper()
	data, err := os.ReadFile(binary + ".cdx.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		BomFormat  string
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(data, &doc); err != nil || doc.BomFormat != "CycloneDX" {
		t.Fatal(doc.BomFormat, err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	got, want := []string{}, []string{"std " + info.GoVersion}
	for _, c := range doc.Components {
		got = append(got, c.Name+" "+c.Version)
	}
	for _, m := range info.Deps {
		want = append(want, m.Path+" "+m.Version)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the list names %v, the binary holds %v", got, want)
	}
}

// It compiles for the other systems, and the licences of what each links are known.
func TestEverySystem(t *testing.T) {
	text, err := licences(root, targets)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"== Go (BSD)\n", "== github.com/spf13/cobra ", "== github.com/inconshreveable/mousetrap ", "== modernc.org/sqlite ", "Redistribution and use in source and binary forms"} {
		if !strings.Contains(text, want) {
			t.Errorf("the licences lack %q", want)
		}
	}
	if testing.Short() {
		t.Skip("compiling for other systems takes minutes the first time")
	}
	for _, target := range targets[1:] {
		if target == "darwin/amd64" { // compiles the files that darwin/arm64 does, but for assembly of the modules
			continue
		}
		if err := build(root, target, os.DevNull); err != nil {
			t.Error(err)
		}
	}
}

func TestLicencesAreKnown(t *testing.T) {
	for text, want := range map[string]string{
		"Permission is hereby granted,\n free of charge, to any person obtaining a copy of this":                    "MIT",
		"Redistribution and use in source and binary\nforms, with or without\nmodification, are permitted provided": "BSD",
		"Apache License\n  Version 2.0, January 2004":                                                               "Apache-2.0",
		"Mozilla Public License Version 2.0\n “Secondary License” means either the GNU General Public License, Version 2.0, the GNU Lesser General Public License, Version 2.1, the GNU Affero General Public License, Version 3.0, or any later versions of those licenses.": "MPL-2.0",
		"All rights reserved.":                                                             "",
		"GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007":                               "refused",
		"GNU LESSER GENERAL PUBLIC LICENSE":                                                "refused",
		"Permission is hereby granted, free of charge; or at your choice the GPL":          "refused",
		"Creative Commons Attribution-NonCommercial":                                       "refused",
		"Mozilla Public License Version 2.0, and the GNU Affero General Public License v3": "refused",
	} {
		got, err := identify(text)
		if answer := strings.Join(got, ","); err != nil && want != "refused" || err == nil && answer != want {
			t.Errorf("%.60s: %s %v", text, answer, err)
		}
	}
	// One that is not known, or refused beside one that is, ends the release.
	if _, err := list(map[string]map[string]string{"a.test/x v1": {"LICENSE": "Ask me."}}); err == nil || !strings.Contains(err.Error(), "a.test/x v1") {
		t.Error(err)
	}
	mit := "Permission is hereby granted, free of charge, to any person obtaining a copy"
	if _, err := list(map[string]map[string]string{"a.test/x v1": {"LICENSE": mit, "LICENSE-PART": "GNU General Public License"}}); err == nil {
		t.Error("a part under the GPL is let in")
	}
	if _, err := list(map[string]map[string]string{"a.test/x v1": {"LICENSE": mit}}); err != nil {
		t.Error(err)
	}
}

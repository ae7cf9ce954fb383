package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// kinds are the licences that may be in a binary, each with what only its text says.
var kinds = []struct {
	name   string
	phrase string
}{
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose with or without fee"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"},
	{"BSD", "redistribution and use in source and binary forms, with or without modification, are permitted"},
	{"Apache-2.0", "apache license version 2.0, january 2004"},
	{"Apache-2.0", "licensed under the apache license, version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"public domain", "the author disclaims copyright to this source code"},
}

// refused are words of licences that ask more, wherever they stand: a text may hold two.
var refused = regexp.MustCompile(`general public license|\bgpl\b|creative commons|server side public|business source|commons clause|european union public|eclipse public|common development and distribution`)

// secondary is where MPL 2.0 names licences that it makes way for, which are not its own.
var secondary = regexp.MustCompile(`["“]secondary license["”] means either .{0,250}? any later versions of those licenses\.`)

// licenceFile says which files of a folder are about licences, as people name them.
var licenceFile = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|notice|patents)([-_.].*)?$`)

// identify names the licences in a text; none where it knows none. An error names what
// may not be passed on as this is.
func identify(text string) ([]string, error) {
	plain := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	if word := refused.FindString(secondary.ReplaceAllString(plain, "")); word != "" {
		return nil, fmt.Errorf("%q stands in it", word)
	}
	var out []string
	for _, k := range kinds {
		if strings.Contains(plain, k.phrase) && !slices.Contains(out, k.name) {
			out = append(out, k.name)
		}
	}
	return out, nil
}

// pack is what go list tells of a package.
type pack struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// licences is the text of all licences of what is linked for any of the targets, each
// module with its name, version and the names of its licences first; Go's own too.
func licences(root string, targets []string) (string, error) {
	texts := map[string]map[string]string{} // module and version -> file -> text
	for _, target := range targets {
		packages, err := linked(root, target)
		if err != nil {
			return "", err
		}
		for _, p := range packages {
			if p.Module == nil || p.Module.Main {
				continue
			}
			title := p.Module.Path + " " + p.Module.Version
			if texts[title] == nil {
				texts[title] = map[string]string{}
			}
			// A folder inside may have been taken over from elsewhere, with its own text.
			for dir := p.Dir; len(dir) >= len(p.Module.Dir); dir = filepath.Dir(dir) {
				if err := gather(texts[title], p.Module.Dir, dir); err != nil {
					return "", err
				}
			}
		}
	}
	goRoot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	dir := strings.TrimSpace(string(goRoot))
	texts["Go"] = map[string]string{}
	if err := gather(texts["Go"], dir, dir); err != nil {
		return "", err
	}
	return list(texts)
}

// list writes the texts, and fails where one is not known.
func list(texts map[string]map[string]string) (string, error) {
	var out strings.Builder
	var problems []error
	for _, title := range slices.Sorted(maps.Keys(texts)) {
		var names []string
		for _, file := range slices.Sorted(maps.Keys(texts[title])) {
			found, err := identify(texts[title][file])
			if err != nil {
				problems = append(problems, fmt.Errorf("%s, %s: may not be in a release: %w", title, file, err))
			}
			names = append(names, found...)
		}
		slices.Sort(names)
		if names = slices.Compact(names); len(names) == 0 {
			problems = append(problems, fmt.Errorf("%s: no licence that is known", title))
		}
		fmt.Fprintf(&out, "== %s (%s)\n", title, strings.Join(names, ", "))
		for _, file := range slices.Sorted(maps.Keys(texts[title])) {
			fmt.Fprintf(&out, "\n-- %s\n\n%s\n", file, strings.TrimSpace(strings.ReplaceAll(texts[title][file], "\r", "")))
		}
		out.WriteString("\n")
	}
	return out.String(), errors.Join(problems...)
}

// gather reads the texts in a folder of a module into files.
func gather(files map[string]string, module, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(module, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)] = string(text)
	}
	return nil
}

// linked lists the packages that are in the binary for a target.
func linked(root, target string) (out []pack, err error) {
	c := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/parley")
	c.Dir, c.Env = root, environ(target)
	var problem strings.Builder
	c.Stderr = &problem
	data, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list for %s: %w\n%s", target, err, problem.String())
	}
	for d := json.NewDecoder(strings.NewReader(string(data))); ; {
		var p pack
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
}

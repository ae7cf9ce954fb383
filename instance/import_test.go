package instance_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layers say who may import whom: only what stands lower. Leaves of one layer
// know nothing of each other.
var layers = map[string]int{
	"cmd/parley": 0, "instance": 2, "instance/instancetest": 1, "instance/demo": 1,
	"web": 3, "api": 3, "federation": 3, "storage": 3, "storage/blob": 3,
	"auth": 4, "serve": 4, "social": 5,
	"text": 6, "queue": 6, "activitypub": 6, "activitypub/httpsig": 6, "activitypub/proof": 6, "outbound": 6, "media": 6, "config": 6,
}

func TestImportsPointDown(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != "..") {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		name := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), "../"))
		from, known := layers[name]
		if !known {
			t.Errorf("package %s stands in no layer", name)
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if to, ours := strings.CutPrefix(to, "parley/"); ours && layers[to] <= from {
				t.Errorf("%s imports %s, which does not stand below it", path, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// There is one place that POSTs to other servers.
func TestOnlyEgressPosts(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil || len(files) < 20 {
		t.Fatal(err, len(files))
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		posts, clients := calls(f)
		if posts > 0 && filepath.ToSlash(file) != "../federation/egress.go" {
			t.Errorf("%s sends past egress", file)
		}
		if clients > 0 && filepath.ToSlash(file) != "../outbound/outbound.go" {
			t.Errorf("%s has an HTTP client of its own", file)
		}
		found += posts
	}
	if found != 1 {
		t.Errorf("%d places send", found)
	}
}

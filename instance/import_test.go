package instance_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers say who may import whom: only what stands lower. Leaves of one layer
// know nothing of each other.
var layers = map[string]int{
	"cmd/parley": 0, "deploy/release": 0, "instance": 2, "instance/instancetest": 1, "instance/demo": 1,
	"web": 3, "api": 3, "federation": 3, "storage": 3, "storage/blob": 3, "storage/storagetest": 2,
	"auth": 4, "serve": 4, "live": 4, "notify": 4, "social": 5,
	"openapi": 6, "deploy": 6, "text": 6, "queue": 6, "activitypub": 6, "activitypub/httpsig": 6, "activitypub/proof": 6, "activitypub/seal": 6, "outbound": 6, "media": 6, "metrics": 6, "config": 6,
}

// sources parses every Go file that is not a test.
func sources(t *testing.T, mode parser.Mode, look func(file, pkg string, f *ast.File)) {
	t.Helper()
	n := 0
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
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
		if err != nil {
			return err
		}
		n++
		file := strings.TrimPrefix(filepath.ToSlash(path), "../")
		look(file, file[:strings.LastIndexByte(file, '/')], f)
		return nil
	})
	if err != nil || n < 40 {
		t.Fatalf("%d files: %v", n, err)
	}
}

func TestImportsPointDown(t *testing.T) {
	sources(t, parser.ImportsOnly, func(file, pkg string, f *ast.File) {
		from, known := layers[pkg]
		if !known {
			t.Errorf("package %s stands in no layer", pkg)
		}
		for _, i := range f.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if to, ours := strings.CutPrefix(to, "parley/"); ours && layers[to] <= from {
				t.Errorf("%s imports %s, which does not stand below it", file, to)
			}
		}
	})
}

// clients may hold the guarded client: those that fetch and deliver, and what wires
// them. Another one is a decision, not an import.
var clients = []string{"federation", "instance", "notify"}

// There is one client that reaches other machines (B1), and one place that POSTs
// with it (T60); beside it, an administrator's answer to a code, before there is a peer, and general words to the
// browsers and apps of members.
func TestOnlyEgressPosts(t *testing.T) {
	var posts []string
	sources(t, 0, func(file, pkg string, f *ast.File) {
		n, reaches := calls(f)
		if n > 0 {
			posts = append(posts, fmt.Sprintf("%s (%d)", file, n))
		}
		if len(reaches) > 0 && pkg != "outbound" {
			t.Errorf("%s reaches out past package outbound: %v", file, reaches)
		}
		for _, i := range f.Imports {
			if i.Path.Value == `"parley/outbound"` && !slices.Contains(clients, pkg) {
				t.Errorf("%s has no business with the outgoing client", file)
			}
		}
	})
	if want := []string{"federation/egress.go (1)", "federation/pair.go (1)", "notify/push.go (1)"}; !slices.Equal(posts, want) {
		t.Errorf("activities are sent by %v", posts)
	}
}

package storagetest

import (
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"testing"

	"parley/auth"
	"parley/queue"
	"parley/social"
)

//go:embed *.go
var sources embed.FS

// Complete fails for each method of the ports that no part of the suite names: it
// reads the suite, so that a method added later is not forgotten.
func Complete(t *testing.T) {
	files, err := sources.ReadDir(".")
	must(t, err)
	used := map[string]bool{}
	for _, f := range files {
		text, err := sources.ReadFile(f.Name())
		must(t, err)
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), text, 0)
		must(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if on, ok := s.X.(*ast.Ident); ok && (on.Name == "tx" || on.Name == "db") {
					used[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	for _, port := range []reflect.Type{reflect.TypeFor[social.Tx](), reflect.TypeFor[social.Store](), reflect.TypeFor[queue.Store](),
		reflect.TypeFor[queue.Admin](), reflect.TypeFor[auth.Store]()} {
		for i := range port.NumMethod() {
			if name := port.Method(i).Name; !used[name] {
				t.Errorf("no part of the suite calls %s.%s", port, name)
			}
		}
	}
}

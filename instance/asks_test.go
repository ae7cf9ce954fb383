package instance_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// askers may GET from other servers, each a place that a paired peer's answer cannot
// get past unopened: ask and askOpenly sign and open, getFile refuses paired peers,
// challenge opens by itself, instanceAt looks at keys that the code's fingerprint or the
// HMAC decide about. Another one is a decision.
var askers = []string{"federation/fetch.go ask", "federation/fetch.go askOpenly", "federation/file.go getFile", "federation/pair.go instanceAt", "federation/park.go challenge",
	"instance/doctor_network.go checkAnswer"} // of its own domain

// Whatever is asked of a paired peer is signed, and its answer opened (DESIGN 4).
func TestOnlyKnownPlacesAsk(t *testing.T) {
	var found []string
	sources(t, 0, func(file, pkg string, f *ast.File) {
		if pkg == "outbound" {
			return
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				// Whatever the client is called there: Get(ctx, purpose, address, sign).
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Get" && len(call.Args) == 4 {
					found = append(found, fmt.Sprintf("%s %s", file, fn.Name.Name))
				}
				return true
			})
		}
	})
	slices.Sort(found)
	if !slices.Equal(found, askers) {
		t.Errorf("other servers are asked by\n%s", strings.Join(found, "\n"))
	}
}

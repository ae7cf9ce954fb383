package instance_test

import "go/ast"

// calls counts where a file POSTs through the guarded client, and where it uses
// or makes a client of net/http.
func calls(f *ast.File) (posts, clients int) {
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if inner, ok := sel.X.(*ast.SelectorExpr); ok && inner.Sel.Name == "Client" && sel.Sel.Name == "Post" {
			posts++
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "http" {
			switch sel.Sel.Name {
			case "Client", "DefaultClient", "Get", "Post", "PostForm", "Head", "Transport", "DefaultTransport":
				clients++
			}
		}
		return true
	})
	return posts, clients
}

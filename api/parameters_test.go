package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is this package as it is written, to find out which parameters each route reads.
type source struct {
	*testing.T
	funcs map[string]*ast.FuncDecl // by their names, methods with that of their receiver: a.upload
	// takers read what a parameter of theirs names: the parameter's place, by their names.
	takers map[string]int
}

// accessors read what their first argument names.
var accessors = []string{"c.bool", "c.maybeBool", "c.maybeText", "c.list", "c.id", "c.ids", "c.number", "c.rows"}

func parse(t *testing.T) *source {
	t.Helper()
	s := &source{T: t, funcs: map[string]*ast.FuncDecl{}, takers: map[string]int{}}
	for _, name := range accessors {
		s.takers[name] = 0
	}
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range names {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				name := fn.Name.Name
				if fn.Recv != nil && len(fn.Recv.List[0].Names) > 0 {
					name = fn.Recv.List[0].Names[0].Name + "." + name
				}
				s.funcs[name] = fn
			}
		}
	}
	for more := true; more; { // whoever hands a parameter on to one that reads it reads it too
		n := len(s.takers)
		for name, fn := range s.funcs {
			s.taker(name, fn.Type, fn.Body)
			ast.Inspect(fn.Body, func(node ast.Node) bool { // kinds := func(name string) …
				if set, ok := node.(*ast.AssignStmt); ok && len(set.Lhs) == 1 && len(set.Rhs) == 1 {
					to, named := set.Lhs[0].(*ast.Ident)
					if lit, is := set.Rhs[0].(*ast.FuncLit); named && is {
						s.taker(to.Name, lit.Type, lit.Body)
					}
				}
				return true
			})
		}
		more = len(s.takers) > n
	}
	return s
}

// taker notes a function that reads what one of its parameters names.
func (s *source) taker(name string, of *ast.FuncType, body *ast.BlockStmt) {
	at := 0
	for _, field := range of.Params.List {
		for _, p := range field.Names {
			s.reads(body, func(arg ast.Expr) {
				if id, ok := arg.(*ast.Ident); ok && id.Name == p.Name {
					if _, known := s.takers[name]; !known {
						s.takers[name] = at
					}
				}
			})
			at++
		}
	}
}

// sentValues says whether an expression is what a caller sent: c.in, or url.Values that it
// was handed on as, or the files that came with it.
func sentValues(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name == "in" || e.Sel.Name == "File"
	case *ast.Ident:
		return e.Name == "q"
	}
	return false
}

// method names one of this package by its receiver, as the package calls them: a, c, or
// c.api, which is a.
func method(e *ast.SelectorExpr) string {
	switch base := e.X.(type) {
	case *ast.Ident:
		return base.Name + "." + e.Sel.Name
	case *ast.SelectorExpr:
		if base.Sel.Name == "api" {
			return "a." + e.Sel.Name
		}
	}
	return ""
}

// reads visits the names of parameters that a body reads itself.
func (s *source) reads(body ast.Node, visit func(name ast.Expr)) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IndexExpr:
			if sentValues(n.X) {
				visit(n.Index)
			}
		case *ast.CallExpr:
			name := ""
			switch f := n.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				if sel := f.Sel.Name; (sel == "Get" || sel == "Has") && sentValues(f.X) {
					visit(n.Args[0])
				}
				name = method(f)
			}
			if at, ok := s.takers[name]; ok && at < len(n.Args) {
				visit(n.Args[at])
			}
		}
		return true
	})
}

// of collects the parameters that an expression or function reads, with all that it calls.
// open says that it looks through whatever was sent.
func (s *source) of(n ast.Node, names map[string]bool, seen map[string]bool) (open bool) {
	s.reads(n, func(arg ast.Expr) {
		for _, name := range s.texts(n, arg) {
			names[strings.TrimSuffix(name, "[]")] = true
		}
	})
	ast.Inspect(n, func(node ast.Node) bool {
		name := ""
		switch node := node.(type) {
		case *ast.RangeStmt:
			if sentValues(node.X) {
				open = true
			}
		case *ast.SelectorExpr:
			name = method(node)
		case *ast.Ident:
			name = node.Name
		}
		if fn := s.funcs[name]; fn != nil && !seen[name] && !slices.Contains(accessors, name) {
			seen[name] = true
			open = s.of(fn.Body, names, seen) || open
		}
		return true
	})
	return open
}

// texts are what an argument can be: a literal, the beginning of a sum, or what a loop
// around it goes through.
func (s *source) texts(around ast.Node, arg ast.Expr) (all []string) {
	switch arg := arg.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(arg.Value)
		if err != nil {
			s.Fatal(err)
		}
		return []string{text}
	case *ast.BinaryExpr:
		for _, start := range s.texts(around, arg.X) {
			if end := s.texts(around, arg.Y); len(end) == 1 && end[0] == "[]" {
				return []string{start}
			}
			all = append(all, strings.TrimSuffix(start, "*")+"*")
		}
	case *ast.Ident:
		ast.Inspect(around, func(n ast.Node) bool {
			loop, ok := n.(*ast.RangeStmt)
			if !ok {
				return true
			}
			lit, is := loop.X.(*ast.CompositeLit)
			for i, v := range []ast.Expr{loop.Key, loop.Value} {
				if id, named := v.(*ast.Ident); !is || !named || id.Name != arg.Name {
					continue
				}
				for _, e := range lit.Elts {
					if kv, pair := e.(*ast.KeyValueExpr); pair {
						e = []ast.Expr{kv.Key, kv.Value}[i]
					}
					if _, text := e.(*ast.BasicLit); text {
						all = append(all, s.texts(around, e)...)
					}
				}
			}
			return true
		})
	}
	return all
}

// constant evaluates the address of a route.
func (s *source) constant(e ast.Expr, local map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		return s.constant(e.X, local) + s.constant(e.Y, local)
	case *ast.Ident:
		return local[e.Name]
	}
	return ""
}

// routes are what each route of the package runs.
func (s *source) routes() map[string]ast.Expr {
	all := map[string]ast.Expr{}
	for name, fn := range s.funcs {
		if !strings.HasSuffix(name, "Routes") {
			continue
		}
		local := map[string]string{}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, v := range n.Values {
					local[n.Names[i].Name] = s.constant(v, local)
				}
			case *ast.CompositeLit:
				at, run := "", ast.Expr(nil)
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok {
						switch key, _ := kv.Key.(*ast.Ident); {
						case key != nil && key.Name == "route":
							at = s.constant(kv.Value, local)
						case key != nil && key.Name == "run":
							run = kv.Value
						}
					}
				}
				if run != nil {
					all[pattern.ReplaceAllString(at, "}")] = run
				}
			}
			return true
		})
	}
	return all
}

// listed are the parameters of an operation as the document names them.
func listed(o object) []string {
	names := map[string]bool{}
	if list, ok := o["parameters"].([]any); ok {
		for _, p := range list {
			if at(p, "in") == "query" {
				names[strings.TrimSuffix(text(p, "name"), "[]")] = true
			}
		}
	}
	var walk func(prefix string, schema any)
	walk = func(prefix string, schema any) {
		of, ok := at(schema, "properties").(object)
		if !ok {
			names[prefix] = true
			return
		}
		for name, sub := range of {
			if prefix != "" {
				name = prefix + "[" + name + "]"
			}
			walk(name, sub)
		}
	}
	if body, ok := at(o, "requestBody.content").(object); ok {
		if form, ok := body["multipart/form-data"]; ok {
			walk("", at(form, "schema"))
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// ofStreams are what one function reads for all streams, and by the name of the stream.
var ofStreams = map[string]string{"tag": "hashtag", "list": "list", "group": "group"}

// The document lists for each operation what its code reads of query and body, and nothing
// that it does not: found in the source, since no test sends everything everywhere.
func TestDocumentListsWhatIsRead(t *testing.T) {
	s := parse(t)
	runs := s.routes()
	checked := 0
	for _, o := range promised().operations {
		name := o.method + " " + o.path
		run := runs[name]
		if run == nil {
			continue // TestDocumentHasEveryRoute knows who serves it
		}
		operation, _ := down(promised().document, []string{"paths", o.path, strings.ToLower(o.method)})
		read := map[string]bool{}
		open := s.of(run, read, map[string]bool{"a.Document": true})
		told := listed(operation)
		fits := func(read, told string) bool {
			start, some := strings.CutSuffix(read, "*")
			return read == told || some && strings.HasPrefix(told, start)
		}
		for one := range read {
			if only := ofStreams[one]; only != "" && strings.Contains(o.path, "/streaming/") && !strings.HasSuffix(strings.TrimSuffix(o.path, "/local"), only) {
				continue
			}
			if checked++; !slices.ContainsFunc(told, func(t string) bool { return fits(one, t) }) {
				t.Errorf("%s reads %s, which the document does not list", name, one)
			}
		}
		for _, one := range told {
			if !open && !slices.ContainsFunc(slices.Collect(maps.Keys(read)), func(r string) bool { return fits(r, one) }) {
				t.Errorf("%s does not read %s, which the document lists", name, one)
			}
		}
	}
	if checked < 200 {
		t.Errorf("only %d parameters were found in the source", checked)
	}
}

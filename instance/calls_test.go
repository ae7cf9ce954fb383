package instance_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reach lists what opens a connection to another machine, or asks its resolver, by
// package; "*" is all of a package.
var reach = map[string][]string{
	"net/http": {"Client", "DefaultClient", "Get", "Head", "Post", "PostForm", "Transport", "DefaultTransport", "ProxyURL", "ProxyFromEnvironment"},
	"net": {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Resolver", "DefaultResolver",
		"LookupAddr", "LookupCNAME", "LookupHost", "LookupIP", "LookupMX", "LookupNS", "LookupPort", "LookupSRV", "LookupTXT",
		"ResolveIPAddr", "ResolveTCPAddr", "ResolveUDPAddr"},
	"crypto/tls":                   {"Client", "Dial", "DialWithDialer", "Dialer"},
	"syscall":                      {"Socket", "Connect", "Sendto"},
	"golang.org/x/sys/unix":        {"Socket", "Connect", "Sendto"},
	"net/smtp":                     {"*"},
	"net/rpc":                      {"*"},
	"net/rpc/jsonrpc":              {"*"},
	"net/http/httputil":            {"*"},
	"golang.org/x/net/http2":       {"*"},
	"golang.org/x/net/proxy":       {"*"},
	"golang.org/x/net/websocket":   {"*"},
	"golang.org/x/net/icmp":        {"*"},
	"github.com/gorilla/websocket": {"Dialer", "DefaultDialer", "NewClient"},
}

// calls finds in a file what can send: posts are uses of the guarded client's POST,
// reaches are ways past that client.
func calls(f *ast.File) (posts int, reaches []string) {
	imported := map[string]string{} // name in this file -> path
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			panic(err) // the parser has read it
		}
		name := path.Base(p)
		if i.Name != nil {
			name = i.Name.Name
		}
		imported[name] = p
		if names := reach[p]; slices.Contains(names, "*") || len(names) > 0 && name == "." {
			reaches = append(reaches, p)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			// Whatever the client is called there: Post(ctx, address, body, sign).
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Post" && len(n.Args) == 4 {
				posts++
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && x.Obj == nil && slices.Contains(reach[imported[x.Name]], n.Sel.Name) {
				reaches = append(reaches, imported[x.Name]+"."+n.Sel.Name)
			}
		}
		return true
	})
	return posts, reaches
}

// The detector itself: what it must see, and what it must not take for more.
func TestCallsSeesWhatReachesOut(t *testing.T) {
	for source, want := range map[string]string{
		`import "net/http"; var c http.Client`:                                                   "net/http.Client",
		`import "net/http"; var c = &http.Client{}`:                                              "net/http.Client",
		`import h "net/http"; func f() { h.Get("x") }`:                                           "net/http.Get",
		`import "net/http"; func f() { http.DefaultClient.Do(nil) }`:                             "net/http.DefaultClient",
		`import "net/http"; var get = http.Get`:                                                  "net/http.Get",
		`import . "net/http"`:                                                                    "net/http",
		`import "net"; func f() { net.Dial("tcp", "x") }`:                                        "net.Dial",
		`import "net"; var d net.Dialer`:                                                         "net.Dialer",
		`import "net"; func f() { net.LookupHost("x") }`:                                         "net.LookupHost",
		`import "crypto/tls"; func f() { tls.Dial("tcp", "x", nil) }`:                            "crypto/tls.Dial",
		`import "net/http/httputil"`:                                                             "net/http/httputil",
		`import _ "net/smtp"`:                                                                    "net/smtp",
		`import "net/http"; var r http.Request; func f(w http.ResponseWriter) {}`:                "",
		`import "net/http"; func f() { http.Error(nil, "", 500); http.NewServeMux() }`:           "",
		`import "net"; func f() { net.Listen("tcp", ""); net.SplitHostPort("") }`:                "",
		`import "x/http"; func f() { http.Get("x") }`:                                            "",
		`import "net/http"; var _ http.Handler; func f(http struct{ Get int }) { _ = http.Get }`: "",
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := calls(f); strings.Join(got, " ") != want {
			t.Errorf("%s: %v", source, got)
		}
	}
	for source, want := range map[string]int{
		`func f() { s.Client.Post(ctx, a, b, nil) }`:                                  1,
		`func f() { c := s.Client; c.Post(a, b, c, d); s.client().Post(a, b, c, d) }`: 2,
		`func f() { tx.Post(ctx, id); links.Post(a, b) }`:                             0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := calls(f); got != want {
			t.Errorf("%s: %d", source, got)
		}
	}
}

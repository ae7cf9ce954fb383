package web

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gorilla/mux"
)

// source is all that can ask for a text: templates and code.
func source(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := fs.WalkDir(files, "template", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(path)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Every text of a page exists in both languages, with the same places to fill in.
func TestWordsAreComplete(t *testing.T) {
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$?\.T "([a-z_.]+)"`).FindAllStringSubmatch(source(t), -1) {
		used[m[1]] = true
	}
	for key := range keysInCode(t) {
		used[key] = true
	}
	if len(used) < 80 {
		t.Fatalf("only %d texts are asked for", len(used))
	}
	for key := range used {
		if _, ok := words[key]; !ok {
			t.Errorf("%q has no text", key)
		}
	}
	places := regexp.MustCompile(`%[.0-9]*[a-z]`)
	for k, w := range words {
		if w[0] == "" || w[1] == "" {
			t.Errorf("%s is empty in one language", k)
		}
		if en, de := places.FindAllString(w[0], -1), places.FindAllString(w[1], -1); strings.Join(en, "") != strings.Join(de, "") {
			t.Errorf("%s has other places to fill in", k)
		}
		if !used[k] && !strings.HasPrefix(k, "aud_") && !notices[k] && !kinds[k] {
			t.Errorf("nobody asks for %q", k)
		}
	}
	for k, w := range counted {
		for _, text := range w {
			if strings.Count(text, "%d") != 1 {
				t.Errorf("%s: %q has no place for the number", k, text)
			}
		}
	}
	for _, m := range regexp.MustCompile(`\.N "([a-z_]+)"`).FindAllStringSubmatch(source(t), -1) {
		if _, ok := counted[m[1]]; !ok {
			t.Errorf("%q has no counted text", m[1])
		}
	}
}

// kinds are texts that are asked for by a notification's kind.
var kinds = map[string]bool{"mention": true, "favourite": true, "reblog": true, "follow_request": true, "update": true, "admin.report": true, "only_": true, "only_mentions": true, "only_follows": true, "only_reactions": true, "only_answers": true, "only_reminders": true,
	"told_favourite": true, "told_reblog": true, "told_follow": true, "told_update": true, "told_poll": true,
	"remind_": true, "remind_tomorrow": true, "remind_monday": true, "remind_month": true, "remind_at": true,
	"step_picture": true, "step_picture_intro": true, "step_skills": true, "step_skills_intro": true, "step_people": true, "step_people_intro": true,
	"step_groups": true, "step_groups_intro": true, "step_post": true, "step_post_intro": true,
	"like": true, "share": true, "bookmark": true, "write": true, "your_reply": true, "your_answer": true, "dead_reset": true, "dead_setup": true, "dead_setup_done": true}

// keysInCode lists the keys in calls of T and titled.
func keysInCode(t *testing.T) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	each(t, ".", func(call *ast.CallExpr, name string) {
		if name == "T" || name == "titled" {
			if key, ok := literal(call.Args[0]); ok {
				keys[key] = true
			}
		}
	})
	return keys
}

// each calls see for every call in a package's code, without its tests.
func each(t *testing.T, dir string, see func(call *ast.CallExpr, name string)) {
	t.Helper()
	names, err := filepath.Glob(dir + "/*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 {
				switch f := call.Fun.(type) {
				case *ast.SelectorExpr:
					see(call, f.Sel.Name)
				case *ast.Ident:
					see(call, f.Name)
				}
			}
			return true
		})
	}
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// Every error that a person may see has a German text too, with the same places.
func TestErrorsSpeakGerman(t *testing.T) {
	found := 0
	places := regexp.MustCompile(`%[.0-9]*[a-z]`)
	for _, dir := range []string{"../social", "../auth", "."} {
		each(t, dir, func(call *ast.CallExpr, name string) {
			if name != "Errorf" || len(call.Args) < 2 {
				return
			}
			english, ok := literal(call.Args[1])
			if !ok {
				return
			}
			found++
			text, ok := german[english]
			if !ok {
				t.Errorf("%s: no German for %q; add it to german.go", dir, english)
			} else if strings.Join(places.FindAllString(english, -1), "") != strings.Join(places.FindAllString(text, -1), "") {
				t.Errorf("other places in %q", text)
			}
		})
	}
	if found < 40 {
		t.Errorf("only %d errors found", found)
	}
}

// codeWords are for code and administrators; people read the words of the design.
var codeWords = regexp.MustCompile(`(?i)\b(audience|instance|instanz|sister|peer|zone|boost|favou?rite|reblog|unlisted|authority|inbox|actor|visibility|null|nil)\b|partner:`)

// Whatever a page can say is in these tables or is an error: none has a code word.
func TestCodeWordsReachNoPage(t *testing.T) {
	say := func(where, text string) {
		if bad := codeWords.FindString(text); bad != "" {
			t.Errorf("%s says %q: %s", where, bad, text)
		}
	}
	for k, w := range words {
		say(k, w[0])
		say(k, w[1])
	}
	for k, w := range counted {
		say(k, strings.Join(w[:], " "))
	}
	for _, text := range german {
		say("german", text)
	}
	for _, text := range plain {
		say("plain", text)
	}
	for _, dir := range []string{"../social", "../auth", "../serve", "."} {
		each(t, dir, func(call *ast.CallExpr, name string) {
			if english, ok := "", name == "Errorf" && len(call.Args) > 1; ok {
				if english, ok = literal(call.Args[1]); ok && plain[english] == "" {
					say(dir, english)
				}
			}
		})
	}
	// Templates hold no text of their own, but for commands.
	for _, m := range regexp.MustCompile(`>([^<>{}]*[A-Za-z][^<>{}]*)<`).FindAllStringSubmatch(source(t), -1) {
		if text := strings.TrimSpace(m[1]); text != "English" && text != "Deutsch" && !strings.HasPrefix(text, "parley ") {
			t.Errorf("a template says %q", text)
		}
	}
}

// Where the organisation names no group of companies, no text speaks of one; but for
// those that ask for its name, and a word of the search.
func TestWordsWithoutAGroupOfCompanies(t *testing.T) {
	speaks := regexp.MustCompile(`(?i)\b(group|groups)\b|gruppe`)
	places := regexp.MustCompile(`%[.0-9]*[a-z]`)
	asks := map[string]bool{"group": true, "group_of_companies": true, "server_steps_intro": true, "server_group": true, "find_example": true}
	for _, language := range []string{"en", "de"} {
		f := &frame{Language: language}
		for k, w := range words {
			if said := f.T(k); speaks.MatchString(said) && !asks[k] {
				t.Errorf("%s says %q", k, said)
			} else if strings.Join(places.FindAllString(said, -1), "") != strings.Join(places.FindAllString(w[0], -1), "") {
				t.Errorf("%s has other places to fill in: %q", k, said)
			}
		}
		for k := range alone {
			w := words[k]
			if f.Org.Group = "Muster"; w == alone[k] || !slices.Contains(w[:], f.T(k)) {
				t.Errorf("%s says %q where there is a group", k, f.T(k))
			}
		}
	}
	for k, w := range counted {
		if speaks.MatchString(strings.Join(w[:], " ")) {
			t.Errorf("%s speaks of a group", k)
		}
	}
}

// The weight of all that is embedded, as it goes over the line: a page cannot load more.
func TestStaticFilesAreLight(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	weight := map[string]int{}
	for name, one := range a.files {
		kind := path.Ext(name)
		if strings.HasPrefix(name, "admin") {
			kind = "admin" + kind
		}
		weight[kind] += min(len(one.plain), cmp.Or(len(one.packed), len(one.plain)))
		if outside := regexp.MustCompile(`https?://(?:[^w]|w[^w])[^"' )]*|@import|url\(`).FindString(string(one.plain)); outside != "" {
			t.Errorf("%s loads %s", name, outside)
		}
	}
	for kind, most := range map[string]int{".css": 15 << 10, ".js": 40 << 10, "admin.js": 25 << 10} {
		t.Logf("%s: %d bytes", kind, weight[kind])
		if weight[kind] > most {
			t.Errorf("%s: %d bytes, at most %d", kind, weight[kind], most)
		}
	}
	if weight[".css"] < 1000 || weight[".js"] < 1000 {
		t.Errorf("too little to be true: %v", weight)
	}
}

// The modules become one script, each once and behind what it imports; what the joining
// does not know stops the start.
func TestModulesAreJoined(t *testing.T) {
	join := func(modules map[string]string) (string, error) {
		var out bytes.Buffer
		in := map[string][]byte{}
		for name, text := range modules {
			in[name] = []byte(text)
		}
		err := joinModules(&out, in, "a.js", map[string]bool{})
		return out.String(), err
	}
	got, err := join(map[string]string{"a.js": "// about\nimport \"./b.js\";\nimport { c } from \"./c.js\";\nc();\n", "b.js": "import { c } from \"./c.js\";\nc();\n", "c.js": "export async function c() {}\nexport const d = 1;\n"})
	want := "const $c = (() => {\nasync function c() {}\nconst d = 1;\nreturn { c, d };\n})();\n" +
		"const $b = (() => {\nconst { c } = $c;\nc();\nreturn {  };\n})();\n" +
		"const $a = (() => {\n// about\nconst { c } = $c;\nc();\nreturn {  };\n})();\n"
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
	for _, wrong := range []map[string]string{
		{"a.js": "import \"./none.js\";\n"}, {"a.js": "\nimport x from \"./b.js\";\n", "b.js": ""}, {"a.js": "\nexport default 1;\n"},
		{"a.js": "import \"./b.js\";\n", "b.js": "import \"./a.js\";\n"},
	} {
		if got, err := join(wrong); err == nil {
			t.Errorf("%v became %s", wrong, got)
		}
	}
}

// Files keep their address for as long as they stay the same.
func TestStaticFilesAreKept(t *testing.T) {
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := mux.NewRouter()
	w.Mount(r)
	get := func(path, accepts string) *http.Response {
		rec := httptest.NewRecorder()
		req := httptest.NewRequest("GET", path, nil)
		req.Header.Set("Accept-Encoding", accepts)
		r.ServeHTTP(rec, req)
		return rec.Result()
	}
	address, err := w.assets.path(styles)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct{ path, accepts, kept, encoding string }{
		{address, "gzip, br", "public, max-age=31536000, immutable", "gzip"}, {address, "", "public, max-age=31536000, immutable", ""},
		{"/static/0123456789ab/" + styles, "gzip", "no-cache", "gzip"}, {"/static/" + styles, "gzip", "public, max-age=3600", "gzip"},
	} {
		res := get(one.path, one.accepts)
		if res.StatusCode != 200 || res.Header.Get("Cache-Control") != one.kept || res.Header.Get("Content-Encoding") != one.encoding || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/css") {
			t.Errorf("%s: %d %v", one.path, res.StatusCode, res.Header)
		}
	}
	if res := get("/static/none.css", ""); res.StatusCode != 404 {
		t.Errorf("answered %d", res.StatusCode)
	}
	if _, err := w.assets.path("none.css"); err == nil {
		t.Error("a page may name what is not there")
	}
}

// A form's next page is one of ours.
func TestOursIsAPathHere(t *testing.T) {
	for to, want := range map[string]bool{"/": true, "/@bob@b.test/1?older=2#p3": true, "": false, "//evil.test": false, "/\\evil.test": false,
		"https://evil.test": false, "/\t/evil.test": false, "javascript:alert(1)": false} {
		if ours(to) != want {
			t.Errorf("%q: %v", to, !want)
		}
	}
}

// A template that nobody shows is dead, or was forgotten: each page names its file, and
// each part is put somewhere.
func TestEveryTemplateIsShown(t *testing.T) {
	code, markup := "", ""
	for _, pattern := range []string{"*.go", "template/*.html", "template/part/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case strings.HasSuffix(name, "_test.go"):
			case strings.HasSuffix(name, ".go"):
				code += string(b)
			default:
				markup += string(b)
				if page := filepath.Base(name); filepath.Dir(name) == "template" && !strings.Contains(code, `return "`+page+`"`) {
					t.Errorf("no page shows %s", name)
				}
			}
		}
	}
	n := 0
	for _, m := range regexp.MustCompile(`{{-? *define "([a-z_]+)"`).FindAllStringSubmatch(markup, -1) {
		if n++; m[1] != "main" && m[1] != "layout" && m[1] != "head" && !strings.Contains(markup, `template "`+m[1]+`"`) && !strings.Contains(code, `showPart(p, "`+m[1]+`"`) && !strings.Contains(code, `"`+m[1]+`", p.Card(`) {
			t.Errorf("nothing shows the part %q", m[1])
		}
	}
	if n < 30 {
		t.Errorf("only %d parts", n)
	}
}

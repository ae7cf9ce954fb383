package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/gorilla/mux"
)

// assets are the embedded files as browsers load them. Their addresses hold a hash of
// all of them, so that a browser keeps each for ever and modules of one version import
// those of the same.
type assets struct {
	version string
	files   map[string]asset
}

type asset struct {
	kind          string
	plain, packed []byte // packed is nil where gzip wins nothing
}

// styles is the one style sheet; it is made of the files in static/css, in their order.
// scripts is the one script of members; it is made of the modules that its file imports.
const (
	styles  = "parley.css"
	scripts = "parley.js"
	worker  = "worker.js" // runs apart from pages
)

func loadAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}}
	sum := sha256.New()
	var sheet []byte
	modules := map[string][]byte{}
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		sum.Write(b)
		switch {
		case path.Ext(name) == ".css":
			sheet = append(sheet, b...)
			return nil
		case path.Ext(name) == ".js" && path.Base(name) != worker:
			modules[path.Base(name)] = b
			return nil
		}
		return a.add(path.Base(name), b)
	})
	if err != nil {
		return nil, err
	}
	a.version = hex.EncodeToString(sum.Sum(nil)[:6])
	var script bytes.Buffer
	if err := joinModules(&script, modules, scripts, map[string]bool{}); err != nil {
		return nil, err
	}
	return a, errors.Join(a.add(styles, sheet), a.add(scripts, script.Bytes()))
}

var (
	importLine = regexp.MustCompile(`(?m)^import (?:(\{ [\w, ]+ \}) from )?"\./(([a-z]+)\.js)";\n`)
	exportLine = regexp.MustCompile(`(?m)^export ((?:async )?function|class|const) (\w+)`)
)

// joinModules writes a module behind those that it imports, each in a scope of its own:
// one request instead of many. It knows the two forms of import and the four of export
// that the modules here have.
func joinModules(out *bytes.Buffer, modules map[string][]byte, name string, done map[string]bool) error {
	text, ok := modules[name]
	if !ok {
		return fmt.Errorf("there is no module %s, or it imports itself in a circle", name)
	}
	delete(modules, name)
	for _, m := range importLine.FindAllSubmatch(text, -1) {
		if !done[string(m[2])] {
			if err := joinModules(out, modules, string(m[2]), done); err != nil {
				return err
			}
		}
	}
	done[name] = true
	var exports []string
	for _, m := range exportLine.FindAllSubmatch(text, -1) {
		exports = append(exports, string(m[2]))
	}
	text = importLine.ReplaceAllFunc(text, func(line []byte) []byte {
		m := importLine.FindSubmatch(line)
		if m[1] == nil {
			return nil
		}
		return fmt.Appendf(nil, "const %s = $%s;\n", m[1], m[3])
	})
	text = exportLine.ReplaceAll(text, []byte("$1 $2"))
	if bytes.Contains(text, []byte("\nimport ")) || bytes.Contains(text, []byte("\nexport ")) {
		return fmt.Errorf("%s imports or exports in a form that is not known here", name)
	}
	fmt.Fprintf(out, "const $%s = (() => {\n%s\nreturn { %s };\n})();\n", strings.TrimSuffix(name, ".js"), bytes.TrimSpace(text), strings.Join(exports, ", "))
	return nil
}

func (a *assets) add(name string, plain []byte) error {
	if _, ok := a.files[name]; ok {
		return fmt.Errorf("two files are called %s", name)
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".js" {
		kind = "text/javascript; charset=utf-8"
	}
	one := asset{kind: kind, plain: plain}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(plain); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if b.Len() < len(plain) {
		one.packed = b.Bytes()
	}
	a.files[name] = one
	return nil
}

// path is the address of a file; a page that names one that is not there is broken.
func (a *assets) path(name string) (string, error) {
	if _, ok := a.files[name]; !ok {
		return "", fmt.Errorf("there is no %s", name)
	}
	return "/static/" + a.version + "/" + name, nil
}

// static serves the embedded files: for ever under their version, and with the present
// content under that of another version, which a page opened before an update asks for.
func (w *Web) static(rw http.ResponseWriter, r *http.Request) {
	vars := mux.Vars(r)
	one, ok := w.assets.files[vars["name"]]
	if !ok {
		http.NotFound(rw, r)
		return
	}
	h := rw.Header()
	h.Set("Content-Type", one.kind)
	h.Set("Vary", "Accept-Encoding")
	switch vars["version"] {
	case w.assets.version:
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	case "":
		h.Set("Cache-Control", "public, max-age=3600")
	default:
		h.Set("Cache-Control", "no-cache")
	}
	body, tag := one.plain, w.assets.version
	if one.packed != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body, tag = one.packed, tag+"-gzip"
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(body))
}

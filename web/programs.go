package web

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"parley/openapi"
)

// programsPage is the document of the API, for people who write programs.
type programsPage struct {
	*frame
	Themes []programTheme
	Types  []programType
}

func (programsPage) file() string { return "programs.html" }

type programTheme struct {
	Name   string
	Routes []programRoute
}

// Anchor is its id on the page.
func (t programTheme) Anchor() string { return strings.ReplaceAll(t.Name, ": ", "-") }

type programRoute struct {
	Method, Path, Does, Scope string
	Takes                     []programField
	Gives                     programKind
}

type programField struct {
	Name, Meaning string
	Kind          programKind
	Needed        bool
}

// programKind says what a value is: of a type of the page, or as JSON calls it.
type programKind struct {
	Type, Plain string
	Many, Null  bool
}

type programType struct {
	Name   string
	Fields []programField
}

func (w *Web) programs(p *page) error {
	return w.show(p, http.StatusOK, programsPage{frame: p.titled("programs"), Themes: themesOf(w.API), Types: typesOf(w.API)})
}

func themesOf(d *openapi.Document) (themes []programTheme) {
	at := map[string]int{}
	for _, t := range d.Tags {
		at[t.Name] = len(themes)
		themes = append(themes, programTheme{Name: t.Name})
	}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			o := d.Paths[path][method]
			t := &themes[at[o.Tags[0]]]
			t.Routes = append(t.Routes, routeOf(strings.ToUpper(method), path, o))
		}
	}
	return themes
}

func routeOf(method, path string, o *openapi.Operation) programRoute {
	r := programRoute{Method: method, Path: path, Does: o.Summary}
	for _, of := range o.Security {
		r.Scope = strings.Join(of["oauth"], " ")
	}
	for _, p := range o.Parameters {
		r.Takes = append(r.Takes, programField{Name: p.Name, Meaning: p.Description, Kind: kindOf(p.Schema), Needed: p.Required})
	}
	if o.Body != nil {
		r.Takes = append(r.Takes, fieldsOf("", sent(o.Body))...)
	}
	for kind, c := range o.Responses["200"].Content {
		if r.Gives = (programKind{Plain: kind}); kind == "application/json" {
			r.Gives = kindOf(c.Schema)
		}
	}
	return r
}

// sent is the schema of a body: the same in every form, where there are several.
func sent(b *openapi.Body) *openapi.Schema {
	for _, kind := range []string{"multipart/form-data", "application/x-www-form-urlencoded", "application/activity+json"} {
		if c, ok := b.Content[kind]; ok {
			return c.Schema
		}
	}
	return &openapi.Schema{}
}

// fieldsOf lists what an object holds, and what is within under the whole name.
func fieldsOf(within string, s *openapi.Schema) (list []programField) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		one, whole := s.Properties[name], name
		if within != "" {
			whole = within + "[" + name + "]"
		}
		if one.Properties != nil {
			list = append(list, fieldsOf(whole, one)...)
			continue
		}
		list = append(list, programField{Name: whole, Meaning: one.Description, Kind: kindOf(one), Needed: slices.Contains(s.Required, name)})
	}
	return list
}

func kindOf(s *openapi.Schema) (k programKind) {
	if len(s.AnyOf) > 0 {
		k = kindOf(s.AnyOf[0])
		k.Null = s.AnyOf[1].Type == "null"
		return k
	}
	if s.Items != nil {
		k = kindOf(s.Items)
		k.Many = true
		return k
	}
	if name, is := strings.CutPrefix(s.Ref, "#/components/schemas/"); is {
		return programKind{Type: name}
	}
	switch t := s.Type.(type) {
	case string:
		k.Plain = t
	case []string:
		k.Plain, k.Null = t[0], true
	}
	k.Plain = cmp.Or(strings.Join(s.Enum, ", "), s.Format, k.Plain)
	return k
}

func typesOf(d *openapi.Document) (list []programType) {
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		list = append(list, programType{name, fieldsOf("", d.Components.Schemas[name])})
	}
	return list
}

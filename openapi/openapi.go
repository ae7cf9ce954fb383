// Package openapi writes an OpenAPI 3.1 document of Go types: what is answered is
// described by the structs that are written as JSON, so that the two cannot part.
//
// A field that is a pointer may be null, unless its tag null says never; one with
// omitempty may be missing; the tags format and enum say more of a text. It knows no routes: api has them.
//
//	doc := openapi.New("Parley", "1.0", "https://social.example")
//	doc.Add("GET", "/api/v1/lists", openapi.Operation{Summary: "Your lists"})
package openapi

import (
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Document is the whole (OpenAPI 3.1.1, 4.8.1).
type Document struct {
	OpenAPI    string          `json:"openapi"`
	Info       Info            `json:"info"`
	Servers    []Server        `json:"servers"`
	Tags       []Tag           `json:"tags"`
	Paths      map[string]Path `json:"paths"`
	Components Components      `json:"components"`

	types map[string]reflect.Type // of the schemas, by their names
}

// Info says what is described.
type Info struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version"`
}

// Server is where the paths begin.
type Server struct {
	URL string `json:"url"`
}

// Tag names a theme.
type Tag struct {
	Name string `json:"name"`
}

// Path has the operations of an address by their methods, in lower case.
type Path map[string]*Operation

// Components are what operations refer to.
type Components struct {
	Schemas         map[string]*Schema         `json:"schemas"`
	Responses       map[string]Response        `json:"responses"`
	SecuritySchemes map[string]*SecurityScheme `json:"securitySchemes"`
}

// Operation is one route.
type Operation struct {
	Tags       []string              `json:"tags"`
	Summary    string                `json:"summary"`
	ID         string                `json:"operationId"`
	Parameters []Parameter           `json:"parameters,omitempty"`
	Body       *Body                 `json:"requestBody,omitempty"`
	Responses  map[string]Response   `json:"responses"`
	Security   []map[string][]string `json:"security"`
}

// Parameter stands in the path or in the query.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Required    bool    `json:"required,omitempty"`
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema"`
}

// Body is what is sent, by media type.
type Body struct {
	Content map[string]Content `json:"content"`
}

// Content is a body of one media type.
type Content struct {
	Schema *Schema `json:"schema,omitempty"`
}

// Response is an answer, or a reference to one.
type Response struct {
	Ref         string             `json:"$ref,omitempty"`
	Description string             `json:"description,omitempty"`
	Content     map[string]Content `json:"content,omitempty"`
}

// SecurityScheme is how callers show who they are.
type SecurityScheme struct {
	Type        string          `json:"type"`
	Description string          `json:"description,omitempty"`
	Flows       map[string]Flow `json:"flows"`
}

// Flow is a way to a token (RFC 6749).
type Flow struct {
	AuthorizationURL string            `json:"authorizationUrl,omitempty"`
	TokenURL         string            `json:"tokenUrl"`
	Scopes           map[string]string `json:"scopes"`
}

// Schema is the part of JSON Schema 2020-12 that Go types need.
type Schema struct {
	Ref         string             `json:"$ref,omitempty"`
	Type        any                `json:"type,omitempty"` // a name, or several
	Description string             `json:"description,omitempty"`
	Format      string             `json:"format,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Others      *Schema            `json:"additionalProperties,omitempty"`
	AnyOf       []*Schema          `json:"anyOf,omitempty"`
}

// New makes a document without operations.
func New(title, version, server string) *Document {
	return &Document{OpenAPI: "3.1.1", Info: Info{Title: title, Version: version}, Servers: []Server{{server}}, Tags: []Tag{}, Paths: map[string]Path{},
		Components: Components{Schemas: map[string]*Schema{}, Responses: map[string]Response{}, SecuritySchemes: map[string]*SecurityScheme{}},
		types:      map[string]reflect.Type{}}
}

// Add describes a route, and names its themes.
func (d *Document) Add(method, path string, o Operation) {
	if d.Paths[path] == nil {
		d.Paths[path] = Path{}
	}
	d.Paths[path][strings.ToLower(method)] = &o
	for _, name := range o.Tags {
		d.tag(name)
	}
}

func (d *Document) tag(name string) {
	for _, t := range d.Tags {
		if t.Name == name {
			return
		}
	}
	d.Tags = append(d.Tags, Tag{name})
}

// Schema describes the type of a value as JSON; structs with a name become components.
func (d *Document) Schema(v any) *Schema { return d.of(reflect.TypeOf(v)) }

func (d *Document) of(t reflect.Type) *Schema {
	if t == reflect.TypeFor[time.Time]() {
		return &Schema{Type: "string", Format: "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.of(t.Elem())
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.String:
		return &Schema{Type: "string"}
	case reflect.Slice, reflect.Array:
		return &Schema{Type: "array", Items: d.of(t.Elem())}
	case reflect.Map:
		return &Schema{Type: "object", Others: d.of(t.Elem())}
	case reflect.Struct:
		return d.object(t)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &Schema{Type: "integer"}
	}
	panic("openapi: " + t.String() + " says nothing about its JSON")
}

// object describes a struct once, under the name of its type.
func (d *Document) object(t reflect.Type) *Schema {
	first, size := utf8.DecodeRuneInString(t.Name())
	name := strings.TrimSuffix(string(unicode.ToUpper(first))+t.Name()[size:], "Shape")
	if other := d.types[name]; other != nil && other != t {
		panic("openapi: " + t.String() + " and " + other.String() + " are both called " + name)
	}
	if d.types[name] == nil {
		d.types[name] = t
		s := &Schema{Type: "object", Properties: map[string]*Schema{}}
		d.Components.Schemas[name] = s // before its fields: types refer to themselves
		d.fields(t, s)
	}
	return &Schema{Ref: "#/components/schemas/" + name}
}

// fields adds those of a struct, and of what is embedded in it.
func (d *Document) fields(t reflect.Type, s *Schema) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			d.fields(f.Type, s)
			continue
		}
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		optional := strings.Contains(options, "omit")
		one := d.field(f)
		if f.Type.Kind() == reflect.Pointer && !optional && f.Tag.Get("null") != "never" {
			one = nullable(one)
		}
		s.Properties[key] = one
		if !optional {
			s.Required = append(s.Required, key)
		}
	}
}

func (d *Document) field(f reflect.StructField) *Schema {
	s := d.of(f.Type)
	if format := f.Tag.Get("format"); format != "" {
		s.Format = format
	}
	if values := f.Tag.Get("enum"); values != "" {
		s.Enum = strings.Split(values, ",")
	}
	return s
}

func nullable(s *Schema) *Schema {
	if name, ok := s.Type.(string); ok && s.Ref == "" {
		s.Type = []string{name, "null"}
		return s
	}
	return &Schema{AnyOf: []*Schema{s, {Type: "null"}}}
}

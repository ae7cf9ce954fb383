package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"parley/social"
)

const (
	maxBody   = 1 << 20 // bytes, but for uploads
	maxDepth  = 8       // of JSON
	maxValues = 2000    // in one request
	maxIDs    = 100     // in one list
)

// read takes query, form, multipart and JSON bodies into one set of values; files
// stay in the multipart form.
func (c *call) read() error {
	c.in = c.URL.Query()
	err := c.readBody()
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &social.Error{Kind: social.TooLarge, Public: "the request is larger than " + strconv.FormatInt(large.Limit>>20, 10) + " MiB", Err: err}
	}
	if err != nil {
		return err
	}
	return c.clean()
}

func (c *call) readBody() error {
	if c.most == 0 {
		c.most = maxBody
	}
	kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if c.Method == http.MethodGet || c.Method == http.MethodHead || kind == "" {
		return nil
	}
	c.Body = http.MaxBytesReader(c.w, c.Body, c.most)
	switch kind {
	case "application/json":
		return c.readJSON()
	case "multipart/form-data":
		if err := c.ParseMultipartForm(4 << 20); err != nil {
			return unreadable("the multipart form cannot be read", err)
		}
		c.take(c.MultipartForm.Value)
		return nil
	}
	if err := c.ParseForm(); err != nil {
		return unreadable("the form cannot be read", err)
	}
	c.take(c.PostForm)
	return nil
}

func unreadable(public string, err error) error {
	return &social.Error{Kind: social.Invalid, Public: public, Err: err}
}

func (c *call) take(form url.Values) {
	for k, v := range form {
		c.in[k] = v
	}
}

func (c *call) readJSON() error {
	b, err := io.ReadAll(c.Body)
	if err != nil {
		return unreadable("the body broke off; try again", err)
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // an id has more digits than a float64 keeps
	if err := d.Decode(&m); err != nil || d.More() {
		return unreadable("the body is not one JSON object", err)
	}
	sent := url.Values{}
	if err := flatten("", m, 0, sent); err != nil {
		return err
	}
	c.take(sent)
	return nil
}

// flatten writes {"poll":{"options":["a"]}} as poll[options][]=a, as forms do.
func flatten(prefix string, v any, depth int, out url.Values) error {
	if depth > maxDepth {
		return social.Errorf(social.Invalid, "the JSON is nested too deep")
	}
	switch v := v.(type) {
	case map[string]any:
		for k, sub := range v {
			if prefix != "" {
				k = prefix + "[" + k + "]"
			}
			if err := flatten(k, sub, depth+1, out); err != nil {
				return err
			}
		}
	case []any:
		for _, sub := range v {
			if err := flatten(prefix+"[]", sub, depth+1, out); err != nil {
				return err
			}
		}
	case string:
		out.Add(prefix, v)
	case bool:
		out.Add(prefix, strconv.FormatBool(v))
	case json.Number:
		out.Add(prefix, v.String())
	}
	return nil
}

// clean makes texts that every database can keep: UTF-8 without NUL.
func (c *call) clean() error {
	n := 0
	for name, values := range c.in {
		if n += len(values); n > maxValues {
			return social.Errorf(social.Invalid, "the request holds more than %d values", maxValues)
		}
		for i, v := range values {
			c.in[name][i] = storable(v)
		}
	}
	return nil
}

func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// withID reads the id of the path; an impossible one is like a missing one.
func withID(run func(c *call, id social.ID) (any, error)) endpoint {
	return func(c *call) (any, error) {
		id, err := social.ParseID(mux.Vars(c.Request)["id"])
		if err != nil {
			return nil, err
		}
		return run(c, id)
	}
}

// turned makes an endpoint that sets something, and one that takes it back.
func turned(run func(c *call, id social.ID, on bool) (any, error), on bool) endpoint {
	return withID(func(c *call, id social.ID) (any, error) { return run(c, id, on) })
}

// path reads a part of the address, which the router leaves encoded.
func (c *call) path(name string) string {
	s, err := url.PathUnescape(mux.Vars(c.Request)[name])
	if err != nil {
		return ""
	}
	return storable(s)
}

// bool takes what clients write for true; toot says True.
func (c *call) bool(name string) bool {
	v := strings.ToLower(c.in.Get(name))
	return v == "true" || v == "1" || v == "on"
}

// maybeBool is nil when the caller says nothing.
func (c *call) maybeBool(name string) *bool {
	if !c.in.Has(name) {
		return nil
	}
	v := c.bool(name)
	return &v
}

func (c *call) maybeText(name string) *string {
	if !c.in.Has(name) {
		return nil
	}
	v := c.in.Get(name)
	return &v
}

func (c *call) list(name string) []string {
	return append(append([]string{}, c.in[name+"[]"]...), c.in[name]...)
}

// rowKey is a[0][b] or a[][b].
var rowKey = regexp.MustCompile(`^([a-z_]+)\[([0-9]{0,4})\]\[([a-z_]+)\]$`)

// rows reads a list of objects: a[0][b]=x as forms write it, a[][b]=x as JSON does.
func (c *call) rows(name string) []map[string]string {
	found := map[int]map[string]string{}
	put := func(at int, key, value string) {
		if found[at] == nil {
			found[at] = map[string]string{}
		}
		found[at][key] = value
	}
	for k, values := range c.in {
		m := rowKey.FindStringSubmatch(k)
		if m == nil || m[1] != name {
			continue
		}
		if at, err := strconv.Atoi(m[2]); err == nil {
			put(at, m[3], values[0])
			continue
		}
		for at, v := range values {
			put(at, m[3], v)
		}
	}
	order := make([]int, 0, len(found))
	for at := range found {
		order = append(order, at)
	}
	slices.Sort(order)
	out := make([]map[string]string, len(order))
	for i, at := range order {
		out[i] = found[at]
	}
	return out
}

func (c *call) ids(name string) ([]social.ID, error) {
	var out []social.ID
	for _, s := range c.list(name) {
		id, err := social.ParseID(s)
		if err != nil {
			return nil, social.Errorf(social.Invalid, "%s holds something that is no id", name)
		}
		out = append(out, id)
	}
	if len(out) > maxIDs {
		return nil, social.Errorf(social.Invalid, "%s holds more than %d ids", name, maxIDs)
	}
	return out, nil
}

// id reads one id; zero when none was sent.
func (c *call) id(name string) (social.ID, error) {
	if c.in.Get(name) == "" {
		return 0, nil
	}
	return social.ParseID(c.in.Get(name))
}

// number reads a number; anything else is 0.
func (c *call) number(name string) int {
	n, err := strconv.Atoi(c.in.Get(name))
	if err != nil {
		return 0
	}
	return n
}

// page reads the bounds of a list; what is no id is no bound.
func (c *call) page() social.Page {
	bound := func(name string) social.ID {
		v, err := social.ParseID(c.in.Get(name))
		if err != nil {
			return 0
		}
		return v
	}
	p := social.Page{Max: bound("max_id"), Since: bound("since_id"), Min: bound("min_id"), Limit: c.number("limit")}
	if c.in.Get("min_id") == "0" { // the oldest page of all
		p.Min = 1
	}
	return p
}

// part is the page asked for, and remembers where the list goes on.
func (c *call) part() social.Page {
	p := c.page()
	p.Ends = &c.ends
	return p
}

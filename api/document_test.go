package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"parley/api"
	"parley/instance/instancetest"
)

// contract is the document of the API, as every answer of the tests is held against it.
type contract struct {
	operations []described
	compiler   *jsonschema.Compiler
	mu         sync.Mutex
	compiled   map[string]*jsonschema.Schema
	document   map[string]any
}

// described is an operation, with the addresses that it stands for.
type described struct {
	method, path string
	address      *regexp.Regexp
}

var promised = sync.OnceValue(func() *contract {
	var v map[string]any
	if err := json.Unmarshal(api.Document(), &v); err != nil {
		panic(err)
	}
	c := &contract{compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}, document: v}
	for path, of := range v["paths"].(object) {
		address := regexp.MustCompile("^" + regexp.MustCompile(`\\\{id\\\}`).ReplaceAllString(regexp.MustCompile(`\\\{(tag|host)\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`), `[0-9]+`) + "$")
		for method := range of.(object) {
			c.operations = append(c.operations, described{strings.ToUpper(method), path, address})
		}
	}
	for _, s := range at(v, "components.schemas").(object) { // what is not described is not written
		if one := s.(object); one["additionalProperties"] == nil {
			one["additionalProperties"] = false
		}
	}
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource("doc.json", v); err != nil {
		panic(err)
	}
	return c
})

// schema compiles the part of the document at a path of keys.
func (c *contract) schema(keys ...string) (*jsonschema.Schema, error) {
	at := "doc.json#"
	for _, k := range keys {
		at += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(k))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.compiled[at] == nil {
		s, err := c.compiler.Compile(at)
		if err != nil {
			return nil, err
		}
		c.compiled[at] = s
	}
	return c.compiled[at], nil
}

// kept says how an answer breaks the contract: nil if it does not.
func (c *contract) kept(method string, u *url.URL, status int, header http.Header, body []byte) error {
	if method == http.MethodHead || method == http.MethodOptions || len(body) == 0 {
		return nil
	}
	path := u.EscapedPath()
	for _, o := range c.operations {
		if o.method != method || !o.address.MatchString(path) {
			continue
		}
		kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
		keys := []string{"paths", o.path, strings.ToLower(method), "responses", fmt.Sprint(status)}
		found, ok := down(c.document, keys)
		if !ok {
			keys[4] = "default"
			found, ok = down(c.document, keys)
		}
		if !ok {
			return fmt.Errorf("the document knows no status %d of %s %s", status, method, o.path)
		}
		if ref, is := found["$ref"].(string); is {
			keys = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
			found, _ = down(c.document, keys)
		}
		if _, ok := down(found, []string{"content", kind, "schema"}); !ok {
			return fmt.Errorf("the document knows no %s of %s %s, status %d", kind, method, o.path, status)
		}
		if kind != "application/json" {
			return nil
		}
		s, err := c.schema(append(keys, "content", kind, "schema")...)
		if err != nil {
			return err
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if err := s.Validate(v); err != nil {
			return fmt.Errorf("%s %s: %w in %.600s", method, o.path, err, body)
		}
		return nil
	}
	return nil // no route: 404 and 405 are tested elsewhere
}

// held looks at what programs of others are answered too.
func held(t *testing.T) *instancetest.Wire {
	return &instancetest.Wire{Look: func(e *instancetest.Exchange) {
		u, err := url.ParseRequestURI(e.Target)
		if err == nil {
			err = promised().kept(e.Method, u, e.Status, e.Answered, e.Answer)
		}
		if err != nil {
			t.Error(err)
		}
	}}
}

// told says how an event of a stream breaks the contract: nil if it does not.
func (c *contract) told(event, data string) error {
	kind := map[string]string{"update": "Status", "status.update": "Status", "notification": "Notification"}[event]
	if kind == "" {
		return nil
	}
	s, err := c.schema("components", "schemas", kind)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func down(v map[string]any, keys []string) (map[string]any, bool) {
	for _, k := range keys {
		next, ok := v[k].(map[string]any)
		if !ok {
			return nil, false
		}
		v = next
	}
	return v, true
}

// Every route is in the document, and says what it does; nothing else is in it.
func TestDocumentHasEveryRoute(t *testing.T) {
	beside := map[string]bool{"GET /oauth/authorize": true, "POST /oauth/authorize": true, "GET /users/{id}/inbox": true, "POST /users/{id}/outbox": true, "POST /users/{id}/proxy": true}
	known := map[string]bool{}
	for _, o := range promised().operations {
		known[o.method+" "+o.path] = true
	}
	for _, r := range api.Routes() {
		name := pattern.ReplaceAllString(r.Route, "}")
		if !known[name] {
			t.Errorf("%s is not in the document", name)
		}
		delete(known, name)
		if r.Does == "" || r.Gives == nil {
			t.Errorf("%s says nothing of itself: what it does, what it gives", name)
		}
	}
	w := start(t)
	for name := range known { // others serve it: who may not call hears so, and not that it is no address
		method, path, _ := strings.Cut(name, " ")
		path = strings.Replace(path, "{id}", w.bob.id, 1)
		if got := w.bob.do(method, path, nil); got.status == 405 || got.status == 404 {
			t.Errorf("%s is in the document, but not served: %d", name, got.status)
		}
		delete(beside, name)
	}
	for name := range beside {
		t.Errorf("%s is not in the document", name)
	}
}

// The document is served as it is tested, and an answer that breaks it is found.
func TestDocumentIsServedAndCanFail(t *testing.T) {
	w := start(t)
	doc := w.nobs.get("/api/openapi.json").ok()
	if doc["openapi"] != "3.1.1" || text(doc, "servers.0.url") != w.in.Config.PublicURL {
		t.Errorf("served is %v for %v", doc["openapi"], doc["servers"])
	}
	if scopes := at(doc, "components.securitySchemes.oauth.flows.authorizationCode.scopes").(object); scopes["read:statuses"] == nil || scopes["write"] == nil {
		t.Errorf("scopes are %v", scopes)
	}
	u, header := &url.URL{Path: "/api/v1/notifications/unread_count"}, http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	for body, good := range map[string]bool{`{"count":3}`: true, `{"count":"3"}`: false, `{"count":null}`: false, `{}`: false, `{"count":3,"more":1}`: false} {
		if err := promised().kept("GET", u, 200, header, []byte(body)); (err == nil) != good {
			t.Errorf("%s: %v", body, err)
		}
	}
	if promised().kept("GET", u, 401, header, []byte(`{"mistake":"x"}`)) == nil {
		t.Error("a refusal in another form is not found")
	}
	if promised().told("update", `{"id":"1"}`) == nil {
		t.Error("half a post in a stream is not found")
	}
}

// A linter that others wrote finds the document valid, and no part of it doubtful.
func TestDocumentPassesALinter(t *testing.T) {
	peers := os.Getenv("PARLEY_TEST_PEERS")
	cli := filepath.Join(peers, "node_modules", "@redocly", "cli", "bin", "cli.js")
	if _, err := os.Stat(cli); peers == "" || err != nil {
		t.Skip("PARLEY_TEST_PEERS names no folder with @redocly/cli installed; run ./test/all")
	}
	dir := t.TempDir()
	lint := func(name string, document []byte) (string, error) {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, document, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "node", cli, "lint", "--extends=recommended",
			"--skip-rule=no-ambiguous-paths", // Mastodon's own, /filters/keywords/{id} and /filters/{id}/keywords
			"--skip-rule=info-license", "--skip-rule=tag-description",
			"--max-problems=20", "--format=stylish", file)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "NO_COLOR=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := lint("good.json", api.Document()); err != nil || strings.Contains(out, "  warning  ") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := lint("bad.json", bytes.Replace(api.Document(), []byte(`"openapi":"3.1.1"`), []byte(`"openapi":"3.1.1","more":1`), 1)); err == nil {
		t.Errorf("a document with a field that is none passes: %s", out)
	}
}

// What the pages for programmers say works: their commands run one after the other, in
// both languages, and every address that they name is there.
func TestDocumentedProgramRuns(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	fence := regexp.MustCompile("(?s)```(sh)?\n(.*?)```")
	address := regexp.MustCompile(`/(?:api|\.well-known)/[\w./$-]*\w`)
	in := instancetest.Start(t, t.TempDir(), "")
	var first [][]string
	for i, file := range []string{"api.md", "schnittstelle.md"} {
		page, err := os.ReadFile(filepath.Join("..", "docs", file))
		if err != nil {
			t.Fatal(err)
		}
		blocks := fence.FindAllStringSubmatch(string(page), -1)
		if i == 0 {
			first = blocks
		} else if !reflect.DeepEqual(first, blocks) {
			t.Errorf("%s has other commands than api.md", file)
		}
		for _, path := range address.FindAllString(string(page), -1) {
			path = strings.ReplaceAll(path, "$ID", "1")
			if !slices.ContainsFunc(promised().operations, func(o described) bool { return o.address.MatchString(path) }) && !slices.Contains([]string{"/api/parley/v1", "/api/docs"}, path) {
				t.Errorf("%s names %s, which is no address", file, path)
			}
		}
	}
	script := "set -e\n"
	for _, b := range first {
		if b[1] == "sh" {
			script += b[2]
		}
	}
	w := people(t, in)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PARLEY="+in.Config.PublicURL, "TOKEN="+w.alice.app("read write", false).token)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v after\n%s", err, out)
	}
	posts := w.bob.get("/api/parley/v1/timelines/company").list()
	if len(posts) != 1 || !strings.Contains(text(posts[0], "content"), "Build 1742") {
		t.Fatalf("bob reads %v", posts)
	}
	if below := at(w.bob.get("/api/v1/statuses/"+text(posts[0], "id")+"/context").ok(), "descendants.0.content"); !strings.Contains(fmt.Sprint(below), "All tests passed") {
		t.Errorf("below it bob reads %v", below)
	}
}

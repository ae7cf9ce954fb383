package api

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"parley/auth"
	"parley/openapi"
)

// in names what a route takes beside its path, each as "name kind meaning"; a name that
// ends in ! must be sent. What a query holds for GET, a body holds for all other methods;
// poll[options] is an object in JSON, and poll[options][] in forms.
type in []string

// paged adds the bounds of a list.
func paged(more ...string) in {
	return append(more, "max_id id only what is older", "since_id id only what is newer, the newest first", "min_id id only what is newer, what follows next first",
		"limit number how many at most")
}

// either is an answer of one type or another.
type either []any

// written is an answer that is no JSON: its media type.
type written string

const (
	events    written = "text/event-stream"
	plainText written = "text/plain"
	webSocket written = ""
)

// failure is what is answered when something cannot be done.
type failure struct {
	Error       string `json:"error"`                       // for people; of OAuth a code
	Description string `json:"error_description,omitempty"` // of OAuth
}

// problem is a failure outside /api/ and /oauth/ (RFC 9457).
type problem struct {
	Detail string `json:"detail"`
	Status int    `json:"status"`
	Title  string `json:"title"`
}

const about = "The Mastodon client API, and Parley's own below /api/parley/v1. Bodies are JSON, forms or multipart alike. " +
	"A list names its next and previous page in the header Link. What is hidden from you is answered as if it were missing: 404. " +
	"Clients may see fields that are new to them; they leave them alone."

func (a *API) documentRoutes() []route {
	return []route{{route: "GET /api/openapi.json", run: func(*call) (any, error) { return a.Document(), nil },
		does: "This document", gives: map[string]any{}}}
}

// Document describes all routes, as OpenAPI 3.1.
func (a *API) Document() *openapi.Document {
	d := openapi.New("Parley", a.Version, a.Links.PublicURL)
	d.Info.Description = about
	at := a.Links.PublicURL
	scopes := map[string]string{}
	for _, s := range auth.Scopes() {
		scopes[s] = means(s)
	}
	fail := func(text string) openapi.Response {
		return openapi.Response{Description: text, Content: map[string]openapi.Content{"application/json": {Schema: d.Schema(failure{})}}}
	}
	d.Components.Responses = map[string]openapi.Response{
		"401": fail("There is no token, or it is no longer good"), "403": fail("The token has not the scope, or you may not do this"),
		"404": fail("It is not there, or hidden from you"), "422": fail("What was sent cannot be taken; the text says why"),
		"429": fail("Too many requests: wait as long as Retry-After says"), "default": fail("It could not be done; the text says why"),
		"problem": {Description: "It could not be done", Content: map[string]openapi.Content{"application/problem+json": {Schema: d.Schema(problem{})}}},
	}
	for _, e := range a.routes() {
		if e.scope != anybody {
			scopes[e.scope] = means(e.scope)
		}
		method, path, _ := strings.Cut(e.route, " ")
		d.Add(method, inPath.ReplaceAllString(path, "{$1}"), e.operation(d))
	}
	a.documentBeside(d)
	slices.SortFunc(d.Tags, func(a, b openapi.Tag) int { return cmp.Compare(a.Name, b.Name) })
	d.Components.SecuritySchemes["oauth"] = &openapi.SecurityScheme{Type: "oauth2", Description: "Send the token as Authorization: Bearer", Flows: map[string]openapi.Flow{
		"authorizationCode": {AuthorizationURL: at + "/oauth/authorize", TokenURL: at + "/oauth/token", Scopes: scopes},
		"clientCredentials": {TokenURL: at + "/oauth/token", Scopes: scopes},
	}}
	return d
}

// documentBeside describes what apps call and others serve: the page where a member lets
// them in (RFC 6749 4.1.1), and the member's own ends of ActivityPub (ActivityPub 6).
func (a *API) documentBeside(d *openapi.Document) {
	anyone, problem := []map[string][]string{{}}, openapi.Response{Ref: "#/components/responses/problem"}
	page := func(text string) openapi.Response {
		return openapi.Response{Description: text, Content: map[string]openapi.Content{"text/html": {Schema: &openapi.Schema{Type: "string"}}}}
	}
	asks := route{takes: in{"response_type! text code", "client_id! text of the app", "redirect_uri! text one that the app registered", "scope text what it asks for, read if nothing is named", "state text comes back with the answer",
		"code_challenge text for PKCE", "code_challenge_method text S256"}}
	back := page("Back to the app, with code or error and state; or to the sign-in page")
	answers := map[string]openapi.Response{"200": page("The question, or the code to be carried by hand"), "303": back, "422": page("The app asks in a way that cannot be answered"), "4XX": page("It could not be done"), "default": page("It could not be done")}
	shown := route{takes: append(slices.Clone(asks.takes), "force_login bool let the member sign in anew", "lang text of the page, if it is spoken here")}
	d.Add(http.MethodGet, "/oauth/authorize", openapi.Operation{Summary: "The page where a member lets an app in", Tags: []string{"oauth"}, ID: "get_oauth_authorize",
		Security: anyone, Parameters: shown.query(), Responses: answers})
	said := route{takes: append(slices.Clone(asks.takes), "do! text allow, or anything else for no", "reach text how far the app may publish: instance, company or all")}
	d.Add(http.MethodPost, "/oauth/authorize", openapi.Operation{Summary: "What the member says on that page, with the session's cookie and from there alone", Tags: []string{"oauth"}, ID: "post_oauth_authorize",
		Security: anyone, Body: &openapi.Body{Content: map[string]openapi.Content{"application/x-www-form-urlencoded": said.body().Content["application/x-www-form-urlencoded"]}}, Responses: answers})

	own := []openapi.Parameter{{Name: "id", In: "path", Required: true, Description: "the member's id, as in the address of their actor", Schema: &openapi.Schema{Type: "string"}}}
	activity := map[string]openapi.Content{"application/activity+json": {Schema: &openapi.Schema{Type: "object"}}}
	end := func(method, path, scope, does string, body *openapi.Body, good map[string]openapi.Response, more ...openapi.Parameter) {
		good["4XX"], good["default"] = problem, problem
		d.Add(method, "/users/{id}/"+path, openapi.Operation{Summary: does, Tags: []string{"activitypub"}, ID: strings.ToLower(method) + "_users_id_" + path, Security: []map[string][]string{{"oauth": {scope}}},
			Parameters: append(slices.Clone(own), more...), Body: body, Responses: good})
	}
	end(http.MethodGet, "inbox", "read", "What reached a member, newest first; to the member's program alone", nil, map[string]openapi.Response{"200": {Description: "An OrderedCollection, or a page of it", Content: activity}},
		openapi.Parameter{Name: "page", In: "query", Description: "true for a page", Schema: &openapi.Schema{Type: "string"}},
		openapi.Parameter{Name: "max_id", In: "query", Description: "only what is older, as the page before names it", Schema: &openapi.Schema{Type: "string"}})
	end(http.MethodPost, "outbox", "write", "Act: an activity, or an object to be created", &openapi.Body{Content: activity},
		map[string]openapi.Response{"201": {Description: "Done; the header Location names the activity"}})
	address := route{takes: in{"id! text the address of what is wanted"}}
	end(http.MethodPost, "proxy", "read", "Fetch what another server shows the member (proxyUrl)", &openapi.Body{Content: map[string]openapi.Content{"application/x-www-form-urlencoded": address.body().Content["application/x-www-form-urlencoded"]}},
		map[string]openapi.Response{"200": {Description: "What is there", Content: activity}, "303": {Description: "It is ours, and there"}})
}

// means says what a scope lets an app do.
func means(scope string) string {
	does, what, one := strings.Cut(scope, ":")
	if scope == "push" || scope == "profile" || scope == "follow" {
		return map[string]string{"push": "Receive notifications by web push", "profile": "Learn who you are", "follow": "Change whom you follow, mute and block"}[scope]
	}
	if does == "admin" {
		return "Administer the server: " + what
	}
	if !one {
		what = "everything of yours"
	}
	return map[string]string{"read": "Read ", "write": "Change "}[does] + what
}

// inPath is a part of an address that differs.
var inPath = regexp.MustCompile(`\{(\w+)(?::[^}]+)?\}`)

// parts are what addresses hold.
var parts = map[string]string{"id": "its id", "tag": "the hashtag, without #", "host": "the server's host name"}

func (e route) operation(d *openapi.Document) openapi.Operation {
	method, path, _ := strings.Cut(e.route, " ")
	path = inPath.ReplaceAllString(path, "{$1}")
	o := openapi.Operation{Summary: e.does, Tags: []string{theme(path)}, ID: strings.ToLower(method) + strings.Trim(word.ReplaceAllString(path, "_"), "."),
		Security: []map[string][]string{{"oauth": {e.scope}}}, Responses: map[string]openapi.Response{}}
	if e.scope == anybody {
		o.Security = []map[string][]string{{}, {"oauth": {}}}
	}
	for _, m := range inPath.FindAllStringSubmatch(path, -1) {
		o.Parameters = append(o.Parameters, openapi.Parameter{Name: m[1], In: "path", Required: true, Description: parts[m[1]], Schema: &openapi.Schema{Type: "string"}})
	}
	if method == http.MethodGet {
		o.Parameters = append(o.Parameters, e.query()...)
	} else if len(e.takes) > 0 {
		o.Body = e.body()
	}
	failures := []string{"401", "429", "default"}
	if e.scope != anybody {
		failures = append(failures, "403")
	}
	if len(o.Parameters)+len(e.takes) > 0 {
		failures = append(failures, "404", "422")
	}
	for _, name := range failures {
		o.Responses[name] = openapi.Response{Ref: "#/components/responses/" + name}
	}
	if strings.HasPrefix(path, "/.well-known/") {
		problem := openapi.Response{Ref: "#/components/responses/problem"}
		o.Responses = map[string]openapi.Response{"4XX": problem, "default": problem}
	}
	status, answer := e.answer(d)
	o.Responses[status] = answer
	return o
}

var word = regexp.MustCompile(`\W+`)

// themes are where words stand that have few routes of their own.
var themes = map[string]string{
	"apps": "oauth", "bookmarks": "timelines", "favourites": "timelines", "markers": "timelines", "polls": "statuses", "scheduled_statuses": "statuses",
	"follow_requests": "accounts", "blocks": "accounts", "mutes": "accounts", "suggestions": "accounts", "endorsements": "accounts", "featured_tags": "accounts",
	"domain_blocks": "accounts", "reports": "accounts", "preferences": "accounts", "followed_tags": "tags", "trends": "tags", "custom_emojis": "instance",
	"announcements": "instance", "push": "notifications", "audiences": "statuses", "profile": "directory",
}

// theme is the word by which routes stand together: the first after the version, or
// where that belongs.
func theme(path string) string {
	words := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case words[0] != "api":
		return "oauth"
	case len(words) == 2:
		return "instance"
	case words[1] == "parley":
		return "parley: " + cmp.Or(themes[words[3]], words[3])
	}
	return cmp.Or(themes[words[2]], words[2])
}

func (e route) answer(d *openapi.Document) (status string, r openapi.Response) {
	switch v := e.gives.(type) {
	case written:
		if v == webSocket {
			return "101", openapi.Response{Description: "A WebSocket"}
		}
		return "200", openapi.Response{Description: "As it comes", Content: map[string]openapi.Content{string(v): {Schema: &openapi.Schema{Type: "string"}}}}
	case either:
		var all openapi.Schema
		for _, one := range v {
			all.AnyOf = append(all.AnyOf, d.Schema(one))
		}
		return "200", asJSON(&all)
	case nil, map[string]any:
		return "200", asJSON(&openapi.Schema{Type: "object"})
	}
	return "200", asJSON(d.Schema(e.gives))
}

func asJSON(s *openapi.Schema) openapi.Response {
	return openapi.Response{Description: "Done", Content: map[string]openapi.Content{"application/json": {Schema: s}}}
}

// kindOf is the schema of what is sent.
func kindOf(kind string) *openapi.Schema {
	switch kind {
	case "bool":
		return &openapi.Schema{Type: "boolean"}
	case "number":
		return &openapi.Schema{Type: "integer"}
	case "ids", "texts":
		return &openapi.Schema{Type: "array", Items: &openapi.Schema{Type: "string"}}
	case "numbers":
		return &openapi.Schema{Type: "array", Items: &openapi.Schema{Type: "integer"}}
	case "objects":
		return &openapi.Schema{Type: "array", Items: &openapi.Schema{Type: "object"}}
	case "time":
		return &openapi.Schema{Type: "string", Format: "date-time"}
	case "file":
		return &openapi.Schema{Type: "string", Format: "binary"}
	}
	return &openapi.Schema{Type: "string"} // text, and id
}

// read takes "name! kind meaning" apart.
func read(line string) (name string, needed bool, s *openapi.Schema) {
	name, rest, _ := strings.Cut(line, " ")
	kind, meaning, _ := strings.Cut(rest, " ")
	name, needed = strings.CutSuffix(name, "!")
	s = kindOf(kind)
	s.Description = meaning
	return name, needed, s
}

func (e route) query() (list []openapi.Parameter) {
	for _, line := range e.takes {
		name, needed, s := read(line)
		if s.Type == "array" {
			name += "[]"
		}
		p := openapi.Parameter{Name: name, In: "query", Required: needed, Description: s.Description, Schema: s}
		s.Description = ""
		list = append(list, p)
	}
	return list
}

// body is what is sent in one of the forms that are read alike.
func (e route) body() *openapi.Body {
	all := &openapi.Schema{Type: "object", Properties: map[string]*openapi.Schema{}}
	for _, line := range e.takes {
		name, needed, s := read(line)
		inner := all
		path := strings.Split(strings.ReplaceAll(name, "]", ""), "[")
		for _, key := range path[:len(path)-1] {
			if inner.Properties[key] == nil {
				inner.Properties[key] = &openapi.Schema{Type: "object", Properties: map[string]*openapi.Schema{}}
			}
			inner = inner.Properties[key]
		}
		last := path[len(path)-1]
		inner.Properties[last] = s
		if needed {
			inner.Required = append(inner.Required, last)
		}
	}
	b := &openapi.Body{Content: map[string]openapi.Content{"multipart/form-data": {Schema: all}}}
	if !e.files || !slices.ContainsFunc(e.takes, func(l string) bool { return strings.Contains(l, "! file") }) {
		b.Content["application/json"], b.Content["application/x-www-form-urlencoded"] = openapi.Content{Schema: all}, openapi.Content{Schema: all}
	}
	return b
}

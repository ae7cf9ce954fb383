// Package api is the Mastodon client API and Parley's own JSON beside it. It knows
// neither templates nor SQL, and decides nothing: social does.
package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"parley/auth"
	"parley/serve"
	"parley/social"
)

// Options are what an API needs.
type Options struct {
	Social  *social.Service
	Auth    *auth.Service
	Links   social.Links
	Version string
	Log     *slog.Logger
}

// API serves programs.
type API struct{ Options }

// New makes an API.
func New(o Options) *API { return &API{o} }

// call is one request with who makes it.
type call struct {
	*http.Request
	w      http.ResponseWriter
	reader social.Reader
	token  *auth.Token
	in     url.Values // query, form or JSON, flattened to the form's names
}

// endpoint answers a value to be written as JSON.
type endpoint func(c *call) (any, error)

const (
	anybody = ""
	maxBody = 1 << 20
)

// Mount adds the routes.
func (a *API) Mount(r *mux.Router) {
	r.PathPrefix("/api/").Methods("OPTIONS").HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cors(w)
		w.WriteHeader(http.StatusNoContent)
	})
	for _, e := range a.routes() {
		method, path, _ := strings.Cut(e.route, " ")
		r.HandleFunc(path, a.handle(e.scope, e.run)).Methods(method)
	}
	r.PathPrefix("/api/").HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cors(w)
		serve.Error(w, r, a.Log, social.Errorf(social.NotFound, "Record not found"))
	})
}

type route struct {
	route, scope string
	run          endpoint
}

func (a *API) routes() []route {
	on := func(f func(c *call, id social.ID, on bool) (any, error), set bool) endpoint {
		return withID(func(c *call, id social.ID) (any, error) { return f(c, id, set) })
	}
	return []route{
		{"GET /api/v1/timelines/home", "read:statuses", a.home},
		{"GET /api/v1/timelines/public", anybody, a.public},
		{"GET /api/v1/timelines/tag/{tag}", anybody, a.tag},
		{"POST /api/v1/statuses", "write:statuses", a.publish},
		{"GET /api/v1/statuses/{id}", anybody, withID(a.status)},
		{"PUT /api/v1/statuses/{id}", "write:statuses", withID(a.edit)},
		{"DELETE /api/v1/statuses/{id}", "write:statuses", withID(a.remove)},
		{"GET /api/v1/statuses/{id}/context", anybody, withID(a.context)},
		{"GET /api/v1/statuses/{id}/source", "read:statuses", withID(a.source)},
		{"GET /api/v1/statuses/{id}/favourited_by", anybody, withID(a.favouritedBy)},
		{"GET /api/v1/statuses/{id}/reblogged_by", anybody, withID(a.rebloggedBy)},
		{"POST /api/v1/statuses/{id}/favourite", "write:favourites", on(a.favourite, true)},
		{"POST /api/v1/statuses/{id}/unfavourite", "write:favourites", on(a.favourite, false)},
		{"POST /api/v1/statuses/{id}/reblog", "write:statuses", on(a.reblog, true)},
		{"POST /api/v1/statuses/{id}/unreblog", "write:statuses", on(a.reblog, false)},
		{"POST /api/v1/statuses/{id}/bookmark", "write:bookmarks", on(a.bookmark, true)},
		{"POST /api/v1/statuses/{id}/unbookmark", "write:bookmarks", on(a.bookmark, false)},
		{"POST /api/v1/statuses/{id}/pin", "write:accounts", on(a.pin, true)},
		{"POST /api/v1/statuses/{id}/unpin", "write:accounts", on(a.pin, false)},
		{"GET /api/v1/bookmarks", "read:bookmarks", a.bookmarks},
		{"GET /api/v1/favourites", "read:favourites", a.favourites},
		{"GET /api/v1/polls/{id}", anybody, withID(a.poll)},
		{"POST /api/v1/polls/{id}/votes", "write:statuses", withID(a.vote)},
		{"GET /api/v1/accounts/verify_credentials", "read:accounts", a.verifyCredentials},
		{"GET /api/v1/accounts/lookup", anybody, a.lookup},
		{"GET /api/v1/accounts/search", "read:accounts", a.searchAccounts},
		{"GET /api/v1/accounts/relationships", "read:follows", a.relationships},
		{"GET /api/v1/accounts/{id:[0-9]+}", anybody, withID(a.account)},
		{"GET /api/v1/accounts/{id:[0-9]+}/statuses", anybody, withID(a.accountStatuses)},
		{"GET /api/v1/accounts/{id:[0-9]+}/followers", "read:accounts", withID(a.followers)},
		{"GET /api/v1/accounts/{id:[0-9]+}/following", "read:accounts", withID(a.following)},
		{"POST /api/v1/accounts/{id:[0-9]+}/follow", "write:follows", withID(a.follow)},
		{"POST /api/v1/accounts/{id:[0-9]+}/unfollow", "write:follows", withID(a.unfollow)},
		{"POST /api/v1/accounts/{id:[0-9]+}/block", "write:blocks", on(a.block, true)},
		{"POST /api/v1/accounts/{id:[0-9]+}/unblock", "write:blocks", on(a.block, false)},
		{"POST /api/v1/accounts/{id:[0-9]+}/mute", "write:mutes", on(a.mute, true)},
		{"POST /api/v1/accounts/{id:[0-9]+}/unmute", "write:mutes", on(a.mute, false)},
		{"GET /api/v1/follow_requests", "read:follows", a.followRequests},
		{"POST /api/v1/follow_requests/{id}/authorize", "write:follows", on(a.answerFollow, true)},
		{"POST /api/v1/follow_requests/{id}/reject", "write:follows", on(a.answerFollow, false)},
		{"GET /api/v1/notifications", "read:notifications", a.notifications},
		{"POST /api/v1/notifications/clear", "write:notifications", a.clearNotifications},
		{"GET /api/v1/notifications/{id}", "read:notifications", withID(a.notification)},
		{"POST /api/v1/notifications/{id}/dismiss", "write:notifications", withID(a.dismissNotification)},
		{"GET /api/v2/search", anybody, a.search},
		{"POST /api/v2/media", "write:media", a.upload},
		{"POST /api/v1/media", "write:media", a.upload},
		{"GET /api/v1/media/{id}", "write:media", withID(a.getMedia)},
		{"PUT /api/v1/media/{id}", "write:media", withID(a.describeMedia)},
		{"POST /api/v1/reports", "write:reports", a.report},
		{"GET /api/v1/instance", anybody, a.instanceV1},
		{"GET /api/v2/instance", anybody, a.instanceV2},
		{"GET /api/v1/custom_emojis", anybody, func(*call) (any, error) { return []any{}, nil }},
		{"GET /api/parley/v1/statuses/{id}/deliveries", "read:statuses", withID(a.deliveries)},
		{"GET /api/parley/v1/audiences", "read:statuses", a.audiences},
	}
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

func cors(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key")
	h.Set("Access-Control-Expose-Headers", "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id")
}

// handle finds out who calls, checks the scope and writes the answer.
func (a *API) handle(scope string, run endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cors(w)
		w.Header().Set("Cache-Control", "private, no-store")
		c := &call{Request: r, w: w, reader: social.Nobody(a.Links.Home())}
		v, err := a.answer(c, scope, run)
		if err != nil {
			serve.Error(w, r, a.Log, err)
			return
		}
		if v != nil {
			serve.JSON(w, http.StatusOK, v)
		}
	}
}

func (a *API) answer(c *call, scope string, run endpoint) (any, error) {
	if text, ok := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer "); ok {
		who, token, err := a.Auth.Bearer(c.Context(), text)
		if err != nil {
			return nil, err
		}
		c.reader, c.token = social.Member(who, a.Links.Home()), token
	}
	if scope != anybody && c.token == nil {
		return nil, social.Errorf(social.Unauthenticated, "The access token is invalid")
	}
	if scope != anybody && !c.token.Allows(scope) {
		return nil, social.Errorf(social.Forbidden, "This action is outside the authorized scopes")
	}
	if err := c.read(); err != nil {
		return nil, err
	}
	return run(c)
}

// read takes query, form and JSON bodies into one set of values; uploads stay in
// the multipart form.
func (c *call) read() error {
	c.in = c.URL.Query()
	kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	switch {
	case c.Method == http.MethodGet || kind == "":
		return nil
	case kind == "application/json":
		b, err := io.ReadAll(http.MaxBytesReader(c.w, c.Body, maxBody))
		var m map[string]any
		if err == nil && len(b) > 0 {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			return &social.Error{Kind: social.Invalid, Public: "the body is not JSON that can be read", Err: err}
		}
		flatten("", m, c.in)
		return nil
	case kind == "multipart/form-data":
		return nil // upload reads it, within its own bound
	}
	c.Body = http.MaxBytesReader(c.w, c.Body, maxBody)
	if err := c.ParseForm(); err != nil {
		return &social.Error{Kind: social.Invalid, Public: "the form cannot be read", Err: err}
	}
	for k, v := range c.PostForm {
		c.in[k] = v
	}
	return nil
}

// flatten writes {"poll":{"options":["a"]}} as poll[options][]=a, as forms do.
func flatten(prefix string, v any, out url.Values) {
	switch v := v.(type) {
	case map[string]any:
		for k, sub := range v {
			if prefix != "" {
				k = prefix + "[" + k + "]"
			}
			flatten(k, sub, out)
		}
	case []any:
		for _, sub := range v {
			flatten(prefix+"[]", sub, out)
		}
	case string:
		out.Add(prefix, v)
	case bool:
		out.Add(prefix, strconv.FormatBool(v))
	case float64:
		out.Add(prefix, strconv.FormatFloat(v, 'f', -1, 64))
	}
}

func (c *call) bool(name string) bool {
	v := c.in.Get(name)
	return v == "true" || v == "1" || v == "on"
}

func (c *call) list(name string) []string {
	return append(append([]string{}, c.in[name+"[]"]...), c.in[name]...)
}

func (c *call) ids(name string) ([]social.ID, error) {
	var out []social.ID
	for _, s := range c.list(name) {
		id, err := social.ParseID(s)
		if err != nil {
			return nil, social.Errorf(social.Invalid, "%s holds %.40q, which is no id", name, s)
		}
		out = append(out, id)
	}
	if len(out) > 100 {
		return nil, social.Errorf(social.Invalid, "%s holds more than 100 ids", name)
	}
	return out, nil
}

func (c *call) page() social.Page {
	id := func(name string) social.ID {
		v, err := social.ParseID(c.in.Get(name))
		if err != nil {
			return 0
		}
		return v
	}
	limit, err := strconv.Atoi(c.in.Get("limit"))
	if err != nil {
		limit = 0
	}
	return social.Page{Max: id("max_id"), Since: id("since_id"), Min: id("min_id"), Limit: limit}
}

// link writes where the next and previous pages are (rule 4).
func (a *API) link(c *call, first, last social.ID, full bool) {
	if first == 0 {
		return
	}
	at := func(name string, id social.ID) string {
		q := c.URL.Query()
		for _, k := range []string{"max_id", "min_id", "since_id"} {
			q.Del(k)
		}
		q.Set(name, id.String())
		return "<" + a.Links.PublicURL + c.URL.EscapedPath() + "?" + q.Encode() + ">; rel="
	}
	links := []string{at("min_id", first) + `"prev"`}
	if full {
		links = append([]string{at("max_id", last) + `"next"`}, links...)
	}
	c.w.Header().Set("Link", strings.Join(links, ", "))
}

// views answers a page of posts with its links.
func (a *API) views(c *call, views []*social.PostView, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if n := len(views); n > 0 {
		a.link(c, views[0].Cursor, views[n-1].Cursor, n >= min(c.page().Clamp(20, 40).Limit, 40))
	}
	return a.statuses(views), nil
}

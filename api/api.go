// Package api is the Mastodon client API and Parley's own JSON beside it. It knows
// neither templates nor SQL, and decides nothing: social does.
//
// routes is the whole list. Each theme has a file (oauth, statuses, accounts, timelines,
// notifications, push, media, instance, parley); input.go reads what callers send, and
// shape.go writes what they get, in the types of answer.go. A route says what it does, takes
// and gives: document.go makes the document of it. A new one also needs its row in the
// test's table.
package api

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"parley/auth"
	"parley/live"
	"parley/serve"
	"parley/social"
)

// Options are what an API needs.
type Options struct {
	Social        *social.Service
	Auth          *auth.Service
	Live          *live.Hub
	Links         social.Links
	PushKey       string // the server's, for subscriptions of apps (RFC 8292)
	Version       string
	RequestsPer5m int // of one account; loopback is not limited
	Now           func() time.Time
	Log           *slog.Logger
}

// API serves programs.
type API struct {
	Options
	limits  *serve.Limiter[social.ID]
	newApps *serve.Limiter[netip.Addr]
}

// appsPer5m is how many apps one address may register in five minutes: rows that nobody
// takes away.
const appsPer5m = 20

// New makes an API.
func New(o Options) *API {
	return &API{Options: o, limits: serve.NewLimiter[social.ID](o.RequestsPer5m, o.Now), newApps: serve.NewLimiter[netip.Addr](appsPer5m, o.Now)}
}

// call is one request with who makes it.
type call struct {
	*http.Request
	api    *API
	w      http.ResponseWriter
	reader social.Reader
	token  *auth.Token
	most   int64       // bytes of the body; zero means maxBody
	in     url.Values  // query, form or JSON, flattened to the form's names
	ends   social.Ends // where the list that is read goes on
	place  int64       // in time, before anything was read
}

// endpoint answers a value to be written as JSON.
type endpoint func(c *call) (any, error)

// route is an address, the scope that a token needs for it ("" for anybody), whether
// files come with it, and what the document says of it: in a line what it does, what it
// takes, and a value of the type that it answers.
type route struct {
	route, scope string
	run          endpoint
	files        bool
	does         string
	takes        in
	gives        any
}

const anybody = ""

func (a *API) routes() []route {
	return slices.Concat(a.oauthRoutes(), a.timelineRoutes(), a.streamRoutes(), a.statusRoutes(), a.scheduledRoutes(), a.accountRoutes(), a.noticePolicyRoutes(), a.notificationRoutes(), a.mediaRoutes(), a.instanceRoutes(), a.parleyRoutes(), a.adminRoutes(), a.peerRoutes(), a.groupRoutes(), a.directoryRoutes(), a.listRoutes(), a.pushRoutes(), a.filterRoutes(), a.phraseRoutes(), a.regardRoutes(), a.readingRoutes(), a.emptyRoutes(), a.documentRoutes())
}

// open are the prefixes that every web page may read (clients.md, rule 10), and
// where what is missing answers as JSON, never as a page.
var open = []string{"/api/", "/oauth/", "/.well-known/", "/nodeinfo/"}

// Mount adds the routes. It comes after federation and before the pages.
func (a *API) Mount(r *mux.Router) {
	r.Use(shareAcrossOrigins)
	for _, prefix := range open {
		r.PathPrefix(prefix).MatcherFunc(forPrograms).Methods(http.MethodOptions).HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		})
	}
	var paths []string
	methods := map[string][]string{}
	for _, e := range a.routes() {
		method, path, _ := strings.Cut(e.route, " ")
		if methods[path] == nil {
			paths = append(paths, path)
		}
		taken := []string{method}
		if method == http.MethodGet {
			taken = append(taken, http.MethodHead)
		}
		methods[path] = append(methods[path], taken...)
		r.HandleFunc(path, a.handle(e)).Methods(taken...)
	}
	for _, path := range paths {
		r.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { serve.MethodNotAllowed(w, methods[path]) })
	}
	for _, prefix := range open {
		r.PathPrefix(prefix).MatcherFunc(forPrograms).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			serve.Error(w, r, a.Log, social.Errorf(social.NotFound, "there is no such address here"))
		})
	}
}

// pages are what people read among these addresses: where they are asked about an app,
// and what is told of the API.
var pages = []string{"/oauth/authorize", "/api/docs"}

func forPrograms(r *http.Request, _ *mux.RouteMatch) bool {
	return !slices.ContainsFunc(pages, func(prefix string) bool { return strings.HasPrefix(r.URL.Path, prefix) })
}

// shareAcrossOrigins lets pages of other sites call, without cookies: a bearer token
// is the only right an app has.
func shareAcrossOrigins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if forPrograms(r, nil) && slices.ContainsFunc(open, func(prefix string) bool { return strings.HasPrefix(r.URL.Path, prefix) }) {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key")
			h.Set("Access-Control-Expose-Headers", "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, "+placeHeader)
			h.Set("Access-Control-Max-Age", "86400")
		}
		next.ServeHTTP(w, r)
	})
}

// handle finds out who calls, checks the scope and writes the answer.
func (a *API) handle(e route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, no-store")
		c := &call{Request: r, api: a, w: w, reader: social.Nobody(a.Links.Home()), place: a.Live.Now()}
		if e.files {
			c.most = a.Social.Limits.UploadBytes + maxBody
		}
		defer func() {
			if c.MultipartForm != nil {
				_ = c.MultipartForm.RemoveAll() // temporary files; the system clears them too
			}
		}()
		v, err := a.answer(c, e)
		if err != nil {
			serve.Error(w, r, a.Log, err)
			return
		}
		if v != streamed {
			serve.JSON(w, http.StatusOK, v)
		}
	}
}

func (a *API) answer(c *call, e route) (any, error) {
	if err := a.recognise(c); err != nil {
		return nil, err
	}
	if e.scope != anybody && c.token == nil {
		return nil, errToken()
	}
	if e.scope != anybody && !c.token.Allows(e.scope) {
		return nil, social.Errorf(social.Forbidden, "This action is outside the authorized scopes")
	}
	if e.scope != anybody && c.reader.Account == nil {
		return nil, social.Errorf(social.Invalid, "This method requires an authenticated user")
	}
	if err := c.read(); err != nil {
		return nil, err
	}
	return e.run(c)
}

// recognise finds the member behind a bearer token, and counts the request.
func (a *API) recognise(c *call) error {
	kind, text, ok := strings.Cut(c.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(kind, "Bearer") { // RFC 9110 11.1
		return nil
	}
	who, token, err := a.Auth.Bearer(c.Context(), strings.TrimSpace(text))
	if err != nil {
		return err
	}
	if c.token = token; who == nil {
		return nil // an app by itself sees what nobody sees
	}
	c.reader = social.Member(who, a.Links.Home())
	c.reader.Grant = token.Bound
	if serve.Address(c.Context()).IsLoopback() {
		return nil
	}
	left, err := a.limits.Take(who.ID)
	left.Show(c.w.Header())
	return err
}

// link writes where the next and previous pages are (clients.md, rule 4).
func (a *API) link(c *call, newer, older social.ID, more bool) {
	at := func(name string, id social.ID) string {
		q := c.URL.Query()
		for _, k := range []string{"max_id", "min_id", "since_id"} {
			q.Del(k)
		}
		q.Set(name, id.String())
		return "<" + a.Links.PublicURL + c.URL.EscapedPath() + "?" + q.Encode() + ">; rel="
	}
	var links []string
	if more {
		links = append(links, at("max_id", older)+`"next"`)
	}
	if newer != 0 {
		links = append(links, at("min_id", newer)+`"prev"`)
	}
	if len(links) > 0 {
		c.w.Header().Set("Link", strings.Join(links, ", "))
	}
}

// paged answers a list with the links to the parts beside it.
func (c *call) paged(list any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if c.reader.Account != nil { // for all others no two answers would be alike
		c.w.Header().Set(placeHeader, strconv.FormatInt(c.place, 10))
	}
	c.api.link(c, c.ends.Newer, c.ends.Older, c.ends.Older != 0)
	return list, nil
}

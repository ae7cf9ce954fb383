// Package web is the pages for people: plain forms, German and English, made livelier
// by small scripts of our own where a browser runs them. It knows neither client JSON
// nor SQL, and decides nothing: social does.
//
// A handler reads the form, asks social, and shows one of the typed pages; each
// page type names its template. After a change the browser is redirected, so that
// reloading repeats nothing; a mistake shows the form again as it was typed.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"parley/auth"
	"parley/live"
	"parley/openapi"
	"parley/serve"
	"parley/social"
)

//go:embed template static
var files embed.FS

// Options are what the pages need.
type Options struct {
	Social  *social.Service
	Auth    *auth.Service
	Live    *live.Hub
	Console Console
	Links   social.Links
	API     *openapi.Document // of the programs' face, which has a page here
	PushKey string            // the server's, for subscriptions of browsers (RFC 8292)
	Mail    bool              // can be sent
	Trial   bool              // no other server can reach this one
	Now     func() time.Time
	Log     *slog.Logger
}

// Web serves pages.
type Web struct {
	Options
	*look
	cookie string
}

// New parses all templates, so that a broken one is known at the start.
func New(o Options) (*Web, error) {
	l, err := looks()
	if err != nil {
		return nil, err
	}
	return &Web{Options: o, look: l, cookie: CookieName(o.Links.Home())}, nil
}

// look is what is embedded, made ready.
type look struct {
	pages  map[string]*template.Template // by file name
	parts  *template.Template            // what pages share
	assets *assets
	pack   func(http.Handler) http.HandlerFunc
}

// looks makes it ready once for all instances in a process: what is embedded never changes.
var looks = sync.OnceValues(func() (*look, error) {
	assets, err := loadAssets()
	if err != nil {
		return nil, err
	}
	pages, parts, err := parse(assets)
	if err != nil {
		return nil, err
	}
	pack, err := packer()
	return &look{pages, parts, assets, pack}, err
})

// parse makes a set of templates for each page: its own file and the shared parts.
func parse(a *assets) (pages map[string]*template.Template, shared *template.Template, err error) {
	shared, err = template.New("").Funcs(template.FuncMap{
		"asset": a.path,
		"html":  func(s string) template.HTML { return template.HTML(s) }, //nolint:gosec // sanitised on arrival by text
	}).ParseFS(files, "template/part/*.html")
	if err != nil {
		return nil, nil, err
	}
	names, err := fs.Glob(files, "template/*.html")
	if err != nil {
		return nil, nil, err
	}
	pages = map[string]*template.Template{}
	for _, name := range names {
		set, err := shared.Clone()
		if err != nil {
			return nil, nil, err
		}
		if pages[path.Base(name)], err = set.ParseFS(files, name); err != nil {
			return nil, nil, err
		}
	}
	return pages, shared, nil
}

// CookieName is that of an instance's session: browsers ignore ports, so it holds a
// hash of the authority.
func CookieName(authority string) string {
	sum := sha256.Sum256([]byte(authority))
	return "parley_" + hex.EncodeToString(sum[:4])
}

// Mount adds the pages; it comes last on the router.
func (w *Web) Mount(r *mux.Router) {
	r.HandleFunc("/static/{name}", w.static).Methods("GET", "HEAD")
	r.HandleFunc("/static/{version}/{name}", w.static).Methods("GET", "HEAD")
	r.HandleFunc("/sw.js", w.worker).Methods("GET", "HEAD")
	sub := r.NewRoute().Subrouter()
	sub.Use(w.sameOrigin, w.packed)
	get, post := []string{"GET", "HEAD"}, []string{"POST"}
	for _, one := range []struct {
		methods []string
		path    string
		run     handler
	}{
		{get, "/", w.home}, {get, "/public", w.public}, {get, "/public.atom", w.feed(w.ofAll)}, {get, "/public.rss", w.feed(w.ofAll)}, {get, "/tags/{tag}.atom", w.feed(w.ofTopic)}, {get, "/tags/{tag}.rss", w.feed(w.ofTopic)}, {get, "/company", w.company}, {get, "/here", member(w.here)}, {get, "/menu", w.menu}, {get, "/live", member(w.live)}, {get, "/keys", member(w.keys)}, {get, "/about/style", w.style}, {get, "/tags/{tag}", w.tag}, {get, "/bookmarks", w.bookmarks}, {post, "/bookmarks", member(w.renameFolder)}, {get, "/bookmarks/{id:[0-9]+}", member(w.bookmark)}, {post, "/bookmarks/{id:[0-9]+}", member(w.changeBookmark)},
		{get, "/manifest.webmanifest", w.manifest}, {get, "/offline", w.offline},
		{get, "/welcome", member(w.steps)}, {post, "/welcome", member(w.takeStep)}, {get, "/admin/start", administrator(w.server)}, {post, "/admin/start", administrator(w.nameServer)},
		{get, "/lists", member(w.lists)}, {post, "/lists", member(w.createList)}, {get, "/lists/{id:[0-9]+}", member(w.list)}, {get, "/lists/{id:[0-9]+}/edit", member(w.editList)}, {post, "/lists/{id:[0-9]+}/{act:rename|delete|add|remove}", member(w.changeList)},
		{get, "/about", w.about}, {get, "/api/docs", w.programs},
		{get, "/oauth/authorize", member(w.consent)}, {get, "/oauth/authorize/", member(w.consent)}, {post, "/oauth/authorize", member(w.answerConsent)},
		{get, "/setup", w.setupForm}, {post, "/setup", w.setup},
		{get, "/sign-in", w.signInForm}, {post, "/sign-in", w.signIn}, {post, "/sign-out", w.signOut},
		{get, "/forgot", w.forgotForm}, {post, "/forgot", w.forgot}, {get, "/reset", w.resetForm}, {post, "/reset", w.reset},
		{get, "/settings", member(w.settingsForm)}, {post, "/settings", member(w.settings)}, {post, "/language", w.language}, {post, "/appearance", w.appearance},
		{get, "/compose", member(w.compose)}, {get, "/compose/names", member(w.names)}, {post, "/posts", w.publish}, {post, "/files", member(w.addFile)},
		{post, "/settings/picture", member(w.picture)}, {get, "/settings/reading", member(w.reading)}, {post, "/settings/reading", member(w.saveReading)}, {get, "/settings/move", member(w.moveForm)}, {post, "/settings/move", member(w.move)}, {get, "/settings/notices", member(w.noticesForm)}, {post, "/settings/notices", member(w.changeNotices)}, {get, "/settings/security", member(w.security)}, {post, "/settings/security", member(w.changeSecurity)},
		{get, "/settings/data", member(w.data)}, {get, "/settings/data/{file}", member(w.takeAlong)}, {get, "/directory/chart", member(w.chart)},
		{get, "/drafts", member(w.drafts)}, {get, "/drafts/{id:[0-9]+}", member(w.draft)}, {post, "/drafts/{id:[0-9]+}/{act:undo|send|time|delete}", member(w.handleDraft)},
		{get, "/posts/{id:[0-9]+}/edit", w.editForm}, {post, "/posts/{id:[0-9]+}/edit", w.edit},
		{get, "/posts/{id:[0-9]+}/history", member(w.history)}, {get, "/posts/{id:[0-9]+}/delete", w.deleteForm}, {post, "/posts/{id:[0-9]+}/delete", w.delete},
		{post, "/posts/{id:[0-9]+}/{act:like|unlike|share|unshare|bookmark|unbookmark|pin|unpin|pin-group|unpin-group|mute-thread|unmute-thread|vote}", w.act},
		{get, "/conversations", member(w.conversations)}, {post, "/conversations/{id:[0-9]+}/away", member(w.putAway)}, {get, "/topics", member(w.allTopics)}, {get, "/tags", member(w.topics)}, {post, "/tags/{tag}/{act:follow|unfollow}", member(w.followTopic)},
		{get, "/find", member(w.find)}, {get, "/directory", w.directory}, {post, "/directory/follow", w.followColleague},
		{get, "/settings/directory", w.ownEntryForm}, {post, "/settings/directory", w.ownEntry}, {get, "/notifications", member(w.notifications)}, {post, "/notifications/read", member(w.readNotifications)}, {get, "/follow-requests", w.followRequests},
		{get, "/admin/requests", administrator(w.connectRequests)}, {post, "/admin/requests", administrator(w.answerConnect)},
		{get, "/admin", administrator(w.admin)}, {get, "/admin/work", administrator(w.work)}, {post, "/admin/work", administrator(w.changeWork)}, {get, "/admin/storage", administrator(w.storage)},
		{get, "/admin/servers", administrator(w.others)}, {post, "/admin/servers/invite", administrator(w.invite)}, {post, "/admin/servers/accept", administrator(w.accept)}, {post, "/admin/servers/leave", administrator(w.leaveRoster)}, {post, "/admin/servers/revoke", administrator(w.revoke)},
		{get, "/admin/servers/{host}", administrator(w.other)}, {post, "/admin/servers/{host}", administrator(w.changeOther)},
		{get, "/admin/people", administrator(w.staff)}, {post, "/admin/people", administrator(w.addStaff)}, {post, "/admin/people/{id:[0-9]+}/{act:role|suspend|restore|reopen|sign-out|link|mail}", administrator(w.changeStaff)},
		{get, "/admin/people/{id:[0-9]+}/leave", administrator(w.leaveForm)}, {post, "/admin/people/{id:[0-9]+}/leave", administrator(w.leave)},
		{get, "/admin/reports", moderator(w.reports)}, {post, "/admin/reports/{id:[0-9]+}/close", moderator(w.closeReport)}, {post, "/admin/posts/{id:[0-9]+}/take-down", moderator(w.takeDown)},
		{get, "/admin/settings", administrator(w.orgSettings)}, {post, "/admin/settings", administrator(w.saveOrgSettings)},
		{get, "/accounts/{id:[0-9]+}/report", w.reportForm}, {post, "/accounts/{id:[0-9]+}/report", w.report}, {get, "/settings/hidden", w.hidden}, {post, "/settings/hidden", member(w.hideServer)}, {get, "/settings/heard", member(w.heard)}, {post, "/settings/heard", member(w.changeHeard)}, {get, "/settings/filters", member(w.filters)}, {post, "/settings/filters", member(w.addFilter)}, {get, "/settings/filters/{id:[0-9]+}", member(w.filter)}, {post, "/settings/filters/{id:[0-9]+}", member(w.changeFilter)}, {get, "/settings/apps", member(w.apps)}, {post, "/settings/apps", member(w.revokeApp)},
		{get, "/accounts/{id:[0-9]+}/followers", w.followers}, {get, "/accounts/{id:[0-9]+}/following", w.following},
		{post, "/accounts/{id:[0-9]+}/{act:follow|unfollow|accept|reject|mute|unmute|block|unblock|note|drop}", w.relate},
		{get, "/groups", member(w.groups)}, {post, "/groups", member(w.createGroup)}, {get, "/groups/new", member(w.newGroupForm)},
		{get, "/groups/{id:[0-9]+}", w.group}, {get, "/groups/{id:[0-9]+}/edit", w.editGroupForm}, {post, "/groups/{id:[0-9]+}/edit", w.changeGroup},
		{get, "/groups/{id:[0-9]+}/members", member(w.groupPeople)}, {post, "/groups/{id:[0-9]+}/{act:join|leave}", w.joinGroup},
		{post, "/groups/{id:[0-9]+}/members", w.addMember},
		{post, "/groups/{id:[0-9]+}/members/{who:[0-9]+}/{act:approve|decline|remove|moderate|unmoderate}", w.groupMember},
		{get, "/groups/{id:[0-9]+}/hand-over", w.handOverForm}, {post, "/groups/{id:[0-9]+}/hand-over", w.handOver},
		{get, "/groups/{id:[0-9]+}/close", w.closeForm}, {post, "/groups/{id:[0-9]+}/close", w.closeGroup},
		{get, "/users/{id:[0-9]+}", w.byID}, {get, "/users/{author:[0-9]+}/statuses/{id:[0-9]+}", w.thread},
		{get, "/@{name}/{id:[0-9]+}", w.thread}, {get, "/@{name}.atom", w.feed(w.ofMember)}, {get, "/@{name}.rss", w.feed(w.ofMember)}, {get, "/@{name}", w.profile},
	} {
		sub.HandleFunc(one.path, w.handle(one.run)).Methods(one.methods...)
	}
	r.NotFoundHandler = http.HandlerFunc(w.notFound)
	r.MethodNotAllowedHandler = w.wrongMethod(r)
}

// notFound answers people with a page, and programs as serve does.
func (w *Web) notFound(rw http.ResponseWriter, r *http.Request) {
	accept := r.Header.Get("Accept")
	program := strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/oauth/") ||
		strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
	if program {
		serve.Error(rw, r, w.Log, social.NotFoundError())
		return
	}
	w.handle(func(*page) error { return social.NotFoundError() })(rw, r)
}

// wrongMethod answers who opens the address of a form, or sends one to a page: the way back
// for people, what the address takes for programs (RFC 9110 15.5.6).
func (w *Web) wrongMethod(router *mux.Router) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			other := r.Clone(r.Context())
			other.Method = method
			var match mux.RouteMatch
			if router.Match(other, &match) && match.MatchErr == nil {
				allowed = append(allowed, method)
			}
		}
		if !serve.Browser(r) {
			serve.MethodNotAllowed(rw, allowed)
			return
		}
		w.handle(func(p *page) error {
			p.w.Header().Set("Allow", strings.Join(allowed, ", "))
			p.w.Header().Set("Cache-Control", "no-store")
			e := errorPage{frame: p.titled("error"), Text: p.T("form_address")}
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				e.Text = p.T("page_address")
			}
			return w.show(p, http.StatusMethodNotAllowed, e)
		})(rw, r)
	}
}

// sameOrigin refuses forms that another site sent (A5).
func (w *Web) sameOrigin(next http.Handler) http.Handler {
	forms := http.NewCrossOriginProtection()
	forms.SetDenyHandler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Refuse(rw, r, social.Errorf(social.Forbidden, "this form was sent from another site; open it here and send it again"))
	}))
	return forms.Handler(next)
}

// contentPolicy allows nothing from elsewhere and nothing that stands in a page. Only
// static/js/part.js makes HTML of text.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types parley"

// guard sets what every page says to the browser.
func guard(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
	h.Add("Vary", "Accept")
}

type handler func(p *page) error

// member lets nobody else in: who is signed out signs in first.
func member(run handler) handler {
	return func(p *page) error {
		if p.Me == nil {
			return social.Errorf(social.Unauthenticated, "sign in first")
		}
		return run(p)
	}
}

func (w *Web) handle(run handler) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		guard(rw.Header())
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(rw, r.Body, w.Social.Limits.UploadBytes+(1<<20))
		}
		p := w.page(rw, r)
		if err := p.readForm(); err != nil {
			w.fail(p, err)
			return
		}
		if err := run(p); err != nil {
			w.fail(p, err)
		}
	}
}

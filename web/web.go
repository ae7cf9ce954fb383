// Package web is the pages for people: plain forms, German and English, no
// JavaScript needed. It knows neither client JSON nor SQL, and decides nothing:
// social does.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"parley/auth"
	"parley/serve"
	"parley/social"
)

//go:embed template/*.html static/*
var files embed.FS

// Options are what the pages need.
type Options struct {
	Social *social.Service
	Auth   *auth.Service
	Links  social.Links
	Trial  bool // no other server can reach this one
	Now    func() time.Time
	Log    *slog.Logger
}

// Web serves pages.
type Web struct {
	Options
	pages  *template.Template
	cookie string
}

// New parses all templates, so that a broken one is known at the start.
func New(o Options) (*Web, error) {
	pages, err := template.New("").Funcs(template.FuncMap{
		"t":    func(p *page, key string) string { return p.T(key) },
		"html": func(s string) template.HTML { return template.HTML(s) }, //nolint:gosec // sanitised on arrival by text
	}).ParseFS(files, "template/*.html")
	return &Web{Options: o, pages: pages, cookie: CookieName(o.Links.Home())}, err
}

// CookieName is that of an instance's session: browsers ignore ports, so it holds a
// hash of the authority.
func CookieName(authority string) string {
	sum := sha256.Sum256([]byte(authority))
	return "parley_" + hex.EncodeToString(sum[:4])
}

// Mount adds the pages; it comes last on the router.
func (w *Web) Mount(r *mux.Router) {
	r.PathPrefix("/static/").Handler(http.FileServerFS(files)).Methods("GET", "HEAD")
	r.HandleFunc("/media/{id:[0-9]+}/{size:original|small}", w.media).Methods("GET", "HEAD")
	sub := r.NewRoute().Subrouter()
	sub.Use(http.NewCrossOriginProtection().Handler)
	get, post := []string{"GET", "HEAD"}, []string{"POST"}
	for _, one := range []struct {
		methods []string
		path    string
		run     handler
	}{
		{get, "/", w.home}, {get, "/public", w.public}, {get, "/setup", w.setupForm}, {post, "/setup", w.setup},
		{get, "/sign-in", w.signInForm}, {post, "/sign-in", w.signIn}, {post, "/sign-out", w.signOut},
		{get, "/reset", w.resetForm}, {post, "/reset", w.reset}, {post, "/posts", w.publish}, {post, "/language", w.language},
		{post, "/posts/{id:[0-9]+}/{act:like|unlike|share|unshare|bookmark|unbookmark|delete|vote}", w.act},
		{get, "/find", w.find}, {get, "/notifications", w.notifications}, {get, "/tags/{tag}", w.tag},
		{post, "/accounts/{id:[0-9]+}/{act:follow|unfollow|accept|reject}", w.relate},
		{get, "/users/{id:[0-9]+}", w.byID}, {get, "/users/{author:[0-9]+}/statuses/{id:[0-9]+}", w.thread},
		{get, "/@{name}/{id:[0-9]+}", w.thread}, {get, "/@{name}", w.profile},
	} {
		sub.HandleFunc(one.path, w.handle(one.run)).Methods(one.methods...)
	}
	r.NotFoundHandler = w.handle(func(*page) error { return social.NotFoundError() })
}

// page is what every template gets.
type page struct {
	*http.Request
	w        http.ResponseWriter
	reader   social.Reader
	Me       *social.Account
	Language string
	Org      social.Organisation
	Trial    bool
	Title    string
	Error    string
	Unread   int
	Domain   string
	Data     any
	Choices  []social.Choice
	ReplyTo  *social.PostView
	Draft    string
	Older    string
	Code     string
	now      time.Time
}

type handler func(p *page) error

// contentPolicy allows nothing from elsewhere but pictures of remote posts.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self' https: http:; media-src https: http:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (w *Web) handle(run handler) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Security-Policy", contentPolicy)
		rw.Header().Set("Cache-Control", "private, no-store")
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(rw, r.Body, w.Social.Limits.UploadBytes+(1<<20))
		}
		p := w.page(rw, r)
		if err := run(p); err != nil {
			w.fail(p, err)
		}
	}
}

func (w *Web) page(rw http.ResponseWriter, r *http.Request) *page {
	p := &page{Request: r, w: rw, reader: social.Nobody(w.Links.Home()), Trial: w.Trial, Domain: w.Links.Domain, now: w.Now(), Language: language(r)}
	if c, err := r.Cookie(w.cookie); err == nil {
		if a, _, err := w.Auth.Session(r.Context(), c.Value); err == nil {
			p.Me, p.reader = a, social.Member(a, w.Links.Home())
			if a.Language == "de" || a.Language == "en" {
				p.Language = a.Language
			}
			if p.Unread, err = w.Social.Unread(r.Context(), p.reader); err != nil {
				w.Log.Warn("unread notifications not counted", "error", err)
			}
		}
	}
	var err error
	if p.Org, err = w.Social.Organisation(r.Context()); err != nil {
		w.Log.Warn("organisation not read", "error", err)
	}
	return p
}

// language picks German or English by what the browser asks for first.
func language(r *http.Request) string {
	if c, err := r.Cookie("parley_language"); err == nil && (c.Value == "de" || c.Value == "en") {
		return c.Value
	}
	header := strings.ToLower(r.Header.Get("Accept-Language"))
	de, en := strings.Index(header, "de"), strings.Index(header, "en")
	if de >= 0 && (en < 0 || de < en) {
		return "de"
	}
	return "en"
}

func (w *Web) show(p *page, name, title string, data any) error {
	p.Title, p.Data = p.T(title), data
	var b strings.Builder
	if err := w.pages.ExecuteTemplate(&b, name, p); err != nil {
		return err
	}
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(p.w, b.String()) // the connection may be gone; nobody is left to tell
	return nil
}

// fail shows an error as a page with a way back.
func (w *Web) fail(p *page, err error) {
	status := serve.Prepare(p.w, p.Request, w.Log, err)
	if status == http.StatusUnauthorized && p.Method == http.MethodGet {
		http.Redirect(p.w, p.Request, "/sign-in?next="+url.QueryEscape(p.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	p.Error = serve.Public(err)
	if status == http.StatusNotFound {
		p.Error = p.T("not_found")
	}
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	p.w.WriteHeader(status)
	p.Title = p.T("error")
	if err := w.pages.ExecuteTemplate(p.w, "error.html", p); err != nil {
		w.Log.Error("error page broke", "error", err)
	}
}

// back sends the browser to where the form was, if that is one of our own pages.
func (w *Web) back(p *page, fallback string) error {
	to := p.FormValue("next")
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		to = fallback
	}
	http.Redirect(p.w, p.Request, to, http.StatusSeeOther)
	return nil
}

func (w *Web) setCookie(p *page, value string, age int) {
	http.SetCookie(p.w, &http.Cookie{Name: w.cookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true,
		Secure: strings.HasPrefix(w.Links.PublicURL, "https:"), SameSite: http.SameSiteLaxMode})
}

func (p *page) id(name string) (social.ID, error) { return social.ParseID(mux.Vars(p.Request)[name]) }

// cursor reads ?older=, a place in a list.
func (p *page) cursor() social.Page {
	id, err := social.ParseID(p.URL.Query().Get("older"))
	if err != nil {
		id = 0
	}
	return social.Page{Max: id, Limit: 20}
}

func (p *page) paged(views []*social.PostView) {
	if len(views) == 20 {
		p.Older = p.URL.Path + "?older=" + views[19].Cursor.String()
	}
}

// media serves files as what they are and never as anything active (A4).
func (w *Web) media(rw http.ResponseWriter, r *http.Request) {
	p := w.page(rw, r)
	id, err := p.id("id")
	if err == nil {
		err = w.sendMedia(p, id)
	}
	if err != nil {
		serve.Error(rw, r, w.Log, err)
	}
}

func (w *Web) sendMedia(p *page, id social.ID) error {
	f, m, err := w.Social.OpenMedia(p.Context(), p.reader, id, mux.Vars(p.Request)["size"] == "small")
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	h := p.w.Header()
	h.Set("Content-Type", m.Attachment.MediaType)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=3600")
	if m.Attachment.Kind != "image" {
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(m.Attachment.Name))
	}
	http.ServeContent(p.w, p.Request, "", m.CreatedAt, f)
	return nil
}

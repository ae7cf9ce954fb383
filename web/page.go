package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"golang.org/x/text/language"

	"parley/serve"
	"parley/social"
)

// frame is what every page shows around its own content.
type frame struct {
	Language string // de or en
	Theme    string // light, dark or "" for what the system says
	Title    string
	Tab      string // of the window, where the title says too little; "" for the title
	Org      social.Organisation
	Me       *social.Account // nil when signed out
	Unread   int
	Admin    bool
	Knocking int // servers that want to connect; for administrators
	Trial    bool
	Bare     bool // nothing of the database is known: no names, no ways on
	Domain   string
	Path     string   // of this page with its query, to come back to
	Notice   string   // what was just done
	Problem  string   // what went wrong
	Held     *unsent  // what the reader sent a moment ago and can take back
	Feed     string   // address of the page's feeds without their endings
	Preview  *preview // of the page for other programs; nil unless everybody may see it
	NoKeys   bool     // keyboard shortcuts are switched off
	Live     string   // where the page hears of what happens
	Fresh    string   // what says that there are new posts; "" where no list shows them by itself

	home string    // our authority
	now  time.Time // in the reader's time zone
	// ZoneCookie is where a script keeps the device's time zone.
	ZoneCookie string
	zone       func(authority string) social.ZoneKind
	names      func() map[string]string // of other servers
	shown      map[social.ID]bool       // posts that have an anchor on the page
}

// content is a page with its template.
type content interface {
	file() string
}

// page is one request.
type page struct {
	*frame
	r       *http.Request
	w       http.ResponseWriter
	reader  social.Reader
	session social.ID // by which the reader is signed in
	since   int64     // the place in time before anything was read
	pins    string    // the act that puts a post that comes to stand here on top; "" for none
}

func (p *page) ctx() context.Context { return p.r.Context() }

// titled names the page by a key of words.
func (p *page) titled(key string) *frame {
	p.Title = p.T(key)
	return p.frame
}

// Here says that the page is the one at a path, whatever its query.
func (f *frame) Here(path string) bool {
	here, _, _ := strings.Cut(f.Path, "?")
	return here == path
}

func (w *Web) page(rw http.ResponseWriter, r *http.Request) *page {
	f := &frame{Language: w.preferred(r), Theme: w.theme(r), Trial: w.Trial, Domain: w.Links.Domain, Path: r.URL.RequestURI(),
		home: w.Links.Home(), now: w.now(r), ZoneCookie: w.cookie + deviceZone, shown: map[social.ID]bool{}}
	p := &page{frame: f, r: r, w: rw, reader: social.Nobody(f.home), since: w.Live.Now()}
	p.hear("")
	f.zone, f.names = w.zones(p.ctx()), w.serverNames(p.ctx())
	if c, err := r.Cookie(w.cookie + "_keys"); err == nil {
		f.NoKeys = c.Value == "off"
	}
	if r.Method == http.MethodPost {
		f.Path = "/" // a form's own address cannot be opened
	}
	w.recognise(p)
	if key := r.URL.Query().Get("done"); notices[key] {
		f.Notice = f.T(key)
	}
	w.remind(p)
	var err error
	if f.Org, err = w.Social.Organisation(p.ctx()); err != nil {
		w.Log.Warn("organisation not read", "error", err)
	}
	return p
}

// Reader is who is signed in by the session's cookie, or nobody.
func (w *Web) Reader(r *http.Request) social.Reader {
	reader, _ := w.signedIn(r)
	return reader
}

// signedIn is Reader with the session, zero for nobody.
func (w *Web) signedIn(r *http.Request) (social.Reader, social.ID) {
	c, err := r.Cookie(w.cookie)
	if err != nil {
		return social.Nobody(w.Links.Home()), 0
	}
	a, session, err := w.Auth.Session(r.Context(), c.Value)
	if err != nil {
		return social.Nobody(w.Links.Home()), 0
	}
	return social.Member(a, w.Links.Home()), session.ID
}

// recognise finds out who asks, by the session's cookie.
func (w *Web) recognise(p *page) {
	if p.reader, p.session = w.signedIn(p.r); p.reader.Account == nil {
		return
	}
	a := p.reader.Account
	p.Me = a
	if known(a.Language) {
		p.Language = a.Language
	}
	var err error
	if p.Unread, err = w.Social.Unread(p.ctx(), p.reader, social.NotificationFilter{}, social.MostUnread); err != nil {
		w.Log.Warn("unread notifications not counted", "error", err)
	}
	if p.Admin = a.Role == social.RoleAdmin; p.Admin {
		if p.Knocking, err = w.Social.RequestsWaiting(p.ctx()); err != nil {
			w.Log.Warn("servers that want to connect not counted", "error", err)
		}
	}
}

// zones looks the zone of other servers up, once for each page.
func (w *Web) zones(ctx context.Context) func(string) social.ZoneKind {
	seen := map[string]social.ZoneKind{}
	return func(authority string) social.ZoneKind {
		if _, ok := seen[authority]; !ok {
			z, err := w.Social.Zone(ctx, authority)
			if err != nil {
				w.Log.Warn("zone not read", "peer", authority, "error", err)
			}
			seen[authority] = z.Kind
		}
		return seen[authority]
	}
}

// serverNames looks the names of other servers up, once for each page that needs them.
func (w *Web) serverNames(ctx context.Context) func() map[string]string {
	return sync.OnceValue(func() map[string]string {
		names, err := w.Social.ServerNames(ctx)
		if err != nil {
			w.Log.Warn("names of servers not read", "error", err)
		}
		return names
	})
}

// NameOf is what members call another server: the name of its company where that is
// known, else its address.
func (f *frame) NameOf(authority string) string {
	if f.Me == nil || f.names == nil {
		return authority
	}
	return cmp.Or(f.names()[authority], authority)
}

// readForm parses what was sent, so that a broken or too large body has its own answer.
func (p *page) readForm() error {
	if p.r.Method != http.MethodPost {
		return nil
	}
	var err error
	if strings.HasPrefix(p.r.Header.Get("Content-Type"), "multipart/") {
		err = p.r.ParseMultipartForm(8 << 20)
	} else {
		err = p.r.ParseForm()
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return social.Errorf(social.Invalid, "what you sent is too large; go back, what you typed is still there")
	}
	if err != nil {
		return social.Errorf(social.Invalid, "the form cannot be read; open it again")
	}
	return nil
}

var languages = language.NewMatcher([]language.Tag{language.English, language.German})

func known(l string) bool { return l == "de" || l == "en" }

// preferred picks German or English: what was chosen here, else what the browser asks for.
func (w *Web) preferred(r *http.Request) string {
	if c, err := r.Cookie(w.cookie + "_language"); err == nil && known(c.Value) {
		return c.Value
	}
	tag, _ := language.MatchStrings(languages, r.Header.Get("Accept-Language"))
	if base, _ := tag.Base(); base.String() == "de" {
		return "de"
	}
	return "en"
}

// theme is what was chosen in this browser.
func (w *Web) theme(r *http.Request) string {
	if c, err := r.Cookie(w.cookie + "_theme"); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// Cookies with the time zone: the one that was chosen in this browser, and the one that
// the device says.
const (
	chosenZone = "_zone"
	deviceZone = "_device_zone"
)

// now is the time where the reader is: in the zone that they chose, else of their device,
// else of this server.
func (w *Web) now(r *http.Request) time.Time {
	now := w.Now()
	for _, name := range []string{chosenZone, deviceZone} {
		if c, err := r.Cookie(w.cookie + name); err == nil {
			if zone := zoneOf(c.Value); zone != nil {
				return now.In(zone)
			}
		}
	}
	return now
}

// zoneOf is a time zone by its name in the IANA database; nil if there is none.
func zoneOf(name string) *time.Location {
	if name == "" || name == "Local" || len(name) > 64 {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}

// show writes a page; nothing has been sent when a template fails.
func (w *Web) show(p *page, status int, c content) error {
	var b strings.Builder
	if err := w.pages[c.file()].ExecuteTemplate(&b, "layout", c); err != nil {
		return err
	}
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	p.w.WriteHeader(status)
	_, _ = io.WriteString(p.w, b.String()) // the connection may be gone; nobody is left to tell
	return nil
}

type errorPage struct {
	*frame
	Text    string
	Request string // names the request in the log, for faults of ours
	Retry   bool
	Seek    bool // what was looked for may be found otherwise
}

func (errorPage) file() string { return "error.html" }

// fail shows an error as a page with a way on.
func (w *Web) fail(p *page, err error) {
	status := serve.Prepare(p.w, p.r, w.Log, err)
	if status == http.StatusUnauthorized && (p.r.Method == http.MethodGet || p.r.Method == http.MethodHead) {
		http.Redirect(p.w, p.r, "/sign-in?next="+url.QueryEscape(p.Path), http.StatusSeeOther)
		return
	}
	if status == http.StatusUnauthorized && p.r.Method == http.MethodPost && !p.wantsPart() {
		if err := w.signInAgain(p); err != nil {
			w.Log.Error("sign-in page broke", "error", err)
		}
		return
	}
	if status == http.StatusNotFound {
		p.Path = "/" // a page that says nothing of what was asked for has no way back to it
	}
	p.Live = "/live?" // with a place in time no two answers would be alike
	e := errorPage{Text: p.say(err), Retry: status >= 500 || status == http.StatusTooManyRequests, Seek: status == http.StatusNotFound}
	switch status {
	case http.StatusNotFound, http.StatusGone:
		e.frame = p.titled("error_missing")
	case http.StatusForbidden:
		e.frame = p.titled("error_forbidden")
	case http.StatusTooManyRequests:
		e.frame = p.titled("error_limited")
	default:
		e.frame = p.titled("error")
	}
	if status >= 500 {
		e.Request = serve.RequestID(p.ctx())
	}
	if err := w.show(p, status, e); err != nil {
		w.Log.Error("error page broke", "error", err)
	}
}

// signInAgain lets whoever was signed out while a form was open sign in and come back to
// it. What was typed comes along into the forms that are opened again, and stands on the
// page, to be copied.
func (w *Web) signInAgain(p *page) error {
	if reopened.MatchString(p.r.URL.Path) {
		p.r.PostForm = url.Values{goOn: {p.r.URL.Path}, typed: {p.r.PostForm.Encode()}}
		f := w.signInPage(p, "/")
		f.Problem = p.T("signed_out_writing")
		return w.show(p, http.StatusUnauthorized, f)
	}
	f := w.signInPage(p, cmp.Or(w.cameFrom(p.r), "/"))
	f.Problem = p.T("signed_out_form")
	f.Kept = inWords(p.r.PostForm)
	return w.show(p, http.StatusUnauthorized, f)
}

// cameFrom is the page of ours that led to a request, as the browser says; "" for none.
func (w *Web) cameFrom(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Scheme+"://"+from.Host != w.Links.PublicURL || !ours(from.RequestURI()) {
		return ""
	}
	return from.RequestURI()
}

// Refuse answers what ended before any page ran, such as too many requests: people
// get a page that asks nothing of the database, programs what serve says.
func (w *Web) Refuse(rw http.ResponseWriter, r *http.Request, err error) {
	if !serve.Browser(r) {
		serve.Error(rw, r, w.Log, err)
		return
	}
	guard(rw.Header())
	f := &frame{Language: w.preferred(r), Theme: w.theme(r), Bare: true, Path: r.URL.RequestURI(), Org: social.Organisation{Name: w.Links.Domain}}
	if r.Method == http.MethodPost {
		f.Path = "/"
	}
	w.fail(&page{frame: f, r: r, w: rw}, err)
}

// back sends the browser to where the form was, if that is one of our own pages.
func (w *Web) back(p *page, fallback, done string) error {
	to := p.r.PostFormValue("next")
	if !ours(to) {
		to = fallback
	}
	return w.redirect(p, to, done)
}

// ours says that an address is a path here; a browser takes "//", "\" and tabs for
// the beginning of another host.
func ours(to string) bool {
	return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.ContainsAny(to, "\\\r\n\t")
}

// redirect goes on by GET, so that reloading repeats nothing. done names a notice.
func (w *Web) redirect(p *page, to, done string) error {
	u, err := url.Parse(to)
	if err != nil {
		u = &url.URL{Path: "/"}
	}
	q := u.Query()
	q.Del("done")
	if done != "" {
		q.Set("done", done)
	}
	u.RawQuery = q.Encode()
	http.Redirect(p.w, p.r, u.String(), http.StatusSeeOther)
	return nil
}

func (w *Web) setCookie(p *page, name, value string, age int) {
	http.SetCookie(p.w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true,
		Secure: strings.HasPrefix(w.Links.PublicURL, "https:"), SameSite: http.SameSiteLaxMode})
}

func (p *page) id(name string) (social.ID, error) { return social.ParseID(mux.Vars(p.r)[name]) }

// part is a text in the page's address, as it was before the browser escaped it; "" is
// nobody's name.
func (p *page) part(name string) string {
	s, err := url.PathUnescape(mux.Vars(p.r)[name])
	if err != nil {
		return ""
	}
	return s
}

// cursor reads ?older=, a place in a list.
func (p *page) cursor() social.Page {
	id, err := social.ParseID(p.r.URL.Query().Get("older"))
	if err != nil {
		id = 0
	}
	return social.Page{Max: id, Limit: pageSize}
}

// skip reads how many entries of a list without cursors were shown.
func (p *page) skip(name string) int {
	n, err := strconv.Atoi(p.r.URL.Query().Get(name))
	if err != nil {
		return 0
	}
	return max(n, 0)
}

const pageSize = 20

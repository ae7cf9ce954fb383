package demo

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"parley/web"
)

//go:embed start.html start.css side.html wire.html
var files embed.FS

// startPage is what the start page shows.
type startPage struct {
	Places []startPlace
	Ben    string // handle of the one whom the tour looks for
}

type startPlace struct {
	At              int
	Name, URL       string
	English, German string // what it is to the others
	People          []startPerson
	Stopped         bool
}

type startPerson struct{ User, Name, Title, Note, Language string }

// handler serves the start page: everybody with one click, and what can be tried.
func (d *Demo) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		// A form here leads to the places: browsers ask the policy about redirects too.
		show(w, "start.html", "frame-ancestors 'none'; form-action 'self' "+strings.Join(d.origins(), " "), d.start())
	})
	mux.Handle("GET /start.css", http.FileServerFS(files))
	same := http.NewCrossOriginProtection()
	mux.Handle("POST /open", same.Handler(http.HandlerFunc(d.enter)))
	mux.HandleFunc("GET /side", d.side)
	mux.HandleFunc("GET /wire", d.sent)
	mux.Handle("POST /write", same.Handler(http.HandlerFunc(d.write)))
	mux.Handle("POST /stop", same.Handler(http.HandlerFunc(d.turn(d.halt))))
	mux.Handle("POST /start", same.Handler(http.HandlerFunc(d.turn(d.resume))))
	return mux
}

// pages are embedded, so a test has seen them.
var pages = template.Must(template.ParseFS(files, "*.html"))

// show writes a page, with what its own policy adds.
func show(w http.ResponseWriter, name, policy string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; "+policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // the connection may be gone; nobody is left to tell
}

func (d *Demo) origins() []string {
	var out []string
	for _, p := range d.places {
		out = append(out, p.url)
	}
	return out
}

func (d *Demo) start() startPage {
	out := startPage{Ben: "@ben@" + d.places[1].domain}
	for i, p := range d.places {
		s := startPlace{At: i, Name: p.name, URL: p.url, English: p.english, German: p.german}
		for _, q := range p.people {
			s.People = append(s.People, startPerson{q.user, q.name, q.title, q.note, q.language})
		}
		out.Places = append(out.Places, s)
	}
	return out
}

// enter opens a place as somebody.
func (d *Demo) enter(w http.ResponseWriter, r *http.Request) {
	at, err := strconv.Atoi(r.PostFormValue("at"))
	if err != nil || at < 0 || at >= len(d.places) {
		http.NotFound(w, r)
		return
	}
	if err := d.admit(w, r, at, r.PostFormValue("user")); err != nil {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, d.places[at].url+"/", http.StatusSeeOther)
}

// admit signs the browser in as somebody, unless it is: cookies are shared by all
// ports of a host, and each place has a name of its own for them.
func (d *Demo) admit(w http.ResponseWriter, r *http.Request, at int, user string) error {
	who, in, err := d.as(r.Context(), at, user)
	if err != nil {
		return err
	}
	name := web.CookieName(in.Social.HomeAuthority())
	if c, err := r.Cookie(name); err == nil {
		if a, _, err := in.Auth.Session(r.Context(), c.Value); err == nil && a.ID == who.Account.ID {
			return nil
		}
	}
	text, err := in.Auth.Begin(r.Context(), who.Account.ID, r.UserAgent())
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: name, Value: text, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return nil
}

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

//go:embed start.html start.css
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
}

type startPerson struct{ User, Name, Note, Language string }

// handler serves the start page: everybody with one click, and what can be tried.
func (d *Demo) handler() http.Handler {
	page := template.Must(template.ParseFS(files, "start.html")) // embedded, so a test has seen it
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		if err := page.Execute(&b, d.start()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		// A form here leads to the places: browsers ask the policy about redirects too.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+strings.Join(d.origins(), " "))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(b.Bytes()) // the connection may be gone; nobody is left to tell
	})
	mux.Handle("GET /start.css", http.FileServerFS(files))
	mux.Handle("POST /open", http.NewCrossOriginProtection().Handler(http.HandlerFunc(d.enter)))
	return mux
}

func (d *Demo) origins() []string {
	var out []string
	for _, p := range d.places {
		out = append(out, p.in.Config.PublicURL)
	}
	return out
}

func (d *Demo) start() startPage {
	out := startPage{Ben: "@ben@" + d.places[1].in.Config.Domain}
	for i, p := range d.places {
		s := startPlace{At: i, Name: p.name, URL: p.in.Config.PublicURL, English: p.english, German: p.german}
		for _, q := range p.people {
			s.People = append(s.People, startPerson{q.user, q.name, q.note, q.language})
		}
		out.Places = append(out.Places, s)
	}
	return out
}

// enter signs the browser in as somebody: cookies are shared by all ports of a
// host, and each place has a name of its own for them.
func (d *Demo) enter(w http.ResponseWriter, r *http.Request) {
	at, err := strconv.Atoi(r.PostFormValue("at"))
	if err != nil || at < 0 || at >= len(d.places) {
		http.NotFound(w, r)
		return
	}
	who, in, err := d.as(r.Context(), at, r.PostFormValue("user"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	text, err := in.Auth.Begin(r.Context(), who.Account.ID, r.UserAgent())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: web.CookieName(in.Social.HomeAuthority()), Value: text, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, in.Config.PublicURL+"/", http.StatusSeeOther)
}

package demo

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"parley/social"
)

const hq, subsidiary, partner = 0, 1, 2

// sidePage shows three windows side by side, and what can be done to them.
type sidePage struct {
	Places  []startPlace
	Stopped bool // the subsidiary
	Problem string
}

// wirePage is what the partner's server was sent since somebody wrote by a button.
type wirePage struct {
	Name  string
	Since time.Time
	Rows  []wireRow
}

// side shows the first person of each place in a frame of its own: the real pages.
func (d *Demo) side(w http.ResponseWriter, r *http.Request) {
	page := sidePage{Problem: r.URL.Query().Get("problem")}
	for at, place := range d.start().Places {
		err := d.admit(w, r, at, d.places[at].people[0].user)
		if err != nil && !errors.Is(err, errStopped) {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if place.Stopped = err != nil; at == subsidiary {
			page.Stopped = place.Stopped
		}
		page.Places = append(page.Places, place)
	}
	show(w, "side.html", "frame-src 'self' "+strings.Join(d.origins(), " ")+"; frame-ancestors 'none'; form-action 'self'", page)
}

// sent shows what the partner's server was sent; the frame reloads itself.
func (d *Demo) sent(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	page := wirePage{Name: d.places[partner].name, Since: d.marked}
	d.mu.Unlock()
	page.Rows = d.places[partner].wire.since(page.Since)
	for i := range page.Rows {
		for _, p := range d.places {
			if page.Rows[i].From == p.domain {
				page.Rows[i].From = p.name
			}
		}
	}
	show(w, "wire.html", "frame-ancestors 'self'; form-action 'none'", page)
}

// framed lets the windows show a place's pages, which allow no frame elsewhere.
func (d *Demo) framed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&frameWriter{ResponseWriter: w, by: d.URL()}, r)
	})
}

// frameWriter names in the policy of a page who may frame it.
type frameWriter struct {
	http.ResponseWriter
	by   string
	sent bool
}

func (f *frameWriter) WriteHeader(status int) {
	if !f.sent {
		f.sent = true
		h := f.Header()
		if policy := h.Get("Content-Security-Policy"); policy != "" {
			h.Set("Content-Security-Policy", strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors "+f.by, 1))
		}
	}
	f.ResponseWriter.WriteHeader(status)
}

func (f *frameWriter) Write(b []byte) (int, error) {
	if !f.sent {
		f.WriteHeader(http.StatusOK)
	}
	return f.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (f *frameWriter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// write lets Anna write; the partner's wire is watched from then on.
func (d *Demo) write(w http.ResponseWriter, r *http.Request) {
	_, err := d.tell(r.Context(), r.PostFormValue("to"), r.PostFormValue("text"))
	d.back(w, r, err)
}

func (d *Demo) tell(ctx context.Context, audience, text string) (*social.PostView, error) {
	d.mu.Lock()
	d.marked = time.Now()
	d.mu.Unlock()
	return d.post(ctx, hq, "anna", social.Draft{Text: text, Audience: audience})
}

func (d *Demo) turn(how func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { d.back(w, r, how(r.Context())) }
}

func (d *Demo) back(w http.ResponseWriter, r *http.Request, err error) {
	to := "/side"
	if err != nil {
		to += "?problem=" + template.URLQueryEscaper(err.Error())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// halt stops the subsidiary's server.
func (d *Demo) halt(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.places[subsidiary].shut()
}

// resume starts it again. The others would notice at their next try; the button
// spares the wait.
func (d *Demo) resume(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.places[subsidiary]
	if p.in != nil {
		return nil
	}
	if err := d.open(context.WithoutCancel(ctx), p); err != nil {
		return err
	}
	for _, other := range d.places {
		if other == p {
			continue
		}
		if _, err := other.in.DB.RetryNow(ctx, p.domain, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

package demo

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"parley/instance"
	"parley/social"
)

const (
	hq, subsidiary, partner = 0, 1, 2
	windowPosts             = 6
)

// sidePage shows three windows side by side, and what can be done to them.
type sidePage struct {
	Places  []startPlace
	Stopped bool // the subsidiary
	Problem string
}

// windowPage is what one person of a place sees, as often as the frame reloads.
type windowPage struct {
	Name, English, German string
	Person                string
	Stopped               bool
	Posts                 []windowPost
	Watched               bool // its wire is shown
	Since                 time.Time
	Wire                  []wireRow
}

type windowPost struct {
	Author, Company string
	At              time.Time
	Content         template.HTML
}

func (d *Demo) side(w http.ResponseWriter, r *http.Request) {
	_, err := d.running(subsidiary)
	show(w, "side.html", "frame-src 'self'; frame-ancestors 'none'; form-action 'self'",
		sidePage{Places: d.start().Places, Stopped: err != nil, Problem: r.URL.Query().Get("problem")})
}

// window shows the home timeline of the first person of a place; of the partner also
// what its server was sent since somebody wrote for the group.
func (d *Demo) window(w http.ResponseWriter, r *http.Request) {
	at, err := strconv.Atoi(r.PathValue("at"))
	if err != nil || at < 0 || at >= len(d.places) {
		http.NotFound(w, r)
		return
	}
	p := d.places[at]
	page := windowPage{Name: p.name, English: p.english, German: p.german, Person: p.people[0].name, Watched: at == partner}
	d.mu.Lock()
	page.Since = d.marked
	d.mu.Unlock()
	page.Wire = p.wire.since(page.Since)
	who, in, err := d.as(r.Context(), at, p.people[0].user)
	switch {
	case errors.Is(err, errStopped):
		page.Stopped = true
	case err == nil:
		page.Posts, err = d.newest(r.Context(), in, who)
	}
	if err != nil && !page.Stopped {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	show(w, "window.html", "frame-ancestors 'self'; form-action 'none'", page)
}

func (d *Demo) newest(ctx context.Context, in *instance.Instance, who social.Reader) ([]windowPost, error) {
	views, err := in.Social.Home(ctx, who, social.Page{Limit: windowPosts})
	var out []windowPost
	for _, v := range views {
		if v.Boost != nil {
			v = v.Boost
		}
		company := v.Author.Host
		for _, p := range d.places {
			if company == p.domain || company == "" && in.Config.Domain == p.domain {
				company = p.name
				break
			}
		}
		out = append(out, windowPost{Author: v.Author.Name(), Company: company, At: v.Post.PublishedAt,
			Content: template.HTML(v.Post.Content)}) //nolint:gosec // sanitised on arrival
	}
	return out, err
}

// write lets Anna write for the whole group; the partner's wire is watched from then on.
func (d *Demo) write(w http.ResponseWriter, r *http.Request) {
	_, err := d.tellGroup(r.Context(), r.PostFormValue("text"))
	d.back(w, r, err)
}

func (d *Demo) tellGroup(ctx context.Context, text string) (*social.PostView, error) {
	d.mu.Lock()
	d.marked = time.Now()
	d.mu.Unlock()
	return d.post(ctx, hq, "anna", social.Draft{Text: text, Audience: string(social.AudienceCompany)})
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

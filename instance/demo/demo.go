// Package demo runs two sisters and a partner on loopback, with people, follows,
// threads, a poll and a file, and a start page that opens any of them with one
// click. Everything is real: three whole instances that exchange over HTTP.
package demo

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"parley/config"
	"parley/instance"
	"parley/social"
	"parley/web"
)

// place is one instance of the demo.
type place struct {
	name, group string
	zone        social.Zone // of the first two for each other; the partner's for them
	people      []person
	in          *instance.Instance
	unlock      func()
}

type person struct{ user, name, note, language string }

func places() []*place {
	company, partner := social.Zone{Kind: social.ZoneCompany}, social.Zone{Kind: social.ZonePartner, Name: "acme"}
	return []*place{
		{name: "Muster Zentrale", group: "Muster-Gruppe", zone: company, people: []person{
			{"anna", "Anna Brandt", "Leiterin Wissensmanagement. Fragen? Gern!", "de"}, {"jonas", "Jonas Keller", "IT-Betrieb, Kaffee, Linux", "de"},
			{"emma", "Emma Clarke", "Product management, London office", "en"}, {"mehmet", "Mehmet Yılmaz", "Einkauf und Lieferanten", "de"},
			{"sofia", "Sofia Rossi", "Internal communications", "en"}}},
		{name: "Muster Logistik", group: "Muster-Gruppe", zone: company, people: []person{
			{"ben", "Ben Fischer", "Disposition Nord, Hamburg", "de"}, {"lena", "Lena Vogt", "Lagerleitung", "de"},
			{"tom", "Tom Baker", "Customs and export", "en"}, {"priya", "Priya Nair", "Data and routing", "en"}}},
		{name: "ACME Parts", zone: partner, people: []person{
			{"pia", "Pia Lindqvist", "Key account Muster", "en"}, {"oscar", "Oscar Meyer", "Quality", "en"}, {"ruth", "Ruth Adler", "Vertrieb", "de"}}},
	}
}

// Demo is a running demo.
type Demo struct {
	places []*place
	dir    string
	keep   bool
	start  net.Listener
	out    io.Writer
	wg     sync.WaitGroup
}

// Options of a demo.
type Options struct {
	Dir  string // kept when given, else temporary
	Port int    // of the start page; taken ones are named and another chosen
	Out  io.Writer
}

// Run runs a demo until the context ends; ready is called once it can be used.
func Run(ctx context.Context, o Options, ready func(ctx context.Context, d *Demo) error) (err error) {
	d := &Demo{places: places(), dir: o.Dir, keep: o.Dir != "", out: o.Out}
	if !d.keep {
		if d.dir, err = os.MkdirTemp("", "parley-demo-"); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer func() { stop(); err = errors.Join(err, d.close()) }()
	if d.start, err = d.listen(o.Port); err != nil {
		return err
	}
	for _, p := range d.places {
		if err := d.open(ctx, p); err != nil {
			return err
		}
	}
	if err := d.seed(ctx); err != nil {
		return err
	}
	srv := &http.Server{Handler: http.HandlerFunc(d.page), ReadHeaderTimeout: 10 * time.Second}
	d.wg.Go(func() { _ = srv.Serve(d.start) }) // ends with Close below
	defer func() { _ = srv.Close() }()
	return ready(ctx, d)
}

// URL of the start page.
func (d *Demo) URL() string { return "http://" + d.start.Addr().String() }

// listen takes the port, or names who it is taken from and takes the next.
func (d *Demo) listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		return l, nil
	}
	fmt.Fprintf(d.out, "port %d is taken; using another\n", port)
	return net.Listen("tcp", "127.0.0.1:0")
}

func (d *Demo) open(ctx context.Context, p *place) error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	domain := free.Addr().String()
	if err := free.Close(); err != nil {
		return err
	}
	dir := filepath.Join(d.dir, strings.ReplaceAll(strings.ToLower(p.name), " ", "-"))
	if old, err := os.ReadFile(filepath.Join(dir, "address")); err == nil {
		domain = string(old) // handles of a kept demo stay what they were
	}
	c, err := config.Load(os.DevNull, map[string]string{"domain": domain, "listen": domain, "data_dir": filepath.Join(dir, "data"),
		"federation.allowed_networks": "127.0.0.0/8"}, nil)
	if err != nil {
		return err
	}
	if p.in, err = instance.Open(ctx, c, slog.New(slog.DiscardHandler), time.Now); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "address"), []byte(domain), 0o600); err != nil {
		return err
	}
	if _, p.unlock, err = p.in.Listen(); err != nil {
		return err
	}
	d.wg.Go(func() { _ = p.in.Run(ctx) }) // a failing server shows in the tour
	return nil
}

func (d *Demo) close() error {
	var err error
	d.wg.Wait()
	for _, p := range d.places {
		if p.unlock != nil {
			p.unlock()
		}
		if p.in != nil {
			err = errors.Join(err, p.in.Close())
		}
	}
	if !d.keep {
		err = errors.Join(err, os.RemoveAll(d.dir))
	}
	return err
}

// as is a person as a reader.
func (d *Demo) as(ctx context.Context, at int, user string) (social.Reader, *instance.Instance, error) {
	in := d.places[at].in
	home := in.Social.HomeAuthority()
	a, err := in.Social.AccountByHandle(ctx, social.Nobody(home), user)
	return social.Member(a, home), in, err
}

// page is the start page: everybody with one click, and what can be tried.
func (d *Demo) page(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.URL.Path == "/open" {
		d.enter(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	var rows []map[string]any
	for i, p := range d.places {
		people := []map[string]string{}
		for _, q := range p.people {
			people = append(people, map[string]string{"User": q.user, "Name": q.name, "Note": q.note})
		}
		rows = append(rows, map[string]any{"Name": p.name, "Zone": p.zone.String(), "At": i, "People": people})
	}
	s := map[string]any{"Rows": rows, "Ben": "@ben@" + d.places[1].in.Config.Domain}
	_ = startPage.Execute(w, s) // the connection may be gone; nobody is left to tell
}

// enter signs the browser in as somebody: cookies are shared by all ports of a host.
func (d *Demo) enter(w http.ResponseWriter, r *http.Request) {
	for i, p := range d.places {
		if r.FormValue("at") != fmt.Sprint(i) {
			continue
		}
		who, in, err := d.as(r.Context(), i, r.FormValue("user"))
		if err != nil {
			break
		}
		text, err := in.Auth.Begin(r.Context(), who.Account.ID, r.UserAgent())
		if err != nil {
			break
		}
		http.SetCookie(w, &http.Cookie{Name: web.CookieName(in.Social.HomeAuthority()), Value: text, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		http.Redirect(w, r, p.in.Config.PublicURL+"/", http.StatusSeeOther)
		return
	}
	http.NotFound(w, r)
}

var startPage = template.Must(template.New("start").Parse(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Parley demo</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}form{display:inline}button{font:inherit;padding:.3rem .8rem}</style></head>
<body><h1>Parley demo</h1><p>Two companies of one group and a partner, three servers on this machine.</p>
<h2>A short tour / Ein kurzer Rundgang</h2><ol><li>Open as Anna. Under "Find people" look for <code>{{.Ben}}</code> and follow him: his posts arrive.</li>
<li>Write something for the whole group. "Who sees this?" says it in words.</li><li>Open as Ben: answer Anna, vote in her poll.</li><li>Open as Pia of the partner: what was said inside the group is not there.</li></ol>
{{range .Rows}}<h2>{{.Name}} <small>({{.Zone}})</small></h2>{{$at := .At}}<ul>{{range .People}}<li><form method="post" action="/open"><input type="hidden" name="at" value="{{$at}}"><button name="user" value="{{.User}}">Open as {{.Name}}</button></form> {{.Note}}</li>{{end}}</ul>{{end}}</body></html>`))

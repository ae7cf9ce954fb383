// Package demo runs two sisters and a partner on loopback, with people, follows,
// threads, a poll and a file, and a start page that opens any of them with one
// click. Everything is real: three whole instances that exchange over HTTP.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"parley/config"
	"parley/instance"
	"parley/social"
)

// place is one instance of the demo.
type place struct {
	name, group string
	folder      string
	english     string // what it is to the others
	german      string
	zone        social.Zone // of the first two for each other; the partner's for them
	people      []person
	wire        *wire

	domain, url string
	in          *instance.Instance // nil while it is stopped
	unlock      func()
	stop        func() // ends its server and workers, and waits
}

type person struct{ user, name, title, note, language, department, place, skills string }

func places() []*place {
	company, partner := social.Zone{Kind: social.ZoneCompany}, social.Zone{Kind: social.ZonePartner, Name: "acme"}
	return []*place{
		{name: "Muster Zentrale", folder: "zentrale", english: "headquarters", german: "die Zentrale", group: "Muster-Gruppe", zone: company, people: []person{
			{"anna", "Anna Brandt", "Leiterin Wissensmanagement", "Fragen zum Intranet, zu Schulungen oder einfach zum Haus? Gern!", "de", "Personal", "Frankfurt", "Wissensmanagement, Moderation, Onboarding"},
			{"jonas", "Jonas Keller", "Systemadministrator", "IT-Betrieb, Kaffee, Linux", "de", "IT", "Frankfurt", "Linux, Netzwerke, Datensicherung"},
			{"emma", "Emma Clarke", "Product Manager", "Release notes, roadmaps, and the London office plants", "en", "Product", "London", "Product management, Release notes, Customer interviews"},
			{"mehmet", "Mehmet Yılmaz", "Leiter Einkauf", "Einkauf und Lieferanten", "de", "Einkauf", "Frankfurt", "Verträge, Lieferanten, Türkisch"},
			{"sofia", "Sofia Rossi", "Internal Communications", "Newsletter, town halls, and everything worth telling", "en", "Communications", "Milan", "Writing, Photography, Italian"}}},
		{name: "Muster Logistik", folder: "logistik", english: "a company of the group", german: "eine Firma der Gruppe", group: "Muster-Gruppe", zone: company, people: []person{
			{"ben", "Ben Fischer", "Disponent Nord", "Disposition Nord, Hamburg", "de", "Disposition", "Hamburg", "Tourenplanung, Elektro-Lkw"},
			{"lena", "Lena Vogt", "Lagerleiterin", "Lager 1 bis 3, und Tor 4", "de", "Lager", "Hamburg", "Lagerlogistik, Arbeitssicherheit"},
			{"tom", "Tom Baker", "Customs Specialist", "Customs and export", "en", "Customs", "Rotterdam", "Customs, Export papers"},
			{"priya", "Priya Nair", "Data Scientist", "Data and routing", "en", "Data", "Hamburg", "Routing, Python, Statistics"}}},
		{name: "ACME Parts", folder: "acme", english: "a business partner", german: "ein Geschäftspartner", zone: partner, people: []person{
			{"pia", "Pia Lindqvist", "Key Account Manager", "Key account Muster", "en", "Sales", "Malmö", "Key accounts"},
			{"oscar", "Oscar Meyer", "Quality Engineer", "Quality", "en", "Quality", "Malmö", "Audits, Materials"},
			{"ruth", "Ruth Adler", "Vertrieb Süd", "Vertrieb", "de", "Sales", "München", "Vertrieb"}}},
	}
}

// Demo is a running demo.
type Demo struct {
	places []*place
	dir    string
	keep   bool
	page   net.Listener
	out    io.Writer
	clock  clock
	wg     sync.WaitGroup

	mu     sync.Mutex // of the places' instances, which buttons stop and start
	marked time.Time  // since when what the partner was sent is shown
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
	if d.page, err = d.listen(o.Port); err != nil {
		return err
	}
	for _, p := range d.places {
		if err := d.open(ctx, p); err != nil {
			return err
		}
	}
	if err := d.seed(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while it was made
		}
		return err
	}
	d.marked = time.Now()
	srv := &http.Server{Handler: d.handler(), ReadHeaderTimeout: 10 * time.Second}
	d.wg.Go(func() { _ = srv.Serve(d.page) }) // ends with Close below
	defer func() { _ = srv.Close() }()
	return ready(ctx, d)
}

// URL of the start page.
func (d *Demo) URL() string { return "http://" + d.page.Addr().String() }

// listen takes the port, or names who it is taken from and takes the next.
func (d *Demo) listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		return l, nil
	}
	if port == 0 || !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("the start page: %w", err)
	}
	l, other := net.Listen("tcp", "127.0.0.1:0")
	if other != nil {
		return nil, fmt.Errorf("the start page: %w", other)
	}
	_, err = fmt.Fprintf(d.out, "port %d is taken, by another demo perhaps; using %d\n", port, l.Addr().(*net.TCPAddr).Port)
	return l, err
}

// open starts one place, at the address that a kept demo has given it: handles
// stay what they were.
func (d *Demo) open(ctx context.Context, p *place) error {
	dir := filepath.Join(d.dir, p.folder)
	address := filepath.Join(dir, "address")
	domain := ""
	if old, err := os.ReadFile(address); err == nil {
		domain = string(old)
	} else if domain, err = freeAddress(); err != nil {
		return err
	}
	c, err := config.Load(os.DevNull, map[string]string{"domain": domain, "listen": domain, "data_dir": filepath.Join(dir, "data"),
		"federation.allowed_networks": "127.0.0.0/8"}, nil)
	if err != nil {
		return err
	}
	in, err := instance.Open(ctx, c, slog.New(slog.DiscardHandler), d.clock.Now)
	if err != nil {
		return err
	}
	if p.wire == nil {
		p.wire = &wire{}
	}
	in.Server.Router.Use(p.wire.watch, d.framed)
	p.in, p.domain, p.url = in, domain, in.Config.PublicURL
	if err := os.WriteFile(address, []byte(domain), 0o600); err != nil {
		return err
	}
	if _, p.unlock, err = in.Listen(); err != nil {
		return fmt.Errorf("%s keeps its address %s: %w; end what uses it, or begin a new demo in another --dir", p.name, domain, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	p.stop = func() { cancel(); <-ended }
	go func() {
		defer close(ended)
		_ = in.Run(ctx) // a failing server shows in the tour
	}()
	return nil
}

// shut ends one place; what it keeps stays.
func (p *place) shut() error {
	if p.stop != nil {
		p.stop()
	}
	if p.unlock != nil {
		p.unlock()
	}
	var err error
	if p.in != nil {
		err = p.in.Close()
	}
	p.in, p.unlock, p.stop = nil, nil, nil
	return err
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (d *Demo) close() error {
	var err error
	if d.page != nil {
		_ = d.page.Close() // it may be closed already
	}
	d.wg.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.places {
		err = errors.Join(err, p.shut())
	}
	if !d.keep {
		err = errors.Join(err, os.RemoveAll(d.dir))
	}
	return err
}

// errStopped says that a place is stopped at the moment.
var errStopped = errors.New("this company's server is stopped")

// running is the instance of a place.
func (d *Demo) running(at int) (*instance.Instance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if in := d.places[at].in; in != nil {
		return in, nil
	}
	return nil, errStopped
}

// as is a person as a reader.
func (d *Demo) as(ctx context.Context, at int, user string) (social.Reader, *instance.Instance, error) {
	in, err := d.running(at)
	if err != nil {
		return social.Reader{}, nil, err
	}
	home := in.Social.HomeAuthority()
	a, err := in.Social.AccountByHandle(ctx, social.Nobody(home), user)
	return social.Member(a, home), in, err
}

package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"parley/social"
)

func TestTourAndStartPage(t *testing.T) {
	dir := t.TempDir()
	err := Run(context.Background(), Options{Dir: dir, Out: t.Output()}, func(ctx context.Context, d *Demo) error {
		spread(t, d)
		if err := d.Check(ctx); err != nil {
			return err
		}
		startPages(t, d)
		threads(t, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A kept demo starts again at the same addresses, with what was said.
	err = Run(context.Background(), Options{Dir: dir, Out: t.Output()}, func(ctx context.Context, d *Demo) error {
		anna, hq, err := d.as(ctx, 0, "anna")
		if err != nil {
			return err
		}
		if d.has(ctx, hq, anna, "the tour works") == nil {
			t.Error("what was said is gone")
		}
		return d.Check(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func startPages(t *testing.T, d *Demo) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	page := func(res *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // only read
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	start := page(client.Get(d.URL()))
	for _, p := range d.places {
		for _, q := range p.people {
			if !strings.Contains(start, "<b>"+q.name+"</b>") {
				t.Errorf("%s is not on the start page", q.name)
			}
		}
	}
	for _, want := range []string{"A short tour", "Ein kurzer Rundgang", "@ben@" + d.places[1].domain} {
		if !strings.Contains(start, want) {
			t.Errorf("the start page lacks %q", want)
		}
	}
	open := func(at int, user string) string {
		return page(client.PostForm(d.URL()+"/open", url.Values{"at": {fmt.Sprint(at)}, "user": {user}}))
	}
	anna := open(0, "anna")
	for _, want := range []string{"Muster Zentrale", "Wer sieht das?", "Ganze Muster-Gruppe (2 Firmen)"} {
		if !strings.Contains(anna, want) {
			t.Errorf("Anna does not see %q", want)
		}
	}
	if pia := open(2, "pia"); !strings.Contains(pia, "ACME Parts") || !strings.Contains(pia, "Lieferplan") || strings.Contains(pia, "Wissensrunde") {
		t.Error("Pia sees something else:", pia)
	}
	if again := page(client.Get(d.places[0].in.Config.PublicURL)); !strings.Contains(again, "Anna Brandt") {
		t.Error("Anna was signed out by Pia")
	}
	side := func(act string) string {
		return page(client.PostForm(d.URL()+act, url.Values{"text": {"Side by side works"}, "to": {"company"}}))
	}
	window := func(at int) string {
		res, err := client.Get(d.places[at].url)
		if err == nil && !strings.Contains(res.Header.Get("Content-Security-Policy"), "frame-ancestors "+d.URL()+";") {
			t.Errorf("%s may not be framed: %s", d.places[at].name, res.Header.Get("Content-Security-Policy"))
		}
		return page(res, err)
	}
	if p := page(client.Get(d.URL() + "/side")); strings.Count(p, "<iframe") != 4 {
		t.Error("three windows and the wire:", p)
	}
	if p := side("/stop"); !strings.Contains(p, "Start Muster Logistik") || !strings.Contains(p, "Angehalten") || strings.Count(p, "<iframe") != 3 {
		t.Error("the subsidiary does not look stopped:", p)
	}
	if p := side("/write"); strings.Contains(p, "alert") || !strings.Contains(window(0), "Side by side works") {
		t.Error("Anna's post is not in her window:", p)
	}
	if p := side("/start"); !strings.Contains(p, "Stop Muster Logistik") {
		t.Error("the subsidiary does not look started:", p)
	}
	if err := d.await(t.Context(), "the post in Ben's window", func() bool { return strings.Contains(window(1), "Side by side works") }); err != nil {
		t.Error(err)
	}
	if p := page(client.Get(d.URL() + "/wire")); !strings.Contains(p, "Nichts.") || strings.Contains(window(2), "Side by side") {
		t.Error("the partner's wire:", p)
	}
	page(client.PostForm(d.URL()+"/write", url.Values{"text": {"With the partner"}, "to": {"partner:acme"}}))
	if err := d.await(t.Context(), "the post in Pia's window", func() bool { return strings.Contains(window(2), "With the partner") }); err != nil {
		t.Error(err)
	}
	if p := page(client.Get(d.URL() + "/wire")); strings.Contains(p, "Nichts.") {
		t.Error("the wire does not show what the partner was sent:", p)
	}
	if res, err := client.PostForm(d.URL()+"/open", url.Values{"at": {"9"}, "user": {"anna"}}); err != nil || res.StatusCode != http.StatusNotFound {
		t.Error(res, err)
	}
}

// threads holds the seed to its promise: replies cross instances, polls have
// votes, a picture and a file hang there.
func threads(t *testing.T, d *Demo) {
	t.Helper()
	ctx := context.Background()
	ben, sub, err := d.as(ctx, 1, "ben")
	if err != nil {
		t.Fatal(err)
	}
	list := d.has(ctx, sub, ben, "Checkliste")
	if list == nil {
		t.Fatal("Anna's list has not reached Ben")
	}
	var below []*social.PostView
	if err := d.await(ctx, "the whole thread at Ben's", func() bool {
		_, below, err = sub.Social.Thread(ctx, ben, list.Post.ID)
		return err == nil && len(below) == 4
	}); err != nil {
		t.Fatal(err, len(below))
	}
	hosts := map[bool]int{}
	for _, v := range below {
		hosts[v.Author.Local()]++
	}
	if hosts[true] != 2 || hosts[false] != 2 {
		t.Errorf("replies from %v", hosts)
	}
	// Elsewhere the counts are told every three minutes only; here is the poll itself.
	anna, hq, err := d.as(ctx, 0, "anna")
	if err != nil {
		t.Fatal(err)
	}
	poll := d.has(ctx, hq, anna, "Wissensrunde")
	if poll == nil || poll.Post.Poll == nil || poll.Post.Poll.Voters < 3 {
		t.Errorf("poll %+v", poll)
	}
	if gate := d.has(ctx, sub, ben, "Tor 4"); gate == nil || len(gate.Post.Attachments) != 1 || gate.Post.Attachments[0].Kind != "image" {
		t.Error("no picture")
	}
}

// A taken port is named and another chosen; nothing is left behind.
func TestTakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // only kept
	port := taken.Addr().(*net.TCPAddr).Port
	var out bytes.Buffer
	d := &Demo{out: &out}
	l, err := d.listen(port)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its number is wanted
	other := l.Addr().(*net.TCPAddr).Port
	if other == port || !strings.Contains(out.String(), fmt.Sprintf("port %d is taken", port)) || !strings.Contains(out.String(), fmt.Sprint(other)) {
		t.Error(out.String())
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, stop := context.WithCancel(context.Background())
	stop() // Ctrl-C before it was ready
	if err := Run(ctx, Options{Out: t.Output()}, func(context.Context, *Demo) error { return nil }); err != nil && ctx.Err() == nil {
		t.Error(err)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

// spread says that what was said at the beginning is of some days, all of it past, and
// arrived everywhere at once.
func spread(t *testing.T, d *Demo) {
	t.Helper()
	for _, at := range []struct {
		place int
		user  string
		days  int
	}{{0, "anna", 2}, {1, "ben", 2}, {2, "pia", 1}} {
		r, in, err := d.as(t.Context(), at.place, at.user)
		if err != nil {
			t.Fatal(err)
		}
		views, err := in.Social.Home(t.Context(), r, social.Page{Limit: 40})
		if err != nil {
			t.Fatal(err)
		}
		days := map[string]bool{}
		for _, v := range views {
			if v.Boost != nil {
				v = v.Boost
			}
			p := v.Post
			days[p.PublishedAt.Format(time.DateOnly)] = true
			if age := d.marked.Sub(p.PublishedAt); age < time.Hour {
				t.Errorf("%s sees %q said %v ago", at.user, p.Content, age)
			}
			if late := p.ArrivedAt.Sub(p.PublishedAt); late > time.Minute {
				t.Errorf("%s got %q %v late", at.user, p.Content, late)
			}
		}
		if len(days) < at.days {
			t.Errorf("what %s sees is of the days %v", at.user, days)
		}
		if wrong := in.Federation.Clocks(); len(wrong) > 0 {
			t.Errorf("clocks of others look wrong to %s: %v", at.user, wrong)
		}
	}
}

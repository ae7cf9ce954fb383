package instance_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// pdf is enough of one to be recognised.
const pdf = "%PDF-1.4\n%%EOF\n"

// gallery is two sisters and a partner; alice at A is followed by bob at B, not by dora.
type gallery struct {
	*scene
	alice, bob, dora, carl social.Reader
}

func newGallery(t *testing.T, o instancetest.Options) *gallery {
	t.Helper()
	net := instancetest.NewWith(t, 3, o)
	g := &gallery{scene: &scene{T: t, net: net, ctx: context.Background(), a: net.Instances[0], b: net.Instances[1], c: net.Instances[2]}}
	partner := social.Zone{Kind: social.ZonePartner, Name: "acme"}
	net.Zone(g.a, g.c, partner)
	net.Zone(g.c, g.a, partner)
	g.alice, g.bob, g.dora, g.carl = net.Member(g.a, "alice"), net.Member(g.b, "bob"), net.Member(g.b, "dora"), net.Member(g.c, "carl")
	found, err := g.b.Social.FindHandle(g.ctx, g.bob, instancetest.Handle(g.a, g.alice))
	g.ok(err)
	_, err = g.b.Social.Follow(g.ctx, g.bob, found.ID, social.FollowOptions{})
	g.ok(err)
	net.Settle()
	return g
}

// show publishes files of alice and answers the post, and as whom reads it at B.
func (g *gallery) show(audience string, reader social.Reader, files ...social.Upload) (here, there *social.Post) {
	g.Helper()
	var ids []social.ID
	for _, f := range files {
		m, err := g.a.Social.Upload(g.ctx, g.alice, f)
		g.ok(err)
		ids = append(ids, m.ID)
	}
	here = g.post(g.a, g.alice, social.Draft{Text: "look " + audience, Audience: audience, MediaIDs: ids}).Post
	g.net.Settle()
	return here, g.there(g.b, reader, here.URI).Post
}

func screenshot(t *testing.T) social.Upload {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return social.Upload{Body: &b, Name: "screen.png", Description: "a grey screen"}
}

func report() social.Upload {
	return social.Upload{Body: strings.NewReader(pdf), Name: "Jahresbericht Köln.pdf"}
}

// heard is an answer.
type heard struct {
	status int
	header http.Header
	body   []byte
}

func fetch(t *testing.T, address string, change func(*http.Request)) heard {
	t.Helper()
	q, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(q)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it is read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	res.Header.Del("Date")
	res.Header.Del("X-Request-Id")
	return heard{res.StatusCode, res.Header, body}
}

// said is all of an answer, to compare.
func (h heard) said() string { return fmt.Sprint(h.status, h.header, string(h.body)) }

// cookie is the browser of a member.
func cookie(t *testing.T, in *instance.Instance, r social.Reader) func(*http.Request) {
	t.Helper()
	text, err := in.Auth.Begin(context.Background(), r.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	return func(q *http.Request) {
		q.AddCookie(&http.Cookie{Name: web.CookieName(in.Config.Domain), Value: text})
	}
}

// asSister signs as an instance does towards one that it is or was paired with.
func asSister(t *testing.T, in *instance.Instance, a *social.Account, q *http.Request) bool {
	t.Helper()
	var key social.Key
	err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		if _, err = tx.Pairing(context.Background(), q.URL.Host); err == nil {
			key, err = tx.KeyByURI(context.Background(), in.Config.PublicURL+"/actor#ed25519")
		}
		return err
	})
	if social.KindOf(err) == social.NotFound && err != nil {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	private, err := httpsig.ParsePrivate(key.Private)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Parley-Actor", a.URI)
	if _, err := httpsig.SignAs(q, nil, httpsig.Key{ID: key.URI, Private: private}, httpsig.Wish{Nonce: rand.Text(), Components: []string{"parley-actor"}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return true
}

// signed is an actor of an instance that fetches for itself; nil means the instance.
func signed(t *testing.T, in *instance.Instance, a *social.Account) func(*http.Request) {
	t.Helper()
	var keys []social.Key
	err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		if a == nil {
			if a, err = tx.AccountByURI(context.Background(), in.Config.PublicURL+"/actor"); err != nil {
				return err
			}
		}
		keys, err = tx.KeysOf(context.Background(), a.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(keys, func(k social.Key) bool { return k.Kind == "rsa" })
	private, err := httpsig.ParsePrivate(keys[i].Private)
	if err != nil {
		t.Fatal(err)
	}
	return func(q *http.Request) {
		if asSister(t, in, a, q) {
			return
		}
		if err := httpsig.Sign(q, nil, httpsig.Key{ID: keys[i].URI, Private: private}, httpsig.Cavage, time.Now()); err != nil {
			t.Error(err)
		}
	}
}

func copyAddress(in *instance.Instance, p *social.Post, place int) string {
	return fmt.Sprintf("%s/media/remote/%s/%d", in.Config.PublicURL, p.ID, place)
}

// copies lists the files of other servers that an instance holds.
func copies(t *testing.T, in *instance.Instance) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(in.Config.DataDir, "media"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if social.IsCopy(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

func (g *gallery) original(here *social.Post, place int) []byte {
	g.Helper()
	f, _, err := g.a.Social.OpenMedia(g.ctx, g.alice, here.Attachments[place].MediaID, false)
	g.ok(err)
	defer f.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(f)
	g.ok(err)
	return b
}

// A picture and a document of a company post open on the sister, by the cookie of the
// page and by the address an app is told, also when the origin is down by then.
func TestFilesOpenOnTheSister(t *testing.T) {
	g := newGallery(t, instancetest.Options{})
	here, there := g.show("company", g.dora, screenshot(t), report())
	dora := cookie(t, g.b, g.dora)
	page := fetch(t, g.b.Config.PublicURL+"/public", dora)
	for place, want := range []string{`<img loading="lazy" src="/media/remote/` + there.ID.String() + `/0" alt="a grey screen">`, `href="/media/remote/` + there.ID.String() + `/1"`} {
		if !strings.Contains(string(page.body), want) {
			t.Errorf("%d: the page has no %s", place, want)
		}
	}
	if len(copies(t, g.b)) != 0 {
		t.Error("fetched before somebody looked")
	}
	picture := fetch(t, copyAddress(g.b, there, 0), dora)
	if picture.status != 200 || !bytes.Equal(picture.body, g.original(here, 0)) || picture.header.Get("Content-Type") != here.Attachments[0].MediaType ||
		picture.header.Get("Content-Disposition") != "" {
		t.Errorf("picture: %d %v, %d bytes", picture.status, picture.header, len(picture.body))
	}
	document := fetch(t, copyAddress(g.b, there, 1), dora)
	if document.status != 200 || string(document.body) != pdf || document.header.Get("Content-Type") != "application/pdf" ||
		document.header.Get("Content-Disposition") != "attachment; filename*=UTF-8''Jahresbericht%20K%C3%B6ln.pdf" {
		t.Errorf("document: %d %v, %d bytes", document.status, document.header, len(document.body))
	}
	for _, h := range []heard{picture, document} {
		if h.header.Get("Cache-Control") != "private, max-age=3600" || h.header.Get("X-Content-Type-Options") != "nosniff" ||
			h.header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
			t.Errorf("headers %v", h.header)
		}
	}
	g.net.Stop(0)
	g.appSees(here, there, picture.body)
}

// appSees opens the files by the addresses of the API, without any token.
func (g *gallery) appSees(here, there *social.Post, picture []byte) {
	g.Helper()
	token, err := g.b.Auth.CreateToken(g.ctx, g.dora.Account.ID, auth.NewToken{App: "test", Scopes: "read", Bound: "company"})
	g.ok(err)
	status := fetch(g.T, g.b.Config.PublicURL+"/api/v1/statuses/"+there.ID.String(), func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+token) })
	var shape struct {
		Content string
		Media   []struct {
			URL     string `json:"url"`
			Preview string `json:"preview_url"`
			Remote  string `json:"remote_url"`
		} `json:"media_attachments"`
	}
	g.ok(json.Unmarshal(status.body, &shape))
	if len(shape.Media) != 2 {
		g.Fatalf("%s", status.body)
	}
	for i, m := range shape.Media {
		if !strings.HasPrefix(m.URL, copyAddress(g.b, there, i)+"?for=") || m.Preview != m.URL || m.Remote != there.Attachments[i].URL {
			g.Errorf("addresses %+v", m)
		}
	}
	if !strings.Contains(shape.Content, `<a href="`+shape.Media[1].URL+`"`) {
		g.Errorf("apps that show no documents have no link: %s", shape.Content)
	}
	if got := fetch(g.T, shape.Media[0].URL, nil); got.status != 200 || !bytes.Equal(got.body, picture) || got.header.Get("Access-Control-Allow-Origin") != "*" {
		g.Errorf("by the app's address: %d", got.status)
	}
	if got := fetch(g.T, shape.Media[1].URL, nil); got.status != 200 || string(got.body) != pdf {
		g.Errorf("by the app's address: %d", got.status)
	}
	ticket := shape.Media[0].URL[strings.Index(shape.Media[0].URL, "?"):]
	missing := fetch(g.T, copyAddress(g.b, &social.Post{ID: social.NewID(time.Now())}, 0), nil)
	for what, address := range map[string]string{
		"no ticket": copyAddress(g.b, there, 0), "ticket of another file": copyAddress(g.b, there, 1) + ticket, "forged": shape.Media[0].URL + "x",
		"place that is not there": copyAddress(g.b, there, 9) + ticket,
		"ticket of a copy":        g.b.Config.PublicURL + "/media/" + there.ID.String() + "/original" + ticket,
	} {
		if got := fetch(g.T, address, nil); got.status != 404 || !bytes.Equal(got.body, missing.body) {
			g.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
}

// T35, T60: what is not for somebody is missing, at the origin and at the copy.
func TestFilesAreForReadersOfThePost(t *testing.T) {
	g := newGallery(t, instancetest.Options{})
	company, thereCompany := g.show("company", g.dora, screenshot(t))
	followers, thereFollowers := g.show("followers", g.bob, screenshot(t))
	acme, _ := g.show("partner:acme", g.dora, screenshot(t))
	none := &social.Post{ID: company.ID, Attachments: []social.Attachment{{MediaID: social.NewID(time.Now())}}}
	who := map[string]func(*http.Request){
		"nobody": nil, "sister": signed(t, g.b, nil), "partner": signed(t, g.c, nil), "person there": signed(t, g.c, g.carl.Account),
		"follower": signed(t, g.b, g.bob.Account), "dora": signed(t, g.b, g.dora.Account),
	}
	at := func(p *social.Post, size string) string {
		return g.a.Config.PublicURL + "/media/" + p.Attachments[0].MediaID.String() + "/" + size
	}
	for what, one := range map[string]struct {
		post *social.Post
		may  []string
	}{"company": {company, []string{"sister", "follower", "dora"}}, "followers": {followers, []string{"follower"}},
		"partner": {acme, []string{"sister", "follower", "dora", "partner", "person there"}}} {
		for name, change := range who {
			for _, size := range []string{"original", "small"} {
				got, missing := fetch(t, at(one.post, size), change), fetch(t, at(none, size), change)
				if may := slices.Contains(one.may, name); may && got.status != 200 || !may && (got.status != 404 || got.said() != missing.said()) {
					t.Errorf("%s file, %s, %s: %s\nmissing: %s", what, name, size, got.said(), missing.said())
				}
			}
		}
	}
	g.net.Zone(g.a, g.c, social.Zone{Kind: social.ZoneBlocked})
	if got, missing := fetch(t, at(acme, "original"), who["partner"]), fetch(t, at(none, "original"), who["partner"]); got.status == 200 || got.said() != missing.said() {
		t.Errorf("blocked: %s", got.said())
	}

	nothing := fetch(t, copyAddress(g.b, none, 0), cookie(t, g.b, g.dora))
	if got := fetch(t, copyAddress(g.b, thereFollowers, 0), cookie(t, g.b, g.dora)); got.status != 404 || got.said() != nothing.said() {
		t.Errorf("not a follower: %s", got.said())
	}
	if got := fetch(t, copyAddress(g.b, thereFollowers, 0), cookie(t, g.b, g.bob)); got.status != 200 {
		t.Errorf("a follower: %s", got.said())
	}
	if got := fetch(t, copyAddress(g.b, thereFollowers, 0), cookie(t, g.b, g.dora)); got.said() != nothing.said() {
		t.Errorf("once it is here: %s", got.said())
	}
	// Copies are for members, not for other servers.
	if got := fetch(t, copyAddress(g.b, thereCompany, 0), signed(t, g.a, nil)); got.status != 404 {
		t.Errorf("another server: %d", got.status)
	}
}

// Copies go with their post, with their server, when they are old, and when there is
// no more room.
func TestCopiesGo(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { copiesGo(t, nil) })
	t.Run("postgres", func(t *testing.T) { copiesGo(t, instancetest.Postgres(t)) })
}

func copiesGo(t *testing.T, database func(i int) string) {
	clock := instancetest.NewClock()
	g := newGallery(t, instancetest.Options{Now: clock.Now, Database: database})
	dora := cookie(t, g.b, g.dora)
	open := func(p *social.Post) heard { return fetch(t, copyAddress(g.b, p, 0), dora) }
	var here, there []*social.Post
	for range 3 {
		h, p := g.show("company", g.dora, report())
		here, there = append(here, h), append(there, p)
		clock.Advance(time.Minute)
	}
	g.b.Social.Limits.CacheBytes = int64(2 * len(pdf))
	var names []string
	for _, p := range there {
		if got := open(p); got.status != 200 {
			t.Fatalf("%s", got.said())
		}
		clock.Advance(time.Second)
		names = append(names, copies(t, g.b)...)
	}
	if left := copies(t, g.b); len(left) != 2 || slices.Contains(left, names[0]) {
		t.Errorf("of %v are left %v", names, left)
	}
	if got := open(there[0]); got.status != 200 || len(copies(t, g.b)) != 2 {
		t.Errorf("fetched again: %d, %v", got.status, copies(t, g.b))
	}

	_, err := g.a.Social.Delete(g.ctx, g.alice, here[0].ID)
	g.ok(err)
	g.net.Settle()
	if got := open(there[0]); got.status != 404 || len(copies(t, g.b)) != 1 {
		t.Errorf("deleted: %d, %v", got.status, copies(t, g.b))
	}

	clock.Advance(31 * 24 * time.Hour)
	g.ok(g.b.Social.SweepMedia(g.ctx))
	if left := copies(t, g.b); len(left) != 0 {
		t.Errorf("too old: %v", left)
	}

	dora = cookie(t, g.b, g.dora)
	if got := open(there[1]); got.status != 200 || len(copies(t, g.b)) != 1 {
		t.Fatalf("%s", got.said())
	}
	g.net.Zone(g.b, g.a, social.Zone{Kind: social.ZoneBlocked})
	if got := open(there[1]); got.status != 404 || len(copies(t, g.b)) != 0 {
		t.Errorf("blocked: %d, %v", got.status, copies(t, g.b))
	}
}

// A backup holds no copies; they are fetched again where it is restored.
func TestCopiesAreNotBackedUp(t *testing.T) {
	g := newGallery(t, instancetest.Options{})
	_, there := g.show("company", g.dora, report())
	dora := cookie(t, g.b, g.dora)
	fetch(t, copyAddress(g.b, there, 0), dora)
	name := copies(t, g.b)
	if len(name) != 1 {
		t.Fatal(name)
	}
	file := filepath.Join(t.TempDir(), "backup")
	g.ok(g.b.Backup(g.ctx, file))
	whole, err := os.ReadFile(file)
	g.ok(err)
	if bytes.Contains(whole, []byte("media/"+name[0])) || bytes.Contains(whole, []byte(pdf)) {
		t.Error("the backup holds a copy")
	}
	g.ok(os.Remove(filepath.Join(g.b.Config.DataDir, "media", name[0])))
	if got := fetch(t, copyAddress(g.b, there, 0), dora); got.status != 200 || string(got.body) != pdf || len(copies(t, g.b)) != 1 {
		t.Errorf("fetched again: %s", got.said())
	}
}

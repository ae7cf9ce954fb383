package federation_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/media"
	"parley/social"
	"parley/web"
)

// pixel is the beginning of a picture; nothing here decodes more of it.
const pixel = "\x89PNG\r\n\x1a\n pixel"

// album is an instance with a reader, and a server whose post has files.
type album struct {
	*testing.T
	in     *instance.Instance
	r      *remote
	net    *instancetest.Network
	reader social.Reader
	cookie string
}

func newAlbum(t *testing.T, o instancetest.Options) *album {
	t.Helper()
	a := &album{T: t, net: instancetest.NewWith(t, 1, o), r: newRemote(t)}
	a.in = a.net.Instances[0]
	if err := a.in.Social.SetZone(context.Background(), a.r.host(), social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	a.reader = a.net.Member(a.in, "alice")
	var err error
	if a.cookie, err = a.in.Auth.Begin(context.Background(), a.reader.Account.ID, "test"); err != nil {
		t.Fatal(err)
	}
	return a
}

// files sends a note of mallory with files at these addresses, all said to be pictures.
func (a *album) files(n int, to string, addresses ...string) *social.Post {
	a.Helper()
	create := a.r.create(n)
	note := create["object"].(map[string]any)
	var list []any
	for _, address := range addresses {
		list = append(list, map[string]any{"type": "Document", "mediaType": "image/png", "url": address})
	}
	note["attachment"] = list
	if to != "" {
		note["to"], create["to"] = to, to
	}
	if got := a.r.sendJSON(a.in.Config.PublicURL+"/inbox", create); got != 202 {
		a.Fatalf("answered %d", got)
	}
	a.net.Settle()
	v, err := a.in.Social.PostByURI(context.Background(), a.reader, a.r.url(fmt.Sprintf("/notes/%d", n)))
	if err != nil || len(v.Post.Attachments) != len(addresses) {
		a.Fatalf("%v", err)
	}
	return v.Post
}

// look opens a file of a post as the reader and answers status and body.
func (a *album) look(p *social.Post, place int) (int, string) {
	a.Helper()
	q, err := http.NewRequest("GET", fmt.Sprintf("%s/media/remote/%s/%d", a.in.Config.PublicURL, p.ID, place), nil)
	if err != nil {
		a.Fatal(err)
	}
	q.AddCookie(&http.Cookie{Name: web.CookieName(a.in.Config.Domain), Value: a.cookie})
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		a.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it is read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		a.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// kept counts the copies that lie in the folder.
func (a *album) kept() int {
	a.Helper()
	entries, err := os.ReadDir(filepath.Join(a.in.Config.DataDir, "media"))
	if err != nil {
		a.Fatal(err)
	}
	return len(entries)
}

// serves answers paths of a remote by hand, and remembers what was asked.
func (r *remote) serves(answers map[string]http.HandlerFunc) (asked func(path string) []*http.Request) {
	var mu sync.Mutex
	seen := map[string][]*http.Request{}
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		mu.Lock()
		seen[q.URL.Path] = append(seen[q.URL.Path], q)
		mu.Unlock()
		if answers[q.URL.Path] == nil {
			return false
		}
		answers[q.URL.Path](w, q)
		return true
	})
	return func(path string) []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return seen[path]
	}
}

func says(kind string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body)
	}
}

// A4, C1: what is no picture and no document is not shown, whatever it claims; nor is
// what is too large, elsewhere, or refused. Each is asked for once.
func TestHostileFilesAreNotShown(t *testing.T) {
	a := newAlbum(t, instancetest.Options{})
	large := append([]byte(pixel), make([]byte, 40<<20)...)
	answers := map[string]http.HandlerFunc{
		"/page": says("text/html", []byte("<script>boom()</script>")), "/svg": says("image/svg+xml", []byte("<svg/>")),
		"/disguised": says("image/png", []byte("<!DOCTYPE html><script>boom()</script>")), "/program": says("image/png", []byte("MZ\x90\x00\x03\x00\x00\x00")),
		"/document": says("application/activity+json", []byte(`{"type":"Note"}`)), "/large": says("image/png", large),
		"/moved":  func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, "/good", http.StatusFound) },
		"/hidden": http.NotFound, "/broken": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"/good": says("image/png", []byte(pixel)),
	}
	asked := a.r.serves(answers)
	n := 0
	for path := range answers {
		n++
		p := a.files(n, "", a.r.url(path))
		for range 2 {
			if status, body := a.look(p, 0); path != "/good" && status != 404 || path == "/good" && (status != 200 || body != pixel) {
				t.Errorf("%s: %d %.50q", path, status, body)
			}
		}
		if got := len(asked(path)); got != 1 {
			t.Errorf("%s was asked for %d times", path, got)
		}
	}
	if a.kept() != 1 {
		t.Errorf("%d files are kept", a.kept())
	}
}

// Every kind of file that members may upload passes between two instances.
func TestAcceptedKindsAreFetched(t *testing.T) {
	a := newAlbum(t, instancetest.Options{})
	answers := map[string]http.HandlerFunc{}
	var addresses []string
	for i, kind := range media.Types() {
		path := fmt.Sprintf("/f%d", i)
		answers[path] = says(kind, []byte(pixel))
		addresses = append(addresses, a.r.url(path))
	}
	a.r.serves(answers)
	p := a.files(1, "", addresses...)
	for i, kind := range media.Types() {
		if status, _ := a.look(p, i); status != 200 {
			t.Errorf("%s: %d", kind, status)
		}
	}
}

// An origin that does not come to an end is given up, and asked no more for a while.
func TestSlowFilesAreGivenUp(t *testing.T) {
	clock := instancetest.NewClock()
	a := newAlbum(t, instancetest.Options{Now: clock.Now, Prepare: func(in *instance.Instance) { in.Social.Limits.CopyTime = 500 * time.Millisecond }})
	var slow atomic.Bool
	slow.Store(true)
	asked := a.r.serves(map[string]http.HandlerFunc{"/slow": func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = io.WriteString(w, pixel)
		if slow.Load() {
			_ = http.NewResponseController(w).Flush()
			<-q.Context().Done()
		}
	}})
	p := a.files(1, "", a.r.url("/slow"))
	for range 2 {
		if status, _ := a.look(p, 0); status != 503 {
			t.Errorf("answered %d", status)
		}
	}
	if len(asked("/slow")) != 1 || a.kept() != 0 {
		t.Errorf("asked %d times, %d files", len(asked("/slow")), a.kept())
	}
	slow.Store(false)
	clock.Advance(2 * time.Minute)
	a.in.Social.Limits.CopyTime = 30 * time.Second
	if status, body := a.look(p, 0); status != 200 || body != pixel {
		t.Errorf("later: %d", status)
	}
}

// Many who look at once cause one request, and one file.
func TestFilesAreFetchedOnce(t *testing.T) {
	a := newAlbum(t, instancetest.Options{})
	started, gate := make(chan struct{}, 1), make(chan struct{})
	asked := a.r.serves(map[string]http.HandlerFunc{"/one": func(w http.ResponseWriter, _ *http.Request) {
		started <- struct{}{}
		<-gate
		says("image/png", []byte(pixel))(w, nil)
	}})
	p := a.files(1, "", a.r.url("/one"))
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if status, body := a.look(p, 0); status != 200 || body != pixel {
				t.Errorf("%d", status)
			}
		})
	}
	<-started
	close(gate)
	wg.Wait()
	if len(asked("/one")) != 1 || a.kept() != 1 {
		t.Errorf("asked %d times, %d files", len(asked("/one")), a.kept())
	}
}

// G1, G5: an address on this machine's network, on a server that is blocked or not
// known, or here: nothing is asked. In mode open too, where unknown servers are.
func TestFilesOfNobodyAreNotAskedFor(t *testing.T) {
	for _, mode := range []string{"allowlist", "open"} {
		a := newAlbum(t, instancetest.Options{Config: map[string]string{"federation.mode": mode}})
		blocked, unknown := second(t, a.in, social.ZoneBlocked), newRemote(t)
		var dialled atomic.Int32
		for _, r := range []*remote{blocked, unknown} {
			r.special(func(w http.ResponseWriter, _ *http.Request) bool {
				dialled.Add(1)
				says("image/png", []byte(pixel))(w, nil)
				return true
			})
		}
		own, err := a.in.Social.Upload(context.Background(), a.reader, social.Upload{Body: strings.NewReader("mine alone"), Name: "a.txt"})
		if err != nil {
			t.Fatal(err)
		}
		addresses := []string{blocked.url("/x.png"), a.in.Social.Links.Media(own.ID, false), "http://169.254.169.254/latest/meta-data/x.png", "http://10.0.0.1/x.png"}
		if mode == "allowlist" {
			addresses = append(addresses, unknown.url("/x.png"))
		}
		before := a.kept()
		p := a.files(1, "", addresses...)
		for i, address := range addresses {
			if status, body := a.look(p, i); status != 404 || strings.Contains(body, "mine") {
				t.Errorf("%s, %s: %d %s", mode, address, status, body)
			}
		}
		if dialled.Load() != 0 || a.kept() != before {
			t.Errorf("%s: %d requests, %d files", mode, dialled.Load(), a.kept())
		}
	}
}

// Only the server of the post's author learns who asks, and that only for what is not
// for a whole zone: else a post could have files of third servers fetched in our name.
func TestFilesAreSignedForTheirServer(t *testing.T) {
	a := newAlbum(t, instancetest.Options{})
	other := second(t, a.in, social.ZonePartner)
	good := map[string]http.HandlerFunc{"/x.png": says("image/png", []byte(pixel)), "/y.png": says("image/png", []byte(pixel))}
	asked, elsewhere := a.r.serves(good), other.serves(good)
	public := a.files(1, "", a.r.url("/x.png"), other.url("/x.png"))
	direct := a.files(2, a.reader.Account.URI, a.r.url("/y.png"), other.url("/y.png"))
	for _, p := range []*social.Post{public, direct} {
		for i := range 2 {
			if status, _ := a.look(p, i); status != 200 {
				t.Errorf("answered %d", status)
			}
		}
	}
	for path, key := range map[string]string{"/x.png": a.in.Config.PublicURL + "/actor#main-key", "/y.png": a.reader.Account.URI + "#main-key"} {
		if got := asked(path); len(got) != 1 || !strings.Contains(got[0].Header.Get("Signature"), `"`+key+`"`) {
			t.Errorf("%s: %d requests", path, len(got))
		}
		if got := elsewhere(path); len(got) != 1 || got[0].Header.Get("Signature") != "" {
			t.Errorf("%s elsewhere: %d requests", path, len(got))
		}
	}
}

// An edit that takes a file away takes our copy too, and an address keeps meaning the
// file in its place now.
func TestEditTakesCopies(t *testing.T) {
	a := newAlbum(t, instancetest.Options{})
	a.r.serves(map[string]http.HandlerFunc{"/x.png": says("image/png", []byte(pixel)), "/y.png": says("image/png", []byte(pixel+" y"))})
	p := a.files(1, "", a.r.url("/x.png"), a.r.url("/y.png"))
	for i := range 2 {
		a.look(p, i)
	}
	if a.kept() != 2 {
		t.Fatalf("%d files", a.kept())
	}
	note := a.r.create(1)["object"].(map[string]any)
	note["attachment"] = []any{map[string]any{"type": "Document", "mediaType": "image/png", "url": a.r.url("/y.png")}}
	note["updated"] = time.Now().UTC().Add(time.Second).Format(time.RFC3339)
	update := map[string]any{"id": a.r.url("/u/1"), "type": "Update", "actor": a.r.actor("mallory"), "object": note}
	if got := a.r.sendJSON(a.in.Config.PublicURL+"/inbox", update); got != 202 {
		t.Fatalf("answered %d", got)
	}
	a.net.Settle()
	if status, body := a.look(p, 0); a.kept() != 1 || status != 200 || !bytes.HasSuffix([]byte(body), []byte("y")) {
		t.Errorf("%d files, %d %q", a.kept(), status, body)
	}
	if status, _ := a.look(p, 1); status != 404 {
		t.Errorf("answered %d", status)
	}
}

// What arrives after its post was deleted is not kept, and an account that leaves
// takes its files along.
func TestNothingIsKeptOfWhatIsGone(t *testing.T) {
	a := newAlbum(t, instancetest.Options{})
	var before func()
	a.r.serves(map[string]http.HandlerFunc{"/late.png": func(w http.ResponseWriter, _ *http.Request) {
		before()
		says("image/png", []byte(pixel))(w, nil)
	}, "/x.png": says("image/png", []byte(pixel))})
	late := a.files(1, "", a.r.url("/late.png"))
	before = func() {
		if err := a.in.Social.ApplyDelete(context.Background(), accountOf(t, a.in, a.r.actor("mallory")), late.URI, social.Said{}); err != nil {
			t.Error(err)
		}
	}
	if status, _ := a.look(late, 0); status != 404 || a.kept() != 0 {
		t.Errorf("deleted meanwhile: %d, %d files", status, a.kept())
	}
	p := a.files(2, "", a.r.url("/x.png"))
	if status, _ := a.look(p, 0); status != 200 || a.kept() != 1 {
		t.Fatalf("%d, %d files", status, a.kept())
	}
	if err := a.in.Social.ApplyLeave(context.Background(), accountOf(t, a.in, a.r.actor("mallory"))); err != nil {
		t.Fatal(err)
	}
	if status, _ := a.look(p, 0); status != 404 || a.kept() != 0 {
		t.Errorf("left: %d, %d files", status, a.kept())
	}
}

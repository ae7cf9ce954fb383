package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/instance"
	"parley/social"
)

// answer is what a GET brought.
type answer struct {
	status int
	header http.Header
	body   string
	doc    map[string]any
}

// fetch gets a document of an instance, signed by a remote, or unsigned.
func fetch(t testing.TB, as *remote, method, address string) answer {
	t.Helper()
	q, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Accept", "application/activity+json")
	open := func(body []byte) []byte { return body }
	if as != nil && as.closedTo(address) != nil {
		open = as.closedTo(address).asks(q, as.key.ID)
	} else if as != nil {
		if err := httpsig.Sign(q, nil, as.key, httpsig.Cavage, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.Header.Get("Content-Type") == seal.MediaType && method == http.MethodGet {
		body = open(body)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(body)}
	_ = json.Unmarshal(body, &a.doc) // pages and empty bodies stay without
	return a
}

// deliveries records what is posted to a remote.
type deliveries struct {
	mu   sync.Mutex
	list []map[string]any
}

func (r *remote) deliveries() *deliveries {
	d := &deliveries{}
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.Method != http.MethodPost {
			return false
		}
		var o map[string]any
		_ = json.NewDecoder(q.Body).Decode(&o)
		d.mu.Lock()
		d.list = append(d.list, o)
		d.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		return true
	})
	return d
}

// ofDirectory says that an activity tells entries of the directory: it goes to each
// sister when somebody becomes a member, and is no part of most stories.
func ofDirectory(o map[string]any) bool {
	for _, e := range many(o["object"]) {
		if e, ok := e.(map[string]any); ok && (e["type"] == "DirectoryEntry" || e["formerType"] == "DirectoryEntry") {
			return true
		}
	}
	return false
}

func many(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// of lists the deliveries of a type, without those of the directory.
func (d *deliveries) of(kind string) []map[string]any {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []map[string]any
	for _, o := range d.list {
		if o["type"] == kind && !ofDirectory(o) {
			out = append(out, o)
		}
	}
	return out
}

func publish(t *testing.T, in *instance.Instance, r social.Reader, d social.Draft) *social.Post {
	t.Helper()
	v, err := in.Social.Publish(context.Background(), r, d)
	if err != nil {
		t.Fatal(err)
	}
	return v.Post
}

// items lists the URIs of a page.
func items(doc map[string]any) (uris []string) {
	for _, key := range []string{"items", "orderedItems"} {
		list, _ := doc[key].([]any)
		for _, v := range list {
			if o, ok := v.(map[string]any); ok {
				v = o["object"]
				if o, ok := v.(map[string]any); ok {
					v = o["id"]
				}
			}
			uris = append(uris, fmt.Sprint(v))
		}
	}
	return uris
}

// walk reads a collection page by page, as a reader would.
func walk(t *testing.T, as *remote, address string) (uris []string, pages int) {
	t.Helper()
	doc := fetch(t, as, "GET", address).doc
	var next any = doc["first"]
	for next != nil {
		page, embedded := next.(map[string]any)
		if !embedded {
			a := fetch(t, as, "GET", next.(string))
			if a.status != 200 || a.doc["id"] != next {
				t.Fatalf("%v: %d %v", next, a.status, a.doc["id"])
			}
			page = a.doc
		}
		uris, pages = append(uris, items(page)...), pages+1
		if next = page["next"]; pages > 50 {
			t.Fatal("pages without an end")
		}
	}
	return uris, pages
}

// crowd makes accounts of another server that follow a member.
func crowd(t *testing.T, in *instance.Instance, target social.ID, host string, n int) {
	t.Helper()
	ctx := context.Background()
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		for i := range n {
			uri := fmt.Sprintf("https://%s/users/%d", host, i)
			a := &social.Account{ID: social.NewID(time.Now()), Kind: social.KindPerson, Username: fmt.Sprintf("p%d", i), Host: host, Authority: host,
				URI: uri, InboxURI: uri + "/inbox", CreatedAt: time.Now()}
			if err := tx.InsertAccount(ctx, a); err != nil {
				return err
			}
			f := &social.Follow{ID: social.NewID(time.Now()), FollowerID: a.ID, TargetID: target, State: social.FollowAccepted, URI: uri + "#f", CreatedAt: time.Now()}
			if err := tx.PutFollow(ctx, f); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Who follows whom is for the company and its partners; others get the number, and
// a member can hide the names from all.
func TestCirclesNamePeopleToTheCompanyOnly(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	ctx := context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	if _, err := in.Social.Follow(ctx, bob, alice.Account.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	crowd(t, in, alice.Account.ID, "else.example", 95)
	uri := alice.Account.FollowersURI
	if uris, pages := walk(t, r, uri); len(uris) != 96 || pages != 3 || uris[95] != bob.Account.URI {
		t.Errorf("a sister sees %d in %d pages", len(uris), pages)
	}
	zone := func(z social.Zone) {
		if err := in.Social.SetZone(ctx, r.host(), z, "test", "test"); err != nil {
			t.Fatal(err)
		}
	}
	zone(social.Zone{Kind: social.ZonePartner, Name: "acme"})
	if uris, _ := walk(t, r, uri); len(uris) != 1 || uris[0] != bob.Account.URI {
		t.Errorf("a partner sees %v", uris)
	}
	numberOnly := func(who string, as *remote) {
		t.Helper()
		for _, u := range []string{uri, alice.Account.FollowingURI} {
			a := fetch(t, as, "GET", u)
			if a.status != 200 || a.doc["first"] != nil || a.doc["totalItems"] == nil || len(items(a.doc)) != 0 {
				t.Errorf("%s: %s", who, a.body)
			}
			if a := fetch(t, as, "GET", u+"?page=true"); a.status != 404 {
				t.Errorf("%s gets a page: %d %s", who, a.status, a.body)
			}
		}
	}
	numberOnly("nobody", nil)
	zone(social.Zone{Kind: social.ZonePublic})
	numberOnly("the world", r)
	r.pairs(in, company)
	hide := true
	if _, err := in.Social.UpdateProfile(ctx, alice, social.ProfileChange{HideNetwork: &hide}); err != nil {
		t.Fatal(err)
	}
	numberOnly("a sister, of a member who hides it,", r)
	if people, _, err := in.Social.Followers(ctx, bob, alice.Account.ID, social.Page{}); err != nil || len(people) != 0 {
		t.Errorf("a colleague sees %d people, %v", len(people), err)
	}
}

// Replies and context come in pages of 60; what is hidden is neither in them nor in
// the address of the next one.
func TestConversationsArePaged(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	root := publish(t, in, alice, social.Draft{Text: "root", Audience: "public"})
	want, hidden := 0, []string{}
	for n := range 200 {
		audience := "public"
		if n%3 == 1 {
			audience = "instance"
		}
		p := publish(t, in, alice, social.Draft{Text: fmt.Sprint(n), Audience: audience, InReplyTo: root.ID})
		if audience == "public" {
			want++
		} else {
			hidden = append(hidden, p.ID.String())
		}
	}
	for _, as := range []*remote{nil, r} {
		for address, more := range map[string]int{root.URI + "/replies": 0, in.Config.PublicURL + "/contexts/" + root.ID.String(): 1} {
			uris, pages := walk(t, as, address)
			if len(uris) != want+more || pages < 3 || pages > 5 {
				t.Errorf("%s: %d posts in %d pages, want %d", address, len(uris), pages, want+more)
			}
			next := fetch(t, as, "GET", address).body
			for _, id := range hidden {
				if strings.Contains(next+strings.Join(uris, " "), id) {
					t.Errorf("%s names the hidden post %s", address, id)
				}
			}
		}
	}
}

// The outbox counts and shows what its reader may know of: a stranger cannot tell
// from it that there are inner posts at all.
func TestOutboxTellsNothingOfHiddenPosts(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	sister := second(t, in, social.ZoneCompany)
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	outside := publish(t, in, alice, social.Draft{Text: "outside", Audience: "public"})
	publish(t, in, bob, social.Draft{Text: "outside", Audience: "public"})
	for n := range 45 {
		audience := []string{"company", "instance", "followers"}[n%3]
		publish(t, in, alice, social.Draft{Text: "inside", Audience: audience})
	}
	for range 170 { // more than one look passes over
		publish(t, in, alice, social.Draft{Text: "inside", Audience: "instance"})
	}
	for _, as := range []*remote{nil, r} {
		a, b := fetch(t, as, "GET", alice.Account.OutboxURI), fetch(t, as, "GET", bob.Account.OutboxURI)
		if a.doc["totalItems"] != 1.0 || b.doc["totalItems"] != 1.0 {
			t.Errorf("counts %v and %v", a.doc["totalItems"], b.doc["totalItems"])
		}
		page := fetch(t, as, "GET", a.doc["first"].(string)).doc
		if got := items(page); len(got) != 1 || got[0] != outside.URI || page["next"] != nil {
			t.Errorf("%v, next %v", got, page["next"])
		}
	}
	if n := fetch(t, sister, "GET", alice.Account.OutboxURI).doc["totalItems"]; n != 1.0 { // else it would learn of those from before it joined
		t.Errorf("a sister counts %v", n)
	}
	if uris, pages := walk(t, sister, alice.Account.OutboxURI); len(uris) != 16 || pages > 3 {
		t.Errorf("a sister sees %d in %d pages", len(uris), pages)
	}
	item := fetch(t, sister, "GET", bob.Account.OutboxURI+"?page=true").doc["orderedItems"].([]any)[0].(map[string]any)
	if a := fetch(t, sister, "GET", item["id"].(string)); a.status != 200 || a.doc["id"] != item["id"] || a.doc["type"] != "Create" {
		t.Errorf("the activity of a post: %d %s", a.status, a.body)
	}
}

// Featured shows pinned posts as far as the reader may see them.
func TestFeaturedAsksTheAudience(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	partner := second(t, in, social.ZonePartner)
	alice := net.Member(in, "alice")
	for _, audience := range []string{"public", "partner:acme"} {
		p := publish(t, in, alice, social.Draft{Text: audience, Audience: audience})
		if _, err := in.Social.Pin(context.Background(), alice, p.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	for who, want := range map[*remote]int{nil: 1, r: 1, partner: 2} {
		doc := fetch(t, who, "GET", alice.Account.FeaturedURI).doc
		if len(items(doc)) != want || doc["totalItems"] != float64(want) {
			t.Errorf("%d of %d: %v", len(items(doc)), want, doc)
		}
	}
}

// The collections of audiences exist for their members only.
func TestAudiencesAreNamedToTheirMembers(t *testing.T) {
	in, world, _ := admitted(t, social.ZonePublic)
	sister, partner := second(t, in, social.ZoneCompany), newRemote(t)
	if err := in.Social.SetZone(context.Background(), partner.host(), social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]map[*remote]int{
		"/audiences/company":        {nil: 404, world: 404, partner: 404, sister: 200},
		"/audiences/partner/acme":   {nil: 404, world: 404, partner: 200, sister: 200},
		"/audiences/partner/nobody": {nil: 404, world: 404, partner: 404, sister: 404},
	} {
		for who, status := range want {
			if a := fetch(t, who, "GET", in.Config.PublicURL+path); a.status != status || status == 200 && a.doc["id"] != in.Config.PublicURL+path {
				t.Errorf("%s: %d, want %d: %s", path, a.status, status, a.body)
			}
		}
	}
}

// A thread elsewhere is read page by page, and a page that names itself as the next
// one ends it (T13).
func TestThreadsAreReadPageByPage(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	note := r.note(1)
	note["replies"], note["context"] = r.url("/replies"), r.url("/context")
	r.docs["/notes/1"] = note
	create := r.create(1)
	create["object"] = note
	page := func(n int, next string, uris ...any) {
		path := fmt.Sprintf("/page/%d", n)
		r.docs[path] = map[string]any{"id": r.url(path), "type": "CollectionPage", "items": uris, "next": r.url(next)}
	}
	r.docs["/replies"] = map[string]any{"id": r.url("/replies"), "type": "Collection", "first": r.url("/page/1"), "totalItems": 7}
	page(1, "/page/2", r.url("/notes/11"), r.url("/notes/is-not-told"))
	page(2, "/page/3", r.url("/notes/12"))
	page(3, "/page/3", r.url("/notes/13"))
	whole := r.note(14)
	r.docs["/context"] = map[string]any{"id": r.url("/context"), "type": "OrderedCollection", "orderedItems": []any{whole}}
	for n := 11; n <= 13; n++ {
		reply := r.note(n)
		reply["inReplyTo"] = r.url("/notes/1")
		r.docs[fmt.Sprintf("/notes/%d", n)] = reply
	}
	if r.sendJSON(in.Config.PublicURL+"/inbox", create) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	v, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	before := r.fetches.Load()
	if _, _, err := in.Social.Thread(context.Background(), alice, v.Post.ID); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	for n := 11; n <= 14; n++ {
		if !known(t, in, r.url(fmt.Sprintf("/notes/%d", n))) {
			t.Errorf("reply %d is missing", n)
		}
	}
	if n := r.fetches.Load() - before; n > 13 {
		t.Errorf("%d fetches", n)
	}
	v, err = in.Social.PostByURI(context.Background(), alice, r.url("/notes/1"))
	if err != nil || v.Post.RepliesMissing != 4 { // of seven
		t.Errorf("missing: %+v %v", v.Post, err)
	}
}

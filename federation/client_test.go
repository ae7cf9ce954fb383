package federation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// program is a client that speaks ActivityPub with its server and knows nothing else.
type program struct {
	*testing.T
	in    *instance.Instance
	who   social.Reader
	token string
}

func (p *program) call(method, address, kind string, body []byte) (int, http.Header, map[string]any) {
	p.Helper()
	if strings.HasPrefix(address, "/") {
		address = p.in.Config.PublicURL + address
	}
	q, err := http.NewRequestWithContext(p.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	q.Header.Set("Accept", "application/activity+json")
	if p.token != "" {
		q.Header.Set("Authorization", "Bearer "+p.token)
	}
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.Fatal(err)
	}
	var o map[string]any
	_ = json.Unmarshal(text, &o) // an error answers in its own form
	return res.StatusCode, res.Header, o
}

type thing = map[string]any

// does posts to the outbox and answers the id of the activity.
func (p *program) does(o thing) string {
	p.Helper()
	status, header, said := p.tries(o)
	if status != http.StatusCreated || header.Get("Location") == "" {
		p.Fatalf("%v: %d %v %v", o, status, header, said)
	}
	return header.Get("Location")
}

func (p *program) tries(o thing) (int, http.Header, map[string]any) {
	p.Helper()
	body, err := json.Marshal(o)
	if err != nil {
		p.Fatal(err)
	}
	return p.call("POST", p.who.Account.OutboxURI, "application/activity+json", body)
}

func (p *program) get(address string) map[string]any {
	p.Helper()
	status, _, o := p.call("GET", address, "", nil)
	if status != http.StatusOK {
		p.Fatalf("%s: %d", address, status)
	}
	return o
}

// inbox lists what came, as "type: content or object".
func (p *program) inbox() (all []string) {
	p.Helper()
	for next := p.get(p.who.Account.InboxURI)["first"]; next != nil; {
		page := p.get(next.(string))
		for _, item := range page["orderedItems"].([]any) {
			a := item.(map[string]any)
			what := fmt.Sprint(a["object"])
			if o, ok := a["object"].(map[string]any); ok {
				what = fmt.Sprint(o["content"])
			}
			all = append(all, fmt.Sprintf("%s: %s", a["type"], what))
		}
		next = page["next"]
	}
	return all
}

func newProgram(t *testing.T, in *instance.Instance, who social.Reader, n auth.NewToken) *program {
	t.Helper()
	n.App = "program"
	if n.Scopes == "" {
		n.Scopes = "read write follow"
	}
	token, err := in.Auth.CreateToken(t.Context(), who.Account.ID, n)
	if err != nil {
		t.Fatal(err)
	}
	return &program{t, in, who, token}
}

// By its token alone a program writes, changes, likes, shares, follows across servers,
// pins, takes back and deletes, and reads what comes (ActivityPub 6).
func TestClientToServer(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	here, there := net.Instances[0], net.Instances[1]
	a := newProgram(t, here, net.Member(here, "alice"), auth.NewToken{})
	b := newProgram(t, there, net.Member(there, "bob"), auth.NewToken{})
	carol := newProgram(t, here, net.Member(here, "carol"), auth.NewToken{})
	actor := a.get(a.who.Account.URI)
	ends := actor["endpoints"].(map[string]any)
	for _, name := range []string{"oauthAuthorizationEndpoint", "oauthTokenEndpoint", "proxyUrl", "sharedInbox"} {
		if ends[name] == nil {
			t.Errorf("the actor names no %s", name)
		}
	}
	const public = "https://www.w3.org/ns/activitystreams#Public"
	company := here.Config.PublicURL + "/audiences/company"

	// A bare post is wrapped in a Create; the server makes the ids.
	id := a.does(thing{"@context": "https://www.w3.org/ns/activitystreams", "type": "Note", "content": "<p>hello <b>company</b></p>", "to": []string{company}, "id": "https://made.up/1"})
	create := a.get(id)
	note := create["object"].(map[string]any)
	uri := note["id"].(string)
	if create["type"] != "Create" || create["actor"] != a.who.Account.URI || !strings.HasPrefix(uri, here.Config.PublicURL) || note["content"] != "<p>hello company</p>" || fmt.Sprint(note["to"]) != "["+company+"]" {
		t.Errorf("%v", create)
	}
	net.Settle()

	// What the proxy fetches is what the other server lets its user see.
	status, _, seen := b.call("POST", "/users/"+b.who.Account.ID.String()+"/proxy", "application/x-www-form-urlencoded", []byte(url.Values{"id": {uri}}.Encode()))
	if status != 200 || seen["content"] != "<p>hello company</p>" {
		t.Errorf("by the proxy: %d %v", status, seen)
	}

	// Follow, and hear of it.
	follow := b.does(thing{"type": "Follow", "object": a.who.Account.URI})
	net.Settle()
	if got := a.inbox(); len(got) != 1 || got[0] != "Follow: "+a.who.Account.URI {
		t.Errorf("alice's inbox: %v", got)
	}
	second := a.does(thing{"type": "Create", "actor": a.who.Account.URI, "to": []string{public}, "cc": []string{a.who.Account.FollowersURI},
		"object": thing{"type": "Note", "source": thing{"content": "for **all** to see", "mediaType": "text/markdown"}, "content": "ignored", "summary": "careful", "sensitive": true, "name": ""}})
	post := a.get(second)["object"].(map[string]any)
	if !strings.Contains(post["content"].(string), "<strong>all</strong>") || post["summary"] != "careful" || fmt.Sprint(post["to"]) != "["+public+"]" {
		t.Errorf("%v", post)
	}
	second = post["id"].(string)
	net.Settle()
	if got := b.inbox(); len(got) != 2 || got[0] != "Create: "+post["content"].(string) {
		t.Errorf("bob's inbox: %v", got)
	}

	// Like and share, answer, and take it back by id or whole.
	b.does(thing{"type": "Like", "object": second})
	share := b.does(thing{"type": "Announce", "object": second})
	b.does(thing{"type": "Note", "content": "an answer", "inReplyTo": second, "to": []string{public}})
	net.Settle()
	if got := strings.Join(a.inbox(), "\n"); !strings.Contains(got, "Like: "+second) || !strings.Contains(got, "Announce: ") || !strings.Contains(got, "an answer") {
		t.Errorf("alice's inbox: %s", got)
	}
	b.does(thing{"type": "Undo", "object": share})
	b.does(thing{"type": "Undo", "object": thing{"type": "Like", "object": second}})
	net.Settle()
	if v, err := here.Social.PostByURI(t.Context(), a.who, second); err != nil || v.Post.BoostsCount != 0 || v.Post.FavouritesCount != 0 {
		t.Errorf("after taking it back: %+v %v", v, err)
	}

	// An Update changes what it names, and leaves the rest.
	a.does(thing{"type": "Update", "object": thing{"id": second, "type": "Note", "content": "for some"}})
	if o := a.get(second); !strings.Contains(o["content"].(string), "for some") || o["summary"] != "careful" || o["updated"] == nil {
		t.Errorf("%v", o)
	}
	a.does(thing{"type": "Update", "object": thing{"id": a.who.Account.URI, "type": "Person", "name": "Alice A."}})
	if o := a.get(a.who.Account.URI); o["name"] != "Alice A." || o["preferredUsername"] != "alice" {
		t.Errorf("%v", o)
	}
	a.does(thing{"type": "Add", "object": second, "target": a.who.Account.FeaturedURI})
	if o := a.get(a.who.Account.FeaturedURI); !strings.Contains(fmt.Sprint(o), second) {
		t.Errorf("not pinned: %v", o)
	}
	a.does(thing{"type": "Remove", "object": second, "target": a.who.Account.FeaturedURI})

	// bto and bcc: they get it, and nobody is told so (6.2).
	hidden := a.does(thing{"type": "Create", "to": []string{carol.who.Account.URI}, "bto": []string{b.who.Account.URI}, "object": thing{"type": "Note", "content": "between us", "bcc": []string{b.who.Account.URI}}})
	net.Settle()
	if got := b.inbox(); len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), "between us") {
		t.Errorf("bob's inbox: %v", got)
	}
	if got := carol.inbox(); len(got) != 1 || !strings.Contains(got[0], "between us") {
		t.Errorf("carol's inbox: %v", got)
	}
	for who, p := range map[string]*program{"alice": a, "carol": carol} {
		if o := fmt.Sprint(p.get(hidden)); strings.Contains(o, b.who.Account.URI) || strings.Contains(o, "bto") || strings.Contains(o, "bcc") {
			t.Errorf("%s reads who else has it: %s", who, o)
		}
	}

	// A locked account answers by Accept and Reject; a question has its options.
	locked := true
	if _, err := here.Social.UpdateProfile(t.Context(), carol.who, social.ProfileChange{Locked: &locked}); err != nil {
		t.Fatal(err)
	}
	b.does(thing{"type": "Follow", "object": carol.who.Account.URI})
	net.Settle()
	carol.does(thing{"type": "Accept", "object": thing{"type": "Follow", "actor": b.who.Account.URI, "object": carol.who.Account.URI}})
	net.Settle()
	rel, err := there.Social.Relationships(t.Context(), b.who, []social.ID{account(t, there, carol.who.Account.URI).ID})
	if err != nil || !rel[0].Following {
		t.Errorf("bob does not follow carol: %+v %v", rel, err)
	}
	asked := a.get(a.does(thing{"type": "Question", "content": "tea?", "oneOf": []thing{{"type": "Note", "name": "yes"}, {"type": "Note", "name": "no"}}, "to": []string{company}}))["object"].(map[string]any)
	if asked["type"] != "Question" || len(asked["oneOf"].([]any)) != 2 {
		t.Errorf("%v", asked)
	}

	// Block and delete.
	a.does(thing{"type": "Delete", "object": second})
	if status, _, o := a.call("GET", second, "", nil); status != http.StatusGone || o["type"] != "Tombstone" {
		t.Errorf("after the Delete: %d %v", status, o)
	}
	b.does(thing{"type": "Undo", "object": follow})
	a.does(thing{"type": "Block", "object": b.who.Account.URI})
	net.Settle()
	if status, _, _ := b.call("POST", "/users/"+b.who.Account.ID.String()+"/proxy", "application/x-www-form-urlencoded", []byte(url.Values{"id": {uri}}.Encode())); status == 200 {
		t.Error("who is blocked reads on")
	}
}

func account(t *testing.T, in *instance.Instance, uri string) (a *social.Account) {
	t.Helper()
	if err := in.DB.View(t.Context(), func(tx social.Tx) (err error) {
		a, err = tx.AccountByURI(t.Context(), uri)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

// An outbox and an inbox are their member's alone; a token does what it may; and what
// makes no sense changes nothing.
func TestClientToServerRefusals(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	a := newProgram(t, in, net.Member(in, "alice"), auth.NewToken{})
	b := newProgram(t, in, net.Member(in, "bob"), auth.NewToken{})
	note := thing{"type": "Note", "content": "hello", "to": []string{in.Config.PublicURL + "/audiences/company"}}
	for who, p := range map[string]*program{"nobody": {t, in, a.who, ""}, "a colleague": {t, in, a.who, b.token}} {
		for _, path := range []string{"/inbox", "/inbox?page=true"} {
			if status, _, _ := p.call("GET", a.who.Account.URI+path, "", nil); status != 404 {
				t.Errorf("%s reads %s: %d", who, path, status)
			}
		}
		if status, _, _ := p.tries(note); status != 404 {
			t.Errorf("%s writes: %d", who, status)
		}
	}
	wrong := &program{t, in, a.who, "wrong"}
	if status, _, _ := wrong.tries(note); status != 401 {
		t.Errorf("a wrong token: %d", status)
	}
	reads := newProgram(t, in, a.who, auth.NewToken{Scopes: "read"})
	if status, _, _ := reads.tries(note); status != 403 {
		t.Errorf("a token that reads: %d", status)
	}
	writes := newProgram(t, in, a.who, auth.NewToken{Scopes: "write"})
	if status, _, _ := writes.call("GET", a.who.Account.InboxURI, "", nil); status != 403 {
		t.Errorf("a token that writes: %d", status)
	}
	bound := newProgram(t, in, a.who, auth.NewToken{Bound: "company"})
	made := bound.get(bound.does(thing{"type": "Note", "content": "to all", "to": []string{"as:Public"}}))["object"].(map[string]any)
	if fmt.Sprint(made["to"]) != "["+in.Config.PublicURL+"/audiences/company]" {
		t.Errorf("beyond its bound: %v", made["to"])
	}
	theirs := b.get(b.does(note))["object"].(map[string]any)["id"].(string)
	secret := b.get(b.does(thing{"type": "Note", "content": "secret", "to": []string{}}))["object"].(map[string]any)["id"].(string)
	for status, all := range map[int][]thing{
		403: {{"type": "Create", "actor": b.who.Account.URI, "object": note}, {"type": "Create", "object": thing{"type": "Note", "content": "x", "attributedTo": b.who.Account.URI}}},
		404: {{"type": "Delete", "object": theirs}, {"type": "Update", "object": thing{"id": theirs, "content": "mine now"}}, {"type": "Like", "object": secret}, {"type": "Announce", "object": secret},
			{"type": "Note", "content": "x", "inReplyTo": secret}, {"type": "Undo", "object": in.Config.PublicURL + "/activities/1"}, {"type": "Accept", "object": "none"}, {"type": "Follow", "object": in.Config.PublicURL + "/users/1"}},
		422: {{"type": "Flag", "object": theirs}, {"type": "Person", "name": "x"}, {"type": "Create", "object": theirs}, {"type": "Like"}, {"type": "Update", "object": theirs}, {"type": "Note", "content": ""},
			{"type": "Add", "object": theirs, "target": b.who.Account.FeaturedURI}, {"type": "Note", "content": "x", "attachment": []thing{{"type": "Image", "url": "https://elsewhere.test/x.png"}}},
			{"type": "Undo", "object": thing{"type": "Create", "object": theirs}}, {"type": "Note", "content": "x", "to": []string{theirs}}},
	} {
		for _, o := range all {
			if got, header, said := a.tries(o); got != status || header.Get("Location") != "" {
				t.Errorf("%v: %d %v, want %d", o, got, said, status)
			}
		}
	}
	for kind, body := range map[string]string{"text/plain": `{"type":"Note"}`, "application/activity+json": `{"type":`, "application/ld+json": `[]`} {
		if status, _, _ := a.call("POST", a.who.Account.OutboxURI, kind, []byte(body)); status != 422 {
			t.Errorf("%s %s: %d", kind, body, status)
		}
	}
	if status, _, _ := a.call("POST", a.who.Account.OutboxURI, "application/activity+json", bytes.Repeat([]byte("x"), 2<<20)); status != 413 {
		t.Errorf("2 MiB: %d", status)
	}
	for _, inner := range []string{"http://10.0.0.1/x", "file:///etc/passwd", "", "x"} {
		if status, _, _ := a.call("POST", a.who.Account.URI+"/proxy", "application/x-www-form-urlencoded", []byte(url.Values{"id": {inner}}.Encode())); status == 200 || status >= 500 {
			t.Errorf("the proxy fetched %q: %d", inner, status)
		}
	}
	posts, err := in.Social.AccountPosts(t.Context(), a.who, a.who.Account.ID, social.Page{Limit: 10}, social.PostFilter{})
	if err != nil || len(posts) != 1 {
		t.Errorf("%d posts of alice's: %v", len(posts), err)
	}
}

package federation_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/social"
)

// announce lets mallory share something, which makes us look it up.
func (r *remote) announce(t *testing.T, inbox, object string) {
	t.Helper()
	r.n++
	activity := map[string]any{"id": r.url(fmt.Sprintf("/announces/%d", r.n)), "type": "Announce", "actor": r.actor("mallory"), "object": object,
		"to": "https://www.w3.org/ns/activitystreams#Public"}
	if got := r.sendJSON(inbox, activity); got != 202 {
		t.Fatalf("answered %d", got)
	}
}

// A3: a document counts under the id it was fetched by. One that names another id is
// thrown away and that id asked once: what it says of itself is what is kept.
func TestDocumentsCountUnderTheirOwnId(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	alice := net.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	other.docs["/notes/1"] = other.note(1)
	lies := func(path, id string) string {
		note := other.note(1)
		note["id"], note["content"] = id, "forged"
		r.docs[path] = note
		return r.url(path)
	}
	r.announce(t, inbox, lies("/a", other.url("/notes/1"))) // another server's post
	r.announce(t, inbox, lies("/b", other.url("/notes/2"))) // one that does not exist
	r.announce(t, inbox, lies("/c", r.url("/d")))           // round in a circle
	lies("/d", r.url("/c"))
	r.announce(t, inbox, lies("/e", in.Config.PublicURL+"/users/1/statuses/1"))               // one of ours
	r.announce(t, inbox, lies("/f", strings.ToUpper(r.server.URL[:4])+r.server.URL[4:]+"/f")) // another spelling of itself
	anonymous := other.note(9)
	delete(anonymous, "id")
	r.docs["/g"] = anonymous
	r.announce(t, inbox, r.url("/g"))
	net.Settle()
	v, err := in.Social.PostByURI(context.Background(), alice, other.url("/notes/1"))
	if err != nil || strings.Contains(v.Post.Content, "forged") {
		t.Errorf("%v: the real one is not what is kept", err)
	}
	for _, uri := range []string{other.url("/notes/2"), r.url("/a"), r.url("/b"), r.url("/c"), r.url("/d"), r.url("/e"), r.url("/f"), r.url("/g"),
		in.Config.PublicURL + "/users/1/statuses/1"} {
		if known(t, in, uri) {
			t.Errorf("%s was taken", uri)
		}
	}
	if n := other.fetches.Load(); n > 4 {
		t.Errorf("%d requests to the server that was named", n)
	}
}

// A3: nor does an actor's document speak for another actor, as a key's owner or as an
// author.
func TestActorDocumentsCountUnderTheirOwnId(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	fake := other.person("mallory")
	fake["publicKey"] = map[string]any{"id": other.actor("mallory") + "#main-key", "owner": other.actor("mallory"), "publicKeyPem": string(r.public)}
	r.docs["/users/mallory"] = fake
	create := r.create(1)
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", create); got != 401 {
		t.Errorf("answered %d", got)
	}
	// The other actor may be known now, but by its own word and with its own key.
	r.key.ID = other.actor("mallory") + "#main-key"
	stolen := other.create(1)
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", stolen); got != 401 {
		t.Errorf("in the name of the other: answered %d", got)
	}
	net.Settle()
	if known(t, in, r.url("/notes/1")) || known(t, in, other.url("/notes/1")) {
		t.Error("taken")
	}
}

// A8: other spellings of a host are no other hosts, and none of them gets in under a
// name of its own.
func TestHostsHaveOneSpelling(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	_, port, _ := strings.Cut(r.host(), ":")
	for _, host := range []string{"me@" + r.host(), "127.1:" + port, "2130706433:" + port, "0x7f.0.0.1:" + port, "127.0.0.1.:" + port,
		"[::ffff:127.0.0.1]:" + port, "localhost.:" + port, "LOCALHOST:" + port, "xn--localhost-.test:" + port, "m\u00fcller.test:" + port} {
		spelled := "http://" + host
		create := r.create(1)
		note := r.note(1)
		note["id"], note["attributedTo"] = spelled+"/notes/1", spelled+"/users/mallory"
		create["object"], create["id"], create["actor"] = note, spelled+"/creates/1", spelled+"/users/mallory"
		r.key.ID = spelled + "/users/mallory#main-key"
		if got := r.sendJSON(inbox, create); got == 202 {
			t.Errorf("%s: answered %d", host, got)
		}
		r.as("mallory")
		create["id"], create["actor"] = r.url("/creates/"+fmt.Sprint(len(host))), r.actor("mallory")
		_ = r.sendJSON(inbox, create)
		net.Settle()
		if known(t, in, spelled+"/notes/1") {
			t.Errorf("%s: the post was taken", host)
		}
	}
}

// T5, T6, T7: where the parts of an activity are of different servers, nothing is
// believed but what its own server says.
func TestOriginsMustAgree(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	alice := net.Member(in, "alice")
	ours := publish(t, in, alice, social.Draft{Text: "mine", Audience: "public"})
	inbox := in.Config.PublicURL + "/inbox"
	for name, one := range map[string]struct {
		change func(create, note map[string]any)
		status int
	}{
		"T5 author of another server": {func(_, note map[string]any) { note["attributedTo"] = other.actor("victim") }, 202},
		"T5 author of ours":           {func(_, note map[string]any) { note["attributedTo"] = alice.Account.URI }, 202},
		"T5 no author":                {func(_, note map[string]any) { delete(note, "attributedTo") }, 202},
		"T5 two authors": {func(_, note map[string]any) {
			note["attributedTo"] = []string{other.actor("victim"), r.actor("mallory")}
		}, 202},
		"T5 post of another server":         {func(_, note map[string]any) { note["id"] = other.url("/notes/77") }, 202},
		"T6 activity of another server":     {func(create, _ map[string]any) { create["id"] = other.url("/creates/77") }, 400},
		"T6 actor of another server":        {func(create, _ map[string]any) { create["actor"] = other.actor("mallory") }, 400},
		"T7 post of ours that is there":     {func(_, note map[string]any) { note["id"] = ours.URI }, 202},
		"T7 post of ours that is not there": {func(_, note map[string]any) { note["id"] = in.Config.PublicURL + "/users/1/statuses/77" }, 202},
		"T7 activity of ours":               {func(create, _ map[string]any) { create["id"] = ours.URI + "/activity" }, 400},
		"T7 actor of ours":                  {func(create, _ map[string]any) { create["actor"] = alice.Account.URI }, 400},
	} {
		create, note := r.create(77), r.note(77)
		note["content"] = "forged"
		one.change(create, note)
		create["object"] = note
		if create["id"] == r.url("/creates/77") {
			r.n++
			create["id"] = r.url(fmt.Sprintf("/creates/t5/%d", r.n))
		}
		if got := r.sendJSON(inbox, create); got != one.status {
			t.Errorf("%s: answered %d", name, got)
		}
		net.Settle()
		for _, uri := range []string{r.url("/notes/77"), other.url("/notes/77"), in.Config.PublicURL + "/users/1/statuses/77"} {
			if known(t, in, uri) {
				t.Fatalf("%s: %s was taken", name, uri)
			}
		}
		if v, err := in.Social.PostByURI(context.Background(), alice, ours.URI); err != nil || strings.Contains(v.Post.Content, "forged") {
			t.Fatalf("%s: our own post: %v", name, err)
		}
	}
}

// T5: a personal inbox adds nobody to what an activity says: somebody else's inbox does
// not make its owner follow, be named or be asked.
func TestInboxOwnerIsNotTheTarget(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	f := map[string]any{"id": r.url("/f/1"), "type": "Follow", "actor": r.actor("mallory"), "object": bob.Account.URI}
	if got := r.sendJSON(alice.Account.InboxURI, f); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	mallory := accountOf(t, in, r.actor("mallory"))
	if follow(t, in, mallory.ID, alice.Account.ID) != nil || follow(t, in, mallory.ID, bob.Account.ID) == nil {
		t.Error("the wrong member is followed")
	}
	if got := r.sendJSON(in.Config.PublicURL+"/users/1/inbox", f); got != 202 && got != 404 {
		t.Errorf("an inbox of nobody: %d", got)
	}
}

// An address of ours with the number of somebody else's account is nobody.
func TestForeignAccountsHaveNoAddressHere(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	if other.sendJSON(in.Config.PublicURL+"/inbox", other.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	stranger := accountOf(t, in, other.actor("mallory"))
	disguised := in.Config.PublicURL + "/users/" + stranger.ID.String()
	for n, activity := range []map[string]any{{"type": "Block", "object": disguised}, {"type": "Follow", "object": disguised},
		{"type": "Flag", "object": []any{disguised}, "content": "spam"}} {
		activity["id"], activity["actor"] = r.url(fmt.Sprintf("/d/%d", n)), r.actor("mallory")
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
	}
	net.Settle()
	mallory := accountOf(t, in, r.actor("mallory"))
	if err := in.DB.View(context.Background(), func(tx social.Tx) error {
		blocks, err := tx.Blocks(context.Background(), mallory.ID, []social.ID{stranger.ID})
		if err != nil {
			return err
		}
		reports, err := tx.Reports(context.Background(), social.Page{Limit: 10})
		if blocks[stranger.ID].Blocking || len(reports) != 0 || follow(t, in, mallory.ID, stranger.ID) != nil {
			t.Errorf("%v, %d reports", blocks, len(reports))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// T18: a name has no letters that nobody sees and none that turn the writing round; a
// user name with any is refused, since it would look like another.
func TestNamesAreWhatTheySeem(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	const tricks = "\u202e\u2066\u200b\u200e\u2060\ufeff\u061c\u202a\u2069\u0007"
	mallory := r.person("mallory")
	mallory["name"] = "a" + tricks + "lice \n (colleague)"
	mallory["attachment"] = []any{map[string]any{"type": "PropertyValue", "name": "w" + tricks + "ork", "value": "x"}}
	r.docs["/users/mallory"] = mallory
	create, note := r.create(1), r.note(1)
	note["summary"], note["tag"] = "c"+tricks+"w", []any{map[string]any{"type": "Hashtag", "name": "#t" + tricks + "ag"}}
	create["object"] = note
	if r.sendJSON(in.Config.PublicURL+"/inbox", create) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	v, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%s|%s|%s|%v", v.Author.DisplayName, v.Author.Fields[0].Name, v.Post.Summary, v.Post.Tags)
	if shown != "alice (colleague)|work|cw|[tag]" {
		t.Errorf("%q", shown)
	}
	if v.Author.Acct() != "mallory@"+r.host() {
		t.Errorf("the handle %s does not tell the server", v.Author.Acct())
	}
	for n, name := range []string{"ali\u200bce", "\u202eecila", "ali\u00adce", "alice\u034f", "ali ce", "alice@" + in.Config.Domain, "<b>alice", "", strings.Repeat("a", 500)} {
		user := fmt.Sprintf("odd%d", n)
		odd := r.person(user)
		odd["preferredUsername"] = name
		r.docs["/users/"+user] = odd
		r.as(user)
		create := r.create(10 + n)
		create["actor"] = r.actor(user)
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", create); got != 401 {
			t.Errorf("%q: answered %d", name, got)
		}
	}
}

// T19: a move counts only when both accounts name each other, whoever says so and
// whatever else the target is.
func TestMoveHijack(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	bob := net.Member(in, "bob")
	inbox := in.Config.PublicURL + "/inbox"
	move := func(by, from, to string) string {
		t.Helper()
		r.as(by)
		r.n++
		activity := map[string]any{"id": r.url(fmt.Sprintf("/moves/%d", r.n)), "type": "Move", "actor": r.actor(by), "object": from, "target": to}
		if got := r.sendJSON(inbox, activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
		return accountOf(t, in, r.actor("victim")).MovedToURI
	}
	r.as("victim")
	create := r.create(1)
	create["actor"] = r.actor("victim")
	note := r.note(1)
	note["attributedTo"] = r.actor("victim")
	create["object"] = note
	if r.sendJSON(inbox, create) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	alias := other.person("mallory")
	alias["alsoKnownAs"] = r.actor("victim")
	other.docs["/users/mallory"] = alias
	victim := r.actor("victim")
	for name, to := range map[string]string{
		"said by a neighbour":      move("mallory", victim, other.actor("mallory")),
		"to one without the alias": move("victim", victim, other.actor("victim")),
		"to a member here":         move("victim", victim, bob.Account.URI),
		"to nowhere":               move("victim", victim, other.url("/nobody")),
		"to nothing":               move("victim", victim, ""),
	} {
		if to != "" {
			t.Errorf("%s: moved to %s", name, to)
		}
	}
	if to := accountOf(t, in, r.actor("mallory")).MovedToURI; to != "" {
		t.Errorf("whoever spoke for another moved to %s", to)
	}
	// The target's document is asked at its own address: one that redirects does not count.
	r.redirect("/users/away", other.actor("mallory"))
	if to := move("victim", victim, r.actor("away")); to != "" && to != other.actor("mallory") {
		t.Errorf("by a redirect: moved to %s", to)
	}
	if to := move("victim", victim, other.actor("mallory")); to != other.actor("mallory") {
		t.Errorf("a true move is not noted: %q", to)
	}
}

// T22: a handle is compared in its one form; look-alikes and foreign subjects are
// nobody.
func TestHandlesHaveOneForm(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	acct := "acct:mallory@" + r.host()
	r.fingers(map[string][2]string{acct: {acct, r.actor("mallory")}, "acct:victim@" + r.host(): {acct, r.actor("mallory")}})
	for _, handle := range []string{"@mallory@" + r.host(), "MALLORY@" + strings.ToUpper(r.host()), "mallory@" + r.host()} {
		a, err := in.Social.FindHandle(context.Background(), alice, handle)
		if err != nil || a.URI != r.actor("mallory") || a.Acct() != "mallory@"+r.host() {
			t.Errorf("%s: %v %v", handle, a, err)
		}
	}
	for _, handle := range []string{"victim@" + r.host(), "mallory@" + r.host() + ".", "mallory@me@" + r.host(), "mallory@" + r.host() + "/x",
		"mallory@" + r.host() + "?x", "m\u0430llory@" + r.host(), "mallory@127.1:" + r.host()[10:], "@" + r.host(), "mallory@xn--a.test"} {
		if a, err := in.Social.FindHandle(context.Background(), alice, handle); err == nil {
			t.Errorf("%s: found %s", handle, a.URI)
		}
	}
	finger := in.Config.PublicURL + "/.well-known/webfinger?resource="
	for resource, want := range map[string]int{"acct:alice@" + in.Config.Domain: 200, "acct:ALICE@" + strings.ToUpper(in.Config.Domain): 200,
		"acct:@alice@" + in.Config.Domain: 200, alice.Account.URI: 200, "acct:alice@else.example": 404, "acct:alice@" + in.Config.Domain + ".": 422,
		"acct:al\u0131ce@" + in.Config.Domain: 404, "alice": 422, "": 422, "acct:alice": 422, "acct:alice@xn--" + in.Config.Domain: 422} {
		if a := fetch(t, nil, "GET", finger+strings.ReplaceAll(resource, "\u0131", "%C4%B1")); a.status != want {
			t.Errorf("%q: %d, want %d", resource, a.status, want)
		}
	}
}

// B2: a look-up follows three redirects, no circles, and no more.
func TestRedirectsEnd(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	if r.sendJSON(inbox, r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	asked := map[string]int{}
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		asked[q.URL.Path]++
		for path, to := range map[string]string{"/self": "/self", "/x": "/y", "/y": "/x", "/1": "/2", "/2": "/3", "/3": "/4", "/4": "/notes/9", "/5": "/6", "/6": "/notes/8"} {
			if q.URL.Path == path {
				http.Redirect(w, q, to, http.StatusFound)
				return true
			}
		}
		return false
	})
	r.docs["/notes/8"], r.docs["/notes/9"] = r.note(8), r.note(9)
	for _, path := range []string{"/self", "/x", "/1", "/5"} {
		r.announce(t, inbox, r.url(path))
		net.Settle()
	}
	if asked["/self"] != 1 || asked["/x"]+asked["/y"] > 4 || asked["/notes/9"] != 0 {
		t.Errorf("%v", asked)
	}
	if known(t, in, r.url("/notes/9")) || !known(t, in, r.url("/notes/8")) {
		t.Error("four redirects lead on, or two do not")
	}
}

package federation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

const public = "https://www.w3.org/ns/activitystreams#Public"

// runs says by NodeInfo which software a remote runs.
func (r *remote) runs(software string) {
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		var doc map[string]any
		switch q.URL.Path {
		case "/.well-known/nodeinfo":
			doc = map[string]any{"links": []any{map[string]any{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": r.url("/nodeinfo/2.1")}}}
		case "/nodeinfo/2.1":
			doc = map[string]any{"software": map[string]any{"name": software}}
		default:
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(doc)
		return true
	})
}

// wire keeps every body that is posted to a remote.
type wire struct {
	mu    sync.Mutex
	bytes bytes.Buffer
	list  []map[string]any
}

func (r *remote) wire() *wire {
	w := &wire{}
	r.special(func(rw http.ResponseWriter, q *http.Request) bool {
		if q.Method != http.MethodPost {
			return false
		}
		body, _ := io.ReadAll(q.Body)
		var o map[string]any
		_ = json.Unmarshal(body, &o)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.bytes.Write(body)
		w.list = append(w.list, o)
		rw.WriteHeader(http.StatusAccepted)
		return true
	})
	return w
}

func (w *wire) says(word string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(w.bytes.String(), word)
}

// of lists what came of a type, and inside it of another; "" is an id alone.
func (w *wire) of(kind, inner string) (out []map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.list {
		inside := ""
		if e, ok := o["object"].(map[string]any); ok {
			inside, _ = e["type"].(string)
		}
		if o["type"] == kind && inside == inner {
			out = append(out, o)
		}
	}
	return out
}

func inZone(t *testing.T, in *instance.Instance, r *remote, z social.Zone) {
	t.Helper()
	if z.Kind == social.ZoneCompany {
		r.pairs(in, z)
		return
	}
	if err := in.Social.SetZone(t.Context(), r.host(), z, "test", "test"); err != nil {
		t.Fatal(err)
	}
}

func newGroup(t *testing.T, in *instance.Instance, owner social.Reader, n social.NewGroup) *social.Account {
	t.Helper()
	g, err := in.Social.CreateGroup(t.Context(), owner, n)
	if err != nil {
		t.Fatal(err)
	}
	return g.Account
}

// asks sends a Follow of mallory's.
func (r *remote) asks(t *testing.T, net *instancetest.Network, in *instance.Instance, target, id string) {
	t.Helper()
	r.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/follows/" + id), "type": "Follow", "actor": r.actor("mallory"), "object": target})
}

// into is a note of mallory's into a group.
func (r *remote) into(id, group string, more ...any) map[string]any {
	n := r.note(0)
	n["id"], n["to"], n["audience"], n["content"] = r.url("/notes/"+id), append([]any{group}, more...), group, "words of "+id
	return n
}

// Who may join is asked of the member's server too, and asked again each time.
func TestWhoMayJoinAGroup(t *testing.T) {
	partner := social.Zone{Kind: social.ZonePartner, Name: "acme"}
	for _, c := range []struct {
		zone         social.Zone
		widest, join string
		answer       string
	}{
		{social.Zone{Kind: social.ZoneCompany}, "company", "open", "Accept"},
		{social.Zone{Kind: social.ZoneCompany}, "instance", "open", "Reject"},
		{social.Zone{Kind: social.ZoneCompany}, "company", "request", ""},
		{social.Zone{Kind: social.ZoneCompany}, "company", "closed", "Reject"},
		{partner, "company", "open", "Reject"},
		{partner, "partner:acme", "open", "Accept"},
		{partner, "partner:globex", "open", "Reject"},
		{partner, "public", "open", "Accept"},
		{social.Zone{Kind: social.ZonePublic}, "partner:acme", "request", "Reject"},
		{social.Zone{Kind: social.ZonePublic}, "public", "open", "Accept"},
	} {
		t.Run(c.zone.String()+" "+c.widest+" "+c.join, func(t *testing.T) {
			in, r, net := admitted(t, "")
			inZone(t, in, r, c.zone)
			w := r.wire()
			g := newGroup(t, in, net.Member(in, "alice"), social.NewGroup{Name: "club", Widest: c.widest, Join: c.join})
			r.asks(t, net, in, g.URI, "1")
			for _, kind := range []string{"Accept", "Reject"} {
				if n := len(w.of(kind, "Follow")); (n == 1) != (kind == c.answer) {
					t.Errorf("%d times %s", n, kind)
				}
			}
		})
	}
}

// A partner's server gets what its members may read while they are members and it is
// within the widest zone: at the very next attempt nothing more, but what takes back.
func TestWhoIsNoMemberAnyMoreGetsNothing(t *testing.T) {
	acme, public := social.Zone{Kind: social.ZonePartner, Name: "acme"}, social.Zone{Kind: social.ZonePublic}
	for name, end := range map[string]func(t *testing.T, in *instance.Instance, r *remote, net *instancetest.Network, owner social.Reader, g *social.Account){
		"removed": func(t *testing.T, in *instance.Instance, r *remote, _ *instancetest.Network, owner social.Reader, g *social.Account) {
			if err := in.Social.RemoveMember(t.Context(), owner, g.ID, accountOf(t, in, r.actor("mallory")).ID); err != nil {
				t.Fatal(err)
			}
		},
		"another zone": func(t *testing.T, in *instance.Instance, r *remote, _ *instancetest.Network, _ social.Reader, _ *social.Account) {
			inZone(t, in, r, public)
		},
		"narrower group": func(t *testing.T, in *instance.Instance, _ *remote, _ *instancetest.Network, owner social.Reader, g *social.Account) {
			narrow := "company"
			if _, err := in.Social.UpdateGroup(t.Context(), owner, g.ID, social.GroupChange{Widest: &narrow}); err != nil {
				t.Fatal(err)
			}
		},
		"the policy": func(t *testing.T, in *instance.Instance, _ *remote, _ *instancetest.Network, _ social.Reader, _ *social.Account) {
			if err := in.Social.SetPolicy(t.Context(), "", map[string]string{"groups.widest": "company"}); err != nil {
				t.Fatal(err)
			}
		},
		"left": func(t *testing.T, in *instance.Instance, r *remote, net *instancetest.Network, _ social.Reader, g *social.Account) {
			r.sendJSON(in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/undos/1"), "type": "Undo", "actor": r.actor("mallory"),
				"object": map[string]any{"id": r.url("/follows/1"), "type": "Follow", "actor": r.actor("mallory"), "object": g.URI}})
			net.Settle()
		},
		"closed for good": func(t *testing.T, in *instance.Instance, _ *remote, _ *instancetest.Network, owner social.Reader, g *social.Account) {
			if err := in.Social.DeleteGroup(t.Context(), owner, g.ID); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in, r, net := admitted(t, "")
			inZone(t, in, r, acme)
			r.runs("lemmy")
			w := r.wire()
			alice := net.Member(in, "alice")
			g := newGroup(t, in, alice, social.NewGroup{Name: "club", Widest: "partner:acme"})
			r.asks(t, net, in, g.URI, "1")
			had := publish(t, in, alice, social.Draft{Text: "sparrow", Audience: "group:club"})
			net.Settle()
			if !w.says("sparrow") || len(w.of("Announce", "Create")) != 1 {
				t.Fatal("a member's server got nothing")
			}
			queued := publish(t, in, alice, social.Draft{Text: "canary one", Audience: "group:club"})
			end(t, in, r, net, alice, g)
			net.Settle()
			if name != "closed for good" {
				publish(t, in, alice, social.Draft{Text: "canary two", Audience: "group:club"})
			}
			if _, err := in.Social.Edit(t.Context(), alice, had.ID, social.Draft{Text: "canary three"}); err != nil {
				t.Fatal(err)
			}
			net.Settle()
			if got := fetch(t, r, "GET", queued.URI); got.status != 404 || strings.Contains(got.body, "canary") {
				t.Errorf("fetching answers %d %s", got.status, got.body)
			}
			if name != "left" && w.says("canary") || w.says("canary two") || w.says("canary three") {
				t.Error("a server without members got more")
			}
			if _, err := in.Social.Delete(t.Context(), alice, had.ID); err != nil {
				t.Fatal(err)
			}
			net.Settle()
			if len(w.of("Delete", "Tombstone")) == 0 {
				t.Error("what it had was not taken back")
			}
		})
	}
}

// Of a public group too, which everybody may read, only servers of members are sent
// what is said in it.
func TestAPublicGroupIsSentToMembersAlone(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	r.runs("lemmy")
	w := r.wire()
	alice := net.Member(in, "alice")
	g := newGroup(t, in, alice, social.NewGroup{Name: "news", Widest: "public"})
	r.asks(t, net, in, g.URI, "1")
	publish(t, in, alice, social.Draft{Text: "sparrow", Audience: "group:news"})
	net.Settle()
	publish(t, in, alice, social.Draft{Text: "canary", Audience: "group:news"})
	if err := in.Social.RemoveMember(t.Context(), alice, g.ID, accountOf(t, in, r.actor("mallory")).ID); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if !w.says("sparrow") || w.says("canary") {
		t.Error("who was removed is still sent what is said")
	}
}

// Servers that read groups get every activity whole; all others one share of each thread.
func TestOneShareForEachThread(t *testing.T) {
	in, mastodon, net := admitted(t, social.ZonePublic)
	lemmy := second(t, in, social.ZonePublic)
	mastodon.runs("mastodon")
	lemmy.runs("lemmy")
	toots, posts := mastodon.wire(), lemmy.wire()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	g := newGroup(t, in, alice, social.NewGroup{Name: "news", Widest: "public"})
	for _, r := range []*remote{mastodon, lemmy} {
		r.asks(t, net, in, g.URI, "1")
	}
	if _, err := in.Social.Join(t.Context(), bob, g.ID, true); err != nil {
		t.Fatal(err)
	}
	root := publish(t, in, alice, social.Draft{Text: "root", Audience: "group:news"})
	reply := publish(t, in, bob, social.Draft{Text: "reply", InReplyTo: root.ID})
	publish(t, in, alice, social.Draft{Text: "reply to it", InReplyTo: reply.ID})
	net.Settle()
	if root.Audience.Kind != social.AudiencePublic || reply.GroupID != g.ID {
		t.Fatalf("%+v %+v", root.Audience, reply)
	}
	if n, m := len(toots.of("Announce", "")), len(toots.of("Announce", "Create")); n != 1 || m != 0 {
		t.Errorf("Mastodon got %d shares and %d activities", n, m)
	}
	if n, m := len(posts.of("Announce", "")), len(posts.of("Announce", "Create")); n != 0 || m != 3 {
		t.Errorf("Lemmy got %d shares and %d activities", n, m)
	}
	share := toots.of("Announce", "")[0]
	if share["object"] != root.URI || share["actor"] != g.URI {
		t.Errorf("%v", share)
	}
	inner := posts.of("Announce", "Create")[0]["object"].(map[string]any)
	note := inner["object"].(map[string]any)
	for _, o := range []map[string]any{inner, note} {
		to, _ := o["to"].([]any)
		if o["audience"] != g.URI || len(to) != 2 || to[0] != public || to[1] != g.URI {
			t.Errorf("audience %v, to %v", o["audience"], o["to"])
		}
	}
	if got := fetch(t, lemmy, "GET", g.URI); got.doc["type"] != "Group" || got.doc["attributedTo"] != g.URI+"/moderators" || got.doc["audience"] != public {
		t.Errorf("%s", got.body)
	}
	if got := fetch(t, lemmy, "GET", g.URI+"/moderators"); got.status != 200 || !strings.Contains(got.body, alice.Account.URI) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if _, err := in.Social.Delete(t.Context(), alice, root.ID); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if len(posts.of("Announce", "Delete")) != 1 || len(toots.of("Undo", "Announce")) != 1 || len(toots.of("Delete", "Tombstone")) != 1 {
		t.Errorf("Lemmy got %d announced deletions, Mastodon took back %d shares and %d posts", len(posts.of("Announce", "Delete")),
			len(toots.of("Undo", "Announce")), len(toots.of("Delete", "Tombstone")))
	}
}

// Only members of admitted servers write into a group of ours.
func TestOnlyMembersWriteIntoAGroup(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	inbox := in.Config.PublicURL + "/inbox"
	alice := net.Member(in, "alice")
	other := second(t, in, social.ZoneCompany)
	w := other.wire()
	g := newGroup(t, in, alice, social.NewGroup{Name: "club"})
	other.asks(t, net, in, g.URI, "1")
	r.arrive(t, net, inbox, r.said("a", r.into("a", g.URI)))
	if known(t, in, r.url("/notes/a")) {
		t.Error("who is no member wrote into the group")
	}
	r.arrive(t, net, inbox, r.said("b", r.into("b", g.URI, public)))
	r.asks(t, net, in, g.URI, "1")
	r.arrive(t, net, inbox, r.said("c", r.into("c", g.URI)))
	posts, err := in.Social.GroupPosts(t.Context(), alice, g.ID, social.Page{})
	if err != nil || len(posts) != 1 || posts[0].Post.URI != r.url("/notes/c") {
		t.Errorf("the group holds %v: %v", posts, err)
	}
	if got := w.of("Announce", "Create"); len(got) != 1 || w.says("words of a") || w.says("words of b") {
		t.Errorf("handed on: %v", got)
	}
	// A member whose server changed its zone is none at the very next word.
	inZone(t, in, r, social.Zone{Kind: social.ZonePublic})
	r.arrive(t, net, inbox, r.said("d", r.into("d", g.URI)))
	if known(t, in, r.url("/notes/d")) || w.says("words of d") {
		t.Error("a member outside the widest zone wrote into the group")
	}
}

// community makes mallory's server one with a group, as Lemmy writes it, whose member
// alice is.
func (r *remote) community(t *testing.T, in *instance.Instance, net *instancetest.Network, alice social.Reader, name string) (uri string) {
	t.Helper()
	uri = r.actor(name)
	doc := r.person(name)
	doc["type"], doc["postingRestrictedToMods"], doc["attributedTo"] = "Group", false, uri+"/moderators"
	doc["publicKey"] = map[string]any{"id": uri + "#main-key", "owner": uri, "publicKeyPem": string(r.public)}
	r.docs["/users/"+name] = doc
	a, _, err := in.Federation.FindURL(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Join(t.Context(), alice, a.ID, true); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	f := follow(t, in, alice.Account.ID, a.ID)
	r.says(name, func() {
		r.arrive(t, net, alice.Account.InboxURI, map[string]any{"id": r.url("/accepts/" + name), "type": "Accept", "actor": uri,
			"object": map[string]any{"id": f.URI, "type": "Follow", "actor": alice.Account.URI, "object": uri}})
	})
	if f = follow(t, in, alice.Account.ID, a.ID); f == nil || f.State != social.FollowAccepted {
		t.Fatal("alice did not become a member")
	}
	return uri
}

// says signs as another actor for a moment.
func (r *remote) says(name string, do func()) {
	was := r.key.ID
	r.as(name)
	do()
	r.key.ID = was
}

// announces wraps an activity, as a group.
func (r *remote) announces(t *testing.T, in *instance.Instance, net *instancetest.Network, name, id string, inner map[string]any) {
	t.Helper()
	r.says(name, func() {
		r.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/announces/" + id), "type": "Announce", "actor": r.actor(name),
			"to": []any{public}, "cc": []any{r.actor(name) + "/followers"}, "object": inner})
	})
}

func view(in *instance.Instance, r social.Reader, uri string) *social.Post {
	v, err := in.Social.PostByURI(context.Background(), r, uri)
	if err != nil {
		return nil
	}
	return v.Post
}

// What a community of Lemmy's announces is read, and one can write into it.
func TestACommunityElsewhere(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	w := r.wire()
	alice := net.Member(in, "alice")
	uri := r.community(t, in, net, alice, "main")
	page := r.into("page", uri, public)
	page["type"], page["name"] = "Page", "A title"
	r.announces(t, in, net, "main", "1", r.said("page", page))
	p := view(in, alice, r.url("/notes/page"))
	if p == nil || p.GroupID == 0 || p.Via != "" || p.Audience.Kind != social.AudiencePublic || p.Title != "A title" {
		t.Fatalf("%+v", p)
	}
	if home, err := in.Social.Home(t.Context(), alice, social.Page{}); err != nil || len(home) != 1 {
		t.Errorf("%v %v", home, err)
	}
	// The share for Mastodon beside it is no second post.
	r.says("main", func() {
		r.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/shares/1"), "type": "Announce", "actor": uri, "to": []any{public}, "object": p.URI})
	})
	if home, err := in.Social.Home(t.Context(), alice, social.Page{}); err != nil || len(home) != 1 || view(in, alice, r.url("/shares/1")) != nil {
		t.Errorf("%v %v", home, err)
	}
	reply := publish(t, in, alice, social.Draft{Text: "an answer", InReplyTo: p.ID})
	own := publish(t, in, alice, social.Draft{Text: "my own", Audience: "group:main@" + r.host()})
	net.Settle()
	if got := w.of("Create", "Note"); len(got) != 3 || got[0]["audience"] != uri || reply.GroupID != p.GroupID || own.GroupID != p.GroupID {
		t.Errorf("%v", got)
	}
	// Edits and deletions come the same way.
	page["content"], page["updated"] = "better words", time.Now().UTC().Format(time.RFC3339)
	update := map[string]any{"id": r.url("/updates/1"), "type": "Update", "actor": r.actor("mallory"), "object": page}
	r.announces(t, in, net, "main", "2", update)
	if p = view(in, alice, p.URI); p == nil || !strings.Contains(p.Content, "better words") {
		t.Errorf("%+v", p)
	}
	r.announces(t, in, net, "main", "3", map[string]any{"id": r.url("/deletes/1"), "type": "Delete", "actor": r.actor("mallory"), "object": page["id"]})
	if view(in, alice, r.url("/notes/page")) != nil {
		t.Error("the page is still there")
	}
}

// A group announces only what stands in it, and vouches only for posts of third servers
// that are no sisters; never for ours, nor over what came from its origin.
func TestWhatAGroupMayVouchFor(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	uri := r.community(t, in, net, alice, "main")
	foreign := r.actor("others") // a group here that nobody belongs to
	doc := r.person("others")
	doc["type"] = "Group"
	r.docs["/users/others"] = doc
	if _, _, err := in.Federation.FindURL(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	third, sister, blocked := newRemote(t), second(t, in, social.ZoneCompany), second(t, in, social.ZoneBlocked)

	r.announces(t, in, net, "main", "third", third.said("third", third.into("third", uri, public)))
	p := view(in, alice, third.url("/notes/third"))
	if p == nil || p.Via != r.host() || p.GroupID == 0 {
		t.Fatalf("a post of a third server: %+v", p)
	}
	if n := third.fetches.Load(); n != 0 {
		t.Errorf("a server that is not admitted was asked %d times", n)
	}
	// Who vouched for it may change it and take it away.
	changed := third.into("third", uri, public)
	changed["content"], changed["updated"] = "changed", time.Now().UTC().Format(time.RFC3339)
	r.announces(t, in, net, "main", "changed", map[string]any{"id": third.url("/updates/1"), "type": "Update", "actor": third.actor("mallory"), "object": changed})
	if p = view(in, alice, p.URI); p == nil || p.Content != "<p>changed</p>" && !strings.Contains(p.Content, "changed") {
		t.Errorf("%+v", p)
	}

	for name, inner := range map[string]map[string]any{
		"another group's":     third.said("x1", third.into("x1", foreign, public)),
		"to no group":         third.said("x2", third.into("x2", third.actor("victim"))),
		"a sister's":          sister.said("x3", sister.into("x3", uri, public)),
		"a blocked server's":  blocked.said("x4", blocked.into("x4", uri, public)),
		"of another's author": third.said("x5", with(third.into("x5", uri, public), "attributedTo", sister.actor("mallory"))),
		"an id of ours":       third.said("x6", with(third.into("x6", uri, public), "id", in.Config.PublicURL+"/users/1/statuses/2")),
		"an author of ours":   third.said("x7", with(third.into("x7", uri, public), "attributedTo", alice.Account.URI)),
	} {
		r.announces(t, in, net, "main", strings.ReplaceAll(name, " ", "-"), inner)
		note := inner["object"].(map[string]any)
		if known(t, in, note["id"].(string)) {
			t.Errorf("%s post was taken", name)
		}
	}
	r.announces(t, in, net, "others", "nobodys", third.said("x8", third.into("x8", foreign, public)))
	if known(t, in, third.url("/notes/x8")) {
		t.Error("a group that nobody here belongs to was heard")
	}
	// By a person the same is no vouching.
	r.announces(t, in, net, "mallory", "persons", third.said("x9", third.into("x9", uri, public)))
	if known(t, in, third.url("/notes/x9")) {
		t.Error("a person vouched")
	}
	// A sister's post with its author's proof is taken, and not as vouched.
	key := sister.proves("prover")
	note := with(sister.into("proved", uri, public), "attributedTo", sister.actor("prover"))
	var inner map[string]any
	if err := json.Unmarshal(proven(t, sister.said("proved", note), key, time.Now()), &inner); err != nil {
		t.Fatal(err)
	}
	r.announces(t, in, net, "main", "proved", inner)
	if p := view(in, alice, sister.url("/notes/proved")); p == nil || p.Via != "" {
		t.Fatalf("%+v", p)
	}
	// What came proved or from its origin the group neither changes nor takes away.
	note["content"], note["updated"] = "forged", time.Now().UTC().Format(time.RFC3339)
	for id, said := range map[string]map[string]any{
		"forged":  {"id": sister.url("/updates/2"), "type": "Update", "actor": sister.actor("prover"), "object": note},
		"deleted": {"id": sister.url("/deletes/2"), "type": "Delete", "actor": sister.actor("prover"), "object": note["id"]},
	} {
		sister.docs["/notes/proved"] = with(sister.into("proved", uri, public), "attributedTo", sister.actor("prover"))
		r.announces(t, in, net, "main", id, said)
		if p := view(in, alice, sister.url("/notes/proved")); p == nil || strings.Contains(p.Content, "forged") {
			t.Errorf("%s: %+v", id, p)
		}
	}
	// Nor does it put words into the mouth of a member here, or take them out.
	own := publish(t, in, alice, social.Draft{Text: "mine", Audience: "public"})
	r.announces(t, in, net, "main", "ours", map[string]any{"id": r.url("/deletes/9"), "type": "Delete", "actor": alice.Account.URI, "object": own.URI})
	if view(in, alice, own.URI) == nil {
		t.Error("a group elsewhere deleted a post of ours")
	}
}

// with copies an object and sets a member.
func with(o map[string]any, key string, v any) map[string]any {
	c := map[string]any{}
	for k, old := range o {
		c[k] = old
	}
	c[key] = v
	return c
}

// What its owner added to a thread, its owner takes back, and nobody else who did not
// write it.
func TestOnlyWhoHandedItOnTakesItBack(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	other, third := second(t, in, social.ZoneCompany), newRemote(t)
	alice := net.Member(in, "alice")
	r.speaks()
	other.speaks()
	say := func(by *remote, actor string, activity map[string]any) {
		t.Helper()
		by.n++
		by.key.ID = actor + "#main-key"
		activity["id"], activity["actor"] = by.url(fmt.Sprintf("/said/%d", by.n)), actor
		by.arrive(t, net, in.Config.PublicURL+"/inbox", activity)
	}
	to := []any{r.url("/audiences/company")}
	say(r, r.actor("mallory"), map[string]any{"type": "Create", "object": with(r.note(1), "to", to)})
	reply := third.note(9)
	reply["to"], reply["inReplyTo"] = to, r.url("/notes/1")
	say(r, r.url("/actor"), map[string]any{"type": "Add", "object": third.said("9", reply), "target": r.url("/contexts/1"), "to": to})
	takeBack := func(by *remote, actor, uri string) {
		t.Helper()
		say(by, actor, map[string]any{"type": "Delete", "takenBack": true, "object": map[string]any{"type": "Tombstone", "id": uri}})
	}
	takeBack(r, r.actor("mallory"), third.url("/notes/9"))
	takeBack(other, other.url("/actor"), third.url("/notes/9"))
	takeBack(r, r.url("/actor"), r.url("/notes/1")) // mallory's own, which nobody handed on
	for _, uri := range []string{third.url("/notes/9"), r.url("/notes/1")} {
		if view(in, alice, uri) == nil {
			t.Errorf("%s was taken back by somebody else", uri)
		}
	}
	takeBack(r, r.url("/actor"), third.url("/notes/9"))
	if known(t, in, third.url("/notes/9")) {
		t.Error("its owner could not take it back")
	}
}

// What a group handed on it takes back, and no other group.
func TestOnlyItsGroupTakesAPostBack(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	alice := net.Member(in, "alice")
	third := newRemote(t)
	groups := map[string]string{"main": r.community(t, in, net, alice, "main"), "others": r.community(t, in, net, alice, "others")}
	uri := third.url("/notes/third")
	r.announces(t, in, net, "main", "third", third.said("third", third.into("third", groups["main"])))
	takeBack := func(group string) {
		t.Helper()
		r.says(group, func() {
			r.arrive(t, net, alice.Account.InboxURI, map[string]any{"id": r.url("/deletes/" + group), "type": "Delete", "actor": groups[group],
				"takenBack": true, "object": map[string]any{"type": "Tombstone", "id": uri}})
		})
	}
	takeBack("others")
	if view(in, alice, uri) == nil {
		t.Fatal("another group took it back, or it never came")
	}
	takeBack("main")
	if known(t, in, uri) {
		t.Error("its group could not take it back")
	}
}

// Only the owner of a thread adds to it, only a sister's word counts in it, and only for
// servers that are no sisters.
func TestOnlyItsOwnerAddsToAThread(t *testing.T) {
	for _, c := range []struct {
		name       string
		owner      social.ZoneKind
		by         string // who adds
		third      bool   // the reply is of a third server, else of another sister
		elsewhere  bool   // somebody else's thread
		unknown    string // for whom the owner says it is, where the thread is not here
		taken, via bool
	}{
		{name: "a sister for a third server", owner: social.ZoneCompany, by: "owner", third: true, taken: true, via: true},
		{name: "a sister for another sister", owner: social.ZoneCompany, by: "owner"},
		{name: "a partner for a third server", owner: social.ZonePartner, by: "owner", third: true},
		{name: "a person", owner: social.ZoneCompany, by: "mallory", third: true},
		{name: "another sister", owner: social.ZoneCompany, by: "other", third: true},
		{name: "into a thread of ours", owner: social.ZoneCompany, by: "owner", third: true, elsewhere: true},
		{name: "what is answered comes later", owner: social.ZoneCompany, by: "owner", third: true, unknown: "/audiences/company", taken: true, via: true},
		{name: "what is answered comes later, from another sister", owner: social.ZoneCompany, by: "other", third: true, unknown: "/audiences/company"},
		{name: "for everybody", owner: social.ZoneCompany, by: "owner", third: true, unknown: public},
		{name: "for one person", owner: social.ZoneCompany, by: "owner", third: true, unknown: "/users/mallory"},
		{name: "for who follows a person of hers", owner: social.ZoneCompany, by: "owner", third: true, unknown: "/users/mallory/followers", taken: true, via: true},
		{name: "for who follows somebody unknown", owner: social.ZoneCompany, by: "owner", third: true, unknown: "/users/nobody/followers"},
		{name: "for who follows a person of ours", owner: social.ZoneCompany, by: "owner", third: true, unknown: "ours"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, r, net := admitted(t, "")
			inZone(t, in, r, social.Zone{Kind: c.owner, Name: map[social.ZoneKind]string{social.ZonePartner: "acme"}[c.owner]})
			other, third := second(t, in, social.ZoneCompany), newRemote(t)
			alice := net.Member(in, "alice")
			r.speaks().as("mallory")
			other.speaks()
			root := with(r.note(1), "to", []any{r.url("/audiences/company")})
			r.arrive(t, net, in.Config.PublicURL+"/inbox", r.said("root", root))
			answered := root["id"].(string)
			if view(in, alice, answered) == nil {
				t.Fatal("the thread is not here")
			}
			if c.elsewhere {
				answered = publish(t, in, alice, social.Draft{Text: "ours", Audience: "company"}).URI
			}
			to := r.url("/audiences/company")
			if c.unknown != "" {
				mallory := accountOf(t, in, r.actor("mallory"))
				if _, err := in.Social.Follow(t.Context(), alice, mallory.ID, social.FollowOptions{}); err != nil {
					t.Fatal(err)
				}
				r.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/accepts/1"), "type": "Accept",
					"actor": r.actor("mallory"), "object": follow(t, in, alice.Account.ID, mallory.ID).URI})
				answered, to = r.url("/notes/2"), c.unknown
				switch {
				case to == "ours":
					to = alice.Account.FollowersURI
				case strings.HasPrefix(to, "/"):
					to = r.url(to)
				}
			}
			author := other
			if c.third {
				author = third
			}
			reply := with(with(author.note(9), "to", []any{to}), "inReplyTo", answered)
			sender, actor := r, r.url("/actor")
			switch c.by {
			case "mallory":
				actor = r.actor("mallory")
			case "other":
				sender, actor = other, other.url("/actor")
			}
			sender.key.ID = actor + "#main-key"
			sender.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": sender.url("/adds/1"), "type": "Add", "actor": actor,
				"object": author.said("9", reply), "target": r.url("/contexts/1"), "to": []any{to}})
			p := view(in, alice, author.url("/notes/9"))
			if (p != nil) != c.taken || p != nil && (p.Via == r.host()) != c.via {
				t.Errorf("taken: %+v", p)
			}
			if p == nil && known(t, in, author.url("/notes/9")) {
				t.Error("it is kept")
			}
		})
	}
}

// Who cannot read a thread of ours has no place in it: what they answer there, knowing
// its address, goes no further.
func TestAStrangersReplyIsNotHandedOn(t *testing.T) {
	in, stranger, net := admitted(t, social.ZonePublic)
	sister, other := second(t, in, social.ZoneCompany), second(t, in, social.ZoneCompany)
	w := sister.wire()
	alice := net.Member(in, "alice")
	sister.asks(t, net, in, alice.Account.URI, "1")
	root := publish(t, in, alice, social.Draft{Text: "among sisters", Audience: "company"})
	net.Settle()
	if !w.says("among sisters") {
		t.Fatal("a sister got nothing")
	}
	for id, r := range map[string]*remote{"stranger": stranger, "sister": other} {
		note := with(with(r.note(5), "to", []any{in.Config.PublicURL + "/audiences/company"}), "inReplyTo", root.URI)
		note["content"], note["published"] = "words of a "+id, time.Now().UTC().Format(time.RFC3339Nano) // since the sister joined
		r.arrive(t, net, in.Config.PublicURL+"/inbox", r.said("5", note))
	}
	if w.says("words of a stranger") || !w.says("words of a sister") || len(w.of("Add", "Create")) != 1 {
		t.Errorf("handed on: %v", w.of("Add", "Create"))
	}
}

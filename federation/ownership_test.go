package federation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// party owns something that mallory tries to change.
type party struct {
	name   string
	server *remote // nil: a member here
	user   string
	uri    string
}

// estate is an instance that knows posts, likes and follows of four parties.
type estate struct {
	*testing.T
	in      *instance.Instance
	net     *instancetest.Network
	r       *remote // mallory's
	alice   social.Reader
	bob     social.Reader
	parties []party
	n       int
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	in, r, net := admitted(t, social.ZonePublic)
	other := second(t, in, social.ZonePublic)
	e := &estate{T: t, in: in, net: net, r: r, alice: net.Member(in, "alice"), bob: net.Member(in, "bob")}
	e.parties = []party{{"owner", r, "mallory", r.actor("mallory")}, {"same host", r, "victim", r.actor("victim")},
		{"other host", other, "mallory", other.actor("mallory")}, {"local", nil, "", e.alice.Account.URI}}
	target := other.person("target")
	var names []string
	for _, p := range e.parties {
		names = append(names, p.uri)
		if p.server != nil {
			e.post(p) // now its author is known
		}
	}
	target["alsoKnownAs"] = names
	other.docs["/users/target"] = target
	return e
}

// say sends an activity, signed by an actor of a remote.
func (e *estate) say(r *remote, user string, activity map[string]any) {
	e.Helper()
	e.n++
	r.as(user)
	activity["id"] = r.url(fmt.Sprintf("/say/%d", e.n))
	if activity["actor"] == nil {
		activity["actor"] = r.actor(user)
	}
	if got := r.sendJSON(e.in.Config.PublicURL+"/inbox", activity); got != 202 && got != 400 && got != 401 {
		e.Errorf("%v is answered %d", activity["type"], got)
	}
	e.net.Settle()
}

// post makes a post of a party that is known here and served by its own server.
func (e *estate) post(p party) string {
	e.Helper()
	if p.server == nil {
		return publish(e.T, e.in, e.alice, social.Draft{Text: "original", Audience: "public"}).URI
	}
	e.n++
	note := p.server.note(e.n)
	note["attributedTo"], note["content"] = p.uri, "original"
	p.server.docs[fmt.Sprintf("/notes/%d", e.n)] = note
	e.say(p.server, p.user, map[string]any{"type": "Create", "object": note})
	uri := note["id"].(string)
	if !known(e.T, e.in, uri) {
		e.Fatalf("%s: no post", p.name)
	}
	return uri
}

func (e *estate) view(read func(ctx context.Context, tx social.Tx) error) {
	e.Helper()
	if err := e.in.DB.View(context.Background(), func(tx social.Tx) error { return read(context.Background(), tx) }); err != nil {
		e.Fatal(err)
	}
}

func (e *estate) account(p party) (a *social.Account) {
	e.view(func(ctx context.Context, tx social.Tx) (err error) { a, err = tx.AccountByURI(ctx, p.uri); return err })
	return a
}

func (e *estate) stored(uri string) (p *social.Post) {
	e.view(func(ctx context.Context, tx social.Tx) (err error) { p, err = tx.PostByURI(ctx, uri); return err })
	return p
}

// forged is a party's post as mallory would have it.
func forged(p party, uri string) map[string]any {
	return map[string]any{"id": uri, "type": "Note", "attributedTo": p.uri, "content": "forged", "to": "https://www.w3.org/ns/activitystreams#Public",
		"updated": time.Now().UTC().Format(time.RFC3339)}
}

// attempt is what mallory does with what a party owns; it says whether that changed.
type attempt func(e *estate, p party) bool

// likes says whether somebody likes a post.
func (e *estate) likes(uri string, by *social.Account) bool {
	found := false
	e.view(func(ctx context.Context, tx social.Tx) error {
		p, err := tx.PostByURI(ctx, uri)
		if err != nil {
			return err
		}
		people, _, err := tx.FavouritersOf(ctx, p.ID, social.Page{Limit: 100})
		for _, a := range people {
			found = found || a.ID == by.ID
		}
		return err
	})
	return found
}

func (e *estate) pinned(uri string) (yes bool) {
	e.view(func(ctx context.Context, tx social.Tx) error {
		p, err := tx.PostByURI(ctx, uri)
		if err != nil {
			return err
		}
		marks, err := tx.Marks(ctx, p.AuthorID, []social.ID{p.ID})
		yes = marks[p.ID].Pinned
		return err
	})
	return yes
}

func (e *estate) pin(uri string) {
	p := e.stored(uri)
	if err := e.in.DB.Tx(context.Background(), func(tx social.Tx) error {
		_, err := tx.SetPin(context.Background(), p.AuthorID, p.ID, true, time.Now())
		return err
	}); err != nil {
		e.Fatal(err)
	}
}

// askToFollow lets a new member ask to follow a party, and answers the request.
func (e *estate) askToFollow(p party) (social.Reader, *social.Follow) {
	e.Helper()
	ctx := context.Background()
	target := e.account(p)
	if p.server == nil {
		locked := true
		if _, err := e.in.Social.UpdateProfile(ctx, e.alice, social.ProfileChange{Locked: &locked}); err != nil {
			e.Fatal(err)
		}
	}
	e.n++
	fan := e.net.Member(e.in, fmt.Sprintf("fan%d", e.n))
	if _, err := e.in.Social.Follow(ctx, fan, target.ID, social.FollowOptions{}); err != nil {
		e.Fatal(err)
	}
	f := follow(e.T, e.in, fan.Account.ID, target.ID)
	if f == nil || f.State != social.FollowPending {
		e.Fatalf("%s: %+v", p.name, f)
	}
	return fan, f
}

func (e *estate) reports() int {
	n := 0
	e.view(func(ctx context.Context, tx social.Tx) error {
		list, err := tx.Reports(ctx, social.Page{Limit: 100})
		n = len(list)
		return err
	})
	return n
}

func answerFollow(verb string) attempt {
	return func(e *estate, p party) bool {
		fan, f := e.askToFollow(p)
		whole := map[string]any{"id": f.URI, "type": "Follow", "actor": fan.Account.URI, "object": p.uri}
		for _, object := range []any{f.URI, whole} {
			e.say(e.r, "mallory", map[string]any{"type": verb, "object": object})
		}
		now := follow(e.T, e.in, fan.Account.ID, e.account(p).ID)
		return now == nil || now.State != social.FollowPending
	}
}

// attempts of mallory, by verb.
var attempts = map[string]attempt{
	"Create": func(e *estate, p party) bool {
		e.n++
		uri := e.in.Config.PublicURL + fmt.Sprintf("/users/%d/statuses/%d", e.alice.Account.ID, e.n)
		if p.server != nil {
			uri = p.server.url(fmt.Sprintf("/unpublished/%d", e.n))
		}
		e.say(e.r, "mallory", map[string]any{"type": "Create", "object": forged(p, uri)})
		return known(e.T, e.in, uri)
	},
	"Update": func(e *estate, p party) bool {
		uri := e.post(p)
		stolen := forged(p, uri)
		stolen["attributedTo"] = e.r.actor("mallory")
		for _, object := range []map[string]any{stolen, forged(p, uri)} {
			e.say(e.r, "mallory", map[string]any{"type": "Update", "object": object})
		}
		return strings.Contains(e.stored(uri).Content, "forged")
	},
	"Delete": func(e *estate, p party) bool {
		uri := e.post(p)
		e.say(e.r, "mallory", map[string]any{"type": "Delete", "object": uri})
		e.say(e.r, "mallory", map[string]any{"type": "Delete", "object": map[string]any{"type": "Tombstone", "id": uri}})
		return e.stored(uri).Deleted()
	},
	"Undo": func(e *estate, p party) bool {
		liked := publish(e.T, e.in, e.bob, social.Draft{Text: "likeable", Audience: "public"})
		like := map[string]any{"type": "Like", "actor": p.uri, "object": liked.URI}
		if p.server == nil {
			if _, err := e.in.Social.Favourite(context.Background(), e.alice, liked.ID, true); err != nil {
				e.Fatal(err)
			}
		} else {
			e.say(p.server, p.user, like) // gives it its id
		}
		if !e.likes(liked.URI, e.account(p)) {
			e.Fatalf("%s: no like", p.name)
		}
		if like["id"] != nil {
			e.say(e.r, "mallory", map[string]any{"type": "Undo", "object": like["id"]})
		}
		e.say(e.r, "mallory", map[string]any{"type": "Undo", "object": like})
		return !e.likes(liked.URI, e.account(p))
	},
	"Announce": func(e *estate, p party) bool {
		uri := e.post(p)
		e.say(e.r, "mallory", map[string]any{"type": "Announce", "object": forged(p, uri), "to": "https://www.w3.org/ns/activitystreams#Public"})
		e.say(e.r, "mallory", map[string]any{"type": "Announce", "object": map[string]any{"id": p.uri + "#u", "type": "Update", "actor": p.uri, "object": forged(p, uri)}})
		return strings.Contains(e.stored(uri).Content, "forged")
	},
	"Like": func(e *estate, p party) bool {
		liked := publish(e.T, e.in, e.bob, social.Draft{Text: "likeable", Audience: "public"})
		e.say(e.r, "mallory", map[string]any{"type": "Like", "actor": p.uri, "object": liked.URI})
		return e.likes(liked.URI, e.account(p))
	},
	"Add": func(e *estate, p party) bool {
		uri := e.post(p)
		e.say(e.r, "mallory", map[string]any{"type": "Add", "object": uri, "target": p.uri + "/featured"})
		e.say(e.r, "mallory", map[string]any{"type": "Add", "object": uri, "target": e.r.actor("mallory") + "/featured"})
		return e.pinned(uri)
	},
	"Remove": func(e *estate, p party) bool {
		uri := e.post(p)
		e.pin(uri)
		e.say(e.r, "mallory", map[string]any{"type": "Remove", "object": uri, "target": p.uri + "/featured"})
		e.say(e.r, "mallory", map[string]any{"type": "Remove", "object": uri, "target": e.r.actor("mallory") + "/featured"})
		return !e.pinned(uri)
	},
	"Move": func(e *estate, p party) bool {
		e.say(e.r, "mallory", map[string]any{"type": "Move", "object": p.uri, "target": e.parties[2].server.actor("target")})
		return e.account(p).MovedToURI != ""
	},
	"Accept": answerFollow("Accept"),
	"Reject": answerFollow("Reject"),
	"Block": func(e *estate, p party) bool {
		e.n++
		target := e.net.Member(e.in, fmt.Sprintf("blocked%d", e.n)).Account
		e.say(e.r, "mallory", map[string]any{"type": "Block", "actor": p.uri, "object": target.URI})
		by, blocks := e.account(p), map[social.ID]social.Blocks{}
		e.view(func(ctx context.Context, tx social.Tx) (err error) {
			blocks, err = tx.Blocks(ctx, by.ID, []social.ID{target.ID})
			return err
		})
		return blocks[target.ID].Blocking
	},
	"Flag": func(e *estate, p party) bool {
		before := e.reports()
		e.say(e.r, "mallory", map[string]any{"type": "Flag", "actor": p.uri, "object": []any{e.bob.Account.URI}, "content": "spam"})
		return e.reports() > before
	},
}

// A5: whatever the verb, only its owner changes a thing: not a neighbour of the same
// server, not another server, and nobody from outside what is ours. What is embedded
// in an Announce changes nothing at all.
func TestOwnershipMatrix(t *testing.T) {
	e := newEstate(t)
	for verb, try := range attempts {
		for _, p := range e.parties {
			want := p.name == "owner" && verb != "Announce"
			if changed := try(e, p); changed != want {
				t.Errorf("%s of what is of %s: changed %v, want %v", verb, p.name, changed, want)
			}
		}
	}
}

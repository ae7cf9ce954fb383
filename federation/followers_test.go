package federation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/federation"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// The example of FEP-8fcf.
func TestDigestOfFollowers(t *testing.T) {
	one, two := "https://testing.example.org/users/1", "https://testing.example.org/users/2"
	const want = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"
	for _, list := range [][]string{{one, two}, {two, one}, {one, two, two}} {
		if got := federation.DigestOf(list); got != want {
			t.Errorf("%v: %s", list, got)
		}
	}
	if got := federation.DigestOf(nil); got != strings.Repeat("0", 64) {
		t.Errorf("nobody: %s", got)
	}
}

// circle is alice on one server with bob and carol of another, who follow her.
type circle struct {
	*testing.T
	net               *instancetest.Network
	a, b              *instance.Instance
	alice, bob, carol social.Reader
	known             social.ID // alice at b
}

// circles tries a test between servers that are paired, and between such that are not.
func circles(t *testing.T, run func(c *circle)) {
	t.Run("paired", func(t *testing.T) {
		net, wire := sisters(t, instancetest.Options{})
		run(newCircle(t, net))
		for _, in := range net.Instances {
			if strings.Contains(string(wire.Seen(in.Config.Domain)), "collectionId") {
				t.Error("who follows whom went over the wire in the clear")
			}
		}
	})
	t.Run("not paired", func(t *testing.T) {
		net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
		net.Zone(net.Instances[0], net.Instances[1], social.Zone{Kind: social.ZonePublic})
		net.Zone(net.Instances[1], net.Instances[0], social.Zone{Kind: social.ZonePublic})
		run(newCircle(t, net))
	})
}

func newCircle(t *testing.T, net *instancetest.Network) *circle {
	t.Helper()
	c := &circle{T: t, net: net, a: net.Instances[0], b: net.Instances[1]}
	c.alice, c.bob, c.carol = net.Member(c.a, "alice"), net.Member(c.b, "bob"), net.Member(c.b, "carol")
	for _, who := range []social.Reader{c.bob, c.carol} {
		c.follow(who)
		net.Settle()
	}
	return c
}

func (c *circle) follow(who social.Reader) {
	c.Helper()
	alice, err := c.b.Social.FindHandle(c.Context(), who, instancetest.Handle(c.a, c.alice))
	if err != nil {
		c.Fatal(err)
	}
	c.known = alice.ID
	if _, err := c.b.Social.Follow(c.Context(), who, alice.ID, social.FollowOptions{}); err != nil {
		c.Fatal(err)
	}
}

// lose drops all that waits to be sent from one server to the other.
func (c *circle) lose(from, to *instance.Instance) {
	c.Helper()
	n, err := from.DB.Drop(c.Context(), "deliver", to.Config.Domain)
	if err != nil || n == 0 {
		c.Fatalf("%d deliveries were lost: %v", n, err)
	}
}

// write lets alice write for her followers, and answers who of b sees it in the end.
func (c *circle) write() (seen string) {
	c.Helper()
	p := publish(c.T, c.a, c.alice, social.Draft{Text: "for those who follow", Audience: "followers"})
	c.net.Settle()
	for _, who := range []social.Reader{c.bob, c.carol} {
		_, err := c.b.Social.PostByURI(c.Context(), who, p.URI)
		if err != nil && social.KindOf(err) != social.NotFound {
			c.Fatal(err)
		}
		if err == nil {
			seen += who.Account.Username + " "
		}
	}
	return seen
}

// follows says how far a member of b is with alice, at both servers.
func (c *circle) follows(who social.Reader) string {
	c.Helper()
	state := func(in *instance.Instance, follower, target social.ID) (state string) {
		if err := in.DB.View(c.Context(), func(tx social.Tx) error {
			f, err := tx.Follow(c.Context(), follower, target)
			if err == nil {
				state = string(f.State)
			}
			if social.KindOf(err) == social.NotFound {
				state, err = "no", nil
			}
			return err
		}); err != nil {
			c.Fatal(err)
		}
		return state
	}
	return state(c.b, who.Account.ID, c.known) + "/" + state(c.a, accountOf(c.T, c.a, who.Account.URI).ID, c.alice.Account.ID)
}

// An Undo that was lost: the next post for followers lets the follower's server tell
// the author's again.
func TestLostUndoIsHealed(t *testing.T) {
	circles(t, func(c *circle) {
		if _, err := c.b.Social.Unfollow(c.Context(), c.bob, c.known); err != nil {
			c.Fatal(err)
		}
		c.lose(c.b, c.a)
		if got := c.follows(c.bob); got != "no/accepted" {
			c.Fatalf("before: %s", got)
		}
		c.write()
		if got := c.follows(c.bob); got != "no/no" {
			c.Errorf("after: %s", got)
		}
		if got := c.follows(c.carol); got != "accepted/accepted" {
			c.Errorf("carol: %s", got)
		}
	})
}

// A Reject that was lost: whom the author removed sees what is for followers no more.
func TestLostRejectIsHealed(t *testing.T) {
	circles(t, func(c *circle) {
		if _, err := c.a.Social.RemoveFollower(c.Context(), c.alice, accountOf(c.T, c.a, c.bob.Account.URI).ID); err != nil {
			c.Fatal(err)
		}
		c.lose(c.a, c.b)
		if got := c.follows(c.bob); got != "accepted/no" {
			c.Fatalf("before: %s", got)
		}
		if got := c.write(); got != "carol " {
			c.Errorf("seen by %s", got)
		}
		if got := c.follows(c.bob); got != "no/no" {
			c.Errorf("after: %s", got)
		}
		home, err := c.b.Social.Home(c.Context(), c.bob, social.Page{Limit: 10})
		if err != nil || len(home) != 0 {
			c.Errorf("bob's timeline keeps %d posts, %v", len(home), err)
		}
	})
}

// An Accept that was lost is not waited for for ever.
func TestLostAcceptIsHealed(t *testing.T) {
	circles(t, func(c *circle) {
		dave := c.net.Member(c.b, "dave")
		c.follow(dave)
		c.b.Settle(c.Context()) // the request arrives
		runOnly(c.T, c.a)
		c.lose(c.a, c.b)
		if got := c.follows(dave); got != "pending/accepted" {
			c.Fatalf("before: %s", got)
		}
		c.write()
		if got := c.follows(dave); got != "accepted/accepted" {
			c.Errorf("after: %s", got)
		}
	})
}

// runOnly applies what an instance has taken, and delivers nothing.
func runOnly(t *testing.T, in *instance.Instance) {
	t.Helper()
	for _, r := range in.Federation.Runners()[:1] {
		r.Drain(t.Context())
	}
}

// The part of the followers is for the server that it is of: nobody else learns that
// there is one, and another server gets its own, which is none.
func TestPartOfFollowersIsForItsServer(t *testing.T) {
	net := instancetest.NewWith(t, 2, instancetest.Options{Apart: true})
	net.Zone(net.Instances[0], net.Instances[1], social.Zone{Kind: social.ZonePublic})
	net.Zone(net.Instances[1], net.Instances[0], social.Zone{Kind: social.ZonePublic})
	c := newCircle(t, net)
	list := c.a.Config.PublicURL + "/users/" + c.alice.Account.ID.String() + "/followers/synchronization"
	stranger := second(t, c.a, social.ZonePublic)
	if got := fetch(t, nil, http.MethodGet, list); got.status != 404 {
		t.Errorf("unsigned: %d %s", got.status, got.body)
	}
	if got := fetch(t, stranger, http.MethodGet, list); got.status != 200 || len(items(got.doc)) != 0 || strings.Contains(got.body, c.b.Config.Domain) {
		t.Errorf("another server: %d %s", got.status, got.body)
	}
	sum := sha256.Sum256([]byte(c.bob.Account.URI))
	two := sha256.Sum256([]byte(c.carol.Account.URI))
	for i := range sum {
		sum[i] ^= two[i]
	}
	if err := c.a.DB.View(t.Context(), func(tx social.Tx) error {
		uris, _, err := tx.FollowersAt(t.Context(), c.b.Config.Domain, c.alice.Account.ID, social.Page{Limit: 10})
		slices.Sort(uris)
		if want := []string{c.bob.Account.URI, c.carol.Account.URI}; !slices.Equal(uris, want) || federation.DigestOf(uris) != hex.EncodeToString(sum[:]) {
			t.Errorf("%v", uris)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A server that lies about its followers takes nobody off but by its own list, which
// must be the one it announced; it cannot send us elsewhere, nor keep us busy.
func TestHostileFollowersHeader(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	elsewhere := second(t, in, social.ZonePublic)
	bob := net.Member(in, "bob")
	if r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	mallory := accountOf(t, in, r.actor("mallory"))
	if err := in.DB.Tx(t.Context(), func(tx social.Tx) error {
		return tx.PutFollow(t.Context(), &social.Follow{ID: social.NewID(time.Now()), FollowerID: bob.Account.ID, TargetID: mallory.ID, State: social.FollowAccepted, CreatedAt: time.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	follows := func() bool {
		t.Helper()
		rels, err := in.Social.Relationships(t.Context(), bob, []social.ID{mallory.ID})
		if err != nil {
			t.Fatal(err)
		}
		return rels[0].Following
	}
	own, foreign, zero := r.actor("mallory")+"/followers", elsewhere.url("/list"), strings.Repeat("0", 64)
	r.docs["/list"] = map[string]any{"id": r.url("/list"), "type": "OrderedCollection", "orderedItems": []any{}}
	r.docs["/wrong"] = map[string]any{"id": r.url("/wrong"), "type": "OrderedCollection", "orderedItems": []any{elsewhere.actor("mallory")}}
	r.docs["/turn"] = map[string]any{"id": r.url("/turn"), "type": "OrderedCollection", "orderedItems": []any{}, "next": r.url("/turn")}
	elsewhere.docs["/list"] = r.docs["/list"]
	n := 10
	send := func(value string) {
		t.Helper()
		n++
		body := r.create(n)
		if got := r.sendWith(in.Config.PublicURL+"/inbox", body, func(q *http.Request) { q.Header.Set("Collection-Synchronization", value) }); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
	}
	header := func(collection, list, digest string) string {
		return fmt.Sprintf(`collectionId="%s", url="%s", digest="%s"`, collection, list, digest)
	}
	for name, value := range map[string]string{
		"a list on another server":      header(own, foreign, zero),
		"followers of somebody else":    header(r.actor("victim")+"/followers", r.url("/list"), zero),
		"no digest":                     header(own, r.url("/list"), ""),
		"a short digest":                header(own, r.url("/list"), "00"),
		"nothing":                       "collectionId",
		"a list that is not there":      header(own, r.url("/missing"), zero),
		"a list of others":              header(own, r.url("/wrong"), zero),
		"a list other than announced":   header(own, r.url("/list"), strings.Repeat("1", 64)),
		"a list that turns in a circle": header(own, r.url("/turn"), zero),
		"too much":                      header(own, r.url("/list"), zero) + ", x=" + strings.Repeat("x", 5000),
	} {
		before := r.fetches.Load()
		send(value)
		if !follows() {
			t.Fatalf("%s: bob follows no more", name)
		}
		if asked := r.fetches.Load() - before; asked > 20 {
			t.Errorf("%s: %d requests", name, asked)
		}
	}
	if elsewhere.fetches.Load() != 0 {
		t.Errorf("another server was asked %d times", elsewhere.fetches.Load())
	}
	send(header(own, r.url("/list"), zero)) // the truth, by whoever may say it
	if follows() {
		t.Error("bob follows against the owner's word")
	}
	before := r.fetches.Load()
	for range 30 {
		send(header(own, r.url("/missing"), strings.Repeat("2", 64)))
	}
	if asked := r.fetches.Load() - before; asked > 20 {
		t.Errorf("%d requests after 30 headers", asked)
	}
}

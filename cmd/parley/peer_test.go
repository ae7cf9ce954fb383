package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-mastodon"

	"parley/instance/instancetest"
)

// peer is test/peers/fedify/peer.mjs, a server that others' code answers for: the
// Fedify library signs, verifies, parses and writes.
type peer struct {
	t       *testing.T
	trust   *trust
	origin  string
	control string
}

// host is the part of handles after the @.
func (p *peer) host() string { return strings.TrimPrefix(p.origin, "https://") }

// startPeer starts one that speaks a single signature dialect.
func startPeer(t *testing.T, trust *trust, dialect string) *peer {
	t.Helper()
	dir := os.Getenv("PARLEY_TEST_PEERS")
	if dir == "" {
		t.Skip("PARLEY_TEST_PEERS names no folder with test/peers and its npm packages installed; ./test/all sets it")
	}
	cmd := exec.Command("node", filepath.Join(dir, "fedify", "peer.mjs"))
	cmd.Env = append(os.Environ(), "PEER_DIALECT="+dialect, "PEER_CERT="+trust.cert, "PEER_KEY="+trust.key, "NODE_EXTRA_CA_CERTS="+trust.ca)
	complaint := &instancetest.Log{}
	cmd.Stderr = complaint
	end, err := cmd.StdinPipe() // it ends with its standard input, also when this test is killed
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = end.Close() // it may have ended already
		if err := cmd.Wait(); err != nil {
			t.Errorf("the peer: %v\n%s", err, complaint)
		}
	})
	p := &peer{t: t, trust: trust}
	var at struct{ Origin, Control string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &at)
	}
	if err != nil {
		t.Fatalf("the peer did not start: %v\n%s", err, complaint)
	}
	p.origin, p.control = at.Origin, at.Control
	t.Cleanup(func() {
		if t.Failed() {
			log := p.log()
			t.Logf("the peer was asked:\n%sand asked:\n%sand understood:\n%+v", lines(log.Wire.In), lines(log.Wire.Out), log.Effects)
		}
	})
	return p
}

// with is what a verb of the peer takes.
type with map[string]any

// result is what any verb of the peer may answer.
type result struct {
	ID, Name, Inbox, Outbox, Asks, Error string
	Status                               int
	IDs, Keys                            []string
	Document                             map[string]any
}

// do has the peer do something; what it sends has arrived when it answers.
func (p *peer) do(verb string, a with) (r result) {
	p.t.Helper()
	body, err := json.Marshal(a)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.Post(p.control+"/"+verb, "application/json", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	p.read(res, &r)
	if r.Error != "" {
		p.t.Fatalf("the peer cannot %s %v: %s", verb, a, r.Error)
	}
	return r
}

func (p *peer) read(res *http.Response, into any) {
	p.t.Helper()
	defer res.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		p.t.Fatalf("%v: %.500s", err, b)
	}
}

// effect is an activity as Fedify understood it, and how it came.
type effect struct {
	Type, ID, Actor, Object, Content, By, ReplyTo string
	Undone, UndoneID                              string
	To                                            []string
	Edited, Tombstone                             bool
	Dialect, Key, Proof                           string
}

// seen is one request on the wire.
type seen struct {
	Method, Path, URL, Dialect, Key, Proof, Signer, Error string
	Status                                                int
}

func lines(requests []seen) string {
	var b strings.Builder
	for _, r := range requests {
		fmt.Fprintf(&b, "  %s %s%s %s %d %.200s\n", r.Method, r.Path, r.URL, r.Dialect, r.Status, r.Error)
	}
	return b.String()
}

func (p *peer) log() (l struct {
	Wire    struct{ In, Out []seen }
	Effects []effect
}) {
	p.t.Helper()
	res, err := http.Get(p.control + "/log")
	if err != nil {
		p.t.Fatal(err)
	}
	p.read(res, &l)
	return l
}

// gets waits until the peer has understood an activity about an object.
func (p *peer) gets(kind, object string) (e effect) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("the peer gets %s of %s", kind, object), func() bool {
		all := p.log().Effects
		i := slices.IndexFunc(all, func(e effect) bool { return e.Type+e.Undone == kind && e.Object == object })
		if i >= 0 {
			e = all[i]
		}
		return i >= 0
	})
	return e
}

// undoes waits until the peer understood that an activity is taken back, which names
// the very one that it got.
func (p *peer) undoes(e effect) {
	p.t.Helper()
	if got := p.gets("Undo"+e.Type, e.Object); got.UndoneID != e.ID || got.Actor != e.Actor {
		p.t.Errorf("%s of %s is undone by %+v", e.Type, e.ID, got)
	}
}

// pair is alice of an instance of ours and bob of the peer. What she does goes
// through a client that others wrote too.
type pair struct {
	t      *testing.T
	parley *served
	peer   *peer
	alice  *mastodon.Client
	bob    *mastodon.Account // as she knows him
	uri    string            // of alice

	followed effect // her Follow
	follow   string // the id of his
}

func (p *pair) bobURI() string { return p.peer.origin + "/users/bob" }

// ok is for calls whose failure ends the story.
func ok[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func client(s *served, token string) *mastodon.Client {
	c := mastodon.NewClient(&mastodon.Config{Server: s.url(), AccessToken: token})
	c.Client = *s.trust.client
	return c
}

// A server written with Fedify and a served instance exchange everything the core
// is made of, in each signature dialect; the dialect is checked on the wire.
func TestFedify(t *testing.T) {
	for _, dialect := range []string{"cavage", "rfc9421"} {
		t.Run(dialect, func(t *testing.T) {
			started := time.Now()
			trust := newTrust(t)
			p := &pair{t: t, peer: startPeer(t, trust, dialect), parley: serveTLS(t, trust)}
			p.parley.run("peer", "zone", p.peer.host(), "public")
			p.alice = client(p.parley, p.parley.member("alice"))

			p.aliceFollowsBob()
			p.bobFollowsAlice()
			p.aliceIsAnswered()
			p.bobIsAnswered()
			p.readByFollowersOnly()
			p.fetchedAsAFollower()
			p.forgeriesAreRefused()
			p.followsEnd()
			p.onlyThatDialect(dialect)
			t.Logf("the whole exchange took %s", time.Since(started).Round(10*time.Millisecond))
		})
	}
}

// home waits until a post of the peer stands in alice's home timeline.
func (p *pair) home(uri string) (found *mastodon.Status) {
	p.t.Helper()
	eventually(p.t, uri+" is in the home timeline", func() bool {
		for _, s := range ok[[]*mastodon.Status](p.t)(p.alice.GetTimelineHome(p.t.Context(), nil)) {
			if s.URI == uri {
				found = s
			}
		}
		return found != nil
	})
	return found
}

// status waits until a post of hers, or one she knows, is as it should be.
func (p *pair) status(id mastodon.ID, what string, is func(s *mastodon.Status) bool) {
	p.t.Helper()
	eventually(p.t, what, func() bool { return is(ok[*mastodon.Status](p.t)(p.alice.GetStatus(p.t.Context(), id))) })
}

func (p *pair) relationship() *mastodon.Relationship {
	p.t.Helper()
	return ok[[]*mastodon.Relationship](p.t)(p.alice.GetAccountRelationships(p.t.Context(), []string{string(p.bob.ID)}))[0]
}

// notified waits for a notification of a kind by bob.
func (p *pair) notified(kind string) {
	p.t.Helper()
	eventually(p.t, "alice is told of a "+kind, func() bool {
		return slices.ContainsFunc(ok[[]*mastodon.Notification](p.t)(p.alice.GetNotifications(p.t.Context(), nil)), func(n *mastodon.Notification) bool {
			return n.Type == kind && n.Account.ID == p.bob.ID
		})
	})
}

// She finds him by his handle, follows, is accepted, and gets what he said before.
func (p *pair) aliceFollowsBob() {
	said := p.peer.do("post", with{"text": "said before anybody listened"}).ID
	found := ok[*mastodon.Results](p.t)(p.alice.Search(p.t.Context(), "@bob@"+p.peer.host(), true))
	if len(found.Accounts) != 1 || found.Accounts[0].Acct != "bob@"+p.peer.host() {
		p.t.Fatalf("looked for bob, found %+v", found.Accounts)
	}
	p.bob = found.Accounts[0]
	ok[*mastodon.Relationship](p.t)(p.alice.AccountFollow(p.t.Context(), p.bob.ID))
	p.followed = p.peer.gets("Follow", p.bobURI())
	p.uri = p.followed.Actor
	eventually(p.t, "bob has accepted her", func() bool { return p.relationship().Following })
	p.home(said)
}

// He finds her by her handle, follows and is accepted.
func (p *pair) bobFollowsAlice() {
	found := p.peer.do("lookup", with{"handle": "@alice@" + p.parley.host})
	if found.ID != p.uri || found.Name != "Alice" {
		p.t.Fatalf("bob looked for alice (%s) and found %+v", p.uri, found)
	}
	if !slices.Equal(found.Keys, []string{"Ed25519 " + p.uri + "#ed25519"}) {
		p.t.Errorf("bob reads her keys as %q", found.Keys)
	}
	p.follow = p.peer.do("follow", with{"who": "@alice@" + p.parley.host}).ID
	if by := p.peer.gets("Accept", p.uri).Actor; by != p.uri {
		p.t.Errorf("accepted by %s", by)
	}
	p.notified("follow")
	if !p.relationship().FollowedBy {
		p.t.Error("bob was accepted and does not follow her")
	}
}

// What she says reaches him; his answer, like, share and what he takes back of it
// reach her; so do her edit and deletion him.
func (p *pair) aliceIsAnswered() {
	ctx := p.t.Context()
	post := ok[*mastodon.Status](p.t)(p.alice.PostStatus(ctx, &mastodon.Toot{Status: "Good morning, Bob", Visibility: "public"}))
	got := p.peer.gets("Create", post.URI)
	if !strings.Contains(got.Content, "Good morning, Bob") || got.By != p.uri {
		p.t.Errorf("bob read %+v", got)
	}

	reply := p.peer.do("post", with{"text": "Good morning, Alice", "replyTo": post.URI, "mention": map[string]string{"id": p.uri, "handle": "@alice@" + p.parley.host}}).ID
	like := p.peer.do("like", with{"object": post.URI, "of": p.uri}).ID
	share := p.peer.do("announce", with{"object": post.URI, "of": p.uri}).ID
	p.status(post.ID, "the answer, the like and the share are counted", func(s *mastodon.Status) bool {
		return s.RepliesCount == 1 && s.FavouritesCount == 1 && s.ReblogsCount == 1
	})
	for _, kind := range []string{"mention", "favourite", "reblog"} {
		p.notified(kind)
	}
	below := ok[*mastodon.Context](p.t)(p.alice.GetStatusContext(ctx, post.ID)).Descendants
	if len(below) != 1 || below[0].URI != reply || !strings.Contains(below[0].Content, "Good morning, Alice") || below[0].InReplyToID != string(post.ID) {
		p.t.Errorf("below her post stands %+v", below)
	}
	p.peer.do("undo", with{"id": like})
	p.peer.do("undo", with{"id": share})
	p.status(post.ID, "like and share are taken back", func(s *mastodon.Status) bool { return s.FavouritesCount == 0 && s.ReblogsCount == 0 })

	ok[*mastodon.Status](p.t)(p.alice.UpdateStatus(ctx, &mastodon.Toot{Status: "Good evening, Bob"}, post.ID))
	if got := p.peer.gets("Update", post.URI); !strings.Contains(got.Content, "Good evening, Bob") || !got.Edited {
		p.t.Errorf("bob read the edit as %+v", got)
	}
	if got := p.peer.do("fetch", with{"url": post.URI}); !strings.Contains(fmt.Sprint(got.Document["content"]), "Good evening, Bob") {
		p.t.Errorf("bob fetches %+v", got)
	}
	if err := p.alice.DeleteStatus(ctx, post.ID); err != nil {
		p.t.Fatal(err)
	}
	if !p.peer.gets("Delete", post.URI).Tombstone {
		p.t.Error("a deletion came without a Tombstone")
	}
	if got := p.peer.do("fetch", with{"url": post.URI}); got.Status != http.StatusGone && got.Status != http.StatusNotFound {
		p.t.Errorf("what she deleted is answered with %d", got.Status)
	}
}

// The same, the other way round.
func (p *pair) bobIsAnswered() {
	ctx := p.t.Context()
	uri := p.peer.do("post", with{"text": "What is for lunch?"}).ID
	post := p.home(uri)

	reply := ok[*mastodon.Status](p.t)(p.alice.PostStatus(ctx, &mastodon.Toot{Status: "@bob@" + p.peer.host() + " Soup.", InReplyToID: post.ID, Visibility: "public"}))
	if got := p.peer.gets("Create", reply.URI); got.ReplyTo != uri || !slices.Contains(got.To, p.bobURI()) {
		p.t.Errorf("bob read the answer as %+v", got)
	}
	ok[*mastodon.Status](p.t)(p.alice.Favourite(ctx, post.ID))
	like := p.peer.gets("Like", uri)
	ok[*mastodon.Status](p.t)(p.alice.Reblog(ctx, post.ID))
	share := p.peer.gets("Announce", uri)
	ok[*mastodon.Status](p.t)(p.alice.Unfavourite(ctx, post.ID))
	p.peer.undoes(like)
	ok[*mastodon.Status](p.t)(p.alice.Unreblog(ctx, post.ID))
	p.peer.undoes(share)

	p.peer.do("edit", with{"id": uri, "text": "What is for dinner?"})
	p.status(post.ID, "she sees his edit", func(s *mastodon.Status) bool {
		return strings.Contains(s.Content, "dinner") && !s.EditedAt.IsZero()
	})
	p.peer.do("delete", with{"id": uri})
	eventually(p.t, "his deletion arrives", func() bool { _, err := p.alice.GetStatus(ctx, post.ID); return missing(err) })
}

// missing says that the API answered 404.
func missing(err error) bool {
	var e *mastodon.APIError
	return errors.As(err, &e) && e.StatusCode == http.StatusNotFound
}

// What she says to her followers is given to bob, who is one, and to nobody else:
// neither to another person of his server nor without a signature.
func (p *pair) readByFollowersOnly() {
	post := ok[*mastodon.Status](p.t)(p.alice.PostStatus(p.t.Context(), &mastodon.Toot{Status: "for those who follow me", Visibility: "private"}))
	if got := p.peer.gets("Create", post.URI); slices.ContainsFunc(got.To, func(s string) bool { return strings.HasSuffix(s, "#Public") }) {
		p.t.Errorf("it is addressed to everybody: %v", got.To)
	}
	outbox := p.peer.do("lookup", with{"handle": "@alice@" + p.parley.host}).Outbox
	for as, want := range map[string]int{"bob": http.StatusOK, "mallory": http.StatusNotFound, "": http.StatusNotFound} {
		if got := p.peer.do("fetch", with{"url": post.URI, "as": as}); got.Status != want {
			p.t.Errorf("fetched as %q it answers %d, not %d", as, got.Status, want)
		}
		if listed := slices.Contains(p.peer.do("walk", with{"url": outbox, "as": as}).IDs, post.URI); listed != (want == http.StatusOK) {
			p.t.Errorf("in the outbox that %q reads, listed is %v", as, listed)
		}
	}
}

// bob tells his followers only where his note is; it is fetched in alice's name.
func (p *pair) fetchedAsAFollower() {
	uri := p.peer.do("post", with{"text": "for my followers", "audience": "followers", "bare": true}).ID
	if got := p.home(uri); got.Visibility != "private" {
		p.t.Errorf("she sees his note for followers as %s", got.Visibility)
	}
	path := strings.TrimPrefix(uri, p.peer.origin)
	if !slices.ContainsFunc(p.peer.log().Wire.In, func(s seen) bool {
		return s.Method == http.MethodGet && s.Path == path && s.Status == http.StatusOK && s.Signer == p.uri
	}) {
		p.t.Errorf("nobody fetched %s as %s", path, p.uri)
	}
}

// A body that was changed after signing and a time out of the window are refused
// before anything is kept.
func (p *pair) forgeriesAreRefused() {
	inbox := p.peer.do("lookup", with{"handle": "@alice@" + p.parley.host}).Inbox
	for _, kind := range []string{"tampered", "stale", "early"} {
		got := p.peer.do("forged", with{"inbox": inbox, "kind": kind})
		if got.Status != http.StatusUnauthorized || got.Asks == "" {
			p.t.Errorf("%s: %d, Accept-Signature %q", kind, got.Status, got.Asks)
		}
		found := ok[*mastodon.Results](p.t)(p.alice.Search(p.t.Context(), got.ID, false))
		if len(found.Statuses) != 0 {
			p.t.Errorf("%s was kept", kind)
		}
	}
	honest := p.peer.do("forged", with{"inbox": inbox, "kind": "untouched"})
	if honest.Status != http.StatusAccepted {
		p.t.Errorf("the same without a fault: %d", honest.Status)
	}
	p.home(honest.ID)
	if found := ok[*mastodon.Results](p.t)(p.alice.Search(p.t.Context(), honest.ID, false)); len(found.Statuses) != 1 {
		p.t.Error("what was kept is not found by its address")
	}
}

// Both let go of each other.
func (p *pair) followsEnd() {
	ok[*mastodon.Relationship](p.t)(p.alice.AccountUnfollow(p.t.Context(), p.bob.ID))
	p.peer.undoes(p.followed)
	p.peer.do("undo", with{"id": p.follow})
	eventually(p.t, "bob no longer follows her", func() bool { return !p.relationship().FollowedBy })
	if p.relationship().Following {
		p.t.Error("she still follows bob")
	}
}

// onlyThatDialect holds the wire against what the run is about: every signed
// request that was accepted, and every delivery, is of that dialect.
func (p *pair) onlyThatDialect(dialect string) {
	log := p.peer.log()
	accepted := map[string]int{}
	for _, r := range log.Wire.In {
		if r.Error != "" {
			p.t.Errorf("%s %s broke the peer: %s", r.Method, r.Path, r.Error)
		}
		if r.Dialect != "none" && r.Status/100 == 2 {
			accepted["in "+r.Method+" "+r.Dialect]++
		}
	}
	for _, r := range log.Wire.Out {
		// Fedify signs the fragment of a key's address, so RFC 9421 fails for that one.
		if !strings.HasPrefix(r.URL, p.parley.url()) || r.Dialect == "none" || strings.Contains(r.URL, "#") {
			continue
		}
		if r.Status/100 == 2 {
			accepted["out "+r.Method+" "+r.Dialect]++
		} else if r.Method == http.MethodPost {
			p.t.Errorf("a delivery to %s was answered %d", r.URL, r.Status)
		}
	}
	p.t.Logf("accepted: %v", accepted)
	for _, kind := range []string{"in GET ", "in POST ", "out GET ", "out POST "} {
		if accepted[kind+dialect] == 0 || len(accepted) != 4 {
			p.t.Errorf("%sis not in %s alone: %v", kind, dialect, accepted)
		}
	}
	p.learnt(dialect)
	p.proofs(log.Effects)
}

// proofs (FEP-8b32) are on everything and good; the HTTP signature is alice's always.
func (p *pair) proofs(effects []effect) {
	found := map[string]int{}
	for _, e := range effects {
		found[e.Proof]++
		if !strings.HasPrefix(e.Key, p.uri+"#") {
			p.t.Errorf("%s is signed with %s", e.Type, e.Key)
		}
	}
	p.t.Logf("proofs (FEP-8b32): %v", found)
	if found["valid"] != len(effects) {
		p.t.Errorf("Fedify does not accept the proofs: %v", found)
	}
}

// learnt checks what the administrator sees of the peer.
func (p *pair) learnt(dialect string) {
	var peers []struct {
		Host, Zone, Dialect string
		LastError           string `json:"last_error"`
	}
	if err := json.Unmarshal([]byte(p.parley.run("peer", "list", "--json")), &peers); err != nil {
		p.t.Fatal(err)
	}
	for _, one := range peers {
		if one.Host == p.peer.host() {
			if one.Zone != "public" || one.Dialect != dialect || one.LastError != "" {
				p.t.Errorf("the administrator sees %+v", one)
			}
			return
		}
	}
	p.t.Errorf("the peer is not among %+v", peers)
}

package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// troll is a server whose every document leads to further ones: each post answers
// another one and quotes a third, is of an author of its own, and is found behind
// redirects.
func troll(t *testing.T, hops int) (*remote, *atomic.Int64) {
	t.Helper()
	r := newRemote(t)
	asked := &atomic.Int64{}
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		asked.Add(1)
		var n, hop int
		switch {
		case strings.HasPrefix(q.URL.Path, "/t/"):
			if _, err := fmt.Sscanf(q.URL.Path, "/t/%d/%d", &n, &hop); err == nil && hop < hops {
				http.Redirect(w, q, fmt.Sprintf("/t/%d/%d", n, hop+1), http.StatusFound)
				return true
			}
			w.Header().Set("Content-Type", "application/activity+json")
			_ = json.NewEncoder(w).Encode(r.trollNote(n, hops))
		case strings.HasPrefix(q.URL.Path, "/users/u"):
			name := strings.TrimPrefix(q.URL.Path, "/users/")
			person := r.person(name)
			person["featured"], person["alsoKnownAs"] = r.url("/t/1/0"), []string{r.actor(name + "1"), r.actor(name + "2")}
			person["movedTo"] = r.actor(name + "3")
			w.Header().Set("Content-Type", "application/activity+json")
			_ = json.NewEncoder(w).Encode(person)
		case q.URL.Path == "/.well-known/webfinger":
			http.NotFound(w, q)
		default:
			return false
		}
		return true
	})
	return r, asked
}

func (r *remote) trollNote(n, hops int) map[string]any {
	note := r.note(n)
	id := r.url(fmt.Sprintf("/t/%d/%d", n, hops))
	note["id"], note["attributedTo"] = id, r.actor(fmt.Sprintf("u%d", n))
	note["inReplyTo"], note["quote"] = r.url(fmt.Sprintf("/t/%d/0", 10*n+1)), r.url(fmt.Sprintf("/t/%d/0", 10*n+2))
	note["replies"], note["context"] = r.url(fmt.Sprintf("/t/%d/0", 10*n+3)), r.url(fmt.Sprintf("/t/%d/0", 10*n+4))
	note["tag"] = []any{map[string]any{"type": "Mention", "href": r.actor(fmt.Sprintf("u%d", 10*n+5)), "name": "@x"}}
	return note
}

// C2, T13: whatever one activity leads to, it causes 32 requests at most, redirects
// counted, and goes up a thread eight steps.
func TestOneActivityCausesFewRequests(t *testing.T) {
	for _, hops := range []int{0, 3} {
		r, asked := troll(t, hops)
		network := instancetest.New(t, 1, nil)
		in := network.Instances[0]
		if err := in.Social.SetZone(context.Background(), r.host(), social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
			t.Fatal(err)
		}
		for n, one := range []map[string]any{
			{"type": "Create", "object": r.trollNote(1, hops)},
			{"type": "Create", "object": r.url("/t/2/0")},
			{"type": "Announce", "object": r.url("/t/3/0")},
			{"type": "Announce", "object": map[string]any{"type": "Create", "actor": r.actor("u4"), "object": r.url("/t/4/0")}},
			{"type": "Update", "object": r.trollNote(5, hops)},
			{"type": "Update", "object": r.url("/users/u6")},
			{"type": "Move", "object": r.actor("u7"), "target": r.actor("u71")},
			{"type": "Add", "object": r.url("/t/8/0"), "target": r.url("/t/1/0")},
			{"type": "Like", "object": r.url("/t/9/0")},
			{"type": "QuoteRequest", "object": r.url("/t/10/0"), "instrument": r.url("/t/10/0")},
		} {
			before, posts := asked.Load(), r.trollPosts(t, in)
			by := fmt.Sprintf("u%d", n+1)
			r.as(by)
			one["id"], one["actor"] = r.url(fmt.Sprintf("/a/%d", n)), r.actor(by)
			if got := r.sendJSON(in.Config.PublicURL+"/inbox", one); got != 202 {
				t.Fatalf("%v is answered %d", one["type"], got)
			}
			network.Settle()
			if n := asked.Load() - before; n > 32 {
				t.Errorf("%v, %d redirects: %d requests", one["type"], hops, n)
			}
			if n := r.trollPosts(t, in) - posts; n > 9 {
				t.Errorf("%v: %d posts", one["type"], n)
			}
		}
	}
}

// trollPosts counts the posts that are known of a troll, by walking up its threads.
func (r *remote) trollPosts(t *testing.T, in *instance.Instance) int {
	t.Helper()
	n := 0
	ctx := context.Background()
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		posts, err := tx.PublicPosts(ctx, social.Page{Limit: 1000}, false, true, social.PostFilter{})
		n = len(posts)
		for _, p := range posts {
			thread, err := tx.Thread(ctx, p.ThreadID, 1000)
			if err != nil {
				return err
			}
			n += len(thread) - 1
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// C2: one domain brings so many new accounts an hour and no more, whoever mentions
// them.
func TestNewAccountsOfADomainAreLimited(t *testing.T) {
	r, _ := troll(t, 0)
	network := instancetest.New(t, 1, nil)
	in := network.Instances[0]
	if err := in.Social.SetZone(context.Background(), r.host(), social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	for n := range 520 {
		r.n++
		announce := map[string]any{"id": r.url(fmt.Sprintf("/announces/%d", n)), "type": "Announce", "actor": r.actor("mallory"), "object": r.url(fmt.Sprintf("/t/%d/0", 1000+n))}
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", announce); got != 202 {
			t.Fatalf("answered %d", got)
		}
	}
	network.Settle()
	n := 0
	if err := in.DB.View(context.Background(), func(tx social.Tx) error {
		found, err := tx.SearchAccounts(context.Background(), social.AccountQuery{Prefix: "u", Limit: 2000})
		n = len(found)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n < 400 || n > 500 {
		t.Errorf("%d accounts", n)
	}
}

// C4: hosts and keys that nobody knows leave few rows and few requests behind, however
// many there are. (TestTablesAreBounded fills the tables in memory with 100,000.)
func TestUnknownHostsAndKeysLeaveLittleBehind(t *testing.T) {
	start, r := time.Now(), newRemote(t) // the time stands still, so no window ends
	r.now = func() time.Time { return start }
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: r.now})
	if err := in.Social.SetZone(context.Background(), r.host(), social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	inbox := in.Config.PublicURL + "/inbox"
	create := r.create(1)
	for n := range 1500 {
		host := fmt.Sprintf("https://h%d.example", n)
		create["actor"], create["id"] = host+"/users/x", host+"/creates/1"
		r.key.ID = host + "/users/x#main-key"
		if got := r.sendJSON(inbox, create); got != 403 {
			t.Fatalf("%s is answered %d", host, got)
		}
	}
	waiting, err := in.Social.ConnectRequests(context.Background())
	if err != nil || len(waiting) > 1000 {
		t.Errorf("%d hosts wait, %v", len(waiting), err)
	}
	before := r.fetches.Load()
	counts := map[int]int{}
	for n := range 400 {
		user := fmt.Sprintf("nobody%d", n)
		r.as(user)
		create["actor"], create["id"] = r.actor(user), r.url("/creates/1")
		counts[r.sendJSON(inbox, create)]++
	}
	if n := r.fetches.Load() - before; n != 120 || counts[401] != 120 || counts[503] != 280 {
		t.Errorf("%d requests, answers %v", n, counts)
	}
	peers, err := in.Social.Peers(context.Background())
	if err != nil || len(peers) != 1 {
		t.Errorf("%d peers are kept, %v", len(peers), err)
	}
}

// T14: following and unfollowing in turns makes one notification and few answers.
func TestFollowFlood(t *testing.T) {
	in, r, network := admitted(t, social.ZonePublic)
	sent := r.deliveries()
	alice := network.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	say := func(activity map[string]any) {
		t.Helper()
		r.n++
		activity["actor"] = r.actor("mallory")
		if activity["id"] == nil {
			activity["id"] = r.url(fmt.Sprintf("/toggle/%d", r.n))
		}
		if got := r.sendJSON(inbox, activity); got != 202 {
			t.Fatalf("answered %d", got)
		}
	}
	for n := range 40 {
		f := map[string]any{"id": r.url(fmt.Sprintf("/f/%d", n)), "type": "Follow", "object": alice.Account.URI}
		say(f)
		network.Settle()
		if n%2 == 0 {
			say(map[string]any{"type": "Undo", "object": f})
			network.Settle()
		}
	}
	list, err := in.Social.Notifications(context.Background(), alice, social.Page{Limit: 80}, social.NotificationFilter{})
	if err != nil || len(list) != 1 {
		t.Errorf("%d notifications, %v", len(list), err)
	}
	if n := len(sent.of("Accept")); n == 0 || n > 10 {
		t.Errorf("%d answers", n)
	}
}

// T14: an Accept of what nobody asked for, and one after a Reject, make no follow.
func TestRejectThenAccept(t *testing.T) {
	in, r, network := admitted(t, social.ZonePublic)
	ctx := context.Background()
	alice := network.Member(in, "alice")
	if r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	network.Settle()
	mallory := accountOf(t, in, r.actor("mallory"))
	answer := func(verb, id string) {
		t.Helper()
		r.n++
		whole := map[string]any{"id": id, "type": "Follow", "actor": alice.Account.URI, "object": r.actor("mallory")}
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", map[string]any{"id": r.url(fmt.Sprintf("/answers/%d", r.n)), "type": verb, "actor": r.actor("mallory"), "object": whole}); got != 202 {
			t.Fatalf("answered %d", got)
		}
		network.Settle()
	}
	answer("Accept", in.Config.PublicURL+"/activities/1")
	if f := follow(t, in, alice.Account.ID, mallory.ID); f != nil {
		t.Fatalf("nobody asked: %+v", f)
	}
	if _, err := in.Social.Follow(ctx, alice, mallory.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	id := follow(t, in, alice.Account.ID, mallory.ID).URI
	answer("Reject", id)
	answer("Accept", id)
	if f := follow(t, in, alice.Account.ID, mallory.ID); f != nil {
		t.Errorf("after a rejection: %+v", f)
	}
}

// T17: of names, tags and pictures 50 each are kept, and those who are addressed here
// are not crowded out; shortcodes are plain words.
func TestFloodOfNamesTagsAndEmoji(t *testing.T) {
	in, r, network := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	alice := network.Member(in, "alice")
	var people, tags, emoji []any
	to := []any{"https://www.w3.org/ns/activitystreams#Public"}
	for n := range 140 {
		people = append(people, map[string]any{"type": "Mention", "href": r.url(fmt.Sprintf("/users/p%d", n)), "name": "@p"})
		tags = append(tags, map[string]any{"type": "Hashtag", "name": fmt.Sprintf("#tag%d", n)})
		emoji = append(emoji, map[string]any{"type": "Emoji", "name": fmt.Sprintf(":e%d:", n), "icon": map[string]any{"type": "Image", "url": r.url("/e.png")}})
	}
	crowd(t, in, alice.Account.ID, "else.example", 80)
	for n := range 80 {
		people = append([]any{map[string]any{"type": "Mention", "href": fmt.Sprintf("https://else.example/users/%d", n), "name": "@x"}}, people...)
	}
	for n, list := range [][]any{people[:140], tags, emoji} {
		create, note := r.create(n), r.note(n)
		note["tag"], note["to"] = list, append(to, alice.Account.URI)
		create["object"] = note
		if got := r.sendJSON(inbox, create); got != 202 {
			t.Fatalf("answered %d", got)
		}
		network.Settle()
		v, err := in.Social.PostByURI(context.Background(), alice, r.url(fmt.Sprintf("/notes/%d", n)))
		if err != nil {
			t.Fatal(err)
		}
		counts := []int{len(v.Post.Mentions), len(v.Post.Tags), len(v.Post.Emojis)}
		want := []int{1, 0, 0}
		want[n] = 50
		if fmt.Sprint(counts) != fmt.Sprint(want) || !v.Post.MentionsAccount(alice.Account.ID) {
			t.Errorf("kept %v, want %v; alice is named: %v", counts, want, v.Post.MentionsAccount(alice.Account.ID))
		}
	}
	create, note := r.create(9), r.note(9)
	var odd []any
	for _, name := range []string{":a:b:", ":<b>:", ":" + strings.Repeat("x", 500) + ":", "::", ":\u202e:", ": :", ":\"onerror=1:", ":good_1:"} {
		odd = append(odd, map[string]any{"type": "Emoji", "name": name, "icon": map[string]any{"type": "Image", "url": r.url("/e.png")}})
	}
	for _, address := range []string{"javascript:alert(1)", "data:image/png;base64,x", "//e.png", "ftp://e/x", ""} {
		odd = append(odd, map[string]any{"type": "Emoji", "name": ":bad:", "icon": map[string]any{"type": "Image", "url": address}})
	}
	note["tag"] = odd
	create["object"] = note
	if got := r.sendJSON(inbox, create); got != 202 {
		t.Fatalf("answered %d", got)
	}
	network.Settle()
	v, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/9"))
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Post.Emojis) != 1 || v.Post.Emojis[0].Shortcode != "good_1" {
		t.Errorf("%+v", v.Post.Emojis)
	}
}

// T13: answers in circles are read and shown without going round.
func TestThreadsInCircles(t *testing.T) {
	in, r, network := admitted(t, social.ZonePublic)
	alice := network.Member(in, "alice")
	inbox := in.Config.PublicURL + "/inbox"
	for n, parent := range map[int]int{1: 1, 2: 3, 3: 4, 4: 2} {
		note := r.note(n)
		note["inReplyTo"], note["quote"] = r.url(fmt.Sprintf("/notes/%d", parent)), r.url(fmt.Sprintf("/notes/%d", parent))
		note["replies"] = map[string]any{"type": "Collection", "items": []any{r.url("/notes/1"), r.url("/notes/2"), r.url("/notes/3"), r.url("/notes/4")}}
		r.docs[fmt.Sprintf("/notes/%d", n)] = note
	}
	for n := 1; n <= 2; n++ {
		create := r.create(n)
		create["object"] = r.docs[fmt.Sprintf("/notes/%d", n)]
		if got := r.sendJSON(inbox, create); got != 202 {
			t.Fatalf("answered %d", got)
		}
		network.Settle()
	}
	for n := 1; n <= 4; n++ {
		v, err := in.Social.PostByURI(context.Background(), alice, r.url(fmt.Sprintf("/notes/%d", n)))
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		above, below, err := in.Social.Thread(context.Background(), alice, v.Post.ID)
		network.Settle()
		if err != nil || len(above)+len(below) > 2 || n == 1 && (len(above)+len(below) != 0 || v.Post.InReplyToURI != "" || v.Post.RepliesCount != 0) {
			t.Errorf("%d: %d above, %d below, %v", n, len(above), len(below), err)
		}
		seen := map[social.ID]bool{}
		for p := v.Post; p.InReplyToID != 0; {
			if seen[p.ID] {
				t.Fatalf("%d: round in a circle", n)
			}
			seen[p.ID] = true
			if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) { p, err = tx.Post(context.Background(), p.InReplyToID); return err }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := r.fetches.Load(); n > 60 {
		t.Errorf("%d requests", n)
	}
}

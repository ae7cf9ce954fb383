package leak_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	_ "modernc.org/sqlite" // to look into the file of an instance

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// surfaces are the ways by which zones leaked elsewhere (T60), each with the test that
// holds it here; or with the reason why it is not there, and what would show that it is.
var surfaces = []struct{ surface, pkg, test, absent, sign string }{
	{"delivery fan-out", "test/leak", "TestEachReaderSeesExactlyTheTable", "", ""},
	{"shared inbox", "test/leak", "TestDirectPostsGoToPersonalInboxes", "", ""},
	{"boost", "test/leak", "TestQuotesAndBoostsShowNothingHidden", "", ""},
	{"reply, parent or child quoted", "test/leak", "TestEditsAndRepliesNeverWiden", "", ""},
	{"quote", "test/leak", "TestQuotesAndBoostsShowNothingHidden", "", ""},
	{"mention of a partner", "test/leak", "TestNamingAPartnerLetsNobodyIn", "", ""},
	{"mention in another's thread", "test/leak", "TestNamingInAnothersThreadLetsNobodyIn", "", ""},
	{"hashtag relay", "", "", "there are no relays: nothing but followers, zones and people named is sent to", `(?i)relay`},
	{"hashtag page", "test/leak", "TestTagsShowWhatTheirReaderMaySee", "", ""},
	{"inbox and outbox of a member's program", "federation", "TestClientToServerRefusals", "", ""},
	{"bto and bcc", "federation", "TestClientToServer", "", ""},
	{"outbox GET", "federation", "TestOutboxTellsNothingOfHiddenPosts", "", ""},
	{"object GET and its collections", "test/leak", "TestHiddenIsMissingOnEveryRoute", "", ""},
	{"featured", "federation", "TestFeaturedAsksTheAudience", "", ""},
	{"followers and other counts", "federation", "TestCirclesNamePeopleToTheCompanyOnly", "", ""},
	{"counts of replies and posts", "api", "TestCountsDoNotBetrayPosts", "", ""},
	{"search, here and elsewhere", "test/leak", "TestSearchFindsWhatItsReaderMaySee", "", ""},
	{"streaming", "api", "TestAStreamShowsWhatItsReaderMaySee", "", ""},
	{"pages that hear of what happens", "web", "TestAPageHearsWhatItsReaderMaySee", "", ""},
	{"web page and OpenGraph", "test/leak", "TestPagesSayNothingHidden", "", ""},
	{"feed", "web", "TestAFeedHoldsOnlyWhatEverybodyMaySee", "", ""},
	{"oEmbed", "", "", "nothing here is embedded elsewhere", `(?i)oembed`},
	{"media and thumbnails", "instance", "TestFilesAreForReadersOfThePost", "", ""},
	{"uploads without a post", "test/leak", "TestUploadsWithoutAPostAreTheirOwners", "", ""},
	{"push", "notify", "TestPushSaysNothingOfPosts", "", ""},
	{"push of what was hidden since", "notify", "TestPushAsksAgain", "", ""},
	{"notification mail", "", "", "no mail is sent yet; package notify comes with the first", `net/smtp`},
	{"NodeInfo counts", "test/leak", "TestNodeInfoCountsNobody", "", ""},
	{"WebFinger", "test/leak", "TestHiddenIsMissingOnEveryRoute", "", ""},
	{"Update, Delete and Tombstone of what was never sent there", "test/leak", "TestRetractionsGoToWhoeverHasThePost", "", ""},
	{"Move", "federation", "TestMovedToNeedsTheMutualCheck", "", ""},
	{"edit that widens", "test/leak", "TestEditsAndRepliesNeverWiden", "", ""},
	{"edit that narrows", "federation", "TestNarrowingEditTakesThePostBack", "", ""},
	{"error text", "test/leak", "TestHiddenIsMissingOnEveryRoute", "", ""},
	{"logs", "test/leak", "TestLogsAndAuditHoldNothingOfPosts", "", ""},
	{"audit", "test/leak", "TestLogsAndAuditHoldNothingOfPosts", "", ""},
	{"metrics labels", "instance", "TestMetricsNameNobody", "", ""},
	{"traces", "", "", "nothing is traced", `(?i)opentelemetry`},
	{"backups", "storage", "TestBackupWhileServingAndFolders", "", ""},
	{"exports", "", "", "parley export comes with the export of accounts", `"export `},
	{"CSV that a member takes along", "web", "TestTakingDataAlong", "", ""},
	{"sitemap", "", "", "pages are in no list for crawlers", `(?i)sitemap`},
	{"caches without the viewer", "test/leak", "TestNoSharedCacheKeepsAnswers", "", ""},
	{"redirect of a delivery", "federation", "TestT20RedirectedDeliveryFails", "", ""},
	{"retry after the server left its zone", "test/leak", "TestDemotedSisterGetsNothingThatWaits", "", ""},
	{"change log", "federation", "TestChangeLogIsForSistersAndPartners", "", ""},
	{"groups", "instance", "TestMembersAloneSeeWhatStandsInAGroup", "", ""},
	{"blocks between people", "test/leak", "TestBlockedPeopleFetchNothing", "", ""},
}

// Proof (b): each surface has its named test, or is not there.
func TestEverySurfaceHasItsTest(t *testing.T) {
	tests, sources := map[string]string{}, map[string]string{}
	if err := filepath.WalkDir(root, func(path string, f os.DirEntry, err error) error {
		if err != nil || f.IsDir() && (f.Name() == "node_modules" || f.Name() == ".git") {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if pkg, _ := filepath.Rel(root, filepath.Dir(path)); strings.HasSuffix(path, "_test.go") {
			tests[filepath.ToSlash(pkg)] += string(text)
		} else {
			sources[path] = string(text)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, s := range surfaces {
		switch {
		case s.test != "" && !strings.Contains(tests[s.pkg], "func "+s.test+"(t *testing.T)"):
			t.Errorf("%s: %s has no %s", s.surface, s.pkg, s.test)
		case s.test == "" && s.absent == "":
			t.Errorf("%s has neither a test nor a reason", s.surface)
		case s.sign != "":
			for path, text := range sources {
				if regexp.MustCompile(s.sign).MatchString(text) {
					t.Errorf("%s is there now (%s): it needs a test", s.surface, path)
				}
			}
		}
	}
}

// stage is what most surfaces need: two sisters, a partner and the world.
func stage(t *testing.T) *board {
	t.Helper()
	return newStage(t, instancetest.Options{}, "a alice anna", "b bob beate", "acme ada", "world wanda")
}

// says publishes something by somebody of the board.
func (b *board) says(name string, d social.Draft) *social.PostView {
	b.Helper()
	p := b.person(name)
	v, err := p.in.Social.Publish(b.Context(), p.reader, d)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// got counts a word in what a site was sent or fetched.
func (b *board) got(site int, word string) int {
	return bytes.Count(b.wire.Seen(b.sites[site].host()), []byte(word))
}

const (
	sisterSite = iota + 1
	partnerSite
	worldSite
)

// wants demands where a word arrived.
func (b *board) wants(what, word string, sister, partner, world bool) {
	b.Helper()
	for site, want := range map[int]bool{sisterSite: sister, partnerSite: partner, worldSite: world} {
		if n := b.got(site, word); n > 0 != want {
			b.Errorf("%s: %s has %d times what is for it: %v", what, b.sites[site].name, n, want)
		}
	}
}

// T60, sharedInbox: what is for people goes to their own inboxes, and who is not named
// any more gets no edit.
func TestDirectPostsGoToPersonalInboxes(t *testing.T) {
	b := stage(t)
	both := b.handle("bob") + " " + b.handle("beate")
	post := b.says("alice", social.Draft{Text: "canaryone " + both, Audience: "direct"})
	b.net.Settle()
	if _, err := b.alice.in.Social.Edit(t.Context(), b.alice.reader, post.Post.ID, social.Draft{Text: "canarytwo " + b.handle("bob")}); err != nil {
		t.Fatal(err)
	}
	b.net.Settle()
	inbox := func(name string) string {
		return strings.TrimPrefix(b.person(name).reader.Account.InboxURI, b.sites[sisterSite].in.Config.PublicURL)
	}
	for word, want := range map[string]map[string]int{"canaryone": {inbox("bob"): 1, inbox("beate"): 1}, "canarytwo": {inbox("bob"): 1}} {
		for target, n := range b.deliveries(b.sites[sisterSite].host(), word) {
			if n != want[target] {
				t.Errorf("%s went to %s %d times, want %d", word, target, n, want[target])
			}
		}
		for target := range want {
			if b.deliveries(b.sites[sisterSite].host(), word)[target] == 0 {
				t.Errorf("%s did not go to %s", word, target)
			}
		}
	}
	b.wants("direct", "canary", true, false, false)
}

// deliveries counts by their inbox the activities with a word.
func (b *board) deliveries(to, word string) map[string]int {
	n := map[string]int{}
	for _, e := range b.wire.All() {
		if e.To == to && e.Method == http.MethodPost && bytes.Contains(e.Sent, []byte(word)) {
			n[e.Target]++
		}
	}
	return n
}

// T60, boost and quote: a share brings its address alone, and what it shares is asked
// for by each reader; so is a quote of what was narrowed since.
func TestQuotesAndBoostsShowNothingHidden(t *testing.T) {
	b := stage(t)
	inside := b.says("anna", social.Draft{Text: "canaryinside", Audience: "company"})
	open := b.says("anna", social.Draft{Text: "canaryopen", Audience: "public"})
	share := func(v *social.PostView) *social.PostView {
		s, err := b.alice.in.Social.Boost(t.Context(), b.alice.reader, v.Post.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	share(inside)
	shared := share(open)
	quote := b.says("alice", social.Draft{Text: "look", Audience: "public", QuoteOf: open.Post.ID})
	bound := b.says("alice", social.Draft{Text: "canaryquote", Audience: "public", QuoteOf: inside.Post.ID})
	b.net.Settle()
	if !bound.Clamped || bound.Post.Audience.Kind != social.AudienceCompany {
		t.Errorf("a quote of a company post is for %s, told %v", bound.Post.Audience.Label(), bound.Clamped)
	}
	b.wants("shared in the company", "canaryinside", true, false, false)
	b.wants("a quote of it", "canaryquote", true, false, false)
	anna := b.person("anna")
	if _, err := anna.in.Social.Edit(t.Context(), anna.reader, open.Post.ID, social.Draft{Text: "canarynarrow", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	for _, v := range []*social.PostView{shared, quote} {
		for _, address := range []string{"/api/v1/statuses/" + v.Post.ID.String(), "/@alice/" + v.Post.ID.String(), "/@alice"} {
			for _, accept := range []string{documents, pages} {
				if a := crawl(t, b.alice.in.Config.PublicURL+address, accept); bytes.Contains(a.body, []byte("canarynarrow")) || bytes.Contains(a.body, []byte("canaryopen")) {
					t.Errorf("%s shows what it quotes or shares: %s", address, a.body)
				}
			}
		}
	}
}

// T60, reply and edit: neither leads further than the thread, whatever was asked for,
// and the author is told.
func TestEditsAndRepliesNeverWiden(t *testing.T) {
	b := stage(t)
	root := b.says("alice", social.Draft{Text: "canaryroot", Audience: "company"})
	for _, wish := range []string{"public", "unlisted", "partner:acme"} {
		reply := b.says("anna", social.Draft{Text: "canaryreply", Audience: wish, InReplyTo: root.Post.ID})
		if !reply.Clamped || reply.Post.Audience.Kind != social.AudienceCompany {
			t.Errorf("a reply for %s became %s, told %v", wish, reply.Post.Audience.Label(), reply.Clamped)
		}
		if _, err := b.alice.in.Social.Edit(t.Context(), b.alice.reader, root.Post.ID, social.Draft{Text: "canaryroot", Audience: wish}); social.KindOf(err) != social.Invalid {
			t.Errorf("an edit for %s: %v", wish, err)
		}
	}
	b.net.Settle()
	there := b.sites[sisterSite]
	v, err := there.in.Social.PostByURI(t.Context(), b.person("bob").reader, root.Post.URI)
	if err != nil {
		t.Fatal(err)
	}
	b.says("bob", social.Draft{Text: "canarybob", Audience: "public", InReplyTo: v.Post.ID})
	b.net.Settle()
	b.wants("replies", "canaryreply", true, false, false)
	if n := b.got(partnerSite, "canary") + b.got(worldSite, "canary"); n > 0 {
		t.Errorf("%d canaries left the company", n)
	}
}

// T60, mention: naming somebody lets nobody into a post for others.
func TestNamingAPartnerLetsNobodyIn(t *testing.T) {
	b := stage(t)
	for _, audience := range []string{"instance", "company", "partner:globex"} {
		post := b.says("alice", social.Draft{Text: "canary " + b.handle("ada") + " " + b.handle("wanda"), Audience: audience})
		b.net.Settle()
		for _, name := range []string{"ada", "wanda"} {
			if a := b.person(name).fetch(post.Post.URI); a.status != 404 {
				t.Errorf("%s, whom a post for %s names, is answered %d", name, audience, a.status)
			}
		}
	}
	if n := b.got(partnerSite, "canary") + b.got(worldSite, "canary"); n > 0 {
		t.Errorf("%d canaries left the company", n)
	}
}

// In a thread for somebody's followers, only that person lets others in: a follower who
// answers and names somebody does not.
func TestNamingInAnothersThreadLetsNobodyIn(t *testing.T) {
	b := stage(t)
	root := b.says("alice", social.Draft{Text: "canaryroot", Audience: "followers"})
	b.net.Settle()
	bob := b.person("bob")
	v, err := bob.in.Social.PostByURI(t.Context(), bob.reader, root.Post.URI)
	if err != nil {
		t.Fatal(err)
	}
	reply := b.says("bob", social.Draft{Text: "canarybob " + b.handle("wanda"), Audience: "followers", InReplyTo: v.Post.ID})
	b.net.Settle()
	if n := b.got(worldSite, "canarybob"); n > 0 {
		t.Errorf("whom a follower names got it %d times", n)
	}
	if a := b.person("wanda").fetch(reply.Post.URI); a.status != 404 {
		t.Errorf("whom a follower names is answered %d", a.status)
	}
}

// T60, hashtags: a tag's page and list show what their reader may see.
func TestTagsShowWhatTheirReaderMaySee(t *testing.T) {
	b := stage(t)
	for _, audience := range []string{"direct", "followers", "instance", "company", "partner:acme", "public"} {
		b.says("alice", social.Draft{Text: "canary" + strings.ReplaceAll(audience, ":", "") + " #plan", Audience: audience})
	}
	b.net.Settle()
	for _, s := range b.sites {
		for _, path := range []string{"/tags/plan", "/api/v1/timelines/tag/plan"} {
			a := crawl(t, s.in.Config.PublicURL+path, pages)
			for _, word := range []string{"canarydirect", "canaryfollowers", "canaryinstance", "canarycompany", "canarypartneracme"} {
				if bytes.Contains(a.body, []byte(word)) {
					t.Errorf("%s of %s shows nobody %s", path, s.name, word)
				}
			}
		}
	}
	if a := crawl(t, b.alice.in.Config.PublicURL+"/tags/plan", pages); !bytes.Contains(a.body, []byte("canarypublic")) {
		t.Error("a public post has no place at its tag")
	}
}

// T60, search: by address or words, here and through other servers, nothing is found
// that is not for the one who searches, and no server is asked in the name of others.
func TestSearchFindsWhatItsReaderMaySee(t *testing.T) {
	b := stage(t)
	post := b.says("alice", social.Draft{Text: "canaryfollowers", Audience: "followers"})
	b.net.Settle() // with the words of posts
	for name, want := range map[string]bool{"bob": true, "beate": false, "ada": true, "wanda": true, "anna": false} {
		for _, q := range []string{post.Post.URI, post.Post.URL, "canaryfollowers", "#canaryfollowers"} {
			var res struct{ Statuses []any }
			b.person(name).call("GET", "/api/v2/search?resolve=true&q="+url.QueryEscape(q), nil).into(t, &res)
			found := len(res.Statuses) > 0
			if found && !want || (q == post.Post.URI || q == "canaryfollowers") && found != want {
				t.Errorf("%s searches for %s and finds it: %v, want %v", name, q, found, want)
			}
		}
	}
}

// T60, web page: the page of a public post says nothing of the hidden answers to it,
// nor of how many there are; nor does any page of its author.
func TestPagesSayNothingHidden(t *testing.T) {
	b := stage(t)
	root := b.says("alice", social.Draft{Text: "hello", Audience: "public"})
	address := b.alice.in.Config.PublicURL + "/@alice/" + root.Post.ID.String()
	places := []string{address, root.Post.URI, b.alice.in.Config.PublicURL + "/@alice", b.alice.in.Config.PublicURL + "/", b.alice.in.Config.PublicURL + "/public",
		b.alice.in.Config.PublicURL + "/@alice.atom", b.alice.in.Config.PublicURL + "/api/v1/statuses/" + root.Post.ID.String() + "/context"}
	before := map[string]string{}
	for _, place := range places {
		before[place] = string(crawl(t, place, pages).body)
	}
	for _, audience := range []string{"direct", "instance", "company", "followers", "partner:acme"} {
		b.says("anna", social.Draft{Text: "canary", Audience: audience, InReplyTo: root.Post.ID})
		b.says("alice", social.Draft{Text: "canary", Audience: audience})
	}
	b.net.Settle()
	for _, place := range places {
		if now := string(crawl(t, place, pages).body); now != before[place] {
			t.Errorf("%s changed for nobody with posts that are for others:\n%s\n%s", place, before[place], now)
		}
	}
}

// T60: a file waits for its post, and until then it is its owner's alone.
func TestUploadsWithoutAPostAreTheirOwners(t *testing.T) {
	b := stage(t)
	m, err := b.alice.in.Social.Upload(t.Context(), b.alice.reader, social.Upload{Name: "a.txt", Body: strings.NewReader("canary")})
	if err != nil {
		t.Fatal(err)
	}
	address := b.alice.in.Social.Links.Media(m.ID, false)
	for _, name := range []string{"bob", "ada", "wanda"} {
		if a := b.person(name).fetch(address); a.status != 404 {
			t.Errorf("%s is answered %d", name, a.status)
		}
	}
	if a := crawl(t, address, "*/*"); a.status != 404 {
		t.Errorf("nobody is answered %d", a.status)
	}
	var shown struct{ URL string }
	b.alice.call("GET", "/api/v1/media/"+m.ID.String(), nil).into(t, &shown)
	if a := b.alice.call("GET", shown.URL, nil); a.status != 200 || string(a.body) != "canary" {
		t.Errorf("its owner is answered %d", a.status)
	}
	if a := b.person("anna").call("GET", "/api/v1/media/"+m.ID.String(), nil); a.status != 404 {
		t.Errorf("a colleague is told of it: %d", a.status)
	}
}

// T60, NodeInfo: it says nothing of how many people and posts there are.
func TestNodeInfoCountsNobody(t *testing.T) {
	b := stage(t)
	ask := func() string {
		return string(crawl(t, b.alice.in.Config.PublicURL+"/nodeinfo/2.1", "*/*").body) +
			string(crawl(t, b.alice.in.Config.PublicURL+"/.well-known/nodeinfo", "*/*").body)
	}
	before := ask()
	b.net.Member(b.alice.in, "another")
	b.says("alice", social.Draft{Text: "hello", Audience: "public"})
	if now := ask(); now != before || before == "" {
		t.Errorf("%s became %s", before, now)
	}
}

// T60, Update, Delete and Tombstone: they go where the post is, whatever the zone is
// now, and nowhere else; who never had it learns nothing from its tombstone.
func TestRetractionsGoToWhoeverHasThePost(t *testing.T) {
	b := stage(t)
	world := b.sites[worldSite]
	// What waited while the world was blocked, and is deleted now, it never had.
	never := b.says("alice", social.Draft{Text: "canarywaited", Audience: "public"})
	b.net.Zone(b.alice.in, world.in, social.Zone{Kind: social.ZoneBlocked})
	b.net.Settle()
	b.net.Zone(b.alice.in, world.in, social.Zone{Kind: social.ZonePublic})
	if _, err := b.alice.in.Social.Delete(t.Context(), b.alice.reader, never.Post.ID); err != nil {
		t.Fatal(err)
	}
	b.net.Settle()
	if n := b.got(worldSite, never.Post.URI); n > 0 {
		t.Errorf("the world is told %d times of a post that it never had", n)
	}
	for _, z := range []social.ZoneKind{social.ZonePublic, social.ZoneBlocked} {
		public := b.says("alice", social.Draft{Text: "canarypublic", Audience: "public"})
		inside := b.says("alice", social.Draft{Text: "canaryinside", Audience: "company"})
		b.net.Settle()
		b.net.Zone(b.alice.in, world.in, social.Zone{Kind: z})
		for _, v := range []*social.PostView{public, inside} {
			if _, err := b.alice.in.Social.Edit(t.Context(), b.alice.reader, v.Post.ID, social.Draft{Text: "canaryedited"}); err != nil {
				t.Fatal(err)
			}
			if _, err := b.alice.in.Social.Delete(t.Context(), b.alice.reader, v.Post.ID); err != nil {
				t.Fatal(err)
			}
		}
		b.net.Settle()
		if n := len(b.deliveries(world.host(), public.Post.URI+`"`)); n == 0 {
			t.Errorf("%s: the world keeps what it had", z)
		}
		if b.retracted(world.host(), public.Post.URI) != 1 {
			t.Errorf("%s: the world is told %d times that it is gone", z, b.retracted(world.host(), public.Post.URI))
		}
		for _, site := range []int{partnerSite, worldSite} {
			if n := b.got(site, inside.Post.URI); n > 0 {
				t.Errorf("%s: %s is told of a post that it never had", z, b.sites[site].name)
			}
		}
		if b.retracted(b.sites[sisterSite].host(), inside.Post.URI) != 1 {
			t.Errorf("%s: the sister is not told", z)
		}
		if a := b.person("ada").fetch(inside.Post.URI); a.status != 404 {
			t.Errorf("%s: a partner gets the tombstone: %d", z, a.status)
		}
		b.net.Zone(b.alice.in, world.in, social.Zone{Kind: social.ZonePublic})
	}
}

// retracted counts the deletions of an object that went to a server.
func (b *board) retracted(to, uri string) (n int) {
	for _, e := range b.wire.All() {
		if e.To == to && e.Method == http.MethodPost && bytes.Contains(e.Sent, []byte(`"type":"Delete"`)) && bytes.Contains(e.Sent, []byte(`"`+uri+`"`)) {
			n++
		}
	}
	return n
}

// T60, logs and audit: at every level, with everything going well and badly, neither
// holds a word of a post, a name of a file or a description.
func TestLogsAndAuditHoldNothingOfPosts(t *testing.T) {
	k := &instancetest.Log{}
	b := newStage(t, instancetest.Options{Log: k.Text()}, "a alice anna", "b bob beate", "acme ada", "world wanda")
	b.sites = append(b.sites, b.sites[worldSite]) // the table has two partners
	for audience := range table() {
		m, err := b.alice.in.Social.Upload(t.Context(), b.alice.reader, social.Upload{Name: "canary.txt", Description: "canary", Body: strings.NewReader("canary")})
		if err != nil {
			t.Fatal(err)
		}
		v := b.says("alice", social.Draft{Text: "canary " + b.handle("bob"), Summary: "canary", Audience: audience, MediaIDs: []social.ID{m.ID}})
		b.net.Settle()
		for _, name := range []string{"bob", "ada", "wanda"} {
			b.person(name).fetch(v.Post.URI)
		}
		if _, err := b.alice.in.Social.Edit(t.Context(), b.alice.reader, v.Post.ID, social.Draft{Text: "canary again"}); err != nil {
			t.Fatal(err)
		}
		b.net.Zone(b.alice.in, b.sites[partnerSite].in, social.Zone{Kind: social.ZoneBlocked})
		b.net.Settle()
		b.net.Zone(b.alice.in, b.sites[partnerSite].in, social.Zone{Kind: social.ZonePartner, Name: "acme"})
	}
	if n := len(k.String()); n < 1000 {
		t.Errorf("%d bytes logged", n)
	}
	for _, line := range k.With("canary") {
		t.Errorf("logged: %.400s", line)
	}
	for _, s := range b.sites {
		for _, table := range []string{"audit", "audit_waiting"} {
			if rows := dump(t, s.in, table); strings.Contains(rows, "canary") {
				t.Errorf("the %s of %s holds a canary", table, s.name)
			} else if table == "audit" && s.name == "a" && len(rows) < 100 {
				t.Error("nothing is audited")
			}
		}
	}
}

// dump writes out a table.
func dump(t testing.TB, in *instance.Instance, table string) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(in.Config.DataDir, "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing was written
	rows, err := db.Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err says whether all were read
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			fmt.Fprint(&out, v, " ")
		}
		out.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// T60, caches: nothing that differs by its reader may lie in a cache that others share.
// A feed does not: it is that of everybody for all.
func TestNoSharedCacheKeepsAnswers(t *testing.T) {
	v := newVault(t)
	post, err := v.in.Social.Publish(t.Context(), v.alice.reader, social.Draft{Text: "hello #open", Audience: "public"})
	if err != nil {
		t.Fatal(err)
	}
	alice := v.alice.reader.Account.ID.String()
	n := 0
	for _, route := range routes(t, v.in) {
		path, ok := strings.CutPrefix(route, "GET ")
		if !ok || audiences[route] == everybody || strings.HasSuffix(path, ".atom") || strings.HasSuffix(path, ".rss") || streams(path) {
			continue
		}
		id := alice
		if strings.Contains(path, "/statuses/{id}") || strings.Contains(path, "/posts/{id}") || strings.Contains(path, "/@{name}/{id}") {
			id = post.Post.ID.String()
		}
		path = strings.NewReplacer("{id}", id, "{author}", alice, "{post}", post.Post.ID.String(), "{name}", "alice", "{tag}", "open", "{audience}", "acme").Replace(path)
		for _, who := range others {
			for _, accept := range []string{documents, pages} {
				a := send(t, v.readers[who]("GET", v.in.Config.PublicURL+path, accept), who)
				cache := a.header.Get("Cache-Control")
				if !strings.Contains(cache, "private") && !strings.Contains(cache, "no-store") && a.status != 303 && a.status != 405 {
					t.Errorf("%s for %s as %s: %d with Cache-Control %q", route, who, accept, a.status, cache)
				}
				n++
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d answers", n)
	}
}

// T60: whom the author blocks is given nothing by a signed request, public or not.
func TestBlockedPeopleFetchNothing(t *testing.T) {
	b := stage(t)
	wanda := b.person("wanda")
	post := b.says("alice", social.Draft{Text: "canary", Audience: "public"})
	if a := wanda.fetch(post.Post.URI); a.status != 200 {
		t.Fatalf("answered %d", a.status)
	}
	known, err := b.alice.in.Social.FindHandle(t.Context(), b.alice.reader, strings.TrimPrefix(b.handle("wanda"), "@"))
	if err == nil {
		_, err = b.alice.in.Social.Block(t.Context(), b.alice.reader, known.ID, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{post.Post.URI, post.Post.URI + "/activity", b.alice.in.Config.PublicURL + "/contexts/" + post.Post.ID.String()} {
		if a := wanda.fetch(address); a.status != 404 {
			t.Errorf("%s: %d", address, a.status)
		}
	}
	if a := wanda.fetch(b.alice.reader.Account.OutboxURI + "?page=true"); bytes.Contains(a.body, []byte("canary")) {
		t.Errorf("the outbox shows it: %s", a.body)
	}
}

// Done when (2): with 10,000 company posts waiting for a sister that is put into the
// zone public, none leaves any more; what had arrived is taken back.
func TestDemotedSisterGetsNothingThatWaits(t *testing.T) {
	b := newStage(t, instancetest.Options{}, "a alice", "b bob")
	sister := b.sites[sisterSite]
	var arrived []*social.PostView
	for range 20 {
		arrived = append(arrived, b.says("alice", social.Draft{Text: "canaryearly", Audience: "company"}))
	}
	b.net.Settle()
	before := b.got(sisterSite, "canary")
	if before < 20 {
		t.Fatalf("%d arrived", before)
	}
	waiting := instancetest.Many(t, 10_000, 1_000)
	if testing.Short() {
		waiting = 500
	}
	var writers sync.WaitGroup // the writer commits together what comes together
	for range 20 {
		writers.Go(func() {
			for range waiting / 20 {
				if _, err := b.alice.in.Social.Publish(t.Context(), b.alice.reader, social.Draft{Text: "canarylate", Audience: "company"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if err := b.alice.in.Social.SetZone(t.Context(), sister.host(), social.Zone{Kind: social.ZonePublic}, "sold", "test"); err != nil {
		t.Fatal(err)
	}
	for _, v := range arrived {
		if _, err := b.alice.in.Social.Delete(t.Context(), b.alice.reader, v.Post.ID); err != nil {
			t.Fatal(err)
		}
	}
	b.net.Settle()
	if n := b.got(sisterSite, "canarylate"); n > 0 {
		t.Errorf("%d of %d went out after the demotion", n, waiting)
	}
	if n := b.got(sisterSite, "canary") - before; n > 0 {
		t.Errorf("%d canaries went out after the demotion", n)
	}
	for _, v := range arrived {
		if b.retracted(sister.host(), v.Post.URI) == 0 {
			t.Errorf("%s was not taken back", v.Post.URI)
		}
	}
	if _, err := sister.in.Social.PostByURI(t.Context(), b.person("bob").reader, arrived[0].Post.URI); social.KindOf(err) != social.NotFound {
		t.Errorf("the sister still shows it: %v", err)
	}
}

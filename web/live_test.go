package web_test

import (
	"bufio"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// happening is one event that a page was told.
type happening struct{ name, data string }

// watch opens a page's stream; the channel closes when it ends.
func (v *visitor) watch(path string) <-chan happening {
	v.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	v.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", v.in.Config.PublicURL+path, nil)
	if err != nil {
		v.Fatal(err)
	}
	res, err := v.client.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	if kind := res.Header.Get("Content-Type"); res.StatusCode != 200 || kind != "text/event-stream" {
		v.Fatalf("%s: %d %s", path, res.StatusCode, kind)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	lines.Scan() // the first comment: from here on nothing is missed
	out := make(chan happening, 100)
	go func() {
		defer close(out)
		defer res.Body.Close() //nolint:errcheck // only read
		var h happening
		for lines.Scan() {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); {
			case name == "event":
				h.name = value
			case name == "data":
				h.data += value + "\n"
			case lines.Text() == "" && h.name != "":
				out <- h
				h = happening{}
			}
		}
	}()
	return out
}

var contentOf = regexp.MustCompile(`(?s)<div class="content"[^>]*>(.*?)</div>`)

// until lists what a page is told up to the post with a text.
func until(t *testing.T, told <-chan happening, last string) (got []string) {
	t.Helper()
	for h := range told {
		what := h.name + " " + strings.TrimSpace(h.data)
		if m := contentOf.FindStringSubmatch(h.data); m != nil {
			what = h.name + " " + strings.TrimSpace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[1], ""))
		}
		if what == "posted "+last {
			return got
		}
		got = append(got, what)
	}
	t.Fatalf("the stream ended before %q: %v", last, got)
	return nil
}

// What a filter folds up or hides in a list, it does with what comes to the list by itself.
func TestFiltersHoldWhatComesLive(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v := newVisitor(t, in, "en").as(alice)
	for title, action := range map[string]string{"Football": "warn", "Gossip": "hide"} {
		if _, err := in.Social.ChangeFilter(t.Context(), alice, 0, func(f *social.Filter) error {
			f.Title, f.Action, f.Places = title, action, []social.FilterPlace{social.InPublic}
			f.Keywords = []social.FilterKeyword{{Keyword: strings.ToLower(title), WholeWord: true}}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	told := v.watch("/live?of=company")
	for _, text := range []string{"some gossip", "some football", "some work"} {
		if _, err := in.Social.Publish(t.Context(), bob, social.Draft{Text: text, Audience: "company"}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := <-told, <-told
	if !strings.Contains(first.data, "some football") || !strings.Contains(first.data, "<summary>Filtered: Football") {
		t.Errorf("not folded up: %s", first.data)
	}
	if !strings.Contains(second.data, "some work") || strings.Contains(second.data, "<summary>Filtered") {
		t.Errorf("%s", second.data)
	}
}

// What somebody chose and did not send yet stays chosen when the post changes meanwhile.
func TestAChangeKeepsWhatWasChosen(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	asked, err := in.Social.Publish(ctx, alice, social.Draft{Text: "which day?", Audience: "company", Poll: &social.PollDraft{Options: []string{"Monday", "Tuesday"}, ExpiresIn: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	b := window(t, chromium, in.Config.PublicURL, true)
	text, err := in.Auth.Begin(ctx, bob.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.cookie(web.CookieName(in.Config.Domain), text)
	b.open("/company")
	b.choose("Tuesday")
	if _, err := in.Social.Edit(ctx, alice, asked.Post.ID, social.Draft{Text: "which day suits you?", Poll: &social.PollDraft{Options: []string{"Monday", "Tuesday"}, ExpiresIn: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	b.appears("which day suits you?")
	if !b.is(`[...document.querySelectorAll("main input:checked")].some(one => one.closest("label").innerText.includes("Tuesday"))`) {
		t.Error("the choice is lost")
	}
	if !b.is(`document.activeElement.closest("label")?.innerText.includes("Tuesday")`) {
		t.Error("the focus went elsewhere")
	}
	b.act(within("which day"), "Vote", "ul.poll")
	b.says("your vote")
}

// A page that is looked at is told what the page would show when opened now, and no
// more (T60).
func TestAPageHearsWhatItsReaderMaySee(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := t.Context()
	alice, bob, carol := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(in, "carol")
	if _, err := in.Social.Follow(ctx, bob, alice.Account.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	write := func(r social.Reader, d social.Draft) *social.PostView {
		t.Helper()
		v, err := in.Social.Publish(ctx, r, d)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	asked := write(alice, social.Draft{Text: "when?", Audience: "followers"})
	b, c := newVisitor(t, in, "en").as(bob), newVisitor(t, in, "en").as(carol)
	home, here, thread, quiet := b.watch("/live?of=home"), c.watch("/live?of=here"), b.watch("/live?of=thread&post="+asked.Post.ID.String()), b.watch("/live?of=")
	for _, path := range []string{"/live?of=thread&post=" + asked.Post.ID.String(), "/live?of=thread&post=1", "/live?of=thread", "/live?of=everything"} {
		c.get(path, 404)
	}

	mine := write(alice, social.Draft{Text: "for followers", Audience: "followers"})
	write(alice, social.Draft{Text: "to carol @carol", Audience: "direct"})
	write(alice, social.Draft{Text: "to bob @bob", Audience: "direct"})
	answer := write(bob, social.Draft{Text: "at noon", Audience: "followers", InReplyTo: asked.Post.ID})
	hostile := "first\nevent: deleted\ndata: 1\n\nevent: deleted\n\nlast"
	write(alice, social.Draft{Text: hostile, Audience: "instance"})
	write(alice, social.Draft{Text: "the middle of it", Audience: "followers", InReplyTo: asked.Post.ID})
	write(alice, social.Draft{Text: "the middle", Audience: "instance"})
	// A post is shown as it is at that moment: it is read before it changes.
	homeFirst, hereFirst, threadFirst := until(t, home, "the middle"), until(t, here, "the middle"), until(t, thread, "the middle of it")
	if _, err := in.Social.Edit(ctx, bob, answer.Post.ID, social.Draft{Text: "at one", Audience: "followers"}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Delete(ctx, alice, mine.Post.ID); err != nil {
		t.Fatal(err)
	}
	write(alice, social.Draft{Text: "the end", Audience: "instance"})
	write(alice, social.Draft{Text: "the end of it", Audience: "followers", InReplyTo: asked.Post.ID})

	same := func(who string, got []string, want ...string) {
		t.Helper()
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s was told\n%s\nwant\n%s", who, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	deleted := "deleted " + mine.Post.ID.String()
	said := strings.Join(strings.Fields(hostile), " ")
	flat := func(list []string) []string {
		for i, one := range list {
			list[i] = strings.Join(strings.Fields(one), " ")
		}
		return list
	}
	same("bob at home", flat(append(homeFirst, until(t, home, "the end")...)), "posted for followers", "told 1 1 unread", "posted at noon", "posted "+said, "posted the middle of it", "edited at one", deleted)
	same("carol here", flat(append(hereFirst, until(t, here, "the end")...)), "told 1 1 unread", "posted "+said)
	same("bob in the thread", flat(append(threadFirst, until(t, thread, "the end of it")...)), "told 1 1 unread", "posted at noon", "edited at one", deleted)

	// What happened since the page was made is heard too; of too much it is said.
	page := b.get("/", 200)
	write(alice, social.Draft{Text: "between", Audience: "instance"})
	since := ""
	for _, n := range page.elements {
		since += attr(n, "data-live")
	}
	if got := until(t, b.watch(since), "between"); len(got) != 0 {
		t.Errorf("before it the page was told %v", got)
	}
	if h := <-b.watch("/live?since=1"); h.name != "missed" {
		t.Errorf("of all time the page was told %v", h)
	}

	if err := in.Auth.EndAccess(ctx, bob.Account.ID, "test"); err != nil {
		t.Fatal(err)
	}
	for h := range quiet {
		if !strings.HasPrefix(h.name, "told") {
			t.Errorf("where no list is, a page was told %v", h)
		}
	}
	for h := range thread {
		t.Errorf("after its session a page was told %v", h)
	}
}

// The page of a community tells its members of what begins there. Who is no member, or no
// longer one, hears nothing of it on a page that is open.
func TestACommunityPageHearsItsPosts(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := t.Context()
	alice, bob, carol, dora := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(in, "carol"), net.Member(in, "dora")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	made := map[string]*social.GroupView{}
	for name, join := range map[string]string{"tools": "request", "board": "closed"} {
		g, err := in.Social.CreateGroup(ctx, alice, social.NewGroup{Name: name, Join: join})
		must(err)
		made[name] = g
	}
	tools := made["tools"].Account.ID
	must(in.Social.AddMember(ctx, alice, tools, bob.Account.ID))
	must(in.Social.AddMember(ctx, alice, tools, carol.Account.ID))
	write := func(r social.Reader, d social.Draft) *social.PostView {
		t.Helper()
		v, err := in.Social.Publish(ctx, r, d)
		must(err)
		return v
	}
	first := write(alice, social.Draft{Text: "welcome", Audience: "group:tools"})

	address := func(v *visitor, path string) (live, fresh string) {
		t.Helper()
		for _, n := range v.get(path, 200).elements {
			live += attr(n, "data-live")
			fresh += attr(n, "data-fresh")
		}
		return live, fresh
	}
	a, b, c, d := newVisitor(t, in, "en").as(alice), newVisitor(t, in, "en").as(bob), newVisitor(t, in, "en").as(carol), newVisitor(t, in, "en").as(dora)
	path := "/groups/" + tools.String()
	asMember, fresh := address(b, path)
	if !strings.Contains(asMember, "of=group") || fresh == "" {
		t.Fatalf("a member's page listens at %q and says %q", asMember, fresh)
	}
	asOther, fresh := address(d, path)
	if strings.Contains(asOther, "of=group") || fresh != "" {
		t.Errorf("the page of who is no member listens at %q and says %q", asOther, fresh)
	}
	if older, _ := address(b, path+"?older="+first.Post.ID.String()); strings.Contains(older, "of=group") {
		t.Errorf("a page of older posts listens at %q", older)
	}
	d.get("/live?of=group&group="+made["board"].Account.ID.String(), 404)
	d.get("/live?of=group&group=1", 404)
	d.get("/live?of=group", 404)
	watch := func(v *visitor) <-chan happening { return v.watch("/live?of=group&group=" + tools.String()) }
	runs, member, former, stranger := watch(a), b.watch(asMember), watch(c), watch(d)

	must(in.Social.RemoveMember(ctx, alice, tools, carol.Account.ID))
	write(alice, social.Draft{Text: "in another", Audience: "group:board"})
	write(alice, social.Draft{Text: "for all", Audience: "instance"})
	write(bob, social.Draft{Text: "an answer", InReplyTo: first.Post.ID})
	write(bob, social.Draft{Text: "a new saw", Audience: "group:tools"})
	var page happening
	for page = range runs {
		if page.name == "posted" {
			break
		}
	}
	if !strings.Contains(page.data, "a new saw") || !strings.Contains(page.data, "/pin-group") {
		t.Errorf("who runs it was told %v", page)
	}
	if got := until(t, member, "a new saw"); len(got) != 0 {
		t.Errorf("before the post a member was told %v", got)
	}
	write(alice, social.Draft{Text: "@carol @dora that is all", Audience: "direct"})
	for who, told := range map[string]<-chan happening{"who was removed": former, "who is no member": stranger} {
		if h := <-told; h.name != "told" {
			t.Errorf("%s was told %v", who, h)
		}
	}
}

// A post that comes to a community's page can be pinned there at once, and still after it
// was renewed in its place.
func TestNewPostsOfACommunityCanBePinned(t *testing.T) {
	chromium := startChromium(t)
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	g, err := in.Social.CreateGroup(ctx, alice, social.NewGroup{Name: "tools"})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Social.AddMember(ctx, alice, g.Account.ID, bob.Account.ID); err != nil {
		t.Fatal(err)
	}
	b := window(t, chromium, in.Config.PublicURL, true)
	text, err := in.Auth.Begin(ctx, alice.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.cookie(web.CookieName(in.Config.Domain), text)
	b.open("/groups/" + g.Account.ID.String())
	if _, err := in.Social.Publish(ctx, bob, social.Draft{Text: "a new saw", Audience: "group:tools"}); err != nil {
		t.Fatal(err)
	}
	b.appears("a new saw")
	b.act(within("a new saw"), "Like", `article.post button[aria-pressed="true"]`)
	b.waits("the answer stands there with its button", `!!document.querySelector('article.post form[action$="/unlike"]') && !!document.querySelector('article.post form[action$="/pin-group"]')`)
	b.press(within("a new saw"), "Pin")
	b.appears("Pinned")
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-mastodon"

	"parley/config"
	"parley/instance"
	"parley/social"
)

// person is a member with a client that others wrote.
type person struct {
	*mastodon.Client
	t *testing.T
	*mastodon.Account
}

func join(s *served, name string) *person {
	s.t.Helper()
	c := client(s, s.member(name))
	return &person{Client: c, t: s.t, Account: ok[*mastodon.Account](s.t)(c.GetAccountCurrentUser(s.t.Context()))}
}

func (p *person) post(toot mastodon.Toot) *mastodon.Status {
	p.t.Helper()
	return ok[*mastodon.Status](p.t)(p.PostStatus(p.t.Context(), &toot))
}

func (p *person) follow(who *person) *mastodon.Relationship {
	p.t.Helper()
	return ok[*mastodon.Relationship](p.t)(p.AccountFollow(p.t.Context(), who.ID))
}

// told lists what a person was notified of.
func (p *person) told() (kinds []string) {
	p.t.Helper()
	for _, n := range ok[[]*mastodon.Notification](p.t)(p.GetNotifications(p.t.Context(), nil)) {
		kinds = append(kinds, n.Type+" by "+n.Account.Acct)
	}
	return kinds
}

// lock has a member approve followers by hand; there is no call for that yet.
func (s *served) lock(name string) {
	s.t.Helper()
	c, err := config.Load(s.config, nil, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	in := ok[*instance.Instance](s.t)(instance.Open(s.t.Context(), c, logger(c), time.Now))
	a := ok[*social.Account](s.t)(member(s.t.Context(), in, name))
	locked := true
	ok[*social.Account](s.t)(in.Social.UpdateProfile(s.t.Context(), social.Member(a, in.Social.HomeAuthority()), social.ProfileChange{Locked: &locked}))
	if err := in.Close(); err != nil {
		s.t.Fatal(err)
	}
}

func uris(list []*mastodon.Status) (out []string) {
	for _, s := range list {
		out = append(out, s.URI)
	}
	return out
}

func accts(list []*mastodon.Account) (out []string) {
	for _, a := range list {
		out = append(out, a.Acct)
	}
	return out
}

// same compares lists whose order says nothing.
func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, not %q", what, got, want)
	}
}

// go-mastodon, a client library that others wrote, gets through what the core
// offers to programs.
func TestGoMastodon(t *testing.T) {
	s := serveTLS(t, newTrust(t))
	ann, ben, cleo := join(s, "ann"), join(s, "ben"), join(s, "cleo")
	t.Run("instance", func(t *testing.T) { describes(t, s, ann) })
	t.Run("people", func(t *testing.T) { meet(t, ann, ben) })
	t.Run("posts", func(t *testing.T) { talk(t, ann, ben) })
	t.Run("marks", func(t *testing.T) { mark(t, ann, ben) })
	t.Run("polls", func(t *testing.T) { vote(t, ann, ben) })
	t.Run("media", func(t *testing.T) { attach(t, ann) })
	s.lock("cleo")
	t.Run("follow requests", func(t *testing.T) { ask(t, ann, ben, cleo) })
	t.Run("tokens", func(t *testing.T) { unknownToken(t, s) })
	t.Run("signing in", func(t *testing.T) { signsIn(t, s) })
}

func describes(t *testing.T, s *served, ann *person) {
	v1 := ok[*mastodon.Instance](t)(ann.GetInstance(t.Context()))
	if v1.URI != s.host || !strings.HasPrefix(v1.Version, "4.") || v1.Configuration == nil || v1.Configuration.Statuses == nil {
		t.Errorf("v1: %+v", v1)
	}
	var v2 struct{ Domain, Version string }
	res, err := ann.Client.Get(s.url() + "/api/v2/instance") // go-mastodon has no call for it
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(res.Body).Decode(&v2); err != nil || v2.Domain != s.host || v2.Version != v1.Version {
		t.Errorf("v2: %v %+v", err, v2)
	}
}

func meet(t *testing.T, ann, ben *person) {
	ctx := t.Context()
	if ann.Acct != "ann" || ann.Source == nil {
		t.Errorf("ann is %+v", ann.Account)
	}
	if a := ok[*mastodon.Account](t)(ann.AccountLookup(ctx, "ben")); a.ID != ben.ID {
		t.Errorf("looked up %s, not %s", a.ID, ben.ID)
	}
	if a := ok[*mastodon.Account](t)(ann.GetAccount(ctx, ben.ID)); a.Acct != "ben" {
		t.Errorf("shown %s", a.Acct)
	}
	same(t, "search for accounts", accts(ok[[]*mastodon.Account](t)(ann.AccountsSearch(ctx, "be", 5))), "ben")
	if r := ann.follow(ben); !r.Following {
		t.Errorf("after following: %+v", r)
	}
	if r := ok[[]*mastodon.Relationship](t)(ben.GetAccountRelationships(ctx, []string{string(ann.ID)})); len(r) != 1 || !r[0].FollowedBy || r[0].Following {
		t.Errorf("ben to ann: %+v", r)
	}
	same(t, "followers", accts(ok[[]*mastodon.Account](t)(ann.GetAccountFollowers(ctx, ben.ID, nil))), "ann")
	same(t, "following", accts(ok[[]*mastodon.Account](t)(ann.GetAccountFollowing(ctx, ann.ID, nil))), "ben")
	same(t, "ben is told", ben.told(), "follow by ann")
	if n := ok[[]*mastodon.Notification](t)(ben.GetNotifications(ctx, nil))[0]; ok[*mastodon.Notification](t)(ben.GetNotification(ctx, n.ID)).ID != n.ID {
		t.Error("one notification is another")
	}
	if err := ben.ClearNotifications(ctx); err != nil || len(ben.told()) != 0 {
		t.Errorf("clearing: %v, %v", err, ben.told())
	}
	if r := ok[*mastodon.Relationship](t)(ann.AccountUnfollow(ctx, ben.ID)); r.Following {
		t.Errorf("after unfollowing: %+v", r)
	}
	ann.follow(ben)
}

func talk(t *testing.T, ann, ben *person) {
	ctx := t.Context()
	post := ben.post(mastodon.Toot{Status: "The #boiler is fixed", Visibility: "public", Language: "en", SpoilerText: "heating"})
	if post.Visibility != "public" || post.Language != "en" || post.SpoilerText != "heating" || len(post.Tags) != 1 || post.Account.ID != ben.ID {
		t.Errorf("posted %+v", post)
	}
	reply := ann.post(mastodon.Toot{Status: "@ben at last", InReplyToID: post.ID, Visibility: "public"})
	if len(reply.Mentions) != 1 || reply.Mentions[0].ID != ben.ID || reply.InReplyToID != string(post.ID) {
		t.Errorf("replied %+v", reply)
	}
	context := ok[*mastodon.Context](t)(ann.GetStatusContext(ctx, reply.ID))
	same(t, "above the reply", uris(context.Ancestors), post.URI)
	same(t, "below the post", uris(ok[*mastodon.Context](t)(ben.GetStatusContext(ctx, post.ID)).Descendants), reply.URI)
	same(t, "ann's home", uris(ok[[]*mastodon.Status](t)(ann.GetTimelineHome(ctx, nil))), post.URI, reply.URI)
	same(t, "public timeline", uris(ok[[]*mastodon.Status](t)(ann.GetTimelinePublic(ctx, true, nil))), post.URI)
	same(t, "hashtag", uris(ok[[]*mastodon.Status](t)(ann.GetTimelineHashtag(ctx, "boiler", false, nil))), post.URI)
	same(t, "ben's posts", uris(ok[[]*mastodon.Status](t)(ann.GetAccountStatuses(ctx, ben.ID, nil))), post.URI)
	same(t, "ben is told", ben.told(), "follow by ann", "mention by ann")

	edited := ok[*mastodon.Status](t)(ben.UpdateStatus(ctx, &mastodon.Toot{Status: "The #boiler works"}, post.ID))
	if !strings.Contains(edited.Content, "works") || edited.EditedAt.IsZero() {
		t.Errorf("edited %+v", edited)
	}
	if source := ok[*mastodon.Source](t)(ben.GetStatusSource(ctx, post.ID)); source.Text != "The #boiler works" {
		t.Errorf("source %+v", source)
	}
	found := ok[*mastodon.Results](t)(ann.Search(ctx, "@ben", true))
	same(t, "search", accts(found.Accounts), "ben")
	if err := ann.DeleteStatus(ctx, post.ID); !missing(err) {
		t.Errorf("ann deletes ben's post: %v", err)
	}
	if err := ann.DeleteStatus(ctx, reply.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := ben.GetStatus(ctx, reply.ID); !missing(err) {
		t.Errorf("what was deleted: %v", err)
	}
	pages(t, ann, ben)
}

// pages walks a timeline by what the Link header says, newest first and each once.
func pages(t *testing.T, ann, ben *person) {
	var want []string
	for range 5 {
		want = append(want, ben.post(mastodon.Toot{Status: "one of several", Visibility: "public"}).URI)
	}
	slices.Reverse(want)
	var got []string
	for page := (&mastodon.Pagination{Limit: 2}); len(got) < len(want); {
		list := ok[[]*mastodon.Status](t)(ann.GetTimelineHome(t.Context(), page))
		got = append(got, uris(list)...)
		if page.MaxID == "" || len(list) == 0 {
			break
		}
		page = &mastodon.Pagination{Limit: 2, MaxID: page.MaxID}
	}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("page by page: %q, not %q", got, want)
	}
}

func mark(t *testing.T, ann, ben *person) {
	ctx := t.Context()
	if err := ben.ClearNotifications(ctx); err != nil {
		t.Fatal(err)
	}
	post := ben.post(mastodon.Toot{Status: "cake in the kitchen", Visibility: "public"})
	if s := ok[*mastodon.Status](t)(ann.Favourite(ctx, post.ID)); s.Favourited != true || s.FavouritesCount != 1 {
		t.Errorf("favourited %+v", s)
	}
	boost := ok[*mastodon.Status](t)(ann.Reblog(ctx, post.ID))
	if boost.Reblog == nil || boost.Reblog.ID != post.ID || boost.Reblog.Reblogged != true {
		t.Errorf("boosted %+v", boost)
	}
	if s := ok[*mastodon.Status](t)(ann.Bookmark(ctx, post.ID)); s.Bookmarked != true {
		t.Errorf("bookmarked %+v", s)
	}
	same(t, "favourites", uris(ok[[]*mastodon.Status](t)(ann.GetFavourites(ctx, nil))), post.URI)
	same(t, "bookmarks", uris(ok[[]*mastodon.Status](t)(ann.GetBookmarks(ctx, nil))), post.URI)
	same(t, "favourited by", accts(ok[[]*mastodon.Account](t)(ben.GetFavouritedBy(ctx, post.ID, nil))), "ann")
	same(t, "boosted by", accts(ok[[]*mastodon.Account](t)(ben.GetRebloggedBy(ctx, post.ID, nil))), "ann")
	same(t, "ben is told", ben.told(), "favourite by ann", "reblog by ann")
	for _, undo := range []func(context.Context, mastodon.ID) (*mastodon.Status, error){ann.Unfavourite, ann.Unreblog, ann.Unbookmark} {
		ok[*mastodon.Status](t)(undo(ctx, post.ID))
	}
	s := ok[*mastodon.Status](t)(ann.GetStatus(ctx, post.ID))
	if s.Favourited != false || s.Reblogged != false || s.Bookmarked != false || s.FavouritesCount != 0 || s.ReblogsCount != 0 {
		t.Errorf("after taking all back: %+v", s)
	}
}

func vote(t *testing.T, ann, ben *person) {
	poll := ben.post(mastodon.Toot{Status: "Tea or coffee?", Visibility: "public",
		Poll: &mastodon.TootPoll{Options: []string{"tea", "coffee"}, ExpiresInSeconds: 3600}}).Poll
	if poll == nil || len(poll.Options) != 2 || poll.Expired {
		t.Fatalf("asked %+v", poll)
	}
	if p := ok[*mastodon.Poll](t)(ann.PollVote(t.Context(), poll.ID, 1)); !p.Voted || !slices.Equal(p.OwnVotes, []int{1}) {
		t.Errorf("voted %+v", p)
	}
	if p := ok[*mastodon.Poll](t)(ben.GetPoll(t.Context(), poll.ID)); p.VotesCount != 1 || p.VotersCount != 1 || p.Options[1].VotesCount != 1 || p.Options[1].Title != "coffee" {
		t.Errorf("counted %+v", p)
	}
}

func attach(t *testing.T, ann *person) {
	ctx := t.Context()
	picture := ok[*mastodon.Attachment](t)(ann.UploadMediaFromMedia(ctx, &mastodon.Media{File: bytes.NewReader(drawing(t)), Description: "a red field", Focus: "0.5,-0.5"}))
	if picture.Type != "image" || picture.Description != "a red field" || picture.BlurHash == "" || picture.Meta.Original.Width != 40 || picture.Meta.Focus.X != 0.5 {
		t.Errorf("uploaded %+v", picture)
	}
	if err := ann.GetMediaStatus(ctx, picture); err != nil {
		t.Error(err)
	}
	paper := ok[*mastodon.Attachment](t)(ann.UploadMediaFromBytes(ctx, []byte("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")))
	if paper.Type != "unknown" {
		t.Errorf("a PDF is %+v", paper)
	}
	post := ann.post(mastodon.Toot{Status: "see for yourself", Visibility: "public", MediaIDs: []mastodon.ID{picture.ID, paper.ID}})
	if len(post.MediaAttachments) != 2 {
		t.Fatalf("attached %+v", post.MediaAttachments)
	}
	for _, a := range post.MediaAttachments {
		res, err := ann.Client.Get(a.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 200 {
			t.Errorf("%s is answered with %d", a.URL, res.StatusCode)
		}
	}
}

func drawing(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range 40 * 30 {
		m.Set(i%40, i/40, color.RGBA{R: 200, A: 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ask(t *testing.T, ann, ben, cleo *person) {
	ctx := t.Context()
	for _, p := range []*person{ann, ben} {
		if r := p.follow(cleo); r.Following || !r.Requested {
			t.Errorf("%s asked: %+v", p.Acct, r)
		}
	}
	same(t, "cleo is asked by", accts(ok[[]*mastodon.Account](t)(cleo.GetFollowRequests(ctx, nil))), "ann", "ben")
	if err := cleo.FollowRequestAuthorize(ctx, ann.ID); err != nil {
		t.Fatal(err)
	}
	if err := cleo.FollowRequestReject(ctx, ben.ID); err != nil {
		t.Fatal(err)
	}
	same(t, "cleo is followed by", accts(ok[[]*mastodon.Account](t)(cleo.GetAccountFollowers(ctx, cleo.ID, nil))), "ann")
	if n := len(ok[[]*mastodon.Account](t)(cleo.GetFollowRequests(ctx, nil))); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// signsIn: a program registers itself, has its own token for what everybody may read, and
// gets its user's by the code that the consent gives.
func signsIn(t *testing.T, s *served) {
	ctx := t.Context()
	s.create("dora")
	app := ok[*mastodon.Application](t)(mastodon.RegisterApp(ctx, &mastodon.AppConfig{Client: *s.trust.client, Server: s.url(), ClientName: "Crier", Scopes: "read write", RedirectURIs: "urn:ietf:wg:oauth:2.0:oob"}))
	c := mastodon.NewClient(&mastodon.Config{Server: s.url(), ClientID: app.ClientID, ClientSecret: app.ClientSecret})
	c.Client = *s.trust.client
	if err := c.GetAppAccessToken(ctx, app.RedirectURI); err != nil {
		t.Fatal(err)
	}
	if mine := ok[*mastodon.ApplicationVerification](t)(c.VerifyAppCredentials(ctx)); mine.Name != "Crier" {
		t.Errorf("%+v", mine)
	}
	if _, err := c.GetAccountCurrentUser(ctx); err == nil || !strings.Contains(err.Error(), "422") {
		t.Errorf("an app without a user: %v", err)
	}
	if err := c.GetUserAccessToken(ctx, s.consent("dora", app.AuthURI), app.RedirectURI); err != nil {
		t.Fatal(err)
	}
	if me := ok[*mastodon.Account](t)(c.GetAccountCurrentUser(ctx)); me.Username != "dora" {
		t.Errorf("%+v", me)
	}
	ok[*mastodon.Status](t)(c.PostStatus(ctx, &mastodon.Toot{Status: "cried"}))
}

// create makes a person with a password.
func (s *served) create(name string) {
	s.t.Helper()
	create := s.command("account", "create", name, "--display-name", strings.ToUpper(name[:1])+name[1:], "--password-stdin")
	create.Stdin = strings.NewReader("correct horse battery\n")
	if out, err := create.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

// unknownToken: an error is one that the client reads as such.
func unknownToken(t *testing.T, s *served) {
	_, err := client(s, "wrong").GetAccountCurrentUser(t.Context())
	if err == nil || !strings.Contains(err.Error(), "401") || !strings.Contains(err.Error(), "access token") {
		t.Errorf("a wrong token: %v", err)
	}
}

// toot is the command-line client of Debian.
type toot struct {
	t   *testing.T
	env []string
}

// newToot signs a new member in as people do: toot registers itself and names an address,
// on whose page the member signs in, lets it in and gets a code to carry back.
func newToot(t *testing.T, s *served, name string) *toot {
	t.Helper()
	s.create(name)
	home := t.TempDir()
	c := &toot{t: t, env: append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "REQUESTS_CA_BUNDLE="+s.trust.ca, "PYTHONIOENCODING=utf-8", "PYTHONUNBUFFERED=1")}
	cmd := exec.CommandContext(t.Context(), "toot", "login", "-i", s.host)
	cmd.Env = c.env
	in, err := cmd.StdinPipe()
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
	said := bufio.NewScanner(out)
	address := ""
	for address == "" && said.Scan() {
		if strings.HasPrefix(said.Text(), s.url()+"/oauth/authorize") {
			address = said.Text()
		}
	}
	if _, err := io.WriteString(in, "n\n"+s.consent(name, address)+"\n"); err != nil {
		t.Fatal(err)
	}
	var rest strings.Builder
	for said.Scan() {
		rest.WriteString(said.Text() + "\n")
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(rest.String(), "Successfully logged in") {
		t.Fatalf("toot login: %v\n%s", err, rest.String())
	}
	return c
}

// consent signs a member in on the page that an app named, lets the app in and answers the
// code that the page shows.
func (s *served) consent(name, address string) string {
	s.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		s.t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	browser := &http.Client{Transport: s.trust.client.Transport, Jar: jar, Timeout: time.Minute}
	send := func(path string, form url.Values) string {
		s.t.Helper()
		q, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url()+path, strings.NewReader(form.Encode()))
		if err != nil {
			s.t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("Origin", s.url())
		q.Header.Set("Accept", "text/html")
		res, err := browser.Do(q)
		if err != nil {
			s.t.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // only read
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			s.t.Fatalf("%s: %d %v\n%s", path, res.StatusCode, err, text)
		}
		return string(text)
	}
	page := send("/sign-in", url.Values{"name": {name}, "password": {"correct horse battery"}, "next": {u.RequestURI()}})
	if !strings.Contains(page, `name="do" value="allow"`) {
		s.t.Fatalf("the page does not ask:\n%s", page)
	}
	yes := u.Query()
	yes.Set("do", "allow")
	yes.Set("reach", "all")
	code := regexp.MustCompile(`id="app-code"[^>]* value="([^"]+)"`).FindStringSubmatch(send("/oauth/authorize", yes))
	if code == nil {
		s.t.Fatal("no code is shown")
	}
	return code[1]
}

// does runs a command, and answers what it printed when that holds the words.
func (c *toot) does(words string, args ...string) string {
	c.t.Helper()
	cmd := exec.Command("toot", args...)
	cmd.Env = c.env
	cmd.Stdin = strings.NewReader("")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), words) {
		c.t.Errorf("toot %s: %v, without %q:\n%s", strings.Join(args, " "), err, words, out)
	}
	return string(out)
}

// A person works in a terminal on one instance with another one beside it.
func TestToot(t *testing.T) {
	if _, err := exec.LookPath("toot"); err != nil {
		t.Skip("the command toot is not installed (apt-get install toot)")
	}
	trust := newTrust(t)
	here, there := serveTLS(t, trust), serveTLS(t, trust)
	here.joinedBy(there)
	ben := join(there, "ben")
	old := ben.post(mastodon.Toot{Status: "from the other side", Visibility: "public"})
	tess := newToot(t, here, "tess")
	handle := "@ben@" + there.host

	tess.does(here.host, "instance")
	tess.does("Mastodon 4.", "instance", there.host)
	tess.does("@tess Tess", "whoami")
	tess.does(handle, "search", handle, "--resolve")
	tess.does("Ben", "whois", handle)
	tess.does("now following", "follow", handle)
	tess.does(handle, "following", "tess")
	var id string
	eventually(t, "ben's post is in her terminal", func() bool {
		out := tess.does("", "timeline", "--once")
		if !strings.Contains(out, old.Content[3:len(old.Content)-4]) {
			return false
		}
		id = regexp.MustCompile(`ID (\d+)`).FindStringSubmatch(out)[1]
		return true
	})
	tess.does("favourited", "favourite", id)
	tess.does("reblogged", "reblog", id)
	tess.does("bookmarked", "bookmark", id)
	tess.does("from the other side", "bookmarks", "--once")
	tess.does("posted", "post", handle+" heard here", "--reply-to", id)
	eventually(t, "ben is told of all that", func() bool {
		told := ben.told()
		return slices.Contains(told, "favourite by tess@"+here.host) && slices.Contains(told, "reblog by tess@"+here.host) && slices.Contains(told, "mention by tess@"+here.host)
	})
	tess.does("heard here", "thread", id)
	tess.does("unfavourited", "unfavourite", id)
	tess.does("unreblogged", "unreblog", id)
	tess.does("unbookmarked", "unbookmark", id)
	eventually(t, "ben sees it taken back", func() bool {
		s := ok[*mastodon.Status](t)(ben.GetStatus(t.Context(), old.ID))
		return s.FavouritesCount == 0 && s.ReblogsCount == 0
	})
	tessPosts(t, tess)
	tess.does("no longer following", "unfollow", handle)
}

// tessPosts writes with a picture, for some only, and deletes.
func tessPosts(t *testing.T, tess *toot) {
	picture := filepath.Join(t.TempDir(), "red.png")
	if err := os.WriteFile(picture, drawing(t), 0o600); err != nil {
		t.Fatal(err)
	}
	posted := tess.does("posted", "post", "look at #this", "--media", picture, "--description", "a red field", "--visibility", "unlisted", "--spoiler-text", "colour")
	id := regexp.MustCompile(`/(\d+)\s*$`).FindStringSubmatch(posted)
	if id == nil {
		t.Fatalf("where it is, is not said: %s", posted)
	}
	tess.does("Media:", "thread", id[1])
	tess.does("look at", "timeline", "--tag", "this", "--once")
	tess.does("pinned", "pin", id[1])
	tess.does("deleted", "delete", id[1])
	tess.does("type 'image'", "upload", picture)
	tess.does("", "notifications")
	tess.does("Cleared", "notifications", "--clear")
}

// A trial instance speaks plain http.
func TestTootOverPlainHTTP(t *testing.T) {
	if _, err := exec.LookPath("toot"); err != nil {
		t.Skip("the command toot is not installed (apt-get install toot)")
	}
	c := newChild(t)
	c.start()
	host := strings.TrimPrefix(c.url(), "http://")
	home := t.TempDir()
	(&toot{t: t, env: append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)}).does(host, "instance", host, "--disable-https")
}

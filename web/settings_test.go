package web_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/social"
)

// fetch gets a file as the visitor.
func (v *visitor) fetch(path string) []byte {
	v.Helper()
	res, err := v.client.Get(v.in.Config.PublicURL + path)
	if err != nil {
		v.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		v.Fatalf("%s: %d %v", path, res.StatusCode, err)
	}
	return b
}

// A member changes the password with the present one, sees where they are signed in and
// ends it there, but not somebody else's; this browser goes on.
func TestPasswordAndSessions(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	if err := in.Auth.SetPassword(t.Context(), alice.Account.ID, "the first password"); err != nil {
		t.Fatal(err)
	}
	v, elsewhere, other := newVisitor(t, in, "en").as(alice), newVisitor(t, in, "en").as(alice), newVisitor(t, in, "en").as(bob)
	page := v.get("/settings/security", 200).says("Where you are signed in", "this browser")
	ids := regexp.MustCompile(`name="session" value="([0-9]+)"`).FindAllStringSubmatch(page.raw, -1)
	if len(ids) != 1 {
		t.Fatalf("%d other sessions", len(ids))
	}
	other.post("/settings/security", 200, "do", "end", "session", ids[0][1])
	elsewhere.get("/settings/security", 200)
	v.post("/settings/security", 200, "do", "end", "session", ids[0][1]).says("Signed out there.")
	elsewhere.get("/settings", 200).says("Sign in", "!Settings")
	elsewhere.as(alice)
	v.post("/settings/security", 200, "do", "end")
	elsewhere.get("/settings", 200).says("Sign in", "!Settings")

	v.post("/settings/security", 422, "do", "password", "present", "something else", "password", "the next password").wrong("present").says("not your present password")
	v.post("/settings/security", 422, "do", "password", "present", "the first password", "password", "short").wrong("password")
	elsewhere.as(alice)
	v.post("/settings/security", 200, "do", "password", "present", "the first password", "password", "the next password").says("The password is changed", "this browser")
	elsewhere.get("/settings", 200).says("Sign in", "!Settings")
	if _, _, err := in.Auth.SignIn(t.Context(), "alice", "the next password", "test"); err != nil {
		t.Error(err)
	}
	v.post("/settings/security", 404, "do", "everything")
}

// How long a post can be taken back, whether single keys do something, and the picture.
func TestReadingAndPicture(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice := net.Member(in, "alice")
	v := newVisitor(t, in, "de").as(alice)
	v.get("/settings/reading", 200).says("Keine, sofort senden", "30 Sekunden")
	page := v.post("/settings/reading", 200, "undo", "10", "theme", "dark").says("Gespeichert.")
	if !strings.Contains(page.raw, `data-theme="dark" data-keys="off"`) {
		t.Errorf("theme and keys:\n%.300s", page.raw)
	}
	if page := v.post("/settings/reading", 200, "undo", "10", "theme", "", "keys", "yes"); strings.Contains(page.raw, "data-keys") {
		t.Error("keys stay switched off")
	}
	v.post("/settings/reading", 422, "undo", "99").wrong("undo")
	v.post("/settings/reading", 200, "undo", "10", "zone", "Asia/Tokyo").says("Gespeichert.")
	v.get("/settings/reading", 200).wrong("", "zone", "Asia/Tokyo")
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	due := time.Now().In(tokyo).Add(26 * time.Hour).Truncate(time.Minute)
	wall := due.Format("2006-01-02T15:04")
	v.post("/posts", 200, "text", "what time is it?", "audience", "instance", "at", wall).wrong("", "at", wall)
	if list, err := in.Social.Scheduled(t.Context(), alice, social.Page{}); err != nil || len(list) != 1 || !list[0].DueAt.Equal(due) {
		t.Errorf("it is sent at another time than %v: %+v %v", due, list, err)
	}
	v.post("/settings/reading", 200, "undo", "10", "zone", "").says("Gespeichert.")
	a, err := in.Social.Account(t.Context(), alice, alice.Account.ID)
	if err != nil || a.UndoTime().Seconds() != 10 {
		t.Errorf("%v %v", a.UndoTime(), err)
	}
	v.sendFile("/settings/picture", "me.png", picture(t), 200).says("Gespeichert.")
	if !strings.Contains(v.get("/@alice", 200).raw, `class="face" src="/media/`) {
		t.Error("the picture is not shown")
	}
	v.sendFile("/settings/picture", "x.exe", []byte("MZ\x90\x00\x03"), 422)
	if page := v.post("/settings/picture", 200, "do", "remove"); strings.Contains(page.raw, `class="face" src="/media/`) {
		t.Error("the picture is still shown")
	}
}

// For whom somebody writes goes with them into another browser and stays behind for nobody
// else; what leaves the company is not offered by itself, and a mistaken choice is said.
func TestFirstReadersGoWithTheAccount(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v := newVisitor(t, in, "en").as(alice)
	v.get("/compose", 200).wrong("", "audience", "company")
	v.post("/posts", 200, "text", "for us here", "audience", "instance")
	newVisitor(t, in, "en").as(alice).get("/compose", 200).wrong("", "audience", "instance")
	v.get("/settings/reading", 200).wrong("", "audience", "instance")
	v.post("/posts", 200, "text", "for all", "audience", "public", "outside", "yes")
	v.get("/compose", 200).wrong("", "audience", "instance")
	v.as(bob).get("/compose", 200).wrong("", "audience", "company")

	v.as(alice).post("/settings/reading", 422, "undo", "0", "audience", "public").wrong("audience")
	v.post("/settings/reading", 200, "undo", "0", "audience", "followers").says("Saved.").wrong("", "audience", "followers")
	v.get("/compose", 200).wrong("", "audience", "followers")
	v.post("/settings/reading", 200, "undo", "0", "audience", "")
	v.get("/compose", 200).wrong("", "audience", "company")

	asApp := "direct" // what only an app can choose stays chosen
	if _, err := in.Social.UpdateProfile(t.Context(), alice, social.ProfileChange{DefaultAudience: &asApp}); err != nil {
		t.Fatal(err)
	}
	v.post("/settings/reading", 200, "undo", "0", "audience", "direct").wrong("", "audience", "direct")
	group := "group:anybody"
	if _, err := in.Social.UpdateProfile(t.Context(), alice, social.ProfileChange{DefaultAudience: &group}); social.KindOf(err) != social.Invalid {
		t.Errorf("a community is taken for every post: %v", err)
	}
}

// What a profile says of itself is written line by line; the form shows what was typed, an
// empty line goes, and a mark stays as long as the line says the same.
func TestProfileLines(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	alice := net.Member(in, "alice")
	v := newVisitor(t, in, "en").as(alice)
	v.post("/settings", 200, "language", "en", "line-2", "Team", "says-2", "Logistics & more", "line-3", "Website", "says-3", "https://alice.example/me").says("Team", "Logistics & more", "Website", "!Verified")
	if page := v.get("/@alice", 200); !strings.Contains(page.raw, `href="https://alice.example/me"`) {
		t.Error("the address is no link")
	}
	v.get("/settings", 200).wrong("", "line-1", "Team", "says-1", "Logistics & more", "line-2", "Website", "says-2", "https://alice.example/me", "line-3", "")

	proved := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
	if err := in.Social.Store.Tx(ctx, func(tx social.Tx) error {
		a, err := tx.Account(ctx, alice.Account.ID)
		if err != nil {
			return err
		}
		a.Fields[1].VerifiedAt = proved
		return tx.UpdateAccount(ctx, a)
	}); err != nil {
		t.Fatal(err)
	}
	v.get("/settings", 200).says("Verified on 31 Mar 2026")
	v.post("/settings", 200, "language", "en", "line-1", "Site", "says-1", "https://alice.example/me").says("Site", "Verified on 31 Mar 2026", "!Team")
	v.post("/settings", 200, "language", "en", "line-1", "Site", "says-1", "https://alice.example/other").says("!Verified")
	v.post("/settings", 200, "language", "en").says("!Site")
}

// A member takes along what they wrote, whom they follow and what they kept; nobody
// else's, and nothing that is hidden from them by now (T60: exports).
func TestTakingDataAlong(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], t.Context()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v := newVisitor(t, in, "en").as(alice)
	for range 45 { // more than a page
		if _, err := in.Social.Publish(ctx, alice, social.Draft{Text: `to **myself** "quoted"`, Audience: "direct"}); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := in.Social.Publish(ctx, bob, social.Draft{Text: "of bob", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Bookmark(ctx, alice, kept.Post.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Follow(ctx, alice, bob.Account.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	v.get("/settings/data", 200).says("Take it along")
	var posts []struct{ Text, Readers, URL string }
	if err := json.Unmarshal(v.fetch("/settings/data/posts.json"), &posts); err != nil {
		t.Fatal(err)
	}
	if len(posts) != 45 || posts[0].Text != `to **myself** "quoted"` || posts[0].Readers != "direct" {
		t.Errorf("%d posts, %+v", len(posts), posts[:1])
	}
	table := func(path string) [][]string {
		rows, err := csv.NewReader(strings.NewReader(string(v.fetch(path)))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if rows := table("/settings/data/following.csv"); len(rows) != 2 || rows[1][0] != "bob@"+in.Config.Domain {
		t.Errorf("%v", rows)
	}
	if rows := table("/settings/data/bookmarks.csv"); len(rows) != 1 || rows[0][0] != kept.Post.URI {
		t.Errorf("%v", rows)
	}
	// What is hidden by now is not taken along, though it was kept before.
	if _, err := in.Social.Block(ctx, bob, alice.Account.ID, true); err != nil {
		t.Fatal(err)
	}
	if rows := table("/settings/data/bookmarks.csv"); len(rows) != 0 {
		t.Errorf("a post that is hidden now is taken along: %v", rows)
	}
	v.get("/settings/data/everything.json", 404)

	// The rest, each in its file, and all of it in one with the uploads.
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	carol, dora := net.Member(in, "carol"), net.Member(in, "dora")
	_, err = in.Social.Mute(ctx, alice, carol.Account.ID, true)
	must(err)
	_, err = in.Social.Block(ctx, alice, dora.Account.ID, true)
	must(err)
	must(in.Social.BlockDomain(ctx, alice, "noise.example", true))
	v.post("/settings/filters", 200, "title", "Football", "words", "free kick", "in_home", "yes")
	v.post("/tags/plan/follow", 200)
	erin := net.Member(in, "erin")
	_, err = in.Social.Follow(ctx, alice, erin.Account.ID, social.FollowOptions{})
	must(err)
	title := "the team, all"
	team, err := in.Social.CreateList(ctx, alice, social.ListChange{Title: &title})
	must(err)
	must(in.Social.SetInList(ctx, alice, team.ID, []social.ID{erin.Account.ID}, true))
	v.post("/settings", 200, "language", "en", "line-1", "Team", "says-1", "Logistics & more")
	image := picture(t)
	v.upload("pic.png", image, 200, "text", "with a picture", "audience", "company", "description", "grey")
	at := "@" + in.Config.Domain
	for file, want := range map[string]string{"mutes.csv": "Account address,Hide notifications\ncarol" + at + ",true\n", "blocks.csv": "dora" + at + "\n", "domain_blocks.csv": "noise.example\n",
		"followed_tags.csv": "plan\n", "lists.csv": "\"the team, all\",erin" + at + "\n"} {
		if got := string(v.fetch("/settings/data/" + file)); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	if got := string(v.fetch("/settings/data/filters.json")); !strings.Contains(got, `"keyword":"free kick"`) {
		t.Errorf("filters: %s", got)
	}
	whole := v.fetch("/settings/data/archive.zip")
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	must(err)
	packed, uploads := map[string]string{}, 0
	for _, f := range z.File {
		r, err := f.Open()
		must(err)
		b, err := io.ReadAll(r)
		must(err)
		packed[f.Name] = string(b)
		if strings.HasPrefix(f.Name, "media/") && strings.HasPrefix(http.DetectContentType(b), "image/") && strings.Contains(f.Name, ".") {
			uploads++
		}
	}
	for _, file := range []string{"profile.json", "posts.json", "filters.json", "following.csv", "lists.csv", "bookmarks.csv", "bookmark_notes.csv", "followed_tags.csv", "mutes.csv", "blocks.csv", "domain_blocks.csv"} {
		if got := string(v.fetch("/settings/data/" + file)); packed[file] != got || got == "" && !strings.HasPrefix(file, "bookmark") {
			t.Errorf("%s in the archive: %q, alone %q", file, packed[file], got)
		}
	}
	if uploads != 1 || len(packed) != 12 || !strings.Contains(packed["profile.json"], "Logistics \\u0026 more") {
		t.Errorf("%d uploads, %d files, %s", uploads, len(packed), packed["profile.json"])
	}
	if other := newVisitor(t, in, "en").as(bob).fetch("/settings/data/archive.zip"); bytes.Contains(other, []byte("media/")) {
		t.Error("somebody else takes the picture along")
	}
}

// A profile says what the directory says; the directory is narrowed by company; the
// chart hangs people below their managers, here and at sisters, circles or not.
func TestWhoWorksWhere(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	in, there, ctx := net.Instances[0], net.Instances[1], t.Context()
	alice, bob, carol := net.Member(in, "alice"), net.Member(in, "bob"), net.Member(there, "carol")
	text := func(s string) *string { return &s }
	enter := func(r social.Reader, c social.PersonChange) {
		t.Helper()
		svc := in.Social
		if r.Account.URI == carol.Account.URI {
			svc = there.Social
		}
		if _, err := svc.UpdatePerson(ctx, r, c); err != nil {
			t.Fatal(err)
		}
	}
	enter(alice, social.PersonChange{Title: text("Head of sales"), Department: text("Sales")})
	net.Settle()
	enter(bob, social.PersonChange{Title: text("Buyer"), Manager: text("alice"), Skills: []string{"negotiation"}, Languages: []string{"German", "Czech"}})
	enter(carol, social.PersonChange{Title: text("Driver")})
	net.Settle()
	v := newVisitor(t, in, "en").as(bob)
	v.get("/@bob", 200).says("Buyer", "negotiation", "alice", "Head of sales")
	v.get("/@alice", 200).says("Head of sales", "Sales")
	if page := newVisitor(t, in, "en").get("/@bob", 200); strings.Contains(page.text, "Buyer") {
		t.Error("a stranger reads the directory on a profile")
	}
	v.get("/directory?company="+in.Config.Domain, 200).says("alice", "bob", "!Driver")
	v.get("/directory?company="+there.Config.Domain, 200).says("Driver", "!Buyer")
	v.get("/directory?skill=negotiation&unit=", 200).says("Buyer", "!Driver")
	v.get("/directory?tongue=cze", 200).says("Buyer", "!Driver")
	v.get("/directory?unit=sales", 200).says("Head of sales", "!Driver")
	v.get("/directory?unit=head", 200).says("!Head of sales", "Nobody found") // that is a title
	v.get("/directory?q=head", 200).says("Head of sales")
	v.get("/directory?company=none.test", 200).says("!Buyer")
	chart := v.get("/directory/chart", 200).says("Head of sales", "Buyer", "Driver")
	if !regexp.MustCompile(`(?s)<a href="/users/[0-9]+">alice</a>.*?<ul>.*?bob.*?</ul>`).MatchString(chart.raw) {
		t.Errorf("bob does not hang below alice:\n%s", chart.raw)
	}
	enter(alice, social.PersonChange{Manager: text("bob")}) // each above the other
	v.get("/directory/chart", 200).says("Head of sales", "Buyer", "Driver")
}

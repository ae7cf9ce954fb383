package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/social"
)

// A bookmark keeps a folder, a note and a reminder, for its owner alone; one click does not
// lose them, and they are taken along.
func TestBookmarksKeepFolderNoteAndReminder(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v, other := newVisitor(t, in, "en").as(alice), newVisitor(t, in, "de").as(bob)
	v.post("/posts", 200, "text", "how the crane is greased", "audience", "company")
	v.post("/posts", 200, "text", "for nobody else", "audience", "direct")
	id, secret := v.postOf(alice, "crane"), v.postOf(alice, "nobody else")
	page := "/bookmarks/" + id
	other.get("/bookmarks/"+secret, 404)
	other.post("/bookmarks/"+secret, 404, "note", "mine")
	v.post("/posts/"+id+"/bookmark", 200, "next", "/@alice/"+id).says("Folder, note, reminder")
	v.get(page, 200).says("Only you see it", "Remove bookmark")
	v.post(page, 422, "folder", strings.Repeat("x", social.MaxFolderName+1), "note", "grease").wrong("folder", "note", "grease")
	v.post(page, 422, "note", strings.Repeat("x", social.MaxKeptNote+1)).wrong("note")
	v.post(page, 422, "note", "grease", "when", "at", "at", "2020-01-01T09:00").wrong("at", "note", "grease", "when", "at")
	v.post(page, 422, "when", "at").wrong("at")
	day := time.Now().AddDate(0, 0, 3)
	v.post(page, 200, "folder", "  Crane   care ", "note", "ask\nabout <b>oil</b>", "when", "at", "at", day.Format("2006-01-02T15:04")).
		says("Crane care (1)", "about <b>oil</b>", "reminder: "+day.Format("2 Jan 2006"), "only you see this")
	if strings.Contains(v.get("/@alice/"+id, 200).says("Your bookmark", "about <b>oil</b>").raw, "/unbookmark") {
		t.Error("one click loses the note")
	}
	other.get("/@alice/"+id, 200).says("!oil", "!Crane care")
	v.get("/bookmarks", 200).says("how the crane")
	v.get("/bookmarks?folder=none", 200).says("!how the crane", "Nothing is in this folder")
	v.post("/bookmarks", 404, "folder", "none", "name", "some")
	v.post("/bookmarks", 422, "folder", "Crane care", "name", strings.Repeat("x", social.MaxFolderName+1)).wrong("name")
	v.post("/bookmarks", 200, "folder", "Crane care", "name", "Kräne & mehr").says("Kräne & mehr (1)", "how the crane")
	v.get(page, 200).wrong("", "folder", "Kräne & mehr", "when", "at")
	if got := string(v.fetch("/settings/data/bookmark_notes.csv")); !strings.Contains(got, id+",Kräne & mehr,"+day.UTC().Format("2006-01-02T15:04")) || !strings.Contains(got, "about <b>oil</b>") {
		t.Errorf("taken along: %q", got)
	}
	v.post("/bookmarks", 200, "folder", "Kräne & mehr", "name", "").says("how the crane", "!Kräne")
	v.get("/bookmarks?folder="+url.QueryEscape("Kräne & mehr"), 200).says("Nothing is in this folder")
	v.post(page, 200, "do", "remove").says("The bookmark is removed", "!how the crane")
	v.post("/posts/"+id+"/bookmark", 200, "next", "/@alice/"+id).says("!about <b>oil</b>")
}

// A member has a hundred folders at most: pages list them all.
func TestFoldersAreBounded(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	alice := net.Member(net.Instances[0], "alice")
	v := newVisitor(t, net.Instances[0], "en").as(alice)
	for i := range 101 {
		text := fmt.Sprintf("number %d.", i)
		p, err := net.Instances[0].Social.Publish(t.Context(), alice, social.Draft{Text: text, Audience: "company"})
		if err != nil {
			t.Fatal(err)
		}
		page := "/bookmarks/" + p.Post.ID.String()
		if i < 100 {
			if _, err := net.Instances[0].Social.Keep(t.Context(), alice, p.Post.ID, social.Kept{Folder: text}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		v.post(page, 422, "folder", text, "note", "kept").wrong("folder", "note", "kept").says("You have 100 folders")
		v.post(page, 200, "folder", "number 7.")
	}
}

// What is bookmarked and not for its member any more reminds of nothing, and can be taken
// away; who leaves takes notes along.
func TestBookmarksOfWhatIsGone(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v, other := newVisitor(t, in, "en").as(alice), newVisitor(t, in, "en").as(bob)
	other.post("/posts", 200, "text", "soon for me alone", "audience", "company")
	id := v.postOf(bob, "soon for me")
	v.post("/bookmarks/"+id, 200, "folder", "cranes", "note", "mine")
	post, err := social.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	due := social.Kept{Folder: "cranes", Note: "mine", RemindAt: time.Now().Add(-time.Minute)}
	if err := in.DB.Tx(t.Context(), func(tx social.Tx) error { return tx.SetKept(t.Context(), alice.Account.ID, post, due) }); err != nil {
		t.Fatal(err)
	}
	other.post("/accounts/"+alice.Account.ID.String()+"/block", 200)
	v.get("/@bob/"+id, 404)
	if n, err := in.Social.Remind(t.Context()); n != 1 || err != nil {
		t.Errorf("%d taken: %v", n, err)
	}
	if n, err := in.Social.Unread(t.Context(), alice, social.NotificationFilter{}, 9); n != 0 || err != nil {
		t.Errorf("%d unread that nothing explains: %v", n, err)
	}
	v.get("/bookmarks?folder=cranes", 200).says("cannot be shown any more", "Rename this folder")
	v.post("/bookmarks/"+id, 200, "do", "remove").says("The bookmark is removed", "!cranes")
	v.post("/bookmarks/"+id, 404, "do", "remove")
	carol := net.Member(in, "carol") // her post stays when alice goes
	newVisitor(t, in, "en").as(carol).post("/posts", 200, "text", "stays here", "audience", "company")
	id = v.postOf(carol, "stays here")
	v.post("/bookmarks/"+id, 200, "note", "left behind?")
	if post, err = social.ParseID(id); err != nil {
		t.Fatal(err)
	}
	if err := in.Social.DeleteAccount(t.Context(), alice.Account.ID, "test", "test"); err != nil {
		t.Fatal(err)
	}
	if err := in.DB.View(t.Context(), func(tx social.Tx) error {
		marks, err := tx.Marks(t.Context(), alice.Account.ID, []social.ID{post})
		if len(marks) != 0 {
			t.Errorf("%+v", marks)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// Whoever wants to be reminded of a bookmark is told once when the time has come, and again
// when they choose another one.
func TestRemindersCome(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v := newVisitor(t, in, "en").as(alice)
	newVisitor(t, in, "en").as(bob).post("/posts", 200, "text", "the offer ends in May", "audience", "company")
	id := v.postOf(bob, "offer")
	for _, when := range []string{"tomorrow", "monday", "month"} {
		v.post("/bookmarks/"+id, 200, "when", when)
		at := v.kept(id).RemindAt
		if at.Hour() != 9 || !at.After(time.Now()) || when == "monday" && at.Weekday() != time.Monday || time.Until(at) > 32*24*time.Hour {
			t.Errorf("%s: %s", when, at)
		}
	}
	remind := func(want int) {
		t.Helper()
		if n, err := in.Social.Remind(t.Context()); n != want || err != nil {
			t.Fatalf("%d were reminded, not %d: %v", n, want, err)
		}
	}
	remind(0)
	for range 2 {
		due := social.Kept{Note: "call", RemindAt: time.Now().Add(-time.Minute)}
		post, err := social.ParseID(id)
		if err != nil {
			t.Fatal(err)
		}
		if err := in.DB.Tx(t.Context(), func(tx social.Tx) error { return tx.SetKept(t.Context(), alice.Account.ID, post, due) }); err != nil {
			t.Fatal(err)
		}
		remind(1)
		remind(0)
		page := v.get("/notifications?only=reminders", 200).says("wanted to be reminded of this post", "the offer ends in May")
		if n := strings.Count(page.raw, `class="told new"`); n != 1 {
			t.Errorf("told %d times", n)
		}
		v.post("/notifications/read", 200, "to", social.FirstID(time.Now().Add(time.Minute)).String())
	}
	if k := v.kept(id); k.Note != "call" || !k.RemindAt.IsZero() {
		t.Errorf("after the reminder: %+v", k)
	}
}

// kept is what the visitor keeps with a bookmark.
func (v *visitor) kept(id string) social.Kept {
	v.Helper()
	post, err := social.ParseID(id)
	if err != nil {
		v.Fatal(err)
	}
	view, err := v.in.Social.Post(v.Context(), social.Member(v.account("alice"), v.in.Config.Domain), post)
	if err != nil {
		v.Fatal(err)
	}
	return view.Kept
}

// Answers stand apart from other mentions; what wants no answer can be left out.
func TestNotificationsByWhatTheyAre(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v, other := newVisitor(t, in, "en").as(alice), newVisitor(t, in, "en").as(bob)
	v.post("/posts", 200, "text", "who knows it?", "audience", "company")
	id := v.postOf(alice, "who knows")
	other.post("/posts", 200, "text", "this is the answer", "reply_to", id, "audience", "company")
	other.post("/posts", 200, "text", "this names @alice", "audience", "company")
	v.get("/notifications?only=answers", 200).says("this is the answer", "!this names")
	v.get("/notifications?only=mentions", 200).says("!this is the answer", "this names")
	v.get("/notifications", 200).says("this is the answer", "this names")

	v.get("/settings/heard", 200).says("Somebody likes a post of mine")
	v.post("/settings/heard", 200, "do", "kinds", "kind", "reblog", "kind", "follow", "kind", "update", "kind", "poll")
	other.post("/posts/"+id+"/like", 200)
	other.post("/posts/"+id+"/share", 200)
	v.get("/notifications", 200).says("!likes your post", "shared your post")
	v.post("/settings/heard", 200, "do", "kinds", "kind", "favourite", "kind", "none of them")
	other.post("/posts/"+id+"/unlike", 200)
	other.post("/posts/"+id+"/like", 200)
	other.post("/accounts/"+alice.Account.ID.String()+"/follow", 200)
	v.get("/notifications", 200).says("likes your post", "!follows you now")
}

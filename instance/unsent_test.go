package instance_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// desk is one instance with a clock, alice who writes and bob who reads.
type desk struct {
	*scene
	clock      *instancetest.Clock
	alice, bob social.Reader
}

func newDesk(t *testing.T, database func(int) string) *desk {
	t.Helper()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now, Database: database})
	d := &desk{scene: &scene{T: t, net: net, ctx: context.Background(), a: net.Instances[0]}, clock: clock}
	d.alice, d.bob = net.Member(d.a, "alice"), net.Member(d.a, "bob")
	_, err := d.a.Social.Follow(d.ctx, d.bob, d.alice.Account.ID, social.FollowOptions{})
	d.ok(err)
	return d
}

// pass lets time go by and does what is due then.
func (d *desk) pass(by time.Duration) {
	d.Helper()
	d.clock.Advance(by)
	d.net.Settle()
}

// shows demands what bob reads.
func (d *desk) shows(want string) {
	d.Helper()
	if got := d.home(d.a, d.bob); got != want {
		d.Errorf("bob reads %q, want %q", got, want)
	}
}

func (d *desk) save(draft social.Draft) *social.UnsentView {
	d.Helper()
	v, err := d.a.Social.SaveDraft(d.ctx, d.alice, draft)
	d.ok(err)
	return v
}

func (d *desk) schedule(draft social.Draft) *social.UnsentView {
	d.Helper()
	if draft.At.IsZero() {
		draft.At = d.clock.Now().Add(time.Hour)
	}
	v, err := d.a.Social.Schedule(d.ctx, d.alice, draft)
	d.ok(err)
	return v
}

// lists demands alice's drafts, the last written first.
func (d *desk) lists(want ...string) []*social.UnsentView {
	d.Helper()
	list, err := d.a.Social.Drafts(d.ctx, d.alice)
	d.ok(err)
	var got []string
	for _, v := range list {
		got = append(got, v.Draft.Text)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.Fatalf("drafts: %q, want %q", got, want)
	}
	return list
}

func (d *desk) kind(err error, want social.Kind, what string) {
	d.Helper()
	if err == nil || social.KindOf(err) != want {
		d.Errorf("%s: %v", what, err)
	}
}

func (d *desk) upload(name string) *social.Media {
	d.Helper()
	m, err := d.a.Social.Upload(d.ctx, d.alice, social.Upload{Name: name, Body: strings.NewReader("hello")})
	d.ok(err)
	return m
}

// A draft stays until it is sent, with its files; nobody else ever sees it.
func TestDraftsAreKept(t *testing.T) {
	d := newDesk(t, nil)
	in := d.a.Social
	m := d.upload("a.txt")
	parent := d.post(d.a, d.bob, social.Draft{Text: "what do you think?", Audience: "company"})
	first := d.save(social.Draft{Text: "half a", Summary: "s", Language: "de", Audience: "company", InReplyTo: parent.Post.ID, MediaIDs: []social.ID{m.ID, 7}, IdempotencyKey: "k"})
	if first.Parent == nil || first.Parent.Post.ID != parent.Post.ID || len(first.Files) != 1 || first.Draft.IdempotencyKey != "" || first.Alone {
		t.Errorf("%+v", first)
	}
	d.clock.Advance(time.Minute)
	d.save(social.Draft{Text: "another", Poll: &social.PollDraft{Options: []string{"", ""}}}) // not ready, and kept
	d.lists("another", "half a")
	d.clock.Advance(48 * time.Hour)
	v := d.save(social.Draft{UnsentID: first.ID, Text: "half a **thought**", Audience: "company", InReplyTo: parent.Post.ID, MediaIDs: []social.ID{m.ID}})
	if v.ID != first.ID || v.Content != "<p>half a <strong>thought</strong></p>" {
		t.Errorf("%+v", v)
	}
	d.lists("half a **thought**", "another")
	d.ok(in.SweepMedia(d.ctx))
	if _, err := in.Media(d.ctx, d.alice, m.ID); err != nil {
		t.Errorf("the file of a draft after two days: %v", err)
	}

	// Whoever it names or answers learns nothing of it.
	list, err := in.Drafts(d.ctx, d.bob)
	d.ok(err)
	_, see := in.Draft(d.ctx, d.bob, v.ID)
	_, change := in.SaveDraft(d.ctx, d.bob, social.Draft{UnsentID: v.ID, Text: "mine"})
	_, send := in.Publish(d.ctx, d.bob, social.Draft{UnsentID: v.ID, Text: "mine"})
	_, schedule := in.Schedule(d.ctx, d.bob, social.Draft{UnsentID: v.ID, Text: "mine", At: d.clock.Now().Add(time.Hour)})
	for what, err := range map[string]error{"seen": see, "changed": change, "scheduled": schedule, "deleted": in.DeleteDraft(d.ctx, d.bob, v.ID)} {
		d.kind(err, social.NotFound, "bob has it "+what)
	}
	d.kind(send, social.Gone, "bob sends it")
	_, _, err = in.OpenMedia(d.ctx, d.bob, m.ID, false)
	d.kind(err, social.NotFound, "bob opens its file")
	if len(list) != 0 {
		t.Errorf("bob has %v", list)
	}

	// Once sent it is gone, and what is sent from a second window is no second post.
	send2 := v.Draft
	send2.UnsentID = v.ID
	p, err := in.Publish(d.ctx, d.alice, send2)
	d.ok(err)
	if p.Post.InReplyToID != parent.Post.ID || len(p.Post.Attachments) != 1 {
		t.Errorf("%+v", p.Post)
	}
	d.lists("another")
	_, err = in.Publish(d.ctx, d.alice, send2)
	d.kind(err, social.Gone, "sent twice")

	// What it answers goes away: it can be written on, as a post of its own.
	orphan := d.save(social.Draft{Text: "and then", InReplyTo: p.Post.ID, QuoteOf: parent.Post.ID})
	_, err = in.Delete(d.ctx, d.alice, p.Post.ID)
	d.ok(err)
	v, err = in.Draft(d.ctx, d.alice, orphan.ID)
	d.ok(err)
	if v.Parent != nil || !v.Alone || v.Draft.InReplyTo != 0 || v.Quote == nil || v.Draft.QuoteOf != parent.Post.ID {
		t.Errorf("%+v", v)
	}
	d.ok(in.DeleteDraft(d.ctx, d.alice, orphan.ID))
	_, err = in.Draft(d.ctx, d.alice, orphan.ID)
	d.kind(err, social.NotFound, "deleted")

	// Bounded in size and number.
	for what, draft := range map[string]social.Draft{"empty": {}, "endless": {Text: strings.Repeat("x", 10001)}, "endless poll": {Poll: &social.PollDraft{Options: []string{strings.Repeat("x", 10001)}}}} {
		_, err := in.SaveDraft(d.ctx, d.alice, draft)
		d.kind(err, social.Invalid, what)
	}
	for range social.MaxDrafts - 1 {
		d.save(social.Draft{Text: "x"})
	}
	_, err = in.SaveDraft(d.ctx, d.alice, social.Draft{Text: "one more"})
	d.kind(err, social.Limited, "too many")

	// Who leaves takes them along, and the files are orphans then.
	kept, err := in.Upload(d.ctx, d.bob, social.Upload{Name: "b.txt", Body: strings.NewReader("hello")})
	d.ok(err)
	_, err = in.SaveDraft(d.ctx, d.bob, social.Draft{Text: "bob's", MediaIDs: []social.ID{kept.ID}})
	d.ok(err)
	d.ok(in.DeleteAccount(d.ctx, d.bob.Account.ID, "", "test"))
	d.clock.Advance(48 * time.Hour)
	d.ok(in.SweepMedia(d.ctx))
	d.ok(d.a.DB.View(d.ctx, func(tx social.Tx) error {
		_, err := tx.Media(d.ctx, kept.ID)
		d.kind(err, social.NotFound, "the file of who left")
		n, _, err := tx.CountUnsent(d.ctx, d.bob.Account.ID, social.UnsentDraft, time.Time{}, time.Time{})
		if n != 0 {
			t.Errorf("%d drafts of who left", n)
		}
		return err
	}))
}

// A scheduled post is published when it is due, once; until then its author alone has
// it, and can move it, take it back or throw it away.
func TestScheduledPosts(t *testing.T) {
	d := newDesk(t, nil)
	in := d.a.Social
	m := d.upload("a.txt")
	v := d.schedule(social.Draft{Text: "good morning @bob", Audience: "company", MediaIDs: []social.ID{m.ID}})
	if v.State != social.UnsentScheduled || v.Audience != "company" || len(v.Files) != 1 {
		t.Errorf("%+v", v)
	}
	moved, away, back, early := d.schedule(social.Draft{Text: "moved"}), d.schedule(social.Draft{Text: "away"}), d.schedule(social.Draft{Text: "back"}), d.schedule(social.Draft{Text: "early"})
	d.lists()
	_, err := in.SaveDraft(d.ctx, d.alice, social.Draft{UnsentID: v.ID, Text: "half a change"})
	d.kind(err, social.Conflict, "changed under way")
	_, err = in.Schedule(d.ctx, d.alice, social.Draft{Text: "soon", At: d.clock.Now().Add(social.MinAhead - time.Second)})
	d.kind(err, social.Invalid, "too soon")
	_, err = in.Schedule(d.ctx, d.alice, social.Draft{Text: "file", MediaIDs: []social.ID{7}, At: d.clock.Now().Add(time.Hour)})
	d.kind(err, social.Invalid, "with a file that is not there")
	_, err = in.Reschedule(d.ctx, d.alice, moved.ID, d.clock.Now().Add(3*time.Hour))
	d.ok(err)
	d.ok(in.DeleteDraft(d.ctx, d.alice, away.ID))
	_, err = in.Withdraw(d.ctx, d.alice, back.ID)
	d.ok(err)
	d.lists("back")
	for what, try := range map[string]func() error{
		"a draft is moved": func() error {
			_, err := in.Reschedule(d.ctx, d.alice, back.ID, d.clock.Now().Add(time.Hour))
			return err
		},
		"a draft is taken back":    func() error { _, err := in.Withdraw(d.ctx, d.alice, back.ID); return err },
		"a draft is sent as it is": func() error { _, err := in.SendNow(d.ctx, d.alice, back.ID); return err },
		"bob moves hers":           func() error { _, err := in.Reschedule(d.ctx, d.bob, v.ID, d.clock.Now().Add(time.Hour)); return err },
		"bob takes hers back":      func() error { _, err := in.Withdraw(d.ctx, d.bob, v.ID); return err },
		"bob sends hers":           func() error { _, err := in.SendNow(d.ctx, d.bob, v.ID); return err },
		"one that was thrown away": func() error { _, err := in.SendNow(d.ctx, d.alice, away.ID); return err },
	} {
		d.kind(try(), social.NotFound, what)
	}
	p, err := in.SendNow(d.ctx, d.alice, early.ID)
	d.ok(err)
	if !p.Post.PublishedAt.Equal(d.clock.Now()) {
		t.Errorf("sent early at %v", p.Post.PublishedAt)
	}
	d.pass(time.Hour - time.Second)
	d.shows("early")
	d.pass(time.Second)
	d.shows("good morning @bob | early")
	d.pass(2 * time.Hour)
	d.shows("moved | good morning @bob | early")
	list, err := in.Scheduled(d.ctx, d.alice, social.Page{})
	d.ok(err)
	if len(list) != 0 {
		t.Errorf("still scheduled: %v", list)
	}
	notes, err := in.Notifications(d.ctx, d.bob, social.Page{}, social.NotificationFilter{})
	d.ok(err)
	if len(notes) != 1 || notes[0].Notification.Kind != social.NotifyMention || len(notes[0].Post.Post.Attachments) != 1 {
		t.Errorf("bob was told %v", notes)
	}
	if jobs, err := d.a.DB.Jobs(d.ctx, social.SendJob, "", 10); err != nil || len(jobs) != 0 {
		t.Errorf("timers left: %v %v", jobs, err)
	}

	// 25 a day, and 300 in all.
	at := d.clock.Now().Truncate(24 * time.Hour).Add(36 * time.Hour)
	var last *social.UnsentView
	for range social.MaxScheduledDay {
		last = d.schedule(social.Draft{Text: "x", At: at})
	}
	_, err = in.Schedule(d.ctx, d.alice, social.Draft{Text: "x", At: at.Add(time.Hour)})
	d.kind(err, social.Limited, "one more that day")
	_, err = in.Reschedule(d.ctx, d.alice, last.ID, at.Add(time.Hour)) // it is one of them
	d.ok(err)
	for i := range social.MaxScheduled - social.MaxScheduledDay {
		d.schedule(social.Draft{Text: "x", At: at.Add(time.Duration(i/social.MaxScheduledDay+1) * 24 * time.Hour)})
	}
	_, err = in.Schedule(d.ctx, d.alice, social.Draft{Text: "x", At: at.Add(1000 * time.Hour)})
	d.kind(err, social.Limited, "one more")
	if _, err := in.Hold(d.ctx, d.alice, social.Draft{Text: "now"}); err != nil {
		t.Errorf("what is held for a moment: %v", err)
	}
}

// All rules are asked again when a post is due. What does not hold any more sends it
// back to the drafts with the reason, and its author is told.
func TestWhatIsDueKeepsTheRulesOfThatMoment(t *testing.T) {
	d := newDesk(t, nil)
	in := d.a.Social
	parent := d.post(d.a, d.bob, social.Draft{Text: "parent", Audience: "company"})
	setPolicy(t, d.a, map[string]string{"audience.default": "company"})
	reply := d.schedule(social.Draft{Text: "reply", InReplyTo: parent.Post.ID})
	public := d.schedule(social.Draft{Text: "public", Audience: "public"})
	wide := d.schedule(social.Draft{Text: "an app's public", Visibility: "public"})
	byDefault := d.schedule(social.Draft{Text: "default"})
	d.schedule(social.Draft{Text: "whole", Audience: "company"})
	limited := d.alice
	limited.Grant = "company"
	app, err := in.Schedule(d.ctx, limited, social.Draft{Text: "a bounded app's", Visibility: "public", At: d.clock.Now().Add(30 * time.Minute)})
	d.ok(err)
	if app.Audience != "company" || !app.Clamped || public.Clamped {
		t.Errorf("%+v", app)
	}
	for v, want := range map[*social.UnsentView]string{reply: "company", public: "public", wide: "public", byDefault: "company"} {
		if v.Audience != want {
			t.Errorf("%s is for %s", v.Draft.Text, v.Audience)
		}
	}
	d.pass(30 * time.Minute)
	d.shows("a bounded app's | parent")
	_, err = in.Delete(d.ctx, d.bob, parent.Post.ID)
	d.ok(err)
	setPolicy(t, d.a, map[string]string{"audience.widest.member": "company", "audience.default": "instance"})
	d.pass(30 * time.Minute)
	d.shows("whole | a bounded app's")
	reasons := map[string]string{}
	for _, v := range d.lists("default", "an app's public", "public", "reply") {
		reasons[v.Draft.Text] = v.Reason
		if v.Alone != (v.Draft.Text == "reply") {
			t.Errorf("%+v", v)
		}
	}
	for text, want := range map[string]string{"reply": "not there any more", "public": "may not publish that far", "an app's public": "other people", "default": "other people"} {
		if !strings.Contains(reasons[text], want) {
			t.Errorf("%s came back because %q", text, reasons[text])
		}
	}
	notes, err := in.Notifications(d.ctx, d.alice, social.Page{}, social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyUnsent}})
	d.ok(err)
	if len(notes) != 1 || notes[0].From.ID != d.alice.Account.ID {
		t.Errorf("alice is told %v", notes)
	}

	// Suspended, and let in again: nothing went out, nothing is lost.
	d.schedule(social.Draft{Text: "while away"})
	d.ok(in.Suspend(d.ctx, d.alice.Account.ID, true, "test"))
	d.pass(time.Hour)
	d.ok(in.Suspend(d.ctx, d.alice.Account.ID, false, "test"))
	if list := d.lists("while away", "default", "an app's public", "public", "reply"); !strings.Contains(list[0].Reason, "suspended") {
		t.Errorf("%q", list[0].Reason)
	}
	d.shows("whole | a bounded app's")
}

// Undo within the moment takes a post back before anything left: no other server, app
// or reader ever had it.
func TestUndo(t *testing.T) {
	d := newDesk(t, nil)
	in := d.a.Social
	hold := func(text, key string) *social.UnsentView {
		t.Helper()
		v, err := in.Hold(d.ctx, d.alice, social.Draft{Text: text, Audience: "company", IdempotencyKey: key})
		d.ok(err)
		return v
	}
	log := func() (place social.Place) {
		t.Helper()
		d.ok(d.a.DB.View(d.ctx, func(tx social.Tx) (err error) { place, err = tx.LogHead(d.ctx); return err }))
		return place
	}
	before := log()
	draft := d.save(social.Draft{Text: "draft"})
	v, err := in.Hold(d.ctx, d.alice, social.Draft{UnsentID: draft.ID, Text: "oops @bob", Audience: "company"})
	d.ok(err)
	kept := hold("kept", "k")
	if again := hold("kept", "k"); again.ID != kept.ID {
		t.Error("a double click holds two posts")
	}
	if !v.DueAt.Equal(d.clock.Now().Add(30*time.Second)) || v.State != social.UnsentHeld || v.ID != draft.ID {
		t.Errorf("%+v", v)
	}
	list, err := in.Held(d.ctx, d.alice)
	d.ok(err)
	scheduled, err := in.Scheduled(d.ctx, d.alice, social.Page{})
	d.ok(err)
	if len(list) != 2 || len(scheduled) != 0 || list[0].Content != "<p>kept</p>" {
		t.Errorf("held %v, scheduled %v", list, scheduled)
	}
	d.pass(29 * time.Second)
	d.shows("")
	if log() != before {
		t.Error("others are told of what is held")
	}
	_, err = in.Withdraw(d.ctx, d.alice, v.ID)
	d.ok(err)
	d.pass(time.Minute)
	d.shows("kept")
	d.lists("oops @bob")
	_, err = in.Withdraw(d.ctx, d.alice, kept.ID)
	d.kind(err, social.NotFound, "undone too late")
	notes, err := in.Notifications(d.ctx, d.bob, social.Page{}, social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyMention}})
	d.ok(err)
	if len(notes) != 0 {
		t.Errorf("bob was told of what never was: %v", notes)
	}
	_, err = in.SendNow(d.ctx, d.alice, hold("at once", "").ID)
	d.ok(err)
	d.shows("at once | kept")

	for _, seconds := range []int{10, 0} {
		a, err := in.UpdateProfile(d.ctx, d.alice, social.ProfileChange{UndoSeconds: &seconds})
		d.ok(err)
		if a.UndoTime() != time.Duration(seconds)*time.Second {
			t.Errorf("%v after choosing %d s", a.UndoTime(), seconds)
		}
	}
	never := -1
	_, err = in.UpdateProfile(d.ctx, d.alice, social.ProfileChange{UndoSeconds: &never})
	d.kind(err, social.Invalid, "minus one second")
}

// Whoever publishes a post that is due, and however often it is tried, it is there once.
func TestDueIsPublishedOnce(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { dueOnce(t, nil) })
	t.Run("postgres", func(t *testing.T) { dueOnce(t, instancetest.Postgres(t)) })
}

func dueOnce(t *testing.T, database func(int) string) {
	var url string
	if database != nil {
		url = database(0)
	}
	d := newDesk(t, func(int) string { return url })
	var want []string
	for i := range 5 {
		v := d.schedule(social.Draft{Text: fmt.Sprint(i), Audience: "company"})
		want = append(want, v.ID.String())
	}
	// Claimed by a node that dies before it did anything: after the lease all are due.
	d.clock.Advance(time.Hour)
	dead, err := d.a.DB.Claim(d.ctx, social.SendJob, d.clock.Now(), d.clock.Now().Add(time.Minute), 3, 3, nil)
	d.ok(err)
	// And one that dies after its commit: its job is still there.
	d.ok(d.a.Social.SendDue(d.ctx, social.ID(dead[0].Ref)))
	nodes := []*instance.Instance{d.a, d.a}
	if url != "" {
		c := *d.a.Config
		c.DataDir = filepath.Join(t.TempDir(), "data")
		second, err := instance.Open(d.ctx, &c, slog.New(slog.NewTextHandler(io.Discard, nil)), d.clock.Now)
		d.ok(err)
		t.Cleanup(func() { d.ok(second.Close()) })
		nodes[1] = second
	}
	d.clock.Advance(2 * time.Minute)
	var wg sync.WaitGroup
	for _, node := range nodes {
		for _, id := range want {
			wg.Go(func() {
				u, err := social.ParseID(id)
				if err == nil {
					err = node.Social.SendDue(d.ctx, u)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() { node.Settle(d.ctx) })
	}
	wg.Wait()
	d.net.Settle()
	if n := len(strings.Split(d.home(d.a, d.bob), " | ")); n != 5 {
		t.Errorf("bob reads %d posts, 5 were due", n)
	}
	posts, err := d.a.Social.AccountPosts(d.ctx, d.bob, d.alice.Account.ID, social.Page{}, social.PostFilter{})
	d.ok(err)
	if len(posts) != 5 {
		t.Errorf("alice has %d posts", len(posts))
	}
	d.lists()
	if jobs, err := d.a.DB.Jobs(d.ctx, social.SendJob, "", 10); err != nil || len(jobs) != 0 {
		t.Errorf("timers left: %v %v", jobs, err)
	}
}

// After a restore what was due since the backup is not published a second time: its
// author decides.
func TestRestoreSendsNothingTwice(t *testing.T) {
	d := newDesk(t, nil)
	d.schedule(social.Draft{Text: "due"})
	d.schedule(social.Draft{Text: "later", At: d.clock.Now().Add(3 * time.Hour)})
	file := filepath.Join(t.TempDir(), "backup")
	d.ok(d.a.Backup(d.ctx, file))
	d.pass(time.Hour)
	d.shows("due")
	d.a = d.net.Restore(0, file, "")
	d.pass(time.Hour)
	d.shows("")
	if list := d.lists("due"); !strings.Contains(list[0].Reason, "backup") {
		t.Errorf("%q", list[0].Reason)
	}
	notes, err := d.a.Social.Notifications(d.ctx, d.alice, social.Page{}, social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyUnsent}})
	d.ok(err)
	if len(notes) != 1 {
		t.Errorf("alice is told %v", notes)
	}
	d.pass(time.Hour)
	d.shows("later")
}

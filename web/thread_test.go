package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/social"
)

// An author reads where a post has arrived, and where it has not yet; nobody else does.
func TestAnAuthorSeesWhereAPostArrived(t *testing.T) {
	net := instancetest.New(t, 3, nil)
	in, ctx := net.Instances[0], context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	net.Stop(2)
	v, err := in.Social.Publish(ctx, alice, social.Draft{Text: "hello group", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	net.Settle()
	path := "/@alice/" + v.Post.ID.String()
	newVisitor(t, in, "en").as(alice).get(path, 200).says("Delivered to 1 of 2", net.Instances[1].Config.Domain+": has it", net.Instances[2].Config.Domain+": not yet")
	if page := newVisitor(t, in, "en").as(bob).get(path, 200); strings.Contains(page.raw, "Delivered to") {
		t.Error("somebody else reads where a post has arrived")
	}
}

// What came later than it was written says so: after an outage. What was written before
// anybody here knew its author does not.
func TestALatePostSaysSo(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b, ctx := net.Instances[0], net.Instances[1], context.Background()
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	write := func(text string) {
		t.Helper()
		if _, err := a.Social.Publish(ctx, alice, social.Draft{Text: text, Audience: "company"}); err != nil {
			t.Fatal(err)
		}
	}
	catchUp := func() {
		t.Helper()
		clock.Advance(2 * time.Hour)
		if err := b.Federation.CatchUpNow(ctx, ""); err != nil {
			t.Fatal(err)
		}
		net.Settle()
	}
	page := "/" + instancetest.Handle(a, alice)
	write("before")
	catchUp()
	if d := newVisitor(t, b, "de").as(bob).get(page, 200).says("before"); strings.Contains(d.raw, "verspätet") {
		t.Error("a post of before says that it came late")
	}
	net.Stop(1)
	write("meanwhile")
	net.Settle()
	b = net.Restart(1)
	catchUp()
	newVisitor(t, b, "de").as(bob).get(page, 200).says("meanwhile", "verspätet angekommen")
	newVisitor(t, b, "en").as(bob).get(page, 200).says("meanwhile", "arrived late")
}

// In a long conversation what hangs deep below an answer is folded up; in a short one
// nothing is.
func TestLongBranchesAreFoldedUp(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	alice := net.Member(in, "alice")
	write := func(text string, to social.ID) social.ID {
		t.Helper()
		v, err := in.Social.Publish(ctx, alice, social.Draft{Text: text, Audience: "company", InReplyTo: to})
		if err != nil {
			t.Fatal(err)
		}
		return v.Post.ID
	}
	root := write("the question", 0)
	path := "/@alice/" + root.String()
	last := root
	for range 10 {
		last = write("deeper", last)
	}
	v := newVisitor(t, in, "en").as(alice)
	if page := v.get(path, 200); strings.Contains(page.raw, "more answers") {
		t.Error("a short conversation is folded up")
	}
	for range 9 {
		write("beside it", root)
	}
	page := v.get(path, 200).says("7 more answers")
	_, folded, _ := strings.Cut(page.raw, `<details class="fold">`)
	folded, after, _ := strings.Cut(folded, "</details>\n\n")
	if n, m := strings.Count(folded, "<p>deeper</p>"), strings.Count(after, "<p>beside it</p>"); n != 7 || m != 9 {
		t.Errorf("%d posts are folded up and %d stand behind", n, m)
	}
}

// What a post said before is there for whoever may see it, and for nobody else.
func TestEarlierVersions(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	v, err := in.Social.Publish(ctx, alice, social.Draft{Text: "on Monday", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Edit(ctx, alice, v.Post.ID, social.Draft{Text: "on Tuesday"}); err != nil {
		t.Fatal(err)
	}
	path := "/posts/" + v.Post.ID.String() + "/history"
	reader := newVisitor(t, in, "en").as(bob)
	if page := reader.get("/@alice/"+v.Post.ID.String(), 200); !strings.Contains(page.raw, `href="`+path+`"`) {
		t.Error("an edited post does not lead to what it said before")
	}
	page := reader.get(path, 200).says("on Monday", "on Tuesday")
	if strings.Index(page.text, "on Tuesday") > strings.Index(page.text, "on Monday") {
		t.Error("the newest does not stand first")
	}
	hidden, err := in.Social.Publish(ctx, alice, social.Draft{Text: "to nobody", Audience: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	reader.get("/posts/"+hidden.Post.ID.String()+"/history", 404)
}

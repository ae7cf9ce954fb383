package web_test

import (
	"context"
	"regexp"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// A colleague reports a post; a moderator, who is no administrator, finds it, takes it down
// and says that it was dealt with. It is gone for everybody, at the sister too.
func TestModeratorsTakePostsDown(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	alice, bob, carol := net.Member(a, "alice"), net.Member(a, "bob"), net.Member(b, "carol")
	mod, err := a.Social.CreateAccount(ctx, social.NewAccount{Username: "mona", Role: social.RoleModerator})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	post, err := a.Social.Publish(ctx, bob, social.Draft{Text: "something rude", Audience: "company"})
	if err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if _, err := b.Social.PostByURI(ctx, carol, post.Post.URI); err != nil {
		t.Fatal(err)
	}
	id := post.Post.ID.String()
	v := newVisitor(t, a, "en").as(alice)
	v.get("/@bob/"+id, 200).says("Report")
	report := "/accounts/" + bob.Account.ID.String() + "/report"
	v.get(report+"?post="+id, 200).says("This post goes with it", "something rude")
	v.post(report, 200, "post", id, "comment", "please look")
	v.get("/admin/reports", 404)
	v.post("/admin/posts/"+id+"/take-down", 404)

	m := newVisitor(t, a, "en").as(social.Member(mod, alice.Home))
	m.get("/notifications", 200).says("Go to the reports")
	page := m.get("/admin/reports", 200).says("please look", "something rude", "Take this post down")
	m.get("/admin", 404)
	m.post("/admin/posts/"+id+"/take-down", 200).says("The post is taken down.")
	close := regexp.MustCompile(`/admin/reports/(\d+)/close`).FindStringSubmatch(page.raw)
	m.post("/admin/reports/"+close[1]+"/close", 200)
	net.Settle()
	if _, err := b.Social.PostByURI(ctx, carol, post.Post.URI); social.KindOf(err) != social.NotFound && social.KindOf(err) != social.Gone {
		t.Errorf("the sister still shows it: %v", err)
	}
	v.get("/@bob/"+id, 404)
}

package instance_test

import (
	"context"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// A customer's server that nobody here knows wants to follow the press account: it is
// refused and listed with whom it wanted. Once an administrator admits it, the same
// act succeeds, and it gets the public posts and nothing else.
func TestCustomerKnocksAndIsAdmitted(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, customer := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	root, err := a.Social.CreateAccount(ctx, social.NewAccount{Username: "root", Role: social.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	admin := social.Member(root, a.Social.HomeAuthority())
	press, bob := net.Member(a, "press"), net.Member(customer, "bob")
	if err := a.Social.RemovePeer(ctx, customer.Config.Domain, "test"); err != nil {
		t.Fatal(err)
	}
	net.Zone(customer, a, social.Zone{Kind: social.ZonePublic})
	if _, err := customer.Social.FindHandle(ctx, bob, instancetest.Handle(a, press)); err == nil {
		t.Error("a stranger reads the press account")
	}
	waiting, err := a.Social.ConnectRequests(ctx)
	if err != nil || len(waiting) != 1 || waiting[0].Authority != customer.Config.Domain || waiting[0].Wanted != "@press" {
		t.Fatalf("%+v %v", waiting, err)
	}
	if err := a.Social.AnswerRequest(ctx, press, customer.Config.Domain, social.Zone{Kind: social.ZonePublic}); social.KindOf(err) != social.NotFound {
		t.Errorf("a member decided: %v", err)
	}
	if err := a.Social.AnswerRequest(ctx, admin, customer.Config.Domain, social.Zone{Kind: social.ZonePublic}); err != nil {
		t.Fatal(err)
	}
	found, err := customer.Social.FindHandle(ctx, bob, instancetest.Handle(a, press))
	if err != nil {
		t.Fatalf("admitted: %v", err)
	}
	if _, err := customer.Social.Follow(ctx, bob, found.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	for audience, arrives := range map[string]bool{"public": true, "company": false} {
		v, err := a.Social.Publish(ctx, press, social.Draft{Text: "news", Audience: audience})
		if err != nil {
			t.Fatal(err)
		}
		net.Settle()
		if _, err := customer.Social.PostByURI(ctx, bob, v.Post.URI); (err == nil) != arrives {
			t.Errorf("%s: %v", audience, err)
		}
	}
}

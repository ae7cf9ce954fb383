package web_test

import (
	"context"
	"strings"
	"testing"

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
	newVisitor(t, in, "en").as(alice).get(path, 200).says("Delivered to", net.Instances[1].Config.Domain+": has it", net.Instances[2].Config.Domain+": not yet")
	if page := newVisitor(t, in, "en").as(bob).get(path, 200); strings.Contains(page.raw, "Delivered to") {
		t.Error("somebody else reads where a post has arrived")
	}
}

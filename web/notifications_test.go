package web_test

import (
	"context"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// What many did with one post is told once; nothing is read before its reader says so.
func TestNotificationsAreToldTogether(t *testing.T) {
	ctx := context.Background()
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	bob := net.Member(in, "bob")
	publish := func(d social.Draft) social.ID {
		t.Helper()
		v, err := in.Social.Publish(ctx, bob, d)
		if err != nil {
			t.Fatal(err)
		}
		return v.Post.ID
	}
	open := publish(social.Draft{Text: "The **plan** for Monday", Audience: "instance"})
	covered := publish(social.Draft{Text: "the end of the film", Summary: "Spoiler", Audience: "instance"})
	for _, name := range []string{"anna", "ben", "cleo", "dora"} {
		r := net.Member(in, name)
		if _, err := in.Social.Favourite(ctx, r, open, true); err != nil {
			t.Fatal(err)
		}
		if name == "anna" {
			if _, err := in.Social.Boost(ctx, r, covered, true); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := in.Social.Follow(ctx, r, bob.Account.ID, social.FollowOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, language := range []string{"en", "de"} {
		v := newVisitor(t, in, language).as(bob)
		d := v.get("/notifications", 200).says(v.pick("dora, cleo and 2 others like your post", "dora, cleo und 2 weiteren gefällt Ihr Beitrag"),
			v.pick("and 2 others follow you now", "und 2 weitere folgen Ihnen jetzt"), v.pick("anna shared your post", "anna hat Ihren Beitrag geteilt"),
			"The plan for Monday", "Spoiler", "!the end of the film")
		if strings.Count(d.raw, `class="told new"`) != 3 {
			t.Errorf("not three: %s", d.text)
		}
		v.get("/notifications?only=reactions", 200).says(v.pick("like your post", "gefällt Ihr Beitrag"), v.pick("!follow you", "!folgen Ihnen jetzt"))
		v.get("/notifications?only=follows", 200).says(v.pick("follow you", "folgen Ihnen"), v.pick("!like your post", "!gefällt Ihr Beitrag"))
		v.get("/notifications?only=mentions", 200).says(v.pick("Nothing of this kind yet", "Davon gibt es noch nichts"))
	}
	v := newVisitor(t, in, "en").as(bob)
	if n, err := in.Social.Unread(ctx, bob, social.NotificationFilter{}, social.MostUnread); err != nil || n != 9 {
		t.Fatalf("%d unread: looking marks nothing as read; %v", n, err)
	}
	v.post("/notifications/read", 404, "to", "nonsense")
	v.post("/notifications/read", 200, "to", social.NewID(in.Social.Now()).String()).says("Everything is marked as read", "!Mark all as read")
	if n, err := in.Social.Unread(ctx, bob, social.NotificationFilter{}, social.MostUnread); err != nil || n != 0 {
		t.Errorf("%d unread, %v", n, err)
	}
}

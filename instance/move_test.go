package instance_test

import (
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// Who moves takes followers along, here and at other servers, to an account that names
// the old one; and nobody else's (T19).
func TestMovingTakesFollowersAlong(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	a, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	alice, next := net.Member(a, "alice"), net.Member(b, "alice2")
	here, there, third := net.Member(a, "carol"), net.Member(b, "bob"), net.Member(c, "dora")
	ctx := t.Context()
	find := func(r social.Reader, in int, handle string) *social.Account {
		t.Helper()
		acc, err := net.Instances[in].Social.FindHandle(ctx, r, handle)
		if err != nil {
			t.Fatal(err)
		}
		return acc
	}
	old, fresh := instancetest.Handle(a, alice), instancetest.Handle(b, next)
	for in, r := range []social.Reader{here, there, third} {
		if _, err := net.Instances[in].Social.Follow(ctx, r, find(r, in, old).ID, social.FollowOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	net.Settle()
	if _, err := a.Social.Move(ctx, alice, fresh); social.KindOf(err) != social.Invalid {
		t.Errorf("to an account that does not name it: %v", err)
	}
	if _, err := a.Social.Move(ctx, alice, old); social.KindOf(err) != social.Invalid {
		t.Errorf("to itself: %v", err)
	}
	if err := b.Social.SetAlias(ctx, next, old, true); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Social.Aliases(ctx, next); err != nil || len(list) != 1 || list[0].URI != alice.Account.URI {
		t.Errorf("%+v %v", list, err)
	}
	net.Settle()
	if _, err := a.Social.Move(ctx, alice, fresh); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	net.Settle()
	for in, r := range []social.Reader{here, there, third} {
		at := net.Instances[in].Social
		rel, err := at.Relationships(ctx, r, []social.ID{find(r, in, fresh).ID, find(r, in, old).ID})
		if err != nil || !rel[0].Following || rel[1].Following {
			t.Errorf("follower at %d: %+v %v", in, rel, err)
		}
		if got := find(r, in, old); got.MovedToURI != next.Account.URI {
			t.Errorf("at %d the old account does not say where it went: %q", in, got.MovedToURI)
		}
	}
	if _, err := a.Social.Move(ctx, alice, fresh); social.KindOf(err) != social.Limited {
		t.Errorf("again at once: %v", err)
	}
	if err := a.Social.StayHere(ctx, alice); err != nil {
		t.Fatal(err)
	}
	if got := find(here, 0, old); got.MovedToURI != "" {
		t.Errorf("after staying: %q", got.MovedToURI)
	}
	if err := b.Social.SetAlias(ctx, next, alice.Account.URI, false); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Social.Aliases(ctx, next); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

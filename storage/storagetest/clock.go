package storagetest

import (
	"context"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// What was last written counts by the clock of this instance alone: a post that
// claims to come from the future does not move it.
func lastWritten(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	last := func() time.Time {
		at, err := db.LastWritten(ctx)
		must(t, err)
		return at
	}
	if at := last(); !at.IsZero() {
		t.Errorf("something was written at %v", at)
	}
	begin := time.Now().Truncate(time.Millisecond)
	alice := Account(t, db, "alice", "")
	first := last()
	if first.Before(begin) || first.After(time.Now()) {
		t.Errorf("%v, not since %v", first, begin)
	}
	arrived := first.Add(time.Hour)
	Post(t, db, alice, func(p *social.Post) { p.PublishedAt, p.ArrivedAt = arrived.Add(24*time.Hour), arrived })
	if at := last(); !at.Equal(arrived) {
		t.Errorf("%v, not %v", at, arrived)
	}
	seen := arrived.Add(time.Hour)
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return tx.TouchPeer(ctx, social.PeerTouch{Authority: "b.test", InAt: seen})
	}))
	if at := last(); !at.Equal(seen) {
		t.Errorf("%v, not %v", at, seen)
	}
}

// What is counted was written here and is still there.
func contents(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	wants := func(members, posts int) storage.Contents {
		t.Helper()
		c, err := db.Contents(ctx)
		must(t, err)
		if c.Members != members || c.Posts != posts {
			t.Errorf("%+v, not %d and %d", c, members, posts)
		}
		return c
	}
	if c := wants(0, 0); !c.Began.IsZero() {
		t.Errorf("it began at %v", c.Began)
	}
	begin := time.Now().Truncate(time.Millisecond)
	alice, carol := Account(t, db, "alice", ""), Account(t, db, "carol", "b.test")
	for range 2 {
		Post(t, db, alice, nil)
	}
	Post(t, db, carol, nil)
	gone := Post(t, db, alice, nil)
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		_, err := tx.DeletePost(ctx, gone.ID, time.Now())
		return err
	}))
	if c := wants(1, 2); c.Began.Before(begin) || c.Began.After(time.Now()) {
		t.Errorf("it began at %v", c.Began)
	}
}

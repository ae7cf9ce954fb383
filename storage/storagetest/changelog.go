package storagetest

import (
	"context"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// A page of the change log names each thing once, at its newest place, and nothing
// that concerns another server only.
func logPages(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.UnixMilli(1795528707818).UTC()
	alice := Account(t, db, "alice", "")
	n := social.ID(0)
	entry := func(about, peer string) {
		t.Helper()
		n++
		must(t, db.Tx(ctx, func(tx social.Tx) error {
			return tx.InsertActivity(ctx, &social.Activity{ID: n, URI: n.String(), Verb: social.VerbCreate, ActorID: alice.ID, About: about, Peer: peer,
				Body: []byte(`{"n":"` + n.String() + `"}`), CreatedAt: now})
		}))
	}
	read := func(peer string, after, upTo social.Place, limit int, want ...social.ID) {
		t.Helper()
		must(t, db.View(ctx, func(tx social.Tx) error {
			page, err := tx.LogPage(ctx, peer, after, upTo, limit)
			must(t, err)
			if len(page) != len(want) {
				t.Errorf("%d entries, want %v", len(page), want)
				return nil
			}
			for i, a := range page {
				if a.ID != want[i] || (a.Peer == "") != (len(a.Body) == 0) {
					t.Errorf("entry %d is %+v, want %d", i, a, want[i])
				}
			}
			return nil
		}))
	}
	must(t, db.View(ctx, func(tx social.Tx) error {
		head, err := tx.LogHead(ctx)
		epoch, err2 := tx.LogEpoch(ctx)
		if !head.IsZero() || epoch != 1 {
			t.Errorf("an empty log has its head at %v in epoch %d", head, epoch)
		}
		return first(err, err2)
	}))
	entry("a", "")       // 1, superseded by 3
	entry("b", "")       // 2
	entry("a", "")       // 3
	entry("", "")        // 4, news
	entry("f", "b.test") // 5
	entry("g", "c.test") // 6
	all := social.Place{Epoch: 1 << 50}
	read("b.test", social.Place{}, all, 9, 5, 3, 2)
	read("c.test", social.Place{}, all, 9, 6, 3, 2)
	read("b.test", social.Place{Epoch: 1, Seq: 2}, all, 9, 5, 3)
	read("b.test", social.Place{}, social.Place{Epoch: 1, Seq: 2}, 9, 2)
	read("b.test", social.Place{}, all, 1, 5)
	var second int64
	must(t, db.Tx(ctx, func(tx social.Tx) (err error) { second, err = tx.NewLogEpoch(ctx); return err }))
	entry("b", "") // 7
	read("b.test", social.Place{}, all, 9, 7, 5, 3)
	read("b.test", social.Place{Epoch: 1, Seq: 6}, all, 9, 7)
	must(t, db.View(ctx, func(tx social.Tx) error {
		head, err := tx.LogHead(ctx)
		epoch, err2 := tx.LogEpoch(ctx)
		if head != (social.Place{Epoch: second, Seq: 1}) || epoch != second || second <= 1 {
			t.Errorf("the head is at %v in epoch %d, want %d", head, epoch, second)
		}
		return first(err, err2)
	}))
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		again, err := tx.NewLogEpoch(ctx)
		if again <= second {
			t.Errorf("epoch %d after %d", again, second)
		}
		return err
	}))
}

// What a peer has, follows and holds is looked up for a whole page.
func factsOfPages(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.UnixMilli(1795528707818).UTC()
	alice, bob, carol := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test"), Account(t, db, "carol", "b.test")
	if bob.ID > carol.ID {
		bob, carol = carol, bob // in the order of their ids
	}
	own := Post(t, db, alice, nil)
	gone := Post(t, db, alice, nil)
	one := Post(t, db, bob, func(p *social.Post) { p.Raw = []byte(`{"id":"one"}`) })
	two := Post(t, db, carol, func(p *social.Post) { p.EditedAt = now })
	three := Post(t, db, carol, nil)
	f := &social.Follow{ID: 9, FollowerID: bob.ID, TargetID: alice.ID, State: social.FollowAccepted, URI: "follow", CreatedAt: now}
	r := social.Retraction{ObjectURI: "https://b.test/x", Authority: "b.test", Actor: bob.URI, Body: []byte(`{"type":"Delete"}`), At: now}
	later := r
	later.ObjectURI = "https://b.test/y"
	both(t, db, func(tx social.Tx) error {
		_, err := tx.DeletePost(ctx, gone.ID, now)
		_, err2 := tx.DeletePost(ctx, three.ID, now)
		other := r
		other.Body = []byte("other")
		return first(err, err2, tx.PutFollow(ctx, f), tx.PutReceipt(ctx, social.Receipt{ObjectURI: own.URI, PostID: own.ID, Peer: "b.test", How: social.ReceiptSent, At: now}),
			tx.PutRetraction(ctx, r), tx.PutRetraction(ctx, other), tx.PutRetraction(ctx, later))
	}, func(tx social.Tx) error {
		have, err := tx.HaveReceipts(ctx, "b.test", []string{own.URI, gone.URI})
		if len(have) != 1 || !have[own.URI] {
			t.Errorf("receipts %v", have)
		}
		followed, err2 := tx.FollowedFrom(ctx, "b.test", []social.ID{alice.ID, bob.ID})
		if len(followed) != 1 || !followed[alice.ID] {
			t.Errorf("followed %v", followed)
		}
		elsewhere, err3 := tx.FollowedFrom(ctx, "c.test", []social.ID{alice.ID})
		if len(elsewhere) != 0 {
			t.Errorf("followed from c.test: %v", elsewhere)
		}
		follows, err4 := tx.FollowsByURI(ctx, []string{"follow", "none"})
		if len(follows) != 1 || follows["follow"].FollowerID != bob.ID {
			t.Errorf("follows %v", follows)
		}
		local, err5 := tx.LocalPosts(ctx, 0, 9)
		if len(local) != 2 || local[0].ID > local[1].ID || local[0].Deleted() == local[1].Deleted() {
			t.Errorf("own posts %v", local)
		}
		rest, err6 := tx.LocalPosts(ctx, local[0].ID, 9)
		if len(rest) != 1 || rest[0].ID != local[1].ID {
			t.Errorf("the rest %v", rest)
		}
		return first(err, err2, err3, err4, err5, err6)
	})
	must(t, db.View(ctx, func(tx social.Tx) error {
		held, err := tx.HeldPosts(ctx, "b.test", 0, 0, 9, false, true)
		if len(held) != 2 || held[0].URI != one.URI || string(held[0].Raw) != `{"id":"one"}` || held[1].URI != two.URI || !held[1].EditedAt.Equal(now) {
			t.Fatalf("held %+v", held)
		}
		rest, err2 := tx.HeldPosts(ctx, "b.test", held[0].Author, held[0].Post, 9, false, false)
		if len(rest) != 1 || rest[0].URI != two.URI {
			t.Errorf("the rest %+v", rest)
		}
		dead, err3 := tx.HeldPosts(ctx, "b.test", 0, 0, 9, true, false)
		if len(dead) != 1 || dead[0].URI != three.URI || dead[0].DeletedAt.IsZero() {
			t.Errorf("tombstones %+v", dead)
		}
		back, err4 := tx.Retractions(ctx, "b.test", "", 9)
		if len(back) != 2 || string(back[0].Body) != string(r.Body) || back[0].ObjectURI != r.ObjectURI || !back[0].At.Equal(now) {
			t.Errorf("retractions %+v", back)
		}
		after, err5 := tx.Retractions(ctx, "b.test", r.ObjectURI, 9)
		if len(after) != 1 || after[0].ObjectURI != later.ObjectURI {
			t.Errorf("retractions after the first %+v", after)
		}
		never, err6 := tx.NeverHeld(ctx, "b.test", "", 9)
		if len(never) != 2 || never[0] != r.ObjectURI {
			t.Errorf("taken back and never here %v", never)
		}
		return first(err, err2, err3, err4, err5, err6)
	}))
	// A post that is here in whatever state does not count, and nothing of who left.
	Post(t, db, bob, func(p *social.Post) { p.URI = later.ObjectURI })
	never := func(want int) {
		t.Helper()
		must(t, db.View(ctx, func(tx social.Tx) error {
			list, err := tx.NeverHeld(ctx, "b.test", "", 9)
			if len(list) != want {
				t.Errorf("taken back and never here %v", list)
			}
			return err
		}))
	}
	never(1)
	bob.DeletedAt = now
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.UpdateAccount(ctx, bob) }))
	never(0)
}

// Sisters and partners are due: those never read at once, others when they say so.
func catchUpsAreDue(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.UnixMilli(1795528707818).UTC()
	c := social.CatchUp{Peer: "a.test", Epoch: "3", Top: "top", Gaps: []social.Gap{{After: "x", UpTo: "y"}}, NextAt: now.Add(time.Hour), DoneAt: now,
		Items: 7, LastError: "busy", ReclaimedEpoch: 2, ReclaimAt: "z"}
	due := func(at time.Time, want ...string) {
		t.Helper()
		must(t, db.View(ctx, func(tx social.Tx) error {
			list, err := tx.DueCatchUps(ctx, at, 9)
			if len(list) != len(want) {
				t.Errorf("due: %v, want %v", list, want)
			}
			for i := range min(len(list), len(want)) {
				if list[i] != want[i] {
					t.Errorf("due: %v, want %v", list, want)
				}
			}
			return err
		}))
	}
	both(t, db, func(tx social.Tx) error {
		for host, z := range map[string]social.Zone{"a.test": {Kind: social.ZoneCompany}, "p.test": {Kind: social.ZonePartner, Name: "acme"}, "public.test": {Kind: social.ZonePublic}} {
			if err := tx.SetZone(ctx, host, z, "", now); err != nil {
				return err
			}
		}
		return tx.PutCatchUp(ctx, c)
	}, func(tx social.Tx) error {
		got, err := tx.CatchUp(ctx, "a.test")
		none, err2 := tx.CatchUp(ctx, "p.test")
		if got.Epoch != "3" || got.Top != "top" || len(got.Gaps) != 1 || got.Gaps[0] != c.Gaps[0] || !got.NextAt.Equal(c.NextAt) || !got.DoneAt.Equal(now) ||
			got.Items != 7 || got.LastError != "busy" || got.ReclaimedEpoch != 2 || got.ReclaimAt != "z" || none.Peer != "p.test" || none.Epoch != "" {
			t.Errorf("%+v %+v", got, none)
		}
		return first(err, err2)
	})
	due(now, "p.test")
	due(now.Add(time.Hour), "p.test", "a.test")
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.HastenCatchUps(ctx, "a.test", now) }))
	due(now, "p.test", "a.test")
	c.NextAt = now.Add(time.Hour)
	must(t, db.Tx(ctx, func(tx social.Tx) error { return first(tx.PutCatchUp(ctx, c), tx.HastenCatchUps(ctx, "", now)) }))
	due(now, "p.test", "a.test")
}

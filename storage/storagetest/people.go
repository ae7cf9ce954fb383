package storagetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// both runs a change and then looks at what it left.
func both(t *testing.T, db *storage.DB, change, look func(tx social.Tx) error) {
	t.Helper()
	must(t, db.Tx(context.Background(), change))
	must(t, db.View(context.Background(), look))
}

// first is the error of the first step that failed.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func idsOf(list []*social.Account) (ids []social.ID) {
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	return ids
}

func idsOfPosts(list []*social.Post) (ids []social.ID) {
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	return ids
}

func accountsAreFound(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "Bob", "b.test")
	both(t, db, func(tx social.Tx) error {
		a, err := tx.Account(ctx, alice.ID)
		if err != nil {
			return err
		}
		a.Email, a.DisplayName, a.Role = "Alice@A.test", "Frau Müller", social.RoleModerator
		return first(tx.UpdateAccount(ctx, a), tx.PutKey(ctx, social.Key{URI: "k1", AccountID: alice.ID, Kind: "rsa", Public: []byte("p"), Private: []byte("s")}),
			tx.PutKey(ctx, social.Key{URI: "k2", AccountID: alice.ID, Kind: "ed25519", Public: []byte("q")}), tx.DeleteKey(ctx, "k2"))
	}, func(tx social.Tx) error {
		byMail, err := tx.AccountByEmail(ctx, "alice@a.TEST")
		byName, err2 := tx.AccountByName(ctx, "bOB", "B.test")
		byURI, err3 := tx.AccountByURI(ctx, bob.URI)
		if err := first(err, err2, err3); err != nil {
			return err
		}
		if byMail.ID != alice.ID || byName.ID != bob.ID || byURI.ID != bob.ID {
			t.Errorf("by mail %s, name %s, URI %s", byMail.ID, byName.ID, byURI.ID)
		}
		many, err := tx.Accounts(ctx, []social.ID{alice.ID, bob.ID, 1})
		uris, err2 := tx.AccountsByURI(ctx, []string{bob.URI, "https://none"})
		if len(many) != 2 || len(uris) != 1 || uris[bob.URI].ID != bob.ID {
			t.Errorf("%v %v", many, uris)
		}
		found, err3 := tx.SearchAccounts(ctx, social.AccountQuery{Prefix: "MÜL", Limit: 5})
		for _, one := range []struct {
			q    social.AccountQuery
			want []social.ID
		}{
			{social.AccountQuery{At: &social.Servers{Names: []string{"b.test"}}}, []social.ID{bob.ID}},
			{social.AccountQuery{At: &social.Servers{Names: []string{"b.test"}, Others: true}}, []social.ID{alice.ID}},
			{social.AccountQuery{At: &social.Servers{Names: []string{}}}, nil},
			{social.AccountQuery{Skip: 1}, []social.ID{bob.ID}},
			{social.AccountQuery{People: true}, []social.ID{alice.ID, bob.ID}},
			{social.AccountQuery{Groups: true}, nil},
		} {
			one.q.Limit = 5
			if some, err := tx.SearchAccounts(ctx, one.q); err != nil || !slices.Equal(idsOf(some), one.want) {
				t.Errorf("%+v finds %v, want %v, %v", one.q, idsOf(some), one.want, err)
			}
		}
		locals, err4 := tx.LocalAccounts(ctx, "", social.Page{Limit: 5})
		if !slices.Equal(idsOf(found), []social.ID{alice.ID}) || !slices.Equal(idsOf(locals), []social.ID{alice.ID}) {
			t.Errorf("found %v, here %v", idsOf(found), idsOf(locals))
		}
		for text, want := range map[string]int{"LIC": 1, "üller": 1, "@": 1, "bob": 0, "_": 0} {
			if some, err := tx.LocalAccounts(ctx, text, social.Page{Limit: 5}); err != nil || len(some) != want {
				t.Errorf("%q is found %d times: %v", text, len(some), err)
			}
		}
		staff, err8 := tx.Staff(ctx)
		if !slices.Equal(idsOf(staff), []social.ID{alice.ID}) {
			t.Errorf("staff %v", idsOf(staff))
		}
		members, posts, err5 := tx.CountLocalAccounts(ctx)
		key, err6 := tx.KeyByURI(ctx, "k1")
		keys, err7 := tx.KeysOf(ctx, alice.ID)
		if members != 1 || posts != 0 || key.AccountID != alice.ID || len(keys) != 1 {
			t.Errorf("%d members, %d posts, key of %s, %d keys", members, posts, key.AccountID, len(keys))
		}
		return first(err, err2, err3, err4, err5, err6, err7, err8)
	})
}

func followsBlocksAndMutes(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob, carol := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test"), Account(t, db, "carol", "b.test")
	old := Post(t, db, alice, nil)
	f := &social.Follow{ID: social.NewID(now), FollowerID: bob.ID, TargetID: alice.ID, URI: "https://b.test/f", State: social.FollowAccepted, CreatedAt: now}
	waits := &social.Follow{ID: social.NewID(now), FollowerID: carol.ID, TargetID: alice.ID, State: social.FollowPending, CreatedAt: now}
	page := social.Page{Limit: 5}
	both(t, db, func(tx social.Tx) error {
		_, err := tx.SetBlock(ctx, alice.ID, carol.ID, true, now)
		_, err2 := tx.SetMute(ctx, alice.ID, bob.ID, true, now)
		return first(err, err2, tx.PutFollow(ctx, f), tx.PutFollow(ctx, waits), tx.FillTimeline(ctx, bob.ID, alice.ID, 5))
	}, func(tx social.Tx) error {
		got, err := tx.Follow(ctx, bob.ID, alice.ID)
		byURI, err2 := tx.FollowByURI(ctx, f.URI)
		to, err3 := tx.FollowsTo(ctx, carol.ID, []social.ID{alice.ID, bob.ID})
		from, err4 := tx.FollowsFrom(ctx, alice.ID, []social.ID{alice.ID, bob.ID})
		if err := first(err, err2, err3, err4); err != nil {
			return err
		}
		if got.ID != f.ID || byURI.ID != f.ID || len(to) != 1 || to[alice.ID].State != social.FollowPending || len(from) != 1 || from[bob.ID] == nil {
			t.Errorf("%+v %+v %v %v", got, byURI, to, from)
		}
		lists := []struct {
			list func(context.Context, social.ID, social.Page) ([]*social.Account, []social.ID, error)
			of   social.ID
			want []social.ID
		}{{tx.Followers, alice.ID, []social.ID{bob.ID}}, {tx.Following, bob.ID, []social.ID{alice.ID}}, {tx.FollowRequests, alice.ID, []social.ID{carol.ID}},
			{tx.Blocked, alice.ID, []social.ID{carol.ID}}, {tx.Muted, alice.ID, []social.ID{bob.ID}}}
		for i, l := range lists {
			people, cursors, err := l.list(ctx, l.of, page)
			if err != nil || !slices.Equal(idsOf(people), l.want) || len(cursors) != len(people) {
				t.Errorf("list %d: %v %v", i, idsOf(people), err)
			}
		}
		inboxes, err := tx.FollowerInboxes(ctx, alice.ID)
		uris, cursors, err1 := tx.FollowersAt(ctx, "b.test", alice.ID, social.Page{Limit: 5})
		if err1 != nil || !slices.Equal(uris, []string{bob.URI}) || len(cursors) != 1 {
			t.Errorf("followers at b.test: %v %v %v", uris, cursors, err1)
		}
		there, err2 := tx.PeerFollows(ctx, "b.test", alice.ID)
		none, err3 := tx.PeerFollows(ctx, "c.test", alice.ID)
		if len(inboxes) != 1 || inboxes[0].Inbox != bob.SharedInboxURI || !there || none {
			t.Errorf("%v %v %v", inboxes, there, none)
		}
		blocks, err4 := tx.Blocks(ctx, alice.ID, []social.ID{bob.ID, carol.ID})
		other, err5 := tx.Blocks(ctx, carol.ID, []social.ID{alice.ID})
		if !blocks[bob.ID].Muting || !blocks[carol.ID].Blocking || !other[alice.ID].BlockedBy {
			t.Errorf("%v %v", blocks, other)
		}
		line, err6 := tx.Timeline(ctx, bob.ID, page)
		if len(line) != 1 || line[0].PostID != old.ID {
			t.Errorf("filled with %v", line)
		}
		at, err7 := tx.InTimeline(ctx, bob.ID, []social.ID{old.ID, old.ID + 1})
		elsewhere, err8 := tx.InTimeline(ctx, carol.ID, []social.ID{old.ID})
		if !slices.Equal(at, line) || len(elsewhere) != 0 {
			t.Errorf("found at %v, and in another's at %v", at, elsewhere)
		}
		return first(err, err2, err3, err4, err5, err6, err7, err8)
	})
	both(t, db, func(tx social.Tx) error {
		was, err := tx.DeleteFollow(ctx, bob.ID, alice.ID)
		if !was {
			t.Error("there was no follow")
		}
		return first(err, tx.ClearTimeline(ctx, bob.ID, alice.ID))
	}, func(tx social.Tx) error {
		line, err := tx.Timeline(ctx, bob.ID, page)
		if len(line) != 0 {
			t.Errorf("cleared: %v", line)
		}
		return err
	})
}

func notificationsAndReports(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	var ids []social.ID
	both(t, db, func(tx social.Tx) error {
		for _, kind := range []social.NotificationKind{social.NotifyFollow, social.NotifyFollow, social.NotifyMention} {
			n := &social.Notification{AccountID: alice.ID, Kind: kind, FromID: bob.ID, CreatedAt: now}
			if err := tx.InsertNotification(ctx, n); err != nil {
				return err
			}
		}
		return tx.InsertReport(ctx, &social.Report{ID: social.NewID(now), FromPeer: "b.test", TargetID: alice.ID, Comment: "spam", CreatedAt: now})
	}, func(tx social.Tx) error {
		list, err := tx.Notifications(ctx, alice.ID, social.Page{Limit: 9}, social.NotificationFilter{})
		for _, n := range list {
			ids = append(ids, n.ID)
		}
		only, err2 := tx.Notifications(ctx, alice.ID, social.Page{Limit: 9}, social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyMention}})
		unread, err3 := tx.CountUnread(ctx, alice.ID, social.NotificationFilter{}, 100)
		reports, err4 := tx.Reports(ctx, social.Page{Limit: 9})
		open, err6 := tx.OpenReports(ctx, social.Page{Limit: 9})
		n, err7 := tx.CountOpenReports(ctx)
		if one, err := tx.Report(ctx, reports[0].ID); err != nil || one.Comment != "spam" {
			t.Errorf("one report: %v %v", one, err)
		}
		if _, err := tx.Report(ctx, 1); social.KindOf(err) != social.NotFound {
			t.Errorf("a report that is none: %v", err)
		}
		if len(open) != 1 || n != 1 || err6 != nil || err7 != nil {
			t.Errorf("%d open, %d counted: %v %v", len(open), n, err6, err7)
		}
		if len(list) != 2 || len(only) != 1 || unread != 2 || len(reports) != 1 || reports[0].Comment != "spam" {
			t.Errorf("%d, %d of a kind, %d unread, %v", len(list), len(only), unread, reports)
		}
		one, err5 := tx.Notification(ctx, alice.ID, ids[0])
		if _, err := tx.Notification(ctx, bob.ID, ids[0]); social.KindOf(err) != social.NotFound || one.FromID != bob.ID {
			t.Errorf("%+v, another's: %v", one, err)
		}
		return first(err, err2, err3, err4, err5)
	})
	both(t, db, func(tx social.Tx) error {
		reports, err := tx.Reports(ctx, social.Page{Limit: 9})
		return first(err, tx.CloseReport(ctx, reports[0].ID, now), tx.CloseReport(ctx, reports[0].ID, now.Add(time.Hour)), tx.MarkRead(ctx, alice.ID, ids[1], now), tx.DeleteNotifications(ctx, bob.ID, social.NotificationFilter{}))
	}, func(tx social.Tx) error {
		if reports, err := tx.Reports(ctx, social.Page{Limit: 9}); err != nil || reports[0].ClosedAt.UnixMilli() != now.UnixMilli() {
			t.Errorf("a report that was dealt with: %+v %v", reports, err)
		}
		open, err := tx.OpenReports(ctx, social.Page{Limit: 9})
		if n, err2 := tx.CountOpenReports(ctx); n != 0 || len(open) != 0 || err != nil || err2 != nil {
			t.Errorf("%d open, %d counted: %v %v", len(open), n, err, err2)
		}
		unread, err := tx.CountUnread(ctx, alice.ID, social.NotificationFilter{}, 100)
		if unread != 1 {
			t.Errorf("%d unread", unread)
		}
		return err
	})
	both(t, db, func(tx social.Tx) error { return tx.DeleteNotifications(ctx, alice.ID, social.NotificationFilter{}) }, func(tx social.Tx) error {
		list, err := tx.Notifications(ctx, alice.ID, social.Page{Limit: 9}, social.NotificationFilter{})
		if len(list) != 0 {
			t.Errorf("%v are left", list)
		}
		return err
	})
}

func peersAndZones(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	Account(t, db, "bob", "b.test")
	company := social.Zone{Kind: social.ZoneCompany}
	both(t, db, func(tx social.Tx) error {
		return first(tx.SetZone(ctx, "b.test", company, "", now), tx.SetZone(ctx, "c.test", company, "", now), tx.RemovePeer(ctx, "c.test"),
			tx.TouchPeer(ctx, social.PeerTouch{Authority: "b.test", InAt: now, SharedInbox: "https://b.test/inbox"}),
			tx.Knock(ctx, social.ConnectRequest{Authority: "d.test", Actor: "x", LastAt: now}), tx.Knock(ctx, social.ConnectRequest{Authority: "d.test", LastAt: now}))
	}, func(tx social.Tx) error {
		all, err := tx.Peers(ctx)
		in, err2 := tx.PeersInZone(ctx, company)
		inboxes, err3 := tx.PeerInboxes(ctx, []social.Zone{company})
		knocks, err4 := tx.ConnectRequests(ctx)
		if len(all) != 1 || len(in) != 1 || len(inboxes) != 1 || inboxes[0].Inbox != "https://b.test/inbox" || len(knocks) != 1 || knocks[0].Count != 2 {
			t.Errorf("%v\n%v\n%v\n%v", all, in, inboxes, knocks)
		}
		return first(err, err2, err3, err4)
	})
}

func notificationsStandTogether(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice := Account(t, db, "alice", "")
	post := Post(t, db, alice, nil)
	var fans []*social.Account
	for _, name := range []string{"bob", "carol", "dora"} {
		fans = append(fans, Account(t, db, name, "b.test"))
	}
	all := social.NotificationFilter{Together: social.Gathered()}
	page := social.Page{Limit: 9}
	both(t, db, func(tx social.Tx) error {
		for _, fan := range fans {
			for _, kind := range []social.NotificationKind{social.NotifyMention, social.NotifyFavourite} {
				n := &social.Notification{AccountID: alice.ID, Kind: kind, FromID: fan.ID, PostID: post.ID, CreatedAt: now, Held: fan == fans[1]}
				if err := tx.InsertNotification(ctx, n); err != nil {
					return err
				}
			}
		}
		return nil
	}, func(tx social.Tx) error {
		// By the keys, for the day may end while this runs.
		groups, singles := map[string]int{}, 0
		list, err := tx.Notifications(ctx, alice.ID, page, social.NotificationFilter{Held: true})
		for _, n := range list {
			groups[n.GroupKey()]++
			if n.Held != (n.FromID == fans[1].ID) {
				t.Errorf("%+v", n)
			}
		}
		newest, err2 := tx.Notifications(ctx, alice.ID, page, social.NotificationFilter{Held: true, Together: social.Gathered()})
		unread, err3 := tx.CountUnread(ctx, alice.ID, social.NotificationFilter{Held: true, Together: social.Gathered()}, 100)
		few, err4 := tx.CountUnread(ctx, alice.ID, social.NotificationFilter{}, 3)
		if len(list) != 6 || len(newest) != len(groups) || unread != len(groups) || few != 3 {
			t.Errorf("%d, %d groups of %v, %d unread, %d at most", len(list), len(newest), groups, unread, few)
		}
		for _, n := range newest {
			facts, err := tx.GroupFacts(ctx, alice.ID, []social.ID{n.ID}, social.NotificationFilter{Held: true}, n.ID, 2)
			g := facts[n.ID]
			switch {
			case err != nil:
				return err
			case n.Kind == social.NotifyMention:
				singles++
			case g.Count != groups[n.GroupKey()] || g.Oldest != n.ID || len(g.From) > 2 || g.From[0] != n.FromID:
				t.Errorf("%+v of %v", g, groups)
			}
		}
		if singles != 3 {
			t.Errorf("%d mentions", singles)
		}
		shown, err5 := tx.Notifications(ctx, alice.ID, page, all)
		by, err6 := tx.Notifications(ctx, alice.ID, page, social.NotificationFilter{FromID: fans[0].ID, Exclude: []social.NotificationKind{social.NotifyMention}, Together: social.Gathered()})
		if len(shown) < 3 || len(shown) > 4 || len(by) != 1 || by[0].FromID != fans[0].ID {
			t.Errorf("%d without what is held, %v by one", len(shown), by)
		}
		return first(err, err2, err3, err4, err5, err6)
	})
	both(t, db, func(tx social.Tx) error {
		one := &social.Alike{Kind: social.NotifyFavourite, PostID: post.ID, First: 1, Last: social.FirstID(now.Add(time.Hour))}
		return first(tx.MarkRead(ctx, alice.ID, social.FirstID(now.Add(time.Hour)), now), tx.DeleteNotifications(ctx, alice.ID, social.NotificationFilter{Alike: one}))
	}, func(tx social.Tx) error {
		left, err := tx.Notifications(ctx, alice.ID, page, social.NotificationFilter{Held: true})
		unread, err2 := tx.CountUnread(ctx, alice.ID, social.NotificationFilter{Held: true}, 100)
		if len(left) != 4 || unread != 2 { // what is held is neither read nor put away with the others
			t.Errorf("%v, %d unread", left, unread)
		}
		return first(err, err2)
	})
}

func heldNotificationsWait(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob, carol := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test"), Account(t, db, "carol", "b.test")
	post := Post(t, db, bob, nil)
	page := social.Page{Limit: 9}
	tell := func(tx social.Tx, from *social.Account, kind social.NotificationKind, about social.ID) error {
		return tx.InsertNotification(ctx, &social.Notification{AccountID: alice.ID, Kind: kind, FromID: from.ID, PostID: about, CreatedAt: now, Held: true})
	}
	both(t, db, func(tx social.Tx) error {
		return first(tell(tx, bob, social.NotifyMention, post.ID), tell(tx, bob, social.NotifyFollow, 0), tell(tx, carol, social.NotifyFollow, 0))
	}, func(tx social.Tx) error {
		all, err := tx.HeldFrom(ctx, alice.ID, 0, page)
		older, err2 := tx.HeldFrom(ctx, alice.ID, 0, social.Page{Limit: 9, Max: all[0].Newest})
		one, err3 := tx.HeldFrom(ctx, alice.ID, bob.ID, page)
		requests, notifications, err4 := tx.CountHeld(ctx, alice.ID)
		heard, err5 := tx.Heard(ctx, alice.ID, bob.ID)
		if len(all) != 2 || all[0].FromID != carol.ID || all[0].PostID != 0 || len(older) != 1 || len(one) != 1 || older[0] != one[0] {
			t.Fatalf("%+v, older %+v, one %+v", all, older, one)
		}
		if one[0].Count != 2 || one[0].PostID != post.ID || one[0].First >= one[0].Newest || requests != 2 || notifications != 3 || heard {
			t.Errorf("%+v, %d of %d, %v", one[0], notifications, requests, heard)
		}
		return first(err, err2, err3, err4, err5)
	})
	both(t, db, func(tx social.Tx) error {
		none, err := tx.AcceptHeld(ctx, alice.ID, []social.ID{alice.ID})
		told, err2 := tx.AcceptHeld(ctx, alice.ID, []social.ID{bob.ID, alice.ID})
		gone, err3 := tx.DropHeld(ctx, alice.ID, []social.ID{bob.ID, carol.ID})
		if none != 0 || told != 2 || gone != 1 {
			t.Errorf("%d, %d told, %d gone", none, told, gone)
		}
		return first(err, err2, err3)
	}, func(tx social.Tx) error {
		list, err := tx.Notifications(ctx, alice.ID, page, social.NotificationFilter{})
		requests, notifications, err2 := tx.CountHeld(ctx, alice.ID)
		heard, err3 := tx.Heard(ctx, alice.ID, bob.ID)
		others, err4 := tx.Heard(ctx, alice.ID, carol.ID)
		if len(list) != 2 || requests != 0 || notifications != 0 || !heard || others {
			t.Errorf("%v, %d of %d, %v %v", list, notifications, requests, heard, others)
		}
		return first(err, err2, err3, err4)
	})
}

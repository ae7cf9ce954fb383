package storagetest

import (
	"context"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// pairingsAreKept: one for each authority, whole, those that ended too.
func pairingsAreKept(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	now := time.Now().Truncate(time.Millisecond)
	p := social.Pairing{Authority: "b.test", State: social.PairingActive, Zone: social.Zone{Kind: social.ZoneCompany}, Keeper: "a.test",
		SigningKey: []byte{1, 2}, SealingKey: []byte{3}, Since: now, ExpiresAt: now.Add(time.Hour)}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		if _, err := tx.Pairing(ctx, "b.test"); social.KindOf(err) != social.NotFound {
			t.Errorf("a pairing that never was: %v", err)
		}
		return tx.PutPairing(ctx, p)
	}))
	p.State, p.EndedAt = social.PairingLeft, now
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.PutPairing(ctx, p) }))
	must(t, db.View(ctx, func(tx social.Tx) error {
		got, err := tx.Pairing(ctx, "b.test")
		if err != nil {
			return err
		}
		if got.State != social.PairingLeft || got.Zone != p.Zone || got.Keeper != p.Keeper || string(got.SigningKey) != "\x01\x02" || !got.Since.Equal(now) {
			t.Errorf("kept %+v", got)
		}
		all, err := tx.Pairings(ctx)
		if len(all) != 1 {
			t.Errorf("%d pairings for one authority", len(all))
		}
		return err
	}))
}

// peersComeWithTheirPairing: whoever asks for a peer learns in the same query whether
// its pairing counts, and from when on posts are for it.
func peersComeWithTheirPairing(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	now := time.Now().Truncate(time.Millisecond)
	company := social.Zone{Kind: social.ZoneCompany}
	p := social.Pairing{Authority: "b.test", State: social.PairingActive, Zone: company, Since: now, ExpiresAt: now.Add(time.Hour)}
	check := func(state social.PairingState, from time.Time) {
		t.Helper()
		must(t, db.View(ctx, func(tx social.Tx) error {
			one, err := tx.Peer(ctx, "b.test")
			all, err2 := tx.Peers(ctx)
			in, err3 := tx.PeersInZone(ctx, company)
			if len(all) != 1 || len(in) != 1 || one.Pairing != state || all[0].Pairing != state || in[0].Pairing != state ||
				!one.VisibleFrom.Equal(from) || !from.IsZero() && !one.PairedUntil.Equal(p.ExpiresAt) {
				t.Errorf("want %q from %s: %+v %+v", state, from, one, all)
			}
			return first(err, err2, err3)
		}))
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.SetZone(ctx, "b.test", company, "test", now) }))
	check("", time.Time{})
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.PutPairing(ctx, p) }))
	check(social.PairingActive, now)
	p.State, p.HistoryFrom = social.PairingParked, now.Add(-time.Hour)
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.PutPairing(ctx, p) }))
	check(social.PairingParked, p.HistoryFrom)
}

// invitationsAreKept: whole, until a newer one for the same host or their end.
func invitationsAreKept(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	now := time.Now().Truncate(time.Millisecond)
	put := func(id, host string, until time.Time) social.Invitation {
		return social.Invitation{ID: id, Authority: host, Zone: social.Zone{Kind: social.ZonePartner, Name: "acme"}, MACKey: []byte{1}, ExpiresAt: until}
	}
	used := put("1", "b.test", now.Add(time.Hour))
	used.UsedAt, used.UsedBy = now, []byte{2}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return first(tx.PutInvitation(ctx, put("1", "b.test", now.Add(time.Hour))), tx.PutInvitation(ctx, used), tx.PutInvitation(ctx, put("2", "b.test", now.Add(time.Hour))),
			tx.PutInvitation(ctx, put("3", "c.test", now.Add(time.Hour))), tx.PutInvitation(ctx, put("4", "d.test", now.Add(-time.Hour))))
	}))
	must(t, db.View(ctx, func(tx social.Tx) error {
		got, err := tx.Invitation(ctx, "1")
		if !got.UsedAt.Equal(now) || string(got.UsedBy) != "\x02" || got.Zone != used.Zone || string(got.MACKey) != "\x01" {
			t.Errorf("kept %+v", got)
		}
		return err
	}))
	must(t, db.View(ctx, func(tx social.Tx) error {
		open, err := tx.OpenInvitations(ctx, now)
		if len(open) != 2 || open[0].ID != "2" || open[1].ID != "3" || open[1].Zone != used.Zone {
			t.Errorf("open are %+v", open)
		}
		return err
	}))
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.DropInvitations(ctx, "b.test", now) }))
	must(t, db.View(ctx, func(tx social.Tx) error {
		for id, want := range map[string]bool{"1": false, "2": false, "3": true, "4": false} {
			if _, err := tx.Invitation(ctx, id); (err == nil) != want || err != nil && social.KindOf(err) != social.NotFound {
				t.Errorf("invitation %s: %v", id, err)
			}
		}
		return nil
	}))
}

// receiptsAreTakenBack: paged by peer, asked for once, confirmed, and new again when
// the object was sent anew.
func receiptsAreTakenBack(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	now := time.Now().Truncate(time.Millisecond)
	receipt := func(uri, peer, inbox string) social.Receipt {
		return social.Receipt{ObjectURI: uri, PostID: 7, Peer: peer, Inbox: inbox, How: social.ReceiptSent, At: now}
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return first(tx.PutReceipt(ctx, receipt("o1", "b.test", "i1")), tx.PutReceipt(ctx, receipt("o1", "b.test", "i2")), tx.PutReceipt(ctx, receipt("o2", "b.test", "i1")),
			tx.PutReceipt(ctx, receipt("o3", "b.test", "i1")), tx.PutReceipt(ctx, receipt("o1", "c.test", "i3")),
			tx.AskBack(ctx, "o1", "b.test", now), tx.TakenBack(ctx, "o1", "b.test", now.Add(time.Second)), tx.AskBack(ctx, "o2", "b.test", now))
	}))
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.PutReceipt(ctx, receipt("o2", "b.test", "i1")) }))
	must(t, db.View(ctx, func(tx social.Tx) error {
		page, err := tx.ReceiptsAt(ctx, "b.test", "", 3)
		rest, err2 := tx.ReceiptsAt(ctx, "b.test", "o2", 3)
		if len(page) != 3 || len(rest) != 1 || rest[0].ObjectURI != "o3" {
			t.Fatalf("%+v %+v", page, rest)
		}
		for _, r := range page[:2] {
			if r.ObjectURI != "o1" || !r.BackAsked.Equal(now) || !r.BackAt.Equal(now.Add(time.Second)) {
				t.Errorf("taken back: %+v", r)
			}
		}
		if !page[2].BackAsked.IsZero() || !rest[0].BackAsked.IsZero() {
			t.Errorf("sent anew: %+v, never asked for: %+v", page[2], rest[0])
		}
		other, err3 := tx.ReceiptsAt(ctx, "c.test", "", 3)
		if len(other) != 1 || !other[0].BackAt.IsZero() {
			t.Errorf("of another peer: %+v", other)
		}
		return first(err, err2, err3)
	}))
}

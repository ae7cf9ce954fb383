package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

func threadPage(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice := Account(t, db, "alice", "")
	root := Post(t, db, alice, nil)
	var want []social.ID
	for range 7 {
		p := Post(t, db, alice, func(p *social.Post) { p.InReplyToID, p.InReplyToURI, p.ThreadID = root.ID, root.URI, root.ID })
		want = append(want, p.ID)
	}
	Post(t, db, alice, func(p *social.Post) { p.Kind, p.BoostOfID, p.ThreadID = social.PostBoost, root.ID, root.ID })
	must(t, db.Tx(ctx, func(tx social.Tx) error { _, err := tx.DeletePost(ctx, want[3], root.PublishedAt); return err }))
	want = append(want[:3], want[4:]...)
	want = append([]social.ID{root.ID}, want...)
	var got []social.ID
	must(t, db.View(ctx, func(tx social.Tx) error {
		for after := social.ID(0); ; {
			page, err := tx.ThreadPage(ctx, root.ID, social.Page{Min: after, Limit: 3})
			if err != nil || len(page) == 0 {
				return err
			}
			for _, p := range page {
				got, after = append(got, p.ID), p.ID
			}
		}
	}))
	sorted := map[social.ID]bool{}
	for i, id := range got {
		sorted[id] = true
		if i > 0 && got[i-1] >= id {
			t.Errorf("out of order: %v", got)
		}
	}
	if len(got) != len(want) || len(sorted) != len(want) {
		t.Errorf("%d posts, want %d", len(got), len(want))
	}
}

func countPosts(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice := Account(t, db, "alice", "")
	for i, one := range []struct{ audience, ceiling social.AudienceKind }{
		{social.AudiencePublic, ""}, {social.AudienceUnlisted, ""}, {social.AudienceCompany, ""}, {social.AudienceFollowers, ""},
		{social.AudiencePublic, social.AudienceInstance}, {social.AudienceCompany, social.AudienceCompany}} {
		Post(t, db, alice, func(p *social.Post) {
			p.URI += fmt.Sprint("/", i)
			p.Audience.Kind, p.Ceiling.Kind = one.audience, one.ceiling
		})
	}
	must(t, db.View(ctx, func(tx social.Tx) error {
		for want, kinds := range map[int][]social.AudienceKind{2: {social.AudiencePublic, social.AudienceUnlisted},
			4: {social.AudiencePublic, social.AudienceUnlisted, social.AudienceCompany}, 0: {social.AudienceDirect}} {
			if n, err := tx.CountPosts(ctx, alice.ID, kinds); err != nil || n != want {
				t.Errorf("%v: %d, want %d, %v", kinds, n, want, err)
			}
		}
		posts, err := tx.PostsBy(ctx, alice.ID, social.Page{Limit: 10}, social.PostFilter{Everybody: true})
		if len(posts) != 2 {
			t.Errorf("%d posts are for everybody", len(posts))
		}
		return err
	}))
}

func blockedAmong(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		if err := tx.SetZone(ctx, "bad.example", social.Zone{Kind: social.ZoneBlocked}, "", time.Now()); err != nil {
			return err
		}
		return tx.SetZone(ctx, "good.example", social.Zone{Kind: social.ZonePublic}, "", time.Now())
	}))
	must(t, db.View(ctx, func(tx social.Tx) error {
		got, err := tx.BlockedAmong(ctx, []string{"bad.example", "a.bad.example:8443", "good.example", "notbad.example"})
		if !got["bad.example"] || !got["a.bad.example:8443"] || got["good.example"] || got["notbad.example"] {
			t.Errorf("%v", got)
		}
		return err
	}))
}

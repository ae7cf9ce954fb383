package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// remoteMedia: copies of other servers' files go with their post, with their server or
// author's server, when an edit takes them away, and oldest first.
func remoteMedia(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now()
	alice, bob := Account(t, db, "alice", "a.test"), Account(t, db, "bob", "b.test")
	var posts []*social.Post
	n := 0
	keep := func(author *social.Account, origin string) string {
		t.Helper()
		p := Post(t, db, author, nil)
		posts = append(posts, p)
		n++
		id := social.NewID(now.Add(time.Duration(n) * time.Minute))
		m := &social.RemoteMedia{ID: id, PostID: p.ID, URL: fmt.Sprintf("https://%s/%d", origin, n), Origin: origin, File: id.String() + "-remote.png", MediaType: "image/png", Size: 10}
		must(t, db.Tx(ctx, func(tx social.Tx) error {
			if err := tx.PutRemoteMedia(ctx, m); err != nil {
				return err
			}
			return tx.PutRemoteMedia(ctx, m) // again is the same
		}))
		got := &social.RemoteMedia{}
		must(t, db.View(ctx, func(tx social.Tx) (err error) { got, err = tx.RemoteMedia(ctx, p.ID, m.URL); return err }))
		if *got != *m {
			t.Errorf("kept %+v, have %+v", m, got)
		}
		return m.File
	}
	gone := func(what string, want []string, drop func(tx social.Tx) ([]string, error)) {
		t.Helper()
		var files []string
		must(t, db.Tx(ctx, func(tx social.Tx) (err error) { files, err = drop(tx); return err }))
		slices.Sort(files)
		if !slices.Equal(files, want) {
			t.Errorf("%s: free are %v, want %v", what, files, want)
		}
	}
	first, second, third := keep(alice, "a.test"), keep(alice, "cdn.test"), keep(bob, "b.test")
	fourth, fifth := keep(bob, "files.a.test"), keep(bob, "b.test")
	if r, err := db.Room(ctx); err != nil || r.Copies != (storage.Pile{Files: 5, Bytes: 50}) || r.Own != (storage.Pile{}) || r.Database == 0 {
		t.Errorf("%+v %v", r, err)
	}
	evict := func(before time.Time, room int64) func(tx social.Tx) ([]string, error) {
		return func(tx social.Tx) ([]string, error) { return tx.EvictRemoteMedia(ctx, before, room) }
	}
	gone("room for all", nil, evict(now, 50))
	gone("room for four", []string{first}, evict(now, 49))
	gone("the former files", []string{second}, func(tx social.Tx) ([]string, error) {
		return tx.KeepRemoteMedia(ctx, posts[1].ID, []string{"https://else.test/"})
	})
	gone("all files of an edit stay", nil, func(tx social.Tx) ([]string, error) {
		return tx.KeepRemoteMedia(ctx, posts[2].ID, []string{"https://b.test/3"})
	})
	sixth := keep(alice, "cdn.test")
	gone("a blocked server", []string{fourth, sixth}, func(tx social.Tx) ([]string, error) {
		if err := tx.SetZone(ctx, "a.test", social.Zone{Kind: social.ZoneBlocked}, "", now); err != nil {
			return nil, err
		}
		return tx.DropBlockedMedia(ctx)
	})
	gone("a deleted post", []string{third}, func(tx social.Tx) ([]string, error) { return tx.DeletePost(ctx, posts[2].ID, now) })
	gone("too old", []string{fifth}, evict(now.Add(time.Hour), 1000))
	gone("nothing left", nil, evict(now.Add(time.Hour), 0))
}

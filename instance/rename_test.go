package instance_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// A trial with people and posts gets its real name: no address of the old one is
// left in any column, and everything works under the new one.
func TestRename(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { rename(t, "") })
	t.Run("postgres", func(t *testing.T) { rename(t, instancetest.Postgres(t)(0)) })
}

func rename(t *testing.T, database string) {
	ctx := context.Background()
	net := instancetest.New(t, 1, func(int) string { return database })
	in := net.Instances[0]
	s := &scene{T: t, net: net, ctx: ctx, a: in}
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	_, err := in.Social.Follow(ctx, bob, alice.Account.ID, social.FollowOptions{})
	s.ok(err)
	first := s.post(in, alice, social.Draft{Text: "@bob look at #this, followers", Audience: "followers"})
	second := s.post(in, bob, social.Draft{Text: "@alice yes", Audience: "company", InReplyTo: first.Post.ID})
	_, err = in.Social.Edit(ctx, bob, second.Post.ID, social.Draft{Text: "@alice yes indeed"})
	s.ok(err)
	_, err = in.Social.Favourite(ctx, alice, second.Post.ID, true)
	s.ok(err)
	s.post(in, alice, social.Draft{Text: "@bob secret", Audience: "direct"})

	c := *in.Config
	c.Domain, c.PublicURL = "social.example", "https://social.example"
	if err := instance.Rename(ctx, &c, in.Social.Log, time.Now); err == nil || !strings.Contains(err.Error(), "another parley serve") {
		t.Error("renamed under a running server:", err)
	}
	old := in.Config.Domain
	s.ok(in.DB.Rename(ctx, identity(&c)))
	if database == "" {
		leftOver(t, filepath.Join(c.DataDir, "parley.db"), old)
	}
	again, err := instance.Open(ctx, &c, in.Social.Log, time.Now)
	s.ok(err)
	t.Cleanup(func() { _ = again.Close() })
	s.ok(again.DB.View(ctx, func(tx social.Tx) error {
		for _, name := range []string{"alice", "bob"} {
			a, err := tx.AccountByName(ctx, name, "")
			if err != nil {
				return err
			}
			if a.URI != again.Social.Links.Account(a.ID) || a.Authority != "social.example" || a.InboxURI != again.Social.Links.Inbox(a.ID) {
				t.Errorf("%+v", a)
			}
			if _, err := tx.KeyByURI(ctx, again.Social.Links.MainKey(a.URI)); err != nil {
				t.Error(err)
			}
		}
		log, err := tx.LogPage(ctx, "", social.Place{}, social.Place{Epoch: 9}, 100)
		if err != nil || len(log) == 0 {
			t.Errorf("%d entries in the change log, %v", len(log), err)
		}
		for _, entry := range log {
			a, err := tx.Activity(ctx, entry.ID)
			if err != nil {
				return err
			}
			if bytes.Contains(a.Body, []byte(old)) || strings.Contains(a.About, old) {
				t.Errorf("the change log says %s of %s", a.Body, a.About)
			}
		}
		return err
	}))
	renamed, err := again.Social.AccountByHandle(ctx, social.Nobody("social.example"), "@bob@social.example")
	s.ok(err)
	seen := s.there(again, social.Member(renamed, "social.example"), again.Social.Links.Post(alice.Account.ID, first.Post.ID))
	if !strings.Contains(seen.Post.Content, `href="https://social.example/@bob"`) {
		t.Error(seen.Post.Content)
	}
	actor, err := again.Social.InstanceActor(ctx)
	s.ok(err)
	if actor.Username != "social.example" {
		t.Error(actor.Username)
	}
}

// Once another server has been in contact, the name stays.
func TestRenameIsRefusedOnceMet(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	s := &scene{T: t, net: net, ctx: context.Background()}
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	_, err := a.Social.FindHandle(s.ctx, alice, instancetest.Handle(b, bob))
	s.ok(err)
	c := *a.Config
	c.Domain, c.PublicURL = "social.example", "https://social.example"
	if err := a.DB.Rename(s.ctx, identity(&c)); social.KindOf(err) != social.Conflict {
		t.Error("renamed:", err)
	}
	s.ok(a.DB.Rename(s.ctx, identity(a.Config))) // to what it is: nothing to do
}

// leftOver reads every column of every table for an address.
func leftOver(t *testing.T, file, address string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	rows, err := db.Query(`SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	columns := 0
	var all [][2]string
	for rows.Next() {
		var one [2]string
		if err := rows.Scan(&one[0], &one[1]); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		columns++
		var n int
		q := fmt.Sprintf(`SELECT count(*) FROM "%s" WHERE instr(CAST("%s" AS TEXT), $1) > 0`, one[0], one[1])
		if err := db.QueryRow(q, address).Scan(&n); err != nil {
			t.Fatal(q, err)
		}
		if n > 0 {
			t.Errorf("%s.%s still holds the old address in %d rows", one[0], one[1], n)
		}
	}
	if columns < 100 {
		t.Errorf("only %d columns read", columns)
	}
}

func identity(c *config.Config) social.Links {
	return social.Links{PublicURL: c.PublicURL, Domain: c.Domain}
}

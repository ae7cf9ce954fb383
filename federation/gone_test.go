package federation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// holds lists the tables and columns of a database in which a word stands.
func holds(t *testing.T, in *instance.Instance, word string) (where []string) {
	t.Helper()
	for _, table := range rows(t, in, `SELECT name FROM sqlite_master WHERE type = 'table'`) {
		for _, column := range rows(t, in, fmt.Sprintf(`SELECT name FROM pragma_table_info('%s')`, table)) {
			query := fmt.Sprintf(`SELECT 'x' FROM %s WHERE instr(CAST("%s" AS TEXT), '%s') > 0 LIMIT 1`, table, column, word)
			if len(rows(t, in, query)) > 0 {
				where = append(where, table+"."+column)
			}
		}
	}
	return where
}

// What its author deleted is nowhere any more, neither here nor where it was sent: no
// former state, no activity that carried it.
func TestDeletedTextIsNowhere(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	if _, err := b.Social.FindHandle(t.Context(), bob, strings.TrimPrefix(instancetest.Handle(a, alice), "@")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Social.Follow(t.Context(), bob, accountOf(t, b, alice.Account.URI).ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	p := publish(t, a, alice, social.Draft{Text: "canary one", Summary: "careful, canary", Audience: "company",
		Poll: &social.PollDraft{Options: []string{"canary two", "no"}, ExpiresIn: time.Hour}})
	net.Settle()
	if _, err := a.Social.Edit(t.Context(), alice, p.ID, social.Draft{Text: "canary three", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	for _, in := range net.Instances {
		if len(holds(t, in, "canary")) == 0 {
			t.Fatal("the word is not even found while it is there")
		}
	}
	if _, err := a.Social.Delete(t.Context(), alice, p.ID); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	for i, in := range net.Instances {
		if left := holds(t, in, "canary"); len(left) > 0 {
			t.Errorf("instance %d still has it in %v", i, left)
		}
	}
	// What was sent is kept compressed: asked for as it is read.
	if err := a.DB.View(t.Context(), func(tx social.Tx) error {
		said, err := tx.ActivitiesOf(t.Context(), p.ID)
		for _, one := range said {
			if strings.Contains(string(one.Body), "canary") {
				t.Errorf("%s of the post still holds it", one.Verb)
			}
		}
		if len(said) < 3 {
			t.Errorf("%d activities are kept", len(said))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A member who leaves takes the posts along, also from servers where nobody followed:
// company posts reach all sisters.
func TestLeavingReachesWhoeverHasThePosts(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	alice, carol, bob := net.Member(a, "alice"), net.Member(a, "carol"), net.Member(b, "bob")
	if _, err := b.Social.FindHandle(t.Context(), bob, strings.TrimPrefix(instancetest.Handle(a, carol), "@")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Social.Follow(t.Context(), bob, accountOf(t, b, carol.Account.URI).ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	p := publish(t, a, alice, social.Draft{Text: "canary", Audience: "company"})
	net.Settle()
	if _, err := b.Social.PostByURI(t.Context(), bob, p.URI); err != nil {
		t.Fatal(err)
	}
	if err := a.Social.DeleteAccount(t.Context(), alice.Account.ID, "", "test"); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if _, err := b.Social.PostByURI(t.Context(), bob, p.URI); err == nil {
		t.Error("a sister still shows what they wrote")
	}
	if left := holds(t, b, "canary"); len(left) > 0 {
		t.Errorf("a sister still has it in %v", left)
	}
}

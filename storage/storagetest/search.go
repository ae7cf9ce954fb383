package storagetest

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
	"parley/text"
)

// postsAreSought finds posts by words, phrases, beginnings and ends, narrowed, newest
// first; what was edited by its new words alone, and what was deleted by none.
func postsAreSought(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "")
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	put := func(who *social.Account, content string, n int, change func(p *social.Post)) *social.Post {
		t.Helper()
		return Post(t, db, who, func(p *social.Post) {
			p.PublishedAt = day.AddDate(0, 0, n)
			p.ID = social.NewID(p.PublishedAt)
			p.ThreadID, p.Content = p.ID, content
			if change != nil {
				change(p)
			}
		})
	}
	house := put(alice, "das Haus am See", 0, nil)
	bill := put(bob, "die Reisekostenabrechnung ist da", 1, func(p *social.Post) {
		p.Attachments = []social.Attachment{{Kind: "image", URL: "https://b.test/x"}}
	})
	tagged := put(bob, "Häuser und mehr", 2, func(p *social.Post) { p.Tags = []string{"bau"} })
	voted := put(alice, "wann?", 3, func(p *social.Post) {
		p.Kind, p.Poll = social.PostPoll, &social.Poll{Options: []social.PollOption{{Title: "am See"}, {Title: "nie"}}}
	})
	index := func() {
		t.Helper()
		must(t, db.Tx(ctx, func(tx social.Tx) error {
			ids, err := tx.SearchTodo(ctx, 100)
			if err != nil {
				return err
			}
			for _, id := range ids {
				p, err := tx.Post(ctx, id)
				if err != nil {
					return err
				}
				words := p.Content
				if p.Poll != nil {
					for _, o := range p.Poll.Options {
						words += " " + o.Title
					}
				}
				if err := tx.PutWords(ctx, id, text.IndexOf(words)); err != nil {
					return err
				}
			}
			return nil
		}))
		must(t, db.Tx(ctx, func(tx social.Tx) error {
			if ids, err := tx.SearchTodo(ctx, 100); err != nil || len(ids) > 0 {
				t.Errorf("still to do: %v %v", ids, err)
			}
			return nil
		}))
	}
	word := func(w string) social.Term {
		folded, words := text.Split(w)
		return social.Term{Words: folded, Stems: text.Stems(words[0]), Begins: text.Begins(words[0]), Ends: text.Ends(words[0])}
	}
	check := func(what string, q social.PostQuery, p social.Page, want ...*social.Post) {
		t.Helper()
		if p.Limit == 0 {
			p.Limit = 20
		}
		must(t, db.View(ctx, func(tx social.Tx) error {
			found, err := tx.SearchPosts(ctx, q, p)
			if err != nil {
				return err
			}
			if !slices.EqualFunc(found, want, func(a, b *social.Post) bool { return a.ID == b.ID }) {
				t.Errorf("%s: %d found, want %d", what, len(found), len(want))
			}
			return nil
		}))
	}
	terms := func(list ...social.Term) social.PostQuery { return social.PostQuery{Terms: list} }
	check("before it is indexed", terms(word("Haus")), social.Page{})
	index()
	check("another form", terms(word("Haus")), social.Page{}, tagged, house)
	check("the end of a compound", terms(word("Abrechnungen")), social.Page{}, bill)
	check("a beginning", terms(social.Term{Words: []string{"reis"}, Begins: []string{"reis"}}), social.Page{}, bill)
	check("no beginning", terms(social.Term{Words: []string{"reis"}}), social.Page{})
	check("a phrase", terms(social.Term{Words: []string{"am", "see"}}), social.Page{}, voted, house)
	check("no phrase", terms(social.Term{Words: []string{"see", "am"}}), social.Page{})
	check("both words", terms(word("Haus"), word("See")), social.Page{}, house)
	check("by somebody", social.PostQuery{Terms: []social.Term{word("Haus")}, Author: bob.ID}, social.Page{}, tagged)
	check("with a tag", social.PostQuery{Tag: "bau"}, social.Page{}, tagged)
	check("with a file", social.PostQuery{File: true}, social.Page{}, bill)
	check("with a poll", social.PostQuery{Poll: true, Author: alice.ID}, social.Page{}, voted)
	check("some days", social.PostQuery{After: day.AddDate(0, 0, 1), Before: day.AddDate(0, 0, 2)}, social.Page{}, bill)
	check("in a group", social.PostQuery{Group: 7}, social.Page{})
	check("one page", terms(word("Haus")), social.Page{Limit: 1}, tagged)
	check("the next", terms(word("Haus")), social.Page{Limit: 1, Max: tagged.ID}, house)

	house.Content, house.Version = "der Garten", 2
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.UpdatePost(ctx, house) }))
	check("by the former words", terms(word("See")), social.Page{}, voted)
	index()
	check("by the new words", terms(word("Gärten")), social.Page{}, house)
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		_, err := tx.DeletePost(ctx, house.ID, day)
		return err
	}))
	check("deleted", terms(word("Garten")), social.Page{})
	index()

	var many strings.Builder
	many.WriteString("Zebra ")
	for i := range 6000 {
		many.WriteString(strconv.Itoa(100000+i) + strings.Repeat("x", 300) + "ungen ")
	}
	long := put(bob, many.String(), 4, nil)
	index()
	check("among more than a database holds of one post", terms(word("Zebra")), social.Page{}, long)
}

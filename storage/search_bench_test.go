package storage_test

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
	"parley/text"
)

// library opens a database with n posts of some forty words each, as often as words are
// in any language: a few very often, most rarely.
func library(b *testing.B, url string, n int) *storage.DB {
	b.Helper()
	ctx := context.Background()
	db, err := storage.Open(ctx, storage.Options{URL: url, DataDir: b.TempDir(), Now: time.Now, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	var author *social.Account
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	author = &social.Account{Kind: social.KindPerson, Username: "alice", Authority: "a.test", URI: "https://a.test/alice", CreatedAt: time.Now()}
	must(db.Tx(ctx, func(tx social.Tx) error { return tx.InsertAccount(ctx, author) }))
	r := rand.New(rand.NewSource(1))
	zipf := rand.NewZipf(r, 1.1, 8, 20_000)
	start := time.Now().Add(-time.Duration(n) * time.Second)
	for i := 0; i < n; i += 500 {
		must(db.Tx(ctx, func(tx social.Tx) error {
			for j := i; j < i+500; j++ {
				var words []string
				for range 40 {
					words = append(words, fmt.Sprintf("wort%c%dung", 'a'+rune(zipf.Uint64()%26), zipf.Uint64()))
				}
				at := start.Add(time.Duration(j) * time.Second)
				p := &social.Post{ID: social.NewID(at), AuthorID: author.ID, Kind: social.PostNote, Content: strings.Join(words, " "), Version: 1, Local: true,
					Audience: social.Audience{Kind: social.AudiencePublic, Owner: "a.test"}, PublishedAt: at, ArrivedAt: at, URI: fmt.Sprintf("https://a.test/%d", j)}
				p.ThreadID = p.ID
				if err := tx.InsertPost(ctx, p); err != nil {
					return err
				}
				if err := tx.PutWords(ctx, p.ID, text.IndexOf(p.Content)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return db
}

// BenchmarkSearch finds a page among 100,000 posts: by a word that stands in a tenth of
// them, by a rare one, by the beginning of a word, and by what nothing has.
func BenchmarkSearch(b *testing.B) {
	db := library(b, "sqlite:parley.db", 100_000)
	ctx := context.Background()
	term := func(w string) social.Term {
		folded, words := text.Split(w)
		return social.Term{Words: folded, Stems: text.Stems(words[0]), Begins: append(text.Begins(words[0]), folded[0]), Ends: text.Ends(words[0])}
	}
	for name, q := range map[string]social.PostQuery{
		"common":    {Terms: []social.Term{term("worta1ung")}},
		"rare":      {Terms: []social.Term{term("wortb1234ung")}},
		"two words": {Terms: []social.Term{term("worta1ung"), term("wortb2ung")}},
		"beginning": {Terms: []social.Term{term("wortb12")}},
		"nothing":   {Terms: []social.Term{term("unbekannt")}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := db.View(ctx, func(tx social.Tx) error {
					_, err := tx.SearchPosts(ctx, q, social.Page{Limit: 20})
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

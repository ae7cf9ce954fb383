package storage

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"testing"
	"time"

	"parley/social"
)

// recorder is a querier that remembers what was asked.
type recorder struct {
	querier
	asked []statement
}

type statement struct {
	query string
	args  []any
}

func (r *recorder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.asked = append(r.asked, statement{query, args})
	return r.querier.ExecContext(ctx, query, args...)
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.asked = append(r.asked, statement{query, args})
	return r.querier.QueryContext(ctx, query, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.asked = append(r.asked, statement{query, args})
	return r.querier.QueryRowContext(ctx, query, args...)
}

// scan is a step of a plan that reads a whole table of ours; those made for one
// query, such as the members of a JSON list, are short.
var scan = regexp.MustCompile(`^SCAN (\w+)( USING (COVERING )?INDEX \w+)?$`)

// made are the names of short lists that a query of ours makes for itself.
var made = regexp.MustCompile(`^SCAN (page|s|f|counted)$`)

// wide is a step that reads all that is newer, or all that somebody ever wrote.
var wide = regexp.MustCompile(`PRIMARY KEY \(rowid[<>]\?\)|INDEX post_author \(author_id=\?\)$`)

// What is asked all the time finds its rows by an index, and a page costs a few
// queries, however long the table is.
func TestHotQueriesUseAnIndex(t *testing.T) {
	ctx, now := context.Background(), time.Now()
	db, err := Open(ctx, Options{URL: "sqlite:parley.db", DataDir: t.TempDir(), Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	page, ids := social.Page{Limit: 20}, []social.ID{1, 2, 3}
	for name, ask := range map[string]func(tx *Tx) error{
		"timeline":      func(tx *Tx) error { _, err := tx.Timeline(ctx, 1, page); return err },
		"older":         func(tx *Tx) error { _, err := tx.Timeline(ctx, 1, social.Page{Limit: 20, Max: 9}); return err },
		"places":        func(tx *Tx) error { _, err := tx.InTimeline(ctx, 1, ids); return err },
		"apart":         func(tx *Tx) error { _, err := tx.IsApart(ctx, 1, 2); return err },
		"listed":        func(tx *Tx) error { _, err := tx.AmongListed(ctx, 1, ids); return err },
		"regards":       func(tx *Tx) error { _, err := tx.Regards(ctx, 1, ids); return err },
		"kept away":     func(tx *Tx) error { _, err := tx.DomainsBlocked(ctx, 1, []string{"a", "b"}); return err },
		"endorsements":  func(tx *Tx) error { _, _, err := tx.Endorsements(ctx, 1, page); return err },
		"posts":         func(tx *Tx) error { _, err := tx.Posts(ctx, ids); return err },
		"posts by URI":  func(tx *Tx) error { _, err := tx.PostsByURI(ctx, []string{"a", "b"}); return err },
		"posts by":      func(tx *Tx) error { _, err := tx.PostsBy(ctx, 1, page, social.PostFilter{}); return err },
		"public":        func(tx *Tx) error { _, err := tx.PublicPosts(ctx, page, true, false, social.PostFilter{}); return err },
		"tagged":        func(tx *Tx) error { _, err := tx.TaggedPosts(ctx, page); return err },
		"thread":        func(tx *Tx) error { _, err := tx.Thread(ctx, 1, 100); return err },
		"quotes":        func(tx *Tx) error { _, err := tx.QuotesOf(ctx, 1, page); return err },
		"replies":       func(tx *Tx) error { _, err := tx.Replies(ctx, 1, page); return err },
		"notifications": func(tx *Tx) error { _, err := tx.Notifications(ctx, 1, page, social.NotificationFilter{}); return err },
		"grouped": func(tx *Tx) error {
			_, err := tx.Notifications(ctx, 1, page, social.NotificationFilter{Together: social.Gathered()})
			return err
		},
		"group facts": func(tx *Tx) error {
			_, err := tx.GroupFacts(ctx, 1, ids, social.NotificationFilter{}, 1, 8)
			return err
		},
		"unread":   func(tx *Tx) error { _, err := tx.CountUnread(ctx, 1, social.NotificationFilter{}, 100); return err },
		"accounts": func(tx *Tx) error { _, err := tx.Accounts(ctx, ids); return err },
		"marks":    func(tx *Tx) error { _, err := tx.Marks(ctx, 1, ids); return err },
		"requests": func(tx *Tx) error { _, err := tx.HeldFrom(ctx, 1, 0, page); return err },
		"heard":    func(tx *Tx) error { _, err := tx.Heard(ctx, 1, 2); return err },
		"muted":    func(tx *Tx) error { _, err := tx.MutesThread(ctx, 1, 2); return err },
		"boost": func(tx *Tx) error {
			if _, err := tx.BoostOf(ctx, 1, 2); !errors.Is(err, social.ErrNotFound) {
				return err
			}
			return nil
		},
		"boosts":     func(tx *Tx) error { _, err := tx.boostsOf(ctx, 1); return err },
		"boosters":   func(tx *Tx) error { _, _, err := tx.BoostersOf(ctx, 1, page); return err },
		"votes":      func(tx *Tx) error { _, err := tx.Votes(ctx, 1, ids); return err },
		"favourites": func(tx *Tx) error { _, _, err := tx.Favourites(ctx, 1, page); return err },
		"followers":  func(tx *Tx) error { _, _, err := tx.Followers(ctx, 1, page); return err },
		"following":  func(tx *Tx) error { _, _, err := tx.Following(ctx, 1, page); return err },
		"follows":    func(tx *Tx) error { _, err := tx.FollowsTo(ctx, 1, ids); return err },
		"blocks":     func(tx *Tx) error { _, err := tx.Blocks(ctx, 1, ids); return err },
		"inboxes":    func(tx *Tx) error { _, err := tx.FollowerInboxes(ctx, 1); return err },
		"receipts":   func(tx *Tx) error { _, err := tx.Receipts(ctx, "o", "p"); return err },
		"change log": func(tx *Tx) error {
			_, err := tx.LogPage(ctx, "b.test", social.Place{Epoch: 1, Seq: 1}, social.Place{Epoch: 1, Seq: 900}, 20)
			return err
		},
		"receipts of a peer": func(tx *Tx) error { _, err := tx.HaveReceipts(ctx, "b.test", []string{"a", "b"}); return err },
		"followed from":      func(tx *Tx) error { _, err := tx.FollowedFrom(ctx, "b.test", ids); return err },
		"follows by URI":     func(tx *Tx) error { _, err := tx.FollowsByURI(ctx, []string{"a"}); return err },
		"retractions":        func(tx *Tx) error { _, err := tx.Retractions(ctx, "b.test", "a", 20); return err },
		"peer":               func(tx *Tx) error { _, err := tx.Peer(ctx, "a.b.test"); return err },
		"key":                func(tx *Tx) error { _, err := tx.KeysOf(ctx, 1); return err },
		"resolve":            func(tx *Tx) error { return tx.ResolveReplies(ctx, "u", &social.Post{ID: 1, ThreadID: 1}) },
		"fan-out": func(tx *Tx) error {
			_, err := tx.AddToTimelines(ctx, &social.Post{ID: 1, AuthorID: 1}, nil, now)
			return err
		},
		"people": func(tx *Tx) error {
			_, err := tx.SearchPeople(ctx, social.PeopleQuery{Words: []string{"mu", "an"}, Peers: []string{"", "b.test"}, Limit: 20})
			return err
		},
		"managers":     func(tx *Tx) error { _, err := tx.PeopleByURI(ctx, []string{"a", "b"}); return err },
		"people of":    func(tx *Tx) error { _, err := tx.PeopleOf(ctx, "b.test", 5, 20); return err },
		"people peers": func(tx *Tx) error { _, err := tx.PeoplePeers(ctx); return err },
		"copies": func(tx *Tx) error {
			_, err := tx.KeepRemoteMedia(ctx, 1, nil)
			return err
		},
		"copy": func(tx *Tx) error {
			if _, err := tx.RemoteMedia(ctx, 1, "u"); !errors.Is(err, social.ErrNotFound) {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) { explain(t, db, ask) })
	}
}

func explain(t *testing.T, db *DB, ask func(tx *Tx) error) {
	t.Helper()
	if err := db.run(t.Context(), func(tx *Tx) error {
		r := &recorder{querier: tx.q}
		if err := ask(&Tx{db: db, q: r}); err != nil {
			return err
		}
		if len(r.asked) > 6 {
			t.Errorf("%d queries", len(r.asked))
		}
		for _, s := range r.asked {
			steps, err := list(t.Context(), tx, func(s scanner) (string, error) {
				var id, parent, unused int
				var detail string
				err := s.Scan(&id, &parent, &unused, &detail)
				return detail, err
			}, `EXPLAIN QUERY PLAN `+s.query, s.args...)
			if err != nil {
				return err
			}
			for _, step := range steps {
				if scan.MatchString(step) && !made.MatchString(step) || wide.MatchString(step) {
					t.Errorf("%s\n%s", step, s.query)
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

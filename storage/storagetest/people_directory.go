package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// Directory fills a database with n people of some servers; of each hundred one is
// called Müller. It is the ground of the search's tests and measures.
func Directory(t testing.TB, db *storage.DB, n int, peers ...string) {
	t.Helper()
	first := []string{"Anna", "Ben", "Çelik", "Doris", "Emre", "Franz", "Greta", "Hans", "Ida", "Jörg", "Karl", "Lena"}
	last := []string{"Schmidt", "Bauer", "Weiß", "Öztürk", "Novák", "Fischer", "Krüger", "Lang", "Maier", "Stein"}
	ctx := context.Background()
	for done := 0; done < n; done += 500 {
		if err := db.Tx(ctx, func(tx social.Tx) error {
			for i := done; i < min(n, done+500); i++ {
				peer := peers[i%len(peers)]
				family := last[(i/12)%len(last)]
				if i%100 == 7 {
					family = "Müller"
				}
				p := &social.Person{URI: fmt.Sprintf("https://%s/users/%d", peer, i), Peer: peer, Host: peer, Version: 1, SyncedAt: time.Now(),
					Username: fmt.Sprintf("user%d", i), Name: first[i%len(first)] + " " + family, Department: fmt.Sprintf("Department %d", i%80),
					Title: []string{"Engineer", "Buyer", "Clerk", "Head of Sales"}[i%4], Skills: []string{fmt.Sprintf("skill%d", i%500), "Go", "Excel"}, Location: []string{"Köln", "Berlin", "Wien"}[i%3]}
				if i > 0 {
					p.Manager = fmt.Sprintf("https://%s/users/%d", peers[(i/10)%len(peers)], i/10)
				}
				if err := tx.PutPerson(ctx, p); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func names(people []*social.Person) string {
	var out []string
	for _, p := range people {
		out = append(out, p.Name)
	}
	return strings.Join(out, ", ")
}

func peopleAreFound(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.Now().UTC().Truncate(time.Millisecond)
	alice, carol := Account(t, db, "alice", ""), Account(t, db, "carol", "c.test")
	person := func(name, peer, uri string, more func(*social.Person)) *social.Person {
		p := &social.Person{URI: uri, Peer: peer, Host: peer, Username: name, Name: name, Version: 1, SyncedAt: now}
		if more != nil {
			more(p)
		}
		return p
	}
	both(t, db, func(tx social.Tx) error {
		off, err := tx.MembersOffList(ctx, 5)
		if err != nil || len(off) != 1 || off[0].ID != alice.ID {
			t.Errorf("without an entry: %v %v", off, err)
		}
		own := person("Alice Müller", "", alice.URI, func(p *social.Person) { p.ID, p.Skills = alice.ID, []string{"Go"} })
		return first(tx.PutPerson(ctx, own),
			tx.PutPerson(ctx, person("Zoë Mueller", "c.test", "https://c.test/1", func(p *social.Person) { p.Department = "Einkauf" })),
			tx.PutPerson(ctx, person("Bob Muller", "b.test", "https://b.test/1", nil)),
			tx.PutPerson(ctx, person("Carol", "c.test", carol.URI, func(p *social.Person) { p.Skills = []string{"Mühlenbau"} })),
			tx.PutPerson(ctx, person("Gone Müller", "b.test", "https://b.test/2", func(p *social.Person) { p.Gone = true })))
	}, func(tx social.Tx) error {
		all := []string{"", "b.test", "c.test"}
		for _, one := range []struct {
			words, peers []string
			want         string
		}{
			{[]string{"muller"}, all, "Alice Müller, Bob Muller, Zoë Mueller"}, {[]string{"mu"}, all, "Alice Müller, Bob Muller, Carol, Zoë Mueller"},
			{[]string{"mu", "zo"}, all, "Zoë Mueller"}, {[]string{"muller", "einkauf"}, all, "Zoë Mueller"}, {[]string{"muller"}, []string{"b.test"}, "Bob Muller"},
			{[]string{"muller"}, nil, ""}, {nil, all, "Alice Müller, Bob Muller, Carol, Zoë Mueller"}, {[]string{"mullers"}, all, ""}, {[]string{"go"}, all, "Alice Müller"},
		} {
			found, err := tx.SearchPeople(ctx, social.PeopleQuery{Words: one.words, Peers: one.peers, Limit: 9})
			if err != nil {
				return err
			}
			if got := names(found); got != one.want {
				t.Errorf("%v at %v: %q, want %q", one.words, one.peers, got, one.want)
			}
		}
		second, err := tx.SearchPeople(ctx, social.PeopleQuery{Words: []string{"mu"}, Peers: all, Limit: 1, Skip: 1})
		if got := names(second); got != "Bob Muller" {
			t.Errorf("the second: %q", got)
		}
		met, err2 := tx.Person(ctx, carol.URI)
		if err := first(err, err2); err != nil {
			return err
		}
		if met.AccountID != carol.ID || met.SyncedAt != now || met.Peer != "c.test" || !slices.Equal(met.Skills, []string{"Mühlenbau"}) {
			t.Errorf("%+v", met)
		}
		if _, err := tx.Person(ctx, "https://none"); !errors.Is(err, social.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		many, err := tx.PeopleByURI(ctx, []string{carol.URI, "https://b.test/2", "https://none"})
		byHandle, err2 := tx.PersonByHandle(ctx, "CAROL", "c.TEST")
		peers, err3 := tx.PeoplePeers(ctx)
		n, err4 := tx.CountPeople(ctx, "b.test")
		page, err5 := tx.PeopleOf(ctx, "c.test", 0, 1)
		heads, err6 := tx.PeopleByPeer(ctx)
		if heads[""] != 1 || heads["b.test"] != 1 || heads["c.test"] != 2 { // one at b.test is gone
			t.Errorf("people by server: %v", heads)
		}
		if len(many) != 2 || !many["https://b.test/2"].Gone || byHandle == nil || byHandle.URI != carol.URI || !slices.Equal(peers, []string{"b.test", "c.test"}) || n != 2 || len(page) != 1 {
			t.Errorf("%v %v %v %d %v", many, byHandle, peers, n, page)
		}
		return first(err, err2, err3, err4, err5, err6)
	})
	both(t, db, func(tx social.Tx) error {
		gone := person("Zoë Mueller", "c.test", "https://c.test/1", func(p *social.Person) { p.Gone, p.Version = true, 2 })
		return first(tx.PutPerson(ctx, gone), tx.DropPeople(ctx, "b.test"), tx.DropPeople(ctx, ""), tx.RenewPeople(ctx, 7))
	}, func(tx social.Tx) error {
		found, err := tx.SearchPeople(ctx, social.PeopleQuery{Words: []string{"muller"}, Peers: []string{"", "b.test", "c.test"}, Limit: 9})
		if names(found) != "Alice Müller" || found[0].Version != 7 {
			t.Errorf("after leaving: %v", found)
		}
		return err
	})
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.RenewPeople(ctx, 3) }))
	must(t, db.View(ctx, func(tx social.Tx) error {
		p, err := tx.Person(ctx, alice.URI)
		if err == nil && p.Version != 8 {
			t.Errorf("version %d went back or stayed", p.Version)
		}
		return err
	}))
}

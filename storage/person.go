package storage

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"parley/social"
	"parley/text"
)

const (
	personColumns = `p.id, p.uri, p.peer, p.version, p.gone, p.synced_at, p.data, coalesce(a.id, 0)`
	personTables  = `person p LEFT JOIN account a ON a.uri = p.uri`
)

func scanPerson(s scanner) (*social.Person, error) {
	var found social.Person
	var gone, synced int64
	var account social.ID
	var data string
	if err := s.Scan(&found.ID, &found.URI, &found.Peer, &found.Version, &gone, &synced, &data, &account); err != nil {
		return nil, err
	}
	p := found
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		return nil, err
	}
	p.ID, p.URI, p.Peer, p.Version = found.ID, found.URI, found.Peer, found.Version
	p.AccountID, p.Gone, p.SyncedAt = account, gone == 1, at(synced)
	return &p, nil
}

// Person finds an entry by the account's URI.
func (t *Tx) Person(ctx context.Context, uri string) (*social.Person, error) {
	return one(ctx, t, scanPerson, `SELECT `+personColumns+` FROM `+personTables+` WHERE p.uri = $1`, uri)
}

// PersonByHandle finds an entry by folded name and host.
func (t *Tx) PersonByHandle(ctx context.Context, username, host string) (*social.Person, error) {
	return one(ctx, t, scanPerson, `SELECT `+personColumns+` FROM `+personTables+` WHERE p.name = $1 AND p.host = $2 ORDER BY p.gone, p.id LIMIT 1`, fold(username), fold(host))
}

// PeopleByURI finds many entries.
func (t *Tx) PeopleByURI(ctx context.Context, uris []string) (map[string]*social.Person, error) {
	out := make(map[string]*social.Person, len(uris))
	if len(uris) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanPerson, `SELECT `+personColumns+` FROM `+personTables+` WHERE p.uri IN `+t.db.dialect.texts("$1"), jsonText(uris))
	for _, p := range found {
		out[p.URI] = p
	}
	return out, err
}

// PutPerson writes an entry and the words it is found by.
func (t *Tx) PutPerson(ctx context.Context, p *social.Person) error {
	had, err := one(ctx, t, scanID, `SELECT id FROM person WHERE uri = $1`, p.URI)
	switch {
	case err == nil:
		p.ID = had
	case !errors.Is(err, social.ErrNotFound):
		return err
	case p.ID == 0:
		if p.ID, err = t.freePersonID(ctx); err != nil {
			return err
		}
	}
	words := p.Words()
	if _, err := t.exec(ctx, `
		INSERT INTO person (id, uri, peer, version, gone, name, host, sort, words, synced_at, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET peer = excluded.peer, version = excluded.version, gone = excluded.gone, name = excluded.name, host = excluded.host,
		  sort = excluded.sort, words = excluded.words, synced_at = excluded.synced_at, data = excluded.data`,
		p.ID, p.URI, p.Peer, p.Version, bit(p.Gone), fold(p.Username), fold(p.Host), []byte(strings.Join(text.Words(p.Name), " ")),
		" "+strings.Join(words, " "), ms(p.SyncedAt), jsonText(p)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM person_word WHERE person_id = $1`, p.ID); err != nil {
		return err
	}
	if len(words) == 0 {
		return nil
	}
	_, err = t.exec(ctx, `INSERT INTO person_word (person_id, word) `+t.db.dialect.bytes("CAST($1 AS BIGINT)", "$2"), p.ID, jsonText(words))
	return err
}

// freePersonID draws an id that no entry has: a page of entries comes in one moment.
func (t *Tx) freePersonID(ctx context.Context) (social.ID, error) {
	for {
		id := social.NewID(t.db.now())
		_, err := one(ctx, t, scanID, `SELECT id FROM person WHERE id = $1`, id)
		if errors.Is(err, social.ErrNotFound) {
			return id, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// PeopleOf lists the entries of a server by id.
func (t *Tx) PeopleOf(ctx context.Context, peer string, above social.ID, limit int) ([]*social.Person, error) {
	return list(ctx, t, scanPerson, `SELECT `+personColumns+` FROM `+personTables+`
		WHERE p.peer = $1 AND p.id > $2 ORDER BY p.id LIMIT $3`, peer, above, limit)
}

// CountPeople counts the entries of a server.
func (t *Tx) CountPeople(ctx context.Context, peer string) (n int, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT count(*) FROM person WHERE peer = $1`, peer).Scan(&n)
	return n, t.db.translate(err)
}

// PeopleByPeer counts the entries of all servers.
func (t *Tx) PeopleByPeer(ctx context.Context) (map[string]int, error) {
	type count struct {
		peer string
		n    int
	}
	all, err := list(ctx, t, func(s scanner) (c count, err error) {
		err = s.Scan(&c.peer, &c.n)
		return c, err
	}, `SELECT peer, count(*) FROM person WHERE gone = 0 GROUP BY peer`)
	out := make(map[string]int, len(all))
	for _, c := range all {
		out[c.peer] = c.n
	}
	return out, err
}

// PeoplePeers lists the servers that have entries. It steps from one to the next in
// the index, so that their entries need not be read.
func (t *Tx) PeoplePeers(ctx context.Context) ([]string, error) {
	return list(ctx, t, func(s scanner) (string, error) {
		var peer string
		err := s.Scan(&peer)
		return peer, err
	}, `WITH RECURSIVE peers (peer) AS (
		  SELECT min(p.peer) FROM person p WHERE p.peer > ''
		  UNION ALL SELECT (SELECT min(p.peer) FROM person p WHERE p.peer > s.peer) FROM peers s WHERE s.peer IS NOT NULL)
		SELECT s.peer FROM peers s WHERE s.peer IS NOT NULL`)
}

// fewPeople have a word that is worth beginning with. Of a word that more have, some are
// soon found in the order of names.
const fewPeople = 1000

// SearchPeople finds the page of ids first, and then what belongs to them. CROSS JOIN
// tells SQLite to begin with the few, and the sum that peers are not what to look up.
func (t *Tx) SearchPeople(ctx context.Context, q social.PeopleQuery) ([]*social.Person, error) {
	words, few, err := t.rarestFirst(ctx, q.Words)
	if err != nil {
		return nil, err
	}
	args := []any{jsonText(append([]string{}, q.Peers...)), q.Limit, q.Skip}
	from := `person p WHERE`
	if few {
		args = append(args, []byte(words[0]), afterWord(words[0]))
		from = `(SELECT DISTINCT w.person_id AS id FROM person_word w WHERE w.word >= $4 AND w.word < $5) f CROSS JOIN person p WHERE p.id = f.id AND`
		words = words[1:]
	}
	for _, word := range words {
		args = append(args, " "+word)
		from += ` ` + t.db.dialect.place("p.words", "$"+itoa(len(args))) + ` > 0 AND`
	}
	return list(ctx, t, scanPerson, `SELECT `+personColumns+` FROM (
		  SELECT p.id FROM `+from+` p.gone = 0 AND p.peer || '' IN `+t.db.dialect.texts("$1")+` ORDER BY p.sort, p.id LIMIT $2 OFFSET $3) page
		CROSS JOIN person p LEFT JOIN account a ON a.uri = p.uri WHERE p.id = page.id ORDER BY p.sort, p.id`, args...)
}

// afterWord is the end of all that begins with a word: no UTF-8 holds this byte.
func afterWord(word string) []byte { return append([]byte(word), 0xff) }

// rarestFirst puts the word that the fewest people have first, and says whether they
// are few.
func (t *Tx) rarestFirst(ctx context.Context, words []string) (sorted []string, few bool, err error) {
	if len(words) == 0 {
		return nil, false, nil
	}
	counts := map[string]int{}
	for _, word := range words {
		var n int
		if err := t.q.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM person_word w WHERE w.word >= $1 AND w.word < $2 LIMIT $3) counted`,
			[]byte(word), afterWord(word), fewPeople).Scan(&n); err != nil {
			return nil, false, t.db.translate(err)
		}
		counts[word] = n
	}
	sorted = slices.Clone(words)
	slices.SortStableFunc(sorted, func(a, b string) int { return counts[a] - counts[b] })
	return sorted, counts[sorted[0]] < fewPeople, nil
}

// DropPeople forgets the entries of another server.
func (t *Tx) DropPeople(ctx context.Context, peer string) error {
	if peer == "" {
		return nil // members here are no copies
	}
	if _, err := t.exec(ctx, `DELETE FROM person_word WHERE person_id IN (SELECT id FROM person WHERE peer = $1)`, peer); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM person WHERE peer = $1`, peer)
	return err
}

// RenewPeople raises the versions of members' entries.
func (t *Tx) RenewPeople(ctx context.Context, version int64) error {
	_, err := t.exec(ctx, `UPDATE person SET version = CASE WHEN version < $1 THEN CAST($1 AS BIGINT) ELSE version + 1 END WHERE peer = ''`, version)
	return err
}

// MembersOffList lists members without an entry.
func (t *Tx) MembersOffList(ctx context.Context, limit int) ([]*social.Account, error) {
	return list(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a
		WHERE a.host = '' AND a.kind = 'person' AND NOT EXISTS (SELECT 1 FROM person p WHERE p.id = a.id) ORDER BY a.id LIMIT $1`, limit)
}

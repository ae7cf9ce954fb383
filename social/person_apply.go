package social

import (
	"context"
	"reflect"
)

// ApplyPeople takes entries that a server tells of its own people; federation has seen
// to it that they are its own. An older version never replaces a newer one.
func (s *Service) ApplyPeople(ctx context.Context, peer string, people []*Person) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		zone, err := s.ZoneIn(ctx, tx, peer)
		if err != nil {
			return err
		}
		if !zone.ExchangesPeople() {
			return Errorf(Forbidden, "the people of %s have no place in the directory here", peer)
		}
		uris := make([]string, len(people))
		for i, p := range people {
			uris[i] = p.URI
		}
		had, err := tx.PeopleByURI(ctx, uris)
		if err != nil {
			return err
		}
		if err := s.roomFor(ctx, tx, peer, uris, had); err != nil {
			return err
		}
		for _, p := range people {
			if err := s.applyPerson(ctx, tx, peer, p, had[p.URI]); err != nil {
				return err
			}
			had[p.URI] = p // the same may be named twice
		}
		return nil
	})
}

// roomFor refuses more entries than a server may have.
func (s *Service) roomFor(ctx context.Context, tx Tx, peer string, uris []string, had map[string]*Person) error {
	fresh := len(unique(uris)) - len(had)
	if fresh <= 0 {
		return nil
	}
	n, err := tx.CountPeople(ctx, peer)
	if err == nil && n+fresh > s.Limits.People {
		err = Errorf(Invalid, "%s has %d people in the directory already, and more than %d are not taken", peer, n, s.Limits.People)
	}
	return err
}

func (s *Service) applyPerson(ctx context.Context, tx Tx, peer string, p, had *Person) error {
	if had != nil && (had.Peer != peer || had.Version > p.Version) {
		return nil
	}
	p.ID, p.Peer, p.Host, p.SyncedAt = 0, peer, peer, s.Now()
	p.Shown = nil
	if p.clean(s.Text.SanitizePlain); p.Name == "" {
		p.Name = p.Username
	}
	if p.Gone {
		p = &Person{URI: p.URI, Peer: peer, Version: p.Version, Gone: true, Username: p.Username, Host: p.Host, SyncedAt: p.SyncedAt}
	}
	if had != nil {
		p.ID, p.AccountID = had.ID, had.AccountID
		told := *had
		if told.SyncedAt = p.SyncedAt; reflect.DeepEqual(p, &told) {
			return nil
		}
	}
	return tx.PutPerson(ctx, p)
}

// ForgetPeople removes what a server told of its people, because it asks for that.
func (s *Service) ForgetPeople(ctx context.Context, peer string) error {
	return s.Store.Tx(ctx, func(tx Tx) error { return tx.DropPeople(ctx, peer) })
}

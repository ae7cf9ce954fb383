package social

import (
	"context"
	"slices"
	"strings"
)

// Knock remembers that an unknown host wanted in.
func (s *Service) Knock(ctx context.Context, r ConnectRequest) error {
	r.Actor, r.Wanted = storable(r.Actor), storable(r.Wanted)
	return s.Store.Tx(ctx, func(tx Tx) error { return tx.Knock(ctx, r) })
}

// ConnectRequests lists the hosts that wait for a decision, whom they wanted by the
// member's name.
func (s *Service) ConnectRequests(ctx context.Context) (list []ConnectRequest, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if list, err = tx.ConnectRequests(ctx); err != nil {
			return err
		}
		for i := range list {
			if list[i].Wanted, err = s.wanted(ctx, tx, list[i].Wanted); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// wanted turns an address of ours, whole or the path alone, into the name of the
// member it belongs to; what belongs to nobody stays.
func (s *Service) wanted(ctx context.Context, tx Tx, address string) (string, error) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(address, s.Links.PublicURL), "/users/")
	if !ok {
		return address, nil
	}
	number, _, _ := strings.Cut(rest, "/")
	id, err := ParseID(number)
	if err != nil {
		return address, nil
	}
	a, err := tx.Account(ctx, id)
	if err != nil {
		return address, ignoreNotFound(err)
	}
	return "@" + a.Username, nil
}

// RequestsWaiting counts the hosts that wait for a decision.
func (s *Service) RequestsWaiting(ctx context.Context) (n int, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err := tx.ConnectRequests(ctx)
		n = len(list)
		return err
	})
	return n, err
}

// AnswerRequest puts a host that waits for a decision into a zone. Only administrators
// decide, for all others there is no such request.
func (s *Service) AnswerRequest(ctx context.Context, r Reader, host string, z Zone) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		waiting, err := tx.ConnectRequests(ctx)
		if err != nil {
			return err
		}
		if me.Role != RoleAdmin || !slices.ContainsFunc(waiting, func(w ConnectRequest) bool { return w.Authority == host }) {
			return NotFoundError()
		}
		return s.setZone(ctx, tx, host, z, "on its request", me.Username)
	})
}

package social

import "context"

// FollowPerson follows somebody of the directory whom nobody here may have met yet: their
// server is asked for the account.
func (s *Service) FollowPerson(ctx context.Context, r Reader, uri string) (ID, Relationship, error) {
	if _, err := s.member(r); err != nil {
		return 0, Relationship{}, err
	}
	var id ID
	if err := s.Store.View(ctx, func(tx Tx) error {
		p, err := tx.Person(ctx, uri)
		if err != nil {
			return err
		}
		known, err := s.directoryPeers(ctx, tx)
		if _, ok := known[p.Peer]; err == nil && (!ok || p.Gone) {
			err = NotFoundError()
		}
		id = p.AccountID
		return err
	}); err != nil {
		return 0, Relationship{}, err
	}
	if id == 0 {
		a, _, err := s.Remote.FindURL(ctx, uri)
		if err == nil && (a == nil || a.URI != uri) {
			err = NotFoundError()
		}
		if err != nil {
			return 0, Relationship{}, err
		}
		id = a.ID
	}
	rel, err := s.Follow(ctx, r, id, FollowOptions{})
	return id, rel, err
}

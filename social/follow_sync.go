package social

import (
	"context"
	"slices"
)

// SyncFollowers makes the follows of members as the owner of a followers collection
// knows them (FEP-8fcf): members that the owner does not list follow no more, members
// that wait for an answer are accepted, and for those who do not follow the owner is
// told so. Only members of before are taken off: who was accepted since the list was
// made may not stand on it yet.
func (s *Service) SyncFollowers(ctx context.Context, owner *Account, listed, before []string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		accounts, err := tx.AccountsByURI(ctx, append(slices.Clone(listed), before...))
		if err != nil {
			return err
		}
		stays, had := map[string]bool{}, map[string]bool{}
		for _, uri := range listed {
			stays[uri] = true
		}
		for _, uri := range before {
			had[uri] = true
			a := accounts[uri]
			if a == nil || !a.Local() || stays[uri] {
				continue
			}
			if _, err := tx.DeleteFollow(ctx, a.ID, owner.ID); err != nil {
				return err
			}
			if err := tx.ClearTimeline(ctx, a.ID, owner.ID); err != nil {
				return err
			}
		}
		for _, uri := range unique(listed) {
			if a := accounts[uri]; !had[uri] && a != nil && a.Local() && a.Active() {
				if err := s.syncFollow(ctx, tx, a, owner); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// syncFollow settles the follow of a member that the owner counts as a follower.
func (s *Service) syncFollow(ctx context.Context, tx Tx, member, owner *Account) error {
	f, err := tx.Follow(ctx, member.ID, owner.ID)
	switch {
	case ignoreNotFound(err) != nil:
		return err
	case f == nil: // whose end was lost on the way
		now := s.Now()
		f = &Follow{ID: NewID(now), FollowerID: member.ID, TargetID: owner.ID, CreatedAt: now}
		f.URI = s.Links.Activity(f.ID)
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbUnfollow, Actor: member, Target: owner, Follow: f, At: now})
	case f.State == FollowAccepted:
		return nil
	}
	f.State = FollowAccepted // the answer was lost
	if err := tx.PutFollow(ctx, f); err != nil {
		return err
	}
	return tx.FillTimeline(ctx, member.ID, owner.ID, followTimeline)
}

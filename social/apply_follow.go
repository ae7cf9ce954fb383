package social

import (
	"context"
)

// ApplyFollow takes a remote request to follow a member.
func (s *Service) ApplyFollow(ctx context.Context, actor, target *Account, activityURI string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		target, err := tx.Account(ctx, target.ID)
		if err != nil {
			return err
		}
		if !target.Local() || !target.Active() || target.Kind == KindApplication {
			return NotFoundError()
		}
		if err := notUndone(ctx, tx, actor, activityURI); err != nil {
			return err
		}
		blocks, err := tx.Blocks(ctx, target.ID, []ID{actor.ID})
		if err != nil {
			return err
		}
		away, err := keptAway(ctx, tx, target.ID, map[ID]*Account{actor.ID: actor})
		if err != nil {
			return err
		}
		f, err := tx.Follow(ctx, actor.ID, target.ID)
		if ignoreNotFound(err) != nil {
			return err
		}
		if f == nil {
			f = &Follow{ID: NewID(s.Now()), FollowerID: actor.ID, TargetID: target.ID, State: FollowPending, ShowBoosts: true, CreatedAt: s.Now()}
		}
		f.URI = activityURI
		if blocks[actor.ID].Blocking || away[actor.ID] {
			return s.Outbox.Record(ctx, tx, Change{Verb: VerbReject, Actor: target, Target: actor, Follow: f, At: s.Now()})
		}
		may, err := s.mayFollow(ctx, tx, actor, target)
		if err != nil {
			return err
		}
		if !may {
			return s.turnAway(ctx, tx, actor, target, f)
		}
		if target.Kind == KindGroup {
			return s.applyJoin(ctx, tx, actor, target, f)
		}
		if f.State == FollowAccepted || !target.Locked {
			return s.answerAgain(ctx, tx, target, actor, f)
		}
		if err := tx.PutFollow(ctx, f); err != nil {
			return err
		}
		return s.followedHere(ctx, tx, actor, target, f)
	})
}

// mayFollow says that the policy lets an account follow a member.
func (s *Service) mayFollow(ctx context.Context, tx Tx, follower, target *Account) (bool, error) {
	if follower.Local() {
		return true, nil
	}
	policy, err := s.policyIn(ctx, tx)
	if err != nil {
		return false, err
	}
	zone, err := s.ZoneIn(ctx, tx, follower.Authority)
	return policy.follower(target, zone), err
}

// turnAway ends a follow that the policy does not allow, also one that it did before.
func (s *Service) turnAway(ctx context.Context, tx Tx, follower, target *Account, f *Follow) error {
	if _, err := tx.DeleteFollow(ctx, follower.ID, target.ID); err != nil {
		return err
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbReject, Actor: target, Target: follower, Follow: f, At: s.Now()})
}

// answerAgain accepts a follow; the other side may have lost an earlier answer.
func (s *Service) answerAgain(ctx context.Context, tx Tx, target, actor *Account, f *Follow) error {
	if f.State == FollowAccepted {
		if err := tx.PutFollow(ctx, f); err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbAccept, Actor: target, Target: actor, Follow: f, At: s.Now()})
	}
	return s.answer(ctx, tx, target, actor, f, true)
}

// ApplyAnswer settles a follow that a member here asked for. An answer to
// nothing, or an acceptance after a rejection, changes nothing. It says whether
// the follow is newly accepted.
func (s *Service) ApplyAnswer(ctx context.Context, actor, follower *Account, accept bool) (bool, error) {
	fresh := false
	err := s.Store.Tx(ctx, func(tx Tx) error {
		fresh = false
		f, err := tx.Follow(ctx, follower.ID, actor.ID)
		if err != nil || !follower.Local() {
			return ignoreNotFound(err)
		}
		if !accept {
			if _, err := tx.DeleteFollow(ctx, follower.ID, actor.ID); err != nil {
				return err
			}
			return tx.ClearTimeline(ctx, follower.ID, actor.ID)
		}
		if f.State == FollowAccepted {
			return nil
		}
		fresh, f.State = true, FollowAccepted
		if err := tx.PutFollow(ctx, f); err != nil {
			return err
		}
		return tx.FillTimeline(ctx, follower.ID, actor.ID, followTimeline)
	})
	return fresh, err
}

// ApplyBlock takes a remote actor's block of a member: both stop following.
func (s *Service) ApplyBlock(ctx context.Context, actor, target *Account, activityURI string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := notUndone(ctx, tx, actor, activityURI); err != nil {
			return err
		}
		changed, err := tx.SetBlock(ctx, actor.ID, target.ID, true, s.Now())
		if err != nil || !changed {
			return err
		}
		if _, err := tx.DeleteFollow(ctx, actor.ID, target.ID); err != nil {
			return err
		}
		if _, err := tx.DeleteFollow(ctx, target.ID, actor.ID); err != nil {
			return err
		}
		return tx.ClearTimeline(ctx, target.ID, actor.ID)
	})
}

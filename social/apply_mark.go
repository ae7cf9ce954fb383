package social

import (
	"context"
	"time"
)

// ApplyBoost takes a remote actor's share of a post known here. It needs the
// readers of both.
func (s *Service) ApplyBoost(ctx context.Context, actor *Account, subject *Post, boost *Post) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if _, err := tx.PostByURI(ctx, boost.URI); KindOf(err) != NotFound {
			return err
		}
		if err := notUndone(ctx, tx, actor, boost.URI); err != nil {
			return err
		}
		if _, err := tx.BoostOf(ctx, actor.ID, subject.ID); KindOf(err) != NotFound {
			return err
		}
		ok, err := s.VisibleTo(ctx, tx, s.remoteReader(ctx, tx, actor), subject)
		if err != nil {
			return err
		}
		if subject.Local && !ok {
			return NotFoundError()
		}
		if boost.Audience.Kind == AudienceGroup { // a share has no place there
			boost.Audience = Audience{Kind: AudienceDirect}
		}
		if err := s.locate(ctx, tx, actor, boost); err != nil {
			return err
		}
		boost.Kind, boost.BoostOfID, boost.Ceiling = PostBoost, subject.ID, subject.Bound()
		boost.URL = subject.URL
		if err := s.put(ctx, tx, actor, boost, false); err != nil {
			return err
		}
		return s.notify(ctx, tx, subject.AuthorID, NotifyReblog, actor, subject)
	})
}

// ApplyFavourite takes a remote like or emoji reaction.
func (s *Service) ApplyFavourite(ctx context.Context, actor *Account, subject *Post, activityURI string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.mayTouch(ctx, tx, actor, subject); err != nil {
			return err
		}
		if err := notUndone(ctx, tx, actor, activityURI); err != nil {
			return err
		}
		changed, err := tx.SetFavourite(ctx, actor.ID, subject.ID, activityURI, true, s.Now())
		if err != nil || !changed {
			return err
		}
		return s.notify(ctx, tx, subject.AuthorID, NotifyFavourite, actor, subject)
	})
}

// ApplyVote counts a remote vote in an own poll: once, before its end, and only
// from somebody who may see it.
func (s *Service) ApplyVote(ctx context.Context, actor *Account, poll *Post, option string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := tx.Post(ctx, poll.ID)
		if err != nil {
			return err
		}
		if p.Poll == nil || !p.Local {
			return NotFoundError()
		}
		if err := s.mayTouch(ctx, tx, actor, p); err != nil {
			return err
		}
		choice := -1
		for i, o := range p.Poll.Options {
			if o.Title == option {
				choice = i
			}
		}
		if err := p.Poll.check([]int{choice}, s.Now()); err != nil {
			return err
		}
		if err := tx.AddVotes(ctx, p.ID, actor.ID, []int{choice}, s.Now()); err != nil {
			if KindOf(err) == Conflict {
				return nil
			}
			return err
		}
		return s.tellCountsLater(ctx, tx, p.ID)
	})
}

// ApplyPollCounts takes the counts that a poll's author announces; options never
// change with them, and counts are never negative.
func (s *Service) ApplyPollCounts(ctx context.Context, actor *Account, poll *Post, counts []int, voters int, closed time.Time) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.theirs(ctx, tx, actor, poll.URI)
		if err != nil {
			return err
		}
		if p.Poll == nil || len(counts) != len(p.Poll.Options) {
			return nil
		}
		for i, n := range counts {
			p.Poll.Options[i].Votes = max(n, 0)
		}
		p.Poll.Voters = max(voters, 0)
		if !closed.IsZero() {
			p.Poll.ClosedAt = closed
		}
		return tx.SetPollCounts(ctx, p.Poll)
	})
}

// ApplyPin notes what a remote actor shows on top of its profile.
func (s *Service) ApplyPin(ctx context.Context, actor *Account, uri string, on bool) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.theirs(ctx, tx, actor, uri)
		if err != nil {
			return ignoreNotFound(err)
		}
		_, err = tx.SetPin(ctx, actor.ID, p.ID, on, s.Now())
		return err
	})
}

// remoteReader is a remote actor as a reader, inside a transaction.
func (s *Service) remoteReader(ctx context.Context, tx Tx, a *Account) Reader {
	p, err := tx.Peer(ctx, a.Authority)
	if err != nil {
		p.Authority, p.Zone = a.Authority, Zone{Kind: ZoneBlocked}
	}
	return s.ReaderAt(p, a)
}

// mayTouch says that a remote actor may react to a post: it must be able to see
// our own posts; what others keep hidden is theirs to decide.
func (s *Service) mayTouch(ctx context.Context, tx Tx, actor *Account, p *Post) error {
	if !p.Local {
		return nil
	}
	ok, err := s.VisibleTo(ctx, tx, s.remoteReader(ctx, tx, actor), p)
	if err == nil && !ok {
		err = NotFoundError()
	}
	return err
}

func (s *Service) undoBoost(ctx context.Context, tx Tx, actor *Account, activityURI, subjectURI string) error {
	b, err := tx.PostByURI(ctx, activityURI)
	if KindOf(err) == NotFound && subjectURI != "" {
		subject, err := tx.PostByURI(ctx, subjectURI)
		if err != nil {
			return ignoreNotFound(err)
		}
		if b, err = tx.BoostOf(ctx, actor.ID, subject.ID); err != nil {
			return ignoreNotFound(err)
		}
	} else if err != nil {
		return ignoreNotFound(err)
	}
	if b.AuthorID != actor.ID || b.Kind != PostBoost || b.Deleted() {
		return NotFoundError()
	}
	return s.erase(ctx, tx, b.ID)
}

func (s *Service) undoFavourite(ctx context.Context, tx Tx, actor *Account, activityURI, subjectURI string) error {
	account, post, err := tx.FavouriteByURI(ctx, activityURI)
	if KindOf(err) == NotFound && subjectURI != "" {
		subject, err := tx.PostByURI(ctx, subjectURI)
		if err != nil {
			return ignoreNotFound(err)
		}
		account, post = actor.ID, subject.ID
	} else if err != nil {
		return ignoreNotFound(err)
	}
	if account != actor.ID {
		return NotFoundError()
	}
	_, err = tx.SetFavourite(ctx, actor.ID, post, "", false, s.Now())
	return err
}

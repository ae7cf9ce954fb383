package federation

import (
	"context"
	"errors"
	"time"

	"parley/activitypub"
	"parley/queue"
	"parley/social"
)

// applyFollow takes a request to follow. Each is answered, so somebody who follows
// and unfollows in turns is heard a few times only (T14).
func (s *Server) applyFollow(ctx context.Context, actor *social.Account, o object) error {
	if !s.answers.take(actor.URI+" "+o.Ref("object"), s.Now()) {
		return social.Errorf(social.Limited, "too many requests of %s to follow the same member", actor.URI)
	}
	return s.withMember(ctx, o.Ref("object"), func(target *social.Account) error {
		if target.Kind == social.KindGroup {
			if err := s.learnSoftware(ctx, actor.Authority); err != nil {
				return err
			}
		}
		return s.social.ApplyFollow(ctx, actor, target, o.ID())
	})
}

func (s *Server) applyAnswer(ctx context.Context, actor *social.Account, o object) error {
	var f *social.Follow
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		f, err = tx.FollowByURI(ctx, o.Ref("object"))
		return err
	})
	var follower *social.Account
	find := func(a *social.Account) error { follower = a; return nil }
	if err == nil && f.TargetID == actor.ID {
		err = s.Store.View(ctx, func(tx social.Tx) (err error) {
			follower, err = tx.Account(ctx, f.FollowerID)
			return err
		})
	} else if e, ok := o.Embedded("object"); ok && e.Type() == activitypub.Follow {
		// Only a follow: quotes and invitations are answered by the same verbs.
		err = s.withMember(ctx, e.Ref("actor"), find)
	}
	if err != nil || follower == nil {
		return err
	}
	if _, err := s.social.ApplyAnswer(ctx, actor, follower, o.Type() == activitypub.Accept); err != nil {
		return err
	}
	return s.backfillOnce(ctx, follower.ID, actor.ID)
}

// backfillEvery keeps repeated acceptances from reading the outbox each time.
const backfillEvery = time.Hour

// backfillOnce orders a backfill for an accepted follow. Token and job commit
// together, so a crash before them leaves both to the activity's next attempt.
func (s *Server) backfillOnce(ctx context.Context, follower, author social.ID) error {
	return s.Store.Tx(ctx, func(tx social.Tx) error {
		f, err := tx.Follow(ctx, follower, author)
		if errors.Is(err, social.ErrNotFound) || err == nil && f.State != social.FollowAccepted {
			return nil
		}
		if err != nil {
			return err
		}
		free, err := tx.TakeFetchToken(ctx, "backfill "+f.ID.String(), s.Now(), backfillEvery)
		if err != nil || !free {
			return err
		}
		tx.AfterCommit(s.backfills.Wake)
		return tx.AddJobs(ctx, []queue.Job{{Kind: "backfill", Ref: int64(author), Target: follower.String()}})
	})
}

func (s *Server) applyUndo(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	e, _ := o.Embedded("object")
	if by := e.Ref("actor"); by != "" && by != actor.URI {
		return social.Errorf(social.Invalid, "everybody takes back only what is their own")
	}
	u := social.Undo{ActivityURI: o.Ref("object"), SubjectURI: e.Ref("object"), By: in.URI, SignedAt: in.SignedAt}
	switch e.Type() {
	case activitypub.Follow:
		u.Verb = social.VerbFollow
	case activitypub.Like, activitypub.EmojiReact:
		u.Verb = social.VerbFavourite
	case activitypub.Announce:
		u.Verb = social.VerbBoost
		if err := s.keepRetraction(ctx, in, actor, u.ActivityURI); err != nil {
			return err
		}
	case activitypub.Block:
		u.Verb = social.VerbBlock
	case activitypub.Accept:
		if inner, ok := e.Embedded("object"); ok {
			u.Verb, u.SubjectURI = social.VerbAccept, inner.Ref("actor")
		}
	}
	if u.Verb != "" {
		return s.social.ApplyUndo(ctx, actor, u)
	}
	return s.undoNamed(ctx, actor, u)
}

// undoNamed takes back what only its URI tells: what it was is ours to find.
func (s *Server) undoNamed(ctx context.Context, actor *social.Account, u social.Undo) error {
	target, err := s.followOf(ctx, actor, u.ActivityURI)
	if err != nil {
		return err
	}
	u.SubjectURI = target
	if target != "" {
		u.Verb = social.VerbFollow
		return s.social.ApplyUndo(ctx, actor, u)
	}
	for _, u.Verb = range []social.Verb{social.VerbBoost, social.VerbFavourite} {
		if err := s.social.ApplyUndo(ctx, actor, u); err != nil {
			return err
		}
	}
	return nil
}

// followOf is whom an actor follows by an activity of that id, "" if nobody.
func (s *Server) followOf(ctx context.Context, actor *social.Account, id string) (target string, err error) {
	if id == "" {
		return "", nil
	}
	err = s.Store.View(ctx, func(tx social.Tx) error {
		f, err := tx.FollowByURI(ctx, id)
		if err != nil || f.FollowerID != actor.ID {
			return err
		}
		a, err := tx.Account(ctx, f.TargetID)
		if err == nil {
			target = a.URI
		}
		return err
	})
	if errors.Is(err, social.ErrNotFound) {
		return "", nil
	}
	return target, err
}

func (s *Server) applyFlag(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	if !s.reports.take(actor.Authority, s.Now()) {
		return social.Errorf(social.Limited, "too many reports of %s", actor.Authority)
	}
	uris := o.Refs("object")
	for _, uri := range uris {
		if _, ok := s.Links.ParseAccount(uri); ok {
			return s.withMember(ctx, uri, func(target *social.Account) error {
				return s.social.ApplyReport(ctx, actor, target, social.RemoteReport{URI: in.URI, Posts: uris, Comment: s.text().SanitizePlain(o.Text("content"), 5000)})
			})
		}
	}
	return social.NotFoundError()
}

// applyMove believes a move only when the new account names the old one too (T19).
func (s *Server) applyMove(ctx context.Context, actor *social.Account, o object) error {
	if o.Ref("object") != actor.URI {
		return social.Errorf(social.Invalid, "an actor moves itself only")
	}
	find := s.fetchActor // as it is now
	if s.Links.Owns(o.Ref("target")) {
		find = s.account
	}
	target, err := find(ctx, o.Ref("target"))
	if err != nil {
		return err
	}
	for _, alias := range target.AlsoKnownAs {
		if alias == actor.URI {
			return s.social.ApplyMove(ctx, actor, target)
		}
	}
	return social.Errorf(social.Invalid, "the new account does not name the old one")
}

package federation

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"parley/activitypub"
	"parley/queue"
	"parley/social"
)

// process is the handler of inbound jobs: it applies a verified activity.
func (s *Server) process(ctx context.Context, j queue.Job) queue.Result {
	var in *social.Inbound
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		in, err = tx.Inbound(ctx, social.ID(j.Ref))
		return err
	})
	if errors.Is(err, social.ErrNotFound) {
		return queue.Result{Verdict: queue.Done}
	}
	if err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	err = s.guarded(withBudget(ctx), in)
	if transient(err) && j.Attempts < maxInboundTries {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	result := "applied"
	if err != nil {
		result = err.Error()
		s.Log.Info("activity dropped", "peer", in.Peer, "activity", in.URI, "reason", result)
	}
	if err := s.Store.Tx(ctx, func(tx social.Tx) error { return tx.FinishInbound(ctx, in.ID, result) }); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	return queue.Result{Verdict: queue.Done}
}

const maxInboundTries = 10

// transient errors may pass; all others stay.
func transient(err error) bool {
	if err == nil {
		return false
	}
	kind := social.KindOf(err)
	return kind == social.Unavailable || kind == social.Internal
}

// guarded turns a panic into an error, so that a poisonous activity is dropped
// like any other that fails again and again (C4).
func (s *Server) guarded(ctx context.Context, in *social.Inbound) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("an activity broke its worker", "peer", in.Peer, "activity", in.URI, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("internal fault: %v", p)
		}
	}()
	return s.apply(ctx, in)
}

// apply does what a verified actor says. The actor owns only what is of its own
// server; everything else is fetched from where it belongs (A5).
func (s *Server) apply(ctx context.Context, in *social.Inbound) error {
	o, err := activitypub.Parse(in.Body)
	if err != nil {
		return &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	actor, err := s.stillAdmitted(ctx, in)
	if err != nil {
		return err
	}
	switch o.Type() {
	case activitypub.Create:
		return s.applyCreate(ctx, in, actor, o)
	case activitypub.Update:
		return s.applyUpdate(ctx, actor, o)
	case activitypub.Delete:
		return s.applyDelete(ctx, actor, o)
	case activitypub.Follow:
		return s.withMember(ctx, o.Ref("object"), func(target *social.Account) error {
			return s.social.ApplyFollow(ctx, actor, target, o.ID())
		})
	case activitypub.Accept, activitypub.Reject:
		return s.applyAnswer(ctx, actor, o)
	case activitypub.Undo:
		return s.applyUndo(ctx, actor, o)
	case activitypub.Like, activitypub.EmojiReact:
		subject, err := s.stored(ctx, o.Ref("object")) // nobody asks others for what was liked
		if err != nil {
			return err
		}
		return s.social.ApplyFavourite(ctx, actor, subject, o.ID())
	case activitypub.Announce:
		return s.applyAnnounce(ctx, actor, o)
	case activitypub.Add, activitypub.Remove:
		if actor.FeaturedURI == "" || o.Ref("target") != actor.FeaturedURI {
			return social.Errorf(social.Invalid, "only the own featured collection can be changed")
		}
		return s.social.ApplyPin(ctx, actor, o.Ref("object"), o.Type() == activitypub.Add)
	case activitypub.Block:
		return s.withMember(ctx, o.Ref("object"), func(target *social.Account) error {
			return s.social.ApplyBlock(ctx, actor, target, true)
		})
	case activitypub.Flag:
		return s.applyFlag(ctx, actor, o)
	case activitypub.Move:
		return s.applyMove(ctx, actor, o)
	}
	return nil // QuoteRequest, Join and Leave are understood and change nothing yet
}

// stillAdmitted finds the actor, and refuses it if its server was blocked or it was
// suspended since the activity came in.
func (s *Server) stillAdmitted(ctx context.Context, in *social.Inbound) (*social.Account, error) {
	zone, err := s.social.Zone(ctx, in.Peer)
	if err != nil {
		return nil, err
	}
	if zone.Kind == social.ZoneBlocked {
		return nil, notAdmitted()
	}
	actor, err := s.account(ctx, in.Actor)
	if err == nil && !actor.Active() {
		err = notAdmitted()
	}
	return actor, err
}

// withMember runs a change on the member that a URI names.
func (s *Server) withMember(ctx context.Context, uri string, change func(*social.Account) error) error {
	id, ok := s.Links.ParseAccount(uri)
	if !ok {
		return social.NotFoundError()
	}
	var a *social.Account
	if err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		a, err = tx.Account(ctx, id)
		return err
	}); err != nil {
		return err
	}
	return change(a)
}

// own gives the object of an activity in its trusted form: embedded when it is of
// the actor's own server and author, else fetched from its own.
func (s *Server) own(ctx context.Context, in social.ID, actor *social.Account, o object) (object, error) {
	e, ok := o.Embedded("object")
	if ok && activitypub.SameAuthority(e.ID(), actor.URI) && e.Ref("attributedTo") == actor.URI {
		return e, nil
	}
	uri := o.Ref("object")
	if uri == "" || s.Links.Owns(uri) {
		return nil, social.Errorf(social.Invalid, "the activity has no object of its actor's server")
	}
	return s.fetch(ctx, in, uri)
}

func (s *Server) applyCreate(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	for _, e := range o.Objects("object") {
		if e.Has("name") && e.Text("content") == "" && e.Type() == activitypub.Note && e.Has("inReplyTo") {
			if e.Ref("attributedTo") != actor.URI {
				return social.Errorf(social.Invalid, "a vote is its own voter's")
			}
			poll, err := s.object(ctx, 0, e.Ref("inReplyTo"))
			if err != nil {
				return err
			}
			if err := s.social.ApplyVote(ctx, actor, poll, e.Text("name")); err != nil {
				return err
			}
			continue
		}
		note, err := s.own(ctx, in.InboxID, actor, o)
		if err != nil {
			return err
		}
		p, err := s.keepPost(ctx, note, false)
		if err != nil {
			return err
		}
		if p.InReplyToURI == "" || p.InReplyToID != 0 {
			return nil
		}
		return s.lookUpLater(ctx, p.ID, wantParents)
	}
	return nil
}

func (s *Server) applyUpdate(ctx context.Context, actor *social.Account, o object) error {
	e, ok := o.Embedded("object")
	if (ok && e.IsActor()) || o.Ref("object") == actor.URI {
		if o.Ref("object") != actor.URI {
			return social.Errorf(social.Invalid, "an actor changes itself only")
		}
		if ok && e.Ref("inbox") != "" && e.Has("publicKey") {
			_, err := s.keepActor(ctx, e, "") // signed by this very actor
			return err
		}
		_, err := s.fetchActor(ctx, actor.URI)
		return err
	}
	note, err := s.own(ctx, 0, actor, o)
	if err != nil {
		return err
	}
	if note.Ref("attributedTo") != actor.URI {
		return social.Errorf(social.Invalid, "only its author changes a post")
	}
	p, err := s.readPost(ctx, actor, note)
	if err != nil {
		return err
	}
	if p.Raw, err = raw(note); err != nil {
		return err
	}
	if p.Poll != nil && p.EditedAt.IsZero() {
		counts := make([]int, len(p.Poll.Options))
		for i, opt := range p.Poll.Options {
			counts[i] = opt.Votes
		}
		return s.social.ApplyPollCounts(ctx, actor, p, counts, p.Poll.Voters, p.Poll.ClosedAt)
	}
	err = s.social.ApplyEdit(ctx, actor, p)
	if social.KindOf(err) == social.NotFound && !olderThan(p.PublishedAt, updateGrace, s.Now()) {
		_, err = s.keepPost(ctx, note, false) // the edit came before the post
	}
	return err
}

func (s *Server) applyDelete(ctx context.Context, actor *social.Account, o object) error {
	uri := o.Ref("object")
	if uri == actor.URI {
		return s.social.ApplyLeave(ctx, actor)
	}
	return s.social.ApplyDelete(ctx, actor, uri)
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

func (s *Server) applyUndo(ctx context.Context, actor *social.Account, o object) error {
	e, _ := o.Embedded("object")
	if by := e.Ref("actor"); by != "" && by != actor.URI {
		return social.Errorf(social.Invalid, "everybody takes back only what is their own")
	}
	id, subject := o.Ref("object"), e.Ref("object")
	switch e.Type() {
	case activitypub.Follow:
		return s.social.ApplyUndo(ctx, actor, id, subject, social.VerbFollow)
	case activitypub.Like, activitypub.EmojiReact:
		return s.social.ApplyUndo(ctx, actor, id, subject, social.VerbFavourite)
	case activitypub.Announce:
		return s.social.ApplyUndo(ctx, actor, id, subject, social.VerbBoost)
	case activitypub.Block:
		return s.social.ApplyUndo(ctx, actor, id, subject, social.VerbBlock)
	case activitypub.Accept:
		if inner, ok := e.Embedded("object"); ok {
			return s.social.ApplyUndo(ctx, actor, id, inner.Ref("actor"), social.VerbAccept)
		}
	}
	// Only the URI is given: what it was is ours to find.
	if target, err := s.followOf(ctx, actor, id); err != nil || target != "" {
		if err != nil {
			return err
		}
		return s.social.ApplyUndo(ctx, actor, id, target, social.VerbFollow)
	}
	if err := s.social.ApplyUndo(ctx, actor, id, "", social.VerbBoost); err != nil {
		return err
	}
	return s.social.ApplyUndo(ctx, actor, id, "", social.VerbFavourite)
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

// applyAnnounce takes a share. What a group wraps is fetched from its own server;
// the wrapping proves nothing about it.
func (s *Server) applyAnnounce(ctx context.Context, actor *social.Account, o object) error {
	uri := o.Ref("object")
	if e, ok := o.Embedded("object"); ok && e.IsActivity() {
		if e.Type() != activitypub.Create {
			return nil
		}
		uri = e.Ref("object")
	}
	subject, err := s.object(ctx, 0, uri)
	if err != nil {
		return err
	}
	audience, err := s.readAudience(ctx, actor, o)
	if err != nil {
		return err
	}
	boost := &social.Post{URI: o.ID(), Audience: audience, PublishedAt: o.Time("published")}
	return s.social.ApplyBoost(ctx, actor, subject, boost)
}

func (s *Server) applyFlag(ctx context.Context, actor *social.Account, o object) error {
	uris := o.Refs("object")
	for _, uri := range uris {
		if _, ok := s.Links.ParseAccount(uri); ok {
			return s.withMember(ctx, uri, func(target *social.Account) error {
				return s.social.ApplyReport(ctx, actor, target, uris, s.text().SanitizePlain(o.Text("content"), 5000))
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
	target, err := s.fetchActor(ctx, o.Ref("target"))
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

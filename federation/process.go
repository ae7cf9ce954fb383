package federation

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

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
	err = s.guarded(in, func() error { return s.apply(withBudget(ctx, processFetches), in) })
	if transient(err) && j.Attempts < maxInboundTries {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	result := "applied"
	if err != nil {
		result = err.Error()
		s.Log.Info("activity dropped", "peer", in.Peer, "activity", in.URI, "reason", result)
	}
	dropped := err
	if err := s.Store.Tx(ctx, func(tx social.Tx) error {
		if dropped != nil {
			if err := s.auditReceive(ctx, tx, in, "", dropped); err != nil {
				return err
			}
		}
		return tx.FinishInbound(ctx, in.ID, result)
	}); err != nil {
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
func (s *Server) guarded(in *social.Inbound, apply func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("an activity broke its worker", "peer", in.Peer, "activity", in.URI, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("internal fault: %v", p)
		}
	}()
	return apply()
}

// apply does what a verified actor says. The actor owns only what is of its own
// server; everything else is fetched from where it belongs (A5).
func (s *Server) apply(ctx context.Context, in *social.Inbound) error {
	o, err := activitypub.Parse(in.Body)
	if err != nil {
		return &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	actor, err := s.stillAdmitted(ctx, in, o)
	if err != nil {
		return err
	}
	return s.perform(ctx, in, actor, o)
}

// perform is apply for an actor that is admitted.
func (s *Server) perform(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	switch o.Type() {
	case activitypub.Create:
		return s.applyCreate(ctx, in, actor, o)
	case activitypub.Update:
		return s.applyUpdate(ctx, in, actor, o)
	case activitypub.Delete:
		if o.Ref("object") == directoryURI(actor.URI) {
			return s.forgetPeople(ctx, in, actor)
		}
		if o[takenBackWord] != true {
			if err := s.keepRetraction(ctx, in, actor, o.Ref("object")); err != nil {
				return err
			}
		}
		return s.applyDelete(ctx, in, actor, o)
	case activitypub.Follow:
		return s.applyFollow(ctx, actor, o)
	case activitypub.Accept, activitypub.Reject:
		return s.applyAnswer(ctx, actor, o)
	case activitypub.Undo:
		return s.applyUndo(ctx, in, actor, o)
	case activitypub.Like, activitypub.EmojiReact:
		subject, err := s.stored(ctx, o.Ref("object")) // nobody asks others for what was liked
		if err != nil {
			return err
		}
		return s.social.ApplyFavourite(ctx, actor, subject, o.ID())
	case activitypub.Announce:
		return s.applyAnnounce(ctx, in, actor, o)
	case activitypub.Add, activitypub.Remove:
		if inner, ok := o.Embedded("object"); ok && inner.IsActivity() && o.Type() == activitypub.Add {
			return s.applyAdded(ctx, in, actor, o, inner)
		}
		if actor.FeaturedURI == "" || o.Ref("target") != actor.FeaturedURI {
			return social.Errorf(social.Invalid, "only the own featured collection can be changed")
		}
		return s.social.ApplyPin(ctx, actor, o.Ref("object"), o.Type() == activitypub.Add)
	case activitypub.Block:
		return s.withMember(ctx, o.Ref("object"), func(target *social.Account) error {
			return s.social.ApplyBlock(ctx, actor, target, o.ID())
		})
	case activitypub.Flag:
		return s.applyFlag(ctx, in, actor, o)
	case activitypub.Move:
		return s.applyMove(ctx, actor, o)
	case activitypub.QuoteRequest:
		return s.applyQuoteRequest(ctx, actor, o)
	}
	if e, ok := o.Embedded("object"); ok && o.Type() == activitypub.Leave && e.Type() == typePairing {
		return s.applyUnpair(ctx, actor, e.ID())
	}
	return nil // Join and Leave of others are understood and change nothing
}

// stillAdmitted finds the actor, and refuses it if its server was blocked or it was
// suspended since the activity came in.
func (s *Server) stillAdmitted(ctx context.Context, in *social.Inbound, o object) (*social.Account, error) {
	home, err := activitypub.Authority(in.Actor)
	if err != nil {
		return nil, err
	}
	for _, peer := range []string{in.Peer, home} {
		zone, err := s.social.Zone(ctx, peer)
		if err != nil {
			return nil, err
		}
		if zone.Kind == social.ZoneBlocked {
			if takesBack(o) && s.mayGiveBack(ctx, peer) || s.onlyParked(ctx, peer) {
				continue
			}
			return nil, notAdmitted()
		}
	}
	actor, err := s.account(ctx, in.Actor)
	if err == nil && !actor.Active() {
		err = notAdmitted()
	}
	return actor, err
}

// onlyParked says that a peer was parked, and nothing else, since it was taken at its
// word: by its own keys, and whoever answers at its address says nothing about that.
func (s *Server) onlyParked(ctx context.Context, peer string) bool {
	var p social.Peer
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		p, err = tx.Peer(ctx, peer)
		return err
	})
	return err == nil && p.Pairing == social.PairingParked && p.Zone.Kind != social.ZoneBlocked
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
	if !a.Local() || !a.Active() || a.Kind == social.KindApplication {
		return social.NotFoundError()
	}
	return change(a)
}

// own gives the object of an activity in its trusted form: embedded when it is of
// the actor's own server and author or proved by another author, else fetched from
// its own. body is the activity as it came.
func (s *Server) own(ctx context.Context, in social.ID, actor *social.Account, o object, body []byte) (object, error) {
	e, ok := o.Embedded("object")
	if ok && activitypub.SameAuthority(e.ID(), actor.URI) && e.Ref("attributedTo") == actor.URI {
		return e, nil
	}
	if e, ok := s.proven(ctx, actor.Authority, o, body); ok {
		return e, nil
	}
	uri := o.Ref("object")
	if uri == "" || s.Links.Owns(uri) {
		return nil, social.Errorf(social.Invalid, "the activity has no object of its actor's server")
	}
	return s.fetch(ctx, in, uri)
}

package federation

import (
	"context"

	"parley/activitypub"
	"parley/social"
)

func (s *Server) applyCreate(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	voted := false
	for _, e := range o.Objects("object") {
		if !isVote(e) {
			continue
		}
		if err := s.applyVote(ctx, actor, e); err != nil {
			return err
		}
		voted = true
	}
	if voted {
		return nil
	}
	note, err := s.own(ctx, in.InboxID, actor, o, in.Body)
	if err != nil {
		return err
	}
	arrival := social.Arrival{Said: saidBy(note, actor, o, in.Body, social.VerbCreate)}
	if note.Ref("attributedTo") == actor.URI && in.Peer == actor.Authority { // passed on, it is no copy of the author's
		arrival.Blind = in.InboxID
	}
	p, err := s.keepArrival(ctx, note, arrival)
	if err != nil {
		return err
	}
	if p.InReplyToURI == "" || p.InReplyToID != 0 || in.CaughtUp && activitypub.SameAuthority(p.InReplyToURI, actor.URI) {
		return nil // what the change log tells comes newest first: the parent is still to come
	}
	return s.lookUpLater(ctx, p.ID, wantParents)
}

// isVote tells a vote from a post: it names an option and says nothing.
func isVote(e object) bool {
	return e.Type() == activitypub.Note && e.Has("name") && e.Text("content") == "" && e.Has("inReplyTo")
}

// applyVote counts a vote in a poll of ours. Votes in polls of others are for
// their owners to count: nothing is looked up.
func (s *Server) applyVote(ctx context.Context, actor *social.Account, e object) error {
	if e.Ref("attributedTo") != actor.URI {
		return social.Errorf(social.Invalid, "a vote is its own voter's")
	}
	poll, err := s.stored(ctx, e.Ref("inReplyTo"))
	if err != nil {
		return err
	}
	return s.social.ApplyVote(ctx, actor, poll, e.Text("name"))
}

func (s *Server) applyUpdate(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	if tellsPeople(o) {
		return s.applyPeople(ctx, in, actor, o)
	}
	e, ok := o.Embedded("object")
	if (ok && e.IsActor()) || o.Ref("object") == actor.URI {
		return s.applyProfile(ctx, in, actor, o, e)
	}
	note, err := s.own(ctx, 0, actor, o, nil)
	if err != nil {
		return err
	}
	if note.Ref("attributedTo") != actor.URI {
		return social.Errorf(social.Invalid, "only its author changes a post")
	}
	return s.keepEdit(ctx, actor, note, saidBy(note, actor, o, in.Body, social.VerbEdit))
}

// saidBy is an author's own activity as it came, for the members of what is ours; empty
// where it holds whom it was secretly sent to (AP 6), which is not ours to tell.
func saidBy(note object, actor *social.Account, o object, body []byte, verb social.Verb) social.Said {
	for _, part := range []object{o, note} {
		if part.Has("bto") || part.Has("bcc") {
			return social.Said{}
		}
	}
	if note.Ref("attributedTo") != actor.URI {
		return social.Said{}
	}
	return social.Said{Verb: verb, Body: body}
}

// keepEdit changes a post to what its author made of it.
func (s *Server) keepEdit(ctx context.Context, actor *social.Account, note object, said social.Said) error {
	p, err := s.readPost(ctx, actor, note)
	if err != nil {
		return err
	}
	if p.Raw, err = raw(note); err != nil {
		return err
	}
	if p.Poll != nil && p.EditedAt.IsZero() {
		err = s.social.ApplyPollCounts(ctx, actor, p, p.Poll.Counts(), p.Poll.Voters, p.Poll.ClosedAt)
	} else {
		err = s.social.ApplyEdit(ctx, actor, p, said)
	}
	if social.KindOf(err) == social.NotFound && !olderThan(p.PublishedAt, updateGrace, s.Now()) {
		_, err = s.keepPost(ctx, note, false) // the edit came before the post
	}
	return err
}

// applyProfile takes an actor's new profile: as it came, when it is whole and
// signed by this very actor, else as its server shows it. Passed on, it could bring
// back a key of yesterday.
func (s *Server) applyProfile(ctx context.Context, in *social.Inbound, actor *social.Account, o, e object) error {
	if o.Ref("object") != actor.URI {
		return social.Errorf(social.Invalid, "an actor changes itself only")
	}
	if e.Ref("inbox") != "" && e.Has("publicKey") && in.Peer == actor.Authority {
		_, err := s.keepActor(ctx, e, "")
		return err
	}
	_, err := s.fetchActor(ctx, actor.URI)
	return err
}

func (s *Server) applyDelete(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	uri := o.Ref("object")
	if uri == actor.URI {
		return s.social.ApplyLeave(ctx, actor)
	}
	if o[takenBackWord] == true {
		return s.social.ApplyTakeBack(ctx, actor, uri)
	}
	return s.social.ApplyDelete(ctx, actor, uri, social.Said{Verb: social.VerbDelete, Body: in.Body})
}

// applyAnnounce takes a share, or what a group hands on. What somebody else wraps is
// fetched from its own server, unless its author proves it.
func (s *Server) applyAnnounce(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	uri := o.Ref("object")
	if e, ok := o.Embedded("object"); ok && e.IsActivity() {
		if actor.Kind == social.KindGroup {
			return s.applyGroup(ctx, in, actor, e)
		}
		if e.Type() != activitypub.Create {
			return nil
		}
		uri = e.Ref("object")
	}
	subject, err := s.shared(ctx, in, actor, o, uri)
	if err != nil {
		return err
	}
	if subject.GroupID == actor.ID {
		return nil // it stands in the group that shares it
	}
	audience, err := s.readAudience(ctx, actor, o, nil)
	if err != nil {
		return err
	}
	// One without an id is known by what it says, as it came.
	boost := &social.Post{URI: in.URI, Audience: audience, PublishedAt: o.Time("published")}
	if o.Has("proof") { // its author may need it back one day
		boost.Raw = in.Body
	}
	return s.social.ApplyBoost(ctx, actor, subject, boost)
}

// shared finds the post of a share: known, proved where it is embedded, or fetched.
func (s *Server) shared(ctx context.Context, in *social.Inbound, actor *social.Account, o object, uri string) (*social.Post, error) {
	p, err := s.stored(ctx, uri)
	if p != nil || social.KindOf(err) != social.NotFound {
		return p, err
	}
	if post, ok := s.proven(ctx, actor.Authority, o, in.Body); ok && post.ID() == uri {
		return s.keepPost(ctx, post, true)
	}
	return s.object(ctx, 0, uri)
}

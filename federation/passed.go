package federation

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/activitypub"
	"parley/activitypub/proof"
	"parley/social"
)

// This file takes what a group announces (FEP-1b12) or the owner of a thread adds to
// it. The wrapping proves who handed something on, not who said it: that counts by its
// author's proof, by its origin's own word or, in the bounds of vouch, by the word of
// the group's or thread's owner.

// passed is something that was handed on.
type passed struct {
	passer *social.Account // the group, or the instance actor of the thread's owner
	group  *social.Account // nil in a thread
	bound  social.Audience // of the thread
	direct bool            // it came from the passer's own server, not by others
	inner  object          // what was said
	raw    []byte          // the same, as it came; nil when that is lost
	in     *social.Inbound
}

// applyGroup takes what a group announces, if somebody here is a member of it.
func (s *Server) applyGroup(ctx context.Context, in *social.Inbound, group *social.Account, inner object) error {
	if group.FollowersCount == 0 { // of a group elsewhere only members here are known
		return social.Errorf(social.Forbidden, "nobody here belongs to this community")
	}
	return s.applyPassed(ctx, passed{passer: group, group: group, direct: in.Peer == group.Authority, inner: inner, raw: proof.Part(in.Body, "object"), in: in})
}

// applyAdded takes what the owner of a thread adds to it.
func (s *Server) applyAdded(ctx context.Context, in *social.Inbound, actor *social.Account, o, inner object) error {
	p := passed{passer: actor, direct: in.Peer == actor.Authority, inner: inner, raw: proof.Part(in.Body, "object"), in: in}
	about := inner.Ref("object")
	if post, ok := inner.Embedded("object"); ok && inner.Type() == activitypub.Create {
		about = post.Ref("inReplyTo")
	}
	known, err := s.stored(ctx, about)
	switch {
	case err == nil:
		p.bound = known.Bound()
	case social.KindOf(err) == social.NotFound && inner.Type() == activitypub.Create:
		// A log is read from its end: what is answered comes later.
		if p.bound, err = s.addedTo(ctx, actor, o); err != nil {
			return err
		}
	default:
		return err
	}
	if p.bound.IsZero() || p.bound.Kind == social.AudienceGroup || p.bound.Owner != actor.Authority || actor.Kind != social.KindApplication {
		return social.Errorf(social.Forbidden, "only its owner adds to a thread")
	}
	return s.applyPassed(ctx, p)
}

// addedTo is the audience that the owner of a thread names for what it adds, where the
// thread is not known here.
func (s *Server) addedTo(ctx context.Context, owner *social.Account, o object) (social.Audience, error) {
	a, err := s.readAudience(ctx, owner, o, nil)
	if err != nil || a.Kind == social.AudienceCompany || a.Kind == social.AudiencePartner {
		return a, err
	}
	to := o.Recipients("to")
	if len(to) != 1 {
		return social.Audience{}, nil
	}
	err = s.Store.View(ctx, func(tx social.Tx) error {
		a = social.Audience{}
		root, err := tx.AccountByURI(ctx, strings.TrimSuffix(to[0], "/followers"))
		if err == nil && root.FollowersURI == to[0] && root.Authority == owner.Authority {
			a = social.Audience{Kind: social.AudienceFollowers, Name: root.URI, Owner: root.Authority}
		}
		return err
	})
	return a, err
}

func (s *Server) applyPassed(ctx context.Context, p passed) error {
	if uri := p.inner.Ref("object"); s.Links.Owns(uri) || s.Links.Owns(p.inner.Ref("actor")) {
		return nil // what is ours is known here best; it comes back to nobody
	}
	switch p.inner.Type() {
	case activitypub.Create:
		post, ok := p.inner.Embedded("object")
		if !ok || isVote(post) {
			return social.Errorf(social.Invalid, "what is handed on is not there as a whole")
		}
		_, err := s.keepPassed(ctx, p, post, false)
		return err
	case activitypub.Update:
		return s.passedEdit(ctx, p)
	case activitypub.Delete:
		return s.passedDelete(ctx, p)
	case activitypub.Like, activitypub.EmojiReact:
		return s.passedLike(ctx, p)
	}
	return nil
}

// keepPassed keeps a post that was handed on.
func (s *Server) keepPassed(ctx context.Context, p passed, post object, old bool) (*social.Post, error) {
	if !post.IsPost() || s.Links.Owns(post.ID()) {
		return nil, social.Errorf(social.Forbidden, "only what others wrote is handed on to us")
	}
	if err := s.belongs(ctx, p, post); err != nil {
		return nil, err
	}
	in := social.Arrival{Group: p.group, By: p.passer.Authority, Bound: p.bound, Backfill: old}
	if had, err := s.stored(ctx, post.ID()); err == nil {
		if in.Author, err = s.authorOfKnown(ctx, had); err != nil {
			return nil, err
		}
		in.Post = had
		return s.social.ApplyPost(ctx, in)
	} else if social.KindOf(err) != social.NotFound {
		return nil, err
	}
	note, via, err := s.believed(ctx, p, post)
	if err != nil {
		return nil, err
	}
	in.Via = via
	kept, err := s.keepArrival(ctx, note, in)
	if err != nil || kept.InReplyToURI == "" || kept.InReplyToID != 0 || old {
		return kept, err
	}
	return kept, s.lookUpLater(ctx, kept.ID, wantParents)
}

// belongs says that a post names the group that announces it, or answers what stands
// in it. For a thread that was checked already.
func (s *Server) belongs(ctx context.Context, p passed, post object) error {
	if p.group == nil {
		return nil
	}
	for _, o := range []object{post, p.inner} {
		for _, key := range []string{"audience", "to", "cc"} {
			if slices.Contains(o.Refs(key), p.group.URI) {
				return nil
			}
		}
	}
	parent, err := s.stored(ctx, post.Ref("inReplyTo"))
	if err == nil && parent.GroupID == p.group.ID {
		return nil
	}
	if err != nil && social.KindOf(err) != social.NotFound {
		return err
	}
	return social.Errorf(social.Forbidden, "it does not stand in the community that announces it")
}

// believed gives a post that was handed on in its trusted form, and who vouches for it.
func (s *Server) believed(ctx context.Context, p passed, post object) (note object, via string, err error) {
	author := post.Ref("attributedTo")
	if !activitypub.SameAuthority(post.ID(), author) {
		return nil, "", social.Errorf(social.Invalid, "the post is not of its author's server")
	}
	if p.direct && activitypub.SameAuthority(author, p.passer.URI) {
		return post, "", nil
	}
	if s.spoke(ctx, p, author) || s.wrote(ctx, p, post, author) {
		return post, "", nil
	}
	vouched := s.vouches(ctx, p, post)
	if vouched == nil && !addresses(post, activitypub.Public) {
		return post, p.passer.Authority, nil // nobody but its readers would be given it
	}
	note, err = s.fetch(ctx, 0, post.ID())
	switch {
	case err == nil:
		return note, "", nil
	case vouched == nil && (social.KindOf(err) == social.Forbidden || social.KindOf(err) == social.Unavailable):
		return post, p.passer.Authority, nil // its origin may not be asked, or cannot; against its answer nobody vouches
	case social.KindOf(err) == social.Unavailable:
		return nil, "", err
	}
	return nil, "", vouched
}

func addresses(o object, uri string) bool {
	return slices.Contains(o.Recipients("to"), uri) || slices.Contains(o.Recipients("cc"), uri)
}

// spoke says that an activity that was handed on bears a proof of the actor who is
// also its object's author.
func (s *Server) spoke(ctx context.Context, p passed, author string) bool {
	return p.raw != nil && p.inner.Ref("actor") == author && s.provenPart(ctx, p.passer.Authority, p.inner, author, p.raw)
}

// wrote says that a post that was handed on bears its author's proof.
func (s *Server) wrote(ctx context.Context, p passed, post object, author string) bool {
	raw := p.raw
	if p.inner.IsActivity() {
		raw = proof.Part(p.raw, "object")
	}
	return raw != nil && s.provenPart(ctx, p.passer.Authority, post, author, raw)
}

// vouches says why the passer's word does not count for a post of a third server: it
// must come from the owner of the group or thread itself, and the post be neither ours
// nor of an instance that is paired with us. A sister vouches for whom she likes; the
// owner of a group that is none only for whom we may not ask. Of a server that is
// blocked here nothing is taken.
func (s *Server) vouches(ctx context.Context, p passed, post object) error {
	third, err := activitypub.Authority(post.ID())
	if err != nil || third == s.Links.Home() {
		return social.Errorf(social.Invalid, "only what others wrote is handed on to us")
	}
	var owner, origin social.Zone
	var blocked map[string]bool
	paired := false
	if err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		if owner, err = s.social.ZoneIn(ctx, tx, p.passer.Authority); err != nil {
			return err
		}
		if origin, err = s.social.ZoneIn(ctx, tx, third); err != nil {
			return err
		}
		bond, err := tx.Pairing(ctx, third)
		if err != nil && !errors.Is(err, social.ErrNotFound) {
			return err
		}
		paired = err == nil && bond.State != social.PairingLeft
		blocked, err = tx.BlockedAmong(ctx, []string{third})
		return err
	}); err != nil {
		return err
	}
	sister := owner.Kind == social.ZoneCompany
	if !p.direct || !sister && (p.group == nil || origin.Kind != social.ZoneBlocked) || paired || blocked[third] {
		return social.Errorf(social.Forbidden, "nobody who may do so vouches for what was handed on")
	}
	return nil
}

// trusted says that what was said about a post that is known here counts: by its own
// server's word, by proof, or by that of whoever vouched for the post.
func (s *Server) trusted(ctx context.Context, p passed, known *social.Post, author *social.Account) bool {
	return p.direct && (author.Authority == p.passer.Authority || known.Via == p.passer.Authority) || s.spoke(ctx, p, author.URI)
}

// placed finds a post that is known to stand in the group or thread, and its author.
func (s *Server) placed(ctx context.Context, p passed, uri string) (known *social.Post, author *social.Account, err error) {
	if known, err = s.stored(ctx, uri); err != nil {
		return nil, nil, err
	}
	if p.group != nil && known.GroupID != p.group.ID || p.group == nil && known.Ceiling != p.bound {
		return nil, nil, social.NotFoundError()
	}
	author, err = s.authorOfKnown(ctx, known)
	return known, author, err
}

func (s *Server) authorOfKnown(ctx context.Context, p *social.Post) (a *social.Account, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		a, err = tx.Account(ctx, p.AuthorID)
		return err
	})
	return a, err
}

func (s *Server) passedEdit(ctx context.Context, p passed) error {
	known, author, err := s.placed(ctx, p, p.inner.Ref("object"))
	if err != nil {
		return err
	}
	note, whole := p.inner.Embedded("object")
	if !whole || !s.trusted(ctx, p, known, author) {
		if note, err = s.fetch(ctx, 0, known.URI); err != nil {
			return err
		}
	}
	if note.ID() != known.URI || note.Ref("attributedTo") != author.URI {
		return social.Errorf(social.Invalid, "only its author changes a post")
	}
	return s.keepEdit(ctx, author, note, social.Said{})
}

// passedDelete takes a post away. What is not trusted counts only where its own server
// says that everybody's post is gone.
func (s *Server) passedDelete(ctx context.Context, p passed) error {
	known, author, err := s.placed(ctx, p, p.inner.Ref("object"))
	if err != nil {
		return err
	}
	if !s.trusted(ctx, p, known, author) {
		if !known.Audience.Everybody() {
			return social.Errorf(social.Forbidden, "only its author or who vouched for it takes a post back")
		}
		if _, err := s.fetch(ctx, 0, known.URI); social.KindOf(err) != social.NotFound {
			return err
		}
	}
	return s.social.ApplyDelete(ctx, author, known.URI, social.Said{})
}

// passedLike counts a like that its actor's server or a proof speaks for.
func (s *Server) passedLike(ctx context.Context, p passed) error {
	known, _, err := s.placed(ctx, p, p.inner.Ref("object"))
	if err != nil {
		return err
	}
	uri := p.inner.Ref("actor")
	if !(p.direct && activitypub.SameAuthority(uri, p.passer.URI)) && !s.spoke(ctx, p, uri) {
		return nil
	}
	actor, err := s.account(ctx, uri)
	if err != nil {
		return err
	}
	return s.social.ApplyFavourite(ctx, actor, known, p.inner.ID())
}

// authorVia is the author of a post that somebody vouches for. When its own server
// cannot be asked, an account stands in that nobody can reach and that claims no handle;
// the first word of its own server replaces it.
func (s *Server) authorVia(ctx context.Context, uri, via string) (*social.Account, error) {
	a, err := s.account(ctx, uri)
	if err == nil {
		return a, nil
	}
	authority, bad := activitypub.Authority(uri)
	if bad != nil || !canonical(uri) || s.Links.Owns(uri) {
		return nil, err
	}
	if !s.newcomers.take(registrable(via), s.Now()) {
		return nil, social.Errorf(social.Unavailable, "too many new accounts of %s at once", registrable(via))
	}
	return s.social.StandIn(ctx, uri, authority)
}

package federation

import (
	"context"

	"parley/activitypub"
	"parley/social"
)

// This file compares what a sister or partner may see of us with what it holds, and
// the other way round.

// digestBatch is how many objects are counted at once.
const digestBatch = 500

// digestFor is the digest of all that a reader's server should hold of ours.
func (s *Server) digestFor(ctx context.Context, tx social.Tx, r social.Reader) (*social.Digest, error) {
	d := &social.Digest{}
	for after := social.ID(0); ; {
		posts, err := tx.LocalPosts(ctx, after, digestBatch)
		if err != nil {
			return nil, err
		}
		authors := make([]social.ID, 0, len(posts))
		for _, p := range posts {
			authors = append(authors, p.AuthorID)
		}
		followed, err := tx.FollowedFrom(ctx, r.Peer, authors)
		if err != nil {
			return nil, err
		}
		standing, err := s.standings(ctx, tx, r, posts, followed)
		if err != nil {
			return nil, err
		}
		for _, p := range posts {
			after = p.ID
			if !p.Audience.Between(r.Home, r.Peer) || !p.Ceiling.Between(r.Home, r.Peer) {
				continue
			}
			switch standing[p.ID] {
			case seen, withheld:
				d.Add(p.URI, p.EditedAt, false)
			case takenBack:
				if !p.MayReturn() { // else it is forgotten there
					d.Add(p.URI, p.EditedAt, true)
				}
			}
		}
		if len(posts) < digestBatch {
			return d, nil
		}
	}
}

// getDigest tells it.
func (s *Server) getDigest(tx social.Tx, q *query, r social.Reader) (object, error) {
	if !s.digests.take(r.Peer, s.Now()) {
		return nil, &social.Error{Kind: social.Limited, Public: "too many requests for the digest; try again in an hour", RetryAfter: digestsWindow}
	}
	d, err := s.digestFor(q.Context(), tx, r)
	if err != nil {
		return nil, err
	}
	parts := []any{}
	for _, p := range d.Parts() {
		parts = append(parts, p)
	}
	uri := s.Links.InstanceActor() + "/outbox"
	return object{"id": uri + "?digest=true", "type": activitypub.Collection, "partOf": uri, "totalItems": d.Live, "gone": d.Gone, "parts": parts}, nil
}

// digestOf is the digest of what is held here of a peer's objects.
func (s *Server) digestOf(ctx context.Context, tx social.Tx, peer string) (*social.Digest, error) {
	d := &social.Digest{}
	for _, gone := range []bool{false, true} {
		for at := (social.Held{}); ; {
			held, err := tx.HeldPosts(ctx, peer, at.Author, at.Post, digestBatch, gone, false)
			if err != nil {
				return nil, err
			}
			for _, h := range held {
				if at = h; h.Audience.Between(peer, s.Links.Home()) && h.Ceiling.Between(peer, s.Links.Home()) {
					d.Add(h.URI, h.EditedAt, gone)
				}
			}
			if len(held) < digestBatch {
				break
			}
		}
	}
	for after := ""; ; {
		gone, err := tx.NeverHeld(ctx, peer, after, digestBatch)
		if err != nil {
			return nil, err
		}
		for _, uri := range gone {
			d.Add(uri, s.Now(), true)
			after = uri
		}
		if len(gone) < digestBatch {
			return d, nil
		}
	}
}

// Comparison of what a peer says that we should hold of it with what we do.
type Comparison struct {
	There, Here         int // objects
	GoneThere, GoneHere int // objects that were taken back
	Differ, Parts       int // parts of the digest that differ, of how many
}

// Equal says that both sides hold the same.
func (c Comparison) Equal() bool { return c.Differ == 0 }

// Compare asks a peer for its digest and counts our own.
func (s *Server) Compare(ctx context.Context, peer string) (c Comparison, err error) {
	if _, err := s.account(ctx, s.actorOf(peer)); err != nil {
		return c, err
	}
	o, _, err := s.get(ctx, 0, s.actorOf(peer)+"/outbox?digest=true")
	if err != nil {
		return c, err
	}
	theirs := o.Strings("parts")
	if len(theirs) == 0 {
		return c, social.Errorf(social.NotFound, "the server %s tells no digest: it is no Parley, or we stand in no zone there", peer)
	}
	var ours *social.Digest
	if err := s.Store.View(ctx, func(tx social.Tx) (err error) { ours, err = s.digestOf(ctx, tx, peer); return err }); err != nil {
		return c, err
	}
	c = Comparison{There: o.Int("totalItems"), Here: ours.Live, GoneThere: o.Int("gone"), GoneHere: ours.Gone}
	for i, p := range ours.Parts() {
		c.Parts++
		if i >= len(theirs) || theirs[i] != p {
			c.Differ++
		}
	}
	return c, nil
}

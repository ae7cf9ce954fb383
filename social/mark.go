package social

import (
	"context"
	"slices"
	"time"
)

// Favourite likes a post, or takes it back.
func (s *Service) Favourite(ctx context.Context, r Reader, id ID, on bool) (*PostView, error) {
	return s.act(ctx, r, id, func(tx Tx, me *Account, p *Post) error {
		uri, err := s.likeURI(ctx, tx, me, p, on)
		if err != nil {
			return err
		}
		changed, err := tx.SetFavourite(ctx, me.ID, p.ID, uri, on, s.Now())
		if err != nil || !changed {
			return err
		}
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil {
			return err
		}
		verb := VerbUnfavourite
		if on {
			verb = VerbFavourite
			if err := s.notify(ctx, tx, p.AuthorID, NotifyFavourite, me, p); err != nil {
				return err
			}
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: verb, Actor: me, Subject: p, Target: author, URI: uri, At: s.Now()})
	})
}

// likeURI is a new one for each like, and the same one when that is taken back:
// others tell by it what an Undo means, also when it comes first.
func (s *Service) likeURI(ctx context.Context, tx Tx, me *Account, p *Post, on bool) (string, error) {
	if on {
		return s.Links.Activity(NewID(s.Now())), nil
	}
	uri, err := tx.FavouriteURI(ctx, me.ID, p.ID)
	return uri, ignoreNotFound(err)
}

// MaxPins is the number of posts shown on top of a profile or a group.
const MaxPins = 5

// Pin shows an own post on top of the profile.
func (s *Service) Pin(ctx context.Context, r Reader, id ID, on bool) (*PostView, error) {
	return s.act(ctx, r, id, func(tx Tx, me *Account, p *Post) error {
		if p.AuthorID != me.ID || p.Audience.Kind == AudienceDirect {
			return Errorf(Invalid, "only own posts can be pinned, and no direct ones")
		}
		changed, err := s.putOnTop(ctx, tx, me, p, on)
		if err != nil || !changed {
			return err
		}
		verb := VerbUnpin
		if on {
			verb = VerbPin
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: verb, Actor: me, Subject: p, At: s.Now()})
	})
}

// PinInGroup shows what begins a thread on top of the page of its group, for all who may
// see it there. Whoever runs the group may do that. Other instances are not told: a pin
// would betray to them a post that is not for them.
func (s *Service) PinInGroup(ctx context.Context, r Reader, id ID, on bool) (*PostView, error) {
	return s.act(ctx, r, id, func(tx Tx, _ *Account, p *Post) error {
		if p.GroupID == 0 || p.InReplyToURI != "" {
			return Errorf(Invalid, "only what begins a conversation in a community can be pinned there")
		}
		g, err := s.run(ctx, tx, r, p.GroupID, false)
		if err != nil {
			return err
		}
		_, err = s.putOnTop(ctx, tx, g, p, on)
		return err
	})
}

// putOnTop says whether something changed.
func (s *Service) putOnTop(ctx context.Context, tx Tx, of *Account, p *Post, yes bool) (bool, error) {
	if yes {
		pinned, err := tx.PinnedBy(ctx, of.ID, MaxPins)
		if err != nil {
			return false, err
		}
		if len(pinned) >= MaxPins && !slices.ContainsFunc(pinned, func(one *Post) bool { return one.ID == p.ID }) {
			return false, Errorf(Invalid, "at most %d posts can be pinned", MaxPins)
		}
	}
	return tx.SetPin(ctx, of.ID, p.ID, yes, s.Now())
}

// Pinned lists what an account or a group shows on top, newest first, as far as the
// reader may see it.
func (s *Service) Pinned(ctx context.Context, r Reader, id ID) (views []*PostView, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.account(ctx, tx, r, id); err != nil {
			return err
		}
		posts, err := tx.PinnedBy(ctx, id, MaxPins)
		if err != nil {
			return err
		}
		if posts, err = s.Visible(ctx, tx, r, posts); err != nil {
			return err
		}
		views, err = s.views(ctx, tx, r, posts)
		return err
	})
	return views, err
}

// act runs a change on a visible post (of a boost: on what it boosts) and shows
// the post afterwards.
func (s *Service) act(ctx context.Context, r Reader, id ID, change func(Tx, *Account, *Post) error) (*PostView, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.readable(ctx, tx, r, id)
		if err != nil {
			return err
		}
		if p.Kind == PostBoost {
			if p, err = s.readable(ctx, tx, r, p.BoostOfID); err != nil {
				return err
			}
		}
		id = p.ID
		return change(tx, me, p)
	})
	if err != nil {
		return nil, err
	}
	return s.Post(ctx, r, id)
}

// Boost shares a post with the same readers, or takes that back. A post for
// named people or for somebody else's followers cannot be shared.
func (s *Service) Boost(ctx context.Context, r Reader, id ID, on bool) (*PostView, error) {
	boosted, clamped := ID(0), false
	v, err := s.act(ctx, r, id, func(tx Tx, me *Account, p *Post) error {
		had, err := tx.BoostOf(ctx, me.ID, p.ID)
		if ignoreNotFound(err) != nil {
			return err
		}
		if !on {
			if had == nil {
				return nil
			}
			if err := s.erase(ctx, tx, had.ID); err != nil {
				return err
			}
			return s.Outbox.Record(ctx, tx, Change{Verb: VerbUnboost, Actor: me, Post: had, Subject: p, At: s.Now()})
		}
		if had != nil {
			boosted = had.ID
			return nil
		}
		audience, err := s.boostAudience(me, p)
		if err != nil {
			return err
		}
		if audience, clamped, err = s.granted(r, audience); err != nil {
			return err
		}
		if err := s.withinGrant(ctx, tx, r, audience, 0); err != nil {
			return err
		}
		policy, err := s.policyIn(ctx, tx)
		if err != nil {
			return err
		}
		audience, bounded := policy.clamp(me.Role, audience, s.home)
		clamped = clamped || bounded
		now := s.Now()
		b := &Post{ID: NewID(now), AuthorID: me.ID, Kind: PostBoost, BoostOfID: p.ID, Audience: audience, Ceiling: p.Bound(),
			Local: true, Version: 1, PublishedAt: now, ArrivedAt: now}
		b.ThreadID = b.ID
		b.URI, b.URL = s.Links.Post(me.ID, b.ID), p.URL
		b.nameAudience(me)
		boosted = b.ID
		if err := s.put(ctx, tx, me, b, false); err != nil {
			return err
		}
		if err := s.notify(ctx, tx, p.AuthorID, NotifyReblog, me, p); err != nil {
			return err
		}
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbBoost, Actor: me, Post: b, Subject: p, Target: author, At: now})
	})
	if err != nil || !on {
		return v, err
	}
	v, err = s.Post(ctx, r, boosted)
	if v != nil {
		v.Clamped = clamped
	}
	return v, err
}

func (s *Service) boostAudience(me *Account, p *Post) (Audience, error) {
	switch p.Audience.Kind {
	case AudiencePublic, AudienceUnlisted:
		if p.Ceiling.IsZero() {
			return Audience{Kind: AudiencePublic, Owner: s.home}, nil
		}
	case AudienceCompany, AudiencePartner, AudienceInstance:
		if p.Audience.Owner != s.home {
			return Audience{Kind: AudienceCompany, Owner: s.home}, nil
		}
		return p.Audience, nil
	case AudienceFollowers:
		if p.AuthorID == me.ID {
			return p.Audience, nil
		}
	}
	return Audience{}, Errorf(Invalid, "this post is for known readers only and cannot be shared")
}

// Vote counts a member's choices in a poll, once.
func (s *Service) Vote(ctx context.Context, r Reader, id ID, choices []int) (*PostView, error) {
	return s.act(ctx, r, id, func(tx Tx, me *Account, p *Post) error {
		if p.Poll == nil {
			return NotFoundError()
		}
		if p.AuthorID == me.ID {
			return Errorf(Invalid, "you cannot vote in your own poll")
		}
		if err := p.Poll.check(choices, s.Now()); err != nil {
			return err
		}
		if err := tx.AddVotes(ctx, p.ID, me.ID, choices, s.Now()); err != nil {
			if KindOf(err) == Conflict {
				return Errorf(Invalid, "you have voted in this poll already")
			}
			return err
		}
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil {
			return err
		}
		if author.Local() {
			return s.tellCountsLater(ctx, tx, p.ID)
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbVote, Actor: me, Subject: p, Target: author, Choices: choices, At: s.Now()})
	})
}

// tellCounts sends an own poll's new counts to those who have it.
func (s *Service) tellCounts(ctx context.Context, tx Tx, author *Account, poll ID) error {
	p, err := tx.Post(ctx, poll)
	if err != nil {
		return err
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbPollCount, Actor: author, Post: p, At: s.Now()})
}

func (p *Poll) check(choices []int, now time.Time) error {
	if p.Closed(now) {
		return Errorf(Invalid, "this poll is closed")
	}
	if len(choices) == 0 || !p.Multiple && len(choices) > 1 {
		return Errorf(Invalid, "choose one answer")
	}
	seen := map[int]bool{}
	for _, c := range choices {
		if c < 0 || c >= len(p.Options) || seen[c] {
			return Errorf(Invalid, "there is no such answer")
		}
		seen[c] = true
	}
	return nil
}

// ClosePolls closes own polls that ended, tells their authors and whoever has
// them, and answers how many there were. The instance calls it once a minute.
func (s *Service) ClosePolls(ctx context.Context) (n int, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		n = 0
		posts, err := tx.PollsEnding(ctx, s.Now(), 100)
		if err != nil {
			return err
		}
		for _, p := range posts {
			p.Poll.ClosedAt = s.Now()
			if err := tx.SetPollCounts(ctx, p.Poll); err != nil {
				return err
			}
			author, err := tx.Account(ctx, p.AuthorID)
			if err != nil {
				return err
			}
			muted, err := tx.MutesThread(ctx, author.ID, p.ThreadID)
			if err != nil {
				return err
			}
			note := &Notification{ID: NewID(s.Now()), AccountID: author.ID, Kind: NotifyPoll, FromID: author.ID, PostID: p.ID, CreatedAt: s.Now()}
			if !muted && !slices.Contains(author.Unwanted, NotifyPoll) {
				err = s.inform(ctx, tx, note)
			}
			if err != nil {
				return err
			}
			if err := s.tellCounts(ctx, tx, author, p.ID); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

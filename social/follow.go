package social

import (
	"context"
	"slices"
)

// FollowOptions change what a follow shows; nil leaves it as it is.
type FollowOptions struct {
	ShowBoosts, Notify *bool
}

// Relationships tells what the reader has with other accounts.
func (s *Service) Relationships(ctx context.Context, r Reader, ids []ID) (out []Relationship, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		out, err = relationships(ctx, tx, me.ID, unique(ids))
		return err
	})
	return out, err
}

func relationships(ctx context.Context, tx Tx, me ID, ids []ID) ([]Relationship, error) {
	known, err := tx.Accounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	to, err := tx.FollowsTo(ctx, me, ids)
	if err != nil {
		return nil, err
	}
	from, err := tx.FollowsFrom(ctx, me, ids)
	if err != nil {
		return nil, err
	}
	blocks, err := tx.Blocks(ctx, me, ids)
	if err != nil {
		return nil, err
	}
	regards, err := tx.Regards(ctx, me, ids)
	if err != nil {
		return nil, err
	}
	away, err := keptAway(ctx, tx, me, known)
	if err != nil {
		return nil, err
	}
	var out []Relationship
	for _, id := range ids {
		if a := known[id]; a == nil || !a.Shown() {
			continue
		}
		rel := Relationship{AccountID: id, Blocking: blocks[id].Blocking, BlockedBy: blocks[id].BlockedBy, Muting: blocks[id].Muting,
			DomainBlocking: away[id], Regard: regards[id]}
		if f := to[id]; f != nil {
			rel.Following, rel.Requested = f.State == FollowAccepted, f.State == FollowPending
			rel.ShowBoosts, rel.Notify = f.ShowBoosts, f.Notify
		}
		rel.Endorsed = rel.Endorsed && rel.Following
		if f := from[id]; f != nil {
			rel.FollowedBy, rel.RequestedBy = f.State == FollowAccepted, f.State == FollowPending
		}
		out = append(out, rel)
	}
	return out, nil
}

// relate runs a change between the reader and another account, and answers what
// they have afterwards.
func (s *Service) relate(ctx context.Context, r Reader, id ID, change func(tx Tx, me, other *Account) error) (rel Relationship, err error) {
	me, err := s.member(r)
	if err != nil {
		return rel, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		other, err := s.account(ctx, tx, r, id)
		if err != nil {
			return err
		}
		if other.ID == me.ID {
			return Errorf(Invalid, "that is your own account")
		}
		if err := change(tx, me, other); err != nil {
			return err
		}
		rels, err := relationships(ctx, tx, me.ID, []ID{id})
		if err == nil && len(rels) == 1 {
			rel = rels[0]
		}
		return err
	})
	return rel, err
}

// Follow asks to follow an account, or changes what an existing follow shows.
func (s *Service) Follow(ctx context.Context, r Reader, id ID, o FollowOptions) (Relationship, error) {
	return s.relate(ctx, r, id, func(tx Tx, me, other *Account) error {
		if other.Kind == KindApplication {
			return NotFoundError()
		}
		f, err := tx.Follow(ctx, me.ID, other.ID)
		if ignoreNotFound(err) != nil {
			return err
		}
		fresh := f == nil
		if fresh {
			blocks, err := tx.Blocks(ctx, me.ID, []ID{other.ID})
			if err != nil {
				return err
			}
			away, err := keptAway(ctx, tx, me.ID, map[ID]*Account{other.ID: other})
			if err != nil {
				return err
			}
			if b := blocks[other.ID]; b.Blocking || b.BlockedBy || away[other.ID] {
				return Errorf(Forbidden, "you cannot follow this account")
			}
			now := s.Now()
			f = &Follow{ID: NewID(now), FollowerID: me.ID, TargetID: other.ID, State: FollowPending, ShowBoosts: true, CreatedAt: now}
			f.URI = s.Links.Activity(f.ID)
			if other.Local() && other.Kind == KindGroup {
				if err := s.askToJoin(me, other, f); err != nil {
					return err
				}
			} else if other.Local() && !other.Locked {
				f.State = FollowAccepted
			}
		}
		setBool(&f.ShowBoosts, o.ShowBoosts)
		setBool(&f.Notify, o.Notify)
		if err := tx.PutFollow(ctx, f); err != nil || !fresh {
			return err
		}
		if other.Local() {
			return s.followedHere(ctx, tx, me, other, f)
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbFollow, Actor: me, Target: other, Follow: f, At: f.CreatedAt})
	})
}

// followTimeline is how many posts a new follow brings into the home timeline.
const followTimeline = 20

// followedHere tells a member of a new follower and, once accepted, fills the
// follower's timeline when that is a member too.
func (s *Service) followedHere(ctx context.Context, tx Tx, follower, target *Account, f *Follow) error {
	if target.Kind == KindGroup {
		return s.joined(ctx, tx, follower, target, f)
	}
	kind := NotifyFollow
	if f.State == FollowPending {
		kind = NotifyFollowRequest
	}
	if err := s.notify(ctx, tx, target.ID, kind, follower, nil); err != nil {
		return err
	}
	if f.State == FollowAccepted && follower.Local() {
		return tx.FillTimeline(ctx, follower.ID, target.ID, followTimeline)
	}
	return nil
}

// Unfollow ends a follow or takes the request back.
func (s *Service) Unfollow(ctx context.Context, r Reader, id ID) (Relationship, error) {
	return s.relate(ctx, r, id, func(tx Tx, me, other *Account) error {
		return s.unfollow(ctx, tx, me, other)
	})
}

func (s *Service) unfollow(ctx context.Context, tx Tx, me, other *Account) error {
	f, err := tx.Follow(ctx, me.ID, other.ID)
	if err != nil {
		return ignoreNotFound(err)
	}
	if _, err := tx.DeleteFollow(ctx, me.ID, other.ID); err != nil {
		return err
	}
	if me.Local() {
		if err := tx.ClearTimeline(ctx, me.ID, other.ID); err != nil {
			return err
		}
	}
	if other.Local() && other.Kind == KindGroup {
		return s.left(ctx, tx, other, me.ID)
	}
	if !me.Local() || other.Local() {
		return nil
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbUnfollow, Actor: me, Target: other, Follow: f, At: s.Now()})
}

// AnswerFollow accepts or rejects a request to follow the reader.
func (s *Service) AnswerFollow(ctx context.Context, r Reader, follower ID, accept bool) (Relationship, error) {
	return s.relate(ctx, r, follower, func(tx Tx, me, other *Account) error {
		f, err := tx.Follow(ctx, other.ID, me.ID)
		if err != nil {
			return err
		}
		if f.State == FollowAccepted && accept {
			return nil
		}
		may, err := s.mayFollow(ctx, tx, other, me)
		if err != nil {
			return err
		}
		if accept && !may {
			return Errorf(Forbidden, "people of that server may not follow anybody here now; your administrator decides about that")
		}
		return s.answer(ctx, tx, me, other, f, accept)
	})
}

// RemoveFollower ends somebody's follow of the reader.
func (s *Service) RemoveFollower(ctx context.Context, r Reader, id ID) (Relationship, error) {
	return s.relate(ctx, r, id, func(tx Tx, me, other *Account) error {
		f, err := tx.Follow(ctx, other.ID, me.ID)
		if err != nil {
			return ignoreNotFound(err)
		}
		return s.answer(ctx, tx, me, other, f, false)
	})
}

// answer settles a follow of the member me and tells the follower's server.
func (s *Service) answer(ctx context.Context, tx Tx, me, follower *Account, f *Follow, accept bool) error {
	verb := VerbReject
	if accept {
		verb = VerbAccept
		f.State = FollowAccepted
		if err := tx.PutFollow(ctx, f); err != nil {
			return err
		}
		if err := s.followedHere(ctx, tx, follower, me, f); err != nil {
			return err
		}
	} else {
		if _, err := tx.DeleteFollow(ctx, follower.ID, me.ID); err != nil {
			return err
		}
		if follower.Local() {
			return tx.ClearTimeline(ctx, follower.ID, me.ID)
		}
		// They may ask again, and some servers do so under the same id.
		if _, err := tx.TakeBackInbound(ctx, f.URI, follower.URI, "", s.Now()); err != nil {
			return err
		}
	}
	if follower.Local() {
		return nil
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: verb, Actor: me, Target: follower, Follow: f, At: s.Now()})
}

// Block ends all follows between the two and hides each from the other.
func (s *Service) Block(ctx context.Context, r Reader, id ID, on bool) (Relationship, error) {
	return s.relate(ctx, r, id, func(tx Tx, me, other *Account) error {
		changed, err := tx.SetBlock(ctx, me.ID, other.ID, on, s.Now())
		if err != nil || !changed {
			return err
		}
		verb := VerbUnblock
		if on {
			verb = VerbBlock
			if err := s.part(ctx, tx, me, other); err != nil {
				return err
			}
		}
		if other.Local() {
			return nil
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: verb, Actor: me, Target: other, At: s.Now()})
	})
}

// part removes the follows between a member and another account, both ways.
func (s *Service) part(ctx context.Context, tx Tx, me, other *Account) error {
	if err := s.unfollow(ctx, tx, me, other); err != nil {
		return err
	}
	f, err := tx.Follow(ctx, other.ID, me.ID)
	if err != nil {
		return ignoreNotFound(err)
	}
	return s.answer(ctx, tx, me, other, f, false)
}

// Mute hides an account's posts and notifications from the reader alone.
func (s *Service) Mute(ctx context.Context, r Reader, id ID, on bool) (Relationship, error) {
	return s.relate(ctx, r, id, func(tx Tx, me, other *Account) error {
		_, err := tx.SetMute(ctx, me.ID, other.ID, on, s.Now())
		return err
	})
}

// accountLister is one of the storage's lists, with its cursors.
type accountLister func(Tx, context.Context, ID, Page) ([]*Account, []ID, error)

// Followers lists who follows an account; the second result are the cursors.
// Strangers get no names, only members here do.
func (s *Service) Followers(ctx context.Context, r Reader, id ID, p Page) ([]*Account, []ID, error) {
	return s.circle(ctx, r, id, p, Tx.Followers)
}

// Following lists whom an account follows.
func (s *Service) Following(ctx context.Context, r Reader, id ID, p Page) ([]*Account, []ID, error) {
	return s.circle(ctx, r, id, p, Tx.Following)
}

func (s *Service) circle(ctx context.Context, r Reader, id ID, p Page, list accountLister) (out []*Account, cursors []ID, err error) {
	if _, err := s.member(r); err != nil {
		return nil, nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err := s.account(ctx, tx, r, id)
		if err != nil || a.Local() && !s.ShowsCircle(r, a) {
			return err
		}
		out, cursors, err = s.listed(ctx, tx, r, id, p, list)
		return err
	})
	return out, cursors, err
}

// listed shows a page of accounts, as far as the reader may see them.
func (s *Service) listed(ctx context.Context, tx Tx, r Reader, id ID, p Page, list accountLister) ([]*Account, []ID, error) {
	type entry struct {
		account *Account
		cursor  ID
	}
	cursor := func(e entry) ID { return e.cursor }
	read := func(p Page) (out []entry, err error) {
		accounts, cursors, err := list(tx, ctx, id, p)
		for i, a := range accounts {
			out = append(out, entry{a, cursors[i]})
		}
		return out, err
	}
	show := func(in []entry) ([]entry, error) {
		return slices.DeleteFunc(slices.Clone(in), func(e entry) bool {
			// In which groups somebody is, is theirs to know.
			return s.mayShow(r, e.account) != nil || e.account.Kind == KindGroup && r.AccountID() != id
		}), nil
	}
	found, err := scan(p.Clamp(40, 80), read, show, cursor, cursor)
	out, cursors := make([]*Account, len(found)), make([]ID, len(found))
	for i, e := range found {
		out[i], cursors[i] = e.account, e.cursor
	}
	return out, cursors, err
}

// FollowRequests lists who waits for the reader's answer.
func (s *Service) FollowRequests(ctx context.Context, r Reader, p Page) ([]*Account, []ID, error) {
	return s.mine(ctx, r, p, Tx.FollowRequests)
}

// Blocked and Muted list the reader's own lists.
func (s *Service) Blocked(ctx context.Context, r Reader, p Page) ([]*Account, []ID, error) {
	return s.mine(ctx, r, p, Tx.Blocked)
}

// Muted lists whom the reader has muted.
func (s *Service) Muted(ctx context.Context, r Reader, p Page) ([]*Account, []ID, error) {
	return s.mine(ctx, r, p, Tx.Muted)
}

func (s *Service) mine(ctx context.Context, r Reader, p Page, list accountLister) (out []*Account, cursors []ID, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		out, cursors, err = s.listed(ctx, tx, r, me.ID, p, list)
		return err
	})
	return out, cursors, err
}

package social

import (
	"context"
	"slices"
	"strings"
)

// MaxLists is how many lists of people a member can have.
const MaxLists = 50

// RepliesPolicy says which answers a list shows, by the words of the Mastodon API.
// Answers to oneself, and to the list's owner, stand in every list.
type RepliesPolicy string

const (
	RepliesFollowed RepliesPolicy = "followed" // to anybody whom the owner follows
	RepliesList     RepliesPolicy = "list"     // to people of the list
	RepliesNone     RepliesPolicy = "none"
)

// List is some of the people whom a member follows: a part of the home timeline. Nobody
// else sees it. Who is followed no more counts no more.
type List struct {
	ID        ID
	OwnerID   ID
	Title     string
	Replies   RepliesPolicy
	Exclusive bool // what its people bring stands here alone, not in the home timeline
}

// ListChange sets what is not nil.
type ListChange struct {
	Title     *string
	Replies   *RepliesPolicy
	Exclusive *bool
}

// ListStore keeps lists of people.
type ListStore interface {
	List(ctx context.Context, id ID) (*List, error)
	ListsOf(ctx context.Context, owner ID) ([]*List, error)
	// ListsWith lists those of an owner's that an account is in.
	ListsWith(ctx context.Context, owner, account ID) ([]*List, error)
	// PutList inserts what has no id yet, else updates it.
	PutList(ctx context.Context, l *List) error
	DeleteList(ctx context.Context, id ID) error
	SetInList(ctx context.Context, list, account ID, on bool) error
	// ListMembers lists whom the owner follows of those in a list (second result: cursors).
	ListMembers(ctx context.Context, list ID, p Page) ([]*Account, []ID, error)
	// AmongListed tells which of the accounts are in a list.
	AmongListed(ctx context.Context, list ID, accounts []ID) (map[ID]bool, error)
	// IsApart says that an account whom the owner follows is in an exclusive list of the
	// owner's.
	IsApart(ctx context.Context, owner, account ID) (bool, error)
	// ListTimeline lists what a list's people wrote or shared of all that came to its owner.
	ListTimeline(ctx context.Context, l *List, p Page) ([]TimelineItem, error)
}

// ComesIn says that a post shows in the reader's home timeline, which it has reached, or
// in a list of the reader's.
func (s *Service) ComesIn(ctx context.Context, r Reader, list ID, p *Post) (shown bool, err error) {
	me, err := s.member(r)
	if err != nil {
		return false, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		var l *List
		if list == 0 {
			apart, err := tx.IsApart(ctx, me.ID, p.AuthorID)
			if err != nil || apart {
				return err
			}
		} else {
			if l, err = s.ownList(ctx, tx, r, list); err != nil {
				return ignoreNotFound(err)
			}
			in, err := tx.AmongListed(ctx, l.ID, []ID{p.AuthorID})
			if err != nil || !in[p.AuthorID] {
				return err
			}
		}
		kept, err := s.homely(ctx, tx, r, l, []*Post{p})
		shown = len(kept) == 1
		return err
	})
	return shown, err
}

// homely drops what a home timeline has and does not show, and with a list which answers
// that shows.
func (s *Service) homely(ctx context.Context, tx Tx, r Reader, l *List, posts []*Post) ([]*Post, error) {
	posts, err := s.withoutForeignReplies(ctx, tx, r, posts)
	if err != nil || l == nil || l.Replies == RepliesFollowed {
		return posts, err
	}
	var in map[ID]bool
	if l.Replies == RepliesList {
		var answered []ID
		for _, p := range posts {
			answered = append(answered, p.InReplyToAccountID)
		}
		if in, err = tx.AmongListed(ctx, l.ID, unique(answered)); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(posts, func(p *Post) bool {
		return p.InReplyToURI != "" && !p.concerns(l.OwnerID) && !in[p.InReplyToAccountID]
	}), nil
}

// Lists are the reader's own.
func (s *Service) Lists(ctx context.Context, r Reader) (lists []*List, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		lists, err = tx.ListsOf(ctx, me.ID)
		return err
	})
	return lists, err
}

// ListsWith are those of the reader's own that somebody is in.
func (s *Service) ListsWith(ctx context.Context, r Reader, account ID) (lists []*List, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.account(ctx, tx, r, account); err != nil {
			return err
		}
		lists, err = tx.ListsWith(ctx, me.ID, account)
		return err
	})
	return lists, err
}

// List is one of the reader's own; everybody else's is missing.
func (s *Service) List(ctx context.Context, r Reader, id ID) (l *List, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		l, err = s.ownList(ctx, tx, r, id)
		return err
	})
	return l, err
}

// AmongListed tells who of some accounts stands in a list of the reader's.
func (s *Service) AmongListed(ctx context.Context, r Reader, id ID, accounts []ID) (in map[ID]bool, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.ownList(ctx, tx, r, id); err != nil {
			return err
		}
		in, err = tx.AmongListed(ctx, id, accounts)
		return err
	})
	return in, err
}

func (s *Service) ownList(ctx context.Context, tx Tx, r Reader, id ID) (*List, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	l, err := tx.List(ctx, id)
	if err == nil && l.OwnerID != me.ID {
		err = NotFoundError()
	}
	return l, err
}

// changeList takes what was chosen.
func (s *Service) changeList(l *List, c ListChange) error {
	if c.Title != nil {
		l.Title = strings.TrimSpace(s.Text.SanitizePlain(*c.Title, 100))
	}
	if l.Title == "" {
		return Errorf(Invalid, "the list needs a name")
	}
	if c.Replies != nil {
		if l.Replies = *c.Replies; !slices.Contains([]RepliesPolicy{RepliesFollowed, RepliesList, RepliesNone}, l.Replies) {
			return Errorf(Invalid, "replies_policy is followed, list or none")
		}
	}
	setBool(&l.Exclusive, c.Exclusive)
	return nil
}

// CreateList makes a list.
func (s *Service) CreateList(ctx context.Context, r Reader, c ListChange) (*List, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	var l *List
	err = s.Store.Tx(ctx, func(tx Tx) error {
		l = &List{OwnerID: me.ID, Replies: RepliesList}
		if err := s.changeList(l, c); err != nil {
			return err
		}
		had, err := tx.ListsOf(ctx, me.ID)
		if err != nil {
			return err
		}
		if len(had) >= MaxLists {
			return Errorf(Invalid, "at most %d lists; delete one first", MaxLists)
		}
		return tx.PutList(ctx, l)
	})
	return l, err
}

// ChangeList gives one of the reader's own another name, or lets it show more or less.
func (s *Service) ChangeList(ctx context.Context, r Reader, id ID, c ListChange) (l *List, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if l, err = s.ownList(ctx, tx, r, id); err != nil {
			return err
		}
		if err := s.changeList(l, c); err != nil {
			return err
		}
		return tx.PutList(ctx, l)
	})
	return l, err
}

// DeleteList removes one of the reader's own; whom they follow stays.
func (s *Service) DeleteList(ctx context.Context, r Reader, id ID) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if _, err := s.ownList(ctx, tx, r, id); err != nil {
			return err
		}
		return tx.DeleteList(ctx, id)
	})
}

// deleteLists removes all that a member has.
func (s *Service) deleteLists(ctx context.Context, tx Tx, owner ID) error {
	lists, err := tx.ListsOf(ctx, owner)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if err := tx.DeleteList(ctx, l.ID); err != nil {
			return err
		}
	}
	return nil
}

// SetInList puts people whom the reader follows into a list, or takes them out.
func (s *Service) SetInList(ctx context.Context, r Reader, id ID, accounts []ID, on bool) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		l, err := s.ownList(ctx, tx, r, id)
		if err != nil {
			return err
		}
		for _, who := range accounts {
			if on {
				if err := s.mayList(ctx, tx, r, l, who); err != nil {
					return err
				}
			}
			if err := tx.SetInList(ctx, id, who, on); err != nil {
				return err
			}
		}
		return nil
	})
}

// mayList says that somebody can stand in a list: a person whom its owner follows.
func (s *Service) mayList(ctx context.Context, tx Tx, r Reader, l *List, who ID) error {
	a, err := s.account(ctx, tx, r, who)
	if err != nil {
		return err
	}
	f, err := tx.Follow(ctx, l.OwnerID, who)
	if ignoreNotFound(err) != nil {
		return err
	}
	if a.Kind == KindGroup || f == nil || f.State != FollowAccepted {
		return Errorf(Invalid, "only people whom you follow can stand in a list")
	}
	return nil
}

// ListMembers lists who stands in one of the reader's own.
func (s *Service) ListMembers(ctx context.Context, r Reader, id ID, p Page) (out []*Account, cursors []ID, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.ownList(ctx, tx, r, id); err != nil {
			return err
		}
		out, cursors, err = s.listed(ctx, tx, r, id, p, Tx.ListMembers)
		return err
	})
	return out, cursors, err
}

// ListTimeline is what the people of a list wrote and shared, as far as the reader's home
// timeline has it: newest arrival first.
func (s *Service) ListTimeline(ctx context.Context, r Reader, id ID, p Page) (views []*PostView, err error) {
	r.Place = InHome
	err = s.Store.View(ctx, func(tx Tx) error {
		l, err := s.ownList(ctx, tx, r, id)
		if err != nil {
			return err
		}
		if p, err = atPosts(ctx, tx, l.OwnerID, p); err != nil {
			return err
		}
		read := func(p Page) ([]TimelineItem, error) { return tx.ListTimeline(ctx, l, p) }
		show := func(items []TimelineItem) ([]*PostView, error) { return s.timelineViews(ctx, tx, r, l, items) }
		views, err = scan(p.Clamp(defaultPage, maxPage), read, show, func(it TimelineItem) ID { return it.ID }, place)
		return err
	})
	return views, err
}

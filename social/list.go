package social

import (
	"context"
	"slices"
	"strings"
)

// MaxLists is how many lists of people a member can have.
const MaxLists = 50

// List is some of the people whom a member follows: a part of the home timeline. Nobody
// else sees it. Who is followed no more counts no more.
type List struct {
	ID      ID
	OwnerID ID
	Title   string
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
	// ListTimeline lists the part of the owner's home timeline that a list's people wrote
	// or shared.
	ListTimeline(ctx context.Context, l *List, p Page) ([]TimelineItem, error)
}

// InList says that somebody is in a list of the reader's.
func (s *Service) InList(ctx context.Context, r Reader, list, account ID) (in bool, err error) {
	me, err := s.member(r)
	if err != nil {
		return false, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		lists, err := tx.ListsWith(ctx, me.ID, account)
		in = slices.ContainsFunc(lists, func(l *List) bool { return l.ID == list })
		return err
	})
	return in, err
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

func (s *Service) listTitle(title string) (string, error) {
	title = strings.TrimSpace(s.Text.SanitizePlain(title, 100))
	if title == "" {
		return "", Errorf(Invalid, "the list needs a name")
	}
	return title, nil
}

// CreateList makes a list.
func (s *Service) CreateList(ctx context.Context, r Reader, title string) (*List, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	if title, err = s.listTitle(title); err != nil {
		return nil, err
	}
	var l *List
	err = s.Store.Tx(ctx, func(tx Tx) error {
		had, err := tx.ListsOf(ctx, me.ID)
		if err != nil {
			return err
		}
		if len(had) >= MaxLists {
			return Errorf(Invalid, "at most %d lists; delete one first", MaxLists)
		}
		l = &List{OwnerID: me.ID, Title: title}
		return tx.PutList(ctx, l)
	})
	return l, err
}

// RenameList gives one of the reader's own another name.
func (s *Service) RenameList(ctx context.Context, r Reader, id ID, title string) (l *List, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if l, err = s.ownList(ctx, tx, r, id); err != nil {
			return err
		}
		if l.Title, err = s.listTitle(title); err != nil {
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
		show := func(items []TimelineItem) ([]*PostView, error) { return s.timelineViews(ctx, tx, r, items) }
		views, err = scan(p.Clamp(defaultPage, maxPage), read, show, func(it TimelineItem) ID { return it.ID }, place)
		return err
	})
	return views, err
}

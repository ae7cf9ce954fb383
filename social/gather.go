package social

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NotificationFilter says which of a member's notifications are meant: all that the member's
// policy does not hold back, if it says nothing.
type NotificationFilter struct {
	Kinds   []NotificationKind // only these
	Exclude []NotificationKind
	Answers Answers
	FromID  ID   // only what this account did
	Held    bool // also what the policy holds back
	// Together are the kinds of which what is alike counts as one, which stands where the
	// newest does; none in a list of single ones.
	Together []NotificationKind
	Alike    *Alike // only those of one group
}

// Answers says what a list has of the mentions in answers to posts of the member's own.
type Answers string

const (
	AnswersToo  Answers = ""
	AnswersOnly Answers = "only" // of the mentions; other kinds stay
	AnswersNot  Answers = "not"
)

// Gathered are the kinds of which several stand together.
func Gathered() []NotificationKind {
	return []NotificationKind{NotifyFavourite, NotifyReblog, NotifyFollow}
}

// GatherSpan is how far apart, in ids, notifications of one group can be: a day by UTC, so
// that a working day stays in one.
const GatherSpan = ID(24*time.Hour/time.Millisecond) << idRandomBits

// Alike is a group of notifications: of one kind, about one post, within one day; or a
// single one, of any kind.
type Alike struct {
	Kind        NotificationKind // "" for a single one
	PostID      ID
	First, Last ID // the ids that it can have
}

// alike is the group that a notification belongs to, if its kind is among together.
func (n *Notification) alike(together []NotificationKind) Alike {
	if !slices.Contains(together, n.Kind) {
		return Alike{First: n.ID, Last: n.ID}
	}
	first := n.ID / GatherSpan * GatherSpan
	return Alike{Kind: n.Kind, PostID: n.PostID, First: first, Last: first + GatherSpan - 1}
}

// GroupKey names the group that a notification belongs to, where all that can be is put
// together.
func (n *Notification) GroupKey() string { return n.alike(Gathered()).key() }

const single = "ungrouped"

func (a Alike) key() string {
	if a.Kind == "" {
		return single + "-" + a.First.String()
	}
	return string(a.Kind) + "-" + a.PostID.String() + "-" + (a.First / GatherSpan).String()
}

// parseAlike reads what key wrote; anything else is NotFound, as with ids.
func parseAlike(key string) (*Alike, error) {
	kind, rest, _ := strings.Cut(key, "-")
	number := func(s string) ID {
		n, _ := strconv.ParseInt(s, 10, 64) // what is no number has another key
		return ID(n)
	}
	a := Alike{First: number(rest), Last: number(rest)}
	if kind != single {
		post, day, _ := strings.Cut(rest, "-")
		a = (&Notification{ID: number(day) * GatherSpan, Kind: NotificationKind(kind), PostID: number(post)}).alike(Gathered())
	}
	if a.First < 0 || a.Last < 0 || a.key() != key {
		return nil, NotFoundError()
	}
	return &a, nil
}

// NotificationGroup are notifications that stand together, as their member sees them.
type NotificationGroup struct {
	Key    string
	Newest *NotificationView
	Count  int
	Oldest ID         // of those that stand on the page
	From   []*Account // who did it, the newest first, at most GatherNames
}

// GatherNames is how many names a group tells.
const GatherNames = 8

// GroupFacts is what is known of a group beside its newest notification.
type GroupFacts struct {
	Count  int
	Oldest ID
	From   []ID // the newest first
}

// NotificationGroups lists what happened to a member, newest first, with what is alike put
// together. Each group stands on one page only, where its newest notification does, and
// cursors are the ids of those.
func (s *Service) NotificationGroups(ctx context.Context, r Reader, p Page, f NotificationFilter) (groups []*NotificationGroup, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		views, err := s.told(ctx, tx, me, r, p.Clamp(maxPage, 80), f)
		if err != nil {
			return err
		}
		groups, err = s.gather(ctx, tx, me, views, f)
		return err
	})
	return groups, err
}

func (s *Service) gather(ctx context.Context, tx Tx, me *Account, newest []*NotificationView, f NotificationFilter) ([]*NotificationGroup, error) {
	groups := make([]*NotificationGroup, 0, len(newest))
	var several, names []ID
	for _, v := range newest {
		n := v.Notification
		groups = append(groups, &NotificationGroup{Key: n.alike(f.Together).key(), Newest: v, Count: 1, Oldest: n.ID, From: []*Account{v.From}})
		if slices.Contains(f.Together, n.Kind) {
			several = append(several, n.ID)
		}
	}
	if len(several) == 0 {
		return groups, nil
	}
	facts, err := tx.GroupFacts(ctx, me.ID, several, f, newest[len(newest)-1].Notification.ID, GatherNames)
	if err != nil {
		return nil, err
	}
	for _, g := range facts {
		names = append(names, g.From...)
	}
	accounts, err := tx.Accounts(ctx, unique(names))
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		known, ok := facts[g.Newest.Notification.ID]
		if !ok {
			continue
		}
		g.Count, g.Oldest, g.From = known.Count, known.Oldest, nil
		for _, id := range known.From {
			if a := accounts[id]; a != nil {
				g.From = append(g.From, a)
			}
		}
	}
	return groups, nil
}

// NotificationGroup shows one of the reader's own, by its key.
func (s *Service) NotificationGroup(ctx context.Context, r Reader, key string, held bool) (*NotificationGroup, error) {
	alike, err := parseAlike(key)
	if err != nil {
		return nil, err
	}
	groups, err := s.NotificationGroups(ctx, r, Page{Limit: 1}, NotificationFilter{Alike: alike, Held: held, Together: alike.together()})
	if err == nil && len(groups) == 0 {
		err = NotFoundError()
	}
	if err != nil {
		return nil, err
	}
	return groups[0], nil
}

// together keeps a single one single, of whatever kind it is.
func (a *Alike) together() []NotificationKind {
	if a.Kind == "" {
		return nil
	}
	return Gathered()
}

// NotificationGroupAccounts lists who did what a group of the reader's own tells, the newest
// first; cursors are the ids of the notifications.
func (s *Service) NotificationGroupAccounts(ctx context.Context, r Reader, key string, p Page, held bool) ([]*Account, error) {
	alike, err := parseAlike(key)
	if err != nil {
		return nil, err
	}
	views, err := s.Notifications(ctx, r, p, NotificationFilter{Alike: alike, Held: held})
	if err == nil && len(views) == 0 && p.Max|p.Since|p.Min == 0 {
		err = NotFoundError()
	}
	var people []*Account
	for _, v := range views {
		people = append(people, v.From)
	}
	return people, err
}

// ClearNotificationGroup removes one of the reader's own.
func (s *Service) ClearNotificationGroup(ctx context.Context, r Reader, key string) error {
	alike, err := parseAlike(key)
	if err != nil {
		return err
	}
	return s.clear(ctx, r, NotificationFilter{Alike: alike, Held: alike.Kind == ""})
}

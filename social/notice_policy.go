package social

import (
	"context"
	"slices"
	"time"
)

// NoticeVerdict is what becomes of a notification. The words are those of the Mastodon API.
type NoticeVerdict string

const (
	NoticeAccept NoticeVerdict = ""       // it is told
	NoticeFilter NoticeVerdict = "filter" // it is held back until its member answers the request
	NoticeDrop   NoticeVerdict = "drop"   // there is none
)

// NoticePolicy is whom a member does not want to hear of; the strictest of what applies
// counts. At first everybody is heard.
type NoticePolicy struct {
	NotFollowing    NoticeVerdict `json:",omitempty"` // whom the member does not follow
	NotFollowers    NoticeVerdict `json:",omitempty"` // who does not follow the member
	NewAccounts     NoticeVerdict `json:",omitempty"` // who is not there for newAccount yet
	PrivateMentions NoticeVerdict `json:",omitempty"` // who writes to the member unasked, of those not followed
	LimitedAccounts NoticeVerdict `json:",omitempty"` // whom a moderator limits; nobody is limited here
}

// newAccount is how long an account counts as new.
const newAccount = 30 * 24 * time.Hour

// weighed are the kinds that a policy can hold back: what others do unasked.
var weighed = []NotificationKind{NotifyMention, NotifyFavourite, NotifyReblog, NotifyFollow, NotifyFollowRequest}

// OptionalKinds are those that a member can do without, in the order in which they are
// offered: what wants no answer.
func OptionalKinds() []NotificationKind {
	return []NotificationKind{NotifyFavourite, NotifyReblog, NotifyFollow, NotifyUpdate, NotifyPoll}
}

// NotificationRequest is somebody of whom a member's policy holds something back. Its id is
// that of the account.
type NotificationRequest struct {
	From          *Account
	Count         int
	First, Newest ID        // notifications
	Post          *PostView // the newest that one of them speaks of; nil for none
}

// HeldFrom is a request as it is kept.
type HeldFrom struct {
	FromID        ID
	Count         int
	First, Newest ID
	PostID        ID
}

// NoticePolicyStore keeps what policies hold back.
type NoticePolicyStore interface {
	// HeldFrom lists by whom something is held back for an account, the newest first; only
	// one of them if from is not zero. Cursors are the newest of each.
	HeldFrom(ctx context.Context, account, from ID, p Page) ([]HeldFrom, error)
	// CountHeld counts by how many, and how much.
	CountHeld(ctx context.Context, account ID) (requests, notifications int, err error)
	// AcceptHeld tells what is held back of some, who are heard from then on; DropHeld
	// removes it. Both answer how many notifications that were.
	AcceptHeld(ctx context.Context, account ID, from []ID) (int64, error)
	DropHeld(ctx context.Context, account ID, from []ID) (int64, error)
	// Heard says that somebody is heard whatever the policy says.
	Heard(ctx context.Context, account, from ID) (bool, error)
}

// weigh says what becomes of a notification by its member's policy.
func (s *Service) weigh(ctx context.Context, tx Tx, owner, from *Account, kind NotificationKind, p *Post) (NoticeVerdict, error) {
	policy := owner.Notices
	staff := from.Local() && (from.Role == RoleAdmin || from.Role == RoleModerator)
	if policy == (NoticePolicy{}) || staff || !slices.Contains(weighed, kind) {
		return NoticeAccept, nil
	}
	if heard, err := tx.Heard(ctx, owner.ID, from.ID); err != nil || heard {
		return NoticeAccept, err
	}
	follows := func(who, whom ID) (bool, error) {
		f, err := tx.Follow(ctx, who, whom)
		return err == nil && f.State == FollowAccepted, ignoreNotFound(err)
	}
	following, err := follows(owner.ID, from.ID)
	if err != nil {
		return NoticeAccept, err
	}
	followed, err := follows(from.ID, owner.ID)
	if err != nil {
		return NoticeAccept, err
	}
	unasked, err := s.unasked(ctx, tx, owner, kind, p)
	if err != nil {
		return NoticeAccept, err
	}
	since := from.CreatedAt
	if since.IsZero() {
		since = from.ID.Time()
	}
	said := map[NoticeVerdict]bool{}
	for _, rule := range []struct {
		applies bool
		verdict NoticeVerdict
	}{
		{!following, policy.NotFollowing},
		{!followed, policy.NotFollowers},
		{s.Now().Sub(since) < newAccount, policy.NewAccounts},
		{!following && unasked, policy.PrivateMentions},
	} {
		said[rule.verdict] = said[rule.verdict] || rule.applies
	}
	switch {
	case said[NoticeDrop]:
		return NoticeDrop, nil
	case said[NoticeFilter]:
		return NoticeFilter, nil
	}
	return NoticeAccept, nil
}

// unasked says that a post is for its readers by name, and answers nothing that the member
// wrote in that way.
func (s *Service) unasked(ctx context.Context, tx Tx, owner *Account, kind NotificationKind, p *Post) (bool, error) {
	if kind != NotifyMention || p == nil || p.Audience.Kind != AudienceDirect {
		return false, nil
	}
	if p.InReplyToID == 0 {
		return true, nil
	}
	before, err := tx.Post(ctx, p.InReplyToID)
	if err != nil {
		return true, ignoreNotFound(err)
	}
	return before.AuthorID != owner.ID || before.Audience.Kind != AudienceDirect, nil
}

// NoticePolicy is the reader's own, with how many requests wait and how many notifications.
func (s *Service) NoticePolicy(ctx context.Context, r Reader) (policy NoticePolicy, requests, notifications int, err error) {
	me, err := s.member(r)
	if err != nil {
		return policy, 0, 0, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, me.ID)
		if err != nil {
			return err
		}
		policy = a.Notices
		requests, notifications, err = tx.CountHeld(ctx, me.ID)
		return err
	})
	return policy, requests, notifications, err
}

// SetNoticePolicy changes the reader's own, for what happens from now on.
func (s *Service) SetNoticePolicy(ctx context.Context, r Reader, change func(*NoticePolicy)) error {
	return s.changeOwn(ctx, r, func(a *Account) { change(&a.Notices) })
}

// SetUnwanted says of which of the OptionalKinds the reader does not want to hear, from now on.
func (s *Service) SetUnwanted(ctx context.Context, r Reader, kinds []NotificationKind) error {
	unwanted := slices.DeleteFunc(OptionalKinds(), func(k NotificationKind) bool { return !slices.Contains(kinds, k) })
	return s.changeOwn(ctx, r, func(a *Account) { a.Unwanted = unwanted })
}

// NotificationRequests lists by whom the reader's policy holds something back, newest first;
// cursors are the newest notifications of each.
func (s *Service) NotificationRequests(ctx context.Context, r Reader, p Page) ([]*NotificationRequest, error) {
	return s.requests(ctx, r, 0, p)
}

// NotificationRequest is one of them.
func (s *Service) NotificationRequest(ctx context.Context, r Reader, from ID) (*NotificationRequest, error) {
	list, err := s.requests(ctx, r, from, Page{Limit: 1})
	if err == nil && len(list) == 0 {
		err = NotFoundError()
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (s *Service) requests(ctx context.Context, r Reader, from ID, p Page) (list []*NotificationRequest, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	r.Place = InNotifications
	err = s.Store.View(ctx, func(tx Tx) error {
		read := func(p Page) ([]HeldFrom, error) { return tx.HeldFrom(ctx, me.ID, from, p) }
		show := func(held []HeldFrom) ([]*NotificationRequest, error) { return s.requestViews(ctx, tx, r, held) }
		list, err = scan(p.Clamp(maxPage, 80), read, show, func(h HeldFrom) ID { return h.Newest }, func(q *NotificationRequest) ID { return q.Newest })
		return err
	})
	return list, err
}

func (s *Service) requestViews(ctx context.Context, tx Tx, r Reader, held []HeldFrom) ([]*NotificationRequest, error) {
	var from, about []ID
	for _, h := range held {
		from = append(from, h.FromID)
		if h.PostID != 0 {
			about = append(about, h.PostID)
		}
	}
	accounts, err := tx.Accounts(ctx, from)
	if err != nil {
		return nil, err
	}
	posts, err := s.seen(ctx, tx, r, about)
	if err != nil {
		return nil, err
	}
	away, err := keptAway(ctx, tx, r.AccountID(), accounts)
	if err != nil {
		return nil, err
	}
	blocks, err := tx.Blocks(ctx, r.AccountID(), from)
	if err != nil {
		return nil, err
	}
	var out []*NotificationRequest
	for _, h := range held {
		a, b := accounts[h.FromID], blocks[h.FromID]
		if a != nil && a.Shown() && !away[h.FromID] && !b.Blocking && !b.BlockedBy {
			out = append(out, &NotificationRequest{From: a, Count: h.Count, First: h.First, Newest: h.Newest, Post: posts[h.PostID]})
		}
	}
	return out, nil
}

// AnswerNotificationRequests lets the reader hear of some what was held back, and all that
// they do from now on, or puts it away; who asks for nothing is passed over.
func (s *Service) AnswerNotificationRequests(ctx context.Context, r Reader, from []ID, accept bool) (n int64, err error) {
	me, err := s.member(r)
	if err != nil {
		return 0, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if accept {
			n, err = tx.AcceptHeld(ctx, me.ID, from)
		} else {
			n, err = tx.DropHeld(ctx, me.ID, from)
		}
		return err
	})
	return n, err
}

package social

import (
	"context"
	"crypto/ecdh"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/queue"
)

// PushJob is the kind of the jobs that tell a browser or an app of a notification: Ref
// is its id (zero for a first greeting), Target the id of the subscription.
const PushJob = "push"

// PushFor is how long a notification is worth telling of.
const PushFor = 24 * time.Hour

// PushSubscription is a browser or an app that is told of its member's notifications
// while it is not open (RFC 8030). It ends with the session or token it belongs to.
type PushSubscription struct {
	ID        ID
	AccountID ID
	SessionID ID // of a browser, or
	TokenID   ID // of an app
	Endpoint  string
	PublicKey []byte // P-256, uncompressed (RFC 8291 2.1)
	Secret    []byte // 16 bytes (RFC 8291 3.2)
	Kinds     []NotificationKind
	Senders   PushSenders
	CreatedAt time.Time
}

// PushSenders says whose doings are told.
type PushSenders string

// The policies of the Mastodon API.
const (
	PushAll      PushSenders = "all"
	PushFollowed PushSenders = "followed" // those whom the member follows
	PushFollower PushSenders = "follower" // those who follow the member
	PushNone     PushSenders = "none"
)

// PushKinds are the notifications that can be told, in the order in which they are offered.
func PushKinds() []NotificationKind {
	return []NotificationKind{NotifyMention, NotifyFollow, NotifyFollowRequest, NotifyFavourite, NotifyReblog, NotifyPoll, NotifyUpdate, NotifyReport, NotifyUnsent, NotifyReminder}
}

// PushStore keeps subscriptions.
type PushStore interface {
	// PutPush inserts one in the place of what its session or token has.
	PutPush(ctx context.Context, p *PushSubscription) error
	// SetPush changes what is told to one.
	SetPush(ctx context.Context, id ID, kinds []NotificationKind, senders PushSenders) error
	Push(ctx context.Context, id ID) (*PushSubscription, error)
	// PushOf finds that of a session or token; the other is zero.
	PushOf(ctx context.Context, session, token ID) (*PushSubscription, error)
	// Pushes lists an account's whose session has not ended.
	Pushes(ctx context.Context, account ID, now time.Time) ([]*PushSubscription, error)
	DeletePush(ctx context.Context, id ID) error
}

const maxEndpoint = 2000

// check refuses what no push service made.
func (p *PushSubscription) check(origin string) error {
	u, err := url.Parse(p.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || len(p.Endpoint) > maxEndpoint {
		return Errorf(Invalid, "this is not the address of a push service")
	}
	if scheme, _, _ := strings.Cut(origin, "://"); u.Scheme != scheme {
		return Errorf(Invalid, "notices need https: this server is tried out on one machine, where only %s is spoken", scheme)
	}
	if _, err := ecdh.P256().NewPublicKey(p.PublicKey); err != nil || len(p.Secret) != 16 {
		return Errorf(Invalid, "the keys of this push subscription are not valid")
	}
	return nil
}

// clean keeps the kinds that can be told, each once, and a policy that there is.
func (p *PushSubscription) clean() {
	p.Kinds = slices.DeleteFunc(PushKinds(), func(k NotificationKind) bool { return !slices.Contains(p.Kinds, k) })
	if !slices.Contains([]PushSenders{PushFollowed, PushFollower, PushNone}, p.Senders) {
		p.Senders = PushAll
	}
}

// SubscribePush lets a browser or an app of the reader be told; greet tells it so at once.
func (s *Service) SubscribePush(ctx context.Context, r Reader, p *PushSubscription, greet bool) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	if err := p.check(s.Links.PublicURL); err != nil {
		return err
	}
	p.clean()
	p.ID, p.AccountID, p.CreatedAt = NewID(s.Now()), me.ID, s.Now()
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := tx.PutPush(ctx, p); err != nil || !greet {
			return err
		}
		return tx.AddJobs(ctx, []queue.Job{p.job(0)})
	})
}

// job tells of a notification. Its host is the push service: while that is down, none of
// its jobs is tried.
func (p *PushSubscription) job(notification ID) queue.Job {
	host := ""
	if u, err := url.Parse(p.Endpoint); err == nil {
		host = strings.ToLower(u.Host)
	}
	return queue.Job{Kind: PushJob, Host: host, Ref: int64(notification), Target: p.ID.String()}
}

// PushSubscription is what a session or token of the reader's has subscribed to; the
// other is zero.
func (s *Service) PushSubscription(ctx context.Context, r Reader, session, token ID) (p *PushSubscription, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err = s.pushOf(ctx, tx, me, session, token)
		return err
	})
	return p, err
}

func (s *Service) pushOf(ctx context.Context, tx Tx, me *Account, session, token ID) (*PushSubscription, error) {
	p, err := tx.PushOf(ctx, session, token)
	if err == nil && p.AccountID != me.ID {
		err = NotFoundError()
	}
	return p, err
}

// ChangePush says anew what is told to a session or token of the reader's.
func (s *Service) ChangePush(ctx context.Context, r Reader, session, token ID, kinds []NotificationKind, senders PushSenders) (p *PushSubscription, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if p, err = s.pushOf(ctx, tx, me, session, token); err != nil {
			return err
		}
		p.Kinds, p.Senders = kinds, senders
		p.clean()
		return tx.SetPush(ctx, p.ID, p.Kinds, p.Senders)
	})
	return p, err
}

// EndPush tells a session or token of the reader's nothing any more.
func (s *Service) EndPush(ctx context.Context, r Reader, session, token ID) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.pushOf(ctx, tx, me, session, token)
		if err != nil {
			return ignoreNotFound(err)
		}
		return tx.DeletePush(ctx, p.ID)
	})
}

// ForgetPush removes a subscription that its push service does not know any more.
func (s *Service) ForgetPush(ctx context.Context, id ID) error {
	return s.Store.Tx(ctx, func(tx Tx) error { return tx.DeletePush(ctx, id) })
}

// orderPushes has the member's browsers and apps told of a notification.
func (s *Service) orderPushes(ctx context.Context, tx Tx, n *Notification) error {
	all, err := tx.Pushes(ctx, n.AccountID, s.Now())
	if err != nil {
		return err
	}
	var jobs []queue.Job
	for _, p := range all {
		if p.Senders != PushNone && slices.Contains(p.Kinds, n.Kind) {
			jobs = append(jobs, p.job(n.ID))
		}
	}
	return tx.AddJobs(ctx, jobs)
}

// Push is what may be told now.
type Push struct {
	Subscription *PushSubscription
	Member       *Account
	Notification *Notification // nil for the first greeting
}

// DuePush answers what a job is about to tell. It asks everything again: whether the
// session or token still stands and its member may sign in, whether the notification can
// still be seen and is not read yet. What is not to be told any more is NotFound.
func (s *Service) DuePush(ctx context.Context, j queue.Job) (*Push, error) {
	id, err := strconv.ParseInt(j.Target, 10, 64)
	if err != nil {
		return nil, NotFoundError()
	}
	var due Push
	err = s.Store.View(ctx, func(tx Tx) error {
		if due.Subscription, err = tx.Push(ctx, ID(id)); err != nil {
			return err
		}
		standing, err := tx.Pushes(ctx, due.Subscription.AccountID, s.Now())
		if err != nil {
			return err
		}
		due.Member, err = tx.Account(ctx, due.Subscription.AccountID)
		if err != nil {
			return err
		}
		if !due.Member.Active() || !slices.ContainsFunc(standing, func(p *PushSubscription) bool { return p.ID == due.Subscription.ID }) {
			return NotFoundError()
		}
		return nil
	})
	if err != nil || j.Ref == 0 {
		return &due, err
	}
	v, err := s.Notification(ctx, Member(due.Member, s.home), ID(j.Ref))
	if err != nil {
		return nil, err
	}
	due.Notification = v.Notification
	wanted, err := s.wantsPush(ctx, &due)
	if err != nil {
		return nil, err
	}
	if !wanted || !v.Notification.ReadAt.IsZero() || s.Now().Sub(v.Notification.CreatedAt) > PushFor {
		return nil, NotFoundError()
	}
	return &due, nil
}

// wantsPush says that a subscription wants to be told of somebody's doings.
func (s *Service) wantsPush(ctx context.Context, due *Push) (wanted bool, err error) {
	me, from := due.Member.ID, due.Notification.FromID
	switch due.Subscription.Senders {
	case PushAll:
		return true, nil
	case PushFollowed:
	case PushFollower:
		me, from = from, me
	default:
		return false, nil
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		f, err := tx.Follow(ctx, me, from)
		wanted = err == nil && f.State == FollowAccepted
		return ignoreNotFound(err)
	})
	return wanted, err
}

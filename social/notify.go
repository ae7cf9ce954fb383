package social

import "context"

// Notifications lists what happened to a member, newest first. What speaks of a
// post that the member may not see any more is left out.
func (s *Service) Notifications(ctx context.Context, r Reader, p Page, f NotificationFilter) (views []*NotificationView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		views, err = s.told(ctx, tx, me, r, p.Clamp(defaultPage, 80), f)
		return err
	})
	return views, err
}

func (s *Service) told(ctx context.Context, tx Tx, me *Account, r Reader, p Page, f NotificationFilter) ([]*NotificationView, error) {
	r.Place = InNotifications
	read := func(p Page) ([]*Notification, error) { return tx.Notifications(ctx, me.ID, p, f) }
	show := func(list []*Notification) ([]*NotificationView, error) { return s.notificationViews(ctx, tx, r, list) }
	return scan(p, read, show, func(n *Notification) ID { return n.ID }, func(v *NotificationView) ID { return v.Notification.ID })
}

func (s *Service) notificationViews(ctx context.Context, tx Tx, r Reader, list []*Notification) ([]*NotificationView, error) {
	var from, ids []ID
	for _, n := range list {
		from = append(from, n.FromID)
		if n.PostID != 0 {
			ids = append(ids, n.PostID)
		}
	}
	accounts, err := tx.Accounts(ctx, unique(from))
	if err != nil {
		return nil, err
	}
	byID, err := s.seen(ctx, tx, r, ids)
	if err != nil {
		return nil, err
	}
	away, err := keptAway(ctx, tx, r.AccountID(), accounts)
	if err != nil {
		return nil, err
	}
	var out []*NotificationView
	for _, n := range list {
		v := &NotificationView{Notification: n, From: accounts[n.FromID], Post: byID[n.PostID]}
		if v.From == nil || !v.From.Shown() || away[n.FromID] || n.PostID != 0 && v.Post == nil {
			continue
		}
		out = append(out, v)
	}
	return out, nil
}

// seen are those of some posts that the reader may see.
func (s *Service) seen(ctx context.Context, tx Tx, r Reader, ids []ID) (map[ID]*PostView, error) {
	found, err := tx.Posts(ctx, unique(ids))
	if err != nil {
		return nil, err
	}
	posts := make([]*Post, 0, len(found))
	for _, p := range found {
		posts = append(posts, p)
	}
	if posts, err = s.Visible(ctx, tx, r, posts); err != nil {
		return nil, err
	}
	views, err := s.views(ctx, tx, r, posts)
	byID := make(map[ID]*PostView, len(views))
	for _, v := range views {
		byID[v.Post.ID] = v
	}
	return byID, err
}

// Notification shows one of the reader's own.
func (s *Service) Notification(ctx context.Context, r Reader, id ID) (v *NotificationView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		n, err := tx.Notification(ctx, me.ID, id)
		if err != nil {
			return err
		}
		views, err := s.notificationViews(ctx, tx, r, []*Notification{n})
		if err != nil {
			return err
		}
		if len(views) == 0 {
			return NotFoundError()
		}
		v = views[0]
		return nil
	})
	return v, err
}

// ClearNotifications removes one of the reader's own; with id zero all but those that the
// reader's policy holds back, who ask for an answer.
func (s *Service) ClearNotifications(ctx context.Context, r Reader, id ID) error {
	if id == 0 {
		return s.clear(ctx, r, NotificationFilter{})
	}
	return s.clear(ctx, r, NotificationFilter{Alike: &Alike{First: id, Last: id}, Held: true})
}

func (s *Service) clear(ctx context.Context, r Reader, f NotificationFilter) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error { return tx.DeleteNotifications(ctx, me.ID, f) })
}

// MostUnread is as far as unread notifications are counted.
const MostUnread = 1000

// Unread counts what the reader has not read, up to most. What is put together is one, and
// unread while its newest is.
func (s *Service) Unread(ctx context.Context, r Reader, f NotificationFilter, most int) (n int, err error) {
	me, err := s.member(r)
	if err != nil {
		return 0, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		n, err = tx.CountUnread(ctx, me.ID, f, min(most, MostUnread))
		return err
	})
	return n, err
}

// MarkRead marks everything up to a notification as read.
func (s *Service) MarkRead(ctx context.Context, r Reader, upTo ID) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error { return tx.MarkRead(ctx, me.ID, upTo, s.Now()) })
}

// Report complains about an account. Administrators and moderators here are
// notified; with forward, the account's own server is told too, in the name of
// this instance.
func (s *Service) Report(ctx context.Context, r Reader, target ID, posts []ID, comment string, forward bool) (*Report, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	if len(posts) > maxReported {
		return nil, Errorf(Invalid, "a report names %d posts at most", maxReported)
	}
	report := &Report{ID: NewID(s.Now()), FromID: me.ID, TargetID: target,
		Comment: clip(comment, 1000), Forward: forward, CreatedAt: s.Now()}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		accused, err := s.account(ctx, tx, r, target)
		if err != nil {
			return err
		}
		found, err := tx.Posts(ctx, unique(posts))
		if err != nil {
			return err
		}
		var named []*Post
		for _, id := range unique(posts) {
			if p := found[id]; p != nil && p.AuthorID == target {
				named = append(named, p)
			}
		}
		if named, err = s.Visible(ctx, tx, r, named); err != nil {
			return err
		}
		report.PostIDs = nil
		for _, p := range named {
			report.PostIDs = append(report.PostIDs, p.ID)
		}
		if err := s.fileReport(ctx, tx, report, me); err != nil || !forward || accused.Local() {
			return err
		}
		actor, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
		if err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbReport, Actor: actor, Target: accused, Posts: named, Comment: report.Comment, At: s.Now()})
	})
	return report, err
}

// maxReported is how many posts a report names.
const maxReported = 50

// fileReport keeps a report and tells the staff.
func (s *Service) fileReport(ctx context.Context, tx Tx, r *Report, from *Account) error {
	if err := tx.InsertReport(ctx, r); err != nil {
		return err
	}
	staff, err := tx.Staff(ctx)
	if err != nil {
		return err
	}
	for _, m := range staff {
		if err := s.notify(ctx, tx, m.ID, NotifyReport, from, nil); err != nil {
			return err
		}
	}
	return nil
}

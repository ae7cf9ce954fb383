package social

import "context"

// What administrators look after. Whoever calls these has asked who it is; they show
// accounts whatever their state, and reports that nobody else reads.

// Reports lists complaints, the newest first.
func (s *Service) Reports(ctx context.Context, p Page) (list []*Report, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Reports(ctx, p)
		return err
	})
	return list, err
}

// OpenReports lists those that nobody dealt with yet, the newest first, and counts all
// of them.
func (s *Service) OpenReports(ctx context.Context, p Page) (list []*Report, n int, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if list, err = tx.OpenReports(ctx, p); err != nil {
			return err
		}
		n, err = tx.CountOpenReports(ctx)
		return err
	})
	return list, n, err
}

// Reported loads what reports name: the posts that the reader may see, and of all others
// who wrote them, when and for whom, without what they say.
func (s *Service) Reported(ctx context.Context, r Reader, list []*Report) (seen map[ID]*PostView, unseen map[ID]*Post, err error) {
	var ids []ID
	for _, one := range list {
		ids = append(ids, one.PostIDs...)
	}
	views, err := s.PostsByID(ctx, r, ids)
	if err != nil {
		return nil, nil, err
	}
	seen, unseen = map[ID]*PostView{}, map[ID]*Post{}
	for _, v := range views {
		seen[v.Post.ID] = v
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err := tx.Posts(ctx, unique(ids))
		for id, p := range found {
			if seen[id] == nil && !p.Deleted() {
				unseen[id] = &Post{ID: id, AuthorID: p.AuthorID, Audience: p.Audience, PublishedAt: p.PublishedAt}
			}
		}
		return err
	})
	return seen, unseen, err
}

// CloseReport says that a complaint was dealt with, and tells the member who made it; by
// is the administrator.
func (s *Service) CloseReport(ctx context.Context, id ID, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		report, err := tx.Report(ctx, id)
		if err != nil || !report.ClosedAt.IsZero() {
			return err
		}
		if err := tx.CloseReport(ctx, id, s.Now()); err != nil {
			return err
		}
		if from, err := tx.Account(ctx, report.FromID); err == nil && from.Local() {
			n := &Notification{AccountID: from.ID, Kind: NotifyReportClosed, FromID: from.ID, CreatedAt: s.Now()}
			if err := tx.RenewNotification(ctx, n); err != nil {
				return err
			}
			if err := s.announce(ctx, tx, n); err != nil {
				return err
			}
		} else if ignoreNotFound(err) != nil {
			return err
		}
		return tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditPolicy, Subject: id.String(), Rule: "report", Result: "closed", By: by})
	})
}

// Acts lists what administrators did, the newest first.
func (s *Service) Acts(ctx context.Context, p Page) (list []AuditRow, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Acts(ctx, p)
		return err
	})
	return list, err
}

// RefusedSends lists what rules kept from leaving, the newest first.
func (s *Service) RefusedSends(ctx context.Context, p Page) (list []AuditRow, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.RefusedSends(ctx, p)
		return err
	})
	return list, err
}

// CurrentRoster is the newest roster that this instance is in; nil for none.
func (s *Service) CurrentRoster(ctx context.Context) (r *Roster, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		r, err = s.Roster(ctx, tx)
		return err
	})
	return r, err
}

// AccountsByID finds accounts whatever their state, the missing left out.
func (s *Service) AccountsByID(ctx context.Context, ids []ID) (found map[ID]*Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err = tx.Accounts(ctx, ids)
		return err
	})
	return found, err
}

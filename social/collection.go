package social

import (
	"context"
	"time"
)

// CollectionStore reads what other servers are shown in pages.
type CollectionStore interface {
	// ThreadPage lists posts of a thread above page.Min, oldest first, without
	// boosts and tombstones.
	ThreadPage(ctx context.Context, thread ID, page Page) ([]*Post, error)
	// CountPosts counts an author's posts of some audiences, that no ceiling
	// bounds further than those.
	CountPosts(ctx context.Context, author ID, kinds []AudienceKind) (int, error)
	// BlockedAmong says which of the authorities an administrator has blocked,
	// themselves or by a parent domain.
	BlockedAmong(ctx context.Context, authorities []string) (map[string]bool, error)
}

// Scan collects a page of what the reader may see of a list. It answers where to
// go on, zero at the end; with page.Min set the list is oldest first, else newest
// first. The cursor is the last post shown: what is hidden is never named by it.
func (s *Service) Scan(ctx context.Context, tx Tx, r Reader, page Page, list func(Page) ([]*Post, error)) (shown []*Post, next ID, err error) {
	for range scanPages {
		posts, err := list(Page{Max: page.Max, Min: page.Min, Limit: page.Limit + 1})
		if err != nil {
			return nil, 0, err
		}
		more := len(posts) > page.Limit
		last := ID(0)
		if more {
			posts = posts[:page.Limit]
			last = posts[len(posts)-1].ID
		}
		visible, err := s.Visible(ctx, tx, r, posts)
		if err != nil {
			return nil, 0, err
		}
		for _, p := range visible {
			if len(shown) == page.Limit {
				return shown, shown[len(shown)-1].ID, nil
			}
			shown = append(shown, p)
		}
		switch {
		case !more:
			return shown, 0, nil
		case len(shown) == page.Limit:
			return shown, shown[len(shown)-1].ID, nil
		}
		next = blur(last, page.Min != 0)
		if page.Min != 0 {
			page.Min = last
		} else {
			page.Max = last
		}
	}
	return shown, next, nil
}

// blur turns the id of a post that may be hidden into a moment that skips nothing.
func blur(id ID, upward bool) ID {
	if upward {
		return FirstID(id.Time()) - 1
	}
	return FirstID(id.Time().Add(time.Millisecond))
}

// CouldSee says that the reader may see a post, or could before it was deleted.
func (s *Service) CouldSee(ctx context.Context, tx Tx, r Reader, p *Post) (bool, error) {
	last := *p
	last.DeletedAt = time.Time{}
	return s.VisibleTo(ctx, tx, r, &last)
}

// CircleKind is one of the two lists of people around an account.
type CircleKind string

const (
	CircleFollowers CircleKind = "followers" // who follows the account
	CircleFollowing CircleKind = "following" // whom it follows
)

// ShowsCircle says that the reader may know who follows a member and whom it
// follows, unless the member hides that: the company and its partners may, the
// world gets numbers only.
func (s *Service) ShowsCircle(r Reader, a *Account) bool {
	if a.HideNetwork {
		return r.Local() && r.Account.ID == a.ID
	}
	return r.Local() || r.Zone.Kind == ZoneCompany || r.Zone.Kind == ZonePartner
}

// CirclePage lists the people around a member that the reader may know of, and
// where to go on, zero at the end. A partner learns of members here and of its own
// people, not whom else we know; in which groups somebody is, nobody elsewhere does.
func (s *Service) CirclePage(ctx context.Context, tx Tx, r Reader, a *Account, kind CircleKind, page Page) ([]*Account, ID, error) {
	list := Tx.Followers
	if kind == CircleFollowing {
		list = Tx.Following
	}
	people, cursors, err := list(tx, ctx, a.ID, Page{Max: page.Max, Limit: page.Limit + 1})
	if err != nil {
		return nil, 0, err
	}
	next := ID(0)
	if len(people) > page.Limit {
		people, next = people[:page.Limit], cursors[page.Limit-1]
	}
	shown := make([]*Account, 0, len(people))
	for _, p := range people {
		if p.Active() && p.Kind != KindGroup && (r.Zone.Kind != ZonePartner || p.Local() || p.Authority == r.Peer) {
			shown = append(shown, p)
		}
	}
	return shown, next, nil
}

package social

import (
	"context"
	"errors"
	"strings"
)

// SearchOptions narrow a search.
type SearchOptions struct {
	Type      string // accounts, statuses, hashtags; "" all
	Resolve   bool   // ask other servers for a handle or address
	Limit     int
	Offset    int  // how many of each to pass over
	Following bool // only accounts that the reader follows
	Posts     Page // bounds what posts are looked at; its Limit counts for nothing
}

// SearchResult is what was found.
type SearchResult struct {
	Accounts []*Account
	Posts    []*PostView
	Tags     []string
}

// maxOffset bounds how far a search can be paged.
const maxOffset = 400

// Search finds people by name and posts by their words (see FindPosts), and with an address or a full handle exactly what
// that stands for, also on other servers.
func (s *Service) Search(ctx context.Context, r Reader, q string, o SearchOptions) (res SearchResult, err error) {
	q = clip(strings.TrimSpace(q), 500)
	if q == "" {
		return res, nil
	}
	if o.Limit <= 0 || o.Limit > maxPage {
		o.Limit = defaultPage
	}
	if o.Offset < 0 || o.Offset > maxOffset {
		return res, nil
	}
	if exact := strings.Contains(strings.TrimPrefix(q, "@"), "@") || strings.Contains(q, "://"); exact && o.Offset > 0 {
		return res, nil // there was one at most
	}
	if strings.HasPrefix(q, "https://") || strings.HasPrefix(q, "http://") {
		return s.searchURL(ctx, r, q, o)
	}
	narrowed := filters.MatchString(q)
	if (o.Type == "" || o.Type == "accounts") && !narrowed {
		if res.Accounts, err = s.searchAccounts(ctx, r, q, o); err != nil {
			return res, err
		}
	}
	if tag := s.Text.FoldTag(strings.TrimPrefix(q, "#")); (o.Type == "" || o.Type == "hashtags") && !narrowed && o.Offset == 0 && tag != "" && !strings.ContainsAny(q, " @") {
		found, err := s.TagPosts(ctx, r, tag, Page{Limit: 1})
		if err != nil {
			return res, err
		}
		if len(found) > 0 || strings.HasPrefix(q, "#") {
			res.Tags = []string{tag}
		}
	}
	if o.Type == "" || o.Type == "statuses" {
		page := o.Posts
		page.Limit = o.Offset + o.Limit
		if res.Posts, err = s.FindPosts(ctx, r, q, page); err != nil {
			return res, err
		}
		res.Posts = res.Posts[min(o.Offset, len(res.Posts)):]
	}
	return res, nil
}

func (s *Service) searchAccounts(ctx context.Context, r Reader, q string, o SearchOptions) (list []*Account, err error) {
	prefix := strings.TrimPrefix(q, "@")
	if strings.Contains(prefix, "@") {
		find := s.AccountByHandle
		if o.Resolve {
			find = s.FindHandle
		}
		a, err := find(ctx, r, prefix)
		if err != nil {
			return nil, ignoreUnreachable(err)
		}
		return []*Account{a}, nil
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err := tx.SearchAccounts(ctx, prefix, o.Offset+o.Limit)
		if err != nil {
			return err
		}
		var follows map[ID]*Follow
		if o.Following && r.Local() {
			ids := make([]ID, len(found))
			for i, a := range found {
				ids[i] = a.ID
			}
			if follows, err = tx.FollowsTo(ctx, r.Account.ID, ids); err != nil {
				return err
			}
		}
		var away map[ID]bool
		if r.Local() {
			byID := make(map[ID]*Account, len(found))
			for _, a := range found {
				byID[a.ID] = a
			}
			if away, err = keptAway(ctx, tx, r.Account.ID, byID); err != nil {
				return err
			}
		}
		for _, a := range found {
			if away[a.ID] {
				continue
			}
			shown := s.shows(ctx, tx, r, a)
			if KindOf(shown) != NotFound && shown != nil {
				return shown
			}
			if shown == nil && a.Kind != KindApplication && (follows == nil || follows[a.ID] != nil) {
				list = append(list, a)
			}
		}
		list = list[min(o.Offset, len(list)):]
		return nil
	})
	return list, err
}

// ignoreUnreachable treats a server that does not answer like one that does not
// know: the search finds nothing.
func ignoreUnreachable(err error) error {
	switch KindOf(err) {
	case NotFound, Unavailable, Invalid, Forbidden:
		return nil
	}
	return err
}

func (s *Service) searchURL(ctx context.Context, r Reader, url string, o SearchOptions) (res SearchResult, err error) {
	a, v, err := s.known(ctx, r, url)
	if errors.Is(err, ErrNotFound) && o.Resolve && r.Local() && !s.Links.Owns(url) {
		a, v, err = s.resolve(ctx, r, url)
	}
	if a != nil {
		res.Accounts = []*Account{a}
	}
	if v != nil {
		res.Posts = []*PostView{v}
	}
	return res, ignoreUnreachable(err)
}

// known finds what an address stands for without network: a URI, or one of our pages.
func (s *Service) known(ctx context.Context, r Reader, url string) (*Account, *PostView, error) {
	if handle, id, ok := s.Links.ParsePage(url); ok {
		if id == 0 {
			a, err := s.AccountByHandle(ctx, r, handle)
			return a, nil, err
		}
		v, err := s.Post(ctx, r, id)
		return nil, v, err
	}
	v, err := s.PostByURI(ctx, r, url)
	if !errors.Is(err, ErrNotFound) {
		return nil, v, err
	}
	var a *Account
	err = s.Store.View(ctx, func(tx Tx) error {
		if a, err = tx.AccountByURI(ctx, url); err != nil {
			return err
		}
		if err := s.shows(ctx, tx, r, a); err != nil {
			a = nil
			return err
		}
		return nil
	})
	return a, nil, err
}

func (s *Service) resolve(ctx context.Context, r Reader, url string) (*Account, *PostView, error) {
	a, p, err := s.Remote.FindURL(ctx, url)
	if err != nil || p == nil {
		return a, nil, err
	}
	v, err := s.Post(ctx, r, p.ID)
	return a, v, err
}

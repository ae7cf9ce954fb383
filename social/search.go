package social

import (
	"context"
	"errors"
	"strings"
)

// SearchOptions narrow a search.
type SearchOptions struct {
	Type      string // accounts, people, groups, statuses, hashtags, topics; "" all but the more exact of them
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
	Topics   []Topic // where they alone are sought
	More     bool    // there are further accounts or topics after those of this page
}

// AccountQuery asks for accounts by the beginning of a name.
type AccountQuery struct {
	Prefix         string
	At             *Servers // nil for all
	People, Groups bool     // these alone
	Skip, Limit    int
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
	words, at := cutAt(q)
	if at != "" && !r.Local() { // to others it would tell who is of our group
		return res, nil
	}
	narrowed := filters.MatchString(q)
	switch o.Type {
	case "", "accounts", "people", "groups":
		if narrowed {
			break
		}
		if res.Accounts, res.More, err = s.searchAccounts(ctx, r, words, at, o); err != nil {
			return res, err
		}
	case "topics":
		if narrowed {
			break
		}
		res.Topics, res.More, err = s.Topics(ctx, r, TopicQuery{Text: words, At: at, Skip: o.Offset, Limit: o.Limit})
		return res, err
	}
	if tag := s.Text.FoldTag(strings.TrimPrefix(q, "#")); (o.Type == "" || o.Type == "hashtags") && !narrowed && at == "" && o.Offset == 0 && tag != "" && !strings.ContainsAny(q, " @") {
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

// searchAccounts lists those whose name begins so, from o.Offset on; more says that there
// are others.
func (s *Service) searchAccounts(ctx context.Context, r Reader, q, at string, o SearchOptions) (list []*Account, more bool, err error) {
	prefix := strings.TrimPrefix(q, "@")
	if strings.Contains(prefix, "@") {
		find := s.AccountByHandle
		if o.Resolve {
			find = s.FindHandle
		}
		a, err := find(ctx, r, prefix)
		if err != nil {
			return nil, false, ignoreUnreachable(err)
		}
		return []*Account{a}, false, nil
	}
	query := AccountQuery{Prefix: prefix, People: o.Type == "people", Groups: o.Type == "groups", Limit: o.Offset + o.Limit + 1}
	if at != "" {
		if query.At, err = s.serversAt(ctx, at); err != nil {
			return nil, false, err
		}
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		list, more = nil, false
		left := o.Offset // of those that the reader may know of: others are not even counted
		for range scanPages {
			found, err := tx.SearchAccounts(ctx, query)
			if err != nil {
				return err
			}
			shown, err := s.findable(ctx, tx, r, found, o.Following)
			if err != nil {
				return err
			}
			skip := min(left, len(shown))
			left -= skip
			list = append(list, shown[skip:]...)
			if len(list) > o.Limit {
				list, more = list[:o.Limit], o.Offset+o.Limit <= maxOffset
				return nil
			}
			if len(found) < query.Limit {
				return nil
			}
			query.Skip, query.Limit = query.Skip+query.Limit, scanMore
		}
		return nil
	})
	return list, more, err
}

// findable leaves those of some accounts that a search shows to the reader.
func (s *Service) findable(ctx context.Context, tx Tx, r Reader, found []*Account, following bool) (list []*Account, err error) {
	var follows map[ID]*Follow
	if following && r.Local() {
		ids := make([]ID, len(found))
		for i, a := range found {
			ids[i] = a.ID
		}
		if follows, err = tx.FollowsTo(ctx, r.Account.ID, ids); err != nil {
			return nil, err
		}
	}
	var away map[ID]bool
	if r.Local() {
		byID := make(map[ID]*Account, len(found))
		for _, a := range found {
			byID[a.ID] = a
		}
		if away, err = keptAway(ctx, tx, r.Account.ID, byID); err != nil {
			return nil, err
		}
	}
	for _, a := range found {
		if away[a.ID] || a.Kind == KindApplication || follows != nil && follows[a.ID] == nil {
			continue
		}
		shown := s.shows(ctx, tx, r, a)
		if KindOf(shown) != NotFound && shown != nil {
			return nil, shown
		}
		if shown == nil {
			list = append(list, a)
		}
	}
	return list, nil
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

package social

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// Topic is a hashtag that is in use, as far as the reader may know.
type Topic struct {
	Tag      string // folded
	Posts    int    // of the last TopicDays with it that the reader may see
	Followed bool   // by the reader
}

// TopicQuery asks for a page of topics.
type TopicQuery struct {
	Text        string // that they have in them
	At          string // where the posts with them were written, as at: says it; "" for anywhere
	Skip, Limit int
}

const (
	// TopicDays is how far back the use of hashtags is counted.
	TopicDays = 30
	// topicPosts bounds how many posts with hashtags are looked at to count them.
	topicPosts = 2000
)

// Topics lists the hashtags of what the reader may see of the last TopicDays, and those
// that the reader follows, which come first; then the most used. more says that there are
// others after the page.
func (s *Service) Topics(ctx context.Context, r Reader, q TopicQuery) (topics []Topic, more bool, err error) {
	me, err := s.member(r)
	if err != nil || q.Skip < 0 {
		return nil, false, err
	}
	text := s.Text.FoldTag(strings.TrimSpace(clip(q.Text, 100)))
	var at *Servers
	if q.At != "" {
		if at, err = s.serversAt(ctx, q.At); err != nil {
			return nil, false, err
		}
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		used, err := s.tagsInUse(ctx, tx, r, at)
		if err != nil {
			return err
		}
		followed, _, err := tx.FollowedTags(ctx, me.ID, Page{Limit: maxTagFollows})
		if err != nil {
			return err
		}
		topics = nil
		for _, tag := range followed {
			if at != nil && used[tag] == 0 {
				continue
			}
			topics = append(topics, Topic{tag, used[tag], true})
			delete(used, tag)
		}
		for tag, n := range used {
			topics = append(topics, Topic{tag, n, false})
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	topics = slices.DeleteFunc(topics, func(t Topic) bool { return !strings.Contains(t.Tag, text) })
	slices.SortFunc(topics, func(a, b Topic) int {
		switch {
		case a.Followed && !b.Followed:
			return -1
		case b.Followed && !a.Followed:
			return 1
		}
		return cmp.Or(cmp.Compare(b.Posts, a.Posts), cmp.Compare(a.Tag, b.Tag))
	})
	topics = topics[min(q.Skip, len(topics)):]
	more = len(topics) > q.Limit
	return topics[:min(q.Limit, len(topics))], more, nil
}

// tagsInUse counts the posts of the last days by hashtag: only those that the reader may
// see, so that no number tells of others.
func (s *Service) tagsInUse(ctx context.Context, tx Tx, r Reader, at *Servers) (map[string]int, error) {
	used := map[string]int{}
	page := Page{Since: FirstID(s.Now().Add(-TopicDays * 24 * time.Hour)), Limit: scanMore}
	for range topicPosts / scanMore {
		posts, err := tx.TaggedPosts(ctx, page)
		if err != nil {
			return nil, err
		}
		seen, err := s.Visible(ctx, tx, r, posts)
		if err != nil {
			return nil, err
		}
		if seen, err = writtenAt(ctx, tx, at, seen); err != nil {
			return nil, err
		}
		for _, p := range seen {
			for _, tag := range unique(p.Tags) {
				used[tag]++
			}
		}
		if len(posts) < page.Limit {
			break
		}
		page.Max = posts[len(posts)-1].ID
	}
	return used, nil
}

// writtenAt leaves the posts whose authors are at some servers.
func writtenAt(ctx context.Context, tx Tx, at *Servers, posts []*Post) ([]*Post, error) {
	if at == nil {
		return posts, nil
	}
	ids := make([]ID, len(posts))
	for i, p := range posts {
		ids[i] = p.AuthorID
	}
	authors, err := tx.Accounts(ctx, unique(ids))
	return slices.DeleteFunc(posts, func(p *Post) bool { return authors[p.AuthorID] == nil || !at.admit(authors[p.AuthorID]) }), err
}

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

const (
	// TopicDays is how far back the use of hashtags is counted.
	TopicDays = 30
	// topicPosts bounds how many posts with hashtags are looked at to count them.
	topicPosts = 2000
)

// Topics lists the hashtags of what the reader may see of the last TopicDays, and those
// that the reader follows, which come first; then the most used. A text finds those that
// have it in them. more says that there are others after a page of limit from skip on.
func (s *Service) Topics(ctx context.Context, r Reader, text string, skip, limit int) (topics []Topic, more bool, err error) {
	me, err := s.member(r)
	if err != nil || skip < 0 {
		return nil, false, err
	}
	text = s.Text.FoldTag(strings.TrimPrefix(strings.TrimSpace(clip(text, 100)), "#"))
	err = s.Store.View(ctx, func(tx Tx) error {
		used, err := s.tagsInUse(ctx, tx, r)
		if err != nil {
			return err
		}
		followed, _, err := tx.FollowedTags(ctx, me.ID, Page{Limit: maxTagFollows})
		if err != nil {
			return err
		}
		topics = nil
		for _, tag := range followed {
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
	topics = topics[min(skip, len(topics)):]
	more = len(topics) > limit
	return topics[:min(limit, len(topics))], more, nil
}

// tagsInUse counts the posts of the last days by hashtag: only those that the reader may
// see, so that no number tells of others.
func (s *Service) tagsInUse(ctx context.Context, tx Tx, r Reader) (map[string]int, error) {
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

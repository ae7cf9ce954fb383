package social

import (
	"context"
	"slices"
	"time"
)

// FeaturedTag is a hashtag that a member shows on the profile.
type FeaturedTag struct {
	ID        ID
	AccountID ID
	Tag       string // folded
	Posts     int    // of the member's with it that the reader may see
	LastAt    time.Time
}

const (
	// MaxFeaturedTags is how many hashtags a profile shows.
	MaxFeaturedTags = 10
	// countedPosts bounds how many posts are looked at to count them.
	countedPosts = 1000
	// suggestedTags is how many hashtags are offered.
	suggestedTags = 10
)

// FeaturedTags are the hashtags on a profile, each with how many of the posts with it the
// reader may see.
func (s *Service) FeaturedTags(ctx context.Context, r Reader, id ID) (tags []*FeaturedTag, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.account(ctx, tx, r, id); err != nil {
			return err
		}
		if tags, err = tx.FeaturedTags(ctx, id); err != nil {
			return err
		}
		return s.countTagged(ctx, tx, r, id, tags)
	})
	return tags, err
}

func (s *Service) countTagged(ctx context.Context, tx Tx, r Reader, account ID, tags []*FeaturedTag) error {
	if len(tags) == 0 {
		return nil
	}
	names := make([]string, len(tags))
	for i, f := range tags {
		names[i] = f.Tag
	}
	posts, err := tx.TaggedBy(ctx, account, names, countedPosts)
	if err != nil {
		return err
	}
	if posts, err = s.Visible(ctx, tx, r, posts); err != nil {
		return err
	}
	for _, p := range posts {
		for _, f := range tags {
			if !slices.Contains(p.Tags, f.Tag) {
				continue
			}
			if f.Posts++; p.PublishedAt.After(f.LastAt) {
				f.LastAt = p.PublishedAt
			}
		}
	}
	return nil
}

// FeatureTag shows a hashtag on the reader's profile; one that is there stays.
func (s *Service) FeatureTag(ctx context.Context, r Reader, tag string) (f *FeaturedTag, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	if tag = s.Text.FoldTag(tag); tag == "" {
		return nil, Errorf(Invalid, "name a hashtag")
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		have, err := tx.FeaturedTags(ctx, me.ID)
		if err != nil {
			return err
		}
		if at := slices.IndexFunc(have, func(f *FeaturedTag) bool { return f.Tag == tag }); at >= 0 {
			f = have[at]
		} else if len(have) >= MaxFeaturedTags {
			return Errorf(Invalid, "at most %d hashtags; take one away first", MaxFeaturedTags)
		} else {
			f = &FeaturedTag{AccountID: me.ID, Tag: tag}
			if err := tx.AddFeaturedTag(ctx, f); err != nil {
				return err
			}
		}
		return s.countTagged(ctx, tx, r, me.ID, []*FeaturedTag{f})
	})
	return f, err
}

// UnfeatureTag takes one from the reader's profile.
func (s *Service) UnfeatureTag(ctx context.Context, r Reader, id ID) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		was, err := tx.DeleteFeaturedTag(ctx, me.ID, id)
		if err == nil && !was {
			err = NotFoundError()
		}
		return err
	})
}

// SuggestTags are hashtags that the reader uses and does not show yet.
func (s *Service) SuggestTags(ctx context.Context, r Reader) (tags []string, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		have, err := tx.FeaturedTags(ctx, me.ID)
		if err != nil {
			return err
		}
		used, err := tx.TagsOf(ctx, me.ID, countedPosts, suggestedTags+MaxFeaturedTags)
		used = slices.DeleteFunc(used, func(tag string) bool {
			return slices.ContainsFunc(have, func(f *FeaturedTag) bool { return f.Tag == tag })
		})
		tags = used[:min(len(used), suggestedTags)]
		return err
	})
	return tags, err
}

package social

import (
	"context"
	"time"
)

// Marker is how far a member has read a list, the same in every app.
type Marker struct {
	Timeline  string // home or notifications
	LastRead  ID
	Version   int
	UpdatedAt time.Time
}

// ReadingStore keeps how far lists were read, and which tags are followed.
type ReadingStore interface {
	Markers(ctx context.Context, account ID) ([]Marker, error)
	// PutMarker moves a marker, and counts how often that was done.
	PutMarker(ctx context.Context, account ID, timeline string, last ID, at time.Time) error

	// FollowTag says that posts with a tag come into an account's home timeline, or no more.
	FollowTag(ctx context.Context, account ID, tag string, on bool) error
	// FollowedTags lists an account's by the follow's id (second result).
	FollowedTags(ctx context.Context, account ID, p Page) ([]string, []ID, error)
	// TagFollowers lists the members who follow one of the tags.
	TagFollowers(ctx context.Context, tags []string) ([]ID, error)
}

// Markers are the reader's own.
func (s *Service) Markers(ctx context.Context, r Reader) (list []Marker, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Markers(ctx, me.ID)
		return err
	})
	return list, err
}

// SetMarkers moves the reader's markers. Notifications up to theirs count as read.
func (s *Service) SetMarkers(ctx context.Context, r Reader, to map[string]ID) (list []Marker, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		for timeline, id := range to {
			if timeline != "home" && timeline != "notifications" {
				return Errorf(Invalid, "there are markers for home and notifications")
			}
			if err := tx.PutMarker(ctx, me.ID, timeline, id, s.Now()); err != nil {
				return err
			}
			if timeline == "notifications" {
				if err := tx.MarkRead(ctx, me.ID, id, s.Now()); err != nil {
					return err
				}
			}
		}
		list, err = tx.Markers(ctx, me.ID)
		return err
	})
	return list, err
}

// maxTagFollows is how many tags a member can follow.
const maxTagFollows = 200

// FollowTag lets posts with a tag come into the reader's home timeline, as far as the
// reader may see them, or no more. It answers the tag as it is kept.
func (s *Service) FollowTag(ctx context.Context, r Reader, tag string, on bool) (string, error) {
	me, err := s.member(r)
	if err != nil {
		return "", err
	}
	if tag = s.Text.FoldTag(tag); tag == "" {
		return "", NotFoundError()
	}
	return tag, s.Store.Tx(ctx, func(tx Tx) error {
		if on {
			have, _, err := tx.FollowedTags(ctx, me.ID, Page{Limit: maxTagFollows})
			if err != nil {
				return err
			}
			if len(have) >= maxTagFollows {
				return Errorf(Invalid, "you follow %d tags; leave one first", maxTagFollows)
			}
		}
		return tx.FollowTag(ctx, me.ID, tag, on)
	})
}

// FollowedTags are the reader's; cursors are the second result.
func (s *Service) FollowedTags(ctx context.Context, r Reader, p Page) (tags []string, cursors []ID, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		p = p.Clamp(100, maxTagFollows)
		p.Ends = nil
		tags, cursors, err = tx.FollowedTags(ctx, me.ID, p)
		return err
	})
	return tags, cursors, err
}

package social

import (
	"context"
	"strings"
)

// FindGroups lists the groups here that the reader may know of, those with most members
// first, from a place on; more says that there are others. An empty text finds all.
func (s *Service) FindGroups(ctx context.Context, r Reader, text string, skip, limit int) (views []*GroupView, more bool, err error) {
	if _, err := s.member(r); err != nil || skip < 0 || skip > maxOffset {
		return nil, false, err
	}
	text = strings.TrimSpace(clip(text, 100))
	err = s.Store.View(ctx, func(tx Tx) error {
		views, more = nil, false
		left := skip // of those that the reader may know of: others are not even counted
		for from := 0; ; from += maxPage {
			part, err := tx.FindGroups(ctx, text, from, maxPage)
			if err != nil {
				return err
			}
			for _, g := range part {
				if shown, err := s.Shows(ctx, tx, r, g); err != nil || !shown {
					if err != nil {
						return err
					}
					continue
				}
				if left > 0 {
					left--
					continue
				}
				if more = len(views) == limit; more {
					return nil
				}
				v, err := s.groupView(ctx, tx, r, g)
				if err != nil {
					return err
				}
				views = append(views, v)
			}
			if len(part) < maxPage {
				return nil
			}
		}
	})
	return views, more, err
}

// OwnGroups lists the groups, here and elsewhere, that the reader belongs to or has asked
// to join.
func (s *Service) OwnGroups(ctx context.Context, r Reader) (views []*GroupView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		views = nil
		groups, err := tx.GroupsOf(ctx, me.ID, maxPage)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if !g.Active() {
				continue
			}
			v, err := s.groupView(ctx, tx, r, g)
			if err != nil {
				return err
			}
			views = append(views, v)
		}
		return nil
	})
	return views, err
}

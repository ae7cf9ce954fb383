package social

import (
	"context"
	"time"
)

// lateAfter is how old a thing may be that was missed and is brought later, and still
// is news.
const lateAfter = 7 * 24 * time.Hour

type lateKey struct{}

// Late marks what is applied under the context as something that happened at a moment
// and was missed. When that is long ago, nobody is notified and nothing is shown live;
// posts stand in home timelines where their dates put them, not on top.
func (s *Service) Late(ctx context.Context, happened time.Time) context.Context {
	if s.Now().Sub(happened) <= lateAfter {
		return ctx
	}
	return context.WithValue(ctx, lateKey{}, true)
}

func isLate(ctx context.Context) bool { return ctx.Value(lateKey{}) != nil }

// ApplyPins takes what a remote actor shows on top of its profile, as a whole.
func (s *Service) ApplyPins(ctx context.Context, actor *Account, uris []string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		had, err := tx.PinnedBy(ctx, actor.ID, MaxPins)
		if err != nil {
			return err
		}
		want, err := tx.PostsByURI(ctx, uris[:min(len(uris), MaxPins)])
		if err != nil {
			return err
		}
		for _, p := range had {
			if want[p.URI] == nil {
				if _, err := tx.SetPin(ctx, actor.ID, p.ID, false, s.Now()); err != nil {
					return err
				}
			}
		}
		for _, p := range want {
			if p.AuthorID != actor.ID || p.Deleted() {
				continue
			}
			if _, err := tx.SetPin(ctx, actor.ID, p.ID, true, s.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

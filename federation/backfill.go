package federation

import (
	"context"
	"time"

	"parley/activitypub"
	"parley/queue"
	"parley/social"
)

const (
	// backfillPosts arrive when a follow is accepted.
	backfillPosts = 20
	backfillPages = 3
	// updateGrace is how old a post may be whose edit came first.
	updateGrace = 24 * time.Hour
)

// backfill brings the newest posts of an account that a member now follows, as
// far as the member may see them: the outbox is read in the member's name.
func (s *Server) backfill(ctx context.Context, j queue.Job) queue.Result {
	ctx = withBudget(ctx, readerFetches)
	follower, err := social.ParseID(j.Target)
	if err != nil {
		return queue.Result{Verdict: queue.Done}
	}
	var author *social.Account
	err = s.Store.View(ctx, func(tx social.Tx) error {
		f, err := tx.Follow(ctx, follower, social.ID(j.Ref))
		if err != nil || f.State != social.FollowAccepted {
			return err // taken back meanwhile
		}
		author, err = tx.Account(ctx, f.TargetID)
		return err
	})
	if transient(err) {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	if err != nil || author == nil || author.OutboxURI == "" {
		return queue.Result{Verdict: queue.Done}
	}
	err = s.readOutbox(ctx, follower, author)
	if transient(err) && j.Attempts < 3 {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	if err := s.Store.Tx(ctx, func(tx social.Tx) error { return tx.FillTimeline(ctx, follower, author.ID, backfillPosts) }); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	return queue.Result{Verdict: queue.Done}
}

// readOutbox walks the newest pages until enough posts were seen.
func (s *Server) readOutbox(ctx context.Context, as social.ID, author *social.Account) error {
	page, err := s.page(ctx, as, author, author.OutboxURI)
	if err != nil {
		return err
	}
	if e, ok := page.Embedded("first"); ok && (e.Has("orderedItems") || e.Has("items")) {
		page = e
	} else if first := page.Ref("first"); first != "" {
		if page, err = s.page(ctx, as, author, first); err != nil {
			return err
		}
	}
	left := backfillPosts
	for range backfillPages {
		for _, item := range append(page.Objects("orderedItems"), page.Objects("items")...) {
			if left--; left < 0 {
				return nil
			}
			if err := s.backfillOne(ctx, as, author, item); transient(err) {
				return err
			}
		}
		next := page.Ref("next")
		if next == "" || left == 0 {
			return nil
		}
		if page, err = s.page(ctx, as, author, next); err != nil {
			return err
		}
	}
	return nil
}

// page gets a part of an outbox, from the author's own server only: what is
// embedded there is believed.
func (s *Server) page(ctx context.Context, as social.ID, author *social.Account, uri string) (object, error) {
	o, final, err := s.get(ctx, as, uri)
	if err == nil && !activitypub.SameAuthority(final, author.URI) {
		err = social.Errorf(social.Invalid, "the outbox is on another server")
	}
	return o, err
}

func (s *Server) backfillOne(ctx context.Context, as social.ID, author *social.Account, item object) error {
	note := item
	switch item.Type() {
	case activitypub.Create:
		e, err := s.own(ctx, as, author, item, nil)
		if err != nil {
			return err
		}
		note = e
	case activitypub.Announce:
		if author.Kind == social.KindGroup {
			if p, post := passedItem(author, item); p != nil {
				_, err := s.keepPassed(ctx, *p, post, true)
				return err
			}
		}
		return nil // shares of old posts are not brought back
	case "":
		e, err := s.fetch(ctx, as, item.ID())
		if err != nil {
			return err
		}
		note = e
	}
	if note.Ref("attributedTo") != author.URI || !activitypub.SameAuthority(note.ID(), author.URI) {
		return nil
	}
	_, err := s.keepPost(ctx, note, true)
	return err
}

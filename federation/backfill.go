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
	// updateGrace is how old a post may be whose edit came first.
	updateGrace = 24 * time.Hour
	// parentDepth bounds the way up a thread (C2).
	parentDepth = 8
	threadTime  = time.Minute
)

// backfill brings the newest posts of an account that a member now follows, as
// far as the member may see them: the outbox is read in the member's name.
func (s *Server) backfill(ctx context.Context, j queue.Job) queue.Result {
	ctx = withBudget(ctx)
	follower, err := social.ParseID(j.Target)
	if err != nil {
		return queue.Result{Verdict: queue.Done}
	}
	var author *social.Account
	if err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		author, err = tx.Account(ctx, social.ID(j.Ref))
		return err
	}); err != nil || author.OutboxURI == "" {
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

func (s *Server) readOutbox(ctx context.Context, as social.ID, author *social.Account) error {
	box, _, err := s.get(ctx, as, author.OutboxURI)
	if err != nil {
		return err
	}
	if page, ok := box.Embedded("first"); ok {
		box = page
	} else if first := box.Ref("first"); first != "" && activitypub.SameAuthority(first, author.URI) {
		if box, _, err = s.get(ctx, as, first); err != nil {
			return err
		}
	}
	items := append(box.Objects("orderedItems"), box.Objects("items")...)
	for i, item := range items {
		if i >= backfillPosts {
			break
		}
		if err := s.backfillOne(ctx, as, author, item); transient(err) {
			return err
		}
	}
	return nil
}

func (s *Server) backfillOne(ctx context.Context, as social.ID, author *social.Account, item object) error {
	note := item
	switch item.Type() {
	case activitypub.Create:
		e, err := s.own(ctx, as, author, item)
		if err != nil {
			return err
		}
		note = e
	case activitypub.Announce:
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

// fetchParent completes the way up from a reply, within the budget.
func (s *Server) fetchParent(ctx context.Context, p *social.Post) {
	for range parentDepth {
		if p == nil || p.InReplyToURI == "" || p.InReplyToID != 0 {
			return
		}
		parent, err := s.object(ctx, 0, p.InReplyToURI)
		if err != nil {
			s.Log.Debug("parent not fetched", "uri", p.InReplyToURI, "error", err)
			return
		}
		p = parent
	}
}

// Thread implements social.Remote: it completes a remote thread in the background,
// at most every 15 minutes, one dead server costing only its own posts.
func (s *Server) Thread(ctx context.Context, p *social.Post) {
	if p.Local || p.URI == "" || !s.threads.fresh(p.URI, s.Now()) {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(withBudget(ctx), threadTime)
		defer cancel()
		s.fetchParent(ctx, p)
		o, err := s.fetch(ctx, 0, p.URI)
		if err != nil {
			return
		}
		for _, key := range []string{"context", "replies"} {
			for _, uri := range s.collectionItems(ctx, o, key, p.URI) {
				if _, err := s.object(ctx, 0, uri); err != nil {
					s.Log.Debug("reply not fetched", "uri", uri, "error", err)
				}
			}
		}
	}()
}

// collectionItems lists what a collection of the post's own server names.
func (s *Server) collectionItems(ctx context.Context, o object, key, of string) []string {
	c, ok := o.Embedded(key)
	if uri := o.Ref(key); !ok || c.ID() != "" && !c.Has("first") && !c.Has("items") {
		if !activitypub.SameAuthority(uri, of) {
			return nil
		}
		var err error
		if c, _, err = s.get(ctx, 0, uri); err != nil {
			return nil
		}
	}
	items := append(c.Refs("items"), c.Refs("orderedItems")...)
	if first, ok := c.Embedded("first"); ok {
		items = append(append(items, first.Refs("items")...), first.Refs("orderedItems")...)
	} else if uri := c.Ref("first"); uri != "" && activitypub.SameAuthority(uri, of) {
		if page, _, err := s.get(ctx, 0, uri); err == nil {
			items = append(append(items, page.Refs("items")...), page.Refs("orderedItems")...)
		}
	}
	return items
}

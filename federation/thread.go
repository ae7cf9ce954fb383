package federation

import (
	"context"
	"errors"

	"parley/activitypub"
	"parley/queue"
	"parley/social"
)

// What a look-up of a thread is to find; the target of its job.
const (
	wantParents = "parents"
	wantAll     = "all"
)

// parentDepth bounds the way up a thread (C2).
const parentDepth = 8

// Thread implements social.Remote: it orders the completion of a remote thread, at
// most every 15 minutes.
func (s *Server) Thread(ctx context.Context, p *social.Post) {
	if p.Local || p.URI == "" || !s.threads.fresh(p.URI, s.Now()) {
		return
	}
	if err := s.lookUpLater(ctx, p.ID, wantAll); err != nil {
		s.Log.Warn("a thread will not be completed", "uri", p.URI, "error", err)
	}
}

// lookUpLater leaves fetching to workers of its own: a silent server holds up
// threads, never the inbox.
func (s *Server) lookUpLater(ctx context.Context, post social.ID, want string) error {
	return s.Store.Tx(ctx, func(tx social.Tx) error {
		tx.AfterCommit(s.lookups.Wake)
		return tx.AddJobs(ctx, []queue.Job{{Kind: "thread", Ref: int64(post), Target: want}})
	})
}

// lookUpThread is the handler of thread jobs. A dead server costs only its own
// posts, so nothing is tried twice: the next reader orders it again.
func (s *Server) lookUpThread(ctx context.Context, j queue.Job) queue.Result {
	ctx = withBudget(ctx)
	var p *social.Post
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		p, err = tx.Post(ctx, social.ID(j.Ref))
		return err
	})
	if err != nil && !errors.Is(err, social.ErrNotFound) {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	if err != nil || p.Deleted() {
		return queue.Result{Verdict: queue.Done}
	}
	s.fetchParents(ctx, p)
	if j.Target == wantAll {
		s.fetchReplies(ctx, p)
	}
	return queue.Result{Verdict: queue.Done}
}

// fetchParents completes the way up from a reply, within the budget.
func (s *Server) fetchParents(ctx context.Context, p *social.Post) {
	for range parentDepth {
		if p.InReplyToURI == "" || p.InReplyToID != 0 {
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

// fetchReplies reads the context (FEP-7888) and the replies of a post.
func (s *Server) fetchReplies(ctx context.Context, p *social.Post) {
	o, err := s.fetch(ctx, 0, p.URI)
	if err != nil {
		s.Log.Debug("thread not completed", "uri", p.URI, "error", err)
		return
	}
	for _, key := range []string{"context", "replies"} {
		for _, uri := range s.collectionItems(ctx, o, key, p.URI) {
			if _, err := s.object(ctx, 0, uri); err != nil {
				s.Log.Debug("reply not fetched", "uri", uri, "error", err)
			}
		}
	}
}

// collectionItems lists what a collection of the post's own server names.
func (s *Server) collectionItems(ctx context.Context, o object, key, of string) []string {
	c, ok := o.Embedded(key)
	if !ok || c.ID() != "" && !c.Has("first") && !c.Has("items") && !c.Has("orderedItems") {
		uri := o.Ref(key)
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

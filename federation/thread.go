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
	requests := parentFetches
	if j.Target == wantAll {
		requests = threadFetches
	}
	ctx = withBudget(ctx, requests)
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
	missing := 0
	for _, key := range []string{"context", "replies"} {
		items, told := s.collectionItems(ctx, o, key, p.URI)
		missing = max(told, len(items)) // of the last one
		for _, item := range items {
			if err := s.fetchReply(ctx, item, p.URI); err != nil {
				s.Log.Debug("reply not fetched", "uri", item.ID(), "error", err)
				continue
			}
			missing--
		}
	}
	if err := s.noteMissing(ctx, p.ID, missing); err != nil {
		s.Log.Warn("a thread's gap is not noted", "uri", p.URI, "error", err)
	}
}

// mostMissing bounds what a server can say of its thread.
const mostMissing = 1_000_000

// noteMissing keeps how many replies a post's own server tells of, and nobody here has.
func (s *Server) noteMissing(ctx context.Context, id social.ID, n int) error {
	n = min(n, mostMissing)
	return s.Store.Tx(ctx, func(tx social.Tx) error {
		p, err := tx.Post(ctx, id)
		if err != nil || p.Deleted() || p.RepliesMissing == n {
			return err
		}
		p.RepliesMissing = n
		return tx.UpdatePost(ctx, p)
	})
}

// fetchReply takes one entry of a collection: as it came, when it is whole and of
// the collection's own server, else from its own.
func (s *Server) fetchReply(ctx context.Context, item object, of string) error {
	if item.IsPost() && item.Has("attributedTo") && activitypub.SameAuthority(item.ID(), of) {
		_, err := s.keepPost(ctx, item, true)
		return err
	}
	_, err := s.object(ctx, 0, item.ID())
	return err
}

const (
	// collectionPages and collectionEntries bound what is read of a collection (C2).
	collectionPages   = 10
	collectionEntries = 500
)

// collectionItems lists what a collection of the post's own server holds, page by
// page, and how many it says there are. A page that was read before ends it (T13).
func (s *Server) collectionItems(ctx context.Context, o object, key, of string) (items []object, told int) {
	c, ok := o.Embedded(key)
	if !ok || c.ID() != "" && !c.Has("first") && !c.Has("items") && !c.Has("orderedItems") {
		if c = s.sameServerDocument(ctx, o.Ref(key), of); c == nil {
			return nil, 0
		}
	}
	items = entries(c)
	seen := map[string]bool{}
	for page, key := c, "first"; len(seen) < collectionPages && len(items) < collectionEntries; key = "next" {
		uri := page.Ref(key)
		next, whole := page.Embedded(key)
		if whole && len(entries(next)) == 0 && !next.Has("next") {
			whole = false
		}
		if uri == "" && !whole || uri != "" && seen[uri] {
			break
		}
		seen[uri] = true
		if !whole {
			if next = s.sameServerDocument(ctx, uri, of); next == nil {
				break
			}
		}
		page = next
		items = append(items, entries(page)...)
	}
	return items[:min(len(items), collectionEntries)], c.Int("totalItems")
}

func entries(c object) []object { return append(c.Objects("items"), c.Objects("orderedItems")...) }

// sameServerDocument gets a document of the server that a post is of; nil if there
// is none.
func (s *Server) sameServerDocument(ctx context.Context, uri, of string) object {
	if uri == "" || !activitypub.SameAuthority(uri, of) {
		return nil
	}
	o, final, err := s.get(ctx, 0, uri)
	if err != nil || !activitypub.SameAuthority(final, of) {
		return nil
	}
	return o
}

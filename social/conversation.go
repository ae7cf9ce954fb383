package social

import "context"

// Conversation is a thread of direct posts as one of its people sees it. Its id is that
// of the thread.
type Conversation struct {
	ID     ID
	Last   *PostView
	People []*Account // all others who are in the last post
	Unread bool
}

// ConversationItem is a thread with its newest direct post that concerns somebody.
type ConversationItem struct {
	ThreadID, PostID ID
	ReadTo           ID
}

// ConversationStore finds threads of direct posts.
type ConversationStore interface {
	// Conversations lists those of an account by the newest post (which is the cursor), without
	// those put away since.
	Conversations(ctx context.Context, account ID, p Page) ([]ConversationItem, error)
	// Conversation finds one.
	Conversation(ctx context.Context, account, thread ID) (ConversationItem, error)
	// SetConversation notes how far one was read and put away; it never goes back.
	SetConversation(ctx context.Context, account, thread, readTo, goneTo ID) error
	// MuteThread says that an account hears nothing more of a thread, direct or not, or does
	// again; MutesThread asks.
	MuteThread(ctx context.Context, account, thread ID, on bool) error
	MutesThread(ctx context.Context, account, thread ID) (bool, error)
}

// Conversations lists the reader's direct threads, the newest first; cursors are the ids
// of the newest posts.
func (s *Service) Conversations(ctx context.Context, r Reader, p Page) (list []*Conversation, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		read := func(p Page) ([]ConversationItem, error) { return tx.Conversations(ctx, me.ID, p) }
		show := func(items []ConversationItem) ([]*Conversation, error) {
			return s.conversations(ctx, tx, r, items)
		}
		list, err = scan(p.Clamp(defaultPage, 40), read, show, func(it ConversationItem) ID { return it.PostID }, func(c *Conversation) ID { return c.Last.Post.ID })
		return err
	})
	return list, err
}

func (s *Service) conversations(ctx context.Context, tx Tx, r Reader, items []ConversationItem) ([]*Conversation, error) {
	ids := make([]ID, len(items))
	for i, it := range items {
		ids[i] = it.PostID
	}
	found, err := tx.Posts(ctx, ids)
	if err != nil {
		return nil, err
	}
	posts := make([]*Post, 0, len(found))
	var people []ID
	for _, p := range found {
		posts = append(posts, p)
		people = append(people, p.AuthorID)
		for _, m := range p.Told() {
			people = append(people, m.AccountID)
		}
	}
	if posts, err = s.Visible(ctx, tx, r, posts); err != nil {
		return nil, err
	}
	views, err := s.views(ctx, tx, r, posts)
	if err != nil {
		return nil, err
	}
	accounts, err := tx.Accounts(ctx, unique(people))
	if err != nil {
		return nil, err
	}
	byPost := map[ID]*PostView{}
	for _, v := range views {
		byPost[v.Post.ID] = v
	}
	var out []*Conversation
	for _, it := range items {
		v := byPost[it.PostID]
		if v == nil {
			continue
		}
		c := &Conversation{ID: it.ThreadID, Last: v, Unread: v.Post.AuthorID != r.AccountID() && it.PostID > it.ReadTo}
		in := []ID{v.Post.AuthorID}
		for _, m := range v.Post.Told() {
			in = append(in, m.AccountID)
		}
		for _, id := range unique(in) {
			if a := accounts[id]; a != nil && id != r.AccountID() {
				c.People = append(c.People, a)
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// ReadConversation notes that the reader has seen a thread; with gone it is put away until
// somebody writes in it again.
func (s *Service) ReadConversation(ctx context.Context, r Reader, id ID, gone bool) (c *Conversation, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		it, err := tx.Conversation(ctx, me.ID, id)
		if err != nil {
			return err
		}
		away := ID(0)
		if gone {
			away = it.PostID
		}
		if err := tx.SetConversation(ctx, me.ID, id, it.PostID, away); err != nil {
			return err
		}
		it.ReadTo = it.PostID
		list, err := s.conversations(ctx, tx, r, []ConversationItem{it})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return NotFoundError()
		}
		c = list[0]
		return nil
	})
	return c, err
}

// MuteThread lets the reader hear nothing more of the conversation that a post stands in,
// whoever says or does what there; or lets it again.
func (s *Service) MuteThread(ctx context.Context, r Reader, id ID, on bool) (*PostView, error) {
	return s.act(ctx, r, id, func(tx Tx, me *Account, p *Post) error { return tx.MuteThread(ctx, me.ID, p.ThreadID, on) })
}

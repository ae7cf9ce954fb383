package social

import (
	"context"
	"slices"
	"sort"
)

const (
	defaultPage = 20
	maxPage     = 40
	// threadLimit bounds the posts of one thread that are shown.
	threadLimit = 1000
)

// Post shows one post.
func (s *Service) Post(ctx context.Context, r Reader, id ID) (v *PostView, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err := s.readable(ctx, tx, r, id)
		if err != nil {
			return err
		}
		v, err = s.view(ctx, tx, r, p)
		return err
	})
	return v, err
}

// PostsByID finds several in the order asked for, as far as the reader may see them.
func (s *Service) PostsByID(ctx context.Context, r Reader, ids []ID) (views []*PostView, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err := tx.Posts(ctx, unique(ids))
		if err != nil {
			return err
		}
		var posts []*Post
		for _, id := range unique(ids) {
			if p := found[id]; p != nil {
				posts = append(posts, p)
			}
		}
		if posts, err = s.Visible(ctx, tx, r, posts); err != nil {
			return err
		}
		views, err = s.views(ctx, tx, r, posts)
		return err
	})
	return views, err
}

// PostByURI shows one known post.
func (s *Service) PostByURI(ctx context.Context, r Reader, uri string) (v *PostView, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err := tx.PostByURI(ctx, uri)
		if err != nil {
			return err
		}
		if p, err = s.readable(ctx, tx, r, p.ID); err != nil {
			return err
		}
		v, err = s.view(ctx, tx, r, p)
		return err
	})
	return v, err
}

func (s *Service) view(ctx context.Context, tx Tx, r Reader, p *Post) (*PostView, error) {
	views, err := s.views(ctx, tx, r, []*Post{p})
	if err != nil {
		return nil, err
	}
	if len(views) == 0 {
		return nil, NotFoundError()
	}
	return views[0], nil
}

// views adds authors, what is boosted and quoted, and the reader's own marks, in
// a bounded number of queries. The posts are already known to be visible; what
// they boost or quote is asked here, and a boost of something hidden is left out.
func (s *Service) views(ctx context.Context, tx Tx, r Reader, posts []*Post) ([]*PostView, error) {
	inner, err := s.inner(ctx, tx, r, posts)
	if err != nil {
		return nil, err
	}
	all := append([]*Post{}, posts...)
	for _, p := range inner {
		all = append(all, p)
	}
	authors := make([]ID, len(all))
	ids := make([]ID, len(all))
	for i, p := range all {
		authors[i], ids[i] = p.AuthorID, p.ID
	}
	for _, p := range all {
		if p.GroupID != 0 {
			authors = append(authors, p.GroupID)
		}
	}
	accounts, err := tx.Accounts(ctx, unique(authors))
	if err != nil {
		return nil, err
	}
	var marks map[ID]Marks
	var votes map[ID][]int
	if me := r.AccountID(); me != 0 && r.Local() {
		if marks, err = tx.Marks(ctx, me, unique(ids)); err != nil {
			return nil, err
		}
		if votes, err = tx.Votes(ctx, me, polls(all)); err != nil {
			return nil, err
		}
	}
	var build func(p *Post, deep bool) *PostView
	build = func(p *Post, deep bool) *PostView {
		m := marks[p.ID]
		v := &PostView{Post: p, Author: accounts[p.AuthorID], Group: accounts[p.GroupID], Cursor: p.ID, Favourited: m.Favourited,
			Boosted: m.Boosted, Bookmarked: m.Bookmarked, Kept: m.Kept, Pinned: m.Pinned, Muted: m.Muted, OwnVotes: p.Poll.known(votes[p.ID]), Voted: len(votes[p.ID]) > 0}
		if b := inner[p.BoostOfID]; b != nil && deep {
			v.Boost = build(b, true)
		}
		if q := inner[p.QuoteOfID]; q != nil && deep {
			v.Quote = build(q, false)
		}
		return v
	}
	out := make([]*PostView, 0, len(posts))
	for _, p := range posts {
		if v := build(p, true); v.Author != nil && (p.Kind != PostBoost || v.Boost != nil) {
			out = append(out, v)
		}
	}
	held, err := s.sieve(ctx, tx, r)
	return s.sift(held, r, out), err
}

// inner loads the visible posts that are boosted or quoted, and quotes of those boosted.
func (s *Service) inner(ctx context.Context, tx Tx, r Reader, posts []*Post) (map[ID]*Post, error) {
	found := map[ID]*Post{}
	for range 2 {
		var ids []ID
		for _, p := range posts {
			for _, id := range []ID{p.BoostOfID, p.QuoteOfID} {
				if id != 0 && found[id] == nil {
					ids = append(ids, id)
				}
			}
		}
		if len(ids) == 0 {
			break
		}
		loaded, err := tx.Posts(ctx, unique(ids))
		if err != nil {
			return nil, err
		}
		list := make([]*Post, 0, len(loaded))
		for _, p := range loaded {
			list = append(list, p)
		}
		if posts, err = s.Visible(ctx, tx, r, list); err != nil {
			return nil, err
		}
		for _, p := range posts {
			found[p.ID] = p
		}
	}
	return found, nil
}

func polls(posts []*Post) []ID {
	var ids []ID
	for _, p := range posts {
		if p.Poll != nil {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// collect shows a page of the posts that the reader may see, and that belong here by
// all of the tests given.
func (s *Service) collect(ctx context.Context, tx Tx, r Reader, p Page, read func(Page) ([]*Post, error), belongs ...func(*Post) (bool, error)) ([]*PostView, error) {
	show := func(posts []*Post) ([]*PostView, error) {
		seen, err := s.Visible(ctx, tx, r, posts)
		for _, test := range belongs {
			seen = slices.DeleteFunc(seen, func(post *Post) bool {
				if err != nil {
					return false
				}
				var ok bool
				ok, err = test(post)
				return !ok
			})
		}
		if err != nil {
			return nil, err
		}
		return s.views(ctx, tx, r, seen)
	}
	return scan(p.Clamp(defaultPage, maxPage), read, show, func(p *Post) ID { return p.ID }, place)
}

// place is where a post stands in the list it was read from.
func place(v *PostView) ID { return v.Cursor }

// Home is a member's timeline: who they follow, newest arrival first. Cursors
// are arrival ids.
func (s *Service) Home(ctx context.Context, r Reader, p Page) (views []*PostView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	r.Place = InHome
	err = s.Store.View(ctx, func(tx Tx) error {
		if p, err = atPosts(ctx, tx, me.ID, p); err != nil {
			return err
		}
		read := func(p Page) ([]TimelineItem, error) { return tx.Timeline(ctx, me.ID, p) }
		show := func(items []TimelineItem) ([]*PostView, error) { return s.timelineViews(ctx, tx, r, nil, items) }
		views, err = scan(p.Clamp(defaultPage, maxPage), read, show, func(it TimelineItem) ID { return it.ID }, place)
		return err
	})
	return views, err
}

// atPosts puts the places of posts in a home timeline where a page is bounded by the posts
// themselves: many apps go on from the last one that they show.
func atPosts(ctx context.Context, tx Tx, owner ID, p Page) (Page, error) {
	bounds := []*ID{&p.Max, &p.Since, &p.Min}
	var asked []ID
	for _, b := range bounds {
		if *b != 0 {
			asked = append(asked, *b)
		}
	}
	if len(asked) == 0 {
		return p, nil
	}
	found, err := tx.InTimeline(ctx, owner, asked)
	places := make(map[ID]ID, len(found))
	for _, it := range found {
		places[it.PostID] = it.ID
	}
	for _, b := range bounds {
		if place, ok := places[*b]; ok {
			*b = place
		}
	}
	return p, err
}

// timelineViews shows what a home timeline has, or a list that is a part of it.
func (s *Service) timelineViews(ctx context.Context, tx Tx, r Reader, l *List, items []TimelineItem) ([]*PostView, error) {
	ids := make([]ID, len(items))
	cursor := make(map[ID]ID, len(items))
	for i, it := range items {
		ids[i], cursor[it.PostID] = it.PostID, it.ID
	}
	found, err := tx.Posts(ctx, ids)
	if err != nil {
		return nil, err
	}
	posts := make([]*Post, 0, len(ids))
	for _, id := range ids {
		if p := found[id]; p != nil {
			posts = append(posts, p)
		}
	}
	if posts, err = s.Visible(ctx, tx, r, posts); err != nil {
		return nil, err
	}
	if posts, err = s.homely(ctx, tx, r, l, posts); err != nil {
		return nil, err
	}
	views, err := s.views(ctx, tx, r, posts)
	for _, v := range views {
		v.Cursor = cursor[v.Post.ID]
	}
	return views, err
}

// withoutForeignReplies drops replies to people whom the reader does not follow,
// unless they answer or name the reader, and what muted people wrote.
func (s *Service) withoutForeignReplies(ctx context.Context, tx Tx, r Reader, posts []*Post) ([]*Post, error) {
	me := r.Account.ID
	var answered, authors []ID
	for _, p := range posts {
		authors = append(authors, p.AuthorID)
		if p.InReplyToAccountID != 0 {
			answered = append(answered, p.InReplyToAccountID)
		}
	}
	follows, err := tx.FollowsTo(ctx, me, unique(answered))
	if err != nil {
		return nil, err
	}
	blocks, err := tx.Blocks(ctx, me, unique(authors))
	if err != nil {
		return nil, err
	}
	out := posts[:0]
	for _, p := range posts {
		if blocks[p.AuthorID].Muting || p.InReplyToURI != "" && !p.concerns(me) && follows[p.InReplyToAccountID] == nil {
			continue
		}
		out = append(out, p)
	}
	return out, nil
}

// concerns says that somebody wrote an answer, is answered or named, or that its author
// goes on with what they wrote.
func (p *Post) concerns(who ID) bool {
	to := p.InReplyToAccountID
	return p.AuthorID == who || to == who || to == p.AuthorID || p.MentionsAccount(who)
}

// Public lists what was said to everybody that the reader belongs to: here
// (local), elsewhere (remote), or both.
func (s *Service) Public(ctx context.Context, r Reader, p Page, local, remote bool, f PostFilter) (views []*PostView, err error) {
	r.Place = InPublic
	err = s.Store.View(ctx, func(tx Tx) error {
		views, err = s.collect(ctx, tx, r, p, func(p Page) ([]*Post, error) {
			return tx.PublicPosts(ctx, p, local, remote, f)
		})
		return err
	})
	return views, err
}

// Company lists what was said to the whole company, here and at every sister,
// followed or not. A company that is not ours, such as a partner's, is none of it.
func (s *Service) Company(ctx context.Context, r Reader, p Page) (views []*PostView, err error) {
	if _, err := s.member(r); err != nil {
		return nil, err
	}
	r.Place = InPublic
	err = s.Store.View(ctx, func(tx Tx) error {
		ours := map[string]bool{s.home: true}
		views, err = s.collect(ctx, tx, r, p, func(p Page) ([]*Post, error) {
			return tx.PublicPosts(ctx, p, false, false, PostFilter{Audience: AudienceCompany})
		}, func(post *Post) (bool, error) {
			owner := post.Audience.Owner
			if _, known := ours[owner]; !known {
				zone, err := s.ZoneIn(ctx, tx, owner)
				if err != nil {
					return false, err
				}
				ours[owner] = zone.Kind == ZoneCompany
			}
			return ours[owner], nil
		})
		return err
	})
	return views, err
}

// TagPosts lists posts with a hashtag.
func (s *Service) TagPosts(ctx context.Context, r Reader, tag string, p Page) ([]*PostView, error) {
	return s.Public(ctx, r, p, false, false, PostFilter{Tag: s.Text.FoldTag(tag)})
}

// AccountPosts lists what an account wrote, as far as the reader may see it.
func (s *Service) AccountPosts(ctx context.Context, r Reader, id ID, p Page, f PostFilter) (views []*PostView, err error) {
	r.Place = InAccount
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err := s.account(ctx, tx, r, id)
		if err != nil {
			return err
		}
		views, err = s.collect(ctx, tx, r, p, func(p Page) ([]*Post, error) {
			if a.Kind == KindGroup { // nothing is written by a group itself
				return tx.GroupPosts(ctx, id, p)
			}
			return tx.PostsBy(ctx, id, p, f)
		})
		return err
	})
	return views, err
}

// Favourites lists what a member liked; cursors are the marks' ids.
func (s *Service) Favourites(ctx context.Context, r Reader, p Page) ([]*PostView, error) {
	return s.marked(ctx, r, p, Tx.Favourites)
}

func (s *Service) marked(ctx context.Context, r Reader, p Page, list func(Tx, context.Context, ID, Page) ([]*Post, []ID, error)) (views []*PostView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		at := map[ID]ID{} // post -> mark
		read := func(p Page) ([]*Post, error) {
			posts, marks, err := list(tx, ctx, me.ID, p)
			for i, post := range posts {
				at[post.ID] = marks[i]
			}
			return posts, err
		}
		show := func(posts []*Post) ([]*PostView, error) {
			seen, err := s.Visible(ctx, tx, r, posts)
			if err != nil {
				return nil, err
			}
			views, err := s.views(ctx, tx, r, seen)
			for _, v := range views {
				v.Cursor = at[v.Post.ID]
			}
			return views, err
		}
		views, err = scan(p.Clamp(defaultPage, maxPage), read, show, func(p *Post) ID { return at[p.ID] }, place)
		return err
	})
	return views, err
}

// Thread shows what a post answers (oldest first) and what answers it (in order
// of the tree, depth first), as far as the reader may see it. Members' reading
// also completes remote threads in the background.
func (s *Service) Thread(ctx context.Context, r Reader, id ID) (ancestors, descendants []*PostView, err error) {
	var top *Post
	r.Place = InThread
	err = s.Store.View(ctx, func(tx Tx) error {
		if top, err = s.readable(ctx, tx, r, id); err != nil {
			return err
		}
		posts, err := tx.Thread(ctx, top.ThreadID, threadLimit)
		if err != nil {
			return err
		}
		seen, err := s.Visible(ctx, tx, r, posts)
		if err != nil {
			return err
		}
		above, below, under := around(top, posts, seen)
		if ancestors, err = s.views(ctx, tx, r, above); err != nil {
			return err
		}
		descendants, err = s.views(ctx, tx, r, below)
		for _, v := range slices.Concat(ancestors, descendants) {
			v.Under = under[v.Post.ID]
		}
		return err
	})
	if err == nil && r.Local() && s.Remote != nil {
		s.Remote.Thread(context.WithoutCancel(ctx), top)
	}
	return ancestors, descendants, err
}

// around picks the ancestors and descendants of a post out of those of its thread that the
// reader may see. What is gone, or is not for the reader, is passed over on the way up: the
// answers to it stand below what it answered.
func around(top *Post, thread, seen []*Post) (above, below []*Post, under map[ID]ID) {
	parent, shown := make(map[ID]ID, len(thread)), make(map[ID]*Post, len(seen))
	for _, p := range thread {
		parent[p.ID] = p.InReplyToID
	}
	for _, p := range seen {
		shown[p.ID] = p
	}
	under, children := make(map[ID]ID, len(seen)), map[ID][]*Post{}
	for _, p := range seen {
		id := parent[p.ID]
		for steps := 0; id != 0 && shown[id] == nil && steps < len(thread); steps++ { // a ring has no end
			id = parent[id]
		}
		if id != 0 && shown[id] != nil {
			under[p.ID] = id
			children[id] = append(children[id], p)
		}
	}
	done := map[ID]bool{top.ID: true}
	for p := shown[under[top.ID]]; p != nil && !done[p.ID]; p = shown[under[p.ID]] {
		done[p.ID] = true
		above = append([]*Post{p}, above...)
	}
	var walk func(id ID)
	walk = func(id ID) {
		next := children[id]
		sort.Slice(next, func(i, j int) bool { return next[i].ID < next[j].ID })
		for _, p := range next {
			if !done[p.ID] {
				done[p.ID] = true
				below = append(below, p)
				walk(p.ID)
			}
		}
	}
	walk(top.ID)
	return above, below, under
}

// Replies lists the direct answers to a post, oldest first.
func (s *Service) Replies(ctx context.Context, r Reader, id ID, p Page) (posts []*Post, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.readable(ctx, tx, r, id); err != nil {
			return err
		}
		if posts, err = tx.Replies(ctx, id, p.Clamp(defaultPage, maxPage)); err != nil {
			return err
		}
		posts, err = s.Visible(ctx, tx, r, posts)
		return err
	})
	return posts, err
}

// Quotes lists the posts that quote one, as far as the reader may see them.
func (s *Service) Quotes(ctx context.Context, r Reader, id ID, p Page) (views []*PostView, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.readable(ctx, tx, r, id); err != nil {
			return err
		}
		views, err = s.collect(ctx, tx, r, p, func(p Page) ([]*Post, error) { return tx.QuotesOf(ctx, id, p) })
		return err
	})
	return views, err
}

// Versions lists a post's former states, oldest first, and the present one last.
func (s *Service) Versions(ctx context.Context, r Reader, id ID) (versions []*Post, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err := s.readable(ctx, tx, r, id)
		if err != nil {
			return err
		}
		if versions, err = tx.PostVersions(ctx, id); err != nil {
			return err
		}
		versions = append(versions, p)
		return nil
	})
	return versions, err
}

// Favouriters and Boosters list who marked a post that the reader may see.
func (s *Service) Favouriters(ctx context.Context, r Reader, id ID, p Page) ([]*Account, error) {
	return s.markers(ctx, r, id, p, Tx.FavouritersOf)
}

// Boosters lists who shared a post.
func (s *Service) Boosters(ctx context.Context, r Reader, id ID, p Page) ([]*Account, error) {
	return s.markers(ctx, r, id, p, Tx.BoostersOf)
}

func (s *Service) markers(ctx context.Context, r Reader, id ID, p Page, list accountLister) (out []*Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.readable(ctx, tx, r, id); err != nil {
			return err
		}
		out, _, err = s.listed(ctx, tx, r, id, p, list)
		return err
	})
	return out, err
}

// Deliveries tells the author where a post has arrived.
func (s *Service) Deliveries(ctx context.Context, r Reader, id ID) (states []DeliveryState, err error) {
	if _, err := s.member(r); err != nil {
		return nil, err
	}
	var refs []int64
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err := s.own(ctx, tx, r, id)
		if err != nil {
			return err
		}
		receipts, err := tx.ReceiptsOfPost(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, rc := range receipts {
			if !rc.BackAsked.IsZero() {
				continue
			}
			state := "delivered"
			if rc.How == ReceiptFetched {
				state = "fetched"
			}
			states = append(states, DeliveryState{Peer: rc.Peer, Inbox: rc.Inbox, State: state, At: rc.At})
		}
		refusals, err := tx.RefusalsOf(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, f := range refusals {
			states = append(withoutInbox(states, f.Inbox), DeliveryState{Peer: f.Peer, Inbox: f.Inbox, State: string(f.State), At: f.At, LastError: f.Reason})
		}
		activities, err := tx.ActivitiesOf(ctx, p.ID)
		for _, a := range activities {
			if !a.Retraction { // what takes the post back from some brings it to nobody
				refs = append(refs, int64(a.ID))
			}
		}
		return err
	})
	if err != nil || len(refs) == 0 {
		return states, err
	}
	jobs, err := s.Jobs.JobsOf(ctx, "deliver", refs)
	for _, j := range jobs {
		// The receipt is older than the sending: while a job waits, nothing has arrived for sure.
		states = withoutInbox(states, j.Target)
	}
	for _, j := range jobs {
		state := "waiting"
		if !j.HeldAt.IsZero() {
			state = "held"
		}
		states = append(states, DeliveryState{Peer: j.Host, Inbox: j.Target, State: state, Attempts: j.Attempts, NextAt: j.NextAt, LastError: j.LastError})
	}
	return states, err
}

func withoutInbox(states []DeliveryState, inbox string) []DeliveryState {
	return slices.DeleteFunc(states, func(d DeliveryState) bool { return d.Inbox == inbox })
}

package social

import (
	"context"
	"maps"
)

// Visible keeps the posts that the reader may see, in their order. It looks up
// the facts in one batch and asks MaySee, the one function, for each.
func (s *Service) Visible(ctx context.Context, tx Tx, r Reader, posts []*Post) ([]*Post, error) {
	facts, err := s.facts(ctx, tx, r, posts)
	if err != nil {
		return nil, err
	}
	out := make([]*Post, 0, len(posts))
	for _, p := range posts {
		if facts.maySee(r, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// VisibleTo decides on one post.
func (s *Service) VisibleTo(ctx context.Context, tx Tx, r Reader, p *Post) (bool, error) {
	seen, err := s.Visible(ctx, tx, r, []*Post{p})
	return len(seen) == 1, err
}

// factTable holds what is known of one reader and a batch of posts.
type factTable struct {
	follows map[string]bool  // actor URI -> the reader is an accepted follower
	blocked map[ID]bool      // author -> one of the two blocks the other, or the author's server
	authors map[ID]*Account  // of the posts
	named   map[string]*Post // posts whose people an audience names
	members map[string]bool  // group URI -> the reader is a member
}

func (t *factTable) of(r Reader, p *Post, a Audience) Facts {
	f := Facts{
		At:        p.PublishedAt,
		Author:    r.Account != nil && r.Account.ID == p.AuthorID,
		Mentioned: mentions(r, p),
	}
	if a.Kind == AudienceFollowers {
		f.Follows = t.follows[a.Name] || (r.Account != nil && r.Account.URI == a.Name)
	}
	if a.Kind == AudienceGroup {
		f.Member = t.members[a.Name]
	}
	if a.Kind == AudienceDirect && a.Name != p.URI {
		root := t.named[a.Name]
		f.Author, f.Mentioned = false, false
		f.Named = root != nil && (mentions(r, root) || r.Account != nil && r.Account.ID == root.AuthorID)
	}
	return f
}

func (t *factTable) maySee(r Reader, p *Post) bool {
	author := t.authors[p.AuthorID]
	if author == nil || t.blocked[p.AuthorID] || !author.Shown() && !r.System {
		return false
	}
	ceiling := t.of(r, p, p.Ceiling)
	if p.Ceiling.Kind == AudienceFollowers && author.URI != p.Ceiling.Name {
		// Naming somebody in another person's thread must not let them in: only the
		// thread's owner does that. Whoever is answered was in the thread before.
		ceiling.Mentioned = ceiling.Mentioned && answers(r, p)
	}
	return p.MaySee(r, t.of(r, p, p.Audience), ceiling)
}

// answers says that the post replies to the reader; for a whole peer, to anybody
// there that it names.
func answers(r Reader, p *Post) bool {
	if r.Account != nil {
		return p.InReplyToAccountID == r.Account.ID
	}
	for _, m := range p.Mentions {
		if m.AccountID == p.InReplyToAccountID && m.Authority == r.Peer {
			return true
		}
	}
	return false
}

// mentions says that the post names the reader; for a whole peer, anybody there.
func mentions(r Reader, p *Post) bool {
	for _, m := range p.Mentions {
		if r.Account != nil && m.AccountID == r.Account.ID {
			return true
		}
		if r.Account == nil && r.Peer != "" && m.Authority == r.Peer {
			return true
		}
	}
	return false
}

func (s *Service) facts(ctx context.Context, tx Tx, r Reader, posts []*Post) (*factTable, error) {
	t := &factTable{follows: map[string]bool{}, blocked: map[ID]bool{}, named: map[string]*Post{}, members: map[string]bool{}}
	var actors, roots, groups []string
	authors := make([]ID, 0, len(posts))
	for _, p := range posts {
		authors = append(authors, p.AuthorID)
		for _, a := range []Audience{p.Audience, p.Ceiling} {
			switch {
			case a.Kind == AudienceFollowers:
				actors = append(actors, a.Name)
			case a.Kind == AudienceGroup:
				groups = append(groups, a.Name)
			case a.Kind == AudienceDirect && a.Name != p.URI && a.Name != "":
				roots = append(roots, a.Name)
			}
		}
	}
	if err := s.learnAuthors(ctx, tx, r, unique(authors), t); err != nil {
		return nil, err
	}
	if len(actors) > 0 && r.Known() {
		if err := s.learnFollows(ctx, tx, r, unique(actors), t); err != nil {
			return nil, err
		}
	}
	if len(groups) > 0 && r.Known() {
		if err := s.learnMembers(ctx, tx, r, unique(groups), t); err != nil {
			return nil, err
		}
	}
	if len(roots) > 0 && r.Known() {
		named, err := tx.PostsByURI(ctx, unique(roots))
		if err != nil {
			return nil, err
		}
		t.named = named
	}
	return t, nil
}

func (s *Service) learnAuthors(ctx context.Context, tx Tx, r Reader, authors []ID, t *factTable) error {
	var err error
	if t.authors, err = tx.Accounts(ctx, authors); err != nil {
		return err
	}
	if err := s.learnBlockedServers(ctx, tx, t); err != nil {
		return err
	}
	if r.Account == nil {
		return nil
	}
	blocks, err := tx.Blocks(ctx, r.Account.ID, authors)
	if err != nil {
		return err
	}
	var away map[ID]bool
	if r.Local() {
		if away, err = keptAway(ctx, tx, r.Account.ID, t.authors); err != nil {
			return err
		}
	}
	for id, b := range blocks {
		t.blocked[id] = t.blocked[id] || b.Blocking || b.BlockedBy
	}
	for id, on := range away {
		t.blocked[id] = t.blocked[id] || on
	}
	return nil
}

// learnBlockedServers hides what came from a server before it was blocked.
func (s *Service) learnBlockedServers(ctx context.Context, tx Tx, t *factTable) error {
	var servers []string
	for _, a := range t.authors {
		if !a.Local() {
			servers = append(servers, a.Authority)
		}
	}
	blocked, err := tx.BlockedAmong(ctx, unique(servers))
	for id, a := range t.authors {
		if blocked[a.Authority] {
			t.blocked[id] = true
		}
	}
	return err
}

func (s *Service) learnFollows(ctx context.Context, tx Tx, r Reader, actors []string, t *factTable) error {
	accounts, err := tx.AccountsByURI(ctx, actors)
	if err != nil {
		return err
	}
	if r.Peer != "" { // followers in zones that the policy lets the author reach
		policy, err := s.policyIn(ctx, tx)
		if err != nil {
			return err
		}
		maps.DeleteFunc(accounts, func(_ string, a *Account) bool { return !policy.follower(a, r.Zone) })
	}
	if r.Account == nil {
		for uri, a := range accounts {
			if t.follows[uri], err = tx.PeerFollows(ctx, r.Peer, a.ID); err != nil {
				return err
			}
		}
		return nil
	}
	ids := make([]ID, 0, len(accounts))
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	follows, err := tx.FollowsTo(ctx, r.Account.ID, ids)
	if err != nil {
		return err
	}
	for uri, a := range accounts {
		f := follows[a.ID]
		t.follows[uri] = f != nil && f.State == FollowAccepted
	}
	return nil
}

func unique[T comparable](in []T) []T {
	seen := make(map[T]bool, len(in))
	out := in[:0:0]
	for _, v := range in {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

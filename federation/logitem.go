package federation

import (
	"context"
	"encoding/json"
	"time"

	"parley/activitypub"
	"parley/social"
)

// standing is what a reader's server has of a post.
type standing int

const (
	// unseen: it does not have it and does not get it.
	unseen standing = iota
	// seen: it may see the post as it is now.
	seen
	// withheld: it has the post, whose author is suspended. That ends, and says
	// nothing about who may see it.
	withheld
	// takenBack: it has the post and may not see it any more, or nobody may.
	takenBack
)

// logFacts are what must be known of a batch of entries, looked up together.
type logFacts struct {
	reader   social.Reader
	posts    map[social.ID]*social.Post
	people   map[social.ID]*social.Account
	standing map[social.ID]standing
	followed map[social.ID]bool // by somebody at the reader's server
	follows  map[string]*social.Follow
	entries  map[string]*social.Person // of the directory, by entryURI
	see      func(*social.Person) *social.Person
	told     map[string]bool // entries that the reader's server was told of
}

// learnEntries looks up what the entries speak of.
func (s *Server) learnEntries(ctx context.Context, tx social.Tx, r social.Reader, entries []*social.Activity) (f *logFacts, err error) {
	f = &logFacts{reader: r}
	var posts, people []social.ID
	var follows, entered []string
	for _, a := range entries {
		people = append(people, a.ActorID)
		if a.PostID != 0 {
			posts = append(posts, a.PostID)
		}
		if a.Verb == social.VerbFollow {
			follows = append(follows, a.URI)
		}
		if a.Verb == social.VerbPeople {
			entered = append(entered, a.About)
		}
	}
	if err := s.learnPeople(ctx, tx, f, entered); err != nil {
		return nil, err
	}
	if f.posts, err = tx.Posts(ctx, posts); err != nil {
		return nil, err
	}
	own := make([]*social.Post, 0, len(f.posts))
	var shared []social.ID
	for _, p := range f.posts {
		own = append(own, p)
		if p.BoostOfID != 0 && !p.Deleted() {
			shared = append(shared, p.BoostOfID)
		}
	}
	if f.people, err = tx.Accounts(ctx, people); err != nil {
		return nil, err
	}
	if f.followed, err = tx.FollowedFrom(ctx, r.Peer, people); err != nil {
		return nil, err
	}
	if f.follows, err = tx.FollowsByURI(ctx, follows); err != nil {
		return nil, err
	}
	if f.standing, err = s.standings(ctx, tx, r, own, f.followed); err != nil {
		return nil, err
	}
	subjects, err := tx.Posts(ctx, shared)
	for id, p := range subjects {
		f.posts[id] = p
	}
	return f, err
}

// standings tells what a server has of posts of ours: the audience function says what
// it may see, receipts say what it has.
func (s *Server) standings(ctx context.Context, tx social.Tx, r social.Reader, posts []*social.Post, followed map[social.ID]bool) (map[social.ID]standing, error) {
	visible, err := s.social.Visible(ctx, tx, r, posts)
	if err != nil {
		return nil, err
	}
	patient := r
	patient.System = true
	admitted, err := s.social.Visible(ctx, tx, patient, posts) // of suspended authors, and tombstones
	if err != nil {
		return nil, err
	}
	uris, authors := make([]string, 0, len(posts)), make([]social.ID, 0, len(posts))
	for _, p := range posts {
		uris, authors = append(uris, p.URI), append(authors, p.AuthorID)
	}
	had, err := tx.HaveReceipts(ctx, r.Peer, uris)
	if err != nil {
		return nil, err
	}
	keeps, err := s.social.Visible(ctx, tx, r.AsHad(), posts)
	if err != nil {
		return nil, err
	}
	people, err := tx.Accounts(ctx, authors)
	if err != nil {
		return nil, err
	}
	out := make(map[social.ID]standing, len(posts))
	for _, p := range posts {
		if had[p.URI] {
			out[p.ID] = takenBack
		}
	}
	for _, p := range admitted {
		if had[p.URI] && !p.Deleted() && !people[p.AuthorID].Shown() {
			out[p.ID] = withheld
		}
	}
	for _, p := range keeps {
		if had[p.URI] {
			out[p.ID] = seen
		}
	}
	for _, p := range visible {
		if concerns(r, p, followed) {
			out[p.ID] = seen
		}
	}
	for _, p := range posts {
		if a := people[p.AuthorID]; a == nil || !a.DeletedAt.IsZero() {
			out[p.ID] = unseen // who left took everything along
		}
	}
	return out, nil
}

// concerns says that a visible post is for a server to keep: everything for a sister;
// for a partner what is for it, and of what everybody may see only what its people
// follow or are named in. Nobody is made to keep all that the world can read.
func concerns(r social.Reader, p *social.Post, followed map[social.ID]bool) bool {
	if r.Zone.Kind == social.ZoneCompany || !p.Audience.Everybody() || followed[p.AuthorID] {
		return true
	}
	for _, m := range p.Mentions {
		if m.Authority == r.Peer {
			return true
		}
	}
	return false
}

// item is what an entry of the change log tells a reader: the state of its object now;
// nil when that is nothing for it.
func (s *Server) item(ctx context.Context, tx social.Tx, f *logFacts, a *social.Activity) (object, error) {
	actor := f.people[a.ActorID]
	if actor == nil {
		return nil, nil
	}
	if a.Peer != "" {
		return personalItem(f, a, actor)
	}
	switch a.Verb {
	case social.VerbCreate, social.VerbEdit, social.VerbNarrow, social.VerbDelete, social.VerbBoost, social.VerbUnboost, social.VerbPollCount:
		return s.postItem(ctx, tx, f, a, actor)
	case social.VerbProfile, social.VerbLeave, social.VerbPin, social.VerbUnpin:
		// A partner is not told who else works here.
		if f.reader.Zone.Kind != social.ZoneCompany && !f.followed[actor.ID] {
			return nil, nil
		}
		return s.profileItem(ctx, tx, f, a, actor)
	case social.VerbPeople:
		return s.peopleItem(f, a, actor), nil
	}
	return nil, nil
}

func (s *Server) postItem(ctx context.Context, tx social.Tx, f *logFacts, a *social.Activity, author *social.Account) (object, error) {
	p := f.posts[a.PostID]
	if p == nil {
		return nil, nil
	}
	c := social.Change{Verb: social.VerbCreate, Actor: author, Post: p, At: p.PublishedAt}
	id := p.ID
	switch f.standing[p.ID] {
	case seen:
		if p.Kind == social.PostBoost {
			c.Verb, c.Subject = social.VerbBoost, f.posts[p.BoostOfID]
			if c.Subject == nil {
				return nil, nil
			}
		}
	case takenBack:
		// Of shares too: what they shared may be gone with them.
		c.Verb, id, c.At = social.VerbNarrow, a.ID, retractedAt(p, a)
		if p.Deleted() {
			c.Verb = social.VerbDelete
		}
	default:
		return nil, nil
	}
	o, _, err := s.activity(ctx, tx, id, c)
	if f.standing[p.ID] == takenBack && !a.Retraction {
		o["id"] = o.ID() + "#retraction" // the entry's own id is that of a Create or Update
	}
	return o, err
}

// retractedAt is when a post was taken back: by its deletion, or by the edit that
// left the reader out.
func retractedAt(p *social.Post, a *social.Activity) time.Time {
	switch {
	case p.Deleted():
		return p.DeletedAt
	case !p.EditedAt.IsZero():
		return p.EditedAt
	}
	return a.CreatedAt
}

func (s *Server) profileItem(ctx context.Context, tx social.Tx, f *logFacts, a *social.Activity, actor *social.Account) (object, error) {
	c := social.Change{Verb: social.VerbProfile, Actor: actor, At: a.CreatedAt}
	switch {
	case !actor.DeletedAt.IsZero():
		c.Verb = social.VerbLeave
	case !actor.Shown():
		return nil, nil
	case actor.Kind == social.KindGroup:
		if shown, err := s.social.Shows(ctx, tx, f.reader, actor); err != nil || !shown {
			return nil, err
		}
	}
	switch {
	case a.Verb == social.VerbPin, a.Verb == social.VerbUnpin:
		return s.pinned(ctx, tx, f.reader, actor)
	}
	o, _, err := s.activity(ctx, tx, a.ID, c)
	return o, err
}

// pinned is what a member shows on top, as a state: the collection itself.
func (s *Server) pinned(ctx context.Context, tx social.Tx, r social.Reader, a *social.Account) (object, error) {
	posts, err := tx.PostsBy(ctx, a.ID, social.Page{Limit: social.MaxPins}, social.PostFilter{Pinned: true, Everybody: true})
	if err == nil {
		posts, err = s.social.Visible(ctx, tx, r, posts)
	}
	return object{"id": a.FeaturedURI, "type": activitypub.OrderedCollection, "attributedTo": a.URI, "orderedItems": uris(posts)}, err
}

// personalItem is what was said between two people, as it was said: it holds ids
// alone, and the newest word about a thing is its state. A request to follow that was
// turned down since is none.
func personalItem(f *logFacts, a *social.Activity, actor *social.Account) (object, error) {
	if a.Peer != f.reader.Peer || !actor.Active() {
		return nil, nil
	}
	if a.Verb == social.VerbFollow {
		if had := f.follows[a.URI]; had == nil || had.FollowerID != a.ActorID {
			return nil, nil
		}
	}
	o, err := activitypub.Parse(a.Body)
	if err != nil {
		return nil, nil // of a post that was deleted: nothing is left of it
	}
	return o, nil
}

// signed writes an item with the proof of its actor: as it was said, or made now.
func (s *Server) signed(ctx context.Context, tx social.Tx, a *social.Activity, o object) (json.RawMessage, error) {
	if a.Peer != "" && o.Has("proof") {
		return a.Body, nil
	}
	return s.prove(ctx, tx, a.ActorID, o)
}

package social

import (
	"context"
	"slices"
	"strings"
	"time"
)

// UnsentState says what an unsent post waits for.
type UnsentState string

const (
	UnsentDraft     UnsentState = "draft"     // its author
	UnsentScheduled UnsentState = "scheduled" // the time that its author chose
	UnsentHeld      UnsentState = "held"      // the moment in which its author may think again
)

// MaxDrafts is how many drafts a member can save. What comes back because it could not
// be published is kept beyond that.
const MaxDrafts = 50

// Unsent is what a member wrote and did not publish yet. Nobody else sees it.
type Unsent struct {
	ID        ID
	AuthorID  ID
	State     UnsentState
	Draft     Draft
	UpdatedAt time.Time
	DueAt     time.Time // when it is published; zero for drafts
	Audience  string    // label of who would see it, as it was when its time was set
	Grant     string    // bounds who may see it, when an app wrote it: Reader.Grant
	Reason    string    // why it was not published when it was due; "" for all else
}

// Waits says that it is published without another word of its author.
func (u *Unsent) Waits() bool { return u.State != UnsentDraft }

// UnsentView is an unsent post with all that its author needs to go on with it. Its
// draft names only what is still there.
type UnsentView struct {
	*Unsent
	Files   []*Media
	Content string    // its text as safe HTML, without links to people
	Parent  *PostView // what it answers; nil for nothing
	Quote   *PostView // what it quotes; nil for nothing
	// Alone says that what it answered or quoted is gone, or hidden by now: it would be
	// a post of its own.
	Alone bool
	// Clamped is that of PostView, told when the time is set.
	Clamped bool
}

// UnsentStore keeps what members did not publish yet.
type UnsentStore interface {
	Unsent(ctx context.Context, id ID) (*Unsent, error)
	// UnsentOf lists what an author has in one state by id.
	UnsentOf(ctx context.Context, author ID, state UnsentState, p Page) ([]*Unsent, error)
	// CountUnsent counts what an author has in one state, and what of it is due from
	// one time until before another.
	CountUnsent(ctx context.Context, author ID, state UnsentState, from, until time.Time) (all, due int, err error)
	// UnsentDue lists what waits and is due by then, of all authors.
	UnsentDue(ctx context.Context, now time.Time) ([]*Unsent, error)
	// PutUnsent inserts what has no id yet, else updates it. The files of its draft are
	// no orphans.
	PutUnsent(ctx context.Context, u *Unsent) error
	DeleteUnsent(ctx context.Context, id ID) error
	// DeleteUnsentOf removes all that an author has.
	DeleteUnsentOf(ctx context.Context, author ID) error
}

// SaveDraft keeps a draft; UnsentID of d is the one that it replaces, zero for a new
// one. It may be anything that can become a post: too long, or to nobody yet. What
// waits for its time is not changed under way: Withdraw it first.
func (s *Service) SaveDraft(ctx context.Context, r Reader, d Draft) (v *UnsentView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	if err := s.checkSaved(d); err != nil {
		return nil, err
	}
	err = retryTaken(func() error {
		return s.Store.Tx(ctx, func(tx Tx) error {
			u, err := s.replaced(ctx, tx, me, d.UnsentID)
			if err != nil {
				return err
			}
			if u.Waits() {
				return Errorf(Conflict, "this post waits to be sent; take it back before you change it")
			}
			if u.ID == 0 {
				if err := s.roomForDraft(ctx, tx, me); err != nil {
					return err
				}
			}
			if d.MediaIDs, err = s.freeFiles(ctx, tx, me, d.MediaIDs); err != nil {
				return err
			}
			u.Grant, u.Reason = r.Grant, ""
			if err := s.keepUnsent(ctx, tx, u, d); err != nil {
				return err
			}
			v, err = s.unsentView(ctx, tx, r, u)
			return err
		})
	})
	return v, err
}

func (s *Service) roomForDraft(ctx context.Context, tx Tx, me *Account) error {
	n, _, err := tx.CountUnsent(ctx, me.ID, UnsentDraft, time.Time{}, time.Time{})
	if err == nil && n >= MaxDrafts {
		return Errorf(Limited, "you have %d drafts already; send or delete one first", n)
	}
	return err
}

// checkSaved bounds what is kept, and asks nothing else of a draft.
func (s *Service) checkSaved(d Draft) error {
	length := len([]rune(d.Text)) + len([]rune(d.Summary))
	var options []string
	if d.Poll != nil {
		options = d.Poll.Options
	}
	for _, o := range options {
		length += len([]rune(o))
	}
	most := 2 * s.Limits.PostLength
	switch {
	case length == 0 && len(d.MediaIDs) == 0:
		return Errorf(Invalid, "the draft is empty")
	case length > most:
		return Errorf(Invalid, "the draft is longer than %d characters", most)
	case len(d.MediaIDs) > s.Limits.Attachments:
		return Errorf(Invalid, "at most %d files with a post", s.Limits.Attachments)
	case len(options) > s.Limits.PollOptions:
		return Errorf(Invalid, "a poll has 2 to %d answers", s.Limits.PollOptions)
	}
	return nil
}

// replaced loads an own unsent post, or begins a new one.
func (s *Service) replaced(ctx context.Context, tx Tx, me *Account, id ID) (*Unsent, error) {
	if id == 0 {
		return &Unsent{AuthorID: me.ID, State: UnsentDraft}, nil
	}
	return s.ownUnsent(ctx, tx, me, id)
}

// ownUnsent loads an unsent post of a member; anybody else's is missing.
func (s *Service) ownUnsent(ctx context.Context, tx Tx, me *Account, id ID) (*Unsent, error) {
	u, err := tx.Unsent(ctx, id)
	if err == nil && u.AuthorID != me.ID {
		return nil, NotFoundError()
	}
	return u, err
}

// keepUnsent writes an unsent post with a new text.
func (s *Service) keepUnsent(ctx context.Context, tx Tx, u *Unsent, d Draft) error {
	d.UnsentID, d.IdempotencyKey = 0, ""
	d.Language, d.Audience = clip(d.Language, 35), clip(d.Audience, 400)
	u.Draft, u.UpdatedAt = d, s.Now()
	return tx.PutUnsent(ctx, u)
}

// freeFiles keeps those uploads of a member that no post has taken.
func (s *Service) freeFiles(ctx context.Context, tx Tx, me *Account, ids []ID) ([]ID, error) {
	found, err := tx.MediaOf(ctx, ids)
	return slices.DeleteFunc(unique(ids), func(id ID) bool {
		m := found[id]
		return m == nil || m.AccountID != me.ID || m.PostID != 0
	}), err
}

// Drafts lists a member's drafts, the last written first.
func (s *Service) Drafts(ctx context.Context, r Reader) ([]*UnsentView, error) {
	views, err := s.unsentIn(ctx, r, UnsentDraft, Page{Limit: maxWaiting})
	slices.SortStableFunc(views, func(a, b *UnsentView) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	return views, err
}

// unsentIn lists what a member has in one state.
func (s *Service) unsentIn(ctx context.Context, r Reader, state UnsentState, p Page) (views []*UnsentView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		read := func(p Page) ([]*Unsent, error) { return tx.UnsentOf(ctx, me.ID, state, p) }
		show := func(list []*Unsent) ([]*UnsentView, error) { return s.unsentViews(ctx, tx, r, list) }
		views, err = scan(p, read, show, func(u *Unsent) ID { return u.ID }, func(v *UnsentView) ID { return v.ID })
		return err
	})
	return views, err
}

// Draft shows an own unsent post, in whichever state, to go on with it.
func (s *Service) Draft(ctx context.Context, r Reader, id ID) (v *UnsentView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		u, err := s.ownUnsent(ctx, tx, me, id)
		if err == nil {
			v, err = s.unsentView(ctx, tx, r, u)
		}
		return err
	})
	return v, err
}

// DeleteDraft throws an own unsent post away, in whichever state.
func (s *Service) DeleteDraft(ctx context.Context, r Reader, id ID) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		if _, err := s.ownUnsent(ctx, tx, me, id); err != nil {
			return err
		}
		return s.dropUnsent(ctx, tx, id)
	})
}

// dropUnsent removes an unsent post and what would send it.
func (s *Service) dropUnsent(ctx context.Context, tx Tx, id ID) error {
	if err := tx.DropJobs(ctx, SendJob, int64(id), ""); err != nil {
		return err
	}
	return tx.DeleteUnsent(ctx, id)
}

// spend removes the draft that a post was written as, zero for none. One that is gone
// was sent or deleted elsewhere meanwhile: then nothing is published a second time.
func (s *Service) spend(ctx context.Context, tx Tx, me *Account, id ID) error {
	if id == 0 {
		return nil
	}
	if _, err := s.ownUnsent(ctx, tx, me, id); err != nil {
		if KindOf(err) == NotFound {
			return Errorf(Gone, "this draft was sent or deleted meanwhile; send what you see here as a new post if you still want to")
		}
		return err
	}
	return s.dropUnsent(ctx, tx, id)
}

func (s *Service) unsentView(ctx context.Context, tx Tx, r Reader, u *Unsent) (*UnsentView, error) {
	views, err := s.unsentViews(ctx, tx, r, []*Unsent{u})
	if err != nil {
		return nil, err
	}
	return views[0], nil
}

// unsentViews asks anew who may see what the drafts answer and quote.
func (s *Service) unsentViews(ctx context.Context, tx Tx, r Reader, list []*Unsent) ([]*UnsentView, error) {
	var files, posts []ID
	for _, u := range list {
		files = append(files, u.Draft.MediaIDs...)
		posts = append(posts, u.Draft.InReplyTo, u.Draft.QuoteOf)
	}
	media, err := tx.MediaOf(ctx, unique(files))
	if err != nil {
		return nil, err
	}
	found, err := tx.Posts(ctx, slices.DeleteFunc(unique(posts), func(id ID) bool { return id == 0 }))
	if err != nil {
		return nil, err
	}
	named := make([]*Post, 0, len(found))
	for _, p := range found {
		named = append(named, p)
	}
	if named, err = s.Visible(ctx, tx, r, named); err != nil {
		return nil, err
	}
	shown, err := s.views(ctx, tx, r, named)
	if err != nil {
		return nil, err
	}
	byID := map[ID]*PostView{}
	for _, v := range shown {
		byID[v.Post.ID] = v
	}
	out := make([]*UnsentView, 0, len(list))
	for _, u := range list {
		out = append(out, s.viewUnsent(u, media, byID))
	}
	return out, nil
}

func (s *Service) viewUnsent(u *Unsent, media map[ID]*Media, posts map[ID]*PostView) *UnsentView {
	now := *u
	d := &now.Draft
	v := &UnsentView{Unsent: &now, Parent: posts[d.InReplyTo], Quote: posts[d.QuoteOf]}
	if strings.TrimSpace(d.Text) != "" {
		v.Content = s.render(d.Text, nil).HTML
	}
	if d.InReplyTo != 0 && v.Parent == nil {
		d.InReplyTo, v.Alone = 0, true
	}
	if d.QuoteOf != 0 && v.Quote == nil {
		d.QuoteOf, v.Alone = 0, true
	}
	ids := d.MediaIDs
	d.MediaIDs = nil
	for _, id := range ids {
		if m := media[id]; m != nil && m.AccountID == u.AuthorID && m.PostID == 0 {
			d.MediaIDs, v.Files = append(d.MediaIDs, id), append(v.Files, m)
		}
	}
	return v
}

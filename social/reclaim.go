package social

import (
	"context"
	"time"
)

// This file takes back what is ours and was lost: after a restore, sisters give us the
// objects of ours that they still hold. Federation has verified that a key of our own
// proves each.

// Reclaimed is an own object that another server holds, or knows to be gone.
type Reclaimed struct {
	Author *Account // a member
	Post   *Post    // as it says; of one that is gone, ID and URI
	GoneAt time.Time
	Peer   string
	Inbox  string // where its retraction would go
	Key    string // by which it is proved
}

// Results of a reclaim, as the audit rows call them.
const (
	ReclaimKept    = ""          // nothing new
	ReclaimTaken   = "reclaimed" // a post, or a later state of one
	ReclaimDeleted = "deleted"   // a deletion that we had forgotten
)

// Reclaim takes an own object, in the state that is the last one known anywhere. A
// deletion counts for good, unless it only told the edit that left a reader out: then
// the post was changed at that same moment.
func (s *Service) Reclaim(ctx context.Context, in Reclaimed) (result string, err error) {
	ctx = context.WithValue(ctx, lateKey{}, true) // all of it was told when it was new
	err = s.Store.Tx(ctx, func(tx Tx) error {
		result = ReclaimKept
		had, err := tx.PostByURI(ctx, in.Post.URI)
		if ignoreNotFound(err) != nil {
			return err
		}
		switch {
		case had != nil && (had.AuthorID != in.Author.ID || !had.Local):
			return NotFoundError()
		case !in.GoneAt.IsZero():
			result, err = s.reclaimDeletion(ctx, tx, in, had)
		case had == nil:
			result, err = ReclaimTaken, s.reclaimPost(ctx, tx, in)
		case had.Deleted():
			err = s.deleteAgain(ctx, tx, in, had)
		case in.Post.EditedAt.After(had.EditedAt):
			result, err = ReclaimTaken, s.reclaimEdit(ctx, tx, in, had)
		}
		if err != nil {
			return err
		}
		if err := tx.PutReceipt(ctx, in.receipt(s.Now())); err != nil || result == ReclaimKept {
			return err
		}
		return tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditReceive, Subject: in.Post.URI, Peer: in.Peer, Rule: "own proof", Key: in.Key, Result: result})
	})
	return result, err
}

func (in Reclaimed) receipt(at time.Time) Receipt {
	return Receipt{ObjectURI: in.Post.URI, PostID: in.Post.ID, Peer: in.Peer, Inbox: in.Inbox, How: ReceiptSent, At: at}
}

// reclaimPost writes a post of ours again, under its old id. The change log tells it;
// nobody is sent it anew.
func (s *Service) reclaimPost(ctx context.Context, tx Tx, in Reclaimed) error {
	p := in.Post
	p.AuthorID, p.Local, p.Version, p.ArrivedAt, p.ThreadID = in.Author.ID, true, 1, s.Now(), p.ID
	p.Source = s.Text.ToPlain(p.Content)
	if !p.EditedAt.IsZero() {
		p.Version = 2
	}
	p.nameAudience(in.Author)
	c := Change{Verb: VerbCreate, Actor: in.Author, Post: p, Told: true, At: p.PublishedAt}
	if p.Kind == PostBoost {
		subject, err := tx.Post(ctx, p.BoostOfID)
		if err != nil {
			return err
		}
		c.Verb, c.Subject, p.Ceiling, p.URL = VerbBoost, subject, subject.Bound(), subject.URL
	}
	if err := s.hangBack(ctx, tx, p); err != nil {
		return err
	}
	if err := s.rebind(ctx, tx, in.Author, p); err != nil {
		return err
	}
	if err := s.put(ctx, tx, in.Author, p, false); err != nil {
		return err
	}
	if err := tx.ResolveReplies(ctx, p.URI, p); err != nil {
		return err
	}
	return s.Outbox.Record(ctx, tx, c)
}

// hangBack puts a reclaimed reply under what it answered, and binds it as then.
func (s *Service) hangBack(ctx context.Context, tx Tx, p *Post) error {
	found, err := tx.PostsByURI(ctx, []string{p.InReplyToURI, p.QuoteOfURI})
	if err != nil {
		return err
	}
	if parent := found[p.InReplyToURI]; parent != nil && !parent.Deleted() {
		p.InReplyToID, p.InReplyToAccountID, p.ThreadID = parent.ID, parent.AuthorID, parent.ThreadID
		p.Ceiling = parent.Bound()
	}
	if quoted := found[p.QuoteOfURI]; quoted != nil && !quoted.Deleted() {
		p.QuoteOfID, p.Ceiling = quoted.ID, p.Ceiling.Under(quoted.Bound())
	}
	return nil
}

// rebind gives uploads back to the post that they were made for, where the backup has
// them; others are named and cannot be opened.
func (s *Service) rebind(ctx context.Context, tx Tx, author *Account, p *Post) error {
	for _, a := range p.Attachments {
		m, err := tx.Media(ctx, a.MediaID)
		if KindOf(err) == NotFound {
			continue
		}
		if err != nil {
			return err
		}
		if m.AccountID == author.ID && m.PostID == 0 {
			m.PostID = p.ID
			if err := tx.UpdateMedia(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// reclaimEdit gives a post the later state that others have. As with any edit, it may
// narrow the audience and never widen it.
func (s *Service) reclaimEdit(ctx context.Context, tx Tx, in Reclaimed, had *Post) error {
	p := in.Post
	if p.nameAudience(in.Author); p.Audience.narrows(had.Audience) {
		had.Audience = p.Audience
	}
	had.Content, had.Source, had.Summary, had.Sensitive = p.Content, s.Text.ToPlain(p.Content), p.Summary, p.Sensitive
	had.Language, had.Mentions, had.Tags, had.Attachments = p.Language, p.Mentions, p.Tags, p.Attachments
	had.EditedAt, had.Version = p.EditedAt, had.Version+1
	if err := s.rebind(ctx, tx, in.Author, had); err != nil {
		return err
	}
	if err := tx.UpdatePost(ctx, had); err != nil {
		return err
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbEdit, Actor: in.Author, Post: had, Told: true, At: had.EditedAt})
}

// reclaimDeletion deletes what we had deleted before. Of a post that the backup never
// had, only that it is gone is known again.
func (s *Service) reclaimDeletion(ctx context.Context, tx Tx, in Reclaimed, had *Post) (string, error) {
	if had != nil && (had.Deleted() || !in.GoneAt.After(had.EditedAt)) {
		return ReclaimKept, nil
	}
	if had == nil {
		had = &Post{ID: in.Post.ID, URI: in.Post.URI, URL: in.Post.URI, AuthorID: in.Author.ID, Kind: PostNote, ThreadID: in.Post.ID, Local: true,
			Version: 1, Audience: Audience{Kind: AudienceDirect}, PublishedAt: in.Post.ID.Time(), ArrivedAt: s.Now()}
		had.nameAudience(in.Author)
		if err := tx.InsertPost(ctx, had); err != nil {
			return "", err
		}
	}
	if err := s.erase(ctx, tx, had.ID); err != nil {
		return "", err
	}
	had.DeletedAt = s.Now()
	// Who has it gets the deletion: not everybody may have heard of it.
	return ReclaimDeleted, s.Outbox.Record(ctx, tx, Change{Verb: VerbDelete, Actor: in.Author, Post: had, At: s.Now()})
}

// deleteAgain tells a server that still has what is gone.
func (s *Service) deleteAgain(ctx context.Context, tx Tx, in Reclaimed, had *Post) error {
	if err := tx.PutReceipt(ctx, in.receipt(s.Now())); err != nil {
		return err
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbDelete, Actor: in.Author, Post: had, At: s.Now()})
}

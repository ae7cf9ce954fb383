package social

import (
	"context"
	"strings"
)

// This file takes what other servers did. Federation has verified who did it and
// translated it; here are the rules. Everything can be applied twice: the second
// time changes nothing.

// Arrival is a post of a remote author.
type Arrival struct {
	Post   *Post // URI, content, audience as addressed; ids, thread and ceiling are set here
	Author *Account
	// Backfill brings old posts: no notifications, no timelines.
	Backfill bool
	// Blind is the member whose personal inbox the author delivered it to; zero for
	// the shared one.
	Blind ID
	// Group is the group that the post is addressed to, nil for none; By the authority
	// of the group or thread's owner that handed it on, "" when its author sent it.
	Group *Account
	By    string
	// Bound is the audience of the thread in which By handed it on.
	Bound Audience
	// Via is By when the post counts by its word alone.
	Via string
	// Said is the author's activity, for those who belong to what is ours.
	Said Said
}

// ApplyPost takes a remote post. A known one is answered as it is; one whose
// deletion came first is refused.
func (s *Service) ApplyPost(ctx context.Context, in Arrival) (*Post, error) {
	p := in.Post
	err := s.Store.Tx(ctx, func(tx Tx) error {
		if had, err := tx.PostByURI(ctx, p.URI); err == nil {
			if had.Deleted() {
				return NotFoundError()
			}
			in.Post, p = had, had
			if err := s.joinGroup(ctx, tx, in, had); err != nil {
				return err
			}
			return s.openBlind(ctx, tx, in)
		} else if KindOf(err) != NotFound {
			return err
		}
		if gone, err := tx.WasSeen(ctx, deletedKey(p.URI)); err != nil || gone {
			if err == nil {
				err = NotFoundError()
			}
			return err
		}
		p.Via = in.Via
		if !in.Bound.IsZero() {
			p.Audience = in.Bound
		}
		if err := s.locate(ctx, tx, in.Author, p); err != nil {
			return err
		}
		if err := s.enter(ctx, tx, in, p); err != nil {
			return err
		}
		if err := s.put(ctx, tx, in.Author, p, in.Backfill); err != nil {
			return err
		}
		if err := s.openBlind(ctx, tx, in); err != nil {
			return err
		}
		if err := tx.ResolveReplies(ctx, p.URI, p); err != nil {
			return err
		}
		return s.handOn(ctx, tx, p, in.Said)
	})
	return p, err
}

// openBlind lets the owner of a personal inbox read a direct post that does not name
// them: its author sent them a blind copy (AP 6, T8).
func (s *Service) openBlind(ctx context.Context, tx Tx, in Arrival) error {
	p := in.Post
	if in.Blind == 0 || p.Audience.Kind != AudienceDirect || p.AuthorID != in.Author.ID || p.MentionsAccount(in.Blind) {
		return nil
	}
	owner, err := tx.Account(ctx, in.Blind)
	if err != nil || !owner.Local() || !owner.Active() {
		return ignoreNotFound(err)
	}
	p.Mentions = append(p.Mentions, Mention{AccountID: owner.ID, URI: owner.URI, URL: owner.URL, Acct: owner.Acct(), Authority: owner.Authority})
	if err := tx.UpdatePost(ctx, p); err != nil {
		return err
	}
	return s.notify(ctx, tx, owner.ID, NotifyMention, in.Author, p)
}

// deletedKey remembers a deletion that came before its post.
func deletedKey(uri string) string { return "deleted " + uri }

// locate gives a remote post its id, thread and ceiling. A reply never reaches
// beyond its thread, whatever its addressing says.
func (s *Service) locate(ctx context.Context, tx Tx, author *Account, p *Post) error {
	now := s.Now()
	p.AuthorID, p.Local, p.Version, p.ArrivedAt = author.ID, false, 1, now
	if p.PublishedAt.IsZero() || p.PublishedAt.After(now) {
		p.PublishedAt = now
	}
	p.ID = NewID(p.PublishedAt)
	p.ThreadID = p.ID
	p.nameAudience(author)
	if p.InReplyToURI == p.URI {
		p.InReplyToURI = "" // nothing answers itself (T13)
	}
	if p.InReplyToURI != "" {
		parent, err := tx.PostByURI(ctx, p.InReplyToURI)
		if ignoreNotFound(err) != nil {
			return err
		}
		if parent != nil && !parent.Deleted() {
			p.InReplyToID, p.InReplyToAccountID, p.ThreadID = parent.ID, parent.AuthorID, parent.ThreadID
			p.Ceiling = parent.Bound()
			if p.ContextURI == "" {
				p.ContextURI = parent.ContextURI
			}
			p.Audience, _ = p.Audience.within(p.Ceiling)
			p.nameAudience(author)
		}
	}
	if s.presumes(p.Audience, p.Ceiling) && p.Audience.Kind != AudienceGroup { // into a group its members write: see enter
		p.Audience = Audience{Kind: AudienceDirect}
		p.nameAudience(author)
	}
	if p.QuoteOfURI != "" {
		quoted, err := tx.PostByURI(ctx, p.QuoteOfURI)
		if ignoreNotFound(err) != nil {
			return err
		}
		if quoted != nil && !quoted.Deleted() {
			p.QuoteOfID = quoted.ID
		}
	}
	return nil
}

// presumes says that a remote post speaks to an audience of ours, as if in our name:
// that is for threads which have it.
func (s *Service) presumes(a, ceiling Audience) bool {
	return a.Owner == s.home && ceiling.IsZero()
}

// ApplyEdit changes a remote post of the same actor. An older state changes nothing.
func (s *Service) ApplyEdit(ctx context.Context, actor *Account, p *Post, said Said) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		had, err := s.theirs(ctx, tx, actor, p.URI)
		if err != nil {
			return err
		}
		if !had.EditedAt.IsZero() && !p.EditedAt.After(had.EditedAt) { // also without a date, after one with
			return nil
		}
		if p.Audience.narrows(had.Audience) && !s.presumes(p.Audience, had.Ceiling) {
			had.Audience = p.Audience
			had.nameAudience(actor)
		}
		changed := had.Content != p.Content || had.Title != p.Title || had.Summary != p.Summary
		had.Title, had.Content, had.Summary, had.Sensitive, had.Question = p.Title, p.Content, p.Summary, p.Sensitive, p.Question
		had.Language, had.Mentions, had.Tags, had.Emojis = p.Language, p.Mentions, p.Tags, p.Emojis
		had.Attachments, had.Raw, had.URL = p.Attachments, p.Raw, p.URL
		if p.Poll != nil && had.Poll != nil {
			p.Poll.PostID = had.ID
			had.Poll = p.Poll
		}
		if !p.EditedAt.IsZero() {
			had.EditedAt, had.Version = p.EditedAt, had.Version+1
		}
		if err := tx.UpdatePost(ctx, had); err != nil {
			return err
		}
		s.tell(tx, Event{Kind: EventEdited, Post: had.ID})
		if err := s.handOn(ctx, tx, had, said); err != nil {
			return err
		}
		if err := s.dropFormerCopies(ctx, tx, had); err != nil || !changed {
			return err
		}
		return s.tellBoosters(ctx, tx, actor, had)
	})
}

// tellBoosters notifies members here who shared a post that it changed.
func (s *Service) tellBoosters(ctx context.Context, tx Tx, author *Account, p *Post) error {
	boosters, _, err := tx.BoostersOf(ctx, p.ID, Page{Limit: 40})
	if err != nil {
		return err
	}
	for _, b := range boosters {
		if b.Local() {
			if err := s.notify(ctx, tx, b.ID, NotifyUpdate, author, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// theirs loads a post that the remote actor wrote; anybody else's is missing.
func (s *Service) theirs(ctx context.Context, tx Tx, actor *Account, uri string) (*Post, error) {
	p, err := tx.PostByURI(ctx, uri)
	if err != nil {
		return nil, err
	}
	if p.AuthorID != actor.ID || p.Local || p.Deleted() {
		return nil, NotFoundError()
	}
	return p, nil
}

// ApplyTakeBack forgets a remote post that is not for anybody here any more, by the word
// of its author or of who handed it on: a group, or the owner of a thread. It may come
// again.
func (s *Service) ApplyTakeBack(ctx context.Context, actor *Account, uri string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := tx.PostByURI(ctx, uri)
		if err != nil || p.Local || p.Deleted() || p.AuthorID != actor.ID && !p.handedOnBy(actor) {
			return ignoreNotFound(err)
		}
		if err := s.erase(ctx, tx, p.ID); err != nil {
			return err
		}
		return tx.ForgetPost(ctx, p.ID)
	})
}

// ApplyDelete removes a remote actor's own post. One that is not known yet is
// remembered, so that it cannot arrive later; only URIs of the actor's own server are.
func (s *Service) ApplyDelete(ctx context.Context, actor *Account, uri string, said Said) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.theirs(ctx, tx, actor, uri)
		if KindOf(err) == NotFound {
			if _, known := tx.PostByURI(ctx, uri); KindOf(known) != NotFound || !sameServer(uri, actor.URI) {
				return known
			}
			_, err = tx.Seen(ctx, deletedKey(uri), s.Now())
			return err
		}
		if err != nil {
			return err
		}
		if err := s.handOn(ctx, tx, p, said); err != nil {
			return err
		}
		return s.erase(ctx, tx, p.ID)
	})
}

// sameServer compares scheme and authority of two absolute URIs.
func sameServer(a, b string) bool { return origin(a) != "" && origin(a) == origin(b) }

func origin(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	return strings.ToLower(scheme + "://" + host)
}

package social

import (
	"context"
	"strings"
	"time"
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
}

// PutRemoteAccount inserts or refreshes a remote actor by its URI. Its name and
// host never pass to another URI.
func (s *Service) PutRemoteAccount(ctx context.Context, a *Account, keys []Key) (*Account, error) {
	if a.Host == "" || s.Links.Owns(a.URI) {
		return nil, Errorf(Forbidden, "an account of this instance cannot come from outside")
	}
	err := s.Store.Tx(ctx, func(tx Tx) error {
		had, err := tx.AccountByURI(ctx, a.URI)
		switch {
		case err == nil:
			a.ID, a.CreatedAt = had.ID, had.CreatedAt
			a.SuspendedAt, a.DeletedAt = had.SuspendedAt, had.DeletedAt
			a.Username, a.Host, a.Authority = had.Username, had.Host, had.Authority
			if !had.DeletedAt.IsZero() {
				return &Error{Kind: Gone, Public: "this account was deleted"}
			}
			err = tx.UpdateAccount(ctx, a)
		case KindOf(err) == NotFound:
			a.ID = NewID(s.Now())
			if a.CreatedAt.IsZero() || a.CreatedAt.After(s.Now()) {
				a.CreatedAt = s.Now()
			}
			err = tx.InsertAccount(ctx, a)
		}
		if err != nil {
			return err
		}
		return putKeys(ctx, tx, a.ID, keys)
	})
	return a, err
}

// putKeys replaces an actor's keys: one that is not published any more is dead.
func putKeys(ctx context.Context, tx Tx, account ID, keys []Key) error {
	had, err := tx.KeysOf(ctx, account)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, k := range keys {
		keep[k.URI] = true
		k.AccountID = account
		if err := tx.PutKey(ctx, k); err != nil {
			return err
		}
	}
	for _, k := range had {
		if !keep[k.URI] {
			if err := tx.DeleteKey(ctx, k.URI); err != nil {
				return err
			}
		}
	}
	return nil
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
			return nil
		} else if KindOf(err) != NotFound {
			return err
		}
		if gone, err := tx.WasSeen(ctx, deletedKey(p.URI)); err != nil || gone {
			if err == nil {
				err = NotFoundError()
			}
			return err
		}
		if err := s.locate(ctx, tx, in.Author, p); err != nil {
			return err
		}
		if err := s.place(ctx, tx, in.Author, p, in.Backfill); err != nil {
			return err
		}
		return tx.ResolveReplies(ctx, p.URI, p)
	})
	return p, err
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
	if p.InReplyToURI != "" {
		parent, err := tx.PostByURI(ctx, p.InReplyToURI)
		if ignoreNotFound(err) != nil {
			return err
		}
		if parent != nil && !parent.Deleted() {
			p.InReplyToID, p.InReplyToAccountID, p.ThreadID = parent.ID, parent.AuthorID, parent.ThreadID
			p.Ceiling = ceilingOf(parent)
			if p.ContextURI == "" {
				p.ContextURI = parent.ContextURI
			}
			p.Audience, _ = p.Audience.within(p.Ceiling)
			p.nameAudience(author)
		}
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

// ApplyEdit changes a remote post of the same actor. An older state changes nothing.
func (s *Service) ApplyEdit(ctx context.Context, actor *Account, p *Post) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		had, err := s.theirs(ctx, tx, actor, p.URI)
		if err != nil {
			return err
		}
		if !p.EditedAt.IsZero() && !p.EditedAt.After(had.EditedAt) && !had.EditedAt.IsZero() {
			return nil
		}
		if p.Audience.narrows(had.Audience) {
			had.Audience = p.Audience
			had.nameAudience(actor)
		}
		changed := had.Content != p.Content || had.Title != p.Title || had.Summary != p.Summary
		had.Title, had.Content, had.Summary, had.Sensitive = p.Title, p.Content, p.Summary, p.Sensitive
		had.Language, had.Mentions, had.Tags, had.Emojis = p.Language, p.Mentions, p.Tags, p.Emojis
		had.Attachments, had.Raw, had.URL = p.Attachments, p.Raw, p.URL
		if p.Poll != nil && had.Poll != nil {
			p.Poll.PostID = had.ID
			had.Poll = p.Poll
		}
		if !p.EditedAt.IsZero() {
			had.EditedAt, had.Version = p.EditedAt, had.Version+1
		}
		if err := tx.UpdatePost(ctx, had); err != nil || !changed {
			return err
		}
		return s.tellBoosters(ctx, tx, actor, had)
	})
}

// tellBoosters notifies members here who shared a post that it changed.
func (s *Service) tellBoosters(ctx context.Context, tx Tx, author *Account, p *Post) error {
	boosters, err := tx.BoostersOf(ctx, p.ID, Page{Limit: 40})
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

// ApplyDelete removes a remote actor's own post. One that is not known yet is
// remembered, so that it cannot arrive later; only URIs of the actor's own server are.
func (s *Service) ApplyDelete(ctx context.Context, actor *Account, uri string) error {
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
		files, err := tx.DeletePost(ctx, p.ID, s.Now())
		tx.AfterCommit(func() { s.removeFiles(files) })
		return err
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

// ApplyBoost takes a remote actor's share of a post known here. It needs the
// readers of both.
func (s *Service) ApplyBoost(ctx context.Context, actor *Account, subject *Post, boost *Post) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if _, err := tx.PostByURI(ctx, boost.URI); KindOf(err) != NotFound {
			return err
		}
		if _, err := tx.BoostOf(ctx, actor.ID, subject.ID); KindOf(err) != NotFound {
			return err
		}
		ok, err := s.VisibleTo(ctx, tx, s.remoteReader(ctx, tx, actor), subject)
		if err != nil {
			return err
		}
		if subject.Local && !ok {
			return NotFoundError()
		}
		if err := s.locate(ctx, tx, actor, boost); err != nil {
			return err
		}
		boost.Kind, boost.BoostOfID, boost.Ceiling = PostBoost, subject.ID, ceilingOf(subject)
		boost.URL = subject.URL
		if err := s.place(ctx, tx, actor, boost, false); err != nil {
			return err
		}
		return s.notify(ctx, tx, subject.AuthorID, NotifyReblog, actor, subject)
	})
}

func (s *Service) zoneOf(ctx context.Context, tx Tx, a *Account) Zone {
	z, err := s.ZoneIn(ctx, tx, a.Authority)
	if err != nil {
		return Zone{Kind: ZoneBlocked}
	}
	return z
}

// remoteReader is a remote actor as a reader, inside a transaction.
func (s *Service) remoteReader(ctx context.Context, tx Tx, a *Account) Reader {
	return Reader{Account: a, Peer: a.Authority, Zone: s.zoneOf(ctx, tx, a), Home: s.home}
}

// mayTouch says that a remote actor may react to a post: it must be able to see
// our own posts; what others keep hidden is theirs to decide.
func (s *Service) mayTouch(ctx context.Context, tx Tx, actor *Account, p *Post) error {
	if !p.Local {
		return nil
	}
	ok, err := s.VisibleTo(ctx, tx, s.remoteReader(ctx, tx, actor), p)
	if err == nil && !ok {
		err = NotFoundError()
	}
	return err
}

// ApplyFavourite takes a remote like or emoji reaction.
func (s *Service) ApplyFavourite(ctx context.Context, actor *Account, subject *Post, activityURI string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.mayTouch(ctx, tx, actor, subject); err != nil {
			return err
		}
		changed, err := tx.SetFavourite(ctx, actor.ID, subject.ID, activityURI, true, s.Now())
		if err != nil || !changed {
			return err
		}
		return s.notify(ctx, tx, subject.AuthorID, NotifyFavourite, actor, subject)
	})
}

// ApplyFollow takes a remote request to follow a member.
func (s *Service) ApplyFollow(ctx context.Context, actor, target *Account, activityURI string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		target, err := tx.Account(ctx, target.ID)
		if err != nil {
			return err
		}
		if !target.Local() || !target.Active() || target.Kind == KindApplication {
			return NotFoundError()
		}
		blocks, err := tx.Blocks(ctx, target.ID, []ID{actor.ID})
		if err != nil {
			return err
		}
		f, err := tx.Follow(ctx, actor.ID, target.ID)
		if ignoreNotFound(err) != nil {
			return err
		}
		if f == nil {
			f = &Follow{ID: NewID(s.Now()), FollowerID: actor.ID, TargetID: target.ID, State: FollowPending, ShowBoosts: true, CreatedAt: s.Now()}
		}
		f.URI = activityURI
		if blocks[actor.ID].Blocking {
			return s.Outbox.Record(ctx, tx, Change{Verb: VerbReject, Actor: target, Target: actor, Follow: f, At: s.Now()})
		}
		if f.State == FollowAccepted || !target.Locked {
			return s.answerAgain(ctx, tx, target, actor, f)
		}
		if err := tx.PutFollow(ctx, f); err != nil {
			return err
		}
		return s.followedHere(ctx, tx, actor, target, f)
	})
}

// answerAgain accepts a follow; the other side may have lost an earlier answer.
func (s *Service) answerAgain(ctx context.Context, tx Tx, target, actor *Account, f *Follow) error {
	if f.State == FollowAccepted {
		if err := tx.PutFollow(ctx, f); err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbAccept, Actor: target, Target: actor, Follow: f, At: s.Now()})
	}
	return s.answer(ctx, tx, target, actor, f, true)
}

// ApplyAnswer settles a follow that a member here asked for. An answer to
// nothing, or an acceptance after a rejection, changes nothing. It says whether
// the follow is newly accepted.
func (s *Service) ApplyAnswer(ctx context.Context, actor, follower *Account, accept bool) (bool, error) {
	fresh := false
	err := s.Store.Tx(ctx, func(tx Tx) error {
		fresh = false
		f, err := tx.Follow(ctx, follower.ID, actor.ID)
		if err != nil || !follower.Local() {
			return ignoreNotFound(err)
		}
		if !accept {
			if _, err := tx.DeleteFollow(ctx, follower.ID, actor.ID); err != nil {
				return err
			}
			return tx.ClearTimeline(ctx, follower.ID, actor.ID)
		}
		if f.State == FollowAccepted {
			return nil
		}
		fresh, f.State = true, FollowAccepted
		if err := tx.PutFollow(ctx, f); err != nil {
			return err
		}
		return tx.FillTimeline(ctx, follower.ID, actor.ID, followTimeline)
	})
	return fresh, err
}

// ApplyUndo takes back what the actor did: by the activity's URI or, where a
// server does not send that, by what it was about.
func (s *Service) ApplyUndo(ctx context.Context, actor *Account, activityURI, subjectURI string, verb Verb) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		switch verb {
		case VerbBoost:
			return s.undoBoost(ctx, tx, actor, activityURI, subjectURI)
		case VerbFavourite:
			return s.undoFavourite(ctx, tx, actor, activityURI, subjectURI)
		}
		target, err := tx.AccountByURI(ctx, subjectURI)
		if err != nil {
			return ignoreNotFound(err)
		}
		switch verb {
		case VerbFollow:
			_, err = tx.DeleteFollow(ctx, actor.ID, target.ID)
		case VerbBlock:
			_, err = tx.SetBlock(ctx, actor.ID, target.ID, false, s.Now())
		case VerbAccept:
			if target.Local() {
				_, err = tx.DeleteFollow(ctx, target.ID, actor.ID)
			}
		}
		return err
	})
}

func (s *Service) undoBoost(ctx context.Context, tx Tx, actor *Account, activityURI, subjectURI string) error {
	b, err := tx.PostByURI(ctx, activityURI)
	if KindOf(err) == NotFound && subjectURI != "" {
		subject, err := tx.PostByURI(ctx, subjectURI)
		if err != nil {
			return ignoreNotFound(err)
		}
		if b, err = tx.BoostOf(ctx, actor.ID, subject.ID); err != nil {
			return ignoreNotFound(err)
		}
	} else if err != nil {
		return ignoreNotFound(err)
	}
	if b.AuthorID != actor.ID || b.Kind != PostBoost || b.Deleted() {
		return NotFoundError()
	}
	_, err = tx.DeletePost(ctx, b.ID, s.Now())
	return err
}

func (s *Service) undoFavourite(ctx context.Context, tx Tx, actor *Account, activityURI, subjectURI string) error {
	account, post, err := tx.FavouriteByURI(ctx, activityURI)
	if KindOf(err) == NotFound && subjectURI != "" {
		subject, err := tx.PostByURI(ctx, subjectURI)
		if err != nil {
			return ignoreNotFound(err)
		}
		account, post = actor.ID, subject.ID
	} else if err != nil {
		return ignoreNotFound(err)
	}
	if account != actor.ID {
		return NotFoundError()
	}
	_, err = tx.SetFavourite(ctx, actor.ID, post, "", false, s.Now())
	return err
}

// ApplyBlock takes a remote actor's block of a member: both stop following.
func (s *Service) ApplyBlock(ctx context.Context, actor, target *Account, on bool) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		changed, err := tx.SetBlock(ctx, actor.ID, target.ID, on, s.Now())
		if err != nil || !changed || !on {
			return err
		}
		if _, err := tx.DeleteFollow(ctx, actor.ID, target.ID); err != nil {
			return err
		}
		if _, err := tx.DeleteFollow(ctx, target.ID, actor.ID); err != nil {
			return err
		}
		return tx.ClearTimeline(ctx, target.ID, actor.ID)
	})
}

// ApplyVote counts a remote vote in an own poll: once, before its end, and only
// from somebody who may see it.
func (s *Service) ApplyVote(ctx context.Context, actor *Account, poll *Post, option string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := tx.Post(ctx, poll.ID)
		if err != nil {
			return err
		}
		if p.Poll == nil || !p.Local {
			return NotFoundError()
		}
		if err := s.mayTouch(ctx, tx, actor, p); err != nil {
			return err
		}
		choice := -1
		for i, o := range p.Poll.Options {
			if o.Title == option {
				choice = i
			}
		}
		if err := p.Poll.check([]int{choice}, s.Now()); err != nil {
			return err
		}
		if err := tx.AddVotes(ctx, p.ID, actor.ID, []int{choice}, s.Now()); err != nil {
			if KindOf(err) == Conflict {
				return nil
			}
			return err
		}
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil {
			return err
		}
		return s.tellCounts(ctx, tx, author, p.ID)
	})
}

// ApplyPollCounts takes the counts that a poll's author announces; options never
// change with them, and counts are never negative.
func (s *Service) ApplyPollCounts(ctx context.Context, actor *Account, poll *Post, counts []int, voters int, closed time.Time) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.theirs(ctx, tx, actor, poll.URI)
		if err != nil {
			return err
		}
		if p.Poll == nil || len(counts) != len(p.Poll.Options) {
			return nil
		}
		for i, n := range counts {
			p.Poll.Options[i].Votes = max(n, 0)
		}
		p.Poll.Voters = max(voters, 0)
		if !closed.IsZero() {
			p.Poll.ClosedAt = closed
		}
		return tx.SetPollCounts(ctx, p.Poll)
	})
}

// ApplyReport takes a complaint from another server about a member here.
func (s *Service) ApplyReport(ctx context.Context, actor, target *Account, postURIs []string, comment string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		found, err := tx.PostsByURI(ctx, postURIs)
		if err != nil {
			return err
		}
		r := &Report{ID: NewID(s.Now()), FromPeer: actor.Authority, TargetID: target.ID, Comment: clip(comment, 5000), CreatedAt: s.Now()}
		for _, p := range found {
			if p.AuthorID == target.ID {
				r.PostIDs = append(r.PostIDs, p.ID)
			}
		}
		return s.fileReport(ctx, tx, r, actor)
	})
}

// ApplyMove notes that an account moved; federation has checked that both name
// each other.
func (s *Service) ApplyMove(ctx context.Context, actor, target *Account) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, actor.ID)
		if err != nil {
			return err
		}
		a.MovedToURI = target.URI
		return tx.UpdateAccount(ctx, a)
	})
}

// ApplyPin notes what a remote actor shows on top of its profile.
func (s *Service) ApplyPin(ctx context.Context, actor *Account, uri string, on bool) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.theirs(ctx, tx, actor, uri)
		if err != nil {
			return ignoreNotFound(err)
		}
		_, err = tx.SetPin(ctx, actor.ID, p.ID, on, s.Now())
		return err
	})
}

// leaveBatch is how many posts of a deleted remote account go in one transaction.
const leaveBatch = 100

// ApplyLeave removes a remote account that its server deleted, with its posts.
func (s *Service) ApplyLeave(ctx context.Context, actor *Account) error {
	err := s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, actor.ID)
		if err != nil || a.Local() {
			return err
		}
		a.DeletedAt = s.Now()
		a.DisplayName, a.Note, a.Fields, a.AvatarURL, a.HeaderURL = "", "", nil, "", ""
		return tx.UpdateAccount(ctx, a)
	})
	for err == nil {
		n := 0
		err = s.Store.Tx(ctx, func(tx Tx) error {
			posts, err := tx.PostsBy(ctx, actor.ID, Page{Limit: leaveBatch}, PostFilter{})
			if err != nil {
				return err
			}
			n = len(posts)
			for _, p := range posts {
				if _, err := tx.DeletePost(ctx, p.ID, s.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		if n < leaveBatch {
			break
		}
	}
	return err
}

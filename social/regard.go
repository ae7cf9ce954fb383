package social

import "context"

// Regard is what a member makes of another account.
type Regard struct {
	Note     string // nobody else reads it
	Endorsed bool   // shown on the member's profile, while followed
}

// RegardStore keeps what members make of others, and what they show on their profiles.
type RegardStore interface {
	// PutNote keeps a note about an account; "" removes it.
	PutNote(ctx context.Context, account, target ID, note string) error
	SetEndorsed(ctx context.Context, account, target ID, on bool) error
	// Regards tells what an account makes of others; who is not there is nothing to it.
	Regards(ctx context.Context, account ID, targets []ID) (map[ID]Regard, error)
	// Endorsements lists whom an account recommends and still follows (second result: cursors).
	Endorsements(ctx context.Context, account ID, p Page) ([]*Account, []ID, error)

	// FeaturedTags lists the hashtags on an account's profile by id.
	FeaturedTags(ctx context.Context, account ID) ([]*FeaturedTag, error)
	AddFeaturedTag(ctx context.Context, f *FeaturedTag) error
	// DeleteFeaturedTag says whether there was one.
	DeleteFeaturedTag(ctx context.Context, account, id ID) (bool, error)
	// TaggedBy lists what an account wrote with any of some hashtags, newest first,
	// without tombstones.
	TaggedBy(ctx context.Context, account ID, tags []string, limit int) ([]*Post, error)
	// TagsOf lists the hashtags of an account's newest posts, the most used first.
	TagsOf(ctx context.Context, account ID, posts, limit int) ([]string, error)

	// SetDomainBlock says whether something changed.
	SetDomainBlock(ctx context.Context, account ID, domain string, on bool) (bool, error)
	DomainBlocks(ctx context.Context, account ID, p Page) ([]DomainBlock, error)
	// DomainsBlocked tells which of some servers an account does not want to see.
	DomainsBlocked(ctx context.Context, account ID, domains []string) (map[string]bool, error)
	// FollowersOf lists follows of an account by people of a server, waiting ones too.
	FollowersOf(ctx context.Context, account ID, domain string, limit int) ([]*Follow, error)

	// ForgetRegards removes all of this that an account has.
	ForgetRegards(ctx context.Context, account ID) error
}

// NoteLength bounds a private note, in characters.
const NoteLength = 2000

// SetNote keeps what the reader notes about an account, for the reader alone; "" removes it.
func (s *Service) SetNote(ctx context.Context, r Reader, id ID, note string) (Relationship, error) {
	if len([]rune(note)) > NoteLength {
		return Relationship{}, Errorf(Invalid, "a note has at most %d characters", NoteLength)
	}
	return s.relate(ctx, r, id, func(tx Tx, me, other *Account) error { return tx.PutNote(ctx, me.ID, other.ID, note) })
}

// Endorse shows somebody whom the reader follows on the reader's profile, or no more.
func (s *Service) Endorse(ctx context.Context, r Reader, id ID, on bool) (Relationship, error) {
	return s.relate(ctx, r, id, func(tx Tx, me, other *Account) error {
		if on {
			f, err := tx.Follow(ctx, me.ID, other.ID)
			if ignoreNotFound(err) != nil {
				return err
			}
			if f == nil || f.State != FollowAccepted || other.Kind == KindGroup {
				return Errorf(Invalid, "only people whom you follow can be recommended")
			}
		}
		return tx.SetEndorsed(ctx, me.ID, other.ID, on)
	})
}

// Endorsements lists whom an account recommends, for members: others are told of nobody's
// acquaintances.
func (s *Service) Endorsements(ctx context.Context, r Reader, id ID, p Page) (out []*Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := s.account(ctx, tx, r, id); err != nil || !r.Local() {
			return err
		}
		out, _, err = s.listed(ctx, tx, r, id, p, Tx.Endorsements)
		return err
	})
	return out, err
}

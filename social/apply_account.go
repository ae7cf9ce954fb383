package social

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

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
			if !had.StandIn() {
				a.Username, a.Host = had.Username, had.Host
			}
			a.Authority, a.Face = had.Authority, had.Face
			if !had.DeletedAt.IsZero() {
				return &Error{Kind: Gone, Public: "this account was deleted"}
			}
			if a.AvatarURL == "" {
				s.dropFace(tx, a)
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
		if err := s.wantFace(ctx, tx, a); err != nil {
			return err
		}
		return putKeys(ctx, tx, a.ID, keys)
	})
	return a, err
}

// StandIn makes an account for the author of a post that somebody vouches for, whose own
// server cannot be asked: without keys or inbox, under a name that is nobody's handle.
func (s *Service) StandIn(ctx context.Context, uri, authority string) (a *Account, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if a, err = tx.AccountByURI(ctx, uri); KindOf(err) != NotFound || err == nil {
			return err
		}
		sum := sha256.Sum256([]byte(uri))
		a = &Account{ID: NewID(s.Now()), Kind: KindPerson, Username: standInPrefix + hex.EncodeToString(sum[:6]), Host: authority, Authority: authority,
			DisplayName: clip(s.Text.SanitizePlain(uri[strings.LastIndexByte(uri, '/')+1:], 60), 60), URI: uri, URL: uri, CreatedAt: s.Now()}
		return tx.InsertAccount(ctx, a)
	})
	return a, err
}

// standInPrefix begins the names of stand-ins; no handle begins with a sign like it.
const standInPrefix = "~"

// StandIn says that nothing is known of the account but its address.
func (a *Account) StandIn() bool {
	return strings.HasPrefix(a.Username, standInPrefix) && a.FetchedAt.IsZero()
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

// RemoteReport is a complaint that another server sent.
type RemoteReport struct {
	URI     string   // of the activity
	Posts   []string // their URIs
	Comment string
}

// ApplyReport takes a complaint from another server about a member here; the same one
// by another inbox is none more.
func (s *Service) ApplyReport(ctx context.Context, actor, target *Account, in RemoteReport) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if fresh, err := tx.Seen(ctx, "report "+in.URI, s.Now()); err != nil || !fresh {
			return err
		}
		found, err := tx.PostsByURI(ctx, in.Posts)
		if err != nil {
			return err
		}
		r := &Report{ID: NewID(s.Now()), FromPeer: actor.Authority, TargetID: target.ID, Comment: clip(in.Comment, 5000), CreatedAt: s.Now()}
		for _, p := range found {
			if p.AuthorID == target.ID {
				r.PostIDs = append(r.PostIDs, p.ID)
			}
		}
		return s.fileReport(ctx, tx, r, actor)
	})
}

// ApplyMove notes that an account moved, and lets its followers here follow the new one;
// federation has checked that both name each other.
func (s *Service) ApplyMove(ctx context.Context, actor, target *Account) error {
	err := s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, actor.ID)
		if err != nil {
			return err
		}
		a.MovedToURI = target.URI
		return tx.UpdateAccount(ctx, a)
	})
	if err != nil {
		return err
	}
	return s.moveFollowers(ctx, actor, target)
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
		s.dropFace(tx, a)
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
				if err := s.erase(ctx, tx, p.ID); err != nil {
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

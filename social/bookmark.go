package social

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Kept is what a member keeps with a bookmark; nobody else sees any of it.
type Kept struct {
	Folder   string    // "" for none
	Note     string    // plain text
	RemindAt time.Time // zero for never, or when it was done
}

// Folder is one of a member's for bookmarks; it is there as long as something is in it.
type Folder struct {
	Name  string
	Count int
}

// Bounds of what is kept with a bookmark.
const (
	MaxFolderName = 60   // characters
	MaxKeptNote   = 2000 // characters
	maxFolders    = 100  // of a member: pages list them all
	maxRemind     = 5 * 366 * 24 * time.Hour
)

// check puts white space in order and refuses what cannot be kept; Field of the error is
// folder, note or at.
func (k *Kept) check(now time.Time) error {
	k.Folder = strings.Join(strings.Fields(k.Folder), " ")
	k.Note = strings.TrimSpace(strings.ReplaceAll(k.Note, "\r\n", "\n"))
	var wrong *Error
	field := "at"
	switch {
	case utf8.RuneCountInString(k.Folder) > MaxFolderName:
		field, wrong = "folder", Errorf(Invalid, "the name of a folder has at most %d characters", MaxFolderName)
	case utf8.RuneCountInString(k.Note) > MaxKeptNote:
		field, wrong = "note", Errorf(Invalid, "a note has at most %d characters", MaxKeptNote)
	case k.RemindAt.IsZero():
	case !k.RemindAt.After(now):
		wrong = Errorf(Invalid, "choose a time that is still to come")
	case k.RemindAt.After(now.Add(maxRemind)):
		wrong = Errorf(Invalid, "a reminder is at most five years away")
	}
	if wrong == nil {
		return nil
	}
	wrong.Field = field
	return wrong
}

// Bookmark keeps a post for oneself; nobody is told. Taking it back forgets what was kept with it.
func (s *Service) Bookmark(ctx context.Context, r Reader, id ID, on bool) (*PostView, error) {
	return s.act(ctx, r, id, func(tx Tx, me *Account, p *Post) error {
		_, err := tx.SetBookmark(ctx, me.ID, p.ID, on, s.Now())
		return err
	})
}

// Keep bookmarks a post, if it is not yet, with what is kept with it.
func (s *Service) Keep(ctx context.Context, r Reader, id ID, k Kept) (*PostView, error) {
	if err := k.check(s.Now()); err != nil {
		return nil, err
	}
	return s.act(ctx, r, id, func(tx Tx, me *Account, p *Post) error {
		if err := s.room(ctx, tx, me.ID, k.Folder); err != nil {
			return err
		}
		if _, err := tx.SetBookmark(ctx, me.ID, p.ID, true, s.Now()); err != nil {
			return err
		}
		return tx.SetKept(ctx, me.ID, p.ID, k)
	})
}

// room refuses one more folder than there may be.
func (s *Service) room(ctx context.Context, tx Tx, account ID, folder string) error {
	if folder == "" {
		return nil
	}
	have, err := tx.BookmarkFolders(ctx, account)
	if err != nil || len(have) < maxFolders || slices.ContainsFunc(have, func(f Folder) bool { return f.Name == folder }) {
		return err
	}
	full := Errorf(Invalid, "you have %d folders; use one of them", maxFolders)
	full.Field = "folder"
	return full
}

// Bookmarks lists what a member bookmarked, in one folder unless it is ""; cursors are the
// bookmarks' ids.
func (s *Service) Bookmarks(ctx context.Context, r Reader, p Page, folder string) ([]*PostView, error) {
	return s.marked(ctx, r, p, func(tx Tx, ctx context.Context, account ID, p Page) ([]*Post, []ID, error) {
		return tx.Bookmarks(ctx, account, p, folder)
	})
}

// Unbookmark takes a bookmark away, also of what its member cannot see any more.
func (s *Service) Unbookmark(ctx context.Context, r Reader, id ID) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		had, err := tx.SetBookmark(ctx, me.ID, id, false, s.Now())
		if err == nil && !had {
			err = NotFoundError()
		}
		return err
	})
}

// stillReads says that a member who is here may see a post.
func (s *Service) stillReads(ctx context.Context, tx Tx, account, post ID) (bool, error) {
	a, err := tx.Account(ctx, account)
	if err != nil || !a.Active() {
		return false, ignoreNotFound(err)
	}
	p, err := tx.Post(ctx, post)
	if err != nil {
		return false, ignoreNotFound(err)
	}
	return s.VisibleTo(ctx, tx, Member(a, s.home), p)
}

// BookmarkFolders lists the reader's, by name.
func (s *Service) BookmarkFolders(ctx context.Context, r Reader) (folders []Folder, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		folders, err = tx.BookmarkFolders(ctx, me.ID)
		return err
	})
	return folders, err
}

// RenameFolder puts all that is in one of the reader's folders into another; "" takes it
// out of any. It answers the name as it is kept.
func (s *Service) RenameFolder(ctx context.Context, r Reader, from, to string) (string, error) {
	me, err := s.member(r)
	if err != nil {
		return "", err
	}
	k := Kept{Folder: to}
	if err := k.check(s.Now()); err != nil {
		return "", err
	}
	return k.Folder, s.Store.Tx(ctx, func(tx Tx) error {
		n, err := tx.RenameFolder(ctx, me.ID, from, k.Folder)
		if err == nil && n == 0 {
			err = NotFoundError()
		}
		return err
	})
}

// Reminded is a bookmark of which its member wanted to be reminded.
type Reminded struct{ AccountID, PostID ID }

// remindAtOnce is how many reminders one transaction takes.
const remindAtOnce = 100

// Remind tells members of bookmarks whose time has come, and answers of how many. What was
// told of before is told anew. The instance calls it once a minute.
func (s *Service) Remind(ctx context.Context) (n int, err error) {
	for {
		some, err := s.remindSome(ctx)
		n += some
		if err != nil || some < remindAtOnce {
			return n, err
		}
	}
}

func (s *Service) remindSome(ctx context.Context) (n int, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		due, err := tx.TakeReminders(ctx, s.Now(), remindAtOnce)
		if err != nil {
			return err
		}
		for _, one := range due {
			if ok, err := s.stillReads(ctx, tx, one.AccountID, one.PostID); err != nil || !ok {
				if err != nil {
					return err
				}
				continue
			}
			note := &Notification{AccountID: one.AccountID, Kind: NotifyReminder, FromID: one.AccountID, PostID: one.PostID, CreatedAt: s.Now()}
			if err := tx.RenewNotification(ctx, note); err != nil {
				return err
			}
			if err := s.announce(ctx, tx, note); err != nil {
				return err
			}
		}
		n = len(due)
		return nil
	})
	return n, err
}

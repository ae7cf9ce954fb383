package social

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"parley/media"
)

const (
	// copyAge is how long the copy of another server's file is kept at most.
	copyAge = 30 * 24 * time.Hour
	// copyMark stands in the names of copies.
	copyMark = "-remote"
)

// IsCopy says that a name in the blob store is that of a copy of another server's
// file, which can be had again and needs no backup.
func IsCopy(name string) bool { return strings.Contains(name, copyMark) }

// OpenRemote reads a file of another server's post for a member who may see the
// post: our copy, made when the first of them looks. Where the file cannot be had the
// answer is NotFound, or Unavailable if a later try may help.
func (s *Service) OpenRemote(ctx context.Context, r Reader, post ID, place int) (io.ReadSeekCloser, *Media, error) {
	if !r.Local() {
		return nil, nil, NotFoundError()
	}
	p, author, err := s.withFile(ctx, r, post, place)
	if err != nil {
		return nil, nil, err
	}
	a := p.Attachments[place]
	f, m, err := s.openCopy(ctx, p.ID, a.URL)
	if errors.Is(err, ErrNotFound) {
		if m, err = s.copyOf(ctx, r, p, author, a.URL); err == nil {
			f, _, err = s.Files.Open(ctx, m.File)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return f, shown(a, m), nil
}

// withFile finds another server's post that the reader may see and that has a file in
// this place, and the post's author.
func (s *Service) withFile(ctx context.Context, r Reader, post ID, place int) (p *Post, author *Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if p, err = s.readable(ctx, tx, r, post); err != nil {
			return err
		}
		if p.Local || place < 0 || place >= len(p.Attachments) || !p.Attachments[place].Copied() {
			return NotFoundError()
		}
		author, err = tx.Account(ctx, p.AuthorID)
		return err
	})
	return p, author, err
}

// openCopy opens what is here of a file; NotFound also where only the file is missing,
// since a backup holds no copies.
func (s *Service) openCopy(ctx context.Context, post ID, url string) (f io.ReadSeekCloser, m *RemoteMedia, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		m, err = tx.RemoteMedia(ctx, post, url)
		return err
	})
	if err == nil {
		f, _, err = s.Files.Open(ctx, m.File)
	}
	return f, m, err
}

// shown describes a copy as a file of ours.
func shown(a Attachment, m *RemoteMedia) *Media {
	ext, _ := media.Extension(m.MediaType)
	name := a.Name
	if name == "" {
		name = clip(a.Description, 100)
	}
	if name == "" {
		name = "file"
	}
	if !strings.HasSuffix(strings.ToLower(name), ext) {
		name += ext
	}
	a.MediaType, a.Name, a.Kind = m.MediaType, name, "unknown"
	if strings.HasPrefix(m.MediaType, "image/") {
		a.Kind = "image"
	}
	return &Media{ID: m.ID, PostID: m.PostID, Attachment: a, File: m.File, Size: m.Size, CreatedAt: m.ID.Time()}
}

// copyOf fetches a file, once for all who ask in the same name; one of them leaving
// does not fail the others.
func (s *Service) copyOf(ctx context.Context, r Reader, p *Post, author *Account, url string) (*RemoteMedia, error) {
	var as ID
	if p.personal() {
		as = r.AccountID()
	}
	v, err, _ := s.copies.Do(p.ID.String()+" "+as.String()+" "+url, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limits.CopyTime)
		defer cancel()
		if f, m, err := s.openCopy(ctx, p.ID, url); err == nil { // made since it was looked for
			return m, f.Close()
		}
		got, err := s.Remote.File(ctx, as, author.Authority, url)
		if err != nil {
			return nil, err
		}
		return s.keepCopy(ctx, p.ID, author, url, got)
	})
	if err != nil {
		return nil, err
	}
	return v.(*RemoteMedia), nil
}

// personal says that the owner of the audience knows its members by name, so that
// only one of them may fetch what belongs to the post.
func (p *Post) personal() bool {
	for _, a := range []Audience{p.Audience, p.Ceiling} {
		switch a.Kind {
		case AudienceDirect, AudienceFollowers, AudienceGroup:
			return true
		}
	}
	return false
}

// keepCopy stores a file by what its bytes are, unless the post is gone or a server
// was blocked meanwhile.
func (s *Service) keepCopy(ctx context.Context, post ID, author *Account, url string, got *RemoteFile) (*RemoteMedia, error) {
	kind := media.Sniff(got.Body)
	ext, ok := media.Extension(kind)
	if !ok {
		return nil, NotFoundError()
	}
	m := &RemoteMedia{ID: NewID(s.Now()), PostID: post, URL: url, Origin: got.Origin, MediaType: kind, Size: int64(len(got.Body))}
	m.File = m.ID.String() + copyMark + ext
	if err := s.Files.Put(ctx, m.File, bytes.NewReader(got.Body)); err != nil {
		return nil, err
	}
	if err := s.Store.Tx(ctx, func(tx Tx) error { return s.noteCopy(ctx, tx, author, m) }); err != nil {
		s.removeFiles([]string{m.File})
		return nil, err
	}
	return m, nil
}

func (s *Service) noteCopy(ctx context.Context, tx Tx, author *Account, m *RemoteMedia) error {
	p, err := tx.Post(ctx, m.PostID)
	if err != nil {
		return err
	}
	if p.Deleted() || p.Place(m.URL) < 0 {
		return NotFoundError()
	}
	for _, authority := range []string{author.Authority, m.Origin} {
		zone, err := s.ZoneIn(ctx, tx, authority)
		if err != nil {
			return err
		}
		if zone.Kind == ZoneBlocked {
			return NotFoundError()
		}
	}
	had, err := tx.RemoteMedia(ctx, m.PostID, m.URL)
	if ignoreNotFound(err) != nil {
		return err
	}
	if had != nil {
		tx.AfterCommit(func() { s.removeFiles([]string{had.File}) })
	}
	if err := s.makeRoom(ctx, tx, m.Size); err != nil {
		return err
	}
	return tx.PutRemoteMedia(ctx, m)
}

// makeRoom removes copies that are too old, and the oldest until one of size more
// bytes fits.
func (s *Service) makeRoom(ctx context.Context, tx Tx, size int64) error {
	files, err := tx.EvictRemoteMedia(ctx, s.Now().Add(-copyAge), s.Limits.CacheBytes-size)
	tx.AfterCommit(func() { s.removeFiles(files) })
	return err
}

// dropFormerCopies removes copies of files that an edit took from a post.
func (s *Service) dropFormerCopies(ctx context.Context, tx Tx, p *Post) error {
	var urls []string
	for _, a := range p.Attachments {
		urls = append(urls, a.URL)
	}
	files, err := tx.KeepRemoteMedia(ctx, p.ID, urls)
	tx.AfterCommit(func() { s.removeFiles(files) })
	return err
}

// Place finds an attachment by its remote address; -1 if there is none.
func (p *Post) Place(url string) int {
	for i, a := range p.Attachments {
		if a.URL == url {
			return i
		}
	}
	return -1
}

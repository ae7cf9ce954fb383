package social

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"parley/media"
)

// DescriptionLength bounds an alternative text, in characters.
const DescriptionLength = 1500

// Upload is a file that a member sends.
type Upload struct {
	Body           io.Reader
	Name           string
	Description    string
	FocusX, FocusY float64
}

// Upload keeps a file: pictures decoded anew and stripped of metadata, documents
// as they are. Until a post takes it only its owner sees it, and it is removed
// after a day.
func (s *Service) Upload(ctx context.Context, r Reader, u Upload) (*Media, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(u.Body, s.Limits.UploadBytes+1))
	if err != nil {
		return nil, &Error{Kind: Invalid, Public: "the upload broke off; try again", Err: err}
	}
	if int64(len(data)) > s.Limits.UploadBytes {
		return nil, Errorf(TooLarge, "the file is larger than %d MiB", s.Limits.UploadBytes>>20)
	}
	file, err := s.Images.Process(ctx, bytes.NewReader(data))
	if err != nil {
		return nil, unfit(err)
	}
	m := &Media{ID: NewID(s.Now()), AccountID: me.ID, Size: int64(len(file.Original)), CreatedAt: s.Now()}
	m.File = m.ID.String() + file.Extension
	m.Attachment = Attachment{MediaID: m.ID, Kind: "unknown", MediaType: file.MediaType, Name: s.Text.SanitizePlain(u.Name, 200),
		Description: clip(u.Description, DescriptionLength), FocusX: clampFocus(u.FocusX), FocusY: clampFocus(u.FocusY)}
	if file.Image {
		m.Small = m.ID.String() + "-small" + file.SmallExtension
		m.Attachment.Kind, m.Attachment.Blurhash = "image", file.Blurhash
		m.Attachment.Width, m.Attachment.Height = file.Width, file.Height
		m.Attachment.SmallWidth, m.Attachment.SmallHeight = file.SmallWidth, file.SmallHeight
		if err := s.Files.Put(ctx, m.Small, bytes.NewReader(file.Small)); err != nil {
			return nil, err
		}
	}
	if err := s.Files.Put(ctx, m.File, bytes.NewReader(file.Original)); err != nil {
		return nil, err
	}
	if err := s.Store.Tx(ctx, func(tx Tx) error { return tx.InsertMedia(ctx, m) }); err != nil {
		s.removeFiles(nonEmpty(m.File, m.Small))
		return nil, err
	}
	return m, nil
}

// unfit says what is wrong with a file; other faults of the work are ours.
func unfit(err error) error {
	for _, known := range []error{media.ErrKind, media.ErrLarge, media.ErrBroken} {
		if errors.Is(err, known) {
			return &Error{Kind: Invalid, Public: known.Error(), Err: err}
		}
	}
	return err
}

func clampFocus(f float64) float64 { return max(-1, min(1, f)) }

// Media shows an uploaded file's data to its owner.
func (s *Service) Media(ctx context.Context, r Reader, id ID) (m *Media, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		if m, err = tx.Media(ctx, id); err == nil && m.AccountID != me.ID {
			err = NotFoundError()
		}
		return err
	})
	return m, err
}

// DescribeMedia sets the alternative text and focus of an own file.
func (s *Service) DescribeMedia(ctx context.Context, r Reader, id ID, description *string, focus *[2]float64) (m *Media, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if m, err = tx.Media(ctx, id); err != nil {
			return err
		}
		if m.AccountID != me.ID {
			return NotFoundError()
		}
		if description != nil {
			m.Attachment.Description = clip(*description, DescriptionLength)
		}
		if focus != nil {
			m.Attachment.FocusX, m.Attachment.FocusY = clampFocus(focus[0]), clampFocus(focus[1])
		}
		return tx.UpdateMedia(ctx, m)
	})
	return m, err
}

// OpenMedia reads a file for whoever may see the post it belongs to; profile
// pictures are for everybody who may see the profile.
func (s *Service) OpenMedia(ctx context.Context, r Reader, id ID, small bool) (io.ReadSeekCloser, *Media, error) {
	var m *Media
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if m, err = tx.Media(ctx, id); err != nil {
			return err
		}
		return s.mayOpen(ctx, tx, r, m)
	})
	if err != nil {
		return nil, nil, err
	}
	name := m.File
	if small && m.Small != "" {
		name = m.Small
	}
	f, _, err := s.Files.Open(ctx, name)
	return f, m, err
}

func (s *Service) mayOpen(ctx context.Context, tx Tx, r Reader, m *Media) error {
	owner, err := tx.Account(ctx, m.AccountID)
	if err != nil {
		return err
	}
	if owner.AvatarID == m.ID || owner.HeaderID == m.ID {
		return s.mayShow(r, owner)
	}
	if m.PostID != 0 {
		_, err := s.readable(ctx, tx, r, m.PostID)
		return err
	}
	if r.AccountID() != owner.ID {
		return NotFoundError()
	}
	return nil
}

// orphanAge is how long an upload waits for its post.
const orphanAge = 24 * time.Hour

// SweepMedia removes uploads that no post took, and copies that are too old or too
// many. Pictures of profiles stay.
func (s *Service) SweepMedia(ctx context.Context) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.makeRoom(ctx, tx, 0); err != nil {
			return err
		}
		list, err := tx.OrphanMedia(ctx, s.Now().Add(-orphanAge), 100)
		if err != nil {
			return err
		}
		for _, m := range list {
			if err := tx.DeleteMedia(ctx, m.ID); err != nil {
				return err
			}
			tx.AfterCommit(func() { s.removeFiles(nonEmpty(m.File, m.Small)) })
		}
		return nil
	})
}

func nonEmpty(names ...string) []string {
	var out []string
	for _, n := range names {
		if n != "" {
			out = append(out, n)
		}
	}
	return out
}

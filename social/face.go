package social

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"parley/queue"
)

// Face is our small copy of the picture of somebody on another server. It is made when
// their server tells of the picture, not when somebody looks: so nobody there learns who
// reads what here.
type Face struct {
	URL  string    `json:",omitzero"` // what it was made of
	File string    `json:",omitzero"` // name in the blob store; "" where there was nothing to copy
	At   time.Time `json:",omitzero"` // when that was tried
}

const (
	// FaceJob is the kind of the jobs that copy pictures of accounts; Ref is the account's id.
	FaceJob = "face"
	// FaceTries is how often a server that does not answer is asked.
	FaceTries = 4
	// faceAge is how long a copy counts as fresh: an account told anew after that is copied
	// anew, also from the same address.
	faceAge = 7 * 24 * time.Hour
	// faceBytes bounds the picture that a copy is made of.
	faceBytes = 5 << 20
)

// wantFace orders the copy of what an account shows of itself, unless it is here.
func (s *Service) wantFace(ctx context.Context, tx Tx, a *Account) error {
	if a.AvatarURL == "" || a.Face.URL == a.AvatarURL && s.Now().Sub(a.Face.At) < faceAge {
		return nil
	}
	return tx.AddJobs(ctx, []queue.Job{{Kind: FaceJob, Host: a.Authority, Ref: int64(a.ID), NextAt: s.Now()}})
}

// dropFace forgets the copy of an account's picture; the caller writes the account.
func (s *Service) dropFace(tx Tx, a *Account) {
	if name := a.Face.File; name != "" {
		tx.AfterCommit(func() { s.removeFiles([]string{name}) })
	}
	a.Face = Face{}
}

// FetchFace copies the picture of an account elsewhere, small and as a JPEG of our own
// making. Unavailable says that a later try may help; any other refusal is noted, and
// initials stand in its place.
func (s *Service) FetchFace(ctx context.Context, id ID) error {
	var a *Account
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		a, err = tx.Account(ctx, id)
		return err
	})
	if err != nil || a.Local() || !a.Shown() || a.AvatarURL == "" {
		return ignoreNotFound(err)
	}
	face := Face{URL: a.AvatarURL, At: s.Now()}
	got, err := s.Remote.File(ctx, 0, a.Authority, a.AvatarURL)
	if kind := KindOf(err); err != nil && (kind == Unavailable || kind == Internal) {
		return err
	}
	var small []byte
	if err == nil && len(got.Body) <= faceBytes {
		small, err = s.Images.Face(ctx, got.Body)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && len(small) > 0 {
		face.File = NewID(s.Now()).String() + copyMark + ".jpg"
		if err := s.Files.Put(ctx, face.File, bytes.NewReader(small)); err != nil {
			return err
		}
	}
	kept := false
	err = s.Store.Tx(ctx, func(tx Tx) error {
		kept = false
		now, err := tx.Account(ctx, id)
		if err != nil || now.AvatarURL != face.URL || !now.Shown() {
			return ignoreNotFound(err) // another job copies what they show now
		}
		from := []string{now.Authority}
		if got != nil {
			from = append(from, got.Origin)
		}
		for _, authority := range from {
			if zone, err := s.ZoneIn(ctx, tx, authority); err != nil || zone.Kind == ZoneBlocked {
				return err
			}
		}
		s.dropFace(tx, now)
		now.Face, kept = face, true
		return tx.UpdateAccount(ctx, now)
	})
	if (!kept || err != nil) && face.File != "" {
		s.removeFiles([]string{face.File})
	}
	return err
}

// OpenFace reads our copy of the picture of somebody elsewhere, for a member who may know
// of them. NotFound where there is none: nothing is fetched while somebody waits.
func (s *Service) OpenFace(ctx context.Context, r Reader, id ID) (io.ReadSeekCloser, *Media, error) {
	if !r.Local() {
		return nil, nil, NotFoundError()
	}
	var a *Account
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if a, err = s.account(ctx, tx, r, id); err != nil {
			return err
		}
		if a.Local() || a.Face.File == "" {
			return NotFoundError()
		}
		blocked, err := tx.BlockedAmong(ctx, []string{a.Authority})
		if err == nil && blocked[a.Authority] {
			err = NotFoundError()
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	f, _, err := s.Files.Open(ctx, a.Face.File)
	if errors.Is(err, ErrNotFound) { // a backup holds no copies
		err = errors.Join(s.copyAgain(ctx, a), NotFoundError())
	}
	if err != nil {
		return nil, nil, err
	}
	return f, &Media{ID: a.ID, Attachment: Attachment{Kind: "image", MediaType: "image/jpeg", Name: "face.jpg"}, File: a.Face.File, CreatedAt: a.Face.At}, nil
}

// copyAgain orders a copy that is missed, once: until it is made the account has none.
func (s *Service) copyAgain(ctx context.Context, a *Account) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		now, err := tx.Account(ctx, a.ID)
		if err != nil || now.Face != a.Face {
			return err
		}
		now.Face = Face{}
		if err := tx.UpdateAccount(ctx, now); err != nil {
			return err
		}
		return s.wantFace(ctx, tx, now)
	})
}

package social

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A link to a file works for 12 to 24 hours and stays the same for 12, so that
// apps can cache what it leads to.
const (
	mediaLinkLife = 24 * time.Hour
	mediaLinkStep = 12 * time.Hour
)

// MediaLink is the address of a file for one reader. Apps fetch pictures without
// their token; so, unless everybody may see the file, the address names the reader
// and an end, under our MAC. Whether that reader still may see it is asked again
// when it is used (T35).
func (s *Service) MediaLink(r Reader, id ID, small, open bool) string {
	link := s.Links.Media(id, small)
	if open || !r.Local() {
		return link
	}
	until := s.Now().Truncate(mediaLinkStep).Add(mediaLinkLife).Unix()
	return link + "?for=" + s.mediaTicket(id.String(), r.Account.ID, until)
}

// RemoteMediaLink is the address of our copy of a file of another server's post, by
// its place in the post. Only members are shown copies, so it is always bound to one.
func (s *Service) RemoteMediaLink(r Reader, post ID, place int) string {
	until := s.Now().Truncate(mediaLinkStep).Add(mediaLinkLife).Unix()
	return s.Links.RemoteMedia(post, place) + "?for=" + s.mediaTicket(remoteSubject(post, place), r.AccountID(), until)
}

// remoteSubject is what the ticket of a copy is for; no id of a file of ours.
func remoteSubject(post ID, place int) string {
	return "remote/" + post.String() + "/" + strconv.Itoa(place)
}

// FaceLink is the address of our copy of somebody's picture for one member; an app fetches
// it without a token.
func (s *Service) FaceLink(r Reader, a *Account) string {
	until := s.Now().Truncate(mediaLinkStep).Add(mediaLinkLife).Unix()
	return s.Links.Face(a) + "&for=" + s.mediaTicket(faceSubject(a.ID), r.AccountID(), until)
}

// faceSubject is what the ticket of a face is for; no id of a file of ours.
func faceSubject(id ID) string { return "face/" + id.String() }

// FaceReader is MediaReader for a FaceLink.
func (s *Service) FaceReader(ctx context.Context, id ID, ticket string) (Reader, error) {
	return s.linkReader(ctx, faceSubject(id), ticket)
}

func (s *Service) mediaTicket(subject string, reader ID, until int64) string {
	mac := hmac.New(sha256.New, s.mediaKey)
	said := reader.String() + "." + strconv.FormatInt(until, 10)
	mac.Write([]byte(subject + "." + said))
	return said + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// MediaReader is who opens a file with the ticket of a MediaLink. One that is
// forged, of another file, too old, or of somebody who left is NotFound.
func (s *Service) MediaReader(ctx context.Context, id ID, ticket string) (Reader, error) {
	return s.linkReader(ctx, id.String(), ticket)
}

// RemoteMediaReader is the same for a RemoteMediaLink.
func (s *Service) RemoteMediaReader(ctx context.Context, post ID, place int, ticket string) (Reader, error) {
	return s.linkReader(ctx, remoteSubject(post, place), ticket)
}

func (s *Service) linkReader(ctx context.Context, subject, ticket string) (r Reader, err error) {
	parts := strings.Split(ticket, ".")
	if len(parts) != 3 {
		return r, NotFoundError()
	}
	reader, err := ParseID(parts[0])
	if err != nil {
		return r, err
	}
	until, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || !hmac.Equal([]byte(s.mediaTicket(subject, reader, until)), []byte(ticket)) || s.Now().Unix() > until {
		return r, NotFoundError()
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, reader)
		if err == nil && !a.Active() {
			err = NotFoundError()
		}
		r = Member(a, s.home)
		return err
	})
	return r, err
}

// loadMediaKey reads the key of media links, and makes it at the first start.
func (s *Service) loadMediaKey(ctx context.Context) error {
	const name = "media.link_key"
	return s.Store.Tx(ctx, func(tx Tx) error {
		text, err := tx.Setting(ctx, name)
		if err != nil {
			return err
		}
		if text == "" {
			key := make([]byte, 32)
			_, _ = rand.Read(key) // never fails since Go 1.24
			text = hex.EncodeToString(key)
			if err := tx.PutSetting(ctx, name, text); err != nil {
				return err
			}
		}
		if s.mediaKey, err = hex.DecodeString(text); err != nil {
			return fmt.Errorf("read the setting %s: %w", name, err)
		}
		return nil
	})
}

// SecretFor is a secret of this instance for one purpose, the same after each start
// and in each backup: 32 bytes.
func (s *Service) SecretFor(purpose string) []byte {
	mac := hmac.New(sha256.New, s.mediaKey)
	mac.Write([]byte("purpose " + purpose))
	return mac.Sum(nil)
}

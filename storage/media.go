package storage

import (
	"context"
	"encoding/json"
	"time"

	"parley/social"
)

func scanMedia(s scanner) (*social.Media, error) {
	m := &social.Media{}
	var created int64
	var attachment string
	if err := s.Scan(&m.ID, &m.AccountID, &m.PostID, &m.File, &m.Small, &m.Size, &created, &attachment); err != nil {
		return nil, err
	}
	m.CreatedAt = at(created)
	return m, json.Unmarshal([]byte(attachment), &m.Attachment)
}

const mediaColumns = `id, account_id, post_id, file, small, size, created_at, attachment`

// InsertMedia adds an upload.
func (t *Tx) InsertMedia(ctx context.Context, m *social.Media) error {
	_, err := t.exec(ctx, `INSERT INTO media (`+mediaColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		m.ID, m.AccountID, m.PostID, m.File, m.Small, m.Size, ms(m.CreatedAt), jsonText(m.Attachment))
	return err
}

// Media finds an upload.
func (t *Tx) Media(ctx context.Context, id social.ID) (*social.Media, error) {
	return one(ctx, t, scanMedia, `SELECT `+mediaColumns+` FROM media WHERE id = $1`, id)
}

// MediaOf finds many uploads.
func (t *Tx) MediaOf(ctx context.Context, ids []social.ID) (map[social.ID]*social.Media, error) {
	out := map[social.ID]*social.Media{}
	if len(ids) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanMedia, `SELECT `+mediaColumns+` FROM media WHERE id IN `+t.db.dialect.ids("$1"), jsonText(ids))
	for _, m := range found {
		out[m.ID] = m
	}
	return out, err
}

// UpdateMedia writes the post it belongs to and its description.
func (t *Tx) UpdateMedia(ctx context.Context, m *social.Media) error {
	_, err := t.exec(ctx, `UPDATE media SET post_id = $2, attachment = $3 WHERE id = $1`, m.ID, m.PostID, jsonText(m.Attachment))
	return err
}

// OrphanMedia lists uploads that no post or profile took, and no unsent post keeps.
func (t *Tx) OrphanMedia(ctx context.Context, before time.Time, limit int) ([]*social.Media, error) {
	found, err := list(ctx, t, scanMedia, `SELECT `+mediaColumns+` FROM media
		WHERE post_id = 0 AND created_at < $1 AND NOT EXISTS (SELECT 1 FROM unsent_media u WHERE u.media_id = media.id) ORDER BY id LIMIT $2`, ms(before), limit)
	if err != nil {
		return nil, err
	}
	var out []*social.Media
	for _, m := range found {
		owner, err := t.Account(ctx, m.AccountID)
		if err != nil {
			return nil, err
		}
		if owner.AvatarID != m.ID && owner.HeaderID != m.ID {
			out = append(out, m)
		}
	}
	return out, nil
}

// DeleteMedia removes an upload's row.
func (t *Tx) DeleteMedia(ctx context.Context, id social.ID) error {
	_, err := t.exec(ctx, `DELETE FROM media WHERE id = $1`, id)
	return err
}

package storage

import (
	"context"
	"slices"
	"time"

	"parley/social"
)

const remoteColumns = `m.id, m.post_id, m.url, m.origin, m.file, m.media_type, m.size`

func scanRemote(s scanner) (*social.RemoteMedia, error) {
	m := &social.RemoteMedia{}
	return m, s.Scan(&m.ID, &m.PostID, &m.URL, &m.Origin, &m.File, &m.MediaType, &m.Size)
}

// RemoteMedia finds the kept file of a post.
func (t *Tx) RemoteMedia(ctx context.Context, post social.ID, url string) (*social.RemoteMedia, error) {
	return one(ctx, t, scanRemote, `SELECT `+remoteColumns+` FROM remote_media m WHERE m.post_id = $1 AND m.url = $2`, post, url)
}

// PutRemoteMedia keeps a file, in place of an earlier copy.
func (t *Tx) PutRemoteMedia(ctx context.Context, m *social.RemoteMedia) error {
	if _, err := t.exec(ctx, `DELETE FROM remote_media WHERE post_id = $1 AND url = $2`, m.PostID, m.URL); err != nil {
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO remote_media (id, post_id, url, origin, file, media_type, size) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		m.ID, m.PostID, m.URL, m.Origin, m.File, m.MediaType, m.Size)
	return err
}

// evictions of one transaction.
const evictions = 1000

// EvictRemoteMedia forgets the oldest files.
func (t *Tx) EvictRemoteMedia(ctx context.Context, before time.Time, room int64) ([]string, error) {
	total, err := one(ctx, t, func(s scanner) (n int64, err error) { return n, s.Scan(&n) }, `SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM remote_media`)
	if err != nil {
		return nil, err
	}
	oldest, err := list(ctx, t, scanRemote, `SELECT `+remoteColumns+` FROM remote_media m ORDER BY m.id LIMIT $1`, evictions)
	if err != nil {
		return nil, err
	}
	n := 0
	for ; n < len(oldest) && (total > room || oldest[n].ID.Time().Before(before)); n++ {
		total -= oldest[n].Size
	}
	return t.dropRemote(ctx, oldest[:n])
}

// KeepRemoteMedia forgets the files of a post but those of the addresses given.
func (t *Tx) KeepRemoteMedia(ctx context.Context, post social.ID, urls []string) ([]string, error) {
	had, err := list(ctx, t, scanRemote, `SELECT `+remoteColumns+` FROM remote_media m WHERE m.post_id = $1`, post)
	if err != nil {
		return nil, err
	}
	return t.dropRemote(ctx, slices.DeleteFunc(had, func(m *social.RemoteMedia) bool { return slices.Contains(urls, m.URL) }))
}

// DropBlockedMedia forgets what came from servers that are blocked now, or hangs on
// posts from there.
func (t *Tx) DropBlockedMedia(ctx context.Context) ([]string, error) {
	type row struct {
		*social.RemoteMedia
		author string
	}
	var authorities []string
	rows, err := list(ctx, t, func(s scanner) (row, error) {
		r := row{RemoteMedia: &social.RemoteMedia{}}
		err := s.Scan(&r.ID, &r.Origin, &r.File, &r.author)
		authorities = append(authorities, r.Origin, r.author)
		return r, err
	}, `SELECT m.id, m.origin, m.file, a.authority FROM remote_media m JOIN post p ON p.id = m.post_id JOIN account a ON a.id = p.author_id`)
	if err != nil {
		return nil, err
	}
	slices.Sort(authorities)
	blocked, err := t.BlockedAmong(ctx, slices.Compact(authorities))
	if err != nil {
		return nil, err
	}
	var gone []*social.RemoteMedia
	for _, r := range rows {
		if blocked[r.Origin] || blocked[r.author] {
			gone = append(gone, r.RemoteMedia)
		}
	}
	return t.dropRemote(ctx, gone)
}

func (t *Tx) dropRemote(ctx context.Context, list []*social.RemoteMedia) (files []string, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	ids := make([]social.ID, len(list))
	for i, m := range list {
		ids[i], files = m.ID, append(files, m.File)
	}
	_, err = t.exec(ctx, `DELETE FROM remote_media WHERE id IN `+t.db.dialect.ids("$1"), jsonText(ids))
	return files, err
}

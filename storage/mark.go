package storage

import (
	"context"
	"time"

	"parley/social"
)

// BoostOf finds an account's boost.
func (t *Tx) BoostOf(ctx context.Context, account, post social.ID) (*social.Post, error) {
	return first(t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.boost_of_id = $2 AND p.boost_of_id <> 0 AND p.author_id = $1 AND p.deleted_at = 0`, account, post))
}

// BoostersOf lists who shared a post.
func (t *Tx) BoostersOf(ctx context.Context, post social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `post e JOIN account a ON a.id = e.author_id WHERE e.boost_of_id = $1 AND e.boost_of_id <> 0 AND e.deleted_at = 0`, post, p)
}

// FavouritersOf lists who liked a post.
func (t *Tx) FavouritersOf(ctx context.Context, post social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `mark e JOIN account a ON a.id = e.account_id WHERE e.post_id = $1 AND e.kind = 'favourite'`, post, p)
}

func (t *Tx) setMark(ctx context.Context, kind string, account, post social.ID, uri string, on bool) (bool, error) {
	var n int64
	var err error
	if on {
		n, err = t.exec(ctx, `INSERT INTO mark (id, kind, account_id, post_id, uri) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id, post_id, kind) DO NOTHING`,
			t.db.nextID(), kind, account, post, uri)
	} else {
		n, err = t.exec(ctx, `DELETE FROM mark WHERE kind = $1 AND account_id = $2 AND post_id = $3`, kind, account, post)
	}
	return n > 0, err
}

// SetFavourite likes or unlikes, and counts.
func (t *Tx) SetFavourite(ctx context.Context, account, post social.ID, uri string, on bool, _ time.Time) (bool, error) {
	changed, err := t.setMark(ctx, "favourite", account, post, uri, on)
	if err != nil || !changed {
		return false, err
	}
	_, err = t.exec(ctx, `UPDATE post SET favourites = favourites + $2 WHERE id = $1`, post, 2*bit(on)-1)
	return true, err
}

// FavouriteByURI finds a like by its activity.
func (t *Tx) FavouriteByURI(ctx context.Context, uri string) (account, post social.ID, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT account_id, post_id FROM mark WHERE uri = $1 AND uri <> '' AND kind = 'favourite'`, uri).Scan(&account, &post)
	return account, post, t.db.translate(err)
}

// FavouriteURI finds the activity of a like.
func (t *Tx) FavouriteURI(ctx context.Context, account, post social.ID) (uri string, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT uri FROM mark WHERE account_id = $1 AND post_id = $2 AND kind = 'favourite'`, account, post).Scan(&uri)
	return uri, t.db.translate(err)
}

// SetBookmark keeps a post for oneself.
func (t *Tx) SetBookmark(ctx context.Context, account, post social.ID, on bool, _ time.Time) (bool, error) {
	return t.setMark(ctx, "bookmark", account, post, "", on)
}

// SetKept writes what is kept with a bookmark that there is.
func (t *Tx) SetKept(ctx context.Context, account, post social.ID, k social.Kept) error {
	_, err := t.exec(ctx, `UPDATE mark SET folder = $3, note = $4, remind_at = $5 WHERE account_id = $1 AND post_id = $2 AND kind = 'bookmark'`,
		account, post, k.Folder, k.Note, ms(k.RemindAt))
	return err
}

// BookmarkFolders lists an account's by name.
func (t *Tx) BookmarkFolders(ctx context.Context, account social.ID) ([]social.Folder, error) {
	return list(ctx, t, func(s scanner) (f social.Folder, err error) { return f, s.Scan(&f.Name, &f.Count) },
		`SELECT folder, count(*) FROM mark WHERE account_id = $1 AND kind = 'bookmark' AND folder <> '' GROUP BY folder ORDER BY folder`, account)
}

// RenameFolder answers how many bookmarks were in it.
func (t *Tx) RenameFolder(ctx context.Context, account social.ID, from, to string) (int64, error) {
	return t.exec(ctx, `UPDATE mark SET folder = $3 WHERE account_id = $1 AND kind = 'bookmark' AND folder = $2 AND folder <> ''`, account, from, to)
}

// TakeReminders ends those whose time has come and answers them.
func (t *Tx) TakeReminders(ctx context.Context, now time.Time, limit int) ([]social.Reminded, error) {
	return list(ctx, t, func(s scanner) (r social.Reminded, err error) { return r, s.Scan(&r.AccountID, &r.PostID) },
		`UPDATE mark SET remind_at = 0 WHERE remind_at > 0 AND id IN (SELECT id FROM mark WHERE remind_at > 0 AND remind_at <= $1 ORDER BY remind_at LIMIT $2)
		RETURNING account_id, post_id`, ms(now), limit)
}

// SetPin shows a post on top of the profile.
func (t *Tx) SetPin(ctx context.Context, account, post social.ID, on bool, _ time.Time) (bool, error) {
	return t.setMark(ctx, "pin", account, post, "", on)
}

// PinnedBy lists what somebody or a group shows on top.
func (t *Tx) PinnedBy(ctx context.Context, account social.ID, limit int) ([]*social.Post, error) {
	return t.postList(ctx, `SELECT `+postColumns+` FROM mark m JOIN post p ON p.id = m.post_id
		WHERE m.account_id = $1 AND m.kind = 'pin' AND p.deleted_at = 0 ORDER BY p.id DESC LIMIT $2`, account, limit)
}

// Marks tells what an account marked among posts.
func (t *Tx) Marks(ctx context.Context, account social.ID, posts []social.ID) (map[social.ID]social.Marks, error) {
	out := map[social.ID]social.Marks{}
	if len(posts) == 0 {
		return out, nil
	}
	type row struct {
		post social.ID
		kind string
		kept social.Kept
	}
	rows, err := list(ctx, t, func(s scanner) (row, error) {
		var r row
		var remind int64
		err := s.Scan(&r.post, &r.kind, &r.kept.Folder, &r.kept.Note, &remind)
		r.kept.RemindAt = at(remind)
		return r, err
	}, `SELECT post_id, kind, folder, note, remind_at FROM mark WHERE account_id = $1 AND post_id IN `+t.db.dialect.ids("$2")+`
		UNION ALL SELECT boost_of_id, 'boost', '', '', 0 FROM post WHERE author_id = $1 AND deleted_at = 0 AND boost_of_id <> 0 AND boost_of_id IN `+t.db.dialect.ids("$2")+`
		UNION ALL SELECT p.id, 'mute', '', '', 0 FROM post p JOIN conversation c ON c.account_id = $1 AND c.thread_id = p.thread_id AND c.muted = 1 WHERE p.id IN `+t.db.dialect.ids("$2"),
		account, jsonText(posts))
	for _, r := range rows {
		m := out[r.post]
		switch r.kind {
		case "favourite":
			m.Favourited = true
		case "bookmark":
			m.Bookmarked, m.Kept = true, r.kept
		case "pin":
			m.Pinned = true
		case "boost":
			m.Boosted = true
		case "mute":
			m.Muted = true
		}
		out[r.post] = m
	}
	return out, err
}

// Favourites lists what an account liked.
func (t *Tx) Favourites(ctx context.Context, account social.ID, p social.Page) ([]*social.Post, []social.ID, error) {
	return t.marked(ctx, "favourite", account, p, "")
}

// Bookmarks lists what an account bookmarked, of one folder unless it is "".
func (t *Tx) Bookmarks(ctx context.Context, account social.ID, p social.Page, folder string) ([]*social.Post, []social.ID, error) {
	return t.marked(ctx, "bookmark", account, p, folder)
}

func (t *Tx) marked(ctx context.Context, kind string, account social.ID, p social.Page, folder string) ([]*social.Post, []social.ID, error) {
	which, args := `account_id = $1 AND kind = $2`, []any{account, kind}
	if folder != "" {
		which, args = which+` AND folder = $3`, append(args, folder)
	}
	clause, args, rev := keyset("id", p, args)
	items, err := list(ctx, t, scanItem, `SELECT id, post_id FROM mark WHERE `+which+clause, args...)
	if err != nil {
		return nil, nil, err
	}
	items = turn(items, rev)
	ids := make([]social.ID, len(items))
	for i, it := range items {
		ids[i] = it.PostID
	}
	found, err := t.Posts(ctx, ids)
	var posts []*social.Post
	var cursors []social.ID
	for _, it := range items {
		if p := found[it.PostID]; p != nil {
			posts, cursors = append(posts, p), append(cursors, it.ID)
		}
	}
	return posts, cursors, err
}

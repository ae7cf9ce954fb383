package storage

import (
	"context"
	"strings"

	"parley/social"
)

// ThreadPage lists a part of a thread, oldest first.
func (t *Tx) ThreadPage(ctx context.Context, thread social.ID, p social.Page) ([]*social.Post, error) {
	return t.postList(ctx, `SELECT `+postColumns+` FROM post p
		WHERE p.thread_id = $1 AND p.id > $2 AND p.boost_of_id = 0 AND p.deleted_at = 0 ORDER BY p.id LIMIT $3`,
		thread, int64(max(p.Min, p.Since)), p.Limit)
}

// CountPosts counts an author's posts of some audiences.
func (t *Tx) CountPosts(ctx context.Context, author social.ID, kinds []social.AudienceKind) (n int, err error) {
	among := t.db.dialect.texts("$2")
	err = t.q.QueryRowContext(ctx, `SELECT count(*) FROM post p WHERE p.author_id = $1 AND p.deleted_at = 0
		AND p.audience_kind IN `+among+` AND (p.ceiling_kind = '' OR p.ceiling_kind IN `+among+`)`, author, jsonText(kinds)).Scan(&n)
	return n, t.db.translate(err)
}

// BlockedAmong finds blocked authorities with one query, whatever their number.
func (t *Tx) BlockedAmong(ctx context.Context, authorities []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(authorities) == 0 {
		return out, nil
	}
	var names []string
	for _, a := range authorities {
		names = append(names, blockers(a)...)
	}
	found, err := list(ctx, t, scanText, `SELECT authority FROM peer WHERE zone = 'blocked' AND authority IN `+t.db.dialect.texts("$1"), jsonText(names))
	if err != nil || len(found) == 0 {
		return out, err
	}
	blocked := map[string]bool{}
	for _, name := range found {
		blocked[name] = true
	}
	for _, a := range authorities {
		for _, name := range blockers(a) {
			out[a] = out[a] || blocked[name]
		}
	}
	return out, nil
}

// blockers are the authorities whose block covers one: itself, its host without
// the port, and the domains above.
func blockers(authority string) []string {
	names := []string{authority}
	host, _, _ := strings.Cut(authority, ":")
	if host != authority {
		names = append(names, host)
	}
	for rest := host; strings.Contains(rest, "."); {
		_, rest, _ = strings.Cut(rest, ".")
		names = append(names, rest)
	}
	return names
}

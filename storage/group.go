package storage

import (
	"context"

	"parley/social"
)

// LocalGroups lists the groups of this instance, newest first.
func (t *Tx) LocalGroups(ctx context.Context, p social.Page) ([]*social.Account, error) {
	clause, args, rev := keyset("a.id", p, nil)
	found, err := list(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE a.kind = 'group' AND a.host = '' AND a.deleted_at = 0`+clause, args...)
	return turn(found, rev), err
}

// GroupsOf lists the groups, here and elsewhere, that an account is a member of or has
// asked to join, by name.
func (t *Tx) GroupsOf(ctx context.Context, account social.ID, limit int) ([]*social.Account, error) {
	return list(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM follow f JOIN account a ON a.id = f.target_id
		WHERE f.follower_id = $1 AND a.kind = 'group' AND a.deleted_at = 0 ORDER BY a.name, a.host LIMIT $2`, account, limit)
}

// FindGroups lists the groups of this instance with a name, or a word of it, that begins
// with a text, those with most members first.
func (t *Tx) FindGroups(ctx context.Context, prefix string, skip, limit int) ([]*social.Account, error) {
	p := likeEscape(fold(prefix))
	return list(ctx, t, scanAccount, `SELECT `+accountColumns+` FROM account a
		WHERE a.kind = 'group' AND a.host = '' AND a.deleted_at = 0
		  AND (a.name LIKE $1 ESCAPE '!' OR a.words LIKE $1 ESCAPE '!' OR a.words LIKE $2 ESCAPE '!')
		ORDER BY a.followers DESC, a.id DESC LIMIT $3 OFFSET $4`, p+"%", "% "+p+"%", limit, skip)
}

// GroupPosts lists the posts that begin a thread in a group, without tombstones.
func (t *Tx) GroupPosts(ctx context.Context, group social.ID, p social.Page) ([]*social.Post, error) {
	return t.filtered(ctx, ` WHERE p.group_id = $1 AND p.group_id <> 0 AND p.parent_uri = '' AND p.deleted_at = 0`, []any{group}, p, social.PostFilter{})
}

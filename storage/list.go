package storage

import (
	"context"

	"parley/social"
)

const listColumns = `l.id, l.owner_id, l.title, l.replies_policy, l.exclusive`

func scanList(s scanner) (*social.List, error) {
	l := &social.List{}
	var exclusive int64
	err := s.Scan(&l.ID, &l.OwnerID, &l.Title, &l.Replies, &exclusive)
	l.Exclusive = exclusive == 1
	return l, err
}

// List finds one.
func (t *Tx) List(ctx context.Context, id social.ID) (*social.List, error) {
	return one(ctx, t, scanList, `SELECT `+listColumns+` FROM people_list l WHERE l.id = $1`, id)
}

// ListsOf lists an owner's by id.
func (t *Tx) ListsOf(ctx context.Context, owner social.ID) ([]*social.List, error) {
	return list(ctx, t, scanList, `SELECT `+listColumns+` FROM people_list l WHERE l.owner_id = $1 ORDER BY l.id`, owner)
}

// ListsWith lists those of an owner's that an account is in.
func (t *Tx) ListsWith(ctx context.Context, owner, account social.ID) ([]*social.List, error) {
	return list(ctx, t, scanList, `SELECT `+listColumns+` FROM people_list l JOIN people_list_member m ON m.list_id = l.id
		WHERE l.owner_id = $1 AND m.account_id = $2 ORDER BY l.id`, owner, account)
}

// PutList inserts or updates one.
func (t *Tx) PutList(ctx context.Context, l *social.List) error {
	query := `UPDATE people_list SET owner_id = $2, title = $3, replies_policy = $4, exclusive = $5 WHERE id = $1`
	if l.ID == 0 {
		l.ID = t.db.nextID()
		query = `INSERT INTO people_list (id, owner_id, title, replies_policy, exclusive) VALUES ($1, $2, $3, $4, $5)`
	}
	_, err := t.exec(ctx, query, l.ID, l.OwnerID, l.Title, string(l.Replies), bit(l.Exclusive))
	return err
}

// DeleteList removes one.
func (t *Tx) DeleteList(ctx context.Context, id social.ID) error {
	if _, err := t.exec(ctx, `DELETE FROM people_list_member WHERE list_id = $1`, id); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM people_list WHERE id = $1`, id)
	return err
}

// SetInList puts an account into a list or takes it out.
func (t *Tx) SetInList(ctx context.Context, id, account social.ID, on bool) error {
	query := `DELETE FROM people_list_member WHERE list_id = $1 AND account_id = $2`
	if on {
		query = `INSERT INTO people_list_member (list_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	}
	_, err := t.exec(ctx, query, id, account)
	return err
}

// ListMembers lists whom its owner follows of those in a list, by the follow's id.
func (t *Tx) ListMembers(ctx context.Context, id social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `people_list l JOIN people_list_member m ON m.list_id = l.id JOIN follow e ON e.follower_id = l.owner_id AND e.target_id = m.account_id
		JOIN account a ON a.id = e.target_id WHERE l.id = $1 AND e.state = 'accepted' AND a.deleted_at = 0`, id, p)
}

// AmongListed tells who of some accounts is in a list.
func (t *Tx) AmongListed(ctx context.Context, id social.ID, accounts []social.ID) (map[social.ID]bool, error) {
	in := map[social.ID]bool{}
	if len(accounts) == 0 {
		return in, nil
	}
	found, err := list(ctx, t, scanID, `SELECT account_id FROM people_list_member WHERE list_id = $1 AND account_id IN `+t.db.dialect.ids("$2"), id, jsonText(accounts))
	for _, a := range found {
		in[a] = true
	}
	return in, err
}

// IsApart says that an exclusive list keeps somebody's posts out of the home timeline.
func (t *Tx) IsApart(ctx context.Context, owner, account social.ID) (bool, error) {
	found, err := list(ctx, t, scanID, apart+` AND m.account_id = $2 LIMIT 1`, owner, account)
	return len(found) > 0, err
}

// ListTimeline pages through what the members of a list brought into its owner's home
// timeline.
func (t *Tx) ListTimeline(ctx context.Context, l *social.List, p social.Page) ([]social.TimelineItem, error) {
	clause, args, rev := keyset("id", p, []any{l.OwnerID, l.ID})
	items, err := list(ctx, t, scanItem, `SELECT id, post_id FROM timeline
		WHERE owner_id = $1 AND author_id IN (SELECT account_id FROM people_list_member WHERE list_id = $2)`+clause, args...)
	return turn(items, rev), err
}

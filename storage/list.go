package storage

import (
	"context"

	"parley/social"
)

func scanList(s scanner) (*social.List, error) {
	l := &social.List{}
	return l, s.Scan(&l.ID, &l.OwnerID, &l.Title)
}

// List finds one.
func (t *Tx) List(ctx context.Context, id social.ID) (*social.List, error) {
	return one(ctx, t, scanList, `SELECT id, owner_id, title FROM people_list WHERE id = $1`, id)
}

// ListsOf lists an owner's by id.
func (t *Tx) ListsOf(ctx context.Context, owner social.ID) ([]*social.List, error) {
	return list(ctx, t, scanList, `SELECT id, owner_id, title FROM people_list WHERE owner_id = $1 ORDER BY id`, owner)
}

// ListsWith lists those of an owner's that an account is in.
func (t *Tx) ListsWith(ctx context.Context, owner, account social.ID) ([]*social.List, error) {
	return list(ctx, t, scanList, `SELECT l.id, l.owner_id, l.title FROM people_list l JOIN people_list_member m ON m.list_id = l.id
		WHERE l.owner_id = $1 AND m.account_id = $2 ORDER BY l.id`, owner, account)
}

// PutList inserts or updates one.
func (t *Tx) PutList(ctx context.Context, l *social.List) error {
	query := `UPDATE people_list SET owner_id = $2, title = $3 WHERE id = $1`
	if l.ID == 0 {
		l.ID = t.db.nextID()
		query = `INSERT INTO people_list (id, owner_id, title) VALUES ($1, $2, $3)`
	}
	_, err := t.exec(ctx, query, l.ID, l.OwnerID, l.Title)
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

// ListTimeline pages through what the members of a list brought into its owner's home
// timeline.
func (t *Tx) ListTimeline(ctx context.Context, l *social.List, p social.Page) ([]social.TimelineItem, error) {
	clause, args, rev := keyset("id", p, []any{l.OwnerID, l.ID})
	items, err := list(ctx, t, scanItem, `SELECT id, post_id FROM timeline
		WHERE owner_id = $1 AND author_id IN (SELECT account_id FROM people_list_member WHERE list_id = $2)`+clause, args...)
	return turn(items, rev), err
}

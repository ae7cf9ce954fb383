package storage

import (
	"context"
	"encoding/json"
	"time"

	"parley/social"
)

const unsentColumns = `id, author_id, state, due_at, updated_at, data`

func scanUnsent(s scanner) (*social.Unsent, error) {
	u := &social.Unsent{}
	var id, author social.ID
	var state social.UnsentState
	var due, updated int64
	var data string
	if err := s.Scan(&id, &author, &state, &due, &updated, &data); err != nil {
		return nil, err
	}
	err := json.Unmarshal([]byte(data), u)
	u.ID, u.AuthorID, u.State, u.DueAt, u.UpdatedAt = id, author, state, at(due), at(updated)
	return u, err
}

// Unsent finds what was not published yet.
func (t *Tx) Unsent(ctx context.Context, id social.ID) (*social.Unsent, error) {
	return one(ctx, t, scanUnsent, `SELECT `+unsentColumns+` FROM unsent WHERE id = $1`, id)
}

// UnsentOf lists an author's in one state.
func (t *Tx) UnsentOf(ctx context.Context, author social.ID, state social.UnsentState, p social.Page) ([]*social.Unsent, error) {
	clause, args, rev := keyset("id", p, []any{author, string(state)})
	found, err := list(ctx, t, scanUnsent, `SELECT `+unsentColumns+` FROM unsent WHERE author_id = $1 AND state = $2`+clause, args...)
	return turn(found, rev), err
}

// UnsentDue lists what waits and is due.
func (t *Tx) UnsentDue(ctx context.Context, now time.Time) ([]*social.Unsent, error) {
	return list(ctx, t, scanUnsent, `SELECT `+unsentColumns+` FROM unsent WHERE due_at <> 0 AND due_at <= $1 ORDER BY id`, ms(now))
}

// CountUnsent counts an author's in one state, and those due within some time.
func (t *Tx) CountUnsent(ctx context.Context, author social.ID, state social.UnsentState, from, until time.Time) (all, due int, err error) {
	err = t.q.QueryRowContext(ctx, `
		SELECT count(*), coalesce(sum(CASE WHEN due_at >= $3 AND due_at < $4 THEN 1 ELSE 0 END), 0)
		FROM unsent WHERE author_id = $1 AND state = $2`, author, string(state), ms(from), ms(until)).Scan(&all, &due)
	return all, due, t.db.translate(err)
}

// PutUnsent inserts or updates one, and what is kept for it.
func (t *Tx) PutUnsent(ctx context.Context, u *social.Unsent) error {
	query := `UPDATE unsent SET author_id = $2, state = $3, due_at = $4, updated_at = $5, data = $6 WHERE id = $1`
	if u.ID == 0 {
		u.ID = t.db.nextID()
		query = `INSERT INTO unsent (` + unsentColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`
	}
	if _, err := t.exec(ctx, query, u.ID, u.AuthorID, string(u.State), ms(u.DueAt), ms(u.UpdatedAt), jsonText(u)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM unsent_media WHERE unsent_id = $1`, u.ID); err != nil {
		return err
	}
	for _, id := range u.Draft.MediaIDs {
		if _, err := t.exec(ctx, `INSERT INTO unsent_media (unsent_id, media_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, u.ID, id); err != nil {
			return err
		}
	}
	return nil
}

// DeleteUnsent removes one.
func (t *Tx) DeleteUnsent(ctx context.Context, id social.ID) error {
	if _, err := t.exec(ctx, `DELETE FROM unsent_media WHERE unsent_id = $1`, id); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM unsent WHERE id = $1`, id)
	return err
}

// DeleteUnsentOf removes all of an author.
func (t *Tx) DeleteUnsentOf(ctx context.Context, author social.ID) error {
	if _, err := t.exec(ctx, `DELETE FROM unsent_media WHERE unsent_id IN (SELECT id FROM unsent WHERE author_id = $1)`, author); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM unsent WHERE author_id = $1`, author)
	return err
}

package storage

import (
	"context"

	"parley/social"
)

const upsertRefusal = ` ON CONFLICT (post_id, inbox) DO UPDATE SET state = excluded.state, reason = excluded.reason, at = excluded.at`

// PutRefusal notes that a post did not arrive.
func (t *Tx) PutRefusal(ctx context.Context, r social.Refusal) error {
	_, err := t.exec(ctx, `INSERT INTO refusal (post_id, inbox, peer, state, reason, at) VALUES ($1, $2, $3, $4, $5, $6)`+upsertRefusal,
		r.PostID, r.Inbox, r.Peer, string(r.State), r.Reason, ms(r.At))
	return err
}

// DropRefusal notes that it arrived after all.
func (t *Tx) DropRefusal(ctx context.Context, post social.ID, inbox string) error {
	_, err := t.exec(ctx, `DELETE FROM refusal WHERE post_id = $1 AND inbox = $2`, post, inbox)
	return err
}

// RefusalsOf lists where a post did not arrive.
func (t *Tx) RefusalsOf(ctx context.Context, post social.ID) ([]social.Refusal, error) {
	return list(ctx, t, func(s scanner) (r social.Refusal, err error) {
		var when int64
		err = s.Scan(&r.PostID, &r.Inbox, &r.Peer, &r.State, &r.Reason, &when)
		r.At = at(when)
		return r, err
	}, `SELECT post_id, inbox, peer, state, reason, at FROM refusal WHERE post_id = $1 ORDER BY peer, inbox`, post)
}

// Drop removes a host's jobs, with all of their chains, and notes which posts do not
// arrive because of that.
func (db *DB) Drop(ctx context.Context, kind, host string) (n int, err error) {
	err = db.run(ctx, func(t *Tx) error {
		if _, err := t.exec(ctx, `INSERT INTO refusal (post_id, inbox, peer, state, reason, at)
			SELECT DISTINCT a.post_id, j.target, j.host, $3, 'an administrator dropped it', CAST($4 AS BIGINT)
			FROM job j JOIN activity a ON a.id = j.ref
			WHERE j.kind = $1 AND j.host = $2 AND a.post_id <> 0 AND a.verb IN ('create', 'boost')`+upsertRefusal,
			kind, host, string(social.StateDropped), ms(db.now())); err != nil {
			return err
		}
		changed, err := t.exec(ctx, `DELETE FROM job WHERE kind = $1 AND host = $2`, kind, host)
		n = int(changed)
		return err
	})
	return n, err
}

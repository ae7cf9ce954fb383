package storage

import (
	"context"
	"encoding/json"
	"time"

	"parley/queue"
	"parley/social"
)

const activityColumns = `id, uri, epoch, seq, verb, actor_id, post_id, object_uri, retraction, audience, ceiling, body, created_at, about, peer`

func scanActivity(s scanner) (*social.Activity, error) {
	a := &social.Activity{}
	var retraction, created int64
	var audience, ceiling string
	if err := s.Scan(&a.ID, &a.URI, &a.Epoch, &a.Seq, &a.Verb, &a.ActorID, &a.PostID, &a.ObjectURI, &retraction, &audience, &ceiling, &a.Body, &created, &a.About, &a.Peer); err != nil {
		return nil, err
	}
	a.Retraction, a.CreatedAt = retraction == 1, at(created)
	var err error
	if a.Body, err = unpack(a.Body); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(audience), &a.Audience); err != nil {
		return nil, err
	}
	return a, json.Unmarshal([]byte(ceiling), &a.Ceiling)
}

// InsertActivity adds an entry to the change log. The place is taken under a
// lock, so that it follows the order of commits.
func (t *Tx) InsertActivity(ctx context.Context, a *social.Activity) error {
	if !t.db.dialect.sqlite {
		if _, err := t.exec(ctx, `SELECT pg_advisory_xact_lock(7236)`); err != nil {
			return err
		}
	}
	var err error
	if a.Epoch, err = t.LogEpoch(ctx); err != nil {
		return err
	}
	if err := t.q.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) + 1 FROM activity WHERE epoch = $1`, a.Epoch).Scan(&a.Seq); err != nil {
		return t.db.translate(err)
	}
	body, err := t.db.packers.pack(a.Body)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO activity (`+activityColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		a.ID, a.URI, a.Epoch, a.Seq, string(a.Verb), a.ActorID, a.PostID, a.ObjectURI, bit(a.Retraction), jsonText(a.Audience), jsonText(a.Ceiling), body, ms(a.CreatedAt), a.About, a.Peer)
	return err
}

// Activity finds an entry by id.
func (t *Tx) Activity(ctx context.Context, id social.ID) (*social.Activity, error) {
	return one(ctx, t, scanActivity, `SELECT `+activityColumns+` FROM activity WHERE id = $1`, id)
}

// ActivityByURI finds an entry by URI.
func (t *Tx) ActivityByURI(ctx context.Context, uri string) (*social.Activity, error) {
	return one(ctx, t, scanActivity, `SELECT `+activityColumns+` FROM activity WHERE uri = $1`, uri)
}

// ActivitiesOf lists what was said about a post.
func (t *Tx) ActivitiesOf(ctx context.Context, post social.ID) ([]*social.Activity, error) {
	return list(ctx, t, scanActivity, `SELECT `+activityColumns+` FROM activity WHERE post_id = $1 AND post_id <> 0 ORDER BY epoch, seq`, post)
}

const receiptColumns = `object_uri, post_id, peer, inbox, how, at, back_asked, back_at`

func scanReceipt(s scanner) (social.Receipt, error) {
	var r social.Receipt
	var when, asked, back int64
	err := s.Scan(&r.ObjectURI, &r.PostID, &r.Peer, &r.Inbox, &r.How, &when, &asked, &back)
	r.At, r.BackAsked, r.BackAt = at(when), at(asked), at(back)
	return r, err
}

// PutReceipt remembers that a peer has an object.
func (t *Tx) PutReceipt(ctx context.Context, r social.Receipt) error {
	_, err := t.exec(ctx, `INSERT INTO receipt (object_uri, peer, inbox, post_id, how, at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (object_uri, peer, inbox) DO UPDATE SET at = excluded.at, back_asked = 0, back_at = 0`, r.ObjectURI, r.Peer, r.Inbox, r.PostID, string(r.How), ms(r.At))
	return err
}

// Receipts lists who has an object.
func (t *Tx) Receipts(ctx context.Context, objectURI, peer string) ([]social.Receipt, error) {
	return list(ctx, t, scanReceipt, `SELECT `+receiptColumns+` FROM receipt WHERE object_uri = $1 AND ($2 = '' OR peer = $2) ORDER BY peer, inbox`, objectURI, peer)
}

// ReceiptInboxes lists the inboxes of all who have something an author wrote.
func (t *Tx) ReceiptInboxes(ctx context.Context, author social.ID) ([]social.InboxRef, error) {
	return list(ctx, t, scanInbox, `SELECT DISTINCT r.inbox, r.peer FROM post p JOIN receipt r ON r.post_id = p.id AND r.post_id <> 0
		WHERE p.author_id = $1 AND p.deleted_at = 0 AND r.inbox <> '' ORDER BY r.inbox`, author)
}

// ReceiptsOfPost lists who has a post.
func (t *Tx) ReceiptsOfPost(ctx context.Context, post social.ID) ([]social.Receipt, error) {
	return list(ctx, t, scanReceipt, `SELECT `+receiptColumns+` FROM receipt WHERE post_id = $1 AND post_id <> 0 ORDER BY peer, inbox`, post)
}

// InsertInbound keeps an activity durably, once for each inbox; again when it was
// taken back and sent anew.
func (t *Tx) InsertInbound(ctx context.Context, in *social.Inbound) (bool, error) {
	in.ID = t.db.nextID()
	back, err := list(ctx, t, scanText, `INSERT INTO inbound (id, uri, inbox_id, peer, actor, body, received_at, signed_at, result)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '')
		ON CONFLICT (uri, inbox_id) DO UPDATE SET id = excluded.id, peer = excluded.peer, body = excluded.body,
		  received_at = excluded.received_at, signed_at = excluded.signed_at, result = '', back_at = 0
		WHERE inbound.back_at <> 0 AND excluded.signed_at > inbound.back_at AND excluded.actor = inbound.actor
		RETURNING back_by`, in.ID, in.URI, in.InboxID, in.Peer, in.Actor, in.Body, ms(in.ReceivedAt), ms(in.SignedAt))
	if err != nil || len(back) == 0 {
		return false, err
	}
	if back[0] != "" {
		_, err = t.TakeBackInbound(ctx, back[0], in.Actor, "", in.SignedAt)
	}
	return true, err
}

// TakeBackInbound lets a finished activity come again, signed later than at.
func (t *Tx) TakeBackInbound(ctx context.Context, uri, actor, by string, at time.Time) (bool, error) {
	n, err := t.exec(ctx, `UPDATE inbound SET back_at = $4, back_by = $3 WHERE uri = $1 AND actor = $2 AND body IS NULL`, uri, actor, by, ms(at))
	return n > 0, err
}

// WasInbound says that an activity came by any inbox.
func (t *Tx) WasInbound(ctx context.Context, uri string) (bool, error) {
	ids, err := list(ctx, t, scanID, `SELECT id FROM inbound WHERE uri = $1 LIMIT 1`, uri)
	return len(ids) > 0, err
}

// Inbound finds an activity that waits for its worker.
func (t *Tx) Inbound(ctx context.Context, id social.ID) (*social.Inbound, error) {
	return one(ctx, t, func(s scanner) (*social.Inbound, error) {
		in := &social.Inbound{}
		var received, signed int64
		err := s.Scan(&in.ID, &in.URI, &in.InboxID, &in.Peer, &in.Actor, &in.Body, &received, &signed)
		in.ReceivedAt, in.SignedAt = at(received), at(signed)
		return in, err
	}, `SELECT id, uri, inbox_id, peer, actor, body, received_at, signed_at FROM inbound WHERE id = $1 AND body IS NOT NULL`, id)
}

// FinishInbound forgets the body and keeps the key.
func (t *Tx) FinishInbound(ctx context.Context, id social.ID, result string) error {
	_, err := t.exec(ctx, `UPDATE inbound SET body = NULL, result = $2 WHERE id = $1`, id, result)
	return err
}

// Seen marks a key as known.
func (t *Tx) Seen(ctx context.Context, key string, when time.Time) (bool, error) {
	n, err := t.exec(ctx, `INSERT INTO seen (name, at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, key, ms(when))
	return n > 0, err
}

// WasSeen asks for a key.
func (t *Tx) WasSeen(ctx context.Context, key string) (bool, error) {
	ids, err := list(ctx, t, scanID, `SELECT at FROM seen WHERE name = $1`, key)
	return len(ids) > 0, err
}

// Unsee forgets a key.
func (t *Tx) Unsee(ctx context.Context, key string) error {
	_, err := t.exec(ctx, `DELETE FROM seen WHERE name = $1`, key)
	return err
}

// Forget removes old keys.
func (t *Tx) Forget(ctx context.Context, before time.Time) error {
	if _, err := t.exec(ctx, `DELETE FROM seen WHERE at < $1`, ms(before)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM inbound WHERE received_at < $1 AND body IS NULL`, ms(before))
	return err
}

// FreeJobs ends all leases.
func (t *Tx) FreeJobs(ctx context.Context) error {
	_, err := t.exec(ctx, `UPDATE job SET next_at = $1, lease_at = 0 WHERE lease_at > $1`, ms(t.db.now()))
	return err
}

// DropJobs removes the jobs about something that nobody works on.
func (t *Tx) DropJobs(ctx context.Context, kind string, ref int64, target string) error {
	_, err := t.exec(ctx, `DELETE FROM job WHERE kind = $1 AND ref = $2 AND (target = $4 OR $4 = '') AND lease_at <= $3`, kind, ref, ms(t.db.now()), target)
	return err
}

// AddJobs writes jobs, due at once or when their host is tried again; what waits behind
// others learns from moveUp when that is.
func (t *Tx) AddJobs(ctx context.Context, jobs []queue.Job) error {
	now := t.db.now()
	for _, j := range jobs {
		if j.NextAt.IsZero() {
			j.NextAt = now
		}
		if _, err := t.exec(ctx, `
			INSERT INTO job (id, kind, host, ref, target, next_at, created_at, held_at, chain, waits)
			SELECT $1, $2, $3, $4, $5, CASE WHEN line.waits = 0 AND coalesce((SELECT next_try FROM host WHERE name = $3), 0) > $6
			  THEN (SELECT next_try FROM host WHERE name = $3) ELSE $6 END, $7,
			  coalesce((SELECT held_at FROM host WHERE name = $3), 0), $8, line.waits
			FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM job WHERE chain = $8 AND chain <> 0 AND kind = $2 AND target = $5) THEN 1 ELSE 0 END AS waits) line
			WHERE TRUE
			ON CONFLICT (kind, ref, target) DO NOTHING`,
			t.db.nextID(), j.Kind, j.Host, j.Ref, j.Target, ms(j.NextAt), ms(now), j.Chain); err != nil {
			return err
		}
	}
	return nil
}

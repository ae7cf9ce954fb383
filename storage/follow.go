package storage

import (
	"context"
	"time"

	"parley/social"
)

const followColumns = `f.id, f.follower_id, f.target_id, f.state, f.uri, f.show_boosts, f.notify, f.created_at`

func scanFollow(s scanner) (*social.Follow, error) {
	f := &social.Follow{}
	var boosts, notify, created int64
	err := s.Scan(&f.ID, &f.FollowerID, &f.TargetID, &f.State, &f.URI, &boosts, &notify, &created)
	f.ShowBoosts, f.Notify, f.CreatedAt = boosts == 1, notify == 1, at(created)
	return f, err
}

// Follow finds the edge between two accounts.
func (t *Tx) Follow(ctx context.Context, follower, target social.ID) (*social.Follow, error) {
	f, err := one(ctx, t, scanFollow, `SELECT `+followColumns+` FROM follow f WHERE f.follower_id = $1 AND f.target_id = $2`, follower, target)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// FollowByURI finds the edge by its activity.
func (t *Tx) FollowByURI(ctx context.Context, uri string) (*social.Follow, error) {
	f, err := one(ctx, t, scanFollow, `SELECT `+followColumns+` FROM follow f WHERE f.uri = $1 LIMIT 1`, uri)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// PutFollow inserts or updates an edge and keeps the counts right.
func (t *Tx) PutFollow(ctx context.Context, f *social.Follow) error {
	was, err := t.accepted(ctx, f.FollowerID, f.TargetID)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `
		INSERT INTO follow (id, follower_id, target_id, state, uri, show_boosts, notify, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (follower_id, target_id) DO UPDATE SET state = excluded.state, uri = excluded.uri,
		  show_boosts = excluded.show_boosts, notify = excluded.notify`,
		f.ID, f.FollowerID, f.TargetID, string(f.State), f.URI, bit(f.ShowBoosts), bit(f.Notify), ms(f.CreatedAt)); err != nil {
		return err
	}
	return t.countFollow(ctx, f.FollowerID, f.TargetID, bit(f.State == social.FollowAccepted)-was)
}

func (t *Tx) accepted(ctx context.Context, follower, target social.ID) (n int64, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT count(*) FROM follow WHERE follower_id = $1 AND target_id = $2 AND state = 'accepted'`, follower, target).Scan(&n)
	return n, t.db.translate(err)
}

func (t *Tx) countFollow(ctx context.Context, follower, target social.ID, by int64) error {
	if by == 0 {
		return nil
	}
	if _, err := t.exec(ctx, `UPDATE account SET following = following + $2 WHERE id = $1`, follower, by); err != nil {
		return err
	}
	_, err := t.exec(ctx, `UPDATE account SET followers = followers + $2 WHERE id = $1`, target, by)
	return err
}

// DeleteFollow removes an edge.
func (t *Tx) DeleteFollow(ctx context.Context, follower, target social.ID) (bool, error) {
	was, err := t.accepted(ctx, follower, target)
	if err != nil {
		return false, err
	}
	n, err := t.exec(ctx, `DELETE FROM follow WHERE follower_id = $1 AND target_id = $2`, follower, target)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.countFollow(ctx, follower, target, -was)
}

// FollowsTo tells whom an account follows among targets.
func (t *Tx) FollowsTo(ctx context.Context, follower social.ID, targets []social.ID) (map[social.ID]*social.Follow, error) {
	return t.edges(ctx, `f.follower_id = $1 AND f.target_id`, follower, targets, func(f *social.Follow) social.ID { return f.TargetID })
}

// FollowsFrom tells who among accounts follows a target.
func (t *Tx) FollowsFrom(ctx context.Context, target social.ID, followers []social.ID) (map[social.ID]*social.Follow, error) {
	return t.edges(ctx, `f.target_id = $1 AND f.follower_id`, target, followers, func(f *social.Follow) social.ID { return f.FollowerID })
}

func (t *Tx) edges(ctx context.Context, where string, id social.ID, others []social.ID, key func(*social.Follow) social.ID) (map[social.ID]*social.Follow, error) {
	out := map[social.ID]*social.Follow{}
	if len(others) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanFollow, `SELECT `+followColumns+` FROM follow f WHERE `+where+` IN `+t.db.dialect.ids("$2"), id, jsonText(others))
	for _, f := range found {
		out[key(f)] = f
	}
	return out, err
}

// Followers lists who follows an account.
func (t *Tx) Followers(ctx context.Context, target social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `follow e JOIN account a ON a.id = e.follower_id WHERE e.target_id = $1 AND e.state = 'accepted' AND a.deleted_at = 0`, target, p)
}

// Following lists whom an account follows.
func (t *Tx) Following(ctx context.Context, follower social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `follow e JOIN account a ON a.id = e.target_id WHERE e.follower_id = $1 AND e.state = 'accepted' AND a.deleted_at = 0`, follower, p)
}

// FollowRequests lists who waits for an answer.
func (t *Tx) FollowRequests(ctx context.Context, target social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `follow e JOIN account a ON a.id = e.follower_id WHERE e.target_id = $1 AND e.state = 'pending' AND a.deleted_at = 0`, target, p)
}

func (t *Tx) people(ctx context.Context, from string, id social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	type row struct {
		account *social.Account
		cursor  social.ID
	}
	clause, args, rev := keyset("e.id", p, []any{id})
	rows, err := list(ctx, t, func(s scanner) (row, error) {
		var r row
		var err error
		r.account, err = scanAccount(scanFunc(func(dest ...any) error { return s.Scan(append([]any{&r.cursor}, dest...)...) }))
		return r, err
	}, `SELECT e.id, `+accountColumns+` FROM `+from+clause, args...)
	if err != nil {
		return nil, nil, err
	}
	var accounts []*social.Account
	var cursors []social.ID
	for _, r := range turn(rows, rev) {
		accounts, cursors = append(accounts, r.account), append(cursors, r.cursor)
	}
	return accounts, cursors, nil
}

type scanFunc func(dest ...any) error

func (f scanFunc) Scan(dest ...any) error { return f(dest...) }

func scanInbox(s scanner) (social.InboxRef, error) {
	var r social.InboxRef
	err := s.Scan(&r.Inbox, &r.Peer)
	return r, err
}

// FollowerInboxes lists where an account's remote followers are reached.
func (t *Tx) FollowerInboxes(ctx context.Context, target social.ID) ([]social.InboxRef, error) {
	return list(ctx, t, scanInbox, `SELECT DISTINCT a.inbox, a.authority FROM follow f JOIN account a ON a.id = f.follower_id
		WHERE f.target_id = $1 AND f.state = 'accepted' AND a.host <> '' AND a.deleted_at = 0 AND a.suspended_at = 0 AND a.inbox <> '' ORDER BY a.inbox`, target)
}

// FollowersAt lists the URIs of followers of one server.
func (t *Tx) FollowersAt(ctx context.Context, authority string, target social.ID, p social.Page) ([]string, []social.ID, error) {
	type row struct {
		uri string
		id  social.ID
	}
	clause, args, reversed := keyset("f.id", p, []any{authority, target})
	found, err := list(ctx, t, func(s scanner) (r row, err error) {
		err = s.Scan(&r.uri, &r.id)
		return r, err
	}, `SELECT a.uri, f.id FROM follow f JOIN account a ON a.id = f.follower_id
		WHERE a.authority = $1 AND f.target_id = $2 AND f.state = 'accepted'`+clause, args...)
	found = turn(found, reversed)
	uris, ids := make([]string, len(found)), make([]social.ID, len(found))
	for i, r := range found {
		uris[i], ids[i] = r.uri, r.id
	}
	return uris, ids, err
}

// PeerFollows says whether anybody at a peer follows the target.
func (t *Tx) PeerFollows(ctx context.Context, peer string, target social.ID) (bool, error) {
	ids, err := list(ctx, t, scanID, `SELECT a.id FROM follow f JOIN account a ON a.id = f.follower_id
		WHERE f.target_id = $2 AND f.state = 'accepted' AND a.authority = $1 AND a.host <> ''
		  AND a.deleted_at = 0 AND a.suspended_at = 0 LIMIT 1`, peer, target)
	return len(ids) > 0, err
}

func (t *Tx) setBlock(ctx context.Context, kind string, account, target social.ID, on bool, when time.Time) (bool, error) {
	var n int64
	var err error
	if on {
		n, err = t.exec(ctx, `INSERT INTO block (id, kind, account_id, target_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, social.NewID(when), kind, account, target)
	} else {
		n, err = t.exec(ctx, `DELETE FROM block WHERE kind = $1 AND account_id = $2 AND target_id = $3`, kind, account, target)
	}
	return n > 0, err
}

// SetBlock blocks or unblocks.
func (t *Tx) SetBlock(ctx context.Context, account, target social.ID, on bool, when time.Time) (bool, error) {
	return t.setBlock(ctx, "block", account, target, on, when)
}

// SetMute mutes or unmutes.
func (t *Tx) SetMute(ctx context.Context, account, target social.ID, on bool, when time.Time) (bool, error) {
	return t.setBlock(ctx, "mute", account, target, on, when)
}

// Blocks tells what stands between an account and others.
func (t *Tx) Blocks(ctx context.Context, account social.ID, others []social.ID) (map[social.ID]social.Blocks, error) {
	out := map[social.ID]social.Blocks{}
	if len(others) == 0 {
		return out, nil
	}
	type row struct {
		kind         string
		from, target social.ID
	}
	rows, err := list(ctx, t, func(s scanner) (row, error) {
		var r row
		err := s.Scan(&r.kind, &r.from, &r.target)
		return r, err
	}, `SELECT kind, account_id, target_id FROM block WHERE account_id = $1 AND target_id IN `+t.db.dialect.ids("$2")+`
		UNION ALL SELECT kind, account_id, target_id FROM block WHERE target_id = $1 AND kind = 'block' AND account_id IN `+t.db.dialect.ids("$2"),
		account, jsonText(others))
	for _, r := range rows {
		other := r.target
		if r.from != account {
			other = r.from
		}
		b := out[other]
		switch {
		case r.from != account:
			b.BlockedBy = true
		case r.kind == "block":
			b.Blocking = true
		default:
			b.Muting = true
		}
		out[other] = b
	}
	return out, err
}

// Blocked lists whom an account blocks.
func (t *Tx) Blocked(ctx context.Context, account social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `block e JOIN account a ON a.id = e.target_id WHERE e.account_id = $1 AND e.kind = 'block'`, account, p)
}

// Muted lists whom an account mutes.
func (t *Tx) Muted(ctx context.Context, account social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `block e JOIN account a ON a.id = e.target_id WHERE e.account_id = $1 AND e.kind = 'mute'`, account, p)
}

package storage

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"parley/social"
)

func scanLogEntry(s scanner) (*social.Activity, error) {
	a := &social.Activity{}
	var retraction, created int64
	if err := s.Scan(&a.ID, &a.URI, &a.Epoch, &a.Seq, &a.Verb, &a.ActorID, &a.PostID, &a.ObjectURI, &retraction, &a.About, &a.Peer, &a.Body, &created); err != nil {
		return nil, err
	}
	a.Retraction, a.CreatedAt = retraction == 1, at(created)
	var err error
	a.Body, err = unpack(a.Body)
	return a, err
}

// LogPage lists entries between two places, newest first, each thing once.
func (t *Tx) LogPage(ctx context.Context, peer string, after, upTo social.Place, limit int) ([]*social.Activity, error) {
	return list(ctx, t, scanLogEntry, `
		SELECT a.id, a.uri, a.epoch, a.seq, a.verb, a.actor_id, a.post_id, a.object_uri, a.retraction, a.about, a.peer,
		  CASE WHEN a.peer <> '' THEN a.body END, a.created_at
		FROM activity a WHERE (a.epoch, a.seq) > ($1, $2) AND (a.epoch, a.seq) <= ($3, $4) AND a.about <> '' AND (a.peer = '' OR a.peer = $5)
		  AND NOT EXISTS (SELECT 1 FROM activity b WHERE b.about = a.about AND b.about <> '' AND (b.epoch, b.seq) > (a.epoch, a.seq))
		ORDER BY a.epoch DESC, a.seq DESC LIMIT $6`, after.Epoch, after.Seq, upTo.Epoch, upTo.Seq, peer, limit)
}

// LogHead is the place of the newest entry.
func (t *Tx) LogHead(ctx context.Context) (social.Place, error) {
	found, err := list(ctx, t, func(s scanner) (p social.Place, err error) {
		err = s.Scan(&p.Epoch, &p.Seq)
		return p, err
	}, `SELECT epoch, seq FROM activity ORDER BY epoch DESC, seq DESC LIMIT 1`)
	if err != nil || len(found) == 0 {
		return social.Place{}, err
	}
	return found[0], nil
}

// LogEpoch is the present epoch of the change log.
func (t *Tx) LogEpoch(ctx context.Context) (int64, error) {
	v, err := t.Setting(ctx, "epoch")
	if err != nil {
		return 0, err
	}
	epoch, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 1, nil // never restored
	}
	return epoch, nil
}

// NewLogEpoch begins another epoch. Its number is the moment, so that the same
// backup restored twice does not begin the same one.
func (t *Tx) NewLogEpoch(ctx context.Context) (int64, error) {
	had, err := t.LogEpoch(ctx)
	if err != nil {
		return 0, err
	}
	epoch := max(had+1, ms(t.db.now()))
	return epoch, t.PutSetting(ctx, "epoch", strconv.FormatInt(epoch, 10))
}

// HaveReceipts tells which objects a peer has.
func (t *Tx) HaveReceipts(ctx context.Context, peer string, objectURIs []string) (map[string]bool, error) {
	out := make(map[string]bool, len(objectURIs))
	if len(objectURIs) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanText, `SELECT DISTINCT object_uri FROM receipt WHERE peer = $1 AND back_asked = 0 AND object_uri IN `+t.db.dialect.texts("$2"), peer, jsonText(objectURIs))
	for _, uri := range found {
		out[uri] = true
	}
	return out, err
}

// FollowedFrom tells which accounts are followed from a peer.
func (t *Tx) FollowedFrom(ctx context.Context, peer string, targets []social.ID) (map[social.ID]bool, error) {
	out := make(map[social.ID]bool, len(targets))
	if len(targets) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanID, `SELECT DISTINCT f.target_id FROM follow f JOIN account a ON a.id = f.follower_id
		WHERE f.target_id IN `+t.db.dialect.ids("$2")+` AND f.state = 'accepted' AND a.authority = $1 AND a.host <> ''`, peer, jsonText(targets))
	for _, id := range found {
		out[id] = true
	}
	return out, err
}

// FollowsByURI finds follows by the URI of their request.
func (t *Tx) FollowsByURI(ctx context.Context, uris []string) (map[string]*social.Follow, error) {
	out := make(map[string]*social.Follow, len(uris))
	if len(uris) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanFollow, `SELECT `+followColumns+` FROM follow f WHERE f.uri IN `+t.db.dialect.texts("$1"), jsonText(uris))
	for _, f := range found {
		out[f.URI] = f
	}
	return out, err
}

// LocalPosts lists posts of members, oldest first, tombstones too.
func (t *Tx) LocalPosts(ctx context.Context, after social.ID, limit int) ([]*social.Post, error) {
	return list(ctx, t, scanPost, `SELECT `+postColumns+` FROM post p WHERE p.id > $1 AND p.local = 1 ORDER BY p.id LIMIT $2`, after, limit)
}

// HeldPosts lists posts of an authority's authors: first the rest of one author, then
// of the next.
func (t *Tx) HeldPosts(ctx context.Context, authority string, author, after social.ID, limit int, gone, raw bool) ([]social.Held, error) {
	state, bytes := `p.deleted_at = 0`, `NULL`
	if gone {
		state = `p.deleted_at <> 0 AND p.local = 0`
	}
	if raw {
		bytes = `p.raw`
	}
	query := `SELECT p.author_id, p.id, p.uri, p.audience_kind, p.audience_owner, p.ceiling_kind, p.ceiling_owner, p.edited_at, p.deleted_at, ` + bytes + ` FROM account a JOIN post p ON p.author_id = a.id
		WHERE a.authority = $1 AND a.host <> '' AND a.deleted_at = 0 AND ` + state
	held, err := list(ctx, t, scanHeld, query+` AND a.id = $2 AND p.id > $3 ORDER BY p.id LIMIT $4`, authority, author, after, limit)
	if err != nil || len(held) == limit {
		return held, err
	}
	more, err := list(ctx, t, scanHeld, query+` AND a.id > $2 ORDER BY a.id, p.id LIMIT $3`, authority, author, limit-len(held))
	return append(held, more...), err
}

func scanHeld(s scanner) (social.Held, error) {
	var h social.Held
	var edited, deleted int64
	var kept []byte
	if err := s.Scan(&h.Author, &h.Post, &h.URI, &h.Audience.Kind, &h.Audience.Owner, &h.Ceiling.Kind, &h.Ceiling.Owner, &edited, &deleted, &kept); err != nil {
		return h, err
	}
	h.EditedAt, h.DeletedAt = at(edited), at(deleted)
	var err error
	h.Raw, err = unpack(kept)
	return h, err
}

// PutRetraction keeps one; the first for an object stays.
func (t *Tx) PutRetraction(ctx context.Context, r social.Retraction) error {
	body, err := t.db.packers.pack(r.Body)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO retraction (object_uri, authority, actor, body, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		r.ObjectURI, r.Authority, r.Actor, body, ms(r.At))
	return err
}

// Retractions lists those of an authority.
func (t *Tx) Retractions(ctx context.Context, authority, after string, limit int) ([]social.Retraction, error) {
	return list(ctx, t, func(s scanner) (social.Retraction, error) {
		var r social.Retraction
		var when int64
		if err := s.Scan(&r.ObjectURI, &r.Authority, &r.Actor, &r.Body, &when); err != nil {
			return r, err
		}
		r.At = at(when)
		var err error
		r.Body, err = unpack(r.Body)
		return r, err
	}, `SELECT object_uri, authority, actor, body, at FROM retraction WHERE authority = $1 AND object_uri > $2 ORDER BY object_uri LIMIT $3`, authority, after, limit)
}

// NeverHeld lists what was taken back and never was here.
func (t *Tx) NeverHeld(ctx context.Context, authority, after string, limit int) ([]string, error) {
	return list(ctx, t, scanText, `SELECT r.object_uri FROM retraction r JOIN account a ON a.uri = r.actor
		WHERE r.authority = $1 AND r.object_uri > $2 AND a.deleted_at = 0 AND NOT EXISTS (SELECT 1 FROM post p WHERE p.uri = r.object_uri)
		ORDER BY r.object_uri LIMIT $3`, authority, after, limit)
}

// CatchUp tells how far a log was read.
func (t *Tx) CatchUp(ctx context.Context, peer string) (social.CatchUp, error) {
	found, err := list(ctx, t, func(s scanner) (c social.CatchUp, err error) {
		var next int64
		var data string
		if err := s.Scan(&next, &data); err != nil {
			return c, err
		}
		err = json.Unmarshal([]byte(data), &c)
		c.NextAt = at(next)
		return c, err
	}, `SELECT next_at, data FROM catchup WHERE peer = $1`, peer)
	if err != nil || len(found) == 0 {
		return social.CatchUp{Peer: peer}, err
	}
	found[0].Peer = peer
	return found[0], nil
}

// PutCatchUp notes how far a log was read.
func (t *Tx) PutCatchUp(ctx context.Context, c social.CatchUp) error {
	_, err := t.exec(ctx, `INSERT INTO catchup (peer, next_at, data) VALUES ($1, $2, $3)
		ON CONFLICT (peer) DO UPDATE SET next_at = excluded.next_at, data = excluded.data`, c.Peer, ms(c.NextAt), jsonText(c))
	return err
}

// DueCatchUps lists sisters and partners whose log is due.
func (t *Tx) DueCatchUps(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return list(ctx, t, scanText, `SELECT p.authority FROM peer p LEFT JOIN catchup c ON c.peer = p.authority
		WHERE p.zone IN ('company', 'partner') AND coalesce(c.next_at, 0) <= $1 ORDER BY coalesce(c.next_at, 0), p.authority LIMIT $2`, ms(now), limit)
}

// HastenCatchUps makes the reading due no later than at.
func (t *Tx) HastenCatchUps(ctx context.Context, peer string, when time.Time) error {
	_, err := t.exec(ctx, `UPDATE catchup SET next_at = $2 WHERE next_at > $2 AND ($1 = '' OR peer = $1)`, peer, ms(when))
	return err
}

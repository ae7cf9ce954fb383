package storage

import (
	"context"
	"time"

	"parley/social"
)

// peerColumns come with the state of the pairing: egress and inbox ask for both at
// once, each time.
const peerColumns = `p.authority, p.zone, p.zone_name, p.reason, p.software, p.dialect, p.known_at, p.zoned_at, p.last_in_at, p.last_out_at, p.last_error,
	coalesce(g.state, ''), coalesce(g.expires_at, 0), coalesce(g.visible_from, 0)`

const peerTables = `peer p LEFT JOIN pairing g ON g.authority = p.authority`

func scanPeer(s scanner) (social.Peer, error) {
	var p social.Peer
	var known, zoned, in, out, until, from int64
	err := s.Scan(&p.Authority, &p.Zone.Kind, &p.Zone.Name, &p.Reason, &p.Software, &p.Dialect, &known, &zoned, &in, &out, &p.LastError, &p.Pairing, &until, &from)
	p.KnownAt, p.ZonedAt, p.LastInAt, p.LastOutAt = at(known), at(zoned), at(in), at(out)
	p.PairedUntil, p.VisibleFrom = at(until), at(from)
	return p, err
}

// Peer finds a peer; a block of a parent domain counts for its subdomains, a
// grant never does.
func (t *Tx) Peer(ctx context.Context, authority string) (social.Peer, error) {
	found, err := list(ctx, t, scanPeer, `SELECT `+peerColumns+` FROM `+peerTables+` WHERE p.authority IN `+t.db.dialect.texts("$1"), jsonText(blockers(authority)))
	p := social.Peer{Authority: authority}
	for _, f := range found {
		if f.Authority == authority {
			p = f
		}
	}
	for _, f := range found {
		if f.Zone.Kind == social.ZoneBlocked {
			p.Zone, p.Reason = f.Zone, f.Reason
		}
	}
	return p, err
}

// Peers lists all known peers.
func (t *Tx) Peers(ctx context.Context) ([]social.Peer, error) {
	return list(ctx, t, scanPeer, `SELECT `+peerColumns+` FROM `+peerTables+` ORDER BY p.authority LIMIT 10000`)
}

// PeersInZone lists the peers of one zone.
func (t *Tx) PeersInZone(ctx context.Context, z social.Zone) ([]social.Peer, error) {
	return list(ctx, t, scanPeer, `SELECT `+peerColumns+` FROM `+peerTables+` WHERE p.zone = $1 AND p.zone_name = $2 ORDER BY p.authority`, string(z.Kind), z.Name)
}

// SetZone puts a peer into a zone.
func (t *Tx) SetZone(ctx context.Context, authority string, z social.Zone, reason string, when time.Time) error {
	if err := t.knowPeer(ctx, authority, when); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE peer SET zone = $2, zone_name = $3, reason = $4, zoned_at = $5 WHERE authority = $1`,
		authority, string(z.Kind), z.Name, reason, ms(when)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM knock WHERE authority = $1`, authority)
	return err
}

func (t *Tx) knowPeer(ctx context.Context, authority string, when time.Time) error {
	_, err := t.exec(ctx, `INSERT INTO peer (authority, zone, zone_name, reason, software, dialect, shared_inbox, known_at, zoned_at, last_in_at, last_out_at, last_error)
		VALUES ($1, '', '', '', '', '', '', $2, 0, 0, 0, '') ON CONFLICT DO NOTHING`, authority, ms(when))
	return err
}

// RemovePeer forgets a peer.
func (t *Tx) RemovePeer(ctx context.Context, authority string) error {
	n, err := t.exec(ctx, `DELETE FROM peer WHERE authority = $1`, authority)
	if err == nil && n == 0 {
		return social.Errorf(social.NotFound, "no peer %s is known", authority)
	}
	return err
}

// TouchPeer notes what a contact taught.
func (t *Tx) TouchPeer(ctx context.Context, c social.PeerTouch) error {
	if err := t.knowPeer(ctx, c.Authority, t.db.now()); err != nil {
		return err
	}
	_, err := t.exec(ctx, `
		UPDATE peer SET
		  last_in_at = CASE WHEN CAST($2 AS BIGINT) > 0 THEN $2 ELSE last_in_at END,
		  last_out_at = CASE WHEN CAST($3 AS BIGINT) > 0 THEN $3 ELSE last_out_at END,
		  dialect = CASE WHEN $4 <> '' THEN $4 ELSE dialect END,
		  software = CASE WHEN $5 <> '' THEN $5 ELSE software END,
		  shared_inbox = CASE WHEN $6 <> '' THEN $6 ELSE shared_inbox END,
		  last_error = CASE WHEN CAST($3 AS BIGINT) > 0 THEN '' WHEN $7 <> '' THEN $7 ELSE last_error END
		WHERE authority = $1`, c.Authority, ms(c.InAt), ms(c.OutAt), c.Dialect, c.Software, c.SharedInbox, c.Error)
	return err
}

// PeerInboxes lists one inbox a peer, for all peers of the zones.
func (t *Tx) PeerInboxes(ctx context.Context, zones []social.Zone) ([]social.InboxRef, error) {
	var out []social.InboxRef
	for _, z := range zones {
		found, err := list(ctx, t, scanInbox, `
			SELECT CASE WHEN p.shared_inbox <> '' THEN p.shared_inbox ELSE coalesce((SELECT min(a.inbox) FROM account a WHERE a.authority = p.authority AND a.host <> ''), '') END,
			  p.authority FROM peer p WHERE p.zone = $1 AND p.zone_name = $2 ORDER BY p.authority`, string(z.Kind), z.Name)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if r.Inbox != "" {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// knocks bounds the table of requests to connect.
const knocks = 1000

// Knock counts a request to connect.
func (t *Tx) Knock(ctx context.Context, r social.ConnectRequest) error {
	if _, err := t.exec(ctx, `
		INSERT INTO knock (authority, actor, wanted, since, last_at, count) VALUES ($1, $2, $3, $4, $4, 1)
		ON CONFLICT (authority) DO UPDATE SET last_at = excluded.last_at, count = knock.count + 1`,
		r.Authority, r.Actor, r.Wanted, ms(r.LastAt)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM knock WHERE last_at < (SELECT last_at FROM knock ORDER BY last_at DESC LIMIT 1 OFFSET $1)`, knocks)
	return err
}

// ConnectRequests lists who waits for a decision.
func (t *Tx) ConnectRequests(ctx context.Context) ([]social.ConnectRequest, error) {
	return list(ctx, t, func(s scanner) (social.ConnectRequest, error) {
		var r social.ConnectRequest
		var since, last int64
		err := s.Scan(&r.Authority, &r.Actor, &r.Wanted, &since, &last, &r.Count)
		r.Since, r.LastAt = at(since), at(last)
		return r, err
	}, `SELECT authority, actor, wanted, since, last_at, count FROM knock ORDER BY last_at DESC LIMIT $1`, knocks)
}

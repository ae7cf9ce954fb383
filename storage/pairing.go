package storage

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/social"
)

func scanPairing(s scanner) (social.Pairing, error) {
	var p social.Pairing
	var data string
	if err := s.Scan(&data); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(data), &p)
}

// Pairing finds what was agreed with an authority.
func (t *Tx) Pairing(ctx context.Context, authority string) (social.Pairing, error) {
	return one(ctx, t, scanPairing, `SELECT data FROM pairing WHERE authority = $1`, authority)
}

// Pairings lists all, those that ended too.
func (t *Tx) Pairings(ctx context.Context) ([]social.Pairing, error) {
	return list(ctx, t, scanPairing, `SELECT data FROM pairing ORDER BY authority`)
}

// PutPairing writes a pairing, in place of the one with the same authority.
func (t *Tx) PutPairing(ctx context.Context, p social.Pairing) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO pairing (authority, state, expires_at, visible_from, data) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (authority) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at, visible_from = excluded.visible_from, data = excluded.data`,
		p.Authority, string(p.State), ms(p.ExpiresAt), ms(p.VisibleFrom()), string(data))
	return err
}

// PutInvitation writes an invitation.
func (t *Tx) PutInvitation(ctx context.Context, i social.Invitation) error {
	data, err := json.Marshal(i)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO invitation (id, authority, expires_at, data) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET data = excluded.data`, i.ID, i.Authority, ms(i.ExpiresAt), string(data))
	return err
}

// Invitation finds an invitation.
func (t *Tx) Invitation(ctx context.Context, id string) (social.Invitation, error) {
	return one(ctx, t, scanInvitation, `SELECT data FROM invitation WHERE id = $1`, id)
}

func scanInvitation(s scanner) (social.Invitation, error) {
	var i social.Invitation
	var data string
	if err := s.Scan(&data); err != nil {
		return i, err
	}
	return i, json.Unmarshal([]byte(data), &i)
}

// OpenInvitations lists those that are good after a moment and not used: one for each
// authority, since a new one takes the place of the one before it.
func (t *Tx) OpenInvitations(ctx context.Context, after time.Time) ([]social.Invitation, error) {
	all, err := list(ctx, t, scanInvitation, `SELECT data FROM invitation WHERE expires_at > $1 ORDER BY authority, id`, ms(after))
	return slices.DeleteFunc(all, func(i social.Invitation) bool { return !i.UsedAt.IsZero() }), err
}

// DropInvitations removes those for an authority and those that ran out.
func (t *Tx) DropInvitations(ctx context.Context, authority string, before time.Time) error {
	_, err := t.exec(ctx, `DELETE FROM invitation WHERE authority = $1 OR expires_at < $2`, authority, ms(before))
	return err
}

// ReceiptsAt pages the receipts of a peer.
func (t *Tx) ReceiptsAt(ctx context.Context, peer, after string, limit int) ([]social.Receipt, error) {
	return list(ctx, t, scanReceipt, `SELECT `+receiptColumns+` FROM receipt WHERE peer = $1 AND object_uri > $2 ORDER BY object_uri, inbox LIMIT $3`, peer, after, limit)
}

// AskBack notes that an object is taken back from a peer.
func (t *Tx) AskBack(ctx context.Context, objectURI, peer string, when time.Time) error {
	_, err := t.exec(ctx, `UPDATE receipt SET back_asked = $3 WHERE object_uri = $1 AND peer = $2`, objectURI, peer, ms(when))
	return err
}

// TakenBack notes that the peer confirmed that.
func (t *Tx) TakenBack(ctx context.Context, objectURI, peer string, when time.Time) error {
	_, err := t.exec(ctx, `UPDATE receipt SET back_at = $3 WHERE object_uri = $1 AND peer = $2`, objectURI, peer, ms(when))
	return err
}

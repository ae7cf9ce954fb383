package storage

import (
	"context"
	"encoding/json"

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
	_, err = t.exec(ctx, `INSERT INTO pairing (authority, state, expires_at, data) VALUES ($1, $2, $3, $4)
		ON CONFLICT (authority) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at, data = excluded.data`,
		p.Authority, string(p.State), ms(p.ExpiresAt), string(data))
	return err
}

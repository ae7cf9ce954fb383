package social

import (
	"context"
	"time"
)

// PairingState says whether a pairing holds.
type PairingState string

const (
	// PairingActive: both sides keep to what was agreed.
	PairingActive PairingState = "active"
	// PairingParked: the other side spoke with keys that are not the pinned ones.
	// Nothing is exchanged, and nothing is lost, until an administrator decides.
	PairingParked PairingState = "parked"
	// PairingLeft: one side ended it. What the other has is taken back.
	PairingLeft PairingState = "left"
)

// Pairing is what two instances agreed on: who the other is, by keys that are pinned
// here and no DNS or TLS certificate can replace, and what may flow.
type Pairing struct {
	Authority string       `json:"authority"`
	State     PairingState `json:"state"`
	Zone      Zone         `json:"zone"`
	Name      string       `json:"name,omitempty"`   // the other's organisation
	Keeper    string       `json:"keeper,omitempty"` // authority that keeps the roster they are in; "" when paired one to one

	SigningKey  []byte    `json:"signing_key"`           // raw Ed25519 of its instance actor
	FormerKey   []byte    `json:"former_key,omitempty"`  // the one before, still good until FormerUntil
	FormerUntil time.Time `json:"former_until,omitzero"` // after a planned change
	SealingKey  []byte    `json:"sealing_key"`           // raw X25519: what is sent there is sealed to it

	DataClasses  []string  `json:"data_classes,omitempty"` // what may flow to a partner: posts, files, directory fields
	Capabilities []string  `json:"capabilities,omitempty"` // FEP-844e
	Since        time.Time `json:"since"`                  // company posts from then on are for it
	HistoryFrom  time.Time `json:"history_from,omitzero"`  // older ones too, by an explicit decision here
	ExpiresAt    time.Time `json:"expires_at,omitzero"`    // zero: never
	EndedAt      time.Time `json:"ended_at,omitzero"`
	Cause        string    `json:"cause,omitempty"` // why it is parked or left
}

// Holds says that the pairing counts at a moment.
func (p Pairing) Holds(now time.Time) bool {
	return p.State == PairingActive && (p.ExpiresAt.IsZero() || now.Before(p.ExpiresAt))
}

// PairingStore keeps pairings; there is one for each authority.
type PairingStore interface {
	Pairing(ctx context.Context, authority string) (Pairing, error)
	Pairings(ctx context.Context) ([]Pairing, error)
	PutPairing(ctx context.Context, p Pairing) error
}

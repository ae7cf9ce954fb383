package social

import (
	"context"
	"slices"
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
	OwnKey      []byte    `json:"own_key,omitempty"`     // our Ed25519 key that the other has pinned, as far as we know

	DataClasses  []string  `json:"data_classes,omitempty"` // what may flow to a partner: posts with their files, directory fields
	Capabilities []string  `json:"capabilities,omitempty"` // FEP-844e
	Since        time.Time `json:"since"`                  // company posts from then on are for it
	HistoryFrom  time.Time `json:"history_from,omitzero"`  // older ones too, by an explicit decision here
	ExpiresAt    time.Time `json:"expires_at,omitzero"`    // zero: never
	EndedAt      time.Time `json:"ended_at,omitzero"`
	Cause        string    `json:"cause,omitempty"`      // why it is parked or left
	Invitation   string    `json:"invitation,omitempty"` // by which it was made; "" by the roster
}

// Holds says that the pairing counts at a moment.
func (p Pairing) Holds(now time.Time) bool {
	return p.State == PairingActive && (p.ExpiresAt.IsZero() || now.Before(p.ExpiresAt))
}

// never is later than anything that is written.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// VisibleFrom is the moment from which on posts for the company or the partner are
// for the other side too.
func (p Pairing) VisibleFrom() time.Time {
	if p.Zone.Kind == ZonePartner && len(p.DataClasses) > 0 && !slices.Contains(p.DataClasses, DataPosts) {
		return never // agreed without posts
	}
	if !p.HistoryFrom.IsZero() {
		return p.HistoryFrom
	}
	return p.Since
}

// Speaks says that a raw Ed25519 key is the other's, at a moment.
func (p Pairing) Speaks(key []byte, now time.Time) bool {
	return slices.Equal(key, p.SigningKey) || len(p.FormerKey) > 0 && now.Before(p.FormerUntil) && slices.Equal(key, p.FormerKey)
}

// Pin changes the other's keys. In a planned change the one before stays good for a
// while; after a lost one it does not.
func (p *Pairing) Pin(signing, sealing []byte, formerUntil time.Time) {
	if !slices.Equal(p.SigningKey, signing) {
		p.FormerKey, p.FormerUntil = nil, time.Time{}
		if !formerUntil.IsZero() {
			p.FormerKey, p.FormerUntil = p.SigningKey, formerUntil
		}
	}
	p.SigningKey, p.SealingKey = signing, sealing
}

// PairingStore keeps pairings, one for each authority, and invitations.
type PairingStore interface {
	Pairing(ctx context.Context, authority string) (Pairing, error)
	Pairings(ctx context.Context) ([]Pairing, error)
	PutPairing(ctx context.Context, p Pairing) error

	// PutInvitation writes an invitation, in place of the one with the same id.
	PutInvitation(ctx context.Context, i Invitation) error
	Invitation(ctx context.Context, id string) (Invitation, error)
	// OpenInvitations lists those that are good after a moment and not used, by the
	// authority that may accept.
	OpenInvitations(ctx context.Context, after time.Time) ([]Invitation, error)
	// DropInvitations removes the invitations for an authority, and all that ran out
	// before a moment.
	DropInvitations(ctx context.Context, authority string, before time.Time) error

	// ReceiptsAt pages the receipts of a peer, by the object's URI after the one given.
	ReceiptsAt(ctx context.Context, peer, after string, limit int) ([]Receipt, error)
	// AskBack notes that an object is taken back from a peer.
	AskBack(ctx context.Context, objectURI, peer string, at time.Time) error
	// TakenBack notes that the peer confirmed that.
	TakenBack(ctx context.Context, objectURI, peer string, at time.Time) error
}

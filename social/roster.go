package social

import (
	"context"
	"encoding/json"
	"time"
)

// Roster is the list of the instances of one group of companies. The one that invited
// first keeps it; the others believe its signature and nobody else's.
type Roster struct {
	Keeper  string         `json:"keeper"`
	Number  int64          `json:"number"`
	At      time.Time      `json:"at"`
	Members []RosterMember `json:"members"`
	// Document is the roster as the keeper signed it, which any member may pass on.
	Document json.RawMessage `json:"document,omitempty"`
}

// RosterMember is one instance of a roster.
type RosterMember struct {
	Authority   string    `json:"authority"`
	Name        string    `json:"name"`
	SigningKey  []byte    `json:"signing_key"`
	SealingKey  []byte    `json:"sealing_key"`
	FormerKey   []byte    `json:"former_key,omitempty"`
	FormerUntil time.Time `json:"former_until,omitzero"`
	Since       time.Time `json:"since"`
}

const rosterSetting = "roster"

// Member finds a member of the roster.
func (r *Roster) Member(authority string) (RosterMember, bool) {
	if r != nil {
		for _, m := range r.Members {
			if m.Authority == authority {
				return m, true
			}
		}
	}
	return RosterMember{}, false
}

// Roster is the newest that is known here; nil when this instance is in none.
func (s *Service) Roster(ctx context.Context, tx Tx) (*Roster, error) {
	text, err := tx.Setting(ctx, rosterSetting)
	if err != nil || text == "" {
		return nil, err
	}
	r := &Roster{}
	return r, json.Unmarshal([]byte(text), r)
}

func putRoster(ctx context.Context, tx Tx, r *Roster) error {
	text := []byte{}
	if r != nil {
		var err error
		if text, err = json.Marshal(r); err != nil {
			return err
		}
	}
	return tx.PutSetting(ctx, rosterSetting, string(text))
}

// keeper is who keeps the roster that this instance is in, "" for none.
func (s *Service) keeper(ctx context.Context, tx Tx) (string, error) {
	r, err := s.Roster(ctx, tx)
	if err != nil || r != nil {
		if r != nil {
			return r.Keeper, err
		}
		return "", err
	}
	list, err := tx.Pairings(ctx) // it may not have come yet
	for _, p := range list {
		if p.State != PairingLeft && p.Keeper != "" {
			return p.Keeper, err
		}
	}
	return "", err
}

// mayInvite refuses invitations to the company by others than the keeper.
func (s *Service) mayInvite(ctx context.Context, tx Tx, z Zone) error {
	if z.Kind != ZoneCompany {
		return nil
	}
	keeper, err := s.keeper(ctx, tx)
	if err == nil && keeper != "" && keeper != s.home {
		err = adminErrorf(Conflict, "the roster of the company is kept by %s; ask there for the code: parley peer invite HOST", keeper)
	}
	return err
}

// keep makes the next roster, with a member that has just joined or has new keys, and
// tells all members.
func (s *Service) keep(ctx context.Context, tx Tx, own Terms, joined string) error {
	r, err := s.Roster(ctx, tx)
	if err != nil {
		return err
	}
	now := s.Now().Truncate(time.Millisecond)
	if r == nil {
		r = &Roster{Keeper: s.home, Members: []RosterMember{{Authority: s.home, Since: now}}}
	}
	p, err := tx.Pairing(ctx, joined)
	if err != nil {
		return err
	}
	m := RosterMember{Authority: joined, Name: p.Name, SigningKey: p.SigningKey, SealingKey: p.SealingKey, FormerKey: p.FormerKey, FormerUntil: p.FormerUntil, Since: p.Since}
	there := false
	for i := range r.Members {
		switch r.Members[i].Authority {
		case joined:
			r.Members[i], there = m, true
		case s.home:
			r.Members[i].Name, r.Members[i].SigningKey, r.Members[i].SealingKey = own.Name, own.SigningKey, own.SealingKey
		}
	}
	if !there {
		r.Members = append(r.Members, m)
	}
	return s.publishRoster(ctx, tx, r)
}

// publishRoster gives the roster its number, has it signed, and sends it to everybody
// on it.
func (s *Service) publishRoster(ctx context.Context, tx Tx, r *Roster) error {
	actor, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
	if err != nil {
		return err
	}
	// The clock keeps the number above those that were given before this instance was
	// restored from a backup.
	r.At = s.Now().Truncate(time.Millisecond)
	r.Number = max(r.Number+1, r.At.UnixMilli())
	if r.Document, err = s.Outbox.SignRoster(ctx, tx, *r); err != nil {
		return err
	}
	if err := putRoster(ctx, tx, r); err != nil {
		return err
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbRoster, Actor: actor, Roster: r, At: r.At})
}

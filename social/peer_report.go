package social

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
)

// PeerReport says what a peer has of ours, and what was taken back from it.
type PeerReport struct {
	Authority string       `json:"authority"`
	Zone      string       `json:"zone"` // that counts now
	Pairing   PairingState `json:"pairing"`
	EndedAt   time.Time    `json:"ended_at,omitzero"`
	Cause     string       `json:"cause,omitempty"`
	Had       int          `json:"had"`       // posts that were sent to it or fetched by it
	Deleted   int          `json:"deleted"`   // of these, deleted here
	Keeps     int          `json:"keeps"`     // it may see them now
	Confirmed int          `json:"confirmed"` // taken back, and it said that it has done so
	// Unconfirmed are the addresses of posts that it may not see now and has not
	// confirmed to have given back: the first thousand.
	Unconfirmed      []string `json:"unconfirmed"`
	UnconfirmedCount int      `json:"unconfirmed_count"`
}

// unconfirmedShown bounds the list of a report.
const unconfirmedShown = 1000

// PeerReport counts the receipts of a peer.
func (s *Service) PeerReport(ctx context.Context, host string) (r PeerReport, err error) {
	r = PeerReport{Authority: host, Unconfirmed: []string{}}
	err = s.Store.View(ctx, func(tx Tx) error {
		peer, err := tx.Peer(ctx, host)
		if err != nil {
			return err
		}
		r.Zone, r.Pairing = peer.effective(s.Mode, s.Now()).String(), peer.Pairing
		p, err := tx.Pairing(ctx, host)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		r.EndedAt, r.Cause = p.EndedAt, p.Cause
		after := ""
		for {
			receipts, err := tx.ReceiptsAt(ctx, host, after, takeBackPage)
			if err != nil || len(receipts) == 0 {
				return err
			}
			next := receipts[len(receipts)-1].ObjectURI
			if len(receipts) == takeBackPage && next != after {
				// The last object may go on in the next page; it is counted there.
				if cut := slices.IndexFunc(receipts, func(rc Receipt) bool { return rc.ObjectURI == next }); cut > 0 {
					receipts = receipts[:cut]
					next = receipts[cut-1].ObjectURI
				}
			}
			if err := s.countReceipts(ctx, tx, peer, receipts, &r); err != nil {
				return err
			}
			after = next
		}
	})
	return r, err
}

func (s *Service) countReceipts(ctx context.Context, tx Tx, peer Peer, receipts []Receipt, r *PeerReport) error {
	back := map[ID]Receipt{}
	var ids []ID
	for _, rc := range receipts {
		if rc.PostID != 0 {
			ids = append(ids, rc.PostID)
			back[rc.PostID] = rc
		}
	}
	ids = unique(ids)
	posts, err := tx.Posts(ctx, ids)
	if err != nil {
		return err
	}
	var alive []*Post
	for _, id := range ids {
		if p := posts[id]; p != nil && !p.Deleted() {
			alive = append(alive, p)
		}
	}
	reader := s.ReaderAt(peer, nil).AsHad()
	reader.System = true
	keeps, err := s.Visible(ctx, tx, reader, alive)
	if err != nil {
		return err
	}
	for _, id := range ids {
		p, rc := posts[id], back[id]
		r.Had++
		if p == nil || p.Deleted() {
			r.Deleted++
		} else if slices.Contains(keeps, p) {
			r.Keeps++
			continue
		}
		if !rc.BackAt.IsZero() {
			r.Confirmed++
			continue
		}
		r.UnconfirmedCount++
		if len(r.Unconfirmed) < unconfirmedShown {
			r.Unconfirmed = append(r.Unconfirmed, rc.ObjectURI)
		}
	}
	return nil
}

// PeerView is a peer as administrators see it, with its pairing.
type PeerView struct {
	Peer
	Counts   Zone    // the zone that counts now
	Paired   Pairing // zero when it never was
	Trust    string  // what its word rests on
	OwnKey   string  // fingerprint of ours
	TheirKey string  // fingerprint that is pinned
}

// PeerViews lists all peers with their pairings.
func (s *Service) PeerViews(ctx context.Context) (list []PeerView, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		peers, err := tx.Peers(ctx)
		if err != nil {
			return err
		}
		pairings, err := tx.Pairings(ctx)
		if err != nil {
			return err
		}
		own, err := s.OwnTerms(ctx, tx)
		if err != nil {
			return err
		}
		by := map[string]Pairing{}
		for _, p := range pairings {
			by[p.Authority] = p
		}
		for _, p := range peers {
			v := PeerView{Peer: p, Counts: p.effective(s.Mode, s.Now()), Paired: by[p.Authority], OwnKey: ShowFingerprint(own.SigningKey)}
			switch {
			case v.Paired.State != "":
				v.Trust, v.TheirKey = "pinned keys", ShowFingerprint(v.Paired.SigningKey)
			case p.Zone.Kind == ZonePartner:
				v.Trust = "TLS alone: not paired, whoever answers for its domain is believed"
			case p.Zone.Kind == ZonePublic:
				v.Trust = "TLS alone"
			}
			list = append(list, v)
		}
		return nil
	})
	return list, err
}

// ShowFingerprint writes the fingerprint of a key as people compare it: its SHA-256 in
// groups of four digits.
func ShowFingerprint(key []byte) string {
	if len(key) == 0 {
		return ""
	}
	return inGroups(Fingerprint(key))
}

func inGroups(fingerprint []byte) string {
	text := hex.EncodeToString(fingerprint)
	var groups []string
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, " ")
}

package social

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/queue"
)

// TakeBackJob is the kind of the jobs that take back what a peer had; Target is the peer.
const TakeBackJob = "takeback"

// end ends a pairing: from this moment the other gets nothing for its zone, and what it
// had is taken back. tell says whether it hears of it.
func (s *Service) end(ctx context.Context, tx Tx, p Pairing, cause, by string, tell bool) error {
	if p.State == PairingLeft {
		return nil
	}
	was, err := s.ZoneIn(ctx, tx, p.Authority)
	if err != nil {
		return err
	}
	if p.State == PairingActive && !p.Holds(s.Now()) {
		was = p.Zone // it ran out, and still has what it was told in time
	}
	p.State, p.EndedAt, p.Cause = PairingLeft, s.Now(), cause
	if err := tx.PutPairing(ctx, p); err != nil {
		return err
	}
	if err := tx.DropInvitations(ctx, p.Authority, s.Now()); err != nil {
		return err
	}
	peer, err := tx.Peer(ctx, p.Authority)
	if err != nil {
		return err
	}
	if peer.Zone == p.Zone {
		if err := tx.SetZone(ctx, p.Authority, Zone{}, cause, s.Now()); err != nil {
			return err
		}
	}
	if err := s.moveDirectory(ctx, tx, p.Authority, was); err != nil {
		return err
	}
	if err := s.auditPairing(ctx, tx, AuditRow{Peer: p.Authority, Zone: p.Zone.String(), Subject: p.Invitation, Rule: "end", Result: string(PairingLeft), Cause: cause, By: by}); err != nil {
		return err
	}
	if tell {
		actor, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
		if err != nil {
			return err
		}
		if err := s.Outbox.Record(ctx, tx, Change{Verb: VerbUnpair, Actor: actor, Peer: p.Authority, URI: p.Invitation, At: s.Now()}); err != nil {
			return err
		}
	}
	return s.addTakeBack(ctx, tx, p.Authority)
}

func (s *Service) addTakeBack(ctx context.Context, tx Tx, host string) error {
	return tx.AddJobs(ctx, []queue.Job{{Kind: TakeBackJob, Ref: int64(NewID(s.Now())), Target: host}})
}

// takeBackLater takes back what a peer had, paired or not, when its zone is another now.
func (s *Service) takeBackLater(ctx context.Context, tx Tx, host string, was Zone) error {
	is, err := s.ZoneIn(ctx, tx, host)
	if err != nil || is == was || was.Kind == ZoneBlocked { // who could have nothing has nothing to give back
		return err
	}
	return s.addTakeBack(ctx, tx, host)
}

// EndExpired ends the pairings whose agreed end has come: nothing flows since then, and
// what the other had is taken back. Both sides know the day, so nobody is told.
func (s *Service) EndExpired(ctx context.Context) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		list, err := tx.Pairings(ctx)
		if err != nil {
			return err
		}
		for _, p := range list {
			if p.State == PairingLeft || p.ExpiresAt.IsZero() || s.Now().Before(p.ExpiresAt) {
				continue
			}
			if err := s.end(ctx, tx, p, "the agreed end has come", "", false); err != nil {
				return err
			}
		}
		return nil
	})
}

// pairedWith finds a pairing that has not ended.
func pairedWith(ctx context.Context, tx Tx, host string) (Pairing, bool, error) {
	p, err := tx.Pairing(ctx, host)
	if errors.Is(err, ErrNotFound) {
		return p, false, nil
	}
	return p, err == nil && p.State != PairingLeft, err
}

// dropMember makes the next roster without a member.
func (s *Service) dropMember(ctx context.Context, tx Tx, host string) error {
	r, err := s.Roster(ctx, tx)
	if _, there := r.Member(host); err != nil || !there || r.Keeper != s.home {
		return err
	}
	r.Members = slices.DeleteFunc(r.Members, func(m RosterMember) bool { return m.Authority == host })
	return s.publishRoster(ctx, tx, r)
}

// endedThere is the cause of a pairing that the other side ended.
const endedThere = "ended by the other side"

// HearEnd hears from another instance that it ended the pairing: a member that leaves,
// the keeper that took us off the roster, or a partner. meant says whether that is about
// the pairing of an invitation: news of an earlier one may come late.
func (s *Service) HearEnd(ctx context.Context, host string, meant func(invitation string) bool) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, on, err := pairedWith(ctx, tx, host)
		if err != nil || !on || !meant(p.Invitation) {
			return err
		}
		if err := s.end(ctx, tx, p, endedThere, "", false); err != nil {
			return err
		}
		if p.Keeper == host {
			return s.outOfRoster(ctx, tx, host, "the keeper took this instance off the roster")
		}
		return s.dropMember(ctx, tx, host)
	})
}

// Leave takes this instance out of the roster: all members hear it, and what they had
// is taken back.
func (s *Service) Leave(ctx context.Context, by string) (left []string, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		left = nil
		keeper, err := s.keeper(ctx, tx)
		switch {
		case err != nil:
			return err
		case keeper == "":
			return adminErrorf(Conflict, "this instance is in no roster")
		case keeper == s.home:
			if r, err := s.Roster(ctx, tx); err != nil || r != nil && len(r.Members) > 1 {
				return errors.Join(err, adminErrorf(Conflict, "this instance keeps the roster; take the members off one by one first: parley peer remove HOST"))
			}
		}
		list, err := tx.Pairings(ctx)
		if err != nil {
			return err
		}
		for _, p := range list {
			if p.Keeper != keeper || p.State == PairingLeft {
				continue
			}
			if err := s.end(ctx, tx, p, "this instance left the roster", by, true); err != nil {
				return err
			}
			left = append(left, p.Authority)
		}
		return putRoster(ctx, tx, nil)
	})
	return left, err
}

// SetHistory decides from when on posts for the company, or for a partner, are for the
// one that is paired: without it, those since it joined.
func (s *Service) SetHistory(ctx context.Context, host string, from time.Time, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, on, err := pairedWith(ctx, tx, host)
		if err != nil {
			return err
		}
		if !on {
			return adminErrorf(Conflict, "%s is not paired; see parley peer list", host)
		}
		p.HistoryFrom = from
		if err := tx.PutPairing(ctx, p); err != nil {
			return err
		}
		// As if it came into the zone now: it reads our change log from the start again.
		if err := tx.SetZone(ctx, host, p.Zone, "paired", s.Now()); err != nil {
			return err
		}
		return s.auditPairing(ctx, tx, AuditRow{Peer: host, Zone: p.Zone.String(), Rule: "history", Result: "opened", Cause: "from " + from.UTC().Format(time.RFC3339), By: by})
	})
}

// TakeBack takes back from a peer what it has of ours and may not have any more. It
// goes through the receipts in pages and can be run again.
func (s *Service) TakeBack(ctx context.Context, peer string) error {
	after := ""
	for {
		n := 0
		var receipts []Receipt
		err := s.Store.Tx(ctx, func(tx Tx) (err error) {
			receipts, err = tx.ReceiptsAt(ctx, peer, after, takeBackPage)
			if err != nil {
				return err
			}
			if n = len(receipts); n == 0 {
				return nil
			}
			return s.takeBack(ctx, tx, peer, receipts)
		})
		if n > 0 {
			after = receipts[n-1].ObjectURI
		}
		if err != nil || n < takeBackPage {
			return err
		}
	}
}

// takeBackPage is how many receipts one transaction looks at.
const takeBackPage = 200

func (s *Service) takeBack(ctx context.Context, tx Tx, peer string, receipts []Receipt) error {
	lost, err := s.lost(ctx, tx, peer, receipts)
	if err != nil {
		return err
	}
	for _, p := range lost {
		c := Change{Verb: VerbNarrow, Post: p, Peer: peer, At: s.Now()}
		if p.Local {
			c.Actor, err = tx.Account(ctx, p.AuthorID)
		} else {
			c.Verb, c.Said = VerbPass, Said{Verb: VerbNarrow}
			c.Actor, err = s.keeperOf(ctx, tx, p)
		}
		if err != nil {
			return err
		}
		if c.Actor == nil {
			continue // it stands in nothing of ours any more
		}
		if err := s.Outbox.Record(ctx, tx, c); err != nil {
			return err
		}
		if err := tx.AskBack(ctx, p.URI, peer, s.Now()); err != nil {
			return err
		}
	}
	return nil
}

// lost are the posts of receipts that the peer may not see now, and that were not taken
// back yet.
func (s *Service) lost(ctx context.Context, tx Tx, peer string, receipts []Receipt) ([]*Post, error) {
	var ids []ID
	for _, r := range receipts {
		if r.PostID != 0 && r.BackAsked.IsZero() {
			ids = append(ids, r.PostID)
		}
	}
	found, err := tx.Posts(ctx, unique(ids))
	if err != nil {
		return nil, err
	}
	var posts []*Post
	for _, id := range unique(ids) {
		if p := found[id]; p != nil && !p.Deleted() {
			posts = append(posts, p)
		}
	}
	known, err := tx.Peer(ctx, peer)
	if err != nil {
		return nil, err
	}
	reader := s.ReaderAt(known, nil).AsHad()
	reader.System = true // a suspension of the author ends, and decides nothing here
	keeps, err := s.Visible(ctx, tx, reader, posts)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(posts, func(p *Post) bool { return slices.Contains(keeps, p) }), nil
}

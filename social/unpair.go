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
	return tx.AddJobs(ctx, []queue.Job{{Kind: TakeBackJob, Ref: int64(NewID(s.Now())), Target: p.Authority}})
}

// pairedWith finds a pairing that has not ended.
func pairedWith(ctx context.Context, tx Tx, host string) (Pairing, bool, error) {
	p, err := tx.Pairing(ctx, host)
	if errors.Is(err, ErrNotFound) {
		return p, false, nil
	}
	return p, err == nil && p.State != PairingLeft, err
}

// ApplyRoster does what a roster says that its keeper signed: it pins new members, and
// ends with those who are gone.
func (s *Service) ApplyRoster(ctx context.Context, tx Tx, r *Roster) error {
	had, err := s.Roster(ctx, tx)
	if err != nil {
		return err
	}
	switch {
	case r.Keeper == s.home:
		return adminErrorf(Forbidden, "the roster of this instance is made here")
	case had != nil && had.Keeper != r.Keeper:
		return adminErrorf(Forbidden, "the roster that counts here is kept by %s, not %s", had.Keeper, r.Keeper)
	case had != nil && r.Number < had.Number:
		return adminErrorf(Gone, "the roster %d is older than the %d that is known here", r.Number, had.Number)
	case had != nil && r.Number == had.Number:
		return nil
	}
	me, in := r.Member(s.home)
	if !in {
		return s.outOfRoster(ctx, tx, r.Keeper, "the roster no longer names this instance")
	}
	if err := putRoster(ctx, tx, r); err != nil {
		return err
	}
	for _, m := range r.Members {
		if err := s.pin(ctx, tx, r, me, m); err != nil {
			return err
		}
	}
	list, err := tx.Pairings(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		if _, still := r.Member(p.Authority); p.Keeper == r.Keeper && !still {
			if err := s.end(ctx, tx, p, "no longer in the roster", "", false); err != nil {
				return err
			}
		}
	}
	if had != nil {
		return nil
	}
	// New here: others may not have heard yet, and the keeper may be down.
	actor, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
	if err != nil {
		return err
	}
	others := *r
	others.Members = slices.DeleteFunc(slices.Clone(r.Members), func(m RosterMember) bool { return m.Authority == r.Keeper })
	if len(others.Members) == 1 {
		return nil
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbRoster, Actor: actor, Roster: &others, At: s.Now()})
}

// pin makes a member of the roster a sister, unless an administrator here decided
// otherwise about it. Each of the two has what the other wrote since both are members.
func (s *Service) pin(ctx context.Context, tx Tx, r *Roster, me, m RosterMember) error {
	if m.Authority == s.home || m.Authority == r.Keeper {
		return nil
	}
	vetoed, err := s.vetoes(ctx, tx)
	if err != nil {
		return err
	}
	peer, err := tx.Peer(ctx, m.Authority)
	if err != nil || slices.Contains(vetoed, m.Authority) || peer.Zone.Kind == ZoneBlocked || peer.Zone.Kind == ZonePartner {
		return err
	}
	p, err := tx.Pairing(ctx, m.Authority)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if p.State == PairingActive && p.Zone.Kind == ZoneCompany && slices.Equal(p.SigningKey, m.SigningKey) && slices.Equal(p.SealingKey, m.SealingKey) && p.Keeper == r.Keeper {
		return nil
	}
	if p.State == PairingLeft {
		p.SigningKey = nil
	}
	var former time.Time
	if s.Now().Before(m.FormerUntil) && slices.Equal(p.SigningKey, m.FormerKey) {
		former = m.FormerUntil
	}
	p.Pin(m.SigningKey, m.SealingKey, former)
	p.Authority, p.Zone, p.Name, p.Keeper, p.OwnKey = m.Authority, Zone{Kind: ZoneCompany}, m.Name, r.Keeper, me.SigningKey
	p.Invitation, p.ExpiresAt, p.EndedAt, p.Cause = "", time.Time{}, time.Time{}, ""
	p.DataClasses = dataClasses(p.Zone)
	if p.Since = m.Since; me.Since.After(m.Since) {
		p.Since = me.Since
	}
	return s.paired(ctx, tx, p)
}

// outOfRoster ends with all that this instance knows by a roster.
func (s *Service) outOfRoster(ctx context.Context, tx Tx, keeper, cause string) error {
	list, err := tx.Pairings(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Keeper == keeper {
			if err := s.end(ctx, tx, p, cause, "", false); err != nil {
				return err
			}
		}
	}
	return putRoster(ctx, tx, nil)
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

// HearEnd hears from another instance that it ended the pairing: a member that leaves,
// the keeper that took us off the roster, or a partner. meant says whether that is about
// the pairing of an invitation: news of an earlier one may come late.
func (s *Service) HearEnd(ctx context.Context, host string, meant func(invitation string) bool) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, on, err := pairedWith(ctx, tx, host)
		if err != nil || !on || !meant(p.Invitation) {
			return err
		}
		if err := s.end(ctx, tx, p, "ended by the other side", "", false); err != nil {
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

const vetoSetting = "roster.vetoes"

func (s *Service) vetoes(ctx context.Context, tx Tx) ([]string, error) {
	var list []string
	return list, getJSON(ctx, tx, vetoSetting, &list)
}

func (s *Service) putVeto(ctx context.Context, tx Tx, host string, on bool) error {
	list, err := s.vetoes(ctx, tx)
	if err != nil || slices.Contains(list, host) == on {
		return err
	}
	list = slices.DeleteFunc(list, func(h string) bool { return h == host })
	if on {
		list = append(list, host)
	}
	return putJSON(ctx, tx, vetoSetting, list)
}

// Veto keeps a member of the roster from being a sister here, now or when it joins.
func (s *Service) Veto(ctx context.Context, host, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		keeper, err := s.keeper(ctx, tx)
		switch {
		case err != nil:
			return err
		case host == s.home:
			return adminErrorf(Invalid, "%s is this instance itself", host)
		case keeper == s.home:
			return adminErrorf(Conflict, "this instance keeps the roster; to take %s off it: parley peer remove %s", host, host)
		case keeper == host:
			return adminErrorf(Conflict, "%s keeps the roster; to have nothing to do with it: parley peer leave", host)
		}
		if err := s.putVeto(ctx, tx, host, true); err != nil {
			return err
		}
		if err := s.auditPairing(ctx, tx, AuditRow{Peer: host, Rule: "veto", Result: "vetoed", By: by}); err != nil {
			return err
		}
		p, on, err := pairedWith(ctx, tx, host)
		if err != nil || !on || p.Zone.Kind != ZoneCompany {
			return err
		}
		return s.end(ctx, tx, p, "vetoed here", by, true)
	})
}

// Unveto lifts a veto; a member of the roster is a sister again. The other side does
// the same, where it has heard of the veto.
func (s *Service) Unveto(ctx context.Context, host, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.putVeto(ctx, tx, host, false); err != nil {
			return err
		}
		if err := s.auditPairing(ctx, tx, AuditRow{Peer: host, Rule: "veto", Result: "lifted", By: by}); err != nil {
			return err
		}
		r, err := s.Roster(ctx, tx)
		if err != nil {
			return err
		}
		m, in := r.Member(host)
		me, ok := r.Member(s.home)
		if !in || !ok {
			return nil
		}
		return s.pin(ctx, tx, r, me, m)
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
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil {
			return err
		}
		if err := s.Outbox.Record(ctx, tx, Change{Verb: VerbNarrow, Actor: author, Post: p, Peer: peer, At: s.Now()}); err != nil {
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
		if p := found[id]; p != nil && p.Local && !p.Deleted() {
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

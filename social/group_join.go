package social

import (
	"context"
	"slices"
)

// admission is what a reader who asks to join a group of ours gets: a member's place,
// a request that waits, or "" for a refusal.
func admission(r Reader, g *Account, admitted bool) FollowState {
	switch {
	case !admitted:
		return ""
	case g.Group.Join == JoinOpen, g.Group.Runs(r.AccountID()), slices.Contains(g.Group.Invited, r.AccountID()):
		return FollowAccepted
	case g.Group.Join == JoinRequest:
		return FollowPending
	}
	return ""
}

// askToJoin gives a member's new follow of a group of ours its state.
func (s *Service) askToJoin(me, g *Account, f *Follow) error {
	if f.State = admission(Member(me, s.home), g, true); f.State == "" {
		return Errorf(Forbidden, "this community is closed; ask who runs it to add you")
	}
	return nil
}

// applyJoin takes a remote request to join a group of ours; f is the follow as it
// stands or would stand.
func (s *Service) applyJoin(ctx context.Context, tx Tx, actor, g *Account, f *Follow) error {
	r := s.remoteReader(ctx, tx, actor)
	admitted, err := s.admits(ctx, tx, g, r)
	if err != nil {
		return err
	}
	if f.State == FollowAccepted && admitted {
		return s.answerAgain(ctx, tx, g, actor, f)
	}
	switch admission(r, g, admitted) {
	case FollowAccepted:
		return s.answer(ctx, tx, g, actor, f, true)
	case FollowPending:
		if err := tx.PutFollow(ctx, f); err != nil {
			return err
		}
		return s.joined(ctx, tx, actor, g, f)
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbReject, Actor: g, Target: actor, Follow: f, At: s.Now()})
}

// joined does what a new membership or a request for one brings with it: a member here
// gets the newest posts, a request is told to those who decide.
func (s *Service) joined(ctx context.Context, tx Tx, who, g *Account, f *Follow) error {
	if f.State == FollowPending {
		return s.tellRunners(ctx, tx, g)
	}
	if slices.Contains(g.Group.Invited, who.ID) {
		g.Group.Invited = without(g.Group.Invited, who.ID)
		if err := tx.UpdateAccount(ctx, g); err != nil {
			return err
		}
	}
	if who.Local() {
		return tx.FillTimeline(ctx, who.ID, g.ID, followTimeline)
	}
	return nil
}

// tellRunners tells owner and moderators that somebody waits: once however many do,
// so that nobody can flood them.
func (s *Service) tellRunners(ctx context.Context, tx Tx, g *Account) error {
	for _, id := range unique(append([]ID{g.Group.OwnerID}, g.Group.Moderators...)) {
		if id == 0 {
			continue
		}
		n := &Notification{AccountID: id, Kind: NotifyJoinRequest, FromID: g.ID, CreatedAt: s.Now()}
		if err := tx.RenewNotification(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// without copies a list and leaves one out.
func without(list []ID, id ID) []ID {
	return slices.DeleteFunc(slices.Clone(list), func(other ID) bool { return other == id })
}

// left passes a group on when its owner is no member any more, and takes a moderator's
// part.
func (s *Service) left(ctx context.Context, tx Tx, g *Account, who ID) error {
	if !g.Group.Runs(who) {
		return nil
	}
	info := *g.Group
	info.Moderators = without(info.Moderators, who)
	g.Group = &info
	if info.OwnerID == who {
		heir, err := s.heir(ctx, tx, g, who)
		if err != nil {
			return err
		}
		info.OwnerID, info.Moderators = heir, without(info.Moderators, heir)
	}
	return tx.UpdateAccount(ctx, g)
}

// heir is the first moderator, else the member here who joined first; zero when nobody
// is left, and an administrator has to name somebody.
func (s *Service) heir(ctx context.Context, tx Tx, g *Account, but ID) (ID, error) {
	people, err := tx.Accounts(ctx, g.Group.Moderators)
	if err != nil {
		return 0, err
	}
	for _, id := range g.Group.Moderators {
		if a := people[id]; a != nil && a.Active() && id != but {
			return id, nil
		}
	}
	for at := ID(1); ; {
		members, cursors, err := tx.Followers(ctx, g.ID, Page{Min: at, Limit: maxPage})
		if err != nil || len(members) == 0 {
			return 0, err
		}
		slices.Reverse(members)
		slices.Reverse(cursors)
		for _, m := range members {
			if m.Local() && m.Active() && m.ID != but {
				return m.ID, nil
			}
		}
		at = cursors[len(cursors)-1]
	}
}

// leaveGroups passes on what a person who leaves the instance runs.
func (s *Service) leaveGroups(ctx context.Context, tx Tx, who ID) error {
	for at := ID(0); ; {
		groups, err := tx.LocalGroups(ctx, Page{Max: at, Limit: maxPage})
		if err != nil || len(groups) == 0 {
			return err
		}
		for _, g := range groups {
			if err := s.left(ctx, tx, g, who); err != nil {
				return err
			}
		}
		at = groups[len(groups)-1].ID
	}
}

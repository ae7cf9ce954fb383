package social

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// NewGroup is what makes a group.
type NewGroup struct {
	Name        string // of its handle; from the names of people
	DisplayName string
	Purpose     string
	OwnerID     ID     // zero: who makes it
	Join        string // open, request or closed; "" is open
	Widest      string // instance, company, partner:<name> or public; "" is company
}

// GroupView is a group with what one reader needs to see it.
type GroupView struct {
	Account    *Account
	Owner      *Account // nil for groups elsewhere, and for one that lost its owner
	Moderators []*Account
	Member     bool // the reader is one
	Asked      bool // the reader's request waits
	Runs       bool // the reader decides about requests and members
	Owns       bool // the reader decides about everything
	Waiting    int  // requests, for who runs it; at most 40 are counted
}

// Label is how people and apps write that a post is for the group.
func (v *GroupView) Label() string { return v.Account.groupLabel() }

// Join asks to become a member of a group, here or elsewhere, or ends that.
func (s *Service) Join(ctx context.Context, r Reader, id ID, on bool) (*GroupView, error) {
	if _, err := s.Group(ctx, r, id); err != nil {
		return nil, err
	}
	var err error
	if on {
		_, err = s.Follow(ctx, r, id, FollowOptions{})
	} else {
		_, err = s.Unfollow(ctx, r, id)
	}
	if err != nil {
		return nil, err
	}
	v, err := s.Group(ctx, r, id)
	if !on && errors.Is(err, ErrNotFound) {
		return nil, nil // a closed group is not there any more for who left it
	}
	return v, err
}

// CreateGroup makes a group and its owner the first member.
func (s *Service) CreateGroup(ctx context.Context, r Reader, n NewGroup) (*GroupView, error) {
	owner, err := s.founder(ctx, r, n.OwnerID)
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(strings.TrimSpace(n.Name))
	if !usernamePattern.MatchString(name) {
		return nil, Errorf(Invalid, "the name %q does not fit: use 1 to 64 of a-z, 0-9, _, . and -, not beginning or ending with . or -", clip(n.Name, 100))
	}
	if reservedNames[name] {
		return nil, Errorf(Conflict, "the name %q is reserved", name)
	}
	a := &Account{Kind: KindGroup, Username: name, DisplayName: s.Text.SanitizePlain(n.DisplayName, s.Limits.NameLength), Role: RoleMember,
		Language: owner.Language, Discoverable: true, HideNetwork: true, Group: &Group{OwnerID: owner.ID}}
	if a.Group.Join, err = ParseJoinRule(n.Join); err != nil {
		return nil, err
	}
	if a.Group.Widest, err = s.parseWidest(n.Widest); err != nil {
		return nil, err
	}
	if err := s.mayReach(ctx, r, a.Group.Widest); err != nil {
		return nil, err
	}
	a.Locked = a.Group.Join != JoinOpen
	if err := s.purpose(a, n.Purpose); err != nil {
		return nil, err
	}
	if err := s.insertMember(ctx, a, func(tx Tx) error { return s.addTo(ctx, tx, a, owner) }); err != nil {
		return nil, err
	}
	return s.Group(ctx, r, a.ID)
}

// mayReach bounds a new group by the policy: by what it says of groups, and by how far
// its maker may publish.
func (s *Service) mayReach(ctx context.Context, r Reader, widest Audience) error {
	policy, err := s.Policy(ctx)
	if err != nil {
		return err
	}
	far := widest.Kind.farther()
	if far > policy.GroupWidest.farther() || !r.System && far > policy.widest(r.Account.Role).farther() {
		return Errorf(Forbidden, "a community may not reach that far here; choose a narrower circle, or ask your administrator")
	}
	return nil
}

// founder is who will own a new group: oneself, or whom an administrator names.
func (s *Service) founder(ctx context.Context, r Reader, id ID) (*Account, error) {
	if !r.System {
		me, err := s.member(r)
		if err != nil || id == 0 || id == me.ID {
			return me, err
		}
		if me.Role != RoleAdmin {
			return nil, Errorf(Forbidden, "only an administrator makes a community for somebody else")
		}
	}
	var owner *Account
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		owner, err = s.person(ctx, tx, id)
		return err
	})
	return owner, err
}

// person loads an active person of this instance.
func (s *Service) person(ctx context.Context, tx Tx, id ID) (*Account, error) {
	a, err := tx.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	if !a.Local() || !a.Active() || a.Kind == KindGroup || a.Kind == KindApplication {
		return nil, Errorf(Invalid, "only people of this server run a community")
	}
	return a, nil
}

func (s *Service) purpose(a *Account, text string) error {
	if len([]rune(text)) > s.Limits.BioLength {
		return Errorf(Invalid, "the purpose is longer than %d characters", s.Limits.BioLength)
	}
	a.NoteSource, a.Note = text, s.render(text, nil).HTML
	return nil
}

// addTo makes somebody of this instance a member, asked or not.
func (s *Service) addTo(ctx context.Context, tx Tx, g, who *Account) error {
	f, err := tx.Follow(ctx, who.ID, g.ID)
	if ignoreNotFound(err) != nil {
		return err
	}
	if f == nil {
		now := s.Now()
		f = &Follow{ID: NewID(now), FollowerID: who.ID, TargetID: g.ID, ShowBoosts: true, CreatedAt: now}
		f.URI = s.Links.Activity(f.ID)
	}
	if f.State == FollowAccepted {
		return nil
	}
	f.State = FollowAccepted
	if err := tx.PutFollow(ctx, f); err != nil {
		return err
	}
	return s.joined(ctx, tx, who, g, f)
}

// Group shows a group: name and purpose to all whom its widest zone admits.
func (s *Service) Group(ctx context.Context, r Reader, id ID) (v *GroupView, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		g, err := s.group(ctx, tx, r, id)
		if err != nil {
			return err
		}
		v, err = s.groupView(ctx, tx, r, g)
		return err
	})
	return v, err
}

// group loads a group that the reader may know of; everything else is missing.
func (s *Service) group(ctx context.Context, tx Tx, r Reader, id ID) (*Account, error) {
	g, err := s.account(ctx, tx, r, id)
	if err != nil {
		return nil, err
	}
	if g.Kind != KindGroup {
		return nil, NotFoundError()
	}
	return g, nil
}

// run loads a group of ours that the reader runs, alone or not; to everybody else it is
// missing.
func (s *Service) run(ctx context.Context, tx Tx, r Reader, id ID, alone bool) (*Account, error) {
	if !r.System {
		if _, err := s.member(r); err != nil {
			return nil, err
		}
	}
	g, err := s.group(ctx, tx, r, id)
	if err != nil {
		return nil, err
	}
	switch runs, owns := runs(r, g); {
	case !runs:
		return nil, NotFoundError()
	case alone && !owns:
		return nil, Errorf(Forbidden, "only the owner of the community may do that")
	}
	return g, nil
}

func runs(r Reader, g *Account) (runs, owns bool) {
	if !g.Local() || g.Group == nil {
		return false, false
	}
	owns = r.System || r.Local() && (r.Account.ID == g.Group.OwnerID || r.Account.Role == RoleAdmin)
	return owns || g.Group.Runs(r.AccountID()), owns
}

func (s *Service) groupView(ctx context.Context, tx Tx, r Reader, g *Account) (*GroupView, error) {
	v := &GroupView{Account: g}
	v.Runs, v.Owns = runs(r, g)
	if r.Local() {
		f, err := tx.Follow(ctx, r.Account.ID, g.ID)
		if ignoreNotFound(err) != nil {
			return nil, err
		}
		v.Member, v.Asked = f != nil && f.State == FollowAccepted, f != nil && f.State == FollowPending
	}
	if g.Group != nil && g.Local() {
		people, err := tx.Accounts(ctx, append([]ID{g.Group.OwnerID}, g.Group.Moderators...))
		if err != nil {
			return nil, err
		}
		v.Owner = people[g.Group.OwnerID]
		for _, id := range g.Group.Moderators {
			if people[id] != nil {
				v.Moderators = append(v.Moderators, people[id])
			}
		}
	}
	if v.Runs {
		waiting, _, err := tx.FollowRequests(ctx, g.ID, Page{Limit: maxPage})
		if err != nil {
			return nil, err
		}
		v.Waiting = len(waiting)
	}
	return v, nil
}

// Groups lists the groups here that the reader may know of, and those elsewhere that
// the reader has joined, which stand on the first page; cursors are ids of groups.
func (s *Service) Groups(ctx context.Context, r Reader, p Page) (views []*GroupView, err error) {
	p = p.Clamp(defaultPage, 80)
	err = s.Store.View(ctx, func(tx Tx) error {
		views = nil
		if r.Local() && p.Max == 0 && p.Min == 0 {
			joined, err := tx.GroupsOf(ctx, r.Account.ID, maxPage)
			if err != nil {
				return err
			}
			for _, g := range joined {
				if g.Local() || !g.Active() {
					continue
				}
				v, err := s.groupView(ctx, tx, r, g)
				if err != nil {
					return err
				}
				views = append(views, v)
			}
		}
		show := func(in []*Account) (out []*GroupView, err error) {
			for _, g := range in {
				if err := s.shows(ctx, tx, r, g); KindOf(err) == NotFound {
					continue
				} else if err != nil {
					return nil, err
				}
				v, err := s.groupView(ctx, tx, r, g)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
			return out, nil
		}
		here, err := scan(p, func(p Page) ([]*Account, error) { return tx.LocalGroups(ctx, p) }, show,
			func(a *Account) ID { return a.ID }, func(v *GroupView) ID { return v.Account.ID })
		views = append(views, here...)
		return err
	})
	return views, err
}

// insider loads a group whose posts and members the reader may see: a member, whoever
// runs it, or anybody who may know it where everybody may read it.
func (s *Service) insider(ctx context.Context, tx Tx, r Reader, id ID) (*Account, error) {
	g, err := s.group(ctx, tx, r, id)
	if err != nil || g.Group.Everybody() {
		return g, err
	}
	if r.System {
		return g, nil
	}
	ok, err := s.MemberOf(ctx, tx, r, g)
	if err == nil && !ok {
		err = NotFoundError()
	}
	return g, err
}

// GroupPosts lists what begins a thread in a group, newest first. To others than its
// members a group that is not for everybody is missing.
func (s *Service) GroupPosts(ctx context.Context, r Reader, id ID, p Page) (views []*PostView, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		g, err := s.insider(ctx, tx, r, id)
		if err != nil {
			return err
		}
		views, err = s.collect(ctx, tx, r, p, func(p Page) ([]*Post, error) { return tx.GroupPosts(ctx, g.ID, p) })
		return err
	})
	return views, err
}

// GroupMembers lists members, to members of this instance only; the second result are
// the cursors.
func (s *Service) GroupMembers(ctx context.Context, r Reader, id ID, p Page) ([]*Account, []ID, error) {
	return s.peopleOf(ctx, r, id, p, Tx.Followers, s.insider)
}

// GroupRequests lists who waits to become a member, for who runs the group.
func (s *Service) GroupRequests(ctx context.Context, r Reader, id ID, p Page) ([]*Account, []ID, error) {
	return s.peopleOf(ctx, r, id, p, Tx.FollowRequests, func(ctx context.Context, tx Tx, r Reader, id ID) (*Account, error) {
		return s.run(ctx, tx, r, id, false)
	})
}

func (s *Service) peopleOf(ctx context.Context, r Reader, id ID, p Page, list accountLister, find func(context.Context, Tx, Reader, ID) (*Account, error)) (out []*Account, cursors []ID, err error) {
	if !r.System {
		if _, err := s.member(r); err != nil {
			return nil, nil, err
		}
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		g, err := find(ctx, tx, r, id)
		if err == nil {
			out, cursors, err = s.listed(ctx, tx, r, g.ID, p, list)
		}
		return err
	})
	return out, cursors, err
}

// manage runs a change on a group that the reader runs and an account known here.
func (s *Service) manage(ctx context.Context, r Reader, group, who ID, alone bool, change func(tx Tx, g, a *Account) error) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		g, err := s.run(ctx, tx, r, group, alone)
		if err != nil {
			return err
		}
		info := *g.Group // a transaction may run again
		g.Group = &info
		a, err := tx.Account(ctx, who)
		if err != nil {
			return err
		}
		return change(tx, g, a)
	})
}

// AnswerJoin takes in or turns down somebody who asks to join.
func (s *Service) AnswerJoin(ctx context.Context, r Reader, group, who ID, accept bool) error {
	return s.manage(ctx, r, group, who, false, func(tx Tx, g, a *Account) error {
		f, err := tx.Follow(ctx, a.ID, g.ID)
		if err != nil || f.State == FollowAccepted && accept {
			return err
		}
		if accept && !a.Local() {
			if err := s.withinReach(ctx, tx, g, a); err != nil {
				return err
			}
		}
		return s.answer(ctx, tx, g, a, f, accept)
	})
}

func (s *Service) withinReach(ctx context.Context, tx Tx, g, a *Account) error {
	ok, err := s.admits(ctx, tx, g, s.remoteReader(ctx, tx, a))
	if err == nil && !ok {
		err = Errorf(Forbidden, "the server %s is outside what this community is for", a.Authority)
	}
	return err
}

// AddMember makes somebody here a member; somebody elsewhere becomes one by asking,
// whatever the join rule says.
func (s *Service) AddMember(ctx context.Context, r Reader, group, who ID) error {
	return s.manage(ctx, r, group, who, false, func(tx Tx, g, a *Account) error {
		if !a.Active() || a.Kind == KindGroup || a.Kind == KindApplication {
			return NotFoundError()
		}
		if a.Local() {
			return s.addTo(ctx, tx, g, a)
		}
		if err := s.withinReach(ctx, tx, g, a); err != nil {
			return err
		}
		f, err := tx.Follow(ctx, a.ID, g.ID)
		if ignoreNotFound(err) != nil {
			return err
		}
		switch {
		case f == nil:
			g.Group.Invited = unique(append(slices.Clone(g.Group.Invited), a.ID))
			return tx.UpdateAccount(ctx, g)
		case f.State == FollowPending:
			return s.answer(ctx, tx, g, a, f, true)
		}
		return nil
	})
}

// RemoveMember ends a membership or an invitation. When nobody else of the member's
// server is one, that server gets nothing more.
func (s *Service) RemoveMember(ctx context.Context, r Reader, group, who ID) error {
	return s.manage(ctx, r, group, who, false, func(tx Tx, g, a *Account) error {
		_, owns := runs(r, g)
		if a.ID == g.Group.OwnerID || g.Group.Runs(a.ID) && !owns && a.ID != r.AccountID() {
			return Errorf(Forbidden, "only the owner removes who runs the community, and hands it on first")
		}
		g.Group.Invited = without(g.Group.Invited, a.ID)
		g.Group.Moderators = without(g.Group.Moderators, a.ID)
		if err := tx.UpdateAccount(ctx, g); err != nil {
			return err
		}
		f, err := tx.Follow(ctx, a.ID, g.ID)
		if err != nil {
			return ignoreNotFound(err)
		}
		return s.answer(ctx, tx, g, a, f, false)
	})
}

// SetModerator lets a member of this instance help to run a group, or ends that.
func (s *Service) SetModerator(ctx context.Context, r Reader, group, who ID, on bool) error {
	return s.manage(ctx, r, group, who, true, func(tx Tx, g, a *Account) error {
		g.Group.Moderators = without(g.Group.Moderators, a.ID)
		if on {
			if _, err := s.person(ctx, tx, a.ID); err != nil {
				return err
			}
			if err := s.addTo(ctx, tx, g, a); err != nil {
				return err
			}
			g.Group.Moderators = append(g.Group.Moderators, a.ID)
		}
		return tx.UpdateAccount(ctx, g)
	})
}

// HandOver gives a group to another member of this instance.
func (s *Service) HandOver(ctx context.Context, r Reader, group, who ID) error {
	return s.manage(ctx, r, group, who, true, func(tx Tx, g, a *Account) error {
		if _, err := s.person(ctx, tx, a.ID); err != nil {
			return err
		}
		if err := s.addTo(ctx, tx, g, a); err != nil {
			return err
		}
		g.Group.OwnerID, g.Group.Moderators = a.ID, without(g.Group.Moderators, a.ID)
		return tx.UpdateAccount(ctx, g)
	})
}

// GroupChange sets what is not nil.
type GroupChange struct {
	DisplayName, Purpose, Join, Widest *string
}

// UpdateGroup changes a group: the purpose by whoever runs it, the rest by its owner.
// The widest zone can only become narrower: members wrote for those within it.
func (s *Service) UpdateGroup(ctx context.Context, r Reader, id ID, c GroupChange) (*GroupView, error) {
	err := s.Store.Tx(ctx, func(tx Tx) error {
		g, err := s.run(ctx, tx, r, id, c.DisplayName != nil || c.Join != nil || c.Widest != nil)
		if err != nil {
			return err
		}
		info := *g.Group
		g.Group = &info
		if c.DisplayName != nil {
			g.DisplayName = s.Text.SanitizePlain(*c.DisplayName, s.Limits.NameLength)
		}
		if c.Purpose != nil {
			if err := s.purpose(g, *c.Purpose); err != nil {
				return err
			}
		}
		if c.Join != nil {
			if info.Join, err = ParseJoinRule(*c.Join); err != nil {
				return err
			}
			g.Locked = info.Join != JoinOpen
		}
		if c.Widest != nil {
			widest, err := s.parseWidest(*c.Widest)
			if err != nil {
				return err
			}
			if !info.Narrows(widest) {
				return Errorf(Invalid, "a community can only become narrower: its members wrote for those whom it is for now")
			}
			info.Widest = widest
		}
		if err := tx.UpdateAccount(ctx, g); err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbProfile, Actor: g, At: s.Now()})
	})
	if err != nil {
		return nil, err
	}
	return s.Group(ctx, r, id)
}

// DeleteGroup closes a group for good, by its owner or an administrator. What was
// written in it stays with its authors alone.
func (s *Service) DeleteGroup(ctx context.Context, r Reader, id ID) error {
	err := s.Store.View(ctx, func(tx Tx) error {
		_, err := s.run(ctx, tx, r, id, true)
		return err
	})
	if err != nil {
		return err
	}
	by := "parley group delete"
	if r.Account != nil {
		by = r.Account.Username
	}
	return s.DeleteAccount(ctx, id, "", by)
}

// GroupByName finds a group by its handle, here or among those known.
func (s *Service) GroupByName(ctx context.Context, r Reader, handle string) (*GroupView, error) {
	a, err := s.AccountByHandle(ctx, r, handle)
	if errors.Is(err, ErrNotFound) || err == nil && a.Kind != KindGroup {
		return nil, Errorf(NotFound, "there is no group %q", clip(handle, 100))
	}
	if err != nil {
		return nil, err
	}
	return s.Group(ctx, r, a.ID)
}

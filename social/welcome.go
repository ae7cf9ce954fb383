package social

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"parley/text"
)

// Welcome is how far a member is with the first steps.
type Welcome struct {
	Begun      bool `json:",omitempty"` // has been shown them
	Done       bool `json:",omitempty"` // has done them, or wants to hear no more of them
	ServerDone bool `json:",omitempty"` // of an administrator: the same of the server's
}

// First are what a new colleague does first, and what of it is done.
type First struct {
	Picture, Skills, People, Groups, Post bool
}

const (
	firstSkills = 3 // that colleagues find somebody by
	firstPeople = 5 // that make a home worth reading
)

// All says that nothing is left to do.
func (f First) All() bool { return f.Picture && f.Skills && f.People && f.Groups && f.Post }

// First says what of the first steps a member has done. Where nobody is left to follow,
// or no group to join, that is done too.
func (s *Service) First(ctx context.Context, r Reader) (f First, err error) {
	me, err := s.member(r)
	if err != nil {
		return f, err
	}
	f.Picture, f.Post, f.People = me.AvatarID != 0, me.PostsCount > 0, me.FollowingCount >= firstPeople
	err = s.Store.View(ctx, func(tx Tx) error {
		own, err := tx.Person(ctx, me.URI)
		if ignoreNotFound(err) != nil {
			return err
		}
		f.Skills = own != nil && len(own.Skills) >= firstSkills
		groups, err := tx.GroupsOf(ctx, me.ID, 1)
		f.Groups = len(groups) > 0
		return err
	})
	if err == nil && !f.People && me.FollowingCount > 0 {
		people, fault := s.SuggestPeople(ctx, r, 1)
		f.People, err = len(people) == 0, fault
	}
	if err == nil && !f.Groups {
		groups, fault := s.SuggestGroups(ctx, r, 1)
		f.Groups, err = len(groups) == 0, fault
	}
	return f, err
}

// NoteWelcome keeps how far a member is.
func (s *Service) NoteWelcome(ctx context.Context, r Reader, change func(*Welcome)) error {
	return s.changeOwn(ctx, r, func(a *Account) { change(&a.Welcome) })
}

// changeOwn changes what the reader's account keeps for its member alone.
func (s *Service) changeOwn(ctx context.Context, r Reader, change func(*Account)) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, me.ID)
		if err != nil {
			return err
		}
		change(a)
		return tx.UpdateAccount(ctx, a)
	})
}

// CountMembers counts who has an account here, and what they wrote for all members.
func (s *Service) CountMembers(ctx context.Context) (members, posts int, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		members, posts, err = tx.CountLocalAccounts(ctx)
		return err
	})
	return members, posts, err
}

// Suggestion is a colleague worth following, and why.
type Suggestion struct {
	DirectoryEntry
	Manager    bool     // the reader reports to them
	Department bool     // the reader's own
	Skills     []string // that the reader has too
}

// worth orders suggestions.
func (g Suggestion) worth() int {
	n := len(g.Skills)
	if g.Department {
		n += 4
	}
	if g.Manager {
		n += 8
	}
	return n
}

// SuggestPeople lists colleagues whom a member does not follow yet, at sisters too, from
// what the directory shows the member: the manager, the same department, shared skills,
// then anybody.
func (s *Service) SuggestPeople(ctx context.Context, r Reader, limit int) (out []Suggestion, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		own, err := tx.Person(ctx, me.URI)
		if ignoreNotFound(err) != nil {
			return err
		}
		if own == nil {
			own = &Person{URI: me.URI}
		}
		known, err := s.directoryPeers(ctx, tx)
		if err != nil {
			return err
		}
		found, err := s.alike(ctx, tx, own, known)
		if err != nil {
			return err
		}
		if found, err = s.notMet(ctx, tx, me, found, known); err != nil {
			return err
		}
		entries, err := s.entries(ctx, tx, found, known)
		out = nil
		for _, e := range entries {
			out = append(out, suggest(own, e))
		}
		slices.SortStableFunc(out, func(a, b Suggestion) int { return cmp.Compare(b.worth(), a.worth()) })
		out = out[:min(len(out), limit)]
		return err
	})
	return out, err
}

// alike finds entries that may have something in common with a person, and some others.
func (s *Service) alike(ctx context.Context, tx Tx, own *Person, known map[string]directoryPeer) ([]*Person, error) {
	peers := make([]string, 0, len(known))
	for peer := range known {
		peers = append(peers, peer)
	}
	above, err := tx.PeopleByURI(ctx, []string{own.Manager})
	if err != nil {
		return nil, err
	}
	var found []*Person
	if boss := above[own.Manager]; boss != nil {
		found = append(found, boss)
	}
	for _, topic := range append(append([]string{own.Department}, own.Skills...), "") {
		words := text.Words(topic)
		if len(words) == 0 && topic != "" || topic == "" && len(found) >= maxPage {
			continue
		}
		people, err := tx.SearchPeople(ctx, PeopleQuery{Words: words[:min(len(words), searchWords)], Peers: peers, Limit: maxPage})
		if err != nil {
			return nil, err
		}
		found = append(found, people...)
	}
	return found, nil
}

// notMet leaves out the member, whom they follow, and whom they keep away or are kept
// away by.
func (s *Service) notMet(ctx context.Context, tx Tx, me *Account, people []*Person, known map[string]directoryPeer) ([]*Person, error) {
	var ids []ID
	for _, p := range people {
		if p.AccountID != 0 {
			ids = append(ids, p.AccountID)
		}
	}
	follows, err := tx.FollowsTo(ctx, me.ID, unique(ids))
	if err != nil {
		return nil, err
	}
	blocks, err := tx.Blocks(ctx, me.ID, unique(ids))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{me.URI: true}
	var out []*Person
	for _, p := range people {
		_, shown := known[p.Peer]
		if !shown || p.Gone || seen[p.URI] || p.AccountID != 0 && (follows[p.AccountID] != nil || blocks[p.AccountID] != Blocks{}) {
			continue
		}
		seen[p.URI] = true
		out = append(out, p)
	}
	return out, nil
}

// suggest says what two people have in common.
func suggest(own *Person, e DirectoryEntry) Suggestion {
	g := Suggestion{DirectoryEntry: e, Manager: own.Manager == e.URI, Department: own.Department != "" && strings.EqualFold(own.Department, e.Department)}
	for _, skill := range e.Person.Skills {
		if slices.ContainsFunc(own.Skills, func(mine string) bool { return strings.EqualFold(mine, skill) }) {
			g.Skills = append(g.Skills, skill)
		}
	}
	return g
}

// SuggestGroups lists groups that a member may know of and has not joined, those with
// most members first.
func (s *Service) SuggestGroups(ctx context.Context, r Reader, limit int) (out []*GroupView, err error) {
	views, _, err := s.FindGroups(ctx, r, "", 0, maxPage)
	if err != nil {
		return nil, err
	}
	for _, v := range views {
		if !v.Member && !v.Asked && (v.Account.Group == nil || v.Account.Group.Join != JoinClosed) {
			out = append(out, v)
		}
	}
	return out[:min(len(out), limit)], nil
}

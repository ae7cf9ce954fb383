package social

import (
	"context"
	"slices"
	"time"
)

const (
	// maxAliases is how many accounts a member can name as theirs.
	maxAliases = 10
	// moveEvery is how long a member waits between two moves (FEP-7628).
	moveEvery = 7 * 24 * time.Hour
)

// Aliases are the accounts elsewhere that the reader names as theirs: each may move here.
func (s *Service) Aliases(ctx context.Context, r Reader) (list []*Account, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, me.ID)
		if err != nil {
			return err
		}
		found, err := tx.AccountsByURI(ctx, a.AlsoKnownAs)
		if err != nil {
			return err
		}
		list = nil
		for _, uri := range a.AlsoKnownAs {
			if other := found[uri]; other != nil {
				list = append(list, other)
			} else {
				list = append(list, &Account{URI: uri, URL: uri, DisplayName: uri}) // it went away
			}
		}
		return nil
	})
	return list, err
}

// SetAlias names another account as the reader's, by its handle, or no more, by its URI.
func (s *Service) SetAlias(ctx context.Context, r Reader, name string, on bool) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	uri := name
	if on {
		other, err := s.FindHandle(ctx, r, name)
		if err != nil {
			return err
		}
		if other.ID == me.ID {
			return Errorf(Invalid, "this is the account that you are using")
		}
		uri = other.URI
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, me.ID)
		if err != nil {
			return err
		}
		had := slices.Contains(a.AlsoKnownAs, uri)
		switch {
		case on == had:
			return nil
		case !on:
			a.AlsoKnownAs = slices.DeleteFunc(slices.Clone(a.AlsoKnownAs), func(one string) bool { return one == uri })
		case len(a.AlsoKnownAs) >= maxAliases:
			return Errorf(Invalid, "you can name %d other accounts at most", maxAliases)
		default:
			a.AlsoKnownAs = append(a.AlsoKnownAs, uri)
		}
		if err := tx.UpdateAccount(ctx, a); err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbProfile, Actor: a, At: s.Now()})
	})
}

// Move lets the reader's followers follow another account instead, which has to name the
// reader's before: nobody can be moved to a stranger (T19). Posts stay where they are.
// To where others than the company are, those may move whose role may publish so far.
func (s *Service) Move(ctx context.Context, r Reader, handle string) (*Account, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	target, err := s.moveTarget(ctx, r, handle)
	if err != nil {
		return nil, err
	}
	var old *Account
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if old, err = tx.Account(ctx, me.ID); err != nil {
			return err
		}
		now := s.Now()
		if wait := old.MovedAt.Add(moveEvery); !old.MovedAt.IsZero() && now.Before(wait) {
			return Errorf(Limited, "you moved a short time ago; wait until %s", wait.UTC().Format("2006-01-02"))
		}
		if err := s.mayLead(ctx, tx, old, target); err != nil {
			return err
		}
		old.MovedToURI, old.MovedAt = target.URI, now
		if err := tx.UpdateAccount(ctx, old); err != nil {
			return err
		}
		if err := s.Outbox.Record(ctx, tx, Change{Verb: VerbProfile, Actor: old, At: now}); err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbMove, Actor: old, Target: target, At: now})
	})
	if err != nil {
		return nil, err
	}
	return target, s.moveFollowers(ctx, old, target)
}

// moveTarget finds the new account as its server shows it now.
func (s *Service) moveTarget(ctx context.Context, r Reader, handle string) (*Account, error) {
	target, err := s.FindHandle(ctx, r, handle)
	if err == nil && !target.Local() {
		target, _, err = s.Remote.FindURL(ctx, target.URI)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case target.ID == r.AccountID():
		return nil, Errorf(Invalid, "this is the account that you are using")
	case target.MovedToURI != "":
		return nil, Errorf(Invalid, "this account has moved on itself; name the one it moved to")
	case target.Kind == KindGroup || target.Kind == KindApplication:
		return nil, Errorf(Invalid, "people move to accounts of people")
	case !slices.Contains(target.AlsoKnownAs, r.Account.URI):
		return nil, Errorf(Invalid, "the new account does not name this one as its own yet; do that there first, and wait a minute")
	}
	return target, nil
}

// mayLead says that a member may take followers along to where an account is.
func (s *Service) mayLead(ctx context.Context, tx Tx, me, target *Account) error {
	if target.Local() {
		return nil
	}
	zone, err := s.ZoneIn(ctx, tx, target.Authority)
	if err != nil || zone.Kind == ZoneCompany {
		return err
	}
	policy, err := s.policyIn(ctx, tx)
	if err != nil {
		return err
	}
	if !policy.allows(me.Role, Audience{Kind: AudiencePublic, Owner: s.home}) {
		return Errorf(Forbidden, "your role may not take followers out of the company; ask your administrator")
	}
	return nil
}

// StayHere ends a move: the profile says so no more. Who followed the other account goes on
// doing so.
func (s *Service) StayHere(ctx context.Context, r Reader) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, me.ID)
		if err != nil || a.MovedToURI == "" {
			return err
		}
		a.MovedToURI = ""
		if err := tx.UpdateAccount(ctx, a); err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbProfile, Actor: a, At: s.Now()})
	})
}

// moveFollowers lets the members who follow one account follow another instead. What
// cannot be followed stays as it was; a second time changes nothing more.
func (s *Service) moveFollowers(ctx context.Context, old, target *Account) error {
	for page := (Page{Limit: 200}); ; {
		var followers []*Account
		var cursors []ID
		err := s.Store.View(ctx, func(tx Tx) (err error) {
			followers, cursors, err = tx.Followers(ctx, old.ID, page)
			return err
		})
		if err != nil || len(followers) == 0 {
			return err
		}
		page.Max = cursors[len(cursors)-1]
		for _, f := range followers {
			if !f.Local() || !f.Active() || f.ID == target.ID {
				continue
			}
			who := Member(f, s.home)
			switch _, err := s.Follow(ctx, who, target.ID, FollowOptions{}); KindOf(err) {
			case Forbidden, NotFound, Invalid:
				continue
			default:
				if err != nil {
					return err
				}
			}
			if _, err := s.Unfollow(ctx, who, old.ID); err != nil {
				return err
			}
		}
	}
}

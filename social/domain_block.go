package social

import "context"

// DomainBlock is a server of which one member wants to see nothing. It changes nothing for
// anybody else: administrators decide whom the instance speaks with.
type DomainBlock struct {
	ID     ID
	Domain string // host of a handle, or authority
}

const (
	// maxDomainBlocks is how many servers a member can keep away.
	maxDomainBlocks = 1000
	// endedAtOnce is how many follows end in one transaction.
	endedAtOnce = 200
)

// BlockDomain hides a server from the reader, or no more: what its people write, and their
// notifications. Whoever follows the reader from there follows no more.
func (s *Service) BlockDomain(ctx context.Context, r Reader, domain string, on bool) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	if domain == s.home || domain == s.Links.Domain {
		return Errorf(Invalid, "that is this server; you can mute or block its people one by one")
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		have, err := tx.DomainBlocks(ctx, me.ID, Page{Limit: maxDomainBlocks})
		if err != nil {
			return err
		}
		if on && len(have) >= maxDomainBlocks {
			return Errorf(Invalid, "at most %d servers; take one from the list first", maxDomainBlocks)
		}
		_, err = tx.SetDomainBlock(ctx, me.ID, domain, on)
		return err
	})
	for more := on && err == nil; more; {
		more, err = s.endFollowsFrom(ctx, me, domain)
	}
	return err
}

// endFollowsFrom ends some of the follows of a member from a server, and says whether
// there may be more.
func (s *Service) endFollowsFrom(ctx context.Context, me *Account, domain string) (more bool, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		follows, err := tx.FollowersOf(ctx, me.ID, domain, endedAtOnce)
		if err != nil {
			return err
		}
		ids := make([]ID, len(follows))
		for i, f := range follows {
			ids[i] = f.FollowerID
		}
		followers, err := tx.Accounts(ctx, ids)
		if err != nil {
			return err
		}
		for _, f := range follows {
			if err := s.answer(ctx, tx, me, followers[f.FollowerID], f, false); err != nil {
				return err
			}
		}
		more = len(follows) == endedAtOnce
		return nil
	})
	return more && err == nil, err
}

// DomainBlocks lists the servers that the reader keeps away, the latest first.
func (s *Service) DomainBlocks(ctx context.Context, r Reader, p Page) (list []DomainBlock, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		read := func(p Page) ([]DomainBlock, error) { return tx.DomainBlocks(ctx, me.ID, p) }
		all := func(part []DomainBlock) ([]DomainBlock, error) { return part, nil }
		at := func(b DomainBlock) ID { return b.ID }
		list, err = scan(p.Clamp(100, 200), read, all, at, at)
		return err
	})
	return list, err
}

// keptAway tells which of some accounts are of servers that a member does not want to see.
func keptAway(ctx context.Context, tx Tx, member ID, accounts map[ID]*Account) (map[ID]bool, error) {
	var domains []string
	for _, a := range accounts {
		if !a.Local() {
			domains = append(domains, a.Host, a.Authority)
		}
	}
	blocked, err := tx.DomainsBlocked(ctx, member, unique(domains))
	if err != nil || len(blocked) == 0 {
		return nil, err
	}
	away := map[ID]bool{}
	for id, a := range accounts {
		away[id] = !a.Local() && (blocked[a.Host] || blocked[a.Authority])
	}
	return away, nil
}

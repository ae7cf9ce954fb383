package social

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// Sister is another company of the group.
type Sister struct {
	Authority string
	Name      string // as the roster has it; "" where it has none
}

// Sisters lists the other companies of the group by name, for members.
func (s *Service) Sisters(ctx context.Context, r Reader) (out []Sister, err error) {
	if _, err := s.member(r); err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		out = nil
		roster, err := s.Roster(ctx, tx)
		if err != nil {
			return err
		}
		names := map[string]string{}
		if roster != nil {
			for _, m := range roster.Members {
				names[m.Authority] = m.Name
			}
		}
		peers, err := tx.PeersInZone(ctx, Zone{Kind: ZoneCompany})
		for _, p := range peers {
			out = append(out, Sister{Authority: p.Authority, Name: names[p.Authority]})
		}
		slices.SortFunc(out, func(a, b Sister) int {
			return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Authority, b.Authority))
		})
		return err
	})
	return out, err
}

// HouseRules are the rules of the house, one by one.
func (o Organisation) HouseRules() []string {
	var out []string
	for line := range strings.Lines(o.Rules) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// ServerNames are the names under which other servers are known here: those of the
// roster, and what each said of itself when it was paired.
func (s *Service) ServerNames(ctx context.Context) (names map[string]string, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		names = map[string]string{}
		pairings, err := tx.Pairings(ctx)
		if err != nil {
			return err
		}
		for _, p := range pairings {
			names[p.Authority] = p.Name
		}
		roster, err := s.Roster(ctx, tx)
		if err != nil || roster == nil {
			return err
		}
		for _, m := range roster.Members {
			names[m.Authority] = cmp.Or(m.Name, names[m.Authority])
		}
		return nil
	})
	return names, err
}

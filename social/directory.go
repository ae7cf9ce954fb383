package social

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/text"
)

const (
	// staleAfter is how long a server may say nothing before its entries are marked.
	staleAfter = 7 * 24 * time.Hour
	// chainLength bounds the managers shown above a person.
	chainLength = 10
	// searchWords bounds the words of a search.
	searchWords = 8
)

// DirectoryEntry is a person as a member finds them.
type DirectoryEntry struct {
	*Person
	Managers  []*Person // from the nearest up, as far as the directory knows them
	Zone      Zone      // where the person's server stands; the zero one is here
	Authority string    // of that server
	Stale     bool      // it has said nothing for a week
	// Unconfirmed: we or that server were away, and what happened meanwhile is not all
	// read yet. Somebody may have left.
	Unconfirmed bool
}

// DirectoryQuery asks for people by the beginnings of words.
type DirectoryQuery struct {
	Text          string
	At            string                 // authority whose people alone are sought, our own too; "" for all
	In            map[PersonField]string // words that must stand in these fields
	Limit, Offset int
	Next          *int // set to the Offset of further ones; to 0 at the end
}

// fits says that the words sought in single fields stand there.
func (q DirectoryQuery) fits(p *Person) bool {
	for name, sought := range q.In {
		have := text.Words(p.text(name))
		for _, word := range text.Words(sought) {
			if !slices.ContainsFunc(have, func(one string) bool { return strings.HasPrefix(one, word) }) {
				return false
			}
		}
	}
	return true
}

// searched are all words of a query that entries are found by: languages are not.
func (q DirectoryQuery) searched() []string {
	all := []string{clip(q.Text, 500)}
	for name, sought := range q.In {
		if name != FieldLanguages {
			all = append(all, clip(sought, 200))
		}
	}
	return text.Words(strings.Join(all, " "))
}

// directoryScan bounds how many entries are looked at for one page of those that have
// words in single fields.
const directoryScan = 5000

// Directory finds people here and at the servers of our company and our partners,
// followed or not, for members. Without words it lists everybody, by name.
func (s *Service) Directory(ctx context.Context, r Reader, q DirectoryQuery) (entries []DirectoryEntry, err error) {
	if _, err := s.member(r); err != nil {
		return nil, err
	}
	page := Page{Limit: q.Limit}.Clamp(defaultPage, maxPage)
	words := q.searched()
	if len(words) == 0 && q.Text != "" || q.Offset < 0 || q.Offset > maxOffset {
		return nil, nil
	}
	words = words[:min(len(words), searchWords)]
	err = s.Store.View(ctx, func(tx Tx) error {
		known, err := s.directoryPeers(ctx, tx)
		if err != nil {
			return err
		}
		peers := make([]string, 0, len(known))
		for peer := range known {
			if q.At == "" || q.At == peer || q.At == s.home && peer == "" {
				peers = append(peers, peer)
			}
		}
		people, next, err := q.page(page.Limit, func(limit, skip int) ([]*Person, error) {
			return tx.SearchPeople(ctx, PeopleQuery{Words: words, Peers: peers, Limit: limit, Skip: skip})
		})
		if err != nil {
			return err
		}
		if q.Next != nil {
			*q.Next = next
		}
		entries, err = s.entries(ctx, tx, people, known)
		return err
	})
	return entries, err
}

// page picks the entries that fit out of those that get lists, and says where the next
// page begins; 0 at the end.
func (q DirectoryQuery) page(limit int, get func(limit, skip int) ([]*Person, error)) (out []*Person, next int, err error) {
	for skip := q.Offset; ; {
		part, err := get(limit+1, skip)
		if err != nil {
			return nil, 0, err
		}
		for i, p := range part {
			if !q.fits(p) {
				continue
			}
			if len(out) == limit {
				return out, skip + i, nil
			}
			out = append(out, p)
		}
		skip += len(part)
		if len(part) <= limit {
			return out, 0, nil
		}
		if skip-q.Offset >= directoryScan {
			return out, skip, nil
		}
	}
}

// EntryOf is what the directory says of an account, for members; ErrNotFound if it says
// nothing, or nothing that may be shown.
func (s *Service) EntryOf(ctx context.Context, r Reader, uri string) (e DirectoryEntry, err error) {
	if _, err := s.member(r); err != nil {
		return e, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err := tx.Person(ctx, uri)
		if err != nil {
			return err
		}
		known, err := s.directoryPeers(ctx, tx)
		if err != nil {
			return err
		}
		if _, shown := known[p.Peer]; !shown || p.Gone {
			return NotFoundError()
		}
		list, err := s.entries(ctx, tx, []*Person{p}, known)
		if err == nil {
			e = list[0]
		}
		return err
	})
	return e, err
}

// chartSize bounds how many people an organisation chart is made of.
const chartSize = 5000

// ChartNode is somebody in an organisation chart, with those who report to them.
type ChartNode struct {
	*Person
	Reports []*ChartNode
}

// Chart lists who reports to whom, here and at the servers of our company, by name at
// each level. Nobody who is shown stands below somebody who is not: they stand at the
// top, as does one of those who stand above each other in a circle. more says that there
// are more people than a chart is made of.
func (s *Service) Chart(ctx context.Context, r Reader) (tops []*ChartNode, more bool, err error) {
	if _, err := s.member(r); err != nil {
		return nil, false, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		known, err := s.directoryPeers(ctx, tx)
		if err != nil {
			return err
		}
		var peers []string
		for name, peer := range known {
			if name == "" || peer.zone.Kind == ZoneCompany {
				peers = append(peers, name)
			}
		}
		people, err := tx.SearchPeople(ctx, PeopleQuery{Peers: peers, Limit: chartSize + 1})
		if more = len(people) > chartSize; more {
			people = people[:chartSize]
		}
		tops = arrange(people)
		return err
	})
	return tops, more, err
}

// arrange hangs people below their managers. Who would hang below themselves is a top.
func arrange(people []*Person) (tops []*ChartNode) {
	nodes := make(map[string]*ChartNode, len(people))
	for _, p := range people {
		nodes[p.URI] = &ChartNode{Person: p}
	}
	above := map[string]string{} // URI -> manager, as far as they hang by now
	for _, p := range people {
		top := nodes[p.Manager] == nil
		for up, seen := p.Manager, 0; !top && up != "" && seen <= len(people); up, seen = above[up], seen+1 {
			top = up == p.URI
		}
		if top {
			tops = append(tops, nodes[p.URI])
			continue
		}
		above[p.URI] = p.Manager
		nodes[p.Manager].Reports = append(nodes[p.Manager].Reports, nodes[p.URI])
	}
	return tops
}

// directoryPeer is what counts of a server for its entries.
type directoryPeer struct {
	zone               Zone
	stale, unconfirmed bool
}

// directoryPeers are the servers whose entries may be shown now, with "" for here.
// What stands in the table of a server that has left is asked for in vain.
func (s *Service) directoryPeers(ctx context.Context, tx Tx) (map[string]directoryPeer, error) {
	out := map[string]directoryPeer{"": {}}
	names, err := tx.PeoplePeers(ctx)
	if err != nil || len(names) == 0 {
		return out, err
	}
	peers, err := tx.Peers(ctx)
	if err != nil {
		return nil, err
	}
	heard := make(map[string]time.Time, len(peers))
	for _, p := range peers {
		heard[p.Authority] = p.LastInAt
	}
	for _, name := range names {
		zone, err := s.ZoneIn(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		if !zone.ExchangesPeople() {
			continue
		}
		log, err := tx.CatchUp(ctx, name)
		if err != nil {
			return nil, err
		}
		out[name] = directoryPeer{zone: zone, stale: s.Now().Sub(heard[name]) > staleAfter, unconfirmed: !log.Complete(s.Now())}
	}
	return out, nil
}

// entries adds to people where they are, and the chain of their managers.
func (s *Service) entries(ctx context.Context, tx Tx, people []*Person, known map[string]directoryPeer) ([]DirectoryEntry, error) {
	met, err := managersOf(ctx, tx, people, known)
	if err != nil {
		return nil, err
	}
	out := make([]DirectoryEntry, len(people))
	for i, p := range people {
		at := known[p.Peer]
		out[i] = DirectoryEntry{Person: p, Managers: chain(p, met), Zone: at.zone, Authority: p.Peer, Stale: at.stale, Unconfirmed: at.unconfirmed}
		if p.Peer == "" {
			out[i].Authority = s.home
		}
	}
	return out, nil
}

// managersOf loads who stands above people, level by level: a query for each level,
// however many people there are.
func managersOf(ctx context.Context, tx Tx, people []*Person, known map[string]directoryPeer) (map[string]*Person, error) {
	met := map[string]*Person{}
	for _, p := range people {
		met[p.URI] = p
	}
	for range chainLength {
		var wanted []string
		for _, p := range people {
			if p.Manager != "" && met[p.Manager] == nil {
				wanted = append(wanted, p.Manager)
			}
		}
		if len(wanted) == 0 {
			break
		}
		found, err := tx.PeopleByURI(ctx, unique(wanted))
		if err != nil {
			return nil, err
		}
		people = people[:0:0]
		for uri, p := range found {
			if _, ok := known[p.Peer]; ok && !p.Gone {
				met[uri] = p
				people = append(people, p)
			}
		}
	}
	return met, nil
}

// chain follows managers up, and ends where somebody would stand above themselves.
func chain(p *Person, met map[string]*Person) []*Person {
	var out []*Person
	seen := map[string]bool{p.URI: true}
	for up := met[p.Manager]; up != nil && !seen[up.URI] && len(out) < chainLength; up = met[up.Manager] {
		seen[up.URI] = true
		out = append(out, up)
	}
	return out
}

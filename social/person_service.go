package social

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// PeopleFor says what a peer may see of members' entries, as it stands now: what the
// policy lets into its zone and, for a partner, what the pairing names. see is nil for
// who sees nobody.
func (s *Service) PeopleFor(ctx context.Context, tx Tx, peer string) (see func(*Person) *Person, zone Zone, err error) {
	if zone, err = s.ZoneIn(ctx, tx, peer); err != nil {
		return nil, zone, err
	}
	policy, err := s.policyIn(ctx, tx)
	if err != nil {
		return nil, zone, err
	}
	allowed := func(f PersonField, z Zone) bool { return policy.Shows(z, string(f)) }
	switch zone.Kind {
	case ZoneCompany:
	case ZonePartner:
		pairing, err := tx.Pairing(ctx, peer)
		if err != nil || !pairing.Holds(s.Now()) {
			return nil, zone, ignoreNotFound(err)
		}
		allowed = func(f PersonField, z Zone) bool {
			return policy.Shows(z, string(f)) && (slices.Contains(pairing.DataClasses, dataDirectory) || slices.Contains(pairing.DataClasses, dataDirectory+"."+string(f)))
		}
		if !allowed(FieldName, zone) {
			return nil, zone, nil
		}
	default:
		return nil, zone, nil
	}
	return func(p *Person) *Person { return p.For(zone, allowed) }, zone, nil
}

// dataDirectory is the class of data that a pairing names for entries; with a field
// behind a dot, for that field.
const dataDirectory = "directory"

// PersonChange sets what is not nil.
type PersonChange struct {
	Department, Title, Location, Pronouns *string
	Manager                               *string  // a handle or the address of an account; "" for none
	Skills, Languages                     []string // nil: they stay
	Shown                                 map[PersonField]Reach
}

// OwnPerson is a member's own entry, with what only they see of it.
func (s *Service) OwnPerson(ctx context.Context, r Reader) (p *Person, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err = tx.Person(ctx, me.URI)
		return err
	})
	return p, err
}

// UpdatePerson changes a member's own entry; every server that may see it is told at
// once. Looking a manager up may take the network.
func (s *Service) UpdatePerson(ctx context.Context, r Reader, c PersonChange) (*Person, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	for f, reach := range c.Shown {
		if _, err := ParseReach(string(reach)); err != nil {
			return nil, err
		}
		if !slices.Contains(PersonFields(), f) {
			return nil, Errorf(Invalid, "there is no field %.40q; use %s", string(f), fieldNames())
		}
	}
	manager := ""
	if c.Manager != nil {
		if manager, err = s.findManager(ctx, r, *c.Manager); err != nil {
			return nil, err
		}
	}
	var out *Person
	err = s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, me.ID)
		if err != nil {
			return err
		}
		out, err = s.enterAndTell(ctx, tx, a, func(p *Person) {
			c.apply(p)
			if c.Manager != nil {
				p.Manager = manager
			}
		})
		return err
	})
	return out, err
}

func fieldNames() string {
	var names []string
	for _, f := range PersonFields() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func (c PersonChange) apply(p *Person) {
	for _, one := range []struct{ to, from *string }{{&p.Department, c.Department}, {&p.Title, c.Title}, {&p.Location, c.Location}, {&p.Pronouns, c.Pronouns}} {
		if one.from != nil {
			*one.to = *one.from
		}
	}
	if c.Skills != nil {
		p.Skills = c.Skills
	}
	if c.Languages != nil {
		p.Languages = c.Languages
	}
	for f, reach := range c.Shown {
		if p.Shown == nil {
			p.Shown = map[PersonField]Reach{}
		}
		p.Shown[f] = reach
		if reach == DefaultReach(f) {
			delete(p.Shown, f)
		}
	}
}

// findManager turns what a member typed into the URI of an account: somebody here or
// of the directory, else whoever another server says has that handle.
func (s *Service) findManager(ctx context.Context, r Reader, typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return "", nil
	}
	unknown := Errorf(Invalid, "nobody called %.100s is known; use a name such as ben or ben@host", typed)
	if webAddress(typed) != "" {
		res, err := s.Search(ctx, r, typed, SearchOptions{Type: "accounts", Resolve: true})
		if err != nil || len(res.Accounts) != 1 {
			return "", errors.Join(unknown, err)
		}
		return s.asManager(r, res.Accounts[0].URI)
	}
	var uri string
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		uri, err = s.personByHandle(ctx, tx, typed)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		var a *Account
		if a, err = s.FindHandle(ctx, r, typed); err == nil {
			uri = a.URI
		}
	}
	switch KindOf(err) {
	case NotFound, Invalid, Forbidden:
		if err != nil {
			return "", unknown
		}
	}
	if err != nil {
		return "", err
	}
	return s.asManager(r, uri)
}

func (s *Service) asManager(r Reader, uri string) (string, error) {
	if uri == r.Account.URI {
		return "", Errorf(Invalid, "nobody is their own manager")
	}
	return uri, nil
}

// personByHandle finds the URI of an account that is known here by its handle.
func (s *Service) personByHandle(ctx context.Context, tx Tx, handle string) (string, error) {
	name, host := s.splitHandle(handle)
	a, err := tx.AccountByName(ctx, name, host)
	switch {
	case err == nil && a.Active() && a.Kind != KindApplication:
		return a.URI, nil
	case ignoreNotFound(err) != nil:
		return "", err
	case host == "":
		return "", NotFoundError()
	}
	p, err := tx.PersonByHandle(ctx, name, host)
	if err == nil && p.Gone {
		err = NotFoundError()
	}
	if err != nil {
		return "", err
	}
	return p.URI, nil
}

// writeEntry writes a member's entry anew, from the account and after change has had its
// way with the one there was, nil for none. It says whether anything is different.
func (s *Service) writeEntry(ctx context.Context, tx Tx, a *Account, had *Person, change func(*Person)) (*Person, bool, error) {
	p := &Person{ID: a.ID, URI: a.URI}
	if had != nil {
		copied := *had
		copied.Shown = maps.Clone(had.Shown)
		p = &copied
	}
	if change != nil {
		change(p)
	}
	p.Username, p.Name, p.Photo, p.Gone = a.Username, a.Name(), "", !a.Active()
	if a.AvatarID != 0 {
		p.Photo = s.Links.Media(a.AvatarID, false)
	}
	if !a.DeletedAt.IsZero() {
		p = &Person{ID: p.ID, URI: p.URI, Username: p.Username, Version: p.Version, Gone: true, Imported: p.Imported, LeftAt: p.LeftAt}
	}
	p.clean(s.Text.SanitizePlain)
	if had != nil {
		p.AccountID = had.AccountID
		if reflect.DeepEqual(p, had) {
			return had, false, nil
		}
	}
	p.Version = max(p.Version+1, s.Now().UnixMilli())
	return p, true, tx.PutPerson(ctx, p)
}

// enterAndTell writes a member's entry and tells those who may see it.
func (s *Service) enterAndTell(ctx context.Context, tx Tx, a *Account, change func(*Person)) (*Person, error) {
	if a.Kind != KindPerson || !a.Local() {
		return nil, nil
	}
	had, err := tx.Person(ctx, a.URI)
	if ignoreNotFound(err) != nil {
		return nil, err
	}
	p, changed, err := s.writeEntry(ctx, tx, a, had, change)
	if err != nil || !changed || p.hidden() && (had == nil || had.hidden()) {
		return p, err
	}
	return p, s.tellPeople(ctx, tx, "", []*Person{p})
}

// hidden says that nobody elsewhere may know of the person.
func (p *Person) hidden() bool { return p.Gone || p.ReachOf(FieldName) == ReachInstance }

// peopleAtOnce is how many entries one message names.
const peopleAtOnce = 100

// tellPeople lets others know that entries changed: all who may see any, or one peer.
// What each of them is told is decided when it is sent.
func (s *Service) tellPeople(ctx context.Context, tx Tx, peer string, people []*Person) error {
	actor, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
	if err != nil {
		return err
	}
	for len(people) > 0 {
		n := min(peopleAtOnce, len(people))
		if err := s.Outbox.Record(ctx, tx, Change{Verb: VerbPeople, Actor: actor, People: people[:n], Peer: peer, At: s.Now()}); err != nil {
			return err
		}
		people = people[n:]
	}
	return nil
}

// tellEverybody names all members' entries, to all or to one peer.
func (s *Service) tellEverybody(ctx context.Context, tx Tx, peer string) error {
	above := ID(0)
	for {
		people, err := tx.PeopleOf(ctx, "", above, peopleAtOnce)
		if err != nil || len(people) == 0 {
			return err
		}
		above = people[len(people)-1].ID
		if err := s.tellPeople(ctx, tx, peer, slices.DeleteFunc(people, (*Person).hidden)); err != nil {
			return err
		}
	}
}

// retellDirectory gives all entries a new version and tells them, since something else
// than a member changed what others may see.
func (s *Service) retellDirectory(ctx context.Context, tx Tx) error {
	if err := tx.RenewPeople(ctx, s.Now().UnixMilli()); err != nil {
		return err
	}
	return s.tellEverybody(ctx, tx, "")
}

// moveDirectory follows a peer into another zone than the one it was in: it is asked to
// forget all, told what it may see there, and where it has no place in our directory its
// own entries go.
func (s *Service) moveDirectory(ctx context.Context, tx Tx, peer string, from Zone) error {
	to, err := s.ZoneIn(ctx, tx, peer)
	if err != nil || from == to {
		return err
	}
	if from.ExchangesPeople() {
		if err := s.askToForget(ctx, tx, peer); err != nil {
			return err
		}
	}
	if to.ExchangesPeople() {
		return s.tellEverybody(ctx, tx, peer)
	}
	return tx.DropPeople(ctx, peer)
}

// askToForget takes back all entries from one peer that has any, or from all.
func (s *Service) askToForget(ctx context.Context, tx Tx, peer string) error {
	actor, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
	if err != nil {
		return err
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbForgetPeople, Actor: actor, Peer: peer, At: s.Now()})
}

// ExchangesPeople says that entries of the directory go to a zone and come from there.
func (z Zone) ExchangesPeople() bool { return z.Kind == ZoneCompany || z.Kind == ZonePartner }

// ensureDirectory gives an entry to members who have none yet, and new versions to all
// after a backup was restored: others have newer entries than it holds.
func (s *Service) ensureDirectory(ctx context.Context) error {
	if err := s.renewDirectory(ctx); err != nil {
		return err
	}
	for {
		var list []*Account
		if err := s.Store.View(ctx, func(tx Tx) (err error) {
			list, err = tx.MembersOffList(ctx, peopleAtOnce)
			return err
		}); err != nil || len(list) == 0 {
			return err
		}
		if err := s.Store.Tx(ctx, func(tx Tx) error {
			people := make([]*Person, 0, len(list))
			for _, a := range list {
				p, _, err := s.writeEntry(ctx, tx, a, nil, nil)
				if err != nil {
					return err
				}
				people = append(people, p)
			}
			return s.tellPeople(ctx, tx, "", slices.DeleteFunc(people, (*Person).hidden))
		}); err != nil {
			return err
		}
	}
}

func (s *Service) renewDirectory(ctx context.Context) error {
	const setting = "directory.epoch"
	var had, epoch string
	if err := s.Store.View(ctx, func(tx Tx) (err error) {
		if epoch, err = tx.Setting(ctx, "epoch"); err != nil {
			return err
		}
		had, err = tx.Setting(ctx, setting)
		return err
	}); err != nil {
		return err
	}
	if epoch += "."; had == epoch { // the dot tells it from one never written
		return nil
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		if had != "" {
			if err := s.askToForget(ctx, tx, ""); err != nil {
				return err
			}
			if err := s.retellDirectory(ctx, tx); err != nil {
				return err
			}
		}
		return tx.PutSetting(ctx, setting, epoch)
	})
}

package social

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Choice is an audience that a member can pick.
type Choice struct {
	Label   string
	Kind    AudienceKind
	Name    string   // of a partner zone; of a group its handle
	Group   *Account // nil for all else
	Peers   int      // other instances it reaches now
	Hosts   []string // of the company, and of a partner: whose instances these are
	People  int      // whom it reaches and we know of; 0 where it is not known, or everybody
	Least   bool     // People leaves out instances that tell nothing of theirs
	Default bool
}

// Audiences lists what a member can choose for a new post, or for a reply.
func (s *Service) Audiences(ctx context.Context, r Reader, inReplyTo ID) ([]Choice, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	var choices []Choice
	err = s.Store.View(ctx, func(tx Tx) error {
		var parent *Post
		if inReplyTo != 0 {
			if parent, err = s.readable(ctx, tx, r, inReplyTo); err != nil {
				return err
			}
		}
		policy, err := s.policyIn(ctx, tx)
		if err != nil {
			return err
		}
		def, _, err := s.chooseAudience(policy, r, Draft{}, parent)
		if err != nil {
			return err
		}
		choices, err = s.allowed(ctx, tx, policy, me, parent, def)
		return err
	})
	return choices, err
}

// Narrower lists the audiences that an edit of an own post can have: its own first, where
// the policy still allows that, and those that are part of it.
func (s *Service) Narrower(ctx context.Context, r Reader, id ID) (choices []Choice, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err := s.own(ctx, tx, r, id)
		if err != nil {
			return err
		}
		policy, err := s.policyIn(ctx, tx)
		if err != nil {
			return err
		}
		choices, err = s.allowed(ctx, tx, policy, me, p, p.Audience)
		choices = slices.DeleteFunc(choices, func(c Choice) bool {
			return !c.Default && (c.Group != nil || !c.audience(s.home).narrows(p.Audience))
		})
		return err
	})
	slices.SortStableFunc(choices, func(a, b Choice) int { return cmp.Compare(position(a), position(b)) })
	return choices, err
}

func position(c Choice) int {
	if c.Default {
		return 0
	}
	return 1
}

// allowed lists what fits a parent and the policy.
func (s *Service) allowed(ctx context.Context, tx Tx, policy Policy, me *Account, parent *Post, def Audience) ([]Choice, error) {
	peers, err := tx.Peers(ctx)
	if err != nil {
		return nil, err
	}
	groups, err := s.joinedGroups(ctx, tx, me)
	if err != nil {
		return nil, err
	}
	people, err := s.headcount(ctx, tx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(s.fitting(me, peers, people, groups, parent, def), func(c Choice) bool {
		return !policy.allows(me.Role, c.audience(s.home))
	}), nil
}

// headcountAge is how old a count of people may be that is shown.
const headcountAge = time.Minute

// headcount says how many people each instance has told us of; "" is here. A page that
// offers audiences would count a whole directory each time.
func (s *Service) headcount(ctx context.Context, tx Tx) (map[string]int, error) {
	if had := s.heads.Load(); had != nil && s.Now().Sub(had.at) < headcountAge && !s.Now().Before(had.at) {
		return had.people, nil
	}
	people, err := tx.PeopleByPeer(ctx)
	if err != nil {
		return nil, err
	}
	s.heads.Store(&heads{people, s.Now()})
	return people, nil
}

type heads struct {
	people map[string]int
	at     time.Time
}

// audience is what a choice means for a post here.
func (c Choice) audience(home string) Audience {
	if c.Group != nil {
		return c.Group.groupAudience()
	}
	return Audience{Kind: c.Kind, Name: c.Name, Owner: home}
}

func (s *Service) fitting(me *Account, peers []Peer, people map[string]int, groups []*Account, parent *Post, def Audience) []Choice {
	here := Choice{Kind: AudienceInstance, People: people[""]}
	company, partners, outside := here.as(AudienceCompany, ""), map[string]Choice{}, 0
	for _, p := range peers {
		switch p.effective(s.Mode, s.Now()).Kind {
		case ZoneCompany:
			company = company.with(p.Authority, people[p.Authority])
		case ZonePartner:
			partners[p.Zone.Name] = partners[p.Zone.Name].with(p.Authority, people[p.Authority])
		case ZonePublic:
			outside++
		}
	}
	all := []Choice{{Kind: AudienceDirect}, {Kind: AudienceFollowers, People: me.FollowersCount}, here, company}
	for _, name := range slices.Sorted(maps.Keys(partners)) {
		c := partners[name]
		all = append(all, Choice{Kind: AudiencePartner, Name: name, Hosts: c.Hosts, Peers: c.Peers + company.Peers, People: c.People + company.People, Least: c.Least || company.Least})
	}
	all = append(all, Choice{Kind: AudienceUnlisted, Peers: outside + company.Peers}, Choice{Kind: AudiencePublic, Peers: outside + company.Peers})
	for _, g := range groups { // a thread stays where it is
		if parent == nil || parent.GroupID == g.ID {
			all = append(all, Choice{Kind: AudienceGroup, Name: g.Acct(), Group: g, People: g.FollowersCount})
		}
	}
	if parent != nil && def.Kind != AudienceGroup {
		all = append(all, Choice{Kind: def.Kind, Name: zoneName(def)})
	}
	var out []Choice
	seen := map[string]bool{}
	for _, c := range all {
		c.Label = Audience{Kind: c.Kind, Name: c.Name}.Label()
		if parent != nil {
			if _, clamped := c.audience(s.home).within(parent.Bound()); clamped {
				continue
			}
		}
		if seen[c.Label] {
			continue
		}
		seen[c.Label] = true
		c.Default = c.Kind == def.Kind && (c.Group != nil || c.Name == zoneName(def))
		out = append(out, c)
	}
	return out
}

// as is the same reach by another name.
func (c Choice) as(kind AudienceKind, name string) Choice {
	c.Kind, c.Name = kind, name
	return c
}

// with adds an instance of which we know that many people.
func (c Choice) with(host string, people int) Choice {
	c.Hosts = append(c.Hosts, host)
	c.Peers, c.People, c.Least = c.Peers+1, c.People+people, c.Least || people == 0
	return c
}

func zoneName(a Audience) string {
	if a.Kind == AudiencePartner || a.Kind == AudienceGroup {
		return a.Name
	}
	return ""
}

// chooseAudience decides what a draft's words mean, and clamps it to what the policy
// and the thread allow. It says whether it had to; the default is just what fits. Who
// names an audience beyond the policy is refused.
func (s *Service) chooseAudience(policy Policy, r Reader, d Draft, parent *Post) (Audience, bool, error) {
	me := r.Account
	wanted, err := s.wantedAudience(policy, me, d, parent)
	if err != nil {
		return Audience{}, false, err
	}
	if d.Audience != "" && !policy.allows(me.Role, wanted) {
		return Audience{}, false, Errorf(Forbidden, "your role may not publish that far; choose a narrower circle, or ask your administrator")
	}
	wanted, clamped, err := s.granted(r, wanted)
	if err != nil {
		return Audience{}, false, err
	}
	wanted, bounded := policy.clamp(me.Role, wanted, s.home)
	clamped = clamped || bounded && (d.Visibility != "" || parent != nil)
	if parent == nil {
		return wanted, clamped, nil
	}
	within, narrowed := wanted.within(parent.Bound())
	return within, clamped || narrowed, nil
}

// granted bounds what an app may reach to what its user granted it.
func (s *Service) granted(r Reader, wanted Audience) (Audience, bool, error) {
	if r.Grant == "" || r.only() != nil {
		return wanted, false, nil
	}
	a, err := ParseAudience(r.Grant, s.home)
	if err == nil && a != wanted && a.narrows(wanted) {
		return a, true, nil
	}
	return wanted, false, err
}

// onlyPrefix begins a Reader.Grant that lists the only audiences.
const onlyPrefix = "only "

// GrantOnly is the Reader.Grant of an app that may publish for a few audiences alone.
func GrantOnly(labels ...string) string { return onlyPrefix + strings.Join(labels, " ") }

// only are the labels of the only audiences that the app may publish for; nil: they are
// not listed.
func (r Reader) only() []string {
	list, ok := strings.CutPrefix(r.Grant, onlyPrefix)
	if !ok {
		return nil
	}
	return strings.Fields(list)
}

// GrantDefault is the label of what an app publishes for that names nothing; "" for its
// member's own default.
func (r Reader) GrantDefault() string {
	if only := r.only(); only != nil {
		return only[0]
	}
	return r.Grant
}

// withinGrant refuses what a listed grant does not hold. A community is named by its
// handle.
func (s *Service) withinGrant(ctx context.Context, tx Tx, r Reader, a Audience, group ID) error {
	only := r.only()
	if only == nil {
		return nil
	}
	label := a.Label()
	if group != 0 {
		g, err := tx.Account(ctx, group)
		if err != nil {
			return err
		}
		label = groupPrefix + g.Acct()
	}
	if slices.Contains(only, label) {
		return nil
	}
	return Errorf(Forbidden, "this app may publish only for: %s", strings.Join(only, ", "))
}

func (s *Service) wantedAudience(policy Policy, me *Account, d Draft, parent *Post) (Audience, error) {
	label := d.Audience
	if label == "" {
		switch d.Visibility {
		case "":
			label = cmp.Or(me.DefaultAudience, policy.DefaultAudience)
			if parent != nil {
				return parent.Audience, nil
			}
		case "private":
			if parent != nil && !parent.Audience.Everybody() {
				return parent.Audience, nil
			}
			label = string(AudienceFollowers)
		case "public", "unlisted":
			label = d.Visibility
		case "direct":
			label = "direct"
		default:
			return Audience{}, Errorf(Invalid, "unknown visibility %.40q; use public, unlisted, private or direct", d.Visibility)
		}
	}
	a, err := ParseAudience(label, s.home)
	if err == nil && a.Kind == AudienceGroup {
		err = Errorf(Invalid, "there is no group %q", a.Name)
	}
	return a, err
}

// Bound is the ceiling of what answers, quotes or boosts a post: the audience of its
// thread's root, or no further bound where everybody may see that.
func (p *Post) Bound() Audience {
	if !p.Ceiling.IsZero() {
		return p.Ceiling
	}
	if p.Audience.Everybody() {
		return Audience{}
	}
	return p.Audience
}

// Under is the ceiling of a post that had the ceiling a when its thread turned out to
// stand below a post with the bound b. A ceiling never widens; where neither holds all
// of the other, the one stays under which the post was written.
func (a Audience) Under(b Audience) Audience {
	if a.IsZero() || !b.IsZero() && b.narrows(a) {
		return b
	}
	return a
}

// within clamps an audience to a ceiling. Members of both are needed anyway; the
// clamp makes the label honest, and says that it had to.
func (a Audience) within(ceiling Audience) (Audience, bool) {
	if ceiling.IsZero() || a.Kind == AudienceDirect || a == ceiling {
		return a, false
	}
	switch ceiling.Kind {
	case AudienceCompany:
		switch a.Kind {
		case AudienceInstance, AudienceFollowers, AudienceGroup:
			return a, false
		case AudienceCompany:
			return ceiling, false
		}
	case AudiencePartner:
		switch a.Kind {
		case AudienceInstance, AudienceFollowers, AudienceGroup, AudienceCompany:
			return a, false
		case AudiencePartner:
			return ceiling, a.Name != ceiling.Name
		}
	case AudienceFollowers:
		if a.Kind == AudienceFollowers {
			return ceiling, false
		}
	case AudienceInstance:
		if a.Kind == AudienceInstance {
			return a, false
		}
	}
	return ceiling, true
}

// narrows says that every member of a is one of b too: an edit may do that only.
func (a Audience) narrows(b Audience) bool {
	if a == b || b.Kind == AudiencePublic {
		return true
	}
	switch b.Kind {
	case AudienceUnlisted:
		return a.Kind != AudiencePublic
	case AudiencePartner:
		return a.Kind == AudienceCompany || a.Kind == AudienceInstance
	case AudienceCompany:
		return a.Kind == AudienceInstance
	}
	return false
}

// readerOf is somebody as who reads, here or elsewhere.
func (s *Service) readerOf(ctx context.Context, tx Tx, a *Account) (Reader, error) {
	if a.Local() {
		return Member(a, s.home), nil
	}
	peer, err := tx.Peer(ctx, a.Authority)
	return s.ReaderAt(peer, a), err
}

// Outsiders lists whom a draft names and who would not see it: naming somebody lets
// nobody into a circle. It says nothing of blocks, which are nobody's to learn.
func (s *Service) Outsiders(ctx context.Context, r Reader, d Draft) (out []*Account, err error) {
	if _, err := s.member(r); err != nil {
		return nil, err
	}
	people := s.people(ctx, r, d.Text)
	if len(people) == 0 {
		return nil, nil
	}
	d.MediaIDs = nil
	err = s.Store.View(ctx, func(tx Tx) error {
		p, _, err := s.compose(ctx, tx, r, d, people, s.Now())
		if err != nil {
			return err
		}
		for _, a := range people {
			if a == nil || slices.Contains(out, a) {
				continue
			}
			of, err := s.readerOf(ctx, tx, a)
			if err != nil {
				return err
			}
			facts, err := s.facts(ctx, tx, of, []*Post{p})
			if err != nil {
				return err
			}
			if p.Audience.bounded() && p.Audience.Owner != s.home || p.Ceiling.bounded() && p.Ceiling.Owner != s.home {
				continue // another server keeps the list of who is in
			}
			if !p.MaySee(of, facts.of(of, p, p.Audience), facts.of(of, p, p.Ceiling)) {
				out = append(out, a)
			}
		}
		return nil
	})
	slices.SortFunc(out, func(a, b *Account) int { return strings.Compare(a.Acct(), b.Acct()) })
	return out, err
}

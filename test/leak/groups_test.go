package leak_test

import (
	"fmt"
	"strings"

	"parley/social"
)

// group is a group of a place in the model. Its members are those who follow it.
type group struct {
	*member // its actor
	join    string
	widest  string
	owner   *member
	invited map[*member]bool
	asked   map[*member]bool
}

// reaches says whether a place is within the widest zone of a group.
func (w *world) reaches(g *group, at *place) bool {
	if at == g.place {
		return true
	}
	z := w.zone(g.place, at)
	switch {
	case g.widest == "instance" || z == "blocked":
		return false
	case g.widest == "company":
		return z == "company"
	case strings.HasPrefix(g.widest, "partner:"):
		return z == "company" || z == g.widest
	}
	return true
}

// inGroup says whether a place, or a person there, belongs to a group now.
func (w *world) inGroup(g *group, p *text, at *place, m *member) bool {
	if m != nil && m == p.author {
		return true
	}
	if at == p.home && at != g.place && m != nil && w.followed[[2]*member{m, g.member}] {
		return true // two members of one server, which hears from the group's whether they still are
	}
	if g.deleted || !w.reaches(g, at) {
		return false
	}
	for pair := range w.follows {
		if pair[1] == g.member && (m == nil && pair[0].place == at || m != nil && pair[0] == m) {
			return true
		}
	}
	return false
}

func (d *driver) someGroup() *group {
	if len(d.groups) == 0 {
		return nil
	}
	return d.groups[d.pick(len(d.groups))]
}

// belong notes a membership.
func (d *driver) belong(m *member, g *group) {
	both := [2]*member{m, g.member}
	d.follows[both], d.followed[both] = true, true
	delete(d.fading, both)
	delete(g.asked, m)
	delete(g.invited, m)
}

func (d *driver) found() {
	m := d.anybody()
	if m == nil || len(d.groups) > 12 {
		return
	}
	joins := []string{"open", "open", "request", "closed"}
	widests := []string{"company", "company", "company", "partner:acme", "public", "instance"}
	g := &group{join: joins[d.pick(len(joins))], widest: widests[d.pick(len(widests))], owner: m, invited: map[*member]bool{}, asked: map[*member]bool{}}
	v, err := m.in.Social.CreateGroup(d.ctx, m.person.reader, social.NewGroup{Name: fmt.Sprintf("group%d", len(d.groups)), Join: g.join, Widest: g.widest})
	if err != nil {
		d.tell("%s founds no group: %v", m, err)
		return
	}
	g.member = &member{place: m.place, name: v.Account.Username, uri: v.Account.URI}
	d.groups = append(d.groups, g)
	d.belong(m, g)
	d.tell("%s founds %s, %s, for %s", m, g, g.join, g.widest)
}

// groupAt finds a group as somebody knows it; nil when it is not there for them.
func (d *driver) groupAt(m *member, g *group) *social.Account {
	handle := g.name
	if m.place != g.place {
		handle += "@" + g.host
	}
	a, err := m.in.Social.FindHandle(d.ctx, m.person.reader, handle)
	if err != nil {
		return nil
	}
	return a
}

func (d *driver) joinGroup() {
	m, g := d.anybody(), d.someGroup()
	if m == nil || g == nil || g.deleted {
		return
	}
	a := d.groupAt(m, g)
	if a == nil {
		return
	}
	_, err := m.in.Social.Join(d.ctx, m.person.reader, a.ID, true)
	d.tell("%s joins %s: %v", m, g, err)
	switch { // what fails later may have asked already
	case g.join == "open" || g.invited[m] || m == g.owner:
		d.belong(m, g)
	case g.join == "request":
		g.asked[m] = true
	}
}

func (d *driver) leaveGroup() {
	m, g := d.anybody(), d.someGroup()
	if m == nil || g == nil {
		return
	}
	a := d.groupAt(m, g)
	if a == nil {
		return
	}
	_, err := m.in.Social.Join(d.ctx, m.person.reader, a.ID, false)
	d.tell("%s leaves %s: %v", m, g, err)
	d.fading[[2]*member{m, g.member}] = true
	delete(g.asked, m)
}

// runGroup is what the owner of a group does with it.
func (d *driver) runGroup() {
	g := d.someGroup()
	if g == nil || g.deleted || g.owner.deleted || g.owner.suspended || g.place == d.down {
		return
	}
	in, owner := g.in.Social, g.owner.person.reader
	at := d.groupAt(g.owner, g)
	who := d.other(g.owner)
	if at == nil || who == nil {
		return
	}
	switch d.pick(6) {
	case 0, 1: // answer requests
		asking, _, err := in.GroupRequests(d.ctx, owner, at.ID, social.Page{Limit: 40})
		if err != nil {
			return
		}
		for _, a := range asking {
			for m := range g.asked {
				if m.uri == a.URI {
					err := in.AnswerJoin(d.ctx, owner, at.ID, a.ID, true)
					d.tell("%s lets %s in: %v", g, m, err)
					d.belong(m, g)
				}
			}
		}
	case 2:
		if known := d.meet(g.owner, who); known != nil {
			err := in.AddMember(d.ctx, owner, at.ID, known.ID)
			d.tell("%s adds %s: %v", g, who, err)
			if err == nil && who.place == g.place || err == nil && g.asked[who] {
				d.belong(who, g)
			} else if err == nil {
				g.invited[who] = true
			}
		}
	case 3:
		if known := d.meet(g.owner, who); known != nil {
			came := d.counts(who, g.member) // a request that is still under way comes after this, and counts
			err := in.RemoveMember(d.ctx, owner, at.ID, known.ID)
			d.tell("%s removes %s: %v", g, who, err)
			if err == nil && came {
				delete(d.follows, [2]*member{who, g.member})
				delete(g.invited, who)
				delete(g.asked, who)
			}
		}
	case 4:
		widest := []string{"company", "instance"}[d.pick(2)]
		_, err := in.UpdateGroup(d.ctx, owner, at.ID, social.GroupChange{Widest: &widest})
		d.tell("%s is for %s: %v", g, widest, err)
		if err == nil {
			g.widest = widest
		}
	case 5:
		if d.chance(20) {
			err := in.DeleteGroup(d.ctx, owner, at.ID)
			d.tell("%s is deleted: %v", g, err)
			g.deleted = g.deleted || err == nil
		}
	}
}

// groupPost writes into a group, as far as its writer may.
func (d *driver) groupPost() {
	g := d.someGroup()
	m := d.anybody()
	if g == nil || m == nil {
		return
	}
	for _, one := range d.crew { // rather somebody who is in it
		if d.follows[[2]*member{one, g.member}] && one.site != nil && one.place != d.down && !one.suspended && !one.deleted && d.chance(70) {
			m = one
		}
	}
	handle := g.name
	if m.place != g.place {
		handle += "@" + g.host
	}
	d.publish(m, "group:"+handle, nil, nil)
}

// --- the directory -----------------------------------------------------------

// entry is a part of somebody's entry in the directory.
type entry struct {
	field, reach string
	former       bool // another value stands there now
}

// rules are what a place's policy says.
type rules struct {
	company, partner                string // fields that go there
	partnersFollow, everybodyFollow bool
}

const usualFields = "name,department,title"

// lets says whether a part of an entry may go to a place.
func (w *world) lets(c *canary, at *place) (bool, string) {
	e, home := c.entry, c.owner.place
	zone, fields := w.zone(home, at), home.rules.company
	if zone != "company" {
		return false, "only sisters are told, while no partner is paired"
	}
	switch {
	case e.former:
		return false, "it was changed"
	case c.owner.suspended || c.owner.deleted:
		return false, "they are gone"
	case e.reach == "instance":
		return false, "it is for the own instance"
	case !strings.Contains(fields, e.field):
		return false, "the policy keeps it inside"
	}
	return true, ""
}

// describe changes somebody's entry.
func (d *driver) describe() {
	m := d.anybody()
	if m == nil {
		return
	}
	reaches := []string{"instance", "company", "company", "partners", "partner:acme"}
	c := social.PersonChange{Shown: map[social.PersonField]social.Reach{}}
	for _, one := range []struct {
		field string
		to    **string
	}{{"department", &c.Department}, {"title", &c.Title}, {"location", &c.Location}, {"pronouns", &c.Pronouns}} {
		if d.chance(50) {
			continue
		}
		reach := reaches[d.pick(len(reaches))]
		e := &entry{field: one.field, reach: reach}
		word := d.word(canary{owner: m, entry: e, what: one.field})
		*one.to = &word
		c.Shown[social.PersonField(one.field)] = social.Reach(reach)
		if m.entry == nil {
			m.entry = map[string]*entry{}
		}
		if had := m.entry[one.field]; had != nil {
			had.former = true
		}
		m.entry[one.field] = e
	}
	_, err := m.in.Social.UpdatePerson(d.ctx, m.person.reader, c)
	d.tell("%s describes themselves, %v: %v", m, c.Shown, err)
	if err != nil {
		d.Fatalf("an entry: %v", err)
	}
}

// ruling changes the policy of a place.
func (d *driver) ruling() {
	at := d.places[d.pick(len(d.places))]
	if at == d.down {
		return
	}
	fields := []string{usualFields, usualFields, "name", "none", usualFields + ",location,pronouns"}
	yes := []string{"yes", "yes", "no"}
	r := rules{company: fields[d.pick(len(fields))], partner: fields[d.pick(len(fields))]}
	partners, everybody := yes[d.pick(len(yes))], yes[d.pick(len(yes))]
	r.partnersFollow, r.everybodyFollow = partners == "yes", everybody == "yes"
	if err := at.in.Social.SetPolicy(d.ctx, "", map[string]string{"fields.company": r.company, "fields.partner": r.partner,
		"followers.partner": partners, "followers.public": everybody}); err != nil {
		d.Fatal(err)
	}
	at.rules = r
	d.tell("the policy of %s is %+v", at.name, r)
}

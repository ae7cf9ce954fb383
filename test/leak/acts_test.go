package leak_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/instance/instancetest"
	"parley/social"
)

// act is one thing that can happen, with how often it does.
type act struct {
	name   string
	weight int
	run    func(d *driver)
}

func acts() []act {
	return []act{
		{"post", 14, (*driver).post}, {"reply", 9, (*driver).reply}, {"quote", 3, (*driver).quote}, {"edit", 4, (*driver).edit},
		{"narrow", 3, (*driver).narrow}, {"delete", 2, (*driver).remove}, {"boost", 4, (*driver).boost}, {"favourite", 2, (*driver).favourite},
		{"pin", 1, (*driver).pin}, {"vote", 2, (*driver).vote}, {"attach", 1, (*driver).attach}, {"follow", 5, (*driver).follow},
		{"unfollow", 2, (*driver).unfollow}, {"remove follower", 1, (*driver).removeFollower}, {"block", 1, (*driver).block},
		{"zone", 3, (*driver).zoneChange}, {"join or leave", 1, (*driver).joinOrLeave}, {"suspend", 1, (*driver).suspend},
		{"person leaves", 1, (*driver).personLeaves}, {"search", 4, (*driver).search}, {"read", 8, (*driver).readHome},
		{"fetch", 12, (*driver).fetchSigned}, {"crawl", 5, (*driver).crawl}, {"feed", 2, (*driver).feed}, {"stranger", 3, (*driver).strangerActs},
		{"found", 1, (*driver).found}, {"join group", 4, (*driver).joinGroup}, {"leave group", 1, (*driver).leaveGroup}, {"run group", 3, (*driver).runGroup},
		{"group post", 5, (*driver).groupPost}, {"describe", 2, (*driver).describe}, {"policy", 1, (*driver).ruling},
		{"settle", 7, (*driver).settle}, {"time", 2, (*driver).advance}, {"outage", 1, (*driver).outage}, {"house", 1, (*driver).house},
	}
}

// step does one thing by chance.
func (d *driver) step(list []act) {
	total := 0
	for _, a := range list {
		total += a.weight
	}
	n := d.pick(total)
	for _, a := range list {
		if n -= a.weight; n < 0 {
			d.done[a.name]++
			a.run(d)
			return
		}
	}
}

// anybody is somebody who can act now; nil when chance finds none.
func (d *driver) anybody() *member {
	for range 10 {
		m := d.crew[d.pick(len(d.crew))]
		if m.site != nil && m.place != d.down && !m.suspended && !m.deleted {
			return m
		}
	}
	return nil
}

// recent is a text, the later the likelier.
func (d *driver) recent() *text {
	if len(d.texts) == 0 {
		return nil
	}
	return d.texts[max(0, len(d.texts)-1-d.pick(min(len(d.texts), 1+d.pick(80))))]
}

// own is a text of somebody who can act.
func (d *driver) own() *text {
	for range 10 {
		p := d.recent()
		if p != nil && !p.deleted && !p.author.suspended && !p.author.deleted && p.home != d.down {
			return p
		}
	}
	return nil
}

// at finds a text as somebody sees it; nil when it is not there for them.
func (d *driver) at(m *member, p *text) *social.Post {
	v, err := m.in.Social.PostByURI(d.ctx, m.person.reader, p.uri)
	if err != nil && d.chance(50) {
		var res social.SearchResult
		if res, err = m.in.Social.Search(d.ctx, m.person.reader, p.uri, social.SearchOptions{Resolve: true}); err == nil && len(res.Posts) == 1 {
			v = res.Posts[0]
		}
	}
	if v == nil {
		return nil
	}
	return v.Post
}

// handle is how m calls another member.
func (d *driver) handle(other *member) string {
	return instancetest.Handle(other.in, other.person.reader)
}

func (d *driver) other(m *member) *member {
	for range 10 {
		o := d.crew[d.pick(len(d.crew))]
		if o != m && o.site != nil && !o.deleted {
			return o
		}
	}
	return nil
}

// --- writing -----------------------------------------------------------------

func (d *driver) label() string {
	all := []string{"", "direct", "direct", "followers", "followers", "instance", "instance", "company", "company", "company",
		"partner:acme", "partner:globex", "partner:acme", "unlisted", "public"}
	return all[d.pick(len(all))]
}

func (d *driver) post() {
	if m := d.anybody(); m != nil {
		d.publish(m, d.label(), nil, nil)
	}
}

func (d *driver) reply() {
	m, parent := d.anybody(), d.recent()
	if m == nil || parent == nil {
		return
	}
	label := ""
	if d.chance(40) {
		label = d.label()
	}
	d.publish(m, label, parent, nil)
}

func (d *driver) quote() {
	if m, quoted := d.anybody(), d.recent(); m != nil && quoted != nil {
		d.publish(m, d.label(), nil, quoted)
	}
}

// publish writes a post full of canaries.
func (d *driver) publish(m *member, label string, parent, quoted *text) {
	p := &text{n: len(d.texts) + 1, home: m.place, author: m, at: d.clock.Now()}
	draft := social.Draft{Audience: label}
	for _, one := range []struct {
		of *text
		id *social.ID
	}{{parent, &draft.InReplyTo}, {quoted, &draft.QuoteOf}} {
		if one.of == nil {
			continue
		}
		there := d.at(m, one.of)
		if there == nil {
			return
		}
		*one.id = there.ID
		p.ceilings = append(p.ceilings, one.of.boundsAs(there)...)
	}
	if parent != nil {
		p.answers = parent.author
	}
	d.fresh = nil
	d.write(m, p, &draft, label == "direct")
	if label != "" && d.chance(15) && parent == nil {
		d.addPoll(p, &draft)
	} else if d.chance(25) {
		for range 1 + d.pick(2) {
			if id, err := d.upload(m, p); err == nil {
				draft.MediaIDs = append(draft.MediaIDs, id)
			}
		}
	}
	v, err := d.sends(m, p, draft)
	if err != nil {
		d.tell("post %d of %s for %q failed: %v", p.n, m, label, err)
		p.deleted, p.audience = true, bound{kind: "instance", owner: m.place}
		d.texts = append(d.texts, p)
		return
	}
	d.keep(p, v.Post)
	d.texts = append(d.texts, p)
	d.tell("post %d of %s for %q became %s under %v, naming %v, in reply to %s quoting %s", p.n, m, label, p.audience, p.ceilings, p.named, number(parent), number(quoted))
	// What was asked for holds, unless the author is told that it does not.
	if label != "" && !v.Clamped && v.Post.Audience.Label() != label && !strings.HasPrefix(label, "group:") {
		d.Errorf("%s asked for %q and got %q, and was not told", m, label, v.Post.Audience.Label())
	}
}

// sends publishes a post: each eighth after the moment to think again, and after another
// one that was taken back in it.
func (d *driver) sends(m *member, p *text, draft social.Draft) (*social.PostView, error) {
	in, r := m.in.Social, m.person.reader
	if p.n%8 != 0 {
		return in.Publish(d.ctx, r, draft)
	}
	undone := draft
	undone.Text = d.word(canary{owner: m, what: "taken back"})
	undone.Summary, undone.Poll, undone.MediaIDs = "", nil, nil
	held, err := in.Hold(d.ctx, r, undone)
	if err != nil {
		return nil, err
	}
	if _, err := in.Withdraw(d.ctx, r, held.ID); err != nil {
		d.Errorf("%s did not get a post back: %v", m, err)
	}
	if held, err = in.Hold(d.ctx, r, draft); err != nil {
		return nil, err
	}
	v, err := in.SendNow(d.ctx, r, held.ID)
	if v != nil {
		v.Clamped = held.Clamped
	}
	return v, err
}

func number(p *text) string {
	if p == nil {
		return "none"
	}
	return fmt.Sprintf("post %d ", p.n)
}

// boundsAs are the bounds of a text as another server knew it, which may not have heard
// yet that it was narrowed.
func (p *text) boundsAs(there *social.Post) []bound {
	if len(p.ceilings) == 0 && p.audience.kind == "direct" { // who is not named any more is not told
		b := p.audience
		b.people = append([]*member{p.author}, p.ever...)
		return []bound{b}
	}
	if len(p.ceilings) > 0 || string(there.Audience.Kind) == p.audience.kind {
		return p.bounds()
	}
	for _, b := range p.was {
		if string(there.Audience.Kind) == b.kind {
			return (&text{audience: b}).bounds()
		}
	}
	return p.bounds()
}

// write makes the words of a post.
func (d *driver) write(m *member, p *text, draft *social.Draft, naming bool) {
	draft.Text = d.word(canary{of: p, owner: m, what: "text"}) + " #" + d.word(canary{of: p, owner: m, what: "tag"})
	if d.chance(30) {
		draft.Summary = d.word(canary{of: p, owner: m, what: "summary"})
	}
	p.named = nil
	for naming || d.chance(25) {
		naming = false
		if o := d.other(m); o != nil {
			draft.Text += " " + d.handle(o)
			p.named, p.ever = append(p.named, o), append(p.ever, o)
		}
	}
}

func (d *driver) addPoll(p *text, draft *social.Draft) {
	p.poll = true
	draft.Poll = &social.PollDraft{ExpiresIn: time.Hour, Options: []string{
		d.word(canary{of: p, owner: p.author, what: "option"}), d.word(canary{of: p, owner: p.author, what: "option"})}}
}

// keep takes from the stored post what the model cannot know by itself: its addresses
// and which audience the author is told that it has.
func (d *driver) keep(p *text, stored *social.Post) {
	p.uri, p.url, p.id = stored.URI, stored.URL, stored.ID.String()
	p.audience = d.bound(p, stored.Audience)
	d.mu.Lock()
	for _, c := range d.fresh {
		c.first = p.audience
	}
	d.mu.Unlock()
	d.fresh = nil
}

func (d *driver) bound(p *text, a social.Audience) bound {
	b := bound{kind: string(a.Kind), owner: d.byHost[a.Owner]}
	switch b.kind {
	case "partner":
		b.zone = a.Name
	case "direct":
		b.people = append([]*member{p.author}, p.named...)
	case "followers":
		for _, m := range d.crew {
			if m.uri == a.Name {
				b.of = m
			}
		}
	case "group":
		for _, g := range d.groups {
			if g.uri == a.Name {
				b.of, b.group = g.member, g
			}
		}
	}
	if b.owner == nil || (b.kind == "followers" || b.kind == "group") && b.of == nil {
		d.Fatalf("post %d has an audience that nobody has: %+v", p.n, a)
	}
	return b
}

func (d *driver) edit() {
	if p := d.own(); p != nil {
		d.change(p, "")
	}
}

func (d *driver) narrow() {
	if p := d.own(); p != nil {
		d.change(p, []string{"company", "instance", "partner:acme"}[d.pick(3)])
	}
}

func (d *driver) change(p *text, label string) {
	draft := social.Draft{Audience: label}
	d.fresh = nil
	named := p.named
	d.write(p.author, p, &draft, false)
	id, _ := social.ParseID(p.id)
	if d.chance(20) && !p.poll {
		if file, err := d.upload(p.author, p); err == nil {
			draft.MediaIDs = append(draft.MediaIDs, file)
		}
	}
	v, err := p.author.in.Social.Edit(d.ctx, p.author.person.reader, id, draft)
	if err != nil {
		p.named = named
		for _, c := range d.fresh { // no state of the post has them
			c.of = &text{n: p.n, author: p.author, home: p.home, deleted: true, audience: p.audience}
		}
		d.tell("post %d stays as it is: %v", p.n, err)
		return
	}
	before := p.audience
	d.keep(p, v.Post)
	if before.kind != p.audience.kind {
		p.was = append(p.was, before)
	}
	p.version++
	d.tell("post %d edited, from %s to %s, naming %v", p.n, before, p.audience, p.named)
	if label != "" && v.Post.Audience.Label() != label {
		d.Errorf("post %d was narrowed to %q and has %q", p.n, label, v.Post.Audience.Label())
	}
	d.number(p)
}

// number notes the addresses of a post's activities.
func (d *driver) number(p *text) {
	id, _ := social.ParseID(p.id)
	if err := p.home.in.DB.View(d.ctx, func(tx social.Tx) error {
		list, err := tx.ActivitiesOf(d.ctx, id)
		p.numbered = nil
		for _, a := range list {
			p.numbered = append(p.numbered, a.URI)
		}
		return err
	}); err != nil {
		d.Fatal(err)
	}
}

func (d *driver) remove() {
	p := d.own()
	if p == nil {
		return
	}
	id, _ := social.ParseID(p.id)
	_, err := p.author.in.Social.Delete(d.ctx, p.author.person.reader, id)
	p.deleted = p.deleted || err == nil
	d.tell("post %d deleted: %v", p.n, err)
}

// attach uploads a file that no post takes.
func (d *driver) attach() {
	if m := d.anybody(); m != nil {
		_, err := d.upload(m, nil)
		d.tell("%s uploads a file: %v", m, err)
	}
}

// --- reacting ----------------------------------------------------------------

// onText does something to a text that somebody sees.
func (d *driver) onText(what string, run func(m *member, there *social.Post) error) {
	m, p := d.anybody(), d.recent()
	if m == nil || p == nil {
		return
	}
	if there := d.at(m, p); there != nil {
		d.tell("%s by %s on post %d : %v", what, m, p.n, run(m, there))
	}
}

func (d *driver) boost() {
	on := d.chance(80)
	d.onText(fmt.Sprint("boost ", on), func(m *member, there *social.Post) error {
		_, err := m.in.Social.Boost(d.ctx, m.person.reader, there.ID, on)
		return err
	})
}

func (d *driver) favourite() {
	d.onText("favourite", func(m *member, there *social.Post) error {
		_, err := m.in.Social.Favourite(d.ctx, m.person.reader, there.ID, d.chance(80))
		return err
	})
}

func (d *driver) pin() {
	if p := d.own(); p != nil {
		id, _ := social.ParseID(p.id)
		_, err := p.author.in.Social.Pin(d.ctx, p.author.person.reader, id, d.chance(80))
		d.tell("pin post %d : %v", p.n, err)
	}
}

func (d *driver) vote() {
	for range 20 {
		if p := d.recent(); p != nil && p.poll && !p.deleted {
			if m := d.anybody(); m != nil {
				if there := d.at(m, p); there != nil {
					_, err := m.in.Social.Vote(d.ctx, m.person.reader, there.ID, []int{d.pick(2)})
					d.tell("vote by %s on post %d : %v", m, p.n, err)
				}
			}
			return
		}
	}
}

// --- people ------------------------------------------------------------------

// meet lets somebody look another one up.
func (d *driver) meet(m, other *member) *social.Account {
	a, err := m.in.Social.FindHandle(d.ctx, m.person.reader, strings.TrimPrefix(d.handle(other), "@"))
	if err != nil {
		return nil
	}
	return a
}

func (d *driver) pair() (m, other *member, known *social.Account) {
	if m = d.anybody(); m == nil {
		return nil, nil, nil
	}
	if other = d.other(m); other == nil {
		return nil, nil, nil
	}
	if known = d.meet(m, other); known == nil {
		return nil, nil, nil
	}
	return m, other, known
}

func (d *driver) follow() {
	m, other, known := d.pair()
	if m == nil {
		return
	}
	both := [2]*member{m, other}
	d.follows[both], d.followed[both] = true, true
	delete(d.fading, both)
	_, err := m.in.Social.Follow(d.ctx, m.person.reader, known.ID, social.FollowOptions{})
	d.tell("%s follows %s: %v", m, other, err)
	if err != nil {
		d.fading[both] = true
	}
}

func (d *driver) unfollow() {
	m, other, known := d.pair()
	if m == nil {
		return
	}
	_, err := m.in.Social.Unfollow(d.ctx, m.person.reader, known.ID)
	d.tell("%s unfollows %s: %v", m, other, err)
	d.fading[[2]*member{m, other}] = true
}

func (d *driver) removeFollower() {
	m, other, known := d.pair()
	if m == nil {
		return
	}
	came := d.counts(other, m) // a request that is still under way comes after this, and counts
	_, err := m.in.Social.RemoveFollower(d.ctx, m.person.reader, known.ID)
	d.tell("%s removes the follower %s: %v", m, other, err)
	if err == nil && came {
		delete(d.follows, [2]*member{other, m})
	}
}

func (d *driver) block() {
	m, other, known := d.pair()
	if m == nil {
		return
	}
	on := d.chance(60)
	if _, err := m.in.Social.Block(d.ctx, m.person.reader, known.ID, on); err != nil {
		return
	}
	d.tell("%s blocks %s: %v", m, other, on)
	d.blocks[[2]*member{m, other}] = on
	if on {
		delete(d.follows, [2]*member{other, m})
		d.fading[[2]*member{m, other}] = true
	}
}

func (d *driver) suspend() {
	for range 5 {
		m := d.crew[d.pick(len(d.crew))]
		if m.site == nil || m.place == d.down || m.deleted {
			continue
		}
		m.suspended = !m.suspended
		if err := m.in.Social.Suspend(d.ctx, m.person.reader.Account.ID, m.suspended, "test"); err != nil {
			d.Fatal(err)
		}
		d.tell("%s is suspended: %v", m, m.suspended)
		return
	}
}

// personLeaves takes somebody away for good, and lets another one begin.
func (d *driver) personLeaves() {
	m := d.anybody()
	if m == nil || !d.chance(20) {
		return
	}
	if err := m.in.Social.DeleteAccount(d.ctx, m.person.reader.Account.ID, "", "test"); err != nil {
		d.Fatal(err)
	}
	m.deleted = true
	name := fmt.Sprintf("new%d", len(d.crew))
	p := m.site.join(d.net, name)
	d.crew = append(d.crew, &member{place: m.place, person: p, name: name, uri: p.reader.Account.URI})
	d.tell("%s is deleted, %s begins", m, name)
}

// --- servers -----------------------------------------------------------------

func (d *driver) zoneChange() {
	at := d.places[d.pick(len(d.places))]
	of := d.places[d.pick(len(d.places))]
	if d.chance(15) {
		of = d.stranger
	}
	if at == of || at == d.down || of == d.down {
		return
	}
	usual := start(at.name, of.name)
	zones := []string{usual, usual, usual, usual, usual, usual, "public", "blocked", "partner:acme", "partner:globex"}
	if d.chance(10) {
		switch err := at.in.Social.RemovePeer(d.ctx, of.host, "test"); {
		case social.KindOf(err) == social.Conflict && err != nil:
			return // only the keeper of the roster takes a sister off it
		case err != nil && social.KindOf(err) != social.NotFound:
			d.Fatal(err)
		}
		d.tell("zone of %s at %s is forgotten", of.name, at.name)
		return
	}
	z := zones[d.pick(len(zones))]
	d.setZone(at, of, z)
	d.tell("zone of %s at %s is %s", of.name, at.name, z)
}

// joinOrLeave lets c become a sister of a and b, or be none any more.
func (d *driver) joinOrLeave() {
	c := d.places[2]
	if d.down != nil {
		return
	}
	c.late = !c.late
	z := "company"
	if c.late {
		z = "public"
	}
	for _, sister := range d.places[:2] {
		d.setZone(sister, c, z)
		d.setZone(c, sister, z)
	}
	d.tell("c is to leave: %v", c.late)
}

// outage takes a server away, or brings it back.
func (d *driver) outage() {
	if d.down != nil {
		d.back()
		return
	}
	i := d.pick(len(d.places))
	d.down = d.places[i]
	d.net.Stop(i)
	d.tell("%s is down", d.down.name)
}

func (d *driver) back() {
	for i, p := range d.places {
		if p == d.down {
			p.site.in = d.net.Restart(i)
			d.tell("%s is up again", p.name)
		}
	}
	d.down = nil
}

// house does what an instance does each minute.
func (d *driver) house() {
	for _, p := range d.places {
		if p == d.down {
			continue
		}
		if _, err := p.in.Social.ClosePolls(d.ctx); err != nil {
			d.Fatal(err)
		}
		if err := p.in.Social.SweepMedia(d.ctx); err != nil {
			d.Fatal(err)
		}
	}
}

// --- asking ------------------------------------------------------------------

// address is something that can be asked for, of any server that is up.
func (d *driver) address() string {
	for range 10 {
		home := d.places[d.pick(len(d.places))]
		if home == d.down {
			continue
		}
		base := home.in.Config.PublicURL
		m := d.crew[d.pick(len(d.crew))]
		switch n := d.pick(20); {
		case n < 2 && m.site != nil && m.place != d.down:
			tails := []string{"", "/outbox", "/outbox?page=true", "/outbox?page=true", "/followers", "/followers?page=true", "/following?page=true", "/featured"}
			return m.uri + tails[d.pick(len(tails))]
		case n < 3 && m.site != nil && m.place != d.down:
			return m.in.Config.PublicURL + []string{"/@" + m.name, "/@" + m.name + ".atom", "/users/" + m.name}[d.pick(3)]
		case n < 4 && len(d.groups) > 0:
			g := d.someGroup()
			if g.place != d.down {
				return g.uri + []string{"", "/outbox?page=true", "/followers?page=true", "/featured"}[d.pick(4)]
			}
		case n < 5:
			paths := []string{"/actor", "/actor/outbox", "/actor/outbox?page=true", "/audiences/company", "/audiences/partner/acme", "/nodeinfo/2.1",
				"/.well-known/webfinger?resource=acct:" + m.name + "@" + home.host, "/public", "/", "/api/v1/timelines/public", "/api/v2/instance",
				"/api/v2/search?q=zqc", "/api/v1/accounts/lookup?acct=" + m.name, "/api/parley/v1/timelines/company", "/api/parley/v1/directory?q=a", "/api/parley/v1/groups"}
			return base + paths[d.pick(len(paths))]
		case n < 6 && len(d.files) > 0:
			return d.alive(d.files[d.pick(len(d.files))])
		}
		if p := d.recent(); p != nil && p.uri != "" && p.home != d.down {
			return d.part(p)
		}
	}
	return ""
}

// alive is an address if its server is up.
func (d *driver) alive(address string) string {
	if d.down != nil && strings.Contains(address, d.down.host) {
		return ""
	}
	return address
}

// part is one of the addresses of a post.
func (d *driver) part(p *text) string {
	base := p.home.in.Config.PublicURL
	list := []string{p.uri, p.uri, p.uri + "/activity", p.uri + "/replies", p.uri + "/replies?page=true", base + "/contexts/" + p.id, base + "/contexts/" + p.id + "?page=true",
		p.url, base + "/api/v1/statuses/" + p.id, base + "/api/v1/statuses/" + p.id + "/context", base + "/api/v1/statuses/" + p.id + "/history", base + "/api/v1/polls/" + p.id}
	list = append(list, p.files...)
	list = append(list, p.numbered...)
	return list[d.pick(len(list))]
}

func (d *driver) fetchSigned() {
	m := d.crew[d.pick(len(d.crew))]
	for range 5 {
		if address := d.address(); address != "" && !(m.site != nil && strings.Contains(address, m.host)) {
			accept := documents
			if d.chance(15) {
				accept = pages
			}
			d.ask(m, "GET", address, accept, "")
		}
	}
}

func (d *driver) crawl() {
	for range 4 {
		if address := d.address(); address != "" {
			d.ask(nil, "GET", address, []string{documents, pages, "*/*"}[d.pick(3)], "crawler")
		}
	}
}

func (d *driver) feed() {
	for range 3 {
		if address := d.address(); address != "" {
			d.ask(nil, "GET", address, "application/rss+xml, application/atom+xml, application/feed+json, text/html;q=0.5", "feed reader")
		}
	}
}

// readHome shows a member something of their own server.
func (d *driver) readHome() {
	m := d.anybody()
	if m == nil {
		return
	}
	paths := []string{"/api/v1/timelines/home?limit=40", "/api/v1/timelines/public?limit=40", "/api/v1/notifications?limit=40", "/api/v1/bookmarks", "/api/v1/favourites",
		"/api/parley/v1/timelines/company", "/api/parley/v1/directory?q=", "/api/parley/v1/groups", "/api/v1/accounts/" + m.person.reader.Account.ID.String() + "/statuses"}
	d.read(m, paths[d.pick(len(paths))])
	if p := d.recent(); p != nil && p.uri != "" {
		if v, err := m.in.Social.PostByURI(d.ctx, m.person.reader, p.uri); err == nil {
			d.read(m, "/api/v1/statuses/"+v.Post.ID.String()+[]string{"", "/context", "/history"}[d.pick(3)])
		}
		d.read(m, "/api/v1/statuses/"+p.id) // an id of another server, mostly
	}
}

// search looks for a word that stands somewhere, or for an address.
func (d *driver) search() {
	m := d.anybody()
	if m == nil || d.made == 0 {
		return
	}
	q := mark + fmt.Sprintf("%08s", fmt.Sprint(d.pick(d.made)))
	if p := d.recent(); p != nil && p.uri != "" && d.chance(60) {
		q = p.uri
	}
	a := "/api/v2/search?resolve=true&q=" + url.QueryEscape(q)
	d.read(m, a)
}

// strangerActs lets the server that nobody knows follow somebody, or take it back.
func (d *driver) strangerActs() {
	sly := d.crew[slices.IndexFunc(d.crew, func(m *member) bool { return m.place == d.stranger })]
	target := d.crew[d.pick(len(d.crew))]
	if target.site == nil || target.place == d.down || target.deleted {
		return
	}
	both := [2]*member{sly, target}
	follow := map[string]any{"id": sly.uri + "/follows/" + target.name, "type": "Follow", "actor": sly.uri, "object": target.uri}
	if d.chance(60) {
		d.follows[both], d.followed[both] = true, true
		delete(d.fading, both)
		d.say(sly, target, follow)
		return
	}
	d.say(sly, target, map[string]any{"id": fmt.Sprintf("%s/undo/%d", sly.uri, len(d.story)), "type": "Undo", "actor": sly.uri, "object": follow})
	d.fading[both] = true
}

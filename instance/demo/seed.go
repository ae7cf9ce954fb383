package demo

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"time"

	"parley/instance"
	"parley/social"
)

// seed fills a new demo with people and what they said; a kept one stays as it is.
func (d *Demo) seed(ctx context.Context) error {
	done, err := d.places[0].in.Social.SetUp(ctx)
	if err != nil || done {
		return err
	}
	if _, _, err := d.as(ctx, 0, "anna"); err == nil {
		return fmt.Errorf("the demo in %s broke off while it was made; delete that folder and start again", d.dir)
	}
	begin, err := moment(beganAgo, "08:00")
	if err != nil {
		return err
	}
	d.clock.setBack(begin)
	for _, p := range d.places {
		if err := d.people(ctx, p); err != nil {
			return err
		}
	}
	if err := d.join(ctx); err != nil {
		return err
	}
	for _, f := range follows {
		if err := d.follow(ctx, f.at, f.user, f.to, f.whom); err != nil {
			return err
		}
	}
	if err := d.community(ctx); err != nil {
		return err
	}
	if err := d.talk(ctx); err != nil {
		return err
	}
	if err := d.passTo(ctx, time.Now()); err != nil {
		return err
	}
	for _, p := range d.places { // nothing was missed, so nobody is marked as being looked after
		if err := p.in.Federation.CatchUpNow(ctx, ""); err != nil {
			return err
		}
		for _, other := range d.places { // an answer of now, after those of the days before
			if other == p {
				continue
			}
			if _, _, err := p.in.Federation.Probe(ctx, other.domain); err != nil {
				return err
			}
		}
	}
	for _, p := range d.places { // last: a demo that broke off is known by it
		if err := p.in.Social.FinishSetUp(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *Demo) people(ctx context.Context, p *place) error {
	s := p.in.Social
	if err := s.SetOrganisation(ctx, social.Organisation{Name: p.name, Group: p.group}, "demo"); err != nil {
		return err
	}
	manager := ""
	for i, q := range p.people {
		role := social.RoleMember
		if i == 0 {
			role = social.RoleAdmin
		}
		a, err := s.CreateAccount(ctx, social.NewAccount{Username: q.user, DisplayName: q.name, Role: role, Language: q.language})
		if err != nil {
			return err
		}
		r := social.Member(a, s.HomeAuthority())
		atOnce := 0 // who looks on sees each post arrive, not half a minute later
		if _, err := s.UpdateProfile(ctx, r, social.ProfileChange{Note: &q.note, UndoSeconds: &atOnce}); err != nil {
			return err
		}
		entry := social.PersonChange{Department: &q.department, Title: &q.title, Location: &q.place, Skills: strings.Split(q.skills, ", "), Languages: []string{q.language}}
		if manager != "" {
			entry.Manager = &manager
		}
		if _, err := s.UpdatePerson(ctx, r, entry); err != nil {
			return fmt.Errorf("%s's entry: %w", q.user, err)
		}
		if i == 0 {
			manager = q.user
		}
	}
	return nil
}

// join pairs every two of the places, as their administrators would: the headquarters
// keeps the roster, and the partner calls both of the others muster.
func (d *Demo) join(ctx context.Context) error {
	for i, inviter := range d.places {
		for _, other := range d.places[i+1:] {
			zone := social.Zone{}
			if other.zone.Kind == social.ZonePartner {
				zone = social.Zone{Kind: social.ZonePartner, Name: "muster"}
			} else if i > 0 {
				continue // by the roster
			}
			code, err := inviter.in.Social.Invite(ctx, social.InviteRequest{Host: other.in.Social.HomeAuthority(), Zone: other.zone, By: "demo"})
			if err != nil {
				return err
			}
			if _, err := other.in.Social.Accept(ctx, code.String(), zone, nil, "demo"); err != nil {
				return fmt.Errorf("%s joins %s: %w", other.name, inviter.name, err)
			}
		}
	}
	return nil
}

// follows of the beginning: who at which place follows whom at which. Anna does
// not follow Ben yet: that is the tour's first step.
var follows = []struct {
	at   int
	user string
	to   int
	whom string
}{
	{0, "anna", 0, "jonas"}, {0, "anna", 1, "lena"}, {0, "emma", 1, "tom"}, {0, "emma", 0, "anna"}, {0, "jonas", 0, "anna"},
	{0, "jonas", 1, "priya"}, {0, "sofia", 0, "emma"}, {0, "sofia", 1, "lena"}, {0, "mehmet", 2, "pia"}, {0, "mehmet", 0, "anna"},
	{1, "ben", 0, "anna"}, {1, "ben", 1, "lena"}, {1, "lena", 0, "anna"}, {1, "tom", 0, "emma"}, {1, "priya", 0, "emma"}, {1, "priya", 1, "ben"},
	{2, "pia", 0, "mehmet"}, {2, "pia", 0, "anna"}, {2, "oscar", 2, "pia"}, {2, "oscar", 0, "mehmet"}, {2, "ruth", 2, "pia"},
}

// follow waits until the other side has accepted.
func (d *Demo) follow(ctx context.Context, at int, user string, to int, whom string) error {
	r, in, err := d.as(ctx, at, user)
	if err != nil {
		return err
	}
	target, err := in.Social.FindHandle(ctx, r, whom+"@"+d.places[to].in.Config.Domain)
	if err != nil {
		return fmt.Errorf("%s looks for %s: %w", user, whom, err)
	}
	if _, err = in.Social.Follow(ctx, r, target.ID, social.FollowOptions{}); err != nil {
		return err
	}
	return d.await(ctx, user+" follows "+whom, func() bool {
		rels, err := in.Social.Relationships(ctx, r, []social.ID{target.ID})
		return err == nil && len(rels) == 1 && rels[0].Following
	})
}

// community is a group with members of both companies, which talks in the script.
const community = "elektro"

func (d *Demo) community(ctx context.Context) error {
	r, in, err := d.as(ctx, hq, "jonas")
	if err != nil {
		return err
	}
	g, err := in.Social.CreateGroup(ctx, r, social.NewGroup{Name: community, DisplayName: "Elektro-Flotte",
		Purpose: "Lkw, Stapler und Ladesäulen: Wer fährt schon elektrisch, und was haben wir gelernt? English welcome."})
	if err != nil {
		return err
	}
	for _, m := range []struct {
		at   int
		user string
	}{{hq, "mehmet"}, {subsidiary, "ben"}, {subsidiary, "priya"}} {
		r, there, err := d.as(ctx, m.at, m.user)
		if err != nil {
			return err
		}
		found, err := there.Social.FindHandle(ctx, r, community+"@"+in.Config.Domain)
		if err != nil {
			return fmt.Errorf("%s looks for the community: %w", m.user, err)
		}
		if _, err := there.Social.Join(ctx, r, found.ID, true); err != nil {
			return err
		}
	}
	return d.await(ctx, "three people join the community", func() bool {
		people, _, err := in.Social.GroupMembers(ctx, r, g.Account.ID, social.Page{Limit: 10})
		return err == nil && len(people) == 4
	})
}

// line is one thing that somebody says, likes, shares or votes.
type line struct {
	days    int    // how many days ago; 0 goes on with the line before
	clock   string // at which time of that day
	at      int
	user    string
	key     string // to refer to it
	answers string // key of what it answers
	text    string
	to      string   // audience; "" the default
	asks    bool     // it is a question
	poll    []string // answers of a poll
	file    func() (name, description string, data []byte)
	likes   string // key of what is liked
	shares  string
	votes   string
	choice  int
	keeps   string // key of what is bookmarked, with the text as a note
	folder  string // for that
}

// beganAgo is how many days ago the first people came.
const beganAgo = 5

// pause is between two lines that follow each other.
const pause = 7 * time.Minute

// script is the talk of the beginning, in order. Replies cross from place to place.
var script = []line{
	{days: 3, clock: "09:10", at: 0, user: "anna", key: "list", text: "Unsere Checkliste für die erste Woche neuer Kolleginnen und Kollegen ist fertig. Was fehlt Euch? #onboarding", file: checklist},
	{at: 1, user: "lena", key: "list1", answers: "list", text: "Im Lager kommt am ersten Tag noch die Unterweisung am Stapler dazu. Nehmt Ihr das auf?"},
	{at: 0, user: "anna", key: "list2", answers: "list1", text: "Gute Ergänzung, steht jetzt als Punkt 4 drin. Danke!"},
	{at: 1, user: "tom", key: "list3", answers: "list", text: "Could we have it in English as well? Half of our new people do not read German yet."},
	{at: 0, user: "emma", answers: "list3", text: "I will translate it this week."},
	{at: 1, user: "ben", likes: "list"}, {at: 1, user: "priya", likes: "list"}, {at: 0, user: "jonas", likes: "list1"}, {at: 1, user: "lena", shares: "list"},
	{days: 3, clock: "13:40", at: 0, user: "anna", key: "poll", text: "Wann passt Euch die Wissensrunde im Dezember?", poll: []string{"Dienstag, 10 Uhr", "Donnerstag, 15 Uhr", "Lieber im Januar"}},
	{at: 1, user: "lena", votes: "poll", choice: 1}, {at: 0, user: "jonas", votes: "poll", choice: 0}, {at: 0, user: "mehmet", votes: "poll", choice: 1}, {at: 0, user: "emma", votes: "poll", choice: 1},
	{days: 2, clock: "08:25", at: 0, user: "emma", key: "notes", text: "How do you explain our release notes to customers? Examples welcome.", asks: true},
	{at: 1, user: "priya", key: "notes1", answers: "notes", text: "I send three sentences: what changed, who notices it, what to do. Customers answer much less since then."},
	{at: 0, user: "sofia", answers: "notes1", text: "Can I quote that in the next newsletter?"},
	{at: 1, user: "tom", likes: "notes1"}, {at: 0, user: "emma", likes: "notes1"},
	{days: 2, clock: "11:05", at: 1, user: "lena", key: "gate", text: "Tor 4 ist wieder offen. **Danke** an die Werkstatt! #lager", file: gate},
	{at: 0, user: "sofia", likes: "gate"},
	{at: 0, user: "anna", keeps: "gate", folder: "Lager", text: "Lena fragen, ob das Foto in die Schulung darf."},
	{days: 2, clock: "14:30", at: 1, user: "ben", key: "truck", text: "Wer hat Erfahrung mit Elektro-Lkw im Nahverkehr? Uns interessiert die Reichweite im Winter.", asks: true},
	{at: 1, user: "priya", answers: "truck", text: "Our routing data says 18 % less below zero. I can show you the figures."},
	{days: 2, clock: "16:15", at: 0, user: "jonas", key: "socket", to: "group:" + community, text: "Die vier Ladesäulen in Frankfurt sind bestellt, Lieferung in Woche 3. Welche Stecker braucht Ihr in Hamburg?"},
	{at: 1, user: "ben", key: "socket1", answers: "socket", text: "CCS für die Lkw, Typ 2 für die Stapler. Ich frage in der Werkstatt nach der Leistung."},
	{at: 1, user: "priya", answers: "socket1", text: "150 kW are enough: the trucks stand 70 minutes at the gate on average."},
	{days: 1, clock: "09:00", at: 0, user: "emma", key: "chart", text: "Support tickets since we answer in three sentences. Left: September, right: now. #releasenotes", file: chart},
	{at: 1, user: "priya", likes: "chart"}, {at: 0, user: "anna", likes: "chart"},
	{days: 1, clock: "10:20", at: 1, user: "tom", key: "forms", text: "New customs forms from Monday; the old ones will be refused. #export"},
	{days: 1, clock: "11:45", at: 0, user: "mehmet", key: "plan", to: "partner:acme", text: "Der Lieferplan für das nächste Quartal ist abgestimmt. Bitte bis Freitag prüfen."},
	{at: 2, user: "pia", key: "plan1", answers: "plan", text: "Looks good to us. Part 4711 moves to week 9, the rest as agreed."},
	{at: 0, user: "mehmet", answers: "plan1", text: "Woche 9 passt, danke."},
	{at: 2, user: "oscar", likes: "plan"},
	{days: 1, clock: "15:10", at: 2, user: "pia", key: "part", to: "public", text: "Part 4711 has a successor with a longer life. Samples on request."},
	{at: 0, user: "mehmet", shares: "part"},
	{days: 1, clock: "16:30", at: 0, user: "sofia", to: "public", text: "We are hiring in Hamburg and London: dispatch, product, IT."},
}

func checklist() (string, string, []byte) {
	return "checkliste-erste-woche.txt", "Checkliste für die erste Woche", []byte("1. Zugang und Ausweis\n2. Patin oder Pate\n3. Rundgang\n4. Unterweisung am Stapler\n")
}

// gate paints a picture: a gate that stands open.
func gate() (string, string, []byte) {
	const w, h = 480, 270
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{0xcf, 0xe3, 0xf1, 0xff} // sky
			switch {
			case y > 225:
				c = color.RGBA{0x77, 0x7c, 0x80, 0xff} // yard
			case x > 60 && x < 420 && y > 60:
				c = color.RGBA{0xb4, 0x55, 0x3c, 0xff} // hall
				if x > 150 && x < 330 && y > 110 {
					c = color.RGBA{0x22, 0x2b, 0x33, 0xff} // the open gate
				}
				if x > 150 && x < 330 && y > 95 && y <= 110 {
					c = color.RGBA{0xe8, 0xc5, 0x47, 0xff} // its shutter
				}
			}
			m.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m) // into memory
	return "tor-4.png", "Eine Halle mit weit offenem Tor", b.Bytes()
}

// chart paints a picture: columns that grow smaller.
func chart() (string, string, []byte) {
	const w, h, column = 480, 270, 90
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	heights := []int{200, 170, 120, 70}
	for y := range h {
		for x := range w {
			c := color.RGBA{0xf6, 0xf5, 0xf1, 0xff} // paper
			if i := (x - 50) / (column + 10); x >= 50 && i < len(heights) && (x-50)%(column+10) < column && y < 240 && y >= 240-heights[i] {
				c = color.RGBA{0x0a, 0x56, 0x88, 0xff}
			}
			if y >= 240 && y < 243 && x >= 40 && x < 450 {
				c = color.RGBA{0x52, 0x5e, 0x6d, 0xff} // ground
			}
			m.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m) // into memory
	return "tickets.png", "Four columns, each smaller than the one before: 200, 170, 120 and 70 tickets", b.Bytes()
}

// talk plays the script; what a line refers to has arrived where it is said.
func (d *Demo) talk(ctx context.Context) error {
	said := map[string]string{} // key -> URI
	for _, l := range script {
		if err := d.wait(ctx, l); err != nil {
			return err
		}
		if err := d.line(ctx, l, said); err != nil {
			return fmt.Errorf("%s: %w", l.user, err)
		}
	}
	return nil
}

// wait lets the time pass until a line is said. A sign of approval comes at once.
func (d *Demo) wait(ctx context.Context, l line) error {
	switch {
	case l.days > 0:
		at, err := moment(l.days, l.clock)
		if err != nil {
			return err
		}
		return d.passTo(ctx, at)
	case l.text != "":
		return d.passTo(ctx, d.clock.Now().Add(pause))
	}
	return nil
}

func (d *Demo) line(ctx context.Context, l line, said map[string]string) error {
	r, in, err := d.as(ctx, l.at, l.user)
	if err != nil {
		return err
	}
	about, err := d.about(ctx, in, r, said[l.answers+l.likes+l.shares+l.votes+l.keeps])
	if err != nil {
		return err
	}
	switch {
	case l.likes != "":
		_, err = in.Social.Favourite(ctx, r, about, true)
	case l.shares != "":
		_, err = in.Social.Boost(ctx, r, about, true)
	case l.votes != "":
		_, err = in.Social.Vote(ctx, r, about, []int{l.choice})
	case l.keeps != "":
		_, err = in.Social.Keep(ctx, r, about, social.Kept{Folder: l.folder, Note: l.text})
	default:
		err = d.say(ctx, in, r, l, about, said)
	}
	return err
}

// about waits until what a line refers to has arrived here; zero for nothing.
func (d *Demo) about(ctx context.Context, in *instance.Instance, r social.Reader, uri string) (id social.ID, err error) {
	if uri == "" {
		return 0, nil
	}
	return id, d.await(ctx, uri+" arrives", func() bool {
		v, err := in.Social.PostByURI(ctx, r, uri)
		if err == nil {
			id = v.Post.ID
		}
		return err == nil
	})
}

func (d *Demo) say(ctx context.Context, in *instance.Instance, r social.Reader, l line, about social.ID, said map[string]string) error {
	draft := social.Draft{Text: l.text, Audience: l.to, InReplyTo: about, Question: &l.asks}
	if about != 0 {
		parent, err := in.Social.Post(ctx, r, about)
		if err != nil {
			return err
		}
		if parent.Author.ID != r.Account.ID {
			draft.Text = "@" + parent.Author.Acct() + " " + draft.Text
		}
	}
	if l.poll != nil {
		draft.Poll = &social.PollDraft{Options: l.poll, ExpiresIn: 7 * 24 * time.Hour}
	}
	if l.file != nil {
		name, description, data := l.file()
		m, err := in.Social.Upload(ctx, r, social.Upload{Name: name, Description: description, Body: bytes.NewReader(data)})
		if err != nil {
			return err
		}
		draft.MediaIDs = []social.ID{m.ID}
	}
	v, err := in.Social.Publish(ctx, r, draft)
	if err == nil && l.key != "" {
		said[l.key] = v.Post.URI
	}
	return err
}

// post publishes a plain text for somebody.
func (d *Demo) post(ctx context.Context, at int, user string, draft social.Draft) (*social.PostView, error) {
	r, in, err := d.as(ctx, at, user)
	if err != nil {
		return nil, err
	}
	v, err := in.Social.Publish(ctx, r, draft)
	if err != nil {
		err = fmt.Errorf("%s writes: %w", user, err)
	}
	return v, err
}

// has says that somebody's home timeline holds a text.
func (d *Demo) has(ctx context.Context, in *instance.Instance, r social.Reader, text string) *social.PostView {
	views, err := in.Social.Home(ctx, r, social.Page{Limit: 40})
	if err != nil {
		return nil
	}
	for _, v := range views {
		if v.Boost != nil {
			v = v.Boost
		}
		if strings.Contains(v.Post.Content, text) {
			return v
		}
	}
	return nil
}

package demo

import (
	"context"
	"errors"
	"fmt"
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
	for _, p := range d.places {
		if err := d.people(ctx, p); err != nil {
			return err
		}
	}
	for _, follow := range []struct {
		at   int
		user string
		to   int
		whom string
	}{{0, "anna", 1, "lena"}, {0, "emma", 1, "tom"}, {0, "jonas", 0, "anna"}, {1, "ben", 0, "anna"}, {1, "priya", 0, "emma"}, {2, "pia", 0, "mehmet"}, {0, "mehmet", 2, "pia"}} {
		if _, err := d.follow(ctx, follow.at, follow.user, follow.to, follow.whom); err != nil {
			return err
		}
	}
	return d.talk(ctx)
}

func (d *Demo) people(ctx context.Context, p *place) error {
	s := p.in.Social
	if err := s.SetOrganisation(ctx, social.Organisation{Name: p.name, Group: p.group}); err != nil {
		return err
	}
	for _, other := range d.places {
		if other == p {
			continue
		}
		zone := other.zone
		if p.zone.Kind == social.ZonePartner {
			zone = social.Zone{Kind: social.ZonePartner, Name: "muster"}
		}
		if err := s.SetZone(ctx, other.in.Config.Domain, zone, "demo"); err != nil {
			return err
		}
	}
	for i, q := range p.people {
		role := social.RoleMember
		if i == 0 {
			role = social.RoleAdmin
		}
		a, err := s.CreateAccount(ctx, social.NewAccount{Username: q.user, DisplayName: q.name, Role: role, Language: q.language})
		if err != nil {
			return err
		}
		if _, err := s.UpdateProfile(ctx, social.Member(a, s.HomeAuthority()), social.ProfileChange{Note: &q.note}); err != nil {
			return err
		}
	}
	return s.FinishSetUp(ctx)
}

func (d *Demo) follow(ctx context.Context, at int, user string, to int, whom string) (*social.Account, error) {
	r, in, err := d.as(ctx, at, user)
	if err != nil {
		return nil, err
	}
	target, err := in.Social.FindHandle(ctx, r, whom+"@"+d.places[to].in.Config.Domain)
	if err != nil {
		return nil, fmt.Errorf("%s looks for %s: %w", user, whom, err)
	}
	_, err = in.Social.Follow(ctx, r, target.ID, social.FollowOptions{})
	return target, err
}

func (d *Demo) say(ctx context.Context, at int, user string, draft social.Draft) (*social.PostView, error) {
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

func (d *Demo) talk(ctx context.Context) error {
	anna, in, err := d.as(ctx, 0, "anna")
	if err != nil {
		return err
	}
	file, err := in.Social.Upload(ctx, anna, social.Upload{Name: "onboarding.txt", Description: "Checkliste für die erste Woche",
		Body: strings.NewReader("1. Zugang\n2. Patin oder Pate\n3. Rundgang\n")})
	if err != nil {
		return err
	}
	for _, one := range []struct {
		at    int
		user  string
		draft social.Draft
	}{
		{0, "anna", social.Draft{Text: "Unsere Checkliste für neue Kolleginnen und Kollegen ist fertig. #onboarding", MediaIDs: []social.ID{file.ID}}},
		{0, "anna", social.Draft{Text: "Wann passt Euch die Wissensrunde?", Poll: &social.PollDraft{Options: []string{"Dienstag 10 Uhr", "Donnerstag 15 Uhr"}, ExpiresIn: 72 * time.Hour}}},
		{0, "emma", social.Draft{Text: "How do you explain our release notes to customers? Examples welcome. #question"}},
		{0, "sofia", social.Draft{Text: "We are hiring in Hamburg and London.", Audience: "public"}},
		{0, "mehmet", social.Draft{Text: "Lieferplan für das nächste Quartal ist abgestimmt.", Audience: "partner:acme"}},
		{1, "lena", social.Draft{Text: "Tor 4 ist wieder offen. **Danke** an die Werkstatt! #lager"}},
		{1, "tom", social.Draft{Text: "New customs forms from Monday, the old ones are refused. #export"}},
		{1, "ben", social.Draft{Text: "Wer hat Erfahrung mit Elektro-Lkw im Nahverkehr? #frage"}},
		{2, "pia", social.Draft{Text: "Part 4711 has a successor, samples on request.", Audience: "public"}},
	} {
		if _, err := d.say(ctx, one.at, one.user, one.draft); err != nil {
			return err
		}
	}
	return nil
}

// Check runs the tour without a browser.
func (d *Demo) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := d.follow(ctx, 0, "anna", 1, "ben"); err != nil {
		return err
	}
	anna, hq, err := d.as(ctx, 0, "anna")
	if err != nil {
		return err
	}
	ben, sub, err := d.as(ctx, 1, "ben")
	if err != nil {
		return err
	}
	pia, partner, err := d.as(ctx, 2, "pia")
	if err != nil {
		return err
	}
	if err := d.until(ctx, "Anna sees Ben's earlier post", func() bool { return sees(ctx, hq, anna, "Elektro-Lkw") != nil }); err != nil {
		return err
	}
	v, err := d.say(ctx, 0, "anna", social.Draft{Text: "Canary for the whole group", Audience: "company"})
	if err != nil {
		return err
	}
	if err := d.until(ctx, "Ben sees Anna's new post", func() bool { return sees(ctx, sub, ben, "Canary") != nil }); err != nil {
		return err
	}
	if _, err := sub.Social.Publish(ctx, ben, social.Draft{Text: "Got it", InReplyTo: sees(ctx, sub, ben, "Canary").Post.ID}); err != nil {
		return err
	}
	if err := d.until(ctx, "Anna sees Ben's answer", func() bool {
		_, below, err := hq.Social.Thread(ctx, anna, v.Post.ID)
		return err == nil && len(below) == 1
	}); err != nil {
		return err
	}
	if _, err := partner.Social.PostByURI(ctx, pia, v.Post.URI); !errors.Is(err, social.ErrNotFound) {
		return fmt.Errorf("the partner has what was said inside the group: %v", err)
	}
	fmt.Fprintln(d.out, "ok   the partner has nothing of it")
	return nil
}

func sees(ctx context.Context, in *instance.Instance, r social.Reader, text string) *social.PostView {
	views, err := in.Social.Home(ctx, r, social.Page{Limit: 40})
	if err != nil {
		return nil
	}
	for _, v := range views {
		if strings.Contains(v.Post.Content, text) {
			return v
		}
	}
	return nil
}

func (d *Demo) until(ctx context.Context, what string, done func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("did not happen: %s", what)
		case <-tick.C:
		}
	}
	fmt.Fprintln(d.out, "ok   "+what)
	return nil
}

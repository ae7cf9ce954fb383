package web

import (
	"strings"

	"parley/social"
)

// These ask for the second step of a post that leaves the company.
const (
	outsideToo = "everybody can read this, outside the company too, and nobody can call it back for certain; publish it outside, or choose fewer people"
	partnerToo = "%s Nobody can call it back for certain; send it to the partner, or choose fewer people"
)

// doubts finds what may not be meant so, one thing after the other; each is asked once.
func (w *Web) doubts(p *page, d social.Draft, files []*social.Media) (at string, ask question, why, err error) {
	asked := func(name string) bool { return p.r.PostFormValue(name) != "" }
	for _, m := range files {
		if m.Attachment.Kind == "image" && m.Attachment.Description == "" && !asked("bare") {
			return "file", question{"bare", p.T("send_bare")}, social.Errorf(social.Invalid, "a picture has no description; whoever cannot see it learns nothing of it"), nil
		}
	}
	if ask, why, err := w.leaving(p, d); err != nil || why != nil && !asked(ask.Name) {
		return "audience", ask, why, err
	}
	if !asked("named") {
		out, err := w.Social.Outsiders(p.ctx(), p.reader, d)
		if mistake(err) {
			return "", question{}, nil, nil // sending it says what is wrong
		}
		if err != nil {
			return "", question{}, nil, err
		}
		if len(out) > 0 {
			var names []string
			for _, a := range out {
				names = append(names, "@"+a.Acct())
			}
			return "audience", question{"named", p.T("send_anyway")}, social.Errorf(social.Invalid, "%s will not see this post; choose other readers, or send it all the same", strings.Join(names, ", ")), nil
		}
	}
	if !asked("dead") {
		return w.farther(p, d)
	}
	return "", question{}, nil, nil
}

// farther doubts a link to a post that not all readers may see.
func (w *Web) farther(p *page, d social.Draft) (at string, ask question, why, err error) {
	dead, err := w.Social.Dead(p.ctx(), p.reader, d)
	if mistake(err) {
		return "", question{}, nil, nil // sending it says what is wrong
	}
	if err != nil || len(dead) == 0 {
		return "", question{}, nil, err
	}
	v := dead[0]
	return "text", question{"dead", p.T("send_anyway")}, social.Errorf(social.Invalid, "this links to a post of %s that is not for all who will read yours (%s); they will find nothing there", v.Author.Name(), p.Card(v).Seen()), nil
}

// leaving doubts a new post that everybody would see, in a community too, or a partner.
// A reply reaches no further than what it answers, which was asked about already.
func (w *Web) leaving(p *page, d social.Draft) (ask question, why, err error) {
	if d.InReplyTo != 0 {
		return question{}, nil, nil
	}
	choices, err := w.Social.Audiences(p.ctx(), p.reader, 0)
	for _, one := range choices {
		switch {
		case one.Label != d.Audience:
		case p.reach(one.Kind, one.Group) == "outside":
			return question{"outside", p.T("publish_outside")}, social.Errorf(social.Invalid, outsideToo), err
		case one.Kind == social.AudiencePartner:
			return question{yesTo(one.Label), p.T("send_partner")}, social.Errorf(social.Invalid, partnerToo, p.Meaning(one)), err
		}
	}
	return question{}, nil, err
}

// yesTo names the answer that one partner may read a post: it holds for no other.
func yesTo(audience string) string { return "to:" + audience }

package web

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"parley/social"
)

// unsent is a post of the reader's that nobody else sees yet.
type unsent struct {
	*frame
	V    *social.UnsentView
	Due  moment // when it is sent; of what waits
	Left int    // seconds until then
	When field  // another time, of what is scheduled
}

func (p *page) held(v *social.UnsentView) unsent {
	u := unsent{frame: p.frame, V: v, Due: p.At(v.DueAt), Left: max(0, int(v.DueAt.Sub(p.now).Seconds()))}
	if v.State == social.UnsentScheduled {
		u.When = field{Name: "at", Label: p.T("send_at"), Kind: "datetime-local", Value: v.DueAt.In(p.now.Location()).Format(atForm), Of: v.ID.String()}
	}
	return u
}

// remind offers to take back what was sent a moment ago, on the page that followed.
func (w *Web) remind(p *page) {
	id, err := social.ParseID(p.r.URL.Query().Get("held"))
	if err != nil || p.Me == nil {
		return
	}
	if v, err := w.Social.Draft(p.ctx(), p.reader, id); err == nil && v.State == social.UnsentHeld {
		u := p.held(v)
		p.Held = &u
	}
}

// Why says why it was not sent when it was due; "" for all else.
func (u unsent) Why() string {
	if u.V.Reason == "" {
		return ""
	}
	return u.say(&social.Error{Kind: social.Invalid, Public: u.V.Reason})
}

// Reader says who is to see it, as the author chose.
func (u unsent) Reader() string {
	a, err := social.ParseAudience(firstOf(u.V.Audience, u.V.Draft.Audience), u.home)
	if err != nil {
		return ""
	}
	if a.Kind == social.AudienceGroup {
		return u.T("aud_group", a.Name)
	}
	return u.audience(a.Kind, a.Name)
}

// Narrower says that it goes to fewer people than its author chose.
func (u unsent) Narrower() bool {
	return u.V.Waits() && u.V.Audience != "" && u.V.Draft.Audience != "" && u.V.Audience != u.V.Draft.Audience
}

// draftsPage lists what the reader wrote and did not send yet.
type draftsPage struct {
	*frame
	Waiting, Scheduled, Drafts []unsent
}

func (draftsPage) file() string { return "drafts.html" }

func (w *Web) drafts(p *page) error {
	d := draftsPage{frame: p.titled("drafts")}
	for _, one := range []struct {
		list *[]unsent
		read func() ([]*social.UnsentView, error)
	}{
		{&d.Waiting, func() ([]*social.UnsentView, error) { return w.Social.Held(p.ctx(), p.reader) }},
		{&d.Scheduled, func() ([]*social.UnsentView, error) {
			return w.Social.Scheduled(p.ctx(), p.reader, social.Page{Limit: social.MaxScheduled})
		}},
		{&d.Drafts, func() ([]*social.UnsentView, error) { return w.Social.Drafts(p.ctx(), p.reader) }},
	} {
		views, err := one.read()
		if err != nil {
			return err
		}
		for _, v := range views {
			*one.list = append(*one.list, p.held(v))
		}
	}
	return w.show(p, http.StatusOK, d)
}

// draft opens a draft to go on with it.
func (w *Web) draft(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	v, err := w.Social.Draft(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	if v.Waits() { // it is taken back before it is changed
		return w.redirect(p, "/drafts", "")
	}
	c, err := w.opened(p, v)
	if err != nil {
		return err
	}
	if v.Reason != "" {
		p.Problem = p.say(&social.Error{Kind: social.Invalid, Public: v.Reason})
	}
	return w.show(p, http.StatusOK, composePage{p.titled("draft"), c})
}

// opened is the composer with a draft in it.
func (w *Web) opened(p *page, v *social.UnsentView) (*composer, error) {
	c, err := w.composer(p, v.Parent)
	if err != nil {
		return nil, err
	}
	d := v.Draft
	c.Draft, c.Text.Value, c.Warning.Value, c.Text.Focus = v.ID, d.Text, d.Summary, true
	for _, f := range []struct {
		*field
		value string
	}{{&c.Audience, d.Audience}, {&c.Tongue, d.Language}} {
		f.choose(f.value)
	}
	if d.Poll != nil {
		c.Poll.Value, c.Multiple.Checked = strings.Join(d.Poll.Options, "\n"), d.Poll.Multiple
		c.Open.choose(map[int]string{1: "1", 7: "7", 14: "14"}[int(d.Poll.ExpiresIn.Hours()/24)])
	}
	c.Question.Checked = d.Question != nil && *d.Question
	if d.At.After(p.now) {
		c.When.Value = d.At.In(p.now.Location()).Format(atForm)
	}
	for _, m := range v.Files {
		c.Files = append(c.Files, p.kept(m))
	}
	c.More = len(c.Files) > 0 || c.filled()
	return c, nil
}

// handleDraft does what the small forms under an unsent post ask for.
func (w *Web) handleDraft(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	switch mux.Vars(p.r)["act"] {
	case "undo":
		v, err := w.Social.Withdraw(p.ctx(), p.reader, id)
		if social.KindOf(err) == social.NotFound {
			return social.Errorf(social.Gone, "this post was sent or deleted already")
		}
		if err != nil {
			return err
		}
		if p.wantsPart() {
			c, err := w.opened(p, v)
			if err != nil {
				return err
			}
			return w.showPart(p, "composer", c)
		}
		return w.redirect(p, "/drafts/"+id.String(), "taken_back")
	case "send":
		v, err := w.Social.SendNow(p.ctx(), p.reader, id)
		if social.KindOf(err) == social.NotFound {
			return social.Errorf(social.Gone, "this post was sent or deleted already")
		}
		if mistake(err) {
			return w.redirect(p, "/drafts/"+id.String(), "")
		}
		if err != nil {
			return err
		}
		if p.wantsPart() {
			return w.showPost(p, v.Post.ID)
		}
		return w.redirect(p, p.Card(v).Link(), "published")
	case "time":
		at, err := p.sendAt()
		if err == nil {
			_, err = w.Social.Reschedule(p.ctx(), p.reader, id, at)
		}
		if err != nil {
			return err
		}
		return w.redirect(p, "/drafts", "scheduled")
	}
	if err := w.Social.DeleteDraft(p.ctx(), p.reader, id); err != nil {
		return err
	}
	return w.redirect(p, "/drafts", "draft_deleted")
}

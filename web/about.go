package web

import (
	"net/http"

	"parley/social"
)

// circleOf is a choice of readers: who sees what is written for it, and who does not.
type circleOf struct{ Choice, Sees, Hidden string }

// aboutPage tells what this server is, who belongs to it, and who sees what.
type aboutPage struct {
	*frame
	Contact *social.Account
	Sisters []social.Sister // for members
	Rules   []string
	Table   []circleOf
}

func (aboutPage) file() string { return "about.html" }

// about answers who is signed out too, without the names of other companies and people.
func (w *Web) about(p *page) error {
	d := aboutPage{frame: p.titled("about"), Rules: p.Org.HouseRules(), Table: p.circles()}
	if p.Me != nil {
		var err error
		if d.Sisters, err = w.Social.Sisters(p.ctx(), p.reader); err != nil {
			return err
		}
		if a, err := w.Social.AccountByHandle(p.ctx(), p.reader, p.Org.Contact); err == nil {
			d.Contact = a
		}
	}
	return w.show(p, http.StatusOK, d)
}

// circles lists who sees what one writes, from the fewest to everybody.
func (f *frame) circles() []circleOf {
	return []circleOf{
		{f.audience(social.AudienceDirect, ""), f.T("means_direct"), f.T("hides_direct")},
		{f.audience(social.AudienceFollowers, ""), f.T("means_followers"), f.T("hides_followers")},
		{f.T("aud_group", "…"), f.T("means_any_group"), f.T("hides_group")},
		{f.audience(social.AudienceInstance, ""), f.T("means_instance", f.Org.Name), f.T("hides_instance")},
		{f.audience(social.AudienceCompany, ""), f.T("means_company"), f.T("hides_company")},
		{f.T("aud_partner", f.T("a_partner")), f.T("means_any_partner"), f.T("hides_partner")},
		{f.audience(social.AudienceUnlisted, ""), f.T("means_unlisted"), f.T("hides_nobody")},
		{f.audience(social.AudiencePublic, ""), f.T("means_public"), f.T("hides_nobody")},
	}
}

package web

import (
	"net/http"
	"strings"

	"parley/auth"
	"parley/social"
)

func (w *Web) setupPage(p *page, code string) formPage {
	return formPage{frame: p.titled("setup"), Intro: []string{p.T("become_admin"), p.T("setup_intro")},
		Form: &form{Action: "/setup", Submit: p.T("finish_setup"), Hidden: map[string]string{"code": code}, Fields: []field{
			{Name: "organisation", Label: p.T("organisation"), Hint: p.T("organisation_hint"), Kind: "text", Required: true, MaxLength: 100, Autocomplete: "organization", Focus: true},
			{Name: "group", Label: p.T("group"), Hint: p.T("group_hint"), Kind: "text", MaxLength: 100},
			{Name: "display_name", Label: p.T("your_name"), Kind: "text", MaxLength: w.Social.Limits.NameLength, Autocomplete: "name"},
			{Name: "name", Label: p.T("username"), Hint: p.T("username_hint"), Kind: "text", Required: true, MaxLength: 64, Autocomplete: "username"},
			p.newPassword(false),
		}}}
}

func (w *Web) setupForm(p *page) error {
	code := p.r.URL.Query().Get("code")
	if _, err := w.Auth.CheckLink(p.ctx(), "setup", code); err != nil {
		return w.deadSetup(p, err)
	}
	return w.show(p, http.StatusOK, w.setupPage(p, code))
}

// deadSetup tells who comes too late where to go on.
func (w *Web) deadSetup(p *page, err error) error {
	done, fault := w.Social.SetUp(p.ctx())
	if fault != nil {
		return fault
	}
	if done {
		return w.deadLink(p, err, "dead_setup_done")
	}
	return w.deadLink(p, err, "dead_setup")
}

// setup makes the first administrator. The link is taken before anything is
// written, so that of two who send the form only one succeeds; who fails after
// that gets a new link with the form.
func (w *Web) setup(p *page) error {
	code := p.r.PostFormValue("code")
	if _, err := w.Auth.CheckLink(p.ctx(), "setup", code); err != nil {
		return w.deadSetup(p, err)
	}
	if name, err := w.setupMistake(p.r); err != nil {
		return w.again(p, w.setupPage(p, code), name, err)
	}
	if _, err := w.Auth.TakeLink(p.ctx(), "setup", code); err != nil {
		return w.deadSetup(p, err)
	}
	a, err := w.Social.CreateAccount(p.ctx(), social.NewAccount{Username: p.r.PostFormValue("name"),
		DisplayName: p.r.PostFormValue("display_name"), Role: social.RoleAdmin, Language: p.Language, By: "setup link"})
	if mistake(err) {
		fresh, _, fault := w.Auth.SetupLink(p.ctx())
		if fault != nil {
			return fault
		}
		return w.again(p, w.setupPage(p, fresh), "name", err)
	}
	if err != nil {
		return err
	}
	return w.finishSetup(p, a)
}

// setupMistake checks what can be checked before the link is used.
func (w *Web) setupMistake(r *http.Request) (name string, err error) {
	if strings.TrimSpace(r.PostFormValue("organisation")) == "" {
		return "organisation", social.Errorf(social.Invalid, "the organisation needs a name")
	}
	if strings.TrimSpace(r.PostFormValue("name")) == "" {
		return "name", social.Errorf(social.Invalid, "choose a name for signing in")
	}
	return "password", auth.CheckPassword(r.PostFormValue("password"))
}

func (w *Web) finishSetup(p *page, a *social.Account) error {
	o := social.Organisation{Name: p.r.PostFormValue("organisation"), Group: p.r.PostFormValue("group"), Contact: a.Username}
	if err := w.Social.SetOrganisation(p.ctx(), o, a.Username); err != nil {
		return err
	}
	if err := w.Auth.SetPassword(p.ctx(), a.ID, p.r.PostFormValue("password")); err != nil {
		return err
	}
	if err := w.Social.FinishSetUp(p.ctx()); err != nil {
		return err
	}
	if err := w.Social.NoteWelcome(p.ctx(), social.Member(a, w.Links.Home()), func(s *social.Welcome) { s.Begun = true }); err != nil {
		return err
	}
	text, err := w.Auth.Begin(p.ctx(), a.ID, p.r.UserAgent())
	if err != nil {
		return err
	}
	w.setCookie(p, w.cookie, text, sessionAge)
	return w.redirect(p, "/", "set_up")
}

package web

import (
	"net/http"
	"strings"

	"parley/social"
)

// forgotPage asks who forgot their password; there is one only where mail can be sent.
func (w *Web) forgotPage(p *page) formPage {
	return formPage{frame: p.titled("forgotten"), Intro: []string{p.T("forgotten_intro")}, Form: &form{Action: "/forgot", Submit: p.T("forgotten_send"), Fields: []field{
		{Name: "name", Label: p.T("name_or_mail"), Kind: "text", Required: true, Autocomplete: "username", Focus: true, MaxLength: 254}}}}
}

func (w *Web) forgotForm(p *page) error {
	if !w.Mail {
		return social.NotFoundError()
	}
	return w.show(p, http.StatusOK, w.forgotPage(p))
}

// forgot has a link mailed. The answer and its time do not tell whether anybody has that
// name, or a mail address.
func (w *Web) forgot(p *page) error {
	if !w.Mail {
		return social.NotFoundError()
	}
	name := p.r.PostFormValue("name")
	if strings.TrimSpace(name) == "" {
		return w.again(p, w.forgotPage(p), "name", social.Errorf(social.Invalid, "write your username or your mail address"))
	}
	id, err := w.Auth.Forgot(p.ctx(), name)
	if mistake(err) {
		return w.again(p, w.forgotPage(p), "name", err)
	}
	if err != nil {
		return err
	}
	if err := w.Social.OrderMail(p.ctx(), id, social.MailReset); err != nil {
		return err
	}
	return w.redirect(p, "/sign-in", "link_mailed")
}

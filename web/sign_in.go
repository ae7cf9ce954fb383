package web

import (
	"net/http"

	"parley/auth"
	"parley/social"
)

const sessionAge = 30 * 24 * 3600 // seconds

func (w *Web) signInPage(p *page, next string) formPage {
	f := formPage{frame: p.titled("sign_in"), Forgot: w.Mail, Form: &form{Action: "/sign-in", Submit: p.T("sign_in"),
		Hidden: map[string]string{"next": next}, Fields: []field{
			{Name: "name", Label: p.T("name_or_mail"), Kind: "text", Required: true, Autocomplete: "username", Focus: true, MaxLength: 254},
			{Name: "password", Label: p.T("password"), Kind: "password", Required: true, Autocomplete: "current-password", MaxLength: 256},
		}}}
	if !w.Mail {
		f.After = p.T("forgot")
	}
	p.carry(&f)
	p.carryForm(&f)
	return f
}

func (w *Web) signInForm(p *page) error {
	next := p.r.URL.Query().Get("next")
	if p.r.URL.Query().Get("back") != "" { // from a page that was not there for who is signed out, and says nothing of what was asked for
		next = w.cameFrom(p.r)
	}
	if lang := appLanguage(next); p.Me == nil && lang != "" {
		p.Language = lang
	}
	if p.Me != nil && p.r.URL.Query().Get("anew") == "" {
		if !ours(next) {
			next = "/"
		}
		return w.redirect(p, next, "")
	}
	return w.show(p, http.StatusOK, w.signInPage(p, next))
}

func (w *Web) signIn(p *page) error {
	text, who, err := w.Auth.SignIn(p.ctx(), p.r.PostFormValue("name"), p.r.PostFormValue("password"), p.r.UserAgent())
	if refused, ok := map[social.Kind]int{social.Unauthenticated: http.StatusUnauthorized, social.Limited: http.StatusTooManyRequests}[social.KindOf(err)]; err != nil && ok {
		f := w.signInPage(p, p.r.PostFormValue("next"))
		f.Form.refill(p.r)
		f.Form.mark("password", p.say(err))
		f.Problem = p.T("check_form")
		return w.show(p, refused, f)
	}
	if err != nil {
		return err
	}
	if err := w.endSession(p); err != nil {
		return err
	}
	w.setCookie(p, w.cookie, text, sessionAge)
	if p.r.PostFormValue(goOn) == "post" {
		return w.keepWriting(p, who)
	}
	if at := p.r.PostFormValue(goOn); reopened.MatchString(at) {
		return w.reopen(p, at, text)
	}
	if newcomer(who) {
		return w.back(p, "/welcome", "")
	}
	return w.back(p, "/", "")
}

// endSession ends the session that the browser has: a cookie that is replaced must
// not go on working for whoever kept it.
func (w *Web) endSession(p *page) error {
	c, err := p.r.Cookie(w.cookie)
	if err != nil {
		return nil // there is none
	}
	return w.Auth.SignOut(p.ctx(), c.Value)
}

func (w *Web) signOut(p *page) error {
	if err := w.endSession(p); err != nil {
		return err
	}
	w.setCookie(p, w.cookie, "", -1)
	p.w.Header().Set("Clear-Site-Data", `"cache", "storage"`) // pictures, drafts and the worker's files
	return w.redirect(p, "/sign-in", "signed_out")
}

// deadLink tells what to do with a one-time link that works no more.
func (w *Web) deadLink(p *page, err error, advice string) error {
	if social.KindOf(err) != social.NotFound {
		return err
	}
	return w.show(p, http.StatusNotFound, errorPage{frame: p.titled("dead_link"), Text: p.T(advice)})
}

func (w *Web) resetPage(p *page, code string) formPage {
	return formPage{frame: p.titled("new_password"), Intro: []string{p.T("new_password_intro")}, Form: &form{Action: "/reset",
		Submit: p.T("save_password"), Hidden: map[string]string{"code": code}, Fields: []field{p.newPassword(true)}}}
}

func (p *page) newPassword(focus bool) field {
	return field{Name: "password", Label: p.T("password"), Hint: p.T("password_hint"), Kind: "password", Required: true,
		Autocomplete: "new-password", MaxLength: auth.MaxPassword, Focus: focus}
}

func (w *Web) resetForm(p *page) error {
	code := p.r.URL.Query().Get("code")
	if _, err := w.Auth.CheckLink(p.ctx(), "reset", code); err != nil {
		return w.deadLink(p, err, "dead_reset")
	}
	return w.show(p, http.StatusOK, w.resetPage(p, code))
}

// reset uses the link up only with a password that can be taken.
func (w *Web) reset(p *page) error {
	code, password := p.r.PostFormValue("code"), p.r.PostFormValue("password")
	if _, err := w.Auth.CheckLink(p.ctx(), "reset", code); err != nil {
		return w.deadLink(p, err, "dead_reset")
	}
	if err := auth.CheckPassword(password); err != nil {
		return w.again(p, w.resetPage(p, code), "password", err)
	}
	link, err := w.Auth.TakeLink(p.ctx(), "reset", code)
	if err != nil {
		return w.deadLink(p, err, "dead_reset")
	}
	if err := w.Auth.SetPassword(p.ctx(), link.AccountID, password); err != nil {
		return err
	}
	if err := w.endSession(p); err != nil {
		return err
	}
	w.setCookie(p, w.cookie, "", -1)
	return w.redirect(p, "/sign-in", "password_set")
}

package web

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"parley/social"
)

// reopened are the forms that stand there again, as they were typed, once somebody who was
// signed out meanwhile has signed in.
var reopened = regexp.MustCompile(`^/(?:settings|(posts|groups)/([0-9]+)/edit)$`)

// typed carries what was typed into such a form through the page for signing in.
const typed = "typed"

// inWords is what was written in a form, without what was only chosen.
func inWords(form url.Values) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, v := range form[name] {
			if strings.ContainsAny(strings.TrimSpace(v), " \n") && name != "password" {
				out = append(out, v)
			}
		}
	}
	return strings.Join(out, "\n\n")
}

// carryForm puts what was typed into another form than the composer into that for signing
// in.
func (p *page) carryForm(f *formPage) {
	form, err := url.ParseQuery(p.r.PostFormValue(typed))
	if at := p.r.PostFormValue(goOn); err == nil && reopened.MatchString(at) {
		f.Form.Hidden[goOn], f.Form.Hidden[typed] = at, form.Encode()
		f.Kept = inWords(form)
	}
}

// signInAs goes on with a request as whoever just signed in.
func (w *Web) signInAs(p *page, session string) {
	had := p.r.Cookies()
	p.r.Header.Del("Cookie")
	for _, c := range had {
		if c.Name != w.cookie {
			p.r.AddCookie(c)
		}
	}
	p.r.AddCookie(&http.Cookie{Name: w.cookie, Value: session})
	w.recognise(p)
}

// reopen shows a form again with what was typed before the sign-in. Nothing is saved that
// its author did not see once more; where the form is not for whoever signed in, at least
// the words are kept as a draft for nobody yet.
func (w *Web) reopen(p *page, at, session string) error {
	form, err := url.ParseQuery(p.r.PostFormValue(typed))
	if err != nil {
		return social.Errorf(social.Invalid, "the form cannot be read; open it again")
	}
	w.signInAs(p, session)
	p.r.PostForm = form
	f, err := w.reopenedForm(p, reopened.FindStringSubmatch(at))
	if err != nil && social.KindOf(err) != social.Internal {
		return w.keepWords(p, inWords(form))
	}
	if err != nil {
		return err
	}
	f.Form.refill(p.r)
	f.Notice = p.T("typed_is_back")
	return w.show(p, http.StatusOK, f)
}

func (w *Web) reopenedForm(p *page, at []string) (formPage, error) {
	p.r = mux.SetURLVars(p.r, map[string]string{"id": at[2]})
	switch at[1] {
	case "posts":
		v, err := w.ownPost(p)
		if err != nil {
			return formPage{}, err
		}
		return w.editPage(p, v)
	case "groups":
		v, err := w.runGroup(p)
		if err != nil {
			return formPage{}, err
		}
		return w.editGroup(p, v), nil
	}
	return w.settingsPage(p), nil
}

func (w *Web) keepWords(p *page, text string) error {
	if text == "" {
		return w.redirect(p, "/", "")
	}
	v, err := w.Social.SaveDraft(p.ctx(), p.reader, social.Draft{Text: text, Audience: string(social.AudienceDirect)})
	if err != nil {
		return err
	}
	return w.redirect(p, "/drafts/"+v.ID.String(), "draft_saved")
}

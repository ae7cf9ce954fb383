package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parley/auth"
	"parley/social"
)

// consentPage asks a member about an app.
type consentPage struct {
	*frame
	App    *auth.App
	Site   string   // host of its website; "" when it names none
	To     string   // where the answer goes, as people read it
	May    []string // what it wants, in words
	Reach  field    // how far it may publish; without options where it does not write
	Hidden map[string]string
	Other  string // address under which somebody else can sign in first
}

func (consentPage) file() string { return "consent.html" }

// codePage shows a code to be carried to the app by hand.
type codePage struct {
	*frame
	App  *auth.App
	Code string
}

func (codePage) file() string { return "code.html" }

// asked reads what an app asks for. Where it went wrong and the app may hear of it, the
// browser is sent there; a nil answer says that this was done.
func (w *Web) asked(p *page, q url.Values) (*auth.Authorization, error) {
	a, err := w.Auth.ReadAuthorization(p.ctx(), q)
	if err == nil && a.Challenge == "" {
		policy, fault := w.Social.Policy(p.ctx())
		if fault != nil {
			return nil, fault
		}
		if policy.PKCE {
			err = &auth.OAuthError{Code: "invalid_request", Description: "this server wants PKCE: send a code_challenge", Redirect: true}
		}
	}
	var refused *auth.OAuthError
	if !errors.As(err, &refused) {
		return a, err
	}
	if refused.Redirect && a.RedirectURI != auth.OutOfBand {
		w.answerApp(p, a, url.Values{"error": {refused.Code}, "error_description": {refused.Description}})
		return nil, nil
	}
	return nil, social.Errorf(social.Invalid, "this app asks in a way that cannot be answered; begin again in the app (%s)", refused.Code)
}

// answerApp sends the browser to the app. The address is one that the app registered.
func (w *Web) answerApp(p *page, a *auth.Authorization, answer url.Values) {
	if a.State != "" {
		answer.Set("state", a.State)
	}
	to, sign := a.RedirectURI, "?"
	if strings.Contains(to, "?") {
		sign = "&"
	}
	p.w.Header().Set("Location", to+sign+answer.Encode())
	p.w.WriteHeader(http.StatusSeeOther)
}

// consent asks; with force_login its member signs in once more before.
func (w *Web) consent(p *page) error {
	q := p.r.URL.Query()
	a, err := w.asked(p, q)
	if a == nil || err != nil {
		return err
	}
	forced := q.Get("force_login") == "true"
	q.Del("force_login")
	self := (&url.URL{Path: consentPath, RawQuery: q.Encode()}).String()
	anew := "/sign-in?" + url.Values{"next": {self}, "anew": {"yes"}}.Encode()
	if forced {
		return w.redirect(p, anew, "")
	}
	d := consentPage{frame: p.titled("consent"), App: a.App, May: p.mayInWords(a.Scopes), Reach: w.reachField(p, a), Hidden: map[string]string{}, Other: anew}
	if u, err := url.Parse(a.App.Website); err == nil {
		d.Site = u.Host
	}
	for _, name := range []string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"} {
		if q.Has(name) {
			d.Hidden[name] = q.Get(name)
		}
	}
	d.To = p.letAnswer(a)
	return w.show(p, http.StatusOK, d)
}

// consentPath is where apps send their users.
const consentPath = "/oauth/authorize"

// appLanguage is the language that an app asks for with its consent page; "" for none
// that we speak.
func appLanguage(next string) string {
	u, err := url.Parse(next)
	if err != nil || !strings.HasPrefix(u.Path, consentPath) {
		return ""
	}
	lang, _, _ := strings.Cut(u.Query().Get("lang"), "-")
	if !known(lang) {
		return ""
	}
	return lang
}

// letAnswer lets this one page's form lead to the app, which the policy of all pages
// forbids; it answers where that is, as people read it.
func (p *page) letAnswer(a *auth.Authorization) string {
	u, err := url.Parse(a.RedirectURI)
	if err != nil || a.RedirectURI == auth.OutOfBand {
		return ""
	}
	source, shown := u.Scheme+":", u.Scheme
	if u.Scheme == "https" || u.Scheme == "http" {
		source, shown = u.Scheme+"://"+u.Host, u.Host
	}
	p.w.Header().Set("Content-Security-Policy", strings.Replace(contentPolicy, "form-action 'self'", "form-action 'self' "+source, 1))
	return shown
}

// mayInWords says what scopes allow.
func (p *page) mayInWords(scopes string) []string {
	t := auth.Token{Scopes: scopes}
	finer := func(base string) bool { return strings.Contains(" "+scopes, " "+base+":") }
	var out []string
	for _, one := range []struct {
		on   bool
		word string
	}{
		{t.Allows("read"), p.T("may_read")}, {!t.Allows("read") && finer("read"), p.T("may_read_some")},
		{t.Allows("write"), p.T("may_write")}, {!t.Allows("write") && finer("write"), p.T("may_write_some")},
		{!t.Allows("write") && t.Allows("follow"), p.T("may_follow")}, {t.Allows("push"), p.T("may_push")},
		{!t.Allows("read") && t.Allows("profile"), p.T("may_profile")}, {strings.Contains(" "+scopes, " admin:"), p.T("may_admin")},
	} {
		if one.on {
			out = append(out, one.word)
		}
	}
	return out
}

// reachField lets the member choose how far the app may publish.
func (w *Web) reachField(p *page, a *auth.Authorization) field {
	f := field{Name: "reach", Label: p.T("reach"), Hint: p.T("reach_hint"), Kind: "select"}
	if !strings.Contains(a.Scopes, "write") {
		return f
	}
	f.Options = []option{{Value: string(social.AudienceInstance), Label: p.T("reach_here")}, {Value: string(social.AudienceCompany), Label: p.T("reach_company"), Selected: true}, {Value: reachAll, Label: p.T("reach_all")}}
	return f
}

// reachAll is what the form says for an app that may publish as far as its member.
const reachAll = "all"

// answerConsent takes the member's yes or no.
func (w *Web) answerConsent(p *page) error {
	a, err := w.asked(p, p.r.PostForm)
	if a == nil || err != nil {
		return err
	}
	p.letAnswer(a)
	if p.r.PostFormValue("do") != "allow" {
		if a.RedirectURI == auth.OutOfBand {
			return w.redirect(p, "/settings/apps", "app_refused")
		}
		w.answerApp(p, a, url.Values{"error": {"access_denied"}, "error_description": {"the user said no"}})
		return nil
	}
	bound := p.r.PostFormValue("reach")
	if f := w.reachField(p, a); !slices.ContainsFunc(f.Options, func(o option) bool { return o.Value == bound }) {
		bound = string(social.AudienceCompany)
	}
	if bound == reachAll {
		bound = ""
	}
	code, err := w.Auth.Allow(p.ctx(), a, p.Me.ID, bound)
	if err != nil {
		return err
	}
	if a.RedirectURI == auth.OutOfBand {
		d := codePage{p.titled("app_code"), a.App, code}
		return w.show(p, http.StatusOK, d)
	}
	w.answerApp(p, a, url.Values{"code": {code}})
	return nil
}

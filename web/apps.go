package web

import (
	"net/http"
	"strings"

	"parley/auth"
	"parley/social"
)

// appsPage lists the programs that act for the reader.
type appsPage struct {
	*frame
	Apps []*auth.Token
}

// Reach says how far an app may publish; "" as far as its member.
func (a appsPage) Reach(t *auth.Token) string {
	switch t.Bound {
	case "":
		return ""
	case string(social.AudienceInstance):
		return a.T("reach_here")
	case string(social.AudienceCompany):
		return a.T("reach_company")
	}
	return strings.TrimPrefix(t.Bound, "only ")
}

func (appsPage) file() string { return "apps.html" }

func (w *Web) apps(p *page) error {
	tokens, err := w.Auth.Tokens(p.ctx(), p.Me.ID)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, appsPage{p.titled("apps"), tokens})
}

func (w *Web) revokeApp(p *page) error {
	id, err := social.ParseID(p.r.PostFormValue("app"))
	if err != nil {
		return err
	}
	if err := w.Auth.Revoke(p.ctx(), p.Me.ID, id); err != nil {
		return err
	}
	return w.redirect(p, "/settings/apps", "app_revoked")
}

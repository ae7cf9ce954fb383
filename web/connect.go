package web

import (
	"net/http"
	"strings"

	"parley/social"
)

// connectPage lists the servers that want to connect, each with its form.
type connectPage struct {
	*frame
	Asking []asking
}

func (connectPage) file() string { return "connect.html" }

// asking is one server that wants to connect, with what was chosen for it.
type asking struct {
	*frame
	social.ConnectRequest
	Level   string // public or partner
	Partner string // short name
	Problem string
}

func (w *Web) connectRequests(p *page) error {
	return w.showConnect(p, http.StatusOK, asking{})
}

// showConnect shows the list, and in one of its forms what was typed and is wrong.
func (w *Web) showConnect(p *page, status int, typed asking) error {
	waiting, err := w.Social.ConnectRequests(p.ctx())
	if err != nil {
		return err
	}
	d := connectPage{frame: p.titled("connect")}
	for _, r := range waiting {
		one := asking{frame: p.frame, ConnectRequest: r, Level: string(social.ZonePublic)}
		if r.Authority == typed.Authority {
			one.Level, one.Partner, one.Problem = typed.Level, typed.Partner, typed.Problem
		}
		d.Asking = append(d.Asking, one)
	}
	return w.show(p, status, d)
}

// answerConnect admits a server or blocks it.
func (w *Web) answerConnect(p *page) error {
	typed := asking{ConnectRequest: social.ConnectRequest{Authority: p.r.PostFormValue("host")},
		Level: p.r.PostFormValue("level"), Partner: strings.ToLower(strings.TrimSpace(p.r.PostFormValue("partner")))}
	zone, done := social.Zone{Kind: social.ZoneBlocked}, "connect_blocked"
	if p.r.PostFormValue("do") != "block" {
		name := typed.Level
		if name == string(social.ZonePartner) {
			name += ":" + typed.Partner
		}
		var err error
		if zone, err = social.ParseZone(name); err != nil {
			typed.Problem = p.T("partner_wrong")
			p.Problem = p.T("check_form")
			return w.showConnect(p, http.StatusUnprocessableEntity, typed)
		}
		done = "connect_admitted"
	}
	if err := w.Social.AnswerRequest(p.ctx(), p.reader, typed.Authority, zone); err != nil {
		return err
	}
	return w.redirect(p, "/admin/requests", done)
}

package web

import "parley/social"

// deed is one thing that an administrator did.
type deed struct {
	*frame
	social.AuditRow
}

// actsShown is how many acts a page has.
const actsShown = 20

// acts puts what administrators did on the page of work, or else what was not sent.
func (w *Web) acts(p *page, d *workPage) error {
	list, of := w.Social.Acts, "/admin/work?"
	if d.Refused = p.r.URL.Query().Get("acts") == "refused"; d.Refused {
		list, of = w.Social.RefusedSends, "/admin/work?acts=refused&"
	}
	page := p.cursor()
	page.Limit = actsShown
	rows, err := list(p.ctx(), page)
	for _, r := range rows {
		d.Acts = append(d.Acts, deed{p.frame, r})
	}
	if len(rows) == actsShown {
		d.Older = of + "older=" + social.ID(rows[len(rows)-1].Seq).String() + "#audit"
	}
	return err
}

// Did says in words what was done.
func (a deed) Did() string {
	switch string(a.Kind) + " " + a.Result {
	case "member created":
		return a.T("did_make")
	case "member suspended":
		return a.T("did_hide")
	case "member restored":
		return a.T("did_restore")
	case "member closed":
		return a.T("did_close")
	case "member reopened":
		return a.T("did_reopen")
	case "member signed out":
		return a.T("did_sign_out")
	case "member given a link":
		return a.T("did_link")
	case "member mailed a link":
		return a.T("did_mail")
	case "member given a token":
		return a.T("did_token")
	case "member taken a token":
		return a.T("did_untoken")
	case "member deleted":
		return a.T("did_delete")
	case "policy set":
		if a.Rule == "role" {
			return a.T("did_role")
		}
		return a.T("did_rule")
	case "policy taken down":
		return a.T("did_take_down")
	case "policy closed":
		return a.T("did_report")
	case "zone set":
		return a.T("did_level")
	case "zone removed":
		return a.T("did_part")
	case "zone named":
		return a.T("did_name")
	case "pairing invited":
		return a.T("did_invite")
	case "pairing revoked":
		return a.T("did_revoke")
	case "pairing active":
		return a.T("did_pair")
	case "pairing left":
		return a.T("did_end")
	case "pairing vetoed":
		return a.T("did_veto")
	case "pairing lifted":
		return a.T("did_unveto")
	case "pairing opened":
		return a.T("did_history")
	case "pairing changed":
		return a.T("did_keys")
	case "send " + social.AuditRefused:
		return a.T("did_refuse")
	case "queue held":
		return a.T("did_hold")
	case "queue released":
		return a.T("did_release")
	case "queue tried":
		return a.T("did_retry")
	case "queue dropped":
		return a.T("did_drop")
	}
	return string(a.Kind) + " " + a.Result
}

// What is the address of what was not sent; for acts it is "".
func (a deed) What() string {
	if a.Kind == social.AuditSend {
		return a.Subject
	}
	return ""
}

// About names the server, or else the member, the rule or the job.
func (a deed) About() string {
	if a.Peer != "" {
		return a.Peer
	}
	return a.Subject
}

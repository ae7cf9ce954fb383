package web

import (
	"net/http"

	"parley/social"
)

// movePage is about the reader's other accounts, and moving to one of them.
type movePage struct {
	*frame
	Aliases []*social.Account
	Alias   *form // names another account
	Move    *form // moves there; nil while the reader has moved
	Moved   *social.Account
}

func (movePage) file() string { return "move.html" }

func (w *Web) moveForm(p *page) error { return w.showMove(p, http.StatusOK, nil, "", nil) }

// showMove shows the page, with what is wrong at a field of one of its forms.
func (w *Web) showMove(p *page, status int, wrong *form, field string, err error) error {
	d := movePage{frame: p.titled("set_move"), Alias: p.aliasForm(), Move: p.moveForm()}
	var fault error
	if d.Aliases, fault = w.Social.Aliases(p.ctx(), p.reader); fault != nil {
		return fault
	}
	if p.Me.MovedToURI != "" {
		d.Move = nil
		d.Moved = &social.Account{URI: p.Me.MovedToURI, URL: p.Me.MovedToURI, DisplayName: p.Me.MovedToURI}
		for _, a := range d.Aliases {
			if a.URI == p.Me.MovedToURI {
				d.Moved = a
			}
		}
	}
	if wrong != nil {
		wrong.refill(p.r)
		wrong.mark(field, p.say(err))
		p.Problem = p.T("check_form")
		if wrong.Hidden["do"] == "alias" {
			d.Alias = wrong
		} else if d.Move != nil {
			d.Move = wrong
		}
	}
	return w.show(p, status, d)
}

func (p *page) aliasForm() *form {
	return &form{Action: "/settings/move", Submit: p.T("alias_add"), Hidden: map[string]string{"do": "alias"}, Fields: []field{
		{Name: "alias", Label: p.T("alias_handle"), Hint: p.T("handle_hint"), Kind: "text", Required: true, MaxLength: 500}}}
}

func (p *page) moveForm() *form {
	return &form{Action: "/settings/move", Submit: p.T("move_now"), Hidden: map[string]string{"do": "move"}, Fields: []field{
		{Name: "target", Label: p.T("move_handle"), Hint: p.T("handle_hint"), Kind: "text", Required: true, MaxLength: 500},
		{Name: "password", Label: p.T("password"), Hint: p.T("move_password"), Kind: "password", Required: true, Autocomplete: "current-password", MaxLength: 256}}}
}

// move names other accounts, moves, or ends a move.
func (w *Web) move(p *page) error {
	switch p.r.PostFormValue("do") {
	case "alias":
		err := w.Social.SetAlias(p.ctx(), p.reader, p.r.PostFormValue("alias"), true)
		if mistake(err) || social.KindOf(err) == social.NotFound {
			return w.showMove(p, status(err), p.aliasForm(), "alias", err)
		}
		return w.moved(p, err, "saved")
	case "forget":
		return w.moved(p, w.Social.SetAlias(p.ctx(), p.reader, p.r.PostFormValue("uri"), false), "saved")
	case "stay":
		return w.moved(p, w.Social.StayHere(p.ctx(), p.reader), "move_ended")
	case "move":
		if err := w.Auth.CheckPassword(p.ctx(), p.Me, p.r.PostFormValue("password")); err != nil {
			if social.KindOf(err) == social.Unauthenticated {
				err = social.Errorf(social.Invalid, "this is not your present password")
			}
			if mistake(err) || social.KindOf(err) == social.Limited {
				return w.showMove(p, status(err), p.moveForm(), "password", err)
			}
			return err
		}
		_, err := w.Social.Move(p.ctx(), p.reader, p.r.PostFormValue("target"))
		if k := social.KindOf(err); mistake(err) || err != nil && (k == social.NotFound || k == social.Limited || k == social.Forbidden) {
			return w.showMove(p, status(err), p.moveForm(), "target", err)
		}
		return w.moved(p, err, "move_done")
	}
	return social.NotFoundError()
}

func (w *Web) moved(p *page, err error, done string) error {
	if err != nil {
		return err
	}
	return w.redirect(p, "/settings/move", done)
}

package web

import (
	"net/http"
	"strings"

	"parley/social"
)

// ownPost loads a post of the reader's; everybody else's is missing.
func (w *Web) ownPost(p *page) (*social.PostView, error) {
	if p.Me == nil {
		return nil, social.Errorf(social.Unauthenticated, "sign in first")
	}
	id, err := p.id("id")
	if err != nil {
		return nil, err
	}
	v, err := w.Social.Post(p.ctx(), p.reader, id)
	if err != nil {
		return nil, err
	}
	if v.Post.AuthorID != p.Me.ID || v.Post.Kind == social.PostBoost {
		return nil, social.NotFoundError()
	}
	return v, nil
}

func (w *Web) editPage(p *page, v *social.PostView) formPage {
	return formPage{frame: p.titled("edit_post"), Intro: []string{p.T("edit_intro", p.Card(v).Seen())}, Form: &form{
		Action: "/posts/" + v.Post.ID.String() + "/edit", Submit: p.T("save"), Fields: []field{
			{Name: "text", Label: p.T("text"), Kind: "textarea", Rows: 8, Value: v.Post.Source, Language: p.Language, Focus: true},
			{Name: "summary", Label: p.T("warning"), Hint: p.T("warning_hint"), Kind: "text", Value: v.Post.Summary, MaxLength: 500},
		}}}
}

func (w *Web) editForm(p *page) error {
	v, err := w.ownPost(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, w.editPage(p, v))
}

func (w *Web) edit(p *page) error {
	v, err := w.ownPost(p)
	if err != nil {
		return err
	}
	d := social.Draft{Text: strings.ReplaceAll(p.r.PostFormValue("text"), "\r\n", "\n"), Summary: p.r.PostFormValue("summary"),
		Sensitive: v.Post.Sensitive && v.Post.Summary == ""}
	for _, a := range v.Post.Attachments {
		d.MediaIDs = append(d.MediaIDs, a.MediaID) // an edit keeps the files
	}
	_, err = w.Social.Edit(p.ctx(), p.reader, v.Post.ID, d)
	if mistake(err) || social.KindOf(err) == social.Forbidden {
		return w.again(p, w.editPage(p, v), "text", err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, p.Card(v).Link(), "saved")
}

// deletePage asks once more, with the post in view.
type deletePage struct {
	*frame
	Post card
	Form *form
}

func (deletePage) file() string { return "delete.html" }

func (w *Web) deleteForm(p *page) error {
	v, err := w.ownPost(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, deletePage{frame: p.titled("delete_post"), Post: p.Card(v),
		Form: &form{Action: "/posts/" + v.Post.ID.String() + "/delete", Submit: p.T("delete_now")}})
}

func (w *Web) delete(p *page) error {
	v, err := w.ownPost(p)
	if err != nil {
		return err
	}
	back := "/"
	if parent, err := w.Social.Post(p.ctx(), p.reader, v.Post.InReplyToID); err == nil {
		back = p.Card(parent).Link() // the conversation goes on
	}
	if _, err := w.Social.Delete(p.ctx(), p.reader, v.Post.ID); err != nil {
		return err
	}
	return w.redirect(p, back, "deleted")
}

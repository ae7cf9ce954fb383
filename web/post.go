package web

import (
	"cmp"
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

// editPage changes what a post says, what its files are described by and in which language
// it is, and can narrow who sees it.
func (w *Web) editPage(p *page, v *social.PostView) (formPage, error) {
	f := &form{Action: "/posts/" + v.Post.ID.String() + "/edit", Submit: p.T("save"), Fields: []field{
		{Name: "text", Label: p.T("text"), Kind: "textarea", Rows: 8, Value: v.Post.Source, Language: v.Post.Language, Focus: true},
	}}
	choices, err := w.Social.Narrower(p.ctx(), p.reader, v.Post.ID)
	if err != nil {
		return formPage{}, err
	}
	who := field{Name: "audience", Label: p.T("who_sees"), Hint: p.T("edit_reach"), Kind: "select"}
	for _, one := range choices {
		who.Options = append(who.Options, option{Value: one.Label, Label: p.Choice(one), Selected: one.Default})
	}
	if len(choices) > 1 || len(choices) == 1 && !choices[0].Default {
		f.Fields = append(f.Fields, who)
	}
	for _, a := range v.Post.Attachments {
		f.Fields = append(f.Fields, described(p, a.MediaID, a))
	}
	if v.Post.InReplyToURI == "" {
		f.Fields = append(f.Fields, field{Name: "question", Label: p.T("is_question"), Hint: p.T("is_question_hint"), Kind: "checkbox", Checked: v.Post.Question})
	}
	f.Fields = append(f.Fields, field{Name: "summary", Label: p.T("warning"), Hint: p.T("warning_hint"), Kind: "text", Value: v.Post.Summary, MaxLength: 500},
		tongue(p, cmp.Or(v.Post.Language, p.Language)))
	return formPage{frame: p.titled("edit_post"), Intro: []string{p.T("edit_intro", p.Card(v).Seen())}, Form: f}, nil
}

// described is the field for what a file shows.
func described(p *page, id social.ID, a social.Attachment) field {
	return field{Name: "description-" + id.String(), Label: p.T("describe", cmp.Or(a.Name, p.T("file"))), Hint: p.T("description_hint"),
		Kind: "text", Value: a.Description, MaxLength: 1500}
}

func (w *Web) editForm(p *page) error {
	v, err := w.ownPost(p)
	if err != nil {
		return err
	}
	f, err := w.editPage(p, v)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, f)
}

func (w *Web) edit(p *page) error {
	v, err := w.ownPost(p)
	if err != nil {
		return err
	}
	d := social.Draft{Text: strings.ReplaceAll(p.r.PostFormValue("text"), "\r\n", "\n"), Summary: p.r.PostFormValue("summary"),
		Audience: p.r.PostFormValue("audience"), Language: p.r.PostFormValue("language"), Sensitive: v.Post.Sensitive && v.Post.Summary == ""}
	asks := p.r.PostFormValue("question") != ""
	d.Question = &asks
	for _, a := range v.Post.Attachments {
		d.MediaIDs = append(d.MediaIDs, a.MediaID) // an edit keeps the files
	}
	again := func(name string, err error) error {
		if !mistake(err) && social.KindOf(err) != social.Forbidden {
			return err
		}
		f, fault := w.editPage(p, v)
		if fault != nil {
			return fault
		}
		return w.again(p, f, name, err)
	}
	for _, a := range v.Post.Attachments {
		name := "description-" + a.MediaID.String()
		if text := p.r.PostFormValue(name); p.r.PostForm.Has(name) && text != a.Description {
			if _, err := w.Social.DescribeMedia(p.ctx(), p.reader, a.MediaID, &text, nil); err != nil {
				return again(name, err)
			}
		}
	}
	if _, err := w.Social.Edit(p.ctx(), p.reader, v.Post.ID, d); err != nil {
		return again(faultyField(d, err), err)
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

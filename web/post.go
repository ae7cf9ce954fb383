package web

import (
	"net/http"
	"strings"
	"time"

	"parley/social"
)

// composer is the form for a new post or a reply, with what was typed.
type composer struct {
	*frame
	ReplyTo  social.ID
	To       string // whom a reply answers
	Text     field
	Audience field
	File     field
	Describe field
	Poll     field
	Warning  field
	Kept     *social.Media // uploaded already, when the form is shown again
	Once     string        // the same form sent twice makes one post
	More     bool          // the rarer fields are open
	Outside  bool          // everybody would see it: ask once more
}

// composePage is the composer alone: on its own, and after a mistake.
type composePage struct {
	*frame
	Composer *composer
}

func (composePage) file() string { return "compose.html" }

// composer offers the audiences that fit; parent is what is answered, nil for none.
func (w *Web) composer(p *page, parent *social.PostView) (*composer, error) {
	c := &composer{frame: p.frame, Once: social.NewID(p.now).String()}
	label := "write"
	if parent != nil {
		c.ReplyTo, c.To, label = parent.Post.ID, parent.Author.Name(), "your_reply"
	}
	choices, err := w.Social.Audiences(p.ctx(), p.reader, c.ReplyTo)
	if err != nil {
		return nil, err
	}
	c.Text = field{Name: "text", Label: p.T(label), Kind: "textarea", Rows: 3, Language: p.Language}
	c.Audience = field{Name: "audience", Label: p.T("who_sees"), Kind: "select"}
	for _, one := range choices {
		c.Audience.Options = append(c.Audience.Options, option{Value: one.Label, Label: p.Choice(one), Selected: one.Default})
	}
	c.File = field{Name: "file", Label: p.T("file"), Kind: "file"}
	c.Describe = field{Name: "description", Label: p.T("description"), Hint: p.T("description_hint"), Kind: "text", MaxLength: 1500}
	c.Poll = field{Name: "poll", Label: p.T("poll"), Hint: p.T("poll_hint"), Kind: "textarea", Rows: 3}
	c.Warning = field{Name: "summary", Label: p.T("warning"), Hint: p.T("warning_hint"), Kind: "text", MaxLength: 500}
	return c, nil
}

// compose shows the composer alone.
func (w *Web) compose(p *page) error {
	if p.Me == nil {
		return social.Errorf(social.Unauthenticated, "sign in first")
	}
	c, err := w.composer(p, nil)
	if err != nil {
		return err
	}
	c.Text.Value = shared(p.r)
	return w.show(p, http.StatusOK, composePage{p.titled("new_post"), c})
}

// fields lists the composer's, in their order on the page.
func (c *composer) fields() []*field {
	return []*field{&c.Audience, &c.Text, &c.File, &c.Describe, &c.Poll, &c.Warning}
}

// draft reads the form.
func draft(r *http.Request) (social.Draft, error) {
	d := social.Draft{Text: strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n"), Summary: r.PostFormValue("summary"),
		Audience: r.PostFormValue("audience"), IdempotencyKey: r.PostFormValue("once")}
	if s := r.PostFormValue("reply_to"); s != "" {
		id, err := social.ParseID(s)
		if err != nil {
			return d, err
		}
		d.InReplyTo = id
	}
	for _, o := range strings.Split(r.PostFormValue("poll"), "\n") {
		if o = strings.TrimSpace(o); o != "" {
			if d.Poll == nil {
				d.Poll = &social.PollDraft{ExpiresIn: 3 * 24 * time.Hour}
			}
			d.Poll.Options = append(d.Poll.Options, o)
		}
	}
	return d, nil
}

func (w *Web) publish(p *page) error {
	if p.Me == nil {
		return social.Errorf(social.Unauthenticated, "sign in first")
	}
	d, err := draft(p.r)
	if err != nil {
		return err
	}
	kept, err := w.upload(p)
	if mistake(err) {
		return w.composeAgain(p, d, nil, "file", err)
	}
	if err != nil {
		return err
	}
	if kept != nil {
		d.MediaIDs = []social.ID{kept.ID}
	}
	if leaves(d) && p.r.PostFormValue("outside") == "" {
		return w.composeAgain(p, d, kept, "audience", social.Errorf(social.Invalid, outsideToo))
	}
	v, err := w.Social.Publish(p.ctx(), p.reader, d)
	if mistake(err) {
		return w.composeAgain(p, d, kept, faultyField(d, err), err)
	}
	if err != nil {
		return err
	}
	done := "published"
	if v.Clamped {
		done = "clamped"
	}
	if d.InReplyTo != 0 {
		return w.redirect(p, "/@"+v.Author.Username+"/"+v.Post.ID.String(), done)
	}
	return w.redirect(p, "/", done)
}

// outsideToo asks for the second step of a post that leaves the company.
const outsideToo = "everybody can read this, outside the company too, and nobody can call it back for certain; publish it outside, or choose fewer people"

// leaves says that everybody would see a new post. A reply reaches no further than what
// it answers, which was asked about already.
func leaves(d social.Draft) bool {
	return d.InReplyTo == 0 && (d.Audience == "public" || d.Audience == "unlisted")
}

// upload takes the file of the form, or finds the one that an earlier try left.
func (w *Web) upload(p *page) (*social.Media, error) {
	if s := p.r.PostFormValue("media"); s != "" {
		id, err := social.ParseID(s)
		if err != nil {
			return nil, err
		}
		text := p.r.PostFormValue("description")
		return w.Social.DescribeMedia(p.ctx(), p.reader, id, &text, nil)
	}
	if p.r.MultipartForm == nil {
		return nil, nil
	}
	f, head, err := p.r.FormFile("file")
	if err != nil {
		return nil, nil // no file was chosen
	}
	defer f.Close() //nolint:errcheck // only read
	return w.Social.Upload(p.ctx(), p.reader, social.Upload{Body: f, Name: head.Filename, Description: p.r.PostFormValue("description")})
}

// faultyField says which field of the composer a refused draft must be mended in.
func faultyField(d social.Draft, err error) string {
	text := strings.ToLower(err.Error())
	switch {
	case d.Poll != nil && (strings.Contains(text, "poll")):
		return "poll"
	case strings.Contains(text, "audience") || strings.Contains(text, "visibility"):
		return "audience"
	case strings.Contains(text, "file"):
		if strings.Contains(text, "empty") {
			return "text"
		}
		return "file"
	}
	return "text"
}

// composeAgain shows the composer with all that was typed.
func (w *Web) composeAgain(p *page, d social.Draft, kept *social.Media, name string, cause error) error {
	var parent *social.PostView
	if d.InReplyTo != 0 {
		var err error
		if parent, err = w.Social.Post(p.ctx(), p.reader, d.InReplyTo); err != nil {
			return err
		}
	}
	c, err := w.composer(p, parent)
	if err != nil {
		return err
	}
	all := c.fields()
	list := form{}
	for _, f := range all {
		list.Fields = append(list.Fields, *f)
	}
	list.refill(p.r)
	list.mark(name, p.say(cause))
	for i, f := range all {
		*f = list.Fields[i]
		c.More = c.More || i > 1 && (f.Value != "" || f.Problem != "")
	}
	c.Kept, c.More, c.Outside = kept, c.More || kept != nil, name == "audience" && leaves(d)
	if once := p.r.PostFormValue("once"); once != "" {
		c.Once = once
	}
	p.Problem = p.T("check_form")
	return w.show(p, status(cause), composePage{p.titled("new_post"), c})
}

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
	if mistake(err) {
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
	if _, err := w.Social.Delete(p.ctx(), p.reader, v.Post.ID); err != nil {
		return err
	}
	return w.redirect(p, "/", "deleted")
}

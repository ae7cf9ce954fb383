package web

import (
	"net/http"
	"slices"

	"github.com/gorilla/mux"

	"parley/social"
)

// listsPage lists the reader's lists of people.
type listsPage struct {
	*frame
	Lists []*social.List
	Form  *form
}

func (listsPage) file() string { return "lists.html" }

func (p *page) listForm(l *social.List) *form {
	replies := field{Name: "replies", Label: p.T("list_replies"), Kind: "select", Options: []option{
		{Value: string(social.RepliesList), Label: p.T("replies_list")},
		{Value: string(social.RepliesFollowed), Label: p.T("replies_followed")},
		{Value: string(social.RepliesNone), Label: p.T("replies_none")}}}
	f := &form{Action: "/lists", Submit: p.T("make_list"), Fields: []field{
		{Name: "title", Label: p.T("list_name"), Kind: "text", Required: true, MaxLength: 100}, replies,
		{Name: "exclusive", Label: p.T("list_exclusive"), Hint: p.T("list_exclusive_hint"), Kind: "checkbox"}}}
	if l != nil {
		f.Action, f.Submit, f.Fields[0].Value = "/lists/"+l.ID.String()+"/rename", p.T("save"), l.Title
		f.Fields[1].choose(string(l.Replies))
		f.Fields[2].Checked = l.Exclusive
	}
	return f
}

// listChange reads the form of a list.
func (p *page) listChange() social.ListChange {
	title, exclusive := p.r.PostFormValue("title"), p.r.PostFormValue("exclusive") != ""
	c := social.ListChange{Title: &title, Exclusive: &exclusive}
	if policy := social.RepliesPolicy(p.r.PostFormValue("replies")); policy != "" {
		c.Replies = &policy
	}
	return c
}

func (w *Web) listsPage(p *page) (listsPage, error) {
	lists, err := w.Social.Lists(p.ctx(), p.reader)
	return listsPage{frame: p.titled("lists"), Lists: lists, Form: p.listForm(nil)}, err
}

func (w *Web) lists(p *page) error {
	d, err := w.listsPage(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

func (w *Web) createList(p *page) error {
	l, err := w.Social.CreateList(p.ctx(), p.reader, p.listChange())
	if mistake(err) {
		d, fault := w.listsPage(p)
		if fault != nil {
			return fault
		}
		d.Form.refill(p.r)
		d.Form.mark("title", p.say(err))
		d.Problem = p.T("check_form")
		return w.show(p, status(err), d)
	}
	if err != nil {
		return err
	}
	return w.back(p, "/lists/"+l.ID.String()+"/edit", "saved")
}

// ownList loads the list that the address names.
func (w *Web) ownList(p *page) (*social.List, error) {
	id, err := p.id("id")
	if err != nil {
		return nil, err
	}
	return w.Social.List(p.ctx(), p.reader, id)
}

// list shows what the people of a list wrote.
func (w *Web) list(p *page) error {
	l, err := w.ownList(p)
	if err != nil {
		return err
	}
	views, err := w.Social.ListTimeline(p.ctx(), p.reader, l.ID, p.cursor())
	if err != nil {
		return err
	}
	t := timelinePage{frame: p.frame, Edit: "/lists/" + l.ID.String() + "/edit", Empty: p.T("list_empty")}
	t.Title = l.Title
	return w.posts(p, t, views)
}

// listPage says who stands in a list, and who could.
type listPage struct {
	*frame
	List   *social.List
	Form   *form
	People []person
	Older  string
	Who    *form    // adds somebody by their handle
	Others []person // whom the reader follows too
	More   string   // address of further ones
}

func (listPage) file() string { return "list.html" }

// Link is the list's page.
func (d listPage) Link() string { return "/lists/" + d.List.ID.String() }

func (w *Web) editList(p *page) error {
	d, err := w.listPage(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

func (w *Web) listPage(p *page) (d listPage, err error) {
	l, err := w.ownList(p)
	if err != nil {
		return d, err
	}
	d = listPage{frame: p.titled("edit_list"), List: l, Form: p.listForm(l)}
	d.Who = &form{Action: d.Link() + "/add", Submit: p.T("list_add"), Fields: []field{
		{Name: "who", Label: p.T("list_who"), Hint: p.T("list_who_hint"), Kind: "text", Required: true, MaxLength: 300}}}
	members, cursors, err := w.Social.ListMembers(p.ctx(), p.reader, l.ID, p.cursor())
	if err != nil {
		return d, err
	}
	if len(cursors) >= pageSize {
		d.Older = d.Link() + "/edit?older=" + cursors[len(cursors)-1].String()
	}
	if d.People, err = w.people(p, members); err != nil {
		return d, err
	}
	err = w.listable(p, &d)
	return d, err
}

// listable adds whom the reader follows and who is not in the list.
func (w *Web) listable(p *page, d *listPage) error {
	from := social.Page{Limit: pageSize}
	if id, err := social.ParseID(p.r.URL.Query().Get("others")); err == nil {
		from.Max = id
	}
	followed, cursors, err := w.Social.Following(p.ctx(), p.reader, p.Me.ID, from)
	if err != nil {
		return err
	}
	if len(cursors) >= pageSize {
		d.More = d.Link() + "/edit?others=" + cursors[len(cursors)-1].String()
	}
	ids := make([]social.ID, len(followed))
	for i, a := range followed {
		ids[i] = a.ID
	}
	in, err := w.Social.AmongListed(p.ctx(), p.reader, d.List.ID, ids)
	if err != nil {
		return err
	}
	d.Others, err = w.people(p, slices.DeleteFunc(followed, func(a *social.Account) bool { return a.Kind == social.KindGroup || in[a.ID] }))
	return err
}

// changeList renames or deletes a list, or changes what and who stands in it.
func (w *Web) changeList(p *page) error {
	l, err := w.ownList(p)
	if err != nil {
		return err
	}
	switch act := mux.Vars(p.r)["act"]; act {
	case "delete":
		if err := w.Social.DeleteList(p.ctx(), p.reader, l.ID); err != nil {
			return err
		}
		return w.redirect(p, "/lists", "list_deleted")
	case "rename":
		_, err = w.Social.ChangeList(p.ctx(), p.reader, l.ID, p.listChange())
	default:
		err = w.inList(p, l, act == "add")
	}
	if mistake(err) {
		return w.listAgain(p, err)
	}
	if err != nil {
		return err
	}
	return w.back(p, "/lists/"+l.ID.String()+"/edit", "saved")
}

// inList adds or takes out who is named by an id or a handle.
func (w *Web) inList(p *page, l *social.List, on bool) error {
	who, err := social.ParseID(p.r.PostFormValue("id"))
	if err != nil {
		a, err := w.Social.AccountByHandle(p.ctx(), p.reader, p.r.PostFormValue("who"))
		if social.KindOf(err) == social.NotFound && err != nil {
			return social.Errorf(social.Invalid, "nobody has that name here")
		}
		if err != nil {
			return err
		}
		who = a.ID
	}
	return w.Social.SetInList(p.ctx(), p.reader, l.ID, []social.ID{who}, on)
}

// listAgain shows the page anew, with what was typed and is wrong.
func (w *Web) listAgain(p *page, err error) error {
	d, fault := w.listPage(p)
	if fault != nil {
		return fault
	}
	f, name := d.Form, "title"
	if !p.r.PostForm.Has(name) {
		f, name = d.Who, "who"
	}
	f.refill(p.r)
	f.mark(name, p.say(err))
	d.Problem = p.T("check_form")
	return w.show(p, status(err), d)
}

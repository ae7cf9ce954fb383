package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"parley/social"
)

// runGroup loads a group that the reader runs; everybody else's is missing.
func (w *Web) runGroup(p *page) (*social.GroupView, error) {
	if p.Me == nil {
		return nil, social.Errorf(social.Unauthenticated, "sign in first")
	}
	id, err := p.id("id")
	if err != nil {
		return nil, err
	}
	v, err := w.Social.Group(p.ctx(), p.reader, id)
	if err == nil && !v.Runs {
		err = social.NotFoundError()
	}
	return v, err
}

// ownGroup loads a group whose owner's decisions the reader may take.
func (w *Web) ownGroup(p *page) (*social.GroupView, error) {
	v, err := w.runGroup(p)
	if err == nil && !v.Owns {
		err = social.NotFoundError()
	}
	return v, err
}

// groupForm is a page of those for who runs a group.
func (p *page) groupForm(v *social.GroupView, title, act, submit string) formPage {
	c := community{p.frame, v}
	return formPage{frame: p.titled(title), Group: &c, Form: &form{Action: c.Link() + "/" + act, Submit: submit}}
}

func (w *Web) editGroup(p *page, v *social.GroupView) formPage {
	d := p.groupForm(v, "edit_group", "edit", p.T("save"))
	d.Form.Fields = []field{w.purposeField(p, v.Account.NoteSource)}
	if v.Owns {
		g := v.Account.Group
		circles := append([]social.Audience{g.Widest}, slices.DeleteFunc(w.circles(p), func(a social.Audience) bool { return a == g.Widest || !g.Narrows(a) })...)
		d.Form.Fields = []field{
			{Name: "display_name", Label: p.T("group_name"), Kind: "text", Value: v.Account.DisplayName, Required: true, MaxLength: w.Social.Limits.NameLength},
			d.Form.Fields[0], joinField(p, g.Join),
			{Name: "widest", Label: p.T("group_widest"), Hint: p.T("group_narrow_hint"), Kind: "select", Options: p.reaches(circles, g.Widest.Label())}}
	}
	return d
}

func (w *Web) editGroupForm(p *page) error {
	v, err := w.runGroup(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, w.editGroup(p, v))
}

func (w *Web) changeGroup(p *page) error {
	v, err := w.runGroup(p)
	if err != nil {
		return err
	}
	purpose := plainLines(p.r.PostFormValue("purpose"))
	c := social.GroupChange{Purpose: &purpose}
	for name, to := range map[string]**string{"display_name": &c.DisplayName, "join": &c.Join, "widest": &c.Widest} {
		if p.r.PostForm.Has(name) {
			text := p.r.PostFormValue(name)
			*to = &text
		}
	}
	_, err = w.Social.UpdateGroup(p.ctx(), p.reader, v.Account.ID, c)
	if mistake(err) {
		return w.again(p, w.editGroup(p, v), faultyGroupField(err), err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/groups/"+v.Account.ID.String(), "saved")
}

// groupPeoplePage lists members and, for who runs the group, who asks and who is invited.
type groupPeoplePage struct {
	*frame
	Group   community
	Add     *form // nil for who does not run it
	Asking  []person
	Invited []person
	Members []person
	Older   string
}

func (groupPeoplePage) file() string { return "group_people.html" }

// Role says what a member is in the group; "" for nothing special.
func (d groupPeoplePage) Role(a *social.Account) string {
	switch {
	case d.Owner(a):
		return d.T("role_owner")
	case d.Helps(a):
		return d.T("role_moderator")
	}
	return ""
}

// Owner says that a member owns the group.
func (d groupPeoplePage) Owner(a *social.Account) bool {
	g := d.Group.V.Account
	return g.Local() && g.Group != nil && a.ID == g.Group.OwnerID
}

// Helps says that a member runs the group and does not own it.
func (d groupPeoplePage) Helps(a *social.Account) bool {
	g := d.Group.V.Account
	return g.Local() && g.Group.Runs(a.ID) && !d.Owner(a)
}

// Removable says that the reader may end a membership.
func (d groupPeoplePage) Removable(a *social.Account) bool {
	return d.Group.V.Runs && !d.Owner(a) && (d.Group.V.Owns || !d.Helps(a))
}

// Able says that the reader may let somebody run the group.
func (d groupPeoplePage) Able(a *social.Account) bool {
	return d.Group.V.Owns && a.Local() && !d.Owner(a)
}

func (w *Web) groupPeople(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	v, err := w.Social.Group(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	d, err := w.groupPeoplePage(p, v)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

func (w *Web) groupPeoplePage(p *page, v *social.GroupView) (d groupPeoplePage, err error) {
	d = groupPeoplePage{frame: p.frame, Group: community{p.frame, v}}
	d.Title = p.T("members_of", v.Account.Name())
	members, cursors, err := w.Social.GroupMembers(p.ctx(), p.reader, v.Account.ID, p.cursor())
	if err != nil && !(v.Runs && social.KindOf(err) == social.NotFound) { // an administrator who is no member
		return d, err
	}
	if d.Members, err = w.people(p, members); err != nil {
		return d, err
	}
	if len(cursors) >= pageSize {
		d.Older = d.Group.Link() + "/members?older=" + cursors[len(cursors)-1].String()
	}
	if !v.Runs {
		return d, nil
	}
	d.Add = &form{Action: d.Group.Link() + "/members", Submit: p.T("list_add"), Fields: []field{
		{Name: "who", Label: p.T("list_who"), Hint: p.T("add_member_hint"), Kind: "text", Required: true, MaxLength: 300, Autocomplete: "off"}}}
	asking, _, err := w.Social.GroupRequests(p.ctx(), p.reader, v.Account.ID, social.Page{Limit: 40})
	if err != nil {
		return d, err
	}
	if d.Asking, err = w.people(p, asking); err != nil {
		return d, err
	}
	known, err := w.Social.AccountsByID(p.ctx(), v.Account.Group.Invited)
	if err != nil {
		return d, err
	}
	var invited []*social.Account
	for _, id := range v.Account.Group.Invited {
		if a := known[id]; a != nil && a.Active() {
			invited = append(invited, a)
		}
	}
	d.Invited, err = w.people(p, invited)
	return d, err
}

// aPerson says it in words when what a name led to is nobody.
func aPerson(name string, a *social.Account, err error) (*social.Account, error) {
	if err != nil && social.KindOf(err) == social.NotFound || err == nil && (a.Kind == social.KindGroup || a.Kind == social.KindApplication || !a.Active()) {
		return nil, social.Errorf(social.Invalid, "nobody called %.100s is known; use a name such as ben or ben@host", strings.TrimSpace(name))
	}
	return a, err
}

// addMember takes in whom the form names, or invites who is elsewhere.
func (w *Web) addMember(p *page) error {
	v, err := w.runGroup(p)
	if err != nil {
		return err
	}
	name := p.r.PostFormValue("who")
	a, err := w.Social.FindHandle(p.ctx(), p.reader, name)
	a, err = aPerson(name, a, err)
	if err == nil {
		err = w.Social.AddMember(p.ctx(), p.reader, v.Account.ID, a.ID)
	}
	if err != nil && social.KindOf(err) != social.Internal {
		d, fault := w.groupPeoplePage(p, v)
		if fault != nil {
			return fault
		}
		d.Add.refill(p.r)
		d.Add.mark("who", p.say(err))
		d.Problem = p.T("check_form")
		return w.show(p, status(err), d)
	}
	if err != nil {
		return err
	}
	done := "member_added"
	if v, err = w.Social.Group(p.ctx(), p.reader, v.Account.ID); err != nil {
		return err
	}
	if slices.Contains(v.Account.Group.Invited, a.ID) {
		done = "member_invited"
	}
	return w.redirect(p, community{p.frame, v}.Link()+"/members", done)
}

// groupMember decides about one person.
func (w *Web) groupMember(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	who, err := p.id("who")
	if err != nil {
		return err
	}
	switch act := mux.Vars(p.r)["act"]; act {
	case "approve":
		err = w.Social.AnswerJoin(p.ctx(), p.reader, id, who, true)
	case "decline":
		err = w.Social.AnswerJoin(p.ctx(), p.reader, id, who, false)
	case "remove":
		err = w.Social.RemoveMember(p.ctx(), p.reader, id, who)
	default:
		if _, err = w.ownGroup(p); err == nil {
			err = w.Social.SetModerator(p.ctx(), p.reader, id, who, act == "moderate")
		}
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/groups/"+id.String()+"/members", "saved")
}

// handOverPage asks whose the group is to be.
func (w *Web) handOverPage(p *page, v *social.GroupView) formPage {
	d := p.groupForm(v, "hand_over", "hand-over", p.T("hand_over"))
	d.Intro = []string{p.T("hand_over_what", v.Account.Name()), p.T("hand_over_back")}
	d.Form.Danger = true
	d.Form.Fields = []field{{Name: "to", Label: p.T("hand_over_to"), Hint: p.T("hand_over_hint"), Kind: "text", Value: p.r.URL.Query().Get("to"), Required: true, MaxLength: 64, Autocomplete: "off"}}
	return d
}

func (w *Web) handOverForm(p *page) error {
	v, err := w.ownGroup(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, w.handOverPage(p, v))
}

func (w *Web) handOver(p *page) error {
	v, err := w.ownGroup(p)
	if err != nil {
		return err
	}
	name := p.r.PostFormValue("to")
	a, err := w.Social.AccountByHandle(p.ctx(), p.reader, name)
	a, err = aPerson(name, a, err)
	if err == nil {
		err = w.Social.HandOver(p.ctx(), p.reader, v.Account.ID, a.ID)
	}
	if mistake(err) {
		return w.again(p, w.handOverPage(p, v), "to", err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/groups/"+v.Account.ID.String(), "handed_over")
}

// closePage says what closing a group means and asks for its name, since it cannot be
// taken back.
func (w *Web) closePage(p *page, v *social.GroupView) formPage {
	d := p.groupForm(v, "close_group", "close", p.T("close_group_now"))
	d.Intro = []string{p.T("close_what", v.Account.Name()), p.T("close_posts"), p.T("close_name", d.Group.Handle())}
	d.Form.Danger = true
	d.Form.Fields = []field{{Name: "sure", Label: p.T("close_sure", v.Account.Username), Kind: "text", Required: true, MaxLength: 64, Autocomplete: "off"}}
	return d
}

func (w *Web) closeForm(p *page) error {
	v, err := w.ownGroup(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, w.closePage(p, v))
}

func (w *Web) closeGroup(p *page) error {
	v, err := w.ownGroup(p)
	if err != nil {
		return err
	}
	if typed := strings.TrimPrefix(strings.TrimSpace(p.r.PostFormValue("sure")), "@"); !strings.EqualFold(typed, v.Account.Username) {
		return w.again(p, w.closePage(p, v), "sure", social.Errorf(social.Invalid, "type %s to close the community", v.Account.Username))
	}
	if err := w.Social.DeleteGroup(p.ctx(), p.reader, v.Account.ID); err != nil {
		return err
	}
	return w.redirect(p, "/groups", "group_closed")
}

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"parley/social"
)

// staff is one member as administrators see them.
type staff struct {
	*frame
	A       *social.Account
	Roles   []option
	CanMail bool // a mail server is named
}

// Myself says that it is the administrator who looks on.
func (s staff) Myself() bool { return s.A.ID == s.Me.ID }

// Mailed says that a link can be sent to the member.
func (s staff) Mailed() bool { return s.CanMail && s.A.Email != "" && s.A.Active() }

// Gone says that the account is taken out of view.
func (s staff) Gone() bool { return !s.A.SuspendedAt.IsZero() }

// Closed says that the member left and what they wrote stayed.
func (s staff) Closed() bool { return !s.A.ClosedAt.IsZero() }

// staffPage lists the members.
type staffPage struct {
	*frame
	Query  string
	People []staff
	Older  string
	New    *form
	Link   string // of a member who was just made
	For    string
}

func (staffPage) file() string { return "admin_people.html" }

const staffPageSize = 40

func (w *Web) roles(p *page, now social.Role) []option {
	names := map[social.Role]string{social.RoleMember: p.T("role_member"), social.RoleCommunications: p.T("role_communications"), social.RoleModerator: p.T("role_mod"), social.RoleAdmin: p.T("role_admin")}
	var out []option
	for _, r := range social.Roles() {
		out = append(out, option{Value: string(r), Label: names[r], Selected: r == now})
	}
	return out
}

func (w *Web) staff(p *page) error { return w.showStaff(p, http.StatusOK, staffPage{}) }

func (w *Web) newStaff(p *page) *form {
	return &form{Action: "/admin/people", Submit: p.T("make_member"), Fields: []field{
		{Name: "name", Label: p.T("username"), Hint: p.T("username_hint"), Kind: "text", Required: true, MaxLength: 64},
		{Name: "display_name", Label: p.T("group_name"), Kind: "text", MaxLength: w.Social.Limits.NameLength},
		{Name: "email", Label: p.T("mail"), Kind: "email", MaxLength: 254},
		{Name: "role", Label: p.T("role"), Kind: "select", Options: w.roles(p, social.RoleMember)},
	}}
}

func (w *Web) showStaff(p *page, status int, d staffPage) error {
	d.frame, d.Query = p.titled("admin_people"), strings.TrimSpace(p.r.URL.Query().Get("q"))
	page := p.cursor()
	page.Limit = staffPageSize
	members, err := w.Social.LocalAccounts(p.ctx(), d.Query, page)
	if err != nil {
		return err
	}
	if len(members) == staffPageSize {
		d.Older = "/admin/people?" + url.Values{"q": {d.Query}, "older": {members[len(members)-1].ID.String()}}.Encode()
	}
	for _, a := range members {
		if a.Kind == social.KindPerson {
			d.People = append(d.People, staff{frame: p.frame, A: a, Roles: w.roles(p, a.Role), CanMail: w.Mail})
		}
	}
	if d.New == nil {
		d.New = w.newStaff(p)
	}
	return w.show(p, status, d)
}

// addStaff makes a member and mails the link to choose a password with, or shows it where
// no mail can be sent.
func (w *Web) addStaff(p *page) error {
	a, err := w.Social.CreateAccount(p.ctx(), social.NewAccount{Username: p.r.PostFormValue("name"), DisplayName: p.r.PostFormValue("display_name"),
		Email: strings.TrimSpace(p.r.PostFormValue("email")), Role: social.Role(p.r.PostFormValue("role")), Language: p.Language, By: p.Me.Username})
	if mistake(err) {
		f := w.newStaff(p)
		f.refill(p.r)
		f.mark("name", p.say(err))
		p.Problem = p.T("check_form")
		return w.showStaff(p, status(err), staffPage{New: f})
	}
	if err != nil {
		return err
	}
	if w.Mail && a.Email != "" {
		return w.mailLink(p, a)
	}
	return w.showLink(p, a)
}

func (w *Web) mailLink(p *page, a *social.Account) error {
	if err := w.Auth.Audit(p.ctx(), a.ID, "mailed a link", p.Me.Username); err != nil {
		return err
	}
	if err := w.Social.OrderMail(p.ctx(), a.ID, social.MailInvitation); err != nil {
		return err
	}
	return w.back(p, "/admin/people", "invitation_mailed")
}

func (w *Web) showLink(p *page, a *social.Account) error {
	code, _, err := w.Auth.ResetLink(p.ctx(), a.ID, p.Me.Username)
	if err != nil {
		return err
	}
	return w.showStaff(p, http.StatusOK, staffPage{Link: w.Links.Reset(code), For: a.Name()})
}

// changeStaff gives a member another role, takes them out of view or back, or makes a
// link for a new password. Nobody does the first two to themselves: somebody has to be
// left who can undo it.
func (w *Web) changeStaff(p *page) error {
	a, err := w.ofStaff(p)
	if err != nil {
		return err
	}
	id, do, by := a.ID, mux.Vars(p.r)["act"], p.Me.Username
	if a.ID == p.Me.ID && (do == "role" || do == "suspend") {
		return errYourself
	}
	switch do {
	case "role":
		role := social.Role(p.r.PostFormValue("role"))
		if slices.Contains(social.Roles(), role) && role != a.Role && p.r.PostFormValue("sure") == "" {
			return w.show(p, http.StatusOK, w.rolePage(p, a, role))
		}
		err = w.Social.SetRole(p.ctx(), id, role, by)
	case "suspend":
		if err = w.Social.Suspend(p.ctx(), id, true, by); err == nil {
			err = w.Auth.EndAccess(p.ctx(), id, by)
		}
	case "restore":
		err = w.Social.Suspend(p.ctx(), id, false, by)
	case "reopen":
		err = w.Social.Reopen(p.ctx(), id, by)
	case "sign-out":
		err = w.Auth.EndAccess(p.ctx(), id, by)
	case "link":
		return w.showLink(p, a)
	case "mail":
		if !w.Mail || a.Email == "" {
			return social.Errorf(social.Invalid, "no mail can be sent to this member; make a link and hand it over")
		}
		return w.mailLink(p, a)
	}
	if err != nil {
		return err
	}
	return w.back(p, "/admin/people", "saved")
}

// rolePage says what another role brings and ends, before somebody gets it.
func (w *Web) rolePage(p *page, a *social.Account, role social.Role) formPage {
	names, means := map[social.Role]string{}, map[social.Role]string{social.RoleMember: p.T("role_member_means"), social.RoleCommunications: p.T("role_communications_means"),
		social.RoleModerator: p.T("role_mod_means"), social.RoleAdmin: p.T("role_admin_means")}
	for _, o := range w.roles(p, a.Role) {
		names[social.Role(o.Value)] = o.Label
	}
	return formPage{frame: p.titled("role_change"), Admin: true, Intro: []string{p.T("role_from_to", a.Name(), a.Username, names[a.Role], names[role]), means[role], p.T("role_ends")},
		Form: &form{Action: "/admin/people/" + a.ID.String() + "/role", Submit: p.T("role_change_now"), Danger: true,
			Hidden: map[string]string{"role": string(role), "sure": "yes", "next": p.r.PostFormValue("next")}}}
}

var errYourself = social.Errorf(social.Invalid, "another administrator has to do that to you")

// ofStaff loads the member whom an address names.
func (w *Web) ofStaff(p *page) (*social.Account, error) {
	id, err := p.id("id")
	if err != nil {
		return nil, err
	}
	found, err := w.Social.AccountsByID(p.ctx(), []social.ID{id})
	if err != nil {
		return nil, err
	}
	a := found[id]
	if a == nil || !a.Local() || a.Kind != social.KindPerson || !a.DeletedAt.IsZero() {
		return nil, social.NotFoundError()
	}
	return a, nil
}

// leavePage asks what becomes of somebody's account and posts.
func (w *Web) leavePage(p *page, a *social.Account) formPage {
	d := formPage{frame: p.titled("staff_leave"), Admin: true, Intro: []string{p.T("leave_who", a.Name(), a.Username), p.T("leave_close_means"), p.T("leave_delete_means")},
		Form: &form{Action: p.r.URL.Path, Submit: p.T("leave_do"), Fields: []field{
			{Name: "how", Label: p.T("leave_how"), Kind: "select", Options: []option{{Value: "close", Label: p.T("leave_close"), Selected: true}, {Value: "delete", Label: p.T("leave_delete")}}},
			{Name: "reason", Label: p.T("reason"), Kind: "text", Required: true, MaxLength: 500},
			{Name: "sure", Label: p.T("leave_sure", a.Username), Hint: p.T("leave_sure_hint"), Kind: "text", MaxLength: 64, Autocomplete: "off"},
		}}}
	return d
}

func (w *Web) leaveForm(p *page) error {
	a, err := w.ofStaff(p)
	if err != nil {
		return err
	}
	if a.ID == p.Me.ID {
		return errYourself
	}
	return w.show(p, http.StatusOK, w.leavePage(p, a))
}

// leave closes an account or deletes it. The name is typed to delete, since that cannot
// be taken back.
func (w *Web) leave(p *page) error {
	a, err := w.ofStaff(p)
	if err != nil {
		return err
	}
	why, deletes := strings.TrimSpace(p.r.PostFormValue("reason")), p.r.PostFormValue("how") == "delete"
	switch {
	case a.ID == p.Me.ID:
		return errYourself
	case why == "":
		return w.again(p, w.leavePage(p, a), "reason", social.Errorf(social.Invalid, "say why: the audit log keeps it"))
	case deletes && strings.TrimPrefix(strings.TrimSpace(p.r.PostFormValue("sure")), "@") != a.Username:
		return w.again(p, w.leavePage(p, a), "sure", social.Errorf(social.Invalid, "type the username to delete the account"))
	case deletes:
		err = w.Social.DeleteAccount(p.ctx(), a.ID, why, p.Me.Username)
	default:
		err = w.Social.Close(p.ctx(), a.ID, why, p.Me.Username)
	}
	if err == nil {
		err = w.Auth.EndAccess(p.ctx(), a.ID, p.Me.Username)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/admin/people", "saved")
}

// Of the reports that were dealt with only the newest are shown.
const openReports, closedReports = 40, 40

// complaint is one report.
type complaint struct {
	*frame
	R      *social.Report
	Target *social.Account // nil when they are gone
	From   *social.Account // nil for another server
	Posts  []card
	Unseen []unseenPost
}

// unseenPost is one that was reported and is for others than the moderator.
type unseenPost struct {
	ID   social.ID
	Seen string // who sees it, in words
	At   moment
}

// reportsPage lists what people and other servers complained about.
type reportsPage struct {
	*frame
	Open, Closed []complaint
	Count        int // of all open ones
	Older        string
}

func (reportsPage) file() string { return "admin_reports.html" }

func (w *Web) reports(p *page) error {
	page := p.cursor()
	page.Limit = openReports
	list, count, err := w.Social.OpenReports(p.ctx(), page)
	if err != nil {
		return err
	}
	older := ""
	if len(list) == openReports {
		older = "/admin/reports?older=" + list[len(list)-1].ID.String()
	}
	newest, err := w.Social.Reports(p.ctx(), social.Page{Limit: closedReports})
	if err != nil {
		return err
	}
	list = append(list, slices.DeleteFunc(newest, func(r *social.Report) bool { return r.ClosedAt.IsZero() })...)
	var ids []social.ID
	for _, r := range list {
		ids = append(ids, r.TargetID, r.FromID)
	}
	byID, err := w.Social.AccountsByID(p.ctx(), ids)
	if err != nil {
		return err
	}
	seen, unseen, err := w.Social.Reported(p.ctx(), p.reader, list)
	if err != nil {
		return err
	}
	d := reportsPage{frame: p.titled("admin_reports"), Count: count, Older: older}
	for _, r := range list {
		c := complaint{frame: p.frame, R: r, Target: byID[r.TargetID], From: byID[r.FromID]}
		for _, id := range r.PostIDs {
			if v := seen[id]; v != nil {
				c.Posts = append(c.Posts, p.Card(v))
			} else if hidden := unseen[id]; hidden != nil && c.Target != nil {
				c.Unseen = append(c.Unseen, unseenPost{id, p.Who(hidden, c.Target), p.At(hidden.PublishedAt)})
			}
		}
		if r.ClosedAt.IsZero() {
			d.Open = append(d.Open, c)
		} else {
			d.Closed = append(d.Closed, c)
		}
	}
	return w.show(p, http.StatusOK, d)
}

// takeDown removes a post that was reported.
func (w *Web) takeDown(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	var report social.ID
	if s := p.r.PostFormValue("report"); s != "" {
		if report, err = social.ParseID(s); err != nil {
			return err
		}
	}
	if err := w.Social.TakeDown(p.ctx(), p.reader, id, report, p.Me.Username); err != nil {
		return err
	}
	return w.redirect(p, "/admin/reports", "taken_down")
}

func (w *Web) closeReport(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	if err := w.Social.CloseReport(p.ctx(), id, p.Me.Username); err != nil {
		return err
	}
	return w.redirect(p, "/admin/reports", "report_closed")
}

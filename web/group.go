package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"parley/social"
)

// community is a group, as people read it.
type community struct {
	*frame
	V *social.GroupView
}

// Link is the group's page here.
func (c community) Link() string { return "/groups/" + c.V.Account.ID.String() }

// Handle is how anybody anywhere can find the group.
func (c community) Handle() string { return person{frame: c.frame, Account: c.V.Account}.Handle() }

// Rule says how one becomes a member; "" for groups elsewhere.
func (c community) Rule() string {
	if c.V.Account.Group == nil || !c.V.Account.Local() {
		return ""
	}
	switch c.V.Account.Group.Join {
	case social.JoinRequest:
		return c.T("join_request")
	case social.JoinClosed:
		return c.T("join_closed")
	}
	return c.T("join_open")
}

// Reach says in words whose people may join; "" for groups elsewhere.
func (c community) Reach() string {
	if c.V.Account.Group == nil || !c.V.Account.Local() {
		return ""
	}
	widest := c.V.Account.Group.Widest
	return c.T("group_for", c.audience(widest.Kind, widest.Name))
}

// Size is how many members the group has, as far as it is known here.
func (c community) Size() string {
	n := c.V.Account.FollowersCount
	if !c.V.Account.Local() {
		n = max(n, c.V.Account.RemoteFollowers)
	}
	if n == 0 {
		return ""
	}
	return c.N("member_count", n)
}

// JoinLabel says whether one joins or asks to.
func (c community) JoinLabel() string {
	if c.V.Account.Locked {
		return c.T("ask_to_join")
	}
	return c.T("join_group")
}

func (p *page) communities(views []*social.GroupView) []community {
	out := make([]community, len(views))
	for i, v := range views {
		out[i] = community{p.frame, v}
	}
	return out
}

// RunWays lists the pages on which the reader runs the group.
func (c community) RunWays() []way {
	ways := []way{{Path: c.Link() + "/members", Label: c.T("members")}, {Path: c.Link() + "/edit", Label: c.T("edit_group")}}
	if c.V.Owns {
		ways = append(ways, way{Path: c.Link() + "/hand-over", Label: c.T("hand_over")}, way{Path: c.Link() + "/close", Label: c.T("close_group")})
	}
	for i := range ways {
		ways[i].Current = c.Here(ways[i].Path)
	}
	return ways
}

// Leaving says what it means for the reader to end the membership.
func (c community) Leaving() string {
	switch {
	case c.V.Owner != nil && c.V.Owner.ID == c.Me.ID:
		return c.T("leave_group_owner")
	case c.V.Account.Group.Everybody():
		return c.T("leave_group_public")
	case c.V.Account.Locked:
		return c.T("leave_group_locked")
	}
	return c.T("leave_group_what")
}

// State says what the reader has to do with the group.
func (c community) State() string {
	switch {
	case c.V.Owns && c.V.Owner != nil && c.Me != nil && c.V.Owner.ID == c.Me.ID:
		return c.T("state_own")
	case c.V.Runs && c.V.Member:
		return c.T("state_run")
	case c.V.Member:
		return c.T("state_member")
	case c.V.Asked:
		return c.T("state_asked")
	case c.Rule() == c.T("join_request"):
		return c.T("state_may_ask")
	}
	return c.T("state_may_join")
}

// groupsPage finds groups.
type groupsPage struct {
	*frame
	Query  field
	Asked  bool // a text is searched for
	Own    []community
	Groups []community
	Next   string // address of the next part
}

func (groupsPage) file() string { return "groups.html" }

func (w *Web) groups(p *page) error {
	q := strings.TrimSpace(p.r.URL.Query().Get("q"))
	skip := p.skip("skip")
	d := groupsPage{frame: p.titled("groups"), Asked: q != "", Query: field{Name: "q", Label: p.T("groups_label"), Kind: "search", Value: q, MaxLength: 100}}
	views, more, err := w.Social.FindGroups(p.ctx(), p.reader, q, skip, pageSize)
	if err != nil {
		return err
	}
	d.Groups = p.communities(views)
	if more {
		d.Next = "/groups?" + url.Values{"q": {q}, "skip": {strconv.Itoa(skip + pageSize)}}.Encode()
	}
	if q == "" && skip == 0 {
		own, err := w.Social.OwnGroups(p.ctx(), p.reader)
		if err != nil {
			return err
		}
		d.Own = p.communities(own)
	}
	return w.show(p, http.StatusOK, d)
}

// groupPage is a group with what was written in it, for those who may read it.
type groupPage struct {
	*frame
	Group    community
	Composer *composer // nil for who is no member
	Pinned   []card
	Posts    []card
	Older    string
	Empty    string
}

func (groupPage) file() string { return "group.html" }

func (w *Web) group(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	v, err := w.Social.Group(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	d := groupPage{frame: p.frame, Group: community{p.frame, v}, Empty: p.T("group_empty")}
	d.Title = v.Account.Name()
	views, err := w.Social.GroupPosts(p.ctx(), p.reader, id, p.cursor())
	switch {
	case err == nil && p.Me != nil && p.cursor().Max == 0:
		p.hear("group", "group", id.String())
	case social.KindOf(err) == social.NotFound && err != nil:
		d.Empty = p.T("group_members_only")
	case err != nil:
		return err
	}
	var pinned []*social.PostView
	if len(views) > 0 && p.cursor().Max == 0 { // an insider, on the first page
		if pinned, err = w.Social.Pinned(p.ctx(), p.reader, id); err != nil {
			return err
		}
	}
	d.Older = p.older(views)
	d.Pinned, d.Posts = p.onTop(pinned, views, pinsIn(v))
	if v.Member {
		if d.Composer, err = w.composer(p, nil); err != nil {
			return err
		}
		for i, o := range d.Composer.Audience.Options {
			d.Composer.Audience.Options[i].Selected = o.Value == v.Label()
		}
	}
	return w.show(p, http.StatusOK, d)
}

// pinsIn is the act that puts a post on top of a community; "" for who does not run it.
func pinsIn(v *social.GroupView) string {
	if v.Runs {
		return "pin-group"
	}
	return ""
}

// circles are those to which a community may be for, the usual one first.
func (w *Web) circles(p *page) []social.Audience {
	var out []social.Audience
	for _, kind := range []social.AudienceKind{social.AudienceCompany, social.AudienceInstance, social.AudiencePublic} {
		out = append(out, social.Audience{Kind: kind, Owner: p.home})
	}
	if choices, err := w.Social.Audiences(p.ctx(), p.reader, 0); err == nil {
		for _, c := range choices {
			if c.Kind == social.AudiencePartner {
				out = append(out, social.Audience{Kind: c.Kind, Name: c.Name, Owner: p.home})
			}
		}
	}
	return out
}

// reaches offers circles, one of them chosen by its label.
func (p *page) reaches(circles []social.Audience, now string) []option {
	out := make([]option, len(circles))
	for i, a := range circles {
		out[i] = option{Value: a.Label(), Label: p.audience(a.Kind, a.Name), Selected: a.Label() == now}
	}
	return out
}

// newGroup is the form for a new group.
func (w *Web) newGroup(p *page) formPage {
	return formPage{frame: p.titled("new_group"), Intro: []string{p.T("new_group_intro")}, Form: &form{Action: "/groups", Submit: p.T("make_group"), Fields: []field{
		{Name: "display_name", Label: p.T("group_name"), Kind: "text", Required: true, MaxLength: w.Social.Limits.NameLength},
		{Name: "name", Label: p.T("group_address"), Hint: p.T("username_hint"), Kind: "text", Required: true, MaxLength: 64},
		w.purposeField(p, ""),
		joinField(p, social.JoinOpen),
		{Name: "widest", Label: p.T("group_widest"), Hint: p.T("group_widest_hint"), Kind: "select", Options: p.reaches(w.circles(p), "")},
	}}}
}

func (w *Web) purposeField(p *page, value string) field {
	return field{Name: "purpose", Label: p.T("purpose"), Kind: "textarea", Rows: 4, Value: value, MaxLength: w.Social.Limits.BioLength, Language: p.Language}
}

func joinField(p *page, now social.JoinRule) field {
	f := field{Name: "join", Label: p.T("join_rule"), Kind: "select"}
	for _, o := range []option{{Value: string(social.JoinOpen), Label: p.T("join_open")}, {Value: string(social.JoinRequest), Label: p.T("join_request")},
		{Value: string(social.JoinClosed), Label: p.T("join_closed")}} {
		o.Selected = o.Value == string(now)
		f.Options = append(f.Options, o)
	}
	return f
}

func (w *Web) newGroupForm(p *page) error {
	return w.show(p, http.StatusOK, w.newGroup(p))
}

func (w *Web) createGroup(p *page) error {
	f := p.r.PostFormValue
	v, err := w.Social.CreateGroup(p.ctx(), p.reader, social.NewGroup{Name: f("name"), DisplayName: f("display_name"), Purpose: plainLines(f("purpose")),
		Join: f("join"), Widest: f("widest")})
	if mistake(err) {
		return w.again(p, w.newGroup(p), faultyGroupField(err), err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/groups/"+v.Account.ID.String(), "saved")
}

func faultyGroupField(err error) string {
	text := err.Error()
	for _, one := range [][2]string{{"purpose", "purpose"}, {"join rule", "join"}, {"zone", "widest"}, {"narrower", "widest"}} {
		if strings.Contains(text, one[0]) {
			return one[1]
		}
	}
	return "name"
}

func plainLines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// joinGroup becomes a member, asks to, or ends that.
func (w *Web) joinGroup(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	here, done := "/groups/"+id.String(), ""
	if mux.Vars(p.r)["act"] == "leave" {
		v, err := w.Social.Join(p.ctx(), p.reader, id, false)
		if err == nil && v == nil {
			here = "/groups"
		}
		if err != nil {
			return err
		}
		return w.redirect(p, here, "left")
	}
	v, err := w.Social.Join(p.ctx(), p.reader, id, true)
	if err != nil {
		return err
	}
	done = "asked_to_join"
	if v.Member || !v.Account.Local() && w.awaitAnswer(p, id, social.Relationship{Requested: true}) == "followed" {
		done = "joined"
	}
	return w.back(p, here, done)
}

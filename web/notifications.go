package web

import (
	"net/http"
	"strings"

	"parley/social"
)

// notice is one notification, or several that stand together.
type notice struct {
	*frame
	Kind    social.NotificationKind
	From    []*social.Account // the newest first, at most two
	Others  string            // how many more there are; "" for none
	Does    string
	Icon    string
	When    moment
	New     bool
	Waits   bool   // a request to follow without an answer yet
	Post    *card  // what somebody wrote to the reader stands here whole
	Excerpt string // of any other post
	To      string // where it belongs; "" for the profile that is named
	ToText  string
}

// Last says that a name is the last of the names.
func (n notice) Last(i int) bool { return i == len(n.From)-1 && n.Others == "" }

// noticesPage lists what happened.
type noticesPage struct {
	*frame
	Only     []tab
	Requests int // who waits to follow
	Notices  []notice
	ReadTo   social.ID // the newest that the reader has before them; 0 where nothing is unread
	Empty    string
	Older    string
}

func (noticesPage) file() string { return "notifications.html" }

// tab is one of several views of a list.
type tab struct {
	Path, Label string
	Current     bool
}

// only are the views of the notifications, in their order, by the words of ?only=.
var only = []struct {
	name string
	what social.NotificationFilter
}{
	{},
	{"mentions", social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyMention}, Answers: social.AnswersNot}},
	{"answers", social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyMention}, Answers: social.AnswersOnly}},
	{"follows", social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyFollow, social.NotifyFollowRequest, social.NotifyJoinRequest}}},
	{"reactions", social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyFavourite, social.NotifyReblog, social.NotifyUpdate, social.NotifyPoll}}},
	{"reminders", social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyReminder}}},
}

// noticesSize is how many of them stand on a page.
const noticesSize = 40

func (w *Web) notifications(p *page) error {
	d := noticesPage{frame: p.titled("notifications"), Empty: p.T("notifications_empty")}
	var what social.NotificationFilter
	var view string
	for _, one := range only {
		t := tab{Path: "/notifications", Label: p.T("only_" + one.name)}
		if one.name != "" {
			t.Path += "?only=" + one.name
		}
		if t.Current = one.name == p.r.URL.Query().Get("only"); t.Current {
			view, what = one.name, one.what
		}
		d.Only = append(d.Only, t)
	}
	if view != "" {
		d.Empty = p.T("notifications_none")
	}
	from := p.cursor()
	from.Limit = noticesSize
	var ends social.Ends
	from.Ends = &ends
	what.Together = social.Gathered()
	list, err := w.Social.NotificationGroups(p.ctx(), p.reader, from, what)
	if err != nil {
		return err
	}
	waiting, _, err := w.Social.FollowRequests(p.ctx(), p.reader, social.Page{Limit: 80})
	if err != nil {
		return err
	}
	d.Requests = len(waiting)
	asks := map[social.ID]bool{}
	for _, a := range waiting {
		asks[a.ID] = true
	}
	for _, g := range list {
		d.Notices = append(d.Notices, w.notice(p, g, asks))
	}
	if ends.Older != 0 {
		d.Older = "/notifications?only=" + view + "&older=" + ends.Older.String()
	}
	if p.Unread > 0 && view == "" && from.Max == 0 {
		d.ReadTo = social.FirstID(p.now)
		if len(list) > 0 {
			d.ReadTo = max(d.ReadTo, list[0].Newest.Notification.ID)
		}
	}
	return w.show(p, http.StatusOK, d)
}

// readNotifications marks what the reader had before them as read.
func (w *Web) readNotifications(p *page) error {
	id, err := social.ParseID(p.r.PostFormValue("to"))
	if err != nil {
		return err
	}
	if err := w.Social.MarkRead(p.ctx(), p.reader, id); err != nil {
		return err
	}
	return w.redirect(p, "/notifications", "all_read")
}

// many words what several did.
func (p *page) many(n *notice, count int) {
	if count == 1 {
		return
	}
	more := count - len(n.From)
	switch n.Kind {
	case social.NotifyFavourite:
		n.Does = p.T("favourite_many")
		if more > 0 {
			n.Others = p.N("others_like", more)
		}
		return
	case social.NotifyReblog:
		n.Does = p.T("reblog_many")
	case social.NotifyFollow:
		n.Does = p.T("follow_many")
	}
	if more > 0 {
		n.Others = p.N("others", more)
	}
}

// excerptLength is how many characters of a post tell which one it is.
const excerptLength = 160

func (w *Web) notice(p *page, g *social.NotificationGroup, asks map[social.ID]bool) notice {
	v := g.Newest
	kind := v.Notification.Kind
	n := notice{frame: p.frame, Kind: kind, From: g.From[:min(len(g.From), 2)], Does: p.Does(kind), Icon: noticeIcons[kind], When: p.At(v.Notification.CreatedAt),
		New: v.Notification.ReadAt.IsZero(), Waits: kind == social.NotifyFollowRequest && asks[v.From.ID]}
	p.many(&n, g.Count)
	switch kind {
	case social.NotifyJoinRequest:
		n.To, n.ToText = "/groups/"+v.From.ID.String()+"/members", p.T("see_who_asks")
	case social.NotifyReport:
		if p.moderates() {
			n.To, n.ToText = "/admin/reports", p.T("to_reports")
		}
	case social.NotifyUnsent:
		n.To, n.ToText = "/drafts", p.T("to_drafts")
	}
	if v.Post == nil {
		return n
	}
	if kind != social.NotifyMention {
		c := card{frame: p.frame, V: v.Post}
		n.To, n.ToText = c.Link(), p.T("show_post")
		n.Excerpt = clipped(firstOf(c.Covered(), w.Social.Text.ToPlain(v.Post.Post.Content)), excerptLength)
		return n
	}
	c := p.Card(v.Post)
	n.Post = &c
	if v.Post.Post.InReplyToAccountID == p.Me.ID {
		n.Does = p.T("answered")
	}
	return n
}

// noticeIcons say at a glance what kind a notification is.
var noticeIcons = map[social.NotificationKind]string{
	social.NotifyMention: "reply", social.NotifyFavourite: "like", social.NotifyReblog: "share", social.NotifyFollow: "person",
	social.NotifyFollowRequest: "person", social.NotifyJoinRequest: "groups", social.NotifyPoll: "all", social.NotifyUpdate: "edit",
	social.NotifyReport: "warn", social.NotifyReportClosed: "warn", social.NotifyUnsent: "clock", social.NotifyReminder: "clock",
}

// clipped is the beginning of a text, in one line.
func clipped(s string, most int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= most {
		return string(r)
	}
	return strings.TrimSpace(string(r[:most])) + "…"
}

// answers are the two forms under a request to follow.
type answers struct {
	ID                   social.ID
	Next, Accept, Reject string
}

// Answer offers to accept or reject somebody's request.
func (f *frame) Answer(from *social.Account, next string) answers {
	return answers{from.ID, next, f.T("accept"), f.T("reject")}
}

// requestsPage lists who waits for an answer.
type requestsPage struct {
	*frame
	People []person
}

func (requestsPage) file() string { return "follow_requests.html" }

func (w *Web) followRequests(p *page) error {
	waiting, _, err := w.Social.FollowRequests(p.ctx(), p.reader, social.Page{Limit: 80})
	if err != nil {
		return err
	}
	d := requestsPage{frame: p.titled("follow_requests")}
	if d.People, err = w.people(p, waiting); err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

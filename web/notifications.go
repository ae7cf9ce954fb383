package web

import (
	"net/http"

	"parley/social"
)

// notice is one notification.
type notice struct {
	*frame
	From    *social.Account
	Does    string
	When    moment
	New     bool
	Waits   bool // a request to follow without an answer yet
	Post    *card
	PostURL string
}

// noticesPage lists what happened.
type noticesPage struct {
	*frame
	Notices []notice
	Older   string
}

func (noticesPage) file() string { return "notifications.html" }

func (w *Web) notifications(p *page) error {
	list, err := w.Social.Notifications(p.ctx(), p.reader, p.cursor(), nil, nil)
	if err != nil {
		return err
	}
	waiting, _, err := w.Social.FollowRequests(p.ctx(), p.reader, social.Page{Limit: 80})
	if err != nil {
		return err
	}
	asks := map[social.ID]bool{}
	for _, a := range waiting {
		asks[a.ID] = true
	}
	d := noticesPage{frame: p.titled("notifications")}
	for _, v := range list {
		d.Notices = append(d.Notices, p.notice(v, asks))
	}
	if len(list) == pageSize {
		d.Older = "/notifications?older=" + list[len(list)-1].Notification.ID.String()
	}
	if len(list) > 0 && p.Unread > 0 && p.r.Method == http.MethodGet {
		if err := w.Social.MarkRead(p.ctx(), p.reader, list[0].Notification.ID); err != nil {
			return err
		}
	}
	return w.show(p, http.StatusOK, d)
}

func (p *page) notice(v *social.NotificationView, asks map[social.ID]bool) notice {
	n := notice{frame: p.frame, From: v.From, Does: p.Does(v.Notification.Kind), When: p.At(v.Notification.CreatedAt),
		New: v.Notification.ReadAt.IsZero(), Waits: v.Notification.Kind == social.NotifyFollowRequest && asks[v.From.ID]}
	if v.Post == nil {
		return n
	}
	c := p.Card(v.Post)
	n.PostURL = c.Link()
	if v.Notification.Kind == social.NotifyMention {
		n.Post = &c // what somebody wrote to the reader stands here whole
		if v.Post.Post.InReplyToAccountID == p.Me.ID {
			n.Does = p.T("answered")
		}
	}
	return n
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

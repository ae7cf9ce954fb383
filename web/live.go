package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"parley/live"
	"parley/serve"
	"parley/social"
)

// lists are the pages whose new posts appear by themselves, by the words of ?of=.
var lists = map[string]live.Name{"": "", "home": live.User, "all": live.Public, "here": live.Local, "company": live.Company, "tag": live.Hashtag, "thread": live.Thread, "group": live.Group}

// hear names the list of the page whose new posts static/js/live.js is to show.
func (p *page) hear(of string, more ...string) {
	q := url.Values{"since": {strconv.FormatInt(p.since, 10)}}
	if of != "" {
		p.Fresh = p.T("new_posts")
		q.Set("of", of)
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	p.Live = "/live?" + q.Encode()
}

// wanted reads which list a page shows.
func (w *Web) wanted(p *page) (st live.Stream, err error) {
	q := p.r.URL.Query()
	name, ok := lists[q.Get("of")]
	if !ok {
		return st, social.NotFoundError()
	}
	// A browser that lost the connection says itself which event was the last.
	since, err := strconv.ParseInt(firstOf(p.r.Header.Get("Last-Event-ID"), q.Get("since"), "0"), 10, 64)
	if err != nil {
		return st, social.NotFoundError()
	}
	st = live.Stream{Name: name, Tag: w.Social.Text.FoldTag(q.Get("tag")), Told: true, Since: since}
	switch name {
	case live.Thread:
		id, err := social.ParseID(q.Get("post"))
		if err != nil {
			return st, err
		}
		v, err := w.Social.Post(p.ctx(), p.reader, id)
		if err != nil {
			return st, err
		}
		st.Thread = v.Post.ThreadID
	case live.Group:
		id, err := social.ParseID(q.Get("group"))
		if err != nil {
			return st, err
		}
		v, err := w.Social.Group(p.ctx(), p.reader, id)
		if err != nil {
			return st, err
		}
		st.Group, st.Begins, p.pins = id, true, pinsIn(v)
	}
	return st, nil
}

// live tells a page of what happens while somebody looks at it, as server-sent events:
// posts as they stand in a list, the ids of those that were deleted, and how many
// notifications are unread. It ends within seconds of the session.
func (w *Web) live(p *page) error {
	st, err := w.wanted(p)
	if err != nil {
		return err
	}
	p.Path = "/"
	if at := p.r.URL.Query().Get("at"); ours(at) {
		p.Path = at // the page that the posts come to stand on
	}
	if p.r.Method == http.MethodHead {
		p.w.Header().Set("Content-Type", "text/event-stream")
		return nil
	}
	out := serve.NewEvents(p.w)
	who := func() (social.Reader, error) {
		if r := w.Reader(p.r); r.Account != nil {
			return r, nil
		}
		return social.Reader{}, social.Errorf(social.Unauthenticated, "sign in first")
	}
	_ = w.Live.Follow(p.ctx(), st, who, func(m live.Message) error { // nobody is left to tell how it ended
		name, data, err := w.happened(p, m)
		if err != nil {
			return err
		}
		return out.Send(m.Place, name, data)
	}, out.Beat)
	return nil
}

// happened gives a message the name and the text that static/js/live.js knows.
func (w *Web) happened(p *page, m live.Message) (name, data string, err error) {
	if m.Missed {
		return "missed", "", nil
	}
	switch m.Kind {
	case social.EventNotified:
		n, err := w.Social.Unread(p.ctx(), p.reader, social.NotificationFilter{}, social.MostUnread)
		p.Unread = n
		return "told", strconv.Itoa(n) + " " + p.T("unread", n), err
	case social.EventDeleted:
		return "deleted", m.Deleted.String(), nil
	case social.EventEdited:
		name = "edited"
	default:
		name = "posted"
	}
	p.now, p.zone, p.shown = w.Now(), w.zones(p.ctx()), map[social.ID]bool{}
	var b strings.Builder
	c := p.Card(m.Post)
	c.Pin = p.pins
	err = w.parts.ExecuteTemplate(&b, "post", c)
	return name, b.String(), err
}

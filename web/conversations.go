package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/social"
)

// talk is a conversation among named people, as one of them sees it.
type talk struct {
	*frame
	C       *social.Conversation
	Link    string // of its newest post
	With    string
	Outside string // whose servers are not of the group; "" for nobody's
	Excerpt string
	At      moment
}

// talksPage lists conversations, the newest first.
type talksPage struct {
	*frame
	Talks []talk
	Older string
}

func (talksPage) file() string { return "conversations.html" }

const talksAtOnce = 40

func (w *Web) conversations(p *page) error {
	cursor := p.cursor()
	cursor.Limit = talksAtOnce
	list, err := w.Social.Conversations(p.ctx(), p.reader, cursor)
	if err != nil {
		return err
	}
	d := talksPage{frame: p.titled("talks")}
	for _, c := range list {
		d.Talks = append(d.Talks, w.talk(p, c))
	}
	if len(list) == talksAtOnce {
		d.Older = "/conversations?older=" + list[len(list)-1].Last.Post.ID.String()
	}
	return w.show(p, http.StatusOK, d)
}

func (w *Web) talk(p *page, c *social.Conversation) talk {
	last := card{frame: p.frame, V: c.Last}
	t := talk{frame: p.frame, C: c, Link: last.Link(), At: p.At(c.Last.Post.PublishedAt),
		Excerpt: clipped(firstOf(last.Covered(), w.Social.Text.ToPlain(c.Last.Post.Content)), excerptLength)}
	var names, hosts []string
	for _, a := range c.People {
		names = append(names, a.Name())
		if !a.Local() && p.zone(a.Authority) != social.ZoneCompany && !slices.Contains(hosts, a.Authority) {
			hosts = append(hosts, a.Authority)
		}
	}
	t.With, t.Outside = strings.Join(names, ", "), strings.Join(hosts, ", ")
	if len(names) == 0 {
		t.With = p.T("talk_alone")
	}
	return t
}

// putAway takes a conversation from the list until somebody writes in it again.
func (w *Web) putAway(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	if _, err := w.Social.ReadConversation(p.ctx(), p.reader, id, true); err != nil {
		return err
	}
	return w.redirect(p, "/conversations", "talk_away")
}

// readTalk notes that the reader opened a conversation among named people.
func (w *Web) readTalk(p *page, v *social.PostView) error {
	if p.Me == nil || v.Post.Audience.Kind != social.AudienceDirect {
		return nil
	}
	_, err := w.Social.ReadConversation(p.ctx(), p.reader, v.Post.ThreadID, false)
	if social.KindOf(err) == social.NotFound {
		return nil
	}
	return err
}

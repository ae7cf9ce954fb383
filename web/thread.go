package web

import (
	"net/http"

	"parley/social"
)

// threadPage is a post with what it answers and what answers it.
type threadPage struct {
	*frame
	Posts    []card
	Composer *composer
}

func (threadPage) file() string { return "thread.html" }

// maxDepth bounds the indentation of a thread on narrow screens.
const maxDepth = 4

func (w *Web) thread(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	v, err := w.Social.Post(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	if v.Boost != nil { // a share has no conversation of its own
		v, id = v.Boost, v.Boost.Post.ID
	}
	above, below, err := w.Social.Thread(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	t := threadPage{frame: p.titled("thread")}
	depth := map[social.ID]int{}
	for _, one := range append(append(above, v), below...) {
		c := p.Card(one)
		if parent, ok := depth[one.Post.InReplyToID]; ok {
			c.Depth = min(parent+1, maxDepth)
		}
		depth[one.Post.ID] = c.Depth
		c.Main = one == v
		t.Posts = append(t.Posts, c)
	}
	if p.Me != nil {
		if t.Composer, err = w.composer(p, v); err != nil {
			return err
		}
		t.Composer.Text.Value = p.named(v)
	}
	return w.show(p, http.StatusOK, t)
}

// named begins a reply with the handles of those who are in the conversation. A
// browser puts the cursor before them, so they stand apart from what is typed there.
func (p *page) named(v *social.PostView) string {
	text := ""
	if v.Author.ID != p.Me.ID {
		text = "@" + v.Author.Acct() + " "
	}
	for _, m := range v.Post.Mentions {
		if m.AccountID != p.Me.ID && m.AccountID != v.Author.ID {
			text += "@" + m.Acct + " "
		}
	}
	if text != "" {
		text = " " + text
	}
	return text
}

package web

import (
	"net/http"

	"parley/social"
)

// historyPage shows what a post said before it was edited, the newest first.
type historyPage struct {
	*frame
	Link     string
	Versions []version
}

func (historyPage) file() string { return "history.html" }

// version is one state of a post.
type version struct {
	Post *social.Post
	At   moment
	Now  bool
}

// history is for whoever may see the post; earlier versions show no more than it did.
func (w *Web) history(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	v, err := w.Social.Post(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	states, err := w.Social.Versions(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	d := historyPage{frame: p.titled("history"), Link: p.Card(v).Link()}
	for i := len(states) - 1; i >= 0; i-- {
		at := states[i].EditedAt
		if at.IsZero() {
			at = v.Post.PublishedAt
		}
		d.Versions = append(d.Versions, version{states[i], p.At(at), i == len(states)-1})
	}
	return w.show(p, http.StatusOK, d)
}

package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/social"
	"parley/text"
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
	Post    *social.Post
	At      moment
	Now     bool
	Changes []change // against the one before; none of the first
}

// change is a stretch of a post that stayed, came or went.
type change struct {
	text.Change
	*frame
}

// Added and Removed say which of these it is.
func (c change) Added() bool   { return c.Kind == text.Added }
func (c change) Removed() bool { return c.Kind == text.Removed }

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
	before := ""
	for i, state := range states {
		at := state.EditedAt
		if at.IsZero() {
			at = v.Post.PublishedAt
		}
		one, now := version{Post: state, At: p.At(at), Now: i == len(states)-1}, w.inWords(p, state)
		if i > 0 {
			for _, c := range text.Changes(before, now) {
				one.Changes = append(one.Changes, change{c, p.frame})
			}
		}
		before = now
		d.Versions = append(d.Versions, one)
	}
	slices.Reverse(d.Versions)
	return w.show(p, http.StatusOK, d)
}

// inWords is all that an edit can change, as plain text that can be compared.
func (w *Web) inWords(p *page, post *social.Post) string {
	var lines []string
	if post.Summary != "" {
		lines = append(lines, p.T("warning")+": "+post.Summary)
	}
	if post.Question {
		lines = append(lines, p.T("asks"))
	}
	lines = append(lines, w.Social.Text.ToPlain(post.Content))
	for _, a := range post.Attachments {
		line := p.T("file") + ": " + a.Name
		if a.Name == "" {
			line = p.T("picture_file")
		}
		if a.Description != "" {
			line += " (" + a.Description + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

package web

import (
	"net/http"
	"time"

	"parley/social"
)

// stylePage shows the components of the pages in their states, side by side, for whoever
// changes them. It is there on trial servers alone, and knows nobody's posts.
type stylePage struct {
	*frame
	Fields []field
	Posts  []card
	Held   unsent
	Marks  []meaning
}

func (stylePage) file() string { return "style.html" }

func (w *Web) style(p *page) error {
	if !w.Trial || p.Me == nil {
		return social.NotFoundError()
	}
	d := stylePage{frame: p.titled("style")}
	for _, kind := range []string{"text", "password", "date", "file", "checkbox", "textarea", "select"} {
		for _, problem := range []string{"", p.T("check_form")} {
			f := field{Name: kind, Of: problem, Label: kind, Hint: p.T("style_hint"), Kind: kind, Problem: problem, Rows: 2}
			if problem != "" {
				f.Of = "-wrong"
			}
			if kind == "select" {
				f.Options = []option{{Value: "1", Label: p.T("yes"), Selected: true}, {Value: "2", Label: p.T("no")}}
			}
			d.Fields = append(d.Fields, f)
		}
	}
	for i, kind := range []social.AudienceKind{social.AudienceCompany, social.AudiencePartner, social.AudiencePublic} {
		post := &social.Post{ID: social.ID(i + 1), AuthorID: p.Me.ID, Kind: social.PostNote, Content: "<p>" + p.T("style_text") + "</p>", PublishedAt: p.now, Local: true,
			Audience: social.Audience{Kind: kind, Name: "acme", Owner: p.home}, FavouritesCount: i, RepliesCount: i}
		if i == 1 {
			post.Summary, post.EditedAt = p.T("sensitive"), p.now
		}
		if i == 2 {
			post.Kind, post.Poll = social.PostPoll, &social.Poll{Options: []social.PollOption{{Title: p.T("yes"), Votes: 3}, {Title: p.T("no"), Votes: 1}}, Voters: 4, ExpiresAt: p.now.Add(-time.Hour)}
		}
		c := p.Card(&social.PostView{Post: post, Author: p.Me, Favourited: i == 1})
		c.Main, c.Depth = i == 1, i
		d.Posts = append(d.Posts, c)
		d.Marks = append(d.Marks, meaning{Reach: p.reach(kind, nil), Text: p.Meaning(social.Choice{Kind: kind, Name: "acme"})})
	}
	d.Held = unsent{frame: p.frame, V: &social.UnsentView{Unsent: &social.Unsent{ID: 1}}, Left: 30}
	return w.show(p, http.StatusOK, d)
}

package web

import (
	"net/http"
	"strings"

	"parley/social"
)

// findPage is the search for people, posts by address, and hashtags.
type findPage struct {
	*frame
	Query  field
	Asked  bool
	People []person
	Posts  []card
	Tags   []string
}

func (findPage) file() string { return "find.html" }

// Nothing says that a search had no result.
func (f findPage) Nothing() bool {
	return f.Asked && f.Problem == "" && len(f.People)+len(f.Posts)+len(f.Tags) == 0
}

func (w *Web) find(p *page) error {
	q := strings.TrimSpace(p.r.URL.Query().Get("q"))
	d := findPage{frame: p.titled("find"), Asked: q != "",
		Query: field{Name: "q", Label: p.T("find_label"), Hint: p.T("find_hint"), Kind: "search", Value: q, MaxLength: 500, Focus: q == ""}}
	accounts, err := w.search(p, &d, q)
	if err != nil {
		return err
	}
	if d.People, err = w.people(p, accounts); err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

// search looks a whole handle up by itself, so that the reason why it is not
// found reaches the person who asks.
func (w *Web) search(p *page, d *findPage, q string) ([]*social.Account, error) {
	if handle := strings.TrimPrefix(q, "@"); strings.Contains(handle, "@") && !strings.ContainsAny(handle, " /") {
		a, err := w.Social.FindHandle(p.ctx(), p.reader, handle)
		if err == nil {
			return []*social.Account{a}, nil
		}
		switch social.KindOf(err) {
		case social.NotFound:
			return nil, nil
		case social.Internal:
			return nil, err
		}
		d.Query.Problem, d.Problem, d.Query.Focus = p.say(err), p.T("find_failed"), true
		return nil, nil
	}
	res, err := w.Social.Search(p.ctx(), p.reader, q, social.SearchOptions{Resolve: true})
	if err != nil {
		return nil, err
	}
	d.Posts, d.Tags = p.Cards(res.Posts), res.Tags
	return res.Accounts, nil
}

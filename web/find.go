package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parley/social"
)

// findPage is the search for people, communities, posts, and hashtags.
type findPage struct {
	*frame
	Query  field
	Narrow []field // the filters as fields; they can be typed too
	Opened bool    // one of them is filled
	Asked  bool
	People []person
	Groups []community
	Posts  []card
	Tags   []string
	Older  string // address of older posts; "" at the end
}

func (findPage) file() string { return "find.html" }

// Nothing says that a search had no result.
func (f findPage) Nothing() bool {
	return f.Asked && f.Problem == "" && f.Older == "" && len(f.People)+len(f.Groups)+len(f.Posts)+len(f.Tags) == 0
}

// sought is what was typed, with the fields below it in the same words.
func (d *findPage) sought(q url.Values) string {
	parts := []string{strings.TrimSpace(q.Get("q"))}
	for i, f := range d.Narrow {
		value := strings.TrimSpace(q.Get(f.Name))
		if value == "" {
			continue
		}
		d.Opened, d.Narrow[i].Value, d.Narrow[i].Checked = true, value, true
		if strings.ContainsAny(value, " \"") {
			value = `"` + strings.ReplaceAll(value, `"`, "") + `"`
		}
		parts = append([]string{f.Name + ":" + value}, parts...)
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func (w *Web) find(p *page) error {
	query := p.r.URL.Query()
	d := findPage{frame: p.titled("find"), Query: field{Name: "q", Label: p.T("find_label"), Hint: p.T("find_hint"), Kind: "search", Value: strings.TrimSpace(query.Get("q")), MaxLength: 500},
		Narrow: []field{{Name: "from", Label: p.T("find_from"), Kind: "text", MaxLength: 200}, {Name: "in", Label: p.T("find_in"), Kind: "text", MaxLength: 200},
			{Name: "after", Label: p.T("find_after"), Kind: "date"}, {Name: "before", Label: p.T("find_before"), Kind: "date"},
			{Name: "has", Label: p.T("find_has"), Kind: "checkbox", Is: "file"}}}
	q := d.sought(query)
	d.Asked, d.Query.Focus = q != "", q == ""
	var ends social.Ends
	page := p.cursor()
	page.Ends = &ends
	accounts, err := w.search(p, &d, q, page)
	if err != nil {
		return err
	}
	if accounts, err = w.withoutGroups(p, &d, accounts); err != nil {
		return err
	}
	if d.People, err = w.people(p, accounts); err != nil {
		return err
	}
	if ends.Older != 0 {
		query.Set("older", ends.Older.String())
		d.Older = "/find?" + query.Encode()
	}
	return w.show(p, http.StatusOK, d)
}

// fewGroups is how many communities stand among other things that were found; their own
// page lists all.
const fewGroups = 5

// search looks a whole handle up by itself, so that the reason why it is not
// found reaches the person who asks.
func (w *Web) search(p *page, d *findPage, q string, page social.Page) ([]*social.Account, error) {
	if handle := strings.TrimPrefix(q, "@"); strings.Contains(handle, "@") && !strings.ContainsAny(handle, " /:") {
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
	o := social.SearchOptions{Resolve: true, Posts: page, Limit: pageSize}
	if page.Max != 0 {
		o.Type = "statuses"
	}
	res, err := w.Social.Search(p.ctx(), p.reader, q, o)
	if mistake(err) {
		d.Query.Problem, d.Problem, d.Query.Focus = p.say(err), p.T("find_failed"), true
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d.Posts, d.Tags = p.Cards(res.Posts), res.Tags
	if text := strings.TrimSpace(p.r.URL.Query().Get("q")); p.Me != nil && page.Max == 0 && text == q && q != "" {
		groups, _, err := w.Social.FindGroups(p.ctx(), p.reader, text, 0, fewGroups)
		if err != nil {
			return nil, err
		}
		d.Groups = p.communities(groups)
	}
	return res.Accounts, nil
}

// withoutGroups puts the communities among what was found in their place, once each.
func (w *Web) withoutGroups(p *page, d *findPage, found []*social.Account) (people []*social.Account, err error) {
	for _, a := range found {
		if a.Kind != social.KindGroup {
			people = append(people, a)
			continue
		}
		if slices.ContainsFunc(d.Groups, func(c community) bool { return c.V.Account.ID == a.ID }) {
			continue
		}
		v, err := w.Social.Group(p.ctx(), p.reader, a.ID)
		if social.KindOf(err) == social.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		d.Groups = append(d.Groups, p.communities([]*social.GroupView{v})...)
	}
	return people, nil
}

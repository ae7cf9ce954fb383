package api

import (
	"slices"
	"strconv"
	"time"

	"parley/social"
)

func (a *API) filterRoutes() []route {
	const one, word, post = "/api/v2/filters/{id:[0-9]+}", "/api/v2/filters/keywords/{id:[0-9]+}", "/api/v2/filters/statuses/{id:[0-9]+}"
	return []route{
		{route: "GET /api/v2/filters", scope: "read:filters", run: a.filters,
			does: "Your filters", gives: []filterShape{}},
		{route: "POST /api/v2/filters", scope: "write:filters", run: a.createFilter,
			does: "Make a filter", takes: in{"title! text its name", "context! texts where it holds: home, notifications, public, thread, account", "filter_action text warn, or hide", "expires_in number seconds until it ends", "keywords_attributes objects keyword and whole_word; with id to change one, with _destroy to take it away"}, gives: filterShape{}},
		{route: "GET " + one, scope: "read:filters", run: withID(a.filter),
			does: "A filter", gives: filterShape{}},
		{route: "PUT " + one, scope: "write:filters", run: withID(a.changeFilter),
			does: "Change a filter: what is not sent stays", takes: in{"title text its name", "context texts where it holds: home, notifications, public, thread, account", "filter_action text warn, or hide", "expires_in number seconds until it ends", "keywords_attributes objects keyword and whole_word; with id to change one, with _destroy to take it away"}, gives: filterShape{}},
		{route: "DELETE " + one, scope: "write:filters", run: withID(a.deleteFilter),
			does: "Delete a filter", gives: empty{}},
		{route: "GET " + one + "/keywords", scope: "read:filters", run: withID(a.filterKeywords),
			does: "The words of a filter", gives: []keywordShape{}},
		{route: "POST " + one + "/keywords", scope: "write:filters", run: withID(a.addKeyword),
			does: "Add words to a filter", takes: in{"keyword! text the words", "whole_word bool not within other words"}, gives: keywordShape{}},
		{route: "GET " + word, scope: "read:filters", run: withID(a.keyword),
			does: "Words of a filter", gives: keywordShape{}},
		{route: "PUT " + word, scope: "write:filters", run: withID(a.changeKeyword),
			does: "Change words of a filter", takes: in{"keyword text the words", "whole_word bool not within other words"}, gives: keywordShape{}},
		{route: "DELETE " + word, scope: "write:filters", run: withID(a.deleteKeyword),
			does: "Take words out of a filter", gives: empty{}},
		{route: "GET " + one + "/statuses", scope: "read:filters", run: withID(a.filterPosts),
			does: "The posts that a filter names", gives: []filterPostShape{}},
		{route: "POST " + one + "/statuses", scope: "write:filters", run: withID(a.addFilterPost),
			does: "Let a filter name a post", takes: in{"status_id! id the post"}, gives: filterPostShape{}},
		{route: "GET " + post, scope: "read:filters", run: withID(a.filterPost),
			does: "A post that a filter names", gives: filterPostShape{}},
		{route: "DELETE " + post, scope: "write:filters", run: withID(a.deleteFilterPost),
			does: "Let a filter name a post no longer", gives: empty{}},
	}
}

// filterHead is a filter as statuses that meet it name it.
type filterHead struct {
	ID        string               `json:"id"`
	Title     string               `json:"title"`
	Context   []social.FilterPlace `json:"context"`
	ExpiresAt *string              `json:"expires_at" format:"date-time"`
	Action    string               `json:"filter_action"`
}

type filterShape struct {
	filterHead
	Keywords []keywordShape    `json:"keywords"`
	Statuses []filterPostShape `json:"statuses"`
}

type keywordShape struct {
	ID        string `json:"id"`
	Keyword   string `json:"keyword"`
	WholeWord bool   `json:"whole_word"`
}

type filterPostShape struct {
	ID     string `json:"id"`
	Status string `json:"status_id"`
}

type filteredShape struct {
	Filter   filterHead `json:"filter"`
	Keywords []string   `json:"keyword_matches"`
	Statuses []string   `json:"status_matches"`
}

func headOf(f *social.Filter) filterHead {
	h := filterHead{ID: f.ID.String(), Title: f.Title, Context: f.Places, Action: f.Action}
	if !f.ExpiresAt.IsZero() {
		at := date(f.ExpiresAt)
		h.ExpiresAt = &at
	}
	return h
}

func keywordOf(k social.FilterKeyword) keywordShape {
	return keywordShape{k.ID.String(), k.Keyword, k.WholeWord}
}

func filterPostOf(p social.FilterPost) filterPostShape {
	return filterPostShape{p.ID.String(), p.PostID.String()}
}

func keywordsOf(f *social.Filter) []keywordShape {
	out := make([]keywordShape, 0, len(f.Keywords))
	for _, k := range f.Keywords {
		out = append(out, keywordOf(k))
	}
	return out
}

func filterPostsOf(f *social.Filter) []filterPostShape {
	out := make([]filterPostShape, 0, len(f.Posts))
	for _, p := range f.Posts {
		out = append(out, filterPostOf(p))
	}
	return out
}

func filterOf(f *social.Filter) filterShape {
	return filterShape{headOf(f), keywordsOf(f), filterPostsOf(f)}
}

// filtered are the filters of the reader's that a status meets.
func filtered(v *social.PostView) []filteredShape {
	out := make([]filteredShape, 0, len(v.Filtered))
	for _, m := range v.Filtered {
		one := filteredShape{headOf(m.Filter), []string{}, []string{}}
		one.Keywords = append(one.Keywords, m.Keywords...)
		for _, id := range m.Posts {
			one.Statuses = append(one.Statuses, id.String())
		}
		out = append(out, one)
	}
	return out
}

func (a *API) filters(c *call) (any, error) {
	list, err := a.Social.Filters(c.Context(), c.reader)
	out := make([]filterShape, 0, len(list))
	for _, f := range list {
		out = append(out, filterOf(f))
	}
	return out, err
}

// ownFilter finds one of the reader's by what it must hold.
func (c *call) ownFilter(is func(*social.Filter) bool) (*social.Filter, error) {
	list, err := c.api.Social.Filters(c.Context(), c.reader)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(list, is)
	if at < 0 {
		return nil, social.NotFoundError()
	}
	return list[at], nil
}

func (a *API) filter(c *call, id social.ID) (any, error) {
	f, err := c.ownFilter(func(f *social.Filter) bool { return f.ID == id })
	if err != nil {
		return nil, err
	}
	return filterOf(f), nil
}

// fillReach takes where a filter holds and until when; what was not sent stays.
func (c *call) fillReach(f *social.Filter) error {
	if places := c.list("context"); len(places) > 0 {
		f.Places = nil
		for _, p := range places {
			f.Places = append(f.Places, social.FilterPlace(p))
		}
	}
	if c.in.Has("expires_in") {
		f.ExpiresAt = time.Time{}
		if text := c.in.Get("expires_in"); text != "" {
			seconds, err := strconv.Atoi(text)
			if err != nil || seconds <= 0 || seconds > 10*365*24*3600 {
				return social.Errorf(social.Invalid, "expires_in is a number of seconds")
			}
			f.ExpiresAt = c.api.Now().Add(time.Duration(seconds) * time.Second)
		}
	}
	return nil
}

// fillFilter takes what was sent; what was not stays.
func (c *call) fillFilter(f *social.Filter) error {
	if c.in.Has("title") {
		f.Title = c.in.Get("title")
	}
	if c.in.Has("filter_action") {
		f.Action = c.in.Get("filter_action")
	}
	if err := c.fillReach(f); err != nil {
		return err
	}
	for _, row := range c.rows("keywords_attributes") {
		id, err := social.ParseID(row["id"])
		at := slices.IndexFunc(f.Keywords, func(k social.FilterKeyword) bool { return err == nil && k.ID == id })
		switch {
		case at < 0 && row["id"] != "":
			return social.NotFoundError()
		case at < 0:
			f.Keywords = append(f.Keywords, social.FilterKeyword{Keyword: row["keyword"], WholeWord: truth(row["whole_word"])})
		case truth(row["_destroy"]):
			f.Keywords = slices.Delete(f.Keywords, at, at+1)
		default:
			if row["keyword"] != "" {
				f.Keywords[at].Keyword = row["keyword"]
			}
			if row["whole_word"] != "" {
				f.Keywords[at].WholeWord = truth(row["whole_word"])
			}
		}
	}
	return nil
}

func truth(s string) bool { return s == "true" || s == "1" || s == "on" }

func (c *call) putFilter(id social.ID, change func(*social.Filter) error) (*social.Filter, error) {
	return c.api.Social.ChangeFilter(c.Context(), c.reader, id, change)
}

func (a *API) createFilter(c *call) (any, error) { return a.changeFilter(c, 0) }

func (a *API) changeFilter(c *call, id social.ID) (any, error) {
	f, err := c.putFilter(id, c.fillFilter)
	if err != nil {
		return nil, err
	}
	return filterOf(f), nil
}

func (a *API) deleteFilter(c *call, id social.ID) (any, error) {
	if _, err := a.filter(c, id); err != nil {
		return nil, err
	}
	return empty{}, a.Social.DeleteFilter(c.Context(), c.reader, id)
}

func (a *API) filterKeywords(c *call, id social.ID) (any, error) {
	f, err := c.ownFilter(func(f *social.Filter) bool { return f.ID == id })
	if err != nil {
		return nil, err
	}
	return keywordsOf(f), nil
}

func (a *API) addKeyword(c *call, id social.ID) (any, error) {
	f, err := c.putFilter(id, func(f *social.Filter) error {
		f.Keywords = append(f.Keywords, social.FilterKeyword{Keyword: c.in.Get("keyword"), WholeWord: c.bool("whole_word")})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return keywordOf(f.Keywords[len(f.Keywords)-1]), nil
}

// withKeyword finds the reader's filter that holds a keyword, and where.
func (c *call) withKeyword(id social.ID) (f *social.Filter, at int, err error) {
	place := func(f *social.Filter) int {
		return slices.IndexFunc(f.Keywords, func(k social.FilterKeyword) bool { return k.ID == id })
	}
	f, err = c.ownFilter(func(f *social.Filter) bool { return place(f) >= 0 })
	if err != nil {
		return nil, 0, err
	}
	return f, place(f), nil
}

func (a *API) keyword(c *call, id social.ID) (any, error) {
	f, at, err := c.withKeyword(id)
	if err != nil {
		return nil, err
	}
	return keywordOf(f.Keywords[at]), nil
}

func (a *API) changeKeyword(c *call, id social.ID) (any, error) {
	f, at, err := c.withKeyword(id)
	if err != nil {
		return nil, err
	}
	f, err = c.putFilter(f.ID, func(f *social.Filter) error {
		if at >= len(f.Keywords) || f.Keywords[at].ID != id {
			return social.NotFoundError() // it was taken away meanwhile
		}
		if c.in.Has("keyword") {
			f.Keywords[at].Keyword = c.in.Get("keyword")
		}
		if c.in.Has("whole_word") {
			f.Keywords[at].WholeWord = c.bool("whole_word")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return keywordOf(f.Keywords[at]), nil
}

func (a *API) deleteKeyword(c *call, id social.ID) (any, error) {
	f, _, err := c.withKeyword(id)
	if err != nil {
		return nil, err
	}
	_, err = c.putFilter(f.ID, func(f *social.Filter) error {
		f.Keywords = slices.DeleteFunc(f.Keywords, func(k social.FilterKeyword) bool { return k.ID == id })
		return nil
	})
	return empty{}, err
}

func (a *API) filterPosts(c *call, id social.ID) (any, error) {
	f, err := c.ownFilter(func(f *social.Filter) bool { return f.ID == id })
	if err != nil {
		return nil, err
	}
	return filterPostsOf(f), nil
}

func (a *API) addFilterPost(c *call, id social.ID) (any, error) {
	post, err := social.ParseID(c.in.Get("status_id"))
	if err != nil {
		return nil, err
	}
	f, err := c.putFilter(id, func(f *social.Filter) error {
		f.Posts = append(f.Posts, social.FilterPost{PostID: post})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return filterPostOf(f.Posts[len(f.Posts)-1]), nil
}

func (c *call) withFilterPost(id social.ID) (*social.Filter, social.FilterPost, error) {
	place := func(f *social.Filter) int {
		return slices.IndexFunc(f.Posts, func(p social.FilterPost) bool { return p.ID == id })
	}
	f, err := c.ownFilter(func(f *social.Filter) bool { return place(f) >= 0 })
	if err != nil {
		return nil, social.FilterPost{}, err
	}
	return f, f.Posts[place(f)], nil
}

func (a *API) filterPost(c *call, id social.ID) (any, error) {
	_, p, err := c.withFilterPost(id)
	if err != nil {
		return nil, err
	}
	return filterPostOf(p), nil
}

func (a *API) deleteFilterPost(c *call, id social.ID) (any, error) {
	f, p, err := c.withFilterPost(id)
	if err != nil {
		return nil, err
	}
	_, err = c.putFilter(f.ID, func(f *social.Filter) error {
		f.Posts = slices.DeleteFunc(f.Posts, func(one social.FilterPost) bool { return one.ID == p.ID })
		return nil
	})
	return empty{}, err
}

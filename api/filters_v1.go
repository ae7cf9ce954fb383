package api

import (
	"slices"

	"parley/social"
)

// phraseRoutes are filters as apps before Mastodon 4.0 know them, one phrase each; here that
// is one keyword of a filter, whose id it has.
func (a *API) phraseRoutes() []route {
	const one = "/api/v1/filters/{id:[0-9]+}"
	return []route{
		{route: "GET /api/v1/filters", scope: "read:filters", run: a.phrases,
			does: "The words of your filters, as older apps ask", gives: []phraseShape{}},
		{route: "POST /api/v1/filters", scope: "write:filters", run: a.createPhrase,
			does: "Make a filter of one phrase", takes: in{"phrase! text the words", "context! texts where it holds: home, notifications, public, thread, account", "irreversible bool hide instead of warn", "whole_word bool not within other words", "expires_in number seconds until it ends"}, gives: phraseShape{}},
		{route: "GET " + one, scope: "read:filters", run: withID(a.phrase),
			does: "The words of a filter, as older apps ask", gives: phraseShape{}},
		{route: "PUT " + one, scope: "write:filters", run: withID(a.changePhrase),
			does: "Change them; where a filter holds more than this phrase, the phrase alone", takes: in{"phrase text the words", "context texts where it holds: home, notifications, public, thread, account", "irreversible bool hide instead of warn", "whole_word bool not within other words", "expires_in number seconds until it ends"}, gives: phraseShape{}},
		{route: "DELETE " + one, scope: "write:filters", run: withID(a.deletePhrase),
			does: "Delete them, and the filter with the last of them", gives: empty{}},
	}
}

// phraseShape is a V1::Filter.
type phraseShape struct {
	ID           string               `json:"id"`
	Phrase       string               `json:"phrase"`
	Context      []social.FilterPlace `json:"context"`
	WholeWord    bool                 `json:"whole_word"`
	ExpiresAt    *string              `json:"expires_at" format:"date-time"`
	Irreversible bool                 `json:"irreversible"`
}

func phraseOf(f *social.Filter, at int) phraseShape {
	k := f.Keywords[at]
	return phraseShape{ID: k.ID.String(), Phrase: k.Keyword, Context: f.Places, WholeWord: k.WholeWord, ExpiresAt: headOf(f).ExpiresAt, Irreversible: f.Action == "hide"}
}

func (a *API) phrases(c *call) (any, error) {
	list, err := a.Social.Filters(c.Context(), c.reader)
	out := []phraseShape{}
	for _, f := range list {
		for at := range f.Keywords {
			out = append(out, phraseOf(f, at))
		}
	}
	return out, err
}

// fillPhrase takes what was sent; what was not stays.
func (c *call) fillPhrase(f *social.Filter, at int) error {
	if c.in.Has("phrase") {
		if f.Title == f.Keywords[at].Keyword { // it was made here, and has no other name
			f.Title = c.in.Get("phrase")
		}
		f.Keywords[at].Keyword = c.in.Get("phrase")
	}
	if c.in.Has("whole_word") {
		f.Keywords[at].WholeWord = c.bool("whole_word")
	}
	if c.in.Has("irreversible") {
		f.Action = map[bool]string{true: "hide", false: "warn"}[c.bool("irreversible")]
	}
	return c.fillReach(f)
}

func (a *API) createPhrase(c *call) (any, error) {
	f, err := c.putFilter(0, func(f *social.Filter) error {
		f.Keywords = []social.FilterKeyword{{}}
		return c.fillPhrase(f, 0)
	})
	if err != nil {
		return nil, err
	}
	return phraseOf(f, 0), nil
}

func (a *API) phrase(c *call, id social.ID) (any, error) {
	f, at, err := c.withKeyword(id)
	if err != nil {
		return nil, err
	}
	return phraseOf(f, at), nil
}

func (a *API) changePhrase(c *call, id social.ID) (any, error) {
	f, at, err := c.withKeyword(id)
	if err != nil {
		return nil, err
	}
	f, err = c.putFilter(f.ID, func(f *social.Filter) error {
		if at >= len(f.Keywords) || f.Keywords[at].ID != id {
			return social.NotFoundError() // it was taken away meanwhile
		}
		before := *f
		if err := c.fillPhrase(f, at); err != nil {
			return err
		}
		if len(f.Keywords)+len(f.Posts) > 1 && (!slices.Equal(f.Places, before.Places) || f.Action != before.Action || !f.ExpiresAt.Equal(before.ExpiresAt)) {
			return social.Errorf(social.Invalid, "the filter “%s” holds more than this phrase, for which that would change too", before.Title)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return phraseOf(f, at), nil
}

func (a *API) deletePhrase(c *call, id social.ID) (any, error) {
	f, _, err := c.withKeyword(id)
	if err != nil {
		return nil, err
	}
	if len(f.Keywords)+len(f.Posts) > 1 {
		return a.deleteKeyword(c, id)
	}
	return empty{}, a.Social.DeleteFilter(c.Context(), c.reader, f.ID)
}

package api

import (
	"strings"

	"parley/social"
)

func (a *API) directoryRoutes() []route {
	return []route{
		{route: "GET /api/parley/v1/directory", scope: "read:accounts", run: a.directory,
			does: "People here, at sister companies and partners", takes: in{"q text name, title, department or skill", "limit number how many at most", "offset number leave out so many"}, gives: []colleague{}},
		{route: "GET /api/parley/v1/profile", scope: "read:accounts", run: a.ownPerson,
			does: "Your entry in the directory", gives: colleague{}},
		{route: "PATCH /api/parley/v1/profile", scope: "write:accounts", run: a.updatePerson,
			does: "Change your entry: what is not sent stays", takes: in{"department text where you work", "title text what you are", "manager text the handle of who leads you", "skills texts what you know", "languages texts that you speak", "location text where you are", "pronouns text how to speak of you", "shown[title] text how far it is shown; likewise each other field"}, gives: colleague{}},
	}
}

// directory finds people here and at the servers of the company and its partners.
func (a *API) directory(c *call) (any, error) {
	entries, err := a.Social.Directory(c.Context(), c.reader, social.DirectoryQuery{Text: c.in.Get("q"), Limit: c.number("limit"), Offset: c.number("offset")})
	out := []colleague{}
	for _, e := range entries {
		managers := []manager{}
		for _, m := range e.Managers {
			managers = append(managers, manager{URI: m.URI, Acct: m.Acct(), AccountID: idOrNil(m.AccountID), Name: m.Name, Title: textOrNil(m.Title)})
		}
		shape, stale, confirmed := personShape(e.Person), e.Stale, !e.Unconfirmed
		shape.Managers, shape.Instance, shape.Zone, shape.Stale, shape.Confirmed = &managers, e.Authority, firstText(e.Zone.String(), "instance"), &stale, &confirmed
		out = append(out, shape)
	}
	return out, err
}

// personShape is an entry of the directory. account_id is nil for who is not met here
// yet: look acct up by the search with resolve=true.
func personShape(p *social.Person) colleague {
	return colleague{URI: p.URI, Acct: p.Acct(), AccountID: idOrNil(p.AccountID), Name: p.Name, Department: textOrNil(p.Department),
		Title: textOrNil(p.Title), Manager: textOrNil(p.Manager), Skills: texts(p.Skills), Languages: texts(p.Languages),
		Location: textOrNil(p.Location), Pronouns: textOrNil(p.Pronouns), Photo: textOrNil(p.Photo)}
}

// texts is a list that is never null.
func texts(list []string) []string { return append([]string{}, list...) }

func ownShape(p *social.Person, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	shape, shown := personShape(p), map[string]string{}
	for _, f := range social.PersonFields() {
		shown[string(f)] = string(p.ReachOf(f))
	}
	shape.Shown = shown
	return shape, nil
}

func (a *API) ownPerson(c *call) (any, error) {
	return ownShape(a.Social.OwnPerson(c.Context(), c.reader))
}

// updatePerson changes the caller's entry: what is not sent stays. Name and photo are
// those of the account.
func (a *API) updatePerson(c *call) (any, error) {
	change := social.PersonChange{Department: c.maybeText("department"), Title: c.maybeText("title"), Location: c.maybeText("location"),
		Pronouns: c.maybeText("pronouns"), Manager: c.maybeText("manager"), Skills: c.maybeList("skills"), Languages: c.maybeList("languages")}
	for name := range c.in {
		field, ok := strings.CutPrefix(name, "shown[")
		if field, closed := strings.CutSuffix(field, "]"); ok && closed {
			if change.Shown == nil {
				change.Shown = map[social.PersonField]social.Reach{}
			}
			change.Shown[social.PersonField(field)] = social.Reach(c.in.Get(name))
		}
	}
	return ownShape(a.Social.UpdatePerson(c.Context(), c.reader, change))
}

// maybeList is nil when the caller says nothing; one empty text empties a list.
func (c *call) maybeList(name string) []string {
	if !c.in.Has(name) && !c.in.Has(name+"[]") {
		return nil
	}
	return c.list(name)
}

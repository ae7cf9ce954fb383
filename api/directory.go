package api

import (
	"strings"

	"parley/social"
)

func (a *API) directoryRoutes() []route {
	return []route{
		{route: "GET /api/parley/v1/directory", scope: "read:accounts", run: a.directory},
		{route: "GET /api/parley/v1/profile", scope: "read:accounts", run: a.ownPerson},
		{route: "PATCH /api/parley/v1/profile", scope: "write:accounts", run: a.updatePerson},
	}
}

// directory finds people here and at the servers of the company and its partners.
func (a *API) directory(c *call) (any, error) {
	entries, err := a.Social.Directory(c.Context(), c.reader, social.DirectoryQuery{Text: c.in.Get("q"), Limit: c.number("limit"), Offset: c.number("offset")})
	out := []any{}
	for _, e := range entries {
		shape := personShape(e.Person)
		managers := []any{}
		for _, m := range e.Managers {
			managers = append(managers, map[string]any{"uri": m.URI, "acct": m.Acct(), "account_id": idOrNil(m.AccountID), "name": m.Name, "title": textOrNil(m.Title)})
		}
		zone := e.Zone.String()
		if zone == "" {
			zone = "instance"
		}
		shape["managers"], shape["instance"], shape["zone"], shape["stale"], shape["confirmed"] = managers, e.Authority, zone, e.Stale, !e.Unconfirmed
		out = append(out, shape)
	}
	return out, err
}

// personShape is an entry of the directory. account_id is nil for who is not met here
// yet: look acct up by the search with resolve=true.
func personShape(p *social.Person) map[string]any {
	return map[string]any{"uri": p.URI, "acct": p.Acct(), "account_id": idOrNil(p.AccountID), "name": p.Name, "department": textOrNil(p.Department),
		"title": textOrNil(p.Title), "manager": textOrNil(p.Manager), "skills": texts(p.Skills), "languages": texts(p.Languages),
		"location": textOrNil(p.Location), "pronouns": textOrNil(p.Pronouns), "photo": textOrNil(p.Photo)}
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
	shape["shown"] = shown
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

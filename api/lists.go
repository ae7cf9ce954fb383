package api

import "parley/social"

func (a *API) listRoutes() []route {
	const one = "/api/v1/lists/{id:[0-9]+}"
	return []route{
		{route: "GET /api/v1/lists", scope: "read:lists", run: a.lists},
		{route: "POST /api/v1/lists", scope: "write:lists", run: a.createList},
		{route: "GET " + one, scope: "read:lists", run: withID(a.oneList)},
		{route: "PUT " + one, scope: "write:lists", run: withID(a.renameList)},
		{route: "DELETE " + one, scope: "write:lists", run: withID(a.deleteList)},
		{route: "GET " + one + "/accounts", scope: "read:lists", run: withID(a.listMembers)},
		{route: "POST " + one + "/accounts", scope: "write:lists", run: turned(a.setInList, true)},
		{route: "DELETE " + one + "/accounts", scope: "write:lists", run: turned(a.setInList, false)},
		{route: "GET /api/v1/accounts/{id:[0-9]+}/lists", scope: "read:lists", run: withID(a.listsWith)},
		{route: "GET /api/v1/timelines/list/{id:[0-9]+}", scope: "read:lists", run: withID(a.listTimeline)},
	}
}

func listShape(l *social.List) map[string]any {
	return map[string]any{"id": l.ID.String(), "title": l.Title, "replies_policy": "list", "exclusive": false}
}

func listShapes(lists []*social.List, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	out := make([]any, len(lists))
	for i, l := range lists {
		out[i] = listShape(l)
	}
	return out, nil
}

func shapedList(l *social.List, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return listShape(l), nil
}

func (a *API) lists(c *call) (any, error) { return listShapes(a.Social.Lists(c.Context(), c.reader)) }

func (a *API) listsWith(c *call, id social.ID) (any, error) {
	return listShapes(a.Social.ListsWith(c.Context(), c.reader, id))
}

func (a *API) oneList(c *call, id social.ID) (any, error) {
	return shapedList(a.Social.List(c.Context(), c.reader, id))
}

func (a *API) createList(c *call) (any, error) {
	return shapedList(a.Social.CreateList(c.Context(), c.reader, c.in.Get("title")))
}

func (a *API) renameList(c *call, id social.ID) (any, error) {
	return shapedList(a.Social.RenameList(c.Context(), c.reader, id, c.in.Get("title")))
}

func (a *API) deleteList(c *call, id social.ID) (any, error) {
	return map[string]any{}, a.Social.DeleteList(c.Context(), c.reader, id)
}

func (a *API) listMembers(c *call, id social.ID) (any, error) {
	list, _, err := a.Social.ListMembers(c.Context(), c.reader, id, c.part())
	return c.people(list, err)
}

func (a *API) setInList(c *call, id social.ID, on bool) (any, error) {
	who, err := c.ids("account_ids")
	if err != nil {
		return nil, err
	}
	return map[string]any{}, a.Social.SetInList(c.Context(), c.reader, id, who, on)
}

func (a *API) listTimeline(c *call, id social.ID) (any, error) {
	return c.posts(a.Social.ListTimeline(c.Context(), c.reader, id, c.part()))
}

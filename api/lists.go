package api

import "parley/social"

func (a *API) listRoutes() []route {
	const one = "/api/v1/lists/{id:[0-9]+}"
	return []route{
		{route: "GET /api/v1/lists", scope: "read:lists", run: a.lists,
			does: "Your lists", gives: []list{}},
		{route: "POST /api/v1/lists", scope: "write:lists", run: a.createList,
			does: "Make a list", takes: in{"title! text its name", "replies_policy text which answers stand in it: followed, list or none", "exclusive bool its people's posts stand in no other timeline of yours"}, gives: list{}},
		{route: "GET " + one, scope: "read:lists", run: withID(a.oneList),
			does: "A list", gives: list{}},
		{route: "PUT " + one, scope: "write:lists", run: withID(a.changeList),
			does: "Change a list: what is not sent stays", takes: in{"title text its name", "replies_policy text which answers stand in it: followed, list or none", "exclusive bool its people's posts stand in no other timeline of yours"}, gives: list{}},
		{route: "DELETE " + one, scope: "write:lists", run: withID(a.deleteList),
			does: "Delete a list", gives: empty{}},
		{route: "GET " + one + "/accounts", scope: "read:lists", run: withID(a.listMembers),
			does: "Who is in a list", takes: paged(), gives: []account{}},
		{route: "POST " + one + "/accounts", scope: "write:lists", run: turned(a.setInList, true),
			does: "Put people into a list", takes: in{"account_ids! ids who"}, gives: empty{}},
		{route: "DELETE " + one + "/accounts", scope: "write:lists", run: turned(a.setInList, false),
			does: "Take people out of a list", takes: in{"account_ids! ids who"}, gives: empty{}},
		{route: "GET /api/v1/accounts/{id:[0-9]+}/lists", scope: "read:lists", run: withID(a.listsWith),
			does: "Your lists that somebody is in", gives: []list{}},
		{route: "GET /api/v1/timelines/list/{id:[0-9]+}", scope: "read:lists", run: withID(a.listTimeline),
			does: "Posts of who is in a list", takes: paged(), gives: []status{}},
	}
}

func listShape(l *social.List) list {
	return list{ID: l.ID.String(), Title: l.Title, RepliesPolicy: string(l.Replies), Exclusive: l.Exclusive}
}

func listShapes(lists []*social.List, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	out := make([]list, len(lists))
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

// listChange reads what is to be of a list.
func (c *call) listChange() social.ListChange {
	change := social.ListChange{Title: c.maybeText("title"), Exclusive: c.maybeBool("exclusive")}
	if policy := social.RepliesPolicy(c.in.Get("replies_policy")); policy != "" {
		change.Replies = &policy
	}
	return change
}

func (a *API) createList(c *call) (any, error) {
	return shapedList(a.Social.CreateList(c.Context(), c.reader, c.listChange()))
}

func (a *API) changeList(c *call, id social.ID) (any, error) {
	return shapedList(a.Social.ChangeList(c.Context(), c.reader, id, c.listChange()))
}

func (a *API) deleteList(c *call, id social.ID) (any, error) {
	return empty{}, a.Social.DeleteList(c.Context(), c.reader, id)
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
	return empty{}, a.Social.SetInList(c.Context(), c.reader, id, who, on)
}

func (a *API) listTimeline(c *call, id social.ID) (any, error) {
	return c.posts(a.Social.ListTimeline(c.Context(), c.reader, id, c.part()))
}

package api

import (
	"html"

	"parley/social"
)

// emptyRoutes are what apps ask for and is not here, each with the answer that says so:
// trends and announcements that apps show nothing for, and what a company does not offer.
func (a *API) emptyRoutes() []route {
	none := func(*call) (any, error) { return []empty{}, nil }
	refused := func(text string) endpoint {
		return func(*call) (any, error) { return nil, social.Errorf(social.Forbidden, "%s", text) }
	}
	return []route{
		{route: "GET /api/v1/trends", run: none,
			does: "Trends: there are none", gives: []empty{}},
		{route: "GET /api/v1/trends/tags", run: none,
			does: "Trends: there are none", gives: []empty{}},
		{route: "GET /api/v1/trends/statuses", run: none,
			does: "Trends: there are none", gives: []empty{}},
		{route: "GET /api/v1/trends/links", run: none,
			does: "Trends: there are none", gives: []empty{}},
		{route: "GET /api/v1/announcements", scope: "read:accounts", run: none,
			does: "Announcements: there are none", gives: []empty{}},
		{route: "GET /api/v1/instance/peers", run: none, // whom a company speaks with is its own
			does: "Other servers: not told", gives: []empty{}},
		{route: "GET /api/v1/instance/activity", run: none,
			does: "How much is written here: not told", gives: []empty{}},
		{route: "GET /api/v1/instance/extended_description", run: a.extendedDescription,
			does: "What this server is for", gives: extendedDescription{}},
		{route: "GET /api/v1/instance/rules", run: a.instanceRules,
			does: "The rules of the house", gives: []houseRule{}},
		{route: "POST /api/v1/accounts", run: refused("members are made by the administrators here"),
			does: "Join by oneself: administrators make members here", gives: failure{}},
		{route: "GET /api/v1/accounts", run: a.accountsByID,
			does: "People by their ids", takes: in{"id ids who"}, gives: []account{}},
		{route: "GET /api/v1/statuses", run: a.statusesByID,
			does: "Posts by their ids", takes: in{"id ids which"}, gives: []status{}},
		{route: "GET /api/v1/accounts/familiar_followers", scope: "read:follows", run: a.familiarFollowers,
			does: "Who of your people follows somebody: not told", takes: in{"id ids who"}, gives: []familiarFollowers{}},
		{route: "POST /api/v1/statuses/{id:[0-9]+}/translate", scope: "read:statuses", run: withID(a.translate),
			does: "Translate a post: not here", gives: failure{}},
	}
}

func (a *API) extendedDescription(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	return extendedDescription{Content: "<p>" + html.EscapeString(o.Description) + "</p>"}, err
}

func (a *API) instanceRules(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	return rules(o), err
}

func (a *API) accountsByID(c *call) (any, error) {
	ids, err := c.ids("id")
	if err != nil {
		return nil, err
	}
	list, err := a.Social.ShownAccounts(c.Context(), c.reader, ids)
	return c.accounts(list), err
}

func (a *API) statusesByID(c *call) (any, error) {
	ids, err := c.ids("id")
	if err != nil {
		return nil, err
	}
	views, err := a.Social.PostsByID(c.Context(), c.reader, ids)
	return c.statuses(views), err
}

// familiarFollowers says of nobody who follows whom: members decide who may know that.
func (a *API) familiarFollowers(c *call) (any, error) {
	ids, err := c.ids("id")
	out := []familiarFollowers{}
	for _, id := range ids {
		out = append(out, familiarFollowers{ID: id.String(), Accounts: []*account{}})
	}
	return out, err
}

// translate is honest: nothing is handed to a service for it.
func (a *API) translate(c *call, id social.ID) (any, error) {
	if _, err := a.Social.Post(c.Context(), c.reader, id); err != nil {
		return nil, err
	}
	return nil, social.Errorf(social.Forbidden, "this server does not translate")
}

package api

import (
	"html"

	"parley/social"
)

// emptyRoutes are what apps ask for and is not here, each with the answer that says so:
// trends and announcements that apps show nothing for, and what a company does not offer.
func (a *API) emptyRoutes() []route {
	none := func(*call) (any, error) { return []any{}, nil }
	refused := func(text string) endpoint {
		return func(*call) (any, error) { return nil, social.Errorf(social.Forbidden, "%s", text) }
	}
	return []route{
		{route: "GET /api/v1/trends", run: none},
		{route: "GET /api/v1/trends/tags", run: none},
		{route: "GET /api/v1/trends/statuses", run: none},
		{route: "GET /api/v1/trends/links", run: none},
		{route: "GET /api/v1/announcements", scope: "read:accounts", run: none},
		{route: "GET /api/v1/featured_tags", scope: "read:accounts", run: none},
		{route: "GET /api/v1/domain_blocks", scope: "read:blocks", run: none}, // administrators decide on servers
		{route: "GET /api/v1/endorsements", scope: "read:accounts", run: none},
		{route: "GET /api/v1/instance/peers", run: none}, // whom a company speaks with is its own
		{route: "GET /api/v1/instance/activity", run: none},
		{route: "GET /api/v1/instance/extended_description", run: a.extendedDescription},
		{route: "GET /api/v1/instance/rules", run: a.instanceRules},
		{route: "POST /api/v1/accounts", run: refused("members are made by the administrators here")},
		{route: "GET /api/v1/accounts", run: a.accountsByID},
		{route: "GET /api/v1/statuses", run: a.statusesByID},
		{route: "GET /api/v1/accounts/familiar_followers", scope: "read:follows", run: a.familiarFollowers},
		{route: "GET /api/v1/accounts/{id:[0-9]+}/featured_tags", run: withID(a.nothingOf)},
		{route: "GET /api/v1/accounts/{id:[0-9]+}/endorsements", run: withID(a.nothingOf)},
		{route: "POST /api/v1/statuses/{id:[0-9]+}/translate", scope: "read:statuses", run: withID(a.translate)},
	}
}

func (a *API) extendedDescription(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	return map[string]any{"updated_at": nil, "content": "<p>" + html.EscapeString(o.Description) + "</p>"}, err
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
	out := []any{}
	for _, id := range ids {
		out = append(out, map[string]any{"id": id.String(), "accounts": []any{}})
	}
	return out, err
}

// nothingOf is an empty list of somebody who is shown to the caller.
func (a *API) nothingOf(c *call, id social.ID) (any, error) {
	_, err := a.Social.Account(c.Context(), c.reader, id)
	return []any{}, err
}

// translate is honest: nothing is handed to a service for it.
func (a *API) translate(c *call, id social.ID) (any, error) {
	if _, err := a.Social.Post(c.Context(), c.reader, id); err != nil {
		return nil, err
	}
	return nil, social.Errorf(social.Forbidden, "this server does not translate")
}

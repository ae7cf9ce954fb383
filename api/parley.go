package api

import "parley/social"

// parleyRoutes are our own, below /api/parley/v1.
func (a *API) parleyRoutes() []route {
	return []route{
		{route: "GET /api/parley/v1/statuses/{id}/deliveries", scope: "read:statuses", run: withID(a.deliveries),
			does: "Where a post of yours has arrived", gives: []social.DeliveryState{}},
		{route: "GET /api/parley/v1/timelines/company", scope: "read:statuses", run: a.company,
			does: "What was written for the whole company", takes: paged(), gives: []status{}},
		{route: "GET /api/parley/v1/audiences", scope: "read:statuses", run: a.audiences,
			does: "Who can be chosen to see a new post, or an answer", takes: in{"in_reply_to_id id the post that you answer"}, gives: []audienceChoice{}},
	}
}

// deliveries tells the author where a post has arrived.
func (a *API) deliveries(c *call, id social.ID) (any, error) {
	states, err := a.Social.Deliveries(c.Context(), c.reader, id)
	if states == nil {
		states = []social.DeliveryState{}
	}
	return states, err
}

// company lists what was written for the whole company.
func (a *API) company(c *call) (any, error) {
	return c.posts(a.Social.Company(c.Context(), c.reader, c.part()))
}

// audiences lists what can be chosen for a new post, or for a reply.
func (a *API) audiences(c *call) (any, error) {
	reply, err := c.id("in_reply_to_id")
	if err != nil {
		return nil, err
	}
	choices, err := a.Social.Audiences(c.Context(), c.reader, reply)
	out := []audienceChoice{}
	for _, ch := range choices {
		out = append(out, audienceChoice{Audience: ch.Label, Peers: ch.Peers, Default: ch.Default})
	}
	return out, err
}

package api

import (
	"github.com/gorilla/mux"

	"parley/social"
)

// adminRoutes are for administrators: all others get the answer of an address that is
// not there.
func (a *API) adminRoutes() []route {
	const base = "/api/parley/v1/admin"
	return []route{
		{route: "GET " + base + "/policy", scope: "admin:read", run: admin(a.policy)},
		{route: "PATCH " + base + "/policy", scope: "admin:write", run: admin(a.setPolicy)},
		{route: "GET " + base + "/requests", scope: "admin:read", run: admin(a.requests)},
		{route: "POST " + base + "/requests/{host}/admit", scope: "admin:write", run: admin(a.admit)},
		{route: "POST " + base + "/requests/{host}/block", scope: "admin:write", run: admin(a.refuse)},
	}
}

// admin lets an endpoint answer administrators only.
func admin(run endpoint) endpoint {
	return func(c *call) (any, error) {
		if c.reader.Account == nil || c.reader.Account.Role != social.RoleAdmin {
			return nil, social.Errorf(social.NotFound, "there is no such address here")
		}
		return run(c)
	}
}

// policy lists each key with its value, and whether somebody set it.
func (a *API) policy(c *call) (any, error) { return a.Social.PolicyEntries(c.Context()) }

// setPolicy takes values by their keys, and answers the whole policy.
func (a *API) setPolicy(c *call) (any, error) {
	values := map[string]string{}
	for key := range c.in {
		values[key] = c.in.Get(key)
	}
	if err := a.Social.SetPolicy(c.Context(), c.reader.Account.Username, values); err != nil {
		return nil, err
	}
	return a.policy(c)
}

// requests lists the servers that want to connect.
func (a *API) requests(c *call) (any, error) {
	waiting, err := a.Social.ConnectRequests(c.Context())
	out := []any{}
	for _, r := range waiting {
		out = append(out, map[string]any{"host": r.Authority, "actor": r.Actor, "wanted": r.Wanted, "since": date(r.Since), "last_at": date(r.LastAt), "count": r.Count})
	}
	return out, err
}

// admit puts a server that wants to connect into the zone named.
func (a *API) admit(c *call) (any, error) {
	z, err := social.ParseZone(c.in.Get("zone"))
	if err != nil {
		return nil, err
	}
	return map[string]any{}, a.Social.AnswerRequest(c.Context(), c.reader, mux.Vars(c.Request)["host"], z)
}

func (a *API) refuse(c *call) (any, error) {
	return map[string]any{}, a.Social.AnswerRequest(c.Context(), c.reader, mux.Vars(c.Request)["host"], social.Zone{Kind: social.ZoneBlocked})
}

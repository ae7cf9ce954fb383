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
		{route: "GET " + base + "/policy", scope: "admin:read", run: admin(a.policy),
			does: "What holds here", gives: []social.PolicyEntry{}},
		{route: "PATCH " + base + "/policy", scope: "admin:write", run: admin(a.setPolicy),
			does: "Change what holds: each key with its value", takes: in{"key text any key of the policy, with its value"}, gives: []social.PolicyEntry{}},
		{route: "GET " + base + "/requests", scope: "admin:read", run: admin(a.requests),
			does: "Servers that want to connect", gives: []connectRequest{}},
		{route: "POST " + base + "/requests/{host}/admit", scope: "admin:write", run: admin(a.admit),
			does: "Let a server in", takes: in{"zone! text company, partner:NAME or public"}, gives: empty{}},
		{route: "POST " + base + "/requests/{host}/block", scope: "admin:write", run: admin(a.refuse),
			does: "Refuse a server", gives: empty{}},
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
	out := []connectRequest{}
	for _, r := range waiting {
		out = append(out, connectRequest{Host: r.Authority, Actor: r.Actor, Wanted: r.Wanted, Since: date(r.Since), LastAt: date(r.LastAt), Count: r.Count})
	}
	return out, err
}

// admit puts a server that wants to connect into the zone named.
func (a *API) admit(c *call) (any, error) {
	z, err := social.ParseZone(c.in.Get("zone"))
	if err != nil {
		return nil, err
	}
	return empty{}, a.Social.AnswerRequest(c.Context(), c.reader, mux.Vars(c.Request)["host"], z)
}

func (a *API) refuse(c *call) (any, error) {
	return empty{}, a.Social.AnswerRequest(c.Context(), c.reader, mux.Vars(c.Request)["host"], social.Zone{Kind: social.ZoneBlocked})
}

package api

import "parley/social"

// adminRoutes are for administrators: all others get the answer of an address that is
// not there.
func (a *API) adminRoutes() []route {
	const base = "/api/parley/v1/admin"
	return []route{
		{route: "GET " + base + "/policy", scope: "admin:read", run: admin(a.policy)},
		{route: "PATCH " + base + "/policy", scope: "admin:write", run: admin(a.setPolicy)},
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

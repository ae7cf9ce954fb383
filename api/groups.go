package api

import (
	"context"

	"parley/social"
)

// groupRoutes are those of groups, which people read as communities.
func (a *API) groupRoutes() []route {
	const one = "/api/parley/v1/groups/{id:[0-9]+}"
	return []route{
		{route: "GET /api/parley/v1/groups", scope: "read:accounts", run: a.groups},
		{route: "POST /api/parley/v1/groups", scope: "write:accounts", run: a.createGroup},
		{route: "GET " + one, scope: "read:accounts", run: withID(a.group)},
		{route: "PATCH " + one, scope: "write:accounts", run: withID(a.updateGroup)},
		{route: "DELETE " + one, scope: "write:accounts", run: withID(a.deleteGroup)},
		{route: "GET " + one + "/timeline", scope: "read:statuses", run: withID(a.groupTimeline)},
		{route: "POST " + one + "/join", scope: "write:follows", run: withID(a.joinGroup)},
		{route: "POST " + one + "/leave", scope: "write:follows", run: withID(a.leaveGroup)},
		{route: "GET " + one + "/members", scope: "read:accounts", run: withID(a.groupMembers)},
		{route: "POST " + one + "/members", scope: "write:accounts", run: withAccount(a.Social.AddMember)},
		{route: "POST " + one + "/remove", scope: "write:accounts", run: withAccount(a.Social.RemoveMember)},
		{route: "GET " + one + "/requests", scope: "read:follows", run: withID(a.groupRequests)},
		{route: "POST " + one + "/approve", scope: "write:accounts", run: withAccount(a.answerJoin(true))},
		{route: "POST " + one + "/decline", scope: "write:accounts", run: withAccount(a.answerJoin(false))},
		{route: "POST " + one + "/moderators", scope: "write:accounts", run: withAccount(a.setModerator(true))},
		{route: "DELETE " + one + "/moderators", scope: "write:accounts", run: withAccount(a.setModerator(false))},
		{route: "POST " + one + "/owner", scope: "write:accounts", run: withAccount(a.Social.HandOver)},
	}
}

// membership changes what somebody is in a group.
type membership func(ctx context.Context, r social.Reader, group, who social.ID) error

// withAccount runs a change on the account that account_id names, and answers the group.
func withAccount(change membership) endpoint {
	return withID(func(c *call, id social.ID) (any, error) {
		who, err := social.ParseID(c.in.Get("account_id"))
		if err != nil {
			return nil, social.NotFoundError()
		}
		if err := change(c.Context(), c.reader, id, who); err != nil {
			return nil, err
		}
		return c.api.group(c, id)
	})
}

func (a *API) answerJoin(accept bool) membership {
	return func(ctx context.Context, r social.Reader, group, who social.ID) error {
		return a.Social.AnswerJoin(ctx, r, group, who, accept)
	}
}

func (a *API) setModerator(on bool) membership {
	return func(ctx context.Context, r social.Reader, group, who social.ID) error {
		return a.Social.SetModerator(ctx, r, group, who, on)
	}
}

func (c *call) oneGroup(v *social.GroupView, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if v == nil { // who left a closed one does not see it any more
		return map[string]any{}, nil
	}
	return c.groupShape(v), nil
}

// groupShape is a group: its account as apps know one, and what only groups have.
func (c *call) groupShape(v *social.GroupView) map[string]any {
	g := v.Account
	out := map[string]any{"id": g.ID.String(), "account": c.accountShape(g), "purpose": g.NoteSource, "audience": v.Label(),
		"members_count": g.FollowersCount, "owner": nil, "moderators": c.accounts(v.Moderators), "join": nil, "widest": nil,
		"member": v.Member, "requested": v.Asked, "manages": v.Runs, "owns": v.Owns, "requests_count": v.Waiting}
	if v.Owner != nil {
		out["owner"] = c.accountShape(v.Owner)
	}
	if g.Group != nil && g.Local() {
		out["join"], out["widest"] = string(g.Group.Join), g.Group.Widest.Label()
	}
	return out
}

// groupID is the group that a post stands in, nil for none.
func groupID(v *social.PostView) any {
	if v.Group == nil {
		return nil
	}
	return v.Group.ID.String()
}

func (a *API) groups(c *call) (any, error) {
	views, err := a.Social.Groups(c.Context(), c.reader, c.part())
	out := []any{}
	for _, v := range views {
		out = append(out, c.groupShape(v))
	}
	return c.paged(out, err)
}

func (a *API) group(c *call, id social.ID) (any, error) {
	return c.oneGroup(a.Social.Group(c.Context(), c.reader, id))
}

func (a *API) createGroup(c *call) (any, error) {
	owner, err := c.id("owner_id")
	if err != nil {
		return nil, err
	}
	return c.oneGroup(a.Social.CreateGroup(c.Context(), c.reader, social.NewGroup{Name: c.in.Get("name"), DisplayName: c.in.Get("display_name"),
		Purpose: c.in.Get("purpose"), OwnerID: owner, Join: c.in.Get("join"), Widest: c.in.Get("widest")}))
}

func (a *API) updateGroup(c *call, id social.ID) (any, error) {
	return c.oneGroup(a.Social.UpdateGroup(c.Context(), c.reader, id, social.GroupChange{DisplayName: c.maybeText("display_name"),
		Purpose: c.maybeText("purpose"), Join: c.maybeText("join"), Widest: c.maybeText("widest")}))
}

func (a *API) deleteGroup(c *call, id social.ID) (any, error) {
	return map[string]any{}, a.Social.DeleteGroup(c.Context(), c.reader, id)
}

func (a *API) groupTimeline(c *call, id social.ID) (any, error) {
	return c.posts(a.Social.GroupPosts(c.Context(), c.reader, id, c.part()))
}

func (a *API) joinGroup(c *call, id social.ID) (any, error) {
	return c.oneGroup(a.Social.Join(c.Context(), c.reader, id, true))
}

func (a *API) leaveGroup(c *call, id social.ID) (any, error) {
	return c.oneGroup(a.Social.Join(c.Context(), c.reader, id, false))
}

func (a *API) groupMembers(c *call, id social.ID) (any, error) {
	list, _, err := a.Social.GroupMembers(c.Context(), c.reader, id, c.part())
	return c.people(list, err)
}

func (a *API) groupRequests(c *call, id social.ID) (any, error) {
	list, _, err := a.Social.GroupRequests(c.Context(), c.reader, id, c.part())
	return c.people(list, err)
}

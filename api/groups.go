package api

import (
	"context"

	"parley/social"
)

// groupRoutes are those of groups, which people read as communities.
func (a *API) groupRoutes() []route {
	const one = "/api/parley/v1/groups/{id:[0-9]+}"
	return []route{
		{route: "GET /api/parley/v1/groups", scope: "read:accounts", run: a.groups,
			does: "Communities", takes: paged(), gives: []group{}},
		{route: "POST /api/parley/v1/groups", scope: "write:accounts", run: a.createGroup,
			does: "Begin a community", takes: in{"name! text its handle", "owner_id id who leads it, you if nobody is named", "display_name text its title", "purpose text what it is for", "join text open, request or invite", "widest text the widest choice of readers for its posts"}, gives: group{}},
		{route: "GET " + one, scope: "read:accounts", run: withID(a.group),
			does: "A community", gives: group{}},
		{route: "PATCH " + one, scope: "write:accounts", run: withID(a.updateGroup),
			does: "Change a community: what is not sent stays", takes: in{"display_name text its title", "purpose text what it is for", "join text open, request or invite", "widest text the widest choice of readers for its posts"}, gives: group{}},
		{route: "DELETE " + one, scope: "write:accounts", run: withID(a.deleteGroup),
			does: "Delete a community", gives: empty{}},
		{route: "GET " + one + "/timeline", scope: "read:statuses", run: withID(a.groupTimeline),
			does: "Posts in a community", takes: paged(), gives: []status{}},
		{route: "POST " + one + "/join", scope: "write:follows", run: withID(a.joinGroup),
			does: "Join, or ask to", gives: group{}},
		{route: "POST " + one + "/leave", scope: "write:follows", run: withID(a.leaveGroup),
			does: "Leave; a closed one is not seen any more", gives: either{group{}, empty{}}},
		{route: "GET " + one + "/members", scope: "read:accounts", run: withID(a.groupMembers),
			does: "Who is in a community", takes: paged(), gives: []account{}},
		{route: "POST " + one + "/members", scope: "write:accounts", run: withAccount(a.Social.AddMember),
			does: "Add somebody", takes: in{"account_id! id who"}, gives: group{}},
		{route: "POST " + one + "/remove", scope: "write:accounts", run: withAccount(a.Social.RemoveMember),
			does: "Take somebody out", takes: in{"account_id! id who"}, gives: group{}},
		{route: "GET " + one + "/requests", scope: "read:follows", run: withID(a.groupRequests),
			does: "Who wants to join", takes: paged(), gives: []account{}},
		{route: "POST " + one + "/approve", scope: "write:accounts", run: withAccount(a.answerJoin(true)),
			does: "Let somebody join", takes: in{"account_id! id who"}, gives: group{}},
		{route: "POST " + one + "/decline", scope: "write:accounts", run: withAccount(a.answerJoin(false)),
			does: "Do not let somebody join", takes: in{"account_id! id who"}, gives: group{}},
		{route: "POST " + one + "/moderators", scope: "write:accounts", run: withAccount(a.setModerator(true)),
			does: "Let somebody help to lead", takes: in{"account_id! id who"}, gives: group{}},
		{route: "DELETE " + one + "/moderators", scope: "write:accounts", run: withAccount(a.setModerator(false)),
			does: "Let somebody help no longer", takes: in{"account_id! id who"}, gives: group{}},
		{route: "POST " + one + "/owner", scope: "write:accounts", run: withAccount(a.Social.HandOver),
			does: "Hand it over", takes: in{"account_id! id who"}, gives: group{}},
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
		return empty{}, nil
	}
	return c.groupShape(v), nil
}

// groupShape is a group: its account as apps know one, and what only groups have.
func (c *call) groupShape(v *social.GroupView) group {
	g := v.Account
	out := group{ID: g.ID.String(), Account: c.accountShape(g), Purpose: g.NoteSource, Audience: v.Label(),
		MembersCount: g.FollowersCount, Moderators: c.accounts(v.Moderators),
		Member: v.Member, Requested: v.Asked, Manages: v.Runs, Owns: v.Owns, RequestsCount: v.Waiting}
	if v.Owner != nil {
		out.Owner = c.accountShape(v.Owner)
	}
	if g.Group != nil && g.Local() {
		out.Join, out.Widest = ptr(string(g.Group.Join)), ptr(g.Group.Widest.Label())
	}
	return out
}

// groupID is the group that a post stands in, nil for none.
func groupID(v *social.PostView) *string {
	if v.Group == nil {
		return nil
	}
	return ptr(v.Group.ID.String())
}

func (a *API) groups(c *call) (any, error) {
	views, err := a.Social.Groups(c.Context(), c.reader, c.part())
	out := []group{}
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
	return empty{}, a.Social.DeleteGroup(c.Context(), c.reader, id)
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

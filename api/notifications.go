package api

import (
	"slices"

	"parley/social"
)

func (a *API) notificationRoutes() []route {
	const group = "/api/v2/notifications/{key}"
	which := []string{"types texts only these", "exclude_types texts all but these", "account_id id only what this account did"}
	held := "include_filtered bool also what your policy holds back"
	together := "grouped_types texts what may be put together: favourite, reblog, follow; all if nothing is named"
	expand := "expand_accounts text full, or partial_avatars: all but the newest of each group in short"
	most := "limit number count no further; 100 if nothing is said"
	return []route{
		{route: "GET /api/v1/notifications", scope: "read:notifications", run: a.notifications,
			does: "What concerns you", takes: paged(append(which, held)...), gives: []notification{}},
		{route: "GET /api/v1/notifications/unread_count", scope: "read:notifications", run: a.unreadCount,
			does: "How many are unread", takes: append(which, most), gives: unread{}},
		{route: "POST /api/v1/notifications/clear", scope: "write:notifications", run: a.clearNotifications,
			does: "Put all away", gives: empty{}},
		{route: "GET /api/v1/notifications/{id}", scope: "read:notifications", run: withID(a.notification),
			does: "A notification", gives: notification{}},
		{route: "POST /api/v1/notifications/{id}/dismiss", scope: "write:notifications", run: withID(a.dismissNotification),
			does: "Put one away", gives: empty{}},
		{route: "GET /api/v2/notifications", scope: "read:notifications", run: a.notificationGroups,
			does: "What concerns you, with what is alike put together", takes: paged(append(which, held, together, expand)...), gives: groupedNotifications{}},
		{route: "GET /api/v2/notifications/unread_count", scope: "read:notifications", run: a.unreadGroups,
			does: "How many groups are unread", takes: append(which, together, most), gives: unread{}},
		{route: "GET " + group, scope: "read:notifications", run: a.notificationGroup,
			does: "A group of notifications", takes: in{held, expand}, gives: groupedNotifications{}},
		{route: "GET " + group + "/accounts", scope: "read:notifications", run: a.notificationAccounts,
			does: "Who did what a group tells", takes: paged(held), gives: []account{}},
		{route: "POST " + group + "/dismiss", scope: "write:notifications", run: a.dismissGroup,
			does: "Put a group away", gives: empty{}},
	}
}

func (c *call) noticeKinds(name string) []social.NotificationKind {
	var out []social.NotificationKind
	for _, s := range c.list(name) {
		out = append(out, social.NotificationKind(s))
	}
	return out
}

// told reads which notifications are meant.
func (c *call) told() (f social.NotificationFilter, err error) {
	f = social.NotificationFilter{Kinds: c.noticeKinds("types"), Exclude: c.noticeKinds("exclude_types")}
	f.FromID, err = c.id("account_id")
	return f, err
}

// together reads which kinds the app can show as groups.
func (c *call) together() []social.NotificationKind {
	all, wanted := social.Gathered(), c.noticeKinds("grouped_types")
	if len(wanted) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(k social.NotificationKind) bool { return !slices.Contains(wanted, k) })
}

func (a *API) notifications(c *call) (any, error) {
	f, err := c.told()
	if err != nil {
		return nil, err
	}
	f.Held = c.bool("include_filtered")
	list, err := a.Social.Notifications(c.Context(), c.reader, c.part(), f)
	out := []notification{}
	for _, v := range list {
		out = append(out, c.notificationShape(v))
	}
	return c.paged(out, err)
}

func (a *API) notificationGroups(c *call) (any, error) {
	f, err := c.told()
	if err != nil {
		return nil, err
	}
	f.Held, f.Together = c.bool("include_filtered"), c.together()
	list, err := a.Social.NotificationGroups(c.Context(), c.reader, c.part(), f)
	return c.paged(c.groupsShape(list), err)
}

func (a *API) unreadCount(c *call) (any, error) { return c.unread(c.told()) }

func (a *API) unreadGroups(c *call) (any, error) {
	f, err := c.told()
	f.Together = c.together()
	return c.unread(f, err)
}

func (c *call) unread(f social.NotificationFilter, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	most := c.number("limit")
	if most <= 0 {
		most = 100
	}
	n, err := c.api.Social.Unread(c.Context(), c.reader, f, most)
	return unread{n}, err
}

func (a *API) notification(c *call, id social.ID) (any, error) {
	v, err := a.Social.Notification(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	return c.notificationShape(v), nil
}

func (a *API) clearNotifications(c *call) (any, error) {
	return empty{}, a.Social.ClearNotifications(c.Context(), c.reader, 0)
}

func (a *API) dismissNotification(c *call, id social.ID) (any, error) {
	return empty{}, a.Social.ClearNotifications(c.Context(), c.reader, id)
}

func (a *API) notificationGroup(c *call) (any, error) {
	g, err := a.Social.NotificationGroup(c.Context(), c.reader, c.path("key"), c.bool("include_filtered"))
	if err != nil {
		return nil, err
	}
	return c.groupsShape([]*social.NotificationGroup{g}), nil
}

func (a *API) notificationAccounts(c *call) (any, error) {
	list, err := a.Social.NotificationGroupAccounts(c.Context(), c.reader, c.path("key"), c.part(), c.bool("include_filtered"))
	return c.paged(c.accounts(list), err)
}

func (a *API) dismissGroup(c *call) (any, error) {
	return empty{}, a.Social.ClearNotificationGroup(c.Context(), c.reader, c.path("key"))
}

package api

import "parley/social"

func (a *API) notificationRoutes() []route {
	return []route{
		{route: "GET /api/v1/notifications", scope: "read:notifications", run: a.notifications,
			does: "What concerns you", takes: paged("types texts only these", "exclude_types texts all but these"), gives: []notification{}},
		{route: "GET /api/v1/notifications/unread_count", scope: "read:notifications", run: a.unreadCount,
			does: "How many are unread", gives: unread{}},
		{route: "POST /api/v1/notifications/clear", scope: "write:notifications", run: a.clearNotifications,
			does: "Put all away", gives: empty{}},
		{route: "GET /api/v1/notifications/{id}", scope: "read:notifications", run: withID(a.notification),
			does: "A notification", gives: notification{}},
		{route: "POST /api/v1/notifications/{id}/dismiss", scope: "write:notifications", run: withID(a.dismissNotification),
			does: "Put one away", gives: empty{}},
	}
}

func (a *API) notifications(c *call) (any, error) {
	kinds := func(name string) []social.NotificationKind {
		var out []social.NotificationKind
		for _, s := range c.list(name) {
			out = append(out, social.NotificationKind(s))
		}
		return out
	}
	list, err := a.Social.Notifications(c.Context(), c.reader, c.part(), kinds("types"), kinds("exclude_types"))
	out := []notification{}
	for _, v := range list {
		out = append(out, c.notificationShape(v))
	}
	return c.paged(out, err)
}

func (a *API) unreadCount(c *call) (any, error) {
	n, err := a.Social.Unread(c.Context(), c.reader)
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

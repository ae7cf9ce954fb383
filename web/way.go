package web

// way is one entry of the navigation.
type way struct {
	Path, Icon, Label string
	Tab               bool // small screens show it too; the others stand in the menu
	Posts             bool // a list of posts, one of the tabs above each
	Current           bool
	Count             int
	CountText         string
}

// Ways lists where a member can go.
func (f *frame) Ways() []way {
	ways := []way{
		{Posts: true, Path: "/", Icon: "home", Label: f.T("home"), Tab: true},
		{Posts: true, Path: "/company", Icon: "company", Label: f.T("company"), Tab: true},
		{Posts: true, Path: "/here", Icon: "here", Label: f.Org.Name},
		{Posts: true, Path: "/public", Icon: "all", Label: f.T("all_posts")},
		{Posts: true, Path: "/groups", Icon: "groups", Label: f.T("groups")},
		{Posts: true, Path: "/tags", Icon: "tag", Label: f.T("topics")},
		{Path: "/conversations", Icon: "reply", Label: f.T("talks_nav")},
		{Path: "/directory", Icon: "people", Label: f.T("directory")},
		{Path: "/find", Icon: "search", Label: f.T("find"), Tab: true},
		{Path: "/notifications", Icon: "bell", Label: f.T("notifications"), Tab: true, Count: f.Unread, CountText: f.T("unread", f.Unread)},
		{Path: "/drafts", Icon: "pen", Label: f.T("drafts")},
		{Path: "/lists", Icon: "list", Label: f.T("lists")},
		{Path: "/bookmarks", Icon: "bookmark", Label: f.T("bookmarks")},
		{Path: "/@" + f.Me.Username, Icon: "person", Label: f.Me.Name()},
		{Path: "/settings", Icon: "settings", Label: f.T("settings")},
	}
	if f.Admin {
		ways = append(ways, way{Path: "/admin", Icon: "admin", Label: f.T("admin_nav"), Count: f.Knocking, CountText: f.N("servers_wait", f.Knocking)})
	}
	if !f.Admin && f.moderates() {
		ways = append(ways, way{Path: "/admin/reports", Icon: "warn", Label: f.T("admin_reports")})
	}
	for i := range ways {
		ways[i].Current = f.Here(ways[i].Path)
	}
	return ways
}

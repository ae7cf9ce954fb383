package api

import "parley/social"

func (a *API) timelineRoutes() []route {
	return []route{
		{route: "GET /api/v1/timelines/home", scope: "read:statuses", run: a.home,
			does: "Posts of whom you follow", takes: paged(), gives: []status{}},
		{route: "GET /api/v1/timelines/public", run: a.public,
			does: "Public posts", takes: paged("local bool only from here", "remote bool only from elsewhere", "only_media bool only with files"), gives: []status{}},
		{route: "GET /api/v1/timelines/tag/{tag}", run: a.tag,
			does: "Posts with a hashtag", takes: paged(), gives: []status{}},
		{route: "GET /api/v1/bookmarks", scope: "read:bookmarks", run: a.bookmarks,
			does: "Posts that you keep", takes: paged(), gives: []status{}},
		{route: "GET /api/v1/favourites", scope: "read:favourites", run: a.favourites,
			does: "Posts that you like", takes: paged(), gives: []status{}},
	}
}

// posts answers a page of posts with its links.
func (c *call) posts(views []*social.PostView, err error) (any, error) {
	return c.paged(c.statuses(views), err)
}

func (a *API) home(c *call) (any, error) {
	return c.posts(a.Social.Home(c.Context(), c.reader, c.part()))
}

func (a *API) public(c *call) (any, error) {
	return c.posts(a.Social.Public(c.Context(), c.reader, c.part(), c.bool("local"), c.bool("remote"), social.PostFilter{OnlyMedia: c.bool("only_media")}))
}

func (a *API) tag(c *call) (any, error) {
	return c.posts(a.Social.TagPosts(c.Context(), c.reader, c.path("tag"), c.part()))
}

func (a *API) bookmarks(c *call) (any, error) {
	return c.posts(a.Social.Bookmarks(c.Context(), c.reader, c.part(), ""))
}

func (a *API) favourites(c *call) (any, error) {
	return c.posts(a.Social.Favourites(c.Context(), c.reader, c.part()))
}

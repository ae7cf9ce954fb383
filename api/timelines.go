package api

import "parley/social"

func (a *API) timelineRoutes() []route {
	return []route{
		{route: "GET /api/v1/timelines/home", scope: "read:statuses", run: a.home},
		{route: "GET /api/v1/timelines/public", run: a.public},
		{route: "GET /api/v1/timelines/tag/{tag}", run: a.tag},
		{route: "GET /api/v1/bookmarks", scope: "read:bookmarks", run: a.bookmarks},
		{route: "GET /api/v1/favourites", scope: "read:favourites", run: a.favourites},
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
	return c.posts(a.Social.Bookmarks(c.Context(), c.reader, c.part()))
}

func (a *API) favourites(c *call) (any, error) {
	return c.posts(a.Social.Favourites(c.Context(), c.reader, c.part()))
}

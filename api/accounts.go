package api

import (
	"parley/social"
)

func (a *API) accountRoutes() []route {
	const one = "/api/v1/accounts/{id:[0-9]+}"
	return []route{
		{route: "GET /api/v1/accounts/verify_credentials", scope: "read:accounts", run: a.verifyCredentials,
			does: "Who you are", gives: account{}},
		{route: "PATCH /api/v1/accounts/update_credentials", scope: "write:accounts", run: a.updateCredentials, files: true,
			does: "Change your profile: what is not sent stays", takes: in{"display_name text your name", "note text about you", "avatar file a picture", "header file a wide picture", "locked bool followers need your consent", "bot bool a program writes here", "discoverable bool show me in search and suggestions", "hide_collections bool hide whom I follow", "source[privacy] text who sees new posts: public, unlisted, private or direct", "source[language] text of your posts", "fields_attributes objects lines with name and value"}, gives: account{}},
		{route: "DELETE /api/v1/profile/avatar", scope: "write:accounts", run: a.deletePicture(social.ProfileChange{AvatarID: new(social.ID)}),
			does: "Take your picture away", gives: account{}},
		{route: "DELETE /api/v1/profile/header", scope: "write:accounts", run: a.deletePicture(social.ProfileChange{HeaderID: new(social.ID)}),
			does: "Take your wide picture away", gives: account{}},
		{route: "GET /api/v1/accounts/lookup", run: a.lookup,
			does: "Somebody by handle", takes: in{"acct! text name, or name@host"}, gives: account{}},
		{route: "GET /api/v1/accounts/search", scope: "read:accounts", run: a.searchAccounts,
			does: "Find people", takes: in{"q! text name or handle", "limit number how many at most", "offset number leave out so many", "resolve bool ask the server that a handle names", "following bool only whom you follow"}, gives: []account{}},
		{route: "GET /api/v1/accounts/relationships", scope: "read:follows", run: a.relationships,
			does: "What you and others are to each other", takes: in{"id! ids who"}, gives: []relation{}},
		{route: "GET " + one, run: withID(a.account),
			does: "Somebody", gives: account{}},
		{route: "GET " + one + "/statuses", run: withID(a.accountStatuses),
			does: "What somebody wrote", takes: paged("only_media bool only with files", "exclude_replies bool without answers", "exclude_reblogs bool without shares", "pinned bool only what is shown first", "tagged text only with this hashtag"), gives: []status{}},
		{route: "GET " + one + "/followers", scope: "read:accounts", run: withID(a.followers),
			does: "Who follows somebody", takes: paged(), gives: []account{}},
		{route: "GET " + one + "/following", scope: "read:accounts", run: withID(a.following),
			does: "Whom somebody follows", takes: paged(), gives: []account{}},
		{route: "POST " + one + "/follow", scope: "write:follows", run: withID(a.follow),
			does: "Follow somebody", takes: in{"reblogs bool show what they share", "notify bool tell me of each post"}, gives: relation{}},
		{route: "POST " + one + "/unfollow", scope: "write:follows", run: withID(a.unfollow),
			does: "Follow no longer", gives: relation{}},
		{route: "POST " + one + "/block", scope: "write:blocks", run: turned(a.block, true),
			does: "Block somebody", gives: relation{}},
		{route: "POST " + one + "/unblock", scope: "write:blocks", run: turned(a.block, false),
			does: "Block no longer", gives: relation{}},
		{route: "POST " + one + "/mute", scope: "write:mutes", run: turned(a.mute, true),
			does: "Hide what somebody writes", gives: relation{}},
		{route: "POST " + one + "/unmute", scope: "write:mutes", run: turned(a.mute, false),
			does: "Hide it no longer", gives: relation{}},
		{route: "GET /api/v1/follow_requests", scope: "read:follows", run: a.followRequests,
			does: "Who wants to follow you", takes: paged(), gives: []account{}},
		{route: "POST /api/v1/follow_requests/{id}/authorize", scope: "write:follows", run: turned(a.answerFollow, true),
			does: "Let somebody follow you", gives: relation{}},
		{route: "POST /api/v1/follow_requests/{id}/reject", scope: "write:follows", run: turned(a.answerFollow, false),
			does: "Do not let somebody follow you", gives: relation{}},
		{route: "POST /api/v1/reports", scope: "write:reports", run: a.report,
			does: "Report somebody", takes: in{"account_id! id whom", "status_ids ids posts that show it", "comment text what is wrong", "forward bool tell their server too"}, gives: report{}},
		{route: "GET /api/v2/search", run: a.search,
			does: "Find people, posts and hashtags", takes: paged("q! text what to find", "type text accounts, statuses or hashtags; all if nothing is named", "resolve bool ask the server that a handle or address names", "following bool only people whom you follow", "offset number leave out so many"), gives: searchResult{}},
	}
}

func (a *API) verifyCredentials(c *call) (any, error) {
	me, err := a.Social.Account(c.Context(), c.reader, c.reader.AccountID())
	if err != nil {
		return nil, err
	}
	return c.ownShape(me)
}

// updateCredentials changes the caller's profile: what is not sent stays.
func (a *API) updateCredentials(c *call) (any, error) {
	change := social.ProfileChange{DisplayName: c.maybeText("display_name"), Note: c.maybeText("note"), Locked: c.maybeBool("locked"),
		HideNetwork: c.maybeBool("hide_collections"), Bot: c.maybeBool("bot"), Discoverable: c.maybeBool("discoverable"), Language: c.maybeText("source[language]"), Fields: c.fields()}
	if privacy := c.in.Get("source[privacy]"); privacy != "" {
		label, err := c.defaultAudience(privacy)
		if err != nil {
			return nil, err
		}
		change.DefaultAudience = &label
	}
	for name, to := range map[string]**social.ID{"avatar": &change.AvatarID, "header": &change.HeaderID} {
		m, err := a.picture(c, name)
		if err != nil {
			return nil, err
		}
		if m != nil {
			*to = &m.ID
		}
	}
	me, err := a.Social.UpdateProfile(c.Context(), c.reader, change)
	if err != nil {
		return nil, err
	}
	return c.ownShape(me)
}

func (a *API) deletePicture(change social.ProfileChange) endpoint {
	return func(c *call) (any, error) {
		me, err := a.Social.UpdateProfile(c.Context(), c.reader, change)
		if err != nil {
			return nil, err
		}
		return c.ownShape(me)
	}
}

// fields reads the lines of a profile; nil when none were sent. Apps send empty
// ones for lines that are not used.
func (c *call) fields() []social.Field {
	rows := c.rows("fields_attributes")
	if len(rows) == 0 {
		return nil
	}
	out := []social.Field{}
	for _, row := range rows {
		if row["name"] != "" || row["value"] != "" {
			out = append(out, social.Field{Name: row["name"], Value: row["value"]})
		}
	}
	return out
}

// defaultAudience is what an app means by the default visibility it sets.
func (c *call) defaultAudience(privacy string) (string, error) {
	switch privacy {
	case "private":
		return string(social.AudienceFollowers), nil
	case "direct":
		return string(social.AudienceDirect), nil
	case "public", "unlisted":
		if c.reader.Grant != "" {
			return c.reader.GrantDefault(), nil
		}
		return privacy, nil
	}
	return "", social.Errorf(social.Invalid, "source[privacy] is public, unlisted, private or direct")
}

func (c *call) oneAccount(p *social.Account, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return c.accountShape(p), nil
}

func (a *API) account(c *call, id social.ID) (any, error) {
	return c.oneAccount(a.Social.Account(c.Context(), c.reader, id))
}

func (a *API) lookup(c *call) (any, error) {
	return c.oneAccount(a.Social.AccountByHandle(c.Context(), c.reader, c.in.Get("acct")))
}

func (c *call) searchOptions(kind string) social.SearchOptions {
	return social.SearchOptions{Type: kind, Resolve: c.bool("resolve"), Limit: c.number("limit"), Offset: c.number("offset"), Following: c.bool("following")}
}

func (a *API) searchAccounts(c *call) (any, error) {
	res, err := a.Social.Search(c.Context(), c.reader, c.in.Get("q"), c.searchOptions("accounts"))
	if err != nil {
		return nil, err
	}
	return c.accounts(res.Accounts), nil
}

func (a *API) search(c *call) (any, error) {
	o := c.searchOptions(c.in.Get("type"))
	o.Posts = c.page()
	res, err := a.Social.Search(c.Context(), c.reader, c.in.Get("q"), o)
	if err != nil {
		return nil, err
	}
	tags := []foundTag{}
	for _, t := range res.Tags {
		tags = append(tags, foundTag{Name: t, URL: a.Links.Tag(t), History: []empty{}})
	}
	return searchResult{Accounts: c.accounts(res.Accounts), Statuses: c.statuses(res.Posts), Hashtags: tags}, nil
}

func (a *API) relationships(c *call) (any, error) {
	ids, err := c.ids("id")
	if err != nil {
		return nil, err
	}
	list, err := a.Social.Relationships(c.Context(), c.reader, ids)
	if err != nil {
		return nil, err
	}
	out := []relation{}
	for _, r := range list {
		out = append(out, relationship(r))
	}
	return out, nil
}

func (a *API) accountStatuses(c *call, id social.ID) (any, error) {
	return c.posts(a.Social.AccountPosts(c.Context(), c.reader, id, c.part(), social.PostFilter{OnlyMedia: c.bool("only_media"),
		ExcludeReplies: c.bool("exclude_replies"), ExcludeBoosts: c.bool("exclude_reblogs"), Pinned: c.bool("pinned"), Tag: a.Social.Text.FoldTag(c.in.Get("tagged"))}))
}

// people answers a page of accounts with its links.
func (c *call) people(list []*social.Account, err error) (any, error) {
	return c.paged(c.accounts(list), err)
}

func (a *API) followers(c *call, id social.ID) (any, error) {
	list, _, err := a.Social.Followers(c.Context(), c.reader, id, c.part())
	return c.people(list, err)
}

func (a *API) following(c *call, id social.ID) (any, error) {
	list, _, err := a.Social.Following(c.Context(), c.reader, id, c.part())
	return c.people(list, err)
}

func (a *API) followRequests(c *call) (any, error) {
	list, _, err := a.Social.FollowRequests(c.Context(), c.reader, c.part())
	return c.people(list, err)
}

func related(r social.Relationship, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return relationship(r), nil
}

func (a *API) follow(c *call, id social.ID) (any, error) {
	return related(a.Social.Follow(c.Context(), c.reader, id, social.FollowOptions{ShowBoosts: c.maybeBool("reblogs"), Notify: c.maybeBool("notify")}))
}

func (a *API) unfollow(c *call, id social.ID) (any, error) {
	return related(a.Social.Unfollow(c.Context(), c.reader, id))
}

func (a *API) block(c *call, id social.ID, on bool) (any, error) {
	return related(a.Social.Block(c.Context(), c.reader, id, on))
}

func (a *API) mute(c *call, id social.ID, on bool) (any, error) {
	return related(a.Social.Mute(c.Context(), c.reader, id, on))
}

func (a *API) answerFollow(c *call, id social.ID, accept bool) (any, error) {
	return related(a.Social.AnswerFollow(c.Context(), c.reader, id, accept))
}

func (a *API) report(c *call) (any, error) {
	target, err := social.ParseID(c.in.Get("account_id"))
	if err != nil {
		return nil, err
	}
	posts, err := c.ids("status_ids")
	if err != nil {
		return nil, err
	}
	r, err := a.Social.Report(c.Context(), c.reader, target, posts, c.in.Get("comment"), c.bool("forward"))
	if err != nil {
		return nil, err
	}
	accused, err := a.Social.Account(c.Context(), c.reader, target)
	if err != nil {
		return nil, err
	}
	return c.reportShape(r, accused), nil
}

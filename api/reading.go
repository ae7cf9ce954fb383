package api

import (
	"slices"
	"strings"

	"parley/social"
)

func (a *API) readingRoutes() []route {
	const talk = "/api/v1/conversations/{id:[0-9]+}"
	return []route{
		{route: "GET /api/v1/conversations", scope: "read:statuses", run: a.conversations,
			does: "What was written to you, by thread", takes: paged(), gives: []conversation{}},
		{route: "POST " + talk + "/read", scope: "write:conversations", run: withID(a.readConversation),
			does: "Mark a conversation as read", gives: conversation{}},
		{route: "DELETE " + talk, scope: "write:conversations", run: withID(a.deleteConversation),
			does: "Put a conversation away", gives: empty{}},
		{route: "GET /api/v1/markers", scope: "read:statuses", run: a.markers,
			does: "How far you have read", takes: in{"timeline texts home, notifications"}, gives: map[string]markerShape{}},
		{route: "POST /api/v1/markers", scope: "write:statuses", run: a.setMarkers,
			does: "Say how far you have read", takes: in{"home[last_read_id] id in your home", "notifications[last_read_id] id in what concerns you"}, gives: map[string]markerShape{}},
		{route: "GET /api/v1/preferences", scope: "read:accounts", run: a.preferences,
			does: "How you write and read", gives: preferences{}},
		{route: "GET /api/v1/followed_tags", scope: "read:follows", run: a.followedTags,
			does: "Hashtags that you follow", takes: paged(), gives: []tagShape{}},
		{route: "GET /api/v1/tags/{tag}", run: a.tagShape,
			does: "A hashtag", gives: tagShape{}},
		{route: "POST /api/v1/tags/{tag}/follow", scope: "write:follows", run: a.followTag(true),
			does: "Follow a hashtag", gives: tagShape{}},
		{route: "POST /api/v1/tags/{tag}/unfollow", scope: "write:follows", run: a.followTag(false),
			does: "Follow it no longer", gives: tagShape{}},
		{route: "GET /api/v1/blocks", scope: "read:blocks", run: a.blocks,
			does: "Whom you block", takes: paged(), gives: []account{}},
		{route: "GET /api/v1/mutes", scope: "read:mutes", run: a.mutes,
			does: "Whose posts you hide", takes: paged(), gives: []account{}},
		{route: "GET /api/v1/suggestions", scope: "read:accounts", run: a.suggestionsV1,
			does: "Whom you could follow, as older apps ask", takes: in{"limit number how many at most"}, gives: []account{}},
		{route: "GET /api/v2/suggestions", scope: "read:accounts", run: a.suggestions,
			does: "Whom you could follow", takes: in{"limit number how many at most"}, gives: []suggestion{}},
	}
}

func (c *call) conversationShape(t *social.Conversation) conversation {
	return conversation{ID: t.ID.String(), Unread: t.Unread, Accounts: c.accounts(t.People), LastStatus: c.statusShape(t.Last)}
}

func (a *API) conversations(c *call) (any, error) {
	list, err := a.Social.Conversations(c.Context(), c.reader, c.part())
	out := []conversation{}
	for _, t := range list {
		out = append(out, c.conversationShape(t))
	}
	return c.paged(out, err)
}

func (a *API) readConversation(c *call, id social.ID) (any, error) {
	t, err := a.Social.ReadConversation(c.Context(), c.reader, id, false)
	if err != nil {
		return nil, err
	}
	return c.conversationShape(t), nil
}

func (a *API) deleteConversation(c *call, id social.ID) (any, error) {
	_, err := a.Social.ReadConversation(c.Context(), c.reader, id, true)
	return empty{}, err
}

type markerShape struct {
	LastRead  string `json:"last_read_id"`
	Version   int    `json:"version"`
	UpdatedAt string `json:"updated_at" format:"date-time"`
}

func markersOf(list []social.Marker, wanted []string) map[string]markerShape {
	out := map[string]markerShape{}
	for _, m := range list {
		if len(wanted) == 0 || slices.Contains(wanted, m.Timeline) {
			out[m.Timeline] = markerShape{m.LastRead.String(), m.Version, date(m.UpdatedAt)}
		}
	}
	return out
}

func (a *API) markers(c *call) (any, error) {
	list, err := a.Social.Markers(c.Context(), c.reader)
	return markersOf(list, c.list("timeline")), err
}

func (a *API) setMarkers(c *call) (any, error) {
	to := map[string]social.ID{}
	var names []string
	for name, values := range c.in {
		timeline, ok := strings.CutSuffix(name, "[last_read_id]")
		if !ok {
			continue
		}
		id, err := social.ParseID(values[0])
		if err != nil {
			return nil, social.Errorf(social.Invalid, "%s is an id", name)
		}
		to[timeline], names = id, append(names, timeline)
	}
	if len(to) == 0 {
		return map[string]markerShape{}, nil
	}
	list, err := a.Social.SetMarkers(c.Context(), c.reader, to)
	return markersOf(list, names), err
}

func (a *API) preferences(c *call) (any, error) {
	me, err := a.Social.Account(c.Context(), c.reader, c.reader.AccountID())
	if err != nil {
		return nil, err
	}
	privacy := map[string]string{"followers": "private", "unlisted": "unlisted", "direct": "direct"}[me.DefaultAudience]
	return preferences{Visibility: firstText(privacy, "public"), Language: textOrNil(me.Language), QuotePolicy: "public", ExpandMedia: "default"}, nil
}

type tagShape struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	URL       string  `json:"url"`
	History   []empty `json:"history"`
	Following bool    `json:"following"`
	Featuring bool    `json:"featuring"`
}

// tagOf has no history: counting who uses a tag would tell of posts that one may not see.
func (c *call) tagOf(name string, following bool) tagShape {
	return tagShape{ID: name, Name: name, URL: c.api.Links.Tag(name), History: []empty{}, Following: following}
}

func (a *API) followedTags(c *call) (any, error) {
	p := c.page().Clamp(100, 200)
	tags, cursors, err := a.Social.FollowedTags(c.Context(), c.reader, p)
	if err != nil {
		return nil, err
	}
	out := make([]tagShape, 0, len(tags))
	for _, t := range tags {
		out = append(out, c.tagOf(t, true))
	}
	if len(cursors) > 0 {
		a.link(c, cursors[0], cursors[len(cursors)-1], len(tags) == p.Limit)
	}
	return out, nil
}

func (a *API) tagShape(c *call) (any, error) {
	name := a.Social.Text.FoldTag(c.path("tag"))
	if name == "" {
		return nil, social.NotFoundError()
	}
	if c.reader.Account == nil {
		return c.tagOf(name, false), nil
	}
	tags, _, err := a.Social.FollowedTags(c.Context(), c.reader, social.Page{Limit: 200})
	return c.tagOf(name, slices.Contains(tags, name)), err
}

func (a *API) followTag(on bool) endpoint {
	return func(c *call) (any, error) {
		name, err := a.Social.FollowTag(c.Context(), c.reader, c.path("tag"), on)
		if err != nil {
			return nil, err
		}
		return c.tagOf(name, on), nil
	}
}

func (a *API) blocks(c *call) (any, error) {
	list, _, err := a.Social.Blocked(c.Context(), c.reader, c.part())
	return c.people(list, err)
}

func (a *API) mutes(c *call) (any, error) {
	list, _, err := a.Social.Muted(c.Context(), c.reader, c.part())
	return c.people(list, err)
}

// colleagues are those whom the first steps suggest too.
func (c *call) colleagues() ([]*social.Account, error) {
	list, err := c.api.Social.SuggestPeople(c.Context(), c.reader, min(max(c.number("limit"), 1), 40))
	if err != nil {
		return nil, err
	}
	var ids []social.ID
	for _, g := range list {
		ids = append(ids, g.AccountID)
	}
	return c.api.Social.ShownAccounts(c.Context(), c.reader, ids)
}

func (a *API) suggestionsV1(c *call) (any, error) {
	list, err := c.colleagues()
	return c.accounts(list), err
}

func (a *API) suggestions(c *call) (any, error) {
	list, err := c.colleagues()
	out := []suggestion{}
	for _, account := range list {
		out = append(out, suggestion{Source: "staff", Sources: []string{"featured"}, Account: c.accountShape(account)})
	}
	return out, err
}

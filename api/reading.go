package api

import (
	"slices"
	"strings"

	"parley/social"
)

func (a *API) readingRoutes() []route {
	const talk = "/api/v1/conversations/{id:[0-9]+}"
	return []route{
		{route: "GET /api/v1/conversations", scope: "read:statuses", run: a.conversations},
		{route: "POST " + talk + "/read", scope: "write:conversations", run: withID(a.readConversation)},
		{route: "DELETE " + talk, scope: "write:conversations", run: withID(a.deleteConversation)},
		{route: "GET /api/v1/markers", scope: "read:statuses", run: a.markers},
		{route: "POST /api/v1/markers", scope: "write:statuses", run: a.setMarkers},
		{route: "GET /api/v1/preferences", scope: "read:accounts", run: a.preferences},
		{route: "GET /api/v1/followed_tags", scope: "read:follows", run: a.followedTags},
		{route: "GET /api/v1/tags/{tag}", run: a.tagShape},
		{route: "POST /api/v1/tags/{tag}/follow", scope: "write:follows", run: a.followTag(true)},
		{route: "POST /api/v1/tags/{tag}/unfollow", scope: "write:follows", run: a.followTag(false)},
		{route: "GET /api/v1/blocks", scope: "read:blocks", run: a.blocks},
		{route: "GET /api/v1/mutes", scope: "read:mutes", run: a.mutes},
		{route: "GET /api/v1/suggestions", scope: "read:accounts", run: a.suggestionsV1},
		{route: "GET /api/v2/suggestions", scope: "read:accounts", run: a.suggestions},
	}
}

func (c *call) conversationShape(t *social.Conversation) map[string]any {
	return map[string]any{"id": t.ID.String(), "unread": t.Unread, "accounts": c.accounts(t.People), "last_status": c.statusShape(t.Last)}
}

func (a *API) conversations(c *call) (any, error) {
	list, err := a.Social.Conversations(c.Context(), c.reader, c.part())
	out := []any{}
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
	return struct{}{}, err
}

type markerShape struct {
	LastRead  string `json:"last_read_id"`
	Version   int    `json:"version"`
	UpdatedAt string `json:"updated_at"`
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
	return map[string]any{"posting:default:visibility": firstText(privacy, "public"), "posting:default:sensitive": false, "posting:default:language": textOrNil(me.Language),
		"posting:default:quote_policy": "public", "reading:expand:media": "default", "reading:expand:spoilers": false, "reading:autoplay:gifs": false}, nil
}

type tagShape struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	History   []any  `json:"history"`
	Following bool   `json:"following"`
	Featuring bool   `json:"featuring"`
}

// tagOf has no history: counting who uses a tag would tell of posts that one may not see.
func (c *call) tagOf(name string, following bool) tagShape {
	return tagShape{ID: name, Name: name, URL: c.api.Links.Tag(name), History: []any{}, Following: following}
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
	out := []any{}
	for _, account := range list {
		out = append(out, map[string]any{"source": "staff", "sources": []string{"featured"}, "account": c.accountShape(account)})
	}
	return out, err
}

package api

import (
	"strconv"
	"time"

	"parley/social"
)

func (a *API) statusRoutes() []route {
	return []route{
		{route: "POST /api/v1/statuses", scope: "write:statuses", run: a.publish},
		{route: "GET /api/v1/statuses/{id}", run: withID(a.status)},
		{route: "PUT /api/v1/statuses/{id}", scope: "write:statuses", run: withID(a.edit)},
		{route: "DELETE /api/v1/statuses/{id}", scope: "write:statuses", run: withID(a.remove)},
		{route: "GET /api/v1/statuses/{id}/context", run: withID(a.context)},
		{route: "GET /api/v1/statuses/{id}/source", scope: "read:statuses", run: withID(a.source)},
		{route: "GET /api/v1/statuses/{id}/history", run: withID(a.history)},
		{route: "GET /api/v1/statuses/{id}/favourited_by", run: withID(a.favouritedBy)},
		{route: "GET /api/v1/statuses/{id}/reblogged_by", run: withID(a.rebloggedBy)},
		{route: "POST /api/v1/statuses/{id}/favourite", scope: "write:favourites", run: turned(a.favourite, true)},
		{route: "POST /api/v1/statuses/{id}/unfavourite", scope: "write:favourites", run: turned(a.favourite, false)},
		{route: "POST /api/v1/statuses/{id}/reblog", scope: "write:statuses", run: turned(a.reblog, true)},
		{route: "POST /api/v1/statuses/{id}/unreblog", scope: "write:statuses", run: turned(a.reblog, false)},
		{route: "POST /api/v1/statuses/{id}/bookmark", scope: "write:bookmarks", run: turned(a.bookmark, true)},
		{route: "POST /api/v1/statuses/{id}/unbookmark", scope: "write:bookmarks", run: turned(a.bookmark, false)},
		{route: "POST /api/v1/statuses/{id}/pin", scope: "write:accounts", run: turned(a.pin, true)},
		{route: "POST /api/v1/statuses/{id}/unpin", scope: "write:accounts", run: turned(a.pin, false)},
		{route: "GET /api/v1/polls/{id}", run: withID(a.poll)},
		{route: "POST /api/v1/polls/{id}/votes", scope: "write:statuses", run: withID(a.vote)},
	}
}

func (c *call) one(v *social.PostView, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return c.statusShape(v), nil
}

// draft reads what POST and PUT of a status have in common.
func (a *API) draft(c *call) (d social.Draft, err error) {
	d = social.Draft{Text: c.in.Get("status"), Summary: c.in.Get("spoiler_text"), Sensitive: c.bool("sensitive"), Language: c.in.Get("language"),
		Audience: c.in.Get("audience"), Visibility: c.in.Get("visibility"), IdempotencyKey: storable(c.Header.Get("Idempotency-Key"))}
	if d.MediaIDs, err = c.ids("media_ids"); err != nil {
		return d, err
	}
	if d.InReplyTo, err = c.id("in_reply_to_id"); err != nil {
		return d, err
	}
	if d.QuoteOf, err = c.id("quoted_status_id"); err != nil {
		return d, err
	}
	if d.At, err = c.scheduledAt(); err != nil {
		return d, err
	}
	d.Poll, err = c.pollDraft()
	return d, err
}

func (c *call) pollDraft() (*social.PollDraft, error) {
	options := c.list("poll[options]")
	if len(options) == 0 {
		return nil, nil
	}
	seconds, err := strconv.Atoi(c.in.Get("poll[expires_in]"))
	if err != nil || seconds > 1<<30 {
		return nil, social.Errorf(social.Invalid, "poll[expires_in] is a number of seconds")
	}
	return &social.PollDraft{Options: options, Multiple: c.bool("poll[multiple]"), ExpiresIn: time.Duration(seconds) * time.Second}, nil
}

func (a *API) publish(c *call) (any, error) {
	d, err := a.draft(c)
	if err != nil {
		return nil, err
	}
	if !d.At.IsZero() {
		return c.oneScheduled(a.Social.Schedule(c.Context(), c.reader, d))
	}
	return c.one(a.Social.Publish(c.Context(), c.reader, d))
}

func (a *API) edit(c *call, id social.ID) (any, error) {
	d, err := a.draft(c)
	if err != nil {
		return nil, err
	}
	for _, row := range c.rows("media_attributes") {
		media, err := social.ParseID(row["id"])
		if err != nil {
			return nil, err
		}
		if text, ok := row["description"]; ok {
			if _, err := a.Social.DescribeMedia(c.Context(), c.reader, media, &text, nil); err != nil {
				return nil, err
			}
		}
	}
	return c.one(a.Social.Edit(c.Context(), c.reader, id, d))
}

func (a *API) status(c *call, id social.ID) (any, error) {
	return c.one(a.Social.Post(c.Context(), c.reader, id))
}

func (a *API) remove(c *call, id social.ID) (any, error) {
	v, err := a.Social.Delete(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	out := c.statusShape(v)
	out["text"] = v.Post.Source
	return out, nil
}

func (a *API) context(c *call, id social.ID) (any, error) {
	above, below, err := a.Social.Thread(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ancestors": c.statuses(above), "descendants": c.statuses(below)}, nil
}

func (a *API) source(c *call, id social.ID) (any, error) {
	v, err := a.Social.Post(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	if v.Post.AuthorID != c.reader.AccountID() {
		return nil, social.NotFoundError()
	}
	return map[string]string{"id": id.String(), "text": v.Post.Source, "spoiler_text": v.Post.Summary}, nil
}

func (a *API) history(c *call, id social.ID) (any, error) {
	v, err := a.Social.Post(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	versions, err := a.Social.Versions(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, p := range versions {
		out = append(out, c.versionShape(v, p))
	}
	return out, nil
}

func (a *API) favouritedBy(c *call, id social.ID) (any, error) {
	list, err := a.Social.Favouriters(c.Context(), c.reader, id, c.part())
	return c.people(list, err)
}

func (a *API) rebloggedBy(c *call, id social.ID) (any, error) {
	list, err := a.Social.Boosters(c.Context(), c.reader, id, c.part())
	return c.people(list, err)
}

func (a *API) favourite(c *call, id social.ID, on bool) (any, error) {
	return c.one(a.Social.Favourite(c.Context(), c.reader, id, on))
}

func (a *API) reblog(c *call, id social.ID, on bool) (any, error) {
	return c.one(a.Social.Boost(c.Context(), c.reader, id, on))
}

func (a *API) bookmark(c *call, id social.ID, on bool) (any, error) {
	return c.one(a.Social.Bookmark(c.Context(), c.reader, id, on))
}

func (a *API) pin(c *call, id social.ID, on bool) (any, error) {
	return c.one(a.Social.Pin(c.Context(), c.reader, id, on))
}

func (a *API) poll(c *call, id social.ID) (any, error) {
	v, err := a.Social.Post(c.Context(), c.reader, id)
	if err == nil && v.Post.Poll == nil {
		err = social.NotFoundError()
	}
	if err != nil {
		return nil, err
	}
	return c.pollShape(v), nil
}

func (a *API) vote(c *call, id social.ID) (any, error) {
	var choices []int
	for _, s := range c.list("choices") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, social.Errorf(social.Invalid, "choices are numbers")
		}
		choices = append(choices, n)
	}
	v, err := a.Social.Vote(c.Context(), c.reader, id, choices)
	if err != nil {
		return nil, err
	}
	return c.pollShape(v), nil
}

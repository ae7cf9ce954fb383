package api

import (
	"strconv"
	"time"

	"parley/social"
)

func (a *API) statusRoutes() []route {
	return []route{
		{route: "POST /api/v1/statuses", scope: "write:statuses", run: a.publish,
			does: "Write a post, now or at a time; the header Idempotency-Key makes repeats harmless", takes: in{"status text what you write", "media_ids ids files that were uploaded, in their order", "in_reply_to_id id the post that you answer", "quoted_status_id id the post that you quote", "spoiler_text text a warning before the text", "sensitive bool hide the files until a click", "question bool that you want an answer", "visibility text public, unlisted, private or direct", "audience text who sees it, as /api/parley/v1/audiences lists; counts before visibility", "language text of the text, such as de", "scheduled_at time send it then", "poll[options] texts what can be chosen", "poll[expires_in] number seconds until the poll closes", "poll[multiple] bool more than one may be chosen"}, gives: either{status{}, scheduledStatus{}}},
		{route: "GET /api/v1/statuses/{id}", run: withID(a.status),
			does: "A post", gives: status{}},
		{route: "PUT /api/v1/statuses/{id}", scope: "write:statuses", run: withID(a.edit),
			does: "Edit a post of yours", takes: in{"status text what you write", "media_ids ids files that stay, and new ones", "media_attributes objects id and description of files, to describe them anew", "spoiler_text text a warning before the text", "sensitive bool hide the files until a click", "question bool that you want an answer; as it was when left out", "audience text who sees it; an edit can narrow, never widen", "language text of the text", "poll[options] texts what can be chosen; this begins the votes anew", "poll[expires_in] number seconds until the poll closes", "poll[multiple] bool more than one may be chosen"}, gives: status{}},
		{route: "DELETE /api/v1/statuses/{id}", scope: "write:statuses", run: withID(a.remove),
			does: "Delete a post of yours; its text comes back once", gives: status{}},
		{route: "GET /api/v1/statuses/{id}/context", run: withID(a.context),
			does: "The posts above and below", gives: thread{}},
		{route: "GET /api/v1/statuses/{id}/source", scope: "read:statuses", run: withID(a.source),
			does: "What you typed", gives: statusSource{}},
		{route: "GET /api/v1/statuses/{id}/history", run: withID(a.history),
			does: "What a post said before", gives: []statusVersion{}},
		{route: "GET /api/v1/statuses/{id}/favourited_by", run: withID(a.favouritedBy),
			does: "Who likes a post", takes: paged(), gives: []account{}},
		{route: "GET /api/v1/statuses/{id}/reblogged_by", run: withID(a.rebloggedBy),
			does: "Who shared a post", takes: paged(), gives: []account{}},
		{route: "GET /api/v1/statuses/{id}/quotes", run: withID(a.quotes),
			does: "Posts that quote it", takes: paged(), gives: []status{}},
		{route: "POST /api/v1/statuses/{id}/favourite", scope: "write:favourites", run: turned(a.favourite, true),
			does: "Like a post", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/unfavourite", scope: "write:favourites", run: turned(a.favourite, false),
			does: "Take back a like", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/reblog", scope: "write:statuses", run: turned(a.reblog, true),
			does: "Share a post", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/unreblog", scope: "write:statuses", run: turned(a.reblog, false),
			does: "Take back a share", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/bookmark", scope: "write:bookmarks", run: turned(a.bookmark, true),
			does: "Keep a post", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/unbookmark", scope: "write:bookmarks", run: turned(a.bookmark, false),
			does: "Keep a post no longer", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/pin", scope: "write:accounts", run: turned(a.pin, true),
			does: "Show a post first on your profile", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/unpin", scope: "write:accounts", run: turned(a.pin, false),
			does: "Show it first no longer", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/mute", scope: "write:mutes", run: turned(a.muteThread, true),
			does: "Hear nothing more of the conversation that a post stands in", gives: status{}},
		{route: "POST /api/v1/statuses/{id}/unmute", scope: "write:mutes", run: turned(a.muteThread, false),
			does: "Hear of it again", gives: status{}},
		{route: "GET /api/v1/polls/{id}", run: withID(a.poll),
			does: "A poll", gives: poll{}},
		{route: "POST /api/v1/polls/{id}/votes", scope: "write:statuses", run: withID(a.vote),
			does: "Vote", takes: in{"choices! numbers places of the options, from 0"}, gives: poll{}},
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
	d = social.Draft{Text: c.in.Get("status"), Summary: c.in.Get("spoiler_text"), Sensitive: c.bool("sensitive"), Language: c.in.Get("language"), Audience: c.in.Get("audience"), Question: c.maybeBool("question")}
	if d.MediaIDs, err = c.ids("media_ids"); err != nil {
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
	d.Visibility, d.IdempotencyKey = c.in.Get("visibility"), storable(c.Header.Get("Idempotency-Key"))
	if d.InReplyTo, err = c.id("in_reply_to_id"); err != nil {
		return nil, err
	}
	if d.QuoteOf, err = c.id("quoted_status_id"); err != nil {
		return nil, err
	}
	if d.At, err = c.scheduledAt(); err != nil {
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
	out.Text = &v.Post.Source
	return out, nil
}

func (a *API) context(c *call, id social.ID) (any, error) {
	above, below, err := a.Social.Thread(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	return thread{Ancestors: c.statuses(above), Descendants: c.statuses(below)}, nil
}

func (a *API) source(c *call, id social.ID) (any, error) {
	v, err := a.Social.Post(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	if v.Post.AuthorID != c.reader.AccountID() {
		return nil, social.NotFoundError()
	}
	return statusSource{ID: id.String(), Text: v.Post.Source, SpoilerText: v.Post.Summary}, nil
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
	out := []statusVersion{}
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

func (a *API) muteThread(c *call, id social.ID, on bool) (any, error) {
	return c.one(a.Social.MuteThread(c.Context(), c.reader, id, on))
}

func (a *API) pin(c *call, id social.ID, on bool) (any, error) {
	return c.one(a.Social.Pin(c.Context(), c.reader, id, on))
}

func (a *API) quotes(c *call, id social.ID) (any, error) {
	return c.posts(a.Social.Quotes(c.Context(), c.reader, id, c.part()))
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

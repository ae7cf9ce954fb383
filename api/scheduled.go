package api

import (
	"strings"
	"time"

	"parley/social"
)

func (a *API) scheduledRoutes() []route {
	return []route{
		{route: "GET /api/v1/scheduled_statuses", scope: "read:statuses", run: a.scheduledList},
		{route: "GET /api/v1/scheduled_statuses/{id}", scope: "read:statuses", run: withID(a.scheduled)},
		{route: "PUT /api/v1/scheduled_statuses/{id}", scope: "write:statuses", run: withID(a.reschedule)},
		{route: "DELETE /api/v1/scheduled_statuses/{id}", scope: "write:statuses", run: withID(a.unschedule)},
	}
}

// scheduledAt reads a time with its zone; zero if none was sent.
func (c *call) scheduledAt() (time.Time, error) {
	text := c.in.Get("scheduled_at")
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, social.Errorf(social.Invalid, "scheduled_at is a time such as 2027-01-31T09:00:00.000Z")
	}
	return at, nil
}

func (c *call) oneScheduled(v *social.UnsentView, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return c.scheduledShape(v), nil
}

// ownScheduled loads a post that is scheduled; a draft is none.
func (a *API) ownScheduled(c *call, id social.ID) (*social.UnsentView, error) {
	v, err := a.Social.Draft(c.Context(), c.reader, id)
	if err == nil && v.State != social.UnsentScheduled {
		err = social.NotFoundError()
	}
	return v, err
}

func (a *API) scheduledList(c *call) (any, error) {
	list, err := a.Social.Scheduled(c.Context(), c.reader, c.part())
	out := []any{}
	for _, v := range list {
		out = append(out, c.scheduledShape(v))
	}
	return c.paged(out, err)
}

func (a *API) scheduled(c *call, id social.ID) (any, error) {
	return c.oneScheduled(a.ownScheduled(c, id))
}

func (a *API) reschedule(c *call, id social.ID) (any, error) {
	if _, err := a.ownScheduled(c, id); err != nil {
		return nil, err
	}
	at, err := c.scheduledAt()
	if err != nil {
		return nil, err
	}
	return c.oneScheduled(a.Social.Reschedule(c.Context(), c.reader, id, at))
}

func (a *API) unschedule(c *call, id social.ID) (any, error) {
	if _, err := a.ownScheduled(c, id); err != nil {
		return nil, err
	}
	return map[string]any{}, a.Social.DeleteDraft(c.Context(), c.reader, id)
}

// scheduledShape is the ScheduledStatus of the Mastodon API.
func (c *call) scheduledShape(v *social.UnsentView) map[string]any {
	d, media, ids := v.Draft, []any{}, []string{}
	for _, m := range v.Files {
		media, ids = append(media, c.mediaShape(m)), append(ids, m.ID.String())
	}
	var poll any
	if d.Poll != nil {
		poll = map[string]any{"options": d.Poll.Options, "multiple": d.Poll.Multiple, "expires_in": int(d.Poll.ExpiresIn.Seconds()), "hide_totals": false}
	}
	kind, _, _ := strings.Cut(v.Audience, ":")
	return map[string]any{"id": v.ID.String(), "scheduled_at": date(v.DueAt), "media_attachments": media,
		"params": map[string]any{"text": d.Text, "spoiler_text": d.Summary, "sensitive": d.Sensitive, "language": textOrNil(d.Language),
			"visibility": social.Audience{Kind: social.AudienceKind(kind)}.Visibility(), "in_reply_to_id": idOrNil(d.InReplyTo), "quoted_status_id": idOrNil(d.QuoteOf),
			"media_ids": ids, "poll": poll, "idempotency": nil, "with_rate_limit": false, "scheduled_at": nil, "application_id": 0},
		"parley": map[string]any{"audience": v.Audience, "narrowed": v.Clamped}}
}

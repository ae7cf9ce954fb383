package api

import (
	"strings"
	"time"

	"parley/social"
)

func (a *API) scheduledRoutes() []route {
	return []route{
		{route: "GET /api/v1/scheduled_statuses", scope: "read:statuses", run: a.scheduledList,
			does: "Your posts that wait for their time", takes: paged(), gives: []scheduledStatus{}},
		{route: "GET /api/v1/scheduled_statuses/{id}", scope: "read:statuses", run: withID(a.scheduled),
			does: "A post that waits", gives: scheduledStatus{}},
		{route: "PUT /api/v1/scheduled_statuses/{id}", scope: "write:statuses", run: withID(a.reschedule),
			does: "Give it another time", takes: in{"scheduled_at! time when"}, gives: scheduledStatus{}},
		{route: "DELETE /api/v1/scheduled_statuses/{id}", scope: "write:statuses", run: withID(a.unschedule),
			does: "Do not send it", gives: empty{}},
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
	out := []scheduledStatus{}
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
	return empty{}, a.Social.DeleteDraft(c.Context(), c.reader, id)
}

// scheduledShape is the ScheduledStatus of the Mastodon API.
func (c *call) scheduledShape(v *social.UnsentView) scheduledStatus {
	d, media, ids := v.Draft, []attachment{}, []string{}
	for _, m := range v.Files {
		media, ids = append(media, c.mediaShape(m)), append(ids, m.ID.String())
	}
	var poll *pollParams
	if d.Poll != nil {
		poll = &pollParams{Options: d.Poll.Options, Multiple: d.Poll.Multiple, ExpiresIn: int(d.Poll.ExpiresIn.Seconds())}
	}
	kind, _, _ := strings.Cut(v.Audience, ":")
	return scheduledStatus{ID: v.ID.String(), ScheduledAt: date(v.DueAt), MediaAttachments: media,
		Params: scheduledParams{Text: d.Text, SpoilerText: d.Summary, Sensitive: d.Sensitive, Language: textOrNil(d.Language),
			Visibility: social.Audience{Kind: social.AudienceKind(kind)}.Visibility(), InReplyToID: idOrNil(d.InReplyTo), QuotedStatusID: idOrNil(d.QuoteOf),
			MediaIDs: ids, Poll: poll},
		Parley: scheduledExtra{Audience: v.Audience, Narrowed: v.Clamped}}
}

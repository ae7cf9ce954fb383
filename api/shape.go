package api

import (
	"html"
	"strings"
	"time"

	"parley/social"
)

func date(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func dateOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return date(t)
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func idOrNil(id social.ID) any {
	if id == 0 {
		return nil
	}
	return id.String()
}

func emojis(list []social.Emoji) []any {
	out := []any{}
	for _, e := range list {
		out = append(out, map[string]any{"shortcode": e.Shortcode, "url": e.URL, "static_url": e.URL, "visible_in_picker": false})
	}
	return out
}

func (a *API) picture(id social.ID, remote string) string {
	switch {
	case id != 0:
		return a.Links.Media(id, false)
	case remote != "":
		return remote
	}
	return a.Links.PublicURL + "/static/person.svg"
}

func (a *API) accountShape(p *social.Account) map[string]any {
	fields := []any{}
	for _, f := range p.Fields {
		fields = append(fields, map[string]any{"name": f.Name, "value": f.Value, "verified_at": dateOrNil(f.VerifiedAt)})
	}
	var last any
	if !p.LastPostAt.IsZero() {
		last = p.LastPostAt.Format("2006-01-02")
	}
	avatar, header := a.picture(p.AvatarID, p.AvatarURL), a.picture(p.HeaderID, p.HeaderURL)
	return map[string]any{"id": p.ID.String(), "username": p.Username, "acct": p.Acct(), "display_name": p.DisplayName, "locked": p.Locked,
		"bot": p.Bot, "discoverable": p.Discoverable, "indexable": p.Indexable, "group": p.Kind == social.KindGroup, "created_at": date(p.CreatedAt),
		"note": p.Note, "url": p.URL, "uri": p.URI, "avatar": avatar, "avatar_static": avatar, "header": header, "header_static": header,
		"followers_count": p.FollowersCount, "following_count": p.FollowingCount, "statuses_count": p.PostsCount, "last_status_at": last,
		"emojis": emojis(p.Emojis), "fields": fields}
}

func (a *API) accounts(list []*social.Account) []any {
	out := []any{}
	for _, p := range list {
		out = append(out, a.accountShape(p))
	}
	return out
}

func (a *API) attachment(m social.Attachment) map[string]any {
	url, small := m.URL, m.URL
	if m.MediaID != 0 {
		url, small = a.Links.Media(m.MediaID, false), a.Links.Media(m.MediaID, true)
	}
	id := m.MediaID
	if id == 0 {
		id = 1
	}
	out := map[string]any{"id": id.String(), "type": m.Kind, "url": url, "preview_url": small, "remote_url": textOrNil(m.URL),
		"description": textOrNil(m.Description), "blurhash": textOrNil(m.Blurhash), "meta": map[string]any{}}
	if m.Width > 0 {
		size := func(w, h int) map[string]any {
			return map[string]any{"width": w, "height": h, "size": "", "aspect": float64(w) / float64(max(h, 1))}
		}
		out["meta"] = map[string]any{"original": size(m.Width, m.Height), "small": size(max(m.SmallWidth, 1), max(m.SmallHeight, 1)),
			"focus": map[string]float64{"x": m.FocusX, "y": m.FocusY}}
	}
	return out
}

func (a *API) pollShape(v *social.PostView, now time.Time) any {
	p := v.Post.Poll
	if p == nil {
		return nil
	}
	total := 0
	options := []any{}
	for _, o := range p.Options {
		total += o.Votes
		options = append(options, map[string]any{"title": o.Title, "votes_count": o.Votes})
	}
	own := v.OwnVotes
	if own == nil {
		own = []int{}
	}
	return map[string]any{"id": v.Post.ID.String(), "expires_at": dateOrNil(p.ExpiresAt), "expired": p.Closed(now), "multiple": p.Multiple,
		"votes_count": total, "voters_count": p.Voters, "voted": v.Voted, "own_votes": own, "options": options, "emojis": []any{}}
}

func (a *API) statusShape(v *social.PostView) map[string]any {
	p := v.Post
	media, mentions, tags := []any{}, []any{}, []any{}
	for _, m := range p.Attachments {
		media = append(media, a.attachment(m))
	}
	for _, m := range p.Mentions {
		name, _, _ := strings.Cut(m.Acct, "@")
		mentions = append(mentions, map[string]any{"id": m.AccountID.String(), "username": name, "acct": m.Acct, "url": m.URL})
	}
	for _, t := range p.Tags {
		tags = append(tags, map[string]any{"name": t, "url": a.Links.Tag(t)})
	}
	content := p.Content
	if p.Title != "" {
		content = "<p><strong>" + html.EscapeString(p.Title) + "</strong></p>" + content
	}
	out := map[string]any{"id": p.ID.String(), "uri": p.URI, "url": p.URL, "created_at": date(p.PublishedAt), "edited_at": dateOrNil(p.EditedAt),
		"account": a.accountShape(v.Author), "content": content, "spoiler_text": p.Summary, "sensitive": p.Sensitive, "visibility": p.Audience.Visibility(),
		"language": textOrNil(p.Language), "in_reply_to_id": idOrNil(p.InReplyToID), "in_reply_to_account_id": idOrNil(p.InReplyToAccountID),
		"media_attachments": media, "mentions": mentions, "tags": tags, "emojis": emojis(p.Emojis), "card": nil, "application": nil,
		"replies_count": p.RepliesCount, "reblogs_count": p.BoostsCount, "favourites_count": p.FavouritesCount,
		"favourited": v.Favourited, "reblogged": v.Boosted, "bookmarked": v.Bookmarked, "pinned": v.Pinned, "muted": false,
		"poll": a.pollShape(v, a.Social.Now()), "reblog": nil, "filtered": []any{},
		"parley": map[string]any{"audience": p.Audience.Label(), "owner": p.Audience.Owner, "narrowed": v.Clamped}}
	if v.Boost != nil {
		out["reblog"] = a.statusShape(v.Boost)
		out["parley"] = map[string]any{"audience": p.Audience.Label(), "owner": p.Audience.Owner}
	}
	if v.Quote != nil {
		out["quote"] = map[string]any{"state": "accepted", "quoted_status": a.statusShape(v.Quote)}
	}
	return out
}

func (a *API) statuses(views []*social.PostView) []any {
	out := []any{}
	for _, v := range views {
		out = append(out, a.statusShape(v))
	}
	return out
}

func relationship(r social.Relationship) map[string]any {
	return map[string]any{"id": r.AccountID.String(), "following": r.Following, "showing_reblogs": r.ShowBoosts, "notifying": r.Notify,
		"followed_by": r.FollowedBy, "blocking": r.Blocking, "blocked_by": r.BlockedBy, "muting": r.Muting, "muting_notifications": r.Muting,
		"requested": r.Requested, "requested_by": r.RequestedBy, "domain_blocking": false, "endorsed": false, "note": "", "languages": nil}
}

func (a *API) notificationShape(v *social.NotificationView) map[string]any {
	out := map[string]any{"id": v.Notification.ID.String(), "type": string(v.Notification.Kind), "created_at": date(v.Notification.CreatedAt),
		"account": a.accountShape(v.From), "group_key": "ungrouped-" + v.Notification.ID.String()}
	if v.Post != nil {
		out["status"] = a.statusShape(v.Post)
	}
	return out
}

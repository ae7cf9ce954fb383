package api

import (
	"html"
	"strings"
	"time"

	"parley/social"
)

// The shapes are those of the Mastodon API; what apps cannot live without stands in
// clients.md, section 2, and in the test's table of fields.

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

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func emojis(list []social.Emoji) []any {
	out := []any{}
	for _, e := range list {
		out = append(out, map[string]any{"shortcode": e.Shortcode, "url": e.URL, "static_url": e.URL, "visible_in_picker": false})
	}
	return out
}

// nobody is the picture of who has none.
func (c *call) nobody() string { return c.api.Links.PublicURL + "/static/person.svg" }

func (c *call) picture(id social.ID, remote string) string {
	if id != 0 {
		return c.api.Links.Media(id, false)
	}
	return firstText(remote, c.nobody())
}

func (c *call) accountShape(p *social.Account) map[string]any {
	fields := []any{}
	for _, f := range p.Fields {
		fields = append(fields, map[string]any{"name": f.Name, "value": f.Value, "verified_at": dateOrNil(f.VerifiedAt)})
	}
	var last any
	posts := p.PostsCount
	if p.Local() && !c.reader.Local() {
		posts = 0 // it counts what only members may see
	} else if !p.LastPostAt.IsZero() {
		last = p.LastPostAt.UTC().Format("2006-01-02")
	}
	created := p.CreatedAt
	if created.IsZero() {
		created = p.ID.Time() // when it became known here
	}
	avatar, header := c.picture(p.AvatarID, p.AvatarURL), c.picture(p.HeaderID, p.HeaderURL)
	return map[string]any{"id": p.ID.String(), "username": p.Username, "acct": p.Acct(), "display_name": p.DisplayName, "locked": p.Locked,
		"bot": p.Bot, "discoverable": p.Discoverable, "indexable": p.Indexable, "group": p.Kind == social.KindGroup, "created_at": date(created),
		"note": p.Note, "url": firstText(p.URL, p.URI), "uri": p.URI, "avatar": avatar, "avatar_static": avatar, "header": header, "header_static": header,
		"followers_count": p.FollowersCount, "following_count": p.FollowingCount, "statuses_count": posts, "last_status_at": last,
		"emojis": emojis(p.Emojis), "fields": fields, "roles": []any{}}
}

// ownShape adds what only the member sees: the sources of what was typed.
func (c *call) ownShape(me *social.Account) (map[string]any, error) {
	waiting, _, err := c.api.Social.FollowRequests(c.Context(), c.reader, social.Page{Limit: 80})
	if err != nil {
		return nil, err
	}
	fields := []any{}
	for _, f := range me.Fields {
		fields = append(fields, map[string]any{"name": f.Name, "value": c.api.Social.Text.ToPlain(f.Value), "verified_at": dateOrNil(f.VerifiedAt)})
	}
	privacy := map[string]string{"followers": "private", "unlisted": "unlisted", "direct": "direct"}[me.DefaultAudience]
	out := c.accountShape(me)
	out["source"] = map[string]any{"note": me.NoteSource, "fields": fields, "privacy": firstText(privacy, "public"), "sensitive": false,
		"language": textOrNil(me.Language), "follow_requests_count": len(waiting), "discoverable": me.Discoverable, "indexable": me.Indexable,
		"hide_collections": me.HideNetwork}
	out["role"] = map[string]any{"id": "1", "name": string(me.Role), "permissions": "0", "color": "", "highlighted": false}
	return out, nil
}

func (c *call) accounts(list []*social.Account) []any {
	out := []any{}
	for _, p := range list {
		out = append(out, c.accountShape(p))
	}
	return out
}

// attachment is a file of a post. open says that everybody may see it. Files of other
// servers have no id of ours: they get the one given, and the address of our copy if
// there is one.
func (c *call) attachment(m social.Attachment, open bool, other social.ID, copied string) map[string]any {
	id, url := m.MediaID, firstText(copied, m.URL)
	small := url
	if id != 0 {
		url, small = c.api.Social.MediaLink(c.reader, id, false, open), c.api.Social.MediaLink(c.reader, id, true, open)
	} else {
		id = other
	}
	out := map[string]any{"id": id.String(), "type": kinds[m.Kind], "url": url, "preview_url": small, "remote_url": textOrNil(m.URL),
		"description": textOrNil(m.Description), "blurhash": textOrNil(m.Blurhash), "meta": map[string]any{}}
	if out["type"] == "" {
		out["type"] = "unknown"
	}
	if m.Width > 0 {
		size := func(w, h int) map[string]any {
			h = max(h, 1)
			return map[string]any{"width": w, "height": h, "size": "", "aspect": float64(w) / float64(h)}
		}
		out["meta"] = map[string]any{"original": size(m.Width, m.Height), "small": size(max(m.SmallWidth, 1), m.SmallHeight),
			"focus": map[string]float64{"x": m.FocusX, "y": m.FocusY}}
	}
	return out
}

// kinds is the closed set of attachment types.
var kinds = map[string]string{"image": "image", "video": "video", "gifv": "gifv", "audio": "audio"}

func (c *call) mediaShape(m *social.Media) map[string]any {
	return c.attachment(m.Attachment, false, m.ID, "")
}

func (c *call) pollShape(v *social.PostView) any {
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
	mine := c.reader.Known() && c.reader.AccountID() == v.Post.AuthorID // an author cannot vote: apps show the result
	return map[string]any{"id": v.Post.ID.String(), "expires_at": dateOrNil(p.ExpiresAt), "expired": p.Closed(c.api.Social.Now()), "multiple": p.Multiple,
		"votes_count": total, "voters_count": p.Voters, "voted": v.Voted || mine, "own_votes": own, "options": options, "emojis": []any{}}
}

// copied is the address of our copy of another server's file, "" where there is none:
// for who is no member, and for what an edit took from the post.
func (c *call) copied(now *social.Post, m social.Attachment) string {
	place := now.Place(m.URL)
	if !c.reader.Local() || !m.Copied() || place < 0 {
		return ""
	}
	return c.api.Social.RemoteMediaLink(c.reader, now.ID, place)
}

// files writes a post's attachments, and links in the text to those that apps do
// not show (clients.md, rule 12). now is the post's present state.
func (c *call) files(p, now *social.Post) (media []any, links string) {
	open := p.Audience.Everybody() && p.Ceiling.IsZero()
	media = []any{}
	for i, m := range p.Attachments {
		shape := c.attachment(m, open, p.ID+social.ID(i)+1, c.copied(now, m))
		media = append(media, shape)
		if url, ok := shape["url"].(string); ok && shape["type"] == "unknown" && url != "" {
			links += `<p><a href="` + html.EscapeString(url) + `" rel="nofollow noopener">` + html.EscapeString(firstText(m.Name, m.Description, m.MediaType, url)) + `</a></p>`
		}
	}
	return media, links
}

func content(p *social.Post) string {
	if p.Title == "" {
		return p.Content
	}
	return "<p><strong>" + html.EscapeString(p.Title) + "</strong></p>" + p.Content
}

func mentions(p *social.Post) []any {
	out := []any{}
	for _, m := range p.Told() {
		if m.AccountID == 0 {
			continue // nobody known here: apps could not open it
		}
		name, _, _ := strings.Cut(m.Acct, "@")
		out = append(out, map[string]any{"id": m.AccountID.String(), "username": name, "acct": m.Acct, "url": firstText(m.URL, m.URI)})
	}
	return out
}

func (c *call) statusShape(v *social.PostView) map[string]any {
	p := v.Post
	tags := []any{}
	for _, t := range p.Tags {
		tags = append(tags, map[string]any{"name": t, "url": c.api.Links.Tag(t)})
	}
	media, links := c.files(p, p)
	out := map[string]any{"id": p.ID.String(), "uri": p.URI, "url": firstText(p.URL, p.URI), "created_at": date(p.PublishedAt), "edited_at": dateOrNil(p.EditedAt),
		"account": c.accountShape(v.Author), "content": content(p) + links, "spoiler_text": p.Summary, "sensitive": p.Sensitive, "visibility": p.Audience.Visibility(),
		"language": textOrNil(p.Language), "in_reply_to_id": idOrNil(p.InReplyToID), "in_reply_to_account_id": idOrNil(p.InReplyToAccountID),
		"media_attachments": media, "mentions": mentions(p), "tags": tags, "emojis": emojis(p.Emojis), "card": nil, "application": nil,
		"replies_count": p.RepliesCount, "reblogs_count": p.BoostsCount, "favourites_count": p.FavouritesCount,
		"favourited": v.Favourited, "reblogged": v.Boosted, "bookmarked": v.Bookmarked, "pinned": v.Pinned, "muted": false,
		"poll": c.pollShape(v), "reblog": nil, "filtered": filtered(v),
		"parley": map[string]any{"audience": v.AudienceLabel(), "owner": p.Audience.Owner, "narrowed": v.Clamped, "via": textOrNil(p.Via), "group": groupID(v)}}
	if v.Boost != nil {
		out["reblog"] = c.statusShape(v.Boost)
	}
	if v.Quote != nil {
		out["quote"] = map[string]any{"state": "accepted", "quoted_status": c.statusShape(v.Quote)}
	}
	return out
}

// versionShape is a former state of a post.
func (c *call) versionShape(v *social.PostView, p *social.Post) map[string]any {
	at := p.EditedAt
	if at.IsZero() {
		at = p.PublishedAt
	}
	was := *p
	was.Audience, was.Ceiling = v.Post.Audience, v.Post.Ceiling // who may see it now counts
	media, links := c.files(&was, v.Post)
	return map[string]any{"content": content(p) + links, "spoiler_text": p.Summary, "sensitive": p.Sensitive, "created_at": date(at),
		"account": c.accountShape(v.Author), "media_attachments": media, "emojis": emojis(p.Emojis), "poll": nil}
}

func (c *call) statuses(views []*social.PostView) []any {
	out := []any{}
	for _, v := range views {
		out = append(out, c.statusShape(v))
	}
	return out
}

func relationship(r social.Relationship) map[string]any {
	return map[string]any{"id": r.AccountID.String(), "following": r.Following, "showing_reblogs": r.ShowBoosts, "notifying": r.Notify,
		"followed_by": r.FollowedBy, "blocking": r.Blocking, "blocked_by": r.BlockedBy, "muting": r.Muting, "muting_notifications": r.Muting,
		"requested": r.Requested, "requested_by": r.RequestedBy, "domain_blocking": false, "endorsed": false, "note": "", "languages": nil}
}

func (c *call) notificationShape(v *social.NotificationView) map[string]any {
	out := map[string]any{"id": v.Notification.ID.String(), "type": string(v.Notification.Kind), "created_at": date(v.Notification.CreatedAt),
		"account": c.accountShape(v.From), "group_key": "ungrouped-" + v.Notification.ID.String(), "status": nil}
	if v.Post != nil {
		out["status"] = c.statusShape(v.Post)
	}
	return out
}

func (c *call) reportShape(r *social.Report, accused *social.Account) map[string]any {
	posts := []string{}
	for _, id := range r.PostIDs {
		posts = append(posts, id.String())
	}
	return map[string]any{"id": r.ID.String(), "action_taken": false, "action_taken_at": nil, "comment": r.Comment, "forwarded": r.Forward,
		"created_at": date(r.CreatedAt), "category": "other", "status_ids": posts, "rule_ids": nil, "target_account": c.accountShape(accused)}
}

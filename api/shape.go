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

func dateOrNil(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return ptr(date(t))
}

func ptr(s string) *string { return &s }

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func idOrNil(id social.ID) *string {
	if id == 0 {
		return nil
	}
	return ptr(id.String())
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func emojis(list []social.Emoji) []emoji {
	out := []emoji{}
	for _, e := range list {
		out = append(out, emoji{Shortcode: e.Shortcode, URL: e.URL, StaticURL: e.URL})
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

// avatar of somebody elsewhere is our copy, for members: what an app fetched there would
// tell who reads what here.
func (c *call) avatar(a *social.Account) string {
	if a.Local() || a.Face.File == "" || !c.reader.Local() {
		return c.picture(a.AvatarID, "")
	}
	return c.api.Social.FaceLink(c.reader, a)
}

func (c *call) accountShape(p *social.Account) *account {
	fields := []profileField{}
	for _, f := range p.Fields {
		fields = append(fields, profileField{Name: f.Name, Value: f.Value, VerifiedAt: dateOrNil(f.VerifiedAt)})
	}
	var last *string
	posts := p.PostsCount
	if p.Local() && !c.reader.Local() {
		posts = 0 // it counts what only members may see
	} else if !p.LastPostAt.IsZero() {
		last = ptr(p.LastPostAt.UTC().Format("2006-01-02"))
	}
	created := p.CreatedAt
	if created.IsZero() {
		created = p.ID.Time() // when it became known here
	}
	avatar, header := c.avatar(p), c.picture(p.HeaderID, p.HeaderURL)
	return &account{ID: p.ID.String(), Username: p.Username, Acct: p.Acct(), DisplayName: p.DisplayName, Locked: p.Locked,
		Bot: p.Bot, Discoverable: p.Discoverable, Indexable: p.Indexable, Group: p.Kind == social.KindGroup, CreatedAt: date(created),
		Note: p.Note, URL: firstText(p.URL, p.URI), URI: p.URI, Avatar: avatar, AvatarStatic: avatar, Header: header, HeaderStatic: header,
		FollowersCount: p.FollowersCount, FollowingCount: p.FollowingCount, StatusesCount: posts, LastStatusAt: last,
		Emojis: emojis(p.Emojis), Fields: fields, Roles: []role{}}
}

// ownShape adds what only the member sees: the sources of what was typed.
func (c *call) ownShape(me *social.Account) (*account, error) {
	waiting, _, err := c.api.Social.FollowRequests(c.Context(), c.reader, social.Page{Limit: 80})
	if err != nil {
		return nil, err
	}
	fields := []profileField{}
	for _, f := range me.Fields {
		fields = append(fields, profileField{Name: f.Name, Value: c.api.Social.Text.ToPlain(f.Value), VerifiedAt: dateOrNil(f.VerifiedAt)})
	}
	privacy := map[string]string{"followers": "private", "unlisted": "unlisted", "direct": "direct"}[me.DefaultAudience]
	out := c.accountShape(me)
	out.Source = &accountSource{Note: me.NoteSource, Fields: fields, Privacy: firstText(privacy, "public"),
		Language: textOrNil(me.Language), FollowRequestsCount: len(waiting), Discoverable: me.Discoverable, Indexable: me.Indexable,
		HideCollections: me.HideNetwork}
	out.Role = &role{ID: "1", Name: string(me.Role), Permissions: "0"}
	return out, nil
}

func (c *call) accounts(list []*social.Account) []*account {
	out := []*account{}
	for _, p := range list {
		out = append(out, c.accountShape(p))
	}
	return out
}

// attachment is a file of a post. open says that everybody may see it. Files of other
// servers have no id of ours: they get the one given, and the address of our copy if
// there is one.
func (c *call) attachment(m social.Attachment, open bool, other social.ID, copied string) attachment {
	id, url := m.MediaID, firstText(copied, m.URL)
	small := url
	if id != 0 {
		url, small = c.api.Social.MediaLink(c.reader, id, false, open), c.api.Social.MediaLink(c.reader, id, true, open)
	} else {
		id = other
	}
	out := attachment{ID: id.String(), Type: firstText(kinds[m.Kind], "unknown"), URL: url, PreviewURL: small, RemoteURL: textOrNil(m.URL),
		Description: textOrNil(m.Description), Blurhash: textOrNil(m.Blurhash)}
	if m.Width > 0 {
		size := func(w, h int) *mediaSize {
			h = max(h, 1)
			return &mediaSize{Width: w, Height: h, Aspect: float64(w) / float64(h)}
		}
		out.Meta = mediaMeta{Original: size(m.Width, m.Height), Small: size(max(m.SmallWidth, 1), m.SmallHeight), Focus: &mediaFocus{X: m.FocusX, Y: m.FocusY}}
	}
	return out
}

// kinds is the closed set of attachment types.
var kinds = map[string]string{"image": "image", "video": "video", "gifv": "gifv", "audio": "audio"}

func (c *call) mediaShape(m *social.Media) attachment {
	return c.attachment(m.Attachment, false, m.ID, "")
}

func (c *call) pollShape(v *social.PostView) *poll {
	p := v.Post.Poll
	if p == nil {
		return nil
	}
	total := 0
	options := []pollOption{}
	for _, o := range p.Options {
		total += o.Votes
		options = append(options, pollOption{Title: o.Title, VotesCount: o.Votes})
	}
	own := v.OwnVotes
	if own == nil {
		own = []int{}
	}
	mine := c.reader.Known() && c.reader.AccountID() == v.Post.AuthorID // an author cannot vote: apps show the result
	return &poll{ID: v.Post.ID.String(), ExpiresAt: dateOrNil(p.ExpiresAt), Expired: p.Closed(c.api.Social.Now()), Multiple: p.Multiple,
		VotesCount: total, VotersCount: p.Voters, Voted: v.Voted || mine, OwnVotes: own, Options: options, Emojis: []emoji{}}
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
func (c *call) files(p, now *social.Post) (media []attachment, links string) {
	open := p.Audience.Everybody() && p.Ceiling.IsZero()
	media = []attachment{}
	for i, m := range p.Attachments {
		shape := c.attachment(m, open, p.ID+social.ID(i)+1, c.copied(now, m))
		media = append(media, shape)
		if url := shape.URL; shape.Type == "unknown" && url != "" {
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

func mentions(p *social.Post) []mention {
	out := []mention{}
	for _, m := range p.Told() {
		if m.AccountID == 0 {
			continue // nobody known here: apps could not open it
		}
		name, _, _ := strings.Cut(m.Acct, "@")
		out = append(out, mention{ID: m.AccountID.String(), Username: name, Acct: m.Acct, URL: firstText(m.URL, m.URI)})
	}
	return out
}

func (c *call) statusShape(v *social.PostView) *status {
	p := v.Post
	tags := []tagLink{}
	for _, t := range p.Tags {
		tags = append(tags, tagLink{Name: t, URL: c.api.Links.Tag(t)})
	}
	media, links := c.files(p, p)
	out := &status{ID: p.ID.String(), URI: p.URI, URL: firstText(p.URL, p.URI), CreatedAt: date(p.PublishedAt), EditedAt: dateOrNil(p.EditedAt),
		Account: c.accountShape(v.Author), Content: content(p) + links, SpoilerText: p.Summary, Sensitive: p.Sensitive, Visibility: p.Audience.Visibility(),
		Language: textOrNil(p.Language), InReplyToID: idOrNil(p.InReplyToID), InReplyToAccountID: idOrNil(p.InReplyToAccountID),
		MediaAttachments: media, Mentions: mentions(p), Tags: tags, Emojis: emojis(p.Emojis),
		RepliesCount: p.RepliesCount, ReblogsCount: p.BoostsCount, FavouritesCount: p.FavouritesCount,
		Favourited: v.Favourited, Reblogged: v.Boosted, Bookmarked: v.Bookmarked, Pinned: v.Pinned, Muted: v.Muted,
		Poll: c.pollShape(v), Filtered: filtered(v),
		Parley: statusExtra{Audience: v.AudienceLabel(), Owner: p.Audience.Owner, Narrowed: v.Clamped, Question: p.Question, Via: textOrNil(p.Via), Group: groupID(v)}}
	if v.Boost != nil {
		out.Reblog = c.statusShape(v.Boost)
	}
	if v.Quote != nil {
		out.Quote = &quote{State: "accepted", QuotedStatus: c.statusShape(v.Quote)}
	}
	return out
}

// versionShape is a former state of a post.
func (c *call) versionShape(v *social.PostView, p *social.Post) statusVersion {
	at := p.EditedAt
	if at.IsZero() {
		at = p.PublishedAt
	}
	was := *p
	was.Audience, was.Ceiling = v.Post.Audience, v.Post.Ceiling // who may see it now counts
	media, links := c.files(&was, v.Post)
	return statusVersion{Content: content(p) + links, SpoilerText: p.Summary, Sensitive: p.Sensitive, CreatedAt: date(at),
		Account: c.accountShape(v.Author), MediaAttachments: media, Emojis: emojis(p.Emojis)}
}

func (c *call) statuses(views []*social.PostView) []*status {
	out := []*status{}
	for _, v := range views {
		out = append(out, c.statusShape(v))
	}
	return out
}

func relationship(r social.Relationship) relation {
	return relation{ID: r.AccountID.String(), Following: r.Following, ShowingReblogs: r.ShowBoosts, Notifying: r.Notify,
		FollowedBy: r.FollowedBy, Blocking: r.Blocking, BlockedBy: r.BlockedBy, Muting: r.Muting, MutingNotifications: r.Muting,
		Requested: r.Requested, RequestedBy: r.RequestedBy, Note: r.Note, Endorsed: r.Endorsed, DomainBlocking: r.DomainBlocking}
}

func (c *call) notificationShape(v *social.NotificationView) notification {
	out := notification{ID: v.Notification.ID.String(), Type: string(v.Notification.Kind), CreatedAt: date(v.Notification.CreatedAt),
		Account: c.accountShape(v.From), GroupKey: v.Notification.GroupKey(), Filtered: v.Notification.Held}
	if v.Post != nil {
		out.Status = c.statusShape(v.Post)
	}
	return out
}

// groupsShape names each account and each post once, for all groups.
func (c *call) groupsShape(list []*social.NotificationGroup) groupedNotifications {
	out := groupedNotifications{Accounts: []*account{}, Groups: []notificationGroup{}, Statuses: []*status{}}
	full, known := map[social.ID]bool{}, map[social.ID]bool{}
	short := c.in.Get("expand_accounts") == "partial_avatars"
	for _, g := range list {
		full[g.From[0].ID] = true
	}
	for _, g := range list {
		n := g.Newest.Notification
		shape := notificationGroup{GroupKey: g.Key, Count: g.Count, Type: string(n.Kind), MostRecent: int64(n.ID), PageMinID: g.Oldest.String(),
			PageMaxID: n.ID.String(), LatestAt: date(n.CreatedAt)}
		for _, p := range g.From {
			shape.Accounts = append(shape.Accounts, p.ID.String())
			switch {
			case known[p.ID]:
			case short && !full[p.ID]:
				out.Partial = append(out.Partial, c.partialShape(p))
			default:
				out.Accounts = append(out.Accounts, c.accountShape(p))
			}
			known[p.ID] = true
		}
		if v := g.Newest.Post; v != nil {
			shape.StatusID = ptr(v.Post.ID.String())
			if !known[v.Post.ID] {
				out.Statuses = append(out.Statuses, c.statusShape(v))
			}
			known[v.Post.ID] = true
		}
		out.Groups = append(out.Groups, shape)
	}
	return out
}

func (c *call) partialShape(p *social.Account) partialAccount {
	avatar := c.avatar(p)
	return partialAccount{ID: p.ID.String(), Acct: p.Acct(), URL: firstText(p.URL, p.URI), Avatar: avatar, AvatarStatic: avatar, Locked: p.Locked, Bot: p.Bot}
}

func (c *call) reportShape(r *social.Report, accused *social.Account) report {
	posts := []string{}
	for _, id := range r.PostIDs {
		posts = append(posts, id.String())
	}
	return report{ID: r.ID.String(), Comment: r.Comment, Forwarded: r.Forward, CreatedAt: date(r.CreatedAt), Category: "other",
		StatusIDs: posts, TargetAccount: c.accountShape(accused)}
}

package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"parley/social"
)

func (a *API) home(c *call) (any, error) {
	v, err := a.Social.Home(c.Context(), c.reader, c.page())
	return a.views(c, v, err)
}

func (a *API) public(c *call) (any, error) {
	v, err := a.Social.Public(c.Context(), c.reader, c.page(), c.bool("local"), c.bool("remote"), social.PostFilter{OnlyMedia: c.bool("only_media")})
	return a.views(c, v, err)
}

func (a *API) tag(c *call) (any, error) {
	v, err := a.Social.TagPosts(c.Context(), c.reader, mux.Vars(c.Request)["tag"], c.page())
	return a.views(c, v, err)
}

func (a *API) bookmarks(c *call) (any, error) {
	v, err := a.Social.Bookmarks(c.Context(), c.reader, c.page())
	return a.views(c, v, err)
}

func (a *API) favourites(c *call) (any, error) {
	v, err := a.Social.Favourites(c.Context(), c.reader, c.page())
	return a.views(c, v, err)
}

func (a *API) one(v *social.PostView, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return a.statusShape(v), nil
}

// draft reads what POST and PUT of a status have in common.
func (a *API) draft(c *call) (social.Draft, error) {
	d := social.Draft{Text: c.in.Get("status"), Summary: c.in.Get("spoiler_text"), Sensitive: c.bool("sensitive"), Language: c.in.Get("language"),
		Audience: c.in.Get("audience"), Visibility: c.in.Get("visibility"), IdempotencyKey: c.Header.Get("Idempotency-Key")}
	if !c.token.MayPublish {
		d.PublicMeans = string(social.AudienceCompany)
	}
	var err error
	if d.MediaIDs, err = c.ids("media_ids"); err != nil {
		return d, err
	}
	for name, to := range map[string]*social.ID{"in_reply_to_id": &d.InReplyTo, "quoted_status_id": &d.QuoteOf} {
		if s := c.in.Get(name); s != "" {
			if *to, err = social.ParseID(s); err != nil {
				return d, err
			}
		}
	}
	options := c.list("poll[options]")
	if len(options) == 0 {
		return d, nil
	}
	seconds, err := strconv.Atoi(c.in.Get("poll[expires_in]"))
	if err != nil || seconds > 1<<30 {
		return d, social.Errorf(social.Invalid, "poll[expires_in] is a number of seconds")
	}
	d.Poll = &social.PollDraft{Options: options, Multiple: c.bool("poll[multiple]"), ExpiresIn: time.Duration(seconds) * time.Second}
	return d, nil
}

func (a *API) publish(c *call) (any, error) {
	d, err := a.draft(c)
	if err != nil {
		return nil, err
	}
	return a.one(a.Social.Publish(c.Context(), c.reader, d))
}

func (a *API) edit(c *call, id social.ID) (any, error) {
	d, err := a.draft(c)
	if err != nil {
		return nil, err
	}
	return a.one(a.Social.Edit(c.Context(), c.reader, id, d))
}

func (a *API) status(c *call, id social.ID) (any, error) {
	return a.one(a.Social.Post(c.Context(), c.reader, id))
}

func (a *API) remove(c *call, id social.ID) (any, error) {
	v, err := a.Social.Delete(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	out := a.statusShape(v)
	out["text"] = v.Post.Source
	return out, nil
}

func (a *API) context(c *call, id social.ID) (any, error) {
	above, below, err := a.Social.Thread(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ancestors": a.statuses(above), "descendants": a.statuses(below)}, nil
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

func (a *API) favouritedBy(c *call, id social.ID) (any, error) {
	list, err := a.Social.Favouriters(c.Context(), c.reader, id, c.page())
	return a.accounts(list), err
}

func (a *API) rebloggedBy(c *call, id social.ID) (any, error) {
	list, err := a.Social.Boosters(c.Context(), c.reader, id, c.page())
	return a.accounts(list), err
}

func (a *API) favourite(c *call, id social.ID, on bool) (any, error) {
	return a.one(a.Social.Favourite(c.Context(), c.reader, id, on))
}

func (a *API) reblog(c *call, id social.ID, on bool) (any, error) {
	return a.one(a.Social.Boost(c.Context(), c.reader, id, on))
}

func (a *API) bookmark(c *call, id social.ID, on bool) (any, error) {
	return a.one(a.Social.Bookmark(c.Context(), c.reader, id, on))
}

func (a *API) pin(c *call, id social.ID, on bool) (any, error) {
	return a.one(a.Social.Pin(c.Context(), c.reader, id, on))
}

func (a *API) poll(c *call, id social.ID) (any, error) {
	v, err := a.Social.Post(c.Context(), c.reader, id)
	if err == nil && v.Post.Poll == nil {
		err = social.NotFoundError()
	}
	if err != nil {
		return nil, err
	}
	return a.pollShape(v, a.Social.Now()), nil
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
	return a.pollShape(v, a.Social.Now()), nil
}

func (a *API) verifyCredentials(c *call) (any, error) {
	me, err := a.Social.Account(c.Context(), c.reader, c.reader.AccountID())
	if err != nil {
		return nil, err
	}
	out := a.accountShape(me)
	privacy := map[string]string{"followers": "private", "unlisted": "unlisted", "direct": "direct"}[me.DefaultAudience]
	if privacy == "" {
		privacy = "public"
	}
	out["source"] = map[string]any{"note": me.NoteSource, "fields": out["fields"], "privacy": privacy, "sensitive": false, "language": me.Language, "follow_requests_count": 0}
	out["role"] = map[string]any{"id": "1", "name": string(me.Role), "permissions": "0", "color": "", "highlighted": false}
	return out, nil
}

func (a *API) oneAccount(p *social.Account, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return a.accountShape(p), nil
}

func (a *API) account(c *call, id social.ID) (any, error) {
	return a.oneAccount(a.Social.Account(c.Context(), c.reader, id))
}

func (a *API) lookup(c *call) (any, error) {
	return a.oneAccount(a.Social.AccountByHandle(c.Context(), c.reader, c.in.Get("acct")))
}

func (a *API) searchAccounts(c *call) (any, error) {
	res, err := a.Social.Search(c.Context(), c.reader, c.in.Get("q"), social.SearchOptions{Type: "accounts", Resolve: c.bool("resolve"),
		Limit: c.page().Limit, Following: c.bool("following")})
	return a.accounts(res.Accounts), err
}

func (a *API) relationships(c *call) (any, error) {
	ids, err := c.ids("id")
	if err != nil {
		return nil, err
	}
	list, err := a.Social.Relationships(c.Context(), c.reader, ids)
	out := []any{}
	for _, r := range list {
		out = append(out, relationship(r))
	}
	return out, err
}

func (a *API) accountStatuses(c *call, id social.ID) (any, error) {
	v, err := a.Social.AccountPosts(c.Context(), c.reader, id, c.page(), social.PostFilter{OnlyMedia: c.bool("only_media"),
		ExcludeReplies: c.bool("exclude_replies"), ExcludeBoosts: c.bool("exclude_reblogs"), Pinned: c.bool("pinned")})
	return a.views(c, v, err)
}

func (a *API) people(c *call, list []*social.Account, cursors []social.ID, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if n := len(cursors); n > 0 {
		a.link(c, cursors[0], cursors[n-1], n >= c.page().Clamp(40, 80).Limit)
	}
	return a.accounts(list), nil
}

func (a *API) followers(c *call, id social.ID) (any, error) {
	list, cursors, err := a.Social.Followers(c.Context(), c.reader, id, c.page())
	return a.people(c, list, cursors, err)
}

func (a *API) following(c *call, id social.ID) (any, error) {
	list, cursors, err := a.Social.Following(c.Context(), c.reader, id, c.page())
	return a.people(c, list, cursors, err)
}

func (a *API) followRequests(c *call) (any, error) {
	list, cursors, err := a.Social.FollowRequests(c.Context(), c.reader, c.page())
	return a.people(c, list, cursors, err)
}

func related(r social.Relationship, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return relationship(r), nil
}

func (a *API) follow(c *call, id social.ID) (any, error) {
	var o social.FollowOptions
	for name, to := range map[string]**bool{"reblogs": &o.ShowBoosts, "notify": &o.Notify} {
		if c.in.Has(name) {
			v := c.bool(name)
			*to = &v
		}
	}
	return related(a.Social.Follow(c.Context(), c.reader, id, o))
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

func (a *API) notifications(c *call) (any, error) {
	kinds := func(name string) []social.NotificationKind {
		var out []social.NotificationKind
		for _, s := range c.list(name) {
			out = append(out, social.NotificationKind(s))
		}
		return out
	}
	list, err := a.Social.Notifications(c.Context(), c.reader, c.page(), kinds("types"), kinds("exclude_types"))
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, v := range list {
		out = append(out, a.notificationShape(v))
	}
	if n := len(list); n > 0 {
		a.link(c, list[0].Notification.ID, list[n-1].Notification.ID, n >= c.page().Clamp(20, 80).Limit)
	}
	return out, nil
}

func (a *API) notification(c *call, id social.ID) (any, error) {
	v, err := a.Social.Notification(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	return a.notificationShape(v), nil
}

func (a *API) clearNotifications(c *call) (any, error) {
	return map[string]any{}, a.Social.ClearNotifications(c.Context(), c.reader, 0)
}

func (a *API) dismissNotification(c *call, id social.ID) (any, error) {
	return map[string]any{}, a.Social.ClearNotifications(c.Context(), c.reader, id)
}

func (a *API) search(c *call) (any, error) {
	res, err := a.Social.Search(c.Context(), c.reader, c.in.Get("q"), social.SearchOptions{Type: c.in.Get("type"), Resolve: c.bool("resolve"),
		Limit: c.page().Limit, Following: c.bool("following")})
	if err != nil {
		return nil, err
	}
	tags := []any{}
	for _, t := range res.Tags {
		tags = append(tags, map[string]any{"name": t, "url": a.Links.Tag(t), "history": []any{}})
	}
	return map[string]any{"accounts": a.accounts(res.Accounts), "statuses": a.statuses(res.Posts), "hashtags": tags}, nil
}

func (a *API) upload(c *call) (any, error) {
	c.Body = http.MaxBytesReader(c.w, c.Body, a.Social.Limits.UploadBytes+maxBody)
	if err := c.ParseMultipartForm(4 << 20); err != nil {
		return nil, &social.Error{Kind: social.Invalid, Public: "send the file as multipart/form-data within the size limit", Err: err}
	}
	defer func() { _ = c.MultipartForm.RemoveAll() }() // temporary files; the system clears them too
	file, head, err := c.FormFile("file")
	if err != nil {
		return nil, social.Errorf(social.Invalid, "the form field file is missing")
	}
	defer file.Close() //nolint:errcheck // only read
	x, y := focus(c.FormValue("focus"))
	m, err := a.Social.Upload(c.Context(), c.reader, social.Upload{Body: file, Name: head.Filename, Description: c.FormValue("description"), FocusX: x, FocusY: y})
	if err != nil {
		return nil, err
	}
	return a.attachment(m.Attachment), nil
}

// focus reads "x,y"; anything else is the middle.
func focus(s string) (x, y float64) {
	left, right, _ := strings.Cut(s, ",")
	x, errX := strconv.ParseFloat(left, 64)
	y, errY := strconv.ParseFloat(right, 64)
	if errX != nil || errY != nil || x != x || y != y {
		return 0, 0
	}
	return x, y
}

func (a *API) getMedia(c *call, id social.ID) (any, error) {
	m, err := a.Social.Media(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	return a.attachment(m.Attachment), nil
}

func (a *API) describeMedia(c *call, id social.ID) (any, error) {
	var description *string
	var at *[2]float64
	if c.in.Has("description") {
		v := c.in.Get("description")
		description = &v
	}
	if c.in.Has("focus") {
		x, y := focus(c.in.Get("focus"))
		at = &[2]float64{x, y}
	}
	m, err := a.Social.DescribeMedia(c.Context(), c.reader, id, description, at)
	if err != nil {
		return nil, err
	}
	return a.attachment(m.Attachment), nil
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
	return map[string]any{"id": r.ID.String(), "action_taken": false, "comment": r.Comment, "forwarded": r.Forward, "created_at": date(r.CreatedAt), "category": "other"}, nil
}

// apiVersion is the Mastodon version whose calls are served here; apps decide by it.
const apiVersion = "4.2.0"

func (a *API) configuration() map[string]any {
	l := a.Social.Limits
	return map[string]any{
		"statuses": map[string]any{"max_characters": l.PostLength, "max_media_attachments": l.Attachments, "characters_reserved_per_url": 23},
		"media_attachments": map[string]any{"supported_mime_types": []string{"image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf"},
			"image_size_limit": l.UploadBytes, "image_matrix_limit": 40_000_000, "video_size_limit": 0, "video_frame_rate_limit": 0, "video_matrix_limit": 0},
		"polls":    map[string]any{"max_options": l.PollOptions, "max_characters_per_option": l.OptionLength, "min_expiration": 300, "max_expiration": 31 * 24 * 3600},
		"accounts": map[string]any{"max_featured_tags": 0, "max_pinned_statuses": 5},
	}
}

func (a *API) instanceV1(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	return map[string]any{"uri": a.Links.Domain, "title": o.Name, "short_description": o.Description, "description": o.Description, "email": "",
		"version": apiVersion + "+parley." + a.Version, "urls": map[string]string{}, "stats": map[string]int{"user_count": 0, "status_count": 0, "domain_count": 0},
		"thumbnail": nil, "languages": o.Languages, "registrations": false, "approval_required": false, "invites_enabled": false,
		"configuration": a.configuration(), "contact_account": nil, "rules": []any{}}, err
}

func (a *API) instanceV2(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	conf := a.configuration()
	conf["urls"] = map[string]string{}
	conf["translation"] = map[string]bool{"enabled": false}
	return map[string]any{"domain": a.Links.Domain, "title": o.Name, "version": apiVersion + "+parley." + a.Version, "source_url": "",
		"description": o.Description, "usage": map[string]any{"users": map[string]int{"active_month": 0}}, "thumbnail": map[string]any{"url": a.Links.PublicURL + "/static/person.svg"},
		"languages": o.Languages, "configuration": conf, "registrations": map[string]any{"enabled": false, "approval_required": false, "message": nil},
		"contact": map[string]any{"email": "", "account": nil}, "rules": []any{}}, err
}

func (a *API) deliveries(c *call, id social.ID) (any, error) {
	states, err := a.Social.Deliveries(c.Context(), c.reader, id)
	if states == nil {
		states = []social.DeliveryState{}
	}
	return states, err
}

func (a *API) audiences(c *call) (any, error) {
	reply, err := social.ParseID(c.in.Get("in_reply_to_id"))
	if err != nil {
		reply = 0
	}
	choices, err := a.Social.Audiences(c.Context(), c.reader, reply)
	out := []any{}
	for _, ch := range choices {
		out = append(out, map[string]any{"audience": ch.Label, "peers": ch.Peers, "default": ch.Default})
	}
	return out, err
}

package federation

import (
	"cmp"
	"net/http"
	"slices"

	"parley/activitypub"
	"parley/serve"
	"parley/social"
)

// inboxPage is how many activities a page of an inbox holds.
const inboxPage = 40

// arrived is an activity of an inbox with its place: the time-ordered id of the entry of
// the home timeline, or of the notification, that it became here.
type arrived struct {
	at       social.ID
	activity object
}

// handleOwnInbox lists what came for a member, newest first (ActivityPub 5.2): what stands
// in the home timeline, and what they were told of.
func (s *Server) handleOwnInbox(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept, Authorization")
	reader, err := s.owner(r, "read")
	var o object
	if err == nil {
		o, err = s.ownInbox(r, reader)
	}
	if err != nil {
		serve.Error(w, r, s.Log, err)
		return
	}
	s.write(w, r, http.StatusOK, o)
}

func (s *Server) ownInbox(r *http.Request, reader social.Reader) (object, error) {
	uri := reader.Account.InboxURI
	q := &query{Request: r, reader: reader}
	if !paged(q) {
		return object{"id": uri, "type": activitypub.OrderedCollection, "first": pageOf(uri, "", 0)}, nil
	}
	at := cursor(q, "max_id")
	page := social.Page{Max: at, Limit: inboxPage}
	home, err := s.social.Home(r.Context(), reader, page)
	if err != nil {
		return nil, err
	}
	told, err := s.social.Notifications(r.Context(), reader, page, social.NotificationFilter{})
	if err != nil {
		return nil, err
	}
	all := s.entries(reader, home, told)
	o := object{"id": pageOf(uri, "max_id", at), "type": activitypub.OrderedCollectionPage, "partOf": uri}
	more := len(home) == inboxPage || len(told) == inboxPage
	if len(all) > inboxPage {
		all, more = all[:inboxPage], true
	}
	items := make([]any, 0, len(all))
	for _, a := range all {
		if a.activity != nil {
			items = append(items, a.activity)
		}
	}
	o["orderedItems"] = items
	if more {
		o["next"] = pageOf(uri, "max_id", all[len(all)-1].at)
	}
	return o, nil
}

// entries are both lists as activities in one order; what stands in both is there once.
func (s *Server) entries(reader social.Reader, home []*social.PostView, told []*social.NotificationView) []arrived {
	var all []arrived
	seen := map[social.ID]bool{}
	for _, v := range home {
		seen[v.Post.ID] = true
		a := arrived{at: v.Cursor}
		if v.Author.ID != reader.AccountID() { // what the member wrote stands in the outbox
			a.activity = s.brought(v)
		}
		all = append(all, a)
	}
	for _, n := range told {
		a := arrived{at: n.Notification.ID}
		if n.Post == nil || !seen[n.Post.Post.ID] || n.Notification.Kind != social.NotifyMention {
			a.activity = s.toldOf(reader, n)
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b arrived) int { return cmp.Compare(b.at, a.at) })
	return all
}

// brought is the Create or Announce that brought a post.
func (s *Server) brought(v *social.PostView) object {
	o := object{"actor": v.Author.URI, "published": stamp(v.Post.PublishedAt)}
	if v.Post.Kind == social.PostBoost {
		o["id"], o["type"], o["object"] = v.Post.URI, activitypub.Announce, v.Post.URI
		if v.Boost != nil {
			o["object"] = s.shown(v.Boost)
		}
		return o
	}
	o["type"], o["object"] = activitypub.Create, s.shown(v)
	if v.Post.Local {
		o["id"] = v.Post.URI + "/activity"
	}
	return o
}

// shown is a post as its reader has it here, whoever wrote it: whoever wants the original
// asks its author's server, by the proxy.
func (s *Server) shown(v *social.PostView) object {
	p := v.Post
	o := object{"id": p.URI, "type": activitypub.Note, "attributedTo": v.Author.URI, "content": p.Content, "url": p.URL,
		"published": stamp(p.PublishedAt), "sensitive": p.Sensitive, "tag": s.tags(p)}
	o["to"], o["cc"] = s.addressing(v.Author, p)
	if p.Summary != "" {
		o["summary"] = p.Summary
	}
	if p.InReplyToURI != "" {
		o["inReplyTo"] = p.InReplyToURI
	}
	if !p.EditedAt.IsZero() {
		o["updated"] = stamp(p.EditedAt)
	}
	files := []any{}
	for i, a := range p.Attachments {
		d := object{"type": activitypub.Document, "mediaType": a.MediaType, "name": a.Description, "url": s.Links.Media(a.MediaID, false)}
		if !p.Local {
			d["url"] = s.Links.RemoteMedia(p.ID, i)
		}
		files = append(files, d)
	}
	o["attachment"] = files
	if p.Poll != nil {
		question(o, p.Poll)
	}
	return o
}

// toldOf is the activity behind a notification; nil for what came from nobody.
func (s *Server) toldOf(reader social.Reader, n *social.NotificationView) object {
	o := object{"actor": n.From.URI, "published": stamp(n.Notification.CreatedAt)}
	kinds := map[social.NotificationKind]string{social.NotifyFollow: activitypub.Follow, social.NotifyFollowRequest: activitypub.Follow,
		social.NotifyFavourite: activitypub.Like, social.NotifyReblog: activitypub.Announce, social.NotifyUpdate: activitypub.Update}
	switch kind := kinds[n.Notification.Kind]; {
	case n.Notification.Kind == social.NotifyMention && n.Post != nil:
		return s.brought(n.Post)
	case kind == activitypub.Follow:
		o["type"], o["object"] = kind, reader.Account.URI
	case kind == activitypub.Update && n.Post != nil:
		o["type"], o["object"] = kind, s.shown(n.Post)
	case kind != "" && n.Post != nil:
		o["type"], o["object"] = kind, n.Post.Post.URI
	default:
		return nil
	}
	return o
}

// handleProxy fetches a document for a member's program, which cannot sign (ActivityPub
// 4.1, proxyUrl): with the member's own key, from admitted servers, by the one guarded
// client. What is ours is answered as the member may see it, from here.
func (s *Server) handleProxy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	reader, err := s.owner(r, "read")
	address := ""
	if err == nil {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		if address = r.PostFormValue("id"); address == "" {
			err = social.Errorf(social.Invalid, "send the id of what is wanted as a form: id=https://…")
		}
	}
	if err == nil && s.Links.Owns(address) {
		http.Redirect(w, r, address, http.StatusSeeOther)
		return
	}
	var o object
	if err == nil {
		o, err = s.fetch(r.Context(), reader.Account.ID, address)
	}
	if err != nil {
		serve.Error(w, r, s.Log, err)
		return
	}
	s.write(w, r, http.StatusOK, o)
}

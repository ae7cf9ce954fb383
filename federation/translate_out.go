package federation

import (
	"context"
	"crypto/ed25519"
	"slices"
	"strings"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/social"
)

type object = activitypub.Object

func stamp(t time.Time) string { return t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) }

// activity translates a change; nil means that nobody outside needs to know.
func (s *Server) activity(ctx context.Context, tx social.Tx, id social.ID, c social.Change) (object, social.Audience, error) {
	uri := s.Links.Activity(id)
	o := object{"id": uri, "actor": c.Actor.URI, "published": stamp(c.At)}
	direct := social.Audience{Kind: social.AudienceDirect, Owner: s.Links.Home()}
	switch c.Verb {
	case social.VerbCreate, social.VerbEdit, social.VerbPollCount:
		note, err := s.post(ctx, tx, c.Actor, c.Post)
		if err != nil {
			return nil, direct, err
		}
		o["type"], o["object"] = activitypub.Create, note
		o["id"] = c.Post.URI + "/activity"
		if c.Verb != social.VerbCreate {
			o["id"], o["type"] = uri, activitypub.Update
		}
		o["to"], o["cc"] = note["to"], note["cc"]
		if note.Has("audience") {
			o["audience"] = note["audience"]
		}
		return o, c.Post.Audience, nil
	case social.VerbDelete, social.VerbNarrow:
		// To everybody who had it, and so without the people whom the post names now.
		o["type"] = activitypub.Delete
		o["object"] = object{"type": activitypub.Tombstone, "id": c.Post.URI}
		o["to"] = []any{activitypub.Public}
		if c.Verb == social.VerbNarrow && c.Post.MayReturn() {
			o[takenBackWord] = true
		}
		return o, c.Post.Audience, s.inGroup(ctx, tx, o, c.Post)
	case social.VerbBoost:
		o["id"], o["type"], o["object"] = c.Post.URI, activitypub.Announce, c.Subject.URI
		o["to"], o["cc"] = s.addressing(c.Actor, c.Post)
		if c.Target != nil {
			o["cc"] = append(o["cc"].([]any), c.Target.URI)
		}
		return o, c.Post.Audience, nil
	case social.VerbUnboost:
		o["type"] = activitypub.Undo
		o["object"] = object{"id": c.Post.URI, "type": activitypub.Announce, "actor": c.Actor.URI, "object": c.Subject.URI}
		o["to"], o["cc"] = s.addressing(c.Actor, c.Post)
		return o, c.Post.Audience, nil
	case social.VerbRoster, social.VerbUnpair, social.VerbNewKeys:
		return o, direct, s.pairingActivity(ctx, tx, o, c)
	case social.VerbProfile, social.VerbPin, social.VerbUnpin, social.VerbLeave, social.VerbMove:
		return s.profileActivity(ctx, tx, o, c)
	}
	if c.Target == nil || c.Target.Local() {
		return nil, direct, nil
	}
	o["to"] = []any{c.Target.URI}
	delete(o, "published")
	s.personal(o, c)
	return o, direct, nil
}

// takenBackWord marks the Delete of a post that lives on and may come again: its
// receiver forgets the post, and nobody learns from it that the post is gone.
const takenBackWord = "takenBack"

// personal fills activities between two actors.
func (s *Server) personal(o object, c social.Change) {
	follow := func(follower, target string) object {
		return object{"id": c.Follow.URI, "type": activitypub.Follow, "actor": follower, "object": target}
	}
	like := func() object {
		return object{"id": c.URI, "type": activitypub.Like, "actor": c.Actor.URI, "object": c.Subject.URI}
	}
	switch c.Verb {
	case social.VerbFollow:
		o["id"], o["type"], o["object"] = c.Follow.URI, activitypub.Follow, c.Target.URI
	case social.VerbUnfollow:
		o["type"], o["object"] = activitypub.Undo, follow(c.Actor.URI, c.Target.URI)
	case social.VerbAccept:
		o["type"], o["object"] = activitypub.Accept, follow(c.Target.URI, c.Actor.URI)
	case social.VerbReject:
		o["type"], o["object"] = activitypub.Reject, follow(c.Target.URI, c.Actor.URI)
	case social.VerbFavourite:
		o["id"], o["type"], o["object"] = c.URI, activitypub.Like, c.Subject.URI
	case social.VerbUnfavourite:
		o["type"], o["object"] = activitypub.Undo, like()
	case social.VerbBlock:
		o["type"], o["object"] = activitypub.Block, c.Target.URI
	case social.VerbUnblock:
		o["type"], o["object"] = activitypub.Undo, object{"type": activitypub.Block, "actor": c.Actor.URI, "object": c.Target.URI}
	case social.VerbVote:
		votes := make([]any, 0, len(c.Choices))
		for _, i := range c.Choices {
			votes = append(votes, object{"id": o.ID() + "#vote", "type": activitypub.Note, "name": c.Subject.Poll.Options[i].Title,
				"attributedTo": c.Actor.URI, "inReplyTo": c.Subject.URI, "to": []any{c.Target.URI}, "published": stamp(c.At)})
		}
		o["type"], o["object"] = activitypub.Create, votes
		if len(votes) == 1 {
			o["object"] = votes[0]
		}
	case social.VerbAllowQuote, social.VerbRefuseQuote:
		quoteAnswer(o, c)
	case social.VerbReport:
		about := []any{c.Target.URI}
		for _, p := range c.Posts {
			about = append(about, p.URI)
		}
		o["type"], o["object"], o["content"] = activitypub.Flag, about, c.Comment
	}
}

func (s *Server) profileActivity(ctx context.Context, tx social.Tx, o object, c social.Change) (object, social.Audience, error) {
	public := social.Audience{Kind: social.AudiencePublic, Owner: s.Links.Home()}
	o["to"] = []any{activitypub.Public}
	switch c.Verb {
	case social.VerbProfile:
		actor, err := s.actor(ctx, tx, c.Actor)
		o["type"], o["object"] = activitypub.Update, actor
		return o, public, err
	case social.VerbLeave:
		o["type"], o["object"] = activitypub.Delete, c.Actor.URI
		return o, public, nil
	case social.VerbMove: // FEP-7628
		o["type"], o["object"], o["target"], o["to"] = activitypub.Move, c.Actor.URI, c.Target.URI, []any{c.Actor.FollowersURI}
		return o, public, nil
	}
	if !c.Subject.Audience.Everybody() {
		return nil, public, nil // pins of narrower posts are seen here only
	}
	o["type"], o["object"], o["target"] = activitypub.Add, c.Subject.URI, c.Actor.FeaturedURI
	if c.Verb == social.VerbUnpin {
		o["type"] = activitypub.Remove
	}
	return o, public, nil
}

// addressing writes an audience as others understand it: a collection of ours
// that they do not know reads as nobody, so narrower audiences fail closed.
func (s *Server) addressing(author *social.Account, p *social.Post) (to, cc []any) {
	to, cc = []any{}, []any{}
	var people []any
	for _, m := range p.Told() {
		people = append(people, m.URI)
	}
	switch p.Audience.Kind {
	case social.AudiencePublic:
		return append(to, activitypub.Public), append(append(cc, author.FollowersURI), people...)
	case social.AudienceUnlisted:
		return append(to, author.FollowersURI), append(append(cc, activitypub.Public), people...)
	case social.AudienceFollowers:
		if p.Audience.Name == author.URI {
			return append(to, author.FollowersURI), append(cc, people...)
		}
		return append(append(to, p.Audience.Name), people...), cc
	case social.AudienceGroup:
		return append(to, p.Audience.Name), append(cc, people...)
	case social.AudienceCompany, social.AudiencePartner:
		return append(to, s.audienceURL(p.Audience)), append(cc, people...)
	}
	return append(to, people...), cc
}

// inGroup writes into which group something is said, as its audience and among its
// recipients (FEP-1b12).
func (s *Server) inGroup(ctx context.Context, tx social.Tx, o object, p *social.Post) error {
	if p.GroupID == 0 {
		return nil
	}
	g, err := tx.Account(ctx, p.GroupID)
	if err != nil {
		return err
	}
	o["audience"] = g.URI
	if to, _ := o["to"].([]any); !slices.Contains(to, any(g.URI)) {
		o["to"] = append(to, g.URI)
	}
	return nil
}

// audienceURL is the collection of an audience at its owner.
func (s *Server) audienceURL(a social.Audience) string {
	if a.Owner == s.Links.Home() {
		return s.Links.Audience(a)
	}
	return s.Links.Of(a.Owner).Audience(a)
}

// post translates a post of a member.
func (s *Server) post(ctx context.Context, tx social.Tx, author *social.Account, p *social.Post) (object, error) {
	o := object{"id": p.URI, "type": activitypub.Note, "attributedTo": author.URI, "content": p.Content, "url": p.URL,
		"published": stamp(p.PublishedAt), "sensitive": p.Sensitive, "replies": p.URI + "/replies"}
	o["to"], o["cc"] = s.addressing(author, p)
	if err := s.inGroup(ctx, tx, o, p); err != nil {
		return nil, err
	}
	if p.Language != "" {
		o["contentMap"] = object{p.Language: p.Content}
	}
	if p.Summary != "" {
		o["summary"] = p.Summary
	}
	if p.Question {
		o["question"] = true
	}
	if p.InReplyToURI != "" {
		o["inReplyTo"] = p.InReplyToURI
	}
	if !p.EditedAt.IsZero() {
		o["updated"] = stamp(p.EditedAt)
	}
	context, err := s.contextOf(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	if context != "" {
		o["context"] = context
	}
	if p.Audience.Everybody() && p.Ceiling.IsZero() { // FEP-044f: who asks gets a yes
		o["interactionPolicy"] = object{"canQuote": object{"automaticApproval": []any{activitypub.Public}}}
	}
	if p.QuoteOfURI != "" {
		o["quote"], o["quoteUri"], o["_misskey_quote"] = p.QuoteOfURI, p.QuoteOfURI, p.QuoteOfURI
	}
	o["tag"], o["attachment"] = s.tags(p), s.attachments(p)
	if p.Poll != nil {
		question(o, p.Poll)
	}
	return o, nil
}

// contextOf is the collection of a post's whole thread (FEP-7888): the one its root
// names or, where the root is ours, our own; "" where the thread belongs to a
// server that has none.
func (s *Server) contextOf(ctx context.Context, tx social.Tx, p *social.Post) (string, error) {
	if p.ContextURI != "" {
		return p.ContextURI, nil
	}
	if p.ThreadID != p.ID {
		root, err := tx.Post(ctx, p.ThreadID)
		if err != nil {
			return "", err
		}
		if !root.Local {
			return "", nil
		}
	}
	return s.Links.PublicURL + "/contexts/" + p.ThreadID.String(), nil
}

func (s *Server) tags(p *social.Post) []any {
	tags := []any{}
	for _, m := range p.Told() {
		name := m.Acct
		if !strings.Contains(name, "@") {
			name += "@" + s.Links.Domain
		}
		tags = append(tags, object{"type": activitypub.Mention, "href": m.URI, "name": "@" + name})
	}
	for _, t := range p.Tags {
		tags = append(tags, object{"type": activitypub.Hashtag, "href": s.Links.Tag(t), "name": "#" + t})
	}
	return tags
}

func (s *Server) attachments(p *social.Post) []any {
	out := []any{}
	for _, a := range p.Attachments {
		d := object{"type": activitypub.Document, "mediaType": a.MediaType, "url": s.Links.Media(a.MediaID, false), "name": a.Description}
		if a.Description == "" {
			d["name"] = a.Name
		}
		if a.Kind == "image" {
			d["blurhash"], d["width"], d["height"], d["focalPoint"] = a.Blurhash, a.Width, a.Height, []any{a.FocusX, a.FocusY}
		}
		out = append(out, d)
	}
	return out
}

func question(o object, p *social.Poll) {
	options := []any{}
	for _, opt := range p.Options {
		options = append(options, object{"type": activitypub.Note, "name": opt.Title,
			"replies": object{"type": activitypub.Collection, "totalItems": opt.Votes}})
	}
	o["type"], o["votersCount"] = activitypub.Question, p.Voters
	o["oneOf"] = options
	if p.Multiple {
		delete(o, "oneOf")
		o["anyOf"] = options
	}
	if !p.ExpiresAt.IsZero() {
		o["endTime"] = stamp(p.ExpiresAt)
	}
	if !p.ClosedAt.IsZero() {
		o["closed"] = stamp(p.ClosedAt)
	}
}

var actorTypes = map[social.AccountKind]string{social.KindPerson: activitypub.Person, social.KindService: activitypub.Service,
	social.KindGroup: activitypub.Group, social.KindOrganization: activitypub.Organization, social.KindApplication: activitypub.Application}

// endpoints are where programs turn to (ActivityPub 4.1).
func (s *Server) endpoints(a *social.Account) object {
	o := object{"sharedInbox": s.Links.SharedInbox()}
	if a.Kind == social.KindPerson || a.Kind == social.KindService {
		o["oauthAuthorizationEndpoint"], o["oauthTokenEndpoint"] = s.Links.PublicURL+"/oauth/authorize", s.Links.PublicURL+"/oauth/token"
		o["proxyUrl"] = a.URI + "/proxy"
	}
	return o
}

// actor translates a member or the instance itself.
func (s *Server) actor(ctx context.Context, tx social.Tx, a *social.Account) (object, error) {
	o := object{"id": a.URI, "type": actorTypes[a.Kind], "preferredUsername": a.Username, "name": a.Name(), "summary": a.Note,
		"url": a.URL, "inbox": a.InboxURI, "outbox": a.OutboxURI, "published": stamp(a.CreatedAt),
		"manuallyApprovesFollowers": a.Locked, "discoverable": a.Discoverable, "indexable": a.Indexable,
		"endpoints": s.endpoints(a)}
	if a.Bot && a.Kind == social.KindPerson {
		o["type"] = activitypub.Service
	}
	for key, v := range map[string]string{"followers": a.FollowersURI, "following": a.FollowingURI, "featured": a.FeaturedURI, "movedTo": a.MovedToURI} {
		if v != "" {
			o[key] = v
		}
	}
	if len(a.AlsoKnownAs) > 0 {
		o["alsoKnownAs"] = a.AlsoKnownAs
	}
	for key, id := range map[string]social.ID{"icon": a.AvatarID, "image": a.HeaderID} {
		if id != 0 {
			o[key] = object{"type": activitypub.Image, "url": s.Links.Media(id, false)}
		}
	}
	if a.Kind == social.KindGroup {
		o["attributedTo"], o["postingRestrictedToMods"] = s.Links.Moderators(a.ID), false
		o["audience"] = a.FollowersURI
		if a.Group.Everybody() {
			o["audience"] = activitypub.Public
		}
	}
	fields := []any{}
	for _, f := range a.Fields {
		fields = append(fields, object{"type": activitypub.PropertyValue, "name": f.Name, "value": f.Value})
	}
	o["attachment"] = fields
	keys, err := tx.KeysOf(ctx, a.ID)
	for _, k := range keys {
		if k.Kind == "rsa" {
			o["publicKey"] = object{"id": k.URI, "owner": a.URI, "publicKeyPem": string(k.Public)}
			continue
		}
		if !k.ExpiresAt.IsZero() {
			continue // one before a change, which is not published any more
		}
		if k.Kind == "x25519" {
			raw, err := k.Raw()
			if err != nil {
				return nil, err
			}
			o["keyAgreement"] = []any{object{"id": k.URI, "type": "Multikey", "controller": a.URI, "publicKeyMultibase": httpsig.EncodeSealingKey(raw)}}
			continue
		}
		if pub, err := httpsig.ParsePublic(k.Public); err == nil {
			if ed, ok := pub.(ed25519.PublicKey); ok {
				o["assertionMethod"] = []any{object{"id": k.URI, "type": "Multikey", "controller": a.URI, "publicKeyMultibase": httpsig.EncodeMultikey(ed)}}
			}
		}
	}
	return o, err
}

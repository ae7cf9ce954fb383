package federation

import (
	"context"
	"html"
	"slices"
	"strings"
	"time"
	"unicode"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/social"
	"parley/text"
)

// Bounds of what is kept of others' posts and profiles.
const (
	maxName        = 200
	maxTags        = 50
	maxAttachments = 16
	maxOptions     = 100
	maxLanguage    = 35 // BCP 47 4.4.1
)

var accountKinds = map[string]social.AccountKind{activitypub.Person: social.KindPerson, activitypub.Service: social.KindService,
	activitypub.Group: social.KindGroup, activitypub.Organization: social.KindOrganization, activitypub.Application: social.KindApplication}

// readActor translates an actor document.
func (s *Server) readActor(o object) (*social.Account, []social.Key, error) {
	authority, err := activitypub.Authority(o.ID())
	name := o.Text("preferredUsername")
	if err != nil || !o.IsActor() || !plainName(name) || o.Ref("inbox") == "" {
		return nil, nil, social.Errorf(social.Invalid, "this is not an actor that can be reached")
	}
	a := &social.Account{Kind: accountKinds[o.Type()], Group: readGroup(o), Username: name, Authority: authority, URI: o.ID(), URL: s.link(o, o.ID()),
		DisplayName: s.text().SanitizePlain(o.Text("name"), maxName), Note: s.text().Sanitize(clip(o.Text("summary"), 20_000)),
		Locked: o.Bool("manuallyApprovesFollowers"), Discoverable: o.Bool("discoverable"), Indexable: o.Bool("indexable"),
		Bot: o.Type() == activitypub.Service, FetchedAt: s.Now(), CreatedAt: o.Time("published"), AlsoKnownAs: o.Refs("alsoKnownAs"),
		MovedToURI: o.Ref("movedTo"), AvatarURL: s.picture(o, "icon"), HeaderURL: s.picture(o, "image"), Emojis: s.emojis(o)}
	for to, uri := range map[*string]string{&a.InboxURI: o.Ref("inbox"), &a.OutboxURI: o.Ref("outbox"), &a.FollowersURI: o.Ref("followers"),
		&a.FollowingURI: o.Ref("following"), &a.FeaturedURI: o.Ref("featured")} {
		if activitypub.SameAuthority(uri, a.URI) {
			*to = uri
		}
	}
	if e, ok := o.Embedded("endpoints"); ok && activitypub.SameAuthority(e.Ref("sharedInbox"), a.URI) {
		a.SharedInboxURI = e.Ref("sharedInbox")
	}
	if a.InboxURI == "" {
		return nil, nil, social.Errorf(social.Invalid, "the actor's inbox is on another server")
	}
	for _, f := range o.Objects("attachment") {
		if f.Type() == activitypub.PropertyValue && len(a.Fields) < 20 {
			a.Fields = append(a.Fields, social.Field{Name: s.text().SanitizePlain(f.Text("name"), maxName), Value: s.text().Sanitize(clip(f.Text("value"), 2048))})
		}
	}
	return a, s.readKeys(o), nil
}

// readGroup is what a group elsewhere says about itself: whether what is written in it
// is public. Software that has no word for it knows public groups only, but for those
// that one has to ask to join.
func readGroup(o object) *social.Group {
	if o.Type() != activitypub.Group {
		return nil
	}
	g := &social.Group{Join: social.JoinOpen}
	if o.Bool("manuallyApprovesFollowers") {
		g.Join = social.JoinRequest
	}
	if slices.Contains(o.Recipients("audience"), activitypub.Public) || o.Has("postingRestrictedToMods") && !o.Has("audience") {
		g.Widest.Kind = social.AudiencePublic
	}
	return g
}

// plainName says that a username can be told from others: letters, digits and the
// signs of handles, nothing that is invisible or turns the writing round (T18).
func plainName(name string) bool {
	return name != "" && len(name) <= 200 && strings.IndexFunc(name, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("_.-~+", c)
	}) < 0
}

// readKeys takes the keys whose owner is the actor itself (T2).
func (s *Server) readKeys(o object) []social.Key {
	var keys []social.Key
	for _, k := range o.Objects("publicKey") {
		pem := []byte(k.Text("publicKeyPem"))
		if _, err := httpsig.ParsePublic(pem); err == nil && k.Ref("owner") == o.ID() && keyOf(k.ID(), o.ID()) {
			keys = append(keys, social.Key{URI: k.ID(), Kind: "rsa", Public: pem, FetchedAt: s.Now()})
		}
	}
	for _, k := range o.Objects("assertionMethod") {
		pem, err := httpsig.DecodeMultikey(k.Text("publicKeyMultibase"))
		if err == nil && k.Ref("controller") == o.ID() && keyOf(k.ID(), o.ID()) {
			keys = append(keys, social.Key{URI: k.ID(), Kind: "ed25519", Public: pem, FetchedAt: s.Now()})
		}
	}
	return keys
}

// keyOf says that a key's id stands below its actor's. Otherwise an actor could
// publish a key under the id of a neighbour's, and stand in for it or lock it out.
func keyOf(key, actor string) bool {
	rest, ok := strings.CutPrefix(key, actor)
	return ok && (rest == "" || strings.ContainsRune("#/?&", rune(rest[0])))
}

func (s *Server) text() *text.Renderer { return s.social.Text }

func clip(t string, n int) string {
	if len(t) > n {
		return strings.ToValidUTF8(t[:n], "")
	}
	return t
}

// link is the address for people: only http ones, else the fallback.
func (s *Server) link(o object, fallback string) string {
	for _, v := range o.Objects("url") {
		href := v.Text("href")
		if href == "" {
			href = v.ID()
		}
		kind := v.Text("mediaType")
		if _, err := activitypub.Authority(href); err == nil && (kind == "" || kind == "text/html") {
			return href
		}
	}
	return fallback
}

func (s *Server) picture(o object, key string) string {
	p, ok := o.Embedded(key)
	if !ok {
		return ""
	}
	address := p.Ref("url")
	if _, err := activitypub.Authority(address); err != nil {
		return ""
	}
	return address
}

func (s *Server) emojis(o object) []social.Emoji {
	var out []social.Emoji
	for _, t := range o.Objects("tag") {
		code := strings.Trim(t.Text("name"), ":")
		address := s.picture(t, "icon")
		if t.Type() != activitypub.Emoji || code == "" || len(code) > 64 || strings.Trim(code, emojiChars) != "" || address == "" || len(out) >= maxTags {
			continue
		}
		out = append(out, social.Emoji{Shortcode: code, URL: address})
	}
	return out
}

const emojiChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+"

var postKinds = map[string]social.PostKind{activitypub.Note: social.PostNote, activitypub.Article: social.PostArticle, activitypub.Page: social.PostPage,
	activitypub.Question: social.PostPoll, activitypub.Event: social.PostEvent, activitypub.Video: social.PostMedia, activitypub.Image: social.PostMedia,
	activitypub.Audio: social.PostMedia, activitypub.Document: social.PostMedia}

// readPost translates a post of an author.
func (s *Server) readPost(ctx context.Context, author *social.Account, o object) (*social.Post, error) {
	content, language := o.Language("content")
	if len(language) > maxLanguage {
		language = ""
	}
	p := &social.Post{URI: o.ID(), URL: s.link(o, o.ID()), Kind: postKinds[o.Type()], Language: language, Sensitive: o.Bool("sensitive"), Question: o.Bool("question"),
		Content: s.text().Sanitize(content), InReplyToURI: o.Ref("inReplyTo"), ContextURI: o.Ref("context"), Emojis: s.emojis(o),
		PublishedAt: o.Time("published"), EditedAt: o.Time("updated")}
	if p.EditedAt.After(s.Now()) {
		p.EditedAt = s.Now() // else no later edit would ever count
	}
	if o.Text("mediaType") == "text/markdown" || o.Text("mediaType") == "text/plain" {
		p.Content = s.text().Render(content, text.Markdown, text.Links{}).HTML
	}
	p.Title = s.text().SanitizePlain(o.Text("name"), 500)
	summary, _ := o.Language("summary")
	if p.Kind == social.PostNote || p.Kind == social.PostPoll {
		p.Summary, p.Title = s.text().SanitizePlain(s.text().ToPlain(summary), 1000), ""
	} else if p.Content == "" {
		p.Content = s.text().Sanitize(summary)
	}
	if p.Kind == social.PostEvent && !o.Time("startTime").IsZero() {
		p.Content = "<p>" + html.EscapeString(o.Time("startTime").Format("2006-01-02 15:04 MST")) + "</p>" + p.Content
	}
	for _, key := range []string{"quote", "quoteUri", "quoteUrl", "_misskey_quote"} {
		if p.QuoteOfURI == "" {
			p.QuoteOfURI = o.Ref(key)
		}
	}
	for _, t := range o.Objects("tag") { // FEP-e232
		if p.QuoteOfURI == "" && t.Type() == "Link" && strings.Contains(t.Text("rel")+strings.Join(t.Strings("rel"), " "), "quote") {
			p.QuoteOfURI = t.Text("href")
		}
	}
	s.readAttachments(o, p)
	if o.Type() == activitypub.Question {
		p.Poll = s.readPoll(o)
	}
	if err := s.readTags(ctx, o, p); err != nil {
		return nil, err
	}
	group, err := s.groupOf(ctx, o)
	if err != nil {
		return nil, err
	}
	p.Audience, err = s.readAudience(ctx, author, o, group)
	return p, err
}

func (s *Server) readAttachments(o object, p *social.Post) {
	list := o.Objects("attachment")
	if p.Kind == social.PostMedia {
		list = append(list, o.Objects("url")...)
	}
	for _, a := range list {
		address := a.Ref("url")
		if address == "" {
			address = a.Text("href")
		}
		if _, err := activitypub.Authority(address); err != nil || len(p.Attachments) >= maxAttachments || a.Type() == activitypub.PropertyValue {
			continue
		}
		kind, _, _ := strings.Cut(a.Text("mediaType"), "/")
		switch {
		case kind == "image" || a.Type() == activitypub.Image:
			kind = "image"
		case kind == "video", kind == "audio":
		default:
			kind = "unknown"
		}
		p.Attachments = append(p.Attachments, social.Attachment{Kind: kind, MediaType: clip(a.Text("mediaType"), 100), URL: address,
			Description: s.text().SanitizePlain(clip(a.Text("name"), 10_000), 1500), Blurhash: clip(a.Text("blurhash"), 100),
			Width: max(0, a.Int("width")), Height: max(0, a.Int("height"))})
	}
}

func (s *Server) readTags(ctx context.Context, o object, p *social.Post) error {
	for _, t := range o.Objects("tag") {
		if t.Type() != activitypub.Hashtag || len(p.Tags) >= maxTags {
			continue
		}
		if tag := s.text().FoldTag(s.text().SanitizePlain(t.Text("name"), 100)); tag != "" && !strings.ContainsAny(tag, " <>") {
			p.Tags = append(p.Tags, tag)
		}
	}
	uris := s.named(o)
	var known map[string]*social.Account
	if err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		known, err = tx.AccountsByURI(ctx, uris)
		return err
	}); err != nil {
		return err
	}
	for _, uri := range uris {
		if a := known[uri]; a != nil && !(a.Kind == social.KindGroup && a.Local()) && !p.MentionsAccount(a.ID) && len(p.Mentions) < maxTags {
			p.Mentions = append(p.Mentions, social.Mention{AccountID: a.ID, URI: a.URI, URL: a.URL, Acct: a.Acct(), Authority: a.Authority})
		}
	}
	return nil
}

// named lists whom a post names or is addressed to. Whoever is addressed here
// without being named in the text is named too, and first: a direct post must reach
// them, whatever else it names. bto and bcc are read and never kept.
func (s *Server) named(o object) []string {
	var uris []string
	for _, key := range []string{"to", "cc", "bto", "bcc"} {
		for _, uri := range o.Recipients(key) {
			if _, ok := s.Links.ParseAccount(uri); ok && len(uris) < maxTags {
				uris = append(uris, uri)
			}
		}
	}
	for _, t := range o.Objects("tag") {
		if href := t.Text("href"); t.Type() == activitypub.Mention && href != "" && len(uris) < 2*maxTags {
			uris = append(uris, href)
		}
	}
	return uris
}

// readAudience tells an audience by its addressing. A collection of the author's
// instance counts only while that peer stands in a zone that may have one.
// group is the one it is addressed to, nil for none.
func (s *Server) readAudience(ctx context.Context, author *social.Account, o object, group *social.Account) (social.Audience, error) {
	a := social.Audience{Kind: social.AudienceDirect, Owner: author.Authority}
	zone, err := s.social.Zone(ctx, author.Authority)
	if err != nil {
		return a, err
	}
	trusted := zone.Kind == social.ZoneCompany || zone.Kind == social.ZonePartner
	public := func(list []string) bool {
		for _, uri := range list {
			if uri == activitypub.Public {
				return true
			}
		}
		return false
	}
	to, cc := o.Recipients("to"), o.Recipients("cc")
	switch {
	case public(to):
		a.Kind = social.AudiencePublic
		return a, nil
	case public(cc):
		a.Kind = social.AudienceUnlisted
		return a, nil
	}
	if group != nil {
		a.Kind, a.Name, a.Owner = social.AudienceGroup, group.URI, group.Authority
		return a, nil
	}
	answers := o.Ref("inReplyTo") != ""
	for _, uri := range append(to, cc...) {
		_, path, _ := strings.Cut(uri, "/audiences/")
		switch {
		case answers && s.Links.Owns(uri):
			// A reply in a thread of ours belongs to the thread's owner, whoever is answered.
			if own, ok := s.ownAudience(uri); ok {
				return own, nil
			}
		case author.FollowersURI != "" && uri == author.FollowersURI:
			a.Kind, a.Name = social.AudienceFollowers, author.URI
			return a, nil
		case path == "company" && trusted && activitypub.SameAuthority(uri, author.URI):
			a.Kind = social.AudienceCompany
			return a, nil
		case strings.HasPrefix(path, "partner/") && trusted && activitypub.SameAuthority(uri, author.URI):
			a.Kind, a.Name = social.AudiencePartner, clip(strings.TrimPrefix(path, "partner/"), 40)
			return a, nil
		}
	}
	return a, nil
}

// groupOf finds the group that a post is addressed to, among those known here.
func (s *Server) groupOf(ctx context.Context, o object) (*social.Account, error) {
	var uris []string
	for _, key := range []string{"audience", "to", "cc"} {
		for _, uri := range o.Recipients(key) {
			if len(uris) < maxTags {
				uris = append(uris, uri)
			}
		}
	}
	var known map[string]*social.Account
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		known, err = tx.AccountsByURI(ctx, uris)
		return err
	})
	for _, uri := range uris {
		if a := known[uri]; a != nil && a.Kind == social.KindGroup && a.Active() {
			return a, err
		}
	}
	return nil, err
}

// ownAudience reads a collection of ours that stands for an audience.
func (s *Server) ownAudience(uri string) (social.Audience, bool) {
	a := social.Audience{Kind: social.AudienceCompany, Owner: s.Links.Home()}
	if uri == s.Links.Audience(a) {
		return a, true
	}
	if name, ok := strings.CutPrefix(uri, s.Links.PublicURL+"/audiences/partner/"); ok {
		a.Kind, a.Name = social.AudiencePartner, clip(name, 40)
		return a, true
	}
	owner, ok := strings.CutSuffix(uri, "/followers")
	if _, member := s.Links.ParseAccount(owner); ok && member {
		a.Kind, a.Name = social.AudienceFollowers, owner
		return a, true
	}
	return social.Audience{}, false
}

func (s *Server) readPoll(o object) *social.Poll {
	p := &social.Poll{ExpiresAt: o.Time("endTime"), ClosedAt: o.Time("closed"), Voters: max(0, o.Int("votersCount"))}
	options := o.Objects("oneOf")
	if len(options) == 0 {
		options, p.Multiple = o.Objects("anyOf"), true
	}
	for _, opt := range options {
		votes := 0
		if r, ok := opt.Embedded("replies"); ok {
			votes = max(0, r.Int("totalItems"))
		}
		if len(p.Options) < maxOptions {
			p.Options = append(p.Options, social.PollOption{Title: s.text().SanitizePlain(clip(opt.Text("name"), 2000), 500), Votes: votes})
		}
	}
	return p
}

// keepPost stores a post that came from its own server, with its author.
func (s *Server) keepPost(ctx context.Context, o object, old bool) (*social.Post, error) {
	return s.keepArrival(ctx, o, social.Arrival{Backfill: old})
}

func (s *Server) keepArrival(ctx context.Context, o object, in social.Arrival) (*social.Post, error) {
	author, err := s.authorOf(ctx, o)
	if err != nil && in.Via != "" {
		author, err = s.authorVia(ctx, o.Ref("attributedTo"), in.Via)
	}
	if err != nil {
		return nil, err
	}
	p, err := s.readPost(ctx, author, o)
	if err != nil {
		return nil, err
	}
	if p.Raw, err = raw(o); err != nil {
		return nil, err
	}
	if in.Group == nil {
		if in.Group, err = s.groupOf(ctx, o); err != nil {
			return nil, err
		}
	}
	in.Post, in.Author = p, author
	return s.social.ApplyPost(ctx, in)
}

// raw is what is kept of a post as it came: all but the blind copies (AP 6, T8). A
// proof is kept with exactly what it proves.
func raw(o object) ([]byte, error) {
	if o.Has("proof") && !o.Has("bto") && !o.Has("bcc") {
		return activitypub.Encode(o)
	}
	kept := make(object, len(o))
	for key, v := range o {
		if key != "bto" && key != "bcc" && key != "proof" {
			kept[key] = v
		}
	}
	return activitypub.Encode(kept)
}

// authorOf checks that a post and its author are of one server.
func (s *Server) authorOf(ctx context.Context, o object) (*social.Account, error) {
	uri := o.Ref("attributedTo")
	if !o.IsPost() || !canonical(o.ID()) || !activitypub.SameAuthority(o.ID(), uri) || s.Links.Owns(o.ID()) {
		return nil, social.Errorf(social.Invalid, "the post is not of its author's server")
	}
	return s.account(ctx, uri)
}

// olderThan keeps backfilled posts out of the present.
func olderThan(t time.Time, age time.Duration, now time.Time) bool {
	return !t.IsZero() && now.Sub(t) > age
}

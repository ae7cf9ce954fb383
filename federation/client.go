package federation

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"parley/activitypub"
	"parley/auth"
	"parley/serve"
	"parley/social"
)

// Client to server (ActivityPub 6): a member's program posts activities to the outbox
// and reads the inbox, by a token. All it does it does by social, like every other face.

// Tokens finds who stands behind a bearer token: auth.Service.
type Tokens interface {
	Bearer(ctx context.Context, text string) (*social.Account, *auth.Token, error)
}

// clientBody is how large an activity of a program may be.
const clientBody = 1 << 20

func (s *Server) mountClients(r *mux.Router) {
	r.HandleFunc("/users/{id:[0-9]+}/outbox", s.handleOutbox).Methods("POST")
	r.HandleFunc("/users/{id:[0-9]+}/inbox", s.handleOwnInbox).Methods("GET", "HEAD")
	r.HandleFunc("/users/{id:[0-9]+}/proxy", s.handleProxy).Methods("POST")
}

// owner is the member whose address is asked for, when it is they who ask. Anybody else
// hears that there is nothing.
func (s *Server) owner(r *http.Request, scope string) (social.Reader, error) {
	kind, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return social.Reader{}, social.NotFoundError()
	}
	me, token, err := s.Tokens.Bearer(r.Context(), strings.TrimSpace(text))
	if err != nil {
		return social.Reader{}, err
	}
	if me == nil || me.ID != pathID(r, "id") {
		return social.Reader{}, social.NotFoundError()
	}
	if !token.Allows(scope) {
		return social.Reader{}, social.Errorf(social.Forbidden, "This action is outside the authorized scopes")
	}
	reader := social.Member(me, s.Links.Home())
	reader.Grant = token.Bound
	return reader, nil
}

// programReader is the member whose token a program shows, or nobody.
func (s *Server) programReader(r *http.Request) (social.Reader, error) {
	nobody := social.Nobody(s.Links.Home())
	kind, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return nobody, nil
	}
	me, token, err := s.Tokens.Bearer(r.Context(), strings.TrimSpace(text))
	if err != nil || me == nil || !token.Allows("read") {
		return nobody, err
	}
	return social.Member(me, s.Links.Home()), nil
}

// made notes the ids of the activities that a call of social had recorded.
type made struct {
	mu  sync.Mutex
	uri string
}

type madeKey struct{}

func (m *made) note(uri string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if uri != "" {
		m.uri = uri
	}
}

// noteMade tells who waits for it which activity a change became.
func noteMade(ctx context.Context, uri string) {
	if m, ok := ctx.Value(madeKey{}).(*made); ok {
		m.note(uri)
	}
}

// handleOutbox takes an activity, or an object to be created, from its member's program
// (ActivityPub 6, 6.2.1). The answer names the activity.
func (s *Server) handleOutbox(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	reader, err := s.owner(r, "write")
	if err == nil && !WantedType(r.Header.Get("Content-Type")) {
		err = social.Errorf(social.Invalid, "send the body as application/activity+json")
	}
	var body []byte
	if err == nil {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, clientBody))
		if err != nil {
			err = &social.Error{Kind: social.TooLarge, Public: "the activity is larger than 1 MiB, or broke off", Err: err}
		}
	}
	var o object
	if err == nil {
		if o, err = activitypub.Parse(body); err != nil {
			err = &social.Error{Kind: social.Invalid, Public: err.Error()}
		}
	}
	uri := ""
	if err == nil {
		uri, err = s.enact(r.Context(), reader, o)
	}
	if err != nil {
		serve.Error(w, r, s.Log, err)
		return
	}
	w.Header().Set("Location", uri)
	w.WriteHeader(http.StatusCreated)
}

// WantedType says that a body is said to be an ActivityStreams document.
func WantedType(kind string) bool {
	return strings.HasPrefix(kind, "application/activity+json") || strings.HasPrefix(kind, "application/ld+json")
}

// enact does what an activity of a member says, and answers its id.
func (s *Server) enact(ctx context.Context, r social.Reader, o object) (string, error) {
	if !o.IsActivity() {
		if !o.IsPost() {
			return "", social.Errorf(social.Invalid, "an outbox takes activities and posts, not %.60q", o.Type())
		}
		o = activitypub.Object{"type": activitypub.Create, "object": o, "to": o["to"], "cc": o["cc"], "bto": o["bto"], "bcc": o["bcc"], "audience": o["audience"]}
	}
	if actor := o.Ref("actor"); actor != "" && actor != r.Account.URI {
		return "", social.Errorf(social.Forbidden, "an outbox takes what its own actor does")
	}
	m := &made{uri: s.Links.Activity(social.NewID(s.Now()))}
	ctx = context.WithValue(ctx, madeKey{}, m)
	if err := s.act(ctx, r, o, m); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.uri, nil
}

func (s *Server) act(ctx context.Context, r social.Reader, o object, m *made) error {
	switch o.Type() {
	case activitypub.Create:
		return s.actCreate(ctx, r, o, m)
	case activitypub.Update:
		return s.actUpdate(ctx, r, o)
	case activitypub.Delete:
		p, err := s.ownThing(ctx, r, o.Ref("object"))
		if err == nil {
			_, err = s.social.Delete(ctx, r, p)
		}
		return err
	case activitypub.Follow, activitypub.Block:
		return s.actOn(ctx, r, o.Type(), o.Ref("object"), true)
	case activitypub.Like, activitypub.Announce:
		return s.actMark(ctx, r, o.Type(), o.Ref("object"), true, m)
	case activitypub.Add, activitypub.Remove:
		return s.actPin(ctx, r, o)
	case activitypub.Accept, activitypub.Reject:
		return s.actAnswer(ctx, r, o)
	case activitypub.Undo:
		return s.actUndo(ctx, r, o, m)
	}
	return social.Errorf(social.Invalid, "an outbox does not take %.60q", o.Type())
}

// find looks up what an address stands for, also on other servers, as far as the member
// may see it.
func (s *Server) find(ctx context.Context, r social.Reader, uri string) (a *social.Account, p *social.Post, err error) {
	if uri == "" {
		return nil, nil, social.Errorf(social.Invalid, "name the object by its id")
	}
	res, err := s.social.Search(ctx, r, uri, social.SearchOptions{Resolve: true})
	if err != nil {
		return nil, nil, err
	}
	if len(res.Accounts) > 0 {
		return res.Accounts[0], nil, nil
	}
	if len(res.Posts) > 0 {
		return nil, res.Posts[0].Post, nil
	}
	return nil, nil, social.NotFoundError()
}

// ownThing is the id of a post of the member's.
func (s *Server) ownThing(ctx context.Context, r social.Reader, uri string) (social.ID, error) {
	_, p, err := s.find(ctx, r, uri)
	if err != nil {
		return 0, err
	}
	if p == nil || p.AuthorID != r.Account.ID {
		return 0, social.NotFoundError()
	}
	return p.ID, nil
}

func (s *Server) actCreate(ctx context.Context, r social.Reader, o object, m *made) error {
	note, ok := o.Embedded("object")
	if !ok || !note.IsPost() {
		return social.Errorf(social.Invalid, "Create holds the post that is to be made")
	}
	if author := note.Ref("attributedTo"); author != "" && author != r.Account.URI {
		return social.Errorf(social.Forbidden, "a post is attributed to whose outbox it is sent to")
	}
	d, err := s.draft(ctx, r, note)
	if err != nil {
		return err
	}
	if err := s.addressDraft(ctx, r, &d, o, note); err != nil {
		return err
	}
	v, err := s.social.Publish(ctx, r, d)
	if err != nil {
		return err
	}
	m.note(v.Post.URI + "/activity")
	return nil
}

// draft reads what a post says: the source where it has one, else the text of its HTML,
// since members write text here.
func (s *Server) draft(ctx context.Context, r social.Reader, o object) (d social.Draft, err error) {
	content, language := o.Language("content")
	d = social.Draft{Text: s.text().ToPlain(content), Summary: s.text().ToPlain(o.Text("summary")), Sensitive: o.Bool("sensitive"), Language: language}
	if source, ok := o.Embedded("source"); ok && source.Text("content") != "" {
		d.Text = source.Text("content")
	}
	if name := o.Text("name"); name != "" && o.Type() != activitypub.Question {
		d.Text = strings.TrimSpace(name + "\n\n" + d.Text)
	}
	if o.Type() == activitypub.Question {
		if d.Text == "" {
			d.Text = o.Text("name")
		}
		d.Poll = &social.PollDraft{Multiple: o.Has("anyOf"), ExpiresIn: 24 * time.Hour}
		for _, one := range append(o.Objects("oneOf"), o.Objects("anyOf")...) {
			d.Poll.Options = append(d.Poll.Options, one.Text("name"))
		}
		if end := o.Time("endTime"); !end.IsZero() {
			d.Poll.ExpiresIn = end.Sub(s.Now())
		}
	}
	for _, a := range o.Objects("attachment") {
		id, ok := s.Links.ParseMedia(a.Ref("url"))
		if !ok {
			return d, social.Errorf(social.Invalid, "attach files that were uploaded here before (/api/v2/media)")
		}
		d.MediaIDs = append(d.MediaIDs, id)
	}
	for key, to := range map[string]*social.ID{"inReplyTo": &d.InReplyTo, "quote": &d.QuoteOf} {
		if uri := o.Ref(key); uri != "" {
			_, p, err := s.find(ctx, r, uri)
			if err != nil {
				return d, err
			}
			if p == nil {
				return d, social.NotFoundError()
			}
			*to = p.ID
		}
	}
	return d, nil
}

// addressDraft says for whom a draft is. Collections choose the audience; people are
// named in the post, those of bto and bcc without the others being told (ActivityPub 6.2).
func (s *Server) addressDraft(ctx context.Context, r social.Reader, d *social.Draft, o, note object) error {
	var open, blind []string
	for _, of := range []object{o, note} {
		for _, key := range []string{"to", "cc", "audience"} {
			open = append(open, of.Recipients(key)...)
		}
		for _, key := range []string{"bto", "bcc"} {
			blind = append(blind, of.Recipients(key)...)
		}
	}
	first := slices.Concat(o.Recipients("to"), note.Recipients("to"), o.Recipients("bto"), note.Recipients("bto"))
	for _, list := range []struct {
		uris []string
		to   *[]social.ID
	}{{open, &d.Named}, {blind, &d.Blind}} {
		for _, uri := range list.uris {
			label, err := s.collectionLabel(r, uri, slices.Contains(first, uri))
			if err != nil {
				return err
			}
			if label != "" {
				if d.Audience == "" || d.Audience == string(social.AudienceFollowers) || label == string(social.AudiencePublic) {
					d.Audience = label // the followers stand beside Public in what everybody may see
				}
				continue
			}
			a, _, err := s.find(ctx, r, uri)
			if err != nil {
				return err
			}
			switch {
			case a == nil:
				return social.Errorf(social.Invalid, "a post can be addressed to people, communities, followers, the company and everybody, not to %.100q", uri)
			case a.Kind == social.KindGroup:
				d.Audience = string(social.AudienceGroup) + ":" + a.Acct()
			default:
				*list.to = append(*list.to, a.ID)
			}
		}
	}
	if d.Audience == "" {
		d.Audience = string(social.AudienceDirect)
	}
	return nil
}

// collectionLabel is the audience that a collection stands for; "" for anybody else.
func (s *Server) collectionLabel(r social.Reader, uri string, first bool) (string, error) {
	partner, isPartner := strings.CutPrefix(uri, s.Links.Audience(social.Audience{Kind: social.AudiencePartner}))
	switch {
	case uri == activitypub.Public && first:
		return string(social.AudiencePublic), nil
	case uri == activitypub.Public:
		return string(social.AudienceUnlisted), nil
	case uri == r.Account.FollowersURI:
		return string(social.AudienceFollowers), nil
	case uri == s.Links.Audience(social.Audience{Kind: social.AudienceCompany}):
		return string(social.AudienceCompany), nil
	case uri == s.Links.Audience(social.Audience{Kind: social.AudienceInstance}):
		return string(social.AudienceInstance), nil
	case isPartner:
		return string(social.AudiencePartner) + ":" + partner, nil
	}
	return "", nil
}

// actUpdate changes what the object names and leaves the rest (ActivityPub 6.3).
func (s *Server) actUpdate(ctx context.Context, r social.Reader, o object) error {
	note, ok := o.Embedded("object")
	if !ok {
		return social.Errorf(social.Invalid, "Update holds what is to be changed, with its id")
	}
	if note.ID() == r.Account.URI {
		c := social.ProfileChange{}
		if note.Has("name") {
			name := note.Text("name")
			c.DisplayName = &name
		}
		if note.Has("summary") {
			summary := s.text().ToPlain(note.Text("summary"))
			c.Note = &summary
		}
		_, err := s.social.UpdateProfile(ctx, r, c)
		return err
	}
	id, err := s.ownThing(ctx, r, note.ID())
	if err != nil {
		return err
	}
	v, err := s.social.Post(ctx, r, id)
	if err != nil {
		return err
	}
	d, err := s.draft(ctx, r, note)
	if err != nil {
		return err
	}
	p := v.Post
	if !note.Has("content") && !note.Has("source") && !note.Has("contentMap") {
		d.Text = p.Source
	}
	if !note.Has("summary") {
		d.Summary = p.Summary
	}
	if !note.Has("sensitive") {
		d.Sensitive = p.Sensitive
	}
	if !note.Has("attachment") {
		for _, a := range p.Attachments {
			d.MediaIDs = append(d.MediaIDs, a.MediaID)
		}
	}
	d.Poll = nil // a poll stays as it was asked
	_, err = s.social.Edit(ctx, r, id, d)
	return err
}

// actOn follows or blocks somebody, or ends that.
func (s *Server) actOn(ctx context.Context, r social.Reader, verb, uri string, on bool) error {
	a, _, err := s.find(ctx, r, uri)
	if err != nil {
		return err
	}
	if a == nil {
		return social.NotFoundError()
	}
	switch {
	case verb == activitypub.Block:
		_, err = s.social.Block(ctx, r, a.ID, on)
	case on:
		_, err = s.social.Follow(ctx, r, a.ID, social.FollowOptions{})
	default:
		_, err = s.social.Unfollow(ctx, r, a.ID)
	}
	return err
}

// actMark likes or shares a post, or ends that.
func (s *Server) actMark(ctx context.Context, r social.Reader, verb, uri string, on bool, m *made) error {
	_, p, err := s.find(ctx, r, uri)
	if err != nil {
		return err
	}
	if p == nil {
		return social.NotFoundError()
	}
	if verb == activitypub.Like {
		_, err = s.social.Favourite(ctx, r, p.ID, on)
		return err
	}
	v, err := s.social.Boost(ctx, r, p.ID, on)
	if err == nil && on {
		m.note(v.Post.URI)
	}
	return err
}

// actPin shows an own post on top of the profile, or does so no more.
func (s *Server) actPin(ctx context.Context, r social.Reader, o object) error {
	if o.Ref("target") != r.Account.FeaturedURI {
		return social.Errorf(social.Invalid, "the collection that can be changed is %s", r.Account.FeaturedURI)
	}
	id, err := s.ownThing(ctx, r, o.Ref("object"))
	if err == nil {
		_, err = s.social.Pin(ctx, r, id, o.Type() == activitypub.Add)
	}
	return err
}

// actAnswer lets somebody follow, or not. The Follow is named by its id, or embedded with
// its actor.
func (s *Server) actAnswer(ctx context.Context, r social.Reader, o object) error {
	follow, _ := o.Embedded("object")
	follower := follow.Ref("actor")
	if follower == "" {
		if err := s.Store.View(ctx, func(tx social.Tx) error {
			f, err := tx.FollowByURI(ctx, o.Ref("object"))
			if err != nil || f.TargetID != r.Account.ID {
				return social.NotFoundError()
			}
			a, err := tx.Account(ctx, f.FollowerID)
			if err == nil {
				follower = a.URI
			}
			return err
		}); err != nil {
			return err
		}
	}
	a, _, err := s.find(ctx, r, follower)
	if err != nil {
		return err
	}
	if a == nil {
		return social.NotFoundError()
	}
	_, err = s.social.AnswerFollow(ctx, r, a.ID, o.Type() == activitypub.Accept)
	return err
}

// actUndo takes back a Follow, Block, Like or Announce: embedded, or named by its id.
func (s *Server) actUndo(ctx context.Context, r social.Reader, o object, m *made) error {
	former, ok := o.Embedded("object")
	if !ok {
		var err error
		if former, err = s.former(ctx, r, o.Ref("object")); err != nil {
			return err
		}
	}
	switch former.Type() {
	case activitypub.Follow, activitypub.Block:
		return s.actOn(ctx, r, former.Type(), former.Ref("object"), false)
	case activitypub.Like, activitypub.Announce:
		return s.actMark(ctx, r, former.Type(), former.Ref("object"), false, m)
	}
	return social.Errorf(social.Invalid, "Undo takes back Follow, Block, Like and Announce, not %.60q", former.Type())
}

// former is an activity that the member sent, by its id.
func (s *Server) former(ctx context.Context, r social.Reader, uri string) (o object, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		if p, err := tx.PostByURI(ctx, uri); err == nil && p.Kind == social.PostBoost && p.AuthorID == r.Account.ID {
			shared, err := tx.Post(ctx, p.BoostOfID)
			if err != nil {
				return err
			}
			o = object{"type": activitypub.Announce, "object": shared.URI}
			return nil
		}
		if f, err := tx.FollowByURI(ctx, uri); err == nil && f.FollowerID == r.Account.ID {
			a, err := tx.Account(ctx, f.TargetID)
			if err != nil {
				return err
			}
			o = object{"type": activitypub.Follow, "object": a.URI}
			return nil
		}
		a, err := tx.ActivityByURI(ctx, uri)
		if err != nil {
			return err
		}
		if a.ActorID != r.Account.ID {
			return social.NotFoundError()
		}
		o, err = activitypub.Parse(a.Body)
		return err
	})
	return o, err
}

package federation

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"parley/activitypub"
	"parley/activitypub/proof"
	"parley/social"
)

// This file gives others back what is theirs, and takes back what is ours, after a
// restore: the raw objects, which bear their authors' proofs.

// goneFirst begins the places of what was taken back, which come after all posts.
const goneFirst = "gone:"

// heldPage tells a server what is held here of its own objects: posts and shares as
// they came, then what it took back. It is told to that server alone.
func (s *Server) heldPage(tx social.Tx, q *query, r social.Reader) (object, error) {
	ctx := q.Context()
	epoch, err := s.logEpoch(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	at := q.URL.Query().Get("at")
	var items []any
	var next string
	if uri, ok := strings.CutPrefix(at, goneFirst); ok {
		items, next, err = heldRetractions(ctx, tx, r.Peer, uri)
	} else {
		items, next, err = heldPosts(ctx, tx, r.Peer, strings.TrimPrefix(at, "post:"))
	}
	uri := s.Links.InstanceActor() + "/outbox"
	o := object{"id": s.Links.PublicURL + q.URL.RequestURI(), "type": activitypub.OrderedCollectionPage, "partOf": uri, "epoch": epoch, "orderedItems": items}
	if next != "" {
		o["next"] = uri + "?of=you&at=" + url.QueryEscape(next)
	}
	return o, err
}

func heldPosts(ctx context.Context, tx social.Tx, peer, at string) (items []any, next string, err error) {
	a, p, _ := strings.Cut(at, ".")
	author, _ := social.ParseID(a) // what is none of ours begins anew
	post, _ := social.ParseID(p)
	held, err := tx.HeldPosts(ctx, peer, author, post, logItems, false, true)
	if err != nil {
		return nil, "", err
	}
	items, size := []any{}, 0
	for _, h := range held {
		if size += len(h.Raw); size > logBytes && len(items) > 0 {
			return items, next, nil
		}
		if proved(h.Raw) {
			items = append(items, json.RawMessage(h.Raw))
		}
		next = "post:" + h.Author.String() + "." + h.Post.String()
	}
	if len(held) < logItems {
		next = goneFirst
	}
	return items, next, nil
}

func heldRetractions(ctx context.Context, tx social.Tx, peer, at string) (items []any, next string, err error) {
	gone, err := tx.Retractions(ctx, peer, at, logItems)
	items, size := []any{}, 0
	for _, g := range gone {
		if size += len(g.Body); size > logBytes && len(items) > 0 {
			return items, next, err
		}
		items, next = append(items, json.RawMessage(g.Body)), goneFirst+g.ObjectURI
	}
	if len(gone) < logItems {
		next = ""
	}
	return items, next, err
}

// proved says that a document bears a proof; whose is for the reader to check.
func proved(raw []byte) bool {
	var o struct {
		Proof json.RawMessage `json:"proof"`
	}
	return json.Unmarshal(raw, &o) == nil && len(o.Proof) > 0
}

// reclaim asks a peer, once after each restore of ours, for what it holds of us.
func (r *logRun) reclaim(ctx context.Context, peer *social.Account) error {
	var epoch int64
	err := r.Store.View(ctx, func(tx social.Tx) (err error) { epoch, err = tx.LogEpoch(ctx); return err })
	if err != nil {
		return err
	}
	if epoch == 1 || r.state.ReclaimedEpoch == epoch { // never restored, or done
		return nil
	}
	if r.state.ReclaimingEpoch != epoch {
		r.state.ReclaimingEpoch, r.state.ReclaimAt, r.state.Reclaimed = epoch, "", 0
	}
	for r.pages > 0 {
		if strings.HasPrefix(r.state.ReclaimAt, goneFirst) {
			if r.waits, err = r.othersBehind(ctx, epoch); r.waits || err != nil {
				return err
			}
		}
		address := r.actorOf(r.peer) + "/outbox?of=you&at=" + url.QueryEscape(r.state.ReclaimAt)
		page, err := r.fetchPage(ctx, address)
		if err != nil {
			return err
		}
		if err := r.reclaimPage(ctx, peer, page); err != nil {
			return err
		}
		next, err := url.Parse(page.Next)
		if err != nil || page.Next == "" {
			r.state.ReclaimedEpoch, r.state.ReclaimAt = epoch, ""
			r.Log.Info("what a peer held of ours was read after the restore", "peer", r.peer, "back", r.state.Reclaimed)
			return r.save(ctx)
		}
		r.state.ReclaimAt = clip(next.Query().Get("at"), 2*activitypub.MaxURI)
		if err := r.save(ctx); err != nil {
			return err
		}
	}
	return errLogMore
}

// othersBehind says that another peer has not yet given back the posts that it holds.
// What one was told is gone may only have been narrowed, and be there for others: so
// deletions are learnt when all have told what is there. Who cannot be reached is
// waited for an hour: what was deleted must not be there for long.
func (r *logRun) othersBehind(ctx context.Context, epoch int64) (behind bool, err error) {
	if r.Now().Sub(time.UnixMilli(epoch)) > time.Hour {
		return false, nil
	}
	err = r.Store.View(ctx, func(tx social.Tx) error {
		peers, err := tx.Peers(ctx)
		for _, p := range peers {
			if zone := r.social.ReaderAt(p, nil).Zone; err != nil || p.Authority == r.peer || zone.Kind != social.ZoneCompany && zone.Kind != social.ZonePartner {
				continue
			}
			var c social.CatchUp
			if c, err = tx.CatchUp(ctx, p.Authority); err != nil {
				return err
			}
			read := c.ReclaimedEpoch == epoch || c.ReclaimingEpoch == epoch && strings.HasPrefix(c.ReclaimAt, goneFirst)
			behind = behind || !read && c.LastError != errNoLog.Error()
		}
		return err
	})
	return behind, err
}

// reclaimPage takes back what is not here as the peer has it.
func (r *logRun) reclaimPage(ctx context.Context, peer *social.Account, page *logDocument) error {
	var uris []string
	items := make([]object, len(page.Items))
	for i, raw := range page.Items {
		o, err := activitypub.Parse(raw)
		if err != nil {
			r.state.Refused++
			continue
		}
		items[i], uris = o, append(uris, ownID(o))
	}
	var had map[string]*social.Post
	var told map[string]bool
	if err := r.Store.View(ctx, func(tx social.Tx) (err error) {
		if had, err = tx.PostsByURI(ctx, uris); err != nil {
			return err
		}
		told, err = tx.HaveReceipts(ctx, r.peer, uris)
		return err
	}); err != nil {
		return err
	}
	for i, o := range items {
		uri := ownID(o)
		if p := had[uri]; o == nil || p != nil && told[uri] && p.Deleted() == retracts(o) && !o.Time("updated").After(p.EditedAt) {
			continue
		}
		switch err := r.reclaimOne(ctx, peer, o, page.Items[i]); {
		case transient(err) && r.state.Failures < itemTries:
			return err
		case err != nil:
			r.state.Refused++
			r.Log.Info("an object of ours was not taken back", "peer", r.peer, "object", clip(uri, 300), "reason", err)
		}
	}
	return nil
}

// ownID is the URI of the post or share that an item is, or takes back.
func ownID(o object) string {
	if retracts(o) {
		return o.Ref("object")
	}
	return o.ID()
}

func retracts(o object) bool { return o.Type() == activitypub.Delete || o.Type() == activitypub.Undo }

// reclaimOne takes back one object, proved by a key of the member who made it. The
// peer's word counts for nothing.
func (r *logRun) reclaimOne(ctx context.Context, peer *social.Account, o object, raw []byte) error {
	owner := o.Ref("actor")
	if o.IsPost() {
		owner = o.Ref("attributedTo")
	}
	author, key, err := r.ownProof(ctx, owner, raw)
	if err != nil {
		return err
	}
	in := social.Reclaimed{Author: author, Peer: r.peer, Inbox: peer.DeliveryInbox(), Key: key}
	by, id, ok := r.Links.ParsePost(ownID(o))
	switch {
	case o.Type() == activitypub.Delete && o.Ref("object") == author.URI:
		return r.social.DeleteAccount(ctx, author.ID, "", "")
	case !ok || by != author.ID:
		return social.Errorf(social.Invalid, "it is no post of this author")
	case o.Type() == activitypub.Announce:
		in.Post, err = r.ownShare(ctx, author, o)
	case o.IsPost():
		in.Post, err = r.ownNote(ctx, author, o)
	case retracts(o) && o[takenBackWord] != true && o.Has("published"):
		in.Post, in.GoneAt = &social.Post{URI: ownID(o)}, o.Time("published")
	default:
		err = social.Errorf(social.Invalid, "it is nothing that can be taken back")
	}
	if err != nil {
		return err
	}
	in.Post.ID = id
	result, err := r.social.Reclaim(ctx, in)
	if err == nil && result != social.ReclaimKept {
		r.state.Reclaimed++
	}
	return err
}

// ownProof verifies a document by a key that is in our own database.
func (r *logRun) ownProof(ctx context.Context, owner string, raw []byte) (author *social.Account, key string, err error) {
	id, ok := r.Links.ParseAccount(owner)
	if !ok {
		return nil, "", social.Errorf(social.Invalid, "it is of no member here")
	}
	p, err := proof.Inspect(raw, r.Now())
	if err != nil {
		return nil, "", &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	var keys []social.Key
	if err := r.Store.View(ctx, func(tx social.Tx) (err error) {
		if author, err = tx.Account(ctx, id); err != nil {
			return err
		}
		keys, err = tx.KeysOf(ctx, id)
		return err
	}); err != nil {
		return nil, "", err
	}
	if !author.Local() || author.Kind == social.KindApplication || !author.DeletedAt.IsZero() {
		return nil, "", social.Errorf(social.Invalid, "it is of no member here")
	}
	for _, k := range keys {
		if k.URI == p.VerificationMethod && checkProof(p, k) == nil {
			return author, k.URI, nil
		}
	}
	return nil, "", social.Errorf(social.Invalid, "no key of ours proves it")
}

// ownShare reads a share by a member.
func (r *logRun) ownShare(ctx context.Context, author *social.Account, o object) (*social.Post, error) {
	subject, err := r.object(ctx, 0, o.Ref("object"))
	if err != nil {
		return nil, err
	}
	audience, err := r.ownAddressing(ctx, author, o)
	return &social.Post{URI: o.ID(), Kind: social.PostBoost, BoostOfID: subject.ID, Audience: audience, PublishedAt: o.Time("published")}, err
}

// ownNote reads a post by a member. Whom it names at the peer is looked up, since the
// backup may not know them.
func (r *logRun) ownNote(ctx context.Context, author *social.Account, o object) (*social.Post, error) {
	for _, uri := range r.named(o) {
		if at, err := activitypub.Authority(uri); err == nil && at == r.peer {
			if _, err := r.account(ctx, uri); transient(err) {
				return nil, err
			}
		}
	}
	p, err := r.readPost(ctx, author, o)
	if err != nil {
		return nil, err
	}
	if _, id, ok := r.Links.ParsePost(p.URI); ok {
		p.URL = r.Links.PostPage(author.Username, id)
	}
	if r.Links.Owns(p.ContextURI) {
		p.ContextURI = ""
	}
	kept := p.Attachments[:0]
	for _, a := range p.Attachments {
		if id, ok := r.Links.ParseMedia(a.URL); ok {
			a.MediaID, a.URL = id, ""
			kept = append(kept, a)
		}
	}
	p.Attachments = kept
	group, err := r.groupOf(ctx, o)
	if err != nil {
		return nil, err
	}
	if p.Audience, err = r.ownAddressing(ctx, author, o); group != nil {
		p.GroupID = group.ID
		if !p.Audience.Everybody() {
			p.Audience = social.Audience{Kind: social.AudienceGroup, Name: group.URI, Owner: group.Authority}
		}
	}
	return p, err
}

// ownAddressing reads the audience that addressing wrote. What it does not understand
// is for the people named alone.
func (r *logRun) ownAddressing(ctx context.Context, author *social.Account, o object) (social.Audience, error) {
	home := r.Links.Home()
	to, cc := o.Recipients("to"), o.Recipients("cc")
	for i, list := range [][]string{to, cc} {
		for _, uri := range list {
			if uri == activitypub.Public {
				return social.Audience{Kind: []social.AudienceKind{social.AudiencePublic, social.AudienceUnlisted}[i], Owner: home}, nil
			}
		}
	}
	for _, uri := range append(to, cc...) {
		if a, ok := r.ownAudience(uri); ok {
			return a, nil
		}
		at, err := activitypub.Authority(uri)
		_, path, found := strings.Cut(uri, "/audiences/")
		if err != nil || !found {
			continue
		}
		if path == "company" {
			return social.Audience{Kind: social.AudienceCompany, Owner: at}, nil
		}
		if name, ok := strings.CutPrefix(path, "partner/"); ok {
			return social.Audience{Kind: social.AudiencePartner, Name: clip(name, 40), Owner: at}, nil
		}
	}
	return r.inThread(ctx, author, o, to)
}

// inThread is the audience of a reply to somebody's followers, who is addressed in
// place of a collection.
func (r *logRun) inThread(ctx context.Context, author *social.Account, o object, to []string) (social.Audience, error) {
	direct := social.Audience{Kind: social.AudienceDirect, Owner: author.Authority}
	if o.Ref("inReplyTo") == "" {
		return direct, nil
	}
	parent, err := r.stored(ctx, o.Ref("inReplyTo"))
	if transient(err) {
		return direct, err
	}
	if err == nil && parent.Bound().Kind == social.AudienceFollowers && len(to) > 0 && to[0] == parent.Bound().Name {
		return parent.Bound(), nil
	}
	return direct, nil
}

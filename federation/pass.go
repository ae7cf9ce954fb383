package federation

import (
	"context"
	"encoding/json"

	"parley/activitypub"
	"parley/social"
)

// This file hands on what is said in groups and threads of ours, to the servers of
// those who belong to them. A group announces the activity byte for byte (FEP-1b12);
// to servers that do not read groups it shares each thread's first post, once. The owner
// of a thread adds what is said to it (FEP-171b).

// pass writes what a group or the owner of a thread hands on, and its deliveries.
func (s *Server) pass(ctx context.Context, tx social.Tx, c social.Change) error {
	if c.Said.Verb == social.VerbNarrow {
		inboxes, err := s.havers(ctx, tx, c, &inboxSet{home: s.Links.Home(), seen: map[string]bool{}})
		if err != nil {
			return err
		}
		return s.passAs(ctx, tx, c, "pass "+c.Post.URI, s.withdrawal, inboxes)
	}
	all, err := s.passTo(ctx, tx, c)
	if err != nil || len(all) == 0 {
		return err
	}
	if c.Actor.Kind != social.KindGroup {
		return s.passAs(ctx, tx, c, "pass "+c.Post.URI, s.wrapper, all)
	}
	var readers, others []social.InboxRef
	for _, in := range all {
		knows, err := s.readsGroups(ctx, tx, in.Peer)
		if err != nil {
			return err
		}
		if knows {
			readers = append(readers, in)
		} else {
			others = append(others, in)
		}
	}
	if err := s.passAs(ctx, tx, c, "pass "+c.Post.URI, s.wrapper, readers); err != nil {
		return err
	}
	if !c.Post.Audience.Everybody() || c.Post.InReplyToURI != "" || c.Said.Verb == social.VerbEdit {
		return nil // a boost of what not everybody sees would show nothing
	}
	return s.passAs(ctx, tx, c, "", s.share, others)
}

// passAs writes one activity for some inboxes. about is of what the change log says
// that it gives the state.
func (s *Server) passAs(ctx context.Context, tx social.Tx, c social.Change, about string, form func(ctx context.Context, tx social.Tx, c social.Change, raw []byte) (object, error), inboxes []social.InboxRef) error {
	if len(inboxes) == 0 {
		return nil
	}
	id := social.NewID(s.Now())
	o, err := form(ctx, tx, c, c.Said.Body)
	if err != nil {
		return err
	}
	if !o.Has("id") {
		o["id"] = s.Links.Activity(id)
	}
	body, err := s.prove(ctx, tx, c.Actor.ID, o)
	if err != nil {
		return err
	}
	a := &social.Activity{ID: id, URI: s.Links.Activity(id), Verb: c.Verb, ActorID: c.Actor.ID, PostID: c.Post.ID, ObjectURI: c.Post.URI, About: about,
		Retraction: c.Said.Verb == social.VerbDelete || c.Said.Verb == social.VerbNarrow, Audience: c.Post.Audience, Ceiling: c.Post.Ceiling, Body: body, CreatedAt: s.Now()}
	return s.enqueue(ctx, tx, a, inboxes)
}

// passTo lists who is to hear: the servers of members, and for what changes or takes
// back a post those that have it. The author's own server knows.
func (s *Server) passTo(ctx context.Context, tx social.Tx, c social.Change) ([]social.InboxRef, error) {
	r := &inboxSet{home: s.Links.Home(), seen: map[string]bool{}}
	if c.Said.Verb != social.VerbCreate {
		if err := r.addReceipts(ctx, tx, c.Post.URI); err != nil {
			return nil, err
		}
	}
	var err error
	if c.Actor.Kind == social.KindGroup {
		err = r.addFollowers(ctx, tx, c.Actor.ID)
	} else {
		err = s.readers(ctx, tx, c, r)
	}
	if err != nil {
		return nil, err
	}
	author, err := tx.Account(ctx, c.Post.AuthorID)
	if err != nil {
		return nil, err
	}
	list := r.list[:0]
	for _, in := range r.list {
		if in.Peer != author.Authority {
			list = append(list, in)
		}
	}
	return list, nil
}

// wrapper is the activity around what is handed on.
func (s *Server) wrapper(ctx context.Context, tx social.Tx, c social.Change, raw []byte) (object, error) {
	o := object{"actor": c.Actor.URI, "published": stamp(c.At), "object": json.RawMessage(raw)}
	if c.Actor.Kind == social.KindGroup {
		o["type"], o["audience"] = activitypub.Announce, c.Actor.URI
		o["to"], o["cc"] = s.groupReaders(c)
		return o, nil
	}
	thread, err := s.contextOf(ctx, tx, c.Post)
	if err != nil {
		return nil, err
	}
	o["type"], o["target"], o["cc"] = activitypub.Add, thread, []any{}
	o["to"] = []any{s.audienceURL(c.Post.Audience)}
	if c.Post.Audience.Kind == social.AudienceFollowers {
		o["to"] = []any{c.Post.Audience.Name + "/followers"}
	}
	return o, nil
}

func (s *Server) groupReaders(c social.Change) (to, cc []any) {
	if c.Post.Audience.Everybody() {
		return []any{activitypub.Public}, []any{c.Actor.FollowersURI}
	}
	return []any{c.Actor.FollowersURI}, []any{}
}

// share is the boost of a thread's first post, and its Undo, for servers that do not
// read groups. Its id needs no row: it is that of the post.
func (s *Server) share(_ context.Context, _ social.Tx, c social.Change, _ []byte) (object, error) {
	o := object{"id": c.Actor.URI + "#share-" + c.Post.ID.String(), "type": activitypub.Announce, "actor": c.Actor.URI,
		"published": stamp(c.Post.PublishedAt), "object": c.Post.URI}
	o["to"], o["cc"] = s.groupReaders(c)
	if c.Said.Verb != social.VerbDelete {
		return o, nil
	}
	return object{"type": activitypub.Undo, "actor": c.Actor.URI, "object": o, "to": o["to"], "cc": o["cc"]}, nil
}

// withdrawal takes back what was handed on from a server that may not have it any more:
// who decides over a group or a thread speaks here, and not the post's author.
func (s *Server) withdrawal(_ context.Context, _ social.Tx, c social.Change, _ []byte) (object, error) {
	return object{"type": activitypub.Delete, "actor": c.Actor.URI, "published": stamp(c.At), takenBackWord: true,
		"object": object{"type": activitypub.Tombstone, "id": c.Post.URI}, "to": []any{activitypub.Public}}, nil
}

// passOwn lets a group of ours hand on what a member here did in it.
func (s *Server) passOwn(ctx context.Context, tx social.Tx, c social.Change, body []byte) error {
	said := map[social.Verb]social.Verb{social.VerbCreate: social.VerbCreate, social.VerbEdit: social.VerbEdit,
		social.VerbPollCount: social.VerbEdit, social.VerbDelete: social.VerbDelete}[c.Verb]
	if said == "" || c.Post.GroupID == 0 || c.Told {
		return nil
	}
	g, err := tx.Account(ctx, c.Post.GroupID)
	if err != nil || !g.Local() || !g.Active() {
		return err
	}
	return s.pass(ctx, tx, social.Change{Verb: social.VerbPass, Actor: g, Post: c.Post, Said: social.Said{Verb: said, Body: body}, At: c.At})
}

// decidePass adds what must hold for something that is handed on: of a group, that
// somebody at the peer is a member and the peer within its widest zone, whatever the
// post itself allows.
func (s *Server) decidePass(ctx context.Context, tx social.Tx, r social.Reader, a *social.Activity) (bool, error) {
	passer, err := tx.Account(ctx, a.ActorID)
	if err != nil || passer.Kind != social.KindGroup {
		return err == nil, err
	}
	return s.social.MemberOf(ctx, tx, r, passer)
}

// renewPass puts the present state of a member's post into what its group hands on
// late: others do not take an edit of what they never had.
func (s *Server) renewPass(ctx context.Context, tx social.Tx, a *social.Activity, p *social.Post) error {
	o, err := activitypub.Parse(a.Body)
	if err != nil || !p.Local {
		return err
	}
	inner, ok := o.Embedded("object")
	if !ok || inner.Type() != activitypub.Create {
		return nil
	}
	author, err := tx.Account(ctx, p.AuthorID)
	if err != nil {
		return err
	}
	now, _, err := s.activity(ctx, tx, a.ID, social.Change{Verb: social.VerbCreate, Actor: author, Post: p, At: a.CreatedAt})
	if err != nil {
		return err
	}
	body, err := s.prove(ctx, tx, author.ID, now)
	if err != nil {
		return err
	}
	delete(o, "proof")
	o["object"] = json.RawMessage(body)
	a.Body, err = s.prove(ctx, tx, a.ActorID, o)
	return err
}

// passItems is what the change log tells of what was handed on: the creation and, after
// it, the last edit, as they were said; or that it is gone. Its author's server knows.
func (s *Server) passItems(ctx context.Context, tx social.Tx, f *logFacts, a *social.Activity) ([]json.RawMessage, error) {
	p := f.posts[a.PostID]
	if p == nil || f.standing[p.ID] != seen && f.standing[p.ID] != takenBack {
		return nil, nil
	}
	if at, err := activitypub.Authority(p.URI); err != nil || at == f.reader.Peer {
		return nil, nil
	}
	said, err := tx.ActivitiesOf(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	var create, last, gone *social.Activity
	for _, e := range said {
		switch {
		case e.Verb != social.VerbPass || e.About != a.About:
		case e.Retraction:
			gone = e
		case create == nil:
			create = e
		default:
			last = e
		}
	}
	if f.standing[p.ID] == takenBack {
		return bodies(gone), nil
	}
	if ok, err := s.decidePass(ctx, tx, f.reader, a); err != nil || !ok {
		return nil, err
	}
	if create != nil && p.EditedAt.After(create.CreatedAt) {
		if err := s.renewPass(ctx, tx, create, p); err != nil {
			return nil, err
		}
	}
	return bodies(last, create), nil
}

func bodies(list ...*social.Activity) (out []json.RawMessage) {
	for _, a := range list {
		if a != nil {
			out = append(out, a.Body)
		}
	}
	return out
}

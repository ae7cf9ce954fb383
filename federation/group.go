package federation

import (
	"encoding/json"

	"parley/activitypub"
	"parley/activitypub/proof"
	"parley/social"
)

// getModerators lists who runs a group (FEP-1b12), to whom the group is shown.
func (s *Server) getModerators(tx social.Tx, q *query) (object, error) {
	a, err := s.member(tx, q)
	if err != nil {
		return nil, err
	}
	if a.Kind != social.KindGroup {
		return nil, social.NotFoundError()
	}
	people, err := tx.Accounts(q.Context(), append([]social.ID{a.Group.OwnerID}, a.Group.Moderators...))
	items := []any{}
	for _, id := range append([]social.ID{a.Group.OwnerID}, a.Group.Moderators...) {
		if p := people[id]; p != nil && p.Active() {
			items = append(items, p.URI)
		}
	}
	return object{"id": s.Links.Moderators(a.ID), "type": activitypub.OrderedCollection, "totalItems": len(items), "orderedItems": items}, err
}

// groupOutbox lists what began in a group, as far as the reader may see it, each post
// as the group would hand it on.
func (s *Server) groupOutbox(tx social.Tx, q *query, g *social.Account) (object, error) {
	at := cursor(q, "max_id")
	posts, next, err := s.social.Scan(q.Context(), tx, q.reader, social.Page{Max: at, Limit: outboxPage}, func(p social.Page) ([]*social.Post, error) {
		return tx.GroupPosts(q.Context(), g.ID, p)
	})
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, p := range posts {
		item, err := s.groupItem(tx, q, g, p)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	o := object{"id": pageOf(g.OutboxURI, "max_id", at), "type": activitypub.OrderedCollectionPage, "partOf": g.OutboxURI, "orderedItems": items}
	if next != 0 {
		o["next"] = pageOf(g.OutboxURI, "max_id", next)
	}
	return o, nil
}

// groupItem is a post in its group's outbox: whole, since its own server may not show
// it to who reads here.
func (s *Server) groupItem(tx social.Tx, q *query, g *social.Account, p *social.Post) (object, error) {
	o := object{"id": g.URI + "#share-" + p.ID.String(), "type": activitypub.Announce, "actor": g.URI, "published": stamp(p.PublishedAt), "audience": g.URI}
	o["to"], o["cc"] = s.groupReaders(social.Change{Actor: g, Post: p})
	q.served = append(q.served, p)
	if !p.Local {
		raw, err := tx.RawPost(q.Context(), p.ID)
		o["object"] = json.RawMessage(raw)
		if len(raw) == 0 {
			o["object"] = p.URI
		}
		return o, err
	}
	author, err := tx.Account(q.Context(), p.AuthorID)
	if err != nil {
		return nil, err
	}
	note, err := s.post(q.Context(), tx, author, p)
	if err != nil {
		return nil, err
	}
	o["object"] = note
	return o, nil
}

// passedItem is an entry of a group's outbox as something that the group hands on; nil
// for anything else.
func passedItem(group *social.Account, item object) (*passed, object) {
	inner, ok := item.Embedded("object")
	if !ok || item.Type() != activitypub.Announce || item.Ref("actor") != group.URI {
		return nil, nil
	}
	body, err := activitypub.Encode(item)
	if err != nil {
		return nil, nil
	}
	post := inner
	if inner.Type() == activitypub.Create {
		if post, ok = inner.Embedded("object"); !ok {
			return nil, nil
		}
	}
	return &passed{passer: group, group: group, direct: true, inner: inner, raw: proof.Part(body, "object")}, post
}

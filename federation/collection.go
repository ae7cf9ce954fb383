package federation

import (
	"github.com/gorilla/mux"

	"parley/activitypub"
	"parley/social"
)

// Entries of one page.
const (
	outboxPage = 20
	circlePage = 40
	threadPage = 60
)

// cursor reads a page's bound; anything else than one of ours is none.
func cursor(q *query, name string) social.ID {
	id, err := social.ParseID(q.URL.Query().Get(name))
	if err != nil {
		return 0
	}
	return id
}

// paged says that a request asks for a page, not for the collection.
func paged(q *query) bool { return q.URL.Query().Get("page") != "" }

// pageOf is the address of a page; zero begins.
func pageOf(collection, bound string, at social.ID) string {
	if at == 0 {
		return collection + "?page=true"
	}
	return collection + "?page=true&" + bound + "=" + at.String()
}

// getOutbox lists what the reader may see of a member's posts.
func (s *Server) getOutbox(tx social.Tx, q *query) (object, error) {
	a, err := s.member(tx, q)
	if err != nil {
		return nil, err
	}
	if !paged(q) {
		n, err := tx.CountPosts(q.Context(), a.ID, counted())
		return object{"id": a.OutboxURI, "type": activitypub.OrderedCollection, "totalItems": n, "first": pageOf(a.OutboxURI, "", 0)}, err
	}
	if a.Kind == social.KindGroup {
		return s.groupOutbox(tx, q, a)
	}
	at := cursor(q, "max_id")
	stranger, err := isStranger(tx, q, a)
	if err != nil {
		return nil, err
	}
	filter := social.PostFilter{Everybody: stranger}
	posts, next, err := s.social.Scan(q.Context(), tx, q.reader, social.Page{Max: at, Limit: outboxPage}, func(p social.Page) ([]*social.Post, error) {
		return tx.PostsBy(q.Context(), a.ID, p, filter)
	})
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, p := range posts {
		item, err := s.said(tx, q, a, p)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	o := object{"id": pageOf(a.OutboxURI, "max_id", at), "type": activitypub.OrderedCollectionPage, "partOf": a.OutboxURI, "orderedItems": items}
	if next != 0 {
		o["next"] = pageOf(a.OutboxURI, "max_id", next)
	}
	return o, nil
}

// isStranger says that a reader may see only what everybody sees of a member: then
// nothing else is even looked at, and no page betrays it by being short.
func isStranger(tx social.Tx, q *query, a *social.Account) (bool, error) {
	switch {
	case q.reader.Account == nil:
		return true, nil
	case q.reader.Zone.Kind != social.ZonePublic:
		return false, nil
	}
	follows, err := tx.FollowsTo(q.Context(), q.reader.Account.ID, []social.ID{a.ID})
	f := follows[a.ID]
	return f == nil || f.State != social.FollowAccepted, err
}

// counted are the audiences whose posts an outbox counts: what everybody may see. A
// sister's number would tell it of posts from before it joined.
func counted() []social.AudienceKind {
	return []social.AudienceKind{social.AudiencePublic, social.AudienceUnlisted}
}

// getCircle tells how many follow a member or are followed; who they are is for
// the company and its partners only.
func (s *Server) getCircle(kind social.CircleKind) documentFunc {
	return func(tx social.Tx, q *query) (object, error) {
		a, err := s.member(tx, q)
		if err != nil {
			return nil, err
		}
		uri, n := a.FollowersURI, a.FollowersCount
		if kind == social.CircleFollowing {
			uri, n = a.FollowingURI, a.FollowingCount
		}
		named := s.social.ShowsCircle(q.reader, a)
		if !paged(q) {
			o := object{"id": uri, "type": activitypub.OrderedCollection, "totalItems": n}
			if named {
				o["first"] = pageOf(uri, "", 0)
			}
			return o, nil
		}
		if !named {
			return nil, social.NotFoundError()
		}
		q.rule = string(kind)
		return s.circlePage(tx, q, a, kind, uri)
	}
}

func (s *Server) circlePage(tx social.Tx, q *query, a *social.Account, kind social.CircleKind, uri string) (object, error) {
	at := cursor(q, "max_id")
	people, next, err := s.social.CirclePage(q.Context(), tx, q.reader, a, kind, social.Page{Max: at, Limit: circlePage})
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, p := range people {
		items = append(items, p.URI)
	}
	o := object{"id": pageOf(uri, "max_id", at), "type": activitypub.OrderedCollectionPage, "partOf": uri, "orderedItems": items}
	if next != 0 {
		o["next"] = pageOf(uri, "max_id", next)
	}
	return o, nil
}

// getFeatured lists a member's pinned posts; they are few, so there is one page.
func (s *Server) getFeatured(tx social.Tx, q *query) (object, error) {
	a, err := s.member(tx, q)
	if err != nil {
		return nil, err
	}
	posts, err := tx.PinnedBy(q.Context(), a.ID, social.MaxPins)
	if err == nil {
		posts, err = s.social.Visible(q.Context(), tx, q.reader, posts)
	}
	return object{"id": a.FeaturedURI, "type": activitypub.OrderedCollection, "totalItems": len(posts), "orderedItems": uris(posts)}, err
}

func uris(posts []*social.Post) []any {
	items := []any{}
	for _, p := range posts {
		items = append(items, p.URI)
	}
	return items
}

func (s *Server) getReplies(tx social.Tx, q *query) (object, error) {
	p, _, err := s.ownPost(tx, q)
	if err != nil {
		return nil, err
	}
	return s.conversation(tx, q, p.URI+"/replies", "items", func(page social.Page) ([]*social.Post, error) {
		return tx.Replies(q.Context(), p.ID, page)
	})
}

// getContext lists a whole thread of ours (FEP-7888).
func (s *Server) getContext(tx social.Tx, q *query) (object, error) {
	p, _, err := s.ownPost(tx, q)
	if err != nil {
		return nil, err
	}
	uri := s.Links.PublicURL + "/contexts/" + p.ID.String()
	return s.conversation(tx, q, uri, "orderedItems", func(page social.Page) ([]*social.Post, error) {
		return tx.ThreadPage(q.Context(), p.ThreadID, page)
	})
}

// conversation makes a collection of posts, oldest first, or a page of it. The
// collection holds its first page, which spares most readers a request.
func (s *Server) conversation(tx social.Tx, q *query, uri, key string, list func(social.Page) ([]*social.Post, error)) (object, error) {
	kind, pageKind := activitypub.Collection, activitypub.CollectionPage
	if key == "orderedItems" {
		kind, pageKind = activitypub.OrderedCollection, activitypub.OrderedCollectionPage
	}
	at := cursor(q, "min_id")
	if !paged(q) {
		at = 0
	}
	posts, next, err := s.social.Scan(q.Context(), tx, q.reader, social.Page{Min: max(at, 1), Limit: threadPage}, list)
	if err != nil {
		return nil, err
	}
	page := object{"id": pageOf(uri, "min_id", at), "type": pageKind, "partOf": uri, key: uris(posts)}
	if next != 0 {
		page["next"] = pageOf(uri, "min_id", next)
	}
	if paged(q) {
		return page, nil
	}
	return object{"id": uri, "type": kind, "first": page}, nil
}

// getAudience names the collection that stands for an audience, to its members;
// who they are is told to nobody.
func (s *Server) getAudience(tx social.Tx, q *query) (object, error) {
	a := social.Audience{Kind: social.AudienceCompany, Owner: s.Links.Home()}
	if name := mux.Vars(q.Request)["audience"]; name != "" {
		a.Kind, a.Name = social.AudiencePartner, name
		peers, err := tx.PeersInZone(q.Context(), social.Zone{Kind: social.ZonePartner, Name: name})
		if err != nil {
			return nil, err
		}
		if len(peers) == 0 {
			return nil, social.NotFoundError()
		}
	}
	if !a.Admits(q.reader, social.Facts{}) {
		return nil, social.NotFoundError()
	}
	return object{"id": s.Links.Audience(a), "type": activitypub.Collection}, nil
}

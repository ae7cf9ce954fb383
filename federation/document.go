package federation

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/serve"
	"parley/social"
)

const activityType = `application/activity+json; charset=utf-8`

// WantsActivity says that a request asks for the document, not the page.
func WantsActivity(r *http.Request, _ *mux.RouteMatch) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "activity+json") || strings.Contains(accept, "ld+json")
}

// Mount adds the routes of both halves.
func (s *Server) Mount(r *mux.Router) {
	r.HandleFunc("/inbox", s.handleInbox).Methods("POST")
	r.HandleFunc("/users/{id:[0-9]+}/inbox", s.handleInbox).Methods("POST")
	r.HandleFunc("/actor/inbox", s.handleInbox).Methods("POST")
	r.HandleFunc("/actor", s.answer(s.getInstanceActor, s.anybody)).Methods("GET", "HEAD")
	r.HandleFunc("/.well-known/webfinger", s.getWebFinger).Methods("GET", "HEAD")
	r.HandleFunc("/.well-known/host-meta", s.getHostMeta).Methods("GET", "HEAD")
	r.HandleFunc("/.well-known/nodeinfo", s.getNodeInfoLinks).Methods("GET", "HEAD")
	r.HandleFunc("/nodeinfo/2.1", s.getNodeInfo).Methods("GET", "HEAD")
	for path, get := range map[string]documentFunc{
		"/users/{id:[0-9]+}/outbox":                         s.getOutbox,
		"/users/{id:[0-9]+}/followers":                      s.getCount("followers"),
		"/users/{id:[0-9]+}/following":                      s.getCount("following"),
		"/users/{id:[0-9]+}/featured":                       s.getFeatured,
		"/users/{id:[0-9]+}/statuses/{post:[0-9]+}/replies": s.getReplies,
		"/contexts/{post:[0-9]+}":                           s.getContext,
		"/actor/outbox":                                     s.getChangeLog,
	} {
		r.HandleFunc(path, s.open(get)).Methods("GET", "HEAD")
	}
	r.HandleFunc("/users/{id:[0-9]+}", s.open(s.getActor)).Methods("GET", "HEAD").MatcherFunc(WantsActivity)
	r.HandleFunc("/users/{id:[0-9]+}/statuses/{post:[0-9]+}", s.open(s.getPost)).Methods("GET", "HEAD").MatcherFunc(WantsActivity)
	r.HandleFunc("/@{name}/{post:[0-9]+}", s.open(s.getPost)).Methods("GET", "HEAD").MatcherFunc(WantsActivity)
	r.HandleFunc("/@{name}", s.open(s.getActor)).Methods("GET", "HEAD").MatcherFunc(WantsActivity)
}

// documentFunc makes a document for a reader, inside one snapshot.
type documentFunc func(tx social.Tx, r *http.Request, reader social.Reader) (object, error)

// open answers with a document for whoever signed the request. Hidden and missing
// give the same answer.
func (s *Server) open(get documentFunc) http.HandlerFunc { return s.answer(get, s.reader) }

// anybody reads the instance actor: its key verifies our own fetches, so asking
// for a signature there would go round in circles.
func (s *Server) anybody(*http.Request) (social.Reader, error) {
	return social.Nobody(s.Links.Home()), nil
}

func (s *Server) answer(get documentFunc, who func(*http.Request) (social.Reader, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept, Signature, Signature-Input")
		reader, err := who(r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		var o object
		err = s.Store.View(r.Context(), func(tx social.Tx) (err error) {
			o, err = get(tx, r, reader)
			return err
		})
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		body, err := activitypub.Marshal(o)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		w.Header().Set("Content-Type", activityType)
		w.Header().Set("Cache-Control", "private, no-cache")
		_, _ = w.Write(body) // the connection may be gone; nobody is left to tell
	}
}

// refuse answers another server with an error.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if social.KindOf(err) == social.Unauthenticated {
		w.Header().Set("Accept-Signature", httpsig.AcceptSignature(r.Method))
	}
	serve.Error(w, r, s.Log, err)
}

func pathID(r *http.Request, name string) social.ID {
	id, err := social.ParseID(mux.Vars(r)[name])
	if err != nil {
		return 0 // no row has it
	}
	return id
}

func (s *Server) getInstanceActor(tx social.Tx, r *http.Request, _ social.Reader) (object, error) {
	a, err := tx.AccountByURI(r.Context(), s.Links.InstanceActor())
	if err != nil {
		return nil, err
	}
	return s.actor(r.Context(), tx, a)
}

// member finds the account of a path, as far as it is shown to the reader.
func (s *Server) member(tx social.Tx, r *http.Request, reader social.Reader) (a *social.Account, err error) {
	if name := mux.Vars(r)["name"]; name != "" {
		a, err = tx.AccountByName(r.Context(), name, "")
	} else {
		a, err = tx.Account(r.Context(), pathID(r, "id"))
	}
	if err != nil {
		return nil, err
	}
	if !a.Local() || !a.Active() || reader.Zone.Kind == social.ZoneBlocked || a.Kind == social.KindApplication {
		return nil, social.NotFoundError()
	}
	return a, nil
}

func (s *Server) getActor(tx social.Tx, r *http.Request, reader social.Reader) (object, error) {
	a, err := s.member(tx, r, reader)
	if err != nil {
		return nil, err
	}
	return s.actor(r.Context(), tx, a)
}

func (s *Server) getPost(tx social.Tx, r *http.Request, reader social.Reader) (object, error) {
	p, author, err := s.ownPost(tx, r, reader)
	if err != nil {
		return nil, err
	}
	if p.Kind == social.PostBoost {
		subject, err := tx.Post(r.Context(), p.BoostOfID)
		if err != nil {
			return nil, err
		}
		o, _, err := s.activity(r.Context(), tx, p.ID, social.Change{Verb: social.VerbBoost, Actor: author, Post: p, Subject: subject, At: p.PublishedAt})
		return o, err
	}
	return s.post(r.Context(), tx, author, p)
}

// ownPost finds a visible post of ours.
func (s *Server) ownPost(tx social.Tx, r *http.Request, reader social.Reader) (*social.Post, *social.Account, error) {
	p, err := tx.Post(r.Context(), pathID(r, "post"))
	if err != nil {
		return nil, nil, err
	}
	ok, err := s.social.VisibleTo(r.Context(), tx, reader, p)
	if err != nil {
		return nil, nil, err
	}
	author, err := tx.Account(r.Context(), p.AuthorID)
	if err != nil {
		return nil, nil, err
	}
	id := pathID(r, "id")
	if !ok || !p.Local || id != 0 && id != p.AuthorID {
		return nil, nil, social.NotFoundError()
	}
	return p, author, nil
}

const pageSize = 20

// getOutbox lists what the reader may see of a member's posts.
func (s *Server) getOutbox(tx social.Tx, r *http.Request, reader social.Reader) (object, error) {
	a, err := s.member(tx, r, reader)
	if err != nil {
		return nil, err
	}
	if r.URL.Query().Get("page") == "" {
		return object{"id": a.OutboxURI, "type": activitypub.OrderedCollection, "first": a.OutboxURI + "?page=true"}, nil
	}
	page := social.Page{Limit: pageSize, Max: cursor(r, "max_id")}
	posts, err := tx.PostsBy(r.Context(), a.ID, page, social.PostFilter{})
	if err != nil {
		return nil, err
	}
	o := object{"id": a.OutboxURI + "?" + r.URL.RawQuery, "type": activitypub.OrderedCollectionPage, "partOf": a.OutboxURI}
	if len(posts) == pageSize {
		o["next"] = a.OutboxURI + "?page=true&max_id=" + posts[len(posts)-1].ID.String()
	}
	if posts, err = s.social.Visible(r.Context(), tx, reader, posts); err != nil {
		return nil, err
	}
	items := []any{}
	for _, p := range posts {
		c := social.Change{Verb: social.VerbCreate, Actor: a, Post: p, At: p.PublishedAt}
		if p.Kind == social.PostBoost {
			c.Verb = social.VerbBoost
			if c.Subject, err = tx.Post(r.Context(), p.BoostOfID); err != nil {
				return nil, err
			}
		}
		item, _, err := s.activity(r.Context(), tx, p.ID, c)
		if err != nil {
			return nil, err
		}
		if c.Verb == social.VerbCreate {
			item["id"] = p.URI + "/activity"
		}
		items = append(items, item)
	}
	o["orderedItems"] = items
	return o, nil
}

// cursor reads a page's bound; anything else than one of ours is none.
func cursor(r *http.Request, name string) social.ID {
	id, err := social.ParseID(r.URL.Query().Get(name))
	if err != nil {
		return 0
	}
	return id
}

// getCount tells how many, never who: names are for members only.
func (s *Server) getCount(which string) documentFunc {
	return func(tx social.Tx, r *http.Request, reader social.Reader) (object, error) {
		a, err := s.member(tx, r, reader)
		if err != nil {
			return nil, err
		}
		uri, n := a.FollowersURI, a.FollowersCount
		if which == "following" {
			uri, n = a.FollowingURI, a.FollowingCount
		}
		return object{"id": uri, "type": activitypub.OrderedCollection, "totalItems": n}, nil
	}
}

func (s *Server) getFeatured(tx social.Tx, r *http.Request, reader social.Reader) (object, error) {
	a, err := s.member(tx, r, reader)
	if err != nil {
		return nil, err
	}
	posts, err := tx.PostsBy(r.Context(), a.ID, social.Page{Limit: pageSize}, social.PostFilter{Pinned: true})
	if err != nil {
		return nil, err
	}
	return s.uris(tx, r, reader, a.FeaturedURI, activitypub.OrderedCollection, posts)
}

func (s *Server) uris(tx social.Tx, r *http.Request, reader social.Reader, id, kind string, posts []*social.Post) (object, error) {
	posts, err := s.social.Visible(r.Context(), tx, reader, posts)
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, p := range posts {
		items = append(items, p.URI)
	}
	key := "orderedItems"
	if kind == activitypub.Collection {
		key = "items"
	}
	return object{"id": id, "type": kind, key: items}, nil
}

const maxReplies = 200

func (s *Server) getReplies(tx social.Tx, r *http.Request, reader social.Reader) (object, error) {
	p, _, err := s.ownPost(tx, r, reader)
	if err != nil {
		return nil, err
	}
	posts, err := tx.Replies(r.Context(), p.ID, social.Page{Limit: maxReplies})
	if err != nil {
		return nil, err
	}
	return s.uris(tx, r, reader, p.URI+"/replies", activitypub.Collection, posts)
}

// getContext lists a whole thread of ours (FEP-7888).
func (s *Server) getContext(tx social.Tx, r *http.Request, reader social.Reader) (object, error) {
	p, _, err := s.ownPost(tx, r, reader)
	if err != nil {
		return nil, err
	}
	posts, err := tx.Thread(r.Context(), p.ThreadID, maxReplies)
	if err != nil {
		return nil, err
	}
	return s.uris(tx, r, reader, s.Links.PublicURL+"/contexts/"+p.ID.String(), activitypub.OrderedCollection, posts)
}

// getChangeLog names the change log; what it says to sisters comes with pairing.
func (s *Server) getChangeLog(_ social.Tx, _ *http.Request, _ social.Reader) (object, error) {
	return object{"id": s.Links.InstanceActor() + "/outbox", "type": activitypub.OrderedCollection, "orderedItems": []any{}}, nil
}

func writeJSON(w http.ResponseWriter, contentType string, v any) {
	w.Header().Set("Content-Type", contentType)
	_ = json.NewEncoder(w).Encode(v) // the connection may be gone; nobody is left to tell
}

// getWebFinger answers for members and for the instance itself (RFC 7033).
func (s *Server) getWebFinger(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	a, err := s.fingered(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	writeJSON(w, "application/jrd+json", map[string]any{
		"subject": "acct:" + a.Username + "@" + s.Links.Domain,
		"aliases": []string{a.URI, a.URL},
		"links": []map[string]string{
			{"rel": "self", "type": "application/activity+json", "href": a.URI},
			{"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": a.URL},
		}})
}

func (s *Server) fingered(r *http.Request) (a *social.Account, err error) {
	name, host, uri, err := activitypub.ParseResource(r.URL.Query().Get("resource"))
	if err != nil {
		return nil, &social.Error{Kind: social.Invalid, Public: "ask for resource=acct:name@" + s.Links.Domain, Err: err}
	}
	if uri == "" && host != s.Links.Domain && host != s.Links.Home() {
		return nil, social.NotFoundError()
	}
	err = s.Store.View(r.Context(), func(tx social.Tx) error {
		if uri != "" {
			a, err = tx.AccountByURI(r.Context(), uri)
		} else {
			a, err = tx.AccountByName(r.Context(), name, "")
		}
		if err == nil && (!a.Local() || !a.Active()) {
			err = social.NotFoundError()
		}
		return err
	})
	return a, err
}

func (s *Server) getHostMeta(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/xrd+xml; charset=utf-8")
	_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?>
<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="lrdd" template="` + s.Links.PublicURL + `/.well-known/webfinger?resource={uri}"/></XRD>
`)) // the connection may be gone; nobody is left to tell
}

func (s *Server) getNodeInfoLinks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	writeJSON(w, "application/json", map[string]any{"links": []map[string]string{
		{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": s.Links.PublicURL + "/nodeinfo/2.1"}}})
}

// getNodeInfo tells the software and nothing about how many people are here.
func (s *Server) getNodeInfo(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	writeJSON(w, `application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"`, map[string]any{
		"version":           "2.1",
		"software":          map[string]string{"name": "parley", "version": s.Software},
		"protocols":         []string{"activitypub"},
		"services":          map[string]any{"inbound": []string{}, "outbound": []string{}},
		"openRegistrations": false,
		"usage":             map[string]any{"users": map[string]int{}},
		"metadata":          map[string]any{}})
}

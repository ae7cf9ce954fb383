package federation

import (
	"errors"
	"net/http"
	"slices"
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
	r.Use(s.closeAnswers)
	s.mountClients(r)
	r.HandleFunc("/inbox", s.handleInbox).Methods("POST")
	r.HandleFunc("/users/{id:[0-9]+}/inbox", s.handleInbox).Methods("POST")
	r.HandleFunc("/actor/inbox", s.handleInbox).Methods("POST")
	r.HandleFunc(pairPath, s.handlePair).Methods("POST")
	r.HandleFunc(rosterPath, s.getRoster).Methods("GET", "HEAD")
	r.HandleFunc("/actor", s.answer(s.getInstanceActor, s.anybody)).Methods("GET", "HEAD")
	r.HandleFunc("/.well-known/webfinger", s.getWebFinger).Methods("GET", "HEAD")
	r.HandleFunc("/.well-known/host-meta", s.getHostMeta).Methods("GET", "HEAD")
	r.HandleFunc("/.well-known/nodeinfo", s.getNodeInfoLinks).Methods("GET", "HEAD")
	r.HandleFunc("/nodeinfo/2.1", s.getNodeInfo).Methods("GET", "HEAD")
	for path, get := range s.documents() {
		r.HandleFunc(path, s.open(get)).Methods("GET", "HEAD")
	}
	for path, get := range map[string]documentFunc{ // where a page for people stands too
		"/users/{id:[0-9]+}":                        s.getActor,
		"/users/{id:[0-9]+}/statuses/{post:[0-9]+}": s.getPost,
		"/@{name}/{post:[0-9]+}":                    s.getPost,
		"/@{name}":                                  s.getActor,
	} {
		r.HandleFunc(path, s.open(get)).Methods("GET", "HEAD").MatcherFunc(WantsActivity)
	}
	r.HandleFunc("/users/{name:[0-9]*[^0-9/][^/]*}", s.redirectName).Methods("GET", "HEAD")
}

// documents are the addresses that only programs ask for.
func (s *Server) documents() map[string]documentFunc {
	const user, post = "/users/{id:[0-9]+}", "/users/{id:[0-9]+}/statuses/{post:[0-9]+}"
	return map[string]documentFunc{
		user + "/outbox":                    s.getOutbox,
		user + "/followers":                 s.getCircle(social.CircleFollowers),
		user + "/following":                 s.getCircle(social.CircleFollowing),
		user + "/followers/synchronization": s.getFollowersOf,
		user + "/featured":                  s.getFeatured,
		user + "/moderators":                s.getModerators,
		post + "/activity":                  s.getActivity,
		post + "/replies":                   s.getReplies,
		post + "/quotes/{quote}":            s.getQuoteAuthorization,
		"/contexts/{post:[0-9]+}":           s.getContext,
		"/activities/{activity:[0-9]+}":     s.getNumbered,
		"/audiences/company":                s.getAudience,
		"/audiences/partner/{audience}":     s.getAudience,
		"/actor/outbox":                     s.getChangeLog,
	}
}

// query is one request for a document: who asks, and what of ours it was given.
type query struct {
	*http.Request
	reader social.Reader
	people []string       // entries of the directory, likewise
	served []*social.Post // of which the reader's server is to have a receipt
	rule   string         // what let the reader have what is of no post and not for everybody
	lost   social.Place   // a place that the reader knows and our change log has lost
}

// documentFunc makes a document for a reader, inside one snapshot.
type documentFunc func(tx social.Tx, q *query) (object, error)

// open answers with a document for whoever signed the request. Hidden and missing
// give the same answer.
func (s *Server) open(get documentFunc) http.HandlerFunc { return s.answer(get, s.reader) }

// anybody reads the instance actor: its key verifies our own fetches, so asking
// for a signature there would go round in circles.
func (s *Server) anybody(*http.Request) (social.Reader, error) {
	return social.Nobody(s.Links.Home()), nil
}

// gone is a Tombstone in place of a document: said with 410, to readers of the
// last audience only.
type gone struct{ tombstone object }

func (*gone) Error() string { return "deleted" }

func (s *Server) answer(get documentFunc, who func(*http.Request) (social.Reader, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept, Authorization, Signature, Signature-Input")
		reader, err := who(r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		status := http.StatusOK
		o, err := s.make(get, &query{Request: r, reader: reader})
		var was *gone
		if errors.As(err, &was) {
			status, o, err = http.StatusGone, was.tombstone, nil
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		s.write(w, r, status, o)
	}
}

// make reads a document and notes what of ours the reader's server has from now on.
func (s *Server) make(get documentFunc, q *query) (o object, err error) {
	rules := ""
	err = s.Store.View(q.Context(), func(tx social.Tx) (err error) {
		q.served, q.people, q.rule = nil, nil, ""
		if o, err = get(tx, q); err == nil && q.reader.Peer != "" && q.reader.Account != nil {
			rules = limitedRules(q.served)
			if q.rule != "" {
				rules = strings.TrimPrefix(rules+", "+q.rule, ", ")
			}
			q.served, err = s.withoutReceipt(tx, q)
		}
		return err
	})
	switch {
	case q.reader.Peer == "" || q.reader.Account == nil:
	case social.KindOf(err) == social.NotFound:
		s.auditRefusal(q.Request, social.AuditFetch, s.Links.PublicURL+q.URL.RequestURI(), q.reader.Peer, err)
	case err == nil && (len(q.served) > 0 || rules != ""):
		err = s.noteFetched(q, rules)
	}
	if err == nil && !q.lost.IsZero() {
		err = s.noteLoss(q)
	}
	return o, err
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, o object) {
	body, err := activitypub.Marshal(o)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", activityType)
	w.Header().Set("Cache-Control", "private, no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the connection may be gone; nobody is left to tell
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

func (s *Server) getInstanceActor(tx social.Tx, q *query) (object, error) {
	a, err := tx.AccountByURI(q.Context(), s.Links.InstanceActor())
	if err != nil {
		return nil, err
	}
	return s.actor(q.Context(), tx, a)
}

// member finds the account of a path, as far as it is shown to the reader.
func (s *Server) member(tx social.Tx, q *query) (a *social.Account, err error) {
	if name := mux.Vars(q.Request)["name"]; name != "" {
		a, err = tx.AccountByName(q.Context(), name, "")
	} else {
		a, err = tx.Account(q.Context(), pathID(q.Request, "id"))
	}
	if err != nil {
		return nil, err
	}
	if !a.Local() || a.Kind == social.KindApplication || !a.SuspendedAt.IsZero() || q.reader.Zone.Kind == social.ZoneBlocked {
		return nil, social.NotFoundError()
	}
	if a.Kind == social.KindGroup {
		shown, err := s.social.Shows(q.Context(), tx, q.reader, a)
		if err != nil {
			return nil, err
		}
		if !shown {
			return nil, social.NotFoundError()
		}
	}
	if !a.DeletedAt.IsZero() { // everybody could read its profile
		return nil, &gone{object{"id": a.URI, "type": activitypub.Tombstone, "formerType": actorTypes[a.Kind], "deleted": stamp(a.DeletedAt)}}
	}
	return a, nil
}

func (s *Server) getActor(tx social.Tx, q *query) (object, error) {
	a, err := s.member(tx, q)
	if err != nil {
		return nil, err
	}
	return s.actor(q.Context(), tx, a)
}

// redirectName leads from a name to the address that never changes, for those who
// may see the member.
func (s *Server) redirectName(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept, Authorization, Signature, Signature-Input")
	reader, err := s.reader(r)
	var a *social.Account
	if err == nil {
		err = s.Store.View(r.Context(), func(tx social.Tx) (err error) {
			a, err = s.member(tx, &query{Request: r, reader: reader})
			return err
		})
	}
	var was *gone
	if errors.As(err, &was) {
		s.write(w, r, http.StatusGone, was.tombstone)
		return
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "private, no-cache")
	http.Redirect(w, r, a.URI, http.StatusFound)
}

func (s *Server) getPost(tx social.Tx, q *query) (object, error) {
	p, author, err := s.ownPost(tx, q)
	if err != nil {
		return nil, err
	}
	if p.Kind == social.PostBoost {
		return s.said(tx, q, author, p)
	}
	q.served = append(q.served, p)
	return s.post(q.Context(), tx, author, p)
}

// getActivity is what published a post: Create, or the Announce of a boost.
func (s *Server) getActivity(tx social.Tx, q *query) (object, error) {
	p, author, err := s.ownPost(tx, q)
	if err != nil {
		return nil, err
	}
	return s.said(tx, q, author, p)
}

// getNumbered is an activity that was sent: about a post, in its present state and
// for those who may see that; between two actors, for the one it went to.
func (s *Server) getNumbered(tx social.Tx, q *query) (object, error) {
	a, err := tx.ActivityByURI(q.Context(), s.Links.Activity(pathID(q.Request, "activity")))
	if err != nil {
		return nil, err
	}
	switch {
	case a.Verb == social.VerbEdit, a.Verb == social.VerbPollCount:
		return s.edited(tx, q, a)
	case a.PostID != 0 || q.reader.Account == nil:
		return nil, social.NotFoundError()
	}
	o, err := activitypub.Parse(a.Body)
	if err != nil || !slices.Contains(o.Refs("to"), q.reader.Account.URI) {
		return nil, social.NotFoundError()
	}
	return o, nil
}

func (s *Server) edited(tx social.Tx, q *query, a *social.Activity) (object, error) {
	p, err := tx.Post(q.Context(), a.PostID)
	if err != nil {
		return nil, err
	}
	ok, err := s.social.VisibleTo(q.Context(), tx, q.reader, p)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, social.NotFoundError()
	}
	author, err := tx.Account(q.Context(), p.AuthorID)
	if err != nil {
		return nil, err
	}
	q.served = append(q.served, p)
	o, _, err := s.activity(q.Context(), tx, a.ID, social.Change{Verb: a.Verb, Actor: author, Post: p, At: a.CreatedAt})
	return o, err
}

// said is the activity by which a member published a post, in its present state.
func (s *Server) said(tx social.Tx, q *query, author *social.Account, p *social.Post) (object, error) {
	c := social.Change{Verb: social.VerbCreate, Actor: author, Post: p, At: p.PublishedAt}
	if p.Kind == social.PostBoost {
		subject, err := tx.Post(q.Context(), p.BoostOfID)
		if err != nil {
			return nil, err
		}
		c.Verb, c.Subject = social.VerbBoost, subject
	}
	q.served = append(q.served, p)
	o, _, err := s.activity(q.Context(), tx, p.ID, c)
	return o, err
}

// ownPost finds a visible post of ours. Whoever could read one that was deleted
// learns that; for all others it never was.
func (s *Server) ownPost(tx social.Tx, q *query) (*social.Post, *social.Account, error) {
	p, err := tx.Post(q.Context(), pathID(q.Request, "post"))
	if err != nil {
		return nil, nil, err
	}
	ok, err := s.social.CouldSee(q.Context(), tx, q.reader, p)
	if err != nil {
		return nil, nil, err
	}
	author, err := tx.Account(q.Context(), p.AuthorID)
	if err != nil {
		return nil, nil, err
	}
	id := pathID(q.Request, "id")
	if !ok || !p.Local || id != 0 && id != p.AuthorID {
		return nil, nil, social.NotFoundError()
	}
	if p.Deleted() {
		return nil, nil, &gone{tombstone(p)}
	}
	return p, author, nil
}

// tombstone is what stays of a post for those who could read it (AP 6.4).
func tombstone(p *social.Post) object {
	o := object{"id": p.URI, "type": activitypub.Tombstone, "deleted": stamp(p.DeletedAt), "published": stamp(p.PublishedAt)}
	switch p.Kind {
	case social.PostBoost:
		o["formerType"] = activitypub.Announce
	case social.PostPoll:
		o["formerType"] = activitypub.Question
	default:
		o["formerType"] = activitypub.Note
	}
	return o
}

// withoutReceipt keeps of what is served the posts that the reader's server was
// not known to have.
func (s *Server) withoutReceipt(tx social.Tx, q *query) (fresh []*social.Post, err error) {
	uris := make([]string, 0, len(q.served))
	for _, p := range q.served {
		uris = append(uris, p.URI)
	}
	had, err := tx.HaveReceipts(q.Context(), q.reader.Peer, uris)
	for _, p := range q.served {
		if !had[p.URI] {
			fresh = append(fresh, p)
		}
	}
	return fresh, err
}

// noteFetched writes down, before the answer, that a server has posts of ours, so
// that their edits and deletion reach it, and which rules let it have what is not for
// everybody.
func (s *Server) noteFetched(q *query, rules string) error {
	return s.Store.Tx(q.Context(), func(tx social.Tx) error {
		for _, p := range q.served {
			if err := tx.PutReceipt(q.Context(), social.Receipt{ObjectURI: p.URI, PostID: p.ID, Peer: q.reader.Peer,
				Inbox: q.reader.Account.DeliveryInbox(), How: social.ReceiptFetched, At: s.Now()}); err != nil {
				return err
			}
		}
		entries := q.people
		if len(entries) > 0 {
			entries = append(entries, directoryURI(s.Links.InstanceActor()))
		}
		for _, uri := range entries {
			if err := tx.PutReceipt(q.Context(), social.Receipt{ObjectURI: uri, Peer: q.reader.Peer, Inbox: q.reader.Account.DeliveryInbox(),
				How: social.ReceiptFetched, At: s.Now()}); err != nil {
				return err
			}
		}
		if rules == "" {
			return nil
		}
		return s.auditFetch(tx, q.Request, q.reader, rules)
	})
}

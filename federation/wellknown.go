package federation

import (
	"encoding/json"
	"net/http"

	"parley/activitypub"
	"parley/social"
)

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
		if err == nil && (!a.Local() || !a.Shown()) {
			err = social.NotFoundError()
		}
		return err
	})
	if err != nil || a.Kind != social.KindGroup || a.Group.Findable() {
		return a, err
	}
	return a, s.mayFind(r, a)
}

// mayFind says whether who signed may find a group that is not for everybody; whose
// signature is wrong is nobody.
func (s *Server) mayFind(r *http.Request, a *social.Account) error {
	reader, err := s.reader(r)
	if err != nil {
		reader = social.Nobody(s.Links.Home())
	}
	return s.Store.View(r.Context(), func(tx social.Tx) error {
		shown, err := s.social.Shows(r.Context(), tx, reader, a)
		if err == nil && !shown {
			err = social.NotFoundError()
		}
		return err
	})
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

package federation

import (
	"net/http"

	"parley/activitypub/httpsig"
	"parley/social"
)

// Reader tells who signed a request for a file, as for a document.
func (s *Server) Reader(w http.ResponseWriter, r *http.Request) (social.Reader, error) {
	reader, err := s.reader(r)
	if social.KindOf(err) == social.Unauthenticated {
		w.Header().Set("Accept-Signature", httpsig.AcceptSignature(r.Method))
	}
	return reader, err
}

package federation

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/social"
)

// asking is a request that a paired peer's instance signed.
type asking struct {
	*bond
	sig *httpsig.Signature
}

type askingKey struct{}

func askingIn(ctx context.Context) *asking {
	a, _ := ctx.Value(askingKey{}).(*asking)
	return a
}

// closeAnswers stands before every route: what a paired peer asks for with the key of
// its instance is answered to that instance alone, whatever it is. Refusals look the
// same for everybody.
func (s *Server) closeAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := s.asking(r)
		if err != nil {
			s.Log.Info("request refused", "peer", s.claimed(r, ""), "remote", r.RemoteAddr, "path", r.URL.Path, "reason", err.Error())
			s.auditRefusal(r, social.AuditFetch, s.asked(r), s.claimed(r, ""), err)
			s.refuse(w, r, err)
			return
		}
		if a == nil {
			next.ServeHTTP(w, r)
			return
		}
		for _, part := range []string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
			r.Header.Del(part) // an answer is sealed whole
		}
		c := &closing{header: w.Header().Clone(), places: s.held}
		defer c.room.leave()
		next.ServeHTTP(c, r.WithContext(context.WithValue(r.Context(), askingKey{}, a)))
		s.finish(w, r, a, c)
	})
}

// asking finds out whether a paired peer asks. What says so and is signed by any other
// key is refused; what says nothing of the kind is for others to judge.
func (s *Server) asking(r *http.Request) (*asking, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || len(r.Header.Values("Signature")) == 0 {
		return nil, nil
	}
	sig, peer, err := s.inspect(r, nil)
	if err != nil {
		return nil, nil
	}
	b, err := s.bond(r.Context(), peer)
	if err != nil || b == nil {
		return nil, err
	}
	named := r.Header.Values(actorHeader)
	if len(named) > 1 || len(named) == 1 && !sig.Covers(strings.ToLower(actorHeader)) {
		return nil, unauthenticated(errors.New(actorHeader + " must be given once and signed"))
	}
	// Everybody may read the instance itself; by that a parked peer sees that we are there.
	if err := s.binding(b, sig); err != nil && (!b.parked() || social.KindOf(err) != social.Unavailable || s.asked(r) != s.Links.InstanceActor()) {
		return nil, err
	}
	return &asking{b, sig}, nil
}

// pairedReader is in whose name a paired peer asks: a person there, or the instance.
func (s *Server) pairedReader(r *http.Request, a *asking) (social.Reader, error) {
	nobody, uri := social.Nobody(s.Links.Home()), r.Header.Get(actorHeader)
	if uri == "" {
		uri, _, _ = strings.Cut(a.sig.KeyID, "#")
	}
	if authority, err := activitypub.Authority(uri); err != nil || authority != a.Authority {
		return nobody, unauthenticated(errors.New("a paired server asks in the name of its own people"))
	}
	if err := s.admit(r.Context(), a.Authority, uri, r.URL.Path); err != nil {
		return nobody, err
	}
	account, err := s.pairedAccount(withBudget(r.Context(), keyFetches), uri)
	if err == nil && !account.Active() {
		err = notAdmitted()
	}
	if err != nil {
		return nobody, err
	}
	return s.social.PeerReader(r.Context(), a.Authority, account)
}

const (
	// largestAnswer is what others read of a file (package outbound).
	largestAnswer = 40 << 20
	// heldAnswers is how many large answers are in memory at the same time.
	heldAnswers = 4
)

// closing holds an answer until it is whole.
type closing struct {
	header http.Header
	status int
	body   bytes.Buffer
	room   room
	places chan struct{}
	err    error
}

// Header implements http.ResponseWriter.
func (c *closing) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *closing) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
}

// Write implements http.ResponseWriter.
func (c *closing) Write(p []byte) (int, error) {
	c.WriteHeader(http.StatusOK)
	switch size := c.body.Len() + len(p); {
	case c.err != nil:
	case size > largestAnswer:
		c.err = errors.New("an answer is too large to be sealed")
	case size > smallBody:
		c.err = c.room.enter(c.places)
	}
	if c.err != nil {
		return 0, c.err
	}
	return c.body.Write(p)
}

// finish writes a closed answer: sealed where it says something, with none of the
// headers that could tell what, and as it is where it refuses.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, a *asking, c *closing) {
	if c.err != nil {
		s.refuse(w, r, c.err)
		return
	}
	c.WriteHeader(http.StatusOK)
	body := c.body.Bytes()
	if says := c.status < 300 || c.status == http.StatusGone; says {
		sealed, _, err := a.seal(body, a.to(seal.Answer, s.asked(r), a.sig.Value()))
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		body = sealed
		w.Header().Set("Content-Type", seal.MediaType)
		w.Header().Set("Cache-Control", "private, no-store")
		w.Header().Set("Vary", "Signature, Signature-Input")
	} else {
		maps.Copy(w.Header(), c.header)
	}
	w.WriteHeader(c.status)
	_, _ = w.Write(body) // the connection may be gone; nobody is left to tell
}

package federation

import (
	"context"
	"errors"
	"net/http"
	"time"

	"parley/outbound"
	"parley/social"
)

// ErrKeysRefused says that a paired server does not take our keys for ours.
var ErrKeysRefused = errors.New("it refuses the keys of this server")

// Probe asks a server for what it shows everybody; a paired one is asked, and answers,
// under the pinned keys. It tells how long that took, and how far the clock there is
// ahead, by the Date of its answer, also of one that is no good: a wrong clock may be why.
// For the same reason nobody is parked for it. One that did not answer a moment ago is
// asked all the same.
func (s *Server) Probe(ctx context.Context, peer string) (took, ahead time.Duration, err error) {
	b, err := s.bond(ctx, peer)
	if err != nil {
		return 0, 0, err
	}
	s.down.forget("host " + peer)
	address := s.Links.Of(peer).PublicURL + "/.well-known/nodeinfo"
	if _, err := s.mayAsk(ctx, address); err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, challengeTime)
	defer cancel()
	began := s.Now()
	var res *outbound.Response
	if b != nil {
		res, err = s.challenge(ctx, b)
	} else if res, err = s.askOpenly(ctx, outbound.WebFinger, address); err != nil {
		err = s.unreached(peer, err)
	}
	if res == nil {
		return 0, 0, err
	}
	now := s.Now()
	took, ahead = now.Sub(began), s.clocks.note(peer, res, now)
	if res.Status != http.StatusOK {
		answered := social.Errorf(social.Unavailable, "the server %s answers with the status %d", peer, res.Status)
		if b != nil && res.Status == http.StatusUnauthorized {
			answered.Err = ErrKeysRefused
		}
		err = answered
	}
	return took, ahead, err
}

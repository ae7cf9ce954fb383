package federation

import (
	"context"
	"net/http"
	"time"

	"parley/outbound"
	"parley/social"
)

// Probe asks a server for what it shows everybody; a paired one is asked, and answers,
// under the pinned keys. It tells how long that took, and how far the clock there is
// ahead, by the Date of its answer. One that did not answer a moment ago is asked all
// the same.
func (s *Server) Probe(ctx context.Context, peer string) (took, ahead time.Duration, err error) {
	b, err := s.bond(ctx, peer)
	if err != nil {
		return 0, 0, err
	}
	purpose, address := outbound.WebFinger, s.Links.Of(peer).PublicURL+"/.well-known/nodeinfo"
	if b != nil {
		purpose, address = outbound.Document, s.Links.Of(peer).InstanceActor()
	}
	s.down.forget("host " + peer)
	ctx, cancel := context.WithTimeout(ctx, challengeTime)
	defer cancel()
	began := s.Now()
	res, err := s.askOpenly(ctx, purpose, address)
	if err != nil {
		return 0, 0, s.unreached(peer, err)
	}
	now := s.Now()
	if took = now.Sub(began); res.Status != http.StatusOK {
		return took, 0, social.Errorf(social.Unavailable, "the server %s answers with the status %d", peer, res.Status)
	}
	return took, s.clocks.note(peer, res, now), nil
}

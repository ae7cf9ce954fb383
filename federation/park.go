package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"parley/activitypub/seal"
	"parley/outbound"
	"parley/social"
)

// youngPairing is how long one side of a new pairing may not know of it yet: what it
// answers until then is no sign of somebody else.
const youngPairing = 10 * time.Minute

// suspect parks a peer at whose address somebody answers without the pinned keys.
func (s *Server) suspect(ctx context.Context, b *bond, cause string) {
	if err := s.social.Park(ctx, b.Pairing, cause); err != nil {
		s.Log.Error("a peer that answers with other keys was not parked", "peer", b.Authority, "error", err)
	}
}

// opened gives the answer to a hop in clear. What another than the holder of the pinned
// keys answers is nothing, and noted. What is no 200 has nothing to say.
func (s *Server) opened(ctx context.Context, h *hop, res *outbound.Response, err error) (*outbound.Response, error) {
	if err != nil || res.Status != http.StatusOK {
		return res, err
	}
	if res.Body, err = h.unseal(res.Body); err == nil {
		return res, nil
	}
	if s.Now().Sub(h.Since) > youngPairing {
		s.suspect(ctx, h.bond, "a request was answered without the pinned keys: "+err.Error())
	}
	return nil, otherKeys(h.Authority, err)
}

func (h *hop) unseal(body []byte) ([]byte, error) {
	payload, _, err := seal.Open(body, h.from(seal.Answer, h.target, h.signature), h.open, h.senders, len(body))
	return payload, err
}

// ErrOtherKeys says that a paired server answers without the keys that are pinned here.
var ErrOtherKeys = errors.New("it answers with other keys than those that are pinned")

func otherKeys(peer string, err error) error {
	return &social.Error{Kind: social.Unavailable, Public: "the server " + peer + " does not answer with its own keys", Err: fmt.Errorf("%w: %w", ErrOtherKeys, err)}
}

// Unpark asks a parked peer for proof that the holder of the pinned keys answers at its
// address, and goes on with the exchange when it does; false says that it was not
// parked. by is who ordered it, "" nobody.
func (s *Server) Unpark(ctx context.Context, peer, by string) (bool, error) {
	b, err := s.bond(ctx, peer)
	switch {
	case err != nil:
		return false, err
	case b == nil:
		return false, &social.Error{Kind: social.NotFound, Public: "the server " + peer + " is not paired with this one"}
	case !b.parked():
		return false, nil
	}
	if _, err := s.challenge(ctx, b); err != nil {
		return false, err
	}
	if err := s.social.Unpark(ctx, b.Pairing, by); err != nil {
		return false, err
	}
	if err := s.Queue.HostWorked(ctx, peer, s.Now()); err != nil {
		return false, err
	}
	s.deliveries.Wake()
	return true, nil
}

// challengeTime is how long a peer may take to prove itself.
const challengeTime = 10 * time.Second

// challenge asks for the document of the peer's instance: its answer is sealed by the
// pinned key and bound to this very request. The answer is there also when it is no proof.
func (s *Server) challenge(ctx context.Context, b *bond) (*outbound.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, challengeTime)
	defer cancel()
	scheme, _, _ := strings.Cut(s.Links.PublicURL, "://")
	var h *hop
	res, err := s.Client.Get(ctx, outbound.Document, scheme+"://"+b.Authority+"/actor", func(r *http.Request) (err error) {
		h, err = s.signHop(b, r, "")
		return err
	})
	if err != nil {
		return nil, s.unreached(b.Authority, err)
	}
	if res.Status == http.StatusOK {
		_, err = h.unseal(res.Body)
	} else {
		err = fmt.Errorf("answered %d", res.Status)
	}
	if err != nil {
		err = otherKeys(b.Authority, err)
	}
	return res, err
}

// Recheck asks the parked peers whose time has come. The instance calls it often.
func (s *Server) Recheck(ctx context.Context) error {
	var parked []string
	err := s.Store.View(ctx, func(tx social.Tx) error {
		parked = nil
		list, err := tx.Pairings(ctx)
		for _, p := range list {
			if p.State == social.PairingParked {
				parked = append(parked, p.Authority)
			}
		}
		return err
	})
	for _, peer := range parked {
		if !s.checks.due(peer, s.Now()) {
			continue
		}
		if _, err := s.Unpark(ctx, peer, ""); err != nil {
			s.Log.Info("a parked server stays parked", "peer", peer, "reason", err)
			continue
		}
		s.checks.forget(peer)
	}
	return err
}

// checks say when a parked peer is asked again: after a minute, then after twice as
// long each time, up to an hour; sooner when it is heard of.
type checks struct {
	mu   sync.Mutex
	next map[string]probe
}

type probe struct {
	at   time.Time
	wait time.Duration
}

const (
	firstCheck = time.Minute
	lastCheck  = time.Hour
)

// due says that a peer is to be asked now, and when it will be the next time.
func (c *checks) due(peer string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.next[peer]
	if now.Before(k.at) {
		return false
	}
	if c.next == nil {
		c.next = map[string]probe{}
	}
	k.wait = min(max(firstCheck, 2*k.wait), lastCheck)
	k.at = now.Add(k.wait)
	c.next[peer] = k
	return true
}

// hurry lets a peer be asked at the next occasion. The pinned key asked for that, so
// it happens no oftener than the instance looks.
func (c *checks) hurry(peer string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.next[peer]; ok {
		k.at = now
		c.next[peer] = k
	}
}

func (c *checks) forget(peer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.next, peer)
}

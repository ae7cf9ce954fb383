package federation

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/social"
)

// actorHeader names the member in whose name a paired instance asks. The signature of
// the instance covers it; nobody else's word counts.
const actorHeader = "Parley-Actor"

// pairedParts is what is kept for the exchange with paired peers.
type pairedParts struct {
	ring   ring
	checks checks
	held   chan struct{} // bounds large sealed answers in memory
}

// bond is what counts between us and a paired peer at one moment: the keys that are
// pinned of it, and ours.
type bond struct {
	social.Pairing
	home    string // our authority
	key     httpsig.Key
	open    []*ecdh.PrivateKey  // what it sends may be sealed to any of them
	senders []ed25519.PublicKey // the peer's, the former one for as long as it is good
}

// bondIn finds the bond with a peer; nil when it never was paired. One that has run out,
// is parked or has ended binds all the same: nothing goes back to how strangers are
// spoken to, least of all what takes back.
func (s *Server) bondIn(ctx context.Context, tx social.Tx, peer string) (*bond, error) {
	p, err := tx.Pairing(ctx, peer)
	if errors.Is(err, social.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := &bond{Pairing: p, home: s.Links.Home(), senders: []ed25519.PublicKey{p.SigningKey}}
	if s.Now().Before(p.FormerUntil) {
		b.senders = append(b.senders, p.FormerKey)
	}
	return b, s.ourKeys(ctx, tx, b)
}

// bond is bondIn by itself.
func (s *Server) bond(ctx context.Context, peer string) (b *bond, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		b, err = s.bondIn(ctx, tx, peer)
		return err
	})
	return b, err
}

// ourKeys reads the instance's keys as they are now: a command may have changed them.
// Until the peer has heard of a change, it is spoken to with the key that it has pinned.
func (s *Server) ourKeys(ctx context.Context, tx social.Tx, b *bond) error {
	id, err := s.instanceID(ctx, tx)
	if err != nil {
		return err
	}
	keys, err := tx.KeysOf(ctx, id)
	if err != nil {
		return err
	}
	for _, k := range keys {
		current := k.ExpiresAt.IsZero()
		switch {
		case k.Private == nil || !current && !s.Now().Before(k.ExpiresAt):
		case k.Kind == "ed25519":
			private, err := s.ring.parse(k.Private)
			if err != nil {
				return err
			}
			ed, ok := private.(ed25519.PrivateKey)
			if ok && (current && b.key.Private == nil || bytes.Equal(b.OwnKey, ed.Public().(ed25519.PublicKey))) {
				b.key = httpsig.Key{ID: s.Links.EdKey(s.Links.InstanceActor()), Private: ed}
			}
		case k.Kind == "x25519":
			private, err := s.ring.parse(k.Private)
			if err != nil {
				return err
			}
			if x, ok := private.(*ecdh.PrivateKey); ok {
				b.open = append(b.open, x)
			}
		}
	}
	if b.key.Private == nil || len(b.open) == 0 {
		return errors.New("this instance has no keys to sign and open with")
	}
	return nil
}

// instanceID is the account of the instance, which stays the same.
func (s *Server) instanceID(ctx context.Context, tx social.Tx) (social.ID, error) {
	if id := s.ring.self.Load(); id != 0 {
		return social.ID(id), nil
	}
	a, err := tx.AccountByURI(ctx, s.Links.InstanceActor())
	if err != nil {
		return 0, err
	}
	s.ring.self.Store(int64(a.ID))
	return a.ID, nil
}

// ring holds the instance's parsed keys by their PEM: parsing one costs as much as
// using it.
type ring struct {
	self   atomic.Int64
	mu     sync.Mutex
	parsed map[string]any
}

// ringSize is more than an instance has at once.
const ringSize = 32

func (r *ring) parse(pem []byte) (any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.parsed[string(pem)]; ok {
		return k, nil
	}
	k, err := parsePrivate(pem)
	if err != nil {
		return nil, err
	}
	if len(r.parsed) >= ringSize || r.parsed == nil {
		r.parsed = map[string]any{}
	}
	r.parsed[string(pem)] = k
	return k, nil
}

func parsePrivate(pem []byte) (any, error) {
	if k, err := httpsig.ParseX25519(pem); err == nil {
		return k, nil
	}
	return httpsig.ParsePrivate(pem)
}

// parked says that nothing is exchanged for now.
func (b *bond) parked() bool { return b.State == social.PairingParked }

// to and from are what a sealed body is bound to, on its way out and in.
func (b *bond) to(p seal.Purpose, target string, request []byte) seal.About {
	return seal.About{From: b.home, To: b.Authority, Purpose: p, Target: target, Request: request}
}

func (b *bond) from(p seal.Purpose, target string, request []byte) seal.About {
	return seal.About{From: b.Authority, To: b.home, Purpose: p, Target: target, Request: request}
}

// seal closes a payload for the peer.
func (b *bond) seal(payload []byte, about seal.About) ([]byte, seal.Token, error) {
	private, _ := b.key.Private.(ed25519.PrivateKey)
	return seal.Seal(payload, about, private, b.SealingKey)
}

// sign signs a request to the peer in the name of the instance, for a member where actor
// is not "". The signature is good for this one request: it holds a nonce.
func (b *bond) sign(r *http.Request, body []byte, actor string, now time.Time) ([]byte, error) {
	w := httpsig.Wish{Nonce: rand.Text()}
	if actor != "" {
		r.Header.Set(actorHeader, actor)
		w.Components = []string{strings.ToLower(actorHeader)}
	}
	return httpsig.SignAs(r, body, b.key, w, now)
}

// signed says that a request is by a pinned key of the peer.
func (b *bond) signed(sig *httpsig.Signature) error {
	if sig.Dialect == httpsig.RFC9421 {
		for _, k := range b.senders {
			if len(k) == ed25519.PublicKeySize && sig.Verify(k) == nil {
				return nil
			}
		}
	}
	return errors.New("this server is paired: what it sends is signed by the key of its instance that is pinned here")
}

// target is an address as both sides of a signature write it.
func target(u *url.URL) string { return u.Scheme + "://" + u.Host + u.RequestURI() }

// asked is the address of a request to us, as its sender signed it.
func (s *Server) asked(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return s.Links.PublicURL + r.RequestURI
	}
	return s.Links.PublicURL + r.URL.RequestURI()
}

// hop is a request to a paired peer, by which its answer is recognised.
type hop struct {
	*bond
	target    string
	signature []byte
}

// step is what comes before each request of a GET, each hop of a redirect too: another
// server to ask (B2). It signs for a paired peer, which may lead nowhere but to itself,
// and answers nil for all others.
func (s *Server) step(ctx context.Context, before *hop, r *http.Request, as social.ID) (*hop, error) {
	peer, err := s.mayAsk(ctx, r.URL.String())
	if err != nil {
		return nil, err
	}
	if err := spend(ctx); err != nil {
		return nil, err
	}
	if before != nil && before.Authority != peer {
		return nil, social.Errorf(social.Invalid, "the server %s leads to another one", before.Authority)
	}
	b, err := s.bond(ctx, peer)
	switch {
	case err != nil || b == nil:
		return nil, err
	case b.parked():
		return nil, social.Errorf(social.Unavailable, "the exchange with %s is parked: somebody else answered at its address", peer)
	}
	actor := ""
	if as != 0 {
		actor = s.Links.Account(as)
	}
	return s.signHop(b, r, actor)
}

func (s *Server) signHop(b *bond, r *http.Request, actor string) (*hop, error) {
	signature, err := b.sign(r, nil, actor, s.Now())
	return &hop{b, target(r.URL), signature}, err
}

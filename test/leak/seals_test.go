package leak_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/instance/instancetest"
	"parley/social"
)

// street finds the sites of a test by their host, with what opens what is sealed for them:
// on the wire between paired instances nobody can read along, and so nothing could be
// found there.
type street map[string]*site

// locks are the keys of an instance.
type locks struct {
	sign httpsig.Key
	open []*ecdh.PrivateKey
}

func (s *site) locks() locks {
	s.t.Helper()
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.held.sign.Private != nil {
		return s.held
	}
	a, err := s.in.Social.InstanceActor(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	var l locks
	if err := s.in.DB.View(context.Background(), func(tx social.Tx) error {
		keys, err := tx.KeysOf(context.Background(), a.ID)
		for _, k := range keys {
			switch {
			case err != nil:
			case k.Kind == "ed25519":
				l.sign.ID = k.URI
				l.sign.Private, err = httpsig.ParsePrivate(k.Private)
			case k.Kind == "x25519":
				var x *ecdh.PrivateKey
				x, err = httpsig.ParseX25519(k.Private)
				l.open = append(l.open, x)
			}
		}
		return err
	}); err != nil || l.sign.Private == nil || len(l.open) == 0 {
		s.t.Fatalf("%s has no keys: %v", s.name, err)
	}
	s.held = l
	return l
}

func (s *site) public() []ed25519.PublicKey {
	return []ed25519.PublicKey{s.locks().sign.Private.Public().(ed25519.PublicKey)}
}

// pairedWith says that another site takes the word of this one's instance key alone.
func (s *site) pairedWith(other *site) bool {
	s.t.Helper()
	paired := false
	err := other.in.DB.View(context.Background(), func(tx social.Tx) error {
		_, err := tx.Pairing(context.Background(), s.host())
		paired = err == nil // also when it has ended
		return err
	})
	if err != nil && social.KindOf(err) != social.NotFound {
		s.t.Fatal(err)
	}
	return paired
}

// signFor signs a request as the person's server would, and answers what opens the
// answer, nil where none is sealed.
func (p *person) signFor(q *http.Request, now time.Time) (open func(body []byte) []byte, err error) {
	other := p.street[q.URL.Host]
	if other == nil || p.in == nil || !p.pairedWith(other) {
		return nil, httpsig.Sign(q, nil, p.key, httpsig.Cavage, now)
	}
	w := httpsig.Wish{Nonce: fmt.Sprint(now.UnixNano(), q.URL)}
	if p.reader.Account != nil {
		q.Header.Set("Parley-Actor", p.reader.Account.URI)
		w.Components = []string{"parley-actor"}
	}
	signature, err := httpsig.SignAs(q, nil, p.locks().sign, w, now)
	about := seal.About{From: other.host(), To: p.host(), Purpose: seal.Answer, Target: q.URL.Scheme + "://" + q.URL.Host + q.URL.RequestURI(), Request: signature}
	return func(body []byte) []byte {
		clear, _, err := seal.Open(body, about, p.locks().open, other.public(), 64<<20)
		if err != nil {
			p.t.Fatalf("the answer of %s does not open: %v", other.name, err)
		}
		return clear
	}, err
}

// open opens an exchange as its two sides do.
func (s street) open(t testing.TB, e *instancetest.Exchange) {
	from, to := s[e.From], s[e.To]
	if from == nil || to == nil {
		return
	}
	target := to.in.Config.PublicURL + e.Target
	var err error
	if e.Header.Get("Content-Type") == seal.MediaType {
		e.Sent, _, err = seal.Open(e.Sent, seal.About{From: e.From, To: e.To, Purpose: seal.Delivery, Target: target}, to.locks().open, from.public(), 2<<20)
	}
	if err == nil && e.Answered.Get("Content-Type") == seal.MediaType && e.Method == http.MethodGet {
		about := seal.About{From: e.To, To: e.From, Purpose: seal.Answer, Target: target, Request: value(e.Header)}
		e.Answer, _, err = seal.Open(e.Answer, about, from.locks().open, to.public(), 64<<20)
	}
	if err != nil {
		t.Errorf("%s %s from %s to %s does not open: %v", e.Method, e.Target, from.name, to.name, err)
	}
}

// value is the signature itself in a header of RFC 9421.
func value(h http.Header) []byte {
	_, text, _ := strings.Cut(h.Get("Signature"), "=:")
	b, _ := base64.StdEncoding.DecodeString(strings.TrimSuffix(text, ":")) // else it opens nothing
	return b
}

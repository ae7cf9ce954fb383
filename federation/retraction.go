package federation

import (
	"context"

	"parley/activitypub"
	"parley/social"
)

// keepRetraction keeps what a sister or partner takes back, when its author proves it:
// one that was restored from a backup learns from us that the object is gone. Nothing
// is kept for others, who could fill our disk with it.
func (s *Server) keepRetraction(ctx context.Context, in *social.Inbound, actor *social.Account, uri string) error {
	if !activitypub.SameAuthority(uri, actor.URI) {
		return nil
	}
	zone, err := s.social.Zone(ctx, actor.Authority)
	if err != nil || zone.Kind != social.ZoneCompany && zone.Kind != social.ZonePartner {
		return err
	}
	p, err := s.claim(in.Body, actor.URI)
	if err != nil || p == nil {
		return nil // without a proof it says nothing to anybody else
	}
	if _, err := s.provenBy(ctx, p, actor.URI, actor.Authority); err != nil {
		return nil
	}
	if _, err := s.stored(ctx, uri); social.KindOf(err) == social.NotFound && !s.unheard.take(actor.Authority, s.Now()) {
		return nil // of what was never here only so much is kept, or one could fill our disk with it
	}
	return s.Store.Tx(ctx, func(tx social.Tx) error {
		return tx.PutRetraction(ctx, social.Retraction{ObjectURI: uri, Authority: actor.Authority, Actor: actor.URI, Body: in.Body, At: s.Now()})
	})
}

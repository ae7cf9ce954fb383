package federation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/gorilla/mux"

	"parley/activitypub"
	"parley/social"
)

// This file answers requests to quote posts of members (FEP-044f).

// applyQuoteRequest takes a request to quote a post of ours. The quoting post may
// come with it; only its id and author count here.
func (s *Server) applyQuoteRequest(ctx context.Context, actor *social.Account, o object) error {
	if e, ok := o.Embedded("instrument"); ok && e.Has("attributedTo") && e.Ref("attributedTo") != actor.URI {
		return social.Errorf(social.Invalid, "everybody asks for their own quotes only")
	}
	subject := o.Ref("object")
	if !s.answers.take(actor.URI+" quotes "+subject, s.Now()) {
		return social.Errorf(social.Limited, "too many requests of %s to quote the same post", actor.URI)
	}
	return s.social.ApplyQuoteRequest(ctx, actor, subject, social.QuoteRequest{URI: o.ID(), Quote: o.Ref("instrument")})
}

// authorization is the address of the consent to one quote of a post.
func authorization(post, quote string) string {
	sum := sha256.Sum256([]byte(quote))
	return post + "/quotes/" + hex.EncodeToString(sum[:16])
}

// quoteAnswer fills the answer to a request.
func quoteAnswer(o object, c social.Change) {
	request := object{"type": activitypub.QuoteRequest, "actor": c.Target.URI, "object": c.Subject.URI, "instrument": c.Quote.Quote}
	if c.Quote.URI != "" {
		request["id"] = c.Quote.URI
	}
	o["type"], o["object"] = activitypub.Reject, request
	if c.Verb == social.VerbAllowQuote {
		o["type"], o["result"] = activitypub.Accept, authorization(c.Subject.URI, c.Quote.Quote)
	}
}

// keepAuthorization writes the consent to a quote, once, as an entry of what we
// say in public. It goes with the post.
func (s *Server) keepAuthorization(ctx context.Context, tx social.Tx, c social.Change) error {
	id := authorization(c.Subject.URI, c.Quote.Quote)
	_, err := tx.ActivityByURI(ctx, id)
	if !errors.Is(err, social.ErrNotFound) {
		return err
	}
	body, err := activitypub.Marshal(object{"id": id, "type": "QuoteAuthorization", "attributedTo": c.Actor.URI,
		"interactingObject": c.Quote.Quote, "interactionTarget": c.Subject.URI})
	if err != nil {
		return err
	}
	return tx.InsertActivity(ctx, &social.Activity{ID: social.NewID(s.Now()), URI: id, Verb: c.Verb, ActorID: c.Actor.ID, PostID: c.Subject.ID,
		ObjectURI: c.Subject.URI, Audience: c.Subject.Audience, Body: body, CreatedAt: s.Now()})
}

// getQuoteAuthorization shows a consent while the post is there.
func (s *Server) getQuoteAuthorization(tx social.Tx, q *query) (object, error) {
	p, _, err := s.ownPost(tx, q)
	if err != nil {
		return nil, err
	}
	a, err := tx.ActivityByURI(q.Context(), p.URI+"/quotes/"+mux.Vars(q.Request)["quote"])
	if err != nil {
		return nil, err
	}
	return activitypub.Parse(a.Body)
}

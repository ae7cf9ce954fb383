package social

import "context"

// QuoteRequest asks the author of a post whether it may be quoted (FEP-044f).
type QuoteRequest struct {
	URI   string // of the request
	Quote string // URI of the post that quotes
}

// ApplyQuoteRequest answers a remote actor that wants to quote a post of a member:
// yes for what everybody may see, no for what has known readers or from somebody
// whom the author blocks. Whoever cannot see the post gets no answer at all.
func (s *Service) ApplyQuoteRequest(ctx context.Context, actor *Account, subjectURI string, q QuoteRequest) error {
	if !sameServer(q.Quote, actor.URI) {
		return Errorf(Invalid, "everybody asks for their own quotes only")
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := tx.PostByURI(ctx, subjectURI)
		if err != nil {
			return err
		}
		if !p.Local || p.Kind == PostBoost {
			return NotFoundError()
		}
		if err := s.mayTouch(ctx, tx, actor, p); err != nil {
			return err
		}
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil {
			return err
		}
		verb := VerbRefuseQuote
		if p.Audience.Everybody() && p.Ceiling.IsZero() {
			verb = VerbAllowQuote
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: verb, Actor: author, Target: actor, Subject: p, Quote: &q, At: s.Now()})
	})
}

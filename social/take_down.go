package social

import (
	"cmp"
	"context"
	"slices"
)

// TakeDown removes somebody's post for good, for moderators and administrators: one that
// was written here is taken back from everybody who has it, another is gone here. By is
// written down; nobody takes down what they may not see, but for a post that a report names
// (report; zero for none): whoever reported it could.
func (s *Service) TakeDown(ctx context.Context, r Reader, id, report ID, by string) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	if me.Role != RoleModerator && me.Role != RoleAdmin {
		return NotFoundError()
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.readable(ctx, tx, r, id)
		if KindOf(err) == NotFound && report != 0 {
			p, err = s.namedIn(ctx, tx, report, id)
		}
		if err != nil {
			return err
		}
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil {
			return err
		}
		if err := tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditPolicy, Subject: p.URI, Rule: "post", Result: "taken down", By: by}); err != nil {
			return err
		}
		if err := s.erase(ctx, tx, p.ID); err != nil || !author.Local() {
			return err
		}
		verb, subject := VerbDelete, (*Post)(nil)
		if p.Kind == PostBoost {
			verb = VerbUnboost
			if subject, err = tx.Post(ctx, p.BoostOfID); err != nil {
				return err
			}
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: verb, Actor: author, Post: p, Subject: subject, At: s.Now()})
	})
}

// namedIn loads a post that a report names.
func (s *Service) namedIn(ctx context.Context, tx Tx, report, id ID) (*Post, error) {
	complaint, err := tx.Report(ctx, report)
	if err != nil {
		return nil, err
	}
	p, err := tx.Post(ctx, id)
	if err != nil || !slices.Contains(complaint.PostIDs, id) || p.Deleted() {
		return nil, cmp.Or(err, error(NotFoundError()))
	}
	return p, nil
}

package social

import (
	"context"
	"time"
)

// Undo takes back what a remote actor did.
type Undo struct {
	ActivityURI string // of what is taken back
	SubjectURI  string // what that was about, for servers that name only this
	Verb        Verb   // what it was: VerbFollow, VerbFavourite, VerbBoost, VerbBlock or VerbAccept
	By          string // the Undo's own URI
	SignedAt    time.Time
}

// ApplyUndo takes back what the actor did: by the activity's URI or, where a
// server does not send that, by what it was about.
func (s *Service) ApplyUndo(ctx context.Context, actor *Account, u Undo) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.rememberUndo(ctx, tx, actor, u); err != nil {
			return err
		}
		switch u.Verb {
		case VerbBoost:
			return s.undoBoost(ctx, tx, actor, u.ActivityURI, u.SubjectURI)
		case VerbFavourite:
			return s.undoFavourite(ctx, tx, actor, u.ActivityURI, u.SubjectURI)
		}
		target, err := tx.AccountByURI(ctx, u.SubjectURI)
		if err != nil {
			return ignoreNotFound(err)
		}
		switch u.Verb {
		case VerbFollow:
			_, err = tx.DeleteFollow(ctx, actor.ID, target.ID)
		case VerbBlock:
			_, err = tx.SetBlock(ctx, actor.ID, target.ID, false, s.Now())
		case VerbAccept:
			if target.Local() {
				_, err = tx.DeleteFollow(ctx, target.ID, actor.ID)
			}
		}
		return err
	})
}

// rememberUndo keeps what is taken back from taking effect later: others send side
// by side, and try again what failed. A Follow that was here already may come again
// under its id, since some servers make that of the two people; whoever repeats an
// old request changes nothing, as it was signed before the Undo (T4).
func (s *Service) rememberUndo(ctx context.Context, tx Tx, actor *Account, u Undo) error {
	if !sameServer(u.ActivityURI, actor.URI) {
		return nil
	}
	key := undoneKey(actor, u.ActivityURI)
	if u.Verb == VerbFollow {
		came, err := tx.TakeBackInbound(ctx, u.ActivityURI, actor.URI, u.By, u.SignedAt)
		if err != nil {
			return err
		}
		if came {
			return tx.Unsee(ctx, key)
		}
	}
	_, err := tx.Seen(ctx, key, s.Now())
	return err
}

// undoneKey remembers what an actor took back.
func undoneKey(actor *Account, uri string) string { return "undone " + actor.URI + " " + uri }

// notUndone refuses an activity whose Undo came first.
func notUndone(ctx context.Context, tx Tx, actor *Account, uri string) error {
	undone, err := tx.WasSeen(ctx, undoneKey(actor, uri))
	if err == nil && undone {
		err = &Error{Kind: Gone, Public: "it was taken back before it came"} // read in the log only
	}
	return err
}

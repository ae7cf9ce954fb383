package auth

import (
	"context"

	"parley/social"
)

// Sessions lists the browsers in which a member is signed in, the one used last first.
func (s *Service) Sessions(ctx context.Context, account social.ID) ([]*Session, error) {
	return s.store.Sessions(ctx, account, s.now())
}

// EndSessions ends one session of a member, or with id zero all but the one that is kept.
func (s *Service) EndSessions(ctx context.Context, account, id, kept social.ID) error {
	return s.store.EndSessions(ctx, account, id, kept)
}

// CheckPassword asks a member who is signed in for the password once more. Wrong tries
// count like those of a sign-in.
func (s *Service) CheckPassword(ctx context.Context, account *social.Account, password string) error {
	text, _, err := s.SignIn(ctx, account.Username, password, "password check")
	if err != nil {
		return err
	}
	return s.SignOut(ctx, text)
}

// ChangePassword gives a member who knows the present password a new one, and ends every
// session and token. Wrong tries count like those of a sign-in.
func (s *Service) ChangePassword(ctx context.Context, account *social.Account, present, next string) error {
	if err := CheckPassword(next); err != nil {
		return err
	}
	if _, _, err := s.SignIn(ctx, account.Username, present, "password change"); err != nil {
		return err
	}
	return s.SetPassword(ctx, account.ID, next)
}

package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"parley/social"
)

// Argon2id parameters: OWASP's first choice for servers, 19 MiB and 2 passes.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024
	argonThreads = 1
	argonKey     = 32
	minPassword  = 10
	// MaxPassword bounds the work of a sign-in, in characters.
	MaxPassword = 256
)

// SetPassword gives a member a new password and ends every session and token.
func (s *Service) SetPassword(ctx context.Context, account social.ID, password string) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	var key []byte
	if err := s.hash(ctx, func() { key = derive(password, salt) }); err != nil {
		return err
	}
	// First the hash: whoever signs in from here on needs the new password.
	if err := s.store.SetPasswordHash(ctx, account, encode(salt, key)); err != nil {
		return err
	}
	return s.store.EndAccess(ctx, account)
}

// CheckPassword says whether a password can be taken.
func CheckPassword(password string) error {
	if n := len([]rune(password)); n < minPassword || n > MaxPassword {
		return social.Errorf(social.Invalid, "a password has %d to %d characters", minPassword, MaxPassword)
	}
	return nil
}

// checkPassword also hashes when there is nothing to compare with, so that its
// time tells nothing.
func (s *Service) checkPassword(ctx context.Context, stored, password string) (bool, error) {
	if len(password) > 4*MaxPassword {
		password = ""
	}
	salt, want, err := decode(stored)
	if err != nil {
		salt, want = make([]byte, 16), nil
	}
	var key []byte
	if err := s.hash(ctx, func() { key = derive(password, salt) }); err != nil {
		return false, err
	}
	return want != nil && subtle.ConstantTimeCompare(key, want) == 1, nil
}

func derive(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
}

// hash waits for one of the few places, so that many sign-ins at once cannot
// take the memory of the machine.
func (s *Service) hash(ctx context.Context, work func()) error {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
		work()
		return nil
	case <-ctx.Done():
		return &social.Error{Kind: social.Unavailable, Public: "too many sign-ins at once; try again", Err: ctx.Err()}
	}
}

// encode writes the PHC string format.
func encode(salt, key []byte) string {
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		e.EncodeToString(salt), e.EncodeToString(key))
}

func decode(stored string) (salt, key []byte, err error) {
	parts := strings.Split(stored, "$")
	want := fmt.Sprintf("m=%d,t=%d,p=%d", argonMemory, argonTime, argonThreads)
	if len(parts) != 6 || parts[1] != "argon2id" || parts[3] != want {
		return nil, nil, fmt.Errorf("not a password hash of ours")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return nil, nil, err
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	return salt, key, err
}

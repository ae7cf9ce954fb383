package federation

import (
	"crypto/aes"
	"encoding/base64"
	"encoding/binary"

	"parley/social"
)

// Places in the change log are told in a form that only this instance reads: by their
// numbers a partner could count what is said without it.

// placeText writes a place; "" is before everything.
func (s *Server) placeText(p social.Place) string {
	if p.IsZero() {
		return ""
	}
	block, err := aes.NewCipher(s.social.SecretFor("change log")[:16])
	if err != nil {
		panic("federation: " + err.Error()) // the key has 16 bytes
	}
	b := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(b, uint64(p.Epoch))
	binary.BigEndian.PutUint64(b[8:], uint64(p.Seq))
	block.Encrypt(b, b) // one block, and no two places are the same
	return base64.RawURLEncoding.EncodeToString(b)
}

// parsePlace reads what placeText wrote; false for anything else.
func (s *Server) parsePlace(text string) (social.Place, bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != aes.BlockSize {
		return social.Place{}, false
	}
	block, err := aes.NewCipher(s.social.SecretFor("change log")[:16])
	if err != nil {
		panic("federation: " + err.Error()) // the key has 16 bytes
	}
	block.Decrypt(b, b)
	p := social.Place{Epoch: int64(binary.BigEndian.Uint64(b)), Seq: int64(binary.BigEndian.Uint64(b[8:]))}
	// What somebody made up decrypts to anything.
	return p, p.Epoch > 0 && p.Epoch <= s.Now().UnixMilli() && p.Seq >= 0 && p.Seq < 1<<40
}

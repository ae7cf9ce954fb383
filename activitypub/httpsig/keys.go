package httpsig

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/mr-tron/base58"
)

// GenerateRSA and GenerateEd25519 make key pairs as PEM: PKIX public, PKCS#8 private.
func GenerateRSA() (public, private []byte, err error) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	return encode(&k.PublicKey, k)
}

// GenerateEd25519 makes an Ed25519 pair.
func GenerateEd25519() (public, private []byte, err error) {
	pub, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return encode(pub, k)
}

// GenerateX25519 makes an X25519 pair, for sealing and not for signing.
func GenerateX25519() (public, private []byte, err error) {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return encode(k.PublicKey(), k)
}

func encode(public crypto.PublicKey, private crypto.PrivateKey) ([]byte, []byte, error) {
	pub, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, nil, err
	}
	priv, err := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: priv}), err
}

// ParsePrivate reads a private key of ours.
func ParsePrivate(b []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	s, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%T does not sign", k)
	}
	return s, nil
}

// ParseX25519 reads a private key of ours that others seal to.
func ParseX25519(b []byte) (*ecdh.PrivateKey, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := k.(*ecdh.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%T is not for sealing", k)
	}
	return private, nil
}

// ParsePublic reads a public key as servers publish it: PKIX or PKCS#1 PEM.
func ParsePublic(b []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(b)
	if block == nil || len(b) > 16<<10 {
		return nil, refuse("the key is not PEM")
	}
	if block.Type == "RSA PUBLIC KEY" {
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, refuse("the key cannot be read")
	}
	switch k.(type) {
	case *rsa.PublicKey, ed25519.PublicKey:
		return k, nil
	}
	return nil, refuse("the key is neither RSA nor Ed25519")
}

// EncodeMultikey writes an Ed25519 key as FEP-521a publishes it.
func EncodeMultikey(public ed25519.PublicKey) string {
	return "z" + base58.Encode(append([]byte{0xed, 0x01}, public...))
}

// EncodeSealingKey writes a raw X25519 key as a Multikey.
func EncodeSealingKey(raw []byte) string {
	return "z" + base58.Encode(append([]byte{0xec, 0x01}, raw...))
}

// DecodeMultikey reads an Ed25519 key and gives it as PKIX PEM.
func DecodeMultikey(s string) ([]byte, error) {
	raw, err := decodeKey(s, 0xed)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(raw))
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}

// DecodeSigningKey and DecodeSealingKey read a Multikey and give its 32 bytes.
func DecodeSigningKey(s string) ([]byte, error) { return decodeKey(s, 0xed) }

// DecodeSealingKey is for X25519.
func DecodeSealingKey(s string) ([]byte, error) { return decodeKey(s, 0xec) }

// decodeKey reads a Multikey whose type has the code given (multicodec 0xed, 0xec).
func decodeKey(s string, code byte) ([]byte, error) {
	if len(s) > 200 || !strings.HasPrefix(s, "z") {
		return nil, refuse("the key is not a Multikey in base58")
	}
	b, err := base58.Decode(s[1:])
	if err != nil || len(b) != 2+32 || b[0] != code || b[1] != 0x01 {
		return nil, refuse("the key is not a Multikey of the kind that is wanted")
	}
	return b[2:], nil
}

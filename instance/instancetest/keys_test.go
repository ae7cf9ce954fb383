package instancetest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// Each key is one of its own, of full length, and signs.
func TestCrossedKeys(t *testing.T) {
	seen := map[string]bool{}
	sum := sha256.Sum256([]byte("x"))
	for range 20 {
		public, private, err := GenerateRSA()
		if err != nil || seen[string(public)] {
			t.Fatal("a key that was there before:", err)
		}
		seen[string(public)] = true
		block, _ := pem.Decode(private)
		k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		block, _ = pem.Decode(public)
		pub, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := k.(*rsa.PrivateKey).Sign(rand.Reader, sum[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if err := rsa.VerifyPKCS1v15(pub.(*rsa.PublicKey), crypto.SHA256, sum[:], signature); err != nil || pub.(*rsa.PublicKey).N.BitLen() != 2048 {
			t.Error(pub.(*rsa.PublicKey).N.BitLen(), err)
		}
	}
}

func BenchmarkGenerateRSA(b *testing.B) {
	for b.Loop() {
		if _, _, err := GenerateRSA(); err != nil {
			b.Fatal(err)
		}
	}
}

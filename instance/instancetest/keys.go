package instancetest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"sync"
)

// crossing makes RSA keys of few primes: any two give one of their own, so that
// hundreds cost the search for some thirty primes. They are worth nothing outside of
// tests, since whoever has two keys with a common prime has both.
type crossing struct {
	mu     sync.Mutex
	primes []*big.Int
	i, j   int // the pair that was used last, i < j
}

// It is the whole process's, and gives no key twice: no two instances share one.
var crossed crossing

// GenerateRSA makes a pair as httpsig.GenerateRSA does, much faster.
func GenerateRSA() (public, private []byte, err error) {
	k, err := crossed.next()
	if err != nil {
		return nil, nil, err
	}
	pub, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	priv, err := x509.MarshalPKCS8PrivateKey(k)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: priv}), err
}

func (c *crossing) next() (*rsa.PrivateKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.i++; c.i >= c.j {
		c.i, c.j = 0, c.j+1
	}
	for len(c.primes) <= c.j {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		c.primes = append(c.primes, k.Primes...)
	}
	p, q, one := c.primes[c.i], c.primes[c.j], big.NewInt(1)
	k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, Primes: []*big.Int{p, q}}
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k.D = new(big.Int).ModInverse(big.NewInt(int64(k.E)), phi) // GenerateKey takes no prime that has none
	k.Precompute()
	return k, k.Validate()
}

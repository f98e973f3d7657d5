package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
)

const (
	// minRSABits is the floor of RFC 7518 section 3.3.
	minRSABits = 2048
	// maxRSABits bounds the work that one signature costs.
	maxRSABits = 16384
	// minSecretBytes is the shortest hash that HMAC is used with (RFC 7518 section 3.2).
	minSecretBytes = 32
	// minDistinct: a secret of fewer different bytes is a pattern. Random decimal digits have more.
	minDistinct = 6
)

var errNoKey = errors.New("there is no key")

// admit says why a key must not be loaded: nil if it can be trusted as far as looking at it goes.
func admit(key any) error {
	if _, err := served(key); err != nil {
		return err
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if isROCA(key.N) {
			return errors.New("the RSA key is of a kind whose factors can be found (ROCA, CVE-2017-15361): replace it")
		}
	case ed25519.PublicKey:
		if !isOnCurve(key) {
			return errors.New("the point is not on the curve")
		}
	}
	return nil
}

func checkRSA(key *rsa.PublicKey) error {
	switch {
	case key == nil || key.N == nil:
		return errNoKey
	case key.N.BitLen() < minRSABits:
		return fmt.Errorf("an RSA key of %d bits is too short: use at least %d", key.N.BitLen(), minRSABits)
	case key.N.BitLen() > maxRSABits:
		return fmt.Errorf("an RSA key of %d bits is too long: use at most %d", key.N.BitLen(), maxRSABits)
	case key.N.Bit(0) == 0:
		return errors.New("an RSA modulus must be odd")
	case key.E < 3 || key.E%2 == 0:
		return errors.New("an RSA public exponent must be odd and at least 3")
	}
	return nil
}

// rocaPrimes are the odd primes whose product divides the number that the flawed generator builds its factors around,
// whatever the key's length.
var rocaPrimes = []int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127,
	131, 137, 139, 149, 151, 157, 163, 167,
}

// isROCA tells whether a modulus is a power of 65537 modulo each of these primes, as only keys of that generator are
// (Nemec and others, "The Return of Coppersmith's Attack", section 3.1).
func isROCA(modulus *big.Int) bool {
	for _, prime := range rocaPrimes {
		remainder := new(big.Int).Mod(modulus, big.NewInt(prime)).Int64()
		power := int64(1)
		for power != remainder {
			if power = power * 65537 % prime; power == 1 {
				return false
			}
		}
	}
	return true
}

func checkSecret(secret []byte) error {
	if len(secret) < minSecretBytes {
		return fmt.Errorf("a shared secret of %d bytes is too short: use at least %d random ones", len(secret), minSecretBytes)
	}
	distinct := map[byte]bool{}
	for _, b := range secret {
		distinct[b] = true
	}
	if len(distinct) < minDistinct || unit(secret) < minSecretBytes {
		return errors.New("the shared secret repeats itself: use random bytes")
	}
	return nil
}

// unit is the length of the shortest block that, repeated, makes up the whole secret.
func unit(secret []byte) int {
	for length := 1; length <= len(secret)/2; length++ {
		if len(secret)%length == 0 && bytes.Equal(secret[length:], secret[:len(secret)-length]) {
			return length
		}
	}
	return len(secret)
}

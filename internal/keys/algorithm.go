package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
)

// Symmetric tells whether one key both signs and verifies (RFC 7518 section 3.2).
func (a Algorithm) Symmetric() bool { return false }

// Algorithm is a JWS "alg" value (RFC 7518 section 3.1, RFC 8037). It is compared byte for byte.
type Algorithm string

// The algorithms that Gatehouse verifies. Symmetric ones are absent on purpose: whoever can check such a token can
// also make one.
const (
	EdDSA Algorithm = "EdDSA"
	ES256 Algorithm = "ES256"
	RS256 Algorithm = "RS256"
)

// Algorithms lists every supported algorithm.
func Algorithms() []Algorithm { return []Algorithm{EdDSA, ES256, RS256} }

// minRSABits is the floor of RFC 7518 section 3.3.
const minRSABits = 2048

// algorithmOf gives the one algorithm that a public key serves, or an error that says why it serves none.
func algorithmOf(public crypto.PublicKey) (Algorithm, error) {
	switch key := public.(type) {
	case ed25519.PublicKey:
		return EdDSA, nil
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return "", fmt.Errorf("curve %s is not supported: use P-256 (ES256)", key.Params().Name)
		}
		return ES256, nil
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return "", fmt.Errorf("an RSA key of %d bits is too short: use at least %d", key.N.BitLen(), minRSABits)
		}
		if key.E < 3 || key.E%2 == 0 {
			return "", errors.New("an RSA public exponent must be odd and at least 3")
		}
		return RS256, nil
	default:
		return "", errors.New("the key type is not supported: use Ed25519, P-256 or RSA")
	}
}

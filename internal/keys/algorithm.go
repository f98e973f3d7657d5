package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithm is a JWS "alg" value (RFC 7518 section 3.1, RFC 8037). It is compared byte for byte.
type Algorithm string

// The algorithms that Gatehouse verifies.
const (
	EdDSA Algorithm = "EdDSA"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	HS256 Algorithm = "HS256"
	HS384 Algorithm = "HS384"
	HS512 Algorithm = "HS512"
)

// What each type of key serves. Where it is more than one, the first is what most issuers use.
var (
	edwards = []Algorithm{EdDSA}
	p256    = []Algorithm{ES256}
	p384    = []Algorithm{ES384}
	p521    = []Algorithm{ES512}
	rsaAny  = []Algorithm{RS256, RS384, RS512, PS256, PS384, PS512}
	hmacAny = []Algorithm{HS256, HS384, HS512}
)

var algorithms = slices.Concat(edwards, p256, p384, p521, rsaAny, hmacAny)

// Algorithms lists every supported algorithm, always in the same order: Ed25519, elliptic curves, RSA, shared secrets,
// and the shorter hash first.
func Algorithms() []Algorithm { return slices.Clone(algorithms) }

// Symmetric tells whether one key both signs and verifies (RFC 7518 section 3.2): whoever can check such a token can
// also make one.
func (a Algorithm) Symmetric() bool { return slices.Contains(hmacAny, a) }

var methods = map[Algorithm]jwt.SigningMethod{
	EdDSA: jwt.SigningMethodEdDSA,
	ES256: jwt.SigningMethodES256, ES384: jwt.SigningMethodES384, ES512: jwt.SigningMethodES512,
	RS256: jwt.SigningMethodRS256, RS384: jwt.SigningMethodRS384, RS512: jwt.SigningMethodRS512,
	PS256: strict(jwt.SigningMethodPS256), PS384: strict(jwt.SigningMethodPS384), PS512: strict(jwt.SigningMethodPS512),
	HS256: jwt.SigningMethodHS256, HS384: jwt.SigningMethodHS384, HS512: jwt.SigningMethodHS512,
}

// strict wants a salt as long as the hash when it verifies, too (RFC 7518 section 3.5). golang-jwt takes any length.
func strict(m *jwt.SigningMethodRSAPSS) *jwt.SigningMethodRSAPSS {
	return &jwt.SigningMethodRSAPSS{SigningMethodRSA: m.SigningMethodRSA, Options: m.Options, VerifyOptions: m.Options}
}

// served lists the algorithms that a verification key can serve, or says why it serves none. It is asked for each
// signature, so what takes time is left to admit.
func served(key any) ([]Algorithm, error) {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return edwards, checkEd25519(key)
	case *ecdsa.PublicKey:
		return servedByCurve(key)
	case *rsa.PublicKey:
		return rsaAny, checkRSA(key)
	case []byte:
		return servedBySecret(key)
	default:
		return nil, errors.New("the key type is not supported: use Ed25519, P-256, P-384, P-521 or RSA")
	}
}

func servedByCurve(key *ecdsa.PublicKey) ([]Algorithm, error) {
	if key == nil || key.Curve == nil {
		return nil, errNoKey
	}
	switch key.Curve {
	case elliptic.P256():
		return p256, nil
	case elliptic.P384():
		return p384, nil
	case elliptic.P521():
		return p521, nil
	default:
		return nil, fmt.Errorf("curve %s is not supported: use P-256, P-384 or P-521", key.Params().Name)
	}
}

// servedBySecret wants a secret at least as long as the hash (RFC 7518 section 3.2).
func servedBySecret(secret []byte) ([]Algorithm, error) {
	if err := checkSecret(secret); err != nil {
		return nil, err
	}
	fitting := 0
	for _, hash := range []int{32, 48, 64} {
		if len(secret) >= hash {
			fitting++
		}
	}
	return hmacAny[:fitting], nil
}

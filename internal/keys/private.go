package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/MicahParks/jwkset"
)

// Private is a key that signs. Its zero value is unusable; it comes from Generate or ParsePrivate.
type Private struct {
	id        string
	algorithm Algorithm
	signer    crypto.Signer
}

// ID is the key's "kid": the RFC 7638 SHA-256 thumbprint of its public half.
func (k Private) ID() string { return k.id }

// Algorithm is the only algorithm that the key signs with.
func (k Private) Algorithm() Algorithm { return k.algorithm }

// Signer is the key as the standard library and golang-jwt take it: ed25519.PrivateKey, *ecdsa.PrivateKey or
// *rsa.PrivateKey.
func (k Private) Signer() crypto.Signer { return k.signer }

// Public is the half that may be shown to anyone.
func (k Private) Public() Public {
	return Public{ID: k.id, Algorithm: k.algorithm, Key: k.signer.Public()}
}

// Generate makes a new key: Ed25519, P-256 or RSA of 3072 bits.
func Generate(algorithm Algorithm) (Private, error) {
	var signer crypto.Signer
	var err error
	switch algorithm {
	case EdDSA:
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		signer, err = rsa.GenerateKey(rand.Reader, 3072)
	default:
		return Private{}, fmt.Errorf("generate key: algorithm %q is not supported: use one of %v", algorithm, Algorithms())
	}
	if err != nil {
		return Private{}, fmt.Errorf("generate %s key: %w", algorithm, err)
	}
	return newPrivate(signer)
}

func newPrivate(signer crypto.Signer) (Private, error) {
	algorithm, err := algorithmOf(signer.Public())
	if err != nil {
		return Private{}, err
	}
	id, err := Thumbprint(signer.Public())
	if err != nil {
		return Private{}, err
	}
	return Private{id: id, algorithm: algorithm, signer: signer}, nil
}

// MarshalPrivate writes keys as a JWK Set with their private members. The first key is the one that signs.
func MarshalPrivate(set []Private) ([]byte, error) {
	out := jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{}}
	for _, key := range set {
		jwk, err := encode(key.signer, key.id, key.algorithm, true)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, jwk)
	}
	return json.Marshal(out)
}

// ParsePrivate reads what MarshalPrivate wrote. It refuses an empty set, a key without its private half, and all that
// ParsePublic refuses.
func ParsePrivate(data []byte) ([]Private, error) {
	decoded, err := decode(data)
	if err != nil {
		return nil, err
	}
	set := make([]Private, 0, len(decoded))
	for _, entry := range decoded {
		signer, ok := entry.key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("key %q has no private half", entry.public.ID)
		}
		set = append(set, Private{id: entry.public.ID, algorithm: entry.public.Algorithm, signer: signer})
	}
	if len(set) == 0 {
		return nil, errors.New("the key set is empty")
	}
	return set, nil
}

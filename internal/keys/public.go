package keys

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
)

// Public is a key that verifies. One key has one algorithm: a token that names another is not checked with it
// (RFC 8725 section 3.1).
type Public struct {
	// ID is the "kid" that tokens name the key by.
	ID        string
	Algorithm Algorithm
	// Key is ed25519.PublicKey, *ecdsa.PublicKey or *rsa.PublicKey.
	Key crypto.PublicKey
}

// MarshalPublic writes keys as a JWK Set without private members.
func MarshalPublic(set []Public) ([]byte, error) {
	out := jwks{Keys: []jwk{}}
	for _, key := range set {
		encoded, err := encode(key.Key, key.ID, key.Algorithm, false)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, encoded)
	}
	return json.Marshal(out)
}

// ParsePublic reads a JWK Set of public keys. It refuses, naming the key: private members (the file would be a leak),
// a "use" other than "sig", "key_ops" without "verify", an "alg" that is not the key's, a missing or repeated "kid",
// short and unsupported keys; and an empty set.
func ParsePublic(data []byte) ([]Public, error) {
	decoded, err := decode(data)
	if err != nil {
		return nil, err
	}
	set := make([]Public, 0, len(decoded))
	for _, entry := range decoded {
		if _, private := entry.key.(crypto.Signer); private {
			return nil, fmt.Errorf("key %q carries its private half: publish public keys only, and replace this one", entry.public.ID)
		}
		set = append(set, entry.public)
	}
	if len(set) == 0 {
		return nil, errors.New("the key set is empty")
	}
	return set, nil
}

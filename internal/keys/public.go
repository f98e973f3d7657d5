package keys

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Public is a key that verifies. One key has one algorithm: a token that names another is not checked with it
// (RFC 8725 section 3.1).
type Public struct {
	// ID tells the key from others, also in logs and in status. It is the issuer's own name for it, the "kid" of its
	// tokens, unless the key is Anonymous.
	ID string
	// Anonymous: the issuer gave the key no name (PEM, a shared secret, a JWK without "kid"), so ID is ours and cannot be
	// compared with the "kid" of a token.
	Anonymous bool
	// Algorithm is empty if neither the file nor the type of the key states it; such a key verifies nothing before Bind.
	Algorithm Algorithm
	// Key is ed25519.PublicKey, *ecdsa.PublicKey, *rsa.PublicKey or, for a shared secret, []byte.
	Key any
}

// Set is what a file holds.
type Set struct {
	Keys []Public
	// Ignored names each key that is none of ours, with the reason, for the log. No key material is in it.
	Ignored []string
	// Faulty names likewise each key that is at fault: it should be mended or replaced where it comes from.
	Faulty []string
}

// Bind gives the key its one algorithm: its own if that is allowed, else, if it has none yet, the first allowed one that
// its type can serve and, for a shared secret, its length (RFC 7518 section 3.2). It is false where there is none.
func (k Public) Bind(allowed []Algorithm) (Public, bool) {
	fitting, err := served(k.Key)
	if err != nil {
		return Public{}, false
	}
	for _, algorithm := range allowed {
		if (k.Algorithm == "" || k.Algorithm == algorithm) && slices.Contains(fitting, algorithm) {
			k.Algorithm = algorithm
			return k, true
		}
	}
	return Public{}, false
}

// Verify tells whether the signature is that of the signed text under this key and its own algorithm. The text is the
// JWS signing input (RFC 7515 section 5.2), the signature is decoded. Without a key or an algorithm, or with a key too
// weak to load, nothing verifies.
func (k Public) Verify(signed string, signature []byte) bool {
	fitting, err := served(k.Key)
	if err != nil || !slices.Contains(fitting, k.Algorithm) {
		return false
	}
	return methods[k.Algorithm].Verify(signed, signature, k.Key) == nil
}

// MarshalPublic writes keys as a JWK Set without private members. A shared secret is an error: to publish it would be to
// give it away.
func MarshalPublic(set []Public) ([]byte, error) {
	out := jwks{Keys: []jwk{}}
	for _, key := range set {
		if _, secret := key.Key.([]byte); secret {
			return nil, fmt.Errorf("key %q is a shared secret: it cannot be published", key.ID)
		}
		id := key.ID
		if key.Anonymous {
			id = ""
		}
		encoded, err := encode(key.Key, id, key.Algorithm, false)
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, encoded)
	}
	return json.Marshal(out)
}

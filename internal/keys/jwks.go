package keys

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/MicahParks/jwkset"
)

// ParsePublic reads a JWK Set (RFC 7517) of public keys.
//
// A key that must not be trusted, or cannot be read, is left out and named in Set.Faulty, and costs no other key: a key
// with private members, a symmetric one, one whose "alg" contradicts it or whose point is not on its curve, RSA keys
// shorter than 2048 or longer than 16384 bits or with a bad exponent, keys known to be weak. So are keys that no token can
// tell apart: different ones with one "kid" and one "alg". One key may be there several times, once for each "alg".
//
// What is merely not for us is left out, too, with the reason in Set.Ignored: other key types, curves and algorithms, keys
// for encryption. It is an error if nothing is left, or if the text is no JWK Set that can be read in one way only.
func ParsePublic(data []byte) (Set, error) {
	raw, err := members(data)
	if err != nil {
		return Set{}, err
	}
	var c collector
	for i, member := range raw {
		key, id, err := parsePublicJWK(member)
		c.add(fmt.Sprintf("key %d (%.40q)", i, id), key, err)
	}
	return c.set()
}

func parsePublicJWK(data json.RawMessage) (key Public, id string, err error) {
	raw, err := parseJWK(data)
	if err != nil {
		return Public{}, "", err
	}
	// Whatever else it is: a private key that was published is no longer one.
	if raw.KTY != jwkset.KtyOct && holdsPrivate(raw) {
		return Public{}, raw.KID, errors.New("it carries its private half: publish public keys only, and replace this one")
	}
	key, _, err = decode(raw, jwkset.KeyOpsVerify)
	return key, raw.KID, err
}

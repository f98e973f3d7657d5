package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"
)

// ParsePublic reads a JWK Set (RFC 7517) of public keys.
//
// It refuses the whole set, and names each key that is at fault, for what must never be in one: private members (the
// file would be a leak), symmetric keys, a "kid" used twice, an "alg" that contradicts the key, a point that is not on
// its curve, RSA keys shorter than 2048 or longer than 16384 bits or with a bad exponent, keys known to be weak. It
// leaves out, with the reason in Set.Ignored, what is merely not for us: other key types, curves and algorithms, keys
// for encryption. A set of which nothing is left is an error.
func ParsePublic(data []byte) (Set, error) { return parsePublic(data, &collector{}) }

// ParseIssued is ParsePublic for the set of an issuer whom nobody here can tell to mend it: a key that is known to be weak
// is left out, too, so that it does not keep the others from being renewed.
func ParseIssued(data []byte) (Set, error) { return parsePublic(data, &collector{lenient: true}) }

func parsePublic(data []byte, c *collector) (Set, error) {
	raw, err := members(data)
	if err != nil {
		return Set{}, err
	}
	for i, member := range raw {
		key, id, err := parsePublicJWK(member)
		c.add(fmt.Sprintf("key %d (%.40q)", i, id), key, err)
	}
	return c.set()
}

func parsePublicJWK(data json.RawMessage) (key Public, id string, err error) {
	var raw jwk
	if err := json.Unmarshal(data, &raw); err != nil {
		if isUnknownType(data) {
			return Public{}, "", foreign("its kty is not supported")
		}
		return Public{}, "", errors.New("not a valid JWK: a member has the wrong JSON type")
	}
	// Whatever else it is: a private key that was published is no longer one.
	if raw.KTY != jwkset.KtyOct && holdsPrivate(raw) {
		return Public{}, raw.KID, errors.New("it carries its private half: publish public keys only, and replace this one")
	}
	key, _, err = decode(raw, jwkset.KeyOpsVerify)
	return key, raw.KID, err
}

// isUnknownType tells whether a member is a key whose other members may mean anything.
func isUnknownType(data json.RawMessage) bool {
	var raw struct{ KTY jwkset.KTY }
	return json.Unmarshal(data, &raw) == nil && raw.KTY != "" && !slices.Contains(types, raw.KTY)
}

// collector sorts what a file holds, so that all of its problems are told at once.
type collector struct {
	lenient  bool // about weak keys
	keys     []Public
	ignored  []string
	problems []error
}

// add takes the outcome for the key that label names in messages.
func (c *collector) add(label string, key Public, err error) {
	for _, other := range c.keys {
		if err == nil && other.ID == key.ID {
			err = errors.New("the kid is used twice")
			if key.Anonymous && other.Anonymous {
				err = foreign("it is there already")
			}
		}
	}
	var (
		reason   foreign
		weakness weak
	)
	switch {
	case errors.As(err, &reason), c.lenient && errors.As(err, &weakness):
		c.ignored = append(c.ignored, label+": "+err.Error())
	case err != nil:
		c.problems = append(c.problems, fmt.Errorf("%s: %w", label, err))
	default:
		c.keys = append(c.keys, key)
	}
}

func (c *collector) set() (Set, error) {
	switch {
	case len(c.problems) > 0:
		return Set{}, errors.Join(c.problems...)
	case len(c.keys) == 0 && len(c.ignored) == 0:
		return Set{}, errors.New("the key set is empty")
	case len(c.keys) == 0:
		return Set{}, fmt.Errorf("no key is left to verify with: %s", strings.Join(c.ignored, "; "))
	}
	return Set{Keys: c.keys, Ignored: c.ignored}, nil
}

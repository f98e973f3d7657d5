package vectors_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// load takes the JWK or JWK Set of a vector by the way that a provider's keys take: a public set as it is, and of shared
// secrets, which no set may hold, the bytes of each.
func load(raw json.RawMessage) ([]keys.Public, error) {
	type member struct{ Kty, Alg, K string }
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, err
	}
	if set.Keys == nil {
		set.Keys = []json.RawMessage{raw}
	}
	var secrets []keys.Public
	for _, raw := range set.Keys {
		var jwk member
		if err := json.Unmarshal(raw, &jwk); err != nil {
			return nil, err
		}
		if jwk.Kty != "oct" {
			return loadPublic(set.Keys)
		}
		secret, err := base64.RawURLEncoding.DecodeString(jwk.K)
		if err != nil {
			return nil, err
		}
		loaded, err := keys.ParseSharedSecret(secret)
		if err != nil {
			return nil, err
		}
		bound, ok := loaded.Keys[0].Bind([]keys.Algorithm{keys.Algorithm(jwk.Alg)})
		if !ok {
			return nil, fmt.Errorf("the secret does not serve %q", jwk.Alg)
		}
		secrets = append(secrets, bound)
	}
	return secrets, nil
}

func loadPublic(members []json.RawMessage) ([]keys.Public, error) {
	data, err := json.Marshal(map[string]any{"keys": members})
	if err != nil {
		return nil, err
	}
	set, err := keys.ParsePublic(data)
	if err != nil {
		return nil, err
	}
	var bound []keys.Public
	for _, key := range set.Keys {
		if key, ok := key.Bind(keys.Algorithms()); ok {
			bound = append(bound, key)
		}
	}
	return bound, nil
}

// accepts is what the gate does with a token before it looks at its claims, and no more than that.
func accepts(set []keys.Public, jws string) bool {
	parts := strings.Split(jws, ".")
	if len(parts) != 3 || strings.ContainsAny(jws, "\r\n") { // the decoder passes over line ends
		return false
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return false
		}
	}
	var header map[string]any
	if json.Unmarshal(decoded[0], &header) != nil {
		return false
	}
	if _, critical := header["crit"]; critical { // nothing critical is understood
		return false
	}
	return slices.ContainsFunc(set, func(key keys.Public) bool {
		named := header["kid"] == nil || key.Anonymous || header["kid"] == key.ID
		return named && header["alg"] == string(key.Algorithm) && key.Verify(parts[0]+"."+parts[1], decoded[2])
	})
}

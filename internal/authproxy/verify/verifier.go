package verify

import (
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Verifier judges tokens by one configuration and one set of keys.
type Verifier struct {
	byIssuer map[string]provider
	maxBytes int
	used     []string // claims that are kept
	now      func() time.Time
}

type provider struct {
	authproxy.Provider
	keys []keys.Public
}

// New makes a Verifier. loaded holds each provider's keys under its name; a provider without keys lets nobody in.
func New(config authproxy.Config, loaded map[string][]keys.Public, now func() time.Time) *Verifier {
	v := &Verifier{byIssuer: map[string]provider{}, maxBytes: int(config.Limits.TokenBytes), now: now, used: config.ClaimsUsed()}
	for _, p := range config.Providers {
		v.byIssuer[p.Issuer] = provider{Provider: p, keys: Usable(p, loaded[p.Name])}
	}
	return v
}

// Usable are the keys whose algorithm the provider may use.
func Usable(p authproxy.Provider, loaded []keys.Public) []keys.Public {
	return slices.DeleteFunc(slices.Clone(loaded), func(key keys.Public) bool {
		return !slices.Contains(p.Algorithms, key.Algorithm)
	})
}

// Verify judges a token: size, format, header, issuer, key, signature, claims, in this order; the first that fails
// gives the reason. Nothing is taken from a token but what picks the key by which it is then checked.
func (v *Verifier) Verify(raw string) (Principal, *deny.Denial) {
	if len(raw) > v.maxBytes {
		return Principal{}, deny.Token(deny.MalformedToken)
	}
	token, ok := split(raw)
	if !ok {
		return Principal{}, deny.Token(deny.MalformedToken)
	}
	header, denial := judgeHeader(token.header)
	if denial != nil {
		return Principal{}, denial
	}
	claims, denial := readClaims(token.claims)
	if denial != nil {
		return Principal{}, denial
	}
	// An issuer is believed only together with a key of its own (RFC 8725 section 3.8).
	from, known := v.byIssuer[claims.issuer]
	if !known {
		return Principal{}, deny.Token(deny.WrongIssuer)
	}
	key, denial := from.key(header)
	if denial != nil {
		return Principal{}, denial
	}
	if !isSigned(token, key) {
		return Principal{}, deny.Token(deny.BadSignature)
	}
	if denial := judgeClaims(token.claims, claims, from.Provider, v.now); denial != nil {
		return Principal{}, denial
	}
	return Principal{
		provider: from.Name, issuer: claims.issuer, subject: claims.subject, client: claims.client, keyID: key.ID,
		scopes: claims.scopes(), claims: v.keep(token.claims),
		deadline: claims.expires.Add(time.Duration(from.ClockSkewSeconds) * time.Second),
	}, nil
}

func (v *Verifier) keep(claims object) object {
	kept := object{}
	for _, name := range v.used {
		if value, present := claims[name]; present {
			kept[name] = value
		}
	}
	return kept
}

// key finds the one key that the header names. Without a "kid" there must be exactly one that fits: trying several
// would let a token be signed by any.
func (p provider) key(h header) (keys.Public, *deny.Denial) {
	if len(p.keys) == 0 {
		return keys.Public{}, deny.Keyless()
	}
	if !slices.Contains(p.Algorithms, h.algorithm) {
		return keys.Public{}, deny.Token(deny.UnsupportedAlgorithm)
	}
	var fitting []keys.Public
	for _, key := range p.keys {
		if h.keyID != "" && key.ID == h.keyID && key.Algorithm != h.algorithm {
			return keys.Public{}, deny.Token(deny.UnsupportedAlgorithm)
		}
		if key.Algorithm == h.algorithm && (h.keyID == "" || key.ID == h.keyID) {
			fitting = append(fitting, key)
		}
	}
	if len(fitting) != 1 {
		return keys.Public{}, deny.Token(deny.UnknownKey)
	}
	return fitting[0], nil
}

// isSigned checks the signature with the key's algorithm, never with one that the token chose.
func isSigned(token compact, key keys.Public) bool {
	signature, err := encoding.DecodeString(token.signature)
	if err != nil {
		return false
	}
	method := jwt.GetSigningMethod(string(key.Algorithm))
	return method != nil && method.Verify(token.signed, signature, key.Key) == nil
}
